package shell

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// The calls between which nothing may happen: getpgid of processes that cannot
// exist, which nobody else asks for and strace shows with its argument.
const (
	markBegin = 424242424
	markEnd   = 424242425
)

// harmless are the calls the Go runtime makes for itself: threads, their stacks
// and signals, memory, waiting. No file, program or socket can be reached by them.
var harmless = []string{
	"futex", "nanosleep", "clock_nanosleep", "sched_yield", "madvise", "munmap", "mincore", "getpid", "gettid", "tgkill",
	"rt_sigreturn", "rt_sigprocmask", "rt_sigaction", "sigaltstack", "epoll_pwait", "restart_syscall", "getpgid", "rseq", "set_robust_list", "exit",
	"sched_getaffinity", "timer_create", "timer_settime", "timer_delete",
}

// TestNoSystemCalls runs everything recorded through the evaluator in a process
// watched by strace and checks that between the marks no call reached a file, a
// program, a user or a socket.
func TestNoSystemCalls(t *testing.T) {
	if testing.Short() {
		t.Skip("takes a second process and a tracer")
	}
	strace, err := exec.LookPath("strace")
	if err == nil {
		err = exec.Command(strace, "-o", os.DevNull, "true").Run()
	}
	if err != nil {
		if os.Getenv("CI") == "true" {
			t.Fatalf("strace does not work here: %v", err)
		}
		t.Skipf("strace does not work here (test/setup.sh installs it): %v", err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	trace := filepath.Join(t.TempDir(), "trace")
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, strace, "-f", "-qq", "-e", "signal=none", "-o", trace, self, "-test.run", "^TestWatched$", "-test.count", "1")
	cmd.Env = append(os.Environ(), watched+"=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("watched run: %v\n%s", err, out)
	}
	raw, err := os.ReadFile(trace)
	if err != nil {
		t.Fatal(err)
	}
	calls, bad := between(string(raw))
	if calls < 0 {
		t.Fatal("the marks are missing from the trace")
	}
	for _, line := range bad {
		t.Errorf("between the marks: %s", line)
	}
	t.Logf("%s%d calls between the marks, all of the runtime's own", out, calls)
}

var (
	call    = regexp.MustCompile(`^\d+ +([a-z_0-9]+)(\(.*)`)
	resumed = regexp.MustCompile(`^(\d+) +<\.\.\. [a-z_0-9]+ resumed>(.*)`)
)

// whole joins the halves of calls during which another thread made one.
func whole(trace string) []string {
	var lines []string
	open := map[string]int{} // thread -> line
	for line := range strings.Lines(trace) {
		line = strings.TrimSpace(line)
		if m := resumed.FindStringSubmatch(line); m != nil {
			if at, ok := open[m[1]]; ok {
				lines[at] += m[2]
				delete(open, m[1])
				continue
			}
			line = m[1] + " unknown(" + m[2] // of a thread whose beginning is missing
		}
		if rest, ok := strings.CutSuffix(line, "<unfinished ...>"); ok {
			thread, _, _ := strings.Cut(line, " ")
			open[thread] = len(lines)
			line = rest
		}
		lines = append(lines, line)
	}
	return lines
}

// between counts the calls between the marks and returns those that are not the
// runtime's own.
func between(trace string) (calls int, bad []string) {
	calls = -1
	begun, ended := false, false
	for _, line := range whole(trace) {
		m := call.FindStringSubmatch(line)
		switch {
		case m == nil:
			continue
		case m[1] == "getpgid" && strings.Contains(m[2], fmt.Sprint(markBegin)):
			begun, calls = true, 0
			continue
		case m[1] == "getpgid" && strings.Contains(m[2], fmt.Sprint(markEnd)):
			ended = true
		}
		if !begun || ended {
			continue
		}
		calls++
		if !own(m[1], m[2]) {
			bad = append(bad, line)
		}
	}
	if !ended {
		return -1, nil
	}
	return calls, bad[:min(len(bad), 20)]
}

// own reports whether the runtime makes this call for itself.
func own(name, rest string) bool {
	switch name {
	case "mmap":
		return strings.Contains(rest, "MAP_ANONYMOUS")
	case "clone", "clone3":
		return strings.Contains(rest, "CLONE_THREAD")
	case "mprotect": // a thread's stack, with cgo
		return !strings.Contains(rest, "PROT_EXEC")
	case "prctl": // names for its memory
		return strings.Contains(rest, "PR_SET_VMA")
	case "write": // wakes its own poller
		return strings.Contains(rest, `"\1\0\0\0\0\0\0\0", 8`)
	case "read": // and empties it again
		return strings.Contains(rest, `"\1\0\0\0\0\0\0\0"`)
	}
	return slices.Contains(harmless, name)
}

// TestTraceReader checks that the reader of the trace would see a call.
func TestTraceReader(t *testing.T) {
	begin, end := fmt.Sprintf("7 getpgid(%d) = -1 ESRCH\n", markBegin), fmt.Sprintf("8 getpgid(%d) = -1 ESRCH\n", markEnd)
	for _, line := range []string{
		`7 openat(AT_FDCWD, "/etc/passwd", O_RDONLY) = 3`, "9 socket(AF_INET, SOCK_STREAM, 0) = 3", "7  execve(\"/bin/sh\", ...) = 0", "7 clone(child_stack=0, flags=SIGCHLD) = 9",
		`7 newfstatat(AT_FDCWD, "/tmp", 0x1, 0) = 0`, `7 mmap(NULL, 8, PROT_READ, MAP_SHARED, 3, 0) = 0x1`, `7 write(1, "hello", 5) = 5`, "7 getuid() = 0", "7 <... openat resumed>) = 3", "7 read(5, <unfinished ...>\n7 <... read resumed>\"root\", 8) = 4",
		"9 kill(1, SIGTERM) = 0",
	} {
		if n, bad := between("7 openat(1) = 2\n" + begin + line + "\n" + end + "7 openat(1) = 2\n"); n != 1 || len(bad) != 1 {
			t.Errorf("%s: %d calls, %q", line, n, bad)
		}
	}
	if n, bad := between(begin + "7 futex(0x1, FUTEX_WAKE_PRIVATE, 1 <unfinished ...>\n8 sched_yield() = 0\n7 <... futex resumed>) = 0\n" + end); n != 2 || len(bad) != 0 {
		t.Errorf("%d %q", n, bad)
	}
	if n, _ := between(begin); n != -1 {
		t.Error("a trace without an end passes")
	}
}

const watched = "HONEYGUIDE_WATCHED"

// TestWatched is what the watched process does; on its own it does nothing.
func TestWatched(t *testing.T) {
	if os.Getenv(watched) == "" {
		t.Skip("runs under strace, started by TestNoSystemCalls")
	}
	lines, keys := recordedInputs(t)
	newTestShell(t, Budget{}) // reads the persona's own data
	_, _, _ = syscall.RawSyscall(syscall.SYS_GETPGID, markBegin, 0, 0)
	b := Budget{Steps: 30_000}
	for _, l := range lines {
		newTestShell(t, b).Exec(context.Background(), l, strings.NewReader(l), io.Discard, io.Discard)
		newTestShell(t, b).Script(context.Background(), strings.NewReader(l+"\n"), io.Discard, io.Discard)
	}
	for _, k := range keys {
		s := newTestShell(t, b)
		s.opt.TTY, s.opt.Term = true, "xterm-256color"
		s.Interactive(context.Background(), scriptedTTY{strings.NewReader(k), io.Discard})
	}
	_, _, _ = syscall.RawSyscall(syscall.SYS_GETPGID, markEnd, 0, 0)
	fmt.Printf("%d lines, %d streams of keys; ", len(lines), len(keys))
}

// prying are lines whose real counterparts reach for the host, besides what was
// recorded.
var prying = []string{
	"cat /etc/passwd /proc/self/* /proc/1/* /sys/class/net/*/*", "ls -laR / | tail -1", "echo ~root ~nobody ~nosuch ~+ ~-", "type ls; command -v curl; hash; which -a sh", "source /etc/profile; . ~/.bashrc",
	"cat < /dev/tcp/127.0.0.1/22; echo x > /dev/udp/10.0.0.1/53", "diff <(echo a) <(echo b); tee >(cat) < /etc/hosts", "mkfifo p; echo a > p & cat p", "TMPDIR=/tmp; echo x > $TMPDIR/sh-interp-1; ls /tmp",
	"pwd -P; cd -P /proc/self/cwd; pwd", "[ -O /etc/passwd ]; [ -G / ]; [ / -ef / ]; test -t 0", "TZ=Asia/Tokyo date; TZ=America/New_York date -d now; date -d 'TZ=\"Europe/Paris\" 9am'", "id nosuch; getent passwd root; whoami; groups; w; last",
	"wget http://127.0.0.1/x; curl -s http://localhost/; nc -z 127.0.0.1 22; ping -c1 127.0.0.1; ssh localhost; nslookup a.b; host x", "hostname; uname -a; uptime; free; df; mount; ps aux; netstat -an; ss -tan; ip a; ifconfig", "sleep 1 & kill -9 $!; wait; kill -9 1",
	"python3 -c 'import os; os.system(\"id\")'; perl -e 'system(\"id\")'; awk 'BEGIN{system(\"id\"); \"date\"|getline x; print x > \"/tmp/q\"; print ENVIRON[\"HOME\"]}'", "find / -newer /etc/passwd -exec ls -l {} + | wc -l", "tar czf /tmp/x.tgz /etc; tar tzf /tmp/x.tgz | wc -l; gzip -dc /tmp/x.tgz | wc -c",
	"dd if=/dev/sda of=/tmp/d bs=512 count=1; mount /dev/sda1 /mnt; insmod x.ko; dmesg; reboot", "crontab -l; systemctl status ssh; service ssh restart; apt-get update; dpkg -l | wc -l", "head -c 8 /dev/urandom | od -x; shuf -i 1-10; echo $RANDOM $SRANDOM $EPOCHSECONDS", "ulimit -a; umask; nproc; lscpu; lsblk; lspci; env",
	"chmod +x /tmp/x; /tmp/x; ./nosuch; exec -a foo ls", "sudo -l; su - nobody -c id; passwd <<< x; useradd a; chpasswd <<< root:x", "vi x < /dev/null; nano x < /dev/null; less /etc/passwd; man ls; top -bn1", "scp a b:; rsync a b; ftp x; telnet x; sftp x; git clone x",
}

// recordedInputs returns the lines and the streams of keys recorded anywhere.
func recordedInputs(t *testing.T) (lines, keys []string) {
	lines = append(lines, prying...)
	for _, c := range loadCases(t, filepath.Join("testdata", "own.json")) {
		lines = append(lines, c.In)
	}
	raw, err := os.ReadFile(filepath.Join("..", "coreutils", "testdata", "golden.json"))
	if err != nil {
		t.Fatal(err)
	}
	var golden []struct {
		Argv []string
		In   string
	}
	if err := json.Unmarshal(raw, &golden); err != nil {
		t.Fatal(err)
	}
	for _, g := range golden {
		var words []string
		for _, a := range g.Argv {
			words = append(words, singleQuote(a))
		}
		lines = append(lines, "printf %s "+singleQuote(g.In)+" | "+strings.Join(words, " "))
	}
	keys = append(keys, []string{"ls -la\r\x1b[A\x7f\x7f\t\t\r", "cat\rabc\x03\x04", "sleep 100\r\x1afg\r\x03", "su\rx\rpasswd\ra\rb\rexit\r", "for i in 1 2; do\recho $i\rdone\r\x12ech\r"}...)
	dir := recordedDir(t)
	if dir == "" {
		return lines, keys
	}
	for _, name := range []string{"language.json", "recon.json"} {
		for _, c := range loadCases(t, filepath.Join(dir, "fidelity", name)) {
			lines = append(lines, c.In)
		}
	}
	files, _ := filepath.Glob(filepath.Join(dir, "attacker", "*__*.jsonl"))
	jsonLines(t, files, func(b []byte) {
		var l struct{ C string }
		if json.Unmarshal(b, &l) == nil && l.C != "" {
			lines = append(lines, l.C)
		}
	})
	files, _ = filepath.Glob(filepath.Join(dir, "attacker", "tty_keystrokes.jsonl"))
	jsonLines(t, files, func(b []byte) {
		var k string
		if json.Unmarshal(b, &k) == nil {
			keys = append(keys, k)
		}
	})
	var scenes struct {
		Scenarios []struct{ Steps []struct{ In string } }
	}
	if raw, err := os.ReadFile(filepath.Join(dir, "fidelity", "interactive.json")); err == nil && json.Unmarshal(raw, &scenes) == nil {
		for _, s := range scenes.Scenarios {
			var b strings.Builder
			for _, step := range s.Steps {
				b.WriteString(step.In)
			}
			keys = append(keys, b.String())
		}
	}
	return lines, keys
}

// recordedDir is the folder of recorded inputs next to the repository, "" when
// there is none.
func recordedDir(t *testing.T) (dir string) {
	t.Run("recorded", func(t *testing.T) { dir = filepath.Dir(corpusDir(t)) })
	return dir
}
