package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/caddyserver/certmagic"
	"go.uber.org/zap"
)

// ACME asks a certificate authority (RFC 8555). It makes outgoing HTTPS
// connections to Directory, and takes the authority's checks on the TLS door
// (port 443 of the names) or, with a redirecting door, on port 80.
type ACME struct {
	Domains   []string // names the certificate is for
	Email     string   // where the authority writes to
	Directory string   // URL of the authority; "" = Let's Encrypt
	Dir       string   // folder of accounts and certificates
	Roots     string   // PEM file of the authority's own certificates; "" = those of the machine
	Listen    string   // address of our TLS door, where its port is not 443 behind a forward
	HTTP      string   // address of our plain door; "" = there is none
}

// An authority is an ACME account at work.
type authority struct {
	domains []string
	cache   *certmagic.Cache
	config  *certmagic.Config
	issuer  *certmagic.ACMEIssuer
	log     *slog.Logger

	mu  sync.Mutex
	why string // it could not give a certificate
}

func newAuthority(opt Options, log *slog.Logger) (*authority, error) {
	a := &authority{domains: opt.ACME.Domains, log: log}
	for _, d := range a.domains {
		if net.ParseIP(d) != nil || unfit(d) || !strings.Contains(d, ".") || strings.HasPrefix(d, "*") {
			return nil, invalid("api.tls.acme.domains: %.80q is no public name", d)
		}
	}
	roots := (*x509.CertPool)(nil)
	if opt.ACME.Roots != "" {
		var err error
		if roots, err = readPool(opt.ACME.Roots); err != nil {
			return nil, err
		}
	}
	// The library's own words go nowhere: what matters comes as events, into our log.
	quiet := zap.NewNop()
	a.cache = certmagic.NewCache(certmagic.CacheOptions{
		GetConfigForCert: func(certmagic.Certificate) (*certmagic.Config, error) { return a.config, nil }, Logger: quiet,
	})
	a.config = certmagic.New(a.cache, certmagic.Config{
		Storage: &shelf{&certmagic.FileStorage{Path: opt.ACME.Dir}, opt.Vault}, Logger: quiet, OnEvent: a.told,
	})
	directory := opt.ACME.Directory
	if directory == "" {
		directory = certmagic.LetsEncryptProductionCA
	}
	a.issuer = certmagic.NewACMEIssuer(a.config, certmagic.ACMEIssuer{
		CA: directory, TestCA: directory, Email: opt.ACME.Email, Agreed: true, TrustedRoots: roots, Logger: quiet,
		// Our own doors answer the checks; the library must not open others.
		DisableHTTPChallenge: opt.ACME.HTTP == "", AltTLSALPNPort: port(opt.ACME.Listen), AltHTTPPort: port(opt.ACME.HTTP),
		ListenHost: host(opt.ACME.Listen),
	})
	a.config.Issuers = []certmagic.Issuer{a.issuer}
	return a, nil
}

func port(address string) int {
	_, text, _ := net.SplitHostPort(address)
	n, _ := strconv.Atoi(text)
	return n
}

func host(address string) string {
	h, _, _ := net.SplitHostPort(address)
	return h
}

func (a *authority) start(ctx context.Context) error { return a.config.ManageAsync(ctx, a.domains) }
func (a *authority) stop()                           { a.cache.Stop() }

// certificate returns the authority's certificate for the name a peer asks for,
// nil when there is none yet.
func (a *authority) certificate(h *tls.ClientHelloInfo) *tls.Certificate {
	if !slices.Contains(a.domains, strings.ToLower(h.ServerName)) {
		return nil
	}
	for _, c := range a.cache.AllMatchingCertificates(strings.ToLower(h.ServerName)) {
		if c.Leaf != nil {
			return &c.Certificate
		}
	}
	return nil
}

// challenge answers the authority's check.
func (a *authority) challenge(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	return a.config.GetCertificate(h)
}

// status returns the certificate in use that ends first, or why there is none.
func (a *authority) status() (leaf *x509.Certificate, why string) {
	for _, d := range a.domains {
		for _, c := range a.cache.AllMatchingCertificates(d) {
			if c.Leaf != nil && (leaf == nil || c.Leaf.NotAfter.Before(leaf.NotAfter)) {
				leaf = c.Leaf
			}
		}
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	return leaf, a.why
}

// told takes the library's events into our log.
func (a *authority) told(ctx context.Context, event string, data map[string]any) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	switch event {
	case "cert_obtained":
		a.why = ""
		a.log.InfoContext(ctx, "the authority gave a certificate", "name", data["identifier"], "renewal", data["renewal"])
	case "cert_failed":
		err, _ := data["error"].(error)
		if err == nil {
			break
		}
		a.why = "the authority gave no certificate: " + err.Error()
		a.log.ErrorContext(ctx, "the authority gave no certificate; it is asked again later", "name", data["identifier"], "error", err)
	}
	return nil
}
