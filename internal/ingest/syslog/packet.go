package syslog

import (
	"net/netip"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
)

// packet reads what a packet filter logs of a packet, and reports whether the line
// is such.
func packet(r *ingest.Record, program, text string, e *honeyguide.Event) bool {
	switch {
	case program == "kernel" && strings.Contains(text, " SRC=") && strings.Contains(text, " DST="):
		netfilter(text, e)
	case program == "filterlog":
		return filterlog(r, text, e)
	default:
		return false
	}
	return true
}

// netfilter reads "[UFW BLOCK] IN=eth0 OUT= SRC=192.0.2.1 DST=... PROTO=TCP SPT=1
// DPT=2 ..." of iptables, nftables and ufw.
func netfilter(text string, e *honeyguide.Event) {
	prefix, _, _ := strings.Cut(text, "IN=")
	prefix = strings.TrimSpace(prefix)
	if i := strings.IndexByte(prefix, ']'); strings.HasPrefix(prefix, "[") && i > 0 && strings.Trim(prefix[1:i], " .0123456789") == "" {
		prefix = strings.TrimSpace(prefix[i+1:]) // seconds since the kernel started
	}
	ends := [2]struct {
		addr netip.Addr
		port uint16
	}{}
	for word := range strings.FieldsSeq(text) {
		name, value, ok := strings.Cut(word, "=")
		if !ok {
			continue
		}
		side := 0
		switch name {
		case "DST", "DPT":
			side = 1
		}
		switch name {
		case "SRC", "DST":
			ends[side].addr, _ = netip.ParseAddr(value)
		case "SPT", "DPT":
			n, _ := strconv.ParseUint(value, 10, 16)
			ends[side].port = uint16(n)
		case "PROTO":
			e.Set(honeyguide.AttrProtocol, strings.ToLower(ingest.Cut(value, 16)))
		case "IN":
			e.Set("device.interface", ingest.Cut(value, 64))
		}
	}
	place(&e.Src, ends[0].addr, ends[0].port)
	place(&e.Dst, ends[1].addr, ends[1].port)
	word := strings.ToUpper(prefix)
	verdict(e, strings.Contains(word, "BLOCK") || strings.Contains(word, "DROP") || strings.Contains(word, "DENY") || strings.Contains(word, "REJECT"), prefix)
}

func place(end *honeyguide.Endpoint, addr netip.Addr, port uint16) {
	if addr = addr.Unmap().WithZone(""); addr.IsValid() {
		end.Addr = netip.AddrPortFrom(addr, port)
	}
}

func verdict(e *honeyguide.Event, drop bool, rule string) {
	e.Class, e.Activity = honeyguide.ClassNetwork, passed
	action := "allowed"
	if drop {
		e.Activity, action = blocked, "blocked"
	}
	e.Set(ingest.AttrAction, action)
	e.Set(honeyguide.AttrRule, ingest.Cut(rule, 128))
	e.Set(honeyguide.AttrLogCategory, "firewall")
}

// filterlog reads the comma-separated fields of pfSense and OPNsense: the ninth is
// the IP version, and the others stand at other places for each version.
func filterlog(r *ingest.Record, text string, e *honeyguide.Event) bool {
	f := strings.Split(text, ",")
	if len(f) < 9 {
		return false
	}
	src, dst, proto := 18, 19, 16
	if f[8] == "6" {
		src, dst, proto = 15, 16, 12
	} else if f[8] != "4" {
		return false
	}
	if len(f) <= dst {
		return false
	}
	var addr [2]netip.Addr
	var port [2]uint16
	for i, at := range []int{src, dst} {
		var err error
		if addr[i], err = netip.ParseAddr(f[at]); err != nil {
			r.Note("bad_address")
			return false
		}
		if at+2 < len(f) { // source port, destination port
			n, _ := strconv.ParseUint(f[dst+1+i], 10, 16)
			port[i] = uint16(n)
		}
	}
	name := strings.ToLower(f[proto])
	if name != "tcp" && name != "udp" {
		port = [2]uint16{}
	}
	e.Set(honeyguide.AttrProtocol, ingest.Cut(name, 16))
	e.Set("device.interface", ingest.Cut(f[4], 64))
	place(&e.Src, addr[0], port[0])
	place(&e.Dst, addr[1], port[1])
	verdict(e, f[6] != "pass", f[0])
	return true
}
