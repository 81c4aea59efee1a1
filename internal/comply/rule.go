package comply

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// A Test is one condition about one fact: "users.mfa >= 1", "tls.on == yes",
// `node.mode == "production"`.
type Test struct {
	Fact string
	op   string
	num  float64
	text string // compared instead when is set
	is   bool
}

var operators = []string{">=", "<=", "==", "!=", ">", "<"}

// ParseTest reads a condition. It does not know which facts there are.
func ParseTest(s string) (Test, error) {
	parts := strings.SplitN(strings.TrimSpace(s), " ", 3)
	if len(parts) != 3 || parts[0] == "" {
		return Test{}, fmt.Errorf("%.200q: want FACT OPERATOR VALUE", s)
	}
	t := Test{Fact: parts[0], op: parts[1]}
	if !slices.Contains(operators, t.op) {
		return Test{}, fmt.Errorf("%.200q: %.20q is no operator; there are %s", s, t.op, strings.Join(operators, " "))
	}
	value := strings.TrimSpace(parts[2])
	switch {
	case value == "yes":
		t.num = 1
	case value == "no":
	case len(value) >= 2 && value[0] == '"' && value[len(value)-1] == '"':
		t.text, t.is = value[1:len(value)-1], true
		if t.op != "==" && t.op != "!=" {
			return Test{}, fmt.Errorf("%.200q: texts are equal or not", s)
		}
	default:
		n, err := strconv.ParseFloat(value, 64)
		if err != nil || n != n {
			return Test{}, fmt.Errorf("%.200q: %.40q is neither a number, nor yes or no, nor a text in quotes", s, value)
		}
		t.num = n
	}
	return t, nil
}

// UnmarshalText reads a condition of a file.
func (t *Test) UnmarshalText(b []byte) (err error) {
	*t, err = ParseTest(string(b))
	return err
}

// MarshalText writes it as it is read.
func (t Test) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// String writes the condition as it is read.
func (t Test) String() string {
	if t.is {
		return t.Fact + " " + t.op + ` "` + t.text + `"`
	}
	if k := catalog[t.Fact]; k.unit == UnitFlag {
		return t.Fact + " " + t.op + " " + map[bool]string{true: "yes", false: "no"}[t.num != 0]
	}
	return t.Fact + " " + t.op + " " + strconv.FormatFloat(t.num, 'f', -1, 64)
}

// holds says whether a measured fact meets the condition.
func (t Test) holds(f *Fact) bool {
	if t.is {
		return (f.Text == t.text) == (t.op == "==")
	}
	switch t.op {
	case ">=":
		return f.Number >= t.num
	case "<=":
		return f.Number <= t.num
	case ">":
		return f.Number > t.num
	case "<":
		return f.Number < t.num
	case "==":
		return f.Number == t.num
	}
	return f.Number != t.num
}

// decides reports whether the fact can have values by which the condition holds, and
// others by which it does not. One that always holds, such as a count of at least 0,
// says nothing, and a check that stands on it alone is met whatever happens.
func (t Test) decides() bool {
	if t.is {
		return true
	}
	var can [2]bool
	for _, v := range catalog[t.Fact].unit.around(t.num) {
		can[map[bool]int{true: 1}[t.holds(&Fact{Number: v})]] = true
	}
	return can[0] && can[1]
}

// around returns values of a unit at the border of a number and beside it: none is
// one the unit cannot have.
func (u Unit) around(n float64) []float64 {
	switch u {
	case UnitFlag:
		return []float64{0, 1}
	case UnitShare:
		return slices.DeleteFunc([]float64{n, n / 2, (n + 1) / 2, 0, 1}, func(v float64) bool { return v < 0 || v > 1 })
	}
	return slices.DeleteFunc([]float64{n, n + 1, n - 1, 0}, func(v float64) bool { return v < 0 })
}

// outcome of several conditions that all have to hold.
type outcome int

const (
	fails outcome = iota
	unknown
	holds
)

// all says whether all conditions hold. One that fails settles it, whatever is
// not known beside it; else one fact nobody measured leaves it open.
func all(tests []Test, f *Facts) outcome {
	out := holds
	for _, t := range tests {
		x := f.Get(t.Fact)
		switch {
		case !x.Known:
			out = unknown
		case !t.holds(&x):
			return fails
		}
	}
	return out
}
