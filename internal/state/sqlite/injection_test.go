package sqlite

import (
	"context"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide/internal/state"
)

// hostile is what the values of all users and attackers are here.
const hostile = `x' OR 1=1; DROP TABLE alert;--"` + "`"

// mark tells it apart inside of a statement, in whatever way it was quoted.
const mark = "DROP TABLE"

// TestNoValueStandsInSQL calls every method of every noun with hostile text in
// every string there is and looks at every statement that was prepared: values are
// arguments, and no statement holds any of them.
func TestNoValueStandsInSQL(t *testing.T) {
	s, err := Open(t.Context(), Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	schema := func() (text string) {
		t.Helper()
		c := <-s.writer.idle
		defer func() { s.writer.idle <- c }()
		if err := c.c.QueryRowContext(t.Context(), "SELECT group_concat(sql) FROM sqlite_schema").Scan(&text); err != nil {
			t.Fatal(err)
		}
		return text
	}
	texts := map[string]bool{}
	methods := 0
	nouns := reflect.TypeFor[state.Tx]()
	before := ""
	for i := range nouns.NumMethod() {
		noun := nouns.Method(i)
		if noun.Type.NumIn() > 0 || noun.Type.NumOut() != 1 {
			continue
		}
		for k := range noun.Type.Out(0).NumMethod() {
			for _, full := range []bool{true, false} { // an empty question reads other statements
				err := s.Update(t.Context(), func(x state.Tx) error {
					call(t.Context(), reflect.ValueOf(x).MethodByName(noun.Name).Call(nil)[0].Method(k), full)
					for text := range maps.Keys(x.(*tx).conn.stmts) {
						texts[text] = true
					}
					return nil
				})
				// Other errors are about such values, which is not asked here.
				if err != nil && (strings.Contains(err.Error(), "syntax") || strings.Contains(err.Error(), "token") || strings.Contains(err.Error(), "no such")) {
					t.Errorf("%s.%s: %v", noun.Name, noun.Type.Out(0).Method(k).Name, err)
				}
			}
			methods++
		}
		if before == "" {
			before = schema()
		}
	}
	if after := schema(); after != before {
		t.Errorf("the schema is another:\n%s\n%s", before, after)
	}
	for text := range texts {
		if strings.Contains(text, mark) {
			t.Errorf("a value stands in %s", text)
		}
	}
	if methods < 100 || len(texts) < 150 {
		t.Errorf("%d methods made %d statements: not everything was called", methods, len(texts))
	}
	t.Logf("%d methods of %d nouns, %d statements", methods, nouns.NumMethod(), len(texts))
}

// call calls a method with values made up for its types. Its errors, and what it
// does with values nobody would give it, are not looked at.
func call(ctx context.Context, method reflect.Value, full bool) {
	defer func() { _ = recover() }()
	typ := method.Type()
	var args []reflect.Value
	for i := range typ.NumIn() {
		in := typ.In(i)
		switch {
		case in == reflect.TypeFor[context.Context]():
			args = append(args, reflect.ValueOf(ctx))
		case typ.IsVariadic() && i == typ.NumIn()-1:
			args = append(args, made(in.Elem(), full, 0))
		default:
			args = append(args, made(in, full, 0))
		}
	}
	method.Call(args)
}

// made is a value of a type with hostile text in all its strings; not full leaves
// out what a question may leave out.
func made(typ reflect.Type, full bool, deep int) reflect.Value {
	v := reflect.New(typ).Elem()
	if deep > 6 {
		return v
	}
	switch typ.Kind() {
	case reflect.String:
		v.SetString(hostile)
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		v.SetInt(3)
	case reflect.Bool:
		v.SetBool(full)
	case reflect.Float64:
		v.SetFloat(0.5)
	case reflect.Pointer:
		v.Set(reflect.New(typ.Elem()))
		v.Elem().Set(made(typ.Elem(), full, deep+1))
	case reflect.Slice:
		if typ.Elem().Kind() == reflect.Uint8 {
			v.SetBytes([]byte(hostile))
		} else if full || deep == 0 {
			v.Set(reflect.Append(v, made(typ.Elem(), full, deep+1)))
		}
	case reflect.Map:
		v.Set(reflect.MakeMap(typ))
		v.SetMapIndex(made(typ.Key(), full, deep+1), made(typ.Elem(), full, deep+1))
	case reflect.Func:
		v.Set(reflect.MakeFunc(typ, func([]reflect.Value) (out []reflect.Value) {
			for i := range typ.NumOut() {
				out = append(out, reflect.Zero(typ.Out(i)))
			}
			return out
		}))
	case reflect.Struct:
		if typ == reflect.TypeFor[time.Time]() {
			if full {
				v.Set(reflect.ValueOf(time.Unix(1_700_000_000, 0)))
			}
			return v
		}
		for i := range typ.NumField() {
			f := typ.Field(i)
			if !f.IsExported() || f.Name == "After" || !full && deep == 0 && slices.Contains([]reflect.Kind{reflect.String, reflect.Slice}, f.Type.Kind()) {
				continue // a cursor that is none ends the question before it is asked
			}
			v.Field(i).Set(made(f.Type, full, deep+1))
		}
	}
	return v
}
