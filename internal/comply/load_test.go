package comply

import (
	"slices"
	"testing"
)

// Everything that is shipped fits together, and no framework is missing.
func TestShelf(t *testing.T) {
	lib, err := shelf()
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range lib.frameworks {
		names = append(names, f.ID)
	}
	want := Names()
	slices.Sort(want)
	if !slices.Equal(names, want) {
		t.Errorf("frameworks %v, want %v", names, want)
	}
}
