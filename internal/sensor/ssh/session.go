package ssh

import (
	"context"
	"io"
	"strings"
	"sync"

	"honeyguide"
	"honeyguide/internal/sensor"
)

// maxEnv bounds the environment a peer may set.
const maxEnv = 64

// session is one session channel: requests prepare it, then a shell, a command
// or a subsystem runs in it, once.
type session struct {
	*conn
	ch         channel
	env        []string
	pty        bool
	term       string
	cols, rows int

	started bool
	cancel  context.CancelFunc // ends what was started
	mu      sync.Mutex
	login   *sensor.Login
}

// end ends the session with its channel.
func (s *session) end() {
	if s.cancel != nil {
		s.cancel()
	}
	s.ch.close()
	s.ended()
}

// request answers one request. Success is sent before anything runs: a client
// must see it before the first output.
func (s *session) request(ctx context.Context, r request) {
	p := reader{p: r.payload}
	switch r.name {
	case "env":
		name, value := p.text(), p.text()
		r.answer(!p.bad && !s.started && s.setenv(name, value))
	case "pty-req":
		s.term = clean(p.text())
		s.cols, s.rows = sensor.Size(int(p.number()), int(p.number()))
		ok := !p.bad && !s.pty && !s.started
		s.pty = s.pty || ok
		r.answer(ok)
	case "window-change":
		s.resize(int(p.number()), int(p.number()))
		r.answer(true)
	case "shell":
		s.start(ctx, r, s.greeting(), func(ctx context.Context, l *sensor.Login) int {
			return l.Script(ctx, s.ch, s.ch, s.ch.stderr())
		})
	case "exec":
		line := p.text()
		if p.bad {
			r.answer(false)
			return
		}
		if isSFTP(line) && !s.pty {
			s.subsystem(ctx, r, "sftp")
			return
		}
		s.start(ctx, r, "", func(ctx context.Context, l *sensor.Login) int { return s.exec(ctx, l, line) })
	case "subsystem":
		name := p.text()
		s.subsystem(ctx, r, name)
	case "signal":
		r.answer(false)
	case "auth-agent-req@openssh.com":
		// The first one of a connection is granted, whoever asks again is not.
		s.unsupported("request " + r.name)
		r.answer(!s.agent)
		s.agent = true
	default: // x11-req, break, ...
		s.unsupported("request " + clean(r.name))
		r.answer(false)
	}
}

// setenv keeps a variable Debian's sshd accepts: AcceptEnv LANG LC_*.
func (s *session) setenv(name, value string) bool {
	if name != "LANG" && !strings.HasPrefix(name, "LC_") || len(s.env) >= maxEnv || len(value) > 1024 {
		return false
	}
	if strings.ContainsAny(name, "=\x00\n") || strings.ContainsAny(value, "\x00") {
		return false
	}
	s.env = append(s.env, name+"="+value)
	return true
}

// subsystem starts the one sshd of this machine knows, sftp, and refuses others.
func (s *session) subsystem(ctx context.Context, r request, name string) {
	e := honeyguide.Event{Class: honeyguide.ClassSSH, Activity: honeyguide.ActivitySubsystem}
	if name != "sftp" || s.started {
		e.Activity = honeyguide.ActivityUnsupported
		e.Set(honeyguide.AttrDetail, "subsystem "+clean(name))
		s.ses.Emit(e)
		r.answer(false)
		return
	}
	e.Set(honeyguide.AttrDetail, name)
	s.ses.Emit(e)
	if ctx, cancel, ok := s.begin(ctx, r); ok {
		s.run(ctx, cancel, s.sftp)
	}
}

// sftp serves files until the peer is done.
func (s *session) sftp(ctx context.Context) int {
	return s.svc.dep.World.ServeSFTP(ctx, s.ses, s.user, s.ch, s.ch)
}

// isSFTP reports a command line that starts sftp-server, as clients do that know
// no subsystems.
func isSFTP(line string) bool {
	words := strings.Fields(line)
	if len(words) > 0 && words[0] == "exec" {
		words = words[1:]
	}
	return len(words) == 1 && words[0] == sensor.SFTPServer
}

func (s *session) unsupported(what string) {
	e := honeyguide.Event{
		Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityUnsupported,
		Severity: honeyguide.SeverityInformational,
	}
	e.Set(honeyguide.AttrDetail, what)
	s.ses.Emit(e)
}

func (s *session) resize(cols, rows int) {
	s.cols, s.rows = sensor.Size(cols, rows)
	s.mu.Lock()
	login := s.login
	s.mu.Unlock()
	if login != nil {
		login.Resize(cols, rows)
	}
}

// begin takes the channel for what it was opened for and tells the peer; a
// channel is used once. What is begun ends with ctx, and calls cancel.
func (s *session) begin(ctx context.Context, r request) (_ context.Context, cancel context.CancelFunc, ok bool) {
	if s.started {
		r.answer(false)
		return ctx, nil, false
	}
	s.started = true
	ctx, cancel = context.WithCancel(ctx)
	s.cancel = cancel
	r.answer(true)
	return ctx, cancel, true
}

// run runs what answers the channel beside the loop that answers requests.
func (s *session) run(ctx context.Context, cancel context.CancelFunc, what func(context.Context) int) {
	s.ses.Go(func() {
		defer cancel()
		status := what(ctx)
		s.ch.exit(status)
	})
}

// start runs a shell, with a login in the machine's tables. The greeting is for
// a shell on a terminal.
func (s *session) start(ctx context.Context, r request, greeting string, run func(context.Context, *sensor.Login) int) {
	ctx, cancel, ok := s.begin(ctx, r)
	if !ok {
		return
	}
	login := s.svc.dep.World.Enter(s.ses, sensor.ShellOptions{
		User: s.user, Env: s.env, Login: r.name == "shell", TTY: s.pty, Cols: s.cols, Rows: s.rows, Term: s.term,
	})
	s.mu.Lock()
	s.login = login
	s.mu.Unlock()
	if s.pty {
		login.Resize(s.cols, s.rows)
	}
	if r.name == "shell" && s.pty {
		s.dialogue(ctx, cancel, login, greeting)
		return
	}
	s.run(ctx, cancel, func(ctx context.Context) int { return run(ctx, login) })
}

// dialogue runs an interactive shell on a terminal. There is no goroutine for it
// while it waits: the one that reads the connection feeds it. A peer that has
// nothing more to type leaves the terminal open, as with sshd: what was typed
// before still runs and shows its output.
func (s *session) dialogue(ctx context.Context, cancel context.CancelFunc, l *sensor.Login, greeting string) {
	keys := &keyboard{}
	s.ch.feed(keys.feed)
	s.shells.Add(1)
	over := sync.OnceFunc(func() { cancel(); s.shells.Done() })
	s.ses.Go(func() {
		opened := false
		defer func() {
			if !opened {
				over()
			}
		}()
		s.ses.Record('o', []byte(greeting))
		if _, err := io.WriteString(s.ch, greeting); err != nil {
			l.Close()
			s.ch.exit(255)
			return
		}
		keys.attach(l.Open(ctx, sensor.Attachment{Out: s.ch, Taken: s.ch.taken, Ended: func(status int) {
			s.ch.exit(status)
			over()
		}}))
		opened = true
	})
}

// keyboard keeps what is typed until there is a shell; the channel's window
// bounds it.
type keyboard struct {
	mu    sync.Mutex
	early []byte
	tty   sensor.Terminal
}

func (k *keyboard) feed(p []byte) int {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.tty == nil {
		k.early = append(k.early, p...)
		return len(k.early)
	}
	return k.tty.Feed(p)
}

func (k *keyboard) attach(t sensor.Terminal) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.tty = t
	if len(k.early) > 0 {
		t.Feed(k.early)
		k.early = nil
	}
}

// greeting is what sshd shows on a terminal: the message of the day, then the
// login before this one, which is why it is asked for before the shell is made.
func (s *session) greeting() string {
	if !s.pty || s.started {
		return ""
	}
	motd, at, from := s.svc.dep.World.Greeting(s.ses, s.user)
	if from == "" {
		return motd
	}
	return motd + "Last login: " + at.Format("Mon Jan _2 15:04:05 2006") + " from " + from + "\r\n"
}

// exec runs one command line. On a terminal both outputs go to it, with its
// line ends.
func (s *session) exec(ctx context.Context, l *sensor.Login, line string) int {
	if !s.pty {
		return l.Exec(ctx, line, s.ch, s.ch, s.ch.stderr())
	}
	out := &sensor.LineEnds{W: s.ch}
	return l.Exec(ctx, line, s.ch, out, out)
}
