package warden

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/ipc"
	"honeyguide/internal/seal"
	"honeyguide/internal/telemetry"
)

// bench is a warden under test and all it reported.
type bench struct {
	*Warden
	t      testing.TB
	m      *telemetry.Registry
	log    *syncBuffer
	chunks chan ipc.Chunk
	stop   context.CancelFunc
	ended  chan error

	mu     sync.Mutex
	events []honeyguide.Event
	news   chan struct{}
}

type syncBuffer struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (s *syncBuffer) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.Write(p)
}

func (s *syncBuffer) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.b.String()
}

// begin runs a warden over one of the test's processes.
func begin(t testing.TB, rogue string, change func(*Options)) *bench {
	t.Helper()
	b := prepare(t, rogue, change)
	b.run()
	select {
	case <-b.Ready():
	case err := <-b.ended:
		t.Fatalf("run ended: %v\n%s", err, b.log)
	case <-time.After(20 * time.Second):
		t.Fatalf("never ready: %+v\n%s", b.Health(), b.log)
	}
	return b
}

func prepare(t testing.TB, rogue string, change func(*Options)) *bench {
	t.Helper()
	b := &bench{
		t: t, m: telemetry.NewRegistry(), log: &syncBuffer{}, chunks: make(chan ipc.Chunk, 1000),
		ended: make(chan error, 1), news: make(chan struct{}, 1),
	}
	o := Options{
		Name: "debian-12", Path: program(t), Args: []string{"sensor", rogue},
		Setup: ipc.Setup{
			Persona: "debian-12",
			Sensors: []ipc.SensorSetup{{Name: "echo", Kind: "ssh", Network: "tcp", Addr: "127.0.0.1:0"}},
		},
		Append: b.append, Log: telemetry.NewLogger(b.log, slog.LevelDebug, "text"), Metrics: b.m,
		Chunks: func(_ context.Context, chunks []ipc.Chunk) (int, error) {
			for i, c := range chunks {
				select {
				case b.chunks <- c:
				default:
					return i, errors.New("full")
				}
			}
			return len(chunks), nil
		},
	}
	if rogue != "echo" {
		o.patience = 100 * time.Millisecond // it would not listen
	}
	if change != nil {
		change(&o)
	}
	w, err := New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	b.Warden = w
	return b
}

func (b *bench) run() {
	ctx, cancel := context.WithCancel(context.Background())
	b.stop = cancel
	go func() { b.ended <- b.Run(ctx) }()
	b.t.Cleanup(func() {
		cancel()
		select {
		case err := <-b.ended:
			b.ended <- err
		case <-time.After(20 * time.Second):
			b.t.Errorf("run does not end: %+v", b.Health())
		}
		b.Close()
	})
}

func (b *bench) append(_ context.Context, events []honeyguide.Event) error {
	b.mu.Lock()
	b.events = append(b.events, events...)
	b.mu.Unlock()
	select {
	case b.news <- struct{}{}:
	default:
	}
	return nil
}

// wait returns the first event of an activity.
func (b *bench) wait(activity string) honeyguide.Event {
	b.t.Helper()
	late := time.After(20 * time.Second)
	for {
		b.mu.Lock()
		for _, e := range b.events {
			if e.Activity == activity {
				b.mu.Unlock()
				return e
			}
		}
		b.mu.Unlock()
		select {
		case <-b.news:
		case <-late:
			b.t.Fatalf("no %s event; health %+v\n%s", activity, b.Health(), b.log)
		}
	}
}

// until waits for a state of the warden.
func (b *bench) until(what string, ok func(Health) bool) {
	b.t.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	late := time.After(20 * time.Second)
	for !ok(b.Health()) {
		select {
		case <-tick.C:
		case <-late:
			b.t.Fatalf("never %s: %+v\n%s", what, b.Health(), b.log)
		}
	}
}

func (b *bench) dial() net.Conn {
	b.t.Helper()
	c, err := net.Dial("tcp", b.Sensors()[0].Addr)
	if err != nil {
		b.t.Fatal(err)
	}
	b.t.Cleanup(func() { c.Close() })
	return c
}

// echoes sends a text and wants it back.
func (b *bench) echoes() {
	b.t.Helper()
	c := b.dial()
	c.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(c, "hello")
	c.(*net.TCPConn).CloseWrite()
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "hello" {
		b.t.Fatalf("echo: %q, %v\n%s", got, err, b.log)
	}
}

func TestServesFromItsCage(t *testing.T) {
	b := begin(t, "echo", nil)
	if err := b.Check(t.Context()); err != nil {
		t.Error(err)
	}
	b.echoes()
	connect, closed := b.wait(honeyguide.ActivityConnect), b.wait(honeyguide.ActivityClose)
	if connect.Service != "ssh" || connect.ID == "mine" || len(connect.ID) != 26 || connect.ID == closed.ID || connect.Src.Country != "" {
		t.Errorf("the process had a say in what is not its own: %+v", connect)
	}
	if closed.Int(honeyguide.AttrBytesIn) != 5 || connect.Observed.IsZero() {
		t.Errorf("got %+v", closed)
	}
	if c := <-b.chunks; c.Session != "s1" || string(c.Data) != "bytes" {
		t.Errorf("recording: %+v", c)
	}
	h := b.Health()
	if h.State != Serving || len(h.Layers) < 8 || h.Probes < 40 || len(h.Open) > 0 {
		t.Errorf("health: %+v", h)
	}
	t.Logf("started as %q %v, cage %v, ready %v", h.Level, h.Refused, h.CageTook, h.ReadyTook)

	b.stop()
	if err := <-b.ended; err != nil {
		t.Errorf("run: %v", err)
	}
	b.ended <- nil
	if h := b.Health(); h.State != Stopped || h.Restarts != 0 || h.Violations != 0 {
		t.Errorf("after the end: %+v\n%s", h, b.log)
	}
	if text := b.log.String(); !strings.Contains(text, "said_persona=debian-12") || strings.Contains(text, "\x1b") {
		t.Errorf("log: %s", text)
	}
	if b.Check(t.Context()) == nil {
		t.Error("a stopped process is healthy")
	}
}

func TestRestartsWhatWasKilled(t *testing.T) {
	b := begin(t, "echo", nil)
	held := b.dial()
	b.wait(honeyguide.ActivityConnect)
	pid := b.Health().PID
	unix.Kill(pid, unix.SIGKILL)
	if _, err := io.ReadAll(held); err != nil && !errors.Is(err, unix.ECONNRESET) {
		t.Error(err)
	}
	b.echoes() // waits in the listener until the next process takes it
	b.until("serving again", func(h Health) bool { return h.State == Serving && h.Restarts == 1 })
	if h := b.Health(); h.Restarts != 1 || h.PID == pid || h.Violations != 0 || !strings.Contains(h.LastExit, "killed") {
		t.Errorf("health: %+v", h)
	}
	var text strings.Builder
	b.m.WriteTo(&text)
	for _, want := range []string{`honeyguide_warden_restarts_total{process="debian-12"} 1`, `honeyguide_warden_up{process="debian-12"} 1`} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%s is not in:\n%s", want, text.String())
		}
	}
	if e := b.wait(honeyguide.ActivityClose); e.Session != "s1" || !strings.Contains(e.Str(honeyguide.AttrDetail), "killed") {
		t.Errorf("the session that was cut off: %+v", e)
	}
}

func TestForbiddenCallIsAViolation(t *testing.T) {
	b := begin(t, "exec", nil)
	began := time.Now()
	c := b.dial()
	v := b.wait(honeyguide.ActivityViolation)
	t.Logf("violation reported after %v", time.Since(began))
	if v.Severity != honeyguide.SeverityCritical || v.Class != honeyguide.ClassDetection || v.Sensor != "debian-12" ||
		v.Session != "s1" || v.Src.Addr.String() != c.LocalAddr().String() || v.Str(honeyguide.AttrDetail) != "forbidden system call" {
		t.Errorf("got %+v", v)
	}
	b.until("restarted", func(h Health) bool { return h.Restarts > 0 && h.State == Serving })
	if h := b.Health(); h.Violations < 1 {
		t.Errorf("health: %+v", h)
	}
}

func TestBrokenProtocolIsAViolation(t *testing.T) {
	for rogue, want := range map[string]string{
		"garbage": "frame type", "json": "frame type", "foreign": "not its own", "forged": "not its own",
		"path": "malformed session", "hello": "out of turn", "stranger": "world of no source",
	} {
		t.Run(rogue, func(t *testing.T) {
			b := begin(t, rogue, nil)
			b.dial()
			v := b.wait(honeyguide.ActivityViolation)
			if !strings.Contains(v.Str(honeyguide.AttrDetail), want) {
				t.Errorf("got %q, want %q", v.Str(honeyguide.AttrDetail), want)
			}
			b.until("restarted", func(h Health) bool { return h.Restarts > 0 && h.State == Serving })
			select {
			case c := <-b.chunks:
				t.Errorf("recording taken: %+v", c)
			default:
			}
		})
	}
}

func TestFirstStartThatFailsIsFinal(t *testing.T) {
	b := prepare(t, "refuse", nil)
	b.run()
	err := <-b.ended
	b.ended <- err
	if err == nil || !strings.Contains(err.Error(), "key x: no such thing") {
		t.Errorf("got %v", err)
	}
}

// TestNoCage: where a layer cannot be closed the process does not serve, and
// with Insecure it serves with what is left. A binary with cgo is such a case.
func TestNoCage(t *testing.T) {
	if !withCgo {
		t.Skip("the cage of this binary can be closed")
	}
	t.Run("refuses", func(t *testing.T) {
		b := prepare(t, "echo", func(o *Options) { o.Path, o.NoNamespaces = "", true })
		b.run()
		b.refused("capabilities")
	})
	t.Run("insecure", func(t *testing.T) {
		b := begin(t, "echo", func(o *Options) { o.Path, o.NoNamespaces, o.Insecure = "", true, true })
		b.echoes()
		if !strings.Contains(b.log.String(), "layer_capabilities=\"off: ") {
			t.Errorf("log: %s", b.log)
		}
	})
}

// TestOpenCage: a process whose self-test got out does not serve, whatever it
// thinks of that itself; with Insecure it does and everyone can see it.
func TestOpenCage(t *testing.T) {
	t.Run("refused", func(t *testing.T) {
		b := prepare(t, "gap", nil)
		b.run()
		b.refused("")
	})
	t.Run("insecure", func(t *testing.T) {
		b := begin(t, "gap", func(o *Options) { o.Insecure = true })
		b.echoes()
		if h := b.Health(); len(h.Open) != 1 || !strings.Contains(b.log.String(), "without a closed cage") {
			t.Errorf("health: %+v\n%s", h, b.log)
		}
	})
}

// refused wants Run to have ended because there is no cage.
func (b *bench) refused(why string) {
	b.t.Helper()
	err := <-b.ended
	b.ended <- err
	if honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable || !strings.Contains(err.Error(), "cannot be caged") || !strings.Contains(err.Error(), why) {
		b.t.Errorf("got %v", err)
	}
	if h := b.Health(); h.State != Stopped || h.Restarts != 0 {
		b.t.Errorf("health: %+v", h)
	}
}

// TestFlood: a process that sends as fast as it can makes the core neither
// grow nor stop.
func TestFlood(t *testing.T) {
	if testing.Short() {
		t.Skip("takes seconds")
	}
	const limit = 192 << 20
	taken := 0
	b := begin(t, "flood", func(o *Options) {
		o.Append = func(_ context.Context, events []honeyguide.Event) error { taken += len(events); return nil }
		o.Chunks = nil
		o.Quota = ipc.Quota{Bytes: 1 << 30, Frames: 1 << 20} // as good as none: the decoders at their worst
	})
	before, most := rss(t), 0
	end := time.After(3 * time.Second)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for running := true; running; {
		select {
		case <-tick.C:
			most = max(most, rss(t))
		case <-end:
			running = false
		}
	}
	b.stop()
	<-b.ended
	b.ended <- nil
	t.Logf("%d events taken; resident %d MiB before, %d MiB at most", taken, before>>20, most>>20)
	if taken == 0 || most-before > limit {
		t.Errorf("%d events, grew by %d MiB", taken, (most-before)>>20)
	}
	if len(b.log.String()) > 4<<20 {
		t.Errorf("%d bytes of log", len(b.log.String()))
	}
}

// TestQuota: what is over the quota is not read.
func TestQuota(t *testing.T) {
	taken := make(chan int, 1)
	taken <- 0
	b := begin(t, "flood", func(o *Options) {
		o.Append = func(_ context.Context, events []honeyguide.Event) error { taken <- len(events) + <-taken; return nil }
		o.Quota = ipc.Quota{Bytes: 32 << 10, Frames: 100}
	})
	time.Sleep(300 * time.Millisecond)
	b.stop()
	<-b.ended
	b.ended <- nil
	// The first batch alone is what the quota allows in twenty seconds.
	if n := <-taken; n > 0 {
		t.Errorf("%d events", n)
	}
}

func rss(t testing.TB) int {
	b, err := os.ReadFile("/proc/self/statm")
	if err != nil {
		t.Fatal(err)
	}
	pages, _ := strconv.Atoi(strings.Fields(string(b))[1])
	return pages * os.Getpagesize()
}

// TestStoreThatFails: nothing is acknowledged before it is durable, an event
// the store can never hold leaves a gap, order stays.
func TestStoreThatFails(t *testing.T) {
	var mu sync.Mutex
	failures := 0
	b := begin(t, "echo", func(o *Options) {
		keep := o.Append
		o.Append = func(ctx context.Context, events []honeyguide.Event) error {
			mu.Lock()
			defer mu.Unlock()
			if failures++; failures <= 2 {
				return errors.New("disk full")
			}
			for i, e := range events {
				if e.Activity == honeyguide.ActivityConnect {
					return &eventlog.EventError{Index: i, Err: eventlog.ErrTooLarge}
				}
			}
			return keep(ctx, events)
		}
	})
	b.echoes()
	b.wait(honeyguide.ActivityClose)
	gap := b.wait(honeyguide.ActivityGap)
	if gap.Int(honeyguide.AttrCount) != 1 || gap.Sensor != "debian-12" || gap.ID == "" {
		t.Errorf("got %+v", gap)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	var order []string
	for _, e := range b.events {
		order = append(order, e.Activity)
	}
	if !slices.Equal(order, []string{honeyguide.ActivityGap, honeyguide.ActivityClose}) {
		t.Errorf("order %v", order)
	}
}

// TestCanary: nothing of the core is in the memory of the process.
func TestCanary(t *testing.T) {
	if os.Getuid() != 0 {
		t.Skip("needs root to read another process's memory")
	}
	secrets := map[string]string{}
	for _, name := range []string{"a variable", "the master key", "a private file", "a secret in a row"} {
		secrets[name] = honeyguide.NewID(time.Now()) + "-the-core's-secret-" + strings.ReplaceAll(name, " ", "-")
	}
	t.Setenv("HONEYGUIDE_CANARY", secrets["a variable"])
	t.Setenv("SOC_ENCRYPTION_KEY", secrets["the master key"])
	vault, err := seal.OpenVault(seal.VaultOptions{Dir: filepath.Join(t.TempDir(), "keys"), Master: seal.Master{Key: honeyguide.Secret(os.Getenv("SOC_ENCRYPTION_KEY"))}})
	if err != nil {
		t.Fatal(err)
	}
	if err := vault.Write("audit.key", []byte(secrets["a private file"])); err != nil {
		t.Fatal(err)
	}
	if kept, err := vault.Read("audit.key"); err != nil || string(kept) != secrets["a private file"] {
		t.Fatal(err)
	}
	row := vault.Box().Seal([]byte(secrets["a secret in a row"]), "row")
	b := begin(t, "echo", nil)
	b.echoes()
	pid := b.Health().PID
	for name, secret := range secrets {
		if n := search(t, os.Getpid(), secret); n == 0 {
			t.Fatalf("the search does not find %s where it is", name)
		}
		if n := search(t, pid, secret); n > 0 {
			t.Errorf("%s is %d times in the memory of the process", name, n)
		}
	}
	if n := search(t, pid, string(row)); n > 0 {
		t.Error("a sealed row is in the memory of the process")
	}
	if n := search(t, pid, "debian-12"); n == 0 {
		t.Error("the search does not find what the process was told")
	}
	for _, name := range []string{"environ", "cmdline"} {
		if b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", pid, name)); bytes.Contains(b, []byte("the-core's-secret")) {
			t.Errorf("a secret is in %s", name)
		}
	}
	fds, _ := filepath.Glob(fmt.Sprintf("/proc/%d/fd/*", pid))
	for _, fd := range fds {
		target, _ := os.Readlink(fd)
		if !strings.HasPrefix(target, "socket:") && !strings.HasPrefix(target, "pipe:") &&
			!strings.HasPrefix(target, "anon_inode:") && target != os.DevNull {
			t.Errorf("the process holds %s", target)
		}
	}
}

// search counts a text in the readable memory of a process.
func search(t *testing.T, pid int, text string) (n int) {
	maps, err := os.ReadFile(fmt.Sprintf("/proc/%d/maps", pid))
	if err != nil {
		t.Fatal(err)
	}
	mem, err := os.Open(fmt.Sprintf("/proc/%d/mem", pid))
	if err != nil {
		t.Fatal(err)
	}
	defer mem.Close()
	piece := make([]byte, 1<<20)
	for line := range strings.Lines(string(maps)) {
		var from, to int64
		var perm string
		if _, err := fmt.Sscanf(line, "%x-%x %s", &from, &to, &perm); err != nil || perm[0] != 'r' {
			continue
		}
		for at := from; at < to; at += int64(len(piece) - len(text)) { // pieces overlap
			k, _ := mem.ReadAt(piece[:min(int64(len(piece)), to-at)], at)
			if k == 0 {
				break
			}
			n += bytes.Count(piece[:k], []byte(text))
		}
	}
	return n
}

// TestDeaf: a process that ignores what it is told is ended.
func TestDeaf(t *testing.T) {
	b := begin(t, "deaf", nil)
	pid := b.Health().PID
	b.stop()
	if err := <-b.ended; err != nil {
		t.Error(err)
	}
	b.ended <- nil
	if err := unix.Kill(pid, 0); !errors.Is(err, unix.ESRCH) {
		t.Errorf("process %d is still there: %v", pid, err)
	}
}

func TestRelay(t *testing.T) {
	b := begin(t, "udp", func(o *Options) {
		o.Setup.Sensors = []ipc.SensorSetup{{Name: "ntp", Kind: "ntp", Network: "udp", Addr: "127.0.0.1:0"}}
	})
	c, err := net.Dial("udp", b.Sensors()[0].Addr)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if at := b.Sensors()[0].Listener; at != -1 {
		t.Errorf("listener %d", at)
	}
	// Answers that are longer than the question or come a second time go nowhere.
	for _, q := range []string{"2 too long", "quiet", "last"} {
		io.WriteString(c, q)
	}
	buf := make([]byte, 100)
	c.SetReadDeadline(time.Now().Add(20 * time.Second))
	n, err := c.Read(buf)
	if err != nil || string(buf[:n]) != "last" {
		t.Fatalf("got %q, %v", buf[:n], err)
	}
	c.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
	if n, err := c.Read(buf); err == nil {
		t.Errorf("one answer too many: %q", buf[:n])
	}
}

func BenchmarkReady(b *testing.B) {
	var cage, ready time.Duration
	for b.Loop() {
		w := begin(b, "echo", nil)
		h := w.Health()
		cage += h.CageTook
		ready += h.ReadyTook
		b.StopTimer()
		w.stop()
		<-w.ended
		w.ended <- nil
		b.StartTimer()
	}
	b.ReportMetric(float64(cage.Microseconds())/1000/float64(b.N), "ms/cage")
	b.ReportMetric(float64(ready.Microseconds())/1000/float64(b.N), "ms/ready")
}
