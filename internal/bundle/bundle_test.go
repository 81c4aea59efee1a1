package bundle

import (
	"archive/zip"
	"bytes"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/state"
)

// TestCollect makes a bundle and looks at it as others would: by our verifier,
// and by a program that knows ZIP.
func TestCollect(t *testing.T) {
	r := newRig(t)
	r.attack(300)
	b, text := r.collect()
	report := r.verify(text)
	if !report.Sound {
		t.Fatalf("it is not sound:\n%s", r.faults(text))
	}
	if report.ID != b.Manifest || report.Audit != b.Audit || report.SHA256 != b.SHA256 || report.Size != b.Size || report.Objects != b.Objects {
		t.Errorf("report %+v of %+v", report, b)
	}
	z, err := zip.NewReader(bytes.NewReader(text), int64(len(text)))
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]int64{}
	for _, f := range z.File {
		rc, err := f.Open()
		if err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, rc); err != nil {
			t.Errorf("%s: %v", f.Name, err)
		}
	}
	for _, it := range report.Manifest.Items {
		names[it.Name] = it.Records
	}
	for name, records := range map[string]int64{"events.jsonl": 300, "alerts.jsonl": 1, "recordings/session00001.cast": 0, "samples/" + r.sample + ".age": 0, "blocks.jsonl": 1, "configuration.yaml": 0, "incident.json": 0, custodyItem: 0} {
		if n, ok := names[name]; !ok || n != records {
			t.Errorf("%s: %d records (%v), want %d", name, n, ok, records)
		}
	}
	if m := report.Manifest.Missing; len(m) != 1 || m[0].Name != "firewall.json" {
		t.Errorf("missing %+v", m)
	}
	if bytes.Contains(text, []byte("ELF malware")) {
		t.Error("a sample is in clear")
	}
	for _, f := range z.File {
		if f.Name != indexName {
			continue
		}
		rc, _ := f.Open()
		page, _ := io.ReadAll(rc)
		if bytes.ContainsAny(page, "\x1b\x07") || bytes.Contains(page, []byte("<script>")) || bytes.Contains(page, []byte("<b>")) {
			t.Error("the page has what attackers wrote as it is")
		}
	}
	chain, err := r.Chain(t.Context(), "I-1")
	if err != nil || len(chain) != 1 || chain[0].Act != honeyguide.CustodyCollected || chain[0].Bundle != b.Manifest || chain[0].Audit != b.Audit {
		t.Errorf("chain %+v, %v", chain, err)
	}
}

// TestCollectTwice gives the same bytes for the same input, as far as it is the
// same: the second archive has the chain with the first in it.
func TestSameInputSameObjects(t *testing.T) {
	r := newRig(t)
	r.attack(50)
	one, _ := r.collect()
	two, _ := r.collect()
	read := func(b honeyguide.Bundle) map[string]string {
		f, err := r.Read(b)
		r.must(err)
		defer f.Close()
		m, err := Contents(f, b.Size)
		r.must(err)
		out := map[string]string{}
		for _, it := range m.Items {
			out[it.Name] = it.SHA256
		}
		return out
	}
	a, c := read(one), read(two)
	for name, sum := range a {
		if c[name] != sum && !strings.Contains(name, "custody.jsonl") {
			t.Errorf("%s differs", name)
		}
	}
	if a[custodyItem] == c[custodyItem] || len(a) != len(c) {
		t.Error("the second archive does not say that there is a first")
	}
}

// TestImport takes a bundle into another deployment, once.
func TestImport(t *testing.T) {
	r, other := newRig(t), newRig(t)
	r.attack(20)
	b, text := r.collect()
	got, err := other.Import(t.Context(), bytes.NewReader(text), Check{Key: r.trail.PublicKey()}, "handed over", anna)
	if err != nil {
		t.Fatal(err)
	}
	if got.Manifest != b.Manifest || got.Incident != "I-1" || got.Node != "edge-1" || !got.Imported || got.Short != "E-1" {
		t.Errorf("imported %+v", got)
	}
	if _, err := other.Import(t.Context(), bytes.NewReader(text), Check{}, "again", anna); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
		t.Errorf("imported twice: %v", err)
	}
	text[len(text)/2] ^= 1
	if _, err := other.Import(t.Context(), bytes.NewReader(text), Check{}, "spoilt", anna); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("imported what was changed: %v", err)
	}
	if _, err := other.Import(t.Context(), io.MultiReader(bytes.NewReader(text[:100]), failingReader{}), Check{}, "torn", anna); err == nil {
		t.Error("imported half")
	}
	files, err := os.ReadDir(filepath.Join(other.dir, "evidence"))
	if err != nil || len(files) != 1 {
		t.Errorf("left behind: %v, %v", files, err)
	}
	chain, err := other.Chain(t.Context(), "E-1")
	if err != nil || len(chain) != 1 || chain[0].Act != honeyguide.CustodyImported {
		t.Errorf("chain %+v, %v", chain, err)
	}
	report, err := other.Check(t.Context(), got, Check{})
	if err != nil || !report.Sound {
		t.Errorf("imported and not sound: %+v, %v", report, err)
	}
}

type failingReader struct{}

func (failingReader) Read([]byte) (int, error) { return 0, io.ErrUnexpectedEOF }

// TestCrash leaves halves behind and opens the room again.
func TestCrash(t *testing.T) {
	r := newRig(t)
	r.attack(5)
	b, _ := r.collect()
	dir := filepath.Join(r.dir, "evidence")
	r.must(os.Mkdir(filepath.Join(dir, stagePrefix+"1"), 0o700))
	r.must(os.WriteFile(filepath.Join(dir, "x.zip"), []byte("half"), 0o600))
	r.must(os.WriteFile(filepath.Join(dir, "x.zip.part"), []byte("half"), 0o600))
	half := honeyguide.Bundle{ID: "half", State: honeyguide.BundleCollecting, Incident: "I-1"}
	r.must(r.store.Update(t.Context(), func(tx state.Tx) error { return tx.Bundles().Save(t.Context(), &half) }))
	r.must(os.WriteFile(filepath.Join(dir, "half.zip"), []byte("half"), 0o600))
	r.open()
	var left []string
	files, err := os.ReadDir(dir)
	r.must(err)
	for _, f := range files {
		left = append(left, f.Name())
	}
	want := []string{b.ID + archiveEnd, "x.zip"} // of what the state does not know nothing is lost
	if slices.Sort(want); !slices.Equal(left, want) {
		t.Errorf("after a crash: %v, want %v", left, want)
	}
	if got, err := r.Get(t.Context(), "half"); err != nil || got.State != honeyguide.BundleFailed {
		t.Errorf("the half made one: %+v, %v", got, err)
	}
}
