package coreutils

import (
	"slices"
	"strconv"
	"strings"
	"time"
)

// knownTerminal reports whether the terminfo of a TERM is installed.
func (p *Proc) knownTerminal(term string) bool {
	if term == "" || strings.Contains(term, "/") {
		return false
	}
	for _, dir := range []string{"/etc/terminfo/", "/lib/terminfo/", "/usr/share/terminfo/"} {
		if _, err := p.stat(dir + term[:1] + "/" + term); err == nil {
			return true
		}
	}
	return slices.Contains(shippedTerminals, term)
}

// shippedTerminals are those of Debian's ncurses-base.
var shippedTerminals = strings.Fields("Eterm Eterm-color ansi cons25 cons25-debian cygwin dumb hurd linux mach mach-bold mach-color mach-gnu mach-gnu-color pcansi rxvt rxvt-basic rxvt-m rxvt-unicode rxvt-unicode-256color screen screen-256color screen-256color-bce screen-bce screen-s screen-w screen.xterm-256color sun tmux tmux-256color vt100 vt102 vt220 vt52 wsvt25 wsvt25m xterm xterm-256color xterm-color xterm-debian xterm-mono xterm-r5 xterm-r6 xterm-vt220 xterm-xfree86")

// termOption takes -T, -x and the like off the operands of clear and tput.
func (p *Proc) termOption() (term string, rest []string) {
	term = p.Env("TERM")
	args := p.Args[1:]
	for len(args) > 0 && strings.HasPrefix(args[0], "-") && len(args[0]) > 1 {
		if v, ok := strings.CutPrefix(args[0], "-T"); ok {
			if v == "" && len(args) > 1 {
				args, v = args[1:], args[1]
			}
			term = v
		}
		args = args[1:]
	}
	return term, args
}

func clearCmd(p *Proc) int {
	if slices.Contains(p.Args, "-V") {
		p.print(cursesVersion)
		return 0
	}
	term, _ := p.termOption()
	switch {
	case term == "":
		p.complain("TERM environment variable not set.\n")
		return 1
	case !p.knownTerminal(term):
		p.complain("'" + term + "': unknown terminal type.\n")
		return 1
	}
	wipe, _ := capability(term, "clear", nil)
	if strings.HasPrefix(term, "xterm") && !slices.Contains(p.Args, "-x") {
		wipe += "\x1b[3J"
	}
	p.print(wipe)
	return 0
}

const cursesVersion = "ncurses 6.4.20221231\n"

// resetCmd writes to standard error and waits a second for slow terminals.
func resetCmd(p *Proc) int {
	term, _ := p.termOption()
	switch {
	case !p.StdinTTY && !p.TTY:
		p.errorf("terminal attributes: No such device or address\n")
		return 10
	case !p.knownTerminal(term):
		p.errorf("unknown terminal type %s", term)
		return 1
	}
	text := "\x1bc\x1b]104\a"
	if !strings.HasPrefix(term, "xterm") {
		text = "\x1bc"
	} else if p.name == "tset" {
		text = ""
	}
	if strings.HasPrefix(term, "xterm") {
		text += "\x1b[!p\x1b[?3;4l\x1b[4l\x1b>\x1b[?69l"
	}
	p.complain(text + "\r")
	p.sleep(time.Second)
	return 0
}

// strings of terminfo for the terminals that call themselves xterm.
var xtermStrings = map[string]string{
	"bold": "\x1b[1m", "dim": "\x1b[2m", "sitm": "\x1b[3m", "ritm": "\x1b[23m", "smul": "\x1b[4m", "rmul": "\x1b[24m", "blink": "\x1b[5m", "rev": "\x1b[7m", "invis": "\x1b[8m",
	"smso": "\x1b[7m", "rmso": "\x1b[27m", "sgr0": "\x1b(B\x1b[m", "op": "\x1b[39;49m", "clear": "\x1b[H\x1b[2J", "home": "\x1b[H", "el": "\x1b[K", "el1": "\x1b[1K", "ed": "\x1b[J",
	"civis": "\x1b[?25l", "cnorm": "\x1b[?12l\x1b[?25h", "cvvis": "\x1b[?12;25h", "smcup": "\x1b[?1049h\x1b[22;0;0t", "rmcup": "\x1b[?1049l\x1b[23;0;0t", "sc": "\x1b7", "rc": "\x1b8",
	"cr": "\r", "bel": "\a", "ind": "\n", "ri": "\x1bM", "cuu1": "\x1b[A", "cud1": "\n", "cuf1": "\x1b[C", "cub1": "\b", "dch1": "\x1b[P", "il1": "\x1b[L", "dl1": "\x1b[M", "ich1": "\x1b[@",
	"kcuu1": "\x1bOA", "kcud1": "\x1bOB", "kcuf1": "\x1bOC", "kcub1": "\x1bOD", "khome": "\x1bOH", "kend": "\x1bOF", "kbs": "\x7f", "kdch1": "\x1b[3~", "smkx": "\x1b[?1h\x1b=", "rmkx": "\x1b[?1l\x1b>",
	"smir": "\x1b[4h", "rmir": "\x1b[4l", "flash": "\x1b[?5h\x1b[?5l", "ht": "\t", "cbt": "\x1b[Z",
}

// capability is what terminfo says of a terminal; ok is false for a name that is
// none. A flag is the empty text.
func capability(term, name string, args []string) (text string, ok bool) {
	n := make([]int, 2)
	for i := range n {
		if i < len(args) {
			n[i], _ = strconv.Atoi(args[i])
		}
	}
	switch name {
	case "cup":
		return sprintf("\x1b[%d;%dH", n[0]+1, n[1]+1), true
	case "hpa":
		return sprintf("\x1b[%dG", n[0]+1), true
	case "vpa":
		return sprintf("\x1b[%dd", n[0]+1), true
	case "csr":
		return sprintf("\x1b[%d;%dr", n[0]+1, n[1]+1), true
	case "cuu", "cud", "cuf", "cub", "dch", "il", "dl", "ich", "ech":
		return sprintf("\x1b[%d%s", n[0], map[string]string{"cuu": "A", "cud": "B", "cuf": "C", "cub": "D", "dch": "P", "il": "L", "dl": "M", "ich": "@", "ech": "X"}[name]), true
	case "setaf", "setf":
		return colour(n[0], 30), true
	case "setab", "setb":
		return colour(n[0], 40), true
	}
	if name == "clear" && !strings.HasPrefix(term, "xterm") && !strings.HasPrefix(term, "rxvt") {
		if term == "dumb" {
			return "", true
		}
		return "\x1b[H\x1b[J", true
	}
	text, ok = xtermStrings[name]
	if term == "dumb" && ok && name != "cr" && name != "bel" && name != "ind" && name != "cud1" {
		text = ""
	}
	return text, ok
}

// colour is setaf or setab; base is the code of the first colour.
func colour(n, base int) string {
	switch {
	case n < 8:
		return sprintf("\x1b[%dm", base+n)
	case n < 16:
		return sprintf("\x1b[%dm", base+60+n-8)
	}
	return sprintf("\x1b[%d;5;%dm", base+8, n)
}

func tput(p *Proc) int {
	if len(p.Args) > 1 && p.Args[1] == "-V" {
		p.print(cursesVersion)
		return 0
	}
	term, args := p.termOption()
	switch {
	case term == "":
		p.errorf("No value for $TERM and no -T specified")
		return 2
	case !p.knownTerminal(term):
		p.errorf("unknown terminal \"%s\"", term)
		return 3
	case len(args) == 0 && !slices.Contains(p.Args, "-S"):
		p.complain(manners["tput"].after)
		return 2
	case len(args) == 0:
		return 0
	}
	return p.tellCapability(term, args)
}

// tellCapability is tput NAME.
func (p *Proc) tellCapability(term string, args []string) int {
	number := map[string]string{"cols": strconv.Itoa(max(p.Cols, 1)), "lines": strconv.Itoa(max(p.Rows, 1)), "colors": "8", "it": "8", "pairs": "64"}
	if p.Cols == 0 {
		number["cols"], number["lines"] = "80", "24"
	}
	if strings.HasSuffix(term, "256color") {
		number["colors"], number["pairs"] = "256", "65536"
	}
	if term == "dumb" || strings.HasPrefix(term, "vt") {
		number["colors"], number["pairs"] = "-1", "-1"
	}
	switch name := args[0]; name {
	case "cols", "lines", "colors", "it", "pairs":
		p.print(number[name] + "\n")
		return 0
	case "longname":
		p.print(map[bool]string{true: "xterm with 256 colors", false: term}[term == "xterm-256color"])
		return 0
	case "am", "xenl", "bce", "km", "mir", "msgr", "npc", "ccc", "mc5i", "xon", "bw", "hs", "eslok":
		if slices.Contains([]string{"am", "xenl", "bce", "km", "mir", "msgr", "npc", "mc5i"}, name) {
			return 0
		}
		return 1
	case "clear":
		return clearCmd(p)
	case "reset", "init":
		return resetCmd(p)
	}
	text, ok := capability(term, args[0], args[1:])
	if !ok {
		p.errorf("unknown terminfo capability '%s'", args[0])
		return 4
	}
	p.print(text)
	if text == "" {
		return 1
	}
	return 0
}
