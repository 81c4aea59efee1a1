package shell

import (
	"slices"
	"strconv"
	"strings"

	"honeyguide/internal/deception/shell/pattern"
)

// keywords are the shell's reserved words.
var keywords = []string{
	"!", "[[", "]]", "case", "coproc", "do", "done", "elif", "else", "esac", "fi", "for", "function", "if", "in", "select", "then", "time",
	"until", "while", "{", "}",
}

func (e *env) keyword(name string) bool {
	if e.dialect != bash && slices.Contains([]string{"[[", "]]", "coproc", "function", "select", "time"}, name) {
		return false
	}
	return slices.Contains(keywords, name)
}

func (e *env) isBuiltin(name string) bool {
	if e.builtin(name) != nil {
		return true
	}
	_, ok := usages[name]
	return ok && e.dialect == bash && !e.off[name]
}

func typeBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "afptP", "")
	if st != 0 {
		return st
	}
	has := func(c byte) bool { _, ok := opts[c]; return ok }
	status := 0
	for _, n := range names {
		if !e.describe(n, has('a'), has('f'), has('t'), has('p'), has('P')) {
			status = 1
			switch {
			case e.dialect == bash && !has('t') && !has('p') && !has('P'):
				e.errorf("type: %s: not found", n)
			case e.dialect != bash:
				e.out(n + ": not found\n")
				status = 127
			}
		}
	}
	return status
}

// describe writes what a name means; false when it means nothing.
func (e *env) describe(n string, all, noFunc, kindOnly, pathOnly, forcePath bool) bool {
	found := false
	say := func(kind, long string) bool {
		switch {
		case kindOnly:
			e.out(kind + "\n")
		case !pathOnly && !forcePath:
			e.out(long + "\n")
		}
		found = true
		return !all
	}
	if !forcePath {
		if to, ok := e.alias[n]; ok && (e.shopts&shExpandAliases != 0 || e.dialect != bash) && say("alias", n+" is aliased to `"+to+"'") {
			return true
		}
		if e.keyword(n) && say("keyword", n+" is a shell keyword") {
			return true
		}
		if _, ok := e.funcs[n]; ok && !noFunc {
			long := n + " is a function\n" + strings.TrimSuffix(e.functionText(n), "\n")
			if e.dialect != bash {
				long = n + " is a shell function"
			}
			if say("function", long) {
				return true
			}
		}
		long := n + " is a shell builtin"
		if e.dialect == dash && strings.Contains(" . : break continue eval exec exit export readonly return set shift times trap unset ", " "+n+" ") {
			long = n + " is a special shell builtin"
		}
		if e.isBuiltin(n) && say("builtin", long) {
			return true
		}
	}
	return e.describePath(n, all, kindOnly, pathOnly || forcePath, found)
}

func (e *env) describePath(n string, all, kindOnly, pathOnly, found bool) bool {
	var paths []string
	if strings.IndexByte(n, '/') >= 0 {
		if i, err := e.stat(n); err == nil && !i.IsDir() && i.Mode&0o111 != 0 {
			paths = []string{n}
		}
	} else if all {
		paths = e.findAll(n)
	} else if h := e.paths[n]; h != nil && !kindOnly && !pathOnly {
		e.out(n + " is hashed (" + h.path + ")\n")
		return true
	} else if p, ok := e.find(n); ok {
		paths = []string{p}
	}
	for _, p := range paths {
		switch {
		case kindOnly:
			e.out("file\n")
		case pathOnly:
			e.out(p + "\n")
		default:
			e.out(n + " is " + p + "\n")
		}
	}
	return found || len(paths) > 0
}

func (e *env) findAll(n string) []string {
	var out []string
	path, _ := e.get("PATH")
	for dir := range strings.SplitSeq(path, ":") {
		if i, err := e.stat(dir + "/" + n); err == nil && !i.IsDir() && i.Mode&0o111 != 0 {
			out = append(out, dir+"/"+n)
		}
	}
	return out
}

func commandBuiltin(e *env, args []string) int {
	rest := args[1:]
	short, long := false, false
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		if rest[0] == "--" {
			rest = rest[1:]
			break
		}
		for _, c := range rest[0][1:] {
			switch c {
			case 'v':
				short = true
			case 'V':
				long = true
			case 'p':
			default:
				return e.badOption("command", "-"+string(c))
			}
		}
		rest = rest[1:]
	}
	if len(rest) == 0 {
		return 0
	}
	if short || long {
		status := 1
		for _, n := range rest {
			if long && e.describe(n, false, false, false, false, false) || !long && e.shortType(n) {
				status = 0
			} else if long {
				e.errorf("command: %s: not found", n)
			}
		}
		if status == 1 && e.dialect == dash {
			status = 127
		}
		return status
	}
	if b := e.builtin(rest[0]); b != nil {
		return b(e, rest)
	}
	return e.external(rest)
}

// shortType is command -v.
func (e *env) shortType(n string) bool {
	if to, ok := e.alias[n]; ok && (e.shopts&shExpandAliases != 0 || e.dialect != bash) {
		e.out("alias " + n + "=" + singleQuote(to) + "\n")
		return true
	}
	if _, ok := e.funcs[n]; ok || e.keyword(n) || e.isBuiltin(n) {
		e.out(n + "\n")
		return true
	}
	if strings.IndexByte(n, '/') >= 0 {
		i, err := e.stat(n)
		if err == nil && !i.IsDir() && i.Mode&0o111 != 0 {
			e.out(n + "\n")
			return true
		}
		return false
	}
	p, ok := e.find(n)
	if ok {
		e.out(p + "\n")
	}
	return ok
}

func builtinBuiltin(e *env, args []string) int {
	if len(args) > 1 && args[1] == "--" {
		args = args[1:]
	}
	if len(args) < 2 {
		return 0
	}
	if len(args[1]) > 1 && args[1][0] == '-' {
		return e.badOption("builtin", args[1][:2])
	}
	b := lookupBuiltin(args[1])
	if b == nil || e.off[args[1]] {
		e.errorf("builtin: %s: not a shell builtin", args[1])
		return 1
	}
	return b(e, args[1:])
}

// topics are the subjects of help that are no builtins.
var topics = map[string]string{
	"[[": "[[ ... ]]: [[ expression ]]", "{": "{ ... }: { COMMANDS ; }", "((": "(( ... )): (( expression ))",
	"if":       "if: if COMMANDS; then COMMANDS; [ elif COMMANDS; then COMMANDS; ]... [ else COMMANDS; ] fi",
	"case":     "case: case WORD in [PATTERN [| PATTERN]...) COMMANDS ;;]... esac",
	"for":      "for: for NAME [in WORDS ... ] ; do COMMANDS; done",
	"while":    "while: while COMMANDS; do COMMANDS-2; done",
	"until":    "until: until COMMANDS; do COMMANDS-2; done",
	"function": "function: function name { COMMANDS ; } or name () { COMMANDS ; }",
	"select":   "select: select NAME [in WORDS ... ;] do COMMANDS; done",
	"time":     "time: time [-p] pipeline", "coproc": "coproc: coproc [NAME] command [redirections]",
}

func helpBuiltin(e *env, args []string) int {
	if e.dialect == ash {
		e.out("Built-in commands:\n------------------\n\t. : [ [[ alias bg break cd chdir command continue echo eval exec\n" +
			"\texit export false fg getopts hash help history jobs kill let\n\tlocal printf pwd read readonly return set shift source test times\n" +
			"\ttrap true type ulimit umask unalias unset wait\n\n")
		return 0
	}
	opts, names, st := e.options(args, "dms", "")
	if st != 0 {
		return st
	}
	if len(names) == 0 {
		e.out("GNU bash, version 5.2.15(1)-release (x86_64-pc-linux-gnu)\n")
		for _, n := range builtinNames() {
			e.out(" " + strings.TrimRight(n+" "+usages[n], " ") + "\n")
		}
		return 0
	}
	_, short := opts['s']
	status := 0
	for _, n := range names {
		var hits []string
		for _, b := range builtinNames() {
			if b == n || pattern.Special(n) && pattern.Match(n, b, 0) {
				hits = append(hits, b+": "+strings.TrimRight(b+" "+usages[b], " "))
			}
		}
		if t, ok := topics[n]; ok {
			hits = append(hits, t)
		}
		if len(hits) == 0 {
			e.errorf("help: no help topics match `%s'.  Try `help help' or `man -k %s' or `info %s'.", n, n, n)
			status = 1
		}
		for _, h := range hits {
			e.out(h + "\n")
			if !short {
				e.k.sh.opt.Watch.Unsupported("help " + n)
			}
		}
	}
	return status
}

func callerBuiltin(e *env, args []string) int {
	if len(args) > 1 && len(args[1]) > 1 && args[1][0] == '-' && args[1] != "--" {
		return e.badOption("caller", args[1][:2])
	}
	n := len(e.frames)
	if n == 0 {
		return 1
	}
	f := e.frames[n-1]
	src := "main"
	if n > 1 {
		src = e.frames[n-2].source
	} else if e.command {
		src = "NULL"
	} else if e.script != "" {
		src = e.script
	}
	if len(args) > 1 {
		i, err := strconv.Atoi(args[1])
		switch {
		case err != nil:
			e.errorf("caller: %s: invalid number", args[1])
			return e.usage("caller")
		case i < 0 || i >= n || e.command && n-2-i < 0:
			return 1
		}
		f = e.frames[n-1-i]
		name := "main"
		if n-2-i >= 0 {
			name = e.frames[n-2-i].name
		}
		src = "main"
		if n-2-i >= 0 {
			src = e.frames[n-2-i].source
		} else if e.script != "" {
			src = e.script
		}
		e.out(strconv.Itoa(f.line) + " " + name + " " + src + "\n")
		return 0
	}
	e.out(strconv.Itoa(f.line) + " " + src + "\n")
	return 0
}
