package notice

import (
	"errors"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Posted twice, a notice is sent once, with its receipt kept and the facts of its
// incident beside it.
func TestTwiceIsOnce(t *testing.T) {
	r := newRig(t, Defaults(), "chat")
	i := r.incident()
	r.post(high("p1", "Somebody is in"))
	r.post(high("p1", "Somebody is in"))
	r.work()
	r.post(high("p1", "Somebody is in"))
	r.work()
	n := r.get("p1")
	if len(r.out["chat"].got) != 1 || n.State != honeyguide.NoticeSent || n.Ref != "receipt of p1" || !n.SentAt.Equal(noon) || n.Count != 1 || n.Attempts != 1 {
		t.Fatalf("sent %d times: %+v", len(r.out["chat"].got), n)
	}
	m := r.out["chat"].got[0]
	if m.ID != "p1" || m.Key != "inc1" || m.Event != respond.EventTrigger || m.Link != "https://console.test/incidents/inc1" || m.Severity != honeyguide.SeverityHigh {
		t.Errorf("%+v", m)
	}
	r.equal("fields", m.Fields, []respond.Field{{Name: "Incident", Value: i.Short}, {Name: "Attackers", Value: "203.0.113.7"}, {Name: "Respond by", Value: "2026-03-04 13:00 UTC"}, {Name: "Node", Value: "edge-1"}})
	if got := r.box.sent.With("chat").Value(); got != 1 {
		t.Errorf("counted %v", got)
	}
}

// Without a channel notices are kept to be read, counted like others, and go out
// by hand once there is one.
func TestNoChannel(t *testing.T) {
	r := newRig(t, Defaults())
	r.post(high("p1", "x"))
	again := high("p2", "x")
	again.Key = "k-p1"
	r.post(again)
	r.work()
	r.equal("states", r.states(), "p1=kept p2=counted")
	if n := r.get("p1"); n.Error != "no channel is configured" || n.Count != 2 {
		t.Errorf("%+v", n)
	}
	if _, err := r.box.Retry(t.Context(), "p1", "me"); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("retry without a channel: %v", err)
	}
	r.restart(Defaults(), "chat", "mail")
	if _, err := r.box.Retry(t.Context(), "p1", "me"); err != nil {
		t.Fatal(err)
	}
	r.work()
	r.equal("states", r.states(), "p1=sent p1.0.mail=sent p2=counted")
	if _, err := r.box.Retry(t.Context(), "p1", "me"); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("retry of what was sent: %v", err)
	}
}

// Where a notice goes: by default to every channel, to one, to several, along a
// chain; a name nobody knows silences nobody.
func TestRoutes(t *testing.T) {
	cfg := with(func(c *Config) {
		c.Chains = map[string]Chain{"night": {Levels: []Level{{Channels: []string{"chat"}}, {Channels: []string{"pager", "mail"}, After: 10 * time.Minute}}}}
	})
	for _, c := range []struct{ to, def, want, words string }{
		{"", "", "chat mail pager", "chat and mail and pager"},
		{"", "mail", "mail", "mail"},
		{"mail", "", "mail", "mail"},
		{"pager, chat,pager", "", "chat pager", "pager and chat"},
		{"night", "", "chat", "chat, then pager and mail after 10m unless somebody acknowledges"},
		{"", "night", "chat", "chat, then pager and mail after 10m unless somebody acknowledges"},
		{"nobody", "mail", "mail", ""},
		{"mail,nobody", "pager", "pager", ""},
	} {
		conf := cfg
		conf.Default = c.def
		r := newRig(t, conf, "chat", "mail", "pager")
		r.incident()
		n := high("p1", "x")
		n.Channel = c.to
		r.post(n)
		r.work()
		var got []string
		for _, name := range r.box.Names() {
			if len(r.out[name].got) == 1 {
				got = append(got, name)
			}
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("to %q, default %q: told %v, want %s", c.to, c.def, got, c.want)
		}
		words, err := r.box.Route(c.to)
		if words != c.words || (err != nil) != (c.words == "") {
			t.Errorf("to %q: says %q, %v", c.to, words, err)
		}
	}
}

// The same again is counted; it is told when it is worse, and when the window is
// over. One that has not gone out yet says the worst.
func TestDedupe(t *testing.T) {
	r := newRig(t, Defaults(), "chat")
	say := func(id string, s honeyguide.Severity, title string) {
		r.post(honeyguide.Notice{ID: id, Key: "k", Severity: s, Title: title})
		r.work()
	}
	say("a", honeyguide.SeverityMedium, "one")
	say("b", honeyguide.SeverityMedium, "two")
	r.now = r.now.Add(59 * time.Minute)
	say("c", honeyguide.SeverityLow, "three")
	if n := r.get("a"); n.Count != 3 || r.get("c").Ref != "a" || r.get("c").State != honeyguide.NoticeCounted {
		t.Errorf("%+v", n)
	}
	say("d", honeyguide.SeverityHigh, "worse")
	say("e", honeyguide.SeverityHigh, "as bad")
	if r.get("d").Count != 2 || r.get("d").Event != respond.EventUpdate || r.get("e").Ref != "d" {
		t.Errorf("%+v %+v", r.get("d"), r.get("e"))
	}
	r.now = r.now.Add(time.Hour)
	say("f", honeyguide.SeverityHigh, "again")
	r.equal("sent", r.out["chat"].titles(), []string{"one", "Now high: worse", "again"})
	// Behind a channel that fails, the worst is said once.
	r.out["chat"].fail = func(respond.Message) error { return errors.New("down") }
	r.now = r.now.Add(time.Hour)
	say("g", honeyguide.SeverityLow, "begins")
	say("h", honeyguide.SeverityCritical, "ends")
	r.out["chat"].fail = nil
	r.pass(time.Minute, time.Second)
	r.equal("sent", r.out["chat"].titles()[3:], []string{"ends"})
	// Off means off.
	r.restart(with(func(c *Config) { c.Dedupe = 0 }), "chat")
	say("i", honeyguide.SeverityLow, "same")
	say("j", honeyguide.SeverityLow, "same")
	r.equal("sent", r.out["chat"].titles()[4:], []string{"same", "same"})
}

// What grows worse while it is on its way is followed by an update.
func TestRisesWhileSending(t *testing.T) {
	r := newRig(t, Defaults(), "chat")
	r.out["chat"].fail = func(m respond.Message) error {
		if m.ID == "a" {
			n := honeyguide.Notice{ID: "b", Key: "k", Severity: honeyguide.SeverityCritical, Title: "much worse"}
			return r.box.Post(t.Context(), n)
		}
		return nil
	}
	r.post(honeyguide.Notice{ID: "a", Key: "k", Severity: honeyguide.SeverityLow, Title: "small"})
	r.work()
	r.equal("sent", r.out["chat"].titles(), []string{"small", "Now critical: much worse"})
	r.equal("states", r.states(), "a=sent a.u=sent b=counted")
}

// When an incident is over, each channel that was told is told once; then the
// next one begins anew.
func TestResolve(t *testing.T) {
	r := newRig(t, with(func(c *Config) {
		c.Quiet = []Quiet{{From: "12:30", To: "13:30"}}
	}), "chat", "mail", "pager")
	r.incident()
	for _, id := range []string{"a", "b"} {
		n := high(id, "title "+id)
		n.Channel = "chat"
		r.post(n)
	}
	n := high("c", "title c")
	n.Channel = "pager"
	r.post(n)
	r.pass(time.Minute, 15*time.Second)
	r.now = noon.Add(45 * time.Minute) // within the quiet hours
	r.incident(func(i *honeyguide.Incident) {
		i.Status, i.Phase = honeyguide.IncidentClosed, honeyguide.PhaseClosed
		i.Verdict = honeyguide.Verdict{As: "true_positive", By: "ann"}
	})
	r.pass(time.Minute, 15*time.Second)
	chat, pager := r.out["chat"].got, r.out["pager"].got
	if len(chat) != 3 || len(pager) != 2 || len(r.out["mail"].got) != 0 {
		t.Fatalf("chat %v, pager %v, mail %v", r.out["chat"].titles(), r.out["pager"].titles(), r.out["mail"].titles())
	}
	end := chat[2]
	if end.Event != respond.EventResolve || end.Key != chat[0].Key || end.Title != "Over: Brute force" || end.Text != "I-1 is closed. Verdict: true_positive by ann." || pager[1].Event != respond.EventResolve {
		t.Errorf("%+v", end)
	}
	r.pass(time.Hour, time.Minute)
	if len(chat) != len(r.out["chat"].got) {
		t.Errorf("told again: %v", r.out["chat"].titles())
	}
	r.incident(func(i *honeyguide.Incident) {
		i.Status, i.Phase = honeyguide.IncidentInProgress, honeyguide.PhaseTriage
	})
	r.now = noon.Add(59 * time.Minute)
	again := high("d", "once more")
	again.Channel, again.Key = "chat", "k-a"
	r.post(again)
	r.pass(time.Hour, time.Minute)
	if got := r.out["chat"].titles(); len(got) != 4 || got[3] != "once more" {
		t.Errorf("after reopening: %v", got)
	}
	r.restart(with(func(c *Config) { c.Resolve = false }), "chat")
	r.incident(func(i *honeyguide.Incident) { i.Status, i.Phase = honeyguide.IncidentClosed, honeyguide.PhaseClosed })
	r.pass(time.Minute, 15*time.Second)
	if got := r.out["chat"].titles(); len(got) != 4 {
		t.Errorf("with resolve off: %v", got)
	}
}

// A channel that is not configured any more leaves its notices to be seen.
func TestOrphans(t *testing.T) {
	r := newRig(t, Defaults(), "chat", "mail")
	r.post(high("a", "x"))
	r.restart(Defaults(), "chat")
	if err := r.box.orphans(t.Context()); err != nil {
		t.Fatal(err)
	}
	r.work()
	r.equal("states", r.states(), "a=sent a.0.mail=kept")
	if n := r.get("a.0.mail"); n.Error != "there is no channel mail any more" {
		t.Errorf("%+v", n)
	}
}

// Old notices go, those that wait do not.
func TestForget(t *testing.T) {
	r := newRig(t, with(func(c *Config) {
		c.RetentionDays = 1
		c.Quiet = []Quiet{{Days: []string{"wed"}, From: "00:00", To: "24:00"}}
	}), "chat")
	r.post(high("a", "x"))
	n := high("b", "y")
	n.Severity = honeyguide.SeverityCritical
	r.post(n)
	r.work()
	r.equal("states", r.states(), "a=queued b=sent")
	if err := r.box.forget(t.Context(), noon.Add(25*time.Hour)); err != nil {
		t.Fatal(err)
	}
	r.equal("states", r.states(), "a=queued")
}

// A test message goes out at any hour, and says at once what became of it.
func TestTest(t *testing.T) {
	r := newRig(t, with(func(c *Config) { c.Rate = 1; c.Quiet = []Quiet{{From: "10:00", To: "14:00"}} }), "chat")
	for range 3 {
		n, err := r.box.Test(t.Context(), "chat", "ann")
		if err != nil || n.State != honeyguide.NoticeSent || n.Ref == "" {
			t.Fatalf("%+v, %v", n, err)
		}
	}
	if got := r.out["chat"].got[0]; got.Title != "Test of chat" || !strings.Contains(got.Text, "ann asked") {
		t.Errorf("%+v", got)
	}
	r.out["chat"].fail = func(respond.Message) error { return errors.New("wrong key") }
	n, err := r.box.Test(t.Context(), "chat", "ann")
	if err != nil || n.State != honeyguide.NoticeDead || n.Error != "wrong key" || r.get(n.ID).State != honeyguide.NoticeDead {
		t.Errorf("%+v, %v", n, err)
	}
	list, err := r.box.Channels(t.Context())
	if err != nil || len(list) != 1 || list[0].State != StateFailing || list[0].Error != "wrong key" || list[0].Rate != 1 {
		t.Errorf("%+v, %v", list, err)
	}
	if _, err := r.box.Test(t.Context(), "nobody", "ann"); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("nobody: %v", err)
	}
}

// Rows of a post in a transaction that fails leave no trace.
func TestPutIsPartOfItsTransaction(t *testing.T) {
	r := newRig(t, Defaults(), "chat")
	boom := errors.New("boom")
	err := r.store.Update(t.Context(), func(tx state.Tx) error {
		return errors.Join(r.box.Put(t.Context(), tx, high("a", "x")), boom)
	})
	if !errors.Is(err, boom) || len(r.all()) != 0 {
		t.Errorf("%v, %v", err, r.all())
	}
}

// The clock of an incident is told of once nearly over and once over, unless the
// incident is too small for that.
func TestClock(t *testing.T) {
	r := newRig(t, Defaults(), "chat")
	i := r.incident()
	small := i
	small.Severity = honeyguide.SeverityMedium
	for _, over := range []bool{false, false, true, true} {
		for _, in := range []honeyguide.Incident{i, small} {
			err := r.store.Update(t.Context(), func(tx state.Tx) error { return r.box.Clock(t.Context(), tx, &in, over) })
			if err != nil {
				t.Fatal(err)
			}
		}
		r.work()
	}
	r.equal("told", r.out["chat"].titles(), []string{"I-1 is to be answered by 13:00 UTC: Brute force", "I-1 should have been answered by 13:00 UTC: Brute force"})
}
