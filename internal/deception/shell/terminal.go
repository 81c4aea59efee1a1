package shell

import (
	"context"
	"fmt"
	"io"
	"sync"
	"time"
)

// An Attachment says where a [Terminal] leads. Its functions are called by the
// goroutine that runs the shell, one at a time.
type Attachment struct {
	// Out is what the attacker sees. A Write may block.
	Out io.Writer
	// Taken is told how many of the bytes given to Feed have been read, so that
	// a transport can open its window again; nil is told nothing.
	Taken func(n int)
	// Ended is called once, last of all, with the shell's exit status.
	Ended func(status int)
}

// A Terminal is an interactive login shell that is fed with what the attacker
// types. While it waits at its prompt it is data and nothing else: no goroutine
// and no stack. A goroutine of its own runs it from the first byte that arrives
// until it waits again.
type Terminal struct {
	sh     *Shell
	k      *kernel
	e      *env
	in     *inlet
	dialog dialog
	ended  func(status int)
	spawn  func(name string, fn func(context.Context) error)
	unbind func() bool // from the context

	mu      sync.Mutex
	running bool
	woken   bool // while running: there is something to look at again
	over    bool
}

// longest is how long a terminal may live.
const longest = 24 * time.Hour

// Open starts a login shell on a terminal and returns at once; the prompt comes
// through a.Out. The end of ctx ends it.
func (s *Shell) Open(ctx context.Context, a Attachment) *Terminal {
	s.opt.TTY = true
	if a.Out == nil {
		a.Out = io.Discard
	}
	k := newKernel(ctx, s, nil, io.Discard, io.Discard)
	t := &Terminal{sh: s, k: k, in: newInlet(nil), ended: a.Ended, spawn: k.spawn}
	t.in.taken, t.in.arrived = a.Taken, t.wake
	k.openTTY(t.in, a.Out)
	k.end = s.hooks.now().Add(longest)
	s.term.Store(t)
	t.unbind = context.AfterFunc(ctx, t.wake)
	t.wake()
	return t
}

// Feed gives the shell what the attacker typed. It keeps a copy and does not
// wait. It returns how many bytes wait to be read: who has no window of his own
// should not give more while that is a lot.
func (t *Terminal) Feed(p []byte) int { return t.in.put(p, nil) }

// HangUp says that nothing more will be typed: what was typed still runs, then
// the shell ends as one does whose terminal is gone.
func (t *Terminal) HangUp() { t.in.put(nil, io.EOF) }

// Running reports whether the shell is at work, or has a job that is.
func (t *Terminal) Running() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.running
}

// Follow feeds the shell with what it reads from r, not faster than it is taken,
// until the end of r or of ctx. The end of r hangs up.
func (t *Terminal) Follow(ctx context.Context, r io.Reader) { t.in.follow(ctx, r) }

// wake makes a resting shell look what has happened.
func (t *Terminal) wake() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.over:
	case t.running:
		t.woken = true
	default:
		t.running = true
		t.spawn("shell", t.run)
	}
}

// run goes on with the dialogue until it rests.
func (t *Terminal) run(context.Context) error {
	for {
		status, over := t.turn()
		t.mu.Lock()
		again := t.woken && !over
		t.woken = false
		t.running, t.over = again, over
		t.mu.Unlock()
		switch {
		case over:
			t.finish(status)
			return nil
		case !again:
			if f := t.sh.hooks.idle; f != nil {
				f()
			}
			return nil
		}
	}
}

// finish tells of the end. Nothing of the shell is kept by those who still hold
// the terminal.
func (t *Terminal) finish(status int) {
	t.unbind()
	t.sh.term.Store(nil)
	t.k, t.e, t.dialog = nil, nil, dialog{}
	if t.ended != nil {
		t.ended(status)
	}
}

// turn runs the shell until it rests or ends. What may kill a shell ends here.
func (t *Terminal) turn() (status int, over bool) {
	k := t.k
	defer func() {
		if over {
			k.close()
		}
	}()
	defer func() {
		r := recover()
		if r == nil {
			return
		}
		over = true
		d, ok := r.(death)
		if !ok {
			t.sh.opt.Watch.Unsupported(fmt.Sprintf("panic: %v", r))
			status = 139
			return
		}
		status, t.sh.died = d.status, d.fatal()
		t.hungUp(status)
	}()
	if !k.now().Before(k.end) {
		panic(death{128 + sigHup, ofSession, nil})
	}
	if t.e == nil {
		t.begin()
	}
	k.look()
	if t.e.flow != exiting && !t.e.converse(&t.dialog, false) {
		return 0, false
	}
	t.e.goodbye()
	t.e.saveAtEnd()
	status = t.e.finish(t.e.status)
	t.e.release()
	k.drain()
	return status, true
}

// begin makes the shell.
func (t *Terminal) begin() {
	k := t.k
	t.e = k.newEnv("-bash", "himBHs")
	t.e.login = true
	for fd := range 3 {
		t.e.fds.set(fd, k.tty.file.hold())
	}
	k.shells = append(k.shells, level{nil})
	t.e.interactive = true
	t.e.openDialog(true)
}

// hungUp is how bash leaves when its terminal is gone: it saves the history.
func (t *Terminal) hungUp(status int) {
	defer func() { _ = recover() }() // a full disk, an exhausted budget
	if t.e != nil && status == 128+sigHup {
		t.e.saveAtEnd()
	}
	if t.e != nil {
		t.e.release()
	}
}
