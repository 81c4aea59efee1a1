package sigma

import (
	"fmt"
	"strings"
)

// A cond is a condition as written.
type cond struct {
	op   byte // '&', '|', '!', 'n' name, 'q' quantified
	args []*cond
	name string // of a selection, or the pattern of a quantified one
	n    int    // of how many; 0 means all
}

// maxDepth bounds nesting of conditions and of values.
const maxDepth = 64

var brackets = strings.NewReplacer("(", " ( ", ")", " ) ")

type condParser struct {
	toks  []string
	depth int
}

// parseCondition reads a condition. Words are read in any letter case; `or`
// binds weakest, then `and`, `not`, `x of`.
func parseCondition(s string) (*cond, error) {
	if strings.Contains(s, "|") {
		return nil, fmt.Errorf("old aggregation in the condition: write a correlation rule instead")
	}
	s = brackets.Replace(s)
	p := &condParser{toks: strings.Fields(s)}
	if len(p.toks) == 0 {
		return nil, fmt.Errorf("the condition is empty")
	}
	c, err := p.or()
	if err == nil && len(p.toks) > 0 {
		err = fmt.Errorf("unexpected %q in the condition", p.toks[0])
	}
	return c, err
}

func (p *condParser) word(w string) bool {
	if len(p.toks) > 0 && strings.EqualFold(p.toks[0], w) {
		p.toks = p.toks[1:]
		return true
	}
	return false
}

func (p *condParser) or() (*cond, error)  { return p.list("or", '|', p.and) }
func (p *condParser) and() (*cond, error) { return p.list("and", '&', p.not) }

func (p *condParser) list(word string, op byte, sub func() (*cond, error)) (*cond, error) {
	c, err := sub()
	for err == nil && p.word(word) {
		var d *cond
		if d, err = sub(); err == nil {
			if c.op == op {
				c.args = append(c.args, d)
			} else {
				c = &cond{op: op, args: []*cond{c, d}}
			}
		}
	}
	return c, err
}

func (p *condParser) not() (*cond, error) {
	if p.depth++; p.depth > maxDepth {
		return nil, fmt.Errorf("the condition is nested deeper than %d", maxDepth)
	}
	defer func() { p.depth-- }()
	if p.word("not") {
		c, err := p.not()
		return &cond{op: '!', args: []*cond{c}}, err
	}
	if p.word("(") {
		c, err := p.or()
		if err == nil && !p.word(")") {
			err = fmt.Errorf("a bracket in the condition is not closed")
		}
		// A bracket keeps its own list.
		return &cond{op: '&', args: []*cond{c}}, err
	}
	return p.term()
}

func (p *condParser) term() (*cond, error) {
	if len(p.toks) == 0 {
		return nil, fmt.Errorf("the condition ends too early")
	}
	t := p.toks[0]
	p.toks = p.toks[1:]
	if t == ")" {
		return nil, fmt.Errorf("unexpected bracket in the condition")
	}
	n, quantified := quantity(t)
	if quantified && p.word("of") {
		if len(p.toks) == 0 {
			return nil, fmt.Errorf("%q of what? The condition ends there", t)
		}
		name := p.toks[0]
		p.toks = p.toks[1:]
		return &cond{op: 'q', name: name, n: n}, nil
	}
	switch strings.ToLower(t) {
	case "and", "or", "of":
		return nil, fmt.Errorf("unexpected %q in the condition", t)
	}
	return &cond{op: 'n', name: t}, nil
}

// quantity reads 1, any, all or a number.
func quantity(t string) (int, bool) {
	switch strings.ToLower(t) {
	case "all":
		return 0, true
	case "any":
		return 1, true
	}
	n := 0
	for _, c := range t {
		if c < '0' || c > '9' || n > 1000 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, n > 0
}
