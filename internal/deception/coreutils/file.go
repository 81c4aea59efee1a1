package coreutils

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"io"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func fileCmd(p *Proc) int {
	opts, args, ok := p.getopt("bcdEf:F:hiIkLlm:NnpP:rsSvzZ0", "brief,b", "mime,i", "mime-type", "mime-encoding", "dereference,L", "no-dereference,h", "keep-going,k", "separator=,F", "magic-file=,m", "special-files,s", "extension", "print0,0")
	if !ok {
		return 1
	}
	brief, mime, follow := false, false, false
	for _, o := range opts {
		brief = brief || o.name == "b"
		mime = mime || o.name == "i" || o.name == "mime-type"
		follow = follow || o.name == "L"
	}
	if len(args) == 0 {
		p.complain("Usage: file [-bcCdEhikLlNnprsSvzZ0] [--apple] [--extension] [--mime-encoding]\n            [--mime-type] [-e <testname>] [-F <separator>]  [-f <namefile>]\n            [-m <magicfiles>] [-P <parameter=value>] [--exclude-quiet]\n            <file> ...\n       file -C [-m <magicfiles>]\n       file [--help]\n")
		return 1
	}
	wide := 0
	for _, a := range args {
		wide = max(wide, len(a))
	}
	for _, a := range args {
		kind := p.describe(a, follow)
		if mime {
			kind = mimeOf(kind)
		}
		if brief {
			p.print(kind + "\n")
		} else {
			p.print(a + ":" + strings.Repeat(" ", wide-len(a)+1) + kind + "\n")
		}
	}
	return 0
}

func mimeOf(kind string) string {
	for _, m := range [][2]string{{"ELF", "application/x-pie-executable; charset=binary"}, {"directory", "inode/directory; charset=binary"}, {"symbolic", "inode/symlink; charset=binary"}, {"shell script", "text/x-shellscript; charset=us-ascii"}, {"gzip", "application/gzip; charset=binary"}, {"empty", "inode/x-empty; charset=binary"}, {"text", "text/plain; charset=us-ascii"}, {"cannot open", kind}} {
		if strings.Contains(kind, m[0]) {
			return m[1]
		}
	}
	return "application/octet-stream; charset=binary"
}

func (p *Proc) describe(a string, follow bool) string {
	i, err := p.lstat(a)
	if err == nil && follow {
		i, err = p.stat(a)
	}
	if err != nil {
		return "cannot open `" + a + "' (" + why(err) + ")"
	}
	switch i.Type() {
	case vfs.Dir:
		if i.Mode&vfs.Sticky != 0 {
			return "sticky, directory"
		}
		return "directory"
	case vfs.Symlink:
		if _, err := p.stat(a); err != nil {
			return "broken symbolic link to " + i.Target
		}
		return "symbolic link to " + i.Target
	case vfs.Fifo:
		return "fifo (named pipe)"
	case vfs.Socket:
		return "socket"
	case vfs.Char:
		return sprintf("character special (%d/%d)", i.Rdev>>8, i.Rdev&255)
	case vfs.Block:
		return sprintf("block special (%d/%d)", i.Rdev>>8, i.Rdev&255)
	}
	f, err := p.FS.Open(p.Cred, p.path(a), vfs.O_RDONLY, 0)
	if err != nil {
		return "regular file, no read permission"
	}
	defer f.Close()
	buf := make([]byte, 8192)
	n, _ := io.ReadFull(f, buf)
	return magic(buf[:n], i)
}

// magic tells what bytes are.
func magic(b []byte, i vfs.Info) string {
	prefix := ""
	if i.Mode&vfs.Setuid != 0 {
		prefix = "setuid "
	}
	if i.Mode&vfs.Setgid != 0 {
		prefix += "setgid "
	}
	switch {
	case len(b) == 0:
		return "empty"
	case bytes.HasPrefix(b, []byte("\x7fELF")):
		return prefix + elfKind(b)
	case bytes.HasPrefix(b, []byte("\x1f\x8b")):
		return "gzip compressed data, from Unix"
	case bytes.HasPrefix(b, []byte("BZh")):
		return "bzip2 compressed data, block size = 900k"
	case bytes.HasPrefix(b, []byte("\xfd7zXZ")):
		return "XZ compressed data, checksum CRC64"
	case bytes.HasPrefix(b, []byte("PK\x03\x04")):
		return "Zip archive data, at least v2.0 to extract, compression method=deflate"
	case len(b) > 262 && string(b[257:262]) == "ustar":
		return "POSIX tar archive (GNU)"
	case bytes.HasPrefix(b, []byte("\x89PNG")):
		return "PNG image data"
	case bytes.HasPrefix(b, []byte("%PDF")):
		return "PDF document, version 1.4"
	case bytes.HasPrefix(b, []byte("-----BEGIN OPENSSH PRIVATE KEY")):
		return "OpenSSH private key"
	}
	if bytes.IndexByte(b, 0) >= 0 {
		return "data"
	}
	kind := "ASCII text"
	if !ascii(b) {
		kind = "Unicode text, UTF-8 text"
		if !bytes.Equal(bytes.ToValidUTF8(b, nil), b) {
			return "ISO-8859 text"
		}
	}
	if bytes.Contains(b, []byte("\r\n")) {
		kind += ", with CRLF line terminators"
	} else if bytes.IndexByte(b, '\n') < 0 {
		kind += ", with no line terminators"
	}
	if line, _, _ := bytes.Cut(b, []byte("\n")); bytes.HasPrefix(line, []byte("#!")) {
		words := strings.Fields(string(line[2:]))
		if len(words) > 0 {
			name := base(words[len(words)-1])
			script := map[string]string{"sh": "POSIX shell script", "bash": "Bourne-Again shell script", "dash": "POSIX shell script", "python3": "Python script", "perl": "Perl script"}[name]
			if script == "" {
				script = "a " + strings.Join(words, " ") + " script"
			}
			return prefix + script + ", " + strings.Replace(kind, " text", " text executable", 1)
		}
	}
	return kind
}

func ascii(b []byte) bool {
	for _, c := range b {
		if c >= 0x80 {
			return false
		}
	}
	return true
}

func elfKind(b []byte) string {
	if len(b) < 64 {
		return "ELF"
	}
	class := map[byte]string{1: "32-bit", 2: "64-bit"}[b[4]]
	var order binary.ByteOrder = binary.LittleEndian
	endian := "LSB"
	if b[5] == 2 {
		order, endian = binary.BigEndian, "MSB"
	}
	arch := map[uint16]string{0x3e: "x86-64", 3: "Intel 80386", 0x28: "ARM, EABI5", 8: "MIPS, MIPS-I", 0xb7: "ARM aarch64", 0x14: "PowerPC or cisco 4500", 2: "SPARC", 0x2a: "Renesas SH"}[order.Uint16(b[18:])]
	interp := bytes.Contains(b, []byte("/lib64/ld-linux"))
	kind := map[uint16]string{1: "relocatable", 2: "executable", 3: "shared object", 4: "core file"}[order.Uint16(b[16:])]
	link := "dynamically linked"
	switch {
	case kind == "shared object" && interp:
		kind = "pie executable"
	case kind == "executable" && !interp:
		link = "statically linked"
	}
	s := sprintf("ELF %s %s %s, %s, version 1 (SYSV), %s", class, endian, kind, arch, link)
	if interp {
		s += ", interpreter /lib64/ld-linux-x86-64.so.2"
	}
	if at := bytes.Index(b, []byte("\x14\x00\x00\x00\x03\x00\x00\x00GNU\x00")); at >= 0 && at+32 <= len(b) {
		s += ", BuildID[sha1]=" + hex.EncodeToString(b[at+12:at+32])
		if interp {
			s += ", for GNU/Linux 3.2.0"
		}
	}
	return s + ", stripped"
}
