package shell

import (
	"context"
	"io"
	"iter"
	"math/rand/v2"
	"runtime"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/supervise"
)

// A kernel runs the processes of one session. All of them live on the goroutine
// that called Exec, Script or Interactive: the shell itself directly, pipeline
// stages and background jobs as coroutines resumed from there.
type kernel struct {
	sh    *Shell
	bud   Budget
	steps int64
	tick  int
	mem   int64
	out   int64 // bytes written to the attacker
	depth int

	done    <-chan struct{} // the end of the session's context
	spawn   func(name string, fn func(context.Context) error)
	end     time.Time // wall limit
	tasks   []*task
	cur     *task // running coroutine; nil is the session's own goroutine
	top     *env  // the innermost process on the session's own goroutine
	doom    *death
	live    map[int]*env // processes by their number
	table   *machine.Table
	rng     *rand.Rand
	started time.Time

	in             *inlet
	stdin          *ofile
	stdout, stderr *ofile
	tty            *tty
	intr           int // the signal of Ctrl-C or Ctrl-\\ that was typed and not yet taken
	fg             *task
	shells         []level
}

// A task is a process that runs beside the shell.
type task struct {
	pid    int
	base   *env // the process it began as
	top    *env // the innermost process on it
	next   func() (struct{}, bool)
	stop   func()
	yield  func(struct{}) bool
	ready  func() bool // nil: it can run
	until  time.Time   // or at this time; zero is never
	doom   *death      // pending
	over   bool        // the session ends
	killed int         // by this signal
	told   bool        // the end was told
	paused bool        // stopped by Ctrl-Z
	intr   bool        // Ctrl-C is for this one's shell
	job    bool        // known to a shell's job table
	group  *task       // the job it belongs to
	done   bool
	status int
	text   string // its command, for jobs
}

func newKernel(ctx context.Context, s *Shell, stdin io.Reader, stdout, stderr io.Writer) *kernel {
	k := &kernel{sh: s, bud: s.opt.Budget.withDefaults(), done: ctx.Done(), started: s.opt.Now()}
	k.end = s.hooks.now().Add(k.bud.Wall)
	if s.opt.FS != nil {
		k.table = machine.TableOf(s.opt.FS)
	}
	k.spawn = func(name string, fn func(context.Context) error) { supervise.New(nil).Go(ctx, name, fn) }
	k.stdin = k.outside(stdin)
	k.stdout = &ofile{refs: 1, file: &outlet{k: k, w: stdout}}
	k.stderr = k.stdout
	if stderr != stdout {
		k.stderr = &ofile{refs: 1, file: &outlet{k: k, w: stderr}}
	}
	return k
}

// random returns the session's generator.
func (k *kernel) random() *rand.Rand {
	if k.rng == nil {
		k.rng = rand.New(rand.NewPCG(k.sh.opt.Seed, 0x9e3779b97f4a7c15))
	}
	return k.rng
}

// fork starts body as the process c beside the caller.
func (k *kernel) fork(c *env, body func() int) *task {
	t := &task{pid: c.pid, base: c, top: c}
	c.task = t
	if p := k.cur; p != nil {
		if t.group = p.group; t.group == nil {
			t.group = p
		}
	}
	t.next, t.stop = iter.Pull(func(yield func(struct{}) bool) {
		t.yield = yield
		roomy(0)
		defer func() {
			r := recover()
			d, ok := r.(death)
			if ok && d.scope == ofProcess && !t.over {
				c.lastWords(d)
			}
			t.done, t.doom = true, nil
			c.release()
			if r == nil {
				return
			}
			if !ok || d.scope == ofLine && !t.over {
				panic(r)
			}
			t.status, t.killed = d.status, d.signal()
		}()
		t.status = body()
	})
	k.tasks = append(k.tasks, t)
	return t
}

// roomy makes a coroutine's stack large at once, while there is next to nothing
// to copy; the evaluator would make it grow step by step.
//
//go:noinline
func roomy(i int) byte {
	var frame [12 << 10]byte
	return frame[i]
}

// full reports whether no process can be started.
func (k *kernel) full() bool {
	return len(k.tasks) >= k.bud.Procs || len(k.tasks) > 0 && (k.mem+taskSize > k.bud.Bytes || k.sh.opt.Pool.Short())
}

// taskSize is about what a process of its own costs: its stack first of all.
const taskSize = 24 << 10

// wait blocks the running process until ready reports true or the time until
// has come, and reports which. A zero until waits without limit.
func (k *kernel) wait(ready func() bool, until time.Time) bool {
	if t := k.cur; t != nil {
		return k.giveWay(t, ready, until)
	}
	for {
		k.look()
		if ready() {
			return true
		}
		if !until.IsZero() && !k.now().Before(until) {
			return false
		}
		if !k.runOthers() {
			k.sleep(until)
		}
	}
}

// giveWay blocks a coroutine.
func (k *kernel) giveWay(t *task, ready func() bool, until time.Time) bool {
	for {
		k.deliver(t)
		if ready() {
			return true
		}
		if !until.IsZero() && !k.now().Before(until) {
			return false
		}
		t.ready, t.until = ready, until
		if !t.yield(struct{}{}) {
			t.over = true
			panic(death{128 + sigHup, ofSession, nil})
		}
		t.ready = nil
	}
}

// deliver kills a coroutine that was sent a signal.
func (k *kernel) deliver(t *task) {
	if d := t.doom; d != nil {
		t.doom = nil
		panic(*d)
	}
	if t.intr {
		t.intr = false
		panic(death{128 + sigInt, ofLine, nil})
	}
}

// turn gives the other processes a chance to run while one computes, and the
// other sessions: the runtime takes a thread away only after 10 ms, and an answer
// passes several goroutines that each would wait as long.
func (k *kernel) turn() {
	runtime.Gosched()
	if t := k.cur; t != nil {
		k.deliver(t)
		if !t.yield(struct{}{}) {
			t.over = true
			panic(death{128 + sigHup, ofSession, nil})
		}
		k.deliver(t)
		return
	}
	k.look()
	if len(k.tasks) > 0 {
		k.runOthers()
	}
}

// look notices the end of the session and Ctrl-C.
func (k *kernel) look() {
	select {
	case <-k.done:
		panic(death{128 + sigHup, ofSession, nil})
	default:
	}
	if k.tty != nil {
		k.tty.poll()
		k.interrupt()
	}
	if d := k.doom; d != nil {
		k.doom = nil
		panic(*d)
	}
}

// interrupt hands a Ctrl-C to the job in front, or to the shell when there is
// none.
func (k *kernel) interrupt() {
	sig := k.intr
	if sig == 0 || len(k.shells) == 0 {
		return
	}
	k.intr = 0
	if t := k.shells[len(k.shells)-1].task; t != nil {
		if t.top != nil && !t.top.interactive { // what the shell runs is hit first
			k.signalTask(t, sig)
			return
		}
		t.intr = true
		return
	}
	if k.fg != nil {
		k.signalGroup(k.fg, sig)
		return
	}
	if k.top == nil {
		return
	}
	if trap, ok := k.top.traps[signalName(sig)]; ok {
		if trap != "" {
			k.top.pending = append(k.top.pending, trap)
		}
		return
	}
	if sig == sigInt {
		panic(death{128 + sigInt, ofLine, nil})
	}
}

// runOthers resumes every coroutine that can run, once. It reports whether
// there was one.
func (k *kernel) runOthers() bool {
	ran := false
	for i := 0; i < len(k.tasks); i++ {
		t := k.tasks[i]
		if t.done || !k.runnable(t) {
			continue
		}
		ran = true
		k.resume(t)
	}
	k.reap()
	return ran
}

func (k *kernel) runnable(t *task) bool {
	switch {
	case t.doom != nil || t.intr:
		return true
	case t.paused || t.group != nil && t.group.paused:
		return false
	case t.ready == nil || t.ready():
		return true
	}
	return !t.until.IsZero() && !k.now().Before(t.until)
}

func (k *kernel) resume(t *task) {
	k.cur = t
	defer func() { k.cur = nil }()
	t.next()
}

// reap forgets the processes that ended.
func (k *kernel) reap() {
	n := 0
	for _, t := range k.tasks {
		if !t.done {
			k.tasks[n] = t
			n++
		}
	}
	clear(k.tasks[n:])
	k.tasks = k.tasks[:n]
}

func (k *kernel) now() time.Time { return k.sh.hooks.now() }

// sleep waits for the outside: input, a time that comes, the session's end.
func (k *kernel) sleep(until time.Time) {
	next := k.end
	if !until.IsZero() && until.Before(next) {
		next = until
	}
	for _, t := range k.tasks {
		if !t.paused && !t.until.IsZero() && t.until.Before(next) {
			next = t.until
		}
	}
	if k.tty != nil && k.tty.gone && len(k.tty.queue)+len(k.tty.ready) == 0 {
		panic(death{128 + sigHup, ofSession, nil}) // nobody is left to wait for
	}
	var input <-chan struct{}
	if k.in != nil {
		input = k.in.wakes()
	}
	d := next.Sub(k.now())
	if d <= 0 {
		if next == k.end {
			panic(death{128 + sigKill, ofSession, nil})
		}
		return
	}
	if k.tty != nil && k.tty.room() && !k.tty.gone && k.in.waiting() {
		return
	}
	fire, stop := k.sh.hooks.after(d)
	defer stop()
	select {
	case <-k.done:
		panic(death{128 + sigHup, ofSession, nil})
	case <-input:
	case <-fire:
	}
}

// pause sleeps for d, in the running process.
func (k *kernel) pause(d time.Duration) {
	k.wait(func() bool { return false }, k.now().Add(d))
}

// drain lets background processes finish what they can do without waiting.
func (k *kernel) drain() {
	for range 100_000 {
		if len(k.tasks) == 0 || !k.runOthers() {
			return
		}
		k.look()
	}
}

// close ends all processes.
func (k *kernel) close() {
	for _, t := range k.tasks {
		if !t.done {
			t.over = true
			t.stop()
			t.done = true
		}
		if k.table != nil {
			k.table.Exit(t.pid)
		}
	}
	k.tasks = nil
	k.sh.opt.Pool.Give(k.mem)
	k.mem = 0
}
