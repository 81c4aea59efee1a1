package awk

// expr is a node of an expression.
type expr struct {
	op   string // see eval
	text string
	num  float64
	args []*expr
	re   Matcher
	fn   *function
	slot int // of a local variable, from 1 on
}

// stmt is a node of a statement.
type stmt struct {
	op         string
	a, b       *expr
	list       []*expr
	init, step *stmt
	body, alt  []*stmt
	redirect   string // "", >, >>, |
	dest       *expr
}

type rule struct {
	begin, end bool
	from, to   *expr
	body       []*stmt
	bare       bool // no action: print
	active     bool
}

type function struct {
	name   string
	params []string
	body   []*stmt
	known  bool
	line   int
}

// Program is a parsed program.
type Program struct {
	rules []*rule
	funcs map[string]*function
}
