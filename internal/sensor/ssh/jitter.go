package ssh

import (
	"math/rand/v2"
	"time"
)

// jitter returns a time below most.
func jitter(most time.Duration) time.Duration {
	if most <= 0 {
		return 0
	}
	return rand.N(most)
}
