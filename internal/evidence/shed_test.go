package evidence

import (
	"fmt"
	"testing"
	"time"

	"honeyguide/internal/ipc"
)

// TestShed gives up the oldest recordings first and none that has to stay, and
// records nothing while it is paused.
func TestShed(t *testing.T) {
	s, err := Open(t.TempDir(), Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	chunk := func(n int) ipc.Chunk {
		return ipc.Chunk{Session: fmt.Sprintf("session%04d", n), Stream: 'o', Time: time.Unix(1_700_000_000, 0), Data: make([]byte, 10_000)}
	}
	for n := range 6 {
		if err := s.Chunk(chunk(n)); err != nil {
			t.Fatal(err)
		}
	}
	freed, err := s.Shed(15_000, func(session string) bool { return session == "session0000" })
	if err != nil || freed < 15_000 {
		t.Fatalf("%d bytes freed, %v", freed, err)
	}
	left, err := s.List(0)
	if err != nil {
		t.Fatal(err)
	}
	kept := map[string]bool{}
	for _, r := range left {
		kept[r.Session] = true
	}
	if !kept["session0000"] || kept["session0001"] || !kept["session0005"] {
		t.Errorf("left: %v", left)
	}
	s.Pause(true)
	if s.Chunk(chunk(7)) == nil {
		t.Error("recorded while paused")
	}
	s.Pause(false)
	if err := s.Chunk(chunk(7)); err != nil {
		t.Errorf("after the pause: %v", err)
	}
	if freed, err = s.Shed(1<<40, nil); err != nil {
		t.Fatal(err)
	}
	if left, _ = s.List(0); len(left) != 0 || freed == 0 {
		t.Errorf("%d left after all was wanted", len(left))
	}
}
