package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"
	"time"
	"unicode/utf8"

	"honeyguide/internal/config"
	"honeyguide/internal/safetext"
)

// format returns the output format asked for: a table for people, JSON when
// nobody watches.
func (c *command) format() (string, error) {
	switch c.output {
	case "table", "json", "yaml":
		return c.output, nil
	case "":
		if terminal(c.out) {
			return "table", nil
		}
		return "json", nil
	}
	return "", usagef("-o %s: want table, json or yaml", safetext.Term(c.output))
}

// terminal reports whether w is a character device.
func terminal(w any) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	st, err := f.Stat()
	return err == nil && st.Mode()&os.ModeCharDevice != 0
}

// print writes v as JSON or YAML, or calls table.
func (c *command) print(v any, table func(w io.Writer)) error {
	format, err := c.format()
	if err != nil {
		return err
	}
	switch format {
	case "json":
		text, err := json.MarshalIndent(v, "", "  ")
		if err != nil {
			return err
		}
		_, err = c.out.Write(append(safetext.JSON(text), '\n'))
		return err
	case "yaml":
		return config.WriteYAML(c.out, v)
	}
	tw := tabwriter.NewWriter(c.out, 0, 4, 2, ' ', 0)
	table(tw)
	return tw.Flush()
}

// row writes the cells of one table row, each made harmless and cut.
func row(w io.Writer, cells ...any) {
	out := make([]string, len(cells))
	for i, cell := range cells {
		out[i] = safetext.TermN(text(cell), 100)
	}
	fmt.Fprintln(w, strings.Join(out, "\t"))
}

func text(cell any) string {
	switch v := cell.(type) {
	case string:
		if v == "" {
			return "-"
		}
		return v
	case time.Time:
		if v.IsZero() {
			return "-"
		}
		return v.UTC().Format("2006-01-02 15:04:05")
	case float64:
		return fmt.Sprintf("%.0f", v)
	}
	return fmt.Sprint(cell)
}

// field writes one "name  value" line of a detail view.
func field(w io.Writer, name string, value any) {
	fmt.Fprintf(w, "%s\t%s\n", name, safetext.TermN(text(value), 400))
}

// heading underlines a title.
func heading(w io.Writer, title string) {
	fmt.Fprintf(w, "\n%s\n%s\n", title, strings.Repeat("-", utf8.RuneCountInString(title)))
}
