// Package slack posts messages to Slack: by an incoming webhook, or as a bot by
// chat.postMessage.
//
// What attackers wrote stands in plain_text objects alone, with & < > as entities,
// so that nothing in it is a link, a mention or a format. Slack knows no message
// again: one that was sent twice shows the same reference.
package slack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the slack action.
var Kind = kind.Of("slack", "Post messages to a Slack channel.", Config{}, open)

// Config configures a slack action.
type Config struct {
	URL     honeyguide.Secret `yaml:"url" doc:"the incoming webhook, https://hooks.slack.com/services/...; with a token https://slack.com/api/chat.postMessage"`
	Token   honeyguide.Secret `yaml:"token" doc:"of a bot, xoxb-...; empty = url is a webhook"`
	Channel string            `yaml:"channel" doc:"with a token: the channel's id"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	if err := respond.WantURL("url", c.URL.Reveal()); err != nil {
		return err
	}
	switch {
	case (c.Token == "") != (c.Channel == ""):
		return respond.Invalid("token, channel: a bot needs both, a webhook none of them")
	case strings.ContainsAny(c.Token.Reveal(), "\r\n\t "):
		return respond.Invalid("token: a blank in it")
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

// Plan plans a message.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, "Slack ("+a.dep.Name+")")
}

// Apply sends the plan's message.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Deliver(ctx, a, p)
}

// Bounds of Block Kit, with room to spare.
const (
	maxHeader  = 140
	maxSection = 2800
	maxField   = 500
	maxFields  = 10
)

type object map[string]any

// plain is a text nothing in which means anything.
func plain(s string, n int) object {
	return object{"type": "plain_text", "text": entities(s, n), "emoji": false}
}

// entities escapes what Slack gives a meaning to, in at most n characters.
func entities(s string, n int) string {
	var b strings.Builder
	for _, r := range s {
		t := string(r)
		switch r {
		case '&':
			t = "&amp;"
		case '<':
			t = "&lt;"
		case '>':
			t = "&gt;"
		}
		if n -= utf8.RuneCountInString(t); n < 0 {
			break
		}
		b.WriteString(t)
	}
	if strings.TrimSpace(b.String()) == "" { // an empty text is an error there
		return "-"
	}
	return b.String()
}

// card writes the message in Slack's words.
func card(m respond.Message) object {
	head := m.Heading(maxHeader)
	var fields []object
	facts := m.Facts()
	if len(facts) > maxFields { // the last is the reference
		facts = append(facts[:maxFields-1:maxFields-1], facts[len(facts)-1])
	}
	for _, f := range facts {
		fields = append(fields, plain(f.Name+": "+f.Value, maxField))
	}
	blocks := []object{
		{"type": "header", "text": plain(head, maxHeader)},
		{"type": "section", "text": plain(respond.Inert(m.Text, maxSection), maxSection)},
		{"type": "section", "fields": fields},
	}
	if m.Link != "" {
		blocks = append(blocks, object{"type": "actions", "elements": []object{{"type": "button", "text": plain("Open in Honeyguide", maxField), "url": m.Link}}})
	}
	return object{"text": entities(head, maxHeader), "blocks": blocks, "unfurl_links": false, "unfurl_media": false, "parse": "none", "mrkdwn": false}
}

// Send posts a message. The reference is the message's time stamp, for a bot.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	c := respond.Call{URL: a.cfg.URL.Reveal(), Hide: []honeyguide.Secret{a.cfg.URL, a.cfg.Token}, Header: map[string]string{}}
	body := card(m)
	if a.cfg.Token != "" {
		c.Header["Authorization"] = "Bearer " + a.cfg.Token.Reveal()
		body["channel"] = a.cfg.Channel
	}
	c.JSON = body
	answer, err := a.dep.Call(ctx, c)
	if err != nil {
		return "", fmt.Errorf("post to Slack: %w", err)
	}
	if a.cfg.Token == "" {
		if text := strings.TrimSpace(string(answer.Body)); text != "ok" {
			return "", answer.Fault("post to Slack: it answers 200 without ok")
		}
		return "", nil
	}
	var said struct {
		OK    bool   `json:"ok"`
		Error string `json:"error"`
		TS    string `json:"ts"`
	}
	if err := answer.Decode(&said); err != nil {
		return "", fmt.Errorf("post to Slack: %w", err)
	}
	return said.TS, verdict(said.OK, said.Error)
}

// passing are the errors of the API that go away by themselves.
var passing = []string{"ratelimited", "rate_limited", "internal_error", "fatal_error", "service_unavailable", "request_timeout", "team_added_to_org"}

// verdict reads an answer that has status 200 whatever it says.
func verdict(ok bool, word string) error {
	if ok {
		return nil
	}
	err := fmt.Errorf("post to Slack: %s", respond.InertLine(word, 100))
	if word == "" {
		return errors.New("post to Slack: it answers 200 without ok")
	}
	for _, p := range passing {
		if word == p {
			return err
		}
	}
	return respond.Permanent(err)
}
