package playbook

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"honeyguide/internal/respond"
	"honeyguide/internal/state"
)

// Origins of playbooks.
const (
	OriginShipped = "shipped" // with the product
	OriginOwn     = "own"     // from the operator's folder
)

// Options says where a catalog takes its playbooks from.
type Options struct {
	Shipped fs.FS  // holds the folder playbooks; nil: none
	Folder  string // of the operator's playbooks, "" = none
	Actions map[string]respond.Action
	State   state.Store // keeps the versions; nil: they are not kept
	Poll    time.Duration
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

const (
	shippedDir  = "playbooks"
	defaultPoll = 5 * time.Second
	maxFiles    = 500
)

// A Catalog keeps the playbooks in force: the shipped ones, and those of the
// operator's folder, which is read again when a file in it changes. An own one
// stands in the place of a shipped one of the same id. A file that was right and
// is wrong now leaves what it was in force. It is safe for concurrent use.
type Catalog struct {
	opt   Options
	shelf *Shelf
	view  atomic.Pointer[View]

	mu   sync.Mutex // held while files are read
	mark string     // what they looked like when they were read
	own  map[string]*Playbook
	kept map[string]bool // versions the state has
}

// A View is how the playbooks stand. It does not change.
type View struct {
	Loaded  time.Time
	Entries []Entry // by id
	Faults  []Fault // by file and line
}

// An Entry is one playbook in force.
type Entry struct {
	*Playbook
	Origin   string
	Replaces bool // a shipped one of its id
	Outdated bool // its file has a fault now; this is what it was before
}

// OpenCatalog reads all playbooks. Faults in them are no error: see [View.Faults].
func OpenCatalog(ctx context.Context, opt Options) (*Catalog, error) {
	if opt.Log == nil {
		opt.Log = slog.New(slog.DiscardHandler)
	}
	if opt.Now == nil {
		opt.Now = time.Now
	}
	if opt.Poll <= 0 {
		opt.Poll = defaultPoll
	}
	c := &Catalog{opt: opt, shelf: NewShelf(nil), own: map[string]*Playbook{}, kept: map[string]bool{}}
	c.mu.Lock()
	defer c.mu.Unlock()
	if err := c.read(ctx); err != nil {
		return nil, err
	}
	return c, nil
}

// Shelf returns the playbooks in force, for who carries them out.
func (c *Catalog) Shelf() *Shelf { return c.shelf }

// View returns how the playbooks stand now.
func (c *Catalog) View() *View { return c.view.Load() }

// Actions are the actions steps may name.
func (c *Catalog) Actions() map[string]respond.Action { return c.opt.Actions }

// Run looks at the files now and then, until ctx ends.
func (c *Catalog) Run(ctx context.Context) error {
	tick := time.NewTicker(c.opt.Poll)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
			if _, err := c.Refresh(ctx); err != nil && ctx.Err() == nil {
				c.opt.Log.LogAttrs(ctx, slog.LevelError, "playbooks not read", slog.Any("error", err))
			}
		}
	}
}

// Refresh reads the playbooks again if a file has changed, and reports whether
// one had.
func (c *Catalog) Refresh(ctx context.Context) (bool, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if markOf(c.opt.Folder) == c.mark {
		return false, nil
	}
	return true, c.read(ctx)
}

// read makes a new view and puts it in force. The caller holds mu.
func (c *Catalog) read(ctx context.Context) error {
	mark := markOf(c.opt.Folder)
	v := &View{Loaded: c.opt.Now().UTC()}
	v.take(c.shipped(v), OriginShipped, nil)
	own, outdated := c.folder(v)
	v.take(own, OriginOwn, outdated)
	sortFaults(v.Faults)
	slices.SortFunc(v.Entries, func(a, b Entry) int { return strings.Compare(a.ID, b.ID) })
	if err := c.keep(ctx, v); err != nil {
		return err
	}
	var list []*Playbook
	for _, e := range v.Entries {
		list = append(list, e.Playbook)
	}
	c.view.Store(v)
	c.shelf.Replace(list)
	c.mark = mark
	level := slog.LevelInfo
	if len(v.Faults) > 0 {
		level = slog.LevelWarn
	}
	c.opt.Log.LogAttrs(ctx, level, "playbooks read", slog.Int("playbooks", len(v.Entries)), slog.Int("faults", len(v.Faults)))
	return nil
}

// shipped reads those of the product. One whose action is not configured here is
// not in force, and a fault says so.
func (c *Catalog) shipped(v *View) []*Playbook {
	if c.opt.Shipped == nil {
		return nil
	}
	list, faults, err := LoadAll(c.opt.Shipped, shippedDir)
	if err != nil {
		faults = append(faults, Fault{File: shippedDir, Line: 1, Text: err.Error()})
	}
	v.Faults = append(v.Faults, faults...)
	var out []*Playbook
	for _, b := range list {
		bad := CheckActions(b, c.opt.Actions)
		v.Faults = append(v.Faults, bad...)
		if len(bad) == 0 {
			out = append(out, b)
		}
	}
	return out
}

// folder reads the operator's. It returns them, and which of them are outdated.
func (c *Catalog) folder(v *View) (out []*Playbook, outdated map[*Playbook]bool) {
	if c.opt.Folder == "" {
		return nil, nil
	}
	outdated, fresh := map[*Playbook]bool{}, map[string]*Playbook{}
	list, faults, err := LoadFolder(c.opt.Folder)
	if err != nil {
		v.Faults = append(v.Faults, Fault{File: c.opt.Folder, Line: 1, Text: err.Error()})
		for _, b := range c.own { // the folder is away for a while: what was, stays
			out, outdated[b] = append(out, b), true
		}
		return out, outdated
	}
	for _, b := range list {
		faults = append(faults, CheckActions(b, c.opt.Actions)...)
	}
	v.Faults = append(v.Faults, faults...)
	bad := func(file string) bool {
		return slices.ContainsFunc(faults, func(f Fault) bool { return f.File == file })
	}
	for _, b := range list {
		if !bad(b.File) {
			fresh[b.File], out = b, append(out, b)
		}
	}
	for file, b := range c.own {
		taken := slices.ContainsFunc(out, func(o *Playbook) bool { return o.ID == b.ID })
		if fresh[file] == nil && bad(file) && !taken {
			fresh[file], out, outdated[b] = b, append(out, b), true
		}
	}
	c.own = fresh
	return out, outdated
}

// take enters playbooks; those that come later replace those of their id.
func (v *View) take(list []*Playbook, origin string, outdated map[*Playbook]bool) {
	for _, b := range list {
		e := Entry{Playbook: b, Origin: origin, Outdated: outdated[b]}
		if i := slices.IndexFunc(v.Entries, func(o Entry) bool { return o.ID == b.ID }); i >= 0 {
			e.Replaces = v.Entries[i].Origin == OriginShipped
			v.Entries[i] = e
			continue
		}
		v.Entries = append(v.Entries, e)
	}
}

// keep stores the versions that are new.
func (c *Catalog) keep(ctx context.Context, v *View) error {
	if c.opt.State == nil {
		return nil
	}
	var fresh []Entry
	for _, e := range v.Entries {
		if !c.kept[e.ID+" "+e.Version] {
			fresh = append(fresh, e)
		}
	}
	if len(fresh) == 0 {
		return nil
	}
	err := c.opt.State.Update(ctx, func(tx state.Tx) error {
		for _, e := range fresh {
			if err := tx.Playbooks().Keep(ctx, &state.PlaybookVersion{
				Playbook: e.ID, Version: e.Version, Title: e.Title, Origin: e.Origin, File: e.File, LoadedAt: v.Loaded, Text: e.Text,
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("keep the versions of playbooks: %w", err)
	}
	for _, e := range fresh {
		c.kept[e.ID+" "+e.Version] = true
	}
	return nil
}

// LoadFolder reads the files of a folder of the system, and tells what cannot be
// read of them.
func LoadFolder(folder string) ([]*Playbook, []Fault, error) {
	list, faults, err := LoadAll(os.DirFS(folder), ".")
	for _, b := range list {
		b.File = filepath.Join(folder, b.File)
	}
	for i := range faults {
		faults[i].File = filepath.Join(folder, faults[i].File)
	}
	return list, faults, err
}

// LoadFile reads one file of the system. The playbook is nil when there are faults.
func LoadFile(name string) (*Playbook, []Fault, error) {
	text, err := readFile(os.DirFS(filepath.Dir(name)), filepath.Base(name))
	if err != nil {
		return nil, nil, err
	}
	b, faults := Read(name, text)
	return b, faults, nil
}

// markOf describes the files of a folder: another mark means that they changed.
func markOf(folder string) string {
	if folder == "" {
		return ""
	}
	h := fnv.New128a()
	entries, err := os.ReadDir(folder)
	if err != nil {
		return "unreadable: " + err.Error()
	}
	for _, e := range entries[:min(len(entries), 4*maxFiles)] {
		st, err := os.Stat(filepath.Join(folder, e.Name())) // of what a link leads to
		if err != nil || !isPlaybook(e.Name()) {
			continue
		}
		line := fmt.Sprintf("%q %d %d", e.Name(), st.Size(), st.ModTime().UnixNano())
		if sys, ok := st.Sys().(*syscall.Stat_t); ok {
			line += fmt.Sprintf(" %d", sys.Ino)
		}
		_, _ = io.WriteString(h, line+"\n") // a hash takes everything
	}
	return string(h.Sum(nil))
}

// isPlaybook reports whether a file may be one by its name.
func isPlaybook(name string) bool {
	ext := filepath.Ext(name)
	return (ext == ".yaml" || ext == ".yml") && !strings.HasPrefix(name, ".")
}
