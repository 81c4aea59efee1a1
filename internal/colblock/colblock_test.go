package colblock_test

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"reflect"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog/eventlogtest"
)

const seed = 0x5eed

var start = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

func rows(events []honeyguide.Event) []colblock.Row {
	out := make([]colblock.Row, len(events))
	for i, e := range events {
		out[i] = colblock.Row{Outbox: "box", Number: int64(1000 + i), Event: e}
	}
	return out
}

func pointers(rows []colblock.Row) []*colblock.Row {
	out := make([]*colblock.Row, len(rows))
	for i := range rows {
		out[i] = &rows[i]
	}
	return out
}

func encode(t testing.TB, rows []colblock.Row) colblock.Block {
	t.Helper()
	enc, err := colblock.NewEncoder(seed)
	if err != nil {
		t.Fatal(err)
	}
	b, err := enc.Encode(pointers(rows))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func decoder(t testing.TB) *colblock.Decoder {
	t.Helper()
	d, err := colblock.NewDecoder()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(d.Close)
	return d
}

func diff(want, got any) string {
	if reflect.DeepEqual(want, got) {
		return ""
	}
	return cmp.Diff(want, got, cmpopts.EquateNaNs(), cmpopts.EquateComparable(honeyguide.Endpoint{}))
}

// withIDs gives rows the ids they must come back with.
func withIDs(in []colblock.Row) []colblock.Row {
	out := append([]colblock.Row(nil), in...)
	for i := range out {
		if r := &out[i]; r.Event.ID == "" && r.Outbox != "" {
			r.Event.ID, r.Derived = colblock.EventID(r.Outbox, r.Number, r.Event.Time), true
		}
	}
	return out
}

func TestRoundTrip(t *testing.T) {
	gen := eventlogtest.NewGen(1, start, time.Second)
	odd := eventlogtest.Odd()
	mixed := append(gen.Some(100), odd...)
	rand.New(rand.NewPCG(1, 1)).Shuffle(len(mixed), func(i, j int) { mixed[i], mixed[j] = mixed[j], mixed[i] })
	cases := map[string][]colblock.Row{
		"one": rows(gen.Some(1)), "two": rows(gen.Some(2)), "many": rows(gen.Some(1024)), "most": rows(gen.Some(colblock.MaxRows)),
		"odd": rows(odd), "mixed": rows(mixed), "no outbox": {{}, {Number: -1}, {}},
	}
	for i := range odd {
		cases[fmt.Sprintf("odd %d", i)] = rows(odd[i : i+1])
	}
	d := decoder(t)
	for name, in := range cases {
		b := encode(t, in)
		got, err := d.Rows(b)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if d := diff(withIDs(in), got); d != "" {
			t.Errorf("%s (-want +got):\n%s", name, d)
		}
	}
}

// few leaves out events with more attributes than get columns: which ones do is
// left to the order of a map.
func few(events []honeyguide.Event) []honeyguide.Event {
	return slices.DeleteFunc(events, func(e honeyguide.Event) bool { return len(e.Attrs) > 100 })
}

func TestSameRowsSameBytes(t *testing.T) {
	in := rows(append(eventlogtest.NewGen(2, start, time.Second).Some(300), few(eventlogtest.Odd())...))
	a, b := encode(t, in), encode(t, in)
	if d := diff(a, b); d != "" {
		t.Error("two encodings of the same rows differ")
	}
}

// TestReusedEncoder checks that scratch memory of one block does not show in the next.
func TestReusedEncoder(t *testing.T) {
	enc, err := colblock.NewEncoder(seed)
	if err != nil {
		t.Fatal(err)
	}
	gen := eventlogtest.NewGen(3, start, time.Second)
	for _, in := range [][]colblock.Row{rows(few(eventlogtest.Odd())), rows(gen.Some(700)), rows(gen.Some(3)), rows(few(eventlogtest.Odd()[2:]))} {
		got, err := enc.Encode(pointers(in))
		if err != nil {
			t.Fatal(err)
		}
		if diff(encode(t, in), got) != "" {
			t.Errorf("block of %d rows depends on the one before", len(in))
		}
	}
}

func TestSummary(t *testing.T) {
	in := rows(eventlogtest.NewGen(4, start, time.Second).Some(500))
	b := encode(t, in)
	lo, hi, sev := in[0].Event.Time, in[0].Event.Time, uint8(0)
	for _, r := range in {
		if r.Event.Time.Before(lo) {
			lo = r.Event.Time
		}
		if r.Event.Time.After(hi) {
			hi = r.Event.Time
		}
		sev |= 1 << r.Event.Severity
	}
	if b.N != 500 || b.TS0 != lo.UnixMicro() || b.TS1 != hi.UnixMicro() || b.Sev != sev || b.Raw != nil || b.Flags != 0 {
		t.Errorf("summary %d rows, %d..%d, severities %b, flags %d", b.N, b.TS0, b.TS1, b.Sev, b.Flags)
	}
}

func TestBounds(t *testing.T) {
	enc, err := colblock.NewEncoder(seed)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{0, colblock.MaxRows + 1} {
		if _, err := enc.Encode(pointers(make([]colblock.Row, n))); err == nil {
			t.Errorf("block of %d rows was made", n)
		}
	}
	// A frame that unpacks to far more than a block may have.
	huge := encode(t, rows([]honeyguide.Event{{Raw: make([]byte, 20<<20)}}))
	small := encode(t, rows([]honeyguide.Event{{}}))
	if len(huge.Raw) > 64<<10 {
		t.Fatalf("the bomb has %d bytes and is none", len(huge.Raw))
	}
	small.Raw = huge.Raw
	if _, err := decoder(t).Rows(small); !errors.Is(err, colblock.ErrCorrupt) {
		t.Errorf("bomb: %v", err)
	}
}

func TestBloom(t *testing.T) {
	in := rows(eventlogtest.NewGen(5, start, time.Second).Some(1024))
	b := encode(t, in)
	has := func(kind byte, v string) bool { return colblock.Has(b.Bloom, colblock.Hash(seed, kind, v)) }
	for _, r := range withIDs(in) {
		e := &r.Event
		terms := map[byte]string{
			colblock.TermSrc: e.Src.Addr.Addr().String(), colblock.TermID: e.ID, colblock.TermSession: e.Session,
		}
		if len(e.Attacks) > 0 {
			terms[colblock.TermTechnique] = e.Attacks[0].ID[:5]
		}
		if len(e.Observables) > 0 {
			terms[colblock.TermObservable] = e.Observables[0].Value
		}
		if u := e.Str(honeyguide.AttrUser); u != "" {
			terms[colblock.TermAttr] = colblock.AttrTerm(honeyguide.AttrUser, u)
		}
		for w := range colblock.Words(e.Str(honeyguide.AttrMessage)) {
			terms[colblock.TermWord] = string(w)
		}
		for kind, v := range terms {
			if !has(kind, v) {
				t.Fatalf("term %c %q of an event is missing", kind, v)
			}
		}
	}
	hits := 0
	for i := range 20000 {
		if has(colblock.TermWord, fmt.Sprintf("absent%d", i)) {
			hits++
		}
	}
	if hits > 20000*2/100 {
		t.Errorf("%d of 20000 absent words hit, want about 1 %%", hits)
	}
	if has(colblock.TermSession, in[0].Event.Src.Addr.Addr().String()) && has(colblock.TermSession, in[9].Event.Src.Addr.Addr().String()) {
		t.Error("a term of one kind hits as another")
	}
}

func TestBloomFlags(t *testing.T) {
	words := func(n int, prefix string) string {
		var b bytes.Buffer
		for i := range n {
			fmt.Fprintf(&b, "%s%d ", prefix, i)
		}
		return b.String()
	}
	many := make([]honeyguide.Event, 400)
	lots := make([]honeyguide.Event, 100)
	for i := range many {
		many[i].Set(honeyguide.AttrMessage, words(50, fmt.Sprintf("w%d.", i)))
	}
	for i := range lots {
		for j := range 200 {
			lots[i].Observables = append(lots[i].Observables, honeyguide.Observable{Value: fmt.Sprint(i, j)})
		}
	}
	for name, c := range map[string]struct {
		in   []honeyguide.Event
		want uint32
	}{
		"few":         {[]honeyguide.Event{{Attrs: map[string]any{honeyguide.AttrMessage: words(60, "w")}}}, 0},
		"one verbose": {[]honeyguide.Event{{Attrs: map[string]any{honeyguide.AttrMessage: words(70, "w")}}}, colblock.FlagWordsIncomplete},
		"many words":  {many, colblock.FlagWordsIncomplete},
		"observables": {lots, colblock.FlagTermsIncomplete},
	} {
		if b := encode(t, rows(c.in)); b.Flags&c.want != c.want || c.want == 0 && b.Flags != 0 {
			t.Errorf("%s: flags %d, want %d", name, b.Flags, c.want)
		}
	}
}

func TestWords(t *testing.T) {
	for in, want := range map[string][]string{
		"":                                    nil,
		"CMD: /bin/sh -c 'Wget x.sh.'":        {"cmd", "bin", "sh", "wget", "x.sh"},
		"a b cc --- ._. d-e 10.0.0.1:5":       {"cc", "d-e", "10.0.0.1"},
		"grüße\x00\xff\xfe!":                  {"grüße", "\xff\xfe"},
		string(bytes.Repeat([]byte("k"), 70)): {string(bytes.Repeat([]byte("k"), 64))},
	} {
		var got []string
		for w := range colblock.Words(in) {
			got = append(got, string(w))
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("words of %q:\n%s", in, d)
		}
	}
}

// TestByteFlips changes one byte of a frame at a time: each change is reported or
// changes nothing.
func TestByteFlips(t *testing.T) {
	in := rows(append(eventlogtest.NewGen(6, start, time.Second).Some(200), eventlogtest.Odd()...))
	b, d := encode(t, in), decoder(t)
	want, err := d.Rows(b)
	if err != nil {
		t.Fatal(err)
	}
	r := rand.New(rand.NewPCG(6, 6))
	flips := 3000
	if testing.Short() {
		flips = 300
	}
	silent := 0
	for i := range flips {
		c := b
		blob := []*[]byte{&c.Hot, &c.Cold, &c.Raw}[i%3]
		*blob = bytes.Clone(*blob)
		(*blob)[r.IntN(len(*blob))] ^= 1 << r.IntN(8)
		got, err := d.Rows(c)
		switch {
		case err != nil && !errors.Is(err, colblock.ErrCorrupt):
			t.Fatalf("error of another kind: %v", err)
		case err == nil && diff(want, got) != "":
			t.Fatal("a flipped byte changed events silently")
		case err == nil:
			silent++
		}
	}
	if silent > flips/100 {
		t.Errorf("%d of %d flips went unreported, though harmless", silent, flips)
	}
}

func TestCanonIsStable(t *testing.T) {
	for i, e := range append(eventlogtest.Odd(), eventlogtest.NewGen(7, start, time.Second).Some(20)...) {
		got := e
		if err := colblock.Canon(&got); err != nil {
			t.Errorf("event %d: %v", i, err)
		}
		if d := diff(e, got); d != "" {
			t.Errorf("event %d in stored form changed:\n%s", i, d)
		}
	}
}

func TestEventIDForms(t *testing.T) {
	if a, b := colblock.EventID("x", 1, start), colblock.EventID("x", 1, start); a != b || len(a) != 26 {
		t.Errorf("ids %q and %q", a, b)
	}
	if colblock.EventID("x", 1, start) == colblock.EventID("x", 2, start) {
		t.Error("two numbers have one id")
	}
}

func FuzzDecodePlain(f *testing.F) {
	d := decoder(f)
	for _, in := range [][]colblock.Row{rows(eventlogtest.Odd()), rows(eventlogtest.NewGen(8, start, time.Second).Some(20)), rows(eventlogtest.Odd()[:1])} {
		b := encode(f, in)
		hot, _ := d.Unpack(b.Hot)
		cold, _ := d.Unpack(b.Cold)
		var raw []byte
		if b.Raw != nil {
			raw, _ = d.Unpack(b.Raw)
		}
		f.Add(len(in), hot, cold, raw)
	}
	f.Add(0, []byte{}, []byte{1, 0}, []byte{})
	f.Fuzz(func(t *testing.T, n int, hot, cold, raw []byte) {
		if err := colblock.DecodePlain(n, hot, cold, raw); err != nil && !errors.Is(err, colblock.ErrCorrupt) {
			t.Errorf("error of another kind: %v", err)
		}
	})
}

func FuzzDecode(f *testing.F) {
	b := encode(f, rows(eventlogtest.Odd()))
	f.Add(b.N, b.Hot, b.Cold, b.Raw)
	d := decoder(f)
	f.Fuzz(func(t *testing.T, n int, hot, cold, raw []byte) {
		if _, err := d.Rows(colblock.Block{N: n, Hot: hot, Cold: cold, Raw: raw}); err != nil && !errors.Is(err, colblock.ErrCorrupt) {
			t.Errorf("error of another kind: %v", err)
		}
	})
}

func FuzzWords(f *testing.F) {
	f.Add("CMD: a.b -x --y")
	f.Fuzz(func(t *testing.T, s string) {
		for w := range colblock.Words(s) {
			e := honeyguide.Event{Attrs: map[string]any{honeyguide.AttrDetail: s}}
			if len(w) < 2 || len(w) > 64 || !colblock.HasWords(&e, []string{string(w)}) {
				t.Fatalf("word %q of %q is not found", w, s)
			}
		}
	})
}

func BenchmarkEncode(b *testing.B) {
	enc, err := colblock.NewEncoder(seed)
	if err != nil {
		b.Fatal(err)
	}
	in := pointers(rows(eventlogtest.NewGen(9, start, 100*time.Millisecond).Some(1024)))
	size := 0
	for b.Loop() {
		blk, err := enc.Encode(in)
		if err != nil {
			b.Fatal(err)
		}
		size = len(blk.Hot) + len(blk.Cold) + len(blk.Bloom)
	}
	b.ReportMetric(float64(size)/1024, "B/event")
	b.ReportMetric(float64(b.N)*1024/b.Elapsed().Seconds(), "events/s")
}

func BenchmarkDecode(b *testing.B) {
	blk := encode(b, rows(eventlogtest.NewGen(9, start, 100*time.Millisecond).Some(1024)))
	d := decoder(b)
	for b.Loop() {
		if _, err := d.Rows(blk); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.N)*1024/b.Elapsed().Seconds(), "events/s")
}
