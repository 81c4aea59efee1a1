package detect

import (
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"honeyguide"
)

// A Suppressor tells which alerts are known noise. It is safe for concurrent use.
type Suppressor struct{ list []matcher }

// A matcher is a suppression made ready.
type matcher struct {
	honeyguide.Suppression
	src, dst netip.Prefix // zero: any
	rule     string       // without its *
	begins   bool         // the rule id only has to begin so
	title    string       // in lower case
}

// NewSuppressor returns a suppressor of list; when several mean an alert the
// first counts. One that makes no sense is left out: it was checked when it was
// made, see [CheckMatch].
func NewSuppressor(list []honeyguide.Suppression) *Suppressor {
	s := &Suppressor{}
	for _, x := range list {
		if m, err := prepare(x); err == nil {
			s.list = append(s.list, m)
		}
	}
	return s
}

// Empty reports whether nothing is suppressed.
func (s *Suppressor) Empty() bool { return s == nil || len(s.list) == 0 }

// Find returns the suppression that means a, nil when none does.
func (s *Suppressor) Find(a *honeyguide.Alert) *honeyguide.Suppression {
	if s == nil {
		return nil
	}
	for i := range s.list {
		if s.list[i].means(a) {
			return &s.list[i].Suppression
		}
	}
	return nil
}

// CheckMatch says what is wrong with a match: a field that cannot be read, or
// nothing that narrows it down. The error names the field.
func CheckMatch(m honeyguide.Match) error {
	_, err := prepare(honeyguide.Suppression{Match: m})
	return err
}

func prepare(x honeyguide.Suppression) (matcher, error) {
	m := matcher{Suppression: x}
	var err error
	if m.src, err = prefix("src", x.Match.Src); err != nil {
		return m, err
	}
	if m.dst, err = prefix("dst", x.Match.Dst); err != nil {
		return m, err
	}
	if x.Match.MaxSeverity == 0 {
		m.Match.MaxSeverity = honeyguide.SeverityHigh
	}
	m.title = strings.ToLower(strings.TrimSpace(x.Match.Title))
	m.rule, m.begins = strings.CutSuffix(x.Match.Rule, "*")
	if m.begins && m.rule == "" {
		return m, badMatch("rule: * alone stands for every rule; say how it begins")
	}
	narrow := x.Match
	narrow.MaxSeverity, narrow.Detector, narrow.Category, narrow.Title = 0, "", "", m.title
	if narrow == (honeyguide.Match{}) {
		return m, badMatch("match: too wide; name at least a rule, a source, a target, a sensor, a title or an observable")
	}
	return m, nil
}

func prefix(field, text string) (netip.Prefix, error) {
	if text == "" {
		return netip.Prefix{}, nil
	}
	if a, err := netip.ParseAddr(text); err == nil {
		a = a.Unmap().WithZone("")
		return netip.PrefixFrom(a, a.BitLen()), nil
	}
	p, err := netip.ParsePrefix(text)
	if err != nil || p.Bits() == 0 {
		return p, badMatch(field + ": want an address or a prefix, for example 192.0.2.7 or 10.1.0.0/16")
	}
	return p.Masked(), nil
}

func badMatch(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

// means reports whether all that is given holds of a.
func (m *matcher) means(a *honeyguide.Alert) bool {
	switch x := &m.Match; {
	case a.Severity > x.MaxSeverity,
		!m.begins && m.rule != "" && a.RuleID != m.rule,
		m.begins && !strings.HasPrefix(a.RuleID, m.rule),
		x.Detector != "" && a.Detector != x.Detector,
		x.Category != "" && a.Category != x.Category,
		x.Sensor != "" && a.Sensor != x.Sensor,
		!in(m.src, &a.Src), !in(m.dst, &a.Dst),
		m.title != "" && !strings.Contains(strings.ToLower(a.Title), m.title),
		x.Observable != "" && !slices.ContainsFunc(a.Observed, func(o honeyguide.Observable) bool { return o.Value == x.Observable }):
		return false
	}
	return true
}

// in reports whether an endpoint lies in p; the zero prefix holds everything.
func in(p netip.Prefix, e *honeyguide.Endpoint) bool {
	return !p.IsValid() || p.Contains(e.Addr.Addr().Unmap().WithZone(""))
}

// Describe says in words which alerts m means.
func Describe(m honeyguide.Match) string {
	var parts []string
	add := func(format, value string) {
		if value != "" {
			parts = append(parts, fmt.Sprintf(format, value))
		}
	}
	add("rule %s", m.Rule)
	add("detector %s", m.Detector)
	add("category %s", m.Category)
	add("sensor %s", m.Sensor)
	add("from %s", m.Src)
	add("to %s", m.Dst)
	add("title with %q", m.Title)
	add("observable %s", m.Observable)
	if m.MaxSeverity != 0 {
		add("up to %s", m.MaxSeverity.String())
	}
	return strings.Join(parts, ", ")
}
