package cli

import (
	"io"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
)

// respondCmds are `honeyguide respond halt|resume|status`.
func (c *command) respondCmds() []*cobra.Command {
	var on client.Why
	var off string
	var yes bool
	halt := &cobra.Command{
		Use: "halt", Short: "Stop all responses at once. Asks nothing: in doubt it is better done.", Args: cobra.NoArgs,
		Long: `Turns the stop switch on: no run goes on and nothing new begins until an
administrator resumes. Blocks that hold go on holding and end in their time.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var h honeyguide.HaltState
			if err := c.post(cmd.Context(), "/halt", on, &h); err != nil {
				return err
			}
			return c.halted(h)
		},
	}
	halt.Flags().StringVar(&on.Reason, "reason", "", "`why`")
	resume := &cobra.Command{
		Use: "resume", Short: "Turn the stop switch off: what waited goes on.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if err := c.sure(yes, "Let all responses go on"); err != nil {
				return err
			}
			var h honeyguide.HaltState
			if err := c.del(cmd.Context(), "/halt", why(off), &h); err != nil {
				return err
			}
			return c.halted(h)
		},
	}
	resume.Flags().StringVar(&off, "reason", "", "`why`")
	status := &cobra.Command{
		Use: "status", Short: "Whether the stop switch is on.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var h honeyguide.HaltState
			if err := c.get(cmd.Context(), "/halt", nil, &h); err != nil {
				return err
			}
			return c.halted(h)
		},
	}
	return []*cobra.Command{halt, careful(resume, &yes), status}
}

func (c *command) halted(h honeyguide.HaltState) error {
	return c.print(h, func(w io.Writer) {
		word := "off: responses go on"
		if h.On {
			word = "ON: nothing is done"
		}
		field(w, "stop switch", word)
		if h.By != "" {
			field(w, "turned", text(h.At)+" by "+h.By)
			field(w, "because", h.Why)
		}
	})
}
