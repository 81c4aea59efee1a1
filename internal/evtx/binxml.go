package evtx

import (
	"encoding/binary"
	"errors"
	"unicode/utf16"
	"unicode/utf8"
)

// Bounds of one record.
const (
	maxDepth  = 64
	maxXML    = 1 << 20
	maxValues = 1024
	// Bounds of one chunk: templates that are used again and again could make much
	// of little.
	maxTokens   = 1_000_000
	maxChunkXML = 4 << 20
)

var (
	errBounds = errors.New("something in it points outside of its chunk")
	errDepth  = errors.New("nested too deeply")
	errWork   = errors.New("more parts than a chunk may have")
	errToken  = errors.New("an unknown token")
	errLong   = errors.New("its text is longer than 1 MiB")
	errGrows  = errors.New("the text of its chunk is longer than 4 MiB")
)

// Tokens of the binary XML; bit 0x40 says that more of the same kind follows.
const (
	tokenEnd         = 0x00
	tokenOpen        = 0x01
	tokenCloseStart  = 0x02
	tokenCloseEmpty  = 0x03
	tokenCloseEnd    = 0x04
	tokenValue       = 0x05
	tokenAttribute   = 0x06
	tokenCData       = 0x07
	tokenCharRef     = 0x08
	tokenEntityRef   = 0x09
	tokenPITarget    = 0x0a
	tokenPIData      = 0x0b
	tokenTemplate    = 0x0c
	tokenNormal      = 0x0d
	tokenOptional    = 0x0e
	tokenFragment    = 0x0f
	hasMore          = 0x40
	noDependency     = 0xffff
	templateHead     = 24
	templateInstance = 9
)

// A value fills a hole of a template: its type and where it lies in the chunk.
type value struct {
	typ      byte
	off, len int
}

func (v value) null() bool { return v.typ == typeNull || v.len == 0 && v.typ != typeString }

// A writer turns binary XML into text.
type writer struct {
	chunk  []byte
	out    []byte
	names  []string // of the open elements
	tokens int      // of this chunk
	total  int      // bytes of text of this chunk, before this record
}

// reset begins a record.
func (w *writer) reset(chunk []byte) {
	w.total += len(w.out)
	w.chunk, w.out, w.names = chunk, w.out[:0], w.names[:0]
}

func (w *writer) u16(at int) (int, error) {
	if at < 0 || at+2 > len(w.chunk) {
		return 0, errBounds
	}
	return int(binary.LittleEndian.Uint16(w.chunk[at:])), nil
}

func (w *writer) u32(at int) (int, error) {
	if at < 0 || at+4 > len(w.chunk) {
		return 0, errBounds
	}
	return int(binary.LittleEndian.Uint32(w.chunk[at:])), nil
}

// A cursor walks one fragment: the tokens from pos to end.
type cursor struct {
	pos, end int
	values   []value
	depth    int
	tag      bool // a start tag is being written
	attr     bool // the value of an attribute is being written
}

// fragment writes the tokens from pos to end.
func (w *writer) fragment(pos, end int, values []value, depth int) error {
	if depth > maxDepth {
		return errDepth
	}
	if pos < 0 || end > len(w.chunk) || pos > end {
		return errBounds
	}
	c := &cursor{pos: pos, end: end, values: values, depth: depth}
	base := len(w.names)
	for c.pos < c.end {
		if w.tokens++; w.tokens > maxTokens {
			return errWork
		}
		if len(w.out) > maxXML {
			return errLong
		}
		if w.total+len(w.out) > maxChunkXML {
			return errGrows
		}
		token := w.chunk[c.pos]
		if token == tokenEnd {
			break
		}
		if err := w.token(c, token, base); err != nil {
			return err
		}
	}
	w.endTag(c)
	for len(w.names) > base { // what was left open
		w.close()
	}
	return nil
}

// token writes one token and moves the cursor behind it.
func (w *writer) token(c *cursor, token byte, base int) error {
	var err error
	switch token &^ hasMore {
	case tokenOpen:
		w.endTag(c)
		return w.open(c, token&hasMore != 0)
	case tokenCloseStart:
		w.endTag(c)
		c.pos++
	case tokenCloseEmpty, tokenCloseEnd:
		w.endTag(c)
		c.pos++
		if len(w.names) <= base {
			return errToken
		}
		w.close()
	case tokenValue:
		err = w.text(c, c.pos+2)
	case tokenCData, tokenPIData:
		err = w.text(c, c.pos+1)
	case tokenAttribute:
		return w.attribute(c)
	case tokenCharRef:
		var r int
		if r, err = w.u16(c.pos + 1); err == nil {
			w.rune(rune(r))
			c.pos += 3
		}
	case tokenEntityRef:
		err = w.entity(c)
	case tokenPITarget:
		_, err = w.name(c, c.pos+1)
	case tokenTemplate:
		w.endTag(c)
		return w.template(c)
	case tokenNormal, tokenOptional:
		return w.substitute(c)
	case tokenFragment:
		c.pos += 4
	default:
		return errToken
	}
	return err
}

// endTag ends the start tag that is being written.
func (w *writer) endTag(c *cursor) {
	w.endAttr(c)
	if c.tag {
		w.out = append(w.out, '>')
		c.tag = false
	}
}

func (w *writer) endAttr(c *cursor) {
	if c.attr {
		w.out = append(w.out, '"')
		c.attr = false
	}
}

func (w *writer) close() {
	name := w.names[len(w.names)-1]
	w.names = w.names[:len(w.names)-1]
	w.out = append(w.out, "</"...)
	w.out = append(w.out, name...)
	w.out = append(w.out, '>')
}

// open begins an element. One that depends on a value that is not there is left
// out with all that is in it.
func (w *writer) open(c *cursor, attributes bool) error {
	dependency, err := w.u16(c.pos + 1)
	if err != nil {
		return err
	}
	size, err := w.u32(c.pos + 3)
	if err != nil {
		return err
	}
	behind := c.pos + 7 + size
	if dependency != noDependency && dependency < len(c.values) && c.values[dependency].null() && size > 0 && behind <= c.end {
		c.pos = behind
		return nil
	}
	name, err := w.name(c, c.pos+7)
	if err != nil {
		return err
	}
	if attributes {
		c.pos += 4 // the size of the list of attributes
	}
	if len(w.names) >= maxDepth {
		return errDepth
	}
	w.names = append(w.names, name)
	w.out = append(append(w.out, '<'), name...)
	c.tag = true
	return nil
}

// attribute begins an attribute. One whose value is a hole that nothing fills is
// left out.
func (w *writer) attribute(c *cursor) error {
	w.endAttr(c)
	name, err := w.name(c, c.pos+1)
	if err != nil {
		return err
	}
	if c.pos+4 <= c.end && w.chunk[c.pos]&^hasMore == tokenOptional {
		id, err := w.u16(c.pos + 1)
		if err != nil {
			return err
		}
		if id >= len(c.values) || c.values[id].null() {
			c.pos += 4
			return nil
		}
	}
	if !c.tag {
		return errToken
	}
	w.out = append(append(append(w.out, ' '), name...), `="`...)
	c.attr = true
	return nil
}

// name reads the name whose offset stands at a place, and moves the cursor behind
// the offset, and behind the name where that stands right there.
func (w *writer) name(c *cursor, at int) (string, error) {
	off, err := w.u32(at)
	if err != nil {
		return "", err
	}
	c.pos = at + 4
	n, err := w.u16(off + 6)
	if err != nil {
		return "", err
	}
	if n > 256 || off+8+2*n > len(w.chunk) {
		return "", errBounds
	}
	if off == c.pos {
		c.pos += 8 + 2*n + 2
	}
	b := make([]byte, 0, n)
	for i := range n {
		r := binary.LittleEndian.Uint16(w.chunk[off+8+2*i:])
		if r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-' || r == '.' || r == ':' {
			b = append(b, byte(r))
		} else {
			b = append(b, '_')
		}
	}
	if len(b) == 0 {
		return "_", nil
	}
	return string(b), nil
}

// text writes a counted text in UTF-16.
func (w *writer) text(c *cursor, at int) error {
	n, err := w.u16(at)
	if err != nil {
		return err
	}
	end := at + 2 + 2*n
	if end > c.end {
		return errBounds
	}
	w.utf16(w.chunk[at+2 : end])
	c.pos = end
	return nil
}

func (w *writer) entity(c *cursor) error {
	name, err := w.name(c, c.pos+1)
	if err != nil {
		return err
	}
	switch name {
	case "lt", "gt", "amp", "quot", "apos":
		w.out = append(append(append(w.out, '&'), name...), ';')
	}
	return nil
}

// utf16 writes UTF-16 as text of XML.
func (w *writer) utf16(b []byte) {
	for i := 0; i+1 < len(b); i += 2 {
		r := rune(binary.LittleEndian.Uint16(b[i:]))
		if utf16.IsSurrogate(r) && i+3 < len(b) {
			if both := utf16.DecodeRune(r, rune(binary.LittleEndian.Uint16(b[i+2:]))); both != utf8.RuneError {
				r = both
				i += 2
			}
		}
		w.rune(r)
	}
}

// rune writes a character of text.
func (w *writer) rune(r rune) {
	switch {
	case r == '<':
		w.out = append(w.out, "&lt;"...)
	case r == '>':
		w.out = append(w.out, "&gt;"...)
	case r == '&':
		w.out = append(w.out, "&amp;"...)
	case r == '"':
		w.out = append(w.out, "&quot;"...)
	case r == '\r':
		w.out = append(w.out, "&#13;"...)
	case r < ' ' && r != '\t' && r != '\n' || utf16.IsSurrogate(r):
		w.out = utf8.AppendRune(w.out, utf8.RuneError)
	default:
		w.out = utf8.AppendRune(w.out, r)
	}
}

// template writes a template with its values: its definition stands right there,
// or somewhere before in the chunk.
func (w *writer) template(c *cursor) error {
	at, err := w.u32(c.pos + 6)
	if err != nil {
		return err
	}
	c.pos += templateInstance + 1
	size, err := w.u32(at + 20)
	if err != nil {
		return err
	}
	body := at + templateHead
	if size > len(w.chunk) || body+size > len(w.chunk) {
		return errBounds
	}
	if at == c.pos {
		c.pos = body + size
	}
	n, err := w.u32(c.pos)
	if err != nil {
		return err
	}
	if n > maxValues {
		return errWork
	}
	c.pos += 4
	values := make([]value, n)
	off := c.pos + 4*n
	for i := range values {
		length, err := w.u16(c.pos)
		if err != nil {
			return err
		}
		if c.pos+3 > len(w.chunk) || off+length > c.end {
			return errBounds
		}
		values[i] = value{typ: w.chunk[c.pos+2], off: off, len: length}
		off += length
		c.pos += 4
	}
	c.pos = off
	return w.fragment(body, body+size, values, c.depth+1)
}

// substitute writes the value a hole names.
func (w *writer) substitute(c *cursor) error {
	id, err := w.u16(c.pos + 1)
	if err != nil {
		return err
	}
	c.pos += 4
	if id >= len(c.values) {
		return nil
	}
	v := c.values[id]
	if v.typ == typeBinXML {
		w.endTag(c)
		return w.fragment(v.off, v.off+v.len, nil, c.depth+1)
	}
	w.value(v)
	return nil
}
