package coreutils

import (
	"bytes"
	"encoding/binary"
	"io"
	"math"
	"strconv"
	"strings"
)

// hexForms are hexdump's ready-made formats by option letter, in its own format
// language; "" is what it does without one.
var hexForms = map[string][]string{
	"":  {`"%07.7_Ax\n"`, `"%07.7_ax " 8/2 "%04x " "\n"`},
	"b": {`"%07.7_Ax\n"`, `"%07.7_ax " 16/1 "%03o " "\n"`},
	"c": {`"%07.7_Ax\n"`, `"%07.7_ax " 16/1 "%3_c " "\n"`},
	"C": {`"%08.8_Ax\n"`, `"%08.8_ax  " 8/1 "%02x " "  " 8/1 "%02x " `, `"  |" 16/1 "%_p" "|\n"`},
	"d": {`"%07.7_Ax\n"`, `"%07.7_ax " 8/2 "  %05u " "\n"`},
	"o": {`"%07.7_Ax\n"`, `"%07.7_ax " 8/2 " %06o " "\n"`},
	"x": {`"%07.7_Ax\n"`, `"%07.7_ax " 8/2 "   %04x " "\n"`},
	"X": {`"%07.7_Ax\n"`, `"%07.7_ax " 16/1 " %02x " "\n"`},
}

func hexdump(p *Proc) int {
	opts, args, ok := p.getopt("bcCde:f:n:os:vx", "canonical,C", "length=,n", "skip=,s", "no-squeezing,v", "one-byte-hex,X", "one-byte-octal,b", "one-byte-char,c", "two-bytes-decimal,d", "two-bytes-octal,o", "two-bytes-hex,x", "format=,e", "format-file=,f", "color?,L")
	if !ok {
		return 1
	}
	d := &hexDump{p: p, most: math.MaxInt64}
	var forms []string
	if p.name == "hd" {
		forms = append(forms, hexForms["C"]...)
	}
	for _, o := range opts {
		switch o.name {
		case "n", "s":
			what, into := "length", &d.most
			if o.name == "s" {
				what, into = "offset", &d.skip
			}
			if *into, ok = hexSize(o.val); !ok {
				p.errorf("failed to parse %s: '%s': Invalid argument", what, o.val)
				return 1
			}
		case "v":
			d.all = true
		case "e":
			forms = append(forms, o.val)
		case "f":
			lines, err := p.readLines(o.val)
			if err != nil {
				p.errorf("can't read %s: %s", o.val, why(err))
				return 1
			}
			for _, l := range lines {
				if l = strings.TrimSpace(l); l != "" && l[0] != '#' {
					forms = append(forms, l)
				}
			}
		default:
			forms = append(forms, hexForms[o.name]...)
		}
	}
	if len(forms) == 0 {
		forms = hexForms[""]
	}
	for _, f := range forms {
		if complaint := d.form(f); complaint != "" {
			p.errorf("%s", complaint)
			return 1
		}
	}
	return d.run(args)
}

// hexSize reads a number in C's notation with an optional unit.
func hexSize(s string) (int64, bool) {
	if n, ok := size(s); ok && (len(s) < 2 || s[0] != '0') {
		return n, true
	}
	n, err := strconv.ParseInt(s, 0, 64)
	return n, err == nil && n >= 0
}

// A hexDump is one run of hexdump.
type hexDump struct {
	p          *Proc
	forms      [][]hexUnit
	end        []hexPart // what is said once, behind everything: %_A
	most, skip int64
	all        bool // -v: repeated blocks are shown
	block      int  // the widest format, in bytes
}

// A hexUnit is one group of parts, done several times.
type hexUnit struct {
	reps, bytes int
	set         bool // reps were given
	parts       []hexPart
}

// A hexPart is a conversion with the text before it, or text alone.
type hexPart struct {
	text  string // before the conversion
	verb  string // c d o u x X f s, _c _p _u, _a with its base; "" for text alone
	flags string
	width int
	prec  int // -1 without
	bytes int
}

// form takes one format line apart and returns hexdump's complaint.
func (d *hexDump) form(s string) string {
	var units []hexUnit
	for rest := strings.TrimSpace(s); rest != ""; rest = strings.TrimLeft(rest, " \t\n") {
		u := hexUnit{reps: 1}
		digits := func() (int, bool) {
			n := len(rest) - len(strings.TrimLeft(rest, "0123456789"))
			v, err := strconv.Atoi(rest[:n])
			rest = strings.TrimLeft(rest[n:], " \t")
			return min(v, 4096), err == nil
		}
		if n, ok := digits(); ok {
			u.reps, u.set = n, true
		}
		if strings.HasPrefix(rest, "/") {
			rest = strings.TrimLeft(rest[1:], " \t")
			u.bytes, _ = digits()
		}
		if !strings.HasPrefix(rest, `"`) {
			return "bad format {" + s + "}"
		}
		end := strings.IndexByte(rest[1:], '"')
		if end < 0 {
			return "bad format {" + s + "}"
		}
		parts, complaint := hexParts(rest[1:1+end], &u)
		if complaint != "" {
			return complaint
		}
		u.parts = parts
		units = append(units, u)
		rest = rest[2+end:]
	}
	total := 0
	for _, u := range units {
		if len(u.parts) > 0 && strings.HasPrefix(u.parts[0].verb, "_A") {
			d.end = u.parts
			return ""
		}
		total += u.reps * u.bytes
	}
	d.forms = append(d.forms, units)
	d.block = max(d.block, total)
	return ""
}

// hexParts splits the text of a unit into its conversions and settles how many
// bytes each takes.
func hexParts(s string, u *hexUnit) ([]hexPart, string) {
	s, _ = unescape(s, false)
	var parts []hexPart
	sum := 0
	for s != "" {
		i := strings.IndexByte(s, '%')
		if i < 0 {
			parts, s = append(parts, hexPart{text: s}), ""
			continue
		}
		part := hexPart{text: s[:i], prec: -1}
		s = s[i+1:]
		if strings.HasPrefix(s, "%") {
			part.text, s = part.text+"%", s[1:]
			parts = append(parts, part)
			continue
		}
		n := len(s) - len(strings.TrimLeft(s, "#-+ 0"))
		part.flags, s = s[:n], s[n:]
		part.width, s = countAt(s)
		if strings.HasPrefix(s, ".") {
			part.prec, s = countAt(s[1:])
		}
		n = min(len(s), 1)
		switch {
		case strings.HasPrefix(s, "_a"), strings.HasPrefix(s, "_A"):
			n = min(len(s), 3)
		case strings.HasPrefix(s, "_"):
			n = min(len(s), 2)
		}
		part.verb, s = s[:n], s[n:]
		if complaint := part.settle(u.bytes); complaint != "" {
			return nil, complaint
		}
		sum += part.bytes
		parts = append(parts, part)
	}
	u.bytes = sum
	return parts, ""
}

func countAt(s string) (int, string) {
	n := len(s) - len(strings.TrimLeft(s, "0123456789"))
	v, _ := strconv.Atoi(s[:n])
	return min(v, 4096), s[n:]
}

// settle finds how many bytes a conversion takes; given is the unit's count.
func (h *hexPart) settle(given int) string {
	bad := "bad byte count for conversion character " + h.verb
	switch h.verb {
	case "_ad", "_ao", "_ax", "_Ad", "_Ao", "_Ax":
		return ""
	case "c", "_c", "_p", "_u":
		if given > 1 {
			return bad
		}
		h.bytes = 1
	case "d", "i", "o", "u", "x", "X":
		switch given {
		case 0:
			h.bytes = 4
		case 1, 2, 4, 8:
			h.bytes = given
		default:
			return bad
		}
	case "e", "E", "f", "g", "G":
		switch given {
		case 0:
			h.bytes = 8
		case 4, 8:
			h.bytes = given
		default:
			return bad
		}
	case "s":
		if h.bytes = given; h.prec > 0 {
			h.bytes = h.prec
		}
		if h.bytes == 0 {
			return "%s requires a precision or a byte count"
		}
	default:
		return "bad conversion character %" + h.verb
	}
	return ""
}

// run reads the files as one and shows them block by block.
func (d *hexDump) run(args []string) int {
	p := d.p
	for _, units := range d.forms { // the last unit of a narrow format goes on to the end of the block
		total := 0
		for _, u := range units {
			total += u.reps * u.bytes
		}
		if n := len(units) - 1; n >= 0 && !units[n].set && units[n].bytes > 0 {
			units[n].reps += (d.block - total) / units[n].bytes
		}
	}
	r, status, opened := d.open(args)
	if !opened {
		p.errorf("all input file arguments failed")
		return 1
	}
	skipped, _ := io.CopyN(io.Discard, &metered{p: p, r: r}, d.skip)
	at := skipped
	if d.block == 0 {
		return status
	}
	var last []byte
	starred := false
	r = io.LimitReader(r, d.most)
	for buf := make([]byte, d.block); ; {
		n, err := io.ReadFull(r, buf)
		p.step(1)
		if n == 0 {
			break
		}
		if !d.all && n == d.block && last != nil && bytes.Equal(buf, last) {
			if !starred {
				p.print("*\n")
			}
			starred = true
		} else {
			last, starred = append(last[:0], buf...), false
			clear(buf[n:])
			d.show(buf, at, n)
		}
		at += int64(n)
		if err != nil {
			break
		}
	}
	if at > 0 {
		for _, h := range d.end {
			p.print(h.text + h.address(at))
		}
	}
	return status
}

// open opens what there is; a folder only earns a complaint.
func (d *hexDump) open(args []string) (r io.Reader, status int, opened bool) {
	if len(args) == 0 {
		return d.p.Stdin, 0, true
	}
	var list []io.Reader
	for _, a := range args {
		f, err := d.p.open(a)
		if err != nil {
			d.p.errorf("%s: %s", a, why(err))
			status = 1
			continue
		}
		opened = true
		if i, err := d.p.stat(a); err == nil && i.IsDir() {
			d.p.errorf("%s: Is a directory", a)
			continue
		}
		list = append(list, f)
	}
	return io.MultiReader(list...), status, opened
}

// show prints one block of which n bytes are there.
func (d *hexDump) show(block []byte, at int64, n int) {
	for _, units := range d.forms {
		pos := 0
		for _, u := range units {
			for rep := u.reps; rep > 0; rep-- {
				for i, h := range u.parts {
					s := h.text
					if h.verb != "" {
						s += h.value(block[min(pos, len(block)):], at+int64(pos), pos >= n)
					}
					if rep == 1 && u.reps > 1 && i == len(u.parts)-1 && h.verb == "" && strings.TrimRight(s[len(s)-1:], " \t\n") == "" {
						s = s[:len(s)-1] // no blank behind the last of several
					}
					d.p.print(s)
					pos += h.bytes
				}
			}
		}
	}
}

// address is the value of %_a.
func (h *hexPart) address(at int64) string {
	if len(h.verb) < 3 {
		return ""
	}
	return sprintf(h.format(h.verb[2:]), at)
}

func (h *hexPart) format(verb string) string {
	f := "%" + h.flags
	if h.width > 0 {
		f += strconv.Itoa(h.width)
	}
	if h.prec >= 0 {
		f += "." + strconv.Itoa(h.prec)
	}
	return f + verb
}

// value is a conversion of what stands at the beginning of b; what lies behind
// the end of the input is blank.
func (h *hexPart) value(b []byte, at int64, past bool) string {
	switch {
	case past:
		left := map[bool]string{true: "-"}[strings.Contains(h.flags, "-")]
		return sprintf("%"+left+"*s", h.width, "")
	case h.verb[0] == '_' && h.verb[1] == 'a':
		return h.address(at)
	case len(b) < h.bytes || h.bytes == 0:
		return ""
	}
	switch h.verb {
	case "c":
		return sprintf("%"+h.flags+strconv.Itoa(h.width)+"s", string(b[:1]))
	case "s":
		text, _, _ := bytes.Cut(b[:h.bytes], []byte{0})
		return sprintf("%*s", h.width, text)
	case "_c", "_p", "_u":
		return sprintf("%"+strings.ReplaceAll(h.flags, "0", "")+"*s", h.width, h.char(b[0]))
	}
	var raw [8]byte
	copy(raw[:], b[:h.bytes])
	u := binary.LittleEndian.Uint64(raw[:])
	switch h.verb {
	case "d", "i":
		shift := 64 - 8*h.bytes
		return sprintf(h.format("d"), int64(u<<shift)>>shift)
	case "u":
		return sprintf(h.format("d"), u)
	case "o", "x", "X":
		return sprintf(h.format(h.verb), u)
	}
	f := math.Float64frombits(u)
	if h.bytes == 4 {
		f = float64(math.Float32frombits(uint32(u)))
	}
	return sprintf(h.format(h.verb), f)
}

// char is a byte as %_c, %_p and %_u show it.
func (h *hexPart) char(c byte) string {
	const names = "nulsohstxetxeotenqackbelbs ht lf vt ff cr so si dledc1dc2dc3dc4naksynetbcanem subescfs gs rs us "
	plain := c >= 32 && c < 127
	switch {
	case plain:
		return string(rune(c))
	case h.verb == "_p":
		return "."
	case h.verb == "_u" && c == 127:
		return "del"
	case h.verb == "_u" && c < 32:
		return strings.TrimRight(names[3*c:3*c+3], " ")
	case h.verb == "_u":
		return sprintf("%02x", c)
	}
	if i := strings.IndexByte("\x00\a\b\f\n\r\t\v", c); i >= 0 {
		return `\` + "0abfnrtv"[i:i+1]
	}
	return sprintf("%03o", c)
}
