package shell

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func cdBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "LPe@", "")
	if st != 0 {
		return st
	}
	_, physical := opts['P']
	if len(rest) > 1 {
		if e.dialect == bash {
			e.errorf("cd: too many arguments")
			return 1
		}
	}
	dir, show := "", false
	switch {
	case len(rest) == 0:
		h, ok := e.get("HOME")
		if !ok {
			if e.dialect == bash {
				e.errorf("cd: HOME not set")
				return 1
			}
			return 0
		}
		dir = h
	case rest[0] == "-":
		old, ok := e.get("OLDPWD")
		if !ok {
			if e.dialect == bash {
				e.errorf("cd: OLDPWD not set")
				return 1
			}
			old = e.cwd
		}
		dir, show = old, true
	default:
		dir = rest[0]
	}
	if cdpath, ok := e.get("CDPATH"); ok && cdpath != "" && len(rest) > 0 && rest[0] != "-" && !strings.HasPrefix(dir, "/") && !strings.HasPrefix(dir, ".") {
		for d := range strings.SplitSeq(cdpath, ":") {
			if i, err := e.stat(d + "/" + dir); err == nil && i.IsDir() {
				show = d != "" && d != "."
				dir = strings.TrimSuffix(d+"/"+dir, "/")
				if d == "" {
					dir = "." + dir
				}
				break
			}
		}
	}
	if err := e.chdir(dir, physical || e.opts&optPhysical != 0); err != nil {
		if e.dialect != bash {
			if e.dialect == dash {
				e.errorf("cd: can't cd to %s", dir)
				return 2
			}
			e.builtinError("cd", "can't cd to "+dir+": "+errText(err))
			return 1
		}
		e.errorf("cd: %s: %s", dir, errText(err))
		return 1
	}
	if show {
		e.out(e.cwd + "\n")
	}
	return 0
}

// chdir changes the folder and the two variables that name it.
func (e *env) chdir(dir string, physical bool) error {
	if dir == "" {
		return nil
	}
	to := vfs.Clean(e.cwd, dir)
	if e.fs != nil {
		// Text first, as the logical cd does; the kernel's own view second.
		i, err := e.fs.Stat(e.cred, to)
		if err != nil {
			if i, err = e.fs.Stat(e.cred, e.abs(dir)); err != nil {
				return err
			}
		}
		if !i.IsDir() {
			return &vfs.Error{Errno: vfs.ENOTDIR}
		}
		if err := e.fs.Access(e.cred, to, 1); err != nil {
			return err
		}
		if physical {
			if real, err := e.fs.Real(e.cred, e.abs(dir)); err == nil {
				to = real
			}
		}
	}
	old := e.cwd
	e.cwd = to
	for _, kv := range [][2]string{{"OLDPWD", old}, {"PWD", to}} {
		v := &variable{val: kv[1], attr: exported}
		if was := e.vars[kv[0]]; was == nil && kv[0] == "PWD" {
			v.attr = 0
		}
		if err := e.store(kv[0], v); err != nil {
			return err
		}
	}
	return nil
}

func pwdBuiltin(e *env, args []string) int {
	opts, _, st := e.options(args, "LP", "")
	if st != 0 {
		return st
	}
	dir := e.cwd
	if _, physical := opts['P']; physical && e.fs != nil {
		if real, err := e.fs.Real(e.cred, dir); err == nil {
			dir = real
		}
	}
	if !e.out(dir + "\n") {
		return 1
	}
	return 0
}

// tildeName writes a folder with ~ for the home.
func (e *env) tildeName(dir string) string {
	h, _ := e.get("HOME")
	switch {
	case h == "" || h == "/":
		return dir
	case dir == h:
		return "~"
	case strings.HasPrefix(dir, h+"/"):
		return "~" + dir[len(h):]
	}
	return dir
}

func dirsBuiltin(e *env, args []string) int {
	long, lines, numbers := false, false, false
	for _, a := range args[1:] {
		switch {
		case a == "-c":
			e.dirs = nil
			return 0
		case a == "-l":
			long = true
		case a == "-p":
			lines = true
		case a == "-v":
			lines, numbers = true, true
		case len(a) > 1 && (a[0] == '+' || a[0] == '-'):
			n, err := strconv.Atoi(a[1:])
			switch {
			case err != nil && a[0] == '-':
				e.errorf("dirs: %s: invalid option", a)
				return e.usage("dirs")
			case err != nil:
				e.errorf("dirs: %s: invalid number", a)
				return e.usage("dirs")
			case n > len(e.dirs):
				e.stackRange("dirs", a)
				return 1
			}
			if a[0] == '-' {
				n = len(e.dirs) - n
			}
			e.out(e.showDir(n, long) + "\n")
			return 0
		default:
			e.errorf("dirs: %s: invalid option", a)
			return e.usage("dirs")
		}
	}
	for i := range len(e.dirs) + 1 {
		d := e.showDir(i, long)
		switch {
		case numbers:
			e.out(pad(strconv.Itoa(i), 2) + "  " + d + "\n")
		case lines:
			e.out(d + "\n")
		case i > 0:
			e.out(" " + d)
		default:
			e.out(d)
		}
	}
	if !lines {
		e.out("\n")
	}
	return 0
}

// stackRange complains about a place the stack does not have.
func (e *env) stackRange(who, arg string) {
	if len(e.dirs) == 0 {
		e.errorf("%s: directory stack empty", who)
	} else {
		e.errorf("%s: %s: directory stack index out of range", who, arg)
	}
}

func pad(s string, n int) string {
	for len(s) < n {
		s = " " + s
	}
	return s
}

func (e *env) showDir(i int, long bool) string {
	d := e.cwd
	if i > 0 {
		d = e.dirs[i-1]
	}
	if long {
		return d
	}
	return e.tildeName(d)
}

// stackArgs reads what pushd and popd are given: -n, a place, a folder.
func (e *env) stackArgs(args []string) (place, dir string, stay bool, status int) {
	rest := args[1:]
	for len(rest) > 0 {
		a := rest[0]
		switch {
		case a == "--":
			rest = rest[1:]
			if len(rest) > 0 {
				dir = rest[0]
			}
			return place, dir, stay, 0
		case a == "-n":
			stay = true
		case len(a) > 1 && (a[0] == '-' || a[0] == '+'):
			if _, err := strconv.Atoi(a[1:]); err != nil {
				e.errorf("%s: %s: invalid number", args[0], a)
				return "", "", stay, e.usage(args[0])
			}
			place = a
		case a == "-":
			dir, _ = e.get("OLDPWD")
			return place, dir, stay, 0
		default:
			return place, a, stay, 0
		}
		rest = rest[1:]
	}
	return place, dir, stay, 0
}

// stackPlace is the index a place such as +1 or -0 stands for.
func (e *env) stackPlace(a string) (int, bool) {
	n, _ := strconv.Atoi(a[1:])
	if n > len(e.dirs) {
		return 0, false
	}
	if a[0] == '-' {
		n = len(e.dirs) - n
	}
	return n, true
}

func pushdBuiltin(e *env, args []string) int {
	place, dir, stay, st := e.stackArgs(args)
	switch {
	case st != 0:
		return st
	case place == "" && dir == "":
		if len(e.dirs) == 0 {
			e.errorf("pushd: no other directory")
			return 1
		}
		old, to := e.cwd, e.dirs[0]
		if err := e.chdir(to, false); err != nil {
			e.errorf("pushd: %s: %s", to, errText(err))
			return 1
		}
		e.dirs = append([]string{old}, e.dirs[1:]...)
		return dirsBuiltin(e, []string{"dirs"})
	case place == "":
		return e.push(dir, stay)
	}
	n, ok := e.stackPlace(place)
	if !ok || len(e.dirs) == 0 && n > 0 {
		e.stackRange("pushd", place)
		return 1
	}
	all := append([]string{e.cwd}, e.dirs...)
	all = append(all[n:len(all):len(all)], all[:n]...)
	if stay {
		e.dirs = all[1:]
		return dirsBuiltin(e, []string{"dirs"})
	}
	if err := e.chdir(all[0], false); err != nil {
		e.errorf("pushd: %s: %s", all[0], errText(err))
		return 1
	}
	e.dirs = all[1:]
	return dirsBuiltin(e, []string{"dirs"})
}

func (e *env) push(dir string, stay bool) int {
	if len(e.dirs) > 1000 {
		e.noMemory()
	}
	old := e.cwd
	if stay {
		old = dir
	} else if err := e.chdir(dir, false); err != nil {
		e.errorf("pushd: %s: %s", dir, errText(err))
		return 1
	}
	e.dirs = append([]string{old}, e.dirs...)
	return dirsBuiltin(e, []string{"dirs"})
}

func popdBuiltin(e *env, args []string) int {
	place, dir, stay, st := e.stackArgs(args)
	switch {
	case st != 0:
		return st
	case dir != "":
		e.errorf("popd: %s: invalid argument", dir)
		return e.usage("popd")
	case len(e.dirs) == 0:
		e.errorf("popd: directory stack empty")
		return 1
	}
	n := 0
	if place != "" {
		var ok bool
		if n, ok = e.stackPlace(place); !ok {
			e.stackRange("popd", place)
			return 1
		}
	}
	switch {
	case n > 0:
		e.dirs = append(e.dirs[:n-1:n-1], e.dirs[n:]...)
	case stay:
		e.dirs = e.dirs[1:]
	default:
		to := e.dirs[0]
		if err := e.chdir(to, false); err != nil {
			e.errorf("popd: %s: %s", to, errText(err))
			return 1
		}
		e.dirs = e.dirs[1:]
	}
	return dirsBuiltin(e, []string{"dirs"})
}
