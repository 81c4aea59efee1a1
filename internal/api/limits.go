package api

import (
	"net/http"
	"net/netip"
	"strings"
	"sync"
	"time"

	"honeyguide/internal/auth"
)

// A Class is a group of routes that share a limit.
type Class string

// The classes of routes.
const (
	ClassLogin  Class = "login"  // proving who one is
	ClassRead   Class = "read"   // looking
	ClassWrite  Class = "write"  // changing
	ClassExport Class = "export" // large answers
	ClassIngest Class = "ingest" // records of other products
	ClassStream Class = "stream" // opening the live stream
	ClassFiles  Class = "files"  // the console itself
)

// Limits are requests a minute of one key or user, by class; none or 0 means no
// limit. Ten seconds' worth may come at once, and at least ten requests.
type Limits map[Class]int

// DefaultLimits are far above what people and their tools need, and far below
// what wears the core out.
func DefaultLimits() Limits {
	return Limits{
		ClassLogin: 60, ClassRead: 12_000, ClassWrite: 6_000, ClassExport: 240, ClassIngest: 60_000, ClassStream: 120, ClassFiles: 6_000,
	}
}

const (
	// addressShare is how many keys' worth of requests one address may send: people
	// share addresses.
	addressShare = 4
	burstPart    = 6 // of a minute
	leastBurst   = 10
	maxBuckets   = 8192 // remembered of addresses, and of principals
)

// classOf returns the class of a route.
func classOf(method, pattern string, need auth.Permission, query string) Class {
	_, path, _ := strings.Cut(pattern, " ")
	switch {
	case strings.HasPrefix(path, base+"/auth/") && method != http.MethodGet:
		return ClassLogin
	case path == base+"/stream":
		return ClassStream
	case need == auth.PermIngest:
		return ClassIngest
	case strings.HasSuffix(path, "/export"), strings.HasSuffix(path, "/recording"), strings.HasSuffix(path, "/content"),
		strings.HasPrefix(path, base+"/blocklists/"), strings.Contains(query, "format=csv"):
		return ClassExport
	case method != http.MethodGet && method != http.MethodHead:
		return ClassWrite
	}
	return ClassRead
}

// meter counts requests. A bucket is the time at which it is empty again, which
// is all that has to be kept of one.
type meter struct {
	limits     Limits
	mu         sync.Mutex
	addresses  map[bucket[netip.Prefix]]time.Time
	principals map[bucket[string]]time.Time
}

type bucket[T comparable] struct {
	who   T
	class Class
}

func newMeter(l Limits) *meter {
	return &meter{limits: l, addresses: map[bucket[netip.Prefix]]time.Time{}, principals: map[bucket[string]]time.Time{}}
}

// address takes a request of an address and returns how long it has to wait. One
// that shows no credentials has no more than one key's worth.
func (m *meter) address(p netip.Prefix, c Class, stranger bool, now time.Time) time.Duration {
	perMinute := m.limits[c]
	if !stranger {
		perMinute *= addressShare
	}
	return take(&m.mu, m.addresses, bucket[netip.Prefix]{p, c}, perMinute, now)
}

// principal takes a request of somebody known.
func (m *meter) principal(id string, c Class, now time.Time) time.Duration {
	return take(&m.mu, m.principals, bucket[string]{id, c}, m.limits[c], now)
}

func take[K comparable](mu *sync.Mutex, by map[K]time.Time, key K, perMinute int, now time.Time) time.Duration {
	if perMinute <= 0 {
		return 0
	}
	each := time.Minute / time.Duration(perMinute)
	room := each * time.Duration(max(perMinute/burstPart, leastBurst))
	mu.Lock()
	defer mu.Unlock()
	until, known := by[key]
	if !known && len(by) >= maxBuckets {
		forget(by, now)
	}
	if until.Before(now) {
		until = now
	}
	if over := until.Add(each).Sub(now) - room; over > 0 {
		return over // and nothing is taken: who goes on asking does not wait longer
	}
	by[key] = until.Add(each)
	return 0
}

// forget drops buckets that are empty again and, when that is not enough, any
// quarter of them: the map's order is random, so nobody can choose whose.
func forget[K comparable](by map[K]time.Time, now time.Time) {
	for k, until := range by {
		if !until.After(now) {
			delete(by, k)
		}
	}
	n := len(by) - 3*maxBuckets/4
	for k := range by {
		if n <= 0 {
			return
		}
		delete(by, k)
		n--
	}
}
