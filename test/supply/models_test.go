package supply

import (
	"go/ast"
	"regexp"
	"strings"
	"testing"

	"honeyguide/internal/archtest"
)

// speaks are the words of settings, modules and addresses by which a language model
// would come into the product.
var speaks = regexp.MustCompile(`(?i)\b(llm|gpt|openai|anthropic|claude|mistral|gemini|ollama|llama|huggingface|cohere|bedrock|vertexai)\b|api\.(openai|anthropic|mistral|cohere)\.|generativelanguage\.|prompt_template|system_prompt`)

// TestNoModel holds what rows 17 to 20 of the threat model say: nothing in the
// product speaks to a language model, so that there is nothing to instruct, nothing
// to carry data out through, and no cost to run up. Whoever adds one meets this
// test, and has to say in those rows what stops it then.
func TestNoModel(t *testing.T) {
	files, err := archtest.Files(root)
	if err != nil {
		t.Fatal(err)
	}
	looked := 0
	for _, f := range files {
		if f.Test || !strings.HasPrefix(f.Dir, "internal/") && !strings.HasPrefix(f.Dir, "cmd/") {
			continue
		}
		looked++
		for _, p := range f.Imports {
			if word := speaks.FindString(p); word != "" {
				t.Errorf("%s imports %s", f.Path, p)
			}
		}
		if strings.HasPrefix(f.Dir, "internal/deception") || strings.HasPrefix(f.Dir, "internal/detect") || strings.HasPrefix(f.Dir, "internal/sensor") {
			continue // what attackers look for, and what decoys show, may be called so
		}
		ast.Inspect(f.Syntax, func(n ast.Node) bool {
			if lit, ok := n.(*ast.BasicLit); ok {
				if word := speaks.FindString(lit.Value); word != "" {
					t.Errorf("%s: %q", f.Pos(lit), word)
				}
			}
			return true
		})
	}
	for _, page := range []string{"go.mod", "docs/reference/configuration.md", "docs/reference/honeyguide.schema.json"} {
		if word := speaks.FindString(read(t, page)); word != "" {
			t.Errorf("%s: %q", page, word)
		}
	}
	if looked < 500 {
		t.Errorf("only %d files were looked at", looked)
	}
	for _, planted := range []string{`"https://api.openai.com/v1/chat"`, "github.com/ollama/ollama/api", "llm.endpoint"} {
		if !speaks.MatchString(planted) {
			t.Errorf("%q is not noticed: the search proves nothing", planted)
		}
	}
}
