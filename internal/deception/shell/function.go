package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// define remembers a function.
func (e *env) define(c *syntax.FuncDecl) int {
	if c.Name == nil || c.Body == nil {
		return 1 // only the parser takes this for a function
	}
	src := "main"
	switch {
	case e.unit.src.kind == fromFile:
		src = e.unit.src.name
	case e.command:
		src = "environment"
	}
	e.ownFuncs()
	size := len(c.Name.Value) + 64
	if !e.unit.kept {
		e.unit.kept = true
		size += e.unit.size()
	}
	if old := e.funcs[c.Name.Value]; old != nil {
		size -= old.size
	}
	if err := e.account(size); err != nil {
		return 1
	}
	e.funcs[c.Name.Value] = &function{body: &stmtRef{c.Body, e.unit}, source: src, size: size}
	return 0
}

// exportedFuncs are the functions a bash that is started from here finds in its
// environment.
func (e *env) exportedFuncs() map[string]*function {
	if e.dialect != bash {
		return nil
	}
	var out map[string]*function
	for n, f := range e.funcs {
		if f.export {
			if out == nil {
				out = map[string]*function{}
			}
			g := *f
			g.source, g.size = "environment", 0
			out[n] = &g
		}
	}
	return out
}

// functionValue is a function as the environment holds it.
func (e *env) functionValue(name string) string {
	_, body, _ := strings.Cut(e.functionText(name), "\n")
	lines := strings.Split(strings.TrimSuffix(body, "\n"), "\n")
	for i := range lines {
		n := len(lines[i]) - len(strings.TrimLeft(lines[i], " "))
		lines[i] = strings.Repeat(" ", n/4) + lines[i][n:]
	}
	if len(lines) > 1 {
		lines[1] = lines[0] + lines[1]
		lines = lines[1:]
	}
	return "() " + strings.Join(lines, "\n")
}

// maxCalls is how deep functions may call one another: bash 5.2 with a stack of
// 8 MiB dies in the 8310th call. callSize is what one of them is charged with.
const (
	maxCalls = 8309
	callSize = 1800
)

// enterCall counts a call in. Processes that run beside the shell may be many
// and have stacks of their own: they get less, and what they start counts too.
func (e *env) enterCall() (leave func()) {
	k := e.k
	if k.cur == nil {
		if k.calls >= maxCalls || !k.charge(callSize) {
			panic(death{128 + sigSegv, ofProcess, nil}) // what bash does when its stack is full
		}
		k.calls++
		return func() {
			k.calls--
			k.charge(-callSize)
		}
	}
	if most := 4 * k.bud.Depth; len(e.frames) >= most || k.depth > most {
		panic(death{128 + sigSegv, ofProcess, nil})
	}
	k.depth++
	return func() { k.depth-- }
}

// frameSize is what a copy of one frame costs a subshell.
const frameSize = 112

// callFunction runs a function with its own parameters and local variables.
func (e *env) callFunction(name string, f *function, args []string) int {
	leave := e.enterCall()
	params, unit, loops, line := e.params, e.unit, e.loops, e.line
	e.params, e.unit, e.loops = args, f.body.unit, 0
	src := f.source
	if e.interactive {
		src = ""
	}
	e.frames = append(e.frames, frame{name: name, source: src, line: line, fn: true})
	depth := len(e.frames)
	show := e.hideTraps()
	defer func() {
		show()
		leave()
		if len(e.frames) >= depth {
			e.popFrame(depth - 1)
		}
		e.params, e.unit, e.loops, e.line = params, unit, loops, line
	}()
	if e.opts&optFuncTrace != 0 { // once more, as the function begins
		e.debugTrap()
	}
	e.status = 0
	e.stmt(f.body.stmt)
	if e.flow == returning {
		e.flow = goingOn
	}
	e.returnTrap()
	return e.status
}

// popFrame forgets local variables.
func (e *env) popFrame(i int) {
	f := &e.frames[i]
	if f.opts != nil {
		e.opts = *f.opts
	}
	for j := len(f.saved) - 1; j >= 0; j-- {
		s := f.saved[j]
		cur := e.vars[s.name]
		n := s.old.size() - cur.size()
		e.k.charge(n)
		e.held += n
		e.own()
		if s.old == nil {
			delete(e.vars, s.name)
		} else {
			e.vars[s.name] = s.old
		}
	}
	e.frames = e.frames[:i]
}

// localize hides a variable until the function returns.
func (e *env) localize(name string) bool {
	for i := len(e.frames) - 1; i >= 0; i-- {
		f := &e.frames[i]
		if !f.fn {
			continue
		}
		for _, s := range f.saved {
			if s.name == name {
				return true
			}
		}
		old := e.vars[name]
		f.saved = append(f.saved, savedVar{name, old})
		e.own()
		v := &variable{attr: unset}
		if old != nil {
			v.attr |= old.attr & exported
		}
		e.vars[name] = v
		return true
	}
	return false
}
