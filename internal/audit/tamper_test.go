package audit

import (
	"bytes"
	"errors"
	"flag"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"honeyguide"
)

// tampers is how many random changes TestTampering makes. The promise is 10,000.
var tampers = flag.Int("tampers", 300, "random changes TestTampering makes")

// rounds reads the size of a proof from the environment.
func rounds(t *testing.T, row string, usual int) int {
	t.Helper()
	text := os.Getenv("HONEYGUIDE_TRUST_" + row)
	if text == "" {
		return usual
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("HONEYGUIDE_TRUST_%s=%q; want a number", row, text)
	}
	return n
}

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

// frames returns where the entries or personal parts of a file end.
func frames(raw []byte, next func(*records) ([]byte, error)) (ends []int) {
	for rec := (records{r: bytes.NewReader(raw)}); ; {
		if _, err := next(&rec); err != nil {
			return ends
		}
		ends = append(ends, int(rec.off))
	}
}

// A changer knows the ways to change one file of a log.
type changer struct {
	*rand.Rand
	good  logFiles            // the log as it is
	old   map[string][][]byte // earlier states of its files
	names []string
}

// bytesOf changes single bytes; every file has some.
func (c *changer) bytesOf(raw []byte) (string, []byte) {
	if len(raw) == 0 {
		return "append", []byte{byte(c.IntN(256))}
	}
	at := c.IntN(len(raw))
	out := bytes.Clone(raw)
	switch c.IntN(7) {
	case 0:
		out[at] ^= 1 << c.IntN(8)
		return "flip a bit", out
	case 1:
		out[at] = byte(c.IntN(256))
		return "change a byte", out
	case 2:
		return "delete a byte", append(out[:at], out[at+1:]...)
	case 3:
		return "insert a byte", slices.Insert(out, at, byte(c.IntN(256)))
	case 4:
		return "truncate", out[:at]
	case 5:
		return "append", append(out, byte(c.IntN(256)))
	}
	n := 1 + c.IntN(min(64, len(raw)-at))
	clear(out[at : at+n])
	return "zeros", out
}

// framesOf changes whole entries or personal parts.
func (c *changer) framesOf(raw []byte, ends []int) (string, []byte) {
	at := func(n int) (from, to int) {
		if n > 0 {
			from = ends[n-1]
		}
		return from, ends[n]
	}
	n, m := c.IntN(len(ends)), c.IntN(len(ends))
	if n > m {
		n, m = m, n
	}
	from, to := at(n)
	from2, to2 := at(m)
	switch c.IntN(5) {
	case 0:
		return "take one out", append(bytes.Clone(raw[:from]), raw[to:]...)
	case 1:
		return "put one in twice", slices.Insert(bytes.Clone(raw), to, raw[from:to]...)
	case 2:
		return "move one", append(append(append(append([]byte(nil), raw[:from]...), raw[to:to2]...), raw[from:to]...), raw[to2:]...)
	case 3:
		return "empty one", append(append(bytes.Clone(raw[:from]), 0, 0, 0, 0), raw[to:]...)
	}
	if n == m {
		return "swap two", raw
	}
	return "swap two", slices.Concat(raw[:from], raw[from2:to2], raw[to:from2], raw[from:to], raw[to2:])
}

// change changes one file and returns the files that differ; nil stands for one
// that is gone.
func (c *changer) change() (name, way string, bad logFiles) {
	name = c.names[c.IntN(len(c.names))]
	raw := c.good[name]
	var out []byte
	switch c.IntN(12) {
	case 0:
		way, out = "delete the file", nil
	case 1:
		other := c.names[c.IntN(len(c.names))]
		way, out = "replace by "+other, c.good[other]
		if other == name {
			way = "replace by itself"
		}
	case 2:
		other := c.names[c.IntN(len(c.names))]
		return name, "exchange with " + other, logFiles{name: c.good[other], other: raw}
	case 3:
		way, out = "an older state", raw
		if list := c.old[name]; len(list) > 0 {
			out = list[c.IntN(len(list))]
		}
	case 4:
		way, out = "add a file", append([]byte(nil), raw...)
		name = []string{"entries-0000000000009999-3.log", name + "~", name + ".tmp", partsName(9999), "x"}[c.IntN(5)]
		if _, there := c.good[name]; there {
			way = "replace a file"
		}
	case 5, 6, 7:
		next := (*records).next
		if strings.HasPrefix(name, "personal-") {
			next = (*records).part
		}
		if ends := frames(raw, next); len(ends) > 1 && (strings.HasSuffix(name, ".log") || strings.HasPrefix(name, "personal-")) {
			way, out = c.framesOf(raw, ends)
			break
		}
		fallthrough
	default:
		way, out = c.bytesOf(raw)
	}
	return name, way, logFiles{name: out}
}

// TestTampering changes a log in random ways, one at a time, and expects each to be
// found. The log has all there is: entries of both forms, sealed files and an open
// one, texts that were dropped, personal parts that were removed.
func TestTampering(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
	c := &changer{Rand: rand.New(rand.NewPCG(1, 7)), old: map[string][][]byte{}}
	keep := func() {
		for name, raw := range readFolder(t, b.opt.Dir) {
			c.old[name] = append(c.old[name], raw)
		}
	}
	b.ofForm1(60)
	for i := range 6 {
		b.record(entries(30*i, 30)...)
		keep()
	}
	if n, err := b.log.Drop(t.Context(), day.Add(25*time.Second)); err != nil || n == 0 {
		t.Fatal(n, err)
	}
	keep()
	for _, who := range []string{"actor-3", "run:R-100"} {
		if n, err := b.log.ErasePersonal(t.Context(), is(who), honeyguide.AuditEntry{Actor: "privacy", Kind: "system"}); n == 0 {
			t.Fatal(n, err)
		}
		keep()
	}
	b.record(entries(500, 7)...)
	key := b.log.PublicKey()
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	c.good = readFolder(t, b.opt.Dir)
	for name := range c.good {
		c.names = append(c.names, name)
	}
	slices.Sort(c.names) // hashes, index, checkpoint, sealed and open entries and personal parts
	if len(c.names) < 16 {
		t.Fatalf("too few files: %v", c.names)
	}
	dir := t.TempDir()
	put := func(files logFiles) {
		for name, raw := range files {
			file := filepath.Join(dir, name)
			err := os.WriteFile(file, raw, 0o600)
			if raw == nil {
				if err = os.Remove(file); errors.Is(err, fs.ErrNotExist) {
					err = nil
				}
			}
			if err != nil {
				t.Fatal(err)
			}
		}
	}
	check := func() bool {
		r, err := Verify(t.Context(), Check{Dir: dir, Key: key})
		return err == nil && r.Whole()
	}
	put(c.good)
	if !check() {
		r, err := Verify(t.Context(), Check{Dir: dir, Key: key})
		t.Fatalf("the log is not whole before anything was changed: %+v, %v", r, err)
	}
	want := rounds(t, "AUDIT_TAMPERS", *tampers)
	found, ways := 0, map[string]int{}
	for n := 0; n < want; {
		name, way, bad := c.change()
		back, same := logFiles{}, true
		for name, raw := range bad {
			good, there := c.good[name]
			same = same && there && raw != nil && bytes.Equal(raw, good)
			if back[name] = good; there && good == nil {
				back[name] = []byte{}
			}
		}
		if same {
			continue // it happened to change nothing
		}
		n++
		put(bad)
		if check() {
			t.Errorf("%s: %s is not found", name, way)
		} else {
			found++
		}
		word, _, _ := strings.Cut(way, " by ")
		word, _, _ = strings.Cut(word, " with ")
		ways[word]++
		put(back)
	}
	if !check() {
		t.Error("the log is not whole after everything was put back")
	}
	t.Logf("%d of %d changes found: %v", found, want, ways)
	t.Logf("TRUST name=audit-tampers-missed figure=%d unit=changes target=<=0 of=%d", want-found, want)
}

// A log that was put back whole to any earlier state is found by whoever kept a
// checkpoint, and by nobody else.
func TestRollbackIsFoundByTheWitness(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
	kept := filepath.Join(b.root, "witness")
	b.log.Tell(FileWitness(kept, b.now), time.Minute)
	want := rounds(t, "ROLLBACK", 8)
	var states []logFiles
	for i := range want {
		b.record(entries(20*i, 20)...)
		if i == want/2 {
			if _, err := b.log.ErasePersonal(t.Context(), is("actor-3"), honeyguide.AuditEntry{Actor: "privacy", Kind: "system"}); err != nil {
				t.Fatal(err)
			}
		}
		states = append(states, readFolder(t, b.opt.Dir))
	}
	b.record(entries(9999, 1)...)
	b.log.tell(t.Context(), b.now(), false)
	key := b.log.PublicKey()
	_ = b.log.Close()
	f, err := os.Open(kept)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	list, err := ReadCheckpoints(f, key)
	if err != nil || len(list.List) != 1 || list.Foreign+list.Altered != 0 {
		t.Fatalf("%+v, %v", list, err)
	}
	ask := func(dir string, list Kept) *Report {
		r, err := Verify(t.Context(), Check{Dir: dir, Key: key, Kept: list})
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	if r := ask(b.opt.Dir, list); !r.Whole() || r.Witnessed != 1 {
		t.Fatalf("%+v", r)
	}
	found := 0
	for i, files := range states {
		dir := t.TempDir()
		for name, raw := range files {
			if err := os.WriteFile(filepath.Join(dir, name), raw, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if r := ask(dir, Kept{}); !r.Whole() {
			t.Fatalf("state %d is not whole in itself: %+v", i, r)
		}
		if r := ask(dir, list); r.Sound() || r.Witnessed != 0 {
			t.Errorf("state %d: the rollback is not found: %+v", i, r)
			continue
		}
		found++
	}
	t.Logf("TRUST name=rollback-found figure=%d unit=percent target=>=100 of=%d", 100*found/want, want)
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
