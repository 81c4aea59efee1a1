package oidc

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"honeyguide/internal/fetcher"
)

// Bounds of one question to a provider.
const (
	maxAnswer  = 256 << 10
	maxAsked   = 64 << 10
	answerTime = 10 * time.Second
)

// transport lets the libraries talk through the process that reaches out.
type transport struct {
	fetch   fetcher.Doer
	patient time.Duration
}

var errRedirect = errors.New("it answers with a redirect, which is not followed: a code or a key would go elsewhere")

// client returns an HTTP client that follows no redirect.
func client(fetch fetcher.Doer, patient time.Duration) *http.Client {
	return &http.Client{
		Transport:     transport{fetch, patient},
		CheckRedirect: func(*http.Request, []*http.Request) error { return errRedirect },
	}
}

// RoundTrip makes one request.
func (t transport) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		defer r.Body.Close()
		var err error
		if body, err = io.ReadAll(io.LimitReader(r.Body, maxAsked)); err != nil {
			return nil, fmt.Errorf("read the question: %w", err)
		}
	}
	ask := fetcher.Request{Method: r.Method, URL: r.URL.String(), Header: map[string]string{"Accept": "application/json"}, Body: body, MaxBytes: maxAnswer, Timeout: t.patient, Stay: true}
	for name := range r.Header {
		ask.Header[name] = r.Header.Get(name)
	}
	var text bytes.Buffer
	got, err := t.fetch.Do(r.Context(), ask, &text)
	if err != nil {
		return nil, err
	}
	if got.Status >= 300 && got.Status < 400 {
		return nil, errRedirect
	}
	out := &http.Response{
		Status: fmt.Sprintf("%d %s", got.Status, http.StatusText(got.Status)), StatusCode: got.Status,
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, Request: r,
		Header: http.Header{}, Body: io.NopCloser(&text), ContentLength: int64(text.Len()),
	}
	for name, v := range got.Header {
		out.Header.Set(name, v)
	}
	return out, nil
}
