// Package config reads the one configuration tree: defaults, then a YAML file
// and its conf.d folder, then HONEYGUIDE_* variables, then --set flags. It
// knows for every value where it came from, and it is strict: an unknown key,
// a wrong type or a key given twice is an error that names the place and, for
// a key, the nearest valid one.
//
// The tree's top keys are sections. A plain section is one struct. A section
// of instances maps names to the settings of one kind each; the name is the
// kind unless the key `kind` says otherwise.
package config

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// An Origin says where a value came from.
type Origin struct {
	Source string // "default", a file name, the name of a variable, or "--set"
	Line   int    // 1-based, 0 when the source has no lines
}

// String returns "file:line" or the source alone.
func (o Origin) String() string {
	if o.Line > 0 {
		return fmt.Sprintf("%s:%d", o.Source, o.Line)
	}
	return o.Source
}

// A Tree is the merged configuration before it is decoded into settings.
type Tree struct {
	schema   Schema
	root     *yaml.Node
	origins  map[*yaml.Node]Origin
	Warnings []string // what was understood but has no effect, one sentence each
	Files    []string // that were read, in order
}

// Options says what to read.
type Options struct {
	Schema  Schema
	File    string   // "" = none
	Environ []string // KEY=value, as os.Environ gives them
	Sets    []string // key.path=value
}

// Load reads and merges all sources. It checks names and places; types are
// checked when a section is decoded (see [Tree.Decode] and [Tree.Check]).
func Load(o Options) (*Tree, error) {
	t := &Tree{schema: o.Schema, root: mapping(), origins: map[*yaml.Node]Origin{}}
	if o.File != "" {
		files, err := filesOf(o.File)
		if err != nil {
			return nil, err
		}
		for _, name := range files {
			if err := t.mergeFile(name); err != nil {
				return nil, err
			}
			t.Files = append(t.Files, name)
		}
	}
	if err := t.mergeEnv(o.Environ); err != nil {
		return nil, err
	}
	for _, set := range o.Sets {
		key, value, ok := strings.Cut(set, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("--set %s: want key=value, for example --set sensors.ssh.listen=127.0.0.1:2222", set)
		}
		if err := t.put(strings.Split(key, "."), value, Origin{Source: "--set"}); err != nil {
			return nil, err
		}
	}
	return t, nil
}

// filesOf returns the file and what lies in conf.d beside it, in name order.
func filesOf(file string) ([]string, error) {
	if _, err := os.Stat(file); err != nil {
		return nil, fmt.Errorf("read configuration: %w", err)
	}
	more, err := filepath.Glob(filepath.Join(filepath.Dir(file), "conf.d", "*.yaml"))
	if err != nil {
		return nil, err
	}
	slices.Sort(more)
	return append([]string{file}, more...), nil
}

// maxFile bounds a configuration file; ours are a few kilobytes.
const maxFile = 1 << 20

func (t *Tree) mergeFile(name string) error {
	f, err := os.Open(name)
	if err != nil {
		return fmt.Errorf("read configuration: %w", err)
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("read configuration: %w", err)
	case err != nil:
		return fmt.Errorf("read %s: %w", name, err)
	case len(raw) > maxFile:
		return fmt.Errorf("%s: larger than %d bytes; is this the right file?", name, maxFile)
	}
	return t.mergeYAML(name, raw)
}

func (t *Tree) mergeYAML(name string, raw []byte) error {
	var doc yaml.Node
	if err := yaml.Unmarshal(raw, &doc); err != nil {
		return fmt.Errorf("%s: %s", name, strings.TrimPrefix(err.Error(), "yaml: "))
	}
	if len(doc.Content) == 0 {
		return nil // an empty file sets nothing
	}
	if err := noAliases(name, &doc); err != nil {
		return err
	}
	if doc.Content[0].Kind != yaml.MappingNode {
		return fmt.Errorf("%s:%d: want keys and values, such as `sensors:`", name, doc.Content[0].Line)
	}
	return t.merge(name, "", t.root, doc.Content[0])
}

// noAliases refuses YAML anchors: they let a small file grow without bound, and
// no setting of ours needs them.
func noAliases(name string, n *yaml.Node) error {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		return fmt.Errorf("%s:%d: anchors and aliases are not supported; write the value out", name, n.Line)
	}
	for _, c := range n.Content {
		if err := noAliases(name, c); err != nil {
			return err
		}
	}
	return nil
}

// merge lays src over dst. Mappings merge key by key, everything else replaces.
func (t *Tree) merge(file, path string, dst, src *yaml.Node) error {
	seen := map[string]int{}
	for i := 0; i+1 < len(src.Content); i += 2 {
		key, value := src.Content[i], src.Content[i+1]
		at := join(path, key.Value)
		if line, twice := seen[key.Value]; twice {
			return fmt.Errorf("%s:%d: %s is given twice (first in line %d)", file, key.Line, at, line)
		}
		seen[key.Value] = key.Line
		t.origins[value] = Origin{file, key.Line}
		if value.Kind == yaml.MappingNode {
			into := child(dst, key.Value)
			if into == nil || into.Kind != yaml.MappingNode {
				into = mapping()
				t.origins[into] = Origin{file, key.Line}
				setChild(dst, key.Value, into)
			}
			if err := t.merge(file, at, into, value); err != nil {
				return err
			}
			continue
		}
		t.claim(value, Origin{file, key.Line})
		setChild(dst, key.Value, value)
	}
	return nil
}

// claim notes the origin of every node below n.
func (t *Tree) claim(n *yaml.Node, o Origin) {
	if n.Line > 0 && o.Line > 0 {
		o.Line = n.Line
	}
	t.origins[n] = o
	for _, c := range n.Content {
		t.claim(c, o)
	}
}

// put sets one dotted key from a text: YAML flow for lists and maps, the plain
// text for everything else.
func (t *Tree) put(path []string, value string, o Origin) error {
	at := t.root
	for _, key := range path[:len(path)-1] {
		next := child(at, key)
		if next == nil || next.Kind != yaml.MappingNode {
			next = mapping()
			t.origins[next] = o
			setChild(at, key, next)
		}
		at = next
	}
	node := &yaml.Node{Kind: yaml.ScalarNode, Value: value}
	if v := strings.TrimSpace(value); strings.HasPrefix(v, "[") || strings.HasPrefix(v, "{") {
		var doc yaml.Node
		if err := yaml.Unmarshal([]byte(v), &doc); err != nil || len(doc.Content) != 1 {
			return fmt.Errorf("%s: %s: not a YAML list or map", o, strings.Join(path, "."))
		}
		node = doc.Content[0]
		if err := noAliases(o.Source, node); err != nil {
			return err
		}
		noLines(node)
	}
	t.claim(node, o)
	setChild(at, path[len(path)-1], node)
	return nil
}

func noLines(n *yaml.Node) {
	n.Line = 0
	for _, c := range n.Content {
		noLines(c)
	}
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode, Tag: "!!map"} }

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

func setChild(n *yaml.Node, key string, value *yaml.Node) {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content[i+1] = value
			return
		}
	}
	n.Content = append(n.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: key}, value)
}

func join(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}
