package sigma

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// scalar is one value as written.
type scalar struct {
	text string
	null bool
}

// selections reads every selection of a detection or filter.
func (d *document) selections(n *yaml.Node) (map[string]*expr, []string) {
	sels := map[string]*expr{}
	var names []string
	if n.Kind != yaml.MappingNode {
		d.fault(n, FaultError, "detection", "want selections and a condition; this is %s", kindOf(n))
		return sels, nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		name, v := n.Content[i].Value, n.Content[i+1]
		switch name {
		case "condition", "timeframe", "rules":
			continue
		}
		if _, twice := sels[name]; twice {
			d.fault(n.Content[i], FaultError, name, "the selection %q is there twice", name)
			return sels, names
		}
		e := d.selection(name, v)
		if d.bad {
			return sels, names
		}
		sels[name] = e
		names = append(names, name)
	}
	return sels, names
}

// selection reads one: a map is AND, a list of maps OR, a list of values
// keywords.
func (d *document) selection(name string, n *yaml.Node) *expr {
	switch n.Kind {
	case yaml.MappingNode:
		return d.fields(name, n)
	case yaml.SequenceNode:
		var args []*expr
		for _, c := range n.Content {
			switch c.Kind {
			case yaml.MappingNode:
				args = append(args, d.fields(name, c))
			case yaml.ScalarNode:
				args = append(args, d.values(name, c, &chain{}, []*yaml.Node{c}))
			default:
				d.fault(c, FaultError, name, "a list within a list means nothing here")
			}
			if d.bad {
				return nil
			}
		}
		if len(args) == 0 {
			d.fault(n, FaultError, name, "the list is empty")
			return nil
		}
		return any1(args)
	default:
		if n.Tag == "!!null" {
			d.fault(n, FaultError, name, "the selection is empty")
			return nil
		}
		return d.values(name, n, &chain{}, []*yaml.Node{n})
	}
}

// fields reads a map of fields: all must hold.
func (d *document) fields(name string, n *yaml.Node) *expr {
	var args []*expr
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		c, err := parseChain(k.Value)
		if err != nil {
			d.fault(k, FaultError, name+"."+k.Value, "%s", err)
			return nil
		}
		list := []*yaml.Node{v}
		switch v.Kind {
		case yaml.SequenceNode:
			list = v.Content
			if len(list) == 0 {
				d.fault(v, FaultError, name+"."+k.Value, "the list is empty")
				return nil
			}
		case yaml.MappingNode:
			d.fault(v, FaultError, name+"."+k.Value, "a field takes a value or a list, not keys and values")
			return nil
		}
		if c.all && len(list) == 1 {
			d.fault(k, FaultWarning, name+"."+k.Value, "the modifier \"all\" does nothing for one value")
		}
		e := d.values(name+"."+k.Value, v, c, list)
		if d.bad {
			return nil
		}
		args = append(args, e)
	}
	if len(args) == 0 {
		d.fault(n, FaultError, name, "the selection is empty")
		return nil
	}
	return all(args)
}

// values reads the values of one field: one of them must hold, or all.
func (d *document) values(where string, at *yaml.Node, c *chain, list []*yaml.Node) *expr {
	var args []*expr
	for _, v := range list {
		if v.Kind != yaml.ScalarNode {
			d.fault(v, FaultError, where, "want a value, this is %s", kindOf(v))
			return nil
		}
		s := scalar{v.Value, v.Tag == "!!null"}
		if (s.null || s.text == "") && len(list) > 1 && c.where == "" {
			d.fault(v, FaultWarning, where, "null and the empty text should not stand in a list")
		}
		if c.field == "" && s.null {
			d.fault(v, FaultError, where, "null is no keyword")
			return nil
		}
		as, err := c.atoms(s, d.x)
		if err != nil {
			d.fail(v, where, err)
			return nil
		}
		var alts []*expr
		for i := range as {
			e := &expr{op: 'a', atom: &as[i]}
			if as[i].cmp == '!' {
				as[i].cmp = 0
				e = not(e)
			}
			alts = append(alts, e)
		}
		if len(alts) == 0 {
			d.fault(v, FaultError, where, "the value is too short to be encoded")
			return nil
		}
		args = append(args, any1(alts))
	}
	e := any1(args)
	if c.all {
		e = all(args)
	}
	if !c.neq {
		return e
	}
	// None of them; an absent field counts as unequal, as with `not`, but where
	// two fields are compared both must be there.
	e = not(e)
	if c.match == "fieldref" {
		both := []*expr{e, not(absent(c.field))}
		for _, v := range list {
			both = append(both, not(absent(v.Value)))
		}
		e = all(both)
	}
	return e
}

func absent(field string) *expr {
	return &expr{op: 'a', atom: &atom{op: opNull, name: field, text: "null", cost: 1}}
}

// conditions reads the condition, or the list of them, of which one must hold.
func (d *document) conditions(n *yaml.Node, sels map[string]*expr, names []string) *expr {
	if d.bad {
		return nil
	}
	cn := child(n, "condition")
	list := texts(cn)
	if len(list) == 0 {
		d.fault(n, FaultError, "condition", "a condition is needed")
		return nil
	}
	var args []*expr
	for _, t := range list {
		c, err := parseCondition(t)
		if err != nil {
			kind := FaultError
			if strings.HasPrefix(err.Error(), "old aggregation") {
				kind = FaultUnsupported
			}
			d.fault(cn, kind, "condition", "%s", err)
			return nil
		}
		e, err := resolve(c, sels, names)
		if err != nil {
			d.fault(cn, FaultError, "condition", "%s", err)
			return nil
		}
		args = append(args, e)
	}
	return any1(args)
}

// resolve puts selections in for their names.
func resolve(c *cond, sels map[string]*expr, names []string) (*expr, error) {
	switch c.op {
	case 'n':
		e, ok := sels[c.name]
		if !ok {
			return nil, fmt.Errorf("there is no selection %q; there are %s", c.name, strings.Join(names, ", "))
		}
		return e, nil
	case 'q':
		return quantified(c, sels, names)
	}
	args := make([]*expr, len(c.args))
	for i, a := range c.args {
		var err error
		if args[i], err = resolve(a, sels, names); err != nil {
			return nil, err
		}
	}
	if c.op == '!' {
		return not(args[0]), nil
	}
	return join(c.op, args), nil
}

// fits reports whether a name fits a pattern, of which stars are any run.
func fits(pattern, name string) bool {
	var parts []part
	for i, t := range strings.Split(pattern, "*") {
		if i > 0 {
			parts = append(parts, part{wild: '*'})
		}
		if t != "" {
			parts = append(parts, part{text: t})
		}
	}
	return glob(parts, []byte(name))
}

// quantified is `1 of x*`, `all of them`: names that begin with an underscore
// are not meant by them.
func quantified(c *cond, sels map[string]*expr, names []string) (*expr, error) {
	var args []*expr
	for _, name := range names {
		ok := strings.EqualFold(c.name, "them") && !strings.HasPrefix(name, "_")
		if !ok && !strings.EqualFold(c.name, "them") {
			ok = fits(c.name, name)
		}
		if ok {
			args = append(args, sels[name])
		}
	}
	switch {
	case len(args) == 0:
		return nil, fmt.Errorf("no selection fits %q; there are %s", c.name, strings.Join(names, ", "))
	case c.n == 0:
		return all(args), nil
	case c.n == 1:
		return any1(args), nil
	case c.n > len(args):
		return nil, fmt.Errorf("%d of %s can never hold: there are only %d", c.n, c.name, len(args))
	}
	return &expr{op: '1', n: c.n, args: slices.Clone(args)}, nil
}
