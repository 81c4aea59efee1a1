package live

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"
	"time"

	"honeyguide"
)

// TestStorm: two hundred changes a second for twenty seconds, fifty listeners of which
// some take nothing. Those that keep up hear of the last change of every row; what
// the hub and they hold stays within bounds whoever listens. The time is the
// test's own.
func TestStorm(t *testing.T) {
	const listeners, seconds, perSecond = 50, 20, 200
	var mu sync.Mutex
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	clock := func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	h := NewHub(Options{Now: clock})
	before := heap()
	type peer struct {
		r    *Reader
		last map[string][]byte
		lost bool
		idle bool
	}
	var peers []*peer
	for n := range listeners {
		r, _, _, err := h.Attach(t.Context(), []Topic{Alerts}, 0, fmt.Sprint("user-", n%10))
		if err != nil {
			t.Fatal(err)
		}
		defer r.Close()
		peers = append(peers, &peer{r: r, last: map[string][]byte{}, idle: n%10 == 0})
	}
	take := func(p *peer) {
		for {
			b, _ := p.r.look()
			if p.lost = p.lost || b.Summary != nil; b.Summary == nil && len(b.Messages) == 0 {
				return
			}
			for _, m := range b.Messages {
				p.last[m.ID] = m.Row // which all share
			}
		}
	}
	want, most := map[string]string{}, uint64(0)
	for s := range seconds {
		for n := range perSecond {
			a := honeyguide.Alert{ID: fmt.Sprint("a", (s*perSecond+n)%1000), Title: fmt.Sprint("change ", s, n), Evidence: make([]honeyguide.Evidence, 10)}
			t := &tx{ticket: h.ticket.Add(1)}
			t.alert(&a, false)
			h.publish(t.ticket, t.changes)
			want[a.ID] = a.Title
		}
		mu.Lock()
		now = now.Add(time.Second)
		mu.Unlock()
		for _, p := range peers {
			if !p.idle {
				take(p)
			}
		}
		if s%10 == 9 {
			most = max(most, heap())
		}
	}
	for n, p := range peers {
		take(p)
		switch {
		case p.idle && !p.lost:
			t.Errorf("listener %d took nothing for twenty seconds and was not told that it missed something", n)
		case p.idle:
		case p.lost || len(p.last) != len(want):
			t.Errorf("listener %d kept up and heard of %d rows, want %d; a summary: %v", n, len(p.last), len(want), p.lost)
		}
	}
	for id, title := range want {
		if got := titleOf(peers[1].last[id]); got != title {
			t.Errorf("%s ends as %.80s, want %s", id, got, title)
			break
		}
	}
	if h.bytes > keptBytes || len(h.rows) > Kept {
		t.Errorf("the hub holds %d bytes of %d rows", h.bytes, len(h.rows))
	}
	// The rows the hub keeps, once as values and once as the JSON all listeners
	// share, and what the test itself remembers of them.
	if grown := int64(most) - int64(before); grown > 3*keptBytes+(listeners*(64<<10)) {
		t.Errorf("%d MiB more than before", grown>>20)
	} else {
		t.Logf("%d MiB more than before", grown>>20)
	}
	in, stop := context.WithCancelCause(t.Context())
	stop(ErrStopped)
	if _, err := peers[1].r.Next(in, time.Second); !errors.Is(err, ErrStopped) {
		t.Error(err)
	}
}

func titleOf(row []byte) string {
	var a struct {
		Title string `json:"title"`
	}
	_ = json.Unmarshal(row, &a) // a row that cannot be read has no title and is found out
	return a.Title
}

func heap() uint64 {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}
