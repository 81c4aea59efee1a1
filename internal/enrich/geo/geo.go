// Package geo says where an address is registered and who announces it, from
// any database in MaxMind's MMDB format: GeoLite2, DB-IP, IPinfo, or one of the
// operator's own. Several may be combined; the first that knows a fact wins.
// Without a database it says nothing.
package geo

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/kind"
)

// Folder is where databases lie in the data folder unless the configuration
// names others.
const Folder = "geo"

// MaxFile bounds one database, bytes. It is held in memory: a file that is
// mapped kills the process when somebody truncates it.
const MaxFile = 512 << 20

// reread is how often files are looked at.
const reread = time.Minute

// Config is what a user may set.
type Config struct {
	Files  []string      `yaml:"files" doc:"databases in MMDB format; empty = every .mmdb file in the folder geo of node.data"`
	MaxAge time.Duration `yaml:"max_age" doc:"age of a database's data from which it is reported as stale"`
}

// Validate checks the bounds.
func (c *Config) Validate() error {
	if c.MaxAge < time.Hour {
		return fmt.Errorf("max_age: %v; want an hour or more", c.MaxAge)
	}
	return nil
}

// Kind is the geo kind.
var Kind = kind.Of("geo", "Country, city and network operator of an address, from MMDB files.", Config{MaxAge: 45 * 24 * time.Hour}, open)

func open(_ context.Context, cfg Config, dep enrich.Deps) (enrich.Enricher, error) {
	g := &geo{cfg: cfg, dep: dep.Fill(), fault: map[string]string{}}
	g.now.Store(newGeneration(nil))
	return g, nil
}

// geo is the opened kind.
type geo struct {
	cfg Config
	dep enrich.Deps
	now atomic.Pointer[generation]

	mu    sync.Mutex        // held while files are loaded
	fault map[string]string // why the newest form of a file is not used, by its path
}

var _ enrich.Local = (*geo)(nil)

// Fact adds what is known about the public addresses of e.
func (g *geo) Fact(e *honeyguide.Event) {
	now := g.now.Load()
	if len(now.dbs) == 0 {
		return
	}
	if p := now.place(e.Src.Addr.Addr()); p != nil {
		p.put(e, &e.Src, honeyguide.AttrSrcCity)
	}
	if p := now.place(e.Dst.Addr.Addr()); p != nil {
		p.put(e, &e.Dst, honeyguide.AttrDstCity)
	}
}

// A place is what is known about an address.
type place struct {
	addr               netip.Addr
	country, city, org string
	asn                uint32
}

// put adds the place to an endpoint; what a source said itself stays.
func (p *place) put(e *honeyguide.Event, at *honeyguide.Endpoint, city string) {
	if at.Country == "" {
		at.Country = p.country
	}
	if at.ASN == 0 {
		at.ASN, at.ASOrg = p.asn, p.org
	}
	if p.city != "" && e.Attrs[city] == nil {
		e.Set(city, p.city)
	}
}

// Run loads files that changed until ctx ends.
func (g *geo) Run(ctx context.Context) error {
	tick := time.NewTicker(reread)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			g.reload(ctx)
		}
	}
}

// paths returns the files there are.
func (g *geo) paths() ([]string, error) {
	if len(g.cfg.Files) > 0 {
		return g.cfg.Files, nil
	}
	list, err := filepath.Glob(filepath.Join(g.dep.Dir, Folder, "*.mmdb"))
	slices.Sort(list)
	return list, err
}

// Load reads the files there are.
func (g *geo) Load(ctx context.Context) { g.reload(ctx) }

// reload opens the files that are new or changed. One that cannot be read
// leaves what was read of it before in place.
func (g *geo) reload(ctx context.Context) {
	g.mu.Lock()
	defer g.mu.Unlock()
	paths, err := g.paths()
	if err != nil {
		g.dep.Log.LogAttrs(ctx, slog.LevelError, "geo databases not listed", slog.Any("error", err))
		return
	}
	old := g.now.Load()
	var dbs []*database
	changed := false
	for _, path := range paths {
		before := old.of(path)
		db, err := load(path, before, g.dep.Now())
		if errors.Is(err, fs.ErrNotExist) && before != nil {
			db = before // it answers until the program ends or another takes its place
		}
		if err != nil {
			g.complain(ctx, path, err)
			db = before
		} else {
			delete(g.fault, path)
		}
		if db == nil {
			continue
		}
		if db != before {
			changed = true
			g.dep.Log.LogAttrs(ctx, slog.LevelInfo, "geo database loaded", slog.String("file", path), slog.String("type", db.kind), slog.Time("built", db.built))
		}
		dbs = append(dbs, db)
	}
	if changed || len(dbs) != len(old.dbs) {
		g.now.Store(newGeneration(dbs))
	}
}

// complain logs a fault once.
func (g *geo) complain(ctx context.Context, path string, err error) {
	if g.fault[path] == err.Error() {
		return
	}
	g.fault[path] = err.Error()
	g.dep.Log.LogAttrs(ctx, slog.LevelWarn, "geo database not usable", slog.String("file", path), slog.Any("error", err))
}

// Status describes every database and every file that should be one.
func (g *geo) Status() []enrich.Status {
	g.mu.Lock()
	defer g.mu.Unlock()
	now := g.now.Load()
	var out []enrich.Status
	paths, _ := g.paths()
	for _, path := range paths {
		s := enrich.Status{Name: "geo:" + filepath.Base(path), Kind: "geo", Source: path, State: enrich.StateEmpty, Detail: g.fault[path]}
		if db := now.of(path); db != nil {
			s.State, s.Items, s.AsOf, s.Loaded = enrich.StateOK, db.nodes, db.built, db.loaded
			if age := g.dep.Now().Sub(db.built); age > g.cfg.MaxAge {
				s.State = enrich.StateStale
				s.Detail = fmt.Sprintf("its data are %d days old; bring it up to date with honeyguide geo update", int(age.Hours()/24))
			}
		}
		if g.fault[path] != "" {
			s.State, s.Detail = enrich.StateFailed, g.fault[path]
		}
		out = append(out, s)
	}
	return out
}

// load opens a file, or returns before when the file is still that one.
func load(path string, before *database, now time.Time) (*database, error) {
	st, err := os.Stat(path)
	switch {
	case err != nil:
		return nil, fmt.Errorf("look at geo database: %w", err)
	case before != nil && before.mtime.Equal(st.ModTime()) && before.size == st.Size():
		return before, nil
	case !st.Mode().IsRegular():
		return nil, fmt.Errorf("%s is no file", path)
	case st.Size() > MaxFile:
		return nil, fmt.Errorf("%s has %d MiB, more than the %d that are read", path, st.Size()>>20, MaxFile>>20)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("read geo database: %w", err)
	}
	db, err := parse(raw)
	if err != nil {
		return nil, err
	}
	db.path, db.mtime, db.size, db.loaded = path, st.ModTime(), st.Size(), now
	return db, nil
}
