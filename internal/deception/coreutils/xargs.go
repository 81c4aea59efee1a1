package coreutils

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func xargs(p *Proc) int {
	opts, args, ok := p.getopt("+0a:d:E:e::I:i::L:l::n:oP:prs:tx", "null,0", "arg-file=,a", "delimiter=,d", "eof?,e", "replace?,i", "max-lines?,l", "max-args=,n", "max-procs=,P", "interactive,p", "no-run-if-empty,r", "max-chars=,s", "verbose,t", "exit,x", "show-limits", "open-tty,o", "process-slot-var=")
	if !ok {
		return 1
	}
	x := &xargsJob{p: p, max: 4096}
	file := "-"
	for _, o := range opts {
		switch o.name {
		case "0":
			x.delim = "\x00"
		case "d":
			x.delim, _ = unescape(o.val, false)
		case "a":
			file = o.val
		case "I", "i":
			x.replace = o.val
			if x.replace == "" {
				x.replace = "{}"
			}
		case "n", "L", "l":
			n, err := strconv.Atoi(o.val)
			if o.val == "" {
				n, err = 1, nil
			}
			if err == nil && n < 1 {
				p.errorf("value %d for -%s option should be >= 1", n, o.name)
				return p.try(1)
			}
			if err != nil {
				p.errorf("invalid number \"%s\" for -%s option", o.val, o.name)
				return p.try(1)
			}
			x.max = min(n, 4096)
			x.byLine = o.name != "n"
		case "r":
			x.skipEmpty = true
		case "t":
			x.verbose = true
		case "p":
			x.verbose, x.ask = true, true
		case "E", "e":
			x.end = o.val
		}
	}
	x.argv = args
	if len(args) == 0 {
		x.argv = []string{"echo"}
	}
	r, err := p.open(file)
	if err != nil {
		p.errorf("Cannot open input file %s: %s", p.q(file), why(err))
		return 1
	}
	defer r.Close()
	return x.run(r)
}

type xargsJob struct {
	p         *Proc
	argv      []string
	delim     string
	replace   string
	max       int
	byLine    bool
	skipEmpty bool
	verbose   bool
	ask       bool   // -p
	end       string // -E: the word that ends the input
	items     []string
	ran       bool
	status    int
}

func (x *xargsJob) run(r io.Reader) int {
	p := x.p
	switch {
	case x.delim != "":
		_ = p.records(r, x.delim[0], func(l []byte, _ bool) bool { return x.add(string(l)) })
	case x.replace != "" || x.byLine:
		_ = p.lines(r, func(l []byte, _ bool) bool {
			s := strings.Trim(string(l), " \t")
			if s == "" {
				return true
			}
			if x.replace != "" {
				words := splitQuoted(s, false)
				return x.add(strings.Join(words, " "))
			}
			return x.add(strings.Join(splitQuoted(s, true), "\x01"))
		})
	default:
		_ = p.lines(r, func(l []byte, _ bool) bool {
			x.unmatched(string(l))
			for _, w := range splitQuoted(string(l), true) {
				if x.end != "" && w == x.end || !x.add(w) {
					return false
				}
			}
			return true
		})
	}
	if len(x.items) > 0 || !x.ran && !x.skipEmpty && x.replace == "" {
		x.flush()
	}
	return x.status
}

func (x *xargsJob) add(s string) bool {
	x.p.alloc(len(s) + 16)
	x.items = append(x.items, s)
	if x.replace != "" || len(x.items) >= x.max {
		return x.flush()
	}
	return true
}

func (x *xargsJob) flush() bool {
	p := x.p
	argv := append([]string(nil), x.argv...)
	if x.replace != "" {
		for i, a := range argv {
			argv[i] = strings.ReplaceAll(a, x.replace, x.items[0])
		}
	} else {
		for _, it := range x.items {
			argv = append(argv, strings.Split(it, "\x01")...)
		}
	}
	for _, it := range x.items {
		p.alloc(-len(it) - 16)
	}
	x.items, x.ran = nil, true
	if _, err := p.lookPath(argv[0]); err != nil {
		p.errorf("%s: %s", argv[0], why(err))
		if x.status = 127; errors.Is(err, vfs.EACCES) {
			x.status = 126
		}
		return false
	}
	if x.verbose {
		words := make([]string, len(argv))
		for i, a := range argv {
			words[i] = shellWord(a)
		}
		p.complain(strings.Join(words, " "))
		if x.ask && !p.TTY {
			p.errorf("failed to open /dev/tty for reading: No such device or address")
			x.status = 1
			return false
		}
		p.complain("\n")
	}
	switch s := p.spawn(argv, func(c *Proc) { c.Stdin = strings.NewReader("") }); {
	case s == 127:
		x.status = 127
		return false
	case s == 126:
		x.status = 126
		return false
	case s == 255:
		p.errorf("%s: exited with status 255; aborting", argv[0])
		x.status = 124
		return false
	case s >= 128:
		x.status = 125
		return false
	case s != 0:
		x.status = 123
	}
	return true
}

// unmatched refuses a line with a quote that does not end.
func (x *xargsJob) unmatched(line string) {
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		switch c := line[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\\':
			i++
		case c == '\'' || c == '"':
			quote = c
		}
	}
	if quote == 0 {
		return
	}
	kind := "double"
	if quote == '\'' {
		kind = "single"
	}
	x.p.errorf("unmatched %s quote; by default quotes are special to xargs unless you use the -0 option", kind)
	panic(stop{1})
}

// splitQuoted splits at blanks as xargs does, with quotes and backslashes.
func splitQuoted(s string, blanks bool) []string {
	var out []string
	var b strings.Builder
	word := false
	quote := byte(0)
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			} else {
				b.WriteByte(c)
			}
		case c == '\'' || c == '"':
			quote, word = c, true
		case c == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
			word = true
		case (c == ' ' || c == '\t') && blanks:
			if word {
				out = append(out, b.String())
				b.Reset()
				word = false
			}
		default:
			b.WriteByte(c)
			word = true
		}
	}
	if word {
		out = append(out, b.String())
	}
	return out
}
