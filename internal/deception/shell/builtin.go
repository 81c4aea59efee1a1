package shell

import (
	"sort"
	"strconv"
	"strings"
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
	case "complete", "compopt", "bind":
		return func(*env, []string) int { return 0 }
	case "compgen":
		return compgenBuiltin
	}
	return nil
}

// usages are the synopses of bash's builtins, which help and usage errors show.
var usages = map[string]string{
	":": "", ".": "filename [arguments]", "[": "arg... ]", "alias": "[-p] [name[=value] ... ]", "bg": "[job_spec ...]",
	"bind":  "[-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] [keyseq:readline-function or readline-command]",
	"break": "[n]", "builtin": "[shell-builtin [arg ...]]", "caller": "[expr]", "cd": "[-L|[-P [-e]] [-@]] [dir]",
	"command": "[-pVv] command [arg ...]", "continue": "[n]",
	"compgen":  "[-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]",
	"complete": "[-abcdefgjksuv] [-pr] [-DEI] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]",
	"compopt":  "[-o|+o option] [-DEI] [name ...]",
	"declare":  "[-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]",
	"dirs":     "[-clpv] [+N] [-N]", "disown": "[-h] [-ar] [jobspec ... | pid ...]", "echo": "[-neE] [arg ...]",
	"enable": "[-a] [-dnps] [-f filename] [name ...]", "eval": "[arg ...]",
	"exec": "[-cl] [-a name] [command [argument ...]] [redirection ...]", "exit": "[n]",
	"export": "[-fn] [name[=value] ...] or export -p", "false": "",
	"fc": "[-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]", "fg": "[job_spec]", "getopts": "optstring name [arg ...]",
	"hash": "[-lr] [-p pathname] [-dt] [name ...]", "help": "[-dms] [pattern ...]",
	"history": "[-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]",
	"jobs":    "[-lnprs] [jobspec ...] or jobs -x command [args]",
	"kill":    "[-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]",
	"let":     "arg [arg ...]", "local": "[option] name[=value] ...", "logout": "[n]",
	"mapfile": "[-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]",
	"popd":    "[-n] [+N | -N]", "printf": "[-v var] format [arguments]", "pushd": "[-n] [+N | -N | dir]", "pwd": "[-LP]",
	"read":      "[-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]",
	"readarray": "[-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]",
	"readonly":  "[-aAf] [name[=value] ...] or readonly -p", "return": "[n]",
	"set": "[-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]", "shift": "[n]", "shopt": "[-pqsu] [-o] [optname ...]",
	"source": "filename [arguments]", "suspend": "[-f]", "test": "[expr]", "times": "", "trap": "[-lp] [[arg] signal_spec ...]",
	"true": "", "type": "[-afptP] name [name ...]",
	"typeset": "[-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]",
	"ulimit":  "[-SHabcdefiklmnpqrstuvxPRT] [limit]", "umask": "[-p] [-S] [mode]", "unalias": "[-a] name [name ...]",
	"unset": "[-f] [-v] [-n] [name ...]", "wait": "[-fn] [-p var] [id ...]",
}

// builtinNames lists bash's builtins as enable does.
func builtinNames() []string {
	names := make([]string, 0, len(usages))
	for n := range usages {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// usage writes a usage error and returns its status.
func (e *env) usage(name string) int {
	e.warn(name + ": usage: " + strings.TrimRight(name+" "+usages[name], " ") + "\n")
	return 2
}

// badOption complains about an option the builtin does not know.
func (e *env) badOption(name, opt string) int {
	if e.dialect != bash {
		e.errorf("%s: Illegal option %s", name, opt)
		return 2
	}
	e.errorf("%s: %s: invalid option", name, opt)
	return e.usage(name)
}

// options splits a builtin's letters from its operands. takesArg are letters
// that have an argument. status is not 0 after an error.
func (e *env) options(args []string, letters, takesArg string) (opts map[byte]string, rest []string, status int) {
	opts = map[byte]string{}
	for i := 1; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return opts, args[i+1:], 0
		}
		if len(a) < 2 || a[0] != '-' {
			return opts, args[i:], 0
		}
		for j := 1; j < len(a); j++ {
			c := a[j]
			if strings.IndexByte(letters, c) < 0 {
				return opts, nil, e.badOption(args[0], "-"+string(c))
			}
			if strings.IndexByte(takesArg, c) < 0 {
				opts[c] = ""
				continue
			}
			switch {
			case j+1 < len(a):
				opts[c] = a[j+1:]
			case i+1 < len(args):
				i++
				opts[c] = args[i]
			default:
				e.errorf("%s: -%c: option requires an argument", args[0], c)
				return opts, nil, e.usage(args[0])
			}
			break
		}
	}
	return opts, nil, 0
}

func evalBuiltin(e *env, args []string) int {
	rest := args[1:]
	if len(rest) > 0 && rest[0] == "--" {
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return 0
	}
	if e.k.depth++; e.k.depth > e.k.bud.Depth*2 {
		panic(death{139, ofProcess})
	}
	defer func() { e.k.depth-- }()
	return e.runText(&source{text: strings.Join(rest, " "), kind: fromEval}, e.line-1)
}

func execBuiltin(e *env, args []string) int {
	rest := args[1:]
	argv0 := ""
	for len(rest) > 0 && strings.HasPrefix(rest[0], "-") && len(rest[0]) > 1 && e.dialect == bash {
		switch {
		case rest[0] == "--":
			rest = rest[1:]
		case rest[0] == "-a" && len(rest) > 1:
			argv0, rest = rest[1], rest[2:]
			continue
		case rest[0] == "-c" || rest[0] == "-l" || rest[0] == "-cl":
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
	delete(e.traps, "EXIT")
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
	if e.interactive && e.level == 0 && e.dialect == bash {
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
	return exitBuiltin(e, args)
}

func returnBuiltin(e *env, args []string) int {
	if len(e.frames) == 0 && e.sourced == 0 {
		if e.dialect != bash { // dash ends the script
			return exitBuiltin(e, args)
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
	return e.sourceText(path, text, args[2:])
}

// sourceText runs a file's text in this shell.
func (e *env) sourceText(path, text string, args []string) int {
	if e.k.depth++; e.k.depth > e.k.bud.Depth*2 {
		panic(death{139, ofProcess})
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
			return 1
		}
		n = v
	}
	return b2i(n == 0)
}
