package assets

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"honeyguide/internal/enrich"
)

// parseYAML reads a list of rows, or networks with their row:
//
//   - {network: 10.1.0.0/16, owner: web team, role: web, criticality: high}
//     10.2.0.7: {name: db-1, owner: storage}
func parseYAML(raw []byte) ([]asset, []enrich.BadLine, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return nil, nil, fmt.Errorf("read the table: %s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return nil, nil, nil
	}
	var r reader
	switch top := doc.Content[0]; top.Kind {
	case yaml.SequenceNode:
		for _, n := range top.Content {
			r.node(n, "")
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(top.Content); i += 2 {
			r.node(top.Content[i+1], top.Content[i].Value)
		}
	default:
		return nil, nil, fmt.Errorf("line %d: want a list of rows, or networks with their rows", top.Line)
	}
	return r.rows, r.bad, nil
}

// node takes one row of a YAML table. Aliases are not followed: with them a
// small file grows without bound.
func (r *reader) node(n *yaml.Node, key string) {
	cell := map[string]string{}
	if key != "" {
		cell["network"] = key
	}
	if n.Kind != yaml.MappingNode {
		r.refuse(n.Line, "want keys and values, such as {network: 10.1.0.0/16, owner: web team}")
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		name := columns[strings.ToLower(k.Value)]
		switch {
		case name == "":
			r.refuse(k.Line, "unknown key %.40q", k.Value)
			return
		case v.Kind != yaml.ScalarNode:
			r.refuse(v.Line, "%s: want one text", name)
			return
		}
		cell[name] = strings.TrimSpace(v.Value)
	}
	r.row(n.Line, cell)
}
