package app

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/auth"
	"honeyguide/internal/backup"
	"honeyguide/internal/bundle"
	"honeyguide/internal/comply"
	"honeyguide/internal/personal"
	"honeyguide/internal/privacy"
	"honeyguide/internal/report"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
)

// Compliance measures what can be known of this installation now, and counts what
// happened since a time. What cannot be measured is missing in the answer, with
// why; only a broken store is an error.
func (a *App) Compliance(ctx context.Context, since time.Time) (*comply.Facts, error) {
	f := comply.NewFacts(a.now(), since)
	f.Node, f.Version = a.settings.Node.Name, a.version
	a.buildFacts(f)
	a.hostFacts(f)
	a.settingFacts(f)
	a.doorFacts(f)
	a.cageFacts(ctx, f)
	a.flowFacts(ctx, f)
	failing := int64(0)
	for _, x := range checkSettings(a.settings, f.At) {
		if x.Status == StatusFail {
			failing++
		}
	}
	f.Count("config.findings", failing, "honeyguide doctor, without the rehearsal of the cage")
	return f, errors.Join(a.peopleFacts(ctx, f), a.auditFacts(ctx, f), a.workFacts(ctx, f), a.dataFacts(ctx, f))
}

// peopleFacts are about accounts and keys.
func (a *App) peopleFacts(ctx context.Context, f *comply.Facts) error {
	const from = "state: users"
	var people []honeyguide.User
	q := state.UserQuery{Kind: honeyguide.UserPerson, Page: state.Page{Limit: state.MaxLimit}}
	for {
		list, next, err := a.identity.Users(ctx, q)
		if err != nil {
			return err
		}
		people = append(people, list...)
		if q.After = next; next == "" {
			break
		}
	}
	var active, mfa, strong, strongMFA, admins, idle, disabled, unveiled int64
	roles := map[string]bool{} // and whether it shows personal data
	for i := range people {
		u := &people[i]
		if u.Disabled {
			disabled++
			continue
		}
		active++
		shows, known := roles[u.Role]
		if !known {
			powers, err := a.identity.Powers(ctx, u.Role)
			if err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeNotFound { // a role that is gone grants nothing
				return err
			}
			shows = slices.Contains(powers, auth.PermPersonal)
			roles[u.Role] = shows
		}
		if shows {
			unveiled++
		}
		seen := u.LastLoginAt
		if seen.IsZero() {
			seen = u.CreatedAt
		}
		if f.At.Sub(seen) > idleAfter {
			idle++
		}
		acts := u.Role == "admin" || u.Role == "responder"
		if u.Role == "admin" {
			admins++
		}
		if acts {
			strong++
		}
		if u.SecondFactor {
			mfa++
			if acts {
				strongMFA++
			}
		}
	}
	f.Count("users.active", active, from)
	f.Share("users.mfa", mfa, active, from)
	f.Count("users.without_mfa", active-mfa, from)
	f.Share("users.strong_mfa", strongMFA, strong, from)
	f.Count("users.admins", admins, from)
	f.Count("users.idle", idle, from)
	f.Count("users.disabled", disabled, from)
	f.Count("users.roles", int64(len(roles)), from)
	f.Share("users.unveiled", unveiled, active, from)
	return a.keyFacts(ctx, f)
}

// idleAfter is how long an account or key may be unused before it counts as idle.
const idleAfter = 90 * 24 * time.Hour

func (a *App) keyFacts(ctx context.Context, f *comply.Facts) error {
	const from = "state: keys"
	var keys []honeyguide.APIKey
	if err := a.state.View(ctx, func(tx state.Tx) (err error) {
		keys, err = tx.APIKeys().List(ctx)
		return err
	}); err != nil {
		return err
	}
	var active, endless, admin, idle, bound int64
	oldest := f.At
	for i := range keys {
		k := &keys[i]
		if !k.ExpiresAt.IsZero() && !k.ExpiresAt.After(f.At) {
			continue
		}
		active++
		if k.ExpiresAt.IsZero() {
			endless++
		}
		if k.Role == "admin" {
			admin++
		}
		if len(k.From) > 0 {
			bound++
		}
		if k.CreatedAt.Before(oldest) {
			oldest = k.CreatedAt
		}
		used := k.UsedAt
		if used.IsZero() {
			used = k.CreatedAt
		}
		if f.At.Sub(used) > idleAfter {
			idle++
		}
	}
	f.Count("keys.active", active, from)
	f.Count("keys.unlimited", endless, from)
	f.Count("keys.admin", admin, from)
	f.Count("keys.idle", idle, from)
	f.Share("keys.bound", bound, active, from)
	if active > 0 {
		f.Age("keys.oldest", oldest, from)
	} else {
		f.Missing("keys.oldest", "there is no API key")
	}
	return nil
}

// mostActs bounds the entries of the audit log that are counted for one report.
const mostActs = 50_000

// auditFacts are about the audit log, and what it holds of the period.
func (a *App) auditFacts(ctx context.Context, f *comply.Facts) error {
	const from = "audit log"
	c := a.audit.Checkpoint()
	f.Checkpoint = comply.SignedPoint{Origin: c.Origin, Size: c.Size, Root: c.Root.String(), Line: c.Line(), PublicKey: a.audit.PublicKey()}
	f.Count("audit.entries", c.Size, from)
	f.Flag("audit.writable", a.audit.Refused() == "", from)
	var keep, untold int64
	for _, w := range a.audit.Witnesses() {
		switch {
		case w.Error != "":
			untold++
		case w.Size > 0:
			keep++
		}
	}
	f.Count("audit.witnesses", keep, from)
	f.Count("audit.untold", untold, from)
	if n := a.settings.Audit.RetentionDays; n > 0 {
		f.Days("audit.kept", float64(n), "setting audit.retention_days")
	} else {
		f.Days("audit.kept", comply.Forever, "setting audit.retention_days: 0, for ever")
	}
	if check := a.audit.CheckStatus(ctx, 0); check.Report != nil && !check.Ended.IsZero() {
		f.Age("audit.verified", check.Ended, from)
		f.Flag("audit.sound", check.Report.Sound(), from)
	} else {
		f.Missing("audit.verified", "it was not verified since the start; honeyguide audit verify does")
		f.Missing("audit.sound", "it was not verified since the start; honeyguide audit verify does")
	}
	acts := map[string]*comply.CountedAct{}
	var period, refused, taken int64
	q := audit.Query{From: f.Since, Limit: 1000}
	for period < mostActs {
		list, next, err := a.audit.List(ctx, q)
		if err != nil {
			return err
		}
		for i := range list {
			e := &list[i]
			period++
			if e.Outcome == honeyguide.AuditRefused {
				refused++
				continue
			}
			act := acts[e.Action]
			if act == nil {
				act = &comply.CountedAct{Action: e.Action, Seq: e.Seq, At: e.Time}
				acts[e.Action] = act
			}
			act.N++
			if slices.Contains(taking, e.Action) {
				taken++
			}
		}
		if next == 0 {
			break
		}
		q.Before = next
	}
	for _, act := range acts {
		f.Act(*act)
	}
	f.Count("audit.period", period, from)
	f.Count("auth.refused", refused, from)
	f.Count("evidence.custody", taken, from)
	return nil
}

// taking are the acts by which somebody takes evidence out.
var taking = []string{"export-incident", "get-sample-content", "export-audit", "export-compliance", "export-evidence"}

// workFacts are about what was found and what people did about it.
func (a *App) workFacts(ctx context.Context, f *comply.Facts) error {
	const from = "report kpi"
	return a.state.View(ctx, func(tx state.Tx) error {
		k, err := report.Compute(ctx, tx, f.Since, f.Until)
		if err != nil {
			return err
		}
		for _, d := range k.Times {
			switch d.Name {
			case "time_to_detect_ms":
				f.Mean("kpi.detect", d.MeanMS, d.N, from)
			case "time_to_respond_ms":
				f.Mean("kpi.respond", d.MeanMS, d.N, from)
			}
		}
		for id, name := range map[string]string{"kpi.false": "false_positive_rate", "kpi.tokens": "honeytoken_effectiveness", "kpi.in_time": "answered_in_time"} {
			for i := range k.Shares {
				if s := &k.Shares[i]; s.Name == name {
					f.Estimate(id, s.Value, s.Low, s.High, s.Hits, s.N, from)
				}
			}
		}
		for _, c := range k.Counts {
			f.Count(map[string]string{"escapes": "kpi.escapes", "exfiltrations": "kpi.exfiltration"}[c.Name], c.N, from)
		}
		alerts := int64(0)
		for _, s := range k.Severities {
			alerts += s.Alerts
		}
		f.Count("alerts.period", alerts, from)
		f.Count("incidents.n", k.Incidents.Opened, from)
		f.Count("incidents.open", k.Incidents.Open, from)
		f.Count("incidents.late", k.Incidents.Unanswered, from)
		return a.rowFacts(ctx, tx, f)
	})
}

// rowFacts count rows of the state.
func (a *App) rowFacts(ctx context.Context, tx state.Tx, f *comply.Facts) error {
	unjudged := int64(0)
	open, err := tx.Alerts().Counts(ctx, state.AlertQuery{From: f.Since, To: f.Until, Shown: true, Verdict: honeyguide.VerdictNone, Status: []honeyguide.AlertStatus{honeyguide.AlertNew, honeyguide.AlertAcknowledged, honeyguide.AlertEscalated}})
	for _, n := range open {
		unjudged += n
	}
	dead, err2 := tx.DeadLetters().Count(ctx)
	planted, err3 := count(func(p state.Page) ([]honeyguide.Honeytoken, string, error) { return tx.Tokens().List(ctx, p) }, all[honeyguide.Honeytoken])
	kept, err4 := count(func(p state.Page) ([]honeyguide.Sample, string, error) {
		return tx.Samples().List(ctx, state.SampleQuery{Page: p})
	}, func(s *honeyguide.Sample) bool { return s.Kept == "yes" || s.Kept == "truncated" })
	runs, err5 := count(func(p state.Page) ([]honeyguide.Run, string, error) {
		return tx.Runs().List(ctx, state.RunQuery{From: f.Since, To: f.Until, Page: p})
	}, all[honeyguide.Run])
	lost, err6 := count(func(p state.Page) ([]honeyguide.Notice, string, error) {
		return tx.Notices().List(ctx, state.NoticeQuery{State: honeyguide.NoticeDead, Page: p})
	}, func(n *honeyguide.Notice) bool { return n.CreatedAt.After(f.Since) })
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	const from = "state"
	f.Count("alerts.unjudged", unjudged, from)
	f.Count("records.dead", dead, from)
	f.Count("tokens.planted", planted, from)
	f.Count("samples.kept", kept, from)
	f.Count("runs.period", runs, from)
	f.Count("notify.failed", lost, from)
	return nil
}

// count goes through all pages of a list and counts what is meant.
func count[T any](page func(state.Page) ([]T, string, error), meant func(*T) bool) (n int64, err error) {
	for p := (state.Page{Limit: state.MaxLimit}); ; {
		list, next, err := page(p)
		if err != nil {
			return n, err
		}
		for i := range list {
			if meant(&list[i]) {
				n++
			}
		}
		if p.After = next; next == "" {
			return n, nil
		}
	}
}

// all means every row.
func all[T any](*T) bool { return true }

// dataFacts are about keys, backups, personal data and what must stay.
func (a *App) dataFacts(ctx context.Context, f *comply.Facts) error {
	keys, err := a.vault.Status()
	if err != nil {
		return err
	}
	sealed := comply.Secrets{Sealed: keys.Sealed && len(keys.Clear) == 0, Outside: keys.Sealed && keys.Master != seal.MasterOwn, Plain: int64(len(keys.Clear))}
	if len(keys.Keys) > 0 {
		sealed.Rotated = keys.Keys[0].Made
	}
	f.Secrets(sealed)
	past, err := backup.ReadPast(a.settings.Node.Data)
	if err != nil {
		return err
	}
	f.Backup(comply.Backup{Last: past.At, Tested: past.TestedAt, Encrypted: past.ID != "" && !past.Plain})
	if a.disk != nil {
		f.Store(comply.Store{Reserve: a.disk.keeper.Held(), Quarantined: damaged(a.settings.Node.Data)})
		f.Refused(int64(a.disk.refused.Value()))
	}
	found, sorts := personal.Recognised()
	f.Share("privacy.sorts", int64(found), int64(sorts), "self-test of the search of captured text")
	return errors.Join(a.keptFacts(ctx, f), a.erasingFacts(ctx, f), a.state.View(ctx, func(tx state.Tx) error {
		return errors.Join(holdFacts(ctx, tx, f), evidenceFacts(ctx, tx, f))
	}))
}

// keptFacts are about how long data are kept. The audit log has checks of its own.
func (a *App) keptFacts(ctx context.Context, f *comply.Facts) error {
	classes, err := a.privacy.Retention(ctx)
	if err != nil {
		return err
	}
	var k comply.Kept
	for _, c := range classes {
		if c.Class == string(privacy.Audit) || c.Class == string(privacy.Readable) {
			continue
		}
		if c.Class == string(privacy.EventData) {
			k.Events, k.Oldest = c.Days, c.Oldest
		}
		if k.Longest = max(k.Longest, c.Days); c.Days <= 0 {
			k.Endless++
		}
	}
	f.Kept(k)
	return nil
}

// eraseWithin is how long a request to erase may wait: a month, as article 12 of
// the GDPR has it.
const eraseWithin = 30 * 24 * time.Hour

// erasingFacts are about requests to erase.
func (a *App) erasingFacts(ctx context.Context, f *comply.Facts) error {
	list, err := a.privacy.Erasures(ctx)
	var e comply.Erasing
	for i := range list {
		switch x := &list[i]; {
		case x.State == privacy.Waiting:
			if e.Waiting++; f.At.Sub(x.At) > eraseWithin {
				e.Overdue++
			}
		case x.At.After(f.Since):
			e.Done++
		}
	}
	f.Erasing(e)
	return err
}

// holdFacts are about legal holds: whether what they are about is there, and
// whether somebody thinks of them.
func holdFacts(ctx context.Context, tx state.Tx, f *comply.Facts) error {
	const from = "state: holds"
	holds, err := tx.Holds().List(ctx, true)
	if err != nil {
		return err
	}
	var lost, old int64
	for i := range holds {
		var err error
		switch kind, name := holds[i].Held(); kind {
		case honeyguide.HoldIncident:
			_, err = tx.Incidents().Get(ctx, name)
		case honeyguide.HoldSession:
			_, err = tx.Sessions().Get(ctx, name)
		}
		switch {
		case honeyguide.ErrorCode(err) == honeyguide.CodeNotFound:
			lost++
		case err != nil:
			return err
		}
		if f.At.Sub(holds[i].At) > 365*24*time.Hour {
			old++
		}
	}
	f.Count("holds.active", int64(len(holds)), from)
	f.Count("holds.lost", lost, from)
	f.Count("holds.old", old, from)
	return nil
}

// evidenceFacts are about chains of custody, and what was sealed of the serious
// incidents of the period.
func evidenceFacts(ctx context.Context, tx state.Tx, f *comply.Facts) (err error) {
	var e comply.Evidence
	if e.Chains, e.Broken, err = bundle.Chains(ctx, tx); err != nil {
		return err
	}
	sealed := map[string]bool{}
	if e.Ready, err = count(func(p state.Page) ([]honeyguide.Bundle, string, error) {
		return tx.Bundles().List(ctx, state.BundleQuery{Page: p})
	}, func(b *honeyguide.Bundle) bool {
		made := b.At.After(f.Since)
		if made && b.State == honeyguide.BundleFailed {
			e.Failed++
		}
		if b.State != honeyguide.BundleReady || b.Imported {
			return false
		}
		sealed[b.Incident] = true
		return made
	}); err != nil {
		return err
	}
	e.Serious, err = count(func(p state.Page) ([]honeyguide.Incident, string, error) {
		return tx.Incidents().List(ctx, state.IncidentQuery{Severity: honeyguide.SeverityHigh, From: f.Since, To: f.Until, Page: p})
	}, func(in *honeyguide.Incident) bool {
		if sealed[in.Short] {
			e.Sealed++
		}
		return true
	})
	f.Evidence(e)
	return err
}

// damaged counts what was set aside because it could not be read.
func damaged(data string) (n int64) {
	for _, pattern := range []string{"events/*.bad", "*.db.bad"} {
		list, _ := filepath.Glob(filepath.Join(data, pattern))
		n += int64(len(list))
	}
	return n
}
