package warden

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/safetext"
	"honeyguide/internal/sandbox"
)

// reportWithin bounds the wait for a store that takes nothing after ctx ended.
const reportWithin = 5 * time.Second

// end records how the process ended: its open sessions are closed, a breach is
// an event. fault is what the core found wrong with it, nil when it just ended.
func (l *life) end(ctx context.Context, exit sandbox.Exit, fault error) error {
	w := l.w
	breach := ""
	switch {
	case exit.Violation:
		breach = "forbidden system call"
	case errors.Is(fault, ipc.ErrProtocol):
		breach = safetext.TermN(fault.Error(), 200)
	}
	how := exit.String()
	if fault != nil {
		how = fmt.Sprintf("%v (%s)", safetext.TermN(fault.Error(), 300), how)
	}
	w.update(func(h *Health) {
		h.LastExit, h.PID = how, 0
		if breach != "" {
			h.Violations++
		}
	})
	events := l.lastEvents(breach, how)
	if breach != "" {
		w.count.violations.Add(1)
		w.log.LogAttrs(ctx, slog.LevelError, "sensor process broke its rules",
			slog.String("breach", breach), slog.Int("sessions", len(l.open)))
	}
	if len(events) > 0 {
		lasting := context.WithoutCancel(ctx)
		if ctx.Err() != nil {
			var done context.CancelFunc
			lasting, done = context.WithTimeout(lasting, reportWithin)
			defer done()
		} else {
			lasting = ctx
		}
		if err := w.durable(lasting, events); err != nil {
			w.log.LogAttrs(ctx, slog.LevelError, "end of a sensor process not stored", slog.Int("events", len(events)))
		}
	}
	if ctx.Err() == nil && exit.Output != "" {
		w.log.LogAttrs(ctx, slog.LevelWarn, "last words of a sensor process", slog.String("text", safetext.TermN(strings.TrimSpace(exit.Output), 4000)))
	}
	return l.verdict(exit, fault, breach, how)
}

// verdict says whether there is use in another start.
func (l *life) verdict(exit sandbox.Exit, fault error, breach, how string) error {
	if _, ok := errors.AsType[*finalError](fault); ok {
		return fault
	}
	err := fmt.Errorf("sensor process ended: %s", how)
	// It said itself that it cannot serve, and never has.
	if breach == "" && exit.Code > 0 && !l.w.everServed() {
		return &finalError{fmt.Errorf("%w: %s", err, safetext.TermN(strings.TrimSpace(exit.Output), 1000))}
	}
	if isTimeout(fault) {
		return fmt.Errorf("sensor process kept the core waiting: %w", fault)
	}
	return err
}

// lastEvents are the events of an end: one close for each open session and the
// violation. When one session alone was open it is the one that did it.
func (l *life) lastEvents(breach, how string) []honeyguide.Event {
	now := l.w.now().UTC().Truncate(time.Microsecond)
	var events []honeyguide.Event
	for _, e := range l.open {
		e.Time, e.Observed = now, now
		e.Activity, e.Severity = honeyguide.ActivityClose, honeyguide.SeverityInformational
		e.Set(honeyguide.AttrDetail, "sensor process ended: "+how)
		events = append(events, e)
	}
	slices.SortFunc(events, func(a, b honeyguide.Event) int { return cmp.Compare(a.Session, b.Session) })
	if breach != "" {
		v := honeyguide.Event{
			Time: now, Observed: now, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityViolation,
			Severity: honeyguide.SeverityCritical, Sensor: l.w.opts.Name,
		}
		if len(events) == 1 {
			v.Session, v.Src, v.Dst = events[0].Session, events[0].Src, events[0].Dst
		}
		v.Set(honeyguide.AttrDetail, breach)
		v.Set(honeyguide.AttrMessage, "a sensor process broke the rules of its cage and was ended")
		v.Set(honeyguide.AttrCount, len(l.open))
		events = slices.Insert(events, 0, v)
	}
	for i := range events {
		events[i].ID = l.w.numbers.next(l.w.opts.Name, now)
	}
	return events
}
