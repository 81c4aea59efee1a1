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
// variable, a user's home, a command's name or a path.
func (g guide) Complete(line string, point int) lineedit.Completion {
	e := g.e
	from := point
	for from > 0 && strings.IndexByte(" \t\n\"'><=;|&(:", line[from-1]) < 0 {
		from--
	}
	word := line[from:point]
	c := lineedit.Completion{From: from, Suffix: " "}
	switch {
	case strings.HasPrefix(word, "$"):
		g.variables(&c, word)
	case strings.HasPrefix(word, "~") && !strings.Contains(word, "/"):
		e.passwd(func(f []string) bool {
			if strings.HasPrefix(f[0], word[1:]) {
				c.Words = append(c.Words, "~"+f[0])
			}
			return false
		})
		c.Suffix = "/"
	case commandPosition(line[:from]) && !strings.Contains(word, "/"):
		c.Command = true
		c.Words = e.commandNames(word)
	default:
		g.paths(&c, word)
	}
	slices.Sort(c.Words)
	c.Words = slices.Compact(c.Words)
	return c
}

// commandPosition reports whether a word behind before is a command's name.
func commandPosition(before string) bool {
	b := strings.TrimRight(before, " \t")
	if b == "" || strings.IndexByte(";|&(", b[len(b)-1]) >= 0 {
		return true
	}
	words := strings.Fields(b)
	switch words[len(words)-1] {
	case "then", "do", "else", "elif", "if", "while", "until", "!", "{", "time", "sudo", "exec":
		return true
	}
	return false
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
	if len(c.Words) == 1 && brace == "" {
		if v, ok := g.e.get(c.Words[0][1:]); ok {
			if i, err := g.e.stat(v); err == nil && i.IsDir() && strings.HasPrefix(v, "/") {
				c.Suffix = "/"
			}
		}
	}
}

// paths completes file names; folders end in a slash.
func (g guide) paths(c *lineedit.Completion, word string) {
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
	only := ""
	for _, i := range list {
		if !strings.HasPrefix(i.Name, name) || strings.HasPrefix(i.Name, ".") && name == "" {
			continue
		}
		c.Words = append(c.Words, dir+escapeName(i.Name))
		shown := i.Name
		c.Shown = append(c.Shown, shown)
		only = i.Name
	}
	slices.Sort(c.Shown)
	if len(c.Words) == 1 {
		if i, err := e.stat(at + "/" + only); err == nil && i.IsDir() {
			c.Suffix = "/"
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
