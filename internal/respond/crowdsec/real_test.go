package crowdsec_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide/internal/respond"
	"honeyguide/internal/respond/crowdsec"
	"honeyguide/internal/respond/respondtest"
)

// lapiConfig is a Local API alone: no agent, no central API, no hub.
const lapiConfig = `
common: {daemonize: false, log_media: stdout, log_level: info, working_dir: DIR}
config_paths: {config_dir: DIR, data_dir: DIR, simulation_path: DIR/simulation.yaml, hub_dir: DIR/hub, index_path: DIR/hub/.index.json, notification_dir: DIR/notifications, plugin_dir: DIR/plugins}
crowdsec_service: {acquisition_path: DIR/acquis.yaml, parser_routines: 1}
cscli: {output: raw}
db_config: {type: sqlite, db_path: DIR/crowdsec.db, log_level: info}
plugin_config: {user: nobody, group: nogroup}
api:
  client: {credentials_path: DIR/credentials.yaml}
  server: {listen_uri: "AT", profiles_path: DIR/profiles.yaml, console_path: DIR/console.yaml, log_level: info, trusted_ips: ["127.0.0.1"]}
prometheus: {enabled: false}
`

// TestRealServer bans by a real Local API (Debian's CrowdSec 1.4): it takes our
// origin and scenario, its list shows the decision, and undoing ends that alone.
func TestRealServer(t *testing.T) {
	server, err1 := exec.LookPath("crowdsec")
	cli, err2 := exec.LookPath("cscli")
	if err1 != nil || err2 != nil {
		respondtest.Absent(t, "crowdsec or cscli is not installed; test/setup.sh installs them")
	}
	dir, at := t.TempDir(), respondtest.FreePort(t)
	for name, text := range map[string]string{
		"config.yaml":      strings.NewReplacer("DIR", dir, "AT", at.String()).Replace(lapiConfig),
		"profiles.yaml":    "name: none\nfilters:\n - Alert.Remediation == true\ndecisions:\n - {type: ban, duration: 4h}\non_success: break\n",
		"credentials.yaml": "url: http://" + at.String() + "/\nlogin: hg\npassword: " + password + "\n", "simulation.yaml": "simulation: off\n", "acquis.yaml": "", "console.yaml": "", "hub/.index.json": "{}", "plugins/.keep": "", "notifications/.keep": "",
	} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	conf := filepath.Join(dir, "config.yaml")
	ask := func(args ...string) string {
		t.Helper()
		var errs bytes.Buffer
		cmd := exec.Command(cli, append([]string{"-c", conf}, args...)...)
		cmd.Stderr = &errs
		raw, err := cmd.Output()
		if err != nil {
			t.Fatalf("cscli %v: %v: %s%s", args, err, raw, errs.Bytes())
		}
		return string(raw)
	}
	ask("machines", "add", "hg", "--password", password, "--force", "-f", filepath.Join(dir, "unused.yaml"))
	var out bytes.Buffer
	cmd := exec.Command(server, "-c", conf, "-no-cs", "-no-capi")
	cmd.Stdout, cmd.Stderr = &out, &out
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if t.Failed() {
			t.Logf("crowdsec says: %s", out.Bytes())
		}
	})
	respondtest.Listening(t, at)

	door := respondtest.NewDoor(nil)
	dep := respondtest.Deps(t, "crowdsec", door)
	dep.Now = time.Now
	a, err := crowdsec.Kind.Open(t.Context(), respondtest.Decode(settings("http://"+at.String())), dep)
	if err != nil {
		t.Fatal(err)
	}
	door.Open(t, a)
	const key = "b0uncer-k3y-0123456789"
	ask("bouncers", "add", "ours", "--key", key)
	bouncer := func(target string) string {
		param := "ip"
		if strings.Contains(target, "/") {
			param = "range"
		}
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+at.String()+"/v1/decisions?"+param+"="+target, nil)
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("X-Api-Key", key)
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		raw, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(raw))
	}
	type row struct {
		Origin, Scope, Value, Scenario, Type string
	}
	decisions := func() (out []row) {
		raw := ask("decisions", "list", "-a", "-o", "json") // without -a it hides origins that are not its own
		var alerts []struct{ Decisions []row }
		if err := json.Unmarshal([]byte(raw), &alerts); err != nil && strings.TrimSpace(raw) != "null" {
			t.Fatalf("%v: %s", err, raw)
		}
		for _, al := range alerts {
			out = append(out, al.Decisions...)
		}
		return out
	}
	for i, target := range []string{"198.51.100.7", "203.0.113.0/24", "2001:db8::7"} {
		r := respondtest.Request(target, map[string]string{"ttl": "1h"})
		r.Now = time.Now()
		p, err := respondtest.Plan(t.Context(), a, r, fmt.Sprint("plan-", i))
		if err != nil {
			t.Fatal(err)
		}
		first, err := a.Apply(t.Context(), p)
		if err != nil {
			t.Fatalf("%s: %v", target, err)
		}
		again, err := a.Apply(t.Context(), p)
		if err != nil || first.Ref != again.Ref || first.Ref == "" {
			t.Errorf("%s: %+v, then %+v, %v", target, first, again, err)
		}
		if err := a.(respond.Verifier).Verify(t.Context(), p); err != nil {
			t.Errorf("%s: %v", target, err)
		}
		if raw := bouncer(target); !strings.Contains(raw, `"value":"`+target+`"`) {
			t.Errorf("a bouncer sees %s", raw)
		}
		got := decisions()
		if len(got) != 1 || got[0].Value != target || got[0].Origin != "honeyguide" || got[0].Scenario != "honeyguide/decoy" || got[0].Type != "ban" {
			t.Errorf("its list shows %+v", got)
		}
		for range 2 {
			if err := a.(respond.Reverter).Revert(t.Context(), p); err != nil {
				t.Errorf("undo: %v", err)
			}
		}
		if got, raw := decisions(), bouncer(target); len(got) != 0 || raw != "null" {
			t.Errorf("after undoing: %+v; a bouncer sees %s", got, raw)
		}
		if err := a.(respond.Verifier).Verify(t.Context(), p); err == nil {
			t.Errorf("%s still holds", target)
		}
	}
}
