package cmdline

import "strings"

// A reader cuts one text into commands.
type reader struct {
	line    *Line
	s       string
	i       int
	depth   int
	decoded bool

	word     strings.Builder
	inWord   bool
	words    []string
	cmd      Command
	redirect string // operator that waits for its target
	from     int    // command that pipes into the one being read
}

func (r *reader) run() {
	for r.i < len(r.s) {
		r.step()
	}
	r.endCommand(false)
}

// step reads one character or construct.
func (r *reader) step() {
	c := r.s[r.i]
	switch {
	case c == ' ' || c == '\t' || c == '\r':
		r.i++
		r.endWord()
	case c == '\n' || c == ';':
		r.i++
		r.endCommand(false)
	case c == '&' || c == '|':
		r.operator(c)
	case c == '(' || c == ')':
		r.i++
		r.endCommand(false)
	case c == '#' && !r.inWord && strings.HasPrefix(r.s[r.i:], "#!"):
		// Recorded scripts often stand in one line: only the interpreter is
		// named by the comment, the rest runs.
		r.i += strings.IndexAny(r.s[r.i:]+"\n", ";\n")
	case c == '#' && !r.inWord:
		r.skipTo('\n')
	case c == '\'':
		r.i++
		r.put(r.take('\''))
	case c == '"':
		r.i++
		r.quoted()
	case c == '\\':
		r.escape()
	case c == '$':
		r.dollar()
	case c == '`':
		r.i++
		r.nested(r.take('`'))
	case c == '<' || c == '>':
		r.redirection()
	default:
		r.put(string(c))
		r.i++
	}
}

// put appends text to the word being read.
func (r *reader) put(text string) {
	r.inWord = true
	r.word.WriteString(text)
}

// take returns what stands before the next end, which it passes; everything
// when there is none.
func (r *reader) take(end byte) string {
	rest := r.s[r.i:]
	n := strings.IndexByte(rest, end)
	if n < 0 {
		r.i = len(r.s)
		return rest
	}
	r.i += n + 1
	return rest[:n]
}

func (r *reader) skipTo(end byte) {
	n := strings.IndexByte(r.s[r.i:], end)
	if n < 0 {
		n = len(r.s) - r.i
	}
	r.i += n
}

// operator reads & && | || |& and &>.
func (r *reader) operator(c byte) {
	next := byte(0)
	if r.i+1 < len(r.s) {
		next = r.s[r.i+1]
	}
	switch {
	case c == '&' && next == '>':
		r.i++
		r.redirection()
	case c == '|' && next != '|':
		r.i++
		if next == '&' {
			r.i++
		}
		r.endCommand(true)
	default:
		r.i++
		if next == c {
			r.i++
		}
		r.endCommand(false)
	}
}

// quoted reads the inside of double quotes.
func (r *reader) quoted() {
	r.inWord = true
	for r.i < len(r.s) {
		switch c := r.s[r.i]; {
		case c == '"':
			r.i++
			return
		case c == '\\' && r.i+1 < len(r.s):
			if next := r.s[r.i+1]; strings.IndexByte("\"\\$`\n", next) < 0 {
				r.word.WriteByte('\\')
			}
			r.word.WriteByte(r.s[r.i+1])
			r.i += 2
		case c == '$' && r.i+1 < len(r.s) && r.s[r.i+1] == '(':
			r.i += 2
			r.nested(r.paren())
		case c == '`':
			r.i++
			r.nested(r.take('`'))
		default:
			r.word.WriteByte(c)
			r.i++
		}
	}
}

// escape reads a backslash: a line continuation or one literal character.
func (r *reader) escape() {
	r.i++
	if r.i >= len(r.s) {
		return
	}
	if r.s[r.i] != '\n' {
		r.put(r.s[r.i : r.i+1])
	}
	r.i++
}

// dollar reads $( ), $(( )), $'..', $".." and the blanks written ${IFS}.
func (r *reader) dollar() {
	rest := r.s[r.i:]
	switch {
	case strings.HasPrefix(rest, "$(("):
		r.i += 2
		r.put("$(")
		r.put(r.paren())
	case strings.HasPrefix(rest, "$("):
		r.i += 2
		r.nested(r.paren())
	case strings.HasPrefix(rest, "$'"):
		r.i += 2
		text, n := ansi(r.s[r.i:])
		r.put(text)
		r.i += n
	case strings.HasPrefix(rest, "${IFS"):
		r.skipTo('}')
		r.i = min(r.i+1, len(r.s))
		r.endWord()
	case strings.HasPrefix(rest, "$IFS"):
		r.i += 4
		if strings.HasPrefix(r.s[r.i:], "$9") { // $IFS$9, the usual disguise
			r.i += 2
		}
		r.endWord()
	default:
		r.put("$")
		r.i++
	}
}

// paren returns what stands before the matching parenthesis, which it passes.
func (r *reader) paren() string {
	depth, start := 1, r.i
	for ; r.i < len(r.s); r.i++ {
		switch r.s[r.i] {
		case '\\':
			r.i++
		case '\'':
			if n := strings.IndexByte(r.s[r.i+1:], '\''); n >= 0 {
				r.i += n + 1
			}
		case '(':
			depth++
		case ')':
			if depth--; depth == 0 {
				r.i++
				return r.s[start : r.i-1]
			}
		}
	}
	r.i = len(r.s)
	return r.s[start:]
}

// nested reads a substitution; the word it stands in keeps a mark of it.
func (r *reader) nested(inner string) {
	r.put("$()")
	r.line.read(inner, r.depth+1, r.decoded)
}

// redirection reads an operator that begins with < or >.
func (r *reader) redirection() {
	if digits(r.word.String()) {
		r.word.Reset() // the number of a file descriptor
		r.inWord = false
	}
	r.endWord()
	rest := r.s[r.i:]
	if strings.HasPrefix(rest, "<(") || strings.HasPrefix(rest, ">(") {
		r.i += 2
		r.nested(r.paren())
		return
	}
	for _, op := range []string{"<<<", "<<-", ">>", ">|", ">&", "<<", "<&", "<>", ">", "<"} {
		if strings.HasPrefix(rest, op) {
			r.redirect = op
			r.i += len(op)
			return
		}
	}
	r.i++
}

func digits(s string) bool {
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return false
		}
	}
	return s != ""
}

// endWord files the word being read as target of a redirection or as word of
// the command.
func (r *reader) endWord() {
	if !r.inWord {
		return
	}
	w := r.word.String()
	r.word.Reset()
	r.inWord = false
	switch {
	case r.redirect != "":
		r.cmd.Redirects = append(r.cmd.Redirects, Redirect{r.redirect, w})
		r.redirect = ""
	case len(r.words) < maxWords:
		r.words = append(r.words, w)
	default:
		r.line.Truncated = true
	}
}

// endCommand files the command being read; piped says that the next one reads
// its output.
func (r *reader) endCommand(piped bool) {
	r.endWord()
	c := r.cmd
	c.settle(r.words)
	c.From, c.Depth, c.Decoded = r.from, r.depth, r.decoded
	r.cmd, r.words, r.redirect, r.from = Command{}, nil, "", -1
	if c.Name == "" && len(c.Redirects) == 0 && len(c.Assigns) == 0 {
		return
	}
	if len(r.line.Commands) >= MaxCommands {
		r.line.Truncated = true
		return
	}
	r.line.Commands = append(r.line.Commands, c)
	if piped {
		r.from = len(r.line.Commands) - 1
	}
}
