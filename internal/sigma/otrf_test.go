package sigma

import (
	"archive/zip"
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// recordings are those of Windows.
var recordings = []string{"empire_psexec_dcerpc_tcp_svcctl", "cmd_bitsadmin_download_psh_script"}

// recording reads the Windows events of one of the OTRF recordings, flat JSON
// lines, from the shared corpus.
func recording(t testing.TB, name string) []*Record {
	t.Helper()
	var z *zip.ReadCloser
	var err error
	for _, up := range []string{"../../..", "../../../.."} { // a checkout, or one of its work trees
		if z, err = zip.OpenReader(filepath.Join(up, "shared/corpus/soc/otrf", name+".zip")); err == nil {
			break
		}
	}
	if err != nil {
		t.Skipf("the recordings are not here: %v", err)
	}
	defer z.Close()
	var out []*Record
	for _, f := range z.File {
		r, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		out = append(out, flatRecords(t, r)...)
		r.Close()
	}
	return out
}

func flatRecords(t testing.TB, in io.Reader) []*Record {
	t.Helper()
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, 1<<20)
	var out []*Record
	for lines.Scan() {
		dec := json.NewDecoder(strings.NewReader(lines.Text()))
		dec.UseNumber()
		var o obj
		if err := dec.Decode(&o); err != nil {
			t.Fatal(err)
		}
		out = append(out, flatRecord(o, len(out)))
	}
	return out
}

func flatRecord(o obj, n int) *Record {
	r := &Record{ID: fmt.Sprint(n)}
	id := 0
	fmt.Sscan(fmt.Sprint(o["EventID"]), &id)
	for k, v := range o {
		switch v := v.(type) {
		case nil:
			r.Fields = append(r.Fields, Field{Name: k, Null: true})
		case obj, []any:
		default:
			r.Fields = append(r.Fields, Field{Name: k, Text: fmt.Sprint(v)})
			if a := WindowsAliases[k]; a != "" && id == 4688 {
				r.Fields = append(r.Fields, Field{Name: a, Text: fmt.Sprint(v)})
			}
		}
	}
	if at, ok := o["@timestamp"].(string); ok {
		r.Time, _ = time.Parse(time.RFC3339Nano, at)
	}
	r.Sources = WindowsSources(fmt.Sprint(o["Channel"]), id)
	return r
}

// windowsSet are the public rules for Windows.
func windowsSet(t testing.TB) *Ruleset {
	set := publicSet(t)
	out := &Ruleset{}
	for _, r := range set.Rules {
		if r.Logsource.Product == "windows" {
			out.Rules = append(out.Rules, r)
		}
	}
	return out
}

func BenchmarkPublicWindows(b *testing.B) {
	for _, name := range recordings {
		b.Run(name, func(b *testing.B) {
			recs := recording(b, name)
			e, _ := NewEngine(windowsSet(b))
			s := e.NewScratch()
			var hits []*Rule
			n := 0
			for _, r := range recs {
				hits = e.Match(s, r, hits[:0])
				n += len(hits)
			}
			b.ReportAllocs()
			b.ResetTimer()
			began := cpuTime()
			for i := range b.N {
				hits = e.Match(s, recs[i%len(recs)], hits[:0])
			}
			b.ReportMetric(float64(b.N)/(cpuTime()-began).Seconds(), "events/cpu-s")
			b.ReportMetric(float64(n), "hits")
		})
	}
}

func BenchmarkPublicLoad(b *testing.B) {
	files := ruleFiles(b, gateFolders)
	b.ReportAllocs()
	for b.Loop() {
		NewEngine(loadFiles(files, nil))
	}
}
