package correlate_test

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"honeyguide/internal/detect"
	"honeyguide/internal/detect/detecttest"
)

// What is usual survives a restart.
func TestUsualNumbersAreKept(t *testing.T) {
	rnd := rand.New(rand.NewPCG(1, 2))
	past := background(rnd, 24, 20)
	now := burst(90_000, 100, noon.Add(24*time.Hour), "rule0", "203.0.113.1", "10.0.0.1")
	one := open(t)
	observe(t, one, past)
	kept, err := one.(detect.Keeper).Keep()
	if err != nil {
		t.Fatal(err)
	}
	want := detecttest.Findings(observe(t, one, now))
	other := open(t)
	if err := other.(detect.Keeper).Recall(kept); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(want, detecttest.Findings(observe(t, other, now))); d != "" || len(want) == 0 {
		t.Errorf("%d claims; (-without +with a restart) %s", len(want), d)
	}
	if len(kept) > 200_000 {
		t.Errorf("%d bytes for 72 keys", len(kept))
	}
}

// Whatever is read back, nothing breaks.
func FuzzRecall(f *testing.F) {
	f.Add(`{"began":0,"rates":[{"key":"alert_rate_rule|x","Counts":[1,2,3,4,5],"Newest":9,"First":1}]}`)
	f.Add(`{"began":9223372036854775807,"rates":[{"key":"a","Counts":[1],"Newest":-9223372036854775808,"First":-9223372036854775808}]}`)
	f.Add(`{"began":-9223372036854775808,"rates":[{"key":"alert_rate_rule|finding/r","Counts":[1,1,1,1,1],"Newest":9223372036854775807,"First":0}]}`)
	f.Add(`[]`)
	f.Fuzz(func(t *testing.T, text string) {
		d := open(t)
		_ = d.(detect.Keeper).Recall([]byte(text))
		observe(t, d, burst(0, 40, noon, "r", "203.0.113.1", "10.0.0.1"))
		observe(t, d, burst(100, 40, noon.Add(-48*time.Hour), "r", "203.0.113.1", "10.0.0.1"))
		if _, err := d.(detect.Keeper).Keep(); err != nil {
			t.Fatal(err)
		}
	})
}
