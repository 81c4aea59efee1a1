package ingest_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/ingest/generic"
	"honeyguide/internal/ingest/ingesttest"
	"honeyguide/internal/ingest/suricata"
	"honeyguide/internal/ingest/wazuh"
)

func formats(t testing.TB) []ingest.Format {
	return ingesttest.Open(t, ingest.Set{suricata.Kind, generic.Kind, wazuh.Kind})
}

const (
	eveLine   = `{"timestamp":"2026-11-21T19:30:00.1+0000","flow_id":1,"event_type":"alert","src_ip":"198.51.100.7","dest_ip":"192.0.2.1","alert":{"signature_id":1,"signature":"x","severity":1}}`
	wazuhLine = `{"timestamp":"2026-11-21T19:30:00.1+0000","rule":{"level":5,"id":"5710","description":"x"},"agent":{"id":"1"},"manager":{"name":"m"},"id":"1.1","data":{"srcip":"198.51.100.7"}}`
	alertLine = `{"id":"1","timestamp":"2026-11-21T19:30:00Z","source_ip":"198.51.100.7","event_type":"alert","severity":"low","description":"x"}`
)

// outcome is what a table of inputs is held against.
type outcome struct {
	framing        string
	events, reject int
	reasons        string // of the dead letters, "line: reason" joined by |
}

func TestFraming(t *testing.T) {
	a := func(n int) string { return fmt.Sprintf(`{"id":"%d","description":"a"}`, n) }
	pretty := func(n int) string {
		return fmt.Sprintf("{\n  \"id\": \"%d\",\n  \"description\": \"a\",\n  \"x\": {\n    \"y\": [\n      {\n}\n    ]\n  }\n}", n)
	}
	for name, c := range map[string]struct {
		in   string
		want outcome
	}{
		"nothing":                  {"", outcome{"empty", 0, 0, ""}},
		"blanks":                   {" \n\t\r\n", outcome{"empty", 0, 0, ""}},
		"lines":                    {a(1) + "\n" + a(2), outcome{"lines", 2, 0, ""}},
		"two on a line":            {a(1) + "\n" + a(2) + " " + a(3) + "\n", outcome{"lines", 3, 0, ""}},
		"one line of many":         {a(1) + a(2) + a(3), outcome{"objects", 3, 0, ""}},
		"broken first line":        {`{"id":"1","descr` + "\n" + a(2) + "\n", outcome{"lines", 1, 1, "1: not valid JSON at byte 17: ends too early"}},
		"broken last line":         {a(1) + "\n" + `{"id":"2","des`, outcome{"lines", 1, 1, "2: not valid JSON at byte 15: ends too early"}},
		"text between":             {a(1) + "\nhello\n" + a(2), outcome{"lines", 2, 1, "2: not a JSON object"}},
		"text first":               {"hello\n" + a(2), outcome{"lines", 1, 1, "1: not a JSON object"}},
		"pretty":                   {pretty(1) + "\n" + pretty(2), outcome{"objects", 2, 0, ""}},
		"pretty, comma":            {pretty(1) + ",\n" + pretty(2), outcome{"objects", 2, 0, ""}},
		"pretty, middle cut":       {pretty(1) + "\n{\n  \"id\": \"2\",\n  \"x\": {\n" + pretty(3), outcome{"objects", 2, 1, "11: the object is not closed"}},
		"pretty, bad value":        {pretty(1) + "\n{\n  \"id\": bad\n}\n" + pretty(3), outcome{"objects", 2, 1, "11: not valid JSON at byte 11: a value is wanted here"}},
		"pretty, open text":        {pretty(1) + "\n{\n  \"id\": \"bad\n}\n" + pretty(3), outcome{"objects", 2, 1, "11: line break inside a text"}},
		"pretty, end cut":          {pretty(1) + "\n{\n  \"id\":", outcome{"objects", 1, 1, "11: the input ends inside this object"}},
		"array":                    {"[" + a(1) + "," + a(2) + "]", outcome{"objects", 2, 0, ""}},
		"array of odd elements":    {"[" + a(1) + `,3,"a,b{]",null,[],` + a(2) + "]", outcome{"objects", 2, 3, "1: not a JSON object|1: not a JSON object|1: not a JSON object"}},
		"array, trailing comma":    {"[" + a(1) + ",\n" + `{"id":"2",},` + "\n" + a(3) + ",]", outcome{"objects", 2, 1, "2: not valid JSON at byte 11: a name in quotes is wanted here"}},
		"array cut off":            {"[" + a(1) + ",", outcome{"objects", 1, 1, "1: the input ends inside its JSON array"}},
		"array cut in an object":   {"[\n" + a(1) + ",\n{\"id\":", outcome{"objects", 1, 2, "3: the input ends inside this object|1: the input ends inside its JSON array"}},
		"array, unclosed in lines": {"[\n" + a(1) + ",\n{\"id\":\"2\"\n" + a(3) + "\n]", outcome{"objects", 2, 1, "3: the object is not closed"}},
		"empty array":              {"[]", outcome{"objects", 0, 0, ""}},
		"csv":                      {"id,description\n1,a\n2,b", outcome{"table", 2, 0, ""}},
		"csv, tab":                 {"id\tdescription\n1\ta\n", outcome{"table", 1, 0, ""}},
		"csv, pipe, quoted header": {"\"id\"|\"description\"\r\n1|a\r\n", outcome{"table", 1, 0, ""}},
		"csv, stray quote":         {"id,description\n1,\"a\n2,b\n3,c", outcome{"table", 2, 1, "2: a quoted cell does not end"}},
		"csv, quote to next quote": {"id,description\n1,\"a\n2,b\n3,\"c\"\n", outcome{"table", 2, 1, "2: text behind a quoted cell"}},
		"csv, header only":         {"id,description\n", outcome{"table", 0, 0, ""}},
		"syslog mark":              {"Nov 21 host suricata: @cee: " + a(1) + "\n", outcome{"lines", 1, 0, ""}},
	} {
		t.Run(name, func(t *testing.T) {
			for how, res := range map[string]ingesttest.Result{
				"at once":      ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(c.in)),
				"byte by byte": slowly(t, c.in),
			} {
				var reasons []string
				for _, d := range res.Dead {
					reasons = append(reasons, fmt.Sprintf("%d: %s", d.Line, d.Reason))
				}
				got := outcome{res.Summary.Framing, len(res.Events), len(res.Dead), strings.Join(reasons, "|")}
				if res.Err != nil || got != c.want {
					t.Errorf("%s: %v\n got %+v\nwant %+v", how, res.Err, got, c.want)
				}
			}
		})
	}
}

// slowly reads input one byte at a time.
func slowly(t *testing.T, input string) ingesttest.Result {
	var res ingesttest.Result
	res.Summary, res.Err = ingest.Read(t.Context(), iotest.OneByteReader(strings.NewReader(input)),
		ingest.Options{Name: "slow", Mappers: formats(t), Now: ingesttest.Now},
		func(_ context.Context, b []honeyguide.Event) error { res.Events = append(res.Events, b...); return nil },
		func(_ context.Context, d honeyguide.DeadLetter) error { res.Dead = append(res.Dead, d); return nil })
	return res
}

func TestRefusedInputs(t *testing.T) {
	for name, c := range map[string]struct{ in, format, want string }{
		"prose":           {"Lorem ipsum dolor sit amet.\nAnd more.", "", "neither JSON nor CSV"},
		"zstd":            {"\x28\xb5\x2f\xfd\x00\x00", "", "zstd"},
		"zip":             {"PK\x03\x04aaaa", "", "zip"},
		"UTF-16":          {"\xff\xfe{\x00", "", "UTF-16"},
		"unknown format":  {"{}", "xml", "there is no such format"},
		"JSON as CSV":     {"{}", "csv", "is JSON"},
		"damaged gzip":    {"\x1f\x8b\x08aaaaaaaaaaaa", "", "damaged"},
		"gzip cut off":    {string(zip(t, alertLine+"\n")[:40]), "", "damaged or cut off"},
		"gzip three deep": {string(zip(t, string(zip(t, string(zip(t, alertLine)))))), "", "more than twice"},
	} {
		res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Format: c.format}, []byte(c.in))
		if res.Err == nil || !strings.Contains(res.Err.Error(), c.want) || honeyguide.ErrorCode(res.Err) != honeyguide.CodeInvalid {
			t.Errorf("%s: got %v, want an invalid error with %q", name, res.Err, c.want)
		}
	}
}

func zip(t testing.TB, s string) []byte {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, err := io.WriteString(z, s)
	if err := errors.Join(err, z.Close()); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestAutoKeepsProductsApart(t *testing.T) {
	in := strings.Join([]string{alertLine, eveLine, wazuhLine, eveLine[:len(eveLine)-1] + `,"tx_id":1}`, `{"what":1}`}, "\n")
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(in))
	var got []string
	for _, e := range res.Events {
		got = append(got, e.Str(honeyguide.AttrProduct))
	}
	if want := "generic suricata wazuh suricata"; strings.Join(got, " ") != want || len(res.Dead) != 1 {
		t.Errorf("got %v and %v, want %s and one dead letter", got, res.Dead, want)
	}
	if res.Summary.Format != "suricata" || res.Summary.ByFormat["generic"] != 1 {
		t.Errorf("summary %+v", res.Summary)
	}
}

func TestTwiceCompressed(t *testing.T) {
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, zip(t, string(zip(t, alertLine))))
	if res.Err != nil || len(res.Events) != 1 {
		t.Errorf("got %+v", res)
	}
}

// A line of 100 MB streams by: its beginning is kept, the record after it read.
func TestHugeLineIsNotHeld(t *testing.T) {
	const size = 100 << 20
	for name, in := range map[string]func() io.Reader{
		"lines": func() io.Reader {
			return io.MultiReader(strings.NewReader(alertLine+"\n{\"a\":\""), blank(size), strings.NewReader("\"}\n"+eveLine+"\n"))
		},
		"array": func() io.Reader {
			return io.MultiReader(strings.NewReader("["+alertLine+",{\"a\":\""), blank(size), strings.NewReader("\"},"+eveLine+"]"))
		},
		"csv": func() io.Reader {
			return io.MultiReader(strings.NewReader("id,description\n1,x\n2,"), blank(size), strings.NewReader("\n3,y\n"))
		},
		"first of lines": func() io.Reader {
			return io.MultiReader(strings.NewReader("{\"a\":\""), blank(size), strings.NewReader("\"}\n"+eveLine+"\n"+alertLine))
		},
	} {
		t.Run(name, func(t *testing.T) {
			var dead []honeyguide.DeadLetter
			events := 0
			peak := watch(t, func() {
				_, err := ingest.Read(t.Context(), in(), ingest.Options{Name: "big", Mappers: formats(t), Now: ingesttest.Now},
					func(_ context.Context, b []honeyguide.Event) error { events += len(b); return nil },
					func(_ context.Context, d honeyguide.DeadLetter) error { dead = append(dead, d); return nil })
				if err != nil {
					t.Error(err)
				}
			})
			if events != 2 || len(dead) != 1 {
				t.Fatalf("got %d events, %d dead letters", events, len(dead))
			}
			if d := dead[0]; d.Bytes < size || len(d.Raw) != 64<<10 || !strings.Contains(d.Reason, "longer than 1048576 bytes") {
				t.Errorf("got %d bytes, %d kept, %q", d.Bytes, len(d.Raw), d.Reason)
			}
			if peak > 32<<20 {
				t.Errorf("%d MB were allocated for a line of %d MB", peak>>20, size>>20)
			}
		})
	}
}

// watch returns how many bytes f allocated in all, which bounds what it held.
func watch(t *testing.T, f func()) uint64 {
	t.Helper()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// blank is a reader of n letters.
func blank(n int64) io.Reader { return io.LimitReader(letters{}, n) }

type letters struct{}

func (letters) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

func TestBombIsStopped(t *testing.T) {
	var b bytes.Buffer
	z, err := gzip.NewWriterLevel(&b, gzip.BestCompression)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(z, blank(300<<20)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	in := io.MultiReader(bytes.NewReader(zip(t, alertLine+"\n")), bytes.NewReader(b.Bytes()))
	sum, err := ingest.Read(t.Context(), in, ingest.Options{Mappers: formats(t), Now: ingesttest.Now},
		func(context.Context, []honeyguide.Event) error { return nil },
		func(context.Context, honeyguide.DeadLetter) error { return nil })
	if honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), "times as large") {
		t.Errorf("got %v", err)
	}
	if sum.Events != 1 {
		t.Errorf("what came before is lost: %+v", sum)
	}
}

func TestMaxBytes(t *testing.T) {
	in := strings.Repeat(alertLine+"\n", 100)
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), MaxBytes: int64(len(alertLine) * 10)}, []byte(in))
	if honeyguide.ErrorCode(res.Err) != honeyguide.CodeInvalid || !strings.Contains(res.Err.Error(), "split it") {
		t.Errorf("got %v", res.Err)
	}
}

func many(n int) string {
	var b strings.Builder
	for i := range n {
		fmt.Fprintf(&b, `{"id":"%d","timestamp":"2026-11-21T19:30:00Z","description":"x"}`+"\n", i)
	}
	return b.String()
}

func TestBatchesAndProgress(t *testing.T) {
	in := many(2500)
	last := int64(0)
	res := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Progress: func(n int64) {
		if n < last {
			t.Errorf("progress went back from %d to %d", last, n)
		}
		last = n
	}}, []byte(in))
	if fmt.Sprint(res.Batches) != "[1024 1024 452]" || last != int64(len(in)) || res.Summary.Bytes != last {
		t.Errorf("batches %v, progress %d of %d", res.Batches, last, len(in))
	}
}

func TestFailedStoreForgetsIDs(t *testing.T) {
	seen := ingest.NewSeen(1000)
	full := errors.New("disk full")
	read := func(fail error) (ingest.Summary, error) {
		return ingest.Read(t.Context(), strings.NewReader(many(10)), ingest.Options{Mappers: formats(t), Seen: seen, Now: ingesttest.Now},
			func(context.Context, []honeyguide.Event) error { return fail },
			func(context.Context, honeyguide.DeadLetter) error { return nil })
	}
	if sum, err := read(full); !errors.Is(err, full) || sum.Events != 0 {
		t.Errorf("got %+v, %v", sum, err)
	}
	if sum, err := read(nil); err != nil || sum.Events != 10 {
		t.Errorf("after a failure: %+v, %v", sum, err)
	}
	if sum, err := read(nil); err != nil || sum.Events != 0 || sum.Duplicates != 10 {
		t.Errorf("a third time: %+v, %v", sum, err)
	}
}

func TestEqualRecordsWithoutID(t *testing.T) {
	line := `{"timestamp":"2026-11-21T19:30:00Z","description":"the same"}` + "\n"
	first := ingesttest.Read(t, ingest.Options{Mappers: formats(t)}, []byte(strings.Repeat(line, 3)))
	again := ingesttest.Read(t, ingest.Options{Mappers: formats(t), Name: "copy"}, []byte(strings.Repeat(line, 3)))
	ids := map[string]bool{}
	for i, e := range first.Events {
		ids[e.ID] = true
		if again.Events[i].ID != e.ID {
			t.Errorf("event %d has another id the second time", i)
		}
	}
	if len(ids) != 3 {
		t.Errorf("three equal records give %d ids", len(ids))
	}
}

func TestErrorsEndTheReading(t *testing.T) {
	broke := errors.New("broken pipe")
	in := io.MultiReader(strings.NewReader(many(3)), iotest.ErrReader(broke))
	sum, err := ingest.Read(t.Context(), in, ingest.Options{Name: "f", Mappers: formats(t), Now: ingesttest.Now},
		func(context.Context, []honeyguide.Event) error { return nil },
		func(context.Context, honeyguide.DeadLetter) error { return nil })
	if !errors.Is(err, broke) || sum.Events != 3 {
		t.Errorf("got %+v, %v; want the three events and the error", sum, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err = ingest.Read(ctx, strings.NewReader(many(3)), ingest.Options{Mappers: formats(t)},
		func(ctx context.Context, _ []honeyguide.Event) error { return ctx.Err() },
		func(context.Context, honeyguide.DeadLetter) error { return nil })
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	lost := errors.New("no room")
	_, err = ingest.Read(t.Context(), strings.NewReader("{\n"), ingest.Options{Mappers: formats(t), Now: ingesttest.Now},
		func(context.Context, []honeyguide.Event) error { return nil },
		func(context.Context, honeyguide.DeadLetter) error { return lost })
	if !errors.Is(err, lost) {
		t.Errorf("got %v", err)
	}
}

// A megabyte of the smallest objects on one line takes a moment, not minutes:
// the limit is far above what linear reading needs.
func TestManyObjectsOnOneLine(t *testing.T) {
	in := alertLine + "\n" + strings.Repeat("{}", 400_000) + "\n"
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	n := 0
	_, err := ingest.Read(ctx, strings.NewReader(in), ingest.Options{Mappers: formats(t), Now: ingesttest.Now},
		func(context.Context, []honeyguide.Event) error { return nil },
		func(context.Context, honeyguide.DeadLetter) error { n++; return nil })
	if err != nil || n != 400_000 {
		t.Errorf("%v, %d", err, n)
	}
}

func TestFloodOfGarbageIsBounded(t *testing.T) {
	line := "{" + strings.Repeat("x", 600<<10) + "\n"
	kept, count := 0, 0
	_, err := ingest.Read(t.Context(), strings.NewReader(strings.Repeat(line, 1100)), ingest.Options{Mappers: formats(t), Now: ingesttest.Now},
		func(context.Context, []honeyguide.Event) error { return nil },
		func(_ context.Context, d honeyguide.DeadLetter) error {
			kept += len(d.Raw)
			count++
			return nil
		})
	if err != nil || count != 1100 || kept > 64<<20 {
		t.Errorf("%v: %d dead letters keep %d MB", err, count, kept>>20)
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{
		alertLine + "\n" + eveLine, "[" + wazuhLine + "]", "{\n\"a\":1\n}\n{\n", "a,b\n\"1\n2\",3\n", "[[{", "{\"a\":\"\\\"}\n{}", "\xef\xbb\xbf{}",
		"@cee:{", "a;b\n;\n\"", string(zip(f, alertLine)),
	} {
		f.Add([]byte(s), "auto")
		f.Add([]byte(s), "csv")
	}
	all := formats(f)
	f.Fuzz(func(t *testing.T, input []byte, format string) { ingesttest.Hostile(t, all, format, input) })
}
