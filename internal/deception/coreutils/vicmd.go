package coreutils

import (
	"strconv"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// bottomKey is a key while a command or a pattern is typed at the bottom.
func (v *vim) bottomKey(c byte) {
	switch {
	case c == '\r' || c == '\n':
		mode := v.mode
		v.mode = 'n'
		if mode == ':' {
			v.command(v.typed)
			return
		}
		if v.typed != "" {
			v.find = v.typed
		}
		v.bottom = string(mode) + v.typed
		v.search()
	case c == 0x1b || c == 3:
		v.mode = 'n'
		v.bottom = " "
	case c == 0x7f || c == 8:
		if v.typed == "" {
			v.mode, v.bottom = 'n', " "
			return
		}
		v.typed = v.typed[:len(v.typed)-1]
	case c >= ' ' && len(v.typed) < 1000:
		v.typed += string(c)
	}
}

func (v *vim) search() {
	for i := 1; i <= len(v.lines) && v.find != ""; i++ {
		v.p.step(1)
		at := (v.y + i) % len(v.lines)
		if x := strings.Index(v.lines[at], v.find); x >= 0 {
			v.y, v.x = at, x
			return
		}
	}
	v.complain("E486: Pattern not found: " + v.find)
}

// complain shows an error in vim's colours.
func (v *vim) complain(msg string) {
	v.quiet = true
	v.bottom = "\x1b[97m\x1b[41m" + msg
	v.redraw()
	v.tinted = true
}

// typedLine is what stands at the bottom when a command leaves the editor.
func (v *vim) typedLine() string {
	return "\x1b[?25l" + v.plainInk() + v.last() + "\x1b[K" + v.last() + ":" + v.typed + "\r"
}

// leave ends the editor without writing; shown is the command line.
func (v *vim) leave(shown string) {
	v.done = true
	v.s.show(shown + vimTyping + vimTitles + v.last() + "\x1b[K" + v.last() + vimQuit)
}

// write saves, and leaves when quit is set.
func (v *vim) write(name string, quit bool, shown string) {
	if name == "" {
		v.complain("E32: No file name")
		return
	}
	_, err := v.p.stat(name)
	created := err != nil
	if err := v.save(name); err != nil {
		switch why(err) {
		case vfs.EACCES.Error(), vfs.EROFS.Error():
			v.complain("E212: Can't open file for writing")
		default:
			v.complain("E514: Write error (file system full?)")
		}
		return
	}
	if v.name == "" {
		v.name = name
	}
	msg := "\"" + name + "\" "
	if created {
		msg += "[New File] "
	}
	n := len(v.lines)
	msg += strconv.Itoa(n) + " line" + pluralS(n) + ", " + strconv.Itoa(v.bytes()) + " bytes written"
	if !quit {
		v.bottom = msg
		return
	}
	v.done = true
	if shown == "" {
		shown = vimTyping + "\x1b[?25l" + v.last()
	} else {
		shown += vimTyping
	}
	v.s.show(shown + msg + "\r" + vimTitles + "\r\r\n" + vimQuit)
}

// command runs what was typed behind the colon.
func (v *vim) command(line string) {
	cmd := strings.TrimSpace(line)
	word, arg, _ := strings.Cut(cmd, " ")
	arg = strings.TrimSpace(arg)
	name := v.name
	if arg != "" {
		name = arg
	}
	shell, isShell := strings.CutPrefix(cmd, "!")
	switch {
	case cmd == "":
	case isShell:
		v.outside(shell)
	case word == "w" || word == "w!" || word == "write":
		v.write(name, false, "")
	case word == "wq" || word == "wq!" || word == "x" || word == "x!" || word == "xit" || word == "wqa" || word == "xa":
		if word[0] == 'x' && !v.changed {
			v.leave(v.typedLine())
			return
		}
		v.write(name, true, v.typedLine())
	case word == "q" || word == "quit" || word == "qa":
		if v.changed {
			v.tinted, v.quiet = true, true
			v.s.show("\x1b[?25l" + v.last() + ":" + v.typed + "\r\x1b[97m\x1b[41mE37: No write since last change (add ! to override)" + v.cursor(true) + "\x1b[?25h")
			return
		}
		v.leave(v.typedLine())
	case word == "q!" || word == "qa!" || word == "quit!":
		v.leave(v.typedLine())
	case strings.HasPrefix(word, "set") || strings.HasPrefix(word, "syn") || word == "noh" || word == "nohl":
	case word == "r" || word == "read":
		v.readIn(arg)
	case word == "sh" || word == "shell":
		v.outside("exec ${SHELL:-sh}")
	default:
		v.addressed(cmd)
	}
}

func (v *vim) readIn(name string) {
	f, err := v.p.openFile(name)
	if err != nil {
		v.complain("E484: Can't open file " + name)
		return
	}
	b, _ := v.p.all(f)
	_ = f.Close()
	for i, l := range splitLines(string(b)) {
		v.open(v.y+1+i, l)
	}
}

// outside runs a command on the plain terminal and waits for Enter.
func (v *vim) outside(cmd string) {
	v.s.show(v.plainInk() + "\x1b[?2004l\x1b[>4;m" + v.last() + "\x1b[K\r\n")
	v.s.close()
	v.p.spawn([]string{"/bin/sh", "-c", cmd}, nil)
	s, ok := v.p.openScreen()
	if !ok {
		v.done = true
		return
	}
	v.s = s
	v.s.show("\r\nPress ENTER or type command to continue")
	v.s.key()
	v.s.show(vimNormal + "\x1b[H\x1b[2J")
	for i := range v.shown {
		v.shown[i] = "\x00"
	}
}

// addressed is a line number, or a substitution in a range.
func (v *vim) addressed(cmd string) {
	if n, err := strconv.Atoi(cmd); err == nil || cmd == "$" {
		if cmd == "$" {
			n = len(v.lines)
		}
		v.y, v.x = min(max(n, 1), len(v.lines))-1, 0
		return
	}
	all := strings.HasPrefix(cmd, "%")
	body := strings.TrimPrefix(cmd, "%")
	switch {
	case all && body == "d":
		v.lines, v.x, v.y, v.changed = []string{""}, 0, 0, true
		v.bottom = "--No lines in buffer--"
	case strings.HasPrefix(body, "s") && len(body) > 3 && strings.Count(body[2:], body[1:2]) >= 1:
		f := strings.Split(body[2:], body[1:2])
		n := 1
		if len(f) > 2 && strings.Contains(f[2], "g") {
			n = -1
		}
		lo, hi := v.y, v.y+1
		if all {
			lo, hi = 0, len(v.lines)
		}
		found := false
		for i := lo; i < hi && f[0] != ""; i++ {
			v.p.step(1 + len(v.lines[i])/64)
			if strings.Contains(v.lines[i], f[0]) {
				v.lines[i], found = strings.Replace(v.lines[i], f[0], f[1], n), true
				v.p.alloc(len(v.lines[i]))
				v.changed = true
			}
		}
		if !found {
			v.complain("E486: Pattern not found: " + f[0])
		}
	default:
		v.p.Watch.Unsupported("vi :" + cmd)
		v.complain("E492: Not an editor command: " + cmd)
	}
}
