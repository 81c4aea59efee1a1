package cli

import (
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
)

func (c *command) doctorCmd() *cobra.Command {
	var fix bool
	cmd := &cobra.Command{
		Use:   "doctor",
		Short: "Go through the production checklist and say how to mend each line.",
		Long: `Goes through the production checklist: settings, files, isolation, reach, and, when
the core runs, people, keys, secrets, backups, logs and guards as they are now.
It changes nothing without --fix, which takes the rights to private files from others.
In JSON each line has a stable id and the lines of the checklists it answers
(docs/operations/production-checklist.md).

Exit status 1 when a line fails; warnings alone are 0.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			if fix {
				did, err := app.Fix(s)
				for _, what := range did {
					fmt.Fprintln(c.err, "mended:", what)
				}
				if err != nil {
					return err
				}
			}
			lines := app.Lines(cmd.Context(), s)
			err = c.print(map[string]any{"items": lines}, func(w io.Writer) {
				for _, l := range lines {
					row(w, l.Status, l.Name, l.Text, strings.Join(l.Checklist, " "))
					if l.Mend != "" {
						row(w, " ", " ", "-> "+l.Mend)
					}
				}
			})
			for _, l := range lines {
				if l.Status == app.StatusFail && err == nil {
					err = errors.New("at least one check failed")
				}
			}
			return err
		},
	}
	cmd.Flags().BoolVar(&fix, "fix", false, "mend what is safe: modes of private files and folders")
	return cmd
}
