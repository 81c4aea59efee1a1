package app

import (
	"context"
	"io/fs"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"honeyguide/internal/api"
)

// A shelf is where one class of data lies in the data folder.
type shelf struct {
	class, path, about string
	limit              int64
}

func (a *App) shelves() []shelf {
	d := a.settings.Deception
	return []shelf{
		{"state", "state.db", "alerts, incidents, sessions and what people did with them", 0},
		{"events", "events", "everything observed", 0},
		{"recordings", "recordings", "terminals of attackers; the oldest go first", d.Recordings << 20},
		{"samples", "samples", "content attackers brought, sealed", d.Samples << 20},
		{"worlds", "worlds.db", "what attackers left behind in the decoys", d.Worlds << 20},
		{"audit", "audit", "who did what", 0},
		{"geo", "geo", "databases of places", 0},
		{"reserve", "reserve", "room kept aside for the moment the disk is full", 0},
	}
}

// measured is what was measured, and when.
type measured struct {
	sync.Mutex
	at   time.Time
	list []api.DataSize
}

// sizesFor is how long measured sizes hold: walking a large folder takes a moment.
const sizesFor = time.Minute

// mostFiles bounds the files that are looked at for one class.
const mostFiles = 100_000

// standingSetup says how this node is set up.
func (a *App) standingSetup(context.Context) api.Setup {
	s := api.Setup{
		Values: a.settings.Shown, RetentionDays: a.settings.Store.RetentionDays,
		TLS: api.TLSFacts{Listen: a.settings.API.Listen, URL: a.settings.API.URL},
	}
	if k := a.keeper.Load(); k != nil {
		st := k.Status()
		s.TLS.Kind, s.TLS.Fingerprint, s.TLS.Names, s.TLS.NotAfter, s.TLS.Problem = st.Kind, st.Fingerprint, st.Names, st.NotAfter, st.Problem
	}
	for _, w := range a.settings.Audit.Witness {
		kind, _, _ := strings.Cut(w, ":") // a path of this machine is nobody's business
		s.Witnesses = append(s.Witnesses, kind)
	}
	for _, name := range slices.Sorted(maps.Keys(a.actions)) {
		s.Actions = append(s.Actions, api.Integration{Name: name, Kind: name, Part: "action", State: "ready"})
	}
	a.sizes.Lock()
	defer a.sizes.Unlock()
	if now := a.now(); a.sizes.list == nil || now.Sub(a.sizes.at) > sizesFor || now.Before(a.sizes.at) {
		a.sizes.list, a.sizes.at = a.measure(), now
	}
	s.Sizes = slices.Clone(a.sizes.list)
	return s
}

func (a *App) measure() []api.DataSize {
	var out []api.DataSize
	for _, x := range a.shelves() {
		size := api.DataSize{Class: x.class, About: x.about, Limit: x.limit}
		root := filepath.Join(a.settings.Node.Data, x.path)
		paths := []string{root}
		if strings.HasSuffix(x.path, ".db") {
			paths = append(paths, root+"-wal", root+"-shm")
		}
		for _, path := range paths {
			// What vanishes meanwhile is no longer there to be counted.
			_ = filepath.WalkDir(path, func(_ string, d fs.DirEntry, err error) error {
				if err != nil || d.IsDir() {
					return nil
				}
				if size.Files++; size.Files > mostFiles {
					return fs.SkipAll
				}
				if info, err := d.Info(); err == nil {
					size.Bytes += info.Size()
				}
				return nil
			})
		}
		out = append(out, size)
	}
	return out
}
