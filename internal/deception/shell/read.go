package shell

import (
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide/internal/deception/shell/lineedit"
)

// A reading is one run of read.
type reading struct {
	e      *env
	in     *ofile
	raw    bool
	delim  byte
	limit  int // characters, -1 is no limit
	exact  bool
	until  time.Time
	silent bool
}

func readBuiltin(e *env, args []string) int {
	letters, withArg := "ersa:d:i:n:N:p:t:u:", "adinNptu"
	if e.dialect == dash {
		letters, withArg = "rp:", "p"
	}
	opts, names, st := e.options(args, strings.ReplaceAll(letters, ":", ""), withArg)
	if st != 0 {
		return st
	}
	r := reading{e: e, delim: '\n', limit: -1}
	_, r.raw = opts['r']
	_, r.silent = opts['s']
	if d, ok := opts['d']; ok {
		r.delim = 0
		if d != "" {
			r.delim = d[0]
		}
	}
	for _, c := range []byte{'n', 'N'} {
		if s, ok := opts[c]; ok {
			n, err := strconv.Atoi(s)
			if err != nil || n < 0 {
				e.errorf("read: %s: invalid number", s)
				return 1
			}
			r.limit, r.exact = n, c == 'N'
		}
	}
	fd := 0
	if s, ok := opts['u']; ok {
		n, err := strconv.Atoi(s)
		if err != nil {
			e.errorf("read: %s: invalid file descriptor specification", s)
			return 1
		}
		if fd = n; e.fds.get(n) == nil {
			e.errorf("read: %d: invalid file descriptor: Bad file descriptor", n)
			return 1
		}
	}
	for _, n := range names {
		if base, _, _ := cutIndex(n); !isName(base) {
			e.errorf("read: `%s': not a valid identifier", n)
			return 1
		}
	}
	if r.in = e.fds.get(fd); r.in == nil {
		e.errorf("read: read error: %d: Bad file descriptor", fd)
		return 1
	}
	if st, done := r.timeout(opts); done {
		return st
	}
	var line []chr
	var status int
	if _, edited := opts['e']; edited && e.isTTY(fd) && e.k.tty != nil {
		line, status = r.edited(opts['p'], opts['i'])
	} else {
		if p, ok := opts['p']; ok && e.isTTY(fd) {
			e.warn(p)
		}
		line, status = r.line()
	}
	if arr, ok := opts['a']; ok {
		return e.readArray(arr, line, status)
	}
	return e.readVars(names, line, status, r.exact)
}

// timeout reads -t; -t 0 only asks whether there is input.
func (r *reading) timeout(opts map[byte]string) (int, bool) {
	s, ok := opts['t']
	if !ok {
		r.until = r.e.until
		return 0, false
	}
	t, err := strconv.ParseFloat(s, 64)
	if err != nil || t < 0 {
		r.e.errorf("read: %s: invalid timeout specification", s)
		return 1, true
	}
	if t == 0 {
		d, ok := r.in.file.(deadliner)
		return b2i(ok && !d.WaitRead(r.e.k.now())), true
	}
	r.until = r.e.k.now().Add(time.Duration(min(t, 1e6) * float64(time.Second)))
	return 0, false
}

// A deadliner is a file whose Read can be given up.
type deadliner interface {
	// WaitRead waits for input until a time and reports whether there is some.
	WaitRead(until time.Time) bool
}

// chr is one character read, with whether a backslash quoted it.
type chr struct {
	c      byte
	quoted bool
}

// line reads up to the delimiter. Status 1 is the end of input, 142 a timeout.
func (r *reading) line() ([]chr, int) {
	var out []chr
	if t, ok := r.in.file.(*tty); ok && (r.silent || r.limit >= 0 || r.delim != '\n') {
		t.quietly(r.silent, r.limit >= 0 || r.delim != '\n')
		defer t.normally()
	}
	var b [1]byte
	count := 0
	for r.limit < 0 || count < r.limit {
		if d, ok := r.in.file.(deadliner); ok && !r.until.IsZero() && !d.WaitRead(r.until) {
			return out, 142
		}
		n, err := r.in.Read(b[:])
		if n == 0 || err != nil && n == 0 {
			return out, 1
		}
		c := b[0]
		if c == r.delim && !r.exact {
			return out, 0
		}
		if c == 0 && r.delim != 0 {
			continue
		}
		if c == '\\' && !r.raw {
			if n, _ := r.in.Read(b[:]); n == 0 {
				return out, 1
			}
			if b[0] == '\n' {
				continue
			}
			out = append(out, chr{b[0], true})
			count++
			continue
		}
		if utf8.RuneStart(c) {
			count++
		}
		out = append(out, chr{c, false})
		if len(out)&1023 == 0 {
			if err := r.e.hold(1024); err != nil {
				return out, 1
			}
		}
		if r.limit >= 0 && count == r.limit && c >= 0x80 && !completeRune(out) {
			count--
		}
	}
	return out, 0
}

// edited reads a line with the line editor: read -e.
func (r *reading) edited(prompt, preset string) ([]chr, int) {
	e, t := r.e, r.e.k.tty
	term, _ := e.get("TERM")
	d := dialog{ed: lineedit.New(lineedit.TerminalFor(term), e.k.sh.cols(), guide{e}), term: term, cols: e.k.sh.cols()}
	defer func() { t.raw = false }()
	settings := e.settings()
	settings.Preset, settings.Limit = preset, max(0, r.limit)
	d.ed.Configure(settings)
	d.ed.Start(prompt)
	t.startEditing()
	line, res, _ := e.edit(&d, true)
	switch res {
	case lineedit.Interrupt:
		panic(death{128 + sigInt, ofLine, nil})
	case lineedit.EndOfFile:
		return nil, 1
	}
	var out []chr
	for i := 0; i < len(line); i++ {
		c := chr{line[i], false}
		if line[i] == '\\' && !r.raw && i+1 < len(line) {
			i++
			c = chr{line[i], true}
		}
		if out = append(out, c); r.limit >= 0 && len(out) >= r.limit {
			break
		}
	}
	return out, 0
}

// completeRune reports whether the last character has all its bytes.
func completeRune(out []chr) bool {
	var b []byte
	for i := max(0, len(out)-4); i < len(out); i++ {
		b = append(b, out[i].c)
	}
	_, n := utf8.DecodeLastRune(b)
	return n > 1
}

func text(cs []chr) string {
	b := make([]byte, len(cs))
	for i, c := range cs {
		b[i] = c.c
	}
	return string(b)
}

// readVars divides a line among variables: the last takes the rest.
func (e *env) readVars(names []string, line []chr, status int, whole bool) int {
	if len(names) == 0 {
		if st := e.setOpt("REPLY", text(line)); st != 0 {
			return st
		}
		return status
	}
	ifs := e.ifs()
	if whole {
		ifs = ""
	}
	rest := line
	blank := func(c chr) bool {
		return !c.quoted && strings.IndexByte(ifs, c.c) >= 0 && (c.c == ' ' || c.c == '\t' || c.c == '\n')
	}
	sep := func(c chr) bool { return !c.quoted && strings.IndexByte(ifs, c.c) >= 0 }
	trim := func() {
		for len(rest) > 0 && blank(rest[0]) {
			rest = rest[1:]
		}
	}
	trim()
	for i, n := range names {
		word := rest
		if i < len(names)-1 {
			j := 0
			for j < len(rest) && !sep(rest[j]) {
				j++
			}
			word, rest = rest[:j], rest[j:]
			trim()
			if len(rest) > 0 && sep(rest[0]) && !blank(rest[0]) {
				rest = rest[1:]
				trim()
			}
		} else {
			word = lastWord(word, blank, sep)
		}
		if err := e.assignName(n, text(word)); err != nil {
			e.errorf("%s", err)
			return 1
		}
	}
	return status
}

// lastWord removes the blanks at the end, and one other separator if it is the
// only one.
func lastWord(w []chr, blank, sep func(chr) bool) []chr {
	for len(w) > 0 && blank(w[len(w)-1]) {
		w = w[:len(w)-1]
	}
	if n := len(w); n > 0 && sep(w[n-1]) && !blank(w[n-1]) {
		for _, c := range w[:n-1] {
			if sep(c) {
				return w
			}
		}
		return w[:n-1]
	}
	return w
}

func (e *env) readArray(name string, line []chr, status int) int {
	v, err := e.arrayOf(name, false)
	if err != nil {
		e.errorf("%s", err)
		return 1
	}
	fresh := newArray(e.mine, false)
	x := expander{e: e, ifs: e.ifs()}
	for _, c := range line {
		if c.quoted {
			x.cur.text = append(x.cur.text, c.c)
			x.blank = false
			continue
		}
		if strings.IndexByte(x.ifs, c.c) >= 0 {
			x.delimit(c.c == ' ' || c.c == '\t' || c.c == '\n')
			continue
		}
		x.blank = false
		x.cur.text = append(x.cur.text, c.c)
	}
	x.end()
	for i, f := range x.done {
		fresh.set(int64(i), string(f.text))
	}
	if err := e.room(fresh); err != nil {
		return 1
	}
	v.arr = fresh
	if err := e.store(name, &variable{arr: fresh, attr: v.attr}); err != nil {
		return 1
	}
	return status
}

func mapfileBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "dnOstuCc", "dnOsuCc")
	if st != 0 {
		return st
	}
	num := func(c byte, what string, def int) (int, bool) {
		s, ok := opts[c]
		if !ok {
			return def, true
		}
		n, err := strconv.Atoi(s)
		if err != nil || n < 0 {
			e.errorf("%s: %s: invalid %s", args[0], s, what)
			return 0, false
		}
		return n, true
	}
	count, ok1 := num('n', "line count", 0)
	origin, ok2 := num('O', "array origin", 0)
	skip, ok3 := num('s', "line count", 0)
	fd, ok4 := num('u', "file descriptor specification", 0)
	if !ok1 || !ok2 || !ok3 || !ok4 {
		return 1
	}
	name := "MAPFILE"
	if len(names) > 0 {
		name = names[0]
	}
	if !isName(name) {
		e.errorf("%s: `%s': not a valid identifier", args[0], name)
		return 1
	}
	delim := byte('\n')
	if d, ok := opts['d']; ok {
		delim = 0
		if d != "" {
			delim = d[0]
		}
	}
	in := e.fds.get(fd)
	if in == nil {
		e.errorf("%s: %d: invalid file descriptor: Bad file descriptor", args[0], fd)
		return 1
	}
	_, trim := opts['t']
	m := mapping{name: name, in: in, delim: delim, trim: trim, count: count, origin: origin, skip: skip, back: opts['C'], every: 5000}
	if s, ok := opts['c']; ok {
		n, err := strconv.Atoi(s)
		if err != nil || n < 1 {
			e.errorf("%s: %s: invalid callback quantum", args[0], s)
			return 1
		}
		m.every = n
	}
	return e.mapLines(m)
}

// A mapping is one run of mapfile.
type mapping struct {
	name                string
	in                  *ofile
	delim               byte
	trim                bool
	count, origin, skip int
	back                string // called with every some lines
	every               int
}

func (e *env) mapLines(m mapping) int {
	name, in, delim, trim, count, origin, skip := m.name, m.in, m.delim, m.trim, m.count, m.origin, m.skip
	v := &variable{arr: newArray(e.mine, false)}
	if origin > 0 {
		old, err := e.arrayOf(name, false)
		if err != nil {
			return 1
		}
		v = old
	}
	var b [1]byte
	var line strings.Builder
	n := 0
	flush := func() bool {
		s := line.String()
		line.Reset()
		if skip > 0 {
			skip--
			return true
		}
		if trim {
			s = strings.TrimSuffix(s, string(delim))
		}
		if m.back != "" && (n+1)%m.every == 0 {
			e.runText(&source{text: m.back + " " + strconv.Itoa(origin+n) + " " + singleQuote(s), kind: fromEval}, e.line-1)
		}
		v.arr.set(int64(origin+n), s)
		n++
		if err := e.room(v.arr); err != nil {
			return false
		}
		return count == 0 || n < count
	}
	for {
		got, err := in.Read(b[:])
		if got == 0 || err != nil && got == 0 {
			break
		}
		line.WriteByte(b[0])
		if int64(line.Len()) > e.k.bud.Bytes/4 {
			e.noMemory()
		}
		if b[0] == delim && !flush() {
			break
		}
	}
	if line.Len() > 0 {
		flush()
	}
	if err := e.store(name, v); err != nil {
		return 1
	}
	return 0
}
