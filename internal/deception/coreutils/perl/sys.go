package perl

import (
	"bufio"
	"encoding/hex"
	"errors"
	"io"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func (m *machine) flush() {
	if err := m.out.Flush(); err != nil {
		panic(leave{141})
	}
}

// systemFunction runs programs, ends this one and reaches for the network.
func (m *machine) systemFunction(name string, args []any, s *scope) ([]any, bool) {
	switch name {
	case "die", "warn":
		msg := ""
		for _, a := range args {
			msg += str(a)
		}
		if msg == "" {
			msg = map[string]string{"die": "Died", "warn": "Warning: something's wrong"}[name]
		}
		if !strings.HasSuffix(msg, "\n") {
			msg += " at " + m.prog.File + " line " + itoa(max(m.line, 1)) + ".\n"
		}
		if name == "die" {
			panic(died{msg})
		}
		m.flush()
		_, _ = io.WriteString(m.prog.Stderr, msg)
		return one(int64(1))
	case "exit":
		panic(leave{int(toInt(argAt(args, 0))) & 255})
	case "system", "exec":
		m.flush()
		status := m.w.Spawn(m.argv(args), nil, nil, nil)
		if name == "exec" {
			panic(leave{status})
		}
		v := int64(status) << 8
		if status == 127 && len(args) > 1 {
			v = -1
		}
		m.cell("?", m.global).v = v
		return one(v)
	case "sleep":
		m.flush()
		m.w.Sleep(time.Duration(min(toInt(argAt(args, 0)), 1<<30)) * time.Second)
		return one(toInt(argAt(args, 0)))
	case "select":
		if len(args) == 4 {
			m.w.Sleep(time.Duration(min(toFloat(args[3]), 1e9) * 1e9))
		}
		return one("main::STDOUT")
	case "fork":
		m.w.Unsupported("perl fork")
		return one(int64(m.w.PID() + 1))
	case "wait", "waitpid":
		return one(int64(-1))
	case "kill":
		m.flush()
		if len(args) > 1 {
			return one(boolean(m.w.Spawn([]string{"kill", "-" + str(args[0]), str(args[1])}, nil, nil, io.Discard) == 0))
		}
		return one(int64(0))
	case "getppid":
		return one(int64(m.w.PPID()))
	case "socket", "setsockopt", "bind", "listen", "binmode":
		return one(int64(1))
	case "getprotobyname":
		return one(int64(6))
	case "inet_aton", "gethostbyname", "INADDR_ANY":
		return one(str(argAt(args, 0)))
	case "PF_INET", "AF_INET", "SOCK_STREAM", "SOCK_DGRAM":
		return one(int64(2))
	case "sockaddr_in":
		return one(str(argAt(args, 1)) + ":" + str(argAt(args, 0)))
	case "connect":
		m.flush()
		m.cell("!", m.global).v = m.w.Reach("tcp://" + str(argAt(args, 1)))
		return one(int64(0))
	case "require":
		return one(int64(1))
	case "accept":
		m.w.Unsupported("perl accept")
		for {
			m.w.Sleep(time.Hour)
		}
	}
	return nil, false
}

// argv is the program system and exec run: one string goes through a shell.
func (m *machine) argv(args []any) []string {
	if len(args) == 1 {
		return []string{"/bin/sh", "-c", str(args[0])}
	}
	var out []string
	for _, a := range args {
		out = append(out, str(a))
	}
	if len(out) == 0 {
		return []string{"/bin/true"}
	}
	return out
}

type capture struct {
	m *machine
	b []byte
}

func (c *capture) Write(p []byte) (int, error) {
	c.m.w.Alloc(len(p))
	c.b = append(c.b, p...)
	return len(p), nil
}

func (m *machine) backticks(cmd string) any {
	m.flush()
	c := &capture{m: m}
	m.cell("?", m.global).v = int64(m.w.Spawn([]string{"/bin/sh", "-c", cmd}, nil, c, nil)) << 8
	return string(c.b)
}

// flags of the pretended file system's Open, which are Linux's.
const (
	writeNew = 0x1 | 0x40 | 0x200
	appendTo = 0x1 | 0x40 | 0x400
)

func (m *machine) open(n *node, s *scope) []any {
	kids := n.kids
	if len(kids) == 1 && kids[0].op == "list" {
		kids = kids[0].kids
	}
	if len(kids) < 2 {
		m.missing(n.s)
	}
	var rest []string
	for _, k := range kids[1:] {
		for _, v := range m.list(k, s) {
			rest = append(rest, str(v))
		}
	}
	mode, path := rest[0], ""
	if len(rest) > 1 {
		path = strings.Join(rest[1:], " ")
	} else {
		t := strings.TrimSpace(mode)
		k := 0
		for k < len(t) && strings.IndexByte("<>+|", t[k]) >= 0 {
			k++
		}
		mode, path = t[:k], strings.TrimSpace(t[k:])
		if strings.HasSuffix(path, "|") {
			mode, path = "-|", strings.TrimSuffix(path, "|")
		}
	}
	h := m.openAs(strings.TrimSpace(strings.SplitN(mode, ":", 2)[0]), path, n.s)
	if h == nil {
		return []any{int64(0)}
	}
	if kids[0].op == "bare word" || kids[0].op == "str" || kids[0].op == "func" {
		m.files[kids[0].s] = h
	} else {
		m.set(kids[0], h, s)
	}
	return []any{int64(1)}
}

func (m *machine) openAs(mode, path, what string) *handle {
	if what == "opendir" {
		names, err := m.w.ReadDir(path)
		if err != nil {
			m.failed(err)
			return nil
		}
		return &handle{r: bufio.NewReader(strings.NewReader(".\n..\n" + strings.Join(names, "\n") + "\n"))}
	}
	switch mode {
	case "-|":
		return &handle{r: bufio.NewReader(strings.NewReader(str(m.backticks(path))))}
	case "|-", "|":
		c := &piped{m: m, cmd: path}
		return &handle{w: bufio.NewWriter(c), c: c}
	}
	flags := 0
	switch {
	case strings.HasPrefix(mode, ">>"):
		flags = appendTo
	case strings.HasPrefix(mode, ">"):
		flags = writeNew
		if path == "&STDOUT" || path == "&STDERR" || path == "&S" {
			return &handle{w: bufio.NewWriter(m.prog.Stdout)}
		}
	}
	f, err := m.w.Open(path, flags)
	if err != nil {
		m.failed(err)
		return nil
	}
	if flags == 0 {
		return &handle{r: bufio.NewReader(f), c: f}
	}
	return &handle{w: bufio.NewWriter(f), c: f}
}

// failed sets $!.
func (m *machine) failed(err error) {
	var no vfs.Errno
	m.errno = 5
	if errors.As(err, &no) {
		m.errno = int(no)
	}
	m.cell("!", m.global).v = no.Error()
}

// piped gathers what goes to a program, which runs when it is closed.
type piped struct {
	m   *machine
	cmd string
	b   []byte
}

func (c *piped) Write(p []byte) (int, error) {
	c.m.w.Alloc(len(p))
	c.b = append(c.b, p...)
	return len(p), nil
}

// Close runs the program.
func (c *piped) Close() error {
	c.m.flush()
	c.m.w.Spawn([]string{"/bin/sh", "-c", c.cmd}, strings.NewReader(string(c.b)), nil, nil)
	return nil
}

func (h *handle) close() {
	if h.w != nil {
		_ = h.w.Flush()
	}
	if h.c != nil {
		_ = h.c.Close()
	}
}

// file finds a handle by name or in a variable.
func (m *machine) file(v any) *handle {
	if h, ok := v.(*handle); ok {
		return h
	}
	return m.files[strings.TrimPrefix(str(v), "main::")]
}

func (m *machine) fileFunction(name string, args []any, _ *scope) ([]any, bool) {
	switch name {
	case "close", "closedir":
		if h := m.file(argAt(args, 0)); h != nil {
			h.close()
			delete(m.files, str(argAt(args, 0)))
			return one(int64(1))
		}
		return one(int64(0))
	case "eof":
		h := m.file(argAt(args, 0))
		if h == nil || h.r == nil {
			return one(int64(1))
		}
		_, err := h.r.Peek(1)
		return one(boolean(err != nil))
	case "readdir":
		h := m.file(argAt(args, 0))
		if h == nil {
			return nil, true
		}
		var out []any
		for {
			l, err := h.r.ReadString('\n')
			if err != nil {
				return out, true
			}
			out = append(out, strings.TrimSuffix(l, "\n"))
		}
	case "unlink", "rmdir", "mkdir", "rename", "symlink", "chmod":
		return m.changeFiles(name, args), true
	case "chdir":
		return one(boolean(m.w.Chdir(str(argAt(args, 0))) == nil))
	case "syswrite":
		if h := m.file(argAt(args, 0)); h != nil && h.w != nil {
			_, _ = h.w.WriteString(str(argAt(args, 1)))
			_ = h.w.Flush()
			return one(int64(len(str(argAt(args, 1)))))
		}
		m.flush()
		_, _ = io.WriteString(m.prog.Stdout, str(argAt(args, 1)))
		return one(int64(len(str(argAt(args, 1)))))
	case "umask":
		return one(int64(0o022))
	case "chown", "utime":
		return one(int64(len(args)))
	}
	return nil, false
}

func (m *machine) changeFiles(name string, args []any) []any {
	op := map[string]string{"unlink": "remove"}[name]
	if op == "" {
		op = name
	}
	note := func(err error) bool {
		if err != nil {
			m.failed(err)
		}
		return err == nil
	}
	switch name {
	case "rename", "symlink":
		return []any{boolean(note(m.w.Change(op, str(argAt(args, 0)), str(argAt(args, 1)), 0)))}
	case "mkdir":
		return []any{boolean(note(m.w.Change(op, str(argAt(args, 0)), "", 0o777)))}
	}
	mode := uint32(0)
	if name == "chmod" && len(args) > 0 {
		mode, args = uint32(toInt(args[0])), args[1:]
	}
	done := int64(0)
	for _, a := range args {
		if note(m.w.Change(op, str(a), "", mode)) {
			done++
		}
	}
	return []any{done}
}

// print writes to a handle.
func (m *machine) print(n *node, s *scope) any {
	vals := m.list(n.kids[0], s)
	var b strings.Builder
	if n.op == "printf" && len(vals) > 0 {
		b.WriteString(m.sprintf(str(vals[0]), vals[1:]))
	} else {
		sep := str(m.cell(",", m.global).v)
		for i, v := range vals {
			if i > 0 {
				b.WriteString(sep)
			}
			b.WriteString(str(v))
		}
	}
	if n.op == "say" || n.op == "print" && m.prog.Chomp {
		b.WriteByte('\n')
	}
	if n.op == "print" {
		b.WriteString(str(m.cell("\\", m.global).v))
	}
	m.w.Step(b.Len() / 64)
	switch {
	case n.s == "STDERR":
		m.flush()
		_, _ = io.WriteString(m.prog.Stderr, b.String())
		return int64(1)
	case n.s == "STDOUT":
		w := m.out
		if m.cur != nil {
			w = m.cur.w
		}
		if _, err := w.WriteString(b.String()); err != nil {
			panic(leave{141})
		}
		if m.autos {
			m.flush()
		}
		return int64(1)
	}
	var h *handle
	if n.s == "" {
		h = m.file(m.scalar(n.kids[1], s))
	} else {
		h = m.files[n.s]
	}
	if h == nil || h.w == nil {
		return int64(0)
	}
	_, _ = h.w.WriteString(b.String())
	return int64(1)
}

// input is the handle <NAME> reads; an empty name is the files of @ARGV.
func (m *machine) input(name string, s *scope) *handle {
	switch {
	case name == "STDIN":
		return m.in
	case name == "":
		return m.diamond()
	case strings.HasPrefix(name, "$"):
		return m.file(m.cell(name[1:], s).v)
	}
	return m.files[name]
}

// diamond goes through the files named as arguments, or standard input.
func (m *machine) diamond() *handle {
	argv := m.array(&node{op: "@", s: "ARGV"}, m.global)
	for {
		if h := m.files["ARGV"]; h != nil {
			if _, err := h.r.Peek(1); err == nil {
				return h
			}
			m.endInPlace()
			if len(argv.items) == 0 {
				return h
			}
			h.close()
		}
		if len(argv.items) == 0 {
			m.files["ARGV"] = m.in
			return m.in
		}
		name := str(argv.items[0])
		argv.items = argv.items[1:]
		f, err := m.w.Open(name, 0)
		if err != nil {
			m.flush()
			_, _ = io.WriteString(m.prog.Stderr, "Can't open "+name+": "+why(err)+at(m)+"\n")
			if len(argv.items) == 0 {
				m.files["ARGV"] = &handle{r: bufio.NewReader(strings.NewReader(""))}
			}
			continue
		}
		m.cell("ARGV", m.global).v = name
		m.files["ARGV"] = &handle{r: bufio.NewReader(f), c: f}
		m.startInPlace(name)
	}
}

func at(m *machine) string {
	if m.prog.Loop || m.prog.Print {
		return "."
	}
	return " at " + m.prog.File + " line " + itoa(m.line) + "."
}

func why(err error) string {
	var no vfs.Errno
	if errors.As(err, &no) {
		return no.Error()
	}
	return err.Error()
}

// startInPlace makes prints go to the file that is read: -i.
func (m *machine) startInPlace(name string) {
	if m.prog.InPlace == "\x00" {
		return
	}
	all, _ := io.ReadAll(io.LimitReader(m.files["ARGV"].r, 1<<20))
	m.w.Alloc(len(all))
	m.files["ARGV"].close()
	m.files["ARGV"] = &handle{r: bufio.NewReader(strings.NewReader(string(all)))}
	if m.prog.InPlace != "" {
		if f, err := m.w.Open(name+m.prog.InPlace, writeNew); err == nil {
			_, _ = f.Write(all)
			_ = f.Close()
		}
	}
	if f, err := m.w.Open(name, writeNew); err == nil {
		m.cur = &handle{w: bufio.NewWriter(f), c: f}
	}
}

func (m *machine) endInPlace() {
	if m.cur != nil {
		m.cur.close()
		m.cur = nil
	}
}

func (m *machine) readLine(name string, s *scope) any {
	h := m.input(name, s)
	if h == nil || h.r == nil {
		return nil
	}
	m.flush()
	if sep := m.cell("/", m.global); sep.v == nil {
		b, _ := io.ReadAll(io.LimitReader(h.r, 4<<20))
		m.w.Alloc(len(b))
		if len(b) == 0 {
			return nil
		}
		return string(b)
	}
	l, err := h.r.ReadString('\n')
	m.w.Step(1 + len(l)/64)
	m.w.Alloc(len(l))
	if err != nil && l == "" {
		m.endInPlace()
		return nil
	}
	c := m.cell(".", m.global)
	c.v = toInt(c.v) + 1
	return l
}

func (m *machine) readAll(name string, s *scope) []any {
	var out []any
	for {
		v := m.readLine(name, s)
		if v == nil {
			return out
		}
		out = append(out, v)
	}
}

// pack knows the letters loaders use.
func (m *machine) pack(format string, args []any) string {
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		c := format[i]
		count, star := 1, false
		j := i + 1
		if j < len(format) && format[j] == '*' {
			star, i = true, j
		} else if j < len(format) && format[j] >= '0' && format[j] <= '9' {
			for count = 0; j < len(format) && format[j] >= '0' && format[j] <= '9'; j++ {
				count = min(count*10+int(format[j]-'0'), 1<<16)
			}
			i = j - 1
		}
		switch c {
		case 'A', 'a', 'H':
			s := str(argAt(args, 0))
			args = args[min(1, len(args)):]
			if c == 'H' {
				d, _ := hex.DecodeString(s[:len(s)/2*2])
				b.Write(d)
				continue
			}
			if star {
				count = len(s)
			}
			fill := map[byte]string{'A': " ", 'a': "\x00"}[c]
			b.WriteString((s + strings.Repeat(fill, max(0, count-len(s))))[:count])
		case 'C', 'c', 'n', 'N', 'v', 'V', 'S', 'L', 's', 'l', 'U', 'Q':
			if star {
				count = len(args)
			}
			for range count {
				packInt(&b, c, uint64(toInt(argAt(args, 0))))
				args = args[min(1, len(args)):]
			}
		case 'x':
			b.WriteString(strings.Repeat("\x00", count))
		case ' ':
		default:
			m.missing("pack " + string(c))
		}
		m.w.Alloc(count)
	}
	return b.String()
}

func packInt(b *strings.Builder, c byte, n uint64) {
	size := map[byte]int{'C': 1, 'c': 1, 'U': 1, 'n': 2, 'v': 2, 'S': 2, 's': 2, 'Q': 8}[c]
	if size == 0 {
		size = 4
	}
	for i := range size {
		k := i
		if c == 'n' || c == 'N' {
			k = size - 1 - i
		}
		b.WriteByte(byte(n >> (8 * k)))
	}
}

func (m *machine) unpack(format, s string) []any {
	switch {
	case strings.HasPrefix(format, "H"):
		return []any{hex.EncodeToString([]byte(s))}
	case strings.HasPrefix(format, "A"), strings.HasPrefix(format, "a"):
		return []any{strings.TrimRight(s, " \x00")}
	case strings.HasPrefix(format, "C"):
		var out []any
		for i := range len(s) {
			out = append(out, int64(s[i]))
		}
		return out
	case format == "N" && len(s) >= 4:
		return []any{int64(s[0])<<24 | int64(s[1])<<16 | int64(s[2])<<8 | int64(s[3])}
	}
	m.missing("unpack " + format)
	return nil
}
