package machine

import (
	"crypto/sha256"
	"math"
	"math/rand/v2"
	"time"
)

// Rand returns the source of choices for one purpose: it depends on the seed
// and the label alone, so that a new choice somewhere does not change the
// others.
func Rand(seed []byte, label string) *rand.Rand {
	h := sha256.New()
	h.Write(seed)
	h.Write([]byte{0})
	h.Write([]byte(label))
	return rand.New(rand.NewChaCha8([32]byte(h.Sum(nil))))
}

// Pick returns one of the given values.
func Pick[T any](r *rand.Rand, of ...T) T { return of[r.IntN(len(of))] }

// noise returns a number in [0,1) that depends on the machine, a channel and a
// step of time.
func (m *Machine) noise(channel string, step int64) float64 {
	h := m.Seed ^ uint64(step)*0x9e3779b97f4a7c15
	for i := range len(channel) {
		h = (h ^ uint64(channel[i])) * 1099511628211
	}
	h ^= h >> 33
	h *= 0xff51afd7ed558ccd
	h ^= h >> 33
	h *= 0xc4ceb9fe1a85ec53
	h ^= h >> 33
	return float64(h>>11) / (1 << 53)
}

// drift is noise that moves smoothly, one step each period.
func (m *Machine) drift(channel string, now time.Time, period time.Duration) float64 {
	step := now.UnixNano() / int64(period)
	at := float64(now.UnixNano()%int64(period)) / float64(period)
	at = (1 - math.Cos(at*math.Pi)) / 2
	return m.noise(channel, step)*(1-at) + m.noise(channel, step+1)*at
}

// bootEpoch is where the cycles of reboots and reinstallations count from.
var bootEpoch = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)

// lastTurn returns the latest moment at least margin before now at which a cycle of the
// given length turns. The same now, a day later, mostly gives the same answer:
// a sensor that restarts finds the machine as it left it.
func lastTurn(now time.Time, cycle, phase, margin time.Duration) time.Time {
	since := now.Add(-margin).Sub(bootEpoch) - phase
	turns := since / cycle
	return bootEpoch.Add(phase + turns*cycle).Truncate(time.Second)
}
