package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/api"
	"honeyguide/internal/app"
	"honeyguide/internal/rulebook"
	"honeyguide/internal/sigma"
)

// readRules reads the rules of files and folders.
func readRules(paths []string) (*sigma.Ruleset, error) {
	set := &sigma.Ruleset{}
	for _, path := range paths {
		st, err := os.Stat(path)
		if err != nil {
			return nil, err
		}
		if st.IsDir() {
			rulebook.ReadFolder(set, os.DirFS(path), strings.TrimSuffix(path, "/")+"/", nil)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		set.Add(path, text, nil)
	}
	return set, nil
}

// A checked is what `rules check` says.
type checked struct {
	Rules        int             `json:"rules"`
	Correlations int             `json:"correlations"`
	Filters      int             `json:"filters"`
	Faults       []api.RuleFault `json:"faults"`
}

func (c *command) rulesCheckCmd() *cobra.Command {
	return &cobra.Command{
		Use: "check PATH...", Short: "Check files or folders of rules: every fault with file, line and what to write.", Args: cobra.MinimumNArgs(1),
		Long: `Reads rules as the core would and tells what is wrong with them. Nothing needs to
run, and nothing is changed. Exit status 3 when a rule cannot be used.`,
		RunE: func(_ *cobra.Command, args []string) error {
			set, err := readRules(args)
			if err != nil {
				return err
			}
			bench := rulebook.NewBench(set)
			out := checked{Rules: len(set.Rules), Correlations: len(set.Correlations), Filters: len(set.Filters), Faults: []api.RuleFault{}}
			bad := 0
			for _, f := range bench.Edition().Faults {
				out.Faults = append(out.Faults, api.RuleFault{File: f.File, Line: f.Line, Rule: f.Rule, Kind: string(f.Kind), Field: f.Field, Why: f.Why})
				if f.Kind != sigma.FaultWarning {
					bad++
				}
			}
			err = c.print(out, func(w io.Writer) {
				if len(out.Faults) > 0 {
					faultTable(w, out.Faults)
				}
				fmt.Fprintf(w, "%d rules, %d correlations, %d filters, %d faults\n", out.Rules, out.Correlations, out.Filters, len(out.Faults))
			})
			if err == nil && bad > 0 {
				return errPartly
			}
			return err
		},
	}
}

func (c *command) rulesTestCmd() *cobra.Command {
	var events string
	cmd := &cobra.Command{
		Use: "test PATH...", Short: "Try rules on the examples beside them, or on events of a file.", Args: cobra.MinimumNArgs(1),
		Long: `Tries each rule NAME.yml on the examples in NAME.test.yaml: it must fire on all
under match and on none under miss. With --events it is tried on the events of a
file instead: lines of 'honeyguide events list -o json', or any format
'honeyguide ingest' reads. Exit status 3 when an example fails.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if events != "" {
				return c.testOnEvents(cmd.Context(), args, events)
			}
			return c.testExamples(args)
		},
	}
	cmd.Flags().StringVar(&events, "events", "", "`file` of events to try the rules on; - is standard input")
	return cmd
}

// A tested is what became of one rule's examples.
type tested struct {
	Rule   string   `json:"rule"`
	File   string   `json:"file"`
	Tried  int      `json:"tried"`
	Failed []string `json:"failed"`
}

func (c *command) testExamples(paths []string) error {
	set, err := readRules(paths)
	if err != nil {
		return err
	}
	results, bad := []tested{}, 0
	for _, f := range set.Faults {
		if f.Kind != sigma.FaultWarning {
			results = append(results, tested{Rule: f.Rule, File: f.File, Failed: []string{fmt.Sprintf("line %d: %s %s", f.Line, f.Field, f.Why)}})
			bad++
		}
	}
	for _, r := range set.Rules {
		res, err := tryRule(r)
		if err != nil {
			return err
		}
		bad += len(res.Failed)
		results = append(results, res)
	}
	err = c.print(map[string]any{"items": results}, func(w io.Writer) {
		row(w, "RULE", "TRIED", "RESULT")
		for _, r := range results {
			row(w, r.Rule, r.Tried, passed(&r))
			for _, f := range r.Failed {
				row(w, "", "", f)
			}
		}
	})
	if err == nil && bad > 0 {
		return errPartly
	}
	return err
}

func passed(r *tested) string {
	switch {
	case len(r.Failed) > 0:
		return "failed"
	case r.Tried == 0:
		return "no examples"
	}
	return "ok"
}

// tryRule tries a rule on the examples beside its file.
func tryRule(r *sigma.Rule) (tested, error) {
	res := tested{Rule: r.Key(), File: r.File, Failed: []string{}}
	if r.Name != "" {
		res.Rule = r.Name
	}
	beside := strings.TrimSuffix(r.File, filepath.Ext(r.File)) + ".test.yaml"
	text, err := os.ReadFile(beside)
	if errors.Is(err, fs.ErrNotExist) {
		return res, nil
	}
	if err != nil {
		return res, err
	}
	x, err := rulebook.ReadExamples(beside, text)
	if err != nil {
		return res, usageError{err}
	}
	bench := rulebook.NewBench(&sigma.Ruleset{Rules: []*sigma.Rule{r}})
	for list, want := range map[*[]rulebook.Example]bool{&x.Match: true, &x.Miss: false} {
		for i := range *list {
			res.Tried++
			if why := bench.Try(r, &(*list)[i], want); why != "" {
				res.Failed = append(res.Failed, why)
			}
		}
	}
	slices.Sort(res.Failed)
	return res, nil
}

// testOnEvents tries rules on the events of a file.
func (c *command) testOnEvents(ctx context.Context, paths []string, file string) error {
	set, err := readRules(paths)
	if err != nil {
		return err
	}
	bench := rulebook.NewBench(set)
	for _, f := range bench.Edition().Faults {
		fmt.Fprintf(c.err, "honeyguide: %s:%d: %s\n", f.File, f.Line, f.Why)
	}
	in := c.in
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return err
		}
		defer f.Close()
		in = f
	}
	trial := rulebook.NewTrial(bench)
	if err := readEvents(ctx, in, filepath.Clean(file), trial.Add); err != nil {
		return err
	}
	res := trial.Result()
	return c.print(res, func(w io.Writer) { showResult(w, &res) })
}

// readEvents reads our own events as JSON, alone, in lines or in a page, or
// else records of any format ingest knows.
func readEvents(ctx context.Context, in io.Reader, name string, add func(*honeyguide.Event)) error {
	raw, err := io.ReadAll(io.LimitReader(in, 1<<30))
	if err != nil {
		return err
	}
	if own := ownEvents(raw); own != nil {
		for i := range own {
			add(&own[i])
		}
		return nil
	}
	return app.ReadRecords(ctx, bytes.NewReader(raw), name, func(list []honeyguide.Event) {
		for i := range list {
			add(&list[i])
		}
	})
}

// ownEvents reads events as the API writes them, nil when they are none.
func ownEvents(raw []byte) (out []honeyguide.Event) {
	dec := json.NewDecoder(bytes.NewReader(raw))
	for {
		var doc struct {
			honeyguide.Event
			Items []honeyguide.Event `json:"items"`
		}
		switch err := dec.Decode(&doc); {
		case errors.Is(err, io.EOF):
			return out
		case err != nil:
			return nil
		case doc.Activity != "":
			out = append(out, doc.Event)
		case len(doc.Items) > 0 && doc.Items[0].Activity != "":
			slices.Reverse(doc.Items) // lists are newest first
			out = append(out, doc.Items...)
		default:
			return nil
		}
	}
}

// showRecord shows an event as rules see it.
func showRecord(w io.Writer, rec map[string]string) {
	heading(w, "The event as "+rec["@sources"])
	for _, name := range slices.Sorted(maps.Keys(rec)) {
		if name != "@sources" {
			field(w, name, rec[name])
		}
	}
}
