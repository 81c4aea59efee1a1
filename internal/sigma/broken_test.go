package sigma

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"honeyguide"
)

// TestBroken holds what an author reads: file, line, key, and what to write.
func TestBroken(t *testing.T) {
	// detect wraps detections: they begin at line 3.
	detect := func(s string) string { return "title: X\nlogsource: {product: linux}\ndetection:\n" + s }
	correlate := func(s string) string {
		return "title: X\ncorrelation:\n  type: event_count\n  rules: [a]\n  timespan: 5m\n  condition: {gte: 3}\n" + s
	}
	for name, x := range map[string]struct {
		text  string
		line  int
		field string
		kind  FaultKind
		why   string // of it
	}{
		"no yaml":           {"title: X\n\tlogsource: x\n", 1, "", FaultError, "no YAML: found a tab character"},
		"quote not closed":  {"title: 'X\nlogsource: x\n", 1, "", FaultError, "unexpected end of stream"},
		"a list":            {"- title: X\n", 1, "", FaultError, "keys and values; this is a list"},
		"a word":            {"title\n", 1, "", FaultError, "keys and values; this is a single value"},
		"no kind":           {"title: X\nlogsource: {product: linux}\n", 1, "detection", FaultError, "one of the keys detection, correlation, filter is needed"},
		"no title":          {"id: 7\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n", 1, "title", FaultError, "a title is needed"},
		"a level":           {"title: X\nlevel: grave\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n", 2, "level", FaultError, "informational, low, medium, high, critical"},
		"no logsource":      {"title: X\ndetection: {s: {f: x}, condition: s}\n", 1, "logsource", FaultError, "a logsource with product, category or service is needed"},
		"empty logsource":   {"title: X\nlogsource:\n  definition: x\ndetection: {s: {f: x}, condition: s}\n", 3, "logsource", FaultError, "none of product, category, service"},
		"old parts":         {"title: X\naction: global\nlogsource: {product: linux}\n", 2, "action", FaultUnsupported, "write one document with all selections"},
		"merged keys":       {detect("  a: &a {f: x}\n  s:\n    <<: *a\n  condition: s\n"), 6, "<<", FaultError, "write them out"},
		"a key twice":       {detect("  s:\n    f: x\n    f: y\n  condition: s\n"), 6, "f", FaultError, "make one list of its values"},
		"a selection twice": {detect("  s: {f: x}\n  s: {f: y}\n  condition: s\n"), 5, "s", FaultError, "there twice"},
		"detection a list":  {detect("  - f: x\n"), 4, "detection", FaultError, "want selections and a condition; this is a list"},
		"no condition":      {detect("  s: {f: x}\n"), 4, "condition", FaultError, "a condition is needed"},
		"old aggregation":   {detect("  s: {f: x}\n  condition: s | count() > 5\n"), 5, "condition", FaultUnsupported, "write a correlation rule"},
		"old near":          {detect("  s: {f: x}\n  condition: s | near t\n"), 5, "condition", FaultUnsupported, "write a correlation rule"},
		"timeframe":         {detect("  s: {f: x}\n  timeframe: 5m\n  condition: s\n"), 5, "timeframe", FaultUnsupported, "write a correlation rule with timespan"},
		"unknown selection": {detect("  sel: {f: x}\n  condition: sel and not filter\n"), 5, "condition", FaultError, `no selection "filter"; there are sel`},
		"nothing fits":      {detect("  sel: {f: x}\n  condition: 1 of filter_*\n"), 5, "condition", FaultError, `no selection fits "filter_*"; there are sel`},
		"them is nobody":    {detect("  _s: {f: x}\n  condition: all of them\n"), 5, "condition", FaultError, `no selection fits "them"`},
		"more than are":     {detect("  s1: {f: x}\n  s2: {f: y}\n  condition: 3 of s*\n"), 6, "condition", FaultError, "there are only 2"},
		"bracket":           {detect("  s: {f: x}\n  condition: (s and s\n"), 5, "condition", FaultError, "a bracket in the condition is not closed"},
		"bracket too many":  {detect("  s: {f: x}\n  condition: s)\n"), 5, "condition", FaultError, `unexpected ")"`},
		"two names":         {detect("  s: {f: x}\n  condition: s s\n"), 5, "condition", FaultError, `unexpected "s"`},
		"ends with and":     {detect("  s: {f: x}\n  condition: s and\n"), 5, "condition", FaultError, "ends too early"},
		"of what":           {detect("  s: {f: x}\n  condition: 1 of\n"), 5, "condition", FaultError, `"1" of what?`},
		"empty selection":   {detect("  s: {}\n  condition: s\n"), 4, "s", FaultError, "the selection is empty"},
		"empty list":        {detect("  s: {f: []}\n  condition: s\n"), 4, "s.f", FaultError, "the list is empty"},
		"list in a list":    {detect("  s:\n    - [x]\n  condition: s\n"), 5, "s", FaultError, "a list within a list means nothing here"},
		"map as a value":    {detect("  s:\n    f:\n      g: x\n  condition: s\n"), 6, "s.f", FaultError, "a value or a list, not keys and values"},
		"map in a list":     {detect("  s:\n    f:\n      - g: x\n  condition: s\n"), 6, "s.f", FaultError, "want a value, this is keys and values"},
		"null keyword":      {detect("  s: [x, null]\n  condition: s\n"), 4, "s", FaultError, "null is no keyword"},
		"unknown modifier":  {detect("  s:\n    f|containz: x\n  condition: s\n"), 5, "s.f|containz", FaultError, `unknown modifier "containz"; did you mean "contains"?`},
		"two places":        {detect("  s:\n    f|contains|endswith: x\n  condition: s\n"), 5, "s.f|contains|endswith", FaultError, "exclude each other"},
		"encoded behind":    {detect("  s:\n    f|contains|base64: x\n  condition: s\n"), 5, "s.f|contains|base64", FaultError, `"base64" must stand before "contains"`},
		"re and contains":   {detect("  s:\n    f|re|contains: x\n  condition: s\n"), 5, "s.f|re|contains", FaultError, `"contains" cannot go with "re"`},
		"i without re":      {detect("  s:\n    f|i: x\n  condition: s\n"), 5, "s.f|i", FaultError, `unknown modifier "i"; it follows re`},
		"look-around":       {detect("  s:\n    f|re: 'a(?=b)'\n  condition: s\n"), 5, "s.f|re", FaultError, "RE2 does not have"},
		"faulty regexp":     {detect("  s:\n    f|re: 'a['\n  condition: s\n"), 5, "s.f|re", FaultError, "the regular expression is faulty"},
		"long regexp":       {detect("  s:\n    f|re: " + strings.Repeat("a", 5000) + "\n  condition: s\n"), 5, "s.f|re", FaultError, "longer than 4096 bytes"},
		"no network":        {detect("  s:\n    f|cidr: 192.0.2\n  condition: s\n"), 5, "s.f|cidr", FaultError, "such as 192.0.2.0/24"},
		"no number":         {detect("  s:\n    f|gt: many\n  condition: s\n"), 5, "s.f|gt", FaultError, `gt wants a number, not "many"`},
		"no hour":           {detect("  s:\n    f|hour: noon\n  condition: s\n"), 5, "s.f|hour", FaultError, `hour wants a number, not "noon"`},
		"exists maybe":      {detect("  s:\n    f|exists: maybe\n  condition: s\n"), 5, "s.f|exists", FaultError, "true or false"},
		"null contains":     {detect("  s:\n    f|contains: null\n  condition: s\n"), 5, "s.f|contains", FaultError, "null takes no modifier"},
		"too short":         {detect("  s:\n    f|base64offset|contains: ''\n  condition: s\n"), 5, "s.f|base64offset|contains", FaultError, "too short to be encoded"},
		"encoded wildcard":  {detect("  s:\n    f|base64: 'a*'\n  condition: s\n"), 5, "s.f|base64", FaultError, `"base64" cannot encode a wildcard`},
		"placeholder":       {detect("  s:\n    f|expand: '%nobody%'\n  condition: s\n"), 5, "s.f|expand", FaultPlaceholder, "the placeholder %nobody% has no values"},
		"type":              {strings.Replace(correlate(""), "event_count", "event_sum", 1), 3, "correlation.type", FaultError, "event_count, value_count"},
		"no rules":          {strings.Replace(correlate(""), "[a]", "[]", 1), 4, "correlation.rules", FaultError, "at least one rule"},
		"a rule twice":      {strings.Replace(correlate(""), "[a]", "[a, a]", 1), 4, "correlation.rules", FaultError, `"a" is listed twice`},
		"timespan":          {strings.Replace(correlate(""), "5m", "5 minutes", 1), 5, "correlation.timespan", FaultError, "a number with s, m, h or d"},
		"no timespan":       {strings.Replace(correlate(""), "  timespan: 5m\n", "", 1), 1, "correlation.timespan", FaultError, "a number with s, m, h or d"},
		"comparison":        {strings.Replace(correlate(""), "gte", "ge", 1), 6, "correlation.condition", FaultError, "there are gt, gte, lt, lte, eq, neq, field"},
		"no bound":          {strings.Replace(correlate(""), "gte: 3", "gte: few", 1), 6, "correlation.condition.gte", FaultError, `want a number, not "few"`},
		"no comparison":     {strings.Replace(correlate(""), "{gte: 3}", "{field: f}", 1), 6, "correlation.condition", FaultError, "a comparison such as gte: 10 is needed"},
		"never":             {strings.Replace(correlate(""), "{gte: 3}", "{gte: 3, lt: 3}", 1), 6, "correlation.condition", FaultError, "can never hold"},
		"more than kept":    {strings.Replace(correlate(""), "gte: 3", "gte: 5000", 1), 6, "correlation.condition", FaultError, "up to 1000 hits"},
		"no field":          {strings.Replace(correlate(""), "event_count", "value_count", 1), 6, "correlation.condition.field", FaultError, "value_count needs the field it is about"},
		"alias":             {correlate("  aliases: {who: user}\n"), 7, "correlation.aliases.who", FaultError, "want the field of each rule"},
	} {
		t.Run(name, func(t *testing.T) {
			set := &Ruleset{}
			// A good rule before must not be lost by it.
			set.Add("dir/x.yml", []byte("title: Good\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n---\n"+x.text), nil)
			if len(set.Rules) != 1 || set.Rules[0].Title != "Good" || len(set.Correlations)+len(set.Filters) > 0 {
				t.Fatalf("rules %d, correlations %d, filters %d, want the good rule alone", len(set.Rules), len(set.Correlations), len(set.Filters))
			}
			var f *Fault
			for i := range set.Faults {
				if set.Faults[i].Kind != FaultWarning {
					if f != nil {
						t.Errorf("told twice: %s", set.Faults[i].Why)
					}
					f = &set.Faults[i]
				}
			}
			if f == nil {
				t.Fatal("no fault")
			}
			if f.File != "dir/x.yml" || f.Line != x.line+4 || f.Field != x.field || f.Kind != x.kind || !strings.Contains(f.Why, x.why) {
				t.Errorf("got  %s:%d %q %s: %s\nwant %d %q %s: ..%s..", f.File, f.Line-4, f.Field, f.Kind, f.Why, x.line, x.field, x.kind, x.why)
			}
		})
	}
}

func TestWarnings(t *testing.T) {
	for name, x := range map[string]struct {
		text  string
		line  int
		field string
	}{
		"title":       {"title: " + strings.Repeat("ä", 257) + "\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n", 1, "title"},
		"status":      {"title: X\nstatus: done\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n", 2, "status"},
		"date":        {"title: X\ndate: yesterday\nlogsource: {product: linux}\ndetection: {s: {f: x}, condition: s}\n", 2, "date"},
		"all of one":  {"title: X\nlogsource: {product: linux}\ndetection:\n  s: {f|contains|all: x}\n  condition: s\n", 4, "s.f|contains|all"},
		"null listed": {"title: X\nlogsource: {product: linux}\ndetection:\n  s: {f: [x, null]}\n  condition: s\n", 4, "s.f"},
	} {
		t.Run(name, func(t *testing.T) {
			set := &Ruleset{}
			set.Add("x.yml", []byte(x.text), nil)
			if len(set.Rules) != 1 || len(set.Faults) != 1 {
				t.Fatalf("rules %d, faults %v", len(set.Rules), set.Faults)
			}
			if f := set.Faults[0]; f.Kind != FaultWarning || f.Line != x.line || f.Field != x.field {
				t.Errorf("%s:%d %q: %s", f.Kind, f.Line, f.Field, f.Why)
			}
		})
	}
	set := &Ruleset{}
	set.Add("x.yml", []byte("title: X\nlogsource: {product: linux}\nfilter: {rules: [nobody], s: {f: x}, condition: s}\n"), nil)
	if _, faults := NewEngine(set); len(faults) != 1 || faults[0].Kind != FaultWarning || !strings.Contains(faults[0].Why, "nobody") {
		t.Errorf("a filter of a rule that is not there: %v", faults)
	}
}

// TestCorrelationLinks holds what is wrong between documents.
func TestCorrelationLinks(t *testing.T) {
	link := func(name, rule string) string {
		return fmt.Sprintf("title: %s\nname: %s\ncorrelation: {type: event_count, rules: [%s], timespan: 1m, condition: {gte: 2}}\n", name, name, rule)
	}
	deep := link("c0", "a")
	for i := 1; i < 12; i++ {
		deep += "---\n" + link(fmt.Sprintf("c%d", i), fmt.Sprintf("c%d", i-1))
	}
	for name, x := range map[string]struct {
		text   string
		left   int
		faults int
		why    string
	}{
		"circle":  {link("x", "y") + "---\n" + link("y", "z") + "---\n" + link("z", "x"), 0, 3, "in a circle: x -> y -> z -> x"},
		"itself":  {link("x", "x"), 0, 1, "in a circle: x -> x"},
		"nobody":  {link("x", "nobody"), 0, 1, `no rule "nobody"`},
		"on such": {link("y", "x") + "---\n" + link("x", "nobody"), 0, 2, `no rule "nobody"`},
		"deep":    {deep, 8, 4, "more than 8 deep"},
	} {
		t.Run(name, func(t *testing.T) {
			set := &Ruleset{}
			set.Add("x.yml", []byte(base+x.text), nil)
			if len(set.Faults) > 0 {
				t.Fatal(set.Faults)
			}
			k, faults := NewCorrelator(set)
			if k.Len() != x.left || len(faults) != x.faults {
				t.Fatalf("%d correlations, faults %v", k.Len(), faults)
			}
			if !strings.Contains(faults[0].Why, x.why) {
				t.Errorf("%s, want ..%s..", faults[0].Why, x.why)
			}
		})
	}
}

func TestMeta(t *testing.T) {
	set := &Ruleset{}
	set.Add("x.yml", []byte(`
title: X
id: 5ee5b5b0-0000-4000-8000-000000000001
name: x
taxonomy: sigma
related:
  - {id: 5ee5b5b0-0000-4000-8000-000000000002, type: derived}
author: Someone
license: MIT
level: high
tags: [attack.t1110]
ticket: 4711
falsepositives: Unlikely
logsource: {product: linux, definition: audit is on}
detection: {s: {f: x}, condition: s}
`), nil)
	if len(set.Rules) != 1 {
		t.Fatal(set.Faults)
	}
	want := Meta{
		ID: "5ee5b5b0-0000-4000-8000-000000000001", Name: "x", Title: "X", License: "MIT", Author: "Someone", Tags: []string{"attack.t1110"},
		FalsePositives: []string{"Unlikely"}, Level: honeyguide.SeverityHigh, File: "x.yml", Line: 2, Taxonomy: "sigma",
		Related: []Related{{"5ee5b5b0-0000-4000-8000-000000000002", "derived"}}, Custom: map[string]string{"ticket": "4711"},
	}
	if d := cmp.Diff(want, set.Rules[0].Meta); d != "" {
		t.Error(d)
	}
}

func TestManyDocuments(t *testing.T) {
	doc := "---\ntitle: X\r\nlogsource: {product: linux}\r\ndetection: {s: {f: x}, condition: s}\r\n"
	set := &Ruleset{}
	set.Add("x.yml", []byte("\ufeff"+strings.Repeat(doc, 3)+"---\n---\n# nothing\n"), nil)
	if len(set.Rules) != 3 || len(set.Faults) > 0 {
		t.Errorf("%d rules of 3, faults %v", len(set.Rules), set.Faults)
	}
	set = &Ruleset{}
	set.Add("x.yml", []byte(strings.Repeat(doc, maxDocuments+1)), nil)
	if len(set.Faults) != 1 {
		t.Errorf("too many documents: faults %v", set.Faults)
	}
	set = &Ruleset{}
	set.Add("x.yml", make([]byte, maxFile+1), nil)
	if len(set.Faults) != 1 || !strings.Contains(set.Faults[0].Why, "larger than") {
		t.Errorf("too large: faults %v", set.Faults)
	}
	bomb := "title: X\nlogsource: {product: linux}\na0: &a0 [x, x, x, x, x, x, x, x, x]\n"
	for i := 1; i < 10; i++ {
		bomb += fmt.Sprintf("a%d: &a%d [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*a%d, ", i-1), 9), ", "))
	}
	set = &Ruleset{}
	set.Add("x.yml", []byte(bomb+"detection: {s: {f: x}, condition: s}\n"), nil)
	if len(set.Faults) != 1 || !strings.Contains(set.Faults[0].Why, "more than 200000 values") {
		t.Errorf("an expansion bomb: faults %v", set.Faults)
	}
}
