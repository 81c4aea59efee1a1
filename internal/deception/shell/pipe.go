package shell

import (
	"io"
	"time"

	"honeyguide/internal/deception/vfs"
)

// pipeSize is what a Linux pipe holds.
const pipeSize = 64 << 10

// A ring is the memory between two processes. Who finds it empty or full gives
// way to the others.
type ring struct {
	k                *kernel
	buf              []byte
	from, n          int
	readers, writers int
}

type (
	pipeIn  struct{ *ring } // the end one reads from
	pipeOut struct{ *ring }
)

// pipe returns the two ends of a new pipe.
func (k *kernel) pipe() (r, w *ofile) {
	p := &ring{k: k, readers: 1, writers: 1}
	return &ofile{refs: 1, file: pipeIn{p}, path: "pipe:"}, &ofile{refs: 1, file: pipeOut{p}, path: "pipe:"}
}

func (p pipeIn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	p.k.step(1)
	if p.n == 0 && p.writers > 0 {
		p.k.wait(func() bool { return p.n > 0 || p.writers == 0 }, time.Time{})
	}
	if p.n == 0 {
		return 0, io.EOF
	}
	got := copy(b, p.buf[p.from:min(p.from+p.n, len(p.buf))])
	p.from, p.n = (p.from+got)%len(p.buf), p.n-got
	if got < len(b) && p.n > 0 {
		more := copy(b[got:], p.buf[p.from:p.from+p.n])
		p.from, p.n, got = p.from+more, p.n-more, got+more
	}
	return got, nil
}

// WaitRead waits for input until a time.
func (p pipeIn) WaitRead(until time.Time) bool {
	return p.k.wait(func() bool { return p.n > 0 || p.writers == 0 }, until)
}

func (p pipeIn) Write([]byte) (int, error) { return 0, vfs.EBADF }

func (p pipeIn) Close() {
	if p.readers--; p.readers == 0 {
		p.release()
	}
}

func (p pipeOut) Read([]byte) (int, error) { return 0, vfs.EBADF }

func (p pipeOut) Write(b []byte) (int, error) {
	p.k.step(1)
	done := 0
	for done < len(b) {
		if p.n >= pipeSize && p.readers > 0 {
			p.k.wait(func() bool { return p.n < pipeSize || p.readers == 0 }, time.Time{})
		}
		if p.readers == 0 {
			return done, vfs.EPIPE
		}
		p.grow(len(b) - done)
		done += p.put(b[done:])
	}
	return done, nil
}

func (p pipeOut) Close() { p.writers-- }

// put copies what fits.
func (p *ring) put(b []byte) int {
	done := 0
	for done < len(b) && p.n < len(p.buf) {
		at := (p.from + p.n) % len(p.buf)
		end := len(p.buf)
		if at < p.from {
			end = p.from
		}
		got := copy(p.buf[at:end], b[done:])
		p.n += got
		done += got
	}
	return done
}

// grow makes room for want more bytes, up to a pipe's size.
func (p *ring) grow(want int) {
	need := min(p.n+want, pipeSize)
	if need <= len(p.buf) {
		return
	}
	size := max(256, len(p.buf))
	for size < need {
		size *= 2
	}
	if !p.k.charge(size - len(p.buf)) {
		if len(p.buf) > 0 {
			return
		}
		panic(death{2, ofProcess, nil})
	}
	buf := make([]byte, size)
	n := copy(buf, p.buf[p.from:min(p.from+p.n, len(p.buf))])
	copy(buf[n:], p.buf[:p.n-n])
	p.buf, p.from = buf, 0
}

func (p *ring) release() {
	p.k.charge(-len(p.buf))
	p.buf, p.n, p.from = nil, 0, 0
}
