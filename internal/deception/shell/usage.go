package shell

import (
	"sort"
	"strings"
)

// usages are the synopses of bash's builtins, which help and usage errors show.
var usages = map[string]string{
	":": "", ".": "filename [arguments]", "[": "arg... ]", "alias": "[-p] [name[=value] ... ]", "bg": "[job_spec ...]",
	"bind":  "[-lpsvPSVX] [-m keymap] [-f filename] [-q name] [-u name] [-r keyseq] [-x keyseq:shell-command] [keyseq:readline-function or readline-command]",
	"break": "[n]", "builtin": "[shell-builtin [arg ...]]", "caller": "[expr]", "cd": "[-L|[-P [-e]] [-@]] [dir]",
	"command": "[-pVv] command [arg ...]", "continue": "[n]",
	"compgen":  "[-abcdefgjksuv] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [word]",
	"complete": "[-abcdefgjksuv] [-pr] [-DEI] [-o option] [-A action] [-G globpat] [-W wordlist] [-F function] [-C command] [-X filterpat] [-P prefix] [-S suffix] [name ...]",
	"compopt":  "[-o|+o option] [-DEI] [name ...]",
	"declare":  "[-aAfFgiIlnrtux] [name[=value] ...] or declare -p [-aAfFilnrtux] [name ...]",
	"dirs":     "[-clpv] [+N] [-N]", "disown": "[-h] [-ar] [jobspec ... | pid ...]", "echo": "[-neE] [arg ...]",
	"enable": "[-a] [-dnps] [-f filename] [name ...]", "eval": "[arg ...]",
	"exec": "[-cl] [-a name] [command [argument ...]] [redirection ...]", "exit": "[n]",
	"export": "[-fn] [name[=value] ...] or export -p", "false": "",
	"fc": "[-e ename] [-lnr] [first] [last] or fc -s [pat=rep] [command]", "fg": "[job_spec]", "getopts": "optstring name [arg ...]",
	"hash": "[-lr] [-p pathname] [-dt] [name ...]", "help": "[-dms] [pattern ...]",
	"history": "[-c] [-d offset] [n] or history -anrw [filename] or history -ps arg [arg...]",
	"jobs":    "[-lnprs] [jobspec ...] or jobs -x command [args]",
	"kill":    "[-s sigspec | -n signum | -sigspec] pid | jobspec ... or kill -l [sigspec]",
	"let":     "arg [arg ...]", "local": "[option] name[=value] ...", "logout": "[n]",
	"mapfile": "[-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]",
	"popd":    "[-n] [+N | -N]", "printf": "[-v var] format [arguments]", "pushd": "[-n] [+N | -N | dir]", "pwd": "[-LP]",
	"read":      "[-ers] [-a array] [-d delim] [-i text] [-n nchars] [-N nchars] [-p prompt] [-t timeout] [-u fd] [name ...]",
	"readarray": "[-d delim] [-n count] [-O origin] [-s count] [-t] [-u fd] [-C callback] [-c quantum] [array]",
	"readonly":  "[-aAf] [name[=value] ...] or readonly -p", "return": "[n]",
	"set": "[-abefhkmnptuvxBCEHPT] [-o option-name] [--] [-] [arg ...]", "shift": "[n]", "shopt": "[-pqsu] [-o] [optname ...]",
	"source": "filename [arguments]", "suspend": "[-f]", "test": "[expr]", "times": "", "trap": "[-lp] [[arg] signal_spec ...]",
	"true": "", "type": "[-afptP] name [name ...]",
	"typeset": "[-aAfFgiIlnrtux] name[=value] ... or typeset -p [-aAfFilnrtux] [name ...]",
	"ulimit":  "[-SHabcdefiklmnpqrstuvxPRT] [limit]", "umask": "[-p] [-S] [mode]", "unalias": "[-a] name [name ...]",
	"unset": "[-f] [-v] [-n] [name ...]", "wait": "[-fn] [-p var] [id ...]",
}

// builtinNames lists bash's builtins as enable does.
func builtinNames() []string {
	names := make([]string, 0, len(usages))
	for n := range usages {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// usage writes a usage error and returns its status.
func (e *env) usage(name string) int {
	e.warn(name + ": usage: " + strings.TrimRight(name+" "+usages[name], " ") + "\n")
	return 2
}

// badOption complains about an option the builtin does not know.
func (e *env) badOption(name, opt string) int {
	if e.dialect != bash {
		e.errorf("%s: Illegal option %s", name, opt)
		return 2
	}
	e.errorf("%s: %s: invalid option", name, opt)
	return e.usage(name)
}

// options splits a builtin's letters from its operands. takesArg are letters
// that have an argument. status is not 0 after an error.
func (e *env) options(args []string, letters, takesArg string) (opts map[byte]string, rest []string, status int) {
	opts = map[byte]string{}
	for i := 1; i < len(args); i++ {
		a := args[i]
		if a == "--" {
			return opts, args[i+1:], 0
		}
		if len(a) < 2 || a[0] != '-' {
			return opts, args[i:], 0
		}
		for j := 1; j < len(a); j++ {
			c := a[j]
			if strings.IndexByte(letters, c) < 0 {
				return opts, nil, e.badOption(args[0], "-"+string(c))
			}
			if strings.IndexByte(takesArg, c) < 0 {
				opts[c] = ""
				continue
			}
			switch {
			case j+1 < len(a):
				opts[c] = a[j+1:]
			case i+1 < len(args):
				i++
				opts[c] = args[i]
			default:
				e.errorf("%s: -%c: option requires an argument", args[0], c)
				return opts, nil, e.usage(args[0])
			}
			break
		}
	}
	return opts, nil, 0
}
