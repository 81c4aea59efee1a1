package playbook

import (
	"fmt"
	"io"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

// An Input is a value a playbook is given when it is started by hand; otherwise
// it has its default.
type Input struct {
	Name     string   `json:"name"`
	Type     string   `json:"type"` // one of the Input words
	Title    string   `json:"title,omitempty"`
	Required bool     `json:"required,omitempty"`
	Default  string   `json:"default,omitempty"`
	Choices  []string `json:"choices,omitempty"`
}

// Types of inputs.
const (
	InputText     = "text"
	InputNumber   = "number"
	InputAddress  = "address" // or a prefix
	InputDuration = "duration"
	InputChoice   = "choice"
)

// Bounds of inputs.
const (
	maxInputs = 20
	maxInput  = 1 << 10 // bytes of a value
)

var nameShape = regexp.MustCompile(`^[a-z][a-z0-9_]{0,31}$`)

func (d *decoder) readInputs(n *yaml.Node) []Input {
	if n.Kind != yaml.SequenceNode || len(n.Content) > maxInputs {
		d.fail(n, "inputs: want a list of at most %d", maxInputs)
		return nil
	}
	var out []Input
	for _, item := range n.Content {
		m := d.mapping(item, "name", "type", "title", "required", "default", "choices")
		in := Input{Name: d.scalar(m["name"]), Type: InputText, Title: d.scalar(m["title"]), Default: d.scalar(m["default"]), Choices: d.list(m["choices"], "choices")}
		if m["type"] != nil {
			in.Type = d.word(m["type"], "type", InputText, InputNumber, InputAddress, InputDuration, InputChoice)
		}
		in.Required = d.word(m["required"], "required", "true", "false") == "true"
		switch {
		case !nameShape.MatchString(in.Name):
			d.fail(place(m["name"], item), "name: want lower-case letters, digits and _, beginning with a letter")
		case slices.ContainsFunc(out, func(o Input) bool { return o.Name == in.Name }):
			d.fail(item, "two inputs are called %q", in.Name)
		case in.Type == InputChoice && len(in.Choices) == 0:
			d.fail(item, "choices: want at least one")
		case in.Default != "" && in.check(in.Default) != "":
			d.fail(m["default"], "default: %s", in.check(in.Default))
		}
		out = append(out, in)
	}
	return out
}

// check says why a value does not fit, "" when it does.
func (in *Input) check(v string) string {
	if len(v) > maxInput {
		return fmt.Sprintf("want at most %d bytes", maxInput)
	}
	var err error
	switch in.Type {
	case InputNumber:
		if _, err = strconv.ParseFloat(v, 64); err != nil {
			return fmt.Sprintf("%q is no number", clip(v))
		}
	case InputAddress:
		if strings.Contains(v, "/") {
			_, err = netip.ParsePrefix(v)
		} else {
			_, err = netip.ParseAddr(v)
		}
		if err != nil {
			return fmt.Sprintf("%q is no address; want one such as 203.0.113.7 or 203.0.113.0/24", clip(v))
		}
	case InputDuration:
		if s, err := time.ParseDuration(v); err != nil || s <= 0 {
			return fmt.Sprintf("%q is no duration; want one such as 24h or 30m", clip(v))
		}
	case InputChoice:
		if !slices.Contains(in.Choices, v) {
			return fmt.Sprintf("%q is no choice; want one of %s", clip(v), strings.Join(in.Choices, ", "))
		}
	}
	return ""
}

// Fill checks the values a playbook is started with and adds the defaults.
func (b *Playbook) Fill(vars map[string]string) (map[string]string, error) {
	var names []string
	for i := range b.Inputs {
		names = append(names, b.Inputs[i].Name)
	}
	bad := func(text string, args ...any) error {
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(text, args...)}
	}
	for _, name := range slices.Sorted(maps.Keys(vars)) {
		if !slices.Contains(names, name) {
			return nil, bad("vars.%s: playbook %s has no such input; %s", clip(name), b.ID, hint(name, names))
		}
	}
	out := make(map[string]string, len(b.Inputs))
	for i := range b.Inputs {
		in := &b.Inputs[i]
		v := vars[in.Name]
		if v == "" {
			v = in.Default
		}
		if v == "" && in.Required {
			return nil, bad("vars.%s: playbook %s needs it (%s)", in.Name, b.ID, in.Type)
		}
		if v != "" {
			if why := in.check(v); why != "" {
				return nil, bad("vars.%s: %s", in.Name, why)
			}
		}
		out[in.Name] = v
	}
	return out, nil
}

// readAtMost reads up to n bytes.
func readAtMost(r io.Reader, n int64) ([]byte, error) { return io.ReadAll(io.LimitReader(r, n)) }
