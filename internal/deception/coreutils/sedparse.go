package coreutils

import (
	"errors"
	"strconv"
	"strings"
)

// sedParser reads a script. i is where it stands, for error messages.
type sedParser struct {
	s      *sedJob
	in     string
	i      int
	blocks []int
	labels map[string]int
}

func (q *sedParser) peek() byte {
	if q.i < len(q.in) {
		return q.in[q.i]
	}
	return 0
}

func (q *sedParser) skip(set string) {
	for q.i < len(q.in) && strings.IndexByte(set, q.in[q.i]) >= 0 {
		q.i++
	}
}

// maxScript bounds the commands of a script.
const maxScript = 4096

func (q *sedParser) run() error {
	q.labels = map[string]int{}
	for {
		q.skip(" \t\n;")
		if q.i >= len(q.in) {
			break
		}
		if q.peek() == '#' {
			q.restOfLine()
			continue
		}
		if len(q.s.cmds) >= maxScript {
			return errors.New("script too long")
		}
		q.s.p.step(1)
		if err := q.command(); err != nil {
			return err
		}
	}
	if len(q.blocks) > 0 {
		q.i = 0
		return errors.New("unmatched `{'")
	}
	for _, c := range q.s.cmds {
		if c.name != 'b' && c.name != 't' && c.name != 'T' {
			continue
		}
		c.jump = len(q.s.cmds)
		if c.label != "" {
			at, ok := q.labels[c.label]
			if !ok {
				q.s.p.errorf("can't find label for jump to `%s'", c.label)
				panic(stop{4})
			}
			c.jump = at
		}
	}
	return nil
}

func (q *sedParser) restOfLine() string {
	j := strings.IndexByte(q.in[q.i:], '\n')
	if j < 0 {
		j = len(q.in) - q.i
	}
	t := q.in[q.i : q.i+j]
	q.i += j
	return t
}

func (q *sedParser) number() int {
	j := q.i
	for q.i < len(q.in) && q.in[q.i] >= '0' && q.in[q.i] <= '9' {
		q.i++
	}
	n, _ := strconv.Atoi(q.in[j:q.i])
	return n
}

func (q *sedParser) address() (*address, error) {
	switch c := q.peek(); {
	case c >= '0' && c <= '9':
		n := q.number()
		q.skip(" \t")
		if q.peek() == '~' {
			q.i++
			return &address{kind: '~', n: n, step: q.number()}, nil
		}
		if n == 0 {
			return &address{kind: '0'}, nil
		}
		return &address{kind: 'n', n: n}, nil
	case c == '$':
		q.i++
		return &address{kind: '$'}, nil
	case c == '/' || c == '\\':
		if c == '\\' {
			q.i++
		}
		delim := q.peek()
		q.i++
		text, ok := q.until(delim, true)
		if !ok {
			return nil, errors.New("unterminated address regex")
		}
		o := reOptions{extended: q.s.extended}
		for strings.IndexByte("IM", q.peek()) >= 0 && q.peek() != 0 {
			o.fold = o.fold || q.peek() == 'I'
			q.i++
		}
		re, err := q.compile(text, o)
		return &address{kind: '/', re: re}, err
	}
	return nil, nil
}

func (q *sedParser) compile(text string, o reOptions) (*regex, error) {
	if text == "" {
		return nil, nil
	}
	return compile(q.s.p, text, o)
}

// until reads up to the delimiter; an escaped delimiter stands for itself.
func (q *sedParser) until(delim byte, pattern bool) (string, bool) {
	var b strings.Builder
	set := false
	for q.i < len(q.in) {
		c := q.in[q.i]
		switch {
		case c == '\\' && q.i+1 < len(q.in):
			d := q.in[q.i+1]
			q.i += 2
			if d == delim && delim != '&' && (delim != '|' || !pattern) {
				if !pattern && delim != '\\' && strings.IndexByte("&", delim) >= 0 {
					b.WriteByte('\\')
				}
				b.WriteByte(d)
			} else if d == '\n' && !pattern {
				b.WriteByte('\n')
			} else {
				b.WriteByte('\\')
				b.WriteByte(d)
			}
			continue
		case pattern && c == '[' && !set:
			set = true
			b.WriteByte(c)
			q.i++
			if q.peek() == '^' {
				b.WriteByte('^')
				q.i++
			}
			if q.peek() == ']' {
				b.WriteByte(']')
				q.i++
			}
			continue
		case pattern && c == ']':
			set = false
		case c == delim && !set:
			q.i++
			return b.String(), true
		case c == '\n' && pattern:
			return "", false
		}
		b.WriteByte(c)
		q.i++
	}
	return "", false
}

func (q *sedParser) command() error {
	c := &sedCmd{}
	var err error
	if c.a, err = q.address(); err != nil {
		return err
	}
	q.skip(" \t")
	if c.a != nil && q.peek() == ',' {
		q.i++
		q.skip(" \t")
		if q.peek() == '+' || q.peek() == '~' {
			kind := q.peek()
			q.i++
			c.b = &address{kind: kind, n: q.number()}
		} else if c.b, err = q.address(); err != nil {
			return err
		}
		if c.b == nil {
			q.i++
			return errors.New("unexpected `,'")
		}
	}
	if c.a != nil && c.a.kind == '0' && (c.b == nil || c.b.kind != '/') {
		q.i++
		return errors.New("invalid usage of line address 0")
	}
	q.skip(" \t")
	for q.peek() == '!' {
		c.not = true
		q.i++
		q.skip(" \t")
	}
	if q.i >= len(q.in) {
		return errors.New("missing command")
	}
	c.name = q.peek()
	q.i++
	if err := q.arguments(c); err != nil {
		return err
	}
	q.s.cmds = append(q.s.cmds, c)
	return nil
}

func (q *sedParser) arguments(c *sedCmd) error {
	switch c.name {
	case '{':
		q.blocks = append(q.blocks, len(q.s.cmds))
		return nil
	case '}':
		if len(q.blocks) == 0 {
			return errors.New("unexpected `}'")
		}
		open := q.blocks[len(q.blocks)-1]
		q.blocks = q.blocks[:len(q.blocks)-1]
		q.s.cmds[open].jump = len(q.s.cmds)
		return q.end()
	case ':':
		q.skip(" \t")
		j := q.i
		for q.i < len(q.in) && strings.IndexByte(" \t\n;", q.in[q.i]) < 0 {
			q.i++
		}
		label := q.in[j:q.i]
		if label == "" {
			return errors.New("\":\" lacks a label")
		}
		q.labels[label] = len(q.s.cmds)
		return nil
	case 'b', 't', 'T':
		q.skip(" \t")
		j := q.i
		for q.i < len(q.in) && strings.IndexByte(" \t\n;}", q.in[q.i]) < 0 {
			q.i++
		}
		c.label = q.in[j:q.i]
		return nil
	case 'a', 'i', 'c':
		return q.insertion(c)
	case 'r', 'w', 'R', 'W':
		q.skip(" \t")
		c.file = q.restOfLine()
		if c.file == "" {
			return errors.New("missing filename in r/R/w/W commands")
		}
		return nil
	case 's':
		return q.substitution(c)
	case 'y':
		return q.transliteration(c)
	case 'e':
		q.skip(" \t")
		c.text = q.restOfLine()
		return nil
	case 'q', 'Q', 'l', 'L':
		if c.b != nil && c.name != 'l' {
			return errors.New("command only uses one address")
		}
		q.skip(" \t")
		c.text = strconv.Itoa(q.number())
		return q.end()
	case '=', 'd', 'D', 'g', 'G', 'h', 'H', 'n', 'N', 'p', 'P', 'x', 'z', 'F':
		return q.end()
	}
	return errors.New("unknown command: `" + string(c.name) + "'")
}

// end checks that nothing but the next command follows.
func (q *sedParser) end() error {
	q.skip(" \t")
	switch q.peek() {
	case 0, '\n', ';', '#':
		return nil
	case '}':
		return nil
	}
	q.i++
	return errors.New("extra characters after command")
}

func (q *sedParser) insertion(c *sedCmd) error {
	q.skip(" \t")
	if q.peek() == '\\' {
		q.i++
		at := q.i
		if q.skip(" \t"); q.peek() == '\n' {
			q.i++
		} else {
			q.i = at // a\ and text on one line keeps the text's blanks
		}
	}
	if q.i >= len(q.in) {
		return errors.New("expected \\ after `a', `c' or `i'")
	}
	var b strings.Builder
	for q.i < len(q.in) && q.in[q.i] != '\n' {
		ch := q.in[q.i]
		q.i++
		if ch == '\\' && q.i < len(q.in) {
			ch = q.in[q.i]
			q.i++
			if ch == 't' {
				ch = '\t'
			}
		}
		b.WriteByte(ch)
	}
	c.text = b.String()
	return nil
}
