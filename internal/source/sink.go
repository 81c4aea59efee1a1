package source

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ingest"
	"honeyguide/internal/state"
)

const (
	batch = 4096 // events made durable at a time

	// saveEvery is how often a place is kept while records come: what a crash
	// makes the source read again.
	saveEvery = time.Second
	// restEvery is how often the place of a quiet source is moved to the end of
	// the log, so that a start has little of it to look through.
	restEvery = time.Minute
	// Dead letters wait for the next save at most so many and so large.
	maxLetters     = 512
	maxLetterBytes = 8 << 20

	firstPause = 100 * time.Millisecond
	lastPause  = 5 * time.Second
)

// seqKey is the checkpoint that says up to which number the log was seen. No
// stream has an empty key.
const seqKey = ""

// A Sink takes what one source brings. It is safe for concurrent use; pieces
// are stored one at a time.
type Sink struct {
	host *Host
	name string
	feed ingest.Options // what all pieces share

	mu      sync.Mutex // held while a piece is stored or a place kept
	marks   map[string][]byte
	letters []honeyguide.DeadLetter
	bytes   int          // of raw in letters
	seq     eventlog.Seq // what the log holds of us up to here lies before marks
	kept    eventlog.Seq // seq as it was saved
	saved   time.Time
	again   hold
	past    []moment // oldest first

	book book
}

// A moment says what s.seq was once: what came later has a higher number.
type moment struct {
	At  int64        `json:"at"` // seconds since 1970
	Seq eventlog.Seq `json:"seq"`
}

// Moments are kept so often and so many of them.
const (
	momentEvery = 30
	maxMoments  = 500
)

// A hold keeps seq where it is after a start until the records that were stored
// behind the kept places have come again: only then are they behind a place.
type hold struct {
	records int64 // still to come
	until   time.Time
	top     eventlog.Seq // where seq will go
}

// holdTime is how long records may take to come again.
const holdTime = 10 * time.Minute

// reach moves seq to at, as soon as that is allowed. again is how many records
// came for the second time.
func (s *Sink) reach(at eventlog.Seq, again int64) {
	h := &s.again
	h.top = max(h.top, at)
	if h.records -= again; h.records > 0 && s.Now().Before(h.until) {
		return
	}
	h.records = 0
	s.seq = max(s.seq, h.top)
}

// Name returns the name of the instance.
func (s *Sink) Name() string { return s.name }

// Format returns what the records are said to be.
func (s *Sink) Format() string { return s.feed.Format }

// Now returns the time.
func (s *Sink) Now() time.Time { return s.host.dep.Now() }

// Marks returns the places that were kept, by stream.
func (s *Sink) Marks(ctx context.Context) (map[string][]byte, error) {
	out := map[string][]byte{}
	err := s.host.dep.State.View(ctx, func(tx state.Tx) error {
		clear(out)
		list, err := tx.Checkpoints().List(ctx, s.name)
		for _, c := range list {
			if c.Key != seqKey {
				out[c.Key] = c.Value
			}
		}
		return err
	})
	return out, err
}

// recall learns which records were stored behind the place that was kept.
func (s *Sink) recall(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.marks, s.letters, s.bytes = map[string][]byte{}, nil, 0 // what an earlier run did not keep comes again
	var known *state.Checkpoint
	err := s.host.dep.State.View(ctx, func(tx state.Tx) error {
		known = nil
		list, err := tx.Checkpoints().List(ctx, s.name)
		for i := range list {
			if list[i].Key == seqKey {
				known = &list[i]
			}
		}
		return err
	})
	if err != nil {
		return fmt.Errorf("read the place of %s: %w", s.name, err)
	}
	s.past = nil
	if known != nil && len(known.Value) > 0 {
		if err := json.Unmarshal(known.Value, &s.past); err != nil {
			return fmt.Errorf("read the place of %s: %w", s.name, err)
		}
	}
	// Before the first place was kept everything of this name counts: a source that
	// crashed in its first second.
	if s.seq = 0; known != nil {
		s.seq = eventlog.Seq(known.Seq)
	}
	s.kept = s.seq
	n, err := s.remember(ctx, eventlog.Query{Sensor: s.name, After: s.seq})
	s.again = hold{records: n, until: s.Now().Add(holdTime)}
	return err
}

// remember makes Seen know what a query finds, and returns how much that was.
func (s *Sink) remember(ctx context.Context, q eventlog.Query) (n int64, err error) {
	q.Limit = s.host.dep.Seen.Size()
	for r, err := range s.host.dep.Find.Find(ctx, q) {
		if err != nil {
			return n, fmt.Errorf("look for what %s stored: %w", s.name, err)
		}
		s.host.dep.Seen.Remember(r.Event.ID)
		n++
	}
	return n, nil
}

// Recall makes the sink know again what this source stored at from or later: for
// a source that asks for more than it needs.
func (s *Sink) Recall(ctx context.Context, from time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var after eventlog.Seq
	if len(s.past) >= maxMoments {
		after = s.past[0].Seq
	}
	for _, m := range s.past {
		if m.At <= from.Unix() {
			after = m.Seq
		}
	}
	_, err := s.remember(ctx, eventlog.Query{Sensor: s.name, After: after})
	return err
}

// Take stores pieces and returns when their events are durable and their marks
// are due to be kept. What cannot be stored now is tried again until it can: the
// error is ctx's, or says that the source's own settings are wrong.
func (s *Sink) Take(ctx context.Context, pieces ...Piece) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var t taking
	err := s.insist(ctx, func() (err error) {
		t = taking{s: s, last: t.last}
		return t.all(ctx, pieces)
	})
	if err != nil {
		return err
	}
	s.keepLetters(t.letters...)
	again, size := int64(0), 0
	for i := range pieces {
		again += t.sums[i].Duplicates
		size += len(pieces[i].Data)
		for _, m := range pieces[i].Marks {
			s.marks[m.Key] = m.Value
		}
	}
	s.reach(t.last, again)
	s.book.read(t.sums, size, s.Now())
	if len(s.letters) >= maxLetters || s.bytes >= maxLetterBytes || s.Now().Sub(s.saved) >= saveEvery {
		return s.insist(ctx, func() error { return s.save(ctx) })
	}
	return nil
}

// taking is one try to store pieces.
type taking struct {
	s       *Sink
	sums    []ingest.Summary
	letters []honeyguide.DeadLetter
	pending []honeyguide.Event // mapped and not stored yet
	last    eventlog.Seq
}

// all maps pieces and stores their events together: a sync costs the same for
// the lines of one peer and of a hundred.
func (t *taking) all(ctx context.Context, pieces []Piece) error {
	err := t.each(ctx, pieces)
	if err == nil {
		err = t.flush(ctx)
	}
	if err != nil { // what was only mapped has to be mapped again
		for i := range t.pending {
			t.s.host.dep.Seen.Forget(t.pending[i].ID)
		}
	}
	return err
}

func (t *taking) each(ctx context.Context, pieces []Piece) error {
	for i := range pieces {
		p := &pieces[i]
		opts := t.s.feed
		opts.Batch = max(1, min(batch, bytes.Count(p.Data, []byte{'\n'})))
		opts.Piece = &ingest.Piece{Origin: p.Origin, Line: p.Line, Name: p.Stream, Header: p.Header}
		sum, err := ingest.Read(ctx, bytes.NewReader(p.Data), opts, func(ctx context.Context, events []honeyguide.Event) error {
			for i := range events {
				for name, v := range p.Attrs {
					if _, has := events[i].Attrs[name]; !has {
						events[i].Set(name, v)
					}
				}
			}
			if t.pending = append(t.pending, events...); len(t.pending) >= batch {
				return t.flush(ctx)
			}
			return nil
		}, func(_ context.Context, d honeyguide.DeadLetter) error {
			t.letters = append(t.letters, d)
			return nil
		})
		if err != nil {
			return err
		}
		t.sums = append(t.sums, sum)
	}
	return nil
}

// flush makes what was mapped durable.
func (t *taking) flush(ctx context.Context) error {
	if len(t.pending) == 0 {
		return nil
	}
	seq, err := t.s.host.dep.Take(ctx, t.pending)
	if err != nil {
		return err
	}
	t.last = max(t.last, seq)
	t.s.book.stored(int64(len(t.pending)))
	t.pending = nil
	return nil
}

// Refuse makes what could not even be cut into records a dead letter, and keeps
// the marks behind it.
func (s *Sink) Refuse(ctx context.Context, d honeyguide.DeadLetter, marks ...Mark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	d.Time = s.Now().UTC().Truncate(time.Microsecond)
	if d.Source == "" {
		d.Source = s.name
	}
	d.Raw = bytes.Clone(d.Raw[:min(len(d.Raw), 64<<10)])
	s.keepLetters(d)
	for _, m := range marks {
		s.marks[m.Key] = m.Value
	}
	s.book.refused(d.Bytes)
	if len(s.letters) >= maxLetters || s.bytes >= maxLetterBytes {
		return s.insist(ctx, func() error { return s.save(ctx) })
	}
	return nil
}

func (s *Sink) keepLetters(list ...honeyguide.DeadLetter) {
	for i := range list {
		s.bytes += len(list[i].Raw)
	}
	s.letters = append(s.letters, list...)
}

// Save keeps marks at once, and what waits to be kept with them.
func (s *Sink) Save(ctx context.Context, marks ...Mark) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, m := range marks {
		s.marks[m.Key] = m.Value
	}
	return s.insist(ctx, func() error { return s.save(ctx) })
}

// rest keeps what waits; a quiet source moves to the end of the log.
func (s *Sink) rest(ctx context.Context) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.Now()
	switch since := now.Sub(s.saved); {
	case since < saveEvery:
		return nil
	case len(s.marks) > 0 || len(s.letters) > 0:
		return s.save(ctx)
	case since < restEvery:
		return nil
	}
	// Nothing of ours is under way: whatever the log holds, it holds of us.
	_, last, err := s.host.dep.Log.Ends(ctx)
	if err != nil {
		return err
	}
	if s.saved = now; last <= s.kept {
		return nil
	}
	s.reach(last, 0)
	return s.save(ctx)
}

// save writes marks and dead letters in one transaction.
func (s *Sink) save(ctx context.Context) error {
	now := s.Now()
	if n := len(s.past); n == 0 || now.Unix()-s.past[n-1].At >= momentEvery {
		s.past = append(s.past[max(0, n+1-maxMoments):], moment{now.Unix(), s.seq})
	}
	past, err := json.Marshal(s.past)
	if err != nil {
		return fmt.Errorf("keep the place of %s: %w", s.name, err)
	}
	put := []state.Checkpoint{{Source: s.name, Key: seqKey, Value: past, Seq: int64(s.seq), At: now}}
	var gone []string
	for key, value := range s.marks {
		if len(value) == 0 {
			gone = append(gone, key)
			continue
		}
		put = append(put, state.Checkpoint{Source: s.name, Key: key, Value: value, Seq: int64(s.seq), At: now})
	}
	err = s.host.dep.State.Update(ctx, func(tx state.Tx) error {
		return errors.Join(
			tx.DeadLetters().Add(ctx, s.letters...),
			tx.Checkpoints().Put(ctx, put...),
			tx.Checkpoints().Delete(ctx, s.name, gone...),
		)
	})
	if err != nil {
		return fmt.Errorf("keep the place of %s: %w", s.name, err)
	}
	clear(s.marks)
	s.letters, s.bytes, s.saved, s.kept = nil, 0, now, s.seq
	s.book.kept(now)
	return nil
}

// insist does something until it succeeds or ctx ends, with growing pauses. What
// can never succeed is returned: settings that make no sense.
func (s *Sink) insist(ctx context.Context, do func() error) error {
	for pause := firstPause; ; pause = min(2*pause, lastPause) {
		err := do()
		if err == nil {
			s.book.well(faultStore)
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		if honeyguide.ErrorCode(err) == honeyguide.CodeInvalid {
			return err
		}
		s.fault(ctx, faultStore, err)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
}
