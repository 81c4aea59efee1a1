// Package client talks to a core's API: over its unix socket, over HTTPS with a
// key, or to a handler in this very process. It is what the command line uses,
// so a verb can do nothing the API cannot.
package client

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"maps"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"honeyguide"
)

// maxAnswer bounds one JSON answer.
const maxAnswer = 256 << 20

// A Client is one way to one core. It is safe for concurrent use.
type Client struct {
	honeyguide.Veil
	base string
	key  honeyguide.Secret
	http *http.Client
}

// Unix returns a client of the core that listens on a unix socket. Whoever may
// open the socket is trusted, so there is no key.
func Unix(socket string) *Client {
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{}).DialContext(ctx, "unix", socket)
	}
	return &Client{base: "http://core", http: &http.Client{Transport: &http.Transport{DialContext: dial}}}
}

// Remote returns a client of the core at an https address.
func Remote(address string, key honeyguide.Secret, transport http.RoundTripper) (*Client, error) {
	u, err := url.Parse(address)
	if err != nil || u.Scheme != "https" || u.Host == "" {
		return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "server address: want https://host:port"}
	}
	if key == "" {
		return nil, &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: "a remote core wants a key: set HONEYGUIDE_API_KEY or HONEYGUIDE_API_KEY_FILE"}
	}
	return &Client{base: "https://" + u.Host, key: key, http: &http.Client{Transport: transport}}, nil
}

// Local returns a client of a handler in this process.
func Local(h http.Handler) *Client {
	return &Client{base: "http://core", http: &http.Client{Transport: handler{h}}}
}

// Alive reports whether a core answers within a second.
func (c *Client) Alive(ctx context.Context) bool {
	ctx, cancel := context.WithTimeout(ctx, time.Second)
	defer cancel()
	resp, err := c.do(ctx, http.MethodGet, "/healthz", nil, nil, "")
	if err != nil {
		return false
	}
	resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Get decodes the JSON answer of a path into v.
func (c *Client) Get(ctx context.Context, path string, q url.Values, v any) error {
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, "")
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	return decode(resp, v)
}

// Open returns the body of an answer that is no JSON, such as a recording. The
// caller closes it.
func (c *Client) Open(ctx context.Context, path string) (io.ReadCloser, error) {
	return c.open(ctx, path, nil)
}

func (c *Client) open(ctx context.Context, path string, q url.Values) (io.ReadCloser, error) {
	resp, err := c.do(ctx, http.MethodGet, path, q, nil, "")
	if err != nil {
		return nil, err
	}
	if resp.StatusCode != http.StatusOK {
		defer resp.Body.Close()
		return nil, problem(resp)
	}
	return resp.Body, nil
}

// A Page is one page of a list. Next is the cursor of the page after it, "" at
// the end.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
	// Total is how many rows all pages have, when it was asked for and is known.
	Total  *int64 `json:"total,omitempty" doc:"rows of all pages, with count=1"`
	Capped bool   `json:"total_capped,omitempty" doc:"there are more than total says"`
}

// Following is the cursor of the page after this one, "" at the end.
func (p Page[T]) Following() string { return p.Next }

// An Event is an event with its place in the log.
type Event struct {
	Seq int64 `json:"seq"`
	honeyguide.Event
}

// List returns one page of the list at a path.
func List[T any](ctx context.Context, c *Client, path string, q url.Values) (Page[T], error) {
	var p Page[T]
	err := c.Get(ctx, path, q, &p)
	return p, err
}

// All yields the rows of a list, page by page, and an error as the last. Rows
// that come in meanwhile are not in it.
func All[T any](ctx context.Context, c *Client, path string, q url.Values) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		q := maps.Clone(q)
		if q == nil {
			q = url.Values{}
		}
		for {
			p, err := List[T](ctx, c, path, q)
			if err != nil {
				var none T
				yield(none, err)
				return
			}
			for _, row := range p.Items {
				if !yield(row, nil) {
					return
				}
			}
			if p.Next == "" {
				return
			}
			q.Set("after", p.Next)
		}
	}
}

// An IngestRequest is one file or stream to take in.
type IngestRequest struct {
	Name     string // what dead letters call it
	Format   string // auto or one of the formats the core knows
	Zone     string // of times that name none: UTC, Europe/Berlin, +02:00; "" is UTC
	Mapping  string // what own fields are called, as YAML; for json and csv
	Body     io.Reader
	Preview  int              // show so many events and store nothing; 0: store them
	Wait     bool             // answer once everything has gone through detection
	Progress func(sent int64) // told the bytes sent so far; may be nil
}

// An IngestResult says what came of it: Records = those that became events +
// Rejected + Duplicates + the sum of Ignored.
type IngestResult struct {
	Name        string                  `json:"name"`
	Format      string                  `json:"format" doc:"of most records"`
	Framing     string                  `json:"framing" doc:"how records were cut: lines, text, objects, table, xml, evtx or empty"`
	Records     int64                   `json:"records"`
	Events      int64                   `json:"events" doc:"stored"`
	Rejected    int64                   `json:"rejected" doc:"became dead letters"`
	Duplicates  int64                   `json:"duplicates" doc:"stored before, lately"`
	Bytes       int64                   `json:"bytes" doc:"as they came, compressed or not"`
	Ignored     map[string]int64        `json:"ignored" doc:"understood and left out on purpose, by type"`
	ByActivity  map[string]int64        `json:"by_activity"`
	BySeverity  map[string]int64        `json:"by_severity"`
	Unknown     map[string]int64        `json:"unknown" doc:"record types kept as plain events"`
	Notes       map[string]int64        `json:"notes" doc:"oddities that stopped nothing"`
	FirstAt     time.Time               `json:"first_at,omitzero" doc:"time of the earliest event"`
	LastAt      time.Time               `json:"last_at,omitzero"`
	Alerts      int64                   `json:"alerts" doc:"new ones since the request began; only with wait"`
	Incidents   int64                   `json:"incidents"`
	Blocks      int64                   `json:"blocks"`
	DeadLetters []honeyguide.DeadLetter `json:"dead_letters" doc:"the first of them, without their bytes"`
	Preview     []PreviewEvent          `json:"preview,omitempty" doc:"what would be stored; only with preview"`
}

// A PreviewEvent is an event that was not stored.
type PreviewEvent struct {
	Time        time.Time      `json:"time"`
	Class       uint32         `json:"class" doc:"OCSF class_uid"`
	Activity    string         `json:"activity"`
	Severity    string         `json:"severity"`
	Source      string         `json:"source,omitempty" doc:"address and port, name"`
	Destination string         `json:"destination,omitempty"`
	Attrs       map[string]any `json:"attrs,omitempty" doc:"by OCSF path; the record's own fields under unmapped."`
}

// Ingest sends a stream and waits for the summary. Some records being refused
// is no error; see IngestResult.Rejected. After an error the result says how far
// the reading came, where the core told.
func (c *Client) Ingest(ctx context.Context, r IngestRequest) (IngestResult, error) {
	q := url.Values{"name": {r.Name}, "format": {r.Format}}
	if r.Wait {
		q.Set("wait", "true")
	}
	if r.Zone != "" {
		q.Set("zone", r.Zone)
	}
	if r.Mapping != "" {
		q.Set("mapping", r.Mapping)
	}
	if r.Preview > 0 {
		q.Set("preview", strconv.Itoa(r.Preview))
	}
	body := r.Body
	if r.Progress != nil {
		body = &progress{r: body, tell: r.Progress}
	}
	var res IngestResult
	resp, err := c.do(ctx, http.MethodPost, "/api/v1/ingest", q, body, "application/octet-stream")
	if err != nil {
		return res, err
	}
	defer resp.Body.Close()
	if resp.StatusCode < 300 {
		return res, decode(resp, &res)
	}
	var text bytes.Buffer
	_, _ = text.ReadFrom(io.LimitReader(resp.Body, maxAnswer)) // an answer without a body still has its status
	resp.Body = io.NopCloser(bytes.NewReader(text.Bytes()))
	_ = json.Unmarshal(text.Bytes(), &struct {
		Ingest *IngestResult `json:"ingest"`
	}{&res})
	return res, problem(resp)
}

// Recording returns the asciicast of a session. The caller closes it.
func (c *Client) Recording(ctx context.Context, session string) (io.ReadCloser, error) {
	return c.Open(ctx, "/api/v1/sessions/"+url.PathEscape(session)+"/recording")
}

// Sample returns the content of a sample, which is malware. The caller closes it.
func (c *Client) Sample(ctx context.Context, id string) (io.ReadCloser, error) {
	return c.open(ctx, "/api/v1/samples/"+url.PathEscape(id)+"/content", url.Values{"form": {"raw"}})
}

// progress tells what was read through it.
type progress struct {
	r    io.Reader
	n    int64
	tell func(int64)
}

// Read reads and tells.
func (p *progress) Read(b []byte) (int, error) {
	n, err := p.r.Read(b)
	if p.n += int64(n); n > 0 {
		p.tell(p.n)
	}
	return n, err
}

func (c *Client) do(ctx context.Context, method, path string, q url.Values, body io.Reader, contentType string) (*http.Response, error) {
	req, err := c.request(ctx, method, path, q, body, contentType)
	if err != nil {
		return nil, err
	}
	return c.send(req)
}

func (c *Client) request(ctx context.Context, method, path string, q url.Values, body io.Reader, contentType string) (*http.Request, error) {
	u := c.base + path
	if len(q) > 0 {
		u += "?" + q.Encode()
	}
	req, err := http.NewRequestWithContext(ctx, method, u, body)
	if err != nil {
		return nil, err
	}
	if c.key != "" {
		req.Header.Set("Authorization", "Bearer "+c.key.Reveal())
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	if method != http.MethodGet {
		req.Header.Set("If-Match", "*") // whatever is there, unless the caller says otherwise
	}
	return req, nil
}

func decode(resp *http.Response, v any) error {
	if resp.StatusCode >= 300 {
		return problem(resp)
	}
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxAnswer)).Decode(v); err != nil {
		return fmt.Errorf("read the core's answer: %w", err)
	}
	return nil
}

// problem turns an RFC 9457 answer into the error it describes.
func problem(resp *http.Response) error {
	var p struct {
		Title, Detail string
		Errors        []struct{ Message, Location string }
	}
	_ = json.NewDecoder(io.LimitReader(resp.Body, 1<<20)).Decode(&p) // an answer without one still has its status
	text := p.Detail
	if text == "" {
		text = p.Title
	}
	if text == "" {
		text = resp.Status
	}
	for _, e := range p.Errors {
		text += strings.TrimRight("; "+e.Location+": "+e.Message, ": ")
	}
	code := honeyguide.CodeInternal
	switch resp.StatusCode {
	case http.StatusBadRequest, http.StatusUnprocessableEntity, http.StatusRequestEntityTooLarge, http.StatusUnsupportedMediaType:
		code = honeyguide.CodeInvalid
	case http.StatusUnauthorized, http.StatusForbidden:
		code = honeyguide.CodeForbidden
	case http.StatusNotFound:
		code = honeyguide.CodeNotFound
	case http.StatusConflict, http.StatusPreconditionFailed:
		code = honeyguide.CodeConflict
	case http.StatusServiceUnavailable, http.StatusTooManyRequests, http.StatusInsufficientStorage:
		code = honeyguide.CodeUnavailable
	}
	return &honeyguide.Error{Code: code, Message: text}
}

// handler is a transport without a wire: the request is served where it is made.
type handler struct{ h http.Handler }

// RoundTrip serves the request and keeps the answer in memory.
func (t handler) RoundTrip(req *http.Request) (*http.Response, error) {
	a := &answer{header: http.Header{}}
	req.RequestURI = req.URL.RequestURI()
	if req.Body == nil {
		req.Body = http.NoBody
	}
	t.h.ServeHTTP(a, req)
	if a.status == 0 {
		a.status = http.StatusOK
	}
	return &http.Response{
		Status: fmt.Sprintf("%d %s", a.status, http.StatusText(a.status)), StatusCode: a.status, Header: a.header,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Body: io.NopCloser(&a.body), ContentLength: int64(a.body.Len()), Request: req,
	}, nil
}

// answer is what a handler wrote.
type answer struct {
	header http.Header
	status int
	body   bytes.Buffer
}

func (a *answer) Header() http.Header { return a.header }

// WriteHeader takes the first status, as a connection does.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
}

func (a *answer) Write(p []byte) (int, error) {
	a.WriteHeader(http.StatusOK)
	return a.body.Write(p)
}
