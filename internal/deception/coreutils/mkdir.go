package coreutils

import (
	"io"
	"strings"

	"honeyguide/internal/deception/vfs"
)

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
