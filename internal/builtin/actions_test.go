package builtin_test

import (
	"os"
	"reflect"
	"strings"
	"testing"

	"honeyguide/internal/builtin"
)

// TestActionsAreDocumented looks for every kind and every setting of it in the
// reference, in the kind's own section.
func TestActionsAreDocumented(t *testing.T) {
	raw, err := os.ReadFile("../../docs/reference/actions.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, k := range builtin.Actions() {
		_, section, ok := strings.Cut(string(raw), "\n### "+k.Name+"\n")
		if !ok {
			t.Errorf("docs/reference/actions.md has no section %q", k.Name)
			continue
		}
		section, _, _ = strings.Cut(section, "\n#")
		for f := range reflect.TypeOf(k.Defaults).Fields() {
			name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
			if name != "" && !strings.Contains(section, "`"+name+"`") {
				t.Errorf("docs/reference/actions.md: section %s does not tell of %s", k.Name, name)
			}
		}
	}
}
