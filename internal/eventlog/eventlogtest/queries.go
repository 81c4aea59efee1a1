package eventlogtest

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/netip"
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
)

// testFind asks random questions and compares with asking every record.
func testFind(t *testing.T, s eventlog.Store) {
	Fill(t, s)
	CheckFind(t, s, 9, 80)
}

// Fill appends what CheckFind asks about, in batches of many sizes.
func Fill(t testing.TB, s eventlog.Log) {
	t.Helper()
	gen := NewGen(9, start.Add(-36*time.Hour), 20*time.Second)
	for _, n := range []int{1, 5, 300, 1024, 900, 40, 40, 2000, 3, 2} {
		mustAppend(t, s, eventlog.Batch{Events: gen.Some(n), Urgent: true})
	}
	mustAppend(t, s, eventlog.Batch{Events: Odd()})
}

// CheckFind compares random queries over all there is with asking every record.
func CheckFind(t testing.TB, s eventlog.Store, seed uint64, queries int) {
	t.Helper()
	all := All(t, s)
	r := rand.New(rand.NewPCG(seed, 5))
	hits := 0
	for range queries {
		q := randomQuery(r, all)
		want := naive(q, all)
		var got []eventlog.Record
		for rec, err := range s.Find(t.Context(), q) {
			if err != nil {
				t.Fatalf("find %+v: %v", q, err)
			}
			got = append(got, rec)
		}
		if d := diff(want, got); d != "" {
			t.Fatalf("find %+v: %d records, want %d:\n%s", q, len(got), len(want), d)
		}
		hits += min(len(want), 1)
		checkCounts(t, s, q, all, r)
	}
	if hits < queries/4 {
		t.Errorf("only %d of %d queries found anything: the queries are no test", hits, queries)
	}
}

func naive(q eventlog.Query, all []eventlog.Record) []eventlog.Record {
	var out []eventlog.Record
	for i := len(all) - 1; i >= 0 && (q.Limit == 0 || len(out) < q.Limit); i-- {
		if q.Match(&all[i]) {
			out = append(out, all[i])
		}
	}
	return out
}

var dims = []eventlog.Dim{
	eventlog.DimSrc, eventlog.DimCountry, eventlog.DimASN, eventlog.DimSensor, eventlog.DimService, eventlog.DimSession, eventlog.DimActivity,
	eventlog.DimTechnique, eventlog.DimSeverity, eventlog.DimObservable, honeyguide.AttrUser, honeyguide.AttrStatus, "a", "absent",
}

func checkCounts(t testing.TB, s eventlog.Store, q eventlog.Query, all []eventlog.Record, r *rand.Rand) {
	t.Helper()
	step := []time.Duration{time.Hour, time.Minute, 90 * time.Second, 24 * time.Hour}[r.IntN(4)]
	dim := dims[r.IntN(len(dims))]
	histo, err := eventlog.NewHisto(step)
	if err != nil {
		t.Fatal(err)
	}
	var tally eventlog.Tally
	for _, rec := range naive(q, all) {
		if err := histo.Add(rec.Event.Time.UnixMicro(), rec.Event.Severity, 1); err != nil {
			t.Fatal(err)
		}
		dim.Values(&rec.Event, func(v string) { tally.Add(v, 1) })
	}
	buckets, err := s.Histogram(t.Context(), q, step)
	if d := diff(histo.Buckets(), buckets); err != nil || d != "" {
		t.Fatalf("histogram %v of %+v: %v\n%s", step, q, err, d)
	}
	top, err := s.Top(t.Context(), q, dim, 7)
	if d := diff(tally.Top(7), top); err != nil || d != "" {
		t.Fatalf("top %s of %+v: %v\n%s", dim, q, err, d)
	}
}

// randomQuery asks for values of a record there is, mostly.
func randomQuery(r *rand.Rand, all []eventlog.Record) eventlog.Query {
	rec := all[r.IntN(len(all))]
	e := &rec.Event
	var q eventlog.Query
	for range r.IntN(3) {
		switch r.IntN(18) {
		case 0:
			q.From = e.Time
		case 1:
			q.To = e.Time.Truncate(time.Minute)
		case 2:
			q.Severity = e.Severity
		case 3:
			q.Classes = []honeyguide.Class{e.Class, honeyguide.ClassFile}
		case 4:
			q.Activities = []string{e.Activity}
		case 5:
			q.ID = e.ID
		case 6:
			q.Sensor, q.Service = e.Sensor, e.Service
		case 7:
			q.Session = e.Session
		case 8:
			if a := e.Src.Addr.Addr(); a.IsValid() {
				q.Src = netip.PrefixFrom(a.WithZone(""), []int{a.BitLen(), 8}[r.IntN(2)])
			}
		case 9:
			if len(e.Attacks) > 0 {
				id := e.Attacks[0].ID
				q.Technique = id[:min(len(id), 5+4*r.IntN(2))]
			}
		case 10:
			if len(e.Observables) > 0 {
				q.Observable = e.Observables[0].Value
			}
		case 11:
			q.Word = []string{"CMD", "wget bins.sh", "xmrig", "absent-word", e.Src.Addr.Addr().String(), "ecchi", "port"}[r.IntN(7)]
		case 12:
			for name, v := range e.Attrs {
				q.Attr = map[string]string{name: eventlog.AttrText(v)}
				break
			}
		case 13:
			q.After = rec.Seq
		case 14:
			q.Before = rec.Seq
		case 15:
			q.Limit = 1 + r.IntN(30)
		case 16, 17:
			q.Where = append(q.Where, randomFilter(r, e))
		}
	}
	if r.IntN(20) == 0 {
		q.Session = "no such session"
	}
	return q
}

// randomFilter asks for a value of an event, mostly.
func randomFilter(r *rand.Rand, e *honeyguide.Event) eventlog.Filter {
	f := eventlog.Filter{Dim: append(dims, eventlog.DimDst, honeyguide.AttrCommand)[r.IntN(len(dims)+2)], Op: eventlog.Op(r.IntN(5)), Not: r.IntN(3) == 0}
	f.Dim.Values(e, func(v string) { f.Text = v })
	switch {
	case f.Op == eventlog.OpNet:
		f.Dim, f.Net = eventlog.DimDst, netip.MustParsePrefix("192.0.2.0/24")
	case f.Op == eventlog.OpPattern && len(f.Text) > 3:
		f.Text = "*" + f.Text[1:3] + "*"
	}
	return f
}

func testQueryErrors(t *testing.T, s eventlog.Store) {
	mustAppend(t, s, eventlog.Batch{Events: NewGen(10, start, time.Second).Some(20)})
	for _, q := range []eventlog.Query{{Word: "?!"}, {Limit: -1}} {
		for _, err := range s.Find(t.Context(), q) {
			if !errors.Is(err, eventlog.ErrQuery) {
				t.Errorf("find %+v: %v", q, err)
			}
		}
		if _, err := s.Top(t.Context(), q, eventlog.DimSrc, 3); !errors.Is(err, eventlog.ErrQuery) {
			t.Errorf("top %+v: %v", q, err)
		}
	}
	if _, err := s.Histogram(t.Context(), eventlog.Query{}, time.Millisecond); !errors.Is(err, eventlog.ErrQuery) {
		t.Errorf("histogram: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, err := range s.Find(ctx, eventlog.Query{}) {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("find with a cancelled context: %v", err)
		}
	}
}

func testRetention(t *testing.T, open Open) {
	c := newClock(start)
	s := open(t, Env{Dir: t.TempDir(), Now: c.now})
	defer closeLog(t, s)
	for day := range 4 {
		at := start.AddDate(0, 0, day)
		c.set(at)
		late := NewGen(uint64(day), at.Add(-time.Hour), time.Second).Some(300)
		if day == 1 { // an event from the future keeps its day
			late[17].Time = start.AddDate(0, 0, 2)
		}
		mustAppend(t, s, eventlog.Batch{Events: late, Urgent: true})
	}
	for _, c := range []struct {
		before time.Time
		want   []string
		first  eventlog.Seq
	}{
		{start, nil, 1},
		{start.AddDate(0, 0, 1), []string{"2026-03-14"}, 301},
		{start.AddDate(0, 0, 1), nil, 301},
		{start.AddDate(0, 0, 2).Truncate(24 * time.Hour), nil, 301},
		{start.AddDate(0, 0, 9), []string{"2026-03-15", "2026-03-16"}, 901},
	} {
		got, err := s.Drop(t.Context(), c.before)
		if err != nil || !slices.Equal(got, c.want) {
			t.Fatalf("drop before %v: %v, %v, want %v", c.before, got, err, c.want)
		}
		if first, _, _ := s.Ends(t.Context()); first != c.first {
			t.Fatalf("first = %d, want %d", first, c.first)
		}
	}
	if _, err := s.Read(t.Context(), 600, 10); !errors.Is(err, eventlog.ErrTrimmed) {
		t.Errorf("read of dropped events: %v", err)
	}
	if recs := All(t, s); len(recs) != 300 || recs[0].Seq != 901 {
		t.Errorf("%d records left", len(recs))
	}
	CheckFind(t, s, 3, 20)
	for _, err := range s.Find(t.Context(), eventlog.Query{Before: 300}) {
		t.Errorf("found something dropped: %v", err)
	}
}

// testClock steps the clock across days both ways: order and numbers hold.
func testClock(t *testing.T, open Open) {
	c := newClock(start)
	s := open(t, Env{Dir: t.TempDir(), Now: c.now})
	defer closeLog(t, s)
	n := 0
	for _, days := range []int{0, 1, 0, -1, 1, 2, 9, 9, 3, 10} {
		c.set(start.AddDate(0, 0, days))
		for range 3 {
			e := honeyguide.Event{Time: c.now(), Session: fmt.Sprint(n)}
			mustAppend(t, s, eventlog.Batch{Events: []honeyguide.Event{e}, Urgent: true})
			n++
		}
	}
	recs := All(t, s)
	for i, r := range recs {
		if r.Event.Session != fmt.Sprint(i) || r.Seq != eventlog.Seq(i+1) {
			t.Fatalf("record %d is %s", r.Seq, r.Event.Session)
		}
	}
	if len(recs) != n || !slices.IsSortedFunc(recs, func(a, b eventlog.Record) int { return cmp.Compare(a.Seq, b.Seq) }) {
		t.Errorf("%d records, want %d", len(recs), n)
	}
	CheckFind(t, s, 4, 20)
}
