package backup

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
)

// A Track says how backups went. It is kept in the data folder.
type Track struct {
	ID       string    `json:"id,omitempty" doc:"the last good backup"`
	At       time.Time `json:"at,omitzero" doc:"when it was begun"`
	To       string    `json:"to,omitempty"`
	Seconds  float64   `json:"seconds,omitempty"`
	Bytes    int64     `json:"bytes,omitempty" doc:"of all files in it"`
	New      int64     `json:"new,omitempty" doc:"bytes that had to be copied for it"`
	Plain    bool      `json:"plain,omitempty" doc:"it is not encrypted"`
	Error    string    `json:"error,omitempty" doc:"why the last try failed; empty when it did not"`
	FailedAt time.Time `json:"failed_at,omitzero"`
	// Tested is set by a verification that opened everything, or a restore.
	Tested   string    `json:"tested,omitempty" doc:"the last backup that was unpacked and checked"`
	TestedAt time.Time `json:"tested_at,omitzero"`
}

func pastFile(data string) string { return filepath.Join(data, memoryName, "past.json") }

// ReadPast reads how backups of a data folder went; nothing when there were none.
func ReadPast(data string) (Track, error) {
	var p Track
	raw, err := readSmall(pastFile(data), 64<<10)
	if errors.Is(err, os.ErrNotExist) {
		return p, nil
	}
	if err != nil {
		return p, err
	}
	return p, json.Unmarshal(raw, &p)
}

var pastMu sync.Mutex

// ChangePast notes how a backup went.
func ChangePast(data string, change func(*Track)) error {
	pastMu.Lock()
	defer pastMu.Unlock()
	p, err := ReadPast(data)
	if err != nil {
		p = Track{} // it is a note of ours, and unreadable: begin anew
	}
	change(&p)
	raw, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return err
	}
	file := pastFile(data)
	if err := os.MkdirAll(filepath.Dir(file), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(file+".tmp", raw, 0o600); err != nil {
		return err
	}
	return os.Rename(file+".tmp", file)
}

// Progress says how the backup under way stands, and how the last ones went.
type Progress struct {
	Running bool      `json:"running"`
	Phase   string    `json:"phase,omitempty" doc:"what is copied now"`
	Done    int64     `json:"done" doc:"bytes copied"`
	Of      int64     `json:"of" doc:"bytes there are; what did not change is not copied, so done may stay less"`
	Began   time.Time `json:"began,omitzero"`
	Ended   time.Time `json:"ended,omitzero"`
	ID      string    `json:"id,omitempty" doc:"of the backup that was made"`
	Bytes   int64     `json:"bytes,omitempty" doc:"of all files in it"`
	New     int64     `json:"new,omitempty" doc:"bytes that had to be copied for it"`
	Error   string    `json:"error,omitempty" doc:"why it was not made"`
	Last    Track     `json:"last"`
	Next    time.Time `json:"next,omitzero" doc:"when the next one is due"`
	Overdue bool      `json:"overdue" doc:"the last good one is more than twice as old as backup.every says"`
}

// Options say how a core backs itself up.
type Options struct {
	Base    Job           // what all its backups have in common
	Every   time.Duration // 0 = only when somebody asks
	Keep    int           // backups kept; 0 = all
	Metrics *telemetry.Registry
	Log     *slog.Logger
	// Failed tells people that a backup failed, or that it is overdue: what hangs
	// does not fail.
	Failed func(ctx context.Context, overdue bool, why string)
}

// A Runner makes the backups of a running core, one at a time.
type Runner struct {
	opt  Options
	now  func() time.Time
	mu   sync.Mutex
	st   Progress
	done atomic.Int64
	stop context.CancelFunc
	end  chan struct{}

	work   sync.Mutex // one of us at a time has the store open
	born   time.Time
	erased string // sum of the list of erasures the store knows

	age, size, took *telemetry.GaugeVec
	made, failed    *telemetry.CounterVec
}

// NewRunner returns a runner. Run makes what is due.
func NewRunner(o Options) *Runner {
	r := &Runner{
		opt: o, now: o.Base.Now,
		age:    o.Metrics.Gauge("honeyguide_backup_last_success_timestamp_seconds", "When the last good backup was begun, in seconds since 1970; 0 = there is none."),
		size:   o.Metrics.Gauge("honeyguide_backup_bytes", "Bytes of all files in the last good backup."),
		took:   o.Metrics.Gauge("honeyguide_backup_seconds", "How long the last good backup took."),
		made:   o.Metrics.Counter("honeyguide_backup_made_total", "Backups made since the start."),
		failed: o.Metrics.Counter("honeyguide_backup_failed_total", "Backups that failed since the start."),
	}
	if r.now == nil {
		r.now = time.Now
	}
	r.born = r.now()
	r.made.Add(0)
	r.failed.Add(0)
	if p, err := ReadPast(o.Base.Data); err == nil {
		r.measure(p)
	}
	return r
}

func (r *Runner) measure(p Track) {
	at := 0.0
	if !p.At.IsZero() {
		at = float64(p.At.Unix())
	}
	r.age.Set(at)
	r.size.Set(float64(p.Bytes))
	r.took.Set(p.Seconds)
}

// Job returns what the core's own backups are like.
func (r *Runner) Job() Job { return r.opt.Base }

// Start begins a backup, unless one is under way, which is a conflict. It goes on
// when ctx has ended.
func (r *Runner) Start(ctx context.Context, job Job) (Progress, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.st.Running {
		return r.look(), &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "a backup is under way; honeyguide backup status shows how far it is"}
	}
	if job.To == "" {
		return r.look(), &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "where to? Set backup.to, or give --to FOLDER on this machine"}
	}
	all, _, err := size(job.Data)
	if err != nil {
		return r.look(), err
	}
	run, cancel := context.WithCancel(context.WithoutCancel(ctx))
	r.stop, r.end = cancel, make(chan struct{})
	r.st = Progress{Running: true, Of: all, Began: r.now().UTC()}
	r.done.Store(0)
	job.Told = r.told
	end := r.end
	supervise.New(r.opt.Log).Go(run, "backup", func(ctx context.Context) error {
		defer close(end)
		defer cancel()
		defer func() { // also when it panics
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.st.Running = false; r.st.ID == "" && r.st.Error == "" {
				r.st.Error = "it broke off; the core's log says where"
			}
		}()
		r.make(ctx, job)
		return nil
	})
	return r.look(), nil
}

func (r *Runner) told(phase string, n int64) {
	r.done.Add(n)
	if phase != "" {
		r.mu.Lock()
		r.st.Phase = phase
		r.mu.Unlock()
	}
}

// own reports whether a backup is one of those the configuration is about: one to
// another place says nothing about them, and puts none off.
func (r *Runner) own(job Job) bool { return r.opt.Base.To == "" || job.To == r.opt.Base.To }

// make makes one backup and notes how it went.
func (r *Runner) make(ctx context.Context, job Job) {
	r.work.Lock()
	defer r.work.Unlock()
	m, err := Make(ctx, job)
	if err == nil && r.opt.Keep > 0 && job.To == r.opt.Base.To {
		if _, e := Prune(job.To, r.opt.Keep); e != nil {
			r.opt.Log.LogAttrs(ctx, slog.LevelWarn, "old backups not removed", slog.Any("error", e))
		}
	}
	r.mu.Lock()
	r.st.Ended, r.st.Phase = r.now().UTC(), ""
	if err != nil {
		r.st.Error = err.Error()
	} else {
		r.st.ID, r.st.Bytes, r.st.New = m.ID, m.Figures.Bytes, m.Figures.NewBytes
	}
	r.mu.Unlock()
	switch {
	case err != nil && ctx.Err() != nil:
		r.opt.Log.LogAttrs(ctx, slog.LevelInfo, "backup given up: the core ends") // it is due as before
	case err != nil:
		r.failure(ctx, job, err)
	default:
		r.success(ctx, job, m)
	}
}

func (r *Runner) success(ctx context.Context, job Job, m *Manifest) {
	r.made.Add(1)
	r.opt.Log.LogAttrs(ctx, slog.LevelInfo, "backup made", slog.String("id", m.ID), slog.Int64("files", m.Figures.Files), slog.Int64("bytes", m.Figures.Bytes), slog.Int64("new_bytes", m.Figures.NewBytes))
	if r.own(job) {
		r.measure(r.note(ctx, func(p *Track) { p.done(m, job.To) }))
	}
}

func (r *Runner) failure(ctx context.Context, job Job, err error) {
	r.failed.Add(1)
	r.opt.Log.LogAttrs(ctx, slog.LevelError, "backup failed", slog.Any("error", err))
	if !r.own(job) {
		return // who asked for it sees it
	}
	r.note(ctx, func(p *Track) { p.Error, p.FailedAt = err.Error(), r.now().UTC() })
	if r.opt.Failed != nil {
		r.opt.Failed(ctx, false, err.Error())
	}
}

// note keeps how the backups go.
func (r *Runner) note(ctx context.Context, change func(*Track)) (past Track) {
	if err := ChangePast(r.opt.Base.Data, func(p *Track) { change(p); past = *p }); err != nil {
		r.opt.Log.LogAttrs(ctx, slog.LevelWarn, "how the backup went is not noted", slog.Any("error", err))
	}
	return past
}

// done notes a good backup.
func (p *Track) done(m *Manifest, to string) {
	p.ID, p.At, p.To, p.Seconds = m.ID, m.Began, to, m.Ended.Sub(m.Began).Seconds()
	p.Bytes, p.New, p.Plain, p.Error = m.Figures.Bytes, m.Figures.NewBytes, !m.Encrypted, ""
}

// Made notes a backup that was made without a runner.
func Made(data, to string, m *Manifest) error {
	return ChangePast(data, func(p *Track) { p.done(m, to) })
}

// look is called with mu held.
func (r *Runner) look() Progress {
	s := r.st
	s.Done = r.done.Load()
	s.Last, _ = ReadPast(r.opt.Base.Data)
	s.Next = r.due(s.Last)
	s.Overdue = r.overdue(s.Last)
	return s
}

// overdue reports whether there should have been a backup for a while, also while
// this process runs.
func (r *Runner) overdue(p Track) bool {
	every := r.opt.Every
	return every > 0 && r.now().Sub(p.At) > 2*every && r.now().Sub(r.born) > every
}

// due says when the next backup is due; zero when only on demand. What failed is
// tried again after a quarter of the time between two, an hour at most.
func (r *Runner) due(p Track) time.Time {
	if r.opt.Every <= 0 || r.opt.Base.To == "" {
		return time.Time{}
	}
	next := r.now().UTC()
	if !p.At.IsZero() {
		next = p.At.Add(r.opt.Every)
	}
	if p.Error != "" {
		if again := p.FailedAt.Add(min(r.opt.Every/4, time.Hour)); again.After(next) {
			next = again
		}
	}
	return next
}

// Status says how things stand, after at most a while when a backup is under way.
func (r *Runner) Status(ctx context.Context, while time.Duration) Progress {
	r.mu.Lock()
	running, end := r.st.Running, r.end
	r.mu.Unlock()
	if running && while > 0 {
		timer := time.NewTimer(while)
		defer timer.Stop()
		select {
		case <-end:
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.look()
}

// lookEvery is how often it is looked whether a backup is due.
const lookEvery = 20 * time.Second

// Run makes the backups that are due until ctx ends, and then waits for the one
// under way, which is given up.
func (r *Runner) Run(ctx context.Context) error {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	told := false // that it is overdue
	for {
		s := r.Status(ctx, 0)
		if !s.Running && !s.Next.IsZero() && !r.now().Before(s.Next) {
			if _, err := r.Start(ctx, r.opt.Base); err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
				r.failure(ctx, r.opt.Base, err)
			}
		}
		if s.Overdue && !told && r.opt.Failed != nil {
			r.opt.Failed(ctx, true, overdueText(s))
		}
		told = s.Overdue
		r.keepErased(ctx)
		select {
		case <-ctx.Done():
			r.Stop()
			return nil
		case <-tick.C:
		}
	}
}

// overdueText says since when there was no backup, and what it does meanwhile.
func overdueText(s Progress) string {
	text := "there is none"
	if !s.Last.At.IsZero() {
		text = "the last good one is of " + s.Last.At.Format(time.RFC3339)
	}
	if s.Running {
		text += "; one has been under way since " + s.Began.Format(time.RFC3339)
	}
	return text
}

// keepErased tells the store what was erased here since it was told last.
func (r *Runner) keepErased(ctx context.Context) {
	job := r.opt.Base
	if job.Erased == nil || job.To == "" || !r.work.TryLock() {
		return // a backup brings the list itself
	}
	defer r.work.Unlock()
	list, err := job.Erased(ctx)
	if err == nil {
		if sumOf(list) == r.erased {
			return
		}
		err = KeepErased(ctx, job, list)
	}
	switch {
	case err == nil:
		r.erased = sumOf(list)
	case errors.Is(err, fs.ErrNotExist), honeyguide.ErrorCode(err) == honeyguide.CodeConflict, ctx.Err() != nil:
		// No backup was made yet, the folder is away, or another program is at it: the
		// next backup brings the list.
	default:
		r.opt.Log.LogAttrs(ctx, slog.LevelWarn, "the backups were not told what was erased; it is tried again", slog.Any("error", err))
	}
}

// Stop gives up the backup under way.
func (r *Runner) Stop() {
	r.mu.Lock()
	stop, end := r.stop, r.end
	r.mu.Unlock()
	if stop != nil {
		stop()
		<-end
	}
}
