// Package minisign signs files so that the stock minisign program verifies them:
// Ed25519 over the BLAKE2b-512 of the file, and over the signature with its
// trusted comment. The formats are those of minisign(1); secret keys are the
// unencrypted ones that `minisign -G -W` writes, and are kept by their file mode.
package minisign

import (
	"bytes"
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"strings"

	"golang.org/x/crypto/blake2b"
)

// Algorithms, as the files name them.
var (
	pure   = []byte("Ed") // a key; a signature of the file itself
	hashed = []byte("ED") // a signature of the file's BLAKE2b-512
	plain  = []byte{0, 0} // a secret key that is not encrypted
	blake  = []byte("B2") // the checksum of a secret key
)

// strict refuses what decodes to the same bytes but is not what was written: in a
// lenient reading the last letter has bits that say nothing, so a changed file
// could verify.
var strict = base64.StdEncoding.Strict()

// A PublicKey verifies.
type PublicKey struct {
	ID  [8]byte
	Key ed25519.PublicKey
}

// A SecretKey signs.
type SecretKey struct {
	ID  [8]byte
	Key ed25519.PrivateKey
}

// Generate makes a key.
func Generate() (SecretKey, error) {
	var k SecretKey
	if _, err := rand.Read(k.ID[:]); err != nil {
		return k, fmt.Errorf("make a key: %w", err)
	}
	_, key, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return k, fmt.Errorf("make a key: %w", err)
	}
	k.Key = key
	return k, nil
}

// Public returns the half that is published.
func (k SecretKey) Public() PublicKey {
	return PublicKey{k.ID, k.Key.Public().(ed25519.PublicKey)}
}

func (k SecretKey) checksum() []byte {
	sum := blake2b.Sum256(bytes.Join([][]byte{pure, k.ID[:], k.Key}, nil))
	return sum[:]
}

// MarshalText writes a secret key file.
func (k SecretKey) MarshalText() ([]byte, error) {
	raw := bytes.Join([][]byte{pure, plain, blake, make([]byte, 32+8+8), k.ID[:], k.Key, k.checksum()}, nil)
	return []byte("untrusted comment: minisign secret key " + k.Public().name() + "\n" + base64.StdEncoding.EncodeToString(raw) + "\n"), nil
}

// ParseSecretKey reads a secret key file.
func ParseSecretKey(text []byte) (SecretKey, error) {
	var k SecretKey
	raw, err := body(text, 158)
	if err != nil {
		return k, fmt.Errorf("read the secret key: %w", err)
	}
	if !bytes.Equal(raw[:2], pure) || !bytes.Equal(raw[4:6], blake) {
		return k, errors.New("read the secret key: it is of another kind")
	}
	if !bytes.Equal(raw[2:4], plain) {
		return k, errors.New("read the secret key: it is encrypted; make one for releases with minisign -G -W")
	}
	copy(k.ID[:], raw[54:62])
	k.Key = ed25519.PrivateKey(bytes.Clone(raw[62:126]))
	if !bytes.Equal(raw[126:], k.checksum()) {
		return k, errors.New("read the secret key: it is damaged")
	}
	return k, nil
}

// name is how minisign writes a key's number.
func (p PublicKey) name() string { return fmt.Sprintf("%016X", binary.LittleEndian.Uint64(p.ID[:])) }

// MarshalText writes a public key file.
func (p PublicKey) MarshalText() ([]byte, error) {
	return []byte("untrusted comment: minisign public key " + p.name() + "\n" + p.String() + "\n"), nil
}

// String is the key in one word, as minisign -P takes it.
func (p PublicKey) String() string {
	return base64.StdEncoding.EncodeToString(bytes.Join([][]byte{pure, p.ID[:], p.Key}, nil))
}

// ParsePublicKey reads a public key file.
func ParsePublicKey(text []byte) (PublicKey, error) {
	var p PublicKey
	raw, err := body(text, 42)
	if err != nil {
		return p, fmt.Errorf("read the public key: %w", err)
	}
	if !bytes.Equal(raw[:2], pure) {
		return p, errors.New("read the public key: it is of another kind")
	}
	copy(p.ID[:], raw[2:10])
	p.Key = ed25519.PublicKey(bytes.Clone(raw[10:]))
	return p, nil
}

// body decodes the second line of a file.
func body(text []byte, size int) ([]byte, error) {
	lines := strings.Split(string(text), "\n")
	if len(lines) < 2 || !strings.HasPrefix(lines[0], "untrusted comment: ") {
		return nil, errors.New("it has no comment line")
	}
	raw, err := strict.DecodeString(strings.TrimRight(lines[1], "\r"))
	if err != nil || len(raw) != size {
		return nil, fmt.Errorf("its second line does not hold %d bytes", size)
	}
	return raw, nil
}

// Sign returns the signature file of a file's content. comment is signed, too, and
// shown by whoever verifies; it is one line.
func Sign(k SecretKey, content []byte, comment string) ([]byte, error) {
	if strings.ContainsAny(comment, "\r\n") {
		return nil, errors.New("sign: a comment is one line")
	}
	sum := blake2b.Sum512(content)
	sig := ed25519.Sign(k.Key, sum[:])
	whole := ed25519.Sign(k.Key, append(bytes.Clone(sig), comment...))
	line := func(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
	return []byte("untrusted comment: signature from minisign secret key\n" +
		line(bytes.Join([][]byte{hashed, k.ID[:], sig}, nil)) + "\ntrusted comment: " + comment + "\n" + line(whole) + "\n"), nil
}

// Verify checks a signature file and returns its trusted comment.
func Verify(p PublicKey, content, signature []byte) (comment string, err error) {
	raw, err := body(signature, 74)
	if err != nil {
		return "", fmt.Errorf("read the signature: %w", err)
	}
	lines := strings.Split(string(signature), "\n")
	if len(lines) < 4 || !strings.HasPrefix(lines[2], "trusted comment: ") {
		return "", errors.New("read the signature: it has no trusted comment")
	}
	comment = strings.TrimPrefix(lines[2], "trusted comment: ")
	whole, err := strict.DecodeString(lines[3])
	sum := blake2b.Sum512(content)
	switch {
	case err != nil:
		return "", fmt.Errorf("read the signature: %w", err)
	case !bytes.Equal(raw[:2], hashed):
		return "", errors.New("the signature is of another kind")
	case !bytes.Equal(raw[2:10], p.ID[:]):
		return "", errors.New("the signature was made with another key")
	case !ed25519.Verify(p.Key, sum[:], raw[10:]):
		return "", errors.New("the signature does not fit the file")
	case !ed25519.Verify(p.Key, append(bytes.Clone(raw[10:]), comment...), whole):
		return "", errors.New("the trusted comment was changed")
	}
	return comment, nil
}
