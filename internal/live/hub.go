package live

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide/internal/telemetry"
)

// Options are what a hub works with.
type Options struct {
	// First is the number before that of the first message; see [Reserve]. 0: the
	// microseconds of Now.
	First   int64
	Health  func(context.Context) any // row of the topic health; nil: there is none
	Metrics *telemetry.Registry
	Now     func() time.Time // nil: time.Now
}

// totals counts messages by topic.
type totals [len(topics)]int64

// A Hub takes changes and hands them to listeners. It is safe for concurrent use.
type Hub struct {
	opt Options

	ticket  atomic.Uint64 // of the newest transaction
	wantsEv atomic.Int64  // listeners to events

	mu      sync.Mutex
	wake    chan struct{} // closed and replaced when there is news
	slots   []slot        // number n is at n % len
	first   int64         // number before the first
	head    int64         // the last number given out
	floor   int64         // what is after it is in the ring
	under   totals        // counts up to floor
	count   totals        // counts up to head
	bytes   int           // of the rows in the ring, about
	rows    map[rowKey]*entry
	seen    generations // sessions that were told of
	readers map[*Reader]bool
	over    bool

	second  second
	streams *telemetry.GaugeVec
	told    *telemetry.CounterVec
	lost    *telemetry.CounterVec
}

// slot is one number of the ring.
type slot struct {
	e    *entry // nil once a newer message took its place
	at   time.Time
	upto totals
}

type rowKey struct {
	topic int
	id    string
}

// NewHub returns a hub.
func NewHub(opt Options) *Hub {
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.First == 0 {
		opt.First = opt.Now().UnixMicro()
	}
	h := &Hub{
		opt: opt, wake: make(chan struct{}), slots: make([]slot, Kept), first: opt.First, head: opt.First, floor: opt.First,
		rows: map[rowKey]*entry{}, readers: map[*Reader]bool{},
		streams: opt.Metrics.Gauge("honeyguide_live_streams", "Live streams that are open."),
		told:    opt.Metrics.Counter("honeyguide_live_messages_total", "Changes told to the live streams, by topic.", "topic"),
		lost:    opt.Metrics.Counter("honeyguide_live_summaries_total", "Times a live stream got a summary because it could not keep up."),
	}
	for _, t := range topics {
		h.told.With(string(t)).Add(0)
	}
	h.lost.Add(0)
	h.streams.Set(0)
	return h
}

// A change is one row that a transaction wrote.
type change struct {
	topic int
	kind  Kind
	id    string
	short string
	row   any // nobody else writes to it
	size  int // of the row as JSON, about
}

// publish makes messages of what a committed transaction changed. ticket orders
// transactions: they commit one after the other, but who committed first may come
// here last.
func (h *Hub) publish(ticket uint64, list []change) {
	if len(list) == 0 {
		return
	}
	now := h.opt.Now()
	h.mu.Lock()
	defer h.mu.Unlock()
	if over := len(list) - Kept; over > 0 { // they would not stay
		for i := range list[:over] {
			h.pass(list[i].topic)
		}
		list = list[over:]
	}
	for i := range list {
		h.add(ticket, &list[i], now)
	}
	h.trim()
	close(h.wake)
	h.wake = make(chan struct{})
}

// pass counts a message that is not kept; nothing before it is any more.
func (h *Hub) pass(topic int) {
	h.head++
	h.count[topic]++
	h.told.With(string(topics[topic])).Add(1)
	h.dropTo(h.head)
}

func (h *Hub) add(ticket uint64, c *change, now time.Time) {
	e := &entry{change: *c, ticket: ticket}
	key := rowKey{c.topic, c.id}
	if c.topic == topicSessions && c.kind == Changed && h.seen.first(c.id) {
		e.kind = New
	}
	if old := h.rows[key]; old != nil && c.id != "" {
		if old.ticket > ticket { // what is known is newer
			if e.kind == New {
				old.born = old.number
			}
			return
		}
		e.born = old.born
		h.take(old)
	}
	h.head++
	h.count[c.topic]++
	h.told.With(string(topics[c.topic])).Add(1)
	if e.number = h.head; e.kind == New {
		e.born = e.number
	}
	if h.head-h.floor > Kept {
		h.dropTo(h.head - Kept)
	}
	*h.slot(h.head) = slot{e: e, at: now, upto: h.count}
	h.bytes += e.size
	if c.id != "" {
		h.rows[key] = e
	}
}

func (h *Hub) slot(number int64) *slot { return &h.slots[number%int64(len(h.slots))] }

// take removes a message whose row has a newer one.
func (h *Hub) take(e *entry) {
	h.slot(e.number).e = nil
	h.bytes -= e.size
}

// trim lets the oldest messages go while all take too much memory.
func (h *Hub) trim() {
	for h.bytes > keptBytes && h.floor < h.head {
		h.dropTo(h.floor + 1)
	}
}

// dropTo lets go of everything up to a number.
func (h *Hub) dropTo(number int64) {
	for n := max(h.floor+1, h.head-Kept, number-Kept); n <= number; n++ {
		s := h.slot(n)
		if s.e != nil && s.e.number == n {
			key := rowKey{s.e.topic, s.e.id}
			if h.rows[key] == s.e {
				delete(h.rows, key)
			}
			h.bytes -= s.e.size
			s.e = nil
		}
	}
	h.floor = number
	if number == h.head {
		h.under = h.count
	} else {
		h.under = h.slot(number).upto
	}
}

// Forget lets go of everything that was told: rows were changed behind the back of
// the hub, and nobody may be told the old ones again. Listeners that are behind get
// a summary.
func (h *Hub) Forget() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.dropTo(h.head)
	close(h.wake)
	h.wake = make(chan struct{})
}

// Head returns the number of the last message.
func (h *Hub) Head() int64 {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.head
}

// Revoked ends the streams of those whose rights have changed: ids of keys, users
// or sessions. They come back and are asked anew who they are. A nil hub has none.
func (h *Hub) Revoked(ids ...string) {
	if h == nil {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	for r := range h.readers {
		if slices.ContainsFunc(r.owners, func(id string) bool { return slices.Contains(ids, id) }) {
			r.end(ErrRevoked)
		}
	}
}

// Why a stream ends.
var (
	ErrRevoked = errors.New("the rights of this stream have ended or changed")
	ErrStopped = errors.New("the core stops")
	ErrTooMany = errors.New("too many streams")
)

// stop ends all streams, now and later.
func (h *Hub) stop() {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.over = true
	for r := range h.readers {
		r.end(ErrStopped)
	}
}
