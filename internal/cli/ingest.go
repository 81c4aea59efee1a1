package cli

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
	"honeyguide/internal/supervise"
)

func (c *command) ingestCmd() *cobra.Command {
	var in ingestFlags
	cmd := &cobra.Command{
		Use:   "ingest FILE...|-",
		Short: "Take in alerts of other products once, and say what came of them.",
		Long: `Reads the alerts and logs of other products (docs/reference/ingest.md lists
them), and JSON, NDJSON or CSV of usual alerts, plain or gzip; - is standard
input. The format is found out for each file unless --format says it. --preview
shows what the first records would become and stores nothing. Records that cannot be understood are listed as
dead letters with file, line and reason, and make exit status 3; the rest is
processed. A record that is among the newest 131,072 events is recognised and
not stored again.`,
		Args: cobra.MinimumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error { return c.ingest(cmd.Context(), args, in) },
	}
	f := cmd.Flags()
	f.StringVar(&in.format, "format", "auto", "auto, json, csv, or a product: suricata, wazuh, windows, syslog, ...")
	f.StringVar(&in.zone, "zone", "", "time zone of times that name none, such as Europe/Berlin or +02:00 (default UTC)")
	f.StringVar(&in.mapping, "mapping", "", "file that says what fields are called in your own JSON or CSV")
	f.IntVar(&in.preview, "preview", 0, "show what the first records would become (1 to 100) and store nothing")
	f.Lookup("preview").NoOptDefVal = "5"
	return cmd
}

// ingestFlags are what the command is told beside files.
type ingestFlags struct {
	format, zone, mapping string
	preview               int
}

func (c *command) ingest(ctx context.Context, files []string, in ingestFlags) error {
	if in.mapping != "" {
		text, err := os.ReadFile(in.mapping)
		if err != nil {
			return err
		}
		in.mapping = string(text)
	}
	if _, err := c.format(); err != nil {
		return err
	}
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	var results []client.IngestResult
	rejected := int64(0)
	for _, file := range files {
		res, err := c.ingestOne(ctx, cl, file, in)
		if err != nil {
			return fmt.Errorf("%s: %w", file, err)
		}
		rejected += res.Rejected
		results = append(results, res)
	}
	err = c.print(map[string]any{"items": results}, func(w io.Writer) {
		if in.preview > 0 {
			previewTable(w, results)
			return
		}
		row(w, "FILE", "FORMAT", "RECORDS", "EVENTS", "REJECTED", "ALERTS", "INCIDENTS", "BLOCKS PLANNED")
		for _, r := range results {
			row(w, r.Name, r.Format, r.Records, r.Events, r.Rejected, r.Alerts, r.Incidents, r.Blocks)
		}
		for _, r := range results {
			for _, d := range r.DeadLetters {
				row(w, "rejected", fmt.Sprintf("%s:%d", d.Source, d.Line), d.Reason)
			}
		}
	})
	if in.preview > 0 {
		return err
	}
	if err == nil && rejected > 0 {
		fmt.Fprintf(c.err, "honeyguide: %d records were refused; see 'honeyguide dead-letters list'\n", rejected)
		return errPartly
	}
	return err
}

func (c *command) ingestOne(ctx context.Context, cl *client.Client, file string, opts ingestFlags) (client.IngestResult, error) {
	in, size, name := c.in, int64(0), "stdin"
	if file != "-" {
		f, err := os.Open(file)
		if err != nil {
			return client.IngestResult{}, err
		}
		defer f.Close()
		st, err := f.Stat()
		if err != nil {
			return client.IngestResult{}, err
		}
		if st.IsDir() {
			return client.IngestResult{}, usagef("is a folder; name its files")
		}
		in, size, name = f, st.Size(), filepath.Clean(file)
	}
	bar := &progress{to: c.err, name: safetext.Term(filepath.Base(name)), size: size, began: time.Now()}
	if terminal(c.err) {
		stop := bar.start(ctx)
		defer stop()
	}
	req := client.IngestRequest{
		Name: name, Format: opts.format, Zone: opts.zone, Mapping: opts.mapping, Body: in, Wait: true, Progress: bar.read.Store,
	}
	if opts.preview > 0 {
		head, err := beginning(in)
		if err != nil {
			return client.IngestResult{}, fmt.Errorf("read the beginning: %w", err)
		}
		req.Body, req.Preview, req.Wait = bytes.NewReader(head), opts.preview, false
	}
	return cl.Ingest(ctx, req)
}

// progress draws one line on a terminal, four times a second.
type progress struct {
	to    io.Writer
	name  string
	size  int64 // 0 = unknown
	read  atomic.Int64
	began time.Time
}

func (p *progress) start(ctx context.Context) (stop func()) {
	ctx, cancel := context.WithCancel(ctx)
	g := supervise.New(nil)
	g.Go(ctx, "progress", func(ctx context.Context) error {
		tick := time.NewTicker(250 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-ctx.Done():
				fmt.Fprint(p.to, "\r\x1b[K")
				return nil
			case <-tick.C:
				fmt.Fprint(p.to, "\r\x1b[K"+p.line())
			}
		}
	})
	return func() { cancel(); _ = g.Wait() }
}

// line is the bar and the rate, without a line break.
func (p *progress) line() string {
	n := p.read.Load()
	mib := float64(n) / (1 << 20)
	rate := mib / max(time.Since(p.began).Seconds(), 0.001)
	if p.size <= 0 {
		return fmt.Sprintf("%s  %.1f MiB  %.1f MiB/s", p.name, mib, rate)
	}
	const width = 30
	full := int(min(n*width/p.size, width))
	return fmt.Sprintf("%s  [%s%s] %3d%%  %.1f MiB/s", p.name, strings.Repeat("=", full), strings.Repeat(" ", width-full), min(100*n/p.size, 100), rate)
}
