package coreutils

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/md5"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"math/big"
	"strings"
)

// A keyPair is a key in the encodings of OpenSSH (PROTOCOL.key, RFC 4253): the
// keys of the decoy are real, for attackers take them home.
type keyPair struct {
	kind    string // ssh-ed25519 and so on
	public  []byte // the public key's blob
	private []byte // the private section without check numbers, comment and padding
	bits    int
	rsa     *rsa.PrivateKey // of an RSA key that was just made
}

// sshString is RFC 4251's string.
func sshString(parts ...[]byte) []byte {
	var out []byte
	for _, p := range parts {
		out = binary.BigEndian.AppendUint32(out, uint32(len(p)))
		out = append(out, p...)
	}
	return out
}

// mpint is RFC 4251's mpint, without its length.
func mpint(n *big.Int) []byte {
	b := n.Bytes()
	if len(b) > 0 && b[0]&0x80 != 0 {
		b = append([]byte{0}, b...)
	}
	return b
}

// maxRSABits bounds the work of one key; who asks for more gets this much.
const maxRSABits = 4096

// newKeyPair makes a key of ssh-keygen's type name; bits is 0 for the default.
func newKeyPair(kind string, bits int) (keyPair, error) {
	switch kind {
	case "ed25519":
		pub, priv, err := ed25519.GenerateKey(rand.Reader)
		name := []byte("ssh-ed25519")
		return keyPair{kind: string(name), public: sshString(name, pub), private: sshString(name, pub, priv), bits: 256}, err
	case "ecdsa":
		curve := map[int]elliptic.Curve{256: elliptic.P256(), 384: elliptic.P384(), 521: elliptic.P521()}[bits]
		key, err := ecdsa.GenerateKey(curve, rand.Reader)
		if err != nil {
			return keyPair{}, err
		}
		point, err := key.PublicKey.Bytes()
		if err != nil {
			return keyPair{}, err
		}
		secret, err := key.Bytes()
		nist := []byte("nistp" + map[int]string{256: "256", 384: "384", 521: "521"}[bits])
		name := append([]byte("ecdsa-sha2-"), nist...)
		return keyPair{
			kind: string(name), public: sshString(name, nist, point),
			private: sshString(name, nist, point, mpint(new(big.Int).SetBytes(secret))), bits: bits,
		}, err
	}
	key, err := rsa.GenerateKey(rand.Reader, min(bits, maxRSABits))
	if err != nil {
		return keyPair{}, err
	}
	name, e := []byte("ssh-rsa"), mpint(big.NewInt(int64(key.E)))
	return keyPair{
		kind: string(name), public: sshString(name, e, mpint(key.N)), bits: key.N.BitLen(), rsa: key,
		private: sshString(name, mpint(key.N), e, mpint(key.D), mpint(key.Precomputed.Qinv), mpint(key.Primes[0]), mpint(key.Primes[1])),
	}, nil
}

const (
	keyBegin = "-----BEGIN OPENSSH PRIVATE KEY-----\n"
	keyEnd   = "-----END OPENSSH PRIVATE KEY-----\n"
	keyMagic = "openssh-key-v1\x00"
)

// encode writes the private key's file.
func (k keyPair) encode(comment, passphrase string) string {
	var check [4]byte
	_, _ = rand.Read(check[:])
	section := append(append(check[:], check[:]...), k.private...)
	section = append(section, sshString([]byte(comment))...)
	cipherName, kdf, options, block := "none", "none", []byte(nil), 8
	var salt [16]byte
	if passphrase != "" {
		_, _ = rand.Read(salt[:])
		cipherName, kdf, block = "aes256-ctr", "bcrypt", 16
		options = binary.BigEndian.AppendUint32(sshString(salt[:]), 16)
	}
	for i := byte(1); len(section)%block != 0; i++ {
		section = append(section, i)
	}
	if passphrase != "" {
		veil(section, passphrase, salt[:])
	}
	out := append([]byte(keyMagic), sshString([]byte(cipherName), []byte(kdf), options)...)
	out = binary.BigEndian.AppendUint32(out, 1)
	out = append(out, sshString(k.public, section)...)
	return keyBegin + wrap(base64.StdEncoding.EncodeToString(out), 70) + keyEnd
}

// veil encrypts or decrypts a private section in place. Its key is not bcrypt's:
// the file looks like the real one and opens with its passphrase here only.
func veil(b []byte, passphrase string, salt []byte) {
	sum := sha512.Sum512(append([]byte(passphrase+"\x00"), salt...))
	c, err := aes.NewCipher(sum[:32])
	if err != nil {
		return // cannot be: the length is right
	}
	cipher.NewCTR(c, sum[32:48]).XORKeyStream(b, b)
}

// wrap breaks a line every n bytes.
func wrap(s string, n int) string {
	var b strings.Builder
	for len(s) > n {
		b.WriteString(s[:n] + "\n")
		s = s[n:]
	}
	return b.String() + s + "\n"
}

var (
	errKeyFormat  = errors.New("invalid format")
	errPassphrase = errors.New("incorrect passphrase supplied to decrypt private key")
)

// fields cuts SSH strings off a blob.
type fields struct {
	b   []byte
	bad bool
}

func (f *fields) next() []byte {
	if len(f.b) < 4 || int64(binary.BigEndian.Uint32(f.b)) > int64(len(f.b)-4) {
		f.bad, f.b = true, nil
		return nil
	}
	n := int(binary.BigEndian.Uint32(f.b))
	out := f.b[4 : 4+n]
	f.b = f.b[4+n:]
	return out
}

// privateFields is how many strings a private section has after its name.
var privateFields = map[string]int{
	"ssh-ed25519": 2, "ssh-rsa": 6, "ecdsa-sha2-nistp256": 3, "ecdsa-sha2-nistp384": 3, "ecdsa-sha2-nistp521": 3,
}

// decodeKey reads a private key file; locked says that it wants a passphrase.
func decodeKey(text, passphrase string) (k keyPair, comment string, locked bool, err error) {
	body, ok := strings.CutPrefix(text, keyBegin)
	body, _, ok2 := strings.Cut(body, strings.TrimSuffix(keyEnd, "\n"))
	raw, err := base64.StdEncoding.DecodeString(strings.ReplaceAll(body, "\n", ""))
	if !ok || !ok2 || err != nil || !bytes.HasPrefix(raw, []byte(keyMagic)) {
		return k, "", false, errKeyFormat
	}
	f := &fields{b: raw[len(keyMagic):]}
	cipherName, _, options := f.next(), f.next(), f.next()
	if len(f.b) < 4 {
		return k, "", false, errKeyFormat
	}
	f.b = f.b[4:]
	k.public = bytes.Clone(f.next())
	section := bytes.Clone(f.next())
	if f.bad {
		return k, "", false, errKeyFormat
	}
	locked = string(cipherName) != "none"
	if locked {
		o := &fields{b: options}
		veil(section, passphrase, o.next())
	}
	if len(section) < 8 || !bytes.Equal(section[:4], section[4:8]) {
		if locked {
			return k, "", true, errPassphrase
		}
		return k, "", false, errKeyFormat
	}
	s := &fields{b: section[8:]}
	k.kind = string(s.next())
	n, known := privateFields[k.kind]
	for range n {
		s.next()
	}
	if !known || s.bad {
		return k, "", locked, errKeyFormat
	}
	k.private = section[8 : len(section)-len(s.b)]
	comment = string(s.next())
	k.bits, _ = blobBits(k.public)
	return k, comment, locked, nil
}

// blobBits returns the size of a public key and whether it is one.
func blobBits(blob []byte) (int, bool) {
	f := &fields{b: blob}
	kind := string(f.next())
	switch kind {
	case "ssh-ed25519":
		return 256, len(f.next()) == 32 && !f.bad
	case "ssh-rsa":
		f.next()
		n := new(big.Int).SetBytes(f.next())
		return n.BitLen(), !f.bad && n.BitLen() > 0
	case "ecdsa-sha2-nistp256", "ecdsa-sha2-nistp384", "ecdsa-sha2-nistp521":
		f.next()
		f.next()
		return map[byte]int{'6': 256, '4': 384, '1': 521}[kind[len(kind)-1]], !f.bad
	}
	return 0, false
}

// keyLabel is a key type's short name.
func keyLabel(kind string) string {
	switch {
	case kind == "ssh-rsa":
		return "RSA"
	case kind == "ssh-ed25519":
		return "ED25519"
	case strings.HasPrefix(kind, "ecdsa"):
		return "ECDSA"
	}
	return "UNKNOWN"
}

// keyPrint is a blob's fingerprint; hash is SHA256, MD5 or SHA1.
func keyPrint(blob []byte, hash string) (text string, raw []byte) {
	switch hash {
	case "MD5":
		sum := md5.Sum(blob)
		var pairs []string
		for _, b := range sum {
			pairs = append(pairs, hex.EncodeToString([]byte{b}))
		}
		return "MD5:" + strings.Join(pairs, ":"), sum[:]
	case "SHA1":
		sum := sha1.Sum(blob)
		return "SHA1:" + base64.RawStdEncoding.EncodeToString(sum[:]), sum[:]
	}
	sum := sha256.Sum256(blob)
	return "SHA256:" + base64.RawStdEncoding.EncodeToString(sum[:]), sum[:]
}

// randomArt draws a fingerprint: a bishop walks a board of 17 by 9, two bits of
// the digest a step, and leaves marks.
func randomArt(digest []byte, title, hash string) string {
	const wide, high, marks = 17, 9, " .o+=*BOX@%&#/^SE"
	var board [high][wide]int
	x, y := wide/2, high/2
	for _, b := range digest {
		for range 4 {
			x = min(max(x+int(b&1)*2-1, 0), wide-1)
			y = min(max(y+int(b>>1&1)*2-1, 0), high-1)
			if board[y][x] < len(marks)-3 {
				board[y][x]++
			}
			b >>= 2
		}
	}
	board[high/2][wide/2], board[y][x] = len(marks)-2, len(marks)-1
	edge := func(s string) string {
		s = "[" + s + "]"
		left := (wide - len(s)) / 2
		return "+" + strings.Repeat("-", left) + s + strings.Repeat("-", wide-len(s)-left) + "+"
	}
	var out strings.Builder
	out.WriteString(edge(title) + "\n")
	for _, row := range board {
		out.WriteByte('|')
		for _, n := range row {
			out.WriteByte(marks[n])
		}
		out.WriteString("|\n")
	}
	return out.String() + edge(hash)
}
