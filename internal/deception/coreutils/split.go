package coreutils

import (
	"bytes"
	"io"
	"math"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// A splitting is one run of split.
type splitting struct {
	p              *Proc
	prefix, suffix string
	digits         string // of the names
	length         int    // of the names; 0 grows
	from, next     int
	end            byte
	verbose, elide bool
	filter         string
	out            io.WriteCloser
	pipe           bytes.Buffer // what a filter gets
	name           string
}

func split(p *Proc) int {
	opts, args, ok := p.getopt("0123456789C:a:b:del:n:t:ux", "bytes=,b", "lines=,l", "line-bytes=,C", "number=,n", "elide-empty-files,e", "unbuffered,u", "suffix-length=,a", "additional-suffix=", "numeric-suffixes?,numeric", "hex-suffixes?,hex", "filter=", "verbose", "separator=,t", "-io-blksize=")
	if !ok {
		return 1
	}
	s := &splitting{p: p, prefix: "x", digits: "abcdefghijklmnopqrstuvwxyz", end: '\n'}
	how, amount := byte(0), ""
	for _, o := range opts {
		switch o.name {
		case "b", "l", "C", "n":
			if how != 0 {
				p.errorf("cannot split in more than one way")
				return p.try(1)
			}
			how, amount = o.name[0], o.val
		case "0", "1", "2", "3", "4", "5", "6", "7", "8", "9":
			how, amount = 'l', amount+o.name
		default:
			if !s.option(o) {
				return 1
			}
		}
	}
	if len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	if len(args) == 2 {
		s.prefix = args[1]
	}
	if how == 0 {
		how, amount = 'l', "1000"
	}
	run, ok := s.way(how, amount)
	if !ok {
		return 1
	}
	name := orStdin(args)[0]
	r, err := p.open(name)
	if err != nil {
		p.errorf("cannot open %s for reading: %s", qa(name), why(err))
		return 1
	}
	defer r.Close()
	if i, err := p.stat(name); err == nil && i.IsDir() && name != "-" {
		p.errorf("%s: %s", name, vfs.EISDIR)
		return 1
	}
	run(&metered{p: p, r: r})
	s.close()
	return 0
}

// option takes one that does not say how to split.
func (s *splitting) option(o opt) bool {
	p := s.p
	switch o.name {
	case "a":
		n, err := strconv.ParseUint(o.val, 10, 16)
		if err != nil {
			p.errorf("invalid suffix length: %s", p.q(o.val))
			return false
		}
		s.length = int(n)
	case "d", "numeric", "x", "hex":
		base, what := 10, "numerical"
		s.digits = "0123456789"
		if o.name == "x" || o.name == "hex" {
			base, what, s.digits = 16, "hexadecimal", "0123456789abcdef"
		}
		if o.val != "" {
			n, err := strconv.ParseUint(o.val, base, 31)
			if err != nil {
				p.errorf("%s: invalid start value for %s suffix", p.q(o.val), what)
				_ = p.try(1)
				return false
			}
			s.from = int(n)
		}
	case "additional-suffix":
		if strings.Contains(o.val, "/") {
			p.errorf("invalid suffix %s, contains directory separator", p.q(o.val))
			_ = p.try(1)
			return false
		}
		s.suffix = o.val
	case "e":
		s.elide = true
	case "verbose":
		s.verbose = true
	case "filter":
		s.filter = o.val
	case "t":
		switch {
		case o.val == "":
			p.errorf("empty record separator")
			return false
		case o.val == `\0`:
			s.end = 0
		case len(o.val) > 1:
			p.errorf("multi-character separator %s", p.q(o.val))
			return false
		default:
			s.end = o.val[0]
		}
	}
	return true
}

// way finds what to do with the input.
func (s *splitting) way(how byte, amount string) (func(io.Reader), bool) {
	p := s.p
	if how == 'n' {
		return s.chunks(amount)
	}
	what := map[byte]string{'b': "bytes", 'C': "lines", 'l': "lines"}[how]
	n, ok := size(amount)
	if amount != "" && strings.Trim(amount, "0123456789") == "" && !ok {
		n, ok = math.MaxInt64, true
	}
	switch {
	case !ok:
		p.errorf("invalid number of %s: %s", what, p.q(amount))
		return nil, false
	case n == 0:
		p.errorf("invalid number of %s: %s: Numerical result out of range", what, p.q(amount))
		return nil, false
	}
	switch how {
	case 'b':
		return func(r io.Reader) { s.byBytes(r, n) }, true
	case 'C':
		return func(r io.Reader) { s.byLineBytes(r, n) }, true
	}
	return func(r io.Reader) { s.byLines(r, n) }, true
}

func (s *splitting) byBytes(r io.Reader, n int64) {
	left := int64(0)
	_ = s.p.each(r, func(b []byte) bool {
		for len(b) > 0 {
			if left == 0 {
				s.open()
				left = n
			}
			k := min(left, int64(len(b)))
			s.put(b[:k])
			b, left = b[k:], left-k
		}
		return true
	})
}

func (s *splitting) byLines(r io.Reader, n int64) {
	count := n
	_ = s.p.records(r, s.end, func(l []byte, full bool) bool {
		if count == n {
			s.open()
			count = 0
		}
		count++
		s.line(l, full)
		return true
	})
}

// byLineBytes puts as many whole lines into a file as fit; a line longer than
// that is cut.
func (s *splitting) byLineBytes(r io.Reader, n int64) {
	used := n
	_ = s.p.records(r, s.end, func(l []byte, full bool) bool {
		if full {
			l = append(bytes.Clone(l), s.end)
		}
		if used == n || used+int64(len(l)) > n {
			s.open()
			used = 0
		}
		for int64(len(l))+used > n {
			s.put(l[:n-used])
			l, used = l[n-used:], 0
			s.open()
		}
		s.put(l)
		used += int64(len(l))
		return true
	})
}

func (s *splitting) line(l []byte, full bool) {
	s.put(l)
	if full {
		s.put([]byte{s.end})
	}
}

// chunks reads N, K/N, l/N, l/K/N, r/N and r/K/N.
func (s *splitting) chunks(amount string) (func(io.Reader), bool) {
	p, kind, rest := s.p, "", amount
	if strings.HasPrefix(rest, "l/") || strings.HasPrefix(rest, "r/") {
		kind, rest = rest[:1], rest[2:]
	}
	one, many, picked := strings.Cut(rest, "/")
	if !picked {
		one, many = "0", one
	}
	n, ok := size(many)
	k, ok1 := size(one)
	switch {
	case !ok:
		p.errorf("invalid number of chunks: %s", p.q(many))
		return nil, false
	case n == 0:
		p.errorf("invalid number of chunks: %s: Numerical result out of range", p.q(many))
		return nil, false
	case !ok1:
		p.errorf("invalid chunk number: %s", p.q(one))
		return nil, false
	case picked && (k == 0 || k > n):
		p.errorf("invalid chunk number: %s: Numerical result out of range", p.q(one))
		return nil, false
	}
	n = min(n, 1<<16)
	if s.length == 0 {
		s.length = 2
		for room := len(s.digits) * len(s.digits); int64(room) < n; room *= len(s.digits) {
			s.length++
		}
	}
	return func(r io.Reader) {
		all, _ := p.all(r)
		for i, part := range divide(all, kind, int(n), s.end) {
			p.step(1)
			switch {
			case picked:
				if int64(i) == k-1 {
					p.write(part)
				}
			case len(part) > 0 || !s.elide:
				s.open()
				s.put(part)
			}
		}
	}, true
}

// divide cuts all into n parts: of bytes, of lines that begin in them, or of
// lines dealt in turn.
func divide(all []byte, kind string, n int, end byte) [][]byte {
	parts := make([][]byte, n)
	each := len(all) / n
	if kind == "" {
		for i := range parts {
			to := (i + 1) * each
			if i == n-1 {
				to = len(all)
			}
			parts[i] = all[i*each : to]
		}
		return parts
	}
	for i, at := 0, 0; at < len(all); i++ {
		k := bytes.IndexByte(all[at:], end) + 1
		if k == 0 {
			k = len(all) - at
		}
		to := i % n
		if kind == "l" {
			to = n - 1
			if each > 0 {
				to = min(at/each, n-1)
			}
		}
		parts[to] = append(parts[to], all[at:at+k]...)
		at += k
	}
	return parts
}

// maxPieces bounds the files one run makes.
const maxPieces = 1 << 16

// label is the name of the n-th file; without a set length it grows as GNU's
// does: the last letter is kept for a longer name.
func (s *splitting) label(n int) (string, bool) {
	base, length := len(s.digits), s.length
	lead := ""
	if length == 0 {
		length = 2
		if s.from == 0 {
			for room := (base - 1) * base; n >= room; room = (base - 1) * pow(base, length-1) {
				n -= room
				lead += s.digits[base-1:]
				length++
				if length > 8 {
					return "", false
				}
			}
		}
	}
	b := make([]byte, length)
	for i := length - 1; i >= 0; i-- {
		b[i] = s.digits[n%base]
		n /= base
	}
	return lead + string(b), n == 0
}

func pow(base, n int) int {
	out := 1
	for range min(n, 8) {
		out *= base
	}
	return out
}

// open begins the next file.
func (s *splitting) open() {
	p := s.p
	s.close()
	label, ok := s.label(s.from + s.next)
	if !ok || s.next >= maxPieces {
		p.errorf("output file suffixes exhausted")
		panic(stop{1})
	}
	s.next++
	s.name = s.prefix + label + s.suffix
	p.step(5)
	if s.filter != "" {
		if s.verbose {
			p.print("executing with FILE=" + qa(s.name) + "\n")
		}
		return
	}
	if s.verbose {
		p.print("creating file " + qa(s.name) + "\n")
	}
	f, err := p.FS.Open(p.Cred, p.path(s.name), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o666&^p.Umask)
	if err != nil {
		p.errorf("%s: %s", quotef(s.name), why(err))
		panic(stop{1})
	}
	s.out = f
}

func (s *splitting) put(b []byte) {
	if s.filter != "" {
		s.p.alloc(len(b))
		s.pipe.Write(b)
		return
	}
	if s.out == nil {
		return
	}
	if _, err := s.out.Write(b); err != nil {
		s.p.errorf("%s: %s", quotef(s.name), why(err))
		panic(stop{1})
	}
}

// close ends the file begun last; a filter runs now.
func (s *splitting) close() {
	if s.out != nil {
		_ = s.out.Close()
		s.out = nil
	}
	if s.filter == "" || s.name == "" {
		return
	}
	in := bytes.Clone(s.pipe.Bytes())
	s.pipe.Reset()
	status := s.p.spawn([]string{"sh", "-c", s.filter}, func(c *Proc) {
		c.Stdin, c.StdinTTY = bytes.NewReader(in), false
		c.setEnv(map[string]string{"FILE": s.name})
	})
	s.p.alloc(-len(in))
	if status != 0 {
		s.p.errorf("with FILE=%s, exit %d from command: %s", s.name, status, s.filter)
		panic(stop{status})
	}
}
