package coreutils

import (
	"errors"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func mv(p *Proc) int {
	opts, args, ok := p.getopt("bfinS:t:TuvZ", "force,f", "interactive,i", "no-clobber,n", "target-directory=,t", "no-target-directory,T", "update,u", "verbose,v", "backup?,b", "suffix=,S", "strip-trailing-slashes")
	if !ok {
		return 1
	}
	dir, noTarget, noClobber, update, verbose := "", false, false, false, false
	ask, force := false, false
	for _, o := range opts {
		switch o.name {
		case "t":
			dir = o.val
		case "T":
			noTarget = true
		case "n":
			noClobber, ask, force = true, false, false
		case "i":
			ask, noClobber, force = true, false, false
		case "f":
			force, ask, noClobber = true, false, false
		case "u":
			update = true
		case "v":
			verbose = true
		}
	}
	sources, dest, into, ok := p.target(args, dir, noTarget)
	if !ok {
		return 1
	}
	status := 0
	for _, s := range sources {
		p.step(3)
		d := dest
		if into {
			d = strings.TrimSuffix(dest, "/") + "/" + base(s)
		}
		i, err := p.lstat(s)
		if err != nil {
			p.errorf("cannot stat %s: %s", qa(s), why(err))
			status = 1
			continue
		}
		if o, err := p.lstat(d); err == nil {
			if noClobber || update && !i.Mtime.After(o.Mtime) {
				continue
			}
			if o.Ino == i.Ino && o.Dev == i.Dev {
				p.errorf("%s and %s are the same file", qa(s), qa(d))
				status = 1
				continue
			}
			if o.IsDir() && !i.IsDir() {
				p.errorf("cannot overwrite directory %s with non-directory %s", qa(d), qa(s))
				status = 1
				continue
			}
			if !o.IsDir() && i.IsDir() {
				p.errorf("cannot overwrite non-directory %s with directory %s", qa(d), qa(s))
				status = 1
				continue
			}
			if !p.mayReplace(d, o, ask, force) {
				continue
			}
		}
		if !p.move(s, d, i) {
			status = 1
		} else if verbose {
			p.printf("renamed %s -> %s\n", qa(s), qa(d))
		}
	}
	return status
}

// mayReplace asks before mv puts something in a file's place: with -i, and on a
// terminal when the file cannot be written to.
func (p *Proc) mayReplace(d string, o vfs.Info, ask, force bool) bool {
	protected := !force && p.StdinTTY && !o.IsSymlink() && p.FS.Access(p.Cred, p.path(d), 2) != nil
	switch {
	case protected:
		return p.agrees("replace %s, overriding mode %04o (%s)? ", qa(d), o.Mode&0o7777, modeString(o.Mode)[1:])
	case ask:
		return p.agrees("overwrite %s? ", qa(d))
	}
	return true
}

// move renames, or copies and removes between file systems.
func (p *Proc) move(from, to string, i vfs.Info) bool {
	err := p.FS.Rename(p.Cred, p.path(from), p.path(to))
	switch {
	case err == nil:
		return true
	case errors.Is(err, vfs.EXDEV), errors.Is(err, vfs.EPERM) && p.inProc(from) != p.inProc(to):
		c := &copier{p: p, recursive: true, preserve: true, noDeref: true, force: true}
		c.copy(from, to, 0)
		if c.status != 0 {
			return false
		}
		r := &remover{p: p, recursive: true, force: true}
		r.remove(from, 0)
		return r.status == 0
	case errors.Is(err, vfs.EINVAL) && i.IsDir():
		p.errorf("cannot move %s to a subdirectory of itself, %s", qa(from), qa(to))
	default:
		p.errorf("cannot move %s to %s: %s", qa(from), qa(to), why(err))
	}
	return false
}

// inProc reports a name under /proc, which is a file system of its own.
func (p *Proc) inProc(name string) bool { return strings.HasPrefix(p.path(name), "/proc/") }

func install(p *Proc) int {
	opts, args, ok := p.getopt("bcCdDg:m:o:pst:Tv", "directory,d", "mode=,m", "owner=,o", "group=,g", "target-directory=,t", "verbose,v", "compare,C", "preserve-timestamps,p", "strip,s")
	if !ok {
		return 1
	}
	mode, dirs, lead, dir, verbose := uint32(0o755), false, false, "", false
	for _, o := range opts {
		switch o.name {
		case "v":
			verbose = true
		case "d":
			dirs = true
		case "D":
			lead = true
		case "t":
			dir = o.val
		case "m":
			m, good := parseMode(o.val, 0, false, 0)
			if !good {
				p.errorf("invalid mode %s", p.q(o.val))
				return 1
			}
			mode = m
		}
	}
	if dirs {
		status := 0
		for _, a := range args {
			if !p.mkdirAll(a, mode, false) {
				status = 1
			}
		}
		return status
	}
	if lead && len(args) == 2 {
		p.mkdirAll(parent(args[1]), 0o755, false)
	}
	sources, dest, into, ok := p.target(args, dir, false)
	if !ok {
		return 1
	}
	c := &copier{p: p, force: true, verbose: verbose}
	for _, s := range sources {
		d := dest
		if into {
			d = strings.TrimSuffix(dest, "/") + "/" + base(s)
		}
		c.copy(s, d, 0)
		_ = p.FS.Chmod(p.Cred, p.path(d), mode)
	}
	return c.status
}
