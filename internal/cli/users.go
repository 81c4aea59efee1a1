package cli

import (
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// userPath is where a user stands.
func userPath(id string, more ...string) string {
	return "/users/" + url.PathEscape(id) + strings.Join(append([]string{""}, more...), "/")
}

// usersCmd is `honeyguide users list|show|add|edit|disable|enable|remove|reset-link|sessions|unlock`.
func (c *command) usersCmd() *cobra.Command {
	users := listing[client.UserRow]{
		name: "users", alias: "user", short: "Who may log in, and the services that hold keys.", path: "/users", filters: map[string]string{"role": "only with this `role`", "kind": "person or service: `kind`"},
		header: []any{"ID", "NAME", "KIND", "ROLE", "SECOND FACTOR", "DISABLED", "LAST LOGIN"},
		row: func(u client.UserRow) []any {
			return []any{u.ID, u.Name, string(u.Kind), u.Role, holds(u.SecondFactor), holds(u.Disabled), u.LastLoginAt}
		},
		show: func(w io.Writer, u client.UserRow, _ func(string, url.Values, any) error) { showUser(w, u) },
	}
	root := users.command(c)
	root.AddCommand(c.userAdd(), c.userEdit(), c.userSwitch("disable", true), c.userSwitch("enable", false), c.userRemove(), c.userReset(), c.userSessions(), c.userUnlock())
	return root
}

func showUser(w io.Writer, u client.UserRow) {
	field(w, "id", u.ID)
	field(w, "name", u.Name)
	field(w, "display", u.Display)
	field(w, "kind", string(u.Kind))
	field(w, "role", u.Role)
	field(w, "disabled", holds(u.Disabled))
	field(w, "second factor", holds(u.SecondFactor))
	field(w, "must change password", holds(u.MustChangePassword))
	field(w, "locked for strangers", holds(u.Locked))
	field(w, "wrong tries since", u.Failed)
	field(w, "last login", u.LastLoginAt)
	field(w, "made", u.CreatedAt)
	field(w, "made by", u.CreatedBy)
}

// showLink prints a one-time link.
func (c *command) showLink(l client.OneTimeLink) error {
	err := c.print(l, func(w io.Writer) {
		field(w, "name", l.User.Name)
		field(w, "role", l.User.Role)
		if l.Link != "" {
			field(w, "link", l.Link)
			field(w, "good until", l.ExpiresAt)
		}
	})
	if l.Link != "" {
		fmt.Fprintln(c.err, "shown this once; whoever opens the link chooses the password, so hand it over on a safe way")
	} else {
		fmt.Fprintf(c.err, "a service has no password; make a key for it: honeyguide keys create NAME --owner %s --scope SCOPE\n", l.User.Name)
	}
	return err
}

func (c *command) userAdd() *cobra.Command {
	var req client.UserOrder
	var service bool
	cmd := &cobra.Command{
		Use: "add NAME", Short: "Make a user; prints a one-time link to choose a password by.", Args: cobra.ExactArgs(1),
		Long: `The name is what the user logs in with and what stands in decisions; it never
changes. Roles: viewer, auditor, analyst, responder, admin, or one of your own
(honeyguide roles list). A service holds keys and cannot log in.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if req.Name = args[0]; req.Role == "" {
				return usagef("say what the user may do, with --role")
			}
			if service {
				req.Kind = string(honeyguide.UserService)
			}
			var l client.OneTimeLink
			if err := c.post(cmd.Context(), "/users", req, &l); err != nil {
				return err
			}
			return c.showLink(l)
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Role, "role", "", "what the user may do: `role` (needed)")
	f.StringVar(&req.Display, "display", "", "full `name`")
	f.BoolVar(&service, "service", false, "a program: it holds keys and cannot log in")
	return cmd
}

// changed prints a user after a change.
func (c *command) changed(cmd *cobra.Command, id string, p client.UserPatch) error {
	var u client.UserRow
	if err := c.patch(cmd, userPath(id), time.Time{}, p, &u); err != nil {
		return err
	}
	return c.print(u, func(w io.Writer) { showUser(w, u) })
}

func (c *command) userEdit() *cobra.Command {
	var role, display string
	var password bool
	cmd := &cobra.Command{
		Use: "edit ID|NAME", Short: "Change role or display name; another role ends the logins.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var p client.UserPatch
			if cmd.Flags().Changed("role") {
				p.Role = &role
			}
			if cmd.Flags().Changed("display") {
				p.Display = &display
			}
			if cmd.Flags().Changed("must-change-password") {
				p.MustChangePassword = &password
			}
			if p == (client.UserPatch{}) {
				return usagef("say what to change: --role, --display or --must-change-password")
			}
			return c.changed(cmd, args[0], p)
		},
	}
	f := cmd.Flags()
	f.StringVar(&role, "role", "", "what the user may do: `role`")
	f.StringVar(&display, "display", "", "full `name`")
	f.BoolVar(&password, "must-change-password", false, "nothing else goes before a new password is chosen")
	return cmd
}

func (c *command) userSwitch(verb string, off bool) *cobra.Command {
	var yes bool
	cmd := &cobra.Command{
		Use: verb + " ID|NAME", Short: map[bool]string{true: "Let a user in no more; ends the logins, and keys stop.", false: "Let a user in again."}[off], Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if off {
				if err := c.sure(yes, "Disable the user "+args[0]); err != nil {
					return err
				}
			}
			return c.changed(cmd, args[0], client.UserPatch{Disabled: &off})
		},
	}
	if off {
		return careful(cmd, &yes)
	}
	return cmd
}

func (c *command) userRemove() *cobra.Command {
	var yes bool
	return careful(&cobra.Command{
		Use: "remove ID|NAME", Short: "Remove a user with logins, factors and keys.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.sure(yes, "Remove the user "+args[0]); err != nil {
				return err
			}
			var u client.UserRow
			if err := c.del(cmd.Context(), userPath(args[0]), nil, &u); err != nil {
				return err
			}
			return c.print(u, func(w io.Writer) { row(w, u.ID, u.Name, "is removed") })
		},
	}, &yes)
}

func (c *command) userReset() *cobra.Command {
	var req client.ResetOrder
	cmd := &cobra.Command{
		Use: "reset-link ID|NAME", Short: "Print a one-time link by which a user chooses a new password.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var l client.OneTimeLink
			if err := c.post(cmd.Context(), userPath(args[0], "reset"), req, &l); err != nil {
				return err
			}
			return c.showLink(l)
		},
	}
	cmd.Flags().BoolVar(&req.Factors, "factors", false, "take the second factors away, too, for somebody who lost them")
	return cmd
}

func (c *command) userSessions() *cobra.Command {
	var end, yes bool
	cmd := &cobra.Command{
		Use: "sessions ID|NAME", Short: "List the browsers a user is logged in with, or end all of them.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if end {
				if err := c.sure(yes, "Log "+args[0]+" out everywhere"); err != nil {
					return err
				}
				var n client.Ended
				if err := c.del(cmd.Context(), userPath(args[0], "sessions"), nil, &n); err != nil {
					return err
				}
				return c.print(n, func(w io.Writer) { row(w, n.Ended, "logins ended") })
			}
			var p client.Page[client.LoginRow]
			if err := c.get(cmd.Context(), userPath(args[0], "sessions"), nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "ID", "SINCE", "SEEN", "ENDS", "ADDRESS", "BY", "BROWSER")
				for _, l := range p.Items {
					row(w, l.ID, l.Since, l.SeenAt, l.Until, l.Address, strings.Join(l.Methods, ", "), l.Agent)
				}
			})
		},
	}
	cmd.Flags().BoolVar(&end, "end", false, "log the user out everywhere")
	return careful(cmd, &yes)
}

func (c *command) userUnlock() *cobra.Command {
	return &cobra.Command{
		Use: "unlock ID|NAME", Short: "Let a user be tried again at once after too many wrong passwords.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var u client.UserRow
			if err := c.post(cmd.Context(), userPath(args[0], "unlock"), struct{}{}, &u); err != nil {
				return err
			}
			return c.print(u, func(w io.Writer) { row(w, u.ID, u.Name, "may be tried again") })
		},
	}
}
