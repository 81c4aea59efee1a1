package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/app"
	"honeyguide/internal/backup"
	"honeyguide/internal/client"
	"honeyguide/internal/safetext"
)

// errUnsound ends a verification that found something.
var errUnsound = errors.New("the backup is not what was written")

// whom says to whom a backup is encrypted.
type whom struct {
	recipient, passphrase string
	plain                 bool
}

func (w *whom) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&w.recipient, "encrypt-to", "", "encrypt to this `public key` (age1...)")
	cmd.Flags().StringVar(&w.passphrase, "passphrase-file", "", "`file` of the passphrase")
	cmd.Flags().BoolVar(&w.plain, "plain", false, "do not encrypt: whoever reads the copy then has what this node keeps secret")
}

// given reports whether anything was said.
func (w *whom) given() bool { return w.recipient != "" || w.passphrase != "" || w.plain }

// passphraseOf reads a passphrase from a file; "" is none.
func passphraseOf(file string) (honeyguide.Secret, error) {
	if file == "" {
		return "", nil
	}
	text, err := secretOf(file)
	if n := len(text.Reveal()); err == nil && (n < backup.LeastPassphrase || n > 1024) {
		return "", usagef("%s: %d characters; want a passphrase of %d to 1024", safetext.Term(file), n, backup.LeastPassphrase)
	}
	return text, err
}

// backupCmd is `honeyguide backup`, and below it list, verify, status and prune.
func (c *command) backupCmd() *cobra.Command {
	var to string
	var w whom
	var full bool
	cmd := &cobra.Command{
		Use: "backup", Short: "Copy the data folder, while it is in use or not.",
		Long: `Copies everything a node is made of: state, events, recordings, samples, audit
log, keys and configuration. The first copy to a folder is whole; later ones add
what changed. --to FILE` + backup.ArchiveSuffix + ` makes one file that holds all of it.

It is encrypted to backup.recipient or under backup.passphrase of the
configuration unless a flag says otherwise. A running core makes the copy
itself; of a stopped one the folder is copied here.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error { return c.backUp(cmd.Context(), to, w, full) },
	}
	cmd.Flags().StringVar(&to, "to", "", "`folder` of backups, or a file that ends in "+backup.ArchiveSuffix+" (default backup.to)")
	cmd.Flags().BoolVar(&full, "full", false, "copy everything anew, also what did not change")
	w.flags(cmd)
	cmd.MarkFlagsMutuallyExclusive("encrypt-to", "passphrase-file", "plain")
	cmd.AddCommand(c.backupListCmd(), c.backupVerifyCmd(), c.backupStatusCmd(), c.backupPruneCmd())
	return cmd
}

func (c *command) backUp(ctx context.Context, to string, w whom, full bool) error {
	if to != "" {
		abs, err := filepath.Abs(to)
		if err != nil {
			return err
		}
		to = abs
	}
	passphrase, err := passphraseOf(w.passphrase)
	if err != nil {
		return err
	}
	if w.plain {
		fmt.Fprintln(c.err, "honeyguide: WARNING: --plain: the copy is not encrypted. Whoever reads it has the users, and everything attackers typed. keys/master.key and")
		fmt.Fprintln(c.err, "honeyguide:          configuration files that hold secrets are left out of it: without them, kept elsewhere, its keys open nowhere.")
	}
	if cl, done, err := c.alive(ctx); err != nil {
		return err
	} else if cl != nil {
		defer done()
		order := map[string]any{"full": full}
		for name, v := range map[string]string{"to": to, "recipient": w.recipient, "passphrase": passphrase.Reveal()} {
			if v != "" {
				order[name] = v
			}
		}
		if w.plain {
			order["plain"] = true
		}
		return c.backUpCore(ctx, cl, order)
	}
	s, err := c.settings()
	if err != nil {
		return err
	}
	show := c.working("backup")
	m, err := app.BackUp(ctx, s, version, func(j *backup.Job) {
		if to != "" {
			j.To = to
		}
		if w.given() {
			j.Recipient, j.Passphrase, j.Plain = w.recipient, passphrase, w.plain
		}
		j.Full, j.Told = full, show.told
	})
	show.end()
	if err != nil {
		return err
	}
	return c.showBackup(m.ID, m.Figures.Bytes, m.Figures.NewBytes, m)
}

// alive returns a client of a core that runs; nil when none does.
func (c *command) alive(ctx context.Context) (*client.Client, func(), error) {
	if c.server != "" {
		cl, err := c.remote()
		return cl, func() {}, err
	}
	s, err := c.settings()
	if err != nil {
		return nil, nil, err
	}
	cl := client.Unix(filepath.Join(s.Node.Data, app.SocketName))
	if cl.Alive(ctx) {
		return cl, func() {}, nil
	}
	return nil, nil, nil
}

func (c *command) backUpCore(ctx context.Context, cl *client.Client, order map[string]any) error {
	var st backup.Progress
	if err := cl.Post(ctx, "/api/v1/backups", order, &st); err != nil {
		return err
	}
	show := c.working("backup")
	for st.Running {
		show.at(st.Phase, st.Done, st.Of)
		if err := cl.Get(ctx, "/api/v1/backups/status", map[string][]string{"wait_ms": {"500"}}, &st); err != nil {
			return err
		}
	}
	show.end()
	if st.Error != "" {
		return errors.New(st.Error)
	}
	return c.showBackup(st.ID, st.Bytes, st.New, st)
}

func (c *command) showBackup(id string, all, fresh int64, v any) error {
	return c.print(v, func(w io.Writer) {
		field(w, "backup", id)
		field(w, "bytes", fmt.Sprintf("%s, %s of them new", mib(all), mib(fresh)))
	})
}

func mib(n int64) string { return fmt.Sprintf("%.1f MiB", float64(n)/(1<<20)) }

// A worker shows progress to a person.
type worker struct {
	w     io.Writer // nil: nobody watches
	what  string
	phase string
	bytes int64
	last  time.Time
}

func (c *command) working(what string) *worker {
	if !terminal(c.err) {
		return &worker{}
	}
	return &worker{w: c.err, what: what}
}

func (p *worker) told(phase string, n int64) {
	if p.bytes += n; phase != "" {
		p.phase = phase
	}
	p.at(p.phase, p.bytes, 0)
}

func (p *worker) at(phase string, done, of int64) {
	if p.w == nil || time.Since(p.last) < 200*time.Millisecond {
		return
	}
	p.last = time.Now()
	text := mib(done)
	if of > 0 {
		text += " of " + mib(of)
	}
	fmt.Fprintf(p.w, "\r\x1b[K%s: %s, %s", p.what, safetext.Term(phase), text)
}

func (p *worker) end() {
	if p.w != nil {
		fmt.Fprint(p.w, "\r\x1b[K")
	}
}

// opening is how a store is opened.
type opening struct{ identity, passphrase, public string }

func (o *opening) flags(cmd *cobra.Command) {
	cmd.Flags().StringVar(&o.identity, "identity", "", "`file` of the key it is encrypted to (AGE-SECRET-KEY-1...)")
	cmd.Flags().StringVar(&o.passphrase, "passphrase-file", "", "`file` of the passphrase")
	cmd.Flags().StringVar(&o.public, "key", "", "public `key` that has to have signed it: keys/audit.pub of the node (default: the one it names itself)")
}

// key reads what opens a store; empty when nothing was said.
func (o *opening) key(s *backup.Store) (backup.Key, error) {
	switch {
	case o.identity != "":
		raw, err := os.ReadFile(o.identity)
		if err != nil {
			return backup.Key{}, err
		}
		return backup.ReadKey(honeyguide.Secret(raw))
	case o.passphrase != "":
		p, err := passphraseOf(o.passphrase)
		if err != nil {
			return backup.Key{}, err
		}
		return s.Unlock(p)
	}
	return backup.Key{}, nil
}

// from returns where backups are: what was named, or the configuration's folder.
func (c *command) from(args []string) (string, error) {
	if len(args) > 0 {
		return args[0], nil
	}
	s, err := c.settings()
	if err == nil && s.Backup.To == "" {
		err = usagef("which backups? Name their folder or file, or set backup.to")
	}
	return s.Backup.To, err
}

func (c *command) backupListCmd() *cobra.Command {
	return &cobra.Command{
		Use: "list [FOLDER|FILE]", Short: "The backups there are, newest first.", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := c.from(args)
			if err != nil {
				return err
			}
			s, err := backup.Open(from)
			if err != nil {
				return err
			}
			defer s.Close()
			list, err := backup.List(s, "")
			if err != nil {
				return err
			}
			return c.print(map[string]any{"items": list}, func(w io.Writer) {
				row(w, "ID", "BEGUN", "NODE", "FILES", "SIZE", "NEW", "EVENTS", "AUDIT", "ENCRYPTED", "PROBLEM")
				for _, l := range list {
					f := l.Figures
					row(w, l.ID, l.At, l.Node, fmt.Sprint(f.Files), mib(f.Bytes), mib(f.NewBytes), fmt.Sprint(f.Events), fmt.Sprint(f.Audit), fmt.Sprint(l.Encrypted), l.Problem)
				}
			})
		},
	}
}

func (c *command) backupVerifyCmd() *cobra.Command {
	var o opening
	var id, work string
	cmd := &cobra.Command{
		Use: "verify [FOLDER|FILE]", Short: "Compare a backup with what was written, and open what is in it.", Args: cobra.MaximumNArgs(1),
		Long: `Without a key it verifies the signature and reads every object. With --identity
or --passphrase-file (or of a backup that is not encrypted) it also compares every
file, opens the databases and verifies the audit log: a restore without a place.

Exit status: 0 nothing is wrong, 1 something is.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			from, err := c.from(args)
			if err != nil {
				return err
			}
			return c.verifyBackup(cmd.Context(), from, id, work, &o)
		},
	}
	o.flags(cmd)
	cmd.Flags().StringVar(&id, "at", "", "`id` of the backup (default the newest)")
	cmd.Flags().StringVar(&work, "work", "", "`folder` to unpack databases in (default the system's temporary folder)")
	return cmd
}

func (c *command) verifyBackup(ctx context.Context, from, id, work string, o *opening) error {
	s, err := backup.Open(from)
	if err != nil {
		return err
	}
	defer s.Close()
	key, err := o.key(s)
	if err != nil {
		return err
	}
	show := c.working("verify")
	r, err := backup.Verify(ctx, backup.Check{From: s, ID: id, Public: o.public, Key: key, Work: work, Probe: app.ProbeData, Told: show.told})
	show.end()
	if err != nil {
		return err
	}
	if settings, err := c.settings(); err == nil && r.Sound() && r.Opened > 0 {
		if _, err := os.Stat(settings.Node.Data); err == nil {
			_ = app.BackupTested(settings.Node.Data, r.Manifest) // a note for the doctor
		}
	}
	err = c.print(r, func(w io.Writer) {
		m := r.Manifest
		field(w, "backup", m.ID)
		field(w, "begun", m.Began)
		field(w, "node", m.Node)
		signed := "by the key given"
		if r.Own {
			signed = "by the key it names itself; give --key to see whose that is"
		}
		field(w, "signed", signed)
		field(w, "objects", fmt.Sprintf("%d of %d compared, %s", r.Objects, len(m.Objects), mib(r.Bytes)))
		if r.Files == 0 && m.Encrypted {
			field(w, "contents", "not opened: there is no key (--identity, --passphrase-file)")
		} else {
			field(w, "contents", fmt.Sprintf("%d files compared, %d databases opened, %d audit entries verified", r.Files, r.Opened, r.Audit))
		}
		for _, f := range r.Faults {
			field(w, "DAMAGE", f)
		}
	})
	if err == nil && !r.Sound() {
		err = errUnsound
	}
	return err
}

func (c *command) backupStatusCmd() *cobra.Command {
	return &cobra.Command{
		Use: "status", Short: "How the backup under way stands, and how the last ones went.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var st backup.Progress
			cl, done, err := c.alive(cmd.Context())
			switch {
			case err != nil:
				return err
			case cl != nil:
				defer done()
				if err := cl.Get(cmd.Context(), "/api/v1/backups/status", nil, &st); err != nil {
					return err
				}
			default:
				s, err := c.settings()
				if err != nil {
					return err
				}
				if st.Last, err = backup.ReadPast(s.Node.Data); err != nil {
					return err
				}
			}
			return c.print(st, func(w io.Writer) {
				if st.Running {
					field(w, "now", fmt.Sprintf("%s, %s of %s", st.Phase, mib(st.Done), mib(st.Of)))
				}
				field(w, "last", st.Last.ID)
				field(w, "begun", st.Last.At)
				field(w, "to", st.Last.To)
				field(w, "took", fmt.Sprintf("%.1f s", st.Last.Seconds))
				field(w, "size", fmt.Sprintf("%s, %s of them new", mib(st.Last.Bytes), mib(st.Last.New)))
				field(w, "tested", st.Last.TestedAt)
				field(w, "next", st.Next)
				if st.Overdue {
					field(w, "OVERDUE", "the last good one is more than twice as old as backup.every says")
				}
				if st.Last.Error != "" {
					field(w, "FAILED", fmt.Sprintf("%s: %s", st.Last.FailedAt.Format(time.RFC3339), st.Last.Error))
				}
			})
		},
	}
}

func (c *command) backupPruneCmd() *cobra.Command {
	var keep int
	cmd := &cobra.Command{
		Use: "prune [FOLDER]", Short: "Remove the oldest backups, and what only they hold.", Args: cobra.MaximumNArgs(1),
		RunE: func(_ *cobra.Command, args []string) error {
			from, err := c.from(args)
			if err != nil {
				return err
			}
			if keep < 1 {
				return usagef("--keep %d: want 1 or more", keep)
			}
			p, err := backup.Prune(from, keep)
			if err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				field(w, "removed", fmt.Sprintf("%d backups, %d objects, %s", len(p.Backups), p.Objects, mib(p.Bytes)))
			})
		},
	}
	cmd.Flags().IntVar(&keep, "keep", 14, "how `many` stay")
	return cmd
}
