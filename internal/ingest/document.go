package ingest

import (
	"bytes"
	"errors"
	"fmt"
	"unicode/utf8"
)

// Limits of one record.
const (
	// MaxRecord is the largest record in bytes unless Options says otherwise.
	MaxRecord = 1 << 20
	// MaxDepth is the deepest nesting of a record.
	MaxDepth = 64
	// MaxFields is the largest number of object members in a record.
	MaxFields = 2000
	// maxElements bounds the array elements of a record.
	maxElements = 16384
	// maxInterned bounds the texts kept for reuse, and their length.
	maxInterned, maxInternedLen = 4096, 64
)

var (
	errDepth    = fmt.Errorf("nested deeper than %d levels", MaxDepth)
	errFields   = fmt.Errorf("more than %d fields", MaxFields)
	errElements = fmt.Errorf("more than %d list elements", maxElements)
	errEnd      = errors.New("ends too early")
	errNumber   = errors.New("not a number")
	errNoObject = errors.New("not a JSON object")
)

// A span is a piece of a document's text.
type span struct{ off, len uint32 }

// A node is one value of a document. Members and elements hang from their
// parent as a list; the root is node 0, so 0 ends a list.
type node struct {
	key, val   span
	next, kid  int32
	typ        Type
	escaped    bool // val holds backslashes
	keyEscaped bool
}

// A document is one parsed record. It is filled again and again: no memory is
// allocated per record once it has grown.
type document struct {
	src      []byte
	nodes    []node
	pos      int
	fields   int
	elements int
	clean    bool     // src is valid UTF-8 without NUL
	dotted   bool     // some key has a dot in it
	names    []string // of a table's columns; nil when src is JSON
	interned map[string]string
}

// root returns the value everything hangs from.
func (d *document) root() Value { return Value{d, 0} }

// parse reads one JSON object at the beginning of src and returns its length.
// It is as strict as JSON, but for control characters other than line breaks
// within texts and for invalid UTF-8, which products do write.
func (d *document) parse(src []byte) (int, error) {
	*d = document{src: src, nodes: d.nodes[:0], interned: d.interned}
	d.blank()
	if d.peek() != '{' {
		return 0, errNoObject
	}
	if _, err := d.value(span{}, false, 0); err != nil {
		return 0, fmt.Errorf("not valid JSON at byte %d: %w", d.pos+1, err)
	}
	// Only what was read: a line may hold many objects.
	d.clean = utf8.Valid(src[:d.pos]) && bytes.IndexByte(src[:d.pos], 0) < 0
	return d.pos, nil
}

func (d *document) peek() byte {
	if d.pos < len(d.src) {
		return d.src[d.pos]
	}
	return 0
}

func (d *document) blank() {
	for d.pos < len(d.src) && isBlank(d.src[d.pos]) {
		d.pos++
	}
}

func isBlank(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' }

// value reads the value at pos into a new node and returns its number.
func (d *document) value(key span, keyEscaped bool, depth int) (int32, error) {
	at := int32(len(d.nodes))
	d.nodes = append(d.nodes, node{key: key, keyEscaped: keyEscaped})
	start := d.pos
	var typ Type
	var err error
	switch c := d.peek(); {
	case c == '{' || c == '[':
		typ, err = d.container(at, c, depth+1)
	case c == '"':
		var s span
		var escaped bool
		s, escaped, err = d.quoted()
		d.nodes[at].typ, d.nodes[at].val, d.nodes[at].escaped = String, s, escaped
		return at, err
	case c == '-' || c >= '0' && c <= '9':
		typ, err = Number, d.number()
	case c == 't':
		typ, err = Bool, d.word("true")
	case c == 'f':
		typ, err = Bool, d.word("false")
	case c == 'n':
		typ, err = Null, d.word("null")
	case d.pos >= len(d.src):
		err = errEnd
	default:
		err = errors.New("a value is wanted here")
	}
	d.nodes[at].typ, d.nodes[at].val = typ, d.cut(start, d.pos)
	return at, err
}

func (d *document) cut(from, to int) span { return span{uint32(from), uint32(to - from)} }

// container reads the object or array that opens at pos into node at.
func (d *document) container(at int32, open byte, depth int) (Type, error) {
	typ, end := Array, byte(']')
	if open == '{' {
		typ, end = Object, '}'
	}
	if depth > MaxDepth {
		return typ, errDepth
	}
	d.pos++
	d.blank()
	if d.peek() == end {
		d.pos++
		return typ, nil
	}
	last := int32(0)
	for {
		kid, err := d.item(typ, depth)
		if err != nil {
			return typ, err
		}
		if last == 0 {
			d.nodes[at].kid = kid
		} else {
			d.nodes[last].next = kid
		}
		last = kid
		d.blank()
		switch c := d.peek(); {
		case c == ',':
			d.pos++
			d.blank()
		case c == end:
			d.pos++
			return typ, nil
		case d.pos >= len(d.src):
			return typ, errEnd
		default:
			return typ, fmt.Errorf("a comma or %q is wanted here", end)
		}
	}
}

// item reads one member or element, counting it.
func (d *document) item(typ Type, depth int) (int32, error) {
	if typ == Array {
		if d.elements++; d.elements > maxElements {
			return 0, errElements
		}
		return d.value(span{}, false, depth)
	}
	if d.fields++; d.fields > MaxFields {
		return 0, errFields
	}
	if d.peek() != '"' {
		if d.pos >= len(d.src) {
			return 0, errEnd
		}
		return 0, errors.New("a name in quotes is wanted here")
	}
	key, escaped, err := d.quoted()
	if err != nil {
		return 0, err
	}
	d.dotted = d.dotted || escaped || bytes.IndexByte(d.bytes(key), '.') >= 0
	d.blank()
	if d.peek() != ':' {
		if d.pos >= len(d.src) {
			return 0, errEnd
		}
		return 0, errors.New("a colon is wanted here")
	}
	d.pos++
	d.blank()
	return d.value(key, escaped, depth)
}

// quoted reads the text at pos and returns what is between its quotes.
func (d *document) quoted() (span, bool, error) {
	d.pos++
	start, escaped := d.pos, false
	for d.pos < len(d.src) {
		switch c := d.src[d.pos]; c {
		case '"':
			d.pos++
			return d.cut(start, d.pos-1), escaped, nil
		case '\\':
			escaped = true
			n, err := d.escape()
			if err != nil {
				return span{}, false, err
			}
			d.pos += n
		case '\n':
			return span{}, false, errors.New("line break inside a text")
		default:
			d.pos++
		}
	}
	return span{}, false, errEnd
}

// escape checks the escape at pos and returns its length.
func (d *document) escape() (int, error) {
	if d.pos+1 >= len(d.src) {
		d.pos = len(d.src)
		return 0, errEnd
	}
	switch d.src[d.pos+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return 2, nil
	case 'u':
		if _, ok := hex4(d.src, d.pos+2); ok {
			return 6, nil
		}
	}
	return 0, errors.New("unknown escape in a text")
}

func hex4(b []byte, at int) (rune, bool) {
	if at+4 > len(b) {
		return 0, false
	}
	var r rune
	for _, c := range b[at : at+4] {
		switch {
		case c >= '0' && c <= '9':
			r = r<<4 | rune(c-'0')
		case c >= 'a' && c <= 'f':
			r = r<<4 | rune(c-'a'+10)
		case c >= 'A' && c <= 'F':
			r = r<<4 | rune(c-'A'+10)
		default:
			return 0, false
		}
	}
	return r, true
}

func (d *document) word(w string) error {
	if !bytes.HasPrefix(d.src[d.pos:], []byte(w)) {
		return errors.New("a value is wanted here")
	}
	d.pos += len(w)
	return nil
}

// number reads a JSON number; its text is kept, so no digit is lost.
func (d *document) number() error {
	if d.peek() == '-' {
		d.pos++
	}
	if d.peek() == '0' {
		d.pos++
	} else if d.digits() == 0 {
		return errNumber
	}
	if d.peek() == '.' {
		d.pos++
		if d.digits() == 0 {
			return errNumber
		}
	}
	if c := d.peek(); c == 'e' || c == 'E' {
		d.pos++
		if c := d.peek(); c == '+' || c == '-' {
			d.pos++
		}
		if d.digits() == 0 {
			return errNumber
		}
	}
	return nil
}

func (d *document) digits() int {
	start := d.pos
	for d.pos < len(d.src) && d.src[d.pos] >= '0' && d.src[d.pos] <= '9' {
		d.pos++
	}
	return d.pos - start
}

func (d *document) bytes(s span) []byte { return d.src[s.off : s.off+s.len] }

func (d *document) keyIs(i int32, key string) bool {
	n := &d.nodes[i]
	if d.names != nil {
		return d.names[i-1] == key
	}
	if n.keyEscaped {
		return d.text(n.key, true) == key
	}
	return string(d.bytes(n.key)) == key
}

func (d *document) key(i int32) string {
	if d.names != nil {
		return d.names[i-1]
	}
	return d.text(d.nodes[i].key, d.nodes[i].keyEscaped)
}

// duplicateKeys reports whether the top level names a member twice.
func (d *document) duplicateKeys() bool {
	if len(d.nodes) == 0 || d.names != nil {
		return false
	}
	var names [64][]byte
	n := 0
	for i := d.nodes[0].kid; i != 0 && n < len(names); i = d.nodes[i].next {
		k := d.bytes(d.nodes[i].key)
		for _, seen := range names[:n] {
			if len(seen) == len(k) && string(seen) == string(k) {
				return true
			}
		}
		names[n] = k
		n++
	}
	return false
}

// row fills the document with one object of texts, as a line of a table has.
func (d *document) row(names []string, cells []span, text []byte) {
	*d = document{src: text, nodes: d.nodes[:0], interned: d.interned, names: names, dotted: true}
	d.clean = utf8.Valid(text) && bytes.IndexByte(text, 0) < 0
	d.nodes = append(d.nodes, node{typ: Object, val: span{0, uint32(len(text))}, kid: 1})
	for i := range names {
		next := int32(i + 2)
		if i == len(names)-1 {
			next = 0
		}
		d.nodes = append(d.nodes, node{typ: String, val: cells[i], next: next})
	}
}
