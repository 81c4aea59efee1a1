package api

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/respond"
)

// The bouncer half of CrowdSec's local API, as its version 1.7 speaks it: what
// firewalls, web servers and proxies with a CrowdSec bouncer ask to learn what to
// block. Answers are never compressed, because some bouncers cannot read them
// then; an answer that cannot be given whole is cut so that it cannot be read.
const (
	lapiBase    = "/v1/"
	lapiMessage = "access forbidden"
	lapiType    = "application/json; charset=utf-8"
	// maxUsage bounds what a bouncer says of itself.
	maxUsage = 2 << 20
	// lapiPatience bounds how long an answer waits for the state to say whose key it is.
	lapiPatience = 3 * time.Second
)

// Bouncers returns a handler that serves bouncers and nothing else, for a
// listener of their own. dep.Lists and dep.Readers are shared with the API's.
func Bouncers(dep Deps) (http.Handler, error) {
	dep.Console, dep.Guards = nil, Guards{} // it has an address of its own, and keys alone open it
	s, err := buildWith(dep, (*server).lapi)
	if err != nil {
		return nil, err
	}
	return s.handler(), nil
}

func (s *server) lapi() {
	s.plain("GET /health", auth.PermOpen, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, http.StatusOK, map[string]string{"status": "up"})
	})
	s.plain("GET /v1/decisions", auth.PermBouncer, s.lapiDecisions)
	s.plain("GET /v1/decisions/stream", auth.PermBouncer, s.lapiStream)
	s.plain("POST /v1/usage-metrics", auth.PermBouncer, s.lapiUsage)
}

// deviceKey finds a key where machines put it that know no bearer tokens: in the
// header of CrowdSec's bouncers, or as the password of basic authentication.
func deviceKey(r *http.Request) (token string, given bool) {
	if token = r.Header.Get("X-Api-Key"); token != "" {
		return token, true
	}
	_, token, given = r.BasicAuth()
	return token, given
}

// refuse sends a problem in the words of whoever asked: bouncers know their own.
func refuse(w http.ResponseWriter, r *http.Request, p *Problem) {
	if !strings.HasPrefix(r.URL.Path, lapiBase) {
		writeProblem(w, p)
		return
	}
	switch {
	case p.Status == http.StatusUnauthorized || p.Status == http.StatusForbidden:
		w.Header().Del("WWW-Authenticate")
		lapiError(w, http.StatusForbidden, lapiMessage)
	case p.Status >= http.StatusInternalServerError:
		lapiError(w, http.StatusServiceUnavailable, blocklist.ErrStale.Error())
	default:
		lapiError(w, p.Status, p.Detail)
	}
}

func lapiError(w http.ResponseWriter, status int, message string) {
	text, _ := json.Marshal(map[string]string{"message": message}) // always marshals
	w.Header().Set("Content-Type", lapiType)
	w.WriteHeader(status)
	_, _ = w.Write(text) // the peer may be gone
}

// lapiBegin answers what needs no list: a question after the head alone, a state
// that does not answer. ok is false when the answer is given.
func (s *server) lapiBegin(w http.ResponseWriter, r *http.Request) (ok bool) {
	w.Header().Set("Content-Type", lapiType)
	if err := s.dep.Lists.Refresh(r.Context()); err != nil {
		s.dep.Log.WarnContext(r.Context(), "bouncer not served", "request_id", requestID(r.Context()), "error", err)
		w.Header().Set("Retry-After", "10")
		lapiError(w, http.StatusServiceUnavailable, blocklist.ErrStale.Error())
		return false
	}
	return r.Method != http.MethodHead
}

// lapiStream answers what to block from now on and what not any more: everything
// at a startup, else what changed since the same bouncer asked last.
func (s *server) lapiStream(w http.ResponseWriter, r *http.Request) {
	f, err := streamFilter(r.URL.Query())
	if err != nil {
		lapiError(w, http.StatusBadRequest, err.Error())
		return
	}
	if !s.lapiBegin(w, r) {
		return
	}
	ctx := r.Context()
	who, _ := ctx.Value(principalKey).(auth.Principal)
	known, err := s.dep.Readers.Reader(ctx, who.ID)
	if err != nil {
		refuse(w, r, s.problem(ctx, err))
		return
	}
	// The mark comes first: what changes while the answer is written is told again.
	mark := s.dep.Lists.Mark()
	blocked, ended := s.dep.Lists.Walk, s.dep.Lists.Ended
	agent, address := r.UserAgent(), peer(r).Addr().String()
	startup, _ := strconv.ParseBool(r.URL.Query().Get("startup"))
	// Two bouncers with one key would take each other's news: who is not the one of
	// the last time gets everything.
	if d, ok := s.dep.Lists.Changes(known.Mark); ok && !startup && known.Agent == blocklist.Agent(agent) && known.Address == address {
		blocked, ended = d.Blocked, d.Ended
	}
	out := &decisions{w: patient(w), now: s.dep.Now, b: append(make([]byte, 0, lapiPiece+1024), `{"new":[`...)}
	if err = blocked(ctx, f, out.add); err == nil {
		out.b, out.some = append(out.b, `],"deleted":[`...), false
		err = ended(ctx, f, out.add)
	}
	if err == nil {
		out.b = append(out.b, `]}`...)
		err = out.flush()
	}
	if err != nil {
		s.lapiCut(ctx, err)
	}
	now := s.dep.Now().UTC()
	s.dep.Readers.Note(who.ID, func(b *blocklist.Reader) {
		b.Mark, b.LastPull, b.Agent, b.Address = mark, now, agent, address
		b.Pulls++
	})
}

// lapiCut ends an answer that cannot be finished in a way that no reader takes
// for its end.
func (s *server) lapiCut(ctx context.Context, err error) {
	s.dep.Log.DebugContext(ctx, "bouncer did not take its answer to the end", "request_id", requestID(ctx), "error", err)
	panic(http.ErrAbortHandler)
}

// lapiDecisions answers what is blocked now, null when that is nothing.
func (s *server) lapiDecisions(w http.ResponseWriter, r *http.Request) {
	q, err := decisionQuery(r.URL.Query())
	if err != nil {
		lapiError(w, http.StatusBadRequest, err.Error())
		return
	}
	if !s.lapiBegin(w, r) {
		return
	}
	ctx := r.Context()
	out := &decisions{w: patient(w), now: s.dep.Now, b: append(make([]byte, 0, lapiPiece+1024), '['), most: q.limit}
	switch {
	case q.nothing:
	case q.f.Covers.IsValid():
		err = out.add(s.dep.Lists.Covering(q.f.Covers, q.f))
	default:
		err = s.dep.Lists.Walk(ctx, q.f, out.add)
	}
	if errors.Is(err, errAll) {
		err = nil
	}
	if err == nil {
		if out.b = append(out.b, ']'); !out.some {
			out.b = append(out.b[:0], "null"...)
		}
		err = out.flush()
	}
	if err != nil {
		s.lapiCut(ctx, err)
	}
}

// lapiPiece is how much of an answer is gathered before it is sent.
const lapiPiece = 32 << 10

// errAll ends a walk when all that was asked for is there.
var errAll = errors.New("enough")

// decisions writes decisions as CrowdSec does.
type decisions struct {
	w    io.Writer
	now  func() time.Time
	b    []byte
	some bool // one has been written
	most int  // decisions wanted, 0 = all
	n    int
}

func (o *decisions) add(list []blocklist.Decision) error {
	now := o.now()
	for i := range list {
		if o.some {
			o.b = append(o.b, ',')
		}
		o.some = true
		o.b = appendDecision(o.b, &list[i], now)
		if o.n++; o.n == o.most {
			return errAll
		}
		if len(o.b) >= lapiPiece {
			if err := o.flush(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (o *decisions) flush() error {
	_, err := o.w.Write(o.b)
	o.b = o.b[:0]
	return err
}

// appendDecision writes one decision. Its duration is what is left of it, in
// whole seconds and never 0: a bouncer may take 0 for no end at all. It makes no
// garbage, because it runs a million times while many bouncers start at once.
func appendDecision(b []byte, d *blocklist.Decision, now time.Time) []byte {
	left := int64(math.Ceil(d.Until.Sub(now).Seconds()))
	if left == 0 {
		left = -1
	}
	b = appendDuration(append(b, `{"duration":"`...), left)
	b = strconv.AppendInt(append(b, `","id":`...), d.ID(), 10)
	b = append(b, `,"origin":"`+blocklist.Origin+`","scenario":`...)
	b = blocklist.Quote(b, d.Scenario())
	b = append(append(b, `,"scope":"`...), d.Scope()...)
	b = d.AppendValue(append(b, `","type":"ban","value":"`...))
	return append(b, `"}`...)
}

// appendDuration writes seconds as time.Duration's String does.
func appendDuration(b []byte, s int64) []byte {
	if s < 0 {
		b, s = append(b, '-'), -s
	}
	h, m := s/3600, s/60%60
	if h > 0 {
		b = append(strconv.AppendInt(b, h, 10), 'h')
	}
	if h > 0 || m > 0 {
		b = append(strconv.AppendInt(b, m, 10), 'm')
	}
	return append(strconv.AppendInt(b, s%60, 10), 's')
}

// streamFilter reads the parameters of a stream. Those it does not know are
// passed over: they select less than everything, and bouncers try what is new.
func streamFilter(q url.Values) (f blocklist.Filter, err error) {
	if s := q.Get("startup"); s != "" {
		if _, err := strconv.ParseBool(s); err != nil {
			return f, errors.New("startup: want true or false")
		}
	}
	f = common(q)
	if len(f.Scopes) == 0 {
		f.Scopes = []string{blocklist.ScopeIP, blocklist.ScopeRange}
	}
	return f, nil
}

func common(q url.Values) blocklist.Filter {
	return blocklist.Filter{
		Scopes: words(q, "scopes"), Origins: words(q, "origins"),
		With: words(q, "scenarios_containing"), Without: words(q, "scenarios_not_containing"),
	}
}

// words reads a list that is separated by commas.
func words(q url.Values, name string) (out []string) {
	for part := range strings.SplitSeq(q.Get(name), ",") {
		if part = strings.TrimSpace(part); part != "" {
			out = append(out, part)
		}
	}
	return out
}

// asking is what a question for decisions means.
type asking struct {
	f       blocklist.Filter
	limit   int
	nothing bool // nothing can match
}

// decisionQuery reads the parameters of a question for decisions. One it does
// not know is an error: passed over, it would find too much.
func decisionQuery(q url.Values) (a asking, err error) {
	a.f = common(q)
	inside := q.Get("contains") == "false"
	for name := range q {
		value := q.Get(name)
		switch name {
		case "scopes", "origins", "scenarios_containing", "scenarios_not_containing", "contains", "simulated", "dedup":
		case "type":
			a.nothing = a.nothing || !strings.EqualFold(value, "ban")
		case "scope":
			a.f.Scopes = append(a.f.Scopes, value)
		case "limit":
			if a.limit, err = strconv.Atoi(value); err != nil || a.limit < 0 {
				return a, errors.New("limit: want a number")
			}
		case "ip", "range", "value":
			p, err := respond.ParseTarget(value)
			switch {
			case err != nil && name == "value":
				a.nothing = true // a country, a number of a network: there are none of those
			case err != nil:
				return a, fmt.Errorf("%s: want an address or a prefix", name)
			case name == "value":
				a.f.Covers, a.f.Within = p, p
			case inside:
				a.f.Within = p
			default:
				a.f.Covers = p
			}
		default:
			return a, fmt.Errorf("%q: invalid filter", name)
		}
	}
	return a, nil
}

// usage is the part of what bouncers say of themselves that is kept.
type usage struct {
	Components []struct {
		Metrics []struct {
			Items []struct {
				Name  string  `json:"name"`
				Value float64 `json:"value"`
				Unit  string  `json:"unit"`
			} `json:"items"`
		} `json:"metrics"`
	} `json:"remediation_components"`
}

// lapiUsage notes what a bouncer says it did since it said so last.
func (s *server) lapiUsage(w http.ResponseWriter, r *http.Request) {
	raw, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxUsage))
	if tooLarge := (*http.MaxBytesError)(nil); errors.As(err, &tooLarge) {
		lapiError(w, http.StatusRequestEntityTooLarge, "the request is larger than 2 MiB")
		return
	}
	var u usage
	if err == nil {
		err = json.Unmarshal(raw, &u)
	}
	if err != nil {
		lapiError(w, http.StatusBadRequest, "the request is no JSON of usage metrics")
		return
	}
	who, _ := r.Context().Value(principalKey).(auth.Principal)
	if _, err := s.dep.Readers.Reader(r.Context(), who.ID); err != nil {
		refuse(w, r, s.problem(r.Context(), err))
		return
	}
	dropped, active, said := u.sums()
	now := s.dep.Now().UTC()
	s.dep.Readers.Note(who.ID, func(b *blocklist.Reader) {
		b.MetricsAt = now
		b.Dropped += dropped
		if said {
			b.Active = active
		}
	})
	w.Header().Set("Content-Type", lapiType)
	w.WriteHeader(http.StatusCreated)
}

// sums adds up the counts that are of packets or requests: bytes are others.
func (u *usage) sums() (dropped, active int64, said bool) {
	count := func(v float64) int64 {
		if math.IsNaN(v) || v < 0 || v > 1<<53 {
			return 0
		}
		return int64(v)
	}
	for _, c := range u.Components {
		for _, m := range c.Metrics {
			for _, item := range m.Items {
				switch {
				case item.Name == "active_decisions":
					active, said = active+count(item.Value), true
				case item.Name == "dropped" && item.Unit != "byte":
					dropped += count(item.Value)
				}
			}
		}
	}
	return dropped, active, said
}

// lookup looks a key up in the time a bouncer may be kept waiting.
func (s *server) lookup(ctx context.Context, token string, need auth.Permission) (auth.Key, error) {
	if need == auth.PermBouncer {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, lapiPatience)
		defer cancel()
	}
	return s.dep.Keys.Lookup(ctx, honeyguide.Secret(token), s.dep.Now())
}
