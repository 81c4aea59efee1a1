package config

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

// A Schema lists the sections of the tree.
type Schema struct {
	Sections []Section
	Aliases  []Alias
}

// A Section is one top key. Exactly one of Defaults and Instances is set.
type Section struct {
	Key, Summary string
	Defaults     any // a struct value holding the defaults
	Instances    *Instances
}

// Instances describes a section of named instances.
type Instances struct {
	Common any               // struct of the keys every instance has, beside kind and enabled
	Kinds  map[string]any    // defaults of each kind, by its name
	Preset map[string]Preset // instances that exist without being configured, by name
}

// A Preset is an instance that exists without being configured.
type Preset struct {
	Kind   string
	Common any // defaults of the common keys, of the type of Instances.Common
	Off    bool
}

// An Alias lets a variable of another name set a key.
type Alias struct {
	Env, Key string
	Map      func(string) string // nil = as it is; "" = leave the key alone
	Unused   string              // not empty: understood, without effect in this version; says why
}

func (s Schema) section(key string) (Section, bool) {
	i := slices.IndexFunc(s.Sections, func(x Section) bool { return x.Key == key })
	if i < 0 {
		return Section{}, false
	}
	return s.Sections[i], true
}

// An Instance is one configured instance of a section.
type Instance struct {
	Name, Kind string
	Enabled    bool
	Common     any // pointer to a filled copy of Instances.Common's type
	Decode     func(into any) error
	tree       *Tree
	node       *yaml.Node
}

// instanceKeys belong to every instance whatever its kind.
var instanceKeys = []string{"kind", "enabled"}

func (t *Tree) decoder() decoder {
	return decoder{origin: func(n *yaml.Node) Origin { return t.origins[n] }}
}

// Decode fills into, which holds the defaults, from the plain section key.
func (t *Tree) Decode(key string, into any) error {
	n := child(t.root, key)
	if n == nil {
		return nil
	}
	return t.decoder().into(key, n, reflect.ValueOf(into).Elem())
}

// Check reports every top key that is no section.
func (t *Tree) Check() error {
	var valid []string
	for _, s := range t.schema.Sections {
		valid = append(valid, s.Key)
	}
	for i := 0; i+1 < len(t.root.Content); i += 2 {
		key := t.root.Content[i].Value
		if !slices.Contains(valid, key) {
			return t.decoder().fault(t.root.Content[i+1], key, "unknown key%s", suggest(key, valid))
		}
	}
	return nil
}

// Instances returns the instances of a section, presets included, by name.
func (t *Tree) Instances(key string) ([]Instance, error) {
	s, ok := t.schema.section(key)
	if !ok || s.Instances == nil {
		return nil, fmt.Errorf("section %s has no instances", key)
	}
	n := child(t.root, key)
	if n != nil && n.Kind != yaml.MappingNode {
		return nil, t.decoder().fault(n, key, "want names and settings, got %s", what(n))
	}
	names := keys(s.Instances.Preset)
	for i := 0; n != nil && i+1 < len(n.Content); i += 2 {
		names = append(names, n.Content[i].Value)
	}
	slices.Sort(names)
	var out []Instance
	for _, name := range slices.Compact(names) {
		in, err := t.instance(s, name, child(n, name))
		if err != nil {
			return nil, err
		}
		out = append(out, in)
	}
	return out, nil
}

func (t *Tree) instance(s Section, name string, n *yaml.Node) (Instance, error) {
	path := join(s.Key, name)
	preset, isPreset := s.Instances.Preset[name]
	in := Instance{Name: name, Kind: preset.Kind, Enabled: !preset.Off, tree: t, node: n}
	if !isPreset {
		in.Kind = name
	}
	common := reflect.New(reflect.TypeOf(s.Instances.Common))
	common.Elem().Set(reflect.ValueOf(s.Instances.Common))
	if isPreset && preset.Common != nil {
		common.Elem().Set(reflect.ValueOf(preset.Common))
	}
	in.Common = common.Interface()
	own := append(keys(fieldsOf(common.Elem().Type())), instanceKeys...)
	if n == nil {
		in.Decode = func(any) error { return nil }
		return in, nil
	}
	d := t.decoder()
	if n.Kind != yaml.MappingNode && n.Value != "" {
		return in, d.fault(n, path, "want keys and values, got %s", what(n))
	}
	if isPreset && preset.Off {
		in.Enabled = true // naming an instance switches it on
	}
	if k := child(n, "kind"); k != nil {
		in.Kind = k.Value
	}
	if e := child(n, "enabled"); e != nil {
		if err := d.into(join(path, "enabled"), e, reflect.ValueOf(&in.Enabled).Elem()); err != nil {
			return in, err
		}
	}
	if _, ok := s.Instances.Kinds[in.Kind]; !ok {
		return in, d.fault(n, path, "unknown kind %q%s", in.Kind, suggest(in.Kind, keys(s.Instances.Kinds)))
	}
	for key := range fieldsOf(common.Elem().Type()) {
		if v := child(n, key); v != nil {
			if err := d.into(join(path, key), v, common.Elem().FieldByIndex(fieldsOf(common.Elem().Type())[key].Index)); err != nil {
				return in, err
			}
		}
	}
	in.Decode = func(into any) error { return d.into(path, n, reflect.ValueOf(into).Elem(), own...) }
	return in, nil
}

// YAML returns the kind's own settings of the instance as a document, without
// the keys all instances share: what a process without this tree needs.
func (in Instance) YAML() ([]byte, error) {
	if in.node == nil || in.node.Kind != yaml.MappingNode {
		return nil, nil
	}
	own := append(keys(fieldsOf(reflect.TypeOf(in.Common).Elem())), instanceKeys...)
	rest := mapping()
	for i := 0; i+1 < len(in.node.Content); i += 2 {
		if !slices.Contains(own, in.node.Content[i].Value) {
			rest.Content = append(rest.Content, in.node.Content[i], in.node.Content[i+1])
		}
	}
	if len(rest.Content) == 0 {
		return nil, nil
	}
	return yaml.Marshal(rest)
}

// Strict returns a decode function for a document of one struct.
func Strict(name string, raw []byte) func(into any) error {
	return func(into any) error {
		t := &Tree{root: mapping(), origins: map[*yaml.Node]Origin{}}
		if err := t.mergeYAML(name, raw); err != nil {
			return err
		}
		return t.decoder().into("", t.root, reflect.ValueOf(into).Elem())
	}
}

// A Key is one setting as documentation shows it.
type Key struct {
	Path, Type, Default, Doc, Env string
	Secret                        bool
}

// Keys lists every key of the schema with its default, in order.
func (s Schema) Keys() []Key {
	var out []Key
	for _, sec := range s.Sections {
		if sec.Instances == nil {
			out = walk(out, sec.Key, reflect.ValueOf(sec.Defaults))
			continue
		}
		for _, name := range keys(sec.Instances.Kinds) {
			at := join(sec.Key, name)
			common := sec.Instances.Common
			if p, ok := sec.Instances.Preset[name]; ok && p.Common != nil {
				common = p.Common
			}
			p, preset := sec.Instances.Preset[name]
			out = append(out, Key{Path: at + ".enabled", Type: "true or false", Default: fmt.Sprint(preset && !p.Off), Doc: "whether it runs", Env: envName(at + ".enabled")})
			out = walk(out, at, reflect.ValueOf(common))
			out = walk(out, at, reflect.ValueOf(sec.Instances.Kinds[name]))
		}
	}
	return out
}

func walk(out []Key, path string, v reflect.Value) []Key {
	for _, f := range reflect.VisibleFields(v.Type()) {
		name := keyOf(f)
		if name == "" {
			continue
		}
		fv, err := v.FieldByIndexErr(f.Index)
		if err != nil {
			continue
		}
		if f.Type.Kind() == reflect.Struct && !leaf(f.Type) {
			out = walk(out, join(path, name), fv)
			continue
		}
		k := Key{
			Path: join(path, name), Type: typeName(f.Type), Doc: f.Tag.Get("doc"), Env: envName(join(path, name)),
			Secret: f.Type == reflect.TypeFor[honeyguide.Secret](),
		}
		if !fv.IsZero() {
			k.Default = fmt.Sprint(fv.Interface())
		}
		out = append(out, k)
	}
	return out
}

// JSONSchema writes the tree as a JSON Schema (2020-12) document.
func (s Schema) JSONSchema(w io.Writer) error {
	root := map[string]any{"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "honeyguide.yaml", "type": "object", "additionalProperties": false}
	props := map[string]any{}
	for _, sec := range s.Sections {
		if sec.Instances == nil {
			props[sec.Key] = object(reflect.TypeOf(sec.Defaults), sec.Summary)
			continue
		}
		var variants []any
		for _, name := range keys(sec.Instances.Kinds) {
			o := object(reflect.TypeOf(sec.Instances.Kinds[name]), name)
			p := o["properties"].(map[string]any)
			for k, v := range object(reflect.TypeOf(sec.Instances.Common), "")["properties"].(map[string]any) {
				p[k] = v
			}
			p["kind"], p["enabled"] = map[string]any{"type": "string"}, map[string]any{"type": "boolean"}
			variants = append(variants, o)
		}
		props[sec.Key] = map[string]any{"type": "object", "description": sec.Summary, "additionalProperties": map[string]any{"anyOf": variants}}
	}
	root["properties"] = props
	enc := json.NewEncoder(w)
	enc.SetIndent("", "  ")
	return enc.Encode(root)
}

func object(t reflect.Type, summary string) map[string]any {
	props := map[string]any{}
	for name, f := range fieldsOf(t) {
		var p map[string]any
		switch {
		case leaf(f.Type) || f.Type.Kind() == reflect.String:
			p = map[string]any{"type": "string"}
		case f.Type.Kind() == reflect.Bool:
			p = map[string]any{"type": "boolean"}
		case f.Type.Kind() == reflect.Struct:
			p = object(f.Type, "")
		case f.Type.Kind() == reflect.Slice:
			p = map[string]any{"type": "array"}
		case f.Type.Kind() == reflect.Map:
			p = map[string]any{"type": "object"}
		default:
			p = map[string]any{"type": "number"}
		}
		if doc := f.Tag.Get("doc"); doc != "" {
			p["description"] = doc
		}
		props[name] = p
	}
	o := map[string]any{"type": "object", "additionalProperties": false, "properties": props}
	if summary != "" {
		o["description"] = summary
	}
	return o
}

// A Value is one key as it is set.
type Value struct {
	Path    string `json:"path"`
	Value   string `json:"value" doc:"a secret is masked"`
	Origin  string `json:"origin" doc:"default, a file with its line, a variable or --set"`
	Default string `json:"default"`
	Type    string `json:"type,omitempty"`
	Doc     string `json:"doc,omitempty"`
	Secret  bool   `json:"secret,omitempty"`
	Set     bool   `json:"set" doc:"it is not the default that counts"`
}

// Values returns every key with its value, by path. Secrets are masked: whatever
// stands at a secret key, also inside lists and maps, and a URL with a password in
// it.
func (t *Tree) Values() []Value {
	set := map[string]*yaml.Node{}
	flatten(set, "", t.root)
	secret := t.schema.secretNames()
	out := map[string]Value{}
	for _, k := range t.schema.Keys() {
		v := Value{Path: k.Path, Value: k.Default, Origin: "default", Default: k.Default, Type: k.Type, Doc: k.Doc, Secret: k.Secret}
		if k.Secret {
			v.Value, v.Default = honeyguide.Secret(k.Default).String(), ""
		}
		out[k.Path] = v
	}
	for path, n := range set {
		v, known := out[path]
		v.Path, v.Value, v.Origin, v.Set = path, shown(n, secret), t.origins[n].String(), true
		if v.Secret = v.Secret || !known && inSecret(path, secret); v.Secret {
			v.Value = honeyguide.Secret(v.Value).String()
		}
		out[path] = v
	}
	list := make([]Value, 0, len(out))
	for _, path := range keys(out) {
		list = append(list, out[path])
	}
	return list
}

// inSecret reports whether a path ends at a name of secrets or lies below one,
// where nothing should stand: somebody's indentation went wrong.
func inSecret(path string, secret map[string]bool) bool {
	return slices.ContainsFunc(strings.Split(path, "."), func(name string) bool { return secret[name] })
}

// secretNames are the names of keys whose values are secrets, wherever they stand:
// an instance or an element of a map may be called anything.
func (s Schema) secretNames() map[string]bool {
	out := map[string]bool{}
	for _, sec := range s.Sections {
		if sec.Instances == nil {
			namesIn(out, "", reflect.TypeOf(sec.Defaults))
			continue
		}
		namesIn(out, "", reflect.TypeOf(sec.Instances.Common))
		for _, d := range sec.Instances.Kinds {
			namesIn(out, "", reflect.TypeOf(d))
		}
	}
	return out
}

func namesIn(out map[string]bool, name string, t reflect.Type) {
	switch {
	case t == nil:
	case t == reflect.TypeFor[honeyguide.Secret]():
		out[name] = true
	case leaf(t):
	case t.Kind() == reflect.Pointer, t.Kind() == reflect.Slice, t.Kind() == reflect.Map:
		namesIn(out, name, t.Elem())
	case t.Kind() == reflect.Struct:
		for key, f := range fieldsOf(t) {
			namesIn(out, key, f.Type)
		}
	}
}

// shown is the value of a key as text.
func shown(n *yaml.Node, secret map[string]bool) string {
	text := n.Value
	if n.Kind == yaml.SequenceNode {
		raw, _ := yaml.Marshal(covered(n, secret))
		text = strings.Join(strings.Fields(strings.ReplaceAll(string(raw), "\n", " ")), " ")
	}
	return userinfo.ReplaceAllString(text, "://***@")
}

// covered is a node with its secrets masked.
func covered(n *yaml.Node, secret map[string]bool) *yaml.Node {
	out := *n
	out.Content = slices.Clone(n.Content)
	for i, c := range n.Content {
		if n.Kind == yaml.MappingNode && i%2 == 1 && secret[n.Content[i-1].Value] {
			out.Content[i] = &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: honeyguide.Secret("x").String()}
			continue
		}
		out.Content[i] = covered(c, secret)
	}
	return &out
}

// userinfo is the part of a URL that names a user, and often a password.
var userinfo = regexp.MustCompile(`://[^/@\s]+@`)

// Show writes every key that is set somewhere, or all with their defaults, as
// "path = value", with its origin when asked. Secrets are masked.
func (t *Tree) Show(w io.Writer, origin bool) error {
	var b bytes.Buffer
	for _, v := range t.Values() {
		b.WriteString(t.line(v.Path, v.Value, v.Origin, origin))
	}
	_, err := w.Write(b.Bytes())
	return err
}

func (t *Tree) line(path, value, o string, origin bool) string {
	if origin {
		return fmt.Sprintf("%-40s = %-30s # %s\n", path, value, o)
	}
	return fmt.Sprintf("%s = %s\n", path, value)
}

func flatten(out map[string]*yaml.Node, path string, n *yaml.Node) {
	if n.Kind != yaml.MappingNode {
		out[path] = n
		return
	}
	for i := 0; i+1 < len(n.Content); i += 2 {
		flatten(out, join(path, n.Content[i].Value), n.Content[i+1])
	}
}
