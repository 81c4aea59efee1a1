package python

import (
	"errors"
	"io"
	"iter"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A gate is the way from the program to its world. The world may switch to
// other processes, which it can only do on the coroutine that called the
// program: what a generator wants of the world is therefore handed to its
// caller and done there.
type gate struct {
	w    World
	m    *machine
	owed int // steps not yet charged
}

// A wish is what a generator wants done outside; a yield of any other value is
// the program's.
type wish func()

// stopped unwinds a generator that nobody will ask again.
type stopped struct{}

// maxGenerators bounds the coroutines of one program.
const maxGenerators = 500

// outside runs fn where the world can be called.
func (g *gate) outside(fn func()) {
	if ask := g.m.ask; ask != nil {
		ask(wish(fn))
		return
	}
	fn()
}

// generator runs body as a coroutine whose yields are the iterator's values.
func (m *machine) generator(body func(yield func(any))) *iterator {
	if m.live >= maxGenerators {
		m.throw("MemoryError")
	}
	m.live++
	var ask func(any)
	next, stop := iter.Pull(func(yield func(any) bool) {
		defer func() {
			if r := recover(); r != nil {
				if _, ok := r.(stopped); !ok {
					panic(r)
				}
			}
		}()
		ask = func(v any) {
			if !yield(v) {
				panic(stopped{})
			}
		}
		m.ask = ask
		body(ask)
	})
	m.stops = append(m.stops, stop)
	ended := false
	return &iterator{kind: "generator", next: func() (any, bool) {
		if ended {
			return nil, false
		}
		for {
			v, ok := m.inside(ask, next)
			if w, is := v.(wish); ok && is {
				w()
				continue
			}
			if !ok {
				ended = true
				m.live--
			}
			return v, ok
		}
	}}
}

// inside resumes a generator; what it wants of the world goes through ask.
func (m *machine) inside(ask func(any), next func() (any, bool)) (any, bool) {
	outer, depth := m.ask, m.depth
	defer func() { m.ask, m.depth = outer, depth }()
	m.ask = ask
	return next()
}

func (g *gate) Step(n int) {
	if g.owed += n; g.m.ask == nil || g.owed >= 64 {
		n, g.owed = g.owed, 0
		g.outside(func() { g.w.Step(n) })
	}
}

func (g *gate) Alloc(n int)             { g.outside(func() { g.w.Alloc(n) }) }
func (g *gate) Unsupported(what string) { g.outside(func() { g.w.Unsupported(what) }) }
func (g *gate) Now() (t time.Time)      { g.outside(func() { t = g.w.Now() }); return t }
func (g *gate) Sleep(d time.Duration)   { g.outside(func() { g.w.Sleep(d) }) }

func (g *gate) Dial(url string) (o Outcome) { g.outside(func() { o = g.w.Dial(url) }); return o }

func (g *gate) Spawn(argv []string, in io.Reader, out, errs io.Writer) (status int) {
	g.outside(func() { status = g.w.Spawn(argv, in, out, errs) })
	return status
}

func (g *gate) Open(path string, flags int) (f io.ReadWriteCloser, err error) {
	g.outside(func() { f, err = g.w.Open(path, flags) })
	return f, err
}

func (g *gate) Stat(path string, follow bool) (i vfs.Info, err error) {
	g.outside(func() { i, err = g.w.Stat(path, follow) })
	return i, err
}

func (g *gate) ReadDir(path string) (l []string, err error) {
	g.outside(func() { l, err = g.w.ReadDir(path) })
	return l, err
}

func (g *gate) Change(op, a, b string, mode uint32) (err error) {
	g.outside(func() { err = g.w.Change(op, a, b, mode) })
	return err
}

// A stream is a text file of the program: standard output or one it opened.
type stream struct {
	g      *gate
	r      io.Reader
	w      io.Writer
	c      io.Closer
	buf    []byte // waiting to be written
	ahead  []byte // read and not yet taken
	eof    bool
	name   string
	mode   string
	line   bool // written out at the end of each line
	closed bool
	bin    bool
	fd     int
}

const streamBuffer = 8192

func (s *stream) write(text string) {
	s.buf = append(s.buf, text...)
	if s.line || len(s.buf) >= streamBuffer {
		s.flush()
	}
}

// brokenPipe ends the program as a write to nobody does.
type brokenPipe struct{}

func (s *stream) flush() {
	if len(s.buf) == 0 || s.w == nil {
		return
	}
	b := s.buf
	s.buf = nil
	var err error
	s.g.outside(func() { _, err = s.w.Write(b) })
	if err != nil && s.fd > 2 {
		s.g.m.osError(err, "")
	} else if err != nil {
		panic(brokenPipe{})
	}
}

// more reads ahead and reports false at the end.
func (s *stream) more() bool {
	if s.eof || s.r == nil {
		return false
	}
	chunk := make([]byte, 4096)
	var n int
	var err error
	s.g.outside(func() { n, err = s.r.Read(chunk) })
	s.ahead = append(s.ahead, chunk[:n]...)
	s.g.Alloc(n)
	if err != nil {
		s.eof = true
	}
	return n > 0 || err == nil
}

// read takes n bytes, all there are when n is negative.
func (s *stream) read(n int) string {
	for (n < 0 || len(s.ahead) < n) && s.more() {
	}
	if n < 0 || n > len(s.ahead) {
		n = len(s.ahead)
	}
	out := string(s.ahead[:n])
	s.ahead = s.ahead[n:]
	return out
}

// readLine takes a line with its end; "" is the end of the file.
func (s *stream) readLine() string {
	from := 0
	for {
		for i := from; i < len(s.ahead); i++ {
			if s.ahead[i] == '\n' {
				return s.read(i + 1)
			}
		}
		from = len(s.ahead)
		if !s.more() {
			return s.read(len(s.ahead))
		}
	}
}

func (s *stream) close() {
	if s.closed {
		return
	}
	s.flush()
	s.closed = true
	if s.c != nil {
		s.g.outside(func() { _ = s.c.Close() })
	}
}

func errnoOf(err error) vfs.Errno {
	var no vfs.Errno
	if errors.As(err, &no) {
		return no
	}
	return vfs.EIO
}
