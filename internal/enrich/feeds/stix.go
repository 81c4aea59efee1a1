package feeds

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"hash/maphash"
	"io"
	"strings"
	"time"
)

// An object is one of STIX 2.1's: the fields of an indicator.
type object struct {
	Type        string    `json:"type"`
	ID          string    `json:"id"`
	Modified    time.Time `json:"modified"`
	Name        string    `json:"name"`
	Pattern     string    `json:"pattern"`
	PatternType string    `json:"pattern_type"`
	ValidFrom   time.Time `json:"valid_from"`
	ValidUntil  time.Time `json:"valid_until"`
	Confidence  *int      `json:"confidence"`
	Revoked     bool      `json:"revoked"`
}

// A version is the newest form of an object.
type version struct {
	modified int64 // microseconds
	revoked  bool
}

// parseSTIXTwice reads bundles and pages: once to learn the newest version of
// each object, since later pages change and revoke what earlier ones say, and
// once to take the indicators.
func parseSTIXTwice(open func() (io.ReadCloser, error), first *bufio.Reader, t *taker) error {
	newest, seed := map[uint64]version{}, maphash.MakeSeed()
	quiet := &taker{}
	err := eachObject(first, quiet, func(o *object, _ int64) error {
		key, at := maphash.String(seed, o.ID), o.Modified.UnixMicro()
		if v, ok := newest[key]; !ok || at >= v.modified {
			newest[key] = version{at, o.Revoked}
		}
		return nil
	})
	if err != nil {
		return err
	}
	f, err := open()
	if err != nil {
		return err
	}
	defer f.Close()
	again, err := unpack(f)
	if err != nil {
		return err
	}
	return eachObject(again, t, func(o *object, n int64) error {
		key := maphash.String(seed, o.ID)
		v, due := newest[key]
		if !due || v.revoked || v.modified != o.Modified.UnixMicro() {
			return nil
		}
		delete(newest, key) // the same version again says nothing new
		return takeIndicator(o, n, t)
	})
}

// eachObject calls f for every indicator.
func eachObject(r io.Reader, t *taker, f func(*object, int64) error) error {
	return elements(r, "objects", func(d *json.Decoder, n int64) error {
		var raw json.RawMessage
		if err := d.Decode(&raw); err != nil {
			return fmt.Errorf("read STIX object: %w", err)
		}
		var head struct {
			Type string `json:"type"`
		}
		if json.Unmarshal(raw, &head) != nil || head.Type != "indicator" {
			return nil
		}
		var o object
		if err := json.Unmarshal(raw, &o); err != nil {
			t.refuse(n, "an indicator of another form")
			return nil
		}
		return f(&o, n)
	}, nil)
}

func takeIndicator(o *object, n int64, t *taker) error {
	if o.PatternType != "" && o.PatternType != "stix" {
		return nil // a rule of another language
	}
	values, err := readPattern(o.Pattern)
	if err != nil {
		t.refuse(n, err.Error())
		return nil
	}
	for _, it := range values {
		it.label, it.seen, it.expires = clip(o.Name, maxLabel), o.ValidFrom.UTC(), o.ValidUntil.UTC()
		if o.ValidUntil.IsZero() {
			it.expires = time.Time{}
		}
		if o.Confidence != nil && *o.Confidence >= 0 && *o.Confidence <= 100 {
			it.confidence = *o.Confidence
		}
		if err := t.take(it, nil, n); err != nil {
			return err
		}
	}
	return nil
}

// maxPattern bounds a pattern, bytes.
const maxPattern = 16 << 10

// readPattern takes the values out of a pattern that is a choice of single
// values. One that wants several things at once is no indicator by itself.
func readPattern(p string) ([]item, error) {
	if len(p) > maxPattern {
		return nil, fmt.Errorf("a pattern of %d bytes, more than %d", len(p), maxPattern)
	}
	words, err := patternWords(p)
	if err != nil {
		return nil, err
	}
	var out []item
	for i := 0; i < len(words); i++ {
		switch w := words[i]; {
		case w == "[", w == "]", w == "(", w == ")", w == "OR":
		case w == "AND", w == "FOLLOWEDBY", w == "NOT":
			return nil, fmt.Errorf("the pattern says %s: it is no single value", w)
		case strings.Contains(w, ":") && i+2 < len(words):
			values, used, err := comparison(words[i:])
			if err != nil {
				return nil, err
			}
			i += used - 1
			out = append(out, values...)
		default:
			return nil, fmt.Errorf("%.40q in a pattern is not understood", w)
		}
	}
	if len(out) == 0 {
		return nil, errors.New("an empty pattern")
	}
	return out, nil
}

// comparison reads PATH = 'VALUE', PATH IN ('A', 'B') or PATH ISSUBSET 'NET'.
func comparison(w []string) (out []item, used int, err error) {
	var values []string
	switch op := w[1]; op {
	case "=", "ISSUBSET":
		values, used = w[2:3], 3
	case "IN":
		for used = 3; used < len(w) && w[used] != ")"; used++ {
			if w[used] != "," {
				values = append(values, w[used])
			}
		}
		used++
	default:
		return nil, 0, fmt.Errorf("the comparison %.20q of a pattern is not understood", op)
	}
	for _, v := range values {
		text, quoted := strings.CutPrefix(v, "'")
		if !quoted {
			return nil, 0, fmt.Errorf("%.40q in a pattern is no text", v)
		}
		var it item
		switch path := w[0]; {
		case path == "ipv4-addr:value", path == "ipv6-addr:value":
			it, err = readNetwork(text)
		case path == "domain-name:value":
			it, err = readDomain(text)
		case path == "url:value":
			it, err = classify(text)
		case strings.HasPrefix(path, "file:hashes."), strings.HasPrefix(path, "artifact:hashes."):
			it, err = readHash(text)
		default:
			return nil, 0, fmt.Errorf("no event is compared with %.60q", path)
		}
		if err != nil {
			return nil, 0, err
		}
		out = append(out, it)
	}
	return out, used, nil
}

// patternWords cuts a pattern into brackets, operators, paths and texts; a text
// keeps its first quote, so that it is told from a word.
func patternWords(p string) ([]string, error) {
	var out []string
	for i := 0; i < len(p); {
		switch c := p[i]; {
		case c == ' ' || c == '\t' || c == '\n' || c == '\r':
			i++
		case strings.IndexByte("[](),", c) >= 0:
			out = append(out, string(c))
			i++
		case c == '=':
			out = append(out, "=")
			i++
		case c == '\'':
			text, n, ok := quoted(p[i:])
			if !ok {
				return nil, errors.New("a text of the pattern does not end")
			}
			out = append(out, "'"+text)
			i += n
		default:
			from := i
			for i < len(p) && strings.IndexByte(" \t\r\n[](),=", p[i]) < 0 {
				if p[i] == '\'' { // a part of a path: hashes.'SHA-256'
					_, n, ok := quoted(p[i:])
					if !ok {
						return nil, errors.New("a path of the pattern does not end")
					}
					i += n
					continue
				}
				i++
			}
			out = append(out, p[from:i])
		}
	}
	return out, nil
}

// quoted reads a text in quotes and says how long it is with them.
func quoted(p string) (text string, n int, ok bool) {
	var b strings.Builder
	for i := 1; i < len(p); i++ {
		switch c := p[i]; {
		case c == '\\' && i+1 < len(p):
			i++
			b.WriteByte(p[i])
		case c == '\'':
			return b.String(), i + 1, true
		default:
			b.WriteByte(c)
		}
	}
	return "", 0, false
}
