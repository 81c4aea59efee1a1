package enrich

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/telemetry"
)

// Bounds of a seat.
const (
	maxQueue    = 1000 // values that wait for one service
	maxTries    = 10   // half a day, with the rests in between
	maxAnswer   = 1 << 20
	askTime     = 20 * time.Second
	firstRest   = time.Minute // after a failure; doubled for each that follows
	lastRest    = 6 * time.Hour
	keyRest     = time.Hour        // after a key was refused
	limitRest   = 15 * time.Minute // after 429 without Retry-After
	maxRetrying = 24 * time.Hour   // of a Retry-After
)

// An item is one value that waits.
type item struct {
	kind, value string
	severity    honeyguide.Severity
	tries       int
}

// A seat is one service at the desk: its queue, its pace, its budget, and its
// rest while it is down. It is safe for concurrent use.
type seat struct {
	spec *Spec
	now  func() time.Time

	mu      sync.Mutex
	queue   []item // the first is next
	waiting map[string]bool
	tokens  float64
	filled  time.Time
	day     string // the budget is of
	asked   int
	rests   time.Time // until then it is not asked
	fails   int       // one after the other
	why     string    // of the last failure

	answers *telemetry.CounterVec
}

func newSeat(spec *Spec, now func() time.Time, answers *telemetry.CounterVec) *seat {
	for _, r := range results {
		answers.With(spec.Name, r).Add(0)
	}
	return &seat{spec: spec, now: now, waiting: map[string]bool{}, tokens: 1, filled: now(), answers: answers}
}

// Results of questions, as metrics count them.
var results = []string{"hit", "miss", "cached", "refused_key", "limited", "failed", "garbage", "dropped"}

func (s *seat) count(result string) { s.answers.With(s.spec.Name, result).Add(1) }

// takes reports whether the service can be asked about a value.
func (s *seat) takes(kind, value string) bool {
	for _, t := range s.spec.Types {
		if t == kind {
			return s.spec.Takes == nil || s.spec.Takes(kind, value)
		}
	}
	return false
}

// put queues a value unless it waits already. The worse the alert, the earlier
// it is asked; when the queue is full the last one goes.
func (s *seat) put(it item) {
	s.mu.Lock()
	defer s.mu.Unlock()
	key := it.kind + " " + it.value
	if s.waiting[key] {
		return
	}
	at := len(s.queue)
	for at > 0 && s.queue[at-1].severity < it.severity {
		at--
	}
	s.queue = append(s.queue, item{})
	copy(s.queue[at+1:], s.queue[at:])
	s.queue[at] = it
	s.waiting[key] = true
	if len(s.queue) > maxQueue {
		gone := s.queue[len(s.queue)-1]
		delete(s.waiting, gone.kind+" "+gone.value)
		s.queue = s.queue[:len(s.queue)-1]
		s.count("dropped")
	}
}

// next takes the next value off the queue; ok is false when there is none.
func (s *seat) next() (it item, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return item{}, false
	}
	it = s.queue[0]
	s.queue = s.queue[1:]
	delete(s.waiting, it.kind+" "+it.value)
	return it, true
}

// may reports whether the service may be asked now, and takes a token and a part
// of the budget when it may.
func (s *seat) may() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.now()
	if day := now.UTC().Format(time.DateOnly); day != s.day {
		s.day, s.asked = day, 0
	}
	rate := float64(s.spec.Limits.PerMinute) / 60
	s.tokens = min(s.tokens+now.Sub(s.filled).Seconds()*rate, max(1, rate*10))
	s.filled = now
	if now.Before(s.rests) || s.asked >= s.spec.Limits.PerDay || s.tokens < 1 {
		return false
	}
	s.tokens--
	s.asked++
	return true
}

// idle reports whether it makes no sense to look at the queue.
func (s *seat) idle() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.queue) == 0 || s.now().Before(s.rests)
}

// ask asks the service. An error says that there is no answer: the value may be
// put back. Down is never the same as clean: nothing is stored then.
func (s *seat) ask(ctx context.Context, do fetcher.Doer, it item) (honeyguide.Enrichment, error) {
	req := s.spec.Request(it.kind, it.value)
	req.MaxBytes, req.Timeout = maxAnswer, askTime
	var body bytes.Buffer
	r, err := do.Do(ctx, req, &body)
	now := s.now().UTC().Truncate(time.Microsecond)
	x := honeyguide.Enrichment{Provider: s.spec.Name, Type: it.kind, Value: it.value, At: now, Verdict: honeyguide.SaysUnknown, Expires: now.Add(s.spec.Limits.Miss)}
	switch {
	case err != nil:
		return x, s.failed("failed", 0, err)
	case r.Status == http.StatusNotFound:
		s.well("miss")
		return x, nil
	case r.Status == http.StatusUnauthorized, r.Status == http.StatusForbidden:
		return x, s.failed("refused_key", keyRest, fmt.Errorf("the service refuses the key (%d)", r.Status))
	case r.Status == http.StatusTooManyRequests:
		return x, s.failed("limited", retryAfter(r.Header["Retry-After"], now), errors.New("the service wants to be asked less (429)"))
	case r.Status != http.StatusOK:
		return x, s.failed("failed", retryAfter(r.Header["Retry-After"], now), fmt.Errorf("the service answers %d", r.Status))
	}
	hit := x
	hit.Expires = now.Add(s.spec.Limits.Hit)
	switch err := s.spec.Read(&hit, body.Bytes()); {
	case errors.Is(err, ErrMiss):
		s.well("miss")
		return x, nil
	case err != nil:
		return x, s.failed("garbage", 0, fmt.Errorf("the answer is not understood: %w", err))
	}
	s.well("hit")
	return hit, nil
}

// retryAfter reads the header in both its forms; 429 without one is limitRest.
func retryAfter(text string, now time.Time) time.Duration {
	if n, err := strconv.Atoi(text); err == nil && n >= 0 {
		return min(time.Duration(min(n, 86400))*time.Second, maxRetrying)
	}
	if at, err := http.ParseTime(text); err == nil {
		return min(max(at.Sub(now), 0), maxRetrying)
	}
	return limitRest
}

// well notes an answer.
func (s *seat) well(result string) {
	s.count(result)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails, s.why = 0, ""
}

// failed notes a failure and lets the service rest: the longer, the more
// failures came one after the other, and at least as long as it asked for.
func (s *seat) failed(result string, rest time.Duration, err error) error {
	s.count(result)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fails++
	pause := firstRest
	for i := 1; i < s.fails && pause < lastRest; i++ {
		pause *= 2
	}
	s.rests = s.now().Add(max(min(pause, lastRest), rest))
	s.why = err.Error()
	return err
}

// status says how the service stands.
func (s *seat) status() Status {
	s.mu.Lock()
	defer s.mu.Unlock()
	st := Status{Name: s.spec.Name, Kind: s.spec.Name, State: StateOK, Asked: int64(s.asked), Budget: int64(s.spec.Limits.PerDay), Items: int64(len(s.queue))}
	now := s.now()
	switch {
	case now.Before(s.rests):
		st.State, st.Detail, st.NextAt = StateFailed, s.why, s.rests
	case s.asked >= s.spec.Limits.PerDay && s.day == now.UTC().Format(time.DateOnly):
		st.State, st.Detail = StateStale, "the questions of the day are used up"
	}
	return st
}
