package sensor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/netip"
	"runtime/debug"
	"runtime/metrics"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
	"honeyguide/internal/kind"
	"honeyguide/internal/safetext"
	"honeyguide/internal/supervise"
)

// flushWait bounds the time a process that was told to stop waits for its
// events to become durable.
const flushWait = 5 * time.Second

// packetQueue bounds the datagrams waiting for their turn.
const packetQueue = 256

// A Decoder makes the decoder of one instance's configuration text.
type Decoder func(raw []byte) kind.Decode

// Run is the life of a sensor process inside its cage: it builds the machine,
// plants the bait, opens the sensors of setup from set, serves their listeners,
// and carries what they see over conn, until ctx ends, the core says stop or
// the core is gone. An error says what of the setup cannot be.
func Run(ctx context.Context, conn *ipc.Conn, setup ipc.Setup, listeners []net.Listener, set Set, decode Decoder) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	out := ipc.NewOutbox(conn, ipc.OutboxOptions{})
	log := slog.New(&logTo{out: out})
	// What is on its way when the sessions end must still leave.
	sending, stopSending := context.WithCancel(context.WithoutCancel(ctx))
	defer stopSending()
	group := supervise.New(log)
	memory := &recollector{conn: conn, asked: make(chan netip.Addr, maxAsked)}
	p, err := newProcess(ctx, setup, set, decode, log, uplink{out}, memory)
	if err != nil {
		return err
	}
	p.stop = cancel
	if err := check(setup.Sensors, len(listeners)); err != nil {
		return err
	}
	packets := make(chan ipc.Packet, packetQueue)
	group.Go(sending, "outbox", out.Run)
	group.Go(sending, "inbox", func(context.Context) error {
		defer cancel() // the core is gone
		return p.receive(ctx, conn, out, packets)
	})
	group.Go(sending, "packets", func(context.Context) error { return p.answer(ctx, conn, packets) })
	group.Go(sending, "recall", memory.ask)
	group.Go(ctx, "worlds", p.world.Keep)
	serving := supervise.New(log)
	for i := range p.servers {
		srv := p.servers[i]
		if at := setup.Sensors[i].Listener; at >= 0 {
			serving.Go(ctx, "sensor "+srv.Name, func(ctx context.Context) error {
				defer cancel()
				return srv.Serve(ctx, listeners[at])
			})
		}
	}
	group.Go(ctx, "memory", p.giveBack)
	if err := conn.Send(ipc.Ready{}); err != nil {
		cancel()
	}
	err = serving.Wait()
	<-ctx.Done()
	p.world.Hand(true)
	flushing, done := context.WithTimeout(sending, flushWait)
	_ = out.Flush(flushing)
	done()
	stopSending()
	_ = conn.SetReadDeadline(time.Now()) // releases the inbox
	_ = group.Wait()
	return err
}

// process is what a sensor process runs.
type process struct {
	servers []*Server
	world   *World
	door    *Doorman
	stop    context.CancelFunc
}

// newProcess builds the world and opens the sensors.
func newProcess(ctx context.Context, setup ipc.Setup, set Set, decode Decoder, log *slog.Logger, sink Sink, keeper Keeper) (*process, error) {
	now := clock(setup.Now)
	host, err := persona.New(setup.Seed, setup.Persona, persona.Options{Hostname: setup.Hostname, Now: deployed(setup), Image: setup.Image})
	if err != nil {
		return nil, fmt.Errorf("make persona %s: %w", setup.Persona, err)
	}
	keys, err := publicKeys(setup.HostKeys)
	if err != nil {
		return nil, err
	}
	if err := host.Facing(doors(setup.Sensors), keys); err != nil {
		return nil, fmt.Errorf("make persona %s: %w", setup.Persona, err)
	}
	for _, t := range setup.Tokens {
		if t.Path == "" {
			continue
		}
		if err := host.Plant(t.Path, vfs.Cred{UID: t.UID, GID: t.GID}, t.Mode, t.Content); err != nil {
			return nil, fmt.Errorf("plant %s: %w", t.Path, err)
		}
	}
	world := NewWorld(WorldConfig{
		Host: host, Seed: setup.Seed, Baits: baits(setup.Tokens), Now: now,
		Quota: vfs.Quota{Bytes: setup.Limits.DiskPerSource}, Sources: setup.Limits.Sources, Keeper: keeper, Log: log,
	})
	limits := Limits{PerSource: setup.Limits.ConnsPerSource, Total: setup.Limits.Conns, Recording: setup.Limits.Recording}
	p := &process{door: NewDoorman(limits), world: world}
	for _, s := range setup.Sensors {
		srv, err := open(ctx, s, set, decode, Deps{
			Name: s.Name, Log: log, World: world, HostKeys: setup.HostKeys, Now: now, Seed: setup.Seed, Listen: listen(s.Addr),
		})
		if err != nil {
			return nil, err
		}
		srv.Sink = sink
		srv.Limits, srv.Door, srv.Facing = limits, p.door, seenPort(s)
		p.servers = append(p.servers, srv)
	}
	return p, nil
}

// deployed is the moment the host's history is counted from; it must not move
// when the process starts again.
func deployed(setup ipc.Setup) time.Time {
	if setup.Deployed.IsZero() {
		return setup.Now
	}
	return setup.Deployed
}

// open makes one sensor from its setup.
func open(ctx context.Context, s ipc.SensorSetup, set Set, decode Decoder, dep Deps) (*Server, error) {
	k, err := set.Lookup(s.Kind)
	if err != nil {
		return nil, fmt.Errorf("sensor %s: %w", s.Name, err)
	}
	var dec kind.Decode
	if len(s.Config) > 0 {
		dec = decode(s.Config)
	}
	opened, err := k.Open(ctx, dec, dep)
	if err != nil {
		return nil, fmt.Errorf("open sensor %s: %w", s.Name, err)
	}
	return &Server{Name: s.Name, Service: s.Kind, Sensor: opened, World: dep.World, Log: dep.Log, Now: dep.Now}, nil
}

// check finds a sensor whose listener was not handed over.
func check(sensors []ipc.SensorSetup, listeners int) error {
	for _, s := range sensors {
		if s.Listener >= listeners {
			return fmt.Errorf("sensor %s: listener %d of %d", s.Name, s.Listener, listeners)
		}
	}
	return nil
}

// clock returns the core's wall clock, which goes on by the process's own
// monotonic clock: the sandbox has no other.
func clock(core time.Time) func() time.Time {
	if core.IsZero() {
		return time.Now
	}
	ahead := time.Until(core)
	if ahead.Abs() < time.Second {
		return time.Now // the same machine
	}
	return func() time.Time { return time.Now().Add(ahead) }
}

func listen(addr string) netip.AddrPort {
	a, _ := netip.ParseAddrPort(addr)
	return a
}

func baits(tokens []ipc.TokenSetup) []Bait {
	out := make([]Bait, 0, len(tokens))
	for _, t := range tokens {
		b := Bait{ID: t.ID, Kind: t.Kind, Path: t.Path, Needles: t.Needles}
		for _, c := range t.Credentials {
			b.Credentials = append(b.Credentials, Credential(c))
		}
		out = append(out, b)
	}
	return out
}

// receive handles what the core sends until it says stop or is gone. It never
// waits for the core itself, or no acknowledgement would come through.
func (p *process) receive(ctx context.Context, conn *ipc.Conn, out *ipc.Outbox, packets chan<- ipc.Packet) error {
	for {
		m, err := conn.Receive()
		switch {
		case ctx.Err() != nil && err != nil, errors.Is(err, io.EOF), errors.Is(err, net.ErrClosed):
			return nil
		case err != nil:
			return fmt.Errorf("receive from the core: %w", err)
		}
		switch m := m.(type) {
		case ipc.Stop:
			p.stop()
		case ipc.Ack:
			out.Acked(m.N)
		case ipc.Recalled:
			p.world.Recalled(m.Source, m.World)
		case ipc.Packet:
			select {
			case packets <- m:
			default: // a datagram may get lost
			}
		}
	}
}

// answer lets the sensors answer relayed datagrams, one after the other.
func (p *process) answer(ctx context.Context, conn *ipc.Conn, packets <-chan ipc.Packet) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case m := <-packets:
			if err := conn.Send(ipc.PacketReply{ID: m.ID, Data: p.packet(ctx, m)}); err != nil {
				return fmt.Errorf("answer packet: %w", err)
			}
		}
	}
}

// Memory is given back to the machine this often, when at least so much was
// allocated meanwhile or so many peers have left, and once more: a collection
// halves a stack that has grown too large, and most of what a waiting peer
// costs is stacks. The runtime alone keeps what a crowd used for minutes.
const (
	giveBackEvery = 2 * time.Second
	giveBackAfter = 4 << 20
	giveBackLeft  = 32
	giveBackMore  = 2 // rounds after the last with a reason
)

// While little is alive, collections are made rarer: they are about a twentieth
// of what a crowd of short logins costs, and the garbage between two of them
// stays small.
const (
	smallHeap  = 32 << 20
	rareGC     = 300 // percent of what is alive
	ordinaryGC = 100
)

// giveBack returns memory that nothing uses any more. It costs one collection
// per round, and none in a quiet process.
func (p *process) giveBack(ctx context.Context) error {
	tick := time.NewTicker(giveBackEvery)
	defer tick.Stop()
	defer debug.SetGCPercent(debug.SetGCPercent(rareGC))
	sample := []metrics.Sample{{Name: "/gc/heap/allocs:bytes"}, {Name: "/gc/heap/live:bytes"}}
	last, peers, rounds := uint64(0), 0, 0
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		metrics.Read(sample)
		now, open := sample[0].Value.Uint64(), p.door.Open()
		if now-last > giveBackAfter || open+giveBackLeft <= peers {
			rounds = 1 + giveBackMore
		}
		if rounds > 0 {
			rounds--
			last, peers = now, open
			debug.FreeOSMemory()
		}
		peers = max(peers, open)
		if sample[1].Value.Uint64() < smallHeap {
			debug.SetGCPercent(rareGC)
		} else {
			debug.SetGCPercent(ordinaryGC)
		}
	}
}

func (p *process) packet(ctx context.Context, m ipc.Packet) []byte {
	if m.Sensor < 0 || m.Sensor >= len(p.servers) {
		return nil
	}
	return p.servers[m.Sensor].Packet(ctx, unmapped(m.From), m.Data)
}

// uplink is the Sink of a sensor process. Its calls end when the outbox does:
// once the core is gone nobody is left to hear of an event.
type uplink struct{ out *ipc.Outbox }

// Event queues e and waits while the core is behind.
func (u uplink) Event(e honeyguide.Event) { _ = u.out.Event(context.Background(), e) }

// Chunk queues c and waits while the core is behind.
func (u uplink) Chunk(c ipc.Chunk) { _ = u.out.Chunk(context.Background(), c) }

// maxAsked bounds the sources whose memory is being asked for.
const maxAsked = 4096

// recollector is the Keeper of a sensor process: the core.
type recollector struct {
	conn  *ipc.Conn
	asked chan netip.Addr
}

// Recall queues a question; when too many wait, it gets no answer.
func (r *recollector) Recall(source netip.Addr) {
	select {
	case r.asked <- source:
	default:
	}
}

// Remember sends a world. Once the core is gone nobody is left to keep it.
func (r *recollector) Remember(source netip.Addr, world []byte) {
	_ = r.conn.Send(ipc.Remember{Source: source, World: world})
}

// ask sends the questions until ctx ends.
func (r *recollector) ask(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case source := <-r.asked:
			if err := r.conn.Send(ipc.Recall{Source: source}); err != nil {
				return fmt.Errorf("ask for a world: %w", err)
			}
		}
	}
}

// Piece queues p and waits while the core is behind.
func (u uplink) Piece(p ipc.Piece) { _ = u.out.Piece(context.Background(), p) }

// logTo sends log lines to the core, which writes them.
type logTo struct {
	out   *ipc.Outbox
	attrs []ipc.LogAttr
}

// Enabled leaves debugging lines in the process.
func (l *logTo) Enabled(_ context.Context, level slog.Level) bool { return level >= slog.LevelInfo }

// Handle sends one line; values are escaped and cut.
func (l *logTo) Handle(_ context.Context, r slog.Record) error {
	line := ipc.Log{Level: r.Level, Msg: r.Message, Attrs: append([]ipc.LogAttr(nil), l.attrs...)}
	r.Attrs(func(a slog.Attr) bool {
		line.Attrs = append(line.Attrs, logAttr(a))
		return len(line.Attrs) < 32
	})
	l.out.Log(line)
	return nil
}

// WithAttrs returns a handler that adds attrs to every line.
func (l *logTo) WithAttrs(attrs []slog.Attr) slog.Handler {
	next := &logTo{out: l.out, attrs: append([]ipc.LogAttr(nil), l.attrs...)}
	for _, a := range attrs {
		next.attrs = append(next.attrs, logAttr(a))
	}
	return next
}

// WithGroup is not used in this house; names stay flat.
func (l *logTo) WithGroup(string) slog.Handler { return l }

func logAttr(a slog.Attr) ipc.LogAttr {
	return ipc.LogAttr{Key: a.Key, Value: safetext.TermN(a.Value.String(), 500)}
}
