package ssh

import (
	"encoding/binary"
	"net"
	"strconv"
	"strings"
	"sync"

	"honeyguide"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sshwire"
)

// Reasons of RFC 4254 section 5.1 for refusing a channel.
const (
	adminProhibited = 1
	connectFailed   = 2
)

// conn is one peer that is logged in: it answers what the peer asks for.
type conn struct {
	svc  *service
	ses  *sensor.Session
	wire *sshwire.Conn
	user string

	shells sync.WaitGroup // on terminals

	agent bool // agent forwarding was asked for
	mu    sync.Mutex
	open  int // sessions
}

// global answers global requests. Remote forwards are refused as sshd refuses
// them where a port cannot be had.
func (c *conn) global(name string, payload []byte) bool {
	switch name {
	case "no-more-sessions@openssh.com":
		return true
	case "tcpip-forward", "cancel-tcpip-forward", "streamlocal-forward@openssh.com", "cancel-streamlocal-forward@openssh.com":
		p := reader{p: payload}
		host, port := p.text(), uint32(0)
		if strings.Contains(name, "tcpip") {
			port = p.number()
		}
		c.tunnel(name, host, port, "", 0)
	}
	return false
}

// refuse reports a forward and refuses it: nothing is ever dialled.
func (c *conn) refuse(kind string, extra []byte) (uint32, string) {
	p := reader{p: extra}
	switch kind {
	case "direct-tcpip":
		host, port := p.text(), p.number()
		from, fromPort := p.text(), p.number()
		c.tunnel(kind, host, port, from, fromPort)
		if p.bad {
			return connectFailed, "open failed"
		}
		return connectFailed, "Connection refused"
	case "direct-streamlocal@openssh.com":
		c.tunnel(kind, p.text(), 0, "", 0)
		return connectFailed, "open failed"
	case "tun@openssh.com":
		c.tunnel(kind, "", 0, "", 0)
		return adminProhibited, "open failed"
	}
	e := honeyguide.Event{Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityUnsupported}
	e.Set(honeyguide.AttrDetail, "channel "+clean(kind))
	c.ses.Emit(e)
	return connectFailed, "open failed"
}

// tunnel reports a forward asked for.
func (c *conn) tunnel(kind, host string, port uint32, from string, fromPort uint32) {
	e := honeyguide.Event{Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityTunnel, Severity: honeyguide.SeverityMedium}
	to := clean(host)
	if port != 0 {
		to = net.JoinHostPort(to, strconv.FormatUint(uint64(port), 10))
	}
	e.Set(honeyguide.AttrDetail, kind+" "+to)
	e.Set("dst_endpoint.name", to)
	if from != "" {
		e.Set("proxy_endpoint.name", net.JoinHostPort(clean(from), strconv.FormatUint(uint64(fromPort), 10)))
	}
	c.ses.Emit(e)
}

// session counts a session channel in.
func (c *conn) session() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.open >= c.svc.cfg.MaxSessions {
		return false
	}
	c.open++
	return true
}

// serve begins a session on a channel that was counted in.
func (c *conn) serve(ch channel) requests {
	return &session{conn: c, ch: ch, cols: 80, rows: 24}
}

// ended counts a session channel out.
func (c *conn) ended() {
	c.mu.Lock()
	c.open--
	c.mu.Unlock()
}

// clean makes a peer's text valid UTF-8 of bounded length.
func clean(s string) string {
	if len(s) > 1024 {
		s = s[:1024]
	}
	return strings.ToValidUTF8(s, "\ufffd")
}

// reader reads the fields of SSH payloads (RFC 4251 section 5). After the first
// field that is not there it is bad and reads nothing more.
type reader struct {
	p   []byte
	bad bool
}

func (r *reader) number() uint32 {
	if r.bad || len(r.p) < 4 {
		r.bad = true
		return 0
	}
	n := binary.BigEndian.Uint32(r.p)
	r.p = r.p[4:]
	return n
}

func (r *reader) text() string {
	n := r.number()
	if r.bad || uint64(n) > uint64(len(r.p)) {
		r.bad = true
		return ""
	}
	s := string(r.p[:n])
	r.p = r.p[n:]
	return s
}
