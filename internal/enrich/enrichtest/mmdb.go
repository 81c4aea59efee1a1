// Package enrichtest makes what tests of enrichment need: databases in the MMDB
// format and the conformance test of services.
package enrichtest

import (
	"encoding/binary"
	"fmt"
	"net/netip"
	"slices"
	"time"
)

// An MMDB writes small databases in MaxMind's format, version 2.0, with records
// of 32 bits: https://maxmind.github.io/MaxMind-DB/. Networks must not overlap.
type MMDB struct {
	Type  string
	Built time.Time
	rows  []mmdbRow
}

type mmdbRow struct {
	network netip.Prefix
	data    map[string]any
}

// Add adds a network and its record: texts, uint32, and maps of them.
func (m *MMDB) Add(network string, data map[string]any) *MMDB {
	m.rows = append(m.rows, mmdbRow{netip.MustParsePrefix(network), data})
	return m
}

// Bytes returns the file.
func (m *MMDB) Bytes() []byte {
	const none = -1
	type node [2]int // >= 0: another node; -1: nothing; below: -2-offset of data
	nodes := []node{{none, none}}
	var data []byte
	for _, r := range m.rows {
		at := len(data)
		data = appendValue(data, r.data)
		a, bits := r.network.Addr().As16(), r.network.Bits()
		if r.network.Addr().Is4() {
			a, bits = [16]byte{}, bits+96 // an IPv4 network lies at ::/96
			b := r.network.Addr().As4()
			copy(a[12:], b[:])
		}
		n := 0
		for i := range bits {
			bit := a[i/8] >> (7 - i%8) & 1
			if i == bits-1 {
				nodes[n][bit] = -2 - at
				break
			}
			if nodes[n][bit] < 0 {
				nodes = append(nodes, node{none, none})
				nodes[n][bit] = len(nodes) - 1
			}
			n = nodes[n][bit]
		}
	}
	var out []byte
	for _, n := range nodes {
		for _, to := range n {
			v := uint32(len(nodes)) // nothing
			switch {
			case to >= 0:
				v = uint32(to)
			case to <= -2:
				v = uint32(len(nodes) + 16 + (-2 - to))
			}
			out = binary.BigEndian.AppendUint32(out, v)
		}
	}
	out = append(out, make([]byte, 16)...)
	out = append(out, data...)
	out = append(out, "\xab\xcd\xefMaxMind.com"...)
	return appendValue(out, map[string]any{
		"node_count": uint32(len(nodes)), "record_size": uint16(32), "ip_version": uint16(6), "database_type": m.Type,
		"binary_format_major_version": uint16(2), "binary_format_minor_version": uint16(0), "build_epoch": uint64(m.Built.Unix()),
		"description": map[string]any{"en": "made for a test"}, "languages": []any{"en"},
	})
}

// Kinds of values in the format.
const (
	mmdbText   = 2
	mmdbUint16 = 5
	mmdbUint32 = 6
	mmdbMap    = 7
	mmdbUint64 = 9
	mmdbArray  = 11
)

func appendValue(b []byte, v any) []byte {
	switch x := v.(type) {
	case string:
		return append(control(b, mmdbText, len(x)), x...)
	case uint16:
		return binary.BigEndian.AppendUint16(control(b, mmdbUint16, 2), x)
	case uint32:
		return binary.BigEndian.AppendUint32(control(b, mmdbUint32, 4), x)
	case uint64:
		return binary.BigEndian.AppendUint64(control(b, mmdbUint64, 8), x)
	case []any:
		b = control(b, mmdbArray, len(x))
		for _, v := range x {
			b = appendValue(b, v)
		}
		return b
	case map[string]any:
		b = control(b, mmdbMap, len(x))
		keys := make([]string, 0, len(x))
		for k := range x {
			keys = append(keys, k)
		}
		slices.Sort(keys)
		for _, k := range keys {
			b = appendValue(appendValue(b, k), x[k])
		}
		return b
	}
	panic(fmt.Sprintf("no MMDB value: %T", v))
}

// control appends the type and size of a value.
func control(b []byte, kind, size int) []byte {
	low, more := size, []byte(nil)
	if size >= 29 {
		low, more = 29, []byte{byte(size - 29)}
	}
	if kind > 7 {
		return append(append(b, byte(low), byte(kind-7)), more...)
	}
	return append(append(b, byte(kind<<5|low)), more...)
}
