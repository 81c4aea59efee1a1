package api

import (
	"context"
	"encoding/json"
	"net/http"
	"net/netip"
	"net/url"
	"reflect"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/eventlog"
)

// Every request that changes something leaves an entry in the audit log before
// it does so; without the entry it is not done. The helpers that register writes
// make the entry once the request was understood. A route that was registered
// without them gets one at the gate, so that none can be forgotten.

// unaudited are the routes that change nothing although their method is not
// GET, or whose records are events with a durable log of their own, which goes on
// when acts are refused: a full disk must not blind the decoys.
var unaudited = map[string]string{
	"POST " + base + "/suppressions/preview": "changes nothing",
	"POST " + base + "/playbooks/test":       "changes nothing",
	"POST " + base + "/rules/backtest":       "changes nothing",
	"POST " + base + "/audit/verify":         "changes nothing, and is needed most when nothing can be written",
	"POST " + base + "/ingest/{format}":      "events, durable before they are acknowledged",
	"POST /v1/usage-metrics":                 "figures of bouncers",
}

// selfAudited are the paths below which the room of identity makes the entries:
// only there it is known who somebody turned out to be, and of failed logins most
// are counted instead of written.
var selfAudited = []string{base + "/auth/", base + "/me/", base + "/users", base + "/roles"}

// identityAudits reports whether the room of identity makes the entries of a route.
func identityAudits(pattern string) bool {
	_, path, _ := strings.Cut(pattern, " ")
	return slices.ContainsFunc(selfAudited, func(p string) bool { return strings.HasPrefix(path, p) })
}

// watchedReads are the routes that hand out what is worth knowing who took it.
var watchedReads = map[string]bool{
	"GET " + base + "/samples/{id}/content":  true,
	"GET " + base + "/incidents/{id}/export": true,
	"GET " + base + "/audit/export":          true,
	// Its registration makes the entry, once there is a file to hash.
	"GET " + base + "/reports/compliance/{framework}": true,
}

// An attempt is one request on its way to its effect.
type attempt struct {
	action   string // operation id
	object   string
	query    url.Values
	recorded bool  // there is an entry
	entry    int64 // its number; -1 when it is not known
	begun    bool  // the effect may have begun
	free     bool  // needs no entry
}

// audits reports whether a request needs an entry.
func audits(pattern string, r *http.Request) bool {
	if r.Method == http.MethodGet || r.Method == http.MethodHead {
		return watchedReads[pattern] || r.URL.Query().Get("format") == "csv"
	}
	return unaudited[pattern] == "" && !identityAudits(pattern)
}

// attempt notes in the context what a request is about.
func (s *server) attempt(pattern string, r *http.Request) (*attempt, *http.Request) {
	a := &attempt{action: s.router.action(pattern), object: objectOf(pattern, r.URL.EscapedPath()), query: r.URL.Query(), free: !audits(pattern, r)}
	ctx := context.WithValue(r.Context(), attemptKey, a)
	return a, r.WithContext(context.WithValue(ctx, addressKey, addressOf(r)))
}

func addressOf(r *http.Request) netip.Addr {
	at, err := netip.ParseAddrPort(r.RemoteAddr)
	if err != nil {
		return netip.Addr{} // the local door has none
	}
	return at.Addr().Unmap().WithZone("")
}

// action names the operation of a pattern.
func (r *router) action(pattern string) string {
	if name := r.names[pattern]; name != "" {
		return name
	}
	return pattern
}

// objectOf names what a path is about: run:R-7, incident:I-1/task:3.
func objectOf(pattern, path string) string {
	_, form, _ := strings.Cut(pattern, " ")
	forms, parts := strings.Split(form, "/"), strings.Split(path, "/")
	var out []string
	for i, f := range forms {
		if !strings.HasPrefix(f, "{") || i >= len(parts) || i == 0 {
			continue
		}
		value, err := url.PathUnescape(parts[i])
		if err != nil {
			value = parts[i]
		}
		out = append(out, strings.TrimSuffix(forms[i-1], "s")+":"+value)
	}
	if len(out) == 0 {
		return strings.TrimPrefix(strings.TrimPrefix(form, base), "/")
	}
	return strings.Join(out, "/")
}

// entry begins the entry of a request.
func (s *server) entry(ctx context.Context, a *attempt, outcome honeyguide.AuditOutcome) honeyguide.AuditEntry {
	who, _ := ctx.Value(principalKey).(auth.Principal)
	at, _ := ctx.Value(addressKey).(netip.Addr)
	e := honeyguide.AuditEntry{
		Time: s.dep.Now(), Actor: who.Name, Kind: kindOf(who), Session: who.Session, Address: at, Action: a.action, Object: a.object, Outcome: outcome, Request: requestID(ctx),
	}
	if e.Actor == "" {
		e.Actor = e.Kind
	}
	return e
}

// kindOf says what a principal is.
func kindOf(who auth.Principal) string {
	switch {
	case who.ID == "":
		return "nobody"
	case who.ID == "local":
		return string(auth.SortLocal)
	case who.Sort != "":
		return string(who.Sort)
	}
	return string(auth.SortKey)
}

// about fills in what a request says: with secrets masked, and the reason given.
func (s *server) describe(e *honeyguide.AuditEntry, a *attempt, said any) {
	text := s.masker.Value(said)
	if text == nil && len(a.query) > 0 {
		flat := map[string]string{}
		for name := range a.query {
			flat[name] = a.query.Get(name)
		}
		text = s.masker.Value(flat)
	}
	e.After = text
	var fields map[string]any
	_ = json.Unmarshal(text, &fields) // what is no object has no reason
	for _, name := range []string{"reason", "note", "why", "comment", "text"} {
		if why, ok := fields[name].(string); ok && why != "" {
			e.Reason = why
			return
		}
	}
}

// recordAsked writes the entry of a request, once.
func (s *server) recordAsked(ctx context.Context, a *attempt, said any) error {
	if a == nil || a.free || a.recorded {
		return nil
	}
	e := s.entry(ctx, a, honeyguide.AuditAsked)
	s.describe(&e, a, said)
	if look := befores[a.action]; look != nil {
		e.Before = s.masker.Value(look(ctx, s, a))
	}
	n, err := audit.Number(ctx, s.dep.Audit, e)
	if err != nil {
		return err
	}
	a.recorded, a.entry = true, n
	return nil
}

// entryOf returns the number of the entry of the request under way; -1 when it has
// none, or nobody knows it.
func entryOf(ctx context.Context) int64 {
	if a, _ := ctx.Value(attemptKey).(*attempt); a != nil && a.recorded {
		return a.entry
	}
	return -1
}

// recordFailed notes that what was asked did not happen, or not whole.
func (s *server) recordFailed(ctx context.Context, a *attempt, detail string) {
	if a == nil || !a.recorded {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	e := s.entry(ctx, a, honeyguide.AuditFailed)
	e.Detail = detail
	if err := s.dep.Audit.Record(ctx, e); err != nil {
		s.dep.Log.ErrorContext(ctx, "a failure could not be audited", "request_id", requestID(ctx), "error", err)
	}
}

// effect does what a request asks for, once its entry is durable. said is what
// the request says.
func effect[O any](ctx context.Context, s *server, said any, f func() (O, error)) (out O, err error) {
	a, _ := ctx.Value(attemptKey).(*attempt)
	if err := s.recordAsked(ctx, a, said); err != nil {
		return out, s.problem(ctx, err)
	}
	if a == nil {
		return f()
	}
	a.begun = true
	returned := false
	defer func() {
		if !returned {
			s.recordFailed(ctx, a, "it broke off in the middle")
		}
	}()
	out, err = f()
	returned = true
	if err != nil {
		p := s.problem(ctx, err)
		s.recordFailed(ctx, a, p.Detail)
		return out, p
	}
	return out, nil
}

// said returns what the input of a route holds as its body; nil when it has none.
func said(in any) any {
	if v := reflect.ValueOf(in).Elem(); v.Kind() == reflect.Struct {
		if body := v.FieldByName("Body"); body.IsValid() && body.CanInterface() {
			return body.Interface()
		}
	}
	return nil
}

// audited is next with an entry made before it, for routes whose registration
// does not make one once the request was understood.
func (s *server) audited(pattern string, next http.Handler) http.Handler {
	if s.router.audited[pattern] {
		return next
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		ctx := r.Context()
		a, _ := ctx.Value(attemptKey).(*attempt)
		if a.free {
			next.ServeHTTP(w, r)
			return
		}
		if s.dep.Full != nil && s.dep.Full() && a.action == "ingest" {
			// Nothing happens, so nothing is to be written down: on a full disk the entries
			// of a thousand refusals a second would take what is left.
			w.Header().Set("Retry-After", "2")
			writeProblem(w, s.ingestProblem(ctx, eventlog.ErrFull))
			return
		}
		if err := s.recordAsked(ctx, a, nil); err != nil {
			writeProblem(w, s.problem(ctx, err))
			return
		}
		a.begun = true
		seen := &watch{ResponseWriter: w}
		next.ServeHTTP(seen, r)
		if seen.status >= http.StatusBadRequest {
			s.recordFailed(ctx, a, http.StatusText(seen.status))
		}
	})
}

// refusal notes that somebody was turned away. The log sums up floods of them.
func (s *server) refusal(ctx context.Context, a *attempt, detail string) {
	e := s.entry(ctx, a, honeyguide.AuditRefused)
	e.Detail = detail
	if err := s.dep.Audit.Record(ctx, e); err != nil {
		s.dep.Log.WarnContext(ctx, "a refusal could not be audited", "request_id", requestID(ctx), "error", err)
	}
}

// maskerOf returns what hides secrets in entries: the log's own, by which the
// same secret is known again, or one of this process.
func maskerOf(r audit.Recorder) audit.Masker {
	if m, ok := r.(interface{ Masker() audit.Masker }); ok {
		return m.Masker()
	}
	return audit.NewMasker()
}
