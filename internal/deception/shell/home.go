package shell

import (
	"strconv"
	"strings"
)

// tilde expands the tilde s begins with and returns the rest.
func (x *expander) tilde(s string) string {
	end := strings.IndexAny(s, "/:")
	if end < 0 || s[end] == ':' && !x.assign {
		if end = strings.IndexByte(s, '/'); end < 0 {
			end = len(s)
		}
	}
	dir, ok := x.e.tildeDir(s[1:end])
	if !ok {
		if err := x.add("~", true); err != nil {
			return ""
		}
		return s[1:]
	}
	if dir == "/" && end < len(s) && s[end] == '/' {
		dir = ""
	}
	x.started = true
	if err := x.add(dir, true); err != nil {
		return ""
	}
	return s[end:]
}

// looksAssigned reports an argument that begins like an assignment, behind
// whose signs tildes are expanded too.
func looksAssigned(s string) bool {
	eq := strings.IndexByte(s, '=')
	if eq <= 0 || strings.IndexByte(s[eq:], '~') < 0 {
		return false
	}
	name := strings.TrimSuffix(s[:eq], "+")
	return isName(name)
}

func (e *env) tildeDir(user string) (string, bool) {
	switch user {
	case "":
		if h, ok := e.get("HOME"); ok {
			return h, true
		}
		return e.home, true
	case "+":
		return e.cwd, true
	case "-":
		return e.get("OLDPWD")
	}
	if n, err := strconv.Atoi(user); err == nil && e.dialect == bash {
		return e.stackDir(n, user[0] == '-')
	}
	if strings.ContainsAny(user, `\"'`) {
		return "", false
	}
	return e.homeOf(user)
}

// stackDir is the folder of ~N and ~+N, or from the other end that of ~-N.
func (e *env) stackDir(n int, fromEnd bool) (string, bool) {
	all := append([]string{e.cwd}, e.dirs...)
	if fromEnd {
		n += len(all) - 1
	}
	if n < 0 || n >= len(all) {
		return "", false
	}
	return all[n], true
}

// homeOf reads a user's home from the pretended /etc/passwd.
func (e *env) homeOf(user string) (string, bool) {
	u, ok := e.passwd(func(f []string) bool { return f[0] == user })
	if !ok {
		return "", false
	}
	return u[5], true
}

// passwd returns the first line of /etc/passwd that match accepts.
func (e *env) passwd(match func(fields []string) bool) ([]string, bool) {
	for line := range strings.SplitSeq(e.readSmall("/etc/passwd"), "\n") {
		if f := strings.Split(line, ":"); len(f) >= 7 && match(f) {
			return f, true
		}
	}
	return nil, false
}
