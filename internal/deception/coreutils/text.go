package coreutils

import (
	"bytes"
	"cmp"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func textCommands(name string) Command {
	switch name {
	case "sort":
		return sortCmd
	case "uniq":
		return uniq
	case "cut":
		return cut
	case "tr":
		return tr
	case "paste":
		return paste
	case "comm":
		return comm
	case "cmp":
		return cmpCmd
	case "diff":
		return diff
	case "column":
		return column
	case "shuf":
		return shuf
	}
	return nil
}

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

func (s *sorter) compare(a, b string) int {
	if c := s.byKeys(a, b); c != 0 {
		return c
	}
	if strings.ContainsAny(s.flags, "su") {
		return 0
	}
	c := s.text(a, b)
	if strings.Contains(s.flags, "r") {
		c = -c
	}
	return c
}

func (s *sorter) text(a, b string) int {
	if s.p.language() {
		l := &lister{p: s.p}
		return l.collate(a, b)
	}
	return cmp.Compare(a, b)
}

func (s *sorter) byKeys(a, b string) int {
	if len(s.keys) == 0 {
		c := s.one(a, b, s.flags)
		return c
	}
	for _, k := range s.keys {
		flags := k.flags
		if strings.Trim(flags, "b") == "" {
			flags += strings.Trim(s.flags, "usz")
		}
		if c := s.one(s.cut(a, k), s.cut(b, k), flags); c != 0 {
			return c
		}
	}
	return 0
}

// one compares two keys with some flags.
func (s *sorter) one(a, b, flags string) int {
	if strings.Contains(flags, "b") {
		a, b = strings.TrimLeft(a, " \t"), strings.TrimLeft(b, " \t")
	}
	c := 0
	switch {
	case strings.Contains(flags, "n"):
		c = cmp.Compare(leadingNumber(a), leadingNumber(b))
	case strings.Contains(flags, "g"):
		c = cmp.Compare(leadingNumber(a), leadingNumber(b))
	case strings.Contains(flags, "h"):
		c = cmp.Compare(humanNumber(a), humanNumber(b))
	case strings.Contains(flags, "M"):
		c = cmp.Compare(month(a), month(b))
	case strings.Contains(flags, "V"):
		c = versionCompare(a, b)
	case strings.Contains(flags, "R"):
		c = cmp.Compare(hashText(a), hashText(b))
	default:
		if strings.Contains(flags, "f") {
			a, b = strings.ToUpper(a), strings.ToUpper(b)
		}
		if strings.Contains(flags, "d") {
			keep := func(r rune) rune {
				if r == ' ' || r == '\t' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' {
					return r
				}
				return -1
			}
			a, b = strings.Map(keep, a), strings.Map(keep, b)
		}
		c = s.text(a, b)
	}
	if strings.Contains(flags, "r") {
		c = -c
	}
	return c
}

func hashText(s string) uint64 {
	h := uint64(14695981039346656037)
	for i := range len(s) {
		h = (h ^ uint64(s[i])) * 1099511628211
	}
	return h
}

func leadingNumber(s string) float64 {
	s = strings.TrimLeft(s, " \t")
	i := 0
	if i < len(s) && (s[i] == '-' || s[i] == '+') {
		i++
	}
	for i < len(s) && (s[i] >= '0' && s[i] <= '9' || s[i] == '.') {
		i++
	}
	f, err := strconv.ParseFloat(strings.TrimRight(s[:i], "."), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0
	}
	return f
}

func humanNumber(s string) float64 {
	f := leadingNumber(s)
	t := strings.TrimLeft(strings.TrimSpace(s), "-+0123456789.")
	if t != "" {
		if i := strings.IndexByte("KMGTPEZY", strings.ToUpper(t)[0]); i >= 0 {
			f *= math.Pow(1024, float64(i+1))
		}
	}
	return f
}

func month(s string) int {
	s = strings.ToUpper(strings.TrimSpace(s))
	if len(s) < 3 {
		return 0
	}
	return strings.Index("JANFEBMARAPRMAYJUNJULAUGSEPOCTNOVDEC", s[:3])/3 + 1
}

// versionCompare orders file2 before file10.
func versionCompare(a, b string) int {
	for a != "" && b != "" {
		da, db := digitsOf(a), digitsOf(b)
		if da > 0 && db > 0 {
			x, y := strings.TrimLeft(a[:da], "0"), strings.TrimLeft(b[:db], "0")
			if c := cmp.Or(cmp.Compare(len(x), len(y)), cmp.Compare(x, y)); c != 0 {
				return c
			}
			a, b = a[da:], b[db:]
			continue
		}
		if a[0] != b[0] {
			return cmp.Compare(a[0], b[0])
		}
		a, b = a[1:], b[1:]
	}
	return cmp.Compare(len(a), len(b))
}

func digitsOf(s string) int {
	i := 0
	for i < len(s) && s[i] >= '0' && s[i] <= '9' {
		i++
	}
	return i
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

func uniq(p *Proc) int {
	opts, args, ok := p.getopt("cdDf:is:uw:z", "count,c", "repeated,d", "all-repeated?,D", "skip-fields=,f", "ignore-case,i", "skip-chars=,s", "unique,u", "check-chars=,w", "zero-terminated,z", "group?")
	if !ok {
		return 1
	}
	flags, skipF, skipC, most := "", 0, 0, -1
	for _, o := range opts {
		n, _ := strconv.Atoi(o.val)
		switch o.name {
		case "f":
			skipF = n
		case "s":
			skipC = n
		case "w":
			most = n
		default:
			flags += o.name
		}
	}
	if len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	var w io.Writer = p.out
	if len(args) == 2 {
		f, err := p.create(args[1], vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC)
		if err != nil {
			p.errorf("%s: %s", args[1], why(err))
			return 1
		}
		defer f.Close()
		w, args = f, args[:1]
	}
	key := func(s string) string {
		for range skipF {
			s = strings.TrimLeft(s, " \t")
			s = s[max(0, strings.IndexAny(s+" ", " \t")):]
			if s == "" {
				break
			}
		}
		s = s[min(skipC, len(s)):]
		if most >= 0 {
			s = s[:min(most, len(s))]
		}
		if strings.Contains(flags, "i") {
			s = strings.ToLower(s)
		}
		return s
	}
	prev, prevKey, n := "", "", 0
	emit := func() {
		if n == 0 || strings.Contains(flags, "d") && n == 1 || strings.Contains(flags, "u") && n > 1 || strings.Contains(flags, "D") && n == 1 {
			return
		}
		line := prev + "\n"
		if strings.Contains(flags, "c") {
			line = sprintf("%7d %s\n", n, prev)
		}
		if strings.Contains(flags, "D") {
			line = strings.Repeat(line, min(n, 1000))
		}
		if _, err := io.WriteString(w, line); err != nil {
			panic(stop{p.writeFailed(err)})
		}
	}
	status := p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			k := key(string(l))
			if n > 0 && k == prevKey {
				n++
				return true
			}
			emit()
			prev, prevKey, n = string(l), k, 1
			return true
		})
	})
	emit()
	return status
}

// span is a range of positions, from 1 on; to is large when open.
type span struct{ from, to int }

func parseSpans(s string) ([]span, string) {
	var out []span
	for part := range strings.FieldsFuncSeq(s, func(r rune) bool { return r == ',' || r == ' ' }) {
		a, b, dash := strings.Cut(part, "-")
		x, y := span{1, math.MaxInt}, 0
		var err error
		if a != "" {
			if x.from, err = strconv.Atoi(a); err != nil {
				return nil, "invalid"
			}
			if x.from == 0 {
				return nil, "zero"
			}
		}
		switch {
		case !dash:
			x.to = x.from
		case b != "":
			if y, err = strconv.Atoi(b); err != nil {
				return nil, "invalid"
			}
			if x.to = y; x.to < x.from {
				return nil, "decreasing"
			}
		case a == "":
			return nil, "endless"
		}
		out = append(out, x)
	}
	slices.SortFunc(out, func(a, b span) int { return cmp.Compare(a.from, b.from) })
	return out, ""
}

func in(spans []span, n int) bool {
	for _, s := range spans {
		if n >= s.from && n <= s.to {
			return true
		}
	}
	return false
}

func cut(p *Proc) int {
	opts, args, ok := p.getopt("b:c:d:f:nsz", "bytes=,b", "characters=,c", "delimiter=,d", "fields=,f", "only-delimited,s", "zero-terminated,z", "complement", "output-delimiter=")
	if !ok {
		return 1
	}
	mode, list, delim, only, outDelim, complement, hasOut, hasDelim := "", "", "\t", false, "", false, false, false
	for _, o := range opts {
		switch o.name {
		case "b", "c", "f":
			if mode != "" {
				p.errorf("only one list may be specified")
				return p.try(1)
			}
			mode, list = o.name, o.val
		case "d":
			if len([]rune(o.val)) > 1 {
				p.errorf("the delimiter must be a single character")
				return p.try(1)
			}
			delim, hasDelim = o.val, true
			if delim == "" {
				delim = "\x00"
			}
		case "s":
			only = true
		case "complement":
			complement = true
		case "output-delimiter":
			outDelim, hasOut = o.val, true
		}
	}
	if mode == "" {
		p.errorf("you must specify a list of bytes, characters, or fields")
		return p.try(1)
	}
	if hasDelim && mode != "f" {
		p.errorf("an input delimiter may be specified only when operating on fields")
		return p.try(1)
	}
	spans, bad := parseSpans(list)
	what := map[string]string{"f": "field", "b": "byte/character position", "c": "byte/character position"}[mode]
	switch bad {
	case "zero":
		if mode == "f" {
			p.errorf("fields are numbered from 1")
		} else {
			p.errorf("byte/character positions are numbered from 1")
		}
		return p.try(1)
	case "decreasing":
		p.errorf("invalid decreasing range")
		return p.try(1)
	case "endless":
		p.errorf("invalid range with no endpoint: -")
		return p.try(1)
	case "invalid":
		p.errorf("invalid %s value %s", what, p.q(list))
		return p.try(1)
	}
	if !hasOut {
		outDelim = delim
	}
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			if mode != "f" {
				var out []byte
				for i, c := range l {
					if in(spans, i+1) != complement {
						out = append(out, c)
					}
				}
				p.write(append(out, '\n'))
				return true
			}
			if !bytes.Contains(l, []byte(delim)) {
				if !only {
					p.write(append(slices.Clone(l), '\n'))
				}
				return true
			}
			var out []string
			for i, f := range strings.Split(string(l), delim) {
				if in(spans, i+1) != complement {
					out = append(out, f)
				}
			}
			p.print(strings.Join(out, outDelim) + "\n")
			return true
		})
	})
}

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
	switch {
	case len(args) == 0:
		p.errorf("missing operand")
		return p.try(1)
	case len(args) == 1 && !del && !squeeze:
		p.errorf("missing operand after %s", p.q(args[0]))
		p.complain("Two strings must be given when translating.\n")
		return p.try(1)
	case len(args) == 1 && del && squeeze:
		p.errorf("missing operand after %s", p.q(args[0]))
		p.complain("Two strings must be given when both deleting and squeezing repeats.\n")
		return p.try(1)
	case len(args) == 2 && del && !squeeze:
		p.errorf("extra operand %s", p.q(args[1]))
		p.complain("Only one string may be given when deleting without squeezing repeats.\n")
		return p.try(1)
	case len(args) > 2:
		p.errorf("extra operand %s", p.q(args[2]))
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
	var table [256]byte
	var drop, squash [256]bool
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

// readLines reads whole inputs as lines, charged.
func (p *Proc) readLines(arg string) ([]string, error) {
	r, err := p.openFile(arg)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	var out []string
	err = p.lines(r, func(l []byte, _ bool) bool {
		p.alloc(len(l) + 16)
		out = append(out, string(l))
		return true
	})
	return out, err
}

func paste(p *Proc) int {
	opts, args, ok := p.getopt("d:sz", "delimiters=,d", "serial,s", "zero-terminated,z")
	if !ok {
		return 1
	}
	delim, serial := "\t", false
	for _, o := range opts {
		switch o.name {
		case "d":
			delim, _ = unescape(o.val, false)
		case "s":
			serial = true
		}
	}
	if len(args) == 0 {
		args = []string{"-"}
	}
	var all [][]string
	rows := 0
	for _, a := range args {
		l, err := p.readLines(a)
		if err != nil {
			p.errorf("%s: %s", a, why(err))
			return 1
		}
		all, rows = append(all, l), max(rows, len(l))
	}
	ds := []rune(delim)
	sep := func(i int) string {
		if len(ds) == 0 {
			return ""
		}
		return string(ds[i%len(ds)])
	}
	join := func(parts []string) {
		for i, s := range parts {
			if i > 0 {
				p.print(sep(i - 1))
			}
			p.print(s)
		}
		p.print("\n")
	}
	if serial {
		for _, l := range all {
			join(l)
		}
		return 0
	}
	for r := range rows {
		parts := make([]string, len(all))
		for i, l := range all {
			if r < len(l) {
				parts[i] = l[r]
			}
		}
		join(parts)
		p.step(1)
	}
	return 0
}

func comm(p *Proc) int {
	opts, args, ok := p.getopt("123z", "check-order", "nocheck-order", "output-delimiter=", "total", "zero-terminated,z")
	if !ok {
		return 1
	}
	if !p.operands(args, 2) {
		return 1
	}
	hide := map[string]bool{}
	for _, o := range opts {
		hide[o.name] = true
	}
	var f [2][]string
	for i := range f {
		l, err := p.readLines(args[i])
		if err != nil {
			p.errorf("%s: %s", args[i], why(err))
			return 1
		}
		f[i] = l
	}
	tabs := func(col string, before ...string) {
		_ = col
		for _, b := range before {
			if !hide[b] {
				p.print("\t")
			}
		}
	}
	a, b := f[0], f[1]
	for len(a)+len(b) > 0 {
		p.step(1)
		switch {
		case len(b) == 0 || len(a) > 0 && a[0] < b[0]:
			if !hide["1"] {
				p.print(a[0] + "\n")
			}
			a = a[1:]
		case len(a) == 0 || b[0] < a[0]:
			if !hide["2"] {
				tabs("2", "1")
				p.print(b[0] + "\n")
			}
			b = b[1:]
		default:
			if !hide["3"] {
				tabs("3", "1", "2")
				p.print(a[0] + "\n")
			}
			a, b = a[1:], b[1:]
		}
	}
	return 0
}

func column(p *Proc) int {
	opts, args, ok := p.getopt("c:s:to:nexJ", "table,t", "separator=,s", "output-separator=,o")
	if !ok {
		return 1
	}
	table, sep, out := false, "", "  "
	for _, o := range opts {
		switch o.name {
		case "t":
			table = true
		case "s":
			sep = o.val
		case "o":
			out = o.val
		}
	}
	var rows [][]string
	var wides []int
	status := p.inputs(args, "cannot open %s", func(_ string, r io.Reader) error {
		return p.lines(r, func(l []byte, _ bool) bool {
			if len(bytes.TrimSpace(l)) == 0 {
				return true
			}
			p.alloc(len(l) + 32)
			f := strings.Fields(string(l))
			if sep != "" {
				f = strings.FieldsFunc(string(l), func(r rune) bool { return strings.ContainsRune(sep, r) })
			}
			if !table {
				f = []string{string(l)}
			}
			for i, s := range f {
				if i == len(wides) {
					wides = append(wides, 0)
				}
				wides[i] = max(wides[i], width(s))
			}
			rows = append(rows, f)
			return true
		})
	})
	for _, r := range rows {
		for i, s := range r {
			if i == len(r)-1 {
				p.print(s)
			} else {
				p.print(s + strings.Repeat(" ", wides[i]-width(s)) + out)
			}
		}
		p.print("\n")
	}
	return status
}

func shuf(p *Proc) int {
	opts, args, ok := p.getopt("ei:n:o:rz", "echo,e", "input-range=,i", "head-count=,n", "repeat,r")
	if !ok {
		return 1
	}
	var lines []string
	most, echoed := math.MaxInt, false
	for _, o := range opts {
		switch o.name {
		case "e":
			lines, echoed = args, true
		case "i":
			a, b, _ := strings.Cut(o.val, "-")
			lo, err1 := strconv.Atoi(a)
			hi, err2 := strconv.Atoi(b)
			if err1 != nil || err2 != nil || hi < lo || hi-lo > 1<<20 {
				p.errorf("invalid input range: %s", p.q(o.val))
				return 1
			}
			p.alloc((hi - lo) * 24)
			for n := lo; n <= hi; n++ {
				lines = append(lines, strconv.Itoa(n))
			}
			echoed = true
		case "n":
			most, _ = strconv.Atoi(o.val)
		}
	}
	if !echoed {
		name := "-"
		if len(args) > 0 {
			name = args[0]
		}
		l, err := p.readLines(name)
		if err != nil {
			p.errorf("%s: %s", name, why(err))
			return 1
		}
		lines = l
	}
	lines = slices.Clone(lines)
	salt := p.random(8)
	slices.SortFunc(lines, func(a, b string) int { return cmp.Compare(hashText(salt+a), hashText(salt+b)) })
	for _, l := range lines[:max(0, min(most, len(lines)))] {
		p.print(l + "\n")
	}
	return 0
}
