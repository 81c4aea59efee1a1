package coreutils

import (
	"strconv"

	"honeyguide/internal/deception/vfs"
)

func mknod(p *Proc) int {
	opts, args, ok := p.getopt("m:Z", "mode=,m", "context?,Z")
	if !ok {
		return 1
	}
	mode := 0o666 &^ p.Umask
	for _, o := range opts {
		if o.name == "m" {
			m, good := parseMode(o.val, 0o666, false, p.Umask)
			if !good {
				p.errorf("invalid mode")
				return 1
			}
			mode = m
		}
	}
	if !p.operands(args, min(2, max(len(args), 1))) {
		return 1
	}
	if len(args) < 2 {
		p.errorf("missing operand after %s", p.q(args[0]))
		return p.try(1)
	}
	want := 4
	if args[1] == "p" {
		want = 2
	}
	if len(args) < want {
		p.errorf("missing operand after %s", p.q(args[len(args)-1]))
		if len(args) == 2 {
			p.complain("Special files require major and minor device numbers.\n")
		}
		return p.try(1)
	}
	if len(args) > want {
		p.errorf("extra operand %s", p.q(args[want]))
		if want == 2 && len(args) == 4 {
			p.complain("Fifos do not have major and minor device numbers.\n")
		}
		return p.try(1)
	}
	kind, rdev := uint32(vfs.Fifo), uint64(0)
	switch args[1] {
	case "p":
	case "b", "c", "u":
		major, err := strconv.ParseUint(args[2], 0, 12)
		if err != nil {
			p.errorf("invalid major device number %s", p.q(args[2]))
			return 1
		}
		minor, err := strconv.ParseUint(args[3], 0, 20)
		if err != nil {
			p.errorf("invalid minor device number %s", p.q(args[3]))
			return 1
		}
		if kind, rdev = vfs.Char, major<<8|minor; args[1] == "b" {
			kind = vfs.Block
		}
	default:
		p.errorf("invalid device type %s", p.q(args[1]))
		return p.try(1)
	}
	if err := p.FS.Mknod(p.Cred, p.path(args[0]), kind|mode, rdev); err != nil {
		p.errorf("%s: %s", args[0], why(err))
		return 1
	}
	return 0
}

func fallocate(p *Proc) int {
	opts, args, ok := p.getopt("cdil:no:pxvzV", "collapse-range,c", "dig-holes,d", "insert-range,i", "length=,l", "keep-size,n", "offset=,o", "punch-hole,p", "posix,x", "verbose,v", "zero-range,z")
	if !ok {
		return 1
	}
	length := int64(-1)
	for _, o := range opts {
		if o.name == "l" {
			n, good := size(o.val)
			if !good || n <= 0 {
				p.errorf("invalid length value specified")
				return 1
			}
			length = n
		}
	}
	switch {
	case length < 0:
		p.errorf("no length argument specified")
		return 1
	case len(args) == 0:
		p.errorf("no filename specified")
		return 1
	}
	f, err := p.FS.Open(p.Cred, p.path(args[0]), vfs.O_RDWR|vfs.O_CREATE, 0o666&^p.Umask)
	if err != nil {
		p.errorf("cannot open %s: %s", args[0], why(err))
		return 1
	}
	defer f.Close()
	if f.Stat().Size < length {
		if err := f.Truncate(length); err != nil {
			p.errorf("fallocate failed: %s", why(err))
			return 1
		}
	}
	return 0
}
