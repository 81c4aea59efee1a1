package coreutils

import (
	"cmp"
	"net/netip"
	"strconv"
	"strings"

	"honeyguide/internal/deception/machine"
)

// selectSockets filters by the letters of netstat and ss.
func (p *Proc) selectSockets(flags map[string]bool) []machine.Socket {
	var out []machine.Socket
	proto := flags["t"] || flags["u"]
	for _, s := range p.table().Sockets() {
		tcp := strings.HasPrefix(s.Proto, "tcp")
		six := strings.HasSuffix(s.Proto, "6")
		switch {
		case proto && tcp && !flags["t"], proto && !tcp && !flags["u"]:
		case flags["l"] && s.State == "ESTAB":
		case !flags["l"] && !flags["a"] && s.State != "ESTAB":
		case flags["4"] && six, flags["6"] && !six:
		default:
			out = append(out, s)
		}
	}
	return out
}

func ss(p *Proc) int {
	opts, _, ok := p.getopt("hvVHOnralBoempiTsEZzKN:bd0twSux46f:A:D:F:M", "numeric,n", "resolve,r", "all,a", "listening,l", "processes,p", "tcp,t", "udp,u", "unix,x", "ipv4,4", "ipv6,6", "summary,s", "extended,e", "options,o", "info,i", "no-header,H", "family=,f", "query=,A", "memory,m")
	if !ok {
		return 255
	}
	f := letters(opts)
	if f["s"] {
		n := len(p.table().Sockets())
		p.printf("Total: %d\nTCP:   %d (estab %d, closed 0, orphaned 0, timewait 0)\n\nTransport Total     IP        IPv6\nRAW\t  0         0         0        \nUDP\t  1         1         0        \nTCP\t  %d         %d         2        \nINET\t  %d         %d         2        \nFRAG\t  0         0         0        \n\n", 131+n, n, max(0, n-5), n, max(0, n-2), n+1, max(0, n-1))
		return 0
	}
	list := p.selectSockets(f)
	one := f["t"] != f["u"] || f["t"]
	service := func(a netip.AddrPort) string {
		s := strconv.Itoa(int(a.Port()))
		if a.Port() == 0 {
			return "*"
		}
		if !f["n"] {
			if n, ok := map[uint16]string{22: "ssh", 80: "http", 3306: "mysql", 443: "https"}[a.Port()]; ok {
				return n
			}
		}
		return s
	}
	local := func(s machine.Socket, a netip.AddrPort) string {
		if a.Addr().Is6() {
			return "[" + a.Addr().String() + "]"
		}
		return a.Addr().String()
	}
	wl, wp := 13, 12
	for _, s := range list {
		wl = max(wl, len(local(s, s.Local)))
		wp = max(wp, len(local(s, s.Peer)))
	}
	if !f["H"] {
		head := sprintf("%-6s %-6s %-6s %*s:%-5s %*s:%-5s", "State", "Recv-Q", "Send-Q", wl, "Local Address", "Port", wp, "Peer Address", "Port")
		if !one {
			head = "Netid " + head
		}
		p.print(head + "Process\n")
	}
	for _, s := range list {
		line := sprintf("%-6s %-6d %-6d %*s:%-5s %*s:%-5s", s.State, 0, s.Backlog, wl, local(s, s.Local), service(s.Local), wp, local(s, s.Peer), service(s.Peer))
		if !one {
			line = sprintf("%-5s ", strings.TrimSuffix(s.Proto, "6")) + line
		}
		if f["p"] && p.Cred.UID == 0 {
			line += sprintf("users:((\"%s\",pid=%d,fd=%d))", s.Process, s.PID, s.FD)
		}
		p.print(line + "\n")
	}
	return 0
}

func netstat(p *Proc) int {
	opts, _, ok := p.getopt("rINMgisvWnNaelopcFCtuUwxSZ46A:", "route,r", "interfaces,i", "numeric,n", "all,a", "listening,l", "programs,p", "tcp,t", "udp,u", "extend,e", "wide,W", "statistics,s", "inet,4", "inet6,6")
	if !ok {
		return 3
	}
	f := letters(opts)
	if f["r"] {
		return route(p)
	}
	if f["i"] {
		p.print("Kernel Interface table\nIface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR TX-DRP TX-OVR Flg\n")
		for _, i := range p.machine().Interfaces {
			_, rx, _, tx := p.machine().Traffic(i, p.Now())
			p.printf("%-15s %5d %8d %6d %6d %-6d %8d %6d %6d %6d %s\n", i.Name, i.MTU, rx, 0, 0, 0, tx, 0, 0, 0, map[bool]string{true: "LRU", false: "BMRU"}[i.Loopback])
		}
		return 0
	}
	title := "w/o servers"
	if f["a"] {
		title = "servers and established"
	} else if f["l"] {
		title = "only servers"
	}
	if f["p"] && p.Cred.UID != 0 {
		p.complain("(Not all processes could be identified, non-owned process info\n will not be shown, you would have to be root to see it all.)\n")
	}
	p.print("Active Internet connections (" + title + ")\nProto Recv-Q Send-Q Local Address           Foreign Address         State      " + map[bool]string{true: " PID/Program name    "}[f["p"]] + "\n")
	for _, s := range p.selectSockets(f) {
		addr := func(a netip.AddrPort) string {
			port := strconv.Itoa(int(a.Port()))
			if a.Port() == 0 {
				port = "*"
			}
			return a.Addr().String() + ":" + port
		}
		state := map[string]string{"ESTAB": "ESTABLISHED", "UNCONN": ""}[s.State]
		if s.State == "LISTEN" {
			state = "LISTEN"
		}
		line := sprintf("%-5s %6d %6d %-23s %-23s %-11s", s.Proto, 0, 0, addr(s.Local), addr(s.Peer), state)
		if f["p"] {
			who := "-"
			if p.Cred.UID == 0 {
				who = sprintf("%d/%s", s.PID, s.Process)
			}
			line += sprintf(" %-20s", who)
		}
		p.print(line + "\n")
	}
	return 0
}

func lsof(p *Proc) int {
	p.print("COMMAND     PID             USER   FD      TYPE             DEVICE SIZE/OFF       NODE NAME\n")
	for _, s := range p.table().Sockets() {
		if p.Cred.UID != 0 {
			break
		}
		kind := "IPv4"
		if strings.HasSuffix(s.Proto, "6") {
			kind = "IPv6"
		}
		port := map[uint16]string{22: "ssh", 80: "http", 3306: "mysql"}[s.Local.Port()]
		p.printf("%-9s %5d %16s %4du  %-5s %18d      0t0        TCP %s:%s (%s)\n", s.Process, s.PID, p.userName(s.UID), s.FD, kind, s.Inode, map[bool]string{true: "*", false: s.Local.Addr().String()}[s.Local.Addr().IsUnspecified()], cmp.Or(port, strconv.Itoa(int(s.Local.Port()))), s.State)
	}
	return 0
}
