package incident_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/incident"
	"honeyguide/internal/state"
)

// story makes an incident with everything a timeline has: a session that reads a
// token, alerts, the use of the token, a run with one act, notes.
func (o *office) story() honeyguide.Incident {
	o.Helper()
	in := o.opened(2)
	at := func(m int) time.Time { return noon.Add(time.Duration(m) * time.Minute) }
	src := honeyguide.Endpoint{}
	_ = src.Addr.UnmarshalText([]byte("198.51.100.2:40000"))
	o.tx(func(ctx context.Context, tx state.Tx) error {
		in.Sessions = []string{"s1", "gone"}
		_, err := tx.Incidents().Save(ctx, &in)
		token := honeyguide.Honeytoken{ID: "tok", Kind: "aws_key"}
		sample := honeyguide.Sample{ID: strings.Repeat("ab", 32), Type: "elf"}
		session := honeyguide.Session{
			ID: "s1", Sensor: "ssh", Service: "ssh", Src: src, StartedAt: at(-5), LastAt: at(1), User: "root", Events: 12,
			Tokens: []string{"tok"}, Samples: []string{sample.ID},
		}
		used := honeyguide.Alert{
			Time: at(3), LastAt: at(3), CreatedAt: at(4), Title: "Honeytoken used", RuleID: "token_used", Detector: "token", Category: honeyguide.CategoryToken, Incident: in.ID,
			DedupeKey: "used", Severity: honeyguide.SeverityCritical, EventIDs: []string{"e9"}, Src: src,
			Observed: []honeyguide.Observable{{Type: "token", Value: "tok"}, {Type: "ip", Value: "198.51.100.2"}, {Type: "ip", Value: "198.51.100.2", Name: "reader"}},
		}
		_, err2 := tx.Alerts().Save(ctx, &used)
		run := honeyguide.Run{
			Playbook: "contain", Title: "Contain", Incident: in.ID, State: honeyguide.RunDone, Mode: honeyguide.ModeApply, By: "playbook", Reason: "severity critical",
			CreatedAt: at(5), EndedAt: at(7), Alerts: []string{used.ID},
		}
		err3 := tx.Runs().Save(ctx, &run)
		plan := honeyguide.Plan{
			ID: "p1", Run: run.ID, Incident: in.ID, Playbook: "contain", Action: "block_ip", Target: "198.51.100.2", State: honeyguide.PlanExpired, Mode: honeyguide.ModeApply,
			Effect: "dropped", CreatedAt: at(5), AppliedAt: at(6), VerifiedAt: at(6).Add(time.Second), EndedAt: at(66), EndedBy: "expiry",
		}
		refused := honeyguide.Plan{ID: "p2", Incident: in.ID, Playbook: "contain", Action: "block_ip", Target: "192.0.2.1", State: honeyguide.PlanRefused, Mode: honeyguide.ModeApply, Reason: "allowlist", CreatedAt: at(5)}
		return errors.Join(err, err2, err3, tx.Tokens().Save(ctx, &token), tx.Sessions().Save(ctx, &session),
			tx.Samples().Sight(ctx, sample, honeyguide.Sighting{EventID: "e5", Session: "s1", Time: at(0)}),
			tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok", EventID: "e1", Time: at(-4), Session: "s1", Src: src, By: "cat ~/.aws/credentials"}),
			tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "tok", EventID: "e2", Time: at(-3), Session: "another", By: "less"}),
			tx.Tokens().Use(ctx, "tok", "e9", at(3)), tx.Tokens().Use(ctx, "tok", "e10", at(40)),
			tx.Plans().Save(ctx, &plan), tx.Plans().Save(ctx, &refused))
	})
	o.clock = at(8)
	if _, err := o.Comment(o.Context(), in.ID, "anna", "called the owner"); err != nil {
		o.Fatal(err)
	}
	return o.get(in.ID)
}

func (o *office) timeline(id string, q incident.TimelineQuery) (list []honeyguide.TimelineEntry, next string) {
	o.Helper()
	if err := o.state.View(o.Context(), func(tx state.Tx) (err error) {
		list, next, err = incident.Timeline(o.Context(), tx, id, q)
		return err
	}); err != nil {
		o.Fatal(err)
	}
	return list, next
}

func TestTimelineTellsEverythingInOrder(t *testing.T) {
	o := newOffice(t)
	in := o.story()
	all, next := o.timeline("i-1", incident.TimelineQuery{Oldest: true})
	var got []string
	for _, e := range all {
		got = append(got, fmt.Sprintf("%s/%s %s %s: %s", e.At.Format("15:04:05"), e.SeenAt.Format("15:04"), e.Kind, e.By, e.Text))
	}
	want := []string{
		"11:55:00/11:55 session 198.51.100.2: ssh connection to ssh as root, 12 events",
		"11:56:00/11:56 token 198.51.100.2: HT-1 (aws_key) read: cat ~/.aws/credentials",
		"11:59:00/12:00 alert behaviour/r: A-1 alert 0 (high, score 0, 0 events)",
		"11:59:00/12:00 alert behaviour/r: A-2 alert 1 (high, score 0, 0 events)",
		"12:03:00/12:04 alert token/token_used: A-3 Honeytoken used (critical, score 0, 0 events)",
		"12:03:00/12:04 token 198.51.100.2: HT-1 (aws_key) used",
		"12:05:00/12:05 act contain: block_ip 192.0.2.1 refused (apply): allowlist",
		"12:05:00/12:05 run playbook: R-1 Contain (apply) began: severity critical",
		"12:06:00/12:06 act contain: block_ip 198.51.100.2 applied: dropped",
		"12:06:01/12:06 act contain: block_ip 198.51.100.2 verified",
		"12:07:00/12:07 run playbook: R-1 Contain (apply) ended: done",
		"12:08:00/12:08 comment anna: called the owner",
		"13:06:00/13:06 act expiry: block_ip 198.51.100.2 ended: expired",
	}
	slices.Sort(got[2:4]) // the same moment: by id
	if !slices.Equal(got, want) || next != "" {
		t.Errorf("timeline\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
	}
	// Page by page it is the same, both ways.
	for _, oldest := range []bool{true, false} {
		var paged []honeyguide.TimelineEntry
		for after := ""; ; {
			page, next := o.timeline(in.ID, incident.TimelineQuery{Oldest: oldest, Page: state.Page{Limit: 1, After: after}})
			paged = append(paged, page...)
			if after = next; next == "" {
				break
			}
		}
		if !oldest {
			slices.Reverse(paged)
		}
		if !slices.Equal(paged, all) {
			t.Errorf("oldest %v: %d lines by page, %d at once", oldest, len(paged), len(all))
		}
	}
	if acts, _ := o.timeline(in.ID, incident.TimelineQuery{Kinds: []string{honeyguide.EntryAct, honeyguide.EntryRun}}); len(acts) != 6 {
		t.Errorf("acts and runs: %d", len(acts))
	}
	err := o.state.View(t.Context(), func(tx state.Tx) error {
		_, page := o.timeline(in.ID, incident.TimelineQuery{Oldest: true, Page: state.Page{Limit: 1}})
		_, _, err := incident.Timeline(t.Context(), tx, in.ID, incident.TimelineQuery{Page: state.Page{After: page}})
		return err
	})
	if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("the cursor of the other order: %v", err)
	}
	// Who acts and writes it down is not told twice.
	o.tx(func(ctx context.Context, tx state.Tx) error {
		return tx.Timeline().Add(ctx, &honeyguide.TimelineEntry{Incident: in.ID, At: noon.Add(6 * time.Minute), Kind: honeyguide.EntryAct, Ref: "p1", Text: "own words"})
	})
	if acts, _ := o.timeline(in.ID, incident.TimelineQuery{Kinds: []string{honeyguide.EntryAct}}); len(acts) != 4 || acts[2].Text != "own words" {
		t.Errorf("acts: %+v", acts)
	}
}

func TestLinked(t *testing.T) {
	o := newOffice(t)
	in := o.story()
	err := o.state.View(t.Context(), func(tx state.Tx) error {
		l, err := incident.Linked(t.Context(), tx, in.Short)
		if len(l.Indicators) != 2 || l.Indicators[0] != (incident.Indicator{Type: "ip", Value: "198.51.100.2", Alerts: 1}) || l.Indicators[1].Type != "token" {
			t.Errorf("indicators %+v", l.Indicators)
		}
		if len(l.Sessions) != 1 || len(l.Tokens) != 1 || len(l.Samples) != 1 || len(l.Attackers) != 1 || l.Attackers[0].Alerts != 2 {
			t.Errorf("linked %+v", l)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}
