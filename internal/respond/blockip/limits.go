package blockip

import (
	"fmt"
	"sync"
	"time"
)

// limits stop a flood of plans before it is one of blocks. Planning may look at
// nothing slower than memory, so they know only what this process planned and
// what it counted last; applying counts again in the state.
type limits struct {
	most, perMinute int64

	mu      sync.Mutex
	planned []time.Time // of the last minute, oldest first
	inForce int64       // as counted last
	counted time.Time
}

// know keeps a count of the blocks in force.
func (l *limits) know(inForce int64, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.inForce, l.counted = inForce, now
}

// plan counts one more plan, or says why there are too many.
func (l *limits) plan(now time.Time) (why string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.planned) > 0 && !l.planned[0].After(now.Add(-time.Minute)) {
		l.planned = l.planned[1:]
	}
	switch {
	case l.inForce >= l.most && now.Sub(l.counted) < time.Minute: // an older count says nothing
		return fmt.Sprintf("%d blocks are in force, the most there may be (max_blocks)", l.inForce)
	case int64(len(l.planned)) >= l.perMinute:
		return fmt.Sprintf("%d blocks were planned in the last minute, the most there may be (max_per_minute)", len(l.planned))
	}
	l.planned = append(l.planned, now)
	return ""
}
