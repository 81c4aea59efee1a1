package auth

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/auth/password"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// realHouse is a service at today's cost over a real state, with n users.
func realHouse(b *testing.B, n int) *Service {
	b.Helper()
	store, err := sqlite.Kind.Open(b.Context(), nil, state.Deps{Dir: b.TempDir()})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = store.Close() })
	s := NewService(Options{State: store, Box: seal.Random()})
	phc := password.Hash(goodPassword, password.Default())
	if err := store.Update(b.Context(), func(tx state.Tx) error {
		for i := range n {
			u := honeyguide.User{Name: fmt.Sprint("user-", i), Kind: honeyguide.UserPerson, Role: "analyst"}
			if _, err := tx.Users().Save(b.Context(), &u); err != nil {
				return err
			}
			if err := setPassword(b.Context(), tx, u, phc, ""); err != nil {
				return err
			}
		}
		return nil
	}); err != nil {
		b.Fatal(err)
	}
	return s
}

// BenchmarkNames measures wrong logins of names somebody has and of names nobody
// has, turn by turn, and reports by how much the medians differ.
func BenchmarkNames(b *testing.B) {
	s := realHouse(b, 200)
	var took [2][]float64
	for i := 0; b.Loop(); i++ {
		for turn := range 2 {
			n := (i + turn) % 2
			name := []string{"user-", "nobody-"}[n]
			start := time.Now()
			_, err := s.Login(b.Context(), from(fmt.Sprintf("10.%d.%d.%d", n, i>>8&255, i&255)), fmt.Sprint(name, i%200), "wrong")
			if !errors.Is(err, ErrWrong) {
				b.Fatal(err)
			}
			took[n] = append(took[n], time.Since(start).Seconds()*1000)
		}
	}
	median := func(all []float64) float64 { slices.Sort(all); return all[len(all)/2] }
	var apart []float64
	for i := range took[0] {
		apart = append(apart, 100*(took[0][i]-took[1][i])/took[1][i])
	}
	known, unknown := median(took[0]), median(took[1])
	b.ReportMetric(known, "known-ms")
	b.ReportMetric(unknown, "unknown-ms")
	b.ReportMetric(median(apart), "differ-%")
}

// BenchmarkCrowd lets 200 people log in at once and reports how much memory the
// process took at most more than before, and how many got in at the first try.
func BenchmarkCrowd(b *testing.B) {
	s := realHouse(b, 200)
	runtime.GC()
	before := resident(b)
	most, in := before, 0
	for b.Loop() {
		done := make(chan struct{})
		var mu sync.Mutex
		var wg sync.WaitGroup
		for i := range 200 {
			wg.Go(func() {
				_, err := s.Login(b.Context(), from(fmt.Sprintf("10.9.0.%d", i)), fmt.Sprint("user-", i), goodPassword)
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					in++
				} else if !errors.Is(err, ErrBusy) {
					b.Error(err)
				}
			})
		}
		go func() { wg.Wait(); close(done) }()
		for open := true; open; {
			select {
			case <-done:
				open = false
			case <-time.After(2 * time.Millisecond):
			}
			most = max(most, resident(b))
		}
	}
	b.ReportMetric(float64(most-before)/(1<<20), "grown-MiB")
	b.ReportMetric(float64(in)/float64(b.N), "in/op")
}

// BenchmarkRealUser measures logins of somebody on a known device while others
// guess at the account without end.
func BenchmarkRealUser(b *testing.B) {
	s := realHouse(b, 1)
	a, err := s.Login(b.Context(), from("192.0.2.1"), "user-0", goodPassword)
	if err != nil {
		b.Fatal(err)
	}
	stop := make(chan struct{})
	var wg sync.WaitGroup
	for g := range 4 {
		wg.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-stop:
					return
				case <-time.After(5 * time.Millisecond): // 800 guesses a second in all
				}
				_, _ = s.Login(b.Context(), from(fmt.Sprintf("203.%d.%d.%d", g, i>>8&255, i&255)), "user-0", "guess")
			}
		})
	}
	c := from("198.51.100.1")
	c.Device = a.Device
	var took []float64
	for b.Loop() {
		start := time.Now()
		if _, err := s.Login(b.Context(), c, "user-0", goodPassword); err != nil {
			b.Fatal(err)
		}
		took = append(took, time.Since(start).Seconds()*1000)
	}
	close(stop)
	wg.Wait()
	slices.Sort(took)
	b.ReportMetric(took[len(took)*99/100], "p99-ms")
}

// resident is the memory of this process, bytes.
func resident(b *testing.B) int64 {
	raw, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		b.Skip("there is no /proc: ", err)
	}
	pages, err := strconv.ParseInt(strings.Fields(string(raw))[1], 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return pages * int64(os.Getpagesize())
}
