package sensor

import (
	"context"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/shell"
)

// bash is the shell of a login, with the login's entries in the machine's
// tables.
type bash struct {
	*shell.Shell
	login *machine.Session
}

// Close takes the login out of the tables.
func (b bash) Close() {
	if b.login != nil {
		b.login.Close()
	}
}

// Open starts a dialogue on a terminal.
func (b bash) Open(ctx context.Context, a Attachment) Terminal { return b.Shell.Open(ctx, a) }

// newShell is the ShellFunc of every world that is not told otherwise: bash on
// the pretended machine.
func newShell(w *World, s *Session, a Account, o ShellOptions, watch *Watch) Shell {
	fs := w.FS(s)
	opt := shell.Options{
		Host: w.Host, FS: fs, User: a.User, Cred: a.Cred, Env: o.Env, Dir: a.Home, Login: o.Login,
		TTY: o.TTY, Cols: o.Cols, Rows: o.Rows, Term: o.Term,
		Now: w.now, Seed: draw(w.seed, "shell\x00"+s.ID), Watch: watch, Pool: w.poolOf(s),
	}
	telnet := s.service == "telnet"
	if !telnet { // only sshd tells a shell who its peer is
		opt.Src, opt.Dst = s.Src.String(), s.local().String()
	}
	var login *machine.Session
	if t := machine.TableOf(fs); t != nil {
		if telnet {
			login = t.OpenTelnet(a.User, s.local(), s.Src)
		} else {
			login = t.OpenSSH(a.User, a.Cred.UID, a.Cred.GID, o.TTY, s.local(), s.Src)
		}
		opt.TTYName, opt.Parent = login.TTY, login.Parent
	}
	return bash{shell.New(opt), login}
}
