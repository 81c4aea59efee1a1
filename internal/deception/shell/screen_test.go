package shell

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// A screen is what a terminal shows of the bytes it is sent: enough of one to
// compare what two ways of typing the same lead to.
type screen struct {
	cols, rows int
	cells      [][]rune
	row, col   int
	wrap       bool // the cursor is behind the last column
	rest       []byte
}

func newScreen(cols, rows int) *screen {
	s := &screen{cols: cols, rows: rows}
	s.clear()
	return s
}

func (s *screen) clear() {
	s.cells = make([][]rune, s.rows)
	for i := range s.cells {
		s.cells[i] = slices.Repeat([]rune{' '}, s.cols)
	}
}

// text is what is shown, without blanks at the ends, and where the cursor is.
func (s *screen) text() string {
	var b strings.Builder
	for _, r := range s.cells {
		b.WriteString(strings.TrimRight(strings.ReplaceAll(string(r), "\x00", ""), " ") + "\n")
	}
	return strings.TrimRight(b.String(), "\n") + " @" + strconv.Itoa(s.row) + "," + strconv.Itoa(s.col)
}

func (s *screen) write(out string) {
	p := append(s.rest, out...)
	s.rest = nil
	for len(p) > 0 {
		n := s.one(p)
		if n == 0 {
			s.rest = append([]byte(nil), p...)
			return
		}
		p = p[n:]
	}
}

func (s *screen) line() {
	if s.row++; s.row == s.rows {
		s.row--
		s.cells = append(s.cells[1:], slices.Repeat([]rune{' '}, s.cols))
	}
}

// one takes one character or sequence; 0 means that it is not complete.
func (s *screen) one(p []byte) int {
	switch p[0] {
	case '\r':
		s.col, s.wrap = 0, false
		return 1
	case '\n':
		s.line()
		s.wrap = false
		return 1
	case '\b':
		if s.col > 0 && !s.wrap {
			s.col--
		}
		s.wrap = false
		return 1
	case '\t':
		s.col = min(s.col/8*8+8, s.cols-1)
		return 1
	case 0x1b:
		return s.escape(p)
	}
	if p[0] < ' ' {
		return 1
	}
	if !utf8.FullRune(p) {
		return 0
	}
	r, n := utf8.DecodeRune(p)
	w := 1
	if r >= 0x1100 && (r <= 0x115f || r >= 0x2e80 && r <= 0xa4cf || r >= 0xac00 && r <= 0xd7a3 || r >= 0xff00 && r <= 0xff60 || r >= 0x1f300 && r < 0x20000) {
		w = 2
	}
	if s.wrap || s.col+w > s.cols {
		s.col, s.wrap = 0, false
		s.line()
	}
	s.cells[s.row][s.col] = r
	if w == 2 {
		s.cells[s.row][s.col+1] = 0
	}
	if s.col += w; s.col >= s.cols {
		s.col, s.wrap = s.cols-1, true
	}
	return n
}

func (s *screen) escape(p []byte) int {
	if len(p) < 2 {
		return 0
	}
	switch p[1] {
	case ']':
		if i := strings.IndexByte(string(p), '\a'); i >= 0 {
			return i + 1
		}
		return 0
	case '[':
	case '(':
		return min(3, len(p))
	default:
		return 2
	}
	i := 2
	for i < len(p) && (p[i] < '@' || p[i] > '~') {
		i++
	}
	if i == len(p) {
		return 0
	}
	arg := string(p[2:i])
	first, _, _ := strings.Cut(arg, ";")
	n, err := strconv.Atoi(first)
	if err != nil {
		n = 1
	}
	row := s.cells[s.row]
	switch p[i] {
	case 'A':
		s.row = max(0, s.row-n)
	case 'C':
		s.col = min(s.cols-1, s.col+n)
	case 'D':
		s.col = max(0, s.col-n)
	case 'H':
		s.row, s.col = 0, 0
	case 'J':
		if arg == "2" || arg == "" && s.row+s.col == 0 {
			s.clear()
			break
		}
		fallthrough
	case 'K':
		for c := s.col; c < s.cols; c++ {
			row[c] = ' '
		}
	case 'P':
		copy(row[s.col:], row[min(s.col+n, s.cols):])
		for c := max(s.col, s.cols-n); c < s.cols; c++ {
			row[c] = ' '
		}
	case '@':
		copy(row[min(s.col+n, s.cols):], slices.Clone(row[s.col:]))
		for c := s.col; c < min(s.col+n, s.cols); c++ {
			row[c] = ' '
		}
	}
	if p[i] != 'm' && p[i] != 'h' && p[i] != 'l' {
		s.wrap = false
	}
	return i + 1
}

// TestSingleBytes types every recorded scenario byte by byte: the screen must
// show the same after each step as when the step came in one piece.
func TestSingleBytes(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(corpusDir(t), "interactive.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Scenarios []scenario }
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	good, all := 0, 0
	for _, sc := range f.Scenarios {
		if !sc.TTY || sc.ID == "su" {
			continue
		}
		g, n := sc.split(t)
		good, all = good+g, all+n
	}
	t.Logf("%d of %d steps look the same byte by byte", good, all)
	if good*100 < all*97 {
		t.Error("fewer than 97 % look the same")
	}
}

// split plays a scenario byte by byte and as it was recorded.
func (sc *scenario) split(t *testing.T) (good, all int) {
	cols, rows := max(sc.Cols, 0), max(sc.Rows, 0)
	if cols == 0 {
		cols = 80
	}
	if rows == 0 {
		rows = 24
	}
	whole, single := newScreen(cols, rows), newScreen(cols, rows)
	fw, fs := newFakeTTY(), newFakeTTY()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ends := [2]chan struct{}{make(chan struct{}), make(chan struct{})}
	tw := sc.shell(t, fw).Open(ctx, Attachment{Out: fw, Ended: func(int) { close(ends[0]) }})
	whole.write(fw.step(tw, ends[0]))
	ts := sc.shell(t, fs).Open(ctx, Attachment{Out: fs, Ended: func(int) { close(ends[1]) }})
	single.write(fs.step(ts, ends[1]))
	for i, st := range sc.Steps {
		if i > 0 {
			whole.write(fw.step(tw, ends[0], st.In))
			single.write(fs.drip(ts, st.In))
		}
		all++
		if mask(whole.text()) == mask(single.text()) {
			good++
		} else if testing.Verbose() {
			t.Logf("%s step %d %q\n--- in one piece\n%s\n--- byte by byte\n%s", sc.ID, i, st.In, whole.text(), single.text())
		}
	}
	cancel()
	<-ends[0]
	<-ends[1]
	return good, all
}

// drip types byte by byte. Two bytes may be taken at once, so that there may be
// fewer rests than bytes: it does not wait long for each.
func (f *fakeTTY) drip(t *Terminal, in string) string {
	f.pass(600 * time.Millisecond)
	for i := range len(in) {
		for len(f.idle) > 0 {
			<-f.idle
		}
		t.Feed([]byte{in[i]})
		for range 60 {
			if !t.Running() {
				break
			}
			select {
			case <-f.idle:
			case <-time.After(5 * time.Millisecond):
				continue
			}
			break
		}
	}
	return f.take()
}
