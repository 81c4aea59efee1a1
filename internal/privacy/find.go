package privacy

import (
	"archive/zip"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/personal"
	"honeyguide/internal/state"
)

// A Found is how much of one class is held about a subject.
type Found struct {
	Class Class  `json:"class"`
	What  string `json:"what" doc:"table or kind of file"`
	N     int64  `json:"n" doc:"rows, events or files"`
}

// Find says how much is held about a subject, by class.
func (d *Desk) Find(ctx context.Context, s personal.Subject) ([]Found, error) {
	return d.look(ctx, s, nil)
}

// Export writes everything that is held about a subject as a zip archive of JSON
// lines, one file for each table or kind.
func (d *Desk) Export(ctx context.Context, s personal.Subject, w io.Writer) error {
	z := zip.NewWriter(w)
	open := map[string]io.Writer{}
	var current string
	list, err := d.look(ctx, s, func(what string, v any) error {
		name := what + ".jsonl"
		if current != name { // an archive is written one file after the other
			if open[name] != nil {
				return fmt.Errorf("%s is closed", name)
			}
			f, err := z.Create(name)
			if err != nil {
				return err
			}
			open[name], current = f, name
		}
		line, err := json.Marshal(v)
		if err == nil {
			_, err = open[name].Write(append(line, '\n'))
		}
		return err
	})
	if err != nil {
		return err
	}
	f, err := z.Create("summary.json")
	if err != nil {
		return err
	}
	text, err := json.MarshalIndent(map[string]any{"subject": s.String(), "at": d.dep.Now().UTC(), "found": list}, "", "  ")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	return errors.Join(err, z.Close())
}

// look goes through everything and hands what it finds to each, kind by kind.
func (d *Desk) look(ctx context.Context, s personal.Subject, each func(what string, v any) error) ([]Found, error) {
	if each == nil {
		each = func(string, any) error { return nil }
	}
	list, err := d.aliases(s)
	if err != nil {
		return nil, err
	}
	who := []*personal.Rewriter{personal.Erase(s, personal.NewMark())}
	for _, alias := range list {
		who = append(who, personal.Erase(alias, personal.NewMark()))
	}
	counts := map[string]int64{}
	class := map[string]Class{"events": EventData, "recordings": Sessions, "worlds": Worlds, "audit": Audit}
	if err := d.events(ctx, func(rec *eventlog.Record) error {
		if !slices.ContainsFunc(who, func(r *personal.Rewriter) bool { _, n := r.Event(rec.Event); return n > 0 }) {
			return nil
		}
		counts["events"]++
		return each("events", rec.Event)
	}); err != nil {
		return nil, fmt.Errorf("look through the events: %w", err)
	}
	if err := d.dep.Rows.Walk(ctx, func(row state.Row) error {
		hit := slices.ContainsFunc(row.Cells, func(c state.Cell) bool {
			return slices.ContainsFunc(who, func(r *personal.Rewriter) bool { _, n := field(r, row.Table, c.Column, c.Text); return n > 0 })
		})
		if !hit || isLedger(row) {
			return nil
		}
		counts[row.Table]++
		class[row.Table] = classOf(row.Table)
		return each(row.Table, shown(row))
	}); err != nil {
		return nil, fmt.Errorf("look through the state: %w", err)
	}
	if d.dep.Recordings != nil {
		var sessions []string
		for _, r := range who {
			more, err := d.dep.Recordings.Rewrite(ctx, r, true, nil)
			if err != nil {
				return nil, fmt.Errorf("look through the recordings: %w", err)
			}
			sessions = append(sessions, more...)
		}
		slices.Sort(sessions)
		sessions = slices.Compact(sessions)
		counts["recordings"] = int64(len(sessions))
		for _, id := range sessions {
			if err := each("recordings", map[string]string{"session": id}); err != nil {
				return nil, err
			}
		}
	}
	if d.dep.Worlds != nil {
		n, err := d.dep.Worlds(ctx, s, func(b []byte) bool { return who[0].Has(string(b)) > 0 }, true)
		if err != nil {
			return nil, fmt.Errorf("look through the worlds: %w", err)
		}
		counts["worlds"] = int64(n)
	}
	if d.dep.Trail != nil {
		var failed error
		if err := d.dep.Trail.Find(ctx, func(e honeyguide.AuditEntry) bool {
			text, err := json.Marshal(e)
			if err == nil && slices.ContainsFunc(who, func(r *personal.Rewriter) bool { _, n := r.JSON(text); return n > 0 }) {
				counts["audit"]++
				err = each("audit", e)
			}
			failed = err
			return err == nil
		}); err != nil || failed != nil {
			return nil, fmt.Errorf("look through the audit log: %w", errors.Join(err, failed))
		}
	}
	var out []Found
	for what, n := range counts {
		if n > 0 {
			out = append(out, Found{class[what], what, n})
		}
	}
	rank := func(c Class) int {
		if i := slices.Index(Classes, c); i >= 0 {
			return i
		}
		return len(Classes)
	}
	slices.SortFunc(out, func(a, b Found) int {
		if n := rank(a.Class) - rank(b.Class); n != 0 {
			return n
		}
		return strings.Compare(a.What, b.What)
	})
	return out, nil
}

// events calls fn for every stored event.
func (d *Desk) events(ctx context.Context, fn func(*eventlog.Record) error) error {
	for rec, err := range d.dep.Events.Find(ctx, eventlog.Query{}) {
		if err != nil {
			return err
		}
		if err := fn(&rec); err != nil {
			return err
		}
	}
	return nil
}

// shown is a row as somebody may read it: documents as what they are.
func shown(row state.Row) map[string]any {
	out := map[string]any{}
	for _, c := range row.Cells {
		if json.Valid([]byte(c.Text)) {
			out[c.Column] = json.RawMessage(c.Text)
			continue
		}
		out[c.Column] = c.Text
	}
	return out
}

// field replaces in one cell of the state.
func field(r *personal.Rewriter, table, column, text string) (string, int) {
	if table == "meta" && column == "value" {
		// What a detector learnt: how far it had read, and a code of its own. Nothing in
		// that can be replaced, so it learns anew.
		if number, code, ok := strings.Cut(text, " "); ok && len(code) >= 16 && !strings.ContainsAny(code, " {\"") {
			if raw, err := base64.StdEncoding.DecodeString(code); err == nil && r.Has(string(raw)) > 0 {
				return number + " ", 1
			}
		}
	}
	return r.Field(column, text)
}

// since is a moment so many days before now.
func since(now time.Time, days int) time.Time { return now.Add(-time.Duration(days) * 24 * time.Hour) }

// sealPause is how long a day that is being sealed is waited for.
const sealPause = 2 * time.Second

// rewriteEvents changes the event log. A day that just ended is sealed first.
func (d *Desk) rewriteEvents(ctx context.Context, r eventlog.Rewrite) (out eventlog.Rewritten, err error) {
	for attempt := range 5 {
		got, err := d.dep.Events.Rewrite(ctx, r)
		out.Events, out.Values, out.Days, out.Left = out.Events+got.Events, out.Values+got.Values, append(out.Days, got.Days...), got.Left
		if !errors.Is(err, eventlog.ErrUnsealed) || attempt == 4 {
			return out, err
		}
		t := time.NewTimer(sealPause)
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return out, ctx.Err()
		}
	}
	return out, err
}
