package app

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// deploymentKey is the secret every persona, token and accept rule of this
// deployment is derived from. Two deployments differ; one never contradicts
// itself. Losing it makes planted tokens unrecognisable.
func deploymentKey(dir string) ([]byte, error) {
	file := filepath.Join(dir, "deployment.key")
	text, err := keepFile(file, func() ([]byte, error) {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		return []byte(hex.EncodeToString(key) + "\n"), nil
	})
	if err != nil {
		return nil, err
	}
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, invalid("%s: want 64 hexadecimal digits; restore it from a backup, or move it away to start as a new deployment", file)
	}
	return key, nil
}

// hostKeys returns the SSH host keys of the persona in PEM: RSA-3072, ECDSA
// P-256 and Ed25519, the sizes Debian 12's ssh-keygen -A makes. They are made
// once and differ for every deployment.
func hostKeys(dir string) (map[string][]byte, error) {
	makers := map[string]func() (crypto.Signer, error){
		"ssh_rsa":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) },
		"ssh_ecdsa":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"ssh_ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
	}
	keys := map[string][]byte{}
	for name, mk := range makers {
		raw, err := keepFile(filepath.Join(dir, name+".pem"), func() ([]byte, error) { return pemKey(mk) })
		if err != nil {
			return nil, err
		}
		if b, _ := pem.Decode(raw); b == nil {
			return nil, invalid("%s: not a PEM key; restore it from a backup, or remove it to have a new one made", filepath.Join(dir, name+".pem"))
		}
		keys[name] = raw
	}
	return keys, nil
}

func pemKey(mk func() (crypto.Signer, error)) ([]byte, error) {
	key, err := mk()
	if err != nil {
		return nil, err
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, err
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// keepFile returns the content of a small private file, made at first use. The
// file appears whole or not at all.
func keepFile(file string, mk func() ([]byte, error)) ([]byte, error) {
	raw, err := os.ReadFile(file)
	if !errors.Is(err, fs.ErrNotExist) {
		return raw, err
	}
	if raw, err = mk(); err != nil {
		return nil, fmt.Errorf("make %s: %w", file, err)
	}
	return raw, writeFile(file, raw)
}

// writeFile puts a private file in place by rename.
func writeFile(file string, raw []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(file), ".new-")
	if err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	defer os.Remove(tmp.Name())
	if _, err = tmp.Write(raw); err == nil {
		err = tmp.Sync()
	}
	if err = errors.Join(err, tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", file, err)
	}
	return os.Rename(tmp.Name(), file) // CreateTemp made it 0600
}

// prepareFolders makes the data folder and its parts, private to this user.
func prepareFolders(data string) error {
	for _, dir := range []string{"", "keys", "events", "recordings", "samples"} {
		path := filepath.Join(data, dir)
		if err := os.MkdirAll(path, 0o700); err != nil {
			return invalid("node.data: %v; choose a folder this user may write with --data or node.data", err)
		}
	}
	return nil
}
