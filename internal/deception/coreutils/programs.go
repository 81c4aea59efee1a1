package coreutils

import (
	_ "embed"
	"strconv"
	"strings"
	"sync"
)

// programs.tsv says what programs without a file of their own here answer to
// nothing, to --version (its first line) and to an unknown option: the name, 0 V
// or ?, the status, ~ when only the first line of a long text is kept, what goes
// to standard output and what to standard error. Lines with an o hold the letters
// of a program as getopt takes them and its long options. Taken from Debian 12's
// packages.
//
//go:embed programs.tsv
var programsTable string

// A plainAnswer is what a program says to one kind of call.
type plainAnswer struct {
	status    int
	cut       bool
	out, errs string
}

// plainAnswers is the table by name and kind of call.
var plainAnswers = sync.OnceValue(func() map[string]plainAnswer {
	m := map[string]plainAnswer{}
	for line := range strings.Lines(programsTable) {
		f := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(f) != 6 {
			continue
		}
		status, _ := strconv.Atoi(f[2])
		out, err1 := strconv.Unquote(`"` + f[4] + `"`)
		errs, err2 := strconv.Unquote(`"` + f[5] + `"`)
		if err1 == nil && err2 == nil {
			m[f[0]+" "+f[1]] = plainAnswer{status, f[3] == "~", out, errs}
		}
	}
	return m
})

// plainCommands are the programs that only the table knows.
func plainCommands(name string) Command {
	a := plainAnswers()
	for _, kind := range []string{" 0", " V", " ?"} {
		if _, ok := a[name+kind]; ok {
			return plain
		}
	}
	return nil
}

// plain answers the simple calls from the table. Any other is reported, and ends
// as a program does that had nothing to say.
func plain(p *Proc) int {
	kind := " 0"
	spec, known := plainAnswers()[p.name+" o"]
	if len(p.Args) > 1 {
		switch a := p.Args[1]; {
		case a == "--version" || a == "-V" && len(p.Args) == 2 && (!known || strings.Contains(spec.out, "V")):
			kind = " V"
		case a == "--help" || a == "-h" && len(p.Args) == 2:
			kind = " 0"
		case known:
			return p.plainCall(strictness{spec.out, strings.Fields(spec.errs), -1})
		case strings.HasPrefix(a, "--nosuch"):
			kind = " ?"
		default:
			p.Watch.Unsupported(p.name + " " + strings.Join(p.Args[1:], " "))
			return 0
		}
	}
	a, ok := plainAnswers()[p.name+kind]
	if !ok || a.cut {
		p.Watch.Unsupported(p.name + " " + strings.Join(p.Args[1:], " "))
	}
	p.print(a.out)
	p.complain(a.errs)
	return a.status
}

// plainCall answers a call with options and operands: a wrong option is refused,
// a file that is not there is missed, and the rest is reported.
func (p *Proc) plainCall(s strictness) int {
	given, args, ok := p.getopt(s.letters, s.long...)
	if !ok {
		return 1
	}
	if p.name == "clear_console" && len(given) > 0 { // quiet is its only option
		return 1
	}
	if status := p.misses(args); status != 0 {
		return status
	}
	if len(args) == 0 {
		if a, found := plainAnswers()[p.name+" 0"]; found && a.status != 0 && !a.cut {
			p.print(a.out)
			p.complain(a.errs)
			return a.status
		}
	}
	p.Watch.Unsupported(p.name + " " + strings.Join(p.Args[1:], " "))
	return 0
}

// A lack is what a program says of a file that is not there, and how it ends.
type lack struct {
	format string
	status int
}

// lacks are the programs of the table that begin with the files they are given.
var lacks = map[string]lack{
	"nm":       {"nm: '%s': No such file\n", 1},
	"objdump":  {"objdump: '%s': No such file\n", 1},
	"readelf":  {"readelf: Error: '%s': No such file\n", 1},
	"size":     {"size: '%s': No such file\n", 1},
	"strip":    {"strip: '%s': No such file\n", 1},
	"ar":       {"ar: %s: No such file or directory\n", 9},
	"ranlib":   {"ranlib: '%s': No such file\n", 1},
	"as":       {"Assembler messages:\nError: can't open %s for reading: No such file or directory\n", 1},
	"ld":       {"ld: cannot find %s: No such file or directory\n", 1},
	"pr":       {"pr: %s: No such file or directory\n", 1},
	"ptx":      {"ptx: %s: No such file or directory\n", 1},
	"b2sum":    {"b2sum: %s: No such file or directory\n", 1},
	"hardlink": {"hardlink: cannot get realpath: %s: No such file or directory\n", 1},
}

// misses complains of every file that is not there.
func (p *Proc) misses(files []string) int {
	status := 0
	say, ok := lacks[p.name]
	if p.name == "ar" { // its keys stand first, then the archive; members come after it
		files = files[min(1, len(files)):min(2, len(files))]
	}
	for _, a := range files {
		if _, err := p.stat(a); ok && a != "-" && err != nil {
			p.complain(sprintf(say.format, a))
			status = say.status
		}
	}
	return status
}
