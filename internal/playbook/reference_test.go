package playbook

import (
	"flag"
	"fmt"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write the tables of docs/reference/playbooks.md anew")

// TestReference holds the documentation to the code: each name an expression may
// use stands in it, with its type.
func TestReference(t *testing.T) {
	const path = "../../docs/reference/playbooks.md"
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	text := string(raw)
	for name, table := range map[string]string{
		"incident": fieldsTable(incidentFields), "alerts": fieldsTable(alertFields), "others": fieldsTable(slices.Concat(otherFields, assetFields)),
		"summary": fieldsTable(summaryFields), "alert": partsTable(reflect.TypeFor[alertView]()), "step": partsTable(reflect.TypeFor[stepView]()),
	} {
		begin, end := "<!-- "+name+" -->\n", "<!-- /"+name+" -->"
		i, j := strings.Index(text, begin), strings.Index(text, end)
		if i < 0 || j < i {
			t.Fatalf("no place for the table %s", name)
		}
		if got := text[i+len(begin) : j]; got != table && !*update {
			t.Errorf("the table %s is not what the code says; look at the difference, then `go test ./internal/playbook -run Reference -update`", name)
		}
		text = text[:i+len(begin)] + table + text[j:]
	}
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, name := range allowed {
		if !strings.Contains(text, "`"+name+"(") {
			t.Errorf("the function %s is not documented", name)
		}
	}
}

func fieldsTable(list []field) string {
	var b strings.Builder
	b.WriteString("| field | type | |\n|---|---|---|\n")
	for _, f := range list {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", f.name, reword(reflect.TypeOf(f.like).String()), f.doc)
	}
	return b.String()
}

func partsTable(t reflect.Type) string {
	var b strings.Builder
	b.WriteString("| part | type | |\n|---|---|---|\n")
	for f := range t.Fields() {
		fmt.Fprintf(&b, "| `.%s` | %s | %s |\n", f.Tag.Get("expr"), reword(f.Type.String()), f.Tag.Get("doc"))
	}
	return b.String()
}
