package live

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// row is the n-th change of a row.
func row(topic int, kind Kind, id string) change {
	return change{topic: topic, kind: kind, id: id, short: "A-" + id, row: map[string]string{"id": id}, size: 20}
}

func attach(t *testing.T, h *Hub, last int64, want ...Topic) (*Reader, context.Context, bool) {
	t.Helper()
	r, ctx, reset, err := h.Attach(t.Context(), want, last, "somebody")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(r.Close)
	return r, ctx, reset
}

func ids(list []Message) (out []string) {
	for _, m := range list {
		out = append(out, string(m.Kind)+" "+m.ID)
	}
	return out
}

func TestOneRowIsToldOnceHoweverOftenItChanged(t *testing.T) {
	h := NewHub(Options{First: 100})
	r, ctx, _ := attach(t, h, 0, Alerts)
	h.publish(1, []change{row(topicAlerts, New, "1"), row(topicAlerts, New, "2")})
	h.publish(2, []change{row(topicIncidents, New, "x"), row(topicAlerts, Changed, "1")})
	b, err := r.Next(ctx, time.Second)
	if got, want := ids(b.Messages), []string{"new 2", "new 1"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if b.ID != 104 {
		t.Errorf("the batch is %d, want 104", b.ID)
	}
	h.publish(3, []change{row(topicAlerts, Changed, "1"), row(topicAlerts, Changed, "1")})
	if b, _ = r.Next(ctx, time.Second); !slices.Equal(ids(b.Messages), []string{"changed 1"}) {
		t.Errorf("got %q", ids(b.Messages))
	}
}

func TestWhoCommittedFirstMayComeLast(t *testing.T) {
	h := NewHub(Options{First: 100})
	r, ctx, _ := attach(t, h, 0, Alerts)
	newer := row(topicAlerts, Changed, "1")
	newer.row = "newer"
	h.publish(2, []change{newer})
	h.publish(1, []change{row(topicAlerts, New, "1")})
	b, _ := r.Next(ctx, time.Second)
	if len(b.Messages) != 1 || b.Messages[0].Kind != New || string(b.Messages[0].Row) != `"newer"` {
		t.Errorf("got %+v", b.Messages)
	}
}

func TestSlowListenersGetASummary(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(Options{First: 100})
		slow, ctx, _ := attach(t, h, 0, Alerts)
		quick, quickCtx, _ := attach(t, h, 0, Alerts)
		h.publish(1, []change{row(topicAlerts, New, "1"), row(topicRuns, New, "r")})
		if b, _ := quick.Next(quickCtx, time.Second); len(b.Messages) != 1 {
			t.Errorf("the quick one got %+v", b)
		}
		time.Sleep(MaxAge + time.Millisecond)
		b, err := slow.Next(ctx, time.Second)
		if err != nil || b.Summary == nil || b.Summary.From != 101 || b.Summary.To != 102 || b.Summary.Counts[Alerts] != 1 || len(b.Summary.Counts) != 1 {
			t.Errorf("got %+v, %v", b, err)
		}
		var many []change
		for n := range MaxLag + 1 {
			many = append(many, row(topicAlerts, New, fmt.Sprint("m", n)))
		}
		h.publish(2, many)
		if b, _ = slow.Next(ctx, time.Second); b.Summary == nil || b.Summary.Counts[Alerts] != MaxLag+1 || b.ID != h.Head() {
			t.Errorf("got %+v", b.Summary)
		}
		if b, _ = slow.Next(ctx, time.Second); b.Summary != nil || len(b.Messages) != 0 || b.ID != h.Head() {
			t.Errorf("got %+v", b)
		}
	})
}

func TestTheRingIsBounded(t *testing.T) {
	h := NewHub(Options{First: 100})
	for n := range 30_000 {
		h.publish(uint64(n+1), []change{row(n%3, New, fmt.Sprint(n))})
	}
	if h.head != 30_100 || h.floor != 20_100 || len(h.rows) != Kept {
		t.Errorf("head %d, floor %d, %d rows", h.head, h.floor, len(h.rows))
	}
	large := row(topicAlerts, New, "large")
	large.size = keptBytes / 4
	for n := range 9 {
		large.id = fmt.Sprint("large", n)
		h.publish(uint64(40_000+n), []change{large})
	}
	if h.bytes > keptBytes {
		t.Errorf("%d bytes are kept", h.bytes)
	}
	var flood []change
	for n := range 3*Kept + 7 {
		flood = append(flood, row(topicAlerts, New, fmt.Sprint("f", n)))
	}
	h.publish(50_000, flood)
	if h.head != 30_109+3*Kept+7 || h.floor != h.head-Kept || len(h.rows) != Kept || h.bytes != Kept*20 {
		t.Errorf("after a flood: head %d, floor %d, %d rows, %d bytes", h.head, h.floor, len(h.rows), h.bytes)
	}
	// Who was at the floor loses nothing, who was before it does not get the rest
	// passed off as all.
	r, ctx, reset := attach(t, h, h.floor, Alerts)
	n := 0
	for n < Kept {
		b, err := r.Next(ctx, time.Second)
		if err != nil || b.Summary != nil || len(b.Messages) == 0 {
			t.Fatalf("after %d: %+v, %v", n, b.Summary, err)
		}
		n += len(b.Messages)
	}
	if reset || n != Kept {
		t.Errorf("reset %v, replayed %d", reset, n)
	}
	if _, _, reset := attach(t, h, h.floor-1, Alerts); !reset {
		t.Error("a listener that lost one message was not told")
	}
}

func TestStreamsAreCountedAndEnd(t *testing.T) {
	h := NewHub(Options{})
	var readers []*Reader
	for range MaxOwn {
		r, _, _ := attach(t, h, 0, Alerts)
		readers = append(readers, r)
	}
	if _, _, _, err := h.Attach(t.Context(), nil, 0, "somebody"); !errors.Is(err, ErrTooMany) {
		t.Errorf("got %v", err)
	}
	readers[0].Close()
	readers[0].Close()
	r, ctx, _ := attach(t, h, 0, Alerts)
	h.Revoked("somebody else")
	if ctx.Err() != nil {
		t.Error("the wrong stream ended")
	}
	h.Revoked("somebody")
	if _, err := r.Next(ctx, time.Minute); !errors.Is(err, ErrRevoked) {
		t.Errorf("got %v", err)
	}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	if err := h.Run(stopped); err != nil {
		t.Error(err)
	}
	if _, _, _, err := h.Attach(t.Context(), nil, 0, "another"); !errors.Is(err, ErrStopped) {
		t.Errorf("got %v", err)
	}
}

func TestSecondsTellWhereEventsComeFrom(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := NewHub(Options{})
		event := honeyguide.Event{Severity: honeyguide.SeverityHigh, Activity: "login", Src: honeyguide.Endpoint{Country: "NL"}}
		h.Saw([]honeyguide.Event{event}) // nobody listens
		r, ctx, _ := attach(t, h, 0, Events)
		run, stop := context.WithCancel(t.Context())
		go func() { _ = h.Run(run) }()
		many := make([]honeyguide.Event, 50)
		for i := range many {
			many[i] = honeyguide.Event{Severity: honeyguide.SeverityLow, Activity: "scan", Src: honeyguide.Endpoint{Country: "=cmd"}}
		}
		h.Saw(append(many, event))
		b, err := r.Next(ctx, 3*time.Second)
		if err != nil || len(b.Messages) != 1 {
			t.Fatalf("got %+v, %v", b, err)
		}
		got := string(b.Messages[0].Row)
		for _, want := range []string{`"events":51`, `"counts":[{"severity":"low","events":50},{"country":"NL","severity":"high","events":1}]`, `"severity":"high","activity":"login"`} {
			if !strings.Contains(got, want) {
				t.Errorf("%s is not in %s", want, got)
			}
		}
		stop()
		synctest.Wait()
	})
}

func TestNumbersGrowOverRestarts(t *testing.T) {
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	now := time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)
	var before int64
	for _, at := range []time.Time{now, now.Add(time.Second), now.Add(-time.Hour), now.Add(-2 * time.Hour), now.AddDate(1, 0, 0)} {
		first, err := Reserve(t.Context(), store, at)
		if err != nil || first <= before || first >= 1<<53 {
			t.Errorf("at %v: %d after %d, %v", at, first, before, err)
		}
		before = first
	}
}

func TestWatchTellsAfterTheCommitOnly(t *testing.T) {
	inner, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer inner.Close()
	h := NewHub(Options{First: 100})
	store := Watch(inner, h)
	ctx := t.Context()
	save := func(tx state.Tx) error {
		in := honeyguide.Incident{Key: "attacker:1", Title: "bad \xff byte"}
		_, err1 := tx.Incidents().Save(ctx, &in)
		run := honeyguide.Run{Incident: in.ID, Steps: []honeyguide.RunStep{{Name: "one"}}}
		err2 := tx.Runs().Save(ctx, &run)
		run.Steps[0].Name = "changed by its owner"
		_, err3 := tx.Alerts().SaveAll(ctx, []honeyguide.Alert{{Title: "a", DedupeKey: "a"}, {Title: "b", DedupeKey: "b"}})
		return errors.Join(err1, err2, err3, tx.Sessions().Save(ctx, &honeyguide.Session{ID: "s"}), tx.Notices().Save(ctx, &honeyguide.Notice{ID: "n", State: honeyguide.NoticeQueued}))
	}
	failed := errors.New("failed")
	if err := store.Update(ctx, func(tx state.Tx) error { return errors.Join(save(tx), failed) }); !errors.Is(err, failed) {
		t.Fatal(err)
	}
	if h.Head() != 100 {
		t.Fatal("a transaction that failed was told")
	}
	r, in, _ := attach(t, h, 0, Topics()...)
	if err := store.Update(ctx, save); err != nil {
		t.Fatal(err)
	}
	b, err := r.Next(in, time.Second)
	if err != nil || len(b.Messages) != 6 {
		t.Fatalf("got %+v, %v", b, err)
	}
	for _, m := range b.Messages {
		if m.Kind != New || strings.Contains(string(m.Row), "changed by its owner") || strings.Contains(string(m.Row), "\xff") || strings.Contains(string(m.Row), `"plans":null`) {
			t.Errorf("%s is %s: %s", m.Topic, m.Kind, m.Row)
		}
	}
	err = store.Update(ctx, func(tx state.Tx) error {
		_, changed, err := tx.Verdicts().Pass(ctx, "A-1", honeyguide.Verdict{As: honeyguide.VerdictBenign, By: "jo", At: time.Now()})
		if !changed {
			err = errors.Join(err, errors.New("nothing changed"))
		}
		return errors.Join(err, tx.Sessions().Save(ctx, &honeyguide.Session{ID: "s", Commands: 1}))
	})
	if b, _ = r.Next(in, time.Second); err != nil || !slices.Equal(ids(b.Messages), []string{"changed " + b.Messages[0].ID, "changed s"}) {
		t.Errorf("got %q, %v", ids(b.Messages), err)
	}
}

// What publishing costs the pipeline for each alert it writes.
func BenchmarkPublish(b *testing.B) {
	h := NewHub(Options{})
	list := make([]honeyguide.Alert, 1000)
	for i := range list {
		list[i] = honeyguide.Alert{ID: fmt.Sprint(i), Short: "A-1", Title: "t", Evidence: make([]honeyguide.Evidence, 10)}
	}
	for b.Loop() {
		t := &tx{ticket: h.ticket.Add(1)}
		for i := range list {
			t.alert(&list[i], false)
		}
		h.publish(t.ticket, t.changes)
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*len(list)), "ns/alert")
}
