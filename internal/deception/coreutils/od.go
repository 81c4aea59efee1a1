package coreutils

import (
	"io"
	"strconv"
	"strings"
)

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
				p.errorf("invalid -%s argument '%s'", o.name, o.val)
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
