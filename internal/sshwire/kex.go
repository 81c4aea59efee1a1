package sshwire

import (
	"crypto/rand"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"hash"
	"slices"
	"strings"
)

// choice is what two KEXINITs agree on.
type choice struct {
	kex, hostKey string
	in, out      protection // client to server, server to client
	guessed      bool       // a wrong guess follows and is skipped
}

type protection struct{ cipher, mac, compression string }

var errNoMatch = errors.New("no algorithm in common")

// peerInit is a parsed KEXINIT.
type peerInit struct {
	lists  [10]string
	follow bool
}

// parseInit reads a KEXINIT payload (RFC 4253 section 7.1).
func parseInit(p []byte) (k peerInit, err error) {
	f := fields{p: p}
	f.take(1 + cookieSize)
	for i := range k.lists {
		k.lists[i] = f.text()
	}
	k.follow = f.bool()
	f.number()
	if f.bad {
		return k, fmt.Errorf("%w: KEXINIT", errCorrupt)
	}
	return k, nil
}

// first returns the first name of the client's list that the server has.
func first(client string, server []string) (string, error) {
	for name := range strings.SplitSeq(client, ",") {
		if name != "" && slices.Contains(server, name) {
			return name, nil
		}
	}
	return "", fmt.Errorf("%w: their offer: %.200q", errNoMatch, client)
}

// agree chooses as RFC 4253 section 7.1 says.
func (s *Server) agree(k peerInit) (c choice, err error) {
	p := &s.config.Profile
	try := func(into *string, client string, server []string) {
		if err == nil {
			*into, err = first(client, server)
		}
	}
	offered := slices.DeleteFunc(slices.Clone(p.Kex), func(n string) bool { return exchanges[n].run == nil })
	try(&c.kex, k.lists[0], offered)
	try(&c.hostKey, k.lists[1], s.names)
	for i, half := range []*protection{&c.in, &c.out} {
		try(&half.cipher, k.lists[2+i], p.Ciphers)
		if !ciphers[half.cipher].aead {
			try(&half.mac, k.lists[4+i], p.MACs)
		}
		try(&half.compression, k.lists[6+i], p.Compressions)
	}
	if err != nil {
		return c, err
	}
	kex, _, _ := strings.Cut(k.lists[0], ",")
	key, _, _ := strings.Cut(k.lists[1], ",")
	c.guessed = k.follow && (kex != offered[0] || key != s.names[0])
	return c, nil
}

// exchange is one key exchange under way.
type exchange struct {
	c            *Conn
	theirs, ours []byte // KEXINIT payloads
	choice       choice
	key          *hostKey
	hash         func() hash.Hash
	secret       []byte // K, with its length
	digest       []byte // H
}

// A method is a key exchange by name. Its function talks to the peer up to and
// with the signed reply, and leaves secret and digest.
type method struct {
	hash func() hash.Hash
	run  func(*exchange) error
}

var exchanges = map[string]method{
	"sntrup761x25519-sha512":               {sha512.New, agreement(hybrid761)},
	"sntrup761x25519-sha512@openssh.com":   {sha512.New, agreement(hybrid761)},
	"curve25519-sha256":                    {sha256.New, agreement(curve25519)},
	"curve25519-sha256@libssh.org":         {sha256.New, agreement(curve25519)},
	"ecdh-sha2-nistp256":                   {sha256.New, agreement(nistp256)},
	"ecdh-sha2-nistp384":                   {sha512.New384, agreement(nistp384)},
	"ecdh-sha2-nistp521":                   {sha512.New, agreement(nistp521)},
	"diffie-hellman-group-exchange-sha256": {sha256.New, groupExchange},
	"diffie-hellman-group14-sha256":        {sha256.New, agreement(group14)},
	"diffie-hellman-group16-sha512":        {sha512.New, agreement(group16)},
	"diffie-hellman-group18-sha512":        {sha512.New, agreement(group18)},
}

// beginKex sends our KEXINIT; from then on only the exchange's messages leave.
// c.wmu is held.
func (c *Conn) beginKex() {
	p := slices.Clone(c.server.kexInit)
	_, _ = rand.Read(p[1 : 1+cookieSize]) // never fails
	c.ourInit, c.kexing = p, true
	c.out.put(p)
	c.dirty.Store(true)
}

// firstKex does the first key exchange: our lists leave before the peer's are
// looked at, as sshd's. seen is told of the peer's.
func (c *Conn) firstKex(seen func(payload []byte)) error {
	c.wmu.Lock()
	c.beginKex()
	err := c.flushLocked()
	c.wmu.Unlock()
	if err != nil {
		return err
	}
	for {
		p, err := c.next()
		if err != nil {
			return err
		}
		if p[0] != msgKexInit {
			if err := c.answerKex(appendNumber([]byte{msgUnimplemented}, c.in.seq-1)); err != nil {
				return err
			}
			continue
		}
		seen(p[1:])
		if err := c.exchange(p); err != nil {
			return err
		}
		c.initial = false
		return nil
	}
}

// exchange exchanges keys after the peer's KEXINIT came.
func (c *Conn) exchange(theirs []byte) error {
	x := &exchange{c: c, theirs: slices.Clone(theirs)}
	k, err := parseInit(x.theirs)
	if err != nil {
		return err
	}
	c.wmu.Lock()
	if !c.kexing {
		c.beginKex()
	}
	x.ours, c.ourInit = c.ourInit, nil
	c.wmu.Unlock()
	if x.ours == nil {
		return fmt.Errorf("%w: KEXINIT twice", errCorrupt)
	}
	if c.initial && c.server.config.Profile.strict() && listed(k.lists[0], strictClient) {
		c.strict = true
		if c.in.seq != 1 {
			return protestf("strict KEX violation: KEXINIT was not the first packet")
		}
	}
	if x.choice, err = c.server.agree(k); err != nil {
		return err
	}
	x.key = c.server.keyFor(x.choice.hostKey)
	if x.choice.guessed {
		if _, err := c.next(); err != nil {
			return err
		}
	}
	m := exchanges[x.choice.kex]
	x.hash = m.hash
	if err := m.run(x); err != nil {
		return fmt.Errorf("%s: %w", x.choice.kex, err)
	}
	if c.initial {
		c.session, c.hostKey = x.digest, x.choice.hostKey
	}
	return x.finish(c.initial && listed(k.lists[0], extInfo))
}

func listed(list, name string) bool {
	for n := range strings.SplitSeq(list, ",") {
		if n == name {
			return true
		}
	}
	return false
}

// finish takes the new keys into use in both directions.
func (x *exchange) finish(info bool) error {
	c := x.c
	seal, err := x.protection(x.choice.out, 'B')
	if err != nil {
		return err
	}
	open, err := x.protection(x.choice.in, 'A')
	if err != nil {
		return err
	}
	c.wmu.Lock()
	c.out.put([]byte{msgNewKeys})
	c.out.seal, c.out.traffic = seal, traffic{}
	c.limitOut = c.server.limit(x.choice.out.cipher)
	if c.strict {
		c.out.seq = 0
	}
	c.delayed[1] = x.choice.out.compression == zlibDelayed
	c.startDeflate()
	if info {
		c.out.put(c.server.extInfo)
	}
	c.dirty.Store(true)
	c.wmu.Unlock()
	if _, err := x.expect(msgNewKeys); err != nil {
		return err
	}
	c.in.open, c.in.traffic = open, traffic{}
	c.limitIn = c.server.limit(x.choice.in.cipher)
	if c.strict {
		c.in.seq = 0
	}
	c.delayed[0] = x.choice.in.compression == zlibDelayed
	c.startInflate()
	return c.endKex()
}

// endKex lets out what waited for the new keys.
func (c *Conn) endKex() error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	c.kexing = false
	for _, p := range c.pending {
		if err := c.putLocked(p); err != nil {
			return err
		}
	}
	c.pending, c.held = nil, 0
	c.wcond.Broadcast()
	return nil
}

// startDeflate begins delayed compression of what leaves, in a new stream.
func (c *Conn) startDeflate() {
	c.out.deflate = nil
	if c.authed && c.delayed[1] {
		c.out.deflate = newDeflater()
	}
}

// startInflate is its counterpart.
func (c *Conn) startInflate() {
	c.in.inflate = nil
	if c.authed && c.delayed[0] {
		c.in.inflate = newInflater()
	}
}

// limit is after how many bytes a key is worn out: OpenSSH takes 2^32 blocks of
// 16 bytes and 1 GiB with smaller blocks.
func (s *Server) limit(cipher string) uint64 {
	switch {
	case s.config.RekeyBytes > 0:
		return s.config.RekeyBytes
	case strings.HasPrefix(cipher, "chacha20"):
		return 1 << 30
	}
	return 1 << 36
}

// protection makes one direction's cipher and MAC; letter is that of its IV in
// RFC 4253 section 7.2, those of its keys are two and four further.
func (x *exchange) protection(p protection, letter byte) (mode, error) {
	spec := ciphers[p.cipher]
	var mac packetMAC
	m := macs[p.mac]
	if !spec.aead {
		var err error
		if mac, err = m.make(x.derive(letter+4, m.key)); err != nil {
			return nil, err
		}
	}
	return spec.make(x.derive(letter+2, spec.key), x.derive(letter, spec.iv), mac, m.etm)
}

// derive returns n bytes of key material.
func (x *exchange) derive(letter byte, n int) []byte {
	var out []byte
	for len(out) < n {
		h := x.hash()
		h.Write(x.secret)
		h.Write(x.digest)
		if len(out) == 0 {
			session := x.c.session
			if session == nil {
				session = x.digest
			}
			h.Write([]byte{letter})
			h.Write(session)
		} else {
			h.Write(out)
		}
		out = h.Sum(out)
	}
	return out[:n]
}

// expect returns the next message, which must be of one type. In a strict
// exchange sshd names what else came; in another it says that it does not know
// it.
func (x *exchange) expect(t byte) ([]byte, error) {
	for {
		p, err := x.c.next()
		if err != nil {
			return nil, err
		}
		if p[0] == t {
			return p, nil
		}
		if x.c.initial && x.c.strict {
			return nil, protestf("strict KEX violation: unexpected packet type %d (seqnr %d)", p[0], x.c.in.seq-1)
		}
		if p[0] == msgKexInit || p[0] == msgNewKeys || !x.c.initial {
			return nil, fmt.Errorf("%w: message %d in a key exchange", errCorrupt, p[0])
		}
		if err := x.c.answerKex(appendNumber([]byte{msgUnimplemented}, x.c.in.seq-1)); err != nil {
			return nil, err
		}
	}
}

// answerKex sends a message of the exchange itself.
func (c *Conn) answerKex(payload ...[]byte) error {
	c.wmu.Lock()
	defer c.wmu.Unlock()
	return c.putLocked(payload...)
}

// transcript begins the exchange hash (RFC 4253 section 8).
func (x *exchange) transcript() []byte {
	b := appendString(nil, x.c.version)
	b = appendString(b, x.c.server.config.Version)
	b = appendString(b, x.theirs)
	b = appendString(b, x.ours)
	return appendString(b, x.key.blob)
}

// sign takes the whole transcript but K, finishes the hash and sends the reply.
func (x *exchange) sign(reply byte, transcript, ours, secret []byte) error {
	x.secret = secret
	h := x.hash()
	h.Write(transcript)
	h.Write(secret)
	x.digest = h.Sum(nil)
	sig, err := x.key.sign(x.choice.hostKey, x.digest)
	if err != nil {
		return err
	}
	p := appendString([]byte{reply}, x.key.blob)
	p = appendString(p, ours)
	return x.c.answerKex(appendString(p, sig))
}

// agreement is an exchange of one value each way: share takes the peer's and
// returns ours and the secret with its length. Integers travel as mpints, whose
// frame is a string's.
func agreement(share func(theirs []byte) (ours, secret []byte, err error)) func(*exchange) error {
	return func(x *exchange) error {
		p, err := x.expect(msgKexDHInit)
		if err != nil {
			return err
		}
		f := fields{p: p[1:]}
		theirs := slices.Clone(f.bytes())
		if f.bad {
			return errCorrupt
		}
		ours, secret, err := share(theirs)
		if err != nil {
			return err
		}
		t := appendString(appendString(x.transcript(), theirs), ours)
		return x.sign(msgKexDHReply, t, ours, secret)
	}
}
