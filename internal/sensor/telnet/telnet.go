// Package telnet is the Telnet decoy: to a peer it is GNU inetutils telnetd 2.4
// of Debian 12, with login(1) and a shell on the pretended machine behind it.
// The order of its options is recorded from the real program; everything typed
// and shown is recorded.
package telnet

import (
	"context"
	"errors"
	"io"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/sensor"
)

// Kind is the Telnet sensor.
var Kind = kind.Of("telnet", "GNU inetutils telnetd of Debian 12 with a shell behind it.", Config{
	Accept: sensor.AcceptList, Delay: 3 * time.Second, Grace: time.Minute, Tries: 3, Patience: 3 * time.Second,
}, open)

// Config configures a Telnet sensor.
type Config struct {
	Accept   sensor.Accept `yaml:"accept" doc:"who is let in: never, list, always or after-N"`
	Delay    time.Duration `yaml:"delay" doc:"how long a refused password takes; 0 answers at once"`
	Grace    time.Duration `yaml:"grace" doc:"time to log in before the connection is closed"`
	Tries    int           `yaml:"tries" doc:"attempts to log in on one connection"`
	Patience time.Duration `yaml:"patience" doc:"time a peer that does not negotiate waits for the prompt; the real program waits for ever, but most loaders never negotiate"`
}

// Validate says what is wrong with a configuration.
func (c *Config) Validate() error {
	switch {
	case c.Delay < 0 || c.Delay > 30*time.Second:
		return errors.New("delay: want 0 to 30s")
	case c.Grace < time.Second || c.Grace > time.Hour:
		return errors.New("grace: want 1s to 1h")
	case c.Tries < 1 || c.Tries > 100:
		return errors.New("tries: want 1 to 100")
	case c.Patience < 0 || c.Patience > time.Minute:
		return errors.New("patience: want 0 to 1m")
	}
	return c.Accept.Check()
}

type service struct {
	cfg Config
	dep sensor.Deps
}

var _ sensor.Sensor = (*service)(nil)

func open(_ context.Context, cfg Config, dep sensor.Deps) (sensor.Sensor, error) {
	return &service{cfg: cfg, dep: dep}, nil
}

// ServeConn negotiates, asks for a login and hands the terminal to a shell.
func (s *service) ServeConn(ctx context.Context, ses *sensor.Session) error {
	ses.Opaque() // the terminal is searched before it is escaped
	limit := time.Now().Add(s.cfg.Grace)
	_ = ses.SetDeadline(limit)
	t := newTerminal(ses)
	if err := t.negotiate(time.Now().Add(s.cfg.Patience), limit); err != nil {
		return s.left(t)
	}
	t.report()
	user, err := s.login(ctx, t)
	if err != nil {
		return s.left(t)
	}
	_ = ses.SetDeadline(time.Time{})
	greeting := s.greeting(ses, user) // before this login is the last one
	l := s.dep.World.Enter(ses, sensor.ShellOptions{
		User: user, Login: true, TTY: true, Cols: t.cols, Rows: t.rows, Term: t.term,
	})
	l.Resize(t.cols, t.rows)
	t.resized = l.Resize
	ses.Record('o', []byte(greeting))
	if _, err := io.WriteString(t, greeting); err != nil {
		l.Close()
		return nil
	}
	over := make(chan struct{})
	tty := l.Open(ctx, sensor.Attachment{Out: t, Ended: func(int) {
		close(over)
		_ = ses.SetReadDeadline(time.Unix(1, 0)) // ends the reading below
	}})
	tty.Follow(ctx, t)
	<-over
	return nil
}

// left ends a connection whose peer never got in; the time for it may be over.
func (s *service) left(t *terminal) error {
	if t.late {
		_ = t.ses.SetWriteDeadline(time.Now().Add(time.Second))
		_, _ = io.WriteString(t, "\r\nLogin timed out after 60 seconds.\r\n")
	}
	t.report()
	return nil
}

// greeting is what login(1) of Debian shows: the last login, then the message of
// the day.
func (s *service) greeting(ses *sensor.Session, user string) string {
	motd, at, from := s.dep.World.Greeting(ses, user)
	if from == "" {
		return motd
	}
	return "Last login: " + at.Format("Mon Jan _2 15:04:05 MST 2006") + " from " + from + " on pts/0\r\n" + motd
}

// Bounds of what is typed at the prompts of login(1).
const (
	maxLine  = 255 // bytes of a line
	maxEmpty = 100 // empty names
)

// errTries says that there were enough attempts.
var errTries = errors.New("too many attempts")

// login asks for user and password until a pair is let in.
func (s *service) login(ctx context.Context, t *terminal) (string, error) {
	host, _, _ := strings.Cut(s.dep.World.Host.Machine.Hostname, ".")
	if _, err := io.WriteString(t, s.banner(host)); err != nil {
		return "", err
	}
	empty := 0
	for try := 0; try < s.cfg.Tries; {
		user, err := t.ask(host+" login: ", true)
		if err != nil {
			return "", err
		}
		if user == "" {
			if empty++; empty > maxEmpty {
				return "", errTries
			}
			continue
		}
		password, err := t.ask("Password: ", false)
		if err != nil {
			return "", err
		}
		try++
		ok := s.dep.World.Login(t.ses.Src.Addr(), "telnet", s.cfg.Accept, user, password)
		t.ses.Emit(attempt(ok, user, password))
		if ok {
			return user, nil
		}
		if !pause(ctx, s.cfg.Delay) {
			return "", ctx.Err()
		}
		if _, err := io.WriteString(t, "\r\nLogin incorrect\r\n"); err != nil {
			return "", err
		}
	}
	_, _ = io.WriteString(t, "\r\nMaximum number of tries exceeded (5)\r\n")
	return "", errTries
}

// banner is telnetd's own: system, release, host and terminal.
func (s *service) banner(host string) string {
	return "\r\nLinux " + s.dep.World.Kernel() + " (" + host + ") (pts/0)\r\n\r\n"
}

func attempt(ok bool, user, password string) honeyguide.Event {
	e := honeyguide.Event{Class: honeyguide.ClassAuthentication, Activity: honeyguide.ActivityLoginFailed}
	if ok {
		e.Activity, e.Severity = honeyguide.ActivityLoginSuccess, honeyguide.SeverityMedium
	}
	e.Set(honeyguide.AttrAuthMethod, "password")
	e.Set(honeyguide.AttrUser, strings.ToValidUTF8(user, "\ufffd"))
	e.Set(honeyguide.AttrPassword, strings.ToValidUTF8(password, "\ufffd"))
	if password == "" {
		e.Attrs[honeyguide.AttrPassword] = ""
	}
	return e
}

// pause waits, and reports false when ctx ended first.
func pause(ctx context.Context, d time.Duration) bool {
	if d == 0 {
		return ctx.Err() == nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
