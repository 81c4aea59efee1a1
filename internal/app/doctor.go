package app

import (
	"context"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
	"honeyguide/internal/reserve"
	"honeyguide/internal/sandbox"
	"honeyguide/internal/supervise"
	"honeyguide/internal/warden"
)

// A Finding is one line of the production checklist.
type Finding struct {
	Name   string `json:"name"`
	Status string `json:"status"` // ok, warn, fail
	Text   string `json:"text"`
	Mend   string `json:"mend,omitempty"` // what to do about it; "" when ok
}

// Finding statuses.
const (
	StatusOK   = "ok"
	StatusWarn = "warn"
	StatusFail = "fail"
)

func ok(name, format string, args ...any) Finding {
	return Finding{Name: name, Status: StatusOK, Text: fmt.Sprintf(format, args...)}
}

// checkSettings are the checks that look at settings and files alone: they are quick
// and change nothing.
func checkSettings(s Settings, now time.Time) []Finding {
	return []Finding{
		checkFolder(s.Node.Data), checkKeys(filepath.Join(s.Node.Data, "keys")), checkConfigFiles(s), checkAdminKey(s), checkAudit(s), checkAPI(s),
		checkCertificate(s, now), checkProxies(s), checkReach(s), checkSegment(), checkAllowlist(s), checkFirewall(s), checkFiles(s), checkDisk(s.Node.Data),
		checkReserve(s), checkMode(s), checkLog(s), checkThreshold(s), checkRetention(s),
	}
}

// Doctor goes through the production checklist without changing anything.
func Doctor(ctx context.Context, s Settings) []Finding {
	out := checkSettings(s, time.Now())
	out = append(out, checkCage(ctx, s), checkSources(ctx, s), checkNotify(s, carriers(ctx, s)), checkPlaybooks(ctx, s))
	out = append(out, checkLive(ctx, s)...)
	out = append(out, checkBackup(s, time.Now())...)
	out = append(out, checkSecrets(s, time.Now())...)
	return append(out, checkEnrich(ctx, s)...)
}

func checkFolder(data string) Finding {
	st, err := os.Stat(data)
	switch {
	case err != nil:
		return Finding{"data folder", StatusWarn, fmt.Sprint(err), "it is made at the first start; or say where with --data"}
	case !st.IsDir():
		return Finding{"data folder", StatusFail, data + " is no folder", "choose another with --data or node.data"}
	case st.Mode().Perm()&0o077 != 0:
		return Finding{"data folder", StatusFail, fmt.Sprintf("%s has mode %04o; others may read it", data, st.Mode().Perm()), "chmod 700 " + data}
	}
	return ok("data folder", "%s is private", data)
}

func checkKeys(dir string) Finding {
	var loose string
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		st, err := d.Info()
		if err == nil && st.Mode().Perm()&0o077 != 0 {
			loose = path
		}
		return err
	})
	switch {
	case err != nil:
		return Finding{"key files", StatusWarn, fmt.Sprint(err), "they are made at the first start"}
	case loose != "":
		return Finding{"key files", StatusFail, loose + " can be read by others", "chmod 600 " + loose}
	}
	return ok("key files", "private, no default among them: every deployment makes its own")
}

func checkAdminKey(s Settings) Finding {
	if s.API.AdminKey != "" {
		return ok("admin key", "given by configuration (%d characters)", len(s.API.AdminKey.Reveal()))
	}
	return ok("admin key", "made at the first start and shown once; only its hash is kept")
}

func checkCage(ctx context.Context, s Settings) Finding {
	if s.Deception.Insecure {
		return Finding{"isolation", StatusFail, "deception.insecure is on: sensors run without their cage", "remove deception.insecure and --insecure"}
	}
	report, err := sandboxReport(ctx, s)
	if err != nil {
		return Finding{"isolation", StatusFail, fmt.Sprint(err), "the kernel needs seccomp with TSYNC (Linux 3.17 or newer)"}
	}
	return report
}

func checkAPI(s Settings) Finding {
	_, _, err := net.SplitHostPort(s.API.Listen)
	switch {
	case err != nil:
		return Finding{"api", StatusFail, fmt.Sprintf("api.listen: %v", err), "for example api.listen: 127.0.0.1:8443"}
	case loopbackAddress(s.API.Listen):
		return ok("api", "TLS on loopback (%s)", s.API.Listen)
	case len(s.API.Allow) > 0:
		return ok("api", "TLS on %s, for %d networks (api.allow)", s.API.Listen, len(s.API.Allow))
	}
	return Finding{"api", StatusWarn, s.API.Listen + " can be reached from other machines, and api.allow is empty: from all of them", "set api.allow to your own networks, or bind it to loopback and reach it through SSH or a VPN"}
}

// checkReach says whether attackers can reach the decoys at all.
func checkReach(s Settings) Finding {
	n, local := 0, 0
	for _, in := range s.Sensors {
		if !in.Enabled {
			continue
		}
		n++
		host, _, _ := net.SplitHostPort(in.Common.(*Listen).Listen)
		if ip := net.ParseIP(host); host == "localhost" || ip != nil && ip.IsLoopback() {
			local++
		}
	}
	switch {
	case n == 0:
		return Finding{"decoys", StatusWarn, "no sensor is enabled", "remove `enabled: false` or add one below sensors:"}
	case n == local:
		return Finding{"decoys", StatusWarn, "all decoys listen on loopback: only this machine can attack them", "set sensors.ssh.listen: 0.0.0.0:22 and so on, once this list is green"}
	}
	return ok("decoys", "%d of %d can be reached from other machines", n-local, n)
}

// checkFirewall says whether blocks can be more than plans.
func checkFirewall(s Settings) Finding {
	may := sandbox.HasNetAdmin()
	switch {
	case s.Respond.Firewall == "off":
		return Finding{"firewall", StatusWarn, "respond.firewall is off: nothing is ever blocked", "set respond.firewall: auto, see docs/how-to/block.md"}
	case !may && s.Respond.Firewall == "on":
		return Finding{"firewall", StatusFail, "respond.firewall is on, and there is no right to command it", "run as root, or AmbientCapabilities=CAP_NET_ADMIN; see docs/how-to/block.md"}
	case !may:
		return Finding{"firewall", StatusWarn, "no right to command it: blocks stay plans", "run as root, or AmbientCapabilities=CAP_NET_ADMIN; see docs/how-to/block.md"}
	}
	return ok("firewall", "may be commanded")
}

func checkAllowlist(s Settings) Finding {
	if len(s.Respond.Allowlist) == 0 {
		return Finding{"allowlist", StatusWarn, "respond.allowlist is empty", "add your own networks and scanners, so that no plan ever touches them"}
	}
	return ok("allowlist", "%d entries beat every ban", len(s.Respond.Allowlist))
}

// checkFiles compares the descriptor limit with the sessions promised.
func checkFiles(s Settings) Finding {
	have, need, err := filesNeeded(s)
	if err != nil {
		return Finding{"open files", StatusWarn, fmt.Sprint(err), "ulimit -n 20000"}
	}
	if have < need {
		return Finding{"open files", StatusWarn, fmt.Sprintf("the limit is %d, deception.max_sessions wants %d", have, need), "raise it (LimitNOFILE= in the unit, or ulimit -Hn) or lower deception.max_sessions"}
	}
	return ok("open files", "limit %d", have)
}

// minFree is the free space below which the log may soon refuse events.
const minFree = 1 << 30

// existing is the folder that is there, on the way to one that may not be.
func existing(dir string) string {
	for {
		if _, err := os.Stat(dir); err == nil || dir == "/" || dir == "." {
			return dir
		}
		dir = filepath.Dir(dir)
	}
}

func checkDisk(data string) Finding {
	dir := existing(data)
	space, err := reserve.Stat(dir)
	if err != nil {
		return Finding{"disk", StatusWarn, fmt.Sprint(err), "check the file system of " + dir}
	}
	if space.Free < minFree {
		return Finding{"disk", StatusFail, fmt.Sprintf("%d MiB free under %s", space.Free>>20, dir), "free at least 1 GiB, or lower store.retention_days"}
	}
	return ok("disk", "%d GiB free", space.Free>>30)
}

func checkLog(s Settings) Finding {
	if s.Telemetry.Level == "debug" && s.Node.Mode == "production" {
		return Finding{"log level", StatusWarn, "debug in production", "set telemetry.level: info"}
	}
	return ok("log level", "%s", s.Telemetry.Level)
}

// probePatience is how long a healthy machine may take to start one caged process.
const probePatience = 20 * time.Second

// sandboxReport starts a real sensor process with one decoy on a free port,
// lets it close and test its cage, and ends it.
func sandboxReport(ctx context.Context, s Settings) (Finding, error) {
	ctx, cancel := context.WithTimeout(ctx, probePatience)
	defer cancel()
	now := time.Now()
	w, err := warden.New(ctx, warden.Options{
		Name: "doctor", Args: []string{childArg}, NoNamespaces: s.Deception.Namespaces == "off",
		Setup: ipc.Setup{
			Persona: s.Deception.Persona, Seed: []byte("doctor's rehearsal of the cage"), Now: now, Deployed: now,
			Sensors: []ipc.SensorSetup{{Name: "http", Kind: "http", Network: "tcp", Addr: "127.0.0.1:0"}},
		},
		Append: func(context.Context, []honeyguide.Event) error { return nil },
	})
	if err != nil {
		return Finding{}, err
	}
	defer w.Close()
	g := supervise.New(nil)
	running, stop := context.WithCancel(ctx)
	g.Go(running, "probe", func(ctx context.Context) error {
		defer cancel()
		return w.Run(ctx)
	})
	select {
	case <-w.Ready():
	case <-ctx.Done():
	}
	h := w.Health()
	stop()
	if err := g.Wait(); err != nil {
		return Finding{}, err
	}
	if h.Probes == 0 {
		return Finding{}, fmt.Errorf("no caged process came up within %s: %s", probePatience, h.LastExit)
	}
	return cageFinding(h), nil
}

func cageFinding(h warden.Health) Finding {
	var weak []string
	for _, l := range h.Layers {
		if l.State != "on" {
			weak = append(weak, l.Name+" "+l.State)
		}
	}
	text := fmt.Sprintf("%d escape attempts, %d open; ready in %d ms", h.Probes, len(h.Open), h.ReadyTook.Milliseconds())
	switch {
	case len(h.Open) > 0:
		return Finding{"isolation", StatusFail, text + ": " + strings.Join(h.Open, ", "), "do not listen on a network you do not own; update the kernel"}
	case len(weak) > 0:
		return Finding{"isolation", StatusWarn, text + "; weaker layers: " + strings.Join(weak, ", "), "start as root or allow user namespaces to have every layer; the system call filter holds without them"}
	}
	return ok("isolation", "%s, every layer on", text)
}
