package shell

import "time"

type tty struct{ file *ofile }

func (t *tty) poll()                       {}
func (t *tty) quietly(silent, chars bool)  {}
func (t *tty) normally()                   {}
func (t *tty) Read(p []byte) (int, error)  { return 0, nil }
func (t *tty) Write(p []byte) (int, error) { return len(p), nil }
func (t *tty) Close()                      {}

func (k *kernel) attachTTY(e *env) {}
func (e *env) interact() int       { return 0 }
func (e *env) runProfile()         {}
func (e *env) foreground(t *task, o *job) int {
	e.k.wait(func() bool { return t.done }, time.Time{})
	return t.status
}
func (e *env) expandPrompt(s string) string { return s }
