package app

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"

	"honeyguide/internal/bundle"
	"honeyguide/internal/config"
	"honeyguide/internal/fwhelper"
)

// EvidenceDir is the folder of archives of evidence in the data folder.
func EvidenceDir(data string) string { return filepath.Join(data, "evidence") }

// openEvidence opens the room of evidence that leaves.
func (a *App) openEvidence(ctx context.Context) (err error) {
	a.evidence, err = bundle.Open(ctx, bundle.Deps{
		Dir: EvidenceDir(a.settings.Node.Data), State: a.state, Events: a.events, Recording: a.recordings.Open, Samples: a.samples, Trail: a.audit,
		Keys: a.vault, Node: bundle.Node{Name: a.settings.Node.Name, Version: a.version},
		Configuration: a.configurationSnapshot, Firewall: a.firewallSnapshot, Standing: a.nodeSnapshot, Log: a.log, Now: a.now,
	})
	return err
}

// snapshot writes what evidence says of the deployment.
func snapshot(v any) ([]byte, error) {
	text, err := json.MarshalIndent(v, "", " ")
	return append(text, '\n'), err
}

// configurationSnapshot is every key with its value; secrets are masked.
func (a *App) configurationSnapshot(context.Context) ([]byte, error) {
	return snapshot(struct {
		Files  []string       `json:"files"`
		Values []config.Value `json:"values"`
	}{a.settings.Files, a.settings.Shown})
}

// firewallSnapshot is how the firewall process sees its table, and what it is to hold.
func (a *App) firewallSnapshot(ctx context.Context) ([]byte, error) {
	if a.firewall == nil {
		return snapshot(map[string]string{"none": a.noFire})
	}
	h, err := a.firewall.Health(ctx)
	if err != nil {
		return nil, err
	}
	want, err := a.toBeInForce(ctx)
	if err != nil {
		return nil, err
	}
	return snapshot(struct {
		Health fwhelper.Health `json:"health"`
		Wanted fwhelper.Table  `json:"wanted"`
	}{h, want})
}

// nodeSnapshot is which programs ran here and how the clock stood.
func (a *App) nodeSnapshot(context.Context) ([]byte, error) {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease") // not everywhere
	uptime, _ := os.ReadFile("/proc/uptime")
	zone, offset := a.now().Zone()
	host, _ := os.Hostname()
	synced, clock, _ := kernelClock() // where it does not say, it is not synchronised
	return snapshot(map[string]any{
		"node": a.settings.Node.Name, "host": host, "version": a.version, "go": runtime.Version(), "platform": runtime.GOOS + "/" + runtime.GOARCH,
		"kernel": strings.TrimSpace(string(kernel)), "uptime_s": strings.Fields(string(uptime) + " -")[0],
		"time": a.now().UTC().Format(time.RFC3339Nano), "zone": zone, "zone_offset_s": offset,
		"clock_synchronised": synced, "clock_max_error_us": clock.Maxerror, "clock_estimated_error_us": clock.Esterror,
	})
}
