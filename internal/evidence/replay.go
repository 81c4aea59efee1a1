package evidence

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"
	"unicode"

	"honeyguide"
)

// ReplayOptions say how a recording is shown.
type ReplayOptions struct {
	Speed   float64       // 2 is twice as fast; 0 does not wait at all
	MaxIdle time.Duration // longest pause; 0 means 3 s
}

// An Entry is one event of an asciicast.
type Entry struct {
	After time.Duration // since the one before
	Code  string        // o, i, r, x, m
	Data  string
}

// maxPause bounds a pause as it is read: more is nonsense.
const maxPause = 24 * time.Hour

// Entries calls each for every event of an asciicast version 2 or 3, and
// returns the terminal's size from its header. The error names the line.
func Entries(r io.Reader, each func(Entry) error) (cols, rows int, err error) {
	in := bufio.NewScanner(r)
	in.Buffer(make([]byte, 0, 64<<10), maxLine)
	var head struct {
		Version       int
		Width, Height int
		Term          struct{ Cols, Rows int }
	}
	last := time.Duration(0)
	n := 0
	for in.Scan() {
		n++
		line := in.Bytes()
		if n == 1 {
			if err := json.Unmarshal(line, &head); err != nil || head.Version != 2 && head.Version != 3 {
				return 0, 0, broken(n)
			}
			cols, rows = size(fmt.Sprintf("%dx%d", head.Term.Cols+head.Width, head.Term.Rows+head.Height))
			continue
		}
		if len(line) == 0 || line[0] == '#' {
			continue
		}
		e, err := entry(line)
		if err != nil {
			return cols, rows, broken(n)
		}
		if head.Version == 2 { // absolute times
			e.After, last = max(e.After-last, 0), e.After
		}
		if err := each(e); err != nil {
			return cols, rows, err
		}
	}
	switch {
	case errors.Is(in.Err(), bufio.ErrTooLong):
		return cols, rows, broken(n + 1)
	case in.Err() != nil:
		return cols, rows, fmt.Errorf("read recording: %w", in.Err())
	case n == 0:
		return 0, 0, broken(1)
	}
	return cols, rows, nil
}

func broken(line int) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("recording is damaged at line %d", line)}
}

func entry(line []byte) (Entry, error) {
	var raw []any
	if err := json.Unmarshal(line, &raw); err != nil {
		return Entry{}, err
	}
	if len(raw) != 3 {
		return Entry{}, errors.New("want three values")
	}
	seconds, ok1 := raw[0].(float64)
	code, ok2 := raw[1].(string)
	data, ok3 := raw[2].(string)
	if !ok1 || !ok2 || !ok3 || !(seconds >= 0) || seconds > maxPause.Seconds() {
		return Entry{}, errors.New("want seconds, code and text")
	}
	return Entry{time.Duration(seconds * float64(time.Second)), code, data}, nil
}

// Replay shows the output of a recording on w, which may be somebody's terminal:
// everything but text, colours and moves of the cursor is taken out. It returns
// when the recording or ctx ends.
func Replay(ctx context.Context, w io.Writer, cast io.Reader, o ReplayOptions) error {
	if o.MaxIdle <= 0 {
		o.MaxIdle = 3 * time.Second
	}
	f := &Filter{W: w}
	_, _, err := Entries(cast, func(e Entry) error {
		if !pause(ctx, e.After, o) {
			return ctx.Err()
		}
		if e.Code != "o" {
			return nil
		}
		_, err := io.WriteString(f, e.Data)
		return err
	})
	if _, werr := io.WriteString(w, "\x1b[0m\r\n"); err == nil && werr != nil {
		return fmt.Errorf("show recording: %w", werr)
	}
	return err
}

// pause waits as long as the session did; false says that ctx ended.
func pause(ctx context.Context, d time.Duration, o ReplayOptions) bool {
	if o.Speed <= 0 || d <= 0 {
		return ctx.Err() == nil
	}
	d = min(time.Duration(float64(d)/o.Speed), o.MaxIdle)
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-ctx.Done():
		return false
	}
}

// A Filter lets through what an attacker's output may do to a terminal: show
// printable characters, move to a new line or column, change colours, move the
// cursor and erase. Titles, clipboards, device questions, modes, macros, other
// character sets and whatever else begins with ESC are taken out. It keeps its
// place between writes.
type Filter struct {
	W     io.Writer
	state byte
	seq   []byte // parameters of a CSI sequence
	part  []byte // a begun character
}

// States of a filter.
const (
	plain     = iota
	escape    // after ESC
	nibble    // after ESC and an intermediate byte: one more
	control   // inside CSI
	text      // inside OSC, DCS, SOS, PM, APC: until ST or BEL
	textEnd   // after ESC inside a text
	discarded // inside a CSI that is too long or odd
)

// maxSeq bounds the parameters of a sequence that is let through.
const maxSeq = 48

// moves are the final bytes of the CSI sequences let through: cursor (A-H, d, f),
// erase and shift within the screen (J, K, X, P, @, L, M), colours (m).
const moves = "ABCDEFGHdfJKXP@LMm"

// Write shows what is harmless of p.
func (f *Filter) Write(p []byte) (int, error) {
	all := p
	if len(f.part) > 0 {
		all = append(f.part, p...)
		f.part = nil
	}
	if n := begun(all); n > 0 {
		f.part = append([]byte(nil), all[len(all)-n:]...)
		all = all[:len(all)-n]
	}
	var out strings.Builder
	for _, r := range string(all) {
		f.rune(&out, r)
	}
	if _, err := io.WriteString(f.W, out.String()); err != nil {
		return 0, err
	}
	return len(p), nil
}

func (f *Filter) rune(out *strings.Builder, r rune) {
	switch f.state {
	case plain:
		f.plain(out, r)
	case escape:
		f.afterEscape(r)
	case nibble:
		if r < 0x20 || r > 0x2f {
			f.state = plain
		}
	case control, discarded:
		f.inControl(out, r)
	case text:
		switch r {
		case 0x1b:
			f.state = textEnd
		case 0x07, 0x9c, 0x18, 0x1a:
			f.state = plain
		}
	case textEnd:
		// ST is ESC \; any other ESC begins a sequence of its own.
		f.state = plain
		if r != '\\' {
			f.afterEscape(r)
		}
	}
}

func (f *Filter) plain(out *strings.Builder, r rune) {
	switch {
	case r == 0x1b:
		f.state = escape
	case r == '\n' || r == '\r' || r == '\b' || r == '\t':
		out.WriteRune(r)
	case r == 0x9b:
		f.state, f.seq = control, f.seq[:0]
	case r == 0x90 || r == 0x98 || r >= 0x9d && r <= 0x9f:
		f.state = text
	case unicode.IsPrint(r) && !unicode.Is(unicode.Cf, r):
		out.WriteRune(r)
	}
}

func (f *Filter) afterEscape(r rune) {
	switch {
	case r == '[':
		f.state, f.seq = control, f.seq[:0]
	case r == ']' || r == 'P' || r == 'X' || r == '^' || r == '_':
		f.state = text
	case r >= 0x20 && r <= 0x2f:
		f.state = nibble
	case r == 0x1b:
		f.state = escape
	default:
		f.state = plain
	}
}

func (f *Filter) inControl(out *strings.Builder, r rune) {
	switch {
	case r == 0x1b:
		f.state = escape
	case r == 0x18 || r == 0x1a:
		f.state = plain
	case r >= 0x40 && r <= 0x7e:
		if f.state == control && strings.ContainsRune(moves, r) {
			out.WriteString("\x1b[")
			out.Write(f.seq)
			out.WriteRune(r)
		}
		f.state = plain
	case f.state == control && (r >= '0' && r <= '9' || r == ';' || r == ':') && len(f.seq) < maxSeq:
		f.seq = append(f.seq, byte(r))
	default:
		f.state = discarded
	}
}
