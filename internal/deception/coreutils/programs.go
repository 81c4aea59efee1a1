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
// to standard output and what to standard error. Taken from Debian 12's packages.
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
	if len(p.Args) > 1 {
		switch a := p.Args[1]; {
		case a == "--version" || a == "-V" && len(p.Args) == 2:
			kind = " V"
		case a == "--help" || a == "-h" && len(p.Args) == 2:
			kind = " 0"
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
