package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide/internal/seal"
)

const (
	// pairFile holds the certificate and its key: one file, so that they cannot
	// come apart.
	pairFile = "api.pem"
	// publicFile is the certificate alone, to be given to those who are to know it.
	publicFile = "api.crt"
	// certLife is the life of a certificate we make; it is made anew when less than
	// renewWithin of it is left at a start.
	certLife    = 2 * 365 * 24 * time.Hour
	renewWithin = 30 * 24 * time.Hour
)

// SelfSigned returns the certificate kept in a vault, or makes one (ECDSA P-256)
// for localhost, 127.0.0.1, ::1 and hosts and keeps it there in api.pem, and
// without its key in api.crt. It is made anew when it is about to end or lacks one
// of the hosts. The second value is the SHA-256 of the certificate in hex, by which
// a person can know it again.
func SelfSigned(v *seal.Vault, hosts []string, now time.Time) (tls.Certificate, string, error) {
	names := append([]string{"localhost", "127.0.0.1", "::1"}, slices.DeleteFunc(slices.Clone(hosts), unfit)...)
	cert, err := loadPair(v)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return tls.Certificate{}, "", fmt.Errorf("read the API's certificate in %s: %w", v.Dir(), err)
	}
	if err != nil || !serves(cert.Leaf, names, now) {
		if cert, err = makePair(v, names, now); err != nil {
			return tls.Certificate{}, "", fmt.Errorf("make the API's certificate in %s: %w", v.Dir(), err)
		}
	}
	if err := publish(v, cert.Certificate[0]); err != nil {
		return tls.Certificate{}, "", fmt.Errorf("keep the API's certificate in %s: %w", v.Dir(), err)
	}
	return cert, Fingerprint(cert.Leaf), nil
}

// publish keeps a certificate where it can be read without a key.
func publish(v *seal.Vault, der []byte) error {
	text, path := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), filepath.Join(v.Dir(), publicFile)
	if have, err := os.ReadFile(path); err == nil && bytes.Equal(have, text) {
		return nil
	}
	return replace(path, text)
}

// Fingerprint is the SHA-256 of a certificate in hex, as browsers show it.
func Fingerprint(leaf *x509.Certificate) string {
	sum := sha256.Sum256(leaf.Raw)
	return hex.EncodeToString(sum[:])
}

// unfit reports whether a name cannot stand in a certificate: empty, as in
// ":8443", or no address and no DNS name, as a node may be called.
func unfit(name string) bool {
	if net.ParseIP(name) != nil {
		return false
	}
	return name == "" || len(name) > 253 || strings.Trim(name, ".-") != name ||
		strings.ContainsFunc(name, func(r rune) bool {
			return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '-' || r == '.' || r == '_')
		})
}

func loadPair(v *seal.Vault) (tls.Certificate, error) {
	text, err := v.Read(pairFile)
	if err != nil {
		return tls.Certificate{}, err
	}
	defer clear(text)
	cert, err := tls.X509KeyPair(text, text)
	if err != nil {
		return cert, err
	}
	if cert.Leaf == nil {
		return cert, errors.New("the certificate cannot be read")
	}
	return cert, nil
}

// serves reports whether a certificate is good for all names, and for a while.
func serves(leaf *x509.Certificate, names []string, now time.Time) bool {
	if now.Before(leaf.NotBefore) || now.Add(renewWithin).After(leaf.NotAfter) {
		return false
	}
	return !slices.ContainsFunc(names, func(name string) bool { return leaf.VerifyHostname(name) != nil })
}

func makePair(v *seal.Vault, names []string, now time.Time) (tls.Certificate, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return tls.Certificate{}, err
	}
	serial, err := rand.Int(rand.Reader, new(big.Int).Lsh(big.NewInt(1), 127))
	if err != nil {
		return tls.Certificate{}, err
	}
	template := &x509.Certificate{
		SerialNumber: serial, Subject: pkix.Name{CommonName: "Honeyguide"},
		NotBefore: now.Add(-time.Hour), NotAfter: now.Add(certLife),
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
		BasicConstraintsValid: true,
	}
	for _, name := range names {
		if ip := net.ParseIP(name); ip != nil {
			template.IPAddresses = append(template.IPAddresses, ip)
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		return tls.Certificate{}, err
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return tls.Certificate{}, err
	}
	if err := os.MkdirAll(v.Dir(), 0o700); err != nil {
		return tls.Certificate{}, err
	}
	var text bytes.Buffer
	for kind, der := range map[string][]byte{"CERTIFICATE": der, "PRIVATE KEY": pkcs8} {
		if err := pem.Encode(&text, &pem.Block{Type: kind, Bytes: der}); err != nil {
			return tls.Certificate{}, err
		}
	}
	if err := v.Write(pairFile, text.Bytes()); err != nil {
		return tls.Certificate{}, err
	}
	return loadPair(v)
}

// replace writes a file in one step; mode 0600 holds from its first byte.
func replace(path string, text []byte) error {
	f, err := os.CreateTemp(filepath.Dir(path), ".new-*")
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) // not there any more when all went well
	if _, err := f.Write(text); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := errors.Join(f.Chmod(0o600), f.Sync(), f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}
