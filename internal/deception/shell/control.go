package shell

import (
	"strconv"
	"strings"
)

func execBuiltin(e *env, args []string) int {
	rest := args[1:]
	argv0, clear, dashed := "", false, false
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 && e.dialect == bash {
		switch {
		case rest[0] == "--":
			rest = rest[1:]
		case rest[0] == "-a" && len(rest) > 1:
			argv0, rest = rest[1], rest[2:]
			continue
		case strings.Trim(rest[0], "cl") == "-":
			clear = clear || strings.Contains(rest[0], "c")
			dashed = dashed || strings.Contains(rest[0], "l")
			rest = rest[1:]
			continue
		default:
			return e.badOption("exec", rest[0][:2])
		}
		break
	}
	if len(rest) == 0 {
		return 0
	}
	name := rest[0]
	path, ok := name, true
	if strings.IndexByte(name, '/') < 0 {
		if path, ok = e.find(name); !ok {
			e.errorf("exec: %s: not found", name)
			return e.execFailed(127)
		}
	}
	if i, err := e.stat(path); err != nil {
		e.errorf("%s: %s", name, errText(err))
		return e.execFailed(127)
	} else if i.IsDir() || i.Mode&0o111 == 0 {
		what := "Permission denied"
		if i.IsDir() && e.dialect == bash {
			what = "Is a directory"
		}
		e.errorf("%s: %s", name, what)
		if e.dialect == bash {
			e.errorf("exec: %s: cannot execute: %s", name, what)
		}
		return e.execFailed(126)
	}
	argv := append([]string(nil), rest...)
	if argv0 != "" {
		argv[0] = argv0
	}
	if dashed {
		argv[0] = "-" + argv[0]
	}
	if clear {
		e.setEnviron(nil)
		e.bare = true
	}
	delete(e.traps, "EXIT")
	if e.k.table != nil { // the program takes this process's place
		e.inPlace = true
	}
	if v := e.vars["SHLVL"]; v != nil && v.attr&exported != 0 && e.dialect == bash {
		e.own()
		e.vars["SHLVL"] = &variable{val: previousLevel(v.val), attr: exported}
	}
	status := e.execPath(path, argv)
	e.status, e.flow = status, exiting
	return status
}

func (e *env) execFailed(status int) int {
	if !e.interactive {
		e.status, e.flow = status, exiting
	}
	return status
}

func exitBuiltin(e *env, args []string) int {
	if e.interactive && e.level == 0 && e.exiting() {
		return 1
	}
	status := e.status
	if len(args) > 1 {
		n, ok := e.statusArg(args[0], args[1])
		if ok && len(args) > 2 {
			e.errorf("%s: too many arguments", args[0])
			e.flow = discarding
			return 1
		}
		status = n
	}
	if e.interactive && e.level == 0 && e.dialect == bash && !e.quietly {
		e.farewell()
	}
	e.status, e.flow = status, exiting
	return status
}

func logoutBuiltin(e *env, args []string) int {
	if !e.login {
		e.errorf("logout: not login shell: use `exit'")
		return 1
	}
	e.quietly = true // only exit says that it is one
	return exitBuiltin(e, args)
}

func returnBuiltin(e *env, args []string) int {
	if len(e.frames) == 0 && e.sourced == 0 {
		if e.dialect != bash { // dash ends the script
			return exitBuiltin(e, args)
		}
		if len(args) > 1 {
			if _, ok := e.statusArg("return", args[1]); !ok {
				return 2
			}
		}
		e.errorf("return: can only `return' from a function or sourced script")
		return 2
	}
	status := e.status
	if len(args) > 1 {
		status, _ = e.statusArg("return", args[1])
	}
	e.status, e.flow = status, returning
	return status
}

func breakBuiltin(e *env, args []string) int {
	if e.loops == 0 {
		if e.dialect == bash {
			e.errorf("%s: only meaningful in a `for', `while', or `until' loop", args[0])
		}
		return 0
	}
	n := 1
	if len(args) > 1 {
		v, err := strconv.Atoi(args[1])
		switch {
		case err != nil:
			e.errorf("%s: %s: numeric argument required", args[0], args[1])
			e.status, e.flow = 128, exiting
			return 128
		case v < 1:
			e.errorf("%s: %s: loop count out of range", args[0], args[1])
			e.flow, e.flowN = breaking, e.loops
			return 1
		}
		n = v
	}
	e.flowN = min(n, e.loops)
	e.flow = breaking
	if args[0] == "continue" {
		e.flow = continuing
	}
	return 0
}

func shiftBuiltin(e *env, args []string) int {
	n := 1
	if len(args) > 2 {
		e.errorf("shift: too many arguments")
		return 1
	}
	if len(args) > 1 {
		v, err := strconv.Atoi(args[1])
		switch {
		case err != nil:
			e.errorf("shift: %s: numeric argument required", args[1])
			return 1
		case v < 0:
			e.errorf("shift: %s: shift count out of range", args[1])
			return 1
		}
		n = v
	}
	if n > len(e.params) {
		if e.dialect == dash {
			e.errorf("shift: can't shift that many")
			e.status, e.flow = 2, exiting
			return 2
		}
		return 1
	}
	e.params = e.params[n:]
	return 0
}
