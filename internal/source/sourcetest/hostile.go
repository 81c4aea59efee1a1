package sourcetest

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// Hostile holds a source that asks a server to staying alive, telling what is
// wrong, and coming back, whatever the server answers. start returns a rig whose
// source asks at url every 100 ms; good is the server it expects, with 3 records
// that are there whenever it is asked.
func Hostile(t *testing.T, start func(t *testing.T, url string) *Rig, good http.Handler) {
	for name, bad := range map[string]http.HandlerFunc{
		"401": status(http.StatusUnauthorized, "no"),
		"403": status(http.StatusForbidden, "no"),
		"404": status(http.StatusNotFound, `{"error":"no such path"}`),
		"429": status(http.StatusTooManyRequests, ""),
		"500": status(http.StatusInternalServerError, "<html>boom</html>"),
		"503": status(http.StatusServiceUnavailable, ""),
		"redirect": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "https://192.0.2.1/", http.StatusFound)
		},
		"a page":       status(http.StatusOK, "<html><body>Please log in</body></html>"),
		"empty":        status(http.StatusOK, ""),
		"null":         status(http.StatusOK, "null!"),
		"a list":       status(http.StatusOK, "[1,2"),
		"another type": status(http.StatusOK, `"yes"`),
		"cut off":      status(http.StatusOK, `{"hits":{"hits":[{"_id":"1","_source":{"n":`),
		"deep":         status(http.StatusOK, strings.Repeat("[", 100_000)),
		"hangs up":     func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"endless":      endless,
		"longer than it is": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "1000")
			_, _ = io.WriteString(w, "{}") // the server closes
		},
	} {
		t.Run(name, func(t *testing.T) {
			var broken atomic.Bool
			broken.Store(true)
			srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if broken.Load() {
					bad(w, r)
					return
				}
				good.ServeHTTP(w, r)
			}))
			srv.Config.ErrorLog = nil
			defer srv.Close()
			r := start(t, srv.URL)
			r.Start()
			r.Eventually("it is told of", func() bool { s := r.Status(); return s.State == "failing" && s.Detail != "" })
			if len(r.Numbers()) > 0 {
				t.Error("records came of nothing")
			}
			r.Stop()
			broken.Store(false) // and after a start, which asks at once, all is well
			r.Start()
			r.Await(3)
			r.Once(3)
			r.Stop()
			srv.CloseClientConnections()
		})
	}
	t.Run("hangs", func(t *testing.T) {
		release := make(chan struct{})
		srv := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-release }))
		defer srv.Close()
		defer close(release)
		r := start(t, srv.URL)
		r.Start()
		began := time.Now()
		time.Sleep(50 * time.Millisecond)
		r.Stop()
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("took %v to end", took)
		}
	})
}

func status(code int, text string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(code)
		_, _ = io.WriteString(w, text) // who asks sees
	}
}

// endless answers without an end; it looks at what that costs.
func endless(w http.ResponseWriter, r *http.Request) {
	line := []byte(strings.Repeat("x", 1<<20))
	_, _ = io.WriteString(w, `{"hits":{"hits":[{"_source":"`)
	for range 200 {
		if _, err := w.Write(line); err != nil || r.Context().Err() != nil {
			return
		}
	}
}

// Heap returns the bytes in use after a collection, in a form for tests.
func Heap() string {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	return fmt.Sprintf("%d MiB", m.HeapAlloc>>20)
}
