package ingest

import (
	"bytes"
	"fmt"
	"io"
)

func tooLong(limit int) string { return fmt.Sprintf("longer than %d bytes", limit) }

// objects cuts JSON objects that stand one after the other over any number of
// lines, alone or as the elements of an array.
type objects struct {
	w      *window
	max    int
	arrays int   // arrays that are open
	opened int64 // line of the last that was opened
	ended  bool
	col    int // bytes since the last line break, before the next unread byte
}

func (o *objects) next(rec *Record) error {
	for {
		rest := o.w.rest()
		if len(rest) == 0 {
			if o.w.more() {
				continue
			}
			return o.finish()
		}
		switch c := rest[0]; c {
		case ' ', '\t', '\r', '\n', ',':
			o.drop(1)
		case '[':
			o.arrays++
			o.opened = o.w.line
			o.drop(1)
		case ']':
			o.arrays = max(o.arrays-1, 0)
			o.drop(1)
		case '{':
			return o.object(rec)
		default:
			return o.foreign()
		}
	}
}

// drop skips n bytes of the window and keeps the column.
func (o *objects) drop(n int) {
	o.col = column(o.w.rest()[:n], o.col)
	o.w.skip(n)
}

// finish ends the stream; an array that is still open is told of once.
func (o *objects) finish() error {
	if err := o.w.end(); err != nil {
		return err
	}
	if o.arrays > 0 && !o.ended {
		o.ended = true
		return &broken{line: o.opened, reason: "the input ends inside its JSON array"}
	}
	return io.EOF
}

// foreign takes what is no object, up to where the next one may begin.
func (o *objects) foreign() error {
	b := &broken{line: o.w.line, reason: errNoObject.Error()}
	quoted, escaped := false, false
	for {
		rest := o.w.rest()
		for i, c := range rest {
			switch {
			case c == '\n', !quoted && (c == ',' || c == ']' || c == '{' || c == '['):
				b.take(rest[:i])
				o.drop(i)
				return b
			case escaped:
				escaped = false
			case quoted && c == '\\':
				escaped = true
			case c == '"':
				quoted = !quoted
			}
		}
		b.take(rest)
		o.drop(len(rest))
		if !o.w.more() {
			return b
		}
	}
}

// object cuts out and parses the object that begins at the window.
func (o *objects) object(rec *Record) error {
	s := scan{col: o.col, start: o.col}
	line := o.w.line
	var over *broken // set once the object is too large to be held
	for i := 0; ; {
		for rest := o.w.rest(); i < len(rest); i++ {
			switch s.step(rest[i]) {
			case scanOn:
				continue
			case scanDone:
				return o.cut(rec, over, line, i+1)
			case scanNext: // the next object begins here; this one never ended
				return o.lose(over, line, i, "the object is not closed")
			case scanBroken:
				return o.resync(over, line, i, s.start)
			}
		}
		if i > o.max {
			if over == nil {
				over = &broken{line: line, reason: tooLong(o.max)}
			}
			over.take(o.w.rest())
			o.drop(i)
			i = 0
		}
		if !o.w.more() {
			if err := o.w.end(); err != nil {
				return err
			}
			return o.lose(over, line, i, "the input ends inside this object")
		}
	}
}

// cut hands out the object of n bytes at the window.
func (o *objects) cut(rec *Record, over *broken, line int64, n int) error {
	if over != nil || n > o.max {
		return o.lose(over, line, n, tooLong(o.max))
	}
	raw := o.w.rest()[:n]
	_, err := rec.doc.parse(raw)
	if err != nil {
		return o.lose(nil, line, n, err.Error())
	}
	rec.take(line, raw)
	o.drop(n) // moves nothing: raw stays where it is until the window reads on
	return nil
}

// lose gives up what was taken before and the next n bytes.
func (o *objects) lose(over *broken, line int64, n int, reason string) error {
	if over == nil {
		over = &broken{line: line, reason: reason}
	}
	over.take(o.w.rest()[:n])
	o.drop(n)
	return over
}

// resync gives up everything up to a line on which an object begins no deeper
// than the broken one did.
func (o *objects) resync(over *broken, line int64, n int, start int) error {
	if over == nil {
		over = &broken{line: line, reason: "line break inside a text"}
	}
	over.take(o.w.rest()[:n])
	o.drop(n)
	blank := true
	for {
		rest := o.w.rest()
		for i, c := range rest {
			switch {
			case c == '\n':
				blank = true
			case isBlank(c):
			case blank && c == '{' && column(rest[:i], o.col) <= start:
				over.take(rest[:i])
				o.drop(i)
				return over
			default:
				blank = false
			}
		}
		over.take(rest)
		o.drop(len(rest))
		if !o.w.more() {
			if err := o.w.end(); err != nil {
				return err
			}
			return over
		}
	}
}

// column returns how far the end of b is from its last line break; before is
// the column where b begins.
func column(b []byte, before int) int {
	if i := bytes.LastIndexByte(b, '\n'); i >= 0 {
		return len(b) - 1 - i
	}
	return before + len(b)
}

// Outcomes of one step of a scan.
const (
	scanOn     = iota // inside the object
	scanDone          // this byte closes it
	scanNext          // this byte begins another object: the first was never closed
	scanBroken        // this byte cannot be there
)

// A scan finds the end of a JSON object without parsing it.
type scan struct {
	depth   int
	inArray uint64 // bit n: level n is an array
	quoted  bool
	escaped bool
	indent  bool // nothing but blanks since the line began
	last    byte // last byte that was no blank
	col     int  // of the byte that comes next
	start   int  // column where the object began
}

// step takes the next byte.
func (s *scan) step(c byte) int {
	col := s.col
	s.col++
	if s.quoted {
		switch {
		case c == '\n':
			return scanBroken
		case s.escaped:
			s.escaped = false
		case c == '\\':
			s.escaped = true
		case c == '"':
			s.quoted = false
		}
		return scanOn
	}
	switch c {
	case '\n':
		s.col, s.indent = 0, true
		return scanOn
	case ' ', '\t', '\r':
		return scanOn
	case '"':
		s.quoted = true
	case '{':
		if s.indent && col <= s.start && !s.mayNest() {
			return scanNext
		}
		s.push(0)
	case '[':
		s.push(1)
	case '}', ']':
		if s.depth--; s.depth == 0 {
			return scanDone
		}
	}
	s.last, s.indent = c, false
	return scanOn
}

func (s *scan) push(array uint64) {
	if s.depth++; s.depth < 64 {
		s.inArray = s.inArray&^(1<<s.depth) | array<<s.depth
	}
}

// mayNest reports whether JSON allows an object at this place.
func (s *scan) mayNest() bool {
	switch s.last {
	case ':', 0:
		return true
	case '[', ',':
		return s.depth >= 64 || s.inArray>>s.depth&1 == 1
	}
	return false
}
