package coreutils

import (
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func catCommands(name string) Command {
	switch name {
	case "cat":
		return cat
	case "head":
		return head
	case "tail":
		return tail
	case "wc":
		return wc
	case "tee":
		return tee
	case "tac":
		return tac
	case "rev":
		return rev
	case "nl":
		return nl
	case "more", "less", "pager":
		return pager
	case "fold":
		return fold
	}
	return nil
}

func cat(p *Proc) int {
	opts, args, ok := p.getopt("AbeEnstTuv", "show-all,A", "number-nonblank,b", "show-ends,E", "number,n", "squeeze-blank,s", "show-tabs,T", "show-nonprinting,v")
	if !ok {
		return 1
	}
	flags := ""
	for _, o := range opts {
		flags += map[string]string{"A": "vET", "e": "vE", "t": "vT"}[o.name] + o.name
	}
	args = orStdin(args)
	status, line, blank := 0, 0, false
	for _, a := range args {
		r, err := p.openFile(a)
		if err != nil {
			p.flush() // cat does not buffer
			p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		if strings.Trim(flags, "u") == "" {
			err = p.each(r, func(b []byte) bool {
				p.write(b)
				p.flush()
				return true
			})
		} else {
			err = p.lines(r, func(l []byte, full bool) bool {
				if strings.Contains(flags, "s") && len(l) == 0 && blank {
					return true
				}
				blank = len(l) == 0
				if strings.Contains(flags, "b") && len(l) > 0 || strings.Contains(flags, "n") && !strings.Contains(flags, "b") {
					line++
					p.printf("%6d\t", line)
				}
				end := ""
				if full && strings.Contains(flags, "E") {
					if n := len(l); n > 0 && l[n-1] == '\r' && !strings.Contains(flags, "v") {
						l, end = l[:n-1], "^M"
					}
					end += "$"
				}
				p.write(visible(l, flags))
				p.print(end)
				if full {
					p.print("\n")
				}
				return true
			})
		}
		_ = r.Close()
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			status = 1
		}
	}
	return status
}

// visible shows control characters as cat -v does.
func visible(b []byte, flags string) []byte {
	if !strings.ContainsAny(flags, "vT") {
		return b
	}
	out := make([]byte, 0, len(b)+16)
	for _, c := range b {
		switch {
		case c == '\t' && !strings.Contains(flags, "T"):
			out = append(out, c)
		case c == '\t':
			out = append(out, "^I"...)
		case !strings.Contains(flags, "v"):
			out = append(out, c)
		default:
			if c >= 0x80 {
				out = append(out, "M-"...)
				c -= 0x80
			}
			switch {
			case c < 0x20:
				out = append(out, '^', c+0x40)
			case c == 0x7f:
				out = append(out, "^?"...)
			default:
				out = append(out, c)
			}
		}
	}
	return out
}

func tee(p *Proc) int {
	opts, args, ok := p.getopt("aip", "append,a", "ignore-interrupts,i", "output-error?")
	if !ok {
		return 1
	}
	flags := vfs.O_WRONLY | vfs.O_CREATE | vfs.O_TRUNC
	for _, o := range opts {
		if o.name == "a" {
			flags = vfs.O_WRONLY | vfs.O_CREATE | vfs.O_APPEND
		}
	}
	status := 0
	var out []io.WriteCloser
	for _, a := range args {
		f, err := p.create(a, flags)
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		out = append(out, f)
	}
	defer func() {
		for _, f := range out {
			_ = f.Close()
		}
	}()
	_ = p.each(p.Stdin, func(b []byte) bool {
		p.write(b)
		p.flush()
		for i, f := range out {
			if _, err := f.Write(b); err != nil && status == 0 {
				p.errorf("%s: %s", args[min(i, len(args)-1)], why(err))
				status = 1
			}
		}
		return true
	})
	return status
}

func nl(p *Proc) int {
	opts, args, ok := p.getopt("b:d:f:h:i:l:n:ps:v:w:", "body-numbering=,b", "line-increment=,i", "number-format=,n", "number-separator=,s", "starting-line-number=,v", "number-width=,w")
	if !ok {
		return 1
	}
	all, sep, n, inc, wide, format := false, "\t", 1, 1, 6, "rn"
	for _, o := range opts {
		v, _ := strconv.Atoi(o.val)
		switch o.name {
		case "b", "f", "h":
			if o.val == "" || !strings.Contains("atnp", o.val[:1]) || len(o.val) > 1 && o.val[0] != 'p' {
				p.errorf("invalid %s numbering style: %s", map[string]string{"b": "body", "f": "footer", "h": "header"}[o.name], p.q(o.val))
				return p.try(1)
			}
			all = all && o.name != "b" || o.name == "b" && o.val == "a"
		case "s":
			sep = o.val
		case "v":
			n = v
		case "i":
			inc = v
		case "w":
			wide = min(max(1, v), 100)
		case "n":
			format = o.val
		}
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			if len(l) == 0 && !all {
				p.print(strings.Repeat(" ", wide+len(sep)) + "\n")
				return true
			}
			verb := map[string]string{"ln": "%-*d", "rz": "%0*d"}[format]
			if verb == "" {
				verb = "%*d"
			}
			p.printf(verb+"%s%s\n", wide, n, sep, l)
			n += inc
			return true
		})
	})
}

// pager shows everything at once: without a terminal that is what less does.
func pager(p *Proc) int {
	var args []string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "+") {
			args = append(args, a)
		}
	}
	if len(args) == 0 && p.StdinTTY {
		fmt.Fprintf(p.Stderr, "Missing filename (\"%s --help\" for help)\n", p.name)
		return 1
	}
	status := 0
	args = orStdin(args)
	for _, a := range args {
		r, err := p.openFile(a)
		if err != nil {
			msg := why(err)
			if errors.Is(err, vfs.EISDIR) {
				msg = "is a directory"
			}
			if p.name == "more" {
				fmt.Fprintf(p.Stderr, "more: cannot open %s: %s\n", a, msg)
			} else {
				p.print(a + ": " + msg + "\n") // less says it where the text would be
			}
			if p.name != "more" {
				status = 1
			}
			continue
		}
		p.pass(r)
		_ = r.Close()
	}
	return status
}
