package perl

import (
	"strconv"
	"strings"
)

func itoa(n int) string { return strconv.Itoa(n) }

// unaryFunctions take one argument, $_ when there is none.
const unaryFunctions = " defined ref scalar lc uc lcfirst ucfirst length chr ord int hex oct abs sqrt log exp sin cos rand srand chomp chop quotemeta exit sleep shift pop keys values each delete exists close chdir rmdir readline eof undef localtime gmtime caller umask lock fc "

// listFunctions take a list.
const listFunctions = " die warn push unshift splice join split sprintf reverse unlink mkdir system exec open binmode index rindex substr pack unpack kill chmod chown rename select connect socket bind listen accept wait waitpid fork time times wantarray getppid return sort map grep print printf say printf opendir readdir closedir syswrite sysread inet_aton sockaddr_in getprotobyname eval do require local my our last next redo bless gethostbyname sockaddr_un send recv shutdown exists link symlink utime atan2 lstat stat setsockopt getpwuid getpwnam getlogin hostname sockaddr_in INADDR_ANY PF_INET AF_INET SOCK_STREAM SOCK_DGRAM "

func (p *parser) primary() *node {
	p.ws()
	p.step(1)
	line := p.line
	if p.i >= len(p.src) {
		p.fail("")
	}
	c := p.src[p.i]
	switch {
	case c >= '0' && c <= '9' || c == '.' && p.i+1 < len(p.src) && p.src[p.i+1] >= '0' && p.src[p.i+1] <= '9':
		return p.number()
	case c == '"':
		return p.interpolate(p.quoted())
	case c == '\'':
		return &node{op: "str", s: unquote(p.quoted())}
	case c == '`':
		return &node{op: "qx", kids: []*node{p.interpolate(p.quoted())}, line: line}
	case c == '$' || c == '@' || c == '%' || c == '&':
		return p.variable()
	case c == '(':
		p.i++
		n := p.until(")")
		if n.op != "list" {
			n = &node{op: "list", kids: []*node{n}, line: line}
		}
		if p.ws(); p.at("[") {
			p.i++
			i := p.until("]")
			return &node{op: "slice", kids: []*node{n, i}, line: line}
		}
		return n
	case c == '[':
		p.i++
		return &node{op: "array", kids: []*node{p.until("]")}, line: line}
	case c == '{':
		p.i++
		return &node{op: "hash", kids: []*node{p.until("}")}, line: line}
	case c == '/':
		return p.match("")
	case c == '<':
		return p.angle()
	}
	word := p.peekWord()
	if word == "" {
		p.fail("")
	}
	return p.word(word)
}

func (p *parser) number() *node {
	j := p.i
	s := p.src
	if s[j] == '0' && j+1 < len(s) && strings.IndexByte("xXbB", s[j+1]) >= 0 {
		for j += 2; j < len(s) && isWordByte(s[j]); j++ {
		}
		n, _ := strconv.ParseUint(strings.ReplaceAll(s[p.i:j], "_", ""), 0, 64)
		p.i = j
		return &node{op: "num", s: strconv.FormatUint(n, 10)}
	}
	for j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '_') {
		j++
	}
	if j+1 < len(s) && s[j] == '.' && s[j+1] != '.' {
		for j++; j < len(s) && (s[j] >= '0' && s[j] <= '9' || s[j] == '_'); j++ {
		}
	}
	if j+1 < len(s) && s[j]|0x20 == 'e' && (s[j+1] >= '0' && s[j+1] <= '9' || j+2 < len(s) && s[j+1] == '-') {
		for j += 2; j < len(s) && s[j] >= '0' && s[j] <= '9'; j++ {
		}
	}
	text := strings.ReplaceAll(s[p.i:j], "_", "")
	p.i = j
	if len(text) > 1 && text[0] == '0' && !strings.ContainsAny(text, ".e") {
		n, _ := strconv.ParseUint(text, 8, 64)
		text = strconv.FormatUint(n, 10)
	}
	return &node{op: "num", s: text}
}

// quoted reads from a delimiter to its partner.
func (p *parser) quoted() string {
	if p.i >= len(p.src) {
		p.fail("")
	}
	open := p.src[p.i]
	end := open
	if k := strings.IndexByte("([{<", open); k >= 0 {
		end = ")]}>"[k]
	}
	p.i++
	from, depth := p.i, 1
	for ; p.i < len(p.src); p.i++ {
		switch c := p.src[p.i]; {
		case c == '\\':
			p.i++
		case c == '\n':
			p.line++
		case c == end:
			if depth--; depth == 0 {
				p.i++
				return p.src[from : p.i-1]
			}
		case c == open:
			depth++
		}
	}
	panic(&fault{"Can't find string terminator " + map[bool]string{true: "'\"'", false: "\"" + string(end) + "\""}[end == '"'] + " anywhere before EOF at %s line " + itoa(p.line) + ".\n"})
}

func unquote(s string) string {
	return strings.NewReplacer(`\\`, `\`, `\'`, `'`).Replace(s)
}

// match is m// or qr//.
func (p *parser) match(op string) *node {
	n := &node{op: "match", s: op, line: p.line}
	n.kids = []*node{p.pattern(p.quoted()), {op: "str", s: p.flags()}}
	return n
}

func (p *parser) flags() string {
	j := p.i
	for j < len(p.src) && p.src[j] >= 'a' && p.src[j] <= 'z' {
		j++
	}
	f := p.src[p.i:j]
	p.i = j
	return f
}

// pattern is a regular expression: its variables are filled in, the rest stays.
func (p *parser) pattern(s string) *node { return p.parts(s, true) }

func (p *parser) interpolate(s string) *node { return p.parts(s, false) }

// parts splits text at the variables in it.
func (p *parser) parts(s string, re bool) *node {
	out := &node{op: "cat", line: p.line}
	var b strings.Builder
	flush := func() {
		if b.Len() > 0 {
			out.kids = append(out.kids, &node{op: "str", s: b.String()})
			b.Reset()
		}
	}
	for i := 0; i < len(s); {
		p.step(1)
		c := s[i]
		switch {
		case c == '\\' && i+1 < len(s) && re:
			b.WriteString(s[i : i+2])
			i += 2
		case c == '\\' && i+1 < len(s):
			i = escape(&b, s, i+1)
		case (c == '$' || c == '@') && i+1 < len(s) && (isWordByte(s[i+1]) && (c == '$' || s[i+1] > '9') || s[i+1] == '{' || c == '$' && s[i+1] == '#' && i+2 < len(s) && (isWordByte(s[i+2]) || s[i+2] == '{' || s[i+2] == '$') && !re || c == '$' && (strings.IndexByte("&!@$0;.", s[i+1]) >= 0 && !re || s[i+1] == '$' && i+2 < len(s)) || c == '@' && s[i+1] == '$'):
			flush()
			q := &parser{src: s, i: i, line: p.line, step: p.step, depth: p.depth}
			q.enter()
			v := q.embedded(re)
			if c == '@' {
				v = &node{op: "joined", kids: []*node{v}}
			}
			out.kids = append(out.kids, v)
			i = q.i
		default:
			b.WriteByte(c)
			i++
		}
	}
	flush()
	if len(out.kids) == 0 {
		return &node{op: "str"}
	}
	if len(out.kids) == 1 && out.kids[0].op == "str" {
		return out.kids[0]
	}
	return out
}

// embedded reads a variable inside text with its subscripts.
func (p *parser) embedded(re bool) *node {
	x := p.variable()
	for p.i < len(p.src) {
		switch {
		case p.at("->[") || p.at("->{"):
			p.i += 2
		case (x.op == "elem" || x.op == "helem") && (p.at("[") || p.at("{")) && !re:
		default:
			return x
		}
		if p.at("[") {
			p.i++
			x = &node{op: "elem", kids: []*node{{op: "@deref", kids: []*node{x}}, p.until("]")}}
		} else {
			x = &node{op: "helem", kids: []*node{{op: "%deref", kids: []*node{x}}, p.hashKey()}}
		}
	}
	return x
}

func escape(b *strings.Builder, s string, i int) int {
	c := s[i]
	if k := strings.IndexByte("ntr0abef", c); k >= 0 {
		b.WriteByte("\n\t\r\x00\a\b\x1b\f"[k])
		if c == '0' && i+2 < len(s) && s[i+1] >= '0' && s[i+1] <= '7' {
			n, _ := strconv.ParseUint(s[i:min(len(s), i+3)], 8, 8)
			t := b.String()
			b.Reset()
			b.WriteString(t[:len(t)-1] + string([]byte{byte(n)}))
			return min(len(s), i+3)
		}
		return i + 1
	}
	if c == 'x' {
		if strings.HasPrefix(s[i+1:], "{") {
			if h, _, ok := strings.Cut(s[i+2:], "}"); ok {
				n, _ := strconv.ParseUint(h, 16, 21)
				if n < 256 {
					b.WriteByte(byte(n))
				} else {
					b.WriteRune(rune(n))
				}
				return i + 3 + len(h)
			}
		}
		j := i + 1
		for j < len(s) && j < i+3 && strings.IndexByte("0123456789abcdefABCDEF", s[j]) >= 0 {
			j++
		}
		n, _ := strconv.ParseUint("0"+s[i+1:j], 16, 16)
		b.WriteByte(byte(n))
		return j
	}
	b.WriteByte(c)
	return i + 1
}

// variable reads $x, @x, %x, &f, their elements and dereferences.
func (p *parser) variable() *node {
	sigil := p.src[p.i]
	p.i++
	if sigil == '$' && p.at("#") && !p.at("# ") {
		p.i++
		if p.at("{") || p.at("$") {
			return &node{op: "last", kids: []*node{p.deref()}}
		}
		n := p.peekWord()
		p.i += len(n)
		return &node{op: "last", kids: []*node{{op: "@", s: n}}}
	}
	j := p.i
	for j < len(p.src) && (isWordByte(p.src[j]) || strings.HasPrefix(p.src[j:], "::") && j+2 < len(p.src) && isWordByte(p.src[j+2]) || j > p.i && p.src[j] == ':' && p.src[j-1] == ':') {
		j++
	}
	name := p.src[p.i:j]
	switch {
	case name != "":
		p.i = j
	case p.at("{") && p.i+2 < len(p.src) && simpleBraces(p.src[p.i:]):
		end := strings.IndexByte(p.src[p.i:], '}')
		name = strings.TrimSpace(p.src[p.i+1 : p.i+end])
		p.i += end + 1
	case p.at("{") || p.at("$"):
		return p.element(sigil, &node{op: string(map[byte]byte{'$': '$', '@': '@', '%': '%', '&': '&'}[sigil]) + "deref", kids: []*node{p.deref()}}, true)
	case p.i < len(p.src) && sigil == '$' && strings.IndexByte("!@&/\\,;.0$\"|<>()[]-+^", p.src[p.i]) >= 0:
		name = p.src[p.i : p.i+1]
		p.i++
		return &node{op: "$", s: name, line: p.line}
	default:
		p.fail("")
	}
	if sigil == '&' {
		args := &node{op: "@", s: "_"}
		if p.at("(") {
			p.i++
			args = p.until(")")
		}
		return &node{op: "call", s: name, kids: []*node{args}, line: p.line}
	}
	return p.element(sigil, &node{op: string(sigil), s: name, line: p.line}, false)
}

func simpleBraces(s string) bool {
	end := strings.IndexByte(s, '}')
	if end < 2 {
		return false
	}
	for _, c := range []byte(strings.TrimSpace(s[1:end])) {
		if !isWordByte(c) {
			return false
		}
	}
	return true
}

func (p *parser) deref() *node {
	if p.at("{") {
		p.i++
		return p.until("}")
	}
	p.i++
	if p.at("$") {
		return &node{op: "$deref", kids: []*node{p.deref()}}
	}
	n := p.peekWord()
	p.i += len(n)
	return &node{op: "$", s: n}
}

// element reads a subscript behind a variable: $x[0] is of @x, $x{k} of %x.
func (p *parser) element(sigil byte, v *node, ref bool) *node {
	of := func(kind string) *node {
		if ref {
			return &node{op: kind + "deref", kids: v.kids}
		}
		return &node{op: kind, s: v.s}
	}
	switch {
	case sigil == '$' && p.at("["):
		p.i++
		return &node{op: "elem", kids: []*node{of("@"), p.until("]")}, line: p.line}
	case sigil == '$' && p.at("{"):
		return &node{op: "helem", kids: []*node{of("%"), p.hashKey()}, line: p.line}
	case sigil == '@' && p.at("["):
		p.i++
		return &node{op: "slice", kids: []*node{of("@"), p.until("]")}, line: p.line}
	case sigil == '@' && p.at("{"):
		p.i++
		return &node{op: "hslice", kids: []*node{of("%"), p.until("}")}, line: p.line}
	}
	return v
}

// angle is <FH>, <> or a glob.
func (p *parser) angle() *node {
	if p.at("<<") && p.i+2 < len(p.src) && (p.src[p.i+2] == '"' || p.src[p.i+2] == '\'' || isWordByte(p.src[p.i+2]) || p.src[p.i+2] == '~') {
		p.i += 2
		p.eat("~")
		op, word := "heredoc", ""
		if c := p.src[p.i]; c == '"' || c == '\'' {
			if c == '\'' {
				op = "rawdoc"
			}
			word = p.quoted()
		} else {
			word = p.peekWord()
			p.i += len(word)
		}
		n := &node{op: op, s: word}
		p.docs = append(p.docs, n)
		return n
	}
	end := strings.IndexByte(p.src[p.i:], '>')
	if end < 0 {
		p.fail("")
	}
	name := p.src[p.i+1 : p.i+end]
	p.i += end + 1
	return &node{op: "read", s: name, line: p.line}
}

// word is a function, a string quoted by =>, a quote-like operator or a bareword.
func (p *parser) word(w string) *node {
	line := p.line
	save := p.i
	p.i += len(w)
	if s := p.i; true {
		if p.ws(); p.at("=>") {
			return &node{op: "str", s: w}
		}
		p.i = s
	}
	if n := p.quoteLike(w); n != nil {
		return n
	}
	switch w {
	case "my", "our", "local", "state":
		p.ws()
		return &node{op: "my", s: w, kids: []*node{p.postfix(p.primary())}, line: line}
	case "sub":
		return &node{op: "sub", kids: []*node{p.block()}, line: line}
	case "do", "eval":
		if p.ws(); p.at("{") {
			return &node{op: w, kids: []*node{p.block()}, line: line}
		}
	case "sort", "map", "grep":
		return p.blockList(w)
	case "print", "printf", "say":
		return p.printList(w)
	case "__FILE__", "__LINE__", "STDIN", "STDOUT", "STDERR":
		return &node{op: "str", s: w}
	}
	n := &node{op: "func", s: w, line: line}
	if w == "split" {
		defer func() { quotePattern(n) }()
	}
	known := strings.Contains(unaryFunctions, " "+w+" ") || strings.Contains(listFunctions, " "+w+" ")
	p.ws()
	switch {
	case p.at("("):
		p.i++
		n.kids = []*node{p.until(")")}
	case strings.Contains(unaryFunctions, " "+w+" "):
		if p.starts() {
			n.kids = []*node{p.binary(8)}
		}
	case known:
		if p.starts() {
			n.kids = []*node{p.comma()}
		}
	case p.at("->") || p.at("::"):
		return &node{op: "str", s: w}
	case w == "next" || w == "last":
	default:
		if p.starts() && !strings.Contains(w, "::") && p.i > save+len(w) && (p.at("$") || p.at("\"") || p.at("'")) { // a call of a function without brackets
			n.kids = []*node{p.comma()}
			return n
		}
		n.op = "bare word"
	}
	return n
}

// quotePattern keeps split's pattern from being matched.
func quotePattern(n *node) {
	if len(n.kids) == 0 {
		return
	}
	for n = n.kids[0]; n != nil && n.op == "list" && len(n.kids) > 0; {
		n = n.kids[0]
	}
	if n != nil && n.op == "match" {
		n.s = "qr"
	}
}

// starts reports that an argument may follow.
func (p *parser) starts() bool {
	p.ws()
	if p.i >= len(p.src) || strings.IndexByte(";)]}:?,.=*/|>", p.src[p.i]) >= 0 && !p.at("/") || p.ends() {
		return false
	}
	for _, o := range []string{"&&", "==", "!=", "<=", "=~", "eq ", "ne ", "x ", "cmp ", "lt ", "gt ", "< ", "+ ", "- "} {
		if p.at(o) {
			return false
		}
	}
	return true
}

func (p *parser) quoteLike(w string) *node {
	switch w {
	case "q", "qq", "qw", "qx", "m", "qr", "s", "tr", "y":
	default:
		return nil
	}
	save := p.i
	p.ws()
	if p.i >= len(p.src) || isWordByte(p.src[p.i]) || strings.IndexByte(",;)", p.src[p.i]) >= 0 || p.at("=>") || p.at("=") && w != "s" {
		p.i = save
		return nil
	}
	line := p.line
	switch w {
	case "q":
		return &node{op: "str", s: unquote(p.quoted())}
	case "qq":
		return p.interpolate(p.quoted())
	case "qw":
		n := &node{op: "list"}
		for _, f := range strings.Fields(p.quoted()) {
			n.kids = append(n.kids, &node{op: "str", s: f})
		}
		return n
	case "qx":
		return &node{op: "qx", kids: []*node{p.interpolate(p.quoted())}, line: line}
	case "m", "qr":
		return p.match(w)
	}
	open := p.src[p.i]
	from := p.quoted()
	if strings.IndexByte("([{<", open) >= 0 {
		p.ws()
	} else {
		p.i--
	}
	to := p.quoted()
	flags := p.flags()
	if w == "s" {
		by := p.interpolate(to)
		if strings.Contains(flags, "e") {
			q := &parser{src: to, line: p.line, step: p.step, depth: p.depth}
			by = q.statements("")
		}
		return &node{op: "subst", kids: []*node{p.pattern(from), by, {op: "str", s: flags}}, line: line}
	}
	return &node{op: "tr", s: flags, kids: []*node{{op: "str", s: from}, {op: "str", s: to}}, line: line}
}

// blockList is sort, map and grep with a block or an expression before the list.
func (p *parser) blockList(w string) *node {
	n := &node{op: w, line: p.line}
	paren := p.eat("(")
	p.ws()
	switch {
	case p.at("{"):
		n.kids = []*node{p.block()}
		p.eat(",")
	case w != "sort":
		n.kids = []*node{p.assign()}
		p.want(",")
	default:
		n.kids = []*node{nil}
	}
	if p.ws(); p.at(")") || !p.starts() {
		n.kids = append(n.kids, &node{op: "list"})
	} else {
		n.kids = append(n.kids, p.comma())
	}
	if paren {
		p.want(")")
	}
	return n
}

// printList is print with an optional handle.
func (p *parser) printList(w string) *node {
	n := &node{op: w, s: "STDOUT", line: p.line}
	paren := p.eat("(")
	p.ws()
	if p.at("{") {
		p.i++
		n.s = ""
		n.kids = []*node{nil, p.until("}")}
	} else if h := p.peekWord(); h != "" && h == strings.ToUpper(h) && h != "_" && !strings.HasPrefix(h, "__") {
		save := p.i
		p.i += len(h)
		if p.ws(); p.at(",") || p.at("(") || p.at(".") || p.at("->") {
			p.i = save
		} else {
			n.s = h
		}
	} else if p.at("$") { // print $fh LIST
		save := p.i
		p.i++
		name := p.peekWord()
		p.i += len(name)
		if name != "" && p.at(" ") && p.i+1 < len(p.src) && (strings.IndexByte("\"'$@", p.src[p.i+1]) >= 0 || p.src[p.i+1] >= 'a' && p.src[p.i+1] <= 'z' && !strings.HasPrefix(p.src[p.i+1:], "x ") && p.peekWord() != "if" && !p.ends() && len(p.peekWord()) > 2) {
			n.s = ""
			n.kids = []*node{nil, {op: "$", s: name}}
		} else {
			p.i = save
		}
	}
	args := &node{op: "$", s: "_"}
	if p.ws(); !p.at(")") && p.starts() {
		args = p.comma()
	}
	if len(n.kids) == 0 {
		n.kids = []*node{args}
	} else {
		n.kids[0] = args
	}
	if paren {
		p.want(")")
	}
	return n
}
