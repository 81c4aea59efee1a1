package cli

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"honeyguide/internal/client"
	"honeyguide/internal/state"
	"honeyguide/internal/verdict"
)

// triageCmd is `honeyguide triage show|train|promote|rollback|history`.
func (c *command) triageCmd() *cobra.Command {
	root := group("triage", "The model that scores alerts, and what it learns from verdicts.")
	var force bool
	promote := c.modelCmd("promote", "Let the model in the shadow score.", "/triage/promote", func() any {
		return map[string]bool{"force": force}
	})
	promote.Flags().BoolVar(&force, "force", false, "also when it is worse than the active one")
	none := func() any { return map[string]bool{} }
	root.AddCommand(c.triageShowCmd(), c.triageHistoryCmd(), promote,
		c.modelCmd("train", "Learn a model from the verdicts; it runs in the shadow.", "/triage/train", none),
		c.modelCmd("rollback", "Give up the model that scores for the one before.", "/triage/rollback", none))
	return root
}

// modelCmd asks for something and shows the model it is about.
func (c *command) modelCmd(name, short, path string, in func() any) *cobra.Command {
	return &cobra.Command{
		Use: name, Short: short, Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var m state.TriageModel
			if err := c.post(cmd.Context(), path, in(), &m); err != nil {
				return err
			}
			return c.print(m, func(w io.Writer) { showModel(w, "model", &m) })
		},
	}
}

func showModel(w io.Writer, name string, m *state.TriageModel) {
	field(w, name, fmt.Sprintf("%d, %s: %s", m.Number, m.State, m.Note))
	field(w, "trained", m.CreatedAt)
	field(w, "on", fmt.Sprintf("%d verdicts, %d of them true positives", m.Samples, m.Positives))
	field(w, "data", m.Data)
	if h := m.HeldOut; h.Verdicts > 0 {
		field(w, "held out", fmt.Sprintf("%d verdicts, %d true positives", h.Verdicts, h.Positives))
		field(w, "log loss", fmt.Sprintf("%.4f, the model before %.4f", h.LogLoss, h.OldLogLoss))
		field(w, "average precision", fmt.Sprintf("%.4f, the model before %.4f", h.Precision, h.OldPrecision))
	}
}

// mostWeights is how many features are shown.
const mostWeights = 12

func (c *command) triageShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show", Short: "What scores alerts now.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var s verdict.Triage
			if err := c.get(cmd.Context(), "/triage", nil, &s); err != nil {
				return err
			}
			return c.print(s, func(w io.Writer) {
				field(w, "verdicts", fmt.Sprintf("%d to learn from, %d of them true positives", s.Verdicts, s.Positives))
				switch {
				case s.Active == nil:
					field(w, "active", "the model of a site without verdicts")
				case !s.Usable:
					field(w, "active", fmt.Sprintf("model %d cannot be read: the model of a site without verdicts scores", s.Active.Number))
				default:
					showModel(w, "active", s.Active)
				}
				if s.Shadow != nil {
					heading(w, "In the shadow")
					showModel(w, "model", s.Shadow)
				}
				heading(w, "What counts most")
				for _, x := range s.Weights[:min(mostWeights, len(s.Weights))] {
					fmt.Fprintf(w, "%+.2f\t%s\n", x.Weight, x.Feature)
				}
			})
		},
	}
}

func (c *command) triageHistoryCmd() *cobra.Command {
	return &cobra.Command{
		Use: "history", Short: "The models there were.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[state.TriageModel]
			if err := c.get(cmd.Context(), "/triage/models", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "MODEL", "TRAINED", "STATE", "VERDICTS", "TRUE", "HELD OUT", "LOG LOSS", "BEFORE", "AVG PRECISION", "BEFORE", "NOTE")
				for _, m := range p.Items {
					h := m.HeldOut
					row(w, m.Number, m.CreatedAt, string(m.State), m.Samples, m.Positives, h.Verdicts, fmt.Sprintf("%.4f", h.LogLoss), fmt.Sprintf("%.4f", h.OldLogLoss),
						fmt.Sprintf("%.4f", h.Precision), fmt.Sprintf("%.4f", h.OldPrecision), m.Note)
				}
			})
		},
	}
}
