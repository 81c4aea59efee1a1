package shell

import (
	"strconv"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// selectClause is select: a menu on standard error, an answer from standard input.
func (e *env) selectClause(c *syntax.ForClause, l *syntax.WordIter) int {
	items := e.params
	if l.InPos.IsValid() {
		var err error
		if items, err = e.words(l.Items); err != nil {
			return e.fail(err)
		}
	}
	if len(items) == 0 {
		return 0
	}
	status := 0
	show := true
	for {
		if show {
			e.warn(menu(items))
		}
		ps3, ok := e.get("PS3")
		if !ok {
			ps3 = "#? "
		}
		e.warn(ps3)
		in := e.fds.get(0)
		if in == nil {
			return 1
		}
		line, more := e.readLine(in)
		if line == "" && !more {
			e.out("\n")
			return 1
		}
		line = strings.TrimSuffix(line, "\n")
		if show = line == ""; show {
			continue
		}
		word := ""
		if n, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && n >= 1 && n <= len(items) {
			word = items[n-1]
		}
		if err := e.set("REPLY", line); err != nil {
			return e.fail(err)
		}
		if err := e.set(l.Name.Value, word); err != nil {
			return e.fail(err)
		}
		on := e.loop(c.Do)
		status = e.status
		if !on {
			return status
		}
	}
}

// menu lists numbered items: one column here, as bash does for few.
func menu(items []string) string {
	var b strings.Builder
	w := len(strconv.Itoa(len(items)))
	for i, s := range items {
		b.WriteString(pad(strconv.Itoa(i+1), w) + ") " + s + "\n")
	}
	return b.String()
}
