package correlate

import (
	"honeyguide"
	"honeyguide/internal/detect"
)

// sharedTypes are the types of observables that mean the same thing wherever they
// are seen.
var sharedTypes = map[string]bool{"hash": true, "url": true, "domain": true}

// maxShared bounds the observables of one claim that are looked at.
const maxShared = 16

// shared claims that several products, or our decoys and a product, report one
// hash, URL or name.
func (d *detector) shared(e *about, a *honeyguide.Alert) {
	who := e.who
	for i := range a.Observed[:min(len(a.Observed), maxShared)] {
		o := a.Observed[i]
		if !sharedTypes[o.Type] || len(o.Value) < 4 || len(o.Value) > 1024 {
			continue
		}
		what := o.Type + "|" + o.Value
		mark := detect.Mark{At: e.at, Event: e.ID, Word: decoys, Text: who + ": " + a.Title}
		if who != decoys {
			mark.Word = "product " + who
			w := d.indicators.At("products|" + what)
			if w.AddOnce(mark, d.hostStretch(), d.cfg.Window) && w.Distinct("", 2) {
				d.indicate(w, d.claim(&rules.shared, e, what, "campaign:"+what), o)
			}
		}
		w := d.indicators.At(what)
		if w.AddOnce(mark, d.hostStretch(), d.cfg.Window) && w.Both(decoys, "product ") {
			// By the indicator this joins what the decoys' visitors did.
			d.indicate(w, d.claim(&rules.inside, e, what, "campaign:"+what), o)
		}
	}
}

func (d *detector) indicate(w *detect.Window, a *honeyguide.Alert, o honeyguide.Observable) {
	w.Tell(a)
	a.Observed = []honeyguide.Observable{{Name: "indicator", Type: o.Type, Value: o.Value}}
}
