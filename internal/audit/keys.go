package audit

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"

	"honeyguide"
	"honeyguide/internal/seal"
)

// Names of the key files.
const (
	signFile   = "audit.key"  // signs checkpoints; private
	publicFile = "audit.pub"  // verifies them; give it to whoever checks
	maskFile   = "audit.mask" // hashes secrets; private
)

// keys are those of one log.
type keys struct {
	signer note.Signer
	public string // name+hash+key
	mask   []byte
}

func damagedKey(file, what string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("%s: %s; restore it from a backup", file, what)}
}

// readKeys reads the keys; fs.ErrNotExist when the one that signs is not there.
func readKeys(v *seal.Vault) (k keys, err error) {
	dir := v.Dir()
	private, err := v.Read(signFile)
	if err != nil {
		return k, err
	}
	if k.signer, err = note.NewSigner(strings.TrimSpace(string(private))); err != nil {
		return k, damagedKey(filepath.Join(dir, signFile), "it is no key that signs notes")
	}
	public, err := os.ReadFile(filepath.Join(dir, publicFile))
	if err != nil {
		return k, damagedKey(filepath.Join(dir, publicFile), "it cannot be read")
	}
	k.public = strings.TrimSpace(string(public))
	check, err := note.NewVerifier(k.public)
	if err != nil || check.Name() != k.signer.Name() || check.KeyHash() != k.signer.KeyHash() {
		return k, damagedKey(filepath.Join(dir, publicFile), "it is not the other half of "+signFile)
	}
	mask, err := v.Read(maskFile)
	if errors.Is(err, fs.ErrNotExist) {
		return k, damagedKey(filepath.Join(dir, maskFile), "it cannot be read")
	}
	if err != nil {
		return k, err
	}
	if k.mask, err = hex.DecodeString(strings.TrimSpace(string(mask))); err != nil || len(k.mask) != 32 {
		return k, damagedKey(filepath.Join(dir, maskFile), "want 64 hexadecimal digits")
	}
	return k, nil
}

// newKeys makes keys. Nothing is written.
func newKeys() (k keys, private string, err error) {
	var id [4]byte
	_, _ = rand.Read(id[:]) // never fails (crypto/rand)
	private, k.public, err = note.GenerateKey(rand.Reader, "honeyguide-audit/"+hex.EncodeToString(id[:]))
	if err != nil {
		return k, "", fmt.Errorf("make the audit key: %w", err)
	}
	k.mask = make([]byte, 32)
	_, _ = rand.Read(k.mask)
	k.signer, err = note.NewSigner(private)
	return k, private, err
}

// write keeps keys. The one that signs comes last: where it is, the rest is, too.
func (k keys) write(v *seal.Vault, private string) error {
	if err := os.MkdirAll(v.Dir(), 0o700); err != nil {
		return err
	}
	if err := v.Write(maskFile, []byte(hex.EncodeToString(k.mask)+"\n")); err != nil {
		return err
	}
	if err := place(filepath.Join(v.Dir(), publicFile), []byte(k.public+"\n")); err != nil {
		return err
	}
	return v.Write(signFile, []byte(private+"\n"))
}

// place writes a file whole or not at all, and durably.
func place(file string, content []byte) error {
	tmp := file + ".tmp"
	f, err := os.OpenFile(tmp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(tmp) // it is of no use
		return err
	}
	if err := os.Rename(tmp, file); err != nil {
		return err
	}
	return syncDir(filepath.Dir(file))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
