// Command trust runs the proof of every promise the product makes and prints one
// table: what was promised, the figure measured here, and whether it was kept.
//
//	trust            short sizes, about nine minutes on two slow cores
//	trust -long      the sizes the promises name
//	trust -rows RE   the rows whose names match alone
//	trust -breaks    break the product on purpose, row by row, and see that each row says so
//
// It ends with 0 when every promise was kept, with 1 when one was not (or its
// proof gave no figure), with 2 when one could not be tried here; where CI=true
// nothing may be left untried, so that is 1 as well.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"syscall"
	"time"
)

func main() { os.Exit(trust(os.Args[1:], os.Stdout, os.Stderr)) }

// Exit statuses.
const (
	kept    = 0
	missed  = 1
	untried = 2
)

// options are what the command line says.
type options struct {
	root     string // of the repository
	out      string // folder of the logs
	rows     *regexp.Regexp
	long     bool
	breaks   bool
	progress string // auto, lines or none
	ci       bool
}

func parse(args []string, errs io.Writer) (options, error) {
	o := options{ci: os.Getenv("CI") == "true"}
	f := flag.NewFlagSet("trust", flag.ContinueOnError)
	f.SetOutput(errs)
	pattern := f.String("rows", ".", "run the rows whose names match this `expression` alone")
	f.StringVar(&o.out, "out", "", "`folder` for the logs and trust.json (default tmp/trust/TIME in the repository)")
	f.StringVar(&o.progress, "progress", "auto", "`how` to show what runs: auto (a line that changes on a terminal, lines in a file), lines, none")
	f.BoolVar(&o.long, "long", false, "the sizes the promises name, not the short ones")
	f.BoolVar(&o.breaks, "breaks", false, "apply the break of each row and see that the row then fails")
	if err := f.Parse(args); err != nil {
		return o, err
	}
	var err error
	if o.rows, err = regexp.Compile(*pattern); err != nil {
		return o, fmt.Errorf("read -rows: %w", err)
	}
	if f.NArg() > 0 || o.progress != "auto" && o.progress != "lines" && o.progress != "none" {
		return o, fmt.Errorf("there is nothing like %q; see trust -help", args)
	}
	if o.root, err = repository(); err != nil {
		return o, err
	}
	if o.out == "" {
		o.out = filepath.Join(o.root, "tmp", "trust", time.Now().Format("20060102-150405"))
	}
	o.out, err = filepath.Abs(o.out)
	return o, err
}

// repository finds the folder of go.mod above the working folder.
func repository() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", fmt.Errorf("find the repository: %w", err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			if _, err := os.Stat(filepath.Join(dir, "test", "trust")); err == nil {
				return dir, nil
			}
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", errors.New("this is no folder of the repository: run make trust there")
		}
		dir = up
	}
}

func trust(args []string, out, errs io.Writer) int {
	o, err := parse(args, errs)
	if errors.Is(err, flag.ErrHelp) {
		return kept
	}
	if err != nil {
		fmt.Fprintln(errs, "trust:", err)
		return untried
	}
	if err := os.MkdirAll(o.out, 0o755); err != nil {
		fmt.Fprintln(errs, "trust: make the folder of the logs:", err)
		return untried
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	var chosen []row
	for _, r := range rows {
		if o.rows.MatchString(r.Name) {
			chosen = append(chosen, r)
		}
	}
	if len(chosen) == 0 {
		fmt.Fprintln(errs, "trust: no row has such a name")
		return untried
	}
	screen := newScreen(out, o.progress)
	if o.breaks {
		return runBreaks(ctx, o, chosen, screen, out)
	}
	report := newReport(o.root, o.long)
	for i, r := range chosen {
		report.Rows = append(report.Rows, prove(ctx, o, r, screen.at(i, len(chosen))))
	}
	report.Seconds = time.Since(report.Began).Seconds()
	if err := report.save(filepath.Join(o.out, "trust.json")); err != nil {
		fmt.Fprintln(errs, "trust:", err)
	}
	report.print(out)
	fmt.Fprintln(out, "What each row printed, and this table as JSON:", o.out)
	return report.status(o.ci)
}
