package api

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// blocked stores plans of blocks, the n-th made n minutes into the day.
func (r *rig) blocked(plans ...honeyguide.Plan) {
	r.t.Helper()
	r.update(func(ctx context.Context, tx state.Tx) error {
		for i, p := range plans {
			if p.Action == "" {
				p.Action = state.ActionBlockIP
			}
			if p.ID == "" {
				p.ID = p.Target
			}
			p.CreatedAt = day.Add(time.Duration(i) * time.Minute)
			if err := tx.Plans().Save(ctx, &p); err != nil {
				return err
			}
		}
		return nil
	})
}

func holding(target string) honeyguide.Plan {
	return honeyguide.Plan{Target: target, Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified}
}

func TestBlocksTellWhatHolds(t *testing.T) {
	r := newRig(t)
	two := holding("198.51.100.1")
	two.ID, two.ExpiresAt, two.By, two.Evidence, two.VerifiedAt = "long", day.Add(48*time.Hour), "anna", []string{"a1"}, day
	three := holding("198.51.100.1")
	three.ID, three.ExpiresAt = "short", day.Add(time.Hour)
	r.blocked(
		two, three,
		honeyguide.Plan{ID: "later", Target: "198.51.100.1", Mode: honeyguide.ModeDryRun, State: honeyguide.PlanPlanned},
		honeyguide.Plan{Target: "198.51.100.2", Mode: honeyguide.ModeApply, State: honeyguide.PlanExpired},
		honeyguide.Plan{Target: "198.51.100.3", Mode: honeyguide.ModeApply, State: honeyguide.PlanRefused, Reason: "the gateway"},
		holding("198.51.100.0/24"),
	)
	rows := func(query string) (out []string) {
		t.Helper()
		q := "?limit=2" + query
		for {
			p := get[client.Page[client.BlockRow]](r, base+"/blocks"+q)
			for _, b := range p.Items {
				out = append(out, fmt.Sprintf("%s %s %v %d", b.Address, b.Plan, b.Holds, b.Count))
			}
			if p.Next == "" {
				slices.Sort(out)
				return out
			}
			q = "?limit=2" + query + "&after=" + p.Next
		}
	}
	for query, want := range map[string][]string{
		"":               {"198.51.100.0/24 198.51.100.0/24 true 1", "198.51.100.1 short true 2", "198.51.100.2 198.51.100.2 false 0", "198.51.100.3 198.51.100.3 false 0"},
		"&holding=true":  {"198.51.100.0/24 198.51.100.0/24 true 1", "198.51.100.1 short true 2"},
		"&state=refused": {"198.51.100.3 198.51.100.3 false 0"},
		"&state=planned": {"198.51.100.1 later true 2"},
	} {
		if got := rows(query); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", query, got, want)
		}
	}
	p := get[client.Page[client.BlockRow]](r, base+"/blocks?holding=true")
	for _, b := range p.Items {
		if b.Address == "198.51.100.1" && !b.Until.Equal(two.ExpiresAt) {
			t.Errorf("until %v: the longest wins", b.Until)
		}
	}
	d := get[client.BlockDetail](r, base+"/blocks/198.51.100.1")
	if !d.Holds || len(d.Plans) != 3 || d.Plans[2].By != "anna" || d.Plans[2].Evidence[0] != "a1" || d.Plans[2].VerifiedAt.IsZero() || len(d.CoveredBy) != 1 || d.CoveredBy[0].Address != "198.51.100.0/24" {
		t.Errorf("detail %+v", d)
	}
	if d := get[client.BlockDetail](r, base+"/blocks/198.51.100.0%2F24"); !d.Holds || len(d.CoveredBy) != 0 {
		t.Errorf("a prefix: %+v", d)
	}
	ask[any](r, http.MethodGet, "/blocks/203.0.113.9", bootstrap, "", http.StatusNotFound)
	ask[any](r, http.MethodGet, "/blocks/odd", bootstrap, "", http.StatusBadRequest)
}

func TestUnblock(t *testing.T) {
	r := newRig(t)
	one, two, stuck := holding("198.51.100.1"), holding("198.51.100.1"), holding("198.51.100.1")
	one.ID, two.ID, stuck.ID = "one", "two", "stuck"
	r.blocked(one, two, stuck, holding("198.51.100.0/24"), holding("198.51.100.2"))
	r.engine.deny = map[string]error{"stuck": &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the firewall does not answer"}}
	got := ask[client.Unblocking](r, http.MethodDelete, "/blocks/::ffff:198.51.100.1?reason=mistake", bootstrap, "", http.StatusOK)
	if got.Address != "198.51.100.1" || len(got.Lifted) != 2 || len(got.Failed) != 1 || got.Failed[0].Error != "the firewall does not answer" || len(got.CoveredBy) != 1 || got.CoveredBy[0].Address != "198.51.100.0/24" {
		t.Errorf("got %+v", got)
	}
	if calls := r.engine.asked(); !slices.Equal(calls, []string{"revert plan one", "revert plan stuck", "revert plan two"}) || r.engine.last != "bootstrap: mistake" {
		t.Errorf("asked %q, last %v", calls, r.engine.last)
	}
	r.engine.deny = nil
	ask[any](r, http.MethodDelete, "/blocks/198.51.100.0%2F24", bootstrap, "", http.StatusOK)
	ask[any](r, http.MethodDelete, "/blocks/198.51.100.1", bootstrap, "", http.StatusOK)
	ask[any](r, http.MethodDelete, "/blocks/198.51.100.1", bootstrap, "", http.StatusNotFound)
	// Covered, but not blocked itself: nothing is ended, and the cover is named.
	r.blocked(holding("203.0.113.0/24"))
	if got := ask[client.Unblocking](r, http.MethodDelete, "/blocks/203.0.113.7", bootstrap, "", http.StatusOK); len(got.Lifted) != 0 || len(got.CoveredBy) != 1 {
		t.Errorf("got %+v", got)
	}
}

// undoable is an action that can be undone.
type undoable struct{ respond.Action }

func (undoable) Revert(context.Context, honeyguide.Plan) error { return nil }

// An entry of the allowlist lifts what it overlaps, both ways, at once, and
// nothing gets planned against it from then on.
func TestAllowlistLifts(t *testing.T) {
	r := newRig(t)
	r.dep.Allowlist.Undoes(map[string]respond.Action{"block_ip": undoable{}, "redirect": undoable{}})
	redirect := holding("198.51.100.1")
	redirect.Action, redirect.ID = "redirect", "redirect"
	r.blocked(holding("198.51.100.1"), holding("198.51.100.0/25"), holding("198.51.100.200"), holding("203.0.113.1"), redirect)
	targets := func(list []client.Lifted) (out []string) {
		for _, l := range list {
			out = append(out, l.Action+" "+l.Address)
		}
		slices.Sort(out)
		return out
	}
	anna := r.keyOf("anna", auth.ScopeResponder)
	got := ask[client.Allowing](r, http.MethodPost, "/allowlist", anna, `{"address":"198.51.100.1","reason":"the office"}`, http.StatusOK)
	if want := []string{"block_ip 198.51.100.0/25", "block_ip 198.51.100.1", "redirect 198.51.100.1"}; !slices.Equal(targets(got.Lifted), want) || len(got.Failed) != 0 || got.Left != 0 || got.Entry.Owner != "anna" {
		t.Errorf("lifted %+v", got)
	}
	r.engine.deny = map[string]error{"198.51.100.200": fmt.Errorf("disk")}
	got = ask[client.Allowing](r, http.MethodPost, "/allowlist", anna, `{"address":"198.51.100.128/25","reason":"ours","owner":"network team","expires_at":"2099-01-01T00:00:00Z"}`, http.StatusOK)
	if len(got.Failed) != 1 || got.Failed[0].Error == "" || strings.Contains(got.Failed[0].Error, "disk") || got.Entry.Owner != "network team" || got.Entry.CreatedBy != "anna" {
		t.Errorf("failed %+v", got)
	}
	if p := r.dep.Allowlist.Prefixes(); len(p) != 2 {
		t.Errorf("the guard sees %v", p)
	}
	if rows := get[client.Page[client.AllowRow]](r, base+"/allowlist").Items; len(rows) != 2 || !rows[0].Holds || rows[0].Address != "198.51.100.1" {
		t.Errorf("list %+v", rows)
	}
	for _, body := range []string{`{"address":"x","reason":"x"}`, `{"address":"198.51.100.1"}`, `{"address":"0.0.0.0/0","reason":"x"}`, `{"address":"198.51.100.1","reason":"x","expires_at":"2001-01-01T00:00:00Z"}`} {
		if w := r.call(http.MethodPost, base+"/allowlist", anna, strings.NewReader(body)); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
	if gone := ask[honeyguide.Allowed](r, http.MethodDelete, "/allowlist/198.51.100.128%2F25", anna, "", http.StatusOK); gone.Reason != "ours" || len(r.dep.Allowlist.Prefixes()) != 1 {
		t.Errorf("removed %+v", gone)
	}
	ask[any](r, http.MethodDelete, "/allowlist/198.51.100.128%2F25", anna, "", http.StatusNotFound)
	ask[any](r, http.MethodDelete, "/allowlist/odd", anna, "", http.StatusBadRequest)
}

func TestLiftingIsBounded(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	var plans []honeyguide.Plan
	for i := range mostLifted + 7 {
		plans = append(plans, holding(fmt.Sprintf("198.51.%d.%d", i/250, 1+i%250)))
	}
	r.blocked(plans...)
	got := ask[client.Allowing](r, http.MethodPost, "/allowlist", bootstrap, `{"address":"198.51.0.0/16","reason":"ours"}`, http.StatusOK)
	if len(got.Lifted)+got.Left != mostLifted+7 || got.Left < 7 {
		t.Errorf("%d lifted, %d left", len(got.Lifted), got.Left)
	}
	again := ask[client.Allowing](r, http.MethodPost, "/allowlist", bootstrap, `{"address":"198.51.0.0/16","reason":"ours"}`, http.StatusOK)
	if len(again.Lifted)+again.Left != got.Left {
		t.Errorf("again: %d lifted of %d", len(again.Lifted), got.Left)
	}
}

func TestStopSwitch(t *testing.T) {
	r := newRig(t)
	anna := r.keyOf("anna", auth.ScopeResponder)
	if h := ask[HaltState](r, http.MethodPost, "/halt", anna, `{"reason":"what is this"}`, http.StatusOK); !h.On || h.By != "anna" {
		t.Errorf("halt %+v", h)
	}
	if h := get[HaltState](r, base+"/halt"); !h.On || h.Why != "what is this" {
		t.Errorf("halted %+v", h)
	}
	ask[any](r, http.MethodDelete, "/halt", anna, "", http.StatusForbidden)
	if h := ask[HaltState](r, http.MethodDelete, "/halt?reason=a+mistake", bootstrap, "", http.StatusOK); h.On || h.By != "bootstrap" || h.Why != "a mistake" {
		t.Errorf("resumed %+v", h)
	}
}

func TestKeyring(t *testing.T) {
	r := newRig(t)
	made := ask[client.NewKey](r, http.MethodPost, "/keys", bootstrap, `{"name":"anna","scope":"responder","expires_at":"2099-01-01T00:00:00Z"}`, http.StatusOK)
	if !auth.WellFormed(honeyguide.Secret(made.Key)) || made.Scope != "responder" || made.ExpiresAt.IsZero() {
		t.Errorf("made %+v", made)
	}
	ask[any](r, http.MethodGet, "/runs", honeyguide.Secret(made.Key), "", http.StatusOK)
	w := r.call(http.MethodGet, base+"/keys", bootstrap, nil)
	if strings.Contains(w.Body.String(), made.Key[3:30]) || strings.Contains(w.Body.String(), "sha256") || !strings.Contains(w.Body.String(), made.Last4) {
		t.Errorf("list %s", w.Body)
	}
	for _, body := range []string{
		`{"name":"x"}`, `{"name":"x","scope":"root"}`, `{"name":"","scope":"read"}`, `{"name":"local","scope":"read"}`, `{"name":"Bootstrap","scope":"read"}`, `{"name":"a b","scope":"read"}`,
		`{"name":"аnna","scope":"read"}`, `{"name":"x","scope":"read","expires_at":"2001-01-01T00:00:00Z"}`,
	} {
		if w := r.call(http.MethodPost, base+"/keys", bootstrap, strings.NewReader(body)); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity {
			t.Errorf("%s: %d", body, w.Code)
		}
	}
	// A key is never kept among the answers to repeated requests.
	first, again := r.named("k", "/keys", bootstrap, `{"name":"ben","scope":"read"}`), r.named("k", "/keys", bootstrap, `{"name":"ben","scope":"read"}`)
	if first.Code != http.StatusOK || first.Body.String() == again.Body.String() {
		t.Errorf("the same key twice: %s", again.Body)
	}
	ask[any](r, http.MethodDelete, "/keys/ben", bootstrap, "", http.StatusConflict)
	ask[any](r, http.MethodDelete, "/keys/Anna", bootstrap, "", http.StatusOK)
	ask[any](r, http.MethodGet, "/runs", honeyguide.Secret(made.Key), "", http.StatusUnauthorized)
	ask[any](r, http.MethodDelete, "/keys/anna", bootstrap, "", http.StatusNotFound)
}
