package main

import "testing"

func TestKeys(t *testing.T) {
	for in, want := range map[string]string{
		"echo a<CR>":     "echo a\r",
		"<C-a><M-f>x":    "\x01\x1bfx",
		"a <lt> b<7f>":   "a < b\x7f",
		"<UP><C-LEFT>":   "\x1b[A\x1b[1;5D",
		"plain > text ü": "plain > text ü",
	} {
		if got, err := keys(in); err != nil || got != want {
			t.Errorf("keys(%q) = %q, %v, want %q", in, got, err, want)
		}
	}
	for _, in := range []string{"<NOSUCH>", "a < b", "<C-ab>"} {
		if got, err := keys(in); err == nil {
			t.Errorf("keys(%q) = %q, want an error", in, got)
		}
	}
}

func TestReader(t *testing.T) {
	p := &reader{book: &book{}, seen: map[string]int{}}
	for _, line := range []string{"# x", "== s: title", "setup a=1", "echo 1", "@digits,long echo 2", "{{{", "echo 3", "# kept", "}}}"} {
		if err := p.line(line); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
	}
	want := []command{{ID: "s-01", In: "a=1; echo 1"}, {ID: "s-02", In: "a=1; echo 2"}, {ID: "s-03", In: "a=1; echo 3\n# kept"}}
	if len(p.book.Cases) != len(want) {
		t.Fatalf("%d cases, want %d", len(p.book.Cases), len(want))
	}
	for i, c := range p.book.Cases {
		if c.ID != want[i].ID || c.In != want[i].In {
			t.Errorf("case %d is %q %q, want %q %q", i, c.ID, c.In, want[i].ID, want[i].In)
		}
	}
	if c := p.book.Cases[1]; !c.has("digits") || !c.has("long") {
		t.Errorf("tags %v", c.Tags)
	}
	if err := (&reader{book: &book{}, seen: map[string]int{}}).line("echo early"); err == nil {
		t.Error("a case before the first section was taken")
	}
}

func TestCutUsage(t *testing.T) {
	long := "x: bad\nUsage: x [a]\n1\n2\n3\n4\n5\n"
	if got, cut := cutUsage(long); !cut || got != "x: bad\nUsage: x [a]\n" {
		t.Errorf("cutUsage = %q, %v", got, cut)
	}
	if got, cut := cutUsage("Usage: x [a]\nmore\n"); cut {
		t.Errorf("a short usage was cut to %q", got)
	}
}

func FuzzReader(f *testing.F) {
	f.Add("== a: b\nsetup x\n@t cmd\n{{{\nq\n}}}\n", false)
	f.Add("== a: b\nsize 80x24\n> x<CR>\n$ y\nresize 1x1\nwait 1s\nnotty\n> z<LF>\n", true)
	f.Fuzz(func(t *testing.T, text string, screen bool) {
		p := &reader{book: &book{}, seen: map[string]int{}, screen: screen}
		start := 0
		for i := 0; i <= len(text); i++ {
			if i < len(text) && text[i] != '\n' {
				continue
			}
			if p.line(text[start:i]) != nil {
				return
			}
			start = i + 1
		}
	})
}
