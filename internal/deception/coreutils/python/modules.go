package python

import (
	"slices"
	"strings"
)

// standard are modules of the standard library that can be imported and do next
// to nothing here.
const standard = ` abc argparse array ast asyncio atexit base64 binascii bisect builtins calendar cmath code codecs collections collections.abc concurrent concurrent.futures configparser contextlib copy csv ctypes curses dataclasses datetime decimal difflib dis email enum errno fcntl filecmp fnmatch fractions ftplib functools gc getopt getpass glob grp gzip hashlib heapq hmac html http http.client http.server imaplib importlib inspect io ipaddress itertools json keyword locale logging lzma marshal math mimetypes mmap multiprocessing numbers operator optparse os os.path pathlib pickle pkgutil platform poplib pprint pty pwd queue random re readline resource sched secrets select selectors shelve shlex shutil signal site smtplib socket socketserver sqlite3 ssl stat statistics string struct subprocess symtable sys sysconfig syslog tarfile telnetlib tempfile termios textwrap threading time timeit token tokenize traceback tty types typing unicodedata unittest urllib urllib.error urllib.parse urllib.request uuid venv warnings weakref webbrowser xml xml.etree xml.etree.ElementTree zipfile zlib `

func known(name string) bool { return strings.Contains(standard, " "+name+" ") }

func modulePath(name string) string {
	base := "/usr/lib/python3.11/" + strings.ReplaceAll(name, ".", "/")
	switch name {
	case "asyncio", "collections", "concurrent", "ctypes", "curses", "email", "html", "http", "importlib", "json", "logging", "multiprocessing", "re", "sqlite3", "unittest", "urllib", "venv", "xml":
		return base + "/__init__.py"
	}
	return base + ".py"
}

func (m *machine) importModule(name string) *module {
	if mod, ok := m.modules[name]; ok {
		return mod
	}
	if !known(name) {
		if mod := m.importFile(name); mod != nil {
			return mod
		}
		parent, _, dotted := strings.Cut(name, ".")
		if dotted && known(parent) {
			m.throw("ModuleNotFoundError", "No module named '"+name+"'"+map[bool]string{false: "; '" + parent + "' is not a package"}[strings.HasSuffix(modulePath(parent), "__init__.py")])
		}
		m.throw("ModuleNotFoundError", "No module named '"+parent+"'")
	}
	mod := &module{name: name, dict: map[string]any{"__name__": name, "__doc__": nil, "__file__": modulePath(name)}}
	m.modules[name] = mod
	load := moduleLoader(name)
	if load != nil {
		load(m, mod.dict)
	}
	mod.missing = func(m *machine, attr string) (any, bool) {
		if known(name+"."+attr) && m.modules[name+"."+attr] != nil {
			return m.modules[name+"."+attr], true
		}
		if strings.HasPrefix(attr, "__") {
			return nil, false
		}
		m.w.Unsupported("python " + name + "." + attr)
		return nil, false
	}
	if i := strings.LastIndexByte(name, '.'); i > 0 {
		m.importModule(name[:i]).dict[name[i+1:]] = mod
	}
	return mod
}

// importFile loads NAME.py from the working folder.
func (m *machine) importFile(name string) *module {
	f, err := m.w.Open(name+".py", 0)
	if err != nil || strings.ContainsAny(name, "./") {
		return nil
	}
	s := &stream{g: m.w, r: f, c: f, fd: 3}
	src := s.read(-1)
	s.close()
	mod := &module{name: name, dict: map[string]any{"__name__": name, "__file__": name + ".py"}}
	m.modules[name] = mod
	frame := &frame{vars: mod.dict, name: "<module>"}
	frame.global = frame
	m.parsed(src, func() { m.block(parse(src, m.step), frame) })
	return mod
}

// def names a function in a module.
func def(d map[string]any, name string, fn native) { d[name] = &builtin{name: name, fn: fn} }

// text is an argument by position or name, as text.
func (m *machine) text(args []any, kw kwargs, i int, name, or string) string {
	v := arg(args, i)
	if x, ok := kw[name]; ok {
		v = x
	}
	switch v := v.(type) {
	case string:
		return v
	case bytesV:
		return string(v)
	case nil:
		return or
	}
	return m.str(v)
}

func moduleLoader(name string) func(m *machine, d map[string]any) {
	switch name {
	case "sys":
		return loadSys
	case "os":
		return loadOS
	case "os.path":
		return loadPath
	case "time":
		return loadTime
	case "socket":
		return loadSocket
	case "subprocess":
		return loadSubprocess
	case "pty":
		return func(_ *machine, d map[string]any) { def(d, "spawn", ptySpawn) }
	case "base64", "binascii", "hashlib", "zlib", "struct", "codecs":
		return map[string]func(*machine, map[string]any){"base64": loadBase64, "binascii": loadBinascii, "hashlib": loadHashlib, "zlib": loadZlib, "struct": loadStruct, "codecs": loadCodecs}[name]
	case "urllib.request", "urllib.parse", "urllib.error", "http.client", "ssl":
		return map[string]func(*machine, map[string]any){"urllib.request": loadRequest, "urllib.parse": loadParse, "urllib.error": loadURLError, "http.client": loadHTTPClient, "ssl": loadSSL}[name]
	case "json":
		return loadJSON
	case "re":
		return loadRE
	case "random", "math", "string", "secrets":
		return map[string]func(*machine, map[string]any){"random": loadRandom, "secrets": loadRandom, "math": loadMath, "string": loadString}[name]
	case "platform", "getpass", "pwd", "shutil", "glob", "tempfile":
		return map[string]func(*machine, map[string]any){"platform": loadPlatform, "getpass": loadGetpass, "pwd": loadPwd, "shutil": loadShutil, "glob": loadGlob, "tempfile": loadTempfile}[name]
	case "threading", "signal", "atexit", "datetime", "collections", "itertools", "functools", "traceback", "shlex":
		return map[string]func(*machine, map[string]any){"threading": loadThreading, "signal": loadSignal, "atexit": loadAtexit, "datetime": loadDatetime, "collections": loadCollections, "itertools": loadItertools, "functools": loadFunctools, "traceback": loadTraceback, "shlex": loadShlex}[name]
	}
	return nil
}

func loadSys(m *machine, d map[string]any) {
	l := &list{}
	for _, a := range m.argv {
		l.items = append(l.items, a)
	}
	d["argv"], d["version"] = l, "3.11.2 (main, Oct  7 2026, 12:35:07) [GCC 12.2.0]"
	d["platform"], d["executable"], d["byteorder"], d["prefix"] = "linux", "/usr/bin/python3", "little", "/usr"
	d["maxsize"], d["hexversion"], d["maxunicode"] = int64(1<<63-1), int64(0x030b02f0), int64(0x10ffff)
	d["path"] = &list{[]any{"", "/usr/lib/python311.zip", "/usr/lib/python3.11", "/usr/lib/python3.11/lib-dynload", "/usr/local/lib/python3.11/dist-packages", "/usr/lib/python3/dist-packages"}}
	info := m.record("sys.version_info", []string{"major", "minor", "micro", "releaselevel", "serial"}, int64(3), int64(11), int64(2), "final", int64(0))
	d["version_info"] = info
	d["stdin"], d["stdout"], d["stderr"] = m.streamValue(m.in), m.streamValue(m.out), m.streamValue(m.err)
	mods := &dict{}
	for _, n := range []string{"sys", "builtins", "os"} {
		mods.setStr(n, nil)
	}
	d["modules"], d["flags"], d["implementation"] = mods, nil, nil
	def(d, "exit", func(m *machine, args []any, _ kwargs) any {
		panic(&raised{exc: m.exception("SystemExit", args...)})
	})
	def(d, "getrecursionlimit", func(*machine, []any, kwargs) any { return int64(maxDepth) })
	def(d, "setrecursionlimit", func(*machine, []any, kwargs) any { return nil })
	def(d, "getdefaultencoding", func(*machine, []any, kwargs) any { return "utf-8" })
	def(d, "getfilesystemencoding", func(*machine, []any, kwargs) any { return "utf-8" })
	def(d, "getsizeof", func(m *machine, args []any, _ kwargs) any { return int64(28 + len(m.repr(arg(args, 0)))) })
	def(d, "exc_info", func(m *machine, _ []any, _ kwargs) any { return tuple{nil, nil, nil} })
}

// record is a tuple with names, as os.uname() returns.
func (m *machine) record(kind string, names []string, values ...any) any {
	mod, name, _ := strings.Cut(kind, ".")
	c := &class{name: name, module: mod, dict: map[string]any{}}
	o := &instance{cls: c, dict: map[string]any{}}
	t := tuple(values)
	for i, n := range names {
		if n != "" && i < len(values) {
			o.dict[n] = values[i]
		}
	}
	c.dict["__iter__"] = &builtin{name: "__iter__", fn: func(*machine, []any, kwargs) any { return t }}
	c.dict["__len__"] = &builtin{name: "__len__", fn: func(*machine, []any, kwargs) any { return int64(len(t)) }}
	c.dict["__getitem__"] = &builtin{name: "__getitem__", fn: func(m *machine, args []any, _ kwargs) any { return m.index(t, arg(args, 1)) }}
	c.dict["__lt__"] = &builtin{name: "__lt__", fn: func(m *machine, args []any, _ kwargs) any { return m.compareOp("<", t, plainTuple(m, arg(args, 1))) }}
	for op, n := range map[string]string{">=": "__ge__", ">": "__gt__", "<=": "__le__", "==": "__eq__"} {
		c.dict[n] = &builtin{name: n, fn: func(m *machine, args []any, _ kwargs) any { return m.compareOp(op, t, plainTuple(m, arg(args, 1))) }}
	}
	c.dict["__repr__"] = &builtin{name: "__repr__", fn: func(m *machine, _ []any, _ kwargs) any {
		var parts []string
		for i, n := range names {
			if n != "" && i < len(values) {
				parts = append(parts, n+"="+m.repr(values[i]))
			}
		}
		return kind + "(" + strings.Join(parts, ", ") + ")"
	}}
	return o
}

func plainTuple(m *machine, v any) any {
	if o, ok := v.(*instance); ok {
		return tuple(m.drain(o))
	}
	return v
}

// object is an instance made by a module, with functions as its methods.
func (m *machine) object(module, name string, methods map[string]native) *instance {
	o := &instance{cls: &class{name: name, module: module, dict: map[string]any{}}, dict: map[string]any{}}
	for n, fn := range methods {
		o.dict[n] = &builtin{name: n, fn: fn}
	}
	return o
}

func strs(m *machine, v any) []string {
	var out []string
	if s, ok := v.(string); ok {
		return strings.Fields(s)
	}
	for _, x := range m.drain(v) {
		out = append(out, m.text([]any{x}, nil, 0, "", ""))
	}
	return out
}

func loadString(_ *machine, d map[string]any) {
	const low = "abcdefghijklmnopqrstuvwxyz"
	d["ascii_lowercase"], d["ascii_uppercase"], d["ascii_letters"], d["digits"] = low, strings.ToUpper(low), low+strings.ToUpper(low), "0123456789"
	d["hexdigits"], d["octdigits"], d["punctuation"] = "0123456789abcdefABCDEF", "01234567", "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~"
	d["whitespace"] = " \t\n\r\v\f"
	d["printable"] = "0123456789" + low + strings.ToUpper(low) + "!\"#$%&'()*+,-./:;<=>?@[\\]^_`{|}~ \t\n\r\v\f"
}

func loadThreading(m *machine, d map[string]any) {
	d["Thread"] = &class{name: "Thread", module: "threading", dict: map[string]any{}, builtin: func(m *machine, args []any, kw kwargs) any {
		target, targs := kw["target"], kw["args"]
		o := m.object("threading", "Thread", nil)
		def(o.dict, "start", func(m *machine, _ []any, _ kwargs) any {
			if target == nil {
				return nil
			}
			var list []any
			if targs != nil {
				list = m.drain(targs)
			}
			m.inThread(func() { m.call(target, list, nil) })
			return nil
		})
		def(o.dict, "join", func(*machine, []any, kwargs) any { return nil })
		def(o.dict, "is_alive", func(*machine, []any, kwargs) any { return false })
		o.dict["daemon"] = kw["daemon"]
		return o
	}}
	def(d, "Lock", func(m *machine, _ []any, _ kwargs) any {
		o := m.object("_thread", "lock", nil)
		for _, n := range []string{"acquire", "release", "__enter__", "__exit__"} {
			def(o.dict, n, func(*machine, []any, kwargs) any { return true })
		}
		return o
	})
	def(d, "active_count", func(*machine, []any, kwargs) any { return int64(1) })
}

// inThread runs fn at once; what it raises ends only the thread.
func (m *machine) inThread(fn func()) {
	defer func() {
		if r := recover(); r != nil {
			x, ok := r.(*raised)
			if !ok {
				panic(r)
			}
			m.err.write("Exception in thread Thread-1:\n" + m.traceback(x))
		}
	}()
	fn()
}

func loadSignal(_ *machine, d map[string]any) {
	for n, v := range map[string]int64{"SIGINT": 2, "SIGTERM": 15, "SIGKILL": 9, "SIGHUP": 1, "SIGALRM": 14, "SIGPIPE": 13, "SIGCHLD": 17, "SIG_IGN": 1, "SIG_DFL": 0} {
		d[n] = v
	}
	def(d, "signal", func(*machine, []any, kwargs) any { return nil })
	def(d, "alarm", func(*machine, []any, kwargs) any { return int64(0) })
}

func loadAtexit(_ *machine, d map[string]any) {
	def(d, "register", func(m *machine, args []any, _ kwargs) any {
		if len(m.atexit) < 100 {
			m.atexit = append(m.atexit, arg(args, 0))
		}
		return arg(args, 0)
	})
}

func loadTraceback(_ *machine, d map[string]any) {
	def(d, "print_exc", func(m *machine, _ []any, _ kwargs) any { m.w.Unsupported("python traceback.print_exc"); return nil })
	def(d, "format_exc", func(m *machine, _ []any, _ kwargs) any { m.w.Unsupported("python traceback.format_exc"); return "" })
}

func loadShlex(_ *machine, d map[string]any) {
	def(d, "quote", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "s", "")
		if s != "" && !strings.ContainsFunc(s, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@%+=:,./-_", r)
		}) {
			return s
		}
		return "'" + strings.ReplaceAll(s, "'", `'"'"'`) + "'"
	})
	def(d, "split", func(m *machine, args []any, _ kwargs) any {
		return textList(strings.Fields(m.text(args, nil, 0, "s", "")))
	})
}

func loadCollections(m *machine, d map[string]any) {
	d["OrderedDict"] = m.types["dict"]
	def(d, "defaultdict", func(m *machine, args []any, _ kwargs) any {
		factory := arg(args, 0)
		store := &dict{}
		o := m.object("collections", "defaultdict", nil)
		get := func(k any) any {
			if v, ok := store.get(m.key(k)); ok {
				return v
			}
			v := m.call(factory, nil, nil)
			store.put(m.key(k), k, v)
			return v
		}
		o.cls.dict["__getitem__"] = &builtin{name: "__getitem__", fn: func(_ *machine, args []any, _ kwargs) any { return get(arg(args, 1)) }}
		o.cls.dict["__setitem__"] = &builtin{name: "__setitem__", fn: func(m *machine, args []any, _ kwargs) any { m.setIndex(store, arg(args, 1), arg(args, 2)); return nil }}
		o.cls.dict["__len__"] = &builtin{name: "__len__", fn: func(*machine, []any, kwargs) any { return int64(store.len()) }}
		o.cls.dict["__iter__"] = &builtin{name: "__iter__", fn: func(*machine, []any, kwargs) any { return &list{store.keyList()} }}
		o.cls.dict["__contains__"] = &builtin{name: "__contains__", fn: func(m *machine, args []any, _ kwargs) any { return m.contains(store, arg(args, 1)) }}
		o.cls.dict["__getattr__"] = &builtin{name: "__getattr__", fn: func(m *machine, args []any, _ kwargs) any { return m.attr(store, m.str(arg(args, 1))) }}
		return o
	})
	d["Counter"] = &builtin{name: "Counter", fn: func(m *machine, args []any, _ kwargs) any {
		c := &dict{name: "Counter"}
		if len(args) > 0 {
			for _, v := range m.drain(args[0]) {
				n, _ := c.get(m.key(v))
				k, _ := n.(int64)
				c.put(m.key(v), v, k+1)
			}
		}
		return c
	}}
	d["deque"] = m.types["list"]
	def(d, "namedtuple", func(m *machine, args []any, _ kwargs) any {
		name, fields := m.str(arg(args, 0)), strs(m, arg(args, 1))
		return &builtin{name: name, fn: func(m *machine, args []any, kw kwargs) any {
			vals := slices.Clone(args)
			for _, f := range fields[min(len(vals), len(fields)):] {
				vals = append(vals, kw[f])
			}
			return m.record("__main__."+name, fields, vals...)
		}}
	})
}

func loadItertools(_ *machine, d map[string]any) {
	def(d, "count", func(m *machine, args []any, _ kwargs) any {
		n, _ := arg(args, 0).(int64)
		return &iterator{kind: "count", next: func() (any, bool) { n++; return n - 1, true }}
	})
	def(d, "chain", func(m *machine, args []any, _ kwargs) any {
		l := &list{}
		for _, a := range args {
			l.items = append(l.items, m.drain(a)...)
		}
		next, _ := m.tryIter(l)
		return &iterator{next, "chain"}
	})
	def(d, "cycle", func(m *machine, args []any, _ kwargs) any {
		l := m.drain(arg(args, 0))
		i := 0
		return &iterator{kind: "cycle", next: func() (any, bool) {
			if len(l) == 0 {
				return nil, false
			}
			i++
			return l[(i-1)%len(l)], true
		}}
	})
	def(d, "product", func(m *machine, args []any, kw kwargs) any {
		var sets [][]any
		for range max(1, m.asInt(orZero(kw["repeat"], 1), "")) {
			for _, a := range args {
				sets = append(sets, m.drain(a))
			}
		}
		at := make([]int, len(sets))
		done := slices.ContainsFunc(sets, func(s []any) bool { return len(s) == 0 })
		return &iterator{kind: "product", next: func() (any, bool) {
			if done {
				return nil, false
			}
			t := make(tuple, len(sets))
			for i, s := range sets {
				t[i] = s[at[i]]
			}
			k := len(at) - 1
			for ; k >= 0; k-- {
				if at[k]++; at[k] < len(sets[k]) {
					break
				}
				at[k] = 0
			}
			done = k < 0
			return t, true
		}}
	})
}

func orZero(v any, or int64) any {
	if v == nil {
		return or
	}
	return v
}

func loadFunctools(_ *machine, d map[string]any) {
	def(d, "reduce", func(m *machine, args []any, _ kwargs) any {
		items := m.drain(arg(args, 1))
		if len(args) > 2 {
			items = append([]any{args[2]}, items...)
		}
		if len(items) == 0 {
			m.typeError("reduce() of empty iterable with no initial value")
		}
		v := items[0]
		for _, x := range items[1:] {
			v = m.call(args[0], []any{v, x}, nil)
		}
		return v
	})
	same := func(_ *machine, args []any, _ kwargs) any {
		if len(args) == 1 {
			return args[0]
		}
		return &builtin{name: "decorator", fn: func(_ *machine, args []any, _ kwargs) any { return arg(args, 0) }}
	}
	def(d, "lru_cache", same)
	def(d, "cache", same)
	def(d, "wraps", func(*machine, []any, kwargs) any {
		return &builtin{name: "decorator", fn: func(_ *machine, args []any, _ kwargs) any { return arg(args, 0) }}
	})
	def(d, "partial", func(_ *machine, first []any, _ kwargs) any {
		return &builtin{name: "partial", fn: func(m *machine, args []any, kw kwargs) any {
			return m.call(first[0], append(slices.Clone(first[1:]), args...), kw)
		}}
	})
}
