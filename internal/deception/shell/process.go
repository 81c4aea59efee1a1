package shell

import (
	"honeyguide/internal/deception/machine"
)

// newPID registers a process with the pretended machine.
func (k *kernel) newPID(e *env, ppid int, exe string, args []string) int {
	if k.table == nil {
		if k.sh.pids == 0 {
			k.sh.pids = 2000 + int(k.sh.opt.Seed%20000)
		}
		k.sh.pids++
		return k.sh.pids
	}
	p := machine.Process{PPID: ppid, UID: e.cred.UID, GID: e.cred.GID, User: e.user, Exe: exe, Args: args, Cwd: e.cwd, VSZ: 7200, RSS: 3900, State: "S"}
	if k.sh.opt.TTY {
		p.TTY = e.ttyName()
	}
	if e.pid == 0 { // the login's first process leads its session
		p.State = "Ss"
	}
	return k.table.Spawn(p)
}

// fork returns a copy of e as a child process has it.
func (e *env) fork() *env {
	c := *e
	c.parent, c.parentPID, c.task, c.inCommand, c.pending, c.killed, c.coprocs = e, e.pid, e.k.cur, false, nil, 0, nil
	e.shared, e.fshare = true, true
	c.shared, c.fshare = true, true
	e.mine = new(mark)
	c.mine = new(mark)
	c.fds = e.fds.clone()
	c.level++
	c.flow, c.loops, c.scratch, c.held = goingOn, 0, 0, 0
	c.substs, c.paramSize = nil, 0
	if c.jobs != nil {
		c.oldJobs = c.jobs
	}
	c.jobs, c.jobControl = nil, false
	c.ended, c.inPlace, c.oneshot = false, false, nil
	if len(e.traps) > 0 { // signals a shell ignores stay ignored, others are reset
		c.traps = map[string]string{}
		for n, t := range e.traps {
			if t == "" || n == "ERR" && e.opts&optErrTrace != 0 || (n == "DEBUG" || n == "RETURN") && e.opts&optFuncTrace != 0 {
				c.traps[n] = t
			} else if n != "EXIT" {
				c.oldTraps = append(c.oldTraps[:len(c.oldTraps):len(c.oldTraps)], [2]string{n, t})
			}
		}
	}
	c.frames = append([]frame(nil), e.frames...)
	c.pid = e.k.newPID(e, e.pid, "/usr/bin/bash", []string{e.name})
	e.k.lives(&c)
	return &c
}

// release ends a process: its files are closed, its memory is given back.
func (e *env) release() {
	if e.ended {
		return
	}
	e.ended = true
	e.k.gone(e)
	e.fds.close()
	e.k.charge(-e.held - e.scratch)
	e.held, e.scratch = 0, 0
	if e.k.table != nil {
		e.k.table.Exit(e.pid)
	}
}

// isolate runs body as the child process c, on the caller's coroutine, and
// returns its status: what kills the child does not reach its parent.
func (c *env) isolate(body func() int) (status int) {
	k := c.k
	defer c.release()
	if k.depth++; k.depth > k.bud.Depth {
		k.depth--
		c.errorf("fork: retry: Resource temporarily unavailable")
		return 254
	}
	depth := k.depth
	above := k.enter(c)
	defer func() {
		k.depth = depth - 1
		r := recover()
		if r == nil {
			k.leave(above)
			return
		}
		d, ok := r.(death)
		mine := ok && d.scope == ofProcess && (d.who == nil || d.who == c)
		if mine {
			c.lastWords(d)
		}
		k.leave(above)
		if !mine {
			panic(r)
		}
		status, c.killed = d.status, d.signal()
		if p := c.parent; c.killed != 0 && p != nil && p.pid == c.pid { // one process, seen twice
			panic(killed(p, c.killed))
		}
	}()
	status = body()
	return c.finish(status)
}

// lastWords runs the exit trap of a shell that dies of a signal it could see.
func (e *env) lastWords(d death) {
	switch d.signal() {
	case sigHup, sigInt, sigTerm, sigQuit, 14:
	default:
		return
	}
	if e.traps["EXIT"] == "" {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			if _, ok := r.(death); !ok {
				panic(r)
			}
		}
	}()
	e.flow, e.status = goingOn, d.status
	e.finish(d.status)
}

// finish runs the exit trap and returns the final status.
func (e *env) finish(status int) int {
	if e.flow == exiting {
		status = e.status
	}
	if t, ok := e.traps["EXIT"]; ok && t != "" {
		delete(e.traps, "EXIT")
		e.flow, e.status = goingOn, status
		e.runTrap(t)
		if e.flow == exiting {
			status = e.status
		}
	}
	return status
}

// runMain runs the session's own shell.
func (e *env) runMain(body func() int) (status int) {
	defer e.release()
	defer func() {
		if r := recover(); r != nil {
			d, ok := r.(death)
			if !ok || d.scope == ofSession {
				panic(r)
			}
			e.lastWords(d)
			status = d.status
			e.k.sh.died = d.fatal()
		}
	}()
	status = body()
	return e.finish(status)
}
