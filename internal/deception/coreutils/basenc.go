package coreutils

import (
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"io"
	"math/bits"
	"strconv"
	"strings"
)

// An encoding turns groups of bytes into groups of characters.
type encoding struct {
	bytes, chars int // of a group
	alphabet     string
	padded       bool
	encode       func(b []byte) string
	decode       func(s string) ([]byte, bool) // one whole group
}

const (
	base16Digits = "0123456789ABCDEF"
	z85Digits    = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#"
	alphanumeric = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
)

// encodings are basenc's, by option.
func encodingNamed(name string) encoding {
	switch name {
	case "base64", "base64url":
		alphabet, codec := alphanumeric+"+/", base64.StdEncoding
		if name == "base64url" {
			alphabet, codec = alphanumeric+"-_", base64.URLEncoding
		}
		return encoding{3, 4, alphabet, true, codec.EncodeToString, grouped(codec.DecodeString)}
	case "base32", "base32hex":
		alphabet, codec := "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", base32.StdEncoding
		if name == "base32hex" {
			alphabet, codec = "0123456789ABCDEFGHIJKLMNOPQRSTUV", base32.HexEncoding
		}
		return encoding{5, 8, alphabet, true, codec.EncodeToString, grouped(codec.DecodeString)}
	case "base16":
		return encoding{1, 2, base16Digits, false, func(b []byte) string { return sprintf("%X", b) }, func(s string) ([]byte, bool) {
			n, err := strconv.ParseUint(s, 16, 8)
			return []byte{byte(n)}, err == nil && s == strings.ToUpper(s)
		}}
	case "base2msbf", "base2lsbf":
		turn := func(b byte) byte { return b }
		if name == "base2lsbf" {
			turn = bits.Reverse8
		}
		return encoding{1, 8, "01", false, func(b []byte) string {
			var s strings.Builder
			for _, c := range b {
				s.WriteString(sprintf("%08b", turn(c)))
			}
			return s.String()
		}, func(s string) ([]byte, bool) {
			n, err := strconv.ParseUint(s, 2, 8)
			return []byte{turn(byte(n))}, err == nil
		}}
	}
	return encoding{4, 5, z85Digits, false, z85, unz85}
}

func grouped(decode func(string) ([]byte, error)) func(string) ([]byte, bool) {
	return func(s string) ([]byte, bool) {
		b, err := decode(s)
		return b, err == nil
	}
}

func z85(b []byte) string {
	var s strings.Builder
	for ; len(b) >= 4; b = b[4:] {
		n := binary.BigEndian.Uint32(b)
		for _, unit := range []uint32{85 * 85 * 85 * 85, 85 * 85 * 85, 85 * 85, 85, 1} {
			s.WriteByte(z85Digits[n/unit%85])
		}
	}
	return s.String()
}

func unz85(s string) ([]byte, bool) {
	n := uint64(0)
	for i := range len(s) {
		n = n*85 + uint64(strings.IndexByte(z85Digits, s[i]))
	}
	return binary.BigEndian.AppendUint32(nil, uint32(n)), n < 1<<32
}

func baseCmd(p *Proc) int {
	long := []string{"decode,d", "ignore-garbage,i", "wrap=,w"}
	if p.name == "basenc" {
		long = append(long, "base64", "base64url", "base32", "base32hex", "base16", "base2msbf", "base2lsbf", "z85")
	}
	opts, args, ok := p.getopt("diw:", long...)
	if !ok {
		return 1
	}
	decode, garbage, wrap, kind := false, false, 76, p.name
	for _, o := range opts {
		switch o.name {
		case "d":
			decode = true
		case "i":
			garbage = true
		case "w":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 0 {
				p.errorf("invalid wrap size: %s", p.q(o.val))
				return 1
			}
			wrap = n
		default:
			kind = o.name
		}
	}
	if kind == "basenc" {
		p.errorf("missing encoding type")
		return p.try(1)
	}
	if len(args) > 1 {
		p.errorf("extra operand %s", p.q(args[1]))
		return p.try(1)
	}
	e := encodingNamed(kind)
	return p.inputs(args, "%s", func(_ string, r io.Reader) error {
		if decode {
			return p.decodeBase(r, e, garbage)
		}
		return p.encodeBase(r, e, wrap)
	})
}

func (p *Proc) encodeBase(r io.Reader, e encoding, wrap int) error {
	var rest []byte
	col := 0
	put := func(s string) {
		for s != "" {
			if wrap == 0 {
				p.print(s)
				return
			}
			n := min(len(s), wrap-col)
			p.print(s[:n])
			s = s[n:]
			if col += n; col == wrap {
				p.print("\n")
				col = 0
			}
		}
	}
	err := p.each(r, func(b []byte) bool {
		rest = append(rest, b...)
		n := len(rest) / e.bytes * e.bytes
		put(e.encode(rest[:n]))
		rest = append(rest[:0], rest[n:]...)
		return true
	})
	if len(rest) > 0 && e.chars == 5 {
		p.flush()
		p.errorf("invalid input (length must be multiple of 4 characters)")
		return errQuiet
	}
	put(e.encode(rest))
	if col > 0 {
		p.print("\n")
	}
	return err
}

// decodeBase decodes group by group. What is whole comes out before the
// complaint about what is not.
func (p *Proc) decodeBase(r io.Reader, e encoding, garbage bool) error {
	var group []byte
	bad := false
	err := p.each(r, func(b []byte) bool {
		for _, c := range b {
			known := strings.IndexByte(e.alphabet, c) >= 0 || c == '=' && e.padded
			switch {
			case c == '\n', !known && garbage:
				continue
			case !known:
				bad = true
				return false
			}
			if group = append(group, c); len(group) == e.chars {
				out, ok := e.decode(string(group))
				if !ok {
					bad = true
					return false
				}
				p.write(out)
				group = group[:0]
			}
		}
		return true
	})
	if err != nil {
		return err
	}
	if !bad && len(group) == 0 {
		return nil
	}
	p.write(e.begun(string(group)))
	p.flush()
	p.errorf("invalid input")
	return errQuiet
}

// begun is what a group that did not end well still yields.
func (e encoding) begun(s string) []byte {
	if !e.padded {
		return nil
	}
	s = strings.TrimRight(s, "=")
	if i := strings.IndexByte(s, '='); i >= 0 {
		s = s[:i]
	}
	n := len(s) * e.bytes / e.chars
	if n == 0 || e.chars == 8 { // base32 writes whole groups alone
		return nil
	}
	whole := s + strings.Repeat(e.alphabet[:1], e.chars-len(s))
	out, ok := e.decode(whole)
	if !ok {
		return nil
	}
	return out[:min(n, len(out))]
}
