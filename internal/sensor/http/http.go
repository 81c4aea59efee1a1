// Package http is the web decoy: to a peer it is nginx 1.22.1 of Debian 12 with
// the pretended machine's web root and a small application's login page behind
// it. Requests are parsed and answers written here, byte for byte as nginx does
// (order of headers, pages, which mistake ends the connection), for the standard
// library's server is recognised by its answers.
//
// What a peer wrote below the web root over another service is served. Every
// request becomes an event, also one that cannot be understood.
package http

import (
	"bufio"
	"context"
	"errors"
	"io"
	"time"

	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
)

// Kind is the HTTP sensor.
var Kind = kind.Of("http", "nginx 1.22.1 of Debian 12 with a web root and a login page.", Config{
	Accept: "never", Root: "/var/www/html", Dotfiles: "deny", Login: "/login", Idle: time.Minute,
}, open)

// Config configures an HTTP sensor.
type Config struct {
	Accept   sensor.Accept `yaml:"accept" doc:"who gets through the login page besides planted credentials: never or always"`
	Root     string        `yaml:"root" doc:"web root on the pretended machine"`
	Dotfiles string        `yaml:"dotfiles" doc:"files whose names begin with a dot: deny answers 403, serve treats them as any other"`
	Login    string        `yaml:"login" doc:"path of the application's login page; empty means there is none"`
	Idle     time.Duration `yaml:"idle" doc:"time a connection may be silent"`
}

// Validate says what is wrong with a configuration.
func (c *Config) Validate() error {
	switch {
	case c.Accept != "never" && c.Accept != "always":
		return errors.New("accept: want never or always: the page has no accounts of its own")
	case c.Root == "" || c.Root[0] != '/':
		return errors.New("root: want an absolute path")
	case c.Dotfiles != "deny" && c.Dotfiles != "serve":
		return errors.New("dotfiles: want deny or serve")
	case c.Login != "" && c.Login[0] != '/':
		return errors.New("login: want a path that begins with a slash")
	case c.Idle < time.Second || c.Idle > time.Hour:
		return errors.New("idle: want 1s to 1h")
	}
	return nil
}

// maxKeepAlive is nginx' keepalive_requests.
const maxKeepAlive = 1000

type service struct {
	cfg Config
	dep sensor.Deps
}

var _ sensor.Sensor = (*service)(nil)

func open(_ context.Context, cfg Config, dep sensor.Deps) (sensor.Sensor, error) {
	return &service{cfg: cfg, dep: dep}, nil
}

// ServeConn answers requests, one after the other, until one of the sides ends
// the connection.
func (s *service) ServeConn(ctx context.Context, ses *sensor.Session) error {
	in := bufio.NewReaderSize(ses, lineLimit+2)
	w := &writer{out: bufio.NewWriterSize(ses, 4096), now: s.dep.Now}
	for n := 1; ctx.Err() == nil; n++ {
		_ = ses.SetDeadline(time.Now().Add(s.cfg.Idle))
		q, err := readRequest(in)
		if err != nil && !q.begun {
			return nil // the peer left, or never said anything
		}
		ses.Running(q.title())
		if err == nil {
			if q.expectsContinue() {
				_ = w.interim()
			}
			q.body, err = q.readBody(in)
		}
		a, answered := s.answer(ses, q, err)
		a.keep = a.keep && q.keepAlive() && n < maxKeepAlive
		if answered {
			err = errors.Join(err, w.write(q, a, a.keep && in.Buffered() > 0))
		}
		s.report(ses, q, a, err)
		ses.Ran(q.title())
		if !answered || !a.keep || w.failed {
			if answered {
				linger(ses)
			}
			return nil
		}
	}
	return nil
}

// Bounds of what is still read from a peer that was told to go.
const (
	lingerTime  = time.Second
	lingerBytes = 256 << 10
)

// linger lets the peer take the last answer: closing with unread input resets
// the connection and may take the answer with it.
func linger(ses *sensor.Session) {
	if c, ok := ses.Conn.(interface{ CloseWrite() error }); !ok || c.CloseWrite() != nil {
		return
	}
	_ = ses.SetReadDeadline(time.Now().Add(lingerTime))
	_, _ = io.CopyN(io.Discard, ses, lingerBytes)
}
