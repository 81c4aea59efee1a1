package sigma

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

// A Ruleset is what was read from any number of files.
type Ruleset struct {
	Rules        []*Rule
	Correlations []*Correlation
	Filters      []*Filter
	Faults       []Fault
}

// Bounds of one file.
const (
	maxFile      = 4 << 20
	maxDocuments = 1000
	maxNodes     = 200_000
	maxKeys      = 1000 // of one mapping
)

// Add reads the documents of one file. What is wrong with one of them is noted
// in Faults; the others are taken.
func (s *Ruleset) Add(file string, text []byte, with Placeholders) {
	if len(text) > maxFile {
		s.Faults = append(s.Faults, Fault{File: file, Line: 1, Kind: FaultError, Why: fmt.Sprintf("the file is larger than %d bytes", maxFile)})
		return
	}
	dec := yaml.NewDecoder(bytes.NewReader(text))
	old := false
	for range maxDocuments {
		var doc yaml.Node
		err := dec.Decode(&doc)
		if errors.Is(err, io.EOF) {
			return
		}
		if err != nil {
			s.Faults = append(s.Faults, Fault{File: file, Line: yamlLine(err), Kind: FaultError, Why: "no YAML: " + lineIn.ReplaceAllString(strings.TrimPrefix(err.Error(), "yaml: "), "")})
			return
		}
		if len(doc.Content) == 0 || doc.Content[0].Kind == yaml.ScalarNode && doc.Content[0].Tag == "!!null" {
			continue
		}
		d := &document{file: file, set: s, x: &expander{with}, root: doc.Content[0], old: old}
		d.read()
		old = d.old
	}
	s.Faults = append(s.Faults, Fault{File: file, Line: 1, Kind: FaultError, Why: fmt.Sprintf("more than %d documents in a file", maxDocuments)})
}

var lineIn = regexp.MustCompile(`line (\d+): `)

func yamlLine(err error) int {
	if m := lineIn.FindStringSubmatch(err.Error()); m != nil {
		if n, err := strconv.Atoi(m[1]); err == nil {
			return max(n, 1)
		}
	}
	return 1
}

// A document is one being read.
type document struct {
	file string
	set  *Ruleset
	x    *expander
	root *yaml.Node
	meta Meta
	bad  bool
	old  bool // it, or one before it in the file, is in an old form
}

func (d *document) fault(n *yaml.Node, kind FaultKind, field, format string, args ...any) {
	if kind != FaultWarning {
		if d.bad {
			return // the first says enough
		}
		d.bad = true
		// What is wrong with a rule its author calls unsupported, or with a
		// part of an old rule of several, is that.
		if kind == FaultError && (d.old || d.meta.Status == "unsupported") {
			kind = FaultUnsupported
		}
		d.old = d.old || kind == FaultUnsupported
	}
	line := d.meta.Line
	if n != nil {
		line = n.Line
	}
	d.set.Faults = append(d.set.Faults, Fault{File: d.file, Line: line, Rule: d.meta.Key(), Kind: kind, Field: field, Why: fmt.Sprintf(format, args...)})
}

// fail notes an error, of its own kind where it has one.
func (d *document) fail(n *yaml.Node, field string, err error) {
	kind := FaultError
	var missing *MissingPlaceholder
	if errors.As(err, &missing) {
		kind = FaultPlaceholder
	}
	d.fault(n, kind, field, "%s", err)
}

func (d *document) read() {
	d.meta.File, d.meta.Line = d.file, d.root.Line
	if d.root.Kind != yaml.MappingNode {
		d.fault(d.root, FaultError, "", "a rule is keys and values; this is %s", kindOf(d.root))
		return
	}
	t := tree{}
	if d.root = t.plain(d.root, 0); t.why != "" {
		d.fault(t.at, FaultError, t.at.Value, "%s", t.why)
		return
	}
	d.readMeta()
	switch {
	case child(d.root, "action") != nil:
		d.fault(child(d.root, "action"), FaultUnsupported, "action", "several parts joined by action are an old form: write one document with all selections, or a correlation rule")
	case child(d.root, "correlation") != nil:
		d.correlation(child(d.root, "correlation"))
	case child(d.root, "filter") != nil:
		d.filter(child(d.root, "filter"))
	case child(d.root, "detection") != nil:
		d.rule(child(d.root, "detection"))
	default:
		d.fault(d.root, FaultError, "detection", "one of the keys detection, correlation, filter is needed")
	}
}

// A tree checks a document's nodes and puts what aliases stand for in their
// place.
type tree struct {
	nodes int
	why   string // what is wrong, if anything
	at    *yaml.Node
}

func (t *tree) plain(n *yaml.Node, depth int) *yaml.Node {
	t.nodes++
	switch {
	case t.why != "":
		return n
	case depth > maxDepth:
		t.why, t.at = fmt.Sprintf("the document is nested deeper than %d", maxDepth), n
		return n
	case t.nodes > maxNodes:
		t.why, t.at = fmt.Sprintf("the document has more than %d values", maxNodes), n
		return n
	case n.Kind == yaml.AliasNode:
		return t.plain(n.Alias, depth+1)
	}
	for i, c := range n.Content {
		n.Content[i] = t.plain(c, depth+1)
		if t.why == "" && n.Kind == yaml.MappingNode && i%2 == 0 {
			t.key(n, i)
		}
	}
	return n
}

// key checks one key of a mapping.
func (t *tree) key(n *yaml.Node, i int) {
	k := n.Content[i]
	switch {
	case k.Kind != yaml.ScalarNode:
		t.why = "a key must be a single word"
	case k.Tag == "!!merge":
		t.why = "keys are not merged here: write them out"
	case i <= 2*maxKeys: // beyond, it would take long
		for j := 0; j < i; j += 2 {
			if n.Content[j].Value == k.Value {
				t.why = fmt.Sprintf("the key %q is there twice: make one list of its values, or another selection", k.Value)
			}
		}
	default:
		t.why = fmt.Sprintf("more than %d keys in one place", maxKeys)
	}
	if t.why != "" {
		t.at = k
	}
}

func kindOf(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "keys and values"
	case yaml.SequenceNode:
		return "a list"
	default:
		return "a single value"
	}
}

// child returns the value of a key, nil when there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if n == nil || n.Kind != yaml.MappingNode {
		return nil
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			return n.Content[i+1]
		}
	}
	return nil
}

// text returns a scalar's text, "" for anything else.
func text(n *yaml.Node) string {
	if n == nil || n.Kind != yaml.ScalarNode || n.Tag == "!!null" {
		return ""
	}
	return n.Value
}

// texts returns the texts of a list, or of one value.
func texts(n *yaml.Node) []string {
	switch {
	case n == nil:
		return nil
	case n.Kind == yaml.SequenceNode:
		var out []string
		for _, c := range n.Content {
			if t := text(c); t != "" {
				out = append(out, t)
			}
		}
		return out
	}
	if t := text(n); t != "" {
		return []string{t}
	}
	return nil
}

var (
	statuses = []string{"", "stable", "test", "experimental", "deprecated", "unsupported"}
	dateForm = regexp.MustCompile(`^\d{4}[-/]\d{1,2}[-/]\d{1,2}$`)
)

func (d *document) readMeta() {
	m := &d.meta
	get := func(key string) string { return text(child(d.root, key)) }
	m.ID, m.Name, m.Title = get("id"), get("name"), get("title")
	m.Status, m.Description, m.License, m.Author = get("status"), get("description"), get("license"), get("author")
	m.Date, m.Modified = get("date"), get("modified")
	m.References, m.Tags, m.FalsePositives = texts(child(d.root, "references")), texts(child(d.root, "tags")), texts(child(d.root, "falsepositives"))
	m.Taxonomy = get("taxonomy")
	d.readOthers()
	if m.Title == "" {
		d.fault(d.root, FaultError, "title", "a title is needed")
	}
	if utf8.RuneCountInString(m.Title) > 256 {
		d.fault(child(d.root, "title"), FaultWarning, "title", "the title is longer than 256 characters")
	}
	if !slices.Contains(statuses, m.Status) {
		d.fault(child(d.root, "status"), FaultWarning, "status", "status %q is none of stable, test, experimental, deprecated, unsupported", m.Status)
	}
	for _, key := range []string{"date", "modified"} {
		if v := get(key); v != "" && !dateForm.MatchString(v) {
			d.fault(child(d.root, key), FaultWarning, key, "%s %q is no date such as 2026-11-21", key, v)
		}
	}
	m.Level = honeyguide.SeverityMedium
	if l := child(d.root, "level"); l != nil {
		sev, err := honeyguide.ParseSeverity(text(l))
		if err != nil || sev == honeyguide.SeverityUnknown {
			d.fault(l, FaultError, "level", "level %q is none of informational, low, medium, high, critical", text(l))
			return
		}
		m.Level = sev
	}
}

// known are the keys a document may have; the values of others are kept.
var known = []string{
	"id", "name", "title", "status", "description", "license", "author", "date", "modified", "references", "tags", "falsepositives",
	"level", "logsource", "detection", "correlation", "filter", "fields", "related", "taxonomy", "scope", "generate", "action",
}

// readOthers reads what is related, and what the specification does not have.
func (d *document) readOthers() {
	if r := child(d.root, "related"); r != nil && r.Kind == yaml.SequenceNode {
		for _, n := range r.Content {
			if x := (Related{text(child(n, "id")), text(child(n, "type"))}); x.ID != "" {
				d.meta.Related = append(d.meta.Related, x)
			}
		}
	}
	for i := 0; i+1 < len(d.root.Content); i += 2 {
		k, v := d.root.Content[i].Value, d.root.Content[i+1]
		if t := text(v); t != "" && !slices.Contains(known, k) {
			if d.meta.Custom == nil {
				d.meta.Custom = map[string]string{}
			}
			d.meta.Custom[k] = t
		}
	}
}

// source reads a logsource.
func (d *document) source() (Source, bool) {
	n := child(d.root, "logsource")
	if n == nil || n.Kind != yaml.MappingNode {
		d.fault(n, FaultError, "logsource", "a logsource with product, category or service is needed")
		return Source{}, false
	}
	s := Source{Product: text(child(n, "product")), Category: text(child(n, "category")), Service: text(child(n, "service"))}
	if s == (Source{}) {
		d.fault(n, FaultError, "logsource", "the logsource names none of product, category, service")
		return s, false
	}
	return s, true
}

func (d *document) rule(n *yaml.Node) {
	r := &Rule{Meta: d.meta, Fields: texts(child(d.root, "fields"))}
	var ok bool
	if r.Logsource, ok = d.source(); !ok {
		return
	}
	r.sels, r.names = d.selections(n)
	r.cond = d.conditions(n, r.sels, r.names)
	if child(n, "timeframe") != nil {
		d.fault(child(n, "timeframe"), FaultUnsupported, "timeframe", "a timeframe in a detection is an old form: write a correlation rule with timespan")
	}
	if !d.bad {
		d.set.Rules = append(d.set.Rules, r)
	}
}

func (d *document) filter(n *yaml.Node) {
	f := &Filter{Meta: d.meta}
	if child(d.root, "logsource") != nil {
		f.Logsource, _ = d.source()
	}
	if r := child(n, "rules"); r != nil && text(r) != "any" {
		f.Rules = texts(r)
	}
	sels, names := d.selections(n)
	f.cond = d.conditions(n, sels, names)
	if !d.bad {
		d.set.Filters = append(d.set.Filters, f)
	}
}
