package coreutils

import (
	"cmp"
	"io"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// A wgetRun is one run of GNU Wget 1.21.3.
type wgetRun struct {
	p                          *Proc
	quiet, terse               bool
	spider, headers, noReplace bool
	out, dir                   string
	tries                      int
	log                        io.Writer // nil: standard error
	status                     int
}

func wget(p *Proc) int {
	opts, args, ok := p.getopt("VhbdqvnF:i:Ba:o:e:t:O:cNST:w:Q:P:rl:kKmpHLnD:A:R:I:X:U:E4:6x", "output-document=,O", "quiet,q", "verbose,v", "no-verbose", "tries=,t", "timeout=,T", "continue,c", "directory-prefix=,P", "no-check-certificate", "user-agent=,U", "header=", "post-data=", "post-file=", "recursive,r", "mirror,m", "no-parent", "input-file=,i", "spider", "background,b", "user=", "password=", "method=", "body-data=", "no-cache", "no-proxy", "limit-rate=", "show-progress", "progress=", "server-response,S", "timestamping,N", "connect-timeout=", "dns-timeout=", "read-timeout=", "wait=,w", "referer=", "save-cookies=", "load-cookies=", "max-redirect=", "retry-connrefused", "output-file=,o", "append-output=,a", "no-dns-cache", "inet4-only", "inet6-only", "prefer-family=", "content-disposition", "no-clobber", "page-requisites,p", "convert-links,k", "level=,l", "random-wait", "trust-server-names", "debug,d", "no-hsts", "secure-protocol=", "certificate=", "private-key=", "ca-certificate=")
	if !ok {
		return 2
	}
	w := &wgetRun{p: p, tries: 20}
	logFile, logFlags, list := "", 0x1|0x40|0x200, ""
	background, given := false, letters(opts)
	for _, o := range opts {
		switch o.name {
		case "q":
			w.quiet = true
		case "O":
			w.out = o.val
		case "P":
			w.dir = o.val
		case "t":
			if n, err := strconv.Atoi(o.val); err == nil {
				w.tries = n
			}
		case "T", "connect-timeout", "dns-timeout", "read-timeout", "w":
			if _, err := strconv.ParseFloat(strings.TrimRight(o.val, "smhdw"), 64); err != nil {
				name := map[string]string{"T": "timeout", "w": "wait"}[o.name]
				p.complain("wget: --" + cmp.Or(name, o.name) + ": Invalid time period " + p.q(o.val) + "\n")
				return 2
			}
		case "o", "a":
			if logFile = o.val; o.name == "a" {
				logFlags = 0x1 | 0x40 | vfs.O_APPEND
			}
		case "i":
			list = o.val
		case "b":
			background = true
		case "S":
			w.headers = true
		case "V":
			p.version()
		}
	}
	w.spider = given["spider"]
	w.noReplace = given["no-clobber"] || slices.Contains(p.Args, "-nc")
	w.terse = given["no-verbose"] || slices.Contains(p.Args, "-nv")
	if given["post-data"] && given["post-file"] {
		p.complain("You cannot specify both --post-data and --post-file.\n")
		return 1
	}
	if len(args) == 0 && list == "" {
		p.complain("wget: missing URL\nUsage: wget [OPTION]... [URL]...\n\nTry `wget --help' for more options.\n")
		return 1
	}
	if background {
		p.printf("Continuing in background, pid %d.\n", p.PID+1)
		if logFile == "" && !w.quiet {
			logFile = "wget-log"
			p.print("Output will be written to " + p.q(logFile) + ".\n")
		}
		p.flush()
		old := p.Sleep
		p.Sleep = nil // the child waits, not the caller
		defer func() { p.Sleep = old }()
	}
	if logFile != "" {
		f, err := p.create(logFile, logFlags)
		if err != nil {
			p.complain(logFile + ": " + why(err) + "\n")
			return 1
		}
		defer f.Close()
		w.log = f
	}
	if list != "" {
		args = append(args, w.inputFile(list)...)
	}
	if status, done := w.outputDocument(); done {
		return status
	}
	for _, u := range args {
		w.get(u)
	}
	if background {
		return 0
	}
	return w.status
}

// say writes what only -v (the default) shows; tell also what -nv shows.
func (w *wgetRun) say(format string, a ...any) {
	if !w.terse {
		w.tell(format, a...)
	}
}

func (w *wgetRun) tell(format string, a ...any) {
	switch {
	case w.quiet:
	case w.log != nil:
		_, _ = io.WriteString(w.log, sprintf(format, a...))
	default:
		w.p.complain(sprintf(format, a...))
	}
}

// inputFile reads the addresses of -i.
func (w *wgetRun) inputFile(name string) (out []string) {
	r, err := w.p.openFile(name)
	if err != nil {
		w.tell("%s: %s\nNo URLs found in %s.\n", name, why(err), name)
		return nil
	}
	defer r.Close()
	_ = w.p.lines(r, func(l []byte, _ bool) bool {
		if u := strings.TrimSpace(string(l)); u != "" {
			out = append(out, u)
		}
		return len(out) < 1000
	})
	if len(out) == 0 {
		w.tell("No URLs found in %s.\n", name)
	}
	return out
}

// outputDocument makes the file of -O, as wget does before it connects.
func (w *wgetRun) outputDocument() (int, bool) {
	if w.out == "" || w.out == "-" {
		return 0, false
	}
	if _, err := w.p.stat(w.out); err == nil && w.noReplace {
		w.tell("File %s already there; not retrieving.\n", w.p.q(w.out))
		return 1, true
	}
	f, err := w.p.create(w.out, 0x1|0x40|0x200)
	if err != nil {
		w.tell("%s: %s\n", w.out, why(err))
		return 1, true
	}
	_ = f.Close()
	return 0, false
}

// destination is the file an address is written to.
func (w *wgetRun) destination(t target) string {
	if w.out != "" {
		return w.out
	}
	name := base(strings.SplitN(t.path, "?", 2)[0])
	if name == "" || name == "/" || strings.HasSuffix(strings.SplitN(t.path, "?", 2)[0], "/") {
		name = "index.html"
	}
	if _, query, ok := strings.Cut(t.path, "?"); ok {
		name += "?" + query
	}
	if w.dir != "" {
		name = strings.TrimSuffix(w.dir, "/") + "/" + name
	}
	return name
}

// fresh adds .1, .2 and so on to a name that is taken.
func (w *wgetRun) fresh(name string) string {
	if w.out != "" {
		return name
	}
	for i, try := 1, name; i < 1000; i++ {
		if _, err := w.p.lstat(try); err != nil {
			return try
		}
		try = name + "." + strconv.Itoa(i)
	}
	return name
}

// badURL is wget's word about an address it does not take, "" when it does.
func (w *wgetRun) badURL(u string, t target) string {
	rest := u
	if _, after, ok := strings.Cut(u, "://"); ok {
		rest = after
	}
	host, _, _ := strings.Cut(rest, "/")
	switch {
	case !slices.Contains([]string{"http", "https", "ftp", "ftps"}, t.scheme):
		return u + ": Unsupported scheme " + w.p.q(t.scheme)
	case strings.HasPrefix(host, "[") && !strings.Contains(host, "]"):
		return u + ": Unterminated IPv6 numeric address"
	case t.host == "":
		if !strings.Contains(u, "://") {
			u = "http://" + u
		}
		return u + ": Invalid host name"
	case !t.ok:
		return u + ": Bad port number"
	}
	return ""
}

func (w *wgetRun) get(u string) {
	p := w.p
	t := p.parseURL(u, "http")
	dest := w.destination(t)
	p.Watch.Download(u, "wget", dest)
	if bad := w.badURL(u, t); bad != "" {
		w.tell("%s.\n", bad)
		w.status = 1
		return
	}
	if _, err := p.stat(dest); err == nil && w.noReplace && w.out == "" {
		w.tell("File %s already there; not retrieving.\n\n", p.q(dest))
		return
	}
	full := u
	if !strings.Contains(u, "://") {
		full = "http://" + u
	}
	if _, after, _ := strings.Cut(full, "://"); !strings.Contains(after, "/") {
		full += "/"
	}
	full = strings.ReplaceAll(full, " ", "%20")
	if w.spider {
		w.say("Spider mode enabled. Check if remote file exists.\n")
	}
	w.say("--%s--  %s\n", p.Now().UTC().Format("2006-01-02 15:04:05"), full)
	if strings.HasPrefix(t.scheme, "ftp") {
		w.say("           => %s\n", p.q(w.fresh(dest)))
	}
	ip := t.host
	if _, err := netip.ParseAddr(t.host); err != nil {
		w.say("Resolving %s (%s)... ", t.host, t.host)
		if !t.known {
			p.sleep(dnsWait)
			w.say("failed: Temporary failure in name resolution.\n")
			w.tell("wget: unable to resolve host address %s\n", p.q(t.host))
			w.status = 4
			return
		}
		w.say("%s\n", t.addr)
		ip = sprintf("%s (%s)|%s|", t.host, t.host, t.addr)
	} else if strings.Contains(ip, ":") {
		ip = "[" + ip + "]"
	}
	if g, ok := p.localPage(t); ok {
		w.say("Connecting to %s:%d... connected.\n", ip, t.port)
		w.receive(full, dest, g)
		return
	}
	w.connect(t, ip, full)
}

// connect is what happens to every address outside.
func (w *wgetRun) connect(t target, ip, full string) {
	p := w.p
	w.status = 4
	for try := 1; ; try++ {
		if p.refused(t) {
			w.say("Connecting to %s:%d... ", ip, t.port)
			w.tell("failed: Connection refused.\n")
			return
		}
		w.say("Connecting to %s:%d... ", ip, t.port)
		p.sleep(connectWait)
		w.tell("failed: Connection timed out.\n")
		if try >= min(w.tries, 3) && w.tries > 0 || try >= 3 {
			w.say("Giving up.\n\n")
			return
		}
		w.say("Retrying.\n\n--%s--  (try:%2d)  %s\n", p.Now().UTC().Format("2006-01-02 15:04:05"), try+1, full)
	}
}

// receive takes a page of the host's own server.
func (w *wgetRun) receive(full, dest string, g page) {
	p := w.p
	w.say("HTTP request sent, awaiting response... ")
	if w.headers {
		w.say("\n  %s\n", strings.Join(g.head(p), "\n  "))
	} else {
		w.say("%s\n", g.status)
	}
	stamp := p.Now().UTC().Format("2006-01-02 15:04:05")
	if !strings.HasPrefix(g.status, "200") {
		w.status = 8
		if w.spider {
			w.tell("Remote file does not exist -- broken link!!!\n\n")
			return
		}
		if w.terse {
			w.tell("%s:\n", full)
		}
		code, text, _ := strings.Cut(g.status, " ")
		w.tell("%s ERROR %s: %s.\n", stamp, code, text)
		w.say("\n")
		return
	}
	n := len(g.body)
	if n < 1024 {
		w.say("Length: %d [%s]\n", n, g.kind)
	} else {
		w.say("Length: %d (%s) [%s]\n", n, wgetSize(n), g.kind)
	}
	if w.spider {
		w.say("Remote file exists and could contain further links,\nbut recursion is disabled -- not retrieving.\n\n")
		return
	}
	if dest == "-" {
		w.say("Saving to: %s\n\n", p.q("STDOUT"))
		p.write(g.body)
	} else {
		dest = w.fresh(dest)
		f, err := p.create(dest, 0x1|0x40|0x200)
		if err != nil {
			w.tell("%s: %s\n\nCannot write to %s (%s).\n", dest, why(err), p.q(dest), why(err))
			w.status = 3
			return
		}
		_, _ = f.Write(g.body)
		_ = f.Close()
		w.say("Saving to: %s\n\n", p.q(dest))
	}
	switch {
	case p.TTY && w.log == nil:
		w.say("%-19.19s 100%%[===================>] %7s  --.-KB/s    in 0s      \n\n", base(dest), barSize(n))
	default:
		w.say("     0K %s%*s100%% 98.4M=0s\n\n", dots(n), 51-len(dots(n)), "")
	}
	if w.terse {
		w.tell("%s URL:%s [%d/%d] -> \"%s\" [1]\n", stamp, full, n, n, dest)
		return
	}
	if dest == "-" {
		w.say("%s (98.4 MB/s) - written to stdout [%d/%d]\n\n", stamp, n, n)
		return
	}
	w.say("%s (98.4 MB/s) - %s saved [%d/%d]\n\n", stamp, p.q(dest), n, n)
}

// dots is the first row of the dotted progress: one dot a kilobyte, in tens.
func dots(n int) string {
	s := ""
	for i := range min(n/1024, 50) {
		if i > 0 && i%10 == 0 {
			s += " "
		}
		s += "."
	}
	return s
}

// wgetSize is a size with a unit as the Length line has it.
func wgetSize(n int) string {
	f := float64(n) / 1024
	unit := "K"
	if f >= 1024 {
		f, unit = f/1024, "M"
	}
	if f < 10 {
		return sprintf("%.1f%s", f, unit)
	}
	return sprintf("%.0f%s", f, unit)
}

// barSize is a size as the progress bar has it.
func barSize(n int) string {
	if n < 1024 {
		return strconv.Itoa(n)
	}
	f := float64(n) / 1024
	return sprintf("%.2fK", f)
}
