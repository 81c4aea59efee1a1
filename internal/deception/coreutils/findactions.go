package coreutils

import (
	"io"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// batch gathers the names of -exec ... +.
type batch struct {
	argv  []string
	names []string
}

func (f *finder) action(name string) pred {
	p := f.p
	switch name {
	case "-print":
		f.acted = true
		return func(_ *finder, x *foundFile) bool { p.print(x.path + "\n"); return true }
	case "-print0":
		f.acted = true
		return func(_ *finder, x *foundFile) bool { p.print(x.path + "\x00"); return true }
	case "-printf":
		f.acted = true
		format := f.arg(name)
		return func(_ *finder, x *foundFile) bool { p.print(findFormat(p, format, x)); return true }
	case "-ls":
		f.acted = true
		return func(_ *finder, x *foundFile) bool {
			l := &lister{p: p}
			line := sprintf("%9d %6d %s %3d %-8s %-8s %8d %s %s", x.info.Ino, x.info.Blocks()/2, modeString(x.info.Mode), x.info.Nlink, p.userName(x.info.UID), p.groupName(x.info.GID), x.info.Size, l.when(x.info.Mtime), x.path)
			if x.info.IsSymlink() {
				line += " -> " + x.info.Target
			}
			p.print(line + "\n")
			return true
		}
	case "-prune":
		return func(f *finder, _ *foundFile) bool { f.prune = true; return true }
	case "-quit":
		f.acted = true
		return func(f *finder, _ *foundFile) bool { f.quit = true; return true }
	case "-delete":
		f.acted, f.depthFirst = true, true
		return func(f *finder, x *foundFile) bool {
			if x.path == "." {
				return true
			}
			err := p.FS.Remove(p.Cred, p.path(x.path))
			if x.info.IsDir() {
				err = p.FS.Rmdir(p.Cred, p.path(x.path))
			}
			if err != nil {
				p.errorf("cannot delete %s: %s", p.q(x.path), why(err))
				f.status = 1
			}
			return err == nil
		}
	case "-exec", "-execdir", "-ok", "-okdir":
		f.acted = true
		return f.exec(name)
	}
	if strings.HasPrefix(name, "-") {
		p.Watch.Unsupported("find " + name)
		f.bad("unknown predicate `%s'", name)
	}
	f.bad("paths must precede expression: `%s'", name)
	return nil
}

// exec is -exec COMMAND ; and -exec COMMAND {} +.
func (f *finder) exec(name string) pred {
	var argv []string
	for {
		if len(f.args) == 0 {
			f.bad("missing argument to `%s'", name)
		}
		a := f.args[0]
		f.args = f.args[1:]
		if a == ";" {
			break
		}
		if a == "+" && len(argv) > 0 && argv[len(argv)-1] == "{}" {
			b := &batch{argv: argv[:len(argv)-1]}
			f.batches = append(f.batches, b)
			return func(f *finder, x *foundFile) bool {
				f.p.alloc(len(x.path) + 16)
				if b.names = append(b.names, x.path); len(b.names) >= 4096 {
					f.flush(b)
				}
				return true
			}
		}
		argv = append(argv, a)
	}
	if len(argv) == 0 {
		f.bad("invalid argument `;' to `%s'", name)
	}
	return func(f *finder, x *foundFile) bool {
		path, cwd := x.path, f.p.Cwd
		if name == "-execdir" || name == "-okdir" {
			cwd = vfs.Clean(cwd, parent(x.path))
			path = "./" + base(x.path)
		}
		run := make([]string, len(argv))
		for i, a := range argv {
			run[i] = strings.ReplaceAll(a, "{}", path)
		}
		if strings.HasPrefix(name, "-ok") {
			f.p.complain("< " + argv[0] + " ... " + x.path + " > ? ")
			answer := f.p.answer()
			if answer == "" || strings.IndexByte("yY", answer[0]) < 0 {
				return false
			}
		}
		return f.p.spawn(run, func(c *Proc) { c.Cwd = cwd; c.Stdin = strings.NewReader("") }) == 0
	}
}

// answer reads one line of standard input.
func (p *Proc) answer() string {
	var out []byte
	b := make([]byte, 1)
	for len(out) < 4096 {
		p.step(1)
		if n, err := p.Stdin.Read(b); n == 0 && err != nil || b[0] == '\n' {
			break
		}
		out = append(out, b[0])
	}
	return string(out)
}

// fprint writes the names to a file, which is made even when there are none.
func (f *finder) fprint(name string, null bool) pred {
	f.acted = true
	end := "\n"
	if null {
		end = "\x00"
	}
	w, err := f.p.create(name, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC)
	if err != nil {
		f.bad("%s: %s", f.p.q(name), why(err))
	}
	return func(_ *finder, x *foundFile) bool {
		_, err := io.WriteString(w, x.path+end)
		return err == nil
	}
}

func (f *finder) flush(b *batch) {
	if len(b.names) == 0 {
		return
	}
	if f.p.spawn(append(append([]string(nil), b.argv...), b.names...), func(c *Proc) { c.Stdin = strings.NewReader("") }) != 0 {
		f.status = 1
	}
	b.names = nil
}

// findFormat is -printf.
func findFormat(p *Proc, format string, x *foundFile) string {
	format, _ = unescape(format, false)
	var b strings.Builder
	for i := 0; i < len(format); i++ {
		if format[i] != '%' || i+1 == len(format) {
			b.WriteByte(format[i])
			continue
		}
		i++
		switch format[i] {
		case '%':
			b.WriteByte('%')
		case 'p':
			b.WriteString(x.path)
		case 'f':
			b.WriteString(base(x.path))
		case 'h':
			b.WriteString(parent(x.path))
		case 'P':
			b.WriteString(strings.TrimPrefix(strings.TrimPrefix(x.path, x.start), "/"))
		case 's':
			b.WriteString(strconv.FormatInt(x.info.Size, 10))
		case 'm':
			b.WriteString(strconv.FormatUint(uint64(x.info.Perm()), 8))
		case 'M':
			b.WriteString(modeString(x.info.Mode))
		case 'u':
			b.WriteString(p.userName(x.info.UID))
		case 'g':
			b.WriteString(p.groupName(x.info.GID))
		case 'U':
			b.WriteString(strconv.Itoa(int(x.info.UID)))
		case 'G':
			b.WriteString(strconv.Itoa(int(x.info.GID)))
		case 'i':
			b.WriteString(strconv.FormatUint(x.info.Ino, 10))
		case 'n':
			b.WriteString(strconv.Itoa(int(x.info.Nlink)))
		case 'd':
			b.WriteString(strconv.Itoa(x.depth))
		case 'l':
			b.WriteString(x.info.Target)
		case 'Y':
			i, err := p.stat(x.path)
			switch {
			case err != nil && x.info.IsSymlink():
				b.WriteByte('N')
			case err == nil:
				b.WriteString(map[uint32]string{vfs.Dir: "d", vfs.Regular: "f", vfs.Fifo: "p", vfs.Char: "c", vfs.Block: "b", vfs.Socket: "s"}[i.Type()])
			}
		case 'y':
			b.WriteString(map[uint32]string{vfs.Dir: "d", vfs.Symlink: "l", vfs.Regular: "f", vfs.Fifo: "p", vfs.Char: "c", vfs.Block: "b", vfs.Socket: "s"}[x.info.Type()])
		case 't':
			b.WriteString(x.info.Mtime.Format("Mon Jan _2 15:04:05.0000000000 2006"))
		case 'T', 'A', 'C':
			t := map[byte]time.Time{'T': x.info.Mtime, 'A': x.info.Atime, 'C': x.info.Ctime}[format[i]]
			if i+1 < len(format) {
				i++
				if format[i] == '@' {
					b.WriteString(sprintf("%d.%09d0", t.Unix(), t.Nanosecond()))
				} else if format[i] == '+' {
					b.WriteString(t.Format("2006-01-02+15:04:05.0000000000"))
				} else {
					b.WriteString(strftime("%"+format[i:i+1], t))
				}
			}
		default:
			b.WriteByte('%')
			b.WriteByte(format[i])
		}
	}
	return b.String()
}
