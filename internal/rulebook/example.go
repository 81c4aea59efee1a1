package rulebook

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/config"
	"honeyguide/internal/sigma"
)

// Examples are events a rule must fire on and events it must not, as they stand
// in a file NAME.test.yaml beside the rule.
type Examples struct {
	Match []Example `yaml:"match"`
	Miss  []Example `yaml:"miss"`
}

// An Example is one event in short. One of command, request, activity, fields
// and raw is needed.
type Example struct {
	Command   string            `yaml:"command"`    // a line typed on the SSH decoy
	Request   string            `yaml:"request"`    // GET /path?query, to the web decoy
	UserAgent string            `yaml:"user_agent"` // of the request
	Host      string            `yaml:"host"`
	Body      string            `yaml:"body"`
	Status    int64             `yaml:"status"`
	Activity  string            `yaml:"activity"` // any event of a decoy, with service and attrs
	Service   string            `yaml:"service"`
	User      string            `yaml:"user"` // who is logged in
	Attrs     map[string]string `yaml:"attrs"`
	Fields    map[string]string `yaml:"fields"` // a record with the fields of the rule's own log source
	Raw       string            `yaml:"raw"`    // a line of text of the rule's own log source
}

// ReadExamples reads a file of examples.
func ReadExamples(name string, text []byte) (*Examples, error) {
	x := &Examples{}
	if err := config.Strict(name, text)(x); err != nil {
		return nil, err
	}
	return x, nil
}

// Event returns the example as an event of a rule's logsource.
func (x *Example) Event(of sigma.Source) (honeyguide.Event, error) {
	at := time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)
	e := honeyguide.Event{
		ID: honeyguide.DerivedID(at, "example"), Time: at, Observed: at, Session: "example", Sensor: "ssh", Service: "ssh",
		Src: honeyguide.Endpoint{Addr: netip.MustParseAddrPort("198.51.100.7:4711")},
	}
	switch {
	case x.Command != "":
		e.Activity = honeyguide.ActivityCommand
		e.Set(honeyguide.AttrCommand, x.Command)
	case x.Request != "":
		method, url, ok := strings.Cut(x.Request, " ")
		if !ok {
			return e, fmt.Errorf("request %q: want a method and an address, such as GET /index.html", x.Request)
		}
		e.Activity, e.Sensor, e.Service = honeyguide.ActivityRequest, "http", "http"
		e.Set(honeyguide.AttrMethod, method)
		e.Set(honeyguide.AttrURL, url)
	case x.Activity != "":
		e.Activity = x.Activity
		if x.Service != "" {
			e.Sensor, e.Service = x.Service, x.Service
		}
	case len(x.Fields) > 0 || x.Raw != "":
		e.Session, e.Service, e.Sensor, e.Activity = "", "", "log", "record"
		e.Set(honeyguide.AttrLogProduct, of.Product)
		e.Set(honeyguide.AttrLogCategory, of.Category)
		e.Set(honeyguide.AttrLogService, of.Service)
		if of == (sigma.Source{}) {
			e.Set(honeyguide.AttrLogProduct, "example")
		}
		e.Raw = []byte(x.Raw)
		for _, name := range slices.Sorted(maps.Keys(x.Fields)) {
			e.Set(unmapped+name, x.Fields[name])
		}
	default:
		return e, fmt.Errorf("an example needs one of command, request, activity, fields, raw")
	}
	e.Set(honeyguide.AttrUserAgent, x.UserAgent)
	e.Set(honeyguide.AttrHost, x.Host)
	e.Set(honeyguide.AttrBody, x.Body)
	if x.Status != 0 {
		e.Set(honeyguide.AttrStatus, x.Status)
	}
	for name, v := range x.Attrs {
		e.Set(name, v)
	}
	return e, nil
}

// String shows the example in a line.
func (x *Example) String() string {
	for _, s := range []string{x.Command, x.Request, x.Raw} {
		if s != "" {
			return s
		}
	}
	if x.Activity != "" {
		doc, _ := json.Marshal(x.Attrs) // a map of texts
		return x.Activity + " " + x.Service + " " + string(doc)
	}
	doc, _ := json.Marshal(x.Fields)
	return string(doc)
}

// A Bench tries rules on single events, apart from any book.
type Bench struct {
	ed      *Edition
	scratch *sigma.Scratch
	view    *Adapter
}

// NewBench returns a bench of a set of rules. What cannot be used is a fault of
// its edition.
func NewBench(set *sigma.Ruleset) *Bench {
	b := &Book{off: map[string]Switch{}, tracks: map[string]*track{}}
	ed := b.edition(&loaded{own: *set})
	return &Bench{ed: ed, scratch: ed.Engine.NewScratch(), view: NewAdapter(nil)}
}

// Edition returns the rules on the bench.
func (b *Bench) Edition() *Edition { return b.ed }

// Fired returns the rules that fire on an event, each once, with the record it
// fired on first.
func (b *Bench) Fired(e *honeyguide.Event, visit func(*sigma.Rule, *sigma.Record)) {
	var seen []*sigma.Rule
	records := b.view.Records(b.ed, e)
	for i := range records {
		for _, r := range b.ed.Engine.Match(b.scratch, &records[i], nil) {
			if !slices.Contains(seen, r) {
				seen = append(seen, r)
				visit(r, &records[i])
			}
		}
	}
}

// Seen returns an event as rules see it: a map of fields for each record, of
// which @sources names the log sources and @raw is the line of text.
func (b *Bench) Seen(e *honeyguide.Event) []map[string]string {
	out := []map[string]string{}
	for _, r := range b.view.Records(b.ed, e) {
		fields := map[string]string{}
		for _, f := range r.Fields {
			if old, ok := fields[f.Name]; ok && old != f.Text {
				fields[f.Name] = old + "\n" + f.Text
			} else {
				fields[f.Name] = f.Text
			}
		}
		var names []string
		for _, s := range r.Sources {
			names = append(names, s.Product+"/"+s.Category+"/"+s.Service)
		}
		fields["@sources"] = strings.Join(names, " ")
		if r.Raw != "" {
			fields["@raw"] = r.Raw
		}
		out = append(out, fields)
	}
	return out
}

// Try returns what an example does not do that it should, "" when all is well.
func (b *Bench) Try(r *sigma.Rule, x *Example, want bool) string {
	e, err := x.Event(r.Logsource)
	if err != nil {
		return err.Error()
	}
	b.view.sessions = generations{} // each example is a session of its own
	if x.User != "" {
		in := e
		in.Activity, in.Attrs = honeyguide.ActivityLoginSuccess, map[string]any{honeyguide.AttrUser: x.User}
		b.view.Records(b.ed, &in)
	}
	got := false
	b.Fired(&e, func(f *sigma.Rule, _ *sigma.Record) { got = got || f == r })
	switch {
	case want && !got:
		return "does not fire on: " + x.String()
	case !want && got:
		return "fires on: " + x.String()
	}
	return ""
}
