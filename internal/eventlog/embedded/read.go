package embedded

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

const (
	defaultRead = 1000
	maxRead     = 1 << 14 // records of one Read
	pollEvery   = 200 * time.Millisecond
)

// Read returns records after pos.
func (s *Store) Read(ctx context.Context, pos eventlog.Seq, n int) ([]eventlog.Record, error) {
	if n <= 0 {
		n = defaultRead
	}
	n = min(n, maxRead)
	for {
		v, err := s.current(ctx)
		if err != nil {
			return nil, err
		}
		if pos+1 < v.first() {
			return nil, fmt.Errorf("%w: event %d is wanted, %d is the first there is", eventlog.ErrTrimmed, pos+1, v.first())
		}
		if pos >= v.last {
			if err := s.await(ctx, v); err != nil {
				return nil, err
			}
			continue
		}
		recs, upTo, err := s.collect(ctx, v, pos, n)
		switch {
		case errors.Is(err, errStale) || errors.Is(err, errGone):
			if err := ctx.Err(); err != nil {
				return nil, err
			}
		case err != nil:
			return nil, err
		case len(recs) > 0:
			return recs, nil
		default: // all of it was spoilt
			pos = upTo
		}
	}
}

// await waits for a newer view. Another process' writes are found by looking.
func (s *Store) await(ctx context.Context, v *view) error {
	var poll <-chan time.Time
	if s.readOnly {
		t := time.NewTimer(pollEvery)
		defer t.Stop()
		poll = t.C
	}
	select {
	case <-v.wake:
	case <-poll:
	case <-ctx.Done():
		return ctx.Err()
	}
	return nil
}

// collect gathers up to n records after pos and says up to which number it
// looked.
func (s *Store) collect(ctx context.Context, v *view, pos eventlog.Seq, n int) ([]eventlog.Record, eventlog.Seq, error) {
	var out []eventlog.Record
	for pos < v.last && len(out) < n {
		if oldest := v.last + 1 - eventlog.Seq(len(v.recent)); pos+1 >= oldest {
			for _, row := range v.recent[pos+1-oldest:] {
				if len(out) == n {
					break
				}
				pos++
				out = append(out, eventlog.Record{Seq: pos, Event: row.Event})
			}
			continue
		}
		d := v.days[v.dayOf(pos+1)]
		i := d.search(pos + 1)
		if i == d.blocks() { // numbers were lost with a file
			pos = d.next() - 1
			continue
		}
		recs, err := s.unpack(ctx, d.file, d.block(i))
		if err != nil && s.spoilt(err) {
			s.giveUp(d.file, d.block(i), err)
			pos = d.block(i).hi()
			continue
		}
		if err != nil {
			if len(out) > 0 { // the caller has something to do; it will be back
				return out, pos, nil
			}
			return nil, pos, err
		}
		if at := int(pos + 1 - recs[0].Seq); at > 0 {
			recs = recs[at:]
		}
		recs = recs[:min(n-len(out), len(recs))]
		out = append(out, recs...)
		pos = recs[len(recs)-1].Seq
	}
	return out, pos, nil
}

// rows unpacks a block.
func (s *Store) rows(ctx context.Context, f *dayFile, b *block) ([]colblock.Row, error) {
	if s.bad.has(b.lo) {
		return nil, fmt.Errorf("block %d was given up: %w", b.lo, colblock.ErrCorrupt)
	}
	packed, err := s.blobs(ctx, f, b, true, true)
	if err != nil {
		return nil, err
	}
	return s.dec.Rows(packed)
}

// unpack returns the records of a block, from memory when it was read lately.
func (s *Store) unpack(ctx context.Context, f *dayFile, b *block) ([]eventlog.Record, error) {
	if recs := s.unpacked.get(b); recs != nil {
		return recs, nil
	}
	rows, err := s.rows(ctx, f, b)
	if err != nil {
		return nil, err
	}
	recs := make([]eventlog.Record, len(rows))
	for i := range rows {
		recs[i] = eventlog.Record{Seq: b.lo + eventlog.Seq(i), Event: rows[i].Event}
	}
	s.unpacked.put(recs)
	return recs, nil
}

// unpackedCache keeps the blocks read last: a consumer that reads less than a
// block at a time does not unpack it again.
type unpackedCache struct {
	mu   sync.Mutex
	max  int
	list [][]eventlog.Record // used longest ago first
}

func (c *unpackedCache) get(b *block) []eventlog.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i, recs := range c.list {
		if recs[0].Seq == b.lo && len(recs) == int(b.n) {
			c.list = append(slices.Delete(c.list, i, i+1), recs)
			return recs
		}
	}
	return nil
}

func (c *unpackedCache) put(recs []eventlog.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.list = append(c.list, recs)
	if len(c.list) > c.max {
		c.list = slices.Delete(c.list, 0, len(c.list)-c.max)
	}
}

// badBlocks are the blocks that were given up: number and how many events.
type badBlocks struct {
	mu  sync.Mutex
	all map[eventlog.Seq]int
}

func (b *badBlocks) has(lo eventlog.Seq) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, ok := b.all[lo]
	return ok
}

func (b *badBlocks) add(lo eventlog.Seq, n int) (isNew bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if _, ok := b.all[lo]; ok {
		return false
	}
	if b.all == nil {
		b.all = map[eventlog.Seq]int{}
	}
	b.all[lo] = n
	return true
}

func (b *badBlocks) copy() map[eventlog.Seq]int {
	b.mu.Lock()
	defer b.mu.Unlock()
	out := make(map[eventlog.Seq]int, len(b.all))
	for lo, n := range b.all {
		out[lo] = n
	}
	return out
}

// giveUp leaves a spoilt block out from now on: counted, said in the log once,
// and left in its file.
func (s *Store) giveUp(f *dayFile, b *block, cause error) {
	if !s.bad.add(b.lo, int(b.n)) {
		return
	}
	s.met.corrupt.Add(1)
	s.log.Error("block cannot be read and is left out", "day", f.name, "from", int64(b.lo), "to", int64(b.hi()), "error", cause)
	if !s.readOnly {
		s.gap(int(b.n), fmt.Sprintf("events %d to %d of day %s cannot be read: %v", b.lo, b.hi(), f.name, cause), map[eventlog.Seq]int{b.lo: int(b.n)})
	}
}
