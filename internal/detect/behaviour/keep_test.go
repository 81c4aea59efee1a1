package behaviour_test

import (
	"fmt"
	"testing"
	"time"

	"honeyguide/internal/detect"
)

// The programs known survive a restart.
func TestKnownProgramsAreKept(t *testing.T) {
	one := open(t)
	for i := range 1500 {
		detectAll(t, one, process(i, time.Duration(i)*time.Minute, fmt.Sprint("pc", i%9), fmt.Sprintf("app%d.exe", i%40)))
	}
	kept, err := one.(detect.Keeper).Keep()
	if err != nil {
		t.Fatal(err)
	}
	other := open(t)
	if err := other.(detect.Keeper).Recall(kept); err != nil {
		t.Fatal(err)
	}
	end := 1501 * time.Minute
	if got := detectAll(t, other, process(9000, end, "pc1", "app3.exe")); len(got) != 0 {
		t.Errorf("a known one is new: %v", got)
	}
	if got := detectAll(t, other, process(9001, end, "pc1", "evil.exe")); got["rare_process"].Count != 1 {
		t.Errorf("a new one is known: %v", got)
	}
}

// Whatever is read back, nothing breaks.
func FuzzRecall(f *testing.F) {
	f.Add(`{"watched":"2026-03-01T12:00:00Z","started":9,"programs":[{"name":"a","first":"2026-03-01T12:00:00Z","hosts":["x","y","z"]}]}`)
	f.Add(`{"programs":[{}]}`)
	f.Add(`null`)
	f.Fuzz(func(t *testing.T, text string) {
		d := open(t)
		_ = d.(detect.Keeper).Recall([]byte(text))
		detectAll(t, d, process(1, 0, "pc1", "a"))
		if _, err := d.(detect.Keeper).Keep(); err != nil {
			t.Fatal(err)
		}
	})
}
