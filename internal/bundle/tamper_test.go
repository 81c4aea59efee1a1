package bundle

import (
	"bytes"
	"context"
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"io"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"

	"honeyguide"
)

// rounds is how many random changes TestTampering makes.
func rounds(t *testing.T) int {
	text := os.Getenv("HONEYGUIDE_TRUST_BUNDLE_TAMPERS")
	if text == "" {
		return 400
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("HONEYGUIDE_TRUST_BUNDLE_TAMPERS: %q", text)
	}
	return n
}

// entries cuts an archive into its entries, each with its header, as one who
// knows the format would.
func entries(text []byte) (all [][]byte, rest []byte) {
	for binary.LittleEndian.Uint32(text) == localMagic {
		n := localHead + int(binary.LittleEndian.Uint16(text[26:])) + int(binary.LittleEndian.Uint32(text[18:]))
		all, text = append(all, text[:n]), text[n:]
	}
	return all, text
}

// join puts entries together again, with a directory that fits them.
func join(all [][]byte) []byte {
	var out []byte
	var members []member
	for _, e := range all {
		n := int(binary.LittleEndian.Uint16(e[26:]))
		members = append(members, member{path: string(e[localHead : localHead+n]), size: int64(binary.LittleEndian.Uint32(e[18:])), crc: binary.LittleEndian.Uint32(e[14:]), off: int64(len(out))})
		out = append(out, e...)
	}
	return append(out, directory(members, int64(len(out)))...)
}

// entry makes one with a header that fits.
func entry(path string, content []byte) []byte {
	m := member{path: path, size: int64(len(content)), crc: crc32.ChecksumIEEE(content)}
	return append(m.local(), content...)
}

func split(e []byte) (path string, content []byte) {
	n := localHead + int(binary.LittleEndian.Uint16(e[26:]))
	return string(e[localHead:n]), e[n:]
}

// change changes an archive in one of the ways there are. Those that know the
// format repair headers and directory behind themselves.
func change(rnd *rand.Rand, text, other []byte) (what string, out []byte) {
	all, _ := entries(text)
	foreign, _ := entries(other)
	all = slices.Clone(all)
	i, j := rnd.IntN(len(all)), rnd.IntN(len(all))
	path, content := split(all[i])
	switch rnd.IntN(14) {
	case 0:
		out = bytes.Clone(text)
		at := rnd.IntN(len(out))
		out[at] ^= 1 << rnd.IntN(8)
		return fmt.Sprintf("bit of byte %d", at), out
	case 1:
		at := rnd.IntN(len(text))
		return fmt.Sprintf("cut at %d", at), bytes.Clone(text[:at])
	case 2:
		at := rnd.IntN(len(text))
		return fmt.Sprintf("byte put in at %d", at), slices.Insert(bytes.Clone(text), at, byte(rnd.IntN(256)))
	case 3:
		at := rnd.IntN(len(text))
		return fmt.Sprintf("byte taken out at %d", at), slices.Delete(bytes.Clone(text), at, at+1)
	case 4:
		return "without " + path, join(slices.Delete(all, i, i+1))
	case 5:
		if i == j {
			j = (i + 1) % len(all)
		}
		all[i], all[j] = all[j], all[i]
		return "swapped " + path, join(all)
	case 6:
		return "twice " + path, join(slices.Insert(all, i, all[i]))
	case 7: // an object under its proper name that nobody named
		sum := fmt.Sprintf("%064x", rnd.Uint64())
		all = slices.Insert(all, len(all)-1, entry(objectPath(sum), []byte("added")))
		return "added an object", join(all)
	case 8, 9: // content changed, header repaired
		at := 0
		changed := bytes.Clone(content)
		if len(changed) == 0 {
			changed = []byte("x")
		} else {
			at = rnd.IntN(len(changed))
			changed[at] ^= 1 << rnd.IntN(8)
		}
		all[i] = entry(path, changed)
		return fmt.Sprintf("byte %d of %s", at, path), join(all)
	case 10: // the content of another object under this name
		other, swap := split(all[j])
		if bytes.Equal(swap, content) {
			all[i] = entry(path, append(bytes.Clone(content), '\n'))
			return "longer " + path, join(all)
		}
		all[i] = entry(path, swap)
		return "content of " + other + " as " + path, join(all)
	case 11: // a document of another archive of the same deployment
		want := []string{manifestName, sealName}[rnd.IntN(2)]
		for k := range all {
			if name, _ := split(all[k]); name == want {
				for _, f := range foreign {
					if name, _ := split(f); name == want {
						all[k] = f
					}
				}
			}
		}
		return "another " + want, join(all)
	case 12: // an object swapped for one that its manifest does name, in the manifest
		for k := range all {
			if name, c := split(all[k]); name == manifestName {
				all[k] = entry(name, bytes.Replace(c, []byte(`"size": `), []byte(`"size": 1`), 1+rnd.IntN(5)))
			}
		}
		return "sizes of the manifest", join(all)
	}
	at := rnd.IntN(len(text))
	n := min(len(text)-at, 1+rnd.IntN(4096))
	out = bytes.Clone(text)
	for k := range n {
		out[at+k] = byte(rnd.IntN(256))
	}
	if bytes.Equal(out, text) {
		out[at] ^= 1
	}
	return fmt.Sprintf("%d random bytes at %d", n, at), out
}

// TestTampering changes an archive in random ways: each is found.
func TestTampering(t *testing.T) {
	r := newRig(t)
	r.attack(60)
	_, other := r.collect()
	_, text := r.collect()
	n, missed := rounds(t), 0
	rnd := rand.New(rand.NewPCG(7, 34))
	for i := range n {
		what, changed := change(rnd, text, other)
		if bytes.Equal(changed, text) {
			t.Fatalf("round %d, %s: nothing was changed", i, what)
		}
		report, err := Verify(t.Context(), bytes.NewReader(changed), int64(len(changed)), Check{Key: r.trail.PublicKey()})
		if err != nil {
			t.Fatalf("round %d, %s: %v", i, what, err)
		}
		if report.Sound || len(report.Faults) == 0 {
			missed++
			t.Errorf("round %d: not found: %s", i, what)
		}
	}
	t.Logf("TRUST name=bundle-tampers-missed figure=%d unit=changes target=<=0 of=%d", missed, n)
	t.Logf("%d changes of an archive of %d bytes", n, len(text))
}

// TestBytesAllOver changes bits all over the smallest archive there is: all bits of
// all bytes with HONEYGUIDE_TRUST_BUNDLE_TAMPERS=300000.
func TestBytesAllOver(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	_, text := r.collect()
	step, n := max(1, 8*len(text)/rounds(t)), 0
	if step%2 == 0 {
		step++ // so that it comes to each bit of a byte
	}
	for i := 0; i < 8*len(text); i += step {
		text[i/8] ^= 1 << (i % 8)
		report, err := Verify(t.Context(), bytes.NewReader(text), int64(len(text)), Check{Key: r.trail.PublicKey()})
		if err != nil || report.Sound {
			t.Errorf("byte %d, bit %d: not found: %v", i/8, i%8, err)
		}
		text[i/8] ^= 1 << (i % 8)
		n++
	}
	t.Logf("%d bits of an archive of %d bytes", n, len(text))
}

// TestAnotherTextOfTheSame writes what the seal says in other ways that mean the
// same to lenient readers: each is found.
func TestAnotherTextOfTheSame(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	_, text := r.collect()
	all, _ := entries(text)
	s, err := decode[Seal](sealOf(t, text))
	r.must(err)
	with := func(old, now string) []byte {
		changed := slices.Clone(all)
		for i := range changed {
			if path, content := split(changed[i]); path == sealName {
				if !bytes.Contains(content, []byte(old)) {
					t.Fatalf("the seal has no %q", old)
				}
				changed[i] = entry(path, bytes.Replace(content, []byte(old), []byte(now), 1))
			}
		}
		return join(changed)
	}
	if got := r.faults(with(s.Signature, s.Signature)); got != "" {
		t.Fatal(got)
	}
	const digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
	last := len(s.Signature) - 3 // before ==
	spare := s.Signature[:last] + string(digits[strings.IndexByte(digits, s.Signature[last])^1]) + "=="
	for name, c := range map[string][2]string{
		"a line break in the signature": {s.Signature, s.Signature[:20] + `\n` + s.Signature[20:]},
		"spare bits of the signature":   {s.Signature, spare},
		"another case of a name":        {`"signature"`, `"Signature"`},
		"a field twice":                 {`"signature"`, `"format": "x", "signature"`},
		"a field more":                  {`"signature"`, `"more": 1, "signature"`},
		"an escape":                     {`"format": "h`, `"format": "\u0068`},
		"a blank more":                  {`"format": `, `"format":  `},
	} {
		if r.verify(with(c[0], c[1])).Sound {
			t.Errorf("%s: not found", name)
		}
	}
}

// TestHostileNames refuses a manifest that would name files of whoever takes it in.
func TestHostileNames(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	_, text := r.collect()
	all, _ := entries(text)
	for i := range all {
		if path, content := split(all[i]); path == manifestName {
			all[i] = entry(path, bytes.Replace(content, []byte(`"incident": "I-1"`), []byte(`"incident": "../../I-1"`), 1))
		}
	}
	if got := r.faults(join(all)); !strings.Contains(got, "manifest.json, field incident: it is no short form") {
		t.Error(got)
	}
}

// TestItemOf shows an item as it was collected, or not at all.
func TestItemOf(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	_, text := r.collect()
	it, in, err := ItemOf(bytes.NewReader(text), int64(len(text)), "incident.json")
	r.must(err)
	got, err := io.ReadAll(in)
	if err != nil || int64(len(got)) != it.Size || !bytes.Contains(got, []byte(`"short": "I-1"`)) {
		t.Fatalf("%d bytes, %v", len(got), err)
	}
	text[bytes.Index(text, []byte(`"short": "I-1"`))+11] ^= 2
	if _, _, err := ItemOf(bytes.NewReader(text), int64(len(text)), "incident.json"); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("what was changed is shown: %v", err)
	}
	if _, _, err := ItemOf(bytes.NewReader(text), int64(len(text)), "nothing"); honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
		t.Errorf("what is not there: %v", err)
	}
}

// TestSaysWhere names the object, the line and the field that was changed.
func TestSaysWhere(t *testing.T) {
	r := newRig(t)
	r.attack(40)
	r.collect() // so that there is a chain of custody
	_, text := r.collect()
	all, _ := entries(text)
	edit := func(has, old, now string) string {
		t.Helper()
		changed := slices.Clone(all)
		for i := range changed {
			path, content := split(changed[i])
			if strings.HasPrefix(path, objectPrefix) && bytes.Contains(content, []byte(has)) {
				changed[i] = entry(path, bytes.Replace(content, []byte(old), []byte(now), 1))
				return r.faults(join(changed))
			}
		}
		t.Fatalf("nothing has %q", has)
		return ""
	}
	for _, c := range []struct{ has, old, now, want string }{
		{`{"seq":1,"event"`, "203.0.113.9/7;", "203.0.113.9/8;", "events.jsonl), line 8, field event: it was changed"},
		{`"act":"collected"`, `"by":"anna"`, `"by":"zoe"`, "custody.jsonl), line 1, field by: it was changed"},
		{`{"seq":1,"event"`, "{\"seq\":1,", "{\"sEq\":1,", "line 1, field sEq: it was changed"},
		{`"rule_id":"loader"`, `"severity":"high"`, `"severity":"low"`, "alerts.jsonl), line 1, field severity: it was changed"},
	} {
		if got := edit(c.has, c.old, c.now); !strings.Contains(got, c.want) {
			t.Errorf("%s -> %s:\n%s\nwant %s", c.old, c.now, got, c.want)
		}
	}
}

// TestHostileArchives refuses what archives of others may be made of.
func TestHostileArchives(t *testing.T) {
	r := newRig(t)
	r.attack(3)
	_, text := r.collect()
	all, _ := entries(text)
	put := func(e []byte) []byte { return join(append([][]byte{e}, all...)) }
	squeezed := entry(readmeName, []byte("x"))
	binary.LittleEndian.PutUint16(squeezed[8:], 8)
	locked := entry(readmeName, []byte("x"))
	binary.LittleEndian.PutUint16(locked[6:], 1)
	for name, c := range map[string]struct {
		text []byte
		want string
	}{
		"slip":          {put(entry("../../etc/passwd", []byte("x"))), "leads out"},
		"absolute":      {put(entry("/etc/passwd", []byte("x"))), "leads out"},
		"windows":       {put(entry(`C:\x`, []byte("x"))), "leads out"},
		"folder":        {put(entry("objects/", nil)), "folder"},
		"stranger":      {put(entry("run.sh", []byte("x"))), "nothing of this name"},
		"bomb":          {put(squeezed), "compressed"},
		"encrypted":     {put(locked), "encrypted"},
		"empty":         {nil, "cut short"},
		"no archive":    {[]byte("MZ this is a program"), "neither an entry"},
		"no entries":    {directory(nil, 0), "missing"},
		"long name":     {put(entry(strings.Repeat("a", 300), nil)), "300 bytes"},
		"behind it":     {append(bytes.Clone(text), "more"...), "added or cut off"},
		"before it":     {append([]byte("more"), text...), "neither an entry"},
		"symbolic link": {symlink(text), "directory at the end"},
	} {
		if got := r.faults(c.text); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
	}
	many := make([][]byte, 0, maxEntries+2)
	for i := range maxEntries + 2 {
		many = append(many, entry(objectPath(fmt.Sprintf("%064x", i)), nil))
	}
	if got := r.faults(join(many)); !strings.Contains(got, "more than") {
		t.Errorf("too many entries: %.200s", got)
	}
}

// symlink makes the first entry a symbolic link in the directory.
func symlink(text []byte) []byte {
	out := bytes.Clone(text)
	at := bytes.Index(out, binary.LittleEndian.AppendUint32(nil, centralMagic))
	binary.LittleEndian.PutUint32(out[at+38:], 0o120777<<16)
	return out
}

// TestForeignKey finds an archive of another deployment, whole as it is.
func TestForeignKey(t *testing.T) {
	r, other := newRig(t), newRig(t)
	other.attack(3)
	_, text := other.collect()
	if got := r.faults(text); !strings.Contains(got, "seal.json, field audit_key") {
		t.Errorf("the key of another deployment: %s", got)
	}
	report, err := Verify(t.Context(), bytes.NewReader(text), int64(len(text)), Check{})
	if err != nil || !report.Sound || report.KeyGiven || len(report.Notes) == 0 {
		t.Errorf("without a key: %+v, %v", report, err)
	}
}

// TestAgainst compares with checkpoints that others kept.
func TestAgainst(t *testing.T) {
	r, other := newRig(t), newRig(t)
	r.attack(3)
	_, text := r.collect()
	check := func(kept string) (*Report, string) {
		report, err := Verify(t.Context(), bytes.NewReader(text), int64(len(text)), Check{Key: r.trail.PublicKey(), Against: []byte(kept)})
		if err != nil {
			t.Fatal(err)
		}
		return report, fmt.Sprint(report.Faults)
	}
	report, _ := check("")
	s, err := decode[Seal](sealOf(t, text))
	if err != nil {
		t.Fatal(err)
	}
	if got, why := check("mail: " + s.Proof.Checkpoint); !got.Witnessed && !strings.Contains(why, "no checkpoint") {
		t.Errorf("its own checkpoint among other words: %s", why)
	}
	if got, why := check(s.Proof.Checkpoint); !got.Witnessed || !got.Sound {
		t.Errorf("its own checkpoint: %s", why)
	}
	if _, why := check(string(other.trail.Checkpoint().Note)); !strings.Contains(why, "no checkpoint of this log") {
		t.Errorf("the checkpoint of another log: %s", why)
	}
	if err := r.Note(context.Background(), mustBundle(r), "viewed", "", "", anna); err != nil {
		t.Fatal(err)
	}
	if _, why := check(r.trail.Checkpoint().Line()); !strings.Contains(why, "nobody kept") {
		t.Errorf("a later checkpoint: %s", why)
	}
	hashes, point, err := r.trail.Consistency(t.Context(), report.Entries)
	if err != nil {
		t.Fatal(err)
	}
	grown := fmt.Sprintf(`{"from":%d,"hashes":["%s"],"checkpoint":{"note":%q}}`, report.Entries, strings.Join(hashes, `","`), point.Note)
	if got, why := check(grown); !got.Witnessed || !got.Sound {
		t.Errorf("a proof that the log has grown: %s", why)
	}
	if _, why := check(strings.Replace(grown, hashes[0][:4], "AAAA", 1)); !strings.Contains(why, "not of the beginning") {
		t.Errorf("a wrong proof: %s", why)
	}
}

func mustBundle(r *rig) (b honeyguide.Bundle) {
	b, err := r.Get(r.Context(), "E-1")
	r.must(err)
	return b
}

func sealOf(t *testing.T, text []byte) []byte {
	t.Helper()
	all, _ := entries(text)
	for _, e := range all {
		if path, content := split(e); path == sealName {
			return content
		}
	}
	t.Fatal("there is no seal")
	return nil
}

// FuzzVerify feeds anything to the verifier: it says what is wrong, and takes
// nothing but the archive it knows for sound.
func FuzzVerify(f *testing.F) {
	f.Add([]byte(""))
	f.Add(directory(nil, 0))
	f.Add(join([][]byte{entry(readmeName, []byte("x")), entry(manifestName, []byte("{}\n")), entry(sealName, []byte("{}\n"))}))
	f.Add(join([][]byte{entry(manifestName, []byte("{\n \"format\": \"honeyguide-evidence/1\"\n}\n"))}))
	f.Fuzz(func(t *testing.T, text []byte) {
		report, err := Verify(t.Context(), bytes.NewReader(text), int64(len(text)), Check{})
		if err != nil {
			t.Fatal(err)
		}
		if report.Sound {
			t.Error("taken for sound")
		}
		for _, x := range report.Faults {
			if strings.ContainsAny(x.String(), "\x1b\x00\n") {
				t.Errorf("a fault steers terminals: %q", x.String())
			}
		}
		_, _ = Contents(bytes.NewReader(text), int64(len(text))) // must not panic
	})
}

// FuzzLines compares lists with sums of anything.
func FuzzLines(f *testing.F) {
	f.Add([]byte("{\"a\":1}\n"), []byte(sumLine([]byte(`{"a":1}`))+"\n"))
	f.Add([]byte("{\"a\":1}\n"), []byte("x y z\n\n"))
	f.Add([]byte("{"), []byte(""))
	f.Fuzz(func(_ *testing.T, list, sums []byte) {
		compareLists(bytes.NewReader(list), bytes.NewReader(sums), func(int, string, string) bool { return true })
	})
}
