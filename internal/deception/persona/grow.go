package persona

import (
	"bytes"
	"cmp"
	"compress/gzip"
	"fmt"
	"slices"
	"sync"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// A daemonLog is a file daemons write into. What they wrote in an hour is a
// function of the host and the hour, so nothing is stored: a file is made when
// it is read, from its last rotation up to the moment, with what the attacker's
// own logins left in it.
type daemonLog struct {
	h      *Host
	path   string
	hour   func(t time.Time, w *logWriter)      // lines of the hour from t on, in any order
	own    func(t *machine.Table, w *logWriter) // lines of the attacker's own
	period int                                  // days between rotations; a week's is on Sunday
	kept   int                                  // rotated files
	uid    uint32

	mu    sync.Mutex
	start time.Time // of made
	upto  time.Time
	made  []byte           // full hours since the rotation
	old   map[int64][]byte // rotated files by their end; compressed but for the newest
}

// logWriter gathers lines.
type logWriter struct {
	h     *Host
	lines []logLine
}

type logLine struct {
	at   time.Time
	text string
}

// line adds a line in rsyslog's form.
func (w *logWriter) line(at time.Time, program string, pid int, text string) {
	if at.Nanosecond()%1e6 == 0 { // made up: rsyslog has microseconds
		at = at.Add(time.Duration(mix(uint64(at.UnixNano())^w.h.Machine.Seed)%1000) * time.Microsecond)
	}
	w.raw(at, fmt.Sprintf("%s %s %s[%d]: %s\n", at.Format("2006-01-02T15:04:05.000000+00:00"), w.h.Machine.Hostname, program, pid, text))
}

func (w *logWriter) raw(at time.Time, text string) {
	w.lines = append(w.lines, logLine{at.UTC(), text})
}

// between returns the lines after from and not after to, oldest first, and the
// time of the last.
func (w *logWriter) between(from, to time.Time) (out []byte, last time.Time) {
	slices.SortStableFunc(w.lines, func(a, b logLine) int { return cmp.Compare(a.at.UnixNano(), b.at.UnixNano()) })
	for _, l := range w.lines {
		if l.at.After(from) && !l.at.After(to) {
			out, last = append(out, l.text...), l.at
		}
	}
	return out, last
}

// pidAt is the id of a process started at a moment; see machine.Table.Spawn.
func (h *Host) pidAt(t time.Time) int {
	return h.Machine.NextPID + int(max(0, t.Sub(h.Machine.Boot))/(40*time.Second))
}

// rotated returns the last rotation before a moment, not before the boot: a
// machine that was off wrote nothing.
func (l *daemonLog) rotated(t time.Time) time.Time {
	day := t.UTC().Truncate(24 * time.Hour)
	for l.period == 7 && day.Weekday() != time.Sunday {
		day = day.Add(-24 * time.Hour)
	}
	return day
}

// base returns the host's own lines after from and not after to.
func (l *daemonLog) base(from, to time.Time) (out []byte, last time.Time) {
	for t := from.Truncate(time.Hour); !t.After(to); t = t.Add(time.Hour) {
		if t.Add(time.Hour).Before(l.h.Machine.Installed) {
			continue
		}
		w := logWriter{h: l.h}
		l.hour(t, &w)
		lines, at := w.between(from, to)
		if len(lines) > 0 {
			out, last = append(out, lines...), at
		}
	}
	return out, last
}

// sinceRotation is base from a rotation on; full hours are kept for the next
// reader.
func (l *daemonLog) sinceRotation(start, to time.Time) (out []byte, last time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	hour := to.Truncate(time.Hour)
	if l.start.Equal(start) && l.upto.After(hour) { // of the past: somebody's own line stands there
		return l.base(start.Add(-1), to)
	}
	if !l.start.Equal(start) {
		l.start, l.upto, l.made = start, start, nil
	}
	// The moment of a rotation belongs to the new file, so one step before it.
	if hour.After(l.upto) {
		more, _ := l.base(l.upto.Add(-1), hour.Add(-1))
		l.made, l.upto = append(l.made, more...), hour
	}
	rest, last := l.base(hour.Add(-1), to)
	if last.IsZero() {
		last = l.upto
	}
	return slices.Concat(l.made, rest), last
}

// Since implements vfs.Log.
func (l *daemonLog) Since(env vfs.Env, from time.Time) (out []byte, last time.Time) {
	start := l.rotated(env.Now)
	whole := from.Before(start)
	if whole {
		from = start.Add(-1)
	}
	part := func(to time.Time) {
		var lines []byte
		var at time.Time
		if whole {
			lines, at = l.sinceRotation(start, to)
		} else {
			lines, at = l.base(from, to)
		}
		out, whole, from = append(out, lines...), false, to
		if at.After(last) {
			last = at
		}
	}
	if t := machine.TableOf(env.FS); t != nil && l.own != nil {
		w := logWriter{h: l.h}
		l.own(t, &w)
		w.between(from, env.Now) // sorts
		for _, line := range w.lines {
			if line.at.After(from) && !line.at.After(env.Now) {
				part(line.at)
				out, last = append(out, line.text...), line.at
			} else if line.at.Equal(from) && len(out) > 0 {
				out = append(out, line.text...)
			}
		}
	}
	part(env.Now)
	return out, last
}

// rotatedLog is a file a log became.
type rotatedLog struct {
	*daemonLog
	age int // 1: the last one
}

// Since implements vfs.Log: such a file does not grow.
func (l rotatedLog) Since(env vfs.Env, from time.Time) ([]byte, time.Time) {
	if !from.IsZero() {
		return nil, time.Time{}
	}
	step := time.Duration(l.period) * 24 * time.Hour
	end := l.rotated(env.Now).Add(-time.Duration(l.age-1) * step)
	key := end.Unix()*2 + int64(min(l.age, 2)-1) // plain, or compressed
	l.mu.Lock()
	defer l.mu.Unlock()
	if b, ok := l.old[key]; ok {
		return b, end
	}
	b, _ := l.base(end.Add(-step-1), end.Add(-1))
	if l.age > 1 {
		b = packed(b, end)
	}
	if l.old == nil || len(l.old) > 2*l.kept+2 {
		l.old = map[int64][]byte{}
	}
	l.old[key] = b
	return b, end
}

// packed compresses as gzip does it for logrotate.
func packed(b []byte, at time.Time) []byte {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	w.ModTime, w.OS = at, 3
	_, _ = w.Write(b) // a buffer takes everything
	_ = w.Close()
	return out.Bytes()
}

// daemonLog puts a log and what it became into the image.
func (b *builder) daemonLog(l *daemonLog) {
	add := func(path string, log vfs.Log) {
		b.add(vfs.Entry{Path: path, Mode: 0o640, UID: l.uid, GID: 4, Log: log, Mtime: b.h.Machine.Installed})
	}
	add(l.path, l)
	for age := 1; age <= l.kept; age++ {
		path := fmt.Sprintf("%s.%d", l.path, age)
		if age > 1 {
			path += ".gz"
		}
		add(path, rotatedLog{l, age})
	}
}

// Journal returns what the journal has of the time after from: the lines of all
// logs of the system, in rsyslog's form.
func (h *Host) Journal(t *machine.Table, from, to time.Time) []byte {
	w := logWriter{h: h}
	for at := from.Truncate(time.Hour); !at.After(to); at = at.Add(time.Hour) {
		h.authHour(at, &w)
		h.syslogHour(at, &w)
	}
	if t != nil {
		h.authOwn(t, &w)
		h.syslogOwn(t, &w)
	}
	out, _ := w.between(from, to)
	return out
}
