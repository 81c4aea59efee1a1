package coreutils

import (
	"cmp"
	"time"
)

// A display is the terminal in the hands of a full-screen program.
type display struct {
	p          *Proc
	cols, rows int
	buf        []byte // typed, not yet taken
}

// openScreen takes the terminal over; ok is false without one. Who succeeds
// calls close.
func (p *Proc) openScreen() (s *display, ok bool) {
	t, ok := p.Stdin.(interface{ SetScreen(on bool) bool })
	if !ok || !p.TTY || !t.SetScreen(true) {
		return nil, false
	}
	return &display{p: p, cols: cmp.Or(p.Cols, 80), rows: cmp.Or(p.Rows, 24)}, true
}

func (s *display) close() {
	if t, ok := s.p.Stdin.(interface{ SetScreen(on bool) bool }); ok {
		t.SetScreen(false)
	}
}

// show writes at once, as programs do before they wait for a key.
func (s *display) show(text string) {
	s.p.print(text)
	s.p.flush()
}

// chunk is what was typed in one go; ok is false at the end of input.
func (s *display) chunk() (keys []byte, ok bool) {
	if len(s.buf) > 0 {
		keys, s.buf = s.buf, nil
		return keys, true
	}
	b := make([]byte, 512)
	n, err := s.p.Stdin.Read(b)
	s.p.step(1 + n)
	return b[:n], err == nil || n > 0
}

// key is the next byte; ok is false at the end of input.
func (s *display) key() (c byte, ok bool) {
	keys, ok := s.chunk()
	if !ok || len(keys) == 0 {
		return 0, false
	}
	s.buf = keys[1:]
	return keys[0], true
}

// keyWithin waits for a key until d is over.
func (s *display) keyWithin(d time.Duration) (c byte, typed, ok bool) {
	w, can := s.p.Stdin.(interface{ WaitRead(time.Time) bool })
	if len(s.buf) == 0 && (!can || !w.WaitRead(s.p.Now().Add(d))) {
		return 0, false, true
	}
	c, ok = s.key()
	return c, ok, ok
}
