package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/bundle"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// evidenceCmd is `honeyguide evidence list|show|export|verify|import|view`.
func (c *command) evidenceCmd() *cobra.Command {
	root := listing[honeyguide.Bundle]{
		name: "evidence", alias: "bundles", short: "Archives of evidence: what is known of an incident, sealed, to be checked anywhere.", path: "/evidence",
		filters: map[string]string{"incident": "only those of this `incident`, by its short form", "imported": "`true`: only those from other deployments"},
		header:  []any{"ID", "INCIDENT", "STATE", "MADE", "BY", "OBJECTS", "BYTES", "FROM", "MANIFEST"},
		row: func(b honeyguide.Bundle) []any {
			return []any{b.Short, b.Incident, string(b.State), b.At, b.By, b.Objects, b.Size, origins(&b), b.Manifest[:min(16, len(b.Manifest))]}
		},
		show: showBundle,
	}.command(c)
	root.AddCommand(c.evidenceExportCmd(), c.evidenceVerifyCmd(), c.evidenceImportCmd(), c.evidenceViewCmd())
	return root
}

func origins(b *honeyguide.Bundle) string {
	if b.Imported {
		return b.Node
	}
	return "here"
}

func showBundle(w io.Writer, b honeyguide.Bundle, more lookup) {
	field(w, "evidence", b.Short)
	field(w, "incident", b.Incident+": "+b.Title)
	field(w, "from", origins(&b))
	field(w, "state", string(b.State))
	field(w, "error", b.Error)
	field(w, "made", text(b.At)+" by "+b.By)
	field(w, "reason", b.Reason)
	field(w, "manifest", b.Manifest)
	field(w, "archive", fmt.Sprintf("%d bytes, %d objects, SHA-256 %s", b.Size, b.Objects, b.SHA256))
	field(w, "audit entry", fmt.Sprint(b.Audit))
	field(w, "samples for", strings.Join(b.Recipients, ", "))
	var p client.Page[honeyguide.CustodyStep]
	if err := more("/evidence/"+url.PathEscape(b.ID)+"/custody", nil, &p); err != nil {
		field(w, "custody", err.Error())
	}
	heading(w, "Chain of custody")
	for _, s := range p.Items {
		row(w, fmt.Sprint(s.N), s.At, s.Act, s.By, s.Reason, s.Detail)
	}
}

// An exporting says where evidence goes.
type exporting struct {
	out, reason string
	to          []string
	password    bool
}

func (c *command) evidenceExportCmd() *cobra.Command {
	var e exporting
	cmd := &cobra.Command{
		Use: "export INCIDENT", Short: "Collect all that is known of an incident into one sealed archive, and write it to a file.", Args: cobra.ExactArgs(1),
		Long: `Collects the sessions, recordings, samples, events, alerts, timeline, runs and
blocks of an incident, and how this deployment stood, into one archive. The hash
of its manifest is in the audit log before the archive is handed out; the archive
carries the proof. honeyguide evidence verify checks it on any machine.

E-3 instead of an incident writes an archive that is there already. Samples are
encrypted: to the recipients named with --to, else as this deployment keeps them.
--password wraps the archive in a ZIP behind a new password, which is shown once.`,
		Example: "  honeyguide evidence export I-7 --out I-7.zip --reason \"order 12 Js 34/26\" --to age1...",
		RunE: func(cmd *cobra.Command, args []string) error {
			return c.exportEvidence(cmd.Context(), args[0], e)
		},
	}
	cmd.Flags().StringVar(&e.out, "out", "", "`file` to make; INCIDENT-E-n.zip in this folder unless it is named")
	cmd.Flags().StringVar(&e.reason, "reason", "", "why it is collected and handed out (`text`)")
	cmd.Flags().StringArrayVar(&e.to, "to", nil, "age `recipient` the samples are encrypted to; may be given several times")
	cmd.Flags().BoolVar(&e.password, "password", false, "wrap it in a ZIP (AES-256) behind a new password, shown once")
	return cmd
}

func (c *command) exportEvidence(ctx context.Context, id string, e exporting) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	var b honeyguide.Bundle
	if strings.HasPrefix(strings.ToUpper(id), "E-") {
		err = cl.Get(ctx, "/api/v1/evidence/"+url.PathEscape(id), nil, &b)
	} else {
		b, err = c.collected(ctx, cl, id, e)
	}
	if err != nil {
		return err
	}
	if b.State != honeyguide.BundleReady {
		return errors.New("the evidence could not be collected: " + b.Error)
	}
	if e.out == "" {
		e.out = b.Incident + "-" + b.Short + ".zip"
	}
	var body io.ReadCloser
	var password honeyguide.Secret
	if e.password {
		body, password, err = cl.HandOver(ctx, b.ID, e.reason)
	} else {
		body, err = cl.Open(ctx, "/api/v1/evidence/"+url.PathEscape(b.ID)+"/content?"+url.Values{"reason": {e.reason}}.Encode())
	}
	if err != nil {
		return err
	}
	if err := errors.Join(saved(e.out, body), body.Close()); err != nil {
		return err
	}
	if e.password {
		fmt.Fprintf(c.err, "password, shown once and kept nowhere: %s\n", password.Reveal())
	}
	return c.print(b, func(w io.Writer) {
		field(w, "wrote", e.out)
		field(w, "evidence", b.Short+" of "+b.Incident)
		field(w, "manifest", b.Manifest)
		field(w, "audit entry", fmt.Sprint(b.Audit))
	})
}

// saved writes a new file whole or not at all.
func saved(name string, body io.Reader) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(f, body)
	if err = errors.Join(err, f.Sync(), f.Close()); err != nil {
		return errors.Join(err, os.Remove(name))
	}
	return nil
}

// askAgain is how often a bundle that is made is asked after.
const askAgain = 500 * time.Millisecond

// collected orders a bundle and waits until it is made.
func (c *command) collected(ctx context.Context, cl *client.Client, id string, e exporting) (b honeyguide.Bundle, err error) {
	in := client.EvidenceOrder{Reason: e.reason, Recipients: e.to, WaitMS: 10_000}
	if err := cl.Post(ctx, "/api/v1/incidents/"+url.PathEscape(id)+"/evidence", in, &b); err != nil {
		return b, err
	}
	for b.State == honeyguide.BundleCollecting {
		fmt.Fprintf(c.err, "collecting %s: %d MiB so far\n", b.Short, b.Done>>20)
		select {
		case <-ctx.Done():
			return b, ctx.Err()
		case <-time.After(askAgain):
		}
		if err := cl.Get(ctx, "/api/v1/evidence/"+url.PathEscape(b.ID), nil, &b); err != nil {
			return b, err
		}
	}
	return b, nil
}

// errAltered ends a verification that found something.
var errAltered = errors.New("the evidence is not what was collected")

func (c *command) evidenceVerifyCmd() *cobra.Command {
	var key, against string
	cmd := &cobra.Command{
		Use: "verify FILE", Short: "Check an archive of evidence: offline, on any machine.", Args: cobra.ExactArgs(1),
		Long: `Reads the archive from its first byte to its last and says which object, line and
field is not what was collected. It needs no data folder and no network.

--key names the public key of the deployment that made it (keys/audit.pub there, or
its text): without it the key in the archive is taken, which shows that nothing was
changed, and not who made it. --against names checkpoints kept elsewhere (a
witness's file), or the answer of /api/v1/audit/consistency of the deployment.`,
		Example: "  honeyguide evidence verify I-7.zip --key audit.pub",
		RunE: func(cmd *cobra.Command, args []string) error {
			check, err := checkWith(key, against)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			info, err := f.Stat()
			if err != nil {
				return err
			}
			r, err := bundle.Verify(cmd.Context(), f, info.Size(), check)
			if err != nil {
				return err
			}
			return c.checked(r)
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "public key of the audit log, or a `file` that holds it")
	cmd.Flags().StringVar(&against, "against", "", "`file` of checkpoints kept elsewhere")
	return cmd
}

// maxKept is how much of a file of checkpoints is read.
const maxKept = 64 << 20

func checkWith(key, against string) (check bundle.Check, err error) {
	if check.Key, err = keyText(key); err != nil || against == "" {
		return check, err
	}
	f, err := os.Open(against)
	if err != nil {
		return check, err
	}
	defer f.Close()
	check.Against, err = io.ReadAll(io.LimitReader(f, maxKept))
	return check, err
}

// keyText reads a public key, or takes it as it is.
func keyText(key string) (string, error) {
	if key == "" || strings.Count(key, "+") >= 2 && !strings.HasPrefix(key, "/") && !strings.HasPrefix(key, ".") {
		return key, nil
	}
	raw, err := os.ReadFile(key)
	if err != nil {
		return "", err
	}
	return strings.TrimSpace(string(raw)), nil
}

// checked shows a report and turns it into an exit status.
func (c *command) checked(r *bundle.Report) error {
	err := c.print(r, func(w io.Writer) {
		if m := r.Manifest; m != nil {
			field(w, "incident", m.Incident+": "+m.Title)
			field(w, "collected", text(m.Collected.At)+" by "+m.Collected.By+" on "+m.Node.Name)
			field(w, "reason", m.Collected.Reason)
			for _, x := range m.Missing {
				field(w, "not in it", x.Name+": "+x.Why)
			}
		}
		field(w, "manifest", r.ID)
		field(w, "audit log", fmt.Sprintf("%s, entry %d of %d", r.Origin, r.Audit, r.Entries))
		field(w, "key", r.AuditKey)
		field(w, "archive", fmt.Sprintf("%d bytes, %d objects, SHA-256 %s", r.Size, r.Objects, r.SHA256))
		for _, f := range r.Faults {
			field(w, "ALTERED", f.String())
		}
		for _, n := range r.Notes {
			field(w, "note", n)
		}
		if r.Sound {
			field(w, "result", "nothing was changed, removed, added or reordered")
		}
	})
	if err == nil && !r.Sound {
		return errAltered
	}
	return err
}

func (c *command) evidenceImportCmd() *cobra.Command {
	var key, reason string
	cmd := &cobra.Command{
		Use: "import FILE", Short: "Take in an archive of another deployment. It is verified first and never changed.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			pub, err := keyText(key)
			if err != nil {
				return err
			}
			f, err := os.Open(args[0])
			if err != nil {
				return err
			}
			defer f.Close()
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			b, err := cl.ImportEvidence(cmd.Context(), f, pub, reason)
			if err != nil {
				return err
			}
			return c.print(b, func(w io.Writer) {
				fmt.Fprintf(w, "%s: evidence of %s from %s, %d objects\n", b.Short, text(b.Incident), text(b.Node), b.Objects)
			})
		},
	}
	cmd.Flags().StringVar(&key, "key", "", "public key of the audit log of the deployment that made it, or a `file` that holds it")
	cmd.Flags().StringVar(&reason, "reason", "", "why (`text`)")
	return cmd
}

func (c *command) evidenceViewCmd() *cobra.Command {
	return &cobra.Command{
		Use: "view FILE|ID [NAME]", Short: "List what is in an archive, or show one item as harmless text.", Args: cobra.RangeArgs(1, 2),
		Long: `Without NAME lists the items. With NAME shows one, with every control character
made visible. FILE is an archive on this machine; an ID such as E-3 is one of the
core's, and the look becomes a step of its chain of custody.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			name := ""
			if len(args) == 2 {
				name = args[1]
			}
			if info, err := os.Stat(args[0]); err == nil && info.Mode().IsRegular() {
				return c.viewFile(filepath.Clean(args[0]), info.Size(), name)
			}
			return c.viewBundle(cmd.Context(), args[0], name)
		},
	}
}

func (c *command) viewFile(path string, size int64, name string) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	if name != "" {
		_, r, err := bundle.ItemOf(f, size, name)
		if err != nil {
			return err
		}
		return c.harmless(r)
	}
	m, err := bundle.Contents(f, size)
	if err != nil {
		return err
	}
	return c.print(m, func(w io.Writer) {
		row(w, "NAME", "KIND", "LINES", "BYTES", "SHA-256")
		for _, it := range m.Items {
			row(w, it.Name, it.Kind, it.Records, it.Size, it.SHA256)
		}
	})
}

func (c *command) viewBundle(ctx context.Context, id, name string) error {
	if name == "" {
		var p client.Page[client.EvidenceItem]
		if err := c.get(ctx, "/evidence/"+url.PathEscape(id)+"/items", nil, &p); err != nil {
			return err
		}
		return c.print(p, func(w io.Writer) {
			row(w, "NAME", "KIND", "LINES", "BYTES", "SHA-256")
			for _, it := range p.Items {
				row(w, it.Name, it.Kind, it.Records, it.Size, it.SHA256)
			}
		})
	}
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := cl.Open(ctx, "/api/v1/evidence/"+url.PathEscape(id)+"/item?"+url.Values{"name": {name}}.Encode())
	if err != nil {
		return err
	}
	return errors.Join(c.harmless(r), r.Close())
}

// harmless shows hostile text line by line.
func (c *command) harmless(r io.Reader) error {
	buf := make([]byte, 0, 64<<10)
	piece := make([]byte, 32<<10)
	for {
		n, err := r.Read(piece)
		for _, b := range piece[:n] {
			if b != '\n' && len(buf) < cap(buf) {
				buf = append(buf, b)
				continue
			}
			if _, err := fmt.Fprintln(c.out, safetext.Term(string(buf))); err != nil {
				return err
			}
			if buf = buf[:0]; b != '\n' {
				buf = append(buf, b)
			}
		}
		if err == io.EOF {
			if len(buf) > 0 {
				_, err = fmt.Fprintln(c.out, safetext.Term(string(buf)))
				return err
			}
			return nil
		}
		if err != nil {
			return err
		}
	}
}
