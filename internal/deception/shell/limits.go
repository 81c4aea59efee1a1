package shell

import (
	"fmt"
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

// A ceiling is a resource's soft and hard limit.
type ceiling struct{ soft, hard string }

func ulimitBuiltin(e *env, args []string) int {
	soft, hard, all := false, false, false
	type ask struct {
		flag  byte
		value string
		set   bool
	}
	var asks []ask
	rest := args[1:]
	for len(rest) > 0 && len(rest[0]) > 1 && rest[0][0] == '-' {
		if rest[0] == "--" {
			rest = rest[1:]
			break
		}
		for _, c := range []byte(rest[0][1:]) {
			switch {
			case c == 'a':
				all = true
			case c == 'S':
				soft = true
			case c == 'H':
				hard = true
			case limitIndex(c) >= 0:
				asks = append(asks, ask{flag: c})
			case c == 'b' || c == 'k' || c == 'T' || c == 'P':
				e.errorf("ulimit: %s: invalid option", "-"+string(c))
				return e.usage("ulimit")
			default:
				return e.badOption("ulimit", "-"+string(c))
			}
		}
		rest = rest[1:]
		if len(rest) > 0 && len(asks) > 0 && (len(rest[0]) == 0 || rest[0][0] != '-') {
			asks[len(asks)-1].value, asks[len(asks)-1].set = rest[0], true
			rest = rest[1:]
		}
	}
	if all {
		for _, l := range limits {
			unit := "(" + l.unit + "-" + string(l.flag) + ")"
			e.out(fmt.Sprintf("%-20s %20s", l.name, unit+" ") + e.limit(l.flag, hard) + "\n")
		}
		return 0
	}
	if len(asks) == 0 {
		asks = append(asks, ask{flag: 'f'})
		if len(rest) > 0 {
			asks[0].value, asks[0].set = rest[0], true
		}
	}
	for _, a := range asks {
		l := limits[limitIndex(a.flag)]
		if a.set {
			if !e.setLimit(a.flag, a.value, soft, hard) {
				return 1
			}
			continue
		}
		if len(asks) > 1 {
			unit := "(" + l.unit + "-" + string(l.flag) + ")"
			e.out(fmt.Sprintf("%-20s %20s", l.name, unit+" "))
		}
		e.out(e.limit(a.flag, hard && !soft) + "\n")
	}
	return 0
}

// setLimit changes a limit; a hard one cannot be raised by who is not root, nor
// by root in what the pretended machine allows nobody.
func (e *env) setLimit(flag byte, value string, soft, hard bool) bool {
	if !soft && !hard {
		soft, hard = true, true
	}
	l := limits[limitIndex(flag)]
	now := ceiling{e.limit(flag, false), e.limit(flag, true)}
	switch value {
	case "hard":
		value = now.hard
	case "soft":
		value = now.soft
	case "unlimited":
	default:
		if _, err := strconv.ParseUint(value, 10, 63); err != nil {
			e.errorf("ulimit: %s: invalid number", value)
			return false
		}
	}
	if flag == 'p' {
		e.errorf("ulimit: %s: cannot modify limit: Invalid argument", l.name)
		return false
	}
	if above(value, now.hard) && (e.cred.UID != 0 && hard || !hard || flag == 'n' && above(value, "1073741816")) {
		what := "Invalid argument"
		if hard {
			what = "Operation not permitted"
		}
		e.errorf("ulimit: %s: cannot modify limit: %s", l.name, what)
		return false
	}
	if soft {
		now.soft = value
	}
	if hard {
		now.hard = value
		if !soft && above(now.soft, value) {
			e.errorf("ulimit: %s: cannot modify limit: Invalid argument", l.name)
			return false
		}
	}
	fresh := map[byte]ceiling{flag: now}
	for k, v := range e.limits {
		if k != flag {
			fresh[k] = v
		}
	}
	e.limits = fresh
	return true
}

// above reports whether limit a is higher than b.
func above(a, b string) bool {
	if b == "unlimited" || a == b {
		return false
	}
	if a == "unlimited" {
		return true
	}
	x, _ := strconv.ParseUint(a, 10, 63)
	y, _ := strconv.ParseUint(b, 10, 63)
	return x > y
}

// limit is a resource's value, the hard one or the soft.
func (e *env) limit(c byte, hard bool) string {
	if v, ok := e.limits[c]; ok {
		if hard {
			return v.hard
		}
		return v.soft
	}
	if hard {
		switch c { // the others have one value for both
		case 'c', 's':
			return "unlimited"
		case 'n':
			return "1048576"
		}
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
