package shell

import (
	"maps"
	"slices"
	"strings"

	"honeyguide/internal/deception/shell/lineedit"
)

// keymapNames are the names of the line editor's tables.
var keymapNames = map[string]lineedit.Map{
	"emacs": lineedit.Emacs, "emacs-standard": lineedit.Emacs, "emacs-meta": lineedit.Emacs, "emacs-ctlx": lineedit.Emacs,
	"vi": lineedit.ViCommand, "vi-command": lineedit.ViCommand, "vi-move": lineedit.ViCommand, "vi-insert": lineedit.ViInsert,
}

// bindBuiltin shows and changes what keys do.
func bindBuiltin(e *env, args []string) int {
	if !e.interactive {
		e.errorf("bind: warning: line editing not enabled")
	}
	opts, rest, st := e.options(args, "lvpVPsSXf:q:u:m:r:x:", "fqumrx")
	if st != 0 {
		return st
	}
	m := e.keymap()
	if name, ok := opts['m']; ok {
		if m, ok = keymapNames[name]; !ok {
			e.errorf("bind: `%s': invalid keymap name", name)
			return 1
		}
	}
	e.listBindings(opts, m)
	if f, ok := opts['f']; ok {
		if st := e.readInputrc(f); st != 0 {
			return st
		}
	}
	if q, ok := opts['q']; ok {
		if st := e.queryBinding(m, q); st != 0 {
			return st
		}
	}
	if u, ok := opts['u']; ok {
		if st := e.unbindFunction(m, u); st != 0 {
			return st
		}
	}
	if r, ok := opts['r']; ok {
		e.keymaps = e.keymaps.Bind(m, lineedit.ParseKeys(r), lineedit.Binding{})
	}
	if x, ok := opts['x']; ok {
		if st := e.bindCommand(m, x); st != 0 {
			return st
		}
	}
	for _, line := range rest {
		e.bindLine(m, line)
	}
	return 0
}

// keymap is the table that bind changes when it is not told which.
func (e *env) keymap() lineedit.Map {
	if name := e.editVars["keymap"]; name != "" {
		return keymapNames[name]
	}
	if e.opts&optVi != 0 {
		return lineedit.ViInsert
	}
	return lineedit.Emacs
}

func (e *env) listBindings(opts map[byte]string, m lineedit.Map) {
	asked := func(c byte) bool { _, ok := opts[c]; return ok }
	if asked('l') {
		e.out(strings.Join(lineedit.Functions(), "\n") + "\n")
	}
	if asked('p') {
		e.dumpFunctions(m)
	}
	if asked('P') {
		e.tellFunctions(m)
	}
	for _, keys := range e.keymaps.Macros(m) {
		b, _ := e.keymaps.Lookup(m, lineedit.ParseKeys(strings.TrimSuffix(keys, `\000`)))
		if text := lineedit.FormatKeys(b.Macro); asked('s') {
			e.out(`"` + keys + `": "` + text + "\"\n")
		} else if asked('S') {
			e.out(keys + " outputs " + text + "\n")
		}
	}
	for _, keys := range e.keymaps.Commands(m) {
		if b, _ := e.keymaps.Lookup(m, lineedit.ParseKeys(strings.TrimSuffix(keys, `\000`))); asked('X') {
			e.out(`"` + keys + `": "` + b.Command + "\"\n")
		}
	}
	for _, v := range editVariables {
		if name, value := v[0], e.editVar(v[0]); asked('v') {
			e.out("set " + name + " " + value + "\n")
		} else if asked('V') {
			e.out(name + " is set to `" + value + "'\n")
		}
	}
}

// dumpFunctions is bind -p: what bind would read again.
func (e *env) dumpFunctions(m lineedit.Map) {
	e.out("\n")
	for _, f := range lineedit.Functions() {
		keys := e.keymaps.Keys(m, f)
		if len(keys) == 0 {
			e.out("# " + f + " (not bound)\n")
		}
		for _, k := range keys {
			e.out(`"` + k + `": ` + f + "\n")
		}
	}
}

// tellFunctions is bind -P.
func (e *env) tellFunctions(m lineedit.Map) {
	e.out("\n")
	for _, f := range lineedit.Functions() {
		if keys := e.keymaps.Keys(m, f); len(keys) == 0 {
			e.out(f + " is not bound to any keys\n")
		} else {
			e.out(f + " can be found on " + keyList(keys))
		}
	}
}

// keyList shows at most five keys.
func keyList(keys []string) string {
	var b strings.Builder
	for i, k := range keys {
		if i == 5 {
			return b.String() + "...\n"
		}
		b.WriteString(`"` + k + `"`)
		if i+1 < len(keys) {
			b.WriteString(", ")
		}
	}
	return b.String() + ".\n"
}

func (e *env) queryBinding(m lineedit.Map, name string) int {
	if !slices.Contains(lineedit.Functions(), name) {
		e.errorf("bind: `%s': unknown function name", name)
		return 1
	}
	keys := e.keymaps.Keys(m, name)
	if len(keys) == 0 {
		e.out(name + " is not bound to any keys.\n")
		return 1
	}
	e.out(name + " can be invoked via " + keyList(keys))
	return 0
}

func (e *env) unbindFunction(m lineedit.Map, name string) int {
	if !slices.Contains(lineedit.Functions(), name) {
		e.errorf("bind: `%s': unknown function name", name)
		return 1
	}
	for _, k := range e.keymaps.Keys(m, name) {
		e.keymaps = e.keymaps.Bind(m, lineedit.ParseKeys(strings.TrimSuffix(k, `\000`)), lineedit.Binding{})
	}
	return 0
}

// bindCommand is bind -x: a key runs a command.
func (e *env) bindCommand(m lineedit.Map, line string) int {
	keys, rest, ok := quotedKeys(strings.TrimLeft(line, " \t"))
	if !ok {
		e.errorf("bind: %s: first non-whitespace character is not `\"'", line)
		return 1
	}
	rest = strings.TrimLeft(rest, " \t")
	if !strings.HasPrefix(rest, ":") {
		e.errorf("bind: %s: missing colon separator", line)
		return 1
	}
	e.keymaps = e.keymaps.Bind(m, keys, lineedit.Binding{Command: strings.TrimLeft(rest[1:], " \t")})
	return 0
}

// quotedKeys takes the keys in double quotes off the front of a line.
func quotedKeys(line string) (keys, rest string, ok bool) {
	if !strings.HasPrefix(line, `"`) {
		return "", line, false
	}
	for i := 1; i < len(line); i++ {
		switch line[i] {
		case '\\':
			i++
		case '"':
			return lineedit.ParseKeys(line[1:i]), line[i+1:], true
		}
	}
	return "", line, false
}

// bindLine is one line of an inputrc: a variable or a key.
func (e *env) bindLine(m lineedit.Map, line string) {
	line = strings.TrimLeft(line, " \t")
	if line == "" || line[0] == '#' || line[0] == '$' {
		return
	}
	if rest, ok := strings.CutPrefix(line, "set "); ok {
		e.setEditVar(strings.Fields(rest))
		return
	}
	keys, rest, quoted := quotedKeys(line)
	if !quoted && line[0] == '"' {
		e.warn("readline: " + line + ": no closing `\"' in key binding\n")
		return
	}
	if !quoted {
		name, _, _ := strings.Cut(line, ":")
		keys, rest = lineedit.NamedKey(strings.TrimRight(name, " \t")), line[len(name):]
	}
	if rest = strings.TrimLeft(rest, " \t"); !strings.HasPrefix(rest, ":") {
		e.warn("readline: " + line + ": no key sequence terminator\n")
		return
	}
	what := strings.TrimSpace(rest[1:])
	var b lineedit.Binding
	switch {
	case what != "" && (what[0] == '"' || what[0] == '\''):
		if end := strings.LastIndexByte(what, what[0]); end > 0 {
			what = what[:end]
		}
		b.Macro = lineedit.ParseKeys(what[1:])
	case slices.Contains(lineedit.Functions(), strings.ToLower(what)):
		b.Func = strings.ToLower(what)
	}
	e.keymaps = e.keymaps.Bind(m, keys, b)
}

// readInputrc is bind -f.
func (e *env) readInputrc(name string) int {
	if _, err := e.stat(name); err != nil {
		e.errorf("bind: %s: cannot read: %s", name, errText(err))
		return 1
	}
	for line := range strings.Lines(e.readSmall(e.abs(name))) {
		e.bindLine(e.keymap(), strings.TrimSuffix(line, "\n"))
	}
	return 0
}

// editVariables are the variables of readline 8.2 with the values of a Debian
// bash, in the order bind shows them.
var editVariables = [][2]string{
	{"bind-tty-special-chars", "on"},
	{"blink-matching-paren", "off"},
	{"byte-oriented", "off"},
	{"colored-completion-prefix", "off"},
	{"colored-stats", "off"},
	{"completion-ignore-case", "off"},
	{"completion-map-case", "off"},
	{"convert-meta", "off"},
	{"disable-completion", "off"},
	{"echo-control-characters", "on"},
	{"enable-active-region", "on"},
	{"enable-bracketed-paste", "on"},
	{"enable-keypad", "off"},
	{"enable-meta-key", "on"},
	{"expand-tilde", "off"},
	{"history-preserve-point", "off"},
	{"horizontal-scroll-mode", "off"},
	{"input-meta", "on"},
	{"mark-directories", "on"},
	{"mark-modified-lines", "off"},
	{"mark-symlinked-directories", "off"},
	{"match-hidden-files", "on"},
	{"menu-complete-display-prefix", "off"},
	{"meta-flag", "on"},
	{"output-meta", "on"},
	{"page-completions", "on"},
	{"prefer-visible-bell", "on"},
	{"print-completions-horizontally", "off"},
	{"revert-all-at-newline", "off"},
	{"show-all-if-ambiguous", "off"},
	{"show-all-if-unmodified", "off"},
	{"show-mode-in-prompt", "off"},
	{"skip-completed-text", "off"},
	{"visible-stats", "off"},
	{"bell-style", "audible"},
	{"comment-begin", "#"},
	{"completion-display-width", "-1"},
	{"completion-prefix-display-length", "0"},
	{"completion-query-items", "100"},
	{"editing-mode", "emacs"},
	{"emacs-mode-string", "@"},
	{"history-size", "0"},
	{"keymap", "emacs"},
	{"keyseq-timeout", "500"},
	{"vi-cmd-mode-string", "(cmd)"},
	{"vi-ins-mode-string", "(ins)"},
}

// editVar is the value of a variable of the line editor.
func (e *env) editVar(name string) string {
	if v, ok := e.editVars[name]; ok {
		return v
	}
	vi := e.opts&optVi != 0
	for _, v := range editVariables {
		switch {
		case v[0] != name:
		case name == "editing-mode" && vi:
			return "vi"
		case name == "keymap" && vi:
			return "vi-insert"
		default:
			return v[1]
		}
	}
	return ""
}

// setEditVar is `set name value` of an inputrc.
func (e *env) setEditVar(words []string) {
	if len(words) == 0 {
		return
	}
	name, value := strings.ToLower(words[0]), ""
	if len(words) > 1 {
		value = words[1]
	}
	at := slices.IndexFunc(editVariables, func(v [2]string) bool { return v[0] == name })
	if at < 0 {
		e.warn("readline: " + words[0] + ": unknown variable name\n")
		return
	}
	switch def := editVariables[at][1]; {
	case name == "editing-mode":
		if value == "vi" {
			e.flip(optVi, true)
		} else {
			e.flip(optEmacs, true)
		}
		return
	case def == "on" || def == "off":
		if value = strings.ToLower(value); value == "" || value == "on" || value == "1" {
			value = "on"
		} else {
			value = "off"
		}
	case name == "keymap":
		if _, ok := keymapNames[value]; !ok {
			return
		}
	}
	vars := maps.Clone(e.editVars)
	if vars == nil {
		vars = map[string]string{}
	}
	vars[name] = value
	e.editVars = vars
}
