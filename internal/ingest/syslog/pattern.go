package syslog

import (
	"net/netip"
	"strings"
)

// A pattern is a message with its variable parts in braces. {user} is what the
// peer chose: it runs to the last place the text behind it stands, so that a name
// such as "x from 192.0.2.1 port 1" names nobody else's address. Other parts run
// to the first. {src} has to be an address, {..} at the end takes what is left.
type pattern struct {
	verb
	lead  string // text before the first part
	parts []part
}

type part struct{ name, until string }

// compile reads a pattern as written in the tables.
func compile(text string, v verb) pattern {
	p := pattern{verb: v}
	lead, rest, more := strings.Cut(text, "{")
	p.lead = lead
	for more {
		var name string
		name, rest, _ = strings.Cut(rest, "}")
		var until string
		until, rest, more = strings.Cut(rest, "{")
		p.parts = append(p.parts, part{name, until})
	}
	return p
}

// A found is a part of a message and its name.
type found struct{ name, text string }

// maxTries bounds the places at which a user name may end.
const maxTries = 64

// match cuts message into the parts of p, which are appended to dst.
func (p *pattern) match(dst []found, message string) ([]found, bool) {
	rest, ok := strings.CutPrefix(message, p.lead)
	if !ok {
		return dst, false
	}
	tries := maxTries
	return match(dst, p.parts, rest, &tries)
}

func match(dst []found, parts []part, rest string, tries *int) ([]found, bool) {
	if len(parts) == 0 {
		return dst, rest == ""
	}
	p := parts[0]
	if p.until == "" {
		return append(dst, found{p.name, rest}), p.name != "src" && p.name != "sport" || isNumber(rest) || isAddr(rest)
	}
	if p.name != "user" {
		n := strings.Index(rest, p.until)
		if n < 0 || p.name == "src" && !isAddr(rest[:n]) || p.name == "sport" && !isNumber(rest[:n]) {
			return dst, false
		}
		return match(append(dst, found{p.name, rest[:n]}), parts[1:], rest[n+len(p.until):], tries)
	}
	for n := strings.LastIndex(rest, p.until); n >= 0 && *tries > 0; n = strings.LastIndex(rest[:n], p.until) {
		*tries--
		if all, ok := match(append(dst, found{p.name, rest[:n]}), parts[1:], rest[n+len(p.until):], tries); ok {
			return all, true
		}
	}
	return dst, false
}

func isNumber(s string) bool { return s != "" && len(s) <= 5 && strings.Trim(s, "0123456789") == "" }

func isAddr(s string) bool {
	_, err := netip.ParseAddr(s)
	return err == nil
}
