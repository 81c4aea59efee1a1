package ingesttest

import (
	"bytes"
	"compress/gzip"
	"context"
	"fmt"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/ingest"
)

// LinePromises checks what holds for every mapper of text, on good records of its
// product, one line each.
func LinePromises(t *testing.T, formats []ingest.Format, format string, records ...string) {
	t.Helper()
	plain := strings.Join(records, "\n")
	opts := func() ingest.Options { return ingest.Options{Mappers: formats, Format: format} }
	want := Read(t, opts(), []byte(plain+"\n"))
	if want.Err != nil || len(want.Dead) > 0 || len(want.Events) == 0 {
		t.Fatalf("the records are not good: %v, dead %v", want.Err, want.Dead)
	}
	var zipped bytes.Buffer
	z := gzip.NewWriter(&zipped)
	if _, err := z.Write([]byte(plain)); err != nil {
		t.Fatal(err)
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	for name, input := range map[string]string{
		"no last line break": plain,
		"CRLF":               strings.Join(records, "\r\n") + "\r\n",
		"BOM":                "\xef\xbb\xbf" + plain,
		"blank lines":        "\n\n" + strings.Join(records, "\n\n  \n") + "\n\n",
		"gzip":               zipped.String(),
	} {
		t.Run(name, func(t *testing.T) { same(t, Read(t, opts(), []byte(input)), want) })
	}
	t.Run("auto", func(t *testing.T) {
		o := opts()
		o.Format = ingest.FormatAuto
		same(t, Read(t, o, []byte(plain)), want)
	})
	t.Run("again", func(t *testing.T) {
		o := opts()
		o.Seen = ingest.NewSeen(1 << 16)
		Read(t, o, []byte(plain))
		res := Read(t, o, []byte(plain))
		if len(res.Events) != 0 || res.Summary.Duplicates+drops(res) != res.Summary.Records {
			t.Errorf("the same input again gives %d events, summary %+v", len(res.Events), res.Summary)
		}
	})
	t.Run("hostile lines between", func(t *testing.T) {
		res := Read(t, opts(), []byte(strings.Join(records, "\n"+strings.Join(hostileLines, "\n")+"\n")))
		if res.Err != nil {
			t.Fatal(res.Err)
		}
		known := map[string]bool{}
		for _, e := range res.Events {
			known[e.ID] = true
		}
		for _, e := range want.Events {
			if !known[e.ID] {
				t.Errorf("an event got lost between hostile lines: %s", e.Raw)
			}
		}
		balanced(t, res)
	})
}

// hostileLines are lines no product writes, or only half.
var hostileLines = []string{
	"<html><body>502 Bad Gateway</body></html>", "{\"cut\":", "\x00\x01\x02\xff\xfe", "<34>", "<999>Nov 21 19:30:00 ", "Nov 21",
	"Feb 30 25:61:61 host sshd[9]: x", "CEF:0|", "LEEF:2.0|a", "type=SYSCALL msg=audit(", strings.Repeat("<", 5000), strings.Repeat("a=b ", 5000),
	"<34>1 - - - - - [a b=\"c", "\u202eevil", "=,=,=|||", "- - - [", "192.0.2.1 - - [21/Nov/2026:19:30:00 +0000] \"",
}

// LineBenchmark reads lines made of format, which takes one number, and reports
// records a second.
func LineBenchmark(b *testing.B, formats []ingest.Format, name, format string) {
	const n = 20_000
	var input bytes.Buffer
	for i := range n {
		fmt.Fprintf(&input, format+"\n", i)
	}
	b.SetBytes(int64(input.Len()))
	b.ReportAllocs()
	for b.Loop() {
		sum, err := ingest.Read(b.Context(), bytes.NewReader(input.Bytes()), ingest.Options{Name: "bench", Format: name, Mappers: formats, Now: Now},
			func(context.Context, []honeyguide.Event) error { return nil },
			func(_ context.Context, d honeyguide.DeadLetter) error { return fmt.Errorf("dead: %s", d.Reason) })
		if err != nil || sum.Events != n {
			b.Fatalf("%v, %+v", err, sum)
		}
	}
	b.ReportMetric(n*float64(b.N)/b.Elapsed().Seconds(), "records/s")
}
