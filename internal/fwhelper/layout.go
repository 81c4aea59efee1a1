package fwhelper

import (
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"golang.org/x/sys/unix"
)

// tableName is our own table, of the family inet. No other is ever touched.
const tableName = "honeyguide"

func ourTable() *nftables.Table {
	return &nftables.Table{Name: tableName, Family: nftables.TableFamilyINet}
}

// A family is one version of IP as the kernel's expressions see it.
type family struct {
	name     string // suffix of sets: blk4
	proto    byte   // of meta nfproto
	src, dst uint32 // offsets of the addresses in the header
	length   uint32 // of an address
	key      nftables.SetDatatype
}

var (
	ipv4 = family{"4", unix.NFPROTO_IPV4, 12, 16, 4, nftables.TypeIPAddr}
	ipv6 = family{"6", unix.NFPROTO_IPV6, 8, 24, 16, nftables.TypeIP6Addr}
)

var families = []*family{&ipv4, &ipv6}

func familyOf(a netip.Addr) *family {
	if a.Is4() {
		return &ipv4
	}
	return &ipv6
}

// setSize bounds the sets of single addresses in the kernel, whoever adds.
const setSize = 1 << 20

// blockSet is the set of single addresses of a family: a hash table.
func blockSet(f *family, suffix string) *nftables.Set {
	return &nftables.Set{Table: ourTable(), Name: "blk" + f.name + suffix, KeyType: f.key, HasTimeout: true, Dynamic: true, Counter: true, Size: setSize}
}

// netSet is the set of networks of a family: intervals that never overlap.
func netSet(f *family, suffix string) *nftables.Set {
	return &nftables.Set{Table: ourTable(), Name: "cidr" + f.name + suffix, KeyType: f.key, HasTimeout: true, Interval: true, Counter: true}
}

// A chain of ours drops what is blocked at one hook: by source where packets
// come in, by destination where they leave or pass through, so that what was
// established is cut in both directions.
type dropChain struct {
	name   string
	hook   *nftables.ChainHook
	source bool
}

var dropChains = []dropChain{
	{"early", nftables.ChainHookPrerouting, true},
	{"late", nftables.ChainHookOutput, false},
	{"through", nftables.ChainHookForward, false},
}

// rerouteChain is where new connections get another destination.
const rerouteChain = "reroute"

// rulesPerDropChain is how many rules each of them has: a set of addresses and
// one of networks for each version of IP.
const rulesPerDropChain = 4

func (d dropChain) chain() *nftables.Chain {
	accept := nftables.ChainPolicyAccept
	return &nftables.Chain{Name: d.name, Table: ourTable(), Type: nftables.ChainTypeFilter, Hooknum: d.hook, Priority: nftables.ChainPriorityRaw, Policy: &accept}
}

func natChain() *nftables.Chain {
	accept := nftables.ChainPolicyAccept
	return &nftables.Chain{
		Name: rerouteChain, Table: ourTable(), Type: nftables.ChainTypeNAT,
		Hooknum: nftables.ChainHookPrerouting, Priority: nftables.ChainPriorityNATDest, Policy: &accept,
	}
}

// Registers: one of 16 bytes, and the four of 4 bytes it consists of.
const (
	reg1  = unix.NFT_REG_1
	reg32 = unix.NFT_REG32_00
)

// ofFamily matches packets of one version of IP.
func (f *family) ofFamily() []expr.Any {
	return []expr.Any{
		&expr.Meta{Key: expr.MetaKeyNFPROTO, Register: reg1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: []byte{f.proto}},
	}
}

// dropRule drops packets whose address at offset at is in the set. Packets are
// counted by the elements, so that the rules never change.
func dropRule(c *nftables.Chain, f *family, at uint32, s *nftables.Set) *nftables.Rule {
	return &nftables.Rule{Table: c.Table, Chain: c, Exprs: append(f.ofFamily(),
		&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseNetworkHeader, Offset: at, Len: f.length},
		&expr.Lookup{SourceRegister: reg1, SetName: s.Name, SetID: s.ID},
		&expr.Verdict{Kind: expr.VerdictDrop},
	)}
}

// Maps of redirects: from . protocol . port to a port of this host, or to an
// address and a port.
func redirectMap(f *family, away bool) *nftables.Set {
	s := &nftables.Set{
		Table: ourTable(), Name: "here" + f.name, IsMap: true, Interval: true, HasTimeout: true, Concatenation: true,
		KeyType:  nftables.MustConcatSetType(f.key, nftables.TypeInetProto, nftables.TypeInetService),
		DataType: nftables.TypeInetService,
	}
	if away {
		s.Name, s.DataType = "away"+f.name, nftables.MustConcatSetType(f.key, nftables.TypeInetService)
	}
	return s
}

// redirectRule looks a new connection up in a map and gives it the destination
// found there. Of TCP it takes what opens a connection and nothing else: one that
// the kernel has not followed so far would seem new in its middle.
func redirectRule(c *nftables.Chain, f *family, tcp, away bool, s *nftables.Set) *nftables.Rule {
	words := f.length / 4
	proto := byte(unix.IPPROTO_UDP)
	if tcp {
		proto = unix.IPPROTO_TCP
	}
	exprs := append(f.ofFamily(),
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg1},
		&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: []byte{proto}},
	)
	if tcp {
		const flags, syn, looked = 13, 0x02, 0x17 // of the TCP header; FIN, SYN, RST and ACK are looked at
		exprs = append(exprs,
			&expr.Payload{DestRegister: reg1, Base: expr.PayloadBaseTransportHeader, Offset: flags, Len: 1},
			&expr.Bitwise{SourceRegister: reg1, DestRegister: reg1, Len: 1, Mask: []byte{looked}, Xor: []byte{0}},
			&expr.Cmp{Op: expr.CmpOpEq, Register: reg1, Data: []byte{syn}},
		)
	}
	exprs = append(exprs,
		&expr.Payload{DestRegister: reg32, Base: expr.PayloadBaseNetworkHeader, Offset: f.src, Len: f.length},
		&expr.Meta{Key: expr.MetaKeyL4PROTO, Register: reg32 + words},
		&expr.Payload{DestRegister: reg32 + words + 1, Base: expr.PayloadBaseTransportHeader, Offset: 2, Len: 2},
		&expr.Lookup{SourceRegister: reg32, DestRegister: reg1, IsDestRegSet: true, SetName: s.Name, SetID: s.ID},
	)
	if away {
		exprs = append(exprs, &expr.NAT{Type: expr.NATTypeDestNAT, Family: uint32(f.proto), RegAddrMin: reg32, RegProtoMin: reg32 + words, Specified: true})
	} else {
		exprs = append(exprs, &expr.Redir{RegisterProtoMin: reg1, Flags: unix.NF_NAT_RANGE_PROTO_SPECIFIED})
	}
	return &nftables.Rule{Table: c.Table, Chain: c, Exprs: exprs}
}

// An item is what is in force for some addresses: from first to last, left long.
type item struct {
	first, last netip.Addr
	left        time.Duration
}

// element returns a single address as the kernel takes it.
func (i item) element() nftables.SetElement {
	return nftables.SetElement{Key: i.first.AsSlice(), Timeout: timeout(i.left)}
}

// timeout is never zero, which would mean no end.
func timeout(left time.Duration) time.Duration {
	return max(left.Truncate(time.Millisecond), time.Millisecond)
}

// interval returns the two elements of a range: its first address, and the
// one behind its last.
func (i item) interval() []nftables.SetElement {
	return []nftables.SetElement{
		{Key: i.first.AsSlice(), Timeout: timeout(i.left)},
		{Key: i.last.Next().AsSlice(), IntervalEnd: true},
	}
}

// A reroute is one redirect as the kernel takes it.
type reroute struct {
	from netip.Prefix
	tcp  bool
	port uint16
	to   netip.AddrPort // an unspecified address means this host
	left time.Duration
}

func (r *reroute) away() bool { return !r.to.Addr().IsUnspecified() }

func (r *reroute) element() nftables.SetElement {
	proto := byte(unix.IPPROTO_UDP)
	if r.tcp {
		proto = unix.IPPROTO_TCP
	}
	port := func(p uint16) []byte { return []byte{byte(p >> 8), byte(p), 0, 0} }
	// Every part of a key takes whole words.
	key := func(a netip.Addr) []byte { return append(append(a.AsSlice(), proto, 0, 0, 0), port(r.port)...) }
	e := nftables.SetElement{Key: key(r.from.Addr()), KeyEnd: key(lastOf(r.from)), Timeout: timeout(r.left)}
	if r.away() {
		e.Val = append(r.to.Addr().AsSlice(), port(r.to.Port())...)
	} else {
		e.Val = port(r.to.Port())[:2]
	}
	return e
}
