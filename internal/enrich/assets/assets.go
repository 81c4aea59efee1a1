// Package assets tells the operator's own machines and networks from the rest
// of the world: who owns an address, what it is there for, and how much would
// be lost with it. The table is a CSV or YAML file that people keep.
package assets

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/enrich"
	"honeyguide/internal/kind"
)

// Bounds of the table.
const (
	maxFile   = 32 << 20 // bytes
	maxAssets = 200_000
	reread    = time.Minute
)

// Config is what a user may set.
type Config struct {
	File     string   `yaml:"file" doc:"table of hosts and networks, .csv or .yaml: network, name, owner, role, criticality"`
	Internal []string `yaml:"internal" doc:"own networks; an address outside of them and of the table is external"`
}

// Kind is the assets kind.
var Kind = kind.Of("assets", "Owner, role and criticality of your own hosts and networks, from a table.", Config{}, open)

func open(_ context.Context, cfg Config, dep enrich.Deps) (enrich.Enricher, error) {
	a := &assets{cfg: cfg, dep: dep.Fill()}
	for _, s := range cfg.Internal {
		p, err := network(s)
		if err != nil {
			return nil, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("enrich.assets.internal: %v", err)}
		}
		a.internal = append(a.internal, p)
	}
	a.now.Store(newTable(nil, a.internal))
	return a, nil
}

// assets is the opened kind.
type assets struct {
	cfg      Config
	internal []netip.Prefix
	dep      enrich.Deps
	now      atomic.Pointer[table]

	mu     sync.Mutex
	mtime  time.Time
	size   int64
	loaded time.Time
	fault  string
	bad    int64
	lines  []enrich.BadLine
}

var _ enrich.Local = (*assets)(nil)

// Zones.
const (
	zoneInternal = "internal"
	zoneExternal = "external"
)

// What every address without a row is.
var (
	ours     = asset{words: words{zoneInternal}}
	somebody = asset{words: words{zoneExternal}}
)

// Fact adds what the table says about both ends of e.
func (a *assets) Fact(e *honeyguide.Event) {
	t := a.now.Load()
	if t.empty() {
		return
	}
	if addr := e.Src.Addr.Addr(); addr.IsValid() {
		put(e, &t.find(addr).words, &srcAttrs)
	}
	if addr := e.Dst.Addr.Addr(); addr.IsValid() {
		put(e, &t.find(addr).words, &dstAttrs)
	}
}

// The attributes of an end, in the order of words.
var (
	srcAttrs = [...]string{honeyguide.AttrSrcZone, honeyguide.AttrSrcAsset, honeyguide.AttrSrcOwner, honeyguide.AttrSrcRole, honeyguide.AttrSrcCriticality}
	dstAttrs = [...]string{honeyguide.AttrDstZone, honeyguide.AttrDstAsset, honeyguide.AttrDstOwner, honeyguide.AttrDstRole, honeyguide.AttrDstCriticality}
)

func put(e *honeyguide.Event, w *words, names *[5]string) {
	for i, v := range w {
		if v != nil {
			e.Set(names[i], v)
		}
	}
}

// Run loads the file again when it changed, until ctx ends.
func (a *assets) Run(ctx context.Context) error {
	tick := time.NewTicker(reread)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			a.reload(ctx)
		}
	}
}

// Load reads the file.
func (a *assets) Load(ctx context.Context) { a.reload(ctx) }

// reload reads the file when it changed. What was there before stays when it
// cannot be read.
func (a *assets) reload(ctx context.Context) {
	if a.cfg.File == "" {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	err := a.read()
	if err == nil {
		a.fault = ""
		return
	}
	if a.fault != err.Error() {
		a.fault = err.Error()
		a.dep.Log.LogAttrs(ctx, slog.LevelWarn, "asset table not usable", slog.String("file", a.cfg.File), slog.Any("error", err))
	}
}

func (a *assets) read() error {
	st, err := os.Stat(a.cfg.File)
	switch {
	case err != nil:
		return fmt.Errorf("look at asset table: %w", err)
	case st.ModTime().Equal(a.mtime) && st.Size() == a.size && !a.loaded.IsZero():
		return nil
	case st.Size() > maxFile:
		return fmt.Errorf("the table has %d MiB, more than the %d that are read", st.Size()>>20, maxFile>>20)
	}
	raw, err := os.ReadFile(a.cfg.File)
	if err != nil {
		return fmt.Errorf("read asset table: %w", err)
	}
	rows, bad, err := parse(filepath.Ext(a.cfg.File), raw)
	if err != nil {
		return err
	}
	a.now.Store(newTable(rows, a.internal))
	a.mtime, a.size, a.loaded = st.ModTime(), st.Size(), a.dep.Now()
	a.bad, a.lines = int64(len(bad)), bad[:min(len(bad), enrich.MaxBadLines)]
	return nil
}

// Status describes the table.
func (a *assets) Status() []enrich.Status {
	if a.cfg.File == "" && len(a.internal) == 0 {
		return nil
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	s := enrich.Status{
		Name: "assets", Kind: "assets", Source: a.cfg.File, State: enrich.StateOK, Detail: a.fault,
		Items: int64(a.now.Load().rows), Bad: a.bad, BadLines: a.lines, AsOf: a.mtime, Loaded: a.loaded,
	}
	switch {
	case a.fault != "":
		s.State = enrich.StateFailed
	case a.bad > 0:
		s.Detail = fmt.Sprintf("%d rows could not be read", a.bad)
	}
	return []enrich.Status{s}
}
