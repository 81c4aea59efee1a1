package lineedit

import "strconv"

// An argument is the number being typed in front of a command: Alt-3.
type argument struct {
	value  int
	minus  bool
	digits bool
}

// maxArgument bounds how often a command is repeated.
const maxArgument = 4096

// beginArgument is the first key of a number.
func (e *Editor) beginArgument(b byte) {
	if e.arg == nil { // Alt-1 Alt-0 goes on with the number
		e.arg = &argument{value: 1}
	}
	e.showArgument()
	e.argument(b)
}

// argument takes a key while a number is typed; done is false when it is the
// command the number is for.
func (e *Editor) argument(b byte) (done bool, r Result) {
	a := e.arg
	switch {
	case b >= '0' && b <= '9':
		if !a.digits {
			a.value = 0
		}
		a.digits = true
		a.value = min(a.value*10+int(b-'0'), maxArgument)
	case b == '-' && !a.digits && !a.minus:
		a.minus = true
	default:
		e.d.atStart = true
		e.refresh() // with the prompt it had
		return false, More
	}
	e.showArgument()
	return true, More
}

func (e *Editor) showArgument() {
	n := e.arg.value
	if e.arg.minus {
		n = -n
	}
	e.showNumber(n)
}

// showNumber shows a number in place of the prompt.
func (e *Editor) showNumber(n int) {
	prompt, _ := cells([]rune("(arg: "+strconv.Itoa(n)+") "), nil, 0)
	text, index := cells(e.buf, nil, len(prompt))
	e.d.show(append(prompt, text...), len(prompt)+index[e.pos])
}

// count is how often the command under way is to be run; it uses the number up.
func (e *Editor) count() int {
	a := e.arg
	e.arg, e.wanted, e.explicit = nil, -1, a != nil
	if a == nil {
		return 1
	}
	e.wanted, e.d.atStart = a.value, true
	if a.minus {
		return -a.value
	}
	return a.value
}
