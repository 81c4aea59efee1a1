package cli

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// runsCmd is `honeyguide runs list|show|start|approve|deny|cancel|retry|revert|confirm`.
func (c *command) runsCmd() *cobra.Command {
	root := listing[honeyguide.Run]{
		name: "runs", short: "What playbooks did and do; approve, cancel, retry and undo it.", path: "/runs",
		filters: map[string]string{
			"playbook": "`id` of the playbook", "incident": "`id` of an incident", "open": "`true`: only those that are not over",
			"state": "`state`: planned, running, waiting, halted, done, failed, cancelled, reverted",
			"from":  "not before this `time` (RFC 3339)", "to": "before this `time`",
		},
		header: []any{"ID", "STARTED", "STATE", "MODE", "PLAYBOOK", "INCIDENT", "STEP", "BY", "WHY"},
		row: func(r honeyguide.Run) []any {
			return []any{r.Short, r.CreatedAt, r.State, r.Mode, r.Playbook, r.Incident, atStep(&r), r.By, r.Reason}
		},
	}.command(c)
	root.Aliases = nil // "run" is another verb
	root.AddCommand(listing[client.RunDetail]{path: "/runs", show: showRun}.showCommand(c))
	root.AddCommand(c.startCmd(), c.decideCmd(true), c.decideCmd(false))
	root.AddCommand(c.runVerbs()...)
	return root
}

// atStep names the step a run is at, or how far it came.
func atStep(r *honeyguide.Run) string {
	if r.Step < 0 || r.Step >= len(r.Steps) {
		return fmt.Sprintf("%d/%d", len(r.Steps), len(r.Steps))
	}
	return fmt.Sprintf("%d/%d %s", r.Step+1, len(r.Steps), r.Steps[r.Step].Name)
}

func showRun(w io.Writer, r client.RunDetail, _ lookup) {
	field(w, "run", r.Short+"  "+r.Title)
	field(w, "playbook", r.Playbook+" "+r.Version)
	field(w, "state", string(r.State))
	field(w, "mode", string(r.Mode))
	field(w, "incident", r.Incident)
	field(w, "began", text(r.CreatedAt)+" by "+r.By)
	field(w, "because", r.Reason)
	field(w, "ended", r.EndedAt)
	if !r.StuckAt.IsZero() {
		field(w, "stuck since", r.StuckAt)
	}
	if r.Error != "" {
		field(w, "error", r.Error)
	}
	plans := map[string]*honeyguide.Plan{}
	for i := range r.Plans {
		plans[r.Plans[i].ID] = &r.Plans[i]
	}
	for n := range r.Steps {
		s := &r.Steps[n]
		heading(w, fmt.Sprintf("%d. %s", n, safetext.TermN(s.Name, 80)))
		row(w, s.State, s.Action, s.StartedAt, s.EndedAt, s.Error)
		showDecisions(w, s)
		for _, id := range s.Plans {
			if p := plans[id]; p != nil {
				showPlan(w, p)
			}
			delete(plans, id)
		}
	}
	if len(r.Steps) == 0 || len(plans) > 0 {
		heading(w, "Other acts")
	}
	for i := range r.Plans {
		if plans[r.Plans[i].ID] != nil {
			showPlan(w, &r.Plans[i])
		}
	}
}

func showPlan(w io.Writer, p *honeyguide.Plan) {
	row(w, " ", p.State, p.Target, p.Effect)
	if p.State == honeyguide.PlanRefused || p.Error != "" {
		row(w, " ", " ", "because", p.Reason, p.Error)
	}
	if !p.VerifiedAt.IsZero() || !p.ExpiresAt.IsZero() {
		row(w, " ", " ", "verified "+text(p.VerifiedAt), "until "+text(p.ExpiresAt))
	}
	if !p.EndedAt.IsZero() {
		row(w, " ", " ", "ended "+text(p.EndedAt), "by "+text(p.EndedBy))
	}
}

func showDecisions(w io.Writer, s *honeyguide.RunStep) {
	if s.Approval != nil && s.State == honeyguide.StepWaiting {
		row(w, " ", fmt.Sprintf("waits for %d of %s", s.Needed(), strings.Join(s.Approval.Roles, " or ")), "until "+text(s.Lapse()))
	}
	for _, d := range s.Decisions {
		word := "denied"
		if d.Approved {
			word = "approved"
		}
		row(w, " ", word, "by "+d.By+" ("+d.Role+")", d.At, d.Note)
	}
}

// ran shows what came of an order about a run.
func (c *command) ran(r client.RunDetail) error {
	return c.print(r, func(w io.Writer) {
		row(w, r.Short, r.State, r.Mode, r.Playbook, atStep(&r.Run), r.Error)
		for i := range r.Plans {
			showPlan(w, &r.Plans[i])
		}
	})
}

func (c *command) startCmd() *cobra.Command {
	var req client.RunStart
	var vars []string
	var apply, dry, yes bool
	cmd := &cobra.Command{
		Use: "start PLAYBOOK", Short: "Start a playbook by hand.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			req.Playbook = args[0]
			switch {
			case apply && dry:
				return usagef("--apply and --dry-run say opposite things")
			case apply:
				req.Mode = honeyguide.ModeApply
			case dry:
				req.Mode = honeyguide.ModeDryRun
			}
			for _, v := range vars {
				name, value, ok := strings.Cut(v, "=")
				if !ok {
					return usagef("--var: want name=value")
				}
				if req.Vars == nil {
					req.Vars = map[string]string{}
				}
				req.Vars[name] = value
			}
			if !dry {
				if err := c.sure(yes, "Start "+req.Playbook); err != nil {
					return err
				}
			}
			var out client.RunDetail
			if err := c.post(cmd.Context(), "/runs", req, &out); err != nil {
				return err
			}
			return c.ran(out)
		},
	}
	f := cmd.Flags()
	f.StringVar(&req.Incident, "incident", "", "`id` of the incident it is about")
	f.StringArrayVar(&vars, "var", nil, "`name=value` the playbook asks for; may be repeated")
	f.StringVar(&req.Reason, "reason", "", "`why`")
	f.BoolVar(&apply, "apply", false, "do it, whatever respond.mode says")
	f.BoolVar(&dry, "dry-run", false, "only say what would be done")
	return careful(cmd, &yes)
}

// decideCmd is `runs approve` or `runs deny`. Before it asks it shows what would
// be done: an approval nobody looked at is worth nothing.
func (c *command) decideCmd(approve bool) *cobra.Command {
	req := client.RunDecision{Approve: approve}
	var step string
	var yes bool
	cmd := &cobra.Command{
		Use: "deny ID", Short: "Deny the step a run waits at, which ends the run.", Args: cobra.ExactArgs(1),
	}
	if approve {
		cmd.Use, cmd.Short = "approve ID", "Approve the step a run waits at."
		cmd.Long = `Shows what would be done and asks. Who began the run does not approve it, and
where a playbook wants two people, two keys of one name are one person.`
	}
	cmd.RunE = func(cmd *cobra.Command, args []string) error {
		path := "/runs/" + url.PathEscape(args[0])
		if step != "" {
			n, err := strconv.Atoi(step)
			if err != nil || n < 0 {
				return usagef("--step: want the number of the step, as 'runs show' numbers them")
			}
			req.Step = &n
		}
		if approve && !yes {
			if err := c.look(cmd, path, req.Step); err != nil {
				return err
			}
		}
		if approve {
			if err := c.sure(yes, "Approve "+args[0]); err != nil {
				return err
			}
		}
		var out client.RunDetail
		if err := c.post(cmd.Context(), path+"/decide", req, &out); err != nil {
			return err
		}
		return c.ran(out)
	}
	f := cmd.Flags()
	f.StringVar(&step, "step", "", "`number` of the step (default the one it waits at)")
	f.StringVar(&req.Note, "note", "", "`words` kept with the decision")
	if approve {
		careful(cmd, &yes)
	}
	return cmd
}

// look shows a person what they are about to approve.
func (c *command) look(cmd *cobra.Command, path string, step *int) error {
	var r client.RunDetail
	if err := c.get(cmd.Context(), path, nil, &r); err != nil {
		return err
	}
	n := r.Step
	if step != nil {
		n = *step
	}
	if n < 0 || n >= len(r.Steps) {
		return usagef("%s has no step %d", safetext.Term(r.Short), n)
	}
	fmt.Fprintf(c.err, "%s, step %d: %s\n", safetext.Term(r.Title), n, safetext.Term(r.Steps[n].Name))
	for i := range r.Plans {
		if p := &r.Plans[i]; p.Step == r.Steps[n].Name {
			fmt.Fprintf(c.err, "  %s\n", safetext.TermN(p.Effect, 400))
		}
	}
	return nil
}

// runVerbs are the verbs about a run that take a reason.
func (c *command) runVerbs() []*cobra.Command {
	var out []*cobra.Command
	for _, v := range []struct {
		verb, short, question string
		asks                  bool
	}{
		{"cancel", "End a run; what it did stays.", "End", true},
		{"revert", "Undo all of a run that can be undone.", "Undo all of", true},
		{"retry", "Go on from the step that failed.", "Go on with", true},
		{"confirm", "Keep a block that would be undone unless it is confirmed.", "", false},
	} {
		var req client.Why
		var yes bool
		cmd := &cobra.Command{
			Use: v.verb + " ID", Short: v.short, Args: cobra.ExactArgs(1),
			RunE: func(cmd *cobra.Command, args []string) error {
				if v.asks {
					if err := c.sure(yes, v.question+" "+args[0]); err != nil {
						return err
					}
				}
				var out client.RunDetail
				if err := c.post(cmd.Context(), "/runs/"+url.PathEscape(args[0])+"/"+v.verb, req, &out); err != nil {
					return err
				}
				return c.ran(out)
			},
		}
		if v.verb != "retry" && v.verb != "confirm" {
			cmd.Flags().StringVar(&req.Reason, "reason", "", "`why`")
		}
		if v.asks {
			careful(cmd, &yes)
		}
		out = append(out, cmd)
	}
	return out
}

// approvalsCmd is `honeyguide approvals`.
func (c *command) approvalsCmd() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use: "approvals", Short: "What waits for your approval.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			if all {
				q.Set("all", "true")
			}
			var p client.Page[client.Approval]
			if err := c.get(cmd.Context(), "/approvals", q, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "RUN", "ASKED", "LAPSES", "NEEDS", "PLAYBOOK", "STEP", "BEGUN BY", "WHAT")
				for i := range p.Items {
					showApproval(w, &p.Items[i])
				}
			})
		},
	}
	cmd.Flags().BoolVar(&all, "all", false, "also what waits for others, and why you may not approve it")
	return cmd
}

func showApproval(w io.Writer, a *client.Approval) {
	what := a.Action
	if len(a.Plans) > 0 {
		what = a.Plans[0].Effect
	}
	if n := len(a.Plans); n > 1 {
		what += fmt.Sprintf(" (and %d more)", n-1)
	}
	row(w, a.Short, a.AskedAt, a.LapsesAt, fmt.Sprintf("%d of %d", a.Needed, a.People), a.Playbook, a.Name, a.By, what)
	if a.WhyNot != "" {
		row(w, " ", "not you:", a.WhyNot)
	}
}
