package personal

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"strings"
	"unicode/utf8"
)

// words of the product stand in these fields, and a person may be called like
// one of them.
var ours = map[string]bool{
	"country": true, "severity": true, "status": true, "state": true, "kind": true, "type": true, "class": true, "activity": true, "service": true,
	"detector": true, "category": true, "phase": true, "action": true, "mode": true, "outcome": true, "tactic": true, "tech": true, "provider": true,
	"feature": true, "rule": true, "rule_id": true, "role": true, "word": true, "as": true, "channel": true, "id": true, "token": true, "consumer": true,
}

// Field replaces values in a text that stands in a field of that name: a column
// of a table, or a key of an object. JSON is looked into.
func (r *Rewriter) Field(name, value string) (string, int) {
	if r.only != nil && r.only.Kind == User && ours[name] {
		return value, 0
	}
	if r.naming != nil && IsName(name) && value != "" {
		to := r.naming.Name(value)
		return to, bit(to != value)
	}
	if c := strings.TrimLeft(value, " \t\r\n"); c != "" && (c[0] == '{' || c[0] == '[') && json.Valid([]byte(value)) {
		out, n := r.JSON([]byte(value))
		return string(out), n
	}
	return r.inside(value)
}

// Bytes replaces values in what may be JSON, text, or neither.
func (r *Rewriter) Bytes(b []byte) ([]byte, int) {
	if len(b) == 0 {
		return b, 0
	}
	s, n := r.Field("", string(b))
	if n == 0 {
		return b, 0
	}
	return []byte(s), n
}

// inside replaces in text and, when that is base64 of something, in that.
func (r *Rewriter) inside(s string) (string, int) {
	out, n := r.Text(s)
	if n > 0 || len(s) < 16 || len(s)%4 != 0 || strings.ContainsAny(s, " .:-@") {
		return out, n
	}
	raw, err := base64.StdEncoding.DecodeString(s)
	if err != nil {
		return s, 0
	}
	changed, n := r.Bytes(raw)
	if n == 0 {
		return s, 0
	}
	return base64.StdEncoding.EncodeToString(changed), n
}

// JSON replaces values in every string of a JSON text and leaves the rest byte
// for byte as it is. Keys are replaced too, unless it is about a user's name:
// keys are words of the product.
func (r *Rewriter) JSON(doc []byte) ([]byte, int) {
	var out []byte // nil: nothing was replaced yet
	total, from, key := 0, 0, ""
	for i := 0; i < len(doc); {
		if doc[i] != '"' {
			i++
			continue
		}
		end := i + 1
		plain := true
		for end < len(doc) && doc[end] != '"' {
			if doc[end] == '\\' {
				end, plain = end+1, false
			}
			end++
		}
		if end >= len(doc) {
			break
		}
		text := string(doc[i+1 : end])
		if !plain {
			if err := json.Unmarshal(doc[i:end+1], &text); err != nil {
				i = end + 1
				continue
			}
		}
		isKey := false
		for k := end + 1; k < len(doc); k++ {
			if c := doc[k]; c != ' ' && c != '\n' && c != '\t' && c != '\r' {
				isKey = c == ':'
				break
			}
		}
		changed, n := text, 0
		switch {
		case !isKey:
			changed, n = r.Field(key, text)
		case !r.kinds[User]:
			changed, n = r.Text(text)
		}
		if isKey {
			key = text
		}
		if n > 0 {
			total += n
			out = append(append(out, doc[from:i]...), quoted(changed)...)
			from = end + 1
		}
		i = end + 1
	}
	if total == 0 {
		return doc, 0
	}
	return append(out, doc[from:]...), total
}

func quoted(s string) []byte {
	if !utf8.ValidString(s) {
		s = strings.ToValidUTF8(s, "\ufffd")
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(s) // a string always can
	return bytes.TrimSuffix(b.Bytes(), []byte("\n"))
}

func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
