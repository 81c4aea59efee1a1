package sigma

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// base are three rules that correlations stand on: a, b and c, by event name.
const base = `
title: A
name: a
logsource: {product: linux}
detection: {s: {event: a}, condition: s}
---
title: B
name: b
logsource: {product: linux}
detection: {s: {event: b}, condition: s}
---
title: C
name: c
logsource: {product: linux}
detection: {s: {event: c}, condition: s}
---
`

// bench is a correlator with the rules it stands on.
type rig struct {
	t     testing.TB
	rules map[string]*Rule
	k     *Correlator
	n     int
}

func newRig(t testing.TB, text string) *rig {
	t.Helper()
	set := &Ruleset{}
	set.Add("test.yml", []byte(base+text), nil)
	k, faults := NewCorrelator(set)
	for _, f := range append(set.Faults, faults...) {
		t.Fatalf("%s:%d: %s: %s", f.File, f.Line, f.Field, f.Why)
	}
	r := &rig{t: t, rules: map[string]*Rule{}, k: k}
	for _, x := range set.Rules {
		r.rules[x.Name] = x
	}
	return r
}

var epoch = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// play plays a line such as "12.5 a ip=1 user=x id=7": a hit at a second. The
// word tick is time alone.
func (r *rig) play(line string) []Finding {
	r.t.Helper()
	words := strings.Fields(line)
	var sec float64
	if _, err := fmt.Sscan(words[0], &sec); err != nil {
		r.t.Fatal(err)
	}
	r.n++
	rec := &Record{ID: fmt.Sprintf("e%d", r.n), Time: epoch.Add(time.Duration(sec * float64(time.Second)))}
	for _, w := range words[2:] {
		k, v, _ := strings.Cut(w, "=")
		if k == "id" {
			rec.ID = v
			continue
		}
		rec.Fields = append(rec.Fields, Field{Name: k, Text: v})
	}
	if words[1] == "tick" {
		return r.k.Advance(rec.Time)
	}
	return r.k.Hit(r.rules[words[1]], rec)
}

// tell writes a finding as the tables have it.
func tell(x *Finding) string {
	var by []string
	for _, f := range x.Group {
		by = append(by, f.Name+"="+f.Text)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %g n=%d %g-%g %s", x.Rule.Title, x.Value, x.Count, x.First.Sub(epoch).Seconds(), x.Last.Sub(epoch).Seconds(), strings.Join(by, " ")))
}

func (r *rig) playAll(lines string) (out []string) {
	r.t.Helper()
	for line := range strings.Lines(lines) {
		if line = strings.TrimSpace(line); line == "" {
			continue
		}
		for _, x := range r.play(line) {
			out = append(out, strings.TrimPrefix(line[:strings.IndexByte(line, ' ')]+": "+tell(&x), " "))
		}
	}
	return out
}

func TestCorrelations(t *testing.T) {
	const count3 = `{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {gte: 3}}}`
	for name, x := range map[string]struct {
		rule, hits string
		want       []string
	}{
		"count: one less is not enough": {count3, "0 a ip=1 \n 1 a ip=1 \n 2 a ip=2 \n 3 a ip=2", nil},
		"count: as many as wanted":      {count3, "0 a ip=1 \n 1 a ip=1 \n 2 a ip=1", []string{"2: X 3 n=3 0-2 ip=1"}},
		"count: the edge is inside":     {count3, "0 a ip=1 \n 1 a ip=1 \n 10 a ip=1", []string{"10: X 3 n=3 0-10 ip=1"}},
		"count: behind the edge":        {count3, "0 a ip=1 \n 1 a ip=1 \n 10.000001 a ip=1", nil},
		"count: late, in order":         {count3, "0 a ip=1 \n 9 a ip=1 \n 4 a ip=1", []string{"4: X 3 n=3 0-9 ip=1"}},
		"count: late, in a window between": {
			count3, "0 a ip=1 \n 12 a ip=2 \n 5 a ip=1 \n 6 a ip=1 \n 30 a ip=2",
			[]string{"6: X 3 n=3 0-6 ip=1"},
		},
		"count: too late":            {count3, "0 a ip=1 \n 1 a ip=1 \n 30 a ip=2 \n 2 a ip=1", nil},
		"count: the same event once": {count3, "0 a ip=1 id=x \n 0 a ip=1 id=x \n 1 a ip=1 \n 1 a ip=1 id=e3", nil},
		"count: other group":         {count3, "0 a ip=1 \n 1 a ip=2 \n 2 a ip=3", nil},
		"count: other rule":          {count3, "0 b ip=1 \n 1 b ip=1 \n 2 b ip=1", nil},
		"count: without the field":   {count3, "0 a \n 1 a \n 2 a", nil},
		"count: once in a span, again behind it": {
			count3, "0 a ip=1 \n 1 a ip=1 \n 2 a ip=1 \n 3 a ip=1 \n 4 a ip=1 \n 5 a ip=1 \n 6 a ip=1 \n 12 a ip=1 \n 13 a ip=1",
			[]string{"2: X 3 n=3 0-2 ip=1", "13: X 6 n=6 3-13 ip=1"},
		},
		"count: no group": {
			`{title: X, correlation: {type: event_count, rules: [a, b], timespan: 1m, condition: {gt: 1}}}`,
			"0 a ip=1 \n 1 b ip=2",
			[]string{"1: X 2 n=2 0-1"},
		},
		"count: a range": {
			`{title: X, correlation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 2, lt: 4}}}`,
			"0 a \n 1 a \n 2 a \n 3 a \n 11 a \n 12 a \n 13 a \n 25 tick",
			[]string{"25: X 3 n=3 11-13"},
		},
		"count: fewer than": {
			`{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {lt: 2}}}`,
			"0 a ip=1 \n 1 a ip=2 \n 2 a ip=1 \n 11 tick \n 11.5 tick \n 12 tick",
			[]string{"11.5: X 1 n=1 1-1 ip=2"},
		},
		"count: fewer than, late": {
			`{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {lt: 2}}}`,
			"5 a ip=1 \n 3 a ip=1 \n 15.5 tick \n 30 tick",
			[]string{"30: X 0 n=0 15-25 ip=1"},
		},
		"count: falls silent": {
			`{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {eq: 0}}}`,
			"0 a ip=1 \n 12 a ip=1 \n 22 a ip=1 \n 100 tick \n 200 tick",
			[]string{"100: X 0 n=0 30-40 ip=1"},
		},
		"count: all but": {
			`{title: X, correlation: {type: event_count, rules: [a], timespan: 10s, condition: {neq: 2}}}`,
			"0 a \n 1 a \n 21 a \n 32 tick",
			[]string{"21: X 0 n=0 10-20", "32: X 1 n=1 21-21"},
		},
		"count: aliases": {
			`{title: X, correlation: {type: event_count, rules: [a, b], group-by: [who], timespan: 10s, aliases: {who: {a: ip, b: user}}, condition: {gte: 2}}}`,
			"0 a ip=1 user=2 \n 1 b ip=2 user=3 \n 2 b ip=3 user=1",
			[]string{"2: X 2 n=2 0-2 who=1"},
		},
		"values: as many as wanted": {
			`{title: X, correlation: {type: value_count, rules: [a], group-by: [ip], timespan: 10s, condition: {field: user, gte: 3}}}`,
			"0 a ip=1 user=x \n 1 a ip=1 user=y \n 2 a ip=1 user=y \n 3 a ip=1 \n 4 a ip=2 user=z \n 5 a ip=1 user=z",
			[]string{"5: X 3 n=4 0-5 ip=1"},
		},
		"values: one leaves the window": {
			`{title: X, correlation: {type: value_count, rules: [a], timespan: 10s, condition: {field: user, gte: 3}}}`,
			"0 a user=x \n 1 a user=y \n 11 a user=z \n 11 a user=w",
			[]string{"11: X 3 n=3 1-11"},
		},
		"values: late": {
			`{title: X, correlation: {type: value_count, rules: [a], timespan: 10s, condition: {field: user, gte: 3}}}`,
			"0 a user=x \n 9 a user=y \n 5 a user=z",
			[]string{"5: X 3 n=3 0-9"},
		},
		"values: of two fields": {
			`{title: X, correlation: {type: value_count, rules: [a], timespan: 10s, condition: {field: [user, ip], gte: 3}}}`,
			"0 a user=x ip=1 \n 1 a user=x1 ip= \n 2 a user=x ip=1 \n 3 a user=x ip=2",
			[]string{"3: X 3 n=4 0-3"},
		},
		"values: fewer than": {
			`{title: X, correlation: {type: value_count, rules: [a], timespan: 10s, condition: {field: user, lte: 1}}}`,
			"0 a user=x \n 1 a user=x \n 12 tick",
			[]string{"12: X 1 n=2 0-1"},
		},
		"sum": {
			`{title: X, correlation: {type: value_sum, rules: [a], timespan: 10s, condition: {field: bytes, gt: 100}}}`,
			"0 a bytes=90 \n 1 a bytes=lots \n 2 a bytes=10 \n 3 a bytes=0x1",
			[]string{"3: X 101 n=3 0-3"},
		},
		"average": {
			`{title: X, correlation: {type: value_avg, rules: [a], timespan: 10s, condition: {field: bytes, gte: 50}}}`,
			"0 a bytes=10 \n 1 a bytes=80 \n 2 a bytes=60",
			[]string{"2: X 50 n=3 0-2"},
		},
		"percentile": {
			`{title: X, correlation: {type: value_percentile, rules: [a], timespan: 10s, condition: {field: user, percentile: 25}}}`,
			"0 a user=x \n 1 a user=x \n 2 a user=x \n 3 a user=y \n 15 tick",
			[]string{"15: X 25 n=4 0-3"},
		},
		"any order": {
			`{title: X, correlation: {type: temporal, rules: [a, b, c], group-by: [ip], timespan: 10s}}`,
			"0 c ip=1 \n 1 a ip=1 \n 2 b ip=2 \n 10 b ip=1",
			[]string{"10: X 3 n=3 0-10 ip=1"},
		},
		"any order: one too old": {
			`{title: X, correlation: {type: temporal, rules: [a, b, c], group-by: [ip], timespan: 10s}}`,
			"0 c ip=1 \n 1 a ip=1 \n 10.1 b ip=1", nil,
		},
		"any order: two of three": {
			`{title: X, correlation: {type: temporal, rules: [a, b, c], timespan: 10s, condition: {gte: 2}}}`,
			"0 c \n 1 c \n 2 a",
			[]string{"2: X 2 n=3 0-2"},
		},
		"any order: one without the other": {
			`{title: X, correlation: {type: temporal, rules: [a, b], group-by: [ip], timespan: 10s, condition: {eq: 1}}}`,
			"0 a ip=1 \n 0 a ip=2 \n 5 b ip=1 \n 11 tick",
			[]string{"11: X 1 n=1 0-0 ip=2"},
		},
		"in order": {
			`{title: X, correlation: {type: temporal_ordered, rules: [a, b, c], timespan: 10s}}`,
			"0 a \n 1 b \n 2 c",
			[]string{"2: X 3 n=3 0-2"},
		},
		"in order: not": {
			`{title: X, correlation: {type: temporal_ordered, rules: [a, b, c], timespan: 10s}}`,
			"0 c \n 1 b \n 2 a \n 3 b", nil,
		},
		"in order: with others between": {
			`{title: X, correlation: {type: temporal_ordered, rules: [a, b, c], timespan: 10s}}`,
			"0 b \n 1 a \n 2 c \n 3 b \n 4 a \n 5 c",
			[]string{"5: X 3 n=6 0-5"},
		},
		"in order: at one time": {
			`{title: X, correlation: {type: temporal_ordered, rules: [a, b], timespan: 10s}}`,
			"1 b \n 1 a",
			[]string{"1: X 2 n=2 1-1"},
		},
		"in order: the late one puts it right": {
			`{title: X, correlation: {type: temporal_ordered, rules: [a, b], timespan: 10s}}`,
			"3 b \n 1 a",
			[]string{"1: X 2 n=2 1-3"},
		},
		"chain": {
			"name: many\n" + strings.Trim(`
title: X
correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {gte: 2}}
---
title: Y
correlation: {type: temporal_ordered, rules: [many, b], group-by: [ip], timespan: 1m}
`, "\n"),
			"0 a ip=1 \n 1 a ip=1 \n 2 b ip=2 \n 30 b ip=1",
			[]string{"30: Y 2 n=2 1-30 ip=1"},
		},
		"chain: that tells of both": {
			"name: many\n" + strings.Trim(`
title: X
correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {gte: 2}}
---
title: Y
generate: true
correlation: {type: event_count, rules: [many], timespan: 1m, condition: {gte: 2}}
`, "\n"),
			"0 a ip=1 \n 1 a ip=1 \n 2 a ip=2 \n 3 a ip=2",
			[]string{"1: X 2 n=2 0-1 ip=1", "3: X 2 n=2 2-3 ip=2", "3: Y 2 n=2 1-3"},
		},
		"chain: on an end that is long over": {
			"name: few\n" + strings.Trim(`
title: X
correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 10s, condition: {lte: 1}}
---
title: Y
correlation: {type: event_count, rules: [few], timespan: 1m, condition: {gte: 2}}
`, "\n"),
			"0 a ip=1 \n 1 a ip=2 \n 90000 tick",
			[]string{"90000: Y 2 n=2 10-11"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			got := newRig(t, x.rule).playAll(x.hits)
			if d := cmp.Diff(x.want, got); d != "" {
				t.Error(d)
			}
		})
	}
}
