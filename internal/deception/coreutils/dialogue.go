package coreutils

import (
	"errors"
	"io"
)

// SignalKeys says what a program that asks something on the terminal does about
// the keys that send signals.
type SignalKeys int

// The ways of dealing with Ctrl-C.
const (
	KeysKill    SignalKeys = iota // it dies of them
	KeysIgnored                   // they are thrown away with what was typed before them
	KeysEndRead                   // Ctrl-C ends the Read with ErrInterrupted and is not shown
)

// ErrInterrupted ends a Read of the terminal for which KeysEndRead holds.
var ErrInterrupted = errors.New("interrupted system call")

// hold sets what happens about signal keys and returns what undoes that.
func (p *Proc) hold(how SignalKeys) func() {
	t, ok := p.Stdin.(interface{ SetSignalKeys(SignalKeys) bool })
	if !ok || !t.SetSignalKeys(how) {
		return func() {}
	}
	return func() { t.SetSignalKeys(KeysKill) }
}

// agrees asks a question on standard error and reports whether the answer
// begins as a yes does.
func (p *Proc) agrees(format string, a ...any) bool {
	p.flush()
	p.complain(p.name + ": " + sprintf(format, a...))
	line, _ := readLine(p.Stdin)
	return line != "" && (line[0] == 'y' || line[0] == 'Y')
}

// A prompter flushes a program's output before it waits for what is typed: a
// terminal gets every line at once.
type prompter struct {
	p *Proc
	r io.Reader
}

func (f prompter) Read(b []byte) (int, error) {
	f.p.flush()
	return f.r.Read(b)
}

// watched is a reader for lines of r that shows what was written so far whenever
// more is waited for, when somebody watches.
func (p *Proc) watched(r io.Reader) io.Reader {
	if !p.TTY || !p.StdinTTY {
		return r
	}
	return prompter{p, r}
}
