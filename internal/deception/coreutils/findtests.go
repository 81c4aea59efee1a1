package coreutils

import (
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

func (f *finder) nameTest(name, pat string) pred {
	fold := strings.HasPrefix(name, "-i")
	if fold {
		pat = strings.ToLower(pat)
	}
	return func(_ *finder, x *foundFile) bool {
		s := base(x.path)
		if strings.Contains(name, "path") || strings.Contains(name, "whole") {
			s = x.path
		}
		if name == "-lname" {
			if !x.info.IsSymlink() {
				return false
			}
			s = x.info.Target
		}
		if fold {
			s = strings.ToLower(s)
		}
		return glob(pat, s)
	}
}

func (f *finder) typeTest(s string, end bool) pred {
	kinds := map[string]uint32{"f": vfs.Regular, "d": vfs.Dir, "l": vfs.Symlink, "p": vfs.Fifo, "s": vfs.Socket, "b": vfs.Block, "c": vfs.Char}
	var want []uint32
	for k := range strings.SplitSeq(s, ",") {
		t, ok := kinds[k]
		if !ok {
			f.bad("Unknown argument to -type: %s", s)
		}
		want = append(want, t)
	}
	return func(f *finder, x *foundFile) bool {
		kind := x.info.Type()
		if i, err := f.p.stat(x.path); end && kind == vfs.Symlink && err == nil {
			kind = i.Type()
		}
		for _, t := range want {
			if kind == t {
				return true
			}
		}
		return false
	}
}

func (f *finder) permTest(s string) pred {
	how, t := byte(0), s
	if t != "" && strings.IndexByte("-/+", t[0]) >= 0 {
		how, t = t[0], t[1:]
	}
	m, ok := parseMode(t, 0, false, 0)
	if !ok {
		f.bad("invalid mode %s", f.p.q(s))
	}
	return func(_ *finder, x *foundFile) bool {
		switch how {
		case '-':
			return x.info.Perm()&m == m
		case '/', '+':
			return m == 0 || x.info.Perm()&m != 0
		}
		return x.info.Perm() == m
	}
}

func (f *finder) ownerTest(name, s string) pred {
	if name == "-uid" || name == "-gid" {
		cmp := f.number(name, s)
		return func(_ *finder, x *foundFile) bool {
			if name == "-uid" {
				return cmp(int64(x.info.UID))
			}
			return cmp(int64(x.info.GID))
		}
	}
	if name == "-group" {
		g, ok := f.p.groupID(s)
		if !ok {
			f.bad("%s is not the name of an existing group", f.p.q(s))
		}
		return func(_ *finder, x *foundFile) bool { return x.info.GID == g }
	}
	u, _, _, _, ok := f.p.account(s)
	if n, err := strconv.ParseUint(s, 10, 32); !ok && err == nil {
		u, ok = uint32(n), true
	}
	if !ok {
		f.bad("%s is not the name of a known user", f.p.q(s))
	}
	return func(_ *finder, x *foundFile) bool { return x.info.UID == u }
}

func (f *finder) sizeTest(s string) pred {
	if s == "" {
		f.bad("invalid null argument to `-size'")
	}
	unit := int64(512)
	t := s
	if i := strings.IndexByte("cwbkMG", s[len(s)-1]); i >= 0 {
		unit = []int64{1, 2, 512, 1 << 10, 1 << 20, 1 << 30}[i]
		t = s[:len(s)-1]
	}
	if strings.IndexByte("0123456789", s[len(s)-1]) < 0 && t == s {
		f.bad("invalid -size type `%c'", s[len(s)-1])
	}
	cmp := f.number("-size", t)
	return func(_ *finder, x *foundFile) bool { return cmp((x.info.Size + unit - 1) / unit) }
}

func (f *finder) timeTest(name, s string) pred {
	cmp := f.number(name, s)
	unit := 24 * time.Hour
	if strings.HasSuffix(name, "min") {
		unit = time.Minute
	}
	return func(f *finder, x *foundFile) bool {
		t := x.info.Mtime
		switch name[1] {
		case 'a':
			t = x.info.Atime
		case 'c':
			t = x.info.Ctime
		}
		return cmp(int64(f.p.Now().Sub(t) / unit))
	}
}

func (f *finder) newer(name, s string) pred {
	var t time.Time
	if name == "-newermt" {
		d, ok := parseDate(s, f.p.Now())
		if !ok {
			f.bad("I cannot figure out how to interpret %s as a date or time", f.p.q(s))
		}
		t = d
	} else {
		i, err := f.p.stat(s)
		if err != nil {
			f.bad("%s: %s", f.p.q(s), why(err))
		}
		t = i.Mtime
	}
	return func(_ *finder, x *foundFile) bool { return x.info.Mtime.After(t) }
}
