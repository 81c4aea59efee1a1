package netx

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/netip"
	"os"
	"strings"
)

// System reads the host's surroundings: its own addresses, default gateways
// (/proc/net/route, /proc/net/ipv6_route) and DNS servers (/etc/resolv.conf).
// A file that is not there tells nothing; one that cannot be read is an error.
func System() ([]Local, error) {
	addrs, err := net.InterfaceAddrs()
	if err != nil {
		return nil, fmt.Errorf("read own addresses: %w", err)
	}
	var out []Local
	for _, a := range addrs {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			out = append(out, Local{p.Addr(), "an address of this host"})
		}
	}
	for _, src := range []struct {
		file, what string
		parse      func([]byte) []netip.Addr
	}{
		{"/proc/net/route", "the default gateway", gateways4},
		{"/proc/net/ipv6_route", "the default gateway", gateways6},
		{"/etc/resolv.conf", "a DNS server", Nameservers},
	} {
		text, err := os.ReadFile(src.file)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, fmt.Errorf("read surroundings: %w", err)
		}
		for _, a := range src.parse(text) {
			out = append(out, Local{a, src.what})
		}
	}
	return out, nil
}

// fields calls yield with the words of every line.
func fields(text []byte, yield func([]string)) {
	sc := bufio.NewScanner(bytes.NewReader(text))
	for sc.Scan() {
		if f := strings.Fields(sc.Text()); len(f) > 0 {
			yield(f)
		}
	}
}

// gateways4 reads /proc/net/route: interface, destination, gateway, ... as
// hexadecimal numbers in the byte order of the host, which is little-endian on
// every platform we build for.
func gateways4(text []byte) []netip.Addr {
	var out []netip.Addr
	fields(text, func(f []string) {
		if len(f) < 3 || f[1] != "00000000" {
			return
		}
		if b, err := hex.DecodeString(f[2]); err == nil && len(b) == 4 && f[2] != "00000000" {
			var a [4]byte
			binary.BigEndian.PutUint32(a[:], binary.LittleEndian.Uint32(b))
			out = append(out, netip.AddrFrom4(a))
		}
	})
	return out
}

// gateways6 reads /proc/net/ipv6_route: destination, prefix length, source,
// prefix length, next hop, ...
func gateways6(text []byte) []netip.Addr {
	var out []netip.Addr
	zero := strings.Repeat("0", 32)
	fields(text, func(f []string) {
		if len(f) < 5 || f[0] != zero || f[1] != "00" || f[4] == zero {
			return
		}
		if b, err := hex.DecodeString(f[4]); err == nil && len(b) == 16 {
			out = append(out, netip.AddrFrom16([16]byte(b)))
		}
	})
	return out
}

// Nameservers reads the servers of resolv.conf(5).
func Nameservers(text []byte) []netip.Addr {
	var out []netip.Addr
	fields(text, func(f []string) {
		if len(f) < 2 || f[0] != "nameserver" {
			return
		}
		if a, err := netip.ParseAddr(f[1]); err == nil {
			out = append(out, a.Unmap().WithZone(""))
		}
	})
	return out
}
