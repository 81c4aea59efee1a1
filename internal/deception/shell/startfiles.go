package shell

import (
	"strings"
)

// The files a shell starts with. A start is cheap while nothing of the machine
// has been changed: what Debian's files bring about is known then. After any
// change they are read and run, so that what an attacker writes into one of
// them acts at his next login.

// untouched reports a machine on which the attacker has changed nothing.
func (e *env) untouched() bool {
	if e.fs == nil {
		return true
	}
	bytes, inodes := e.fs.Used()
	return bytes == 0 && inodes == 0
}

// startup makes an interactive bash ready: its own variables, its files, its
// history.
func (e *env) startup() {
	e.own()
	for _, kv := range [][2]string{
		{"PS1", `\s-\v\$ `}, {"PS2", "> "}, {"HISTFILE", e.homeDir() + "/.bash_history"}, {"HISTSIZE", "500"}, {"HISTFILESIZE", "500"}, {"MAILCHECK", "60"},
	} {
		if _, ok := e.vars[kv[0]]; !ok {
			e.vars[kv[0]] = &variable{val: kv[1]}
		}
	}
	switch {
	case e.norc:
	case e.rcfile != "":
		e.startFile(e.rcfile)
	case e.untouched():
		e.debianStart()
	case e.login:
		e.loginFiles()
	default:
		e.startFile("/etc/bash.bashrc")
		e.startFile(e.homeDir() + "/.bashrc")
	}
	if e.flow != exiting {
		e.status = 0
	}
	e.hist = &history{}
	if path, ok := e.get("HISTFILE"); ok && path != "" {
		if text := e.readSmall(e.abs(path)); text != "" {
			for line := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n") {
				e.hist.add(line)
			}
		}
	}
	e.histLoaded = len(e.hist.lines) + e.hist.first
}

func (e *env) homeDir() string {
	if h, ok := e.get("HOME"); ok && h != "" {
		return h
	}
	return e.home
}

// debianStart sets what Debian's files set.
func (e *env) debianStart() {
	set := func(name, val string) { e.vars[name] = &variable{val: val} }
	ps1 := `${debian_chroot:+($debian_chroot)}\u@\h:\w\$ `
	if i, err := e.stat(e.homeDir() + "/.bashrc"); e.cred.UID != 0 && err == nil && i.IsRegular() {
		term, _ := e.get("TERM")
		if strings.HasSuffix(term, "-256color") || term == "xterm-color" {
			ps1 = `${debian_chroot:+($debian_chroot)}\[\033[01;32m\]\u@\h\[\033[00m\]:\[\033[01;34m\]\w\[\033[00m\]\$ `
		}
		if strings.HasPrefix(term, "xterm") || strings.HasPrefix(term, "rxvt") {
			ps1 = `\[\e]0;\u@\h: \w\a\]` + ps1
		}
		e.alias = userAliases
		set("HISTCONTROL", "ignoreboth")
		set("HISTSIZE", "1000")
		set("HISTFILESIZE", "2000")
		e.shopts |= shHistAppend
	}
	set("PS1", ps1)
}

// userAliases are those of a user's .bashrc; alias copies before it writes.
var userAliases = map[string]string{"ls": "ls --color=auto"}

// loginFiles runs the files of a login shell.
func (e *env) loginFiles() {
	e.startFile("/etc/profile")
	for _, name := range []string{".bash_profile", ".bash_login", ".profile"} {
		path := e.homeDir() + "/" + name
		if i, err := e.stat(path); err == nil && i.IsRegular() {
			e.startFile(path)
			return
		}
	}
}

// startFile runs a file in this shell, if it is there.
func (e *env) startFile(path string) {
	i, err := e.stat(path)
	if err != nil || !i.IsRegular() || e.flow == exiting {
		return
	}
	text, err := e.readScript(path)
	if err != nil {
		if errText(err) != "No such file or directory" {
			e.errorf("%s: %s", path, errText(err))
		}
		return
	}
	e.protected(func() int { return e.sourceText(path, text, nil) })
	if e.flow != exiting {
		e.flow = goingOn
	}
}

// startPlain runs what a shell without prompts starts with: the files of a login,
// the file BASH_ENV names, and for a command that came over the network
// ~/.bashrc, as Debian's bash is built.
func (e *env) startPlain(network bool) {
	switch {
	case e.login && !e.norc && !e.untouched():
		e.loginFiles()
	case network && !e.untouched():
		e.startFile("/etc/bash.bashrc")
		e.startFile(e.homeDir() + "/.bashrc")
	}
	if name, ok := e.get("BASH_ENV"); ok && name != "" && !network {
		if w, err := e.textWord(name, true); err == nil {
			if s, err := e.inner(w.Parts); err == nil {
				e.startFile(s)
			}
		}
	}
}

// goodbye runs the file a login shell ends with.
func (e *env) goodbye() {
	if !e.login || e.norc || e.dialect != bash || e.untouched() {
		return
	}
	flow, status := e.flow, e.status
	e.flow = goingOn
	e.startFile(e.homeDir() + "/.bash_logout")
	e.flow, e.status = flow, status
}
