package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
	"honeyguide/internal/safetext"
)

// geoCmd is `honeyguide geo update`.
func (c *command) geoCmd() *cobra.Command {
	g := group("geo", "The databases that say where an address is registered.")
	var o app.GeoUpdate
	update := &cobra.Command{
		Use: "update (--file FILE | --url URL --sha256 SUM)", Short: "Put a database in place, checked and in one step.",
		Long: `Takes an MMDB file, also inside .gz or .tar.gz, checks all of it and puts it in
the folder geo of the data folder. What was there under its name is replaced in
one step; a running core uses the new one within a minute. A download needs the
SHA-256 of what is downloaded, as its maker publishes it.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if (o.File == "") == (o.URL == "") {
				return usagef("want one of --file and --url")
			}
			if o.URL != "" && o.SHA256 == "" {
				return usagef("--url needs --sha256: the sum of what is downloaded, as its maker publishes it")
			}
			s, err := c.settings()
			if err != nil {
				return err
			}
			done, err := app.UpdateGeo(cmd.Context(), s, o)
			if err != nil {
				return err
			}
			fmt.Fprintf(c.err, "wrote %s: %s of %s\n", safetext.Term(done.Path), safetext.Term(done.Type), done.Built.Format("2006-01-02"))
			return nil
		},
	}
	f := update.Flags()
	f.StringVar(&o.File, "file", "", "`file` to take")
	f.StringVar(&o.URL, "url", "", "`address` to download from")
	f.StringVar(&o.SHA256, "sha256", "", "`sum` the file or download must have")
	f.StringVar(&o.Name, "name", "", "`name` of the database in place (default its type)")
	g.AddCommand(update)
	return g
}
