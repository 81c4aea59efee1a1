package memory_test

import (
	"testing"

	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/eventlogtest"
	"honeyguide/internal/eventlog/memory"
)

func TestContract(t *testing.T) {
	eventlogtest.Run(t, func(_ testing.TB, env eventlogtest.Env) eventlog.Store {
		return memory.Open(eventlog.Deps{Now: env.Now})
	})
}
