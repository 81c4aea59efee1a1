package api

import (
	"bytes"
	"encoding/json"
	"reflect"
	"slices"
	"strings"
	"sync"

	"github.com/danielgtaylor/huma/v2"
)

// masked leaves in an answer what was asked for.
func masked(ctx huma.Context, status string, v any) (any, error) {
	mask, _ := ctx.Context().Value(maskKey).(map[string]bool)
	if mask == nil || status != "200" {
		return v, nil
	}
	whole := reflect.Indirect(reflect.ValueOf(v))
	shape := shapeOf(whole)
	if shape == nil {
		return maskedText(v, mask)
	}
	items := shape.find("items")
	if items == nil || shape.find("next") == nil || whole.Field(items.at).Kind() != reflect.Slice {
		return maskedObject(whole, shape, func(name string) bool { return mask[name] }, nil)
	}
	rows := whole.Field(items.at)
	of := shapeOfType(rows.Type().Elem())
	if of == nil {
		return maskedText(v, mask)
	}
	list := newPicker()
	list.b.WriteByte('[')
	for i := range rows.Len() {
		if i > 0 {
			list.b.WriteByte(',')
		}
		if err := list.object(rows.Index(i), of, func(name string) bool { return mask[name] }, nil); err != nil {
			return nil, err
		}
	}
	list.b.WriteByte(']')
	return maskedObject(whole, shape, func(string) bool { return true }, map[string][]byte{"items": list.b.Bytes()})
}

func maskedObject(v reflect.Value, of shape, wanted func(string) bool, ready map[string][]byte) (json.RawMessage, error) {
	p := newPicker()
	err := p.object(v, of, wanted, ready)
	return p.b.Bytes(), err
}

// A picker writes the fields of objects that are wanted, and spends nothing on
// the others: a page of a thousand rows is asked for by every console.
type picker struct {
	b bytes.Buffer
	e *json.Encoder
}

func newPicker() *picker {
	p := &picker{}
	p.e = json.NewEncoder(&p.b)
	p.e.SetEscapeHTML(false)
	return p
}

func (p *picker) object(v reflect.Value, of shape, wanted func(string) bool, ready map[string][]byte) error {
	p.b.WriteByte('{')
	first := true
	for _, f := range of {
		field := v.Field(f.at)
		if !wanted(f.name) || f.empty && isEmpty(field) || f.zero && isZero(field) {
			continue
		}
		if !first {
			p.b.WriteByte(',')
		}
		first = false
		p.b.WriteString(f.key)
		if text, ok := ready[f.name]; ok {
			p.b.Write(text)
			continue
		}
		if field.CanAddr() {
			field = field.Addr() // as a pointer it is not copied
		}
		if err := p.e.Encode(field.Interface()); err != nil {
			return err
		}
		p.b.Truncate(p.b.Len() - 1) // the line feed of the encoder
	}
	p.b.WriteByte('}')
	return nil
}

// A shape is the fields of a struct as encoding/json writes them, in their order.
type shape []shapeField

type shapeField struct {
	at          int
	name        string
	key         string // "name":
	empty, zero bool   // left out when it is
}

func (s shape) find(name string) *shapeField {
	if at := slices.IndexFunc(s, func(f shapeField) bool { return f.name == name }); at >= 0 {
		return &s[at]
	}
	return nil
}

// shapes are those of the types that were asked for: as many as there are answers.
var shapes sync.Map // of reflect.Type

func shapeOf(v reflect.Value) shape {
	if !v.IsValid() {
		return nil
	}
	return shapeOfType(v.Type())
}

// shapeOfType returns nil for what is no plain struct: text is masked as text then.
func shapeOfType(t reflect.Type) shape {
	if known, ok := shapes.Load(t); ok {
		return known.(shape)
	}
	made := makeShape(t)
	shapes.Store(t, made)
	return made
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

func makeShape(t reflect.Type) shape {
	if t.Kind() != reflect.Struct || reflect.PointerTo(t).Implements(marshaler) || reflect.PointerTo(t).Implements(textMarshaler) {
		return nil
	}
	out := shape{}
	for i := range t.NumField() {
		f := t.Field(i)
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		has := func(option string) bool { return slices.Contains(strings.Split(options, ","), option) }
		switch {
		case f.Anonymous:
			return nil
		case !f.IsExported() || name == "-" && options == "":
			continue
		case has("string"):
			return nil
		case name == "":
			name = f.Name
		}
		key, err := plainJSON(name)
		if err != nil {
			return nil
		}
		out = append(out, shapeField{at: i, name: name, key: string(key) + ":", empty: has("omitempty"), zero: has("omitzero")})
	}
	return out
}

// isZero is what omitzero means: a value may know by itself.
func isZero(v reflect.Value) bool {
	if z, ok := v.Interface().(interface{ IsZero() bool }); ok && v.Kind() != reflect.Pointer {
		return z.IsZero()
	}
	return v.IsZero()
}

// isEmpty is what omitempty means.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	default:
		return v.IsZero()
	}
}

// maskedText masks what is no plain struct.
func maskedText(v any, mask map[string]bool) (any, error) {
	raw, err := plainJSON(v)
	if err != nil {
		return nil, err
	}
	var whole map[string]json.RawMessage
	if err := json.Unmarshal(raw, &whole); err != nil {
		return nil, err
	}
	if _, list := whole["next"]; list && whole["items"] != nil {
		var items []map[string]json.RawMessage
		if err := json.Unmarshal(whole["items"], &items); err != nil {
			return nil, err
		}
		for _, item := range items {
			leave(item, mask)
		}
		if whole["items"], err = plainJSON(items); err != nil {
			return nil, err
		}
		return whole, nil
	}
	leave(whole, mask)
	return whole, nil
}

// leave takes out what a mask does not name.
func leave(from map[string]json.RawMessage, mask map[string]bool) {
	for name := range from {
		if !mask[name] {
			delete(from, name)
		}
	}
}
