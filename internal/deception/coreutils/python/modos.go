package python

import (
	"strings"

	"honeyguide/internal/deception/vfs"
)

func loadOS(m *machine, d map[string]any) {
	d["path"], d["sep"], d["linesep"], d["name"], d["devnull"], d["pathsep"], d["curdir"] = m.importModule("os.path"), "/", "\n", "posix", "/dev/null", ":", "."
	env := &dict{}
	for _, kv := range m.w.w.Environ() {
		k, v, _ := strings.Cut(kv, "=")
		env.setStr(k, v)
	}
	d["environ"] = env
	for n, v := range map[string]int64{"O_RDONLY": 0, "O_WRONLY": 1, "O_RDWR": 2, "O_CREAT": 64, "O_APPEND": 1024, "O_TRUNC": 512, "F_OK": 0, "R_OK": 4, "W_OK": 2, "X_OK": 1, "WNOHANG": 1, "SEEK_SET": 0} {
		d[n] = v
	}
	def(d, "getenv", func(m *machine, args []any, _ kwargs) any {
		if v, ok := env.get("s" + m.text(args, nil, 0, "key", "")); ok {
			return v
		}
		return arg(args, 1)
	})
	def(d, "putenv", func(m *machine, args []any, _ kwargs) any {
		m.w.w.Setenv(m.text(args, nil, 0, "", ""), m.text(args, nil, 1, "", ""))
		return nil
	})
	def(d, "system", func(m *machine, args []any, _ kwargs) any {
		m.exportEnv(env)
		return int64(m.shell(m.text(args, nil, 0, "command", ""), nil)) << 8
	})
	def(d, "popen", func(m *machine, args []any, _ kwargs) any {
		out := &capture{m: m}
		m.shell(m.text(args, nil, 0, "cmd", ""), out)
		return m.streamValue(&stream{g: m.w, ahead: out.b, r: strings.NewReader(""), name: "<pipe>", mode: "r", fd: 3})
	})
	for name, n := range map[string]func() int{"getuid": m.w.w.UID, "geteuid": m.w.w.UID, "getgid": m.w.w.GID, "getegid": m.w.w.GID, "getpid": m.w.w.PID, "getppid": m.w.w.PPID} {
		def(d, name, func(*machine, []any, kwargs) any { return int64(n()) })
	}
	loadProcesses(d)
	loadFiles(m, d)
}

// loadProcesses are the calls that make and end processes.
func loadProcesses(d map[string]any) {
	def(d, "fork", func(m *machine, _ []any, _ kwargs) any {
		m.w.Unsupported("python os.fork")
		return int64(m.w.w.PID() + 1)
	})
	for _, name := range []string{"setsid", "setuid", "setgid", "umask", "nice", "kill", "dup2", "close", "wait", "waitpid"} {
		def(d, name, func(m *machine, args []any, _ kwargs) any {
			switch name {
			case "kill":
				return m.kill(args)
			case "umask":
				return int64(0o022)
			case "nice":
				return int64(0)
			}
			return nil
		})
	}
	for _, name := range []string{"execl", "execlp", "execv", "execvp", "execve", "execle"} {
		def(d, name, func(m *machine, args []any, _ kwargs) any {
			argv := []string{}
			if strings.HasPrefix(name, "execl") {
				for _, a := range args[min(1, len(args)):] {
					argv = append(argv, m.str(a))
				}
			} else {
				argv = strs(m, arg(args, 1))
			}
			if len(argv) == 0 {
				argv = []string{m.str(arg(args, 0))}
			}
			argv[0] = m.str(arg(args, 0))
			m.out.flush()
			panic(exit{m.w.Spawn(argv, nil, nil, nil)})
		})
	}
	def(d, "_exit", func(m *machine, args []any, _ kwargs) any {
		n, _ := arg(args, 0).(int64)
		panic(exit{int(n)})
	})
	def(d, "abort", func(*machine, []any, kwargs) any { panic(exit{134}) })
}

func (m *machine) kill(args []any) any {
	m.out.flush()
	if st := m.w.Spawn([]string{"kill", "-" + m.str(arg(args, 1)), m.str(arg(args, 0))}, nil, nil, &capture{m: m}); st != 0 {
		m.throw("ProcessLookupError", int64(3), "No such process")
	}
	return nil
}

// exportEnv hands what the program changed in os.environ to its children.
func (m *machine) exportEnv(env *dict) {
	env.live(func(k, v any) bool {
		if s, ok := v.(string); ok && m.w.w.Getenv(m.str(k)) != s {
			m.w.w.Setenv(m.str(k), s)
		}
		return true
	})
}

// A capture keeps what a child writes.
type capture struct {
	m *machine
	b []byte
}

func (c *capture) Write(p []byte) (int, error) {
	c.m.w.w.Alloc(len(p))
	c.b = append(c.b, p...)
	return len(p), nil
}

func (m *machine) shell(cmd string, out *capture) int {
	m.out.flush()
	if out == nil {
		return m.w.Spawn([]string{"/bin/sh", "-c", cmd}, nil, nil, nil)
	}
	return m.w.Spawn([]string{"/bin/sh", "-c", cmd}, nil, out, nil)
}

func ptySpawn(m *machine, args []any, _ kwargs) any {
	m.out.flush()
	argv := []string{"/bin/sh"}
	if s, ok := arg(args, 0).(string); ok {
		argv = []string{s}
	} else if arg(args, 0) != nil {
		argv = strs(m, args[0])
	}
	return int64(m.w.Spawn(argv, nil, nil, nil)) << 8
}

// loadFiles are the calls on files and folders.
func loadFiles(m *machine, d map[string]any) {
	def(d, "getcwd", func(m *machine, _ []any, _ kwargs) any { return m.w.w.Getwd() })
	def(d, "chdir", func(m *machine, args []any, _ kwargs) any {
		p := m.text(args, nil, 0, "path", "")
		if err := m.w.w.Chdir(p); err != nil {
			m.osError(err, p)
		}
		return nil
	})
	def(d, "listdir", func(m *machine, args []any, _ kwargs) any {
		p := m.text(args, nil, 0, "path", ".")
		names, err := m.w.ReadDir(p)
		if err != nil {
			m.osError(err, p)
		}
		return textList(names)
	})
	for name, op := range map[string]string{"mkdir": "mkdir", "rmdir": "rmdir", "remove": "remove", "unlink": "remove", "rename": "rename", "replace": "rename", "symlink": "symlink", "chmod": "chmod"} {
		def(d, name, func(m *machine, args []any, _ kwargs) any {
			a, b, mode := m.text(args, nil, 0, "path", ""), "", uint32(0o777)
			switch op {
			case "rename", "symlink":
				b = m.text(args, nil, 1, "dst", "")
			case "chmod", "mkdir":
				if n, ok := arg(args, 1).(int64); ok {
					mode = uint32(n)
				}
			}
			if err := m.w.Change(op, a, b, mode); err != nil {
				m.osError(err, a)
			}
			return nil
		})
	}
	def(d, "makedirs", func(m *machine, args []any, kw kwargs) any {
		p := m.text(args, nil, 0, "name", "")
		for i := 1; i <= len(p); i++ {
			if i < len(p) && p[i] != '/' {
				continue
			}
			err := m.w.Change("mkdir", p[:i], "", 0o777)
			if err != nil && (errnoOf(err) != vfs.EEXIST || i == len(p) && !m.truth(kw["exist_ok"])) {
				m.osError(err, p[:i])
			}
		}
		return nil
	})
	def(d, "stat", func(m *machine, args []any, _ kwargs) any {
		p := m.text(args, nil, 0, "path", "")
		i, err := m.w.Stat(p, true)
		if err != nil {
			m.osError(err, p)
		}
		names := []string{"st_mode", "st_ino", "st_dev", "st_nlink", "st_uid", "st_gid", "st_size", "st_atime", "st_mtime", "st_ctime"}
		return m.record("os.stat_result", names, int64(i.Mode), int64(i.Ino), int64(2049), int64(1), int64(i.UID), int64(i.GID), i.Size, i.Atime.Unix(), i.Mtime.Unix(), i.Mtime.Unix())
	})
	def(d, "access", func(m *machine, args []any, _ kwargs) any {
		_, err := m.w.Stat(m.text(args, nil, 0, "path", ""), true)
		return err == nil
	})
	def(d, "uname", func(m *machine, _ []any, _ kwargs) any {
		u := m.w.w.Uname()
		return m.record("posix.uname_result", []string{"sysname", "nodename", "release", "version", "machine"}, u[0], u[1], u[2], u[3], u[4])
	})
	def(d, "cpu_count", func(m *machine, _ []any, _ kwargs) any {
		out := &capture{m: m}
		m.w.Spawn([]string{"nproc"}, nil, out, nil)
		return toInt(m, []any{string(out.b)}, nil)
	})
	def(d, "getlogin", func(m *machine, _ []any, _ kwargs) any {
		if !m.w.w.IsTTY(0) {
			m.throw("OSError", int64(6), "No such device or address")
		}
		return m.w.w.Getenv("LOGNAME")
	})
	def(d, "urandom", func(m *machine, args []any, _ kwargs) any {
		n := m.asInt(arg(args, 0), "an integer is required")
		m.big(1, max(n, 0))
		b := make([]byte, max(n, 0))
		for i := range b {
			b[i] = byte(m.random())
		}
		return bytesV(b)
	})
	def(d, "walk", func(m *machine, args []any, _ kwargs) any {
		l := &list{}
		m.walk(m.text(args, nil, 0, "top", "."), l, 0)
		next, _ := m.tryIter(l)
		return &iterator{next, "generator"}
	})
}

func (m *machine) walk(dir string, out *list, depth int) {
	names, err := m.w.ReadDir(dir)
	if err != nil || depth > 40 {
		return
	}
	dirs, files := &list{}, &list{}
	out.items = append(out.items, tuple{dir, dirs, files})
	m.grow(8 + len(names))
	for _, n := range names {
		i, err := m.w.Stat(dir+"/"+n, false)
		if err == nil && i.IsDir() {
			dirs.items = append(dirs.items, n)
		} else {
			files.items = append(files.items, n)
		}
	}
	for _, n := range dirs.items {
		m.walk(strings.TrimSuffix(dir, "/")+"/"+n.(string), out, depth+1)
	}
}

func loadPath(_ *machine, d map[string]any) {
	test := func(name string, ok func(i vfs.Info) bool, follow bool) {
		def(d, name, func(m *machine, args []any, _ kwargs) any {
			i, err := m.w.Stat(m.text(args, nil, 0, "path", ""), follow)
			return err == nil && ok(i)
		})
	}
	test("exists", func(vfs.Info) bool { return true }, true)
	test("isfile", func(i vfs.Info) bool { return i.IsRegular() }, true)
	test("isdir", func(i vfs.Info) bool { return i.IsDir() }, true)
	test("islink", func(i vfs.Info) bool { return i.Type() == vfs.Symlink }, false)
	def(d, "getsize", func(m *machine, args []any, _ kwargs) any {
		p := m.text(args, nil, 0, "filename", "")
		i, err := m.w.Stat(p, true)
		if err != nil {
			m.osError(err, p)
		}
		return i.Size
	})
	def(d, "join", func(m *machine, args []any, _ kwargs) any {
		out := ""
		for i := range args {
			s := m.text(args, nil, i, "", "")
			switch {
			case strings.HasPrefix(s, "/") || out == "":
				out = s
			default:
				out = strings.TrimSuffix(out, "/") + "/" + s
			}
		}
		return out
	})
	def(d, "basename", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "p", "")
		return s[strings.LastIndexByte(s, '/')+1:]
	})
	def(d, "dirname", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "p", "")
		i := strings.LastIndexByte(s, '/')
		if i == 0 {
			return "/"
		}
		return s[:max(i, 0)]
	})
	full := func(m *machine, args []any, _ kwargs) any {
		return vfs.Clean(m.w.w.Getwd(), m.text(args, nil, 0, "path", ""))
	}
	def(d, "abspath", full)
	def(d, "realpath", full)
	def(d, "expanduser", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "path", "")
		if s == "~" || strings.HasPrefix(s, "~/") {
			return m.w.w.Getenv("HOME") + s[1:]
		}
		return s
	})
	def(d, "splitext", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "p", "")
		i := strings.LastIndexByte(s, '.')
		if i <= strings.LastIndexByte(s, '/')+1 && i <= 0 || i < strings.LastIndexByte(s, '/') || i < 0 {
			return tuple{s, ""}
		}
		return tuple{s[:i], s[i:]}
	})
	def(d, "isabs", func(m *machine, args []any, _ kwargs) any {
		return strings.HasPrefix(m.text(args, nil, 0, "s", ""), "/")
	})
	def(d, "split", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "p", "")
		i := strings.LastIndexByte(s, '/')
		if i <= 0 {
			return tuple{s[:i+1], s[i+1:]}
		}
		return tuple{s[:i], s[i+1:]}
	})
}

func loadShutil(_ *machine, d map[string]any) {
	run := func(name string, argv ...string) {
		def(d, name, func(m *machine, args []any, _ kwargs) any {
			line := append([]string(nil), argv...)
			for i := range min(len(args), 2) {
				line = append(line, m.text(args, nil, i, "", ""))
			}
			p := m.text(args, nil, 0, "", "")
			if _, err := m.w.Stat(p, false); err != nil {
				m.osError(err, p)
			}
			m.w.Spawn(line, nil, nil, &capture{m: m})
			return arg(args, 1)
		})
	}
	run("copy", "cp")
	run("copyfile", "cp")
	run("copy2", "cp", "-p")
	run("move", "mv")
	run("rmtree", "rm", "-rf")
	run("copytree", "cp", "-r")
	def(d, "which", func(m *machine, args []any, _ kwargs) any {
		out := &capture{m: m}
		m.w.Spawn([]string{"which", m.text(args, nil, 0, "cmd", "")}, nil, out, nil)
		if len(out.b) == 0 {
			return nil
		}
		return strings.TrimSpace(string(out.b))
	})
}

func loadGlob(_ *machine, d map[string]any) {
	def(d, "glob", func(m *machine, args []any, _ kwargs) any {
		out := &capture{m: m}
		m.w.Spawn([]string{"/bin/sh", "-c", "for f in " + strings.Map(safeGlob, m.text(args, nil, 0, "pathname", "")) + "; do [ -e \"$f\" ] && echo \"$f\"; done"}, nil, out, &capture{m: m})
		return textList(strings.Fields(string(out.b)))
	})
}

func safeGlob(r rune) rune {
	if strings.ContainsRune(";|&$`<>()\n\"'\\ ", r) {
		return '?'
	}
	return r
}

func loadTempfile(_ *machine, d map[string]any) {
	def(d, "gettempdir", func(*machine, []any, kwargs) any { return "/tmp" })
	def(d, "mkdtemp", func(m *machine, _ []any, _ kwargs) any {
		p := "/tmp/tmp" + m.letters(8)
		_ = m.w.Change("mkdir", p, "", 0o700)
		return p
	})
	def(d, "mktemp", func(m *machine, _ []any, _ kwargs) any { return "/tmp/tmp" + m.letters(8) })
	def(d, "NamedTemporaryFile", func(m *machine, _ []any, _ kwargs) any { return m.openFile("/tmp/tmp"+m.letters(8), "w+b") })
}

func (m *machine) letters(n int) string {
	const set = "abcdefghijklmnopqrstuvwxyz0123456789_"
	b := make([]byte, n)
	for i := range b {
		b[i] = set[m.random()%uint64(len(set))]
	}
	return string(b)
}
