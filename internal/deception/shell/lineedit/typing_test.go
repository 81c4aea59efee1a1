package lineedit

import (
	"strings"
	"testing"
)

// play feeds keys one by one, or says with each which one has already arrived
// behind it, and returns what is sent. slow never takes the short way of
// characters typed at the end.
func play(keys string, cols int, slow, pieces bool) (sent, line string) {
	e := New(TerminalFor("xterm"), cols, fixed{hist: []string{"first line", "second"}})
	e.Start("$ ")
	for i := range len(keys) {
		next := -1
		if pieces && i+1 < len(keys) {
			next = int(keys[i+1])
		}
		if slow {
			e.typing = false
		}
		if r := e.Key(keys[i], next); r != More {
			e.Start("$ ")
		}
	}
	return string(e.Take()), e.Line()
}

// FuzzTyping checks that the short way sends the bytes of the long one, and that
// the pieces in which keys arrive change nothing on the screen.
func FuzzTyping(f *testing.F) {
	f.Add("hello world this wraps at the edge", uint8(0))
	f.Add("abc\x02\x02x\x05yz\x17ab\x1b[Acd\x12eco\x07x", uint8(9))
	f.Add("a\x00b\x1b[200~p q\x1b[201~r\rs", uint8(70))
	f.Fuzz(func(t *testing.T, keys string, cols uint8) {
		if len(keys) > 400 {
			return
		}
		width := 4 + int(cols)%80
		fast, line := play(keys, width, false, false)
		if slow, _ := play(keys, width, true, false); fast != slow {
			t.Fatalf("%q on %d columns\nshort way %q\nlong way  %q", keys, width, fast, slow)
		}
		// An escape means something else when the key behind it is there already.
		if strings.Contains(keys, "\x1b") {
			return
		}
		if _, pieced := play(keys, width, false, true); pieced != line {
			t.Fatalf("%q: %q, in one piece %q", keys, line, pieced)
		}
	})
}

// TestLongLine types a long line key by key: the work may not grow by the square.
func TestLongLine(t *testing.T) {
	e := New(TerminalFor("xterm"), 80, fixed{})
	e.Start("$ ")
	cost := func(n int) float64 {
		return testing.AllocsPerRun(1, func() {
			for range n {
				e.Key('a', -1)
				e.Take()
			}
		})
	}
	first := cost(1000)
	for range 20_000 {
		e.Key('a', 'a')
	}
	if last := cost(1000); last > 4*first+1000 {
		t.Errorf("1000 keys cost %.0f allocations at the beginning of a line, %.0f behind 20,000", first, last)
	}
	if n := len(e.Line()); n != 24_000 {
		t.Errorf("%d characters", n)
	}
	if e.Key('b', -1); !strings.HasSuffix(e.Line(), "ab") {
		t.Error("the last key is lost")
	}
}
