package shell

import "time"

// A Budget bounds what one Exec, Script or line of an interactive session may
// use. Zero fields mean the defaults.
type Budget struct {
	Steps  int64         // commands, expansions, loop rounds; default 3,000,000
	Bytes  int64         // of all strings alive; default 16 MiB
	Output int64         // bytes written to the attacker; default 64 MiB
	Procs  int           // processes alive; default 64
	Depth  int           // of calls, substitutions and nested shells; default 200
	Words  int           // from one brace expansion; default 250,000
	Wall   time.Duration // of one Exec or Script; default 1 hour
}

func (b Budget) withDefaults() Budget {
	set := func(v *int64, d int64) {
		if *v <= 0 {
			*v = d
		}
	}
	set(&b.Steps, 3_000_000)
	set(&b.Bytes, 16<<20)
	set(&b.Output, 64<<20)
	if b.Procs <= 0 {
		b.Procs = 64
	}
	if b.Depth <= 0 {
		b.Depth = 200
	}
	if b.Words <= 0 {
		b.Words = 250_000
	}
	if b.Wall <= 0 {
		b.Wall = time.Hour
	}
	return b
}

// A death ends a process of the pretended machine. It is thrown as a panic and
// caught where that process began: the evaluator's frames in between belong to
// the dead.
type death struct {
	status int
	scope  scope
	who    *env // the process that dies, with ofProcess; nil is the innermost
}

// killed is the death of one process by a signal.
func killed(who *env, sig int) death { return death{128 + sig, ofProcess, who} }

// signal is the one a process died of, 0 when it was none.
func (d death) signal() int {
	if d.status > 128 && d.status <= 128+sigRTMax && d.scope == ofProcess {
		return d.status - 128
	}
	return 0
}

// fatal is the signal the session's own shell dies of: as signal has it, and
// the kernel's when the budget is used up.
func (d death) fatal() int {
	if d.scope == ofLine && d.status == 128+sigKill {
		return sigKill
	}
	return d.signal()
}

// A scope says how far a death goes up.
type scope int

const (
	ofProcess scope = iota // to the subshell, stage or shell it happens in
	ofCommand              // to the program being run
	ofLine                 // to the prompt: the budget is used up or Ctrl-C was typed
	ofSession              // to the end: the attacker is gone
)

// Signals, as far as they matter here.
const (
	sigHup  = 1
	sigInt  = 2
	sigQuit = 3
	sigKill = 9
	sigSegv = 11
	sigPipe = 13
	sigTerm = 15
	sigCont = 18
	sigStop = 19
	sigTstp = 20
)

// step charges n units of work. Now and then it lets other processes run and
// looks whether the attacker is still there or typed Ctrl-C.
func (k *kernel) step(n int) {
	k.steps += int64(n)
	if k.steps > k.bud.Steps {
		panic(death{128 + sigKill, ofLine, nil})
	}
	if k.tick += n; k.tick >= 512 {
		k.tick = 0
		k.turn()
	}
}

// charge accounts for n bytes that stay alive until they are given back with a
// negative n. It reports false when the budget does not allow them.
func (k *kernel) charge(n int) bool {
	if n > 0 && (k.mem+int64(n) > k.bud.Bytes || !k.sh.opt.Pool.Take(int64(n), k.mem)) {
		return false
	}
	k.sh.opt.Pool.Give(-int64(n))
	k.mem += int64(n)
	return true
}
