package warden

import (
	"errors"
	"fmt"
	"log/slog"
	"testing"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sandbox"
)

// shelf notes what it is asked to keep.
type shelf struct{ said []string }

func (s *shelf) Stage(owner string, p ipc.Piece) error {
	s.said = append(s.said, fmt.Sprintf("stage %d+%d %s", p.File, p.At, p.Data))
	if string(p.Data) == "bad" {
		return errors.New("no room")
	}
	return nil
}

func (s *shelf) Seal(_ string, e *honeyguide.Event) {
	s.said = append(s.said, fmt.Sprint("seal ", e.Int(ipc.AttrFile)))
	e.Set(honeyguide.AttrKept, "yes")
}

func (s *shelf) Drop(string) { s.said = append(s.said, "drop") }

// TestSamplesGoAheadOfTheirEvents: pieces are kept before the events of a round
// are sealed, only events about samples are, and what is left is given up.
func TestSamplesGoAheadOfTheirEvents(t *testing.T) {
	s := &shelf{}
	l := &life{
		w:     &Warden{opts: Options{Name: "p", Samples: s}, log: slog.New(slog.DiscardHandler), count: newCounters(nil, "p")},
		proc:  &sandbox.Process{Pid: 7},
		inbox: newInbox(),
	}
	if err := l.piece(t.Context(), ipc.Piece{Data: []byte("x")}); !errors.Is(err, ipc.ErrProtocol) {
		t.Errorf("a piece of no file: %v", err)
	}
	for _, p := range []ipc.Piece{{File: 1, Data: []byte("a")}, {File: 1, At: 1, Data: []byte("bad")}, {File: 2}} {
		if err := l.piece(t.Context(), p); err != nil {
			t.Fatal(err)
		}
	}
	w, ok := l.inbox.take(nil)
	if !ok || len(w.pieces) != 2 {
		t.Fatalf("%d pieces wait", len(w.pieces))
	}
	w.events = []honeyguide.Event{{Activity: honeyguide.ActivityCommand}, {Activity: honeyguide.ActivitySample, Attrs: map[string]any{ipc.AttrFile: int64(1)}}}
	l.stage(t.Context(), w)
	l.forget()
	if got, want := fmt.Sprint(s.said), "[stage 1+0 a stage 1+1 bad seal 1 drop]"; got != want {
		t.Errorf("asked for %s, want %s", got, want)
	}
	if w.events[1].Str(honeyguide.AttrKept) != "yes" || w.events[0].Attrs != nil {
		t.Errorf("events %+v", w.events)
	}
}
