package shell

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// signalNames are Linux' signals by number.
var signalNames = []string{
	"EXIT", "SIGHUP", "SIGINT", "SIGQUIT", "SIGILL", "SIGTRAP", "SIGABRT", "SIGBUS", "SIGFPE", "SIGKILL", "SIGUSR1", "SIGSEGV", "SIGUSR2",
	"SIGPIPE", "SIGALRM", "SIGTERM", "SIGSTKFLT", "SIGCHLD", "SIGCONT", "SIGSTOP", "SIGTSTP", "SIGTTIN", "SIGTTOU", "SIGURG", "SIGXCPU",
	"SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO", "SIGPWR", "SIGSYS",
}

const sigRTMin, sigRTMax = 34, 64

// signalName is the name of a number, real-time signals included.
func signalName(n int) string {
	switch {
	case n >= 0 && n < len(signalNames):
		return signalNames[n]
	case n == sigRTMin:
		return "SIGRTMIN"
	case n > sigRTMin && n <= sigRTMin+15:
		return "SIGRTMIN+" + strconv.Itoa(n-sigRTMin)
	case n > sigRTMin && n < sigRTMax:
		return "SIGRTMAX-" + strconv.Itoa(sigRTMax-n)
	case n == sigRTMax:
		return "SIGRTMAX"
	}
	return ""
}

// signalNumber resolves a name with or without SIG, or a number; -1 is none.
func signalNumber(s string) int {
	if n, err := strconv.Atoi(s); err == nil {
		if signalName(n) == "" {
			return -1
		}
		return n
	}
	s = strings.ToUpper(s)
	for n := range sigRTMax + 1 {
		if name := signalName(n); name != "" && (name == s || name == "SIG"+s) {
			return n
		}
	}
	return -1
}

// listSignals is the table of kill -l and trap -l.
func (e *env) listSignals() {
	var b strings.Builder
	col := 0
	for n := 1; n <= sigRTMax; n++ {
		name := signalName(n)
		if name == "" {
			continue
		}
		b.WriteString(pad(strconv.Itoa(n), 2) + ") " + name)
		if col++; col == 5 {
			b.WriteByte('\n')
			col = 0
		} else {
			b.WriteByte('\t')
		}
	}
	if col > 0 {
		b.WriteByte('\n')
	}
	e.out(b.String())
}

func killBuiltin(e *env, args []string) int {
	sig := sigTerm
	rest := args[1:]
	if len(rest) == 0 {
		return e.killUsage()
	}
	switch a := rest[0]; {
	case a == "-l" || a == "-L":
		return e.killList(rest[1:])
	case (a == "-s" || a == "-n") && len(rest) < 2:
		e.errorf("kill: %s: option requires an argument", a)
		return 1
	case a == "-s" || a == "-n":
		if sig = signalNumber(rest[1]); sig < 0 {
			if e.dialect == dash {
				e.errorf("kill: invalid signal number or name: %s", rest[1])
				return 2
			}
			e.errorf("kill: %s: invalid signal specification", rest[1])
			return 1
		}
		rest = rest[2:]
	case a == "--":
		rest = rest[1:]
	case len(a) > 2 && (a[:2] == "-s" || a[:2] == "-n") && signalNumber(a[1:]) < 0:
		if sig = signalNumber(a[2:]); sig < 0 {
			e.errorf("kill: %s: invalid signal specification", a[2:])
			return 1
		}
		rest = rest[1:]
	case len(a) > 1 && a[0] == '-':
		if sig = signalNumber(a[1:]); sig < 0 && e.dialect == dash {
			e.errorf("kill: Illegal option -%c", a[1])
			return 2
		} else if sig < 0 {
			e.errorf("kill: %s: invalid signal specification", a[1:])
			return 1
		}
		rest = rest[1:]
	}
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return e.killUsage()
	}
	status := 1
	for _, a := range rest {
		if e.killOne(a, sig) {
			status = 0
		}
	}
	return status
}

// killUsage is what kill says without anything to kill.
func (e *env) killUsage() int {
	if e.dialect == dash {
		e.errorf("kill: Usage: kill [-s sigspec | -signum | -sigspec] [pid | job]... or\nkill -l [exitstatus]")
		return 2
	}
	return e.usage("kill")
}

func (e *env) killList(args []string) int {
	if len(args) == 0 && e.dialect == dash {
		for n := range sigRTMax + 1 {
			if s := strings.TrimPrefix(signalName(n), "SIG"); s != "" && n > 0 {
				e.out(s + "\n")
			} else if n == 0 {
				e.out("0\n")
			}
		}
		return 0
	}
	if len(args) == 0 {
		e.listSignals()
		return 0
	}
	status := 0
	for _, a := range args {
		n := signalNumber(a)
		if v, err := strconv.Atoi(a); err == nil && v > 128 {
			n = signalNumber(strconv.Itoa(v - 128))
		}
		if n < 0 {
			e.errorf("kill: %s: invalid signal specification", a)
			status = 1
			continue
		}
		if _, err := strconv.Atoi(a); err == nil {
			e.out(strings.TrimPrefix(signalName(n), "SIG") + "\n")
		} else {
			e.out(strconv.Itoa(n) + "\n")
		}
	}
	return status
}

func (e *env) killOne(a string, sig int) bool {
	k := e.k
	if strings.HasPrefix(a, "%") {
		o := e.jobs.find(a)
		if o == nil {
			if e.dialect == dash {
				e.errorf("kill: No such job: %s", a)
			} else {
				e.errorf("kill: %s: no such job", a)
			}
			return false
		}
		if o.task.done {
			e.errorf("kill: (%d) - %s", o.task.pid, vfs.ESRCH)
			return false
		}
		if o.task.paused && e.interactive && (sig == sigTerm || sig == sigHup || sig == sigKill) {
			// bash tells at once that the job is still stopped.
			e.warn("\n" + e.jobs.line(o, false))
			o.task.paused = false
		}
		k.signalGroup(o.task, sig)
		return true
	}
	pid, err := strconv.Atoi(a)
	if err != nil && e.dialect == dash {
		e.errorf("kill: Illegal number: %s", a)
		return false
	}
	if err != nil && a == "" {
		e.errorf("kill: `': not a pid or valid job spec")
		return false
	} else if err != nil {
		e.errorf("kill: %s: arguments must be process or job IDs", a)
		return false
	}
	if pid == 0 {
		for _, t := range k.tasks {
			if t != k.cur && !t.done {
				k.signalTask(t, sig)
			}
		}
		pid = e.pid
	}
	if x := k.live[max(pid, -pid)]; x != nil && !x.ended {
		if pid < 0 && x.task != nil && x.task.base == x {
			k.signalGroup(x.task, sig)
		} else {
			k.signal(x, sig)
		}
		return true
	}
	if k.table != nil {
		err := k.table.Kill(e.cred.UID, max(pid, -pid), sig)
		if err == nil {
			return true
		}
		return e.killFailed(pid, err)
	}
	return e.killFailed(pid, vfs.ESRCH)
}

// killFailed tells of a process that could not be signalled.
func (e *env) killFailed(pid int, err error) bool {
	if e.dialect == dash { // with an empty line behind it
		e.errorf("kill: %s\n", errText(err))
	} else {
		e.errorf("kill: (%d) - %s", pid, errText(err))
	}
	return false
}

// pendingTraps runs the traps of signals that came during the last command.
func (e *env) pendingTraps() {
	for len(e.pending) > 0 && e.flow == goingOn && !e.trapping {
		t := e.pending[0]
		e.pending = e.pending[1:]
		e.runTrap(t)
	}
}

// runTrap runs a trap's text and puts the status back.
func (e *env) runTrap(t string) {
	status, trapping := e.status, e.trapping
	e.trapping = true
	e.runText(&source{text: t, kind: fromEval}, e.line-1)
	e.trapping = trapping
	if e.flow != exiting {
		e.status = status
	}
}

// trapName normalises what a trap is set on.
func trapName(s string) (string, bool) {
	switch u := strings.ToUpper(s); u {
	case "EXIT", "DEBUG", "ERR", "RETURN":
		return u, true
	}
	n := signalNumber(s)
	if n < 0 {
		return "", false
	}
	return signalName(n), true
}

func trapBuiltin(e *env, args []string) int {
	rest := args[1:]
	show := false
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		switch rest[0] {
		case "-l":
			e.listSignals()
			return 0
		case "-p":
			show = true
		case "--":
			rest = rest[1:]
			goto operands
		default:
			return e.badOption("trap", rest[0][:2])
		}
		rest = rest[1:]
	}
operands:
	if len(rest) == 0 || show {
		e.showTraps(rest)
		return 0
	}
	action, names := rest[0], rest[1:]
	reset := action == "-"
	if len(names) == 0 {
		if _, ok := trapName(action); !ok {
			return e.usage("trap")
		}
		names, reset = rest, true
	} else if _, err := strconv.Atoi(action); err == nil {
		names, reset = rest, true
	}
	fresh := map[string]string{}
	for k, v := range e.traps {
		fresh[k] = v
	}
	status := 0
	for _, s := range names {
		n, ok := trapName(s)
		if !ok {
			e.errorf("trap: %s: invalid signal specification", s)
			status = 1
			continue
		}
		if reset {
			delete(fresh, n)
		} else {
			fresh[n] = action
		}
	}
	kept := 0
	for k, v := range fresh {
		kept += len(v) - len(e.traps[k])
	}
	_ = e.account(max(kept, 0)) // ends the process when there is no more
	e.traps = fresh
	return status
}

func (e *env) showTraps(names []string) {
	show := func(n string) {
		if t, ok := e.traps[n]; ok {
			shown := n
			if e.dialect == dash {
				shown = strings.TrimPrefix(n, "SIG")
			}
			e.out("trap -- " + singleQuote(t) + " " + shown + "\n")
		}
	}
	if len(names) > 0 {
		for _, s := range names {
			if n, ok := trapName(s); ok {
				show(n)
			}
		}
		return
	}
	for n := range sigRTMax + 1 {
		if s := signalName(n); s != "" {
			show(s)
		}
	}
	for _, s := range []string{"DEBUG", "ERR", "RETURN"} {
		show(s)
	}
}
