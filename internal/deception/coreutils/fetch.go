package coreutils

import (
	"net/netip"
	"strconv"
	"strings"
	"time"
)

func fetchCommands(name string) Command {
	switch name {
	case "wget":
		return wget
	case "curl":
		return curl
	case "tftp", "ftpget", "ftpput":
		return tftp
	case "scp", "sftp", "ssh", "ssh-copy-id":
		return ssh
	case "nc", "netcat", "nc.openbsd", "telnet":
		return nc
	case "ftp", "rsync":
		return rsync
	}
	return nil
}

// target is where a program wants to connect.
type target struct {
	scheme, host, path string
	port               int
	addr               netip.Addr
	known, ok          bool
}

func (p *Proc) parseURL(u, scheme string) target {
	t := target{scheme: scheme}
	rest := u
	if i := strings.Index(u, "://"); i > 0 {
		t.scheme, rest = strings.ToLower(u[:i]), u[i+3:]
	}
	host, path, slash := strings.Cut(rest, "/")
	if i := strings.LastIndexByte(host, '@'); i >= 0 {
		host = host[i+1:]
	}
	host, _, _ = strings.Cut(host, "?")
	t.path = "/"
	if slash {
		t.path = "/" + path
	}
	t.port = map[string]int{"http": 80, "https": 443, "ftp": 21, "tftp": 69}[t.scheme]
	if strings.HasPrefix(host, "[") {
		if i := strings.IndexByte(host, ']'); i > 0 {
			t.host, host = host[1:i], host[i+1:]
		}
	} else if i := strings.LastIndexByte(host, ':'); i >= 0 {
		t.host, host = host[:i], host[i:]
	} else {
		t.host, host = host, ""
	}
	if n, err := strconv.Atoi(strings.TrimPrefix(host, ":")); err == nil {
		t.port = n
	}
	t.addr, t.known = p.knownAddr(t.host)
	t.ok = t.host != "" && t.port > 0 && t.port < 65536
	return t
}

// dnsWait and connectWait are how long a resolver and a connection attempt keep
// a program waiting before they give up.
const (
	dnsWait     = 3 * time.Second
	connectWait = 6 * time.Second
)

// resetWait is the way to the provider's filter and back.
const resetWait = 90 * time.Millisecond

// refused reports whether the address answers with a reset. The machine's own
// closed ports do at once; outside, the provider's filter does, so that a
// loader fails as fast as it would there and goes on to its next idea.
func (p *Proc) refused(t target) bool {
	if t.known && !p.near(t.addr) {
		p.sleep(resetWait)
	}
	return t.known
}

func wget(p *Proc) int {
	opts, args, ok := p.getopt("VhbdqvnF:i:Ba:o:e:t:O:cNST:w:Q:P:rl:kKmpHLnD:A:R:I:X:U:E4:6x", "output-document=,O", "quiet,q", "verbose,v", "no-verbose", "tries=,t", "timeout=,T", "continue,c", "directory-prefix=,P", "no-check-certificate", "user-agent=,U", "header=", "post-data=", "post-file=", "recursive,r", "mirror,m", "no-parent", "input-file=,i", "spider", "background,b", "user=", "password=", "method=", "body-data=", "no-cache", "no-proxy", "limit-rate=", "show-progress", "progress=", "server-response,S", "timestamping,N", "connect-timeout=", "dns-timeout=", "read-timeout=", "wait=,w", "referer=", "save-cookies=", "load-cookies=", "max-redirect=", "retry-connrefused", "output-file=,o", "append-output=,a", "no-dns-cache", "inet4-only", "inet6-only", "prefer-family=", "content-disposition", "no-clobber", "page-requisites,p", "convert-links,k", "level=,l", "random-wait", "trust-server-names", "debug,d", "no-hsts", "secure-protocol=", "certificate=", "private-key=", "ca-certificate=")
	if !ok {
		return 2
	}
	quiet, out, tries := false, "", 20
	for _, o := range opts {
		switch o.name {
		case "q":
			quiet = true
		case "O":
			out = o.val
		case "t":
			if n, err := strconv.Atoi(o.val); err == nil {
				tries = n
			}
		case "V":
			p.version()
		}
	}
	if len(args) == 0 {
		p.complain("wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n")
		return 1
	}
	status := 0
	say := func(format string, a ...any) {
		if !quiet {
			p.complain(sprintf(format, a...))
		}
	}
	for _, u := range args {
		t := p.parseURL(u, "http")
		dest := out
		if dest == "" {
			dest = cmpOr(base(strings.SplitN(t.path, "?", 2)[0]), "index.html")
			if dest == "/" {
				dest = "index.html"
			}
		}
		p.Watch.Download(u, "wget", dest)
		if out != "" && out != "-" { // wget makes the file before it connects
			if f, err := p.create(out, 0x1|0x40|0x200); err != nil {
				p.complain(out + ": " + why(err) + "\n")
				return 1
			} else {
				_ = f.Close()
			}
		}
		if !t.ok {
			p.complain(u + ": Invalid host name.\n")
			status = 1
			continue
		}
		if !strings.Contains(" http https ftp ftps ", " "+t.scheme+" ") {
			p.complain(u + ": Unsupported scheme '" + t.scheme + "'.\n")
			status = 1
			continue
		}
		full := u
		if !strings.Contains(u, "://") {
			full = "http://" + u
			if !strings.Contains(u, "/") {
				full += "/"
			}
		}
		stamp := p.Now().UTC().Format("2006-01-02 15:04:05")
		say("--%s--  %s\n", stamp, full)
		ip := t.host
		if _, err := netip.ParseAddr(t.host); err != nil {
			say("Resolving %s (%s)... ", t.host, t.host)
			if !t.known {
				p.sleep(dnsWait)
				say("failed: Temporary failure in name resolution.\n")
				say("wget: unable to resolve host address %s\n", p.q(t.host))
				status = 4
				continue
			}
			say("%s\n", t.addr)
			ip = sprintf("%s (%s)|%s|", t.host, t.host, t.addr)
		}
		status = 4
		for try := 1; ; try++ {
			if p.refused(t) {
				say("Connecting to %s:%d... failed: Connection refused.\n", ip, t.port)
				break
			}
			say("Connecting to %s:%d... ", ip, t.port)
			p.sleep(connectWait)
			say("failed: Connection timed out.\n")
			if try >= min(tries, 3) && tries > 0 || try >= 3 {
				say("Giving up.\n\n")
				break
			}
			say("Retrying.\n\n--%s--  (try:%2d)  %s\n", p.Now().UTC().Format("2006-01-02 15:04:05"), try+1, full)
		}
	}
	return status
}

func curl(p *Proc) int {
	opts, args, ok := p.getopt("0123456aA:b:Bc:C:d:D:e:E:fF:gGhH:iIjJkK:lLm:MnNo:OpP:qQ:rRsSt:T:u:U:vVw:xX:Y:y:zZ#:", "silent,s", "output=,o", "remote-name,O", "location,L", "insecure,k", "fail,f", "request=,X", "data=,d", "data-raw=,d", "data-binary=,d", "data-urlencode=,d", "header=,H", "user-agent=,A", "show-error,S", "max-time=,m", "connect-timeout=", "head,I", "include,i", "verbose,v", "user=,u", "form=,F", "cookie=,b", "cookie-jar=,c", "referer=,e", "proxy=,x", "upload-file=,T", "compressed", "retry=", "url=", "write-out=,w", "socks5=", "resolve=", "cacert=", "http1.1", "http2", "tlsv1.2", "get,G", "progress-bar,#", "remote-header-name,J", "create-dirs", "noproxy=", "interface=", "range=,r", "continue-at=,C", "limit-rate=", "ipv4,4", "ipv6,6", "json=")
	if !ok {
		return 2
	}
	silent, showError, dest := false, false, ""
	version := false
	for _, o := range opts {
		switch o.name {
		case "s":
			silent = true
		case "S":
			showError = true
		case "o":
			dest = o.val
		case "url":
			args = append(args, o.val)
		case "V":
			version = true
		}
	}
	if version {
		p.version()
		return 0
	}
	if len(args) == 0 {
		p.complain("curl: try 'curl --help' or 'curl --manual' for more information\n")
		return 2
	}
	status := 0
	for _, u := range args {
		p.Watch.Download(u, "curl", dest)
		t := p.parseURL(u, "http")
		fail := func(code int, format string, a ...any) {
			status = code
			if !silent && code != 3 && code != 1 {
				p.complain("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\n")
			}
			if !silent || showError {
				p.complain(sprintf("curl: (%d) ", code) + sprintf(format, a...) + "\n")
			}
		}
		switch {
		case t.scheme == "file":
			r, err := p.openFile(t.path)
			if err != nil {
				fail(37, "Couldn't open file %s", t.path)
				continue
			}
			_ = p.each(r, func(b []byte) bool { p.write(b); return true })
			_ = r.Close()
		case !strings.Contains(" http https ftp ftps tftp ", " "+t.scheme+" "):
			fail(1, "Protocol \"%s\" not supported or disabled in libcurl", t.scheme)
		case !t.ok:
			fail(3, "URL using bad/illegal format or missing URL")
		case !t.known:
			p.sleep(dnsWait)
			fail(6, "Could not resolve host: %s", t.host)
		case p.refused(t):
			took := 0
			if !p.near(t.addr) {
				took = int(resetWait.Milliseconds()) + 1
			}
			fail(7, "Failed to connect to %s port %d after %d ms: Couldn't connect to server", t.host, t.port, took)
		default:
			p.sleep(2 * connectWait)
			fail(28, "Failed to connect to %s port %d after %d ms: Couldn't connect to server", t.host, t.port, 129000+p.PID%4000)
		}
	}
	return status
}

// tftp is busybox's tftp and ftpget; the host has neither by itself.
func tftp(p *Proc) int {
	var rest []string
	local, remote := "", ""
	put := p.name == "ftpput"
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case (a == "-r" || a == "-l" || a == "-b" || a == "-u" || a == "-p" && p.name != "tftp" || a == "-P") && i+1 < len(p.Args):
			i++
			if a == "-r" {
				remote = p.Args[i]
			}
			if a == "-l" {
				local = p.Args[i]
			}
		case a == "-c" && i+2 < len(p.Args) && p.Args[i+1] == "get":
			remote = p.Args[i+2]
			i += 2
		case strings.HasPrefix(a, "-"):
		default:
			rest = append(rest, a)
		}
	}
	if len(rest) == 0 {
		p.complain(busyboxBanner + "\nUsage: " + map[string]string{"tftp": "tftp [OPTIONS] HOST [PORT]", "ftpget": "ftpget [OPTIONS] HOST [LOCAL_FILE] REMOTE_FILE", "ftpput": "ftpput [OPTIONS] HOST [REMOTE_FILE] LOCAL_FILE"}[p.name] + "\n")
		return 1
	}
	host := rest[0]
	if p.name != "tftp" && len(rest) > 1 {
		remote = rest[len(rest)-1]
		local = rest[1]
	}
	_ = put
	p.Watch.Download(map[string]string{"tftp": "tftp"}[p.name]+map[bool]string{true: "ftp"}[p.name != "tftp"]+"://"+host+"/"+remote, p.name, cmpOr(local, remote))
	t := p.parseURL(host, map[bool]string{true: "tftp", false: "ftp"}[p.name == "tftp"])
	if !t.known {
		p.sleep(dnsWait)
		p.complain(p.name + ": bad address '" + host + "'\n")
		return 1
	}
	p.sleep(connectWait)
	if p.name == "tftp" {
		p.complain("tftp: timeout\n")
	} else {
		p.complain(p.name + ": can't connect to remote host (" + t.addr.String() + "): Connection timed out\n")
	}
	return 1
}

func ssh(p *Proc) int {
	var rest []string
	port := "22"
	for i := 1; i < len(p.Args); i++ {
		a := p.Args[i]
		switch {
		case a == "-V":
			p.complain("OpenSSH_9.2p1 Debian-2+deb12u10, OpenSSL 3.0.20 \n")
			return 0
		case (a == "-p" || a == "-P") && i+1 < len(p.Args):
			i++
			port = p.Args[i]
		case len(a) == 2 && a[0] == '-' && strings.Contains("bcDEeFIiJLlmOoQRSWwp", a[1:]):
			i++
		case strings.HasPrefix(a, "-") && len(a) > 1:
		default:
			rest = append(rest, a)
		}
	}
	if p.name == "scp" && contains(p.Args, "-t") { // the receiving side of an old scp
		p.Watch.Unsupported("scp -t")
		p.write([]byte{0})
		return 0
	}
	if len(rest) == 0 || p.name == "scp" && len(rest) < 2 {
		switch p.name {
		case "scp":
			p.complain("usage: scp [-346ABCOpqRrsTv] [-c cipher] [-D sftp_server_path] [-F ssh_config]\n           [-i identity_file] [-J destination] [-l limit]\n           [-o ssh_option] [-P port] [-S program] source ... target\n")
			return 1
		default:
			p.complain("usage: ssh [-46AaCfGgKkMNnqsTtVvXxYy] [-B bind_interface]\n           [-b bind_address] [-c cipher_spec] [-D [bind_address:]port]\n           [-E log_file] [-e escape_char] [-F configfile] [-I pkcs11]\n           [-i identity_file] [-J [user@]host[:port]] [-L address]\n           [-l login_name] [-m mac_spec] [-O ctl_cmd] [-o option] [-p port]\n           [-Q query_option] [-R address] [-S ctl_path] [-W host:port]\n           [-w local_tun[:remote_tun]] destination [command [argument ...]]\n")
			return 255
		}
	}
	host := rest[0]
	for _, r := range rest {
		if p.name == "scp" && strings.Contains(r, ":") {
			host, _, _ = strings.Cut(r, ":")
		}
	}
	host = host[strings.LastIndexByte(host, '@')+1:]
	p.Watch.Download(p.name+"://"+strings.Join(rest, " "), p.name, "")
	t := p.parseURL(host+":"+port, "ssh")
	switch {
	case !t.known:
		p.sleep(dnsWait)
		p.complain("ssh: Could not resolve hostname " + host + ": Temporary failure in name resolution\n")
	case p.refused(t) && port != "22":
		p.complain("ssh: connect to host " + host + " port " + port + ": Connection refused\n")
	default:
		p.sleep(2 * connectWait)
		p.complain("ssh: connect to host " + host + " port " + port + ": Connection timed out\n")
	}
	if p.name == "scp" {
		p.complain("scp: Connection closed\n")
		return 1
	}
	return 255
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

func nc(p *Proc) int {
	opts, args, ok := p.getopt("46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zze:c")
	if !ok {
		p.complain("usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n")
		return 1
	}
	f := letters(opts)
	if f["e"] || f["c"] {
		p.errorf("invalid option -- 'e'")
		p.complain("usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n")
		p.Watch.Unsupported("nc -e")
		return 1
	}
	if f["l"] {
		p.Watch.Unsupported("nc -l")
		return p.forever()
	}
	if len(args) < 2 {
		p.complain("usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n")
		return 1
	}
	host, port := args[0], args[1]
	p.Watch.Download("tcp://"+host+":"+port, "nc", "")
	t := p.parseURL(host+":"+port, "tcp")
	n, err := strconv.Atoi(port)
	if err != nil && !strings.Contains(port, "-") {
		p.errorf("port number invalid: %s", port)
		return 1
	}
	switch {
	case !t.known:
		p.sleep(dnsWait)
		p.complain(sprintf("nc: getaddrinfo for host \"%s\" port %s: Temporary failure in name resolution\n", host, port))
	case p.refused(t):
		if p.listening(uint16(n)) {
			if f["v"] {
				p.complain(sprintf("Connection to %s %s port [tcp/*] succeeded!\n", host, port))
			}
			return 0
		}
		if f["v"] {
			p.complain(sprintf("nc: connect to %s port %s (tcp) failed: Connection refused\n", host, port))
		}
	default:
		p.sleep(2 * connectWait)
		if f["v"] || f["w"] {
			p.complain(sprintf("nc: connect to %s port %s (tcp) failed: Connection timed out\n", host, port))
		}
	}
	return 1
}

func (p *Proc) listening(port uint16) bool {
	for _, s := range p.table().Sockets() {
		if s.State == "LISTEN" && s.Local.Port() == port {
			return true
		}
	}
	return false
}

func rsync(p *Proc) int {
	p.Watch.Download(strings.Join(p.Args[1:], " "), p.name, "")
	if len(p.Args) < 3 {
		p.complain("rsync error: syntax or usage error (code 1) at main.c(1782) [client=3.2.7]\n")
		return 1
	}
	p.sleep(2 * connectWait)
	p.complain("ssh: connect to host port 22: Connection timed out\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\nrsync error: unexplained error (code 255) at io.c(231) [sender=3.2.7]\n")
	return 255
}
