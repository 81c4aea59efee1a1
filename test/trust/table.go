package main

import (
	"encoding/json"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
	"unicode"
)

// A report is a whole run.
type report struct {
	Began   time.Time `json:"began"`
	Seconds float64   `json:"seconds"`
	Long    bool      `json:"long"`
	Version string    `json:"version"`
	Commit  string    `json:"commit"`
	Machine machine   `json:"machine"`
	Rows    []result  `json:"rows"`
}

func newReport(root string, long bool) *report {
	return &report{Began: time.Now(), Long: long, Version: versionOf(root), Commit: commitOf(root), Machine: thisMachine()}
}

// save writes the report as JSON.
func (r *report) save(path string) error {
	raw, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return fmt.Errorf("write the table: %w", err)
	}
	return os.WriteFile(path, append(raw, '\n'), 0o644)
}

// status is the exit status of a run.
func (r *report) status(ci bool) int {
	s := kept
	for _, x := range r.Rows {
		switch {
		case x.Verdict == verdictKept:
		case x.Verdict == verdictNotRun && !ci:
			s = max(s, untried)
		default:
			return missed
		}
	}
	return s
}

// print writes the table for people.
func (r *report) print(w io.Writer) {
	size := "short sizes; LONG=1 runs those the promises name"
	if r.Long {
		size = "the sizes the promises name"
	}
	m := r.Machine
	fmt.Fprintf(w, "\nHoneyguide %s, commit %s, %s\n", r.Version, r.Commit, size)
	fmt.Fprintf(w, "%s, %d processors (%s), %d MiB, %s, Linux %s, %s, load before %.2f\n\n",
		m.Name, m.Processors, m.Processor, m.MemoryMiB, m.System, m.Kernel, m.Go, m.Load)
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "PROMISE\tTARGET\tFIGURE\tVERDICT\tSECONDS\t")
	anyBusy, counts := false, map[string]int{}
	for _, x := range r.Rows {
		mark := ""
		if x.Busy {
			mark, anyBusy = fmt.Sprintf("busy machine (%.0f %%)", 100*x.Foreign), true
		}
		counts[x.Verdict]++
		fmt.Fprintf(t, "%s\t%s\t%s\t%s\t%.1f\t%s\n", x.Name, x.Target, x.figure(), x.Verdict, x.Seconds, mark)
	}
	_ = t.Flush()
	fmt.Fprintln(w)
	for _, x := range r.Rows {
		if x.Verdict != verdictKept {
			fmt.Fprintf(w, "%s: %s. %s %s\n", x.Name, x.Verdict, x.Promise, x.Why)
		}
	}
	if anyBusy {
		fmt.Fprintln(w, "Busy machine: others used that much of its processors meanwhile; figures of time are worse than they would be alone.")
	}
	fmt.Fprintf(w, "%d promises: %d kept, %d missed, %d without a figure, %d not run; %s in all.\n", len(r.Rows),
		counts[verdictKept], counts[verdictMissed], counts[verdictBlind], counts[verdictNotRun], time.Duration(r.Seconds*float64(time.Second)).Round(time.Second))
}

// figure writes what was measured.
func (x result) figure() string {
	if x.Figure == nil {
		return "none"
	}
	s := trim(*x.Figure)
	switch {
	case x.Of > 0 && slices.Contains(measures, x.Unit):
		return s + " " + x.Unit + " (" + trim(x.Of) + " tries)"
	case x.Of > 0:
		s += " of " + trim(x.Of)
	}
	return strings.TrimSpace(s + " " + x.Unit)
}

// measures are units of what is no count of things that were tried.
var measures = []string{"percent", "ms", "s", "MiB/h", "bytes/byte"}

// printable makes one short line of a text of others, without anything that
// steers a terminal.
func printable(s string) string {
	s = strings.Map(func(r rune) rune {
		if unicode.IsPrint(r) {
			return r
		}
		return ' '
	}, strings.ToValidUTF8(s, "?"))
	if r := []rune(s); len(r) > 240 {
		s = string(r[:240]) + "..."
	}
	return strings.TrimSpace(s)
}
