package cli

import (
	"fmt"
	"io"
	"net/url"
	"sort"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/detect"
)

// suppressionsCmd is `honeyguide suppressions list|show|preview|add|lift`.
func (c *command) suppressionsCmd() *cobra.Command {
	root := listing[honeyguide.Suppression]{
		name: "suppressions", alias: "suppression", short: "Known noise that is hidden for a while: why, by whom, until when.", path: "/suppressions",
		filters: map[string]string{"holding": "`true`: only those that hold now"},
		header:  []any{"ID", "UNTIL", "OWNER", "ALERTS", "EVENTS", "LAST", "MEANS", "REASON"},
		row: func(s honeyguide.Suppression) []any {
			return []any{s.Short, until(&s), s.Owner, s.Alerts, s.Events, s.LastAt, detect.Describe(s.Match), s.Reason}
		},
		show: showSuppression,
	}.command(c)
	root.AddCommand(c.previewCmd(), c.suppressCmd(), c.liftCmd())
	return root
}

// until says when a suppression ends or has ended.
func until(s *honeyguide.Suppression) any {
	if !s.LiftedAt.IsZero() {
		return "lifted"
	}
	return s.ExpiresAt
}

func showSuppression(w io.Writer, s honeyguide.Suppression, more lookup) {
	field(w, "suppression", s.Short)
	field(w, "means", detect.Describe(s.Match))
	field(w, "reason", s.Reason)
	field(w, "owner", s.Owner)
	field(w, "made", text(s.CreatedAt)+" by "+s.CreatedBy)
	field(w, "until", s.ExpiresAt)
	if !s.LiftedAt.IsZero() {
		field(w, "lifted", text(s.LiftedAt)+" by "+s.LiftedBy)
	}
	field(w, "hidden", fmt.Sprintf("%d alerts, %d events", s.Alerts, s.Events))
	field(w, "last", s.LastAt)
	var hidden client.Page[honeyguide.Alert]
	if err := more("/alerts", url.Values{"suppression": {s.ID}, "limit": {"20"}}, &hidden); err != nil {
		field(w, "alerts", err.Error())
	}
	heading(w, "Hidden alerts, newest first")
	for _, a := range hidden.Items {
		row(w, a.Short, a.LastAt, a.Severity, a.RuleID, address(a.Src), a.Count, a.Title)
	}
}

// matchFlags are the flags that say which alerts are meant.
type matchFlags struct {
	honeyguide.Match
	worst, alert string
}

func (m *matchFlags) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&m.Rule, "rule", "", "rule `id`; a * at its end stands for any ending")
	f.StringVar(&m.Src, "src", "", "source `address` or prefix")
	f.StringVar(&m.Dst, "dst", "", "target `address` or prefix")
	f.StringVar(&m.Sensor, "sensor", "", "`name` of the sensor or source")
	f.StringVar(&m.Detector, "detector", "", "`kind` of the detector")
	f.StringVar(&m.Category, "category", "", "threat `category`")
	f.StringVar(&m.Title, "title", "", "`words` the title contains")
	f.StringVar(&m.Observable, "observable", "", "`value` of an observable")
	f.StringVar(&m.worst, "max-severity", "", "never hide what is worse than this `severity` (default high)")
	f.StringVar(&m.alert, "alert", "", "take rule and source from this alert (`id`) where no flag names them")
}

// match completes what the flags say.
func (m *matchFlags) match(c *command, cmd *cobra.Command) (honeyguide.Match, error) {
	if m.worst != "" {
		s, err := honeyguide.ParseSeverity(m.worst)
		if err != nil {
			return m.Match, usageError{err}
		}
		m.MaxSeverity = s
	}
	if m.alert == "" {
		return m.Match, nil
	}
	var a honeyguide.Alert
	if err := c.get(cmd.Context(), "/alerts/"+url.PathEscape(m.alert), nil, &a); err != nil {
		return m.Match, err
	}
	if m.Rule == "" {
		m.Rule = a.RuleID
	}
	if m.Src == "" && a.Src.Addr.IsValid() {
		m.Src = a.Src.Addr.Addr().Unmap().String()
	}
	return m.Match, nil
}

func (c *command) previewCmd() *cobra.Command {
	var m matchFlags
	var days int
	cmd := &cobra.Command{
		Use: "preview", Short: "Say what a suppression would have hidden. Changes nothing.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			match, err := m.match(c, cmd)
			if err != nil {
				return err
			}
			return c.preview(cmd, client.SuppressionRequest{Match: match, Days: days})
		},
	}
	m.add(cmd)
	cmd.Flags().IntVar(&days, "days", 30, "days of history to look at")
	return cmd
}

func (c *command) preview(cmd *cobra.Command, req client.SuppressionRequest) error {
	var p client.SuppressionPreview
	if err := c.post(cmd.Context(), "/suppressions/preview", req, &p); err != nil {
		return err
	}
	return c.print(p, func(w io.Writer) { showPreview(w, p, req.Match) })
}

func showPreview(w io.Writer, p client.SuppressionPreview, m honeyguide.Match) {
	field(w, "means", detect.Describe(m))
	field(w, "raised", text(p.From)+" to "+text(p.To))
	field(w, "would hide", fmt.Sprintf("%d alerts, %d events, of %d sources", p.Alerts, p.Events, p.Sources))
	field(w, "hidden already", p.AlreadySuppressed)
	field(w, "incidents", fmt.Sprintf("%d would have lost alerts, %d of them would not have been", p.IncidentsTouched, p.IncidentsGone))
	if !p.Complete {
		field(w, "incomplete", fmt.Sprintf("only the newest %d alerts were looked at", p.Scanned))
	}
	words := make([]string, 0, len(p.BySeverity))
	for s := range p.BySeverity {
		words = append(words, s)
	}
	sort.Slice(words, func(i, j int) bool {
		a, _ := honeyguide.ParseSeverity(words[i])
		b, _ := honeyguide.ParseSeverity(words[j])
		return a > b
	})
	heading(w, "By severity")
	for _, s := range words {
		row(w, s, p.BySeverity[s])
	}
	heading(w, "By rule")
	for _, r := range p.Rules {
		row(w, r.Rule, r.Alerts, r.Events)
	}
	heading(w, "By day")
	for _, d := range p.Days {
		row(w, d.Day, d.Alerts, d.Events)
	}
	heading(w, "Incidents")
	for _, i := range p.Incidents {
		row(w, i.Short, i.Severity, fmt.Sprintf("%d of %d", i.Alerts, i.Of), i.Title)
	}
	heading(w, "Newest")
	for _, a := range p.Examples {
		row(w, a.Short, a.LastAt, a.Severity, a.RuleID, address(a.Src), a.Title)
	}
}

func (c *command) suppressCmd() *cobra.Command {
	var m matchFlags
	var req client.SuppressionRequest
	var life time.Duration
	var ends string
	var dry bool
	cmd := &cobra.Command{
		Use: "add", Short: "Hide known noise for a while.", Args: cobra.NoArgs,
		Long: `Alerts that are meant are still made, counted and searchable, with status
suppressed. They join no incident and nothing is planned about them. Critical
alerts are never meant unless --max-severity critical says so, and the use of a
honeytoken is always counted. Look first: --dry-run, or suppressions preview.`,
		RunE: func(cmd *cobra.Command, _ []string) (err error) {
			if req.Match, err = m.match(c, cmd); err != nil {
				return err
			}
			if dry {
				return c.preview(cmd, req)
			}
			if req.ExpiresAt, err = ending(life, ends); err != nil {
				return err
			}
			var s client.SuppressionResult
			if err := c.post(cmd.Context(), "/suppressions", req, &s); err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) {
				fmt.Fprintf(w, "%s holds until %s; %d open alerts hidden\n", s.Short, text(s.ExpiresAt), s.Changed)
			})
		},
	}
	m.add(cmd)
	f := cmd.Flags()
	f.StringVar(&req.Reason, "reason", "", "`why` this is noise (needed)")
	f.StringVar(&req.Owner, "owner", "", "`who` answers for it (default the holder of the key)")
	f.DurationVar(&life, "for", 0, "how long it holds, such as 720h")
	f.StringVar(&ends, "until", "", "`time` it ends (RFC 3339)")
	f.BoolVar(&req.Existing, "existing", false, "also hide the open alerts it means")
	f.BoolVar(&dry, "dry-run", false, "only say what it would have hidden in the last 30 days")
	return cmd
}

// ending reads when a suppression ends from one of two flags.
func ending(life time.Duration, ends string) (time.Time, error) {
	switch {
	case (life == 0) == (ends == ""):
		return time.Time{}, usagef("say how long it holds, with either --for or --until")
	case life != 0:
		return time.Now().Add(life).UTC().Truncate(time.Second), nil
	}
	at, err := time.Parse(time.RFC3339, ends)
	if err != nil {
		return at, usagef("--until: want a time such as 2026-12-24T18:00:00Z")
	}
	return at, nil
}

func (c *command) liftCmd() *cobra.Command {
	var req struct {
		Reopen bool `json:"reopen"`
	}
	cmd := &cobra.Command{
		Use: "lift ID", Short: "End a suppression before its time.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var s client.SuppressionResult
			if err := c.post(cmd.Context(), "/suppressions/"+url.PathEscape(args[0])+"/lift", req, &s); err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) { fmt.Fprintf(w, "%s is lifted; %d alerts are new again\n", s.Short, s.Changed) })
		},
	}
	cmd.Flags().BoolVar(&req.Reopen, "reopen", false, "make the alerts it hid new again")
	return cmd
}
