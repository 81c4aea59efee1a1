package shell

import (
	"slices"
	"strconv"
	"strings"
)

// stty reads and changes the terminal's settings, which are this package's.
func (e *env) stty(args []string) int {
	args, t, ok := e.sttyDevice(args[1:])
	if !ok {
		return 1
	}
	if slices.Contains(args, "-a") && slices.Contains(args, "-g") {
		e.warn("stty: the options for verbose and stty-readable output styles are\nmutually exclusive\n")
		return 1
	}
	if len(args) == 0 {
		e.out(t.changed())
		return 0
	}
	for i := 0; i < len(args); i++ {
		a := args[i]
		name := strings.TrimPrefix(a, "-")
		switch {
		case slices.Contains(sttyValues, a):
			if i++; i >= len(args) {
				return e.sttyUsage("missing argument to ‘" + a + "’")
			}
			if !e.sttyValue(t, a, args[i]) {
				return 1
			}
		case e.sttyTold(t, name):
		case !t.mode(name, name == a) && !sttyKnows(name):
			return e.sttyUsage("invalid argument ‘" + a + "’")
		}
	}
	return 0
}

// sttyDevice finds the terminal that is meant: standard input or that of -F.
func (e *env) sttyDevice(args []string) (rest []string, t *tty, ok bool) {
	device, o := "standard input", e.fds.get(0)
	for i := 0; i < len(args); i++ {
		path, named := strings.CutPrefix(args[i], "--file=")
		if short, is := strings.CutPrefix(args[i], "-F"); is {
			path, named = short, true
		}
		switch {
		case !named:
			rest = append(rest, args[i])
			continue
		case path == "" && i+1 < len(args):
			i++
			path = args[i]
		}
		f, err := e.openPath(e.abs(path), 0)
		if err != nil {
			e.warn("stty: " + path + ": " + errText(err) + "\n")
			return nil, nil, false
		}
		defer f.drop()
		device, o = path, f
	}
	if o != nil {
		t, ok = o.file.(*tty)
	}
	if !ok {
		if device == "standard input" {
			device = "'standard input'"
		}
		e.warn("stty: " + device + ": Inappropriate ioctl for device\n")
	}
	return rest, t, ok
}

func (e *env) sttyUsage(text string) int {
	e.warn("stty: " + text + "\nTry 'stty --help' for more information.\n")
	return 1
}

// sttyTold is what an argument asks to be told.
func (e *env) sttyTold(t *tty, name string) bool {
	switch name {
	case "a", "-all":
		e.out(t.settings(e.k.sh.cols(), e.k.sh.rows()))
	case "g", "-save":
		e.out("500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0\n")
	case "size":
		e.out(strconv.Itoa(e.k.sh.rows()) + " " + strconv.Itoa(e.k.sh.cols()) + "\n")
	case "speed":
		e.out("38400\n")
	default:
		return false
	}
	return true
}

// sttyValues are the arguments that take another one.
var sttyValues = strings.Fields("cols columns rows min time ispeed ospeed line intr quit erase kill eof eol eol2 swtch start stop susp rprnt werase lnext discard")

// sttyValue sets one of them.
func (e *env) sttyValue(t *tty, name, value string) bool {
	switch name {
	case "cols", "columns", "rows", "min", "time", "line":
		n, err := strconv.ParseUint(value, 0, 16)
		if err != nil {
			e.warn("stty: invalid integer argument: ‘" + value + "’\n")
			return false
		}
		if cols, rows := e.k.sh.cols(), e.k.sh.rows(); name == "rows" {
			e.k.sh.Resize(cols, int(n))
		} else if name[0] == 'c' {
			e.k.sh.Resize(int(n), rows)
		}
	case "ispeed", "ospeed":
	default:
		if len(value) > 2 && value != "undef" || len(value) == 2 && value[0] != '^' {
			if _, err := strconv.ParseUint(value, 0, 8); err != nil {
				e.warn("stty: invalid integer argument: ‘" + value + "’\n")
				return false
			}
		}
	}
	return true
}

// mode switches what this terminal really does.
func (t *tty) mode(name string, on bool) bool {
	switch name {
	case "echo":
		t.echo = on
	case "icanon":
		t.canon = on
	case "isig":
		t.isig = on
	case "raw":
		t.canon, t.isig = !on, !on
	case "cooked":
		t.canon, t.isig = on, on
	case "cbreak":
		t.canon = !on
	case "sane":
		t.echo, t.canon, t.isig = true, true, true
	default:
		return false
	}
	return true
}

// changed is stty without arguments: what is otherwise than usual.
func (t *tty) changed() string {
	text := "speed 38400 baud; line = 0;\n"
	if !t.canon {
		text += "min = 1; time = 0;\n"
	}
	text += "-brkint -imaxbel\n"
	var off []string
	for _, m := range []struct {
		name string
		on   bool
	}{{"-isig", t.isig}, {"-icanon", t.canon}, {"-echo", t.echo}} {
		if !m.on {
			off = append(off, m.name)
		}
	}
	if len(off) > 0 {
		text += strings.Join(off, " ") + "\n"
	}
	return text
}

// sttyKnows reports a setting that exists and changes nothing here.
func sttyKnows(s string) bool {
	for w := range strings.FieldsSeq(sttyModes) {
		if strings.TrimPrefix(w, "-") == s {
			return true
		}
	}
	if n, err := strconv.Atoi(s); err == nil {
		return slices.Contains([]int{0, 50, 75, 110, 300, 600, 1200, 2400, 4800, 9600, 19200, 38400, 57600, 115200, 230400}, n)
	}
	return strings.Count(s, ":") > 10 || slices.Contains(sttyMore, s)
}

// sttyMore are names of settings that stty -a does not show.
var sttyMore = strings.Fields("crterase crtkill ctlecho prterase hup tandem litout pass8 nl ek crt dec decctlq lcase LCASE evenp oddp parity tabs drain cs5 cs6 cs7 nl1 cr1 cr2 cr3 tab1 tab2 tab3 bs1 vt1 ff1")

const sttyModes = `-parenb -parodd -cmspar cs8 -hupcl -cstopb cread -clocal -crtscts
-ignbrk -brkint -ignpar -parmrk -inpck -istrip -inlcr -igncr icrnl ixon -ixoff
-iuclc -ixany -imaxbel -iutf8
opost -olcuc -ocrnl onlcr -onocr -onlret -ofill -ofdel nl0 cr0 tab0 bs0 vt0 ff0
isig icanon iexten echo echoe echok -echonl -noflsh -xcase -tostop -echoprt
echoctl echoke -flusho -extproc
`

// settings is stty -a.
func (t *tty) settings(cols, rows int) string {
	modes := sttyModes
	for name, on := range map[string]bool{" echo ": t.echo, " icanon ": t.canon} {
		if !on {
			modes = strings.Replace(modes, name, " -"+name[1:], 1)
		}
	}
	if !t.isig {
		modes = strings.Replace(modes, "\nisig", "\n-isig", 1)
	}
	return "speed 38400 baud; rows " + strconv.Itoa(rows) + "; columns " + strconv.Itoa(cols) + "; line = 0;\n" +
		"intr = ^C; quit = ^\\; erase = ^?; kill = ^U; eof = ^D; eol = <undef>;\n" +
		"eol2 = <undef>; swtch = <undef>; start = ^Q; stop = ^S; susp = ^Z; rprnt = ^R;\n" +
		"werase = ^W; lnext = ^V; discard = ^O; min = 1; time = 0;\n" + modes
}
