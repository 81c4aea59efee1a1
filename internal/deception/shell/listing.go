package shell

import (
	"sort"
)

// listVars writes what export -p, readonly -p, declare and local without
// operands show.
func (e *env) listVars(d *declaration) int {
	plain := d.variant == "declare" && !d.print && d.on == 0 && !d.array && !d.assoc
	if plain {
		e.printSet()
		return 0
	}
	want := d.on
	for _, n := range e.declaredNames(d) {
		v := e.vars[n]
		if v == nil {
			v = e.ownVariable(n)
		}
		switch {
		case v.attr&want != want:
			continue
		case d.array && (v.arr == nil || v.arr.assoc()), d.assoc && (v.arr == nil || !v.arr.assoc()):
			continue
		case d.variant == "local" && !e.isLocal(n):
			continue
		}
		e.k.step(1)
		if e.dialect != bash {
			e.out(d.variant + " " + n + "=" + singleQuote(v.val) + "\n")
			continue
		}
		e.out(declaredLine(n, v))
	}
	return 0
}

// ownVariables are the variables bash computes, with their attributes.
var ownVariables = map[string]attr{
	"BASHOPTS": readOnly, "BASHPID": integer, "BASH_ALIASES": 0, "BASH_ARGC": 0, "BASH_ARGV": 0, "BASH_ARGV0": 0, "BASH_CMDS": 0,
	"BASH_COMMAND": 0, "BASH_LINENO": 0, "BASH_LOADABLES_PATH": 0, "BASH_SOURCE": 0, "BASH_SUBSHELL": 0, "BASH_VERSINFO": readOnly,
	"COMP_WORDBREAKS": 0, "DIRSTACK": 0, "EPOCHREALTIME": 0, "EPOCHSECONDS": 0, "FUNCNAME": 0, "GROUPS": 0, "HISTCMD": integer,
	"LINENO": 0, "RANDOM": integer, "SECONDS": 0, "SHELLOPTS": readOnly, "SRANDOM": integer, "_": 0,
}

// declaredNames are the names a listing of declarations is about: of all
// variables bash shows those it computes as well.
func (e *env) declaredNames(d *declaration) []string {
	names := e.sortedNames()
	if e.dialect != bash || !d.print || d.variant != "declare" && d.variant != "typeset" {
		return names
	}
	for n := range ownVariables {
		if e.vars[n] == nil && !e.plain[n] {
			names = append(names, n)
		}
	}
	sort.Strings(names)
	return names
}

// ownVariable is a variable bash computes as declare -p shows it.
func (e *env) ownVariable(n string) *variable {
	v := &variable{attr: ownVariables[n]}
	switch n {
	case "BASH_ALIASES", "BASH_CMDS":
		v.arr = newArray(e.mine, true)
	case "BASH_ARGC", "BASH_ARGV", "BASH_LINENO", "BASH_SOURCE", "BASH_VERSINFO", "DIRSTACK", "FUNCNAME", "GROUPS":
		v.arr = newArray(e.mine, false)
		switch n {
		case "DIRSTACK", "GROUPS": // shown empty until they are asked for
		case "FUNCNAME":
			v.attr |= unset
			fallthrough
		default:
			for i, s := range e.computedList(n) {
				v.arr.set(int64(i), s)
			}
		}
	case "BASH_LOADABLES_PATH":
		v.val, _ = computedListing(e, n)
	case "COMP_WORDBREAKS":
		v.val = " \t\n\"'><=;|&(:"
	default:
		v.val, _ = e.get(n)
	}
	return v
}

// declaredLine is a line of declare -p.
func declaredLine(n string, v *variable) string {
	f := v.flags()
	if f == "-" {
		f = "--"
	} else {
		f = "-" + f
	}
	if v.attr&unset != 0 && (v.arr == nil || v.arr.count() == 0) {
		return "declare " + f + " " + n + "\n"
	}
	return "declare " + f + " " + n + "=" + v.listing() + "\n"
}

func (e *env) printVars(d *declaration) int {
	status := 0
	for _, en := range d.entries {
		v := e.vars[en.name]
		if v == nil {
			if l := e.computedList(en.name); l != nil {
				v = &variable{arr: newArray(e.mine, false)}
				for i, s := range l {
					v.arr.set(int64(i), s)
				}
				if en.name == "BASH_VERSINFO" {
					v.attr |= readOnly
				}
			} else if _, own := ownVariables[en.name]; own && e.dialect == bash && !e.plain[en.name] {
				v = e.ownVariable(en.name)
			} else if s, ok := e.computed(en.name); ok {
				v = &variable{val: s, attr: integer}
			}
		}
		if v == nil {
			e.errorf("%s: %s: not found", d.variant, en.name)
			status = 1
			continue
		}
		e.out(declaredLine(en.name, v))
	}
	return status
}

// printSet is set without operands.
func (e *env) printSet() {
	for _, n := range e.setNames() {
		e.k.step(1)
		if v := e.vars[n]; v != nil {
			if v.attr&unset != 0 && v.arr == nil {
				continue
			}
			if v.arr != nil {
				e.out(n + "=" + v.listing() + "\n")
			} else if e.dialect != bash {
				e.out(n + "=" + singleQuote(v.val) + "\n")
			} else {
				e.out(n + "=" + setQuote(v.val) + "\n")
			}
			continue
		}
		if s, ok := computedListing(e, n); ok {
			e.out(n + "=" + s + "\n")
		}
	}
	if e.opts&optPosix == 0 && e.dialect == bash {
		for _, n := range e.functionNames() {
			e.out(e.functionText(n))
		}
	}
}

// setNames are the names set shows: the table's and bash's own.
func (e *env) setNames() []string {
	names := e.sortedNames()
	if e.dialect == bash {
		names = append(names, "BASHOPTS", "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_CMDS", "BASH_LINENO", "BASH_LOADABLES_PATH",
			"BASH_SOURCE", "BASH_VERSINFO", "DIRSTACK", "GROUPS", "SHELLOPTS", "_")
		sort.Strings(names)
	}
	return names
}

func computedListing(e *env, n string) (string, bool) {
	switch n {
	case "BASH_ALIASES", "BASH_ARGC", "BASH_ARGV", "BASH_CMDS", "BASH_LINENO", "BASH_SOURCE", "DIRSTACK", "GROUPS":
		return "()", true
	case "BASH_VERSINFO":
		return `([0]="5" [1]="2" [2]="15" [3]="1" [4]="release" [5]="x86_64-pc-linux-gnu")`, true
	case "BASH_LOADABLES_PATH":
		return "/usr/local/lib/bash:/usr/lib/bash:/opt/local/lib/bash:/usr/pkg/lib/bash:/opt/pkg/lib/bash:.", true
	}
	s, ok := e.get(n)
	return setQuote(s), ok
}

// isLocal reports a variable of the running function.
func (e *env) isLocal(name string) bool {
	if n := len(e.frames); n > 0 {
		for _, s := range e.frames[n-1].saved {
			if s.name == name {
				return true
			}
		}
	}
	return false
}
