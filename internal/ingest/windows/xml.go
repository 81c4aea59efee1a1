package windows

import (
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"

	"honeyguide/internal/ingest"
)

// Bounds of one event's XML.
const (
	maxDepth      = 32
	maxAttributes = 64 // of one element
)

// errEnd says that the text ends inside the event.
var errEnd = faulty("ends too early")

func faulty(why string) error { return &ingest.FieldError{Field: "XML", Why: why} }

// readXML reads <Event>: System's elements and their attributes, <Data Name="x">
// of EventData, or the elements below UserData. It knows the five entities of XML
// and character references; a document type is refused, so nothing can expand or
// reach for a file. dataOnly says that text is EventData alone.
func readXML(text string, f *form, dataOnly bool) error {
	x := scanner{rest: text}
	var path [maxDepth]string // local names of the open elements
	depth := 0
	data := ""        // name of the open <Data>
	var list []string // unnamed <Data>
	var inner pieces
	for {
		tok, err := x.next()
		if errors.Is(err, errEnd) && f.id() >= 0 {
			// Syslog cuts long messages; what came before the cut is whole.
			f.cut = true
			if strings.HasPrefix(x.rest, "<") {
				x.rest = ""
			}
			f.add(data, inner.text()+x.rest)
			return nil
		}
		if err != nil {
			return err
		}
		switch tok.kind {
		case xmlOpen:
			if depth == maxDepth {
				return faulty("nested too deeply")
			}
			path[depth] = tok.name
			depth++
			inner.reset()
			inSystem := depth == 3 && path[1] == "System" && !dataOnly
			if depth == 2 && tok.name != "System" && f.system == 0 {
				f.system = f.len()
			}
			data = ""
			for _, a := range tok.attrs {
				switch {
				case inSystem:
					f.add(tok.name+"_"+userID(a.name), a.value)
				case a.name == "Name" && tok.name == "Data":
					data = a.value
				}
			}
		case xmlText:
			inner.add(tok.text)
		case xmlClose:
			if depth == 0 || path[depth-1] != tok.name {
				return faulty("an element is not closed")
			}
			depth--
			pending := inner.text()
			section := ""
			if depth > 1 {
				section = path[1]
			} else if dataOnly && depth == 1 {
				section = path[0]
			}
			switch {
			case section == "System" && depth == 2 && strings.TrimSpace(pending) != "":
				f.add(tok.name, pending)
			case tok.name == "Data" && data != "" && tok.leaf:
				f.add(data, pending)
			case tok.name == "Data" && section == "EventData" && tok.leaf:
				list = append(list, pending)
			case section == "EventData" && tok.leaf && tok.name != "Binary":
				f.add(tok.name, pending)
			case section == "UserData" && depth == 3 && tok.leaf:
				f.add(tok.name, pending)
			case section == "RenderingInfo" && tok.name == "Message":
				f.add(tok.name, pending)
			}
			inner.reset()
			data = ""
			if depth == 0 {
				if len(list) > 0 {
					f.add("Data", strings.Join(list, ", "))
				}
				return nil
			}
		}
	}
}

// pieces is a text that mostly comes as one.
type pieces struct {
	first string
	more  []byte
}

func (p *pieces) reset() { p.first, p.more = "", p.more[:0] }

func (p *pieces) add(s string) {
	switch {
	case p.first == "" && len(p.more) == 0:
		p.first = s
	case len(p.more) == 0:
		p.more = append(append(p.more, p.first...), s...)
	default:
		p.more = append(p.more, s...)
	}
}

func (p *pieces) text() string {
	if len(p.more) > 0 {
		return string(p.more)
	}
	return p.first
}

// userID spells an attribute as Windows does; Sysmon for Linux writes UserId.
func userID(name string) string {
	if name == "UserId" {
		return "UserID"
	}
	return name
}

// Kinds of tokens.
const (
	xmlOpen = iota
	xmlText
	xmlClose
)

type attribute struct{ name, value string }

type token struct {
	kind  int
	name  string // local
	attrs []attribute
	text  string
	leaf  bool // a close without elements in between
}

// A scanner cuts XML into tokens.
type scanner struct {
	rest  string
	attrs []attribute
	self  string // an element that closes itself is told of as open and close
	leaf  bool
}

func (x *scanner) next() (token, error) {
	if x.self != "" {
		name := x.self
		x.self = ""
		return token{kind: xmlClose, name: name, leaf: true}, nil
	}
	for {
		if x.rest == "" {
			return token{}, errEnd
		}
		if x.rest[0] != '<' {
			n := strings.IndexByte(x.rest, '<')
			if n < 0 {
				return token{}, errEnd
			}
			text, err := resolve(x.rest[:n])
			x.rest = x.rest[n:]
			return token{kind: xmlText, text: text}, err
		}
		switch {
		case strings.HasPrefix(x.rest, "<![CDATA["):
			text, tail, ok := strings.Cut(x.rest[len("<![CDATA["):], "]]>")
			if !ok {
				return token{}, errEnd
			}
			x.rest = tail
			return token{kind: xmlText, text: text}, nil
		case strings.HasPrefix(x.rest, "<!--"):
			if !x.skip("-->") {
				return token{}, errEnd
			}
		case strings.HasPrefix(x.rest, "<?"):
			if !x.skip("?>") {
				return token{}, errEnd
			}
		case strings.HasPrefix(x.rest, "<!"):
			return token{}, faulty("it has a document type, which is refused")
		case strings.HasPrefix(x.rest, "</"):
			name, tail, ok := strings.Cut(x.rest[2:], ">")
			if !ok {
				return token{}, errEnd
			}
			x.rest = tail
			leaf := x.leaf
			x.leaf = false
			return token{kind: xmlClose, name: local(strings.TrimSpace(name)), leaf: leaf}, nil
		default:
			return x.open()
		}
	}
}

func (x *scanner) skip(end string) bool {
	_, tail, ok := strings.Cut(x.rest, end)
	x.rest = tail
	return ok
}

// open reads the tag of an element.
func (x *scanner) open() (token, error) {
	s := x.rest[1:]
	n := 0
	for n < len(s) && !isSpace(s[n]) && s[n] != '>' && s[n] != '/' {
		n++
	}
	t := token{kind: xmlOpen, name: local(s[:n])}
	s = s[n:]
	x.attrs = x.attrs[:0]
	for {
		s = trimSpace(s)
		switch {
		case s == "":
			return t, errEnd
		case s[0] == '>':
			x.rest, x.leaf = s[1:], true
			t.attrs = x.attrs
			return t, nil
		case strings.HasPrefix(s, "/>"):
			x.rest, x.self, x.leaf = s[2:], t.name, false
			t.attrs = x.attrs
			return t, nil
		}
		name, tail, ok := strings.Cut(s, "=")
		tail = trimSpace(tail)
		if !ok || len(name) > 128 || tail == "" || tail[0] != '"' && tail[0] != '\'' {
			return t, faulty("an attribute has no value")
		}
		value, tail, ok := strings.Cut(tail[1:], tail[:1])
		if !ok {
			return t, errEnd
		}
		if len(x.attrs) == maxAttributes {
			return t, faulty("an element has too many attributes")
		}
		value, err := resolve(value)
		if err != nil {
			return t, err
		}
		x.attrs = append(x.attrs, attribute{local(strings.TrimSpace(name)), value})
		s = tail
	}
}

func local(name string) string { return name[strings.LastIndexByte(name, ':')+1:] }

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\r' || c == '\n' }

func trimSpace(s string) string {
	for s != "" && isSpace(s[0]) {
		s = s[1:]
	}
	return s
}

var entities = map[string]string{"lt": "<", "gt": ">", "amp": "&", "quot": `"`, "apos": "'"}

// resolve replaces the entities and character references of a text.
func resolve(s string) (string, error) {
	i := strings.IndexByte(s, '&')
	if i < 0 {
		return s, nil
	}
	var b strings.Builder
	b.Grow(len(s))
	for {
		b.WriteString(s[:i])
		name, tail, ok := strings.Cut(s[i+1:min(len(s), i+12)], ";")
		if ok {
			tail = s[i+1+len(name)+1:]
		}
		if text, rest, loose := unended(s[i+1:]); loose {
			b.WriteString(text)
			tail = rest
		} else if !ok || strings.ContainsAny(name, " <&=") {
			b.WriteByte('&')
			tail = s[i+1:]
		} else if text, known := entities[name]; known {
			b.WriteString(text)
		} else if r, ok := reference(name); ok {
			b.WriteRune(r)
		} else {
			return "", faulty("an unknown entity")
		}
		s = tail
		if i = strings.IndexByte(s, '&'); i < 0 {
			b.WriteString(s)
			return b.String(), nil
		}
	}
}

// unended reads the entities Sysmon for Linux writes with a blank for their
// semicolon.
func unended(s string) (text, rest string, ok bool) {
	for name, text := range entities {
		if rest, ok := strings.CutPrefix(s, name+" "); ok {
			return text, rest, true
		}
	}
	return "", s, false
}

// reference reads #10 or #xA. What no text may hold becomes U+FFFD.
func reference(name string) (rune, bool) {
	digits, ok := strings.CutPrefix(name, "#")
	if !ok {
		return 0, false
	}
	base := 10
	if len(digits) > 0 && (digits[0] == 'x' || digits[0] == 'X') {
		digits, base = digits[1:], 16
	}
	n, err := strconv.ParseUint(digits, base, 32)
	if err != nil {
		return 0, false
	}
	if n == 0 || n > utf8.MaxRune || !utf8.ValidRune(rune(n)) {
		return utf8.RuneError, true
	}
	return rune(n), true
}
