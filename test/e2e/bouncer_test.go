package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/test/rig"
)

// realBouncer returns the path of Debian's crowdsec-firewall-bouncer: installed,
// unpacked by make setup, or unpacked now.
func realBouncer(t *testing.T) string {
	t.Helper()
	const name = "crowdsec-firewall-bouncer"
	if path, err := exec.LookPath(name); err == nil {
		return path
	}
	if path, err := filepath.Abs(filepath.Join("..", "..", "bin", name)); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path
		}
	}
	dir := t.TempDir()
	if out, err := exec.Command("sh", filepath.Join("..", "bouncer.sh"), dir).CombinedOutput(); err != nil {
		why := fmt.Sprintf("there is no %s and it cannot be had: %v: %s", name, err, out)
		if os.Getenv("CI") == "true" {
			t.Fatal(why)
		}
		t.Skip(why)
	}
	return filepath.Join(dir, name)
}

// A blocker puts plans into the state of a core that runs.
type blocker struct {
	t     *testing.T
	store state.Store
	n     int
}

func newBlocker(t *testing.T, data string) *blocker {
	t.Helper()
	store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: data})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return &blocker{t: t, store: store}
}

func (b *blocker) save(p *honeyguide.Plan) {
	b.t.Helper()
	if err := b.store.Update(b.t.Context(), func(tx state.Tx) error { return tx.Plans().Save(b.t.Context(), p) }); err != nil {
		b.t.Fatal(err)
	}
}

func (b *blocker) block(target string, ttl time.Duration) *honeyguide.Plan {
	b.t.Helper()
	b.n++
	now := time.Now()
	p := &honeyguide.Plan{
		ID: honeyguide.NewID(now), Playbook: "contain", Step: "publish", Action: "blocklist", Target: target, Mode: honeyguide.ModeApply,
		State: honeyguide.PlanVerified, CreatedAt: now, AppliedAt: now, VerifiedAt: now, ExpiresAt: now.Add(ttl),
	}
	b.save(p)
	return p
}

func (b *blocker) revert(p *honeyguide.Plan) {
	b.t.Helper()
	p.State, p.EndedAt, p.EndedBy = honeyguide.PlanReverted, time.Now(), "tester"
	b.save(p)
}

// output keeps what a program says.
type output struct {
	mu sync.Mutex
	b  strings.Builder
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.String()
}

const bouncerConfig = `
mode: nftables
pid_dir: %[1]s
update_frequency: 1s
daemonize: false
log_mode: stdout
log_dir: %[1]s
log_level: info
api_url: http://127.0.0.1:8080/
api_key: %[2]s
disable_ipv6: false
deny_action: DROP
deny_log: false
supported_decisions_types:
  - ban
blacklists_ipv4: crowdsec-blacklists
blacklists_ipv6: crowdsec6-blacklists
nftables:
  ipv4:
    enabled: true
    set-only: false
    table: crowdsec
    chain: crowdsec-chain
  ipv6:
    enabled: true
    set-only: false
    table: crowdsec6
    chain: crowdsec6-chain
prometheus:
  enabled: false
`

// TestRealCrowdSecBouncer lets Debian's own bouncer pull our decisions into
// nftables: what is blocked stands in its sets and its packets are dropped, what
// is reverted does not, and a core that is gone changes nothing.
func TestRealCrowdSecBouncer(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	nft, curl := rig.Need(t, "nft"), rig.Need(t, "curl")
	data := t.TempDir()
	core := rig.StartApart(t, data, bare("lapi.listen=127.0.0.1:8080")...)
	program := realBouncer(t)
	stdout, stderr, status := rig.CLI(t, data, nil, "bouncers", "add", "fw", "-o", "json")
	var key client.BouncerKey
	if err := json.Unmarshal([]byte(stdout), &key); err != nil || status != 0 {
		t.Fatalf("bouncers add: %d %v %s %s", status, err, stdout, stderr)
	}
	blocks := newBlocker(t, data)
	first := blocks.block("203.0.113.7", time.Hour)
	blocks.block("198.51.100.0/24", time.Hour)
	blocks.block("2001:db8::7", time.Hour)

	dir := t.TempDir()
	config := filepath.Join(dir, "bouncer.yaml")
	write(t, config, fmt.Appendf(nil, bouncerConfig, dir, key.Key))
	var said output
	bouncer := core.Beside(program, "-c", config)
	bouncer.Stdout, bouncer.Stderr = &said, &said
	if err := bouncer.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = bouncer.Process.Signal(syscall.SIGTERM); _ = bouncer.Wait() })
	sets := func() string {
		// The bouncer's namespace, not the core's, which ends before the test does.
		out, _ := exec.Command("nsenter", fmt.Sprintf("--net=/proc/%d/ns/net", bouncer.Process.Pid), "--", nft, "list", "ruleset").CombinedOutput()
		return string(out)
	}
	has := func(values ...string) func() bool {
		return func() bool {
			text := sets()
			for _, v := range values {
				if !strings.Contains(text, v) {
					return false
				}
			}
			return true
		}
	}
	eventually := func(what string, ok func() bool) {
		t.Helper()
		defer func() {
			if t.Failed() {
				t.Logf("the bouncer said:\n%s\nits rules:\n%s", said.String(), sets())
			}
		}()
		rig.Eventually(t, 20*time.Second, what, ok)
	}
	eventually("what was blocked before stands in the sets", has("203.0.113.7", "198.51.100.0", "2001:db8::7"))

	// A packet is what counts: an address of the loopback interface that is blocked
	// reaches the door no more.
	if out, err := core.Beside("ip", "address", "add", "203.0.113.99/32", "dev", "lo").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	reaches := func() bool {
		return core.Beside(curl, "-s", "-o", "/dev/null", "--max-time", "1", "--interface", "203.0.113.99", "http://127.0.0.1:8080/health").Run() == nil
	}
	if !reaches() {
		t.Fatal("the address cannot reach the door before it is blocked")
	}
	second := blocks.block("203.0.113.99", time.Hour)
	eventually("a new block stands in the set", has("203.0.113.99"))
	if reaches() {
		t.Error("a blocked address reaches the door")
	}
	blocks.revert(first)
	blocks.revert(second)
	eventually("what was reverted is gone", func() bool {
		text := sets()
		return !strings.Contains(text, "203.0.113.7 ") && !strings.Contains(text, "203.0.113.99") && strings.Contains(text, "198.51.100.0")
	})
	if !reaches() {
		t.Error("an address that is blocked no more does not reach the door")
	}

	// A block that is made longer outlives its first end, whatever the kernel makes
	// of an element that is added twice.
	blocks.block("203.0.113.50", 5*time.Second)
	end := time.Now().Add(6 * time.Second)
	eventually("a short block stands in the set", has("203.0.113.50"))
	blocks.block("203.0.113.50", time.Hour)
	time.Sleep(time.Until(end))
	eventually("a block made longer stands in the set", has("203.0.113.50"))
	time.Sleep(2 * time.Second)
	if !has("203.0.113.50")() {
		t.Error("a block made longer is gone")
	}

	list := lookAt[rig.Page[client.Bouncer]](t, core, "/api/v1/bouncers")
	if len(list.Items) != 1 || !strings.HasPrefix(list.Items[0].Agent, "crowdsec-firewall-bouncer/") || list.Items[0].Pulls < 2 {
		t.Errorf("bouncers: %+v", list.Items)
	}
	core.Stop()
	time.Sleep(3 * time.Second) // three pulls that fail
	if !has("198.51.100.0", "2001:db8::7")() {
		t.Errorf("without a core the blocks are gone; the bouncer said:\n%s", said.String())
	}
}

// lookAt reads an answer of the API.
func lookAt[T any](t *testing.T, core *rig.Core, path string) (v T) {
	t.Helper()
	if err := core.Get(path, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
