package coreutils

import (
	"io"
	"slices"
	"strconv"
	"strings"
)

// scpCmd is scp: the far side of somebody's copy, or a client of the attacker's.
func scpCmd(p *Proc) int {
	quiet := *p
	quiet.Stderr, quiet.Watch = io.Discard, nobody{} // whatever is wrong, the client says it
	if opts, args, ok := quiet.getopt(scpOptions); ok && isScpRemote(opts) {
		return scpRemote(p, opts, args)
	}
	return ssh(p)
}

func ssh(p *Proc) int {
	if p.name == "ssh" || p.name == "scp" {
		if _, _, ok := p.sshOptions(map[string]string{"ssh": sshLetters, "scp": scpOptions}[p.name]); !ok {
			return map[string]int{"ssh": 255, "scp": 1}[p.name]
		}
	}
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
	if len(rest) == 0 || p.name == "scp" && len(rest) < 2 {
		switch p.name {
		case "scp":
			p.complain(sshUsages["scp"])
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
	if p.name == "scp" && !slices.ContainsFunc(rest, func(r string) bool { return strings.Contains(r, ":") }) {
		return p.localScp(rest)
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

// localScp hands a copy that leaves no machine to cp, as scp does.
func (p *Proc) localScp(files []string) int {
	args := []string{"cp"}
	for _, a := range p.Args[1:] {
		if a == "-r" || a == "-p" {
			args = append(args, a)
		}
	}
	return max(0, min(1, p.spawn(append(append(args, "--"), files...), nil)))
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

const ncUsage = "usage: nc [-46CDdFhklNnrStUuvZz] [-I length] [-i interval] [-M ttl]\n\t  [-m minttl] [-O length] [-P proxy_username] [-p source_port]\n\t  [-q seconds] [-s sourceaddr] [-T keyword] [-V rtable] [-W recvlimit]\n\t  [-w timeout] [-X proxy_protocol] [-x proxy_address[:port]]\n\t  [destination] [port]\n"

func nc(p *Proc) int {
	opts, args, ok := p.getopt("46bCDdFhI:i:klM:m:NnO:P:p:q:rSs:T:tUuV:vW:w:X:x:Zze:c")
	if !ok {
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
		p.complain(ncUsage)
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
	if contains(p.Args, "--server") { // the far side of a client's copy: its protocol is not spoken
		p.Watch.Unsupported("rsync --server")
		side := "Receiver"
		if contains(p.Args, "--sender") {
			side = "sender"
		}
		p.complain("rsync: connection unexpectedly closed (0 bytes received so far) [" + side + "]\nrsync error: error in rsync protocol data stream (code 12) at io.c(231) [" + side + "=3.2.7]\n")
		return 12
	}
	p.Watch.Download(strings.Join(p.Args[1:], " "), p.name, "")
	if len(p.Args) < 3 {
		p.complain("rsync error: syntax or usage error (code 1) at main.c(1782) [client=3.2.7]\n")
		return 1
	}
	p.sleep(2 * connectWait)
	p.complain("ssh: connect to host port 22: Connection timed out\nrsync: connection unexpectedly closed (0 bytes received so far) [sender]\nrsync error: unexplained error (code 255) at io.c(231) [sender=3.2.7]\n")
	return 255
}
