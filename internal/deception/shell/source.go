package shell

import (
	"errors"
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"mvdan.cc/sh/v3/syntax"

	"honeyguide/internal/deception/shell/grammar"
)

// A kind says where text comes from, which decides how errors are prefixed.
type kind uint8

const (
	fromArg kind = iota // bash -c
	fromStdin
	fromFile
	fromTTY
	fromEval
	fromSubst // backquotes
)

// A source is a text to be run.
type source struct {
	name string // of the file
	text string
	kind kind
}

// A unit is one complete command: what is parsed and run at once.
type unit struct {
	src     *source
	text    string
	line    int // of its first line
	stmts   []*syntax.Stmt
	bad     []defect
	words   map[string]*syntax.Word // texts expanded on their own, by text
	aliased string                  // the alias this text came from
	lets    map[string]*unit        // let commands read as plain ones
	kept    bool                    // charged for as long as a function needs it
}

// size is about what a unit takes in memory: its text twice and a node of the
// tree for every character that may begin one.
func (u *unit) size() int {
	n := 2 * len(u.text)
	for i := range len(u.text) {
		switch u.text[i] {
		case ' ', '\t', '\n', ';', '|', '&', '$', '`', '"', '\'', '(', '{', '<', '>':
			n += nodeSize
		}
	}
	return n
}

// nodeSize is about what a word, a quotation or an expansion takes.
const nodeSize = 160

// A defect is an expansion the parser refuses and bash finds at run time.
type defect struct {
	kind byte // '{' parameter, '(' arithmetic, '`' command
	text string
}

// badName begins the parameter that stands in for a defect.
const badName = "__defect_"

// A stmtRef is a statement with the unit it belongs to.
type stmtRef struct {
	stmt *syntax.Stmt
	unit *unit
}

var parsers = sync.Pool{New: func() any { return syntax.NewParser(syntax.Variant(syntax.LangBash)) }}

// parse makes a tree of a complete command. What the parser refuses although
// it is complete is replaced by something that fails when it is run.
func parse(src *source, text string, line int) (*unit, error) {
	if p, ok := parsed.get(text); ok {
		return &unit{src: src, text: p.text, line: line, stmts: p.stmts, bad: p.bad}, nil
	}
	u := &unit{src: src, text: strings.ReplaceAll(text, "\r", carriage), line: line}
	p := parsers.Get().(*syntax.Parser)
	defer parsers.Put(p)
	for range 16 {
		f, err := p.Parse(strings.NewReader(u.text), "")
		if err == nil {
			u.stmts = f.Stmts
			if strings.Contains(u.text, carriage) {
				restore(f)
			}
			parsed.put(text, parsedText{u.text, u.stmts, u.bad})
			return u, nil
		}
		if !u.repair(err) {
			return nil, err
		}
	}
	return nil, errors.New("too many defects")
}

// carriage stands for a carriage return while text is parsed: the parser drops
// those before a newline, bash makes them part of the word.
const carriage = "\ue00d"

// restore puts carriage returns back into a tree.
func restore(f *syntax.File) {
	syntax.Walk(f, func(n syntax.Node) bool {
		switch n := n.(type) {
		case *syntax.Lit:
			n.Value = strings.ReplaceAll(n.Value, carriage, "\r")
		case *syntax.SglQuoted:
			n.Value = strings.ReplaceAll(n.Value, carriage, "\r")
		}
		return true
	})
}

// repair replaces the innermost expansion around the parser's error.
func (u *unit) repair(err error) bool {
	off := -1
	var pe syntax.ParseError
	var le syntax.LangError
	switch {
	case errors.As(err, &pe):
		off = int(pe.Pos.Offset())
	case errors.As(err, &le):
		off = int(le.Pos.Offset())
	default:
		return false
	}
	if t, ok := plainLets(u.text); ok {
		u.text = t
		return true
	}
	if strings.HasPrefix(u.text[min(off, len(u.text)):], "let") && !strings.HasSuffix(u.text[:off], "\\") {
		u.text = u.text[:off] + "\\" + u.text[off:] // a let without arguments
		return true
	}
	if at := declarationBefore(u.text, off); at >= 0 {
		u.text = u.text[:at] + "\\" + u.text[at:]
		return true
	}
	if u.repairText(off) {
		return true
	}
	var best grammar.Span
	found := false
	for _, s := range grammar.Spans(u.text) {
		if s.From <= off && off <= s.To && (!found || s.To-s.From < best.To-best.From) && !strings.Contains(u.text[s.From:s.To], badName) {
			best, found = s, true
		}
	}
	if !found {
		return false
	}
	name := badName + strconv.Itoa(len(u.bad))
	d := defect{kind: best.Kind, text: u.text[best.From:best.To]}
	repl := "${" + name + "}"
	switch best.Kind {
	case '(':
		d.text = strings.TrimSuffix(strings.TrimPrefix(d.text, "$(("), "))")
		repl = "$((" + name + "))"
	case 'c':
		d.text = strings.TrimSuffix(strings.TrimPrefix(d.text, "(("), "))")
		repl = "((" + name + "))"
	case '`':
		d.text = strings.Trim(d.text, "`")
	}
	u.bad = append(u.bad, d)
	u.text = u.text[:best.From] + repl + u.text[best.To:]
	return true
}

// repairText rewrites what bash reads and the parser does not: an assignment
// without a subscript between its brackets, and a command negated twice.
func (u *unit) repairText(off int) bool {
	off = min(off, len(u.text))
	from := strings.LastIndexAny(u.text[:off], " \t\n;&|({") + 1
	if m := emptySubscript.FindStringSubmatchIndex(u.text[from:]); m != nil {
		name := badName + strconv.Itoa(len(u.bad))
		u.bad = append(u.bad, defect{kind: '['})
		u.text = u.text[:from+m[3]] + name + u.text[from+m[3]:]
		return true
	}
	if m := twiceNegated.FindStringSubmatchIndex(u.text[off:]); m != nil {
		u.text = u.text[:off] + strings.Repeat(" ", m[3]) + u.text[off+m[3]:]
		return true
	}
	if m := loneNegation.FindStringSubmatchIndex(u.text[off:]); m != nil {
		u.text = u.text[:off] + "false" + u.text[off+1:]
		return true
	}
	return false
}

var (
	loneNegation   = regexp.MustCompile(`^![ \t]*([;&|\n]|$)`)
	emptySubscript = regexp.MustCompile(`^([A-Za-z_][A-Za-z_0-9]*\[)\]\+?=`)
	twiceNegated   = regexp.MustCompile(`^(![ \t]+!)[ \t]`)
)

// declarationBefore finds the declaring builtin at or before an offset in the
// same command, so that a name it cannot take becomes a plain argument.
func declarationBefore(text string, off int) int {
	off = min(off, len(text))
	from := strings.LastIndexAny(text[:off], ";&|\n({") + 1
	for _, w := range []string{"export", "declare", "readonly", "local", "typeset"} {
		i := strings.Index(text[from:], w)
		if i >= 0 && from+i <= off && strings.TrimSpace(text[from:from+i]) == "" && !strings.Contains(text[from+i:off], "$") {
			return from + i
		}
	}
	return -1
}

// defect returns the defect a parameter stands for.
func (u *unit) defect(name string) (defect, bool) {
	rest, ok := strings.CutPrefix(name, badName)
	if !ok || u == nil {
		return defect{}, false
	}
	n, err := strconv.Atoi(rest)
	if err != nil || n >= len(u.bad) {
		return defect{}, false
	}
	return u.bad[n], true
}

// slice returns the source text between two positions.
func (u *unit) slice(from, to syntax.Pos) string {
	a, b := int(from.Offset()), int(to.Offset())
	if a < 0 || b > len(u.text) || a > b {
		return ""
	}
	if s := u.text[a:b]; !strings.Contains(s, carriage) {
		return s
	}
	return strings.ReplaceAll(u.text[a:b], carriage, "\r")
}

// runText runs a source from its first line, counted from base+1, to its end.
func (e *env) runText(src *source, base int) int {
	saved, savedLine := e.unit, e.line
	defer func() {
		e.unit = saved
		if src.kind == fromEval || src.kind == fromSubst {
			e.line = savedLine
		}
	}()
	off, line := 0, base+1
	status := 0
	ran := false
	for off < len(src.text) {
		g := grammar.Next(src.text[off:], 0, e.grammarOptions(line))
		if g.Err != nil {
			e.syntaxError(src, off, base, g.Err)
			return e.status
		}
		e.openDocuments(g.Open)
		text := closeDocuments(src.text[off:off+g.End], g.Open)
		if !g.Blank {
			ran = true
			status = e.runUnit(src, text, line)
			if e.flow == discarding && src.kind != fromEval && src.kind != fromSubst && e.level == 0 && len(e.frames) == 0 {
				e.flow = goingOn
			}
		}
		if e.flow != goingOn {
			if e.flow == discarding && src.kind == fromEval {
				e.flow = goingOn
			}
			break
		}
		line += strings.Count(src.text[off:off+g.End], "\n")
		off += g.End
	}
	if !ran {
		return 0
	}
	return status
}

func (e *env) grammarOptions(line int) grammar.Options {
	return grammar.Options{ExtGlob: e.shopts&shExtGlob != 0, Posix: e.dialect == dash, Ash: e.dialect == ash, Line: line}
}

// closeDocuments ends the here-documents that ended with the text, for the
// parser insists on it.
func closeDocuments(text string, open []grammar.Here) string {
	for _, h := range open {
		if !strings.HasSuffix(text, "\n") {
			text += "\n"
		}
		text += h.Word + "\n"
	}
	return text
}

// openDocuments warns of here-documents that ended with the text.
func (e *env) openDocuments(open []grammar.Here) {
	if e.dialect != bash {
		return
	}
	for _, h := range open {
		e.line = h.Last
		e.errorf("warning: here-document at line %d delimited by end-of-file (wanted `%s')", h.Line, h.Word)
	}
}

// runUnit parses and runs one complete command.
func (e *env) runUnit(src *source, text string, line int) int {
	u, err := parse(src, text, line)
	if err != nil {
		e.k.sh.opt.Watch.Unsupported("syntax: " + err.Error())
		e.status = 2
		return 2
	}
	mark := e.scratch
	if err := e.hold(u.size()); err != nil {
		return 2
	}
	status := e.runParsed(u)
	e.unhold(mark)
	return status
}

func (e *env) runParsed(u *unit) int {
	if e.opts&optVerbose != 0 {
		e.warn(strings.TrimSuffix(u.text, "\n") + "\n")
	}
	e.unit = u
	if n := len(u.stmts); n > 0 && u.src.kind == fromArg && strings.HasSuffix(u.src.text, strings.TrimSuffix(u.text, "\n")) && simple(u.stmts[n-1]) {
		e.oneshot = u.stmts[n-1]
	}
	return e.stmts(u.stmts)
}

// syntaxError writes what the shell says of a text it cannot read.
func (e *env) syntaxError(src *source, off, base int, g *grammar.Error) {
	e.status = g.Status
	if e.dialect != bash {
		e.dashSyntaxError(g)
		return
	}
	where := e.name + ": "
	switch {
	case src.kind == fromTTY || e.interactive && src.kind == fromArg:
		where = e.name + ": "
	case src.kind == fromArg:
		where += fmt.Sprintf("-c: line %d: ", g.Line)
	case src.kind == fromEval:
		where += fmt.Sprintf("eval: line %d: ", g.Line)
	case src.kind == fromSubst:
		where += fmt.Sprintf("command substitution: line %d: ", g.Line)
	case src.kind == fromFile:
		where = fmt.Sprintf("%s: line %d: ", src.name, g.Line)
	default:
		where += fmt.Sprintf("line %d: ", g.Line)
	}
	switch g.Kind {
	case grammar.Unexpected:
		e.warn(where + "syntax error near unexpected token `" + g.Token + "'\n")
		if src.kind != fromTTY {
			e.warn(where + "`" + lineOf(src.text[off:], g.Line-base-1-strings.Count(src.text[:off], "\n")) + "'\n")
		}
	case grammar.EOF:
		e.warn(where + "syntax error: unexpected end of file\n")
	case grammar.Unclosed:
		e.warn(where + "unexpected EOF while looking for matching `" + g.Token + "'\n")
		if g.Then != "" {
			at := strings.LastIndex(where, "line ")
			e.warn(where[:at] + fmt.Sprintf("line %d: ", g.Line+1) + g.Then + "\n")
		}
	case grammar.Cond:
		if g.Token != "" {
			e.warn(where + g.Token + "\n")
		}
	}
}

func (e *env) dashSyntaxError(g *grammar.Error) {
	e.line = g.Line
	expect := ""
	switch g.Expect {
	case "":
	case "word":
		expect = " (expecting word)"
	default:
		expect = ` (expecting "` + g.Expect + `")`
	}
	msg := ""
	switch g.Kind {
	case grammar.Unexpected:
		tok := `"` + g.Token + `"`
		switch g.Token {
		case "newline", "redirection", "word":
			tok = g.Token
		}
		msg = tok + " unexpected" + expect
		if e.dialect == ash {
			msg = "unexpected " + tok
		}
	case grammar.EOF:
		msg = "end of file unexpected" + expect
		if e.dialect == ash {
			msg = "unexpected end of file" + expect
		}
	case grammar.Cond:
		msg = g.Token
	default:
		switch g.Token {
		case "}":
			msg = "Missing '}'"
		case "))":
			msg = "Missing '))'"
		case "`":
			msg = "EOF in backquote substitution"
		default:
			msg = "Unterminated quoted string"
		}
		if e.dialect == ash {
			msg = "unterminated quoted string"
		}
	}
	if e.dialect == ash {
		e.line = 0
		msg = "syntax error: " + msg
	} else {
		msg = "Syntax error: " + msg
	}
	e.errorf("%s", msg)
	e.status = 2
}

// lineOf returns line n, counted from 0, of text.
func lineOf(text string, n int) string {
	for range max(n, 0) {
		_, rest, ok := strings.Cut(text, "\n")
		if !ok {
			break
		}
		text = rest
	}
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// plainLets makes let a command like others: its arguments are judged when it
// runs.
func plainLets(text string) (string, bool) {
	if !strings.Contains(text, "let") {
		return text, false
	}
	var b strings.Builder
	found, start, quote := false, true, byte(0)
	for i := 0; i < len(text); i++ {
		c := text[i]
		switch {
		case quote != 0:
			if c == quote {
				quote = 0
			} else if c == '\\' && quote == '"' && i+1 < len(text) {
				b.WriteByte(c)
				i++
				c = text[i]
			}
		case c == '\\' && i+1 < len(text):
			b.WriteByte(c)
			i++
			c = text[i]
			start = false
		case c == '\'' || c == '"':
			quote, start = c, false
		case start && strings.HasPrefix(text[i:], "let") && (i+3 == len(text) || strings.IndexByte(" \t\n;&|)", text[i+3]) >= 0):
			b.WriteByte('\\')
			found, start = true, false
		case strings.IndexByte(";&|\n({", c) >= 0:
			start = true
		case c != ' ' && c != '\t':
			start = false
		}
		b.WriteByte(c)
	}
	return b.String(), found
}
