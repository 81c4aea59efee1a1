package coreutils

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// sortKey is one -k.
type sortKey struct {
	from, fromChar, to, toChar int
	flags                      string
}

type sorter struct {
	p     *Proc
	keys  []sortKey
	sep   string
	flags string
}

func sortCmd(p *Proc) int {
	opts, args, ok := p.getopt("bcCdfghik:mMno:rRsS:t:T:uVz", "ignore-leading-blanks,b", "check?,c", "dictionary-order,d", "ignore-case,f", "general-numeric-sort,g", "human-numeric-sort,h", "key=,k", "merge,m", "month-sort,M", "numeric-sort,n", "output=,o", "reverse,r", "random-sort,R", "stable,s", "buffer-size=,S", "field-separator=,t", "temporary-directory=,T", "unique,u", "version-sort,V", "zero-terminated,z", "parallel=", "sort=", "debug")
	if !ok {
		return 2
	}
	s := &sorter{p: p}
	out, end := "", byte('\n')
	for _, o := range opts {
		switch o.name {
		case "k":
			if n := strings.TrimLeft(o.val, "0"); o.val != "" && o.val[0] == '0' && (n == "" || n[0] < '0' || n[0] > '9') {
				p.errorf("field number is zero: invalid field specification %s", p.q(o.val))
				return 2
			}
			k, good := parseKey(o.val)
			if !good {
				p.errorf("invalid number at field start: invalid count at start of %s", p.q(o.val))
				return 2
			}
			s.keys = append(s.keys, k)
		case "t":
			if o.val == "" {
				p.errorf("empty tab")
				return 2
			}
			s.sep = o.val
			if s.sep == `\0` {
				s.sep = "\x00"
			}
			if len([]rune(s.sep)) > 1 {
				p.errorf("multi-character tab %s", p.q(o.val))
				return 2
			}
		case "o":
			out = o.val
		case "z":
			end = 0
			s.flags += "z"
		case "sort":
			s.flags += map[string]string{"numeric": "n", "human-numeric": "h", "version": "V", "month": "M", "general-numeric": "g", "random": "R"}[o.val]
		default:
			if len(o.name) == 1 {
				s.flags += o.name
			}
		}
	}
	var lines []string
	total := 0
	status := p.inputs(args, "cannot read: %s", func(_ string, r io.Reader) error {
		return p.records(r, end, func(l []byte, _ bool) bool {
			p.alloc(len(l) + 24)
			total += len(l) + 24
			lines = append(lines, string(l))
			return true
		})
	})
	defer func() { p.alloc(-total) }()
	if status != 0 {
		return 2
	}
	if strings.ContainsAny(s.flags, "cC") {
		for i := 1; i < len(lines); i++ {
			if c := s.compare(lines[i-1], lines[i]); c > 0 || c == 0 && strings.Contains(s.flags, "u") {
				if !strings.Contains(s.flags, "C") {
					name := "-"
					if len(args) > 0 {
						name = args[0]
					}
					p.errorf("%s:%d: disorder: %s", name, i+1, lines[i])
				}
				return 1
			}
		}
		return 0
	}
	n := 0
	slices.SortStableFunc(lines, func(a, b string) int {
		if n++; n&255 == 0 {
			p.step(16)
		}
		return s.compare(a, b)
	})
	if strings.Contains(s.flags, "u") {
		lines = slices.CompactFunc(lines, func(a, b string) bool { return s.byKeys(a, b) == 0 })
	}
	var w io.Writer = p.out
	if out != "" {
		f, err := p.create(out, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC)
		if err != nil {
			p.errorf("open failed: %s: %s", out, why(err))
			return 2
		}
		defer f.Close()
		w = f
	}
	for _, l := range lines {
		if _, err := io.WriteString(w, l+string(end)); err != nil {
			return p.writeFailed(err)
		}
	}
	return 0
}

func parseKey(s string) (sortKey, bool) {
	k := sortKey{}
	part := func(s string) (field, char int, flags string, ok bool) {
		i := strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' })
		if i < 0 {
			i = len(s)
		}
		field, err := strconv.Atoi(s[:i])
		if err != nil {
			return 0, 0, "", false
		}
		s = s[i:]
		if strings.HasPrefix(s, ".") {
			s = s[1:]
			j := 0
			for j < len(s) && s[j] >= '0' && s[j] <= '9' {
				j++
			}
			char, _ = strconv.Atoi(s[:j])
			s = s[j:]
		}
		return field, char, s, true
	}
	a, b, two := strings.Cut(s, ",")
	var ok bool
	var flags string
	if k.from, k.fromChar, k.flags, ok = part(a); !ok || k.from == 0 {
		return k, false
	}
	if two {
		if k.to, k.toChar, flags, ok = part(b); !ok {
			return k, false
		}
		k.flags += flags
	}
	return k, strings.Trim(k.flags, "bdfghiMnRrV") == ""
}

// cut takes a key out of a line.
func (s *sorter) cut(line string, k sortKey) string {
	fields := s.fields(line)
	at := func(n int) int {
		if n >= len(fields) {
			return len(line)
		}
		return fields[n]
	}
	start := at(k.from - 1)
	if k.fromChar > 1 {
		start = min(len(line), start+k.fromChar-1)
	}
	end := len(line)
	if k.to > 0 {
		if k.toChar > 0 {
			end = min(len(line), at(k.to-1)+k.toChar)
		} else {
			end = at(k.to)
			if s.sep != "" && k.to < len(fields) {
				end -= len(s.sep)
			}
		}
	}
	if end < start {
		return ""
	}
	return line[start:end]
}

// fields returns where the fields of a line begin.
func (s *sorter) fields(line string) []int {
	out := []int{0}
	if s.sep != "" {
		for i := 0; ; {
			j := strings.Index(line[i:], s.sep)
			if j < 0 {
				return out
			}
			i += j + len(s.sep)
			out = append(out, i)
		}
	}
	blank := func(c byte) bool { return c == ' ' || c == '\t' }
	for i := 1; i < len(line); i++ {
		if blank(line[i]) && !blank(line[i-1]) {
			out = append(out, i)
		}
	}
	return out
}
