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
	"os"
	"path/filepath"
	"strings"

	"honeyguide/internal/seal"
)

// deploymentFile holds the deployment's secret. Its time of change is when the
// deployment began.
const deploymentFile = "deployment.key"

// deploymentKey is the secret every persona, token and accept rule of this
// deployment is derived from. Two deployments differ; one never contradicts
// itself. Losing it makes planted tokens unrecognisable.
func deploymentKey(v *seal.Vault) ([]byte, error) {
	text, err := v.Keep(deploymentFile, func() ([]byte, error) {
		key := make([]byte, 32)
		_, _ = rand.Read(key) // never fails (crypto/rand)
		return []byte(hex.EncodeToString(key) + "\n"), nil
	})
	if err != nil {
		return nil, err
	}
	defer clear(text)
	key, err := hex.DecodeString(strings.TrimSpace(string(text)))
	if err != nil || len(key) != 32 {
		return nil, invalid("%s: want 64 hexadecimal digits; restore it from a backup, or move it away to start as a new deployment", filepath.Join(v.Dir(), deploymentFile))
	}
	return key, nil
}

// hostKeys returns the SSH host keys of the persona in PEM: RSA-3072, ECDSA
// P-256 and Ed25519, the sizes Debian 12's ssh-keygen -A makes. They are made
// once and differ for every deployment.
func hostKeys(v *seal.Vault) (map[string][]byte, error) {
	makers := map[string]func() (crypto.Signer, error){
		"ssh_rsa":     func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 3072) },
		"ssh_ecdsa":   func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
		"ssh_ed25519": func() (crypto.Signer, error) { _, k, err := ed25519.GenerateKey(rand.Reader); return k, err },
	}
	keys := map[string][]byte{}
	for name, mk := range makers {
		raw, err := v.Keep(name+".pem", func() ([]byte, error) { return pemKey(mk) })
		if err != nil {
			return nil, err
		}
		if b, _ := pem.Decode(raw); b == nil {
			return nil, invalid("%s: not a PEM key; restore it from a backup, or remove it to have a new one made", filepath.Join(v.Dir(), name+".pem"))
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
