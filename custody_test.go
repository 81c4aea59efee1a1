package honeyguide

import (
	"slices"
	"testing"
	"time"
)

// A step follows from the one before, and from no other.
func TestCustodyFollows(t *testing.T) {
	var chain []CustodyStep
	for n := range int64(3) {
		s := CustodyStep{Incident: "I-1", N: n + 1, At: time.Date(2026, 3, 1, 12, int(n), 0, 0, time.UTC), Act: CustodyExported, By: "ada"}
		if n > 0 {
			s.Prev = chain[n-1].Hash
		}
		s.Hash = s.Sum()
		chain = append(chain, s)
	}
	broken := func(list []CustodyStep) (at int, field string) {
		var before CustodyStep
		for i := range list {
			if field, why := list[i].Follows(&before); why != "" {
				return i, field
			}
			before = list[i]
		}
		return -1, ""
	}
	if at, field := broken(chain); at >= 0 {
		t.Errorf("a whole chain breaks at %d: %s", at, field)
	}
	changed := slices.Clone(chain)
	changed[1].By = "eve"
	swapped := slices.Clone(chain)
	swapped[1], swapped[2] = swapped[2], swapped[1]
	forged := slices.Clone(chain)
	forged[1].By = "eve"
	forged[1].Hash = forged[1].Sum()
	for name, x := range map[string]struct {
		list  []CustodyStep
		at    int
		field string
	}{
		"a step is changed":                   {changed, 1, "hash"},
		"a step is changed, and its hash":     {forged, 2, "prev"},
		"a step is left out":                  {append(slices.Clone(chain[:1]), chain[2]), 1, "n"},
		"the first is left out":               {chain[1:], 0, "n"},
		"two change places":                   {swapped, 1, "n"},
		"a step is there twice":               {append(slices.Clone(chain[:2]), chain[1]), 2, "n"},
		"a first step that follows on others": {[]CustodyStep{{N: 1, Prev: "x"}}, 0, "prev"},
	} {
		if at, field := broken(x.list); at != x.at || field != x.field {
			t.Errorf("%s: at %d, %q; want at %d, %q", name, at, field, x.at, x.field)
		}
	}
}
