package cli

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/spf13/cobra"

	"honeyguide/internal/app"
	"honeyguide/internal/telemetry"
)

func (c *command) runCmd() *cobra.Command {
	var insecure bool
	cmd := &cobra.Command{
		Use:   "run",
		Short: "Start everything: decoys, pipeline, API.",
		Long: `Starts the core and one caged sensor process with the decoys of the
configuration. With no configuration the decoys listen on loopback, and nothing
is changed on this machine but the data folder.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd, true, insecure) },
	}
	cmd.Flags().BoolVar(&insecure, "insecure", false, "start sensors even when their cage is incomplete (never on a network you do not own)")
	return cmd
}

func (c *command) serverCmd() *cobra.Command {
	return &cobra.Command{
		Use: "server", Short: "Start the core alone, without decoys.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.run(cmd, false, false) },
	}
}

func (c *command) run(cmd *cobra.Command, sensors, insecure bool) error {
	s, err := c.settings()
	if err != nil {
		return err
	}
	if !sensors {
		s.Sensors = nil
	}
	s.Deception.Insecure = s.Deception.Insecure || insecure
	log, err := c.logger(s)
	if err != nil {
		return err
	}
	a, err := app.New(cmd.Context(), s, log, version)
	if err != nil {
		return err
	}
	defer a.Close()
	return a.Run(cmd.Context(), func(w app.Welcome) { c.welcome(w) })
}

// logger writes to standard error: text for a person, JSON for a collector.
func (c *command) logger(s app.Settings) (*slog.Logger, error) {
	level, err := telemetry.ParseLevel(s.Telemetry.Level)
	if err != nil {
		return nil, usagef("telemetry.level: %q; want debug, info, warn or error", s.Telemetry.Level)
	}
	format := s.Telemetry.Format
	switch format {
	case "json", "text":
	case "auto":
		if format = "json"; terminal(c.err) || s.Node.Mode == "development" {
			format = "text"
		}
	default:
		return nil, usagef("telemetry.format: %q; want json, text or auto", format)
	}
	return telemetry.NewLogger(c.err, level, format), nil
}

// welcome tells a person where everything is. The key is shown once.
func (c *command) welcome(w app.Welcome) {
	fmt.Fprintf(c.out, "\nhoneyguide %s is up\n\n", version)
	fmt.Fprintf(c.out, "  console  %s/\n           its certificate is %s, SHA-256 %s\n", w.API, w.Certificate.Kind, w.Certificate.Fingerprint)
	for _, s := range w.Sensors {
		fmt.Fprintf(c.out, "  decoy    %-8s %s\n", s.Name, s.Listen)
	}
	if len(w.Sensors) == 0 {
		fmt.Fprintln(c.out, "  decoy    none: this core takes in alerts of other products only")
	}
	fmt.Fprintf(c.out, "  api      %s/api/v1\n", w.API)
	fmt.Fprintf(c.out, "  data     %s\n", w.Data)
	if w.FirstRun != "" {
		fmt.Fprintf(c.out, "  first    %s\n           make the first user there; good once, for a day\n", w.FirstRun.Reveal())
	}
	if w.AdminKey != "" {
		fmt.Fprintf(c.out, "  key      %s\n           shown this once; keep it in HONEYGUIDE_API_KEY\n", w.AdminKey.Reveal())
	}
	fmt.Fprintf(c.out, "\nIn a second terminal:\n  %s demo              replay an attack\n  %s incidents list    see what came of it\n\n", os.Args[0], os.Args[0])
}
