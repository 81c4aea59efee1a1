package api

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// A filler adds n rows to a list, each with a name of its own, and changes rows
// that are there.
type filler func(ctx context.Context, tx state.Tx, n int) error

func second(n int) time.Time { return day.Add(time.Duration(n) * time.Second) }

// fillers says how rows come into each list whose pages are read from the state.
var fillers = map[string]filler{
	"/alerts": func(ctx context.Context, tx state.Tx, n int) error {
		_, err := tx.Alerts().Save(ctx, alert(n))
		return err
	},
	"/incidents": func(ctx context.Context, tx state.Tx, n int) error {
		_, err := tx.Incidents().Save(ctx, &honeyguide.Incident{Key: fmt.Sprint("k", n), CreatedAt: second(n)})
		return err
	},
	"/sessions": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Sessions().Save(ctx, &honeyguide.Session{ID: fmt.Sprint("s", n), StartedAt: second(n)})
	},
	"/tokens": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Tokens().Save(ctx, &honeyguide.Honeytoken{ID: fmt.Sprint("t", n), Kind: "file", CreatedAt: second(n)})
	},
	"/plans": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Plans().Save(ctx, &honeyguide.Plan{ID: fmt.Sprint("p", n), Action: "notify", CreatedAt: second(n)})
	},
	"/blocks": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Plans().Save(ctx, &honeyguide.Plan{
			ID: fmt.Sprint("b", n), Action: state.ActionBlockIP, Target: netip.AddrFrom4([4]byte{203, 0, byte(n >> 8), byte(n)}).String(), CreatedAt: second(n),
			Mode: honeyguide.ModeApply, State: honeyguide.PlanApplied, ExpiresAt: day.AddDate(50, 0, 0),
		})
	},
	"/runs": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Runs().Save(ctx, &honeyguide.Run{Playbook: "p", State: honeyguide.RunDone, CreatedAt: second(n)})
	},
	"/notices": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Notices().Save(ctx, &honeyguide.Notice{ID: fmt.Sprint("n", n), Key: fmt.Sprint(n), CreatedAt: second(n), State: honeyguide.NoticeKept})
	},
	"/suppressions": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Suppressions().Save(ctx, &honeyguide.Suppression{Reason: fmt.Sprint(n), CreatedAt: second(n), ExpiresAt: day.AddDate(50, 0, 0)})
	},
	"/verdicts": func(ctx context.Context, tx state.Tx, n int) error {
		a := alert(n)
		if _, err := tx.Alerts().Save(ctx, a); err != nil {
			return err
		}
		_, _, err := tx.Verdicts().Pass(ctx, a.ID, honeyguide.Verdict{As: honeyguide.VerdictBenign, By: "jo", At: second(n)})
		return err
	},
	"/dead-letters": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{ID: fmt.Sprint("d", n), Time: second(n), Source: "s", Reason: "r"})
	},
	"/evidence": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.Bundles().Save(ctx, &honeyguide.Bundle{ID: fmt.Sprint("e", n), State: honeyguide.BundleFailed, At: second(n)})
	},
	"/incident-changes": func(ctx context.Context, tx state.Tx, n int) error {
		return tx.IncidentChanges().Add(ctx, &honeyguide.IncidentChange{Kind: "merge", From: fmt.Sprint("f", n), Into: "i", At: second(n)}, nil)
	},
}

// apart are the lists whose pages are tested elsewhere or that have no rows which
// come while somebody reads, each with why. A new list has to be here or above.
var apart = map[string]string{
	"/allowlist": "shown whole", "/rules": "in memory, by id", "/rules/faults": "in memory", "/playbooks": "in memory, by id", "/playbooks/faults": "in memory",
	"/sensors": "shown whole", "/sources": "shown whole", "/keys": "shown whole", "/bouncers": "shown whole", "/notices/channels": "shown whole",
	"/enrichers": "shown whole", "/blocklists": "shown whole", "/samples/{id}/sightings": "newest first, of one content", "/events": "of the event log: tested in lists_test.go and eventlog", "/approvals": "a list of runs, filtered",
	"/samples": "ordered by when they came last: who comes again is first", "/attackers": "ordered by what changes: who was last is first", "/enrichments": "asks for a value",
	"/incidents/{id}/timeline": "tested in incident", "/tokens/{id}/exposures": "the last hundred",
	"/triage/models": "shown whole", "/holds": "newest first, by number, which only grows: tested in TestHolds", "/evidence/{id}/custody": "shown whole", "/incidents/{id}/custody": "shown whole", "/evidence/{id}/items": "shown whole", "/reports/compliance": "shown whole", "/views": "of one owner: tested with the views",
	"/privacy/erasures": "a ledger, shown whole", "/privacy/retention": "shown whole",
	"/audit": "by number, which only grows: tested in internal/audit", "/users": "shown whole, by name", "/roles": "shown whole, by name",
	"/users/{id}/sessions": "shown whole", "/me/sessions": "shown whole", "/me/passkeys": "shown whole", "/settings/values": "shown whole",
	"/alerts/{id}/playbooks": "shown whole", "/attackers/{id}/notes": "shown whole", "/events/fields": "shown whole", "/events/top": "the most frequent, counted anew",
}

// lists returns the paths of all routes that answer with pages.
func (r *rig) lists() []string {
	r.t.Helper()
	s, err := build(r.dep)
	if err != nil {
		r.t.Fatal(err)
	}
	var out []string
	for path, item := range s.huma.OpenAPI().Paths {
		if item.Get == nil || item.Get.Responses["200"] == nil || item.Get.Responses["200"].Content["application/json"] == nil {
			continue
		}
		schema := resolved(s.huma.OpenAPI().Components.Schemas, item.Get.Responses["200"].Content["application/json"].Schema)
		if schema != nil && schema.Properties["items"] != nil && schema.Properties["next"] != nil {
			out = append(out, strings.TrimPrefix(path, base))
		}
	}
	slices.Sort(out)
	return out
}

type anyPage struct {
	Items []map[string]json.RawMessage `json:"items"`
	Next  string                       `json:"next"`
	Total *int64                       `json:"total"`
}

// nameOf is what tells one row from another.
func nameOf(row map[string]json.RawMessage) string {
	for _, name := range []string{"id", "address", "plan", "reason"} {
		if v, ok := row[name]; ok {
			return string(v) + string(row["verdict"])
		}
	}
	raw, _ := json.Marshal(row)
	return string(raw)
}

// TestCursorsSurviveWhatHappens reads every list page by page while rows come and
// change: each row that was there at the beginning is shown once.
func TestCursorsSurviveWhatHappens(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	for path := range apart {
		if !slices.Contains(r.lists(), path) {
			t.Errorf("%s is apart and no list", path)
		}
	}
	for _, path := range r.lists() {
		fill, covered := fillers[path]
		if apart[path] == "" && !covered {
			t.Errorf("GET %s answers with pages: give it a filler, or say why it is apart", path)
		}
		if !covered {
			continue
		}
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			r := newRig(t)
			n := 0
			more := func(rows int) {
				r.update(func(ctx context.Context, tx state.Tx) error {
					for range rows {
						if err := fill(ctx, tx, n); err != nil {
							return err
						}
						n++
					}
					return nil
				})
			}
			more(25)
			want := map[string]int{}
			whole := get[anyPage](r, base+path+"?limit=1000&count=1")
			for _, row := range whole.Items {
				want[nameOf(row)] = 0
			}
			if len(want) != 25 || whole.Total == nil || *whole.Total != 25 {
				t.Fatalf("%d rows of different names, total %v", len(want), whole.Total)
			}
			for after, page := "", 0; ; page++ {
				p := get[anyPage](r, base+path+"?limit=4&after="+url.QueryEscape(after))
				if got := r.following(base + path + "?limit=4&after=" + url.QueryEscape(after)); got != p.Next {
					t.Errorf("the head names the next page %q, the page %q", got, p.Next)
				}
				for _, row := range p.Items {
					if _, was := want[nameOf(row)]; was {
						want[nameOf(row)]++
					}
				}
				if after = p.Next; after == "" {
					break
				}
				more(3)
				if page > 50 {
					t.Fatal("the list has no end")
				}
			}
			for name, shown := range want {
				if shown != 1 {
					t.Errorf("%s was shown %d times", name, shown)
				}
			}
		})
	}
}

// following is the cursor of the next page as the head of an answer names it.
func (r *rig) following(path string) string {
	r.t.Helper()
	link := r.call(http.MethodGet, path, bootstrap, nil).Header().Get("Link")
	if link == "" {
		return ""
	}
	at, ok := strings.CutSuffix(strings.TrimPrefix(link, "<"), `>; rel="next"`)
	u, err := url.Parse(at)
	if err != nil || !ok || u.Path != "" || u.Query().Get("limit") != "4" {
		r.t.Errorf("Link: %s", link)
		return ""
	}
	return u.Query().Get("after")
}

// TestFollowersMissNothing follows the changes of every list that can be followed.
func TestFollowersMissNothing(t *testing.T) {
	t.Parallel()
	for _, path := range []string{"/alerts", "/incidents", "/sessions", "/runs", "/plans", "/notices", "/suppressions"} {
		t.Run(strings.TrimPrefix(path, "/"), func(t *testing.T) {
			r := newRig(t)
			n := 0
			more := func(rows int) {
				r.update(func(ctx context.Context, tx state.Tx) error {
					for range rows {
						if err := fillers[path](ctx, tx, n); err != nil {
							return err
						}
						n++
					}
					return nil
				})
			}
			more(7)
			seen := map[string]int{}
			q := "?limit=3&updated_after=2000-01-01T00:00:00Z"
			for round := range 12 {
				p := get[anyPage](r, base+path+q)
				for _, row := range p.Items {
					seen[nameOf(row)]++
				}
				if p.Next == "" {
					t.Fatal("there is no next page to follow")
				}
				if q = "?limit=3&after=" + url.QueryEscape(p.Next); round < 3 {
					more(2)
				}
			}
			if len(seen) != n {
				t.Errorf("heard of %d rows of %d", len(seen), n)
			}
			for name, times := range seen {
				if times != 1 {
					t.Errorf("heard %d times of %s", times, name)
				}
			}
		})
	}
}

// routes returns the operations of a method.
func (r *rig) routes(method string) (out []string) {
	r.t.Helper()
	s, err := build(r.dep)
	if err != nil {
		r.t.Fatal(err)
	}
	for pattern := range s.router.needs {
		if m, path, _ := strings.Cut(pattern, " "); m == method {
			out = append(out, path)
		}
	}
	slices.Sort(out)
	return out
}

// TestSingleObjectsHaveAnETag asks the description: every GET of one object says so.
func TestSingleObjectsHaveAnETag(t *testing.T) {
	r := newRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for path, item := range s.huma.OpenAPI().Paths {
		if path == base+"/reports/compliance/{framework}" {
			continue // a file made anew each time, in one of four forms
		}
		if item.Get == nil || !strings.HasSuffix(path, "}") || item.Get.Responses["200"] == nil || item.Get.Responses["200"].Content["application/json"] == nil {
			continue
		}
		if n++; item.Get.Responses["200"].Headers["ETag"] == nil {
			t.Errorf("GET %s has no ETag", path)
		}
	}
	if n < 10 {
		t.Errorf("only %d single objects", n)
	}
	r.update(func(ctx context.Context, tx state.Tx) error { return fillers["/alerts"](ctx, tx, 1) })
	w := r.call(http.MethodGet, base+"/alerts/A-1", bootstrap, nil)
	tag := w.Header().Get("ETag")
	// What comes in by itself is no reason to refuse; what people decide is.
	r.update(func(ctx context.Context, tx state.Tx) error { return fillers["/alerts"](ctx, tx, 1) })
	if again := r.call(http.MethodGet, base+"/alerts/A-1?fields=count", bootstrap, nil); tag == "" || again.Header().Get("ETag") != tag || again.Body.String() != "{\"count\":0}\n" {
		t.Errorf("%q, then %q: %s", tag, again.Header().Get("ETag"), again.Body)
	}
}

// single sends a change with an If-Match of its own.
func (r *rig) matching(method, path, match, body string) *httptest.ResponseRecorder {
	req := httptest.NewRequest(method, path, strings.NewReader(body))
	req.Header.Set("Authorization", "Bearer "+bootstrap.Reveal())
	req.Header.Set("Content-Type", "application/json")
	if match != "" {
		req.Header.Set("If-Match", match)
	}
	w := httptest.NewRecorder()
	r.handler.ServeHTTP(w, req)
	return w
}

// editable are the changes of what several people edit.
var editable = []string{"PATCH /incidents/{id}", "PATCH /incidents/{id}/tasks/{task}", "PATCH /alerts/{id}", "POST /suppressions/{id}/lift", "POST /rules/{id}/switch"}

func TestChangesSayWhatTheyWereDecidedUpon(t *testing.T) {
	r := newRig(t)
	for _, route := range editable {
		method, path, _ := strings.Cut(route, " ")
		if w := r.matching(method, base+strings.NewReplacer("{id}", "x", "{task}", "T-1").Replace(path), "", "{}"); w.Code != http.StatusPreconditionRequired {
			t.Errorf("%s without If-Match: got %d: %s", route, w.Code, w.Body)
		}
	}
	for _, path := range r.routes(http.MethodPatch) {
		if route := "PATCH " + strings.TrimPrefix(path, base); !slices.Contains(editable, route) && !strings.Contains(path, "/views/") && !strings.Contains(path, "/me/") && !strings.Contains(path, "/users/") && !strings.Contains(path, "/roles/") {
			t.Errorf("%s: does it want If-Match?", route)
		}
	}
	r.update(func(ctx context.Context, tx state.Tx) error { return fillers["/alerts"](ctx, tx, 1) })
	tag := r.call(http.MethodGet, base+"/alerts/A-1", bootstrap, nil).Header().Get("ETag")
	if w := r.matching(http.MethodPatch, base+"/alerts/A-1", tag, `{"status":"acknowledged","note":"mine"}`); w.Code != http.StatusOK {
		t.Fatalf("got %d: %s", w.Code, w.Body)
	}
	w := r.matching(http.MethodPatch, base+"/alerts/A-1", tag, `{"status":"closed"}`)
	var p Problem
	if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusPreconditionFailed || p.Present == nil || p.Present.By != "bootstrap" || p.Present.At.IsZero() || p.Present.ETag == tag {
		t.Errorf("the second got %d: %s", w.Code, w.Body)
	}
	if w := r.matching(http.MethodPatch, base+"/alerts/A-1", p.Present.ETag, `{"status":"closed"}`); w.Code != http.StatusOK {
		t.Errorf("after looking again: %d: %s", w.Code, w.Body)
	}
}

// TestMasksHideAndNeverShow asks every list for each of its fields alone: what
// comes is what the whole answer has under that name, and nothing else.
func TestMasksHideAndNeverShow(t *testing.T) {
	r := newRig(t)
	reader := newKey(r, "reader", auth.ScopeRead)
	r.update(func(ctx context.Context, tx state.Tx) error {
		for path, fill := range fillers {
			if path == "/verdicts" {
				continue
			}
			if err := fill(ctx, tx, 1); err != nil {
				return err
			}
		}
		return tx.DeadLetters().Add(ctx, honeyguide.DeadLetter{ID: "raw", Time: day, Source: "s", Raw: []byte("secret")})
	})
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	page := func(path string) (p anyPage) {
		w := r.call(http.MethodGet, path, reader, nil)
		if err := json.Unmarshal(w.Body.Bytes(), &p); err != nil || w.Code != http.StatusOK {
			t.Fatalf("%s: %d: %s", path, w.Code, w.Body)
		}
		return p
	}
	for path := range fillers {
		whole := page(base + path)
		for name := range s.generals["GET "+base+path].fields {
			p := page(base + path + "?fields=" + name)
			for i, row := range p.Items {
				want, there := whole.Items[i][name]
				if got, shown := row[name]; len(row) > 1 || shown != there || string(got) != string(want) {
					t.Errorf("%s?fields=%s: got %s, want %s", path, name, row, want)
				}
			}
		}
		if w := r.call(http.MethodGet, base+path+"?fields=id,undo_secret", reader, nil); w.Code != http.StatusBadRequest || strings.Contains(w.Body.String(), "undo_secret") {
			t.Errorf("%s: a field that is not there: %d: %s", path, w.Code, w.Body)
		}
	}
	if w := r.call(http.MethodGet, base+"/dead-letters?fields=raw", reader, nil); strings.Contains(w.Body.String(), "c2VjcmV0") {
		t.Errorf("a mask shows what is not asked for: %s", w.Body)
	}
}

func TestSpansHaveNames(t *testing.T) {
	r, now := bulkRig(t, 10) // minutes 0 to 9 of the day before now
	for span, want := range map[string]int{"yesterday": 10, "today": 0, "1h": 0, "24h": 10, "7d": 10} {
		if p := get[anyPage](r, base+"/alerts?span="+span); len(p.Items) != want {
			t.Errorf("%s: %d alerts, want %d", span, len(p.Items), want)
		}
	}
	*now = now.Add(5 * time.Minute)
	if p := get[anyPage](r, base+"/alerts?span=24h"); len(p.Items) != 5 {
		t.Errorf("24h: %d alerts, want 5", len(p.Items))
	}
	for _, q := range []string{"span=1y", "span=24h&from=2026-01-01T00:00:00Z", "fields=id,,title"} {
		if w := r.call(http.MethodGet, base+"/alerts?"+q, bootstrap, nil); w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d: %s", q, w.Code, w.Body)
		}
	}
}
