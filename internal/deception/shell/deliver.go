package shell

import (
	"strconv"
)

// lives notes a process by its number.
func (k *kernel) lives(x *env) {
	if k.live == nil {
		k.live = map[int]*env{}
	}
	k.live[x.pid] = x
}

// gone forgets a process. One that took another's place gives it back.
func (k *kernel) gone(x *env) {
	if k.live[x.pid] != x {
		return
	}
	delete(k.live, x.pid)
	if p := x.parent; p != nil && p.pid == x.pid && !p.ended {
		k.live[p.pid] = p
	}
}

// enter makes c the innermost process of the running coroutine and returns the
// one it covers.
func (k *kernel) enter(c *env) *env {
	at := &k.top
	if k.cur != nil {
		at = &k.cur.top
	}
	above := *at
	*at = c
	return above
}

func (k *kernel) leave(above *env) {
	if k.cur != nil {
		k.cur.top = above
	} else {
		k.top = above
	}
}

// stops are the signals that stop a process, ignored those that do nothing.
func stops(sig int) bool { return sig >= sigStop && sig <= 22 }

func ignored(sig int) bool { return sig == 0 || sig == 17 || sig == sigCont || sig == 23 || sig == 28 }

// signal sends a signal to one process.
func (k *kernel) signal(x *env, sig int) {
	if x.task != nil {
		if sig == sigCont || sig == sigKill {
			x.task.paused = false
		}
		if stops(sig) && !x.ignores(sig) {
			x.task.paused = true
			return
		}
	}
	if x.catches(sig) || ignored(sig) || stops(sig) || x.interactive && (sig == sigTerm || sig == sigQuit || sig == sigInt) {
		if sig == sigInt && x.interactive && x.task == k.cur && !x.ignores(sig) && x.traps["SIGINT"] == "" {
			panic(death{128 + sigInt, ofLine, nil})
		}
		return
	}
	k.kill(x, sig)
}

// catches reports whether a process has something to say about a signal; its
// trap is remembered.
func (x *env) catches(sig int) bool {
	if sig == sigKill || sig == sigStop || sig == 0 {
		return false
	}
	t, ok := x.traps[signalName(sig)]
	if ok && t != "" && len(x.pending) < 64 {
		x.pending, x.pendingSignal = append(x.pending, t), sig
	}
	return ok
}

func (x *env) ignores(sig int) bool {
	t, ok := x.traps[signalName(sig)]
	return ok && t == "" && sig != sigKill && sig != sigStop
}

// kill ends a process, at once when it is the one that runs.
func (k *kernel) kill(x *env, sig int) {
	d := killed(x, sig)
	switch {
	case x.task == k.cur:
		panic(d)
	case x.task == nil:
		k.doom = &d
	default:
		x.task.doom = &d
	}
}

// signalGroup sends a signal to a job: all its processes.
func (k *kernel) signalGroup(leader *task, sig int) {
	if sig == sigCont || stops(sig) {
		leader.paused = sig != sigCont
		return
	}
	for _, t := range k.tasks {
		if (t == leader || t.group == leader) && !t.done && t != k.cur {
			k.signalTask(t, sig)
		}
	}
	if c := k.cur; c != nil && (c == leader || c.group == leader) {
		k.signalTask(c, sig)
	}
}

// signalTask sends a signal to all processes of a coroutine, one inside the
// other, as the terminal does: who does not catch it dies, together with those
// outside that only wait for it.
func (k *kernel) signalTask(t *task, sig int) {
	if ignored(sig) || t.done {
		return
	}
	x := t.top
	if x == nil {
		x = t.base
	}
	for p := x.parent; p != nil && p.task == t && p != x; p = p.parent {
		p.catches(sig)
	}
	if x.ignores(sig) {
		return
	}
	if x.catches(sig) {
		if x.inCommand { // the program has no handler, the shell around it has
			t.doom = &death{128 + sig, ofCommand, nil}
		}
		return
	}
	for p := x.parent; p != nil && p.task == t; p = p.parent {
		if _, ok := p.traps[signalName(sig)]; ok || p.interactive {
			break
		}
		x = p
	}
	k.kill(x, sig)
}

// ignore makes a process ignore signals it has no trap for.
func (x *env) ignore(names ...string) {
	traps := map[string]string{}
	for n, t := range x.traps {
		traps[n] = t
	}
	for _, n := range names {
		if _, ok := traps[n]; !ok {
			traps[n] = ""
		}
	}
	x.traps = traps
}

// tellKilled says what a child died of, as a shell does that waited for it.
func (e *env) tellKilled(sig, pid int) {
	switch {
	case sig == 0 || sig == sigInt || sig == sigPipe:
	case e.dialect != bash || e.interactive || sig == sigTerm:
		e.warn(deathName(sig) + "\n")
	default:
		e.errorf("%5s %-24s%s", strconv.Itoa(pid), deathName(sig), e.stmtText())
	}
}

// tellJob says what a background job died of.
func (e *env) tellJob(t *task) {
	if t.killed == sigInt || t.killed == sigPipe || t.killed == sigTerm {
		return
	}
	e.errorf("%5s %-24s%s", strconv.Itoa(t.pid), deathName(t.killed), t.text)
}

// debugTrap runs the trap of every command.
func (e *env) debugTrap() {
	if t := e.traps["DEBUG"]; t != "" && !e.debugging {
		e.debugging = true
		e.runTrap(t)
		e.debugging = false
	}
}

// debugFor runs the trap for a compound command, shown as text.
func (e *env) debugFor(text string) {
	if e.debugging || e.traps["DEBUG"] == "" {
		return
	}
	if !e.trapping {
		e.cmdAt, e.cmdWords = nil, text
	}
	e.debugTrap()
}

// returnTrap runs the trap of functions and sourced files.
func (e *env) returnTrap() {
	if t := e.traps["RETURN"]; t != "" && !e.trapping && e.flow == goingOn {
		e.runTrap(t)
	}
}

// hideTraps takes the traps away that a function does not inherit and returns
// what puts those back that it did not replace.
func (e *env) hideTraps() func() {
	if len(e.traps) == 0 {
		return func() {}
	}
	hidden := map[string]string{}
	for _, n := range []string{"DEBUG", "RETURN", "ERR"} {
		t, ok := e.traps[n]
		if ok && !(n == "ERR" && e.opts&optErrTrace != 0 || n != "ERR" && e.opts&optFuncTrace != 0) {
			hidden[n] = t
		}
	}
	if len(hidden) == 0 {
		return func() {}
	}
	fresh := map[string]string{}
	for n, t := range e.traps {
		if _, ok := hidden[n]; !ok {
			fresh[n] = t
		}
	}
	e.traps = fresh
	return func() {
		back := map[string]string{}
		for n, t := range hidden {
			back[n] = t
		}
		for n, t := range e.traps {
			back[n] = t
		}
		e.traps = back
	}
}

// commandText is BASH_COMMAND.
func (e *env) commandText() string {
	if e.cmdAt == nil || e.cmdUnit == nil {
		return e.cmdWords
	}
	return trimCommand(e.cmdUnit.slice(e.cmdAt.Pos(), e.cmdAt.End()))
}
