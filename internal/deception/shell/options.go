package shell

import "strings"

// An option is one of set's.
type option uint32

const (
	optAllExport option = 1 << iota
	optBrace
	optEmacs
	optErrExit
	optErrTrace
	optFuncTrace
	optHash
	optHistExpand
	optHistory
	optIgnoreEOF
	optComments
	optKeyword
	optMonitor
	optNoClobber
	optNoExec
	optNoGlob
	optNoLog
	optNotify
	optNoUnset
	optOneCmd
	optPhysical
	optPipeFail
	optPosix
	optPrivileged
	optVerbose
	optVi
	optXTrace
)

// setOptions are set's options in the order `set -o` lists them.
var setOptions = []struct {
	name string
	flag byte
	bit  option
}{
	{"allexport", 'a', optAllExport},
	{"braceexpand", 'B', optBrace},
	{"emacs", 0, optEmacs},
	{"errexit", 'e', optErrExit},
	{"errtrace", 'E', optErrTrace},
	{"functrace", 'T', optFuncTrace},
	{"hashall", 'h', optHash},
	{"histexpand", 'H', optHistExpand},
	{"history", 0, optHistory},
	{"ignoreeof", 0, optIgnoreEOF},
	{"interactive-comments", 0, optComments},
	{"keyword", 'k', optKeyword},
	{"monitor", 'm', optMonitor},
	{"noclobber", 'C', optNoClobber},
	{"noexec", 'n', optNoExec},
	{"noglob", 'f', optNoGlob},
	{"nolog", 0, optNoLog},
	{"notify", 'b', optNotify},
	{"nounset", 'u', optNoUnset},
	{"onecmd", 't', optOneCmd},
	{"physical", 'P', optPhysical},
	{"pipefail", 0, optPipeFail},
	{"posix", 0, optPosix},
	{"privileged", 'p', optPrivileged},
	{"verbose", 'v', optVerbose},
	{"vi", 0, optVi},
	{"xtrace", 'x', optXTrace},
}

// dollarMinus is $-: the options in bash's order, then how it was started.
func (e *env) dollarMinus() string {
	if e.dialect != bash {
		return e.dashMinus()
	}
	var b strings.Builder
	for _, f := range "abefhkmnprtuvxBCEHPT" {
		if f == 'r' && e.restricted {
			b.WriteByte('r')
		}
		for _, o := range setOptions {
			if o.flag == byte(f) && e.opts&o.bit != 0 {
				b.WriteRune(f)
			}
		}
		if f == 'h' && (e.interactive || strings.Contains(e.flags, "i")) {
			b.WriteByte('i')
		}
	}
	if e.command {
		b.WriteByte('c')
	} else if strings.HasSuffix(e.flags, "s") {
		b.WriteByte('s')
	}
	return b.String()
}

// dashMinus is $- of dash: its options in its own order.
func (e *env) dashMinus() string {
	var b strings.Builder
	for _, f := range "efImnsxvVECabu" {
		switch {
		case f == 's' && !e.command && e.script == "":
			b.WriteByte('s')
		case f == 's', f == 'E':
		default:
			for _, o := range setOptions {
				if o.flag == byte(f) && e.opts&o.bit != 0 {
					b.WriteRune(f)
				}
			}
		}
		if f == 'I' && e.interactive {
			b.WriteByte('i')
		}
	}
	return b.String()
}

// shopts is a set of shopt's options, by position in shoptNames.
type shopts uint64

var shoptNames = []string{
	"autocd", "assoc_expand_once", "cdable_vars", "cdspell", "checkhash", "checkjobs", "checkwinsize", "cmdhist",
	"compat31", "compat32", "compat40", "compat41", "compat42", "compat43", "compat44", "complete_fullquote",
	"direxpand", "dirspell", "dotglob", "execfail", "expand_aliases", "extdebug", "extglob", "extquote", "failglob",
	"force_fignore", "globasciiranges", "globskipdots", "globstar", "gnu_errfmt", "histappend", "histreedit", "histverify",
	"hostcomplete", "huponexit", "inherit_errexit", "interactive_comments", "lastpipe", "lithist", "localvar_inherit",
	"localvar_unset", "login_shell", "mailwarn", "no_empty_cmd_completion", "nocaseglob", "nocasematch", "noexpand_translation",
	"nullglob", "patsub_replacement", "progcomp", "progcomp_alias", "promptvars", "restricted_shell", "shift_verbose",
	"sourcepath", "varredir_close", "xpg_echo",
}

// The options the evaluator asks for, by their position above.
const (
	shDotGlob       shopts = 1 << 18
	shExpandAliases shopts = 1 << 20
	shExtGlob       shopts = 1 << 22
	shFailGlob      shopts = 1 << 24
	shGlobStar      shopts = 1 << 28
	shHistAppend    shopts = 1 << 30
	shLastPipe      shopts = 1 << 37
	shLoginShell    shopts = 1 << 41
	shNoCaseGlob    shopts = 1 << 44
	shNoCaseMatch   shopts = 1 << 45
	shNullGlob      shopts = 1 << 47
	shRestricted    shopts = 1 << 52
	shXpgEcho       shopts = 1 << 56
)

// defaultShopts are checkwinsize, cmdhist, complete_fullquote, extquote,
// force_fignore, globasciiranges, globskipdots, hostcomplete,
// interactive_comments, patsub_replacement, progcomp, promptvars, sourcepath.
const defaultShopts shopts = 1<<6 | 1<<7 | 1<<15 | 1<<23 | 1<<25 | 1<<26 | 1<<27 | 1<<33 | 1<<36 | 1<<48 | 1<<49 | 1<<51 | 1<<54

func shoptBit(name string) (shopts, bool) {
	for i, n := range shoptNames {
		if n == name {
			return 1 << i, true
		}
	}
	return 0, false
}

// shellOpts is $SHELLOPTS, bashOpts $BASHOPTS.
func (e *env) shellOpts() string {
	var on []string
	for _, o := range setOptions {
		if e.opts&o.bit != 0 {
			on = append(on, o.name)
		}
	}
	return strings.Join(on, ":")
}

func (e *env) bashOpts() string {
	var on []string
	for i, n := range shoptNames {
		if e.shopts&(1<<i) != 0 {
			on = append(on, n)
		}
	}
	return strings.Join(on, ":")
}
