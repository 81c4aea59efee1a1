package coreutils

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base32"
	"encoding/base64"
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"strings"
)

func sumCommands(name string) Command {
	switch name {
	case "md5sum", "sha1sum", "sha224sum", "sha256sum", "sha384sum", "sha512sum":
		return checksum
	case "base64", "base32":
		return base64Cmd
	case "cksum", "crc32":
		return cksum
	}
	return nil
}

func newHash(name string) (hash.Hash, string) {
	switch name {
	case "md5sum":
		return md5.New(), "MD5"
	case "sha1sum":
		return sha1.New(), "SHA1"
	case "sha224sum":
		return sha256.New224(), "SHA224"
	case "sha384sum":
		return sha512.New384(), "SHA384"
	case "sha512sum":
		return sha512.New(), "SHA512"
	}
	return sha256.New(), "SHA256"
}

func checksum(p *Proc) int {
	opts, args, ok := p.getopt("bctwz", "binary,b", "check,c", "text,t", "warn,w", "zero,z", "tag", "quiet", "status", "strict", "ignore-missing")
	if !ok {
		return 1
	}
	flags := map[string]bool{}
	for _, o := range opts {
		flags[o.name] = true
	}
	if flags["c"] {
		return p.checkSums(args, flags)
	}
	return p.inputs(args, "%s", func(name string, r io.Reader) error {
		sum, err := p.sum(r)
		if err != nil {
			return err
		}
		switch {
		case flags["tag"]:
			_, algo := newHash(p.name)
			p.printf("%s (%s) = %s\n", algo, name, sum)
		case flags["b"]:
			p.printf("%s *%s\n", sum, name)
		default:
			p.printf("%s  %s\n", sum, name)
		}
		return nil
	})
}

func (p *Proc) sum(r io.Reader) (string, error) {
	h, _ := newHash(p.name)
	err := p.each(r, func(b []byte) bool {
		_, _ = h.Write(b)
		p.step(len(b) / 256)
		return true
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

func (p *Proc) checkSums(args []string, flags map[string]bool) int {
	failed, missing := 0, 0
	status := p.inputs(args, "%s", func(name string, r io.Reader) error {
		good := 0
		err := p.lines(r, func(l []byte, _ bool) bool {
			want, file, ok := strings.Cut(string(l), " ")
			if !ok || len(file) < 2 {
				return true
			}
			good++
			file = file[1:]
			f, err := p.openFile(file)
			if err != nil {
				p.errorf("%s: %s", file, why(err))
				p.print(file + ": FAILED open or read\n")
				missing++
				return true
			}
			sum, _ := p.sum(f)
			_ = f.Close()
			switch {
			case sum != strings.ToLower(want):
				failed++
				p.print(file + ": FAILED\n")
			case !flags["quiet"] && !flags["status"]:
				p.print(file + ": OK\n")
			}
			return true
		})
		if good == 0 && err == nil {
			if name == "-" {
				name = "'standard input'"
			}
			p.errorf("%s: no properly formatted checksum lines found", name)
			return errQuiet
		}
		return err
	})
	plural := func(n int, one, many string) string {
		if n == 1 {
			return one
		}
		return many
	}
	if missing > 0 {
		p.errorf("WARNING: %d listed %s could not be read", missing, plural(missing, "file", "files"))
		status = 1
	}
	if failed > 0 {
		p.errorf("WARNING: %d computed %s did NOT match", failed, plural(failed, "checksum", "checksums"))
		status = 1
	}
	return status
}

func base64Cmd(p *Proc) int {
	opts, args, ok := p.getopt("diw:", "decode,d", "ignore-garbage,i", "wrap=,w")
	if !ok {
		return 1
	}
	decode, garbage, wrap := false, false, 76
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
		}
	}
	if len(args) > 1 {
		p.errorf("extra operand %s", p.q(args[1]))
		return p.try(1)
	}
	status := p.inputs(args, "%s", func(_ string, r io.Reader) error {
		if decode {
			return p.decode64(r, garbage)
		}
		return p.encode64(r, wrap)
	})
	return status
}

func (p *Proc) encode64(r io.Reader, wrap int) error {
	unit, encode := 3, base64.StdEncoding.EncodeToString
	if p.name == "base32" {
		unit, encode = 5, base32.StdEncoding.EncodeToString
	}
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
		n := len(rest) / unit * unit
		put(encode(rest[:n]))
		rest = append(rest[:0], rest[n:]...)
		return true
	})
	put(encode(rest))
	if col > 0 {
		p.print("\n")
	}
	return err
}

func (p *Proc) decode64(r io.Reader, garbage bool) error {
	var rest []byte
	bad := false
	flush := func(last bool) {
		n := len(rest) / 4 * 4
		if p.name == "base32" {
			n = len(rest) / 8 * 8
		}
		if last {
			n = len(rest)
		}
		out := make([]byte, n)
		var k int
		var err error
		if p.name == "base32" {
			k, err = base32.StdEncoding.Decode(out, rest[:n])
		} else {
			k, err = base64.StdEncoding.Decode(out, rest[:n])
			if err != nil && last && len(rest)%4 != 0 { // what is whole comes out, then the complaint
				k2, err2 := base64.RawStdEncoding.Decode(out, bytes.TrimRight(rest[:n], "="))
				if err2 == nil {
					k = k2
				}
			}
		}
		p.write(out[:k])
		bad = bad || err != nil
		rest = append(rest[:0], rest[n:]...)
	}
	err := p.each(r, func(b []byte) bool {
		for _, c := range b {
			alphabet := c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c >= '0' && c <= '9' || c == '+' || c == '/' || c == '='
			switch {
			case c == '\n':
			case alphabet || !garbage:
				rest = append(rest, c)
			}
		}
		flush(false)
		return !bad
	})
	if err == nil && !bad {
		flush(true)
	}
	if bad {
		p.flush()
		p.errorf("invalid input")
		return errQuiet
	}
	return err
}

func cksum(p *Proc) int {
	_, args, ok := p.getopt("a:", "algorithm=,a")
	if !ok {
		return 1
	}
	stdin := len(args) == 0
	return p.inputs(args, "%s", func(name string, r io.Reader) error {
		var crc uint32
		var n int64
		feed := func(c byte) {
			crc ^= uint32(c) << 24
			for range 8 {
				if crc&0x80000000 != 0 {
					crc = crc<<1 ^ 0x04c11db7
				} else {
					crc <<= 1
				}
			}
		}
		err := p.each(r, func(b []byte) bool {
			n += int64(len(b))
			p.step(len(b) / 128)
			for _, c := range b {
				feed(c)
			}
			return true
		})
		for k := n; k > 0; k >>= 8 {
			feed(byte(k))
		}
		if stdin {
			p.printf("%d %d\n", ^crc, n)
		} else {
			p.printf("%d %d %s\n", ^crc, n, name)
		}
		return err
	})
}
