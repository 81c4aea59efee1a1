package python

import (
	"io"
	"net/url"
	"strings"
)

func (m *machine) subclass(name, module, base string) *class {
	if c, ok := m.errors[module+"."+name]; ok {
		return c
	}
	c := &class{name: name, module: module, bases: []*class{m.errors[base]}, dict: map[string]any{}}
	m.errors[module+"."+name] = c
	return c
}

// dial tries to reach the network and raises what comes of it.
func (m *machine) dial(target, host string) {
	m.out.flush()
	switch m.w.Dial(target) {
	case Unresolved:
		e := &instance{cls: m.subclass("gaierror", "socket", "OSError"), dict: map[string]any{"args": tuple{int64(-3), "Temporary failure in name resolution"}}}
		panic(&raised{exc: e})
	case TimedOut:
		m.throw("TimeoutError", int64(110), "Connection timed out")
	}
	m.throw("ConnectionRefusedError", int64(111), "Connection refused")
}

func loadSocket(m *machine, d map[string]any) {
	for n, v := range map[string]int64{"AF_INET": 2, "AF_INET6": 10, "AF_UNIX": 1, "SOCK_STREAM": 1, "SOCK_DGRAM": 2, "SOCK_RAW": 3, "SOL_SOCKET": 1, "SO_REUSEADDR": 2, "SO_KEEPALIVE": 9, "SO_BROADCAST": 6, "IPPROTO_TCP": 6, "IPPROTO_UDP": 17, "IPPROTO_ICMP": 1, "IPPROTO_IP": 0, "IPPROTO_RAW": 255, "IP_HDRINCL": 3, "TCP_NODELAY": 1, "SHUT_RDWR": 2, "SHUT_WR": 1, "SHUT_RD": 0, "INADDR_ANY": 0, "SOMAXCONN": 4096} {
		d[n] = v
	}
	d["error"], d["timeout"], d["gaierror"], d["herror"] = m.errors["OSError"], m.errors["TimeoutError"], m.subclass("gaierror", "socket", "OSError"), m.subclass("herror", "socket", "OSError")
	d["socket"] = &class{name: "socket", module: "socket", dict: map[string]any{}, builtin: newSocket}
	def(d, "gethostname", func(m *machine, _ []any, _ kwargs) any { return m.w.w.Hostname() })
	def(d, "getfqdn", func(m *machine, _ []any, _ kwargs) any { return m.w.w.Hostname() })
	def(d, "setdefaulttimeout", func(*machine, []any, kwargs) any { return nil })
	def(d, "gethostbyname", func(m *machine, args []any, _ kwargs) any {
		name := m.text(args, nil, 0, "hostname", "")
		if name == "localhost" {
			return "127.0.0.1"
		}
		if name == m.w.w.Hostname() {
			return "127.0.1.1"
		}
		if strings.Trim(name, "0123456789.") == "" {
			return name
		}
		if m.w.Dial("dns://"+name) != Unresolved {
			return name
		}
		m.dial("dns://"+name, name)
		return nil
	})
	def(d, "getaddrinfo", func(m *machine, args []any, _ kwargs) any {
		m.dial("dns://"+m.text(args, nil, 0, "host", ""), "")
		return nil
	})
	def(d, "create_connection", func(m *machine, args []any, _ kwargs) any { m.dial(m.address2(arg(args, 0)), ""); return nil })
	def(d, "inet_aton", func(m *machine, args []any, _ kwargs) any {
		var b []byte
		for _, p := range strings.Split(m.text(args, nil, 0, "", ""), ".") {
			n, _ := toInt(m, []any{p}, nil).(int64)
			b = append(b, byte(n))
		}
		return bytesV(b)
	})
	def(d, "htons", func(m *machine, args []any, _ kwargs) any {
		n := m.asInt(arg(args, 0), "an integer is required")
		return int64(n>>8&0xff | n<<8&0xff00)
	})
}

// address2 is a (host, port) pair as a URL.
func (m *machine) address2(v any) string {
	pair, ok := v.(tuple)
	if !ok || len(pair) < 2 {
		if s, ok := v.(string); ok {
			return "unix://" + s
		}
		m.typeError("connect(): AF_INET address must be tuple, not " + typeName(v))
	}
	if !isInt(pair[1]) {
		m.typeError("'" + typeName(pair[1]) + "' object cannot be interpreted as an integer")
	}
	if n := m.asInt(pair[1], ""); n < 0 || n > 65535 {
		m.throw("OverflowError", "connect(): port must be 0-65535.")
	}
	return "tcp://" + m.str(pair[0]) + ":" + m.str(pair[1])
}

func newSocket(m *machine, args []any, _ kwargs) any {
	kind, _ := arg(args, 1).(int64)
	if kind == 3 && m.w.w.UID() != 0 {
		m.throw("PermissionError", int64(1), "Operation not permitted")
	}
	o := m.object("socket", "socket", nil)
	def(o.dict, "connect", func(m *machine, args []any, _ kwargs) any {
		if kind == 2 {
			m.w.Dial("udp" + strings.TrimPrefix(m.address2(arg(args, 0)), "tcp"))
			return nil
		}
		m.dial(m.address2(arg(args, 0)), "")
		return nil
	})
	def(o.dict, "connect_ex", func(m *machine, args []any, _ kwargs) any {
		switch m.w.Dial(m.address2(arg(args, 0))) {
		case TimedOut:
			return int64(110)
		case Unresolved:
			m.dial(m.address2(arg(args, 0)), "")
		}
		return int64(111)
	})
	def(o.dict, "sendto", func(m *machine, args []any, _ kwargs) any {
		m.w.Dial("udp" + strings.TrimPrefix(m.address2(args[len(args)-1]), "tcp"))
		b, _ := arg(args, 0).(bytesV)
		return int64(len(b))
	})
	for _, n := range []string{"settimeout", "setsockopt", "bind", "listen", "close", "setblocking", "shutdown", "__exit__"} {
		def(o.dict, n, func(*machine, []any, kwargs) any { return nil })
	}
	o.cls.dict["__exit__"], o.cls.dict["__enter__"] = &builtin{name: "__exit__", fn: func(*machine, []any, kwargs) any { return nil }}, &builtin{name: "__enter__", fn: func(*machine, []any, kwargs) any { return o }}
	def(o.dict, "fileno", func(*machine, []any, kwargs) any { return int64(3) })
	def(o.dict, "getsockname", func(*machine, []any, kwargs) any { return tuple{"0.0.0.0", int64(0)} })
	for _, n := range []string{"send", "sendall", "recv"} {
		def(o.dict, n, func(m *machine, _ []any, _ kwargs) any {
			if n == "recv" {
				m.throw("OSError", int64(107), "Transport endpoint is not connected")
			}
			m.throw("BrokenPipeError", int64(32), "Broken pipe")
			return nil
		})
	}
	def(o.dict, "accept", func(m *machine, _ []any, _ kwargs) any {
		m.w.Unsupported("python socket.accept")
		for {
			m.w.Sleep(3600e9)
		}
	})
	return o
}

func loadSSL(_ *machine, d map[string]any) {
	ctx := func(m *machine, _ []any, _ kwargs) any {
		o := m.object("ssl", "SSLContext", nil)
		def(o.dict, "wrap_socket", func(_ *machine, args []any, _ kwargs) any { return arg(args, 0) })
		return o
	}
	for _, n := range []string{"create_default_context", "_create_unverified_context", "SSLContext"} {
		def(d, n, ctx)
	}
	d["OPENSSL_VERSION"], d["CERT_NONE"] = "OpenSSL 3.0.20 7 Apr 2026", int64(0)
}

func loadURLError(m *machine, d map[string]any) {
	d["URLError"] = m.subclass("URLError", "urllib.error", "OSError")
	d["HTTPError"] = m.subclass("HTTPError", "urllib.error", "OSError")
	d["URLError"].(*class).dict["__str__"] = &builtin{name: "__str__", fn: func(m *machine, args []any, _ kwargs) any {
		t, _ := args[0].(*instance).dict["args"].(tuple)
		return "<urlopen error " + m.str(arg(t, 0)) + ">"
	}}
}

func loadRequest(m *machine, d map[string]any) {
	m.importModule("urllib.error")
	m.importModule("urllib.parse")
	open := func(m *machine, args []any, kw kwargs) any {
		target := ""
		switch v := arg(args, 0).(type) {
		case string:
			target = v
		case *instance:
			target = m.str(v.dict["full_url"])
		}
		if !strings.Contains(target, ":") {
			m.valueError("unknown url type: " + quote(target, false))
		}
		if rest, ok := strings.CutPrefix(target, "file://"); ok {
			return m.openFile(rest, "rb")
		}
		reason := "[Errno 111] Connection refused"
		switch m.w.Dial(target) {
		case Unresolved:
			reason = "[Errno -3] Temporary failure in name resolution"
		case TimedOut:
			reason = "[Errno 110] Connection timed out"
		}
		e := &instance{cls: m.importModule("urllib.error").dict["URLError"].(*class), dict: map[string]any{"args": tuple{reason}, "reason": reason}}
		panic(&raised{exc: e})
	}
	def(d, "urlopen", open)
	def(d, "urlretrieve", open)
	def(d, "Request", func(m *machine, args []any, _ kwargs) any {
		o := m.object("urllib.request", "Request", nil)
		o.dict["full_url"] = arg(args, 0)
		def(o.dict, "add_header", func(*machine, []any, kwargs) any { return nil })
		return o
	})
	def(d, "build_opener", func(m *machine, _ []any, _ kwargs) any {
		o := m.object("urllib.request", "OpenerDirector", nil)
		def(o.dict, "open", open)
		return o
	})
	def(d, "install_opener", func(*machine, []any, kwargs) any { return nil })
}

func loadHTTPClient(_ *machine, d map[string]any) {
	for _, name := range []string{"HTTPConnection", "HTTPSConnection"} {
		def(d, name, func(m *machine, args []any, _ kwargs) any {
			host := m.text(args, nil, 0, "host", "")
			o := m.object("http.client", name, nil)
			def(o.dict, "request", func(m *machine, args []any, _ kwargs) any {
				m.dial("http://"+host+m.text(args, nil, 1, "url", "/"), host)
				return nil
			})
			return o
		})
	}
}

func loadParse(_ *machine, d map[string]any) {
	def(d, "quote", func(m *machine, args []any, _ kwargs) any {
		return strings.ReplaceAll(strings.ReplaceAll(url.QueryEscape(m.text(args, nil, 0, "string", "")), "+", "%20"), "%2F", "/")
	})
	def(d, "quote_plus", func(m *machine, args []any, _ kwargs) any { return url.QueryEscape(m.text(args, nil, 0, "string", "")) })
	def(d, "unquote", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "string", "")
		if t, err := url.PathUnescape(s); err == nil {
			return t
		}
		return s
	})
	def(d, "urlencode", func(m *machine, args []any, _ kwargs) any {
		q, _ := arg(args, 0).(*dict)
		var parts []string
		if q != nil {
			q.live(func(k, v any) bool {
				parts = append(parts, url.QueryEscape(m.str(k))+"="+url.QueryEscape(m.str(v)))
				return true
			})
		}
		return strings.Join(parts, "&")
	})
	def(d, "urlparse", func(m *machine, args []any, _ kwargs) any {
		s := m.text(args, nil, 0, "url", "")
		u, err := url.Parse(s)
		if err != nil {
			u = &url.URL{Path: s}
		}
		o := m.record("urllib.ParseResult", []string{"scheme", "netloc", "path", "params", "query", "fragment"}, u.Scheme, u.Host, u.Path, "", u.RawQuery, u.Fragment)
		o.(*instance).dict["hostname"] = u.Hostname()
		return o
	})
}

func loadSubprocess(m *machine, d map[string]any) {
	d["PIPE"], d["STDOUT"], d["DEVNULL"] = int64(-1), int64(-2), int64(-3)
	failed := &class{name: "CalledProcessError", module: "subprocess", bases: []*class{m.errors["Exception"]}, dict: map[string]any{}}
	failed.dict["__str__"] = &builtin{name: "__str__", fn: func(m *machine, args []any, _ kwargs) any {
		o := args[0].(*instance)
		return "Command '" + m.str(o.dict["cmd"]) + "' returned non-zero exit status " + m.str(o.dict["returncode"]) + "."
	}}
	d["CalledProcessError"] = failed
	d["TimeoutExpired"] = &class{name: "TimeoutExpired", module: "subprocess", bases: []*class{m.errors["Exception"]}, dict: map[string]any{}}
	check := func(m *machine, r childResult, cmd any) {
		if r.status != 0 {
			panic(&raised{exc: &instance{cls: failed, dict: map[string]any{"args": tuple{int64(r.status), cmd}, "cmd": cmd, "returncode": int64(r.status), "output": r.out, "stdout": r.out, "stderr": r.errs}}})
		}
	}
	def(d, "call", func(m *machine, args []any, kw kwargs) any { return int64(m.child(args, kw, false).status) })
	def(d, "check_call", func(m *machine, args []any, kw kwargs) any {
		r := m.child(args, kw, false)
		m.throughLib(libCheckCall, func() any { check(m, r, arg(args, 0)); return nil })
		return int64(0)
	})
	def(d, "check_output", func(m *machine, args []any, kw kwargs) any {
		r := m.child(args, kw.with("stdout", int64(-1)), false)
		check(m, r, arg(args, 0))
		return r.out
	})
	def(d, "getoutput", func(m *machine, args []any, _ kwargs) any {
		r := m.child(args, kwargs{"shell": true, "stdout": int64(-1), "stderr": int64(-2), "text": true}, false)
		return strings.TrimSuffix(m.str(r.out), "\n")
	})
	def(d, "getstatusoutput", func(m *machine, args []any, _ kwargs) any {
		r := m.child(args, kwargs{"shell": true, "stdout": int64(-1), "stderr": int64(-2), "text": true}, false)
		return tuple{int64(r.status), strings.TrimSuffix(m.str(r.out), "\n")}
	})
	def(d, "run", func(m *machine, args []any, kw kwargs) any {
		if m.truth(kw["capture_output"]) {
			kw = kw.with("stdout", int64(-1)).with("stderr", int64(-1))
		}
		var r childResult
		m.throughLib(libRun+libPopen, func() any { r = m.child(args, kw, false); return nil })
		if m.truth(kw["check"]) {
			check(m, r, arg(args, 0))
		}
		o := m.object("subprocess", "CompletedProcess", nil)
		o.dict["args"], o.dict["returncode"], o.dict["stdout"], o.dict["stderr"] = arg(args, 0), int64(r.status), r.out, r.errs
		o.cls.dict["__repr__"] = &builtin{name: "__repr__", fn: func(m *machine, _ []any, _ kwargs) any {
			s := "CompletedProcess(args=" + m.repr(arg(args, 0)) + ", returncode=" + itoa(r.status)
			if r.out != nil {
				s += ", stdout=" + m.repr(r.out)
			}
			if r.errs != nil {
				s += ", stderr=" + m.repr(r.errs)
			}
			return s + ")"
		}}
		return o
	})
	d["Popen"] = &class{name: "Popen", module: "subprocess", dict: map[string]any{}, builtin: popen}
}

type childResult struct {
	status    int
	out, errs any
}

// child runs what subprocess was asked to run.
func (m *machine) child(args []any, kw kwargs, _ bool) childResult {
	var argv []string
	cmd, isText := arg(args, 0).(string)
	switch {
	case m.truth(kw["shell"]) && isText:
		argv = []string{"/bin/sh", "-c", cmd}
	case isText:
		argv = []string{cmd}
	default:
		argv = strs(m, arg(args, 0))
		if m.truth(kw["shell"]) {
			argv = append([]string{"/bin/sh", "-c"}, argv...)
		}
	}
	if len(argv) == 0 {
		m.throw("IndexError", "list index out of range")
	}
	m.out.flush()
	out, errs := &capture{m: m}, &capture{m: m}
	var r childResult
	w, e := m.sink(kw["stdout"], out), m.sink(kw["stderr"], errs)
	if kw["stderr"] == int64(-2) {
		e = w
	}
	in := strings.NewReader(m.text(nil, kw, 0, "input", ""))
	if _, ok := kw["input"]; ok {
		r.status = m.w.Spawn(argv, in, w, e)
	} else {
		r.status = m.w.Spawn(argv, nil, w, e)
	}
	if r.status == 127 && argv[0] != "/bin/sh" {
		m.throw("FileNotFoundError", int64(2), "No such file or directory", argv[0])
	}
	asText := m.truth(kw["text"]) || m.truth(kw["universal_newlines"]) || kw["encoding"] != nil
	give := func(b []byte) any {
		if asText {
			return m.decode(bytesV(b), "utf8", "replace")
		}
		return bytesV(b)
	}
	if kw["stdout"] == int64(-1) {
		r.out = give(out.b)
	}
	if kw["stderr"] == int64(-1) {
		r.errs = give(errs.b)
	}
	return r
}

func popen(m *machine, args []any, kw kwargs) any {
	r := m.child(args, kw, true)
	o := m.object("subprocess", "Popen", nil)
	o.dict["returncode"], o.dict["pid"] = int64(r.status), int64(m.w.w.PID()+1)
	pipe := func(v any) any {
		if v == nil {
			return nil
		}
		s := m.text([]any{v}, nil, 0, "", "")
		_, bin := v.(bytesV)
		return m.streamValue(&stream{g: m.w, ahead: []byte(s), r: strings.NewReader(""), name: "<pipe>", mode: "rb", bin: bin, fd: 3})
	}
	o.dict["stdout"], o.dict["stderr"], o.dict["stdin"] = pipe(r.out), pipe(r.errs), nil
	def(o.dict, "communicate", func(*machine, []any, kwargs) any { return tuple{r.out, r.errs} })
	for _, n := range []string{"wait", "poll"} {
		def(o.dict, n, func(*machine, []any, kwargs) any { return int64(r.status) })
	}
	for _, n := range []string{"kill", "terminate", "send_signal"} {
		def(o.dict, n, func(*machine, []any, kwargs) any { return nil })
	}
	return o
}

// sink is where a child's stream goes: the script's own, a capture, nowhere or a file.
func (m *machine) sink(v any, c *capture) io.Writer {
	switch v := v.(type) {
	case nil:
		return nil
	case int64:
		if v == -3 {
			return io.Discard
		}
		return c
	case *instance:
		if s, ok := v.native.(*stream); ok && s.w != nil {
			s.flush()
			return s.w
		}
	}
	return nil
}
