package enrich

import (
	"errors"
	"fmt"
	"net/netip"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
)

// Limits are the settings every service has.
type Limits struct {
	PerMinute int           `yaml:"per_minute" doc:"questions a minute at most"`
	PerDay    int           `yaml:"per_day" doc:"questions a day (UTC) at most"`
	Hit       time.Duration `yaml:"hit" doc:"how long an answer counts"`
	Miss      time.Duration `yaml:"miss" doc:"how long it counts that the service knows nothing"`
}

// Usual returns limits with the usual times.
func Usual(perMinute, perDay int) Limits {
	return Limits{PerMinute: perMinute, PerDay: perDay, Hit: 24 * time.Hour, Miss: 6 * time.Hour}
}

// Keyed is the key of the services that want one.
type Keyed struct {
	Key honeyguide.Secret `yaml:"key" doc:"key of your account there"`
}

// Check checks the bounds of the limits.
func (l *Limits) Check() error {
	switch {
	case l.PerMinute < 1 || l.PerMinute > 6000:
		return fmt.Errorf("per_minute: %d is not in 1..6000", l.PerMinute)
	case l.PerDay < 1 || l.PerDay > 10_000_000:
		return fmt.Errorf("per_day: %d is not in 1..10000000", l.PerDay)
	case l.Hit < time.Minute || l.Miss < time.Minute:
		return errors.New("hit, miss: want a minute or more")
	}
	return nil
}

// Want refuses an empty key.
func (k *Keyed) Want() error {
	if k.Key == "" {
		return errors.New("key: missing; set it, or the variable that ends in _KEY_FILE to the name of a file that holds it")
	}
	return nil
}

// A Spec is what tells one service from another: how it is asked and what its
// answers mean. All else is the [Desk]'s.
type Spec struct {
	Name   string
	Limits Limits
	Types  []string // of values it can be asked about: ip, hash
	// Takes narrows Types, nil does not: a service that knows IPv4 only.
	Takes func(kind, value string) bool
	// Request asks about a value. The key goes in a header, never into the URL.
	Request func(kind, value string) fetcher.Request
	// Read puts an answer of status 200 into x, which has Provider, Type, Value and
	// times already. [ErrMiss] says that the service knows nothing; any other error
	// that this is no answer.
	Read func(x *honeyguide.Enrichment, body []byte) error
}

// ErrMiss says that a service was asked and knows nothing.
var ErrMiss = errors.New("nothing known")

// A Service is a kind that asks somebody on the network.
type Service interface {
	Enricher
	Outbound
	Spec() *Spec
}

// NewService returns the service of a spec.
func NewService(s Spec) Enricher { return &service{spec: s} }

type service struct{ spec Spec }

// Spec returns how it is asked.
func (s *service) Spec() *Spec { return &s.spec }

// ReachesOut is always true.
func (s *service) ReachesOut() bool { return true }

// Status is the desk's to tell.
func (s *service) Status() []Status { return nil }

// Public reports whether an address is one that strangers may be asked about.
func Public(a netip.Addr) bool {
	a = a.Unmap()
	if !a.IsValid() || a.Zone() != "" || !a.IsGlobalUnicast() || a.IsPrivate() {
		return false
	}
	for _, p := range reservedNets {
		if p.Contains(a) {
			return false
		}
	}
	return true
}

// reservedNets are unicast and yet nobody's: shared, benchmarks, documentation.
var reservedNets = func() (out []netip.Prefix) {
	for s := range strings.FieldsSeq("0.0.0.0/8 100.64.0.0/10 192.0.0.0/24 192.0.2.0/24 198.18.0.0/15 198.51.100.0/24 203.0.113.0/24 240.0.0.0/4 64:ff9b::/96 2001:db8::/32") {
		out = append(out, netip.MustParsePrefix(s))
	}
	return out
}()

// Clip cuts the text of a service to n bytes of clean UTF-8.
func Clip(s string, n int) string {
	s = strings.ToValidUTF8(strings.TrimSpace(s), "\ufffd")
	if len(s) > n {
		return strings.ToValidUTF8(s[:n], "")
	}
	return s
}
