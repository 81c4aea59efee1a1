package live

import (
	"context"
	"slices"
	"time"
)

// A Reader is one stream: a place in the ring. It is for one goroutine.
type Reader struct {
	hub    *Hub
	wants  [len(topics)]bool
	owners []string
	end    context.CancelCauseFunc

	pos    int64  // the last number it is past
	counts totals // up to pos
	joined int64  // what is up to it is replayed, however old
	last   time.Time
	full   bool // there is more to take at once
}

// Attach opens a stream. last is the number the listener had, 0 for none; reset
// says that what came after it is not known here, so that the listener has to
// read everything anew. owners are the ids of whose rights the stream stands on,
// the first of which is counted. The context it returns ends when the stream has
// to, with the reason as its cause: ErrRevoked or ErrStopped. ErrTooMany,
// ErrStopped. Close it.
func (h *Hub) Attach(ctx context.Context, want []Topic, last int64, owners ...string) (r *Reader, in context.Context, reset bool, err error) {
	r = &Reader{hub: h, owners: owners}
	for i, t := range topics {
		r.wants[i] = slices.Contains(want, t)
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	own := 0
	for other := range h.readers {
		if len(owners) > 0 && other.owners[0] == owners[0] {
			own++
		}
	}
	switch {
	case h.over:
		return nil, nil, false, ErrStopped
	case own >= MaxOwn || len(h.readers) >= MaxAll:
		return nil, nil, false, ErrTooMany
	}
	r.joined, r.pos, r.counts = h.head, h.head, h.count
	if reset = last != 0 && (last < h.floor || last > h.head); last != 0 && !reset {
		if r.pos = last; last == h.floor {
			r.counts = h.under
		} else {
			r.counts = h.slot(last).upto
		}
	}
	in, r.end = context.WithCancelCause(ctx)
	h.readers[r] = true
	if r.wants[topicEvents] {
		h.wantsEv.Add(1)
	}
	h.streams.Set(float64(len(h.readers)))
	return r, in, reset, nil
}

// Close ends the stream.
func (r *Reader) Close() {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if !h.readers[r] {
		return
	}
	delete(h.readers, r)
	if r.wants[topicEvents] {
		h.wantsEv.Add(-1)
	}
	h.streams.Set(float64(len(h.readers)))
	r.end(ErrStopped)
}

// Revoke ends the stream because the rights it stands on have ended.
func (r *Reader) Revoke() { r.end(ErrRevoked) }

// Position returns the number the stream is at.
func (r *Reader) Position() int64 { return r.pos }

// Next waits for messages until wait is over and returns them; none when there
// were none. ctx is that of Attach; its cause is the error. Two batches keep [Pace] unless the listener is behind.
func (r *Reader) Next(ctx context.Context, wait time.Duration) (Batch, error) {
	timeout := time.NewTimer(wait)
	defer timeout.Stop()
	for {
		// What comes in the next moments goes into the same batch.
		if early := Pace - r.hub.opt.Now().Sub(r.last); early > 0 && !r.full {
			select {
			case <-time.After(early):
			case <-ctx.Done():
			}
		}
		if ctx.Err() != nil {
			return Batch{ID: r.pos}, context.Cause(ctx)
		}
		b, wake := r.look()
		if b.Summary != nil || len(b.Messages) > 0 {
			return b, nil
		}
		select {
		case <-wake:
		case <-ctx.Done():
		case <-timeout.C:
			return b, nil
		}
	}
}

// look takes what there is.
func (r *Reader) look() (b Batch, wake <-chan struct{}) {
	entries, b, wake := r.collect()
	for i, e := range entries {
		b.Messages[i].Row = e.encoded() // outside the lock: publishers do not wait for it
	}
	if len(entries) > 0 || b.Summary != nil {
		r.last = r.hub.opt.Now()
	}
	return b, wake
}

func (r *Reader) collect() (entries []*entry, b Batch, wake <-chan struct{}) {
	h := r.hub
	h.mu.Lock()
	defer h.mu.Unlock()
	if s := r.behind(); s != nil {
		h.lost.Add(1)
		r.pos, r.counts, r.full = h.head, h.count, false
		return nil, Batch{ID: r.pos, Summary: s}, h.wake
	}
	from, size := r.pos, 0
	for n := r.pos + 1; n <= h.head && len(entries) < batchRows && size < batchSize; n++ {
		s := h.slot(n)
		r.pos, r.counts = n, s.upto
		e := s.e
		if e == nil || !r.wants[e.topic] {
			continue
		}
		kind := e.kind
		if kind == Changed && e.born > from { // it never heard that there is such a row
			kind = New
		}
		entries = append(entries, e)
		size += e.size
		b.Messages = append(b.Messages, Message{Topic: topics[e.topic], Kind: kind, ID: e.id, Short: e.short})
	}
	b.ID, r.full = r.pos, r.pos < h.head
	return entries, b, h.wake
}

// behind makes a summary for a listener that is too far behind. The hub is locked.
func (r *Reader) behind() *Summary {
	h := r.hub
	s := &Summary{From: r.pos + 1, To: h.head, Counts: map[Topic]int64{}}
	var all int64
	for i, t := range topics {
		if n := h.count[i] - r.counts[i]; n > 0 && r.wants[i] {
			s.Counts[t] = n
			all += n
		}
	}
	switch {
	case all == 0:
		if r.pos < h.floor { // nothing it wants was lost
			r.pos, r.counts = h.floor, h.under
		}
		return nil
	case r.pos < h.floor:
		return s
	case r.pos < r.joined: // what is replayed is old, and may be much
		return nil
	case all > MaxLag, h.opt.Now().Sub(h.slot(r.pos+1).at) > MaxAge:
		return s
	}
	return nil
}
