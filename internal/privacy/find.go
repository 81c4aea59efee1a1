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
	r := personal.Erase(s, personal.NewMark())
	counts := map[string]int64{}
	class := map[string]Class{"events": EventData, "recordings": Sessions, "worlds": Worlds, "audit": Audit}
	if err := d.events(ctx, func(rec *eventlog.Record) error {
		if _, n := r.Event(rec.Event); n == 0 {
			return nil
		}
		counts["events"]++
		return each("events", rec.Event)
	}); err != nil {
		return nil, fmt.Errorf("look through the events: %w", err)
	}
	if err := d.dep.Rows.Walk(ctx, func(row state.Row) error {
		hit := false
		for _, c := range row.Cells {
			if _, n := field(r, row.Table, c.Column, c.Text); n > 0 {
				hit = true
				break
			}
		}
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
		sessions, err := d.dep.Recordings.Rewrite(ctx, r, true)
		if err != nil {
			return nil, fmt.Errorf("look through the recordings: %w", err)
		}
		counts["recordings"] = int64(len(sessions))
		for _, id := range sessions {
			if err := each("recordings", map[string]string{"session": id}); err != nil {
				return nil, err
			}
		}
	}
	if d.dep.Worlds != nil {
		n, err := d.dep.Worlds(ctx, s, func(b []byte) bool { return r.Has(string(b)) > 0 }, true)
		if err != nil {
			return nil, fmt.Errorf("look through the worlds: %w", err)
		}
		counts["worlds"] = int64(n)
	}
	if d.dep.Trail != nil {
		var failed error
		if err := d.dep.Trail.Find(ctx, func(e honeyguide.AuditEntry) bool {
			text, err := json.Marshal(e)
			if _, n := r.JSON(text); err == nil && n > 0 {
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
	first, last, err := d.dep.Events.Ends(ctx)
	if err != nil {
		return err
	}
	for pos := first - 1; pos < last; {
		recs, err := d.dep.Events.Read(ctx, pos, 4096)
		if errors.Is(err, eventlog.ErrTrimmed) { // retention was faster
			if first, _, err = d.dep.Events.Ends(ctx); err != nil {
				return err
			}
			pos = max(pos, first-1)
			continue
		}
		if err != nil {
			return err
		}
		for i := range recs {
			if err := fn(&recs[i]); err != nil {
				return err
			}
		}
		pos = recs[len(recs)-1].Seq
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

// rewriteEvents erases in the event log. A day that just ended is sealed first.
func (d *Desk) rewriteEvents(ctx context.Context, r *personal.Rewriter) (out eventlog.Rewritten, err error) {
	for attempt := range 5 {
		got, err := d.dep.Events.Rewrite(ctx, eventlog.Rewrite{Change: r.Event})
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
