package bundle

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"honeyguide"
	"honeyguide/internal/state"
)

// Refused says that an archive was not taken in, and what is wrong with it.
type Refused struct{ Report *Report }

// Error names the first fault.
func (e *Refused) Error() string {
	if len(e.Report.Faults) == 0 {
		return "the archive was refused"
	}
	more := ""
	if n := len(e.Report.Faults) - 1; n > 0 {
		more = fmt.Sprintf(" (and %d more)", n)
	}
	return e.Report.Faults[0].String() + more
}

// Import takes in an archive of another deployment: it is verified first and kept
// as it is. Nothing of it is there until all of it is. The error is *Refused
// inside a [honeyguide.Error] when something is wrong with it.
func (r *Room) Import(ctx context.Context, src io.Reader, c Check, reason string, who Actor) (b honeyguide.Bundle, err error) {
	now := r.dep.Now().UTC()
	b = honeyguide.Bundle{ID: honeyguide.NewID(now), Imported: true, State: honeyguide.BundleReady, At: now, By: who.Name, Reason: reason, Audit: -1, Recipients: []string{}}
	part := r.path(b.ID) + partEnd
	defer os.Remove(part) // not there any more when all went well
	report, err := receive(ctx, part, src, c)
	switch {
	case isFull(err):
		return b, &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the disk is full: nothing was imported; make room and do it again", Err: err}
	case err != nil:
		return b, fmt.Errorf("take in evidence: %w", err)
	case !report.Sound:
		bad := &Refused{report}
		return b, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "nothing was imported: " + bad.Error(), Err: bad}
	}
	m := report.Manifest
	b.Manifest, b.Incident, b.Title, b.Node, b.Size, b.SHA256 = report.ID, m.Incident, m.Title, m.Node.Name, report.Size, report.SHA256
	b.Objects, b.Audit, b.Sealed = report.Objects, report.Audit, len(m.Recipients) > 0
	b.Recipients = append(b.Recipients, m.Recipients...)
	if err := r.unknown(ctx, b.Manifest); err != nil {
		return b, err
	}
	seq, err := r.record(ctx, "import-evidence", "bundle:"+b.Manifest, reason, "from "+b.Node, who)
	if err != nil {
		return b, err
	}
	if err := place(part, r.path(b.ID)); err != nil {
		return b, fmt.Errorf("take in evidence: %w", err)
	}
	err = r.dep.State.Update(ctx, func(tx state.Tx) error {
		made := b
		if err := tx.Bundles().Save(ctx, &made); err != nil {
			return err
		}
		b.Short = made.Short
		return tx.Custody().Add(ctx, &honeyguide.CustodyStep{
			Incident: chainOf(made), At: now, Act: honeyguide.CustodyImported, By: who.Name, Kind: who.Kind, Reason: reason, Bundle: made.Manifest, Audit: seq,
			Detail: fmt.Sprintf("made by %s; key %s", made.Node, keyNote(report)),
		})
	})
	if err != nil {
		return b, errors.Join(err, os.Remove(r.path(b.ID)))
	}
	return b, nil
}

func keyNote(r *Report) string {
	name, _, _ := strings.Cut(r.AuditKey, "+")
	if r.KeyGiven {
		return name + ", compared with the one given"
	}
	return name + ", taken from the archive"
}

// unknown checks that the evidence is not here yet.
func (r *Room) unknown(ctx context.Context, manifest string) error {
	b, err := r.Get(ctx, manifest)
	switch {
	case err == nil:
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "this evidence is here already: " + b.Short}
	case honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
		return nil
	}
	return err
}

// receive writes what comes to a file, as far as an archive may be large, and
// verifies it there.
func receive(ctx context.Context, file string, src io.Reader, c Check) (*Report, error) {
	f, err := os.OpenFile(file, os.O_CREATE|os.O_EXCL|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	n, err := io.Copy(f, io.LimitReader(src, MaxArchive+1))
	if err != nil {
		return nil, err
	}
	report, err := Verify(ctx, f, n, c)
	if err != nil {
		return nil, err
	}
	return report, errors.Join(f.Chmod(0o400), f.Sync())
}

// Check verifies a bundle that is here.
func (r *Room) Check(ctx context.Context, b honeyguide.Bundle, c Check) (*Report, error) {
	f, err := r.Read(b)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if c.Key == "" && !b.Imported {
		c.Key = r.dep.Trail.PublicKey()
	}
	report, err := Verify(ctx, f, info.Size(), c)
	if err == nil && report.Sound && report.ID != b.Manifest {
		report.fault(manifestName, "it is another archive than the one that was put here")
		report.Sound = false
	}
	return report, err
}
