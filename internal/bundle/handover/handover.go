// Package handover writes a ZIP file with one entry behind a password, as other
// people's programs open it: WinZip's AE-2 with AES-256
// (https://www.winzip.com/en/support/aes-encryption/).
//
// The format derives its keys with a thousand rounds of PBKDF2, so its strength
// is that of the password: take [Password].
package handover

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hmac"
	"crypto/pbkdf2"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // the format's own
	"encoding/binary"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"strings"
)

const (
	rounds   = 1000 // of PBKDF2, by the format
	keySize  = 32   // AES-256
	saltSize = 16
	checked  = 2  // bytes by which a wrong password is told at once
	macSize  = 10 // bytes of the HMAC that are kept
	overhead = saltSize + checked + macSize

	methodAES = 99
	needs     = 51   // version 5.1, for AES
	encrypted = 1    // flag
	dosDate   = 0x21 // 1 January 1980
	maxName   = 200
)

// extra is the field that says how the entry is encrypted: AE-2, AES-256, stored.
var extra = []byte{0x01, 0x99, 7, 0, 2, 0, 'A', 'E', 3, 0, 0}

// Password returns one that cannot be guessed: 130 bits in groups that can be
// read out.
func Password() string {
	text := rand.Text()
	var groups []string
	for len(text) > 5 {
		groups = append(groups, text[:5])
		text = text[5:]
	}
	return strings.Join(append(groups, text), "-")
}

// Size is how large the file will be.
func Size(name string, size int64) int64 {
	return 30 + 46 + 22 + 2*int64(len(name)+len(extra)) + size + overhead
}

// Write writes size bytes of r as the entry name behind a password.
func Write(w io.Writer, name string, r io.Reader, size int64, password string) error {
	switch {
	case password == "":
		return errors.New("hand over: the password is empty")
	case name == "" || len(name) > maxName || strings.ContainsAny(name, `/\:`):
		return errors.New("hand over: the name of the entry is no plain file name")
	case size < 0 || Size(name, size) > math.MaxUint32:
		return errors.New("hand over: it is too large for this format")
	}
	salt := make([]byte, saltSize)
	_, _ = rand.Read(salt) // never fails (crypto/rand)
	keys, err := pbkdf2.Key(sha1.New, password, salt, rounds, 2*keySize+checked)
	if err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	block, err := aes.NewCipher(keys[:keySize])
	if err != nil {
		return fmt.Errorf("hand over: %w", err)
	}
	local := header(0x04034b50, name, size)
	local = append(append(local, name...), extra...)
	if _, err := w.Write(append(append(local, salt...), keys[2*keySize:]...)); err != nil {
		return err
	}
	mac := hmac.New(sha1.New, keys[keySize:2*keySize])
	c := &counter{w: w, block: block, mac: mac}
	n, err := io.Copy(c, io.LimitReader(r, size))
	if err != nil {
		return err
	}
	if n != size {
		return fmt.Errorf("hand over: %d of %d bytes came", n, size)
	}
	_, err = w.Write(append(mac.Sum(nil)[:macSize], ending(name, size)...))
	return err
}

// header is what the local header and the line of the directory have in common.
func header(magic uint32, name string, size int64) []byte {
	le := binary.LittleEndian
	b := le.AppendUint32(nil, magic)
	if magic == 0x02014b50 {
		b = le.AppendUint16(b, 3<<8|needs)
	}
	b = le.AppendUint16(b, needs)
	b = le.AppendUint16(b, encrypted)
	b = le.AppendUint16(b, methodAES)
	b = le.AppendUint16(b, 0)
	b = le.AppendUint16(b, dosDate)
	b = le.AppendUint32(b, 0) // AE-2 has no checksum beside its HMAC
	b = le.AppendUint32(b, uint32(size+overhead))
	b = le.AppendUint32(b, uint32(size))
	b = le.AppendUint16(b, uint16(len(name)))
	return le.AppendUint16(b, uint16(len(extra)))
}

// ending is the directory and the record of the end.
func ending(name string, size int64) []byte {
	le := binary.LittleEndian
	b := header(0x02014b50, name, size)
	b = append(b, make([]byte, 6)...) // no comment, disk 0, no internal attributes
	b = le.AppendUint32(b, 0o100400<<16)
	b = le.AppendUint32(b, 0)
	b = append(append(b, name...), extra...)
	n := uint32(len(b))
	b = le.AppendUint32(b, 0x06054b50)
	b = append(b, 0, 0, 0, 0, 1, 0, 1, 0)
	b = le.AppendUint32(b, n)
	b = le.AppendUint32(b, uint32(30+len(name)+len(extra))+uint32(size+overhead))
	return append(b, 0, 0)
}

// counter encrypts what is written to it: AES in counter mode whose counter
// counts from one with the least byte first, which is not how crypto/cipher does.
type counter struct {
	w     io.Writer
	block cipher.Block
	mac   hash.Hash
	n     uint64
	pad   [aes.BlockSize]byte
	left  int // bytes of pad that are not used yet
	buf   []byte
}

// Write encrypts p and passes it on.
func (c *counter) Write(p []byte) (int, error) {
	c.buf = append(c.buf[:0], p...)
	for i := range c.buf {
		if c.left == 0 {
			c.n++
			clear(c.pad[8:])
			binary.LittleEndian.PutUint64(c.pad[:], c.n)
			c.block.Encrypt(c.pad[:], c.pad[:])
			c.left = aes.BlockSize
		}
		c.buf[i] ^= c.pad[aes.BlockSize-c.left]
		c.left--
	}
	c.mac.Write(c.buf)
	return c.w.Write(c.buf)
}
