package app

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
	"honeyguide/internal/comply"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/privacy"
	"honeyguide/internal/report"
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
	var active, mfa, strong, strongMFA, admins, idle, disabled int64
	roles := map[string]bool{}
	for i := range people {
		u := &people[i]
		if u.Disabled {
			disabled++
			continue
		}
		active++
		roles[u.Role] = true
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
	root, _ := c.Root.MarshalJSON() // base64 in quotes
	f.Checkpoint = comply.SignedPoint{Origin: c.Origin, Size: c.Size, Root: string(trimQuotes(root)), Line: c.Line(), PublicKey: a.audit.PublicKey()}
	f.Count("audit.entries", c.Size, from)
	f.Flag("audit.writable", a.audit.Refused() == "", from)
	f.Count("audit.witnesses", int64(len(a.settings.Audit.Witness)), "setting audit.witness")
	if n := a.settings.Audit.RetentionDays; n > 0 {
		f.Days("audit.kept", float64(n), "setting audit.retention_days")
	} else {
		f.Days("audit.kept", 36500, "setting audit.retention_days: 0, for ever")
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
	planted, _, err3 := tx.Tokens().List(ctx, state.Page{Limit: state.MaxLimit})
	samples, _, err4 := tx.Samples().List(ctx, state.SampleQuery{Page: state.Page{Limit: state.MaxLimit}})
	runs, _, err5 := tx.Runs().List(ctx, state.RunQuery{From: f.Since, To: f.Until, Page: state.Page{Limit: state.MaxLimit}})
	failed, _, err6 := tx.Notices().List(ctx, state.NoticeQuery{State: honeyguide.NoticeDead, Page: state.Page{Limit: state.MaxLimit}})
	if err := errors.Join(err, err2, err3, err4, err5, err6); err != nil {
		return err
	}
	lost := int64(0)
	for i := range failed {
		if failed[i].CreatedAt.After(f.Since) {
			lost++
		}
	}
	kept := int64(0)
	for i := range samples {
		if k := samples[i].Kept; k == "yes" || k == "truncated" {
			kept++
		}
	}
	const from = "state"
	f.Count("alerts.unjudged", unjudged, from)
	f.Count("records.dead", dead, from)
	f.Count("tokens.planted", int64(len(planted)), from)
	f.Count("samples.kept", kept, from)
	f.Count("runs.period", int64(len(runs)), from)
	f.Count("notify.failed", lost, from)
	return nil
}

// dataFacts are about keys, backups, personal data and what must stay.
func (a *App) dataFacts(ctx context.Context, f *comply.Facts) error {
	keys, err := a.vault.Status()
	if err != nil {
		return err
	}
	sealed := comply.Secrets{Sealed: keys.Sealed && len(keys.Clear) == 0, Outside: keys.Sealed && keys.Master != "own", Plain: int64(len(keys.Clear))}
	if len(keys.Keys) > 0 {
		sealed.Rotated = keys.Keys[0].Made
	}
	f.Secrets(sealed)
	past, err := backup.ReadPast(a.settings.Node.Data)
	if err != nil {
		return err
	}
	kept := int64(0)
	if past.ID != "" {
		kept = 1 // more may lie where they were written to, which may be away now
	}
	f.Backup(comply.Backup{Last: past.At, Tested: past.TestedAt, Encrypted: past.ID != "" && !past.Plain, Count: kept})
	if a.disk != nil {
		f.Store(comply.Store{Reserve: a.disk.keeper.Held(), Quarantined: damaged(a.settings.Node.Data)})
		f.Refused(int64(a.disk.refused.Value()))
	}
	if err := a.state.View(ctx, func(tx state.Tx) error {
		holds, err := tx.Holds().List(ctx, true)
		f.Count("holds.active", int64(len(holds)), "state: holds")
		if err != nil {
			return err
		}
		sealed, err := bundlesSince(ctx, tx, f.Since)
		f.Count("evidence.bundles", sealed, "state: bundles")
		return err
	}); err != nil {
		return err
	}
	classes, err := a.privacy.Retention(ctx)
	if err != nil {
		return err
	}
	erased, err := a.privacy.Since(ctx, f.Since)
	if err != nil {
		return err
	}
	all, err := a.privacy.Erasures(ctx)
	p := comply.Privacy{Erasures: int64(len(erased))}
	for _, c := range classes {
		if c.Days > 0 && c.Class != string(privacy.Readable) {
			p.Classes++
		}
	}
	for _, e := range all {
		if e.State == privacy.Waiting {
			p.Pending++
		}
	}
	f.Privacy(p)
	a.personalFacts(ctx, f)
	return err
}

// personalPatience is how long the events of a period are looked at.
const personalPatience = 10 * time.Second

// personalFacts counts the events that personalFact marked.
func (a *App) personalFacts(ctx context.Context, f *comply.Facts) {
	ctx, cancel := context.WithTimeout(ctx, personalPatience)
	defer cancel()
	n := int64(0)
	for _, err := range a.events.Find(ctx, eventlog.Query{From: f.Since, Where: []eventlog.Filter{{Dim: honeyguide.AttrPersonal, Op: eventlog.OpAny}}}) {
		if err != nil {
			f.Missing("privacy.findings", "the events of the period were not looked through in "+personalPatience.String()+": "+err.Error())
			return
		}
		n++
	}
	f.Searched(n)
}

// bundlesSince counts the archives of evidence that were sealed since a time.
func bundlesSince(ctx context.Context, tx state.Tx, since time.Time) (n int64, err error) {
	for p := (state.BundleQuery{Page: state.Page{Limit: state.MaxLimit}}); ; {
		list, next, err := tx.Bundles().List(ctx, p)
		if err != nil {
			return n, err
		}
		for i := range list {
			if list[i].At.After(since) {
				n++
			}
		}
		if p.After = next; next == "" {
			return n, nil
		}
	}
}

// damaged counts what was set aside because it could not be read.
func damaged(data string) (n int64) {
	for _, pattern := range []string{"events/*.bad", "*.db.bad"} {
		list, _ := filepath.Glob(filepath.Join(data, pattern))
		n += int64(len(list))
	}
	return n
}

func trimQuotes(b []byte) []byte {
	if len(b) >= 2 && b[0] == '"' {
		return b[1 : len(b)-1]
	}
	return b
}
