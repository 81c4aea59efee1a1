package cli

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// blocksCmd is `honeyguide blocks list|show|add|remove`.
func (c *command) blocksCmd() *cobra.Command {
	root := listing[client.BlockRow]{
		name: "blocks", alias: "block", short: "Who is kept out, until when and why; block and unblock.", path: "/blocks",
		filters: map[string]string{
			"holding": "`true`: only those that hold now", "incident": "`id` of an incident",
			"state": "`state`: planned, waiting, applied, verified, reverted, expired, refused, failed, cancelled",
		},
		header: []any{"ADDRESS", "HOLDS", "STATE", "MODE", "UNTIL", "VERIFIED", "BY", "INCIDENT", "REASON"},
		row: func(b client.BlockRow) []any {
			until := b.Until
			if until.IsZero() {
				until = b.ExpiresAt
			}
			return []any{b.Address, holds(b.Holds), b.State, b.Mode, until, b.VerifiedAt, b.By, b.Incident, b.Reason}
		},
	}.command(c)
	show := listing[client.BlockDetail]{path: "/blocks", show: showBlock}.showCommand(c)
	show.Use, show.Short = "show ADDRESS", "All blocks of an address, and which prefixes cover it."
	root.AddCommand(show, c.blockCmd(), c.unblockCmd())
	return root
}

func holds(yes bool) string {
	if yes {
		return "yes"
	}
	return "no"
}

func showBlock(w io.Writer, b client.BlockDetail, _ lookup) {
	field(w, "address", b.Address)
	field(w, "holds", holds(b.Holds))
	field(w, "until", b.Until)
	if len(b.CoveredBy) > 0 {
		heading(w, "Covered by")
		coveredBy(w, b.CoveredBy)
	}
	heading(w, "Blocks of this address, newest first")
	for i := range b.Plans {
		p := &b.Plans[i]
		row(w, p.State, p.Mode, "made "+text(p.CreatedAt), "by "+p.By, p.Reason)
		row(w, " ", "applied "+text(p.AppliedAt), "verified "+text(p.VerifiedAt), "until "+text(p.ExpiresAt))
		row(w, " ", fmt.Sprintf("%d alerts behind it", len(p.Evidence)), "incident "+text(p.Incident), "run "+text(p.Run))
		if !p.EndedAt.IsZero() {
			row(w, " ", "ended "+text(p.EndedAt), "by "+text(p.EndedBy))
		}
		if p.Error != "" {
			row(w, " ", "error", p.Error)
		}
	}
}

func coveredBy(w io.Writer, list []honeyguide.Block) {
	for _, b := range list {
		row(w, b.Address, b.State, "until "+text(b.ExpiresAt), b.Reason)
	}
}

func (c *command) blockCmd() *cobra.Command {
	var req client.BlockOrder
	var life, confirm string
	var yes bool
	cmd := &cobra.Command{
		Use: "add ADDRESS", Short: "Block an address or a prefix by hand.", Args: cobra.ExactArgs(1),
		Long: `Blocks always end, and what must never be blocked (the allowlist, this host,
its gateway and DNS servers) is refused here too. With --confirm-within the
block is undone unless 'honeyguide runs confirm' comes in time: use it when you
might lock yourself out.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Address = args[0]
			if life == "" || req.Reason == "" {
				return usagef("say how long and why, with --for and --reason")
			}
			d, err := lasting("for", life)
			if err != nil {
				return err
			}
			req.TTL = d.String()
			if confirm != "" {
				if d, err = lasting("confirm-within", confirm); err != nil {
					return err
				}
				req.ConfirmWithin = d.String()
			}
			if err := c.sure(yes, "Block "+req.Address+" for "+life); err != nil {
				return err
			}
			var out client.RunDetail
			if err := c.post(cmd.Context(), "/blocks", req, &out); err != nil {
				return err
			}
			if err := c.ran(out); err != nil {
				return err
			}
			for i := range out.Plans {
				if p := &out.Plans[i]; p.State == honeyguide.PlanRefused || p.State == honeyguide.PlanFailed {
					return fmt.Errorf("%s: %s is not blocked: %s", p.State, p.Target, p.Reason+p.Error)
				}
			}
			switch {
			case out.State == honeyguide.RunWaiting:
				fmt.Fprintf(c.err, "not blocked before somebody else says: honeyguide runs approve %s\n", out.Short)
			case out.State == honeyguide.RunHalted:
				fmt.Fprintf(c.err, "not blocked before an administrator says: honeyguide respond resume\n")
			case req.ConfirmWithin != "":
				fmt.Fprintf(c.err, "undone in %s unless you say: honeyguide runs confirm %s\n", confirm, out.Short)
			}
			return nil
		},
	}
	f := cmd.Flags()
	f.StringVar(&life, "for", "", "how long it holds: `time` such as 1h or 7d, at most 30d (needed)")
	f.StringVar(&req.Reason, "reason", "", "`why` (needed)")
	f.StringVar(&confirm, "confirm-within", "", "undo it unless it is confirmed within this `time`")
	f.StringVar(&req.Incident, "incident", "", "`id` of the incident it is about")
	return careful(cmd, &yes)
}

func (c *command) unblockCmd() *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use: "remove ADDRESS", Short: "Let an address through: ends every block that holds on it.", Args: cobra.ExactArgs(1),
		Long: `Ends every block on exactly this address or prefix. A wider prefix that covers
it stays blocked and is named; exit status 3 says that the address is not free yet.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := c.sure(yes, "Let "+args[0]+" through"); err != nil {
				return err
			}
			var out client.Unblocking
			if err := c.del(cmd.Context(), "/blocks/"+url.PathEscape(args[0]), why(reason), &out); err != nil {
				return err
			}
			err := c.print(out, func(w io.Writer) {
				lifted(w, out.Lifted, out.Failed)
				if len(out.CoveredBy) > 0 {
					heading(w, "Still covered by")
					coveredBy(w, out.CoveredBy)
				}
			})
			if err == nil && len(out.CoveredBy) > 0 {
				fmt.Fprintf(c.err, "a wider block covers it still: honeyguide blocks remove %s\n", out.CoveredBy[0].Address)
				return errPartly
			}
			return c.partly(err, out.Failed, out.Left)
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`")
	return careful(cmd, &yes)
}

func why(reason string) url.Values {
	if reason == "" {
		return nil
	}
	return url.Values{"reason": {reason}}
}

func lifted(w io.Writer, done, failed []client.Lifted) {
	for _, l := range done {
		row(w, l.State, l.Action, l.Address, l.Error)
	}
	for _, l := range failed {
		row(w, "not ended", l.Action, l.Address, l.Error)
	}
}

// partly turns what is left into exit status 3.
func (c *command) partly(err error, failed []client.Lifted, left int) error {
	if err != nil || len(failed) == 0 && left == 0 {
		return err
	}
	fmt.Fprintf(c.err, "%d could not be ended, %d are left; ask again\n", len(failed), left)
	return errPartly
}
