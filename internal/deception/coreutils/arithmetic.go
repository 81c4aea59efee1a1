package coreutils

import (
	"math"
	"strconv"
	"strings"
)

// arithmetic evaluates + - * / % ** and parentheses over numbers.
type arithmetic struct {
	s     string
	depth int
	bad   bool
}

func (a *arithmetic) skip() { a.s = strings.TrimLeft(a.s, " \t") }

func (a *arithmetic) eat(op string) bool {
	a.skip()
	if strings.HasPrefix(a.s, op) {
		a.s = a.s[len(op):]
		return true
	}
	return false
}

func (a *arithmetic) sum() float64 {
	v := a.product()
	for !a.bad {
		switch {
		case a.eat("+"):
			v += a.product()
		case a.eat("-"):
			v -= a.product()
		default:
			return v
		}
	}
	return v
}

func (a *arithmetic) product() float64 {
	v := a.power()
	for !a.bad {
		switch {
		case a.eat("//"):
			v = math.Floor(v / a.power())
		case strings.HasPrefix(strings.TrimLeft(a.s, " "), "**"):
			return v
		case a.eat("*"):
			v *= a.power()
		case a.eat("/"):
			v /= a.power()
		case a.eat("%"):
			v = math.Mod(v, a.power())
		default:
			return v
		}
	}
	return v
}

func (a *arithmetic) power() float64 {
	if a.depth++; a.depth > 100 {
		a.bad = true
		return 0
	}
	defer func() { a.depth-- }()
	v := 0.0
	switch {
	case a.eat("-"):
		return -a.power()
	case a.eat("("):
		v = a.sum()
		if !a.eat(")") {
			a.bad = true
		}
	default:
		a.skip()
		i := 0
		for i < len(a.s) && (a.s[i] >= '0' && a.s[i] <= '9' || a.s[i] == '.') {
			i++
		}
		n, err := strconv.ParseFloat(a.s[:i], 64)
		if err != nil {
			a.bad = true
			return 0
		}
		v, a.s = n, a.s[i:]
	}
	if a.eat("**") {
		v = math.Pow(v, a.power())
	}
	return v
}

// value evaluates a simple expression of a script: arithmetic or one string.
func value(s string) (string, bool) {
	s = strings.TrimSpace(s)
	if n := len(s); n >= 2 && (s[0] == '"' || s[0] == '\'') && s[n-1] == s[0] && strings.IndexByte(s[1:n-1], s[0]) < 0 {
		t := s[1 : n-1]
		if s[0] == '"' || strings.Contains(t, `\`) {
			t, _ = unescape(t, false)
		}
		return t, true
	}
	a := &arithmetic{s: s}
	v := a.sum()
	a.skip()
	if a.bad || a.s != "" || s == "" || math.IsNaN(v) || math.IsInf(v, 0) {
		return "", false
	}
	return strconv.FormatFloat(v, 'g', 15, 64), true
}
