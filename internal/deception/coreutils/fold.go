package coreutils

import (
	"bytes"
	"io"
	"slices"
	"strconv"
	"strings"
)

func tac(p *Proc) int {
	opts, args, ok := p.getopt("brs:", "before,b", "regex,r", "separator=,s")
	if !ok {
		return 1
	}
	sep := []byte("\n")
	for _, o := range opts {
		if o.name == "s" && o.val != "" {
			sep = []byte(o.val)
		}
	}
	return p.inputs(args, "failed to open %q for reading", func(_ string, r io.Reader) error {
		b, err := p.all(r)
		defer p.alloc(-len(b))
		for len(b) > 0 {
			i := 0
			if j := bytes.LastIndex(b[:max(0, len(b)-len(sep))], sep); j >= 0 {
				i = j + len(sep)
			}
			p.step(1)
			p.write(b[i:])
			b = b[:i]
		}
		return err
	})
}

func rev(p *Proc) int {
	_, args, ok := p.getopt("0", "zero,0")
	if !ok {
		return 1
	}
	return p.inputs(args, "cannot open %s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, full bool) bool {
			rs := []rune(string(l))
			slices.Reverse(rs)
			p.print(string(rs))
			if full {
				p.print("\n")
			}
			return true
		})
	})
}

func fold(p *Proc) int {
	p.Args = oldWidth(p.Args)
	opts, args, ok := p.getopt("bsw:", "bytes,b", "spaces,s", "width=,w")
	if !ok {
		return 1
	}
	wide, spaces := 80, letters(opts)["s"]
	for _, o := range opts {
		if o.name == "w" {
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 1 {
				p.errorf("invalid number of columns: %s", p.q(o.val))
				return 1
			}
			wide = n
		}
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, full bool) bool {
			for len(l) > wide {
				n := wide
				if i := bytes.LastIndexByte(l[:wide], ' '); spaces && i >= 0 {
					n = i + 1
				}
				p.write(l[:n])
				p.print("\n")
				l = l[n:]
			}
			p.write(l)
			if full {
				p.print("\n")
			}
			return true
		})
	})
}

// oldWidth turns fold -72 into fold -w 72.
func oldWidth(args []string) []string {
	out := slices.Clone(args)
	for i, a := range out {
		if i > 0 && len(a) > 1 && a[0] == '-' && strings.Trim(a[1:], "0123456789") == "" {
			out[i] = "-w" + a[1:]
		}
	}
	return out
}
