// Package syslog reads lines of syslog and of the log files of Unix hosts: RFC
// 3164 and RFC 5424, with or without a priority, with the time as rsyslog and
// journald write it.
//
// What sshd, sudo, su, cron, login, the account tools, vsftpd, dovecot, postfix,
// packet filters (iptables, ufw, nftables, pfSense) and PAM say is understood; a
// line of another program is kept as a plain record with its message. One failed
// log-in is one login_failed: what the same program says about it once more has
// another verb.
package syslog

import (
	"context"
	"net/netip"
	"strconv"
	"strings"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads syslog.
var Kind = kind.Of("syslog", "Syslog and log files of Unix hosts: sshd, sudo, su, cron, accounts, mail, packet filters.", Config{}, open)

const product = "linux"

// maxRepeat bounds the events one "message repeated" line stands for.
const maxRepeat = 100

type reader struct {
	service  string
	patterns []pattern
}

type mapper struct {
	readers map[string]reader
	pam     []pattern
}

var _ ingest.Liner = (*mapper)(nil)

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) {
	m := &mapper{readers: make(map[string]reader, len(programs)), pam: compileAll(pam)}
	for name, p := range programs {
		m.readers[name] = reader{p.service, compileAll(p.messages)}
	}
	return m, nil
}

func compileAll(messages []message) []pattern {
	var all []pattern
	for _, msg := range messages {
		all = append(all, compile(msg.text, msg.verb))
	}
	return all
}

// Lines marks a mapper of text.
func (*mapper) Lines() {}

// Match knows a line by its header; it is never sure, since other products send
// their records through syslog too.
func (m *mapper) Match(r *ingest.Record) int {
	s, ok := r.Syslog()
	switch {
	case !ok:
		return 0
	case s.Program == "":
		return ingest.MatchSome
	}
	if _, known := m.readers[s.Program]; known {
		return ingest.MatchSure - 1
	}
	return ingest.MatchSome + 5
}

// Map makes one event of a line, or as many as it says were repeated.
func (m *mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	line := r.Plain()
	if line == "" {
		return dst, &ingest.FieldError{Field: "line", Why: "not a line of text"}
	}
	s, ok := r.Syslog()
	if !ok {
		r.Note("no_header")
		*s = ingest.Syslog{Priority: -1, Message: line}
	}
	n, text := repeated(s.Message)
	for i := range n {
		e := honeyguide.Event{
			Time: s.At, Class: honeyguide.ClassLog, Activity: ingest.ActivityRecord,
			Severity: honeyguide.SeverityInformational, Service: "syslog", Attrs: make(map[string]any, 14),
		}
		if e.Time.IsZero() {
			e.Time = r.Untimed()
		}
		m.describe(r, s, text, &e)
		if n > 1 {
			e.ID = ingest.RecordID(e.Time, product, line, strconv.Itoa(i))
		}
		dst = append(dst, e)
	}
	return dst, nil
}

// repeated undoes rsyslog's "message repeated 3 times: [ text]".
func repeated(text string) (int, string) {
	rest, ok := strings.CutPrefix(text, "message repeated ")
	if !ok {
		return 1, text
	}
	count, inner, ok := strings.Cut(rest, " times: [ ")
	n, err := strconv.Atoi(count)
	if !ok || err != nil || n < 1 || !strings.HasSuffix(inner, "]") {
		return 1, text
	}
	return min(n, maxRepeat), inner[:len(inner)-1]
}

// describe sets what a line says.
func (m *mapper) describe(r *ingest.Record, s *ingest.Syslog, text string, e *honeyguide.Event) {
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrDevice, ingest.Cut(s.Host, 255))
	e.Set(honeyguide.AttrMessage, ingest.Cut(text, ingest.MaxText))
	e.Set(ingest.AttrType, ingest.Cut(s.Program, 64))
	if pid, err := strconv.ParseInt(s.PID, 10, 64); err == nil {
		e.Set("process.pid", pid)
	}
	if s.Structured != "" {
		r.Keep(e, "structured_data", s.Structured)
	}
	if s.Priority >= 0 {
		if s.Priority > 191 {
			r.Note("bad_priority")
		} else {
			e.Set("syslog.facility", int64(s.Priority>>3))
			e.Set("syslog.severity", int64(s.Priority&7))
		}
	}
	reader := m.readers[s.Program]
	ingest.Source(e, product, "", reader.service)
	if packet(r, s.Program, text, e) {
		return
	}
	text = strings.TrimLeft(text, " ")
	if strings.HasPrefix(text, "pam_") {
		if m.apply(m.pam, text, e) && e.Activity == authFailure && !speaksTwice[s.Program] {
			e.Activity = honeyguide.ActivityLoginFailed
		}
		if reader.service == "" {
			e.Set(honeyguide.AttrLogService, "auth")
		}
		return
	}
	if len(reader.patterns) > 0 && !m.apply(reader.patterns, text, e) {
		r.Unknown(ingest.Cut(s.Program, 64))
	}
}

// speaksTwice are the programs that log a failure themselves beside PAM.
var speaksTwice = map[string]bool{"sshd": true, "sshd-session": true, "su": true, "sudo": true, "login": true, "vsftpd": true, "dovecot": true, "auth": true}

// apply finds the pattern of a message and sets its parts.
func (m *mapper) apply(patterns []pattern, text string, e *honeyguide.Event) bool {
	var buf [8]found
	for i := range patterns {
		parts, ok := patterns[i].match(buf[:0], text)
		if !ok {
			continue
		}
		e.Class, e.Activity = patterns[i].class, patterns[i].activity
		for _, p := range parts {
			set(e, p.name, p.text)
		}
		return true
	}
	return false
}

// names of the parts as attributes.
var names = map[string]string{
	"user": honeyguide.AttrUser, "by": "actor.user.name", "auth": honeyguide.AttrAuthMethod, "command": honeyguide.AttrCommand, "cwd": "process.working_directory",
	"tty": "session.terminal", "path": honeyguide.AttrPath, "detail": honeyguide.AttrDetail, "uid": "user.uid", "group": "group.name", "key": honeyguide.AttrKeyFingerprint,
}

func set(e *honeyguide.Event, name, text string) {
	switch name {
	case "src":
		addr, _ := netip.ParseAddr(text)
		e.Src.Addr = netip.AddrPortFrom(addr.Unmap().WithZone(""), e.Src.Addr.Port())
		return
	case "sport":
		if n, err := strconv.ParseUint(text, 10, 16); err == nil {
			e.Src.Addr = netip.AddrPortFrom(e.Src.Addr.Addr(), uint16(n))
		}
		return
	case "key": // "ED25519 SHA256:..."
		text = text[strings.LastIndexByte(text, ' ')+1:]
	}
	if attr, ok := names[name]; ok {
		e.Set(attr, ingest.Cut(strings.TrimSpace(text), ingest.MaxText))
	}
}
