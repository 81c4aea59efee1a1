package rootfs

import (
	"bytes"
	"debug/elf"
	"errors"
	"io"
	"os"
	"strings"
	"unicode/utf8"

	"honeyguide/internal/image"
)

// magics are how files begin.
var magics = []struct {
	head string
	kind image.Kind
}{
	{"\x1f\x8b", image.Gzip},
	{"!<arch>\n", image.Archive},
	{"\x89PNG\r\n\x1a\n", image.PNG},
	{"GIF8", image.GIF},
	{"\xff\xd8\xff", image.JPEG},
	{"\xde\x12\x04\x95", image.Message},
	{"\x1a\x01", image.Terminfo},
	{"\x1e\x02", image.Terminfo},
	{"TZif", image.Zone},
	{"\xfd7zXZ\x00", image.XZ},
	{"BZh", image.Bzip2},
	{"\x28\xb5\x2f\xfd", image.Zstd},
	{"PK\x03\x04", image.Zip},
	{"SQLite format 3\x00", image.SQLite},
}

// classify says what a file's bytes are, from their beginning.
func classify(f *os.File, size int64) (image.Kind, string, error) {
	buf := make([]byte, 4096)
	n, err := io.ReadFull(f, buf)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return 0, "", err
	}
	b := buf[:n]
	if bytes.HasPrefix(b, []byte("\x7fELF")) {
		if head, ok := elfHead(f); ok {
			return image.ELF, head.String(), nil
		}
		return image.Data, "\x7fELF", nil
	}
	for _, m := range magics {
		if !bytes.HasPrefix(b, []byte(m.head)) {
			continue
		}
		if m.kind == image.Gzip && n > 3 && b[3]&8 != 0 {
			return m.kind, "n", nil
		}
		return m.kind, "", nil
	}
	// Python 3.11's byte code: its number, then CR LF.
	if n > 16 && string(b[2:4]) == "\r\n" && b[0] == 0xa7 {
		return image.Pyc, "", nil
	}
	if text(b, int64(n) == size) {
		head := ""
		if line, _, ok := bytes.Cut(b, []byte("\n")); ok && bytes.HasPrefix(line, []byte("#!")) && len(line) < 128 {
			head = string(line)
		}
		return image.Text, head, nil
	}
	for _, m := range []string{"glibc-ld.so.cache1.1", "KSLPHHRH"} { // library cache, hardware data base
		if bytes.HasPrefix(b, []byte(m)) {
			return image.Data, m, nil
		}
	}
	if n > 2 && (b[0] == 0x98 || b[0] == 0x99 || b[0] == 0xc6) && b[1] < 4 {
		return image.PGP, "", nil
	}
	return image.Data, "", nil
}

// text reports whether bytes are text in UTF-8; whole says they are all there are.
func text(b []byte, whole bool) bool {
	if bytes.IndexByte(b, 0) >= 0 {
		return false
	}
	if utf8.Valid(b) {
		return true
	}
	if !whole { // a character may be cut at the end
		for k := 1; k < 4 && k < len(b); k++ {
			if utf8.Valid(b[:len(b)-k]) {
				return true
			}
		}
	}
	// Old documents are Latin-1: mostly letters all the same.
	odd := 0
	for _, c := range b {
		if c < 7 || c > 13 && c < 32 && c != 27 {
			return false
		}
		if c >= 0x80 {
			odd++
		}
	}
	return odd*10 < len(b)
}

func elfHead(f *os.File) (image.ELFHead, bool) {
	e, err := elf.NewFile(f)
	if err != nil {
		return image.ELFHead{}, false
	}
	defer e.Close()
	h := image.ELFHead{
		Class: byte(e.Class), Type: uint16(e.Type), Machine: uint16(e.Machine), Segments: uint16(len(e.Progs)), Sections: uint16(len(e.Sections)),
		Symbols: e.SectionByType(elf.SHT_SYMTAB) != nil, BuildID: e.Section(".note.gnu.build-id") != nil,
	}
	for _, p := range e.Progs {
		switch p.Type {
		case elf.PT_DYNAMIC:
			h.Dynamic = true
		case elf.PT_INTERP:
			b := make([]byte, min(p.Filesz, 64))
			if _, err := p.ReadAt(b, 0); err == nil {
				h.Interp = strings.TrimRight(string(b), "\x00")
			}
		}
	}
	return h, true
}
