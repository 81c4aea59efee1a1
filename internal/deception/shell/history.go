package shell

import (
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/shell/pattern"
	"honeyguide/internal/deception/vfs"
)

// history is what an interactive shell remembers.
type history struct {
	lines []string
	first int // number of lines[0] minus one
	times map[int]int64
	subst [2]string // of the last :s
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

// addHistory adds a line by the rules of HISTCONTROL and HISTIGNORE.
func (e *env) addHistory(line string) {
	h := e.hist
	if h == nil || strings.TrimSpace(line) == "" || e.opts&optHistory == 0 {
		return
	}
	control, _ := e.get("HISTCONTROL")
	both := strings.Contains(control, "ignoreboth")
	if (both || strings.Contains(control, "ignorespace")) && (line[0] == ' ' || line[0] == '\t') {
		return
	}
	if n := len(h.lines); n > 0 && (both || strings.Contains(control, "ignoredups")) && h.lines[n-1] == line {
		return
	}
	if ignore, ok := e.get("HISTIGNORE"); ok && ignore != "" {
		for pat := range strings.SplitSeq(ignore, ":") {
			if pat == "&" && len(h.lines) > 0 {
				pat = pattern.Escape(h.lines[len(h.lines)-1])
			}
			if pattern.Match(pat, line, 0) {
				return
			}
		}
	}
	if strings.Contains(control, "erasedups") {
		h.drop(func(l string) bool { return l == line })
	}
	h.add(line)
	h.stamp(e.k.sh.opt.Now())
	e.stifle()
}

// stifle keeps no more lines than HISTSIZE asks for.
func (e *env) stifle() {
	s, ok := e.get("HISTSIZE")
	if n, err := strconv.Atoi(s); ok && err == nil && n >= 0 && len(e.hist.lines) > n {
		e.hist.first += len(e.hist.lines) - n
		e.hist.lines = append([]string(nil), e.hist.lines[len(e.hist.lines)-n:]...)
	}
}

// drop forgets lines.
func (h *history) drop(gone func(string) bool) {
	kept := make([]string, 0, len(h.lines))
	for _, l := range h.lines {
		if !gone(l) {
			kept = append(kept, l)
		}
	}
	h.lines = kept
}

// stamp remembers when the last line was typed; only the times of this session
// are known.
func (h *history) stamp(t time.Time) {
	if h.times == nil {
		h.times = map[int]int64{}
	}
	if len(h.times) < maxHistory {
		h.times[h.first+len(h.lines)] = t.Unix()
	}
}

func historyBuiltin(e *env, args []string) int {
	h := e.hist
	if h == nil {
		h = &history{}
		e.hist = h
	}
	n := -1
	for i := 1; i < len(args); i++ {
		a := args[i]
		rest := args[i+1:]
		switch {
		case a == "-c":
			h.lines, h.first, h.times = nil, 0, nil
			e.histLoaded = 0
			if len(rest) == 0 {
				return 0
			}
			continue
		case a == "-d" && len(rest) > 0:
			return e.forgetLine(rest[0])
		case a == "-d":
			e.errorf("history: -d: option requires an argument")
			return e.usage("history")
		case strings.HasPrefix(a, "-d"):
			return e.forgetLine(a[2:])
		case a == "-s" || a == "-p":
			if a == "-p" {
				return e.showExpanded(rest)
			}
			if k := len(h.lines); k > 0 && e.interactive { // takes the place of the command itself
				h.lines = h.lines[:k-1]
			}
			h.add(strings.Join(rest, " "))
			return 0
		case a == "-w" || a == "-a":
			return e.saveHistory(rest, a == "-a")
		case a == "-r" || a == "-n":
			return e.loadHistory(rest)
		case a == "--":
			continue
		case len(a) > 1 && a[0] == '-':
			return e.badOption("history", a[:2])
		}
		v, err := strconv.Atoi(a)
		if err != nil {
			e.errorf("history: %s: numeric argument required", a)
			return 1
		}
		if len(rest) > 0 {
			e.errorf("history: too many arguments")
			return 1
		}
		n = v
	}
	from := 0
	if n >= 0 {
		from = max(0, len(h.lines)-n)
	}
	format, stamped := e.get("HISTTIMEFORMAT")
	for i := from; i < len(h.lines); i++ {
		e.k.step(1)
		at := ""
		if stamped && format != "" {
			t := e.began
			if u, ok := h.times[h.first+i+1]; ok {
				t = time.Unix(u, 0).UTC()
			}
			at = strftime(format, t)
		}
		e.out(pad(strconv.Itoa(h.first+i+1), 5) + "  " + at + h.lines[i] + "\n")
	}
	return 0
}

// showExpanded is history -p.
func (e *env) showExpanded(words []string) int {
	for _, w := range words {
		x := e.expandHistory(w)
		if x.err != "" {
			e.errorf("history: %s: history expansion failed", w)
			return 1
		}
		e.out(x.text + "\n")
	}
	return 0
}

// loadHistory is history -r.
func (e *env) loadHistory(args []string) int {
	path, _ := e.get("HISTFILE")
	if len(args) > 0 {
		path = args[0]
	}
	if path == "" {
		return 0
	}
	text, err := e.readScript(path)
	if err != nil {
		e.errorf("history: %s: cannot read: %s", path, errText(err))
		return 1
	}
	for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
		e.hist.add(line)
	}
	return 0
}

// forgetLine is history -d: a line, or a range of lines.
func (e *env) forgetLine(arg string) int {
	h := e.hist
	place := func(s string) (int, bool) {
		n, err := strconv.Atoi(s)
		i := n - h.first - 1
		if n < 0 {
			i = len(h.lines) + n
		}
		return i, err == nil && i >= 0 && i < len(h.lines)
	}
	from, to := arg, arg
	if i := strings.IndexByte(arg[min(1, len(arg)):], '-'); i >= 0 {
		from, to = arg[:i+1], arg[i+2:]
	}
	a, ok := place(from)
	b, ok2 := place(to)
	if !ok || !ok2 || b < a {
		e.errorf("history: %s: history position out of range", arg)
		return 1
	}
	h.lines = append(h.lines[:a:a], h.lines[b+1:]...)
	return 0
}

// saveHistory writes the lines to a file, as history -w does, or adds those of
// this session, as -a and a shell's end do.
func (e *env) saveHistory(args []string, fresh bool) int {
	path := ""
	if len(args) > 0 {
		path = args[0]
	} else if p, ok := e.get("HISTFILE"); ok {
		path = p
	}
	if path == "" || e.fs == nil || e.hist == nil {
		return 0
	}
	lines, flags := e.hist.lines, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_TRUNC
	if fresh {
		lines, flags = lines[min(max(0, e.histLoaded-e.hist.first), len(lines)):], vfs.O_WRONLY|vfs.O_CREATE|vfs.O_APPEND
		e.histLoaded = e.hist.first + len(e.hist.lines)
	}
	f, err := e.fs.Open(e.cred, e.abs(path), flags, 0o600)
	if err != nil {
		e.errorf("history: %s: cannot create: %s", path, errText(err))
		return 1
	}
	defer f.Close()
	for _, l := range lines {
		if _, err := f.Write([]byte(l + "\n")); err != nil {
			break
		}
	}
	return 0
}
