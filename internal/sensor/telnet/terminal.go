package telnet

import (
	"encoding/binary"
	"errors"
	"io"
	"os"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/sensor"
)

// terminal is the peer's terminal: data without the protocol around it.
type terminal struct {
	ses  *sensor.Session
	dec  decoder
	buf  [1024]byte
	data []byte // decoded, not read yet
	late bool   // a deadline passed

	asked   map[byte]bool    // options we asked for that are not answered
	willing map[byte]bool    // options the peer agreed to
	refused map[[2]byte]bool // what was answered with no: our verb and the option
	subs    int              // subnegotiations we wait for

	term       string
	env        []string
	cols, rows int
	resized    func(cols, rows int)
	reported   bool
	pending    []byte // answers to send
}

func newTerminal(ses *sensor.Session) *terminal {
	return &terminal{ses: ses, cols: 80, rows: 24, asked: map[byte]bool{}, willing: map[byte]bool{}, refused: map[[2]byte]bool{}}
}

// negotiate goes through telnetd's three rounds. A peer that does not answer by
// patience gets the prompt all the same.
func (t *terminal) negotiate(patience, limit time.Time) error {
	rounds := []struct {
		verb byte
		opts []byte
	}{
		{will, []byte{optAuth, optEncrypt}},
		{do, []byte{optTType, optTSpeed, optXDisploc, optNewEnviron, optOldEnviron}},
	}
	var out []byte
	for _, r := range rounds {
		for _, opt := range r.opts {
			out = append(out, iac, r.verb, opt)
			t.asked[opt] = true
		}
	}
	if err := t.send(out); err != nil {
		return err
	}
	_ = t.ses.SetReadDeadline(patience)
	err := t.until(func() bool { return len(t.asked) == 0 })
	if err == nil {
		err = t.details()
	}
	if errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, io.EOF) && len(t.data) > 0 {
		t.late, err = false, nil // a loader that talks without listening
	}
	_ = t.ses.SetReadDeadline(limit)
	if err != nil {
		return err
	}
	clear(t.asked)
	for _, opt := range []byte{optEcho, optLinemode, optNAWS, optLFlow} {
		t.asked[opt] = true
	}
	if err := t.send([]byte{
		iac, will, optSGA, iac, do, optEcho, iac, do, optLinemode, iac, do, optNAWS, iac, will, optStatus, iac, do, optLFlow,
	}); err != nil {
		return err
	}
	return t.send([]byte{iac, will, optEcho})
}

// details asks for the values of the options the peer agreed to.
func (t *terminal) details() error {
	for _, opt := range []byte{optTSpeed, optXDisploc, optNewEnviron, optOldEnviron, optTType} {
		if t.willing[opt] {
			t.subs++
			if err := t.send([]byte{iac, sb, opt, 1, iac, se}); err != nil { // 1 is SEND
				return err
			}
		}
	}
	return t.until(func() bool { return t.subs <= 0 })
}

// until reads until done, without waiting more once it is.
func (t *terminal) until(done func() bool) error {
	for !done() {
		if err := t.fill(); err != nil {
			return err
		}
	}
	return nil
}

// maxHeld bounds the data a peer sends before anybody reads it.
const maxHeld = 64 << 10

// fill reads once from the peer, decodes, and sends the answers due.
func (t *terminal) fill() error {
	n, err := t.ses.Read(t.buf[:])
	t.data = t.dec.decode(t.data, t.buf[:n], t)
	if len(t.pending) > 0 {
		out := t.pending
		t.pending = nil
		if werr := t.send(out); werr != nil && err == nil {
			err = werr
		}
	}
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		t.late = true
	case err == nil && len(t.data) > maxHeld:
		err = io.ErrShortBuffer
	}
	return err
}

func (t *terminal) send(p []byte) error {
	_, err := t.ses.Write(p)
	return err
}

// Read returns what the peer typed.
func (t *terminal) Read(p []byte) (int, error) {
	for len(t.data) == 0 {
		if err := t.fill(); err != nil && len(t.data) == 0 {
			return 0, err
		}
	}
	n := copy(p, t.data)
	t.data = t.data[:copy(t.data, t.data[n:])]
	return n, nil
}

// Write shows p to the peer.
func (t *terminal) Write(p []byte) (int, error) {
	if err := t.send(encode(make([]byte, 0, len(p)+16), p)); err != nil {
		return 0, err
	}
	return len(p), nil
}

// command answers the commands that are no keys.
func (t *terminal) command(c byte) {
	if c == ayt {
		t.answer([]byte("\r\n[Yes]\r\n"))
	}
}

// maxAnswers bounds what is sent back for one read: a peer may fill a read with
// questions.
const maxAnswers = 4 << 10

func (t *terminal) answer(p []byte) {
	if len(t.pending)+len(p) <= maxAnswers {
		t.pending = append(t.pending, p...)
	}
}

// option answers a WILL, WONT, DO or DONT, once per option.
func (t *terminal) option(verb, opt byte) {
	known := t.asked[opt]
	delete(t.asked, opt)
	switch verb {
	case will:
		if known || ours(opt) {
			t.willing[opt] = true
			return
		}
		t.decline(dont, opt)
	case do:
		if known || opt == optEcho || opt == optSGA || opt == optStatus {
			return
		}
		t.decline(wont, opt)
	}
}

func (t *terminal) decline(verb, opt byte) {
	if key := [2]byte{verb, opt}; !t.refused[key] {
		t.refused[key] = true
		t.answer([]byte{iac, verb, opt})
	}
}

// ours are the peer's options telnetd asks for sooner or later.
func ours(opt byte) bool {
	switch opt {
	case optEcho, optTType, optTSpeed, optXDisploc, optNewEnviron, optOldEnviron, optNAWS, optLFlow, optLinemode:
		return true
	}
	return false
}

// subnegotiation takes the value of an option.
func (t *terminal) subnegotiation(p []byte) {
	if len(p) == 0 {
		return
	}
	opt, value := p[0], p[1:]
	switch opt {
	case optNAWS:
		if len(value) == 4 {
			t.cols, t.rows = sensor.Size(int(binary.BigEndian.Uint16(value)), int(binary.BigEndian.Uint16(value[2:])))
			if t.resized != nil {
				t.resized(t.cols, t.rows)
			}
		}
	case optTType:
		t.subs--
		if len(value) > 1 && value[0] == 0 {
			t.term = strings.ToLower(safe(value[1:], 40))
		}
	case optNewEnviron, optOldEnviron:
		t.subs--
		t.env = append(t.env, environment(value)...)
		t.env = t.env[:min(len(t.env), 32)]
	case optTSpeed, optXDisploc:
		t.subs--
	}
}

// environment reads the variables of RFC 1572: IS, then VAR or USERVAR name,
// VALUE value.
func environment(p []byte) (vars []string) {
	if len(p) == 0 || p[0] == 1 {
		return nil
	}
	var name, value []byte
	into := &name
	add := func() {
		if len(name) > 0 {
			vars = append(vars, safe(name, 64)+"="+safe(value, 256))
		}
		name, value = nil, nil
	}
	for i := 1; i < len(p); i++ {
		switch p[i] {
		case 0, 3: // VAR, USERVAR
			add()
			into = &name
		case 1: // VALUE
			into = &value
		case 2: // ESC
			if i++; i < len(p) {
				*into = append(*into, p[i])
			}
		default:
			*into = append(*into, p[i])
		}
	}
	add()
	return vars
}

func safe(p []byte, most int) string {
	return strings.ToValidUTF8(string(p[:min(len(p), most)]), "\ufffd")
}

// report says what the peer told of itself, once. A user name that is an option
// of login(1) is an exploit (CVE-2026-24061).
func (t *terminal) report() {
	if t.reported || t.term == "" && len(t.env) == 0 {
		return
	}
	t.reported = true
	e := honeyguide.Event{
		Class: honeyguide.ClassNetwork, Activity: honeyguide.ActivityClient,
		Severity: honeyguide.SeverityInformational,
	}
	e.Set("terminal.type", t.term)
	e.Set("terminal.environment", strings.Join(t.env, "\n"))
	for _, v := range t.env {
		if strings.HasPrefix(v, "USER=-") {
			e.Severity = honeyguide.SeverityHigh
			e.Set(honeyguide.AttrDetail, "user name is an option of login(1)")
		}
	}
	t.ses.Emit(e)
}

// ask shows a prompt and reads a line as the terminal driver does, with or
// without showing what is typed.
func (t *terminal) ask(prompt string, echo bool) (string, error) {
	if _, err := io.WriteString(t, prompt); err != nil {
		return "", err
	}
	var line []byte
	show := func(s string) error {
		if !echo {
			return nil
		}
		_, err := io.WriteString(t, s)
		return err
	}
	var b [1]byte
	for {
		if _, err := t.Read(b[:]); err != nil {
			return "", err
		}
		var err error
		switch c := b[0]; c {
		case '\r', '\n':
			_, err = io.WriteString(t, "\r\n")
			return string(line), err
		case 0x7f, '\b':
			if len(line) > 0 {
				line = line[:len(line)-1]
				err = show("\b \b")
			}
		case 0x15: // Ctrl-U
			err = show(strings.Repeat("\b \b", len(line)))
			line = line[:0]
		case 0x03, 0x04: // Ctrl-C, Ctrl-D: login(1) ends
			return "", io.EOF
		case 0:
		default:
			if len(line) < maxLine {
				line = append(line, c)
				err = show(string(line[len(line)-1:]))
			}
		}
		if err != nil {
			return "", err
		}
	}
}
