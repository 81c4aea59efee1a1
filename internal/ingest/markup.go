package ingest

import (
	"bytes"
	"fmt"
	"io"
)

// markup cuts the <Event> elements out of XML, wherever they stand; what is around
// them is passed over. It does not look into them, so nothing in the text can make
// it open a file or grow.
type markup struct {
	w   *window
	max int
}

var (
	eventOpens  = []byte("<Event")
	eventCloses = []byte("</Event>")
)

func (m *markup) next(rec *Record) error {
	if err := m.seek(); err != nil {
		return err
	}
	at, seen := m.w.line, 0
	for {
		rest := m.w.rest()
		if i := bytes.Index(rest[seen:], eventCloses); i >= 0 {
			n := seen + i + len(eventCloses)
			raw := rest[:n]
			m.w.skip(n) // moves nothing: raw stays until the window reads on
			if n > m.max {
				b := &broken{line: at, reason: tooLong(m.max)}
				b.take(raw)
				return b
			}
			rec.takeLine(at, raw)
			return nil
		}
		seen = max(len(rest)-len(eventCloses), 0)
		if len(rest) > m.max {
			return m.over(at)
		}
		if m.w.more() {
			continue
		}
		if err := m.w.end(); err != nil {
			return err
		}
		b := &broken{line: at, reason: "the input ends inside this event"}
		b.take(rest)
		m.w.skip(len(rest))
		return b
	}
}

// seek drops everything before the next <Event> and returns io.EOF when there is
// none.
func (m *markup) seek() error {
	for {
		rest := m.w.rest()
		for from := 0; ; {
			i := bytes.Index(rest[from:], eventOpens)
			if i < 0 || from+i+len(eventOpens) >= len(rest) {
				break
			}
			from += i
			if c := rest[from+len(eventOpens)]; c == '>' || c == ' ' || c == '\t' || c == '\r' || c == '\n' {
				m.w.skip(from)
				return nil
			}
			from += len(eventOpens)
		}
		// The last bytes may be the beginning of one.
		m.w.skip(max(len(rest)-len(eventOpens)-1, 0))
		if m.w.more() {
			continue
		}
		if err := m.w.end(); err != nil {
			return err
		}
		m.w.skip(len(m.w.rest()))
		return io.EOF
	}
}

// over drops an event that is too large, up to its end or that of the input.
func (m *markup) over(at int64) error {
	b := &broken{line: at, reason: fmt.Sprintf("longer than %d bytes", m.max)}
	for {
		rest := m.w.rest()
		if i := bytes.Index(rest, eventCloses); i >= 0 {
			b.take(rest[:i+len(eventCloses)])
			m.w.skip(i + len(eventCloses))
			return b
		}
		n := max(len(rest)-len(eventCloses), 0)
		b.take(rest[:n])
		m.w.skip(n)
		if !m.w.more() {
			b.take(m.w.rest())
			m.w.skip(len(m.w.rest()))
			return b
		}
	}
}
