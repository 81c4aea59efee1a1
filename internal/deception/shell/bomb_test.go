package shell

import (
	"bytes"
	"context"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

// limited is what a bomb may write: its output is thrown away and counted.
type limited struct{ n atomic.Int64 }

func (l *limited) Write(p []byte) (int, error) {
	l.n.Add(int64(len(p)))
	return len(p), nil
}

// TestBombs runs what is meant to exhaust the host. Every line must end by
// itself within its budget.
func TestBombs(t *testing.T) {
	b := Budget{Steps: 300_000, Bytes: 4 << 20, Output: 8 << 20, Procs: 32, Depth: 100, Words: 20_000}
	bombs := []struct{ name, in, stderr string }{
		{"double", `x=a; while :; do x=$x$x; done`, "xrealloc: cannot allocate"},
		{"append", `x=aaaaaaaaaaaaaaaa; while :; do x+=$x; done`, "xrealloc"},
		{"fork", `:(){ :|:& };:`, "fork: retry: Resource temporarily unavailable"},
		{"fork2", `f(){ f|f; };f`, "fork: retry: Resource temporarily unavailable"},
		{"braces", `echo {1..999999999}`, "brace expansion: failed to allocate memory for `999999999' elements"},
		{"braces2", `echo {a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}{a,b}`, "brace expansion"},
		{"zero", `cat /dev/zero`, ""},
		{"zerosub", `x=$(cat /dev/zero)`, ""},
		{"true", `while true; do :; done`, ""},
		{"forever", `for ((;;)); do :; done`, ""},
		{"recursion", `f(){ f; }; f`, ""},
		{"eval", `e='eval "$e"'; eval "$e"`, ""},
		{"array", `while :; do a+=(xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx); done`, ""},
		{"assoc", `declare -A a; while :; do a[$((i++))]=x; done`, ""},
		{"func", `while :; do eval "f$((i++))() { :; }"; done`, ""},
		{"regex", `x=$(printf 'a%.0s' {1..5000}); [[ $x =~ (a*)*b ]]; echo $?`, ""},
		{"glob", `x=$(printf 'a%.0s' {1..2000}); case $x in *a*a*a*a*a*a*a*a*b) echo y;; *) echo n;; esac`, ""},
		{"replace", `x=$(printf 'a%.0s' {1..20000}); y=${x//a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}; z=${y//a/aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa}`, ""},
		{"printf", `printf '%999999999s' x; printf '%*s' 99999999 x`, ""},
		{"heredoc", `cat <<< "$(cat /dev/zero | tr '\0' a)"`, ""},
		{"source", `echo '. ./s' > s; . ./s`, ""},
		{"script", `echo 'sh s' > s; sh s`, ""},
		{"exec", `echo '. ./s2 & . ./s2' > s2; . ./s2`, ""},
		{"trap", `trap 'kill -USR1 $$' USR1; kill -USR1 $$`, ""},
		{"arith", `x=x; echo $((x))`, "expression recursion level exceeded"},
		{"nest", `echo ` + strings.Repeat("$(", 5000), ""},
		{"nest2", strings.Repeat("( ", 150) + "echo" + strings.Repeat(" )", 150), ""},
		{"nest3", `echo $((` + strings.Repeat("(", 5000) + "1" + strings.Repeat(")", 5000) + `))`, ""},
		{"yes", `while :; do echo yyyyyyyyyyyyyyyyyyyyyyyyyyy; done`, ""},
		{"pipe", `while :; do echo y; done | while :; do read x; done`, ""},
		{"wait", `x() { x & wait; }; x`, ""},
		{"read", `while :; do echo a; done | read -d ''`, ""},
		{"mapfile", `while :; do echo aaaaaaaaaaaaaaaaaaaaaaa; done | mapfile x`, ""},
		{"select", `select x in a b; do :; done < <(while :; do echo 1; done)`, ""},
		{"subst", `f() { echo $(f); }; f`, ""},
		{"positional", `set -- a; while :; do set -- "$@" "$@"; done`, ""},
		{"ifs", `x=$(printf 'a %.0s' {1..9000}); set -- $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x $x; echo $#`, ""},
	}
	for _, tt := range bombs {
		t.Run(tt.name, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			var out limited
			var errw bytes.Buffer
			s := newTestShell(t, b)
			peak := watchHeap()
			s.Exec(ctx, tt.in, strings.NewReader(""), &out, &errw)
			if grew := peak(); grew > 48<<20 {
				t.Errorf("the heap grew by %d MiB", grew>>20)
			}
			if ctx.Err() != nil {
				t.Fatal("did not end by itself")
			}
			if !strings.Contains(errw.String(), tt.stderr) {
				t.Errorf("stderr %q lacks %q", short(errw.String()), tt.stderr)
			}
			if errw.Len() > 1<<20 {
				t.Errorf("%d bytes of messages", errw.Len())
			}
		})
	}
}

// watchHeap measures how far the live heap grows until the returned function
// is called.
func watchHeap() func() int64 {
	runtime.GC()
	var before runtime.MemStats
	runtime.ReadMemStats(&before)
	stop := make(chan struct{})
	done := make(chan int64)
	go func() {
		var peak int64
		tick := time.NewTicker(5 * time.Millisecond)
		defer tick.Stop()
		for {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			peak = max(peak, int64(m.HeapAlloc)-int64(before.HeapAlloc))
			select {
			case <-stop:
				done <- peak
				return
			case <-tick.C:
			}
		}
	}()
	return func() int64 {
		close(stop)
		return <-done
	}
}
