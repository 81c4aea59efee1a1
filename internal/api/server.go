package api

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
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
		IdleTimeout: idleTimeout, MaxHeaderBytes: headerBytes, TLSConfig: l.TLS,
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
	err := serve(srv, &crowd{Listener: l.Listener, slots: make(chan struct{}, maxConns)}, l.TLS != nil)
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

// crowd accepts no more than so many connections at a time.
type crowd struct {
	net.Listener
	slots chan struct{}
	once  sync.Once
	done  chan struct{}
	mu    sync.Mutex
}

// Accept waits for a place, then for a peer.
func (c *crowd) Accept() (net.Conn, error) {
	select {
	case c.slots <- struct{}{}:
	case <-c.closed():
		return nil, net.ErrClosed
	}
	conn, err := c.Listener.Accept()
	if err != nil {
		<-c.slots
		return nil, err
	}
	return &seat{Conn: conn, leave: sync.OnceFunc(func() { <-c.slots })}, nil
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
