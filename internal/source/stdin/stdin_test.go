package stdin_test

import (
	"io"
	"strings"
	"testing"

	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/memory"
	"honeyguide/internal/source"
	"honeyguide/internal/source/sourcetest"
	"honeyguide/internal/source/stdin"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

func rig(t *testing.T, in source.Input) *sourcetest.Rig {
	t.Helper()
	st, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { st.Close() })
	return &sourcetest.Rig{T: t, Kind: stdin.Kind, Log: memory.Open(eventlog.Deps{}), State: st, In: in}
}

func TestContract(t *testing.T) {
	sourcetest.Run(t, func(t *testing.T) (*sourcetest.Rig, sourcetest.Producer) {
		r, w := io.Pipe()
		t.Cleanup(func() { w.Close() })
		return rig(t, r), sourcetest.Producer{Waits: true, Write: func(t testing.TB, lines string) {
			if _, err := io.WriteString(w, lines); err != nil {
				t.Fatal(err)
			}
		}}
	})
}

func TestEnd(t *testing.T) {
	r := rig(t, strings.NewReader(sourcetest.Lines(0, 10)+strings.Repeat("x", 5<<20)+"\n"+strings.TrimSuffix(sourcetest.Line(10), "\n")))
	r.Start()
	r.Await(11)
	r.Eventually("the source is done", func() bool { return r.Status().State == source.StateDone })
	if dead := r.Dead(); len(dead) != 1 || dead[0].Line != 11 || dead[0].Bytes != 5<<20+1 || dead[0].Source != "stdin" {
		t.Errorf("dead letters %v", dead)
	}
	r.Once(11)
}
