package awk_test

import (
	"errors"
	"io"
	"regexp"
	"strings"
	"testing"

	"honeyguide/internal/deception/coreutils/awk"
)

type re struct{ *regexp.Regexp }

func (r re) Find(b []byte) []int  { return r.FindSubmatchIndex(b) }
func (r re) All(b []byte) [][]int { return r.FindAllSubmatchIndex(b, -1) }

var errSpent = errors.New("spent")

// run runs a program with a budget of steps and bytes.
func run(src, input string, steps, bytes int) (out string, status int, err error) {
	var b strings.Builder
	defer func() {
		if r := recover(); r != nil {
			if r != any(errSpent) {
				panic(r)
			}
			err = errSpent
		}
	}()
	h := &awk.Host{
		Name: "awk", Stdin: strings.NewReader(input), Stdout: &b,
		Open:    func(string) (io.ReadCloser, error) { return nil, errors.New("no such file") },
		Create:  func(string, bool) (io.WriteCloser, error) { return nil, errors.New("refused") },
		Command: func(string, io.Reader, io.Writer) int { return 0 },
		Regexp: func(p string) (awk.Matcher, error) {
			r, err := regexp.CompilePOSIX(p)
			return re{r}, err
		},
		Step: func(n int) {
			if steps -= n; steps < 0 {
				panic(errSpent)
			}
		},
		Alloc: func(n int) {
			if bytes -= n; bytes < 0 {
				panic(errSpent)
			}
		},
	}
	p, err := awk.Parse(src, h)
	if err != nil {
		return "", 2, err
	}
	status, err = awk.Run(p, h, "", nil)
	return b.String(), status, err
}

// Programs that want everything get what the budget has.
func TestBombs(t *testing.T) {
	for _, src := range []string{
		`BEGIN{while(1);}`, `BEGIN{s="x"; while(1) s=s s}`, `BEGIN{while(1) a[i++]=i}`, `function f(){f()} BEGIN{f()}`, `BEGIN{for(;;) print "x"}`,
		`BEGIN{s=sprintf("%9999999999d",1); while(1) s = s s}`, `BEGIN{$1e9="x"}`, `BEGIN{s="aaaa"; while(1) gsub(/a/,"&&",s)}`,
		strings.Repeat("(", 100000), `BEGIN{` + strings.Repeat("if(1)", 100000) + `}`, `BEGIN{x=` + strings.Repeat("-", 100000) + `1}`, `{$0=$0 $0}{while(1)$0=$0 $0}`,
	} {
		_, _, err := run(src, "line\n", 3_000_000, 8<<20)
		if err == nil {
			t.Errorf("%.40q ended without an error", src)
		}
	}
}

func TestArrayParameters(t *testing.T) {
	out, _, err := run(`function fill(a){a["x"]=1} function n(a, i,k){for(k in a)i++; return i} BEGIN{fill(m); m["y"]; print n(m)}`, "", 1e6, 1e6)
	if err != nil || out != "2\n" {
		t.Errorf("%q %v", out, err)
	}
}

func FuzzRun(f *testing.F) {
	for _, s := range []string{
		`{print $1}`, `BEGIN{for(i in a)print i;printf "%d",x}`, `/a/,/b/{next}`, `function f(x){return x?f(x-1):0}BEGIN{print f(3)}`, `{a[$1]=$2;gsub(/x/,"&");print>"f"}`,
		`BEGIN{while(("c"|getline l)>0)print l|"sort"}`, `BEGIN{printf "%*d %c %5.2f\n",3,65,1.5}`, `{`, `BEGIN{getline x<"f"`, `BEGIN{print substr("a",-1,5) length}`,
	} {
		f.Add(s, "a b c\nd e\n")
	}
	f.Fuzz(func(t *testing.T, src, input string) {
		_, _, _ = run(src, input, 20000, 1<<20)
	})
}
