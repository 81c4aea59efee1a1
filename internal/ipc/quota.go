package ipc

import (
	"sync/atomic"
	"time"
)

// A Quota is what the core takes from one sensor. Beyond it the core does not
// read, so the sensor waits in its own writes and the core does not grow. Zero
// fields mean the defaults.
type Quota struct {
	Bytes  int // per second; default 16 MiB
	Frames int // per second; default 20000
}

func (q Quota) orDefault() Quota {
	if q.Bytes <= 0 {
		q.Bytes = 16 << 20
	}
	if q.Frames <= 0 {
		q.Frames = 20000
	}
	return q
}

// flow is a pair of token buckets of one second each. Only the receiver uses
// it, but for waited.
type flow struct {
	quota         Quota
	now           func() time.Time
	last          time.Time
	bytes, frames float64 // left; below zero is debt
	waited        atomic.Int64
}

func newFlow(q Quota, now func() time.Time) *flow {
	q = q.orDefault()
	return &flow{quota: q, now: now, last: now(), bytes: float64(q.Bytes), frames: float64(q.Frames)}
}

// charge takes one frame of n bytes and says how long to wait for it.
func (f *flow) charge(n int) time.Duration {
	now := f.now()
	if d := now.Sub(f.last).Seconds(); d > 0 {
		f.bytes = min(f.bytes+d*float64(f.quota.Bytes), float64(f.quota.Bytes))
		f.frames = min(f.frames+d*float64(f.quota.Frames), float64(f.quota.Frames))
	}
	f.last = now
	f.bytes -= float64(n)
	f.frames--
	debt := max(-f.bytes/float64(f.quota.Bytes), -f.frames/float64(f.quota.Frames), 0)
	return time.Duration(debt * float64(time.Second))
}

// take charges a frame and waits for it. It reports false when closed ended the wait.
func (f *flow) take(n int, closed <-chan struct{}) bool {
	if f == nil {
		return true
	}
	d := f.charge(n)
	if d <= 0 {
		return true
	}
	f.waited.Add(int64(d))
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return true
	case <-closed:
		return false
	}
}

func (f *flow) total() time.Duration {
	if f == nil {
		return 0
	}
	return time.Duration(f.waited.Load())
}
