package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/api"
	"honeyguide/internal/client"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/safetext"
)

// rulesCmd is `honeyguide rules ...`.
func (c *command) rulesCmd() *cobra.Command {
	root := group("rules", "Sigma rules: what is in force, what is wrong, what a rule would have found.")
	root.Aliases = []string{"rule"}
	root.AddCommand(c.rulesListCmd(), c.rulesShowCmd(), c.rulesFaultsCmd(), c.rulesSwitchCmd(true), c.rulesSwitchCmd(false), c.rulesExplainCmd(),
		c.rulesCheckCmd(), c.rulesTestCmd(), c.rulesImportCmd(), c.rulesBacktestCmd())
	return root
}

func (c *command) rulesListCmd() *cobra.Command {
	q := url.Values{}
	texts, flags := map[string]*string{}, map[string]*bool{}
	list := &cobra.Command{
		Use: "list", Short: "List rules by id.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for name, v := range texts {
				if *v != "" {
					q.Set(name, *v)
				}
			}
			for name, v := range flags {
				if *v {
					q.Set(name, "true")
				}
			}
			q.Set("limit", "1000")
			return c.listRules(cmd.Context(), q)
		},
	}
	f := list.Flags()
	for name, doc := range map[string]string{
		"q": "`text` in id, title, tags or description", "severity": "at least this `level`", "origin": "shipped or own",
		"product": "`product` of the log source", "category": "`category` of the log source", "service": "`service` of the log source",
	} {
		texts[name] = f.String(name, "", doc)
	}
	for name, doc := range map[string]string{
		"unfed": "only those whose log source nothing feeds", "off": "only those that are switched off", "hit": "only those that fired since the start",
	} {
		flags[name] = f.Bool(name, false, doc)
	}
	return list
}

func (c *command) listRules(ctx context.Context, q url.Values) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	p := client.Page[rulebook.Info]{Items: []rulebook.Info{}}
	for r, err := range client.All[rulebook.Info](ctx, cl, "/api/v1/rules", q) {
		if err != nil {
			return err
		}
		p.Items = append(p.Items, r)
	}
	return c.print(p, func(w io.Writer) {
		row(w, "ID", "LEVEL", "STATE", "LOG SOURCE", "HITS", "ORIGIN", "TITLE")
		for _, r := range p.Items {
			row(w, r.ID, r.Level, ruleState(&r), logsource(&r), r.Hits, r.Origin, r.Title)
		}
	})
}

// ruleState says in a word whether a rule can fire.
func ruleState(r *rulebook.Info) string {
	switch {
	case !r.InForce:
		return "off"
	case !r.Fed:
		return "unfed"
	case r.Hidden:
		return "feeds"
	}
	return "on"
}

func logsource(r *rulebook.Info) string {
	if r.Kind == "correlation" {
		return "correlation"
	}
	return strings.Trim(strings.ReplaceAll(r.Product+"/"+r.Category+"/"+r.Service, "//", "/"), "/")
}

func (c *command) rulesShowCmd() *cobra.Command {
	return &cobra.Command{
		Use: "show ID", Short: "Show one rule with its text, by id, name or title.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			var r api.RuleText
			if err := c.get(cmd.Context(), "/rules/"+url.PathEscape(args[0]), nil, &r); err != nil {
				return err
			}
			return c.print(r, func(w io.Writer) { showRule(w, &r) })
		},
	}
}

func showRule(w io.Writer, r *api.RuleText) {
	field(w, "rule", r.ID+"  "+r.Title)
	field(w, "id", r.UUID)
	field(w, "level", r.Level)
	field(w, "log source", logsource(&r.Info))
	field(w, "state", ruleState(&r.Info))
	if r.Off != nil {
		field(w, "switched off", fmt.Sprintf("by %s, %s: %s", r.Off.By, r.Off.At.Format(time.DateTime), r.Off.Reason))
	}
	field(w, "hits", fmt.Sprintf("%d since the start", r.Hits))
	field(w, "last hit", r.LastHit)
	field(w, "cost", fmt.Sprintf("asked about %d times, %d ms in all", r.Asked, r.CostMillis))
	field(w, "tags", strings.Join(r.Tags, ", "))
	field(w, "author", r.Author)
	field(w, "license", r.License)
	field(w, "file", r.File+":"+strconv.Itoa(r.Line))
	heading(w, "Text")
	for line := range strings.Lines(r.Text) {
		fmt.Fprintln(w, safetext.TermN(strings.TrimRight(line, "\r\n"), 400))
	}
}

func (c *command) rulesFaultsCmd() *cobra.Command {
	return &cobra.Command{
		Use: "faults", Short: "What could not be used of the rules in force, by file and line.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			p := client.Page[api.RuleFault]{Items: []api.RuleFault{}}
			for f, err := range client.All[api.RuleFault](cmd.Context(), cl, "/api/v1/rules/faults", url.Values{"limit": {"1000"}}) {
				if err != nil {
					return err
				}
				p.Items = append(p.Items, f)
			}
			return c.print(p, func(w io.Writer) { faultTable(w, p.Items) })
		},
	}
}

func faultTable(w io.Writer, list []api.RuleFault) {
	row(w, "WHERE", "KIND", "KEY", "WHY")
	for _, f := range list {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", safetext.TermN(fmt.Sprintf("%s:%d", f.File, f.Line), 160), safetext.Term(f.Kind), safetext.TermN(f.Field, 60), safetext.TermN(f.Why, 300))
	}
}

func (c *command) rulesSwitchCmd(on bool) *cobra.Command {
	var reason string
	cmd := &cobra.Command{
		Use: "disable ID...", Short: "Switch rules off; what they would have found is not raised.", Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			out := client.Page[rulebook.Info]{Items: []rulebook.Info{}}
			for _, id := range args {
				var r rulebook.Info
				in := map[string]any{"on": on, "reason": reason}
				if err := cl.Send(cmd.Context(), "/api/v1/rules/"+url.PathEscape(id)+"/switch", in, &r); err != nil {
					return fmt.Errorf("%s: %w", id, err)
				}
				out.Items = append(out.Items, r)
			}
			return c.print(out, func(w io.Writer) {
				row(w, "ID", "STATE", "TITLE")
				for _, r := range out.Items {
					row(w, r.ID, ruleState(&r), r.Title)
				}
			})
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`, for those who find it switched off")
	if on {
		cmd.Use, cmd.Short = "enable ID...", "Switch rules on again."
	}
	return cmd
}

func (c *command) rulesExplainCmd() *cobra.Command {
	return &cobra.Command{
		Use: "explain ID EVENT", Short: "Why a rule fires on a stored event, or how the rule sees it.", Args: cobra.ExactArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			var x api.Explained
			if err := c.get(cmd.Context(), "/rules/"+url.PathEscape(args[0])+"/explain", url.Values{"event": {args[1]}}, &x); err != nil {
				return err
			}
			return c.print(x, func(w io.Writer) {
				field(w, "rule", x.Rule)
				field(w, "event", x.Event)
				field(w, "fires", x.Fires)
				for _, why := range x.Reasons {
					field(w, "because", why)
				}
				for _, rec := range x.Records {
					showRecord(w, rec)
				}
				if len(x.Records) == 0 {
					fmt.Fprintln(w, "\nThe event is of no log source the rule is about.")
				}
			})
		},
	}
}
