// Package fetcher is the way to the network: HTTP requests for feeds,
// databases and reputation services, and reverse names. They are made by a
// process of its own that can reach out and nothing else: it holds no file, no
// key and no listener, and it refuses every address that is not public unless
// the operator listed it. See [Doer] for what the core asks of it.
package fetcher

import (
	"context"
	"io"
	"time"
)

// A Request is one thing to fetch.
type Request struct {
	Method   string            // "" means GET
	URL      string            // http or https; or "dns:ADDRESS" for the names of an address
	Header   map[string]string // sent as they are; an Authorization or key among them keeps redirects on the host
	Body     []byte            // at most 1 MiB
	MaxBytes int64             // of the answer's body; 0 means 1 MiB
	Timeout  time.Duration     // of the whole; 0 means 30 s
}

// A Response is what came back; the body was written to the caller's writer.
type Response struct {
	Status int
	Header map[string]string // a few names only: Content-Type, ETag, Last-Modified, Retry-After, X-Taxii-Date-Added-Last
	Bytes  int64             // of the body
}

// A Doer fetches.
type Doer interface {
	// Do makes one request and writes the body to w, whatever the status. It
	// returns [ErrRefused] when the address is not allowed, [ErrTooLarge] when the
	// body is larger than MaxBytes; then part of it was written.
	Do(ctx context.Context, r Request, w io.Writer) (Response, error)
}
