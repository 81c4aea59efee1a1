package correlate

import (
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/detect"
)

// hostStretch is how long one mark stands for all that one reporter says of a
// host.
const hostStretch = time.Hour

const asTarget = "as target: "

// host claims that an address touches our decoys and is reported by another
// product: as the source of its alert, or as its target. Of an own host that is
// the strongest sign there is that somebody works from it.
func (d *detector) host(e *about, a *honeyguide.Alert) {
	from, to := plain(a.Src), plain(a.Dst)
	who := e.who
	if who != decoys && a.Severity < honeyguide.SeverityLow {
		return // informational findings name everybody
	}
	d.touch(e, a, from, who, "as source: ", to)
	if who != decoys && to.IsPrivate() {
		d.touch(e, a, to, who, asTarget, from)
	}
}

func (d *detector) hostStretch() time.Duration { return min(hostStretch, d.cfg.Window/6) }

func plain(e honeyguide.Endpoint) netip.Addr { return e.Addr.Addr().Unmap().WithZone("") }

// touch notes that who tells of host, and claims when decoys and others do. other
// is the other side.
func (d *detector) touch(e *about, a *honeyguide.Alert, host netip.Addr, who, how string, other netip.Addr) {
	if !host.IsValid() || host.IsLoopback() {
		return
	}
	mark := detect.Mark{At: e.at, Event: e.ID, Word: "product " + who, Text: who + ": " + how + a.Title}
	switch {
	case who == decoys:
		mark.Word, mark.Text = decoys, who+": "+a.Title
	case how == asTarget && other.IsValid():
		mark.Word, mark.Tag = mark.Word+" target", other.String()
	}
	w := d.hosts.At(host.String())
	if !w.AddOnce(mark, d.hostStretch(), d.cfg.Window) {
		return
	}
	if !w.Both(decoys, "product ") {
		return
	}
	r := &rules.known
	if host.IsPrivate() {
		r = &rules.insider
	}
	c := d.claim(r, e, host.String(), "attacker:"+host.String())
	w.Tell(c)
	c.Observed = detect.Observe(c.Observed, honeyguide.Observable{Name: "host", Type: "ip", Value: host.String()})
	for _, from := range w.Tags() { // who attacked the host is part of its story
		c.Observed = detect.Observe(c.Observed, honeyguide.Observable{Name: detect.Linked, Type: "ip", Value: from})
	}
}
