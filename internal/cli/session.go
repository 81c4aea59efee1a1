package cli

import (
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"

	"honeyguide/internal/evidence"
)

func (c *command) replayCmd() *cobra.Command {
	var speed float64
	replay := &cobra.Command{
		Use:   "replay ID",
		Short: "Play an attacker's terminal, made safe to watch.",
		Long: `Plays the recording of a session. Only text, colours and cursor moves inside
the screen are shown; titles, clipboard writes, device queries and everything
else a terminal could be steered by are left out.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			body, done, err := c.recording(cmd, args[0])
			if err != nil {
				return err
			}
			defer done()
			return evidence.Replay(cmd.Context(), c.out, body, evidence.ReplayOptions{Speed: speed})
		},
	}
	replay.Flags().Float64Var(&speed, "speed", 1, "1 = as it happened, 4 = four times as fast, 0 = at once")
	return replay
}

func (c *command) exportCmd() *cobra.Command {
	var file string
	export := &cobra.Command{
		Use: "export ID", Short: "Write the recording as asciicast v3.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if file == "" && terminal(c.out) {
				return usagef("the recording holds raw attacker bytes; write it to a file with --file NAME")
			}
			body, done, err := c.recording(cmd, args[0])
			if err != nil {
				return err
			}
			defer done()
			if file == "" {
				_, err = io.Copy(c.out, body)
				return err
			}
			f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
			if err != nil {
				return err
			}
			_, err = io.Copy(f, body)
			if err = errors.Join(err, f.Close()); err == nil {
				fmt.Fprintln(c.err, "wrote", file)
			}
			return err
		},
	}
	export.Flags().StringVar(&file, "file", "", "`name` of the file to make")
	return export
}
