package certs

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log/slog"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/seal"
)

var day = time.Date(2026, 11, 21, 12, 0, 0, 0, time.UTC)

// an authority of these tests.
type ca struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	n    int64
}

func newCA(t testing.TB, name string) *ca {
	t.Helper()
	c := &ca{}
	var der []byte
	c.key, der = c.sign(t, &x509.Certificate{Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign}, time.Now().AddDate(1, 0, 0))
	c.cert, _ = x509.ParseCertificate(der)
	return c
}

func (c *ca) sign(t testing.TB, leaf *x509.Certificate, until time.Time) (*ecdsa.PrivateKey, []byte) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	c.n++
	leaf.SerialNumber, leaf.NotBefore, leaf.NotAfter = big.NewInt(c.n), time.Now().AddDate(-1, 0, 0), until
	parent, by := c.cert, c.key
	if parent == nil {
		parent, by = leaf, key
	}
	der, err := x509.CreateCertificate(rand.Reader, leaf, parent, &key.PublicKey, by)
	if err != nil {
		t.Fatal(err)
	}
	return key, der
}

// issue writes a pair for names and returns its files.
func (c *ca) issue(t testing.TB, dir, subject string, until time.Time) (cert, key string) {
	t.Helper()
	k, der := c.sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: subject}, DNSNames: []string{subject},
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}, until)
	raw, err := x509.MarshalPKCS8PrivateKey(k)
	if err != nil {
		t.Fatal(err)
	}
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	put(t, cert, "CERTIFICATE", der)
	put(t, key, "PRIVATE KEY", raw)
	return cert, key
}

func put(t testing.TB, path, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func (c *ca) file(t testing.TB) string {
	path := filepath.Join(t.TempDir(), "ca.pem")
	put(t, path, "CERTIFICATE", c.cert.Raw)
	return path
}

// A pair is read again as a whole; a broken one changes nothing and is told once.
func TestReload(t *testing.T) {
	dir, authority := t.TempDir(), newCA(t, "ca")
	cert, key := authority.issue(t, dir, "one.example", time.Now().AddDate(0, 6, 0))
	var log bytes.Buffer
	k, err := Open(Options{Cert: cert, Key: key, Log: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	first := k.Status()
	if first.Kind != KindFiles || first.Names[0] != "one.example" || first.Problem != "" {
		t.Errorf("got %+v", first)
	}
	k.look()
	if k.Status().Fingerprint != first.Fingerprint || strings.Contains(log.String(), "anew") {
		t.Error("the same pair is taken for a new one")
	}
	oldKey, _ := os.ReadFile(key)
	authority.issue(t, dir, "two.example", time.Now().AddDate(0, 6, 0))
	newKey, _ := os.ReadFile(key)
	for name, spoil := range map[string]func(){
		"half copied": func() { _ = os.WriteFile(key, oldKey, 0o600) },
		"cut short":   func() { _ = os.WriteFile(key, newKey[:40], 0o600) },
		"gone":        func() { _ = os.Remove(key) },
		"a folder":    func() { _ = os.Remove(key); _ = os.Mkdir(key, 0o700) },
	} {
		log.Reset()
		spoil()
		k.look()
		if log.Len() > 0 {
			t.Errorf("%s: told at the first look: %s", name, &log)
		}
		k.look()
		k.look()
		if st := k.Status(); st.Fingerprint != first.Fingerprint || st.Problem == "" || strings.Count(log.String(), "the old one stays") != 1 {
			t.Errorf("%s: %+v, %s", name, st, &log)
		}
		_ = os.Remove(key)
		_ = os.WriteFile(cert+".x", nil, 0o600)
		k.doubt, k.problem = nil, "" // as if it had been good in between
	}
	_ = os.WriteFile(key, newKey, 0o600)
	k.look()
	if st := k.Status(); st.Names[0] != "two.example" || st.Problem != "" {
		t.Errorf("the new pair: %+v", st)
	}
	if got := shake(t, k, &tls.Config{}); got != nil || peerName != "two.example" {
		t.Errorf("new peers see %s, %v", peerName, got)
	}
}

var peerName string

// shake does a handshake with the listener's settings and returns its error.
func shake(t testing.TB, k *Keeper, client *tls.Config) error {
	t.Helper()
	a, b := net.Pipe()
	defer a.Close()
	done := make(chan error, 1)
	go func() {
		defer b.Close()
		server := tls.Server(b, k.Config())
		err := server.Handshake()
		if err == nil {
			_, err = server.Write([]byte("x"))
		}
		done <- err
	}()
	client.InsecureSkipVerify = true
	c := tls.Client(a, client)
	err := c.Handshake()
	if err == nil {
		peerName = c.ConnectionState().PeerCertificates[0].Subject.CommonName
		_, err = io.ReadFull(c, make([]byte, 1)) // in TLS 1.3 a refused client learns it here
	}
	_ = a.Close()
	if e := <-done; err == nil {
		err = e
	}
	return err
}

func TestWarnsOfTheEnd(t *testing.T) {
	var log bytes.Buffer
	now := time.Now()
	cert, key := newCA(t, "ca").issue(t, t.TempDir(), "one.example", now.Add(30*24*time.Hour))
	k, err := Open(Options{Cert: cert, Key: key, Log: slog.New(slog.NewTextHandler(&log, nil)), Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		after time.Duration
		want  string
	}{{0, ""}, {10 * 24 * time.Hour, "days=19"}, {time.Hour, ""}, {24 * time.Hour, "days=18"}, {19 * 24 * time.Hour, "has ended"}} {
		log.Reset()
		now = now.Add(c.after)
		k.look()
		if (c.want == "") != (log.Len() == 0) || !strings.Contains(log.String(), c.want) {
			t.Errorf("after %s: want %q, got %s", c.after, c.want, &log)
		}
	}
}

// A self-signed certificate is made anew while the core runs.
func TestRenewsItsOwn(t *testing.T) {
	now := day
	k, err := Open(Options{Dir: t.TempDir(), Hosts: []string{"core.example"}, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	first := k.Status()
	now = now.Add(certLife - renewWithin - 2*time.Hour)
	k.look()
	if k.Status().Fingerprint != first.Fingerprint {
		t.Error("made anew too early")
	}
	now = now.Add(3 * time.Hour)
	k.look()
	if st := k.Status(); st.Fingerprint == first.Fingerprint || st.Kind != KindSelfSigned || !st.NotAfter.After(first.NotAfter) {
		t.Errorf("got %+v", st)
	}
}

func TestVersionsAndSuites(t *testing.T) {
	k, err := Open(Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		what string
		c    *tls.Config
		ok   bool
	}{
		{"1.3", &tls.Config{}, true},
		{"1.2", &tls.Config{MaxVersion: tls.VersionTLS12}, true},
		{"1.1", &tls.Config{MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11}, false},
		{"CBC", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA}}, false},
		{"RSA key exchange", &tls.Config{MaxVersion: tls.VersionTLS12, CipherSuites: []uint16{tls.TLS_RSA_WITH_AES_128_GCM_SHA256}}, false},
	} {
		if err := shake(t, k, c.c); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.what, err)
		}
	}
}

func TestClientCertificates(t *testing.T) {
	ours, others := newCA(t, "ours"), newCA(t, "others")
	load := func(c *ca, until time.Time) tls.Certificate {
		cert, key := c.issue(t, t.TempDir(), "client", until)
		pair, err := tls.LoadX509KeyPair(cert, key)
		if err != nil {
			t.Fatal(err)
		}
		return pair
	}
	good, foreign, ended := load(ours, time.Now().AddDate(0, 1, 0)), load(others, time.Now().AddDate(0, 1, 0)), load(ours, time.Now().Add(-time.Hour))
	for _, required := range []bool{false, true} {
		k, err := Open(Options{Dir: t.TempDir(), ClientCA: ours.file(t), ClientRequired: required})
		if err != nil {
			t.Fatal(err)
		}
		show := func(c tls.Certificate) error {
			return shake(t, k, &tls.Config{GetClientCertificate: func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return &c, nil }})
		}
		if err := shake(t, k, &tls.Config{}); (err != nil) != required {
			t.Errorf("required %v, none shown: %v", required, err)
		}
		if err := show(good); err != nil {
			t.Errorf("required %v, a good one: %v", required, err)
		}
		if show(foreign) == nil || show(ended) == nil {
			t.Errorf("required %v: a foreign or ended one is taken", required)
		}
	}
}

func TestBadOptions(t *testing.T) {
	dir := t.TempDir()
	cert, key := newCA(t, "ca").issue(t, dir, "one.example", time.Now().AddDate(0, 1, 0))
	empty := filepath.Join(dir, "empty")
	_ = os.WriteFile(empty, nil, 0o600)
	big := filepath.Join(dir, "big")
	_ = os.WriteFile(big, make([]byte, maxPEM+1), 0o600)
	for what, o := range map[string]Options{
		"no key":            {Cert: cert},
		"key alone":         {Key: key},
		"swapped":           {Cert: key, Key: cert},
		"not there":         {Cert: filepath.Join(dir, "none"), Key: key},
		"empty":             {Cert: empty, Key: key},
		"too large":         {Cert: big, Key: key},
		"pair and ACME":     {Cert: cert, Key: key, ACME: ACME{Domains: []string{"soc.example"}}},
		"required, no CA":   {Dir: dir, ClientRequired: true},
		"empty CA":          {Dir: dir, ClientCA: empty},
		"ACME for an IP":    {Dir: dir, ACME: ACME{Domains: []string{"192.0.2.1"}}},
		"ACME for one word": {Dir: dir, ACME: ACME{Domains: []string{"localhost"}}},
		"ACME for all":      {Dir: dir, ACME: ACME{Domains: []string{"*.example.org"}}},
		"ACME roots":        {Dir: dir, ACME: ACME{Domains: []string{"a.example"}, Roots: empty}},
	} {
		if _, err := Open(o); err == nil {
			t.Errorf("%s: taken", what)
		}
	}
}

func TestLook(t *testing.T) {
	v := sealed(t)
	if _, err := Look(v.Dir(), "", ""); err == nil {
		t.Error("a certificate where there is none")
	}
	if _, _, err := SelfSigned(v, nil, time.Now()); err != nil {
		t.Fatal(err)
	}
	if st, err := Look(v.Dir(), "", ""); err != nil || st.Kind != KindSelfSigned || st.NotAfter.IsZero() {
		t.Errorf("%+v, %v", st, err)
	}
}

// sealed is a vault that seals.
func sealed(t testing.TB) *seal.Vault {
	t.Helper()
	v, err := seal.OpenVault(seal.VaultOptions{Dir: filepath.Join(t.TempDir(), "keys")})
	if err != nil {
		t.Fatal(err)
	}
	return v
}
