package api

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"honeyguide"
	"honeyguide/internal/client"
)

const sampleID = "5891b5b522d5df086d0ff0b110fbd9d21bb4fc7163af34d08286a2e846f6be03"

// oneSample keeps the sample of these tests.
type oneSample struct{}

func (oneSample) open(id, content string) (io.ReadCloser, error) {
	if id != sampleID {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "the content is not kept"}
	}
	return io.NopCloser(strings.NewReader(content)), nil
}

func (s oneSample) Content(id string) (io.ReadCloser, error) { return s.open(id, "\x7fELF<script>") }

func (s oneSample) Sealed(id string) (io.ReadCloser, error) {
	return s.open(id, "age-encryption.org/v1")
}

func TestSamples(t *testing.T) {
	r := newRig(t)
	r.fill()
	for path, want := range map[string]int{"/samples": 1, "/samples?type=elf": 1, "/samples?type=script": 0, "/samples?session=s1": 1, "/samples?session=s2": 0} {
		if got := get[client.Page[honeyguide.Sample]](r, base+path); len(got.Items) != want {
			t.Errorf("%s: %d samples, want %d", path, len(got.Items), want)
		}
	}
	if s := get[honeyguide.Sample](r, base+"/samples/"+sampleID[:8]); s.ID != sampleID || s.Count != 1 {
		t.Errorf("sample %+v", s)
	}
	if s := get[client.Page[honeyguide.Sighting]](r, base+"/samples/"+sampleID+"/sightings"); len(s.Items) != 1 || s.Items[0].Path != "/tmp/x" {
		t.Errorf("sightings %+v", s)
	}
	for _, path := range []string{"/samples/" + sampleID[:7], "/samples/nothing", "/samples/" + strings.Repeat("0", 64) + "/content"} {
		if w := r.call(http.MethodGet, base+path, bootstrap, nil); w.Code != http.StatusNotFound {
			t.Errorf("%s: %d", path, w.Code)
		}
	}
}

// TestSampleContent: content leaves as an attachment nothing opens by itself,
// and encrypted unless asked otherwise.
func TestSampleContent(t *testing.T) {
	r := newRig(t)
	r.fill()
	for query, want := range map[string][2]string{"": {"age-encryption.org/v1", ".age"}, "?form=sealed": {"age-encryption.org/v1", ".age"}, "?form=raw": {"\x7fELF<script>", ".sample"}} {
		w := r.call(http.MethodGet, base+"/samples/"+sampleID+"/content"+query, bootstrap, nil)
		if w.Code != http.StatusOK || w.Body.String() != want[0] {
			t.Errorf("%q: %d %q", query, w.Code, w.Body)
		}
		for name, value := range map[string]string{
			"Content-Type": "application/octet-stream", "X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'",
			"Content-Disposition": `attachment; filename="` + sampleID + want[1] + `"`, "Cache-Control": "no-store",
		} {
			if got := w.Header().Get(name); got != value {
				t.Errorf("%q: %s is %q", query, name, got)
			}
		}
	}
	if w := r.call(http.MethodGet, base+"/samples/"+sampleID+"/content?form=exe", bootstrap, nil); w.Code == http.StatusOK {
		t.Error("a form that is none is served")
	}
}

func TestTyping(t *testing.T) {
	cast := `{"version":3}` + "\n" + `[0.1, "r", "80x24"]` + "\n" + `[0.5, "i", "id\r"]` + "\n"
	r := newRig(t, func(d *Deps) {
		d.Recording = func(string) (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(cast)), nil }
	})
	r.fill()
	if got := get[map[string]any](r, base+"/sessions/s1/typing"); got["keys"] != 3.0 || got["verdict"] != "unknown" {
		t.Errorf("typing %v", got)
	}
}
