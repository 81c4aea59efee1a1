package privacy_test

import (
	"context"
	"errors"
	"net/netip"
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
	"honeyguide/internal/telemetry"
)

var noon = time.Date(2026, 3, 14, 12, 0, 0, 0, time.UTC)

// broken fails as often as it is told, where recordings are.
type broken struct{ times int }

func (b *broken) Rewrite(context.Context, *personal.Rewriter, bool, func(string, time.Time) bool) ([]string, error) {
	if b.times > 0 {
		b.times--
		return nil, errors.New("the power went")
	}
	return nil, nil
}

type kept struct {
	dep   privacy.Deps
	store *sqlite.Store
	log   *embedded.Store
	fails *broken
}

// furnish makes a desk over real stores in which an address and a name stand.
func furnish(t *testing.T) *kept {
	t.Helper()
	ctx := t.Context()
	store, err := sqlite.Open(ctx, sqlite.Config{}, state.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	log, err := embedded.Open(ctx, embedded.Config{}, eventlog.Deps{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { log.Close(); store.Close() })
	src := honeyguide.Endpoint{Addr: netip.MustParseAddrPort("203.0.113.7:999")}
	if _, err := log.Append(ctx, eventlog.Batch{Events: []honeyguide.Event{{Time: noon, Observed: noon, Sensor: "ssh", Activity: "command", Src: src, Attrs: map[string]any{honeyguide.AttrCommand: "su zebulon"}}}}); err != nil {
		t.Fatal(err)
	}
	if err := store.Update(ctx, func(tx state.Tx) error {
		return tx.Sessions().Save(ctx, &honeyguide.Session{ID: "s1", Src: src, User: "zebulon", StartedAt: noon, LastAt: noon, EndedAt: noon})
	}); err != nil {
		t.Fatal(err)
	}
	fails := &broken{}
	return &kept{privacy.Deps{State: store, Rows: store, Events: log, Recordings: fails, Box: seal.Random(), Key: []byte("k")}, store, log, fails}
}

func parse(t *testing.T, text string) personal.Subject {
	t.Helper()
	s, err := personal.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// TestErasureIsFinished: one that was cut off goes on in the next process, and
// keeps the value sealed only as long as it needs it.
func TestErasureIsFinished(t *testing.T) {
	k, ctx := furnish(t), t.Context()
	who := parse(t, "address:203.0.113.7")
	d := privacy.NewDesk(k.dep)
	k.fails.times = 1
	e, err := d.Erase(ctx, who, "asked by 203.0.113.7")
	if err != nil || strings.Contains(e.Reason, "203") {
		t.Fatal(e, err)
	}
	if left, err := d.Finish(ctx); left != 1 || err == nil {
		t.Fatalf("%d left, %v", left, err)
	}
	if e, _ := d.Erasure(ctx, e.ID); e.State != privacy.Waiting || !strings.Contains(e.Error, "power") {
		t.Errorf("%+v", e)
	}
	d = privacy.NewDesk(k.dep)
	if left, err := d.Finish(ctx); left != 0 || err != nil {
		t.Fatalf("%d left, %v", left, err)
	}
	if e, _ = d.Erasure(ctx, e.ID); e.State != privacy.Done || e.Counts["session"] != 1 || e.Error != "" {
		t.Errorf("%+v", e)
	}
	if found, err := d.Find(ctx, who); err != nil || len(found) != 0 {
		t.Errorf("%+v, %v", found, err)
	}
	if found, _ := d.Find(ctx, parse(t, "user:zebulon")); len(found) != 2 {
		t.Errorf("what was not asked for is gone: %+v", found)
	}
	_ = k.store.View(ctx, func(tx state.Tx) error {
		if text, _ := tx.Meta().Get(ctx, "privacy.erasures"); strings.Contains(text, "sealed") || strings.Contains(text, "203.0") {
			t.Errorf("the ledger keeps the value: %s", text)
		}
		return nil
	})
}

// TestErasureIsRefused by what holds the data.
func TestErasureIsRefused(t *testing.T) {
	k := furnish(t)
	k.dep.Held = func(context.Context, personal.Subject) (string, error) { return "H-3", nil }
	_, err := privacy.NewDesk(k.dep).Erase(t.Context(), parse(t, "address:203.0.113.7"), "x")
	if honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "H-3") {
		t.Error(err)
	}
}

// TestErasureStopsAtAHold that was placed after it was asked for.
func TestErasureStopsAtAHold(t *testing.T) {
	k, ctx, hold := furnish(t), t.Context(), ""
	k.dep.Held = func(context.Context, personal.Subject) (string, error) { return hold, nil }
	d := privacy.NewDesk(k.dep)
	who := parse(t, "address:203.0.113.7")
	if _, err := d.Erase(ctx, who, "x"); err != nil {
		t.Fatal(err)
	}
	hold = "H-4"
	if left, err := d.Finish(ctx); left != 1 || err == nil || !strings.Contains(err.Error(), "H-4") {
		t.Errorf("%d left, %v", left, err)
	}
	if found, err := d.Find(ctx, who); err != nil || len(found) != 2 {
		t.Errorf("what is held was changed: %+v, %v", found, err)
	}
	hold = ""
	if left, err := d.Finish(ctx); left != 0 || err != nil {
		t.Errorf("%d left, %v", left, err)
	}
}

// oldTrail has entries of the older form.
type oldTrail struct{}

func (oldTrail) Find(context.Context, func(honeyguide.AuditEntry) bool) error { return nil }

func (oldTrail) Erase(context.Context, func(string) bool, string) (int, []string, error) {
	return 2, []string{"3 audit entries of an older form"}, nil
}

// TestErasureSaysWhatStays: what cannot go is said, and does not keep the erasure
// from its end.
func TestErasureSaysWhatStays(t *testing.T) {
	k, ctx := furnish(t), t.Context()
	k.dep.Trail = oldTrail{}
	d := privacy.NewDesk(k.dep)
	e, err := d.Erase(ctx, parse(t, "address:203.0.113.7"), "x")
	if err != nil {
		t.Fatal(err)
	}
	if left, err := d.Finish(ctx); left != 0 || err != nil {
		t.Fatal(left, err)
	}
	if e, _ = d.Erasure(ctx, e.ID); e.State != privacy.Done || len(e.Left) != 1 || !strings.Contains(e.Left[0], "older form") || e.Counts["audit"] != 2 {
		t.Errorf("%+v", e)
	}
}

// TestApply: a state from before the erasure is brought to it by hashes alone.
func TestApply(t *testing.T) {
	k, ctx := furnish(t), t.Context()
	d := privacy.NewDesk(k.dep)
	var list []privacy.Erasure
	// One was still waited for where the list comes from: nobody can wait for it here.
	for s, was := range map[string]string{"address:203.0.113.7": privacy.Done, "user:zebulon": privacy.Waiting} {
		list = append(list, privacy.Erasure{ID: s, Hash: parse(t, s).Hash(k.dep.Key), Mark: personal.NewMark().String(), State: was, At: noon})
	}
	if err := d.Apply(ctx, list); err != nil {
		t.Fatal(err)
	}
	for _, s := range []string{"address:203.0.113.7", "user:zebulon"} {
		if found, err := d.Find(ctx, parse(t, s)); err != nil || len(found) != 0 {
			t.Errorf("%s: %+v, %v", s, found, err)
		}
	}
	if got, err := d.Since(ctx, noon); err != nil || len(got) != 2 || got[0].State != privacy.Done || got[1].State != privacy.Done {
		t.Errorf("%+v, %v", got, err)
	}
	if left, err := d.Finish(ctx); left != 0 || err != nil {
		t.Errorf("%d wait: %v", left, err)
	}
}

// TestRetention: what is old goes after an entry says so; what is spared is said.
func TestRetention(t *testing.T) {
	k, ctx := furnish(t), t.Context()
	var entries []honeyguide.AuditEntry
	refuse := errors.New("the disk is full")
	record := func(_ context.Context, e honeyguide.AuditEntry) error { entries = append(entries, e); return refuse }
	keeper := privacy.Keeper{
		Class: privacy.Sessions, Days: 30,
		Drop: func(ctx context.Context, before time.Time) (n int64, err error) {
			err = k.store.Update(ctx, func(tx state.Tx) (err error) {
				n, err = tx.Retention().DropOf(ctx, state.ClassSessions, before, 100)
				return err
			})
			return n, err
		},
		Standing: func(ctx context.Context, before time.Time) (s state.Standing, err error) {
			err = k.store.View(ctx, func(tx state.Tx) (err error) {
				s, err = tx.Retention().Standing(ctx, state.ClassSessions, before)
				return err
			})
			return s, err
		},
	}
	at := noon.AddDate(0, 0, 29)
	r := privacy.NewRetention([]privacy.Keeper{keeper}, k.store, record, telemetry.NewRegistry(), nil, func() time.Time { return at })
	if err := r.Run(ctx); err != nil || len(entries) != 0 {
		t.Fatalf("too early: %v, %v", entries, err)
	}
	list, err := r.List(ctx)
	if err != nil || len(list) != 1 || list[0].Kept != 1 || !list[0].Next.Equal(noon.AddDate(0, 0, 30)) || list[0].Spared != 0 {
		t.Errorf("%+v, %v", list, err)
	}
	at = noon.AddDate(0, 0, 31)
	if err := r.Run(ctx); !errors.Is(err, refuse) {
		t.Errorf("without an entry: %v", err)
	}
	if list, _ := r.List(ctx); list[0].Kept != 1 || list[0].Spared != 0 {
		t.Errorf("removed without an entry: %+v", list)
	}
	refuse = nil
	h := honeyguide.Hold{ID: honeyguide.NewID(noon), Object: "session:s1", Reason: "court", By: "ann", At: noon}
	hold := func() {
		t.Helper()
		if err := k.store.Update(ctx, func(tx state.Tx) error { return tx.Holds().Save(ctx, &h) }); err != nil {
			t.Fatal(err)
		}
	}
	hold()
	for range 2 { // what is held is no reason for an entry
		if err := r.Run(ctx); err != nil || len(entries) != 1 {
			t.Errorf("%+v, %v", entries, err)
		}
	}
	if list, _ := r.List(ctx); list[0].Kept != 1 || list[0].Spared != 1 {
		t.Errorf("held: %+v", list)
	}
	scoured := 0
	r.Scouring(func(context.Context) error {
		if scoured++; scoured == 1 {
			return errors.New("there is no room")
		}
		return nil
	})
	h.Released, h.ReleasedBy, h.ReleaseWhy = at, "ann", "over"
	hold()
	for _, want := range []int{1, 2, 2} { // what could not be done is done at the next pass
		if err := r.Run(ctx); err != nil || len(entries) != 2 || entries[1].Object != "data:sessions" || scoured != want {
			t.Errorf("%+v, %v, made anew %d times", entries, err, scoured)
		}
	}
	if list, _ := r.List(ctx); list[0].Kept != 0 || !list[0].LastAt.Equal(at) {
		t.Errorf("%+v", list)
	}
}
