package licences

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// TestLicences looks at everything the product is made of and made with.
func TestLicences(t *testing.T) {
	list, err := All("../..")
	if err != nil {
		t.Fatal(err)
	}
	refused, shipped, read := 0, 0, 0
	for _, d := range list {
		if why := d.Refused(); why != "" {
			refused++
			t.Errorf("%s %s %s: %s (%s)", d.Ecosystem, d.Path, d.Version, why, d.File)
		}
		if !d.Tool {
			shipped++
		}
		if d.File != "" {
			read++
		}
	}
	t.Logf("%d dependencies, %d of them shipped, %d licence files read", len(list), shipped, read)
	t.Logf("TRUST name=licences figure=%d unit=dependencies target=<=0 of=%d", refused, len(list))
	if shipped < 40 || read < 40 {
		t.Error("most dependencies were not looked at")
	}
}

var listed = regexp.MustCompile("(?m)^\\| `([^`]+)` \\|.*\\| ([A-Za-z0-9. -]+) \\|[^|]*\\|$")

// TestDocumentAgrees holds the licences that docs/security/dependencies.md names
// against those that are found.
func TestDocumentAgrees(t *testing.T) {
	raw, err := os.ReadFile("../../docs/security/dependencies.md")
	if err != nil {
		t.Fatal(err)
	}
	list, err := All("../..")
	if err != nil {
		t.Fatal(err)
	}
	found := map[string][]string{}
	for _, d := range list {
		found[d.Path] = append(found[d.Path], d.Licence)
	}
	checked := 0
	for _, m := range listed.FindAllStringSubmatch(string(raw), -1) {
		if ids, ok := found[m[1]]; ok {
			checked++
			if !slices.Contains(ids, m[2]) && !slices.Contains(ids, choose(m[2])) {
				t.Errorf("%s is %v, and is listed as %s", m[1], ids, m[2])
			}
		}
	}
	if checked < 40 {
		t.Errorf("only %d were compared", checked)
	}
}

func TestRecognise(t *testing.T) {
	for text, want := range map[string]string{
		"Apache License\n  Version 2.0, January 2004": "Apache-2.0",
		"Permission is hereby granted, free of charge, to any person\n# obtaining ... The above copyright notice and this permission notice shall be\nincluded in all copies or sub": "MIT",
		"Redistribution and use in source and binary forms, with or without\nmodification ... Neither the name of X may be used to endorse or\npromote products":                     "BSD-3-Clause",
		"Redistribution and use in source and binary forms, with or without":                                                                                                         "BSD-2-Clause",
		"Permission to use, copy, modify, and/or distribute this software ... provided that the above copyright notice and":                                                          "ISC",
		"Permission to use, copy, modify, and/or distribute this software for any purpose with or without fee is hereby granted.":                                                    "0BSD",
		"GNU GENERAL PUBLIC LICENSE Version 3":                                                     "GPL",
		"Mozilla Public License Version 2.0 ... Secondary License: the GNU General Public License": "MPL-2.0",
		"All rights reserved.": "",
		"":                     "",
	} {
		if got := Recognise(text); got != want {
			t.Errorf("%.40q: %q, want %q", text, got, want)
		}
	}
}

// A dependency without a licence, with one that is not allowed, or whose file says
// something else than its manifest is refused.
func TestRefused(t *testing.T) {
	dir := t.TempDir()
	lock := `{"packages": {"": {}, "node_modules/good": {"version": "1.0.0", "license": "MIT"}, "node_modules/none": {"version": "1.0.0"},
		"node_modules/copyleft": {"version": "1.0.0", "license": "GPL-3.0"}, "node_modules/liar": {"version": "1.0.0", "license": "MIT"},
		"node_modules/choice": {"version": "1.0.0", "license": "(GPL-2.0 OR MIT)"}, "node_modules/built": {"version": "1.0.0", "license": "MPL-2.0", "dev": true},
		"node_modules/shipped": {"version": "1.0.0", "license": "MPL-2.0"}}}`
	if err := os.WriteFile(filepath.Join(dir, "package-lock.json"), []byte(lock), 0o600); err != nil {
		t.Fatal(err)
	}
	liar := filepath.Join(dir, "node_modules", "liar")
	if err := os.MkdirAll(liar, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(liar, "LICENSE"), []byte("GNU GENERAL PUBLIC LICENSE"), 0o600); err != nil {
		t.Fatal(err)
	}
	list, err := NPM(dir)
	if err != nil || len(list) != 7 {
		t.Fatal(list, err)
	}
	want := map[string]bool{"good": true, "choice": true, "built": true}
	for _, d := range list {
		if (d.Refused() == "") != want[d.Path] {
			t.Errorf("%s: %q", d.Path, d.Refused())
		}
	}
	if _, err := NPM(t.TempDir()); err == nil {
		t.Error("no lock, and no error")
	}
}
