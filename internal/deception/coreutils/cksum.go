package coreutils

import (
	"encoding/hex"
	"hash"
	"io"
	"strconv"
	"strings"
)

// A summing is one run of a checksum program.
type summing struct {
	p         *Proc
	algorithm string // as for cksum -a
	size      int    // bytes of a BLAKE2b sum
	flags     map[string]bool
	tagged    bool
	end       string
}

// sumOptions are those of md5sum and its kin; b2sum and cksum take a few more.
var sumOptions = []string{"binary,b", "check,c", "text,t", "warn,w", "zero,z", "tag", "quiet", "status", "strict", "ignore-missing"}

func checksum(p *Proc) int {
	letters, long := "bctwz", sumOptions
	s := &summing{p: p, algorithm: strings.TrimSuffix(p.name, "sum"), size: 64, flags: map[string]bool{}, end: "\n"}
	switch p.name {
	case "b2sum":
		letters, s.algorithm = "bctwzl:", "blake2b"
		long = append([]string{"length=,l"}, long...)
	case "cksum":
		letters, s.algorithm, s.tagged = "a:bctwzl:", "crc", true
		long = append([]string{"length=,l", "algorithm=,a", "untagged", "debug"}, long...)
	}
	opts, args, ok := p.getopt(letters, long...)
	if !ok {
		return 1
	}
	length := ""
	for _, o := range opts {
		switch s.flags[o.name] = true; o.name {
		case "l":
			length = o.val
		case "a":
			if _, known := digests[o.val]; !known && o.val != "crc" && o.val != "bsd" && o.val != "sysv" {
				p.errorf("invalid argument %s for %s", p.q(o.val), p.q("--algorithm"))
				p.complain("Valid arguments are:\n")
				for _, a := range []string{"bsd", "sysv", "crc", "md5", "sha1", "sha224", "sha256", "sha384", "sha512", "blake2b", "sm3"} {
					p.complain("  - " + p.q(a) + "\n")
				}
				return p.try(1)
			}
			s.algorithm = o.val
		case "tag":
			s.tagged = true
		case "untagged":
			s.tagged = false
		case "z":
			s.end = "\x00"
		}
	}
	if !s.measure(length) || !s.sensible() {
		return 1
	}
	if s.flags["c"] {
		if p.name == "cksum" && !s.flags["a"] {
			s.algorithm = ""
		}
		return s.check(args)
	}
	return s.run(args)
}

// measure reads -l, the bits of a BLAKE2b sum.
func (s *summing) measure(length string) bool {
	p := s.p
	if length == "" {
		return true
	}
	n, err := strconv.ParseUint(length, 10, 32)
	switch {
	case err != nil:
		p.errorf("invalid length: %s", p.q(length))
	case s.algorithm != "blake2b":
		p.errorf("--length is only supported with --algorithm=blake2b")
	case n > 512:
		p.errorf("invalid length: %s", p.q(length))
		p.errorf("maximum digest length for %s is 512 bits", p.q("BLAKE2b"))
	case n%8 != 0:
		p.errorf("invalid length: %s", p.q(length))
		p.errorf("length is not a multiple of 8")
	default:
		if n > 0 {
			s.size = int(n / 8)
		}
		return true
	}
	return false
}

// sensible refuses options that do not go together.
func (s *summing) sensible() bool {
	p, f := s.p, s.flags
	message := ""
	switch {
	case p.name == "cksum" && (f["b"] || f["t"]) && !f["c"] && !f["untagged"]:
		_ = p.try(1)
		return false
	case f["tag"] && f["t"]:
		message = "--tag does not support --text mode"
	case f["c"] && f["z"]:
		message = "the --zero option is not supported when verifying checksums"
	case f["c"] && f["tag"]:
		message = "the --tag option is meaningless when verifying checksums"
	case f["c"] && (f["b"] || f["t"]):
		message = "the --binary and --text options are meaningless when verifying checksums"
	}
	for _, o := range [][2]string{{"ignore-missing", "ignore-missing"}, {"status", "status"}, {"w", "warn"}, {"quiet", "quiet"}, {"strict", "strict"}} {
		if message == "" && !f["c"] && f[o[0]] {
			message = "the --" + o[1] + " option is meaningful only when verifying checksums"
		}
	}
	if message != "" {
		p.errorf("%s", message)
		_ = p.try(1)
		return false
	}
	if f["c"] && f["a"] && strings.Contains(" bsd sysv crc ", " "+s.algorithm+" ") {
		p.errorf("--check is not supported with --algorithm={bsd,sysv,crc}")
		return false
	}
	return true
}

func (s *summing) run(args []string) int {
	p := s.p
	switch s.algorithm {
	case "bsd", "sysv":
		p.Args = append([]string{p.name, map[string]string{"bsd": "-r", "sysv": "-s"}[s.algorithm], "--"}, args...)
		return sum(p)
	case "crc":
		return s.crc(args)
	}
	return p.inputs(args, "%s", func(name string, r io.Reader) error {
		sum, err := s.sum(r)
		if err != nil {
			return err
		}
		lead := ""
		if s.end == "\n" && strings.ContainsAny(name, "\\\n\r") {
			lead, name = `\`, strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(name)
		}
		switch {
		case s.tagged:
			p.print(lead + s.tag() + " (" + name + ") = " + sum + s.end)
		case s.flags["b"]:
			p.print(lead + sum + " *" + name + s.end)
		default:
			p.print(lead + sum + "  " + name + s.end)
		}
		p.flush() // line by line, so that complaints stand in their place
		return nil
	})
}

// tag is the algorithm as a tagged line names it.
func (s *summing) tag() string {
	tag := digests[s.algorithm].tag
	if s.algorithm == "blake2b" && s.size != 64 {
		tag += "-" + strconv.Itoa(s.size*8)
	}
	return tag
}

func (s *summing) sum(r io.Reader) (string, error) {
	var h hash.Hash
	if s.algorithm == "blake2b" {
		h = newBlake(s.size)
	} else {
		h = digests[s.algorithm].make()
	}
	err := s.p.each(r, func(b []byte) bool {
		_, _ = h.Write(b)
		s.p.step(len(b) / 256)
		return true
	})
	return hex.EncodeToString(h.Sum(nil)), err
}

// crc is POSIX's checksum: a CRC of the bytes and of their number.
func (s *summing) crc(args []string) int {
	p := s.p
	bare := len(args) == 0
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
		if err != nil {
			return err
		}
		for k := n; k > 0; k >>= 8 {
			feed(byte(k))
		}
		p.printf("%d %d", ^crc, n)
		if !bare {
			p.print(" " + name)
		}
		p.print(s.end)
		return nil
	})
}
