package main

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
)

// A figure is what a proof measured, as its test said it in one line:
//
//	TRUST name=kill9-lost figure=0 unit=events target=<=0 of=200
//
// of and rounds, which are optional, say out of how many: no loss in no attempt is
// no proof.
type figure struct {
	Name   string
	Value  float64
	Unit   string
	Target target
	Of     float64 // 0: not said
	Rounds float64 // 0: not said
}

// tries is how often what is promised was put to the test.
func (f figure) tries() float64 {
	if f.Rounds > 0 {
		return f.Rounds
	}
	return f.Of
}

// logged is a line that t.Log printed: the file and line of the test stand before
// it, behind exactly four blanks. The further lines of a longer text stand behind
// eight, so text of others that a test prints cannot pass for a figure.
var logged = regexp.MustCompile(`^    [A-Za-z0-9_.-]+\.go:[0-9]+: TRUST( .*)?$`)

var (
	fieldName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,23}$`)
	plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_./%:+-]{0,39}$`)
	rowName   = regexp.MustCompile(`^[a-z][a-z0-9]*(-[a-z0-9]+)*$`)
	decimal   = regexp.MustCompile(`^-?[0-9]{1,15}(\.[0-9]{1,15})?([eE][+-]?[0-9]{1,2})?$`)
)

const maxLine = 400 // bytes of a line that is read

// readLine reads a line of a test's output. ok says whether it means to be a
// figure at all; err says what is wrong with one that does.
func readLine(line string) (f figure, ok bool, err error) {
	line = strings.TrimRight(line, "\r\n")
	if !strings.HasPrefix(line, "    ") || !strings.Contains(line, ": TRUST") || !logged.MatchString(line) {
		return f, false, nil
	}
	if len(line) > maxLine {
		return f, true, fmt.Errorf("a line of %d bytes", len(line))
	}
	_, rest, _ := strings.Cut(line, ": TRUST")
	fields := map[string]string{}
	for word := range strings.FieldsSeq(rest) {
		name, value, found := strings.Cut(word, "=")
		if _, twice := fields[name]; twice || !found || !fieldName.MatchString(name) {
			return f, true, fmt.Errorf("a field like %q", word)
		}
		fields[name] = value
	}
	f, err = fill(fields)
	return f, true, err
}

func fill(fields map[string]string) (f figure, err error) {
	for name, value := range fields {
		switch name {
		case "name":
			if f.Name = value; !rowName.MatchString(value) {
				return f, fmt.Errorf("a name like %q", value)
			}
		case "figure":
			f.Value, err = number(value)
		case "of":
			if f.Of, err = number(value); err == nil && f.Of < 0 {
				err = errors.New("less than none of=")
			}
		case "rounds":
			f.Rounds, err = number(value)
		case "target":
			f.Target, err = parseTarget(value)
		default:
			if !plainWord.MatchString(value) {
				return f, fmt.Errorf("a %s like %q", name, value)
			}
			if name == "unit" {
				f.Unit = value
			}
		}
		if err != nil {
			return f, err
		}
	}
	for _, must := range []string{"name", "figure", "target"} {
		if _, ok := fields[must]; !ok {
			return f, fmt.Errorf("no %s=", must)
		}
	}
	return f, nil
}

func number(s string) (float64, error) {
	if !decimal.MatchString(s) {
		return 0, fmt.Errorf("no number: %q", s)
	}
	v, err := strconv.ParseFloat(s, 64)
	if err != nil || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0, fmt.Errorf("no number: %q", s)
	}
	return v, nil
}

// A target is what a figure has to be.
type target struct {
	Op    string // <=, >=, <, > or =
	Value float64
}

func parseTarget(s string) (target, error) {
	for _, op := range []string{"<=", ">=", "==", "<", ">", "="} {
		if rest, ok := strings.CutPrefix(s, op); ok {
			v, err := number(rest)
			if op == "==" {
				op = "="
			}
			return target{op, v}, err
		}
	}
	return target{}, fmt.Errorf("no target: %q", s)
}

// met reports whether a figure is what was promised.
func (t target) met(v float64) bool {
	switch t.Op {
	case "<=":
		return v <= t.Value
	case ">=":
		return v >= t.Value
	case "<":
		return v < t.Value
	case ">":
		return v > t.Value
	case "=":
		return v == t.Value
	}
	return false
}

func (t target) String() string { return t.Op + trim(t.Value) }

// trim writes a number as short as it reads well.
func trim(v float64) string {
	switch {
	case v == math.Trunc(v) && math.Abs(v) < 1e12:
		return strconv.FormatFloat(v, 'f', -1, 64)
	case math.Abs(v) >= 100:
		return strconv.FormatFloat(v, 'f', 0, 64)
	}
	return strconv.FormatFloat(v, 'g', 3, 64)
}

// oneFigure picks the figure of a row out of what its test printed.
func oneFigure(name, output string) (figure, error) {
	var found []figure
	for line := range strings.Lines(output) {
		f, ok, err := readLine(line)
		switch {
		case !ok:
		case err != nil:
			return figure{}, fmt.Errorf("the figure cannot be read: %w", err)
		case f.Name == name:
			found = append(found, f)
		}
	}
	switch len(found) {
	case 0:
		return figure{}, errors.New("no figure was printed")
	case 1:
		return found[0], nil
	}
	return figure{}, fmt.Errorf("%d figures were printed, and which counts is not said", len(found))
}
