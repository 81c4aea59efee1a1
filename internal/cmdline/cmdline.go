// Package cmdline reads shell command lines the way an analyst does: it finds
// the commands in them, whatever they are wrapped in, and never fails. It is
// no shell: it expands nothing but what is written out (quotes, $'..',
// backslashes, ${IFS}) and decodes literal payloads on their way into a shell
// (base64, hexadecimal, echo -e).
package cmdline

import (
	"path"
	"slices"
	"strings"
)

// Bounds of what is looked at; a line beyond them is cut and so marked.
const (
	MaxBytes    = 64 << 10 // of a line, decoded payloads included
	MaxCommands = 256
	MaxDepth    = 6
	maxWords    = 512
)

// A Redirect is one redirection of a command.
type Redirect struct {
	Op     string // > >> >| < << <<< <> >& <&
	Target string
}

// A Command is one simple command of a line, free of its wrappers.
type Command struct {
	Name      string   // base name: wget for /usr/bin/wget
	Path      string   // the word as it was written
	Args      []string // without quotes
	Redirects []Redirect
	Assigns   []string // VAR=value before the name
	Via       []string // what it was wrapped in: sudo, busybox, nohup
	From      int      // index of the command that pipes into it, -1 for none
	Depth     int      // 0 as typed; more inside sh -c, $( ) or a payload
	Decoded   bool     // stood in an encoded payload
}

// Arg reports whether an argument equals one of words.
func (c *Command) Arg(words ...string) bool {
	return slices.ContainsFunc(c.Args, func(a string) bool { return slices.Contains(words, a) })
}

// Writes calls yield with every path the command writes through a redirection.
func (c *Command) Writes(yield func(target string, add bool) bool) {
	for _, r := range c.Redirects {
		if strings.HasPrefix(r.Op, ">") && r.Target != "" && !yield(r.Target, r.Op == ">>") {
			return
		}
	}
}

// A Line is what was found in one command line.
type Line struct {
	Commands  []Command
	Text      string // the line in lower case, cut
	Truncated bool   // a bound was hit

	budget int // bytes left to read
}

// Parse reads a line.
func Parse(line string) *Line {
	l := &Line{budget: MaxBytes}
	if len(line) > MaxBytes {
		line, l.Truncated = line[:MaxBytes], true
	}
	l.Text = strings.ToLower(line)
	l.read(line, 0, false)
	return l
}

// Feeds yields the commands whose output reaches command i, nearest first.
func (l *Line) Feeds(i int) func(yield func(*Command) bool) {
	return func(yield func(*Command) bool) {
		// From is always smaller than i, so this ends.
		for j := l.Commands[i].From; j >= 0; j = l.Commands[j].From {
			if !yield(&l.Commands[j]) {
				return
			}
		}
	}
}

// read parses s and appends its commands.
func (l *Line) read(s string, depth int, decoded bool) {
	if depth > MaxDepth || len(s) > l.budget {
		l.Truncated = true
		return
	}
	l.budget -= len(s)
	first := len(l.Commands)
	r := reader{line: l, s: s, depth: depth, decoded: decoded, from: -1}
	r.run()
	l.unfold(first, depth)
}

// shells are the programs that run what they are fed.
var shells = []string{"sh", "bash", "dash", "ash", "zsh", "ksh", "rbash"}

// IsShell reports whether name is a shell.
func IsShell(name string) bool { return slices.Contains(shells, name) }

// unfold looks into what the commands from first on would run: sh -c, eval,
// here strings, and payloads piped into a decoder or shell.
func (l *Line) unfold(first, depth int) {
	for i := first; i < len(l.Commands); i++ {
		c := l.Commands[i]
		if c.Depth != depth {
			continue // was unfolded where it was read
		}
		switch {
		case IsShell(c.Name) || c.Name == "su":
			if script, ok := after(c.Args, "-c"); ok {
				l.read(script, depth+1, c.Decoded)
			}
			for _, r := range c.Redirects {
				if r.Op == "<<<" {
					l.read(r.Target, depth+1, c.Decoded)
				}
			}
		case c.Name == "eval":
			l.read(strings.Join(c.Args, " "), depth+1, c.Decoded)
		}
		if text, ok := l.payload(i); ok {
			l.read(text, depth+1, true)
		}
	}
}

// after returns the argument that follows a flag, also when the flag is the
// last of several letters: -lc.
func after(args []string, flag string) (string, bool) {
	for i, a := range args {
		letters := len(a) > 1 && a[0] == '-' && a[1] != '-' && strings.HasSuffix(a, flag[1:])
		if letters && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return "", false
}

// keywords begin or end compound commands; what follows them is a command.
var keywords = []string{"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "fi", "done", "esac", "time"}

// wrappers run the command given as their arguments. The value lists the
// flags that take an argument of their own.
var wrappers = map[string]string{
	"busybox": "", "toybox": "", "sudo": "-u -g -p -C -h -r -t", "doas": "-u -C", "nohup": "", "env": "-u -S -C", "nice": "-n", "ionice": "-c -n -p",
	"timeout": "-s -k", "setsid": "", "exec": "-a", "command": "", "builtin": "", "stdbuf": "-i -o -e", "chrt": "", "taskset": "",
	"xargs": "-n -I -P -L -d -s -a -E", "watch": "-n", "unbuffer": "", "proxychains": "-f", "proxychains4": "-f", "torsocks": "",
}

// settle strips keywords, assignments and wrappers off the words of a command.
func (c *Command) settle(words []string) {
	for len(words) > 0 && slices.Contains(keywords, words[0]) {
		words = words[1:]
	}
	for len(words) > 0 && assignment(words[0]) {
		c.Assigns = append(c.Assigns, words[0])
		words = words[1:]
	}
	for len(words) > 0 {
		name := base(words[0])
		flags, wraps := wrappers[name]
		rest := skipFlags(name, words[1:], strings.Fields(flags))
		if !wraps || len(rest) == 0 || len(c.Via) > 8 {
			break
		}
		c.Via = append(c.Via, name)
		for len(rest) > 1 && assignment(rest[0]) {
			c.Assigns = append(c.Assigns, rest[0])
			rest = rest[1:]
		}
		words = rest
	}
	if len(words) > 0 {
		c.Path, c.Name, c.Args = words[0], base(words[0]), words[1:]
	}
}

// skipFlags drops the wrapper's own flags, and the operand timeout and taskset
// take before the command.
func skipFlags(name string, words, valued []string) []string {
	for len(words) > 0 && strings.HasPrefix(words[0], "-") && words[0] != "-" {
		if words[0] == "--" {
			words = words[1:]
			break
		}
		if slices.Contains(valued, words[0]) && len(words) > 1 {
			words = words[1:]
		}
		words = words[1:]
	}
	if (name == "timeout" || name == "taskset" || name == "chrt") && len(words) > 0 {
		words = words[1:]
	}
	return words
}

func base(word string) string { return path.Base(word) }

// assignment reports whether a word is VAR=value.
func assignment(w string) bool {
	name, _, ok := strings.Cut(w, "=")
	if !ok || name == "" {
		return false
	}
	for i, c := range []byte(strings.TrimSuffix(name, "+")) {
		letter := c == '_' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
		if !letter && (i == 0 || c < '0' || c > '9') {
			return false
		}
	}
	return true
}
