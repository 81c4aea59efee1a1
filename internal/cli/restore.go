package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
	"honeyguide/internal/backup"
)

// restoreCmd is `honeyguide restore FROM`.
func (c *command) restoreCmd() *cobra.Command {
	var o opening
	var r backup.Restore
	cmd := &cobra.Command{
		Use: "restore FOLDER|FILE", Short: "Put a backup back.", Args: cobra.ExactArgs(1),
		Long: `Unpacks a backup inside the data folder, compares and checks all of it, and only
then puts it in place. Interrupted at any point, it leaves what was there usable.
What was there is moved aside, not deleted.

A folder that is not empty is refused without --replace, and one that has come
further than the backup without --even-if-newer. A core that runs over the folder
has to be stopped first.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			if r.From, err = backup.Open(args[0]); err != nil {
				return err
			}
			defer r.From.Close()
			if r.Key, err = o.key(r.From); err != nil {
				return err
			}
			show := c.working("restore")
			r.Public, r.Data, r.Told = o.public, s.Node.Data, show.told
			app.RestoreHooks(&r, s, version)
			out, err := r.Run(cmd.Context())
			show.end()
			if err != nil {
				return err
			}
			_ = app.BackupTested(out.Data, out.Manifest) // a note for the doctor
			return c.print(out, func(w io.Writer) { showRestored(w, out) })
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&r.ID, "at", "", "`id` of the backup (default the newest)")
	cmd.Flags().BoolVar(&r.Replace, "replace", false, "move aside what is in the data folder")
	cmd.Flags().BoolVar(&r.EvenIfNewer, "even-if-newer", false, "also when what is there has come further than the backup")
	return cmd
}

func showRestored(w io.Writer, out *backup.Restored) {
	m := out.Manifest
	field(w, "restored", m.ID)
	field(w, "of", fmt.Sprintf("%s, %s", m.Node, m.Began.UTC().Format("2006-01-02 15:04:05")))
	field(w, "data", out.Data)
	field(w, "holds", fmt.Sprintf("%d files, %s; events up to %d, %d audit entries", m.Figures.Files, mib(m.Figures.Bytes), m.Figures.Events, m.Figures.Audit))
	field(w, "moved aside", out.Aside)
	field(w, "configuration", out.Config)
	for _, n := range out.Notes {
		field(w, "note", n)
	}
}
