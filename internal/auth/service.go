package auth

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"runtime"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth/oidc"
	"honeyguide/internal/auth/passkey"
	"honeyguide/internal/auth/password"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
)

// How long things hold.
const (
	IdleLimit    = 30 * time.Minute // a login that is not used
	TotalLimit   = 12 * time.Hour   // a login, however much it is used
	ConfirmLimit = 5 * time.Minute  // "it was you, just now"
	LinkLimit    = 24 * time.Hour   // a one-time link
	halfwayLimit = 5 * time.Minute  // between the password and the second factor
	knownLimit   = 90 * 24 * time.Hour
	triesKept    = 90 * 24 * time.Hour
	// skew is how far the clock may have been set back before a moment that lies in
	// the future ends what it belongs to: better a login too many than a login that
	// never ends.
	skew = 5 * time.Minute
)

// Errors of logins. What a stranger may learn is in them and nothing else.
var (
	ErrWrong   = errors.New("the name, the password or the code is wrong")
	ErrNoLogin = errors.New("there is no such login, or it has ended")
)

// A WaitError says that no more checks happen for a while.
type WaitError struct{ After time.Duration }

// Error says so.
func (e *WaitError) Error() string { return "too many tries: wait" }

// Options say what a Service stands on.
type Options struct {
	State state.Store
	Box   *seal.Box // of second factors and device cookies. Nil: a random one, lost with the process
	// Audit gets what happens before it does. Nil: nobody does.
	Audit audit.Recorder
	// SecondFactor names the roles that may do nothing before they have set a second
	// factor. With responder in it, own roles that may do more than an analyst are
	// among them.
	SecondFactor []string
	// Breached reports whether a password is on a list of stolen ones. Nil: there is no list.
	Breached func(context.Context, honeyguide.Secret) (bool, error)
	// Public is the address people reach the console at, Listen the one it listens
	// on: passkeys are made for the name in them. Both empty: there are none.
	Public, Listen string
	// Revoked is told the ids of accounts and logins that may do less from now on.
	// Nil: nobody needs to know.
	Revoked func(ids ...string)
	// Guessing is told of bursts of wrong passwords and codes. Nil: nobody is.
	Guessing func(context.Context, Guessing) error
	Cost     password.Cost // of hashes; zero: [password.Default]
	Cores    int           // hashes at a time; 0: as many as there are cores
	Metrics  *telemetry.Registry
	Log      *slog.Logger
	Now      func() time.Time
}

// A Service knows who may come in, lets them in and ends their logins. It is
// safe for concurrent use.
type Service struct {
	o        Options
	hasher   *hasher
	logins   *guard // passwords of those who want in
	codes    *guard // second factors
	confirms *guard // of those who are in
	alarms   *alarms
	devices  [][]byte
	party    *passkey.Party // nil: no passkeys here
	never    string         // id of an account that is not there
	checks   *telemetry.CounterVec
	results  *telemetry.CounterVec

	providers []*oidc.Provider

	mu    sync.Mutex
	seen  map[string]time.Time // logins in use since they were last written down
	again map[string]int       // how often an account was unlocked
}

var never time.Time

// NewService returns the identity over a state.
func NewService(o Options) *Service {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Box == nil {
		o.Box = seal.Random()
	}
	if o.Cost == (password.Cost{}) {
		o.Cost = password.Default()
	}
	if o.Cores < 1 {
		o.Cores = runtime.GOMAXPROCS(0)
	}
	s := &Service{
		o: o, hasher: newHasher(o.Cost, o.Cores), logins: newGuard(), codes: newGuard(), confirms: newGuard(), alarms: newAlarms(),
		devices: o.Box.Derive(deviceUse), never: honeyguide.NewID(never), seen: map[string]time.Time{}, again: map[string]int{},
		checks:  o.Metrics.Counter("honeyguide_auth_checks_total", "Passwords and codes that were looked at, by kind.", "kind"),
		results: o.Metrics.Counter("honeyguide_auth_logins_total", "Logins that were asked for, by how they ended.", "result"),
	}
	for _, kind := range []string{"password", "code", "confirm"} {
		s.checks.With(kind).Add(0)
	}
	for _, result := range []string{"in", "second", "wrong", "throttled", "busy"} {
		s.results.With(result).Add(0) // there from the start, so that the first one is seen
	}
	s.openPasskeys()
	return s
}

// A Caller is where a request comes from.
type Caller struct {
	Address netip.Addr
	Network netip.Prefix // the address, or the /64 of IPv6
	Agent   string
	Cookie  honeyguide.Secret // of a login, as it came
	Device  string            // cookie of a device, as it came
	Request string            // its id
}

// An Actor is somebody who does something, and from where.
type Actor struct {
	Principal
	From Caller
}

// newSecret makes 256 random bits and what is kept of them.
func newSecret() (secret honeyguide.Secret, sum string) {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	text := base64.RawURLEncoding.EncodeToString(b[:])
	return honeyguide.Secret(text), sumOf(honeyguide.Secret(text))
}

func sumOf(s honeyguide.Secret) string {
	h := sha256.Sum256([]byte(s.Reveal()))
	return hex.EncodeToString(h[:])
}

// now is the time as it is stored.
func (s *Service) now() time.Time { return state.Time(s.o.Now()) }

// record writes an entry of the audit log. What it tells of must not happen when
// it fails.
func (s *Service) record(ctx context.Context, from Caller, e honeyguide.AuditEntry) error {
	if s.o.Audit == nil {
		return nil
	}
	e.Time, e.Address, e.Request = s.now(), from.Address, from.Request
	if e.Outcome == "" {
		e.Outcome = honeyguide.AuditAsked
	}
	if e.Kind == "" {
		e.Actor, e.Kind = "nobody", "nobody"
	}
	if err := s.o.Audit.Record(ctx, e); err != nil {
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Err: err, Message: "the audit log cannot be written, so nothing was done; look at the disk of the core"}
	}
	return nil
}

// by records what somebody who is in does.
func (s *Service) by(ctx context.Context, a Actor, action, object, detail string) error {
	return s.record(ctx, a.From, honeyguide.AuditEntry{
		Actor: a.Name, Kind: string(a.Sort), Session: a.Session, Action: action, Object: object, Detail: detail,
	})
}

// revoked tells whoever serves an account for long that it is not as it was.
func (s *Service) revoked(ids ...string) {
	if s.o.Revoked != nil {
		s.o.Revoked(ids...)
	}
}

// Run writes down what is noted lazily and forgets what is over, until ctx ends.
func (s *Service) Run(ctx context.Context) error {
	tick := time.NewTicker(30 * time.Second)
	defer tick.Stop()
	for n := 0; ; n++ {
		if err := s.flush(ctx, n%120 == 0); err != nil && ctx.Err() == nil {
			s.o.Log.WarnContext(ctx, "logins in use could not be noted", "error", err)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// flush writes down which logins were used.
func (s *Service) flush(ctx context.Context, trim bool) error {
	s.mu.Lock()
	seen := s.seen
	s.seen = map[string]time.Time{}
	s.mu.Unlock()
	if len(seen) == 0 && !trim {
		return nil
	}
	now := s.now()
	err := s.o.State.Update(ctx, func(tx state.Tx) error {
		if err := tx.LoginSessions().Seen(ctx, seen); err != nil || !trim {
			return err
		}
		_, err := tx.LoginSessions().Trim(ctx, now.Add(-IdleLimit), now)
		if err == nil {
			_, err = tx.LoginTries().Trim(ctx, now.Add(-triesKept))
		}
		return err
	})
	if err != nil {
		s.mu.Lock()
		for id, at := range seen {
			if at.After(s.seen[id]) {
				s.seen[id] = at
			}
		}
		s.mu.Unlock()
		return fmt.Errorf("note logins in use: %w", err)
	}
	return nil
}

// flaw is a mistake of a user in a field.
func flaw(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

func conflict(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: text}
}

func forbidden(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeForbidden, Message: text}
}

func absent(err error) bool { return honeyguide.ErrorCode(err) == honeyguide.CodeNotFound }

// Strength measures a password, and says whether it is on the list of stolen ones.
func (s *Service) Strength(ctx context.Context, name string, given honeyguide.Secret) (m password.Strength, breached bool) {
	m = password.Measure(given.Reveal(), name, "honeyguide")
	if s.o.Breached != nil {
		breached, _ = s.o.Breached(ctx, given) // the list is a help: without it nothing is on it
	}
	return m, breached
}

// OpenBreaches opens a list of stolen passwords, for [Options.Breached].
func OpenBreaches(path string) (has func(context.Context, honeyguide.Secret) (bool, error), done func() error, err error) {
	list, err := password.OpenBreaches(path)
	if err != nil {
		return nil, nil, err
	}
	return func(_ context.Context, p honeyguide.Secret) (bool, error) { return list.Has(p.Reveal()) }, list.Close, nil
}
