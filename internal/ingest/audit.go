package ingest

import (
	"bytes"
	"slices"
	"strconv"
)

// Bounds of the audit events whose lines are still coming.
const (
	maxAudits     = 64
	maxAuditLines = 100
	maxAuditBytes = 256 << 10 // of one event
)

// audits joins the lines of the Linux audit daemon that tell of one event: those
// with the same node and serial. They mostly stand together; a few other events
// may come between.
type audits struct {
	open []auditEvent // oldest first
	done []auditEvent // complete, not yet handed out
}

type auditEvent struct {
	key  string
	sec  int   // its time
	at   int64 // number of its first line
	text []byte
	n    int // lines
}

var (
	auditMark = []byte("msg=audit(")
	auditType = []byte("type=")
	auditNode = []byte("node=")
)

// auditParts are the types whose lines come with others, and whether nothing
// comes behind them. A line of another type is an event by itself.
var auditParts = map[string]bool{
	"SYSCALL": false, "EXECVE": false, "CWD": false, "PATH": false, "SOCKADDR": false, "SOCKETCALL": false, "IPC": false, "IPC_SET_PERM": false,
	"MQ_OPEN": false, "MQ_SENDRECV": false, "MQ_NOTIFY": false, "MQ_GETSETATTR": false, "OBJ_PID": false, "FD_PAIR": false, "BPRM_FCAPS": false,
	"CAPSET": false, "MMAP": false, "AVC": false, "SECCOMP": false, "KERN_MODULE": false, "NETFILTER_CFG": false, "TTY": false, "BPF": false,
	"OPENAT2": false, "TIME_INJOFFSET": false, "CONFIG_CHANGE": false, "PROCTITLE": true, "EOE": true,
}

// auditJoin is how many seconds later another event has to be for the one before
// it to be complete.
const auditJoin = 2

// add takes a line of the audit daemon and reports whether it is one.
func (a *audits) add(line []byte, at int64) bool {
	i := bytes.Index(line, auditMark)
	t := bytes.Index(line[:max(i, 0)], auditType)
	if i < 0 || t < 0 || t > 0 && line[t-1] != ' ' {
		return false
	}
	end := bytes.IndexByte(line[i:], ')')
	if end < 0 || end > 64 {
		return false
	}
	key := string(line[i : i+end])
	if n := bytes.Index(line[:t], auditNode); n >= 0 {
		key += string(line[n:t])
	}
	typ, _, _ := bytes.Cut(line[t+len(auditType):], []byte(" "))
	ends, part := auditParts[string(typ)]
	n := slices.IndexFunc(a.open, func(e auditEvent) bool { return e.key == key })
	if n < 0 && string(typ) == "EOE" {
		return true // of an event that was complete before
	}
	if n < 0 {
		sec, _ := strconv.Atoi(string(leading(line[i+len(auditMark):])))
		for len(a.open) > 0 && (len(a.open) >= maxAudits || sec-a.open[0].sec >= auditJoin) {
			a.finish(0)
		}
		a.open = append(a.open, auditEvent{key: key, at: at, sec: sec})
		n = len(a.open) - 1
	}
	e := &a.open[n]
	if e.n > 0 {
		e.text = append(e.text, '\n')
	}
	e.text = append(e.text, line...)
	e.n++
	if ends || !part || e.n >= maxAuditLines || len(e.text) > maxAuditBytes {
		a.finish(n)
	}
	return true
}

// leading returns the digits b begins with.
func leading(b []byte) []byte {
	n := 0
	for n < len(b) && n < 12 && b[n] >= '0' && b[n] <= '9' {
		n++
	}
	return b[:n]
}

func (a *audits) finish(n int) {
	a.done = append(a.done, a.open[n])
	a.open = slices.Delete(a.open, n, n+1)
}

// ready hands out a complete event.
func (a *audits) ready(rec *Record) bool {
	if len(a.done) == 0 {
		return false
	}
	e := a.done[0]
	a.done = slices.Delete(a.done, 0, 1)
	rec.takeLine(e.at, e.text)
	return true
}

// last hands out what is left at the end of the input.
func (a *audits) last(rec *Record) bool {
	if len(a.open) == 0 {
		return false
	}
	a.finish(0)
	return a.ready(rec)
}
