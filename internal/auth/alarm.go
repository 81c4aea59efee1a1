package auth

import (
	"context"
	"net/netip"
	"time"

	"honeyguide"
)

// A Guessing is a burst of wrong passwords or codes at the console that was cut
// short: more were given than are looked at.
type Guessing struct {
	At      time.Time
	Address netip.Addr // of the last one
	User    string     // name of the account; "" when nobody has the name that was given
	Codes   bool       // second factors: whoever guesses knows the password
}

// Each account and each network is told of once an hour, and there are no more
// than twenty at once and one a minute of all: who guesses does not flood the queue
// in which they are to be seen.
const (
	alarmEvery           = time.Hour
	alarmsBurst, alarmIn = 20, time.Minute
)

// alarms keep from telling the same over and over.
type alarms struct {
	each *buckets // an account, a network
	all  *buckets
}

func newAlarms() *alarms {
	return &alarms{each: newBuckets(1<<14, 1, alarmEvery), all: newBuckets(1, alarmsBurst, alarmIn)}
}

// due reports whether a burst against an account, or from a network, is news.
func (a *alarms) due(account string, network netip.Prefix, now time.Time) bool {
	fresh := a.each.take("account "+account, now) == 0
	fresh = a.each.take("network "+network.String(), now) == 0 && fresh // both know of it now
	return fresh && a.all.take("", now) == 0
}

// throttled notes that a try was not looked at, and tells of it when that is news.
// For names nobody has it does the same work.
func (s *Service) throttled(ctx context.Context, from Caller, account string, u honeyguide.User, codes bool, wait time.Duration) error {
	s.results.With("throttled").Add(1)
	now := s.o.Now()
	if codes {
		account += "\x00codes"
	}
	if s.o.Guessing != nil && s.alarms.due(account, from.Network, now) {
		g := Guessing{At: s.now(), Address: from.Address, User: u.Name, Codes: codes}
		if err := s.o.Guessing(ctx, g); err != nil { // what is refused is refused all the same
			s.o.Log.WarnContext(ctx, "a burst of wrong logins could not be told of", "request_id", from.Request, "user_id", u.ID, "address", from.Address, "error", err)
		}
	}
	return &WaitError{After: wait}
}
