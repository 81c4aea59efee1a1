package audit

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
)

// encode writes an entry of form 1, as logs had them before personal parts stood
// apart.
func encode(buf []byte, e *honeyguide.AuditEntry) ([]byte, []byte, error) {
	text, err := json.Marshal(e)
	if err != nil {
		return buf, nil, err
	}
	buf = binary.LittleEndian.AppendUint32(buf, uint32(len(text)))
	return append(buf, text...), text, nil
}

// ofForm1 makes the log of a bench one of form 1 with n entries, the first third of
// them sealed.
func (b *bench) ofForm1(n int) {
	b.t.Helper()
	if err := b.log.Close(); err != nil {
		b.t.Fatal(err)
	}
	var tree frontier
	var buf []byte
	sealed := n / 3
	for i := range n {
		e := bound(entry(i))
		e.Seq = int64(i)
		var text []byte
		buf, text, _ = encode(buf, &e)
		tree.add(tlog.RecordHash(text), nil)
		if i == sealed-1 {
			b.put(fmt.Sprintf("entries-%016d-%d.log", 0, sealed), buf)
			buf = nil
		}
	}
	b.put(entriesName, buf)
	point, err := signCheckpoint(b.log.signer, tree.size, tree.root())
	if err != nil {
		b.t.Fatal(err)
	}
	b.put(checkpointName, point.Note)
	b.open()
	if why := b.log.Refused(); why != "" {
		b.t.Fatal(why)
	}
}

func (b *bench) put(name string, raw []byte) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(b.opt.Dir, name), raw, 0o600); err != nil {
		b.t.Fatal(err)
	}
}

// holds says in which files of the folder a text stands.
func (b *bench) holds(text string) (out []string) {
	b.t.Helper()
	for name, raw := range readFolder(b.t, b.opt.Dir) {
		if bytes.Contains(raw, []byte(text)) {
			out = append(out, name)
		}
	}
	return out
}

func is(texts ...string) func(string) bool {
	return func(s string) bool {
		for _, t := range texts {
			if s == t {
				return true
			}
		}
		return false
	}
}

// A log of form 1 is read, proven, verified, and goes on in form 2.
func TestOldLogGoesOn(t *testing.T) {
	b := newBench(t)
	b.ofForm1(30)
	b.record(entries(30, 30)...)
	for range 2 {
		if r := b.sound(); r.Size != 60 || r.Checked != 60 {
			t.Fatalf("%+v", r)
		}
		for name, c := range map[string]struct {
			q    Query
			want int
		}{
			"all": {Query{}, 60}, "actor": {Query{Actor: "actor-3"}, 12}, "object": {Query{Object: "run:R-4*"}, 11},
			"old object": {Query{Object: "run:R-5"}, 1}, "action": {Query{Action: "decide-run"}, 20}, "both": {Query{Action: "decide-run", Actor: "actor-1"}, 4},
		} {
			if got := b.list(c.q); len(got) != c.want {
				t.Errorf("%s: %d entries, want %d", name, len(got), c.want)
			}
		}
		for _, seq := range []int64{3, 20, 45} {
			e, p, err := b.log.Prove(t.Context(), seq)
			if err != nil || e.Object != fmt.Sprint("run:R-", seq) {
				t.Fatal(e, err)
			}
			if got, _, err := CheckProof(p, b.log.PublicKey()); err != nil || got.Object != e.Object {
				t.Errorf("entry %d: %v, %v", seq, got, err)
			}
			if got, _, err := ProveIn(t.Context(), b.opt.Dir, b.log.PublicKey(), seq); err != nil || got.Object != e.Object || got.Reason != "because" {
				t.Errorf("entry %d: %v, %v", seq, got, err)
			}
		}
		b.again()
		if why := b.log.Refused(); why != "" {
			t.Fatal(why)
		}
	}
}

// What an entry says of a person is nowhere but in the file beside it.
func TestPersonalPartStandsApart(t *testing.T) {
	b := newBench(t)
	b.record(honeyguide.AuditEntry{
		Actor: "zoe.canary", Kind: "user", Session: "S-canary", Address: netip.MustParseAddr("198.51.100.77"), Action: "decide-run", Object: "run:canary",
		Outcome: honeyguide.AuditAsked, Reason: "canary because", Detail: "canary detail", Request: "req-1", Before: json.RawMessage(`{"x":"canary"}`), After: json.RawMessage(`{"y":"canary"}`),
	})
	for _, text := range []string{"canary", "198.51.100.77"} {
		if got := b.holds(text); len(got) != 1 || got[0] != partsName(0) {
			t.Errorf("%s stands in %v", text, got)
		}
	}
	e, p, err := b.log.Prove(t.Context(), 0)
	if err != nil || e.Actor != "zoe.canary" || string(e.After) != `{"y":"canary"}` {
		t.Fatal(e, err)
	}
	if strings.Contains(p.Record, "canary") {
		t.Error("the record holds what is personal")
	}
	bad := p
	bad.Personal = strings.Replace(p.Personal, "zoe", "bob", 1)
	if _, _, err := CheckProof(bad, b.log.PublicKey()); err == nil {
		t.Error("another actor is proven")
	}
	bad = p
	bad.Personal, bad.Salt = "", ""
	if e, _, err := CheckProof(bad, b.log.PublicKey()); err != nil || e.Actor != "" || e.Action != "decide-run" {
		t.Errorf("without the personal part: %+v, %v", e, err)
	}
	bad.Salt = p.Salt
	if _, _, err := CheckProof(bad, b.log.PublicKey()); err == nil {
		t.Error("a salt alone is no personal part")
	}
}

// Who has to be forgotten is in no file any more, in sealed files and in the open
// one; everything else is, and all of it verifies.
func TestErasePersonal(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
	for i := range 6 {
		b.record(entries(30*i, 30)...)
	}
	b.record(honeyguide.AuditEntry{Kind: "user", Actor: "root", Action: "login", Outcome: honeyguide.AuditRefused, Detail: "no key of actor-3, from 203.0.113.9:22."},
		honeyguide.AuditEntry{Kind: "user", Actor: "root", Action: "create-user", Outcome: honeyguide.AuditAsked, After: json.RawMessage(`{"list":[{"name":"actor-3"}],"n":5}`)})
	old := b.log.Checkpoint()
	by := honeyguide.AuditEntry{Actor: "actor-3", Kind: "user", Object: "subject:hmac-sha256:0011", Reason: "asked by letter", Request: "req-e"}
	n, err := b.log.ErasePersonal(t.Context(), is("actor-3"), by)
	if err != nil || n != 36+2 {
		t.Fatal(n, err)
	}
	if got := b.holds("actor-3"); len(got) > 0 {
		t.Fatalf("it still stands in %v", got)
	}
	if got := b.holds("actor-2"); len(got) == 0 {
		t.Error("others are gone, too")
	}
	for range 2 {
		if r := b.sound(); r.Erased != 38 || r.Size != 183 {
			t.Fatalf("%+v", r)
		}
		e, p, err := b.log.Prove(t.Context(), 3)
		if err != nil || e.ErasedBy != 182 || e.Actor != "" || e.Object != "" || e.Action != entry(3).Action || e.Request != "req-3" || p.Personal != "" {
			t.Fatalf("%+v, %v", e, err)
		}
		if _, _, err := CheckProof(p, b.log.PublicKey()); err != nil {
			t.Error(err)
		}
		if e, _, err := ProveIn(t.Context(), b.opt.Dir, b.log.PublicKey(), 3); err != nil || e.ErasedBy != 182 {
			t.Errorf("offline: %+v, %v", e, err)
		}
		said, err := b.log.Get(t.Context(), 182)
		if err != nil || said.Action != ActionErase || said.Actor != "(erased)" || said.Reason != "asked by letter" {
			t.Errorf("%+v, %v", said, err)
		}
		if got := b.list(Query{}); len(got) != 183 {
			t.Errorf("%d entries", len(got))
		}
		if got := b.list(Query{Actor: "actor-3"}); len(got) != 0 {
			t.Errorf("%d entries of somebody forgotten", len(got))
		}
		if got := b.list(Query{Actor: "actor-2"}); len(got) != 36 {
			t.Errorf("%d entries of somebody else", len(got))
		}
		if path, now, err := b.log.Consistency(t.Context(), old.Size); err != nil || CheckConsistency(old, now, path) != nil {
			t.Errorf("consistency: %v", err)
		}
		b.again()
		if why := b.log.Refused(); why != "" {
			t.Fatal(why)
		}
	}
	if n, err := b.log.ErasePersonal(t.Context(), is("actor-3"), by); n != 0 || err != nil {
		t.Errorf("twice: %d, %v", n, err)
	}
	if n, err := b.log.ErasePersonal(t.Context(), is("192.0.2.7"), by); n != 180-36 || err != nil {
		t.Errorf("address: %d, %v", n, err)
	}
	b.record(entry(500))
	if n, err := b.log.Drop(t.Context(), day.Add(100*time.Second)); err != nil || n == 0 {
		t.Error(n, err)
	}
	files := readFolder(t, b.opt.Dir)
	if _, there := files[partsName(0)]; there {
		t.Error("the personal parts outlived the entries")
	}
	b.sound()
	b.again()
	b.sound()
}

// Old entries say plainly that they cannot lose what they hold.
func TestErasureOfOldForm(t *testing.T) {
	b := newBench(t)
	b.ofForm1(30)
	b.record(entries(30, 30)...)
	n, err := b.log.ErasePersonal(t.Context(), is("actor-3"), honeyguide.AuditEntry{Actor: "privacy", Kind: "system"})
	if n != 6 || honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "6 audit entries of an older form") {
		t.Error(n, err)
	}
	b.sound()
}

// A removal that was cut short anywhere is ended by the next start.
func TestErasureCutShort(t *testing.T) {
	for name, harm := range map[string]func(b *bench, before logFiles){
		"nothing removed yet": func(b *bench, before logFiles) {
			for name, raw := range before {
				if strings.HasPrefix(name, "personal-") && !strings.HasSuffix(name, partsName(b.log.segs[len(b.log.segs)-1].first)) {
					b.put(name, raw)
				}
			}
		},
		"half written": func(b *bench, before logFiles) {
			b.put(partsName(0), before[partsName(0)])
			b.put(partsName(0)+".tmp", before[partsName(0)][:500])
		},
		"index stale": func(b *bench, before logFiles) {
			b.put(b.log.segs[0].stem()+".idx", before[b.log.segs[0].stem()+".idx"])
		},
		"one file not done": func(b *bench, before logFiles) { b.put(partsName(0), before[partsName(0)]) },
	} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, func(o *Options) { o.Rotate = 8_000 })
			for i := range 4 {
				b.record(entries(30*i, 30)...)
			}
			b.record(entry(500)) // begins a file
			before := readFolder(t, b.opt.Dir)
			if _, err := b.log.ErasePersonal(t.Context(), is("actor-3"), honeyguide.AuditEntry{Actor: "privacy", Kind: "system"}); err != nil {
				t.Fatal(err)
			}
			_ = b.log.Close()
			harm(b, before)
			if r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey()}); err != nil || !r.Sound() || r.Whole() {
				t.Errorf("%+v, %v", r, err)
			}
			b.open()
			if why := b.log.Refused(); why != "" {
				t.Fatal(why)
			}
			if got := b.holds("actor-3"); len(got) > 0 {
				t.Errorf("it still stands in %v", got)
			}
			if r := b.sound(); r.Erased != 24 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// What somebody takes out without an entry is found, at start and by verification.
func TestPartsTakenOut(t *testing.T) {
	for name, sealed := range map[string]bool{"sealed": true, "open": false} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t)
			b.record(entries(0, 20)...)
			if sealed {
				late := entry(20)
				late.Time = day.Add(24 * time.Hour)
				b.record(late)
			}
			_ = b.log.Close()
			raw := readFolder(t, b.opt.Dir)[partsName(0)]
			var out []byte
			for r := (records{r: bytes.NewReader(raw)}); ; {
				part, err := r.part()
				if err != nil {
					break
				}
				if bytes.Contains(part, []byte("actor-3")) {
					part = nil
				}
				out = binary.LittleEndian.AppendUint32(out, uint32(len(part)))
				out = append(out, part...)
			}
			b.put(partsName(0), out)
			r, err := Verify(t.Context(), Check{Dir: b.opt.Dir, Key: b.log.PublicKey()})
			if err != nil || r.Sound() || !strings.Contains(fmt.Sprint(r.Faults), "entry 3 is gone, and no entry says") {
				t.Errorf("%+v, %v", r, err)
			}
			b.open()
			if b.log.Refused() == "" {
				t.Error("it goes on")
			}
			if _, err := b.log.ErasePersonal(t.Context(), is("x"), honeyguide.AuditEntry{}); honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable {
				t.Error(err)
			}
		})
	}
}

// Others record while parts are removed; nothing of theirs is lost.
func TestEraseWhileRecording(t *testing.T) {
	b := newBench(t, func(o *Options) { o.Rotate = 20_000 })
	b.record(entries(0, 50)...)
	done := make(chan error, 4)
	for w := range 4 {
		go func() {
			for i := range 60 {
				if err := b.log.Record(context.Background(), entry(1000*w+i)); err != nil {
					done <- err
					return
				}
			}
			done <- nil
		}()
	}
	for i := range 5 {
		if _, err := b.log.ErasePersonal(t.Context(), is(fmt.Sprint("actor-", i)), honeyguide.AuditEntry{Actor: "privacy", Kind: "system"}); err != nil {
			t.Error(err)
		}
	}
	for range 4 {
		if err := <-done; err != nil {
			t.Error(err)
		}
	}
	r := b.sound()
	if r.Size < 290 || r.Erased < 50 {
		t.Errorf("%+v", r)
	}
	b.again()
	b.sound()
}

func TestCovers(t *testing.T) {
	list := addCovers(nil, []span{{5, 7}, {20, 20}}, 30)
	list = addCovers(list, []span{{6, 9}, {0, 0}}, 40)
	for seq, by := range map[int64]int64{0: 40, 1: 0, 5: 30, 7: 30, 8: 40, 9: 40, 10: 0, 20: 30, 21: 0} {
		if got := coverOf(list, seq); got != by {
			t.Errorf("entry %d: %d, want %d", seq, got, by)
		}
	}
	if n := within(list, 6, 21); n != 5 {
		t.Errorf("%d within", n)
	}
}

func TestMatching(t *testing.T) {
	for text, want := range map[string]bool{
		"zoe": true, "user:zoe": true, "by zoe, who": true, `"zoe"`: true, "x=zoe;": true, "(zoe)": true, "zoes": false, "": false, "azoe": false, "zoe.": true, "[zoe]": true,
	} {
		if anyMatch(text, is("zoe")) != want {
			t.Errorf("%q", text)
		}
	}
	for text, want := range map[string]bool{
		`{"zoe":1}`: true, `[["a zoe"]]`: true, `{"a":{"b":"zoes"}}`: false, `5`: false, `{"z\u006fe":1}`: true, `{"zoe`: true,
	} {
		if jsonMatches(json.RawMessage(text), is("zoe")) != want {
			t.Errorf("%s", text)
		}
	}
}

// FuzzParts reads any personal parts beside an entry.
func FuzzParts(f *testing.F) {
	var w writing
	d := draft{AuditEntry: bound(entry(0))}
	text, err := w.add(&d, make([]byte, saltBytes))
	if err != nil {
		f.Fatal(err)
	}
	text = bytes.Clone(text)
	good := bytes.Clone(w.parts)
	f.Add(good)
	f.Add([]byte{0, 0, 0, 0})
	f.Add([]byte{255, 255, 255, 255, 1})
	f.Add(append(bytes.Clone(good), good...))
	f.Fuzz(func(t *testing.T, raw []byte) {
		side := sideReader{file: "x", f: &os.File{}, r: records{r: bytes.NewReader(raw)}}
		x := item{text: text}
		if err := side.match(&x); err != nil {
			t.Fatal(err)
		}
		if same := bytes.HasPrefix(raw, good); same != (x.fault == "" && !x.removed) {
			t.Errorf("fault %q, removed %v", x.fault, x.removed)
		}
		for r := (records{r: bytes.NewReader(raw)}); ; {
			if _, err := r.part(); err != nil {
				if err != io.EOF && !errors.Is(err, errTorn) {
					t.Fatal(err)
				}
				return
			}
		}
	})
}

// FuzzIndex reads any index: it is believed only when it is the one of its files.
func FuzzIndex(f *testing.F) {
	list := []block{{from: 1, to: 2, actors: 3}, {off: 9, side: 9, marks: covering | 2}}
	good := encodeBlocks(list, 100, 200)
	f.Add(good)
	f.Add(good[:40])
	f.Fuzz(func(t *testing.T, raw []byte) {
		if _, err := decodeBlocks(raw, 300, 100, 200); err == nil && !bytes.Equal(raw, good) && len(raw) != len(good) {
			t.Error("it is believed")
		}
	})
}

// The quick ways write and read what encoding/json does.
func TestQuickIsTheSame(t *testing.T) {
	for _, name := range []string{"zoe", "", "z\"oe", "<b>&", "zö", "a\\b", "\u2028", "tab\t", "\x7f", `","request":"x`} {
		d := draft{AuditEntry: bound(honeyguide.AuditEntry{
			Time: day.Add(1500 * time.Microsecond), Actor: name, Kind: name, Session: name, Action: name, Object: name, Outcome: honeyguide.AuditOutcome(name), Reason: name, Detail: name, Request: name,
		})}
		for _, a := range []string{"", "192.0.2.1", "2001:db8::1"} {
			d.Address, _ = netip.ParseAddr(a)
			d.Seq = 7
			var w writing
			text, err := w.add(&d, make([]byte, saltBytes))
			if err != nil {
				t.Fatal(err)
			}
			part := w.parts[4:]
			wantPart, _ := json.Marshal(personalOf(&d.AuditEntry))
			if got := string(part[saltBytes:]); got != string(wantPart) {
				t.Errorf("%s\n%s", got, wantPart)
			}
			r, err := decode(text, 7)
			if err != nil {
				t.Fatal(err)
			}
			want, _ := json.Marshal(openPart{2, 7, d.Time, d.Kind, d.Action, d.Outcome, d.Request, r.sum[:], nil})
			if string(text) != string(want) {
				t.Errorf("%s\n%s", text, want)
			}
			if err := r.hold(part); err != nil || r.Actor != d.Actor {
				t.Errorf("%q: %q, %v", name, r.Actor, err)
			}
			if err := r.fill(part); err != nil {
				t.Error(err)
			}
			if r.AuditEntry.Kind != d.Kind || r.Action != d.Action || r.Outcome != d.Outcome || r.Request != d.Request || !r.Time.Equal(d.Time) || r.Detail != d.Detail || r.Address != d.Address {
				t.Errorf("%+v\n%+v", r.AuditEntry, d.AuditEntry)
			}
		}
	}
}
