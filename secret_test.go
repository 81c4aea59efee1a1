package honeyguide_test

import (
	"bytes"
	"encoding/base64"
	"encoding/gob"
	"encoding/hex"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"go/ast"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

const canary = honeyguide.Secret("CANARY-5cfe0f7b")

type holder struct {
	Name   string                       `xml:"name" json:"name" yaml:"name"`
	Secret honeyguide.Secret            `xml:"secret" json:"secret" yaml:"secret"`
	Attr   honeyguide.Secret            `xml:"attr,attr" json:"attr" yaml:"attr"`
	List   []honeyguide.Secret          `xml:"list" json:"list" yaml:"list"`
	Map    map[string]honeyguide.Secret `xml:"-" json:"map" yaml:"map"`
}

type veiled struct {
	honeyguide.Veil
	key honeyguide.Secret
}

func showsCanary(text string) bool {
	raw := canary.Reveal()
	for _, form := range []string{raw, hex.EncodeToString([]byte(raw)), strings.ToUpper(hex.EncodeToString([]byte(raw))), base64.StdEncoding.EncodeToString([]byte(raw))[:16]} {
		if strings.Contains(text, form) {
			return true
		}
	}
	return false
}

func TestSecretMasksItself(t *testing.T) {
	h := holder{"n", canary, canary, []honeyguide.Secret{canary}, map[string]honeyguide.Secret{"a": canary}}
	one := canary
	var shown []string
	for _, verb := range strings.Fields("%v %+v %#v %s %q %+q %#q %x %X %# x %d %o %U %c %t %e %10.3s %-40v %T") {
		for _, v := range []any{canary, &one, h, &h, []honeyguide.Secret{canary}, [1]honeyguide.Secret{canary}, map[honeyguide.Secret]int{canary: 1}, veiled{key: canary}, &veiled{key: canary}, []veiled{{key: canary}}} {
			shown = append(shown, fmt.Sprintf(verb, v))
		}
	}
	err := fmt.Errorf("open %v: %w", canary, errors.New(fmt.Sprint(canary)))
	shown = append(shown, err.Error(), fmt.Sprint(h), fmt.Sprintln(&h), canary.String(), canary.GoString())
	for _, f := range []func(any) ([]byte, error){json.Marshal, xml.Marshal, yaml.Marshal} {
		raw, err := f(h)
		if err != nil {
			t.Error(err)
		}
		shown = append(shown, string(raw))
	}
	var buf bytes.Buffer
	if err := gob.NewEncoder(&buf).Encode(h); err != nil {
		t.Error(err)
	}
	shown = append(shown, buf.String())
	buf.Reset()
	for _, l := range []*slog.Logger{slog.New(slog.NewTextHandler(&buf, nil)), slog.New(slog.NewJSONHandler(&buf, nil))} {
		l.Info("m", "k", canary, "h", h, "p", &h, "list", []honeyguide.Secret{canary}, "v", veiled{key: canary}, "e", err, slog.Group("g", "k", canary))
	}
	shown = append(shown, buf.String())
	for _, text := range shown {
		if showsCanary(text) {
			t.Errorf("shown: %q", text)
		}
	}
	if !showsCanary(canary.Reveal()) || !showsCanary(fmt.Sprintf("%x", canary.Reveal())) {
		t.Error("the search finds nothing")
	}
	if got := fmt.Sprintf("%v|%q", honeyguide.Secret(""), honeyguide.Secret("")); got != `|""` {
		t.Errorf("no secret is shown as %s", got)
	}
}

// A panic prints its value before anybody can mask it.
func TestSecretInPanic(t *testing.T) {
	if os.Getenv("HONEYGUIDE_PANIC") != "" {
		panic(canary)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestSecretInPanic$")
	cmd.Env = append(os.Environ(), "HONEYGUIDE_PANIC=1", "GOTRACEBACK=all")
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(string(out), "[masked]") || showsCanary(string(out)) {
		t.Errorf("%v: %s", err, out)
	}
}

// TestHiddenSecretsAreVeiled finds structs with a secret in a field that is not
// exported: package fmt would show it, so they have to format themselves.
func TestHiddenSecretsAreVeiled(t *testing.T) {
	for _, f := range parse(t) {
		if f.Test {
			continue
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			st, ok := n.(*ast.StructType)
			if !ok {
				return true
			}
			veiled, hidden := false, ""
			for _, field := range st.Fields.List {
				if sel, ok := field.Type.(*ast.SelectorExpr); ok && len(field.Names) == 0 && sel.Sel.Name == "Veil" {
					veiled = true
				}
				if !holdsSecret(field.Type) {
					continue
				}
				for _, name := range field.Names {
					if !name.IsExported() {
						hidden = name.Name
					}
				}
			}
			if hidden != "" && !veiled {
				t.Errorf("%s: field %s holds a secret that package fmt would show; embed honeyguide.Veil", f.Pos(st), hidden)
			}
			return true
		})
	}
}

func holdsSecret(e ast.Expr) bool {
	found := false
	ast.Inspect(e, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && sel.Sel.Name == "Secret" {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == "honeyguide" {
				found = true
			}
		}
		return !found
	})
	return found
}
