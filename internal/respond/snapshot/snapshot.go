// Package snapshot writes down what is known about an incident: the incident, its
// alerts, sessions, plans, runs and timeline as JSON, and a manifest with the size
// and SHA-256 of each file, in a folder of its own below evidence/snapshots.
//
// A snapshot is made once: a second attempt finds it, checks it and leaves it as it
// is. Its reference is the SHA-256 of the manifest, so that the plan itself, which
// is kept elsewhere, vouches for all of it.
package snapshot

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/kind"
	"honeyguide/internal/respond"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// Kind is the snapshot action.
var Kind = kind.Of("snapshot", "Write down what is known about an incident, as evidence.", Config{MaxAlerts: 5000, MaxSessions: 5000}, open)

// Config configures the snapshot action.
type Config struct {
	MaxAlerts   int `yaml:"max_alerts" doc:"newest alerts that are written down"`
	MaxSessions int `yaml:"max_sessions" doc:"newest sessions that are written down"`
}

// Validate checks the settings.
func (c *Config) Validate() error {
	if c.MaxAlerts < 1 || c.MaxAlerts > 100_000 {
		return respond.Invalid("max_alerts: want 1 to 100000")
	}
	if c.MaxSessions < 1 || c.MaxSessions > 100_000 {
		return respond.Invalid("max_sessions: want 1 to 100000")
	}
	return nil
}

type action struct {
	cfg Config
	dep respond.Deps
}

var _ respond.Verifier = (*action)(nil)

func open(_ context.Context, cfg Config, dep respond.Deps) (respond.Action, error) {
	return &action{cfg, dep}, nil
}

// Plan plans a snapshot of the run's incident.
func (a *action) Plan(_ context.Context, r respond.Request) (honeyguide.Plan, error) {
	if r.Incident == nil {
		return honeyguide.Plan{}, errors.New("plan a snapshot: the run is about no incident")
	}
	return honeyguide.Plan{
		Action: a.dep.Name, Target: r.Target, State: honeyguide.PlanPlanned, Reason: r.Reason, Irreversible: true,
		Effect: fmt.Sprintf("What is known about incident %s would be written down on this node, with checksums.", safetext.TermN(r.Incident.Short, 20)),
	}, nil
}

// A manifest lists the files of a snapshot.
type manifest struct {
	Version  int       `json:"version"` // 1
	Incident string    `json:"incident"`
	Plan     string    `json:"plan"`
	Node     string    `json:"node"`
	By       string    `json:"by"`
	Reason   string    `json:"reason"`
	At       time.Time `json:"at"`
	Cut      []string  `json:"cut,omitempty"` // files that hold the newest entries only
	Files    []file    `json:"files"`
}

type file struct {
	Name    string `json:"name"`
	Size    int64  `json:"size"`
	SHA256  string `json:"sha256"`
	Entries int    `json:"entries"`
}

const manifestName = "manifest.json"

var plainName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,64}$`)

// folder is where the snapshot of a plan lies.
func (a *action) folder(p honeyguide.Plan) (parent, name string, err error) {
	if a.dep.Data == "" {
		return "", "", respond.Permanent(errors.New("this node has no data folder"))
	}
	if p.Incident == "" || p.ID == "" {
		return "", "", respond.Permanent(errors.New("the plan names no incident"))
	}
	part := func(s string) string {
		if plainName.MatchString(s) {
			return s
		}
		sum := sha256.Sum256([]byte(s))
		return "x" + hex.EncodeToString(sum[:16])
	}
	return filepath.Join(a.dep.Data, "evidence", "snapshots"), part(p.Incident) + "-" + part(p.ID), nil
}

// Apply writes the snapshot, unless it is there.
func (a *action) Apply(ctx context.Context, p honeyguide.Plan) (respond.Receipt, error) {
	parent, name, err := a.folder(p)
	if err != nil {
		return respond.Receipt{}, fmt.Errorf("take a snapshot: %w", err)
	}
	final := filepath.Join(parent, name)
	if _, err := os.Lstat(final); err == nil {
		sum, err := check(final, "")
		if err != nil {
			return respond.Receipt{}, respond.Permanent(fmt.Errorf("there is a snapshot already: %w", err))
		}
		return respond.Receipt{Ref: sum, Detail: "The snapshot was there already."}, nil
	}
	if a.dep.State == nil {
		return respond.Receipt{}, respond.Permanent(errors.New("take a snapshot: there is no state to read"))
	}
	if err := os.MkdirAll(parent, 0o700); err != nil {
		return respond.Receipt{}, fmt.Errorf("take a snapshot: %w", err)
	}
	draft := filepath.Join(parent, ".new-"+name) // what a crash left is begun again
	if err := os.RemoveAll(draft); err != nil {
		return respond.Receipt{}, fmt.Errorf("take a snapshot: %w", err)
	}
	if err := os.Mkdir(draft, 0o700); err != nil {
		return respond.Receipt{}, fmt.Errorf("take a snapshot: %w", err)
	}
	sum, n, err := a.write(ctx, draft, p)
	if err == nil {
		err = errors.Join(sync(draft), os.Rename(draft, final), sync(parent))
	}
	if err != nil {
		_ = os.RemoveAll(draft)
		return respond.Receipt{}, fmt.Errorf("take a snapshot: %w", err)
	}
	return respond.Receipt{Ref: sum, Detail: fmt.Sprintf("%d files in evidence/snapshots/%s.", n, name)}, nil
}

// write fills a folder from one consistent view and returns the manifest's hash.
func (a *action) write(ctx context.Context, dir string, p honeyguide.Plan) (sum string, files int, err error) {
	m := manifest{Version: 1, Incident: p.Incident, Plan: p.ID, Node: a.dep.Node, By: p.By, Reason: p.Reason, At: a.dep.Now().UTC()}
	err = a.dep.State.View(ctx, func(tx state.Tx) error {
		m.Files, m.Cut = nil, nil
		i, err := tx.Incidents().Get(ctx, p.Incident)
		if err != nil {
			return err
		}
		for _, part := range a.parts(ctx, tx, &i) {
			f, cut, err := list(dir, part)
			if err != nil {
				return err
			}
			if m.Files = append(m.Files, f); cut {
				m.Cut = append(m.Cut, f.Name)
			}
		}
		return nil
	})
	if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return "", 0, respond.Permanent(err)
	}
	if err != nil {
		return "", 0, err
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return "", 0, err
	}
	raw = safetext.JSON(append(raw, '\n'))
	hash := sha256.Sum256(raw)
	return hex.EncodeToString(hash[:]), len(m.Files) + 1, put(filepath.Join(dir, manifestName), func(w io.Writer) error {
		_, err := w.Write(raw)
		return err
	})
}

// A part is one file: a list that is read page by page.
type part struct {
	name string
	most int
	page func(after string) (items []any, next string, err error)
}

// items makes a page of anything one of any.
func items[T any](list []T, next string, err error) ([]any, string, error) {
	out := make([]any, len(list))
	for i := range list {
		out[i] = list[i]
	}
	return out, next, err
}

// maxOther bounds the lists that have no setting.
const maxOther = 20_000

// parts are the files of a snapshot.
func (a *action) parts(ctx context.Context, tx state.Tx, i *honeyguide.Incident) []part {
	page := func(after string) state.Page { return state.Page{After: after, Limit: state.MaxLimit} }
	return []part{
		{"incident.json", 1, func(string) ([]any, string, error) { return []any{i}, "", nil }},
		{"alerts.json", a.cfg.MaxAlerts, func(after string) ([]any, string, error) {
			return items(tx.Alerts().List(ctx, state.AlertQuery{Page: page(after), Incident: i.ID}))
		}},
		{"sessions.json", a.cfg.MaxSessions, func(string) ([]any, string, error) { return a.sessions(ctx, tx, i.Sessions) }},
		{"plans.json", maxOther, func(string) ([]any, string, error) {
			list, err := tx.Plans().ByIncident(ctx, i.ID)
			return items(list, "", err)
		}},
		{"runs.json", maxOther, func(after string) ([]any, string, error) {
			return items(tx.Runs().List(ctx, state.RunQuery{Page: page(after), Incident: i.ID}))
		}},
		{"timeline.json", maxOther, func(after string) ([]any, string, error) {
			return items(tx.Timeline().List(ctx, state.TimelineQuery{Page: page(after), Incident: i.ID}))
		}},
	}
}

// sessions reads the sessions of an incident; one that retention removed is left out.
func (a *action) sessions(ctx context.Context, tx state.Tx, ids []string) (out []any, next string, err error) {
	for _, id := range slices.Backward(ids) {
		if len(out) > a.cfg.MaxSessions {
			break
		}
		s, err := tx.Sessions().Get(ctx, id)
		switch {
		case err == nil:
			out = append(out, s)
		case honeyguide.ErrorCode(err) != honeyguide.CodeNotFound:
			return nil, "", err
		}
	}
	return out, "", nil
}

// list writes one file as a JSON array, an entry a line.
func list(dir string, p part) (f file, cut bool, err error) {
	f.Name = p.name
	hash := sha256.New()
	err = put(filepath.Join(dir, p.name), func(to io.Writer) error {
		w := io.MultiWriter(to, hash)
		emit := func(b []byte) error {
			n, err := w.Write(b)
			f.Size += int64(n)
			return err
		}
		if err := emit([]byte("[")); err != nil {
			return err
		}
		for after := ""; ; {
			page, next, err := p.page(after)
			if err != nil {
				return err
			}
			for _, v := range page {
				if f.Entries == p.most {
					cut = true
					return emit([]byte("\n]\n"))
				}
				raw, err := json.Marshal(v)
				if err != nil {
					return err
				}
				begin := ",\n"
				if f.Entries == 0 {
					begin = "\n"
				}
				if err := emit(append([]byte(begin), safetext.JSON(raw)...)); err != nil {
					return err
				}
				f.Entries++
			}
			if after = next; next == "" {
				return emit([]byte("\n]\n"))
			}
		}
	})
	f.SHA256 = hex.EncodeToString(hash.Sum(nil))
	return f, cut, err
}

// put writes a file that only we may read, and syncs it. It is never one that exists.
func put(path string, fill func(io.Writer) error) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC|syscall.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	return errors.Join(fill(f), f.Sync(), f.Close())
}

// sync makes a folder's entries durable.
func sync(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Verify reads the snapshot back and computes every checksum again.
func (a *action) Verify(_ context.Context, p honeyguide.Plan) error {
	parent, name, err := a.folder(p)
	if err != nil {
		return err
	}
	_, err = check(filepath.Join(parent, name), p.Ref)
	return err
}

// maxManifest bounds a manifest.
const maxManifest = 1 << 20

// check compares a folder with its manifest, and that with want unless it is "". It
// returns the manifest's hash.
func check(dir, want string) (sum string, err error) {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return "", fmt.Errorf("read the snapshot: %w", err)
	}
	defer root.Close()
	f, err := root.Open(manifestName)
	if err != nil {
		return "", fmt.Errorf("read the manifest: %w", err)
	}
	raw, err := io.ReadAll(io.LimitReader(f, maxManifest))
	f.Close()
	if err != nil {
		return "", fmt.Errorf("read the manifest: %w", err)
	}
	hash := sha256.Sum256(raw)
	if sum = hex.EncodeToString(hash[:]); want != "" && sum != want {
		return sum, errors.New("the manifest is not the one that was written")
	}
	var m manifest
	if err := json.Unmarshal(raw, &m); err != nil {
		return sum, fmt.Errorf("read the manifest: %w", err)
	}
	known := []string{manifestName}
	for _, f := range m.Files {
		known = append(known, f.Name)
		if err := compare(root, f); err != nil {
			return sum, err
		}
	}
	list, err := fs.ReadDir(root.FS(), ".")
	if err != nil {
		return sum, fmt.Errorf("read the snapshot: %w", err)
	}
	for _, e := range list {
		if !slices.Contains(known, e.Name()) {
			return sum, fmt.Errorf("the file %s is not in the manifest", safetext.TermN(e.Name(), 60))
		}
	}
	return sum, nil
}

// compare computes a file's checksum again.
func compare(root *os.Root, f file) error {
	r, err := root.Open(f.Name)
	if err != nil {
		return fmt.Errorf("read a file of the snapshot: %w", err)
	}
	defer r.Close()
	hash := sha256.New()
	n, err := io.Copy(hash, io.LimitReader(r, f.Size+1))
	switch {
	case err != nil:
		return fmt.Errorf("read a file of the snapshot: %w", err)
	case n != f.Size || hex.EncodeToString(hash.Sum(nil)) != f.SHA256:
		return fmt.Errorf("the file %s is not as it was written", safetext.TermN(f.Name, 60))
	}
	return nil
}
