package image

import (
	"fmt"
	"strconv"
	"strings"
)

// An ELFHead is what an ELF file's header and program headers say.
type ELFHead struct {
	Class    byte   // 1: 32 bits, 2: 64 bits
	Type     uint16 // 1 relocatable, 2 executable, 3 shared object or position-independent program
	Machine  uint16 // 62: x86-64
	Segments uint16 // program headers
	Sections uint16 // section headers
	Dynamic  bool   // it has a dynamic section
	BuildID  bool
	Symbols  bool   // a symbol table: not stripped
	Interp   string // the loader; "" when none is asked for
}

// String packs the header into an Entry's Head.
func (h ELFHead) String() string {
	marks := ""
	for _, m := range []struct {
		set  bool
		mark string
	}{{h.Dynamic, "d"}, {h.BuildID, "b"}, {h.Symbols, "s"}} {
		if m.set {
			marks += m.mark
		}
	}
	return fmt.Sprintf("%d %d %d %d %d -%s %s", h.Class, h.Type, h.Machine, h.Segments, h.Sections, marks, h.Interp)
}

// ParseELF unpacks a Head; ok is false when it is no ELF header's.
func ParseELF(s string) (h ELFHead, ok bool) {
	f := strings.SplitN(s, " ", 7)
	if len(f) != 7 {
		return h, false
	}
	var n [5]uint16
	for i := range n {
		v, err := strconv.ParseUint(f[i], 10, 16)
		if err != nil {
			return h, false
		}
		n[i] = uint16(v)
	}
	return ELFHead{
		Class: byte(n[0]), Type: n[1], Machine: n[2], Segments: n[3], Sections: n[4], Interp: f[6],
		Dynamic: strings.Contains(f[5], "d"), BuildID: strings.Contains(f[5], "b"), Symbols: strings.Contains(f[5], "s"),
	}, true
}
