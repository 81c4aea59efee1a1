package coreutils

import (
	"cmp"
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
	case "scp":
		return scpCmd
	case "sftp", "ssh", "ssh-copy-id":
		return ssh
	case "ssh-add":
		return sshAdd
	case "ssh-keyscan":
		return sshKeyscan
	case "ssh-agent":
		return sshAgent
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
	set := letters(opts)
	brief := set["no-verbose"] || set["n"] && set["v"]
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
		case "i":
			list, good := p.wgetList(o.val)
			if !good {
				return 0
			}
			args = append(args, list...)
		}
	}
	if len(args) == 0 {
		p.complain("wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n")
		return 1
	}
	status := 0
	if set["spider"] && !quiet {
		p.complain("Spider mode enabled. Check if remote file exists.\n")
	}
	say := func(format string, a ...any) {
		if !quiet && !brief {
			p.complain(sprintf(format, a...))
		}
	}
	for _, u := range args {
		t := p.parseURL(u, "http")
		dest := out
		if dest == "" {
			dest = cmp.Or(base(strings.SplitN(t.path, "?", 2)[0]), "index.html")
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
		if !strings.Contains(" http https ftp ftps ", " "+t.scheme+" ") {
			p.complain(u + ": Unsupported scheme " + p.q(t.scheme) + ".\n")
			status = 1
			continue
		}
		if !t.ok {
			p.complain(u + ": Invalid host name.\n")
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
		if t.scheme == "ftp" || t.scheme == "ftps" {
			say("           => %s\n", p.q(dest))
		}
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
				say("Connecting to %s:%d... ", ip, t.port)
				if !quiet {
					p.complain("failed: Connection refused.\n")
				}
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

// wgetList reads the addresses of wget -i.
func (p *Proc) wgetList(name string) (urls []string, ok bool) {
	r, err := p.openFile(name)
	if err != nil {
		p.complain(name + ": " + why(err) + "\nNo URLs found in " + name + ".\n")
		return nil, false
	}
	defer r.Close()
	_ = p.lines(r, func(l []byte, _ bool) bool {
		if s := strings.TrimSpace(string(l)); s != "" {
			urls = append(urls, s)
		}
		return len(urls) < 1000
	})
	if len(urls) == 0 {
		p.complain("No URLs found in " + name + ".\n")
	}
	return urls, len(urls) > 0
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
		case "T":
			if _, err := p.stat(o.val); err != nil && o.val != "-" && o.val != "." {
				p.complain("curl: Can't open '" + o.val + "'!\ncurl: try 'curl --help' or 'curl --manual' for more information\ncurl: (26) Failed to open/read local data from file/application\n")
				return 26
			}
		}
	}
	if version {
		p.version()
		return 0
	}
	if len(args) == 0 && letters(opts)["O"] {
		p.complain("curl: no URL specified!\n")
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
			said, closing := "", ""
			if letters(opts)["v"] {
				said, closing = curlTalk(t, code, sprintf(format, a...))
			}
			if !silent && code != 3 && code != 1 {
				p.complain("  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0" + said + "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0\n" + closing)
			} else {
				p.complain(said + closing)
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
			p.pass(r)
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

// curlTalk is what -v tells of a connection that did not come about: before and
// after the last line of progress.
func curlTalk(t target, code int, why string) (said, closing string) {
	said = sprintf("*   Trying %s:%d...\n", t.addr, t.port)
	switch code {
	case 6:
		said = "* " + why + "\n"
	case 7:
		said += sprintf("* connect to %s port %d failed: Connection refused\n* %s\n", t.addr, t.port, why)
	case 28:
		said += sprintf("* connect to %s port %d failed: Connection timed out\n* %s\n", t.addr, t.port, why)
	default:
		return "", ""
	}
	return said, "* Closing connection 0\n"
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
	p.Watch.Download(map[string]string{"tftp": "tftp"}[p.name]+map[bool]string{true: "ftp"}[p.name != "tftp"]+"://"+host+"/"+remote, p.name, cmp.Or(local, remote))
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
