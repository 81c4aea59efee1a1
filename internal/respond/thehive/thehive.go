// Package thehive raises alerts in TheHive 5 and, when asked to, makes cases of
// them (client API v1).
//
// TheHive refuses a second alert of one (type, source, sourceRef): that triple is
// what makes raising one twice harmless. Ours is honeyguide, this node's name and
// the incident; an alert that is there already is brought up to date.
package thehive

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
)

// Kind is the thehive action.
var Kind = kind.Of("thehive", "Raise an alert or a case in TheHive 5.", Config{As: asAlert, TLP: 2, PAP: 2}, open)

// What is made there.
const (
	asAlert = "alert"
	asCase  = "case"
)

// Config configures a thehive action.
type Config struct {
	URL          string            `yaml:"url" doc:"address of TheHive, https://thehive.example.org"`
	Key          honeyguide.Secret `yaml:"key" doc:"API key of a user that may manage alerts (and cases)"`
	Organisation string            `yaml:"organisation" doc:"sent as X-Organisation; empty = the user's own"`
	As           string            `yaml:"as" doc:"alert, or case = an alert that is made a case at once"`
	Template     string            `yaml:"template" doc:"case template; empty = none"`
	TLP          int               `yaml:"tlp" doc:"0 clear, 1 green, 2 amber, 3 amber+strict, 4 red"`
	PAP          int               `yaml:"pap" doc:"permissible actions protocol, 0 to 3"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	switch {
	case len(c.Key) < 8 || strings.ContainsAny(c.Key.Reveal(), "\r\n "):
		return respond.Invalid("key: missing; set it, or key_file to the name of a file that holds it")
	case c.As != asAlert && c.As != asCase:
		return respond.Invalid("as: want alert or case")
	case c.TLP < 0 || c.TLP > 4:
		return respond.Invalid("tlp: want 0 to 4")
	case c.PAP < 0 || c.PAP > 3:
		return respond.Invalid("pap: want 0 to 3")
	case strings.ContainsFunc(c.Organisation, func(r rune) bool { return r < ' ' || r >= 0x7f }):
		return respond.Invalid("organisation: want ASCII")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
}

var (
	_ respond.Action   = (*action)(nil)
	_ respond.Verifier = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	reach, err := respond.ReachTo(cfg.URL)
	if err != nil {
		return nil, err
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	return &action{reach, cfg, dep}, nil
}

// paramObservables are the observables, one a line: type, blank, value.
const paramObservables = "observables"

const (
	maxObservables = 20
	maxTitle       = 250
)

// Plan plans an alert with the attackers and what was observed.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p, err := a.dep.PlanMessage(r, "TheHive ("+a.dep.Name+")")
	if err != nil {
		return p, err
	}
	var lines []string
	add := func(kind, value string) {
		line := kind + " " + value
		if value != "" && len(value) <= 512 && !safetext.Hostile(value) && len(lines) < maxObservables && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if r.Incident != nil {
		for _, ip := range r.Incident.Attackers {
			if a, err := netip.ParseAddr(ip); err == nil {
				add("ip", a.String())
			}
		}
	}
	for _, al := range r.Alerts {
		for _, o := range al.Observed {
			if kind := dataType[o.Type]; kind != "" {
				add(kind, o.Value)
			}
		}
	}
	delete(p.Params, paramObservables)
	if len(lines) > 0 {
		p.Params[paramObservables] = strings.Join(lines, "\n")
	}
	p.Effect = fmt.Sprintf("TheHive would get %s with %d observables: %s", map[string]string{asAlert: "an alert", asCase: "a case"}[a.cfg.As], len(lines), safetext.TermN(p.Params[respond.ParamTitle], 120))
	return p, nil
}

// dataType is their word for our types of observables. Users and tokens stay here:
// what stands in them may be a password.
var dataType = map[string]string{"ip": "ip", "domain": "domain", "url": "url", "hash": "hash"}

type observable struct {
	Type    string `json:"dataType"`
	Data    string `json:"data"`
	IOC     bool   `json:"ioc"`
	TLP     int    `json:"tlp"`
	Message string `json:"message,omitempty"`
}

// An alert is what is raised, and what is read back of it.
type alert struct {
	ID          string       `json:"_id,omitempty"`
	Type        string       `json:"type"`
	Source      string       `json:"source"`
	SourceRef   string       `json:"sourceRef"`
	Title       string       `json:"title,omitempty"`
	Description string       `json:"description,omitempty"`
	Severity    int          `json:"severity,omitempty"`
	Date        int64        `json:"date,omitempty"` // milliseconds
	Tags        []string     `json:"tags,omitempty"`
	TLP         int          `json:"tlp"`
	PAP         int          `json:"pap"`
	Link        string       `json:"externalLink,omitempty"`
	Template    string       `json:"caseTemplate,omitempty"`
	Observables []observable `json:"observables,omitempty"`
	Case        string       `json:"caseId,omitempty"`
}

// severity is theirs, 1 to 4.
func severity(s honeyguide.Severity) int {
	return min(max(int(s)-1, 1), 4)
}

// write says the plan in their words. The description is Markdown there, so it
// stands in a block of code.
func (a *action) write(p honeyguide.Plan) alert {
	m := respond.MessageOf(p)
	out := alert{
		Type: "honeyguide", Source: respond.InertLine(a.dep.Node, 100), SourceRef: sourceRef(m.Key), Title: m.Heading(maxTitle), Description: respond.Fence(m.Compose(respond.MaxText)),
		Severity: severity(m.Severity), Tags: tags(p), TLP: a.cfg.TLP, PAP: a.cfg.PAP, Link: m.Link, Template: a.cfg.Template,
	}
	if !m.At.IsZero() {
		out.Date = m.At.UnixMilli()
	}
	for line := range strings.Lines(p.Params[paramObservables]) {
		kind, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if ok {
			out.Observables = append(out.Observables, observable{Type: kind, Data: value, IOC: kind == "ip", TLP: a.cfg.TLP})
		}
	}
	return out
}

var plainRef = regexp.MustCompile(`[^A-Za-z0-9._-]`)

// sourceRef is a key as a sourceRef: at most 128 of few characters.
func sourceRef(key string) string {
	s := plainRef.ReplaceAllString(key, "_")
	return s[:min(len(s), 128)]
}

var technique = regexp.MustCompile(`\bT\d{4}(\.\d{3})?\b`)

func tags(p honeyguide.Plan) []string {
	out := []string{"honeyguide"}
	for _, t := range technique.FindAllString(p.Params[respond.ParamTechniques], 20) {
		out = append(out, "attack:"+t)
	}
	return out
}

// Apply raises the alert, or brings the one that is there up to date, and makes a
// case of it when that is asked for. The reference is the alert's or case's id.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	want := a.write(p)
	var got alert
	var detail string
	answer, err := a.call(ctx, http.MethodPost, "/api/v1/alert", want)
	switch {
	case err == nil:
		if err = answer.Decode(&got); err != nil {
			return respond.Receipt{}, fmt.Errorf("raise an alert in TheHive: %w", err)
		}
	case answer.Status == http.StatusBadRequest || answer.Status == http.StatusConflict:
		// The wording of a refused duplicate is not documented: whether it is one is
		// seen by looking.
		there, ferr := a.find(ctx, want)
		if ferr != nil {
			return respond.Receipt{}, fmt.Errorf("look for an alert in TheHive: %w", ferr)
		}
		if there == nil {
			return respond.Receipt{}, fmt.Errorf("raise an alert in TheHive: %w", err)
		}
		got, detail = *there, "The alert was there already and was brought up to date."
		if err = a.update(ctx, got.ID, want); err != nil {
			return respond.Receipt{}, err
		}
	default:
		return respond.Receipt{}, fmt.Errorf("raise an alert in TheHive: %w", err)
	}
	if !plainID(got.ID) {
		return respond.Receipt{}, answer.Fault("raise an alert in TheHive: no id in the answer")
	}
	if a.cfg.As == asCase {
		got.ID, err = a.promote(ctx, got)
	}
	return respond.Receipt{Ref: got.ID, Detail: detail}, err
}

var goodID = regexp.MustCompile(`^[~A-Za-z0-9_-]{1,100}$`)

// plainID reports whether an id may stand in a path.
func plainID(s string) bool { return goodID.MatchString(s) }

// update brings an alert up to date.
func (a *action) update(ctx context.Context, id string, want alert) error {
	if !plainID(id) {
		return respond.Permanent(errors.New("bring an alert in TheHive up to date: its id is none"))
	}
	change := map[string]any{"title": want.Title, "description": want.Description, "severity": want.Severity, "addTags": want.Tags, "lastSyncDate": want.Date}
	if _, err := a.call(ctx, http.MethodPatch, "/api/v1/alert/"+url.PathEscape(id), change); err != nil {
		return fmt.Errorf("bring an alert in TheHive up to date: %w", err)
	}
	for _, o := range want.Observables {
		answer, err := a.call(ctx, http.MethodPost, "/api/v1/alert/"+url.PathEscape(id)+"/observable", o)
		if err != nil && answer.Status != http.StatusBadRequest && answer.Status != http.StatusConflict { // known there already
			return fmt.Errorf("add an observable in TheHive: %w", err)
		}
	}
	return nil
}

// promote makes a case of an alert unless it is one's already, and returns its id.
func (a *action) promote(ctx context.Context, got alert) (string, error) {
	answer, err := a.call(ctx, http.MethodGet, "/api/v1/alert/"+url.PathEscape(got.ID), nil)
	if err != nil {
		return "", fmt.Errorf("read an alert of TheHive: %w", err)
	}
	var now alert
	if err := answer.Decode(&now); err != nil {
		return "", fmt.Errorf("read an alert of TheHive: %w", err)
	}
	if now.Case != "" {
		return respond.InertLine(now.Case, 100), nil
	}
	body := map[string]any{}
	if a.cfg.Template != "" {
		body["caseTemplate"] = a.cfg.Template
	}
	if answer, err = a.call(ctx, http.MethodPost, "/api/v1/alert/"+url.PathEscape(got.ID)+"/case", body); err != nil {
		return "", fmt.Errorf("make a case in TheHive: %w", err)
	}
	var made struct {
		ID string `json:"_id"`
	}
	if err := answer.Decode(&made); err != nil {
		return "", fmt.Errorf("make a case in TheHive: %w", err)
	}
	if !plainID(made.ID) {
		return "", answer.Fault("make a case in TheHive: no id in the answer")
	}
	return made.ID, nil
}

// find returns the alert of a triple, nil when there is none.
func (a *action) find(ctx context.Context, want alert) (*alert, error) {
	type step map[string]any
	answer, err := a.call(ctx, http.MethodPost, "/api/v1/query?name=alerts", map[string]any{"query": []step{
		{"_name": "listAlert"},
		{"_name": "filter", "_eq": step{"_field": "sourceRef", "_value": want.SourceRef}},
		{"_name": "page", "from": 0, "to": 15},
	}})
	if err != nil {
		return nil, err
	}
	var list []alert
	if err := answer.Decode(&list); err != nil {
		return nil, err
	}
	for _, got := range list {
		if got.Type == want.Type && got.Source == want.Source && got.SourceRef == want.SourceRef && plainID(got.ID) {
			return &got, nil
		}
	}
	return nil, nil
}

// Verify looks for the alert, and for the case when there should be one.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	got, err := a.find(ctx, a.write(p))
	switch {
	case err != nil:
		return fmt.Errorf("look for an alert in TheHive: %w", err)
	case got == nil:
		return errors.New("the alert is not in TheHive")
	case a.cfg.As == asCase && got.Case == "":
		return errors.New("the alert in TheHive is no case yet")
	}
	return nil
}

func (a *action) call(ctx context.Context, method, path string, body any) (respond.Answer, error) {
	header := map[string]string{"Authorization": "Bearer " + a.cfg.Key.Reveal()}
	if a.cfg.Organisation != "" {
		header["X-Organisation"] = a.cfg.Organisation
	}
	answer, err := a.dep.Call(ctx, respond.Call{Method: method, URL: a.cfg.URL + path, Header: header, JSON: body, Hide: []honeyguide.Secret{a.cfg.Key}})
	if err == nil && len(answer.Body) > 0 && method != http.MethodPatch && !json.Valid(answer.Body) {
		return answer, answer.Fault("it answers %d, but not in JSON", answer.Status)
	}
	return answer, err
}
