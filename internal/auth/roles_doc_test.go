package auth

import (
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/reference/roles.md anew")

// TestRolesDoc compares the page about roles with the code.
func TestRolesDoc(t *testing.T) {
	var b strings.Builder
	b.WriteString("# Roles and permissions\n\nA user has one role, a key one role or scope. Each route of the API asks for one permission. This page is made from the code.\n\n")
	var scopes []Scope
	for _, s := range slices.Concat(people, Scopes()) {
		if !slices.Contains(scopes, s) {
			scopes = append(scopes, s)
		}
	}
	b.WriteString("| permission | lets |")
	for _, s := range scopes {
		fmt.Fprintf(&b, " %s |", s)
	}
	b.WriteString("\n|---|---|" + strings.Repeat("---|", len(scopes)) + "\n")
	for _, p := range Permissions() {
		fmt.Fprintf(&b, "| `%s` | %s |", p, Explain(p))
		for _, s := range scopes {
			fmt.Fprintf(&b, " %s |", map[bool]string{true: "yes", false: ""}[s.May(p)])
		}
		b.WriteString("\n")
	}
	b.WriteString("\nviewer, auditor, analyst, responder and admin are roles of people; keys may have them, too, and the other scopes besides. Roles of your own (`honeyguide roles add`) grant any of these permissions, and hold for users and keys. Nobody hands out a permission they do not have.\n" +
		"\nEverybody who is logged in, and every key, may ask `/me`. Roles named in `auth.second_factor` (responder and admin unless configured otherwise) may do nothing else before a second factor is set; with responder among them, that holds for each role of your own that may do more than an analyst.\n")
	const file = "../../docs/reference/roles.md"
	if *update {
		if err := os.WriteFile(file, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if have, err := os.ReadFile(file); err != nil || string(have) != b.String() {
		t.Errorf("docs/reference/roles.md is not what the code says (%v): go test ./internal/auth -run RolesDoc -update", err)
	}
}
