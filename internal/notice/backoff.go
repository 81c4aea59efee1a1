package notice

import (
	"errors"
	"math/rand/v2"
	"time"

	"honeyguide/internal/respond"
)

// How a message, and a channel, is tried again.
const (
	firstPause = time.Second
	lastPause  = time.Hour
	maxAsked   = 24 * time.Hour // the longest wait another side may ask for

	breakAfter = 3               // failures in a row that stop a channel for a while
	breakPause = 5 * time.Minute // the longest such while, unless the other side asked for more
)

func jitter() float64 { return 0.8 + 0.4*rand.Float64() }

// backoff is the pause after a failed attempt, 1 being the first: 1 s, 2 s, 4 s
// ... an hour, times a factor near 1.
func backoff(attempt int, factor float64) time.Duration {
	pause := lastPause
	if attempt <= 12 { // 2^12 s is more than an hour
		pause = min(firstPause<<max(attempt-1, 0), lastPause)
	}
	return time.Duration(float64(pause) * factor)
}

// asked returns how long the other side wants to be left alone, 0 when it did
// not say.
func asked(err error) time.Duration {
	if w, ok := errors.AsType[*respond.Wait](err); ok {
		return min(max(w.For, 0), maxAsked)
	}
	return 0
}

// A breaker stops a channel that fails, so that a thousand messages do not each
// find out by themselves. Messages behind it wait without being tried.
type breaker struct {
	fails int
	at    time.Time // of the last failure
	until time.Time
	last  string // what went wrong last, "" when the channel works
}

// failed counts a failure that is the channel's, not the message's.
func (b *breaker) failed(now time.Time, err error, factor float64) {
	b.fails++
	b.at, b.last = now, err.Error()
	if b.fails >= breakAfter {
		b.until = now.Add(min(backoff(b.fails-breakAfter+1, factor), breakPause))
	}
	if d := asked(err); d > 0 {
		b.until = now.Add(d)
	}
}

// worked closes the breaker.
func (b *breaker) worked() { *b = breaker{} }

// wait returns until when the channel is left alone; a time that is over is none,
// nor is one that was said before the clock was set back.
func (b *breaker) wait(now time.Time) (time.Time, bool) {
	return b.until, b.until.After(now) && b.at.Sub(now) <= skew
}
