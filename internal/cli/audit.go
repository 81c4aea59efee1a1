package cli

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// errDamaged ends a verification that found something.
var errDamaged = errors.New("the audit log is not what was recorded")

// auditCmd is `honeyguide audit list|show|verify|prove|export|checkpoint`.
func (c *command) auditCmd() *cobra.Command {
	root := listing[honeyguide.AuditEntry]{
		name: "audit", alias: "trail", short: "What people and playbooks did, and the proof that nothing of it was changed.", path: "/audit",
		filters: map[string]string{
			"actor": "`name` of who did it", "action": "what was `done`, such as decide-run", "object": "what it was about, such as run:R-7; run: for what begins so (`object`)",
			"kind": "user, key, local, playbook, system or nobody (`kind`)", "outcome": "asked, refused or failed (`outcome`)",
		},
		header: []any{"SEQ", "TIME", "ACTOR", "KIND", "ADDRESS", "ACTION", "OBJECT", "OUTCOME", "REASON"},
		row: func(e honeyguide.AuditEntry) []any {
			return []any{fmt.Sprint(e.Seq), e.Time, actor(e), e.Kind, origin(e), e.Action, e.Object, string(e.Outcome), e.Reason}
		},
	}.command(c)
	root.AddCommand(c.auditShowCmd(), c.auditVerifyCmd(), c.auditProveCmd(), c.auditExportCmd(), c.auditCheckpointCmd())
	return root
}

// actor is who acted, or why that is not known any more.
func actor(e honeyguide.AuditEntry) string {
	if e.ErasedBy > 0 {
		return fmt.Sprintf("(removed on request, entry %d)", e.ErasedBy)
	}
	return e.Actor
}

func origin(e honeyguide.AuditEntry) string {
	if !e.Address.IsValid() {
		return ""
	}
	return e.Address.String()
}

// A folder is a copy of a log, or the log of a core that does not run.
type auditFolder struct{ dir, key, keyFile string }

func (f *auditFolder) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&f.dir, "dir", "", "`folder` of the log or a copy of it, instead of the core's")
	cmd.Flags().StringVar(&f.key, "key", "", "public `key` of the log: name+hash+key")
	cmd.Flags().StringVar(&f.keyFile, "key-file", "", "`file` of the public key (default ../keys/audit.pub beside the folder)")
}

// public returns the public key.
func (f *auditFolder) public() (string, error) {
	if f.key != "" {
		return strings.TrimSpace(f.key), nil
	}
	file := f.keyFile
	if file == "" {
		abs, err := filepath.Abs(f.dir)
		if err != nil {
			return "", err
		}
		file = filepath.Join(filepath.Dir(abs), "keys", "audit.pub")
	}
	raw, err := os.ReadFile(file)
	if err != nil {
		return "", usagef("which key? %v; give it with --key or --key-file (honeyguide audit checkpoint shows it)", err)
	}
	return strings.TrimSpace(string(raw)), nil
}

func (c *command) auditShowCmd() *cobra.Command {
	var f auditFolder
	cmd := &cobra.Command{
		Use: "show SEQ", Short: "Show one entry.", Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			e, _, err := c.proven(cmd.Context(), &f, args[0])
			if err != nil {
				return err
			}
			return c.print(e, func(w io.Writer) { showEntry(w, &e) })
		},
	}
	f.flags(cmd)
	return cmd
}

func showEntry(w io.Writer, e *honeyguide.AuditEntry) {
	field(w, "entry", fmt.Sprint(e.Seq))
	field(w, "time", e.Time)
	field(w, "actor", actor(*e)+" ("+e.Kind+")")
	field(w, "session", e.Session)
	field(w, "address", origin(*e))
	field(w, "action", e.Action)
	field(w, "object", e.Object)
	field(w, "outcome", string(e.Outcome))
	field(w, "reason", e.Reason)
	field(w, "detail", e.Detail)
	field(w, "request", e.Request)
	field(w, "before", string(e.Before))
	field(w, "after", string(e.After))
}

// proven returns an entry with its proof, out of a folder or from the core.
func (c *command) proven(ctx context.Context, f *auditFolder, text string) (e honeyguide.AuditEntry, p audit.Proof, err error) {
	seq, err := strconv.ParseInt(text, 10, 64)
	if err != nil || seq < 0 {
		return e, p, usagef("%s: want the number of an entry", safetext.Term(text))
	}
	if f.dir != "" {
		key, err := f.public()
		if err != nil {
			return e, p, err
		}
		return audit.ProveIn(ctx, f.dir, key, seq)
	}
	var got client.AuditProof
	if err := c.get(ctx, "/audit/"+strconv.FormatInt(seq, 10), nil, &got); err != nil {
		return e, p, err
	}
	return got.Entry, p, json.Unmarshal(got.Proof, &p)
}

func (c *command) auditProveCmd() *cobra.Command {
	var f auditFolder
	cmd := &cobra.Command{
		Use: "prove SEQ", Short: "Write the proof that an entry is part of the log, for whoever has the public key.", Args: cobra.ExactArgs(1),
		Long: `The proof holds the entry, the hashes on its way to the root, and the signed
checkpoint. honeyguide audit verify --proof FILE --key KEY checks it on any machine.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			_, p, err := c.proven(cmd.Context(), &f, args[0])
			if err != nil {
				return err
			}
			enc := json.NewEncoder(c.out)
			enc.SetIndent("", "  ")
			return enc.Encode(p)
		},
	}
	f.flags(cmd)
	return cmd
}

func (c *command) auditCheckpointCmd() *cobra.Command {
	return &cobra.Command{
		Use: "checkpoint", Short: "What the log signs for, and the key that verifies it: keep both elsewhere.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.AuditCheckpoint
			if err := c.get(cmd.Context(), "/audit/checkpoint", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				field(w, "origin", p.Origin)
				field(w, "entries", fmt.Sprint(p.Size))
				field(w, "root", p.Root)
				field(w, "public key", p.PublicKey)
				field(w, "refuses", p.Refused)
				for _, x := range p.Witnesses {
					field(w, "witness", witnessText(&x))
				}
				fmt.Fprintf(w, "\n%s\n\n", safetext.Term(p.Line))
				for line := range strings.Lines(p.Note) {
					fmt.Fprintln(w, safetext.Term(strings.TrimSuffix(line, "\n")))
				}
			})
		},
	}
}

// witnessText says in a line how a witness stands.
func witnessText(w *client.AuditWitness) string {
	text := w.Name + ": "
	if w.Size > 0 {
		text += fmt.Sprintf("has %d entries since %s", w.Size, w.Kept.UTC().Format(time.RFC3339))
	} else {
		text += "was told nothing since the start"
	}
	if w.Error != "" {
		text += "; the last try failed: " + w.Error
	}
	return text
}

func (c *command) auditExportCmd() *cobra.Command {
	var format string
	q := url.Values{}
	names := []string{"actor", "action", "object", "kind", "outcome", "from", "to"}
	values := make([]string, len(names))
	cmd := &cobra.Command{
		Use: "export", Short: "Write entries as JSON lines, CSV or CEF.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			for i, name := range names {
				if values[i] != "" {
					q.Set(name, values[i])
				}
			}
			q.Set("format", format)
			cl, done, err := c.client(cmd.Context())
			if err != nil {
				return err
			}
			defer done()
			r, err := cl.Open(cmd.Context(), "/api/v1/audit/export?"+q.Encode())
			if err != nil {
				return err
			}
			defer r.Close()
			_, err = io.Copy(c.out, r)
			return err
		},
	}
	for i, name := range names {
		cmd.Flags().StringVar(&values[i], name, "", "only with this `"+name+"`")
	}
	cmd.Flags().StringVar(&format, "format", "jsonl", "jsonl, csv or cef (`format`)")
	return cmd
}

func (c *command) auditVerifyCmd() *cobra.Command {
	var f auditFolder
	var witnesses, more []string
	var proof string
	cmd := &cobra.Command{
		Use: "verify", Short: "Verify the whole log, a copy of one, or a proof.", Args: cobra.NoArgs,
		Long: `Reads every entry, makes the tree of hashes anew and compares it with the signed
checkpoint. With --dir it works on a copy, on any machine that has the public key.
--against FILE compares with checkpoints kept elsewhere: a witness's file, lines of
a log, a mail as it was sent, objects of a store, or a folder of such. Only they show
that all of a log was put back to an older state.

Exit status: 0 nothing is wrong, 1 entries were changed or are missing, 3 only
caches, an unacknowledged write or a removal that did not end differ, which the
next start mends, or checkpoints kept elsewhere were changed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if proof != "" {
				return c.verifyProof(&f, proof)
			}
			witnesses = append(witnesses, more...)
			var r client.AuditReport
			var err error
			if f.dir != "" {
				r, err = c.verifyFolder(cmd.Context(), &f, witnesses)
			} else {
				r, err = c.verifyCore(cmd.Context(), witnesses)
			}
			if err != nil {
				return err
			}
			return c.verified(r)
		},
	}
	f.flags(cmd)
	cmd.Flags().StringArrayVar(&witnesses, "against", nil, "`file` or folder with checkpoints kept elsewhere: a witness's file, a log, a mail, objects of a store")
	cmd.Flags().StringArrayVar(&more, "witness", nil, "the same as --against (`file`)")
	cmd.Flags().StringVar(&proof, "proof", "", "`file` of a proof made by honeyguide audit prove")
	return cmd
}

func (c *command) verifyFolder(ctx context.Context, f *auditFolder, files []string) (out client.AuditReport, err error) {
	key, err := f.public()
	if err != nil {
		return out, err
	}
	check := audit.Check{Dir: f.dir, Key: key, Progress: c.auditProgress()}
	for _, name := range files {
		if err := readKept(&check.Kept, name, key); err != nil {
			return out, err
		}
	}
	r, err := audit.Verify(ctx, check)
	return client.AuditReport(*r), err
}

// readKept adds the checkpoints of a file, or of the files of a folder.
func readKept(all *audit.Kept, name, key string) error {
	files, err := keptFiles(name)
	if err != nil {
		return err
	}
	var here audit.Kept
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		more, err := audit.ReadCheckpoints(f, key)
		if err = errors.Join(err, f.Close()); err != nil {
			return err
		}
		here.Add(more)
	}
	if len(here.List) == 0 {
		return usagef("%s: %s", safetext.Term(name), here.Nothing())
	}
	all.Add(here)
	return nil
}

// mostKept is how many checkpoints a core is asked to compare with.
const mostKept = 2000

// keptLines finds the checkpoints in files by the key of the core's log, and returns
// the newest of them as lines, and how many were changed.
func keptLines(ctx context.Context, cl *client.Client, files []string) (lines string, altered int, err error) {
	if len(files) == 0 {
		return "", 0, nil
	}
	var p client.AuditCheckpoint
	if err := cl.Get(ctx, "/api/v1/audit/checkpoint", nil, &p); err != nil {
		return "", 0, err
	}
	var all audit.Kept
	for _, name := range files {
		if err := readKept(&all, name, p.PublicKey); err != nil {
			return "", 0, err
		}
	}
	slices.SortFunc(all.List, func(a, b audit.Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	var b strings.Builder
	for _, c := range all.List[max(0, len(all.List)-mostKept):] {
		b.WriteString(c.Line() + "\n")
	}
	return b.String(), all.Altered, nil
}

// keptFiles are the files a name stands for.
func keptFiles(name string) (out []string, err error) {
	if st, err := os.Stat(name); err != nil || !st.IsDir() {
		return []string{name}, err
	}
	err = filepath.WalkDir(name, func(file string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			out = append(out, file)
		}
		return err
	})
	return out, err
}

func (c *command) auditProgress() func(done, of int64) {
	if !terminal(c.err) {
		return nil
	}
	return func(done, of int64) { fmt.Fprintf(c.err, "\r%d of %d entries", done, of) }
}

// verifyCore lets the core verify its log and waits for the end.
func (c *command) verifyCore(ctx context.Context, files []string) (out client.AuditReport, err error) {
	order := client.AuditCheckOrder{WaitMS: 5000}
	cl, done, err := c.client(ctx)
	if err != nil {
		return out, err
	}
	defer done()
	var altered int
	if order.Witness, altered, err = keptLines(ctx, cl, files); err != nil {
		return out, err
	}
	var s client.AuditCheck
	if err := cl.Post(ctx, "/api/v1/audit/verify", order, &s); err != nil {
		return out, err
	}
	show := c.auditProgress()
	for s.State == "running" {
		if show != nil {
			show(s.Done, s.Of)
		}
		select {
		case <-ctx.Done():
			return out, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		if err := cl.Get(ctx, "/api/v1/audit/verify", nil, &s); err != nil {
			return out, err
		}
	}
	if s.Report == nil || s.Error != "" {
		return out, errors.New("the verification did not come to an end: " + s.Error)
	}
	s.Report.Altered += altered
	return *s.Report, nil
}

// verified shows a report and turns it into an exit status.
func (c *command) verified(r client.AuditReport) error {
	err := c.print(r, func(w io.Writer) {
		field(w, "log", r.Origin)
		field(w, "entries", fmt.Sprintf("%d, %d verified, %d of which only hashes are left", r.Size, r.Checked, r.Dropped))
		field(w, "root", r.Root)
		field(w, "kept elsewhere", fmt.Sprintf("%d checkpoints agree", r.Witnessed))
		if r.Altered > 0 {
			field(w, "changed elsewhere", fmt.Sprintf("%d checkpoints kept elsewhere are not as they were written: changed, or cut short", r.Altered))
		}
		if r.Tail > 0 {
			field(w, "behind the end", fmt.Sprintf("%d bytes nobody was told of; the next start cuts them off", r.Tail))
		}
		for _, x := range r.Faults {
			field(w, "DAMAGE", x)
		}
		if r.Erased > 0 {
			field(w, "removed on request", fmt.Sprintf("the personal parts of %d entries", r.Erased))
		}
		for _, x := range r.Pending {
			field(w, "not ended", x+"; the next start ends it")
		}
		for _, x := range r.Caches {
			field(w, "cache", x+"; the next start makes it anew")
		}
		if len(r.Faults) == 0 {
			field(w, "result", "every entry is as it was recorded")
		}
	})
	switch {
	case err != nil:
		return err
	case len(r.Faults) > 0:
		return errDamaged
	case len(r.Caches) > 0 || len(r.Pending) > 0 || r.Tail > 0 || r.Altered > 0:
		return errPartly
	}
	return nil
}

// maxProof is the size of the longest proof that is read.
const maxProof = 1 << 20

func (c *command) verifyProof(f *auditFolder, name string) error {
	key, err := f.public()
	if err != nil {
		return err
	}
	file, err := os.Open(name)
	if err != nil {
		return err
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxProof))
	if err != nil {
		return err
	}
	p, err := audit.ParseProof(text)
	if err != nil {
		return usagef("%s: %v", safetext.Term(name), err)
	}
	e, point, err := audit.CheckProof(p, key)
	if err != nil {
		return errors.Join(errDamaged, err)
	}
	return c.print(e, func(w io.Writer) {
		showEntry(w, &e)
		field(w, "proven", fmt.Sprintf("part of %s with %d entries", point.Origin, point.Size))
	})
}
