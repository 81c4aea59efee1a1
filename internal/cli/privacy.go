package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"honeyguide"
	"honeyguide/internal/client"
	"honeyguide/internal/personal"
)

// privacyCmd is `honeyguide privacy find|erase|erasures|retention|forget-key`.
func (c *command) privacyCmd() *cobra.Command {
	root := group("privacy", "Personal data: what is held about somebody, erasing it, and how long data is kept.")
	root.AddCommand(c.privacyFindCmd(), c.privacyEraseCmd(), c.erasuresCmd(), c.retentionCmd(), c.forgetKeyCmd())
	return root
}

// subject reads whose data is meant before anything is asked.
func subject(text string) (string, error) {
	s, err := personal.Parse(text)
	if err != nil {
		return "", err
	}
	return s.String(), nil
}

func (c *command) privacyFindCmd() *cobra.Command {
	var file string
	cmd := &cobra.Command{
		Use: "find SUBJECT", Short: "Say how much is held about somebody: address:203.0.113.7, user:NAME, email:NAME@HOST.", Args: cobra.ExactArgs(1),
		Long: `Looks through everything: events, the state, recordings, what attackers left in
the decoys, and the audit log. --export writes all of it into a zip archive of
JSON lines, to be handed to whoever has a right to it. Both are written to the
audit log, without the subject.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := subject(args[0])
			if err != nil {
				return err
			}
			if file != "" {
				return c.privacyExport(cmd.Context(), who, file)
			}
			found, err := c.privacyFind(cmd.Context(), who)
			if err != nil {
				return err
			}
			return c.print(found, func(w io.Writer) { showFound(w, found) })
		},
	}
	cmd.Flags().StringVar(&file, "export", "", "write everything into this new `file`, a zip archive")
	return cmd
}

func (c *command) privacyFind(ctx context.Context, who string) (out client.PrivacyFound, err error) {
	return out, c.post(ctx, "/privacy/find", map[string]string{"subject": who}, &out)
}

func showFound(w io.Writer, f client.PrivacyFound) {
	row(w, "CLASS", "WHAT", "HELD")
	for _, r := range f.Found {
		row(w, r.Class, r.What, r.N)
	}
	if len(f.Found) == 0 {
		row(w, "nothing is held")
	}
	if f.Keeps != "" {
		row(w, "stays for now: "+f.Keeps)
	}
}

func (c *command) privacyExport(ctx context.Context, who, file string) error {
	cl, done, err := c.client(ctx)
	if err != nil {
		return err
	}
	defer done()
	r, err := cl.PrivacyExport(ctx, who)
	if err != nil {
		return err
	}
	defer r.Close()
	out, err := os.OpenFile(file, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	n, err := io.Copy(out, r)
	if err := errors.Join(err, out.Close()); err != nil {
		return errors.Join(err, os.Remove(file))
	}
	fmt.Fprintf(c.err, "%s: %d bytes, readable by you alone\n", file, n)
	return nil
}

func (c *command) privacyEraseCmd() *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use: "erase SUBJECT --reason TEXT", Short: "Erase somebody's data everywhere; it cannot be undone.", Args: cobra.ExactArgs(1),
		Long: `Puts a random mark in place of the value in events, alerts, incidents, sessions,
recordings, notes and everything else, and takes the personal part of audit
entries away. Counts and times stay, and the audit log still verifies. It is
finished whatever happens: after a crash, at the next start. A legal hold, a
block in force and an account that may log in are named and refuse it.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			who, err := subject(args[0])
			if err != nil {
				return err
			}
			if strings.TrimSpace(reason) == "" {
				return usagef("say why: --reason TEXT")
			}
			if !yes {
				found, err := c.privacyFind(cmd.Context(), who)
				if err != nil {
					return err
				}
				showFound(c.err, found)
				if err := c.sure(false, "Erase this for ever"); err != nil {
					return err
				}
			}
			e, err := c.erase(cmd.Context(), who, reason)
			if err != nil {
				return err
			}
			err = c.print(e, func(w io.Writer) { showErasure(w, e) })
			if e.State != "done" {
				return errors.Join(err, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the erasure is not finished: " + e.Error + "; it is tried again until it is (honeyguide privacy erasures)"})
			}
			if len(e.Left) > 0 {
				return errors.Join(err, errPartly)
			}
			return err
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`, without the subject in it")
	return careful(cmd, &yes)
}

// erase asks for an erasure and waits for its end.
func (c *command) erase(ctx context.Context, who, reason string) (e client.Erasure, err error) {
	cl, done, err := c.client(ctx)
	if err != nil {
		return e, err
	}
	defer done()
	if err := cl.Post(ctx, "/api/v1/privacy/erasures", map[string]string{"subject": who, "reason": reason}, &e); err != nil {
		return e, err
	}
	for e.State != "done" && e.Error == "" {
		select {
		case <-ctx.Done():
			return e, ctx.Err()
		case <-time.After(500 * time.Millisecond):
		}
		if err := cl.Get(ctx, "/api/v1/privacy/erasures/"+url.PathEscape(e.ID), nil, &e); err != nil {
			return e, err
		}
	}
	return e, nil
}

func showErasure(w io.Writer, e client.Erasure) {
	field(w, "erasure", e.ID)
	field(w, "state", e.State)
	field(w, "mark", e.Mark)
	field(w, "hash", e.Hash)
	for _, what := range slices.Sorted(maps.Keys(e.Counts)) {
		field(w, what, fmt.Sprint(e.Counts[what]))
	}
	for _, left := range e.Left {
		field(w, "STAYS", left)
	}
	field(w, "error", e.Error)
}

func (c *command) erasuresCmd() *cobra.Command {
	return &cobra.Command{
		Use: "erasures", Short: "What was erased: hashes and counts, nobody's data.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[client.Erasure]
			if err := c.get(cmd.Context(), "/privacy/erasures", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "ID", "ASKED", "KIND", "STATE", "ENDED", "HASH", "REASON", "ERROR")
				for _, e := range p.Items {
					row(w, e.ID, e.At, e.Kind, e.State, e.Ended, e.Hash, e.Reason, e.Error)
				}
			})
		},
	}
}

func (c *command) retentionCmd() *cobra.Command {
	return &cobra.Command{
		Use: "retention", Short: "How long each class of data is kept, what goes next, and what holds keep.", Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var p client.Page[client.RetentionRow]
			if err := c.get(cmd.Context(), "/privacy/retention", nil, &p); err != nil {
				return err
			}
			return c.print(p, func(w io.Writer) {
				row(w, "CLASS", "DAYS", "KEPT", "OLDEST", "NEXT GOES", "SPARED", "LAST RUN", "REMOVED")
				for _, r := range p.Items {
					row(w, r.Class, r.Days, r.Kept, r.Oldest, r.Next, r.Spared, r.LastAt, r.Last)
				}
			})
		},
	}
}

func (c *command) forgetKeyCmd() *cobra.Command {
	var reason string
	var yes bool
	cmd := &cobra.Command{
		Use: "forget-key --reason TEXT", Short: "Destroy the key of pseudonyms; it cannot be undone.", Args: cobra.NoArgs,
		Long: `Old addresses and names are pseudonyms when privacy.pseudonymise_after_days says so.
As long as their key is here it can be told whether one is somebody's, and the same
source keeps the same pseudonym. Without it nobody can; what becomes a pseudonym
from now on gets another. Backups made before still hold the key, sealed.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if strings.TrimSpace(reason) == "" {
				return usagef("say why: --reason TEXT")
			}
			if err := c.sure(yes, "Destroy the key of pseudonyms for ever"); err != nil {
				return err
			}
			var gone client.KeyForgotten
			if err := c.post(cmd.Context(), "/privacy/forget-key", client.ForgetKeyOrder{Reason: reason}, &gone); err != nil {
				return err
			}
			return c.print(gone, func(w io.Writer) { field(w, "forgotten", gone.At) })
		},
	}
	cmd.Flags().StringVar(&reason, "reason", "", "`why`")
	return careful(cmd, &yes)
}
