package sandbox

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// order is what the test tells a child, outcomeOf what the child answers.
type order struct {
	Bare   bool     // stay outside the cage
	Skip   []string // layers left open
	Config Config
	Target Target
	Deadly string // make this attempt alone, on the first thread
	Echo   bool   // serve the listener until it closes
	Idle   bool   // wait for the end of the socket
	Hang   bool   // never end by itself
	Burn   bool   // work hard, to see what the runtime calls
}

type answer struct {
	Err    string
	Report Report
	Probe  Probe
	Open   map[string]string // attempt -> what the kernel said on the worst thread
	Made   int
	Took   time.Duration
}

const (
	fdOrders   = FirstFile
	fdListener = FirstFile + 1
)

var built struct {
	sync.Once
	path string
	err  error
}

// program returns a binary of this package's tests without cgo.
func program(t testing.TB) string {
	t.Helper()
	if !withCgo {
		return "/proc/self/exe"
	}
	built.Do(func() {
		dir, err := os.MkdirTemp("", "cage")
		if err != nil {
			built.err = err
			return
		}
		os.Chmod(dir, 0o755) // a test starts it as nobody
		built.path = filepath.Join(dir, "cage.test")
		cmd := exec.Command("go", "test", "-c", "-o", built.path, ".")
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			built.err = fmt.Errorf("%w: %s", err, out)
		}
	})
	if built.err != nil {
		t.Fatalf("build the child: %v", built.err)
	}
	return built.path
}

func TestMain(m *testing.M) {
	if len(os.Args) > 1 && os.Args[1] == "caged" {
		child()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "outer" {
		outer()
		return
	}
	if len(os.Args) > 1 && os.Args[1] == "parent" {
		parent()
		return
	}
	code := m.Run()
	if built.path != "" {
		os.RemoveAll(filepath.Dir(built.path))
	}
	os.Exit(code)
}

func child() {
	began := time.Now()
	orders := os.NewFile(fdOrders, "orders")
	var o order
	if err := json.NewDecoder(orders).Decode(&o); err != nil {
		panic(err)
	}
	listener, err := net.FileListener(os.NewFile(fdListener, "listener"))
	if err != nil {
		panic(err)
	}
	raw, _ := listener.(*net.TCPListener).SyscallConn()
	raw.Control(func(fd uintptr) { o.Target.Socket = int(fd) })

	before := threads()
	old := make([]chan func(), 3)
	for i := range old {
		old[i] = make(chan func())
		go func() {
			runtime.LockOSThread()
			for f := range old[i] {
				f()
			}
		}()
	}
	for _, c := range old { // each is on its thread now
		c <- func() { before[unix.Gettid()] = true }
	}

	var a answer
	if !o.Bare {
		o.Config.skip = o.Skip
		if a.Report, err = Enter(o.Config); err != nil {
			a.Err = err.Error()
			json.NewEncoder(orders).Encode(a)
			return
		}
		a.Probe = SelfTest(withNetAdmin(o.Target, o.Config.NetAdmin), func(_ string, fn func()) { go fn() })
	}
	a.Took = time.Since(began)
	if o.Deadly != "" {
		i := slices.IndexFunc(attempts, func(a attempt) bool { return a.name == o.Deadly })
		err := attempts[i].try(o.Target)
		a.Open = map[string]string{}
		if !refused(err) {
			a.Open[o.Deadly] = outcome(err)
		}
		json.NewEncoder(orders).Encode(a)
		return
	}
	if o.Burn {
		burn()
	}
	if !o.Echo && !o.Idle && !o.Hang {
		tryAll(&a, o.Target, old, before)
	}
	json.NewEncoder(orders).Encode(a)
	if o.Echo {
		echo(listener)
	}
	if o.Idle {
		io.Copy(io.Discard, orders)
	}
	if o.Hang {
		echo(listener)
	}
}

// tryAll makes every attempt on each old thread and on a new one.
func tryAll(a *answer, target Target, old []chan func(), before map[int]bool) {
	fresh := make(chan func())
	for ok := false; !ok; {
		told := make(chan bool)
		go func() {
			runtime.LockOSThread()
			isNew := !before[unix.Gettid()]
			told <- isNew
			if !isNew {
				select {} // hold the old thread, so that the next one is another
			}
			for f := range fresh {
				f()
			}
		}()
		ok = <-told
	}
	a.Open = map[string]string{}
	for _, at := range attempts {
		if at.deadly {
			continue
		}
		a.Made++
		for _, thread := range append(slices.Clone(old), fresh) {
			done := make(chan error)
			thread <- func() { done <- at.try(target) }
			if err := <-done; !refused(err) {
				a.Open[at.name] = outcome(err)
			}
		}
	}
}

func threads() map[int]bool {
	m := map[int]bool{}
	list, _ := os.ReadDir("/proc/self/task")
	for _, e := range list {
		n, _ := strconv.Atoi(e.Name())
		m[n] = true
	}
	return m
}

// burn makes the runtime do what it does: collect, grow, interrupt, sleep, start threads.
func burn() {
	var wait sync.WaitGroup
	for range 8 {
		wait.Add(1)
		go func() {
			defer wait.Done()
			var keep [][]byte
			for i := range 400 {
				keep = append(keep, make([]byte, 64<<10))
				if i%100 == 0 {
					keep = nil
					runtime.GC()
				}
				time.Sleep(10 * time.Microsecond)
			}
			runtime.KeepAlive(keep)
		}()
	}
	for range 4 { // threads that come and go
		wait.Add(1)
		go func() { runtime.LockOSThread(); wait.Done() }()
	}
	wait.Wait()
}

func echo(l net.Listener) {
	for {
		c, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer c.Close()
			io.Copy(c, c)
		}()
	}
}

// outer starts a caged process itself: it is run as somebody who is not root.
func outer() {
	l := NewLauncher(func(_ string, fn func()) { go fn() })
	a, exit, err := runChild(l, "", false, order{})
	if err != nil {
		a.Err = err.Error()
	}
	if exit.Violation {
		a.Err = "violation"
	}
	json.NewEncoder(os.Stdout).Encode(a)
}

// parent starts a caged process that waits, says its number and waits itself.
func parent() {
	w, err := newWorld()
	if err != nil {
		panic(err)
	}
	orders, files, err := w.files()
	if err != nil {
		panic(err)
	}
	l := NewLauncher(func(_ string, fn func()) { go fn() })
	p, err := l.Start(context.Background(), Options{Args: []string{"caged"}, Files: append(files, os.NewFile(3, "held"))})
	if err != nil {
		panic(err)
	}
	if a, err := talk(orders, order{Hang: true, Config: Config{Namespaces: p.Namespaces}}); err != nil || a.Err != "" {
		panic(fmt.Sprint(err, a.Err))
	}
	json.NewEncoder(os.Stdout).Encode(p.Pid)
	os.Remove(w.unix.Addr().String())
	select {}
}
