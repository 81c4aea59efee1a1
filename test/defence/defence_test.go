package defence

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/test/rig"
)

// attackers is how many hosts attack, a fifth of them over IPv6.
const attackers = 60

// operators is what an operator has in the firewall besides.
const operators = `table inet operators {
	chain input {
		type filter hook input priority filter; policy accept;
		tcp dport 9 drop
	}
}
`

// start starts the honest service and the core in the host's namespace.
func (g *ground) start() *rig.Core {
	g.Helper()
	var core *rig.Core
	g.inside(g.host, func() {
		cmd := g.order(order{Role: "echo"})
		out, err := cmd.StdoutPipe()
		if err != nil {
			g.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			g.Fatal(err)
		}
		g.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		if line, err := bufio.NewReader(out).ReadString('\n'); err != nil || line != "ready\n" {
			g.Fatalf("echo: %q, %v", line, err)
		}
		core = rig.Start(g, g.TempDir(), "sensors.ssh.listen=:22", "sensors.telnet.enabled=false", "sensors.http.enabled=false",
			"respond.mode=apply", "respond.firewall=on", `respond.allowlist=["`+adminV4+`", "`+adminV6+`"]`)
	})
	return core
}

// attack lets hosts attack one after the other and returns what each saw.
func (g *ground) attack(o order) []report {
	g.Helper()
	var out []report
	g.inside(g.outside, func() {
		o.Role = "attack"
		cmd := g.order(o)
		text, err := cmd.Output()
		if err != nil {
			g.Fatalf("attack: %v", err)
		}
		for dec := json.NewDecoder(bytes.NewReader(text)); dec.More(); {
			var r report
			if err := dec.Decode(&r); err != nil {
				g.Fatal(err)
			}
			out = append(out, r)
		}
	})
	return out
}

// blocks returns the plans of blocks, by address.
func blocks(t testing.TB, core *rig.Core) map[string]honeyguide.Plan {
	t.Helper()
	list, err := rig.List[honeyguide.Plan](core, "/api/v1/plans?action=block_ip")
	if err != nil {
		t.Fatal(err)
	}
	out := map[string]honeyguide.Plan{}
	for _, p := range list {
		if old, ok := out[p.Target]; !ok || p.CreatedAt.Before(old.CreatedAt) {
			out[p.Target] = p
		}
	}
	return out
}

// TestDefence is the whole way: guesses at a decoy become an incident, the
// incident a decision, the decision a packet that is dropped; and nothing of it
// is left when it was undone.
func TestDefence(t *testing.T) {
	g := newGround(t)
	g.in(g.host, "sh", "-c", "printf '%s' '"+operators+"' | nft -f -")
	before := g.ruleset()
	core := g.start()
	if got := g.ruleset(); got != before {
		t.Errorf("starting changed the firewall:\n%s", got)
	}
	// An hour is too long to wait for: this one ends on time.
	short := g.byHand(core, "192.0.2.77", time.Minute)

	o := order{Logins: 40}
	for i := range attackers {
		from, host := attackerV4(i), hostV4
		if i%5 == 4 {
			from, host = attackerV6(i), hostV6
		}
		g.address(g.outside, "v1", from)
		o.Attackers, o.Host = append(o.Attackers, from), append(o.Host, host)
	}
	seen := g.attack(o)
	plans := blocks(t, core)
	var cut, verified []time.Duration
	for _, r := range seen {
		p, ok := plans[r.Address]
		switch {
		case !ok:
			t.Errorf("%s guessed %d passwords and was not blocked", r.Address, r.Logins)
			continue
		case p.State != honeyguide.PlanVerified:
			t.Errorf("%s: the block is %s: %s", r.Address, p.State, p.Error)
		case !r.Cut || r.Again:
			t.Errorf("%s: flow cut %v, answered again %v", r.Address, r.Cut, r.Again)
		}
		cut = append(cut, r.LastAt.Sub(p.CreatedAt))
		verified = append(verified, p.VerifiedAt.Sub(p.CreatedAt))
	}
	t.Logf("from the decision to the last packet that passed: %s", spread(cut))
	t.Logf("from the decision to the block read back from the kernel: %s", spread(verified))

	// Administrators may guess as long as they like.
	for _, r := range g.attack(order{Logins: 40, Attackers: []string{adminV4, adminV6}, Host: []string{hostV4, hostV6}}) {
		if r.Cut || !r.Again || r.Logins < 40 {
			t.Errorf("the administrator at %s was cut off: %+v", r.Address, r)
		}
	}
	for _, a := range []string{adminV4, adminV6} {
		if p, ok := blocks(t, core)[a]; ok && p.State != honeyguide.PlanRefused {
			t.Errorf("%s: %+v", a, p)
		}
	}
	if status, body := g.post(core, "/api/v1/blocks", map[string]any{"address": adminV4, "ttl": "1h", "reason": "a mistake"}); status < 300 {
		var run struct{ ID string }
		_ = json.Unmarshal(body, &run)
		rig.Eventually(t, 10*time.Second, "the refusal", func() bool {
			return blocks(t, core)[adminV4].State == honeyguide.PlanRefused
		})
	}

	// Ends on time, by the kernel's clock and by ours.
	rig.Eventually(t, time.Until(short.ExpiresAt)+10*time.Second, "the end of a block", func() bool {
		return blocks(t, core)["192.0.2.77"].State == honeyguide.PlanExpired
	})
	if late := blocks(t, core)["192.0.2.77"].EndedAt.Sub(short.ExpiresAt); late < 0 || late > 2*time.Second {
		t.Errorf("it ended %v after its time", late)
	}
	if strings.Contains(g.ruleset(), "192.0.2.77") {
		t.Error("the kernel holds it still")
	}

	// Undone, nothing is left.
	for a := range plans {
		if status, body := g.delete(core, "/api/v1/blocks/"+a); status >= 300 && blocks(t, core)[a].State != honeyguide.PlanExpired {
			t.Errorf("unblock %s: %d %s", a, status, body)
		}
	}
	rig.Eventually(t, 20*time.Second, "an empty firewall", func() bool { return !strings.Contains(g.ruleset(), "honeyguide") })
	if got := g.ruleset(); got != before {
		t.Errorf("after all was undone the firewall is\n%s\nwas\n%s", got, before)
	}
}

// TestForgedSources floods the decoy's port with the first packets of
// connections nobody made.
func TestForgedSources(t *testing.T) {
	rig.Need(t, "hping3")
	g := newGround(t)
	core := g.start()
	for _, forged := range []string{"198.51.100.66", hostV4, adminV4, "192.0.2.200"} {
		// It fails when nobody answers it, as nobody does.
		out, _ := exec.Command("ip", "netns", "exec", g.outside, "hping3", "-q", "-c", "3000", "-i", "u100", "-S", "-p", "22", "-a", forged, hostV4).CombinedOutput()
		if !strings.Contains(string(out), "3000 packets transmitted") {
			t.Fatalf("hping3: %s", out)
		}
	}
	time.Sleep(2 * time.Second)
	got, err := rig.List[honeyguide.Plan](core, "/api/v1/plans")
	if err != nil {
		t.Fatal(err)
	}
	if len(got) > 0 {
		t.Errorf("forged packets caused %d plans: %+v", len(got), got[0])
	}
	if rules := g.ruleset(); strings.Contains(rules, "honeyguide") {
		t.Errorf("forged packets changed the firewall:\n%s", rules)
	}
	// The same guesses over real connections do.
	g.address(g.outside, "v1", attackerV4(0))
	g.attack(order{Logins: 40, Attackers: []string{attackerV4(0)}, Host: []string{hostV4}})
	if p := blocks(t, core)[attackerV4(0)]; p.State != honeyguide.PlanVerified {
		t.Errorf("a real attacker: %+v", p)
	}
}

// byHand blocks an address as a person does.
func (g *ground) byHand(core *rig.Core, address string, ttl time.Duration) honeyguide.Plan {
	g.Helper()
	status, body := g.post(core, "/api/v1/blocks", map[string]any{"address": address, "ttl": ttl.String(), "reason": "a test"})
	if status >= 300 {
		g.Fatalf("block %s: %d %s", address, status, body)
	}
	var p honeyguide.Plan
	rig.Eventually(g, 10*time.Second, "a block by hand", func() bool {
		p = blocks(g, core)[address]
		return p.State == honeyguide.PlanVerified
	})
	return p
}

func (g *ground) post(core *rig.Core, path string, v any) (int, []byte) {
	g.Helper()
	body, err := json.Marshal(v)
	if err != nil {
		g.Fatal(err)
	}
	status, answer, err := core.Post(path, "application/json", bytes.NewReader(body))
	if err != nil {
		g.Fatal(err)
	}
	return status, answer
}

func (g *ground) delete(core *rig.Core, path string) (int, []byte) {
	g.Helper()
	status, answer, err := core.Do(http.MethodDelete, path, "", nil)
	if err != nil {
		g.Fatal(err)
	}
	return status, answer
}

// spread says median, p99 and worst of a list.
func spread(list []time.Duration) string {
	if len(list) == 0 {
		return "nothing"
	}
	slices.Sort(list)
	at := func(q float64) time.Duration {
		return list[min(int(q*float64(len(list))), len(list)-1)].Round(10 * time.Microsecond)
	}
	return fmt.Sprintf("n %d, median %v, p99 %v, worst %v", len(list), at(.5), at(.99), at(1))
}
