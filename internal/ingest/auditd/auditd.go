// Package auditd reads the log of the Linux audit daemon. The lines of one event
// come joined; each line becomes a record of its own with its own fields, as Sigma
// rules for auditd ask for them, and a program that was started becomes one more
// event with Image, CommandLine, CurrentDirectory and User.
//
// Hexadecimal values are decoded for the keys that are written so: proctitle, a0
// and on of EXECVE, name, cwd, comm, exe, acct and a few others.
package auditd

import (
	"context"
	"net/netip"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	"honeyguide/internal/kind"
)

// Config is the setting of the kind; there is nothing to set.
type Config struct{}

// Kind reads audit.log.
var Kind = kind.Of("auditd", "The Linux audit daemon's audit.log, events joined.", Config{}, open)

const product = "auditd"

type mapper struct{}

var _ ingest.Liner = mapper{}

func open(context.Context, Config, ingest.Deps) (ingest.Mapper, error) { return mapper{}, nil }

// Lines marks a mapper of text.
func (mapper) Lines() {}

// Match knows a line by its type and its message id.
func (mapper) Match(r *ingest.Record) int {
	line, _, _ := strings.Cut(r.Plain(), "\n")
	if i := strings.Index(line, "msg=audit("); i > 0 && strings.Contains(line[:i], "type=") {
		return ingest.MatchSure + 10
	}
	return 0
}

// Map makes an event of each line, and one of the program they started.
func (mapper) Map(dst []honeyguide.Event, r *ingest.Record) ([]honeyguide.Event, error) {
	first := len(dst)
	var run execution
	n := 0
	for text := range strings.SplitSeq(r.Plain(), "\n") {
		l, err := parse(text)
		if err != nil {
			return dst[:first], err
		}
		e := event(r, l)
		describe(l, &e)
		for _, f := range l.fields {
			r.Keep(&e, f.name, f.value)
		}
		e.ID = ingest.RecordID(e.Time, product, l.node, l.id, strconv.Itoa(n), text)
		e.Raw = []byte(text)
		n++
		dst = append(dst, e)
		run.take(l, text)
	}
	if len(run.args) > 0 {
		e := event(r, run.call)
		e.Class, e.Activity = honeyguide.ClassProcess, "process_start"
		ingest.Source(&e, "linux", "process_creation", product)
		run.describe(r, &e)
		e.ID = ingest.RecordID(e.Time, product, run.call.node, run.call.id, "joined")
		e.Raw = []byte(run.text)
		dst = append(dst, e)
	}
	return dst, nil
}

func event(r *ingest.Record, l line) honeyguide.Event {
	e := honeyguide.Event{
		Time: l.at, Class: honeyguide.ClassLog, Activity: ingest.ActivityRecord, Severity: honeyguide.SeverityInformational,
		Service: product, Attrs: make(map[string]any, len(l.fields)+12),
	}
	e.Set(honeyguide.AttrProduct, product)
	e.Set(honeyguide.AttrOriginID, l.id)
	e.Set(honeyguide.AttrDevice, ingest.Cut(l.node, 255))
	if s, ok := r.Syslog(); ok && l.node == "" {
		e.Set(honeyguide.AttrDevice, ingest.Cut(s.Host, 255))
	}
	ingest.Source(&e, "linux", "", product)
	return e
}

// verbs of what user space reports.
var verbs = map[string]struct {
	class    honeyguide.Class
	activity string
}{
	"USER_LOGIN": {honeyguide.ClassAuthentication, honeyguide.ActivityLoginSuccess}, "USER_AUTH": {honeyguide.ClassAuthentication, "auth"},
	"USER_ERR": {honeyguide.ClassAuthentication, "auth_failure"}, "USER_ACCT": {honeyguide.ClassAuthentication, "account_check"},
	"USER_START": {honeyguide.ClassAuthentication, "session_open"}, "USER_END": {honeyguide.ClassAuthentication, "session_close"}, "LOGIN": {honeyguide.ClassAuthentication, "session_open"},
	"USER_CMD": {honeyguide.ClassProcess, "sudo"}, "ADD_USER": {honeyguide.ClassAccount, "account_change"}, "DEL_USER": {honeyguide.ClassAccount, "account_change"},
	"ADD_GROUP": {honeyguide.ClassAccount, "account_change"}, "DEL_GROUP": {honeyguide.ClassAccount, "account_change"}, "USER_CHAUTHTOK": {honeyguide.ClassAccount, "account_change"},
	"USER_MGMT": {honeyguide.ClassAccount, "account_change"}, "ANOM_ABEND": {honeyguide.ClassProcess, "crash"}, "ANOM_PROMISCUOUS": {honeyguide.ClassNetwork, "promiscuous"},
	"AVC": {honeyguide.ClassLog, "access_denied"}, "SECCOMP": {honeyguide.ClassProcess, "system_call_refused"},
}

// describe sets what a line says in OCSF's words.
func describe(l line, e *honeyguide.Event) {
	typ := l.get("type")
	e.Set(ingest.AttrType, ingest.Cut(typ, 64))
	if v, ok := verbs[typ]; ok {
		e.Class, e.Activity = v.class, v.activity
	}
	failed := l.get("res") == "failed" || l.get("res") == "0" || l.get("success") == "no"
	if failed && e.Activity == honeyguide.ActivityLoginSuccess {
		e.Activity = honeyguide.ActivityLoginFailed
	}
	e.Set(honeyguide.AttrUser, ingest.Cut(l.get("acct"), 255))
	e.Set("process.file.path", ingest.Cut(l.get("exe"), ingest.MaxText))
	if typ == "PATH" {
		e.Set(honeyguide.AttrPath, ingest.Cut(l.get("name"), ingest.MaxText))
	}
	if typ == "USER_CMD" {
		e.Set(honeyguide.AttrCommand, ingest.Cut(l.get("cmd"), ingest.MaxText))
	}
	e.Set(honeyguide.AttrStatusText, l.get("res"))
	if pid, err := strconv.ParseInt(l.get("pid"), 10, 64); err == nil {
		e.Set("process.pid", pid)
	}
	if a, err := netip.ParseAddr(l.get("addr")); err == nil {
		e.Src.Addr = netip.AddrPortFrom(a.Unmap().WithZone(""), 0)
	}
}

// An execution is what the lines of one event say of a program that was started.
type execution struct {
	call line // the line that carries identity and time
	args []string
	cwd  string
	exe  string
	ppid string
	pid  string
	auid string
	uid  string
	text string // the line with the arguments
}

// maxArgs bounds the arguments of a command line.
const maxArgs = 1024

func (x *execution) take(l line, text string) {
	switch l.get("type") {
	case "SYSCALL":
		x.call = l
		x.exe, x.pid, x.ppid, x.auid = l.get("exe"), l.get("pid"), l.get("ppid"), l.get("AUID", "auid")
		x.uid = l.get("UID", "uid")
	case "CWD":
		x.cwd = l.get("cwd")
	case "EXECVE":
		x.text = text
		if x.call.id == "" {
			x.call = l
		}
		for i := range maxArgs {
			name := "a" + strconv.Itoa(i)
			arg, ok := l.find(name)
			for part := 0; !ok && part < maxArgs; part++ { // a long argument comes in parts
				piece, more := l.find(name + "[" + strconv.Itoa(part) + "]")
				if !more {
					ok = part > 0
					break
				}
				arg += piece
			}
			if !ok {
				return
			}
			x.args = append(x.args, arg)
		}
	}
}

// describe sets the fields rules for starting programs ask for.
func (x *execution) describe(r *ingest.Record, e *honeyguide.Event) {
	command := strings.Join(x.args, " ")
	exe := x.exe
	if exe == "" {
		exe = x.args[0]
	}
	e.Set(honeyguide.AttrCommand, ingest.Cut(command, ingest.MaxText))
	e.Set("process.file.path", ingest.Cut(exe, ingest.MaxText))
	e.Set("process.working_directory", ingest.Cut(x.cwd, ingest.MaxText))
	e.Set(honeyguide.AttrUser, ingest.Cut(userName(x.uid), 255))
	if pid, err := strconv.ParseInt(x.pid, 10, 64); err == nil {
		e.Set("process.pid", pid)
	}
	for _, f := range []field{
		{"Image", exe},
		{"CommandLine", command},
		{"CurrentDirectory", x.cwd},
		{"User", userName(x.uid)},
		{"LogonId", userName(x.auid)},
		{"ProcessId", x.pid},
		{"ParentProcessId", x.ppid},
	} {
		if f.value != "" {
			r.Keep(e, f.name, f.value)
		}
	}
}

// userName is a user as rules know it: 0 is root, and the largest number nobody.
func userName(id string) string {
	switch id {
	case "0":
		return "root"
	case "4294967295", "unset", "-1":
		return ""
	}
	return id
}

// stamp reads "1604994496.155:92733".
func stamp(s string) (time.Time, bool) {
	sec, _, _ := strings.Cut(s, ":")
	t, err := ingest.ParseTime(sec, time.UTC)
	return t, err == nil
}
