package sensor

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/shell"
)

// A Shell is a login on the pretended machine; package shell makes the real one.
type Shell interface {
	// Exec runs one command line as "bash -c" and returns its exit status.
	Exec(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) int
	// Script runs the commands it reads from stdin, without a terminal.
	Script(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int
	// Open starts a dialogue on a terminal and returns at once.
	Open(ctx context.Context, a Attachment) Terminal
	// Resize tells the size of the terminal; any goroutine may call it.
	Resize(cols, rows int)
}

// An Attachment says where the output of a terminal goes and who is told of its
// end.
type Attachment = shell.Attachment

// A Terminal is an interactive shell that is fed with what the peer types; while
// it waits it holds no goroutine. Its methods may be called from anywhere.
type Terminal interface {
	// Feed gives a copy of p to the shell without waiting and returns how many
	// bytes it has not read yet.
	Feed(p []byte) int
	// HangUp says that nothing more will be typed.
	HangUp()
	// Follow feeds from r, not faster than the shell reads, to the end of r,
	// which hangs up, or of ctx.
	Follow(ctx context.Context, r io.Reader)
}

// ShellOptions say what kind of login a shell is for.
type ShellOptions struct {
	User       string
	Env        []string // what the client set, beyond what login sets itself
	Login      bool
	TTY        bool
	Cols, Rows int
	Term       string
}

// A ShellFunc makes the shell of a session.
type ShellFunc func(w *World, s *Session, a Account, o ShellOptions, watch *Watch) Shell

// A Login is a shell bound to a session: what is done in it is reported,
// recorded and searched for bait. One of Exec, Script and Open is called,
// once; a shell that has a method Close is closed when it is over.
type Login struct {
	shell Shell
	ses   *Session
	watch *Watch
}

// Enter returns a shell for a user who was let in. A planted user the machine
// does not have gets an ordinary account.
func (w *World) Enter(s *Session, o ShellOptions) *Login {
	a := w.account(o.User)
	watch := &Watch{ses: s}
	return &Login{shell: w.shell(w, s, a, o, watch), ses: s, watch: watch}
}

// account returns the account of a user who was let in.
func (w *World) account(user string) Account {
	a, ok := w.Account(user)
	if !ok {
		a = Account{User: user, Home: "/home/" + user, Shell: "/bin/bash"}
		a.Cred.UID, a.Cred.GID = strangerID, strangerID
	}
	return a
}

// strangerID is the user id of a planted user the machine does not have.
const strangerID = 1042

// Exec runs one line. The command is reported when it ends, also when the
// shell itself did not get to say so.
func (l *Login) Exec(ctx context.Context, line string, stdin io.Reader, stdout, stderr io.Writer) int {
	defer l.Close()
	l.ses.Running(line)
	l.ses.Record('i', []byte(line+"\n"))
	out := l.out(stdout)
	if copies(line) { // a protocol, nothing to look at
		out = searched{stdout, l.ses}
	}
	status := l.shell.Exec(ctx, line, recorded{r: stdin, ses: l.ses, mute: true}, out, l.out(stderr))
	if l.watch.commands == 0 {
		l.watch.Command(line, status)
	}
	return l.done(line, status)
}

// done records the exit status and reports what is left to report.
func (l *Login) done(line string, status int) int {
	l.ses.Ran(line)
	l.ses.Record('x', strconv.AppendInt(nil, int64(status), 10))
	return status
}

// Script runs the commands on stdin.
func (l *Login) Script(ctx context.Context, stdin io.Reader, stdout, stderr io.Writer) int {
	defer l.Close()
	status := l.shell.Script(ctx, recorded{r: stdin, ses: l.ses}, l.out(stdout), l.out(stderr))
	return l.done("", status)
}

// Open begins a dialogue on a terminal and returns at once. a.Ended is called
// when the shell is over and everything is reported.
func (l *Login) Open(ctx context.Context, a Attachment) Terminal {
	ended := a.Ended
	a.Out = l.out(a.Out)
	a.Ended = func(status int) {
		l.Close()
		l.done("", status)
		if ended != nil {
			ended(status)
		}
	}
	return typed{l.shell.Open(ctx, a), l.ses}
}

// typed is a terminal whose keys are recorded.
type typed struct {
	Terminal
	ses *Session
}

// Feed records p and feeds it.
func (t typed) Feed(p []byte) int {
	t.ses.Record('i', p)
	return t.Terminal.Feed(p)
}

// Follow records what it reads.
func (t typed) Follow(ctx context.Context, r io.Reader) {
	t.Terminal.Follow(ctx, recorded{r: r, ses: t.ses})
}

// Died returns the number of the signal the shell died of, 0 when it left by
// itself. It is known once Exec or Script has returned or Ended is called.
func (l *Login) Died() int {
	if d, ok := l.shell.(interface{ Died() int }); ok {
		return d.Died()
	}
	return 0
}

// Close ends a login that is not to be used.
func (l *Login) Close() {
	if c, ok := l.shell.(interface{ Close() }); ok {
		c.Close()
	}
}

// Resize tells the shell its new size and records it. A size no terminal has is
// brought into bounds.
func (l *Login) Resize(cols, rows int) {
	cols, rows = Size(cols, rows)
	l.ses.Record('r', fmt.Appendf(nil, "%dx%d", cols, rows))
	l.shell.Resize(cols, rows)
}

// Size brings a terminal's size into bounds; a missing one is 80x24.
func Size(cols, rows int) (int, int) {
	if cols <= 0 {
		cols = 80
	}
	if rows <= 0 {
		rows = 24
	}
	return min(cols, 1000), min(rows, 1000)
}

func (l *Login) out(w io.Writer) io.Writer { return recorded{w: w, ses: l.ses} }

// recorded is one direction of a terminal, recorded.
type recorded struct {
	r    io.Reader
	w    io.Writer
	ses  *Session
	mute bool // input that is data, not typing, is not recorded
}

func (t recorded) Read(p []byte) (int, error) {
	n, err := t.r.Read(p)
	if n > 0 && !t.mute {
		t.ses.Record('i', p[:n])
	}
	return n, err
}

func (t recorded) Write(p []byte) (int, error) {
	t.ses.Record('o', p)
	return t.w.Write(p)
}

// Watch turns what a shell says about its commands into events.
type Watch struct {
	ses      *Session
	commands int
}

// Command reports one line given to the shell and its exit status.
func (w *Watch) Command(line string, status int) {
	w.commands++
	e := honeyguide.Event{Class: honeyguide.ClassProcess, Activity: honeyguide.ActivityCommand}
	e.Set(honeyguide.AttrCommand, line)
	e.Set(honeyguide.AttrStatus, status)
	w.ses.Emit(e)
	w.ses.Ran(line)
}

// Download reports that the decoy was asked to fetch something.
func (w *Watch) Download(url, tool, dest string) {
	e := honeyguide.Event{
		Class: honeyguide.ClassNetwork, Activity: honeyguide.ActivityDownload,
		Severity: honeyguide.SeverityMedium,
	}
	e.Set(honeyguide.AttrURL, url)
	e.Set(honeyguide.AttrTool, tool)
	e.Set(honeyguide.AttrPath, dest)
	if url != "" {
		e.Observables = []honeyguide.Observable{{Name: honeyguide.AttrURL, Type: "url", Value: cut(url, 2048)}}
	}
	w.ses.Emit(e)
}

// Unsupported reports what the shell could not imitate.
func (w *Watch) Unsupported(what string) {
	e := honeyguide.Event{
		Class: honeyguide.ClassProcess, Activity: honeyguide.ActivityUnsupported,
		Severity: honeyguide.SeverityInformational,
	}
	e.Set(honeyguide.AttrDetail, what)
	w.ses.Emit(e)
}

// Starting takes the content of a file the peer brought before it is run.
func (w *Watch) Starting(path string) {
	w.ses.samples.settle(path)
	w.ses.samples.recognise(path)
}

// Executed reports that a file the peer brought was run, or seemed to be.
func (w *Watch) Executed(path string, status int) {
	e := honeyguide.Event{Class: honeyguide.ClassProcess, Activity: honeyguide.ActivityExecute, Severity: honeyguide.SeverityMedium}
	e.Set(honeyguide.AttrPath, clean(path))
	e.Set(honeyguide.AttrStatus, status)
	e.Set(honeyguide.AttrSHA256, w.ses.samples.known(path))
	w.ses.Emit(e)
}

// Auth reports a password given inside the machine: kind is su, sudo, passwd or
// chpasswd. A changed password opens the account from then on.
func (w *Watch) Auth(kind, user, password string) {
	if kind == "passwd" || kind == "chpasswd" {
		w.ses.world.Changed(w.ses.Src.Addr(), user, password)
	}
	e := honeyguide.Event{Class: honeyguide.ClassAuthentication, Activity: "credential"}
	e.Set(honeyguide.AttrAuthMethod, kind)
	e.Set(honeyguide.AttrUser, user)
	e.Set(honeyguide.AttrPassword, password)
	w.ses.Emit(e)
}

// cut shortens s to n bytes, not inside a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "")
}

// Greeting returns what a login on a terminal is shown before its prompt, with
// a terminal's line ends: the message of the day, and when and from where the
// user came in before, as last(1) has it. from is empty when nobody did.
func (w *World) Greeting(s *Session, user string) (motd string, at time.Time, from string) {
	fs := w.FS(s)
	motd = strings.ReplaceAll(text(fs, "/run/motd.dynamic")+text(fs, "/etc/motd"), "\n", "\r\n")
	t := machine.TableOf(fs)
	if t == nil {
		return motd, at, from
	}
	for _, l := range t.Logins() {
		if l.User == user && l.TTY != "" && l.From != "" && l.At.After(at) {
			at, from = l.At, l.From
		}
	}
	return motd, at.UTC(), from
}

// LineEnds writes to a terminal what a program wrote: a line feed becomes
// carriage return and line feed, as the terminal driver does it.
type LineEnds struct{ W io.Writer }

// Write translates p.
func (l *LineEnds) Write(p []byte) (int, error) {
	if _, err := l.W.Write(bytes.ReplaceAll(p, []byte("\n"), []byte("\r\n"))); err != nil {
		return 0, err
	}
	return len(p), nil
}
