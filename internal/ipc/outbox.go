package ipc

import (
	"context"
	"encoding/binary"
	"errors"
	"sync"
	"time"
	"unicode/utf8"

	"honeyguide"
)

// AttrTruncated marks an event whose texts were cut to fit into its frame.
const AttrTruncated = "metadata.is_truncated"

// OutboxOptions bound an [Outbox]. Zero fields mean the defaults.
type OutboxOptions struct {
	Bytes  int // queued bytes of events and of chunks, each; default 512 KiB
	Window int // events sent or queued but not acknowledged; default 8192
}

// An Outbox is the sensor's sending side: it gathers what sessions report
// while the previous frame is written and for a moment after it, so that frames
// grow with the load; what comes alone leaves at once. Its
// queues are bounded in bytes and by the acknowledgements of the core; when
// they are full the caller waits, which slows its session and nothing else.
// Recorded chunks leave before the events that were reported after them.
type Outbox struct {
	conn *Conn
	opts OutboxOptions

	mu      sync.Mutex
	rows    []byte // ready rows of events
	count   int    // rows in it
	pending int    // events queued or sent, not acknowledged
	chunks  []byte // ready frames
	logs    []byte // ready frames
	lost    uint64 // log lines given up
	writing bool   // the writer holds what it took
	waiting int    // callers that wait for room, or for the end of a flush
	err     error
	change  chan struct{} // closed and replaced when room was made or everything ended
	wake    chan struct{} // one token: there is something to write
}

// NewOutbox returns an outbox on conn. [Outbox.Run] does the writing.
func NewOutbox(conn *Conn, o OutboxOptions) *Outbox {
	if o.Bytes <= 0 {
		o.Bytes = 512 << 10
	}
	// A frame is what was queued: more than this could not be sent as one.
	o.Bytes = min(o.Bytes, MaxEvents-MaxEvent-64)
	if o.Window <= 0 {
		o.Window = 8192
	}
	return &Outbox{conn: conn, opts: o, change: make(chan struct{}), wake: make(chan struct{}, 1)}
}

var errStopped = errors.New("outbox stopped")

// Every frame wakes the core, which costs both sides more than the frame
// itself: the next one waits until gather after the last, unless so much is
// queued that waiting would hold up the sessions.
const (
	gather     = 5 * time.Millisecond
	gatherMost = 64 << 10
)

// Event queues e, waiting for room. An event too large for its frame loses its
// raw bytes and the ends of its texts and is marked with [AttrTruncated]. The
// error is ctx's or the connection's.
func (o *Outbox) Event(ctx context.Context, e honeyguide.Event) error {
	row, err := appendRow(nil, &e)
	if errors.Is(err, ErrTooLarge) {
		shrink(&e)
		row, err = appendRow(nil, &e)
	}
	if err != nil {
		return err
	}
	return o.put(ctx, func() bool {
		if len(o.rows)+len(row) > o.opts.Bytes && o.count > 0 || o.count >= MaxBatch || o.pending >= o.opts.Window {
			return false
		}
		if o.count == 0 {
			// Room for the frame's header and the number of events.
			o.rows = append(o.rows[:0], make([]byte, header+4)...)
		}
		o.rows = append(o.rows, row...)
		o.count++
		o.pending++
		return true
	})
}

// Chunk queues a piece of a recording, waiting for room.
func (o *Outbox) Chunk(ctx context.Context, c Chunk) error {
	frame, err := appendFrame(nil, c)
	if err != nil {
		return err
	}
	return o.put(ctx, func() bool {
		if len(o.chunks)+len(frame) > o.opts.Bytes && len(o.chunks) > 0 {
			return false
		}
		o.chunks = append(o.chunks, frame...)
		return true
	})
}

// Piece queues a piece of a file, in order with the chunks: it leaves before the
// events that are reported after it.
func (o *Outbox) Piece(ctx context.Context, p Piece) error {
	frame, err := appendFrame(nil, p)
	if err != nil {
		return err
	}
	return o.put(ctx, func() bool {
		if len(o.chunks)+len(frame) > o.opts.Bytes && len(o.chunks) > 0 {
			return false
		}
		o.chunks = append(o.chunks, frame...)
		return true
	})
}

// Log queues a log line, or counts it as lost when there is no room: a sensor
// never waits for its log.
func (o *Outbox) Log(l Log) {
	frame, err := appendFrame(nil, l)
	o.mu.Lock()
	defer o.mu.Unlock()
	if err != nil || o.err != nil || len(o.logs)+len(frame) > keep {
		o.lost++
		return
	}
	o.logs = append(o.logs, frame...)
	o.stir()
}

// Lost says how many log lines were given up.
func (o *Outbox) Lost() uint64 {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.lost
}

// Acked says that the core made n more events durable.
func (o *Outbox) Acked(n int) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.pending = max(o.pending-n, 0)
	o.announce()
}

// Pending returns the number of events not acknowledged.
func (o *Outbox) Pending() int {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.pending
}

// Flush waits until everything was written and every event acknowledged.
func (o *Outbox) Flush(ctx context.Context) error {
	return o.put(ctx, func() bool {
		return o.pending == 0 && len(o.chunks) == 0 && len(o.logs) == 0 && !o.writing
	})
}

// put waits until try, called with the lock held, succeeds.
func (o *Outbox) put(ctx context.Context, try func() bool) error {
	o.mu.Lock()
	for o.err == nil && !try() {
		change := o.change
		o.waiting++
		if o.queued() > 0 {
			o.stir() // the writer may be gathering
		}
		o.mu.Unlock()
		var ended error
		select {
		case <-change:
		case <-ctx.Done():
			ended = ctx.Err()
		}
		o.mu.Lock()
		o.waiting--
		if ended != nil {
			o.mu.Unlock()
			return ended
		}
	}
	defer o.mu.Unlock()
	if o.err == nil {
		o.stir()
	}
	return o.err
}

// stir wakes the writer; announce wakes everyone who waits. Both hold the lock.
func (o *Outbox) stir() {
	select {
	case o.wake <- struct{}{}:
	default:
	}
}

func (o *Outbox) announce() {
	close(o.change)
	o.change = make(chan struct{})
}

// Run writes until ctx ends or the connection fails; afterwards every call
// returns the error. It is called once.
func (o *Outbox) Run(ctx context.Context) error {
	var spare batch
	rest := time.NewTimer(0) // runs out when the next frame may leave
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
			o.stop(errStopped)
			return ctx.Err()
		case <-o.wake:
		}
		if !o.linger(ctx, rest) {
			o.stop(errStopped)
			return ctx.Err()
		}
		b := o.swap(spare)
		if err := b.send(o.conn); err != nil {
			o.stop(err)
			return err
		}
		o.wrote()
		rest.Reset(gather)
		spare = b
	}
}

// linger waits until rest runs out or much is queued; false when ctx ended.
func (o *Outbox) linger(ctx context.Context, rest *time.Timer) bool {
	for !o.plenty() {
		select {
		case <-ctx.Done():
			return false
		case <-rest.C:
			return true
		case <-o.wake:
		}
	}
	return true
}

// plenty says that what is queued should leave now.
func (o *Outbox) plenty() bool {
	o.mu.Lock()
	defer o.mu.Unlock()
	n := o.queued()
	return n >= gatherMost || n > 0 && o.waiting > 0
}

// queued counts the bytes to be written; o.mu is held.
func (o *Outbox) queued() int { return len(o.rows) + len(o.chunks) + len(o.logs) }

// batch is what one round of the writer sends.
type batch struct{ chunks, rows, logs []byte }

// swap takes what is queued and leaves the spare buffers in its place.
func (o *Outbox) swap(spare batch) batch {
	o.mu.Lock()
	defer o.mu.Unlock()
	b := batch{chunks: o.chunks, logs: o.logs}
	if o.count > 0 {
		b.rows = o.rows
		binary.BigEndian.PutUint32(b.rows, uint32(len(b.rows)-header))
		b.rows[header-1] = byte(kindEvents)
		binary.BigEndian.PutUint32(b.rows[header:], uint32(o.count))
	}
	o.chunks, o.rows, o.logs, o.count = spare.chunks[:0], spare.rows[:0], spare.logs[:0], 0
	o.writing = true
	o.announce()
	return b
}

func (o *Outbox) wrote() {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.writing = false
	o.announce()
}

func (b batch) send(c *Conn) error {
	for _, frames := range [][]byte{b.chunks, b.rows, b.logs} {
		if len(frames) == 0 {
			continue
		}
		if err := c.send(frames); err != nil {
			return err
		}
	}
	return nil
}

func (o *Outbox) stop(err error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.err == nil {
		o.err = err
	}
	o.announce()
}

// Bounds of a shrunk event: 64 attributes of 2 KiB and some lists fit into a row.
const (
	shrunkText  = 2 << 10
	shrunkAttrs = 64
)

// shrink cuts e until it fits into a row. It replaces e's maps and slices and
// touches none that the caller may share.
func shrink(e *honeyguide.Event) {
	attrs := make(map[string]any, shrunkAttrs+1)
	for name, value := range e.Attrs {
		if len(attrs) == shrunkAttrs || len(name) > shrunkText {
			continue
		}
		switch v := value.(type) {
		case string:
			attrs[name] = shorten(v)
		case int64, int, float64, bool:
			attrs[name] = v
		}
	}
	attrs[AttrTruncated] = true
	e.Attrs, e.Raw, e.Observables = attrs, nil, nil
	var attacks []honeyguide.Technique
	for _, a := range e.Attacks[:min(len(e.Attacks), 8)] {
		attacks = append(attacks, honeyguide.Technique{ID: shorten(a.ID)})
	}
	e.Attacks = attacks
	e.Src, e.Dst = honeyguide.Endpoint{Addr: e.Src.Addr}, honeyguide.Endpoint{Addr: e.Dst.Addr}
	for _, s := range []*string{&e.ID, &e.Activity, &e.Sensor, &e.Service, &e.Session} {
		*s = shorten(*s)
	}
}

// shorten cuts s, not inside a character.
func shorten(s string) string {
	if len(s) <= shrunkText {
		return s
	}
	n := shrunkText
	for n > shrunkText-utf8.UTFMax && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
