package shell

import (
	"bytes"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// subshell runs statements in a child process.
func (e *env) subshell(list []*syntax.Stmt) int {
	if e.wantsJob() {
		return e.asJob(func(c *env) int { return c.stmts(list) })
	}
	if !e.mayFork() {
		return 254
	}
	c := e.fork()
	status := c.isolate(func() int { return c.stmts(list) })
	e.tellKilled(c.killed, c.pid)
	return status
}

// mayFork reports whether another process can be started, and complains if not.
func (e *env) mayFork() bool {
	e.k.step(20)
	if !e.k.full() {
		return true
	}
	e.errorfBare("fork: retry: Resource temporarily unavailable")
	return false
}

// capture runs body in a child whose output is returned without the newlines at
// its end.
func (e *env) capture(body func(*env) int) (string, error) {
	if !e.mayFork() {
		return "", &abort{status: 254, said: true}
	}
	c := e.fork()
	c.substLevel++
	c.opts &^= optErrExit
	cf := &captureFile{k: e.k}
	c.fds.set(1, &ofile{refs: 1, file: cf})
	status := c.isolate(func() int { return body(c) })
	e.status = status
	e.ranSubst = true
	text := bytes.TrimRight(cf.buf, "\n")
	held := len(text) + perWord
	fits := e.k.charge(held) // while the bytes are still there as well
	e.k.charge(-cap(cf.buf))
	if !fits {
		return "", e.noMemory()
	}
	e.scratch += held
	out := string(text)
	if strings.IndexByte(out, 0) >= 0 {
		if e.dialect == bash {
			e.errorf("warning: command substitution: ignored null byte in input")
		}
		out = strings.ReplaceAll(out, "\x00", "")
	}
	return out, nil
}

// substitute is $( ).
func (e *env) substitute(p *syntax.CmdSubst) (string, error) {
	if len(p.Stmts) == 0 {
		e.status = 0
		return "", nil
	}
	if path, ok := catFile(p); ok { // $(< file)
		return e.capture(func(c *env) int { return c.copyFile(path) })
	}
	return e.capture(func(c *env) int { return c.stmts(p.Stmts) })
}

// catFile recognises $(< file).
func catFile(p *syntax.CmdSubst) (*syntax.Redirect, bool) {
	if len(p.Stmts) != 1 {
		return nil, false
	}
	s := p.Stmts[0]
	if s.Cmd != nil || len(s.Redirs) != 1 || s.Redirs[0].Op != syntax.RdrIn || s.Redirs[0].N != nil {
		return nil, false
	}
	return s.Redirs[0], true
}

func (e *env) copyFile(r *syntax.Redirect) int {
	undo, err := e.redirect([]*syntax.Redirect{r})
	defer undo()
	if err != nil {
		return e.redirFailed(err)
	}
	var buf [4096]byte
	for {
		n, err := e.fds.get(0).Read(buf[:])
		e.out(string(buf[:n]))
		if err != nil {
			return 0
		}
	}
}
