package embedded_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/eventlog/eventlogtest"
)

const (
	envCrashDir = "HONEYGUIDE_TEST_CRASH_DIR"
	envCrashRun = "HONEYGUIDE_TEST_CRASH_RUN"
	producers   = 4
	runsPerDay  = 8
)

func TestMain(m *testing.M) {
	if dir := os.Getenv(envCrashDir); dir != "" {
		fmt.Fprintln(os.Stderr, appendForever(dir))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// appendForever is the process that gets killed. It prints "outbox number" after
// each acknowledgement.
func appendForever(dir string) error {
	run, err := strconv.Atoi(os.Getenv(envCrashRun))
	if err != nil {
		return err
	}
	var acks atomic.Int64
	now := func() time.Time { // every eighth run sees midnight
		day := run / runsPerDay
		if run%runsPerDay == runsPerDay-1 && acks.Load() > 25 {
			day++
		}
		return noon.AddDate(0, 0, day)
	}
	ctx := context.Background()
	s, err := embedded.Open(ctx, embedded.Config{Linger: 2 * time.Millisecond, QueueMiB: 8, OpenFiles: 4, ReadBlocks: 1, RecentMiB: 1, FilterMiB: 1}, eventlog.Deps{Dir: dir, Now: now})
	if err != nil {
		return err
	}
	fmt.Println("ready 0")
	errs := make(chan error, producers)
	var wg sync.WaitGroup
	for p := range producers {
		wg.Go(func() { errs <- produce(ctx, s, p, run, &acks) })
	}
	return <-errs
}

func produce(ctx context.Context, s eventlog.Log, p, run int, acks *atomic.Int64) error {
	outbox := fmt.Sprintf("box-%d", p)
	next, err := s.Next(ctx, outbox)
	if err != nil {
		return err
	}
	r := rand.New(rand.NewPCG(uint64(run), uint64(p)))
	gen := eventlogtest.NewGen(uint64(run*producers+p), noon.AddDate(0, 0, run/runsPerDay), 50*time.Millisecond)
	for {
		events := gen.Some(1 + r.IntN(40))
		if r.IntN(10) == 0 {
			events = gen.Some(500)
		}
		for i := range events {
			events[i].Service = outbox
			events[i].Set("n", next+int64(i))
		}
		rec, err := s.Append(ctx, eventlog.Batch{Outbox: outbox, First: next, Events: events, Urgent: r.IntN(4) == 0})
		if err != nil {
			return err
		}
		next = rec.Next
		acks.Add(1)
		if _, err := fmt.Fprintf(os.Stdout, "%s %d\n", outbox, next-1); err != nil {
			return err
		}
	}
}

// audit is what was acknowledged and what is found.
type audit struct {
	acked              map[string]int64 // highest number acknowledged
	found              map[string]int64 // highest number found
	pos                eventlog.Seq
	duplicated, jumped int
	unacked            int64 // stored, but killed before it could say so
}

// lost counts acknowledged events that are not found.
func (a *audit) lost() (n int64) {
	for outbox, acked := range a.acked {
		n += max(acked-a.found[outbox], 0)
	}
	return n
}

// follow reads what is new and checks that numbers follow each other.
func (a *audit) follow(t *testing.T, s eventlog.Log) {
	t.Helper()
	_, last, err := s.Ends(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for a.pos < last {
		recs, err := s.Read(t.Context(), a.pos, 2000)
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range recs {
			a.pos++
			outbox, n := r.Event.Service, r.Event.Int("n")
			want := a.found[outbox] + 1
			switch {
			case r.Seq != a.pos || n > want:
				a.jumped++
			case n < want:
				a.duplicated++
			}
			a.pos, a.found[outbox] = r.Seq, n
		}
	}
}

// TestKill appends with several producers in a child process and kills it at
// random moments, over one folder: through starts, merges, rolls and seals.
func TestKill(t *testing.T) {
	kills := 200
	if testing.Short() {
		kills = 20
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	dir := filepath.Join(t.TempDir(), "log")
	a := &audit{acked: map[string]int64{}, found: map[string]int64{}}
	r := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	started := 0
	for run := range kills {
		if a.killOne(t, self, dir, run, time.Duration(1+r.IntN(100))*time.Millisecond) {
			started++
		}
		if _, err := os.Stat(dir); err != nil {
			continue // killed before it made the folder
		}
		s := open(t, quick, eventlog.Deps{Dir: dir, ReadOnly: true})
		a.follow(t, s)
		shut(t, s)
		if n := a.lost(); n > 0 || a.duplicated > 0 || a.jumped > 0 {
			t.Fatalf("after kill %d: %d lost, %d duplicated, %d out of order", run+1, n, a.duplicated, a.jumped)
		}
		for outbox, n := range a.found { // the next child goes on behind these
			a.unacked += n - a.acked[outbox]
			a.acked[outbox] = n
		}
	}
	a.finish(t, dir, kills, started)
}

// killOne lets the child live for a while and reports whether it acknowledged
// anything.
func (a *audit) killOne(t *testing.T, self, dir string, run int, life time.Duration) bool {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), envCrashDir+"="+dir, envCrashRun+"="+strconv.Itoa(run))
	var stderr bytes.Buffer
	out := &output{ready: make(chan struct{}), acked: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = out, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	// One in five is killed while it starts, one around its first acknowledgement,
	// the others later, however slow the machine is.
	if run%5 != 0 {
		begun := out.acked
		if run%5 == 1 {
			begun = out.ready
		}
		select {
		case <-begun:
		case err := <-ended:
			t.Fatalf("child ended by itself: %v: %s", err, stderr.String())
		}
	}
	select {
	case <-time.After(life):
	case err := <-ended:
		t.Fatalf("child ended by itself: %v: %s", err, stderr.String())
	}
	if err := cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	<-ended
	acks := -1 // the line that says it is ready
	for lines := bufio.NewScanner(&out.buf); lines.Scan(); acks++ {
		outbox, number, _ := strings.Cut(lines.Text(), " ")
		n, err := strconv.ParseInt(number, 10, 64)
		if err != nil {
			break // cut by the kill: not fully acknowledged
		}
		if outbox != "ready" {
			a.acked[outbox] = max(a.acked[outbox], n)
		}
	}
	return acks > 0
}

// output collects what a child prints and says when it begins to, and when it has
// acknowledged something.
type output struct {
	buf          bytes.Buffer // not embedded: its ReadFrom would go past Write
	lines        int
	ready, acked chan struct{}
}

func (o *output) Write(p []byte) (int, error) {
	n, err := o.buf.Write(p)
	for range bytes.Count(p, []byte("\n")) {
		switch o.lines++; o.lines {
		case 1:
			close(o.ready)
		case 2:
			close(o.acked)
		}
	}
	return n, err
}

// finish opens the log as its owner, reads everything again and checks every
// block and file.
func (a *audit) finish(t *testing.T, dir string, kills, started int) {
	t.Helper()
	s := open(t, quick, eventlog.Deps{Dir: dir, Now: at(noon.AddDate(0, 0, kills/runsPerDay)).now})
	defer shut(t, s)
	whole := &audit{acked: a.acked, found: map[string]int64{}}
	whole.follow(t, s)
	ids, total := map[string]bool{}, 0
	for rec, err := range s.Find(t.Context(), eventlog.Query{Activities: []string{honeyguide.ActivityCommand, honeyguide.ActivityLoginFailed, honeyguide.ActivityClose}}) {
		if err != nil {
			t.Fatal(err)
		}
		ids[rec.Event.ID] = true
		total++
	}
	if err := s.Check(t.Context(), func(f eventlog.Fault) { t.Errorf("fault: %+v", f) }); err != nil {
		t.Error(err)
	}
	acked := -a.unacked
	for outbox, n := range a.acked {
		acked += n
		if next, err := s.Next(t.Context(), outbox); err != nil || next != whole.found[outbox]+1 {
			t.Errorf("outbox %s wants %d, %v, want %d", outbox, next, err, whole.found[outbox]+1)
		}
	}
	t.Logf("kills=%d children_that_acknowledged=%d acked=%d stored_unacknowledged=%d found=%d lost=%d duplicated=%d out_of_order=%d", kills, started, acked, a.unacked, whole.pos, whole.lost(), whole.duplicated+total-len(ids), whole.jumped)
	if whole.lost() > 0 || whole.duplicated > 0 || whole.jumped > 0 || total != len(ids) || total != int(whole.pos) {
		t.Errorf("lost %d, duplicated %d, %d distinct ids in %d events, last number %d", whole.lost(), whole.duplicated, len(ids), total, whole.pos)
	}
	if started < kills/2 {
		t.Errorf("only %d of %d children acknowledged anything: the kills came too early to prove much", started, kills)
	}
}
