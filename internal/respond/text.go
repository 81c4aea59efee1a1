package respond

import (
	"regexp"
	"strings"

	"honeyguide/internal/safetext"
)

// cut marks where a text was shortened.
const cut = "… (cut)"

// Lines returns s with its line breaks kept and everything else that could steer
// what shows it made visible, cut to at most n characters.
func Lines(s string, n int) string {
	if len(s) > 8*n { // a megabyte is not escaped to show a page
		s = strings.ToValidUTF8(s[:8*n], "") + cut
	}
	s = strings.ReplaceAll(s, "\r\n", "\n")
	var b strings.Builder
	for i, line := range strings.Split(s, "\n") {
		if i > 0 {
			b.WriteByte('\n')
		}
		b.WriteString(safetext.Term(line))
	}
	return Clip(b.String(), n)
}

// Clip cuts s to n characters, the cut marked. It escapes nothing.
func Clip(s string, n int) string {
	if len(s) <= n {
		return s
	}
	if r := []rune(s); len(r) > n {
		end := []rune(cut)
		if n < len(end) {
			return string(r[:max(n, 0)])
		}
		return string(r[:n-len(end)]) + cut
	}
	return s
}

// dotted is a dot within what a reader might take for a host's name. Addresses
// of digits are no links anywhere and stay as they are, to be copied.
var dotted = regexp.MustCompile(`([\pL\pN_-])\.(\pL)`)

// Inert is [Lines] for messages: what a mail program or a chat would make a link
// of is no longer one.
func Inert(s string, n int) string {
	return Clip(defang(Lines(s, n)), n)
}

// InertLine is [Inert] for one line: line breaks are shown, not made.
func InertLine(s string, n int) string {
	return Clip(defang(safetext.TermN(s, n)), n)
}

func defang(s string) string {
	s = strings.ReplaceAll(s, "://", "[:]//")
	return dotted.ReplaceAllString(s, "${1}[.]${2}")
}

// Fence returns s as a code block of Markdown that nothing in it can end: no
// mention, link or picture works in there.
func Fence(s string) string {
	longest, run := 2, 0
	for _, r := range s {
		if run++; r != '`' {
			run = 0
		}
		longest = max(longest, run)
	}
	fence := strings.Repeat("`", longest+1)
	return fence + "\n" + s + "\n" + fence
}
