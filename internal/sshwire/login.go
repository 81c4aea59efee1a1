package sshwire

import (
	"bytes"
	"slices"
)

// A Login decides who is let in, and is told what the peer shows of itself. Its
// methods take the time the answer is to take; they are called one at a time.
type Login interface {
	// KexInit is told of the peer's first KEXINIT, without its type byte.
	KexInit(payload []byte)
	// None is told that the peer asked which methods there are.
	None(user string)
	// Password judges a password; method is password or keyboard-interactive.
	Password(method, user, password string) bool
	// Key says whether a public key, of a kind such as ssh-rsa, would be let in.
	Key(user, kind string, blob []byte) bool
	// KeyProven is told that the peer has the private half of such a key.
	KeyProven(user, kind string, blob []byte)
}

// maxAttempts is after how many requests of any kind sshd gives up.
const maxAttempts = 1024

// Handshake exchanges keys and lets the peer log in through l. The peer's
// version line was read before; early is what was read behind it. It returns
// when the peer is in; an error says it never will be, and then the peer has
// been told what sshd tells.
func (s *Server) Handshake(stream Stream, version string, early []byte, l Login) (*Conn, error) {
	c := s.newConn(stream, version)
	c.in.feed(early)
	err := c.firstKex(l.KexInit)
	if err == nil {
		err = (&auth{c: c, l: l}).run()
	}
	if err != nil {
		c.leave(err)
		return nil, err
	}
	return c, nil
}

// auth is a login under way (RFC 4252).
type auth struct {
	c          *Conn
	l          Login
	service    bool // ssh-userauth was asked for
	user       string
	what       string
	attempts   int
	failures   int
	asked      bool   // keyboard-interactive waits for an answer
	acceptable []byte // the key last found to be let in
}

// run serves requests until one is granted.
func (a *auth) run() error {
	for {
		p, err := a.c.next()
		if err != nil {
			return err
		}
		in := false
		switch {
		case p[0] == msgKexInit:
			err = a.c.exchange(p)
		case p[0] == msgServiceRequest:
			err = a.begin(p)
		case p[0] == msgAuthRequest && a.service:
			in, err = a.request(p)
		case p[0] == msgAuthResponse && a.asked:
			in, err = a.response(p)
		case p[0] == msgExtInfo:
		default:
			err = a.c.unimplemented()
		}
		if err != nil {
			return err
		}
		if in {
			return a.c.begin()
		}
	}
}

// begin confirms the login itself, with what starts with it.
func (c *Conn) begin() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	if err := c.putLocked([]byte{msgAuthSuccess}); err != nil {
		return err
	}
	c.authed = true
	c.startDeflate()
	c.startInflate()
	return nil
}

// begin answers a service request.
func (a *auth) begin(p []byte) error {
	f := fields{p: p[1:]}
	name := f.text()
	if f.bad {
		return errCorrupt
	}
	if name != "ssh-userauth" {
		return protestf("bad service request %.100s", name)
	}
	a.service = true
	return a.c.reply(appendString([]byte{msgServiceAccept}, name))
}

// request answers one attempt.
func (a *auth) request(p []byte) (in bool, err error) {
	f := fields{p: p[1:]}
	user, service, method := f.text(), f.text(), f.text()
	if f.bad {
		return false, errCorrupt
	}
	if a.attempts == 0 {
		a.user, a.what = user, service
	} else if user != a.user || service != a.what {
		return false, protestf("Change of username or service not allowed: (%.100s,%.100s) -> (%.100s,%.100s)", a.user, a.what, user, service)
	}
	a.attempts++
	if a.attempts > maxAttempts {
		return false, errTries
	}
	a.asked = false
	silent := false
	switch {
	case service != "ssh-connection":
	case method == "none":
		a.l.None(user)
	case method == "password":
		in, err = a.password(&f)
	case method == "publickey" || method == hostBound:
		in, silent, err = a.key(method, p[1:], &f)
	case method == "keyboard-interactive" && a.c.server.config.Interactive:
		a.asked, silent = true, true
		err = a.ask()
	}
	if in || silent || err != nil {
		return in, err
	}
	return false, a.refuse(a.attempts > 1 || method != "none")
}

var errTries = &protest{disconnectProtocol, "Too many authentication failures"}

// refuse answers with the methods there are; the last refusal ends it.
func (a *auth) refuse(counts bool) error {
	if counts {
		a.failures++
	}
	if a.failures >= a.c.server.config.MaxTries {
		return errTries
	}
	return a.c.reply(appendBool(appendString([]byte{msgAuthFailure}, a.c.server.methods), false))
}

func (a *auth) password(f *fields) (bool, error) {
	change, password := f.bool(), f.text()
	if f.bad {
		return false, errCorrupt
	}
	if change { // refused without a look at either of the two
		a.l.None(a.user)
		return false, nil
	}
	return a.l.Password("password", a.user, password), nil
}

// ask asks for a password the way PAM does.
func (a *auth) ask() error {
	p := []byte{msgAuthInfo}
	for range 3 { // name, instruction, language
		p = appendString(p, "")
	}
	p = appendNumber(p, 1)
	return a.c.reply(appendBool(appendString(p, "Password: "), false))
}

// response judges the answer.
func (a *auth) response(p []byte) (bool, error) {
	a.asked = false
	f := fields{p: p[1:]}
	if n, answer := f.number(), f.text(); n == 1 && !f.bad && a.l.Password("keyboard-interactive", a.user, answer) {
		return true, nil
	}
	return false, a.refuse(true)
}

// hostBound is publickey with the server's key in what is signed (OpenSSH's
// PROTOCOL, section 1.8).
const hostBound = "publickey-hostbound-v00@openssh.com"

// key answers a question for a key, or its proof. silent says that the answer
// is on its way.
func (a *auth) key(method string, whole []byte, f *fields) (in, silent bool, err error) {
	proof, algorithm, blob := f.bool(), f.text(), f.bytes()
	var host []byte
	if method == hostBound {
		host = f.bytes()
	}
	signed := len(whole) - len(f.p)
	var signature []byte
	if proof {
		signature = f.bytes()
	}
	if f.bad {
		return false, false, errCorrupt
	}
	if host != nil && !bytes.Equal(host, a.c.server.keyFor(a.c.hostKey).blob) {
		return false, false, nil
	}
	key, err := parsePublicKey(blob)
	if err != nil || !key.signs(algorithm) {
		// Nothing that could be let in, but told of all the same.
		a.l.Key(a.user, kindOf(blob, algorithm), blob)
		return false, false, nil
	}
	if !bytes.Equal(blob, a.acceptable) && !a.l.Key(a.user, key.kind, blob) {
		return false, false, nil
	}
	a.acceptable = slices.Clone(blob)
	if !proof {
		p := appendString([]byte{msgAuthPKOK}, algorithm)
		return false, true, a.c.reply(appendString(p, blob))
	}
	data := appendString(nil, a.c.session)
	data = append(append(data, msgAuthRequest), whole[:signed]...)
	if !key.verify(algorithm, data, signature) {
		return false, false, nil
	}
	a.l.KeyProven(a.user, key.kind, blob)
	return true, false, nil
}

// kindOf names the type of a key that cannot be used.
func kindOf(blob []byte, algorithm string) string {
	f := fields{p: blob}
	if kind := f.text(); !f.bad && len(kind) > 0 && len(kind) <= 64 {
		return kind
	}
	return algorithm
}
