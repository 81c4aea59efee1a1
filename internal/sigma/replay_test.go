package sigma

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// everyType is a set with a correlation of each type, chains, late ends and
// groups.
const everyType = `
name: many
title: many
correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 20s, condition: {gte: 4}}
---
title: few
correlation: {type: event_count, rules: [b], group-by: [ip], timespan: 15s, condition: {lt: 2}}
---
title: silent
correlation: {type: event_count, rules: [c], group-by: [ip], timespan: 30s, condition: {eq: 0}}
---
title: users
correlation: {type: value_count, rules: [a, b], group-by: [ip], timespan: 30s, condition: {field: user, gte: 3}}
---
title: sum
generate: true
correlation: {type: value_sum, rules: [c], timespan: 10s, condition: {field: user, gt: 12}}
---
title: average
correlation: {type: value_avg, rules: [c], group-by: [ip], timespan: 1m, condition: {field: user, gte: 2}}
---
title: share
correlation: {type: value_percentile, rules: [a], timespan: 5s, condition: {field: user, gte: 20, lt: 30}}
---
title: together
correlation: {type: temporal, rules: [a, b, c], group-by: [ip], timespan: 8s}
---
title: ordered
correlation: {type: temporal_ordered, rules: [many, b, c], group-by: [ip], timespan: 40s}
`

// traffic is a run of hits, most in order, some late, some twice.
func traffic(r *rand.Rand, n int) []string {
	var out []string
	now := 0.0
	for i := range n {
		now += r.Float64() * 3
		at := now
		switch r.IntN(20) {
		case 0:
			at -= r.Float64() * 60 // late, or too late
		case 1:
			now += 100
		case 2:
			out = append(out, fmt.Sprintf("%.3f tick", now))
			continue
		case 3:
			if len(out) > 0 {
				out = append(out, out[len(out)-1])
				continue
			}
		}
		out = append(out, fmt.Sprintf("%.3f %c ip=%d user=%d id=e%d", max(at, 0), 'a'+r.IntN(3), r.IntN(4), r.IntN(5), i))
	}
	return out
}

func findings(r *rig, lines []string) (out []string) {
	for _, line := range lines {
		for _, x := range r.play(line) {
			out = append(out, x.ID+" "+tell(&x)+" "+strings.Join(x.Events, ","))
		}
	}
	return out
}

// TestRestoredGoesOnTheSame crashes at random places: a snapshot taken some time
// before is restored, what came behind it is shown again with its findings
// thrown away, and from then on all must be as without a crash.
func TestRestoredGoesOnTheSame(t *testing.T) {
	total := 0
	for seed := range uint64(30) {
		r := rand.New(rand.NewPCG(seed, 1))
		lines := traffic(r, 600)
		want := findings(newRig(t, everyType), lines)
		total += len(want)

		var got []string
		rig := newRig(t, everyType)
		saved, at := rig.k.Snapshot(), 0
		for done := 0; done < len(lines); {
			next := min(len(lines), done+1+r.IntN(80))
			got = append(got, findings(rig, lines[done:next])...)
			done = next
			if r.IntN(2) == 0 {
				saved, at = rig.k.Snapshot(), done
			}
			if r.IntN(3) == 0 { // crash
				rig = newRig(t, everyType)
				if err := rig.k.Restore(saved); err != nil {
					t.Fatal(err)
				}
				if again := rig.k.Snapshot(); !slices.Equal(saved, again) {
					t.Fatalf("seed %d: a restored correlator has another snapshot", seed)
				}
				findings(rig, lines[at:done])
			}
		}
		if !slices.Equal(got, want) {
			t.Fatalf("seed %d: with crashes %d findings, without %d", seed, len(got), len(want))
		}
	}
	if total < 1000 {
		t.Errorf("only %d findings: the traffic is too thin to show anything", total)
	}
}

// TestEveryTypeFires keeps the test above honest.
func TestEveryTypeFires(t *testing.T) {
	rig := newRig(t, everyType)
	seen := map[string]bool{}
	for _, line := range traffic(rand.New(rand.NewPCG(7, 7)), 5000) {
		for _, x := range rig.play(line) {
			seen[x.Rule.Title] = true
		}
	}
	for _, title := range []string{"few", "silent", "users", "sum", "average", "share", "together", "ordered"} {
		if !seen[title] {
			t.Errorf("%s never fires", title)
		}
	}
	if seen["many"] {
		t.Error("many only feeds others, and was told of")
	}
	if lost := rig.k.Lost(); lost.Late == 0 {
		t.Error("no hit was too late")
	}
}

// slowCount judges a correlation by looking at every hit there ever was.
func slowCount(hits []time.Duration, span time.Duration, n int) (fired []time.Duration) {
	var last time.Duration = -1 << 60
	from := 0
	for i, at := range hits {
		for hits[from] < at-span {
			from++
		}
		if at-last > span && i-from+1 >= n {
			fired = append(fired, at)
			last, from = at, i+1
		}
	}
	return fired
}

// TestCountAgreesWithItsDefinition compares with the slow way, in order.
func TestCountAgreesWithItsDefinition(t *testing.T) {
	for seed := range uint64(50) {
		r := rand.New(rand.NewPCG(seed, 2))
		n := 2 + r.IntN(6)
		rig := newRig(t, fmt.Sprintf("{title: X, correlation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: %d}}}", n))
		var hits, got []time.Duration
		at := time.Duration(0)
		for range 500 {
			at += time.Duration(r.IntN(4000)) * time.Millisecond
			hits = append(hits, at)
			for range rig.play(fmt.Sprintf("%.3f a", at.Seconds())) {
				got = append(got, at)
			}
		}
		if want := slowCount(hits, 10*time.Second, n); !slices.Equal(got, want) {
			t.Fatalf("seed %d: fired at %v, want %v", seed, got, want)
		}
	}
}

func TestRestoreLeavesOutWhatChanged(t *testing.T) {
	const x = `{title: X, correlation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 2}}}`
	const y = `{title: Y, correlation: {type: event_count, rules: [a], timespan: 10s, condition: {gte: 3}}}`
	old := newRig(t, x+"\n---\n"+y)
	old.playAll("0 a \n")

	same := newRig(t, y+"\n---\n"+x)
	if err := same.k.Restore(old.k.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if got := same.playAll("1 a id=z \n 2 a id=y"); len(got) != 2 {
		t.Errorf("in another order: %v, want both", got)
	}
	changed := newRig(t, strings.Replace(x, "gte: 2", "gte: 1.5", 1))
	if err := changed.k.Restore(old.k.Snapshot()); err != nil {
		t.Fatal(err)
	}
	if got := changed.playAll("1 a id=z"); len(got) != 0 {
		t.Errorf("a changed correlation remembers: %v", got)
	}
}

func TestBoundsOfMemory(t *testing.T) {
	rig := newRig(t, `{title: X, correlation: {type: value_count, rules: [a], group-by: [ip], timespan: 1h, condition: {field: user, gte: 3}}}`)
	rig.k.maxBytes = 1 << 20
	for i := range 20_000 {
		rig.play(fmt.Sprintf("%d a ip=%d user=x", i/100, i))
	}
	if b := rig.k.Bytes(); b > rig.k.maxBytes || b < rig.k.maxBytes/2 {
		t.Errorf("%d bytes are in use, of %d", b, rig.k.maxBytes)
	}
	lost := rig.k.Lost().Groups
	if n := rig.k.Groups(); lost == 0 || int64(n)+lost != 20_000 {
		t.Errorf("%d groups, %d forgotten, want 20000 together", n, lost)
	}
	if len(rig.play("201 a ip=19999 user=y")) != 0 || len(rig.play("202 a ip=19999 user=z")) != 1 {
		t.Error("the group used last was forgotten")
	}
	rig.play("100000 tick")
	if rig.k.Groups() != 0 || rig.k.Bytes() != 0 {
		t.Errorf("after the span there are %d groups of %d bytes", rig.k.Groups(), rig.k.Bytes())
	}
}

// TestManyGroups holds the bound of groups under a million of them.
func TestManyGroups(t *testing.T) {
	if testing.Short() {
		t.Skip("a million groups take a second")
	}
	rig := newRig(t, `{title: X, correlation: {type: event_count, rules: [a], group-by: [ip], timespan: 1h, condition: {gte: 3}}}`)
	rec := &Record{Fields: []Field{{Name: "ip"}}, Time: epoch}
	for i := range 1_000_000 {
		rec.ID = strconv.Itoa(i)
		rec.Fields[0].Text = rec.ID
		rec.Time = epoch.Add(time.Duration(i) * time.Microsecond)
		rig.k.Hit(rig.rules["a"], rec)
	}
	if n := rig.k.Groups(); n != maxGroups {
		t.Errorf("%d groups, want %d", n, maxGroups)
	}
	if lost := rig.k.Lost().Groups; lost != 900_000 {
		t.Errorf("%d groups forgotten, want 900000", lost)
	}
}

func TestBoundsOfOneGroup(t *testing.T) {
	for _, rule := range []string{
		"{title: X, correlation: {type: event_count, rules: [a], timespan: 1h, condition: {gte: 1000}}}",
		"{title: X, correlation: {type: value_count, rules: [a, b], timespan: 1h, condition: {field: user, gte: 3}}}",
		"{title: X, correlation: {type: temporal, rules: [a, b], timespan: 1h}}",
		"{title: X, correlation: {type: temporal_ordered, rules: [b, a, c], timespan: 1h}}",
	} {
		rig := newRig(t, rule)
		rig.play("0 b user=rare")
		fired := 0
		for i := range 3000 {
			fired += len(rig.play(fmt.Sprintf("%g a user=x", 1+float64(i)/10)))
			for _, w := range rig.k.watches {
				for _, g := range w.groups {
					if len(g.entries) > maxEntries {
						t.Fatalf("%s: %d entries", rule, len(g.entries))
					}
				}
			}
		}
		fired += len(rig.play("302 c user=y"))
		fired += len(rig.play("303 a user=z"))
		if fired != 1 {
			t.Errorf("%s: fired %d times, want once", rule, fired)
		}
	}
}

func FuzzRestore(f *testing.F) {
	rig := newRig(f, everyType)
	for _, line := range traffic(rand.New(rand.NewPCG(3, 3)), 60) {
		rig.play(line)
	}
	f.Add(rig.k.Snapshot())
	f.Add([]byte{snapshotForm})
	f.Fuzz(func(t *testing.T, b []byte) {
		rig := newRig(t, everyType)
		if rig.k.Restore(b) != nil && rig.k.Groups() != 0 {
			t.Error("a damaged state was kept")
		}
		rig.play("5 a ip=1 user=2")
		rig.play("100000 tick")
	})
}
