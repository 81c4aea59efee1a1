package playbook

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

// maxFaults bounds the faults told of one file.
const maxFaults = 50

// A decoder reads one file and collects its faults.
type decoder struct {
	file   string
	text   []byte
	faults []Fault
	inputs []Input  // declared, for vars in expressions
	steps  []string // names of those read so far, for steps in expressions
}

func (d *decoder) fail(n *yaml.Node, text string, args ...any) {
	line, column := 1, 0
	if n != nil {
		line, column = max(n.Line, 1), n.Column
	}
	d.failAt(line, column, text, args...)
}

func (d *decoder) failAt(line, column int, text string, args ...any) {
	if len(d.faults) < maxFaults {
		d.faults = append(d.faults, Fault{d.file, line, column, fmt.Sprintf(text, args...)})
	}
}

// Parse reads a playbook. The error names file, line, column and what is wanted,
// one line for each fault.
func Parse(file string, text []byte) (*Playbook, error) {
	b, faults := Read(file, text)
	if len(faults) > 0 {
		return nil, faulty(faults)
	}
	return b, nil
}

// Read is Parse with the faults one by one. The playbook is nil when there are any.
func Read(file string, text []byte) (*Playbook, []Fault) {
	d := &decoder{file: file, text: text}
	var b *Playbook
	if root := d.document(); root != nil {
		b = d.playbook(root)
	}
	if len(d.faults) > 0 {
		sortFaults(d.faults)
		return nil, d.faults
	}
	sum := sha256.Sum256(text)
	b.Version, b.Text = hex.EncodeToString(sum[:])[:12], string(text)
	return b, nil
}

// document returns the root of the only document, nil after a fault.
func (d *decoder) document() *yaml.Node {
	if len(d.text) > maxFile {
		d.failAt(1, 0, "the file is larger than %d bytes", maxFile)
		return nil
	}
	var doc, more yaml.Node
	dec := yaml.NewDecoder(bytes.NewReader(d.text))
	if err := dec.Decode(&doc); err != nil {
		text := strings.TrimPrefix(err.Error(), "yaml: ")
		if errors.Is(err, io.EOF) {
			text = "the file is empty; want id, title, trigger and steps"
		}
		d.failAt(yamlLine(err), 0, "%s", text)
		return nil
	}
	if err := dec.Decode(&more); !errors.Is(err, io.EOF) {
		d.failAt(1, 0, "want one document in a file")
		return nil
	}
	if len(doc.Content) == 0 {
		d.failAt(1, 0, "the file is empty; want id, title, trigger and steps")
		return nil
	}
	return doc.Content[0]
}

var lineIn = regexp.MustCompile(`line (\d+)`)

func yamlLine(err error) int {
	if m := lineIn.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return n
		}
	}
	return 1
}

// mapping returns the values of a mapping by key; unknown keys are faults. keys
// nil allows any.
func (d *decoder) mapping(n *yaml.Node, keys ...string) map[string]*yaml.Node {
	out := map[string]*yaml.Node{}
	if n.Kind != yaml.MappingNode {
		d.fail(n, "want keys and values")
		return out
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		switch {
		case k.Kind != yaml.ScalarNode:
			d.fail(k, "want a key")
		case keys != nil && !slices.Contains(keys, k.Value):
			d.fail(k, "no key %q here; %s", clip(k.Value), hint(k.Value, keys))
		case out[k.Value] != nil:
			d.fail(k, "key %q twice", clip(k.Value))
		case v.Kind == yaml.AliasNode:
			d.fail(v, "aliases are not read; write the value out")
		default:
			out[k.Value] = v
		}
	}
	return out
}

// clip shortens what a file says for a message about it.
func clip(s string) string {
	if len(s) > 60 {
		return strings.ToValidUTF8(s[:60], "") + "..."
	}
	return s
}

// scalar returns the text of a scalar, "" when there is none.
func (d *decoder) scalar(n *yaml.Node) string {
	if n == nil {
		return ""
	}
	if n.Kind != yaml.ScalarNode {
		d.fail(n, "want a text")
	}
	return n.Value
}

// word reads one of several words.
func (d *decoder) word(n *yaml.Node, key string, words ...string) string {
	if n == nil {
		return ""
	}
	s := d.scalar(n)
	if n.Kind == yaml.ScalarNode && !slices.Contains(words, s) {
		d.fail(n, "%s: want %s", key, strings.Join(words, " or "))
	}
	return s
}

// number reads a whole number.
func (d *decoder) number(n *yaml.Node, key string, low, high int) int {
	if n == nil {
		return 0
	}
	v, err := strconv.Atoi(d.scalar(n))
	if n.Kind == yaml.ScalarNode && (err != nil || v < low || v > high) {
		d.fail(n, "%s: want a number from %d to %d", key, low, high)
	}
	return v
}

// span reads a duration.
func (d *decoder) span(n *yaml.Node, key string, low, high time.Duration) time.Duration {
	if n == nil {
		return 0
	}
	v, err := time.ParseDuration(d.scalar(n))
	if n.Kind == yaml.ScalarNode && (err != nil || v < low || v > high) {
		d.fail(n, "%s: want a duration above 0 such as 24h or 30m, from %s to %s", key, short(low), short(high))
	}
	return v
}

// short writes a duration without its zero parts: 24h, not 24h0m0s.
func short(v time.Duration) string {
	s := strings.TrimSuffix(v.String(), "0s")
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

func (d *decoder) list(n *yaml.Node, key string) []string {
	if n == nil {
		return nil
	}
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	if n.Kind != yaml.SequenceNode {
		d.fail(n, "%s: want a list", key)
		return nil
	}
	var out []string
	for _, item := range n.Content {
		out = append(out, d.scalar(item))
	}
	return out
}

var idShape = regexp.MustCompile(`^[a-z][a-z0-9_-]{0,63}$`)

func (d *decoder) playbook(n *yaml.Node) *Playbook {
	b := &Playbook{Trigger: TriggerIncident, File: d.file}
	m := d.mapping(n, "id", "title", "description", "trigger", "inputs", "when", "mode", "limits", "steps", "disabled")
	b.ID, b.Title, b.Description = d.scalar(m["id"]), d.scalar(m["title"]), d.scalar(m["description"])
	if m["trigger"] != nil {
		d.trigger(m["trigger"], b)
	}
	if m["inputs"] != nil {
		b.Inputs = d.readInputs(m["inputs"])
		d.inputs = b.Inputs
	}
	if m["when"] != nil {
		b.When = d.condition(m["when"], "when")
	}
	b.Mode = honeyguide.Mode(d.word(m["mode"], "mode", string(honeyguide.ModeDryRun), string(honeyguide.ModeApply)))
	b.Disabled = d.word(m["disabled"], "disabled", "true", "false") == "true"
	if m["limits"] != nil {
		l := d.mapping(m["limits"], "concurrency", "per_hour")
		b.Concurrency, b.PerHour = d.number(l["concurrency"], "concurrency", 1, 100), d.number(l["per_hour"], "per_hour", 1, 10_000)
	}
	if m["steps"] != nil {
		d.readSteps(m["steps"], b)
	}
	if n.Kind != yaml.MappingNode {
		return b
	}
	if !idShape.MatchString(b.ID) {
		d.fail(place(m["id"], n), "id: want lower-case letters, digits, - and _, beginning with a letter")
	}
	if b.Title == "" {
		d.fail(place(m["title"], n), "title: want a sentence")
	}
	if len(b.Steps) == 0 {
		d.fail(place(m["steps"], n), "steps: want at least one")
	}
	return b
}

func place(n, or *yaml.Node) *yaml.Node {
	if n != nil {
		return n
	}
	return or
}

// trigger reads a word, or {schedule: weekly mon 08:00, timezone: Europe/Berlin}.
func (d *decoder) trigger(n *yaml.Node, b *Playbook) {
	if n.Kind != yaml.MappingNode {
		b.Trigger = d.word(n, "trigger", TriggerIncident, TriggerOpened, TriggerManual, "{schedule: weekly mon 08:00}")
		return
	}
	m := d.mapping(n, "schedule", "timezone")
	b.Trigger = TriggerSchedule
	s, err := ParseSchedule(d.scalar(m["schedule"]), d.scalar(m["timezone"]))
	if err != nil {
		d.fail(place(m["schedule"], n), "trigger: %v", err)
	}
	b.Schedule = s
}
