package coreutils

import (
	"errors"
	"io"
	"strings"
	"time"

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
	status                          int
}

func rm(p *Proc) int {
	opts, args, ok := p.getopt("dfiIrRv", "force,f", "interactive?", "no-preserve-root", "preserve-root?", "recursive,r", "dir,d", "verbose,v", "one-file-system")
	if !ok {
		return 1
	}
	r := &remover{p: p}
	preserve := true
	for _, o := range opts {
		switch o.name {
		case "f":
			r.force = true
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
		before := r.status
		for _, e := range list {
			r.remove(strings.TrimSuffix(a, "/")+"/"+e.Name, depth+1)
		}
		if r.status != before && depth > 0 {
			return
		}
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

func mkdir(p *Proc) int {
	opts, args, ok := p.getopt("m:pvZ", "mode=,m", "parents,p", "verbose,v", "context?")
	if !ok {
		return 1
	}
	if !p.operands(args, 1) {
		return 1
	}
	parents, verbose, mode := false, false, 0o777&^p.Umask
	for _, o := range opts {
		switch o.name {
		case "p":
			parents = true
		case "v":
			verbose = true
		case "m":
			m, good := parseMode(o.val, 0o777, true, p.Umask)
			if !good {
				p.errorf("invalid mode %s", p.q(o.val))
				return 1
			}
			mode = m
		}
	}
	status := 0
	for _, a := range args {
		p.step(2)
		if parents && !p.mkdirAll(a, mode, verbose) {
			status = 1
			continue
		}
		if parents {
			continue
		}
		if err := p.FS.Mkdir(p.Cred, p.path(a), mode); err != nil {
			p.errorf("cannot create directory %s: %s", p.q(a), why(err))
			status = 1
		} else if verbose {
			p.printf("mkdir: created directory %s\n", qa(a))
		}
	}
	return status
}

// mkdirAll makes a folder and those above it; what is there already is fine.
func (p *Proc) mkdirAll(a string, mode uint32, verbose bool) bool {
	parts := strings.Split(a, "/")
	for i := range parts {
		at := strings.Join(parts[:i+1], "/")
		if parts[i] == "" || parts[i] == "." || parts[i] == ".." {
			continue
		}
		p.step(1)
		m := 0o777&^p.Umask | 0o300
		if i == len(parts)-1 {
			m = mode
		}
		err := p.FS.Mkdir(p.Cred, p.path(at), m)
		if err == nil {
			if verbose {
				p.printf("mkdir: created directory %s\n", qa(at))
			}
			continue
		}
		if s, e := p.stat(at); e == nil && s.IsDir() {
			continue
		} else if e == nil && i < len(parts)-1 {
			err = vfs.ENOTDIR
		}
		p.errorf("cannot create directory %s: %s", p.q(at), why(err))
		return false
	}
	return true
}

func touch(p *Proc) int {
	opts, args, ok := p.getopt("acd:fhmr:t:", "date=,d", "no-create,c", "no-dereference,h", "reference=,r", "time=")
	if !ok {
		return 1
	}
	now := p.Now()
	atime, mtime, explicit := now, now, false
	create, follow, which := true, true, ""
	for _, o := range opts {
		switch o.name {
		case "a", "m":
			which += o.name
		case "c":
			create = false
		case "h":
			follow = false
		case "r":
			i, err := p.stat(o.val)
			if err != nil {
				p.errorf("failed to get attributes of %s: %s", qa(o.val), why(err))
				return 1
			}
			atime, mtime, explicit = i.Atime, i.Mtime, true
		case "d":
			t, good := parseDate(o.val, now)
			if !good {
				p.errorf("invalid date format %s", p.q(o.val))
				return 1
			}
			atime, mtime, explicit = t, t, true
		case "t":
			t, good := parseStamp(o.val, now)
			if !good {
				p.errorf("invalid date format %s", p.q(o.val))
				return 1
			}
			atime, mtime, explicit = t, t, true
		}
	}
	if len(args) == 0 {
		p.errorf("missing file operand")
		return p.try(1)
	}
	if which == "a" {
		mtime = time.Time{}
	} else if which == "m" {
		atime = time.Time{}
	}
	status := 0
	for _, a := range args {
		p.step(2)
		path := p.path(a)
		err := p.FS.Chtimes(p.Cred, path, atime, mtime, !explicit, follow)
		if errors.Is(err, vfs.ENOENT) {
			if !create || !follow {
				continue
			}
			var f *vfs.File
			if f, err = p.FS.Open(p.Cred, path, vfs.O_WRONLY|vfs.O_CREATE, 0o666&^p.Umask); err == nil {
				err = f.Close()
				if err == nil && explicit {
					err = p.FS.Chtimes(p.Cred, path, atime, mtime, false, true)
				}
			}
		}
		if err != nil {
			p.errorf("cannot touch %s: %s", qa(a), why(err))
			status = 1
		}
	}
	return status
}

func ln(p *Proc) int {
	opts, args, ok := p.getopt("bdfFinLPrsS:t:Tv", "symbolic,s", "force,f", "no-dereference,n", "verbose,v", "no-target-directory,T", "target-directory=,t", "relative,r", "logical,L", "physical,P", "interactive,i", "backup?", "suffix=,S")
	if !ok {
		return 1
	}
	symbolic, force, noDeref, verbose, target := false, false, false, false, ""
	for _, o := range opts {
		switch o.name {
		case "s":
			symbolic = true
		case "f":
			force = true
		case "n", "T":
			noDeref = true
		case "v":
			verbose = true
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
		if err := p.link(a, dest, symbolic, force); err != nil {
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

func mkfifo(p *Proc) int {
	opts, args, ok := p.getopt("m:Z", "mode=,m")
	if !ok {
		return 1
	}
	mode := 0o666 &^ p.Umask
	for _, o := range opts {
		if m, good := parseMode(o.val, 0o666, false, p.Umask); o.name == "m" && good {
			mode = m
		}
	}
	if !p.operands(args, 1) {
		return 1
	}
	status := 0
	for _, a := range args {
		if err := p.FS.Mknod(p.Cred, p.path(a), vfs.Fifo|mode, 0); err != nil {
			p.errorf("cannot create fifo %s: %s", qa(a), why(err))
			status = 1
		}
	}
	return status
}

func mktemp(p *Proc) int {
	opts, args, ok := p.getopt("dp:qtu", "directory,d", "dry-run,u", "quiet,q", "tmpdir?,p", "suffix=")
	if !ok {
		return 1
	}
	dir, inTmp, folder, dry, suffix := "", false, false, false, ""
	for _, o := range opts {
		switch o.name {
		case "d":
			folder = true
		case "p":
			dir, inTmp = o.val, true
		case "t":
			inTmp = true
		case "u":
			dry = true
		case "suffix":
			suffix = o.val
		}
	}
	template := "tmp.XXXXXXXXXX"
	if len(args) == 0 {
		inTmp = true
	} else {
		template = args[0]
	}
	if len(args) > 1 {
		p.errorf("too many templates")
		return p.try(1)
	}
	if !strings.Contains(template, "XXX") {
		p.errorf("too few X's in template %s", p.q(template))
		return 1
	}
	if inTmp {
		if dir == "" {
			dir = p.Env("TMPDIR")
		}
		if dir == "" {
			dir = "/tmp"
		}
		template = strings.TrimSuffix(dir, "/") + "/" + template
	}
	end := strings.LastIndex(template, "XXX") + 3
	start := end
	for start > 0 && template[start-1] == 'X' {
		start--
	}
	name := template[:start] + p.random(end-start) + template[end:] + suffix
	var err error
	switch {
	case dry:
	case folder:
		err = p.FS.Mkdir(p.Cred, p.path(name), 0o700)
	default:
		var f *vfs.File
		if f, err = p.FS.Open(p.Cred, p.path(name), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_EXCL, 0o600); err == nil {
			err = f.Close()
		}
	}
	if err != nil {
		kind := "file"
		if folder {
			kind = "directory"
		}
		p.errorf("failed to create %s via template %s: %s", kind, p.q(template), why(err))
		return 1
	}
	p.print(name + "\n")
	return 0
}

// random returns n characters from the pretended /dev/urandom.
func (p *Proc) random(n int) string {
	const set = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	if f, err := p.FS.Open(vfs.Cred{}, "/dev/urandom", vfs.O_RDONLY, 0); err == nil {
		_, _ = io.ReadFull(f, b)
		_ = f.Close()
	}
	for i := range b {
		b[i] = set[int(b[i])%len(set)]
	}
	return string(b)
}

func truncate(p *Proc) int {
	opts, args, ok := p.getopt("cor:s:", "no-create,c", "io-blocks,o", "reference=,r", "size=,s")
	if !ok {
		return 1
	}
	want, rel, create := int64(-1), "", true
	for _, o := range opts {
		switch o.name {
		case "c":
			create = false
		case "s":
			v := o.val
			if v != "" && strings.ContainsAny(v[:1], "+-<>/%") {
				rel, v = v[:1], v[1:]
			}
			n, good := size(v)
			if !good {
				p.errorf("Invalid number: %s", p.q(o.val))
				return 1
			}
			want = n
		}
	}
	if want < 0 {
		p.errorf("you must specify either %s or %s", p.q("--size"), p.q("--reference"))
		return p.try(1)
	}
	if len(args) == 0 {
		p.errorf("missing file operand")
		return p.try(1)
	}
	status := 0
	for _, a := range args {
		flags := vfs.O_WRONLY
		if create {
			flags |= vfs.O_CREATE
		}
		f, err := p.FS.Open(p.Cred, p.path(a), flags, 0o666&^p.Umask)
		if err != nil {
			if !create && errors.Is(err, vfs.ENOENT) {
				continue
			}
			p.errorf("cannot open %s for writing: %s", qa(a), why(err))
			status = 1
			continue
		}
		n := want
		switch rel {
		case "+":
			n = f.Stat().Size + want
		case "-":
			n = max(0, f.Stat().Size-want)
		}
		if err := f.Truncate(n); err != nil {
			p.errorf("failed to truncate %s at %d bytes: %s", qa(a), n, why(err))
			status = 1
		}
		_ = f.Close()
	}
	return status
}

func shred(p *Proc) int {
	opts, args, ok := p.getopt("fn:s:uvxz", "force,f", "iterations=,n", "remove?,u", "verbose,v", "zero,z", "exact,x", "size=,s")
	if !ok {
		return 1
	}
	if len(args) == 0 {
		p.errorf("missing file operand")
		return p.try(1)
	}
	status := 0
	for _, a := range args {
		f, err := p.FS.Open(p.Cred, p.path(a), vfs.O_WRONLY, 0)
		if err != nil {
			p.errorf("%s: failed to open for writing: %s", a, why(err))
			status = 1
			continue
		}
		_, err = io.WriteString(f, p.random(int(min(f.Stat().Size, 1<<16))))
		_ = f.Close()
		if err != nil {
			p.errorf("%s: error writing: %s", a, why(err))
			status = 1
		}
		for _, o := range opts {
			if o.name == "u" {
				_ = p.FS.Remove(p.Cred, p.path(a))
			}
		}
	}
	return status
}
