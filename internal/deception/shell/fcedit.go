package shell

import (
	"cmp"
	"strings"

	"honeyguide/internal/deception/vfs"
)

// fcEdit is fc without -l: lines of the history go through an editor, are shown,
// remembered and run. fc itself is not remembered.
func (e *env) fcEdit(editor string, lines []string, last int) int {
	if e.fs == nil {
		return 1
	}
	if e.interactive && last < len(e.hist.lines) {
		e.hist.lines = e.hist.lines[:last]
	}
	if editor == "" {
		fcedit, _ := e.get("FCEDIT")
		usual, _ := e.get("EDITOR")
		editor = cmp.Or(fcedit, usual, "vi")
	}
	path := "/tmp/bash-fc." + e.k.letters(6)
	f, err := e.fs.Open(e.cred, path, vfs.O_WRONLY|vfs.O_CREATE|vfs.O_EXCL, 0o600)
	if err != nil {
		e.errorf("fc: %s: cannot open temp file: %s", path, errText(err))
		return 1
	}
	_, err = f.Write([]byte(strings.Join(lines, "\n") + "\n"))
	f.Close()
	defer func() { _ = e.fs.Remove(e.cred, path) }()
	if err != nil {
		return 1
	}
	if e.k.depth++; e.k.depth > e.k.bud.Depth {
		panic(death{139, ofProcess, nil})
	}
	e.again = true
	defer func() {
		e.k.depth--
		e.again = false
	}()
	if st := e.runText(&source{text: editor + " " + path, kind: fromEval}, e.line-1); st != 0 {
		return st
	}
	text := e.readSmall(path)
	if text == "" {
		return 0
	}
	e.warn(text)
	if e.interactive {
		for line := range strings.Lines(text) {
			e.addHistory(strings.TrimSuffix(line, "\n"))
		}
	}
	return e.runText(&source{text: text, kind: fromEval}, e.line-1)
}

// letters are random ones for the name of a temporary file.
func (k *kernel) letters(n int) string {
	const from = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
	b := make([]byte, n)
	for i := range b {
		b[i] = from[k.random().IntN(len(from))]
	}
	return string(b)
}
