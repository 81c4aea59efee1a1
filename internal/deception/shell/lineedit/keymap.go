package lineedit

import (
	"maps"
	"slices"
	"strings"
	"sync"
)

// A Map is one of the tables keys are looked up in.
type Map int

// The maps.
const (
	Emacs Map = iota
	ViCommand
	ViInsert
	mapCount
)

// A Binding is what a key does: one of its fields is set, or none, and then the
// key does nothing.
type Binding struct {
	Func    string // a function of the editor
	Macro   string // keys that are typed instead
	Command string // a line for the shell
}

// maxBindings bounds what one shell can bind.
const maxBindings = 1024

// Keymaps say what keys do. They never change: binding a key makes new ones.
type Keymaps struct {
	own [mapCount]map[string]Binding // what differs from a fresh shell
}

// A keymap is a table as a fresh shell has it.
type keymap struct {
	keys     map[string]Binding
	prefixes map[string]bool
}

var fresh = sync.OnceValue(func() (all [mapCount]keymap) {
	for m := range all {
		all[m] = keymap{map[string]Binding{}, map[string]bool{}}
	}
	for line := range strings.Lines(keyTable) {
		cols := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		for m, col := range cols[1:] {
			for _, s := range strings.Fields(col) {
				keys := strings.TrimSuffix(ParseKeys(s), "\x00")
				if s == `\C-@` {
					keys = "\x00"
				}
				if _, ok := all[m].keys[keys]; !ok || cols[0] != "yank-last-arg" {
					all[m].keys[keys] = Binding{Func: cols[0]}
				}
				for n := 1; n < len(keys); n++ {
					all[m].prefixes[keys[:n]] = true
				}
			}
		}
	}
	for _, c := range `*=\` { // bash puts a function without a name there
		all[ViCommand].keys[string(c)] = Binding{Func: viComplete}
	}
	return all
})

// viComplete is the function of * = and \ in vi's command mode. It has no name
// that could be bound.
const viComplete = "\x00vi-complete"

var functions = sync.OnceValue(func() []string {
	var all []string
	for line := range strings.Lines(keyTable) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), "|"); name != "" {
			all = append(all, name)
		}
	}
	return all
})

// Functions are the names keys can be bound to, in alphabetical order.
func Functions() []string { return functions() }

// lookup returns what keys do; longer says that more keys may follow.
func (k *Keymaps) lookup(m Map, keys string) (b Binding, bound, longer bool) {
	base := fresh()[m]
	longer = base.prefixes[keys]
	b, bound = base.keys[keys]
	if k == nil || k.own[m] == nil {
		return b.lower(k, m, keys, bound, longer)
	}
	if own, ok := k.own[m][keys]; ok {
		b, bound = own, own != Binding{}
	}
	for o, ob := range k.own[m] {
		if len(o) > len(keys) && strings.HasPrefix(o, keys) && (ob != Binding{}) {
			longer = true
		}
	}
	return b.lower(k, m, keys, bound, longer)
}

// lower is do-lowercase-version: an unbound capital behind Escape or Ctrl-X does
// what the small letter does.
func (b Binding) lower(k *Keymaps, m Map, keys string, bound, longer bool) (Binding, bool, bool) {
	if n := len(keys); m == Emacs && !bound && n == 2 && (keys[0] == 0x1b || keys[0] == 0x18) && keys[1] >= 'A' && keys[1] <= 'Z' {
		if longer {
			return b, false, true
		}
		return k.lookup(m, keys[:1]+strings.ToLower(keys[1:]))
	}
	return b, bound, longer
}

// Lookup returns what keys are bound to in a map.
func (k *Keymaps) Lookup(m Map, keys string) (Binding, bool) {
	b, ok, _ := k.lookup(m, keys)
	return b, ok
}

// Bind returns keymaps in which keys do something else; an empty Binding makes
// them do nothing.
func (k *Keymaps) Bind(m Map, keys string, b Binding) *Keymaps {
	if keys == "" {
		return k
	}
	n := &Keymaps{}
	if k != nil {
		*n = *k
	}
	own := maps.Clone(n.own[m])
	if own == nil {
		own = map[string]Binding{}
	}
	if _, known := own[keys]; known || len(own) < maxBindings {
		own[keys] = b
	}
	n.own[m] = own
	return n
}

// all returns the bindings of a map by their keys.
func (k *Keymaps) all(m Map) map[string]Binding {
	all := maps.Clone(fresh()[m].keys)
	if k != nil {
		maps.Copy(all, k.own[m])
	}
	return all
}

// Keys returns the keys bound to a function, in bind's notation and order.
func (k *Keymaps) Keys(m Map, function string) []string {
	if function == "yank-last-arg" { // two names of one function
		function = "insert-last-argument"
	}
	return k.find(m, func(b Binding) bool { return b.Func == function })
}

// Macros returns the keys that type others.
func (k *Keymaps) Macros(m Map) []string {
	return k.find(m, func(b Binding) bool { return b.Macro != "" })
}

// Commands returns the keys that run a line of the shell.
func (k *Keymaps) Commands(m Map) []string {
	return k.find(m, func(b Binding) bool { return b.Command != "" })
}

func (k *Keymaps) find(m Map, is func(Binding) bool) (found []string) {
	all := k.all(m)
	for _, keys := range slices.Sorted(maps.Keys(all)) {
		if !is(all[keys]) {
			continue
		}
		s := FormatKeys(keys)
		if _, _, longer := k.lookup(m, keys); longer {
			s += `\000`
		}
		found = append(found, s)
	}
	return found
}
