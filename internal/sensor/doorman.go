package sensor

import (
	"net/netip"
	"sync"
)

// A Doorman counts the connections of a process, so that its sensors together
// hold no more than one process can. The zero value is not usable; see
// NewDoorman.
type Doorman struct {
	perSource, total int

	mu      sync.Mutex
	open    map[netip.Addr]int
	all     int
	refused map[netip.Addr]int // since the last report
}

// maxRefused bounds the addresses refusals are counted for between two reports.
const maxRefused = 1024

// NewDoorman returns a doorman of the limits' PerSource and Total.
func NewDoorman(l Limits) *Doorman {
	l = l.orDefault()
	return &Doorman{perSource: l.PerSource, total: l.Total, open: map[netip.Addr]int{}, refused: map[netip.Addr]int{}}
}

// admit counts a connection in, or counts its refusal; first says that it is
// the first refusal of the source since the last report.
func (d *Doorman) admit(src netip.Addr) (ok, first bool) {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.all < d.total && d.open[src] < d.perSource {
		d.all++
		d.open[src]++
		return true, false
	}
	if len(d.refused) >= maxRefused {
		clear(d.refused)
	}
	d.refused[src]++
	return false, d.refused[src] == 1
}

// leave counts a connection out and returns how many of its source were refused
// meanwhile.
func (d *Doorman) leave(src netip.Addr) (refused int) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.all--
	if d.open[src]--; d.open[src] <= 0 {
		delete(d.open, src)
	}
	refused = d.refused[src]
	delete(d.refused, src)
	return refused
}

// Open returns how many connections there are.
func (d *Doorman) Open() int {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.all
}
