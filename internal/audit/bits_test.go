package audit

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/sumdb/note"

	"honeyguide"
)

// eachBit changes each bit of a text, one at a time.
func eachBit(text []byte, f func(at int, changed []byte)) {
	for i := range 8 * len(text) {
		text[i/8] ^= 1 << (i % 8)
		f(i/8, text)
		text[i/8] ^= 1 << (i % 8)
	}
}

// TestEveryBitOfALog changes each byte of each file of the smallest log there is; in
// the long form each bit.
func TestEveryBitOfALog(t *testing.T) {
	b := newBench(t)
	b.record(honeyguide.AuditEntry{Actor: "zoe", Kind: "user", Action: "login", Outcome: honeyguide.AuditAsked})
	key := b.log.PublicKey()
	if err := b.log.Close(); err != nil {
		t.Fatal(err)
	}
	long := rounds(t, "AUDIT_TAMPERS", *tampers) >= 10_000
	files, n := readFolder(t, b.opt.Dir), 0
	if len(files) != 4 {
		t.Fatalf("%d files", len(files))
	}
	for name, raw := range files {
		file := filepath.Join(b.opt.Dir, name)
		eachBit(raw, func(at int, changed []byte) {
			if n++; !long && n%7 != 0 { // one bit or two of each byte
				return
			}
			if err := os.WriteFile(file, changed, 0o600); err != nil {
				t.Fatal(err)
			}
			if r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: key}); err == nil && r.Whole() {
				t.Errorf("%s, byte %d: not found", name, at)
			}
		})
		if err := os.WriteFile(file, raw, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: key}); err != nil || !r.Whole() {
		t.Errorf("put back: %+v, %v", r, err)
	}
	t.Logf("%d bits, all of them tried: %v", n, long)
}

// TestEveryBitOfAProof changes each bit of a proof in a file of its own.
func TestEveryBitOfAProof(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 3)...)
	_, p, err := b.log.Prove(t.Context(), 1)
	if err != nil {
		t.Fatal(err)
	}
	holds := func(text []byte) bool {
		got, err := ParseProof(text)
		if err == nil {
			_, _, err = CheckProof(got, b.log.PublicKey())
		}
		return err == nil
	}
	for _, indent := range []string{"", "  "} {
		text, err := json.MarshalIndent(p, "", indent)
		if indent == "" {
			text, err = json.Marshal(p)
		}
		if err != nil || !holds(text) || !holds(append(bytes.Clone(text), '\n')) {
			t.Fatalf("the proof does not hold: %v\n%s", err, text)
		}
		eachBit(text, func(at int, changed []byte) {
			if holds(changed) {
				t.Errorf("byte %d: not found", at)
			}
		})
		for name, bad := range map[string]string{
			"a field more":   strings.Replace(string(text), "{", `{"more":1,`, 1),
			"a field twice":  strings.Replace(string(text), `"seq"`, `"seq":7,"seq"`, 1),
			"another case":   strings.Replace(string(text), `"seq"`, `"Seq"`, 1),
			"something else": string(text) + "{}",
			"a line break":   strings.Replace(string(text), p.Hashes[0][:9], p.Hashes[0][:9]+`\n`, 1),
			"spare bits":     strings.Replace(string(text), p.Salt, spare(p.Salt), 1),
		} {
			if bad == string(text) || holds([]byte(bad)) {
				t.Errorf("%s: not found", name)
			}
		}
	}
}

// spare changes a bit of base64 that stands for nothing.
func spare(text string) string {
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	at := strings.IndexByte(text, '=') - 1
	return text[:at] + string(digits[strings.IndexByte(digits, text[at])^1]) + text[at+1:]
}

// A signature has more than one text in base64; one of them is right.
func TestSpareBitsOfANote(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 3)...)
	c := b.log.Checkpoint()
	last := string(c.Note[bytes.LastIndexByte(c.Note, ' ')+1:])
	bad := []byte(strings.Replace(string(c.Note), last, spare(last), 1))
	if v, err := note.NewVerifier(b.log.PublicKey()); err != nil {
		t.Fatal(err)
	} else if _, err := note.Open(bad, note.VerifierList(v)); err != nil {
		t.Fatalf("this would be found in any case: %v", err)
	}
	if _, err := OpenCheckpoint(bad, b.log.PublicKey()); err == nil {
		t.Error("a checkpoint with another text is taken")
	}
	said, err := b.log.SignStatement("a statement\nof something\n")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenStatement(said, b.log.PublicKey()); err != nil {
		t.Fatal(err)
	}
	eachBit(said, func(at int, changed []byte) {
		if _, err := OpenStatement(changed, b.log.PublicKey()); err == nil {
			t.Errorf("statement, byte %d: not found", at)
		}
	})
}

// TestEveryBitOfAWitness changes each bit of a line that was kept elsewhere, between
// two that are as they were.
func TestEveryBitOfAWitness(t *testing.T) {
	b, other := newBench(t), newBench(t)
	b.record(entries(0, 3)...)
	other.record(entries(0, 2)...)
	line, good := b.log.Checkpoint().Line(), "2026-11-22T09:00:00Z "+b.log.Checkpoint().Line()+"\n"
	if k := kept(b, good+other.log.Checkpoint().Line()+"\n"+good); len(k.List) != 2 || k.Foreign != 1 || k.Altered != 0 {
		t.Fatalf("%+v", k)
	}
	eachBit([]byte(line), func(at int, changed []byte) {
		k := kept(b, good+"x "+string(changed)+"\n"+good)
		if k.Altered == 0 || k.Foreign != 0 || len(k.List) < 2 || slices.ContainsFunc(k.List, func(c Checkpoint) bool { return c.Size != 3 }) {
			t.Errorf("byte %d, %q: %d of this log, %d of others, %d altered", at, changed[at], len(k.List), k.Foreign, k.Altered)
		}
	})
	for name, c := range map[string]struct {
		text    string
		altered int
	}{
		"two in a line":       {line + " " + line, 0},
		"cut short":           {line[:len(line)/2], 1},
		"without its end":     {strings.TrimSuffix(line, " (3 entries)"), 1},
		"talk of checkpoints": {"Keep each line honeyguide-checkpoint: it shows a rollback.", 0},
		"nobody's":            {lineMark + base64.RawURLEncoding.EncodeToString(make([]byte, 99)) + " (1 entries)", 1},
	} {
		if k := kept(b, c.text); k.Altered != c.altered || k.Foreign != 0 {
			t.Errorf("%s: %+v", name, k)
		}
	}
	r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey(), Kept: kept(b, good+line[:60]+"!"+line[61:])})
	if err != nil || !r.Sound() || r.Whole() || r.Altered != 1 || r.Witnessed != 1 {
		t.Errorf("%+v, %v", r, err)
	}
}

func kept(b *bench, text string) Kept {
	b.t.Helper()
	k, err := ReadCheckpoints(strings.NewReader(text), b.log.PublicKey())
	if err != nil {
		b.t.Fatal(err)
	}
	return k
}

// Who records is told the number of the entry, also while others record.
func TestNumber(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 2)...)
	type got struct {
		n   int64
		err error
		of  string
	}
	answers := make(chan got)
	const many = 50
	for i := range many {
		go func() {
			e := entry(100 + i)
			n, err := Number(t.Context(), b.log, e)
			answers <- got{n, err, e.Object}
		}()
	}
	for range many {
		a := <-answers
		if a.err != nil {
			t.Fatal(a.err)
		}
		if e, err := b.log.Get(t.Context(), a.n); err != nil || e.Object != a.of {
			t.Errorf("entry %d is about %s, want %s: %v", a.n, e.Object, a.of, err)
		}
	}
	refused := entry(1)
	refused.Outcome = honeyguide.AuditRefused
	if n, err := b.log.Number(t.Context(), refused); n != -1 || err != nil {
		t.Errorf("a refusal: %d, %v", n, err)
	}
	var m Memory
	if n, err := Number(t.Context(), &m, entry(0)); n != 0 || err != nil {
		t.Errorf("in memory: %d, %v", n, err)
	}
}

// What a removal by retention leaves when it breaks off is told, and goes at the
// next start.
func TestLeftByRetention(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 2_000 })
	for i := range 4 {
		b.record(entries(10*i, 10)...)
	}
	if n, err := b.log.Drop(t.Context(), entry(11).Time); n == 0 || err != nil {
		t.Fatal(n, err)
	}
	b.sound()
	var names []string
	for _, s := range b.log.segs {
		if s.sealed {
			names = append(names, s.beside()...)
		}
	}
	for _, name := range names {
		b.put(name, []byte("x"))
		if r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey()}); err != nil || r.Whole() {
			t.Errorf("%s: not found: %v", name, err)
		}
		b.again()
		if why := b.log.Refused(); why != "" {
			t.Fatal(name, why)
		}
		b.sound()
	}
	if len(names) < 4 {
		t.Errorf("only %v", names)
	}
}

// A checkpoint that was put back under a running log is found.
func TestCheckpointPutBackWhileRunning(t *testing.T) {
	b := newBench(t)
	b.record(entries(0, 2)...)
	old := b.log.Checkpoint()
	b.record(entries(2, 2)...)
	b.put(checkpointName, old.Note)
	r, err := b.log.Verify(t.Context(), Kept{}, nil)
	if err != nil || r.Sound() {
		t.Errorf("%+v, %v", r, err)
	}
}
