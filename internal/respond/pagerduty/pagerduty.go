// Package pagerduty sends events to PagerDuty (Events API v2). All messages about
// one incident have one dedup_key, so that a second one adds to the first.
package pagerduty

import (
	"context"
	"fmt"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the pagerduty action.
var Kind = kind.Of("pagerduty", "Page people by PagerDuty.", Config{URL: "https://events.pagerduty.com/v2/enqueue", Update: "trigger"}, open)

// Config configures a pagerduty action.
type Config struct {
	RoutingKey honeyguide.Secret `yaml:"routing_key" doc:"integration key of the service, 32 characters"`
	URL        string            `yaml:"url" doc:"where events go; the European service has https://events.eu.pagerduty.com/v2/enqueue"`
	Update     string            `yaml:"update" doc:"what a message with event update is there: trigger adds to the alert, acknowledge quiets it"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	switch {
	case len(c.RoutingKey) != 32:
		return respond.Invalid("routing_key: want the 32 characters of an Events API v2 integration")
	case c.Update != "trigger" && c.Update != "acknowledge":
		return respond.Invalid("update: want trigger or acknowledge")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
}

var _ respond.Messenger = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	reach, err := respond.ReachTo(cfg.URL)
	if err != nil {
		return nil, err
	}
	return &action{reach, cfg, dep}, nil
}

// Plan plans an event.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "PagerDuty ("+a.dep.Name+")")
}

// Apply sends the plan's message.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Deliver(ctx, a, p)
}

// Bounds of the API.
const (
	maxSummary = 1000
	maxKey     = 255
)

type event struct {
	RoutingKey string  `json:"routing_key"`
	Action     string  `json:"event_action"`
	DedupKey   string  `json:"dedup_key"`
	Client     string  `json:"client,omitempty"`
	ClientURL  string  `json:"client_url,omitempty"`
	Payload    payload `json:"payload"`
}

type payload struct {
	Summary   string            `json:"summary"`
	Source    string            `json:"source"`
	Severity  string            `json:"severity"`
	Timestamp string            `json:"timestamp,omitempty"`
	Details   map[string]string `json:"custom_details"`
}

// severity is the word there for ours.
func severity(s honeyguide.Severity) string {
	switch s {
	case honeyguide.SeverityCritical:
		return "critical"
	case honeyguide.SeverityHigh:
		return "error"
	case honeyguide.SeverityMedium:
		return "warning"
	}
	return "info"
}

// Send sends an event. The reference is the dedup_key.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	key := respond.InertLine(m.Key, maxKey)
	e := event{
		RoutingKey: a.cfg.RoutingKey.Reveal(), Action: "trigger", DedupKey: key, Client: "Honeyguide", ClientURL: m.Link,
		Payload: payload{
			Summary: m.Heading(maxSummary), Source: respond.InertLine(a.dep.Node, 200), Severity: severity(m.Severity),
			Details: map[string]string{"text": respond.Inert(m.Text, respond.MaxText)},
		},
	}
	switch m.Event {
	case respond.EventResolve:
		e.Action = "resolve"
	case respond.EventUpdate:
		e.Action = a.cfg.Update
	}
	if !m.At.IsZero() {
		e.Payload.Timestamp = m.At.UTC().Format(time.RFC3339)
	}
	for _, f := range m.Facts() {
		e.Payload.Details[strings.ToLower(f.Name)] = f.Value
	}
	answer, err := a.dep.Call(ctx, respond.Call{URL: a.cfg.URL, JSON: e, Hide: []honeyguide.Secret{a.cfg.RoutingKey}})
	if err != nil {
		return "", fmt.Errorf("send to PagerDuty: %w", err)
	}
	var said struct {
		Status string `json:"status"`
	}
	if err := answer.Decode(&said); err != nil {
		return "", fmt.Errorf("send to PagerDuty: %w", err)
	}
	if said.Status != "success" {
		return "", answer.Fault("send to PagerDuty: it answers %d without success", answer.Status)
	}
	return key, nil
}
