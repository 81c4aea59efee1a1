package playbook

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A template is a text with expressions in ${ }. They are put in once: what they
// yield is never read for expressions again, so that attackers who write ${...}
// get just that. $${ stands for ${ itself.

// maxText bounds a text that was filled in.
const maxText = 16 << 10

// A part is a piece of text, or an expression when it is one.
type part struct {
	text string
	expr bool
	at   int // offset of the expression in the template
}

// split cuts a template into its parts.
func split(s string) ([]part, error) {
	var out []part
	var text strings.Builder
	for i := 0; i < len(s); {
		switch {
		case strings.HasPrefix(s[i:], "$${"):
			text.WriteString("${")
			i += 3
		case strings.HasPrefix(s[i:], "${"):
			end := closing(s, i+2)
			if end < 0 {
				return nil, &exprError{i, "${ has no closing }; write $${ for the characters themselves"}
			}
			if text.Len() > 0 {
				out = append(out, part{text: text.String()})
				text.Reset()
			}
			out = append(out, part{s[i+2 : end], true, i + 2})
			i = end + 1
		default:
			text.WriteByte(s[i])
			i++
		}
	}
	if text.Len() > 0 || len(out) == 0 {
		out = append(out, part{text: text.String()})
	}
	return out, nil
}

// closing returns where the } stands that closes an expression beginning at i,
// -1 when there is none. Those in quotes and in pairs do not count.
func closing(s string, i int) int {
	var quote byte
	for depth := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case quote != 0:
			if c == '\\' && quote != '`' {
				i++
			} else if c == quote {
				quote = 0
			}
		case c == '"' || c == '\'' || c == '`':
			quote = c
		case c == '{':
			depth++
		case c == '}':
			if depth == 0 {
				return i
			}
			depth--
		}
	}
	return -1
}

// checkTemplate compiles the expressions of a template.
func checkTemplate(s string, sc scope) *exprError {
	parts, err := split(s)
	for _, p := range parts {
		if err == nil && p.expr {
			if _, err = compile(p.text, wantText, sc); err != nil {
				var e *exprError
				if errors.As(err, &e) {
					return &exprError{p.at + e.at, e.text}
				}
			}
		}
	}
	var e *exprError
	if errors.As(err, &e) {
		return e
	}
	return nil
}

// fill puts values into a template, once.
func fill(s string, f *Facts) (string, error) {
	if !strings.Contains(s, "${") {
		return s, nil
	}
	parts, err := split(s)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	for _, p := range parts {
		text := p.text
		if p.expr {
			if text, err = value(p.text, f); err != nil {
				return "", err
			}
		}
		if b.Len()+len(text) > maxText {
			return "", fmt.Errorf("the text is longer than %d bytes", maxText)
		}
		b.WriteString(text)
	}
	return b.String(), nil
}

// value evaluates an expression and writes what it yields.
func value(source string, f *Facts) (string, error) {
	x, err := recall(source, wantText)
	if err != nil {
		return "", fmt.Errorf("${%s}: %w", source, err)
	}
	v, err := x.eval(f)
	if err != nil {
		return "", fmt.Errorf("${%s}: %w", source, err)
	}
	switch v := v.(type) {
	case string:
		return v, nil
	case level:
		return v.String(), nil
	case bool:
		return strconv.FormatBool(v), nil
	case int:
		return strconv.Itoa(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case time.Time:
		if v.IsZero() {
			return "", nil
		}
		return v.UTC().Format(time.RFC3339), nil
	case time.Duration:
		return v.String(), nil
	}
	if list, ok := texts(v); ok {
		return strings.Join(list, ", "), nil
	}
	return "", fmt.Errorf("${%s}: a %T cannot be written into a text", source, v)
}

// texts returns a list of texts as one, also when an expression made it.
func texts(v any) ([]string, bool) {
	switch v := v.(type) {
	case []string:
		return v, true
	case []any:
		out := make([]string, len(v))
		for i, x := range v {
			s, ok := x.(string)
			if !ok {
				return nil, false
			}
			out[i] = s
		}
		return out, true
	}
	return nil, false
}
