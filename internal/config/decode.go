package config

import (
	"encoding"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"honeyguide"
)

// A decoder fills Go values from nodes and names the key and place of whatever
// does not fit.
type decoder struct {
	origin func(*yaml.Node) Origin
}

// fault returns an error at node's place that a user can act on.
func (d decoder) fault(n *yaml.Node, path, format string, args ...any) error {
	place := d.origin(n).String()
	if place != "" {
		place += ": "
	}
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: place + path + ": " + fmt.Sprintf(format, args...)}
}

// into fills v from n. Keys of structs that ignore names are skipped at this
// level: they belong to somebody else.
func (d decoder) into(path string, n *yaml.Node, v reflect.Value, ignore ...string) error {
	if leaf(v.Type()) {
		return d.leaf(path, n, v)
	}
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			v.Set(reflect.New(v.Type().Elem()))
		}
		return d.into(path, n, v.Elem(), ignore...)
	case reflect.Struct:
		return d.structure(path, n, v, ignore)
	case reflect.Map:
		return d.mapping(path, n, v)
	case reflect.Slice:
		return d.slice(path, n, v)
	}
	return d.leaf(path, n, v)
}

func (d decoder) structure(path string, n *yaml.Node, v reflect.Value, ignore []string) error {
	if n.Kind == yaml.ScalarNode && (n.Value == "" || n.Tag == "!!null") {
		return nil // `ssh:` with nothing below keeps the defaults
	}
	if n.Kind != yaml.MappingNode {
		return d.fault(n, path, "want keys and values, got %s", what(n))
	}
	fields := fieldsOf(v.Type())
	var errs []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := n.Content[i].Value, n.Content[i+1]
		if slices.Contains(ignore, key) {
			continue
		}
		f, ok := fields[key]
		if !ok {
			errs = append(errs, d.fault(value, join(path, key), "unknown key%s", suggest(key, append(keys(fields), ignore...))))
			continue
		}
		errs = append(errs, d.into(join(path, key), value, v.FieldByIndex(f.Index)))
	}
	return errors.Join(errs...)
}

func (d decoder) mapping(path string, n *yaml.Node, v reflect.Value) error {
	if n.Kind != yaml.MappingNode {
		return d.fault(n, path, "want keys and values, got %s", what(n))
	}
	if v.IsNil() {
		v.Set(reflect.MakeMap(v.Type()))
	}
	var errs []error
	for i := 0; i+1 < len(n.Content); i += 2 {
		el := reflect.New(v.Type().Elem()).Elem()
		errs = append(errs, d.into(join(path, n.Content[i].Value), n.Content[i+1], el))
		v.SetMapIndex(reflect.ValueOf(n.Content[i].Value).Convert(v.Type().Key()), el)
	}
	return errors.Join(errs...)
}

// slice fills a list. One plain text stands for a list of its comma-separated
// parts, so that a variable can hold it.
func (d decoder) slice(path string, n *yaml.Node, v reflect.Value) error {
	items := n.Content
	if n.Kind == yaml.ScalarNode {
		items = nil
		for part := range strings.SplitSeq(n.Value, ",") {
			if part = strings.TrimSpace(part); part != "" {
				items = append(items, &yaml.Node{Kind: yaml.ScalarNode, Value: part, Line: n.Line})
			}
		}
	} else if n.Kind != yaml.SequenceNode {
		return d.fault(n, path, "want a list, got %s", what(n))
	}
	out := reflect.MakeSlice(v.Type(), len(items), len(items))
	var errs []error
	for i, item := range items {
		errs = append(errs, d.into(fmt.Sprintf("%s[%d]", path, i), item, out.Index(i)))
	}
	v.Set(out)
	return errors.Join(errs...)
}

func (d decoder) leaf(path string, n *yaml.Node, v reflect.Value) error {
	if n.Kind != yaml.ScalarNode && v.Kind() != reflect.Interface {
		return d.fault(n, path, "want %s, got %s", typeName(v.Type()), what(n))
	}
	if u, ok := v.Addr().Interface().(encoding.TextUnmarshaler); ok {
		if err := u.UnmarshalText([]byte(n.Value)); err != nil {
			return d.fault(n, path, "%s", err)
		}
		return nil
	}
	if v.Kind() == reflect.String { // `password: 123456` is a text to us
		v.SetString(n.Value)
		return nil
	}
	if err := n.Decode(v.Addr().Interface()); err != nil {
		return d.fault(n, path, "want %s, got %q", typeName(v.Type()), n.Value)
	}
	return nil
}

var (
	textType     = reflect.TypeFor[encoding.TextUnmarshaler]()
	durationType = reflect.TypeFor[time.Duration]()
)

func leaf(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(textType) || t == durationType
}

func what(n *yaml.Node) string {
	switch n.Kind {
	case yaml.SequenceNode:
		return "a list"
	case yaml.MappingNode:
		return "keys and values"
	}
	return fmt.Sprintf("%q", n.Value)
}

func typeName(t reflect.Type) string {
	switch {
	case t == durationType:
		return "a duration such as 30s, 10m or 24h"
	case t.Kind() == reflect.Bool:
		return "true or false"
	case t.Kind() >= reflect.Int && t.Kind() <= reflect.Uint64:
		return "a whole number"
	case t.Kind() == reflect.Float64:
		return "a number"
	case t.Kind() == reflect.Slice:
		return "a list"
	case t.Kind() == reflect.Map || t.Kind() == reflect.Struct && !leaf(t):
		return "keys and values"
	}
	return "a text"
}

// fieldsOf maps the keys of struct t to its fields; embedded structs lend theirs.
func fieldsOf(t reflect.Type) map[string]reflect.StructField {
	fields := map[string]reflect.StructField{}
	for _, f := range reflect.VisibleFields(t) {
		if name := keyOf(f); name != "" {
			fields[name] = f
		}
	}
	return fields
}

// keyOf returns the configuration key of f, "" when it has none.
func keyOf(f reflect.StructField) string {
	name, _, _ := strings.Cut(f.Tag.Get("yaml"), ",")
	switch {
	case !f.IsExported() || f.Anonymous || name == "-":
		return ""
	case name != "":
		return name
	}
	return strings.ToLower(f.Name)
}

func keys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for k := range m {
		names = append(names, k)
	}
	slices.Sort(names)
	return names
}

// suggest names the valid key nearest to a mistyped one, and otherwise all.
func suggest(key string, valid []string) string {
	slices.Sort(valid)
	best, at := "", 4
	for _, v := range valid {
		if n := distance(key, v); n < at {
			best, at = v, n
		}
	}
	switch {
	case best != "" && at <= max(1, len(key)/2):
		return fmt.Sprintf("; did you mean %q?", best)
	case len(valid) == 0:
		return ""
	}
	return "; valid here: " + strings.Join(slices.Compact(valid), ", ")
}

// distance is the Levenshtein distance between two keys.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j+1]+1, row[j]+1)
		}
	}
	return row[len(b)]
}
