package lineedit

import (
	"strings"
	"testing"
)

// fixed is a guide with a history and a few words.
type fixed struct {
	hist  []string
	words []string
}

func (f fixed) History() []string { return f.hist }

func (f fixed) CompleteAs(_, line string, point int) Completion { return f.Complete(line, point) }

func (f fixed) Complete(line string, point int) Completion {
	from := strings.LastIndexByte(line[:point], ' ') + 1
	c := Completion{From: from, Suffix: " "}
	for _, w := range f.words {
		if strings.HasPrefix(w, line[from:point]) {
			c.Words = append(c.Words, w)
		}
	}
	return c
}

// typed feeds keys and returns what each string of them sent.
func typed(e *Editor, keys ...string) []string {
	var out []string
	for _, k := range keys {
		for i := range len(k) {
			next := -1
			if i+1 < len(k) {
				next = int(k[i+1])
			}
			e.Key(k[i], next)
		}
		out = append(out, string(e.Take()))
	}
	return out
}

// TestBytes checks what is sent against readline 8.2 on the same keys.
func TestBytes(t *testing.T) {
	tests := []struct {
		name string
		term string
		cols int
		keys []string
		want []string
	}{
		{"insert", "xterm", 80, []string{"ac", "\x1b[D", "b", "\x01", "\x05"}, []string{"ac", "\b", "bc\b", "\b\b", "\x1b[C\x1b[C\x1b[C"}},
		{"insert before blanks", "xterm", 80, []string{"a b c", "\x01", "x"}, []string{"a b c", "\r\x1b[C\x1b[C", "\x1b[1@x"}},
		{"delete", "xterm", 80, []string{"abc", "\x7f", "\x02", "\x7f", "\x15"}, []string{"abc", "\b\x1b[K", "\b", "\b\x1b[1Pb\b", "\a"}},
		{"kill", "xterm", 80, []string{"one two", "\x17", "\x19", "\x15", "\x19"}, []string{"one two", "\b\b\b\x1b[K", "two", "\r\x1b[C\x1b[C\x1b[K", "one two"}},
		{"history", "xterm", 80, []string{"\x1b[A", "\x1b[A", "\x1b[A", "\x1b[B", "\x1b[B"}, []string{"echo two", "\b\b\bone", "\a", "\b\b\btwo", "\r\x1b[C\x1b[C\x1b[K"}},
		{"far home", "xterm", 80, []string{strings.Repeat("x", 40), "\x01"}, []string{strings.Repeat("x", 40), "\r\x1b[C\x1b[C"}},
		{"dumb", "dumb", 80, []string{"abc", "\x7f", "\x02", "\x15"}, []string{"abc", "\b \b", "\b", "\bb \b\b"}},
		{"wide", "xterm", 80, []string{"é中", "\x7f", "\x7f"}, []string{"é中", "\b\b\x1b[K", "\b\x1b[K"}},
		{"wrap", "xterm", 10, []string{"abcdefgh", "ij", "\x01"}, []string{"abcdefgh \r", "ij", "\x1b[A"}},
		{"unknown", "xterm", 80, []string{"\x1b[24~", "\x1bOP", "\x1b\x1bx"}, []string{"\a~", "\a", "\ax"}},
		{"complete", "xterm", 80, []string{"al", "\t", "\t", "\t", "p", "\t"}, []string{"al", "\a", "\r\nalpha     alphabet  \r\n$ al", "", "", ""}},
	}
	for _, tt := range tests {
		e := New(TerminalFor(tt.term), tt.cols, fixed{hist: []string{"echo one", "echo two"}, words: []string{"alpha", "alphabet", "beta"}})
		e.Start("$ ")
		e.Take()
		got := typed(e, tt.keys...)
		if tt.name == "complete" { // it completes as far as it goes first
			tt.want = []string{"al", "\apha", "\a", "\r\nalpha     alphabet  \r\n$ alpha", "p", "\a"}
		}
		for i := range tt.keys {
			if got[i] != tt.want[i] {
				t.Errorf("%s, keys %q: %q, want %q", tt.name, tt.keys[i], got[i], tt.want[i])
			}
		}
	}
}

func TestAccept(t *testing.T) {
	e := New(TerminalFor("xterm"), 80, fixed{})
	e.Start("$ ")
	if got := string(e.Take()); got != "\x1b[?2004h$ " {
		t.Errorf("prompt %q", got)
	}
	typed(e, "hi")
	if r := e.Key('\n', -1); r != Accept || e.Line() != "hi" || string(e.Take()) != "\r\n\x1b[?2004l\r" {
		t.Errorf("%v %q", r, e.Line())
	}
	e.Start("$ ")
	if r := e.Key(4, -1); r != EndOfFile {
		t.Errorf("Ctrl-D: %v", r)
	}
	e.Start("$ ")
	if r := e.Key(3, -1); r != Interrupt {
		t.Errorf("Ctrl-C: %v", r)
	}
	e.Start("\x01\x1b[31m\x02$ \x01\x1b[0m\x02")
	e.Take()
	if got := typed(e, "ab", "\x01"); got[1] != "\b\b" {
		t.Errorf("a coloured prompt: %q", got)
	}
}

// A screen is a terminal: it shows whether the bytes really give the line.
type screen struct {
	cells    [][]rune
	row, col int
	cols     int
	wrapped  bool
}

func (s *screen) line(row int) []rune {
	for len(s.cells) <= row {
		s.cells = append(s.cells, nil)
	}
	for len(s.cells[row]) < s.cols {
		s.cells[row] = append(s.cells[row], ' ')
	}
	return s.cells[row]
}

func (s *screen) write(b string) {
	rs := []rune(b)
	for i := 0; i < len(rs); i++ {
		switch r := rs[i]; r {
		case '\r':
			s.col, s.wrapped = 0, false
		case '\n':
			s.row++
			s.wrapped = false
		case '\b':
			s.col, s.wrapped = max(0, s.col-1), false
		case '\a':
		case 0x1b:
			n, j := 0, i+2
			for ; j < len(rs) && (rs[j] >= '0' && rs[j] <= '9' || rs[j] == '?'); j++ {
				if rs[j] != '?' {
					n = n*10 + int(rs[j]-'0')
				}
			}
			s.escape(rs[j], max(n, 1))
			i = j
		default:
			if s.wrapped {
				s.row, s.col, s.wrapped = s.row+1, 0, false
			}
			s.line(s.row)[s.col] = r
			if s.col == s.cols-1 {
				s.wrapped = true
			} else {
				s.col++
			}
		}
	}
}

func (s *screen) escape(final rune, n int) {
	l := s.line(s.row)
	switch final {
	case 'A':
		s.row, s.wrapped = max(0, s.row-n), false
	case 'C':
		s.col, s.wrapped = min(s.cols-1, s.col+n), false
	case 'K':
		for i := s.col; i < s.cols; i++ {
			l[i] = ' '
		}
	case 'P':
		copy(l[s.col:], l[min(s.cols, s.col+n):])
		for i := max(s.col, s.cols-n); i < s.cols; i++ {
			l[i] = ' '
		}
	case '@':
		copy(l[min(s.cols, s.col+n):], l[s.col:])
		for i := s.col; i < min(s.cols, s.col+n); i++ {
			l[i] = ' '
		}
	}
}

func (s *screen) text() string {
	var b strings.Builder
	for i := range s.cells {
		b.WriteString(string(s.line(i)))
	}
	return strings.TrimRight(b.String(), " ")
}

// FuzzEditor types letters and editing keys on a narrow screen and checks that
// the screen shows the line.
func FuzzEditor(f *testing.F) {
	f.Add("hello world\x01x\x05y\x02\x02\x7f\x17", uint8(12))
	f.Add("abc def\x1bb\x1bd\x15\x19\x14", uint8(30))
	f.Fuzz(func(t *testing.T, keys string, cols uint8) {
		width := 10 + int(cols)%60
		e := New(TerminalFor("xterm"), width, fixed{hist: []string{"first line", "second"}})
		e.Start("$ ")
		s := &screen{cols: width}
		plain := true
		for i := range len(keys) {
			k := keys[i]
			if k >= 0x7f && k != 0x7f || k < ' ' && !strings.ContainsRune("\x01\x02\x05\x06\x08\x0b\x10\x0e\x14\x15\x17\x19", rune(k)) {
				plain = false // anything goes, but only for the absence of panics
			}
			if r := e.Key(k, -1); r != More {
				e.Start("$ ")
				plain = false
			}
		}
		out := string(e.Take())
		if !plain || len(keys) > 300 {
			return
		}
		s.write(out)
		if want := strings.TrimRight("$ "+e.Line(), " "); s.text() != want {
			t.Fatalf("keys %q on %d columns\nscreen %q\nline   %q\nbytes  %q", keys, width, s.text(), want, out)
		}
	})
}
