package warden

import (
	"context"
	"sync"

	"honeyguide"
	"honeyguide/internal/ipc"
)

// maxRecorded bounds the recorded bytes that wait to be written.
const maxRecorded = 1 << 20

// work is what one round of append takes.
type work struct {
	chunks []ipc.Chunk
	size   int // recorded bytes
	pieces []ipc.Piece
	held   int // bytes of pieces
	events []honeyguide.Event
}

// An inbox stands between the goroutine that receives and the one that makes
// durable. What comes in while a round is on its way to the disk gathers into
// the next one: rounds grow with the load, and the disk costs less per event.
// It holds one batch and maxRecorded bytes at most.
type inbox struct {
	mu     sync.Mutex
	next   work
	closed bool
	came   chan struct{} // one token: there is work, or there will be no more
	room   chan struct{} // one token: work was taken
}

func newInbox() *inbox { return &inbox{came: make(chan struct{}, 1), room: make(chan struct{}, 1)} }

// put waits until try, called with the next round, finds room in it. One
// goroutine puts.
func (b *inbox) put(ctx context.Context, try func(*work) bool) error {
	for {
		b.mu.Lock()
		ok := try(&b.next)
		b.mu.Unlock()
		if ok {
			poke(b.came)
			return nil
		}
		select {
		case <-b.room:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// take waits for work and takes all of it, leaving the emptied slice spare for
// the next round's chunks; false when the inbox is closed and empty.
func (b *inbox) take(spare []ipc.Chunk) (work, bool) {
	clear(spare[:cap(spare)])
	spare = spare[:0]
	for {
		b.mu.Lock()
		w, closed := b.next, b.closed
		if len(w.chunks)+len(w.pieces)+len(w.events) > 0 {
			b.next = work{chunks: spare}
			b.mu.Unlock()
			poke(b.room)
			return w, true
		}
		b.mu.Unlock()
		if closed {
			return work{}, false
		}
		<-b.came
	}
}

// close ends take once everything is taken.
func (b *inbox) close() {
	b.mu.Lock()
	b.closed = true
	b.mu.Unlock()
	poke(b.came)
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}
