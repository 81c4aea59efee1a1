package syslog

import (
	"bytes"
	"cmp"
	"context"
	"net/netip"
	"slices"
	"sync"

	"honeyguide"
	"honeyguide/internal/source"
)

// Bounds of what waits to be stored.
const (
	maxWaiting = 16 << 20 // bytes
	maxRefused = 256      // dead letters
)

// An inbox holds the messages that were received until they are stored: a line
// each, by who sent them.
type inbox struct {
	origin string

	mu      sync.Mutex
	lines   map[netip.Addr]*bytes.Buffer
	again   []source.Piece // were taken and not stored
	letters []honeyguide.DeadLetter
	size    int
	next    int64 // number of the next message
	room    chan struct{}
	more    chan struct{}
}

func newInbox(origin string) *inbox {
	return &inbox{origin: origin, lines: map[netip.Addr]*bytes.Buffer{}, next: 1, room: make(chan struct{}), more: make(chan struct{}, 1)}
}

// put adds a message without a line break in it, and reports whether there was
// room.
func (b *inbox) put(peer netip.Addr, msg []byte) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.size >= maxWaiting {
		return false
	}
	buf := b.lines[peer]
	if buf == nil {
		buf = &bytes.Buffer{}
		b.lines[peer] = buf
	}
	n := buf.Len()
	buf.Write(msg)
	// One message is one line, whatever is in it; JSON stays what it is.
	flat := buf.Bytes()[n:]
	for i, c := range flat {
		if c == '\n' || c == '\r' {
			flat[i] = ' '
		}
	}
	buf.WriteByte('\n')
	b.size += len(msg) + 1
	b.wake()
	return true
}

// refuse adds a message that is too long to be one. A flood of them is counted
// by the caller.
func (b *inbox) refuse(d honeyguide.DeadLetter) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if len(b.letters) >= maxRefused {
		return false
	}
	b.letters = append(b.letters, d)
	b.wake()
	return true
}

func (b *inbox) wake() {
	select {
	case b.more <- struct{}{}:
	default:
	}
}

// wait returns when there may be room.
func (b *inbox) wait(ctx context.Context) error {
	b.mu.Lock()
	room := b.room
	full := b.size >= maxWaiting
	b.mu.Unlock()
	if !full {
		return ctx.Err()
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-room:
		return nil
	}
}

// take returns all there is, the messages of one sender together and in order.
func (b *inbox) take() ([]source.Piece, []honeyguide.DeadLetter) {
	b.mu.Lock()
	defer b.mu.Unlock()
	pieces, letters := b.again, b.letters
	b.again = nil
	var fresh []source.Piece
	for peer, buf := range b.lines {
		name := peer.String()
		fresh = append(fresh, source.Piece{Stream: name, Origin: b.origin, Data: buf.Bytes(), Attrs: map[string]any{attrPeer: name}})
	}
	slices.SortFunc(fresh, func(a, b source.Piece) int { return cmp.Compare(a.Stream, b.Stream) })
	for i := range fresh {
		fresh[i].Line = b.next
		b.next += int64(bytes.Count(fresh[i].Data, []byte{'\n'}))
	}
	b.lines, b.letters, b.size = map[netip.Addr]*bytes.Buffer{}, nil, 0
	close(b.room)
	b.room = make(chan struct{})
	return append(pieces, fresh...), letters
}

// back returns pieces that could not be stored before an end: the same lines keep
// their numbers, so those that were stored after all are known again.
func (b *inbox) back(pieces []source.Piece) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.again = append(b.again, pieces...)
	b.wake()
}
