package bundle

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/eventlog/embedded"
	"honeyguide/internal/evidence"
	"honeyguide/internal/ipc"
	"honeyguide/internal/seal"
	"honeyguide/internal/state"
)

// place places a hold and returns its name.
func (r *rig) place(object string) string {
	r.Helper()
	h, err := Place(r.Context(), r.store, honeyguide.Hold{Object: object, Reason: "court"}, Doer{"anna", "user", 41}, r.clock)
	r.must(err)
	return h.Short
}

func (r *rig) release(short string) {
	r.Helper()
	_, err := Release(r.Context(), r.store, short, "closed", Doer{"ben", "key", 42}, r.clock)
	r.must(err)
}

// TestHoldsAreCustody: who places and releases a hold is in the chain of its incident,
// with the entry of the audit log.
func TestHoldsAreCustody(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	r.release(r.place("incident:i-1"))
	chain, err := r.Chain(t.Context(), "I-1")
	r.must(err)
	var got string
	for _, s := range chain {
		got += fmt.Sprintf("%s by %s (%s), entry %d; ", s.Act, s.By, s.Kind, s.Audit)
	}
	if want := "hold_placed by anna (user), entry 41; hold_released by ben (key), entry 42; "; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

// TestHeldRecordings: a quota takes the oldest recordings, and none that is held.
func TestHeldRecordings(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	short := r.place("incident:I-1")
	store, err := evidence.Open(t.TempDir(), evidence.Options{Total: 40_000, Holder: Keeper{r.store}})
	r.must(err)
	defer store.Close()
	record := func(session string) {
		r.must(store.Chunk(ipc.Chunk{Session: session, Stream: 'o', Time: noon, Data: bytes.Repeat([]byte{'x'}, 10_000)}))
	}
	kept := func(session string) bool {
		f, err := store.Open(session)
		if err == nil {
			r.must(f.Close())
		}
		return err == nil
	}
	record("session00001") // the oldest, and of the incident
	record("session00002")
	for n := range 20 {
		record(fmt.Sprintf("session1%04d", n))
	}
	if !kept("session00001") || kept("session00002") {
		t.Errorf("held: %v, not held: %v", kept("session00001"), kept("session00002"))
	}
	r.release(short)
	for n := range 20 {
		record(fmt.Sprintf("session2%04d", n))
	}
	if kept("session00001") {
		t.Error("a recording that is not held any more stays beyond the quota")
	}
}

// TestHeldSamples: a sample whose row is gone stays as long as a hold keeps it.
func TestHeldSamples(t *testing.T) {
	r := newRig(t)
	r.attack(1)
	clock := time.Now() // files are as old as the disk says
	var err error
	r.must(r.samples.Close())
	r.samples, err = evidence.OpenSamples(r.dir+"/samples", evidence.SampleOptions{
		Vault: seal.Clear(r.dir + "/keys"), Now: func() time.Time { return clock }, Holder: Keeper{r.store},
	})
	r.must(err)
	other := r.bring([]byte("of somebody else"))
	short := r.place("session:session00001")
	nothing := func(context.Context, string) (bool, error) { return false, nil }
	prune := func() {
		clock = clock.AddDate(0, 6, 0)
		_, err := r.samples.Prune(t.Context(), nothing)
		r.must(err)
	}
	there := func(id string) bool {
		f, err := r.samples.Content(id)
		if err == nil {
			r.must(f.Close())
		}
		return err == nil
	}
	prune()
	if !there(r.sample) || there(other) {
		t.Errorf("held: %v, not held: %v", there(r.sample), there(other))
	}
	r.release(short)
	prune()
	if there(r.sample) {
		t.Error("a sample that is not held any more stays")
	}
}

// TestHeldDays: retention drops days of events, and none with events of what is held.
func TestHeldDays(t *testing.T) {
	r := newRig(t)
	r.attack(1) // on noon's day
	clock := noon.AddDate(0, 0, -2)
	log, err := embedded.Kind.Open(t.Context(), nil, eventlog.Deps{Dir: t.TempDir(), Now: func() time.Time { return clock }, Holder: Keeper{r.store}})
	r.must(err)
	defer log.Close()
	for n := range 6 {
		src := honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(12 + n)}), 1)} // .12 came on the 12th
		_, err := log.Append(t.Context(), eventlog.Batch{Events: []honeyguide.Event{{ID: clock.String(), Time: clock, Observed: clock, Src: src}}})
		r.must(err)
		clock = clock.AddDate(0, 0, 1)
	}
	clock = clock.AddDate(0, 0, -1)
	incident := r.place("incident:I-1")           // of the 14th
	attacker := r.place("attacker:198.51.100.13") // there is no more of them than events
	drop := func(want string) {
		t.Helper()
		days, err := log.Drop(t.Context(), noon.AddDate(0, 0, 2))
		r.must(err)
		if got := fmt.Sprint(days); got != want {
			t.Errorf("dropped %s, want %s", got, want)
		}
	}
	drop("[2026-03-12 2026-03-15]")
	r.release(attacker)
	drop("[2026-03-13]")
	r.release(incident)
	drop("[2026-03-14]")
}

// broken is a state that does not answer.
type broken struct{}

func (broken) View(context.Context, func(state.Tx) error) error { return errors.New("away") }

// TestWhoCannotAskKeeps: what nobody can tell of is taken for held.
func TestWhoCannotAskKeeps(t *testing.T) {
	k := Keeper{broken{}}
	if got := k.HeldSessions([]string{"a", "b"}); len(got) != 2 || !k.HoldsSession("a") || !k.HoldsSample("x") {
		t.Errorf("%v", got)
	}
	if _, err := k.Days(t.Context()); err == nil {
		t.Error("days are told by nobody")
	}
	if _, err := k.Sources(t.Context()); err == nil {
		t.Error("sources are told by nobody")
	}
}
