package cli

import (
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/evidence"
	"honeyguide/internal/safetext"
)

// samplesCmd is `honeyguide samples list|show|export`.
func (c *command) samplesCmd() *cobra.Command {
	samples := listing[honeyguide.Sample]{
		name: "samples", alias: "sample", short: "What attackers brought or built: malware, scripts, keys.", path: "/samples",
		filters: map[string]string{"type": "first `word` of the type: elf, script, pe, archive, text", "session": "`id` of the session that brought it"},
		header:  []any{"SHA-256", "LAST", "TYPE", "SIZE", "SEEN", "RUN", "KEPT", "PATH"},
		row: func(s honeyguide.Sample) []any {
			return []any{s.ID[:min(16, len(s.ID))], s.LastAt, s.Type, s.Size, s.Count, s.Executed, s.Kept, last(s.Paths)}
		},
		show: showSample,
	}.command(c)
	samples.AddCommand(c.sampleExportCmd())
	return samples
}

func last(list []string) string {
	if len(list) == 0 {
		return ""
	}
	return list[len(list)-1]
}

func showSample(w io.Writer, s honeyguide.Sample, more lookup) {
	field(w, "sample", s.ID)
	field(w, "type", s.Type)
	field(w, "size", s.Size)
	field(w, "kept", s.Kept)
	field(w, "first", s.FirstAt)
	field(w, "last", s.LastAt)
	field(w, "seen", s.Count)
	field(w, "run", s.Executed)
	field(w, "sources", strings.Join(s.Sources, ", "))
	field(w, "content", "honeyguide samples export "+s.ID[:min(16, len(s.ID))]+" -O FILE.sample")
	observables(w, "What stands in it", s.Indicators)
	var seen client.Page[honeyguide.Sighting]
	if err := more("/samples/"+url.PathEscape(s.ID)+"/sightings", nil, &seen); err != nil {
		field(w, "sightings", err.Error())
	}
	heading(w, fmt.Sprintf("Brought (%d)", s.Count))
	for _, x := range seen.Items {
		row(w, x.Time, address(x.Src), x.Session, x.Tool, x.Path)
	}
}

// observables shows values worth pivoting on.
func observables(w io.Writer, title string, list []honeyguide.Observable) {
	if len(list) == 0 {
		return
	}
	heading(w, title)
	for _, o := range list {
		row(w, o.Type, safetext.TermN(o.Value, 160), o.Name)
	}
}

// showTyping adds how a session's input came.
func showTyping(w io.Writer, id string, more lookup) {
	var t evidence.Typing
	if err := more("/sessions/"+url.PathEscape(id)+"/typing", nil, &t); err != nil || t.Reads == 0 {
		return
	}
	heading(w, "Typing: "+t.Verdict)
	field(w, "because", t.Reason)
	field(w, "keys", fmt.Sprintf("%d in %d pieces, %.0f ms apart (median)", t.Keys, t.Reads, t.MedianGap))
	field(w, "enter", fmt.Sprintf("%d LF, %d CR", t.LF, t.CR))
	field(w, "editing", fmt.Sprintf("%d keys, %d bracketed pastes", t.Edits, t.Pastes))
}

// showBrought adds the samples of a session.
func showBrought(w io.Writer, s honeyguide.Session, more lookup) {
	if len(s.Samples) == 0 {
		return
	}
	var p client.Page[honeyguide.Sample]
	if err := more("/samples", url.Values{"session": {s.ID}}, &p); err != nil {
		field(w, "samples", err.Error())
	}
	heading(w, fmt.Sprintf("Brought (%d)", len(s.Samples)))
	for _, x := range p.Items {
		row(w, x.ID[:min(16, len(x.ID))], x.Type, x.Size, x.Kept, last(x.Paths))
	}
}

func (c *command) sampleExportCmd() *cobra.Command {
	var file string
	export := &cobra.Command{
		Use: "export ID", Short: "Decrypt a sample into a file. It is malware.", Args: cobra.ExactArgs(1),
		Long: `Writes the content of a sample to a file that nobody may change or run (mode
0400). The name must end in .sample, so that nothing takes it for what it is.
Open it only where malware may be opened.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if !strings.HasSuffix(file, ".sample") {
				return usagef("name the file to make with -O NAME.sample; the ending keeps it from being run or opened by mistake")
			}
			return c.exportSample(cmd, args[0], file)
		},
	}
	export.Flags().StringVarP(&file, "out", "O", "", "`name` of the file to make, ending in .sample")
	return export
}

func (c *command) exportSample(cmd *cobra.Command, id, file string) error {
	cl, done, err := c.client(cmd.Context())
	if err != nil {
		return err
	}
	defer done()
	body, err := cl.Sample(cmd.Context(), id)
	if err != nil {
		return err
	}
	defer body.Close()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o400)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	fmt.Fprintln(c.err, "wrote", file+": this is malware; do not run it, and keep it off machines that matter")
	return nil
}
