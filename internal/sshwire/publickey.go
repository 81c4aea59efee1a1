package sshwire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// Bounds of a peer's RSA key: sshd takes 1024 bits and more; the upper bound is
// OpenSSH's.
const (
	rsaMin = 1024
	rsaMax = 16384
)

// peerKey is a public key of a peer.
type peerKey struct {
	kind       string
	key        crypto.PublicKey
	algorithms []string
}

var errPublicKey = errors.New("malformed public key")

var peerCurves = map[string]elliptic.Curve{
	"nistp256": elliptic.P256(), "nistp384": elliptic.P384(), "nistp521": elliptic.P521(),
}

// parsePublicKey reads the key types a login can be made with: RSA, ECDSA,
// Ed25519. Keys on tokens and certificates are not among them.
func parsePublicKey(blob []byte) (*peerKey, error) {
	f := fields{p: blob}
	k := &peerKey{kind: f.text()}
	switch k.kind {
	case "ssh-rsa":
		e, n := new(big.Int).SetBytes(f.bytes()), new(big.Int).SetBytes(f.bytes())
		if n.BitLen() < rsaMin || n.BitLen() > rsaMax || e.BitLen() > 31 || e.Bit(0) == 0 || e.Cmp(big.NewInt(3)) < 0 {
			return nil, errPublicKey
		}
		k.key = &rsa.PublicKey{N: n, E: int(e.Int64())}
		k.algorithms = []string{"rsa-sha2-512", "rsa-sha2-256"}
	case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		name := f.text()
		curve := peerCurves[name]
		if curve == nil || k.kind != "ecdsa-sha2-"+name {
			return nil, errPublicKey
		}
		key, err := ecdsa.ParseUncompressedPublicKey(curve, f.bytes())
		if err != nil {
			return nil, fmt.Errorf("%w: %w", errPublicKey, err)
		}
		k.key, k.algorithms = key, []string{k.kind}
	case "ssh-ed25519":
		key := f.bytes()
		if len(key) != ed25519.PublicKeySize {
			return nil, errPublicKey
		}
		k.key, k.algorithms = ed25519.PublicKey(slices.Clone(key)), []string{k.kind}
	default:
		return nil, errPublicKey
	}
	if f.bad || len(f.p) > 0 {
		return nil, errPublicKey
	}
	return k, nil
}

// signs reports whether the key makes signatures of an algorithm we take:
// SHA-1 is none since OpenSSH 8.8.
func (k *peerKey) signs(algorithm string) bool { return slices.Contains(k.algorithms, algorithm) }

// verify checks a signature field over data.
func (k *peerKey) verify(algorithm string, data, signature []byte) bool {
	f := fields{p: signature}
	name, sig := f.text(), f.bytes()
	if f.bad || name != algorithm || !k.signs(algorithm) {
		return false
	}
	switch key := k.key.(type) {
	case *rsa.PublicKey:
		if algorithm == "rsa-sha2-512" {
			sum := sha512.Sum512(data)
			return rsa.VerifyPKCS1v15(key, crypto.SHA512, sum[:], sig) == nil
		}
		sum := sha256.Sum256(data)
		return rsa.VerifyPKCS1v15(key, crypto.SHA256, sum[:], sig) == nil
	case *ecdsa.PublicKey:
		s := fields{p: sig}
		a, b := new(big.Int).SetBytes(s.bytes()), new(big.Int).SetBytes(s.bytes())
		return !s.bad && ecdsa.Verify(key, digestFor(key.Curve, data), a, b)
	case ed25519.PublicKey:
		return ed25519.Verify(key, data, sig)
	}
	return false
}

// digestFor hashes as RFC 5656 section 6.2.1 says for the curve's size.
func digestFor(curve elliptic.Curve, data []byte) []byte {
	switch size := curve.Params().BitSize; {
	case size <= 256:
		sum := sha256.Sum256(data)
		return sum[:]
	case size <= 384:
		sum := sha512.Sum384(data)
		return sum[:]
	}
	sum := sha512.Sum512(data)
	return sum[:]
}
