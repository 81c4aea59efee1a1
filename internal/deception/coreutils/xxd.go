package coreutils

import (
	"io"
	"strconv"
	"strings"
)

func xxd(p *Proc) int {
	plain, cols, group, most, skip, reverse, upper, bits, include := false, 0, 2, int64(-1), int64(0), false, false, false, false
	var args []string
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		value := func(k int) string {
			if len(a) > k {
				return a[k:]
			}
			if i+1 < len(p.Args) {
				i++
				return p.Args[i]
			}
			return ""
		}
		switch {
		case a == "-" || !strings.HasPrefix(a, "-"):
			args = append(args, a)
		case a == "-p" || a == "-ps" || a == "-plain" || a == "-postscript":
			plain = true
		case a == "-r" || a == "-revert":
			reverse = true
		case a == "-rp" || a == "-pr":
			plain, reverse = true, true
		case a == "-u":
			upper = true
		case a == "-b":
			bits = true
		case a == "-i":
			include = true
		case strings.HasPrefix(a, "-l"):
			most, _ = strconv.ParseInt(value(2), 0, 64)
		case strings.HasPrefix(a, "-s"):
			skip, _ = strconv.ParseInt(value(2), 0, 64)
		case strings.HasPrefix(a, "-c"):
			cols, _ = strconv.Atoi(value(2))
		case strings.HasPrefix(a, "-g"):
			group, _ = strconv.Atoi(value(2))
		default:
			p.complain("Usage:\n       xxd [options] [infile [outfile]]\n    or\n       xxd -r [-s [-]offset] [-c cols] [-ps] [infile [outfile]]\n")
			p.Watch.Unsupported("xxd " + a)
			return 1
		}
	}
	if cols <= 0 || cols > 256 {
		cols = 16
		if plain {
			cols = 30
		}
		if bits {
			cols = 6
		}
	}
	if group <= 0 {
		group = cols
	}
	var in []string
	if len(args) > 0 {
		in = args[:1]
	}
	r, status := p.readers(in)
	if status != 0 {
		return 2
	}
	if reverse {
		return p.unhex(r, plain)
	}
	if skip > 0 {
		_, _ = io.CopyN(io.Discard, r, min(skip, 1<<24))
	}
	if most >= 0 {
		r = io.LimitReader(r, most)
	}
	hex := "%02x"
	if upper {
		hex = "%02X"
	}
	p.rows(r, cols, func(off int64, b []byte) {
		if plain {
			p.printf("%x\n", b)
			return
		}
		if include {
			for _, c := range b {
				p.printf("  0x%02x,", c)
			}
			p.print("\n")
			return
		}
		var s strings.Builder
		for k := range cols {
			switch {
			case k < len(b) && bits:
				s.WriteString(sprintf("%08b ", b[k]))
			case k < len(b):
				s.WriteString(sprintf(hex, b[k]))
			case bits:
				s.WriteString("         ")
			default:
				s.WriteString("  ")
			}
			if !bits && (k+1)%group == 0 {
				s.WriteByte(' ')
			}
		}
		if !bits && cols%group != 0 {
			s.WriteByte(' ')
		}
		p.printf("%08x: %s %s\n", skip+off, s.String(), printable(b))
	})
	return 0
}

// unhex is xxd -r.
func (p *Proc) unhex(r io.Reader, plain bool) int {
	_ = p.lines(r, func(l []byte, _ bool) bool {
		s := string(l)
		if !plain {
			_, rest, ok := strings.Cut(s, ":")
			if !ok {
				return true
			}
			s = rest
			if i := strings.Index(strings.TrimLeft(s, " "), "  "); i >= 0 {
				s = strings.TrimLeft(s, " ")[:i]
			}
		}
		var out []byte
		hi := -1
		for _, c := range []byte(s) {
			v, err := strconv.ParseUint(string(c), 16, 8)
			if err != nil {
				continue
			}
			if hi < 0 {
				hi = int(v)
			} else {
				out = append(out, byte(hi<<4|int(v)))
				hi = -1
			}
		}
		p.write(out)
		return true
	})
	return 0
}
