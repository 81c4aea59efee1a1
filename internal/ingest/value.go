package ingest

import (
	"bytes"
	"iter"
	"math"
	"strconv"
	"strings"
)

// A Type is what a [Value] holds.
type Type uint8

// The types of values.
const (
	Missing Type = iota
	Null
	Bool
	Number
	String
	Array
	Object
)

// A Value is one value of a record, or the absence of one: looking up what is
// not there gives a missing value, on which everything may be asked again. It
// is valid as long as its record.
type Value struct {
	d *document
	i int32
}

// Type returns what v holds.
func (v Value) Type() Type {
	if v.d == nil {
		return Missing
	}
	return v.d.nodes[v.i].typ
}

// Get returns the member called key; of several the last, as JSON readers do.
func (v Value) Get(key string) Value {
	if v.Type() != Object {
		return Value{}
	}
	found := Value{}
	for i := v.d.nodes[v.i].kid; i != 0; i = v.d.nodes[i].next {
		if v.d.keyIs(i, key) {
			found = Value{v.d, i}
		}
	}
	return found
}

// Path returns the value under a dotted path. Products write the same thing as
// nested objects and as one dotted key; both are found.
func (v Value) Path(path string) Value {
	if v.d == nil {
		return Value{}
	}
	if !v.d.dotted { // the usual case, and the quick one
		head, rest, more := strings.Cut(path, ".")
		for v = v.Get(head); more && v.d != nil; v = v.Get(head) {
			head, rest, more = strings.Cut(rest, ".")
		}
		return v
	}
	if got := v.Get(path); got.d != nil {
		return got
	}
	for i := range len(path) {
		if path[i] != '.' {
			continue
		}
		if in := v.Get(path[:i]); in.d != nil {
			if got := in.Path(path[i+1:]); got.d != nil {
				return got
			}
		}
	}
	return Value{}
}

// First returns the first of paths that is there and not absent, and its name.
func (v Value) First(paths ...string) (Value, string) {
	for _, p := range paths {
		if got := v.Path(p); !got.Absent() {
			return got, p
		}
	}
	return Value{}, ""
}

// Each walks the members of an object, or the elements of an array under empty
// keys, in their order.
func (v Value) Each() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) {
		if t := v.Type(); t != Object && t != Array {
			return
		}
		for i := v.d.nodes[v.i].kid; i != 0; i = v.d.nodes[i].next {
			if !yield(v.d.key(i), Value{v.d, i}) {
				return
			}
		}
	}
}

// Leaves walks every scalar below v with its dotted path.
func (v Value) Leaves() iter.Seq2[string, Value] {
	return func(yield func(string, Value) bool) { v.leaves("", yield) }
}

func (v Value) leaves(path string, yield func(string, Value) bool) bool {
	n := 0
	for key, kid := range v.Each() {
		if v.Type() == Array {
			key = strconv.Itoa(n)
		}
		n++
		if path != "" {
			key = path + "." + key
		}
		if t := kid.Type(); t == Object || t == Array {
			if !kid.leaves(key, yield) {
				return false
			}
		} else if !yield(key, kid) {
			return false
		}
	}
	return true
}

// Text returns the text of a string, number or bool, valid UTF-8 with U+FFFD
// for what was not (NUL included); of an array or object its JSON; else "".
func (v Value) Text() string {
	if v.d == nil {
		return ""
	}
	n := &v.d.nodes[v.i]
	switch n.typ {
	case String, Number, Bool:
		return v.d.text(n.val, n.escaped)
	case Array, Object:
		return v.d.mend(string(compact(v.d.bytes(n.val))))
	}
	return ""
}

// compact removes the blanks between the tokens of JSON.
func compact(b []byte) []byte {
	out := make([]byte, 0, len(b))
	for len(b) > 0 {
		n := bytes.IndexByte(b, '"')
		if n < 0 {
			n = len(b)
		}
		for _, c := range b[:n] {
			if !isBlank(c) {
				out = append(out, c)
			}
		}
		b = b[n:]
		n = endOfText(b)
		out, b = append(out, b[:n]...), b[n:]
	}
	return out
}

// endOfText returns where the text that begins b ends, its quotes included.
func endOfText(b []byte) int {
	for i := 1; i < len(b); {
		n := bytes.IndexByte(b[i:], '"')
		if n < 0 {
			return len(b)
		}
		i += n + 1
		slashes := 0
		for j := i - 2; j > 0 && b[j] == '\\'; j-- {
			slashes++
		}
		if slashes%2 == 0 {
			return i
		}
	}
	return len(b)
}

// Texts returns the text of a scalar, or those of an array's scalars.
func (v Value) Texts() []string {
	switch v.Type() {
	case String, Number, Bool:
		return []string{v.Text()}
	case Array:
		var all []string
		for _, e := range v.Each() {
			if t := e.Type(); t == String || t == Number {
				all = append(all, e.Text())
			}
		}
		return all
	}
	return nil
}

// one returns the first element of an array, and anything else as it is.
func (v Value) one() Value {
	if v.Type() != Array {
		return v
	}
	for _, kid := range v.Each() {
		return kid
	}
	return v
}

// Absent reports whether v says nothing: missing, null, an empty container, or
// one of the words products write for nothing.
func (v Value) Absent() bool {
	switch v.Type() {
	case Missing, Null:
		return true
	case Array, Object:
		return v.d.nodes[v.i].kid == 0
	case String:
		return absent(v.d.bytes(v.d.nodes[v.i].val))
	}
	return false
}

// absent reports whether b is a word for nothing.
func absent(b []byte) bool {
	b = bytes.TrimSpace(b)
	switch len(b) {
	case 0:
		return true
	case 1:
		return b[0] == '-'
	case 3, 4, 6:
		switch strings.ToLower(string(b)) {
		case "n/a", "nil", "nan", "null", "none", "(null)":
			return true
		}
	}
	return false
}

// Int returns a whole number, also when it was written as text or with zeros
// behind a decimal point.
func (v Value) Int() (int64, bool) {
	if t := v.Type(); t != Number && t != String {
		return 0, false
	}
	s := whole(strings.TrimSpace(v.Text()))
	n, err := strconv.ParseInt(s, 10, 64)
	if err == nil {
		return n, true
	}
	// 1e3 and the like; beyond 2^53 a float is no whole number any more.
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f != float64(int64(f)) || f > 1<<53 || f < -(1<<53) {
		return 0, false
	}
	return int64(f), true
}

// whole strips the ".000000" of a whole number.
func whole(s string) string {
	head, tail, ok := strings.Cut(s, ".")
	if ok && head != "" && strings.Trim(tail, "0") == "" {
		return head
	}
	return s
}

// ID returns v as an identifier: whole numbers without a fraction of zeros,
// and never through a float.
func (v Value) ID() string {
	if v.Absent() {
		return ""
	}
	s := strings.TrimSpace(v.Text())
	if w := whole(s); w != s && strings.Trim(w, "0123456789") == "" {
		return w
	}
	return s
}

// Seconds returns a number of seconds, with a fraction or without, as
// milliseconds.
func (v Value) Seconds() (int64, bool) {
	if v.Absent() || v.Type() != Number && v.Type() != String {
		return 0, false
	}
	f, err := strconv.ParseFloat(strings.TrimSpace(v.Text()), 64)
	if err != nil || !(f >= 0 && f < 1e12) {
		return 0, false
	}
	return int64(math.Round(f * 1000)), true
}
