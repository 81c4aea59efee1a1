package shell

import (
	"context"
	"io"
	"strings"
	"testing"
	"time"
)

// tiny is a budget that ends everything soon.
var tiny = Budget{Steps: 3000, Bytes: 256 << 10, Output: 64 << 10, Procs: 8, Depth: 20, Words: 500, Wall: time.Minute}

func seeds(f *testing.F) {
	for _, c := range []string{
		`echo "$(cat <<< hi)" | read x; a=(1 2); echo ${a[@]/1/x} $((a[1]**2))`, `f() { f; }; f`, `x=$x$x; while :; do x=$x$x; done`,
		`case $1 in [[:alpha:]]*) ;; esac`, `for ((;;)) do break; done; [[ a =~ (b|c) ]]`, `cat <<-E | sh
	echo a
	E
`, `trap 'echo $?' EXIT; set -eu; ${x:?}`, `select x in a; do :; done`, `coproc cat; echo {a..z..3}`, `exec 3<&0; printf '%s %q %(%T)T' a b`,
		"echo a\recho b\r\n", `let x=1; declare -A m=([a]=b); ${!m[@]}`, `${x!}; $((a b)); ` + "`if`", `a[1/0]=3; ((x=`, `alias a='b c'; a`, `m[a b]=1`,
	} {
		f.Add(c)
	}
}

// FuzzExec runs anything with a tiny budget: no panic, no hang.
func FuzzExec(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, line string) {
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
		defer cancel()
		s := newTestShell(t, tiny)
		w := &panics{}
		s.opt.Watch = w
		s.Exec(ctx, line, strings.NewReader("in\nput\n"), io.Discard, io.Discard)
		if w.said != "" {
			t.Fatalf("%q: %s", line, w.said)
		}
		if ctx.Err() != nil {
			t.Fatalf("%q does not end", line)
		}
	})
}

// FuzzScript is the same for commands on standard input.
func FuzzScript(f *testing.F) {
	seeds(f)
	f.Fuzz(func(t *testing.T, text string) {
		s := newTestShell(t, tiny)
		w := &panics{}
		s.opt.Watch = w
		s.Script(t.Context(), strings.NewReader(text), io.Discard, io.Discard)
		if w.said != "" {
			t.Fatalf("%q: %s", text, w.said)
		}
	})
}

// scriptedTTY gives its bytes and then hangs up.
type scriptedTTY struct {
	io.Reader
	io.Writer
}

// FuzzInteractive types anything at a prompt.
func FuzzInteractive(f *testing.F) {
	for _, s := range []string{"echo a\r", "\x1b[A\x1b[B\x12ab\r", "ls /e\t\t", "\x1b[200~a\nb\x1b[201~\r", "cat\rabc\x03exit\r", "sh\recho\r\x04", "busybox sh\r\x1b[A\r", "\xff\xfe中\x7f\x7f", "if\rthen\x03", "sleep 100\r\x1afg\r\x03"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, keys string) {
		if len(keys) > 2000 {
			return
		}
		s := newTestShell(t, tiny)
		s.opt.Term = "xterm"
		w := &panics{}
		s.opt.Watch = w
		s.Interactive(t.Context(), scriptedTTY{strings.NewReader(keys), io.Discard})
		if w.said != "" {
			t.Fatalf("%q: %s", keys, w.said)
		}
	})
}

// panics remembers a panic caught at the session's boundary.
type panics struct {
	nobody
	said string
}

func (p *panics) Unsupported(what string) {
	if strings.HasPrefix(what, "panic") {
		p.said = what
	}
}
