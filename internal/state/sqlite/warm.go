package sqlite

import (
	"slices"

	"honeyguide"
	"honeyguide/internal/state"
)

// maxWarm is how much a writer remembers at most, in bytes: some eighty thousand
// alerts of usual size.
const maxWarm = 256 << 20

// warm remembers alerts as they are stored, so that merging into the same ones
// again and again neither looks them up nor decodes them each time: that took half
// of the work. Only the writer has one. It forgets everything when a transaction
// fails.
type warm struct {
	alerts map[int64]warmAlert
	open   map[string]int64 // number of the open alert of a DedupeKey, of those in alerts
	bytes  int
	most   int // bytes
}

type warmAlert struct {
	honeyguide.Alert
	bytes int
}

// get returns what is remembered; its lists are read only.
func (w *warm) get(num int64) (a honeyguide.Alert, ok bool) {
	x, ok := w.alerts[num]
	return x.Alert, ok
}

// find returns the number of the open alert of a key when it is remembered.
func (w *warm) find(dedupe string) (num int64, ok bool) {
	num, ok = w.open[dedupe]
	return num, ok
}

func (w *warm) put(num int64, a honeyguide.Alert) {
	if w.alerts == nil {
		w.alerts, w.open = make(map[int64]warmAlert), make(map[string]int64)
	}
	w.drop(num)
	if w.most == 0 {
		return
	}
	x := warmAlert{copied(a), size(&a)}
	// The alerts of a batch come in any order, each once: who was used last says
	// nothing about who is used next, so Go's order is as good as any.
	for any := range w.alerts {
		if w.bytes+x.bytes <= w.most {
			break
		}
		w.drop(any)
	}
	w.alerts[num] = x
	w.bytes += x.bytes
	if a.DedupeKey != "" && state.OpenAlert(a.Status) {
		w.open[a.DedupeKey] = num
	}
}

func (w *warm) drop(num int64) {
	x, ok := w.alerts[num]
	if !ok {
		return
	}
	w.bytes -= x.bytes
	delete(w.alerts, num)
	if w.open[x.DedupeKey] == num {
		delete(w.open, x.DedupeKey)
	}
}

// size is about what an alert takes in memory. Texts may be shared; they count as
// if they were not.
func size(a *honeyguide.Alert) int {
	n := 1<<10 + len(a.Verdict.Reason) + len(a.Verdict.Comment)
	for i := range a.Reasons {
		n += 64 + len(a.Reasons[i].Text)
	}
	for i := range a.Attacks {
		n += 64 + len(a.Attacks[i].Why)
	}
	for i := range a.Evidence {
		n += 64 + len(a.Evidence[i].Text)
	}
	for i := range a.Observed {
		n += 64 + len(a.Observed[i].Value)
	}
	for i := range a.Enrichments {
		n += 512 + len(a.Enrichments[i].Text)
	}
	return n + 48*len(a.EventIDs)
}

// copied returns a copy that shares nothing a caller could write to.
func copied(a honeyguide.Alert) honeyguide.Alert {
	a.Reasons, a.Attacks, a.EventIDs = slices.Clone(a.Reasons), slices.Clone(a.Attacks), slices.Clone(a.EventIDs)
	a.Evidence, a.Observed, a.Enrichments = slices.Clone(a.Evidence), slices.Clone(a.Observed), slices.Clone(a.Enrichments)
	return a
}
