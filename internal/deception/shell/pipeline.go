package shell

import (
	"strconv"
	"strings"
	"time"

	"mvdan.cc/sh/v3/syntax"
)

// stages flattens a pipeline.
func stages(c *syntax.BinaryCmd) (list []*syntax.Stmt, both []bool) {
	for {
		list = append(list, c.Y)
		both = append(both, c.Op == syntax.PipeAll)
		x, ok := c.X.Cmd.(*syntax.BinaryCmd)
		if !ok || x.Op != syntax.Pipe && x.Op != syntax.PipeAll || len(c.X.Redirs) > 0 || c.X.Negated {
			list = append(list, c.X)
			break
		}
		c = x
	}
	for i, j := 0, len(list)-1; i < j; i, j = i+1, j-1 {
		list[i], list[j] = list[j], list[i]
	}
	for i, j := 0, len(both)-1; i < j; i, j = i+1, j-1 {
		both[i], both[j] = both[j], both[i]
	}
	return list, both
}

// pipeline runs all stages together and returns the status of the last, or
// with pipefail of the last that failed.
func (e *env) pipeline(c *syntax.BinaryCmd) int {
	if e.wantsJob() {
		return e.asJob(func(child *env) int { return child.pipeline(c) })
	}
	list, both := stages(c)
	unit, quiet := e.unit, e.quiet
	tasks := make([]*task, 0, len(list))
	var in *ofile
	lastHere := e.shopts&shLastPipe != 0 && !e.jobControl
	for i, s := range list {
		last := i == len(list)-1
		if last && lastHere {
			break
		}
		if !e.mayFork() {
			in.drop()
			in = nil
			tasks = append(tasks, &task{done: true, status: 254})
			break
		}
		child := e.fork()
		child.quiet = quiet
		if in != nil {
			child.fds.set(0, in)
			in = nil
		}
		if !last {
			r, w := e.k.pipe()
			if both[i] {
				child.fds.set(2, w.hold())
			}
			child.fds.set(1, w)
			in = r
		}
		tasks = append(tasks, e.stage(child, s, unit))
	}
	status := -1
	if lastHere && len(tasks) == len(list)-1 {
		status = e.lastStage(list[len(list)-1], in)
	}
	e.waitFor(tasks)
	if n := len(tasks); n > 0 && status < 0 {
		e.tellKilled(tasks[n-1].killed, tasks[n-1].pid)
	}
	e.pipes = e.pipes[:0:0]
	result := 0
	for _, t := range tasks {
		e.pipes = append(e.pipes, t.status)
	}
	if status >= 0 {
		e.pipes = append(e.pipes, status)
	}
	for _, st := range e.pipes {
		if e.opts&optPipeFail == 0 || st != 0 {
			result = st
		}
	}
	if e.opts&optPipeFail == 0 {
		result = e.pipes[len(e.pipes)-1]
	}
	return result
}

// lastStage runs the last stage in the shell itself: shopt lastpipe.
func (e *env) lastStage(s *syntax.Stmt, in *ofile) int {
	old := e.fds.swap(0, in)
	defer func() { e.fds.set(0, old) }()
	e.stmt(s)
	return e.status
}

// simple reports a statement that is one simple command: a process started for
// it becomes that command.
func simple(s *syntax.Stmt) bool {
	_, ok := s.Cmd.(*syntax.CallExpr)
	return ok
}

// announce enters a stage that will become a program into the process table
// under that program's name: it may have to wait for its turn, a real one has
// long been started when its neighbour looks.
func (e *env) announce(child *env, s *syntax.Stmt) {
	c, ok := s.Cmd.(*syntax.CallExpr)
	if !ok || e.k.table == nil || len(c.Args) == 0 {
		return
	}
	args := make([]string, len(c.Args))
	for i, w := range c.Args {
		if args[i], ok = plainWord(w); !ok {
			args[i] = e.unit.slice(w.Pos(), w.End())
		}
	}
	if e.funcs[args[0]] == nil && e.builtin(args[0]) == nil {
		e.k.table.Exec(child.pid, "/usr/bin/"+base(args[0]), args)
	}
}

// launch starts body as the process child beside this one.
func (e *env) launch(child *env, text string, body func() int) *task {
	unit := e.unit
	t := e.k.fork(child, func() int {
		child.unit = unit
		return child.finish(body())
	})
	t.text = text
	return t
}

// stage starts one stage of a pipeline.
func (e *env) stage(child *env, s *syntax.Stmt, unit *unit) *task {
	e.announce(child, s)
	return e.launch(child, unit.slice(s.Pos(), s.End()), func() int {
		child.unit = unit
		child.inPlace = simple(s)
		child.stmt(s)
		return child.status
	})
}

// waitFor waits until all tasks have ended.
func (e *env) waitFor(tasks []*task) {
	e.k.wait(func() bool {
		for _, t := range tasks {
			if !t.done {
				return false
			}
		}
		return true
	}, time.Time{})
}

// background starts a statement as a job.
func (e *env) background(s *syntax.Stmt) {
	if !e.mayFork() {
		e.status = 254
		return
	}
	child := e.fork()
	if !e.jobControl {
		child.fds.set(0, &ofile{refs: 1, file: nullFile{}, path: "/dev/null"})
	}
	fg := *s
	fg.Background = false
	if !e.jobControl { // keys must not reach what runs in the background
		child.ignore("SIGINT", "SIGQUIT")
	}
	p := &printer{u: e.unit}
	p.stmt(&fg)
	text := p.b.String()
	t := e.launch(child, text, func() int {
		child.inPlace = simple(s)
		child.stmt(&fg)
		return child.status
	})
	if e.jobControl {
		t.group = nil
	}
	e.lastPID = child.pid
	e.status = 0
	e.addJob(t)
	if e.interactive && e.level == 0 && e.dialect == bash {
		e.warn("[" + strconv.Itoa(e.jobs.last()) + "] " + strconv.Itoa(t.pid) + "\n")
	}
}

// coproc starts a coprocess with pipes at COPROC[0] and COPROC[1].
func (e *env) coproc(c *syntax.CoprocClause) int {
	name := "COPROC"
	if c.Name != nil {
		if s, err := e.str(c.Name); err == nil {
			name = s
		}
	}
	if !e.mayFork() {
		return 254
	}
	child := e.fork()
	toR, toW := e.k.pipe()
	fromR, fromW := e.k.pipe()
	child.fds.set(0, toR)
	child.fds.set(1, fromW)
	r := e.fds.free(63, true)
	e.fds.set(r, fromR)
	w := e.fds.free(60, true)
	e.fds.set(w, toW)
	t := e.launch(child, e.unit.slice(c.Pos(), c.End()), func() int {
		child.stmt(c.Stmt)
		return child.status
	})
	e.addJob(t)
	e.lastPID = child.pid
	v := &variable{arr: newArray(e.mine, false)}
	v.arr.set(0, strconv.Itoa(r))
	v.arr.set(1, strconv.Itoa(w))
	if err := e.store(name, v); err != nil {
		return 1
	}
	if err := e.set(name+"_PID", strconv.Itoa(t.pid)); err != nil {
		return 1
	}
	e.coprocs = append(e.coprocs, coprocess{t, name, [2]int{r, w}})
	return 0
}

// A coprocess is one whose descriptors the shell closes when it has ended.
type coprocess struct {
	task *task
	name string
	fds  [2]int
}

// reapCoprocs forgets the coprocesses that ended.
func (e *env) reapCoprocs() {
	n := 0
	for _, c := range e.coprocs {
		if !c.task.done {
			e.coprocs[n] = c
			n++
			continue
		}
		for _, fd := range c.fds {
			e.fds.set(fd, nil)
		}
		for _, v := range []string{c.name, c.name + "_PID"} {
			_ = e.unsetVar(v)
		}
	}
	e.coprocs = e.coprocs[:n]
}

// processSubst is <( ) and >( ): a pipe that commands open as /dev/fd/N.
func (e *env) processSubst(p *syntax.ProcSubst) (string, error) {
	if !e.mayFork() {
		return "", &abort{status: 254, said: true}
	}
	child := e.fork()
	r, w := e.k.pipe()
	fd := e.fds.free(63, true)
	if fd < 0 {
		return "", &abort{status: 1, msg: "cannot make pipe for process substitution: Too many open files"}
	}
	if p.Op == syntax.CmdIn {
		child.fds.set(1, w)
		e.fds.set(fd, r)
	} else {
		child.fds.set(0, r)
		e.fds.set(fd, w)
	}
	stmts := p.Stmts
	t := e.launch(child, "", func() int { return child.stmts(stmts) })
	e.lastPID = child.pid
	out := p.Op != syntax.CmdIn
	e.substs = append(e.substs, func() {
		e.fds.set(fd, nil)
		if out { // let the reader finish what it was given
			e.waitFor([]*task{t})
		}
	})
	return "/dev/fd/" + strconv.Itoa(fd), nil
}

// endSubsts closes the pipes of process substitutions made since mark.
func (e *env) endSubsts(mark int) {
	for _, f := range e.substs[mark:] {
		f()
	}
	e.substs = e.substs[:mark]
}

// timeReport is what the time keyword writes. The pretended machine is fast.
func timeReport(d time.Duration, posix bool) string {
	real := d.Seconds()
	user := min(real*0.4, 0.002)
	if posix {
		return "real " + secs(real, 2) + "\nuser " + secs(user, 2) + "\nsys " + secs(user/2, 2) + "\n"
	}
	m := func(s float64) string { return strconv.Itoa(int(s)/60) + "m" + secs(s-float64(int(s)/60*60), 3) + "s" }
	return "\nreal\t" + m(real) + "\nuser\t" + m(user) + "\nsys\t" + m(user/2) + "\n"
}

// timeFormat is TIMEFORMAT's report; an empty format reports nothing.
func (e *env) timeFormat(f string, took time.Duration) string {
	if f == "" {
		return ""
	}
	real := took.Seconds()
	user := min(real*0.4, 0.002)
	var b strings.Builder
	for i := 0; i < len(f); i++ {
		if f[i] != '%' || i+1 == len(f) {
			b.WriteByte(f[i])
			continue
		}
		i++
		digits, long := 3, false
		if f[i] >= '0' && f[i] <= '9' && i+1 < len(f) {
			digits = min(int(f[i]-'0'), 3)
			i++
		}
		if f[i] == 'l' && i+1 < len(f) {
			long = true
			i++
		}
		v := map[byte]float64{'R': real, 'U': user, 'S': user / 2}
		switch c := f[i]; c {
		case '%':
			b.WriteByte('%')
		case 'P':
			share := 0.0
			if real > 0 {
				share = 100 * (user + user/2) / real
			}
			b.WriteString(secs(share, 2))
		case 'R', 'U', 'S':
			s := v[c]
			if long {
				b.WriteString(strconv.Itoa(int(s)/60) + "m" + secs(s-float64(int(s)/60*60), digits) + "s")
			} else {
				b.WriteString(secs(s, digits))
			}
		default:
			e.errorf("TIMEFORMAT: `%c': invalid format character", c)
			return ""
		}
	}
	return b.String() + "\n"
}

func secs(s float64, digits int) string { return strconv.FormatFloat(s, 'f', digits, 64) }
