// Package abuseipdb reports an attacker's address to AbuseIPDB (API v2, endpoint
// report). A report is public and cannot be taken back: nothing is reported unless
// an action of this kind is configured, and the comment is ours alone, without a
// byte of the attacker's.
package abuseipdb

import (
	"context"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the abuseipdb action.
var Kind = kind.Of("abuseipdb", "Report an attacker's address to AbuseIPDB.", Config{URL: "https://api.abuseipdb.com"}, open)

// Config configures an abuseipdb action.
type Config struct {
	Key honeyguide.Secret `yaml:"key" doc:"API key of your account there"`
	URL string            `yaml:"url" doc:"address of the service"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	if len(c.Key) < 10 || strings.ContainsAny(c.Key.Reveal(), "\r\n ") {
		return respond.Invalid("key: missing; set it, or key_file to the name of a file that holds it")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
}

var _ respond.Action = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	if dep.Guard == nil {
		return nil, fmt.Errorf("abuseipdb: no guard; nothing may be reported without one")
	}
	reach, err := respond.ReachTo(cfg.URL)
	if err != nil {
		return nil, err
	}
	return &action{reach, cfg, dep}, nil
}

// Params of the plan.
const (
	paramCategories = "categories"
	paramComment    = "comment"
)

// numbers is a list of categories; there are some two dozens of them.
var numbers = regexp.MustCompile(`^[1-9][0-9]?(,[1-9][0-9]?){0,9}$`)

// categories are theirs for our threat categories: 14 port scan, 15 hacking, 18
// brute force, 20 exploited host, 21 web attack, 22 SSH.
var categories = map[string]string{
	honeyguide.CategoryFailedAuth: "18", honeyguide.CategoryRecon: "14", honeyguide.CategoryIntrusion: "15", honeyguide.CategoryMalware: "15,20",
	honeyguide.CategoryPrivilege: "15", honeyguide.CategoryPersistence: "15", honeyguide.CategoryToken: "15", honeyguide.CategoryLateral: "15",
}

// words are what the comment says about a threat category.
var words = map[string]string{
	honeyguide.CategoryFailedAuth: "password guessing", honeyguide.CategoryRecon: "scanning", honeyguide.CategoryIntrusion: "intrusion", honeyguide.CategoryMalware: "malware",
	honeyguide.CategoryPrivilege: "privilege escalation", honeyguide.CategoryPersistence: "persistence", honeyguide.CategoryToken: "use of planted credentials", honeyguide.CategoryLateral: "lateral movement",
}

// Plan plans to report the address r.Target. Private and own addresses, and those
// on the allowlist, are refused. The param categories overrides what follows from
// the alerts; there is no param for the comment.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	target, err := respond.ParseTarget(r.Target)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan a report: %w", err)
	}
	name := respond.Canonical(target)
	if !target.IsSingleIP() {
		return honeyguide.Plan{}, fmt.Errorf("plan a report: %s is no single address", name)
	}
	p := honeyguide.Plan{Action: a.dep.Name, Target: name, Params: map[string]string{}, State: honeyguide.PlanPlanned, Reason: r.Reason, Irreversible: true}
	list, seen := strings.ReplaceAll(r.Params[paramCategories], " ", ""), sightings(r.Alerts)
	if list == "" {
		list = join(r.Alerts)
	}
	if !numbers.MatchString(list) {
		return honeyguide.Plan{}, fmt.Errorf("plan a report: categories: want numbers with commas, such as 18,22")
	}
	p.Params[paramCategories], p.Params[paramComment] = list, comment(r, seen)
	p.Effect = fmt.Sprintf("%s would be reported to AbuseIPDB, in public and for good, in the categories %s.", name, list)
	if why := a.refuse(target.Addr().IsPrivate(), r, name); why != "" {
		p.State, p.Reason, p.Effect = honeyguide.PlanRefused, "Refused: "+why+".", "Nothing would change."
	} else if why := a.dep.Guard.Refuse(target); why != "" {
		p.State, p.Reason, p.Effect = honeyguide.PlanRefused, "Refused: "+why+".", "Nothing would change."
	}
	return p, nil
}

// refuse is stricter than the guard: a report tells strangers.
func (a *action) refuse(private bool, r respond.Request, name string) string {
	switch {
	case private:
		return name + " is private; nobody else can do anything about it"
	case r.Incident != nil && !slices.Contains(r.Incident.Proven, name) && !slices.Contains(r.Incident.Attackers, name):
		return name + " is no attacker of the incident"
	}
	return ""
}

// join collects the categories of alerts, 15 when none is known.
func join(alerts []honeyguide.Alert) string {
	var out []string
	add := func(list string) {
		for c := range strings.SplitSeq(list, ",") {
			if c != "" && !slices.Contains(out, c) {
				out = append(out, c)
			}
		}
	}
	for _, al := range alerts {
		add(categories[al.Category])
		if strings.HasPrefix(al.Sensor, "ssh") {
			add("22")
		}
	}
	if len(out) == 0 {
		return "15"
	}
	slices.Sort(out)
	return strings.Join(out[:min(len(out), 10)], ",")
}

// sightings are our own words for what the alerts say.
func sightings(alerts []honeyguide.Alert) []string {
	var out []string
	for _, al := range alerts {
		if w := words[al.Category]; w != "" && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}
	slices.Sort(out)
	return out
}

// comment is made of our own words, a time and the plan's incident number.
func comment(r respond.Request, seen []string) string {
	what := strings.Join(seen, ", ")
	if what == "" {
		what = "unsolicited access"
	}
	text := "Honeypot: " + what
	if r.Incident != nil && !r.Incident.FirstAt.IsZero() {
		text += ", first seen " + r.Incident.FirstAt.UTC().Format("2006-01-02 15:04 UTC")
	}
	return text + "."
}

// Apply reports. The service takes a second report of one address within 15
// minutes for an error (429), so that an outcome that was lost leaves one report.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	form := url.Values{"ip": {p.Target}, "categories": {p.Params[paramCategories]}, "comment": {p.Params[paramComment]}, "timestamp": {p.CreatedAt.UTC().Format("2006-01-02T15:04:05-07:00")}}
	answer, err := a.dep.Call(ctx, respond.Call{
		URL: strings.TrimRight(a.cfg.URL, "/") + "/api/v2/report", Body: []byte(form.Encode()), Hide: []honeyguide.Secret{a.cfg.Key},
		Header: map[string]string{"Key": a.cfg.Key.Reveal(), "Content-Type": "application/x-www-form-urlencoded"},
	})
	if answer.Status == 429 && p.Attempts > 1 && strings.Contains(string(answer.Body), "once in 15 minutes") {
		return respond.Receipt{Ref: p.Target, Detail: "It was reported by an earlier attempt."}, nil
	}
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("report to AbuseIPDB: %w", err)
	}
	var said struct {
		Data *struct {
			IP    string `json:"ipAddress"`
			Score int    `json:"abuseConfidenceScore"`
		} `json:"data"`
		Errors []struct {
			Detail string `json:"detail"`
		} `json:"errors"`
	}
	if err := answer.Decode(&said); err != nil {
		return respond.Receipt{}, fmt.Errorf("report to AbuseIPDB: %w", err)
	}
	if len(said.Errors) > 0 || said.Data == nil {
		return respond.Receipt{}, respond.Permanent(answer.Fault("report to AbuseIPDB: it answers %d with errors", answer.Status))
	}
	return respond.Receipt{Ref: p.Target, Detail: fmt.Sprintf("Its score there is %d now.", said.Data.Score)}, nil
}
