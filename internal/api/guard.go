package api

import (
	"context"
	"net/http"
	"strconv"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
)

type contextKey int

const (
	requestKey contextKey = iota
	principalKey
	localKey
	callerKey
	matchKey
	maskKey
	certificateKey
	attemptKey
	addressKey
)

func requestID(ctx context.Context) string {
	id, _ := ctx.Value(requestKey).(string)
	return id
}

// Policies of documents. The console's goes on every answer; only the replay
// frame, which shows what attackers typed, has its own: no origin, no network.
const (
	consolePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; connect-src 'self'; " +
		"worker-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; " +
		"require-trusted-types-for 'script'; trusted-types 'none'"
	framePolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src data:; font-src 'self'; connect-src 'none'; " +
		"base-uri 'none'; form-action 'none'; frame-ancestors 'self'; sandbox allow-scripts"
)

// headers go on every answer.
var headers = map[string]string{
	"Content-Security-Policy":      consolePolicy,
	"X-Content-Type-Options":       "nosniff",
	"X-Frame-Options":              "DENY", // for browsers and scanners that know no frame-ancestors
	"Cross-Origin-Opener-Policy":   "same-origin",
	"Cross-Origin-Resource-Policy": "same-origin",
	"Referrer-Policy":              "no-referrer",
	// What the console uses of a browser's abilities: passkeys, copying, the full screen.
	"Permissions-Policy": "accelerometer=(), autoplay=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), magnetometer=(), " +
		"microphone=(), midi=(), payment=(), usb=(), clipboard-read=(), clipboard-write=(self), fullscreen=(self), " +
		"publickey-credentials-create=(self), publickey-credentials-get=(self)",
	"Cache-Control": "no-store",
}

// guard gives a request its id, sets the headers, survives panics and counts.
func (s *server) guard(next http.Handler) http.Handler {
	requests := s.dep.Metrics.Counter("honeyguide_api_requests_total", "Requests by route and status class.", "route", "status")
	panics := s.dep.Metrics.Counter("honeyguide_api_panics_total", "Requests whose handler panicked.")
	seconds := s.dep.Metrics.Histogram("honeyguide_api_request_seconds", "Time to answer, by route.",
		[]float64{0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60}, "route")
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		start := s.dep.Now()
		id := honeyguide.NewID(start)
		r = r.WithContext(context.WithValue(r.Context(), requestKey, id))
		for name, value := range headers {
			w.Header().Set(name, value)
		}
		w.Header().Set("X-Request-Id", id)
		if r.TLS != nil {
			w.Header().Set("Strict-Transport-Security", "max-age=31536000")
			if len(r.TLS.VerifiedChains) > 0 { // the handshake has checked it
				subject := safetext.Term(r.TLS.PeerCertificates[0].Subject.String())
				r = r.WithContext(context.WithValue(r.Context(), certificateKey, subject))
			}
		}
		watched := &watch{ResponseWriter: w}
		defer func() {
			v := recover()
			if v == http.ErrAbortHandler {
				defer panic(v) // a handler cuts an answer short so that it cannot pass for a whole one
			} else if v != nil {
				panics.Add(1)
				s.dep.Log.ErrorContext(r.Context(), "handler panicked", "request_id", id, "panic", v)
				if watched.status == 0 {
					writeProblem(watched, newProblem(r.Context(), http.StatusInternalServerError, "something went wrong inside; the log has it under the request's id"))
				}
			}
			route := s.gate.route(r)
			requests.With(route, strconv.Itoa(watched.status/100)+"xx").Add(1)
			seconds.With(route).Observe(s.dep.Now().Sub(start).Seconds())
			s.dep.Log.DebugContext(r.Context(), "request", "request_id", id, "route", route, "status", watched.status,
				"certificate", certified(r.Context()), "ms", s.dep.Now().Sub(start)/time.Millisecond)
		}()
		next.ServeHTTP(watched, r)
	})
}

// watch remembers the status of an answer.
type watch struct {
	http.ResponseWriter
	status int
}

// WriteHeader notes the first status.
func (w *watch) WriteHeader(status int) {
	if w.status == 0 {
		w.status = status
	}
	w.ResponseWriter.WriteHeader(status)
}

// Write notes the status an answer has when nobody sets one.
func (w *watch) Write(p []byte) (int, error) {
	if w.status == 0 {
		w.status = http.StatusOK
	}
	return w.ResponseWriter.Write(p)
}

// Unwrap lets a ResponseController reach the connection.
func (w *watch) Unwrap() http.ResponseWriter { return w.ResponseWriter }
