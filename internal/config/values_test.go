package config

import (
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
