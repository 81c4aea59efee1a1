package sshwire

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/sha512"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"slices"
)

// hostKey is one of the server's keys and the algorithms it signs with.
type hostKey struct {
	signer     crypto.Signer
	blob       []byte // public half (RFC 4253 section 6.6)
	algorithms []string
}

// parseHostKey reads a private key in PEM: PKCS #8, PKCS #1 or SEC 1.
func parseHostKey(text []byte) (*hostKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("no PEM block")
	}
	var key any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		key, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		key, err = x509.ParseECPrivateKey(block.Bytes)
	default:
		key, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	}
	if err != nil {
		return nil, fmt.Errorf("parse %s: %w", block.Type, err)
	}
	signer, ok := key.(crypto.Signer)
	if !ok {
		return nil, fmt.Errorf("%s signs nothing", block.Type)
	}
	h := &hostKey{signer: signer}
	h.blob, h.algorithms, err = publicKey(signer.Public())
	return h, err
}

// publicKey encodes a public key and names the signatures made with it.
func publicKey(pub crypto.PublicKey) (blob []byte, algorithms []string, err error) {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		blob = appendString(nil, "ssh-rsa")
		blob = appendMpint(blob, big.NewInt(int64(k.E)).Bytes())
		return appendMpint(blob, k.N.Bytes()), []string{"rsa-sha2-512", "rsa-sha2-256"}, nil
	case *ecdsa.PublicKey:
		if k.Curve != elliptic.P256() {
			return nil, nil, fmt.Errorf("host key on %s: want P-256", k.Params().Name)
		}
		point, err := k.Bytes()
		if err != nil {
			return nil, nil, fmt.Errorf("encode host key: %w", err)
		}
		blob = appendString(nil, "ecdsa-sha2-nistp256")
		blob = appendString(blob, "nistp256")
		return appendString(blob, point), []string{"ecdsa-sha2-nistp256"}, nil
	case ed25519.PublicKey:
		return appendString(appendString(nil, "ssh-ed25519"), k), []string{"ssh-ed25519"}, nil
	}
	return nil, nil, fmt.Errorf("host key of type %T: want RSA, ECDSA or Ed25519", pub)
}

// sign returns the signature field over data.
func (h *hostKey) sign(algorithm string, data []byte) ([]byte, error) {
	if !slices.Contains(h.algorithms, algorithm) {
		return nil, fmt.Errorf("sign: a host key does not know %s", algorithm)
	}
	var digest []byte
	opts := crypto.SignerOpts(crypto.Hash(0))
	switch algorithm {
	case "rsa-sha2-512":
		sum := sha512.Sum512(data)
		digest, opts = sum[:], crypto.SHA512
	case "rsa-sha2-256", "ecdsa-sha2-nistp256":
		sum := sha256.Sum256(data)
		digest, opts = sum[:], crypto.SHA256
	default:
		digest = data // Ed25519 hashes itself
	}
	sig, err := h.signer.Sign(rand.Reader, digest, opts)
	if err != nil {
		return nil, fmt.Errorf("sign with host key: %w", err)
	}
	if _, ok := h.signer.(*ecdsa.PrivateKey); ok {
		var rs struct{ R, S *big.Int }
		if _, err := asn1.Unmarshal(sig, &rs); err != nil {
			return nil, fmt.Errorf("sign with host key: %w", err)
		}
		sig = appendMpint(appendMpint(nil, rs.R.Bytes()), rs.S.Bytes())
	}
	return appendString(appendString(nil, algorithm), sig), nil
}
