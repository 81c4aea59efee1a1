// Package rig starts the built binary for tests and talks to it as its users
// do: by command line, by API, by the decoys' ports.
package rig

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// Key is the admin key the rig starts cores with.
const Key = "hg_rig_0123456789abcdef0123456789abcdef"

// Build builds the binary as it ships (static, no cgo) once per test process.
var build = sync.OnceValues(func() (string, error) {
	dir, err := os.MkdirTemp("", "honeyguide-bin-")
	if err != nil {
		return "", err
	}
	bin := filepath.Join(dir, "honeyguide")
	cmd := exec.Command("go", "build", "-o", bin, "honeyguide/cmd/honeyguide")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return bin, nil
})

// Binary returns the path of the built binary.
func Binary(t testing.TB) string {
	t.Helper()
	bin, err := build()
	if err != nil {
		t.Fatal(err)
	}
	return bin
}

// Need skips the test when a program is missing, except where CI=true.
func Need(t testing.TB, program string) string {
	t.Helper()
	path, err := exec.LookPath(program)
	if err != nil {
		lacking(t, "%s is not installed: `make setup` installs it (needs root and apt)", program)
	}
	return path
}

// lacking skips the test for what this machine does not have, except where CI=true.
func lacking(t testing.TB, format string, args ...any) {
	t.Helper()
	if os.Getenv("CI") == "true" {
		t.Fatalf(format+"; nothing is skipped with CI=true", args...)
	}
	t.Skipf(format, args...)
}

// A Core is one running core.
type Core struct {
	Data string
	PID  int

	t    testing.TB
	cmd  *exec.Cmd
	out  *tail
	done chan struct{}
	api  *http.Client
}

// tail keeps the last output of a process.
type tail struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (t *tail) Write(p []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.buf.Len() > 1<<20 {
		t.buf.Reset()
	}
	return t.buf.Write(p)
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return t.buf.String()
}

// Start starts `honeyguide run` over a data folder with free ports and waits
// until it is ready. sets are more --set values.
func Start(t testing.TB, data string, sets ...string) *Core {
	t.Helper()
	c, err := TryStart(t, data, sets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// TryStart is Start for tests that expect a failure or stop the core themselves.
func TryStart(t testing.TB, data string, sets ...string) (*Core, error) {
	t.Helper()
	return start(t, launch{}, data, sets...)
}

// StartIn is Start inside a control group, from the first instruction on.
func StartIn(t testing.TB, g *Group, data string, sets ...string) *Core {
	t.Helper()
	// A shell joins the group and becomes the core.
	c, err := start(t, launch{prefix: []string{"/bin/sh", "-c", `echo $$ > "$0" && exec "$@"`, filepath.Join(g.dir, "cgroup.procs")}}, data, sets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// StartApart is Start in a network namespace of the core's own, which has nothing
// but a loopback interface. It wants root and ip; see [Core.Beside].
func StartApart(t testing.TB, data string, sets ...string) *Core {
	t.Helper()
	Need(t, "ip")
	Need(t, "nsenter")
	if os.Getuid() != 0 {
		lacking(t, "network namespaces want root")
	}
	c, err := start(t, launch{prefix: []string{"/bin/sh", "-c", `ip link set lo up && exec "$@"`, "sh"}, apart: true}, data, sets...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Stop)
	return c
}

// Beside returns a command that runs in the network namespace of a core.
func (c *Core) Beside(name string, args ...string) *exec.Cmd {
	cmd := exec.Command("nsenter", append([]string{"--net=/proc/" + strconv.Itoa(c.PID) + "/ns/net", "--", name}, args...)...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	return cmd
}

// launch says how a core is started.
type launch struct {
	prefix []string // words before those of the core
	apart  bool     // in a network namespace of its own
}

func start(t testing.TB, how launch, data string, sets ...string) (*Core, error) {
	t.Helper()
	args := []string{"run", "--data", data}
	sets = append([]string{
		"api.listen=127.0.0.1:0", "sensors.ssh.listen=127.0.0.1:0", "sensors.telnet.listen=127.0.0.1:0", "sensors.http.listen=127.0.0.1:0",
		"respond.never_block_loopback=false", "respond.block_private=true", "respond.firewall=off",
	}, sets...)
	for _, s := range sets {
		args = append(args, "--set", s)
	}
	c := &Core{Data: data, t: t, out: &tail{}, done: make(chan struct{})}
	words := append(append(how.prefix, Binary(t)), args...)
	c.cmd = exec.Command(words[0], words[1:]...)
	c.cmd.Env = append(cleanEnv(), "SOC_API_KEY="+Key)
	c.cmd.Stdout, c.cmd.Stderr = c.out, c.out
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if how.apart {
		c.cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWNET
	}
	if err := c.cmd.Start(); err != nil {
		return nil, err
	}
	c.PID = c.cmd.Process.Pid
	go func() { _ = c.cmd.Wait(); close(c.done) }()
	socket := filepath.Join(data, "honeyguide.sock")
	c.api = &http.Client{Timeout: 30 * time.Second, Transport: &http.Transport{
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, "unix", socket)
		},
	}}
	return c, c.awaitReady()
}

// cleanEnv is the environment without variables that configure a core.
func cleanEnv() []string {
	var env []string
	for _, kv := range os.Environ() {
		if !strings.HasPrefix(kv, "HONEYGUIDE_") && !strings.HasPrefix(kv, "SOC_") {
			env = append(env, kv)
		}
	}
	return env
}

func (c *Core) awaitReady() error {
	deadline := time.After(60 * time.Second)
	for {
		if resp, err := c.api.Get("http://core/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-c.done:
			return fmt.Errorf("the core ended at start: %s", c.out)
		case <-deadline:
			c.Kill()
			return fmt.Errorf("the core is not ready after a minute: %s", c.out)
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Output returns what the core printed so far.
func (c *Core) Output() string { return c.out.String() }

// Kill is kill -9 of the core process; its sensors die with it.
func (c *Core) Kill() {
	_ = c.cmd.Process.Kill()
	<-c.done
}

// Stop ends the core as an operator would.
func (c *Core) Stop() {
	select {
	case <-c.done:
		return
	default:
	}
	_ = c.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-c.done:
	case <-time.After(20 * time.Second):
		c.t.Errorf("the core did not end within 20 s of SIGTERM: %s", c.out)
		c.Kill()
	}
}

// Running reports whether the process lives.
func (c *Core) Running() bool {
	select {
	case <-c.done:
		return false
	default:
		return true
	}
}

// Get decodes the JSON answer of an API path into v, over the local socket.
func (c *Core) Get(path string, v any) error {
	resp, err := c.api.Get("http://core" + path)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return err
	}
	if resp.StatusCode != http.StatusOK {
		return fmt.Errorf("GET %s: %s: %s", path, resp.Status, body)
	}
	if s, ok := v.(*string); ok {
		*s = string(body)
		return nil
	}
	return json.Unmarshal(body, v)
}

// Post sends a body to an API path over the local socket and returns the answer.
func (c *Core) Post(path, contentType string, body io.Reader) (int, []byte, error) {
	resp, err := c.api.Post("http://core"+path, contentType, body)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return resp.StatusCode, out, err
}

// Do sends a request of any method to an API path over the local socket and
// returns the answer.
func (c *Core) Do(method, path, contentType string, body io.Reader) (int, []byte, error) {
	req, err := http.NewRequest(method, "http://core"+path, body)
	if err != nil {
		return 0, nil, err
	}
	if contentType != "" {
		req.Header.Set("Content-Type", contentType)
	}
	resp, err := c.api.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	out, err := io.ReadAll(resp.Body)
	return resp.StatusCode, out, err
}

// A Page is one page of a list.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next"`
}

// List reads every item of an API list.
func List[T any](c *Core, path string) ([]T, error) {
	var out []T
	for after := ""; ; {
		u, err := url.Parse(path)
		if err != nil {
			return nil, err
		}
		q := u.Query()
		q.Set("limit", "1000")
		if after != "" {
			q.Set("after", after)
		}
		u.RawQuery = q.Encode()
		var p Page[T]
		if err := c.Get(u.String(), &p); err != nil {
			return out, err
		}
		out = append(out, p.Items...)
		if after = p.Next; after == "" {
			return out, nil
		}
	}
}

// Sensor returns the address a sensor of the core really listens on.
func (c *Core) Sensor(name string) string {
	c.t.Helper()
	addr, err := c.listens(name)
	if err != nil {
		c.t.Fatal(err)
	}
	return addr
}

func (c *Core) listens(name string) (string, error) {
	type sensor struct {
		Name   string `json:"name"`
		Listen string `json:"listen"`
	}
	sensors, err := List[sensor](c, "/api/v1/sensors")
	if err != nil {
		return "", err
	}
	for _, s := range sensors {
		if s.Name == name {
			return s.Listen, nil
		}
	}
	return "", fmt.Errorf("no sensor %q in %v", name, sensors)
}

// Command is one command line over a core's data folder, not started yet.
func Command(t testing.TB, data string, args ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command(Binary(t), append([]string{"--data", data}, args...)...)
	cmd.Env = cleanEnv()
	return cmd
}

// CLI runs one command line over the core's data folder and returns its
// output and exit status.
func CLI(t testing.TB, data string, stdin io.Reader, args ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := Command(t, data, args...)
	cmd.Stdin = stdin
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	if _, isExit := err.(*exec.ExitError); err != nil && !isExit {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

// Eventually asks until ok says yes or the time is over.
func Eventually(t testing.TB, within time.Duration, what string, ok func() bool) {
	t.Helper()
	deadline := time.Now().Add(within)
	for !ok() {
		if time.Now().After(deadline) {
			t.Fatalf("not within %v: %s", within, what)
		}
		time.Sleep(20 * time.Millisecond)
	}
}

// Lines returns the lines of a text.
func Lines(s string) []string {
	var out []string
	for sc := bufio.NewScanner(strings.NewReader(s)); sc.Scan(); {
		out = append(out, sc.Text())
	}
	return out
}
