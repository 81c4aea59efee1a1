package shell

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// history is what an interactive shell remembers.
type history struct {
	lines []string
	first int // number of lines[0] minus one
}

// maxHistory is HISTSIZE's default on Debian for root; users have 1000.
const maxHistory = 500

// historyBytes bounds the lines together; one line may be as long as a script.
const historyBytes = 1 << 20

func (h *history) add(line string) {
	if line == "" {
		return
	}
	h.lines = append(h.lines, line)
	size := 0
	for _, l := range h.lines {
		size += len(l)
	}
	for len(h.lines) > maxHistory || size > historyBytes && len(h.lines) > 1 {
		size -= len(h.lines[0])
		h.lines[0] = ""
		h.lines = h.lines[1:]
		h.first++
	}
}

// remember adds a line by the rules of HISTCONTROL.
func (e *env) addHistory(line string) {
	if e.hist == nil || strings.TrimSpace(line) == "" {
		return
	}
	control, _ := e.get("HISTCONTROL")
	both := strings.Contains(control, "ignoreboth")
	if (both || strings.Contains(control, "ignorespace")) && (line[0] == ' ' || line[0] == '\t') {
		return
	}
	if n := len(e.hist.lines); n > 0 && (both || strings.Contains(control, "ignoredups")) && e.hist.lines[n-1] == line {
		return
	}
	e.hist.add(line)
}

func historyBuiltin(e *env, args []string) int {
	h := e.hist
	if h == nil {
		h = &history{}
		e.hist = h
	}
	n := -1
	for i := 1; i < len(args); i++ {
		switch a := args[i]; {
		case a == "-c":
			h.lines, h.first = nil, 0
			return 0
		case a == "-d" && i+1 < len(args):
			return e.forgetLine(args[i+1])
		case strings.HasPrefix(a, "-d") && len(a) > 2:
			return e.forgetLine(a[2:])
		case a == "-s" || a == "-p":
			line := strings.Join(args[i+1:], " ")
			if a == "-p" {
				e.out(line + "\n")
			} else {
				h.add(line)
			}
			return 0
		case a == "-w" || a == "-a":
			return e.saveHistory(args[i+1:])
		case a == "-r" || a == "-n":
			return 0
		case len(a) > 1 && a[0] == '-':
			return e.badOption("history", a[:2])
		default:
			v, err := strconv.Atoi(a)
			if err != nil {
				e.errorf("history: %s: numeric argument required", a)
				return 1
			}
			n = v
		}
	}
	from := 0
	if n >= 0 {
		from = max(0, len(h.lines)-n)
	}
	for i := from; i < len(h.lines); i++ {
		e.k.step(1)
		e.out(pad(strconv.Itoa(h.first+i+1), 5) + "  " + h.lines[i] + "\n")
	}
	return 0
}

func (e *env) forgetLine(s string) int {
	n, err := strconv.Atoi(s)
	i := n - e.hist.first - 1
	if n < 0 {
		i = len(e.hist.lines) + n
	}
	if err != nil || i < 0 || i >= len(e.hist.lines) {
		e.errorf("history: %s: history position out of range", s)
		return 1
	}
	e.hist.lines = append(e.hist.lines[:i:i], e.hist.lines[i+1:]...)
	return 0
}

// saveHistory writes the lines to a file, as history -w and a login shell's
// end do.
func (e *env) saveHistory(args []string) int {
	path := ""
	if len(args) > 0 {
		path = args[0]
	} else if p, ok := e.get("HISTFILE"); ok {
		path = p
	}
	if path == "" || e.fs == nil || e.hist == nil {
		return 0
	}
	f, err := e.fs.Open(e.cred, e.abs(path), vfs.O_WRONLY|vfs.O_CREATE|vfs.O_APPEND, 0o600)
	if err != nil {
		e.errorf("history: %s: cannot create: %s", path, errText(err))
		return 1
	}
	defer f.Close()
	for _, l := range e.hist.lines {
		f.Write([]byte(l + "\n"))
	}
	return 0
}

func fcBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "elnrs", "e")
	if st != 0 {
		return st
	}
	if e.hist == nil || len(e.hist.lines) == 0 {
		return 0
	}
	if _, list := opts['l']; !list {
		return 1
	}
	from := max(0, len(e.hist.lines)-17)
	if len(rest) > 0 {
		if n, err := strconv.Atoi(rest[0]); err == nil {
			from = max(0, n-1-e.hist.first)
			if n < 0 {
				from = max(0, len(e.hist.lines)-1+n)
			}
		}
	}
	for i := from; i < len(e.hist.lines)-1; i++ {
		e.out(strconv.Itoa(e.hist.first+i+1) + "\t " + e.hist.lines[i] + "\n")
	}
	return 0
}

// expandHistory replaces !!, !$, !n, !text and ^a^b^. changed says that the
// line is to be shown; a message is an event that was not found.
func (e *env) expandHistory(line string) (out string, changed bool, missing string) {
	h := e.hist
	if h == nil || strings.IndexByte(line, '!') < 0 && !strings.HasPrefix(line, "^") {
		return line, false, ""
	}
	if strings.HasPrefix(line, "^") && len(h.lines) > 0 {
		parts := strings.Split(line[1:], "^")
		last := h.lines[len(h.lines)-1]
		if len(parts) >= 2 && strings.Contains(last, parts[0]) {
			return strings.Replace(last, parts[0], parts[1], 1), true, ""
		}
		return line, false, ":s" + line
	}
	var b strings.Builder
	single := false
	double := false
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case c == '\\' && i+1 < len(line) && !single:
			b.WriteByte(c)
			i++
			b.WriteByte(line[i])
			continue
		case c == '\'' && !double:
			single = !single
		case c == '"' && !single:
			double = !double
		case c == '!' && !single && i+1 < len(line) && strings.IndexByte(" \t\n=(", line[i+1]) < 0 && !(double && line[i+1] == '"'):
			text, n, ok := h.event(line[i+1:])
			if !ok {
				return line, false, line[i : i+1+n]
			}
			b.WriteString(text)
			changed = true
			i += n
			continue
		}
		b.WriteByte(c)
	}
	return b.String(), changed, ""
}

// event resolves what follows an exclamation mark and how long it is.
func (h *history) event(s string) (text string, n int, ok bool) {
	last := ""
	if len(h.lines) > 0 {
		last = h.lines[len(h.lines)-1]
	}
	words := strings.Fields(last)
	switch {
	case s[0] == '!':
		return last, 1, last != ""
	case s[0] == '$' && len(words) > 0:
		return words[len(words)-1], 1, true
	case s[0] == '*' && len(words) > 0:
		return strings.Join(words[1:], " "), 1, true
	case s[0] == '^' && len(words) > 1:
		return words[1], 1, true
	}
	n = 0
	for n < len(s) && strings.IndexByte(" \t\n;|&()<>\"':", s[n]) < 0 {
		n++
	}
	if v, err := strconv.Atoi(s[:n]); err == nil {
		i := v - h.first - 1
		if v < 0 {
			i = len(h.lines) + v
		}
		if i >= 0 && i < len(h.lines) {
			return h.lines[i], n, true
		}
		return "", n, false
	}
	key, inside := s[:n], false
	if key != "" && key[0] == '?' {
		key, inside = strings.Trim(key, "?"), true
	}
	for i := len(h.lines) - 1; i >= 0 && key != ""; i-- {
		if strings.HasPrefix(h.lines[i], key) || inside && strings.Contains(h.lines[i], key) {
			return h.lines[i], n, true
		}
	}
	return "", n, false
}
