package lineedit

import "strings"

// maxMacroDepth is how deep macros may type macros, as readline has it.
const maxMacroDepth = 16

// maxMacro bounds the keys that wait to be typed, and those of a macro.
const maxMacro = 16 << 10

// A macro is what is typed for the attacker, and what he has the editor remember.
type macro struct {
	stack    []string // keys still to be typed; the last are next
	playing  bool     // the key being taken comes from there
	defining bool
	typed    []byte // of the macro being defined
	last     []byte // the one defined last
}

// push types keys in front of those that wait; false when that goes too deep.
func (m *macro) push(keys string) bool {
	if len(m.stack) > maxMacroDepth || len(keys) > maxMacro {
		m.stop()
		return false
	}
	m.stack = append(m.stack, keys)
	return true
}

func (m *macro) stop() { m.stack, m.defining = nil, false }

// next takes the next key. A macro that has none left counts until somebody asks
// for one: a key that types itself last of all comes to an end as well.
func (m *macro) next() (byte, bool) {
	for len(m.stack) > 0 {
		top := len(m.stack) - 1
		if keys := m.stack[top]; keys != "" {
			m.stack[top] = keys[1:]
			return keys[0], true
		}
		m.stack = m.stack[:top]
	}
	return 0, false
}

// spent reports whether no key is left.
func (m *macro) spent() bool { return len(strings.Join(m.stack, "")) == 0 }

// Replay takes the next key a macro types; false when there is none.
func (e *Editor) Replay() (Result, bool) {
	b, ok := e.macro.next()
	if !ok {
		return More, false
	}
	e.macro.playing = true
	r := e.Key(b, -1)
	e.macro.playing = false
	return r, true
}

// record notes a key for the macro being defined. Text that arrives in one piece
// behind a character is inserted with it and not noted: readline takes it off
// the terminal without looking at each key.
func (e *Editor) record(b byte) {
	m := &e.macro
	batch := e.last == "insert" && e.ahead >= 0 && b >= ' ' && b != 0x7f && len(e.keys) == 0
	if m.defining && !m.playing && !batch && len(m.typed) < maxMacro {
		m.typed = append(m.typed, b)
	}
}

// macroCommand is one of the commands about keyboard macros.
func (e *Editor) macroCommand(name string, n int) bool {
	m := &e.macro
	switch name {
	case "start-kbd-macro":
		if m.defining {
			m.stop()
			return false
		}
		if n > 1 || e.explicit { // goes on with the last one
			m.typed = append([]byte(nil), m.last...)
			m.push(string(m.last))
		} else {
			m.typed = nil
		}
		m.defining = true
	case "end-kbd-macro":
		if !m.defining {
			return false
		}
		m.defining = false
		m.last = m.typed[:max(0, len(m.typed)-e.length)]
		m.typed = nil
		return m.repeat(n - 1)
	case "call-last-kbd-macro":
		if m.defining {
			m.typed = m.typed[:max(0, len(m.typed)-e.length)]
			return false
		}
		if len(m.last) == 0 {
			return false
		}
		return m.repeat(n)
	}
	return true
}

// repeat types the last macro n times.
func (m *macro) repeat(n int) bool {
	if n < 1 || len(m.last) == 0 {
		return true
	}
	return m.push(strings.Repeat(string(m.last), min(n, 1+maxMacro/len(m.last))))
}
