// Package teams posts Adaptive Cards to Microsoft Teams by the URL of a workflow
// or of an incoming webhook.
//
// What attackers wrote stands in TextRuns: of the card's elements they alone know
// no Markdown.
package teams

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the teams action.
var Kind = kind.Of("teams", "Post cards to a Microsoft Teams channel.", Config{}, open)

// Config configures a teams action.
type Config struct {
	URL honeyguide.Secret `yaml:"url" doc:"URL of the workflow (When a Teams webhook request is received) or of the incoming webhook"`
}

// Validate checks the settings.
func (c *Config) Validate() error { return respond.WantURL("url", c.URL.Reveal()) }

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

// Plan plans a card.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "Microsoft Teams ("+a.dep.Name+")")
}

// Apply sends the plan's message.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Deliver(ctx, a, p)
}

// maxText keeps a card below 20 KB: clients drop cards from about 21 KB on, and a
// character may take six bytes.
const maxText = 2000

type object map[string]any

// run is a line of text without formats, a name in front in bold or "".
func run(name, text string, more object) object {
	inlines := []object{}
	if name != "" {
		inlines = append(inlines, object{"type": "TextRun", "text": name + ": ", "weight": "Bolder"})
	}
	value := object{"type": "TextRun", "text": text}
	for k, v := range more {
		value[k] = v
	}
	return object{"type": "RichTextBlock", "inlines": append(inlines, value)}
}

// colours of Adaptive Cards by severity.
func colour(s honeyguide.Severity) string {
	switch s {
	case honeyguide.SeverityCritical, honeyguide.SeverityHigh:
		return "Attention"
	case honeyguide.SeverityMedium:
		return "Warning"
	}
	return "Default"
}

func card(m respond.Message) object {
	body := []object{
		run("", m.Heading(200), object{"weight": "Bolder", "size": "Medium", "color": colour(m.Severity)}),
		run("", respond.Inert(m.Text, maxText), nil),
	}
	for _, f := range m.Facts() {
		body = append(body, run(f.Name, respond.Clip(f.Value, 200), nil))
	}
	content := object{"$schema": "http://adaptivecards.io/schemas/adaptive-card.json", "type": "AdaptiveCard", "version": "1.4", "body": body}
	if m.Link != "" {
		content["actions"] = []object{{"type": "Action.OpenUrl", "title": "Open in Honeyguide", "url": m.Link}}
	}
	return object{"type": "message", "attachments": []object{{"contentType": "application/vnd.microsoft.card.adaptive", "content": content}}}
}

// relayed finds the status of the service behind, which a webhook tells in the
// text of an answer of 200.
var relayed = regexp.MustCompile(`HTTP error (\d{3})`)

// Send posts a message. Teams gives it no name.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	answer, err := a.dep.Call(ctx, respond.Call{URL: a.cfg.URL.Reveal(), JSON: card(m), Hide: []honeyguide.Secret{a.cfg.URL}})
	if err != nil {
		return "", fmt.Errorf("post to Teams: %w", err)
	}
	text := strings.TrimSpace(string(answer.Body))
	if text == "" || text == "1" || answer.Status == 202 {
		return "", nil
	}
	err = answer.Fault("post to Teams: it answers %d with a text that is no success", answer.Status)
	if s := relayed.FindStringSubmatch(text); s != nil && s[1][0] == '4' && s[1] != "429" || strings.Contains(text, "too large") {
		return "", respond.Permanent(err)
	}
	return "", err
}
