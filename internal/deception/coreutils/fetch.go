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
