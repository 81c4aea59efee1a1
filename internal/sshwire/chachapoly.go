package sshwire

import (
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/chacha20"
	//lint:ignore SA1019 the AEAD that replaces it frames packets as TLS does, not as OpenSSH
	"golang.org/x/crypto/poly1305"
)

// chaChaPoly is chacha20-poly1305@openssh.com (OpenSSH's
// PROTOCOL.chacha20poly1305): one key encrypts the length fields, the other the
// rest; the packet's number is the nonce, and block 0 of the second stream is
// the key of Poly1305.
type chaChaPoly struct{ lengthKey, key [32]byte }

func newChaChaPoly(key, _ []byte, _ packetMAC, _ bool) (mode, error) {
	if len(key) != 64 {
		return nil, fmt.Errorf("set up chacha20-poly1305: key of %d bytes", len(key))
	}
	return &chaChaPoly{key: [32]byte(key), lengthKey: [32]byte(key[32:])}, nil
}

func (c *chaChaPoly) head() int                  { return 4 }
func (c *chaChaPoly) block() (int, bool)         { return 8, true }
func (c *chaChaPoly) tag() int                   { return poly1305.TagSize }
func (c *chaChaPoly) pad(b []byte, n int) []byte { return padRandom(b, n) }

// stream returns the key stream of a packet. OpenSSH has the original cipher's
// nonce of 64 bits, which is the 96-bit one with leading zeros as long as a
// stream has less than 2^32 blocks.
func stream(key *[32]byte, seq uint32) *chacha20.Cipher {
	var nonce [chacha20.NonceSize]byte
	binary.BigEndian.PutUint32(nonce[8:], seq)
	s, err := chacha20.NewUnauthenticatedCipher(key[:], nonce[:])
	if err != nil {
		panic(err) // the sizes are constant
	}
	return s
}

// body returns the stream behind the Poly1305 key, and that key.
func (c *chaChaPoly) body(seq uint32) (*chacha20.Cipher, *[32]byte) {
	var key [32]byte
	s := stream(&c.key, seq)
	s.XORKeyStream(key[:], key[:])
	s.SetCounter(1)
	return s, &key
}

func (c *chaChaPoly) length(seq uint32, head []byte) (uint32, error) {
	var clear [4]byte // the tag covers the encrypted one
	stream(&c.lengthKey, seq).XORKeyStream(clear[:], head)
	return binary.BigEndian.Uint32(clear[:]), nil
}

func (c *chaChaPoly) open(seq uint32, packet []byte) ([]byte, error) {
	s, key := c.body(seq)
	n := len(packet) - poly1305.TagSize
	if !poly1305.Verify((*[16]byte)(packet[n:]), packet[:n], key) {
		return nil, errMAC
	}
	s.XORKeyStream(packet[4:n], packet[4:n])
	return packet[4:n], nil
}

func (c *chaChaPoly) seal(seq uint32, packet []byte) []byte {
	stream(&c.lengthKey, seq).XORKeyStream(packet[:4], packet[:4])
	s, key := c.body(seq)
	s.XORKeyStream(packet[4:], packet[4:])
	var tag [poly1305.TagSize]byte
	poly1305.Sum(&tag, packet, key)
	return append(packet, tag[:]...)
}
