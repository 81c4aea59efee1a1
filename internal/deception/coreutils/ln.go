package coreutils

import (
	"strings"

	"honeyguide/internal/deception/vfs"
)

func ln(p *Proc) int {
	opts, args, ok := p.getopt("bdfFinLPrsS:t:Tv", "symbolic,s", "force,f", "no-dereference,n", "verbose,v", "no-target-directory,T", "target-directory=,t", "relative,r", "logical,L", "physical,P", "interactive,i", "backup?", "suffix=,S")
	if !ok {
		return 1
	}
	symbolic, force, ask, noDeref, verbose, relativeTo, target := false, false, false, false, false, false, ""
	for _, o := range opts {
		switch o.name {
		case "s":
			symbolic = true
		case "f":
			force, ask = true, false
		case "i":
			ask, force = true, false
		case "n", "T":
			noDeref = true
		case "v":
			verbose = true
		case "r":
			relativeTo = true
		case "t":
			target = o.val
		}
	}
	if len(args) == 0 {
		p.errorf("missing file operand")
		return p.try(1)
	}
	if target == "" && len(args) == 1 {
		target = "."
	} else if target == "" {
		target, args = args[len(args)-1], args[:len(args)-1]
	}
	into := false
	if i, err := p.stat(target); err == nil && i.IsDir() {
		l, _ := p.lstat(target)
		into = !noDeref || l.IsDir() && len(args) != 1
		if noDeref && l.IsDir() {
			into = true
		}
	}
	if len(args) > 1 && !into {
		reason := error(vfs.ENOTDIR)
		if _, err := p.stat(target); err != nil {
			reason = err
		}
		p.errorf("target %s: %s", qa(target), why(reason))
		return 1
	}
	status := 0
	for _, a := range args {
		dest := target
		if into {
			dest = strings.TrimSuffix(target, "/") + "/" + base(a)
			if target == "." {
				dest = "./" + base(a)
			}
		}
		if _, err := p.lstat(dest); err == nil && ask && !force && !p.agrees("replace %s? ", qa(dest)) {
			continue
		}
		if relativeTo && symbolic {
			a = p.relativePath(a, parent(dest))
		}
		if err := p.link(a, dest, symbolic, force || ask); err != nil {
			if symbolic {
				p.errorf("failed to create symbolic link %s: %s", qa(dest), why(err))
			} else if i, e := p.lstat(a); e != nil {
				p.errorf("failed to access %s: %s", qa(a), why(e))
			} else if i.IsDir() {
				p.errorf("%s: hard link not allowed for directory", a)
			} else {
				p.errorf("failed to create hard link %s: %s", qa(dest), why(err))
			}
			status = 1
		} else if verbose {
			p.printf("%s %s %s\n", qa(dest), map[bool]string{true: "->", false: "=>"}[symbolic], qa(a))
		}
	}
	return status
}

func (p *Proc) link(from, to string, symbolic, force bool) error {
	if force {
		if i, err := p.lstat(to); err == nil && !i.IsDir() {
			if err := p.FS.Remove(p.Cred, p.path(to)); err != nil {
				return err
			}
		}
	}
	if symbolic {
		return p.FS.Symlink(p.Cred, from, p.path(to))
	}
	return p.FS.Link(p.Cred, p.path(from), p.path(to))
}

// relativePath is the way from a folder to a file, as ln -r writes it.
func (p *Proc) relativePath(file, folder string) string {
	from, to := strings.Split(vfs.Clean(p.Cwd, folder), "/"), strings.Split(vfs.Clean(p.Cwd, file), "/")
	n := 0
	for n < len(from) && n < len(to) && from[n] == to[n] {
		n++
	}
	up := 0
	for _, name := range from[n:] {
		if name != "" {
			up++
		}
	}
	return strings.Repeat("../", up) + strings.Join(to[n:], "/")
}
