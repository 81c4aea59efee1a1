package shell

import (
	"strconv"
	"strings"
)

// stty reads and changes the terminal's settings, which are this package's.
func (e *env) stty(args []string) int {
	o := e.fds.get(0)
	t, ok := (*tty)(nil), false
	if o != nil {
		t, ok = o.file.(*tty)
	}
	if bad := sttyRefuses(args[1:]); bad != "" {
		e.warn("stty: invalid argument ‘" + bad + "’\nTry 'stty --help' for more information.\n")
		return 1
	}
	if !ok {
		e.warn("stty: 'standard input': Inappropriate ioctl for device\n")
		return 1
	}
	if len(args) == 1 {
		e.out("speed 38400 baud; line = 0;\n-brkint -imaxbel\n")
		return 0
	}
	for i := 1; i < len(args); i++ {
		a := args[i]
		on := !strings.HasPrefix(a, "-")
		switch strings.TrimPrefix(a, "-") {
		case "a", "-all":
			e.out(t.settings(e.k.sh.cols(), e.k.sh.rows()))
		case "g", "-save":
			e.out("500:5:bf:8a3b:3:1c:7f:15:4:0:1:0:11:13:1a:0:12:f:17:16:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0\n")
		case "size":
			e.out(strconv.Itoa(e.k.sh.rows()) + " " + strconv.Itoa(e.k.sh.cols()) + "\n")
		case "speed":
			e.out("38400\n")
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
		case "sane":
			t.echo, t.canon, t.isig = true, true, true
		default:
			if sttyTakes(a) {
				i++
			}
		}
	}
	return 0
}

// sttyTakes reports a setting whose value follows it.
func sttyTakes(a string) bool {
	return strings.Contains(" cols columns rows erase intr kill eof eol eol2 susp dsusp swtch discard quit start stop min time werase lnext rprnt ispeed ospeed line ", " "+a+" ")
}

// sttyRefuses is the first argument that stty does not know: it looks at them
// all before it looks at the terminal.
func sttyRefuses(args []string) string {
	for i := 0; i < len(args); i++ {
		a := args[i]
		switch strings.TrimPrefix(a, "-") {
		case "a", "-all", "g", "-save", "size", "speed", "raw", "cooked", "sane", "cbreak", "pass8", "litout", "nl", "ek", "dec", "crt", "evenp", "parity", "oddp", "decctlq", "tabs", "lcase", "LCASE", "drain", "":
			continue
		case "F", "-file":
			i++
			continue
		}
		if n, err := strconv.Atoi(a); err == nil && n >= 0 {
			continue
		}
		switch {
		case sttyTakes(a):
			i++
		case strings.HasPrefix(a, "--file="):
		case !sttyKnows(strings.TrimPrefix(a, "-")):
			return a
		}
	}
	return ""
}

// sttyKnows reports a setting that exists and changes nothing here.
func sttyKnows(s string) bool {
	for w := range strings.FieldsSeq(sttyModes) {
		if strings.TrimPrefix(w, "-") == s {
			return true
		}
	}
	return strings.Count(s, ":") > 10 || s == "echoctl" || s == "crterase"
}

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
