package fetcher

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/ipc"
)

// closed are the networks that are not the public Internet: private and shared
// ranges, loopback, link-local with the metadata services of clouds in it,
// documentation, multicast, and the IPv6 forms that wrap an IPv4 address.
var closed = func() []netip.Prefix {
	var out []netip.Prefix
	for _, s := range strings.Fields(`0.0.0.0/8 10.0.0.0/8 100.64.0.0/10 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.0.0/24 192.0.2.0/24
		192.88.99.0/24 192.168.0.0/16 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 224.0.0.0/4 240.0.0.0/4
		::/128 ::1/128 ::ffff:0:0/96 64:ff9b::/96 64:ff9b:1::/48 100::/64 2001::/32 2001:db8::/32 2002::/16 fc00::/7 fe80::/10 ff00::/8`) {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// DefaultPorts are the ports that may be connected to unless others are listed.
var DefaultPorts = []uint16{80, 443, 8080}

// dnsPort is open besides: answers too long for a datagram come over TCP.
const dnsPort = 53

// A guard judges where a request may go.
type guard struct {
	ports []uint16       // of http and https, whatever the host
	ways  []ipc.FetchWay // besides, each for its scheme and host
	allow []netip.Prefix // although they are not public
	own   []netip.Addr   // never
	look  func(ctx context.Context, host string) ([]netip.Addr, error)
	hosts map[string][]netip.Addr

	inside []string // hosts that may have private addresses
}

func refuse(format string, args ...any) error {
	return fmt.Errorf("%w: "+format, append([]any{ErrRefused}, args...)...)
}

// address judges an address as it is about to be connected to.
func (g *guard) address(a netip.Addr) error {
	listed := slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(a.Unmap().WithZone("")) })
	switch {
	case !a.IsValid():
		return refuse("no address")
	case a.Zone() != "":
		return refuse("the address %v has a zone", a)
	case a.Is4In6():
		return refuse("the address %v is an IPv4 address in the clothes of IPv6", a)
	case listed:
		return nil
	case slices.Contains(g.own, a):
		return refuse("%v is this host's own address", a)
	}
	for _, p := range closed {
		if p.Contains(a) {
			return refuse("%v is not public (%v); list it in fetch.allow if it is yours to ask", a, p)
		}
	}
	return nil
}

// admit judges an address of a host. A host that the settings name may be in the
// operator's own network or on this machine, but nowhere else that is closed: not
// among the link-local addresses, where clouds keep their keys.
func (g *guard) admit(host string, a netip.Addr) error {
	named := slices.Contains(g.inside, hostName(host)) && a.Zone() == "" && !a.Is4In6()
	if named && (a.IsPrivate() || a.IsLoopback() || slices.Contains(g.own, a) && !a.IsLinkLocalUnicast()) {
		return nil
	}
	return g.address(a)
}

// url judges a URL before anything is looked up. secret says that a key goes with it.
func (g *guard) url(u *url.URL, secret bool) error {
	switch {
	case u.Scheme != "http" && u.Scheme != "https":
		return refuse("the scheme %.20q; want http or https", u.Scheme)
	case u.User != nil:
		return refuse("a user in the URL; send a header")
	case u.Host == "" || u.Hostname() == "":
		return refuse("no host in the URL")
	}
	if _, err := g.port(u); err != nil {
		return err
	}
	name := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	addr, err := netip.ParseAddr(name)
	switch {
	case err == nil:
		if err := g.admit(name, addr); err != nil {
			return err
		}
	case slices.Contains(g.inside, name):
	case name == "localhost" || strings.HasSuffix(name, ".localhost"):
		return refuse("%s is this host", name)
	case numeric(name[strings.LastIndexByte(name, '.')+1:]):
		return refuse("%.60q is neither an address nor a name", name) // 127.1, 0x7f.1, 2130706433
	}
	if secret && u.Scheme == "http" && !(err == nil && (addr.IsLoopback() || slices.ContainsFunc(g.allow, func(p netip.Prefix) bool { return p.Contains(addr) }))) {
		return refuse("a key would be sent in the clear; want https")
	}
	return nil
}

// numeric reports whether a last label is one that some resolvers take for a
// part of an address.
func numeric(label string) bool {
	_, err := strconv.ParseUint(label, 0, 64)
	return err == nil
}

// place judges a URL that is no web page: it must be one the operator's settings
// name.
func (g *guard) place(u *url.URL) (ipc.FetchWay, error) {
	way, err := WayTo(u.String())
	switch {
	case err != nil:
		return way, err
	case u.User != nil || u.RawQuery != "" || strings.Trim(u.Path, "/") != "":
		return way, refuse("more than scheme, host and port in the URL")
	case !slices.Contains(g.ways, way):
		return way, refuse("%s://%.100s:%d is not in the settings of any action", way.Scheme, way.Host, way.Port)
	}
	return way, nil
}

// port returns the port of a web address, if it may be connected to.
func (g *guard) port(u *url.URL) (uint16, error) {
	text := u.Port()
	if text == "" {
		text = strconv.Itoa(int(defaultPorts[u.Scheme]))
	}
	return g.portOf(text, u.Hostname(), u.Scheme)
}

// portOf judges a port of a host for some schemes.
func (g *guard) portOf(text, host string, schemes ...string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	if err != nil {
		return 0, refuse("port %.10q", text)
	}
	for _, s := range schemes {
		web := s == "http" || s == "https"
		if web && slices.Contains(g.ports, uint16(n)) || slices.Contains(g.ways, ipc.FetchWay{Scheme: s, Host: hostName(host), Port: uint16(n)}) {
			return uint16(n), nil
		}
	}
	return 0, refuse("port %d; allowed are %v", n, g.ports)
}

// resolve returns the addresses of a host that may be connected to. It looks
// names up itself, so that what was judged is what is connected to.
func (g *guard) resolve(ctx context.Context, host string) ([]netip.Addr, error) {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	list := g.hosts[host]
	if a, err := netip.ParseAddr(host); err == nil {
		list = []netip.Addr{a}
	} else if list == nil {
		if list, err = g.look(ctx, host); err != nil {
			return nil, err
		}
	}
	var out []netip.Addr
	var no error
	for _, a := range list {
		if err := g.admit(host, a); err != nil {
			no = errors.Join(no, err)
			continue
		}
		out = append(out, a)
	}
	if len(out) == 0 {
		if no == nil {
			no = refuse("%.100q has no address", host)
		}
		return nil, no
	}
	return out, nil
}

// dial connects to a web server the guard has judged.
func (g *guard) dial(ctx context.Context, network, address string) (net.Conn, error) {
	return g.dialFor(ctx, network, address, "http", "https")
}

// dialFor connects to an address that is open to one of the schemes.
func (g *guard) dialFor(ctx context.Context, network, address string, schemes ...string) (net.Conn, error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, refuse("%v", err)
	}
	n, err := g.portOf(port, host, schemes...)
	if err != nil {
		return nil, err
	}
	list, err := g.resolve(ctx, host)
	if err != nil {
		return nil, err
	}
	var d net.Dialer
	var faults error
	for _, a := range list[:min(len(list), maxTried)] {
		c, err := d.DialContext(ctx, network, netip.AddrPortFrom(a, n).String())
		if err == nil {
			return c, nil
		}
		faults = errors.Join(faults, err)
	}
	return nil, faults
}

// maxTried is how many addresses of a host are tried.
const maxTried = 4
