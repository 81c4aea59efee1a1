package embedded_test

import (
	"slices"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/eventlog/eventlogtest"
)

// quick is a configuration that does not make tests wait.
var quick = embedded.Config{Linger: time.Millisecond, QueueMiB: 64, FilterMiB: 64, RecentMiB: 1, OpenFiles: 2, ReadBlocks: 2}

func open(t testing.TB, cfg embedded.Config, dep eventlog.Deps) *embedded.Store {
	t.Helper()
	s, err := embedded.Open(t.Context(), cfg, dep)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestContract(t *testing.T) {
	for name, cfg := range map[string]func(*embedded.Config){
		"plain":     func(*embedded.Config) {},
		"from disk": func(c *embedded.Config) { c.RecentMiB, c.FilterMiB, c.ReadBlocks = 0, 0, 1 },
	} {
		t.Run(name, func(t *testing.T) {
			c := quick
			cfg(&c)
			start := func(t testing.TB, env eventlogtest.Env) eventlog.Store {
				return open(t, c, eventlog.Deps{Dir: env.Dir, Now: env.Now})
			}
			eventlogtest.Run(t, start)
			eventlogtest.Durable(t, start)
		})
	}
}

// IDs is a short cut: it lists what finding every event would.
func TestIDs(t *testing.T) {
	s := open(t, quick, eventlog.Deps{Dir: t.TempDir()})
	t.Cleanup(func() { _ = s.Close() })
	var want []string
	for n := range 3 {
		batch := make([]honeyguide.Event, 1500)
		for i := range batch {
			at := time.Date(2026, 3, 1+n, 0, 0, i, 0, time.UTC)
			batch[i] = honeyguide.Event{ID: honeyguide.DerivedID(at, "x"), Time: at, Observed: at, Activity: honeyguide.ActivityFinding, Sensor: "s"}
			if i%3 == 0 {
				batch[i].ID = "" // the log gives it one
			}
			if i%2 == 0 {
				batch[i].Set(honeyguide.AttrProduct, "p")
			}
		}
		if _, err := s.Append(t.Context(), eventlog.Batch{Outbox: "box", First: int64(1 + n*len(batch)), Events: batch}); err != nil {
			t.Fatal(err)
		}
	}
	for r, err := range s.Find(t.Context(), eventlog.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		if r.Event.Str(honeyguide.AttrProduct) != "" {
			want = append(want, r.Event.ID)
		}
	}
	read := func(f eventlog.Finder, most int) (got []string) {
		for id, err := range eventlog.IDs(t.Context(), f, honeyguide.AttrProduct, most) {
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, id)
		}
		return got
	}
	if got := read(s, 1<<20); len(want) != 2250 || !slices.Equal(got, want) {
		t.Errorf("%d ids, want the %d of the events found", len(got), len(want))
	}
	// Whole blocks are looked at; those that are listed are the newest.
	if got := read(s, 100); len(got) == 0 || len(got) == len(want) || !slices.Equal(got, want[:len(got)]) {
		t.Errorf("%d ids of the newest 100 events", len(got))
	}
	type plain struct{ eventlog.Finder } // no Lister
	if got := read(plain{s}, 1<<20); !slices.Equal(got, want) {
		t.Errorf("without a list: %d ids, want %d", len(got), len(want))
	}
}
