package shell

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"honeyguide/internal/deception/vfs"
)

// A fakeTTY is the attacker's side of a terminal under a clock that stands
// still: it advances from step to step and where a wait is about to end.
type fakeTTY struct {
	mu   sync.Mutex
	now  time.Time
	out  bytes.Buffer
	idle chan struct{}
	slow time.Duration // waits up to this long are not silence
	long []longWait    // what the shell waits for besides its attacker
}

// A longWait ends when a scenario lets time pass.
type longWait struct {
	at   time.Time
	fire chan time.Time
}

// pass lets time go by and ends the waits that are over.
func (f *fakeTTY) pass(d time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.now = f.now.Add(d)
	f.long = slices.DeleteFunc(f.long, func(w longWait) bool {
		if w.at.After(f.now) {
			return false
		}
		w.fire <- f.now
		return true
	})
}

func newFakeTTY() *fakeTTY {
	return &fakeTTY{now: testNow, idle: make(chan struct{}, 64), slow: silence}
}

func (f *fakeTTY) Write(p []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.out.Write(p)
}

func (f *fakeTTY) clock() time.Time {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.now
}

// silence is how long a recording waited for more output.
const silence = 450 * time.Millisecond

// after ends short waits at once and calls the shell idle in longer ones.
func (f *fakeTTY) after(d time.Duration) (<-chan time.Time, func() bool) {
	nothing := func() bool { return true }
	if d <= f.slow {
		f.mu.Lock()
		f.now = f.now.Add(d)
		f.mu.Unlock()
		c := make(chan time.Time, 1)
		c <- f.now
		return c, nothing
	}
	f.mu.Lock()
	w := longWait{f.now.Add(d), make(chan time.Time, 1)}
	f.long = append(f.long, w)
	f.mu.Unlock()
	f.rest()
	return w.fire, nothing
}

// rest notes that the shell waits for its attacker.
func (f *fakeTTY) rest() {
	select {
	case f.idle <- struct{}{}:
	default:
	}
}

func (f *fakeTTY) take() string {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.out.String()
	f.out.Reset()
	return s
}

// step sends writes and returns everything up to the next silence.
func (f *fakeTTY) step(t *Terminal, ended <-chan struct{}, in ...string) string {
	for len(f.idle) > 0 {
		<-f.idle
	}
	if len(in) > 0 {
		f.mu.Lock()
		f.now = f.now.Add(600 * time.Millisecond)
		f.mu.Unlock()
	}
	wait := func() bool {
		select {
		case <-f.idle:
		case <-ended:
		case <-time.After(5 * time.Second):
			return false
		}
		return true
	}
	if len(in) == 0 && !wait() {
		return f.take() + "<<hangs>>"
	}
	for _, w := range in {
		t.Feed([]byte(w))
		if !wait() {
			return f.take() + "<<hangs>>"
		}
	}
	return f.take()
}

type scenario struct {
	ID, Title string
	TTY       bool
	Term      *string
	User      string
	Argv      []string
	Cols      int
	Rows      int
	Exit      any
	Steps     []struct {
		In, Out, Err string
		Alt          []string
	}
}

var (
	jobNumber = regexp.MustCompile(`(\[\d+\] )\d+`)
	displays  = regexp.MustCompile(`Display all \d+ possibilities`)
)

func mask(s string) string {
	return displays.ReplaceAllString(jobNumber.ReplaceAllString(s, "${1}N"), "Display all N possibilities")
}

func (sc *scenario) shell(t *testing.T, f *fakeTTY) *Shell {
	h := hostFor(t)
	now := f.clock
	o := Options{Host: h, FS: h.Image.NewFS(vfs.Quota{}, now), User: sc.User, Env: []string{"LANG=C.UTF-8"}, Now: now, Seed: 3, Cols: sc.Cols, Rows: sc.Rows, TTY: sc.TTY}
	if sc.Term != nil {
		o.Term = *sc.Term
	}
	if sc.User != "root" {
		if u, ok := h.User(sc.User); ok {
			o.Cred = h.Cred(u)
		} else {
			o.Cred = vfs.Cred{UID: 1000, GID: 1000}
		}
	}
	if sc.User != "root" {
		home := "/home/" + sc.User
		if err := o.FS.Mkdir(vfs.Cred{}, home, 0o755); err == nil {
			o.FS.Chown(vfs.Cred{}, home, 1000, 1000, true)
			for _, name := range []string{".bash_logout", ".bashrc", ".profile"} {
				copyFile(t, o.FS, "/etc/skel/"+name, home+"/"+name)
			}
		}
	}
	if _, known := h.User(sc.User); !known {
		also(t, o.FS, "/etc/passwd", sc.User+":x:1000:1000::/home/"+sc.User+":/bin/bash\n")
		also(t, o.FS, "/etc/group", sc.User+":x:1000:\n")
	}
	if sc.User == "root" { // the recorded machine had no ordinary user
		for _, file := range []string{"/etc/passwd", "/etc/group"} {
			without(t, o.FS, file, ":1000:")
		}
	}
	if sc.ID == "su" { // nor did its su wait after a wrong password
		f.slow = 4 * time.Second
	}
	s := New(o)
	s.hooks.now, s.hooks.after, s.hooks.idle = f.clock, f.after, f.rest
	return s
}

// play returns how many steps are right.
func (sc *scenario) play(t *testing.T) (good int) {
	f := newFakeTTY()
	s := sc.shell(t, f)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	ended := make(chan struct{})
	term := s.Open(ctx, Attachment{Out: f, Ended: func(int) { close(ended) }})
	for i, st := range sc.Steps {
		var in []string
		if i > 0 || st.In != "" {
			in = []string{st.In}
		}
		got := mask(f.step(term, ended, in...))
		if got == mask(st.Out) || slices.ContainsFunc(st.Alt, func(a string) bool { return mask(a) == got }) {
			good++
			continue
		}
		if testing.Verbose() {
			t.Logf("%s step %d %q\n  got  %q\n  want %q", sc.ID, i, st.In, got, st.Out)
		}
	}
	cancel()
	<-ended
	return good
}

// pipeIn plays a scenario without a terminal.
func (sc *scenario) pipeIn(t *testing.T) int {
	st := sc.Steps[0]
	s := sc.shell(t, newFakeTTY())
	var out, errw bytes.Buffer
	rc := 0
	if sc.Argv[0] == "-bash" {
		rc = s.Script(t.Context(), strings.NewReader(st.In), &out, &errw)
	} else {
		rc = s.Exec(t.Context(), sc.Argv[2], strings.NewReader(st.In), &out, &errw)
	}
	want, _ := sc.Exit.(float64)
	if out.String() == st.Out && errw.String() == st.Err && rc == int(want) {
		return 1
	}
	if testing.Verbose() {
		t.Logf("%s\n  got  %q %q %d\n  want %q %q %v", sc.ID, out.String(), errw.String(), rc, st.Out, st.Err, sc.Exit)
	}
	return 0
}

func TestInteractive(t *testing.T) {
	raw, err := os.ReadFile(filepath.Join(corpusDir(t), "interactive.json"))
	if err != nil {
		t.Fatal(err)
	}
	var f struct{ Scenarios []scenario }
	if err := json.Unmarshal(raw, &f); err != nil {
		t.Fatal(err)
	}
	good, all, whole := 0, 0, 0
	for _, sc := range f.Scenarios {
		n := 0
		if sc.TTY {
			n = sc.play(t)
		} else {
			n = sc.pipeIn(t)
		}
		good += n
		all += len(sc.Steps)
		if n == len(sc.Steps) {
			whole++
		}
	}
	share := float64(good) / float64(all)
	t.Logf("interactive.json: %d of %d steps exact, %.1f %%; %d of %d scenarios whole", good, all, 100*share, whole, len(f.Scenarios))
	if share < 0.98 {
		t.Errorf("%.1f %% is under the floor", 100*share)
	}
}

// copyFile gives a user a file of the skeleton.
func copyFile(t *testing.T, fs *vfs.FS, from, to string) {
	t.Helper()
	r, err := fs.Open(vfs.Cred{}, from, vfs.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	w, err := fs.Open(vfs.Cred{}, to, vfs.O_WRONLY|vfs.O_CREATE, 0o644)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.Copy(w, r); err != nil {
		t.Fatal(err)
	}
}

// without removes the lines of a file that contain text.
func without(t *testing.T, fs *vfs.FS, path, text string) {
	t.Helper()
	r, err := fs.Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := io.ReadAll(r)
	r.Close()
	if err != nil {
		t.Fatal(err)
	}
	var kept strings.Builder
	for line := range strings.SplitAfterSeq(string(raw), "\n") {
		if !strings.Contains(line, text) {
			kept.WriteString(line)
		}
	}
	w, err := fs.Open(vfs.Cred{}, path, vfs.O_WRONLY|vfs.O_TRUNC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.WriteString(w, kept.String()); err != nil {
		t.Fatal(err)
	}
}

// also appends a line to a file unless another says the same of its id.
func also(t *testing.T, fs *vfs.FS, path, line string) {
	t.Helper()
	without(t, fs, path, ":1000:")
	w, err := fs.Open(vfs.Cred{}, path, vfs.O_WRONLY|vfs.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	if _, err := io.WriteString(w, line); err != nil {
		t.Fatal(err)
	}
}
