// Package licences knows under which licences the code stands that the product is
// made of, by reading the licence file of each module and package.
package licences

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// allowed are the licences a dependency may have: none asks for more than its
// text and its names to be kept.
var allowed = []string{"MIT", "BSD-2-Clause", "BSD-3-Clause", "Apache-2.0", "ISC", "0BSD", "Unlicense", "CC0-1.0"}

// allowedTools are licences for programs that are only run while building and
// testing and never shipped: their files stay as they are.
var allowedTools = []string{"MPL-2.0", "BlueOak-1.0.0", "CC-BY-4.0", "Python-2.0"}

// reviewed are the dependencies whose licence file holds more than one licence or
// none that is recognised; somebody has read it. By path, whatever the version.
var reviewed = map[string]struct{ ID, Why string }{
	"d3-geo": {"ISC", "ISC, with a part of GeographicLib under MIT"},
	"kernel.org/pub/linux/libs/security/libcap/psx": {"BSD-3-Clause", "offered under BSD-3-Clause or GPL-2.0, whoever takes it chooses"},
}

// A Dependency is a module or a package and its licence.
type Dependency struct {
	Ecosystem string // go or npm
	Path      string
	Version   string
	Licence   string // SPDX, "" when it is not recognised
	Tool      bool   // not part of what is shipped
	Integrity string // of npm: the hash of its archive
	File      string // that was read, "" when its own manifest says it
}

// Refused says why a dependency may not be used, "" when it may.
func (d Dependency) Refused() string {
	switch {
	case d.Licence == "":
		return "its licence is not recognised; read it, then add it to the reviewed ones of tools/licences"
	case slices.Contains(allowed, d.Licence), d.Tool && slices.Contains(allowedTools, d.Licence):
		return ""
	}
	return "its licence " + d.Licence + " is not one of those that are allowed"
}

var blanks = regexp.MustCompile(`[\s*#/>_"'“”‘’]+`)

// marks are phrases by which a licence is known; the first all of whose phrases
// are there counts.
var marks = []struct {
	id  string
	has []string
}{
	{"MPL-2.0", []string{"mozilla public license", "version 2.0"}},
	{"AGPL-3.0", []string{"gnu affero general public license"}},
	{"LGPL", []string{"gnu lesser general public license"}},
	{"GPL", []string{"gnu general public license"}},
	{"Apache-2.0", []string{"apache license", "version 2.0"}},
	{"BSD-3-Clause", []string{"redistribution and use in source and binary forms", "endorse or promote products"}},
	{"BSD-2-Clause", []string{"redistribution and use in source and binary forms"}},
	{"MIT", []string{"permission is hereby granted, free of charge", "shall be included in all copies"}},
	{"ISC", []string{"permission to use, copy, modify, and", "provided that the above copyright notice"}},
	{"0BSD", []string{"permission to use, copy, modify, and"}},
	{"Unlicense", []string{"this is free and unencumbered software released into the public domain"}},
	{"CC0-1.0", []string{"cc0 1.0 universal"}},
}

// Recognise names the licence of a text, "" when it is none of those known here.
func Recognise(text string) string {
	flat := strings.ToLower(blanks.ReplaceAllString(text, " "))
	for _, m := range marks {
		if !slices.ContainsFunc(m.has, func(p string) bool { return !strings.Contains(flat, p) }) {
			return m.id
		}
	}
	return ""
}

var fileName = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-.].*)?$`)

// read recognises the licence file of a folder.
func read(dir string) (id, file string, err error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return "", "", fmt.Errorf("look for a licence: %w", err)
	}
	for _, e := range entries {
		if e.IsDir() || !fileName.MatchString(e.Name()) {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			return "", "", fmt.Errorf("read a licence: %w", err)
		}
		file = filepath.Join(dir, e.Name())
		if id = Recognise(string(raw)); id != "" {
			return id, file, nil
		}
	}
	return "", file, nil
}

// Go returns the modules that packages of a module's folder are made of.
func Go(dir string, tool bool, packages ...string) ([]Dependency, error) {
	args := []string{"list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{.Path}} {{.Version}} {{.Dir}}{{end}}{{end}}"}
	if tool && !slices.Contains(packages, "tool") {
		args = append(args, "-test")
	}
	cmd := exec.Command("go", append(args, packages...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			err = fmt.Errorf("%w: %s", err, exit.Stderr)
		}
		return nil, fmt.Errorf("list the modules of %s: %w", dir, err)
	}
	seen := map[string]bool{}
	var list []Dependency
	for line := range strings.Lines(string(out)) {
		f := strings.Fields(line)
		if len(f) != 3 || seen[f[0]] {
			continue
		}
		seen[f[0]] = true
		d := Dependency{Ecosystem: "go", Path: f[0], Version: f[1], Tool: tool}
		if d.Licence, d.File, err = read(f[2]); err != nil {
			return nil, err
		}
		if r, ok := reviewed[d.Path]; ok {
			d.Licence = r.ID
		}
		list = append(list, d)
	}
	return list, nil
}

// NPM returns the packages of a folder with a package-lock.json. Where they are
// installed their licence files are read; otherwise what the lock says counts.
func NPM(dir string) ([]Dependency, error) {
	raw, err := os.ReadFile(filepath.Join(dir, "package-lock.json"))
	if err != nil {
		return nil, fmt.Errorf("list the packages of npm: %w", err)
	}
	var lock struct {
		Packages map[string]struct {
			Version, License, Integrity string
			Dev, DevOptional, Optional  bool
		}
	}
	if err := json.Unmarshal(raw, &lock); err != nil {
		return nil, fmt.Errorf("read package-lock.json: %w", err)
	}
	var list []Dependency
	for at, p := range lock.Packages {
		i := strings.LastIndex(at, "node_modules/")
		if i < 0 {
			continue
		}
		d := Dependency{
			Ecosystem: "npm", Path: at[i+len("node_modules/"):], Version: p.Version, Integrity: p.Integrity,
			Licence: choose(p.License), Tool: p.Dev || p.DevOptional || p.Optional,
		}
		if id, file, err := read(filepath.Join(dir, filepath.FromSlash(at))); err == nil && file != "" && !d.Tool {
			d.File = file
			if d.Licence != id {
				d.Licence = "" // the file and the manifest disagree: somebody has to look
			}
		} else if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if r, ok := reviewed[d.Path]; ok {
			d.Licence = r.ID
		}
		list = append(list, d)
	}
	slices.SortFunc(list, func(a, b Dependency) int { return strings.Compare(a.Path+a.Version, b.Path+b.Version) })
	return list, nil
}

// choose takes the first allowed one of a choice.
func choose(expression string) string {
	for id := range strings.SplitSeq(strings.Trim(expression, "()"), " OR ") {
		if slices.Contains(allowed, id) {
			return id
		}
	}
	return expression
}

// All returns everything the product at root is made of and made with.
func All(root string) ([]Dependency, error) {
	shipped, err := Go(root, false, "./cmd/honeyguide")
	if err != nil {
		return nil, err
	}
	list := shipped
	for _, more := range []struct {
		dir      string
		packages []string
	}{{root, []string{"./..."}}, {filepath.Join(root, "tools"), []string{"./..."}}, {filepath.Join(root, "tools"), []string{"tool"}}} {
		tools, err := Go(more.dir, true, more.packages...)
		if err != nil {
			return nil, err
		}
		for _, d := range tools {
			if !slices.ContainsFunc(list, func(have Dependency) bool { return have.Path == d.Path }) {
				list = append(list, d)
			}
		}
	}
	npm, err := NPM(filepath.Join(root, "web"))
	return append(list, npm...), err
}
