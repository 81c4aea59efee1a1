package shell

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// jobs are a shell's background processes.
type jobs struct {
	kind  dialect // whose way of listing them
	list  []*job
	tick  int
	ended map[int]int // statuses of those that are waited for and forgotten
}

// A job is a background process the shell remembers until it has told of its
// end.
type job struct {
	num  int
	task *task
	used int // when it was last current
}

// addJob remembers a background process.
func (e *env) addJob(t *task) {
	if e.jobs == nil {
		e.jobs = &jobs{kind: e.dialect}
	}
	j := e.jobs
	t.job = true
	if len(j.list) > 256 {
		j.forget(func(j *job) bool { return j.task.done })
	}
	n := 1
	for _, o := range j.list {
		n = max(n, o.num+1)
	}
	j.tick++
	j.list = append(j.list, &job{num: n, task: t, used: j.tick})
}

func (j *jobs) last() int {
	if j == nil || len(j.list) == 0 {
		return 0
	}
	return j.list[len(j.list)-1].num
}

func (j *jobs) forget(drop func(*job) bool) {
	n := 0
	for _, o := range j.list {
		if !drop(o) {
			j.list[n] = o
			n++
		}
	}
	clear(j.list[n:])
	j.list = j.list[:n]
}

// marks returns the + and - of the current and the previous job.
func (j *jobs) order() []*job {
	s := append([]*job(nil), j.list...)
	sort.Slice(s, func(a, b int) bool {
		if s[a].task.paused != s[b].task.paused {
			return s[a].task.paused
		}
		return s[a].used > s[b].used
	})
	return s
}

func (j *jobs) mark(o *job) string {
	s := j.order()
	switch {
	case len(s) > 0 && s[0] == o:
		return "+"
	case len(s) > 1 && s[1] == o:
		return "-"
	}
	return " "
}

// find resolves %1, %%, %+, %-, %name and %?text.
func (j *jobs) find(spec string) *job {
	if j == nil {
		return nil
	}
	spec = strings.TrimPrefix(spec, "%")
	s := j.order()
	switch {
	case spec == "" || spec == "%" || spec == "+":
		if len(s) > 0 {
			return s[0]
		}
		return nil
	case spec == "-":
		if len(s) > 1 {
			return s[1]
		} else if len(s) > 0 {
			return s[0]
		}
		return nil
	}
	if n, err := strconv.Atoi(spec); err == nil {
		for _, o := range j.list {
			if o.num == n {
				return o
			}
		}
		return nil
	}
	for _, o := range s {
		if rest, ok := strings.CutPrefix(spec, "?"); ok && strings.Contains(o.task.text, rest) || strings.HasPrefix(o.task.text, spec) {
			return o
		}
	}
	return nil
}

// state is how jobs describes a job.
func (t *task) state() string {
	switch {
	case t.done && t.status == 0:
		return "Done"
	case t.done && t.killed != 0:
		return deathName(t.killed)
	case t.done:
		return "Exit " + strconv.Itoa(t.status)
	case t.paused:
		return "Stopped"
	}
	return "Running"
}

func deathName(sig int) string {
	switch sig {
	case sigHup:
		return "Hangup"
	case sigInt:
		return "Interrupt"
	case sigKill:
		return "Killed"
	case sigTerm:
		return "Terminated"
	case sigPipe:
		return "Broken pipe"
	case 3:
		return "Quit"
	case 6:
		return "Aborted"
	case 11:
		return "Segmentation fault"
	}
	return "User defined signal"
}

// line is one line of jobs.
func (j *jobs) line(o *job, pids bool) string {
	if j.kind != bash {
		return j.plainLine(o, pids)
	}
	head := "[" + strconv.Itoa(o.num) + "]" + j.mark(o) + "  "
	if pids {
		head = strings.TrimRight(head, " ") + " " + strconv.Itoa(o.task.pid) + " "
	}
	text := o.task.text
	if o.task.state() == "Running" {
		text += " &"
	}
	return head + padRight(o.task.state(), 24) + text + "\n"
}

// longJob is jobs -l: a line for each process of a pipeline.
func (e *env) longJob(o *job) string {
	text := o.task.text
	if o.task.state() == "Running" {
		text += " &"
	}
	parts := splitPipeline(text)
	pids := []int{o.task.pid}
	for _, t := range e.k.tasks {
		if t.group == o.task && len(pids) < len(parts) {
			pids = append(pids, t.pid)
		}
	}
	var b strings.Builder
	for i, part := range parts {
		pid := o.task.pid + i
		if i < len(pids) {
			pid = pids[i]
		}
		if i == 0 {
			b.WriteString("[" + strconv.Itoa(o.num) + "]" + e.jobs.mark(o) + " " + pad(strconv.Itoa(pid), 5) + " " + padRight(o.task.state(), 24) + part)
		} else {
			b.WriteString("     " + pad(strconv.Itoa(pid), 5) + strings.Repeat(" ", 23) + "| " + part)
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// splitPipeline divides the text of a pipeline at its bars.
func splitPipeline(text string) (parts []string) {
	depth, from := 0, 0
	var quote byte
	for i := 0; i < len(text); i++ {
		switch c := text[i]; {
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\\':
			i++
		case c == '\'' || c == '"' || c == '`':
			quote = c
		case c == '(' || c == '{':
			depth++
		case c == ')' || c == '}':
			depth--
		case depth == 0 && strings.HasPrefix(text[i:], " | "):
			parts = append(parts, text[from:i])
			from = i + 3
		}
	}
	return append(parts, text[from:])
}

// plainLine is one line of jobs as dash and BusyBox write it: the command
// begins in the same column with and without the process's number.
func (j *jobs) plainLine(o *job, pids bool) string {
	head := "[" + strconv.Itoa(o.num) + "]"
	if j.kind == dash {
		head += " " + j.mark(o) + " "
	} else {
		head += j.mark(o) + "  "
	}
	if pids {
		head += strconv.Itoa(o.task.pid) + " "
	}
	state := o.task.state()
	if n, ok := strings.CutPrefix(state, "Exit "); ok {
		state = "Done(" + n + ")"
	}
	return padRight(head+state, 33) + o.task.text + "\n"
}

// abandonJobs is what happens to the jobs of a shell that ends: those that are
// stopped are hung up.
func (e *env) abandonJobs() {
	if e.jobs == nil {
		return
	}
	for _, o := range e.jobs.list {
		if o.task.paused && !o.task.done {
			o.task.paused = false
			e.k.signalGroup(o.task, sigHup)
		}
	}
}

// report tells of jobs that ended, before a prompt.
func (e *env) reportJobs() {
	if e.jobs == nil {
		return
	}
	for _, o := range e.jobs.list {
		if o.task.done {
			e.warn(e.jobs.line(o, false))
		}
	}
	e.jobs.forget(func(o *job) bool { return o.task.done })
}

func jobsBuiltin(e *env, args []string) int {
	if len(args) > 1 && args[1] == "-x" {
		return e.jobsRun(args[2:])
	}
	opts, rest, st := e.options(args, "lnprs", "")
	if st != 0 {
		return st
	}
	if e.jobs == nil && e.oldJobs != nil && len(rest) == 0 {
		e.jobs = e.oldJobs
		defer func() { e.jobs = nil }()
	}
	if e.jobs == nil {
		if len(rest) > 0 {
			e.errorf("jobs: %s: no such job", rest[0])
			return 1
		}
		return 0
	}
	e.k.breathe()
	_, pids := opts['l']
	_, only := opts['p']
	_, running := opts['r']
	_, stopped := opts['s']
	list, status := e.jobs.list, 0
	if len(rest) > 0 {
		list = nil
		for _, spec := range rest {
			o := e.jobs.find(spec)
			if o == nil {
				e.errorf("jobs: %s: no such job", spec)
				status = 1
				continue
			}
			list = append(list, o)
		}
	}
	if e.dialect == dash && len(rest) == 0 {
		list = e.jobs.order()
	}
	for _, o := range list {
		if state := o.task.state(); running && state != "Running" || stopped && state != "Stopped" {
			continue
		}
		if only {
			e.out(strconv.Itoa(o.task.pid) + "\n")
			continue
		}
		if pids && e.dialect == bash {
			e.out(e.longJob(o))
			continue
		}
		e.out(e.jobs.line(o, pids))
	}
	if e.jobs != e.oldJobs {
		e.jobs.forget(func(o *job) bool { return o.task.done })
	}
	return status
}

// sweepJobs is what a shell without prompts does when a program has ended: it
// forgets the jobs that have ended as well.
func (e *env) sweepJobs() {
	if e.jobs == nil || e.interactive {
		return
	}
	e.jobs.forget(func(o *job) bool {
		if o.task.done {
			e.told(o.task)
			e.jobs.note(o.task)
		}
		return o.task.done
	})
}

// note remembers the status of a process that is forgotten.
func (j *jobs) note(t *task) {
	if j.ended == nil || len(j.ended) >= maxWaited {
		j.ended = map[int]int{}
	}
	j.ended[t.pid] = t.status
}

// childEnded runs the trap for ended children.
func (e *env) childEnded() {
	if t := e.traps["SIGCHLD"]; t != "" && len(e.pending) < 64 {
		e.pending = append(e.pending, t)
	}
}

// jobsRun is jobs -x: a command with process ids in place of job names.
func (e *env) jobsRun(words []string) int {
	if len(words) == 0 {
		return 0
	}
	argv := make([]string, len(words))
	for i, w := range words {
		argv[i] = w
		if strings.HasPrefix(w, "%") {
			if o := e.jobs.find(w); o != nil {
				argv[i] = strconv.Itoa(o.task.pid)
			}
		}
	}
	return e.dispatch(argv)
}

// breathe lets the other processes run once.
func (k *kernel) breathe() {
	if k.cur == nil {
		k.runOthers()
	} else {
		k.turn()
	}
}

func fgBuiltin(e *env, args []string) int {
	if !e.jobControl {
		if e.dialect == dash {
			e.errorf("%s: No current job", args[0])
			return 2
		}
		e.errorf("%s: no job control", args[0])
		return 1
	}
	spec := ""
	if len(args) > 1 {
		spec = args[1]
	}
	o := e.jobs.find(spec)
	if o == nil {
		if e.dialect != bash {
			return e.noJob(args[0], spec)
		}
		if spec == "" {
			spec = "current"
		}
		e.errorf("%s: %s: no such job", args[0], spec)
		return 1
	}
	e.jobs.tick++
	o.used = e.jobs.tick
	if args[0] == "bg" {
		o.task.paused = false
		if e.dialect != bash {
			e.out("[" + strconv.Itoa(o.num) + "] " + o.task.text + "\n")
			return 0
		}
		e.out("[" + strconv.Itoa(o.num) + "]" + e.jobs.mark(o) + " " + o.task.text + " &\n")
		return 0
	}
	e.out(o.task.text + "\n")
	o.task.paused = false
	return e.foreground(o.task, o)
}

// noJob is what dash and BusyBox say of a job that is not there.
func (e *env) noJob(who, spec string) int {
	if spec == "" {
		e.errorf("%s: No current job", who)
	} else {
		e.errorf("%s: No such job: %s", who, spec)
	}
	return 2
}

// waitEnd waits for one process. A signal that has a trap ends the waiting.
func (e *env) waitEnd(t *task) int {
	before := len(e.pending)
	e.k.wait(func() bool { return t.done || len(e.pending) > before }, time.Time{})
	if !t.done {
		return 128 + e.pendingSignal
	}
	e.told(t)
	e.childEnded()
	return t.status
}

// told sees to it that the end of a job is told once, as a shell without
// prompts does it.
func (e *env) told(t *task) {
	if t.told || e.interactive {
		return
	}
	t.told = true
	if t.killed != 0 && t.killed != sigTerm {
		e.tellJob(t)
	}
}

func waitBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "fnp", "p")
	if st != 0 {
		return st
	}
	_, anyOne := opts['n']
	if name, ok := opts['p']; ok && !isName(name) {
		e.errorf("wait: `%s': not a valid identifier", name)
		return 1
	}
	status := 0
	var pid int
	switch {
	case anyOne:
		status, pid = e.waitAny(rest)
	case len(rest) == 0:
		return e.waitAll()
	}
	if !anyOne {
		for _, a := range rest {
			status, pid = e.waitOne(a)
		}
	}
	if name, ok := opts['p']; ok && pid != 0 {
		e.setOpt(name, strconv.Itoa(pid))
	}
	return status
}

// waitAll is wait without operands.
func (e *env) waitAll() int {
	if e.jobs == nil {
		return 0
	}
	if e.interactive { // what has ended before is not told any more
		e.jobs.forget(func(o *job) bool { return o.task.done })
	}
	for _, o := range e.jobs.list {
		if o.task.paused {
			continue
		}
		if st := e.waitEnd(o.task); !o.task.done {
			return st
		}
	}
	if !e.interactive { // the last one is kept, for its status may be asked for
		e.jobs.forget(func(o *job) bool {
			return o.task.done && (o.task.pid != e.lastPID || o.task.killed != sigTerm && o.task.killed != sigInt)
		})
	}
	return 0
}

// waitAny is wait -n: for the first of the jobs named, or of all.
func (e *env) waitAny(names []string) (status, pid int) {
	if e.jobs == nil {
		return 127, 0
	}
	wanted := func(o *job) bool {
		if len(names) == 0 {
			return true
		}
		for _, n := range names {
			if n == strconv.Itoa(o.task.pid) || strings.HasPrefix(n, "%") && e.jobs.find(n) == o {
				return true
			}
		}
		return false
	}
	var hit *job
	e.k.wait(func() bool {
		left := false
		for _, o := range e.jobs.list {
			if !wanted(o) {
				continue
			}
			left = true
			if o.task.done {
				hit = o
				return true
			}
		}
		return !left
	}, time.Time{})
	if hit == nil {
		return 127, 0
	}
	e.told(hit.task)
	e.jobs.forget(func(o *job) bool { return o == hit })
	return hit.task.status, hit.task.pid
}

// maxWaited bounds how many ended processes a shell remembers.
const maxWaited = 256

func (e *env) waitOne(a string) (status, pid int) {
	if strings.HasPrefix(a, "%") {
		o := e.jobs.find(a)
		if o == nil {
			e.errorf("wait: %s: no such job", a)
			return 127, 0
		}
		return e.waitJob(o), o.task.pid
	}
	pid, err := strconv.Atoi(a)
	if err != nil || pid <= 0 {
		e.errorf("wait: `%s': not a pid or valid job spec", a)
		return 1, 0
	}
	if e.jobs != nil {
		for _, o := range e.jobs.list {
			if o.task.pid == pid {
				return e.waitJob(o), pid
			}
		}
		if st, ok := e.jobs.ended[pid]; ok {
			return st, pid
		}
	}
	if e.dialect == bash {
		e.errorf("wait: pid %d is not a child of this shell", pid)
	}
	return 127, 0
}

// waitJob waits for a job and forgets it, but for its status.
func (e *env) waitJob(o *job) int {
	st := e.waitEnd(o.task)
	if !o.task.done {
		return st
	}
	j := e.jobs
	j.note(o.task)
	if !e.interactive || !e.jobControl {
		j.forget(func(x *job) bool { return x == o })
	}
	return st
}

func disownBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "har", "")
	if st != 0 {
		return st
	}
	_, hold := opts['h']
	_, all := opts['a']
	if _, running := opts['r']; (all || running) && len(rest) == 0 {
		if e.jobs != nil && !hold {
			e.jobs.forget(func(o *job) bool { return all || o.task.state() == "Running" })
		}
		return 0
	}
	if len(rest) == 0 {
		rest = []string{""}
	}
	status := 0
	for _, a := range rest {
		o := e.jobs.find(a)
		if o == nil {
			if a == "" {
				a = "current"
			}
			e.errorf("disown: %s: no such job", a)
			status = 1
			continue
		}
		if !hold {
			e.jobs.forget(func(j *job) bool { return j == o })
		}
	}
	return status
}

func suspendBuiltin(e *env, args []string) int {
	if _, _, st := e.options(args, "f", ""); st != 0 {
		return st
	}
	switch {
	case e.login && e.interactive:
		e.errorf("suspend: cannot suspend a login shell")
	case !e.jobControl:
		e.errorf("suspend: cannot suspend: no job control")
	}
	return 1
}

func timesBuiltin(e *env, args []string) int {
	if e.dialect == dash {
		e.out("0m0.000000s 0m0.000000s\n0m0.000000s 0m0.000000s\n")
		return 0
	}
	if len(args) > 1 && len(args[1]) > 1 && args[1][0] == '-' && args[1] != "--" {
		return e.badOption("times", args[1][:2])
	}
	e.out("0m0.002s 0m0.001s\n0m0.000s 0m0.000s\n")
	return 0
}

// exiting asks whether an interactive shell may end: not while jobs are
// stopped, unless it was asked twice.
func (e *env) exiting() bool {
	if e.jobs == nil || e.askedExit {
		return false
	}
	for _, o := range e.jobs.list {
		if o.task.paused && !o.task.done {
			e.askedExit = true
			switch {
			case e.dialect != bash:
				e.warn("You have stopped jobs.\n")
				return true
			case e.login:
				e.warn("logout\n")
			default:
				e.warn("exit\n")
			}
			e.warn("There are stopped jobs.\n")
			return true
		}
	}
	return false
}
