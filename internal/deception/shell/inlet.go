package shell

import (
	"context"
	"io"
	"sync"
	"time"

	"honeyguide/internal/deception/vfs"
)

// An inlet is where the attacker's bytes wait for the goroutine of the session,
// which must be able to wait for other things at the same time.
type inlet struct {
	r       io.Reader
	arrived func()      // called when there is something new; nil is nobody
	taken   func(n int) // called when bytes were read; nil is nobody

	mu     sync.Mutex
	buf    []byte
	ended  bool
	notify chan struct{} // has room for one: something changed
	room   chan struct{} // has room for one: bytes were taken
}

// inletSize bounds what is read ahead. One read takes firstRead at first, which
// is enough for typing, and more while it brings as much as it may.
const (
	inletSize = 32 << 10
	firstRead = 256
	mostRead  = 4096
)

func newInlet(r io.Reader) *inlet { return &inlet{r: r} }

// run reads until the end of input or ctx.
func (in *inlet) run(ctx context.Context) error {
	in.follow(ctx, in.r)
	return nil
}

// follow reads r to its end or that of ctx, not faster than the bytes are taken.
func (in *inlet) follow(ctx context.Context, r io.Reader) {
	room := make(chan struct{}, 1)
	in.mu.Lock()
	in.room = room
	in.mu.Unlock()
	chunk := make([]byte, firstRead)
	for {
		n, err := r.Read(chunk)
		held := in.put(chunk[:n], err)
		if err != nil {
			return
		}
		if n == len(chunk) && n < mostRead {
			chunk = make([]byte, min(4*n, mostRead))
		}
		for held >= inletSize {
			select {
			case <-ctx.Done():
				return
			case <-room:
			}
			in.mu.Lock()
			held = len(in.buf)
			in.mu.Unlock()
		}
	}
}

// put adds bytes, or the end, and returns how many wait.
func (in *inlet) put(p []byte, err error) int {
	in.mu.Lock()
	if !in.ended {
		in.buf = append(in.buf, p...)
		in.ended = err != nil
	}
	held := len(in.buf)
	poke(in.notify)
	in.mu.Unlock()
	if in.arrived != nil {
		in.arrived()
	}
	return held
}

// wakes returns the channel that tells of changes.
func (in *inlet) wakes() <-chan struct{} {
	in.mu.Lock()
	defer in.mu.Unlock()
	if in.notify == nil {
		in.notify = make(chan struct{}, 1)
	}
	return in.notify
}

// nudge makes who waits look again.
func (in *inlet) nudge() {
	in.mu.Lock()
	poke(in.notify)
	in.mu.Unlock()
}

func poke(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// take moves what has arrived into p.
func (in *inlet) take(p []byte) (n int, ended bool) {
	in.mu.Lock()
	n = copy(p, in.buf)
	if rest := copy(in.buf, in.buf[n:]); rest > 0 {
		in.buf = in.buf[:rest]
	} else {
		in.buf = nil // a shell may wait for hours
	}
	ended = in.ended && len(in.buf) == 0
	if n > 0 {
		poke(in.room)
	}
	in.mu.Unlock()
	if n > 0 && in.taken != nil {
		in.taken(n)
	}
	return n, ended
}

// waiting reports whether take would bring something.
func (in *inlet) waiting() bool {
	in.mu.Lock()
	defer in.mu.Unlock()
	return len(in.buf) > 0 || in.ended
}

// outside makes a session's standard input. What is in memory is read directly.
func (k *kernel) outside(r io.Reader) *ofile {
	switch r := r.(type) {
	case nil:
		return &ofile{refs: 1, file: nullFile{}, path: "/dev/null"}
	case interface {
		io.Reader
		Len() int
	}:
		return &ofile{refs: 1, file: &directFile{r}, path: "pipe:"}
	default:
		return &ofile{refs: 1, file: &inletFile{k: k, in: newInlet(r)}, path: "pipe:"}
	}
}

// A directFile is input that never blocks.
type directFile struct{ r io.Reader }

func (d *directFile) Read(p []byte) (int, error) {
	n, err := d.r.Read(p)
	if err != nil && n == 0 {
		return 0, io.EOF
	}
	return n, nil
}

func (d *directFile) Write([]byte) (int, error) { return 0, vfs.EBADF }
func (d *directFile) Close()                    {}

// An inletFile is the attacker's end of standard input.
type inletFile struct {
	k       *kernel
	in      *inlet
	started bool
}

func (f *inletFile) start() {
	if !f.started {
		f.started = true
		f.k.in = f.in
		f.k.spawn("shell-input", f.in.run)
	}
}

func (f *inletFile) Read(p []byte) (int, error) {
	k := f.k
	k.step(1)
	f.start()
	if !f.in.waiting() {
		k.wait(f.in.waiting, time.Time{})
	}
	n, ended := f.in.take(p)
	if n == 0 && ended {
		return 0, io.EOF
	}
	return n, nil
}

// WaitRead waits for input until a time.
func (f *inletFile) WaitRead(until time.Time) bool {
	f.start()
	return f.k.wait(f.in.waiting, until)
}

func (f *inletFile) Write([]byte) (int, error) { return 0, vfs.EBADF }
func (f *inletFile) Close()                    {}
