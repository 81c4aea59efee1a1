package coreutils

import (
	"errors"
	"io"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

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
		case "d", "t":
			parse := parseDate
			if o.name == "t" {
				parse = parseStamp
			}
			t, good := parse(o.val, now)
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
