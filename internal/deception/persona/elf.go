package persona

import (
	"encoding/binary"

	"honeyguide/internal/image"
)

const (
	elfHead   = 4096
	notesAt   = 0x338
	buildIDAt = 0x368
	stringsAt = 0x400
)

// symbols are names found in the dynamic string table of most programs.
const symbols = "_ITM_deregisterTMCloneTable\x00__gmon_start__\x00_ITM_registerTMCloneTable\x00setlocale\x00__cxa_finalize\x00__printf_chk\x00strchr\x00" +
	"malloc\x00memmove\x00__stack_chk_fail\x00__libc_start_main\x00stderr\x00optarg\x00getopt_long\x00bindtextdomain\x00textdomain\x00strcmp\x00exit\x00free\x00" +
	"__fprintf_chk\x00abort\x00libc.so.6\x00GLIBC_2.3\x00GLIBC_2.14\x00GLIBC_2.4\x00GLIBC_2.2.5\x00GLIBC_2.34\x00GLIBC_2.3.4\x00"

// sectionNames are those of a program or library, in the order the linker lays
// them out; files with fewer sections lack some of the first.
var sectionNames = []string{
	"", ".interp", ".note.gnu.property", ".note.gnu.build-id", ".note.ABI-tag", ".gnu.hash", ".dynsym", ".dynstr", ".gnu.version", ".gnu.version_r",
	".rela.dyn", ".rela.plt", ".init", ".plt", ".plt.got", ".text", ".fini", ".rodata", ".eh_frame_hdr", ".eh_frame", ".init_array", ".fini_array",
	".data.rel.ro", ".dynamic", ".got", ".got.plt", ".data", ".bss", ".gnu_debugaltlink", ".gnu_debuglink", ".shstrtab",
}

// program is the content of an ELF file: a header as the linker writes it, the
// loader, notes and names where tools look for them, code-like bytes, and the
// table of sections at the end.
func (f *file) program(p []byte, off int64) {
	n := 0
	if off < elfHead {
		head := f.elfStart()
		n = copy(p, head[off:])
	}
	noise(p[n:], off+int64(n), f.key)
	if off+int64(len(p)) <= f.sectionTable()-nameRoom*int64(f.elf.Sections) {
		return // who reads byte by byte does not pay for the end each time
	}
	tail, at := f.elfEnd()
	if end := off + int64(len(p)); end > at {
		from := max(off, at)
		copy(p[from-off:], tail[from-at:])
	}
}

// nameRoom is more than a section's share of the table of names.
const nameRoom = 40

// sectionTable says where the table of sections begins.
func (f *file) sectionTable() int64 {
	return (f.size - int64(f.elf.Sections)*f.entrySize()) &^ 7
}

// tabled reports whether there is room for a table of sections; names of
// sections take up to 16 bytes each.
func (f *file) tabled() bool {
	return f.elf.Class == 2 && f.elf.Sections > 1 && f.sectionTable() > stringsAt+16*int64(f.elf.Sections)
}

func (f *file) entrySize() int64 {
	if f.elf.Class == 1 {
		return 40
	}
	return 64
}

// elfEnd makes the table of section names and the table of sections.
func (f *file) elfEnd() ([]byte, int64) {
	at := f.sectionTable()
	if !f.tabled() {
		return nil, f.size
	}
	n := int(f.elf.Sections)
	names := sectionNames
	if n <= len(names) {
		// The null section first, the names of sections last.
		names = append([]string{""}, names[len(names)-n+1:]...)
	}
	var table []byte
	index := make([]uint32, n)
	for i := range n {
		name := ".text"
		switch {
		case i < len(names)-1:
			name = names[i]
		case i == n-1:
			name = ".shstrtab"
		}
		index[i] = uint32(len(table))
		table = append(append(table, name...), 0)
	}
	room := (int64(len(table)) + 7) &^ 7
	b := make([]byte, f.size-at+room)
	copy(b, table)
	le := binary.LittleEndian
	step := uint64(max(0, at-room-0x400)) / uint64(n)
	for i := 1; i < n; i++ {
		s := b[room+int64(i)*64:]
		kind, flags, where, size := uint32(1), uint64(2), 0x300+uint64(i)*step&^15, step&^15
		if i == n-1 {
			kind, flags, where, size = 3, 0, uint64(at-room), uint64(len(table))
		}
		le.PutUint32(s, index[i])
		le.PutUint32(s[4:], kind)
		le.PutUint64(s[8:], flags)
		if flags != 0 && f.elf.Type != 1 {
			le.PutUint64(s[16:], where)
		}
		le.PutUint64(s[24:], where)
		le.PutUint64(s[32:], size)
		le.PutUint64(s[48:], 8)
	}
	return b[:min(int64(len(b)), room+int64(n)*64)], at - room
}

func (f *file) elfStart() []byte {
	var h [elfHead]byte
	le := binary.LittleEndian
	e := f.elf
	copy(h[:], "\x7fELF")
	h[4], h[5], h[6] = e.Class, 1, 1
	le.PutUint16(h[16:], e.Type)
	le.PutUint16(h[18:], e.Machine)
	le.PutUint32(h[20:], 1)
	entry := uint64(0)
	if e.Type != 1 && (e.Type == 2 || e.Interp != "") {
		entry = 0x2000 + f.key%0x4000&^15
		if e.Type == 2 {
			entry += 0x400000
		}
	}
	if e.Class == 1 {
		le.PutUint32(h[24:], uint32(entry))
		le.PutUint32(h[28:], 52)
		le.PutUint32(h[32:], uint32(max(0, f.sectionTable())))
		for i, v := range []uint16{52, 32, e.Segments, 40, e.Sections, max(e.Sections, 1) - 1} {
			le.PutUint16(h[40+2*i:], v)
		}
		return h[:]
	}
	le.PutUint64(h[24:], entry)
	if e.Segments > 0 {
		le.PutUint64(h[32:], 64)
	}
	table := int64(0)
	if f.tabled() {
		table = f.sectionTable()
	} else {
		e.Sections = 0
	}
	le.PutUint64(h[40:], uint64(table))
	phsize := uint16(56)
	if e.Segments == 0 {
		phsize = 0
	}
	for i, v := range []uint16{64, phsize, e.Segments, 64, e.Sections, max(e.Sections, 1) - 1} {
		le.PutUint16(h[52+2*i:], v)
	}
	f.segments(h[:])
	if e.BuildID {
		f.notes(h[:])
	}
	if e.Dynamic {
		copy(h[stringsAt:], symbols)
	}
	return h[:]
}

// segments writes the program headers.
func (f *file) segments(h []byte) {
	e := f.elf
	le := binary.LittleEndian
	text := uint64(f.size) * 6 / 10 &^ 0xfff
	base := uint64(0)
	if e.Type == 2 {
		base = 0x400000
	}
	type segment struct {
		kind, flags          uint32
		off, at, size, align uint64
	}
	var list []segment
	if e.Interp != "" {
		list = append(list, segment{6, 4, 64, 64, uint64(e.Segments) * 56, 8}, segment{3, 4, 0x318, 0x318, uint64(len(e.Interp)) + 1, 1})
		copy(h[0x318:0x338], e.Interp)
	}
	list = append(list, segment{1, 4, 0, 0, 0x1000, 0x1000}, segment{1, 5, 0x1000, 0x1000, text, 0x1000},
		segment{1, 4, 0x1000 + text, 0x1000 + text, 0x2000, 0x1000}, segment{1, 6, 0x3000 + text, 0x4000 + text, 0x1000, 0x1000})
	if e.Dynamic {
		list = append(list, segment{2, 6, 0x3200 + text, 0x4200 + text, 0x1f0, 8})
	}
	if e.BuildID {
		list = append(list, segment{4, 4, notesAt, notesAt, 0x20, 8}, segment{4, 4, notesAt + 0x20, notesAt + 0x20, 0x44, 4})
	}
	list = append(list, segment{0x6474e553, 4, notesAt, notesAt, 0x20, 8}, segment{0x6474e550, 4, 0x1100 + text, 0x1100 + text, 0x9fc, 4},
		segment{0x6474e551, 6, 0, 0, 0, 16}, segment{0x6474e552, 4, 0x3000 + text, 0x4000 + text, 0xd50, 1})
	for i, s := range list {
		if i >= int(e.Segments) || 64+56*(i+1) > 0x318 {
			return
		}
		b := h[64+56*i:]
		le.PutUint32(b, s.kind)
		le.PutUint32(b[4:], s.flags)
		for k, v := range []uint64{s.off, base + s.at, base + s.at, s.size, s.size, s.align} {
			le.PutUint64(b[8+8*k:], v)
		}
	}
}

// notes writes the properties, the build's identity and the oldest kernel.
func (f *file) notes(h []byte) {
	copy(h[notesAt:], "\x04\x00\x00\x00\x10\x00\x00\x00\x05\x00\x00\x00GNU\x00\x02\x80\x00\xc0\x04\x00\x00\x00\x01\x00\x00\x00")
	copy(h[notesAt+0x20:], "\x04\x00\x00\x00\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00")
	bytesOf{f.key ^ 0xb1d}.ReadAt(h[buildIDAt:buildIDAt+20], 0)
	if f.elf.Interp != "" {
		copy(h[buildIDAt+20:], "\x04\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00\x00GNU\x00\x00\x00\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00")
	}
}

// program64 is the header of an ordinary program for x86-64.
func program64() *form {
	return &form{kind: image.ELF, elf: image.ELFHead{Class: 2, Type: 3, Machine: 62, Segments: 13, Sections: 31, Dynamic: true, BuildID: true, Interp: "/lib64/ld-linux-x86-64.so.2"}}
}
