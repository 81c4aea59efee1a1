package grammar

import (
	"strings"
	"testing"
)

// TestNext checks faults against what bash 5.2 says of the same lines.
func TestNext(t *testing.T) {
	tests := []struct {
		src  string
		kind Kind
		tok  string
		line int
	}{
		{"echo a", 0, "", 0},
		{"", 0, "", 0},
		{"#c", 0, "", 0},
		{"a | b && c || ! d; e &", 0, "", 0},
		{"echo $(date", Unclosed, ")", 2},
		{"echo $((1+2", Unclosed, ")", 1},
		{"echo (a)", Unexpected, "a", 1},
		{"a() b", Unexpected, "b", 1},
		{"for x y", Unexpected, "y", 1},
		{"while; do", Unexpected, ";", 1},
		{"{ }", Unexpected, "}", 1},
		{"()", Unexpected, ")", 1},
		{"a | | b", Unexpected, "|", 1},
		{";", Unexpected, ";", 1},
		{"echo >", Unexpected, "newline", 1},
		{"echo $(if then)", Unexpected, "then", 1},
		{"[[ -f ]]", Cond, "unexpected argument `]]' to conditional unary operator", 1},
		{"[[ a b ]]", Cond, "conditional binary operator expected", 1},
		{"((1+2", Unclosed, ")", 1},
		{"x=(1 2", Unclosed, ")", 1},
		{"function", Unexpected, "newline", 1},
		{"for", Unexpected, "newline", 1},
		{"case a in b) c", EOF, "", 2},
		{"echo a; )", Unexpected, ")", 1},
		{"echo @(a|b)", Unexpected, "(", 1},
		{"if true; then", EOF, "", 2},
		{"echo ${x", Unclosed, "}", 1},
		{"echo 'a", Unclosed, "'", 1},
		{"echo \"a\nb\nc", Unclosed, `"`, 1},
		{"f() { echo; ", EOF, "", 2},
		{"[[ a == ]]", Cond, "unexpected argument `]]' to conditional binary operator", 1},
		{"[[ ( a ]]", Cond, "unexpected token `]]', expected `)'", 1},
		{"time", 0, "", 0},
		{"!", 0, "", 0},
		{"echo $[1+2]", 0, "", 0},
		{"a=(1 ( 2)", Unexpected, "(", 1},
		{"echo &>", Unexpected, "newline", 1},
		{"esac", Unexpected, "esac", 1},
		{"in", Unexpected, "in", 1},
		{"{", EOF, "", 2},
		{"case x in esac", 0, "", 0},
		{"case x in ) a;; esac", Unexpected, ")", 1},
		{"function f echo hi", Unexpected, "echo", 1},
		{"coproc", Unexpected, "newline", 1},
		{"x=`", Unclosed, "`", 1},
		{"echo $(echo \"a)", Unclosed, `"`, 1},
		{"if then", Unexpected, "then", 1},
		{"echo )", Unexpected, ")", 1},
		{"echo a;; echo b", Unexpected, ";;", 1},
		{"| cat", Unexpected, "|", 1},
		{"&& echo", Unexpected, "&&", 1},
		{"echo a &&", EOF, "", 2},
		{"case x", EOF, "", 2},
		{"x=(1 2; echo", Unexpected, ";", 1},
		{"echo ${a[; echo $?", Unclosed, "}", 1},
		{"if a; then (b) fi", 0, "", 0},
		{"{ { a; } }", 0, "", 0},
		{"f() { a; } > x", 0, "", 0},
		{"for ((i=0;i<3;i++)); do echo; done", 0, "", 0},
		{"for i do echo; done", 0, "", 0},
		{"case a in (b|c) d;; e) esac", 0, "", 0},
		{"[[ a =~ ^(b|c)$ && ! -f x ]]", 0, "", 0},
		{"[[ $x == @(a|b) ]] && y", 0, "", 0},
		{"((1+2)) && ((a<b))", 0, "", 0},
		{"( (a) )", 0, "", 0},
		{"cat <<E\na\nE\n", 0, "", 0},
		{"cat <<E; if then\nE", Unexpected, "then", 1},
		{"echo a >b 2>&1 <c &>d", 0, "", 0},
		{"declare -a x=(1 2)", 0, "", 0},
		{"a=(1 2) b", 0, "", 0},
		{"echo a=(b)", Unexpected, "(", 1},
		{"cat <(a | b) >(c)", 0, "", 0},
		{"echo \"$(a \"b\" 'c')\" `d \\`e\\``", 0, "", 0},
		{"echo ${x:-${y}} ${z#\\}} \"${a:-'}\"", 0, "", 0},
		{"select x in a; do b; done", 0, "", 0},
		{"coproc cat", 0, "", 0},
		{"then", Unexpected, "then", 1},
		{"if a; then b; else; fi", Unexpected, ";", 1},
		{"a && ; b", Unexpected, ";", 1},
		{"echo $'a\\'b'", 0, "", 0},
		{"fi x", Unexpected, "fi", 1},
		{"{ a; } x", Unexpected, "x", 1},
		{"while a; do b; done done", Unexpected, "done", 1},
	}
	for _, tt := range tests {
		u := Next(tt.src, 0, Options{})
		if tt.kind == 0 {
			if u.Err != nil || u.End != len(tt.src) {
				t.Errorf("%q: %+v, end %d", tt.src, u.Err, u.End)
			}
			continue
		}
		if u.Err == nil || u.Err.Kind != tt.kind || u.Err.Token != tt.tok || u.Err.Line != tt.line {
			t.Errorf("%q: got %+v, want kind %d token %q line %d", tt.src, u.Err, tt.kind, tt.tok, tt.line)
		}
	}
}

func TestUnits(t *testing.T) {
	src := "a; b\nif c\nthen d; fi\n\n# x\ncat <<E <<F\n1\nE\n2\nF\ne \\\nf\n"
	want := []string{"a; b\n", "if c\nthen d; fi\n", "\n", "# x\n", "cat <<E <<F\n1\nE\n2\nF\n", "e \\\nf\n"}
	for off, i := 0, 0; off < len(src); i++ {
		u := Next(src, off, Options{})
		if u.Err != nil || i >= len(want) || src[off:u.End] != want[i] {
			t.Fatalf("unit %d: %q, %v", i, src[off:u.End], u.Err)
		}
		off = u.End
	}
}

func TestDeepNesting(t *testing.T) {
	for _, s := range []string{"(", "$(", "{ ", "if ", "((", "${x:-", "[[ ( ", "`", "! ", "a=("} {
		if u := Next(strings.Repeat(s, 20000), 0, Options{}); u.Err == nil && s != "! " && s != "`" {
			t.Errorf("%q nested 20000 times is complete", s)
		}
	}
}

func FuzzNext(f *testing.F) {
	for _, s := range []string{"if a; then b; fi", "cat <<E\n$x\nE\n", "[[ a =~ (b) ]]", "x=(1 $(2)) y", "case x in a) b;; esac", "f() { `a`; }", "echo \"${x:-\"y\"}\""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, src string) {
		off := 0
		for n := 0; off < len(src); n++ {
			u := Next(src, off, Options{})
			if u.Err != nil {
				return
			}
			if u.End <= off || u.End > len(src) {
				t.Fatalf("unit of %q at %d ends at %d", src, off, u.End)
			}
			off = u.End
		}
	})
}
