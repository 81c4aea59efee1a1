package coreutils

import "strconv"

func (f *finder) peek() string {
	if len(f.args) > 0 {
		return f.args[0]
	}
	return ""
}

func (f *finder) or() pred {
	if f.nest++; f.nest > 200 {
		f.bad("expression too deep")
	}
	defer func() { f.nest-- }()
	if op := f.peek(); op == "-o" || op == "-or" || op == "-a" || op == "-and" || op == "," {
		f.bad("invalid expression; you have used a binary operator '%s' with nothing before it.", op)
	}
	a := f.and()
	for f.peek() == "-o" || f.peek() == "-or" || f.peek() == "," {
		comma := f.peek() == ","
		f.args = f.args[1:]
		x, y := a, f.and()
		a = func(f *finder, e *foundFile) bool {
			r := x(f, e)
			if comma {
				return y(f, e)
			}
			return r || y(f, e)
		}
	}
	return a
}

func (f *finder) and() pred {
	var list []pred
	for {
		switch f.peek() {
		case "":
			if len(f.args) == 0 {
				return all(list)
			}
		case ")", "-o", "-or", ",":
			return all(list)
		case "-a", "-and":
			f.args = f.args[1:]
			continue
		}
		list = append(list, f.term())
	}
}

func all(list []pred) pred {
	return func(f *finder, x *foundFile) bool {
		for _, t := range list {
			if !t(f, x) {
				return false
			}
		}
		return true
	}
}

func (f *finder) arg(name string) string {
	if len(f.args) == 0 {
		f.bad("missing argument to `%s'", name)
	}
	a := f.args[0]
	f.args = f.args[1:]
	return a
}

// number reads [+-]N and returns a comparison.
func (f *finder) number(name, s string) func(n int64) bool {
	sign := byte(0)
	t := s
	if t != "" && (t[0] == '+' || t[0] == '-') {
		sign, t = t[0], t[1:]
	}
	want, err := strconv.ParseInt(t, 10, 64)
	if err != nil {
		f.bad("invalid argument `%s' to `%s'", s, name)
	}
	return func(n int64) bool {
		switch sign {
		case '+':
			return n > want
		case '-':
			return n < want
		}
		return n == want
	}
}

func (f *finder) term() pred {
	p := f.p
	name := f.args[0]
	f.args = f.args[1:]
	switch name {
	case "(":
		t := f.or()
		if f.peek() != ")" {
			f.bad("invalid expression; I was expecting to find a ')' somewhere but did not see one.")
		}
		f.args = f.args[1:]
		return t
	case "!", "-not":
		if len(f.args) == 0 {
			f.bad("expected an expression after '%s'", name)
		}
		t := f.term()
		return func(f *finder, x *foundFile) bool { return !t(f, x) }
	case "-name", "-iname", "-path", "-wholename", "-ipath", "-lname":
		return f.nameTest(name, f.arg(name))
	case "-type", "-xtype":
		return f.typeTest(f.arg(name), name == "-xtype")
	case "-maxdepth", "-mindepth":
		a := f.arg(name)
		n, err := strconv.Atoi(a)
		if err != nil || n < 0 {
			f.bad("Expected a positive decimal integer argument to %s, but got %s", name, p.q(a))
		}
		if name == "-maxdepth" {
			f.max = n
		} else {
			f.min = n
		}
	case "-perm":
		return f.permTest(f.arg(name))
	case "-user", "-uid", "-group", "-gid":
		return f.ownerTest(name, f.arg(name))
	case "-nouser", "-nogroup":
		return func(*finder, *foundFile) bool { return false }
	case "-size":
		return f.sizeTest(f.arg(name))
	case "-empty":
		return func(f *finder, x *foundFile) bool {
			if x.info.IsDir() {
				l, err := p.FS.ReadDir(p.Cred, p.path(x.path))
				return err == nil && len(l) == 0
			}
			return x.info.IsRegular() && x.info.Size == 0
		}
	case "-mtime", "-atime", "-ctime", "-mmin", "-amin", "-cmin":
		return f.timeTest(name, f.arg(name))
	case "-newer", "-newermt":
		return f.newer(name, f.arg(name))
	case "-links":
		cmp := f.number(name, f.arg(name))
		return func(_ *finder, x *foundFile) bool { return cmp(int64(x.info.Nlink)) }
	case "-inum":
		cmp := f.number(name, f.arg(name))
		return func(_ *finder, x *foundFile) bool { return cmp(int64(x.info.Ino)) }
	case "-readable", "-writable", "-executable":
		want := map[string]uint32{"-readable": 4, "-writable": 2, "-executable": 1}[name]
		return func(_ *finder, x *foundFile) bool { return p.FS.Access(p.Cred, p.path(x.path), want) == nil }
	case "-regex", "-iregex":
		re, err := compile(p, f.arg(name), reOptions{whole: true, fold: name == "-iregex"})
		if err != nil {
			f.bad("%s", err)
		}
		return func(_ *finder, x *foundFile) bool { return re.find(p, []byte(x.path)) != nil }
	case "-samefile":
		a := f.arg(name)
		i, err := p.lstat(a)
		if err != nil {
			f.bad("%s: %s", p.q(a), why(err))
		}
		return func(_ *finder, x *foundFile) bool { return x.info.Ino == i.Ino && x.info.Dev == i.Dev }
	case "-fprint", "-fprint0":
		return f.fprint(f.arg(name), name == "-fprint0")
	case "-regextype", "-fstype", "-context":
		f.arg(name)
	case "-depth", "-d":
		f.depthFirst = true
	case "-follow":
		f.follow = true
	case "-xdev", "-mount":
		f.xdev = true
	case "-true", "-noleaf", "-warn", "-nowarn", "-ignore_readdir_race", "-daystart":
	case "-false":
		return func(*finder, *foundFile) bool { return false }
	case "--help", "-help":
		p.help()
	case "--version", "-version":
		p.version()
	default:
		return f.action(name)
	}
	return func(*finder, *foundFile) bool { return true }
}
