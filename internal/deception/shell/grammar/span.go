package grammar

// A Span is an expansion inside a command: '{' for ${ }, '(' for $(( )),
// 'c' for the command (( )), '`' for backquotes.
type Span struct {
	Kind     byte
	From, To int
}

// Spans returns the expansions of a complete command, so that one the parser
// cannot read may be cut out.
func Spans(src string) []Span {
	p := &parser{src: src, line: 1, status: 2, spans: new([]Span)}
	for p.err == nil && p.pos < len(src) {
		before := p.pos
		p.unit()
		if p.pos == before {
			break
		}
	}
	return *p.spans
}

func (p *parser) span(kind byte, from int) {
	if p.spans != nil && len(*p.spans) < 1000 {
		*p.spans = append(*p.spans, Span{kind, from, p.pos})
	}
}
