package shell

import (
	"strings"

	"honeyguide/internal/deception/vfs"
)

// A builtinFunc is a command of the shell itself.
type builtinFunc func(e *env, args []string) int

// builtin finds a command the dialect has built in and that is not switched off.
func (e *env) builtin(name string) builtinFunc {
	if e.off[name] {
		return nil
	}
	if e.dialect != bash && !posixBuiltin(name) && !(e.dialect == ash && (name == "help" || name == "source" || name == "let" || name == "history")) {
		return nil
	}
	return lookupBuiltin(name)
}

func posixBuiltin(name string) bool {
	switch name {
	case ".", ":", "[", "alias", "bg", "break", "cd", "chdir", "command", "continue", "echo", "eval", "exec", "exit", "export", "false",
		"fg", "getopts", "hash", "jobs", "kill", "local", "printf", "pwd", "read", "readonly", "return", "set", "shift", "test", "times",
		"trap", "true", "type", "ulimit", "umask", "unalias", "unset", "wait":
		return true
	}
	return false
}

// lookupBuiltin is a chain of switches, not a map, because builtins call others.
func lookupBuiltin(name string) builtinFunc {
	switch name {
	case ":", "true":
		return func(*env, []string) int { return 0 }
	case "false":
		return func(*env, []string) int { return 1 }
	case "echo":
		return echoBuiltin
	case "printf":
		return printfBuiltin
	case "test", "[":
		return testBuiltin
	case "read":
		return readBuiltin
	case "mapfile", "readarray":
		return mapfileBuiltin
	case "eval":
		return evalBuiltin
	case "exec":
		return execBuiltin
	case "exit":
		return exitBuiltin
	case "logout":
		return logoutBuiltin
	case "return":
		return returnBuiltin
	case "break", "continue":
		return breakBuiltin
	case "shift":
		return shiftBuiltin
	case ".", "source":
		return sourceBuiltin
	}
	if b := lookupStateBuiltin(name); b != nil {
		return b
	}
	return lookupProcessBuiltin(name)
}

// lookupStateBuiltin finds the builtins about variables, folders and options.
func lookupStateBuiltin(name string) builtinFunc {
	switch name {
	case "export", "readonly", "declare", "typeset", "local":
		return declareBuiltin
	case "unset":
		return unsetBuiltin
	case "set":
		return setBuiltin
	case "shopt":
		return shoptBuiltin
	case "let":
		return letBuiltin
	case "getopts":
		return getoptsBuiltin
	case "cd", "chdir":
		return cdBuiltin
	case "pwd":
		return pwdBuiltin
	case "dirs":
		return dirsBuiltin
	case "pushd":
		return pushdBuiltin
	case "popd":
		return popdBuiltin
	case "umask":
		return umaskBuiltin
	case "ulimit":
		return ulimitBuiltin
	}
	return nil
}

// lookupProcessBuiltin finds the builtins about commands, jobs and history.
func lookupProcessBuiltin(name string) builtinFunc {
	switch name {
	case "type":
		return typeBuiltin
	case "command":
		return commandBuiltin
	case "builtin":
		return builtinBuiltin
	case "hash":
		return hashBuiltin
	case "alias":
		return aliasBuiltin
	case "unalias":
		return unaliasBuiltin
	case "enable":
		return enableBuiltin
	case "help":
		return helpBuiltin
	case "history":
		return historyBuiltin
	case "fc":
		return fcBuiltin
	case "jobs":
		return jobsBuiltin
	case "fg", "bg":
		return fgBuiltin
	case "wait":
		return waitBuiltin
	case "kill":
		return killBuiltin
	case "disown":
		return disownBuiltin
	case "suspend":
		return suspendBuiltin
	case "trap":
		return trapBuiltin
	case "times":
		return timesBuiltin
	case "caller":
		return callerBuiltin
	case "complete":
		return completeBuiltin
	case "compopt":
		return compoptBuiltin
	case "bind":
		return bindBuiltin
	case "compgen":
		return compgenBuiltin
	}
	return nil
}

func evalBuiltin(e *env, args []string) int {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	} else if len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && e.dialect == bash {
		return e.badOption("eval", rest[0][:2])
	}
	if len(rest) == 0 {
		return 0
	}
	if e.k.depth++; e.k.depth > e.k.bud.Depth*2 {
		panic(death{139, ofProcess, nil})
	}
	defer func() { e.k.depth-- }()
	return e.runText(&source{text: strings.Join(rest, " "), kind: fromEval}, e.line-1)
}

func sourceBuiltin(e *env, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = append(args[:1:1], args[2:]...)
	}
	if len(args) < 2 {
		if e.dialect == dash {
			return 0
		}
		e.errorf("%s: filename argument required", args[0])
		e.warn(args[0] + ": usage: " + args[0] + " filename [arguments]\n")
		return 2
	}
	path := args[1]
	if strings.IndexByte(path, '/') < 0 {
		if p, ok := e.findSource(path); ok {
			path = p
		}
	}
	i, err := e.stat(path)
	if o, ok := e.device(e.abs(path)); ok && o != nil {
		i, err = vfs.Info{}, nil // a descriptor of this process
	}
	switch {
	case err != nil && e.dialect == dash:
		e.errorf(".: cannot open %s: No such file", args[1])
		e.status, e.flow = 2, exiting
		return 2
	case err != nil:
		e.errorf("%s: %s", args[1], errText(err))
		return 1
	case i.IsDir():
		e.errorf("%s: %s: is a directory", args[0], args[1])
		return 1
	}
	text, err := e.readScript(path)
	if err != nil {
		e.errorf("%s: %s", args[1], errText(err))
		return 1
	}
	if e.dialect == bash && isBinary([]byte(text[:min(len(text), 256)])) {
		e.errorf("%s: %s: cannot execute binary file", args[0], args[1])
		return 126
	}
	return e.interpreted(path, func() int { return e.sourceText(path, text, args[2:]) })
}

// sourceText runs a file's text in this shell.
func (e *env) sourceText(path, text string, args []string) int {
	if e.k.depth++; e.k.depth > e.k.bud.Depth*2 {
		panic(death{139, ofProcess, nil})
	}
	params, line := e.params, e.line
	if len(args) > 0 {
		e.params = args
	}
	e.sourced++
	e.frames = append(e.frames, frame{name: "source", source: path, line: line})
	depth := len(e.frames)
	defer func() {
		e.k.depth--
		e.sourced--
		e.frames = e.frames[:depth-1]
		e.line = line
		if len(args) > 0 {
			e.params = params
		}
	}()
	e.status = 0
	status := e.runText(&source{name: path, text: text, kind: fromFile}, 0)
	if e.flow == returning {
		e.flow = goingOn
		status = e.status
	}
	e.status = status
	e.returnTrap()
	return status
}

// findSource looks a file up in PATH without asking for permission to run it.
func (e *env) findSource(name string) (string, bool) {
	path, _ := e.get("PATH")
	for dir := range strings.SplitSeq(path, ":") {
		if i, err := e.stat(dir + "/" + name); err == nil && !i.IsDir() {
			return dir + "/" + name, true
		}
	}
	return "", false
}

func letBuiltin(e *env, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		e.errorf("let: expression expected")
		return 1
	}
	var n int64
	for _, a := range args[1:] {
		v, ok := e.arithText(a, "let")
		if !ok {
			if e.flow == discarding {
				e.flow = goingOn
			}
			return 1
		}
		n = v
	}
	return b2i(n == 0)
}
