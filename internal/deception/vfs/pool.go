package vfs

import "sync/atomic"

// A Pool bounds the bytes that views and sessions hold together, so that many
// attackers who each keep to their own quota cannot fill the memory of the
// process. The last quarter is for those who have little: who has much is refused
// before, and the others go on. A nil Pool has no bound. All methods may be called
// from any goroutine.
type Pool struct {
	limit int64
	used  atomic.Int64
	above *Pool
}

// little is what one view or session may have when its pool runs short.
const little = 512 << 10

// NewPool returns a pool of limit bytes, which also come out of the pool above
// unless that is nil.
func NewPool(limit int64, above *Pool) *Pool { return &Pool{limit: limit, above: above} }

// Take takes n bytes for somebody who has some already, and reports false, taking
// none, when there are not as many.
func (p *Pool) Take(n, has int64) bool {
	if p == nil || n <= 0 {
		return true
	}
	most := p.limit
	if has+n > little {
		most = most / 4 * 3
	}
	if p.used.Add(n) > most || !p.above.Take(n, has) {
		p.used.Add(-n)
		return false
	}
	return true
}

// Give gives n bytes back.
func (p *Pool) Give(n int64) {
	if p != nil && n > 0 {
		p.used.Add(-n)
		p.above.Give(n)
	}
}

// Used returns the bytes taken.
func (p *Pool) Used() int64 {
	if p == nil {
		return 0
	}
	return p.used.Load()
}

// Short reports that more than two thirds are taken, of this pool or one above.
func (p *Pool) Short() bool {
	return p != nil && (p.used.Load() > p.limit/3*2 || p.above.Short())
}
