package warden

import (
	"fmt"
	"slices"
	"strconv"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/ipc"
)

// Bounds of what an event of a sensor may hold.
const (
	maxText     = 32 << 10 // of a text attribute
	maxRaw      = 64 << 10
	maxWord     = 64 // of an activity, an attribute's name, a session
	maxValue    = 4 << 10
	maxOpen     = 4096        // sessions remembered as open
	maxBehind   = time.Hour   // an event may wait that long in the process
	maxAhead    = time.Second // clocks of one machine differ by less
	appendFirst = 50 * time.Millisecond
	appendLast  = 5 * time.Second
)

// numbers gives every event of a warden its id.
type numbers struct {
	boot string
	n    uint64
}

func (n *numbers) next(process string, at time.Time) string {
	n.n++
	return honeyguide.DerivedID(at, process, n.boot, strconv.FormatUint(n.n, 10))
}

// own are the activities only the core may report.
var own = []string{honeyguide.ActivityViolation, honeyguide.ActivityFinding}

// judge makes e an event the core may believe: what the process has no say in
// is overwritten, what is too long is cut. The error says what no sensor of
// ours would send.
func (w *Warden) judge(e *honeyguide.Event, now time.Time) error {
	i := slices.IndexFunc(w.opts.Setup.Sensors, func(s ipc.SensorSetup) bool { return s.Name == e.Sensor })
	switch {
	case i < 0:
		return fmt.Errorf("event of a sensor that is not its own")
	case slices.Contains(own, e.Activity) || !word(e.Activity):
		return fmt.Errorf("event with an activity that is not its own")
	case e.Session != "" && !word(e.Session):
		return fmt.Errorf("event with a malformed session")
	case e.Severity > honeyguide.SeverityCritical:
		return fmt.Errorf("event of severity %d", e.Severity)
	}
	e.Service = w.opts.Setup.Sensors[i].Kind
	if e.Time.Before(now.Add(-maxBehind)) || e.Time.After(now.Add(maxAhead)) {
		e.Time = now
	}
	e.Time = e.Time.UTC().Truncate(time.Microsecond)
	e.Observed = now
	e.ID = w.numbers.next(w.opts.Name, e.Time)
	// Names and places are found out by the core, later.
	e.Src, e.Dst = honeyguide.Endpoint{Addr: e.Src.Addr}, honeyguide.Endpoint{Addr: e.Dst.Addr}
	return bound(e)
}

// bound cuts what is too long and marks the event when it did.
func bound(e *honeyguide.Event) error {
	cut := false
	if len(e.Raw) > maxRaw {
		e.Raw, cut = e.Raw[:maxRaw], true
	}
	for name, value := range e.Attrs {
		if !word(name) {
			return fmt.Errorf("event with a malformed attribute name")
		}
		if s, ok := value.(string); ok && len(s) > maxText {
			e.Attrs[name], cut = shorten(s, maxText), true
		}
	}
	for i := range e.Observables {
		o := &e.Observables[i]
		o.Name, o.Type, o.Value = shorten(o.Name, maxWord), shorten(o.Type, maxWord), shorten(o.Value, maxValue)
	}
	for i := range e.Attacks {
		a := &e.Attacks[i]
		a.ID, a.Tactic, a.Why = shorten(a.ID, maxWord), shorten(a.Tactic, maxWord), shorten(a.Why, maxValue)
	}
	if cut {
		e.Set(ipc.AttrTruncated, true)
	}
	return nil
}

// word reports whether s is a plain name: safe as a key, a label and a file name.
func word(s string) bool {
	if s == "" || len(s) > maxWord || s[0] == '.' {
		return false
	}
	for i := range len(s) {
		c := s[i]
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '_' || c == '-' || c == '.' {
			continue
		}
		return false
	}
	return true
}

// shorten cuts s to n bytes, not inside a character.
func shorten(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for i := n; i > n-utf8.UTFMax; i-- {
		if utf8.RuneStart(s[i]) {
			return s[:i]
		}
	}
	return s[:n]
}
