package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// world is what a child may try to reach: a core that listens.
type world struct {
	tcp      *net.TCPListener
	unix     net.Listener
	listener *net.TCPListener
}

func newWorld() (*world, error) {
	plain := func() (*net.TCPListener, error) {
		var lc net.ListenConfig
		lc.SetMultipathTCP(false)
		l, err := lc.Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return nil, err
		}
		return l.(*net.TCPListener), nil
	}
	var w world
	var err error
	if w.tcp, err = plain(); err != nil {
		return nil, err
	}
	if w.listener, err = plain(); err != nil {
		return nil, err
	}
	w.unix, err = net.Listen("unix", fmt.Sprintf("/tmp/honeyguide-cage-%d.sock", os.Getpid()))
	return &w, err
}

func (w *world) close() { w.tcp.Close(); w.listener.Close(); w.unix.Close() }

func (w *world) target() Target {
	return Target{PID: os.Getpid(), Port: w.tcp.Addr().(*net.TCPAddr).Port, Unix: w.unix.Addr().String()}
}

// files makes the child's descriptors and returns our end of the orders.
func (w *world) files() (orders *os.File, files []*os.File, err error) {
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	lf, err := w.listener.File()
	if err != nil {
		return nil, nil, err
	}
	return os.NewFile(uintptr(fds[0]), "orders"), []*os.File{os.NewFile(uintptr(fds[1]), "child"), lf}, nil
}

// runChild starts a caged child and returns what it answers and how it ended.
func runChild(l *Launcher, path string, noNamespaces bool, o order) (answer, Exit, error) {
	return runChildFrom(l, path, noNamespaces, 0, o)
}

func runChildFrom(l *Launcher, path string, noNamespaces bool, from int, o order) (answer, Exit, error) {
	w, err := newWorld()
	if err != nil {
		return answer{}, Exit{}, err
	}
	defer w.close()
	orders, files, err := w.files()
	if err != nil {
		return answer{}, Exit{}, err
	}
	defer orders.Close()
	p, err := l.Start(context.Background(), Options{Path: path, Args: []string{"caged"}, Files: files, NoNamespaces: noNamespaces, from: from, NetAdmin: o.Config.NetAdmin})
	for _, f := range files {
		f.Close()
	}
	if err != nil {
		return answer{}, Exit{}, err
	}
	o.Config.Namespaces = p.Namespaces
	o.Target = w.target()
	a, err := talk(orders, o)
	exit, werr := p.Wait()
	if err != nil && !exit.Violation {
		err = fmt.Errorf("%w; child: %v %s", err, exit, exit.Output)
	} else {
		err = werr
	}
	return a, exit, err
}

func talk(orders *os.File, o order) (a answer, err error) {
	if err := json.NewEncoder(orders).Encode(o); err != nil {
		return a, err
	}
	if err := json.NewDecoder(orders).Decode(&a); err != nil {
		return a, fmt.Errorf("read the child's answer: %w", err)
	}
	return a, nil
}

func launcher(t testing.TB) *Launcher {
	l := NewLauncher(func(_ string, fn func()) { go fn() })
	t.Cleanup(l.Close)
	return l
}

// bare runs the child without a cage: the positive control.
func bare(t *testing.T, deadly string) (answer, error) {
	t.Helper()
	w, err := newWorld()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	orders, files, err := w.files()
	if err != nil {
		t.Fatal(err)
	}
	defer orders.Close()
	cmd := exec.Command(program(t), "caged")
	cmd.ExtraFiles = files
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		f.Close()
	}
	a, err := talk(orders, order{Bare: true, Target: w.target(), Deadly: deadly})
	if werr := cmd.Wait(); werr != nil {
		err = werr
	}
	return a, err
}

var allLayers = []string{
	LayerNamespaces, LayerLimits, LayerRoot, LayerCapabilities,
	LayerUser, LayerLandlock, LayerNoNewPrivs, LayerSeccomp,
}

// but returns all layers except those named.
func but(keep ...string) []string {
	return slices.DeleteFunc(slices.Clone(allLayers), func(l string) bool { return slices.Contains(keep, l) })
}

func names(open map[string]string) string {
	var list []string
	for name, why := range open {
		list = append(list, name+" ("+why+")")
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// TestSandboxEscape is the promise: with the cage closed no attempt is open, on
// no thread. The run without a cage shows that the attempts are real ones.
func TestSandboxEscape(t *testing.T) {
	l := launcher(t)
	control, err := bare(t, "")
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("no cage: %d of %d open", len(control.Open), control.Made)
	if control.Made < 40 {
		t.Errorf("only %d attempts", control.Made)
	}
	if os.Getuid() == 0 && len(control.Open) < 25 {
		t.Errorf("no cage, root: only %d open: the attempts prove nothing", len(control.Open))
	}

	open, made := 0, 0
	for _, mode := range []struct {
		name         string
		noNamespaces bool
		from         int
		skip         []string
	}{
		{"all layers", false, 0, nil},
		{"no user namespace", false, 1, nil},
		{"no namespaces", true, 0, nil},
		{"seccomp alone", true, 0, but(LayerSeccomp, LayerNoNewPrivs, LayerUser)},
		{"no landlock", false, 0, []string{LayerLandlock}},
	} {
		t.Run(mode.name, func(t *testing.T) {
			a, exit, err := runChildFrom(l, program(t), mode.noNamespaces, mode.from, order{Skip: mode.skip})
			if err != nil || a.Err != "" {
				t.Fatal(err, a.Err)
			}
			if exit.Code != 0 {
				t.Errorf("child ended with %v: %s", exit, exit.Output)
			}
			t.Logf("%d attempts on old and new threads, %d in the self-test, %v", a.Made, a.Probe.Made, a.Report)
			open, made = open+len(a.Open)+len(a.Probe.Open), made+a.Made+a.Probe.Made
			if len(a.Open) > 0 {
				t.Errorf("open: %s", names(a.Open))
			}
			if len(a.Probe.Open) > 0 || a.Probe.Made < 40 {
				t.Errorf("self-test: %d made, open: %v", a.Probe.Made, a.Probe.Open)
			}
		})
	}
	t.Logf("TRUST name=sandbox-escapes-open figure=%d unit=attempts target=<=0 of=%d", open, made)
}

// TestDeadly: what no sensor ever calls ends the process, and the parent can tell.
func TestDeadly(t *testing.T) {
	l := launcher(t)
	n := 0
	for _, at := range attempts {
		if !at.deadly {
			continue
		}
		n++
		t.Run(at.name, func(t *testing.T) {
			_, exit, err := runChild(l, program(t), false, order{Deadly: at.name})
			if err != nil {
				t.Fatal(err)
			}
			if !exit.Violation || exit.Signal != syscall.SIGSYS {
				t.Errorf("ended with %v, want a violation", exit)
			}
			// Without a cage it is let through: the program runs or the kernel says what is wrong.
			a, err := bare(t, at.name)
			if err == nil && len(a.Open) == 0 && os.Getuid() == 0 {
				t.Errorf("no cage: refused, so the attempt proves nothing")
			}
		})
	}
	if n < 4 {
		t.Errorf("%d deadly attempts", n)
	}
}

// TestLayers asserts what each layer closes by itself, without the filter.
func TestLayers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root: most layers exist for it only")
	}
	l := launcher(t)
	control, err := bare(t, "")
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name   string
		layers []string
		noNS   bool
		closes []string
	}{
		{"uid", []string{LayerUser}, true, []string{"become root", "mount", "change root", "raw socket", "open the core's memory", "signal the core"}},
		{"landlock", []string{LayerLandlock}, true, []string{"open a file", "create a file", "make a directory", "bind a new port", "TCP connect to the core", "signal the core"}},
		{"namespaces and root", []string{LayerNamespaces, LayerRoot}, false, []string{"open a file", "create a file", "TCP connect to the core", "MPTCP connect", "connect to a unix socket", "UDP connect outside"}},
		{"capabilities and uid in namespaces", []string{LayerNamespaces, LayerRoot, LayerCapabilities, LayerUser}, false, []string{"open a file", "mount", "change root", "raw socket"}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			a, _, err := runChild(l, program(t), tt.noNS, order{Skip: but(tt.layers...), Config: Config{Insecure: true}})
			if err != nil || a.Err != "" {
				t.Fatal(err, a.Err)
			}
			for _, layer := range a.Report {
				if slices.Contains(tt.layers, layer.Name) && layer.State != On {
					t.Skipf("this host does not have the layer: %+v", layer)
				}
			}
			t.Logf("%d of %d open, without a cage %d", len(a.Open), a.Made, len(control.Open))
			if len(a.Open) >= len(control.Open) {
				t.Errorf("nothing was closed")
			}
			for _, name := range tt.closes {
				if why, open := a.Open[name]; open {
					t.Errorf("open: %s (%s)", name, why)
				}
				if _, open := control.Open[name]; !open {
					t.Errorf("not open without the layer either: %s", name)
				}
			}
		})
	}
}

// TestNobody closes the cage as a user who is not root, as a service without
// privileges does.
func TestNobody(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to become somebody else; the other tests then run as that user")
	}
	cmd := exec.Command(program(t), "outer")
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: 65533, Gid: 65533, Groups: []uint32{}}}
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	var a answer
	if err := json.Unmarshal(out, &a); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	t.Logf("%d attempts, %v", a.Made, a.Report)
	if a.Err != "" || len(a.Open) > 0 || a.Made < 40 {
		t.Errorf("%s, %d made, open: %s", a.Err, a.Made, names(a.Open))
	}
}

// TestServes: the filter lets a server do its work, and the runtime do its own.
func TestServes(t *testing.T) {
	w, err := newWorld()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	orders, files, err := w.files()
	if err != nil {
		t.Fatal(err)
	}
	p, err := launcher(t).Start(t.Context(), Options{Path: program(t), Args: []string{"caged"}, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		f.Close()
	}
	a, err := talk(orders, order{Echo: true, Burn: true, Config: Config{Namespaces: p.Namespaces, Procs: 2}})
	if err != nil || a.Err != "" {
		exit, _ := p.Wait()
		t.Fatal(err, a.Err, exit, exit.Output)
	}
	checkStatus(t, p.Pid)
	for i := range 20 {
		c, err := net.Dial("tcp", w.listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Repeat("x", 1000*i)
		go func() { io.WriteString(c, want); c.(*net.TCPConn).CloseWrite() }()
		got, err := io.ReadAll(c)
		if err != nil || string(got) != want {
			t.Errorf("echo of %d bytes: %d, %v", len(want), len(got), err)
		}
		c.Close()
	}
	p.Kill()
	if exit, err := p.Wait(); err != nil || exit.Signal != syscall.SIGKILL || exit.Violation {
		t.Errorf("ended with %v, %v; want killed", exit, err)
	}
}

// checkStatus compares what the kernel says about every thread of a caged
// process, seen from outside.
func checkStatus(t *testing.T, pid int) {
	t.Helper()
	tasks, err := os.ReadDir(fmt.Sprintf("/proc/%d/task", pid))
	if err != nil {
		t.Fatal(err)
	}
	id := "65534"
	if os.Getuid() != 0 {
		id = fmt.Sprint(os.Getuid())
	}
	want := map[string]string{
		"Uid": strings.Join([]string{id, id, id, id}, " "), "CapEff": strings.Repeat("0", 16), "CapPrm": strings.Repeat("0", 16),
		"NoNewPrivs": "1", "Seccomp": "2",
	}
	if os.Getuid() == 0 {
		want["Groups"], want["CapBnd"] = "", strings.Repeat("0", 16)
	}
	for _, task := range tasks {
		b, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%s/status", pid, task.Name()))
		if err != nil {
			continue // the thread ended
		}
		for line := range strings.Lines(string(b)) {
			name, value, _ := strings.Cut(line, ":")
			if w, ok := want[name]; ok && strings.Join(strings.Fields(value), " ") != w {
				t.Errorf("thread %s: %s, want %q", task.Name(), strings.TrimSpace(line), w)
			}
		}
	}
}

// TestDiesWithItsParent: a caged process does not outlive a core that dies
// without a word.
func TestDiesWithItsParent(t *testing.T) {
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command(program(t), "parent")
	cmd.ExtraFiles = []*os.File{w}
	out, _ := cmd.StdoutPipe()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	w.Close()
	var pid int
	if err := json.NewDecoder(out).Decode(&pid); err != nil {
		t.Fatal(err)
	}
	if err := unix.Kill(pid, 0); err != nil {
		t.Fatalf("the child is not there: %v", err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	// The child holds the pipe, as its output; its end closes it.
	if b, err := io.ReadAll(r); err != nil || len(b) > 0 {
		t.Errorf("%q, %v", b, err)
	}
}

// TestDiesWithTheLauncher: closing the launcher ends what it started.
func TestDiesWithTheLauncher(t *testing.T) {
	w, err := newWorld()
	if err != nil {
		t.Fatal(err)
	}
	defer w.close()
	orders, files, err := w.files()
	if err != nil {
		t.Fatal(err)
	}
	l := NewLauncher(func(_ string, fn func()) { go fn() })
	p, err := l.Start(t.Context(), Options{Path: program(t), Args: []string{"caged"}, Files: files})
	if err != nil {
		t.Fatal(err)
	}
	if a, err := talk(orders, order{Idle: true, Config: Config{Namespaces: p.Namespaces}}); err != nil || a.Err != "" {
		t.Fatal(err, a.Err)
	}
	l.Close()
	if exit, err := p.Wait(); err != nil || exit.Signal != syscall.SIGKILL {
		t.Errorf("ended with %v, %v; want killed", exit, err)
	}
	if _, err := l.Start(t.Context(), Options{}); err == nil {
		t.Error("a closed launcher started something")
	}
}

func TestStartErrors(t *testing.T) {
	l := launcher(t)
	if _, err := l.Start(t.Context(), Options{Path: "/nonexistent"}); err == nil {
		t.Error("a program that does not exist was started")
	}
	// What a process says last is kept, and does not keep it from ending.
	p, err := l.Start(t.Context(), Options{Path: "/bin/sh", Args: []string{"-c", "yes word | head -c 1000000; exit 3"}})
	if err != nil {
		t.Fatal(err)
	}
	exit, err := p.Wait()
	if err != nil || exit.Code != 3 || !strings.HasPrefix(exit.Output, "word\n") || len(exit.Output) > maxLastWords {
		t.Errorf("%v %v, %d bytes of output", exit, err, len(exit.Output))
	}
}

// BenchmarkStart measures from the start of a process to its proven cage.
func BenchmarkStart(b *testing.B) {
	l := launcher(b)
	path := program(b)
	for _, noNS := range []bool{false, true} {
		b.Run(fmt.Sprintf("namespaces=%v", !noNS), func(b *testing.B) {
			var cage float64
			for b.Loop() {
				w, err := newWorld()
				if err != nil {
					b.Fatal(err)
				}
				orders, files, _ := w.files()
				p, err := l.Start(b.Context(), Options{Path: path, Args: []string{"caged"}, Files: files, NoNamespaces: noNS})
				if err != nil {
					b.Fatal(err)
				}
				for _, f := range files {
					f.Close()
				}
				a, err := talk(orders, order{Idle: true, Config: Config{Namespaces: p.Namespaces}})
				if err != nil || a.Err != "" {
					b.Fatal(err, a.Err)
				}
				cage += a.Took.Seconds()
				b.StopTimer()
				orders.Close()
				p.Wait()
				w.close()
				b.StartTimer()
			}
			b.ReportMetric(1000*cage/float64(b.N), "ms/cage")
		})
	}
}

// BenchmarkEcho compares round trips to a server in its cage and outside.
func BenchmarkEcho(b *testing.B) {
	for _, caged := range []bool{false, true} {
		b.Run(fmt.Sprintf("caged=%v", caged), func(b *testing.B) {
			w, err := newWorld()
			if err != nil {
				b.Fatal(err)
			}
			defer w.close()
			orders, files, err := w.files()
			if err != nil {
				b.Fatal(err)
			}
			defer orders.Close()
			p, err := launcher(b).Start(b.Context(), Options{Path: program(b), Args: []string{"caged"}, Files: files, NoNamespaces: !caged})
			if err != nil {
				b.Fatal(err)
			}
			for _, f := range files {
				f.Close()
			}
			a, err := talk(orders, order{Bare: !caged, Echo: true, Config: Config{Namespaces: p.Namespaces}})
			if err != nil || a.Err != "" {
				b.Fatal(err, a.Err)
			}
			c, err := net.Dial("tcp", w.listener.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			trips := make([]time.Duration, 0, 1<<16)
			buf := make([]byte, 64)
			for b.Loop() {
				began := time.Now()
				if _, err := c.Write(buf); err != nil {
					b.Fatal(err)
				}
				if _, err := io.ReadFull(c, buf); err != nil {
					b.Fatal(err)
				}
				trips = append(trips, time.Since(began))
			}
			slices.Sort(trips)
			b.ReportMetric(float64(trips[len(trips)/2].Nanoseconds())/1000, "us-p50")
		})
	}
}
