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
	if cdpath, ok := e.get("CDPATH"); ok && cdpath != "" && dir != "" && dir[0] != '/' && dir[0] != '.' {
		for d := range strings.SplitSeq(cdpath, ":") {
			if i, err := e.stat(d + "/" + dir); err == nil && i.IsDir() {
				dir, show = d+"/"+dir, d != "" && d != "."
				break
			}
		}
	}
	if err := e.chdir(dir, physical || e.opts&optPhysical != 0); err != nil {
		if e.dialect != bash {
			e.errorf("cd: can't cd to %s", dir)
			if e.dialect == dash {
				return 2
			}
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
			if err != nil {
				e.errorf("dirs: %s: invalid number", a)
				return e.usage("dirs")
			}
			if n > len(e.dirs) {
				e.errorf("dirs: directory stack empty")
				return 1
			}
			if a[0] == '-' {
				n = len(e.dirs) - n
			}
			e.out(e.showDir(n, long) + "\n")
			return 0
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

func pushdBuiltin(e *env, args []string) int {
	if len(args) < 2 {
		if len(e.dirs) == 0 {
			e.errorf("pushd: no other directory")
			return 1
		}
		to := e.dirs[0]
		e.dirs = append([]string{e.cwd}, e.dirs[1:]...)
		return e.goDir("pushd", to)
	}
	a := args[1]
	if len(a) > 1 && (a[0] == '+' || a[0] == '-') {
		n, err := strconv.Atoi(a[1:])
		if err == nil {
			return e.rotate(n, a)
		}
	}
	old := e.cwd
	if err := e.chdir(a, false); err != nil {
		e.errorf("pushd: %s: %s", a, errText(err))
		return 1
	}
	if len(e.dirs) > 1000 {
		e.noMemory()
	}
	e.dirs = append([]string{old}, e.dirs...)
	return dirsBuiltin(e, []string{"dirs"})
}

func (e *env) rotate(n int, arg string) int {
	all := append([]string{e.cwd}, e.dirs...)
	if n >= len(all) {
		e.errorf("pushd: %s: directory stack index out of range", arg)
		return 1
	}
	if arg[0] == '-' {
		n = len(all) - 1 - n
	}
	all = append(all[n:len(all):len(all)], all[:n]...)
	e.dirs = all[1:]
	return e.goDir("pushd", all[0])
}

func (e *env) goDir(who, to string) int {
	if err := e.chdir(to, false); err != nil {
		e.errorf("%s: %s: %s", who, to, errText(err))
		return 1
	}
	return dirsBuiltin(e, []string{"dirs"})
}

func popdBuiltin(e *env, args []string) int {
	if len(e.dirs) == 0 {
		e.errorf("popd: directory stack empty")
		return 1
	}
	n := 0
	if len(args) > 1 && len(args[1]) > 1 {
		v, err := strconv.Atoi(args[1][1:])
		switch {
		case err != nil:
			e.errorf("popd: %s: invalid argument", args[1])
			return e.usage("popd")
		case v > len(e.dirs):
			e.errorf("popd: %s: directory stack index out of range", args[1])
			return 1
		case args[1][0] == '-':
			n = len(e.dirs) - v
		default:
			n = v
		}
	}
	if n > 0 {
		e.dirs = append(e.dirs[:n-1:n-1], e.dirs[n:]...)
		return dirsBuiltin(e, []string{"dirs"})
	}
	to := e.dirs[0]
	e.dirs = e.dirs[1:]
	return e.goDir("popd", to)
}

func umaskBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "pS", "")
	if st != 0 {
		return st
	}
	_, symbolic := opts['S']
	_, again := opts['p']
	if len(rest) == 0 {
		s := "0" + octal3(e.umask)
		if symbolic {
			s = symbolicMask(e.umask)
		}
		if again {
			if symbolic {
				s = "umask -S " + s
			} else {
				s = "umask " + s
			}
		}
		e.out(s + "\n")
		return 0
	}
	if c := rest[0][0]; c >= '0' && c <= '9' {
		n, err := strconv.ParseUint(rest[0], 8, 32)
		if err != nil || n > 0o777 {
			e.errorf("umask: %s: octal number out of range", rest[0])
			return 1
		}
		e.umask = uint32(n)
	} else if !e.symbolicUmask(rest[0]) {
		return 1
	}
	if symbolic {
		e.out(symbolicMask(e.umask) + "\n")
	}
	return 0
}

func octal3(n uint32) string {
	s := strconv.FormatUint(uint64(n), 8)
	return "000"[min(3, len(s)):] + s
}

func symbolicMask(m uint32) string {
	var b strings.Builder
	for i, who := range "ugo" {
		if i > 0 {
			b.WriteByte(',')
		}
		b.WriteRune(who)
		b.WriteByte('=')
		bits := ^m >> (6 - 3*i)
		for j, c := range "rwx" {
			if bits&(4>>j) != 0 {
				b.WriteRune(c)
			}
		}
	}
	return b.String()
}

// symbolicUmask reads u=rwx,g-w and the like.
func (e *env) symbolicUmask(s string) bool {
	allowed := ^e.umask & 0o777
	for clause := range strings.SplitSeq(s, ",") {
		who, i := uint32(0), 0
		for ; i < len(clause) && strings.IndexByte("ugoa", clause[i]) >= 0; i++ {
			switch clause[i] {
			case 'u':
				who |= 0o700
			case 'g':
				who |= 0o070
			case 'o':
				who |= 0o007
			default:
				who = 0o777
			}
		}
		if who == 0 {
			who = 0o777
		}
		if i >= len(clause) || strings.IndexByte("=+-", clause[i]) < 0 {
			bad := ""
			if i < len(clause) {
				bad = clause[i : i+1]
			}
			e.errorf("umask: `%s': invalid symbolic mode operator", bad)
			return false
		}
		op, bits := clause[i], uint32(0)
		for _, c := range clause[i+1:] {
			switch c {
			case 'r':
				bits |= 0o444
			case 'w':
				bits |= 0o222
			case 'x':
				bits |= 0o111
			default:
				e.errorf("umask: `%c': invalid symbolic mode character", c)
				return false
			}
		}
		switch op {
		case '=':
			allowed = allowed&^who | bits&who
		case '+':
			allowed |= bits & who
		default:
			allowed &^= bits & who
		}
	}
	e.umask = ^allowed & 0o777
	return true
}

// limits are ulimit's resources with a Debian server's values.
var limits = []struct {
	flag              byte
	name, unit, value string
}{
	{'R', "real-time non-blocking time", "microseconds, ", "unlimited"}, {'c', "core file size", "blocks, ", "0"}, {'d', "data seg size", "kbytes, ", "unlimited"},
	{'e', "scheduling priority", "", "0"}, {'f', "file size", "blocks, ", "unlimited"}, {'i', "pending signals", "", "7743"},
	{'l', "max locked memory", "kbytes, ", "255480"}, {'m', "max memory size", "kbytes, ", "unlimited"}, {'n', "open files", "", "1024"},
	{'p', "pipe size", "512 bytes, ", "8"}, {'q', "POSIX message queues", "bytes, ", "819200"}, {'r', "real-time priority", "", "0"},
	{'s', "stack size", "kbytes, ", "8192"}, {'t', "cpu time", "seconds, ", "unlimited"}, {'u', "max user processes", "", "7743"},
	{'v', "virtual memory", "kbytes, ", "unlimited"}, {'x', "file locks", "", "unlimited"},
}

func ulimitBuiltin(e *env, args []string) int {
	which := byte('f')
	var rest []string
	all := false
	for _, a := range args[1:] {
		if len(a) < 2 || a[0] != '-' {
			rest = append(rest, a)
			continue
		}
		for _, c := range []byte(a[1:]) {
			switch {
			case c == 'a':
				all = true
			case c == 'S' || c == 'H':
			case limitIndex(c) >= 0:
				which = c
			default:
				return e.badOption("ulimit", "-"+string(c))
			}
		}
	}
	if all {
		for _, l := range limits {
			unit := "(" + l.unit + "-" + string(l.flag) + ")"
			e.out(l.name + strings.Repeat(" ", max(1, 39-len(l.name)-len(unit))) + unit + " " + e.limit(l.flag) + "\n")
		}
		return 0
	}
	if len(rest) == 0 {
		e.out(e.limit(which) + "\n")
		return 0
	}
	switch v := rest[0]; v {
	case "unlimited", "hard", "soft":
	default:
		if _, err := strconv.ParseUint(v, 10, 63); err != nil {
			e.errorf("ulimit: %s: invalid number", v)
			return 1
		}
		if e.limits == nil {
			e.limits = map[byte]string{}
		}
		e.limits[which] = v
		return 0
	}
	if rest[0] == "unlimited" {
		if e.limits == nil {
			e.limits = map[byte]string{}
		}
		e.limits[which] = "unlimited"
	}
	return 0
}

func (e *env) limit(c byte) string {
	if v, ok := e.limits[c]; ok {
		return v
	}
	return limits[limitIndex(c)].value
}

func limitIndex(c byte) int {
	for i, l := range limits {
		if l.flag == c {
			return i
		}
	}
	return -1
}
