package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
)

// Deps is what the room leans on.
type Deps struct {
	Dir       string // folder of the archives
	State     state.Store
	Events    eventlog.Finder
	Recording func(session string) (io.ReadCloser, error) // CodeNotFound when there is none; nil: none are kept
	Samples   Samples                                     // nil: none are kept
	Trail     *audit.Log
	Keys      Keys
	Node      Node

	// Snapshots of the deployment; nil where it has none.
	Configuration func(context.Context) ([]byte, error) // secrets masked
	Firewall      func(context.Context) ([]byte, error)
	Standing      func(context.Context) ([]byte, error) // versions and clocks

	Log *slog.Logger     // nil: none
	Now func() time.Time // nil: time.Now
}

// Samples opens what attackers brought: Sealed as it lies on the disk, Content
// decrypted. CodeNotFound when it is not kept.
type Samples interface {
	Content(id string) (io.ReadCloser, error)
	Sealed(id string) (io.ReadCloser, error)
}

// Keys keeps the private key that signs archives.
type Keys interface {
	// Read returns a key file, fs.ErrNotExist when there is none.
	Read(name string) ([]byte, error)
	// Write writes a key file whole or not at all.
	Write(name string, text []byte) error
}

// An Actor is who does something with evidence.
type Actor struct {
	Name    string
	Kind    string // user, key, local
	Session string
	Address netip.Addr
}

// Names of files in the folder.
const (
	stagePrefix = ".collecting-"
	archiveEnd  = ".zip"
	partEnd     = ".part"
)

// A Room keeps archives of evidence and makes them. It is safe for concurrent use.
type Room struct {
	dep  Deps
	work chan order

	mu      sync.Mutex
	waiting map[string]chan struct{} // by bundle, closed when it is done
	signing sync.Mutex               // one look for the signing key at a time
}

// An order is a bundle to be made.
type order struct {
	bundle honeyguide.Bundle
	who    Actor
	to     []seal.Recipient
}

// maxOrders is how many bundles may wait to be made.
const maxOrders = 16

// Open opens the folder and puts away what a crash left half done.
func Open(ctx context.Context, dep Deps) (*Room, error) {
	if dep.Now == nil {
		dep.Now = time.Now
	}
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if err := os.MkdirAll(dep.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("make the folder of evidence: %w", err)
	}
	r := &Room{dep: dep, work: make(chan order, maxOrders), waiting: map[string]chan struct{}{}}
	return r, r.sweep(ctx)
}

// sweep removes what is half made and ends rows that nobody works on. An archive
// that no row knows stays: the state may be an older one than the archives are.
func (r *Room) sweep(ctx context.Context) error {
	ready := map[string]bool{} // by file, whether it is the whole archive of a row
	err := r.dep.State.Update(ctx, func(tx state.Tx) error {
		q := state.BundleQuery{Page: state.Page{Limit: state.MaxLimit}}
		for {
			page, next, err := tx.Bundles().List(ctx, q)
			if err != nil {
				return err
			}
			for i := range page {
				b := &page[i]
				if b.State == honeyguide.BundleCollecting {
					b.State, b.Error = honeyguide.BundleFailed, "the program ended while it was made; collect it again"
					if err := tx.Bundles().Save(ctx, b); err != nil {
						return err
					}
				}
				ready[b.ID+archiveEnd] = b.State == honeyguide.BundleReady
			}
			if q.After = next; next == "" {
				return nil
			}
		}
	})
	if err != nil {
		return fmt.Errorf("look through the evidence: %w", err)
	}
	entries, err := os.ReadDir(r.dep.Dir)
	if err != nil {
		return fmt.Errorf("look through the evidence: %w", err)
	}
	for _, e := range entries {
		name := e.Name()
		whole, known := ready[name]
		half := strings.HasPrefix(name, stagePrefix) || strings.HasSuffix(name, partEnd) || known && !whole
		if half {
			if err := os.RemoveAll(filepath.Join(r.dep.Dir, name)); err != nil {
				return fmt.Errorf("remove half an archive: %w", err)
			}
		} else if !known {
			r.dep.Log.WarnContext(ctx, "a file among the evidence that the state does not know: take it in with honeyguide evidence import, or move it away", "file", filepath.Join(r.dep.Dir, name))
		}
	}
	return nil
}

func (r *Room) path(id string) string { return filepath.Join(r.dep.Dir, id+archiveEnd) }

// Run makes the bundles that were asked for, one after the other, until ctx ends.
func (r *Room) Run(ctx context.Context) error {
	for {
		select {
		case <-ctx.Done():
			return nil
		case o := <-r.work:
			r.make(ctx, o)
		}
	}
}

// Collect begins to make a bundle of an incident and waits for its end as long as
// patience lets. The bundle it returns may still be collected then.
func (r *Room) Collect(ctx context.Context, incident, reason string, recipients []string, who Actor, patience time.Duration) (b honeyguide.Bundle, err error) {
	var to []seal.Recipient
	for _, text := range recipients {
		one, err := seal.ParseRecipient(text)
		if err != nil {
			return b, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "recipients: " + err.Error()}
		}
		to = append(to, one)
	}
	now := r.dep.Now().UTC()
	b = honeyguide.Bundle{
		ID: honeyguide.NewID(now), State: honeyguide.BundleCollecting, Node: r.dep.Node.Name, At: now, By: who.Name, Reason: reason, Audit: -1,
		Sealed: len(to) > 0, Recipients: append([]string{}, recipients...),
	}
	made := b
	err = r.dep.State.Update(ctx, func(tx state.Tx) error {
		in, err := tx.Incidents().Get(ctx, incident)
		if err != nil {
			return err
		}
		made = b
		made.Incident, made.Title = in.Short, in.Title
		return tx.Bundles().Save(ctx, &made)
	})
	if err != nil {
		return b, err
	}
	done := make(chan struct{})
	r.mu.Lock()
	r.waiting[made.ID] = done
	r.mu.Unlock()
	select {
	case r.work <- order{made, who, to}:
	default:
		r.finish(ctx, made, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: fmt.Sprintf("%d bundles wait to be made already; try again later", maxOrders)})
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-done:
	case <-timer.C:
	case <-ctx.Done():
		return made, ctx.Err()
	}
	return r.Get(ctx, made.ID)
}

// Get returns what is known of a bundle.
func (r *Room) Get(ctx context.Context, id string) (b honeyguide.Bundle, err error) {
	err = r.dep.State.View(ctx, func(tx state.Tx) (err error) {
		b, err = tx.Bundles().Get(ctx, id)
		return err
	})
	return b, err
}

// make makes one bundle and says how that ended.
func (r *Room) make(ctx context.Context, o order) {
	b, err := r.produce(ctx, o)
	if err == nil {
		b.State = honeyguide.BundleReady
		err = r.dep.State.Update(ctx, func(tx state.Tx) error {
			made := b
			if err := tx.Bundles().Save(ctx, &made); err != nil {
				return err
			}
			return tx.Custody().Add(ctx, &honeyguide.CustodyStep{
				Incident: b.Incident, At: r.dep.Now().UTC(), Act: honeyguide.CustodyCollected, By: o.who.Name, Kind: o.who.Kind, Reason: b.Reason, Bundle: b.Manifest, Audit: b.Audit,
				Detail: fmt.Sprintf("%d objects, %d bytes", b.Objects, b.Size),
			})
		})
	}
	r.finish(ctx, b, err)
}

// finish notes a failure, if there was one, and wakes who waits.
func (r *Room) finish(ctx context.Context, b honeyguide.Bundle, err error) {
	if err != nil {
		ctx := context.WithoutCancel(ctx)
		_ = os.Remove(r.path(b.ID))
		b.State, b.Manifest, b.Error = honeyguide.BundleFailed, "", why(err)
		err2 := r.dep.State.Update(ctx, func(tx state.Tx) error {
			made := b
			return tx.Bundles().Save(ctx, &made)
		})
		r.dep.Log.LogAttrs(ctx, slog.LevelError, "evidence not collected", slog.String("incident", b.Incident), slog.Any("error", errors.Join(err, err2)))
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if done := r.waiting[b.ID]; done != nil {
		close(done)
		delete(r.waiting, b.ID)
	}
}

// why is what a person may read of an error.
func why(err error) string {
	if e, ok := errors.AsType[*honeyguide.Error](err); ok {
		return e.Message
	}
	if errors.Is(err, errTooLarge) {
		return errTooLarge.Error()
	}
	if isFull(err) {
		return "the disk is full; make room, and collect it again"
	}
	return "it could not be made; the core's log says why"
}

// Read opens an archive. CodeNotFound when its file is not there.
func (r *Room) Read(b honeyguide.Bundle) (*os.File, error) {
	f, err := os.Open(r.path(b.ID))
	switch {
	case b.State != honeyguide.BundleReady:
		if err == nil {
			_ = f.Close()
		}
		return nil, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "bundle " + b.Short + " is not ready: it is " + string(b.State)}
	case errors.Is(err, fs.ErrNotExist):
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "the file of bundle " + b.Short + " is gone from the folder of evidence; restore it from a backup"}
	}
	return f, err
}

// key of the chain of custody of a bundle.
func chainOf(b honeyguide.Bundle) string {
	if b.Imported {
		return "bundle:" + b.Manifest
	}
	return b.Incident
}

// Note writes down that somebody did something with a bundle: into the audit log
// first, then into the chain of custody. Without it the thing must not be done.
func (r *Room) Note(ctx context.Context, b honeyguide.Bundle, act, reason, detail string, who Actor) error {
	action := map[string]string{
		honeyguide.CustodyExported: "export-evidence", honeyguide.CustodyViewed: "view-evidence", honeyguide.CustodyVerified: "verify-evidence",
	}[act]
	if action == "" {
		return fmt.Errorf("note custody: there is no act %q", act)
	}
	seq, err := r.record(ctx, action, "bundle:"+b.Manifest, reason, detail, who)
	if err != nil {
		return err
	}
	return r.dep.State.Update(ctx, func(tx state.Tx) error {
		return tx.Custody().Add(ctx, &honeyguide.CustodyStep{
			Incident: chainOf(b), At: r.dep.Now().UTC(), Act: act, By: who.Name, Kind: who.Kind, Reason: reason, Detail: detail, Bundle: b.Manifest, Audit: seq,
		})
	})
}

// record makes an entry of the audit log and returns its number.
func (r *Room) record(ctx context.Context, action, object, reason, detail string, who Actor) (int64, error) {
	return r.dep.Trail.Number(ctx, honeyguide.AuditEntry{
		Time: r.dep.Now(), Actor: who.Name, Kind: who.Kind, Session: who.Session, Address: who.Address, Action: action, Object: object,
		Outcome: honeyguide.AuditAsked, Reason: reason, Detail: detail,
	})
}

// entryOf returns the number of the newest entry about an object, -1 when there is none.
func (r *Room) entryOf(ctx context.Context, action, object string) (int64, error) {
	list, _, err := r.dep.Trail.List(ctx, audit.Query{Action: action, Object: object, Limit: 1})
	if err != nil || len(list) == 0 {
		return -1, err
	}
	return list[0].Seq, nil
}

// Chain returns the chain of custody of a bundle, or of an incident by its short form.
func (r *Room) Chain(ctx context.Context, of string) (all []honeyguide.CustodyStep, err error) {
	err = r.dep.State.View(ctx, func(tx state.Tx) error {
		var key string
		switch b, err := tx.Bundles().Get(ctx, of); {
		case err == nil:
			key = chainOf(b)
		case honeyguide.ErrorCode(err) != honeyguide.CodeNotFound:
			return err
		default:
			in, err := tx.Incidents().Get(ctx, of)
			if err != nil {
				return err
			}
			key = in.Short
		}
		all, err = chain(ctx, tx, key)
		return err
	})
	return all, err
}
