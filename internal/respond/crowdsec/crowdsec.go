// Package crowdsec tells a CrowdSec Local API to ban an address, as one of its
// watchers does: log in, look at the allowlists, push an alert with a decision.
//
// An alert that carries decisions passes the server's allowlists by, so they are
// asked first. The alert's message names the plan; it is looked for before another
// is pushed, and what is undone is that alert's decisions alone.
package crowdsec

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the crowdsec action.
var Kind = kind.Of("crowdsec", "Ban an address by the CrowdSec Local API.", Config{TTL: 4 * time.Hour, Type: "ban", Origin: "honeyguide", Scenario: "honeyguide/decoy"}, open)

// Config configures a crowdsec action.
type Config struct {
	URL      string            `yaml:"url" doc:"address of the Local API, http://127.0.0.1:8080"`
	Machine  string            `yaml:"machine" doc:"machine id of the watcher (cscli machines add)"`
	Password honeyguide.Secret `yaml:"password" doc:"its password"`
	TTL      time.Duration     `yaml:"ttl" doc:"how long a decision holds when the step says nothing"`
	Type     string            `yaml:"type" doc:"ban, captcha or another remediation its bouncers know"`
	Origin   string            `yaml:"origin" doc:"origin of the decisions; one that is not crowdsec is shown by cscli decisions list -a alone"`
	Scenario string            `yaml:"scenario" doc:"name of the scenario in its lists"`
}

var word = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._/-]{0,99}$`)

// Validate checks the settings.
func (c *Config) Validate() error {
	switch {
	case c.Machine == "" || len(c.Machine) > 200:
		return respond.Invalid("machine: missing; make one with cscli machines add")
	case len(c.Password) < 4:
		return respond.Invalid("password: missing; set it, or password_file to the name of a file that holds it")
	case c.TTL < time.Minute || c.TTL > respond.MaxTTL:
		return respond.Invalid("ttl: want 1m to 720h; a decision always ends")
	case !word.MatchString(c.Type) || strings.Contains(c.Type, "/"):
		return respond.Invalid("type: want ban, captcha or another remediation")
	case !word.MatchString(c.Origin):
		return respond.Invalid("origin: want a word")
	case !word.MatchString(c.Scenario):
		return respond.Invalid("scenario: want a name such as honeyguide/decoy")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	honeyguide.Veil
	respond.Reach
	cfg Config
	dep respond.Deps

	mu    sync.Mutex
	token honeyguide.Secret
	until time.Time // of token
}

var (
	_ respond.Verifier = (*action)(nil)
	_ respond.Reverter = (*action)(nil)
)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	if dep.Guard == nil {
		return nil, errors.New("crowdsec: no guard; nothing may be planned without one")
	}
	reach, err := respond.ReachTo(cfg.URL)
	if err != nil {
		return nil, err
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	return &action{Reach: reach, cfg: cfg, dep: dep}, nil
}

// Plan plans a decision about r.Target, an address or a prefix. The param ttl is a
// duration.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	target, err := respond.ParseTarget(r.Target)
	if err != nil {
		return honeyguide.Plan{}, fmt.Errorf("plan a decision: %w", err)
	}
	ttl := a.cfg.TTL
	if s := r.Params["ttl"]; s != "" {
		if ttl, err = time.ParseDuration(s); err != nil {
			return honeyguide.Plan{}, errors.New("plan a decision: ttl: want a duration such as 4h")
		}
	}
	ttl = min(max(ttl, time.Minute), respond.MaxTTL).Truncate(time.Second)
	name := respond.Canonical(target)
	p := honeyguide.Plan{
		Action: a.dep.Name, Target: name, Params: map[string]string{"ttl": ttl.String()}, State: honeyguide.PlanPlanned, Reason: r.Reason, ExpiresAt: r.Now.UTC().Add(ttl),
		Effect: fmt.Sprintf("CrowdSec would be told to %s %s for %s; its bouncers carry it out.", a.cfg.Type, name, ttl),
	}
	if why := a.dep.Guard.Refuse(target); why != "" {
		p.State, p.Reason, p.Effect, p.ExpiresAt = honeyguide.PlanRefused, "Refused: "+why+".", "Nothing would change.", time.Time{}
	}
	return p, nil
}

type source struct {
	Scope string `json:"scope"`
	Value string `json:"value"`
	IP    string `json:"ip,omitempty"`
	Range string `json:"range,omitempty"`
}

type decision struct {
	ID       int64  `json:"id,omitempty"`
	Origin   string `json:"origin"`
	Type     string `json:"type"`
	Scope    string `json:"scope"`
	Value    string `json:"value"`
	Duration string `json:"duration"`
	Scenario string `json:"scenario"`
}

type meta struct {
	Key   string `json:"key"`
	Value string `json:"value"`
}

type event struct {
	Timestamp string `json:"timestamp"`
	Meta      []meta `json:"meta"`
}

// An alert is what is pushed, and what is read back of it.
type alert struct {
	ID              int64      `json:"id,omitempty"`
	Scenario        string     `json:"scenario"`
	ScenarioHash    string     `json:"scenario_hash"`
	ScenarioVersion string     `json:"scenario_version"`
	Message         string     `json:"message"`
	EventsCount     int        `json:"events_count"`
	StartAt         string     `json:"start_at"`
	StopAt          string     `json:"stop_at"`
	Capacity        int        `json:"capacity"`
	Leakspeed       string     `json:"leakspeed"`
	Simulated       bool       `json:"simulated"`
	Remediation     bool       `json:"remediation"`
	Events          []event    `json:"events"`
	Source          source     `json:"source"`
	Decisions       []decision `json:"decisions"`
}

// message is how an alert of a plan is known again.
func message(p honeyguide.Plan) string {
	return "honeyguide plan " + respond.InertLine(p.ID, 80)
}

func about(p honeyguide.Plan) source {
	s := source{Scope: "Ip", Value: p.Target, IP: p.Target}
	if strings.Contains(p.Target, "/") {
		s = source{Scope: "Range", Value: p.Target, Range: p.Target}
	}
	return s
}

// Apply pushes the decision for what is left of its time. The reference is the
// alert's number.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	left := p.ExpiresAt.Sub(a.dep.Now()).Truncate(time.Second)
	if left < time.Second {
		return respond.Receipt{}, respond.Permanent(errors.New("push to CrowdSec: the time of the decision is over"))
	}
	target, err := respond.ParseTarget(p.Target)
	if err != nil {
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("push to CrowdSec: %w", err))
	}
	if why := a.dep.Guard.Refuse(target); why != "" { // the allowlist may have grown since
		return respond.Receipt{}, respond.Permanent(fmt.Errorf("push to CrowdSec: refused: %s", why))
	}
	if there, err := a.find(ctx, p); err != nil || there != nil {
		if err != nil {
			return respond.Receipt{}, fmt.Errorf("look for an alert in CrowdSec: %w", err)
		}
		return respond.Receipt{Ref: strconv.FormatInt(there.ID, 10), Detail: "The alert was there already."}, nil
	}
	if err := a.allowed(ctx, p.Target); err != nil {
		return respond.Receipt{}, err
	}
	at := p.CreatedAt.UTC().Format(time.RFC3339)
	src := about(p)
	body := []alert{{
		Scenario: a.cfg.Scenario, ScenarioVersion: "1", Message: message(p), EventsCount: 1, StartAt: at, StopAt: at, Leakspeed: "0s", Remediation: true, Source: src,
		Events:    []event{{at, []meta{{"source_ip", p.Target}, {"incident", respond.InertLine(p.Incident, 80)}}}},
		Decisions: []decision{{Origin: a.cfg.Origin, Type: a.cfg.Type, Scope: src.Scope, Value: src.Value, Duration: left.String(), Scenario: a.cfg.Scenario}},
	}}
	answer, err := a.call(ctx, http.MethodPost, "/v1/alerts", body)
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("push to CrowdSec: %w", err)
	}
	var ids []string
	if err := answer.Decode(&ids); err != nil {
		return respond.Receipt{}, fmt.Errorf("push to CrowdSec: %w", err)
	}
	if len(ids) != len(body) || !number.MatchString(ids[0]) { // it leaves out what it does not want
		return respond.Receipt{}, answer.Fault("push to CrowdSec: it took %d of %d alerts", len(ids), len(body))
	}
	return respond.Receipt{Ref: ids[0]}, nil
}

var number = regexp.MustCompile(`^[0-9]{1,18}$`)

// allowed asks the server's allowlists. A server that has none (before 1.6.6)
// answers 404.
func (a *action) allowed(ctx context.Context, target string) error {
	answer, err := a.call(ctx, http.MethodGet, "/v1/allowlists/check/"+url.PathEscape(target), nil)
	if answer.Status == http.StatusNotFound {
		return nil
	}
	if err != nil {
		return fmt.Errorf("ask the allowlists of CrowdSec: %w", err)
	}
	var said struct {
		Allowlisted *bool  `json:"allowlisted"`
		Reason      string `json:"reason"`
	}
	if answer.Status == http.StatusNoContent {
		return nil
	}
	if err := answer.Decode(&said); err != nil {
		return fmt.Errorf("ask the allowlists of CrowdSec: %w", err)
	}
	switch {
	case said.Allowlisted == nil:
		return answer.Fault("ask the allowlists of CrowdSec: no answer to the question")
	case *said.Allowlisted:
		return respond.Permanent(fmt.Errorf("push to CrowdSec: refused: %s is on its allowlist (%s)", target, respond.InertLine(said.Reason, 100)))
	}
	return nil
}

// find returns the alert of a plan, nil when there is none.
func (a *action) find(ctx context.Context, p honeyguide.Plan) (*alert, error) {
	src := about(p)
	query := url.Values{"scenario": {a.cfg.Scenario}, "scope": {src.Scope}, "value": {src.Value}, "limit": {"100"}}
	answer, err := a.call(ctx, http.MethodGet, "/v1/alerts?"+query.Encode(), nil)
	if err != nil {
		return nil, err
	}
	var list []alert // null when there are none
	if err := answer.Decode(&list); err != nil {
		return nil, err
	}
	i := slices.IndexFunc(list, func(al alert) bool { return al.Message == message(p) && al.Source.Value == src.Value })
	if i < 0 {
		return nil, nil
	}
	return &list[i], nil
}

// Verify looks whether the decision is there and holds.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	got, err := a.find(ctx, p)
	switch {
	case err != nil:
		return fmt.Errorf("look for an alert in CrowdSec: %w", err)
	case got == nil:
		return errors.New("the alert is not in CrowdSec")
	}
	for _, d := range got.Decisions {
		if left, err := time.ParseDuration(d.Duration); err == nil && left > 0 && d.Type == a.cfg.Type {
			return nil
		}
	}
	return errors.New("the alert in CrowdSec has no decision that holds")
}

// Revert deletes the decisions of the plan's alert. What other alerts decided about
// the same address stays.
func (a *action) Revert(ctx context.Context, p honeyguide.Plan) error {
	got, err := a.find(ctx, p)
	if err != nil {
		return fmt.Errorf("look for an alert in CrowdSec: %w", err)
	}
	if got == nil {
		return nil
	}
	for _, d := range got.Decisions {
		if d.ID <= 0 {
			continue
		}
		answer, err := a.call(ctx, http.MethodDelete, "/v1/decisions/"+strconv.FormatInt(d.ID, 10), nil)
		if err != nil && answer.Status != http.StatusNotFound {
			// A decision that is over already is an error of its own there.
			if answer.Status == http.StatusInternalServerError && strings.Contains(string(answer.Body), "doesn't exist") {
				continue
			}
			return fmt.Errorf("delete a decision of CrowdSec: %w", err)
		}
	}
	return nil
}

// early is how long before its end a token is renewed.
const early = time.Minute

// login returns the watcher's token.
func (a *action) login(ctx context.Context) (string, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.token != "" && a.dep.Now().Before(a.until) {
		return a.token.Reveal(), nil
	}
	body := map[string]any{"machine_id": a.cfg.Machine, "password": a.cfg.Password.Reveal(), "scenarios": []string{a.cfg.Scenario}}
	answer, err := a.dep.Call(ctx, respond.Call{URL: a.cfg.URL + "/v1/watchers/login", JSON: body, Hide: []honeyguide.Secret{a.cfg.Password}, Header: agent()})
	if err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	var said struct {
		Token  string    `json:"token"`
		Expire time.Time `json:"expire"`
	}
	if err := answer.Decode(&said); err != nil {
		return "", fmt.Errorf("log in: %w", err)
	}
	if said.Token == "" || strings.ContainsAny(said.Token, "\r\n ") {
		return "", errors.New("log in: no token in the answer") // the answer may hold half of one: it is not shown
	}
	a.token, a.until = honeyguide.Secret(said.Token), said.Expire.Add(-early)
	return a.token.Reveal(), nil
}

func agent() map[string]string { return map[string]string{"User-Agent": "honeyguide/1"} }

// call asks as a watcher. A token that is no longer taken is replaced once.
func (a *action) call(ctx context.Context, method, path string, body any) (respond.Answer, error) {
	for again := false; ; again = true {
		token, err := a.login(ctx)
		if err != nil {
			return respond.Answer{}, err
		}
		header := agent()
		header["Authorization"] = "Bearer " + token
		answer, err := a.dep.Call(ctx, respond.Call{
			Method: method, URL: a.cfg.URL + path, JSON: body, Header: header, MaxBytes: 8 << 20, Hide: []honeyguide.Secret{a.cfg.Password, honeyguide.Secret(token)},
		})
		if answer.Status != http.StatusUnauthorized || again {
			if err == nil && len(answer.Body) > 0 && !json.Valid(answer.Body) {
				err = answer.Fault("it answers %d, but not in JSON", answer.Status)
			}
			return answer, err
		}
		a.mu.Lock()
		a.token = ""
		a.mu.Unlock()
	}
}
