package ssh

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"net"
	"strings"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/sensor"
)

// Bounds of the exchange in clear text.
const (
	maxIdentification = 8192      // bytes before a line feed, as sshd
	maxClear          = 256 << 10 // clear bytes of a packet sent or seen
)

// errForeign says that the peer does not speak SSH 2.
var errForeign = errors.New("not an SSH 2 peer")

// greet sends our version line and reads the peer's as sshd does: byte by byte,
// so that what follows stays unread and the close resets, with its texts in two
// writes. The returned connection replays the exchange to a library that wants
// to do it itself.
func greet(ses *sensor.Session, version string) (*helloConn, error) {
	if _, err := io.WriteString(ses, version+"\r\n"); err != nil {
		return nil, err
	}
	line, err := readIdentification(ses)
	if err == nil {
		err = judge(line)
	}
	if text := refusalText(err); text != "" {
		_, _ = io.WriteString(ses, text)
		_, _ = io.WriteString(ses, "\r\n")
	}
	if err != nil {
		if len(line) > 0 {
			reportForeign(ses, line)
		}
		return nil, err
	}
	h := &helloConn{Conn: ses, client: line, skip: len(version) + 2, kexSent: make(chan struct{})}
	h.replay = append([]byte(line), '\r', '\n')
	return h, nil
}

// errMajor says that the peer speaks SSH 1.
var errMajor = errors.New("SSH 1 peer")

func refusalText(err error) string {
	switch {
	case errors.Is(err, errForeign):
		return "Invalid SSH identification string."
	case errors.Is(err, errMajor):
		return "Protocol major versions differ."
	}
	return ""
}

// readIdentification reads the peer's version line. CR is skipped where it
// stands before the line feed; NUL ends the reading, as in sshd, whose line is a
// C string.
func readIdentification(r io.Reader) (string, error) {
	line := make([]byte, 0, 64)
	var b [1]byte
	for {
		if _, err := io.ReadFull(r, b[:]); err != nil {
			return string(line), err
		}
		switch {
		case b[0] == '\n':
			return strings.TrimSuffix(string(line), "\r"), nil
		case b[0] == 0 && len(line) == 0:
			return "\x00", errForeign
		case len(line) >= maxIdentification:
			return string(line), errForeign
		}
		line = append(line, b[0])
	}
}

// judge says whether the line names a protocol version we speak.
func judge(line string) error {
	rest, ok := strings.CutPrefix(line, "SSH-")
	if !ok {
		return errForeign
	}
	proto, software, ok := strings.Cut(rest, "-")
	major, minor, ok2 := strings.Cut(proto, ".")
	if !ok || !ok2 || software == "" || !digits(major) || !digits(minor) {
		return errForeign
	}
	// Scanners sshd knows and hangs up on without a word.
	if strings.HasPrefix(software, "Probe-") || strings.Contains(software, "SSH_Version_Mapper") {
		return errScanner
	}
	if major == "2" || major == "1" && minor == "99" {
		return nil
	}
	return errMajor
}

var errScanner = errors.New("version scanner")

func digits(s string) bool {
	return s != "" && strings.Trim(s, "0123456789") == "" && len(s) < 6
}

// reportForeign reports what a peer said instead of a version line.
func reportForeign(ses *sensor.Session, line string) {
	e := honeyguide.Event{Class: honeyguide.ClassSSH, Activity: honeyguide.ActivityMalformed}
	e.Set(honeyguide.AttrDetail, "not an SSH 2 identification")
	e.Set(honeyguide.AttrMessage, strings.ToValidUTF8(line, "\ufffd"))
	e.Raw = []byte(line)
	ses.Emit(e)
}

// A helloConn lets a library believe it exchanges version lines, and stands in
// the clear-text part of the stream: it reads the peer's KEXINIT and makes the
// padding of ours zero, as OpenSSH does before there are keys (no part of what
// is signed).
type helloConn struct {
	net.Conn
	client string // the peer's version line
	skip   int    // bytes of our version line still to swallow
	replay []byte // bytes of the peer's version line still to hand out
	onKex  func(kexInit)
	seen   []byte // the peer's first packet so far
	done   bool   // seen all that is wanted
	out    clearOut

	counted atomic.Pointer[inflow] // set once the peer is in
	kexSent chan struct{}          // closed when our KEXINIT left
	sent    bool
}

// Read hands out the version line, then what the peer sends.
func (h *helloConn) Read(p []byte) (int, error) {
	if len(h.replay) > 0 {
		n := copy(p, h.replay)
		h.replay = h.replay[n:]
		return n, nil
	}
	n, err := h.Conn.Read(p)
	if !h.done {
		h.afterKex()
		h.watch(p[:n])
	}
	if in := h.counted.Load(); in != nil && err == nil {
		err = in.arrived(n)
	}
	return n, err
}

// kexWait bounds the wait for our own KEXINIT.
const kexWait = time.Second

// afterKex waits until our KEXINIT has left: sshd sends it before it looks at
// what comes, so also a peer whose first packet is broken gets to see it.
func (h *helloConn) afterKex() {
	t := time.NewTimer(kexWait)
	defer t.Stop()
	select {
	case <-h.kexSent:
	case <-t.C:
	}
}

// protest tells a peer whose first packet is of an unknown type what sshd tells
// it. The library closes the connection.
func (h *helloConn) protest(kind byte) {
	_, _ = h.Conn.Write(clearPacket(disconnectPayload(2, fmt.Sprintf("Invalid ssh2 packet type: %d", kind))))
}

// disconnectPayload is RFC 4253 section 11.1.
func disconnectPayload(reason uint32, text string) []byte {
	p := binary.BigEndian.AppendUint32([]byte{msgDisconnect}, reason)
	p = binary.BigEndian.AppendUint32(p, uint32(len(text)))
	p = append(p, text...)
	return append(p, 0, 0, 0, 0) // no language
}

// clearPacket frames a payload before there are keys (RFC 4253 section 6).
func clearPacket(payload []byte) []byte {
	pad := 8 - (5+len(payload))%8
	if pad < 4 {
		pad += 8
	}
	p := binary.BigEndian.AppendUint32(nil, uint32(1+len(payload)+pad))
	p = append(append(p, byte(pad)), payload...)
	return append(p, make([]byte, pad)...)
}

// watch gathers the first packet and reports its lists.
func (h *helloConn) watch(p []byte) {
	h.seen = append(h.seen, p...)
	if len(h.seen) < 6 {
		return
	}
	size := binary.BigEndian.Uint32(h.seen)
	sane := size >= 2 && size <= maxClear
	kind := h.seen[5]
	switch {
	case !sane || kind != msgKexInit:
		h.finish(kexInit{})
		if sane && kind != msgKexInit {
			h.protest(kind)
		}
	case len(h.seen) >= int(size)+4:
		k, _ := parseKexInit(h.seen[6 : 4+size])
		h.finish(k)
	}
}

// finish reports the peer's lists, or that it had none.
func (h *helloConn) finish(k kexInit) {
	h.done, h.seen = true, nil
	if h.onKex != nil {
		h.onKex(k)
	}
}

// abandoned reports a peer that left before its first packet was whole.
func (h *helloConn) abandoned() {
	if !h.done {
		h.finish(kexInit{})
	}
}

// Write sends; the first bytes are our version line, which is sent already.
func (h *helloConn) Write(p []byte) (int, error) {
	n := len(p)
	if h.skip > 0 {
		cut := min(h.skip, len(p))
		h.skip -= cut
		p = p[cut:]
		if len(p) == 0 {
			return n, nil
		}
	}
	_, err := h.Conn.Write(h.out.zeroPadding(p))
	if !h.sent {
		h.sent = true
		close(h.kexSent)
	}
	if err != nil {
		return 0, err
	}
	return n, nil
}

// clearOut follows the packets we send until NEWKEYS. The library flushes
// after every packet, so a write holds whole packets.
type clearOut struct{ done bool }

func (c *clearOut) zeroPadding(p []byte) []byte {
	for rest := p; !c.done && len(rest) > 0; {
		if len(rest) < 6 {
			c.done = true
			break
		}
		size := int(binary.BigEndian.Uint32(rest))
		pad := int(rest[4])
		if size < 2+pad || size+4 > len(rest) {
			c.done = true
			break
		}
		c.done = rest[5] == msgNewKeys
		clear(rest[4+size-pad : 4+size])
		rest = rest[4+size:]
	}
	return p
}
