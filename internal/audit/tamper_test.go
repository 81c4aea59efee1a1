package audit

import (
	"bytes"
	"flag"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"
	"time"
)

var tampers = flag.Int("tampers", 300, "random changes TestTampering makes")

// logFiles are the files of a log in memory.
type logFiles map[string][]byte

func readFolder(t testing.TB, dir string) logFiles {
	t.Helper()
	out := logFiles{}
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, d := range list {
		if out[d.Name()], err = os.ReadFile(filepath.Join(dir, d.Name())); err != nil {
			t.Fatal(err)
		}
	}
	return out
}

// stretch returns where a random entry of a file lies.
func stretch(r *rand.Rand, raw []byte) (from, to int) {
	var ends []int
	for rec := (records{r: bytes.NewReader(raw)}); ; {
		if _, err := rec.next(); err != nil {
			break
		}
		ends = append(ends, int(rec.off))
	}
	if len(ends) < 2 {
		return 0, 0
	}
	n := 1 + r.IntN(len(ends)-1)
	return ends[n-1], ends[n]
}

// harm changes one file in one of the ways there are; the name says which. It
// returns false when nothing was changed.
func harm(r *rand.Rand, raw []byte, entries bool) (string, []byte, bool) {
	if len(raw) == 0 {
		return "append", []byte{byte(r.IntN(256))}, true
	}
	at := r.IntN(len(raw))
	out := bytes.Clone(raw)
	kind := r.IntN(8)
	if kind > 4 && !entries {
		kind %= 5
	}
	switch kind {
	case 0:
		out[at] ^= 1 << r.IntN(8)
		return "flip a bit", out, true
	case 1:
		b := byte(r.IntN(256))
		changed := out[at] != b
		out[at] = b
		return "change a byte", out, changed
	case 2:
		return "delete a byte", append(out[:at], out[at+1:]...), true
	case 3:
		return "insert a byte", append(out[:at:at], append([]byte{byte(r.IntN(256))}, raw[at:]...)...), true
	case 4:
		return "truncate", out[:at], true
	}
	from, to := stretch(r, raw)
	switch kind {
	case 5:
		return "take an entry out", append(out[:from], raw[to:]...), to > from
	case 6:
		return "put an entry in twice", append(out[:to:to], append(bytes.Clone(raw[from:to]), raw[to:]...)...), to > from
	}
	// Two entries change places.
	moved := append(bytes.Clone(raw[from:to]), raw[:from]...)
	return "reorder", append(moved, raw[to:]...), to > from && from > 0
}

// TestTampering changes a log of several files in random ways, one at a time,
// and expects each to be found: with -tampers=10000 as often as is promised.
func TestTampering(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
	for i := range 6 {
		b.record(entries(30*i, 30)...)
	}
	key := b.log.PublicKey()
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	good := readFolder(t, b.opt.Dir)
	var names []string
	for name := range good {
		names = append(names, name)
	}
	if len(names) < 7 {
		t.Fatalf("too few files: %v", names)
	}
	dir := t.TempDir()
	for name, raw := range good {
		if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	check := func() bool {
		r, err := Verify(t.Context(), Check{Dir: dir, Key: key})
		return err == nil && r.Whole()
	}
	if !check() {
		t.Fatal("the log is not whole before anything was changed")
	}
	random := rand.New(rand.NewPCG(1, uint64(time.Now().UnixNano())))
	found, ways := 0, map[string]int{}
	for range *tampers {
		name := names[random.IntN(len(names))]
		way, bad, changed := harm(random, good[name], filepath.Ext(name) == ".log")
		if !changed {
			way, bad = "delete the file", nil
		}
		file := filepath.Join(dir, name)
		if bad == nil {
			_ = os.Remove(file)
		} else if err := os.WriteFile(file, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		if check() {
			t.Errorf("%s: %s is not found", name, way)
		} else {
			found++
		}
		ways[way]++
		if err := os.WriteFile(file, good[name], 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !check() {
		t.Error("the log is not whole after everything was put back")
	}
	t.Logf("%d of %d changes found: %v", found, *tampers, ways)
}

// A log that was put back whole is found by whoever kept a checkpoint, and by
// nobody else.
func TestRollbackIsFoundByTheWitness(t *testing.T) {
	b := newBench(t)
	kept := filepath.Join(b.root, "witness")
	w := FileWitness(kept, b.now)
	b.log.Tell(w, time.Minute)
	b.record(entries(0, 50)...)
	b.log.tell(t.Context(), b.now(), false)
	old := readFolder(t, b.opt.Dir)
	b.record(entries(50, 50)...)
	b.wait(time.Hour)
	b.log.tell(t.Context(), b.now(), false)
	key := b.log.PublicKey()
	_ = b.log.Close()
	ask := func() *Report {
		f, err := os.Open(kept)
		if err != nil {
			t.Fatal(err)
		}
		defer f.Close()
		list, foreign, err := ReadCheckpoints(f, key)
		if err != nil || len(list) != 2 || foreign != 0 {
			t.Fatalf("%d checkpoints, %d of others, %v", len(list), foreign, err)
		}
		r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: key, Witnesses: list})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := ask(); !r.Whole() || r.Witnessed != 2 {
		t.Fatalf("%+v", r)
	}
	for name, raw := range old {
		if err := os.WriteFile(filepath.Join(b.opt.Dir, name), raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: key}); err != nil || !r.Whole() {
		t.Fatalf("the old state is whole in itself: %+v, %v", r, err)
	}
	if r := ask(); r.Sound() || r.Witnessed != 1 {
		t.Errorf("the rollback is not found: %+v", r)
	}
}

// What retention drops stays verifiable, and what somebody else drops is found.
func TestRetention(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
	for i := range 6 {
		b.record(entries(30*i, 30)...)
	}
	before := b.log.Checkpoint()
	n, err := b.log.Drop(t.Context(), day.Add(100*time.Second))
	if err != nil || n == 0 {
		t.Fatal(n, err)
	}
	if r := b.sound(); r.Dropped != n || r.Size != 181 {
		t.Errorf("%+v", r)
	}
	if _, err := b.log.Get(t.Context(), 0); err == nil {
		t.Error("a dropped entry is there")
	}
	if got := b.list(Query{}); int64(len(got)) != 181-n {
		t.Errorf("%d entries listed", len(got))
	}
	if path, now, err := b.log.Consistency(t.Context(), before.Size); err != nil || CheckConsistency(before, now, path) != nil {
		t.Errorf("consistency: %v", err)
	}
	if _, p, err := b.log.Prove(t.Context(), 150); err != nil {
		t.Error(err)
	} else if _, _, err := CheckProof(p, b.log.PublicKey()); err != nil {
		t.Error(err)
	}
	if e, p, err := ProveIn(t.Context(), b.opt.Dir, b.log.PublicKey(), 150); err != nil || e.Seq != 150 || p.Seq != 150 {
		t.Errorf("offline: %v", err)
	}
	_ = os.Remove(filepath.Join(b.opt.Dir, hashesName))
	b.again()
	if why := b.log.Refused(); why != "" {
		t.Fatal(why)
	}
	b.sound()
	// Somebody else drops one more, keeping its hashes.
	var next *segment
	for _, s := range b.log.segs {
		if s.sealed && !s.dropped {
			next = s
			break
		}
	}
	if next == nil {
		t.Fatal("nothing is left to drop")
	}
	if err := b.log.dropOne(next); err != nil {
		t.Fatal(err)
	}
	if r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey()}); err != nil || r.Sound() {
		t.Errorf("bodies dropped by somebody else: %+v, %v", r, err)
	}
}

// A day ends a file.
func TestRotationByDay(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 10)...)
	late := entry(10)
	late.Time = day.Add(24 * time.Hour)
	b.record(late)
	if n := len(b.log.segs); n != 2 {
		t.Errorf("%d files", n)
	}
	b.sound()
}
