package triage

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestModelComesBack(t *testing.T) {
	for _, m := range []*Model{Cold(), train(t, 70)} {
		raw, err := m.Encode()
		if err != nil {
			t.Fatal(err)
		}
		got, err := ReadModel(raw)
		if err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff(m, got, cmp.AllowUnexported(Priors{}, tally{}), cmp.Comparer(func(a, b float64) bool { return a-b < 1e-9 && b-a < 1e-9 })); d != "" {
			t.Errorf("%s:\n%s", m, d)
		}
		for name, change := range map[string][2]string{
			"another version":    {`"version":1`, `"version":2`},
			"a feature less":     {`"asset_gap"`, `"asset_gasp"`},
			"a deviation of 0":   {`"asset_gap":[`, `"asset_gap":[0,0,0],"own_gap":[`},
			"cut short":          {`}`, ``},
			"a number too large": {`"bias":`, `"bias":1e300,"x":`},
		} {
			if _, err := ReadModel([]byte(strings.Replace(string(raw), change[0], change[1], 1))); err == nil {
				t.Errorf("%s: taken", name)
			}
		}
	}
}

func FuzzReadModel(f *testing.F) {
	for _, m := range []*Model{Cold(), train(f, 80)} {
		raw, err := m.Encode()
		if err != nil {
			f.Fatal(err)
		}
		f.Add(raw)
	}
	f.Add([]byte(`{"version":1,"features":null}`))
	g := stream(81, 30)
	f.Fuzz(func(t *testing.T, raw []byte) {
		m, err := ReadModel(raw)
		if err != nil {
			return
		}
		for _, x := range features(g, m.Priors) {
			if z := m.LogOdds(&x); z != z {
				t.Fatal("a model that was taken scores nothing")
			}
			m.Explain(&x)
		}
		if _, err := m.Encode(); err != nil {
			t.Fatal(err)
		}
	})
}

func FuzzUnpack(f *testing.F) {
	f.Add(empty())
	f.Add("AAAA")
	f.Fuzz(func(t *testing.T, s string) {
		x, ok := Unpack(s)
		if ok && x.Pack() != s {
			t.Fatalf("%q is read and written as %q", s, x.Pack())
		}
	})
}
