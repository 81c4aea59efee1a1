package shell

import (
	"strings"
)

func echoBuiltin(e *env, args []string) int {
	words := args[1:]
	newline, escapes := true, e.dialect == dash || e.shopts&shXpgEcho != 0
	for len(words) > 0 && echoOption(words[0], e.dialect) {
		for _, c := range words[0][1:] {
			switch c {
			case 'n':
				newline = false
			case 'e':
				escapes = true
			case 'E':
				escapes = false
			}
		}
		words = words[1:]
	}
	s := strings.Join(words, " ")
	if escapes && strings.IndexByte(s, '\\') >= 0 {
		var stop bool
		if s, stop = decode(s, echoEscapes); stop {
			newline = false
		}
	}
	if newline {
		s += "\n"
	}
	if !e.out(s) && s != "" {
		e.errorf("echo: write error: Bad file descriptor")
		return 1
	}
	return 0
}

// echoOption reports a word of the letters n, e and E. dash knows -n only.
func echoOption(w string, d dialect) bool {
	if len(w) < 2 || w[0] != '-' {
		return false
	}
	known := "neE"
	if d == dash {
		known = "n"
	}
	return strings.Trim(w[1:], known) == ""
}

// decode replaces backslash escapes.
func decode(s string, style escapeStyle) (string, bool) {
	var b strings.Builder
	b.Grow(len(s))
	for i := 0; i < len(s); i++ {
		if s[i] != '\\' || i+1 == len(s) {
			b.WriteByte(s[i])
			continue
		}
		n, stop := escape(&b, s[i+1:], style)
		if stop {
			return b.String(), true
		}
		i += n
	}
	return b.String(), false
}
