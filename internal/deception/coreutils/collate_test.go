package coreutils_test

import "testing"

// In a language's locale punctuation counts last and case hardly.
func TestCollation(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	b.fixture()
	for _, n := range []string{"Zeta", "alpha", ".hidden", "_under", "Alpha"} {
		b.write("/w/dir/"+n, "", 0o644)
	}
	b.env["LC_ALL"] = ""
	for lang, want := range map[string]string{
		"C.UTF-8":     ".\n..\n.hidden\nAlpha\nZeta\n_under\nalpha\nf1\nln\nsub\n",
		"en_US.UTF-8": ".\n..\nalpha\nAlpha\nf1\n.hidden\nln\nsub\n_under\nZeta\n",
	} {
		b.env["LANG"] = lang
		if out, _, _ := b.run("", "ls", "-a", "dir"); out != want {
			t.Errorf("%s: %q, want %q", lang, out, want)
		}
	}
}

func TestVersions(t *testing.T) {
	b := newBench(t, "debian-12-fresh")
	for name, want := range map[string]string{"ls": "ls (GNU coreutils) 9.1\n", "wget": "GNU Wget 1.21.3 built on linux-gnu.\n", "grep": "grep (GNU grep) 3.8\n", "tar": "tar (GNU tar) 1.34\n"} {
		out, _, rc := b.run("", name, "--version")
		first, _, _ := b.run(out, "head", "-1")
		if first != want || rc != 0 {
			t.Errorf("%s: %q %d", name, first, rc)
		}
	}
}
