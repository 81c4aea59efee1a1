package shell

import (
	"sort"
	"strconv"
	"strings"
	"time"
)

// jobs are a shell's background processes.
type jobs struct {
	list []*job
	tick int
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
		e.jobs = &jobs{}
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
	opts, rest, st := e.options(args, "lnprs", "")
	if st != 0 {
		return st
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
	for _, o := range e.jobs.list {
		if only {
			e.out(strconv.Itoa(o.task.pid) + "\n")
			continue
		}
		e.out(e.jobs.line(o, pids))
	}
	e.jobs.forget(func(o *job) bool { return o.task.done })
	return 0
}

// breathe lets the other processes run once.
func (k *kernel) breathe() {
	if k.cur == nil {
		k.runOthers()
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
		e.out("[" + strconv.Itoa(o.num) + "]" + e.jobs.mark(o) + " " + o.task.text + " &\n")
		return 0
	}
	e.out(o.task.text + "\n")
	o.task.paused = false
	return e.foreground(o.task, o)
}

// waitEnd waits for one process.
func (e *env) waitEnd(t *task) int {
	e.k.wait(func() bool { return t.done }, time.Time{})
	return t.status
}

func waitBuiltin(e *env, args []string) int {
	rest := args[1:]
	anyOne := false
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 {
		if rest[0] == "-p" && len(rest) > 1 {
			rest = rest[1:]
		}
		anyOne = anyOne || rest[0] == "-n"
		rest = rest[1:]
	}
	if len(rest) == 0 {
		if e.jobs == nil {
			if anyOne {
				return 127
			}
			return 0
		}
		if anyOne {
			return e.waitAny()
		}
		for _, o := range e.jobs.list {
			if !o.task.paused {
				e.waitEnd(o.task)
			}
		}
		if !e.interactive {
			e.jobs.list = nil
		}
		return 0
	}
	status := 0
	for _, a := range rest {
		status = e.waitOne(a)
	}
	return status
}

func (e *env) waitAny() int {
	status := 127
	e.k.wait(func() bool {
		for _, o := range e.jobs.list {
			if o.task.done {
				status = o.task.status
				return true
			}
		}
		return len(e.jobs.list) == 0
	}, time.Time{})
	return status
}

func (e *env) waitOne(a string) int {
	if strings.HasPrefix(a, "%") {
		o := e.jobs.find(a)
		if o == nil {
			e.errorf("wait: %s: no such job", a)
			return 127
		}
		return e.waitEnd(o.task)
	}
	pid, err := strconv.Atoi(a)
	if err != nil {
		e.errorf("wait: `%s': not a pid or valid job spec", a)
		return 1
	}
	if e.jobs != nil {
		for _, o := range e.jobs.list {
			if o.task.pid == pid {
				return e.waitEnd(o.task)
			}
		}
	}
	if e.dialect == bash {
		e.errorf("wait: pid %d is not a child of this shell", pid)
	}
	return 127
}

func disownBuiltin(e *env, args []string) int {
	_, rest, st := e.options(args, "har", "")
	if st != 0 {
		return st
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
		e.jobs.forget(func(j *job) bool { return j == o })
	}
	return status
}

func suspendBuiltin(e *env, _ []string) int {
	switch {
	case e.login && e.interactive:
		e.errorf("suspend: cannot suspend a login shell")
	case !e.jobControl:
		e.errorf("suspend: cannot suspend: no job control")
	}
	return 1
}

func timesBuiltin(e *env, _ []string) int {
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
			if e.login {
				e.warn("logout\n")
			} else {
				e.warn("exit\n")
			}
			e.warn("There are stopped jobs.\n")
			return true
		}
	}
	return false
}
