package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"
)

// A screen shows what runs: a line that changes where somebody looks, lines where
// it is kept in a file.
type screen struct {
	w        io.Writer
	changing bool
	lines    bool
	n, of    int
	ran      map[string]execution // what ran already, by its key

	mu     sync.Mutex
	name   string
	began  time.Time
	latest string // the last test that began
	stop   chan struct{}
	done   chan struct{}
}

func newScreen(w io.Writer, how string) *screen {
	s := &screen{w: w, lines: how == "lines", ran: map[string]execution{}}
	if f, ok := w.(*os.File); ok && how == "auto" {
		info, err := f.Stat()
		s.changing = err == nil && info.Mode()&os.ModeCharDevice != 0
		s.lines = !s.changing
	}
	return s
}

// at says which row of how many comes.
func (s *screen) at(n, of int) *screen { s.n, s.of = n+1, of; return s }

func (s *screen) begin(name string) {
	s.mu.Lock()
	s.name, s.began, s.latest = name, time.Now(), ""
	s.stop, s.done = make(chan struct{}), make(chan struct{})
	s.mu.Unlock()
	if s.lines {
		fmt.Fprintf(s.w, "%2d/%d %s ...\n", s.n, s.of, name)
	}
	go s.turn()
}

// turn draws the changing line until the row has ended.
func (s *screen) turn() {
	defer close(s.done)
	wheel := []string{"|", "/", "-", "\\"}
	for i := 0; ; i++ {
		if s.changing {
			s.mu.Lock()
			line := fmt.Sprintf("%s %2d/%d %-24s %4.0fs  %s", wheel[i%4], s.n, s.of, s.name, time.Since(s.began).Seconds(), s.latest)
			s.mu.Unlock()
			fmt.Fprintf(s.w, "\r\x1b[K%.100s", line)
		}
		select {
		case <-s.stop:
			return
		case <-time.After(200 * time.Millisecond):
		}
	}
}

// Write takes what a test prints, to name the part that runs.
func (s *screen) Write(p []byte) (int, error) {
	if name, ok := strings.CutPrefix(string(p), "=== RUN   "); ok {
		s.mu.Lock()
		s.latest = printable(name)
		s.mu.Unlock()
	}
	return len(p), nil
}

func (s *screen) end(r result) {
	close(s.stop)
	<-s.done
	line := fmt.Sprintf("%2d/%d %-24s %-9s %s (target %s, %.0f s)", s.n, s.of, r.Name, r.Verdict, r.figure(), r.Target, r.Seconds)
	switch {
	case s.changing:
		fmt.Fprintf(s.w, "\r\x1b[K%s\n", line)
	case s.lines:
		fmt.Fprintln(s.w, line)
	}
}
