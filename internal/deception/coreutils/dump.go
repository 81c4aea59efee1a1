package coreutils

import (
	"errors"
	"io"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func dumpCommands(name string) Command {
	switch name {
	case "od":
		return od
	case "xxd":
		return xxd
	case "hexdump", "hd":
		return hexdump
	case "strings":
		return stringsCmd
	}
	return nil
}

// readers makes one stream of the operands.
func (p *Proc) readers(args []string) (io.Reader, int) {
	if len(args) == 0 {
		return p.Stdin, 0
	}
	var list []io.Reader
	status := 0
	for _, a := range args {
		f, err := p.openFile(a)
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		list = append(list, f)
	}
	return io.MultiReader(list...), status
}

// rows reads r in blocks of n bytes.
func (p *Proc) rows(r io.Reader, n int, fn func(off int64, b []byte)) int64 {
	buf := make([]byte, n)
	var off int64
	for {
		k, err := io.ReadFull(r, buf)
		p.step(1)
		if k > 0 {
			fn(off, buf[:k])
			off += int64(k)
		}
		if err != nil {
			return off
		}
	}
}

// odType is one -t.
type odType struct {
	kind byte
	size int
	z    bool
}

func od(p *Proc) int {
	opts, args, ok := p.getopt("A:aBbcDdeFfHhIij:LlN:OoS::st:vw::Xx", "address-radix=,A", "skip-bytes=,j", "read-bytes=,N", "format=,t", "output-duplicates,v", "width?,w", "strings?,S", "traditional", "endian=")
	if !ok {
		return 1
	}
	radix, skip, most, wide, dup := "o", int64(0), int64(-1), 16, false
	var types []odType
	for _, o := range opts {
		switch o.name {
		case "A":
			if len(o.val) != 1 || !strings.Contains("doxn", o.val) {
				p.errorf("invalid output address radix '%s'; it must be one character from [doxn]", o.val)
				return 1
			}
			radix = o.val
		case "j", "N":
			n, good := size(strings.TrimPrefix(o.val, "0x"))
			if v, err := strconv.ParseInt(o.val, 0, 64); err == nil {
				n, good = v, true
			}
			if !good {
				p.errorf("invalid -%s argument %s", o.name, p.q(o.val))
				return 1
			}
			if o.name == "j" {
				skip = n
			} else {
				most = n
			}
		case "t":
			t, good := odTypes(o.val)
			if !good {
				if o.val != "" && !strings.Contains("acdoux", o.val[:1]) {
					p.errorf("invalid character '%s' in type string %s", o.val[:1], p.q(o.val))
				} else {
					p.errorf("invalid type string %s", p.q(o.val))
				}
				return 1
			}
			types = append(types, t...)
		case "v":
			dup = true
		case "w":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 1 || n > 4096 {
				n = 32
			}
			wide = n
		default:
			if t, ok := map[string]odType{"a": {'a', 1, false}, "b": {'o', 1, false}, "c": {'c', 1, false}, "d": {'u', 2, false}, "o": {'o', 2, false}, "s": {'d', 2, false}, "x": {'x', 2, false}, "i": {'d', 4, false}, "l": {'d', 8, false}, "X": {'x', 4, false}}[o.name]; ok {
				types = append(types, t)
			}
		}
	}
	if len(types) == 0 {
		types = []odType{{'o', 2, false}}
	}
	r, status := p.readers(args)
	if skip > 0 {
		if n, _ := io.CopyN(io.Discard, r, min(skip, 1<<24)); n < skip {
			p.errorf("cannot skip past end of combined input")
			return 1
		}
	}
	if most >= 0 {
		r = io.LimitReader(r, most)
	}
	address := func(n int64) string {
		switch radix {
		case "n":
			return ""
		case "d":
			return sprintf("%07d", n)
		case "x":
			return sprintf("%06x", n)
		}
		return sprintf("%07o", n)
	}
	prev, starred := "", false
	end := p.rows(r, wide, func(off int64, b []byte) {
		if !dup && string(b) == prev && len(b) == wide {
			if !starred {
				p.print("*\n")
			}
			starred = true
			return
		}
		prev, starred = string(b), false
		for i, t := range types {
			lead := address(skip + off)
			if i > 0 {
				lead = strings.Repeat(" ", len(lead))
			}
			p.print(lead + odRow(b, t, wide, types) + "\n")
		}
	})
	if radix != "n" && (status == 0 || end > 0) {
		p.print(address(skip+end) + "\n")
	}
	return status
}

func odTypes(s string) ([]odType, bool) {
	var out []odType
	for i := 0; i < len(s); {
		t := odType{kind: s[i], size: 4}
		i++
		switch t.kind {
		case 'a', 'c':
			t.size = 1
		case 'd', 'o', 'u', 'x':
			j := i
			for i < len(s) && s[i] >= '0' && s[i] <= '9' {
				i++
			}
			if n, err := strconv.Atoi(s[j:i]); err == nil {
				t.size = n
			} else if i < len(s) && strings.IndexByte("CSIL", s[i]) >= 0 {
				t.size = map[byte]int{'C': 1, 'S': 2, 'I': 4, 'L': 8}[s[i]]
				i++
			}
		default:
			return nil, false
		}
		if t.size != 1 && t.size != 2 && t.size != 4 && t.size != 8 {
			return nil, false
		}
		if i < len(s) && s[i] == 'z' {
			t.z = true
			i++
		}
		out = append(out, t)
	}
	return out, len(out) > 0
}

// odWidth is the columns of one number.
func odWidth(t odType) int {
	switch t.kind {
	case 'a', 'c':
		return 3
	case 'x':
		return 2 * t.size
	case 'o':
		return map[int]int{1: 3, 2: 6, 4: 11, 8: 22}[t.size]
	case 'u':
		return map[int]int{1: 3, 2: 5, 4: 10, 8: 20}[t.size]
	}
	return map[int]int{1: 4, 2: 6, 4: 11, 8: 20}[t.size]
}

func odRow(b []byte, t odType, wide int, all []odType) string {
	// Several types share a line width: each number gets what the widest needs.
	per := 0
	for _, u := range all {
		per = max(per, (odWidth(u)+1)*(8/min(8, u.size)))
	}
	cell := per * t.size / 8
	var s strings.Builder
	for i := 0; i < len(b); i += t.size {
		var v uint64
		for k := t.size - 1; k >= 0; k-- {
			v <<= 8
			if i+k < len(b) {
				v |= uint64(b[i+k])
			}
		}
		text := ""
		switch t.kind {
		case 'x':
			text = sprintf("%0*x", odWidth(t), v)
		case 'o':
			text = sprintf("%0*o", odWidth(t), v)
		case 'u':
			text = strconv.FormatUint(v, 10)
		case 'd':
			shift := 64 - 8*t.size
			text = strconv.FormatInt(int64(v<<shift)>>shift, 10)
		case 'c':
			text = odChar(byte(v))
		case 'a':
			text = odName(byte(v) & 0x7f)
		}
		s.WriteString(sprintf("%*s", cell, text))
	}
	if t.z {
		s.WriteString(strings.Repeat(" ", cell*((wide-len(b))/t.size)) + "  >" + printable(b) + "<")
	}
	return s.String()
}

func printable(b []byte) string {
	out := make([]byte, len(b))
	for i, c := range b {
		if c < 32 || c > 126 {
			c = '.'
		}
		out[i] = c
	}
	return string(out)
}

func odChar(c byte) string {
	if i := strings.IndexByte("\x00\a\b\f\n\r\t\v", c); i >= 0 {
		return `\` + "0abfnrtv"[i:i+1]
	}
	if c < 32 || c > 126 {
		return sprintf("%03o", c)
	}
	return string(c)
}

func odName(c byte) string {
	names := "nul soh stx etx eot enq ack bel  bs  ht  nl  vt  ff  cr  so  si dle dc1 dc2 dc3 dc4 nak syn etb can  em sub esc  fs  gs  rs  us  sp"
	if c <= 32 {
		return strings.TrimSpace(names[4*int(c) : min(len(names), 4*int(c)+3)])
	}
	if c == 127 {
		return "del"
	}
	return string(c)
}

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

func hexdump(p *Proc) int {
	opts, args, ok := p.getopt("bcCde:f:Ln:os:vx", "canonical,C", "length=,n", "skip=,s", "no-squeezing,v", "one-byte-hex,X")
	if !ok {
		return 1
	}
	canon, most, dup, form := p.name == "hd", int64(-1), false, ""
	skip := int64(0)
	for _, o := range opts {
		switch o.name {
		case "C":
			canon = true
		case "n":
			most, _ = strconv.ParseInt(o.val, 0, 64)
		case "s":
			skip, _ = strconv.ParseInt(o.val, 0, 64)
		case "v":
			dup = true
		case "e":
			form = o.val
		}
	}
	r, status := p.readers(args)
	if skip > 0 {
		_, _ = io.CopyN(io.Discard, r, min(skip, 1<<24))
	}
	if most >= 0 {
		r = io.LimitReader(r, most)
	}
	if form != "" {
		p.rows(r, 1, func(_ int64, b []byte) { p.printf("%02x", b[0]) })
		return status
	}
	prev, starred := "", false
	end := p.rows(r, 16, func(off int64, b []byte) {
		if !dup && string(b) == prev && len(b) == 16 {
			if !starred {
				p.print("*\n")
			}
			starred = true
			return
		}
		prev, starred = string(b), false
		var s strings.Builder
		if canon {
			for k := range 16 {
				if k == 8 {
					s.WriteByte(' ')
				}
				if k < len(b) {
					s.WriteString(sprintf(" %02x", b[k]))
				} else {
					s.WriteString("   ")
				}
			}
			p.printf("%08x %s  |%s|\n", skip+off, s.String(), printable(b))
			return
		}
		for k := 0; k < len(b); k += 2 {
			v := uint(b[k])
			if k+1 < len(b) {
				v |= uint(b[k+1]) << 8
			}
			s.WriteString(sprintf(" %04x", v))
		}
		p.printf("%07x%-40s\n", skip+off, s.String())
	})
	if end > 0 {
		if canon {
			p.printf("%08x\n", skip+end)
		} else {
			p.printf("%07x\n", skip+end)
		}
	}
	return status
}

func stringsCmd(p *Proc) int {
	opts, args, ok := p.getopt("adefn:ost:T:vVwU:", "all,a", "bytes=,n", "radix=,t", "print-file-name,f", "data,d", "encoding=,e")
	if !ok {
		return 1
	}
	least := 4
	for _, o := range opts {
		if n, err := strconv.Atoi(o.val); o.name == "n" && err == nil && n > 0 {
			least = n
		}
	}
	status := 0
	if len(args) == 0 {
		args = []string{"-"}
	}
	for _, a := range args {
		f, err := p.openFile(a)
		if err != nil {
			switch {
			case errors.Is(err, vfs.ENOENT):
				p.complain("strings: '" + a + "': No such file\n")
			case errors.Is(err, vfs.EISDIR):
				p.complain("strings: Warning: '" + a + "' is a directory\n")
			default:
				p.errorf("%s: %s", a, why(err))
			}
			status = 1
			continue
		}
		var run []byte
		_ = p.each(f, func(b []byte) bool {
			for _, c := range b {
				if c >= 32 && c < 127 || c == '\t' {
					if len(run) < maxLine {
						run = append(run, c)
					}
					continue
				}
				if len(run) >= least {
					p.write(append(run, '\n'))
				}
				run = run[:0]
			}
			return true
		})
		if len(run) >= least {
			p.write(append(run, '\n'))
		}
		_ = f.Close()
	}
	return status
}
