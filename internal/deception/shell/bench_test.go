package shell

import (
	"context"
	"io"
	"runtime"
	"strings"
	"testing"
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

// idleTTY never says a word until it is closed.
type idleTTY struct{ closed chan struct{} }

func (t idleTTY) Read([]byte) (int, error) {
	<-t.closed
	return 0, io.EOF
}
func (t idleTTY) Write(p []byte) (int, error) { return len(p), nil }

// TestOpenShells holds many shells at their prompt and looks at what one costs.
func TestOpenShells(t *testing.T) {
	const n = 500
	ctx, cancel := context.WithCancel(t.Context())
	tty := idleTTY{make(chan struct{})}
	done := make(chan int, n)
	waiting := make(chan struct{}, n)
	newTestShell(t, Budget{}) // the shared image
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	for range n {
		s := newTestShell(t, Budget{})
		after := s.hooks.after
		s.hooks.after = timer
		_ = after
		go func() { done <- s.Interactive(ctx, notifying{tty, waiting}) }()
	}
	for range n {
		<-waiting
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	each := int64(after.HeapAlloc+after.StackInuse-before.HeapAlloc-before.StackInuse) / n
	t.Logf("%d open shells, %d bytes each", n, each)
	if each > 60<<10 {
		t.Errorf("an open shell costs %d bytes", each)
	}
	cancel()
	for range n {
		<-done
	}
	close(tty.closed)
}

// notifying tells when the prompt has been written.
type notifying struct {
	idleTTY
	told chan struct{}
}

func (n notifying) Write(p []byte) (int, error) {
	n.told <- struct{}{}
	return len(p), nil
}
