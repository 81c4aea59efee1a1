package source

import (
	"bytes"
	"context"
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
	lastPause  = 30 * time.Second
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

	book book
}

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

// Recall makes the sink know again the records of this source whose time is not
// before from: for a source that asks for more than it needs.
func (s *Sink) Recall(ctx context.Context, from time.Time) error {
	_, err := s.remember(ctx, eventlog.Query{Sensor: s.name, From: from})
	return err
}

// Take stores a piece and returns when its events are durable and its marks are
// due to be kept. A piece that cannot be stored now is tried again until it can:
// the error is ctx's, or says that the source's own settings are wrong.
func (s *Sink) Take(ctx context.Context, p Piece) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	var letters []honeyguide.DeadLetter
	var sum ingest.Summary
	var last eventlog.Seq
	err := s.insist(ctx, func() (err error) {
		letters = letters[:0]
		sum, err = s.read(ctx, &p, &letters, &last)
		return err
	})
	if err != nil {
		return err
	}
	s.reach(last, sum.Duplicates)
	s.keepLetters(letters...)
	for _, m := range p.Marks {
		s.marks[m.Key] = m.Value
	}
	s.book.read(&sum, len(p.Data), s.Now())
	if len(s.letters) >= maxLetters || s.bytes >= maxLetterBytes || s.Now().Sub(s.saved) >= saveEvery {
		return s.insist(ctx, func() error { return s.save(ctx) })
	}
	return nil
}

// read has one piece mapped and stored.
func (s *Sink) read(ctx context.Context, p *Piece, letters *[]honeyguide.DeadLetter, last *eventlog.Seq) (ingest.Summary, error) {
	opts := s.feed
	opts.Piece = &ingest.Piece{Origin: p.Origin, Line: p.Line, Name: p.Stream}
	return ingest.Read(ctx, bytes.NewReader(p.Data), opts,
		func(ctx context.Context, events []honeyguide.Event) error {
			for i := range events {
				for name, v := range p.Attrs {
					if _, has := events[i].Attrs[name]; !has {
						events[i].Set(name, v)
					}
				}
			}
			seq, err := s.host.dep.Take(ctx, events)
			if err != nil {
				return err
			}
			*last = max(*last, seq)
			s.book.stored(int64(len(events)))
			return nil
		},
		func(_ context.Context, d honeyguide.DeadLetter) error {
			*letters = append(*letters, d)
			return nil
		})
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
	put := []state.Checkpoint{{Source: s.name, Key: seqKey, Seq: int64(s.seq), At: now}}
	var gone []string
	for key, value := range s.marks {
		if len(value) == 0 {
			gone = append(gone, key)
			continue
		}
		put = append(put, state.Checkpoint{Source: s.name, Key: key, Value: value, Seq: int64(s.seq), At: now})
	}
	err := s.host.dep.State.Update(ctx, func(tx state.Tx) error {
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
