package embedded_test

import (
	"testing"
	"time"

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
