package api

import (
	"bytes"
	"context"
	"encoding/json"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"
)

// maskOf is what was asked for; nil is everything.
func maskOf(ctx context.Context) map[string]bool {
	mask, _ := ctx.Value(maskKey).(map[string]bool)
	return mask
}

// wanted says whether a field will be in the answer.
func wanted(ctx context.Context, field string) bool {
	mask := maskOf(ctx)
	return mask == nil || mask[field]
}

// masked leaves in an answer what was asked for.
func masked(ctx huma.Context, status string, v any) (any, error) {
	mask := maskOf(ctx.Context())
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
	return maskedObject(whole, shape, everything, map[string][]byte{"items": list.b.Bytes()})
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
		if err := p.value(field, &f); err != nil {
			return err
		}
	}
	p.b.WriteByte('}')
	return nil
}

// value writes what most rows are made of by itself, and leaves the rest, with all
// that is odd in it, to the library: its reflection is most of what a page costs.
func (p *picker) value(v reflect.Value, f *shapeField) error {
	switch f.how {
	case asText:
		if s := v.String(); needsNoEscape(s) {
			p.b.WriteByte('"')
			p.b.WriteString(s)
			p.b.WriteByte('"')
			return nil
		}
	case asInt:
		p.b.Write(strconv.AppendInt(p.b.AvailableBuffer(), v.Int(), 10))
		return nil
	case asBool:
		p.b.Write(strconv.AppendBool(p.b.AvailableBuffer(), v.Bool()))
		return nil
	case asTime:
		if v.CanAddr() {
			if t := v.Addr().Interface().(*time.Time); t.Location() == time.UTC && t.Year() >= 0 && t.Year() <= 9999 {
				p.b.Write(t.AppendFormat(p.b.AvailableBuffer(), `"`+time.RFC3339Nano+`"`))
				return nil
			}
		}
	case asObject:
		return p.object(v, f.of, everything, nil)
	case asObjects:
		if v.IsNil() {
			break
		}
		p.b.WriteByte('[')
		for i := range v.Len() {
			if i > 0 {
				p.b.WriteByte(',')
			}
			if err := p.object(v.Index(i), f.of, everything, nil); err != nil {
				return err
			}
		}
		p.b.WriteByte(']')
		return nil
	}
	if v.CanAddr() {
		v = v.Addr() // as a pointer it is not copied
	}
	if err := p.e.Encode(v.Interface()); err != nil {
		return err
	}
	p.b.Truncate(p.b.Len() - 1) // the line feed of the encoder
	return nil
}

func everything(string) bool { return true }

// needsNoEscape says whether JSON has s between quotes as it is.
func needsNoEscape(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return true
}

// A writing is how a field is written.
type writing uint8

const (
	byLibrary writing = iota
	asText
	asInt
	asBool
	asTime
	asObject
	asObjects
)

// howOf says how values of a type are written, and what those it holds are made of.
// Whatever writes itself is the library's, and so is a type that holds itself;
// within are the types around it.
func howOf(t reflect.Type, within []reflect.Type) (writing, shape) {
	if t == reflect.TypeFor[time.Time]() {
		return asTime, nil
	}
	if writesItself(t) {
		return byLibrary, nil
	}
	switch t.Kind() {
	case reflect.String:
		return asText, nil
	case reflect.Int, reflect.Int64:
		return asInt, nil
	case reflect.Bool:
		return asBool, nil
	case reflect.Struct:
		if of := makeShape(t, within); of != nil {
			return asObject, of
		}
	case reflect.Slice:
		if of := makeShape(t.Elem(), within); of != nil {
			return asObjects, of
		}
	}
	return byLibrary, nil
}

// A shape is the fields of a struct as encoding/json writes them, in their order.
type shape []shapeField

type shapeField struct {
	at          int
	name        string
	key         string // "name":
	how         writing
	of          shape // of the object or objects it is
	empty, zero bool  // left out when it is
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
	made := makeShape(t, nil)
	shapes.Store(t, made)
	return made
}

var (
	marshaler     = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[interface{ MarshalText() ([]byte, error) }]()
)

func writesItself(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(marshaler) || reflect.PointerTo(t).Implements(textMarshaler)
}

func makeShape(t reflect.Type, within []reflect.Type) shape {
	if t.Kind() != reflect.Struct || writesItself(t) || slices.Contains(within, t) {
		return nil
	}
	within = append(slices.Clone(within), t)
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
		how, of := howOf(f.Type, within)
		out = append(out, shapeField{at: i, name: name, key: string(key) + ":", how: how, of: of, empty: has("omitempty"), zero: has("omitzero")})
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
