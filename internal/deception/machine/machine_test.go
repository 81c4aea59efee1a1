package machine_test

import (
	"errors"
	"net/netip"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

var now = time.Date(2026, 11, 21, 9, 30, 0, 0, time.UTC)

func build(seed string) *machine.Machine {
	return machine.New([]byte(seed), machine.Spec{Now: now, Lived: true, Admin: "keller"})
}

func TestSeeds(t *testing.T) {
	a, b, c := build("a"), build("a"), build("b")
	if a.Hostname != b.Hostname || a.MachineID != b.MachineID || !a.Boot.Equal(b.Boot) || len(a.Processes) != len(b.Processes) {
		t.Error("one seed made two machines")
	}
	if a.MachineID == c.MachineID || a.Main().MAC == c.Main().MAC {
		t.Error("two seeds made one machine")
	}
}

func TestPlausible(t *testing.T) {
	for i := range 200 {
		m := build(string(rune('a'+i%26)) + strings.Repeat("x", i/26))
		up := m.Uptime(now)
		if up < 48*time.Hour || up > 150*24*time.Hour {
			t.Errorf("%d: up %s", i, up)
		}
		if !m.Installed.Before(m.Boot) {
			t.Errorf("%d: installed %s after boot %s", i, m.Installed, m.Boot)
		}
		if m.Main().Addr.Addr() == m.Gateway {
			t.Errorf("%d: the machine is its own gateway", i)
		}
		last := 0
		for _, p := range m.Processes {
			if p.PID <= last {
				t.Fatalf("%d: process %d %s after %d", i, p.PID, p.Name, last)
			}
			last = p.PID
		}
		if last >= m.NextPID {
			t.Errorf("%d: daemons reach %d, new processes begin at %d", i, last, m.NextPID)
		}
		for h := range 48 {
			x := m.Memory(now.Add(time.Duration(h) * time.Hour))
			if x.Free <= 0 || x.Available > x.Total || x.Free > x.Available || x.Used() <= 0 {
				t.Fatalf("%d: memory %+v", i, x)
			}
		}
		for _, l := range m.Logins {
			if l.At.After(now) || !l.Reboot && (l.Until.Before(l.At) || l.Until.After(now)) {
				t.Errorf("%d: login %+v", i, l)
			}
		}
	}
}

func TestCountersGrow(t *testing.T) {
	m := build("a")
	var idle, user time.Duration
	for h := range 100 {
		c := m.CPUTime(now.Add(time.Duration(h) * 7 * time.Minute))
		if c.Idle < idle || c.User < user {
			t.Fatalf("processor time runs backwards at step %d", h)
		}
		idle, user = c.Idle, c.User
	}
}

func TestTable(t *testing.T) {
	at := now
	m := build("a")
	table := m.NewTable(func() time.Time { return at })
	one := table.Spawn(machine.Process{Args: []string{"/bin/sleep", "9"}, UID: 1000})
	at = at.Add(time.Hour)
	two := table.Spawn(machine.Process{Args: []string{"x"}})
	if one <= m.Processes[len(m.Processes)-1].PID || two <= one {
		t.Errorf("ids %d, %d", one, two)
	}
	if p, ok := table.Get(one); !ok || p.Name != "sleep" || !p.Start.Equal(now) {
		t.Errorf("process %+v", p)
	}
	if err := table.Kill(33, one, 9); !errors.Is(err, vfs.EPERM) {
		t.Errorf("a stranger kills: %v", err)
	}
	if err := table.Kill(1000, one, 9); err != nil {
		t.Error(err)
	}
	if err := table.Kill(0, one, 0); !errors.Is(err, vfs.ESRCH) {
		t.Errorf("a dead process answers: %v", err)
	}
	daemon := m.Processes[len(m.Processes)-1].PID
	if err := table.Kill(0, daemon, 15); err != nil {
		t.Error(err)
	}
	if _, ok := table.Get(daemon); ok {
		t.Error("a killed daemon runs")
	}
	if _, ok := m.NewTable(func() time.Time { return at }).Get(daemon); !ok {
		t.Error("one attacker's kill reaches another")
	}
	full := m.NewTable(func() time.Time { return at })
	n := 0
	for full.Spawn(machine.Process{Args: []string{"x"}}) != 0 {
		if n++; n > 5000 {
			t.Fatal("a fork bomb finds no end")
		}
	}
}

func TestSession(t *testing.T) {
	table := build("a").NewTable(func() time.Time { return now })
	local, peer := netip.MustParseAddrPort("10.0.0.1:22"), netip.MustParseAddrPort("198.51.100.3:4444")
	before := len(table.List())
	a := table.OpenSSH("keller", 1000, 1000, true, local, peer)
	b := table.OpenSSH("root", 0, 0, true, local, peer)
	if a.TTY != "pts/0" || b.TTY != "pts/1" {
		t.Errorf("terminals %q and %q", a.TTY, b.TTY)
	}
	if n := len(table.List()) - before; n != 3 {
		t.Errorf("%d new processes, want three sshd", n)
	}
	a.Close()
	if c := table.OpenSSH("root", 0, 0, true, local, peer); c.TTY != "pts/0" {
		t.Errorf("terminal %q after the first was closed", c.TTY)
	}
}

func FuzzProc(f *testing.F) {
	for _, s := range []string{"", "self/fd/1", "1/status", "net/tcp", "sys/kernel/random/uuid", "self/task/1/comm", "999999999999999999999/x", "1/task/1/task/1/stat", "class/net/lo/address"} {
		f.Add(s)
	}
	m := build("a")
	img := vfs.NewImage(1, now)
	img.OnNew(func(v *vfs.FS) { v.SetView(m.NewTable(v.Now)) })
	view := img.NewFS(vfs.Quota{}, func() time.Time { return now })
	sys := machine.NewSys(m)
	f.Fuzz(func(t *testing.T, rel string) {
		env := vfs.Env{Now: now, FS: view, Self: 1}
		for _, tree := range []vfs.Tree{machine.Proc{M: m}, sys} {
			if e, ok := tree.Lookup(env, rel); ok && e.Content != nil {
				e.Content(env)
			}
			tree.List(env, rel)
		}
	})
}
