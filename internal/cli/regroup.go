package cli

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// regroupCmds are `honeyguide incidents merge|split|changes|undo`.
func (c *command) regroupCmds() []*cobra.Command {
	return []*cobra.Command{c.mergeCmd(), c.splitCmd(), c.changesCmd(), c.undoCmd()}
}

// regroup asks for a change and shows what came of it.
func (c *command) regroup(cmd *cobra.Command, path string, req any) error {
	var out client.Regrouping
	if err := c.post(cmd.Context(), path, req, &out); err != nil {
		return err
	}
	return c.print(out, func(w io.Writer) {
		for _, x := range out.Changes {
			row(w, x.Short, x.Kind, fmt.Sprintf("%d alerts", x.Alerts), "undo it with: honeyguide incidents undo "+x.Short)
		}
		row(w, out.Incident.Short, out.Incident.Severity, out.Incident.Status, fmt.Sprintf("%d alerts", out.Incident.AlertCount), out.Incident.Title)
	})
}

func (c *command) mergeCmd() *cobra.Command {
	var req client.MergeRequest
	cmd := &cobra.Command{
		Use: "merge ID OTHER...", Short: "Move the alerts of other incidents into one, and close those.", Args: cobra.MinimumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Incidents = args[1:]
			return c.regroup(cmd, "/incidents/"+url.PathEscape(args[0])+"/merge", req)
		},
	}
	cmd.Flags().StringVar(&req.Reason, "reason", "", "`why` they are one story")
	return cmd
}

func (c *command) splitCmd() *cobra.Command {
	var req client.SplitRequest
	cmd := &cobra.Command{
		Use: "split ID", Short: "Move alerts or attackers out into a new incident.", Args: cobra.ExactArgs(1),
		Long: `With --attacker all alerts of an attacker go, and what it does from now on;
correlation joins the two no more. With --alert only the alerts named go, and
stay there. An incident stays with the attacker it is named after: when that one
is split off, the others move.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(req.Alerts)+len(req.Attackers) == 0 {
				return usagef("say what goes, with --attacker or --alert")
			}
			return c.regroup(cmd, "/incidents/"+url.PathEscape(args[0])+"/split", req)
		},
	}
	cmd.Flags().StringSliceVar(&req.Attackers, "attacker", nil, "`address` or key of an attacker; may be repeated")
	cmd.Flags().StringSliceVar(&req.Alerts, "alert", nil, "`id` of an alert; may be repeated")
	cmd.Flags().StringVar(&req.Reason, "reason", "", "`why` they are two stories")
	return cmd
}

func (c *command) undoCmd() *cobra.Command {
	return &cobra.Command{
		Use: "undo CHANGE", Short: "Take a join, a merge or a split back; see incidents changes.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.regroup(cmd, "/incident-changes/"+url.PathEscape(args[0])+"/undo", struct{}{})
		},
	}
}

func (c *command) changesCmd() *cobra.Command {
	cmd := &cobra.Command{
		Use: "changes [ID]", Short: "What was moved between incidents, newest first.", Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{}
			if len(args) > 0 {
				q.Set("incident", args[0])
			}
			var p client.Page[honeyguide.IncidentChange]
			if err := c.get(cmd.Context(), "/incident-changes", q, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "ID", "AT", "KIND", "ALERTS", "BY", "UNDONE", "REASON")
				for _, x := range p.Items {
					row(w, x.Short, x.At, x.Kind, x.Alerts, x.By, x.UndoneAt, x.Reason)
				}
			})
		},
	}
	return cmd
}
