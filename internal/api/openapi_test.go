package api

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/reference/openapi.json anew")

// TestOpenAPI holds the description against the committed one, so that a change
// of the API is seen in review.
func TestOpenAPI(t *testing.T) {
	r := newRig(t)
	doc, err := OpenAPI(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join("..", "..", "docs", "reference", "openapi.json")
	if *update {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, doc, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(doc, want) {
		t.Error("the API is not what docs/reference/openapi.json says; look at the difference, then `go test ./internal/api -update`")
	}
	if got := r.call("GET", "/api/v1/openapi.json", bootstrap, nil); !bytes.Equal(got.Body.Bytes(), doc) {
		t.Error("the served description is another one")
	}
}

// Every route of the API is described, and says that it wants a key.
func TestOpenAPIIsComplete(t *testing.T) {
	r := newRig(t)
	s, err := build(r.dep)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := s.document()
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Paths map[string]map[string]struct {
			OperationID string                     `json:"operationId"`
			Responses   map[string]json.RawMessage `json:"responses"`
		} `json:"paths"`
		Components struct {
			Schemas map[string]json.RawMessage `json:"schemas"`
		} `json:"components"`
		Security []map[string][]string `json:"security"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	form := regexp.MustCompile(`^[A-Za-z0-9._-]+$`) // of the names of components
	for name := range doc.Components.Schemas {
		if !form.MatchString(name) {
			t.Errorf("schema %q: no name of OpenAPI", name)
		}
	}
	if len(doc.Components.Schemas) < 100 {
		t.Errorf("%d schemas", len(doc.Components.Schemas))
	}
	if len(doc.Security) != 2 { // a key or a login
		t.Errorf("security %v", doc.Security)
	}
	for _, pattern := range s.router.patterns {
		method, path, _ := strings.Cut(pattern, " ")
		if !strings.HasPrefix(path, base) || strings.HasSuffix(path, "openapi.json") {
			continue
		}
		o := doc.Paths[path][strings.ToLower(method)]
		if o.OperationID == "" || len(o.Responses) < 2 {
			t.Errorf("%s is not described: %+v", pattern, o)
		}
	}
	if bytes.Contains(raw, []byte(`"null"`)) {
		t.Error("something may be null")
	}
}
