package cli

import (
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// rolesCmd is `honeyguide roles list|add|edit|remove`.
func (c *command) rolesCmd() *cobra.Command {
	root := group("roles", "What users and keys may do.")
	var what bool
	list := &cobra.Command{
		Use: "list", Short: "List the roles, the built-in ones first.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var all client.Roles
			if err := c.get(cmd.Context(), "/roles", nil, &all); err != nil {
				return err
			}
			return c.print(all, func(w io.Writer) {
				if what {
					row(w, "PERMISSION", "LETS")
					for _, p := range all.Permissions {
						row(w, p.Name, p.Text)
					}
					return
				}
				row(w, "NAME", "BUILT IN", "TITLE", "PERMISSIONS")
				for _, r := range all.Items {
					row(w, r.Name, holds(r.BuiltIn), r.Title, strings.Join(r.Permissions, " "))
				}
			})
		},
	}
	list.Flags().BoolVar(&what, "permissions", false, "list what there is to grant instead")
	var yes bool
	remove := &cobra.Command{
		Use: "remove NAME", Short: "Remove a role nobody has.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.sure(yes, "Remove the role "+args[0]); err != nil {
				return err
			}
			var r honeyguide.Role
			if err := c.del(cmd.Context(), "/roles/"+url.PathEscape(args[0]), nil, &r); err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) { row(w, r.Name, "is removed") })
		},
	}
	root.AddCommand(list, c.roleAdd(), c.roleEdit(), careful(remove, &yes))
	return root
}

func (c *command) printRole(r honeyguide.Role) error {
	return c.print(r, func(w io.Writer) {
		field(w, "name", r.Name)
		field(w, "title", r.Title)
		field(w, "permissions", strings.Join(r.Permissions, " "))
	})
}

func (c *command) roleAdd() *cobra.Command {
	var req client.RoleOrder
	cmd := &cobra.Command{
		Use: "add NAME --may PERMISSION,...", Short: "Make a role of permissions you have.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Name = args[0]; len(req.Permissions) == 0 {
				return usagef("say what it grants, with --may; see: honeyguide roles list --permissions")
			}
			var r honeyguide.Role
			if err := c.post(cmd.Context(), "/roles", req, &r); err != nil {
				return err
			}
			return c.printRole(r)
		},
	}
	cmd.Flags().StringSliceVar(&req.Permissions, "may", nil, "`permissions` it grants, comma-separated (needed)")
	cmd.Flags().StringVar(&req.Title, "title", "", "a `sentence` about it")
	return cmd
}

func (c *command) roleEdit() *cobra.Command {
	var may []string
	var title string
	cmd := &cobra.Command{
		Use: "edit NAME", Short: "Change what a role grants; holds from the next request on.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p client.RolePatch
			if cmd.Flags().Changed("may") {
				p.Permissions = &may
			}
			if cmd.Flags().Changed("title") {
				p.Title = &title
			}
			if p == (client.RolePatch{}) {
				return usagef("say what to change: --may or --title")
			}
			var r honeyguide.Role
			if err := c.patch(cmd, "/roles/"+url.PathEscape(args[0]), time.Time{}, p, &r); err != nil {
				return err
			}
			return c.printRole(r)
		},
	}
	cmd.Flags().StringSliceVar(&may, "may", nil, "all `permissions` it grants from now on, comma-separated")
	cmd.Flags().StringVar(&title, "title", "", "a `sentence` about it")
	return cmd
}
