package shell

import (
	"context"
	"io"
	"sync"
	"time"

	"honeyguide/internal/deception/vfs"
)

// An inlet brings the attacker's bytes to the session's goroutine, which must
// be able to wait for other things at the same time. Its own goroutine only
// reads and starts with the first need.
type inlet struct {
	r      io.Reader
	notify chan struct{} // has room for one: something changed
	room   chan struct{} // has room for one: bytes were taken

	mu    sync.Mutex
	buf   []byte
	ended bool
}

// inletSize bounds what is read ahead. One read takes firstRead at first, which
// is enough for typing, and more while it brings as much as it may.
const (
	inletSize = 32 << 10
	firstRead = 256
	mostRead  = 4096
)

func newInlet(r io.Reader) *inlet {
	return &inlet{r: r, notify: make(chan struct{}, 1), room: make(chan struct{}, 1)}
}

// run reads until the end of input or ctx.
func (in *inlet) run(ctx context.Context) error {
	chunk := make([]byte, firstRead)
	for {
		n, err := in.r.Read(chunk)
		in.mu.Lock()
		in.buf = append(in.buf, chunk[:n]...)
		in.ended = err != nil
		full := len(in.buf) >= inletSize
		in.mu.Unlock()
		poke(in.notify)
		if err != nil {
			return nil
		}
		if n == len(chunk) && n < mostRead {
			chunk = make([]byte, min(4*n, mostRead))
		}
		for full {
			select {
			case <-ctx.Done():
				return nil
			case <-in.room:
			}
			in.mu.Lock()
			full = len(in.buf) >= inletSize
			in.mu.Unlock()
		}
	}
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
	rest := copy(in.buf, in.buf[n:])
	in.buf = in.buf[:rest]
	ended = in.ended && rest == 0
	in.mu.Unlock()
	if n > 0 {
		poke(in.room)
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

func (f *inletFile) Read(p []byte) (int, error) {
	k := f.k
	k.step(1)
	if !f.started {
		f.started = true
		k.in = f.in
		k.spawn("shell-input", f.in.run)
	}
	if !f.in.waiting() {
		k.wait(f.in.waiting, time.Time{})
	}
	n, ended := f.in.take(p)
	if n == 0 && ended {
		return 0, io.EOF
	}
	return n, nil
}

func (f *inletFile) Write([]byte) (int, error) { return 0, vfs.EBADF }
func (f *inletFile) Close()                    {}
