package coreutils

import (
	"net/netip"
	"slices"
	"strings"

	"honeyguide/internal/deception/machine"
)

func networkCommands(name string) Command {
	switch name {
	case "ip":
		return ipCmd
	case "ifconfig":
		return ifconfig
	case "route":
		return route
	case "arp":
		return arp
	case "ss":
		return ss
	case "netstat":
		return netstat
	case "ping", "ping4", "ping6":
		return ping
	case "host", "nslookup", "dig":
		return resolve
	case "iptables", "ip6tables", "iptables-save", "iptables-legacy", "iptables-nft":
		return iptables
	case "lsof":
		return lsof
	}
	return nil
}

func mask(n netip.Prefix) string {
	bits := ^uint32(0) << (32 - n.Bits())
	return sprintf("%d.%d.%d.%d", bits>>24, bits>>16&255, bits>>8&255, bits&255)
}

func broadcast(n netip.Prefix) string {
	a := n.Masked().Addr().As4()
	host := ^(^uint32(0) << (32 - n.Bits()))
	for i := range 4 {
		a[i] |= byte(host >> (24 - 8*i))
	}
	return netip.AddrFrom4(a).String()
}

func ipCmd(p *Proc) int {
	var words []string
	var form ipForm
	for _, a := range p.Args[1:] {
		switch {
		case a == "-V" || a == "-Version":
			p.print("ip utility, iproute2-6.1.0, libbpf 1.1.2\n")
			return 0
		case strings.HasPrefix(a, "-br"):
			form.brief = true
		case a == "-o" || strings.HasPrefix("-oneline", a) && len(a) > 2:
			form.oneLine = true
		case a == "-4" || a == "-6":
			form.family = a[1]
		case strings.HasPrefix(a, "-") && len(words) == 0:
			if !ipKnows(a) {
				p.complain("Option \"" + strings.Replace(a, "--", "-", 1) + "\" is unknown, try \"ip -help\".\n")
				return 255
			}
		default:
			words = append(words, a)
		}
	}
	if len(words) == 0 {
		p.complain("Usage: ip [ OPTIONS ] OBJECT { COMMAND | help }\n       ip [ -force ] -batch filename\nwhere  OBJECT := { address | addrlabel | fou | help | ila | ioam | l2tp | link |\n                   macsec | maddress | monitor | mptcp | mroute | mrule |\n                   neighbor | neighbour | netconf | netns | nexthop | ntable |\n                   ntbl | route | rule | sr | tap | tcpmetrics |\n                   token | tunnel | tuntap | vrf | xfrm }\n")
		return 255
	}
	object := ""
	for _, o := range []string{"address", "link", "route", "neighbour", "neighbor", "rule", "netns"} {
		if strings.HasPrefix(o, words[0]) {
			object = o
			break
		}
	}
	if len(words) > 1 && !slices.Contains([]string{"show", "list", "ls", "sh", "s", "l", "get", "dev"}, words[1]) && !strings.HasPrefix("show", words[1]) {
		if p.Cred.UID != 0 {
			p.complain("RTNETLINK answers: Operation not permitted\n")
			return 2
		}
		return p.ipChange(object, words)
	}
	dev := ""
	if i := slices.Index(words, "dev"); i >= 0 && i+1 < len(words) {
		dev = words[i+1]
	} else if len(words) > 2 && object != "route" {
		dev = words[2]
	}
	m := p.machine()
	if dev != "" && !slices.ContainsFunc(m.Interfaces, func(i machine.Interface) bool { return i.Name == dev }) {
		p.complain("Device \"" + dev + "\" does not exist.\n")
		return 1
	}
	switch object {
	case "address", "link":
		for i, n := range m.Interfaces {
			if dev == "" || dev == n.Name {
				p.ipShow(i+1, n, object == "address", form)
			}
		}
	case "route":
		i := m.Main()
		p.printf("default via %s dev %s onlink \n%s dev %s proto kernel scope link src %s \n", m.Gateway, i.Name, i.Addr.Masked(), i.Name, i.Addr.Addr())
	case "neighbour", "neighbor":
		for _, n := range m.Neighbours() {
			p.printf("%s dev %s lladdr %s %s \n", n.Addr, m.Main().Name, n.MAC, map[bool]string{true: "REACHABLE", false: "STALE"}[n.Addr == m.Gateway])
		}
	case "rule":
		p.print("0:\tfrom all lookup local\n32766:\tfrom all lookup main\n32767:\tfrom all lookup default\n")
	case "netns":
	default:
		p.complain("Object \"" + words[0] + "\" is unknown, try \"ip help\".\n")
		return 1
	}
	return 0
}

// ipKnows reports an option of ip, which may be cut short.
func ipKnows(a string) bool {
	a = strings.TrimLeft(a, "-")
	if a == "" {
		return true
	}
	for _, o := range []string{"4", "6", "0", "B", "M", "N", "Numeric", "a", "all", "batch", "brief", "c", "color", "Color", "c=auto", "c=always", "c=never", "d", "details", "echo", "f", "family", "force", "h", "help", "human-readable", "iec", "j", "json", "l", "loops", "n", "netns", "o", "oneline", "p", "pretty", "r", "resolve", "rc", "rcvbuf", "s", "statistics", "stats", "t", "timestamp", "tshort", "V", "Version"} {
		if strings.HasPrefix(o, a) {
			return true
		}
	}
	return false
}

// ipChange is ip with a verb that changes something. Changes of what there is
// are reported and believed.
func (p *Proc) ipChange(object string, words []string) int {
	verbs := map[string]string{
		"address": "add change replace del delete flush save restore", "link": "add set change del delete property xstats afstats help",
		"route": "add change replace append prepend test del delete flush save restore", "neighbour": "add change replace del delete flush proxy", "neighbor": "add change replace del delete flush proxy",
		"rule": "add del delete flush save restore", "netns": "add del delete set identify pids exec monitor attach",
	}[object]
	known := slices.ContainsFunc(strings.Fields(verbs), func(v string) bool { return strings.HasPrefix(v, words[1]) })
	dev := ""
	if i := slices.Index(words, "dev"); i >= 0 && i+1 < len(words) {
		dev = words[i+1]
	} else if object == "link" && len(words) > 2 && !strings.HasPrefix("add", words[1]) {
		dev = words[2]
	}
	switch missing := dev == ""; {
	case object == "":
		p.complain("Object \"" + words[0] + "\" is unknown, try \"ip help\".\n")
		return 1
	case !known:
		p.complain("Command \"" + words[1] + "\" is unknown, try \"ip " + object + " help\".\n")
		return 255
	case missing && object == "link" && words[1] != "add":
		p.complain("Not enough information: \"dev\" argument is required.\n")
		return 255
	case missing && object == "address" && strings.HasPrefix("add", words[1]):
		p.complain("Not enough information: \"dev\" argument is required.\n")
		return 1
	case missing:
	case !slices.ContainsFunc(p.machine().Interfaces, func(i machine.Interface) bool { return i.Name == dev }):
		p.complain("Cannot find device \"" + dev + "\"\n")
		return 1
	}
	p.Watch.Unsupported("ip " + strings.Join(words[:2], " "))
	return 0
}

func (p *Proc) ipAddress(n int, i machine.Interface, addresses, brief bool) {
	if brief {
		state := map[bool]string{true: "UNKNOWN", false: "UP"}[i.Loopback]
		if addresses {
			p.printf("%-16s %-14s %s %s \n", i.Name, state, i.Addr, i.Addr6)
		} else {
			p.printf("%-16s %-14s %s <%s> \n", i.Name, state, i.MAC, map[bool]string{true: "LOOPBACK,UP,LOWER_UP", false: "BROADCAST,MULTICAST,UP,LOWER_UP"}[i.Loopback])
		}
		return
	}
	if i.Loopback {
		p.printf("%d: lo: <LOOPBACK,UP,LOWER_UP> mtu 65536 qdisc noqueue state UNKNOWN %sgroup default qlen 1000\n    link/loopback 00:00:00:00:00:00 brd 00:00:00:00:00:00\n", n, map[bool]string{false: "mode DEFAULT "}[addresses])
		if addresses {
			p.print("    inet 127.0.0.1/8 scope host lo\n       valid_lft forever preferred_lft forever\n    inet6 ::1/128 scope host noprefixroute \n       valid_lft forever preferred_lft forever\n")
		}
		return
	}
	p.printf("%d: %s: <BROADCAST,MULTICAST,UP,LOWER_UP> mtu %d qdisc pfifo_fast state UP %sgroup default qlen 1000\n    link/ether %s brd ff:ff:ff:ff:ff:ff\n", n, i.Name, i.MTU, map[bool]string{false: "mode DEFAULT "}[addresses], i.MAC)
	if strings.HasPrefix(i.Name, "ens") {
		p.printf("    altname enp0s%s\n", i.Name[3:])
	}
	if addresses {
		p.printf("    inet %s brd %s scope global %s\n       valid_lft forever preferred_lft forever\n    inet6 %s scope link \n       valid_lft forever preferred_lft forever\n", i.Addr, broadcast(i.Addr), i.Name, i.Addr6)
	}
}

func ifconfig(p *Proc) int {
	var args []string
	for _, a := range p.Args[1:] {
		switch {
		case !strings.HasPrefix(a, "-"):
			args = append(args, a)
		case a == "--help" || a == "-h" || a == "-?":
			p.help()
		case a == "--version" || a == "-V":
			p.version()
		case len(args) == 0 && a != "-a" && a != "-s" && a != "-v":
			p.complain("ifconfig: option `" + a + "' not recognised.\nifconfig: `--help' gives usage information.\n")
			return 1
		}
	}
	if len(args) > 1 && p.Cred.UID != 0 {
		p.complain("SIOCSIFFLAGS: Operation not permitted\n")
		return 255
	}
	shown := false
	list := slices.Clone(p.machine().Interfaces)
	slices.SortStableFunc(list, func(a, b machine.Interface) int {
		return map[bool]int{true: 1}[a.Loopback] - map[bool]int{true: 1}[b.Loopback]
	})
	for _, i := range list {
		if len(args) > 0 && args[0] != i.Name {
			continue
		}
		shown = true
		rx, rxp, tx, txp := p.machine().Traffic(i, p.Now())
		if i.Loopback {
			p.printf("lo: flags=73<UP,LOOPBACK,RUNNING>  mtu %d\n        inet 127.0.0.1  netmask 255.0.0.0\n        inet6 ::1  prefixlen 128  scopeid 0x10<host>\n        loop  txqueuelen 1000  (Local Loopback)\n", i.MTU)
		} else {
			p.printf("%s: flags=4163<UP,BROADCAST,RUNNING,MULTICAST>  mtu %d\n        inet %s  netmask %s  broadcast %s\n        inet6 %s  prefixlen 64  scopeid 0x20<link>\n        ether %s  txqueuelen 1000  (Ethernet)\n", i.Name, i.MTU, i.Addr.Addr(), mask(i.Addr), broadcast(i.Addr), i.Addr6.Addr(), i.MAC)
		}
		p.printf("        RX packets %d  bytes %d (%s)\n        RX errors 0  dropped 0  overruns 0  frame 0\n        TX packets %d  bytes %d (%s)\n        TX errors 0  dropped 0 overruns 0  carrier 0  collisions 0\n\n", rxp, rx, netSize(rx), txp, tx, netSize(tx))
	}
	if !shown {
		p.complain(args[0] + ": error fetching interface information: Device not found\n")
		return 1
	}
	return 0
}

func netSize(n int64) string {
	f := float64(n)
	for _, u := range []string{"B", "KiB", "MiB", "GiB"} {
		if f < 1024 || u == "GiB" {
			return sprintf("%.1f %s", f, u)
		}
		f /= 1024
	}
	return ""
}

func route(p *Proc) int {
	m := p.machine()
	i := m.Main()
	gw := m.Gateway.String()
	p.print("Kernel IP routing table\nDestination     Gateway         Genmask         Flags Metric Ref    Use Iface\n")
	dest := "default"
	if slices.Contains(p.Args, "-n") {
		dest = "0.0.0.0"
	}
	p.printf("%-15s %-15s %-15s %-5s %-6d %-6d %3d %s\n", dest, gw, "0.0.0.0", "UG", 0, 0, 0, i.Name)
	p.printf("%-15s %-15s %-15s %-5s %-6d %-6d %3d %s\n", i.Addr.Masked().Addr(), "0.0.0.0", mask(i.Addr), "U", 0, 0, 0, i.Name)
	return 0
}

func arp(p *Proc) int {
	m := p.machine()
	if slices.Contains(p.Args, "-a") {
		for _, n := range m.Neighbours() {
			p.printf("? (%s) at %s [ether] on %s\n", n.Addr, n.MAC, m.Main().Name)
		}
		return 0
	}
	p.print("Address                  HWtype  HWaddress           Flags Mask            Iface\n")
	for _, n := range m.Neighbours() {
		p.printf("%-24s %-7s %-19s %-5s %-15s %s\n", n.Addr, "ether", n.MAC, "C", "", m.Main().Name)
	}
	return 0
}

// iptables shows empty tables and believes every rule.
func iptables(p *Proc) int {
	if p.Cred.UID != 0 {
		p.errorf("v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied (you must be root)")
		return 4
	}
	args := strings.Join(p.Args[1:], " ")
	switch {
	case p.name == "iptables-save":
		return 0
	case len(p.Args) == 1:
		p.errorf("v1.8.9 (nf_tables): no command specified")
		p.complain("Try `iptables -h' or 'iptables --help' for more information.\n")
		return 2
	case slices.Contains(p.Args, "-V") || slices.Contains(p.Args, "--version"):
		p.print("iptables v1.8.9 (nf_tables)\n")
	case strings.Contains(args, "-S"):
		p.print("-P INPUT ACCEPT\n-P FORWARD ACCEPT\n-P OUTPUT ACCEPT\n")
	case strings.Contains(args, "-L") || strings.Contains(args, "-nvL") || strings.Contains(args, "-nL") || strings.Contains(args, "-vL") || strings.Contains(args, "--list"):
		for i, c := range []string{"INPUT", "FORWARD", "OUTPUT"} {
			if i > 0 {
				p.print("\n")
			}
			if strings.Contains(args, "v") {
				p.printf("Chain %s (policy ACCEPT 0 packets, 0 bytes)\n pkts bytes target     prot opt in     out     source               destination         \n", c)
			} else {
				p.printf("Chain %s (policy ACCEPT)\ntarget     prot opt source               destination         \n", c)
			}
		}
	}
	return 0
}
