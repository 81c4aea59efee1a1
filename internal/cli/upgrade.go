package cli

import (
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
)

// upgradeCmd is `honeyguide upgrade check|rollback`.
func (c *command) upgradeCmd() *cobra.Command {
	cmd := group("upgrade", "What a newer program does to the data folder, and how to take it back.")
	cmd.AddCommand(c.upgradeCheckCmd(), c.upgradeRollbackCmd())
	return cmd
}

func (c *command) upgradeCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use: "check", Short: "What this program would change in the data folder, how much room and time that takes.", Args: cobra.NoArgs,
		Long: `Changes nothing. Exit status 1 when there is too little room, or the data is of a
newer program.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			p, err := app.PlanUpgrade(cmd.Context(), s)
			if err != nil {
				return err
			}
			err = c.print(p, func(w io.Writer) {
				field(w, "data", p.Data)
				if !p.Needed {
					field(w, "upgrade", "none is needed")
				} else {
					field(w, "upgrade", fmt.Sprintf("the state goes from schema %d to %d at the next start", p.Have, p.Want))
					field(w, "copy first", fmt.Sprintf("%s, and as much again while it is changed; %s are free", mib(p.Bytes), mib(p.Free)))
					field(w, "time", fmt.Sprintf("about %.0f s on a slow disk", p.Seconds))
				}
				for _, u := range p.Copies {
					field(w, "kept", fmt.Sprintf("%s: schema %d, from before %s on %s", u.Folder, u.From, u.Version, u.At.Format(time.DateTime)))
				}
			})
			if err == nil && p.Needed && p.Free < 2*p.Bytes {
				err = errors.New("there is too little room for the copy that is made first: the core would refuse to start, and change nothing")
			}
			return err
		},
	}
}

func (c *command) upgradeRollbackCmd() *cobra.Command {
	var newer bool
	cmd := &cobra.Command{
		Use: "rollback", Short: "Put back what was there before the newest upgrade.", Args: cobra.NoArgs,
		Long: `Puts the copy from before the newest upgrade in its place again, so that the older
program can be started. Events stay. When something happened since the upgrade it
says what the older program would not know, and does nothing without
--even-if-newer. The core has to be stopped.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			out, err := app.RollBack(cmd.Context(), s, newer)
			if err != nil {
				return err
			}
			return c.print(out, func(w io.Writer) {
				field(w, "put back", fmt.Sprintf("schema %d, as it was on %s", out.From, out.At.Format(time.DateTime)))
				field(w, "moved aside", out.Aside)
				field(w, "not in it", fmt.Sprintf("%d audit entries, and what people did since; %d events are worked off again", out.Lost.Audit, out.Lost.Events))
				field(w, "now", "start the older program; this one would upgrade it again")
			})
		},
	}
	cmd.Flags().BoolVar(&newer, "even-if-newer", false, "also when something happened since the upgrade")
	return cmd
}
