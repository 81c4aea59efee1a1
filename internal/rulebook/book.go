package rulebook

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/sigma"
	"honeyguide/internal/telemetry"
)

// Options says where a book takes its rules from.
type Options struct {
	Shipped      fs.FS    // rules of the product; nil: none
	Folder       string   // of the operator's rules, which need not be there; "": none
	Placeholders string   // file with the values of %placeholders%; "": none
	Switches     Switches // what is switched off; nil: remembered in memory only
	Poll         time.Duration
	Metrics      *telemetry.Registry
	Log          *slog.Logger     // nil: none
	Now          func() time.Time // nil: time.Now
}

// defaultPoll is how often files are looked at.
const defaultPoll = 5 * time.Second

// A Book is the rules in force. It is safe for concurrent use.
type Book struct {
	opt     Options
	current atomic.Pointer[Edition]

	mu     sync.Mutex // held while a new edition is made
	mark   string     // what the files looked like when they were read
	off    map[string]Switch
	tracks map[string]*track // by key: outlive editions
	began  time.Time

	sources sources
	m       metrics
}

// metrics are what a book counts.
type metrics struct {
	rules, faults *telemetry.GaugeVec
	hits, reloads *telemetry.CounterVec
	match         *telemetry.HistogramVec
}

// Open reads all rules. Faults in them are no error: see [Edition.Faults].
func Open(ctx context.Context, opt Options) (*Book, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Poll <= 0 {
		opt.Poll = defaultPoll
	}
	if opt.Switches == nil {
		opt.Switches = forgetful{}
	}
	r := opt.Metrics
	b := &Book{opt: opt, tracks: map[string]*track{}, began: opt.Now(), m: metrics{
		rules:   r.Gauge("honeyguide_sigma_rules", "Sigma rules by state.", "state"),
		faults:  r.Gauge("honeyguide_sigma_faults", "Documents, or parts of them, that could not be used as they are, by kind.", "kind"),
		hits:    r.Counter("honeyguide_sigma_hits_total", "Events a rule fired on.", "rule"),
		reloads: r.Counter("honeyguide_sigma_reloads_total", "Times the rules were read."),
		match:   r.Histogram("honeyguide_sigma_match_seconds", "Time to match one event, measured on one of 64.", []float64{1e-6, 2e-6, 5e-6, 1e-5, 2e-5, 5e-5, 1e-4, 1e-3, 1e-2}),
	}}
	off, err := opt.Switches.Load(ctx)
	if err != nil {
		return nil, fmt.Errorf("read which rules are switched off: %w", err)
	}
	b.off = off
	if b.off == nil {
		b.off = map[string]Switch{}
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if opt.Placeholders != "" {
		if _, err := os.Stat(opt.Placeholders); err != nil {
			return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Err: err, Message: "detect.placeholders: " + err.Error()}
		}
	}
	b.read(ctx)
	return b, nil
}

// Current returns the edition in force.
func (b *Book) Current() *Edition { return b.current.Load() }

// Run looks at the files now and then and reads them anew when one has changed,
// until ctx ends.
func (b *Book) Run(ctx context.Context) error {
	tick := time.NewTicker(b.opt.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			b.Refresh(ctx)
		}
	}
}

// Refresh reads the rules anew if a file has changed, and reports whether one
// had.
func (b *Book) Refresh(ctx context.Context) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if markOf(b.opt.Folder, b.opt.Placeholders) == b.mark {
		return false
	}
	b.read(ctx)
	return true
}

// read makes a new edition and puts it in force. The caller holds mu.
func (b *Book) read(ctx context.Context) {
	began := b.opt.Now()
	b.mark = markOf(b.opt.Folder, b.opt.Placeholders)
	b.publish(ctx, load(&b.opt), began)
}

// publish puts what was loaded in force, without the rules that are off.
func (b *Book) publish(ctx context.Context, l *loaded, began time.Time) {
	e := b.edition(l)
	e.Number, e.Loaded = 1, b.opt.Now()
	if old := b.current.Load(); old != nil {
		e.Number = old.Number + 1
	}
	b.current.Store(e)
	b.m.reloads.Add(1)
	b.gauge(e)
	b.opt.Log.LogAttrs(ctx, slog.LevelInfo, "rules read", slog.Int64("edition", e.Number), slog.Int("rules", len(e.Rules)),
		slog.Int("in_force", e.InForce), slog.Int("faults", len(e.Faults)), slog.Duration("took", b.opt.Now().Sub(began)))
}

// gauge shows an edition in the metrics.
func (b *Book) gauge(e *Edition) {
	b.m.rules.With("in_force").Set(float64(e.InForce))
	b.m.rules.With("off").Set(float64(len(e.Rules) - e.InForce))
	n := map[sigma.FaultKind]int{sigma.FaultError: 0, sigma.FaultUnsupported: 0, sigma.FaultPlaceholder: 0, sigma.FaultWarning: 0}
	for _, f := range e.Faults {
		n[f.Kind]++
	}
	for kind, count := range n {
		b.m.faults.With(string(kind)).Set(float64(count))
	}
}
