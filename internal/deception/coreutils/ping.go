package coreutils

import (
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
)

// local reports whether an address is the machine's own or on its network.
func (p *Proc) knownAddr(name string) (netip.Addr, bool) {
	a, err := netip.ParseAddr(name)
	if err == nil {
		return a, true
	}
	m := p.machine()
	for line := range strings.Lines(p.slurp("/etc/hosts")) {
		f := strings.Fields(line)
		if len(f) > 1 && slices.Contains(f[1:], name) {
			if a, err := netip.ParseAddr(f[0]); err == nil {
				return a, true
			}
		}
	}
	if name == m.Hostname || name == m.FQDN() {
		return netip.MustParseAddr("127.0.1.1"), true
	}
	return netip.Addr{}, false
}

// near reports whether the pretended network answers for an address.
func (p *Proc) near(a netip.Addr) bool {
	m := p.machine()
	if a.IsLoopback() || a == m.Main().Addr.Addr() || a == m.Main().Addr6.Addr() {
		return true
	}
	return slices.ContainsFunc(m.Neighbours(), func(n machine.Neighbour) bool { return n.Addr == a })
}

func ping(p *Proc) int {
	opts, args, ok := p.getopt("46aAbBc:dDfhi:I:Ll:m:M:nOp:qQ:rRs:S:t:T:UvVw:W:")
	if !ok {
		return 2
	}
	count := 0
	for _, o := range opts {
		if o.name == "c" {
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 1 {
				p.errorf("invalid argument: '%s'", o.val)
				return 1
			}
			count = n
		}
	}
	if len(args) == 0 {
		p.errorf("usage error: Destination address required")
		return 1
	}
	name := args[len(args)-1]
	a, known := p.knownAddr(name)
	if !known {
		p.sleep(5 * time.Second)
		p.errorf("%s: Temporary failure in name resolution", name)
		return 2
	}
	p.printf("PING %s (%s) 56(84) bytes of data.\n", name, a)
	alive := p.near(a)
	n := count
	if n == 0 {
		n = 1 << 20
		if p.Sleep == nil {
			n = 4
		}
	}
	got := 0
	base := 0.31
	if a.IsLoopback() {
		base = 0.04
	}
	for i := 1; i <= n; i++ {
		p.step(10)
		if alive {
			got++
			p.printf("64 bytes from %s: icmp_seq=%d ttl=64 time=%.3f ms\n", a, i, base+float64((p.PID+i*37)%60)/1000)
		}
		if i < n || !alive {
			p.sleep(time.Second)
		}
	}
	p.printf("\n--- %s ping statistics ---\n%d packets transmitted, %d received, %d%% packet loss, time %dms\n", name, n, got, 100-100*got/n, (n-1)*1013)
	if got > 0 {
		p.printf("rtt min/avg/max/mdev = %.3f/%.3f/%.3f/%.3f ms\n", base, base+.03, base+.058, .017)
		return 0
	}
	p.print("\n")
	return 1
}

// resolverOption refuses an option that dig, host or nslookup do not know.
func (p *Proc) resolverOption() int {
	for _, a := range p.Args[1:] {
		if len(a) < 2 || a[0] != '-' {
			continue
		}
		switch {
		case p.name == "dig" && (a[1] == '-' || !strings.Contains("46bcfhikmpqrtuvxy", a[1:2])):
			p.complain("Invalid option: " + a + "\nUsage:  dig [@global-server] [domain] [q-type] [q-class] {q-opt}\n            {global-d-opt} host [@local-server] {local-d-opt}\n            [ host [@local-server] {local-d-opt} [...]]\n\nUse \"dig -h\" (or \"dig -h | more\") for complete list of options\n")
			return 1
		case p.name == "host" && !strings.Contains("46aAcCdilmnNprRstTUvVwW", a[1:2]):
			p.complain("host: illegal option -- " + a[1:2] + "\nUsage: host [-aCdilrTvVw] [-c class] [-N ndots] [-t type] [-W time]\n")
			return 1
		case p.name == "nslookup" && !nslookupKnows(a[1:]):
			p.print("*** Invalid option: " + a[1:] + "\n\n")
			return 1
		}
	}
	return 0
}

// nslookupKnows reports a setting of nslookup, which may carry a value.
func nslookupKnows(a string) bool {
	word, _, _ := strings.Cut(a, "=")
	return strings.Contains(" all cl class d2 debug def defname do domain fail nod2 nodebug nodef nodefname nofail norec norecurse nosea nosearch novc po port q query querytype rec recurse ret retry sea search srchlist t timeout ty type vc version v V ", " "+word+" ")
}

func resolve(p *Proc) int {
	var name string
	for _, a := range p.Args[1:] {
		if !strings.HasPrefix(a, "-") && !strings.HasPrefix(a, "+") && !strings.HasPrefix(a, "@") && a != "ANY" && a != "A" {
			name = a
			break
		}
	}
	if status := p.resolverOption(); status != 0 {
		return status
	}
	server := p.machine().DNS[0].String()
	p.Watch.Download(name, p.name, "")
	p.sleep(5 * time.Second)
	switch p.name {
	case "host":
		p.print(";; communications error to " + server + "#53: timed out\n;; communications error to " + server + "#53: timed out\n;; no servers could be reached\n\n")
	case "nslookup":
		p.print(";; communications error to " + server + "#53: timed out\n;; no servers could be reached\n\n")
	default:
		p.printf(";; communications error to %s#53: timed out\n\n; <<>> DiG 9.18.49-1~deb12u1-Debian <<>> %s\n;; global options: +cmd\n;; no servers could be reached\n", server, strings.Join(p.Args[1:], " "))
	}
	if p.name == "dig" {
		return 9
	}
	return 1
}
