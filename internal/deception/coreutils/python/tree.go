package python

// Expressions.
type (
	expr interface{ at() pos }

	constE struct {
		pos
		v any
	}
	nameE struct {
		pos
		id string
	}
	formatE struct {
		pos
		parts []strPart
	}
	seqE struct { // list, tuple, set
		pos
		kind  byte // [ ( {
		items []expr
	}
	dictE struct {
		pos
		keys, vals []expr // a nil key is **value
	}
	compE struct { // comprehension
		pos
		kind     byte // [ ( { and : for a dict
		elt, val expr
		clauses  []clause
	}
	unaryE struct {
		pos
		op string
		x  expr
	}
	binE struct {
		pos
		op   string
		opAt int
		x, y expr
	}
	boolE struct {
		pos
		op   string
		x, y expr
	}
	compareE struct {
		pos
		x   expr
		ops []string
		ys  []expr
	}
	condE struct {
		pos
		cond, yes, no expr
	}
	callE struct {
		pos
		fn   expr
		args []argE
	}
	attrE struct {
		pos
		x    expr
		name string
	}
	indexE struct {
		pos
		x, i  expr
		opens int // column of the bracket
	}
	sliceE struct {
		pos
		lo, hi, step expr
	}
	lambdaE struct {
		pos
		fn *funcDef
	}
	starE struct {
		pos
		x expr
	}
	walrusE struct {
		pos
		name string
		x    expr
	}
	yieldE struct {
		pos
		x    expr
		from bool
	}
)

func (p pos) at() pos { return p }

type clause struct {
	target, iter expr
	conds        []expr
}

type argE struct {
	name string
	star int // 1 for *x, 2 for **x
	x    expr
}

// Statements.
type (
	stmt interface{ at() pos }

	exprS struct {
		pos
		x expr
	}
	assignS struct {
		pos
		targets []expr
		x       expr
	}
	augS struct {
		pos
		op     string
		target expr
		x      expr
	}
	delS struct {
		pos
		targets []expr
	}
	simpleS struct { // pass break continue
		pos
		word string
	}
	returnS struct {
		pos
		x expr
	}
	raiseS struct {
		pos
		x, cause expr
	}
	scopeS struct { // global, nonlocal
		pos
		word  string
		names []string
	}
	importS struct {
		pos
		module string
		as     string
		from   bool
		names  [][2]string // name, as; "*" for all
		level  int
	}
	ifS struct {
		pos
		cond      expr
		then, alt []stmt
	}
	whileS struct {
		pos
		cond      expr
		body, alt []stmt
	}
	forS struct {
		pos
		target, iter expr
		body, alt    []stmt
	}
	tryS struct {
		pos
		body, alt, final []stmt
		handlers         []handler
	}
	withS struct {
		pos
		items []withItem
		body  []stmt
	}
	defS struct {
		pos
		fn         *funcDef
		decorators []expr
	}
	classS struct {
		pos
		name       string
		bases      []argE
		body       []stmt
		decorators []expr
	}
	assertS struct {
		pos
		x, msg expr
	}
)

type handler struct {
	pos
	kind expr // nil catches all
	name string
	body []stmt
}

type withItem struct{ x, as expr }

type param struct {
	name string
	def  expr
	star int // 1 *args, 2 **kw
	only bool
}

type funcDef struct {
	name   string
	params []param
	body   []stmt
	value  expr // of a lambda
	locals map[string]bool
	outer  map[string]string // declared global or nonlocal
	gen    bool
	line   int
}
