package coreutils

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
)

// translator turns POSIX syntax into Go's.
type translator struct {
	in       string
	i        int
	extended bool
	out      strings.Builder
	groups   int
	open     int
	refs     bool
	atom     bool // something a repetition may follow stands before
	starred  bool
}

func (t *translator) run() error {
	for t.i < len(t.in) {
		c := t.in[t.i]
		t.i++
		var err error
		switch {
		case c == '\\':
			err = t.escape()
		case c == '[':
			err = t.bracket()
		case c == '*' && !t.atom:
			if t.extended {
				continue // ERE: ignored at the beginning, as glibc does
			}
			t.literal('*')
		case c == '*':
			t.repeat("*")
		case c == '.':
			t.out.WriteString(`[^\n]`)
			t.atom, t.starred = true, false
		case c == '^':
			t.caret()
		case c == '$':
			t.dollar()
		case t.extended && strings.IndexByte("+?", c) >= 0 && t.atom:
			t.repeat(string(c))
		case t.extended && strings.IndexByte("+?", c) >= 0:
		case t.extended && c == '{':
			err = t.interval()
		case t.extended && c == '(':
			t.group()
		case t.extended && c == ')':
			if t.open == 0 {
				t.literal(')')
				break
			}
			t.end()
		case t.extended && c == '|':
			t.alternate()
		default:
			t.literal(c)
		}
		if err != nil {
			return err
		}
	}
	if t.open > 0 {
		return errParen
	}
	return nil
}

func (t *translator) literal(c byte) {
	if c >= 0x80 {
		t.out.WriteByte(c)
	} else {
		t.out.WriteString(regexp.QuoteMeta(string(c)))
	}
	t.atom, t.starred = true, false
}

func (t *translator) repeat(op string) {
	if t.starred {
		// a** is a*; Go refuses the second one.
		if op == "*" || op == "+" || op == "?" {
			return
		}
	}
	t.out.WriteString(op)
	t.starred = true
}

func (t *translator) group() {
	t.out.WriteByte('(')
	t.groups++
	t.open++
	t.atom, t.starred = false, false
}

func (t *translator) end() {
	t.out.WriteByte(')')
	t.open--
	t.atom, t.starred = true, false
}

func (t *translator) alternate() {
	t.out.WriteByte('|')
	t.atom, t.starred = false, false
}

func (t *translator) caret() {
	o := t.out.String()
	if t.extended || o == "" || strings.HasSuffix(o, "(") || strings.HasSuffix(o, "|") {
		t.out.WriteByte('^')
		t.atom = false
		return
	}
	t.literal('^')
}

func (t *translator) dollar() {
	rest := t.in[t.i:]
	if t.extended || rest == "" || strings.HasPrefix(rest, `\)`) || strings.HasPrefix(rest, `\|`) {
		t.out.WriteByte('$')
		t.atom = false
		return
	}
	t.literal('$')
}

func (t *translator) escape() error {
	if t.i == len(t.in) {
		return errBackslash
	}
	c := t.in[t.i]
	t.i++
	switch c {
	case 'w', 'W', 's', 'S', 'b', 'B':
		t.out.WriteString(`\` + string(c))
		t.atom, t.starred = c != 'b' && c != 'B', false
		return nil
	case '<', '>':
		t.out.WriteString(`\b`)
		return nil
	case '`':
		t.out.WriteString(`\A`)
		return nil
	case '\'':
		t.out.WriteString(`\z`)
		return nil
	case 'n':
		t.literal('\n')
		return nil
	case 't':
		t.literal('\t')
		return nil
	case '1', '2', '3', '4', '5', '6', '7', '8', '9':
		if n, _ := strconv.Atoi(string(c)); n > t.groups {
			return errReference
		}
		t.refs = true
		t.out.WriteRune(backReference + rune(c-'0'))
		t.atom, t.starred = true, false
		return nil
	}
	if t.extended {
		t.literal(c)
		return nil
	}
	switch c {
	case '(':
		t.group()
	case ')':
		if t.open == 0 {
			return errNoParen
		}
		t.end()
	case '{':
		return t.interval()
	case '|':
		t.alternate()
	case '+', '?':
		if t.atom {
			t.repeat(string(c))
		} else {
			t.literal(c)
		}
	default:
		t.literal(c)
	}
	return nil
}

// interval is {n}, {n,}, {n,m}.
func (t *translator) interval() error {
	end := "}"
	if !t.extended {
		end = `\}`
	}
	i := strings.Index(t.in[t.i:], end)
	if i < 0 {
		if t.extended {
			t.literal('{')
			return nil
		}
		return errBrace
	}
	body := t.in[t.i : t.i+i]
	lo, hi, two := strings.Cut(body, ",")
	n, err1 := strconv.Atoi(lo)
	m, err2 := strconv.Atoi(hi)
	if lo == "" {
		n, err1 = 0, nil
	}
	if hi == "" {
		m, err2 = n, nil
	}
	if err1 != nil || err2 != nil || two && hi != "" && m < n {
		if t.extended && err1 != nil {
			t.literal('{')
			return nil
		}
		return errInterval
	}
	if n > 1000 || m > 1000 { // what Go can; glibc can 32767
		return errPatternSize
	}
	t.i += i + len(end)
	if !t.atom {
		return errRepeat
	}
	if t.starred {
		return nil
	}
	switch {
	case !two:
		fmt.Fprintf(&t.out, "{%d}", n)
	case hi == "":
		fmt.Fprintf(&t.out, "{%d,}", n)
	default:
		fmt.Fprintf(&t.out, "{%d,%d}", n, m)
	}
	t.starred = true
	return nil
}

// bracket copies a bracket expression, in which backslash means itself.
func (t *translator) bracket() error {
	start := t.i
	t.out.WriteByte('[')
	if t.i < len(t.in) && t.in[t.i] == '^' {
		t.out.WriteByte('^')
		t.i++
	}
	for first := true; ; first = false {
		if t.i >= len(t.in) {
			return errBracket
		}
		c := t.in[t.i]
		switch {
		case c == ']' && !first:
			t.i++
			t.out.WriteByte(']')
			t.atom, t.starred = true, false
			return nil
		case c == '[' && t.i+1 < len(t.in) && strings.IndexByte(":.=", t.in[t.i+1]) >= 0:
			end := strings.Index(t.in[t.i+2:], t.in[t.i+1:t.i+2]+"]")
			if end < 0 {
				return errBracket
			}
			whole := t.in[t.i : t.i+2+end+2]
			if t.in[t.i+1] == ':' {
				if !strings.Contains(" [:alnum:] [:alpha:] [:blank:] [:cntrl:] [:digit:] [:graph:] [:lower:] [:print:] [:punct:] [:space:] [:upper:] [:xdigit:] ", " "+whole+" ") {
					return errClassName
				}
				t.out.WriteString(whole)
			} else {
				t.out.WriteString(regexp.QuoteMeta(whole[2 : len(whole)-2]))
			}
			t.i += len(whole)
		case c == '-' && !first && t.i+1 < len(t.in) && t.in[t.i+1] != ']' && t.i > start:
			t.out.WriteByte('-')
			t.i++
		case strings.IndexByte(`\[]^-&~|`, c) >= 0:
			t.out.WriteByte('\\')
			t.out.WriteByte(c)
			t.i++
		default:
			t.out.WriteByte(c)
			t.i++
		}
	}
}
