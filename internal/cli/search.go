package cli

import (
	"fmt"
	"io"
	"net/url"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide/internal/api"
)

// searchCmd is `honeyguide search TEXT`.
func (c *command) searchCmd() *cobra.Command {
	return &cobra.Command{
		Use: "search TEXT...", Short: "Look for everything about a short id, an address, a hash, a user, a rule or words.", Args: cobra.MinimumNArgs(1),
		Example: "  honeyguide search 198.51.100.7\n  honeyguide search A-12",
		RunE: func(cmd *cobra.Command, args []string) error {
			var found api.Found
			if err := c.get(cmd.Context(), "/search", url.Values{"q": {strings.Join(args, " ")}}, &found); err != nil {
				return err
			}
			err := c.print(found, func(w io.Writer) {
				row(w, "KIND", "ID", "TIME", "SEVERITY", "TITLE", "MORE")
				for _, g := range found.Groups {
					for _, h := range g.Hits {
						id := h.Short
						if id == "" {
							id = h.ID
						}
						row(w, g.Kind, id, h.At, h.Severity, h.Title, h.Sub)
					}
				}
			})
			if format, _ := c.format(); format == "table" {
				for _, g := range found.Groups {
					if g.More {
						fmt.Fprintf(c.err, "more: there are more of kind %s than are shown\n", g.Kind)
					}
				}
			}
			return err
		},
	}
}
