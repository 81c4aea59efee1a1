package cli

import (
	"context"
	"fmt"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/app"
	"honeyguide/internal/client"
	"honeyguide/internal/demo"
	"honeyguide/internal/safetext"
)

func (c *command) demoCmd() *cobra.Command {
	var pace time.Duration
	cmd := &cobra.Command{
		Use:   "demo",
		Short: "Replay a recorded attack against the running decoys.",
		Long: `Replays a recorded attack through the real ports of the decoys that run over
this data folder: guesses, a session, a honeytoken read and used. Start them
first with 'honeyguide run'. Nothing leaves this machine.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			to, err := running(cmd.Context(), s)
			if err != nil {
				return err
			}
			to.Pace = pace
			say := func(line string) { fmt.Fprintln(c.err, safetext.Term(line)) }
			if err := demo.Run(cmd.Context(), to, say); err != nil {
				return fmt.Errorf("demo: %w", err)
			}
			fmt.Fprintln(c.err, "\nSee what it left:\n  honeyguide incidents list\n  honeyguide alerts list\n  honeyguide sessions list\n  honeyguide blocks list")
			return nil
		},
	}
	cmd.Flags().DurationVar(&pace, "pace", 300*time.Millisecond, "pause between typed lines")
	return cmd
}

// running asks the core that runs over the data folder where its decoys are.
func running(ctx context.Context, s app.Settings) (demo.Targets, error) {
	cl := client.Unix(filepath.Join(s.Node.Data, app.SocketName))
	if !cl.Alive(ctx) {
		return demo.Targets{}, &honeyguide.Error{
			Code:    honeyguide.CodeUnavailable,
			Message: "no decoys run over " + s.Node.Data + "; start them with 'honeyguide run' in another terminal",
		}
	}
	sensors, err := client.List[api.Sensor](ctx, cl, "/api/v1/sensors", nil)
	if err != nil {
		return demo.Targets{}, err
	}
	var to demo.Targets
	for _, decoy := range sensors.Items {
		switch {
		case decoy.Kind == "ssh" && to.SSH == "":
			to.SSH = decoy.Listen
		case decoy.Kind == "http" && to.HTTP == "":
			to.HTTP = decoy.Listen
		}
	}
	return to, nil
}
