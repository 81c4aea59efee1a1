package respondtest

import (
	"bytes"
	"context"
	"encoding/pem"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/fetcher"
	"honeyguide/internal/ipc"
	"honeyguide/internal/respond"
	"honeyguide/internal/supervise"
)

// childArg makes a test binary the process that reaches out.
const childArg = "fetcher-process"

// Main is the TestMain of a kind that reaches out.
func Main(m *testing.M) {
	if len(os.Args) == 2 && os.Args[1] == childArg {
		if err := fetcher.Child(context.Background()); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

// A Heard is one request the fake took.
type Heard struct {
	Method, Path, Query string
	Header              http.Header
	Body                []byte
}

// A Trouble is what a fake does instead of answering.
type Trouble struct {
	Name   string
	Status int    // answered with
	After  string // Retry-After
	Body   string
	Hang   bool // no answer until the caller gives up
	Cut    bool // the answer breaks off
	Lose   bool // the request takes effect, its answer is lost
}

// A Fake is the other side of an action over real HTTPS on loopback.
type Fake struct {
	*httptest.Server
	mu      sync.Mutex
	handler http.Handler
	trouble *Trouble
	heard   []Heard
}

// NewFake starts a fake that answers by handler.
func NewFake(t testing.TB, handler http.Handler) *Fake {
	t.Helper()
	f := &Fake{handler: handler}
	f.Server = httptest.NewTLSServer(f)
	t.Cleanup(f.Close)
	return f
}

// Answer replaces the handler, and forgets what was heard.
func (f *Fake) Answer(h http.Handler) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.handler, f.heard, f.trouble = h, nil, nil
}

// Ail makes the fake do something else than answering; nil: answer again.
func (f *Fake) Ail(t *Trouble) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = t
}

// Heard returns the requests since the last call of Heard or Answer.
func (f *Fake) Heard() []Heard {
	f.mu.Lock()
	defer f.mu.Unlock()
	out := f.heard
	f.heard = nil
	return out
}

// ServeHTTP answers one request.
func (f *Fake) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(io.LimitReader(r.Body, 4<<20))
	r.Body = io.NopCloser(bytes.NewReader(body))
	f.mu.Lock()
	f.heard = append(f.heard, Heard{r.Method, r.URL.Path, r.URL.RawQuery, r.Header.Clone(), body})
	handler, trouble := f.handler, f.trouble
	f.mu.Unlock()
	if trouble == nil {
		handler.ServeHTTP(w, r)
		return
	}
	switch {
	case trouble.Hang:
		<-r.Context().Done()
	case trouble.Cut:
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "{")
	case trouble.Lose:
		handler.ServeHTTP(httptest.NewRecorder(), r)
		panic(http.ErrAbortHandler)
	default:
		if trouble.After != "" {
			w.Header().Set("Retry-After", trouble.After)
		}
		w.WriteHeader(trouble.Status)
		fmt.Fprint(w, trouble.Body)
		if trouble.Body == "" { // servers like to repeat what they were told
			fmt.Fprintf(w, "%s %v %s", r.URL, r.Header, body)
		}
	}
}

// Loopback is the network of fakes.
var loopback = netip.MustParsePrefix("127.0.0.0/8")

// A Door is the way to the fakes: the caged process where this binary can close a
// cage, else the same rules without it. It is open to what [Door.Open] was given
// and to nothing else.
type Door struct {
	roots []byte
	mu    sync.Mutex
	doer  fetcher.Doer
}

// NewDoor returns a door that trusts the certificate of fakes, PEM.
func NewDoor(roots []byte) *Door { return &Door{roots: roots} }

// Roots returns the fake's certificate, PEM.
func (f *Fake) Roots() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: f.Certificate().Raw})
}

// Open opens the door for an action, if it reaches out.
func (d *Door) Open(t testing.TB, a respond.Action) {
	t.Helper()
	out, ok := a.(respond.Outbound)
	if !ok {
		return
	}
	setup := ipc.FetchSetup{Allow: []netip.Prefix{loopback}, Roots: d.roots, Agent: "honeyguide", Ways: slices.Clone(out.Ways())}
	d.mu.Lock()
	defer d.mu.Unlock()
	if withCgo {
		doer, err := fetcher.Uncaged(setup)
		if err != nil {
			t.Fatal(err)
		}
		d.doer = doer
		return
	}
	setup.Ports = []uint16{1} // none that anything listens on
	p := fetcher.New(fetcher.Options{Args: []string{childArg}, Setup: setup})
	ctx, stop := context.WithCancel(context.Background())
	g := supervise.New(nil)
	g.Keep(ctx, "fetcher", p.Run)
	t.Cleanup(func() { stop(); _ = g.Wait() })
	d.doer = p
}

// Do makes a request.
func (d *Door) Do(ctx context.Context, r fetcher.Request, w io.Writer) (fetcher.Response, error) {
	d.mu.Lock()
	doer := d.doer
	d.mu.Unlock()
	if doer == nil {
		return fetcher.Response{}, fmt.Errorf("%w: the action has no ways", fetcher.ErrRefused)
	}
	return doer.Do(ctx, r, w)
}

// noon is the clock of the tests.
var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
