// Package certs keeps the certificate of the TLS doors: one it signs itself, the
// operator's own, read again when its files change, or one from a certificate
// authority by ACME. It also knows whose client certificates are taken.
package certs

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/seal"
)

// Kinds of certificate.
const (
	KindSelfSigned = "self-signed"
	KindFiles      = "files"
	KindACME       = "acme"
)

const (
	lookEvery   = 10 * time.Second // how often files are read again
	warnWithin  = 21 * 24 * time.Hour
	remindEvery = 24 * time.Hour
)

// Options say where the certificate comes from.
type Options struct {
	Dir   string      // folder of the certificate we sign, where it lies in clear
	Vault *seal.Vault // keeps it, and what ACME keeps; nil: Dir in clear
	Hosts []string    // names and addresses the self-signed one is for

	Cert, Key string // PEM files of the operator's own pair; "" = self-signed
	ACME      ACME   // set: a certificate authority is asked

	ClientCA       string // PEM file of the authorities whose client certificates are taken; "" = none are asked for
	ClientRequired bool   // peers without one are refused

	Log *slog.Logger     // nil: none
	Now func() time.Time // nil: time.Now
}

// Status says how the certificate stands.
type Status struct {
	Kind        string    `json:"kind"` // self-signed, files or acme
	Fingerprint string    `json:"fingerprint,omitempty"`
	Names       []string  `json:"names,omitempty"`
	NotAfter    time.Time `json:"not_after,omitzero"`
	Problem     string    `json:"problem,omitempty"` // why a newer one is not in use
}

// A Keeper holds the certificate in use. It is safe for many at once.
type Keeper struct {
	opt     Options
	now     func() time.Time
	log     *slog.Logger
	cert    atomic.Pointer[tls.Certificate]
	clients *x509.CertPool
	acme    *authority // nil: no ACME

	mu       sync.Mutex
	problem  string
	reminded time.Time
	doubt    error // of the last look at the files; said when the next look agrees
}

// Open loads or makes the certificate. An own pair that cannot be used is an
// error here, and only a warning later.
func Open(opt Options) (*Keeper, error) {
	k := &Keeper{opt: opt, now: opt.Now, log: opt.Log}
	if k.now == nil {
		k.now = time.Now
	}
	if k.log == nil {
		k.log = slog.New(slog.DiscardHandler)
	}
	if k.opt.Vault == nil {
		k.opt.Vault = seal.Clear(k.opt.Dir)
	}
	if err := k.opt.check(); err != nil {
		return nil, err
	}
	var err error
	if opt.ClientCA != "" {
		if k.clients, err = readPool(opt.ClientCA); err != nil {
			return nil, err
		}
	}
	var cert tls.Certificate
	switch {
	case opt.Cert != "":
		cert, err = readPair(opt.Cert, opt.Key)
	default:
		// With ACME too: it is what peers get who ask by address, and until the authority has answered.
		cert, _, err = SelfSigned(k.opt.Vault, opt.Hosts, k.now())
	}
	if err != nil {
		return nil, err
	}
	k.cert.Store(&cert)
	if len(opt.ACME.Domains) > 0 {
		if k.acme, err = newAuthority(k.opt, k.log); err != nil {
			return nil, err
		}
	}
	return k, nil
}

func (o Options) check() error {
	switch {
	case (o.Cert == "") != (o.Key == ""):
		return invalid("api.tls: cert and key go together")
	case o.Cert != "" && len(o.ACME.Domains) > 0:
		return invalid("api.tls: want either cert and key or acme, not both")
	case o.ClientRequired && o.ClientCA == "":
		return invalid("api.tls.client: required needs api.tls.client_ca")
	}
	return nil
}

// suites are those of TLS 1.2 that are taken: forward secret and authenticated.
// TLS 1.3 has no others.
var suites = []uint16{
	tls.TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256, tls.TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256,
	tls.TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384, tls.TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384,
	tls.TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256, tls.TLS_ECDHE_RSA_WITH_CHACHA20_POLY1305_SHA256,
}

// alpnACME is the protocol by which an authority checks a name (RFC 8737).
const alpnACME = "acme-tls/1"

// Config returns the settings of a TLS listener: 1.2 or newer, HTTP/2, and the
// certificate in use at each handshake.
func (k *Keeper) Config() *tls.Config {
	c := &tls.Config{
		MinVersion: tls.VersionTLS12, CipherSuites: suites, NextProtos: []string{"h2", "http/1.1"},
		GetCertificate: k.certificate,
	}
	if k.clients != nil {
		c.ClientCAs, c.ClientAuth = k.clients, tls.VerifyClientCertIfGiven
		if k.opt.ClientRequired {
			c.ClientAuth = tls.RequireAndVerifyClientCert
		}
	}
	if k.acme != nil {
		// The authority's check has no certificate of a client to show, and speaks nothing else.
		check := &tls.Config{MinVersion: tls.VersionTLS12, NextProtos: []string{alpnACME}, GetCertificate: k.acme.challenge}
		c.NextProtos = append(c.NextProtos, alpnACME)
		c.GetConfigForClient = func(h *tls.ClientHelloInfo) (*tls.Config, error) {
			if slices.Equal(h.SupportedProtos, []string{alpnACME}) {
				return check, nil
			}
			return nil, nil
		}
	}
	return c
}

func (k *Keeper) certificate(h *tls.ClientHelloInfo) (*tls.Certificate, error) {
	if k.acme != nil {
		if cert := k.acme.certificate(h); cert != nil {
			return cert, nil
		}
	}
	return k.cert.Load(), nil
}

// Challenges wraps the handler of a plain HTTP door on port 80, so that an
// authority can check names there.
func (k *Keeper) Challenges(next http.Handler) http.Handler {
	if k.acme == nil {
		return next
	}
	return k.acme.issuer.HTTPChallengeHandler(next)
}

// Status says how the certificate stands now.
func (k *Keeper) Status() Status {
	leaf, kind := k.cert.Load().Leaf, KindSelfSigned
	k.mu.Lock()
	problem := k.problem
	k.mu.Unlock()
	if k.opt.Cert != "" {
		kind = KindFiles
	}
	if k.acme != nil {
		kind = KindACME
		if got, why := k.acme.status(); got != nil {
			leaf = got
		} else if problem == "" {
			problem = why
		}
	}
	return Status{Kind: kind, Fingerprint: Fingerprint(leaf), Names: names(leaf), NotAfter: leaf.NotAfter, Problem: problem}
}

func names(leaf *x509.Certificate) []string {
	out := slices.Clone(leaf.DNSNames)
	for _, ip := range leaf.IPAddresses {
		out = append(out, ip.String())
	}
	return out
}

// Run keeps the certificate fresh until ctx ends.
func (k *Keeper) Run(ctx context.Context) error {
	if k.acme != nil {
		if err := k.acme.start(ctx); err != nil {
			return err
		}
		defer k.acme.stop()
	}
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	k.look()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			k.look()
		}
	}
}

// look takes a newer certificate if there is one, and warns of the end.
func (k *Keeper) look() {
	switch {
	case k.opt.Cert != "":
		k.reload()
	default:
		k.renew()
	}
	k.remind()
}

// reload reads the operator's pair. While somebody copies the two files they do
// not fit each other, so a fault is told when two looks in a row find it.
func (k *Keeper) reload() {
	cert, err := readPair(k.opt.Cert, k.opt.Key)
	k.mu.Lock()
	defer k.mu.Unlock()
	switch {
	case err != nil && k.doubt != nil && k.problem != err.Error():
		k.problem = err.Error()
		k.log.Error("the new certificate cannot be used; the old one stays", "error", err, "not_after", k.cert.Load().Leaf.NotAfter)
	case err != nil:
		k.doubt = err
	default:
		k.doubt, k.problem = nil, ""
		if old := k.cert.Load(); slices.EqualFunc(old.Certificate, cert.Certificate, slices.Equal[[]byte]) {
			return
		}
		k.cert.Store(&cert)
		k.reminded = time.Time{}
		k.log.Info("the certificate was read anew", "fingerprint", Fingerprint(cert.Leaf), "not_after", cert.Leaf.NotAfter)
	}
}

// renew makes the self-signed certificate anew before it ends.
func (k *Keeper) renew() {
	if k.now().Add(renewWithin).Before(k.cert.Load().Leaf.NotAfter) {
		return
	}
	cert, sum, err := SelfSigned(k.opt.Vault, k.opt.Hosts, k.now())
	k.mu.Lock()
	defer k.mu.Unlock()
	if err != nil {
		if k.problem != err.Error() {
			k.log.Error("the self-signed certificate could not be made anew", "error", err)
		}
		k.problem = err.Error()
		return
	}
	k.problem = ""
	k.cert.Store(&cert)
	k.log.Warn("the self-signed certificate was made anew: people have to know it again", "fingerprint", sum)
}

// remind warns once a day when the certificate is about to end.
func (k *Keeper) remind() {
	st, now := k.Status(), k.now()
	k.mu.Lock()
	defer k.mu.Unlock()
	if now.Add(warnWithin).Before(st.NotAfter) || now.Sub(k.reminded) < remindEvery {
		return
	}
	k.reminded = now
	left := st.NotAfter.Sub(now)
	if left < 0 {
		k.log.Error("the certificate has ended", "kind", st.Kind, "not_after", st.NotAfter)
		return
	}
	k.log.Warn("the certificate is about to end", "kind", st.Kind, "not_after", st.NotAfter, "days", int(left/(24*time.Hour)))
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

var errNoCertificate = errors.New("there is no certificate in it")
