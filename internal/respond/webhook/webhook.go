// Package webhook posts a plan or a notice as signed JSON to an address of the
// operator.
//
// The header X-Honeyguide-Signature is "t=<unix seconds>,v1=<hex>", where v1 is the
// HMAC-SHA256 of "<t>.<body>" under the secret. Idempotency-Key is the id of the
// plan or notice: the same one may come twice.
package webhook

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the webhook action.
var Kind = kind.Of("webhook", "Post signed JSON to an address of yours.", Config{}, open)

// Config configures a webhook action.
type Config struct {
	URL    honeyguide.Secret `yaml:"url" doc:"where to post to, https://host/path; it may hold a key"`
	Secret honeyguide.Secret `yaml:"secret" doc:"what the body is signed with, 16 characters or more"`
	Token  honeyguide.Secret `yaml:"token" doc:"sent as Authorization: Bearer; empty = none"`
}

const shortestSecret = 16

// Validate checks the settings.
func (c *Config) Validate() error {
	if err := respond.WantURL("url", c.URL.Reveal()); err != nil {
		return err
	}
	switch {
	case len(c.Secret) < shortestSecret:
		return respond.Invalid("secret: want %d characters or more; without it nobody can tell who posted", shortestSecret)
	case strings.ContainsFunc(c.Token.Reveal(), func(r rune) bool { return r <= ' ' || r >= 0x7f }):
		return respond.Invalid("token: a blank or a character that no header may hold")
	}
	return nil
}

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
}

var _ respond.Messenger = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	reach, err := respond.ReachTo(cfg.URL.Reveal())
	if err != nil {
		return nil, err
	}
	return &action{reach, cfg, dep}, nil
}

// Plan plans to post. All params of the step go along.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "the webhook "+a.dep.Name)
}

// A body is what is posted. Its texts are harmless to show, line breaks in them
// stay. Members may be added, none is taken away.
type body struct {
	Version  int               `json:"version"` // 1
	ID       string            `json:"id"`      // of the plan or notice; the same again means the same message
	Event    string            `json:"event"`   // trigger, update, resolve
	Key      string            `json:"key"`     // what it is about
	Node     string            `json:"node"`
	Severity string            `json:"severity"`
	Title    string            `json:"title"`
	Text     string            `json:"text"`
	Link     string            `json:"link,omitempty"`
	At       time.Time         `json:"at"`
	Fields   map[string]string `json:"fields"`
	Plan     *plan             `json:"plan,omitempty"`
}

// A plan is the act the message belongs to.
type plan struct {
	Run      string            `json:"run"`
	Playbook string            `json:"playbook"`
	Step     string            `json:"step"`
	Incident string            `json:"incident"`
	Target   string            `json:"target"`
	Params   map[string]string `json:"params"`
}

const (
	maxValue  = 2000 // characters of one param
	maxParams = 50
)

// Apply posts the plan.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	about := &plan{Run: p.Run, Playbook: p.Playbook, Step: p.Step, Incident: p.Incident, Target: respond.Lines(p.Target, maxValue), Params: map[string]string{}}
	for k, v := range p.Params {
		if len(about.Params) < maxParams {
			about.Params[respond.Lines(k, 100)] = respond.Lines(v, maxValue)
		}
	}
	ref, err := a.post(ctx, respond.MessageOf(p), about)
	return respond.Receipt{Ref: ref}, err
}

// Send posts a message.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	return a.post(ctx, m, nil)
}

func (a *action) post(ctx context.Context, m respond.Message, about *plan) (string, error) {
	b := body{
		Version: 1, ID: m.ID, Event: m.Event, Key: respond.Lines(m.Key, maxValue), Node: a.dep.Node, Severity: m.Severity.String(),
		Title: respond.Lines(m.Title, respond.MaxTitle), Text: respond.Lines(m.Text, respond.MaxText), Link: m.Link, At: m.At.UTC(), Fields: map[string]string{}, Plan: about,
	}
	for _, f := range m.Fields {
		b.Fields[strings.ToLower(f.Name)] = respond.Lines(f.Value, maxValue)
	}
	raw, err := respond.EncodeJSON(b)
	if err != nil {
		return "", respond.Permanent(err)
	}
	header := map[string]string{
		"Content-Type": "application/json", "Idempotency-Key": m.ID, "X-Honeyguide-Signature": sign(a.cfg.Secret.Reveal(), raw, a.dep.Now()),
	}
	if a.cfg.Token != "" {
		header["Authorization"] = "Bearer " + a.cfg.Token.Reveal()
	}
	answer, err := a.dep.Call(ctx, respond.Call{
		URL: a.cfg.URL.Reveal(), Header: header, Body: raw, Hide: []honeyguide.Secret{a.cfg.URL, a.cfg.Secret, a.cfg.Token},
	})
	if err != nil {
		return "", fmt.Errorf("post to the webhook: %w", err)
	}
	return respond.Clip(answer.Header["X-Request-Id"], 100), nil
}

// sign makes the signature header of a body.
func sign(secret string, body []byte, at time.Time) string {
	t := strconv.FormatInt(at.Unix(), 10)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(t + "."))
	mac.Write(body)
	return "t=" + t + ",v1=" + hex.EncodeToString(mac.Sum(nil))
}
