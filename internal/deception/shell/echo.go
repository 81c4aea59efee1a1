package shell

import (
	"strings"

	"honeyguide/internal/deception/coreutils"
)

func echoBuiltin(e *env, args []string) int {
	known := "neE"
	if e.dialect == dash { // which knows -n only
		known = "n"
	}
	words, newline, escapes := coreutils.EchoOptions(args[1:], known, e.dialect == dash || e.shopts&shXpgEcho != 0)
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
	e.out(s)
	return 0
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
