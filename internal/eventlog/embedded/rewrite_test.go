package embedded_test

import (
	"bytes"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/eventlog/eventlogtest"
	"honeyguide/internal/personal"
)

var gone = netip.MustParseAddr("203.0.113.7")

// visit is an event of the address that is to go.
func visit(at time.Time, n int) honeyguide.Event {
	return honeyguide.Event{
		Time: at.Add(time.Duration(n) * time.Second), Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityCommand, Severity: honeyguide.SeverityHigh, Sensor: "ssh",
		Src:         honeyguide.Endpoint{Addr: netip.AddrPortFrom(gone, 999)},
		Observables: []honeyguide.Observable{{Name: "src", Type: "ip", Value: gone.String()}},
		Attrs:       map[string]any{honeyguide.AttrCommand: "ping 203.0.113.7", honeyguide.AttrCount: int64(n)},
		Raw:         []byte("from 203.0.113.7 port 999"),
	}
}

// search looks for text in every file of a folder, as it is and unpacked.
func search(t testing.TB, dir, text string) (hits []string) {
	t.Helper()
	for _, name := range files(t, dir) {
		b, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(b, []byte(text)) || bytes.Contains(b, gone.AsSlice()) {
			hits = append(hits, name)
		}
		// Whatever frame lies anywhere, in a free page too, is tried.
		for at := 0; ; {
			i := bytes.Index(b[at:], []byte{0x28, 0xb5, 0x2f, 0xfd})
			if i < 0 {
				break
			}
			at += i
			if plain := embedded.Unzstd(b[at:]); bytes.Contains(plain, []byte(text)) {
				hits = append(hits, name+" (packed)")
			}
			at += 4
		}
	}
	return hits
}

func TestRewrite(t *testing.T) {
	dir, c := t.TempDir(), at(noon)
	var mu sync.Mutex
	sealed := map[string]string{}
	dep := eventlog.Deps{Dir: dir, Now: c.now, Sealed: func(day, sum string) { mu.Lock(); sealed[day] = sum; mu.Unlock() }}
	s := open(t, quick, dep)
	gen := eventlogtest.NewGen(1, noon, time.Second)
	for day := range 2 {
		c.set(noon.AddDate(0, 0, day))
		for i := range 40 { // small blocks that are merged, and then a full one
			put(t, s, append(gen.Some(20), visit(c.now(), i))...)
		}
		put(t, s, gen.Some(1500)...)
		put(t, s, visit(c.now(), 99))
	}
	for deadline := time.Now().Add(10 * time.Second); ; time.Sleep(10 * time.Millisecond) {
		mu.Lock()
		n := len(sealed)
		mu.Unlock()
		if n == 1 {
			break
		}
		if time.Now().After(deadline) {
			t.Fatal("the first day is not sealed")
		}
	}
	before := eventlogtest.All(t, s)
	if hits := search(t, dir, "203.0.113.7"); len(hits) < 2 { // the search can find something
		t.Fatalf("the address is in %v only", hits)
	}
	who, _ := personal.Parse("address:203.0.113.7")
	r := personal.Erase(who, personal.NewMark())
	got, err := s.Rewrite(t.Context(), eventlog.Rewrite{Change: r.Event})
	if err != nil {
		t.Fatal(err)
	}
	if got.Events != 82 || len(got.Days) != 2 || len(got.Left) != 0 {
		t.Errorf("%+v", got)
	}
	if hits := search(t, dir, "203.0.113.7"); len(hits) > 0 {
		t.Errorf("the address is still in %v", hits)
	}
	check := func(s *embedded.Store) {
		t.Helper()
		after := eventlogtest.All(t, s)
		if len(after) != len(before) {
			t.Fatalf("%d records, want %d", len(after), len(before))
		}
		var mark netip.Addr
		for i := range after {
			want, _ := r.Event(before[i].Event)
			if d := cmp.Diff(want, after[i].Event, cmpopts.EquateComparable(netip.AddrPort{}, netip.Addr{})); d != "" || after[i].Seq != before[i].Seq {
				t.Fatal(d)
			}
			if before[i].Event.Src.Addr.Addr() == gone {
				mark = after[i].Event.Src.Addr.Addr()
			}
		}
		for _, q := range []struct {
			src  netip.Addr
			want int
		}{{gone, 0}, {mark, 82}} {
			n := 0
			for _, err := range s.Find(t.Context(), eventlog.Query{Src: netip.PrefixFrom(q.src, q.src.BitLen())}) {
				if err != nil {
					t.Fatal(err)
				}
				n++
			}
			if n != q.want {
				t.Errorf("%d events of %s, want %d", n, q.src, q.want)
			}
		}
		eventlogtest.CheckFind(t, s, 2, 10)
	}
	check(s)
	mu.Lock()
	if sum := sealed["2026-03-14"]; sum != sum256(t, filepath.Join(dir, "2026-03-14.db")) {
		t.Error("who keeps the sums of finished days was not told the new one")
	}
	mu.Unlock()
	// Life goes on: the tail is merged, and a second time finds nothing.
	put(t, s, gen.Some(1200)...)
	if got, err := s.Rewrite(t.Context(), eventlog.Rewrite{Change: r.Event}); err != nil || got.Events != 0 {
		t.Errorf("again: %+v, %v", got, err)
	}
	shut(t, s)
	s = open(t, quick, eventlog.Deps{Dir: dir, Now: c.now})
	if n := len(eventlogtest.All(t, s)); n != len(before)+1200 {
		t.Errorf("%d records after a start", n)
	}
	shut(t, s)
	if hits := search(t, dir, "203.0.113.7"); len(hits) > 0 {
		t.Errorf("after a stop the address is in %v", hits)
	}
}

// TestRewriteUnderLoad: nothing that is appended meanwhile is lost, and what is
// put aside is named.
func TestRewriteUnderLoad(t *testing.T) {
	dir := t.TempDir()
	s := open(t, quick, eventlog.Deps{Dir: dir})
	if err := os.WriteFile(filepath.Join(dir, "2020-01-01.db.bad"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	who, _ := personal.Parse("address:203.0.113.7")
	r := personal.Erase(who, personal.NewMark())
	var wg sync.WaitGroup
	const writers, each = 4, 150
	for w := range writers {
		wg.Go(func() {
			for i := range each {
				if _, err := s.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{visit(noon, w*each+i)}}); err != nil {
					t.Error(err)
				}
			}
		})
	}
	for range 5 {
		got, err := s.Rewrite(t.Context(), eventlog.Rewrite{Change: r.Event})
		if err != nil || len(got.Left) != 1 || !strings.HasPrefix(got.Left[0], "2020-01-01") {
			t.Errorf("%+v, %v", got, err)
		}
	}
	wg.Wait()
	if _, err := s.Rewrite(t.Context(), eventlog.Rewrite{Change: r.Event}); err != nil {
		t.Fatal(err)
	}
	all := eventlogtest.All(t, s)
	if len(all) != writers*each {
		t.Errorf("%d records, want %d", len(all), writers*each)
	}
	for _, rec := range all {
		if rec.Event.Src.Addr.Addr() == gone {
			t.Fatal("an event still has the address")
		}
	}
	shut(t, s)
	if hits := search(t, dir, "203.0.113.7"); len(hits) > 0 {
		t.Errorf("the address is in %v", hits)
	}
}
