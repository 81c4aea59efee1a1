package playbook

import (
	"errors"
	"strings"

	"go.yaml.in/yaml/v3"
)

// condition compiles a condition of the file.
func (d *decoder) condition(n *yaml.Node, key string) *Expr {
	return d.expression(n, key, wantBool)
}

// each checks the expression of a list and returns its text.
func (d *decoder) each(n *yaml.Node) string {
	d.expression(n, "each", wantList)
	return n.Value
}

func (d *decoder) expression(n *yaml.Node, key string, w want) *Expr {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "%s: want a text", key)
		return nil
	}
	x, err := compile(n.Value, w, d.scope())
	var e *exprError
	if errors.As(err, &e) {
		line, column := d.place(n, e.at)
		text := e.text
		if n.Style == 0 && strings.Contains(after(strings.Split(string(d.text), "\n"), n.Line, n.Column), n.Value+" #") {
			text += `; YAML takes " #" for the begin of a comment: put the whole of it into quotes`
		}
		d.failAt(line, column, "%s: %s", key, text)
	}
	return x
}

// template checks the expressions of a text and returns it as it is written.
func (d *decoder) template(n *yaml.Node, key string) string {
	s := d.scalar(n)
	if e := checkTemplate(s, d.scope()); e != nil {
		line, column := d.place(n, e.at)
		d.failAt(line, column, "%s: %s", key, e.text)
	}
	return s
}

// scope is what expressions at this place of the file may name.
func (d *decoder) scope() scope {
	s := scope{known: true, steps: d.steps}
	for i := range d.inputs {
		s.inputs = append(s.inputs, d.inputs[i].Name)
	}
	return s
}

// place says where in the file a byte of a scalar stands. YAML folds lines and
// strips indentation, so it is found by walking along both; column 0 means that
// only the line is certain.
func (d *decoder) place(n *yaml.Node, at int) (line, column int) {
	lines := strings.Split(string(d.text), "\n")
	if n.Line < 1 || n.Line > len(lines) {
		return max(n.Line, 1), 0
	}
	value := n.Value[:min(at, len(n.Value))]
	block := n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0
	row, col := n.Line, n.Column // both from 1; column counts characters
	if !block {
		if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle) != 0 {
			col++
		}
	} else if row++; row <= len(lines) {
		col = indent(lines[row-1]) + 1
	}
	for _, r := range value {
		rest := after(lines, row, col)
		switch {
		case r == ' ' || r == '\n':
			if strings.TrimSpace(rest) == "" && row < len(lines) {
				row++
				col = indent(lines[row-1]) + 1
				continue
			}
			col++
		case strings.HasPrefix(rest, string(r)):
			col++
		case n.Style&yaml.DoubleQuotedStyle != 0 && strings.HasPrefix(rest, `\`), n.Style&yaml.SingleQuotedStyle != 0 && r == '\'':
			col += 2
		default:
			return n.Line, 0
		}
	}
	if strings.TrimSpace(after(lines, row, col)) == "" && at < len(n.Value) && row < len(lines) {
		row++
		col = indent(lines[row-1]) + 1
	}
	return row, col
}

// indent counts the blanks a line begins with.
func indent(line string) int { return len(line) - len(strings.TrimLeft(line, " ")) }

// after returns a line from a column on.
func after(lines []string, row, col int) string {
	if row < 1 || row > len(lines) {
		return ""
	}
	for i := range lines[row-1] {
		if col == 1 {
			return lines[row-1][i:]
		}
		col--
	}
	return ""
}
