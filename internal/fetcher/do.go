package fetcher

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"honeyguide/internal/ipc"
	"honeyguide/internal/safetext"
)

var _ Doer = (*Process)(nil)

// Do makes one request through the process. It waits for the process to be ready.
func (p *Process) Do(ctx context.Context, r Request, w io.Writer) (Response, error) {
	if r.MaxBytes <= 0 {
		r.MaxBytes = defaultBytes
	}
	if r.Timeout <= 0 {
		r.Timeout = defaultTimeout
	}
	ctx, cancel := context.WithTimeout(ctx, min(r.Timeout, maxTimeout)+grace)
	defer cancel()
	conn, id, a, err := p.ask(ctx, w, r.MaxBytes)
	if err != nil {
		p.requests.With(codeOther).Add(1)
		return Response{}, err
	}
	err = p.send(conn, ipc.Fetch{ID: id, Method: r.Method, URL: r.URL, Header: r.Header, Body: r.Body, MaxBytes: r.MaxBytes, Timeout: r.Timeout, Mail: r.Mail, Stay: r.Stay})
	if err != nil {
		p.take(id)
		p.requests.With(codeOther).Add(1)
		return Response{}, err
	}
	select {
	case m := <-a.done:
		out, err := finish(a, &m)
		p.requests.With(result(err)).Add(1)
		return out, err
	case <-ctx.Done():
	}
	p.take(id)
	a.mu.Lock() // w is not the caller's before a piece under way is written
	a.err = ctx.Err()
	a.mu.Unlock()
	_ = p.send(conn, ipc.FetchStop{ID: id})
	p.requests.With(codeOther).Add(1)
	return Response{Bytes: a.n}, fmt.Errorf("no answer in time: %w", ctx.Err())
}

// ask waits until the process is ready and registers a request.
func (p *Process) ask(ctx context.Context, w io.Writer, most int64) (*ipc.Conn, uint64, *asked, error) {
	for {
		p.mu.Lock()
		if p.conn != nil {
			defer p.mu.Unlock()
			p.last++
			a := &asked{w: w, most: most, done: make(chan ipc.Fetched, 1)}
			p.asked[p.last] = a
			return p.conn, p.last, a, nil
		}
		ready := p.ready
		p.mu.Unlock()
		select {
		case <-ready:
		case <-ctx.Done():
			return nil, 0, nil, fmt.Errorf("the fetcher process is not ready: %w", ctx.Err())
		}
	}
}

func (p *Process) send(conn *ipc.Conn, m ipc.Message) error {
	if err := conn.SetWriteDeadline(time.Now().Add(writeWithin)); err != nil {
		return fmt.Errorf("ask the fetcher process: %w", err)
	}
	if err := conn.Send(m); err != nil {
		return fmt.Errorf("ask the fetcher process: %w", err)
	}
	return nil
}

// finish reads how an answer ended. What the process says is shown as text of
// somebody else.
func finish(a *asked, m *ipc.Fetched) (Response, error) {
	out := Response{Status: m.Status, Header: m.Header, Bytes: a.n}
	if etag := m.Header["Etag"]; etag != "" {
		out.Header["ETag"] = etag
	}
	switch {
	case a.err != nil:
		return out, a.err
	case m.Code == codeRefused:
		return out, &remote{ErrRefused, safetext.TermN(m.Error, 300)}
	case m.Code == codeTooLarge:
		return out, &remote{ErrTooLarge, safetext.TermN(m.Error, 300)}
	case m.Error != "" || m.Code != "":
		return out, errors.New(safetext.TermN(m.Error, 300))
	}
	return out, nil
}

func result(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, ErrRefused):
		return codeRefused
	case errors.Is(err, ErrTooLarge):
		return codeTooLarge
	}
	return codeOther
}

// A remote error is one of ours in the words of the process.
type remote struct {
	is   error
	text string
}

// Error returns the words of the process.
func (e *remote) Error() string { return e.text }

// Unwrap returns the error it stands for.
func (e *remote) Unwrap() error { return e.is }
