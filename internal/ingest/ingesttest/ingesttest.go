// Package ingesttest holds what every mapper has to pass: golden files and the
// promises of package ingest.
package ingesttest

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
)

var update = flag.Bool("update", false, "write the golden files anew")

// Now is the clock of all tests here: a little after the samples.
var now = time.Date(2026, 11, 22, 20, 0, 0, 0, time.UTC)

// Now returns the clock of all tests here: a little after the samples.
func Now() time.Time { return now }

// A Result is what became of an input.
type Result struct {
	Events  []honeyguide.Event      `json:"events"`
	Dead    []honeyguide.DeadLetter `json:"dead_letters"`
	Summary ingest.Summary          `json:"summary"`
	Err     error                   `json:"-"`
	Batches []int                   `json:"-"` // sizes as emitted
}

// Read reads input with the clock of these tests.
func Read(t testing.TB, opts ingest.Options, input []byte) Result {
	t.Helper()
	if opts.Now == nil {
		opts.Now = Now
	}
	if opts.Name == "" {
		opts.Name = "test"
	}
	var res Result
	res.Summary, res.Err = ingest.Read(t.Context(), bytes.NewReader(input), opts,
		func(_ context.Context, batch []honeyguide.Event) error {
			res.Batches = append(res.Batches, len(batch))
			res.Events = append(res.Events, batch...)
			return nil
		},
		func(_ context.Context, d honeyguide.DeadLetter) error {
			res.Dead = append(res.Dead, d)
			return nil
		})
	return res
}

// Open opens a kind with its defaults.
func Open(t testing.TB, set ingest.Set) []ingest.Format {
	t.Helper()
	formats, err := ingest.OpenAll(t.Context(), set, ingest.Deps{})
	if err != nil {
		t.Fatal(err)
	}
	return formats
}

// Golden reads every sample under testdata with the named format
// and compares events, dead letters and summary with the .golden file beside it.
func Golden(t *testing.T, formats []ingest.Format, format string) {
	t.Helper()
	inputs := samples(t)
	for _, path := range inputs {
		t.Run(filepath.Base(path), func(t *testing.T) {
			input, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			res := Read(t, ingest.Options{Mappers: formats, Format: format}, input)
			if res.Err != nil {
				t.Fatal(res.Err)
			}
			compare(t, path+".golden", res)
			balanced(t, res)
		})
	}
}

func samples(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.json", "*.jsonl", "*.csv", "*.log", "*.xml", "*.tsv"} {
		found, err := filepath.Glob(filepath.Join("testdata", pattern))
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) == 0 {
		t.Fatal("no samples under testdata")
	}
	return all
}

// readable is a result with the raw bytes as text.
func readable(res Result) any {
	type event struct {
		honeyguide.Event
		Raw string `json:"raw"`
	}
	type letter struct {
		honeyguide.DeadLetter
		Raw string `json:"raw"`
	}
	out := struct {
		Events  []event        `json:"events"`
		Dead    []letter       `json:"dead_letters"`
		Summary ingest.Summary `json:"summary"`
	}{Summary: res.Summary}
	for _, e := range res.Events {
		raw := string(e.Raw)
		e.Raw = nil
		out.Events = append(out.Events, event{e, ingest.Cut(raw, 60)})
	}
	for _, d := range res.Dead {
		raw := string(d.Raw)
		d.Raw = nil
		out.Dead = append(out.Dead, letter{d, ingest.Cut(raw, 60)})
	}
	return out
}

func compare(t *testing.T, path string, res Result) {
	t.Helper()
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	enc.SetIndent("", " ")
	if err := enc.Encode(readable(res)); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, buf.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	got, wanted := strings.Split(buf.String(), "\n"), strings.Split(string(want), "\n")
	for i := range max(len(got), len(wanted)) {
		g, w := line(got, i), line(wanted, i)
		if g != w {
			t.Fatalf("%s:%d differs (go test -update writes it anew)\n got %s\nwant %s", path, i+1, g, w)
		}
	}
}

func line(all []string, i int) string {
	if i < len(all) {
		return all[i]
	}
	return "(end)"
}

// balanced checks that nothing got lost between records and their outcomes.
func balanced(t *testing.T, res Result) {
	t.Helper()
	s := res.Summary
	if int(s.Events) != len(res.Events) || int(s.Rejected) != len(res.Dead) {
		t.Errorf("the summary says %d events and %d rejected; there are %d and %d", s.Events, s.Rejected, len(res.Events), len(res.Dead))
	}
	left := s.Records - s.Rejected - s.Duplicates
	for _, n := range s.Dropped {
		left -= n
	}
	if left > s.Events || left < 0 || left == 0 && s.Events > 0 {
		t.Errorf("%d records give %d events, %d rejected, %d duplicates, dropped %v", s.Records, s.Events, s.Rejected, s.Duplicates, s.Dropped)
	}
}

// Promises checks what holds for every mapper, on good records of its product,
// one JSON object each.
func Promises(t *testing.T, formats []ingest.Format, format string, records ...string) {
	t.Helper()
	opts := func() ingest.Options { return ingest.Options{Mappers: formats, Format: format} }
	lines := []byte(strings.Join(records, "\n") + "\n")
	want := Read(t, opts(), lines)
	if want.Err != nil || len(want.Dead) > 0 || len(want.Events) == 0 {
		t.Fatalf("the records are not good: %v, dead %v", want.Err, want.Dead)
	}
	t.Run("auto", func(t *testing.T) {
		o := opts()
		o.Format = ingest.FormatAuto
		same(t, Read(t, o, lines), want)
	})
	t.Run("again", func(t *testing.T) {
		o := opts()
		o.Seen = ingest.NewSeen(1 << 16)
		o.Name = "elsewhere"
		Read(t, o, lines)
		o.Name = "test"
		res := Read(t, o, lines)
		if len(res.Events) != 0 || res.Summary.Duplicates+drops(res) != res.Summary.Records {
			t.Errorf("the same input again gives %d events, summary %+v", len(res.Events), res.Summary)
		}
	})
	for name, input := range framings(t, records) {
		t.Run(name, func(t *testing.T) { same(t, Read(t, opts(), input), want) })
	}
	t.Run("a bad record between", func(t *testing.T) {
		res := Read(t, opts(), []byte(strings.Join(records, "\n{\"broken\":\n")+"\n"))
		if len(res.Events) != len(want.Events) || len(res.Dead) != len(records)-1 {
			t.Errorf("got %d events and %d dead letters, want %d and %d", len(res.Events), len(res.Dead), len(want.Events), len(records)-1)
		}
	})
}

func drops(res Result) int64 {
	n := int64(0)
	for _, d := range res.Summary.Dropped {
		n += d
	}
	return n
}

// framings returns the records in every form a file may have.
func framings(t *testing.T, records []string) map[string][]byte {
	t.Helper()
	plain := strings.Join(records, "\n")
	var pretty []string
	for _, r := range records {
		var b bytes.Buffer
		if err := json.Indent(&b, []byte(r), "", "  "); err != nil {
			t.Fatal(err)
		}
		pretty = append(pretty, b.String())
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return map[string][]byte{
		"no last line break": []byte(plain),
		"CRLF":               []byte(strings.Join(records, "\r\n") + "\r\n"),
		"BOM":                []byte("\xef\xbb\xbf" + plain),
		"blank lines":        []byte("\n\n" + strings.Join(records, "\n\n  \n") + "\n\n"),
		"array":              []byte("[" + strings.Join(records, ",") + "]"),
		"array of lines":     []byte("[\n" + strings.Join(records, ",\n") + "\n]\n"),
		"pretty":             []byte(strings.Join(pretty, "\n")),
		"pretty array":       []byte("[\n" + strings.Join(pretty, ",\n") + "\n]"),
		"gzip":               zipped.Bytes(),
	}
}

// same compares two results but for raw bytes, which follow the form.
func same(t *testing.T, got, want Result) {
	t.Helper()
	if got.Err != nil || len(got.Dead) > 0 {
		t.Fatalf("error %v, dead %v", got.Err, got.Dead)
	}
	if len(got.Events) != len(want.Events) {
		t.Fatalf("got %d events, want %d", len(got.Events), len(want.Events))
	}
	for i := range got.Events {
		g, w := got.Events[i], want.Events[i]
		g.Raw, w.Raw = nil, nil
		gj, _ := json.Marshal(g)
		wj, _ := json.Marshal(w)
		if !bytes.Equal(gj, wj) {
			t.Errorf("event %d\n got %s\nwant %s", i, gj, wj)
		}
	}
}

// Hostile feeds a mapper what breaks parsers, through Read and with its own
// format forced: it may refuse, but neither panic nor lose count.
func Hostile(t testing.TB, formats []ingest.Format, format string, input []byte) {
	t.Helper()
	res := Read(t, ingest.Options{Mappers: formats, Format: format, MaxRecord: 1 << 16}, input)
	if res.Err != nil {
		if honeyguide.ErrorCode(res.Err) != honeyguide.CodeInvalid {
			t.Fatalf("not the input's fault: %v", res.Err)
		}
		return
	}
	if int(res.Summary.Rejected) != len(res.Dead) || int(res.Summary.Events) != len(res.Events) {
		t.Fatalf("lost count: %+v", res.Summary)
	}
	for _, e := range res.Events {
		if e.Time.IsZero() || e.ID == "" || e.Class == honeyguide.ClassUnknown || e.Activity == "" {
			t.Fatalf("an event is not complete: %+v", e)
		}
		if _, err := json.Marshal(e); err != nil {
			t.Fatalf("an event cannot be written: %v", err)
		}
	}
}

// Benchmark reads records made of format, which takes two numbers, as JSON
// lines, and reports records a second.
func Benchmark(b *testing.B, formats []ingest.Format, name, format string) {
	const n = 20_000
	var input bytes.Buffer
	for i := range n {
		fmt.Fprintf(&input, format+"\n", i, i)
	}
	b.SetBytes(int64(input.Len()))
	b.ReportAllocs()
	for b.Loop() {
		sum, err := ingest.Read(b.Context(), bytes.NewReader(input.Bytes()), ingest.Options{Name: "bench", Format: name, Mappers: formats},
			func(context.Context, []honeyguide.Event) error { return nil },
			func(_ context.Context, d honeyguide.DeadLetter) error { return fmt.Errorf("dead: %s", d.Reason) })
		if err != nil || sum.Events != n {
			b.Fatalf("%v, %+v", err, sum)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
