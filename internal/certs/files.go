package certs

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
)

// maxPEM bounds a file of certificates or keys.
const maxPEM = 1 << 20

// readPair reads a certificate with its chain and its key, and checks that they
// belong together.
func readPair(certFile, keyFile string) (tls.Certificate, error) {
	cert, err := readPEM(certFile)
	if err != nil {
		return tls.Certificate{}, invalid("api.tls.cert: %v", err)
	}
	key, err := readPEM(keyFile)
	if err != nil {
		return tls.Certificate{}, invalid("api.tls.key: %v", err)
	}
	pair, err := tls.X509KeyPair(cert, key)
	if err == nil && pair.Leaf == nil {
		err = errNoCertificate
	}
	if err != nil {
		return tls.Certificate{}, invalid("api.tls: %s and %s are no pair: %v", certFile, keyFile, err)
	}
	return pair, nil
}

// readPool reads the authorities of client certificates.
func readPool(file string) (*x509.CertPool, error) {
	text, err := readPEM(file)
	if err != nil {
		return nil, invalid("api.tls.client_ca: %v", err)
	}
	pool := x509.NewCertPool()
	if !pool.AppendCertsFromPEM(text) {
		return nil, invalid("api.tls.client_ca: %s: %v; want PEM", file, errNoCertificate)
	}
	return pool, nil
}

func readPEM(file string) ([]byte, error) {
	f, err := os.Open(file)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err == nil && len(text) > maxPEM {
		return nil, fmt.Errorf("%s is larger than %d bytes", file, maxPEM)
	}
	return text, err
}

// Look reads a certificate as it lies on disk, without making one: what a
// checklist shows. The pair of the operator, or the self-signed one in dir.
func Look(dir, certFile, keyFile string) (Status, error) {
	kind, leaf, err := KindSelfSigned, (*x509.Certificate)(nil), error(nil)
	if certFile != "" {
		var pair tls.Certificate
		kind = KindFiles
		pair, err = readPair(certFile, keyFile)
		leaf = pair.Leaf
	} else {
		leaf, err = readLeaf(filepath.Join(dir, publicFile))
	}
	if err != nil {
		return Status{Kind: kind}, err
	}
	return Status{Kind: kind, Fingerprint: Fingerprint(leaf), Names: names(leaf), NotAfter: leaf.NotAfter}, nil
}

// readLeaf reads a certificate.
func readLeaf(file string) (*x509.Certificate, error) {
	text, err := readPEM(file)
	if err != nil {
		return nil, err
	}
	block, _ := pem.Decode(text)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errNoCertificate
	}
	return x509.ParseCertificate(block.Bytes)
}
