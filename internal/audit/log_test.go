package audit

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
)

// day is when the clock of tests begins.
var day = time.Date(2026, 11, 22, 9, 0, 0, 0, time.UTC)

// bench is a log in a folder of its own whose clock is the test's.
type bench struct {
	t    testing.TB
	root string
	opt  Options
	log  *Log
	mu   sync.Mutex
	at   time.Time
}

func newBench(t testing.TB, edit ...func(*Options)) *bench {
	t.Helper()
	b := &bench{t: t, root: t.TempDir(), at: day}
	b.opt = Options{Dir: filepath.Join(b.root, "audit"), Keys: filepath.Join(b.root, "keys"), Now: b.now}
	for _, f := range edit {
		f(&b.opt)
	}
	b.open()
	t.Cleanup(func() { _ = b.log.Close() })
	return b
}

func (b *bench) now() time.Time {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.at
}

func (b *bench) wait(d time.Duration) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.at = b.at.Add(d)
}

func (b *bench) open() {
	b.t.Helper()
	var err error
	if b.log, err = Open(b.t.Context(), b.opt); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) again() {
	b.t.Helper()
	if err := b.log.Close(); err != nil {
		b.t.Fatal(err)
	}
	b.open()
}

func entry(n int) honeyguide.AuditEntry {
	return honeyguide.AuditEntry{
		Time: day.Add(time.Duration(n) * time.Second), Actor: fmt.Sprintf("actor-%d", n%5), Kind: "key", Address: netip.MustParseAddr("192.0.2.7"),
		Action: []string{"add-block", "decide-run", "create-key"}[n%3], Object: fmt.Sprintf("run:R-%d", n), Outcome: honeyguide.AuditAsked,
		Reason: "because", Request: fmt.Sprint("req-", n),
	}
}

func entries(from, n int) []honeyguide.AuditEntry {
	out := make([]honeyguide.AuditEntry, n)
	for i := range out {
		out[i] = entry(from + i)
	}
	return out
}

func (b *bench) record(list ...honeyguide.AuditEntry) {
	b.t.Helper()
	if err := b.log.RecordAll(b.t.Context(), list); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) list(q Query) []honeyguide.AuditEntry {
	b.t.Helper()
	var out []honeyguide.AuditEntry
	for {
		page, next, err := b.log.List(b.t.Context(), q)
		if err != nil {
			b.t.Fatal(err)
		}
		if out = append(out, page...); next == 0 {
			return out
		}
		q.Before = next
	}
}

// sound verifies the folder as a stranger with the public key would.
func (b *bench) sound() *Report {
	b.t.Helper()
	r, err := Verify(b.t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey()})
	if err != nil {
		b.t.Fatal(err)
	}
	if !r.Whole() {
		b.t.Fatalf("not whole: %+v", r)
	}
	return r
}

func TestEntriesComeBack(t *testing.T) {
	b := newBench(t)
	want := entries(0, 700)
	for i := range want {
		want[i].Seq = int64(i)
	}
	b.record(want[0])
	b.record(want[1:]...)
	for round := range 2 {
		var got []honeyguide.AuditEntry
		for _, e := range b.list(Query{Limit: 33}) {
			got = append([]honeyguide.AuditEntry{e}, got...)
		}
		if d := cmp.Diff(want, got, cmp.Comparer(func(a, b netip.Addr) bool { return a == b })); d != "" {
			t.Fatalf("round %d: %s", round, d)
		}
		for _, seq := range []int64{0, 1, 255, 256, 257, 699} {
			if e, err := b.log.Get(t.Context(), seq); err != nil || e.Object != want[seq].Object {
				t.Errorf("entry %d: %+v, %v", seq, e, err)
			}
		}
		for _, seq := range []int64{-1, 700, 1 << 60} {
			if _, err := b.log.Get(t.Context(), seq); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
				t.Errorf("entry %d: %v", seq, err)
			}
		}
		if r := b.sound(); r.Size != 700 || r.Checked != 700 {
			t.Errorf("report %+v", r)
		}
		b.again()
		if why := b.log.Refused(); why != "" {
			t.Fatal(why)
		}
	}
}

func TestQueries(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 20_000 })
	b.record(entries(0, 1000)...)
	b.record(entries(1000, 1000)...)
	b.record(honeyguide.AuditEntry{Actor: `eve "\u202e`, Kind: "nobody", Action: "login", Object: "user:<script>", Outcome: honeyguide.AuditRefused, Time: day})
	for name, c := range map[string]struct {
		q    Query
		want int
	}{
		"all":           {Query{}, 2001},
		"actor":         {Query{Actor: "actor-3"}, 400},
		"nobody":        {Query{Actor: "actor-9"}, 0},
		"action":        {Query{Action: "decide-run"}, 667},
		"both":          {Query{Actor: "actor-3", Action: "decide-run"}, 133},
		"object":        {Query{Object: "run:R-77"}, 1},
		"objects":       {Query{Object: "run:"}, 2000},
		"some objects":  {Query{Object: "run:R-77*"}, 11},
		"outcome":       {Query{Outcome: honeyguide.AuditRefused}, 1},
		"hostile":       {Query{Actor: `eve "\u202e`, Object: "user:<script>"}, 1},
		"kind":          {Query{Kind: "key"}, 2000},
		"time":          {Query{From: day.Add(100 * time.Second), To: day.Add(110 * time.Second)}, 10},
		"time, no more": {Query{From: day.Add(5000 * time.Second)}, 0},
	} {
		if got := b.list(c.q); len(got) != c.want {
			t.Errorf("%s: %d entries, want %d", name, len(got), c.want)
		}
	}
	if n := len(b.log.segs); n < 2 {
		t.Errorf("%d files: nothing was sealed", n)
	}
}

// Many record at the same time; each entry is there once, and the batches are
// larger than one.
func TestManyRecord(t *testing.T) {
	b := newBench(t)
	var wg sync.WaitGroup
	for w := range 64 {
		wg.Go(func() {
			for i := range 10 {
				if err := b.log.Record(context.Background(), entry(w*100+i)); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
	seen := map[string]bool{}
	for _, e := range b.list(Query{}) {
		seen[e.Object] = true
	}
	if len(seen) != 640 || b.sound().Size != 640 {
		t.Errorf("%d different entries", len(seen))
	}
}

func TestTreeIsThatOfTheLibrary(t *testing.T) {
	var f frontier
	var all []Hash
	read := tlog.HashReaderFunc(func(at []int64) ([]Hash, error) {
		out := make([]Hash, len(at))
		for i, n := range at {
			out[i] = all[n]
		}
		return out, nil
	})
	for n := range int64(300) {
		want, err := tlog.TreeHash(n, read)
		if err != nil || f.root() != want || f.size != n {
			t.Fatalf("root of %d: %v", n, err)
		}
		g, err := frontierAt(n, read)
		if err != nil || g.root() != want {
			t.Fatalf("frontier of %d: %v", n, err)
		}
		data := fmt.Appendf(nil, "entry %d", n)
		stored, err := tlog.StoredHashes(n, data, read)
		if err != nil {
			t.Fatal(err)
		}
		mine := f.add(tlog.RecordHash(data), nil)
		if d := cmp.Diff(stored, mine); d != "" {
			t.Fatal(d)
		}
		all = append(all, mine...)
	}
}

func TestUnacknowledgedTailIsCut(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 10)...)
	_ = b.log.Close()
	file := filepath.Join(b.opt.Dir, entriesName)
	f, err := os.OpenFile(file, os.O_APPEND|os.O_WRONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	buf, _, _ := encode(nil, &honeyguide.AuditEntry{Seq: 10, Actor: "x"})
	_, _ = f.Write(append(buf, buf[:7]...))
	_ = f.Close()
	b.open()
	if why := b.log.Refused(); why != "" {
		t.Fatal(why)
	}
	b.record(entry(10))
	if r := b.sound(); r.Size != 11 {
		t.Errorf("%+v", r)
	}
}

// What is missing or changed makes the log refuse, and reading what it refuses
// to write about makes no panic.
func TestRefuses(t *testing.T) {
	for name, harm := range map[string]func(dir string) error{
		"entries cut":        func(dir string) error { return os.Truncate(filepath.Join(dir, entriesName), 100) },
		"entries gone":       func(dir string) error { return os.Remove(filepath.Join(dir, entriesName)) },
		"checkpoint gone":    func(dir string) error { return os.Remove(filepath.Join(dir, checkpointName)) },
		"all gone":           os.RemoveAll,
		"checkpoint garbage": func(dir string) error { return os.WriteFile(filepath.Join(dir, checkpointName), []byte("x\n"), 0o600) },
		"entry changed": func(dir string) error {
			file := filepath.Join(dir, entriesName)
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return os.WriteFile(file, []byte(strings.Replace(string(raw), "add-block", "add-blocl", 1)), 0o600)
		},
		"personal part changed": func(dir string) error {
			file := filepath.Join(dir, partsName(0))
			raw, err := os.ReadFile(file)
			if err != nil {
				return err
			}
			return os.WriteFile(file, []byte(strings.Replace(string(raw), "because", "becausf", 1)), 0o600)
		},
		"personal parts cut":  func(dir string) error { return os.Truncate(filepath.Join(dir, partsName(0)), 100) },
		"personal parts gone": func(dir string) error { return os.Remove(filepath.Join(dir, partsName(0))) },
		"far more than a write": func(dir string) error {
			var buf []byte
			for i := range 2000 {
				e := entry(i)
				e.Seq = int64(10 + i)
				buf, _, _ = encode(buf, &e)
			}
			f, err := os.OpenFile(filepath.Join(dir, entriesName), os.O_APPEND|os.O_WRONLY, 0)
			if err != nil {
				return err
			}
			_, err = f.Write(buf)
			return errors.Join(err, f.Close())
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.record(entries(0, 10)...)
			if err := b.log.Close(); err != nil {
				t.Fatal(err)
			}
			if err := harm(b.opt.Dir); err != nil {
				t.Fatal(err)
			}
			b.open()
			if b.log.Refused() == "" {
				t.Fatal("it goes on")
			}
			if err := b.log.Record(t.Context(), entry(1)); honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable {
				t.Errorf("record: %v", err)
			}
			_, _, _ = b.log.List(t.Context(), Query{})
			_, _ = b.log.Get(t.Context(), 3)
			_, _, _ = b.log.Prove(t.Context(), 3)
			_, _, _ = b.log.Consistency(t.Context(), 3)
			r, err := b.log.Verify(t.Context(), Kept{}, nil)
			if err != nil || r.Whole() {
				t.Errorf("verify: %+v, %v", r, err)
			}
		})
	}
}

// flipBit changes a bit of a byte, counted from the end when it is below 0.
func flipBit(file string, at int) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if at %= len(raw); at < 0 {
		at += len(raw)
	}
	raw[at] ^= 4
	return os.WriteFile(file, raw, 0o600)
}

// A cache that is wrong or gone is made anew.
func TestCachesAreMadeAnew(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 10_000 })
	for i := range 20 {
		b.record(entries(50*i, 50)...)
	}
	for name, harm := range map[string]func(file string) error{
		"gone":    os.Remove,
		"cut":     func(file string) error { return os.Truncate(file, 70) },
		"garbage": func(file string) error { return os.WriteFile(file, []byte("garbage, no more"), 0o600) },
		"a bit":   func(file string) error { return flipBit(file, 0) },
		"the end": func(file string) error { return flipBit(file, -1) },
		"inside":  func(file string) error { return flipBit(file, 333) },
	} {
		for _, pattern := range []string{hashesName, "*.idx"} {
			files, _ := filepath.Glob(filepath.Join(b.opt.Dir, pattern))
			if len(files) == 0 {
				t.Fatal("no ", pattern)
			}
			_ = b.log.Close()
			for _, f := range files {
				if err := harm(f); err != nil {
					t.Fatal(err)
				}
			}
			b.open()
			if why := b.log.Refused(); why != "" {
				t.Fatalf("%s %s: %s", pattern, name, why)
			}
			b.sound()
		}
	}
}

func TestProofs(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 100)...)
	old := b.log.Checkpoint()
	b.record(entries(100, 77)...)
	for _, seq := range []int64{0, 42, 99, 176} {
		e, p, err := b.log.Prove(t.Context(), seq)
		if err != nil {
			t.Fatal(err)
		}
		got, c, err := CheckProof(p, b.log.PublicKey())
		if err != nil || got.Object != e.Object || c.Size != 177 {
			t.Errorf("entry %d: %+v, %v", seq, got, err)
		}
		bad := p
		bad.Record = strings.Replace(p.Record, `"key"`, `"keY"`, 1)
		if _, _, err := CheckProof(bad, b.log.PublicKey()); err == nil {
			t.Error("a changed entry is proven")
		}
		bad = p
		bad.Seq++
		if _, _, err := CheckProof(bad, b.log.PublicKey()); err == nil {
			t.Error("another entry is proven")
		}
	}
	path, now, err := b.log.Consistency(t.Context(), old.Size)
	if err != nil {
		t.Fatal(err)
	}
	if err := CheckConsistency(old, now, path); err != nil {
		t.Error(err)
	}
	old.Root[3]++
	if err := CheckConsistency(old, now, path); err == nil {
		t.Error("another past is consistent")
	}
	if _, err := OpenCheckpoint(now.Note, newBench(t).log.PublicKey()); err == nil {
		t.Error("a checkpoint of one log passes for that of another")
	}
}

// BenchmarkLook reads the stored hashes of a million entries, as each start does.
func BenchmarkLook(b *testing.B) {
	const n = 1 << 20
	var tree frontier
	var buf bytes.Buffer
	for i := range n {
		for _, h := range tree.add(Hash{byte(i), byte(i >> 8), byte(i >> 16)}, nil) {
			buf.Write(h[:])
		}
	}
	b.ResetTimer()
	for b.Loop() {
		if f, err := frontierOf(n, bytes.NewReader(buf.Bytes())); err != nil || f.root() != tree.root() {
			b.Fatal(err)
		}
	}
}
