package sshwire

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/binary"
	"fmt"
	"hash"
)

// An opener undoes the encryption of packets. Packets begin with their length
// field and end with their tag; all work is done in place.
type opener interface {
	// head is how many bytes tell the length.
	head() int
	// length reads the length field; it may decrypt the head.
	length(seq uint32, head []byte) (uint32, error)
	// open checks and decrypts a packet and returns what is between length
	// and tag.
	open(seq uint32, packet []byte) ([]byte, error)
	framing
}

// A sealer encrypts packets.
type sealer interface {
	// pad appends n bytes of padding.
	pad(b []byte, n int) []byte
	// seal encrypts a packet and appends its tag.
	seal(seq uint32, packet []byte) []byte
	framing
}

type framing interface {
	// block is the size packets are padded to; bare says that the length
	// field is not counted in.
	block() (size int, bare bool)
	tag() int
}

// clearText is the protection before there are keys: none.
type clearText struct{}

func (clearText) head() int          { return 8 }
func (clearText) block() (int, bool) { return 8, false }
func (clearText) tag() int           { return 0 }

func (clearText) length(_ uint32, head []byte) (uint32, error) {
	return binary.BigEndian.Uint32(head), nil
}

func (clearText) open(_ uint32, packet []byte) ([]byte, error) { return packet[4:], nil }
func (clearText) pad(b []byte, n int) []byte                   { return padZero(b, n) }
func (clearText) seal(_ uint32, packet []byte) []byte          { return packet }

// cipherSpec is a cipher by name.
type cipherSpec struct {
	key, iv int
	aead    bool // brings its own MAC
	make    func(key, iv []byte, mac packetMAC, etm bool) (mode, error)
}

// mode is both halves of a protection; each instance is used for one direction.
type mode interface {
	opener
	sealer
}

var ciphers = map[string]cipherSpec{
	"chacha20-poly1305@openssh.com": {key: 64, aead: true, make: newChaChaPoly},
	"aes128-gcm@openssh.com":        {key: 16, iv: 12, aead: true, make: newGCM},
	"aes256-gcm@openssh.com":        {key: 32, iv: 12, aead: true, make: newGCM},
	"aes128-ctr":                    {key: 16, iv: 16, make: newCTR},
	"aes192-ctr":                    {key: 24, iv: 16, make: newCTR},
	"aes256-ctr":                    {key: 32, iv: 16, make: newCTR},
}

// macSpec is a MAC by name; etm MACs cover the encrypted packet.
type macSpec struct {
	key  int
	etm  bool
	make func(key []byte) (packetMAC, error)
}

// A packetMAC appends the tag of a packet to dst.
type packetMAC interface {
	sum(dst []byte, seq uint32, packet []byte) []byte
	size() int
}

var macs = map[string]macSpec{
	"umac-64-etm@openssh.com":       {key: 16, etm: true, make: newUMAC64},
	"umac-128-etm@openssh.com":      {key: 16, etm: true, make: newUMAC128},
	"hmac-sha2-256-etm@openssh.com": {key: 32, etm: true, make: hmacOf(sha256.New)},
	"hmac-sha2-512-etm@openssh.com": {key: 64, etm: true, make: hmacOf(sha512.New)},
	"hmac-sha1-etm@openssh.com":     {key: 20, etm: true, make: hmacOf(sha1.New)},
	"umac-64@openssh.com":           {key: 16, make: newUMAC64},
	"umac-128@openssh.com":          {key: 16, make: newUMAC128},
	"hmac-sha2-256":                 {key: 32, make: hmacOf(sha256.New)},
	"hmac-sha2-512":                 {key: 64, make: hmacOf(sha512.New)},
	"hmac-sha1":                     {key: 20, make: hmacOf(sha1.New)},
}

// hmacTag is HMAC over the packet's number and bytes (RFC 4253 section 6.4).
type hmacTag struct {
	h   hash.Hash
	num [4]byte
}

func hmacOf(f func() hash.Hash) func(key []byte) (packetMAC, error) {
	return func(key []byte) (packetMAC, error) { return &hmacTag{h: hmac.New(f, key)}, nil }
}

func (m *hmacTag) size() int { return m.h.Size() }

func (m *hmacTag) sum(dst []byte, seq uint32, packet []byte) []byte {
	m.h.Reset()
	binary.BigEndian.PutUint32(m.num[:], seq)
	m.h.Write(m.num[:])
	m.h.Write(packet)
	return m.h.Sum(dst)
}

// ctr is AES in counter mode (RFC 4344) with a MAC beside it: over the clear
// packet, or with etm over the encrypted one, whose length field then stays
// readable.
type ctr struct {
	stream  cipher.Stream
	mac     packetMAC
	etm     bool
	scratch [64]byte // a tag
}

func newCTR(key, iv []byte, mac packetMAC, etm bool) (mode, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up aes-ctr: %w", err)
	}
	return &ctr{stream: cipher.NewCTR(block, iv), mac: mac, etm: etm}, nil
}

func (c *ctr) block() (int, bool)         { return aes.BlockSize, c.etm }
func (c *ctr) tag() int                   { return c.mac.size() }
func (c *ctr) pad(b []byte, n int) []byte { return padRandom(b, n) }

func (c *ctr) head() int {
	if c.etm {
		return 4
	}
	return aes.BlockSize
}

func (c *ctr) length(_ uint32, head []byte) (uint32, error) {
	if !c.etm {
		c.stream.XORKeyStream(head, head)
	}
	return binary.BigEndian.Uint32(head), nil
}

func (c *ctr) open(seq uint32, packet []byte) ([]byte, error) {
	body := packet[:len(packet)-c.mac.size()]
	tag := packet[len(body):]
	if c.etm {
		if !hmac.Equal(c.mac.sum(c.scratch[:0], seq, body), tag) {
			return nil, errMAC
		}
		c.stream.XORKeyStream(body[4:], body[4:])
		return body[4:], nil
	}
	if rest := body[min(aes.BlockSize, len(body)):]; len(rest) > 0 {
		c.stream.XORKeyStream(rest, rest)
	}
	if !hmac.Equal(c.mac.sum(c.scratch[:0], seq, body), tag) {
		return nil, errMAC
	}
	return body[4:], nil
}

func (c *ctr) seal(seq uint32, packet []byte) []byte {
	if c.etm {
		c.stream.XORKeyStream(packet[4:], packet[4:])
		return c.mac.sum(packet, seq, packet)
	}
	n := len(packet)
	packet = c.mac.sum(packet, seq, packet)
	c.stream.XORKeyStream(packet[:n], packet[:n])
	return packet
}

// gcm is AES-GCM as RFC 5647 and OpenSSH have it: the length field is readable
// and authenticated, the last eight bytes of the nonce count packets.
type gcm struct {
	aead  cipher.AEAD
	nonce [12]byte
}

func newGCM(key, iv []byte, _ packetMAC, _ bool) (mode, error) {
	block, err := aes.NewCipher(key)
	if err != nil {
		return nil, fmt.Errorf("set up aes-gcm: %w", err)
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, fmt.Errorf("set up aes-gcm: %w", err)
	}
	return &gcm{aead: aead, nonce: [12]byte(iv)}, nil
}

func (g *gcm) head() int                  { return 4 }
func (g *gcm) block() (int, bool)         { return aes.BlockSize, true }
func (g *gcm) tag() int                   { return 16 }
func (g *gcm) pad(b []byte, n int) []byte { return padRandom(b, n) }

func (g *gcm) length(_ uint32, head []byte) (uint32, error) {
	return binary.BigEndian.Uint32(head), nil
}

// count steps the nonce after a packet.
func (g *gcm) count() {
	binary.BigEndian.PutUint64(g.nonce[4:], binary.BigEndian.Uint64(g.nonce[4:])+1)
}

func (g *gcm) open(_ uint32, packet []byte) ([]byte, error) {
	defer g.count()
	body, err := g.aead.Open(packet[4:4], g.nonce[:], packet[4:], packet[:4])
	if err != nil {
		return nil, errMAC
	}
	return body, nil
}

func (g *gcm) seal(_ uint32, packet []byte) []byte {
	defer g.count()
	sealed := g.aead.Seal(packet[4:4], g.nonce[:], packet[4:], packet[:4])
	return packet[:4+len(sealed)]
}
