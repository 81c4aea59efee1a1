package coreutils

import (
	"errors"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func copyCommands(name string) Command {
	switch name {
	case "cp":
		return cp
	case "mv":
		return mv
	case "install":
		return install
	case "dd":
		return dd
	}
	return nil
}

type copier struct {
	p                                        *Proc
	recursive, force, noClobber, verbose     bool
	ask                                      bool // before it overwrites
	preserve, noDeref, update, link, symlink bool
	status                                   int
}

// target splits operands into sources and destination, complaining as cp and mv do.
func (p *Proc) target(args []string, dir string, noTarget bool) (sources []string, dest string, into, ok bool) {
	if dir != "" {
		if i, err := p.stat(dir); err != nil {
			p.errorf("target directory %s: %s", qa(dir), why(err))
			return nil, "", false, false
		} else if !i.IsDir() {
			p.errorf("target directory %s: Not a directory", qa(dir))
			return nil, "", false, false
		}
		if len(args) == 0 {
			p.errorf("missing file operand")
			p.try(0)
			return nil, "", false, false
		}
		return args, dir, true, true
	}
	switch len(args) {
	case 0:
		p.errorf("missing file operand")
		p.try(0)
		return nil, "", false, false
	case 1:
		p.errorf("missing destination file operand after %s", qa(args[0]))
		p.try(0)
		return nil, "", false, false
	}
	sources, dest = args[:len(args)-1], args[len(args)-1]
	i, err := p.stat(dest)
	into = err == nil && i.IsDir() && !noTarget
	if len(sources) > 1 && !into {
		if noTarget {
			p.errorf("extra operand %s", qa(args[2]))
			p.try(0)
			return nil, "", false, false
		}
		reason := "No such file or directory"
		if err == nil {
			reason = "Not a directory"
		}
		p.errorf("target %s: %s", qa(dest), reason)
		return nil, "", false, false
	}
	return sources, dest, into, true
}

func cp(p *Proc) int {
	opts, args, ok := p.getopt("abdfHilLnPprRsS:t:TuvxZ", "archive,a", "force,f", "interactive,i", "link,l", "dereference,L", "no-clobber,n", "no-dereference,P", "preserve?,p", "parents", "recursive,R", "symbolic-link,s", "target-directory=,t", "no-target-directory,T", "update,u", "verbose,v", "one-file-system,x", "attributes-only", "reflink?", "sparse=", "remove-destination", "strip-trailing-slashes", "backup?,b", "suffix=,S")
	if !ok {
		return 1
	}
	c := &copier{p: p}
	dir, noTarget := "", false
	for _, o := range opts {
		switch o.name {
		case "a":
			c.recursive, c.preserve, c.noDeref = true, true, true
		case "r", "R":
			c.recursive, c.noDeref = true, true
		case "f":
			c.force = true
		case "n":
			c.noClobber, c.ask = true, false
		case "i":
			c.ask, c.noClobber = true, false
		case "p":
			c.preserve = true
		case "d", "P":
			c.noDeref = true
		case "L", "H":
			c.noDeref = false
		case "l":
			c.link = true
		case "s":
			c.symlink = true
		case "t":
			dir = o.val
		case "T":
			noTarget = true
		case "u":
			c.update = true
		case "v":
			c.verbose = true
		}
	}
	sources, dest, into, ok := p.target(args, dir, noTarget)
	if !ok {
		return 1
	}
	for _, s := range sources {
		d := dest
		if into {
			d = strings.TrimSuffix(dest, "/") + "/" + base(s)
		}
		c.copy(s, d, 0)
	}
	return c.status
}

func (c *copier) fail(format string, a ...any) {
	c.p.errorf(format, a...)
	c.status = 1
}

func (c *copier) copy(from, to string, depth int) {
	p := c.p
	p.step(3)
	get := p.stat
	if c.noDeref {
		get = p.lstat
	}
	i, err := get(from)
	if err != nil {
		c.fail("cannot stat %s: %s", qa(from), why(err))
		return
	}
	if i.IsDir() {
		c.tree(i, from, to, depth)
		return
	}
	d, derr := p.lstat(to)
	switch {
	case derr == nil && d.Ino == i.Ino && d.Dev == i.Dev:
		c.fail("%s and %s are the same file", qa(from), qa(to))
		return
	case derr == nil && d.IsDir():
		c.fail("cannot overwrite directory %s with non-directory", qa(to))
		return
	case derr == nil && (c.noClobber || c.update && !i.Mtime.After(d.Mtime)):
		return
	case derr == nil && c.ask && !p.mayOverwrite(to, d):
		return
	}
	if err := c.file(i, from, to); err != nil {
		return
	}
	if c.preserve {
		_ = p.FS.Chown(p.Cred, p.path(to), i.UID, i.GID, false)
		if !i.IsSymlink() {
			_ = p.FS.Chmod(p.Cred, p.path(to), i.Perm())
		}
		_ = p.FS.Chtimes(p.Cred, p.path(to), i.Atime, i.Mtime, false, false)
	}
	if c.verbose {
		p.printf("%s -> %s\n", qa(from), qa(to))
	}
}

// mayOverwrite is the question of cp -i.
func (p *Proc) mayOverwrite(to string, d vfs.Info) bool {
	if !d.IsSymlink() && p.FS.Access(p.Cred, p.path(to), 2) != nil {
		return p.agrees("unwritable %s (mode %04o, %s); try anyway? ", qa(to), d.Mode&0o7777, modeString(d.Mode)[1:])
	}
	return p.agrees("overwrite %s? ", qa(to))
}

// file copies what is no folder.
func (c *copier) file(i vfs.Info, from, to string) error {
	p := c.p
	var err error
	switch {
	case c.link:
		err = p.link(from, to, false, c.force)
	case c.symlink:
		err = p.link(from, to, true, c.force)
	case i.IsSymlink():
		err = p.link(i.Target, to, true, true)
	case i.Type() == vfs.Fifo || (i.Type() == vfs.Char || i.Type() == vfs.Block) && c.recursive:
		err = p.FS.Mknod(p.Cred, p.path(to), i.Mode, i.Rdev)
	default:
		return c.bytes(i, from, to)
	}
	if err != nil {
		c.fail("cannot create %s: %s", qa(to), why(err))
	}
	return err
}

func (c *copier) bytes(i vfs.Info, from, to string) error {
	p := c.p
	src, err := p.FS.Open(p.Cred, p.path(from), vfs.O_RDONLY, 0)
	if err != nil {
		c.fail("cannot open %s for reading: %s", qa(from), why(err))
		return err
	}
	defer src.Close()
	flags := vfs.O_WRONLY | vfs.O_CREATE | vfs.O_TRUNC
	dst, err := p.FS.Open(p.Cred, p.path(to), flags, i.Perm()&0o777&^p.Umask)
	if err != nil && c.force {
		_ = p.FS.Remove(p.Cred, p.path(to))
		dst, err = p.FS.Open(p.Cred, p.path(to), flags, i.Perm()&0o777&^p.Umask)
	}
	if errors.Is(err, vfs.EISDIR) && strings.HasSuffix(to, "/") {
		err = vfs.ENOTDIR // cp says what the name asks for, not what the kernel says
	}
	if err != nil {
		c.fail("cannot create regular file %s: %s", qa(to), why(err))
		return err
	}
	defer dst.Close()
	if dst.Clone(src) {
		return nil
	}
	var werr error
	err = p.each(src, func(b []byte) bool {
		_, werr = dst.Write(b)
		return werr == nil
	})
	if err != nil {
		c.fail("error reading %s: %s", qa(from), why(err))
	}
	if werr != nil {
		c.fail("error writing %s: %s", qa(to), why(werr))
	}
	return errors.Join(err, werr)
}

func (c *copier) tree(i vfs.Info, from, to string, depth int) {
	p := c.p
	if !c.recursive {
		c.fail("-r not specified; omitting directory %s", qa(from))
		return
	}
	if d, err := p.FS.Real(p.Cred, p.path(to)); err == nil && strings.HasPrefix(d+"/", strings.TrimSuffix(i.Path, "/")+"/") {
		c.fail("cannot copy a directory, %s, into itself, %s", qa(from), qa(to))
		return
	}
	made := false
	if d, err := p.stat(to); err != nil {
		if err := p.FS.Mkdir(p.Cred, p.path(to), i.Perm()&^p.Umask|0o700); err != nil {
			c.fail("cannot create directory %s: %s", qa(to), why(err))
			return
		}
		made = true
		if c.verbose {
			p.printf("%s -> %s\n", qa(from), qa(to))
		}
	} else if !d.IsDir() {
		c.fail("cannot overwrite non-directory %s with directory %s", qa(to), qa(from))
		return
	}
	list, err := p.FS.ReadDir(p.Cred, p.path(from))
	if err != nil {
		c.fail("cannot access %s: %s", qa(from), why(err))
		return
	}
	if depth < maxTree {
		for _, e := range list {
			c.copy(strings.TrimSuffix(from, "/")+"/"+e.Name, strings.TrimSuffix(to, "/")+"/"+e.Name, depth+1)
		}
	}
	if made {
		mode := i.Perm() &^ p.Umask
		if c.preserve {
			_ = p.FS.Chown(p.Cred, p.path(to), i.UID, i.GID, true)
			mode = i.Perm()
		}
		_ = p.FS.Chmod(p.Cred, p.path(to), mode)
		if c.preserve {
			_ = p.FS.Chtimes(p.Cred, p.path(to), i.Atime, i.Mtime, false, true)
		}
	}
}
