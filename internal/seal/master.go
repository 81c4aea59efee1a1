package seal

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/crypto/chacha20poly1305"

	"honeyguide"
)

// The kinds of master key.
const (
	MasterOwn        = "own"        // keys/master.key, made at the first start
	MasterKey        = "key"        // 32 bytes the operator gives
	MasterPassphrase = "passphrase" // a text the operator gives, through argon2id
)

// Names of the files of a vault, in its folder.
const (
	MasterFile = "master.key"      // the own master key; nothing else in the data folder opens the ring
	nextFile   = "master.key.next" // the own master key that is about to take its place
	RingFile   = "keys.ring"       // the data keys, under the master key
	legacyFile = "secrets.key"     // the data keys in clear, where encryption is off
)

// Cost of a passphrase: argon2id, 3 passes over 64 MiB, one lane (RFC 9106).
const (
	argonTime   = 3
	argonMemory = 64 << 10 // KiB
	saltSize    = 16
)

// Bounds of what an operator gives.
const (
	minPassphrase = 12 // characters of a passphrase
	minMasterText = 32 // characters of a master key that is no key in hex or Base64
	maxMasterFile = 4 << 10
)

// A Master says where the operator's master key comes from. The first one that is
// set counts; the zero Master is the own key.
type Master struct {
	Key            honeyguide.Secret // the key itself
	KeyFile        string            // a file that holds it
	Passphrase     honeyguide.Secret // a passphrase
	PassphraseFile string            // a file that holds it
	From           string            // what an error calls it, such as SOC_ENCRYPTION_KEY; "" = the name of the file
}

// material is what a master key is made of.
type material struct {
	kind string
	raw  [chacha20poly1305.KeySize]byte // of a key
	text []byte                         // of a passphrase
}

// given reports whether the operator gives a key.
func (m Master) given() bool {
	return m.Key != "" || m.KeyFile != "" || m.Passphrase != "" || m.PassphraseFile != ""
}

// name is what an error calls it.
func (m Master) name() string {
	switch {
	case m.From != "":
		return m.From
	case m.Key != "":
		return "the master key"
	case m.KeyFile != "":
		return m.KeyFile
	case m.PassphraseFile != "":
		return m.PassphraseFile
	}
	return "the passphrase"
}

// read reads what the operator gives.
func (m Master) read() (material, error) {
	pass, text := false, m.Key.Reveal()
	var err error
	switch {
	case m.Key != "":
	case m.KeyFile != "":
		text, err = readSmall(m.KeyFile)
	case m.Passphrase != "":
		pass, text = true, m.Passphrase.Reveal()
	case m.PassphraseFile != "":
		pass = true
		text, err = readSmall(m.PassphraseFile)
	}
	if err != nil {
		return material{}, &honeyguide.Error{
			Code: honeyguide.CodeInvalid, Err: err, Message: fmt.Sprintf("%s: the master key cannot be read: %v; nothing was changed", m.name(), plainError(err)),
		}
	}
	out, err := newMaterial(text, pass)
	if err != nil {
		return out, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("%s: %v", m.name(), err)}
	}
	return out, nil
}

func newMaterial(text string, pass bool) (material, error) {
	switch {
	case pass && len([]rune(text)) < minPassphrase:
		return material{}, fmt.Errorf("a passphrase has at least %d characters", minPassphrase)
	case pass:
		return material{kind: MasterPassphrase, text: []byte(text)}, nil
	}
	for _, decode := range []func(string) ([]byte, error){hex.DecodeString, base64.StdEncoding.DecodeString, base64.RawURLEncoding.DecodeString} {
		if raw, err := decode(text); err == nil && len(raw) == chacha20poly1305.KeySize {
			m := material{kind: MasterKey, raw: [chacha20poly1305.KeySize]byte(raw)}
			clear(raw)
			return m, nil
		}
	}
	if len(text) < minMasterText {
		return material{}, fmt.Errorf("%d characters; want 64 hexadecimal digits (openssl rand -hex 32), 32 bytes in Base64, or a text of at least %d characters", len(text), minMasterText)
	}
	return material{kind: MasterPassphrase, text: []byte(text)}, nil
}

// readSmall reads a private text file without its last newline.
func readSmall(file string) (string, error) {
	f, err := os.Open(file)
	if err != nil {
		return "", err
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxMasterFile+1))
	if err = errors.Join(err, f.Close()); err != nil {
		return "", err
	}
	if len(raw) > maxMasterFile {
		return "", fmt.Errorf("%s is larger than %d bytes", file, maxMasterFile)
	}
	text := strings.TrimRight(string(raw), "\r\n")
	clear(raw)
	return text, nil
}

// plainError is an error of the file system without the path, which the message
// has already.
func plainError(err error) error {
	var pe *fs.PathError
	if errors.As(err, &pe) {
		return pe.Err
	}
	return err
}

// kek returns the key-encrypting key for a slot; false when the slot is of another
// kind.
func (m material) kek(s slot) (kek key, ok bool) {
	if m.kind != s.Kind {
		return key{}, false
	}
	raw := m.raw
	if m.kind == MasterPassphrase {
		if len(s.Salt) != saltSize {
			return key{}, false
		}
		sum := argon2.IDKey(m.text, s.Salt, argonTime, argonMemory, 1, chacha20poly1305.KeySize)
		raw = [chacha20poly1305.KeySize]byte(sum)
		clear(sum)
	}
	kek, err := newKey(masterUse(raw))
	return kek, err == nil
}

// masterUse keeps a key that is used elsewhere, too, from being this very key.
func masterUse(raw [chacha20poly1305.KeySize]byte) [chacha20poly1305.KeySize]byte {
	return sha256.Sum256(append([]byte("honeyguide master key\x00"), raw[:]...))
}

// forget overwrites what a master key was made of.
func (m *material) forget() {
	clear(m.raw[:])
	clear(m.text)
}

// readOwn reads the own master key; fs.ErrNotExist.
func readOwn(dir, name string) (material, error) {
	text, err := readSmall(filepath.Join(dir, name))
	if err != nil {
		return material{}, err
	}
	var last string
	for line := range strings.Lines(text) {
		if line = strings.TrimSpace(line); line != "" && line[0] != '#' {
			last = line
		}
	}
	raw, err := hex.DecodeString(last)
	if err != nil || len(raw) != chacha20poly1305.KeySize {
		return material{}, &honeyguide.Error{
			Code:    honeyguide.CodeInvalid,
			Message: filepath.Join(dir, name) + " holds no key: want 64 hexadecimal digits; restore it from a backup. Nothing was changed",
		}
	}
	return material{kind: MasterOwn, raw: [chacha20poly1305.KeySize]byte(raw)}, nil
}

// makeOwn makes an own master key and keeps it under a name.
func (v *Vault) makeOwn(name string) (material, error) {
	m := material{kind: MasterOwn}
	_, _ = rand.Read(m.raw[:]) // never fails (crypto/rand)
	text := append([]byte("# the master key: opens keys.ring. Keep a copy apart from the data folder and its backups\n"), hex.EncodeToString(m.raw[:])...)
	return m, v.place(v.path(name), append(text, '\n'), noTime)
}
