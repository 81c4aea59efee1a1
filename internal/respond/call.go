package respond

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/safetext"
)

// Outbound is an action that reaches out. The process that does it is started
// when there is one, and is opened for its ways.
type Outbound interface {
	Ways() []fetcher.Way
}

// A Reach makes an action [Outbound].
type Reach struct{ ways []fetcher.Way }

// ReachTo returns a reach to the hosts of some URLs.
func ReachTo(urls ...string) (Reach, error) {
	var r Reach
	for _, u := range urls {
		w, err := fetcher.WayTo(u)
		if err != nil {
			return r, err
		}
		r.ways = append(r.ways, w)
	}
	return r, nil
}

// Ways returns where the action goes.
func (r Reach) Ways() []fetcher.Way { return r.ways }

// WantURL checks the URL of a setting: https, or http to an address of one's own
// network. The error names the key and never repeats the URL.
func WantURL(key, text string) error {
	u, err := url.Parse(text)
	switch {
	case text == "":
		return Invalid("%s: missing", key)
	case err != nil || u.Hostname() == "" || u.Scheme != "https" && u.Scheme != "http":
		return Invalid("%s: want https://host/path", key)
	case u.User != nil:
		return Invalid("%s: a user does not belong into it", key)
	case u.Scheme == "http" && !inside(u.Hostname()):
		return Invalid("%s: what is sent would be readable on its way; use https, or http to an address of your own network", key)
	}
	_, err = fetcher.WayTo(text)
	if err != nil {
		return Invalid("%s: %v", key, err)
	}
	return nil
}

func inside(host string) bool {
	a, err := netip.ParseAddr(host)
	return err == nil && (a.IsPrivate() || a.IsLoopback())
}

// Invalid is an error in the settings of an action.
func Invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}

// A Call is one request to the other side.
type Call struct {
	Method   string // "" = GET, or POST when there is a body
	URL      string
	Header   map[string]string
	Body     []byte
	JSON     any   // encoded as the body
	MaxBytes int64 // of the answer; 0 = 1 MiB
	Hide     []honeyguide.Secret
}

// An Answer is what the other side said.
type Answer struct {
	Status int
	Header map[string]string
	Body   []byte
	hide   []string
}

// Bounds of waiting because the other side asked for it.
const (
	shortestWait = time.Second
	longestWait  = time.Hour
	maxShown     = 200 // characters of an answer in an error
)

// Call makes one request by the process that reaches out. An answer that is no
// success is an error that says whether trying again makes sense: after 408, 425,
// 429 and 5xx, and when nothing came back, it does; with Retry-After, [Later].
// The answer is returned with the error. What is hidden never stands in one.
func (d Deps) Call(ctx context.Context, c Call) (Answer, error) {
	if d.Fetch == nil {
		return Answer{}, Permanent(errors.New("there is no way to the network on this node"))
	}
	r, err := c.request()
	if err != nil {
		return Answer{}, Permanent(err)
	}
	var body bytes.Buffer
	got, err := d.Fetch.Do(ctx, r, &body)
	a := Answer{Status: got.Status, Header: got.Header, Body: body.Bytes(), hide: masks(c.Hide)}
	switch {
	case errors.Is(err, fetcher.ErrRefused), errors.Is(err, fetcher.ErrTooLarge):
		return a, Permanent(a.fault(err.Error(), err))
	case err != nil:
		return a, a.fault(err.Error(), err)
	}
	return a, a.judge(d.now())
}

func (d Deps) now() time.Time {
	if d.Now == nil {
		return time.Time{}
	}
	return d.Now()
}

// request makes the request of a call.
func (c Call) request() (fetcher.Request, error) {
	r := fetcher.Request{Method: c.Method, URL: c.URL, Header: map[string]string{"Accept": "application/json"}, Body: c.Body, MaxBytes: c.MaxBytes}
	if c.JSON != nil {
		raw, err := EncodeJSON(c.JSON)
		if err != nil {
			return r, err
		}
		r.Body = raw
		r.Header["Content-Type"] = "application/json"
	}
	for k, v := range c.Header {
		r.Header[k] = v
	}
	if r.Method == "" && r.Body != nil {
		r.Method = http.MethodPost
	}
	return r, nil
}

// EncodeJSON encodes v. Characters of HTML stay as they are: their escapes make no
// text safer, and some receivers show them. What a terminal may act on is escaped.
func EncodeJSON(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return nil, fmt.Errorf("write the request: %w", err)
	}
	return safetext.JSON(bytes.TrimRight(b.Bytes(), "\n")), nil
}

// judge says what a status means.
func (a Answer) judge(now time.Time) error {
	s := a.Status
	if s >= 200 && s < 300 {
		return nil
	}
	said := a.fault(fmt.Sprintf("it answers %d: %s", s, a.shown()), nil)
	switch {
	case s >= 300 && s < 400:
		return Permanent(a.fault(fmt.Sprintf("it answers %d and sends elsewhere; the address in the settings is not the right one", s), nil))
	case s == http.StatusRequestEntityTooLarge:
		return Permanent(a.fault("it answers 413: the message is too large for it", nil))
	case s == http.StatusTooManyRequests || s >= 500:
		if wait := RetryAfter(a.Header["Retry-After"], now); wait > 0 {
			return Later(said, wait)
		}
		return said
	case s == http.StatusRequestTimeout || s == http.StatusTooEarly || s == http.StatusMisdirectedRequest:
		return said
	}
	return Permanent(said)
}

// RetryAfter reads the header of that name (RFC 9110, 10.2.3): seconds or a date. 0
// when it says nothing that makes sense.
func RetryAfter(text string, now time.Time) time.Duration {
	var wait time.Duration
	if n, err := strconv.ParseFloat(text, 64); err == nil && n > 0 && n < 1e9 {
		wait = time.Duration(n * float64(time.Second))
	} else if at, err := http.ParseTime(text); err == nil && !now.IsZero() {
		wait = at.Sub(now)
	}
	if wait <= 0 {
		return 0
	}
	return min(max(wait, shortestWait), longestWait)
}

// Decode reads the answer as JSON. What is none is worth another try: something
// stood in between.
func (a Answer) Decode(v any) error {
	if err := json.Unmarshal(a.Body, v); err != nil {
		return a.fault(fmt.Sprintf("it answers %d, but not in JSON as expected: %s", a.Status, a.shown()), nil)
	}
	return nil
}

// Fault is an error about the answer that shows the beginning of it.
func (a Answer) Fault(format string, args ...any) error {
	return a.fault(fmt.Sprintf(format, args...)+": "+a.shown(), nil)
}

// shown is the beginning of the answer, harmless.
func (a Answer) shown() string {
	text := strings.Join(strings.Fields(a.mask(string(a.Body[:min(len(a.Body), 64*maxShown)]))), " ")
	if text == "" {
		return "nothing"
	}
	return safetext.TermN(text, maxShown)
}

// A hidden error says what it says without the secrets its cause may hold.
type hidden struct {
	text string
	err  error
}

// Error returns the text without secrets.
func (h *hidden) Error() string { return h.text }

// Is answers for the cause, which nobody gets to see.
func (h *hidden) Is(target error) bool { return h.err != nil && errors.Is(h.err, target) }

func (a Answer) fault(text string, err error) error { return &hidden{a.mask(text), err} }

// mask takes the secrets out of a text.
func (a Answer) mask(text string) string {
	for _, h := range a.hide {
		text = strings.ReplaceAll(text, h, "[masked]")
	}
	return text
}

// Mask takes secrets out of a text that is shown.
func Mask(text string, hide ...honeyguide.Secret) string { return Answer{hide: masks(hide)}.mask(text) }

// masks are the forms a secret may come back in. The parts of a URL that hold its
// key count each.
func masks(list []honeyguide.Secret) []string {
	var out []string
	add := func(s string) {
		if len(s) >= 4 {
			quoted, _ := json.Marshal(s)
			out = append(out, s, url.QueryEscape(s), url.PathEscape(s), strings.Trim(string(quoted), `"`), base64.StdEncoding.EncodeToString([]byte(s)))
		}
	}
	for _, s := range list {
		text := s.Reveal()
		if u, err := url.Parse(text); err == nil && u.Host != "" {
			add(text)
			add(u.RequestURI())
			for _, part := range strings.FieldsFunc(u.RequestURI(), func(r rune) bool { return strings.ContainsRune("/?&=", r) }) {
				if len(part) >= 8 {
					add(part)
				}
			}
			continue
		}
		add(text)
	}
	return out
}
