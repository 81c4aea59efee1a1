package source

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
)

// Server is the part of the configuration of kinds that ask a server.
type Server struct {
	URL  string        `yaml:"url" doc:"address of the server, https://host:port"`
	CA   string        `yaml:"ca" doc:"PEM file of the authority of the server's certificate; empty = those of this machine. Certificates are always checked"`
	Poll time.Duration `yaml:"poll" doc:"how often it is asked, 100ms to 1h"`
}

const minPoll = 100 * time.Millisecond

// Validate checks the part.
func (s *Server) Validate() error {
	u, err := url.Parse(s.URL)
	switch {
	case s.URL == "":
		return invalid("url: missing; say where the server is, for example https://127.0.0.1:9200")
	case err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http":
		return invalid("url: want https://host:port")
	case u.User != nil:
		return invalid("url: a password does not belong there; use the keys for it")
	case u.Scheme == "http" && !loopback(u.Hostname()):
		return invalid("url: the password would be sent in the clear; use https, or http on this machine alone")
	case s.Poll < minPoll || s.Poll > time.Hour:
		return invalid("poll: want 100ms to 1h")
	}
	return nil
}

func loopback(host string) bool {
	ip := net.ParseIP(host)
	return host == "localhost" || ip != nil && ip.IsLoopback()
}

// A Remote asks one server. It follows no redirects and uses no proxy.
type Remote struct {
	base   string
	client *http.Client
}

const (
	askTime   = 60 * time.Second // of one question, its answer included
	maxAnswer = 64 << 20
	maxShown  = 200 // bytes of an answer in an error
)

// NewRemote prepares asking a server.
func NewRemote(s Server) (*Remote, error) {
	secure := &tls.Config{MinVersion: tls.VersionTLS12}
	if s.CA != "" {
		raw, err := os.ReadFile(s.CA)
		if err != nil {
			return nil, invalid("ca: %v", err)
		}
		secure.RootCAs = x509.NewCertPool()
		if !secure.RootCAs.AppendCertsFromPEM(raw) {
			return nil, invalid("ca: %s holds no certificate", s.CA)
		}
	}
	return &Remote{base: strings.TrimRight(s.URL, "/"), client: &http.Client{
		Timeout:       askTime,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		Transport: &http.Transport{
			TLSClientConfig: secure, TLSHandshakeTimeout: 10 * time.Second, ResponseHeaderTimeout: askTime, MaxResponseHeaderBytes: 64 << 10,
			MaxIdleConnsPerHost: 1, IdleConnTimeout: 5 * time.Minute, DialContext: (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		},
	}}, nil
}

// A RemoteError is an answer that is none, or no answer.
type RemoteError struct {
	Status int           // 0: it did not answer
	After  time.Duration // how long it wants to be left alone; 0: it does not say
	Text   string
	Err    error
}

// Error says what came instead of an answer.
func (e *RemoteError) Error() string { return e.Text }

// Unwrap returns the cause.
func (e *RemoteError) Unwrap() error { return e.Err }

// A Question is one request. Body is sent as JSON unless nil.
type Question struct {
	Method, Path string
	Query        url.Values
	Header       http.Header
	Body         any
}

// Ask asks and decodes the answer, which must be JSON, into v. The error is a
// *RemoteError or ctx's.
func (r *Remote) Ask(ctx context.Context, q Question, v any) error {
	req, err := r.request(ctx, q)
	if err != nil {
		return err
	}
	resp, err := r.client.Do(req)
	if err != nil {
		if ctx.Err() != nil {
			return ctx.Err()
		}
		var ue *url.Error
		if errors.As(err, &ue) {
			err = ue.Err // the address in it helps nobody
		}
		return &RemoteError{Text: fmt.Sprintf("%s does not answer: %v", r.base, err), Err: err}
	}
	defer resp.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case resp.StatusCode >= 300:
		return refusal(resp, raw)
	case err != nil:
		return &RemoteError{Status: resp.StatusCode, Text: fmt.Sprintf("the answer of %s broke off: %v", r.base, err), Err: err}
	case len(raw) > maxAnswer:
		return &RemoteError{Status: resp.StatusCode, Text: fmt.Sprintf("the answer of %s is larger than %d bytes; ask for less at a time", r.base, maxAnswer)}
	}
	if err := json.Unmarshal(raw, v); err != nil {
		return &RemoteError{Status: resp.StatusCode, Text: fmt.Sprintf("%s answers, but not as expected (%v): %s", r.base, err, shown(raw)), Err: err}
	}
	return nil
}

func (r *Remote) request(ctx context.Context, q Question) (*http.Request, error) {
	var body io.Reader
	if q.Body != nil {
		raw, err := json.Marshal(q.Body)
		if err != nil {
			return nil, fmt.Errorf("write a question: %w", err)
		}
		body = bytes.NewReader(raw)
	}
	u := r.base + q.Path
	if len(q.Query) > 0 {
		u += "?" + q.Query.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, q.Method, u, body)
	if err != nil {
		return nil, fmt.Errorf("write a question: %w", err)
	}
	for name, values := range q.Header {
		req.Header[name] = values
	}
	req.Header.Set("Accept", "application/json")
	req.Header.Set("User-Agent", "honeyguide/1")
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// refusal says in the operator's words what a status means.
func refusal(resp *http.Response, raw []byte) error {
	e := &RemoteError{Status: resp.StatusCode}
	if n, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && n > 0 {
		e.After = min(time.Duration(n)*time.Second, time.Hour)
	}
	switch {
	case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
		e.Text = fmt.Sprintf("%d: it does not let this user in: check user, password and rights; it says: %s", e.Status, shown(raw))
	case e.Status == http.StatusTooManyRequests:
		e.Text = "429: it wants to be asked less often: raise poll"
	case e.Status < 400:
		e.Text = fmt.Sprintf("%d: it sends elsewhere; url is not the server itself", e.Status)
	default:
		e.Text = fmt.Sprintf("%d: it says: %s", e.Status, shown(raw))
	}
	return e
}

// shown is the beginning of an answer.
func shown(raw []byte) string {
	text := strings.Join(strings.Fields(strings.ToValidUTF8(string(raw[:min(len(raw), maxShown)]), "?")), " ")
	if text == "" {
		return "nothing"
	}
	return strconv.Quote(text)
}

// Poll calls ask again and again until ctx ends: after every success behind a
// pause of every, after a failure behind growing ones or the one the server
// wishes. ask says whether there is more at once. Failures are shown, not
// returned.
func Poll(ctx context.Context, sink *Sink, every time.Duration, ask func(context.Context) (more bool, err error)) error {
	failures := 0
	for ctx.Err() == nil {
		more, err := ask(ctx)
		pause := every
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case err != nil:
			if honeyguide.ErrorCode(err) == honeyguide.CodeInvalid {
				return err
			}
			sink.Fault(ctx, err)
			failures++
			pause = patience(err, failures, every)
		default:
			sink.Well()
			if failures = 0; more {
				continue
			}
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
		}
	}
	return ctx.Err()
}

// longest is how long a server that fails is left alone.
const longest = 5 * time.Minute

// patience is the pause after so many failures in a row. A refused password is
// not tried often: servers lock users out.
func patience(err error, failures int, every time.Duration) time.Duration {
	pause := min(longest, every<<min(failures-1, 10))
	if e, ok := errors.AsType[*RemoteError](err); ok {
		switch {
		case e.After > 0:
			return e.After
		case e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden:
			return max(pause, time.Minute)
		}
	}
	return max(pause, every)
}

// A Recent knows the names of what was taken lately: of a server that is asked
// for more than is new. It holds between size and twice size names.
type Recent struct {
	size     int
	new, old map[string]struct{}
}

// NewRecent returns a memory of at least size names.
func NewRecent(size int) *Recent { return &Recent{size: size, new: map[string]struct{}{}} }

// Fresh returns the pieces whose Origin is not known.
func (r *Recent) Fresh(pieces []Piece) []Piece {
	return slices.DeleteFunc(pieces, func(p Piece) bool {
		_, a := r.new[p.Origin]
		_, b := r.old[p.Origin]
		return a || b
	})
}

// Add remembers the origins of pieces that were taken.
func (r *Recent) Add(pieces []Piece) {
	for _, p := range pieces {
		if len(r.new) >= r.size {
			r.old, r.new = r.new, map[string]struct{}{}
		}
		r.new[p.Origin] = struct{}{}
	}
}
