package shell

import (
	"slices"
	"strings"

	"honeyguide/internal/deception/shell/lineedit"
)

// guide answers the line editor's questions.
type guide struct{ e *env }

func (g guide) History() []string {
	if g.e.hist == nil {
		return nil
	}
	return g.e.hist.lines
}

// Complete finds the word before the cursor and what it could become: a
// variable, a user's home, a command's name, a path or what complete was told of
// the command.
func (g guide) Complete(line string, point int) lineedit.Completion {
	e := g.e
	from, quote := wordStart(line[:point])
	word := line[from:point]
	c := lineedit.Completion{From: from, Suffix: " "}
	plain := unquoteWord(word, quote)
	spec := e.specFor(line[:from])
	switch {
	case strings.HasPrefix(word, "$") && quote != '\'':
		g.variables(&c, word)
	case strings.HasPrefix(word, "~") && !strings.Contains(word, "/") && quote == 0:
		g.homes(&c, word)
	case commandPosition(line[:from]) && !afterSign(line[:from]) && !strings.Contains(word, "/") && quote == 0:
		c.Command = true
		c.Words = e.commandNames(plain)
	case spec != nil:
		c.Words = e.candidates(spec, strings.Fields(line[:from])[0], plain)
		if len(c.Words) == 0 && slices.Contains(spec.options, "default") {
			g.paths(&c, plain, quote)
		}
	default:
		g.paths(&c, plain, quote)
		return c
	}
	slices.Sort(c.Words)
	c.Words = slices.Compact(c.Words)
	return c
}

// CompleteAs completes the word before the cursor as one kind of words.
func (g guide) CompleteAs(kind, line string, point int) lineedit.Completion {
	from, quote := wordStart(line[:point])
	word := line[from:point]
	c := lineedit.Completion{From: from, Suffix: " "}
	switch kind {
	case "command":
		c.Command, c.Words = true, g.e.commandNames(unquoteWord(word, quote))
	case "username":
		tilde := "~"
		if strings.HasPrefix(word, "~") {
			tilde = ""
		}
		g.homes(&c, tilde+word)
	case "variable":
		name := strings.TrimLeft(word, "${")
		for _, n := range g.e.setNames() {
			if strings.HasPrefix(n, name) {
				c.Words = append(c.Words, word[:len(word)-len(name)]+n)
			}
		}
	case "filename":
		g.paths(&c, unquoteWord(word, quote), quote)
		return c
	}
	slices.Sort(c.Words)
	c.Words = slices.Compact(c.Words)
	return c
}

// wordStart finds where the word before the cursor begins and the quote it is
// in, if any; a quote that is open is not part of the word, one that is closed is.
func wordStart(s string) (from int, quote byte) {
	word := 0
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == quote {
				quote, from = 0, word
			} else if c == '\\' && quote == '"' {
				i++
			}
		case c == '\\':
			i++
		case c == '"' || c == '\'':
			quote, from = c, i+1
		case strings.IndexByte(" \t\n><=;|&(:", c) >= 0:
			from, word = i+1, i+1
		}
	}
	return min(from, len(s)), quote
}

// unquoteWord takes the backslashes out of a word, and the quotes that are closed.
func unquoteWord(s string, quote byte) string {
	if quote == '\'' || !strings.ContainsAny(s, "\\'\"") {
		return s
	}
	var b strings.Builder
	var inside byte
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case inside != 0 && c == inside:
			inside = 0
			continue
		case inside == 0 && quote == 0 && (c == '\'' || c == '"'):
			inside = c
			continue
		case c == '\\' && inside != '\'' && i+1 < len(s):
			i++
		}
		b.WriteByte(s[i])
	}
	return b.String()
}

// specFor returns what complete was told of the command a word belongs to.
func (e *env) specFor(before string) *compspec {
	if len(e.specs) == 0 || commandPosition(before) {
		return nil
	}
	if i := strings.LastIndexAny(before, ";|&("); i >= 0 {
		before = before[i+1:]
	}
	f := strings.Fields(before)
	if len(f) == 0 {
		return nil
	}
	if s := e.specs[f[0]]; s != nil {
		return s
	}
	return e.specs[compDefault]
}

// homes completes ~user.
func (g guide) homes(c *lineedit.Completion, word string) {
	e := g.e
	type user struct {
		name string
		dir  bool
	}
	var all []user
	e.passwd(func(f []string) bool {
		if strings.HasPrefix(f[0], word[1:]) {
			i, err := e.stat(f[5])
			all = append(all, user{"~" + f[0], err == nil && i.IsDir()})
		}
		return false
	})
	slices.SortFunc(all, func(a, b user) int { return strings.Compare(a.name, b.name) })
	for _, u := range all {
		c.Words, c.Marks = append(c.Words, u.name), append(c.Marks, u.dir)
	}
	c.Suffix = "/"
}

// commandPosition reports whether a word behind before is a command's name.
func commandPosition(before string) bool {
	b := strings.TrimRight(before, " \t")
	if b == "" || strings.IndexByte(";|&(", b[len(b)-1]) >= 0 {
		return true
	}
	for _, w := range strings.Fields(b[strings.LastIndexAny(b, ";|&(")+1:]) {
		if eq := strings.IndexByte(w, '='); eq <= 0 || !isName(strings.TrimSuffix(w[:eq], "+")) {
			return false
		}
	}
	return true // assignments in front of a command
}

// afterSign reports whether a word is a file's name although no command stands
// before it: behind a redirection, or the value of an assignment.
func afterSign(before string) bool {
	b := strings.TrimRight(before, " \t")
	return b != "" && strings.IndexByte("<>", b[len(b)-1]) >= 0 || strings.HasSuffix(before, "=")
}

func (g guide) variables(c *lineedit.Completion, word string) {
	brace := ""
	name := word[1:]
	if strings.HasPrefix(name, "{") {
		brace, name = "{", name[1:]
	}
	for _, n := range g.e.setNames() {
		if strings.HasPrefix(n, name) {
			w := "$" + brace + n
			if brace != "" {
				w += "}"
			}
			c.Words = append(c.Words, w)
		}
	}
	if len(c.Words) == 1 {
		if v, ok := g.e.get(strings.Trim(c.Words[0], "${}")); ok {
			if i, err := g.e.stat(v); err == nil && i.IsDir() && strings.HasPrefix(v, "/") {
				c.Suffix = "/"
			}
		}
	}
}

// paths completes file names; folders end in a slash. Inside quotes the name is
// written as it is and the quote is closed behind the only one.
func (g guide) paths(c *lineedit.Completion, word string, quote byte) {
	e := g.e
	dir, name := "", word
	if i := strings.LastIndexByte(word, '/'); i >= 0 {
		dir, name = word[:i+1], word[i+1:]
	}
	at := dir
	if strings.HasPrefix(at, "~") {
		user, rest, _ := strings.Cut(at[1:], "/")
		if h, ok := e.tildeDir(user); ok {
			at = h + "/" + rest
		}
	}
	if at == "" {
		at = "."
	}
	if e.fs == nil {
		return
	}
	list, err := e.fs.ReadDir(e.cred, e.abs(at))
	if err != nil {
		return
	}
	e.k.step(1 + len(list)/8)
	names := make([]string, 0, len(list))
	for _, i := range list {
		if strings.HasPrefix(i.Name, name) && (!strings.HasPrefix(i.Name, ".") || name != "") {
			names = append(names, i.Name)
		}
	}
	if name == "." || name == ".." {
		names = append(names, "..")
		if name == "." {
			names = append(names, ".")
		}
	}
	slices.Sort(names)
	escape := escapeName
	if quote != 0 {
		escape = func(s string) string { return s }
	}
	for _, n := range names {
		i, err := e.stat(at + "/" + n)
		c.Words = append(c.Words, escape(dir)+escape(n))
		c.Shown, c.Marks = append(c.Shown, n), append(c.Marks, err == nil && i.IsDir())
	}
	if len(names) == 1 {
		switch {
		case c.Marks[0] && quote != 0:
			c.Suffix = string(quote) + "/"
		case c.Marks[0]:
			c.Suffix = "/"
		case quote != 0:
			c.Suffix = string(quote) + " "
		}
	}
}

// escapeName quotes what the shell would take apart.
func escapeName(s string) string {
	if !strings.ContainsAny(s, special) {
		return s
	}
	var b strings.Builder
	for i := range len(s) {
		if strings.IndexByte(special, s[i]) >= 0 {
			b.WriteByte('\\')
		}
		b.WriteByte(s[i])
	}
	return b.String()
}
