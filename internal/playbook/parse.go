package playbook

import (
	"bytes"
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
)

// A decoder reads one file and remembers the first fault.
type decoder struct {
	file string
	err  error
}

func (d *decoder) fail(n *yaml.Node, text string, args ...any) {
	if d.err == nil {
		line := 1
		if n != nil {
			line = max(n.Line, 1)
		}
		d.err = invalid(d.file, line, text, args...)
	}
}

// Parse reads a playbook. Errors name file, line and what is wanted.
func Parse(file string, text []byte) (*Playbook, error) {
	if len(text) > maxFile {
		return nil, invalid(file, 1, "the file is larger than %d bytes", maxFile)
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(text))
	if err := dec.Decode(&doc); err != nil {
		return nil, invalid(file, yamlLine(err), "%s", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		return nil, invalid(file, 1, "want one document in a file")
	}
	d := &decoder{file: file}
	b := d.playbook(doc.Content[0])
	if d.err != nil {
		return nil, d.err
	}
	return b, nil
}

var lineIn = regexp.MustCompile(`line (\d+)`)

func yamlLine(err error) int {
	if m := lineIn.FindStringSubmatch(err.Error()); m != nil {
		n := 0
		for _, c := range m[1] {
			n = min(n*10+int(c-'0'), 1<<20)
		}
		return n
	}
	return 1
}

// mapping calls set for every key of a mapping; unknown keys are a fault.
func (d *decoder) mapping(n *yaml.Node, keys []string, set func(key string, v *yaml.Node)) {
	if n.Kind != yaml.MappingNode {
		d.fail(n, "want keys and values")
		return
	}
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case keys != nil && !slices.Contains(keys, k.Value):
			d.fail(k, "no key %q here; there are %s", k.Value, strings.Join(keys, ", "))
		case seen[k.Value]:
			d.fail(k, "key %q twice", k.Value)
		case v.Kind == yaml.AliasNode:
			d.fail(v, "aliases are not read; write the value out")
		}
		seen[k.Value] = true
		if d.err != nil {
			return
		}
		set(k.Value, v)
	}
}

func (d *decoder) text(n *yaml.Node) string {
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "want a text")
	}
	return n.Value
}

func (d *decoder) expr(n *yaml.Node) *Expr {
	x, err := Compile(d.text(n))
	if err != nil {
		d.fail(n, "when: %v", err)
	}
	return x
}

var idShape = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

func (d *decoder) playbook(n *yaml.Node) *Playbook {
	b := &Playbook{Trigger: TriggerIncident, Mode: ModeDryRun, File: d.file}
	keys := []string{"id", "title", "description", "trigger", "when", "mode", "steps", "disabled"}
	d.mapping(n, keys, func(key string, v *yaml.Node) {
		switch key {
		case "id":
			b.ID = d.text(v)
		case "title":
			b.Title = d.text(v)
		case "description":
			b.Description = d.text(v)
		case "trigger":
			if b.Trigger = d.text(v); b.Trigger != TriggerIncident && b.Trigger != TriggerOpened {
				d.fail(v, "trigger: want %s or %s", TriggerIncident, TriggerOpened)
			}
		case "when":
			b.When = d.expr(v)
		case "mode":
			if b.Mode = d.text(v); b.Mode != ModeDryRun {
				d.fail(v, "mode: this version plans only; want %s", ModeDryRun)
			}
		case "disabled":
			b.Disabled = d.text(v) == "true"
		case "steps":
			d.steps(v, b)
		}
	})
	switch {
	case !idShape.MatchString(b.ID):
		d.fail(n, "id: want lower-case letters, digits, - and _, beginning with a letter")
	case b.Title == "":
		d.fail(n, "title: want a sentence")
	case len(b.Steps) == 0:
		d.fail(n, "steps: want at least one")
	}
	return b
}

func (d *decoder) steps(n *yaml.Node, b *Playbook) {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxSteps {
		d.fail(n, "steps: want a list of at most %d", maxSteps)
		return
	}
	for _, item := range n.Content {
		s := d.step(item)
		if slices.ContainsFunc(b.Steps, func(o Step) bool { return o.Name == s.Name }) {
			d.fail(item, "two steps are called %q", s.Name)
		}
		b.Steps = append(b.Steps, s)
	}
}

func (d *decoder) step(n *yaml.Node) Step {
	s := Step{Target: "attackers", Params: map[string]string{}}
	d.mapping(n, []string{"name", "action", "target", "when", "params", "ttl"}, func(key string, v *yaml.Node) {
		switch key {
		case "name":
			s.Name = d.text(v)
		case "action":
			s.Action = d.text(v)
		case "target":
			s.Target = d.text(v)
		case "when":
			s.When = d.expr(v)
		case "ttl":
			s.Params["ttl"] = d.duration(v)
		case "params":
			d.mapping(v, nil, func(name string, pv *yaml.Node) {
				s.Params[name] = d.text(pv)
				if name == "ttl" {
					s.Params[name] = d.duration(pv)
				}
			})
		}
	})
	if s.Name == "" {
		s.Name = s.Action
	}
	if s.Action == "" {
		d.fail(n, "action: want the name of one, such as block_ip")
	}
	return s
}

func (d *decoder) duration(n *yaml.Node) string {
	text := d.text(n)
	if v, err := time.ParseDuration(text); err != nil || v <= 0 {
		d.fail(n, "ttl: want a duration above 0 such as 24h or 30m")
	}
	return text
}
