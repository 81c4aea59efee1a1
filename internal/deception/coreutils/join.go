package coreutils

import (
	"strconv"
	"strings"
)

// A joiner pairs the lines of two sorted files by a field.
type joiner struct {
	p      *Proc
	sep    string // "" splits at blanks
	key    [2]int // fields, from 0
	also   [2]bool
	only   bool // unpaired lines alone
	format []string
	fill   string
	fold   bool
}

func join(p *Proc) int {
	opts, args, ok := p.getopt("a:e:ij:1:2:o:t:v:z", "ignore-case,i", "check-order", "nocheck-order", "header", "zero-terminated,z")
	if !ok {
		return 1
	}
	j := &joiner{p: p}
	for _, o := range opts {
		if !j.option(o) {
			return 1
		}
	}
	if !p.operands(args, 2) {
		return 1
	}
	var side [2][][]string
	for i := range side {
		lines, err := p.readLines(args[i])
		if err != nil {
			p.errorf("%s: %s", args[i], why(err))
			return 1
		}
		for _, l := range lines {
			side[i] = append(side[i], j.split(l))
		}
	}
	j.merge(side[0], side[1])
	return 0
}

func (j *joiner) option(o opt) bool {
	file := func() int {
		if o.val == "1" || o.val == "2" {
			return int(o.val[0] - '1')
		}
		j.p.errorf("invalid file number: %s", j.p.q(o.val))
		return -1
	}
	switch o.name {
	case "t":
		if j.sep = o.val; j.sep == `\0` {
			j.sep = "\x00"
		}
	case "1", "2", "j":
		n, err := strconv.Atoi(o.val)
		if err != nil || n < 1 {
			j.p.errorf("invalid field number: %s", j.p.q(o.val))
			return false
		}
		if o.name != "2" {
			j.key[0] = n - 1
		}
		if o.name != "1" {
			j.key[1] = n - 1
		}
	case "a", "v":
		n := file()
		if n < 0 {
			return false
		}
		j.also[n], j.only = true, j.only || o.name == "v"
	case "o":
		j.format = append(j.format, listed(o.val)...)
	case "e":
		j.fill = o.val
	case "i":
		j.fold = true
	}
	return true
}

func (j *joiner) split(l string) []string {
	if j.sep == "" {
		return strings.Fields(l)
	}
	return strings.Split(l, j.sep)
}

func (j *joiner) at(fields []string, i int) string {
	if i >= len(fields) {
		return ""
	}
	if j.fold {
		return strings.ToLower(fields[i])
	}
	return fields[i]
}

func (j *joiner) merge(a, b [][]string) {
	for len(a)+len(b) > 0 {
		j.p.step(1)
		switch {
		case len(b) == 0 || len(a) > 0 && j.at(a[0], j.key[0]) < j.at(b[0], j.key[1]):
			j.alone(0, a[0])
			a = a[1:]
		case len(a) == 0 || j.at(a[0], j.key[0]) > j.at(b[0], j.key[1]):
			j.alone(1, b[0])
			b = b[1:]
		default:
			key := j.at(a[0], j.key[0])
			n, m := 0, 0
			for n < len(a) && j.at(a[n], j.key[0]) == key {
				n++
			}
			for m < len(b) && j.at(b[m], j.key[1]) == key {
				m++
			}
			if !j.only {
				for _, x := range a[:n] {
					for _, y := range b[:m] {
						j.p.step(1)
						j.print(x, y)
					}
				}
			}
			a, b = a[n:], b[m:]
		}
	}
}

func (j *joiner) alone(file int, l []string) {
	if !j.also[file] {
		return
	}
	pair := [2][]string{}
	pair[file] = l
	j.print(pair[0], pair[1])
}

func (j *joiner) print(a, b []string) {
	pair := [2][]string{a, b}
	var out []string
	field := func(file, i int) {
		if i < len(pair[file]) && pair[file][i] != "" {
			out = append(out, pair[file][i])
		} else {
			out = append(out, j.fill)
		}
	}
	key := func() {
		if a != nil {
			field(0, j.key[0])
		} else {
			field(1, j.key[1])
		}
	}
	for _, f := range j.format {
		file, n, _ := strings.Cut(f, ".")
		i, err := strconv.Atoi(n)
		switch {
		case f == "0":
			key()
		case (file == "1" || file == "2") && err == nil && i > 0:
			field(int(file[0]-'1'), i-1)
		}
	}
	if j.format == nil {
		key()
		for file, l := range pair {
			for i := range l {
				if i != j.key[file] {
					out = append(out, l[i])
				}
			}
		}
	}
	sep := j.sep
	if sep == "" {
		sep = " "
	}
	j.p.print(strings.Join(out, sep) + "\n")
}
