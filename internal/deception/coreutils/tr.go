package coreutils

import (
	"bytes"
	"strconv"
	"strings"
)

func tr(p *Proc) int {
	opts, args, ok := p.getopt("+cCdst", "complement,c", "delete,d", "squeeze-repeats,s", "truncate-set1,t")
	if !ok {
		return 1
	}
	var complement, del, squeeze, trunc bool
	for _, o := range opts {
		switch o.name {
		case "c", "C":
			complement = true
		case "d":
			del = true
		case "s":
			squeeze = true
		case "t":
			trunc = true
		}
	}
	if !p.trOperands(args, del, squeeze) {
		return p.try(1)
	}
	one, bad := expandSet(args[0], 0)
	if bad == "" && complement {
		var inv []byte
		for c := range 256 {
			if bytes.IndexByte(one, byte(c)) < 0 {
				inv = append(inv, byte(c))
			}
		}
		one = inv
	}
	var two []byte
	if bad == "" && len(args) == 2 {
		two, bad = expandSet(args[1], len(one))
	}
	if bad != "" {
		if class, ok := strings.CutPrefix(bad, "invalid character class %q"); ok {
			bad = "invalid character class " + p.q(class)
		}
		p.errorf("%s", bad)
		return 1
	}
	if len(args) == 2 && len(two) == 0 && !del {
		p.errorf("when not truncating set1, string2 must be non-empty")
		return 1
	}
	table, drop, squash := trTables(one, two, del, squeeze, trunc)
	last := -1
	_ = p.each(p.Stdin, func(b []byte) bool {
		out := make([]byte, 0, len(b))
		for _, c := range b {
			if drop[c] {
				continue
			}
			c = table[c]
			if squash[c] && last == int(c) {
				continue
			}
			last = int(c)
			out = append(out, c)
		}
		p.write(out)
		return true
	})
	return 0
}

// trOperands complains of a wrong number of sets.
func (p *Proc) trOperands(args []string, del, squeeze bool) bool {
	switch {
	case len(args) == 0:
		p.errorf("missing operand")
	case len(args) == 1 && !del && !squeeze:
		p.errorf("missing operand after %s", p.q(args[0]))
		p.complain("Two strings must be given when translating.\n")
	case len(args) == 1 && del && squeeze:
		p.errorf("missing operand after %s", p.q(args[0]))
		p.complain("Two strings must be given when both deleting and squeezing repeats.\n")
	case len(args) == 2 && del && !squeeze:
		p.errorf("extra operand %s", p.q(args[1]))
		p.complain("Only one string may be given when deleting without squeezing repeats.\n")
	case len(args) > 2:
		p.errorf("extra operand %s", p.q(args[2]))
	default:
		return true
	}
	return false
}

// trTables says for each byte what becomes of it: another, none, or one of a run.
func trTables(one, two []byte, del, squeeze, trunc bool) (table [256]byte, drop, squash [256]bool) {
	for c := range 256 {
		table[c] = byte(c)
	}
	for i, c := range one {
		switch {
		case del:
			drop[c] = true
		case len(two) > 0 && (i < len(two) || !trunc):
			table[c] = two[min(i, len(two)-1)]
		}
	}
	if squeeze {
		set := two
		if len(two) == 0 {
			set = one
		}
		for _, c := range set {
			squash[c] = true
		}
	}
	return table, drop, squash
}

// expandSet writes out a set of tr. fill is the length [x*] expands to.
func expandSet(s string, fill int) ([]byte, string) {
	var in []int // characters; escaped ones have bit 9 set
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			in = append(in, int(s[i]))
			continue
		}
		i++
		if at := strings.IndexByte("abfnrtv\\", s[i]); at >= 0 {
			in = append(in, int("\a\b\f\n\r\t\v\\"[at])|512)
			continue
		}
		if n, used := digits(s[i:], 8, 3); used > 0 {
			in = append(in, int(n&255)|512)
			i += used - 1
			continue
		}
		in = append(in, int(s[i])|512)
	}
	var out []byte
	text := make([]byte, len(in))
	for i, c := range in {
		text[i] = byte(c)
		if c&512 != 0 {
			text[i] = 0
		}
	}
	for i := 0; i < len(in); i++ {
		if in[i] == '[' && i+1 < len(in) && in[i+1] == ':' {
			if end := bytes.Index(text[i+2:], []byte(":]")); end >= 0 {
				class := string(text[i+2 : i+2+end])
				set, ok := charClass(class)
				if !ok {
					return nil, "invalid character class %q" + class
				}
				out = append(out, set...)
				i += end + 3
				continue
			}
		}
		if in[i] == '[' && i+2 < len(in) && in[i+2] == '*' {
			if end := bytes.IndexByte(text[i+3:], ']'); end >= 0 {
				n, err := strconv.Atoi(string(text[i+3 : i+3+end]))
				if end == 0 || n == 0 {
					n, err = max(0, fill-len(out)), nil
				}
				if err == nil {
					out = append(out, bytes.Repeat([]byte{byte(in[i+1])}, min(n, 4096))...)
					i += end + 3
					continue
				}
			}
		}
		if i+2 < len(in) && in[i+1] == '-' {
			lo, hi := byte(in[i]), byte(in[i+2])
			if lo > hi {
				return nil, sprintf("range-endpoints of '%c-%c' are in reverse collating sequence order", lo, hi)
			}
			for c := int(lo); c <= int(hi); c++ {
				out = append(out, byte(c))
			}
			i += 2
			continue
		}
		out = append(out, byte(in[i]))
	}
	return out, ""
}

func charClass(name string) ([]byte, bool) {
	test := map[string]func(c byte) bool{
		"alnum": func(c byte) bool { return c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z' }, "alpha": func(c byte) bool { return c|32 >= 'a' && c|32 <= 'z' },
		"blank": func(c byte) bool { return c == ' ' || c == '\t' }, "cntrl": func(c byte) bool { return c < 32 || c == 127 },
		"digit": func(c byte) bool { return c >= '0' && c <= '9' }, "graph": func(c byte) bool { return c > 32 && c < 127 },
		"lower": func(c byte) bool { return c >= 'a' && c <= 'z' }, "print": func(c byte) bool { return c >= 32 && c < 127 },
		"punct":  func(c byte) bool { return c > 32 && c < 127 && !(c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'z') },
		"space":  func(c byte) bool { return c == ' ' || c >= 9 && c <= 13 },
		"upper":  func(c byte) bool { return c >= 'A' && c <= 'Z' },
		"xdigit": func(c byte) bool { return c >= '0' && c <= '9' || c|32 >= 'a' && c|32 <= 'f' },
	}[name]
	if test == nil {
		return nil, false
	}
	var out []byte
	for c := range 256 {
		if test(byte(c)) {
			out = append(out, byte(c))
		}
	}
	return out, true
}
