package coreutils

import (
	"math"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func findCommands(name string) Command {
	switch name {
	case "find":
		return find
	case "xargs":
		return xargs
	}
	return nil
}

// found is one file a walk came to.
type foundFile struct {
	path  string
	info  vfs.Info
	depth int
	start string
}

// pred is one test or action.
type pred func(f *finder, x *foundFile) bool

type finder struct {
	p                  *Proc
	args               []string
	min, max           int
	depthFirst, follow bool
	xdev               bool
	acted, prune, quit bool
	status             int
	batches            []*batch
	nest               int
}

func find(p *Proc) int {
	f := &finder{p: p, max: math.MaxInt}
	args := p.Args[1:]
	for len(args) > 0 && (args[0] == "-H" || args[0] == "-L" || args[0] == "-P" || strings.HasPrefix(args[0], "-O") || args[0] == "-D") {
		f.follow = args[0] == "-L"
		args = args[1:]
	}
	var starts []string
	for len(args) > 0 && !strings.HasPrefix(args[0], "-") && args[0] != "(" && args[0] != "!" && args[0] != ")" && args[0] != "," {
		starts, args = append(starts, args[0]), args[1:]
	}
	if len(starts) == 0 {
		starts = []string{"."}
	}
	f.args = args
	test := f.or()
	if len(f.args) > 0 {
		if f.args[0] == ")" {
			p.errorf("you have too many ')'")
		} else {
			f.bad("paths must precede expression: `%s'", f.args[0])
		}
		return 1
	}
	for _, s := range starts {
		i, err := p.lstat(s)
		if f.follow || err == nil && strings.HasSuffix(s, "/") {
			if j, e := p.stat(s); e == nil {
				i, err = j, nil
			}
		}
		if err != nil {
			p.errorf("%s: %s", p.q(s), why(err))
			f.status = 1
			continue
		}
		f.walk(&foundFile{path: s, info: i, start: s}, test, i.Dev)
		if f.quit {
			break
		}
	}
	for _, b := range f.batches {
		f.flush(b)
	}
	return f.status
}

func (f *finder) bad(format string, a ...any) {
	f.p.errorf(format, a...)
	panic(stop{1})
}

func (f *finder) walk(x *foundFile, test pred, dev uint64) {
	p := f.p
	p.step(3)
	if f.quit {
		return
	}
	f.prune = false
	visit := func() {
		if x.depth >= f.min && test(f, x) && !f.acted {
			p.print(x.path + "\n")
		}
	}
	if !f.depthFirst {
		visit()
	}
	if x.info.IsDir() && x.depth < f.max && !(f.prune && !f.depthFirst) && !f.quit && x.depth < maxTree && !(f.xdev && x.info.Dev != dev) {
		list, err := p.FS.ReadDir(p.Cred, p.path(x.path))
		if err != nil {
			p.errorf("%s: %s", p.q(x.path), why(err))
			f.status = 1
		}
		for _, i := range list {
			name := strings.TrimSuffix(x.path, "/") + "/" + i.Name
			if f.follow && i.IsSymlink() {
				if j, err := p.stat(name); err == nil {
					j.Name = i.Name
					i = j
				}
			}
			f.walk(&foundFile{path: name, info: i, depth: x.depth + 1, start: x.start}, test, dev)
		}
	}
	if f.depthFirst {
		visit()
	}
}
