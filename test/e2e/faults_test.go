package e2e

import (
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"honeyguide/test/rig"
)

// TestKilledSensorComesBack kills the sensor process; its ports stay open and
// are served again.
func TestKilledSensorComesBack(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	core := rig.Start(t, t.TempDir(), fast...)
	addr := core.Sensor("http")
	kids := children(core.PID)
	if len(kids) != 1 {
		t.Fatalf("%d child processes, want the one sensor process", len(kids))
	}
	if err := syscall.Kill(kids[0], syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	rig.Eventually(t, 20*time.Second, "an answer after the kill", func() bool {
		out, err := exec.Command("curl", "-s", "--max-time", "5", "http://"+addr+"/").Output()
		return err == nil && len(out) > 0
	})
	var page rig.Page[struct {
		Restarts int      `json:"restarts"`
		Layers   []string `json:"layers"`
	}]
	if err := core.Get("/api/v1/sensors", &page); err != nil || len(page.Items) == 0 || page.Items[0].Restarts != 1 {
		t.Fatalf("restarts: %+v, %v", page, err)
	}
	for _, layer := range []string{"seccomp: on", "landlock: on", "uid: on", "capabilities: on", "no_new_privs: on"} {
		if !slices.Contains(page.Items[0].Layers, layer) {
			t.Errorf("the new process reports %v, which lacks %q", page.Items[0].Layers, layer)
		}
	}
	if now := children(core.PID); len(now) != 1 || now[0] == kids[0] {
		t.Errorf("children %v after %v was killed", now, kids)
	}
}

// TestFaultsSayWhatToDo starts the product wrongly and reads what it says.
func TestFaultsSayWhatToDo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "honeyguide.yaml")
	write(t, file, []byte("sensors:\n  ssh:\n    lisen: 127.0.0.1:1\n"))
	damaged := filepath.Join(dir, "damaged")
	if err := os.MkdirAll(filepath.Join(damaged, "keys"), 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(damaged, "keys", "deployment.key"), []byte("not a key\n"))
	spoilt := filepath.Join(dir, "spoilt")
	if err := os.MkdirAll(spoilt, 0o700); err != nil {
		t.Fatal(err)
	}
	write(t, filepath.Join(spoilt, "state.db"), []byte(strings.Repeat("this is no database ", 1000)))

	for name, c := range map[string]struct {
		data   string
		args   []string
		status int
		want   []string
	}{
		"unknown key":    {args: []string{"run", "--config", file}, status: 2, want: []string{"honeyguide.yaml:3", "sensors.ssh.lisen", `"listen"`}},
		"unknown set":    {args: []string{"config", "check", "--set", "api.lisen=x"}, status: 2, want: []string{"--set", "api.lisen", `"listen"`}},
		"busy port":      {args: []string{"run", "--set", "sensors.ssh.listen=" + l.Addr().String()}, status: 1, want: []string{l.Addr().String(), "in use by", "sensors.ssh.listen"}},
		"damaged key":    {data: damaged, args: []string{"alerts", "list"}, status: 2, want: []string{"deployment.key", "backup"}},
		"damaged state":  {data: spoilt, args: []string{"alerts", "list"}, status: 1, want: []string{"state.db"}},
		"short api key":  {args: []string{"config", "check", "--set", "api.admin_key=short"}, status: 2, want: []string{"api.admin_key", "32"}},
		"unknown verb":   {args: []string{"incident", "lst"}, status: 2, want: []string{"lst"}},
		"unknown format": {args: []string{"alerts", "list", "-o", "xml"}, status: 2, want: []string{"xml", "table"}},
		"missing":        {args: []string{"incidents", "show", "I-77"}, status: 4, want: []string{"honeyguide:"}},
		"no folder":      {data: "/proc/nope", args: []string{"alerts", "list"}, status: 2, want: []string{"/proc/nope", "--data"}},
	} {
		t.Run(name, func(t *testing.T) {
			data := c.data
			if data == "" {
				data = t.TempDir()
			}
			out, errs, status := rig.CLI(t, data, nil, c.args...)
			if status != c.status {
				t.Errorf("status %d, want %d: %s%s", status, c.status, out, errs)
			}
			for _, want := range c.want {
				if !strings.Contains(errs, want) {
					t.Errorf("%q lacks %q", errs, want)
				}
			}
		})
	}
}

// TestDemo lets the product attack itself, as a new user does.
func TestDemo(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	data := t.TempDir()
	if _, errs, status := rig.CLI(t, data, nil, "demo"); status == 0 || !strings.Contains(errs, "honeyguide run") {
		t.Errorf("without decoys: status %d: %s", status, errs)
	}
	core := rig.Start(t, data, fast...)
	if out, errs, status := rig.CLI(t, data, nil, "demo", "--pace", "50ms"); status != 0 || strings.Contains(errs, "no password was found") {
		t.Fatalf("status %d: %s%s", status, out, errs)
	}
	awaitAlerts(t, core, "success_after_failures", "recon_commands", "download_cradle", "persistence", "token_exposed", "token_used", "log_wiping")
}
