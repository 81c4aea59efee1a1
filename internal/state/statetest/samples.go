package statetest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// sum is a made-up hash.
func sum(n int) string { return fmt.Sprintf("%064x", n+1<<40) }

func sighting(n int, session string) honeyguide.Sighting {
	return honeyguide.Sighting{EventID: fmt.Sprint("event", n), Time: start.Add(time.Duration(n) * time.Minute), Session: session, Src: addr("203.0.113.7"), Path: fmt.Sprint("/tmp/f", n), Tool: "sftp"}
}

// samples: one content is one sample however often it comes, each event counts
// once, lists stay within bounds, a later look at the content is taken over.
func samples(b *bench) {
	one := honeyguide.Sample{ID: sum(1), Size: 12, Type: "elf 64-bit x86-64 executable", Kept: "yes", Indicators: []honeyguide.Observable{{Name: "c", Type: "ip", Value: "198.51.100.1"}}}
	two := honeyguide.Sample{ID: sum(2), Size: 1 << 40, Type: "script /bin/sh", Kept: "truncated"}
	b.up(func(ctx context.Context, tx state.Tx) error {
		return errors.Join(tx.Samples().Sight(ctx, one, sighting(1, "s1")), tx.Samples().Sight(ctx, one, sighting(1, "s1")),
			tx.Samples().Sight(ctx, one, sighting(2, "s2")), tx.Samples().Sight(ctx, two, sighting(3, "s2")),
			tx.Samples().Sight(ctx, honeyguide.Sample{ID: sum(2), Kept: "no: full"}, sighting(4, "")),
			tx.Samples().Ran(ctx, sum(1), "run1"), tx.Samples().Ran(ctx, sum(1), "run1"), tx.Samples().Ran(ctx, sum(9), "run2"))
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Samples().Get(ctx, strings.ToUpper(sum(1)))
		want := one
		want.FirstAt, want.LastAt, want.Count, want.Executed = sighting(1, "").Time, sighting(2, "").Time, 2, 1
		want.Paths, want.Sessions, want.Sources = []string{"/tmp/f1", "/tmp/f2"}, []string{"s1", "s2"}, []string{"203.0.113.7"}
		b.same("sample", got, want)
		if err != nil {
			return err
		}
		seen, err := tx.Samples().Sightings(ctx, sum(1))
		if len(seen) != 2 || seen[0].EventID != "event2" || seen[0].Sample != sum(1) || seen[1].Path != "/tmp/f1" {
			b.Errorf("sightings: %+v", seen)
		}
		if err != nil {
			return err
		}
		other, err := tx.Samples().Get(ctx, sum(2))
		b.same("kept and type of the second", []any{other.Kept, other.Type, other.Size, other.Count}, []any{"no: full", "script /bin/sh", int64(1 << 40), int64(2)})
		_, missing := tx.Samples().Get(ctx, sum(3))
		b.code("get of none", missing, honeyguide.CodeNotFound)
		_, missing = tx.Samples().Get(ctx, sum(1)[:20])
		b.code("get by what two begin with", missing, honeyguide.CodeNotFound)
		for _, q := range []struct {
			q    state.SampleQuery
			want []string
		}{
			{state.SampleQuery{}, []string{sum(2), sum(1)}},
			{state.SampleQuery{Type: "elf"}, []string{sum(1)}},
			{state.SampleQuery{Session: "s2"}, []string{sum(2), sum(1)}},
			{state.SampleQuery{Session: "s1"}, []string{sum(1)}},
			{state.SampleQuery{Session: "nobody"}, []string{}},
		} {
			list := pages(b, 1, func(p state.Page) ([]honeyguide.Sample, string, error) {
				q.q.Page = p
				return tx.Samples().List(ctx, q.q)
			})
			ids := []string{}
			for _, s := range list {
				ids = append(ids, s.ID)
			}
			b.same(fmt.Sprintf("list %+v", q.q), ids, q.want)
		}
		return err
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		b.code("sample without an id", tx.Samples().Sight(ctx, honeyguide.Sample{}, sighting(1, "")), honeyguide.CodeInvalid)
		return nil
	})
}

// sampleBounds: a flood of one sample and ugly words stay within bounds; what is
// old goes with its sightings.
func sampleBounds(b *bench) {
	const flood = state.KeptSightings + 20
	b.up(func(ctx context.Context, tx state.Tx) error {
		for n := range flood {
			s := sighting(n, fmt.Sprint("s", n))
			s.Path = "/tmp/\xff\x00" + strings.Repeat("x", n*8)
			if err := tx.Samples().Sight(ctx, honeyguide.Sample{ID: sum(1), Type: "data\x00"}, s); err != nil {
				return err
			}
		}
		old := sighting(flood+1, "old")
		old.Time = start.Add(-100 * 24 * time.Hour)
		return tx.Samples().Sight(ctx, honeyguide.Sample{ID: sum(2), Type: "text"}, old)
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Samples().Get(ctx, sum(1))
		if got.Count != flood || len(got.Paths) != honeyguide.MaxSampleList || len(got.Sessions) != honeyguide.MaxSampleList || got.Sessions[len(got.Sessions)-1] != fmt.Sprint("s", flood-1) {
			b.Errorf("count %d, %d paths, %d sessions", got.Count, len(got.Paths), len(got.Sessions))
		}
		seen, err2 := tx.Samples().Sightings(ctx, sum(1))
		b.same("sightings listed", len(seen), state.ListedSightings)
		return errors.Join(err, err2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		n, err := tx.Retention().Drop(ctx, start.Add(-24*time.Hour), 10)
		b.same("dropped", n, int64(1))
		_, missing := tx.Samples().Get(ctx, sum(2))
		b.code("get of what was dropped", missing, honeyguide.CodeNotFound)
		return err
	})
}
