package config

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"honeyguide"
)

type secretive struct {
	Listen string            `yaml:"listen" doc:"where"`
	Key    honeyguide.Secret `yaml:"key" doc:"shared secret"`
	URL    string            `yaml:"url" doc:"where to"`
}

// Values name their origin, and show no secret: neither of a key that is one nor
// within a URL.
func TestValuesAreMasked(t *testing.T) {
	tree, err := Load(Options{
		Schema:  Schema{Sections: []Section{{Key: "door", Summary: "a door", Defaults: secretive{Listen: ":1"}}}},
		Environ: []string{"HONEYGUIDE_DOOR_KEY=hunter2hunter2", "HONEYGUIDE_DOOR_URL=https://eve:hunter2hunter2@example.test/x"},
	})
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]Value{}
	for _, v := range tree.Values() {
		seen[v.Path] = v
		if strings.Contains(v.Value+v.Default+v.Origin, "hunter2") {
			t.Errorf("%+v shows a secret", v)
		}
	}
	if v := seen["door.listen"]; v.Value != ":1" || v.Origin != "default" || v.Set || v.Doc != "where" {
		t.Errorf("%+v", v)
	}
	if v := seen["door.key"]; !v.Secret || !v.Set || v.Origin != "HONEYGUIDE_DOOR_KEY" {
		t.Errorf("%+v", v)
	}
	if v := seen["door.url"]; v.Value != "https://***@example.test/x" {
		t.Errorf("%+v", v)
	}
}

type guarded struct {
	Providers map[string]secretive `yaml:"providers"`
	List      []secretive          `yaml:"list"`
}

// A secret is masked wherever it stands: in a map, in a list, in an instance of
// another name, and below a key where nothing should stand.
func TestNestedValuesAreMasked(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.yaml")
	text := `
gate:
  providers: {corp: {listen: ":1", key: hunter2hunter2}}
  list: [{listen: ":2", key: hunter2hunter2}]
doors:
  back: {kind: door, key: hunter2hunter2}
  side: {kind: door, key: {wrong: hunter2hunter2}}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	tree, err := Load(Options{File: file, Schema: Schema{Sections: []Section{
		{Key: "gate", Summary: "a gate", Defaults: guarded{}},
		{Key: "doors", Summary: "doors", Instances: &Instances{Common: struct{}{}, Kinds: map[string]any{"door": secretive{}}}},
	}}})
	if err != nil {
		t.Fatal(err)
	}
	var shown bytes.Buffer
	if err := tree.Show(&shown, true); err != nil {
		t.Fatal(err)
	}
	for _, v := range tree.Values() {
		fmt.Fprintf(&shown, "%+v\n", v)
	}
	if text := shown.String(); strings.Contains(text, "hunter2") || strings.Count(text, "[masked]") < 8 || !strings.Contains(text, ":1") || !strings.Contains(text, ":2") {
		t.Error(text)
	}
}
