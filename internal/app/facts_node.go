package app

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"honeyguide"
	"honeyguide/internal/comply"
	"honeyguide/internal/enrich"
	"honeyguide/internal/reserve"
	"honeyguide/internal/respond"
	"honeyguide/internal/source"
)

// buildFacts are about the binary.
func (a *App) buildFacts(f *comply.Facts) {
	f.Words("build.version", a.version, "binary")
	info, ok := debug.ReadBuildInfo()
	if !ok {
		f.Missing("build.modules", "the binary was built without module information")
		return
	}
	const from = "binary (go version -m)"
	f.Count("build.modules", int64(len(info.Deps)), from)
	set := map[string]string{}
	for _, s := range info.Settings {
		set[s.Key] = s.Value
	}
	if set["vcs.revision"] == "" {
		for _, id := range []string{"build.revision", "build.clean", "build.age"} {
			f.Missing(id, "the binary was built without its revision")
		}
		return
	}
	f.Words("build.revision", set["vcs.revision"], from)
	f.Flag("build.clean", set["vcs.modified"] == "false", from)
	at, _ := time.Parse(time.RFC3339, set["vcs.time"])
	f.Age("build.age", at, from)
}

// hostFacts are about the machine and the rights of this process.
func (a *App) hostFacts(f *comply.Facts) {
	f.Flag("node.root", os.Geteuid() == 0, "process")
	f.Words("host.system", hostSystem(), "/etc/os-release, "+runtime.GOARCH)
	patched := newest("/var/lib/dpkg/status", "/var/lib/rpm/rpmdb.sqlite", "/lib/apk/db/installed")
	f.Age("host.patched", patched, "time of the package database")
	_, err := os.Stat("/run/reboot-required")
	f.Flag("host.reboot", err == nil, "/run/reboot-required")
	f.Flag("host.container", contained(), "/.dockerenv, /run/.containerenv, KUBERNETES_SERVICE_HOST")
	if n, err := hardening(); err == nil {
		f.Count("host.hardened", int64(n), "/proc/self/status, mount flags of /")
	} else {
		f.Missing("host.hardened", "/proc/self/status cannot be read")
	}
	if synced, k, err := kernelClock(); err != nil {
		f.Missing("clock.synced", "the kernel does not say")
	} else {
		f.Flag("clock.synced", synced, "adjtimex(2)")
		ms := float64(k.Esterror) / 1000
		f.Mean("clock.error", &ms, 1, "adjtimex(2)")
	}
	if space, err := reserve.Stat(a.settings.Node.Data); err != nil {
		f.Missing("disk.free", "the file system does not say")
	} else {
		f.Share("disk.free", space.Free>>20, space.Size>>20, "statfs of the data folder, MiB")
	}
	f.Flag("files.private", checkFolder(a.settings.Node.Data).Status == StatusOK && checkKeys(filepath.Join(a.settings.Node.Data, "keys")).Status == StatusOK, "modes in the data folder")
}

// hostSystem names the operating system.
func hostSystem() string {
	raw, _ := os.ReadFile("/etc/os-release")
	for line := range strings.Lines(string(raw)) {
		if name, ok := strings.CutPrefix(strings.TrimSpace(line), "PRETTY_NAME="); ok {
			if text, err := strconv.Unquote(name); err == nil {
				return text
			}
			return name
		}
	}
	return runtime.GOOS
}

// newest is when the newest of some files changed.
func newest(files ...string) (at time.Time) {
	for _, name := range files {
		if st, err := os.Stat(name); err == nil && st.ModTime().After(at) {
			at = st.ModTime()
		}
	}
	return at
}

// contained reports whether this process lives in a container.
func contained() bool {
	if os.Getenv("KUBERNETES_SERVICE_HOST") != "" {
		return true
	}
	for _, name := range []string{"/.dockerenv", "/run/.containerenv"} {
		if _, err := os.Stat(name); err == nil {
			return true
		}
	}
	return false
}

// fewCaps is how many capabilities there may be at most for a process to count as
// one that has few: an ordinary service has none or two.
const fewCaps = 4

// hardening counts the signs that somebody took rights from this process.
func hardening() (n int, err error) {
	raw, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return 0, err
	}
	for line := range bytes.Lines(raw) {
		key, value, _ := strings.Cut(strings.TrimSpace(string(line)), ":")
		value = strings.TrimSpace(value)
		switch key {
		case "NoNewPrivs":
			if value == "1" {
				n++
			}
		case "Seccomp":
			if value != "0" {
				n++
			}
		case "CapBnd":
			set, err := strconv.ParseUint(value, 16, 64)
			if err == nil && bits(set) <= fewCaps {
				n++
			}
		}
	}
	var st syscall.Statfs_t
	if err := syscall.Statfs("/", &st); err == nil && st.Flags&syscall.MS_RDONLY != 0 {
		n++
	}
	return n, nil
}

func bits(set uint64) (n int) {
	for ; set != 0; set &= set - 1 {
		n++
	}
	return n
}

// settingFacts are what the configuration says.
func (a *App) settingFacts(f *comply.Facts) {
	s := &a.settings
	f.Words("node.mode", s.Node.Mode, "setting node.mode")
	f.Flag("node.debug", s.Telemetry.Level == "debug", "setting telemetry.level")
	strong := map[string]bool{}
	for _, r := range s.Auth.SecondFactor {
		strong[r] = true
	}
	f.Flag("auth.enforced", strong["admin"] && strong["responder"], "setting auth.second_factor")
	f.Flag("auth.breached", s.Auth.BreachList != "", "setting auth.breach_list")
	f.Count("auth.providers", int64(len(s.Auth.OIDC)), "setting auth.oidc")
	f.Flag("api.restricted", loopbackAddress(s.API.Listen) || len(s.API.Allow) > 0, "settings api.listen, api.allow")
	l := s.API.Limits
	f.Flag("api.limits", l.Login > 0 && l.Read > 0 && l.Write > 0 && l.Export > 0, "setting api.limits")
	f.Flag("privacy.purpose", s.Privacy.Banner != "", "setting privacy.login_banner") // what people are told about their data, and why it is kept
	if n := s.Privacy.Pseudonyms; n > 0 {
		f.Days("privacy.mask", float64(n), "setting privacy.pseudonymise_after_days")
	} else {
		f.Missing("privacy.mask", "privacy.pseudonymise_after_days is 0: never")
	}
	plain := int64(0)
	for _, v := range s.Shown {
		inFile := func(file string) bool { return strings.HasPrefix(v.Origin, file+":") }
		if v.Secret && v.Set && slices.ContainsFunc(s.Files, inFile) {
			plain++
		}
	}
	f.Count("config.secrets", plain, "configuration file")
	f.Flag("sla.set", s.Respond.SLA.Critical > 0 && s.Respond.SLA.High > 0 && s.Respond.SLA.Medium > 0 && s.Respond.SLA.Low > 0, "setting respond.sla")
	f.Count("allowlist.entries", int64(len(s.Respond.Allowlist)+len(a.allowlist.Prefixes())), "setting respond.allowlist, state")
	f.Flag("playbooks.apply", s.Respond.Mode == honeyguide.ModeApply, "setting respond.mode")
	keys := filepath.Join(s.Node.Data, "keys")
	f.Flag("store.encrypted", a.vault.Sealed(), "keys/keys.ring, opened at the start")
	f.Flag("samples.sealed", !newest(filepath.Join(keys, "samples.key")).IsZero(), "keys/samples.key, opened at the start")
	f.Flag("cage.limits", s.Deception.MaxSessions > 0 && s.Deception.Memory > 0, "setting deception")
	f.Flag("metrics.on", a.metrics != nil, "GET /metrics")
}

// doorFacts are about the certificate of the console.
func (a *App) doorFacts(f *comply.Facts) {
	k := a.keeper.Load()
	if k == nil {
		for _, id := range []string{"tls.on", "tls.kind", "tls.public", "tls.left"} {
			f.Missing(id, "the core does not run, so its door is shut")
		}
		return
	}
	st := k.Status()
	const from = "certificate in use"
	f.Flag("tls.on", st.Fingerprint != "", from)
	f.Words("tls.kind", st.Kind, from)
	f.Flag("tls.public", st.Kind != "self-signed", from)
	if st.NotAfter.IsZero() {
		f.Missing("tls.left", "the certificate names no end")
		return
	}
	f.Days("tls.left", st.NotAfter.Sub(f.At).Hours()/24, from)
}

// cageFacts are about the decoys and the processes in cages.
func (a *App) cageFacts(ctx context.Context, f *comply.Facts) {
	f.Flag("egress.caged", !a.settings.Deception.Insecure, "fetcher process, or nothing that reaches out")
	_, inside := a.identity.Ways()
	f.Count("egress.hosts", int64(len(inside)), "settings of actions and logins")
	w, err := a.decoys.warden()
	if err != nil {
		for _, id := range []string{"cage.on", "cage.layers", "cage.probes", "cage.open", "cage.violations", "decoys.running"} {
			f.Missing(id, "no decoy runs in this process")
		}
	} else {
		h := w.Health()
		const from = "self-test of the sensor process"
		on := int64(0)
		for _, l := range h.Layers {
			if l.State == "on" {
				on++
			}
		}
		f.Flag("cage.on", !a.settings.Deception.Insecure && len(h.Layers) > 0, from)
		f.Share("cage.layers", on, int64(len(h.Layers)), from)
		f.Count("cage.probes", int64(h.Probes), from)
		f.Count("cage.open", int64(len(h.Open)), from)
		f.Count("cage.violations", int64(h.Violations), from)
		running := int64(0)
		if w.Check(ctx) == nil {
			running = int64(len(w.Sensors()))
		}
		f.Share("decoys.running", running, int64(len(w.Sensors())), "sensor process")
	}
	if a.firewall == nil {
		f.Flag("firewall.commands", false, a.noFire)
		for _, id := range []string{"firewall.intact", "firewall.blocks", "firewall.denied"} {
			f.Missing(id, a.noFire)
		}
		return
	}
	h, err := a.firewall.Health(ctx)
	const from = "firewall process"
	f.Flag("firewall.commands", err == nil && h.Serving, from)
	f.Flag("firewall.intact", err == nil && h.Intact, from)
	f.Count("firewall.blocks", int64(h.Blocks), from)
	f.Count("firewall.denied", int64(h.Denied), from)
}

// carriesLogs are the kinds of actions that carry records to a log elsewhere.
var carriesLogs = map[string]bool{"syslog": true}

// flowFacts are about what is detected, by what, and who is told.
func (a *App) flowFacts(ctx context.Context, f *comply.Facts) {
	if a.troubles != nil {
		f.Flag("node.ready", len(a.troubles(ctx)) == 0, "GET /api/v1/standing")
	}
	e := a.rules.Current()
	f.Count("rules.active", int64(e.InForce), "rules in force")
	f.Count("rules.faults", int64(len(e.Faults)), "rules in force")
	at := newest(a.settings.Detect.Rules)
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, s := range info.Settings {
			if t, err := time.Parse(time.RFC3339, s.Value); s.Key == "vcs.time" && err == nil && t.After(at) {
				at = t
			}
		}
	}
	f.Age("rules.age", at, "shipped rules, folder detect.rules")
	detectors := int64(0)
	for _, in := range a.settings.Detectors {
		if in.Enabled {
			detectors++
		}
	}
	f.Count("detectors.n", detectors, "settings detectors")
	books, asked := int64(0), int64(0)
	for _, b := range a.books.View().Entries {
		if b.Disabled {
			continue
		}
		books++
		for i := range b.Steps {
			if b.Steps[i].Approval != nil {
				asked++
				break
			}
		}
	}
	f.Count("playbooks.n", books, "playbooks in force")
	f.Count("playbooks.asked", asked, "playbooks in force")
	var channels, outlets, logs int64
	for _, in := range a.settings.Actions {
		if !in.Enabled {
			continue
		}
		if _, ok := a.actions[in.Name].(respond.Messenger); ok {
			channels++
		}
		if !slices.Contains(ready, in.Kind) { // those are there without settings, and say nothing about what somebody set up
			outlets++
		}
		if carriesLogs[in.Kind] {
			logs++
		}
	}
	f.Count("notify.channels", channels, "settings actions, notify")
	f.Count("forward.n", outlets, "settings actions")
	f.Count("forward.logs", logs, "settings actions")
	feeds, failing, assets := int64(0), int64(0), false
	for _, s := range a.enrichStatus(ctx) {
		feeds++
		if s.State == enrich.StateFailed {
			failing++
		}
		assets = assets || s.Kind == "assets" && s.Items > 0
	}
	f.Count("feeds.n", feeds, "settings enrich")
	f.Count("feeds.failing", failing, "GET /api/v1/enrichers")
	f.Flag("assets.known", assets, "settings enrich")
	n, silent := int64(0), int64(0)
	for _, s := range a.sources.List() {
		if s.State == source.StateOff || s.State == source.StateDone {
			continue
		}
		n++
		if s.State == source.StateFailing || s.State == source.StateWaiting {
			silent++
		}
	}
	f.Count("sources.n", n, "GET /api/v1/sources")
	f.Count("sources.silent", silent, "GET /api/v1/sources")
}
