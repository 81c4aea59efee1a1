package shell

import (
	"maps"
	"slices"
	"sort"
	"strings"

	"honeyguide/internal/deception/shell/pattern"
)

// A compspec is what complete noted for a command.
type compspec struct {
	options []string // of -o
	actions []string // names as -A has them
	glob    string
	words   string
	prefix  string
	suffix  string
	filter  string
	command string
	fn      string
	has     map[byte]bool // which of the texts above were given
}

// compActions are the actions in the order complete -p shows them, with their
// letters.
var compActions = []struct {
	name   string
	letter byte
}{
	{"alias", 'a'},
	{"builtin", 'b'},
	{"command", 'c'},
	{"directory", 'd'},
	{"export", 'e'},
	{"file", 'f'},
	{"group", 'g'},
	{"job", 'j'},
	{"keyword", 'k'},
	{"service", 's'},
	{"user", 'u'},
	{"variable", 'v'},
	{"arrayvar", 0},
	{"binding", 0},
	{"disabled", 0},
	{"enabled", 0},
	{"function", 0},
	{"helptopic", 0},
	{"hostname", 0},
	{"running", 0},
	{"setopt", 0},
	{"shopt", 0},
	{"signal", 0},
	{"stopped", 0},
}

var compOptions = []string{"bashdefault", "default", "dirnames", "filenames", "noquote", "nosort", "nospace", "plusdirs"}

// A compargs is the command line of complete, compgen or compopt.
type compargs struct {
	spec            compspec
	print, remove   bool
	deflt, empty, i bool
	given           bool // something to complete with
	names           []string
}

// compArgs reads the options complete and compgen share; status is not 0 after
// an error.
func (e *env) compArgs(args []string) (c compargs, status int) {
	c.spec.has = map[byte]bool{}
	who := args[0]
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		w := rest[0]
		rest = rest[1:]
		if w == "--" {
			break
		}
		for j := 1; j < len(w); j++ {
			l := w[j]
			if i := slices.IndexFunc(compActions, func(a struct {
				name   string
				letter byte
			},
			) bool {
				return a.letter == l
			}); i >= 0 {
				c.spec.actions, c.given = append(c.spec.actions, compActions[i].name), true
				continue
			}
			if who == "complete" && strings.IndexByte("prDEI", l) >= 0 {
				c.print, c.remove = c.print || l == 'p', c.remove || l == 'r'
				c.deflt, c.empty, c.i = c.deflt || l == 'D', c.empty || l == 'E', c.i || l == 'I'
				continue
			}
			if strings.IndexByte("oAGWFCXPS", l) < 0 {
				return c, e.badOption(who, "-"+string(l))
			}
			arg := w[j+1:]
			if arg == "" {
				if len(rest) == 0 {
					e.errorf("%s: -%c: option requires an argument", who, l)
					return c, e.usage(who)
				}
				arg, rest = rest[0], rest[1:]
			}
			if !e.compArg(who, &c, l, arg) {
				return c, 2
			}
			break
		}
	}
	c.names = rest
	return c, 0
}

// compArg takes an option with its argument.
func (e *env) compArg(who string, c *compargs, l byte, arg string) bool {
	s := &c.spec
	c.given = true
	s.has[l] = true
	switch l {
	case 'A':
		if !slices.ContainsFunc(compActions, func(a struct {
			name   string
			letter byte
		},
		) bool {
			return a.name == arg
		}) {
			e.errorf("%s: %s: invalid action name", who, arg)
			return false
		}
		s.actions = append(s.actions, arg)
	case 'o':
		if !slices.Contains(compOptions, arg) {
			e.errorf("%s: %s: invalid option name", who, arg)
			return false
		}
		s.options = append(s.options, arg)
	case 'G':
		s.glob = arg
	case 'W':
		s.words = arg
	case 'F':
		s.fn = arg
	case 'C':
		s.command = arg
	case 'X':
		s.filter = arg
	case 'P':
		s.prefix = arg
	case 'S':
		s.suffix = arg
	}
	return true
}

// The names under which complete keeps the specs of -E, -D and -I.
const (
	compEmpty   = "\x00E"
	compDefault = "\x00D"
	compInitial = "\x00I"
)

// maxSpecs bounds what complete remembers.
const maxSpecs = 200

func completeBuiltin(e *env, args []string) int {
	c, st := e.compArgs(args)
	if st != 0 {
		return st
	}
	names := c.names
	for _, s := range []struct {
		on   bool
		name string
	}{{c.empty, compEmpty}, {c.deflt, compDefault}, {c.i, compInitial}} {
		if s.on {
			names = []string{s.name}
		}
	}
	switch {
	case c.remove:
		return e.forgetSpecs(names)
	case c.print || !c.given && len(names) == 0:
		return e.showSpecs(names)
	case len(names) == 0:
		return e.usage("complete")
	}
	fresh := maps.Clone(e.specs)
	if fresh == nil {
		fresh = map[string]*compspec{}
	}
	for _, n := range names {
		if len(fresh) < maxSpecs {
			fresh[n] = &c.spec
		}
	}
	e.specs = fresh
	return 0
}

func (e *env) forgetSpecs(names []string) int {
	if len(names) == 0 {
		e.specs = nil
		return 0
	}
	fresh, status := maps.Clone(e.specs), 0
	for _, n := range names {
		if _, ok := fresh[n]; !ok {
			e.errorf("complete: %s: no completion specification", n)
			status = 1
		}
		delete(fresh, n)
	}
	e.specs = fresh
	return status
}

func (e *env) showSpecs(names []string) int {
	if len(names) == 0 {
		names = slices.Sorted(maps.Keys(e.specs))
	}
	status := 0
	for _, n := range names {
		s := e.specs[n]
		if s == nil {
			e.errorf("complete: %s: no completion specification", n)
			status = 1
			continue
		}
		e.out(s.line(n) + "\n")
	}
	return status
}

// line is a spec as complete -p writes it.
func (s *compspec) line(name string) string {
	var b strings.Builder
	b.WriteString("complete ")
	for _, o := range compOptions {
		if slices.Contains(s.options, o) {
			b.WriteString("-o " + o + " ")
		}
	}
	for _, a := range compActions {
		switch {
		case !slices.Contains(s.actions, a.name):
		case a.letter != 0:
			b.WriteString("-" + string(a.letter) + " ")
		default:
			b.WriteString("-A " + a.name + " ")
		}
	}
	for _, t := range []struct {
		l byte
		s string
	}{{'G', s.glob}, {'W', s.words}, {'P', s.prefix}, {'S', s.suffix}, {'X', s.filter}, {'C', s.command}} {
		if s.has[t.l] {
			b.WriteString("-" + string(t.l) + " " + singleQuote(t.s) + " ")
		}
	}
	if s.has['F'] {
		b.WriteString("-F " + s.fn + " ")
	}
	switch name {
	case compEmpty:
		name = "-E"
	case compDefault:
		name = "-D"
	case compInitial:
		name = "-I"
	case "":
		name = "''"
	}
	return b.String() + name
}

func compgenBuiltin(e *env, args []string) int {
	c, st := e.compArgs(args)
	if st != 0 {
		return st
	}
	if !c.given {
		return 0
	}
	word := ""
	if len(c.names) > 0 {
		word = c.names[0]
	}
	list := e.candidates(&c.spec, "", word)
	for _, s := range list {
		e.out(s + "\n")
	}
	return b2i(len(list) == 0)
}

// candidates are the completions of word by a spec.
func (e *env) candidates(s *compspec, cmd, word string) []string {
	var out []string
	add := func(list ...string) {
		for _, w := range list {
			if strings.HasPrefix(w, word) {
				out = append(out, w)
			}
		}
	}
	for _, a := range compActions {
		if slices.Contains(s.actions, a.name) {
			add(e.actionWords(a.name, word)...)
		}
	}
	if s.glob != "" {
		if fields, err := e.globField(nil, field{text: []byte(s.glob), pat: []byte(s.glob), glob: true}); err == nil && !(len(fields) == 1 && fields[0] == s.glob) {
			out = append(out, fields...)
		}
	}
	if s.has['W'] {
		add(e.splitWords(s.words)...)
	}
	if s.fn != "" && e.funcs[s.fn] != nil {
		out = append(out, e.completeBy(s.fn, cmd, word)...)
	}
	if slices.Contains(s.options, "plusdirs") || slices.Contains(s.options, "dirnames") && len(out) == 0 {
		add(e.actionWords("directory", word)...)
	}
	n := 0
	for _, w := range out {
		if f, not := strings.CutPrefix(s.filter, "!"); s.filter != "" && pattern.Match(f, w, 0) != not {
			continue
		}
		out[n] = s.prefix + w + s.suffix
		n++
	}
	return out[:n]
}

// splitWords expands and splits the list of -W.
func (e *env) splitWords(text string) []string {
	w, err := e.textWord(text, true)
	if err != nil {
		return strings.Fields(text)
	}
	s, err := e.inner(w.Parts)
	if err != nil {
		return nil
	}
	ifs := e.ifs()
	return strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(ifs, r) })
}

// completeBy asks a function, which answers in COMPREPLY.
func (e *env) completeBy(fn, cmd, word string) []string {
	_ = e.unsetVar("COMPREPLY")
	e.setOpt("COMP_LINE", strings.TrimSpace(cmd+" "+word))
	e.setOpt("COMP_CWORD", "1")
	status := e.status
	e.callFunction(fn, e.funcs[fn], []string{cmd, word, cmd})
	e.status = status
	_, vals := e.elements("COMPREPLY")
	return slices.Clone(vals)
}

// actionWords is what an action knows; the caller takes what begins with word.
func (e *env) actionWords(action, word string) []string {
	switch action {
	case "alias":
		return slices.Sorted(maps.Keys(e.alias))
	case "builtin", "helptopic":
		return builtinNames()
	case "enabled":
		return slices.DeleteFunc(builtinNames(), func(n string) bool { return e.off[n] })
	case "disabled":
		return slices.DeleteFunc(builtinNames(), func(n string) bool { return !e.off[n] })
	case "command":
		return e.commandList(word)
	case "keyword":
		return []string{"if", "then", "else", "elif", "fi", "case", "esac", "for", "select", "while", "until", "do", "done", "in", "function", "time", "{", "}", "!", "[[", "]]", "coproc"}
	case "function":
		return e.functionNames()
	case "variable":
		return slices.DeleteFunc(e.setNames(), func(n string) bool { return n == "_" })
	case "export":
		return slices.DeleteFunc(e.sortedNames(), func(n string) bool { return e.vars[n].attr&exported == 0 })
	case "arrayvar":
		names := slices.DeleteFunc(e.sortedNames(), func(n string) bool { return e.vars[n].arr == nil })
		names = append(names, "BASH_ARGC", "BASH_ARGV", "BASH_LINENO", "BASH_SOURCE", "BASH_VERSINFO", "DIRSTACK", "GROUPS", "PIPESTATUS")
		sort.Strings(names)
		return names
	case "file", "directory":
		return e.pathWords(word, action == "directory")
	case "user":
		var out []string
		e.passwd(func(f []string) bool { out = append(out, f[0]); return false })
		return out
	case "group":
		return firstFields(e.readSmall("/etc/group"), ":")
	case "service":
		return firstFields(e.readSmall("/etc/services"), "\t ")
	case "hostname":
		return e.hostNames()
	case "setopt":
		var out []string
		for _, o := range setOptions {
			out = append(out, o.name)
		}
		return out
	case "shopt":
		return shoptNames
	case "signal":
		var out []string
		for n := range sigRTMax + 1 {
			if s := signalName(n); s != "" {
				out = append(out, s)
			}
		}
		return append(out, "DEBUG", "ERR", "RETURN")
	case "job", "running", "stopped":
		return e.jobWords(action)
	}
	return nil
}

func (e *env) jobWords(action string) []string {
	var out []string
	if e.jobs == nil {
		return nil
	}
	for _, o := range e.jobs.list {
		state := o.task.state()
		if action == "running" && state != "Running" || action == "stopped" && state != "Stopped" {
			continue
		}
		name, _, _ := strings.Cut(o.task.text, " ")
		out = append(out, name)
	}
	return out
}

// firstFields are the first words of a file's lines.
func firstFields(text, seps string) []string {
	var out []string
	for line := range strings.SplitSeq(text, "\n") {
		if i := strings.IndexAny(line, seps); i > 0 && line[0] != '#' {
			out = append(out, line[:i])
		}
	}
	return out
}

// hostNames are the names in /etc/hosts.
func (e *env) hostNames() []string {
	var out []string
	for line := range strings.SplitSeq(e.readSmall("/etc/hosts"), "\n") {
		line, _, _ = strings.Cut(line, "#")
		if f := strings.Fields(line); len(f) > 1 {
			out = append(out, f[1:]...)
		}
	}
	return out
}

// pathWords are the files whose path begins with word, as it is written.
func (e *env) pathWords(word string, onlyDirs bool) []string {
	dir, name := "", word
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		dir, name = word[:i+1], word[i+1:]
	}
	if e.fs == nil {
		return nil
	}
	list, err := e.fs.ReadDir(e.cred, e.abs(max(dir, ".")))
	if err != nil {
		return nil
	}
	e.k.step(1 + len(list)/8)
	var out []string
	for _, i := range list {
		if !strings.HasPrefix(i.Name, name) || strings.HasPrefix(i.Name, ".") && !strings.HasPrefix(name, ".") {
			continue
		}
		if onlyDirs {
			if st, err := e.stat(dir + i.Name); err != nil || !st.IsDir() {
				continue
			}
		}
		out = append(out, dir+i.Name)
	}
	return out
}

func compoptBuiltin(e *env, args []string) int {
	rest := args[1:]
	var on, off []string
	for len(rest) > 0 && len(rest[0]) > 1 && (rest[0][0] == '-' || rest[0][0] == '+') {
		w := rest[0]
		rest = rest[1:]
		switch {
		case w == "-D" || w == "-E" || w == "-I":
		case (w == "-o" || w == "+o") && len(rest) > 0:
			if !slices.Contains(compOptions, rest[0]) {
				e.errorf("compopt: %s: invalid option name", rest[0])
				return 1
			}
			if w == "-o" {
				on = append(on, rest[0])
			} else {
				off = append(off, rest[0])
			}
			rest = rest[1:]
		default:
			return e.badOption("compopt", w[:2])
		}
	}
	if len(rest) == 0 {
		e.errorf("compopt: not currently executing completion function")
		return 1
	}
	status := 0
	for _, n := range rest {
		s := e.specs[n]
		if s == nil {
			e.errorf("compopt: %s: no completion specification", n)
			status = 1
			continue
		}
		s.options = append(slices.DeleteFunc(s.options, func(o string) bool { return slices.Contains(off, o) }), on...)
	}
	return status
}
