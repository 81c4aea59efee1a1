package shell

import (
	"strconv"
	"strings"
)

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
	{'R', "real-time non-blocking time", "microseconds, ", "unlimited"},
	{'c', "core file size", "blocks, ", "0"},
	{'d', "data seg size", "kbytes, ", "unlimited"},
	{'e', "scheduling priority", "", "0"},
	{'f', "file size", "blocks, ", "unlimited"},
	{'i', "pending signals", "", "7743"},
	{'l', "max locked memory", "kbytes, ", "255480"},
	{'m', "max memory size", "kbytes, ", "unlimited"},
	{'n', "open files", "", "1024"},
	{'p', "pipe size", "512 bytes, ", "8"},
	{'q', "POSIX message queues", "bytes, ", "819200"},
	{'r', "real-time priority", "", "0"},
	{'s', "stack size", "kbytes, ", "8192"},
	{'t', "cpu time", "seconds, ", "unlimited"},
	{'u', "max user processes", "", "7743"},
	{'v', "virtual memory", "kbytes, ", "unlimited"},
	{'x', "file locks", "", "unlimited"},
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
