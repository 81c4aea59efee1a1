package coreutils

import (
	"io"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// splitJob cuts one input into numbered files.
type splitJob struct {
	p              *Proc
	mode           string // l lines, b bytes, C lines of at most so many bytes
	most           int64
	digits, base   int // of the suffix: its length and its alphabet, 26 are letters
	first          int
	prefix, suffix string
	verbose        bool
	n              int
	f              *vfs.File
	used           int64
}

// split cuts a file into pieces.
func split(p *Proc) int {
	opts, args, ok := p.getopt("C:a:b:del:n:t:ux0123456789", "additional-suffix=", "bytes=,b", "elide-empty-files,e", "filter=", "hex-suffixes?", "line-bytes=,C", "lines=,l", "number=,n", "numeric-suffixes?", "separator=,t", "suffix-length=,a", "unbuffered,u", "verbose")
	if !ok {
		return 1
	}
	j := &splitJob{p: p, mode: "l", most: 1000, digits: 2, base: 26, prefix: "x"}
	for _, o := range opts {
		if !j.option(o) {
			return 1
		}
	}
	if len(args) > 2 {
		p.errorf("extra operand %s", p.q(args[2]))
		return p.try(1)
	}
	name := "-"
	if len(args) > 0 {
		name = args[0]
	}
	if len(args) > 1 {
		j.prefix = args[1]
	}
	r, err := p.openFile(name)
	if err != nil {
		p.errorf("cannot open %s for reading: %s", qa(name), why(err))
		return 1
	}
	defer r.Close()
	return j.run(r, name)
}

// option takes one option and complains of a bad figure.
func (j *splitJob) option(o opt) bool {
	p := j.p
	what := map[string]string{"l": "number of lines", "b": "number of bytes", "C": "number of bytes", "n": "number of chunks"}[o.name]
	switch o.name {
	case "l", "b", "C":
		n, good := size(o.val)
		if !good || n < 1 {
			p.errorf("invalid %s: %s", what, p.q(o.val))
			return false
		}
		j.mode, j.most = o.name, n
	case "n":
		n, err := strconv.Atoi(o.val)
		if err != nil || n < 1 {
			p.errorf("invalid %s: %s", what, p.q(o.val))
			return false
		}
		j.mode, j.most = "n", int64(n)
	case "a":
		n, err := strconv.Atoi(o.val)
		if err != nil || n < 0 || n > 200 {
			p.errorf("invalid suffix length: %s", p.q(o.val))
			return false
		}
		j.digits = max(2, n)
		if n > 0 {
			j.digits = n
		}
	case "d", "numeric-suffixes", "x", "hex-suffixes":
		j.base = 10
		if o.name == "x" || o.name == "hex-suffixes" {
			j.base = 16
		}
		if v, err := strconv.ParseInt(o.val, j.base, 32); o.val != "" && err == nil {
			j.first = int(v)
		}
	case "additional-suffix":
		if strings.Contains(o.val, "/") {
			p.errorf("invalid suffix %s, contains directory separator", p.q(o.val))
			return false
		}
		j.suffix = o.val
	case "verbose":
		j.verbose = true
	case "filter":
		p.Watch.Unsupported("split --filter")
	}
	return true
}

func (j *splitJob) run(r io.Reader, name string) int {
	p := j.p
	status := 0
	defer func() {
		if j.f != nil {
			_ = j.f.Close()
		}
	}()
	if j.mode == "n" {
		text, err := p.all(r)
		if err != nil {
			p.errorf("%s: %s", name, why(err))
			return 1
		}
		defer p.alloc(-len(text))
		return j.chunks(text)
	}
	if j.mode == "b" {
		buf := make([]byte, 32<<10)
		for status == 0 {
			n, err := r.Read(buf)
			if n > 0 && !j.write(buf[:n]) {
				status = 1
			}
			if err != nil {
				break
			}
		}
		return status
	}
	_ = p.lines(r, func(l []byte, whole bool) bool {
		line := slices.Clone(l)
		if whole {
			line = append(line, '\n')
		}
		if !j.line(line) {
			status = 1
		}
		return status == 0
	})
	return status
}

// chunks cuts what is known as a whole into equal parts.
func (j *splitJob) chunks(text []byte) int {
	each := int64(len(text)) / j.most
	for i := range j.most {
		j.p.step(1)
		part := text[i*each:]
		if i < j.most-1 {
			part = part[:each]
		}
		if !j.next() || !j.put(part) {
			return 1
		}
	}
	return 0
}

// line adds a line to the piece that has room for it.
func (j *splitJob) line(l []byte) bool {
	if j.mode == "C" {
		if j.used > 0 && j.used+int64(len(l)) > j.most {
			j.used = j.most
		}
		return j.write(l)
	}
	if j.f == nil || j.used == j.most {
		if !j.next() {
			return false
		}
	}
	j.used++
	return j.put(l)
}

// write fills pieces of so many bytes.
func (j *splitJob) write(b []byte) bool {
	for len(b) > 0 {
		if j.f == nil || j.used >= j.most {
			if !j.next() {
				return false
			}
		}
		n := min(int64(len(b)), j.most-j.used)
		if !j.put(b[:n]) {
			return false
		}
		j.used += n
		b = b[n:]
	}
	return true
}

func (j *splitJob) put(b []byte) bool {
	if _, err := j.f.Write(b); err != nil {
		j.p.errorf("%s: %s", j.name(j.n-1), why(err))
		return false
	}
	return true
}

// next begins the next piece.
func (j *splitJob) next() bool {
	p := j.p
	p.step(1)
	if j.f != nil {
		_ = j.f.Close()
		j.f = nil
	}
	name := j.name(j.n)
	if name == "" {
		p.errorf("output file suffixes exhausted")
		return false
	}
	if j.verbose {
		p.printf("creating file %s\n", p.q(name))
	}
	f, err := p.FS.Open(p.Cred, p.path(name), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC, 0o666&^p.Umask)
	if err != nil {
		p.errorf("%s: %s", name, why(err))
		return false
	}
	j.f, j.used = f, 0
	j.n++
	return true
}

// name is that of the nth piece, empty when the suffixes are used up.
func (j *splitJob) name(n int) string {
	n += j.first
	s := ""
	for range j.digits {
		d := n % j.base
		n /= j.base
		if j.base == 26 {
			s = string(rune('a'+d)) + s
		} else {
			s = strconv.FormatInt(int64(d), 16) + s
		}
	}
	if n > 0 {
		return ""
	}
	return j.prefix + s + j.suffix
}
