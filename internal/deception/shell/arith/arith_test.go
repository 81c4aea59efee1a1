package arith

import (
	"errors"
	"strings"
	"testing"
)

// vars is a table that counts steps.
type vars struct {
	m     map[string]string
	steps int
}

var errSteps = errors.New("no steps left")

func (v *vars) Get(name string, index *string) (string, error) {
	if index != nil {
		name += "[" + *index + "]"
	}
	return v.m[name], nil
}

func (v *vars) Set(name string, index *string, n int64) error {
	if index != nil {
		name += "[" + *index + "]"
	}
	v.m[name] = itoa(n)
	return nil
}

func (v *vars) Step() error {
	if v.steps++; v.steps > 20_000 {
		return errSteps
	}
	return nil
}

func itoa(n int64) string {
	if n < 0 {
		return "-" + itoa(-n)
	}
	if n < 10 {
		return string(rune('0' + n))
	}
	return itoa(n/10) + string(rune('0'+n%10))
}

func TestEval(t *testing.T) {
	tests := []struct {
		expr string
		want int64
	}{
		{"", 0},
		{" ", 0},
		{"7", 7},
		{"3+4*2", 11},
		{"7/2", 3},
		{"-7%3", -1},
		{"2**10", 1024},
		{"0x1f", 31},
		{"010", 8},
		{"1<<4|3", 19},
		{"-2**2", 4},
		{"2**3**2", 512},
		{"1,2", 2},
		{"!3", 0},
		{"~0", -1},
		{"16#ff", 255},
		{"2#101", 5},
		{"36#z", 35},
		{"36#Z", 35},
		{"64#_", 63},
		{"1?2:3", 2},
		{"0?2:3", 3},
		{"1?2:0?4:5", 2},
		{"1||1/0", 1},
		{"0&&1/0", 0},
		{"x=5,x*2", 10},
		{"x=y=4,x+y", 8},
		{"x=3,x++,x", 4},
		{"x=3,++x*2", 8},
		{"x=6,x+=4,x", 10},
		{"x=6,x<<=2,x", 24},
		{"a[2]=7,a[2]+1", 8},
		{"e", 2},
		{"e*2", 4},
		{"u", 0},
		{"(1+2)*3", 9},
		{"1 == 1 && 2 != 3", 1},
		{"9223372036854775807+1", -9223372036854775808},
		{"-9223372036854775808/-1", -9223372036854775808},
		{"3>2>1", 0},
		{"5&3|4^1", 5},
		{"- -3", 3},
		{"1?x=1:2", 1},
	}
	for _, tt := range tests {
		v := &vars{m: map[string]string{"e": "1+1"}}
		if got, err := Eval(tt.expr, v); err != nil || got != tt.want {
			t.Errorf("%q = %d, %v; want %d", tt.expr, got, err, tt.want)
		}
	}
}

// TestErrors checks the words against those of bash 5.2.
func TestErrors(t *testing.T) {
	tests := []struct{ expr, want string }{
		{"1/0", `1/0: division by 0 (error token is "0")`},
		{"1/0 ", `1/0 : division by 0 (error token is "0 ")`},
		{"1/0+5", `1/0+5: division by 0 (error token is "0+5")`},
		{"a b", `a b: syntax error in expression (error token is "b")`},
		{"08", `08: value too great for base (error token is "08")`},
		{"1.5", `1.5: syntax error: invalid arithmetic operator (error token is ".5")`},
		{"a=", `a=: syntax error: operand expected (error token is "=")`},
		{"1=2", `1=2: attempted assignment to non-variable (error token is "=2")`},
		{"2**-1", `2**-1: exponent less than 0 (error token is "1")`},
		{"3#9", `3#9: value too great for base (error token is "3#9")`},
		{"1?2", "1?2: `:' expected for conditional expression (error token is \"2\")"},
		{"1?:2", `1?:2: expression expected (error token is ":2")`},
		{"r", `r: expression recursion level exceeded (error token is "r")`},
		{"1+", `1+: syntax error: operand expected (error token is "+")`},
		{"*1", `*1: syntax error: operand expected (error token is "*1")`},
		{"a[", `a[: bad array subscript (error token is "a[")`},
	}
	for _, tt := range tests {
		_, err := Eval(tt.expr, &vars{m: map[string]string{"r": "r"}})
		if err == nil || err.Error() != tt.want {
			t.Errorf("%q: %v\nwant %s", tt.expr, err, tt.want)
		}
	}
}

func TestDeep(t *testing.T) {
	for _, s := range []string{"(", "-", "!", "1?", "x=", "a[", "2**", "~("} {
		if _, err := Eval(strings.Repeat(s, 50_000)+"1", &vars{m: map[string]string{}}); err == nil && s != "!" && s != "-" {
			t.Errorf("%q nested 50000 times is fine", s)
		}
	}
}

func FuzzEval(f *testing.F) {
	f.Add("x=1+2*(a[3]++)?0x1f:08,~y")
	f.Add("16#ff<<2**-1")
	f.Fuzz(func(t *testing.T, s string) {
		v := &vars{m: map[string]string{"x": s, "y": "x+1"}}
		_, err := Eval(s, v)
		var e *Error
		if errors.As(err, &e) && e.Msg == "" {
			t.Fatal("an error without words")
		}
	})
}

func BenchmarkEval(b *testing.B) {
	v := &vars{m: map[string]string{"i": "41"}}
	for b.Loop() {
		v.steps = 0
		if _, err := Eval("i+1<100", v); err != nil {
			b.Fatal(err)
		}
	}
}
