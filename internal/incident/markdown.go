package incident

import (
	"bytes"
	"fmt"
	"strings"
)

// markdown writes a dossier as Markdown. Whatever is not our own words stands in
// a code span: nothing in it is markup, and no reader makes a link of it.
func (d *Dossier) markdown() []byte {
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Incident %s\n", d.Incident.Short)
	for _, s := range d.compose() {
		if len(s.fields) == 0 && len(s.rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "\n## %s\n\n", s.title)
		if s.note != "" {
			fmt.Fprintf(&b, "%s\n\n", s.note)
		}
		for _, f := range s.fields {
			fmt.Fprintf(&b, "- %s: %s\n", f[0], code(f[1]))
		}
		if len(s.rows) == 0 {
			continue
		}
		fmt.Fprintf(&b, "| %s |\n|%s\n", strings.Join(s.head, " | "), strings.Repeat(" --- |", len(s.head)))
		for _, r := range s.rows {
			for _, c := range r {
				fmt.Fprintf(&b, "| %s ", strings.ReplaceAll(code(c), "|", `\|`))
			}
			b.WriteString("|\n")
		}
	}
	return b.Bytes()
}

// code makes a code span of text without line breaks. The one character that
// could end it becomes an escape.
func code(s string) string {
	if strings.TrimSpace(s) == "" {
		return "-"
	}
	return "`" + strings.ReplaceAll(s, "`", `\x60`) + "`"
}
