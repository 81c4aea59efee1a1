package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/api"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

func (c *command) rulesBacktestCmd() *cobra.Command {
	var from, to string
	cmd := &cobra.Command{
		Use: "backtest FILE|ID", Short: "What a rule would have fired on in the stored events, before it is switched on.", Args: cobra.ExactArgs(1),
		Long: `Reads the event log from --from (a time, or a number of days such as 30d; 7d when
absent) and counts what the rules of a file, or one rule that is there, would
have fired on: events, sources, by day, with examples.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			in := map[string]any{}
			if text, err := os.ReadFile(args[0]); err == nil {
				in["text"] = string(text)
			} else if !errors.Is(err, fs.ErrNotExist) || rulebook.IsRule(args[0]) {
				return err
			} else {
				in["rule"] = args[0]
			}
			for key, text := range map[string]string{"from": from, "to": to} {
				at, err := pastTime(text, time.Now())
				if err != nil {
					return usagef("--%s: %v", key, err)
				}
				if !at.IsZero() {
					in[key] = at
				}
			}
			return c.backtest(cmd.Context(), in)
		},
	}
	cmd.Flags().StringVar(&from, "from", "7d", "not before this `time` (RFC 3339), or so many days ago; all = everything there is")
	cmd.Flags().StringVar(&to, "to", "", "before this `time`")
	return cmd
}

// pastTime reads a time, or so many days or hours before now.
func pastTime(text string, now time.Time) (time.Time, error) {
	if text == "" || text == "all" {
		return time.Time{}, nil
	}
	var n int
	if days, ok := strings.CutSuffix(text, "d"); ok {
		if _, err := fmt.Sscan(days, &n); err == nil && n > 0 && n < 36500 {
			return now.AddDate(0, 0, -n), nil
		}
	}
	if d, err := time.ParseDuration(text); err == nil && d > 0 {
		return now.Add(-d), nil
	}
	if at, err := time.Parse(time.DateOnly, text); err == nil {
		return at, nil
	}
	at, err := time.Parse(time.RFC3339, text)
	if err != nil {
		return at, fmt.Errorf("%q: want a time such as 2026-11-21T12:00:00Z, a day, 30d or 12h", text)
	}
	return at, nil
}

func (c *command) backtest(ctx context.Context, in map[string]any) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	res := rulebook.Result{Rules: []rulebook.RuleResult{}}
	for {
		var part api.Backtest
		if err := cl.Send(ctx, "/api/v1/rules/backtest", in, &part); err != nil {
			return err
		}
		res.Join(part.Result)
		if part.Next == 0 {
			for _, f := range part.Faults {
				fmt.Fprintf(c.err, "honeyguide: line %d: %s %s\n", f.Line, f.Field, f.Why)
			}
			break
		}
		fmt.Fprintf(c.err, "honeyguide: %d events read, up to %s\n", res.Events, res.To.Format(time.DateTime))
		in["after"] = part.Next
	}
	return c.print(res, func(w io.Writer) { showResult(w, &res) })
}

// showResult shows what rules did to events.
func showResult(w io.Writer, res *rulebook.Result) {
	fmt.Fprintf(w, "%d events read, %d records shown to the rules", res.Events, res.Records)
	if !res.From.IsZero() {
		fmt.Fprintf(w, ", from %s to %s", text(res.From), text(res.To))
	}
	fmt.Fprintln(w)
	slices.SortStableFunc(res.Rules, func(a, b rulebook.RuleResult) int { return int(b.Hits - a.Hits) })
	silent := 0
	for _, r := range res.Rules {
		if r.Hits == 0 {
			silent++
			continue
		}
		heading(w, fmt.Sprintf("%s: %d events of %d sources", r.ID, r.Hits, r.Sources))
		for _, day := range slices.Sorted(maps.Keys(r.Days)) {
			row(w, day, r.Days[day])
		}
		for _, x := range r.Examples {
			row(w, x.Time, x.Source, x.Text)
			for _, why := range x.Reasons {
				row(w, "", "", why)
			}
		}
	}
	if silent > 0 {
		fmt.Fprintf(w, "\n%d rules did not fire\n", silent)
	}
}

func (c *command) rulesImportCmd() *cobra.Command {
	var into string
	var statuses, levels []string
	var dry bool
	cmd := &cobra.Command{
		Use: "import FOLDER", Short: "Copy the rules of a folder, such as a checkout of the public ones, into your own.", Args: cobra.ExactArgs(1),
		Long: `Copies every file below FOLDER that holds a usable rule into the folder of your
own rules, unchanged: author, id, licence and references stay as they are. A
core that runs reads them within seconds. Files that cannot be used are listed
and left out.`,
		RunE: func(_ *cobra.Command, args []string) error {
			s, err := c.settings()
			if err != nil {
				return err
			}
			im := importing{from: args[0], to: filepath.Join(s.Detect.Rules, into), statuses: statuses, levels: levels, dry: dry}
			if err := im.run(); err != nil {
				return err
			}
			return c.print(im.result(), func(w io.Writer) { im.show(w) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&into, "into", "imported", "`name` of the folder to make below that of your rules")
	f.StringSliceVar(&statuses, "status", nil, "only rules of these `statuses`: stable, test, experimental")
	f.StringSliceVar(&levels, "level", nil, "only rules of these `levels`: low, medium, high, critical")
	f.BoolVar(&dry, "dry-run", false, "only say what would be copied")
	return cmd
}

// importing is one import at work.
type importing struct {
	from, to         string
	statuses, levels []string
	dry              bool

	files, copied, rules, left int
	faults                     []sigma.Fault
}

// imported is what came of it.
type imported struct {
	Files  int             `json:"files"`
	Copied int             `json:"copied"`
	Rules  int             `json:"rules"`
	Left   int             `json:"left" doc:"usable, but not of the statuses or levels asked for"`
	Into   string          `json:"into"`
	Faults []api.RuleFault `json:"faults"`
}

func (im *importing) run() error {
	return filepath.WalkDir(im.from, func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && strings.HasPrefix(d.Name(), ".") && name != im.from:
			return fs.SkipDir
		case !d.Type().IsRegular() || !rulebook.IsRule(name):
			return nil
		}
		return im.file(name)
	})
}

// file copies one file if it holds a rule that can be used and is wanted.
func (im *importing) file(name string) error {
	text, err := os.ReadFile(name)
	if err != nil {
		return err
	}
	im.files++
	set := &sigma.Ruleset{}
	set.Add(name, text, nil)
	usable := len(set.Rules) + len(set.Correlations) + len(set.Filters)
	for _, f := range set.Faults {
		// Placeholders get their values later; the rule waits for them.
		if f.Kind == sigma.FaultPlaceholder {
			usable++
		}
		if f.Kind != sigma.FaultWarning {
			im.faults = append(im.faults, f)
		}
	}
	if usable == 0 {
		return nil
	}
	if !im.wanted(set) {
		im.left++
		return nil
	}
	im.copied++
	im.rules += len(set.Rules) + len(set.Correlations)
	if im.dry {
		return nil
	}
	rel, err := filepath.Rel(im.from, name)
	if err != nil {
		return err
	}
	target := filepath.Join(im.to, rel)
	if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
		return err
	}
	return os.WriteFile(target, text, 0o600)
}

// wanted reports whether one of the file's rules is of the kind asked for.
func (im *importing) wanted(set *sigma.Ruleset) bool {
	ok := func(m *sigma.Meta) bool {
		return (len(im.statuses) == 0 || slices.Contains(im.statuses, m.Status)) && (len(im.levels) == 0 || slices.Contains(im.levels, m.Level.String()))
	}
	for _, r := range set.Rules {
		if ok(&r.Meta) {
			return true
		}
	}
	for _, r := range set.Correlations {
		if ok(&r.Meta) {
			return true
		}
	}
	return len(set.Rules)+len(set.Correlations) == 0
}

func (im *importing) result() imported {
	out := imported{Files: im.files, Copied: im.copied, Rules: im.rules, Left: im.left, Into: im.to, Faults: []api.RuleFault{}}
	for _, f := range im.faults {
		out.Faults = append(out.Faults, api.RuleFault{File: f.File, Line: f.Line, Rule: f.Rule, Kind: string(f.Kind), Field: f.Field, Why: f.Why})
	}
	return out
}

func (im *importing) show(w io.Writer) {
	r := im.result()
	if len(r.Faults) > 0 {
		faultTable(w, r.Faults)
	}
	did := "copied"
	if im.dry {
		did = "would be copied"
	}
	fmt.Fprintf(w, "%d of %d files %s to %s: %d rules; %d left out as not asked for\n", r.Copied, r.Files, did, r.Into, r.Rules, r.Left)
}
