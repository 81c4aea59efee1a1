package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide/internal/api"
	"honeyguide/internal/client"
	"honeyguide/internal/comply"
)

// complianceCmd is `honeyguide report compliance`.
func (c *command) complianceCmd() *cobra.Command {
	var framework, format, out, since string
	cmd := &cobra.Command{
		Use: "compliance", Short: "How this installation stands against NIST CSF, ISO 27001, SOC 2 and the GDPR.", Args: cobra.NoArgs,
		Long: `Measures this installation now and holds it against the controls of a framework:
met, partly, gap, not measured (nothing is claimed), or outside (the organisation's
own). Without --framework it shows how it stands against each.

With --format it makes a report: html, pdf, json, or oscal (assessment results of
NIST's OSCAL 1.1.3). Its SHA-256 and who made it are written to the audit log, so
that the file can be shown to be unchanged: honeyguide audit list --action export-compliance.`,
		Example: `  honeyguide report compliance
  honeyguide report compliance --framework nist-csf
  honeyguide report compliance --framework iso27001 --format pdf --out iso.pdf --since 90d`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			q := url.Values{}
			from, err := ago("--since", since, time.Now())
			if err != nil {
				return err
			}
			q.Set("since", from.UTC().Format(time.RFC3339Nano))
			switch {
			case framework == "" && (format != "" || out != ""):
				return usagef("which report? --framework is one of %s", strings.Join(comply.Names(), ", "))
			case framework != "" && !slices.Contains(comply.Names(), framework):
				return usagef("--framework %.40q: want one of %s", framework, strings.Join(comply.Names(), ", "))
			case framework == "":
				return c.complianceList(cmd, q)
			case format == "" && out == "":
				return c.complianceTable(cmd, framework, q)
			}
			if format == "" {
				format = formatOf(out)
			}
			if !slices.ContainsFunc(comply.Formats(), func(f comply.Format) bool { return f.Name == format }) {
				return usagef("--format %.40q: want html, pdf, json or oscal", format)
			}
			if out == "" && format == "pdf" && terminal(c.out) {
				return usagef("a PDF is nothing for a terminal: say where to with --out FILE")
			}
			q.Set("format", format)
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			r, err := cl.Open(cmd.Context(), "/api/v1/reports/compliance/"+framework+"?"+q.Encode())
			if err != nil {
				return err
			}
			defer r.Close()
			if out == "" {
				_, err = io.Copy(c.out, r)
				return err
			}
			doc, err := io.ReadAll(r)
			if err != nil {
				return fmt.Errorf("read the report: %w", err)
			}
			if err := writeWhole(out, doc); err != nil {
				return err
			}
			fmt.Fprintf(c.err, "%s: %d bytes, SHA-256 %s\n", out, len(doc), comply.Sum(doc))
			return nil
		},
	}
	cmd.Flags().StringVar(&framework, "framework", "", strings.Join(comply.Names(), ", ")+" (`name`)")
	cmd.Flags().StringVar(&format, "format", "", "make a report: html, pdf, json or oscal (`format`; default by the ending of --out)")
	cmd.Flags().StringVar(&out, "out", "", "`file` to write it to (default standard output)")
	cmd.Flags().StringVar(&since, "since", "90d", "begin of the period: a `time` or how long ago: 90d, 12h, 2026-03-01T00:00:00Z")
	return cmd
}

// formatOf guesses a format by the ending of a file.
func formatOf(file string) string {
	for _, f := range []struct{ ending, name string }{{".oscal.json", "oscal"}, {".json", "json"}, {".pdf", "pdf"}} {
		if strings.HasSuffix(file, f.ending) {
			return f.name
		}
	}
	return "html"
}

// writeWhole puts a file in place: whole, private, or not at all.
func writeWhole(name string, doc []byte) error {
	tmp, err := os.CreateTemp(filepath.Dir(name), ".report-")
	if err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	defer os.Remove(tmp.Name())
	_, err = tmp.Write(doc)
	if err = errors.Join(err, tmp.Sync(), tmp.Close()); err != nil {
		return fmt.Errorf("write %s: %w", name, err)
	}
	return os.Rename(tmp.Name(), name)
}

func (c *command) complianceList(cmd *cobra.Command, q url.Values) error {
	var p client.Page[api.ComplianceLine]
	if err := c.get(cmd.Context(), "/reports/compliance", q, &p); err != nil {
		return err
	}
	return c.print(p, func(w io.Writer) {
		row(w, "FRAMEWORK", "CONTROLS", "MET", "PARTLY", "GAP", "NOT MEASURED", "OUTSIDE", "NAME")
		for _, l := range p.Items {
			row(w, l.ID, l.Controls, l.Counts[comply.Met], l.Counts[comply.Partly], l.Counts[comply.Gap], l.Counts[comply.NotMeasured], l.Counts[comply.Outside], l.Name)
		}
	})
}

func (c *command) complianceTable(cmd *cobra.Command, framework string, q url.Values) error {
	var r comply.Assessment
	if err := c.get(cmd.Context(), "/reports/compliance/"+framework+"/controls", q, &r); err != nil {
		return err
	}
	return c.print(r, func(w io.Writer) {
		row(w, "CONTROL", "STATUS", "WHAT IT ASKS")
		for i := range r.Rows {
			x := &r.Rows[i]
			row(w, x.ID, string(x.Status), x.Title)
		}
		heading(w, "Gaps, the heaviest first")
		for _, m := range r.Gaps {
			row(w, string(m.Status), m.Weight, m.Title, strings.Join(m.Controls, " "))
			field(w, "", m.Says)
			if m.Mend != "" {
				field(w, "", "-> "+m.Mend)
			}
		}
		fmt.Fprintln(w)
		for _, s := range comply.Statuses() {
			row(w, string(s), fmt.Sprintf("%d of %d", r.Counts[s], r.Controls))
		}
	})
}
