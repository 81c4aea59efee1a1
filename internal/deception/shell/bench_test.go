package shell

import (
	"context"
	"io"
	"os"
	"runtime"
	"runtime/pprof"
	"strings"
	"testing"
	"time"
)

func benchmarkExec(b *testing.B, line string) {
	s := newTestShell(b, Budget{})
	ctx := context.Background()
	b.ReportAllocs()
	for b.Loop() {
		s.Exec(ctx, line, strings.NewReader(""), io.Discard, io.Discard)
	}
}

func BenchmarkEcho(b *testing.B)     { benchmarkExec(b, "echo hello world") }
func BenchmarkExternal(b *testing.B) { benchmarkExec(b, "cat /etc/hostname") }
func BenchmarkPipe3(b *testing.B)    { benchmarkExec(b, "echo a b c | cat | cat") }
func BenchmarkSubst(b *testing.B)    { benchmarkExec(b, "x=$(echo hi); echo ${x%i} ${x/h/H}") }
func BenchmarkFor100(b *testing.B)   { benchmarkExec(b, "for ((i=0;i<100;i++)); do :; done") }
func BenchmarkMiraiLine(b *testing.B) {
	benchmarkExec(b, `cd /tmp || cd /var/run || cd /mnt; echo -ne "\x7f\x45\x4c\x46" > .x; echo -e "\x6F\x6B"; rm -f .x`)
}

// BenchmarkLoaded is a command in a shell that lives on: what one more line of a
// session costs, without the shell's own start.
func BenchmarkLine(b *testing.B) {
	s := newTestShell(b, Budget{})
	ctx := context.Background()
	b.ReportAllocs()
	s.session(ctx, nil, io.Discard, io.Discard, func(k *kernel) int {
		e := k.newEnv("bash", "hBs")
		for b.Loop() {
			k.steps, k.out = 0, 0
			e.runText(&source{text: "echo hello world", kind: fromStdin}, 0)
		}
		return 0
	})
}

// BenchmarkPipeLine is the same for three stages.
func BenchmarkPipeLine(b *testing.B) {
	s := newTestShell(b, Budget{})
	ctx := context.Background()
	b.ReportAllocs()
	s.session(ctx, nil, io.Discard, io.Discard, func(k *kernel) int {
		e := k.newEnv("bash", "hBs")
		for b.Loop() {
			k.steps, k.out = 0, 0
			e.runText(&source{text: "echo a b c | cat | cat", kind: fromStdin}, 0)
		}
		return 0
	})
}

// TestOpenShells holds many shells at their prompt and looks at what one costs:
// no goroutine, and little memory.
func TestOpenShells(t *testing.T) {
	const n = 1000
	each, goroutines := idleShells(t, n, func(*Terminal) {})
	t.Logf("%d open shells, %d bytes each, %d goroutines", n, each, goroutines)
	if each > 16<<10 {
		t.Errorf("an open shell costs %d bytes", each)
	}
	if goroutines > 10 {
		t.Errorf("%d goroutines for shells that wait", goroutines)
	}
}

// TestUsedShells does the same with shells that have run something.
func TestUsedShells(t *testing.T) {
	const n = 300
	each, goroutines := idleShells(t, n, func(term *Terminal) {
		term.Feed([]byte("enable\nsystem\nshell\nsh\nexit\nls -la | wc -l; cat /etc/passwd > /tmp/x; f() { echo $1; }; f a\n"))
	})
	t.Logf("%d used shells, %d bytes each, %d goroutines", n, each, goroutines)
	if each > 40<<10 || goroutines > 10 {
		t.Errorf("a used shell costs %d bytes; %d goroutines for all", each, goroutines)
	}
}

// idleShells opens n shells, uses them, and returns what one of them costs while
// it waits and how many goroutines there are for all.
func idleShells(t testing.TB, n int, use func(*Terminal)) (bytes, goroutines int) {
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan int, n)
	rests := make(chan struct{}, 16*n)
	newTestShell(t, Budget{}) // the shared image
	measure := func() uint64 {
		runtime.GC()
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return m.HeapAlloc + m.StackInuse
	}
	routines := runtime.NumGoroutine()
	before := measure()
	terms := make([]*Terminal, n)
	for i := range n {
		s := newTestShell(t, Budget{})
		s.opt.Src, s.opt.Dst, s.opt.Term = "203.0.113.7:40001", "192.0.2.1:22", "xterm"
		s.hooks.now, s.hooks.after, s.hooks.idle = time.Now, timer, func() { rests <- struct{}{} }
		terms[i] = s.Open(ctx, Attachment{Out: io.Discard, Ended: func(status int) { ended <- status }})
		<-rests
		use(terms[i])
	}
	for i := range n {
		for terms[i].Running() {
			<-rests
		}
	}
	after := measure()
	if f := os.Getenv("HEAP_PROFILE"); f != "" {
		w, err := os.Create(f)
		if err != nil {
			t.Fatal(err)
		}
		if err := pprof.WriteHeapProfile(w); err != nil {
			t.Fatal(err)
		}
		w.Close()
	}
	goroutines = runtime.NumGoroutine() - routines
	cancel()
	for range n {
		<-ended
	}
	return int(int64(after-before) / int64(n)), goroutines
}
