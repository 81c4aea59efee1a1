package cli

import (
	"io"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
	"honeyguide/internal/verdict"
)

// handleCmds are `honeyguide alerts ack|escalate|reopen|close|undo`.
func (c *command) handleCmds() []*cobra.Command {
	return []*cobra.Command{
		c.handleCmd("ack", "Acknowledge alerts: somebody is at them.", honeyguide.AlertAcknowledged),
		c.handleCmd("escalate", "Escalate alerts.", honeyguide.AlertEscalated),
		c.handleCmd("reopen", "Make alerts new again.", honeyguide.AlertNew),
		c.handleCmd("close", "Close alerts: they are done with.", honeyguide.AlertClosed),
		c.undoHandleCmd(),
	}
}

func (c *command) handleCmd(verb, short string, status honeyguide.AlertStatus) *cobra.Command {
	req := client.StatusRequest{Status: status}
	var f client.AlertFilter
	var worst, states string
	expected := int64(-1)
	cmd := &cobra.Command{
		Use: verb + " [ID...]", Short: short,
		Long: short + `

Names alerts by id, or by the flags of ` + "`honeyguide alerts list`" + ` with --expect, the number
of alerts they find: nothing is changed when it is another number by now. The
answer names what takes the change back within ten minutes.`,
		Example: "  honeyguide alerts " + verb + " A-12 A-13 --note \"known scanner\"\n  honeyguide alerts " + verb + " --src 198.51.100.7 --expect 40",
		RunE: func(cmd *cobra.Command, args []string) error {
			filtered := cmd.Flags().Changed("expect")
			if filtered == (len(args) > 0) {
				return usagef("name alerts, or say which by flags and how many with --expect")
			}
			if req.IDs = args; filtered {
				f.Severity = worst
				for s := range strings.SplitSeq(states, ",") {
					if s != "" {
						f.Status = append(f.Status, honeyguide.AlertStatus(s))
					}
				}
				req.Filter, req.Expected = &f, &expected
			}
			var out verdict.Handling
			if err := c.post(cmd.Context(), "/alerts/status", req, &out); err != nil {
				return err
			}
			return c.handled(out, len(args))
		},
	}
	fl := cmd.Flags()
	fl.StringVar(&req.Note, "note", "", "why, in a `text`")
	fl.Int64Var(&expected, "expect", -1, "how many alerts the flags find, a `number`")
	fl.StringVar(&worst, "severity", "", "at least this `severity`")
	fl.StringVar(&states, "status", "", "one of these, comma-separated `statuses`")
	fl.StringVar(&f.Src, "src", "", "source `address`")
	fl.StringVar(&f.Rule, "rule", "", "rule `id`")
	fl.StringVar(&f.Detector, "detector", "", "`kind` of the detector")
	fl.StringVar(&f.Incident, "incident", "", "`id` of the incident")
	fl.StringVar(&f.Session, "session", "", "`id` of the session")
	fl.StringVar(&f.Attacker, "attacker", "", "attacker `key`")
	fl.StringVar(&f.Technique, "technique", "", "ATT&CK `id`")
	fl.StringVar(&f.Q, "q", "", "`words` of title, evidence and observables")
	return cmd
}

func (c *command) undoHandleCmd() *cobra.Command {
	return &cobra.Command{
		Use: "undo TOKEN", Short: "Take a change of status back, within ten minutes.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var out verdict.Handling
			if err := c.post(cmd.Context(), "/alerts/undo", client.UndoRequest{Undo: args[0]}, &out); err != nil {
				return err
			}
			return c.handled(out, 0)
		},
	}
}

// handled prints what a change did.
func (c *command) handled(out verdict.Handling, asked int) error {
	err := c.print(out, func(w io.Writer) {
		field(w, "changed", out.Changed)
		for _, f := range out.Failed {
			why := f.Code
			if f.By != "" {
				why += " by " + f.By + " at " + text(f.At)
			}
			field(w, safetext.Term(f.ID), why)
		}
		if out.Undo != "" {
			field(w, "take back", "honeyguide alerts undo "+out.Undo)
		}
	})
	switch {
	case err != nil || len(out.Failed) == 0:
		return err
	case asked > 0 && len(out.Failed) == asked && out.Failed[0].Code == verdict.FailedNotFound:
		return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no such alert"}
	}
	return errPartly
}
