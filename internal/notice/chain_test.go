package notice

import (
	"errors"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
)

// night tells chat, ten minutes later the pager, twenty later the boss.
func night(edit ...func(*Config)) Config {
	c := Defaults()
	c.Default = "night"
	c.Chains = map[string]Chain{"night": {Levels: []Level{
		{Channels: []string{"chat"}}, {Channels: []string{"pager"}, After: 10 * time.Minute}, {Channels: []string{"boss", "mail"}, After: 20 * time.Minute},
	}}}
	for _, f := range edit {
		f(&c)
	}
	return c
}

func nightRig(t *testing.T, edit ...func(*Config)) *rig {
	t.Helper()
	r := newRig(t, night(edit...), "chat", "pager", "boss", "mail")
	r.incident()
	return r
}

// when says at which minute each channel was told.
func (r *rig) when() map[string][]int {
	out := map[string][]int{}
	for _, n := range r.all() {
		if n.State == honeyguide.NoticeSent {
			out[n.Channel] = append(out[n.Channel], int(n.SentAt.Sub(noon).Round(time.Minute)/time.Minute))
		}
	}
	return out
}

// Nobody answers: one level after the other is told, each once.
func TestEscalation(t *testing.T) {
	r := nightRig(t)
	r.post(high("a", "Somebody is in"))
	r.work()
	r.pass(2*time.Hour, 30*time.Second)
	r.equal("told", r.when(), map[string][]int{"chat": {0}, "pager": {10}, "boss": {30}, "mail": {30}})
	r.equal("says", r.out["pager"].titles(), []string{"Nobody has acknowledged for 10m: Somebody is in"})
	if r.out["pager"].got[0].Key != r.out["chat"].got[0].Key {
		t.Error("a pager would keep two of one incident")
	}
}

// Whatever an analyst does first stops it.
func TestAcknowledged(t *testing.T) {
	for name, edit := range map[string]func(*honeyguide.Incident){
		"owner":        func(i *honeyguide.Incident) { i.Owner = "ann" },
		"acknowledged": func(i *honeyguide.Incident) { i.Clock.AcknowledgedAt = noon },
		"phase": func(i *honeyguide.Incident) {
			i.Phase, i.Status = honeyguide.PhaseTriage, honeyguide.IncidentInProgress
		},
		"closed": func(i *honeyguide.Incident) { i.Phase, i.Status = honeyguide.PhaseClosed, honeyguide.IncidentClosed },
	} {
		r := nightRig(t, func(c *Config) { c.Resolve = false })
		r.post(high("a", "x"))
		r.work()
		r.pass(15*time.Minute, time.Minute)
		r.incident(edit)
		r.pass(2*time.Hour, time.Minute)
		r.equal(name, r.when(), map[string][]int{"chat": {0}, "pager": {10}})
		r.equal(name, r.states(), "a=sent a.1.pager=sent a.2.boss=dropped a.2.mail=dropped")
		if r.get("a.2.boss").Error == "" {
			t.Errorf("%s: nothing says why", name)
		}
	}
}

// What is about no incident cannot be acknowledged and goes to the first level.
func TestNoIncidentNoEscalation(t *testing.T) {
	r := nightRig(t)
	n := high("a", "The week")
	n.Incident = ""
	r.post(n)
	r.work()
	r.pass(time.Hour, time.Minute)
	r.equal("told", r.when(), map[string][]int{"chat": {0}})
}

// A chain waits with its first level; it does not wake the second one instead.
func TestQuietHoursMoveTheChain(t *testing.T) {
	r := nightRig(t, func(c *Config) {
		c.Channels = map[string]Channel{"chat": {Quiet: []Quiet{{From: "11:00", To: "13:00"}}}}
	})
	r.post(high("a", "x"))
	r.work()
	r.pass(3*time.Hour, 30*time.Second)
	r.equal("told", r.when(), map[string][]int{"chat": {60}, "pager": {70}, "boss": {90}, "mail": {90}})
	// The chain's own hours hold all of it; critical passes unless told otherwise.
	for hold, want := range map[bool]map[string][]int{
		false: {"chat": {0}, "pager": {10}, "boss": {30}, "mail": {30}}, true: {"chat": {60}, "pager": {70}, "boss": {90}, "mail": {90}},
	} {
		r := nightRig(t, func(c *Config) {
			chain := c.Chains["night"]
			chain.Quiet = []Quiet{{From: "11:00", To: "13:00", Hold: hold}}
			c.Chains["night"] = chain
		})
		n := high("a", "x")
		n.Severity = honeyguide.SeverityCritical
		r.post(n)
		r.work()
		r.pass(3*time.Hour, 30*time.Second)
		r.equal("critical", r.when(), want)
	}
	// One that becomes critical meanwhile does not wait any longer.
	r = nightRig(t, func(c *Config) { c.Quiet = []Quiet{{From: "11:00", To: "13:00"}} })
	r.post(high("a", "x"))
	r.pass(5*time.Minute, time.Minute)
	worse := high("b", "worse")
	worse.Key, worse.Severity = "k-a", honeyguide.SeverityCritical
	r.post(worse)
	r.work()
	r.pass(time.Hour, 30*time.Second)
	r.equal("becomes critical", r.when(), map[string][]int{"chat": {5}, "pager": {15}, "boss": {35}, "mail": {35}})
}

// A channel that is down does not keep the next level from being told.
func TestEscalationPassesWhatIsDown(t *testing.T) {
	r := nightRig(t)
	r.out["chat"].fail = func(respond.Message) error { return errors.New("down") }
	r.post(high("a", "x"))
	r.work()
	r.pass(time.Hour, 30*time.Second)
	r.equal("told", r.when(), map[string][]int{"pager": {10}, "boss": {30}, "mail": {30}})
	if n := r.get("a"); n.State != honeyguide.NoticeQueued || n.Error != "down" {
		t.Errorf("%+v", n)
	}
}

// The same again while a chain runs starts no second one.
func TestChainsAreNotDoubled(t *testing.T) {
	r := nightRig(t)
	for _, id := range []string{"a", "b", "c"} {
		n := high(id, "x")
		n.Key = "k"
		r.post(n)
		r.work()
		r.pass(4*time.Minute, time.Minute)
	}
	r.pass(time.Hour-15*time.Minute, time.Minute)
	r.equal("told", r.when(), map[string][]int{"chat": {0}, "pager": {10}, "boss": {30}, "mail": {30}})
	// What is worse goes along the chain once more.
	n := high("d", "worse")
	n.Key, n.Severity = "k", honeyguide.SeverityCritical
	r.post(n)
	r.work()
	r.pass(time.Hour, time.Minute)
	r.equal("told", r.when(), map[string][]int{"chat": {0, 57}, "pager": {10, 67}, "boss": {30, 87}, "mail": {30, 87}})
	r.equal("events", r.out["pager"].got[1].Event, respond.EventUpdate)
}

// A clock that jumps, in either direction, neither loses nor doubles nor delays
// for as long as it jumped.
func TestClockJumps(t *testing.T) {
	for name, jump := range map[string]time.Duration{"back a day": -24 * time.Hour, "back a year": -365 * 24 * time.Hour, "on a day": 24 * time.Hour} {
		r := nightRig(t, func(c *Config) {
			c.Channels = map[string]Channel{"mail": {Digest: Digest{Every: "1h", Severities: []honeyguide.Severity{honeyguide.SeverityHigh}}}}
		})
		r.out["chat"].fail = func(respond.Message) error { return errors.New("down") }
		r.post(high("a", "x"))
		n := high("b", "digest")
		n.Channel = "mail"
		r.post(n)
		r.work()
		r.pass(3*time.Minute, time.Minute)
		r.out["chat"].fail = nil
		r.now = r.now.Add(jump)
		r.pass(2*time.Hour, 30*time.Second)
		// And when the first level had been told before.
		was := r.now
		last := high("c", "told before")
		r.post(last)
		r.work()
		r.now = r.now.Add(jump)
		r.pass(time.Minute, 30*time.Second)
		began := r.now
		r.pass(90*time.Minute, 30*time.Second)
		if n := r.get("c.2.boss"); n.State != honeyguide.NoticeSent || n.SentAt.Sub(began) > 45*time.Minute {
			t.Errorf("%s: told at %v, jumped to %v, %+v", name, was, began, n)
		}
		for c := range r.out {
			r.out[c].got = r.out[c].got[:len(r.out[c].got)-1]
		}
		for _, c := range []string{"chat", "pager", "boss", "mail"} {
			want := 1
			if c == "mail" {
				want = 2
			}
			if got := len(r.out[c].got); got != want {
				t.Errorf("%s: %s was told %d times, want %d: %s", name, c, got, want, r.states())
			}
		}
	}
}

// Quiet hours hold after a clock was set back into them, and are over after it
// was set on.
func TestClockJumpsInQuietHours(t *testing.T) {
	quiet := func(c *Config) { c.Quiet = []Quiet{{From: "22:00", To: "07:00"}} }
	r := nightRig(t, quiet)
	r.now = time.Date(2026, 3, 4, 23, 0, 0, 0, time.UTC)
	r.post(high("a", "x"))
	r.pass(time.Minute, 10*time.Second)
	r.now = time.Date(2026, 3, 5, 7, 0, 1, 0, time.UTC)
	r.pass(10*time.Second, time.Second)
	r.equal("set on", r.out["chat"].titles(), []string{"x"})

	r = nightRig(t, quiet)
	r.now = time.Date(2026, 3, 5, 23, 0, 0, 0, time.UTC)
	r.post(high("a", "x"))
	r.now = time.Date(2026, 3, 4, 12, 0, 0, 0, time.UTC)
	r.pass(time.Minute, 10*time.Second)
	r.equal("set back to the day", r.out["chat"].titles(), []string{"x"})

	r = nightRig(t, quiet)
	r.now = time.Date(2026, 3, 5, 12, 0, 0, 0, time.UTC)
	r.out["chat"].fail = func(respond.Message) error { return errors.New("down") }
	r.post(high("a", "x"))
	r.work()
	r.out["chat"].fail = nil
	r.now = time.Date(2026, 3, 4, 23, 0, 0, 0, time.UTC)
	r.pass(time.Hour, time.Minute)
	r.equal("set back into the night", r.out["chat"].titles(), []string{})
	r.pass(8*time.Hour, time.Minute)
	r.equal("in the morning", r.out["chat"].titles(), []string{"x"})
}
