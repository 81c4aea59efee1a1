package cli

import (
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// allowlistCmd is `honeyguide allowlist list|add|remove`.
func (c *command) allowlistCmd() *cobra.Command {
	root := group("allowlist", "What is never blocked, beside what the configuration says.")
	list := &cobra.Command{
		Use: "list", Short: "List the entries, oldest first.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[client.AllowRow]
			if err := c.get(cmd.Context(), "/allowlist", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "ADDRESS", "HOLDS", "UNTIL", "OWNER", "MADE", "BY", "REASON")
				for _, a := range p.Items {
					row(w, a.Address, holds(a.Holds), a.ExpiresAt, a.Owner, a.CreatedAt, a.CreatedBy, a.Reason)
				}
			})
		},
	}
	var yes bool
	remove := &cobra.Command{
		Use: "remove ADDRESS", Short: "Take an entry away: what it covered may be blocked again.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.sure(yes, "Let "+args[0]+" be blocked again"); err != nil {
				return err
			}
			var a honeyguide.Allowed
			if err := c.del(cmd.Context(), "/allowlist/"+url.PathEscape(args[0]), nil, &a); err != nil {
				return err
			}
			return c.print(a, func(w io.Writer) { row(w, a.Address, "is on the allowlist no more") })
		},
	}
	root.AddCommand(list, c.allowCmd(), careful(remove, &yes))
	return root
}

func (c *command) allowCmd() *cobra.Command {
	var req client.AllowOrder
	var life string
	var yes bool
	cmd := &cobra.Command{
		Use: "add ADDRESS", Short: "Never block an address or a prefix; lifts what holds on it at once.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Address = args[0]
			if req.Reason == "" {
				return usagef("say why this must not be blocked, with --reason")
			}
			if life != "" {
				d, err := lasting("for", life)
				if err != nil {
					return err
				}
				req.ExpiresAt = time.Now().Add(d).UTC().Truncate(time.Second)
			}
			if err := c.sure(yes, "Never block "+req.Address+", and lift what holds on it"); err != nil {
				return err
			}
			var out client.Allowing
			if err := c.post(cmd.Context(), "/allowlist", req, &out); err != nil {
				return err
			}
			err := c.print(out, func(w io.Writer) {
				row(w, out.Entry.Address, "is never blocked", "until "+text(out.Entry.ExpiresAt))
				lifted(w, out.Lifted, out.Failed)
			})
			return c.partly(err, out.Failed, out.Left)
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Reason, "reason", "", "`why` (needed)")
	f.StringVar(&req.Owner, "owner", "", "`who` answers for it (default the holder of the key)")
	f.StringVar(&life, "for", "", "`time` after which it ends, such as 30d (default it stays)")
	return careful(cmd, &yes)
}
