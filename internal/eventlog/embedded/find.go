package embedded

import (
	"context"
	"iter"

	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

// Find yields matching records, newest first.
func (s *Store) Find(ctx context.Context, q eventlog.Query) iter.Seq2[eventlog.Record, error] {
	return func(yield func(eventlog.Record, error) bool) {
		c, err := newCriteria(&q)
		if err != nil {
			yield(eventlog.Record{}, err)
			return
		}
		found, stopped := 0, false
		err = scan(ctx, s, c, s.matches(c), func(recs []eventlog.Record) bool {
			for i := range recs {
				found++
				if !yield(recs[i], nil) {
					stopped = true
				}
				if stopped || found == q.Limit {
					return false
				}
			}
			return true
		})
		if err != nil && !stopped {
			yield(eventlog.Record{}, err)
		}
	}
}

// matches looks for the records of a block that match, newest first, no more than
// the limit.
func (s *Store) matches(c *criteria) look[[]eventlog.Record] {
	return func(ctx context.Context, cand *candidate, below eventlog.Seq) ([]eventlog.Record, error) {
		rows, cold, err := s.narrow(ctx, c, cand, below)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		var out []eventlog.Record
		var row colblock.Row
		for k := len(rows) - 1; k >= 0 && (c.q.Limit == 0 || len(out) < c.q.Limit); k-- {
			cold.Row(rows[k], &row)
			r := eventlog.Record{Seq: cand.b.lo + eventlog.Seq(rows[k]), Event: row.Event}
			if c.event(&r) {
				out = append(out, r)
			}
		}
		return out, nil
	}
}

// IDs yields the ids of the newest events that have an attribute. It unpacks no
// raw records and makes no events.
func (s *Store) IDs(ctx context.Context, attr string, most int) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		c, err := newCriteria(&eventlog.Query{})
		if err != nil {
			yield("", err)
			return
		}
		type ids struct {
			list   []string
			looked int
		}
		look := func(ctx context.Context, cand *candidate, below eventlog.Seq) (out ids, err error) {
			h, rows, err := s.hotRows(ctx, c, cand, below)
			if err != nil || len(rows) == 0 {
				return out, err
			}
			packed, err := s.blobs(ctx, cand.file, &cand.b, false, true)
			if err != nil {
				return out, err
			}
			cold, err := s.dec.Cold(h, packed.Cold, nil)
			if err != nil {
				return out, err
			}
			out.looked = len(rows)
			for k := len(rows) - 1; k >= 0 && len(out.list) < most; k-- {
				if _, ok := cold.Attr(rows[k], attr); ok {
					out.list = append(out.list, cold.ID(rows[k]))
				}
			}
			return out, nil
		}
		looked, stopped := 0, false
		err = scan(ctx, s, c, look, func(x ids) bool {
			for _, id := range x.list {
				if stopped = !yield(id, nil); stopped {
					return false
				}
			}
			looked += x.looked
			return looked < most
		})
		if err != nil && !stopped {
			yield("", err)
		}
	}
}

// narrow returns the rows hot columns and attributes leave, and the cold group to
// make events from.
func (s *Store) narrow(ctx context.Context, c *criteria, cand *candidate, below eventlog.Seq) ([]int, *colblock.Cold, error) {
	h, rows, err := s.hotRows(ctx, c, cand, below)
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	packed, err := s.blobs(ctx, cand.file, &cand.b, false, true)
	if err != nil {
		return nil, nil, err
	}
	cold, err := s.dec.Cold(h, packed.Cold, packed.Raw)
	if err != nil {
		return nil, nil, err
	}
	return c.attrs(cold, rows), cold, nil
}

// hotRows reads the hot group and returns the rows it leaves.
func (s *Store) hotRows(ctx context.Context, c *criteria, cand *candidate, below eventlog.Seq) (*colblock.Hot, []int, error) {
	packed, err := s.blobs(ctx, cand.file, &cand.b, true, false)
	if err != nil {
		return nil, nil, err
	}
	h, err := s.dec.Hot(packed.N, packed.Hot)
	if err != nil {
		return nil, nil, err
	}
	rows, err := c.rows(h, cand.b.lo, below)
	return h, rows, err
}
