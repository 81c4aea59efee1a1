package shell

import (
	"bytes"
	"io"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A tty is the terminal driver between the attacker and the programs: it edits
// and echoes lines while a program reads, hands bytes on untouched while the
// line editor reads, and turns keys into signals.
type tty struct {
	k    *kernel
	in   *inlet
	w    io.Writer
	file *ofile

	raw    bool   // the line editor reads
	queue  []byte // bytes for the line editor, or read ahead while it did
	line   []byte // being typed for a program
	ready  []byte // complete lines for a program
	eof    int    // ends of file typed
	gone   bool   // nothing more will be typed
	broken bool   // nor is anybody left who sees anything
	lnext  bool   // the next byte is taken as it is
	echo   bool
	canon  bool // lines are edited
	isig   bool
	screen bool // a full-screen program has it: keys and output pass untouched
}

// maxTypeAhead bounds what is kept while nobody reads.
const maxTypeAhead = 8 << 10

// openTTY makes the session's terminal out of its two directions.
func (k *kernel) openTTY(in *inlet, w io.Writer) *tty {
	t := &tty{k: k, in: in, w: w, echo: true, canon: true, isig: true}
	t.file = &ofile{refs: 1, file: t, path: "/dev/pts/0"}
	k.tty, k.in = t, in
	return t
}

// send writes to the attacker as it is.
func (t *tty) send(p []byte) {
	if len(p) == 0 {
		return
	}
	k := t.k
	k.out += int64(len(p))
	if k.out > k.bud.Output {
		panic(death{128 + sigKill, ofLine, nil})
	}
	if _, err := t.w.Write(p); err != nil {
		t.gone, t.broken = true, true
	}
}

// Write is a program's output: newlines get their carriage return.
func (t *tty) Write(p []byte) (int, error) {
	t.k.step(1 + len(p)/4096)
	if t.broken {
		return 0, vfs.EIO
	}
	if t.screen {
		t.send(p)
		return len(p), nil
	}
	out := make([]byte, 0, len(p)+16)
	for _, c := range p {
		if c == '\n' {
			out = append(out, '\r')
		}
		out = append(out, c)
	}
	t.send(out)
	return len(p), nil
}

// Close does nothing: the terminal outlives its users.
func (t *tty) Close() {}

// poll takes what has arrived. While nobody edits a line, the driver deals with
// it at once.
func (t *tty) poll() {
	if !t.room() {
		return
	}
	var buf [512]byte
	for {
		n, ended := t.in.take(buf[:])
		if ended {
			t.gone = true
		}
		if n == 0 {
			return
		}
		p := buf[:n]
		if i := bytes.LastIndexAny(p, "\x03\x1c"); i > 0 && t.isig && !t.lnext && bytes.IndexByte(p[:i], '\n') < 0 && bytes.IndexByte(p[:i], '\r') < 0 {
			// The driver throws away what arrived in one piece in front of a
			// key that sends a signal, before anybody has read or seen it.
			p = p[i:]
		}
		if t.raw {
			t.queue = append(t.queue, p...)
		} else {
			for _, c := range p {
				t.driver(c)
			}
		}
	}
}

// room reports whether more is taken before somebody reads.
func (t *tty) room() bool { return len(t.queue)+len(t.line)+len(t.ready) <= maxTypeAhead }

// driver is the line discipline: one byte typed while no editor is active.
func (t *tty) driver(c byte) {
	if t.lnext {
		t.lnext = false
		t.line = append(t.line, c)
		t.show(c)
		return
	}
	if t.screen {
		t.ready = append(t.ready, c)
		return
	}
	if c == '\r' {
		c = '\n'
	}
	if t.isig && t.signal(c) {
		return
	}
	if !t.canon {
		t.ready = append(t.ready, c)
		t.show(c)
		return
	}
	switch c {
	case '\n':
		t.line = append(t.line, c)
		t.ready = append(t.ready, t.line...)
		t.line = nil
		if t.echo {
			t.send([]byte("\r\n"))
		}
	case 0x7f:
		t.rub()
	case 0x15: // ^U
		for len(t.line) > 0 {
			t.rub()
		}
	case 0x17: // ^W
		for len(t.line) > 0 && t.line[len(t.line)-1] == ' ' {
			t.rub()
		}
		for len(t.line) > 0 && t.line[len(t.line)-1] != ' ' {
			t.rub()
		}
	case 4: // ^D
		if len(t.line) == 0 {
			t.eof++
			return
		}
		t.ready = append(t.ready, t.line...)
		t.line = nil
	case 0x16: // ^V
		t.lnext = true
		if t.echo {
			t.send([]byte("^\b"))
		}
	default:
		if len(t.line) < 4095 {
			t.line = append(t.line, c)
			t.show(c)
		}
	}
}

// signal acts on the keys that send one.
func (t *tty) signal(c byte) bool {
	switch c {
	case 3:
		t.flush()
		if t.echo {
			t.send([]byte("^C"))
		}
		t.k.intr = sigInt
	case 0x1c:
		t.flush()
		if t.echo {
			t.send([]byte("^\\"))
		}
		t.k.intr = sigQuit
	case 0x1a:
		t.flush()
		if t.echo {
			t.send([]byte("^Z"))
		}
		t.k.suspend()
	default:
		return false
	}
	return true
}

func (t *tty) flush() { t.line, t.ready, t.queue, t.eof = nil, nil, nil, 0 }

// show echoes a byte; control characters are made visible.
func (t *tty) show(c byte) {
	switch {
	case !t.echo:
	case c == '\n':
		t.send([]byte("\r\n"))
	case c == '\t':
		t.send([]byte{c})
	case c < ' ' || c == 0x7f:
		t.send([]byte{'^', c ^ 0x40})
	default:
		t.send([]byte{c})
	}
}

// rub erases the last byte of the line.
func (t *tty) rub() {
	n := len(t.line)
	if n == 0 {
		return
	}
	c := t.line[n-1]
	t.line = t.line[:n-1]
	if !t.echo {
		return
	}
	t.send([]byte("\b \b"))
	if c < ' ' && c != '\t' {
		t.send([]byte("\b \b"))
	}
}

// waiting reports whether a program's read would return.
func (t *tty) waiting() bool {
	t.poll()
	return len(t.ready) > 0 || len(t.queue) > 0 || t.eof > 0 || t.gone
}

// Read is a program's read: one line at most, or what was typed while the
// editor was active.
func (t *tty) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	t.k.step(1)
	if !t.waiting() {
		t.k.wait(t.waiting, time.Time{})
	}
	if len(t.queue) > 0 {
		// What arrived in raw mode becomes one line when the mode changes.
		t.ready = append(t.queue, t.ready...)
		t.queue = nil
	}
	if len(t.ready) > 0 {
		n := len(t.ready)
		if t.canon && !t.screen {
			for i, c := range t.ready {
				if c == '\n' {
					n = i + 1
					break
				}
			}
		}
		n = copy(p, t.ready[:n])
		t.ready = t.ready[n:]
		return n, nil
	}
	if t.eof > 0 {
		t.eof--
		return 0, io.EOF
	}
	panic(death{128 + sigHup, ofSession, nil})
}

// WaitRead waits for input until a time: read -t.
func (t *tty) WaitRead(until time.Time) bool { return t.k.wait(t.waiting, until) }

// key returns the next byte for the line editor. It returns false when the time
// until has come, when the terminal's size has changed and, unless it is to
// block, when no other process has anything to do.
func (t *tty) key(block bool, until time.Time) (byte, bool) {
	k := t.k
	t.raw = true
	t.poll()
	if len(t.queue) == 0 && !t.gone {
		rest := !block && until.IsZero()
		if rest && len(k.tasks) == 0 {
			return 0, false
		}
		k.wait(func() bool {
			t.poll()
			return len(t.queue) > 0 || t.gone || rest && len(k.tasks) == 0 || k.sh.resized.Load()
		}, until)
	}
	if len(t.queue) == 0 {
		if t.gone {
			panic(death{128 + sigHup, ofSession, nil})
		}
		return 0, false
	}
	c := t.queue[0]
	if t.queue = t.queue[1:]; len(t.queue) == 0 {
		t.queue = nil
	}
	return c, true
}

// next is the byte behind the one just taken, -1 when none has arrived.
func (t *tty) next() int {
	if len(t.queue) == 0 {
		return -1
	}
	return int(t.queue[0])
}

// startEditing hands what was typed ahead to the line editor.
func (t *tty) startEditing() {
	t.raw = true
	t.queue = append(append(t.queue, t.ready...), t.line...)
	t.ready, t.line, t.eof = nil, nil, 0
}

// quietly changes how a program reads: without echo, or character by character.
func (t *tty) quietly(silent, chars bool) {
	t.echo, t.canon = t.echo && !silent, !chars
}

func (t *tty) normally() { t.echo, t.canon, t.screen = true, true, false }

// SetEcho lets a program such as passwd read without showing what is typed. It
// reports false when descriptor o is no terminal.
func (o *ofile) SetEcho(on bool) bool {
	t, ok := o.file.(*tty)
	if ok {
		t.echo = on
	}
	return ok
}

// suspend is Ctrl-Z: the foreground job stops.
func (k *kernel) suspend() {
	if k.fg != nil && len(k.shells) == 1 {
		k.fg.paused = true
	}
}

// typed returns the next byte for an editor that waits for it.
func (t *tty) typed() byte {
	for {
		if c, ok := t.key(true, time.Time{}); ok {
			return c
		}
		t.k.sh.resized.Store(false)
	}
}

// SetScreen gives the terminal to a full-screen program: keys arrive as they are
// typed and what is written passes untouched. It reports false when descriptor o
// is no terminal.
func (o *ofile) SetScreen(on bool) bool {
	t, ok := o.file.(*tty)
	if !ok {
		return false
	}
	if t.screen = on; on {
		t.ready = append(t.ready, t.line...)
		t.line = nil
	}
	return true
}

// WaitRead waits for input of a terminal until a time and reports whether there
// is some; any other file has some at once.
func (o *ofile) WaitRead(until time.Time) bool {
	if t, ok := o.file.(*tty); ok {
		return t.WaitRead(until)
	}
	return true
}
