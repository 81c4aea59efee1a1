package shell

import (
	"slices"
	"strconv"
	"strings"
)

func setBuiltin(e *env, args []string) int {
	if len(args) == 1 {
		e.printSet()
		return 0
	}
	i := 1
	for ; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			e.setParams(args[i+1:])
			return 0
		}
		if a == "-" {
			e.opts &^= optXTrace | optVerbose
			if i+1 < len(args) {
				e.setParams(args[i+1:])
			}
			return 0
		}
		if len(a) < 2 || a[0] != '-' && a[0] != '+' {
			break
		}
		if a[1] == 'o' && len(a) == 2 {
			if i+1 >= len(args) {
				e.listOptions(a[0] == '-')
				return 0
			}
			i++
			if !e.setOption(args[i], a[0] == '-') {
				if e.dialect == dash {
					e.errorf("set: Illegal option %so %s", a[:1], args[i])
					e.status, e.flow = 2, exiting
					return 2
				} else if e.dialect == ash {
					e.builtinError("set", "illegal option "+a[:1]+"o "+args[i])
					e.status, e.flow = 2, exiting
					return 2
				}
				e.errorf("set: %s: invalid option name", args[i])
				return 2
			}
			continue
		}
		named := strings.IndexByte(a, 'o')
		if c := e.setFlags(strings.ReplaceAll(a, "o", "")); c != 0 {
			return e.badOption("set", a[:1]+string(c))
		}
		if named > 0 && i+1 < len(args) {
			i++
			if !e.setOption(args[i], a[0] == '-') {
				e.errorf("set: %s: invalid option name", args[i])
				return 2
			}
		}
	}
	if i < len(args) {
		e.setParams(args[i:])
	}
	return 0
}

// setFlags sets or clears options by letters and returns the first it does not
// know, or 0.
func (e *env) setFlags(a string) byte {
	for _, c := range []byte(a[1:]) {
		known := false
		for _, o := range setOptions {
			if o.flag == c {
				known = true
				e.flip(o.bit, a[0] == '-')
			}
		}
		if !known {
			return c
		}
	}
	return 0
}

func (e *env) flip(bit option, on bool) {
	if bit == optPosix {
		e.posixVariable(on)
	}
	switch { // one editing mode at most
	case on && bit == optVi:
		e.opts &^= optEmacs
	case on && bit == optEmacs:
		e.opts &^= optVi
	}
	if on {
		e.opts |= bit
	} else {
		e.opts &^= bit
	}
}

// posixVariable keeps POSIXLY_CORRECT in step with set -o posix.
func (e *env) posixVariable(on bool) {
	_, is := e.vars["POSIXLY_CORRECT"]
	switch {
	case on && !is:
		_ = e.set("POSIXLY_CORRECT", "y")
	case !on && is:
		_ = e.unsetVar("POSIXLY_CORRECT")
	}
}

func (e *env) setOption(name string, on bool) bool {
	for _, o := range setOptions {
		if o.name == name && (e.dialect != dash || slices.Contains(dashOptions, name)) {
			e.flip(o.bit, on)
			return true
		}
	}
	return false
}

// listOptions is set -o (a table) and set +o (commands).
func (e *env) listOptions(table bool) {
	if e.dialect != bash {
		e.listDashOptions(table)
		return
	}
	for _, o := range setOptions {
		on := e.opts&o.bit != 0
		switch {
		case table && on:
			e.out(padRight(o.name, 15) + "\ton\n")
		case table:
			e.out(padRight(o.name, 15) + "\toff\n")
		case on:
			e.out("set -o " + o.name + "\n")
		default:
			e.out("set +o " + o.name + "\n")
		}
	}
}

// dashOptions are dash's options in its order.
var dashOptions = []string{
	"errexit", "noglob", "ignoreeof", "interactive", "monitor", "noexec", "stdin", "xtrace", "verbose", "vi", "emacs", "noclobber",
	"allexport", "notify", "nounset", "nolog", "debug",
}

func (e *env) listDashOptions(table bool) {
	if table {
		e.out("Current option settings\n")
	}
	for _, n := range dashOptions {
		on := n == "interactive" && e.interactive || n == "stdin" && !e.command && e.script == ""
		for _, o := range setOptions {
			if o.name == n && e.opts&o.bit != 0 {
				on = true
			}
		}
		word := "off"
		if on {
			word = "on"
		}
		switch {
		case table:
			e.out(padRight(n, 16) + word + "\n")
		case on:
			e.out("set -o " + n + "\n")
		default:
			e.out("set +o " + n + "\n")
		}
	}
}

func padRight(s string, n int) string {
	if len(s) < n {
		return s + strings.Repeat(" ", n-len(s))
	}
	return s
}

func shoptBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "pqsuo", "")
	if st != 0 {
		return st
	}
	_, on := opts['s']
	_, off := opts['u']
	_, quiet := opts['q']
	_, again := opts['p']
	if _, o := opts['o']; o {
		return e.shoptSet(names, on, off, quiet)
	}
	if on && off {
		e.errorf("shopt: cannot set and unset shell options simultaneously")
		return 1
	}
	if len(names) == 0 {
		for i, n := range shoptNames {
			is := e.shopts&(1<<i) != 0
			if on && !is || off && is || quiet {
				continue
			}
			e.out(shoptLine(n, is, again))
		}
		return 0
	}
	status := 0
	for _, n := range names {
		bit, ok := shoptBit(n)
		if !ok {
			e.errorf("shopt: %s: invalid shell option name", n)
			status = 1
			continue
		}
		switch {
		case on:
			e.shopts |= bit
		case off:
			e.shopts &^= bit
		default:
			is := e.shopts&bit != 0
			if !quiet {
				e.out(shoptLine(n, is, again))
			}
			if !is {
				status = 1
			}
		}
	}
	return status
}

func shoptLine(n string, on, again bool) string {
	switch {
	case again && on:
		return "shopt -s " + n + "\n"
	case again:
		return "shopt -u " + n + "\n"
	case on:
		return padRight(n, 15) + "\ton\n"
	}
	return padRight(n, 15) + "\toff\n"
}

// shoptSet is shopt -o: set's options.
func (e *env) shoptSet(names []string, on, off, quiet bool) int {
	if len(names) == 0 {
		e.listOptions(true)
		return 0
	}
	status := 0
	for _, n := range names {
		switch {
		case (on || off) && e.setOption(n, on):
		case !on && !off:
			for _, o := range setOptions {
				if o.name == n {
					if e.opts&o.bit == 0 {
						status = 1
					}
					if !quiet {
						e.out(shoptLine(n, e.opts&o.bit != 0, false))
					}
				}
			}
		default:
			e.errorf("shopt: %s: invalid option name", n)
			status = 1
		}
	}
	return status
}

func getoptsBuiltin(e *env, args []string) int {
	if len(args) > 1 && len(args[1]) > 1 && args[1][0] == '-' && e.dialect == bash {
		if args[1] != "--" {
			return e.badOption("getopts", args[1][:2])
		}
		args = append(args[:1:1], args[2:]...)
	}
	if len(args) < 3 {
		return e.usage("getopts")
	}
	spec, name := args[1], args[2]
	words := e.params
	if len(args) > 3 {
		words = args[3:]
	}
	silent := strings.HasPrefix(spec, ":")
	s, _ := e.get("OPTIND")
	ind, err := strconv.Atoi(s)
	if err != nil || ind < 1 {
		ind = 1
	}
	finish := func() int {
		e.setOpt("OPTIND", strconv.Itoa(ind))
		e.optPos = 0
		e.setOpt(name, "?")
		return 1
	}
	if !isName(name) && e.dialect == bash {
		e.errorf("getopts: `%s': not a valid identifier", name)
		return 1
	}
	if ind > len(words) {
		return finish()
	}
	w := words[ind-1]
	if e.optPos == 0 {
		if len(w) < 2 || w[0] != '-' {
			return finish()
		}
		if w == "--" {
			ind++
			return finish()
		}
		e.optPos = 1
	}
	c := w[min(e.optPos, len(w)-1)]
	e.optPos++
	pos := e.optPos
	next := func() {
		if pos >= len(w) {
			ind++
			pos = 0
		}
	}
	at := strings.IndexByte(strings.TrimPrefix(spec, ":"), c)
	spec = strings.TrimPrefix(spec, ":")
	opt, arg, hasArg := string(c), "", false
	switch {
	case at < 0 || c == ':':
		opt = "?"
		if silent {
			arg, hasArg = string(c), true
		} else {
			e.getoptsError("illegal option -- ", "Illegal option -", c, "")
		}
		next()
	case at+1 < len(spec) && spec[at+1] == ':':
		hasArg = true
		switch {
		case pos < len(w):
			arg = w[pos:]
			ind++
		case ind < len(words):
			arg = words[ind]
			ind += 2
		default:
			ind++
			opt, hasArg = "?", false
			if silent {
				opt, arg, hasArg = ":", string(c), true
			} else {
				e.getoptsError("option requires an argument -- ", "No arg for -", c, " option")
			}
		}
		pos = 0
	default:
		next()
	}
	e.setOpt("OPTIND", strconv.Itoa(ind))
	e.optPos = pos
	if hasArg {
		e.setOpt("OPTARG", arg)
	} else if e.vars["OPTARG"] != nil {
		e.own()
		delete(e.vars, "OPTARG")
	}
	if !isName(name) {
		e.errorf("getopts: `%s': not a valid identifier", name)
		return 1
	}
	return e.setOpt(name, opt)
}

// getoptsError complains of an option in the words of bash or of dash.
func (e *env) getoptsError(text, dashText string, c byte, dashEnd string) {
	if e.dialect == dash {
		e.warn(dashText + string(c) + dashEnd + "\n")
		return
	}
	e.warn(e.name + ": " + text + string(c) + "\n")
}

func (e *env) setOpt(name, val string) int {
	if err := e.set(name, val); err != nil {
		e.errorf("%s", err)
		return 1
	}
	return 0
}

// setParams replaces the positional parameters for good.
func (e *env) setParams(p []string) {
	n := 0
	for _, s := range p {
		n += len(s) + perWord
	}
	if err := e.account(n - e.paramSize); err != nil {
		return
	}
	e.params, e.paramSize = p, n
}
