package worlds

import (
	"bytes"
	"compress/flate"
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/netip"
)

// maxWorld bounds what a sealed world opens to. What is sealed was made here,
// so it is a safety line, not a limit of the format.
const maxWorld = 64 << 20

// plainBelow: smaller worlds do not gain by compression.
const plainBelow = 128

// First byte of an opened world.
const (
	plain byte = iota
	deflated
)

// sealer makes ids and seals worlds with keys derived from the deployment's.
type sealer struct {
	names []byte
	aead  cipher.AEAD
}

func newSealer(secret []byte) (sealer, error) {
	if len(secret) == 0 {
		return sealer{}, errors.New("a secret is needed")
	}
	block, err := aes.NewCipher(derive(secret, "honeyguide worlds: content"))
	if err != nil {
		return sealer{}, err
	}
	aead, err := cipher.NewGCM(block)
	return sealer{names: derive(secret, "honeyguide worlds: names"), aead: aead}, err
}

func derive(secret []byte, label string) []byte {
	m := hmac.New(sha256.New, secret)
	m.Write([]byte(label))
	return m.Sum(nil)
}

// id names the world of a source on the host called persona.
func (s sealer) id(persona string, source netip.Addr) id {
	m := hmac.New(sha256.New, s.names)
	a := source.As16()
	m.Write([]byte(persona))
	m.Write([]byte{0})
	m.Write(a[:])
	return id(m.Sum(nil)[:16])
}

// A packer compresses the worlds of one batch: its tables are larger than most
// worlds. The zero value is ready.
type packer struct {
	buf bytes.Buffer
	w   *flate.Writer
}

// pack returns a world compressed, or as it is when that is not worth it. The
// next call overwrites the result.
func (p *packer) pack(world []byte) ([]byte, error) {
	p.buf.Reset()
	if len(world) < plainBelow {
		p.buf.WriteByte(plain)
		p.buf.Write(world)
		return p.buf.Bytes(), nil
	}
	p.buf.WriteByte(deflated)
	if p.w == nil {
		w, err := flate.NewWriter(&p.buf, flate.BestSpeed)
		if err != nil {
			return nil, err
		}
		p.w = w
	} else {
		p.w.Reset(&p.buf)
	}
	if _, err := p.w.Write(world); err != nil {
		return nil, err
	}
	if err := p.w.Close(); err != nil {
		return nil, err
	}
	return p.buf.Bytes(), nil
}

// close compresses and seals a world; it opens under its id only.
func (s sealer) close(key id, world []byte, p *packer) ([]byte, error) {
	clear, err := p.pack(world)
	if err != nil {
		return nil, err
	}
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(clear)+s.aead.Overhead())
	_, _ = rand.Read(nonce) // never fails (crypto/rand)
	return s.aead.Seal(nonce, nonce, clear, key[:]), nil
}

// errSealed says that a row cannot be opened.
var errSealed = errors.New("sealed with another key, or damaged")

func (s sealer) open(key id, body []byte) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(body) < n {
		return nil, errSealed
	}
	clear, err := s.aead.Open(nil, body[:n], body[n:], key[:])
	if err != nil || len(clear) == 0 {
		return nil, errSealed
	}
	if clear[0] == plain {
		return clear[1:], nil
	}
	world, err := io.ReadAll(io.LimitReader(flate.NewReader(bytes.NewReader(clear[1:])), maxWorld))
	if err != nil {
		return nil, fmt.Errorf("unpack: %w", err)
	}
	return world, nil
}
