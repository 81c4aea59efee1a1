package evidence

import (
	"bytes"
	"encoding/binary"
	"strings"
	"unicode/utf8"
)

// Types of content, the first word of what [Sniff] says.
const (
	TypeELF     = "elf"
	TypeScript  = "script"
	TypePE      = "pe"
	TypeMachO   = "macho"
	TypeDEX     = "dex"
	TypeClass   = "java-class"
	TypeArchive = "archive"
	TypeHTML    = "html"
	TypeImage   = "image"
	TypePDF     = "pdf"
	TypeText    = "text"
	TypeData    = "data"
)

// machines are ELF's processors (e_machine) that bots are built for.
var machines = map[uint16]string{
	2: "sparc", 3: "x86", 4: "m68k", 8: "mips", 20: "ppc", 21: "ppc64", 22: "s390", 40: "arm", 42: "sh",
	50: "ia64", 62: "x86-64", 93: "arc", 183: "aarch64", 195: "arcv2", 243: "riscv", 258: "loongarch",
}

// magics are the beginnings of files.
var magics = []struct{ begin, kind string }{
	{"\xcf\xfa\xed\xfe", TypeMachO},
	{"\xce\xfa\xed\xfe", TypeMachO},
	{"\xfe\xed\xfa\xce", TypeMachO},
	{"\xfe\xed\xfa\xcf", TypeMachO},
	{"dex\n", TypeDEX},
	{"PK\x03\x04", TypeArchive + " zip"},
	{"\x1f\x8b", TypeArchive + " gzip"},
	{"BZh", TypeArchive + " bzip2"},
	{"\xfd7zXZ\x00", TypeArchive + " xz"},
	{"(\xb5/\xfd", TypeArchive + " zstd"},
	{"7z\xbc\xaf\x27\x1c", TypeArchive + " 7z"},
	{"Rar!", TypeArchive + " rar"},
	{"!<arch>\n", TypeArchive + " ar"},
	{"%PDF-", TypePDF},
	{"\x89PNG", TypeImage + " png"},
	{"\xff\xd8\xff", TypeImage + " jpeg"},
	{"GIF8", TypeImage + " gif"},
}

// Sniff says what content is by how it begins: a type, and where there is more
// to say, that: "elf 64-bit x86-64 executable", "script /bin/sh".
func Sniff(p []byte) string {
	switch {
	case len(p) == 0:
		return TypeData
	case bytes.HasPrefix(p, []byte("\x7fELF")):
		return elf(p)
	case bytes.HasPrefix(p, []byte("#!")):
		line, _, _ := bytes.Cut(p[2:min(len(p), 130)], []byte("\n"))
		return TypeScript + " " + tame(string(bytes.TrimSpace(line)))
	case len(p) >= 2 && p[0] == 'M' && p[1] == 'Z':
		return pe(p)
	case len(p) >= 8 && bytes.HasPrefix(p, []byte("\xca\xfe\xba\xbe")):
		if binary.BigEndian.Uint32(p[4:]) < 40 { // that many architectures, or a version of Java
			return TypeMachO + " universal"
		}
		return TypeClass
	case len(p) > 262 && string(p[257:262]) == "ustar":
		return TypeArchive + " tar"
	}
	for _, m := range magics {
		if bytes.HasPrefix(p, []byte(m.begin)) {
			return m.kind
		}
	}
	return written(p)
}

// Executable reports a type that a machine runs as it is.
func Executable(kind string) bool {
	word, _, _ := strings.Cut(kind, " ")
	switch word {
	case TypeELF, TypePE, TypeMachO, TypeDEX, TypeClass:
		return true
	}
	return false
}

func elf(p []byte) string {
	if len(p) < 20 {
		return TypeELF + " cut short"
	}
	class := map[byte]string{1: "32-bit", 2: "64-bit"}[p[4]]
	var order binary.ByteOrder = binary.LittleEndian
	end := ""
	if p[5] == 2 {
		order, end = binary.BigEndian, " big-endian"
	}
	machine := machines[order.Uint16(p[18:])]
	if machine == "" {
		machine = "unknown machine"
	}
	kind := map[uint16]string{1: " object", 2: " executable", 3: " shared or pie", 4: " core"}[order.Uint16(p[16:])]
	return strings.TrimSpace(TypeELF + " " + strings.TrimSpace(class+" "+machine) + end + kind)
}

func pe(p []byte) string {
	if len(p) < 0x40 {
		return TypePE + " dos"
	}
	at := int64(binary.LittleEndian.Uint32(p[0x3c:]))
	if at+6 > int64(len(p)) || string(p[at:at+4]) != "PE\x00\x00" {
		return TypePE + " dos"
	}
	switch binary.LittleEndian.Uint16(p[at+4:]) {
	case 0x14c:
		return TypePE + " x86"
	case 0x8664:
		return TypePE + " x86-64"
	case 0xaa64:
		return TypePE + " aarch64"
	}
	return TypePE
}

// written tells text from data, and some texts apart.
func written(p []byte) string {
	head := p[:min(len(p), 4096)]
	if len(head) < len(p) { // not in the middle of a character
		for len(head) > 0 && !utf8.RuneStart(p[len(head)]) {
			head = head[:len(head)-1]
		}
	}
	if bytes.IndexByte(head, 0) >= 0 || !utf8.Valid(head) {
		return TypeData
	}
	low := strings.ToLower(strings.TrimSpace(string(head[:min(len(head), 512)])))
	for _, tag := range []string{"<!doctype html", "<html", "<head", "<script", "<body"} {
		if strings.HasPrefix(low, tag) {
			return TypeHTML
		}
	}
	switch {
	case strings.HasPrefix(low, "<?php"):
		return TypeScript + " php"
	case strings.HasPrefix(low, "ssh-rsa ") || strings.HasPrefix(low, "ssh-ed25519 ") || strings.HasPrefix(low, "ecdsa-sha2-"):
		return TypeText + " ssh key"
	}
	return TypeText
}

// tame keeps what can be shown of a word of the attacker's.
func tame(s string) string {
	return strings.Map(func(r rune) rune {
		if r < 0x20 || r > 0x7e {
			return '?'
		}
		return r
	}, s)
}
