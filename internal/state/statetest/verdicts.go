package statetest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// pass passes a verdict on an alert and returns what came back.
func (b *bench) pass(alert string, as honeyguide.VerdictWord, reason string) (a honeyguide.Alert, changed bool) {
	b.Helper()
	b.up(func(ctx context.Context, tx state.Tx) (err error) {
		a, changed, err = tx.Verdicts().Pass(ctx, alert, honeyguide.Verdict{As: as, Reason: reason, By: "eve", At: b.clock.step(time.Minute)})
		return err
	})
	return a, changed
}

// verdicts: a verdict stands on the alert whatever is merged into it, is noted
// each time it changes, and is counted once for each alert.
func verdicts(b *bench) {
	saved := b.saveAlerts(alert("k"), alert("other"), alert("third"))
	a, changed := b.pass("a-1", honeyguide.VerdictFalsePositive, "backup job")
	want := honeyguide.Verdict{As: honeyguide.VerdictFalsePositive, Reason: "backup job", By: "eve", At: start.Add(time.Minute)}
	b.same("verdict of the alert", []any{a.Verdict, changed}, []any{want, true})
	if _, changed := b.pass(saved[0].ID, honeyguide.VerdictFalsePositive, "backup job"); changed {
		b.Error("saying it again changes something")
	}
	more := alert("k")
	more.Score, more.Severity = 99, honeyguide.SeverityCritical
	merged := b.saveAlerts(more)[0]
	if merged.ID != saved[0].ID || merged.Verdict != want {
		b.Errorf("merging lost the verdict: %+v", merged.Verdict)
	}
	b.pass("A-1", honeyguide.VerdictTruePositive, "")
	b.pass("A-2", honeyguide.VerdictBenign, "")
	b.pass("A-2", honeyguide.VerdictNone, "not sure")
	b.pass("A-3", honeyguide.VerdictDuplicate, "")
	b.see(func(ctx context.Context, tx state.Tx) error {
		for word, n := range map[honeyguide.VerdictWord]int{honeyguide.VerdictTruePositive: 1, honeyguide.VerdictFalsePositive: 0, honeyguide.VerdictBenign: 0, honeyguide.VerdictDuplicate: 1, honeyguide.VerdictNone: 1, "": 3} {
			list, _, err := tx.Alerts().List(ctx, state.AlertQuery{Verdict: word})
			if err != nil || len(list) != n {
				b.Errorf("%d alerts with verdict %q, want %d (%v)", len(list), word, n, err)
			}
			c, err := tx.Alerts().Counts(ctx, state.AlertQuery{Verdict: word})
			if total := c[honeyguide.SeverityMedium] + c[honeyguide.SeverityCritical]; err != nil || total != int64(n) {
				b.Errorf("%d counted with verdict %q, want %d (%v)", total, word, n, err)
			}
		}
		all := pages(b, 2, func(p state.Page) ([]honeyguide.Judgement, string, error) {
			return tx.Verdicts().List(ctx, state.VerdictQuery{Page: p})
		})
		got := ""
		for _, j := range all {
			got += fmt.Sprintf("%s %s %s<%s %v; ", j.ID, j.Short, j.Verdict.As, j.Before, j.Standing)
		}
		b.same("history", got, "5 A-3 duplicate< true; 4 A-2 none<benign true; 3 A-2 benign< false; 2 A-1 true_positive<false_positive true; 1 A-1 false_positive< false; ")
		first := all[len(all)-1]
		b.same("what was judged", []any{first.RuleID, first.Source, first.Title, first.Score, first.Time, first.Verdict},
			[]any{"brute_force", "behaviour", "Brute force against k", 40.0, start, want})
		newest, err := tx.Verdicts().Newest(ctx, 10)
		if err != nil || len(newest) != 1 || newest[0].Short != "A-1" || newest[0].Score != 99 || !newest[0].Standing {
			b.Errorf("newest that tell: %v %+v", err, newest)
		}
		tally, err := tx.Verdicts().Tally(ctx, time.Time{})
		b.same("tally", tally, []state.VerdictTally{
			{Rule: "brute_force", Source: "behaviour", Word: honeyguide.VerdictDuplicate, Count: 1},
			{Rule: "brute_force", Source: "behaviour", Word: honeyguide.VerdictNone, Count: 1},
			{Rule: "brute_force", Source: "behaviour", Word: honeyguide.VerdictTruePositive, Count: 1},
		})
		late, err2 := tx.Verdicts().Tally(ctx, start.Add(24*time.Hour))
		b.same("tally of later", late, []state.VerdictTally{})
		for name, q := range map[string]state.VerdictQuery{
			"alert": {Alert: saved[0].ID}, "rule": {Rule: "brute_force", Word: honeyguide.VerdictNone}, "source": {Source: "suricata"}, "standing": {Standing: true, Word: honeyguide.VerdictBenign},
		} {
			list, _, err := tx.Verdicts().List(ctx, q)
			if n := map[string]int{"alert": 2, "rule": 1, "source": 0, "standing": 0}[name]; err != nil || len(list) != n {
				b.Errorf("by %s: %d, want %d (%v)", name, len(list), n, err)
			}
		}
		return errors.Join(err, err2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		_, _, err := tx.Verdicts().Pass(ctx, "A-9", honeyguide.Verdict{As: honeyguide.VerdictBenign})
		b.code("verdict on nothing", err, honeyguide.CodeNotFound)
		_, _, err = tx.Verdicts().Pass(ctx, "A-1", honeyguide.Verdict{As: "guilty"})
		b.code("verdict of another word", err, honeyguide.CodeInvalid)
		return nil
	})
}

// verdictBounds: ugly words stay within bounds, and retention leaves judgements.
func verdictBounds(b *bench) {
	saved := b.saveAlerts(alert("k"))
	ugly := "\xff\x00" + strings.Repeat("é", 3*state.MaxLine)
	b.up(func(ctx context.Context, tx state.Tx) error {
		a, _, err := tx.Verdicts().Pass(ctx, saved[0].ID, honeyguide.Verdict{As: honeyguide.VerdictBenign, Reason: ugly, Comment: ugly, By: ugly})
		if len(a.Verdict.Reason) > state.MaxTitle || len(a.Verdict.Comment) > state.MaxLine || len(a.Verdict.By) > state.MaxKey || a.Verdict.At != start {
			b.Errorf("%d %d %d bytes at %v", len(a.Verdict.Reason), len(a.Verdict.Comment), len(a.Verdict.By), a.Verdict.At)
		}
		return err
	})
	var stored honeyguide.Alert
	b.see(func(ctx context.Context, tx state.Tx) (err error) {
		stored, err = tx.Alerts().Get(ctx, saved[0].ID)
		return err
	})
	if !strings.HasPrefix(stored.Verdict.Reason, "\uFFFD\uFFFDé") {
		b.Errorf("reason %.20q", stored.Verdict.Reason)
	}
	b.up(func(ctx context.Context, tx state.Tx) error {
		if _, err := tx.Retention().Drop(ctx, start.Add(1000*time.Hour), 10); err != nil {
			return err
		}
		_, gone := tx.Alerts().Get(ctx, saved[0].ID)
		b.code("the alert after retention", gone, honeyguide.CodeNotFound)
		kept, err := tx.Verdicts().Newest(ctx, 10)
		b.same("judgements after retention", len(kept), 1)
		return err
	})
}

// models: one is active, one is in the shadow, the one before retires, and what
// is active survives however many come and go.
func models(b *bench) {
	add := func(s state.ModelState, content string) state.TriageModel {
		m := state.TriageModel{State: s, Before: int64(len(content) - 4), Data: "hash", Samples: 40, Positives: 20, Until: start, Content: []byte(content)}
		b.up(func(ctx context.Context, tx state.Tx) error { return tx.Models().Add(ctx, &m) })
		return m
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		_, err := tx.Models().In(ctx, state.ModelActive)
		b.code("active before the first", err, honeyguide.CodeNotFound)
		seq, memory, err := tx.Models().Memory(ctx, "detect")
		b.same("memory before the first", []any{seq, memory == nil}, []any{int64(0), true})
		return err
	})
	one, two := add(state.ModelActive, "one"), add(state.ModelShadow, "two\x00\xff")
	b.same("numbers", []int64{one.Number, two.Number}, []int64{1, 2})
	b.up(func(ctx context.Context, tx state.Tx) error {
		return tx.Models().Set(ctx, 2, state.ModelActive, state.Comparison{Verdicts: 12, LogLoss: .5}, "not worse")
	})
	for n := range state.KeptModels + 5 {
		add(state.ModelRefused, fmt.Sprint("refused ", n))
	}
	b.see(func(ctx context.Context, tx state.Tx) error {
		got, err := tx.Models().In(ctx, state.ModelActive)
		if got.Number != 2 || got.Before != 1 || got.Note != "not worse" || got.HeldOut.Verdicts != 12 || !bytes.Equal(got.Content, []byte("two\x00\xff")) || got.CreatedAt != start {
			b.Errorf("active: %+v", got)
		}
		_, none := tx.Models().In(ctx, state.ModelShadow)
		b.code("shadow after it was promoted", none, honeyguide.CodeNotFound)
		list, err2 := tx.Models().History(ctx)
		if len(list) != state.KeptModels+1 || list[0].Number != 27 || list[len(list)-1].Number != 2 || list[0].Content != nil {
			b.Errorf("history of %d: %+v", len(list), list)
		}
		_, none = tx.Models().Get(ctx, 1)
		b.code("one long retired", none, honeyguide.CodeNotFound)
		return errors.Join(err, err2)
	})
	b.up(func(ctx context.Context, tx state.Tx) error {
		b.code("move of none", tx.Models().Set(ctx, 99, state.ModelActive, state.Comparison{}, ""), honeyguide.CodeNotFound)
		return errors.Join(tx.Models().Remember(ctx, "detect", 7, []byte("a\x00")), tx.Models().Remember(ctx, "detect", 9, []byte("b\x00")))
	})
	b.see(func(ctx context.Context, tx state.Tx) error {
		seq, memory, err := tx.Models().Memory(ctx, "detect")
		b.same("memory", []any{seq, string(memory)}, []any{int64(9), "b\x00"})
		return err
	})
}
