package api

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"honeyguide/internal/auth"
	"honeyguide/internal/state"
)

// An order is a request that acts on the world: blocks, approves, stops. It may
// carry an Idempotency-Key, by which a repeat after a lost answer is known: the
// repeat gets the first answer and nothing is done twice.
const (
	orderKey     = "Idempotency-Key"
	orderRepeat  = "Idempotency-Replayed" // set on answers that are repeated
	orderKeySize = 128                    // characters
	orderKept    = 24 * time.Hour
	ordersKept   = 10_000
	orderBody    = 1 << 20 // bytes of a request, as elsewhere
	orderAnswer  = 1 << 20 // bytes of an answer that is kept
)

// order is write for a request that acts.
func order[T, O any](s *server, o huma.Operation, need auth.Permission, f func(ctx context.Context, id string, in *T) (O, error)) {
	write(s, s.acts(o), need, func(ctx context.Context, id string, in *T) (O, error) {
		out, err := f(ctx, id, in)
		s.gave(ctx, o.OperationID, id, err)
		return out, err
	})
}

// orderAnew is order for a path without an id.
func orderAnew[T, O any](s *server, o huma.Operation, need auth.Permission, f func(ctx context.Context, in *T) (O, error)) {
	writeAnew(s, s.acts(o), need, func(ctx context.Context, in *T) (O, error) {
		out, err := f(ctx, in)
		s.gave(ctx, o.OperationID, "", err)
		return out, err
	})
}

// acts notes that a route acts.
func (s *server) acts(o huma.Operation) huma.Operation {
	if s.orders.routes[o.Method+" "+o.Path] {
		return o
	}
	s.orders.routes[o.Method+" "+o.Path] = true
	limit := orderKeySize
	o.Parameters = append(o.Parameters, &huma.Param{
		Name: orderKey, In: "header", Description: "a name for this request: sent again within a day, it acts once and gets the first answer",
		Schema: &huma.Schema{Type: "string", MaxLength: &limit},
	})
	return o
}

// orders remembers which routes act and which requests are under way.
type orders struct {
	routes map[string]bool
	mu     sync.Mutex
	busy   map[string]bool
}

// claim takes a request for the one who asks first.
func (o *orders) claim(id string) (free func(), ok bool) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.busy[id] {
		return nil, false
	}
	o.busy[id] = true
	return func() {
		o.mu.Lock()
		defer o.mu.Unlock()
		delete(o.busy, id)
	}, true
}

// once serves a request that acts: at once when it has no name, else only when
// nobody had a request of that name carried out before.
func (s *server) once(w http.ResponseWriter, r *http.Request, who auth.Principal, pattern string, next http.Handler) {
	name := r.Header.Get(orderKey)
	if name == "" || !s.orders.routes[pattern] {
		next.ServeHTTP(w, r)
		return
	}
	refuse := func(status int, text string) { writeProblem(w, newProblem(r.Context(), status, text)) }
	if !plainText(name) || len(r.Header.Values(orderKey)) > 1 {
		refuse(http.StatusBadRequest, "Idempotency-Key: want one, of 1 to 128 printable ASCII characters")
		return
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, orderBody))
	if err != nil {
		refuse(http.StatusRequestEntityTooLarge, "the request is too large")
		return
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	reply := state.Reply{ID: hashed(who.Name, string(who.Scope), name), Request: hashed(r.Method, r.URL.EscapedPath(), r.URL.RawQuery, string(body)), At: s.dep.Now()}
	free, ok := s.orders.claim(reply.ID)
	if !ok {
		refuse(http.StatusConflict, "the first request with this Idempotency-Key is still under way: ask again later")
		return
	}
	defer free()
	asked := reply.Request
	begun, err := s.begin(r.Context(), &reply)
	switch {
	case err != nil:
		writeProblem(w, s.problem(r.Context(), err))
	case begun:
		s.carryOut(w, r, &reply, next)
	case reply.Request != asked:
		refuse(http.StatusConflict, "this Idempotency-Key was used for another request: choose a new one")
	case reply.Status == 0:
		refuse(http.StatusConflict, "a request with this Idempotency-Key was begun and how it ended is not known: look before you ask again under a new one")
	default:
		w.Header().Set(orderRepeat, "true")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(reply.Status)
		_, _ = w.Write(reply.Body) // the peer may be gone
	}
}

func (s *server) begin(ctx context.Context, r *state.Reply) (begun bool, err error) {
	asked := *r
	err = s.dep.State.Update(ctx, func(tx state.Tx) error {
		if err := tx.Replies().Trim(ctx, asked.At.Add(-orderKept), ordersKept-1); err != nil {
			return err
		}
		*r = asked
		begun, err = tx.Replies().Begin(ctx, r)
		return err
	})
	return begun, err
}

// carryOut serves the request and keeps the answer. One that was refused has
// done nothing, so its name may be used again. When the process dies here, the
// name stays taken without an answer, because nobody can know.
func (s *server) carryOut(w http.ResponseWriter, r *http.Request, reply *state.Reply, next http.Handler) {
	kept := &keep{ResponseWriter: w}
	returned := false
	defer func() {
		if !returned {
			return // it panicked: how far it came is not known
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), 5*time.Second)
		defer cancel()
		err := s.dep.State.Update(ctx, func(tx state.Tx) error {
			switch {
			case kept.status >= 500 && begun(r.Context()):
				return nil // how far it came is not known
			case kept.status >= 300:
				return tx.Replies().Remove(ctx, reply.ID)
			case kept.body.Len() > orderAnswer:
				return nil
			}
			reply.Status, reply.Body = kept.status, kept.body.Bytes()
			return tx.Replies().Finish(ctx, reply)
		})
		if err != nil && !errors.Is(err, context.Canceled) {
			s.dep.Log.ErrorContext(ctx, "an answer could not be kept", "request_id", requestID(ctx), "error", err)
		}
	}()
	next.ServeHTTP(kept, r)
	returned = true
}

// begun reports whether the effect of a request may have begun: it has not
// when the request could not be audited.
func begun(ctx context.Context) bool {
	a, _ := ctx.Value(attemptKey).(*attempt)
	return a == nil || a.begun
}

// keep copies an answer while it is sent.
type keep struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

// WriteHeader notes the first status.
func (k *keep) WriteHeader(status int) {
	if k.status == 0 {
		k.status = status
	}
	k.ResponseWriter.WriteHeader(status)
}

// Write copies as much as is kept, and a byte more to tell that there was more.
func (k *keep) Write(p []byte) (int, error) {
	if k.status == 0 {
		k.status = http.StatusOK
	}
	k.body.Write(p[:min(len(p), orderAnswer+1-min(k.body.Len(), orderAnswer+1))])
	return k.ResponseWriter.Write(p)
}

// Unwrap lets a ResponseController reach the connection.
func (k *keep) Unwrap() http.ResponseWriter { return k.ResponseWriter }

func plainText(s string) bool {
	for i := range len(s) {
		if s[i] < '!' || s[i] > '~' {
			return false
		}
	}
	return len(s) <= orderKeySize
}

// hashed makes one name of parts; no two lists of parts have the same text.
func hashed(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		sum := sha256.Sum256([]byte(p))
		h.Write(sum[:])
	}
	return hex.EncodeToString(h.Sum(nil))
}

// gave logs an order: who, what, about what. The log is what is left when the
// state is lost.
func (s *server) gave(ctx context.Context, what, about string, err error) {
	if err != nil {
		return // refused, or told by the error's own line
	}
	s.dep.Log.InfoContext(ctx, "order given", "request_id", requestID(ctx), "order", what, "about", about, "by", whoAsks(ctx), "role", roleAsks(ctx), "certificate", certified(ctx))
}
