package coreutils

import (
	"errors"
	"math"
	"regexp"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// A csplitting is one run of csplit.
type csplitting struct {
	p                           *Proc
	prefix, format              string
	digits                      int
	keep, silent, elide, remove bool
	lines                       []string // each with its newline
	at                          int      // the next line not yet written
	made                        []string
}

// A csplitPattern is one operand: a line number, or an expression.
type csplitPattern struct {
	text   string
	line   int // 0 for an expression
	re     *regex
	skip   bool // %expression%
	offset int
	times  int // how often more; MaxInt for {*}
}

func csplit(p *Proc) int {
	opts, args, ok := p.getopt("f:b:kn:sqz", "digits=,n", "quiet,q", "silent,s", "keep-files,k", "elide-empty-files,z", "prefix=,f", "suffix-format=,b", "suppress-matched")
	if !ok {
		return 1
	}
	c := &csplitting{p: p, prefix: "xx", digits: 2}
	for _, o := range opts {
		switch o.name {
		case "f":
			c.prefix = o.val
		case "b":
			c.format = o.val
		case "k":
			c.keep = true
		case "n":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 0 || n > 100 {
				p.errorf("invalid number: %s", p.q(o.val))
				return 1
			}
			c.digits = n
		case "s", "q":
			c.silent = true
		case "z":
			c.elide = true
		case "suppress-matched":
			c.remove = true
		}
	}
	if c.format != "" && !csplitFormat.MatchString(c.format) {
		p.errorf("missing %% conversion specification in suffix")
		return 1
	}
	switch len(args) {
	case 0:
		p.errorf("missing operand")
		return p.try(1)
	case 1:
		p.errorf("missing operand after %s", p.q(args[0]))
		return p.try(1)
	}
	return c.run(args[0], args[1:])
}

var csplitFormat = regexp.MustCompile(`^(?:[^%]|%%)*%[-#0']*[0-9]{0,3}(?:\.[0-9]{0,3})?[diuoxX](?:[^%]|%%)*$`)

func (c *csplitting) run(name string, operands []string) int {
	p := c.p
	f, err := p.openFile(name)
	if err != nil {
		p.errorf("cannot open %s for reading: %s", qa(name), why(err))
		return 1
	}
	defer f.Close()
	patterns, ok := c.patterns(operands)
	if !ok {
		return 1
	}
	_ = p.lines(f, func(l []byte, full bool) bool {
		p.alloc(len(l) + 17)
		if full {
			l = append(l, '\n')
		}
		c.lines = append(c.lines, string(l))
		return true
	})
	for _, pat := range patterns {
		for n := 0; n <= pat.times; n++ {
			p.step(1)
			done, err := c.cut(pat, n)
			if err != nil {
				return c.giveUp()
			}
			if done {
				break
			}
		}
	}
	c.write(len(c.lines))
	return 0
}

// giveUp removes what was made, after the rest was written as GNU's does.
func (c *csplitting) giveUp() int {
	if !c.keep {
		for _, name := range c.made {
			_ = c.p.FS.Remove(c.p.Cred, c.p.path(name))
		}
	}
	return 1
}

// patterns reads the operands behind the file.
func (c *csplitting) patterns(operands []string) ([]csplitPattern, bool) {
	p := c.p
	var out []csplitPattern
	last := 0
	for _, o := range operands {
		pat := csplitPattern{text: o}
		switch {
		case o != "" && (o[0] == '/' || o[0] == '%'):
			if !c.expression(&pat) {
				return nil, false
			}
		case strings.HasPrefix(o, "{") && len(out) > 0 && out[len(out)-1].times == 0:
			times, ok := c.repeat(o)
			if !ok {
				return nil, false
			}
			out[len(out)-1].times = times
			continue
		default:
			n, err := strconv.ParseUint(o, 10, 31)
			switch {
			case err != nil:
				p.errorf("%s: invalid pattern", p.q(o))
				return nil, false
			case n == 0:
				p.errorf("%s: line number must be greater than zero", o)
				return nil, false
			case int(n) < last:
				p.errorf("line number %s is smaller than preceding line number, %d", p.q(o), last)
				return nil, false
			case int(n) == last:
				p.errorf("warning: line number %s is the same as preceding line number", p.q(o))
			}
			pat.line, last = int(n), int(n)
		}
		out = append(out, pat)
	}
	return out, true
}

func (c *csplitting) repeat(o string) (int, bool) {
	p := c.p
	inner, closed := strings.CutSuffix(o[1:], "}")
	n, err := strconv.ParseUint(inner, 10, 31)
	switch {
	case !closed:
		p.errorf("%s: '}' is required in repeat count", p.q(o))
		return 0, false
	case inner == "*":
		return math.MaxInt - 1, true
	case err != nil:
		p.errorf("%s}: integer required between '{' and '}'", o[:len(o)-1])
		return 0, false
	}
	return int(n), true
}

// expression is /re/offset or %re%offset.
func (c *csplitting) expression(pat *csplitPattern) bool {
	p, o := c.p, pat.text
	end := strings.LastIndexByte(o, o[0])
	if end == 0 {
		p.errorf("%s: closing delimiter '%c' missing", o, o[0])
		return false
	}
	pat.skip = o[0] == '%'
	if rest := o[end+1:]; rest != "" {
		n, err := strconv.Atoi(rest)
		if err != nil {
			p.errorf("%s: integer expected after delimiter", p.q(o))
			return false
		}
		pat.offset = n
	}
	re, err := compile(p, o[1:end], reOptions{})
	if err != nil {
		p.errorf("%s: invalid regular expression: %s", p.q(o), err)
		return false
	}
	pat.re = re
	return true
}

var errOutOfRange = errors.New("out of range")

// cut does one pattern once. It reports true when an endless repetition ran out.
func (c *csplitting) cut(pat csplitPattern, n int) (bool, error) {
	p := c.p
	complain := func(what string) error {
		text := ""
		if n > 0 {
			text = sprintf(" on repetition %d", n)
		}
		p.flush()
		p.errorf("%s: %s%s", p.q(pat.text), what, text)
		return errOutOfRange
	}
	if pat.re == nil {
		to := pat.line*(n+1) - 1
		if to > len(c.lines) || to == len(c.lines) && n > 0 {
			if pat.times == math.MaxInt-1 {
				return true, nil
			}
			err := complain("line number out of range")
			c.write(len(c.lines))
			return false, err
		}
		c.write(max(to, c.at))
		c.dropMatched()
		return false, nil
	}
	from := c.at
	if n > 0 || from > 0 {
		from++ // the line that ended the last part does not end this one
	}
	if c.remove {
		from = c.at
	}
	for i := from; i < len(c.lines); i++ {
		p.step(1)
		if pat.re.find(p, []byte(strings.TrimSuffix(c.lines[i], "\n"))) == nil {
			continue
		}
		to := i + pat.offset
		if to < c.at || to > len(c.lines) {
			err := complain("line number out of range")
			c.write(max(c.at, min(to, len(c.lines))))
			return false, err
		}
		if pat.skip {
			c.at = to
		} else {
			c.write(to)
		}
		c.dropMatched()
		return false, nil
	}
	if pat.times == math.MaxInt-1 {
		if pat.skip {
			c.at = len(c.lines)
		}
		return true, nil
	}
	err := complain("match not found")
	if !pat.skip {
		c.write(len(c.lines))
	}
	return false, err
}

func (c *csplitting) dropMatched() {
	if c.remove && c.at < len(c.lines) {
		c.at++
	}
}

// write makes the next file of the lines up to to.
func (c *csplitting) write(to int) {
	p := c.p
	text := strings.Join(c.lines[c.at:to], "")
	c.at = to
	if text == "" && c.elide {
		return
	}
	suffix := sprintf("%0*d", c.digits, len(c.made))
	if c.format != "" {
		suffix = sprintf(strings.NewReplacer("'", "", "i", "d", "u", "d").Replace(c.format), len(c.made))
	}
	name := c.prefix + suffix
	p.step(5 + len(text)/1024)
	f, err := p.FS.Open(p.Cred, p.path(name), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o666&^p.Umask)
	if err == nil {
		c.made = append(c.made, name)
		_, err = f.Write([]byte(text))
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		p.errorf("%s: %s", quotef(name), why(err))
		panic(stop{c.giveUp()})
	}
	if !c.silent {
		p.printf("%d\n", len(text))
	}
}
