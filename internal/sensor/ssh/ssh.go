// Package ssh is the SSH decoy: to a peer it is OpenSSH 9.2p1 of Debian 12, with
// a shell on the pretended machine behind it. Every attempt to log in, every
// command and every forward asked for is reported; nothing is ever dialled.
//
// What its answers must be is recorded from a live OpenSSH server; package
// sshwire speaks the protocol, this one decides.
package ssh

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sshwire"
)

// Kind is the SSH sensor.
var Kind = kind.Of("ssh", "OpenSSH 9.2p1 of Debian 12 with a shell behind it.", Config{
	Accept: sensor.AcceptList, Delay: 2 * time.Second, Grace: 2 * time.Minute, MaxTries: 6, MaxSessions: 10,
}, open)

// Config configures an SSH sensor.
type Config struct {
	Accept      sensor.Accept `yaml:"accept" doc:"who is let in: never, list, always or after-N"`
	Delay       time.Duration `yaml:"delay" doc:"about how long a refused password takes; 0 answers at once, without any of OpenSSH's timing"`
	Grace       time.Duration `yaml:"grace" doc:"time to log in before the connection is closed"`
	MaxTries    int           `yaml:"max_tries" doc:"attempts to log in on one connection"`
	MaxSessions int           `yaml:"max_sessions" doc:"sessions at a time on one connection"`
	Interactive bool          `yaml:"keyboard_interactive" doc:"offer keyboard-interactive besides publickey and password"`
	Version     string        `yaml:"version" doc:"version line; empty is the persona's"`
}

// Validate says what is wrong with a configuration.
func (c *Config) Validate() error {
	switch {
	case c.Delay < 0 || c.Delay > 30*time.Second:
		return errors.New("delay: want 0 to 30s")
	case c.Grace < time.Second || c.Grace > time.Hour:
		return errors.New("grace: want 1s to 1h")
	case c.MaxTries < 1 || c.MaxTries > 100:
		return errors.New("max_tries: want 1 to 100")
	case c.MaxSessions < 1 || c.MaxSessions > 100:
		return errors.New("max_sessions: want 1 to 100")
	case c.Version != "" && !validVersion(c.Version):
		return errors.New("version: want SSH-2.0- and printable ASCII, at most 253 characters")
	}
	return c.Accept.Check()
}

func validVersion(v string) bool {
	if len(v) > 253 || len(v) < 9 || v[:8] != "SSH-2.0-" {
		return false
	}
	for i := range len(v) {
		if v[i] < 0x20 || v[i] > 0x7e {
			return false
		}
	}
	return true
}

// debian12 is the version line of Debian 12's package.
const debian12 = "SSH-2.0-OpenSSH_9.2p1 Debian-2+deb12u10"

type service struct {
	cfg     Config
	dep     sensor.Deps
	version string
	wire    *sshwire.Server
	pace    pace
}

var (
	_ sensor.Sensor  = (*service)(nil)
	_ sensor.Refuser = (*service)(nil)
)

func open(_ context.Context, cfg Config, dep sensor.Deps) (sensor.Sensor, error) {
	s := &service{cfg: cfg, dep: dep, version: cfg.Version, pace: pace{delay: cfg.Delay, secret: dep.Seed}}
	if s.version == "" {
		s.version = cmp.Or(dep.World.Host.SSH.Banner, debian12)
	}
	wire, err := sshwire.NewServer(sshwire.Config{
		Profile: sshwire.OpenSSH92Debian12(), Version: s.version, HostKeys: dep.HostKeys,
		MaxTries: cfg.MaxTries, Interactive: cfg.Interactive,
	})
	if err != nil {
		return nil, fmt.Errorf("set up ssh transport: %w", err)
	}
	s.wire = wire
	return s, nil
}

// Refusal is what sshd says instead of its version line over MaxStartups.
func (s *service) Refusal() []byte { return []byte("Exceeded MaxStartups\r\n") }

// ServeConn exchanges version lines, lets the peer log in and serves its
// channels.
func (s *service) ServeConn(ctx context.Context, ses *sensor.Session) error {
	ses.Opaque()
	_ = ses.SetDeadline(time.Now().Add(s.cfg.Grace))
	nagle(ses.Conn, true)
	if !s.pace.banner(ctx) {
		return nil
	}
	c, err := s.letIn(ctx, ses)
	if err != nil {
		return quiet(err)
	}
	err = c.wire.Serve(ctx, wireMux{c})
	c.shells.Wait()
	return quiet(err)
}

// letIn exchanges version lines and keys and lets the peer log in. Its deep
// stack must not stay with a peer that is in and waits, so it has its own
// goroutine.
func (s *service) letIn(ctx context.Context, ses *sensor.Session) (c *conn, err error) {
	done := make(chan struct{})
	ses.Go(func() {
		defer close(done)
		err = errAbandoned // stays when what follows panics
		c, err = s.login(ctx, ses)
	})
	<-done
	return c, err
}

var errAbandoned = errors.New("handshake abandoned")

func (s *service) login(ctx context.Context, ses *sensor.Session) (*conn, error) {
	line, early, err := greet(ses, s.version)
	if err != nil {
		return nil, err
	}
	nagle(ses.Conn, false)
	g := &gate{done: ctx.Done(), svc: s, ses: ses, client: line}
	wire, err := s.wire.Handshake(ses, line, early, g)
	g.abandoned()
	if err != nil {
		return nil, err
	}
	_ = wire.Notify("hostkeys-00@openssh.com", s.wire.HostKeyBlobs())
	for _, text := range g.remarks() {
		_ = wire.Debug(text)
	}
	_ = ses.SetDeadline(time.Time{})
	ses.Hidden()
	return &conn{svc: s, ses: ses, wire: wire, user: g.user}, nil
}

// nagle switches Nagle's algorithm: sshd has it on until the peer is known.
func nagle(c net.Conn, on bool) {
	if t, ok := c.(interface{ SetNoDelay(bool) error }); ok {
		_ = t.SetNoDelay(!on)
	}
}

// quiet drops what only says that the peer left or spoke no SSH: that is a
// peer's right and reported as events.
func quiet(error) error { return nil }

// reportClient reports the peer's software.
func reportClient(ses *sensor.Session, version string, k kexInit) {
	e := honeyguide.Event{
		Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityClient,
		Severity: honeyguide.SeverityInformational,
	}
	e.Set(honeyguide.AttrClient, version)
	if k.algorithms != "" {
		e.Set(honeyguide.AttrHASSH, k.hassh)
		e.Set("client_hassh.algorithm", k.algorithms)
	}
	ses.Emit(e)
}
