package shell

import "strings"

// restrict begins what a restricted shell forbids; its start files are read
// before that.
func (e *env) restrict() {
	e.shopts |= shRestricted
	for _, n := range []string{"PATH", "SHELL", "ENV", "BASH_ENV", "HISTFILE"} {
		v := variable{attr: unset}
		if old := e.vars[n]; old != nil {
			v = *old
		}
		v.attr |= readOnly
		e.own()
		e.vars[n] = &v
	}
}

// forbidden tells of a command a restricted shell does not run.
func (e *env) forbidden(args []string) bool {
	if !e.restricted {
		return false
	}
	switch name := args[0]; {
	case name == "cd" && e.builtin(name) != nil:
		e.errorf("cd: restricted")
	case name == "exec" && len(args) > 1:
		e.errorf("exec: restricted")
	case (name == "." || name == "source") && len(args) > 1 && strings.Contains(args[1], "/"):
		e.errorf("%s: %s: restricted", name, args[1])
	case strings.Contains(name, "/"):
		e.errorf("%s: restricted: cannot specify `/' in command names", name)
	default:
		return false
	}
	return true
}
