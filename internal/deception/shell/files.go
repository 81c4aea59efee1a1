package shell

import (
	"io"

	"honeyguide/internal/deception/vfs"
)

// A file is what a descriptor can stand for.
type file interface {
	Read(p []byte) (int, error)
	Write(p []byte) (int, error)
	Close()
}

// An ofile is an open file description: descriptors of several processes may
// share it, the last one to let go closes it.
type ofile struct {
	refs int
	file file
	path string // what /proc/self/fd shows
}

// Read reads as the process that runs.
func (o *ofile) Read(p []byte) (int, error) { return o.file.Read(p) }

// Write writes as the process that runs.
func (o *ofile) Write(p []byte) (int, error) { return o.file.Write(p) }

func (o *ofile) hold() *ofile {
	if o != nil {
		o.refs++
	}
	return o
}

func (o *ofile) drop() {
	if o == nil {
		return
	}
	if o.refs--; o.refs == 0 {
		o.file.Close()
	}
}

// A fdTable is a process's descriptors. The first few are kept in place, for
// most processes have no others.
type fdTable struct {
	low  [4]*ofile
	high map[int]*ofile
}

// maxFD is one above the highest descriptor.
const maxFD = 256

func (t *fdTable) get(n int) *ofile {
	if n >= 0 && n < len(t.low) {
		return t.low[n]
	}
	return t.high[n]
}

// set puts o, whose reference it takes over, at n and drops what was there.
func (t *fdTable) set(n int, o *ofile) {
	t.swap(n, o).drop()
}

// swap puts o at n and returns what was there.
func (t *fdTable) swap(n int, o *ofile) *ofile {
	if n >= 0 && n < len(t.low) {
		old := t.low[n]
		t.low[n] = o
		return old
	}
	old := t.high[n]
	if o == nil {
		delete(t.high, n)
		return old
	}
	if t.high == nil {
		t.high = map[int]*ofile{}
	}
	t.high[n] = o
	return old
}

// clone returns a copy that shares the open files.
func (t *fdTable) clone() fdTable {
	c := fdTable{low: t.low}
	for _, o := range c.low {
		o.hold()
	}
	for n, o := range t.high {
		if c.high == nil {
			c.high = make(map[int]*ofile, len(t.high))
		}
		c.high[n] = o.hold()
	}
	return c
}

func (t *fdTable) close() {
	for i, o := range t.low {
		t.low[i] = nil
		o.drop()
	}
	for _, o := range t.high {
		o.drop()
	}
	t.high = nil
}

// free returns an unused descriptor from at on or, when down is set, downwards.
func (t *fdTable) free(at int, down bool) int {
	for n := at; n > 2 && n < maxFD; {
		if t.get(n) == nil {
			return n
		}
		if down {
			n--
		} else {
			n++
		}
	}
	return -1
}

// A memFile is read-only text: here-documents and here-strings.
type memFile struct {
	s   string
	off int
}

func (m *memFile) Read(p []byte) (int, error) {
	if m.off >= len(m.s) {
		return 0, io.EOF
	}
	n := copy(p, m.s[m.off:])
	m.off += n
	return n, nil
}

func (m *memFile) Write([]byte) (int, error) { return 0, vfs.EBADF }
func (m *memFile) Close()                    {}

// A nullFile is /dev/null without a file system.
type nullFile struct{}

func (nullFile) Read([]byte) (int, error)    { return 0, io.EOF }
func (nullFile) Write(p []byte) (int, error) { return len(p), nil }
func (nullFile) Close()                      {}

// A diskFile is a file of the pretended file system.
type diskFile struct {
	k *kernel
	f *vfs.File
}

func (d *diskFile) Read(p []byte) (int, error) {
	d.k.step(1 + len(p)/4096)
	return d.f.Read(p)
}

func (d *diskFile) Write(p []byte) (int, error) {
	d.k.step(1 + len(p)/4096)
	return d.f.Write(p)
}

func (d *diskFile) Close() { d.f.Close() }

// An outlet is the way to the attacker.
type outlet struct {
	k *kernel
	w io.Writer
}

func (o *outlet) Read([]byte) (int, error) { return 0, vfs.EBADF }

func (o *outlet) Write(p []byte) (int, error) {
	k := o.k
	k.out += int64(len(p))
	if k.out > k.bud.Output {
		panic(death{128 + sigKill, ofSession, nil})
	}
	k.step(1 + len(p)/4096)
	if o.w == nil {
		return len(p), nil
	}
	if _, err := o.w.Write(p); err != nil {
		return 0, vfs.EPIPE
	}
	return len(p), nil
}

func (o *outlet) Close() {}

// A captureFile gathers the output of a command substitution.
type captureFile struct {
	k   *kernel
	buf []byte
}

func (c *captureFile) Read([]byte) (int, error) { return 0, vfs.EBADF }

func (c *captureFile) Write(p []byte) (int, error) {
	c.k.step(1 + len(p)/4096)
	if need := len(c.buf) + len(p); need > cap(c.buf) {
		grown := max(need, min(2*cap(c.buf), cap(c.buf)+1<<20), 64)
		if !c.k.charge(grown - cap(c.buf)) {
			panic(death{2, ofProcess, nil})
		}
		c.buf = append(make([]byte, 0, grown), c.buf...)
	}
	c.buf = append(c.buf, p...)
	return len(p), nil
}

func (c *captureFile) Close() {}

// fullFile is /dev/full: zeros to read and no room to write.
type fullFile struct{}

func (fullFile) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}
func (fullFile) Write([]byte) (int, error) { return 0, vfs.ENOSPC }
func (fullFile) Close()                    {}
