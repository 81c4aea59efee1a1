package fetcher

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/netip"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"honeyguide/internal/ipc"
)

// Bounds of one request.
const (
	defaultBytes   = 1 << 20
	defaultTimeout = 30 * time.Second
	maxTimeout     = 15 * time.Minute
	maxRedirects   = 5
)

// A surfer makes requests. It is the fetcher without its process and cage.
type surfer struct {
	guard  *guard
	client *http.Transport
	proxy  *url.URL
	agent  string
	dns    *net.Resolver
	roots  *x509.CertPool // nil: the system's
}

// newSurfer returns a surfer. roots may be nil for the system's.
func newSurfer(s ipc.FetchSetup, roots *x509.CertPool) (*surfer, error) {
	w := &surfer{agent: s.Agent, dns: resolver(s.Resolvers), roots: roots}
	w.guard = &guard{
		ports: s.Ports, ways: s.Ways, allow: s.Allow, own: s.Own, hosts: s.Hosts, inside: s.Inside,
		look: func(ctx context.Context, host string) ([]netip.Addr, error) {
			return w.dns.LookupNetIP(ctx, "ip", host+".")
		},
	}
	for i, a := range w.guard.own {
		w.guard.own[i] = a.Unmap().WithZone("")
	}
	w.client = &http.Transport{
		DialContext: w.guard.dial, TLSClientConfig: &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
		TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: 60 * time.Second, MaxResponseHeaderBytes: 64 << 10,
		ForceAttemptHTTP2: true, MaxIdleConns: 16, IdleConnTimeout: 30 * time.Second, MaxConnsPerHost: 4,
	}
	if s.Proxy == "" {
		return w, nil
	}
	proxy, err := url.Parse(s.Proxy)
	if err != nil || proxy.Scheme != "http" && proxy.Scheme != "https" || proxy.Port() == "" {
		return nil, errors.New("proxy: want http://HOST:PORT")
	}
	w.proxy = proxy
	w.client.Proxy = http.ProxyURL(proxy)
	w.client.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		if address != proxy.Host { // the operator named it; nothing else is dialled
			return nil, refuse("%.100q is not the proxy", address)
		}
		return (&net.Dialer{Resolver: w.dns}).DialContext(ctx, network, address)
	}
	return w, nil
}

// resolver asks the servers given and reads no file.
func resolver(servers []netip.AddrPort) *net.Resolver {
	var next atomic.Uint32
	return &net.Resolver{PreferGo: true, Dial: func(ctx context.Context, network, _ string) (net.Conn, error) {
		if len(servers) == 0 {
			return nil, errors.New("no name server is known")
		}
		at := servers[int(next.Add(1)-1)%len(servers)]
		var d net.Dialer
		return d.DialContext(ctx, network, at.String())
	}}
}

// plainHeaders are the headers that hold no secret.
var plainHeaders = map[string]bool{
	"accept": true, "user-agent": true, "content-type": true, "if-none-match": true, "if-modified-since": true, "accept-language": true,
}

func secret(h map[string]string) bool {
	for name := range h {
		if !plainHeaders[strings.ToLower(name)] {
			return true
		}
	}
	return false
}

// told are the headers of an answer that are handed on.
var told = []string{
	"Content-Type", "Etag", "Last-Modified", "Location", "Retry-After", "X-Request-Id", "X-Ratelimit-Remaining", "X-Ratelimit-Reset", "X-Taxii-Date-Added-Last",
}

// do makes one request. body is called with pieces of the answer.
func (w *surfer) do(ctx context.Context, m *ipc.Fetch, body func([]byte) error) (ipc.Fetched, error) {
	timeout := m.Timeout
	if timeout <= 0 {
		timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, min(timeout, maxTimeout))
	defer cancel()
	if name, ok := strings.CutPrefix(m.URL, "dns:"); ok {
		return w.names(ctx, name, body)
	}
	u, err := url.Parse(m.URL)
	if err != nil {
		return ipc.Fetched{}, refuse("the URL cannot be read")
	}
	switch {
	case u.Scheme == "smtp" || u.Scheme == "smtps":
		return w.mail(ctx, u, m, body)
	case strings.HasPrefix(u.Scheme, "syslog+"):
		return ipc.Fetched{}, w.record(ctx, u, m.Body)
	case m.Mail != nil:
		return ipc.Fetched{}, refuse("an envelope for %.20q", u.Scheme)
	}
	hidden := secret(m.Header)
	if err := w.may(ctx, u, hidden); err != nil {
		return ipc.Fetched{}, err
	}
	method := m.Method
	if method == "" {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(ctx, method, m.URL, bytes.NewReader(m.Body))
	if err != nil {
		return ipc.Fetched{}, refuse("%v", err)
	}
	if w.agent != "" {
		req.Header.Set("User-Agent", w.agent)
	}
	for k, v := range m.Header {
		req.Header.Set(k, v)
	}
	// What is sent to one host is not meant for another, and must not become a
	// question on its way: the answer to that would look like success.
	sends := method != http.MethodGet && method != http.MethodHead
	c := http.Client{Transport: w.client, CheckRedirect: func(next *http.Request, via []*http.Request) error {
		switch {
		case m.Stay || next.Method != method:
			return http.ErrUseLastResponse
		case sends && next.URL.Host != u.Host:
			return refuse("a redirect to another host would take the message there")
		case len(via) > maxRedirects:
			return refuse("more than %d redirects", maxRedirects)
		case hidden && next.URL.Host != u.Host:
			return refuse("a redirect to another host would take the key there")
		case u.Scheme == "https" && next.URL.Scheme != "https":
			return refuse("a redirect from https to %.20q", next.URL.Scheme)
		}
		return w.may(ctx, next.URL, hidden)
	}}
	res, err := c.Do(req)
	if err != nil {
		return ipc.Fetched{}, bare(err)
	}
	defer res.Body.Close()
	out := ipc.Fetched{Status: res.StatusCode, Header: map[string]string{}}
	for _, name := range told {
		if v := res.Header.Get(name); v != "" && len(v) < 512 {
			out.Header[name] = v
		}
	}
	return out, copyBody(res.Body, m.MaxBytes, body)
}

// bare takes the URL out of an error: a key may stand in it.
func bare(err error) error {
	if u, ok := errors.AsType[*url.Error](err); ok {
		err = u.Err
	}
	if d, ok := errors.AsType[*net.DNSError](err); ok { // its server is one of a file that cannot be read here
		return fmt.Errorf("look up %s: %s", strings.TrimSuffix(d.Name, "."), d.Err)
	}
	return err
}

// may judges a URL. Behind a proxy the name is looked up as well as can be: what
// only the proxy can look up is the proxy's to refuse.
func (w *surfer) may(ctx context.Context, u *url.URL, hidden bool) error {
	if err := w.guard.url(u, hidden); err != nil || w.proxy == nil {
		return err
	}
	_, err := w.guard.resolve(ctx, u.Hostname())
	if errors.Is(err, ErrRefused) {
		return err
	}
	return nil
}

// copyBody hands a body on, at most n bytes of it.
func copyBody(r io.Reader, n int64, body func([]byte) error) error {
	if n <= 0 {
		n = defaultBytes
	}
	buf := make([]byte, ipc.MaxPiece)
	for {
		k, err := r.Read(buf)
		if int64(k) > n {
			return fmt.Errorf("%w: more than was asked for", ErrTooLarge)
		}
		n -= int64(k)
		if k > 0 {
			if err := body(buf[:k]); err != nil {
				return err
			}
		}
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return bare(err)
		}
	}
}

// names finds the names of an address, one a line. Status 404 says that it has none.
func (w *surfer) names(ctx context.Context, address string, body func([]byte) error) (ipc.Fetched, error) {
	a, err := netip.ParseAddr(address)
	if err != nil {
		return ipc.Fetched{}, refuse("%.60q is no address", address)
	}
	list, err := w.dns.LookupAddr(ctx, a.String())
	if d, ok := errors.AsType[*net.DNSError](err); ok && d.IsNotFound {
		return ipc.Fetched{Status: http.StatusNotFound}, nil
	}
	if err != nil {
		return ipc.Fetched{}, bare(err)
	}
	text := strings.Join(list[:min(len(list), maxNames)], "\n")
	return ipc.Fetched{Status: http.StatusOK}, body([]byte(text[:min(len(text), ipc.MaxPiece)]))
}

// maxNames bounds the names of one address.
const maxNames = 20
