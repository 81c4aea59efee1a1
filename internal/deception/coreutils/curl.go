package coreutils

import (
	"cmp"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A curlRun is one run of curl 7.88.1.
type curlRun struct {
	p                                *Proc
	silent, showError, bar, verbose  bool
	headOnly, withHead, fail, remote bool
	noMeter                          bool
	dests                            []string
	format, upload, proxy            string
	status                           int
	meterShown                       bool
}

const (
	curlTry    = "curl: try 'curl --help' or 'curl --manual' for more information\n"
	meterTitle = "  % Total    % Received % Xferd  Average Speed   Time    Time     Time  Current\n                                 Dload  Upload   Total   Spent    Left  Speed\n"
	meterZero  = "\r  0     0    0     0    0     0      0      0 --:--:-- --:--:-- --:--:--     0"
)

// curlValues are the long options that take a value and no letter is known for,
// and curlWords those that take none.
var (
	curlShort  = "0123456aA:b:Bc:C:d:D:e:E:fF:gGhH:iIjJkK:lLm:MnNo:OpP:qQ:rRsSt:T:u:U:vVw:x:X:y:Y:z:Z#:"
	curlLetter = map[string]string{
		"silent": "s", "output": "o", "remote-name": "O", "location": "L", "insecure": "k", "fail": "f", "request": "X", "data": "d", "data-raw": "d", "data-binary": "d",
		"data-ascii": "d", "data-urlencode": "d", "json": "d", "header": "H", "user-agent": "A", "show-error": "S", "max-time": "m", "head": "I", "include": "i", "verbose": "v",
		"user": "u", "form": "F", "cookie": "b", "cookie-jar": "c", "referer": "e", "proxy": "x", "upload-file": "T", "write-out": "w", "get": "G", "progress-bar": "#",
		"remote-header-name": "J", "range": "r", "continue-at": "C", "ipv4": "4", "ipv6": "6", "http1.0": "0", "tlsv1": "1", "parallel": "Z", "config": "K", "append": "a",
		"no-buffer": "N", "quote": "Q", "remote-time": "R", "time-cond": "z", "version": "V", "disable": "q", "globoff": "g", "proxytunnel": "p", "dump-header": "D",
		"cert": "E", "speed-limit": "Y", "speed-time": "y", "proxy-user": "U", "telnet-option": "t", "ftp-port": "P", "list-only": "l", "netrc": "n", "use-ascii": "B", "help": "h", "manual": "M", "junk-session-cookies": "j",
	}
	curlValues = strings.Fields("connect-timeout retry retry-delay retry-max-time url socks4 socks4a socks5 socks5-hostname resolve cacert capath noproxy interface limit-rate key cert-type key-type ciphers tls-max max-redirs max-filesize dns-servers doh-url unix-socket connect-to proto proto-redir proxy-header preproxy local-port keepalive-time form-string stderr trace trace-ascii output-dir rate aws-sigv4 oauth2-bearer engine pinnedpubkey variable parallel-max expect100-timeout happy-eyeballs-timeout-ms")
	curlWords  = strings.Fields("compressed http1.1 http2 http3 http0.9 tlsv1.0 tlsv1.1 tlsv1.2 tlsv1.3 sslv2 sslv3 create-dirs retry-all-errors retry-connrefused tcp-fastopen tcp-nodelay no-keepalive keepalive post301 post302 post303 path-as-is anyauth basic digest ntlm negotiate raw location-trusted fail-with-body fail-early ssl ssl-reqd ssl-no-revoke no-alpn no-progress-meter progress-meter proxy-insecure proxy-basic styled-output next tr-encoding xattr parallel-immediate http2-prior-knowledge ftp-pasv disable-epsv no-sessionid no-compressed remove-on-error remote-name-all doh-insecure cert-status false-start")
)

// badOption is curl's end after an option it does not take.
func (c *curlRun) badOption(name, why string) int {
	c.p.complain("curl: option " + name + ": " + why + "\n" + curlTry)
	return 2
}

// parse reads the command line in curl's own way: no value may be missing, long
// names may be cut short.
func (c *curlRun) parse() (urls []string, status int) {
	args := c.p.Args[1:]
	for len(args) > 0 {
		a := args[0]
		args = args[1:]
		c.p.step(1)
		switch {
		case a == "--":
			return append(urls, args...), 0
		case strings.HasPrefix(a, "--"):
			name := strings.TrimPrefix(a[2:], "no-")
			letter, known := curlLetter[name]
			takes := known && strings.Contains(curlShort, letter+":") && letter != "#" || slices.Contains(curlValues, a[2:])
			if !known && !takes && !slices.Contains(curlWords, a[2:]) && !slices.Contains(curlWords, name) {
				c.p.Watch.Unsupported("curl " + a)
				return nil, c.badOption(a, "is unknown")
			}
			val := ""
			if takes {
				if len(args) == 0 {
					return nil, c.badOption(a, "requires parameter")
				}
				val, args = args[0], args[1:]
			}
			if a == "--url" {
				urls = append(urls, val)
				continue
			}
			if name != a[2:] {
				continue // --no-x takes x back
			}
			if s := c.option(cmp.Or(letter, name), val, a); s != 0 {
				return nil, s
			}
		case len(a) > 1 && a[0] == '-':
			for word := a[1:]; word != ""; {
				letter := word[:1]
				word = word[1:]
				i := strings.Index(curlShort, letter)
				if i < 0 || letter == ":" {
					c.p.Watch.Unsupported("curl -" + letter)
					return nil, c.badOption(a, "is unknown")
				}
				val := ""
				if strings.HasPrefix(curlShort[i+1:], ":") && letter != "#" {
					if val, word = word, ""; val == "" {
						if len(args) == 0 {
							return nil, c.badOption(a, "requires parameter")
						}
						val, args = args[0], args[1:]
					}
				}
				if s := c.option(letter, val, a); s != 0 {
					return nil, s
				}
			}
		default:
			urls = append(urls, a)
		}
	}
	return urls, 0
}

func (c *curlRun) option(name, val, as string) int {
	switch name {
	case "s":
		c.silent = true
	case "S":
		c.showError = true
	case "#":
		c.bar = true
	case "v":
		c.verbose = true
	case "I":
		c.headOnly = true
	case "i":
		c.withHead = true
	case "f", "fail-with-body":
		c.fail = true
	case "no-progress-meter":
		c.noMeter = true
	case "o":
		c.dests = append(c.dests, val)
	case "O":
		c.dests, c.remote = append(c.dests, ""), true
	case "w":
		c.format = val
	case "T":
		c.upload = val
	case "x", "socks5", "socks4", "socks5-hostname", "socks4a":
		c.proxy = val
	case "m", "connect-timeout", "retry", "retry-delay", "retry-max-time":
		if _, err := strconv.ParseFloat(val, 64); err != nil {
			return c.badOption(as, "expected a proper numerical parameter")
		}
	case "F":
		if !strings.Contains(val, "=") {
			c.p.complain("Warning: Illegally formatted input field!\n")
			return c.badOption(as, "is badly used here")
		}
	case "d":
		if file, ok := strings.CutPrefix(val, "@"); ok && as != "--data-raw" {
			if _, err := c.p.stat(file); err != nil && file != "-" {
				c.p.complain("Warning: Couldn't read data from file \"" + file + "\", this makes an empty POST.\n")
			}
		}
	case "K":
		if _, err := c.p.stat(val); err != nil {
			c.p.complain("curl: cannot read config from '" + val + "'\n")
			c.badOption(as, "error encountered when reading a file")
			return 26
		}
		c.p.Watch.Unsupported("curl -K")
	case "V":
		c.p.version()
	}
	return 0
}

func curl(p *Proc) int {
	if len(p.Args) == 1 {
		p.complain(curlTry)
		return 2
	}
	c := &curlRun{p: p}
	urls, status := c.parse()
	if status != 0 {
		return status
	}
	if contains(p.Args, "-h") || contains(p.Args, "--help") {
		p.help()
	}
	if len(urls) == 0 {
		p.complain("curl: no URL specified!\n" + curlTry)
		return 2
	}
	for i, u := range urls {
		dest := ""
		if i < len(c.dests) {
			dest = c.dests[i]
		}
		c.get(u, dest, i < len(c.dests) && dest == "")
	}
	return c.status
}

// meter shows the progress so far: none on a terminal that also shows the page.
func (c *curlRun) meter(dest, line string) {
	if c.silent || c.bar || c.noMeter || c.p.TTY && dest == "" {
		return
	}
	if !c.meterShown {
		c.p.complain(meterTitle)
		c.meterShown = true
	}
	c.p.complain(line)
}

// note is a line of -v.
func (c *curlRun) note(text string) {
	if c.verbose {
		c.p.complain("* " + text + "\n")
	}
}

func (c *curlRun) failed(u string, code int, format string, a ...any) {
	c.status = code
	if !c.silent || c.showError {
		c.p.complain(sprintf("curl: (%d) ", code) + sprintf(format, a...) + "\n")
	}
	c.writeOut(u, "000", 0, 0)
}

// writeOut prints -w's text.
func (c *curlRun) writeOut(u, code string, took time.Duration, size int) {
	if c.format == "" {
		return
	}
	if !strings.Contains(u, "://") {
		u = "http://" + u
	}
	if _, after, _ := strings.Cut(u, "://"); !strings.Contains(after, "/") {
		u += "/"
	}
	seconds := sprintf("%.6f", took.Seconds())
	c.p.print(strings.NewReplacer("%{http_code}", code, "%{response_code}", code, "%{time_total}", seconds, "%{time_connect}", seconds,
		"%{time_namelookup}", "0.000021", "%{time_starttransfer}", seconds, "%{size_download}", strconv.Itoa(size), "%{speed_download}", "0", "%{url_effective}", u,
		"%{num_redirects}", "0", "%{redirect_url}", "", "%{content_type}", "", "%{remote_ip}", "", "%{exitcode}", strconv.Itoa(c.status),
		`\n`, "\n", `\t`, "\t", `\r`, "\r", "%%", "%").Replace(c.format))
}

func (c *curlRun) get(u, dest string, remote bool) {
	p := c.p
	t := p.parseURL(u, "http")
	if remote {
		if dest = base(strings.SplitN(t.path, "?", 2)[0]); dest == "/" || strings.HasSuffix(t.path, "/") {
			p.Watch.Download(u, "curl", "")
			p.complain("curl: Remote file name has no length!\n")
			c.failed(u, 23, "Failed writing received data to disk/application")
			return
		}
	}
	p.Watch.Download(u, "curl", dest)
	c.meterShown = false
	if c.upload != "" && c.upload != "-" {
		if _, err := p.stat(c.upload); err != nil {
			p.complain("curl: Can't open '" + c.upload + "'!\n" + curlTry)
			c.failed(u, 26, "Failed to open/read local data from file/application")
			return
		}
	}
	known := strings.Fields("dict file ftp ftps gopher gophers http https imap imaps ldap ldaps mqtt pop3 pop3s rtmp rtsp scp sftp smb smbs smtp smtps telnet tftp")
	switch {
	case t.scheme == "file":
		c.file(u, t.path, dest)
		return
	case !slices.Contains(known, t.scheme):
		c.failed(u, 1, "Protocol \"%s\" not supported or disabled in libcurl", t.scheme)
		return
	case strings.HasPrefix(hostPart(u), "[") && !strings.Contains(hostPart(u), "]"):
		i := strings.IndexByte(u, '[')
		c.failed(u, 3, "bad range specification in URL position %d:\n%s\n%s^", i+2, u, strings.Repeat(" ", i+1))
		return
	case strings.ContainsAny(u, " \t") || t.host == "" || t.port >= 65536:
		c.failed(u, 3, "URL using bad/illegal format or missing URL")
		return
	}
	if c.proxy != "" {
		t = p.parseURL(c.proxy, "http")
		if t.port == 80 && !strings.Contains(strings.TrimPrefix(c.proxy, "http://"), ":") {
			t.port = 1080
		}
	}
	c.connect(u, dest, t)
}

// hostPart is what stands between the scheme and the path.
func hostPart(u string) string {
	if _, after, ok := strings.Cut(u, "://"); ok {
		u = after
	}
	host, _, _ := strings.Cut(u, "/")
	return host
}

func (c *curlRun) connect(u, dest string, t target) {
	p := c.p
	if t.port == 0 {
		t.port = map[string]int{"gopher": 70, "imap": 143, "imaps": 993, "pop3": 110, "pop3s": 995, "smtp": 25, "smtps": 465, "telnet": 23, "scp": 22, "sftp": 22, "ldap": 389, "ldaps": 636, "dict": 2628, "smb": 445, "rtsp": 554, "mqtt": 1883, "ftps": 990}[t.scheme]
	}
	c.meter(dest, meterZero)
	if !t.known {
		for i := range int(dnsWait / time.Second) {
			p.sleep(time.Second)
			c.meter(dest, sprintf("\r  0     0    0     0    0     0      0      0 --:--:--  0:00:%02d --:--:--     0", i+1))
		}
		c.note("Could not resolve host: " + t.host)
		c.note("Closing connection 0")
		if c.proxy != "" {
			c.failed(u, 5, "Could not resolve proxy: %s", t.host)
			return
		}
		c.failed(u, 6, "Could not resolve host: %s", t.host)
		return
	}
	if g, ok := p.localPage(t); ok {
		c.receive(u, dest, t, g)
		return
	}
	c.note(sprintf("  Trying %s:%d...", t.addr, t.port))
	took := 0
	if !p.near(t.addr) {
		took = int(resetWait.Milliseconds()) + 1
	}
	p.refused(t)
	c.note(sprintf("connect to %s port %d failed: Connection refused", t.addr, t.port))
	text := sprintf("Failed to connect to %s port %d after %d ms: Couldn't connect to server", t.host, t.port, took)
	c.note(text)
	c.meter(dest, meterZero+"\n")
	c.note("Closing connection 0")
	c.failed(u, 7, "%s", text)
	if c.bar && !c.silent {
		p.complain("\n")
	}
}

// file reads a file:// address.
func (c *curlRun) file(u, path, dest string) {
	p := c.p
	r, err := p.openFile(path)
	if err != nil {
		c.failed(u, 37, "Couldn't open file %s", path)
		return
	}
	defer r.Close()
	body, err := p.all(r)
	if err != nil {
		c.failed(u, 37, "Couldn't open file %s", path)
		return
	}
	defer p.alloc(-len(body))
	c.deliver(u, dest, body, "000")
}

// deliver writes a body where it belongs and shows the meter's last line.
func (c *curlRun) deliver(u, dest string, body []byte, code string) {
	p := c.p
	n := len(body)
	c.meter(dest, meterZero)
	if dest != "" && dest != "-" {
		f, err := p.create(dest, 0x1|0x40|0x200)
		if err != nil {
			p.complain("Warning: Failed to open the file " + dest + ": " + why(err) + "\n")
			c.failed(u, 23, "Failed writing body (0 != %d)", n)
			return
		}
		_, _ = f.Write(body)
		_ = f.Close()
	}
	c.meter(dest, sprintf("\r100 %5d  100 %5d    0     0  %5s      0 --:--:-- --:--:-- --:--:-- %5s\n", n, n, rate(n), rate(n)))
	if dest == "" || dest == "-" {
		p.write(body)
	}
	c.writeOut(u, code, 900*time.Microsecond, n)
}

// rate is the speed of a transfer of n bytes that took a millisecond.
func rate(n int) string {
	if v := n * 1000; v >= 100000 {
		return strconv.Itoa(v/1024) + "k"
	}
	return strconv.Itoa(n * 1000)
}

// receive takes a page of the host's own server.
func (c *curlRun) receive(u, dest string, t target, g page) {
	p := c.p
	code, _, _ := strings.Cut(g.status, " ")
	if c.verbose {
		c.note(sprintf("  Trying %s:%d...", t.addr, t.port))
		c.note(sprintf("Connected to %s (%s) port %d (#0)", t.host, t.addr, t.port))
		method := "GET"
		if c.headOnly {
			method = "HEAD"
		}
		p.complain("> " + method + " " + t.path + " HTTP/1.1\n> Host: " + hostPart(u) + "\n> User-Agent: curl/7.88.1\n> Accept: */*\n> \n")
		p.complain("< " + strings.Join(g.head(p), "\n< ") + "\n< \n")
	}
	if c.fail && code >= "400" {
		c.failed(u, 22, "The requested URL returned error: %s", code)
		return
	}
	var body []byte
	if c.headOnly || c.withHead {
		body = []byte(strings.Join(g.head(p), "\r\n") + "\r\n\r\n")
	}
	if !c.headOnly {
		body = append(body, g.body...)
	}
	c.deliver(u, dest, body, code)
	if c.verbose {
		c.note(sprintf("Connection #0 to host %s left intact", t.host))
	}
}
