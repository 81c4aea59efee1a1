package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/auth"
	"honeyguide/internal/certs"
	"honeyguide/internal/state"
	"honeyguide/internal/supervise"
	"honeyguide/internal/warden"
	"honeyguide/web"
)

// SocketName is the core's local door in the data folder. Whoever may open it
// may read the folder, so it asks for no key.
const SocketName = "honeyguide.sock"

// A Door is one address people or attackers use.
type Door struct{ Name, Kind, Listen string }

// Welcome is what a person is told once everything is up.
type Welcome struct {
	Sensors     []Door
	API         string            // address of the console, https://HOST[:PORT]: browsers keep logins and passkeys by its host
	Certificate certs.Status      // with its SHA-256, by which a person knows it again
	Data        string            // folder
	AdminKey    honeyguide.Secret // set at the first start only, unless it was configured
	// FirstRun is the link that makes the first user, until there is one.
	FirstRun honeyguide.Secret
}

// Run starts everything, calls welcome once all of it serves, and returns when
// ctx has ended and everything has been put away.
func (a *App) Run(ctx context.Context, welcome func(Welcome)) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	w, err := a.warden(ctx)
	if err != nil {
		return err
	}
	keys, key, err := a.apiKeys(ctx)
	if err != nil {
		return err
	}
	handler, err := a.handler(keys, w)
	if err != nil {
		return err
	}
	doors, err := a.openDoors(ctx)
	if err != nil {
		return err
	}
	lapi, bouncers, err := a.openLAPI(ctx, a.apiDeps(keys, w), doors.certs)
	if err != nil {
		return err
	}
	plain, redirect, err := a.openRedirect(ctx, doors.certs, doors.tls.Addr().String())
	if err != nil {
		return err
	}
	a.loadFacts()
	if err := a.sources.Open(ctx); err != nil {
		return err
	}
	g := supervise.New(a.log)
	a.keep(ctx, g)
	a.keepDisk(ctx, g)
	a.keepFetch(ctx, g)
	a.keepFirewall(ctx, g)
	a.keepFacts(ctx, g)
	a.keepLists(ctx, g)
	g.Go(ctx, "memory", watchMemory)
	g.Keep(ctx, "logins", a.identity.Run)
	g.Keep(ctx, "keys", keys.Run)
	die := func(ctx context.Context, name string, fn func(context.Context) error) {
		g.Go(ctx, name, func(ctx context.Context) error {
			err := fn(ctx)
			if err != nil && ctx.Err() == nil {
				cancel(fmt.Errorf("%s: %w", name, err))
			}
			return err
		})
	}
	die(ctx, "api", func(ctx context.Context) error { return api.Serve(ctx, doors.tls, handler, a.log) })
	die(ctx, "local api", func(ctx context.Context) error { return api.Serve(ctx, doors.local, handler, a.log) })
	g.Keep(ctx, "certificate", doors.certs.Run)
	if redirect != nil {
		die(ctx, "redirect", func(ctx context.Context) error { return api.Serve(ctx, plain, redirect, a.log) })
	}
	if bouncers != nil {
		die(ctx, "lapi", func(ctx context.Context) error { return api.Serve(ctx, lapi, bouncers, a.log) })
	}
	g.Go(ctx, "sources", a.sources.Run)
	told := Welcome{API: a.consoleAddress(), Certificate: doors.certs.Status(), Data: a.settings.Node.Data, AdminKey: key}
	if w != nil {
		defer w.Close()
		a.decoys.set(w)
		if err := a.holdAgain(ctx); err != nil {
			return err
		}
		die(ctx, "sensor process", w.Run)
		select {
		case <-w.Ready():
		case <-ctx.Done():
		}
		for _, s := range w.Sensors() {
			told.Sensors = append(told.Sensors, Door{s.Name, s.Kind, s.Addr})
		}
	}
	if ctx.Err() == nil {
		if told.FirstRun, err = a.firstRun(ctx); err != nil {
			return err
		}
		welcome(told)
		a.checkLimits(ctx)
		a.tellLater(ctx)
		if err := a.manager.tell("READY=1", "STATUS=serving"); err != nil {
			a.log.LogAttrs(ctx, slog.LevelWarn, "not told to be up", slog.Any("error", err))
		}
	}
	<-ctx.Done()
	_ = a.manager.tell("STOPPING=1", "STATUS=finishing what is under way") // who does not listen need not know
	err = a.drain(ctx, g.Wait)
	if cause := context.Cause(ctx); cause != nil && !errors.Is(cause, context.Canceled) {
		return cause
	}
	return err
}

// doors are the listeners of the API.
type doors struct {
	tls, local api.Listener
	certs      *certs.Keeper
}

func (a *App) openDoors(ctx context.Context) (d doors, err error) {
	if _, _, err := net.SplitHostPort(a.settings.API.Listen); err != nil {
		return d, invalid("api.listen: %v; for example 127.0.0.1:8443", err)
	}
	if d.certs, err = a.openCerts(); err != nil {
		return d, err
	}
	open, err := warden.Listen(ctx, a.settings.API.Listen, "api.listen")
	if err != nil {
		return d, err
	}
	guards := a.guards()
	a.bound = open.Addr().String()
	d.tls = api.Listener{Listener: open, TLS: d.certs.Config(), PerAddress: a.settings.API.Limits.Connections, Exempt: guards.Proxies.From}
	socket := filepath.Join(a.settings.Node.Data, SocketName)
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) { // the lock is ours: nobody listens there
		return d, err
	}
	local, err := (&net.ListenConfig{}).Listen(ctx, "unix", socket)
	if err != nil {
		return d, fmt.Errorf("open the local door: %w", err)
	}
	d.local = api.Listener{Listener: local, Local: true}
	return d, os.Chmod(socket, 0o600) // the folder is 0700 already
}

// apiKeys returns who may use the API and, at the first start without a key of
// the operator's choice, a new admin key. Only its hash is kept.
func (a *App) apiKeys(ctx context.Context) (*auth.StateKeys, honeyguide.Secret, error) {
	keys, err := auth.NewStateKeys(a.state, a.settings.API.AdminKey)
	if err != nil {
		return nil, "", err
	}
	if err := keys.Adopt(ctx); err != nil || a.settings.API.AdminKey != "" {
		return keys, "", err
	}
	known, err := keys.List(ctx)
	if err != nil || len(known) > 0 {
		return keys, "", err
	}
	secret, key, err := auth.NewKey("admin", auth.ScopeAdmin, a.now(), time.Time{})
	if err != nil {
		return nil, "", err
	}
	return keys, secret, keys.Add(ctx, key)
}

// handler builds the API over what is open. w is nil when no sensor runs.
func (a *App) handler(keys auth.Keys, w *warden.Warden) (http.Handler, error) {
	return api.New(a.apiDeps(keys, w))
}

// apiDeps is what the API's doors stand on.
func (a *App) apiDeps(keys auth.Keys, w *warden.Warden) api.Deps {
	a.openLists()
	a.troubles = a.health(w)
	return api.Deps{
		State: a.state, Events: a.events, Take: a.intake.Store, Idle: a.consumer.Idle, Mappers: a.mappers, Mapping: mapping, Seen: a.seen,
		Sources: a.sourceList, Rules: a.rules, Playbooks: a.books, Notices: a.notices, Judged: a.trainer.Judged, Trainer: a.trainer, Desk: a.incidents,
		Recording: a.recordings.Open, Sample: a.samples, Enrich: a.enrichStatus, Sensors: sensorsOf(w, a.host.Name), Health: a.troubles, Full: a.diskFull,
		Allowlist: a.allowlist, Refuse: a.guard.Refuse, Standing: a.nodeStanding, Responder: a.runs, Live: a.live,
		Audit: a.audit, Trail: a.audit, Privacy: a.privacy, Evidence: a.evidence, Banner: a.settings.Privacy.Banner,
		Backups: a.backups, Pulses: a.intake.Pulses, Identity: a.identity, Address: a.consoleAddress(),
		Setup: a.standingSetup, Secrets: a.keyring, Facts: a.Compliance,
		Keys: keys, Metrics: a.metrics, Version: a.version, Log: a.log, Now: a.now,
		Present: a.present.saw, Lists: a.lists, Readers: a.readers, Node: a.settings.Node.Name, Console: web.Files(), Guards: a.guards(),
	}
}

// sensorsOf shows the decoys of a sensor process.
func sensorsOf(w *warden.Warden, persona string) func(context.Context) []api.Sensor {
	return func(context.Context) []api.Sensor {
		if w == nil {
			return nil
		}
		h := w.Health()
		var layers []string
		for _, l := range h.Layers {
			layers = append(layers, l.Name+": "+l.State)
		}
		var out []api.Sensor
		for _, s := range w.Sensors() {
			out = append(out, api.Sensor{
				Name: s.Name, Kind: s.Kind, Persona: persona, Listen: s.Addr, Network: s.Network,
				State: h.State, Detail: h.LastExit, Layers: layers, Restarts: int64(h.Restarts), Since: h.Since,
			})
		}
		return out
	}
}

// health says what keeps the core from its work, in words anybody may read.
func (a *App) health(w *warden.Warden) func(context.Context) []string {
	return func(ctx context.Context) (why []string) {
		if a.disk.keeper.Full() {
			why = append(why, "the disk is full: no event is taken until there is room")
		}
		if a.audit.Refused() != "" {
			why = append(why, "the audit log is damaged, so nothing can be changed")
		}
		if _, _, err := a.events.Ends(ctx); err != nil {
			why = append(why, "the event log does not answer")
		}
		if err := a.state.View(ctx, func(state.Tx) error { return nil }); err != nil {
			why = append(why, "the state does not answer")
		}
		if w != nil && w.Check(ctx) != nil {
			why = append(why, "the sensor process does not serve")
		}
		return why
	}
}

// Offline serves the API inside this process over a core that does not run:
// the pipeline works off what is left, and ingest finds it running. stop ends it.
func (a *App) Offline(ctx context.Context) (http.Handler, func(), error) {
	keys, err := auth.NewStateKeys(a.state, "")
	if err != nil {
		return nil, nil, err
	}
	if err := keys.Adopt(ctx); err != nil {
		return nil, nil, err
	}
	h, err := a.handler(keys, nil)
	if err != nil {
		return nil, nil, err
	}
	ctx, cancel := context.WithCancel(ctx)
	g := supervise.New(a.log)
	g.Keep(ctx, "pipeline", a.consumer.Run)
	g.Keep(ctx, "evidence", a.evidence.Run)
	g.Keep(ctx, "erasures", a.privacy.Run)
	g.Go(ctx, "memory", watchMemory)
	return api.Trusted(h), func() {
		cancel()
		if err := g.Wait(); err != nil {
			a.log.LogAttrs(ctx, slog.LevelError, "pipeline", slog.Any("error", err))
		}
	}, nil
}
