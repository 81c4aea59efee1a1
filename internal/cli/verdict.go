package cli

import (
	"cmp"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/triage"
	"honeyguide/internal/verdict"
)

// saying is what a verdict says, as the API takes it.
type saying struct {
	IDs       []string               `json:"ids,omitempty"`
	Verdict   honeyguide.VerdictWord `json:"verdict"`
	Reason    string                 `json:"reason,omitempty"`
	Comment   string                 `json:"comment,omitempty"`
	Overwrite bool                   `json:"overwrite,omitempty"`
}

// flags adds what every verdict has; the word is read by word.
func (s *saying) flags(cmd *cobra.Command) (word *string) {
	word = cmd.Flags().String("as", "", "`verdict`: true_positive, false_positive, benign, duplicate, or none to take it back")
	cmd.Flags().StringVar(&s.Reason, "reason", "", "why, in a short `phrase`")
	cmd.Flags().StringVar(&s.Comment, "comment", "", "anything else worth `text`")
	return word
}

func (s *saying) read(word string) (err error) {
	if word == "" {
		return usagef("say what it was: --as true_positive, false_positive, benign, duplicate or none")
	}
	s.Verdict, err = honeyguide.ParseVerdict(word)
	return err
}

// verdictCmd is `honeyguide alerts verdict ID... --as WORD`.
func (c *command) verdictCmd() *cobra.Command {
	var s saying
	var word *string
	cmd := &cobra.Command{
		Use: "verdict ID...", Short: "Say what alerts were. Triage learns from it.", Args: cobra.MinimumNArgs(1),
		Long: `Says what alerts were: true_positive when somebody had to look at it,
false_positive when the claim was wrong, benign when it was right and nothing to
worry about, duplicate when another alert says the same, none to take it back.`,
		Example: `  honeyguide alerts verdict A-12 A-13 --as false_positive --reason "nightly backup"`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.read(*word); err != nil {
				return err
			}
			s.IDs = args
			var out verdict.Outcome
			if err := c.post(cmd.Context(), "/alerts/verdict", s, &out); err != nil {
				return err
			}
			if err := c.print(out, func(w io.Writer) { told(w, out) }); err != nil {
				return err
			}
			switch {
			case len(out.Missing) == len(args):
				return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no such alert: " + strings.Join(out.Missing, ", ")}
			case len(out.Missing) > 0:
				return errPartly
			}
			return nil
		},
	}
	word = s.flags(cmd)
	return cmd
}

// incidentVerdictCmd is `honeyguide incidents verdict ID --as WORD`.
func (c *command) incidentVerdictCmd() *cobra.Command {
	var s saying
	var word *string
	cmd := &cobra.Command{
		Use: "verdict ID", Short: "Say what an incident was, and its alerts with it.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := s.read(*word); err != nil {
				return err
			}
			var out struct {
				Incident honeyguide.Incident `json:"incident"`
				Alerts   verdict.Outcome     `json:"alerts"`
			}
			if err := c.post(cmd.Context(), "/incidents/"+url.PathEscape(args[0])+"/verdict", s, &out); err != nil {
				return err
			}
			return c.print(out, func(w io.Writer) {
				field(w, "incident", out.Incident.Short+"  "+out.Incident.Title)
				told(w, out.Alerts)
			})
		},
	}
	word = s.flags(cmd)
	cmd.Flags().BoolVar(&s.Overwrite, "overwrite", false, "also on alerts that have a verdict of their own")
	return cmd
}

// told says what a verdict changed.
func told(w io.Writer, o verdict.Outcome) {
	field(w, "judged", o.Changed)
	field(w, "as before", o.Unchanged)
	if o.Kept > 0 {
		field(w, "kept their own", o.Kept)
	}
	if o.Left > 0 {
		field(w, "not reached", fmt.Sprintf("%d older alerts of the incident", o.Left))
	}
	if len(o.Missing) > 0 {
		field(w, "no such alert", strings.Join(o.Missing, ", "))
	}
}

func showVerdict(w io.Writer, v honeyguide.Verdict) {
	if v.As == "" {
		field(w, "verdict", "none yet")
		return
	}
	field(w, "verdict", strings.TrimSpace(string(v.As)+"  "+v.Reason))
	field(w, "judged by", v.By+" at "+text(v.At))
	if v.Comment != "" {
		field(w, "comment", v.Comment)
	}
}

// chance says what a score means.
func chance(score float64) string {
	p := triage.Probability(score)
	switch {
	case score <= 0:
		return "hardly any chance that it needs a human"
	case score >= 100:
		return "as good as certain that it needs a human"
	case p < .01:
		return fmt.Sprintf("about 1 in %.0f that it needs a human", 1/p)
	}
	return fmt.Sprintf("about %.0f %% that it needs a human", 100*p)
}

// showAlike adds what was decided of other alerts of the rule.
func showAlike(w io.Writer, id string, more lookup) {
	var p verdict.Past
	if err := more("/alerts/"+url.PathEscape(id)+"/alike", nil, &p); err != nil || len(p.Newest) == 0 {
		return
	}
	heading(w, "What was decided of this rule before")
	if q := p.Quality; q.N > 0 {
		fmt.Fprintf(w, "%d true, %d false, %d benign of %d: %s false positives\n", q.TruePositives, q.FalsePositives, q.Benign, q.N, share(q.FalseRate))
	}
	for _, j := range p.Newest {
		row(w, j.Verdict.At, string(j.Verdict.As), j.Short, j.Verdict.By, cmp.Or(j.Verdict.Reason, j.Verdict.Comment))
	}
}

// share is a rate with its interval.
func share(r verdict.Rate) string {
	return fmt.Sprintf("%.0f %% (%.0f to %.0f)", 100*r.Value, 100*r.Low, 100*r.High)
}

// qualityCmd is `honeyguide rules quality`.
func (c *command) qualityCmd() *cobra.Command {
	var since time.Duration
	cmd := &cobra.Command{
		Use: "quality", Short: "How often each rule and source was right, by the verdicts.", Args: cobra.NoArgs,
		Long: `Counts what verdicts say of the alerts of each rule and source. n counts the
alerts judged true, false or benign, each once. The range in brackets holds the
true rate in 95 of 100 cases (Wilson's interval): with few verdicts it is wide.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			if since > 0 {
				q.Set("since", time.Now().Add(-since).UTC().Format(time.RFC3339))
			}
			var r verdict.QualityReport
			if err := c.get(cmd.Context(), "/rules/quality", q, &r); err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) {
				qualityTable(w, "RULE", r.Rules)
				fmt.Fprintln(w)
				qualityTable(w, "ALL RULES OF", r.Sources)
			})
		},
	}
	cmd.Flags().DurationVar(&since, "last", 0, "only verdicts of the last `time`, for example 720h")
	return cmd
}

func qualityTable(w io.Writer, of string, list []verdict.Quality) {
	row(w, of, "SOURCE", "N", "TRUE", "FALSE", "BENIGN", "DUPLICATE", "FALSE POSITIVES", "PRECISION")
	for _, x := range list {
		row(w, x.Name, x.Source, x.N, x.TruePositives, x.FalsePositives, x.Benign, x.Duplicates, share(x.FalseRate), share(x.TrueRate))
	}
}
