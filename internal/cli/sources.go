package cli

import (
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/source"
)

// sourcesCmd shows what keeps bringing in records.
func (c *command) sourcesCmd() *cobra.Command {
	return listing[source.Status]{
		name: "sources", alias: "source", short: "What keeps bringing in records of other products, and how far behind it is.", path: "/sources",
		header: []any{"NAME", "KIND", "STATE", "RECORDS", "EVENTS", "REJECTED", "DUPLICATES", "LAG", "LAST", "DETAIL"},
		row: func(s source.Status) []any {
			return []any{s.Name, s.Kind, s.State, s.Records, s.Events, s.Rejected, s.Duplicates, size(s.LagBytes), s.LastAt, s.Detail}
		},
		show: showSource,
	}.command(c)
}

func showSource(w io.Writer, s source.Status, _ lookup) {
	field(w, "source", s.Name+"  ("+s.Kind+", format "+s.Format+")")
	field(w, "state", s.State)
	field(w, "detail", s.Detail)
	field(w, "records", s.Records)
	field(w, "events", s.Events)
	field(w, "rejected", s.Rejected)
	field(w, "duplicates", s.Duplicates)
	field(w, "left out", s.Ignored)
	field(w, "given up", s.Dropped)
	field(w, "bytes", size(s.Bytes))
	field(w, "errors", s.Errors)
	field(w, "not read yet", size(s.LagBytes))
	field(w, "age of records", time.Duration(s.LagSeconds*float64(time.Second)).Round(time.Millisecond))
	field(w, "last record", s.LastAt)
	field(w, "place kept", s.SavedAt)
	heading(w, fmt.Sprintf("Streams (%d)", len(s.Streams)))
	for _, x := range s.Streams {
		row(w, x.State, x.Name, size(x.Position), "of", size(x.Size))
	}
}

// size shows bytes in the unit people read.
func size(n int64) string {
	switch {
	case n >= 10<<30:
		return fmt.Sprintf("%d GiB", n>>30)
	case n >= 10<<20:
		return fmt.Sprintf("%d MiB", n>>20)
	case n >= 10<<10:
		return fmt.Sprintf("%d KiB", n>>10)
	}
	return fmt.Sprintf("%d B", n)
}
