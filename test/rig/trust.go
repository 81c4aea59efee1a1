package rig

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// Size is how large a proof is made: what the environment variable of its row,
// HONEYGUIDE_TRUST_<ROW> with underscores, says, or otherwise as normal. A row that
// counts losses may be named without that word: KILL9 is KILL9_LOST.
func Size(t testing.TB, row string, normal int) int {
	t.Helper()
	name := "HONEYGUIDE_TRUST_" + strings.ToUpper(strings.ReplaceAll(row, "-", "_"))
	text := os.Getenv(name)
	if text == "" {
		return normal
	}
	n, err := strconv.Atoi(text)
	if err != nil || n < 1 {
		t.Fatalf("%s=%q: a number of at least 1 is expected", name, text)
	}
	return n
}
