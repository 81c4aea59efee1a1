package sshwire

import (
	"crypto/ecdh"
	"crypto/rand"
	"crypto/sha512"
	"fmt"
)

// ecdhShare agrees on a curve. Points at infinity and of low order are errors.
func ecdhShare(curve ecdh.Curve, theirs []byte) (ours, shared []byte, err error) {
	peer, err := curve.NewPublicKey(theirs)
	if err != nil {
		return nil, nil, fmt.Errorf("peer's share: %w", err)
	}
	key, err := curve.GenerateKey(rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generate share: %w", err)
	}
	shared, err = key.ECDH(peer)
	if err != nil {
		return nil, nil, fmt.Errorf("agree: %w", err)
	}
	return key.PublicKey().Bytes(), shared, nil
}

// integer returns an agreement whose secret is an integer.
func integer(curve ecdh.Curve, theirs []byte) (ours, secret []byte, err error) {
	ours, shared, err := ecdhShare(curve, theirs)
	return ours, appendMpint(nil, shared), err
}

// RFC 8731 and RFC 5656.
func curve25519(theirs []byte) (ours, secret []byte, err error) {
	return integer(ecdh.X25519(), theirs)
}

func nistp256(theirs []byte) (ours, secret []byte, err error) { return integer(ecdh.P256(), theirs) }

func nistp384(theirs []byte) (ours, secret []byte, err error) { return integer(ecdh.P384(), theirs) }

func nistp521(theirs []byte) (ours, secret []byte, err error) { return integer(ecdh.P521(), theirs) }

// hybrid761 is sntrup761x25519-sha512: the peer sends a public key of
// Streamlined NTRU Prime and a share of X25519, and gets a ciphertext and ours.
// The secret is the hash of both, as a string.
func hybrid761(theirs []byte) (ours, secret []byte, err error) {
	if len(theirs) != sntrupPublicKey+32 {
		return nil, nil, fmt.Errorf("peer's share of %d bytes", len(theirs))
	}
	cipher, key, err := sntrupEncapsulate(theirs[:sntrupPublicKey])
	if err != nil {
		return nil, nil, err
	}
	share, shared, err := ecdhShare(ecdh.X25519(), theirs[sntrupPublicKey:])
	if err != nil {
		return nil, nil, err
	}
	sum := sha512.Sum512(append(key[:], shared...))
	return append(cipher, share...), appendString(nil, sum[:]), nil
}
