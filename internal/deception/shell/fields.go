package shell

import (
	"strings"

	"honeyguide/internal/deception/shell/pattern"
)

// A purpose says what a word is expanded for.
type purpose uint8

// A field is one word in the making: its text and, when a pattern character
// came unquoted, its text as a pattern.
type field struct {
	text []byte
	pat  []byte
	glob bool
}

// An expander turns one word into fields.
type expander struct {
	e       *env
	purpose purpose
	ifs     string
	done    []field
	cur     field
	started bool // the current field exists even when empty
	blank   bool // the last field was ended by a blank of IFS
	assign  bool // tildes behind colons count
	equals  bool // and so does the one behind the first equals sign
}

// fieldSize is what a finished field costs besides its text.
const fieldSize = 64

// end finishes the current field.
func (x *expander) end() {
	if x.started || len(x.cur.text) > 0 {
		_ = x.e.hold(fieldSize + cap(x.cur.text) + cap(x.cur.pat)) // ends the process when there is no more
		x.done = append(x.done, x.cur)
	}
	x.cur, x.started = field{}, false
}

// add appends text that is not split.
func (x *expander) add(s string, quoted bool) error {
	x.blank = false
	if len(s) > 1<<16 {
		if x.e.k.mem+int64(len(s)+2*len(x.cur.text)) > x.e.k.bud.Bytes {
			return x.e.noMemory()
		}
	}
	switch {
	case x.purpose == forFields:
		if x.cur.glob {
			x.addPattern(s, quoted)
		} else if !quoted && strings.ContainsAny(s, "*?[") {
			x.cur.pat = append(x.cur.pat, pattern.Escape(string(x.cur.text))...)
			x.cur.glob = true
			x.addPattern(s, false)
		}
	case x.purpose == forPattern:
		x.addPattern(s, quoted)
	case x.purpose == forReplacement:
		if quoted {
			s2 := strings.NewReplacer(`\`, `\\`, "&", `\&`).Replace(s)
			x.cur.pat = append(x.cur.pat, s2...)
		} else {
			x.cur.pat = append(x.cur.pat, s...)
		}
	case x.purpose == forRegex:
		if quoted {
			s = quoteRegex(s)
		}
		x.cur.pat = append(x.cur.pat, s...)
	}
	x.cur.text = append(x.cur.text, s...)
	return nil
}

func (x *expander) addPattern(s string, quoted bool) {
	if quoted {
		s = pattern.Escape(s)
	}
	x.cur.pat = append(x.cur.pat, s...)
}

// quoteRegex makes every character of s stand for itself.
func quoteRegex(s string) string {
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(`\.+*?()|[]{}^$`, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// split appends the result of an unquoted expansion, divided at IFS.
func (x *expander) split(s string) error {
	if x.purpose != forFields || x.ifs == "" {
		return x.add(s, false)
	}
	from := 0
	for i := 0; i < len(s); i++ {
		if strings.IndexByte(x.ifs, s[i]) < 0 {
			continue
		}
		if i > from {
			if err := x.add(s[from:i], false); err != nil {
				return err
			}
		}
		from = i + 1
		x.delimit(s[i] == ' ' || s[i] == '\t' || s[i] == '\n')
	}
	if from < len(s) {
		return x.add(s[from:], false)
	}
	return nil
}

// delimit ends a field at a character of IFS: blanks only end what is there,
// others end a field even if it is empty, together with blanks around them.
func (x *expander) delimit(isBlank bool) {
	has := x.started || len(x.cur.text) > 0
	switch {
	case isBlank && has:
		x.end()
		x.blank = true
	case isBlank:
	case has:
		x.end()
		x.blank = false
	case x.blank:
		x.blank = false
	default:
		x.started = true
		x.end()
	}
}
