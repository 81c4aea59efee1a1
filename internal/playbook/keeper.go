package playbook

import (
	"fmt"
	"reflect"
	"regexp"
	"regexp/syntax"
	"slices"
	"strings"
	"time"

	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/checker/nature"
)

// A keeper walks the syntax tree of an expression before it is compiled: it
// refuses what has no bound, adds up what the rest may cost, and notes which
// fields are used. incident.score becomes one name, which is faster to look up
// and needs no more than that field.
type keeper struct {
	scope scope
	names []string // of fields, each once
	fault *exprError
	costs map[ast.Node]cost
}

// A cost is what one part of an expression may take.
type cost struct {
	work  int  // parts looked at
	size  int  // members when it is a list
	joins bool // makes a long text
}

// groups are names that are nothing alone.
var groups = []string{"incident", "asset", "summary"}

func (k *keeper) fail(n ast.Node, text string, args ...any) {
	if k.fault == nil {
		k.fault = &exprError{n.Location().From, fmt.Sprintf(text, args...)}
	}
}

// Visit looks at one part; those inside of it were visited before.
func (k *keeper) Visit(node *ast.Node) {
	if k.costs == nil {
		k.costs = map[ast.Node]cost{}
	}
	switch n := (*node).(type) {
	case *ast.IdentifierNode:
		k.identifier(n)
	case *ast.MemberNode:
		k.member(node, n)
	case *ast.CallNode:
		k.call(n)
	case *ast.BuiltinNode:
		if !slices.Contains(allowed, n.Name) {
			k.fault = nil // of what is inside: this is the cause
			k.fail(n, "no function %s; %s", clip(n.Name), hint(n.Name, allowed))
		}
	case *ast.BinaryNode:
		k.binary(n)
	case *ast.VariableDeclaratorNode, *ast.SequenceNode:
		k.fault = nil
		k.fail(n, "let and ; are not part of a condition")
	case *ast.MapNode:
		k.fail(n, "{key: value} is not part of a condition")
	}
	c := k.price(*node)
	c.work = min(c.work, 1<<40)
	if c.work > maxCost {
		k.fail(*node, "this may take too long: it would look at up to %d things (at most %d); put fewer loops into one another", c.work, maxCost)
	}
	k.costs[*node] = c
}

func (k *keeper) identifier(n *ast.IdentifierNode) {
	switch {
	case fieldIndex[n.Value] != nil:
		if !slices.Contains(k.names, n.Value) {
			k.names = append(k.names, n.Value)
		}
	case slices.Contains(groups, n.Value): // judged by the member it belongs to
	case n.Value == "$env":
		k.fail(n, "$env is not part of a condition")
	default:
		k.fail(n, "no field %q; %s; texts stand in quotes", clip(n.Value), hint(n.Value, names("")))
	}
}

// names returns the fields of a group, "" for those of none.
func names(group string) []string {
	var out []string
	for name := range fieldIndex {
		if g, rest, ok := strings.Cut(name, "."); ok && g == group {
			out = append(out, rest)
		} else if !ok && group == "" {
			out = append(out, name)
		}
	}
	if group == "" {
		out = append(out, groups...)
	}
	slices.Sort(out)
	return out
}

// member joins incident.score to one name, and looks whether inputs and steps
// are there.
func (k *keeper) member(node *ast.Node, n *ast.MemberNode) {
	prop, constant := n.Property.(*ast.StringNode)
	if parts := partsOf(n.Node.Type()); constant && parts != nil && !slices.Contains(parts, prop.Value) {
		k.fail(n.Property, "no %s here; %s", clip(prop.Value), hint(prop.Value, parts))
	}
	base, ok := n.Node.(*ast.IdentifierNode)
	if !ok {
		return
	}
	switch {
	case slices.Contains(groups, base.Value):
		if !constant || fieldIndex[base.Value+"."+prop.Value] == nil {
			word := n.Property.String()
			if constant {
				word = prop.Value
			}
			k.fail(n.Property, "%s has no %s; %s", base.Value, clip(word), hint(word, names(base.Value)))
			return
		}
		id := &ast.IdentifierNode{Value: base.Value + "." + prop.Value}
		if base.Value == "incident" { // both spellings are one field
			id.Value = prop.Value
		}
		ast.Patch(node, id)
		k.identifier(id)
	case base.Value == "vars" && constant && k.scope.known && !slices.Contains(k.scope.inputs, prop.Value):
		k.fail(n.Property, "no input %q; %s", clip(prop.Value), hint(prop.Value, k.scope.inputs))
	case base.Value == "steps" && constant && k.scope.known && !slices.Contains(k.scope.steps, prop.Value):
		k.fail(n.Property, "no earlier step %q; %s", clip(prop.Value), hint(prop.Value, k.scope.steps))
	}
}

// partsOf returns the names of the parts of an alert or a step, nil for other types.
func partsOf(t reflect.Type) []string {
	if t != reflect.TypeFor[alertView]() && t != reflect.TypeFor[stepView]() {
		return nil
	}
	var out []string
	for f := range t.Fields() {
		out = append(out, f.Tag.Get("expr"))
	}
	return out
}

// call refuses all functions that are none of the library: methods of values.
func (k *keeper) call(n *ast.CallNode) {
	if id, ok := n.Callee.(*ast.IdentifierNode); ok {
		k.fault = nil // of the name, which was taken for a field
		k.fail(n, "no function %s; %s", clip(id.Value), hint(id.Value, allowed))
		return
	}
	k.fail(n, "no function here; values have no methods")
}

// Bounds of a regular expression.
const (
	maxPattern = 200 // bytes
	maxStates  = 300 // a{1,100} has a hundred
)

// states is how large a pattern is when it is compiled: matching costs so many
// steps for each letter at most. 0: it is none.
func states(pattern string) int {
	r, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return 0
	}
	prog, err := syntax.Compile(r.Simplify())
	if err != nil {
		return 0
	}
	return len(prog.Inst)
}

func (k *keeper) binary(n *ast.BinaryNode) {
	switch n.Operator {
	case "..":
		k.fail(n, "ranges are not part of a condition")
	case "+":
		if isText(n.Left.Type()) || isText(n.Right.Type()) {
			k.fail(n, "texts are not added; write them one after the other: \"${short}: ${title}\"")
		}
	case "matches":
		p, ok := n.Right.(*ast.StringNode)
		if !ok {
			k.fail(n.Right, "matches: want a pattern in quotes")
			return
		}
		if _, err := regexp.Compile(p.Value); err != nil {
			k.fail(n.Right, "matches: %s", strings.TrimPrefix(err.Error(), "error parsing regexp: "))
		} else if len(p.Value) > maxPattern || states(p.Value) > maxStates {
			k.fail(n.Right, "matches: want a regular expression of at most %d characters and %d states", maxPattern, maxStates)
		}
	}
}

// price says what a part may take, all that is inside of it included.
func (k *keeper) price(node ast.Node) cost {
	out := cost{work: 1, size: listSize(node.Type())}
	inside := func(list ...ast.Node) (sum cost) {
		for _, n := range list {
			if n == nil {
				continue
			}
			c := k.costs[n]
			sum.work, sum.joins, sum.size = sum.work+c.work, sum.joins || c.joins, max(sum.size, c.size)
		}
		return sum
	}
	add := func(c cost) { out.work, out.joins = out.work+c.work, out.joins || c.joins }
	switch n := node.(type) {
	case *ast.IdentifierNode:
		if n.Value == "alerts" {
			out.size = maxAlerts
		}
	case *ast.UnaryNode:
		add(inside(n.Node))
	case *ast.ChainNode:
		add(inside(n.Node))
	case *ast.MemberNode:
		add(inside(n.Node, n.Property))
		out.size = min(out.size, maxSmall)
	case *ast.SliceNode:
		add(inside(n.Node, n.From, n.To))
		out.size = k.costs[n.Node].size
	case *ast.BinaryNode:
		add(inside(n.Left, n.Right))
		out.work += comparing(n, k.costs[n.Left].size+k.costs[n.Right].size)
	case *ast.ConditionalNode:
		add(inside(n.Cond, n.Exp1, n.Exp2))
		out.size = inside(n.Exp1, n.Exp2).size
	case *ast.ArrayNode:
		add(inside(n.Nodes...))
		out.size = len(n.Nodes)
	case *ast.PredicateNode:
		add(inside(n.Node))
		if out.joins {
			k.fail(n, "join cannot stand inside of a loop")
		}
	case *ast.CallNode:
		add(inside(n.Arguments...))
	case *ast.BuiltinNode:
		k.builtin(n, &out, inside)
	}
	return out
}

// comparing is what an operator takes beyond its sides; members is how many they
// have together when they are lists.
func comparing(n *ast.BinaryNode, members int) int {
	_, short := n.Left.(*ast.PointerNode) // a member of a list
	switch n.Operator {
	case "matches":
		p, ok := n.Right.(*ast.StringNode)
		switch {
		case !ok:
			return maxCost
		case short:
			return 20 * states(p.Value)
		case ofVars(n.Left):
			return maxInput / 2 * states(p.Value)
		}
		return maxTitle / 2 * states(p.Value)
	case "in":
		return 4 * members
	case "contains", "startsWith", "endsWith":
		if isText(n.Left.Type()) && !short {
			return 40
		}
	}
	return members
}

// ofVars reports whether a value is an input: those may be longer than titles.
func ofVars(n ast.Node) bool {
	m, ok := n.(*ast.MemberNode)
	if !ok {
		return false
	}
	id, ok := m.Node.(*ast.IdentifierNode)
	return ok && id.Value == "vars"
}

// builtin prices a function: a loop costs its body for each member.
func (k *keeper) builtin(n *ast.BuiltinNode, out *cost, inside func(...ast.Node) cost) {
	if len(n.Arguments) == 0 {
		return
	}
	list := k.costs[n.Arguments[0]]
	out.size = list.size
	rest := inside(n.Arguments[1:]...)
	out.joins = list.joins || rest.joins || n.Name == "join"
	if len(n.Arguments) > 1 {
		if _, loop := n.Arguments[1].(*ast.PredicateNode); loop {
			out.work += list.work + max(list.size, 1)*min(rest.work+2, 1<<30)
			return
		}
	}
	out.work += list.work + rest.work + list.size + 20
}

// listSize is how many members a list of a type has at most.
func listSize(t reflect.Type) int {
	if t != nil && t.Kind() == reflect.Slice {
		return maxMembers
	}
	return 0
}

func isText(t reflect.Type) bool { return t != nil && t.Kind() == reflect.String }

// types of values a text can take.
var (
	typeTime     = reflect.TypeFor[time.Time]()
	typeDuration = reflect.TypeFor[time.Duration]()
	typeLevel    = reflect.TypeFor[level]()
	typeTexts    = reflect.TypeFor[[]string]()
)

// unfit says why a value of this kind is not what is wanted, "" when it is.
func unfit(n *nature.Nature, w want) string {
	switch {
	case w == wantBool && n.Kind != reflect.Bool:
		return fmt.Sprintf("the condition is a %s, want yes or no", typeName(n))
	case w == wantList && !isTexts(n):
		return fmt.Sprintf("this is a %s, want a list of texts such as attackers or proven", typeName(n))
	case w == wantText && !printable(n):
		return fmt.Sprintf("a %s cannot be written into a text; name one of its parts", typeName(n))
	}
	return ""
}

// isTexts reports whether a value is a list of texts: a field, or what a loop
// makes of one.
func isTexts(n *nature.Nature) bool {
	return n.Type == typeTexts || n.Kind == reflect.Slice && n.Ref != nil && n.Ref.Type != nil && n.Ref.Kind == reflect.String
}

func printable(n *nature.Nature) bool {
	switch n.Kind {
	case reflect.Bool, reflect.Int, reflect.Float64, reflect.String:
		return true
	}
	return isTexts(n) || slices.Contains([]reflect.Type{typeTime, typeDuration, typeLevel}, n.Type)
}

// typeName calls a type what the documentation calls it.
func typeName(n *nature.Nature) string {
	if n.Type == nil {
		return "value that may be anything"
	}
	return reword(n.Type.String())
}

// wordings turn what the library says into the words of the documentation.
var wordings = strings.NewReplacer(
	"[]interface {}", "list", "interface {}", "value", "[]playbook.alertView", "list of alerts", "playbook.alertView", "alert",
	"map[string]playbook.stepView", "list of steps", "playbook.stepView", "step", "map[string]string", "list of inputs",
	"[]string", "list of texts", "[]int", "list of numbers", "[]float64", "list of numbers", "playbook.level", "severity", "time.Time", "time", "time.Duration", "duration",
	"float64", "number", "int", "number", "string", "text", "bool", "yes or no",
	"invalid operation: ", "", "mismatched types ", "cannot be used with a ", "mismatched type ", "cannot be used with a ",
	"predicate should return boolean", "the condition of a loop wants yes or no", "builtin ", "",
	"compilation failed: expression exceeds maximum allowed nodes", fmt.Sprintf("the expression has more than %d parts", maxNodes),
)

func reword(s string) string {
	s, _, _ = strings.Cut(s, "\n")
	switch {
	case s == "unexpected token EOF":
		return "it ends too early"
	case s == "literal not terminated":
		return "text without its closing quote"
	case strings.HasPrefix(s, "unexpected token "):
		if _, token, ok := strings.Cut(strings.TrimSuffix(s, ")"), "("); ok {
			return clip(token) + " is not expected here"
		}
	}
	s = wordings.Replace(s)
	if op, types, ok := strings.Cut(s, " (cannot be used with a "); ok {
		types = strings.TrimSuffix(types, ")")
		if l, r, two := strings.Cut(types, " and "); two {
			return fmt.Sprintf("%s: a %s and a %s do not go together", op, l, r)
		}
		return fmt.Sprintf("%s: a %s does not go with it", op, types)
	}
	return s
}
