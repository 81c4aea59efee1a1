package fwhelper

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"time"

	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"

	"honeyguide/internal/netx"
)

// surroundings asks the kernel for this host's addresses and default gateways,
// as no file can be read in the cage, and adds the name servers known from the
// start.
func surroundings(dns []netip.Addr) func() ([]netx.Local, error) {
	return func() ([]netx.Local, error) {
		var out []netx.Local
		for _, q := range []struct {
			order netlink.HeaderType
			what  string
			parse func([]byte) []netip.Addr
		}{
			{unix.RTM_GETADDR, "an address of this host", ownAddresses},
			{unix.RTM_GETROUTE, "the default gateway", gateways},
		} {
			list, err := dump(q.order)
			if err != nil {
				return nil, err
			}
			for _, m := range list {
				for _, a := range q.parse(m.Data) {
					out = append(out, netx.Local{Addr: a, What: q.what})
				}
			}
		}
		for _, a := range dns {
			out = append(out, netx.Local{Addr: a, What: "a DNS server"})
		}
		return out, nil
	}
}

// dump asks for a whole list of rtnetlink(7), of all versions of IP.
func dump(order netlink.HeaderType) ([]netlink.Message, error) {
	c, err := netlink.Dial(unix.NETLINK_ROUTE, nil)
	if err != nil {
		return nil, fmt.Errorf("ask for the host's addresses: %w", err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(patience)); err != nil {
		return nil, err
	}
	list, err := c.Execute(netlink.Message{
		Header: netlink.Header{Type: order, Flags: netlink.Request | netlink.Dump},
		Data:   make([]byte, unix.SizeofRtMsg), // family 0; long enough for either question
	})
	if err != nil {
		return nil, fmt.Errorf("ask for the host's addresses: %w", err)
	}
	return list, nil
}

// address reads one of 4 or 16 bytes.
func address(b []byte) []netip.Addr {
	if a, ok := netip.AddrFromSlice(b); ok && !a.IsUnspecified() {
		return []netip.Addr{a.Unmap()}
	}
	return nil
}

// ownAddresses reads RTM_NEWADDR: the local address, which on a link between two
// points is another than the one named first.
func ownAddresses(data []byte) []netip.Addr {
	if len(data) < unix.SizeofIfAddrmsg {
		return nil
	}
	var out []netip.Addr
	attributes(data[unix.SizeofIfAddrmsg:], func(kind uint16, b []byte) {
		if kind == unix.IFA_ADDRESS || kind == unix.IFA_LOCAL {
			out = append(out, address(b)...)
		}
	})
	return out
}

// gateways reads RTM_NEWROUTE: the next hops of a route to everywhere, or to one
// half of everywhere, which is how tunnels replace it.
func gateways(data []byte) []netip.Addr {
	const widest = 1
	if len(data) < unix.SizeofRtMsg || data[1] > widest {
		return nil
	}
	var out []netip.Addr
	hop := func(kind uint16, b []byte) {
		switch kind {
		case unix.RTA_GATEWAY:
			out = append(out, address(b)...)
		case unix.RTA_VIA: // the address follows its family
			if len(b) > 2 {
				out = append(out, address(b[2:])...)
			}
		}
	}
	attributes(data[unix.SizeofRtMsg:], func(kind uint16, b []byte) {
		hop(kind, b)
		for kind == unix.RTA_MULTIPATH && len(b) >= unix.SizeofRtNexthop {
			n := int(binary.NativeEndian.Uint16(b))
			if n < unix.SizeofRtNexthop || n > len(b) {
				return
			}
			attributes(b[unix.SizeofRtNexthop:n], hop)
			b = b[min((n+3)&^3, len(b)):]
		}
	})
	return out
}

// attributes calls yield with each attribute of a message.
func attributes(b []byte, yield func(kind uint16, value []byte)) {
	for len(b) >= unix.SizeofRtAttr {
		n := int(binary.NativeEndian.Uint16(b))
		if n < unix.SizeofRtAttr || n > len(b) {
			return
		}
		yield(binary.NativeEndian.Uint16(b[2:])&^(unix.NLA_F_NESTED|unix.NLA_F_NET_BYTEORDER), b[unix.SizeofRtAttr:n])
		b = b[min((n+3)&^3, len(b)):]
	}
}
