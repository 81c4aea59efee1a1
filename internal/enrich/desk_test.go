package enrich_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
	"honeyguide/internal/enrich"
	"honeyguide/internal/enrich/enrichtest"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// office is a desk with one service and a clock that the test moves.
type office struct {
	*enrich.Desk
	t       *testing.T
	at      time.Time
	web     *enrichtest.Web
	state   state.Store
	metrics *telemetry.Registry
}

// limits of the made-up service: a question a second, ten a day.
var limits = enrich.Limits{PerMinute: 60, PerDay: 10, Hit: 24 * time.Hour, Miss: 6 * time.Hour}

func newOffice(t *testing.T, h http.HandlerFunc) *office {
	t.Helper()
	o := &office{t: t, at: start, web: &enrichtest.Web{Handler: h}, metrics: telemetry.NewRegistry()}
	store, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir(), Now: o.now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	o.state = store
	service := enrich.NewService(enrich.Spec{
		Name: "oracle", Limits: limits, Types: []string{"ip", "hash"},
		Request: func(_, value string) fetcher.Request { return fetcher.Request{URL: "https://oracle.example/" + value} },
		Read: func(x *honeyguide.Enrichment, body []byte) error {
			var a struct {
				Word string
				Sure int
			}
			if err := json.Unmarshal(body, &a); err != nil {
				return err
			}
			if a.Word == "" {
				return errors.New("no word")
			}
			if a.Word == "nothing" {
				return enrich.ErrMiss
			}
			x.Verdict, x.Confidence = a.Word, a.Sure
			return nil
		},
	})
	o.Desk = enrich.NewDesk(enrich.DeskDeps{
		State: store, Fetch: o.web, Services: []enrich.Service{service.(enrich.Service)}, Own: []netip.Prefix{netip.MustParsePrefix("9.9.9.0/24")},
		Rescore: detect.Reputation, Metrics: o.metrics, Now: o.now,
	})
	return o
}

func (o *office) now() time.Time { return o.at }

// alert stores an alert about a source.
func (o *office) alert(src string, severity honeyguide.Severity, score float64) honeyguide.Alert {
	o.t.Helper()
	a := honeyguide.Alert{
		Time: o.at, LastAt: o.at, CreatedAt: o.at, Severity: severity, Status: honeyguide.AlertNew, Detector: "behaviour", RuleID: "r", Title: "x",
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.MustParseAddr(src), 1)}, Attacker: "attacker:" + src, DedupeKey: src + fmt.Sprint(severity),
		Score: score, Reasons: []honeyguide.Reason{{Feature: "severity", Weight: score, Text: "t"}},
	}
	if err := o.state.Update(o.t.Context(), func(tx state.Tx) error {
		_, err := tx.Alerts().Save(o.t.Context(), &a)
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
	return a
}

func (o *office) turn(d time.Duration) {
	o.t.Helper()
	o.at = o.at.Add(d)
	if err := o.Turn(o.t.Context()); err != nil {
		o.t.Fatal(err)
	}
}

// known returns what the state holds about an address.
func (o *office) known(addr string) (out []honeyguide.Enrichment) {
	o.t.Helper()
	if err := o.state.View(o.t.Context(), func(tx state.Tx) (err error) {
		out, err = tx.Enrichments().Of(o.t.Context(), "ip", addr)
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
	return out
}

func (o *office) get(id string) (a honeyguide.Alert) {
	o.t.Helper()
	if err := o.state.View(o.t.Context(), func(tx state.Tx) (err error) {
		a, err = tx.Alerts().Get(o.t.Context(), id)
		return err
	}); err != nil {
		o.t.Fatal(err)
	}
	return a
}

// An attacker is asked about once while the answer counts; the answer stands in
// the state and in the score, also after the same is claimed again.
func TestAsk(t *testing.T) {
	o := newOffice(t, func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, `{"word":"malicious","sure":80}`) })
	a := o.alert("8.8.8.8", honeyguide.SeverityHigh, 60)
	low := o.alert("8.8.4.4", honeyguide.SeverityLow, 10)
	inside := o.alert("10.0.0.1", honeyguide.SeverityHigh, 60)
	own := o.alert("9.9.9.9", honeyguide.SeverityHigh, 60)
	o.turn(time.Second)
	o.turn(time.Second)
	if got := fmt.Sprint(o.web.Asked); got != "[GET https://oracle.example/8.8.8.8]" {
		t.Fatalf("asked %s", got)
	}
	k := o.known("8.8.8.8")
	if len(k) != 1 || k[0].Verdict != honeyguide.SaysMalicious || !k[0].At.Equal(start.Add(time.Second)) || !k[0].Expires.Equal(k[0].At.Add(limits.Hit)) {
		t.Fatalf("known: %+v", k)
	}
	got := o.get(a.ID)
	if got.Score != 72 || len(got.Reasons) != 2 || got.Reasons[1].Feature != "reputation_oracle" || got.Reasons[1].Weight != 12 || got.Status != honeyguide.AlertNew {
		t.Errorf("alert: %v %+v", got.Score, got.Reasons)
	}
	for _, x := range []honeyguide.Alert{low, inside, own} {
		if now := o.get(x.ID); now.Score != x.Score {
			t.Errorf("%s: %v, was %v", x.Src.Addr, now.Score, x.Score)
		}
	}
	o.alert("8.8.8.8", honeyguide.SeverityHigh, 65) // the same claim, with a better reason
	if got := o.get(a.ID); got.Score != 77 || len(got.Reasons) != 2 {
		t.Errorf("after the same claim: %v %+v", got.Score, got.Reasons)
	}
	o.at = o.at.Add(time.Hour)
	o.alert("8.8.8.8", honeyguide.SeverityMedium, 35)
	if o.turn(time.Second); o.web.Count() != 1 {
		t.Error("asked again while the answer counts")
	}
	o.at = o.at.Add(limits.Hit)
	critical := o.alert("8.8.8.8", honeyguide.SeverityCritical, 95)
	if o.turn(time.Second); o.web.Count() != 2 {
		t.Error("not asked again when the answer counts no longer")
	}
	if got := o.get(critical.ID); got.Score != 100 {
		t.Errorf("a critical alert: %v", got.Score)
	}
}

// A good name lowers a score a little, closes nothing, and does not touch what is
// critical.
func TestGoodName(t *testing.T) {
	o := newOffice(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"word":"benign","sure":100}`) })
	a, b := o.alert("8.8.8.8", honeyguide.SeverityHigh, 60), o.alert("8.8.8.8", honeyguide.SeverityCritical, 90)
	o.turn(time.Second)
	if got := o.get(a.ID); got.Score != 50 || got.Status != honeyguide.AlertNew {
		t.Errorf("%v %s", got.Score, got.Status)
	}
	if got := o.get(b.ID); got.Score != 90 {
		t.Errorf("critical: %v", got.Score)
	}
}

// Whatever a service does, no alert changes for it, nothing that is no answer is
// kept, and it is left alone for as long as it should be.
func TestTrouble(t *testing.T) {
	for _, c := range []struct {
		name   string
		answer http.HandlerFunc
		rest   time.Duration // it is not asked before; 0: at once
		result string
		kept   string // verdict that is kept, "" for none
	}{
		{"not found", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) }, 0, "miss", "unknown"},
		{"says that it knows nothing", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, `{"word":"nothing"}`) }, 0, "miss", "unknown"},
		{"refuses the key", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(401) }, time.Hour, "refused_key", ""},
		{"forbids", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403) }, time.Hour, "refused_key", ""},
		{"too many, says how long", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", "1800")
			w.WriteHeader(429)
		}, 30 * time.Minute, "limited", ""},
		{"too many, says until when", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Retry-After", start.Add(2*time.Hour).Format(http.TimeFormat))
			w.WriteHeader(429)
		}, 2*time.Hour - time.Second, "limited", ""},
		{"too many", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(429) }, 15 * time.Minute, "limited", ""},
		{"is broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(500); fmt.Fprint(w, `{"word":"benign"}`) }, 15 * time.Minute, "failed", ""},
		{"hangs", func(w http.ResponseWriter, _ *http.Request) { enrichtest.Hang(w) }, time.Minute, "failed", ""},
		{"talks rubbish", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html>") }, time.Minute, "garbage", ""},
		{"never ends", func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, strings.Repeat(" ", 3<<20)) }, time.Minute, "failed", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			well := false
			o := newOffice(t, func(w http.ResponseWriter, r *http.Request) {
				if well {
					fmt.Fprint(w, `{"word":"malicious","sure":100}`)
					return
				}
				c.answer(w, r)
			})
			a := o.alert("8.8.8.8", honeyguide.SeverityHigh, 60)
			o.turn(time.Second)
			if got := o.get(a.ID); got.Score != 60 || len(got.Reasons) != 1 {
				t.Errorf("alert: %v %v", got.Score, got.Reasons)
			}
			k := o.known("8.8.8.8")
			if c.kept == "" && len(k) != 0 || c.kept != "" && (len(k) != 1 || k[0].Verdict != c.kept || !k[0].Expires.Equal(o.at.Add(limits.Miss))) {
				t.Errorf("kept %+v", k)
			}
			var text strings.Builder
			_, _ = o.metrics.WriteTo(&text)
			if want := `honeyguide_enrich_lookups_total{service="oracle",result="` + c.result + `"} 1`; !strings.Contains(text.String(), want) {
				t.Errorf("no %s in\n%s", want, text.String())
			}
			if c.kept != "" {
				return
			}
			if st := o.Status(); st[0].State != enrich.StateFailed || st[0].Detail == "" {
				t.Errorf("status %+v", st)
			}
			well = true
			if o.turn(c.rest - time.Second); o.web.Count() != 1 {
				t.Error("asked before its rest was over")
			}
			if o.turn(2 * time.Second); o.web.Count() != 2 || len(o.known("8.8.8.8")) != 1 {
				t.Errorf("asked %d times", o.web.Count())
			}
			if st := o.Status(); st[0].State != enrich.StateOK {
				t.Errorf("status after it is well: %+v", st)
			}
		})
	}
}

// The pace and the budget of a day are kept; the worst is asked about first.
func TestBudget(t *testing.T) {
	o := newOffice(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	for i := range 20 {
		o.alert(fmt.Sprintf("8.8.8.%d", i+1), honeyguide.SeverityMedium, 35)
	}
	o.alert("8.8.4.4", honeyguide.SeverityHigh, 60)
	o.turn(0)
	if got := fmt.Sprint(o.web.Asked); got != "[GET https://oracle.example/8.8.4.4]" {
		t.Errorf("first: %s", got)
	}
	if o.turn(time.Second); o.web.Count() != 2 {
		t.Errorf("after a second: %d", o.web.Count())
	}
	for range 30 {
		o.turn(time.Second)
	}
	if o.web.Count() != limits.PerDay || o.Waiting() != 11 {
		t.Errorf("after half a minute: %d asked, %d wait", o.web.Count(), o.Waiting())
	}
	if st := o.Status(); st[0].Asked != 10 || st[0].Budget != 10 || st[0].State != enrich.StateStale {
		t.Errorf("%+v", st)
	}
	for range 20 { // from midnight on
		o.turn(time.Hour)
	}
	if o.web.Count() != 2*limits.PerDay {
		t.Errorf("the day after: %d", o.web.Count())
	}
}

// A flood of attackers costs a bounded queue and is asked about by severity.
func TestFlood(t *testing.T) {
	o := newOffice(t, func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(404) })
	if err := o.state.Update(t.Context(), func(tx state.Tx) error {
		return flood(t.Context(), tx, 1500)
	}); err != nil {
		t.Fatal(err)
	}
	if o.turn(0); o.Waiting() != 999 {
		t.Errorf("%d wait, want 999", o.Waiting())
	}
}

func flood(ctx context.Context, tx state.Tx, n int) error {
	list := make([]honeyguide.Alert, n)
	for i := range list {
		addr := netip.AddrFrom4([4]byte{8, 8, byte(i >> 8), byte(i)})
		list[i] = honeyguide.Alert{CreatedAt: start, Severity: honeyguide.SeverityMedium, Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(addr, 1)}, DedupeKey: addr.String()}
	}
	_, err := tx.Alerts().SaveAll(ctx, list)
	return err
}

func TestPublic(t *testing.T) {
	for s, want := range map[string]bool{
		"8.8.8.8": true, "2001:4860:4860::8888": true, "10.0.0.1": false, "127.0.0.1": false, "169.254.1.1": false, "100.64.0.1": false,
		"203.0.113.7": false, "224.0.0.1": false, "::1": false, "fe80::1": false, "fd00::1": false, "::ffff:10.0.0.1": false, "0.0.0.0": false, "255.255.255.255": false,
	} {
		if got := enrich.Public(netip.MustParseAddr(s)); got != want {
			t.Errorf("%s: %v", s, got)
		}
	}
}
