package embedded

import (
	"context"
	"errors"
	"fmt"
	"runtime"

	"honeyguide/internal/eventlog"
)

// A candidate is a block that may hold what a query wants.
type candidate struct {
	file *dayFile
	b    block
}

// A look unpacks a candidate as far as its question needs; below bounds the
// numbers that count.
type look[T any] func(ctx context.Context, c *candidate, below eventlog.Seq) (T, error)

// scan looks into the candidates of a query from the newest to the oldest and
// hands the results over in that order until emit returns false. A few blocks
// are looked into at the same time once the first ones have not been enough.
func scan[T any](ctx context.Context, s *Store, c *criteria, do look[T], emit func(T) bool) error {
	below := c.q.Before
	for {
		v, err := s.current(ctx)
		if err != nil {
			return err
		}
		if below == 0 || below > v.last+1 {
			below = v.last + 1
		}
		again, err := scanView(ctx, s, v, c, below, do, emit)
		if err != nil || again == 0 {
			return err
		}
		below = again
	}
}

// scanView scans one view. again: the number below which to go on in a newer one,
// 0 when all is done.
func scanView[T any](ctx context.Context, s *Store, v *view, c *criteria, below eventlog.Seq, do look[T], emit func(T) bool) (again eventlog.Seq, err error) {
	type job struct {
		c   candidate
		out chan struct{} // closed when res and err are set
		res T
		err error
	}
	ctx, cancel := context.WithCancel(ctx)
	var jobs []*job
	defer func() { // nothing of ours runs on when we are gone
		cancel()
		for _, j := range jobs {
			<-j.out
		}
	}()
	width, seen := 1, 0
	start := func(cand candidate) {
		j := &job{c: cand, out: make(chan struct{})}
		jobs = append(jobs, j)
		go func() {
			defer close(j.out)
			defer func() {
				if p := recover(); p != nil { // one odd block must not end the process
					j.err = fmt.Errorf("block %d of day %s: panic: %v", j.c.b.lo, j.c.file.name, p)
				}
			}()
			j.res, j.err = do(ctx, &j.c, below)
		}()
	}
	finish := func() (more bool) {
		j := jobs[0]
		<-j.out
		jobs = jobs[1:]
		switch {
		case errors.Is(j.err, errStale):
			again = min(j.c.b.hi()+1, below)
			return false
		case errors.Is(j.err, errGone):
			return true
		case j.err != nil && s.spoilt(j.err):
			s.giveUp(j.c.file, &j.c.b, j.err)
			return true
		case j.err != nil:
			err = j.err
			return false
		}
		if seen++; seen == 2 {
			width = runtime.GOMAXPROCS(0)
		}
		return emit(j.res)
	}
	for cand := range s.candidates(ctx, v, c, below) {
		start(cand)
		if len(jobs) >= width && !finish() {
			return again, err
		}
	}
	for len(jobs) > 0 {
		if !finish() {
			return again, err
		}
	}
	return 0, ctx.Err()
}

// candidates yields the blocks that time, severity and Bloom filters leave, the
// newest first.
func (s *Store) candidates(ctx context.Context, v *view, c *criteria, below eventlog.Seq) func(func(candidate) bool) {
	return func(yield func(candidate) bool) {
		for i := len(v.days) - 1; i >= 0; i-- {
			d := v.days[i]
			if d.first >= below {
				continue
			}
			if d.next()-1 <= c.q.After {
				return
			}
			var terms []term
			for j := min(d.search(below-1), d.blocks()-1); j >= 0; j-- {
				b := d.block(j)
				if b.hi() <= c.q.After || ctx.Err() != nil {
					return
				}
				if !c.block(b) || s.bad.has(b.lo) {
					continue
				}
				if terms == nil && len(c.terms) > 0 {
					terms = c.hashes(d.file.seed())
					s.loadFilters(ctx, d.file)
					s.trimFilters(v, d.file)
				}
				if len(terms) > 0 && !mayHold(s.filter(ctx, d.file, b), b.flags, terms) {
					continue
				}
				if !yield(candidate{d.file, *b}) {
					return
				}
			}
		}
	}
}
