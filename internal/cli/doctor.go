package cli

import (
	"errors"
	"io"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
)

func (c *command) doctorCmd() *cobra.Command {
	return &cobra.Command{
		Use:   "doctor",
		Short: "Go through the production checklist and say how to mend each line.",
		Long:  "Checks isolation, keys, reach, limits and disk without changing anything.\nExit status 1 when a line fails; warnings alone are 0.",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			findings := app.Doctor(cmd.Context(), s)
			err = c.print(map[string]any{"items": findings}, func(w io.Writer) {
				for _, f := range findings {
					row(w, f.Status, f.Name, f.Text)
					if f.Mend != "" {
						row(w, " ", " ", "-> "+f.Mend)
					}
				}
			})
			for _, f := range findings {
				if f.Status == app.StatusFail && err == nil {
					err = errors.New("at least one check failed")
				}
			}
			return err
		},
	}
}
