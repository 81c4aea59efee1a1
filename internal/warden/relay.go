package warden

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"sync"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/supervise"
)

const (
	pendingPackets = 1024            // requests a reply is still taken for
	packetQueue    = 256             // requests waiting to be sent to the process
	replyWithin    = 5 * time.Second // later replies go nowhere
)

// A relay carries datagrams between the sockets of the core and the process.
// The process can answer a request once, to the one who asked, with no more
// bytes than were asked with: it cannot be made to reflect or to amplify.
type relay struct {
	conns map[int]*net.UDPConn
	now   func() time.Time
	count counters
	queue chan ipc.Packet

	mu      sync.Mutex
	sources sources
	next    uint64
	pending [pendingPackets]request
}

type request struct {
	id     uint64
	sensor int
	from   netip.AddrPort
	size   int
	at     time.Time
}

func newRelay(conns map[int]*net.UDPConn, now func() time.Time, count counters) *relay {
	return &relay{conns: conns, now: now, count: count, queue: make(chan ipc.Packet, packetQueue)}
}

// serve reads every socket until ctx ends and [relay.release] is called.
func (r *relay) serve(ctx context.Context, group *supervise.Group) {
	for sensor, conn := range r.conns {
		group.Keep(ctx, fmt.Sprintf("packets of sensor %d", sensor), func(ctx context.Context) error {
			buf := make([]byte, ipc.MaxPacket)
			for {
				n, from, err := conn.ReadFromUDPAddrPort(buf)
				if ctx.Err() != nil || errors.Is(err, net.ErrClosed) {
					return ctx.Err()
				}
				if err != nil {
					return fmt.Errorf("read datagrams: %w", err)
				}
				r.request(sensor, from, buf[:n])
			}
		})
	}
}

// release ends the reads that wait.
func (r *relay) release() {
	for _, c := range r.conns {
		_ = c.SetReadDeadline(time.Unix(1, 0))
	}
}

// request queues one datagram for the process, if its source may send one and
// there is room.
func (r *relay) request(sensor int, from netip.AddrPort, data []byte) {
	p, ok := r.admit(sensor, from, data)
	if ok {
		select {
		case r.queue <- p:
			r.count.relayed.Add(1)
			return
		default:
		}
	}
	r.count.dropped.Add(1)
}

func (r *relay) admit(sensor int, from netip.AddrPort, data []byte) (ipc.Packet, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	if !r.sources.allow(from.Addr(), now) {
		return ipc.Packet{}, false
	}
	r.next++
	r.pending[r.next%pendingPackets] = request{id: r.next, sensor: sensor, from: from, size: len(data), at: now}
	unmapped := netip.AddrPortFrom(from.Addr().Unmap(), from.Port())
	return ipc.Packet{Sensor: sensor, ID: r.next, From: unmapped, Data: append([]byte(nil), data...)}, true
}

// claim takes the request a reply belongs to, once, and refuses what is too
// late or too long.
func (r *relay) claim(m ipc.PacketReply) (request, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	slot := &r.pending[m.ID%pendingPackets]
	req := *slot
	if m.ID == 0 || req.id != m.ID {
		return request{}, false
	}
	*slot = request{}
	return req, len(m.Data) <= req.size && r.now().Sub(req.at) <= replyWithin
}

// reply sends an answer of the process. An empty one says that there is none.
func (r *relay) reply(m ipc.PacketReply) {
	req, ok := r.claim(m)
	if ok && len(m.Data) == 0 {
		return
	}
	if ok {
		if _, err := r.conns[req.sensor].WriteToUDPAddrPort(m.Data, req.from); err == nil {
			return
		}
	}
	r.count.unanswered.Add(1)
}

// drain forgets what waits for a process that is gone.
func (r *relay) drain() {
	for {
		select {
		case <-r.queue:
		default:
			return
		}
	}
}
