package notice

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// The target is down for a day: nothing is lost, nothing is sent twice, and it is
// not hammered meanwhile.
func TestDownForADay(t *testing.T) {
	r := newRig(t, with(func(c *Config) { c.Rate = 1000 }), "chat")
	down := true
	r.out["chat"].fail = func(respond.Message) error {
		if down {
			return errors.New("connection refused")
		}
		return nil
	}
	want := 0
	for hour := range 24 {
		for n := range 4 {
			want++
			r.post(honeyguide.Notice{ID: fmt.Sprintf("n%02d.%d", hour, n), Severity: honeyguide.SeverityHigh, Title: fmt.Sprint("title ", hour, n)})
		}
		r.pass(time.Hour, 5*time.Minute)
	}
	if tries := r.out["chat"].tries; tries > 24*60/4 {
		t.Errorf("tried %d times in a day that it was down", tries)
	}
	down = false
	r.pass(2*time.Hour, time.Minute)
	seen := map[string]int{}
	for _, m := range r.out["chat"].got {
		seen[m.ID]++
	}
	for _, n := range r.all() {
		if seen[n.ID] != 1 || n.State != honeyguide.NoticeSent || n.Error != "" {
			t.Errorf("%s was sent %d times: %+v", n.ID, seen[n.ID], n)
		}
	}
	if len(seen) != want {
		t.Errorf("%d notices sent, want %d", len(seen), want)
	}
	t.Logf("%d notices, %d tries while it was down a day", want, r.out["chat"].tries-want)
}

// What cannot be mended is given up at once, what is too old in the end; both are
// kept, seen, and go out by hand.
func TestDeadLetters(t *testing.T) {
	r := newRig(t, with(func(c *Config) { c.MaxAge = 2 * time.Hour }), "chat")
	r.out["chat"].fail = func(m respond.Message) error {
		switch m.ID {
		case "bad":
			return respond.Permanent(errors.New("invalid_payload"))
		case "old":
			return errors.New("500")
		case "odd":
			panic("odd")
		}
		return nil
	}
	for _, id := range []string{"bad", "good", "odd", "old"} {
		r.post(high(id, id))
	}
	r.work()
	r.equal("at once", r.states(), "bad=dead good=sent odd=queued old=queued")
	r.pass(5*time.Hour, time.Minute)
	r.equal("later", r.states(), "bad=dead good=sent odd=dead old=dead")
	if n := r.get("old"); n.Error != "500" || n.Attempts < 8 || n.FailedAt.IsZero() {
		t.Errorf("%+v", n)
	}
	if n := r.get("odd"); !strings.Contains(n.Error, "panic: odd") {
		t.Errorf("%+v", n)
	}
	if got := r.box.dead.With("chat").Value(); got != 3 {
		t.Errorf("counted %v", got)
	}
	r.out["chat"].fail = nil
	for _, id := range []string{"bad", "odd", "old"} {
		if _, err := r.box.Retry(t.Context(), id, "ann"); err != nil {
			t.Fatal(err)
		}
	}
	r.work()
	r.equal("by hand", r.states(), "bad=sent good=sent odd=sent old=sent")
	// After the last attempt it is over, however young.
	r = newRig(t, with(func(c *Config) { c.Attempts = 3 }), "chat")
	r.out["chat"].fail = func(respond.Message) error { return errors.New("500") }
	r.post(high("a", "a"))
	r.pass(time.Hour, time.Minute)
	if n := r.get("a"); n.State != honeyguide.NoticeDead || n.Attempts != 3 {
		t.Errorf("%+v", n)
	}
}

// Another side that asks to be left alone is, by the whole channel.
func TestRetryAfter(t *testing.T) {
	r := newRig(t, Defaults(), "chat", "mail")
	r.out["chat"].fail = func(respond.Message) error {
		if r.now.Sub(noon) < 30*time.Minute {
			return respond.Later(errors.New("429"), 30*time.Minute)
		}
		return nil
	}
	for _, id := range []string{"a", "b", "c"} {
		r.post(high(id, id))
	}
	r.work()
	r.pass(29*time.Minute, 15*time.Second)
	if got := r.out["chat"].tries; got != 1 {
		t.Errorf("%d tries within the time it asked for", got)
	}
	if got := len(r.out["mail"].got); got != 3 {
		t.Errorf("another channel sent %d", got)
	}
	list, _ := r.box.Channels(t.Context())
	if list[0].State != StateFailing || !list[0].Until.Equal(noon.Add(30*time.Minute)) {
		t.Errorf("%+v", list[0])
	}
	r.pass(2*time.Minute, 15*time.Second)
	if got := len(r.out["chat"].got); got != 3 {
		t.Errorf("%d were sent", got)
	}
}

// The process ends while a message is on its way: that is nobody's failure.
func TestStopIsNoFailure(t *testing.T) {
	r := newRig(t, Defaults(), "chat")
	r.post(high("a", "a"))
	ctx, cancel := context.WithCancel(t.Context())
	r.out["chat"].fail = func(respond.Message) error { cancel(); return context.Canceled }
	if _, err := r.box.channels["chat"].step(ctx); err != nil && ctx.Err() == nil {
		t.Fatal(err)
	}
	if n := r.get("a"); n.State != honeyguide.NoticeQueued || n.Attempts != 0 || n.Error != "" {
		t.Errorf("%+v", n)
	}
}

// Digests gather what is not urgent; a line break in a title forges no line.
func TestDigest(t *testing.T) {
	r := newRig(t, with(func(c *Config) {
		c.Channels = map[string]Channel{"chat": {Digest: Digest{Every: "daily 18:00"}}}
	}), "chat")
	say := func(id string, s honeyguide.Severity, title string) {
		r.post(honeyguide.Notice{ID: id, Severity: s, Title: title})
	}
	say("a", honeyguide.SeverityLow, "a scan\n2026-03-04 12:00  critical: forged")
	say("b", honeyguide.SeverityLow, "a scan\n2026-03-04 12:00  critical: forged")
	say("c", honeyguide.SeverityInformational, "\x1b[31mred")
	say("d", honeyguide.SeverityHigh, "urgent")
	r.pass(5*time.Hour+59*time.Minute, time.Minute)
	r.equal("before", r.out["chat"].titles(), []string{"urgent"})
	r.pass(time.Hour, time.Minute)
	got := r.out["chat"].got
	if len(got) != 2 || got[1].Title != "2 notices, the worst is low" || got[1].Severity != honeyguide.SeverityLow || got[1].Key != got[1].ID {
		t.Fatalf("%+v", got)
	}
	want := "2026-03-04 12:00  low: a scan\\n2026-03-04 12:00  critical: forged (2 times)\n2026-03-04 12:00  informational: \\x1b[31mred\n"
	if got[1].Text != want {
		t.Errorf("got  %q\nwant %q", got[1].Text, want)
	}
	if n := r.get("a"); n.State != honeyguide.NoticeDigested || n.Ref != got[1].ID || !n.SentAt.IsZero() {
		t.Errorf("%+v", n)
	}
	// One alone is sent as it is; one that becomes urgent does not wait.
	say("e", honeyguide.SeverityLow, "alone")
	r.pass(24*time.Hour, time.Minute)
	r.equal("alone", r.out["chat"].titles()[2:], []string{"alone"})
	say("f", honeyguide.SeverityLow, "grows")
	r.pass(time.Minute, time.Minute)
	r.post(honeyguide.Notice{ID: "g", Key: "grows", Severity: honeyguide.SeverityHigh, Title: "has grown"})
	r.pass(time.Minute, time.Minute)
	r.equal("grown", r.out["chat"].titles()[3:], []string{"has grown"})
}

// Above its rate a channel says what is too much in digests; what is critical has
// room of its own, and the end of something is only slowed down.
func TestRate(t *testing.T) {
	r := newRig(t, with(func(c *Config) { c.Rate = 5; c.Resolve = false }), "chat")
	for n := range 50 {
		r.post(honeyguide.Notice{ID: fmt.Sprintf("n%02d", n), Severity: honeyguide.SeverityMedium, Title: fmt.Sprint("t", n)})
	}
	r.work()
	r.post(honeyguide.Notice{ID: "z", Severity: honeyguide.SeverityCritical, Title: "critical"})
	r.post(honeyguide.Notice{ID: "over", Event: respond.EventResolve, Severity: honeyguide.SeverityMedium, Title: "over"})
	r.work()
	if got := r.out["chat"].titles(); len(got) != 6 || got[5] != "critical" {
		t.Fatalf("at once: %v", got)
	}
	r.pass(55*time.Minute, time.Minute)
	got := r.out["chat"].got
	if len(got) != 7 || got[6].Title != "45 notices, the worst is medium" || !strings.Contains(got[6].Text, "and 5 more: honeyguide notices list --channel chat --state digested") {
		t.Errorf("within the hour: %v", r.out["chat"].titles())
	}
	r.pass(20*time.Minute, time.Minute)
	if got := r.out["chat"].titles(); len(got) != 8 || got[7] != "over" {
		t.Errorf("after the hour: %v", got)
	}
	// A clock that was set back leaves sent notices in the future; they do not count.
	r.now = r.now.Add(-48 * time.Hour)
	r.post(honeyguide.Notice{ID: "back", Severity: honeyguide.SeverityMedium, Title: "back"})
	r.work()
	if got := r.out["chat"].titles(); got[len(got)-1] != "back" {
		t.Errorf("after the clock was set back: %v", got)
	}
}

// A hundred thousand wait: memory stays as it is, each is accounted for, and
// people read a few messages.
func TestFlood(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("skipped: a hundred thousand notices take their time")
	}
	const n = 100_000
	r := newRig(t, Defaults(), "chat")
	r.out["chat"].fail = func(m respond.Message) error { return nil }
	began := time.Now()
	for from := 0; from < n; from += 5000 {
		err := r.store.Update(t.Context(), func(tx state.Tx) error {
			for i := from; i < from+5000; i++ {
				x := honeyguide.Notice{ID: fmt.Sprintf("n%06d", i), Severity: honeyguide.Severity(1 + i%4), Title: fmt.Sprint("title ", i), Text: strings.Repeat("x", 200)}
				x.Channel, x.Key, x.State, x.CreatedAt, x.DueAt = "chat", x.Title, honeyguide.NoticeQueued, r.now, r.now
				if err := tx.Notices().Save(t.Context(), &x); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	stored := time.Since(began)
	runtime.GC()
	var before, now runtime.MemStats
	runtime.ReadMemStats(&before)
	peak := uint64(0)
	steps, next := 0, time.Time{}
	began = time.Now()
	for end := r.now.Add(time.Hour); r.now.Before(end); {
		var err error
		if next, err = r.box.channels["chat"].step(t.Context()); err != nil {
			t.Fatal(err)
		}
		if steps++; steps%20 == 0 {
			runtime.GC()
			runtime.ReadMemStats(&now)
			peak = max(peak, now.HeapAlloc)
		}
		if next.IsZero() {
			break
		}
		if next.After(r.now) {
			r.now = next
		}
	}
	digested, sent := r.box.held.With("digested").Value(), r.box.sent.With("chat").Value()
	if got := int(digested + sent); next.IsZero() && got != n+len(r.out["chat"].got)-30 {
		t.Errorf("%v became lines and %v were sent, of %d", digested, sent, n)
	}
	err := r.store.View(t.Context(), func(tx state.Tx) error {
		queued, err := tx.Notices().Queued(t.Context())
		if len(queued) > 0 {
			t.Errorf("%v wait", queued)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := len(r.out["chat"].got); got > 30+6 {
		t.Errorf("people read %d messages", got)
	}
	if grown := int64(peak) - int64(before.HeapAlloc); grown > 16<<20 {
		t.Errorf("the heap grew by %d KiB", grown>>10)
	}
	t.Logf("%d notices stored in %v, worked off in %v in %d steps; heap %d KiB before, %d KiB at most; %d messages", n, stored.Round(time.Millisecond), time.Since(began).Round(time.Millisecond), steps, before.HeapAlloc>>10, peak>>10, len(r.out["chat"].got))
}
