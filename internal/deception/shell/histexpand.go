package shell

import (
	"slices"
	"strconv"
	"strings"
)

// An expanded line is what history expansion made of one.
type expanded struct {
	text    string
	changed bool
	print   bool   // :p, show it and do not run it
	err     string // what bash complains about
}

// expandHistory replaces !!, !$, !n, !text, !?text? and ^a^b^ with their words
// and modifiers.
func (e *env) expandHistory(line string) expanded {
	h := e.hist
	if h == nil || strings.IndexByte(line, '!') < 0 && !strings.HasPrefix(line, "^") {
		return expanded{text: line}
	}
	x := &histExpander{h: h, line: line}
	if strings.HasPrefix(line, "^") {
		x.line = "!!:s" + line
		if parts := strings.SplitN(line[1:], "^", 3); len(parts) < 2 {
			return expanded{text: line, err: ":s" + line + ": substitution failed"}
		}
		x.quick = line
	}
	x.run()
	return expanded{text: x.out.String(), changed: x.changed, print: x.print, err: x.err}
}

type histExpander struct {
	h       *history
	line    string
	quick   string // the line was ^a^b^
	out     strings.Builder
	changed bool
	print   bool
	err     string
	matched string // the word !?text? found
}

func (x *histExpander) run() {
	single, double := false, false
	for i := 0; i < len(x.line) && x.err == ""; i++ {
		c := x.line[i]
		switch {
		case c == '\\' && i+1 < len(x.line) && !single:
			x.out.WriteByte(c)
			i++
			x.out.WriteByte(x.line[i])
			continue
		case c == '\'' && !double:
			single = !single
		case c == '"' && !single:
			double = !double
		case c == '!' && !single && i+1 < len(x.line) && strings.IndexByte(" \t\n=(", x.line[i+1]) < 0 && !(double && x.line[i+1] == '"'):
			i += x.event(i+1, double)
			continue
		}
		x.out.WriteByte(c)
	}
}

// event replaces the reference whose text begins at from and returns its length.
func (x *histExpander) event(from int, double bool) int {
	s := x.line[from:]
	text, n, ok := x.find(s, double)
	if !ok {
		x.err = "!" + s[:n] + ": event not found"
		return n
	}
	words, wn := x.words(text, s[n:])
	if x.err != "" {
		return n
	}
	n += wn
	words, mn := x.modify(words, s[n:])
	x.changed = true
	x.out.WriteString(words)
	return n + mn
}

// find resolves the event and returns how long its name is.
func (x *histExpander) find(s string, double bool) (string, int, bool) {
	lines := x.h.lines
	last := ""
	if len(lines) > 0 {
		last = lines[len(lines)-1]
	}
	switch c := s[0]; {
	case c == '!':
		return last, 1, len(lines) > 0
	case c == '#':
		return x.out.String(), 1, true
	case strings.IndexByte("$^*:%", c) >= 0 || c == '-' && (len(s) < 2 || s[1] < '0' || s[1] > '9'):
		return last, 0, len(lines) > 0
	case c == '?':
		end := strings.IndexAny(s[1:], "?\n")
		key, n := s[1:], len(s)
		if end >= 0 {
			key, n = s[1:1+end], end+2
		}
		for i := len(lines) - 1; i >= 0 && key != ""; i-- {
			if strings.Contains(lines[i], key) {
				for _, w := range historyWords(lines[i]) {
					if strings.Contains(w, key) {
						x.matched = w
						break
					}
				}
				return lines[i], n, true
			}
		}
		return "", n, false
	}
	n := 0
	if s[0] == '-' {
		n = 1
	}
	for n < len(s) && s[n] >= '0' && s[n] <= '9' {
		n++
	}
	if v, err := strconv.Atoi(s[:n]); err == nil && n > 0 {
		i := v - x.h.first - 1
		if v < 0 {
			i = len(lines) + v
		}
		if i >= 0 && i < len(lines) {
			return lines[i], n, true
		}
		return "", n, false
	}
	n = 0
	for n < len(s) && strings.IndexByte(" \t\n;|&()<>:", s[n]) < 0 && !(double && s[n] == '"') && (n == 0 || strings.IndexByte("$^*%", s[n]) < 0 || true) {
		n++
	}
	for i := len(lines) - 1; i >= 0 && n > 0; i-- {
		if strings.HasPrefix(lines[i], s[:n]) {
			return lines[i], n, true
		}
	}
	return "", n, false
}

// words takes the words a designator behind the event asks for.
func (x *histExpander) words(text, s string) (string, int) {
	colon := 0
	if strings.HasPrefix(s, ":") {
		colon = 1
	}
	d := s[colon:]
	if d == "" || colon == 0 && strings.IndexByte("$^*-%", d[0]) < 0 || colon == 1 && strings.IndexByte("$^*-%0123456789", d[0]) < 0 {
		return text, 0
	}
	words := historyWords(text)
	last := len(words) - 1
	number := func(i int) (v, n int) {
		for i+n < len(d) && d[i+n] >= '0' && d[i+n] <= '9' {
			v, n = min(v*10+int(d[i+n]-'0'), 1<<20), n+1
		}
		return v, n
	}
	n, a, b := 0, 0, 0
	switch d[0] {
	case '*':
		if last < 1 {
			return "", colon + 1
		}
		return strings.Join(words[1:], " "), colon + 1
	case '$':
		n, a, b = 1, last, last
	case '^':
		n, a, b = 1, 1, 1
	case '%':
		return x.matched, colon + 1
	case '-':
		a, b = 0, 0
	default:
		a, n = number(0)
		b = a
	}
	if n < len(d) && d[n] == '*' {
		n++
		b = last
		if a > last {
			return "", colon + n
		}
	} else if n < len(d) && d[n] == '-' {
		n++
		switch {
		case n < len(d) && d[n] == '$':
			b = last
			n++
		case n < len(d) && d[n] == '^':
			b = 1
			n++
		case n < len(d) && d[n] >= '0' && d[n] <= '9':
			v, k := number(n)
			b, n = v, n+k
		default:
			b = last - 1
		}
	}
	if a < 0 || a > last || b > last || b < a {
		x.err = ":" + d[:n] + ": bad word specifier"
		if colon == 0 {
			x.err = d[:n] + ": bad word specifier"
		}
		return "", colon + n
	}
	return strings.Join(words[a:b+1], " "), colon + n
}

// modify applies the modifiers in s to text.
func (x *histExpander) modify(text, s string) (string, int) {
	n := 0
	for x.err == "" && n+1 < len(s) && s[n] == ':' {
		start := n
		n++
		all, each := false, false
		for n < len(s) && (s[n] == 'g' || s[n] == 'a' || s[n] == 'G') {
			all, each = all || s[n] != 'G', each || s[n] == 'G'
			n++
		}
		if n >= len(s) {
			return text, start
		}
		c := s[n]
		n++
		switch c {
		case 'h':
			if i := strings.LastIndexByte(text, '/'); i >= 0 {
				text = text[:max(i, 1)]
			}
		case 't':
			text = text[strings.LastIndexByte(text, '/')+1:]
		case 'r':
			if i := strings.LastIndexByte(text, '.'); i >= 0 {
				text = text[:i]
			}
		case 'e':
			if i := strings.LastIndexByte(text, '.'); i >= 0 {
				text = text[i:]
			}
		case 'p':
			x.print = true
		case 'q':
			text = singleQuote(text)
		case 'x':
			words := strings.Fields(text)
			for i, w := range words {
				words[i] = singleQuote(w)
			}
			text = strings.Join(words, " ")
		case 's':
			old, with, k := substitution(s[n:])
			n += k
			if old == "" {
				old = x.h.subst[0]
			}
			with = strings.ReplaceAll(strings.ReplaceAll(strings.ReplaceAll(with, `\&`, "\x00"), "&", old), "\x00", "&")
			x.h.subst = [2]string{old, with}
			text = x.substitute(text, s[start:n], all, each)
		case '&':
			text = x.substitute(text, s[start:n], all, each)
		default:
			x.err = s[start:n] + ": unrecognized history modifier"
			if c == ' ' || c == '\t' {
				x.err = ""
				return text, start
			}
		}
	}
	return text, n
}

// substitution reads /old/new/ with any delimiter.
func substitution(s string) (old, with string, n int) {
	if s == "" {
		return "", "", 0
	}
	d := s[0]
	part := func(i int) (string, int) {
		var b strings.Builder
		for ; i < len(s) && s[i] != d; i++ {
			if s[i] == '\\' && i+1 < len(s) && s[i+1] == d {
				i++
			}
			b.WriteByte(s[i])
		}
		return b.String(), i
	}
	old, i := part(1)
	with, i = part(min(i+1, len(s)))
	return old, with, min(i+1, len(s))
}

func (x *histExpander) substitute(text, shown string, all, each bool) string {
	old, with := x.h.subst[0], x.h.subst[1]
	if old == "" || !strings.Contains(text, old) {
		if x.quick != "" {
			shown = ":s" + x.quick
		}
		x.err = shown + ": substitution failed"
		return text
	}
	switch {
	case all:
		if len(text)*max(1, len(with)) > 1<<20 {
			return text
		}
		return strings.ReplaceAll(text, old, with)
	case each:
		words := historyWords(text)
		for i, w := range words {
			words[i] = strings.Replace(w, old, with, 1)
		}
		return strings.Join(words, " ")
	}
	return strings.Replace(text, old, with, 1)
}

// historyWords divides a line as history expansion does: like the shell, with
// operators as words of their own.
func historyWords(s string) []string {
	var out []string
	for i := 0; i < len(s); {
		c := s[i]
		if c == ' ' || c == '\t' || c == '\n' {
			i++
			continue
		}
		from := i
		if strings.IndexByte("()<>;&|", c) >= 0 {
			i++
			for i < len(s) && i-from < 3 && (s[i] == c && c != '(' && c != ')' || strings.IndexByte("<>", c) >= 0 && strings.IndexByte("&>|-", s[i]) >= 0 || c == '&' && s[i] == '>') {
				i++
			}
			out = append(out, s[from:i])
			continue
		}
		for i < len(s) && strings.IndexByte(" \t\n()<>;&|", s[i]) < 0 {
			switch s[i] {
			case '\\':
				i++
			case '\'', '"', '`':
				if j := strings.IndexByte(s[i+1:], s[i]); j >= 0 {
					i += j + 1
				} else {
					i = len(s)
				}
			case '$':
				if i+1 < len(s) && (s[i+1] == '(' || s[i+1] == '{') {
					i = closing(s, i+1)
				}
			}
			i++
		}
		i = min(i, len(s))
		out = append(out, s[from:i])
	}
	return out
}

// closing returns the offset of the bracket that matches the one at i.
func closing(s string, i int) int {
	open := s[i]
	end := byte(')')
	if open == '{' {
		end = '}'
	}
	depth := 0
	for ; i < len(s); i++ {
		switch s[i] {
		case open:
			depth++
		case end:
			if depth--; depth == 0 {
				return i
			}
		}
	}
	return len(s)
}

func fcBuiltin(e *env, args []string) int {
	list, numbers, reverse, again := false, true, false, false
	editor := ""
	rest := args[1:]
options:
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' && (rest[0][1] < '0' || rest[0][1] > '9') {
		w := rest[0]
		rest = rest[1:]
		if w == "--" {
			break
		}
		for j, c := range w[1:] {
			switch c {
			case 'l':
				list = true
			case 'n':
				numbers = false
			case 'r':
				reverse = true
			case 's':
				again = true
			case 'e':
				if editor = w[j+2:]; editor == "" && len(rest) > 0 {
					editor, rest = rest[0], rest[1:]
				}
				if editor == "-" {
					again = true
				}
				continue options
			default:
				return e.badOption("fc", "-"+string(c))
			}
		}
	}
	h := e.hist
	if h == nil || len(h.lines) == 0 {
		if list || again {
			return 0
		}
		e.errorf("fc: history specification out of range")
		return 1
	}
	last := len(h.lines) - 1 // the command itself
	if !e.interactive || e.again {
		last++
	}
	if again {
		return e.fcAgain(rest, last)
	}
	from, to := max(0, last-16), last-1
	if !list {
		from = last - 1
	}
	ok := true
	if len(rest) > 0 {
		from, ok = h.place(rest[0], last)
		if !list {
			to = from
		}
	}
	if len(rest) > 1 && ok {
		to, ok = h.place(rest[1], last)
	}
	if !ok {
		e.errorf("fc: no command found")
		return 1
	}
	if from < 0 {
		e.errorf("fc: history specification out of range")
		return 1
	}
	if from > to {
		from, to, reverse = to, from, !reverse
	}
	if !list {
		lines := slices.Clone(h.lines[from:min(to+1, len(h.lines))])
		if reverse {
			slices.Reverse(lines)
		}
		return e.fcEdit(editor, lines, last)
	}
	for i := from; i <= to && i < len(h.lines); i++ {
		j := i
		if reverse {
			j = to - (i - from)
		}
		e.k.step(1)
		if numbers {
			e.out(strconv.Itoa(h.first + j + 1))
		}
		e.out("\t " + h.lines[j] + "\n")
	}
	return 0
}

// place finds the line fc names: a number, a distance from the end or a
// beginning.
func (h *history) place(s string, last int) (int, bool) {
	if n, err := strconv.Atoi(s); err == nil {
		i := n - h.first - 1
		if n <= 0 {
			i = last + n
			if n == 0 {
				i = last - 1
			}
		}
		return min(max(i, 0), len(h.lines)-1), true
	}
	for i := last - 1; i >= 0; i-- {
		if strings.HasPrefix(h.lines[i], s) {
			return i, true
		}
	}
	return 0, false
}

// fcAgain is fc -s: an earlier command, changed by old=new, once more.
func (e *env) fcAgain(rest []string, last int) int {
	h := e.hist
	var changes [][2]string
	for len(rest) > 0 {
		old, with, ok := strings.Cut(rest[0], "=")
		if !ok || old == "" {
			break
		}
		changes, rest = append(changes, [2]string{old, with}), rest[1:]
	}
	i, ok := last-1, true
	if len(rest) > 0 {
		i, ok = h.place(rest[0], last)
	}
	if !ok || i < 0 {
		e.errorf("fc: no command found")
		return 1
	}
	line := h.lines[i]
	for _, c := range changes {
		line = strings.ReplaceAll(line, c[0], c[1])
		if len(line) > 1<<16 {
			return 1
		}
	}
	e.warn(line + "\n")
	if e.interactive { // it takes the place of fc itself
		h.lines[last] = line
	}
	if e.k.depth++; e.k.depth > e.k.bud.Depth {
		panic(death{139, ofProcess, nil})
	}
	e.again = true
	defer func() {
		e.k.depth--
		e.again = false
	}()
	return e.runText(&source{text: line, kind: fromEval}, e.line-1)
}
