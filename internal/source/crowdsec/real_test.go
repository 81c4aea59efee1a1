package crowdsec

import (
	"context"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/ingest"
	alerts "honeyguide/internal/ingest/crowdsec"
	"honeyguide/internal/ingest/ingesttest"
)

// roots are where CrowdSec may lie: installed, or unpacked by test/setup.sh.
var roots = []string{"/", "/usr/local/lib/honeyguide-test/crowdsec"}

// realRoot finds CrowdSec as Debian packs it, with its hub of parsers and scenarios.
func realRoot(t *testing.T) string {
	t.Helper()
	for _, root := range roots {
		missing := false
		for _, part := range []string{"usr/bin/crowdsec", "usr/bin/cscli", "usr/share/crowdsec/hub/.index.json", "etc/crowdsec/patterns"} {
			_, err := os.Stat(filepath.Join(root, part))
			missing = missing || err != nil
		}
		if !missing {
			return root
		}
	}
	if os.Getenv("CI") == "true" {
		t.Fatal("CrowdSec is missing; test/setup.sh unpacks it")
	}
	t.Skip("CrowdSec is missing; test/setup.sh unpacks it (needs root and apt)")
	return ""
}

// A machine is a CrowdSec with everything of its own: configuration, database, local API.
type machine struct {
	*testing.T
	root, home, url string
}

func (m *machine) path(parts ...string) string {
	return filepath.Join(append([]string{m.home}, parts...)...)
}

func (m *machine) write(name, text string) {
	m.Helper()
	if err := os.MkdirAll(filepath.Dir(m.path(name)), 0o755); err != nil {
		m.Fatal(err)
	}
	if err := os.WriteFile(m.path(name), []byte(text), 0o644); err != nil {
		m.Fatal(err)
	}
}

func (m *machine) take(name, from string) {
	m.Helper()
	text, err := os.ReadFile(filepath.Join(m.root, from))
	if err != nil {
		m.Fatal(err)
	}
	m.write(name, string(text))
}

func (m *machine) cscli(args ...string) {
	m.Helper()
	out, err := exec.CommandContext(m.Context(), filepath.Join(m.root, "usr/bin/cscli"), append([]string{"-c", m.path("config.yaml")}, args...)...).CombinedOutput()
	if err != nil {
		m.Fatalf("cscli %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// setUp writes a configuration with no connection to anybody: no central API, no
// metrics, a local API on loopback.
func (m *machine) setUp(address string) {
	const hub = "usr/share/crowdsec/hub/"
	for name, from := range map[string]string{
		"etc/hub/.index.json":                          hub + ".index.json",
		"etc/parsers/s00-raw/syslog-logs.yaml":         hub + "parsers/s00-raw/crowdsecurity/syslog-logs.yaml",
		"etc/parsers/s01-parse/sshd-logs.yaml":         hub + "parsers/s01-parse/crowdsecurity/sshd-logs.yaml",
		"etc/parsers/s02-enrich/dateparse-enrich.yaml": hub + "parsers/s02-enrich/crowdsecurity/dateparse-enrich.yaml",
		"etc/scenarios/ssh-bf.yaml":                    hub + "scenarios/crowdsecurity/ssh-bf.yaml",
	} {
		m.take(name, from)
	}
	if err := os.CopyFS(m.path("etc/patterns"), os.DirFS(filepath.Join(m.root, "etc/crowdsec/patterns"))); err != nil {
		m.Fatal(err)
	}
	for _, dir := range []string{"data", "plugins", "etc/notifications"} {
		if err := os.MkdirAll(m.path(dir), 0o755); err != nil {
			m.Fatal(err)
		}
	}
	m.write("etc/simulation.yaml", "simulation: false\n")
	m.write("etc/profiles.yaml", "name: ban\nfilters:\n - Alert.Remediation == true && Alert.GetScope() == \"Ip\"\ndecisions:\n - {type: ban, duration: 4h}\non_success: break\n")
	m.write("acquis.yaml", "filenames: ["+m.path("auth.log")+"]\nlabels: {type: syslog}\n")
	m.write("auth.log", "")
	m.write("credentials.yaml", "")
	m.write("config.yaml", strings.NewReplacer("HOME", m.home, "ADDRESS", address).Replace(`
common: {daemonize: false, log_media: stdout, log_level: warning, working_dir: .}
config_paths: {config_dir: HOME/etc, data_dir: HOME/data, simulation_path: HOME/etc/simulation.yaml, hub_dir: HOME/etc/hub, index_path: HOME/etc/hub/.index.json, notification_dir: HOME/etc/notifications, plugin_dir: HOME/plugins}
crowdsec_service: {acquisition_path: HOME/acquis.yaml, parser_routines: 1}
db_config: {log_level: warning, type: sqlite, db_path: HOME/data/crowdsec.db, use_wal: false}
api:
  client: {credentials_path: HOME/credentials.yaml}
  server: {log_level: warning, listen_uri: "ADDRESS", profiles_path: HOME/etc/profiles.yaml}
prometheus: {enabled: false}
`))
}

// start runs CrowdSec until the test ends.
func (m *machine) start(address string) {
	m.Helper()
	ctx, cancel := context.WithCancel(context.WithoutCancel(m.Context()))
	out, err := os.Create(m.path("out"))
	if err != nil {
		m.Fatal(err)
	}
	cmd := exec.CommandContext(ctx, filepath.Join(m.root, "usr/bin/crowdsec"), "-c", m.path("config.yaml"))
	cmd.Stdout, cmd.Stderr = out, out
	if err := cmd.Start(); err != nil {
		m.Fatal(err)
	}
	m.Cleanup(func() {
		cancel()
		_ = cmd.Wait()
		out.Close()
		if text, err := os.ReadFile(m.path("out")); err == nil && m.Failed() {
			m.Logf("CrowdSec said:\n%s", text[:min(len(text), 8000)])
		}
	})
	m.eventually("the local API to listen", func() bool {
		c, err := net.DialTimeout("tcp", address, time.Second)
		if err == nil {
			c.Close()
		}
		return err == nil
	})
}

func (m *machine) eventually(what string, ok func() bool) {
	m.Helper()
	for range 600 {
		if ok() {
			return
		}
		time.Sleep(100 * time.Millisecond)
	}
	m.Fatalf("waited in vain for %s", what)
}

// A real CrowdSec watches a log while somebody guesses passwords, and its alerts
// arrive here, each once.
func TestRealCrowdSec(t *testing.T) {
	root := realRoot(t)
	free, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := free.Addr().String()
	free.Close()
	m := &machine{T: t, root: root, home: t.TempDir(), url: "http://" + address}
	m.setUp(address)
	m.cscli("machines", "add", "agent", "--password", "agent", "-f", m.path("credentials.yaml"), "-u", m.url, "--force")
	m.cscli("machines", "add", "hg", "--password", "secret", "-f", m.path("ours.yaml"), "-u", m.url, "--force")
	m.start(address)
	r := rig(t, m.url)
	r.Mappers = ingesttest.Open(t, ingest.Set{alerts.Kind})
	r.Start()

	guesses := func(from string) {
		log, err := os.OpenFile(m.path("auth.log"), os.O_APPEND|os.O_WRONLY, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer log.Close()
		for n := range 7 {
			fmt.Fprintf(log, "%s web1 sshd[4711]: Failed password for root from %s port %d ssh2\n", time.Now().UTC().Format(time.Stamp), from, 4200+n)
		}
	}
	found := func(from string) (all []honeyguide.Event) {
		for _, e := range r.Events() {
			if e.Src.Addr.Addr() == netip.MustParseAddr(from) {
				all = append(all, e)
			}
		}
		return all
	}
	// CrowdSec follows the log only once it has opened it: guess until it notices.
	m.eventually("an alert of guessed passwords", func() bool {
		if len(found("198.51.100.7")) == 0 {
			guesses("198.51.100.7")
			time.Sleep(time.Second)
		}
		return len(found("198.51.100.7")) > 0
	})
	guesses("2001:db8::7")
	m.eventually("an alert of another address", func() bool { return len(found("2001:db8::7")) > 0 })
	m.cscli("decisions", "add", "--ip", "203.0.113.99", "--duration", "1h", "--reason", "by hand")
	m.eventually("the operator's decision", func() bool { return len(found("203.0.113.99")) > 0 })

	e := found("2001:db8::7")[0]
	if e.Activity != honeyguide.ActivityFinding || e.Str(honeyguide.AttrRuleID) != "crowdsecurity/ssh-bf" || e.Severity != honeyguide.SeverityMedium ||
		e.Str(ingest.AttrAction) != "ban" || e.Str(honeyguide.AttrUser) != "root" || time.Since(e.Time) > time.Minute || time.Until(e.Time) > time.Minute {
		t.Errorf("got %+v", e)
	}
	if e := found("203.0.113.99")[0]; e.Severity != honeyguide.SeverityInformational || e.Str(honeyguide.AttrRule) != "by hand" {
		t.Errorf("got %+v", e)
	}
	seen := map[string]bool{}
	for _, e := range r.Events() {
		if id := e.Str(honeyguide.AttrOriginID); seen[id] || id == "" {
			t.Errorf("alert %q twice, or without a name", id)
		} else {
			seen[id] = true
		}
	}
	if dead := r.Dead(); len(dead) > 0 {
		t.Errorf("dead letters %+v", dead)
	}
}
