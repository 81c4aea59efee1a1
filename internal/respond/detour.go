package respond

import (
	"fmt"
	"net/netip"
	"strconv"
)

// ParseDetour reads a target and the parameters port, to and proto of a redirect.
// Its end is left out. A to without an address means this host.
func ParseDetour(target string, params map[string]string) (d Detour, err error) {
	if d.From, err = ParseTarget(target); err != nil {
		return d, err
	}
	if d.Port, err = port("port", params["port"]); err != nil {
		return d, err
	}
	switch d.Proto = params["proto"]; d.Proto {
	case "":
		d.Proto = "tcp"
	case "tcp", "udp":
	default:
		return d, fmt.Errorf("proto: %.20q; want tcp or udp", d.Proto)
	}
	to := params["to"]
	if at, err := netip.ParseAddrPort(to); err == nil {
		d.To = netip.AddrPortFrom(at.Addr().Unmap().WithZone(""), at.Port())
	} else {
		own, err := port("to", to)
		if err != nil {
			return d, fmt.Errorf("%w, or an address and a port, 192.0.2.7:2222", err)
		}
		here := netip.IPv4Unspecified()
		if d.From.Addr().Is6() {
			here = netip.IPv6Unspecified()
		}
		d.To = netip.AddrPortFrom(here, own)
	}
	if d.To.Port() == 0 || d.To.Addr().Is4() != d.From.Addr().Is4() {
		return d, fmt.Errorf("to: %s cannot take connections from %s", d.To, Canonical(d.From))
	}
	return d, nil
}

func port(key, text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil || n == 0 {
		return 0, fmt.Errorf("%s: %.40q; want a port from 1 to 65535", key, text)
	}
	return uint16(n), nil
}
