package token

import (
	"bytes"
	"fmt"
	"io"
	"log/slog"
)

// A Hit is one planted string found in a text.
type Hit struct {
	Token string // id
	Kind  string // kind of the token
	Part  string // which planted string: key_id, secret, password
	Form  string // how it was written: plain, url, base64, hex, json
	Start int    // offset of its first byte; for a Scanner, from the start of the stream
	End   int
}

// A Registry finds every planted string of a set of tokens. It is immutable
// and safe for concurrent use.
type Registry struct {
	tokens  map[string]*Token
	order   []*Token
	pattern *pattern
}

// NewRegistry returns the registry of tokens. It fails when two tokens share
// an id or a planted string.
func NewRegistry(tokens ...*Token) (*Registry, error) {
	r := &Registry{tokens: make(map[string]*Token, len(tokens)), pattern: newPattern()}
	owner := map[string]string{}
	for _, t := range tokens {
		if r.tokens[t.ID()] != nil {
			return nil, fmt.Errorf("register tokens: id %s twice", t.ID())
		}
		r.tokens[t.ID()] = t
		r.order = append(r.order, t)
		for _, v := range t.own.secret.needles {
			if other, taken := owner[v.Text]; taken {
				return nil, fmt.Errorf("register tokens: %s and %s share a planted string", other, t.ID())
			}
			owner[v.Text] = t.ID()
			if err := r.pattern.addForms(t, v); err != nil {
				return nil, fmt.Errorf("register token %s: %w", t.ID(), err)
			}
		}
	}
	r.pattern.seal()
	return r, nil
}

// NewNeedles returns a registry that knows only the bytes to look for, by
// token id: what a sensor process is told. Needles below 12 bytes are refused.
func NewNeedles(needles map[string][][]byte) (*Registry, error) {
	var tokens []*Token
	for id, list := range needles {
		t := &Token{own: &hidden{&secret{}}}
		t.face.ID = id
		for _, n := range list {
			t.own.secret.needles = append(t.own.secret.needles, Value{"", string(n)})
		}
		tokens = append(tokens, t)
	}
	return NewRegistry(tokens...)
}

// Tokens returns the registered tokens in the order they were given.
func (r *Registry) Tokens() []*Token { return append([]*Token(nil), r.order...) }

// Token returns the token with an id.
func (r *Registry) Token(id string) (*Token, bool) {
	t, ok := r.tokens[id]
	return t, ok
}

// Match returns the planted strings in text in the order of their ends, each
// (token, part, form) once.
func (r *Registry) Match(text []byte) []Hit {
	var hits []Hit
	if r == nil {
		return nil
	}
	r.pattern.scan(text, 0, 0, func(n *needle, end int) {
		for _, h := range hits {
			if h.Token == n.token && h.Part == n.part && h.Form == n.form {
				return
			}
		}
		hits = append(hits, n.hit(end))
	})
	return hits
}

// String says how many tokens there are.
func (r *Registry) String() string { return fmt.Sprintf("%d honeytokens", len(r.order)) }

// Format writes [Registry.String] whatever the verb.
func (r *Registry) Format(s fmt.State, _ rune) { _, _ = io.WriteString(s, r.String()) }

// LogValue is [Registry.String] for slog.
func (r *Registry) LogValue() slog.Value { return slog.StringValue(r.String()) }

// A Scanner finds planted strings in a stream that comes in pieces of any
// size. It keeps a few hundred bytes. It is not safe for concurrent use.
type Scanner struct {
	reg  *Registry
	buf  []byte // the last bytes seen and room to come
	base int    // stream offset of buf[0]
}

// Scanner returns a scanner at the start of a stream.
func (r *Registry) Scanner() *Scanner { return &Scanner{reg: r} }

// Write looks at the next piece and returns the planted strings that end in
// it, each at most once per piece.
func (s *Scanner) Write(p []byte) []Hit {
	var hits []Hit
	if s.reg == nil || s.reg.pattern.longest == 0 {
		return nil
	}
	for len(p) > 0 {
		// Work in bounded steps, so that a huge piece is not copied at once.
		n := min(len(p), 16<<10)
		seen := len(s.buf)
		s.buf = append(s.buf, p[:n]...)
		p = p[n:]
		s.reg.pattern.scan(s.buf, seen, s.base, func(n *needle, end int) {
			for _, h := range hits {
				if h.Token == n.token && h.Part == n.part && h.Form == n.form {
					return
				}
			}
			hits = append(hits, n.hit(end))
		})
		s.trim()
	}
	return hits
}

// trim drops what no needle can reach back to, but only now and then: single
// keystrokes would otherwise move the tail every time.
func (s *Scanner) trim() {
	keep := s.reg.pattern.longest - 1
	if len(s.buf) < 4*keep+1024 {
		return
	}
	drop := len(s.buf) - keep
	s.base += drop
	s.buf = append(s.buf[:0], s.buf[drop:]...)
	if cap(s.buf) > 8<<10 {
		s.buf = bytes.Clone(s.buf)
	}
}
