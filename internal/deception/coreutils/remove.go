package coreutils

import (
	"errors"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func fileCommands(name string) Command {
	switch name {
	case "rm":
		return rm
	case "rmdir":
		return rmdir
	case "unlink":
		return unlink
	case "mkdir":
		return mkdir
	case "touch":
		return touch
	case "ln":
		return ln
	case "mkfifo":
		return mkfifo
	case "mktemp":
		return mktemp
	case "truncate":
		return truncate
	case "shred":
		return shred
	}
	return nil
}

// operands complains of a missing operand as most programs do.
func (p *Proc) operands(args []string, least int) bool {
	switch {
	case len(args) >= least:
		return true
	case len(args) == 0:
		p.errorf("missing operand")
	default:
		p.errorf("missing operand after %s", p.q(args[len(args)-1]))
	}
	p.try(0)
	return false
}

type remover struct {
	p                               *Proc
	recursive, force, verbose, dirs bool
	ask                             bool // before everything
	status                          int
}

// rmHint says how a file is removed whose name was taken for options.
func (p *Proc) rmHint() {
	for _, a := range p.Args[1:] {
		if len(a) > 1 && a[0] == '-' && a != "--" {
			if _, err := p.lstat(a); err == nil {
				p.complain("Try 'rm " + quotef("./"+a) + "' to remove the file " + qa(a) + ".\n")
				return
			}
		}
	}
}

func rm(p *Proc) int {
	opts, args, ok := p.getopt("dfiIrRv", "force,f", "interactive?", "no-preserve-root", "preserve-root?", "recursive,r", "dir,d", "verbose,v", "one-file-system")
	if !ok {
		return 1
	}
	r := &remover{p: p}
	preserve, once := true, false
	for _, o := range opts {
		switch o.name {
		case "f":
			r.force, r.ask, once = true, false, false
		case "i":
			r.ask, r.force, once = true, false, false
		case "I":
			once, r.ask, r.force = true, false, false
		case "interactive":
			r.force, r.ask, once = false, false, false
			switch o.val {
			case "", "always", "yes":
				r.ask = true
			case "once":
				once = true
			case "never", "no", "none":
			default:
				p.errorf("invalid argument %s for %s", p.q(o.val), p.q("--interactive"))
				p.complain("Valid arguments are:\n  - 'never', 'no', 'none'\n  - 'once'\n  - 'always', 'yes'\n")
				return p.try(1)
			}
		case "r", "R":
			r.recursive = true
		case "v":
			r.verbose = true
		case "d":
			r.dirs = true
		case "no-preserve-root":
			preserve = false
		}
	}
	if len(args) == 0 {
		if r.force {
			return 0
		}
		p.errorf("missing operand")
		return p.try(1)
	}
	if once && (r.recursive || len(args) > 3) && !p.agrees("%s", r.howMany(len(args))) {
		return 0
	}
	for _, a := range args {
		last := base(a)
		switch {
		case r.recursive && (last == "." || last == ".."):
			p.errorf("refusing to remove '.' or '..' directory: skipping %s", qa(a))
			r.status = 1
			continue
		case r.recursive && preserve && p.isRoot(a):
			if strings.Trim(a, "/") == "" && len(a) == 1 {
				p.errorf("it is dangerous to operate recursively on '/'")
			} else {
				p.errorf("it is dangerous to operate recursively on %s (same as '/')", qa(a))
			}
			p.errorf("use --no-preserve-root to override this failsafe")
			r.status = 1
			continue
		}
		r.remove(a, 0)
	}
	return r.status
}

// howMany is the one question of rm -I.
func (r *remover) howMany(n int) string {
	how, s := "", "s"
	if r.recursive {
		how = " recursively"
	}
	if n == 1 {
		s = ""
	}
	return sprintf("remove %d argument%s%s? ", n, s, how)
}

// may asks whether a file may go: with -i always, else for one that cannot be
// written to, when a terminal is there to ask on. empty is a folder that is.
func (r *remover) may(a string, i vfs.Info, doing string) bool {
	p := r.p
	protected := !r.force && p.StdinTTY && !i.IsSymlink() && p.FS.Access(p.Cred, p.path(a), 2) != nil
	if !r.ask && !protected {
		return true
	}
	guard := ""
	if protected {
		guard = "write-protected "
	}
	return p.agrees("%s %s%s %s? ", doing, guard, typeName(i), qa(a))
}

func (p *Proc) isRoot(arg string) bool {
	i, err := p.lstat(arg)
	return err == nil && i.Path == "/" && i.IsDir()
}

// maxTree bounds how deep trees are walked.
const maxTree = 200

func (r *remover) fail(a string, err error) {
	r.p.errorf("cannot remove %s: %s", qa(a), why(err))
	r.status = 1
}

func (r *remover) remove(a string, depth int) {
	p := r.p
	p.step(2)
	i, err := p.lstat(a)
	if err != nil {
		if !r.force || !errors.Is(err, vfs.ENOENT) && !errors.Is(err, vfs.ENOTDIR) {
			r.fail(a, err)
		}
		return
	}
	if !i.IsDir() {
		if !r.may(a, i, "remove") {
			return
		}
		if err := p.FS.Remove(p.Cred, p.path(a)); err != nil {
			r.fail(a, err)
		} else if r.verbose {
			p.printf("removed %s\n", qa(a))
		}
		return
	}
	if !r.recursive && !r.dirs {
		r.fail(a, vfs.EISDIR)
		return
	}
	if r.recursive && depth < maxTree {
		list, err := p.FS.ReadDir(p.Cred, p.path(a))
		if err != nil {
			r.fail(a, err)
			return
		}
		if len(list) > 0 && !r.may(a, i, "descend into") {
			return
		}
		before := r.status
		for _, e := range list {
			r.remove(strings.TrimSuffix(a, "/")+"/"+e.Name, depth+1)
		}
		if r.status != before && depth > 0 {
			return
		}
	}
	if r.ask && !r.may(a, i, "remove") {
		return
	}
	if err := p.FS.Rmdir(p.Cred, p.path(a)); err != nil {
		if !r.recursive || r.status == 0 {
			r.fail(a, err)
		}
	} else if r.verbose {
		p.printf("removed directory %s\n", qa(a))
	}
}

func rmdir(p *Proc) int {
	opts, args, ok := p.getopt("pv", "parents,p", "verbose,v", "ignore-fail-on-non-empty")
	if !ok {
		return 1
	}
	if !p.operands(args, 1) {
		return 1
	}
	parents, quiet, verbose := false, false, false
	for _, o := range opts {
		switch o.name {
		case "p":
			parents = true
		case "v":
			verbose = true
		default:
			quiet = true
		}
	}
	status := 0
	for _, a := range args {
		for d := a; ; {
			if verbose {
				p.printf("rmdir: removing directory, %s\n", qa(d))
			}
			if err := p.FS.Rmdir(p.Cred, p.path(d)); err != nil {
				if !quiet || !errors.Is(err, vfs.ENOTEMPTY) {
					p.errorf("failed to remove %s: %s", qa(d), why(err))
					status = 1
				}
				break
			}
			up := parent(d)
			if !parents || up == "." || up == "/" {
				break
			}
			d = up
		}
	}
	return status
}

func unlink(p *Proc) int {
	_, args, ok := p.getopt("")
	if !ok {
		return 1
	}
	if !p.operands(args, 1) {
		return 1
	}
	if err := p.FS.Remove(p.Cred, p.path(args[0])); err != nil {
		p.errorf("cannot unlink %s: %s", qa(args[0]), why(err))
		return 1
	}
	return 0
}
