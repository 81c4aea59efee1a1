package detect_test

import (
	"net/netip"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/detect"
)

func noise() honeyguide.Alert {
	a := detect.Claim("finding", &detect.Rule{ID: "suricata:2019401", Title: "ET SCAN Nmap Probe", Severity: honeyguide.SeverityHigh, Category: honeyguide.CategoryRecon}, event(1, "10.1.2.3"), "", "")
	a.Sensor = "ids"
	a.Dst.Addr = netip.MustParseAddrPort("[::ffff:10.9.0.5]:80")
	a.Observed = []honeyguide.Observable{{Name: "h", Type: "domain", Value: "update.example.com"}}
	return a
}

func TestSuppressorMatches(t *testing.T) {
	crit := honeyguide.SeverityCritical
	for name, c := range map[string]struct {
		m      honeyguide.Match
		change func(*honeyguide.Alert)
		want   bool
	}{
		"rule":                       {honeyguide.Match{Rule: "suricata:2019401"}, nil, true},
		"other rule":                 {honeyguide.Match{Rule: "suricata:20194"}, nil, false},
		"beginning of a rule":        {honeyguide.Match{Rule: "suricata:20194*"}, nil, true},
		"source":                     {honeyguide.Match{Src: "10.1.2.3"}, nil, true},
		"mapped source":              {honeyguide.Match{Src: "::ffff:10.1.2.3"}, nil, true},
		"prefix":                     {honeyguide.Match{Src: "10.1.99.1/16"}, nil, true},
		"other prefix":               {honeyguide.Match{Src: "10.2.0.0/16"}, nil, false},
		"target, mapped":             {honeyguide.Match{Dst: "10.9.0.0/24"}, nil, true},
		"no source at all":           {honeyguide.Match{Src: "10.1.0.0/16"}, func(a *honeyguide.Alert) { a.Src = honeyguide.Endpoint{} }, false},
		"title in any case":          {honeyguide.Match{Title: " nmap probe "}, nil, true},
		"observable":                 {honeyguide.Match{Observable: "update.example.com"}, nil, true},
		"part of an observable":      {honeyguide.Match{Observable: "example.com"}, nil, false},
		"all of it":                  {honeyguide.Match{Rule: "suricata:*", Sensor: "ids", Detector: "finding", Category: honeyguide.CategoryRecon, Src: "10.1.2.3"}, nil, true},
		"all but one":                {honeyguide.Match{Rule: "suricata:*", Sensor: "other", Src: "10.1.2.3"}, nil, false},
		"critical is never meant":    {honeyguide.Match{Src: "10.1.2.3"}, func(a *honeyguide.Alert) { a.Severity = crit }, false},
		"unless it is asked for":     {honeyguide.Match{Src: "10.1.2.3", MaxSeverity: crit}, func(a *honeyguide.Alert) { a.Severity = crit }, true},
		"more severe than asked for": {honeyguide.Match{Src: "10.1.2.3", MaxSeverity: honeyguide.SeverityMedium}, nil, false},
	} {
		a := noise()
		if c.change != nil {
			c.change(&a)
		}
		s := detect.NewSuppressor([]honeyguide.Suppression{{ID: "x", Match: c.m}})
		if got := s.Find(&a) != nil; got != c.want {
			t.Errorf("%s: %v, want %v", name, got, c.want)
		}
	}
}

func TestTheFirstSuppressionCounts(t *testing.T) {
	a := noise()
	s := detect.NewSuppressor([]honeyguide.Suppression{
		{ID: "bad", Match: honeyguide.Match{Src: "nonsense"}},
		{ID: "other", Match: honeyguide.Match{Rule: "x"}},
		{ID: "first", Match: honeyguide.Match{Rule: "suricata:*"}},
		{ID: "second", Match: honeyguide.Match{Src: "10.1.2.3"}},
	})
	if got := s.Find(&a); got == nil || got.ID != "first" {
		t.Errorf("got %+v", got)
	}
	var none *detect.Suppressor
	if !none.Empty() || none.Find(&a) != nil {
		t.Error("no suppressor suppresses")
	}
}

func TestCheckMatch(t *testing.T) {
	for field, m := range map[string]honeyguide.Match{
		"match": {Detector: "behaviour", Category: honeyguide.CategoryRecon, MaxSeverity: honeyguide.SeverityLow, Title: "  "},
		"src":   {Src: "0.0.0.0/0"},
		"dst":   {Dst: "example.com"},
		"rule":  {Rule: "*"},
	} {
		err := detect.CheckMatch(m)
		if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.HasPrefix(err.Error(), field+":") {
			t.Errorf("%+v: %v, want an error about %s", m, err, field)
		}
	}
	if err := detect.CheckMatch(honeyguide.Match{Sensor: "ids"}); err != nil {
		t.Error(err)
	}
	if got := detect.Describe(honeyguide.Match{Rule: "r*", Src: "10.0.0.0/8", MaxSeverity: honeyguide.SeverityLow}); got != "rule r*, from 10.0.0.0/8, up to low" {
		t.Error(got)
	}
}
