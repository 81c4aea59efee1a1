package playbook

import (
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/file"
	"github.com/expr-lang/expr/types"
	"github.com/expr-lang/expr/vm"

	"honeyguide"
)

// Bounds of an expression. Together with those of the fields they bound what one
// may cost before it has run.
const (
	maxExpr   = 2000    // bytes
	maxNodes  = 250     // of its syntax tree
	maxCost   = 300_000 // parts looked at, loops included: a few milliseconds
	maxMemory = 200_000 // elements of lists it may make
)

// A want is what an expression is for.
type want byte

const (
	wantBool want = iota // a condition
	wantText             // anything that can be written into a text
	wantList             // of texts
)

// An Expr is a compiled expression. It ends soon, changes nothing and reaches
// nothing but the facts it is given. It is safe for concurrent use.
type Expr struct {
	source  string
	program *vm.Program
	needs   []*field
}

// String returns the text of the expression.
func (x *Expr) String() string { return x.source }

// A scope is what an expression may name beyond the fields.
type scope struct {
	known  bool // whether the two others are
	inputs []string
	steps  []string
}

// An exprError says what is wrong with an expression, and where.
type exprError struct {
	at   int // offset in bytes
	text string
}

// Error returns the fault and its place.
func (e *exprError) Error() string { return fmt.Sprintf("column %d: %s", e.at+1, e.text) }

// Compile reads a condition: comparisons of fields, numbers, texts, severities
// and times, `in`, `contains`, and, or, not, and loops such as any(alerts, .score > 80).
// See docs/reference/playbooks.md for all of it.
func Compile(source string) (*Expr, error) { return compile(source, wantBool, scope{}) }

// allowed are the functions of the library that stay: none of them reaches out,
// depends on the clock, or makes much of little.
var allowed = []string{
	"all", "any", "none", "one", "count", "filter", "find", "map", "len", "first", "last", "sum",
	"abs", "ceil", "floor", "round", "int", "float", "max", "min", "trim", "upper", "lower", "join", "duration",
}

// options returns what is the same for all expressions.
func options() []expr.Option {
	out := []expr.Option{expr.Env(typesOf()), expr.MaxNodes(maxNodes), expr.DisableAllBuiltins(), expr.DisableIfOperator()}
	for _, name := range allowed {
		out = append(out, expr.EnableBuiltin(name))
	}
	for op, is := range orders {
		name := "severity " + op // a name nobody can write
		out = append(out, expr.Function(name, func(p ...any) (any, error) {
			return is(p[0].(level).rank, p[1].(level).rank), nil
		}, new(func(level, level) bool)), expr.Operator(op, name))
	}
	const name = "list contains"
	return append(out, expr.Function(name, contains, new(func([]string, string) bool), new(func([]any, string) bool)), expr.Operator("contains", name))
}

// contains tells whether a text is among those of a list.
func contains(p ...any) (any, error) {
	if list, ok := p[0].([]string); ok {
		return slices.Contains(list, p[1].(string)), nil
	}
	return slices.Contains(p[0].([]any), p[1]), nil
}

// orders are how severities compare.
var orders = map[string]func(a, b honeyguide.Severity) bool{
	"==": func(a, b honeyguide.Severity) bool { return a == b },
	"!=": func(a, b honeyguide.Severity) bool { return a != b },
	"<":  func(a, b honeyguide.Severity) bool { return a < b },
	"<=": func(a, b honeyguide.Severity) bool { return a <= b },
	">":  func(a, b honeyguide.Severity) bool { return a > b },
	">=": func(a, b honeyguide.Severity) bool { return a >= b },
}

// typesOf returns the types of all fields.
func typesOf() types.Map {
	out := make(types.Map, len(fieldIndex))
	for name, f := range fieldIndex {
		out[name] = types.TypeOf(f.like)
	}
	return out
}

func compile(source string, w want, s scope) (*Expr, error) {
	if len(source) > maxExpr {
		return nil, &exprError{0, fmt.Sprintf("the expression is longer than %d characters", maxExpr)}
	}
	k := &keeper{scope: s}
	program, err := expr.Compile(source, append(options(), expr.Patch(k))...)
	if k.fault != nil { // says it better
		k.fault.at = offset(source, k.fault.at)
		return nil, k.fault
	}
	if err != nil {
		return nil, explain(source, err)
	}
	node := program.Node()
	if why := unfit(node.Nature(), w); why != "" {
		return nil, &exprError{0, why}
	}
	x := &Expr{source: source, program: program}
	for _, name := range k.names {
		x.needs = append(x.needs, fieldIndex[name])
	}
	return x, nil
}

// explain brings an error of the library into our words.
func explain(source string, err error) error {
	var f *file.Error
	if !errors.As(err, &f) {
		return &exprError{0, reword(err.Error())}
	}
	return &exprError{offset(source, f.From), reword(f.Message)}
}

// offset turns a number of characters into one of bytes.
func offset(s string, runes int) int {
	for i := range s {
		if runes == 0 {
			return i
		}
		runes--
	}
	return len(s)
}

// A machine runs programs one after the other.
type machine struct {
	vm.VM
	env map[string]any
}

var machines = sync.Pool{New: func() any {
	return &machine{VM: vm.VM{MemoryBudget: maxMemory}, env: map[string]any{}}
}}

// eval runs the expression.
func (x *Expr) eval(f *Facts) (any, error) {
	m := machines.Get().(*machine)
	for _, n := range x.needs {
		m.env[n.name] = n.get(f)
	}
	v, err := m.Run(x.program, m.env)
	clear(m.env) // it must not keep what it saw
	machines.Put(m)
	if err != nil {
		return nil, explain(x.source, err)
	}
	return v, nil
}

// True evaluates a condition.
func (x *Expr) True(f *Facts) (bool, error) {
	v, err := x.eval(f)
	if err != nil {
		return false, err
	}
	b, ok := v.(bool)
	if !ok {
		return false, fmt.Errorf("the condition yields %T", v)
	}
	return b, nil
}

// compiled keeps what was compiled from the texts of runs; it is emptied when it
// is full.
type compiled struct {
	mu   sync.Mutex
	list map[string]*Expr
}

// maxCompiled bounds it.
const maxCompiled = 1024

var memory compiled

// recall compiles an expression of a run, or finds it.
func recall(source string, w want) (*Expr, error) {
	key := string('0'+byte(w)) + source
	memory.mu.Lock()
	x := memory.list[key]
	memory.mu.Unlock()
	if x != nil {
		return x, nil
	}
	x, err := compile(source, w, scope{})
	if err != nil {
		return nil, err
	}
	memory.mu.Lock()
	defer memory.mu.Unlock()
	if memory.list == nil || len(memory.list) >= maxCompiled {
		memory.list = map[string]*Expr{}
	}
	memory.list[key] = x
	return x, nil
}
