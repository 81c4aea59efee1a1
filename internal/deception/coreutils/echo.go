package coreutils

import (
	"strconv"
	"strings"
)

func outputCommands(name string) Command {
	switch name {
	case "true":
		return func(*Proc) int { return 0 }
	case "false":
		return func(*Proc) int { return 1 }
	case "echo":
		return echo
	case "printf":
		return printf
	case "yes":
		return yes
	case "seq":
		return seq
	case "basename":
		return basename
	case "dirname":
		return dirname
	case "pwd":
		return pwd
	case "clear":
		return clearCmd
	case "reset", "tset":
		return resetCmd
	case "tput":
		return tput
	case "sleep":
		return sleepCmd
	}
	return nil
}

// echo is /bin/echo, which like bash's knows -n, -e and -E.
func echo(p *Proc) int {
	args, newline, escapes := EchoOptions(p.Args[1:], "neE", false)
	for i, a := range args {
		if i > 0 {
			p.print(" ")
		}
		if !escapes {
			p.print(a)
			continue
		}
		s, end := unescape(a, true)
		p.print(s)
		if end {
			return 0
		}
	}
	if newline {
		p.print("\n")
	}
	return 0
}

// EchoOptions takes the options of echo off its words: those made of the letters
// known only, of n, e and E. escapes is what holds when none of them says.
func EchoOptions(words []string, known string, escapes bool) (rest []string, newline, expand bool) {
	newline, expand = true, escapes
	for len(words) > 0 && len(words[0]) > 1 && words[0][0] == '-' && strings.Trim(words[0][1:], known) == "" {
		for _, c := range words[0][1:] {
			switch c {
			case 'n':
				newline = false
			case 'e':
				expand = true
			case 'E':
				expand = false
			}
		}
		words = words[1:]
	}
	return words, newline, expand
}

// unescape expands backslash escapes. In echo octal numbers begin with 0; \c
// ends the output.
func unescape(s string, echo bool) (string, bool) {
	if !strings.Contains(s, `\`) {
		return s, false
	}
	var b strings.Builder
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		i++
		if at := strings.IndexByte("abefnrtv\\\"", s[i]); at >= 0 && (s[i] != '"' || !echo) {
			b.WriteByte("\a\b\x1b\f\n\r\t\v\\\""[at])
			continue
		}
		switch c := s[i]; {
		case c == 'c':
			return b.String(), true
		case c == 'x':
			n, used := digits(s[i+1:], 16, 2)
			if used == 0 {
				b.WriteString(`\x`)
				continue
			}
			b.WriteByte(byte(n))
			i += used
		case (c == 'u' || c == 'U') && !echo:
			most := 4
			if c == 'U' {
				most = 8
			}
			n, used := digits(s[i+1:], 16, most)
			if used == 0 {
				b.WriteByte('\\')
				b.WriteByte(c)
				continue
			}
			b.WriteRune(rune(n))
			i += used
		case c == '0' && echo:
			n, used := digits(s[i+1:], 8, 3)
			b.WriteByte(byte(n))
			i += used
		case c >= '0' && c <= '7' && !echo:
			n, used := digits(s[i:], 8, 3)
			b.WriteByte(byte(n))
			i += used - 1
		default:
			b.WriteByte('\\')
			b.WriteByte(c)
		}
	}
	return b.String(), false
}

func digits(s string, base uint64, most int) (n uint64, used int) {
	for used < len(s) && used < most {
		d, err := strconv.ParseUint(s[used:used+1], int(base), 8)
		if err != nil {
			break
		}
		n = n*base + d
		used++
	}
	return n, used
}
