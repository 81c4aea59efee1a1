package cli

import (
	"fmt"
	"io"
	"net/url"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// holdsCmd is `honeyguide holds list|show|place|release`.
func (c *command) holdsCmd() *cobra.Command {
	root := listing[honeyguide.Hold]{
		name: "holds", alias: "hold", short: "Legal holds: what must stay whatever retention, quotas and erasure would do.", path: "/holds",
		filters: map[string]string{"active": "`true`: only those in force", "object": "only those of this `object`, such as incident:I-7"},
		header:  []any{"ID", "OBJECT", "PLACED", "BY", "UNTIL", "REASON"},
		row: func(h honeyguide.Hold) []any {
			return []any{h.Short, h.Object, h.At, h.By, holdEnds(&h), h.Reason}
		},
		show: func(w io.Writer, h honeyguide.Hold, _ lookup) { showHold(w, h) },
	}.command(c)
	root.AddCommand(c.placeHoldCmd(), c.releaseHoldCmd())
	return root
}

// holdEnds says when a hold ends or has ended.
func holdEnds(h *honeyguide.Hold) string {
	switch {
	case !h.Released.IsZero():
		return "released"
	case h.Until.IsZero():
		return "it is released"
	}
	return text(h.Until)
}

func showHold(w io.Writer, h honeyguide.Hold) {
	field(w, "hold", h.Short)
	field(w, "keeps", h.Object)
	field(w, "reason", h.Reason)
	field(w, "placed", text(h.At)+" by "+h.By)
	field(w, "until", holdEnds(&h))
	if !h.Released.IsZero() {
		field(w, "released", text(h.Released)+" by "+h.ReleasedBy+": "+h.ReleaseWhy)
	}
}

func (c *command) placeHoldCmd() *cobra.Command {
	var in client.NewHold
	var days int
	cmd := &cobra.Command{
		Use: "place OBJECT", Short: "Keep an incident, a session or all of an attacker.", Args: cobra.ExactArgs(1),
		Long: `Keep an incident, a session or all of an attacker, with the alerts, sessions,
recordings, samples and days of events behind it, until the hold is released.
Retention, quotas and erasure leave it alone meanwhile.

OBJECT is incident:I-7, session:ID or attacker:ADDRESS.`,
		Example: "  honeyguide holds place incident:I-7 --reason \"order 12 Js 34/26\"\n  honeyguide holds place attacker:203.0.113.7 --reason \"police asks\" --days 30",
		RunE: func(cmd *cobra.Command, args []string) error {
			if in.Reason == "" {
				return usagef("--reason: say why it must be kept")
			}
			if days < 0 {
				return usagef("--days: want 1 or more")
			}
			if in.Object = args[0]; days > 0 {
				in.Until = time.Now().UTC().AddDate(0, 0, days)
			}
			var h honeyguide.Hold
			if err := c.post(cmd.Context(), "/holds", in, &h); err != nil {
				return err
			}
			return c.print(h, func(w io.Writer) { fmt.Fprintf(w, "%s keeps %s until %s\n", h.Short, text(h.Object), holdEnds(&h)) })
		},
	}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why, such as the reference of an order (`text`)")
	cmd.Flags().IntVar(&days, "days", 0, "end it by itself after so many days; 0 = when it is released")
	return cmd
}

func (c *command) releaseHoldCmd() *cobra.Command {
	var in client.Why
	cmd := &cobra.Command{
		Use: "release ID", Short: "End a legal hold.", Args: cobra.ExactArgs(1),
		Example: "  honeyguide holds release H-2 --reason \"the case is closed\"",
		RunE: func(cmd *cobra.Command, args []string) error {
			if in.Reason == "" {
				return usagef("--reason: say why it need not be kept any more")
			}
			var h honeyguide.Hold
			if err := c.post(cmd.Context(), "/holds/"+url.PathEscape(args[0])+"/release", in, &h); err != nil {
				return err
			}
			return c.print(h, func(w io.Writer) {
				fmt.Fprintf(w, "%s is released: %s may go when its time comes\n", h.Short, text(h.Object))
			})
		},
	}
	cmd.Flags().StringVar(&in.Reason, "reason", "", "why (`text`)")
	return cmd
}
