package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
)

// Histogram counts matching events by time. Without other conditions than time
// and severity the counts per minute answer, and only what is less than a minute
// at both ends is looked up.
func (s *Store) Histogram(ctx context.Context, q eventlog.Query, step time.Duration) ([]eventlog.Bucket, error) {
	h, err := eventlog.NewHisto(step)
	if err != nil {
		return nil, err
	}
	c, err := newCriteria(&q)
	if err != nil {
		return nil, err
	}
	if step%time.Minute != 0 || !onlyTime(&q) {
		return s.scanHisto(ctx, c, h)
	}
	const minute = int64(time.Minute / time.Microsecond)
	from, to := int64(math.MinInt64), int64(math.MaxInt64) // in minutes
	if !q.From.IsZero() {
		from = -floorDiv(-c.from, minute)
	}
	if !q.To.IsZero() {
		to = floorDiv(c.to, minute)
	}
	if from >= to {
		return s.scanHisto(ctx, c, h)
	}
	if err := s.minutes(ctx, &q, from, to, h); err != nil {
		return nil, err
	}
	for _, edge := range edges(c, from, to, minute) {
		part := *c
		part.from, part.to = edge[0], edge[1]
		if _, err := s.scanHisto(ctx, &part, h); err != nil {
			return nil, err
		}
	}
	return h.Buckets(), nil
}

// onlyTime reports whether the counts per minute can answer.
func onlyTime(q *eventlog.Query) bool {
	rest := *q
	rest.From, rest.To, rest.Severity = time.Time{}, time.Time{}, 0
	return len(rest.Classes) == 0 && len(rest.Activities) == 0 && rest.ID == "" && rest.Sensor == "" && rest.Service == "" && rest.Session == "" &&
		!rest.Src.IsValid() && rest.Technique == "" && rest.Observable == "" && rest.Word == "" && len(rest.Attr) == 0 && len(rest.Where) == 0 &&
		rest.After == 0 && rest.Before == 0 && rest.Limit == 0
}

// edges are the parts of c's time that are no whole minutes.
func edges(c *criteria, from, to, minute int64) (out [][2]int64) {
	if c.from != math.MinInt64 && c.from < from*minute {
		out = append(out, [2]int64{c.from, from * minute})
	}
	if c.to != math.MaxInt64 && to*minute < c.to {
		out = append(out, [2]int64{to * minute, c.to})
	}
	return out
}

// minutes adds the counts per minute of [from, to).
func (s *Store) minutes(ctx context.Context, q *eventlog.Query, from, to int64, h *eventlog.Histo) error {
	v, err := s.current(ctx)
	if err != nil {
		return err
	}
	for _, d := range v.days {
		err := s.use(ctx, d.file, func(db *sql.DB) error {
			return each(ctx, db, "SELECT m, sev, c FROM minute WHERE m >= $1 AND m < $2 AND sev >= $3", func(r *sql.Rows) error {
				var m, sev, n int64
				if err := r.Scan(&m, &sev, &n); err != nil {
					return err
				}
				return h.Add(m*int64(time.Minute/time.Microsecond), honeyguide.Severity(sev), n)
			}, from, to, int64(q.Severity))
		})
		if err != nil && !errors.Is(err, errGone) {
			return fmt.Errorf("counts of day %s: %w", d.file.name, err)
		}
	}
	return nil
}

// moment is what a histogram needs of a row.
type moment struct {
	us  int64
	sev byte
}

func (s *Store) scanHisto(ctx context.Context, c *criteria, h *eventlog.Histo) ([]eventlog.Bucket, error) {
	left := c.q.Limit
	var failed error
	err := scan(ctx, s, c, s.moments(c), func(ms []moment) bool {
		for _, m := range ms {
			if failed = h.Add(m.us, honeyguide.Severity(m.sev), 1); failed != nil {
				return false
			}
			if left--; left == 0 {
				return false
			}
		}
		return true
	})
	if err = errors.Join(err, failed); err != nil {
		return nil, err
	}
	return h.Buckets(), nil
}

func (s *Store) moments(c *criteria) look[[]moment] {
	return func(ctx context.Context, cand *candidate, below eventlog.Seq) ([]moment, error) {
		h, rows, _, err := s.decide(ctx, c, cand, below)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		times, err := h.Times()
		if err != nil {
			return nil, err
		}
		sevs, err := h.Severities()
		if err != nil {
			return nil, err
		}
		out := make([]moment, 0, len(rows))
		for k := len(rows) - 1; k >= 0; k-- {
			out = append(out, moment{times[rows[k]], sevs[rows[k]]})
		}
		return out, nil
	}
}

// decide returns the rows of a block that match, ascending; the cold group only
// when it was needed.
func (s *Store) decide(ctx context.Context, c *criteria, cand *candidate, below eventlog.Seq) (*colblock.Hot, []int, *colblock.Cold, error) {
	h, rows, err := s.hotRows(ctx, c, cand, below)
	if err != nil || len(rows) == 0 || !c.cold {
		return h, rows, nil, err
	}
	cold, err := s.coldOf(ctx, h, cand)
	if err != nil {
		return nil, nil, nil, err
	}
	var row colblock.Row
	rows = keep(c.attrs(cold, rows), func(i int) bool {
		cold.Row(i, &row)
		return c.q.Match(&eventlog.Record{Seq: cand.b.lo + eventlog.Seq(i), Event: row.Event})
	})
	return h, rows, cold, nil
}

func (s *Store) coldOf(ctx context.Context, h *colblock.Hot, cand *candidate) (*colblock.Cold, error) {
	packed, err := s.blobs(ctx, cand.file, &cand.b, false, true)
	if err != nil {
		return nil, err
	}
	return s.dec.Cold(h, packed.Cold, nil)
}

// Top counts matching events by the values of a dimension.
func (s *Store) Top(ctx context.Context, q eventlog.Query, dim eventlog.Dim, k int) ([]eventlog.Count, error) {
	c, err := newCriteria(&q)
	if err != nil {
		return nil, err
	}
	var tally eventlog.Tally
	if q.Limit > 0 { // rare: only the newest count
		for r, err := range s.Find(ctx, q) {
			if err != nil {
				return nil, err
			}
			dim.Values(&r.Event, func(v string) { tally.Add(v, 1) })
		}
		return tally.Top(k), nil
	}
	err = scan(ctx, s, c, s.values(c, dim), func(part map[string]int64) bool {
		for v, n := range part {
			tally.Add(v, n)
		}
		return true
	})
	if err != nil {
		return nil, err
	}
	return tally.Top(k), nil
}

// values counts the values of one block.
func (s *Store) values(c *criteria, dim eventlog.Dim) look[map[string]int64] {
	return func(ctx context.Context, cand *candidate, below eventlog.Seq) (map[string]int64, error) {
		h, rows, cold, err := s.decide(ctx, c, cand, below)
		if err != nil || len(rows) == 0 {
			return nil, err
		}
		counts := map[string]int64{}
		if done, err := hotValues(h, dim, rows, counts); done || err != nil {
			return counts, err
		}
		if cold == nil {
			if cold, err = s.coldOf(ctx, h, cand); err != nil {
				return nil, err
			}
		}
		coldValues(cold, dim, rows, counts)
		return counts, nil
	}
}

// hotValues counts by a hot column, each distinct value once; false when the
// dimension is no hot column.
func hotValues(h *colblock.Hot, dim eventlog.Dim, rows []int, counts map[string]int64) (bool, error) {
	var col *colblock.Text
	var err error
	switch dim {
	case eventlog.DimSrc:
		col, err = h.Sources()
	case eventlog.DimSensor:
		col, err = h.Sensors()
	case eventlog.DimService:
		col, err = h.Services()
	case eventlog.DimSession:
		col, err = h.Sessions()
	case eventlog.DimActivity:
		col, err = h.Activities()
	case eventlog.DimTechnique:
		col, err = h.Techniques()
	case eventlog.DimSeverity:
		sevs, err := h.Severities()
		if err != nil {
			return false, err
		}
		for _, i := range rows {
			counts[honeyguide.Severity(sevs[i]).String()]++
		}
		return true, nil
	default:
		return false, nil
	}
	if err != nil {
		return false, err
	}
	per := make([]int64, len(col.Entries()))
	for _, i := range rows {
		per[col.Code(i)]++
	}
	for e, n := range per {
		switch b := col.Entries()[e]; {
		case n == 0 || len(b) == 0:
		case dim == eventlog.DimTechnique:
			for _, id := range colblock.SplitTechniques(b) {
				if id != "" {
					counts[id] += n
				}
			}
		default:
			counts[string(b)] += n
		}
	}
	return true, nil
}

func coldValues(cold *colblock.Cold, dim eventlog.Dim, rows []int, counts map[string]int64) {
	var row colblock.Row
	for _, i := range rows {
		switch dim {
		case eventlog.DimCountry:
			if v := cold.Country(i); v != "" {
				counts[v]++
			}
		case eventlog.DimASN:
			if n := cold.ASN(i); n != 0 {
				counts[fmt.Sprintf("AS%d", n)]++
			}
		case eventlog.DimObservable, eventlog.DimDst:
			cold.Row(i, &row)
			dim.Values(&row.Event, func(v string) { counts[v]++ })
		default:
			if v, ok := cold.Attr(i, string(dim)); ok {
				if text := eventlog.AttrText(v); text != "" {
					counts[text]++
				}
			}
		}
	}
}
