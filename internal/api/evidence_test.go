package api

import (
	"archive/zip"
	"bytes"
	"context"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/bundle"
	"honeyguide/internal/client"
)

// collect makes E-1 of I-1.
func (r *rig) collect() honeyguide.Bundle {
	r.t.Helper()
	ctx, stop := context.WithCancel(r.t.Context())
	var wg sync.WaitGroup
	wg.Go(func() { _ = r.dep.Evidence.Run(ctx) })
	defer func() { stop(); wg.Wait() }()
	b, err := r.dep.Evidence.Collect(r.t.Context(), "I-1", "a test", nil, bundle.Actor{Name: "zoe", Kind: "user"}, time.Minute)
	if err != nil || b.State != honeyguide.BundleReady {
		r.t.Fatalf("%+v, %v", b, err)
	}
	return b
}

// TestEvidence hands an archive out in each form, takes it in elsewhere, and
// finds all of that in the chain of custody.
func TestEvidence(t *testing.T) {
	t.Parallel()
	r, other := newRig(t), newRig(t)
	r.fill()
	b := r.collect()
	key := r.keyOf("frank", auth.ScopeResponder)
	w := r.call(http.MethodGet, "/api/v1/evidence/E-1/content?reason=court", key, nil)
	archive := w.Body.Bytes()
	if w.Code != http.StatusOK || int64(len(archive)) != b.Size {
		t.Fatalf("content: %d, %d bytes of %d", w.Code, len(archive), b.Size)
	}
	for name, want := range map[string]string{
		"X-Content-Type-Options": "nosniff", "Content-Security-Policy": "sandbox; default-src 'none'", "Content-Disposition": `attachment; filename="I-1-E-1.zip"`,
		"Content-Type": "application/octet-stream",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	report, err := bundle.Verify(t.Context(), bytes.NewReader(archive), b.Size, bundle.Check{Key: r.dep.Trail.PublicKey()})
	if err != nil || !report.Sound {
		t.Errorf("what was handed out is not sound: %+v, %v", report, err)
	}
	w = r.call(http.MethodPost, "/api/v1/evidence/E-1/handover", key, nil)
	if z, err := zip.NewReader(bytes.NewReader(w.Body.Bytes()), int64(w.Body.Len())); err != nil || len(z.File) != 1 || w.Header().Get(client.PasswordHeader) == "" {
		t.Errorf("hand-over: %d, %v", w.Code, err)
	}
	if got := get[client.Page[client.EvidenceItem]](r, "/api/v1/evidence/E-1/items"); len(got.Items) < 10 {
		t.Errorf("%d items", len(got.Items))
	}
	if w := r.call(http.MethodGet, "/api/v1/evidence/E-1/item?name=incident.json", key, nil); w.Code != http.StatusOK || !strings.Contains(w.Body.String(), `"short": "I-1"`) {
		t.Errorf("item: %d %.200s", w.Code, w.Body)
	}
	if got := postTo[client.EvidenceReport](r, "/api/v1/evidence/E-1/verify", `{}`, http.StatusOK); !got.Sound || got.Manifest != b.Manifest {
		t.Errorf("verified: %+v", got)
	}
	r.chainIs("/api/v1/incidents/I-1/custody", "collected", "exported", "exported", "viewed", "viewed", "verified")
	w = other.call(http.MethodPost, "/api/v1/evidence/import?reason=handed", bootstrap, bytes.NewReader(archive))
	if w.Code != http.StatusOK {
		t.Fatalf("import: %d %s", w.Code, w.Body)
	}
	other.chainIs("/api/v1/evidence/E-1/custody", "imported")
	archive[len(archive)/2] ^= 4
	if w := other.call(http.MethodPost, "/api/v1/evidence/import", bootstrap, bytes.NewReader(archive)); w.Code != http.StatusUnprocessableEntity && w.Code != http.StatusBadRequest {
		t.Errorf("import of what was changed: %d %s", w.Code, w.Body)
	}
}

func (r *rig) chainIs(path string, want ...string) {
	r.t.Helper()
	var got []string
	for _, s := range get[client.Page[honeyguide.CustodyStep]](r, path).Items {
		got = append(got, s.Act)
		if s.Audit < 0 {
			r.t.Errorf("step %d has no entry of the audit log", s.N)
		}
	}
	if strings.Join(got, " ") != strings.Join(want, " ") {
		r.t.Errorf("chain %v, want %v", got, want)
	}
}

// TestHolds places and releases holds, and shows them.
func TestHolds(t *testing.T) {
	t.Parallel()
	r := newRig(t)
	r.fill()
	made := postTo[honeyguide.Hold](r, "/api/v1/holds", `{"object":"incident:i-1","reason":"court"}`, http.StatusOK)
	if made.Object != "incident:I-1" || made.By != "bootstrap" {
		t.Errorf("placed %+v", made)
	}
	for body, want := range map[string]int{
		`{"object":"incident:I-99","reason":"x"}`: http.StatusNotFound, `{"object":"file:x","reason":"x"}`: http.StatusUnprocessableEntity,
		`{"object":"incident:I-1","reason":" "}`: http.StatusUnprocessableEntity, `{"object":"attacker:1.2.3","reason":"x"}`: http.StatusUnprocessableEntity,
		`{"object":"session:s1","reason":"x","until":"2001-01-01T00:00:00Z"}`: http.StatusUnprocessableEntity,
	} {
		if w := r.call(http.MethodPost, "/api/v1/holds", bootstrap, strings.NewReader(body)); w.Code != want && w.Code != http.StatusBadRequest {
			t.Errorf("%s: %d %s", body, w.Code, w.Body)
		}
	}
	if got := get[client.Page[honeyguide.Hold]](r, "/api/v1/holds?active=true&object=incident:I-1"); len(got.Items) != 1 {
		t.Errorf("holds %+v", got.Items)
	}
	over := postTo[honeyguide.Hold](r, "/api/v1/holds/"+made.Short+"/release", `{"reason":"closed"}`, http.StatusOK)
	if over.ReleasedBy != "bootstrap" || over.Released.IsZero() {
		t.Errorf("released %+v", over)
	}
	if w := r.call(http.MethodPost, "/api/v1/holds/"+made.Short+"/release", bootstrap, strings.NewReader(`{"reason":"again"}`)); w.Code != http.StatusConflict {
		t.Errorf("released twice: %d", w.Code)
	}
	r.chainIs("/api/v1/incidents/I-1/custody", "hold_placed", "hold_released")
	for i := range 4 {
		postTo[honeyguide.Hold](r, "/api/v1/holds", fmt.Sprintf(`{"object":"attacker:203.0.113.%d","reason":"court"}`, i), http.StatusOK)
	}
	var names []string
	for after := ""; ; {
		p := get[client.Page[honeyguide.Hold]](r, "/api/v1/holds?limit=2&after="+after)
		for _, h := range p.Items {
			names = append(names, h.Short)
		}
		if after = p.Next; after == "" {
			break
		}
	}
	if got := strings.Join(names, " "); got != "H-6 H-5 H-4 H-3 H-2 H-1" {
		t.Errorf("holds page by page: %s", got)
	}
	if w := r.call(http.MethodGet, "/api/v1/holds?after=x", bootstrap, nil); w.Code != http.StatusBadRequest && w.Code != http.StatusUnprocessableEntity {
		t.Errorf("a cursor that is none: %d", w.Code)
	}
}
