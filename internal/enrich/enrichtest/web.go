package enrichtest

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"

	"honeyguide/internal/fetcher"
)

// A Web is a network of one handler: requests reach it without a process or a
// socket, under the rules a fetcher keeps.
type Web struct {
	Handler http.Handler

	mu    sync.Mutex
	Asked []string // methods and URLs, in order
}

var _ fetcher.Doer = (*Web)(nil)

// Do asks the handler.
func (w *Web) Do(ctx context.Context, r fetcher.Request, to io.Writer) (fetcher.Response, error) {
	method := r.Method
	if method == "" {
		method = http.MethodGet
	}
	w.mu.Lock()
	w.Asked = append(w.Asked, method+" "+r.URL)
	w.mu.Unlock()
	req, err := http.NewRequestWithContext(ctx, method, r.URL, bytes.NewReader(r.Body))
	if err != nil {
		return fetcher.Response{}, err
	}
	for k, v := range r.Header {
		req.Header.Set(k, v)
	}
	rec := httptest.NewRecorder()
	w.Handler.ServeHTTP(rec, req)
	if rec.Code == hung {
		return fetcher.Response{}, fmt.Errorf("no answer in time: %w", context.DeadlineExceeded)
	}
	most := r.MaxBytes
	if most <= 0 {
		most = 1 << 20
	}
	body := rec.Body.Bytes()
	out := fetcher.Response{Status: rec.Code, Header: map[string]string{}, Bytes: min(int64(len(body)), most)}
	for _, name := range []string{"ETag", "Last-Modified", "Retry-After", "X-Taxii-Date-Added-Last"} {
		if v := rec.Header().Get(name); v != "" {
			out.Header[name] = v
		}
	}
	if _, err := to.Write(body[:out.Bytes]); err != nil {
		return out, err
	}
	if int64(len(body)) > most {
		return out, fetcher.ErrTooLarge
	}
	return out, nil
}

// Count returns how often the web was asked.
func (w *Web) Count() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return len(w.Asked)
}

// hung is the status by which a handler says that it never answers.
const hung = 599

// Hang makes a request wait for ever, as far as the caller can tell.
func Hang(w http.ResponseWriter) { w.WriteHeader(hung) }
