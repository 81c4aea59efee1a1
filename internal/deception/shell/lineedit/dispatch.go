package lineedit

import (
	"strings"
	"unicode/utf8"
)

// Key takes one byte the attacker typed. next is the byte that has already
// arrived behind it, -1 when there is none: text that comes in one piece is
// shown in one piece.
func (e *Editor) Key(b byte, next int) Result {
	r := e.take(b, next)
	if n := e.settings.Limit; n > 0 && r == More && len(e.buf) >= n {
		e.refresh()
		return e.ending("accept-line")
	}
	return r
}

func (e *Editor) take(b byte, next int) Result {
	before := e.before
	e.before = int(b)
	e.record(b)
	e.burst = next >= ' ' && next != 0x7f && !e.macro.playing
	e.ahead = next
	typing := e.typing
	e.typing = false
	switch {
	case b == 3: // the driver makes a signal of it whatever is being read
		e.quoted, e.keys, e.utf, e.paste, e.ask, e.waiting = false, nil, nil, false, nil, nil
		e.macro.stop()
		return e.interrupt()
	case e.ask != nil:
		return e.answer(b)
	case e.search != nil && b == 0x1b && next < 0:
		e.search.end(e, e.search.found)
		return More
	case e.nsearch != nil:
		e.nonIncKey(b)
		return More
	case e.quoted:
		e.quoted = false
		e.insert(rune(b))
		e.refresh()
		return More
	case e.waiting != nil:
		return e.awaited(b)
	case e.seek != 0:
		e.charSearch(rune(b))
		return More
	case e.arg != nil && len(e.keys) == 0:
		if done, r := e.argument(b); done {
			return r
		}
	case e.paste:
		e.pasted(b)
		return More
	case len(e.utf) > 0 || b >= 0x80 && len(e.keys) == 0:
		e.multibyte(b, typing)
		return More
	}
	switch {
	case len(e.keys) > 0:
	case b == 0x1a:
		return Suspend
	case b == 0x1c:
		return More
	case b == 4 && len(e.buf) == 0 && before != 4 && e.search == nil:
		e.fini("\r\n")
		return EndOfFile
	}
	e.keys = append(e.keys, b)
	if len(e.keys) == 1 {
		e.twice = b == 0x1b && next == 0x1b
	} else if e.twice && string(e.keys) == "\x1b\x1b" && next < 0 && e.Pending() {
		return e.Expire() // two escapes in one piece do not wait for more
	}
	if typing && len(e.keys) == 1 && b >= ' ' && b < 0x7f && e.inserts(b) && e.typeBehind(rune(b)) {
		e.keys = nil
		return More
	}
	return e.sequence()
}

// awaited hands a key to the command that waits for one.
func (e *Editor) awaited(b byte) Result {
	r := rune(b)
	if len(e.utf) > 0 || b >= 0x80 {
		e.utf = append(e.utf, b)
		if !utf8.FullRune(e.utf) && len(e.utf) < utf8.UTFMax {
			return More
		}
		r = decode(string(e.utf))[0]
		e.utf = nil
	}
	wait := e.waiting
	e.waiting = nil
	if ok := wait(r); !ok {
		e.bell()
	}
	e.settle()
	return More
}

// settle shows what a command has done.
func (e *Editor) settle() {
	e.viCheck()
	if e.waiting == nil || e.banner != nil {
		e.refresh()
	}
}

// typeBehind shows a character typed behind others at the end of the line. It
// does what a whole refresh does at a cost that does not grow with the line.
func (e *Editor) typeBehind(r rune) bool {
	if e.burst || e.silent || e.active || e.overtype || e.vi.replacing || e.banner != nil || e.search != nil || len(e.buf) >= maxLine || !e.d.roomBehind() {
		return false
	}
	shown, _ := cells([]rune{r}, nil, 0)
	if len(shown) != 1 || shown[0].width() != 1 {
		return false
	}
	e.insert(r)
	e.done("insert")
	e.d.behind(shown[0])
	e.typing = true
	return true
}

// multibyte gathers the bytes of a character. typing says that the character
// before it was typed at the end of the line, and is shown.
func (e *Editor) multibyte(b byte, typing bool) {
	e.utf = append(e.utf, b)
	if !utf8.FullRune(e.utf) && len(e.utf) < utf8.UTFMax {
		e.typing = typing
		return
	}
	rs := decode(string(e.utf))
	e.utf = nil
	if e.search != nil {
		for _, r := range rs {
			e.search.key(e, r)
		}
		return
	}
	if typing && len(rs) == 1 && e.typeBehind(rs[0]) {
		return
	}
	if e.keymap() == ViCommand {
		e.bell()
		return
	}
	e.deactivate()
	for _, r := range rs {
		e.put(r, 1)
	}
	e.done("insert")
	e.refreshInsert()
	e.typing = !e.burst && e.pos == len(e.buf)
}

// refreshInsert shows what was inserted unless more is about to come.
func (e *Editor) refreshInsert() {
	if !e.burst {
		e.refresh()
	}
}

// inserts reports whether a printable key stands for itself.
func (e *Editor) inserts(b byte) bool {
	if e.keymap() == ViCommand {
		return false
	}
	_, bound, longer := e.keymaps.lookup(e.keymap(), string([]byte{b}))
	return !bound && !longer
}

// sequence looks the pending keys up.
func (e *Editor) sequence() Result {
	k := string(e.keys)
	e.key, e.length = k[len(k)-1], len(k)
	b, bound, longer := e.keymaps.lookup(e.keymap(), k)
	switch {
	case longer && e.macro.playing && bound && e.macro.spent():
	case longer:
		return More
	}
	e.keys = nil
	switch {
	case bound:
		return e.perform(b)
	case len(k) == 1 && e.search != nil && k[0] >= ' ' && k[0] < 0x7f:
		e.search.key(e, rune(k[0]))
		return More
	case len(k) == 1 && e.selfInserts(k[0]):
		e.deactivate()
		e.put(rune(k[0]), e.count())
		e.done("insert")
		e.refreshInsert()
		e.typing = !e.burst && e.pos == len(e.buf)
		return More
	}
	for n := len(k) - 1; n > 0; n-- {
		if b, bound, _ := e.keymaps.lookup(e.keymap(), k[:n]); bound {
			// A key that also begins longer ones did not: the keys behind it
			// stand for themselves.
			r := e.perform(b)
			for i := n; i < len(k) && r == More; i++ {
				r = e.Key(k[i], -1)
			}
			return r
		}
	}
	e.count()
	if e.keymap() == ViCommand && len(k) > 1 && k[0] == 0x1b {
		// Escape does nothing there; what is behind it counts.
		r := More
		for i := 1; i < len(k) && r == More; i++ {
			r = e.Key(k[i], -1)
		}
		return r
	}
	if e.search != nil {
		e.search.end(e, e.search.found)
	}
	e.bell()
	return More
}

// selfInserts reports whether a key that is not bound is text.
func (e *Editor) selfInserts(b byte) bool {
	return e.keymap() != ViCommand && (b >= ' ' && b < 0x7f || e.keymap() == ViInsert && b < ' ')
}

// put inserts a character n times, or writes it over others.
func (e *Editor) put(r rune, n int) {
	switch {
	case n < 1:
	case e.vi.replacing:
		e.viOverstrike(r, n)
	case e.overtype:
		e.overstrike(r, n)
	case n == 1:
		e.insert(r)
	default:
		e.insertAll([]rune(strings.Repeat(string(r), min(n, maxArgument))))
	}
}

// perform does what a key is bound to.
func (e *Editor) perform(b Binding) Result {
	switch {
	case b.Macro != "":
		if !e.macro.push(b.Macro) {
			e.d.puts("readline: maximum macro execution nesting level exceeded\r\n")
			e.bell()
		}
		return More
	case b.Command != "":
		e.execute = b.Command
		return Execute
	case b.Func == "":
		return More
	}
	return e.run(b.Func)
}

// run carries out a command and shows its effect.
func (e *Editor) run(name string) Result {
	if e.search != nil {
		if r, done := e.search.command(e, name); done {
			return r
		}
	}
	if name != "insert-last-argument" && name != "yank-nth-arg" {
		e.dotted = 0
	}
	if name != "bracketed-paste-begin" {
		e.deactivate() // exchange-point-and-mark shows it again
	}
	if r := e.ending(name); r != More {
		return r
	}
	if name == "digit-argument" || name == "vi-arg-digit" {
		e.beginArgument(e.key)
		return More
	}
	ok := true
	n := e.count()
	if mirror := mirrors[name]; n < 0 && mirror != "" {
		n, name = -n, mirror
	}
	if counted[name] || strings.HasPrefix(name, "vi-") || name == viComplete {
		ok = e.numbered(name, n)
	} else {
		for ; n > 0 && ok; n-- {
			ok = e.edit(name)
		}
	}
	e.viAfter(name)
	e.done(name)
	if !ok {
		e.bell()
	}
	e.settle()
	return More
}

// ending carries out the commands that end the line; More says that name is none
// of them.
func (e *Editor) ending(name string) Result {
	switch name {
	case "insert-comment":
		e.pos = 0
		e.insertAll(decode(e.comment()))
		e.refresh()
		e.leave()
		return Accept
	case "operate-and-get-next":
		if e.at < len(e.hist) {
			e.next = e.at + 1
		}
		return e.ending("accept-line")
	case "accept-line", "vi-eof-maybe":
		e.count()
		if e.vi.on && e.vi.insert {
			e.doneInserting()
		}
		if e.wasActive() {
			e.refreshAccept()
		}
		e.pos = len(e.buf)
		if e.d.row < len(e.d.rows)-1 || e.wasActive() {
			e.refreshAccept()
		}
		e.leave()
		return Accept
	}
	return More
}
