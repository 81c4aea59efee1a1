package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/enrich"
	"honeyguide/internal/safetext"
)

// feedsCmd is `honeyguide feeds list|show`.
func (c *command) feedsCmd() *cobra.Command {
	g := group("feeds", "How every source of enrichment stands: databases, tables, feeds, services.")
	g.Aliases = []string{"feed"}
	g.AddCommand(&cobra.Command{
		Use: "list", Short: "List the sources with state, size and age.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[enrich.Status]
			if err := c.get(cmd.Context(), "/enrichers", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "NAME", "STATE", "ENTRIES", "BAD", "AS OF", "LOADED", "WHAT IS WRONG")
				for _, s := range p.Items {
					row(w, s.Name, s.State, s.Items, s.Bad, s.AsOf, s.Loaded, s.Detail)
				}
			})
		},
	}, &cobra.Command{
		Use: "show NAME", Short: "Show one source with the lines that could not be read.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p client.Page[enrich.Status]
			if err := c.get(cmd.Context(), "/enrichers", nil, &p); err != nil {
				return err
			}
			for _, s := range p.Items {
				if s.Name == args[0] || s.Name == "feed:"+args[0] {
					return c.print(s, func(w io.Writer) { showFeed(w, s) })
				}
			}
			return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no source %.80q; see honeyguide feeds list", args[0])}
		},
	})
	return g
}

func showFeed(w io.Writer, s enrich.Status) {
	field(w, "source", s.Name)
	field(w, "from", s.Source)
	field(w, "state", s.State)
	field(w, "wrong", s.Detail)
	field(w, "entries", s.Items)
	field(w, "as of", s.AsOf)
	field(w, "loaded", s.Loaded)
	if s.Budget > 0 {
		field(w, "asked", fmt.Sprintf("%d of %d today", s.Asked, s.Budget))
	}
	if s.Bad == 0 {
		return
	}
	heading(w, fmt.Sprintf("Could not be read (%d)", s.Bad))
	for _, b := range s.BadLines {
		row(w, b.Line, safetext.TermN(b.Reason, 120))
	}
}
