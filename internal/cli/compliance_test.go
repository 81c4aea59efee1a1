package cli

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/comply"
)

var (
	verb    = regexp.MustCompile(`honeyguide ([a-z-]+)(?: ([a-z-]+))?`)
	docFile = regexp.MustCompile(`docs/[a-z0-9/-]+\.md`)
)

// What a report tells people to type can be typed, and what it tells them to read
// is there.
func TestMendsExist(t *testing.T) {
	root := (&command{}).root()
	frameworks, err := comply.Frameworks()
	if err != nil {
		t.Fatal(err)
	}
	words := map[string]bool{}
	for _, fw := range frameworks {
		r, err := comply.Assess(fw, comply.NewFacts(time.Time{}, time.Time{}), "test")
		if err != nil {
			t.Fatal(err)
		}
		for _, g := range r.Gaps {
			words[g.Mend] = true
		}
		for i := range r.Rows {
			for _, e := range r.Rows[i].Evidence {
				if e.Kind == "doc" {
					words[e.Ref] = true
				}
			}
		}
	}
	for text := range words {
		for _, m := range verb.FindAllStringSubmatch(text, -1) {
			cmd := under(root, m[1])
			if cmd == nil {
				t.Errorf("%q: there is no honeyguide %s", text, m[1])
				continue
			}
			// A word behind a command that has none below it is prose.
			if m[2] != "" && cmd.HasSubCommands() && under(cmd, m[2]) == nil && !prose[m[2]] {
				t.Errorf("%q: there is no honeyguide %s %s", text, m[1], m[2])
			}
		}
		for _, name := range docFile.FindAllString(text, -1) {
			if _, err := os.Stat(filepath.Join("../..", name)); err != nil {
				t.Errorf("%q: %v", strings.TrimSpace(text), err)
			}
		}
	}
}

// prose are words that follow a command in a sentence.
var prose = map[string]bool{"says": true, "prints": true, "into": true, "by": true}

func under(cmd *cobra.Command, name string) *cobra.Command {
	for _, c := range cmd.Commands() {
		if c.Name() == name {
			return c
		}
	}
	return nil
}
