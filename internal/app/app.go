// Package app wires the rooms together and does nothing else: it opens them in
// order, hands each what it needs, starts them, and closes them in reverse.
package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"runtime/debug"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/backup"
	"honeyguide/internal/blocklist"
	"honeyguide/internal/builtin"
	"honeyguide/internal/bundle"
	"honeyguide/internal/certs"
	"honeyguide/internal/config"
	"honeyguide/internal/deception/persona"
	"honeyguide/internal/deception/token"
	"honeyguide/internal/enrich"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/evidence"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/fwhelper"
	"honeyguide/internal/incident"
	"honeyguide/internal/ingest"
	"honeyguide/internal/live"
	"honeyguide/internal/notice"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/playbook"
	"honeyguide/internal/privacy"
	"honeyguide/internal/respond"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/runs"
	"honeyguide/internal/seal"
	"honeyguide/internal/source"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
	"honeyguide/internal/telemetry"
	"honeyguide/internal/verdict"
	"honeyguide/internal/worlds"
)

// An App is one opened core: its folder is locked, its stores are open, its
// pipeline can run. Close it.
type App struct {
	settings Settings
	version  string
	log      *slog.Logger
	metrics  *telemetry.Registry
	now      func() time.Time

	vault    *seal.Vault // of the private files
	keyring  *keyring    // changes its keys
	audit    *audit.Log
	feeds    []*audit.Feed // of its entries to other systems
	backups  *backup.Runner
	secret   []byte
	host     *persona.Host
	image    []byte // the operator's own, else nil
	tokens   *token.Registry
	deployed time.Time

	disk       *disk
	later      []finding // found before there was anywhere to say so
	manager    manager
	stopJudge  atomic.Pointer[context.CancelCauseFunc]
	memory     int64 // bytes this process plans with
	state      state.Store
	events     eventlog.Store
	recordings *evidence.Store
	worlds     *worlds.Store
	samples    *evidence.Samples
	evidence   *bundle.Room // archives that leave
	intake     *pipeline.Intake
	bound      string // address the operator's door listens on
	consumer   *pipeline.Consumer
	mappers    []ingest.Format
	seen       *ingest.Seen // ids of records stored lately, whoever brought them
	sources    *source.Host
	trainer    *verdict.Trainer
	incidents  *incident.Desk
	rules      *rulebook.Book
	allowlist  *respond.Allowlist // what people keep from being blocked
	notices    *notice.Outbox
	closers    []func() error

	actions map[string]respond.Action
	books   *playbook.Catalog
	runs    *runs.Engine

	firewall *fwhelper.Process // nil: there is none, and noFire says why
	noFire   string
	tooMuch  chan string // why all acting is to stop
	present  presence    // who works here now, and is never blocked
	guard    *respond.Guard
	decoys   *decoys

	fetcher   *fetcher.Process
	fetch     fetcher.Doer // the way to the network
	enrichers []enricher
	locals    []enrich.Local
	desk      *enrich.Desk
	loadFacts func()

	identity *auth.Service                  // who may log in
	keeper   atomic.Pointer[certs.Keeper]   // of the certificate, once the door is open
	live     *live.Hub                      // what changes, for those who listen
	troubles func(context.Context) []string // why the core cannot work

	sizes measured // of data on the disk

	rows    state.Store        // the state without those who hear of its changes
	retain  *privacy.Retention // lets what is old go
	privacy *privacy.Desk      // where people's requests about their data are answered

	lists   *blocklist.List // what is blocked
	readers *blocklist.Book // and who reads it
}

// New opens everything a core needs below settings.Node.Data. The error names
// what to do about it.
func New(ctx context.Context, s Settings, log *slog.Logger, version string) (*App, error) {
	a := &App{settings: s, version: version, log: log, metrics: telemetry.NewRegistry(), now: time.Now, manager: newManager(os.Getenv), memory: budget(s.Node.Memory), tooMuch: make(chan string, 1)}
	debug.SetMemoryLimit(a.memory) // soft: the collector works harder near it
	for _, step := range []struct {
		what string
		do   func(context.Context) error
	}{
		{"lock the data folder", a.lock},
		{"keep a copy from before the upgrade", a.beforeUpgrade},
		{"look for room on the disk", a.openDisk},
		{"open the keys", a.openVault},
		{"read the deployment's keys", a.openKeys},
		{"open the audit log", a.openAudit},
		{"open the state", a.openState},
		{"open the users", a.openIdentity},
		{"open the event log", a.openEvents},
		{"make the persona", a.openPersona},
		{"open the recordings", a.openRecordings},
		{"open the worlds", a.openWorlds},
		{"open the samples", a.openSamples},
		{"open the evidence", a.openEvidence},
		{"prepare the way to the network", a.openFetch},
		{"open enrichment", a.openEnrich},
		{"open triage", a.openTriage},
		{"open incidents", a.openIncidents},
		{"open the responses", a.openRespond},
		{"open the pipeline", a.openPipeline},
		{"open the privacy desk", a.openPrivacy},
		{"read the sources' settings", a.openSources},
		{"prepare backups", a.openBackup},
	} {
		if err := step.do(ctx); err != nil {
			return nil, errors.Join(a.noRoom(fmt.Errorf("%s: %w", step.what, err)), a.Close())
		}
	}
	return a, nil
}

// Close closes what was opened, last first.
func (a *App) Close() error {
	var errs []error
	for i := len(a.closers) - 1; i >= 0; i-- {
		errs = append(errs, a.closers[i]())
	}
	a.closers = nil
	return errors.Join(errs...)
}

// lockPatience is how long a short-lived command waits for another to finish
// with the folder.
const lockPatience = 5 * time.Second

func (a *App) lock(ctx context.Context) error {
	if err := prepareFolders(a.settings.Node.Data); err != nil {
		return err
	}
	deadline := time.Now().Add(lockPatience)
	for {
		lock, err := sqldb.Lock(a.settings.Node.Data)
		if err == nil {
			a.closers = append(a.closers, lock.Close)
			return backup.Recover(a.settings.Node.Data)
		}
		if time.Now().After(deadline) {
			return &honeyguide.Error{
				Code: honeyguide.CodeConflict, Err: err,
				Message: a.settings.Node.Data + " is in use by another honeyguide; stop it, or choose another folder with --data",
			}
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func (a *App) openKeys(context.Context) error {
	secret, err := deploymentKey(a.vault)
	if err != nil {
		return err
	}
	st, err := os.Stat(filepath.Join(a.vault.Dir(), deploymentFile))
	if err != nil {
		return err
	}
	a.secret, a.deployed = secret, st.ModTime()
	return nil
}

func (a *App) openState(ctx context.Context) error {
	k, err := builtin.Stores().Lookup("sqlite")
	if err != nil {
		return err
	}
	if a.state, err = k.Open(ctx, nil, state.Deps{
		Dir: a.settings.Node.Data, Memory: a.memory / 4, Now: a.now, Log: a.log,
	}); err != nil {
		return err
	}
	a.closers = append(a.closers, a.state.Close)
	return a.openLive(ctx)
}

func (a *App) openEvents(ctx context.Context) error {
	var known int64
	if err := a.state.View(ctx, func(tx state.Tx) (err error) {
		known, err = tx.Cursors().Cursor(ctx, consumerName)
		return err
	}); err != nil {
		return err
	}
	k, err := builtin.Logs().Lookup("embedded")
	if err != nil {
		return err
	}
	part := min(a.memory>>20/8, 64)
	cfg := fmt.Sprintf("linger: %s\nqueue_mib: %d\nfilter_mib: %d\n", a.settings.Store.Linger, part, part)
	a.events, err = k.Open(ctx, config.Strict("store", []byte(cfg)), eventlog.Deps{
		Dir: filepath.Join(a.settings.Node.Data, "events"), AtLeast: eventlog.Seq(known), Log: a.log, Metrics: a.metrics, Now: a.now,
		Full:   a.diskFull,
		Holder: bundle.Keeper{State: a.state},
	})
	if err != nil {
		return err
	}
	a.closers = append(a.closers, a.events.Close)
	return nil
}

func (a *App) openPersona(ctx context.Context) error {
	own, err := ownImage(a.settings.Deception.Image)
	if err != nil {
		return err
	}
	host, err := persona.New(a.secret, a.settings.Deception.Persona, persona.Options{Now: a.deployed, Image: own})
	if err != nil {
		return err
	}
	a.host, a.image = host, own
	a.tokens, err = bait(ctx, a.state, a.secret, host, a.now())
	return err
}

func (a *App) openRecordings(context.Context) error {
	store, err := evidence.Open(filepath.Join(a.settings.Node.Data, "recordings"), evidence.Options{
		Total: a.settings.Deception.Recordings << 20, Holder: bundle.Keeper{State: a.state},
	})
	if err != nil {
		return err
	}
	a.recordings = store
	a.closers = append(a.closers, store.Close)
	return nil
}

// openWorlds opens what attackers left behind in the decoys.
func (a *App) openWorlds(ctx context.Context) error {
	d := a.settings.Deception
	path, options := filepath.Join(a.settings.Node.Data, "worlds.db"), worlds.Options{
		Secret: a.secret, Bytes: d.Worlds << 20, Keep: time.Duration(d.WorldsDays) * 24 * time.Hour, Now: a.now, Log: a.log,
	}
	store, err := worlds.Open(ctx, path, options)
	if sqldb.IsCorrupt(err) {
		// What attackers left behind is worth less than a core that runs.
		to, aerr := sqldb.PutAside(path)
		if aerr != nil {
			return errors.Join(err, aerr)
		}
		a.log.LogAttrs(ctx, slog.LevelError, "the file of worlds is damaged and put aside; decoys begin anew", slog.String("kept", to), slog.Any("error", err))
		a.later = append(a.later, finding{"core-damage", honeyguide.SeverityMedium, "A file of the core is damaged", "worlds.db cannot be read and was put aside as " + filepath.Base(to) + "; attackers who come back find the decoys as new"})
		store, err = worlds.Open(ctx, path, options)
	}
	if err != nil {
		return err
	}
	a.worlds = store
	a.closers = append(a.closers, func() error {
		// What a sensor handed over while it was stopped came after the last write.
		return errors.Join(store.Flush(context.WithoutCancel(ctx)), store.Close())
	})
	return nil
}

func (a *App) openSamples(context.Context) error {
	store, err := evidence.OpenSamples(filepath.Join(a.settings.Node.Data, "samples"), evidence.SampleOptions{
		Total: a.settings.Deception.Samples << 20, Now: a.now, Vault: a.vault,
		Holder: bundle.Keeper{State: a.state},
	})
	if err != nil {
		return err
	}
	a.samples = store
	a.closers = append(a.closers, store.Close)
	return nil
}

// pruneSamples removes the contents whose samples the state has given up.
func (a *App) pruneSamples(ctx context.Context) error {
	n, err := a.samples.Prune(ctx, func(ctx context.Context, id string) (known bool, err error) {
		err = a.state.View(ctx, func(tx state.Tx) error {
			_, err := tx.Samples().Get(ctx, id)
			known = err == nil
			if honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
				return nil
			}
			return err
		})
		return known, err
	})
	if n > 0 {
		a.log.LogAttrs(ctx, slog.LevelInfo, "old samples removed", slog.Int("samples", n))
	}
	return err
}

// keep runs the tasks every opened core has: the pipeline and retention.
func (a *App) keep(ctx context.Context, g *supervise.Group) {
	g.Keep(ctx, "audit log", a.audit.Run)
	for _, f := range a.feeds {
		g.Keep(ctx, "audit export", f.Run)
	}
	g.Go(ctx, "keys of secrets", a.keyring.goOn)
	g.Keep(ctx, "evidence", a.evidence.Run)
	g.Keep(ctx, "pipeline", a.judge)
	g.Keep(ctx, "watch", a.watchPipeline)
	g.Keep(ctx, "sign of life", a.alive)
	g.Keep(ctx, "responses", a.runs.Run)
	g.Keep(ctx, "stop switch", a.keepHalt)
	g.Keep(ctx, "triage", a.trainer.Run)
	g.Keep(ctx, "incidents", a.incidents.Run)
	g.Keep(ctx, "retention", a.retention)
	g.Keep(ctx, "worlds", a.worlds.Run)
	g.Keep(ctx, "rules", a.rules.Run)
	g.Keep(ctx, "notices", a.notices.Run)
	g.Keep(ctx, "playbooks", a.books.Run)
	g.Keep(ctx, "live stream", a.live.Run)
	g.Keep(ctx, "backups", a.backups.Run)
	g.Keep(ctx, "erasures", a.privacy.Run)
}
