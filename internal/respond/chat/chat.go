// Package chat posts messages to chats that differ in little: Telegram, Discord
// and Mattermost.
//
// What attackers wrote stands in a block of code, where none of them makes links,
// mentions or formats. None of them knows a message again: one that was sent twice
// shows the same reference.
package chat

import (
	"context"
	"encoding/json"
	"fmt"
	"html"
	"regexp"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
)

// Kind is the chat action.
var Kind = kind.Of("chat", "Post messages to Telegram, Discord or Mattermost.", Config{}, open)

// Flavours.
const (
	telegram   = "telegram"
	discord    = "discord"
	mattermost = "mattermost"
)

// Config configures a chat action.
type Config struct {
	Flavour string            `yaml:"flavour" doc:"telegram, discord or mattermost"`
	URL     honeyguide.Secret `yaml:"url" doc:"URL of the webhook; for telegram https://api.telegram.org or a Bot API server of yours"`
	Token   honeyguide.Secret `yaml:"token" doc:"telegram: token of the bot, 123456:ABC..."`
	Channel string            `yaml:"channel" doc:"telegram: id of the chat; mattermost: another channel than the webhook's, empty = that one"`
}

var botToken = regexp.MustCompile(`^[0-9]+:[A-Za-z0-9_-]{10,}$`)

// Validate checks the settings.
func (c *Config) Validate() error {
	if !slices.Contains([]string{telegram, discord, mattermost}, c.Flavour) {
		return respond.Invalid("flavour: want telegram, discord or mattermost")
	}
	if c.Flavour == telegram {
		switch {
		case !botToken.MatchString(c.Token.Reveal()):
			return respond.Invalid("token: want the bot's token, 123456:ABC...")
		case c.Channel == "":
			return respond.Invalid("channel: missing; want the id of the chat, such as -1001234567890")
		}
	} else if c.Token != "" {
		return respond.Invalid("token: %s has none; its key stands in url", c.Flavour)
	}
	return respond.WantURL("url", c.URL.Reveal())
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
	return a.dep.PlanMessage(r, a.cfg.Flavour+" ("+a.dep.Name+")")
}

// Apply sends the plan's message.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Deliver(ctx, a, p)
}

// Characters of a message: the services allow 4096, 2000 and 4000.
const (
	maxTelegram   = 3500
	maxDiscord    = 1700
	maxMattermost = 3500
)

type object map[string]any

// request writes the message in the words of the flavour.
func (a *action) request(m respond.Message) (address string, body object) {
	address = a.cfg.URL.Reveal()
	word := strings.ToUpper(m.Severity.String())
	switch a.cfg.Flavour {
	case telegram:
		text := "<b>" + word + "</b>\n<pre>" + html.EscapeString(m.Compose(maxTelegram)) + "</pre>"
		if m.Link != "" {
			text += "\n<a href=\"" + html.EscapeString(m.Link) + "\">Open in Honeyguide</a>"
		}
		return strings.TrimRight(address, "/") + "/bot" + a.cfg.Token.Reveal() + "/sendMessage", object{
			"chat_id": a.cfg.Channel, "text": text, "parse_mode": "HTML", "link_preview_options": object{"is_disabled": true},
		}
	case discord:
		const suppressEmbeds = 1 << 2
		separator := "?"
		if strings.Contains(address, "?") {
			separator = "&"
		}
		// Its blocks of code know three backticks and no more.
		text := "**" + word + "**\n" + respond.Fence(strings.ReplaceAll(m.Compose(maxDiscord), "`", "'"))
		if m.Link != "" {
			text += "\n<" + m.Link + ">"
		}
		return address + separator + "wait=true", object{"content": text, "allowed_mentions": object{"parse": []string{}}, "flags": suppressEmbeds}
	}
	text := "**" + word + "**\n" + respond.Fence(m.Compose(maxMattermost))
	if m.Link != "" {
		text += "\n[Open in Honeyguide](" + m.Link + ")"
	}
	body = object{"text": text}
	if a.cfg.Channel != "" {
		body["channel"] = a.cfg.Channel
	}
	return address, body
}

// Send posts a message. The reference is the id the chat gives it, if any.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	address, body := a.request(m)
	answer, err := a.dep.Call(ctx, respond.Call{URL: address, JSON: body, Hide: []honeyguide.Secret{a.cfg.URL, a.cfg.Token}})
	if err != nil {
		return "", fmt.Errorf("post to %s: %w", a.cfg.Flavour, wait(answer, err))
	}
	ref, err := a.read(answer)
	if err != nil {
		return "", fmt.Errorf("post to %s: %w", a.cfg.Flavour, err)
	}
	return ref, nil
}

// wait finds how long a chat that has no Retry-After wants to be left alone: in
// Telegram's parameters or Discord's retry_after, both in seconds.
func wait(answer respond.Answer, err error) error {
	if answer.Status != 429 || answer.Header["Retry-After"] != "" {
		return err
	}
	var said struct {
		Seconds    float64 `json:"retry_after"`
		Parameters struct {
			Seconds float64 `json:"retry_after"`
		} `json:"parameters"`
	}
	if json.Unmarshal(answer.Body, &said) != nil {
		return err
	}
	if d := respond.RetryAfter(fmt.Sprint(max(said.Seconds, said.Parameters.Seconds)), time.Time{}); d > 0 {
		return respond.Later(err, d)
	}
	return err
}

// read reads an answer that has a good status.
func (a *action) read(answer respond.Answer) (string, error) {
	switch a.cfg.Flavour {
	case telegram:
		var said struct {
			OK     bool `json:"ok"`
			Result struct {
				ID int64 `json:"message_id"`
			} `json:"result"`
		}
		if err := answer.Decode(&said); err != nil {
			return "", err
		}
		if !said.OK {
			return "", answer.Fault("it answers %d without ok", answer.Status)
		}
		return fmt.Sprint(said.Result.ID), nil
	case discord:
		var said struct {
			ID string `json:"id"`
		}
		if err := answer.Decode(&said); err != nil {
			return "", err
		}
		if said.ID == "" {
			return "", answer.Fault("it answers %d without the message's id", answer.Status)
		}
		return respond.InertLine(said.ID, 40), nil
	}
	if text := strings.TrimSpace(string(answer.Body)); text != "ok" {
		return "", answer.Fault("it answers %d without ok", answer.Status)
	}
	return "", nil
}
