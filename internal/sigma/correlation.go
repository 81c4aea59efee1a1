package sigma

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A Correlation is a rule about several events: hits of other rules, counted or
// put in order within a span of time, apart for each value of some fields.
type Correlation struct {
	Meta
	Type     string // event_count, value_count, temporal, temporal_ordered, value_sum, value_avg, value_percentile
	Rules    []string
	GroupBy  []string
	Timespan time.Duration
	Fields   []string                     // of the condition
	Bounds   []Bound                      // all must hold
	Aliases  map[string]map[string]string // name, then rule, to that rule's field
	Generate bool                         // the rules it names raise alerts of their own too
}

// A Bound is one comparison of a condition.
type Bound struct {
	Op string // gt, gte, lt, lte, eq, neq
	N  float64
}

func (b Bound) holds(v float64) bool {
	switch b.Op {
	case "gt":
		return v > b.N
	case "gte":
		return v >= b.N
	case "lt":
		return v < b.N
	case "lte":
		return v <= b.N
	case "eq":
		return v == b.N
	}
	return v != b.N
}

// atEnd reports whether the bound can only be judged when the span is over: a
// number that may still grow is not below anything yet.
func (b Bound) atEnd() bool { return b.Op == "lt" || b.Op == "lte" || b.Op == "neq" || b.Op == "eq" }

var correlationTypes = []string{"event_count", "value_count", "temporal", "temporal_ordered", "value_sum", "value_avg", "value_percentile"}

// maxRules bounds the rules a correlation names.
const maxRules = 100

// maxTimespan bounds how far a correlation looks back.
const maxTimespan = 31 * 24 * time.Hour

func (d *document) correlation(n *yaml.Node) {
	c := &Correlation{Meta: d.meta, Type: text(child(n, "type")), Rules: texts(child(n, "rules")), GroupBy: texts(child(n, "group-by"))}
	if n.Kind != yaml.MappingNode {
		d.fault(n, FaultError, "correlation", "want type, rules, timespan and condition; this is %s", kindOf(n))
		return
	}
	if !slices.Contains(correlationTypes, c.Type) {
		d.fault(child(n, "type"), FaultError, "correlation.type", "type %q is none of %s", c.Type, strings.Join(correlationTypes, ", "))
		return
	}
	if len(c.Rules) == 0 {
		d.fault(child(n, "rules"), FaultError, "correlation.rules", "at least one rule is needed, by id or name")
		return
	}
	for i, r := range c.Rules {
		if slices.Contains(c.Rules[:i], r) {
			d.fault(child(n, "rules"), FaultError, "correlation.rules", "the rule %q is listed twice: to want it several times write an event_count", r)
			return
		}
	}
	if len(c.Rules) > maxRules {
		d.fault(child(n, "rules"), FaultError, "correlation.rules", "more than %d rules", maxRules)
		return
	}
	span := child(n, "timespan")
	if span == nil {
		span = child(n, "timeframe")
	}
	var err error
	if c.Timespan, err = parseSpan(text(span)); err != nil {
		d.fault(span, FaultError, "correlation.timespan", "%s", err)
		return
	}
	switch g := child(d.root, "generate"); {
	case g != nil:
		c.Generate = text(g) == "true"
	default:
		c.Generate = text(child(n, "generate")) == "true"
	}
	d.aliases(c, child(n, "aliases"))
	d.bounds(c, child(n, "condition"))
	if !d.bad {
		d.set.Correlations = append(d.set.Correlations, c)
	}
}

// parseSpan reads 30s, 5m, 2h, 7d.
func parseSpan(s string) (time.Duration, error) {
	units := map[byte]time.Duration{'s': time.Second, 'm': time.Minute, 'h': time.Hour, 'd': 24 * time.Hour, 'w': 7 * 24 * time.Hour}
	if s != "" {
		if u, ok := units[s[len(s)-1]]; ok {
			n, err := strconv.Atoi(s[:len(s)-1])
			if err == nil && n > 0 && time.Duration(n) <= maxTimespan/u {
				return time.Duration(n) * u, nil
			}
		}
	}
	return 0, fmt.Errorf("timespan %q: want a number with s, m, h or d, up to 31d", s)
}

func (d *document) aliases(c *Correlation, n *yaml.Node) {
	if n == nil {
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, FaultError, "correlation.aliases", "want names, and for each the field by rule")
		return
	}
	c.Aliases = map[string]map[string]string{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		of := map[string]string{}
		v := n.Content[i+1]
		for j := 0; v.Kind == yaml.MappingNode && j+1 < len(v.Content); j += 2 {
			of[v.Content[j].Value] = text(v.Content[j+1])
		}
		if len(of) == 0 {
			d.fault(v, FaultError, "correlation.aliases."+n.Content[i].Value, "want the field of each rule")
			return
		}
		c.Aliases[n.Content[i].Value] = of
	}
}

// bounds reads the condition; a temporal correlation may have none, which means
// all of its rules.
func (d *document) bounds(c *Correlation, n *yaml.Node) {
	temporal := strings.HasPrefix(c.Type, "temporal")
	if n == nil {
		if !temporal {
			d.fault(n, FaultError, "correlation.condition", "a condition such as gte: 10 is needed")
		}
		return
	}
	if n.Kind != yaml.MappingNode {
		d.fault(n, FaultError, "correlation.condition", "want comparisons such as gte: 10; this is %s", kindOf(n))
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i].Value, n.Content[i+1]
		switch k {
		case "gt", "gte", "lt", "lte", "eq", "neq":
			x, ok := number(text(v))
			if !ok {
				d.fault(v, FaultError, "correlation.condition."+k, "want a number, not %q", text(v))
				return
			}
			c.Bounds = append(c.Bounds, Bound{k, x})
		case "field":
			c.Fields = texts(v)
		case "percentile":
			if x, ok := number(text(v)); ok {
				c.Bounds = append(c.Bounds, Bound{"lte", x})
			}
		default:
			d.fault(n.Content[i], FaultError, "correlation.condition", "unknown key %q; there are gt, gte, lt, lte, eq, neq, field", k)
			return
		}
	}
	switch {
	case strings.HasPrefix(c.Type, "value_") && len(c.Fields) == 0:
		d.fault(n, FaultError, "correlation.condition.field", "%s needs the field it is about", c.Type)
	case len(c.Fields) > 1 && (c.Type == "value_sum" || c.Type == "value_avg"):
		d.fault(child(n, "field"), FaultError, "correlation.condition.field", "%s is about one field", c.Type)
	case len(c.Bounds) == 0 && !temporal:
		d.fault(n, FaultError, "correlation.condition", "a comparison such as gte: 10 is needed")
	case !c.possible():
		d.fault(n, FaultError, "correlation.condition", "the condition can never hold: %s", c.limits())
	}
}

// possible reports whether any value fulfils all bounds.
func (c *Correlation) possible() bool {
	w := &watch{c: c}
	if len(c.Bounds) == 0 {
		return true
	}
	var most float64
	switch c.Type {
	case "event_count", "value_count":
		most = maxEntries
	case "temporal", "temporal_ordered":
		most = float64(len(c.Rules))
	default:
		// Of a number on the line, one at, beside or between the bounds.
		for _, b := range c.Bounds {
			for _, o := range c.Bounds {
				for _, v := range []float64{b.N, b.N - 1, b.N + 1, (b.N + o.N) / 2} {
					if w.holds(v) && (c.Type != "value_percentile" || v >= 0 && v <= 100) {
						return true
					}
				}
			}
		}
		return false
	}
	for v := 0.0; v <= most; v++ {
		if w.holds(v) {
			return true
		}
	}
	return false
}

// limits says what a condition may be about.
func (c *Correlation) limits() string {
	switch c.Type {
	case "event_count", "value_count":
		return fmt.Sprintf("up to %d hits of one group are counted", maxEntries)
	case "temporal", "temporal_ordered":
		return fmt.Sprintf("%d rules are named", len(c.Rules))
	case "value_percentile":
		return "it is a share between 0 and 100"
	}
	return "no number is in the range"
}
