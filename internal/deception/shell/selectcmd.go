package shell

import (
	"strconv"
	"strings"
	"unicode/utf8"

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
			e.warn(menu(items, e.menuWidth()))
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

// menuWidth is how wide a menu may be.
func (e *env) menuWidth() int {
	if v, ok := e.get("COLUMNS"); ok {
		if n, err := strconv.Atoi(v); err == nil && n > 0 {
			return n
		}
	}
	if e.k.tty != nil {
		return e.k.sh.cols()
	}
	return 80
}

// menu lists numbered items in as many columns as fit, down first, as bash does:
// a menu that would take one row takes one column.
func menu(items []string, width int) string {
	digits := len(strconv.Itoa(len(items)))
	longest := 0
	for _, s := range items {
		longest = max(longest, utf8.RuneCountInString(s))
	}
	longest += digits + 4
	cols := max(1, width/longest)
	rows := (len(items) + cols - 1) / cols
	cols = (len(items) + rows - 1) / rows
	if rows == 1 {
		rows, cols = cols, 1
	}
	var b strings.Builder
	for row := range rows {
		for col := range cols {
			i := row + col*rows
			if i >= len(items) {
				break
			}
			w := digits
			if col == 0 {
				w = len(strconv.Itoa(rows))
			} else {
				indent(&b, (col-1)*longest+itemWidth(items, i-rows, col-1, rows, digits), col*longest)
			}
			b.WriteString(pad(strconv.Itoa(i+1), w) + ") " + items[i])
		}
		b.WriteByte('\n')
	}
	return b.String()
}

// itemWidth is how many columns an item of a menu takes.
func itemWidth(items []string, i, col, rows, digits int) int {
	if col == 0 {
		digits = len(strconv.Itoa(rows))
	}
	return digits + 2 + utf8.RuneCountInString(items[i])
}

// indent moves from one column to another by tabs where they fit, else by blanks.
func indent(b *strings.Builder, from, to int) {
	for from < to {
		if to/8 > from/8 {
			b.WriteByte('\t')
			from += 8 - from%8
		} else {
			b.WriteByte(' ')
			from++
		}
	}
}
