package coreutils

import (
	"io"
	"strconv"
	"strings"
)

// A checking counts what -c found in one list.
type checking struct {
	good, malformed, missing, failed, verified int
}

// check verifies the sums that the operands list.
func (s *summing) check(args []string) int {
	p := s.p
	bad := false
	status := p.inputs(args, "%s", func(name string, r io.Reader) error {
		var c checking
		shown := name
		if name == "-" {
			shown = "'standard input'"
		}
		at := 0
		err := p.lines(r, func(l []byte, _ bool) bool {
			at++
			text := strings.TrimSuffix(string(l), "\r")
			if text == "" || text[0] == '#' {
				return true
			}
			line, want, file, ok := s.listed(text)
			if !ok {
				c.malformed++
				if s.flags["w"] {
					p.flush()
					p.errorf("%s: %d: improperly formatted %s checksum line", shown, at, digests[s.algorithm].tag)
				}
				return true
			}
			c.good++
			line.verify(file, want, &c)
			return true
		})
		if err != nil {
			return err
		}
		bad = s.report(shown, &c) || bad
		return nil
	})
	if bad {
		return 1
	}
	return status
}

// listed takes a line of a list apart, in either form.
func (s *summing) listed(l string) (line summing, want, file string, ok bool) {
	line = *s
	escaped := strings.HasPrefix(l, `\`)
	l = strings.TrimLeft(strings.TrimPrefix(l, `\`), " \t")
	if tag, rest, found := strings.Cut(l, " ("); found && strings.Contains(rest, ") = ") {
		i := strings.LastIndex(rest, ") = ")
		file, want = rest[:i], rest[i+4:]
		name, bits, _ := strings.Cut(tag, "-")
		for algorithm, d := range digests {
			if d.tag == name && (s.algorithm == "" || s.algorithm == algorithm) {
				line.algorithm, ok = algorithm, true
			}
		}
		if line.size = 64; bits != "" {
			n, err := strconv.Atoi(bits)
			if err != nil || n < 8 || n > 512 || n%8 != 0 {
				return line, "", "", false
			}
			line.size = n / 8
		}
	} else {
		if s.algorithm == "" {
			return line, "", "", false
		}
		want, file, ok = strings.Cut(l, " ")
		if ok = ok && len(file) > 1 && (file[0] == ' ' || file[0] == '*'); ok {
			file = file[1:]
		}
	}
	if !ok || strings.Trim(want, "0123456789abcdefABCDEF") != "" {
		return line, "", "", false
	}
	switch {
	case line.algorithm != "blake2b":
		ok = len(want) == digests[line.algorithm].digits
	default:
		ok = len(want)%2 == 0 && len(want) >= 2 && len(want) <= 128
		line.size = len(want) / 2
	}
	if escaped {
		file = strings.NewReplacer(`\\`, `\`, `\n`, "\n", `\r`, "\r").Replace(file)
	}
	return line, strings.ToLower(want), file, ok
}

// verify compares one file with its sum.
func (s *summing) verify(file, want string, c *checking) {
	p := s.p
	say := func(what string) {
		lead, name := "", file
		if strings.ContainsAny(file, "\\\n\r") {
			lead, name = `\`, strings.NewReplacer(`\`, `\\`, "\n", `\n`, "\r", `\r`).Replace(file)
		}
		p.print(lead + name + ": " + what + "\n")
	}
	f, err := p.openFile(file)
	if err != nil {
		if s.flags["ignore-missing"] && why(err) == "No such file or directory" {
			return
		}
		p.flush()
		p.errorf("%s: %s", quotef(file), why(err))
		c.missing++
		if !s.flags["status"] {
			say("FAILED open or read")
		}
		return
	}
	sum, err := s.sum(f)
	_ = f.Close()
	switch {
	case err != nil || sum != want:
		c.failed++
		if !s.flags["status"] {
			say("FAILED")
		}
	default:
		c.verified++
		if !s.flags["quiet"] && !s.flags["status"] {
			say("OK")
		}
	}
}

// report says what was wrong with a list and whether that fails the program.
func (s *summing) report(name string, c *checking) bool {
	p := s.p
	p.flush()
	if c.good == 0 {
		p.errorf("%s: no properly formatted checksum lines found", name)
		return true
	}
	if !s.flags["status"] {
		count := func(n int, one, many string) {
			if n == 1 {
				p.errorf("WARNING: 1 %s", one)
			} else if n > 1 {
				p.errorf("WARNING: %d %s", n, many)
			}
		}
		count(c.malformed, "line is improperly formatted", "lines are improperly formatted")
		count(c.missing, "listed file could not be read", "listed files could not be read")
		count(c.failed, "computed checksum did NOT match", "computed checksums did NOT match")
		if s.flags["ignore-missing"] && c.verified+c.failed+c.missing == 0 {
			p.errorf("%s: no file was verified", name)
		}
	}
	return c.failed+c.missing > 0 || s.flags["strict"] && c.malformed > 0 || s.flags["ignore-missing"] && c.verified == 0
}
