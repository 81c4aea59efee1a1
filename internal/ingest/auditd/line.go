package auditd

import (
	"encoding/hex"
	"strings"
	"time"

	"honeyguide/internal/ingest"
)

type field struct{ name, value string }

// A line is one line of the audit daemon, cut into fields.
type line struct {
	node, id string
	at       time.Time
	fields   []field
}

func (l *line) find(name string) (string, bool) {
	for i := range l.fields {
		if l.fields[i].name == name {
			return l.fields[i].value, true
		}
	}
	return "", false
}

func (l *line) get(names ...string) string {
	for _, name := range names {
		if v, ok := l.find(name); ok && v != "?" && v != "(null)" {
			return v
		}
	}
	return ""
}

// encoded are the keys whose values are written in hexadecimal when they hold
// blanks, quotes or control characters; then they stand without quotes.
var encoded = map[string]bool{
	"proctitle": true, "name": true, "cwd": true, "comm": true, "exe": true, "acct": true, "cmd": true, "data": true, "ocomm": true, "path": true, "key": true, "vm": true,
}

// maxFields bounds the fields of one line.
const maxFields = 256

// parse cuts a line. A record of user space has a second set of fields inside
// msg='...'; what auditd adds to enrich stands behind a group separator.
func parse(text string) (line, error) {
	var l line
	i := strings.Index(text, "msg=audit(")
	if i < 0 {
		return l, &ingest.FieldError{Field: "msg", Why: "no msg=audit(time:serial)"}
	}
	head := text[:i]
	id, rest, _ := strings.Cut(text[i+len("msg=audit("):], ")")
	l.id = id
	var ok bool
	if l.at, ok = stamp(id); !ok {
		return l, &ingest.FieldError{Field: "msg", Why: "no time in audit(time:serial)"}
	}
	typ := ""
	for word := range strings.FieldsSeq(head) {
		if v, ok := strings.CutPrefix(word, "node="); ok {
			l.node = v
		}
		if v, ok := strings.CutPrefix(word, "type="); ok {
			typ = v
		}
	}
	if typ == "" {
		return l, &ingest.FieldError{Field: "type", Why: "missing"}
	}
	l.fields = append(l.fields, field{"type", typ})
	l.pairs(strings.TrimPrefix(rest, ":"), typ == "EXECVE")
	return l, nil
}

// pairs reads k=v, k="v" and k='v ...', the last holding pairs again.
func (l *line) pairs(s string, execve bool) {
	for len(l.fields) < maxFields {
		s = strings.TrimLeft(s, " \t\x1d,{}")
		eq := strings.IndexByte(s, '=')
		if eq < 0 {
			return
		}
		name := s[:eq]
		if sp := strings.LastIndexAny(name, " \t\x1d"); sp >= 0 {
			name = name[sp+1:]
		}
		s = s[eq+1:]
		value, bare := "", false
		switch {
		case s == "":
		case s[0] == '"':
			value, s, _ = strings.Cut(s[1:], "\"")
		case s[0] == '\'':
			inner := s[1:]
			if end := strings.LastIndexByte(inner, '\''); end >= 0 {
				inner, s = inner[:end], inner[end+1:]
			} else {
				s = ""
			}
			l.pairs(inner, execve)
			continue
		default:
			n := strings.IndexAny(s, " \x1d")
			if n < 0 {
				n = len(s)
			}
			value, s, bare = s[:n], s[n:], true
		}
		if name == "" || len(name) > 64 {
			continue
		}
		if bare && (encoded[name] || execve && argument(name)) {
			value = decode(value)
		}
		l.fields = append(l.fields, field{name, value})
	}
}

// argument reports whether a key is a0, a1, a2[0], ...
func argument(name string) bool {
	return len(name) > 1 && name[0] == 'a' && name[1] >= '0' && name[1] <= '9'
}

// decode undoes the hexadecimal writing; zero bytes separate arguments.
func decode(s string) string {
	if len(s) < 2 || len(s)%2 != 0 || strings.ToUpper(s) != s {
		return s
	}
	b, err := hex.DecodeString(s)
	if err != nil {
		return s
	}
	text := strings.ReplaceAll(strings.TrimRight(string(b), "\x00"), "\x00", " ")
	return strings.ToValidUTF8(text, "\uFFFD")
}
