package app

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"path/filepath"
	"strings"
	"time"

	"honeyguide/internal/client"
	"honeyguide/internal/comply"
)

// liveLines are the lines a running core can answer: each stands on a check of
// the compliance report, so that both say the same.
var liveLines = []struct {
	name, check string
	fail        bool // a gap fails; else it is a warning
}{
	{"accounts", "people", false},
	{"second factor", "mfa", false},
	{"second factor enforced", "mfa_enforced", false},
	{"passwords", "passwords", false},
	{"idle accounts", "leavers", false},
	{"roles", "roles", false},
	{"api keys end", "keys_ended", false},
	{"api keys least", "keys_least", false},
	{"tls", "tls", true},
	{"patches", "patched", false},
	{"hardening", "hardened", false},
	{"build", "build", false},
	{"secrets at rest", "rest", true},
	{"key rotation", "rotated", false},
	{"configuration secrets", "config_secrets", false},
	{"event logging", "trail", true},
	{"audit verified", "trail_sound", true},
	{"audit witness", "witness", false},
	{"log aggregation", "forwarded", false},
	{"alerting", "notify", false},
	{"detection", "detecting", false},
	{"monitoring", "metrics", false},
	{"retention classes", "retention", false},
	{"pseudonyms", "pseudonyms", false},
	{"legal basis", "purpose", false},
	{"egress", "separation", true},
	{"resource limits", "bounded", true},
	{"honeytokens", "tokens", false},
	{"response times", "sla", false},
	{"custody", "custody", true},
	{"integrity", "integrity", true},
	{"clock", "clock", false},
	{"approvals", "approvals", false},
}

// liveFramework has every check of liveLines.
const liveFramework = "iso27001"

// livePatience is how long a running core may take to measure itself.
const livePatience = 30 * time.Second

// checkLive asks a running core how it stands, and knocks at its doors.
func checkLive(ctx context.Context, s Settings) []Finding {
	ctx, cancel := context.WithTimeout(ctx, livePatience)
	defer cancel()
	socket := filepath.Join(s.Node.Data, SocketName)
	cl := client.Unix(socket)
	if !cl.Alive(ctx) {
		return unknownLines("the core does not run, so nobody can say", "start it, then run honeyguide doctor again")
	}
	var r comply.Assessment
	if err := cl.Get(ctx, "/api/v1/reports/compliance/"+liveFramework+"/controls", nil, &r); err != nil {
		return unknownLines(err.Error(), "look at the core's log")
	}
	answers := map[string]comply.CheckAnswer{}
	for i := range r.Rows {
		for _, a := range r.Rows[i].Answers {
			answers[a.Check] = a
		}
	}
	var out []Finding
	for _, l := range liveLines {
		out = append(out, lineOf(l.name, l.fail, answers[l.check]))
	}
	out = append(out, ok("compliance", "%d controls of %s measured: %d met, %d partly, %d gaps (honeyguide report compliance)", r.Controls, r.Framework.Short, r.Counts[comply.Met], r.Counts[comply.Partly], r.Counts[comply.Gap]))
	return append(out, checkGuards(ctx, socket)...)
}

// unknownLines are the lines nobody can answer.
func unknownLines(why, mend string) []Finding {
	var out []Finding
	for _, l := range liveLines {
		out = append(out, Finding{l.name, StatusWarn, why, mend})
	}
	for _, name := range []string{"compliance", "input validation", "sql injection", "cross-site scripting", "cross-site requests"} {
		out = append(out, Finding{name, StatusWarn, why, mend})
	}
	return out
}

// lineOf turns the answer of a check into a finding.
func lineOf(name string, fail bool, a comply.CheckAnswer) Finding {
	switch {
	case a.Check == "":
		return Finding{name, StatusWarn, "the running core is of another version and does not say", "restart the core"}
	case a.Status == comply.Met:
		return ok(name, "%s", a.Title)
	case a.Status == comply.Gap && fail:
		return Finding{name, StatusFail, a.Says, a.Mend}
	case a.Mend == "": // there is nothing to judge
		return ok(name, "%s", a.Says)
	}
	return Finding{name, StatusWarn, a.Says, a.Mend}
}

// A knock is one request that has to be refused, or answered harmlessly.
type knock struct {
	name, method, path string
	header             map[string]string
	good               func(status int, h http.Header, body string) bool
	text, bad          string
}

var knocks = []knock{
	{
		"input validation", http.MethodGet, "/api/v1/alerts?limit=many", nil,
		func(status int, _ http.Header, _ string) bool {
			return status == http.StatusUnprocessableEntity || status == http.StatusBadRequest
		},
		"what is not understood is refused", "a wrong parameter was not refused",
	},
	{
		"sql injection", http.MethodGet, "/api/v1/alerts?src=%27%20OR%20%271%27%3D%271%27%20--%20", nil,
		func(status int, _ http.Header, body string) bool {
			return status < http.StatusInternalServerError && !strings.Contains(strings.ToLower(body), "sqlite") && !strings.Contains(body, `"id"`)
		},
		"a quote stays a quote: values never become statements", "a quote in a parameter changed the answer",
	},
	{
		"cross-site scripting", http.MethodGet, "/", nil,
		func(_ int, h http.Header, _ string) bool {
			p := h.Get("Content-Security-Policy")
			return strings.Contains(p, "default-src 'none'") && strings.Contains(p, "trusted-types 'none'") && !strings.Contains(p, "unsafe-inline") && h.Get("X-Content-Type-Options") == "nosniff"
		},
		"pages may run nothing but their own files, and no text becomes markup", "the policy of pages is weaker than it was built",
	},
	{
		"cross-site requests", http.MethodPost, "/api/v1/suppressions/preview",
		map[string]string{"Sec-Fetch-Site": "cross-site", "Origin": "https://elsewhere.example"},
		func(status int, _ http.Header, _ string) bool { return status == http.StatusForbidden },
		"requests of other sites are refused", "a request of another site was not refused",
	},
}

// checkGuards knocks at the doors of a running core as a stranger would.
func checkGuards(ctx context.Context, socket string) []Finding {
	tr := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}}
	defer tr.CloseIdleConnections()
	cl := &http.Client{Transport: tr}
	var out []Finding
	for _, k := range knocks {
		status, h, body, err := k.try(ctx, cl)
		switch {
		case err != nil:
			out = append(out, Finding{k.name, StatusWarn, err.Error(), "look at the core's log"})
		case !k.good(status, h, body):
			out = append(out, Finding{k.name, StatusFail, fmt.Sprintf("%s (status %d)", k.bad, status), "do not use this build; report it as SECURITY.md says"})
		default:
			out = append(out, ok(k.name, "%s", k.text))
		}
	}
	return out
}

func (k *knock) try(ctx context.Context, cl *http.Client) (status int, h http.Header, body string, err error) {
	r, err := http.NewRequestWithContext(ctx, k.method, "http://core"+k.path, http.NoBody)
	if err != nil {
		return 0, nil, "", err
	}
	for name, value := range k.header {
		r.Header.Set(name, value)
	}
	res, err := cl.Do(r)
	if err != nil {
		return 0, nil, "", err
	}
	defer res.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, res.Header, string(raw), err
}
