package cli

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/client"
)

// keysCmd is `honeyguide keys list|create|remove`.
func (c *command) keysCmd() *cobra.Command {
	root := group("keys", "Who may use the API from elsewhere, and for what.")
	list := &cobra.Command{
		Use: "list", Short: "List the keys, oldest first.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[client.KeyRow]
			if err := c.get(cmd.Context(), "/keys", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "ID", "NAME", "SCOPE", "ENDS WITH", "OWNER", "MADE", "USED", "EXPIRES", "EXPIRED")
				for _, k := range p.Items {
					row(w, k.ID, k.Name, k.Scope, k.Last4, k.Owner, k.CreatedAt, k.UsedAt, k.ExpiresAt, holds(k.Expired))
				}
			})
		},
	}
	var yes bool
	remove := &cobra.Command{
		Use: "remove ID|NAME", Short: "Take a key back; holds from its next request on.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.sure(yes, "Take the key "+args[0]+" back"); err != nil {
				return err
			}
			var k client.KeyRow
			if err := c.del(cmd.Context(), "/keys/"+url.PathEscape(args[0]), nil, &k); err != nil {
				return err
			}
			return c.print(k, func(w io.Writer) { row(w, k.ID, k.Name, k.Scope, "is taken back") })
		},
	}
	root.AddCommand(list, c.keyCmd(), c.keyRotate(), careful(remove, &yes))
	return root
}

// showKey prints a key that is shown once.
func (c *command) showKey(k client.NewKey) error {
	err := c.print(k, func(w io.Writer) {
		field(w, "key", k.Key)
		field(w, "name", k.Name)
		field(w, "scope", k.Scope)
		field(w, "expires", k.ExpiresAt)
	})
	fmt.Fprintln(c.err, "shown this once; keep it in HONEYGUIDE_API_KEY")
	return err
}

func (c *command) keyRotate() *cobra.Command {
	var overlap string
	cmd := &cobra.Command{
		Use: "rotate ID|NAME", Short: "Make a key in the place of another. It is shown once.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var req client.RotateOrder
			if overlap != "" {
				d, err := lasting("overlap", overlap)
				if err != nil {
					return err
				}
				req.Overlap = d.String()
			}
			var k client.NewKey
			if err := c.post(cmd.Context(), "/keys/"+url.PathEscape(args[0])+"/rotate", req, &k); err != nil {
				return err
			}
			return c.showKey(k)
		},
	}
	cmd.Flags().StringVar(&overlap, "overlap", "", "`time` the old one stays good, such as 24h or 7d (default not at all)")
	return cmd
}

func (c *command) keyCmd() *cobra.Command {
	var req client.KeyOrder
	var life string
	cmd := &cobra.Command{
		Use: "create NAME", Short: "Make a key. It is shown once.", Args: cobra.ExactArgs(1),
		Long: `The name is that of the person or program that gets the key: it stands in every
decision, and two keys of one name are one person where a playbook wants two.
Scopes: admin; responder (acts: approves, blocks, stops); analyst (judges);
read; ingest; metrics.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Name = args[0]
			if req.Scope == "" {
				return usagef("say what it is good for, with --scope")
			}
			if life != "" {
				d, err := lasting("for", life)
				if err != nil {
					return err
				}
				req.ExpiresAt = time.Now().Add(d).UTC().Truncate(time.Second)
			}
			var k client.NewKey
			if err := c.post(cmd.Context(), "/keys", req, &k); err != nil {
				return err
			}
			return c.showKey(k)
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Scope, "scope", "", "what it is good for: `scope` (needed)")
	f.StringVar(&req.Owner, "owner", "", "`user` it belongs to, such as a service: it may do no more than they")
	f.StringSliceVar(&req.From, "from", nil, "`addresses` and prefixes it is good from (default any)")
	f.StringVar(&life, "for", "", "`time` after which it ends, such as 90d (default it stays)")
	return cmd
}
