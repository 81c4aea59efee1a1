// Package misp pushes an event with attributes to a MISP instance.
//
// The event's UUID is made of its message's key, the incident unless a step says
// otherwise, and so are those of its attributes: MISP knows them again, and an event
// that is there is left as it is.
package misp

import (
	"context"
	"crypto/sha1" // UUIDv5 is made of it (RFC 9562)
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
)

// Kind is the misp action.
var Kind = kind.Of("misp", "Push an event with indicators to MISP.", Config{Distribution: 0, TLP: "amber"}, open)

// Config configures a misp action.
type Config struct {
	URL          string            `yaml:"url" doc:"address of the instance, https://misp.example.org"`
	Key          honeyguide.Secret `yaml:"key" doc:"automation key of a user that may add events"`
	Distribution int               `yaml:"distribution" doc:"0 your organisation only, 1 this community, 2 connected communities, 3 all"`
	TLP          string            `yaml:"tlp" doc:"mark of the event: clear, green, amber, amber+strict or red"`
	ToIDS        bool              `yaml:"to_ids" doc:"mark attackers' addresses as fit for detection"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	switch {
	case len(c.Key) < 8 || strings.ContainsAny(c.Key.Reveal(), "\r\n "):
		return respond.Invalid("key: missing; set it, or key_file to the name of a file that holds it")
	case c.Distribution < 0 || c.Distribution > 3:
		return respond.Invalid("distribution: want 0 to 3")
	case !slices.Contains([]string{"clear", "green", "amber", "amber+strict", "red"}, c.TLP):
		return respond.Invalid("tlp: want clear, green, amber, amber+strict or red")
	}
	return respond.WantURL("url", c.URL)
}

type action struct {
	respond.Reach
	cfg Config
	dep respond.Deps
}

var _ respond.Verifier = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	reach, err := respond.ReachTo(cfg.URL)
	if err != nil {
		return nil, err
	}
	cfg.URL = strings.TrimRight(cfg.URL, "/")
	return &action{reach, cfg, dep}, nil
}

// paramAttributes are the attributes, one a line: type, blank, value.
const paramAttributes = "attributes"

const maxAttributes = 50

// kinds are MISP's types and categories for our types of observables. Users and
// tokens stay here: what stands in them may be a password.
var kinds = map[string]string{"ip-src": "Network activity", "domain": "Network activity", "url": "Network activity", "sha256": "Payload delivery"}

var sha256sum = regexp.MustCompile(`^[0-9a-f]{64}$`)

// Plan plans an event with the attackers and what was observed.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	p, err := a.dep.PlanMessage(r, "MISP ("+a.dep.Name+")")
	if err != nil {
		return p, err
	}
	var lines []string
	add := func(kind, value string) {
		line := kind + " " + value
		if value != "" && len(value) <= 1000 && !safetext.Hostile(value) && len(lines) < maxAttributes && !slices.Contains(lines, line) {
			lines = append(lines, line)
		}
	}
	if r.Incident != nil {
		for _, s := range r.Incident.Attackers {
			if ip, err := netip.ParseAddr(s); err == nil && !ip.IsPrivate() && !ip.IsLoopback() {
				add("ip-src", ip.String())
			}
		}
	}
	for _, al := range r.Alerts {
		for _, o := range al.Observed {
			switch {
			case o.Type == "url" || o.Type == "domain":
				add(o.Type, o.Value)
			case o.Type == "hash" && sha256sum.MatchString(o.Value):
				add("sha256", o.Value)
			}
		}
	}
	delete(p.Params, paramAttributes)
	if len(lines) > 0 {
		p.Params[paramAttributes] = strings.Join(lines, "\n")
	}
	p.Effect = fmt.Sprintf("MISP would get an event with %d attributes: %s", len(lines), safetext.TermN(p.Params[respond.ParamTitle], 120))
	return p, nil
}

// space is the namespace of our UUIDs.
var space = [16]byte{0x6f, 0x1d, 0x5a, 0x0e, 0x3c, 0x8b, 0x4f, 0x52, 0x9b, 0x77, 0x21, 0x0c, 0x4e, 0x9a, 0xd3, 0x10}

// uuid is a UUID of version 5 (RFC 9562).
func uuid(parts ...string) string {
	h := sha1.New()
	h.Write(space[:])
	h.Write([]byte(strings.Join(parts, "\x00")))
	b := h.Sum(nil)[:16]
	b[6], b[8] = b[6]&0x0f|0x50, b[8]&0x3f|0x80
	s := hex.EncodeToString(b)
	return s[:8] + "-" + s[8:12] + "-" + s[12:16] + "-" + s[16:20] + "-" + s[20:]
}

type tag struct {
	Name string `json:"name"`
}

type attribute struct {
	UUID     string `json:"uuid"`
	Type     string `json:"type"`
	Category string `json:"category"`
	Value    string `json:"value"`
	ToIDS    bool   `json:"to_ids"`
	Comment  string `json:"comment"`
}

type event struct {
	ID           string      `json:"id,omitempty"`
	UUID         string      `json:"uuid"`
	Info         string      `json:"info"`
	Date         string      `json:"date"`
	Distribution string      `json:"distribution"`
	ThreatLevel  string      `json:"threat_level_id"` // 1 high to 4 undefined
	Analysis     string      `json:"analysis"`        // 0 initial
	Published    bool        `json:"published"`
	Tags         []tag       `json:"Tag"`
	Attributes   []attribute `json:"Attribute"`
}

type wrapped struct {
	Event *event `json:"Event"`
}

func threat(s honeyguide.Severity) string {
	switch s {
	case honeyguide.SeverityCritical, honeyguide.SeverityHigh:
		return "1"
	case honeyguide.SeverityMedium:
		return "2"
	}
	return "3"
}

// name is the event's UUID: another node's incidents are other events.
func (a *action) name(p honeyguide.Plan) string {
	return uuid("event", a.dep.Node, respond.MessageOf(p).Key)
}

// Apply adds the event, unless it is there. The reference is its UUID.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	m, id := respond.MessageOf(p), a.name(p)
	there, err := a.find(ctx, id)
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("look for an event in MISP: %w", err)
	}
	if there {
		return respond.Receipt{Ref: id, Detail: "The event was there already."}, nil
	}
	e := event{
		UUID: id, Info: m.Heading(250), Date: m.At.UTC().Format("2006-01-02"), Distribution: strconv.Itoa(a.cfg.Distribution), ThreatLevel: threat(m.Severity),
		Analysis: "0", Tags: []tag{{"tlp:" + a.cfg.TLP}, {`honeyguide:source="decoy"`}}, Attributes: []attribute{},
	}
	for line := range strings.Lines(p.Params[paramAttributes]) {
		kind, value, _ := strings.Cut(strings.TrimSuffix(line, "\n"), " ")
		if kinds[kind] == "" {
			continue
		}
		e.Attributes = append(e.Attributes, attribute{
			UUID: uuid(id, kind, value), Type: kind, Category: kinds[kind], Value: value, ToIDS: a.cfg.ToIDS && kind == "ip-src", Comment: "seen by a decoy",
		})
	}
	answer, err := a.call(ctx, http.MethodPost, "/events/add", wrapped{&e})
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("add an event to MISP: %w", err)
	}
	var got wrapped
	if err := answer.Decode(&got); err != nil {
		return respond.Receipt{}, fmt.Errorf("add an event to MISP: %w", err)
	}
	if got.Event == nil || got.Event.UUID != id {
		return respond.Receipt{}, answer.Fault("add an event to MISP: it answers %d without the event", answer.Status)
	}
	return respond.Receipt{Ref: id}, nil
}

// find reports whether an event is there.
func (a *action) find(ctx context.Context, id string) (bool, error) {
	answer, err := a.call(ctx, http.MethodGet, "/events/view/"+id, nil)
	if answer.Status == http.StatusNotFound {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var got wrapped
	if err := answer.Decode(&got); err != nil {
		return false, err
	}
	if got.Event == nil || got.Event.UUID != id {
		return false, answer.Fault("it answers %d without an event", answer.Status)
	}
	return true, nil
}

// Verify looks for the event.
func (a *action) Verify(ctx context.Context, p honeyguide.Plan) error {
	there, err := a.find(ctx, a.name(p))
	if err != nil {
		return fmt.Errorf("look for an event in MISP: %w", err)
	}
	if !there {
		return errors.New("the event is not in MISP")
	}
	return nil
}

func (a *action) call(ctx context.Context, method, path string, body any) (respond.Answer, error) {
	return a.dep.Call(ctx, respond.Call{
		Method: method, URL: a.cfg.URL + path, JSON: body, MaxBytes: 16 << 20, Hide: []honeyguide.Secret{a.cfg.Key}, Header: map[string]string{"Authorization": a.cfg.Key.Reveal()},
	})
}
