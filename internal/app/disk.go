package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/bundle"
	"honeyguide/internal/reserve"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// startNeeds is the room a new deployment has to find: its databases and their
// journals take about half of it before the first event.
const startNeeds = 24 << 20

// disk is what the core knows and does about the room on its disk.
type disk struct {
	keeper   *reserve.Keeper
	speaking atomic.Bool // its own finding passes while events do not
	told     time.Time   // when it last said that room is short
	since    time.Time   // when it became full
	before   float64     // events refused until then
	nothing  time.Time   // when there was nothing left to give up

	free, level, held *telemetry.Gauge
	shed              *telemetry.CounterVec
	refused           *telemetry.Counter
}

// openDisk looks for room before anything is written.
func (a *App) openDisk(context.Context) error {
	data := a.settings.Node.Data
	k, err := reserve.Open(reserve.Options{Dir: data, Bytes: a.settings.Store.Reserve << 20})
	if err != nil && !errors.Is(err, syscall.ENOSPC) {
		return err
	}
	_, unborn := os.Stat(filepath.Join(data, "state.db"))
	if s := k.Space(); unborn != nil && s.Free+heldBytes(k) < startNeeds {
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: fmt.Sprintf(
			"the disk of %s has %.1f MiB left and a new deployment wants %d: make room, or choose another folder with --data", data, float64(s.Free)/(1<<20), startNeeds>>20)}
	}
	a.disk = &disk{
		keeper:  k,
		free:    a.metrics.Gauge("honeyguide_disk_free_bytes", "Room left on the disk of the data folder, the reserve not counted.").With(),
		level:   a.metrics.Gauge("honeyguide_disk_level", "How much room is left: 0 ample, 1 short (recordings and samples are given up), 2 full (no event is taken).").With(),
		held:    a.metrics.Gauge("honeyguide_disk_reserve_bytes", "Room kept aside for the moment the disk is full; 0 when it was freed.").With(),
		shed:    a.metrics.Counter("honeyguide_disk_shed_bytes_total", "Bytes given up for want of room.", "what"),
		refused: a.metrics.Counter("honeyguide_eventlog_refused_events_total", "Events that were not stored, for want of room or because of a failure; nothing of them was acknowledged, and their senders keep them.").With(),
	}
	a.disk.show()
	return nil
}

func heldBytes(k *reserve.Keeper) int64 {
	if k.Held() {
		return k.Size()
	}
	return 0
}

// noRoom gives the words to what stopped a start on a full disk.
func (a *App) noRoom(err error) error {
	if e, ok := errors.AsType[*honeyguide.Error](err); err == nil || ok && e.Message != "" || !sqldb.IsFull(err) {
		return err
	}
	return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Err: err, Message: "the disk of " + a.settings.Node.Data + " is full: make room, then start again; nothing is lost"}
}

// diskFull says that no event is to be taken.
func (a *App) diskFull() bool { return a.disk.keeper.Full() && !a.disk.speaking.Load() }

func (d *disk) show() {
	d.free.Set(float64(d.keeper.Space().Free))
	d.level.Set(float64(d.keeper.Level()))
	d.held.Set(float64(heldBytes(d.keeper)))
}

// keepDisk watches the room there is.
func (a *App) keepDisk(ctx context.Context, g *supervise.Group) {
	g.Keep(ctx, "disk", func(ctx context.Context) error {
		return a.disk.keeper.Run(ctx, func(ctx context.Context, was, now reserve.Level) { a.roomChanged(ctx, g, was, now) })
	})
}

func (a *App) roomChanged(ctx context.Context, g *supervise.Group, was, now reserve.Level) {
	d := a.disk
	d.show()
	if idle := a.now().Sub(d.nothing); now != reserve.Ample && (idle < 0 || idle >= shedAgain) {
		if d.keeper.Wanted() > 0 && a.shed(ctx) == 0 {
			d.nothing = a.now()
		}
	}
	if was == now {
		return
	}
	a.log.LogAttrs(ctx, slog.LevelWarn, "room on the disk", slog.String("level", now.String()), slog.String("before", was.String()),
		slog.Int64("free", d.keeper.Space().Free), slog.Bool("reserve", d.keeper.Held()))
	a.recordings.Pause(now != reserve.Ample)
	a.samples.Pause(now != reserve.Ample)
	switch {
	case now == reserve.Full:
		d.since, d.before = a.now(), d.refused.Value()
		a.tell(ctx, "core-disk-full", honeyguide.SeverityCritical, "The disk of the core is full",
			fmt.Sprintf("no event is taken until there is room; sources and sensors wait, reading goes on (%d KiB free)", d.keeper.Space().Free>>10))
	case was == reserve.Full:
		g.Nudge()
		a.tell(ctx, "core-disk-room", honeyguide.SeverityMedium, "The disk of the core was full",
			fmt.Sprintf("from %s to %s no event was taken; %.0f were refused, some of them several times, and their senders keep them",
				d.since.UTC().Format(time.RFC3339), a.now().UTC().Format(time.RFC3339), d.refused.Value()-d.before))
	case now == reserve.Short && a.now().Sub(d.told) > time.Minute:
		d.told = a.now()
		a.tell(ctx, "core-disk-short", honeyguide.SeverityHigh, "The disk of the core is nearly full",
			fmt.Sprintf("nothing is recorded, and old recordings and samples go, so that there is room for events (%d MiB free)", d.keeper.Space().Free>>20))
	}
}

// shedAgain is how long nothing is looked for after nothing was found: each look
// lists all recordings and samples, and asks of each whether it is held.
const shedAgain = 10 * time.Second

// shed gives up what is worth less than events: recordings first, then samples.
// What is held stays. It returns the bytes freed.
func (a *App) shed(ctx context.Context) (sum int64) {
	held := bundle.Keeper{State: a.state}
	for _, x := range []struct {
		what string
		do   func(want int64) (int64, error)
	}{
		{"recordings", func(want int64) (int64, error) { return a.recordings.Shed(want, held.HoldsSession) }},
		{"samples", func(want int64) (int64, error) { return a.samples.Shed(want, held.HoldsSample) }},
	} {
		want := a.disk.keeper.Wanted()
		if want <= 0 {
			return sum
		}
		freed, err := x.do(want)
		sum += freed
		if freed > 0 {
			a.disk.shed.With(x.what).Add(float64(freed))
			a.log.LogAttrs(ctx, slog.LevelWarn, "given up for want of room", slog.String("what", x.what), slog.Int64("bytes", freed))
			_, _ = a.disk.keeper.Look() // what is wanted next depends on it
		}
		if err != nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "not given up", slog.String("what", x.what), slog.Any("error", err))
		}
	}
	return sum
}

// A finding is about the core itself.
type finding struct {
	rule        string
	severity    honeyguide.Severity
	title, text string
}

// tellLater says what was found while the core started.
func (a *App) tellLater(ctx context.Context) {
	for _, f := range a.later {
		a.tell(ctx, f.rule, f.severity, f.title, f.text)
	}
	a.later = nil
}

// tellWithin bounds the wait for a log that may take nothing.
const tellWithin = 5 * time.Second

// tell makes a finding about the core itself: it goes the way of all findings and
// ends in the queue, where people look, and with those who are told.
func (a *App) tell(ctx context.Context, rule string, severity honeyguide.Severity, title, text string) {
	at := a.now()
	e := honeyguide.Event{
		Time: at, Observed: at, Class: honeyguide.ClassDetection, Activity: honeyguide.ActivityFinding, Severity: severity,
		Sensor: "core", Service: "core",
	}
	e.ID = honeyguide.DerivedID(at, rule, at.Format(time.RFC3339Nano))
	for name, value := range map[string]string{
		honeyguide.AttrProduct: "honeyguide", honeyguide.AttrRuleID: rule, honeyguide.AttrRule: title, honeyguide.AttrMessage: text, honeyguide.AttrCategory: "availability",
	} {
		e.Set(name, value)
	}
	ctx, cancel := context.WithTimeout(ctx, tellWithin)
	defer cancel()
	a.disk.speaking.Store(true)
	defer a.disk.speaking.Store(false)
	if _, err := a.intake.Store(ctx, []honeyguide.Event{e}); err != nil {
		a.log.LogAttrs(ctx, slog.LevelError, "finding about the core not stored", slog.String("rule", rule), slog.Any("error", err))
	}
}

// checkReserve says how much room is left and what happens when it is gone.
func checkReserve(s Settings) Finding {
	space, err := reserve.Stat(existing(s.Node.Data))
	if err != nil {
		return Finding{"disk reserve", StatusWarn, fmt.Sprint(err), "check the file system of " + s.Node.Data}
	}
	size := reserve.SizeFor(space, s.Store.Reserve<<20)
	st, err := os.Stat(filepath.Join(s.Node.Data, reserve.FileName))
	switch {
	case space.Free < size/2:
		return Finding{"disk reserve", StatusFail, fmt.Sprintf("%d MiB are free: no event is taken", space.Free>>20), "make room; the core goes on by itself within seconds, see docs/operations/disk-full.md"}
	case space.Free < 3*size:
		return Finding{"disk reserve", StatusWarn, fmt.Sprintf("%d MiB are free: recordings and samples are given up", space.Free>>20), "make room, or lower store.retention_days; see docs/operations/disk-full.md"}
	case err != nil:
		return ok("disk reserve", "%d MiB are kept aside once the core runs", size>>20)
	}
	return ok("disk reserve", "%d MiB are kept aside", st.Size()>>20)
}
