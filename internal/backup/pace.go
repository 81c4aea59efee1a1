package backup

import (
	"context"
	"io"
	"time"
)

// A pace lets so many bytes through a second, so that a copy leaves the disk to
// those who need it. The zero value lets everything through.
type pace struct {
	ctx   func() error
	done  <-chan struct{}
	rate  int64         // bytes a second; 0 = any
	owed  time.Duration // not slept yet
	moved func(n int64) // told of every byte
}

func newPace(ctx context.Context, rate int64, moved func(int64)) *pace {
	return &pace{ctx: ctx.Err, done: ctx.Done(), rate: rate, moved: moved}
}

// least is the shortest time worth sleeping.
const least = 20 * time.Millisecond

// spend accounts for bytes and sleeps when they came too fast.
func (p *pace) spend(n int) error {
	if p.moved != nil {
		p.moved(int64(n))
	}
	if p.rate > 0 {
		p.owed += time.Duration(float64(n) / float64(p.rate) * float64(time.Second))
		if p.owed >= least {
			timer := time.NewTimer(p.owed)
			defer timer.Stop()
			p.owed = 0
			select {
			case <-p.done:
			case <-timer.C:
			}
		}
	}
	return p.ctx()
}

// writer is w at this pace.
func (p *pace) writer(w io.Writer) io.Writer { return pacedOut{w, p} }

type pacedOut struct {
	w io.Writer
	p *pace
}

func (x pacedOut) Write(b []byte) (int, error) {
	n, err := x.w.Write(b)
	if e := x.p.spend(n); e != nil && err == nil {
		err = e
	}
	return n, err
}
