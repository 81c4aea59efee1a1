package persona

import (
	"encoding/binary"
	"strings"
)

// mix is a cheap hash of a position: equal positions give equal bytes.
func mix(x uint64) uint64 {
	x ^= x >> 33
	x *= 0xff51afd7ed558ccd
	x ^= x >> 33
	x *= 0xc4ceb9fe1a85ec53
	return x ^ x>>33
}

// bytesOf is arbitrary bytes that are always the same.
type bytesOf struct{ key uint64 }

// ReadAt implements vfs.Source.
func (b bytesOf) ReadAt(p []byte, off int64) {
	for i := 0; i < len(p); {
		at := off + int64(i)
		w := mix(b.key + uint64(at>>3)*0x9e3779b97f4a7c15)
		for k := at & 7; k < 8 && i < len(p); k++ {
			p[i] = byte(w >> (8 * k))
			i++
		}
	}
}

// elf is a program or shared object for x86-64: a header as the linker writes
// it, the interpreter, notes and symbol names where tools look for them, and
// bytes after that.
type elf struct {
	key    uint64
	size   int64
	shared bool
}

const (
	elfHead   = 4096
	notesAt   = 0x338
	buildIDAt = 0x368
	stringsAt = 0x400
	loader    = "/lib64/ld-linux-x86-64.so.2"
)

// symbols are names found in the dynamic string table of most programs.
const symbols = "_ITM_deregisterTMCloneTable\x00__gmon_start__\x00_ITM_registerTMCloneTable\x00setlocale\x00__cxa_finalize\x00__printf_chk\x00strchr\x00" +
	"malloc\x00memmove\x00__stack_chk_fail\x00__libc_start_main\x00stderr\x00optarg\x00getopt_long\x00bindtextdomain\x00textdomain\x00strcmp\x00exit\x00free\x00" +
	"__fprintf_chk\x00abort\x00libc.so.6\x00GLIBC_2.3\x00GLIBC_2.14\x00GLIBC_2.4\x00GLIBC_2.2.5\x00GLIBC_2.34\x00GLIBC_2.3.4\x00"

// ReadAt implements vfs.Source.
func (e elf) ReadAt(p []byte, off int64) {
	if off >= elfHead {
		e.body(p, off)
		return
	}
	head := e.head()
	n := copy(p, head[off:])
	if n < len(p) {
		e.body(p[n:], off+int64(n))
	}
}

// body is code: bytes with runs of zeros between functions, so that strings and
// packers see neither noise nor nothing.
func (e elf) body(p []byte, off int64) {
	bytesOf{e.key}.ReadAt(p, off)
	for i := range p {
		at := off + int64(i)
		if block := mix(e.key ^ uint64(at>>5)); block%5 == 0 {
			p[i] = 0
		}
		if p[i] >= 0x20 && p[i] < 0x7f && at&3 == 3 {
			p[i] |= 0x80 // no long accidental words
		}
	}
}

func (e elf) head() [elfHead]byte {
	var h [elfHead]byte
	le := binary.LittleEndian
	sections := (e.size - 31*64) &^ 7
	copy(h[:], "\x7fELF\x02\x01\x01")
	le.PutUint16(h[16:], 3)    // position independent
	le.PutUint16(h[18:], 0x3e) // x86-64
	le.PutUint32(h[20:], 1)
	le.PutUint64(h[24:], 0x2000+e.key%0x4000&^15)
	le.PutUint64(h[32:], 64)
	le.PutUint64(h[40:], uint64(max(0, sections)))
	for i, v := range []uint16{64, 56, 13, 64, 31, 30} {
		le.PutUint16(h[52+2*i:], v)
	}
	segment := func(i int, kind, flags uint32, off, size uint64, align uint64) {
		s := h[64+56*i:]
		le.PutUint32(s, kind)
		le.PutUint32(s[4:], flags)
		for k, v := range []uint64{off, off, off, size, size, align} {
			le.PutUint64(s[8+8*k:], v)
		}
	}
	text := uint64(e.size) * 6 / 10 &^ 0xfff
	if e.shared {
		segment(0, 1, 4, 0, 0x1000, 0x1000)
	} else {
		segment(0, 6, 4, 64, 13*56, 8)
		segment(1, 3, 4, 0x318, 0x1c, 1)
		copy(h[0x318:], loader)
	}
	segment(2, 1, 4, 0, 0x1000, 0x1000)
	segment(3, 1, 5, 0x1000, text, 0x1000)
	segment(4, 1, 4, 0x1000+text, 0x2000, 0x1000)
	segment(5, 1, 6, 0x3000+text, 0x1000, 0x1000)
	segment(6, 2, 6, 0x3200+text, 0x1f0, 8)
	segment(7, 4, 4, notesAt, 0x20, 8)
	segment(8, 4, 4, notesAt+0x20, 0x44, 4)
	segment(9, 0x6474e553, 4, notesAt, 0x20, 8)
	segment(10, 0x6474e550, 4, 0x1100+text, 0x9fc, 4)
	segment(11, 0x6474e551, 6, 0, 0, 16)
	segment(12, 0x6474e552, 4, 0x3000+text, 0xd50, 1)
	note := h[notesAt:]
	copy(note, "\x04\x00\x00\x00\x10\x00\x00\x00\x05\x00\x00\x00GNU\x00\x02\x80\x00\xc0\x04\x00\x00\x00\x01\x00\x00\x00")
	copy(h[notesAt+0x20:], "\x04\x00\x00\x00\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00")
	bytesOf{e.key ^ 0xb1d}.ReadAt(h[buildIDAt:buildIDAt+20], 0)
	copy(h[buildIDAt+20:], "\x04\x00\x00\x00\x10\x00\x00\x00\x01\x00\x00\x00GNU\x00\x00\x00\x00\x00\x03\x00\x00\x00\x02\x00\x00\x00\x00\x00\x00\x00")
	copy(h[stringsAt:], symbols)
	return h
}

// prose is text in the manner of a configuration file's comments: lines of 64
// bytes, so that any part can be made without the rest.
type prose struct {
	key  uint64
	head string
	size int64
}

const proseLine = 64

// words are what the comments are made of.
var words = strings.Fields(`the option value default file this that when set system is are of for and to in on by with enabled disabled
	configuration local network user group directory path name entry list see also manual page uses service changed here below after
	before each every may must should can not any all only one two address port time limit number level log output input mode type`)

// ReadAt implements vfs.Source.
func (t prose) ReadAt(p []byte, off int64) {
	n := 0
	if off < int64(len(t.head)) {
		n = copy(p, t.head[off:])
	}
	for n < len(p) {
		at := off + int64(n) - int64(len(t.head))
		line := t.line(uint64(at / proseLine))
		n += copy(p[n:], line[at%proseLine:])
	}
	if end := off + int64(len(p)); end >= t.size && len(p) > 0 {
		if i := t.size - 1 - off; i >= 0 && i < int64(len(p)) {
			p[i] = '\n'
		}
	}
}

func (t prose) line(n uint64) [proseLine]byte {
	var l [proseLine]byte
	at := copy(l[:], "# ")
	for k := uint64(0); ; k++ {
		w := words[mix(t.key+n<<8+k)%uint64(len(words))]
		if at+len(w)+1 >= proseLine {
			break
		}
		at += copy(l[at:], w)
		l[at] = ' '
		at++
	}
	for i := max(at-1, 2); i < proseLine-1; i++ {
		l[i] = '.'
	}
	l[proseLine-1] = '\n'
	return l
}
