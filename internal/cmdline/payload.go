package cmdline

import (
	"encoding/base64"
	"encoding/hex"
	"slices"
	"strings"
	"unicode/utf8"
)

// payload returns the text that command i runs or writes out of an encoded or
// echoed literal: `echo aGk= | base64 -d | sh`, `base64 -d <<< aGk=`,
// `printf '\x69\x64' | sh`, `echo 6964 | xxd -r -p`.
func (l *Line) payload(i int) (string, bool) {
	c := &l.Commands[i]
	decode := decoder(c)
	if decode == nil && !IsShell(c.Name) {
		return "", false
	}
	for _, r := range c.Redirects {
		if r.Op == "<<<" && decode != nil {
			return decode(r.Target)
		}
	}
	if c.From < 0 {
		return "", false
	}
	text, ok := echoed(&l.Commands[c.From])
	switch {
	case !ok:
		return "", false
	case decode != nil:
		return decode(text)
	}
	return text, true // echoed straight into a shell
}

// decoder returns how c decodes its input, nil when it does not.
func decoder(c *Command) func(string) (string, bool) {
	switch c.Name {
	case "base64", "base32", "b64":
		if c.Arg("-d", "-D", "--decode", "-di", "-id") {
			return unbase64
		}
	case "openssl":
		if c.Arg("base64", "enc", "-base64") && c.Arg("-d") {
			return unbase64
		}
	case "xxd":
		if slices.ContainsFunc(c.Args, func(a string) bool { return strings.HasPrefix(a, "-r") }) {
			return unhex
		}
	}
	return nil
}

// echoed returns what an echo or printf writes.
func echoed(c *Command) (string, bool) {
	if c.Name != "echo" && c.Name != "printf" {
		return "", false
	}
	args := c.Args
	escapes := c.Name == "printf"
	for c.Name == "echo" && len(args) > 0 && len(args[0]) > 1 && strings.Trim(args[0], "-neE") == "" {
		escapes = escapes || strings.Contains(args[0], "e")
		args = args[1:]
	}
	text := strings.Join(args, " ")
	if escapes {
		text, _ = ansi(strings.ReplaceAll(text, "'", `\'`))
	}
	return text, text != ""
}

func unbase64(s string) (string, bool) {
	s = strings.Map(func(r rune) rune {
		if r == ' ' || r == '\n' || r == '\r' {
			return -1
		}
		return r
	}, s)
	s = strings.TrimRight(s, "=")
	s = strings.NewReplacer("-", "+", "_", "/").Replace(s)
	if len(s)%4 == 1 { // cut short: drop what makes no byte
		s = s[:len(s)-1]
	}
	b, err := base64.RawStdEncoding.DecodeString(s)
	return string(b), err == nil && len(b) > 0 && textual(b)
}

func unhex(s string) (string, bool) {
	b, err := hex.DecodeString(strings.Join(strings.Fields(s), ""))
	return string(b), err == nil && len(b) > 0 && textual(b)
}

// textual reports whether b looks like a script, not like a program: there is
// nothing to read in a program.
func textual(b []byte) bool {
	bad := 0
	for _, c := range b {
		if c < 0x20 && c != '\n' && c != '\t' && c != '\r' {
			bad++
		}
	}
	return bad*20 <= len(b) && (utf8.Valid(b) || bad == 0)
}

// ansi reads the inside of $'..' up to the closing quote and returns the text
// and how many bytes it took.
func ansi(s string) (string, int) {
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		c := s[i]
		if c == '\'' {
			return b.String(), i + 1
		}
		if c != '\\' || i+1 >= len(s) {
			b.WriteByte(c)
			continue
		}
		i++
		i += writeEscape(&b, s, i)
	}
	return b.String(), len(s)
}

// simple are the one-letter escapes.
var simple = map[byte]byte{'n': '\n', 't': '\t', 'r': '\r', 'a': 7, 'b': 8, 'e': 27, 'f': 12, 'v': 11, '\\': '\\', '\'': '\'', '"': '"'}

// writeEscape writes the escape whose letter stands at s[i] and returns how
// many more bytes it took.
func writeEscape(b *strings.Builder, s string, i int) int {
	if c, ok := simple[s[i]]; ok {
		b.WriteByte(c)
		return 0
	}
	numeric := func(start, most int, base int) (int, int) {
		v, n := 0, 0
		for n < most && start+n < len(s) {
			d := strings.IndexByte("0123456789abcdef", lower(s[start+n]))
			if d < 0 || d >= base {
				break
			}
			v, n = v*base+d, n+1
		}
		return v, n
	}
	switch {
	case s[i] == 'x' || s[i] == 'X':
		if v, n := numeric(i+1, 2, 16); n > 0 {
			b.WriteByte(byte(v))
			return n
		}
	case s[i] >= '0' && s[i] <= '7':
		v, n := numeric(i, 4, 8)
		b.WriteByte(byte(v))
		return n - 1
	}
	b.WriteByte('\\')
	b.WriteByte(s[i])
	return 0
}

func lower(c byte) byte {
	if c >= 'A' && c <= 'Z' {
		return c + 32
	}
	return c
}
