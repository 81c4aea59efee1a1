package coreutils

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func du(p *Proc) int {
	opts, args, ok := p.getopt("0aB:bcd:DhHklLmPsSxX:t:", "all,a", "apparent-size", "block-size=,B", "bytes,b", "total,c", "max-depth=,d", "human-readable,h", "summarize,s", "separate-dirs,S", "one-file-system,x", "exclude=", "si", "time?", "threshold=,t", "null,0", "dereference,L")
	if !ok {
		return 1
	}
	flags := map[string]bool{}
	depth := 1 << 30
	var exclude []string
	for _, o := range opts {
		flags[o.name] = true
		switch o.name {
		case "d":
			n, err := strconv.Atoi(o.val)
			if err != nil || n < 0 {
				p.errorf("invalid maximum depth %s", p.q(o.val))
				return p.try(1)
			}
			depth = n
		case "s":
			depth = 0
		case "exclude":
			exclude = append(exclude, o.val)
		}
	}
	if len(args) == 0 {
		args = []string{"."}
	}
	status := 0
	var total int64
	seen, given := map[uint64]bool{}, map[uint64]bool{}
	end := "\n"
	if flags["0"] {
		end = "\x00"
	}
	show := func(n int64, name string) {
		switch {
		case flags["h"] || flags["si"]:
			p.print(humanSize(n, flags["si"]) + "\t" + name + end)
		case flags["b"]:
			p.printf("%d\t%s%s", n, name, end)
		case flags["m"]:
			p.printf("%d\t%s%s", (n+1<<20-1)>>20, name, end)
		default:
			p.printf("%d\t%s%s", (n+1023)/1024, name, end)
		}
	}
	var walk func(name string, i vfs.Info, d int) int64
	walk = func(name string, i vfs.Info, d int) int64 {
		p.step(2)
		for _, x := range exclude {
			if glob(x, base(name)) {
				return 0
			}
		}
		n := i.Blocks() * 512
		if flags["b"] || flags["apparent-size"] {
			n = i.Size
		}
		if i.Nlink > 1 && !i.IsDir() {
			if seen[i.Ino] {
				return 0
			}
			if len(seen) < 1<<14 {
				seen[i.Ino] = true
			}
		}
		if !i.IsDir() {
			if d == 0 || flags["a"] && d <= depth {
				show(n, name)
			}
			return n
		}
		list, err := p.FS.ReadDir(p.Cred, p.path(name))
		if err != nil {
			p.errorf("cannot read directory %s: %s", qa(name), why(err))
			status = 1
		}
		for _, e := range list {
			if d < maxTree {
				n += walk(strings.TrimSuffix(name, "/")+"/"+e.Name, e, d+1)
			}
		}
		if d <= depth {
			show(n, name)
		}
		return n
	}
	for _, a := range args {
		i, err := p.lstat(a)
		if err != nil {
			p.errorf("cannot access %s: %s", qa(a), why(err))
			status = 1
			continue
		}
		if given[i.Ino] {
			continue // the same file twice counts once
		}
		given[i.Ino] = true
		total += walk(a, i, 0)
	}
	if flags["c"] {
		show(total, "total")
	}
	return status
}
