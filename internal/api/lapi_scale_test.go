package api

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/state"
)

// serve opens a door for bouncers on loopback and returns its address.
func (r *lapiRig) serve(t testing.TB) string {
	t.Helper()
	r.move(0)
	h, err := Bouncers(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- Serve(ctx, Listener{Listener: l}, h, nil) }()
	t.Cleanup(func() {
		cancel()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return "http://" + l.Addr().String()
}

// seed saves n plans, each of an address of its own, and returns them.
func (r *lapiRig) seed(t testing.TB, n int) []*honeyguide.Plan {
	t.Helper()
	plans := make([]*honeyguide.Plan, n)
	for i := range plans {
		addr := netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)})
		plans[i] = &honeyguide.Plan{
			ID: honeyguide.DerivedID(r.now, strconv.Itoa(i)), Incident: honeyguide.DerivedID(r.now, "i", strconv.Itoa(i/3)), Playbook: "contain",
			Step: "publish", Action: "blocklist", Target: addr.String(), Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified,
			Effect: "Packets from " + addr.String() + " would be dropped for 4h0m0s.", Reason: "An incident of high severity opened.",
			CreatedAt: r.now, AppliedAt: r.now, VerifiedAt: r.now, ExpiresAt: r.now.Add(4 * time.Hour),
		}
	}
	for part := range chunks(plans, 5000) {
		r.save(part...)
		r.move(time.Second)
	}
	return plans
}

func chunks[T any](list []T, n int) func(func([]T) bool) {
	return func(yield func([]T) bool) {
		for len(list) > 0 {
			k := min(n, len(list))
			if !yield(list[:k]) {
				return
			}
			list = list[k:]
		}
	}
}

// pull reads a stream as CrowdSec's client does and applies it to held: deleted
// first, then new.
func pull(t testing.TB, base, key, query string, held map[string]bool) (added, deleted int) {
	t.Helper()
	body := fetchStream(t, base, key, query)
	defer body.Close()
	var s stream
	if err := json.NewDecoder(bufio.NewReaderSize(body, 1<<16)).Decode(&s); err != nil {
		t.Fatal(err)
	}
	for _, d := range s.Deleted {
		delete(held, d.Value)
	}
	for _, d := range s.New {
		if left, err := time.ParseDuration(d.Duration); err != nil || left <= 0 {
			t.Fatalf("duration %q: %v", d.Duration, err)
		}
		held[d.Value] = true
	}
	return len(s.New), len(s.Deleted)
}

func fetchStream(t testing.TB, base, key, query string) io.ReadCloser {
	t.Helper()
	req, err := http.NewRequest(http.MethodGet, base+"/v1/decisions/stream"+query, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("X-Api-Key", key)
	req.Header.Set("User-Agent", "crowdsec-firewall-bouncer/v0.0.25")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Encoding") != "" || len(resp.TransferEncoding) == 0 || resp.TransferEncoding[0] != "chunked" {
		t.Fatalf("%s %v %v", resp.Status, resp.Header, resp.TransferEncoding)
	}
	return resp.Body
}

// TestLAPIManyDecisions: 100,000 decisions at startup and then 1,000 changes leave a
// bouncer with exactly what is in force.
func TestLAPIManyDecisions(t *testing.T) {
	t.Parallel()
	const n = 20_000 // more is what BenchmarkLAPIStartup is for
	r := newLAPIRig(t)
	plans := r.seed(t, n)
	r.refresh()
	base, key := r.serve(t), r.key.Reveal()
	held, want := map[string]bool{}, map[string]bool{}
	for _, p := range plans {
		want[p.Target] = true
	}
	if added, deleted := pull(t, base, key, "?startup=true", held); added != n || deleted != 0 {
		t.Errorf("startup: %d new, %d deleted", added, deleted)
	}
	rnd := rand.New(rand.NewPCG(1, 1))
	var changed []*honeyguide.Plan
	for i := range 1000 {
		r.move(20 * time.Millisecond)
		if i%2 == 0 {
			p := *plans[rnd.IntN(n)]
			if p.State != honeyguide.PlanVerified {
				continue
			}
			p.State, p.EndedAt = honeyguide.PlanReverted, r.now
			changed = append(changed, &p)
			delete(want, p.Target)
		} else {
			p := *plans[0]
			p.ID, p.Target = fmt.Sprint("new-", i), fmt.Sprintf("198.51.%d.%d", i/250, i%250)
			p.CreatedAt, p.AppliedAt = r.now, r.now
			changed = append(changed, &p)
			want[p.Target] = true
		}
		if len(changed) == 100 || i == 999 {
			r.save(changed...)
			r.move(time.Second)
			changed = nil
			r.move(10 * time.Second)
			added, deleted := pull(t, base, key, "?startup=false", held)
			if added+deleted > 250 {
				t.Errorf("after %d changes: %d new, %d deleted", i+1, added, deleted)
			}
		}
	}
	differ := 0
	for v := range want {
		if !held[v] {
			differ++
		}
	}
	for v := range held {
		if !want[v] {
			differ++
		}
	}
	if differ != 0 || len(held) != len(want) {
		t.Errorf("%d differences; the bouncer holds %d, %d are in force", differ, len(held), len(want))
	}
}

// resident is the memory of this process in MiB: now, and at its highest.
func resident(t testing.TB) (now, peak float64) {
	t.Helper()
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		t.Skipf("no /proc here: %v", err)
	}
	for line := range strings.Lines(string(raw)) {
		f := strings.Fields(line)
		if len(f) < 2 {
			continue
		}
		kib, _ := strconv.ParseFloat(f[1], 64)
		switch f[0] {
		case "VmRSS:":
			now = kib / 1024
		case "VmHWM:":
			peak = kib / 1024
		}
	}
	return now, peak
}

// benchRig is 300,000 decisions behind a door, and the list read.
func benchRig(b *testing.B) (*lapiRig, string, []*honeyguide.Plan) {
	b.Helper()
	const n = 300_000
	r := newLAPIRig(b)
	plans := r.seed(b, n)
	began := time.Now()
	r.refresh()
	b.Logf("%d plans read from the state in %v", n, time.Since(began).Round(time.Millisecond))
	return r, r.serve(b), plans
}

// BenchmarkLAPIStartup is one bouncer after the other that takes 300,000 decisions.
func BenchmarkLAPIStartup(b *testing.B) {
	r, base, _ := benchRig(b)
	var bytes int64
	b.ResetTimer()
	for b.Loop() {
		body := fetchStream(b, base, r.key.Reveal(), "?startup=true")
		n, err := io.Copy(io.Discard, body)
		body.Close()
		if err != nil {
			b.Fatal(err)
		}
		bytes = n
	}
	b.SetBytes(bytes)
	b.ReportMetric(float64(bytes)/1e6, "MB/answer")
}

// madeStore is a state that blocks n addresses, made up as they are read: what it
// costs to keep plans is no part of what it costs to tell them.
type madeStore struct {
	state.Store
	n   int
	now time.Time
}

type (
	madeTx struct {
		state.Tx
		s *madeStore
	}
	madePlans struct {
		state.Plans
		s *madeStore
	}
)

func (s *madeStore) View(_ context.Context, fn func(state.Tx) error) error {
	return fn(madeTx{s: s})
}

func (t madeTx) Plans() state.Plans { return madePlans{s: t.s} }

func (p madePlans) Changed(_ context.Context, action string, since time.Time, fn func(*honeyguide.Plan, time.Time) error) error {
	if action != "blocklist" || !since.Before(p.s.now) {
		return nil
	}
	for i := range p.s.n {
		plan := &honeyguide.Plan{
			ID: honeyguide.DerivedID(p.s.now, strconv.Itoa(i)), Incident: honeyguide.DerivedID(p.s.now, "i", strconv.Itoa(i/3)), Playbook: "contain",
			Action: action, Target: netip.AddrFrom4([4]byte{203, byte(i >> 16), byte(i >> 8), byte(i)}).String(),
			Mode: honeyguide.ModeApply, State: honeyguide.PlanVerified, CreatedAt: p.s.now, AppliedAt: p.s.now, ExpiresAt: p.s.now.Add(4 * time.Hour),
		}
		if err := fn(plan, p.s.now); err != nil {
			return err
		}
	}
	return nil
}

// insist asks again after a 503, as bouncers do.
func insist(b *testing.B, base, key string) io.ReadCloser {
	for {
		req, err := http.NewRequest(http.MethodGet, base+"/v1/decisions/stream?startup=true", nil)
		if err != nil {
			b.Error(err)
			return http.NoBody
		}
		req.Header.Set("X-Api-Key", key)
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			b.Error(err)
			return http.NoBody
		}
		if resp.StatusCode == http.StatusOK {
			return resp.Body
		}
		resp.Body.Close()
		time.Sleep(100 * time.Millisecond)
	}
}

// BenchmarkLAPICrowd is 100 bouncers at once that take 300,000 decisions each. The
// memory is that of the whole process, its clients included. Budget: 300 MiB.
func BenchmarkLAPICrowd(b *testing.B) {
	r := newLAPIRig(b)
	r.dep.Lists = blocklist.New(blocklist.Options{State: &madeStore{n: 300_000, now: r.now}, Now: r.dep.Now})
	r.move(10 * time.Second)
	bare, _ := resident(b)
	r.refresh()
	base := r.serve(b)
	before, _ := resident(b)
	for b.Loop() {
		var wg sync.WaitGroup
		for range 100 {
			wg.Go(func() {
				body := insist(b, base, r.key.Reveal())
				defer body.Close()
				if n, err := io.Copy(io.Discard, body); err != nil || n < 30_000_000 {
					b.Errorf("%d bytes, %v", n, err)
				}
			})
		}
		wg.Wait()
	}
	_, peak := resident(b)
	b.ReportMetric(bare, "MiB-without-list")
	b.ReportMetric(before, "MiB-before")
	b.ReportMetric(peak, "MiB-peak")
}

// BenchmarkLAPIDelta is one bouncer that takes 1,000 changes among 300,000 decisions.
func BenchmarkLAPIDelta(b *testing.B) {
	r, base, plans := benchRig(b)
	held := map[string]bool{}
	body := fetchStream(b, base, r.key.Reveal(), "?startup=true")
	_, _ = io.Copy(io.Discard, body)
	body.Close()
	at := 0
	for b.Loop() {
		b.StopTimer()
		r.move(10 * time.Second)
		for _, p := range plans[at : at+1000] {
			p.State, p.EndedAt = honeyguide.PlanReverted, r.now
		}
		r.save(plans[at : at+1000]...)
		at = (at + 1000) % len(plans)
		r.move(10 * time.Second)
		b.StartTimer()
		if _, deleted := pull(b, base, r.key.Reveal(), "?startup=false", held); deleted < 1000 && at > 1000 {
			b.Fatalf("%d deleted", deleted)
		}
	}
}
