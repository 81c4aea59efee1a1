package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
	"honeyguide/internal/demo"
	"honeyguide/internal/safetext"
)

func (c *command) demoCmd() *cobra.Command {
	var pace time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Replay a recorded attack against the running decoys.",
		Long: `Replays a recorded attack through the real ports of the decoys this
configuration describes: guesses, a session, a honeytoken read and used.
Start them first with 'honeyguide run'. Nothing leaves this machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			to := demo.Targets{Pace: pace}
			for _, in := range s.Sensors {
				listen := in.Common.(*app.Listen).Listen
				switch {
				case in.Enabled && in.Kind == "ssh" && to.SSH == "":
					to.SSH = listen
				case in.Enabled && in.Kind == "http" && to.HTTP == "":
					to.HTTP = listen
				}
			}
			say := func(line string) { fmt.Fprintln(c.err, safetext.Term(line)) }
			if err := demo.Run(cmd.Context(), to, say); err != nil {
				return fmt.Errorf("demo: %w (are the decoys up? start them with 'honeyguide run')", err)
			}
			fmt.Fprintln(c.err, "\nSee what it left:\n  honeyguide incidents list\n  honeyguide alerts list\n  honeyguide sessions list\n  honeyguide blocks list")
			return nil
		},
	}
	cmd.Flags().DurationVar(&pace, "pace", 300*time.Millisecond, "pause between typed lines")
	return cmd
}
