// Package email sends messages as mail.
//
// A message is the same, byte for byte, each time it is sent: its Message-ID is made
// of the notice's or plan's id, which X-Honeyguide-ID repeats. So a second sending is
// the same mail for every program that looks at that. What attackers wrote is in an
// encoded subject and in parts whose lines they cannot end.
package email

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"html"
	"log/slog"
	"mime"
	"mime/multipart"
	"mime/quotedprintable"
	"net"
	"net/mail"
	"net/textproto"
	"regexp"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
)

// Kind is the email action.
var Kind = kind.Of("email", "Send mail.", Config{TLS: "starttls"}, open)

// Config configures an email action.
type Config struct {
	Server   string            `yaml:"server" doc:"host:port of the mail server, such as mail.example.org:587"`
	TLS      string            `yaml:"tls" doc:"starttls, tls from the first byte (port 465), or none; with none there is no password"`
	User     string            `yaml:"user" doc:"empty = no authentication"`
	Password honeyguide.Secret `yaml:"password" doc:"of the user"`
	From     string            `yaml:"from" doc:"sender, Honeyguide <soc@example.org>"`
	To       []string          `yaml:"to" doc:"recipients, at most 50"`
}

const maxRecipients = 50

// Validate checks the settings.
func (c *Config) Validate() error {
	host, port, err := net.SplitHostPort(c.Server)
	n, bad := strconv.ParseUint(port, 10, 16)
	switch {
	case c.Server == "":
		return respond.Invalid("server: missing; want host:port, such as mail.example.org:587")
	case err != nil || bad != nil || n == 0 || host == "" || strings.ContainsAny(host, "/@ "):
		return respond.Invalid("server: want host:port, such as mail.example.org:587")
	case c.TLS != "starttls" && c.TLS != "tls" && c.TLS != "none":
		return respond.Invalid("tls: want starttls, tls or none")
	case (c.User == "") != (c.Password == ""):
		return respond.Invalid("user, password: want both or none")
	case c.TLS == "none" && c.User != "":
		return respond.Invalid("tls: the password would be readable on its way; want starttls or tls")
	case len(c.To) == 0 || len(c.To) > maxRecipients:
		return respond.Invalid("to: want 1 to %d recipients", maxRecipients)
	}
	if _, err := address(c.From); err != nil {
		return respond.Invalid("from: %v", err)
	}
	for i, to := range c.To {
		if _, err := address(to); err != nil {
			return respond.Invalid("to[%d]: %v", i, err)
		}
	}
	return nil
}

// address reads one address of the settings.
func address(s string) (*mail.Address, error) {
	a, err := mail.ParseAddress(s)
	if err != nil || strings.ContainsFunc(a.Address, func(r rune) bool { return r <= ' ' || r >= 0x7f }) {
		return nil, errors.New("want an address such as soc@example.org, in ASCII")
	}
	return a, nil
}

type action struct {
	respond.Reach
	cfg  Config
	dep  respond.Deps
	url  string
	from *mail.Address
	to   []*mail.Address
}

var _ respond.Messenger = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	a := &action{cfg: cfg, dep: dep, url: "smtp://" + cfg.Server}
	if cfg.TLS == "tls" {
		a.url = "smtps://" + cfg.Server
	}
	var err error
	if a.Reach, err = respond.ReachTo(a.url); err != nil {
		return nil, err
	}
	if a.from, err = address(cfg.From); err != nil {
		return nil, err
	}
	for _, s := range cfg.To {
		to, err := address(s)
		if err != nil {
			return nil, err
		}
		a.to = append(a.to, to)
	}
	return a, nil
}

// Plan plans a mail.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	return a.dep.PlanMessage(r, fmt.Sprintf("%d mail recipients (%s)", len(a.to), a.dep.Name))
}

// Apply sends the plan's message.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	return respond.Deliver(ctx, a, p)
}

// Send sends a message. The reference is its Message-ID.
func (a *action) Send(ctx context.Context, m respond.Message) (string, error) {
	if a.dep.Fetch == nil {
		return "", respond.Permanent(errors.New("send mail: there is no way to the network on this node"))
	}
	name := a.name(m.ID)
	raw, err := a.compose(m, name)
	if err != nil {
		return "", respond.Permanent(fmt.Errorf("write the mail: %w", err))
	}
	envelope := &fetcher.Mail{From: a.from.Address, User: a.cfg.User, Password: a.cfg.Password.Reveal(), Clear: a.cfg.TLS == "none"}
	for _, to := range a.to {
		envelope.To = append(envelope.To, to.Address)
	}
	var words bytes.Buffer
	got, err := a.dep.Fetch.Do(ctx, fetcher.Request{URL: a.url, Body: raw, Mail: envelope, MaxBytes: 64 << 10}, &words)
	said := respond.InertLine(respond.Mask(words.String(), a.cfg.Password), 200)
	switch {
	case errors.Is(err, fetcher.ErrRefused) || errors.Is(err, fetcher.ErrTooLarge):
		return "", respond.Permanent(fmt.Errorf("send mail: %w", err))
	case err != nil:
		return "", fmt.Errorf("send mail: %w", err)
	case got.Status >= 500:
		return "", respond.Permanent(fmt.Errorf("send mail: the server says %s", said))
	case got.Status != 250:
		return "", fmt.Errorf("send mail: the server says %s", said)
	}
	if list := got.Header["Refused"]; list != "" && a.dep.Log != nil {
		a.dep.Log.LogAttrs(ctx, slog.LevelWarn, "mail recipients refused", slog.String("recipients", safetext.TermN(list, 300)))
	}
	return name, nil
}

// plainID is an id that may stand in a Message-ID as it is.
var plainID = regexp.MustCompile(`^[A-Za-z0-9_-]{1,80}$`)

// name is the Message-ID of a notice or plan.
func (a *action) name(id string) string {
	if !plainID.MatchString(id) {
		id = digest(id)
	}
	_, domain, _ := strings.Cut(a.from.Address, "@")
	return "<honeyguide." + id + "@" + domain + ">"
}

func digest(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:16])
}

// maxSubject leaves room for the encoding: 998 bytes are the most a line may have.
const maxSubject = 150

// compose writes the whole mail.
func (a *action) compose(m respond.Message, name string) ([]byte, error) {
	var b bytes.Buffer
	var list []string
	for _, to := range a.to {
		list = append(list, to.String())
	}
	at := m.At
	if at.IsZero() {
		at = a.dep.Now()
	}
	text, page := body(m)
	boundary := "hg-" + digest(m.ID, text)
	_, domain, _ := strings.Cut(a.from.Address, "@")
	for _, h := range [][2]string{
		{"From", a.from.String()},
		{"To", strings.Join(list, ",\r\n ")},
		{"Subject", subject(m.Heading(maxSubject))},
		{"Date", at.UTC().Format(time.RFC1123Z)},
		{"Message-ID", name},
		{"References", "<honeyguide." + digest(m.Key) + ".about@" + domain + ">"}, // one thread for one incident
		{"X-Honeyguide-ID", safetext.TermN(strings.ToValidUTF8(ascii(m.ID), "?"), 200)},
		{"X-Honeyguide-Event", m.Event},
		{"X-Priority", priority(m.Severity)},
		{"Auto-Submitted", "auto-generated"},
		{"X-Auto-Response-Suppress", "All"},
		{"MIME-Version", "1.0"},
		{"Content-Type", `multipart/alternative; boundary="` + boundary + `"`},
	} {
		if h[1] != "" {
			b.WriteString(h[0] + ": " + h[1] + "\r\n")
		}
	}
	b.WriteString("\r\n")
	parts := multipart.NewWriter(&b)
	if err := parts.SetBoundary(boundary); err != nil {
		return nil, err
	}
	for _, p := range [][2]string{{"text/plain", text}, {"text/html", page}} {
		if err := part(parts, p[0], p[1]); err != nil {
			return nil, err
		}
	}
	err := parts.Close()
	return b.Bytes(), err
}

// subject encodes a line in pieces that a header may hold.
func subject(s string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("utf-8", s), "?= =?", "?=\r\n =?")
}

// ascii replaces what no header may hold.
func ascii(s string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r >= 0x7f {
			return '?'
		}
		return r
	}, s)
}

// priority is X-Priority, which mail programs show: 1 highest, 3 normal.
func priority(s honeyguide.Severity) string {
	switch s {
	case honeyguide.SeverityCritical:
		return "1"
	case honeyguide.SeverityHigh:
		return "2"
	}
	return "3"
}

// body is the message for people, as text and as a page.
func body(m respond.Message) (text, page string) {
	text = m.Compose(respond.MaxText + 4000)
	page = "<!DOCTYPE html><html><body><pre style=\"white-space:pre-wrap\">" + html.EscapeString(text) + "</pre>"
	if m.Link != "" {
		text += "\n\nOpen in Honeyguide: " + m.Link
		page += "<p><a href=\"" + html.EscapeString(m.Link) + "\">Open in Honeyguide</a></p>"
	}
	return text + "\n", page + "</body></html>\n"
}

func part(to *multipart.Writer, kind, text string) error {
	w, err := to.CreatePart(textproto.MIMEHeader{"Content-Type": {kind + "; charset=utf-8"}, "Content-Transfer-Encoding": {"quoted-printable"}})
	if err != nil {
		return err
	}
	q := quotedprintable.NewWriter(w)
	if _, err := q.Write([]byte(strings.ReplaceAll(text, "\n", "\r\n"))); err != nil {
		return err
	}
	return q.Close()
}
