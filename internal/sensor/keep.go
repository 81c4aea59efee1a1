package sensor

import (
	"context"
	"maps"
	"time"

	"honeyguide/internal/deception/vfs"
)

// When a changed world is handed to the memory: when nothing changed for a
// while, when it goes on changing for long, and as soon as its last session has
// ended. Mere failed logins are no hurry.
const (
	keepEvery   = 500 * time.Millisecond // how often is looked
	keepIdle    = 2 * time.Second
	keepAtMost  = 10 * time.Second
	keepFailing = 30 * time.Second
)

// state tells one content of a source from another.
type state struct {
	files, logins, sets uint64
	tries               int
}

func (s *source) state() state {
	x := state{sets: s.sets, tries: s.tries}
	if s.fs != nil {
		x.files = s.fs.Version()
		if t := tableOf(s.fs); t != nil {
			x.logins = t.Version()
		}
	}
	return x
}

// keeping is what was handed over of a source, and when.
type keeping struct {
	kept, seen state     // what the memory has; what was found when last looked
	at         time.Time // of kept
	changed    time.Time // of seen
}

func (k *keeping) done(x state, now time.Time) { k.kept, k.seen, k.at, k.changed = x, x, now, now }

// due says whether x should be handed over now.
func (k *keeping) due(x state, open bool, now time.Time) bool {
	if x == k.kept {
		return false
	}
	if x != k.seen {
		k.seen, k.changed = x, now
	}
	if x.tries != k.kept.tries {
		if x.tries = k.kept.tries; x == k.kept {
			return now.Sub(k.at) >= keepFailing
		}
	}
	return !open || now.Sub(k.changed) >= keepIdle || now.Sub(k.at) >= keepAtMost
}

// owed says that the memory does not have what the source is now; w.mu is held.
func (w *World) owed(s *source) bool {
	return w.keeper != nil && !s.unsure && s.asked == nil && s.state() != s.keep.kept
}

// Keep hands changed worlds to the memory until ctx ends.
func (w *World) Keep(ctx context.Context) error {
	tick := time.NewTicker(keepEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-w.ended:
		}
		w.Hand(false)
	}
}

// Hand hands worlds to the memory: those that are due, or all that changed.
func (w *World) Hand(all bool) {
	if w.keeper == nil {
		return
	}
	w.handing.Lock()
	defer w.handing.Unlock()
	for _, d := range w.due(all) {
		if world := remember(d.fs, d.state.tries, d.pairs); world != nil {
			w.keeper.Remember(d.src.addr, world)
		}
	}
}

// delivery is a source as it is handed over.
type delivery struct {
	src   *source
	state state
	fs    *vfs.FS
	pairs map[string]string
}

// due picks the sources to hand over and notes them as kept. Changes made after
// that are another version.
func (w *World) due(all bool) (out []delivery) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := w.now()
	for s := range w.active {
		owed := w.owed(s)
		x := s.state()
		if owed && (all || s.keep.due(x, s.open > 0, now)) {
			s.keep.done(x, now)
			out = append(out, delivery{s, x, s.fs, maps.Clone(s.pairs)})
			owed = false
		}
		if !owed && s.open == 0 && s.asked == nil {
			delete(w.active, s)
		}
	}
	return out
}
