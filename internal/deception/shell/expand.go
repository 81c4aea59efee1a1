package shell

import (
	"strings"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/pattern"
)

const (
	forFields      purpose = iota // arguments: split and matched against files
	forString                     // one string: assignments, case words
	forPattern                    // a pattern: quoted characters stand for themselves
	forRegex                      // the right side of =~
	forReplacement                // of ${x/pattern/replacement}: an unquoted & is the match
)

// An abort ends the running command: an expansion failed.
type abort struct {
	msg    string
	status int
	exit   bool // a shell that is not interactive ends
	said   bool // the message has been written
}

// Error returns the message.
func (a *abort) Error() string { return a.msg }

func failf(msg string) error { return &abort{msg: msg, status: 1} }

// fail writes what an expansion's error says and starts the way back.
func (e *env) fail(err error) int {
	a, ok := err.(*abort)
	if !ok {
		a = &abort{msg: err.Error(), status: 1}
	}
	if !a.said && a.msg != "" {
		e.errorf("%s", a.msg)
	}
	e.status = a.status
	if a.exit && !e.interactive {
		e.flow = exiting
		if e.level > 0 {
			e.status = 1
		}
		return e.status
	}
	if a.exit {
		e.status = 1
	}
	e.flow = discarding
	return e.status
}

// words expands words to arguments.
func (e *env) words(ws []*syntax.Word) ([]string, error) {
	out := make([]string, 0, len(ws))
	for _, w := range ws {
		if s, ok := plainWord(w); ok {
			out = append(out, s)
			continue
		}
		var err error
		if out, err = e.wordFields(out, w); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// plainWord returns a word in which nothing is to be expanded.
func plainWord(w *syntax.Word) (string, bool) {
	if len(w.Parts) != 1 {
		return "", false
	}
	switch p := w.Parts[0].(type) {
	case *syntax.Lit:
		if !strings.ContainsAny(p.Value, "\\*?[{~") {
			return p.Value, true
		}
	case *syntax.SglQuoted:
		if !p.Dollar {
			return p.Value, true
		}
	case *syntax.DblQuoted:
		if len(p.Parts) == 0 {
			return "", true
		}
		if l, ok := p.Parts[0].(*syntax.Lit); ok && len(p.Parts) == 1 && strings.IndexByte(l.Value, '\\') < 0 {
			return l.Value, true
		}
	}
	return "", false
}

// wordFields appends the fields of one word.
func (e *env) wordFields(out []string, w *syntax.Word) ([]string, error) {
	e.k.step(1)
	if e.opts&optBrace != 0 && e.dialect == bash && braced(w.Parts) {
		return e.braces(out, w)
	}
	return e.partsFields(out, w.Parts)
}

func (e *env) partsFields(out []string, parts []syntax.WordPart) ([]string, error) {
	x := expander{e: e, ifs: e.ifs()}
	mark := e.scratch
	if l, ok := firstPart(parts).(*syntax.Lit); ok && e.dialect == bash && e.opts&optPosix == 0 && looksAssigned(l.Value) {
		x.assign, x.equals = true, true
	}
	if err := x.parts(parts, false); err != nil {
		return nil, err
	}
	x.end()
	fields := e.scratch - mark // given back when they are strings
	for _, f := range x.done {
		if f.glob && e.opts&optNoGlob == 0 {
			var err error
			if out, err = e.globField(out, f); err != nil {
				return nil, err
			}
			continue
		}
		if err := e.hold(len(f.text)); err != nil {
			return nil, err
		}
		out = append(out, string(f.text))
	}
	e.unhold(e.scratch - fields)
	return out, nil
}

// perWord is what a word costs besides its text.
const perWord = 16

// hold charges a value in flight; release gives back what was held since.
func (e *env) hold(n int) error {
	n += perWord
	if !e.k.charge(n) {
		return e.noMemory()
	}
	e.scratch += n
	return nil
}

func (e *env) unhold(mark int) {
	e.k.charge(mark - e.scratch)
	e.scratch = mark
}

// noMemory is the end of a shell that asked for more than there is.
func (e *env) noMemory() error {
	e.errorfBare("xrealloc: cannot allocate 18446744071562067968 bytes")
	panic(death{2, ofProcess, nil})
}

// errorfBare writes a message with the shell's name and no line.
func (e *env) errorfBare(msg string) { e.warn(e.name + ": " + msg + "\n") }

// str expands a word to one string.
func (e *env) str(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	if s, ok := plainWord(w); ok {
		return s, nil
	}
	return e.expandTo(w, forString, false)
}

// value expands the right side of an assignment.
func (e *env) value(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	if s, ok := plainWord(w); ok {
		return s, nil
	}
	return e.expandTo(w, forString, true)
}

// pattern expands a word to a pattern.
func (e *env) pattern(w *syntax.Word) (string, error) {
	if w == nil {
		return "", nil
	}
	return e.expandTo(w, forPattern, false)
}

func (e *env) expandTo(w *syntax.Word, p purpose, assign bool) (string, error) {
	e.k.step(1)
	x := expander{e: e, purpose: p, assign: assign}
	if err := x.parts(w.Parts, false); err != nil {
		return "", err
	}
	b := x.cur.text
	if p == forPattern || p == forRegex {
		b = x.cur.pat
	}
	if err := e.hold(len(b)); err != nil {
		return "", err
	}
	return string(b), nil
}

// inner expands parts as between double quotes.
func (e *env) inner(parts []syntax.WordPart) (string, error) {
	x := expander{e: e, purpose: forString}
	if err := x.parts(parts, true); err != nil {
		return "", err
	}
	return string(x.cur.text), nil
}

func (e *env) ifs() string {
	if v, ok := e.vars["IFS"]; ok && v.attr&unset == 0 {
		return v.val
	}
	return " \t\n"
}

// parts expands word parts.
func (x *expander) parts(parts []syntax.WordPart, quoted bool) error {
	for i, p := range parts {
		if err := x.part(p, quoted, i == 0); err != nil {
			return err
		}
	}
	return nil
}

func (x *expander) part(p syntax.WordPart, quoted, first bool) error {
	switch p := p.(type) {
	case *syntax.Lit:
		if quoted {
			return x.add(unescapeDouble(p.Value), true)
		}
		return x.literal(p.Value, first)
	case *syntax.SglQuoted:
		x.started = true
		if p.Dollar {
			return x.add(ansiC(p.Value), true)
		}
		return x.add(p.Value, true)
	case *syntax.DblQuoted:
		if len(p.Parts) != 1 || !isAll(p.Parts[0]) {
			x.started = true
		}
		return x.parts(p.Parts, true)
	case *syntax.ParamExp:
		return x.param(p, quoted)
	case *syntax.CmdSubst:
		s, err := x.e.substitute(p)
		if err != nil {
			return err
		}
		return x.result(s, quoted)
	case *syntax.ArithmExp:
		text := strings.TrimPrefix(x.e.unit.slice(p.Left, p.Right), "$")
		if p.Bracket {
			text = text[1:]
		} else {
			text = strings.TrimPrefix(text, "((")
		}
		n, err := x.e.arithNode(p.X, text)
		if err != nil {
			return err
		}
		return x.result(itoa(n), quoted)
	case *syntax.ProcSubst:
		s, err := x.e.processSubst(p)
		if err != nil {
			return err
		}
		return x.add(s, true)
	case *syntax.ExtGlob:
		return x.extGlob(p, quoted)
	}
	return nil
}

// isAll reports "$@" and "${a[@]}", which may leave no field at all.
func isAll(p syntax.WordPart) bool {
	pe, ok := p.(*syntax.ParamExp)
	if !ok || pe.Length {
		return false
	}
	if pe.Param != nil && pe.Param.Value == "@" {
		return true
	}
	if w, ok := pe.Index.(*syntax.Word); ok && pe.Index != nil {
		return w.Lit() == "@"
	}
	return pe.Names == syntax.NamesPrefixWords
}

// result adds what an expansion gave.
func (x *expander) result(s string, quoted bool) error {
	if quoted {
		return x.add(s, true)
	}
	return x.split(s)
}

func (x *expander) extGlob(p *syntax.ExtGlob, quoted bool) error {
	s := p.Op.String() + p.Pattern.Value + ")"
	if quoted {
		return x.add(s, true)
	}
	if x.purpose == forFields && !x.cur.glob {
		x.cur.pat = append(x.cur.pat, pattern.Escape(string(x.cur.text))...)
		x.cur.glob = true
	}
	return x.add(s, false)
}

// literal adds unquoted source text: backslashes quote, a tilde may lead.
func (x *expander) literal(s string, first bool) error {
	if first && strings.HasPrefix(s, "~") {
		s = x.tilde(s)
	}
	if i := strings.IndexByte(s, '='); x.equals && i >= 0 {
		x.equals = false
		if err := x.add(s[:i+1], false); err != nil {
			return err
		}
		if s = s[i+1:]; strings.HasPrefix(s, "~") {
			s = x.tilde(s)
		}
	}
	for {
		i := strings.IndexByte(s, '\\')
		if j := strings.IndexByte(s, ':'); x.assign && j >= 0 && (i < 0 || j < i) && strings.HasPrefix(s[j+1:], "~") {
			if err := x.add(s[:j+1], false); err != nil {
				return err
			}
			s = x.tilde(s[j+1:])
			continue
		}
		if i < 0 {
			return x.add(s, false)
		}
		if err := x.add(s[:i], false); err != nil {
			return err
		}
		if i+1 >= len(s) {
			return x.add(`\`, true)
		}
		n := 1
		for i+1+n < len(s) && s[i+1+n]&0xc0 == 0x80 {
			n++
		}
		x.started = true
		if err := x.add(s[i+1:i+1+n], true); err != nil {
			return err
		}
		s = s[i+1+n:]
	}
}

// unescapeDouble removes the backslashes that quote between double quotes.
func unescapeDouble(s string) string {
	i := strings.IndexByte(s, '\\')
	if i < 0 {
		return s
	}
	var b strings.Builder
	b.Grow(len(s))
	for ; i >= 0; i = strings.IndexByte(s, '\\') {
		b.WriteString(s[:i])
		if i+1 < len(s) && strings.IndexByte("$`\"\\\n", s[i+1]) >= 0 {
			if s[i+1] != '\n' {
				b.WriteByte(s[i+1])
			}
			s = s[i+2:]
			continue
		}
		b.WriteByte('\\')
		s = s[i+1:]
	}
	b.WriteString(s)
	return b.String()
}

// firstPart is a word's first part, nil if it has none.
func firstPart(parts []syntax.WordPart) syntax.WordPart {
	if len(parts) == 0 {
		return nil
	}
	return parts[0]
}
