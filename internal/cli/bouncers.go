package cli

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// bouncersCmd is `honeyguide bouncers list|add|remove`.
func (c *command) bouncersCmd() *cobra.Command {
	root := group("bouncers", "Machines that enforce what is blocked: who they are, when they last asked.")
	root.Aliases = []string{"bouncer"}
	root.AddCommand(c.bouncerListCmd(), c.bouncerAddCmd(), c.bouncerRemoveCmd())
	return root
}

func (c *command) bouncerListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "Bouncers, oldest first.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[client.Bouncer]
			if err := c.get(cmd.Context(), "/bouncers", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "ID", "NAME", "KEY", "EXPIRES", "LAST PULL", "FROM", "AGENT", "PULLS", "ACTIVE", "DROPPED")
				for _, b := range p.Items {
					row(w, b.ID, b.Name, "..."+b.Last4, b.ExpiresAt, b.LastPull, b.Address, b.Agent, b.Pulls, b.Active, b.Dropped)
				}
			})
		},
	}
}

func (c *command) bouncerAddCmd() *cobra.Command {
	var life time.Duration
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a key for a bouncer. It is shown once.", Args: cobra.ExactArgs(1),
		Long: `The key may read what is blocked and nothing else. Give each bouncer its own:
what is new is told once for each key.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req := client.BouncerRequest{Name: args[0]}
			if life < 0 {
				return usagef("--for: want a time to come, such as 8760h")
			}
			if life > 0 {
				req.ExpiresAt = time.Now().Add(life).UTC().Truncate(time.Second)
			}
			var k client.BouncerKey
			if err := c.post(cmd.Context(), "/bouncers", req, &k); err != nil {
				return err
			}
			return c.print(k, func(w io.Writer) {
				fmt.Fprintf(w, "%s may read what is blocked. Its key, shown this once:\n\n  %s\n\n", safetext.Term(k.Name), k.Key)
			})
		},
	}
	cmd.Flags().DurationVar(&life, "for", 0, "how long the key is good, such as 8760h (default: until it is removed)")
	return cmd
}

func (c *command) bouncerRemoveCmd() *cobra.Command {
	return &cobra.Command{
		Use: "remove NAME", Short: "Take the key of a bouncer back, by its name or id.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var b client.Bouncer
			if err := c.post(cmd.Context(), "/bouncers/"+url.PathEscape(args[0])+"/remove", struct{}{}, &b); err != nil {
				return err
			}
			return c.print(b, func(w io.Writer) {
				fmt.Fprintf(w, "%s may not read what is blocked any more.\n", safetext.Term(b.Name))
			})
		},
	}
}
