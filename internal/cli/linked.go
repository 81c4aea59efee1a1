package cli

import (
	"fmt"
	"io"
	"net/url"

	"github.com/spf13/cobra"

	"honeyguide/internal/incident"
)

func (c *command) linkedCmd() *cobra.Command {
	return &cobra.Command{
		Use: "linked ID", Short: "What it is about: indicators, attackers, sessions, honeytokens, samples.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var l incident.Links
			if err := c.get(cmd.Context(), "/incidents/"+url.PathEscape(args[0])+"/linked", nil, &l); err != nil {
				return err
			}
			return c.print(l, func(w io.Writer) { showLinks(w, &l) })
		},
	}
}

func showLinks(w io.Writer, l *incident.Links) {
	heading(w, fmt.Sprintf("Attackers (%d)", len(l.Attackers)))
	for _, a := range l.Attackers {
		row(w, address(a.Src), a.Severity, fmt.Sprintf("%d alerts", a.Alerts), a.LastTitle)
	}
	heading(w, fmt.Sprintf("Sessions (%d)", len(l.Sessions)))
	for _, s := range l.Sessions {
		row(w, s.ID, s.StartedAt, s.Service, address(s.Src), s.User, fmt.Sprintf("%d commands", s.Commands))
	}
	heading(w, fmt.Sprintf("Honeytokens (%d)", len(l.Tokens)))
	for _, t := range l.Tokens {
		row(w, t.Short, t.Kind, t.Path, fmt.Sprintf("read %d times", t.Exposures), fmt.Sprintf("used %d times", t.Uses))
	}
	heading(w, fmt.Sprintf("Samples (%d)", len(l.Samples)))
	for _, s := range l.Samples {
		row(w, s.ID, s.Type, s.Size, last(s.Paths))
	}
	heading(w, fmt.Sprintf("Indicators (%d)", len(l.Indicators)))
	for _, i := range l.Indicators {
		row(w, i.Type, i.Value, fmt.Sprintf("%d alerts", i.Alerts), i.Known)
	}
}
