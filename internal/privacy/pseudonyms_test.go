package privacy_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/personal"
	"honeyguide/internal/privacy"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

var errCut = errors.New("the power went")

// A cutter lets so many steps happen and fails those behind them: -1 never.
type cutter struct{ steps, done int }

func (c *cutter) step() error {
	if c.steps >= 0 && c.done >= c.steps {
		return errCut
	}
	c.done++
	return nil
}

// cutRows fails between the rows it changes, cutEvents between days.
type cutRows struct {
	*sqlite.Store
	c *cutter
}

func (x cutRows) Rewrite(ctx context.Context, r state.Rewrite) (map[string]int64, error) {
	ctx, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	change, table := r.Change, ""
	r.Change = func(t, column, text string) (string, int) {
		if t != table { // each table has pages of its own
			if table = t; x.c.step() != nil {
				stop(errCut)
			}
		}
		if ctx.Err() != nil {
			return text, 0
		}
		return change(t, column, text)
	}
	out, err := x.Store.Rewrite(ctx, r)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	return out, err
}

type cutEvents struct {
	*embedded.Store
	c *cutter
}

func (x cutEvents) Rewrite(ctx context.Context, r eventlog.Rewrite) (out eventlog.Rewritten, err error) {
	if r.Day == nil {
		return x.Store.Rewrite(ctx, r)
	}
	var days []string
	wanted := r.Day
	r.Day = func(day string) bool { // one day a call, so that there is a between
		if wanted(day) && !slices.Contains(days, day) {
			days = append(days, day)
		}
		return false
	}
	if out, err = x.Store.Rewrite(ctx, r); err != nil {
		return out, err
	}
	for _, one := range days {
		if err := x.c.step(); err != nil {
			return out, err
		}
		r.Day = func(day string) bool { return day == one }
		got, err := x.Store.Rewrite(ctx, r)
		out.Events += got.Events
		if err != nil {
			return out, err
		}
	}
	return out, nil
}

// An old is an installation with three old days, and today.
type old struct {
	store *sqlite.Store
	log   *embedded.Store
	dep   privacy.Deps
	cut   *cutter
}

// today is when everything is looked at; the three days are those before.
var today = noon.AddDate(0, 0, 3)

func furnishOld(t *testing.T) *old {
	t.Helper()
	ctx, at := t.Context(), noon
	now := func() time.Time { return at }
	store, err := sqlite.Open(ctx, sqlite.Config{}, state.Deps{Dir: t.TempDir(), Now: now})
	if err != nil {
		t.Fatal(err)
	}
	sealed := make(chan string, 8)
	log, err := embedded.Open(ctx, embedded.Config{}, eventlog.Deps{Dir: t.TempDir(), Now: now, Sealed: func(day, _ string) { sealed <- day }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close(); store.Close() })
	for i := range 4 {
		if i > 0 {
			at = at.AddDate(0, 0, 1)
		}
		for n := range 3 { // the same two sources each day
			src := honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{203, 0, 113, byte(7 + n%2)}), 999), Hostname: ""}
			e := honeyguide.Event{
				ID: fmt.Sprintf("e%d%d", i, n), Time: at, Observed: at, Sensor: "ssh", Session: fmt.Sprintf("session%02d", i), Activity: "command", Src: src,
				Attrs: map[string]any{honeyguide.AttrUser: "zebulon", honeyguide.AttrCommand: "mail zeb@mail.example from 203.0.113.7"},
			}
			if _, err := log.Append(ctx, eventlog.Batch{Events: []honeyguide.Event{e}}); err != nil {
				t.Fatal(err)
			}
			if err := store.Update(ctx, func(tx state.Tx) error {
				a := honeyguide.Alert{ID: fmt.Sprintf("a%d%d", i, n), Time: at, LastAt: at, CreatedAt: at, Title: "from " + src.Addr.Addr().String(), Src: src, Attacker: "attacker:" + src.Addr.Addr().String(), Status: honeyguide.AlertNew, DedupeKey: e.ID, Session: e.Session}
				_, err := tx.Alerts().Save(ctx, &a)
				return errors.Join(err, tx.Sessions().Save(ctx, &honeyguide.Session{ID: e.Session, Src: src, User: "zebulon", StartedAt: at, LastAt: at, EndedAt: at}))
			}); err != nil {
				t.Fatal(err)
			}
		}
		if i > 0 {
			select { // the day before is finished
			case <-sealed:
			case <-time.After(20 * time.Second):
				t.Fatal("a day is not sealed")
			}
		}
	}
	k := &old{store: store, log: log, cut: &cutter{steps: -1}}
	key := personal.NewPseudonyms([]byte("kept"))
	k.dep = privacy.Deps{
		State: store, Rows: cutRows{store, k.cut}, Events: cutEvents{log, k.cut}, Box: seal.Random(), Key: []byte("k"), Now: func() time.Time { return today },
		Pseudonyms: func(bool) (*personal.Pseudonyms, error) { return key, nil },
	}
	return k
}

// content is everything there is, in order, by where it is.
func (k *old) content(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for rec, err := range k.log.Find(t.Context(), eventlog.Query{}) {
		if err != nil {
			t.Fatal(err)
		}
		text, _ := json.Marshal(rec.Event)
		day := rec.Event.Observed.Format(time.DateOnly)
		out[day] = append(out[day], string(text))
	}
	if err := k.store.Walk(t.Context(), func(row state.Row) error {
		if row.Table == "meta" || row.Table == "counter" {
			return nil
		}
		text, _ := json.Marshal(row.Cells)
		out[row.Table] = append(out[row.Table], string(text))
		return nil
	}); err != nil {
		t.Fatal(err)
	}
	return out
}

// personalOf counts the rows that say who somebody is.
func personalOf(rows []string) (n int) {
	for _, s := range rows {
		if strings.Contains(s, "203.0.113.") || strings.Contains(s, "zeb@") || strings.Contains(s, `"zebulon"`) {
			n++
		}
	}
	return n
}

// fade runs until the cut.
func (k *old) fade(ctx context.Context, before time.Time) (int64, error) {
	return privacy.NewDesk(k.dep).Fade(ctx, before)
}

// TestFade: what is old becomes pseudonyms, the same for the same source, and what
// is not old stays.
func TestFade(t *testing.T) {
	k, ctx := furnishOld(t), t.Context()
	d := privacy.NewDesk(k.dep)
	before := today
	if s, err := d.Fading(ctx, before); err != nil || s.Due == 0 {
		t.Fatalf("nothing is due: %+v, %v", s, err)
	}
	n, err := d.Fade(ctx, before)
	if err != nil || n == 0 {
		t.Fatalf("%d, %v", n, err)
	}
	all := k.content(t)
	for _, day := range []string{"2026-03-14", "2026-03-15", "2026-03-16"} {
		if len(all[day]) != 3 || personalOf(all[day]) > 0 {
			t.Errorf("%s: %s", day, all[day])
		}
	}
	if day := today.Format(time.DateOnly); personalOf(all[day]) != 3 {
		t.Errorf("today is not left alone: %s", all[day])
	}
	if n := personalOf(all["alert"]); n != 3 || len(all["alert"]) != 12 {
		t.Errorf("%d of %d alerts say who somebody is, want the 3 of today", n, len(all["alert"]))
	}
	if n := personalOf(all["session"]); n != 1 {
		t.Errorf("%d sessions say who somebody is, want that of today", n)
	}
	sources := map[netip.Addr]int{} // counting goes on
	for rec, err := range k.log.Find(ctx, eventlog.Query{To: today}) {
		if err != nil {
			t.Fatal(err)
		}
		sources[rec.Event.Src.Addr.Addr()]++
	}
	if got := slices.Sorted(maps.Values(sources)); !slices.Equal(got, []int{3, 6}) {
		t.Errorf("events by source: %v", sources)
	}
	for a := range sources {
		if err := k.store.View(ctx, func(tx state.Tx) error {
			list, _, err := tx.Alerts().List(ctx, state.AlertQuery{Src: a.String()})
			if len(list) == 0 {
				t.Errorf("the events of %s have no alerts any more", a)
			}
			return err
		}); err != nil {
			t.Error(err)
		}
	}
	// Who asks while the key is there is still answered, and erased.
	if found, err := d.Find(ctx, parse(t, "address:203.0.113.8")); err != nil || len(found) == 0 || found[0].N != 4 {
		t.Errorf("%+v, %v", found, err)
	}
	if n, err := d.Fade(ctx, before); err != nil || n != 0 {
		t.Errorf("a second time: %d, %v", n, err)
	}
	if s, err := d.Fading(ctx, before); err != nil || s.Due != 0 {
		t.Errorf("still due: %+v, %v", s, err)
	}
	if _, err := d.Erase(ctx, parse(t, "address:203.0.113.8"), "asked"); err != nil {
		t.Fatal(err)
	}
	if left, err := d.Finish(ctx); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	if found, err := d.Find(ctx, parse(t, "address:203.0.113.8")); err != nil || len(found) != 0 {
		t.Errorf("erased and still found: %+v, %v", found, err)
	}
}

// TestFadeIsCut: killed between any two steps, everything is as it was or as it is
// to be, and the next run ends it.
func TestFadeIsCut(t *testing.T) {
	before := today
	whole := furnishOld(t)
	was := whole.content(t)
	if _, err := whole.fade(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	want, steps := whole.content(t), whole.cut.done
	if steps < 6 {
		t.Fatalf("%d steps only", steps)
	}
	k := furnishOld(t)
	for step := range steps {
		*k.cut = cutter{steps: step % (steps - 1)}
		if _, err := k.fade(t.Context(), before); !errors.Is(err, errCut) {
			t.Fatalf("step %d: %v", step, err)
		}
		for where, rows := range k.content(t) {
			if n := personalOf(rows); n != personalOf(was[where]) && n != personalOf(want[where]) {
				t.Errorf("after %d steps %s is half: %d of %d", step, where, n, len(rows))
			}
		}
	}
	*k.cut = cutter{steps: -1}
	if _, err := k.fade(t.Context(), before); err != nil {
		t.Fatal(err)
	}
	got := k.content(t)
	for where := range want {
		if len(got[where]) != len(want[where]) || personalOf(got[where]) != personalOf(want[where]) {
			t.Errorf("%s: %d of %d, want %d of %d", where, personalOf(got[where]), len(got[where]), personalOf(want[where]), len(want[where]))
		}
	}
}

// TestFadeSparesHolds: what is held stays, and follows when it is released.
func TestFadeSparesHolds(t *testing.T) {
	k, ctx := furnishOld(t), t.Context()
	k.dep.Days = func(ctx context.Context) (days map[string]honeyguide.Hold, err error) {
		err = k.store.View(ctx, func(tx state.Tx) (err error) { days, err = tx.Holds().Days(ctx); return err })
		return days, err
	}
	h := honeyguide.Hold{ID: honeyguide.NewID(noon), Object: "session:session01", Reason: "court", By: "ann", At: noon}
	save := func() {
		t.Helper()
		if err := k.store.Update(ctx, func(tx state.Tx) error { return tx.Holds().Save(ctx, &h) }); err != nil {
			t.Fatal(err)
		}
	}
	save()
	before := today
	if _, err := k.fade(ctx, before); err != nil {
		t.Fatal(err)
	}
	all := k.content(t)
	if a, b := personalOf(all["2026-03-14"]), personalOf(all["2026-03-15"]); a != 0 || b != 3 {
		t.Errorf("%d events of a free day and %d of a held one say who somebody is", a, b)
	}
	if n := personalOf(all["session"]); n != 2 {
		t.Errorf("%d sessions, want the held one and that of today", n)
	}
	h.Released, h.ReleasedBy, h.ReleaseWhy = today, "ann", "over"
	save()
	if _, err := k.fade(ctx, before); err != nil {
		t.Fatal(err)
	}
	all = k.content(t)
	if a, b := personalOf(all["2026-03-15"]), personalOf(all["session"]); a != 0 || b != 1 {
		t.Errorf("released, and %d events and %d sessions still say who somebody is", a, b)
	}
}
