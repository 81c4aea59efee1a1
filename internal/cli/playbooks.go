package cli

import (
	"context"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/app"
	"honeyguide/internal/client"
	"honeyguide/internal/playbook"
	"honeyguide/internal/safetext"
	"honeyguide/internal/state"
)

// playbooksCmd is `honeyguide playbooks list|show|check|test|run`.
func (c *command) playbooksCmd() *cobra.Command {
	root := group("playbooks", "Playbooks: what is in force, what is wrong, what they would have done.")
	root.Aliases = []string{"playbook"}
	start := c.startCmd() // the same as runs start
	start.Use, start.Short = "run ID", "Start a playbook by hand."
	root.AddCommand(c.playbooksListCmd(), c.playbooksShowCmd(), c.playbooksCheckCmd(), c.playbooksTestCmd(), start)
	return root
}

// A playbookList is the playbooks and what is wrong in their files.
type playbookList struct {
	Items  []api.Playbook   `json:"items"`
	Faults []playbook.Fault `json:"faults"`
}

func (c *command) playbooksListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list", Short: "List playbooks by id, and the faults of their files.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			out := playbookList{Items: []api.Playbook{}, Faults: []playbook.Fault{}}
			for p, err := range client.All[api.Playbook](cmd.Context(), cl, "/api/v1/playbooks", url.Values{"limit": {"1000"}}) {
				if err != nil {
					return err
				}
				out.Items = append(out.Items, p)
			}
			for f, err := range client.All[playbook.Fault](cmd.Context(), cl, "/api/v1/playbooks/faults", url.Values{"limit": {"1000"}}) {
				if err != nil {
					return err
				}
				out.Faults = append(out.Faults, f)
			}
			return c.print(out, func(w io.Writer) { listPlaybooks(w, &out) })
		},
	}
}

func listPlaybooks(w io.Writer, out *playbookList) {
	row(w, "ID", "STATE", "MODE", "TRIGGER", "RUNS", "OPEN", "VERSION", "ORIGIN", "TITLE")
	for i := range out.Items {
		p := &out.Items[i]
		row(w, p.ID, playbookState(p), bookMode(p.Mode), trigger(p), p.Runs, p.OpenRuns, p.Version, p.Origin, p.Title)
	}
	if len(out.Faults) > 0 {
		heading(w, "Faults")
		for _, f := range out.Faults {
			fmt.Fprintln(w, safetext.TermN(f.String(), 400))
		}
	}
}

func playbookState(p *api.Playbook) string {
	switch {
	case p.Disabled:
		return "disabled"
	case p.Outdated:
		return "outdated"
	}
	return "on"
}

func bookMode(m honeyguide.Mode) string {
	if m == "" {
		return "as configured"
	}
	return string(m)
}

func trigger(p *api.Playbook) string {
	if p.Schedule != "" {
		return p.Schedule
	}
	return p.Trigger
}

func (c *command) playbooksShowCmd() *cobra.Command {
	var version string
	cmd := &cobra.Command{
		Use: "show ID", Short: "Show one playbook with its text, as it is or as it was.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{}
			if version != "" {
				q.Set("version", version)
			}
			var p api.PlaybookText
			if err := c.get(cmd.Context(), "/playbooks/"+url.PathEscape(args[0]), q, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) { showPlaybook(w, &p) })
		},
	}
	cmd.Flags().StringVar(&version, "version", "", "the text it had in this `version`, or the beginning of one")
	return cmd
}

func showPlaybook(w io.Writer, p *api.PlaybookText) {
	field(w, "playbook", p.ID+"  "+p.Title)
	field(w, "what for", p.Description)
	field(w, "state", playbookState(&p.Playbook))
	field(w, "mode", bookMode(p.Mode))
	field(w, "trigger", trigger(&p.Playbook))
	field(w, "next", p.NextAt)
	field(w, "when", p.When)
	field(w, "runs", fmt.Sprintf("%d, %d under way", p.Runs, p.OpenRuns))
	field(w, "file", p.File+" ("+p.Origin+")")
	for _, in := range p.Inputs {
		field(w, "input "+in.Name, strings.TrimSpace(in.Type+" "+in.Title+" "+in.Default))
	}
	heading(w, "Versions, newest first")
	for i := range p.Versions {
		v := &p.Versions[i]
		mark := " "
		if v.Version == p.Version {
			mark = "*"
		}
		row(w, mark, v.Version, v.LoadedAt, v.Origin, v.Title)
	}
	heading(w, "Text")
	for line := range strings.Lines(p.Text) {
		fmt.Fprintln(w, safetext.TermN(strings.TrimRight(line, "\r\n"), 400))
	}
}

func (c *command) playbooksCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use: "check PATH...", Short: "Check files or folders of playbooks: every fault with file, line and what to write.", Args: cobra.MinimumNArgs(1),
		Long: `Reads playbooks as the core would, with the actions that are configured, and tells
all that is wrong with them at once. Nothing needs to run, and nothing is changed.
Exit status 2 when there is a fault.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			books, faults, err := readPlaybooks(args)
			if err != nil {
				return err
			}
			actions := app.KnownActions(cmd.Context(), s)
			for _, b := range books {
				faults = append(faults, playbook.CheckActions(b, actions)...)
			}
			if len(faults) == 0 {
				faults = []playbook.Fault{}
			}
			if err := c.print(map[string]any{"playbooks": len(books), "faults": faults}, func(w io.Writer) {
				fmt.Fprintf(w, "%d playbooks, %d faults\n", len(books), len(faults))
			}); err != nil || len(faults) == 0 {
				return err
			}
			lines := make([]string, len(faults))
			for i, f := range faults {
				lines[i] = f.String()
			}
			return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: strings.Join(lines, "\n")}
		},
	}
}

// readPlaybooks reads files and folders.
func readPlaybooks(paths []string) (books []*playbook.Playbook, faults []playbook.Fault, err error) {
	for _, path := range paths {
		st, err := os.Stat(path)
		if err != nil {
			return nil, nil, fmt.Errorf("read playbooks: %w", err)
		}
		if st.IsDir() {
			list, bad, err := playbook.LoadFolder(path)
			if err != nil {
				return nil, nil, err
			}
			books, faults = append(books, list...), append(faults, bad...)
			continue
		}
		b, bad, err := playbook.LoadFile(path)
		if err != nil {
			return nil, nil, err
		}
		if faults = append(faults, bad...); b != nil {
			books = append(books, b)
		}
	}
	return books, faults, nil
}

func (c *command) playbooksTestCmd() *cobra.Command {
	var since string
	cmd := &cobra.Command{
		Use: "test [ID|FILE]", Short: "What playbooks would have done to the stored incidents.", Args: cobra.MaximumNArgs(1),
		Long: `Replays the incidents of the past through a playbook of a file, one that is in
force, or all of them: how often it would have run, which steps would have done
what to whom, what the guard would have refused and who would have been asked.
Nothing is changed.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{}
			from, err := pastTime(since, time.Now())
			if err != nil {
				return usagef("--since: %v", err)
			}
			if !from.IsZero() {
				in["from"] = from
			}
			if len(args) == 1 {
				if err := named(in, args[0]); err != nil {
					return err
				}
			}
			return c.testPlaybooks(cmd.Context(), in)
		},
	}
	cmd.Flags().StringVar(&since, "since", "30d", "incidents opened since this `time` (RFC 3339), or so many days ago")
	return cmd
}

// named says which playbook is meant: a file, or an id.
func named(in map[string]any, arg string) error {
	if ext := filepath.Ext(arg); ext != ".yaml" && ext != ".yml" {
		in["playbook"] = arg
		return nil
	}
	b, faults, err := playbook.LoadFile(arg)
	if err != nil {
		return err
	}
	if b == nil {
		lines := make([]string, len(faults))
		for i, f := range faults {
			lines[i] = f.String()
		}
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: strings.Join(lines, "\n")}
	}
	in["text"], in["file"] = b.Text, state.Clip(arg, 256)
	return nil
}

func (c *command) testPlaybooks(ctx context.Context, in map[string]any) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	var res playbook.TrialResult
	if err := cl.Send(ctx, "/api/v1/playbooks/test", in, &res); err != nil {
		return err
	}
	return c.print(res, func(w io.Writer) { showTrial(w, &res) })
}

// showTrial shows what playbooks would have done.
func showTrial(w io.Writer, res *playbook.TrialResult) {
	fmt.Fprintf(w, "%d incidents with %d alerts, from %s to %s\n", res.Incidents, res.Alerts, text(res.From), text(res.To))
	if res.Cut {
		fmt.Fprintln(w, "there are older incidents in the span; they were not looked at")
	}
	for i := range res.Playbooks {
		p := &res.Playbooks[i]
		if p.Note != "" {
			heading(w, safetext.TermN(p.Playbook+": "+p.Note, 200))
			continue
		}
		heading(w, safetext.TermN(fmt.Sprintf("%s: %d runs for %d incidents, %.2f a day", p.Playbook, p.Runs, p.Incidents, p.PerDay), 200))
		for why, n := range p.Faults {
			row(w, " ", "condition failed", n, why)
		}
		if p.Runs == 0 {
			continue
		}
		row(w, "STEP", "ACTION", "ACTS", "TARGETS", "REFUSED", "FAILED", "SKIPPED", "ASKED FIRST")
		for _, s := range p.Steps {
			row(w, s.Step, s.Action, s.Acts, s.Targets, s.Refused, s.Failed, s.Skipped, s.Approval)
		}
		for _, e := range p.Examples {
			row(w, " ", e.Incident, e.At, e.Step, e.State, e.Target, e.Reason+e.Effect)
		}
	}
}
