package cli

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/report"
	"honeyguide/internal/safetext"
)

// kpiCmd is `honeyguide report kpi`.
func (c *command) kpiCmd() *cobra.Command {
	var since, until string
	cmd := &cobra.Command{
		Use: "kpi", Short: "Key figures: how long things took, how often claims were wrong.", Args: cobra.NoArgs,
		Long: `Computes key figures of a span of time from what is stored. Each tells what it
was counted from (N); without anything counted there is no data. Ranges in
brackets hold the true share in 95 of 100 cases (Wilson's interval).`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			for _, x := range []struct{ name, text string }{{"since", since}, {"until", until}} {
				t, err := ago("--"+x.name, x.text, time.Now())
				if err != nil {
					return err
				}
				if !t.IsZero() {
					q.Set(x.name, t.UTC().Format(time.RFC3339Nano))
				}
			}
			var k report.KPI
			if err := c.get(cmd.Context(), "/report/kpi", q, &k); err != nil {
				return err
			}
			return c.print(k, func(w io.Writer) { showKPI(w, &k) })
		},
	}
	cmd.Flags().StringVar(&since, "since", "30d", "`time` or how long ago: 30d, 12h, 2026-03-01T00:00:00Z")
	cmd.Flags().StringVar(&until, "until", "", "`time` or how long ago (default now)")
	return cmd
}

// ago reads a time, or how long ago it was; "" is the zero time.
func ago(flag, text string, now time.Time) (time.Time, error) {
	if text == "" {
		return time.Time{}, nil
	}
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if n, err := strconv.Atoi(days); err == nil && n > 0 && n < 40_000 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	if t, err := time.Parse(time.RFC3339Nano, text); err == nil {
		return t, nil
	}
	return time.Time{}, usagef("%s %s: want how long ago, such as 30d or 12h, or a time such as 2026-03-01T00:00:00Z", flag, safetext.Term(text))
}

func showKPI(w io.Writer, k *report.KPI) {
	field(w, "from", k.Since)
	field(w, "until", k.Until)
	fmt.Fprintln(w)
	row(w, "TIME", "N", "MEAN", "MEDIAN", "95 %", "TARGET", "RESULT")
	for _, d := range k.Times {
		target := "-"
		if d.TargetMS > 0 {
			target = "< " + lasted(&d.TargetMS)
		}
		row(w, d.Name, d.N, lasted(d.MeanMS), lasted(d.MedianMS), lasted(d.P95MS), target, resultOf(d.Result, d.N))
	}
	fmt.Fprintln(w)
	row(w, "SHARE", "HITS", "N", "VALUE", "TARGET", "RESULT")
	for _, s := range k.Shares {
		value, target := "-", "-"
		if s.Value != nil {
			value = fmt.Sprintf("%.1f %% [%.1f, %.1f]", *s.Value*100, *s.Low*100, *s.High*100)
		}
		switch {
		case s.Below > 0:
			target = fmt.Sprintf("< %.0f %%", s.Below*100)
		case s.Above > 0:
			target = fmt.Sprintf("> %.0f %%", s.Above*100)
		}
		row(w, s.Name, s.Hits, s.N, value, target, resultOf(s.Result, s.N))
	}
	fmt.Fprintln(w)
	row(w, "MUST NOT HAPPEN", "N", "TARGET", "RESULT", "ALERTS")
	for _, c := range k.Counts {
		row(w, c.Name, c.N, c.Target, c.Result, strings.Join(c.Alerts, ", "))
	}
	fmt.Fprintln(w)
	row(w, "SEVERITY", "INCIDENTS", "ALERTS")
	for _, s := range k.Severities {
		row(w, s.Name, s.Incidents, s.Alerts)
	}
	fmt.Fprintln(w)
	row(w, "CATEGORY", "ALERTS", "EVENTS")
	for _, x := range k.Categories {
		if x.Alerts > 0 {
			row(w, x.Name, x.Alerts, x.Events)
		}
	}
	i := k.Incidents
	fmt.Fprintf(w, "\nincidents: %d opened, %d still open, %d closed, %d times reopened, %d not answered\n", i.Opened, i.Open, i.Closed, i.Reopened, i.Unanswered)
	if k.Left > 0 {
		fmt.Fprintf(w, "left out: %d alerts older than the newest 100,000\n", k.Left)
	}
}

// lasted writes milliseconds as people say them.
func lasted(ms *float64) string {
	if ms == nil {
		return "-"
	}
	return span(time.Duration(*ms * float64(time.Millisecond)))
}

func resultOf(result string, n int64) string {
	if n == 0 {
		return report.NoData
	}
	return result
}
