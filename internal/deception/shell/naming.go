package shell

import (
	"maps"
	"slices"
	"sort"
	"strconv"
	"strings"
)

func hashBuiltin(e *env, args []string) int {
	if e.opts&optHash == 0 && e.dialect == bash {
		e.errorf("hash: hashing disabled")
		return 1
	}
	opts, names, st := e.options(args, "lrdtp", "p")
	if st != 0 {
		return st
	}
	if _, ok := opts['r']; ok {
		e.paths = nil
		if len(names) == 0 {
			return 0
		}
	}
	if _, long := opts['l']; long && len(names) == 0 {
		return e.listHashed()
	}
	if _, show := opts['t']; show && len(names) == 0 {
		e.errorf("hash: -t: option requires an argument")
		return e.usage("hash")
	}
	if p, ok := opts['p']; ok {
		for _, n := range names {
			e.remember(n, p)
		}
		return 0
	}
	if len(names) == 0 {
		return e.listHash()
	}
	status := 0
	for _, n := range names {
		if _, forget := opts['d']; forget {
			if _, ok := e.paths[n]; !ok {
				e.errorf("hash: %s: not found", n)
				status = 1
			}
			delete(e.paths, n)
			continue
		}
		if _, show := opts['t']; show {
			h, ok := e.paths[n]
			switch {
			case !ok:
				e.errorf("hash: %s: not found", n)
				status = 1
			case len(names) > 1:
				e.out(n + "\t" + h.path + "\n")
			default:
				e.out(h.path + "\n")
			}
			continue
		}
		if strings.IndexByte(n, '/') >= 0 || e.builtin(n) != nil {
			continue
		}
		p, ok := e.find(n)
		if !ok {
			e.errorf("hash: %s: not found", n)
			status = 1
			continue
		}
		e.remember(n, p)
		if h := e.paths[n]; h != nil {
			h.hits = 0
		}
	}
	return status
}

// listHashed is hash -l: as commands.
func (e *env) listHashed() int {
	if len(e.paths) == 0 {
		e.out("hash: hash table empty\n")
		return 0
	}
	for _, n := range slices.Sorted(maps.Keys(e.paths)) {
		e.out("builtin hash -p " + e.paths[n].path + " " + n + "\n")
	}
	return 0
}

func (e *env) listHash() int {
	if len(e.paths) == 0 {
		if e.dialect == bash {
			e.out("hash: hash table empty\n")
		}
		return 0
	}
	names := make([]string, 0, len(e.paths))
	for n := range e.paths {
		names = append(names, n)
	}
	sort.Strings(names)
	if e.dialect == bash {
		e.out("hits\tcommand\n")
	}
	for _, n := range names {
		h := e.paths[n]
		if e.dialect == bash {
			e.out(pad(strconv.Itoa(h.hits), 4) + "\t" + h.path + "\n")
		} else {
			e.out(h.path + "\n")
		}
	}
	return 0
}

func aliasBuiltin(e *env, args []string) int {
	rest := args[1:]
	if len(rest) > 0 && strings.HasPrefix(rest[0], "-") && e.dialect == bash {
		if rest[0] != "-p" && rest[0] != "--" {
			return e.badOption("alias", rest[0][:min(2, len(rest[0]))])
		}
		rest = rest[1:]
	}
	show := func(n string) {
		if e.dialect == dash {
			e.out(n + "=" + singleQuote(e.alias[n]) + "\n")
			return
		}
		e.out("alias " + n + "=" + singleQuote(e.alias[n]) + "\n")
	}
	if len(rest) == 0 {
		names := make([]string, 0, len(e.alias))
		for n := range e.alias {
			names = append(names, n)
		}
		sort.Strings(names)
		for _, n := range names {
			show(n)
		}
		return 0
	}
	status := 0
	for _, a := range rest {
		n, v, ok := strings.Cut(a, "=")
		if !ok || n == "" {
			if _, known := e.alias[a]; known {
				show(a)
				continue
			}
			if e.dialect == dash {
				e.warn("alias: " + a + " not found\n")
			} else {
				e.errorf("alias: %s: not found", a)
			}
			status = 1
			continue
		}
		if strings.ContainsAny(n, " \t\n/$`=\"'\\&|;()<>") && e.dialect == bash {
			e.errorf("alias: `%s': invalid alias name", n)
			status = 1
			continue
		}
		if len(e.alias) < 500 {
			fresh := make(map[string]string, len(e.alias)+1)
			for k, old := range e.alias {
				fresh[k] = old
			}
			fresh[n] = v
			e.alias = fresh
			if err := e.account(len(v)); err != nil {
				return 1
			}
		}
	}
	return status
}

func unaliasBuiltin(e *env, args []string) int {
	if len(args) < 2 {
		return e.usage("unalias")
	}
	if args[1] == "-a" {
		e.alias = nil
		return 0
	}
	status := 0
	for _, n := range args[1:] {
		if _, ok := e.alias[n]; !ok {
			e.errorf("unalias: %s: not found", n)
			status = 1
			continue
		}
		fresh := make(map[string]string, len(e.alias))
		for k, v := range e.alias {
			if k != n {
				fresh[k] = v
			}
		}
		e.alias = fresh
	}
	return status
}

func enableBuiltin(e *env, args []string) int {
	opts, names, st := e.options(args, "adnpsf", "f")
	if st != 0 {
		return st
	}
	_, all := opts['a']
	_, off := opts['n']
	if _, special := opts['s']; special && len(names) == 0 {
		for _, n := range []string{".", ":", "break", "continue", "eval", "exec", "exit", "export", "readonly", "return", "set", "shift", "source", "times", "trap", "unset"} {
			e.out("enable " + n + "\n")
		}
		return 0
	}
	if f, ok := opts['f']; ok {
		for _, n := range names {
			e.errorf("enable: cannot open shared object %s: %s: cannot open shared object file: No such file or directory", f, f)
			_ = n
		}
		return 1
	}
	if len(names) == 0 {
		for _, n := range builtinNames() {
			switch {
			case e.off[n] && (all || off):
				e.out("enable -n " + n + "\n")
			case !e.off[n] && !off:
				e.out("enable " + n + "\n")
			}
		}
		return 0
	}
	status := 0
	for _, n := range names {
		if _, ok := usages[n]; !ok {
			e.errorf("enable: %s: not a shell builtin", n)
			status = 1
			continue
		}
		fresh := map[string]bool{}
		for k, v := range e.off {
			fresh[k] = v
		}
		fresh[n] = off
		e.off = fresh
	}
	return status
}

// commandNames lists all that a command's name can be, for completion.
func (e *env) commandNames(prefix string) []string {
	out := e.commandList(prefix)
	slices.Sort(out)
	return slices.Compact(out)
}

// commandList is the same as compgen has it: kind by kind, and twice what is
// there twice.
func (e *env) commandList(prefix string) []string {
	var out []string
	add := func(list ...string) {
		for _, n := range list {
			if strings.HasPrefix(n, prefix) {
				out = append(out, n)
			}
		}
	}
	add(slices.Sorted(maps.Keys(e.alias))...)
	add(keywords...)
	add(e.functionNames()...)
	add(builtinNames()...)
	path, _ := e.get("PATH")
	for dir := range strings.SplitSeq(path, ":") {
		if e.fs == nil || dir == "" {
			continue
		}
		list, err := e.fs.ReadDir(e.cred, e.abs(dir))
		if err != nil {
			continue
		}
		e.k.step(1 + len(list)/8)
		for _, i := range list {
			if strings.HasPrefix(i.Name, prefix) && !i.IsDir() {
				add(i.Name)
			}
		}
	}
	return out
}
