package rulebook

import (
	"net/netip"
	"path"
	"slices"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/cmdline"
	"honeyguide/internal/sigma"
)

// Product is the product of log sources that only decoys have: category is the
// activity of the event, service the kind of the decoy, and fields have the
// names of the event's attributes.
const Product = "honeyguide"

// Login is the category of log-ins to decoys, failed or not.
const Login = "login"

// shells are the decoys whose commands are lines of a shell.
var shells = []string{"", "ssh", "telnet", "adb", "rsh", "console"}

// canaries are OpenCanary's numbers for what a decoy can see, by service and
// activity (opencanary/logger.py, LOG_ constants): rules for that product work
// on ours.
var canaries = map[[2]string]string{
	{"ssh", honeyguide.ActivityConnect}: "4000", {"ssh", honeyguide.ActivityLoginFailed}: "4002", {"ssh", honeyguide.ActivityLoginSuccess}: "4002",
	{"telnet", honeyguide.ActivityLoginFailed}: "6001", {"telnet", honeyguide.ActivityLoginSuccess}: "6001",
	{"http", honeyguide.ActivityRequest}: "3000", {"http", honeyguide.ActivityLoginFailed}: "3001", {"http", honeyguide.ActivityLoginSuccess}: "3001",
	{"ftp", honeyguide.ActivityLoginFailed}: "2000", {"ftp", honeyguide.ActivityLoginSuccess}: "2000",
	{"smb", honeyguide.ActivityFileRead}: "5000", {"mysql", honeyguide.ActivityLoginFailed}: "8001", {"mssql", honeyguide.ActivityLoginFailed}: "9001",
	{"tftp", honeyguide.ActivityRequest}: "10001", {"ntp", honeyguide.ActivityRequest}: "11001", {"vnc", honeyguide.ActivityLoginFailed}: "12001",
	{"snmp", honeyguide.ActivityRequest}: "13001", {"rdp", honeyguide.ActivityConnect}: "14001", {"sip", honeyguide.ActivityRequest}: "15001",
	{"git", honeyguide.ActivityRequest}: "16001", {"redis", honeyguide.ActivityCommand}: "17001",
}

// decoySources returns what an event of a decoy is, the most telling first, and
// how it is shown.
func decoySources(key *planKey) ([]sigma.Source, func(*Adapter, *honeyguide.Event, *plan)) {
	linux := func(category, service string) sigma.Source {
		return sigma.Source{Product: "linux", Category: category, Service: service}
	}
	own := sigma.Source{Product: Product, Category: key.activity, Service: key.kind}
	out := []sigma.Source{own}
	show := plain
	switch key.activity {
	case honeyguide.ActivityCommand:
		if slices.Contains(shells, key.kind) {
			out, show = append(out, linux("process_creation", "")), command
		}
	case honeyguide.ActivityExecute:
		out, show = append(out, linux("process_creation", "")), executed
	case honeyguide.ActivityFileWrite:
		out, show = append(out, linux("file_event", "")), file
	case honeyguide.ActivityFileChange:
		out, show = append(out, linux("file_change", "")), file
	case honeyguide.ActivityRequest, honeyguide.ActivityMalformed:
		if key.kind == "http" {
			out, show = append(out, sigma.Source{Product: Product, Category: "webserver"}), request
		}
	case honeyguide.ActivityDownload:
		out = append(out, sigma.Source{Product: Product, Category: "proxy"}, linux("network_connection", ""))
		show = download
	case honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess:
		out = append(out, sigma.Source{Product: Product, Category: Login, Service: key.kind})
		switch key.kind {
		case "ssh":
			out = append(out, linux("", "sshd"), linux("", "auth"))
		case "telnet":
			out = append(out, linux("", "auth"))
		}
		show = login
	}
	if canaries[[2]string{key.kind, key.activity}] != "" {
		out = append(out, sigma.Source{Product: "opencanary", Category: "application"})
	}
	return out, show
}

// plain shows an event by its attributes.
func plain(a *Adapter, e *honeyguide.Event, p *plan) {
	a.decoy(e, p.sources)
}

// decoy begins a record with what every event of a decoy has.
func (a *Adapter) decoy(e *honeyguide.Event, sources []sigma.Source) *sigma.Record {
	r := a.next(e, sources)
	for name, v := range e.Attrs {
		put(r, name, text(v))
	}
	src := e.Src.Addr
	put(r, "src_ip", address(src))
	if src.IsValid() && src.Port() != 0 {
		put(r, "src_port", strconv.Itoa(int(src.Port())))
	}
	if n := canaries[[2]string{e.Service, e.Activity}]; n != "" {
		put(r, "logtype", n)
		put(r, "src_host", address(src))
	}
	return r
}

// from begins a record that says only whose it is.
func (a *Adapter) from(e *honeyguide.Event, sources []sigma.Source) *sigma.Record {
	r := a.next(e, sources)
	put(r, "src_ip", address(e.Src.Addr))
	return r
}

func address(a netip.AddrPort) string {
	if !a.IsValid() {
		return ""
	}
	return a.Addr().Unmap().WithZone("").String()
}

// Bounds of what is shown of one line.
const (
	maxParts = 16       // commands shown apart
	maxLine  = 16 << 10 // bytes of a command line
)

// command shows a typed line as the processes it would start: one of the shell
// that runs it, and one for each command in it.
func command(a *Adapter, e *honeyguide.Event, p *plan) {
	line := e.Str(honeyguide.AttrCommand)
	who := a.sessions.get(e.Session)
	r := a.decoy(e, p.sources)
	if !p.has("process_creation") {
		return
	}
	l := cmdline.Parse(line)
	one := len(l.Commands) == 1 && len(l.Commands[0].Via) == 0
	image := "/bin/bash"
	if one {
		image = program(&l.Commands[0], who.dir)
	}
	process(r, image, line[:min(len(line), maxLine)], who)
	dir := who.dir
	for i := range l.Commands {
		c := &l.Commands[i]
		if !one && i < maxParts {
			a.part(e, c, who)
		}
		// Of alternatives the first works, as far as this looks.
		if c.Name == "cd" && c.Depth == 0 && (who.dir == dir || !strings.Contains(l.Text, "||")) {
			who.dir = into(who.dir, c)
		}
	}
	if dir != who.dir && e.Session != "" {
		a.sessions.set(e.Session, who)
	}
}

// processes are the sources of the commands of a line: the line itself is what
// the decoy saw.
var processes = []sigma.Source{{Product: "linux", Category: "process_creation"}}

// part shows one command of a line, and what wraps it, as processes.
func (a *Adapter) part(e *honeyguide.Event, c *cmdline.Command, who seat) {
	var b strings.Builder
	b.WriteString(c.Path)
	for _, arg := range c.Args {
		if b.Len() > maxLine {
			break
		}
		b.WriteByte(' ')
		b.WriteString(arg)
	}
	args := b.String()
	process(a.from(e, processes), program(c, who.dir), args, who)
	if len(c.Via) > 0 {
		process(a.from(e, processes), where(c.Via[0]), strings.Join(c.Via, " ")+" "+args, who)
	}
}

// process fills in what Sysmon for Linux says of a new process.
func process(r *sigma.Record, image, line string, who seat) {
	put(r, "Image", image)
	put(r, "CommandLine", line)
	put(r, "ParentImage", "/bin/bash")
	put(r, "ParentCommandLine", "-bash")
	put(r, "User", who.user)
	put(r, "CurrentDirectory", who.dir)
}

// program returns the path of the program a command starts in a folder.
func program(c *cmdline.Command, dir string) string {
	switch {
	case strings.HasPrefix(c.Path, "/"):
		return c.Path
	case strings.Contains(c.Path, "/") && dir != "" && !strings.HasPrefix(c.Path, "~"):
		return path.Join(dir, c.Path)
	case strings.Contains(c.Path, "/"):
		return c.Path // relative to a folder only the session knows
	}
	return where(c.Name)
}

// superuser are the programs of /usr/sbin that intruders name.
var superuser = map[string]bool{
	"iptables": true, "ip6tables": true, "nft": true, "useradd": true, "userdel": true, "usermod": true, "groupadd": true, "adduser": true,
	"chpasswd": true, "visudo": true, "sysctl": true, "insmod": true, "modprobe": true, "rmmod": true, "service": true, "shutdown": true,
	"reboot": true, "cron": true, "sshd": true, "tcpdump": true, "ip": true, "ifconfig": true, "ufw": true, "setenforce": true, "auditctl": true,
	"fdisk": true, "mkfs": true, "dmidecode": true, "arp": true, "route": true, "halt": true, "poweroff": true, "swapoff": true, "chroot": true,
	"update-rc.d": true, "ldconfig": true,
}

func where(name string) string {
	if superuser[name] {
		return "/usr/sbin/" + name
	}
	return "/usr/bin/" + name
}

// into returns the folder a cd leads to, as far as it says so.
func into(dir string, c *cmdline.Command) string {
	to := "~"
	if len(c.Args) > 0 {
		to = c.Args[0]
	}
	switch {
	case strings.HasPrefix(to, "/"):
		dir = path.Clean(to)
	case strings.HasPrefix(to, "~") || strings.HasPrefix(to, "-") || strings.Contains(to, "$") || dir == "":
		// not known without the shell
	default:
		dir = path.Join(dir, to)
	}
	return dir[:min(len(dir), 1024)]
}

// executed shows the run of a file the peer brought.
func executed(a *Adapter, e *honeyguide.Event, p *plan) {
	r := a.decoy(e, p.sources)
	file := e.Str(honeyguide.AttrPath)
	process(r, file, file, a.sessions.get(e.Session))
}

// file shows a written or changed file.
func file(a *Adapter, e *honeyguide.Event, p *plan) {
	r := a.decoy(e, p.sources)
	to := e.Str(honeyguide.AttrToPath)
	if to != "" {
		put(r, "SourceFilename", e.Str(honeyguide.AttrPath))
		put(r, "TargetFilename", to)
	} else {
		put(r, "TargetFilename", e.Str(honeyguide.AttrPath))
	}
	image := "/bin/bash"
	switch tool := e.Str(honeyguide.AttrTool); tool {
	case "":
	case "sftp":
		image = "/usr/lib/openssh/sftp-server"
	default:
		image = where(path.Base(tool))
	}
	put(r, "Image", image)
	put(r, "User", a.sessions.get(e.Session).user)
	if sum := e.Str(honeyguide.AttrSHA256); sum != "" {
		put(r, "Hashes", "SHA256="+sum)
	}
}

// request shows a web request as the W3C extended log format names its fields.
func request(a *Adapter, e *honeyguide.Event, p *plan) {
	r := a.decoy(e, p.sources)
	web(r, e)
}

// web fills in the fields of web servers' logs. The query stands in
// cs-uri-query alone and behind the path: rules are written for both ways of
// logging it.
func web(r *sigma.Record, e *honeyguide.Event) {
	uri := e.Str(honeyguide.AttrURL)
	stem, query, found := strings.Cut(uri, "?")
	put(r, "cs-method", e.Str(honeyguide.AttrMethod))
	put(r, "cs-uri", uri)
	put(r, "c-uri", uri)
	put(r, "cs-uri-stem", stem)
	put(r, "cs-uri-query", uri)
	if found {
		put(r, "cs-uri-query", query)
		put(r, "c-uri-query", query)
	}
	agent := e.Str(honeyguide.AttrUserAgent)
	put(r, "cs-user-agent", agent)
	put(r, "c-useragent", agent)
	put(r, "cs-host", e.Str(honeyguide.AttrHost))
	put(r, "cs-referer", e.Str(honeyguide.AttrReferrer))
	put(r, "c-ip", address(e.Src.Addr))
	if v, ok := e.Attrs[honeyguide.AttrStatus]; ok {
		put(r, "sc-status", text(v))
	}
	put(r, "post-body", e.Str(honeyguide.AttrBody))
}

// download shows what the decoy was asked to fetch as a proxy between it and
// the world would have logged it.
func download(a *Adapter, e *honeyguide.Event, p *plan) {
	r := a.decoy(e, p.sources)
	url := e.Str(honeyguide.AttrURL)
	_, rest, found := strings.Cut(url, "://")
	if !found {
		rest = url
	}
	host, _, _ := strings.Cut(rest, "/")
	put(r, "c-uri", url)
	put(r, "cs-host", host)
	put(r, "r-dns", host)
	put(r, "cs-method", "GET")
	tool := e.Str(honeyguide.AttrTool)
	put(r, "c-useragent", tool)
	put(r, "Image", where(path.Base(tool)))
	name := host
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		name = host[:i]
		put(r, "DestinationPort", host[i+1:])
	}
	if _, err := netip.ParseAddr(strings.Trim(name, "[]")); err == nil {
		put(r, "DestinationIp", strings.Trim(name, "[]"))
	} else {
		put(r, "DestinationHostname", name)
	}
	put(r, "Initiated", "true")
	put(r, "User", a.sessions.get(e.Session).user)
}

// login shows a log-in as sshd and login write it.
func login(a *Adapter, e *honeyguide.Event, p *plan) {
	r := a.decoy(e, p.sources)
	user := e.Str(honeyguide.AttrUser)
	put(r, "logdata.USERNAME", user)
	put(r, "logdata.PASSWORD", e.Str(honeyguide.AttrPassword))
	if !p.has("") {
		return
	}
	from, port := address(e.Src.Addr), strconv.Itoa(int(e.Src.Addr.Port()))
	ok := e.Activity == honeyguide.ActivityLoginSuccess
	switch {
	case e.Service == "telnet" && ok:
		r.Raw = "ROOT LOGIN on 'pts/0' from '" + from + "'"
	case e.Service == "telnet":
		r.Raw = "FAILED LOGIN (1) on 'pts/0' from '" + from + "' FOR '" + user + "', Authentication failure"
	default:
		did := "Failed "
		if ok {
			did = "Accepted "
		}
		r.Raw = did + e.Str(honeyguide.AttrAuthMethod) + " for " + user + " from " + from + " port " + port + " ssh2"
	}
}

// has reports whether a rule is about Linux events of the category.
func (p *plan) has(category string) bool {
	return slices.ContainsFunc(p.sources, func(s sigma.Source) bool { return s.Product == "linux" && s.Category == category })
}
