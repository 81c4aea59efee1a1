// Package syslog listens for what other machines send by syslog: datagrams (RFC
// 5426), streams (RFC 6587) and TLS (RFC 5425). Streams may count octets or end
// messages with a line break; which of the two is found out for each connection
// by its first byte. What stands in a message is package ingest's business:
// headers of RFC 3164 and 5424 as well as JSON behind them.
//
// The protocol has no acknowledgement. A stream that is not read makes its
// sender wait; a datagram nobody has room for is gone and counted.
package syslog

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/netip"
	"os"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/source"
	"honeyguide/internal/supervise"
)

// Kind listens for syslog.
var Kind = kind.Of("syslog", "Messages of other machines by UDP, TCP or TLS.", Config{
	Network: []string{"udp", "tcp"}, Listen: "127.0.0.1:5514", Rate: 5000, MaxMessage: 64 << 10, MaxConns: 256, Idle: time.Hour,
}, open)

// Config configures a syslog source.
type Config struct {
	Network    []string      `yaml:"network" doc:"udp, tcp or tls; several of them share the address, but tcp and tls exclude each other"`
	Listen     string        `yaml:"listen" doc:"address and port"`
	Allow      []string      `yaml:"allow" doc:"addresses and prefixes of senders; empty = anybody who reaches the port"`
	Rate       int           `yaml:"rate" doc:"messages a second taken from one address; streams wait, datagrams over it are dropped and counted"`
	MaxMessage int           `yaml:"max_message" doc:"bytes of one message, 1024 to 1048576; longer ones become dead letters"`
	MaxConns   int           `yaml:"max_conns" doc:"streams open at the same time"`
	Idle       time.Duration `yaml:"idle" doc:"a stream that brings nothing for so long is closed"`
	Cert       string        `yaml:"cert" doc:"PEM file of the certificate, for tls"`
	Key        string        `yaml:"key" doc:"PEM file of its key, for tls"`
	ClientCA   string        `yaml:"client_ca" doc:"PEM file of the authorities of senders' certificates; empty = senders need none"`
}

// Validate checks the configuration.
func (c *Config) Validate() error {
	has := map[string]bool{}
	for _, n := range c.Network {
		has[n] = true
		if n != "udp" && n != "tcp" && n != "tls" {
			return invalid("network: " + n + " is not udp, tcp or tls")
		}
	}
	_, _, err := net.SplitHostPort(c.Listen)
	switch {
	case len(has) == 0:
		return invalid("network: missing; say udp, tcp or tls")
	case has["tcp"] && has["tls"]:
		return invalid("network: tcp and tls cannot share a port; make two sources")
	case err != nil:
		return invalid("listen: want an address and a port, for example 0.0.0.0:5514")
	case has["tls"] && (c.Cert == "" || c.Key == ""):
		return invalid("cert, key: tls needs both")
	case c.Rate < 1 || c.MaxConns < 1 || c.MaxConns > 10_000:
		return invalid("rate: want 1 or more; max_conns: want 1 to 10000")
	case c.MaxMessage < 1024 || c.MaxMessage > source.MaxRecord:
		return invalid("max_message: want 1024 to 1048576")
	case c.Idle < time.Second:
		return invalid("idle: want 1s or more")
	}
	_, err = prefixes(c.Allow)
	return err
}

// prefixes reads the addresses that may send.
func prefixes(list []string) ([]netip.Prefix, error) {
	var out []netip.Prefix
	for _, s := range list {
		p, err := netip.ParsePrefix(s)
		if err != nil {
			a, err := netip.ParseAddr(s)
			if err != nil {
				return nil, invalid("allow: " + s + " is no address and no prefix such as 192.0.2.0/24")
			}
			p = netip.PrefixFrom(a, a.BitLen())
		}
		out = append(out, p.Masked())
	}
	return out, nil
}

func invalid(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

// attrPeer is the attribute that says who handed a message in; its header says
// who wrote it.
const attrPeer = "source.peer"

type server struct {
	cfg    Config
	allow  []netip.Prefix
	stream net.Listener
	secure *tls.Config // of streams; nil: they are plain
	packet net.PacketConn
	in     *inbox
}

func open(ctx context.Context, cfg Config, dep source.Deps) (source.Source, error) {
	allow, err := prefixes(cfg.Allow)
	if err != nil {
		return nil, err
	}
	s := &server{cfg: cfg, allow: allow, in: newInbox(honeyguide.NewID(dep.Now()))}
	for _, network := range cfg.Network {
		if err := s.listen(ctx, network, dep); err != nil {
			s.close()
			return nil, err
		}
	}
	return s, nil
}

func (s *server) listen(ctx context.Context, network string, dep source.Deps) error {
	if network == "udp" {
		_, packet, err := dep.Listen(ctx, "udp", s.cfg.Listen)
		if s.packet = packet; err != nil {
			return doorless(s.cfg.Listen, err)
		}
		if b, ok := packet.(interface{ SetReadBuffer(int) error }); ok {
			_ = b.SetReadBuffer(readBuffer) // the kernel gives what it may
		}
		return nil
	}
	if network == "tls" {
		var err error
		if s.secure, err = s.cfg.tls(); err != nil {
			return err
		}
	}
	l, _, err := dep.Listen(ctx, "tcp", s.cfg.Listen)
	if err != nil {
		return doorless(s.cfg.Listen, err)
	}
	s.stream = l
	return nil
}

func doorless(addr string, err error) error {
	return &honeyguide.Error{
		Code: honeyguide.CodeUnavailable, Err: err,
		Message: "cannot listen on " + addr + " (" + reason(err) + "); choose another port, stop who holds it, or allow this user ports below 1024",
	}
}

// reason is the last part of a network error: the rest repeats the address.
func reason(err error) string {
	text := err.Error()
	return text[strings.LastIndex(text, ": ")+1:]
}

// tls reads the certificates.
func (c *Config) tls() (*tls.Config, error) {
	cert, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Err: err, Message: "cert, key: " + err.Error()}
	}
	out := &tls.Config{MinVersion: tls.VersionTLS12, Certificates: []tls.Certificate{cert}}
	if c.ClientCA == "" {
		return out, nil
	}
	raw, err := os.ReadFile(c.ClientCA)
	if err != nil {
		return nil, invalid("client_ca: " + err.Error())
	}
	out.ClientCAs, out.ClientAuth = x509.NewCertPool(), tls.RequireAndVerifyClientCert
	if !out.ClientCAs.AppendCertsFromPEM(raw) {
		return nil, invalid("client_ca: " + c.ClientCA + " holds no certificate")
	}
	return out, nil
}

func (s *server) close() {
	if s.stream != nil {
		_ = s.stream.Close()
	}
	if s.packet != nil {
		_ = s.packet.Close()
	}
}

// Run serves until ctx ends. The doors stay open over restarts: they close with
// the process.
func (s *server) Run(ctx context.Context, sink *source.Sink) error {
	serving, cancel := context.WithCancel(ctx)
	defer cancel()
	g := supervise.New(nil)
	gate, peers := newLimiter(s.cfg.Rate), newPeers()
	keep := func(name string, fn func(context.Context) error) {
		g.Keep(serving, name, func(ctx context.Context) error {
			err := fn(ctx)
			if ctx.Err() == nil {
				sink.Fault(ctx, err)
			}
			return err
		})
	}
	if s.packet != nil {
		keep("syslog datagrams", func(ctx context.Context) error { return s.datagrams(ctx, sink, gate, peers) })
	}
	if s.stream != nil {
		keep("syslog streams", func(ctx context.Context) error { return s.streams(ctx, g, sink, gate, peers) })
	}
	err := s.store(serving, sink, peers)
	cancel()
	if waited := g.Wait(); err == nil {
		err = waited
	}
	return errors.Join(err, s.drain(ctx, sink))
}

// store hands on what was received.
func (s *server) store(ctx context.Context, sink *source.Sink, peers *peers) error {
	var shown time.Time
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-s.in.more:
		}
		if err := s.pass(ctx, sink); err != nil {
			return err
		}
		if now := time.Now(); now.Sub(shown) > time.Second {
			sink.Show(peers.list(), 0)
			shown = now
		}
	}
}

// pass stores what waits in the inbox.
func (s *server) pass(ctx context.Context, sink *source.Sink) error {
	pieces, letters := s.in.take()
	if len(pieces) > 0 {
		if err := sink.Take(ctx, pieces...); err != nil {
			s.in.back(pieces)
			return err
		}
	}
	for _, d := range letters {
		if err := sink.Refuse(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

// drainTime bounds the storing of what was received when the core stops.
const drainTime = 4 * time.Second

// drain stores what was received and not stored when the end came: nobody will
// send it again.
func (s *server) drain(ctx context.Context, sink *source.Sink) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), drainTime)
	defer cancel()
	return s.pass(ctx, sink)
}

// allowed reports whether an address may send.
func (s *server) allowed(a netip.Addr) bool {
	for _, p := range s.allow {
		if p.Contains(a) {
			return true
		}
	}
	return len(s.allow) == 0
}
