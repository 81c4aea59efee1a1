package api

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strconv"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth"
)

func TestClassOf(t *testing.T) {
	for _, c := range []struct {
		pattern string
		need    auth.Permission
		query   string
		want    Class
	}{
		{"GET /api/v1/alerts", auth.PermRead, "", ClassRead},
		{"GET /api/v1/alerts", auth.PermRead, "limit=3&format=csv", ClassExport},
		{"POST /api/v1/auth/login", auth.PermOpen, "", ClassLogin},
		{"GET /api/v1/auth/methods", auth.PermOpen, "", ClassRead},
		{"POST /api/v1/ingest/{format}", auth.PermIngest, "", ClassIngest},
		{"GET /api/v1/stream", auth.PermRead, "", ClassStream},
		{"GET /api/v1/incidents/{id}/export", auth.PermRead, "", ClassExport},
		{"DELETE /api/v1/keys/{id}", auth.PermKeys, "", ClassWrite},
		{"", "", "", ClassRead},
	} {
		method, _, _ := strings.Cut(c.pattern, " ")
		if method == "" {
			method = http.MethodGet
		}
		if got := classOf(method, c.pattern, c.need, c.query); got != c.want {
			t.Errorf("%s?%s: %s, want %s", c.pattern, c.query, got, c.want)
		}
	}
}

// A key has its own measure, its address four times as much, and a stranger one.
func TestLimits(t *testing.T) {
	now := day
	r := newRig(t, func(d *Deps) {
		d.Now = func() time.Time { return now }
		d.Guards.Limits = Limits{ClassRead: 60}
	})
	keys := []honeyguide.Secret{bootstrap}
	for i := range 5 {
		secret, key, err := auth.NewKey(fmt.Sprint("k", i), auth.ScopeRead, now, time.Time{})
		if err != nil {
			t.Fatal(err)
		}
		if err := r.keys.Add(t.Context(), key); err != nil {
			t.Fatal(err)
		}
		keys = append(keys, secret)
	}
	ask := func(key honeyguide.Secret) *httptest.ResponseRecorder {
		return r.call(http.MethodGet, "/api/v1/alerts", key, nil)
	}
	for i := range leastBurst {
		if w := ask(keys[0]); w.Code != http.StatusOK {
			t.Fatalf("request %d: %d", i, w.Code)
		}
	}
	w := ask(keys[0])
	wait, _ := strconv.Atoi(w.Header().Get("Retry-After"))
	if problemOf(t, w); w.Code != http.StatusTooManyRequests || wait != 1 {
		t.Errorf("one too many: %d, Retry-After %q", w.Code, w.Header().Get("Retry-After"))
	}
	if w := ask(keys[1]); w.Code != http.StatusOK {
		t.Errorf("another key: %d", w.Code)
	}
	if w := r.call(http.MethodPost, "/api/v1/ingest", bootstrap, strings.NewReader("")); w.Code == http.StatusTooManyRequests {
		t.Error("another class is counted with it")
	}
	now = now.Add(time.Duration(wait) * time.Second)
	if w := ask(keys[0]); w.Code != http.StatusOK {
		t.Errorf("after Retry-After: %d", w.Code)
	}
	got := 0
	for i := range 200 {
		if ask(keys[1+i%5]).Code == http.StatusOK {
			got++
		}
	}
	if most := addressShare * leastBurst; got > most {
		t.Errorf("%d requests of one address, want at most %d", got, most)
	}
	for range leastBurst + 1 {
		w = r.call(http.MethodGet, "/healthz", "", nil)
	}
	if w.Code != http.StatusTooManyRequests {
		t.Errorf("a stranger: %d", w.Code)
	}
	req := httptest.NewRequest(http.MethodGet, "/api/v1/alerts", nil)
	local := httptest.NewRecorder()
	Trusted(r.handler).ServeHTTP(local, req)
	if local.Code != http.StatusOK {
		t.Errorf("the local socket: %d", local.Code)
	}
}

func TestLimitsAreBounded(t *testing.T) {
	m := newMeter(Limits{ClassRead: 1})
	for i := range 4 * maxBuckets {
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(i >> 16), byte(i >> 8), byte(i)}), 32)
		m.address(p, ClassRead, true, day)
		m.principal(fmt.Sprint(i), ClassRead, day)
	}
	if len(m.addresses) > maxBuckets || len(m.principals) > maxBuckets {
		t.Errorf("%d addresses and %d principals are remembered", len(m.addresses), len(m.principals))
	}
}

func BenchmarkMeter(b *testing.B) {
	m, n := newMeter(DefaultLimits()), 0
	for b.Loop() {
		n++
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(n >> 16), byte(n >> 8), byte(n)}), 32)
		m.address(p, ClassRead, true, day.Add(time.Duration(n)*time.Microsecond))
	}
}
