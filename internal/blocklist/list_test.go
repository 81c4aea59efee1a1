package blocklist

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/netip"
	"runtime"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var noon = time.Date(2026, 11, 22, 12, 0, 0, 0, time.UTC)

// rig is a list over a real state, with a clock that tests move.
type rig struct {
	t     testing.TB
	store state.Store
	now   time.Time
	list  *List
}

func newRig(t testing.TB) *rig {
	t.Helper()
	r := &rig{t: t, now: noon}
	var err error
	if r.store, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: r.clock}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = r.store.Close() })
	r.list = r.start()
	return r
}

func (r *rig) clock() time.Time { return r.now }

func (r *rig) start() *List { return New(Options{State: r.store, Now: r.clock}) }

// plan is the n-th plan of these tests: a block of target for a time, applied now.
func (r *rig) plan(n int, target string, ttl time.Duration) *honeyguide.Plan {
	return &honeyguide.Plan{
		ID: fmt.Sprintf("plan-%06d", n), Incident: "i1", Playbook: "contain", Step: "block", Action: state.ActionBlockIP, Target: target,
		Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified, CreatedAt: r.now, AppliedAt: r.now, ExpiresAt: r.now.Add(ttl),
	}
}

func (r *rig) save(plans ...*honeyguide.Plan) {
	r.t.Helper()
	err := r.store.Update(r.t.Context(), func(tx state.Tx) error {
		for _, p := range plans {
			if err := tx.Plans().Save(r.t.Context(), p); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		r.t.Fatal(err)
	}
}

func (r *rig) end(s honeyguide.PlanState, p *honeyguide.Plan) {
	r.t.Helper()
	p.State, p.EndedAt = s, r.now
	r.save(p)
}

func (r *rig) refresh() {
	r.t.Helper()
	r.now = r.now.Add(time.Second)
	if err := r.list.Refresh(r.t.Context()); err != nil {
		r.t.Fatal(err)
	}
}

// all gathers what a walk tells.
func all(t testing.TB, walk func(context.Context, Filter, func([]Decision) error) error, f Filter) []Decision {
	t.Helper()
	var out []Decision
	if err := walk(t.Context(), f, func(part []Decision) error { out = append(out, part...); return nil }); err != nil {
		t.Fatal(err)
	}
	return out
}

func values(list []Decision) []string {
	out := []string{}
	for i := range list {
		out = append(out, list[i].Value())
	}
	return out
}

func TestOneDecisionATarget(t *testing.T) {
	r := newRig(t)
	short, long := r.plan(1, "203.0.113.7", time.Hour), r.plan(2, "203.0.113.7", 2*time.Hour)
	published := r.plan(3, "2001:db8::/64", time.Hour)
	published.Action = "blocklist"
	dry := r.plan(4, "203.0.113.8", time.Hour)
	dry.Mode = honeyguide.ModeDryRun
	refused := r.plan(5, "203.0.113.9", time.Hour)
	refused.State, refused.AppliedAt = honeyguide.PlanRefused, time.Time{}
	other := r.plan(6, "203.0.113.10", time.Hour)
	other.Action = "notify"
	r.save(short, long, published, dry, refused, other)
	r.refresh()
	got := all(t, r.list.Walk, Filter{})
	want := []Decision{
		{netip.MustParsePrefix("203.0.113.7/32"), noon, noon.Add(2 * time.Hour), noon, long.ID, state.ActionBlockIP, "contain", "i1", ""},
		{netip.MustParsePrefix("2001:db8::/64"), noon, noon.Add(time.Hour), noon, published.ID, "blocklist", "contain", "i1", ""},
	}
	if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Prefix) bool { return a == b }), cmpopts.IgnoreUnexported(Decision{})); d != "" {
		t.Error(d)
	}
	// The end of the longer plan opens no door the shorter one keeps shut.
	mark := r.list.Mark()
	r.end(honeyguide.PlanReverted, long)
	r.refresh()
	if got := all(t, r.list.Walk, Filter{}); got[0].Plan != short.ID {
		t.Errorf("got %+v", got)
	}
	d, ok := r.list.Changes(mark)
	if blocked, gone := all(t, d.Blocked, Filter{}), all(t, d.Ended, Filter{}); !ok || len(blocked) == 0 || blocked[0].Plan != short.ID || len(gone) != 0 {
		t.Errorf("delta: %v, blocked %+v, ended %+v", ok, blocked, gone)
	}
	// The end of both does.
	mark = r.list.Mark()
	r.end(honeyguide.PlanReverted, short)
	r.refresh()
	d, _ = r.list.Changes(mark)
	if gone := all(t, d.Ended, Filter{}); len(gone) != 1 || gone[0].Value() != "203.0.113.7" {
		t.Errorf("ended %+v", gone)
	}
}

func TestTimeIsUp(t *testing.T) {
	r := newRig(t)
	p := r.plan(1, "203.0.113.7", time.Minute)
	r.save(p)
	r.refresh()
	before, mark := r.list.Tag(), r.list.Mark()
	r.now = noon.Add(time.Minute)
	if got := all(t, r.list.Walk, Filter{}); len(got) != 0 {
		t.Errorf("listed after its time: %+v", got)
	}
	r.refresh() // nobody has marked the plan as expired
	d, ok := r.list.Changes(mark)
	if gone := all(t, d.Ended, Filter{}); !ok || len(gone) != 1 || r.list.Len() != 0 || r.list.Tag() == before {
		t.Errorf("%v %+v, %d listed, tag %s", ok, gone, r.list.Len(), r.list.Tag())
	}
	mark = r.list.Mark()
	r.now = r.now.Add(10 * time.Second)
	r.end(honeyguide.PlanExpired, p)
	r.refresh()
	if len(all(t, r.list.Ended, Filter{})) != 1 {
		t.Error("who starts anew is not told of what just ended")
	}
	r.now = r.now.Add(2 * keep)
	r.refresh()
	if n := r.list.shelf.count; n != 0 {
		t.Errorf("%d entries are kept for ever", n)
	}
	if _, ok := r.list.Changes(mark); ok {
		t.Error("a mark of hours ago is taken")
	}
}

func TestMarks(t *testing.T) {
	r := newRig(t)
	if _, ok := r.list.Changes(0); ok {
		t.Error("the list knows changes before it was read")
	}
	r.save(r.plan(1, "203.0.113.7", 3*time.Hour))
	r.refresh()
	mark := r.list.Mark()
	r.now = r.now.Add(10 * time.Minute)
	r.save(r.plan(2, "203.0.113.8", 3*time.Hour))
	r.list = r.start() // a core that was started again
	r.refresh()
	d, ok := r.list.Changes(mark)
	if got := values(all(t, d.Blocked, Filter{})); !ok || !slices.Contains(got, "203.0.113.8") {
		t.Errorf("after a start: %v, %v", ok, got)
	}
	if _, ok := r.list.Changes(Mark(noon.Add(24 * time.Hour).UnixMicro())); ok {
		t.Error("a mark of tomorrow is taken")
	}
	if _, ok := r.list.Changes(0); ok {
		t.Error("a mark of nothing is taken")
	}
}

// brokenStore fails or hangs.
type brokenStore struct {
	state.Store
	err  error
	hang bool
}

func (s *brokenStore) View(ctx context.Context, fn func(state.Tx) error) error {
	if s.hang {
		<-ctx.Done()
		return ctx.Err()
	}
	if s.err != nil {
		return s.err
	}
	return s.Store.View(ctx, fn)
}

func TestStale(t *testing.T) {
	r := newRig(t)
	r.save(r.plan(1, "203.0.113.7", time.Hour))
	broken := &brokenStore{Store: r.store, err: errors.New("locked")}
	r.list = New(Options{State: broken, Now: r.clock})
	if err := r.list.Refresh(t.Context()); !errors.Is(err, ErrStale) {
		t.Errorf("got %v", err)
	}
	broken.err = nil
	r.refresh()
	broken.hang = true
	r.now = r.now.Add(time.Minute)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := r.list.Refresh(ctx); !errors.Is(err, ErrStale) {
		t.Errorf("got %v", err)
	}
	broken.hang = false
	r.refresh()
	if r.list.Len() != 1 {
		t.Error("the list is lost")
	}
}

func TestFilter(t *testing.T) {
	r := newRig(t)
	odd := r.plan(4, "198.51.100.0/24", time.Hour)
	odd.Playbook = "scanners"
	r.save(r.plan(1, "203.0.113.7", time.Hour), r.plan(2, "2001:db8::7", time.Hour), r.plan(3, "2001:db8::/48", time.Hour), odd)
	r.refresh()
	for name, c := range map[string]struct {
		f    Filter
		want []string
	}{
		"all":      {Filter{}, []string{"198.51.100.0/24", "203.0.113.7", "2001:db8::/48", "2001:db8::7"}},
		"IPv4":     {Filter{Family: 4}, []string{"198.51.100.0/24", "203.0.113.7"}},
		"IPv6":     {Filter{Family: 6}, []string{"2001:db8::/48", "2001:db8::7"}},
		"ranges":   {Filter{Scopes: []string{"range"}}, []string{"198.51.100.0/24", "2001:db8::/48"}},
		"nobody":   {Filter{Origins: []string{"cscli"}}, []string{}},
		"ours":     {Filter{Origins: []string{"CAPI", "honeyguide"}, Scopes: []string{"ip", "range"}}, []string{"198.51.100.0/24", "203.0.113.7", "2001:db8::/48", "2001:db8::7"}},
		"with":     {Filter{With: []string{"scan"}}, []string{"198.51.100.0/24"}},
		"without":  {Filter{Without: []string{"scan"}}, []string{"203.0.113.7", "2001:db8::/48", "2001:db8::7"}},
		"playbook": {Filter{Playbook: "scanners"}, []string{"198.51.100.0/24"}},
		"within":   {Filter{Within: netip.MustParsePrefix("2001:db8::/32")}, []string{"2001:db8::/48", "2001:db8::7"}},
		"covers":   {Filter{Covers: netip.MustParsePrefix("198.51.100.9/32")}, []string{"198.51.100.0/24"}},
	} {
		if d := cmp.Diff(c.want, values(all(t, r.list.Walk, c.f))); d != "" {
			t.Errorf("%s: %s", name, d)
		}
	}
	got := values(r.list.Covering(netip.MustParsePrefix("2001:db8::7/128"), Filter{}))
	if d := cmp.Diff([]string{"2001:db8::/48", "2001:db8::7"}, got); d != "" {
		t.Error(d)
	}
}

// Readers that pull now and then, each with its own mark, hold what is in force
// at every step of a long random story, starts of the core included.
func TestReadersNeverDiffer(t *testing.T) {
	r := newRig(t)
	rnd := rand.New(rand.NewPCG(7, 7))
	live := map[int]*honeyguide.Plan{}
	readers := make([]reader, 4)
	for n := range 1500 {
		r.now = r.now.Add(time.Duration(rnd.IntN(40)) * time.Second)
		switch k := rnd.IntN(10); {
		case k < 6:
			p := r.plan(n, fmt.Sprintf("203.0.113.%d", rnd.IntN(60)), time.Duration(1+rnd.IntN(90))*time.Minute)
			live[n] = p
			r.save(p)
		case k < 9 && len(live) > 0:
			ids := slices.Sorted(maps.Keys(live))
			id := ids[rnd.IntN(len(ids))]
			if !live[id].ExpiresAt.After(r.now) {
				r.end(honeyguide.PlanExpired, live[id])
			} else {
				r.end(honeyguide.PlanReverted, live[id])
			}
			delete(live, id)
		case rnd.IntN(20) == 0:
			r.list = r.start()
		}
		r.refresh()
		want := truth(live, r.now)
		if got := values(all(t, r.list.Walk, Filter{})); !slices.Equal(got, want) || r.list.Len() != len(want) {
			t.Fatalf("step %d: list has %v (%d), want %v", n, got, r.list.Len(), want)
		}
		i := rnd.IntN(len(readers) + 1)
		if i == len(readers) {
			continue
		}
		readers[i].pull(t, r)
		if got := readers[i].holds(r.now); !slices.Equal(got, want) {
			t.Fatalf("step %d: reader %d has %v, want %v", n, i, got, want)
		}
	}
	again := r.start()
	if err := again.Refresh(t.Context()); err != nil || again.Tag() != r.list.Tag() {
		t.Errorf("%v; tag %s after a start, %s before", err, again.Tag(), r.list.Tag())
	}
	r.list.mu.RLock()
	defer r.list.mu.RUnlock()
	if !slices.IsSortedFunc(r.list.log, func(a, b logged) int { return int(a.seen - b.seen) }) {
		t.Error("the log is out of order")
	}
}

func truth(live map[int]*honeyguide.Plan, now time.Time) []string {
	var prefixes []netip.Prefix
	for _, p := range live {
		if p.ExpiresAt.After(now) {
			a := netip.MustParseAddr(p.Target)
			prefixes = append(prefixes, netip.PrefixFrom(a, 32))
		}
	}
	slices.SortFunc(prefixes, order)
	out := []string{}
	for _, p := range slices.Compact(prefixes) {
		out = append(out, p.Addr().String())
	}
	return out
}

// A reader enforces what it was told, each block with its own end.
type reader struct {
	mark  Mark
	until map[netip.Prefix]time.Time
}

func (c *reader) pull(t testing.TB, r *rig) {
	if c.until == nil {
		c.until = map[netip.Prefix]time.Time{}
	}
	mark := r.list.Mark()
	blocked, ended := r.list.Walk, r.list.Ended
	if d, ok := r.list.Changes(c.mark); ok {
		blocked, ended = d.Blocked, d.Ended
	}
	for _, d := range all(t, blocked, Filter{}) {
		c.until[d.Target] = d.Until
	}
	for _, d := range all(t, ended, Filter{}) {
		delete(c.until, d.Target)
	}
	c.mark = mark
}

func (c *reader) holds(now time.Time) []string {
	maps.DeleteFunc(c.until, func(_ netip.Prefix, until time.Time) bool { return !until.After(now) })
	out := []string{}
	for _, p := range slices.SortedFunc(maps.Keys(c.until), order) {
		out = append(out, p.Addr().String())
	}
	return out
}

func TestShelf(t *testing.T) {
	var s shelf
	rnd := rand.New(rand.NewPCG(1, 2))
	want := map[netip.Prefix]bool{}
	for range 20000 {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(rnd.IntN(4)), byte(rnd.IntN(256)), byte(rnd.IntN(16) * 16)}), 28+4*rnd.IntN(2))
		if e := s.get(p); (e != nil) != want[p] {
			t.Fatalf("%v: found %v, want %v", p, e != nil, want[p])
		} else if e == nil {
			s.add(entry{target: p})
			want[p] = true
		}
		if rnd.IntN(4000) == 0 {
			s.sweep(func(e *entry) bool {
				if rnd.IntN(3) == 0 {
					delete(want, e.target)
					return false
				}
				return true
			})
		}
	}
	var got []netip.Prefix
	for _, piece := range s.pieces {
		for i := range piece {
			got = append(got, piece[i].target)
		}
	}
	if !slices.Equal(got, slices.SortedFunc(maps.Keys(want), order)) || s.count != len(got) {
		t.Errorf("%d entries, count %d, want %d, in order", len(got), s.count, len(want))
	}
}

// An answer of 300,000 decisions as text, and a reader's wait for it.
func BenchmarkText(b *testing.B) {
	r := newRig(b)
	for i := range 300_000 {
		p := r.plan(i, netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}).String(), time.Hour)
		r.list.take(p, micros(r.now), micros(r.now), true)
	}
	f, _ := LookupFormat("text")
	b.SetBytes(int64(len(write(b, r, "text", Filter{}))))
	b.ReportAllocs()
	for b.Loop() {
		if err := f.Write(b.Context(), io.Discard, r.list, Filter{}, About{}); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkShelf is what one decision costs the list in memory.
func BenchmarkShelf(b *testing.B) {
	var before, after runtime.MemStats
	for b.Loop() {
		r := &rig{t: b, now: noon}
		l := New(Options{Now: r.clock})
		runtime.GC()
		runtime.ReadMemStats(&before)
		const n = 300_000
		for i := range n {
			p := r.plan(i, netip.AddrFrom4([4]byte{203, byte(i), byte(i >> 8), byte(i >> 16)}).String(), time.Hour)
			p.Incident = fmt.Sprint("incident-", i/3)
			l.take(p, micros(noon), micros(noon), true)
		}
		runtime.GC()
		runtime.ReadMemStats(&after)
		b.ReportMetric(float64(after.HeapAlloc-before.HeapAlloc)/n, "B/decision")
		runtime.KeepAlive(l)
	}
}
