package feeds

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"time"

	"honeyguide/internal/enrich"
	"honeyguide/internal/telemetry"
)

// look is how often files are looked at and due fetches begin.
const look = 30 * time.Second

// A feed is one list and how it stands.
type feed struct {
	name string
	List
	hits *telemetry.Counter

	// What follows is guarded by feeds.loading.
	mtime   time.Time // of the file that is in use
	size    int64
	fresh   string // a fetched file that has not been read yet
	came    memo   // what belongs to it
	fetched time.Time
	next    time.Time // of the next fetch
	tries   int       // fetches that failed since the last that did not
	use     bool      // entries of it are in the index

	// And this by feeds.mu.
	status enrich.Status
}

// path is the file a feed is read from.
func (f *feeds) path(l *feed) string {
	if l.File != "" {
		return l.File
	}
	return filepath.Join(f.dep.Dir, Folder, l.name+".data")
}

// Load reads the lists that lie on the disk.
func (f *feeds) Load(ctx context.Context) {
	for _, l := range f.lists {
		if l.URL != "" {
			f.recall(ctx, l)
		}
	}
	f.reload(ctx)
}

// Run fetches what is due and reads files that changed, until ctx ends.
func (f *feeds) Run(ctx context.Context) error {
	tick := time.NewTicker(look)
	defer tick.Stop()
	for {
		for _, l := range f.lists {
			if l.URL != "" && f.dep.Fetch != nil && !f.dep.Now().Before(l.next) && ctx.Err() == nil {
				f.fetch(ctx, l)
			}
		}
		f.reload(ctx)
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
	}
}

// reload reads the lists whose file changed and puts a new index in place. A
// list that cannot be read keeps what was read of it before.
func (f *feeds) reload(ctx context.Context) {
	f.loading.Lock()
	defer f.loading.Unlock()
	var changed []int
	for i, l := range f.lists {
		if l.fresh != "" || f.changed(ctx, l) {
			changed = append(changed, i)
		}
	}
	if len(changed) == 0 {
		return
	}
	old := f.now.Load()
	b := newBuilder(f.seed, len(old.x.entries)+len(old.x.entries)/16)
	is := map[uint16]bool{}
	for _, i := range changed {
		is[uint16(i)] = true
	}
	b.carry(old.x, func(n uint16) (uint16, bool) { return n, !is[n] })
	for _, i := range changed {
		l, mark := f.lists[i], len(b.list)
		if err := f.read(l, uint16(i), b); err != nil {
			b.list = b.list[:mark]
			b.carry(old.x, func(n uint16) (uint16, bool) { return n, int(n) == i })
			f.complain(ctx, l, err)
		}
	}
	f.install(b)
}

// install builds the index and puts it in place.
func (f *feeds) install(b *builder) {
	g := &generation{x: b.build()}
	for _, l := range f.lists {
		o := origin{name: l.name, provider: providerPrefix + l.name, verdict: l.Verdict, confidence: l.Confidence, at: l.fetched, hits: l.hits}
		if l.URL != "" && !l.fetched.IsZero() {
			o.expires = l.fetched.Add(l.Keep).Unix()
		}
		g.from = append(g.from, o)
	}
	f.now.Store(g)
	if len(g.x.entries) > large {
		debug.FreeOSMemory() // what building took is as much again as what is held
	}
}

// large is an index worth giving memory back for.
const large = 100_000

// changed reports whether the file of a list is another than the one in use.
func (f *feeds) changed(ctx context.Context, l *feed) bool {
	st, err := os.Stat(f.path(l))
	switch {
	case errors.Is(err, fs.ErrNotExist) && l.URL != "":
		return false // not fetched yet
	case err != nil:
		f.complain(ctx, l, fmt.Errorf("look at the file: %w", err))
		return false
	}
	return !st.ModTime().Equal(l.mtime) || st.Size() != l.size
}

// read adds the indicators of a list to b.
func (f *feeds) read(l *feed, n uint16, b *builder) error {
	path := f.path(l)
	if l.fresh != "" {
		path = l.fresh
		defer func() {
			_ = os.Remove(path) // gone already when it was good
			l.fresh = ""
		}()
	}
	st, err := os.Stat(path)
	if err != nil {
		return fmt.Errorf("look at the file: %w", err)
	}
	if path != l.fresh {
		l.mtime, l.size = st.ModTime(), st.Size() // a bad file is told once
	}
	if st.Size() > l.MaxMiB<<20 {
		return fmt.Errorf("the file has %d MiB, more than max_mib (%d)", st.Size()>>20, l.MaxMiB)
	}
	t := &taker{item: func(it *item) error {
		if len(b.list) >= f.cfg.Most {
			return errFull
		}
		b.add(n, it)
		return nil
	}}
	if err := parse(func() (io.ReadCloser, error) { return os.Open(path) }, l.Format, l.Column, t); err != nil {
		return err
	}
	if t.good == 0 && (t.bad > 0 || l.URL != "") {
		why := "nothing in it"
		if len(t.list) > 0 {
			why = fmt.Sprintf("line %d: %s", t.list[0].Line, t.list[0].Reason)
		}
		return fmt.Errorf("no indicator among %d records: %s", t.bad, why)
	}
	if err := t.tooMuch(); err != nil {
		return err
	}
	if path == l.fresh {
		if err := os.Rename(path, f.path(l)); err != nil {
			return fmt.Errorf("keep the list: %w", err)
		}
		l.mtime, l.size, l.fetched = st.ModTime(), st.Size(), l.came.Fetched
		if err := f.remember(l, l.came); err != nil {
			return err
		}
	}
	if l.File != "" {
		l.fetched = st.ModTime().UTC()
	}
	l.use = true
	f.settle(l, t)
	return nil
}

// settle writes down how a list stands after it was read.
func (f *feeds) settle(l *feed, t *taker) {
	f.mu.Lock()
	defer f.mu.Unlock()
	l.status = enrich.Status{
		State: enrich.StateOK, Items: t.good, Bad: t.bad, BadLines: t.list, Cut: t.full, AsOf: l.fetched, Loaded: f.dep.Now().UTC(),
	}
	if t.full {
		l.status.Detail = fmt.Sprintf("cut at max_indicators (%d over all lists)", f.cfg.Most)
	}
	f.items.With(l.name).Set(float64(t.good))
	f.bad.With(l.name).Set(float64(t.bad))
	f.fetched.With(l.name).Set(float64(l.fetched.Unix()))
}

// complain writes down and logs why a list could not be fetched or read. What
// was read before stays in use.
func (f *feeds) complain(ctx context.Context, l *feed, err error) {
	f.failures.With(l.name).Add(1)
	f.mu.Lock()
	told := l.status.State == enrich.StateFailed && l.status.Detail == err.Error()
	l.status.State, l.status.Detail = enrich.StateFailed, err.Error()
	f.mu.Unlock()
	if !told {
		f.dep.Log.LogAttrs(ctx, slog.LevelWarn, "feed not usable", slog.String("feed", l.name), slog.Any("error", err))
	}
}

// Status describes every list.
func (f *feeds) Status() []enrich.Status {
	f.mu.Lock()
	defer f.mu.Unlock()
	now := f.dep.Now()
	out := make([]enrich.Status, 0, len(f.lists))
	for _, l := range f.lists {
		s := l.status
		s.Name, s.Kind, s.Source = providerPrefix+l.name, "feeds", l.File
		if l.URL != "" {
			s.Source, _, _ = strings.Cut(l.URL, "?") // a key may stand behind it
		}
		if s.State == "" {
			s.State = enrich.StateEmpty
		}
		if l.URL != "" && !s.AsOf.IsZero() && s.State == enrich.StateOK {
			if age := now.Sub(s.AsOf); age > l.Keep {
				s.State, s.Detail = enrich.StateStale, fmt.Sprintf("fetched %d hours ago, longer than keep: it matches nothing", int(age.Hours()))
			} else if age > 3*l.Every {
				s.State, s.Detail = enrich.StateStale, fmt.Sprintf("fetched %d hours ago", int(age.Hours()))
			}
		}
		out = append(out, s)
	}
	return out
}
