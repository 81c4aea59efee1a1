package shell

import (
	"context"
	"io"
	"runtime"
	"runtime/debug"
	"runtime/metrics"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A siege is one attempt to exhaust the machine, typed at a prompt.
type siege struct {
	name, line string
	says       string // part of what the screen shows
	dies       bool   // the login shell itself is gone afterwards, as bash would be
}

var sieges = []siege{
	// steps
	{"loop", `while :; do :; done`, "Killed", false},
	{"sums", `((i=0)); for ((;;)); do ((i++)); done`, "Killed", false},
	{"stages", `while :; do echo y; done | while read x; do :; done`, "Killed", false},
	// live bytes
	{"double", `x=a; while :; do x=$x$x; done`, "xrealloc: cannot allocate", true},
	{"child", `(x=a; while :; do x=$x$x; done); echo "rc $?"`, "rc 2", false},
	{"names", `i=0; while :; do declare v$((i++)) v$((i++)) v$((i++)) v$((i++)); done`, "xrealloc", true},
	{"functions", `x=$(head -c 100000 /dev/zero | tr '\0' ' '); i=0; while :; do eval "f$((i++))() { :; }; : $x"; done`, "xrealloc", true},
	{"evals", `eval "$(printf 'eval %.0s' {1..5000}) :"`, "", true},
	{"traps", `x=$(head -c 300000 /dev/zero | tr '\0' a); for s in {1..31}; do trap "$x" $s; done`, "xrealloc", true},
	{"past", `x=$(head -c 900000 /dev/zero | tr '\0' a); for s in {1..60}; do history -s "$x"; done; echo done`, "done", false},
	{"capture", `x=$(cat /dev/zero | tr '\0' a); echo "rc $?"`, "", true},
	{"lines", `mapfile x < <(yes)`, "Killed", false},
	{"words", `set -- $(seq 1 100000)`, "xrealloc", true},
	// output
	{"yes", `yes`, "Killed", false},
	{"zero", `cat /dev/zero`, "Killed", false},
	{"random", `cat /dev/urandom | od -x`, "Killed", false},
	// processes
	{"fork", `:(){ :|:& };:`, "fork: retry: Resource temporarily unavailable", false},
	{"background", `for ((i=0;i<500;i++)); do sleep 1000 & done; echo done`, "fork: retry: Resource temporarily unavailable", false},
	// depth
	{"recursion", `f(){ f; }; f`, "", true},
	{"child recursion", `(f(){ f; }; f); echo "rc $?"`, "rc 139", false},
	{"substitutions", `f(){ echo $(f); }; f >/dev/null; echo done`, "done", false},
	{"sources", `echo '. ./s' > s; (. ./s); echo done`, "done", false},
	{"scripts", `echo 'sh s' > s; sh s; echo done`, "done", false},
	{"shells", `s='sh -c "$s"'; export s; sh -c "$s"; echo done`, "done", false},
	{"envs", `env $(printf 'env %.0s' {1..5000}) echo hi; echo done`, "done", false},
	{"timeouts", `timeout 5 $(printf 'timeout 5 %.0s' {1..2000}) echo hi; echo done`, "done", false},
	{"xargs", `echo a > a; xargs -n1 $(printf 'xargs -n1 %.0s' {1..2000}) echo < a; echo done`, "done", false},
	{"finds", `find / -maxdepth 2 -exec find / -maxdepth 2 -exec find / -maxdepth 2 -exec echo {} + ';' ';' | wc -l`, "", false},
	{"brackets", `echo $((` + strings.Repeat("(", 300) + `1` + strings.Repeat(")", 302), "expression recursion level exceeded", false},
	// words
	{"braces", `echo {1..999999999}`, "brace expansion: failed to allocate memory for `999999999' elements", false},
	{"brace product", `echo {a,b}` + strings.Repeat("{a,b}", 30), "xrealloc", true},
	{"long brace product", `(echo {1..200}{1..200}` + strings.Repeat("x", 1000) + ` | wc -c); echo done`, "done", false},
	{"open braces", `x=$(printf '{a,%.0s' {1..10000}); eval ": $x"; echo done`, "Killed", false},
	{"stars", `echo /*/*/*/*/*/*/* | wc -w; echo done`, "done", false},
	{"two stars", `shopt -s globstar; echo /** /** | wc -w; echo done`, "done", false},
	// patterns
	{"replace", `x=$(printf '%060000d'); for ((i=0;i<100000;i++)); do y=${x//0*1/}; done`, "Killed", false},
	{"case", `x=$(printf '%03000d'); while :; do case $x in *0*0*0*0*0*0*1) ;; esac; done`, "Killed", false},
	{"groups", `shopt -s extglob; x=$(printf '%03000d'); while :; do [[ $x == *(+(0)|*(0))1 ]]; done`, "Killed", false},
	{"regex", `x=$(printf '%060000d'); while :; do [[ $x =~ (0*)*1 ]]; done`, "Killed", false},
	{"regex size", `x=$(printf '%060000d'); p=$(printf '(0{900}|1)%.0s' {1..250}); [[ $x =~ $p ]]; echo "rc $?"`, "rc 2", false},
	{"grep", `printf 'a%.0s' {1..3000} > f; while :; do grep -E '^(a*)*\1b' f; done`, "Killed", false},
	{"grep size", `grep -cE "$(printf '(x{900}|y)%.0s' {1..500})" /etc/passwd`, "grep: Regular expression too big", false},
	{"sed", `printf 'a%.0s' {1..3000} > f; sed 's/\(a*\)*\1b/x/' f | wc -c; echo done`, "", false},
	// files
	{"sparse", `truncate -s 8G f; cp f g; for c in cat sort md5sum tac 'grep a' wc strings base64 rev 'sed p' 'awk 1' 'cut -c1' uniq 'od -x' 'tail -c 5'; do (timeout 2 $c f) >/dev/null 2>&1; done; echo done`, "", false},
	{"huge block", `dd if=/dev/zero of=f bs=1G count=1; echo done`, "dd: memory exhausted by input buffer of size 1073741824 bytes (1.0 GiB)", false},
	{"full disk", `head -c 30M /dev/urandom > f; echo "rc $?"`, "No space left on device", false},
	{"full disk by dd", `dd if=/dev/urandom of=f bs=1M count=40; echo done`, "dd: error writing 'f': No space left on device", false},
	{"tar bomb", `for i in 1 2 3 4 5 6; do cat /etc/* 2>/dev/null; done > a; tar cf a.tar a; tar czf b.tgz a.tar a; for i in 1 2 3 4 5 6 7 8; do mkdir d$i; tar xzf b.tgz -C d$i; done; echo done`, "", false},
	{"gzip bomb", `head -c 500M /dev/zero | gzip -9 > z.gz; gzip -dc z.gz | wc -c; zcat z.gz | sort; gunzip z.gz; echo done`, "", false},
	{"base64 bomb", `head -c 3M /dev/zero > a; for i in 1 2 3 4 5 6 7 8; do base64 a > b; mv b a; done; echo done`, "", false},
	{"link loop", `ln -s x y; ln -s y x; cat x; ls -RL .; find -L . ; cp -rL . /tmp/q; du -L .; echo done`, "Too many levels of symbolic links", false},
	{"link farm", `echo > a; for ((i=0;i<20000;i++)); do ln a b$i || break; done; ls | wc -l`, "ln: failed to create hard link 'b", false},
	{"many files", `for ((i=0;i<20000;i++)); do echo > c$i || break; done; ls | wc -l; rm -rf ./*; ls | wc -l`, "No space left on device", false},
	{"long name", `touch $(printf 'x%.0s' {1..4096}); echo done`, "File name too long", false},
	{"deep folders", `mkdir -p $(printf 'd/%.0s' {1..1500}); find d | tail -1 | wc -c; du -s d; cp -r d e; tar cf x.tar d; chmod -R 700 d; ls -lR d | wc -l; grep -r x d; rm -rf d e; echo done`, "done", false},
	{"deeper folders", `for ((i=0;i<3000;i++)); do mkdir d && cd d || break; done; cd /root; rm -rf d; ls; echo done`, "done", false},
	// programs that hold what they read
	{"sort", `head -c 1M /dev/zero | tr '\0' '\n' | sort; echo done`, "sort: memory exhausted", false},
	{"tac", `yes | tac`, "", false},
	{"uniq", `yes | uniq`, "Killed", false},
	{"awk", `head -c 300k /dev/zero | tr '\0' '\n' | awk '{a[NR]=$0}'; echo done`, "", false},
	{"awk string", `awk 'BEGIN{s="x"; while(1) s=s s}'; echo done`, "awk: program limit exceeded: maximum string size", false},
	{"sed hold", `yes | sed ':a;N;ba'`, "", false},
	{"one line", `yes | tr -d '\n' | sort`, "", false},
	{"paste", `yes | paste - -  | tail -1`, "", false},
	{"tee", `head -c 4M /dev/urandom | tee a b c > /dev/null; echo done`, "tee: a: No space left on device", false},
	{"xargs words", `yes | xargs echo > /dev/null`, "", false},
	// numbers
	{"printf width", `(printf %1000000000d 1); echo "rc $?"`, "xrealloc", false},
	{"awk width", `awk 'BEGIN{printf "%1000000000d", 1}' | wc -c; echo done`, "done", false},
	{"seq", `seq 1e9 | tail -1`, "", false},
	{"seq format", `seq -f %1000000000g 1 2 | wc -c; echo done`, "done", false},
	{"head", `head -c 1T /dev/zero | md5sum`, "", false},
	{"expr", `expr 99999999999999999999999999 \* 99999999999999999999999999; echo done`, "done", false},
	{"factor", `factor 99999999999999999999999999999999999999999999999999 170141183460469231731687303715884105727; echo done`, "done", false},
	{"bc", `echo '2^99999999' | bc | wc -c; echo done`, "done", false},
	{"date", `date -d "$(printf 'next %.0s' {1..5000}) year" 2>&1 | wc -c; date -d '99999999999 years'; echo done`, "done", false},
	{"sleep", `sleep inf & sleep 1e300 & jobs | wc -l; echo done`, "done", false},
	{"python", `python3 -c 'print("a"*10**10)' | wc -c; echo done`, "done", false},
	{"perl", `perl -e 'print "a" x 10**10' | wc -c; echo done`, "done", false},
}

// siegeBudget is small, so that the tests are quick; the words are the same.
var siegeBudget = Budget{Steps: 300_000, Bytes: 6 << 20, Output: 4 << 20, Procs: 32, Depth: 100}

const siegeDisk = 3 << 20

// TestSieges types every siege at a prompt and asks for a sign of life after it:
// the session goes on unless bash itself would be gone. What is alive in memory
// stays within the budget of bytes, the disk, and an allowance for stacks and
// programs' own tables.
func TestSieges(t *testing.T) {
	defer debug.SetGCPercent(debug.SetGCPercent(20))
	const allowance = 16 << 20 // what is made while the collector marks counts as alive
	list := sieges
	if testing.Short() {
		list = nil
		for i := 0; i < len(sieges); i += 4 {
			list = append(list, sieges[i])
		}
	}
	for _, tt := range list {
		t.Run(tt.name, func(t *testing.T) {
			s := newTestShell(t, siegeBudget)
			clock := s.hooks.now
			s.opt.FS = hostFor(t).Image.NewFS(vfs.Quota{Bytes: siegeDisk}, clock)
			s.opt.TTY, s.opt.Term = true, "dumb"
			w := &panics{}
			s.opt.Watch = w
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			screen := &ends{}
			peak := watchLive()
			s.Interactive(ctx, scriptedTTY{io.MultiReader(strings.NewReader("cd /tmp\r"+tt.line+"\recho al''ive\rexit 0\rexit 0\r"), hush{ctx.Done()}), screen})
			if live := peak(); live > siegeBudget.Bytes+siegeDisk+allowance {
				t.Errorf("%d KiB alive, %d allowed", live>>10, (siegeBudget.Bytes+siegeDisk+allowance)>>10)
			}
			if ctx.Err() != nil {
				t.Fatal("did not end by itself")
			}
			if w.said != "" {
				t.Error(w.said)
			}
			seen := screen.String()
			if !strings.Contains(seen, tt.says) {
				t.Errorf("the screen lacks %q:\n%s", tt.says, short(seen))
			}
			if alive := strings.Contains(seen, "\nalive\r\n"); alive == tt.dies {
				t.Errorf("alive afterwards: %v\n%s", alive, short(seen))
			}
		})
	}
}

// hush is somebody who types no more and does not hang up.
type hush struct{ over <-chan struct{} }

func (s hush) Read([]byte) (int, error) {
	<-s.over
	return 0, io.EOF
}

// ends keeps the beginning and the end of what is written.
type ends struct{ head, tail []byte }

func (e *ends) Write(p []byte) (int, error) {
	const most = 64 << 10
	if len(e.head) < most {
		e.head = append(e.head, p[:min(len(p), most-len(e.head))]...)
	}
	e.tail = append(e.tail, p[max(0, len(p)-most):]...)
	e.tail = e.tail[max(0, len(e.tail)-most):]
	return len(p), nil
}

func (e *ends) String() string { return string(e.head) + "\n...\n" + string(e.tail) }

// watchLive measures how far what the collector finds alive grows.
func watchLive() func() int64 {
	live := func() int64 {
		s := []metrics.Sample{{Name: "/gc/heap/live:bytes"}}
		metrics.Read(s)
		return int64(s[0].Value.Uint64())
	}
	runtime.GC()
	before, peak := live(), int64(0)
	stop, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		tick := time.NewTicker(2 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-stop:
				return
			case <-tick.C:
				peak = max(peak, live()-before)
			}
		}
	}()
	return func() int64 {
		close(stop)
		<-done
		return peak
	}
}

// TestHangUp checks that nothing outlives a session: its context ends while
// programs wait, and what it took is given back.
func TestHangUp(t *testing.T) {
	for _, line := range []string{
		"sleep inf", "read x", "cat", "wait", "sleep inf & wait", "while :; do sleep 1; done", "nc -l 4444", "tail -f /etc/passwd", "sh -c 'read x'", "yes > /dev/null", "x=$(cat)", "cat <(sleep inf)", "coproc cat; read x <&${COPROC[0]}",
		"sleep inf | cat", "mkfifo p; cat p", "select x in a b; do :; done", "trap '' 1 2 15; sleep inf", "nohup sleep inf", "top", "ssh x", "su nobody", "passwd",
	} {
		t.Run(line, func(t *testing.T) {
			h := hostFor(t)
			pool := vfs.NewPool(64<<20, nil)
			s := New(Options{
				Host: h, FS: h.Image.NewFS(vfs.Quota{}, time.Now), Now: time.Now, Seed: 3, Pool: pool, TTY: true, Term: "xterm",
				Budget: Budget{Steps: 1 << 40},
			})
			ctx, cancel := context.WithCancel(t.Context())
			r, in := io.Pipe()
			ended := make(chan struct{})
			go func() {
				defer close(ended)
				s.Interactive(ctx, scriptedTTY{r, io.Discard})
			}()
			_, _ = io.WriteString(in, line+"\r")
			time.Sleep(20 * time.Millisecond)
			cancel()
			in.Close()
			select {
			case <-ended:
			case <-time.After(30 * time.Second):
				t.Fatal("the session goes on after its end")
			}
			if n := pool.Used(); n != 0 {
				t.Errorf("%d bytes are not given back", n)
			}
		})
	}
}
