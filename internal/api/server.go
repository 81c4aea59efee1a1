package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/netip"
	"reflect"
	"sync"
	"time"
)

func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }

// A Listener is a way in.
type Listener struct {
	net.Listener
	// Local says that whoever can connect is the administrator: a unix socket of
	// mode 0600. It is never said of TCP.
	Local bool
	TLS   *tls.Config // nil: plain, for unix sockets
	// PerAddress is how many connections one address, or /64 of IPv6, may hold; 0: any
	// number. Loopback and Exempt, the proxies, may hold as many as there are.
	PerAddress int
	Exempt     []netip.Prefix
}

// Limits of a connection.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 20 * time.Second
	idleTimeout   = 30 * time.Second
	headerBytes   = 16 << 10
	maxConns      = 512
	stopTime      = 10 * time.Second // for requests under way when the core stops
)

// limits2 are those of HTTP/2. A peer that opens and resets streams as fast as it
// can has at most so many handlers at work; what it sends beyond waits in a queue
// of four times as many, and then its connection is closed (net/http).
var limits2 = http.HTTP2Config{
	MaxConcurrentStreams: 100,
	MaxReadFrameSize:     64 << 10,
	// What one connection and one stream may send before somebody reads it.
	MaxReceiveBufferPerConnection: 1 << 20,
	MaxReceiveBufferPerStream:     256 << 10,
	SendPingTimeout:               30 * time.Second, // a live stream is quiet for that long; a dead peer is found
	PingTimeout:                   10 * time.Second,
	WriteByteTimeout:              20 * time.Second, // of a peer that takes nothing, whatever deadline its stream has
}

// Serve answers on l until ctx ends, then gives requests under way ten seconds.
// The error is nil when ctx ended it.
func Serve(ctx context.Context, l Listener, h http.Handler, log *slog.Logger) error {
	if l.Local && l.Addr().Network() != "unix" {
		return fmt.Errorf("serve %s: only a unix socket may be local", l.Addr().Network())
	}
	if log == nil {
		log = slog.New(slog.DiscardHandler)
	}
	srv := &http.Server{
		Handler: h, ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout,
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes, TLSConfig: l.TLS, HTTP2: &limits2,
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelDebug),
		ConnContext: func(ctx context.Context, _ net.Conn) context.Context {
			if l.Local {
				return trust(ctx)
			}
			return ctx
		},
	}
	stopped := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(stopped)
		grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), stopTime)
		defer cancel()
		if err := srv.Shutdown(grace); err != nil {
			_ = srv.Close() // those that did not end in time
		}
	})
	err := serve(srv, &crowd{Listener: l.Listener, slots: make(chan struct{}, maxConns), most: l.PerAddress, exempt: l.Exempt}, l.TLS != nil)
	if !stop() {
		<-stopped
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return fmt.Errorf("serve the API on %s: %w", l.Addr(), err)
}

func serve(srv *http.Server, l net.Listener, secure bool) error {
	if secure {
		return srv.ServeTLS(l, "", "")
	}
	return srv.Serve(l)
}

// crowd accepts no more than so many connections at a time, and of one address.
type crowd struct {
	net.Listener
	slots  chan struct{}
	most   int // of one address; 0: any number
	exempt []netip.Prefix
	once   sync.Once
	done   chan struct{}
	mu     sync.Mutex
	by     map[netip.Prefix]int // connections held
}

// Accept waits for a place, then for a peer that may have it.
func (c *crowd) Accept() (net.Conn, error) {
	select {
	case c.slots <- struct{}{}:
	case <-c.closed():
		return nil, net.ErrClosed
	}
	for {
		conn, err := c.Listener.Accept()
		if err != nil {
			<-c.slots
			return nil, err
		}
		from, ok := c.enter(conn.RemoteAddr())
		if !ok {
			_ = conn.Close() // it has its share
			continue
		}
		return &seat{Conn: conn, leave: sync.OnceFunc(func() { c.leave(from); <-c.slots })}, nil
	}
}

// enter counts a connection of an address, the zero prefix for one that is not counted.
func (c *crowd) enter(addr net.Addr) (netip.Prefix, bool) {
	tcp, ok := addr.(*net.TCPAddr)
	if !ok || c.most <= 0 {
		return netip.Prefix{}, true
	}
	ip := tcp.AddrPort().Addr().Unmap().WithZone("")
	if ip.IsLoopback() || inside(c.exempt, ip) {
		return netip.Prefix{}, true
	}
	from := network(ip)
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[from] >= c.most {
		return from, false
	}
	if c.by == nil {
		c.by = map[netip.Prefix]int{}
	}
	c.by[from]++
	return from, true
}

func (c *crowd) leave(from netip.Prefix) {
	if !from.IsValid() {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.by[from]--; c.by[from] <= 0 {
		delete(c.by, from)
	}
}

func (c *crowd) closed() chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.done == nil {
		c.done = make(chan struct{})
	}
	return c.done
}

// Close ends waiting too.
func (c *crowd) Close() error {
	done := c.closed()
	c.once.Do(func() { close(done) })
	return c.Listener.Close()
}

// seat is a connection that gives its place back.
type seat struct {
	net.Conn
	leave func()
}

// Close closes the connection and leaves.
func (s *seat) Close() error {
	defer s.leave()
	return s.Conn.Close()
}
