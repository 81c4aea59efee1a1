package rulebook

import (
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/sigma"
)

// An Info is an entry as the API shows it.
type Info struct {
	ID          string              `json:"id" doc:"what alerts call the rule, behind sigma:"`
	UUID        string              `json:"uuid,omitempty"`
	Title       string              `json:"title"`
	Description string              `json:"description,omitempty"`
	Kind        string              `json:"kind" doc:"rule or correlation"`
	Level       honeyguide.Severity `json:"level"`
	Status      string              `json:"status,omitempty"`
	Origin      string              `json:"origin" doc:"shipped or own"`
	Product     string              `json:"product,omitempty"`
	Category    string              `json:"category,omitempty"`
	Service     string              `json:"service,omitempty"`
	Tags        []string            `json:"tags"`
	Author      string              `json:"author,omitempty"`
	License     string              `json:"license,omitempty"`
	References  []string            `json:"references"`
	File        string              `json:"file"`
	Line        int                 `json:"line"`
	InForce     bool                `json:"in_force"`
	Off         *Switch             `json:"off,omitempty" doc:"who switched it off"`
	Hidden      bool                `json:"hidden,omitempty" doc:"it only feeds correlations"`
	Fed         bool                `json:"fed" doc:"a decoy, or a record that came since the start, is of its log source"`
	Hits        int64               `json:"hits" doc:"events since the start"`
	LastHit     time.Time           `json:"last_hit,omitzero"`
	Asked       int64               `json:"asked" doc:"about how many events it was asked about since the start"`
	CostMillis  int64               `json:"cost_ms" doc:"about how much time that took, in milliseconds"`
}

// A Filter selects entries; an empty field selects all.
type Filter struct {
	Text                       string // in id, title, tags or description
	Level                      honeyguide.Severity
	Origin                     string
	Product, Category, Service string
	Unfed, Off, Hit            bool
}

// List returns the entries of the edition in force that a filter selects, by id.
func (b *Book) List(f Filter) []Info {
	ed, by := b.Current(), b.Sources()
	var out []Info
	for _, x := range ed.Rules {
		in := ed.info(x, by)
		if f.selects(&in) {
			out = append(out, in)
		}
	}
	return out
}

// Info returns one entry; false when there is none of the id, name or title.
func (b *Book) Info(key string) (Info, *Entry, bool) {
	ed := b.Current()
	x, ok := ed.Find(key)
	if !ok {
		return Info{}, nil, false
	}
	return ed.info(x, b.Sources()), x, true
}

func (f *Filter) selects(in *Info) bool {
	text := strings.ToLower(f.Text)
	return in.Level >= f.Level && (f.Origin == "" || in.Origin == f.Origin) &&
		(f.Product == "" || in.Product == f.Product) && (f.Category == "" || in.Category == f.Category) && (f.Service == "" || in.Service == f.Service) &&
		(!f.Unfed || !in.Fed) && (!f.Off || !in.InForce) && (!f.Hit || in.Hits > 0) &&
		(text == "" || strings.Contains(strings.ToLower(in.ID+"\n"+in.UUID+"\n"+in.Title+"\n"+in.Description+"\n"+strings.Join(in.Tags, "\n")), text))
}

// info describes an entry, given the log sources that feed rules.
func (e *Edition) info(x *Entry, by []sigma.Source) Info {
	m := x.Meta
	in := Info{
		ID: x.ID(), UUID: m.ID, Title: m.Title, Description: m.Description, Kind: "rule", Level: m.Level, Status: m.Status, Origin: x.Origin,
		Tags: m.Tags, Author: m.Author, License: m.License, References: m.References, File: m.File, Line: m.Line,
		InForce: x.Off == nil, Off: x.Off, Hidden: x.Hidden,
	}
	in.Tags, in.References = filled(in.Tags), filled(in.References)
	in.Hits, in.LastHit = x.Hits()
	asked, took := x.Cost()
	in.Asked, in.CostMillis = asked, took.Milliseconds()
	if x.Correlation != nil {
		in.Kind, in.Fed = "correlation", e.chainFed(x.Correlation, by, 0)
		return in
	}
	s := x.Rule.Logsource
	in.Product, in.Category, in.Service = s.Product, s.Category, s.Service
	in.Fed = Fed(s, by)
	return in
}

// maxChain bounds correlations of correlations.
const maxChain = 8

// chainFed reports whether every rule a correlation needs is fed.
func (e *Edition) chainFed(c *sigma.Correlation, by []sigma.Source, depth int) bool {
	for _, key := range c.Rules {
		x := e.by[key]
		switch {
		case x == nil || depth > maxChain:
			return false
		case x.Rule != nil && !Fed(x.Rule.Logsource, by):
			return false
		case x.Correlation != nil && !e.chainFed(x.Correlation, by, depth+1):
			return false
		}
	}
	return true
}

// Only returns a set of one entry and what it stands on, apart from the book:
// switched off or not.
func (e *Edition) Only(x *Entry) *sigma.Ruleset {
	set := &sigma.Ruleset{Filters: e.set.Filters}
	seen := map[*Entry]bool{}
	var add func(*Entry)
	add = func(x *Entry) {
		if x == nil || seen[x] {
			return
		}
		seen[x] = true
		if x.Rule != nil {
			r := *x.Rule // an engine notes its filters in the rule
			set.Rules = append(set.Rules, &r)
			return
		}
		c := *x.Correlation
		set.Correlations = append(set.Correlations, &c)
		for _, key := range c.Rules {
			add(e.by[key])
		}
	}
	add(x)
	return set
}

func filled(list []string) []string {
	if list == nil {
		return []string{}
	}
	return list
}
