package fwhelper

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/google/nftables"
	"github.com/mdlayher/netlink"
	"golang.org/x/sys/unix"
)

// found is one element as the kernel holds it.
type found struct {
	key     []byte
	value   []byte // of a map
	left    time.Duration
	packets uint64
}

// get asks the kernel for the one element of a set that holds an address. It is
// not ok when there is none, or no such set.
func (k *kernel) get(a netip.Addr, net bool) (f found, ok bool, err error) {
	set := blockSet(familyOf(a), k.suffix)
	if net {
		set = netSet(familyOf(a), k.suffix)
	}
	return k.getElement(set, a.AsSlice())
}

// getRedirect asks for a redirect that goes where r goes.
func (k *kernel) getRedirect(r *reroute) (f found, ok bool, err error) {
	e := r.element()
	f, ok, err = k.getElement(redirectMap(familyOf(r.from.Addr()), r.away()), e.Key)
	return f, ok && bytes.HasPrefix(f.value, e.Val), err
}

func (k *kernel) getElement(set *nftables.Set, key []byte) (f found, ok bool, err error) {
	conn, err := netlink.Dial(unix.NETLINK_NETFILTER, nil)
	if err != nil {
		return f, false, fmt.Errorf("open a netlink socket: %w", err)
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return f, false, err
	}
	question, err := elementQuestion(set, key)
	if err != nil {
		return f, false, err
	}
	answer, err := conn.Execute(question)
	switch {
	case errors.Is(err, unix.ENOENT):
		return f, false, nil
	case err != nil:
		return f, false, explain("read an element", err)
	}
	for _, m := range answer {
		if f, ok, err := parseElement(m.Data); ok || err != nil {
			return f, ok, err
		}
	}
	return f, false, nil
}

// headerLength is that of struct nfgenmsg.
const headerLength = 4

// elementQuestion is NFT_MSG_GETSETELEM with one key.
func elementQuestion(s *nftables.Set, key []byte) (netlink.Message, error) {
	enc := netlink.NewAttributeEncoder()
	enc.ByteOrder = binary.BigEndian
	enc.String(unix.NFTA_SET_ELEM_LIST_TABLE, s.Table.Name)
	enc.String(unix.NFTA_SET_ELEM_LIST_SET, s.Name)
	enc.Nested(unix.NFTA_SET_ELEM_LIST_ELEMENTS, func(list *netlink.AttributeEncoder) error {
		list.Nested(unix.NFTA_LIST_ELEM, func(e *netlink.AttributeEncoder) error {
			e.Nested(unix.NFTA_SET_ELEM_KEY, func(d *netlink.AttributeEncoder) error {
				d.Bytes(unix.NFTA_DATA_VALUE, key)
				return nil
			})
			return nil
		})
		return nil
	})
	data, err := enc.Encode()
	if err != nil {
		return netlink.Message{}, fmt.Errorf("write a question: %w", err)
	}
	return netlink.Message{
		Header: netlink.Header{Type: unix.NFNL_SUBSYS_NFTABLES<<8 | unix.NFT_MSG_GETSETELEM, Flags: netlink.Request},
		Data:   append([]byte{byte(s.Table.Family), unix.NFNETLINK_V0, 0, 0}, data...),
	}, nil
}

// setExpressions is NFTA_SET_ELEM_EXPRESSIONS, which unix does not name.
const setExpressions = 0xb

// parseElement reads the first element of an answer.
func parseElement(data []byte) (f found, ok bool, err error) {
	if len(data) < headerLength {
		return f, false, errors.New("an answer of the kernel is cut short")
	}
	list, err := netlink.NewAttributeDecoder(data[headerLength:])
	if err != nil {
		return f, false, fmt.Errorf("read an answer of the kernel: %w", err)
	}
	list.ByteOrder = binary.BigEndian
	for list.Next() {
		if list.Type() != unix.NFTA_SET_ELEM_LIST_ELEMENTS || ok {
			continue
		}
		list.Nested(func(elements *netlink.AttributeDecoder) error {
			for elements.Next() {
				if elements.Type() == unix.NFTA_LIST_ELEM && !ok {
					ok = true
					elements.Nested(f.decode)
				}
			}
			return nil
		})
	}
	return f, ok, list.Err()
}

func (f *found) decode(e *netlink.AttributeDecoder) error {
	for e.Next() {
		switch e.Type() {
		case unix.NFTA_SET_ELEM_KEY:
			e.Nested(datum(&f.key))
		case unix.NFTA_SET_ELEM_DATA:
			e.Nested(datum(&f.value))
		case unix.NFTA_SET_ELEM_EXPIRATION:
			f.left = time.Duration(min(e.Uint64(), uint64(MaxTTL/time.Millisecond))) * time.Millisecond
		case unix.NFTA_SET_ELEM_EXPR:
			e.Nested(f.counter)
		case setExpressions:
			e.Nested(func(list *netlink.AttributeDecoder) error {
				for list.Next() {
					list.Nested(f.counter)
				}
				return nil
			})
		}
	}
	return nil
}

// datum reads a nested value.
func datum(into *[]byte) func(*netlink.AttributeDecoder) error {
	return func(d *netlink.AttributeDecoder) error {
		for d.Next() {
			if d.Type() == unix.NFTA_DATA_VALUE {
				*into = d.Bytes()
			}
		}
		return nil
	}
}

// counter reads the packets of an expression that counts.
func (f *found) counter(e *netlink.AttributeDecoder) error {
	counts := false
	for e.Next() {
		switch {
		case e.Type() == unix.NFTA_EXPR_NAME:
			counts = e.String() == "counter"
		case e.Type() == unix.NFTA_EXPR_DATA && counts:
			e.Nested(func(d *netlink.AttributeDecoder) error {
				for d.Next() {
					if d.Type() == unix.NFTA_COUNTER_PACKETS {
						f.packets = d.Uint64()
					}
				}
				return nil
			})
		}
	}
	return nil
}

// intact looks whether the chains hold the rules they were given.
func (k *kernel) intact(redirects bool) (bool, error) {
	c, err := nftables.New(nftables.WithSockOptions(prepareSocket))
	if err != nil {
		return false, fmt.Errorf("open a netlink socket: %w", err)
	}
	for _, d := range dropChains {
		rules, err := c.GetRules(ourTable(), d.chain())
		if errors.Is(err, unix.ENOENT) {
			return false, nil
		}
		if err != nil {
			return false, explain("read the rules", err)
		}
		if len(rules) != rulesPerDropChain {
			return false, nil
		}
	}
	if redirects {
		rules, err := c.GetRules(ourTable(), natChain())
		if err != nil && !errors.Is(err, unix.ENOENT) {
			return false, explain("read the rules", err)
		}
		return len(rules) > 0, nil
	}
	return true, nil
}
