package shell

import (
	"slices"
	"sort"
	"strconv"
	"strings"
)

func hashBuiltin(e *env, args []string) int {
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
			delete(e.paths, n)
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
		if _, show := opts['t']; show {
			e.out(p + "\n")
			continue
		}
		e.remember(n, p)
		e.paths[n].hits = 0
	}
	return status
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
			e.errorf("alias: %s: not found", a)
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

// compgenBuiltin knows the lists attackers ask for: -c, -b, -a, -k, -v, -u, -A
// function, -W.
func compgenBuiltin(e *env, args []string) int {
	opts, rest, st := e.options(args, "abcdefgjksuvoAGWFCXPS", "oAGWFCXPS")
	if st != 0 {
		return st
	}
	prefix := ""
	if len(rest) > 0 {
		prefix = rest[0]
	}
	var list []string
	if _, ok := opts['b']; ok {
		list = append(list, builtinNames()...)
	}
	if _, ok := opts['k']; ok {
		list = append(list, keywords...)
	}
	if _, ok := opts['v']; ok {
		list = append(list, e.sortedNames()...)
	}
	if _, ok := opts['a']; ok {
		for n := range e.alias {
			list = append(list, n)
		}
		sort.Strings(list)
	}
	if _, ok := opts['u']; ok {
		e.passwd(func(f []string) bool { list = append(list, f[0]); return false })
	}
	if _, ok := opts['c']; ok {
		list = append(list, e.commandNames(prefix)...)
	}
	if w, ok := opts['W']; ok {
		list = append(list, strings.Fields(w)...)
	}
	if opts['A'] == "function" {
		list = append(list, e.functionNames()...)
	}
	status := 1
	for _, s := range list {
		if strings.HasPrefix(s, prefix) {
			e.out(s + "\n")
			status = 0
		}
	}
	return status
}

// commandNames lists all that a command's name can be, for completion.
func (e *env) commandNames(prefix string) []string {
	seen := map[string]bool{}
	var out []string
	add := func(n string) {
		if strings.HasPrefix(n, prefix) && !seen[n] {
			seen[n] = true
			out = append(out, n)
		}
	}
	for n := range e.alias {
		add(n)
	}
	for _, n := range keywords {
		add(n)
	}
	for n := range e.funcs {
		add(n)
	}
	for n := range usages {
		add(n)
	}
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
	slices.Sort(out)
	return out
}
