package fwhelper

import (
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/google/nftables"
	"github.com/google/nftables/expr"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// Bounds of one transaction.
const (
	bufferSize = 16 << 20 // of the socket, both ways: a transaction is one message to the kernel
	perMessage = 1000     // elements of one of its parts; a list may take 64 KiB
	perElement = 150      // bytes of the socket's buffer an element takes, at most; an interval is two of them
	patience   = 30 * time.Second
)

// transaction is how many elements one transaction carries at most. Tests make
// it smaller, to see what several do.
var transaction = 100_000

// errGone says that the table, or a part of it, is not there.
var errGone = errors.New("the table honeyguide is not as it was left")

// A kernel commands the table of this network namespace. It is used by one
// goroutine.
type kernel struct {
	most   int    // elements of one transaction
	suffix string // of the sets that are in force
	plain  bool   // there is no chain of redirects for sure
}

// newKernel finds out how much one transaction may carry.
func newKernel() (*kernel, error) {
	k := &kernel{most: transaction}
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return nil, fmt.Errorf("open a netlink socket: %w", err)
	}
	defer conn.Close()
	if err := prepareSocket(conn); err != nil {
		return nil, err
	}
	raw, err := conn.SyscallConn()
	if err != nil {
		return nil, err
	}
	size := 0
	cerr := raw.Control(func(fd uintptr) { size, err = unix.GetsockoptInt(int(fd), unix.SOL_SOCKET, unix.SO_SNDBUF) })
	if err := errors.Join(cerr, err); err != nil {
		return nil, fmt.Errorf("read the size of the buffer: %w", err)
	}
	k.most = max(min(transaction, size/2/perElement), 100)
	return k, k.learn()
}

// learn finds out which sets are in force: a process before this one may have
// left them.
func (k *kernel) learn() error {
	c, err := nftables.New(nftables.WithSockOptions(prepareSocket))
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	rules, err := c.GetRules(ourTable(), dropChains[0].chain())
	if err != nil && !errors.Is(err, unix.ENOENT) {
		return explain("read the rules", err)
	}
	for _, r := range rules {
		for _, e := range r.Exprs {
			if l, ok := e.(*expr.Lookup); ok && l.SetName == blockSet(&ipv4, k.otherSuffix()).Name {
				k.suffix = k.otherSuffix()
				return nil
			}
		}
	}
	return nil
}

// prepareSocket makes room for large transactions and for the answers to their
// parts, which do not repeat what was asked.
func prepareSocket(c *netlink.Conn) error {
	return errors.Join(
		c.SetWriteBuffer(bufferSize), c.SetReadBuffer(bufferSize),
		c.SetOption(netlink.CapAcknowledge, true),
		c.SetDeadline(time.Now().Add(patience)),
	)
}

// do sends what build says as one transaction, on a socket of its own: answers
// that were not read are gone with it.
func (k *kernel) do(what string, build func(c *nftables.Conn) error) error {
	c, err := nftables.New(nftables.WithSockOptions(prepareSocket))
	if err != nil {
		return fmt.Errorf("open a netlink socket: %w", err)
	}
	if err := build(c); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return explain(what, c.Flush())
}

// explain says what people can do about an error of the kernel.
func explain(what string, err error) error {
	switch {
	case err == nil:
		return nil
	case errors.Is(err, os.ErrPermission):
		return fmt.Errorf("%s: %w; run as root or give the service CAP_NET_ADMIN", what, err)
	case errors.Is(err, unix.ENOENT):
		return fmt.Errorf("%s: %w: %w", what, errGone, err)
	case errors.Is(err, unix.EPROTONOSUPPORT), errors.Is(err, unix.EOPNOTSUPP), errors.Is(err, unix.EAFNOSUPPORT), errors.Is(err, unix.EINVAL):
		return fmt.Errorf("%s: %w; the kernel needs nf_tables with inet tables and set timeouts", what, err)
	}
	return fmt.Errorf("%s: %w", what, err)
}

// present reports whether the table exists.
func (k *kernel) present() (bool, error) {
	c, err := nftables.New(nftables.WithSockOptions(prepareSocket))
	if err != nil {
		return false, fmt.Errorf("open a netlink socket: %w", err)
	}
	_, err = c.ListTableOfFamily(tableName, nftables.TableFamilyINet)
	switch {
	case err == nil:
		return true, nil
	case errors.Is(err, unix.ENOENT):
		return false, nil
	}
	return false, explain("look for the table", err)
}

// drop removes the table and all that is in it. It is no error when it is not there.
func (k *kernel) drop() error {
	if there, err := k.present(); err != nil || !there {
		return err
	}
	err := k.do("remove the table", func(c *nftables.Conn) error {
		c.DelTable(c.AddTable(ourTable()))
		return nil
	})
	if err == nil {
		k.suffix, k.plain = "", true
	}
	return err
}

// A state is all that is to be in force.
type state struct {
	singles   []item
	nets      []item
	redirects []reroute
}

func (s *state) empty() bool { return len(s.singles)+len(s.nets)+len(s.redirects) == 0 }

// replace makes the kernel hold s and nothing else of ours. Whoever looks sees
// what was before or what is now: one transaction makes the table anew, or,
// where s is too large for one, several fill sets that no rule asks and the last
// one changes the rules over.
func (k *kernel) replace(s *state) error {
	if s.empty() {
		return k.drop()
	}
	if len(s.singles)+2*len(s.nets) > k.most {
		return k.replaceLarge(s)
	}
	err := k.do("replace the table", func(c *nftables.Conn) error {
		c.DelTable(c.AddTable(ourTable())) // whatever was there
		c.AddTable(ourTable())
		if err := k.build(c, ""); err != nil {
			return err
		}
		if len(s.redirects) > 0 {
			if err := addRedirects(c, s.redirects); err != nil {
				return err
			}
		}
		return errors.Join(addSingles(c, "", s.singles), addNets(c, "", s.nets))
	})
	if err == nil {
		k.suffix, k.plain = "", len(s.redirects) == 0
	}
	return err
}

// otherSuffix is that of the sets not in force.
func (k *kernel) otherSuffix() string {
	if k.suffix == "" {
		return "_b"
	}
	return ""
}

func (k *kernel) replaceLarge(s *state) error {
	next := k.otherSuffix()
	err := k.do("make new sets", func(c *nftables.Conn) error {
		c.AddTable(ourTable())
		for _, f := range families {
			for _, set := range []*nftables.Set{blockSet(f, next), netSet(f, next)} { // what was left of an attempt that did not end goes
				if err := c.AddSet(set, nil); err != nil {
					return err
				}
				c.DelSet(set)
			}
		}
		return addSets(c, next)
	})
	for i := 0; i < len(s.singles) && err == nil; i += k.most {
		part := s.singles[i:min(i+k.most, len(s.singles))]
		err = k.do("fill new sets", func(c *nftables.Conn) error { return addSingles(c, next, part) })
	}
	for i := 0; i < len(s.nets) && err == nil; i += k.most / 2 {
		part := s.nets[i:min(i+k.most/2, len(s.nets))]
		err = k.do("fill new sets", func(c *nftables.Conn) error { return addNets(c, next, part) })
	}
	if err != nil {
		return err
	}
	old := k.suffix
	err = k.do("change over to new sets", func(c *nftables.Conn) error {
		if err := k.build(c, next); err != nil {
			return err
		}
		for _, f := range families {
			for _, set := range []*nftables.Set{blockSet(f, old), netSet(f, old)} {
				if err := c.AddSet(set, nil); err != nil { // so that there is one to delete
					return err
				}
				c.DelSet(set)
			}
		}
		if k.plain && len(s.redirects) == 0 {
			return nil
		}
		return addRedirects(c, s.redirects)
	})
	if err == nil {
		k.suffix, k.plain = next, len(s.redirects) == 0
	}
	return err
}

func addSets(c *nftables.Conn, suffix string) error {
	for _, f := range families {
		if err := errors.Join(c.AddSet(blockSet(f, suffix), nil), c.AddSet(netSet(f, suffix), nil)); err != nil {
			return err
		}
	}
	return nil
}

// build makes the chains, with rules that ask the sets of suffix and no others.
func (k *kernel) build(c *nftables.Conn, suffix string) error {
	sets := map[*family][]*nftables.Set{}
	for _, f := range families {
		sets[f] = []*nftables.Set{blockSet(f, suffix), netSet(f, suffix)}
		for _, s := range sets[f] {
			if err := c.AddSet(s, nil); err != nil {
				return err
			}
		}
	}
	for _, d := range dropChains {
		chain := c.AddChain(d.chain())
		c.FlushChain(chain)
		for _, f := range families {
			at := f.dst
			if d.source {
				at = f.src
			}
			for _, s := range sets[f] {
				c.AddRule(dropRule(chain, f, at, s))
			}
		}
	}
	return nil
}

// addSingles adds single addresses. One that is there stays as it is.
func addSingles(c *nftables.Conn, suffix string, list []item) error {
	return inParts(list, func(f *family, part []nftables.SetElement) error {
		return c.SetAddElements(blockSet(f, suffix), part)
	}, func(i item) []nftables.SetElement { return []nftables.SetElement{i.element()} })
}

func addNets(c *nftables.Conn, suffix string, list []item) error {
	return inParts(list, func(f *family, part []nftables.SetElement) error {
		return c.SetAddElements(netSet(f, suffix), part)
	}, item.interval)
}

// inParts hands on elements by version of IP, as many at a time as fit in a message.
func inParts(list []item, send func(*family, []nftables.SetElement) error, make func(item) []nftables.SetElement) error {
	for _, f := range families {
		var part []nftables.SetElement
		for _, i := range list {
			if familyOf(i.first) != f {
				continue
			}
			if part = append(part, make(i)...); len(part) >= perMessage {
				if err := send(f, part); err != nil {
					return err
				}
				part = part[:0]
			}
		}
		if len(part) > 0 {
			if err := send(f, part); err != nil {
				return err
			}
		}
	}
	return nil
}

// A change is what one transaction does to a table that is there.
type change struct {
	add       []item       // single addresses that are not there
	move      []item       // single addresses that may be there with another end
	remove    []netip.Addr // single addresses that may be there
	nets      *[]item      // all networks, when they change
	redirects *[]reroute   // all redirects, when they change
}

// apply changes the table. The error is errGone when it is not there.
func (k *kernel) apply(ch *change) error {
	err := k.do("change the table", func(c *nftables.Conn) error {
		if err := addSingles(c, k.suffix, ch.add); err != nil {
			return err
		}
		if err := k.clear(c, ch); err != nil {
			return err
		}
		if err := addSingles(c, k.suffix, ch.move); err != nil {
			return err
		}
		if ch.nets != nil {
			for _, f := range families {
				c.FlushSet(netSet(f, k.suffix))
			}
			if err := addNets(c, k.suffix, *ch.nets); err != nil {
				return err
			}
		}
		if ch.redirects != nil {
			return addRedirects(c, *ch.redirects)
		}
		return nil
	})
	if err == nil && ch.redirects != nil {
		k.plain = len(*ch.redirects) == 0
	}
	return err
}

// clear takes single addresses out. Not to fail on one that has ended a moment
// ago, it is added first.
func (k *kernel) clear(c *nftables.Conn, ch *change) error {
	out := make([]item, 0, len(ch.move)+len(ch.remove))
	out = append(out, ch.move...)
	for _, a := range ch.remove {
		out = append(out, item{first: a, left: time.Minute})
	}
	if err := addSingles(c, k.suffix, out); err != nil {
		return err
	}
	return inParts(out, func(f *family, part []nftables.SetElement) error {
		return c.SetDeleteElements(blockSet(f, k.suffix), part)
	}, func(i item) []nftables.SetElement { return []nftables.SetElement{{Key: i.first.AsSlice()}} })
}

// addRedirects makes the chain of redirects hold list and nothing else; without
// any there is no such chain, because it makes the kernel follow connections.
func addRedirects(c *nftables.Conn, list []reroute) error {
	chain := c.AddChain(natChain())
	c.FlushChain(chain)
	for _, f := range families {
		for _, away := range []bool{false, true} {
			m := redirectMap(f, away)
			if err := c.AddSet(m, nil); err != nil {
				return err
			}
			var part []nftables.SetElement
			for i := range list {
				if familyOf(list[i].from.Addr()) == f && list[i].away() == away {
					part = append(part, list[i].element())
				}
			}
			if len(part) == 0 {
				c.DelSet(m)
				continue
			}
			c.FlushSet(m)
			if err := c.SetAddElements(m, part); err != nil {
				return err
			}
			for _, tcp := range []bool{true, false} {
				c.AddRule(redirectRule(chain, f, tcp, away, m))
			}
		}
	}
	if len(list) == 0 {
		c.DelChain(chain)
	}
	return nil
}
func (k *kernel) capacity() int { return k.most }
