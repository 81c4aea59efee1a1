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
		TTY: o.TTY, Cols: o.Cols, Rows: o.Rows, Term: o.Term, Src: s.Src.String(), Dst: s.Dst.String(),
		Now: w.now, Seed: draw(w.seed, "shell\x00"+s.ID), Watch: watch,
	}
	var login *machine.Session
	if t := machine.TableOf(fs); t != nil {
		login = t.OpenSSH(a.User, a.Cred.UID, a.Cred.GID, o.TTY, s.Dst, s.Src)
		opt.TTYName = login.TTY
	}
	return bash{shell.New(opt), login}
}
