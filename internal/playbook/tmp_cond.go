package playbook

import "go.yaml.in/yaml/v3"

func (d *decoder) condition(n *yaml.Node, key string) *Expr {
	x, err := Compile(d.scalar(n))
	if err != nil {
		d.fail(n, "%s: %v", key, err)
	}
	return x
}

func (d *decoder) template(n *yaml.Node, _ string) string { return d.scalar(n) }

func (d *decoder) each(n *yaml.Node) string { return d.scalar(n) }
