package shell

import (
	"slices"
	"sort"
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
		if !e.describe(n, has('a'), has('f'), has('t'), has('p'), has('P'), false) {
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
func (e *env) describe(n string, all, noFunc, kindOnly, pathOnly, forcePath, _ bool) bool {
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
			if long && e.describe(n, false, false, false, false, false, true) || !long && e.shortType(n) {
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
	b := lookupBuiltin(args[1])
	if b == nil || e.off[args[1]] {
		e.errorf("builtin: %s: not a shell builtin", args[1])
		return 1
	}
	return b(e, args[1:])
}

func hashBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "lrdtp", "p")
	if st != 0 {
		return st
	}
	if _, ok := opts['r']; ok {
		e.paths = nil
		if len(names) == 0 {
			return 0
		}
	}
	if p, ok := opts['p']; ok {
		for _, n := range names {
			e.remember(n, p)
		}
		return 0
	}
	if len(names) == 0 {
		return e.listHash()
	}
	status := 0
	for _, n := range names {
		if _, forget := opts['d']; forget {
			delete(e.paths, n)
			continue
		}
		if strings.IndexByte(n, '/') >= 0 || e.builtin(n) != nil {
			continue
		}
		p, ok := e.find(n)
		if !ok {
			e.errorf("hash: %s: not found", n)
			status = 1
			continue
		}
		if _, show := opts['t']; show {
			e.out(p + "\n")
			continue
		}
		e.remember(n, p)
		e.paths[n].hits = 0
	}
	return status
}

func (e *env) listHash() int {
	if len(e.paths) == 0 {
		if e.dialect == bash {
			e.out("hash: hash table empty\n")
		}
		return 0
	}
	names := make([]string, 0, len(e.paths))
	for n := range e.paths {
		names = append(names, n)
	}
	sort.Strings(names)
	if e.dialect == bash {
		e.out("hits\tcommand\n")
	}
	for _, n := range names {
		h := e.paths[n]
		if e.dialect == bash {
			e.out(pad(strconv.Itoa(h.hits), 4) + "\t" + h.path + "\n")
		} else {
			e.out(h.path + "\n")
		}
	}
	return 0
}

func aliasBuiltin(e *env, args []string) int {
	rest := args[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "-") && e.dialect == bash {
		if rest[0] != "-p" && rest[0] != "--" {
			return e.badOption("alias", rest[0][:min(2, len(rest[0]))])
		}
		rest = rest[1:]
	}
	show := func(n string) {
		if e.dialect == dash {
			e.out(n + "=" + singleQuote(e.alias[n]) + "\n")
			return
		}
		e.out("alias " + n + "=" + singleQuote(e.alias[n]) + "\n")
	}
	if len(rest) == 0 {
		names := make([]string, 0, len(e.alias))
		for n := range e.alias {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			show(n)
		}
		return 0
	}
	status := 0
	for _, a := range rest {
		n, v, ok := strings.Cut(a, "=")
		if !ok || n == "" {
			if _, known := e.alias[a]; known {
				show(a)
				continue
			}
			e.errorf("alias: %s: not found", a)
			status = 1
			continue
		}
		if len(e.alias) < 500 {
			fresh := make(map[string]string, len(e.alias)+1)
			for k, old := range e.alias {
				fresh[k] = old
			}
			fresh[n] = v
			e.alias = fresh
			if err := e.account(len(v)); err != nil {
				return 1
			}
		}
	}
	return status
}

func unaliasBuiltin(e *env, args []string) int {
	if len(args) < 2 {
		return e.usage("unalias")
	}
	if args[1] == "-a" {
		e.alias = nil
		return 0
	}
	status := 0
	for _, n := range args[1:] {
		if _, ok := e.alias[n]; !ok {
			e.errorf("unalias: %s: not found", n)
			status = 1
			continue
		}
		fresh := make(map[string]string, len(e.alias))
		for k, v := range e.alias {
			if k != n {
				fresh[k] = v
			}
		}
		e.alias = fresh
	}
	return status
}

func enableBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "adnpsf", "f")
	if st != 0 {
		return st
	}
	_, all := opts['a']
	_, off := opts['n']
	if len(names) == 0 {
		for _, n := range builtinNames() {
			switch {
			case e.off[n] && (all || off):
				e.out("enable -n " + n + "\n")
			case !e.off[n] && !off:
				e.out("enable " + n + "\n")
			}
		}
		return 0
	}
	status := 0
	for _, n := range names {
		if _, ok := usages[n]; !ok {
			e.errorf("enable: %s: not a shell builtin", n)
			status = 1
			continue
		}
		fresh := map[string]bool{}
		for k, v := range e.off {
			fresh[k] = v
		}
		fresh[n] = off
		e.off = fresh
	}
	return status
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
		e.out("Built-in commands:\n------------------\n\t. : [ alias bg break cd chdir command continue echo eval exec exit\n" +
			"\texport false fg getopts hash help history jobs kill let local\n\tprintf pwd read readonly return set shift source test times trap\n" +
			"\ttrue type ulimit umask unalias unset wait\n\n")
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
	}
	if len(args) > 1 {
		i, err := strconv.Atoi(args[1])
		if err != nil || i >= n {
			return 1
		}
		f = e.frames[n-1-i]
		name := "main"
		if n-2-i >= 0 {
			name = e.frames[n-2-i].name
		}
		e.out(strconv.Itoa(f.line) + " " + name + " " + src + "\n")
		return 0
	}
	e.out(strconv.Itoa(f.line) + " " + src + "\n")
	return 0
}

// compgenBuiltin knows the lists attackers ask for: -c, -b, -a, -k, -v, -u, -A
// function, -W.
func compgenBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "abcdefgjksuvoAGWFCXPS", "oAGWFCXPS")
	if st != 0 {
		return st
	}
	prefix := ""
	if len(rest) > 0 {
		prefix = rest[0]
	}
	var list []string
	if _, ok := opts['b']; ok {
		list = append(list, builtinNames()...)
	}
	if _, ok := opts['k']; ok {
		list = append(list, keywords...)
	}
	if _, ok := opts['v']; ok {
		list = append(list, e.sortedNames()...)
	}
	if _, ok := opts['a']; ok {
		for n := range e.alias {
			list = append(list, n)
		}
		sort.Strings(list)
	}
	if _, ok := opts['u']; ok {
		e.passwd(func(f []string) bool { list = append(list, f[0]); return false })
	}
	if _, ok := opts['c']; ok {
		list = append(list, e.commandNames(prefix)...)
	}
	if w, ok := opts['W']; ok {
		list = append(list, strings.Fields(w)...)
	}
	if opts['A'] == "function" {
		list = append(list, e.functionNames()...)
	}
	status := 1
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			e.out(s + "\n")
			status = 0
		}
	}
	return status
}

// commandNames lists all that a command's name can be, for completion.
func (e *env) commandNames(prefix string) []string {
	seen := map[string]bool{}
	var out []string
	add := func(n string) {
		if strings.HasPrefix(n, prefix) && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for n := range e.alias {
		add(n)
	}
	for _, n := range keywords {
		add(n)
	}
	for n := range e.funcs {
		add(n)
	}
	for n := range usages {
		add(n)
	}
	path, _ := e.get("PATH")
	for dir := range strings.SplitSeq(path, ":") {
		if e.fs == nil || dir == "" {
			continue
		}
		list, err := e.fs.ReadDir(e.cred, e.abs(dir))
		if err != nil {
			continue
		}
		e.k.step(1 + len(list)/8)
		for _, i := range list {
			if strings.HasPrefix(i.Name, prefix) && !i.IsDir() {
				add(i.Name)
			}
		}
	}
	slices.Sort(out)
	return out
}
