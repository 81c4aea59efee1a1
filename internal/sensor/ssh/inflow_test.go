package ssh

import (
	"errors"
	"sync/atomic"
	"testing"
)

func TestInflow(t *testing.T) {
	var all atomic.Int64
	greedy, modest := &inflow{all: &all}, &inflow{all: &all}
	greedy.channels.Store(1)
	modest.channels.Store(2)
	if err := greedy.arrived(maxUnread); err != nil {
		t.Fatalf("within the bound: %v", err)
	}
	if err := modest.arrived(fairUnread); err != nil {
		t.Errorf("a fair share is refused: %v", err)
	}
	if err := greedy.arrived(1); !errors.Is(err, errUnread) {
		t.Errorf("beyond the bound: %v", err)
	}
	greedy.read(10, false)
	if got := greedy.mine.Load(); got != maxUnread-9 {
		t.Errorf("%d unread after a read", got)
	}
	greedy.read(10, true)
	if greedy.mine.Load() != 0 || all.Load() != fairUnread {
		t.Errorf("read empty: %d of %d", greedy.mine.Load(), all.Load())
	}
	modest.read(10, true) // another channel of it may hold more
	if modest.mine.Load() != fairUnread-10 {
		t.Errorf("%d unread", modest.mine.Load())
	}
	modest.closed()
	modest.closed()
	if all.Load() != 0 {
		t.Errorf("%d unread after the end", all.Load())
	}
}
