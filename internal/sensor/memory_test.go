package sensor_test

import (
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sensor"
	"honeyguide/internal/sensor/sensortest"
)

// keeper is a Keeper that outlives worlds. It answers at once unless it is told
// to be slow.
type keeper struct {
	mu     sync.Mutex
	kept   map[netip.Addr][]byte
	asked  []netip.Addr
	world  *sensor.World
	silent bool
}

func (k *keeper) Recall(source netip.Addr) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.asked = append(k.asked, source)
	if world := k.kept[source]; !k.silent {
		go k.world.Recalled(source, world)
	}
}

func (k *keeper) Remember(source netip.Addr, world []byte) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.kept == nil {
		k.kept = map[netip.Addr][]byte{}
	}
	k.kept[source] = slices.Clone(world)
}

// process makes the world of another process that has the same memory.
func process(t *testing.T, k *keeper, change ...func(*sensor.WorldConfig)) *sensor.World {
	t.Helper()
	k.world = sensortest.NewWorld(t, append([]func(*sensor.WorldConfig){func(c *sensor.WorldConfig) { c.Keeper = k }}, change...)...)
	return k.world
}

func has(fs *vfs.FS, path string) bool {
	_, err := fs.Stat(vfs.Cred{}, path)
	return err == nil
}

func TestWorldOutlivesTheProcess(t *testing.T) {
	k := &keeper{}
	w := process(t, k)
	const src = "203.0.113.1"
	a, _, _ := session(t, w, src)
	if !w.Login(a.Src.Addr(), "ssh", "after-2", "root", "x") && !w.Login(a.Src.Addr(), "ssh", "after-2", "root", "first") {
		t.Fatal("not let in")
	}
	fs := w.FS(a)
	put(t, fs, "/tmp/mine", "hello")
	w.Changed(a.Src.Addr(), "root", "second")
	login := machine.TableOf(fs).OpenSSH("root", 0, 0, true, a.Dst, a.Src)
	login.Close()
	w.Hand(true)
	if len(k.kept) != 1 {
		t.Fatalf("%d worlds kept", len(k.kept))
	}

	w = process(t, k)
	b, _, _ := session(t, w, src)
	if w.Login(b.Src.Addr(), "ssh", "after-2", "root", "first") {
		t.Error("the old password still opens")
	}
	if !w.Login(b.Src.Addr(), "ssh", "after-2", "root", "second") {
		t.Error("the new password does not open")
	}
	if !has(w.FS(b), "/tmp/mine") {
		t.Error("the file is gone")
	}
	if _, at, from := w.Greeting(b, "root"); from != src || at.IsZero() {
		t.Errorf("last login from %q at %v", from, at)
	}
	stranger, _, _ := session(t, w, "203.0.113.2")
	if has(w.FS(stranger), "/tmp/mine") {
		t.Error("another source sees the file")
	}
}

// TestOneNetworkIsOneSource: a peer chooses among 2^64 addresses.
func TestOneNetworkIsOneSource(t *testing.T) {
	k := &keeper{}
	w := process(t, k)
	a, _, _ := session(t, w, "2001:db8:1:2::1")
	put(t, w.FS(a), "/tmp/mine", "hello")
	b, _, _ := session(t, w, "2001:db8:1:2:3:4:5:6")
	if !has(w.FS(b), "/tmp/mine") {
		t.Error("an address of the same /64 does not see the file")
	}
	c, _, _ := session(t, w, "2001:db8:1:3::1")
	if has(w.FS(c), "/tmp/mine") {
		t.Error("another /64 sees the file")
	}
}

// TestLateAnswer: who has begun to look around keeps the world they saw, and
// nothing is kept over what is not known yet.
func TestLateAnswer(t *testing.T) {
	k := &keeper{}
	w := process(t, k)
	const src = "203.0.113.1"
	a, _, _ := session(t, w, src)
	w.Login(a.Src.Addr(), "ssh", "after-1", "root", "first")
	put(t, w.FS(a), "/tmp/old", "old")
	w.Hand(true)
	kept := k.kept[a.Src.Addr()]

	k.silent = true
	w = process(t, k)
	b, _, _ := session(t, w, src)
	put(t, w.FS(b), "/tmp/new", "new") // after having waited in vain
	w.Hand(true)
	if string(k.kept[b.Src.Addr()]) != string(kept) {
		t.Error("a fresh world was kept over one that is not known")
	}
	w.Recalled(b.Src.Addr(), kept)
	c, _, _ := session(t, w, src)
	if fs := w.FS(c); has(fs, "/tmp/old") || !has(fs, "/tmp/new") {
		t.Error("the files changed under the session")
	}
	if !w.Login(c.Src.Addr(), "ssh", "after-1", "root", "first") {
		t.Error("the earlier password is lost")
	}
	w.Hand(true)
	if string(k.kept[b.Src.Addr()]) == string(kept) {
		t.Error("the world is not kept after the answer")
	}

	w = process(t, k) // silent still
	d, _, _ := session(t, w, src)
	w.Recalled(d.Src.Addr(), kept) // nobody asked, for nothing happened
	w.Login(d.Src.Addr(), "ssh", "after-9", "root", "nothing")
	w.Recalled(d.Src.Addr(), kept) // late, but before the first look
	if !has(w.FS(d), "/tmp/old") {
		t.Error("an answer before the first look is not taken")
	}
}

// TestBadMemory: whatever the memory says, the source gets a world.
func TestBadMemory(t *testing.T) {
	for _, bad := range []string{"x", "HW\x02\x01\x05abc", "HW\x02\x01\x03abc", "HW\x02\x03\x02\xff\xff", "HW\x02\x04\x01\x09"} {
		k := &keeper{kept: map[netip.Addr][]byte{netip.MustParseAddr("203.0.113.1"): []byte(bad)}}
		w := process(t, k)
		s, _, _ := session(t, w, "203.0.113.1")
		if !has(w.FS(s), "/etc/passwd") {
			t.Errorf("%q: no files", bad)
		}
	}
}

// TestDurableSourcesLeaveTheProcess: what the memory has need not be held.
func TestDurableSourcesLeaveTheProcess(t *testing.T) {
	k := &keeper{}
	w := process(t, k, func(c *sensor.WorldConfig) { c.Sources = 4 })
	first, _, _ := session(t, w, "203.0.113.1")
	put(t, w.FS(first), "/tmp/mine", "hello")
	w.Hand(true)
	for n := range 40 {
		s, _, _ := session(t, w, netip.AddrFrom4([4]byte{198, 51, 100, byte(n)}).String())
		w.FS(s)
	}
	k.mu.Lock()
	before := len(k.asked)
	k.mu.Unlock()
	if !has(w.FS(first), "/tmp/mine") {
		t.Error("the file is gone")
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	if len(k.asked) == before {
		t.Error("the source was still in the process")
	}
}

// TestRunAsksTheCore: the core is the memory of a sensor process.
func TestRunAsksTheCore(t *testing.T) {
	c := start(t, nil)
	c.say(t, "hello")
	c.next(t, func(m ipc.Message) bool {
		r, ok := m.(ipc.Recall)
		return ok && r.Source == netip.MustParseAddr("127.0.0.1")
	})
	if err := c.core.Send(ipc.Recalled{Source: netip.MustParseAddr("127.0.0.1"), World: []byte("garbage")}); err != nil {
		t.Fatal(err)
	}
	c.say(t, "again")
	c.end(t)
}

func FuzzRecollect(f *testing.F) {
	k := &keeper{}
	w := sensortest.NewWorld(f, func(c *sensor.WorldConfig) { c.Keeper = k })
	k.world = w
	src := netip.MustParseAddrPort("203.0.113.1:1000")
	w.Login(src.Addr(), "ssh", "after-1", "root", "first")
	s := sensortest.Session(w, sensortest.NewSink(), "ssh", sensortest.NewScript(nil))
	s.Src = src
	fs := w.FS(s)
	machine.TableOf(fs).OpenSSH("root", 0, 0, true, s.Dst, s.Src).Close()
	_ = machine.TableOf(fs).Kill(0, machine.TableOf(fs).List()[40].PID, 9)
	_ = fs.Mkdir(vfs.Cred{}, "/tmp/x", 0o755)
	w.Hand(true)
	for _, world := range k.kept {
		f.Add(world)
	}
	k.silent = true
	n := byte(0)
	f.Fuzz(func(t *testing.T, world []byte) {
		n++
		addr := netip.AddrFrom4([4]byte{198, 51, 100, n})
		s := sensortest.Session(w, sensortest.NewSink(), "ssh", sensortest.NewScript(nil))
		s.Src = netip.AddrPortFrom(addr, 1000)
		w.Ask(addr)
		w.Recalled(addr, world)
		fs := w.FS(s)
		if !has(fs, "/proc/self/") {
			t.Error("no /proc")
		}
		w.Login(addr, "ssh", "list", "root", "x")
		machine.TableOf(fs).Logins()
		if strings.Contains(s.ID, "/") {
			t.Error(s.ID)
		}
	})
}
