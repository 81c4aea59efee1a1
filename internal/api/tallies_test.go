package api

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"net/netip"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/live"
	"honeyguide/internal/pipeline"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/verdict"
)

// crowdOfActs does at random what changes alerts: everything the pipeline, people
// and retention do.
type crowdOfActs struct {
	*testing.T
	r        *rand.Rand
	store    state.Store
	now      time.Time
	undo     []string // of changes of status
	changes  []string // of incidents
	hidden   []string // suppressions
	dropped  time.Time
	did      map[string]int
	sessions int
}

// TestTalliesNeverDrift: whatever changes alerts, and in whatever order, the
// counts that are kept are those of counting the alerts one by one.
func TestTalliesNeverDrift(t *testing.T) {
	t.Parallel()
	for seed := range uint64(3) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			c := &crowdOfActs{T: t, r: rand.New(rand.NewPCG(seed, 6)), now: day, dropped: day.AddDate(0, 0, -7), did: map[string]int{}}
			store, err := sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: func() time.Time { return c.now }})
			if err != nil {
				t.Fatal(err)
			}
			defer store.Close()
			c.store = live.Watch(store, live.NewHub(live.Options{}))
			for n := range 300 {
				c.now = c.now.Add(time.Duration(c.r.IntN(300)) * time.Second)
				if n == 200 { // most of what there is goes
					c.now = c.now.Add(48 * time.Hour)
				}
				c.act()
				if n%50 == 49 || t.Failed() {
					c.recount(n)
				}
				if t.Failed() {
					break
				}
			}
			for _, what := range []string{"insert", "status", "undo", "verdict", "gather", "merge", "hide", "lift", "drop", "fail"} {
				if c.did[what] == 0 {
					t.Errorf("%s was never done: %v", what, c.did)
				}
			}
		})
	}
}

// update runs a transaction; that there was nothing to do is no failure.
func (c *crowdOfActs) update(what string, f func(context.Context, state.Tx) error) {
	c.Helper()
	c.outcome(what, c.store.Update(c.Context(), func(tx state.Tx) error { return f(c.Context(), tx) }))
}

func (c *crowdOfActs) outcome(what string, err error) {
	c.Helper()
	if e, user := errors.AsType[*honeyguide.Error](err); user && e.Code != honeyguide.CodeInternal {
		return
	}
	if err != nil {
		c.Fatalf("%s: %v", what, err)
	}
	c.did[what]++
}

func (c *crowdOfActs) alert() honeyguide.Alert {
	n := c.r.IntN(80)
	at := c.now.Add(-time.Duration(c.r.ExpFloat64() * float64(time.Minute)))
	a := honeyguide.Alert{
		Time: at, LastAt: c.now, CreatedAt: c.now, Detector: []string{"behaviour", "violation"}[n/70], RuleID: fmt.Sprint("rule", n%5), Title: fmt.Sprint("alert ", n),
		Severity: honeyguide.Severity(1 + c.r.IntN(5)), DedupeKey: fmt.Sprint("k", n), Sensor: fmt.Sprint("s", n%3), Attacker: fmt.Sprint("attacker:", n%6), Count: 1 + c.r.Int64N(9),
		Src: honeyguide.Endpoint{Addr: netip.AddrPortFrom(netip.AddrFrom4([4]byte{198, 51, 100, byte(n % 11)}), 1), Country: []string{"", "NL", "<b>"}[n%3]},
	}
	for range c.r.IntN(3) {
		a.Attacks = append(a.Attacks, honeyguide.Technique{ID: []string{"T1059.004", "t1105", "T1105", "T1110"}[c.r.IntN(4)]})
	}
	if n%9 == 0 {
		a.Category = honeyguide.CategoryExfiltration
	}
	return a
}

// some returns the names of a few alerts, and one of none.
func (c *crowdOfActs) some(most int) (names []state.AlertName) {
	for range 1 + c.r.IntN(most) {
		names = append(names, state.AlertName{ID: fmt.Sprint("A-", 1+c.r.IntN(120))})
	}
	return names
}

func pickOne[T any](r *rand.Rand, list []T) (v T) {
	if len(list) > 0 {
		v = list[r.IntN(len(list))]
	}
	return v
}

func (c *crowdOfActs) act() {
	ctx := c.Context()
	switch c.r.IntN(16) {
	default:
		c.update("insert", func(ctx context.Context, tx state.Tx) error {
			list := make([]honeyguide.Alert, 1+c.r.IntN(12))
			for i := range list {
				list[i] = c.alert()
			}
			_, err := tx.Alerts().SaveAll(ctx, list)
			return err
		})
	case 0:
		h := honeyguide.Handled{By: pickOne(c.r, []string{"eve", "jo"}), At: state.Time(c.now)}
		out, err := verdict.HandleAll(ctx, c.store, c.some(700), pickOne(c.r, verdict.Given()), h)
		if c.outcome("status", err); out.Undo != "" {
			c.undo = append(c.undo, out.Undo)
		}
	case 1:
		_, err := verdict.Undo(ctx, c.store, pickOne(c.r, c.undo), "eve", c.now)
		c.outcome("undo", err)
	case 2:
		_, err := verdict.Pass(ctx, c.store, idsOf(c.some(20)), honeyguide.Verdict{As: pickOne(c.r, honeyguide.VerdictWords()), By: "eve", At: c.now})
		c.outcome("verdict", err)
	case 3:
		c.update("verdict", func(ctx context.Context, tx state.Tx) error {
			_, _, err := verdict.PassIncident(ctx, tx, fmt.Sprint("I-", 1+c.r.IntN(4)), honeyguide.Verdict{As: pickOne(c.r, honeyguide.VerdictWords()), By: "eve", At: c.now}, c.r.IntN(2) == 0)
			return err
		})
	case 4, 5:
		c.update("gather", func(ctx context.Context, tx state.Tx) error {
			_, list, _, err := pipeline.Gather(ctx, tx, "", "together", idsOf(c.some(5)), "eve", "", c.now)
			for _, x := range list {
				c.changes = append(c.changes, x.ID)
			}
			return err
		})
	case 6:
		c.update("merge", func(ctx context.Context, tx state.Tx) error {
			list, err := pipeline.Merge(ctx, tx, fmt.Sprint("I-", 1+c.r.IntN(4)), []string{fmt.Sprint("I-", 1+c.r.IntN(4))}, "eve", "", c.now)
			for _, x := range list {
				c.changes = append(c.changes, x.ID)
			}
			return err
		})
	case 7:
		c.update("undo", func(ctx context.Context, tx state.Tx) error {
			_, err := pipeline.Undo(ctx, tx, pickOne(c.r, c.changes), "eve", c.now)
			return err
		})
	case 8:
		c.update("hide", func(ctx context.Context, tx state.Tx) error {
			s := honeyguide.Suppression{Match: honeyguide.Match{Rule: fmt.Sprint("rule", c.r.IntN(5))}, Reason: "noise", Owner: "eve", ExpiresAt: c.now.Add(time.Hour)}
			_, err := pipeline.Suppress(ctx, tx, &s, true, c.now)
			if err == nil {
				c.hidden = append(c.hidden, s.ID)
			}
			return err
		})
	case 9:
		c.update("lift", func(ctx context.Context, tx state.Tx) error {
			_, _, err := pipeline.Lift(ctx, tx, pickOne(c.r, c.hidden), "eve", c.r.IntN(3) > 0, c.now)
			return err
		})
	case 10:
		c.update("drop", func(ctx context.Context, tx state.Tx) error {
			before := c.now.Add(-24 * time.Hour).Truncate(24 * time.Hour)
			if _, err := tx.Retention().Drop(ctx, before, 1000); err != nil {
				return err
			}
			if before.After(c.dropped) {
				c.dropped = before
			}
			return nil
		})
	case 11:
		gone := errors.New("the transaction is given up")
		err := c.store.Update(ctx, func(tx state.Tx) error {
			if _, err := tx.Alerts().SaveAll(ctx, []honeyguide.Alert{c.alert(), c.alert()}); err != nil {
				return err
			}
			_, _, err := tx.Verdicts().Pass(ctx, "A-1", honeyguide.Verdict{As: honeyguide.VerdictBenign, By: "jo", At: c.now})
			if err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeNotFound {
				return err
			}
			return gone
		})
		if !errors.Is(err, gone) {
			c.Fatal(err)
		}
		c.did["fail"]++
	case 12:
		c.update("session", func(ctx context.Context, tx state.Tx) error {
			c.sessions++
			s := honeyguide.Session{ID: fmt.Sprint("s", c.r.IntN(30)), Service: "ssh", StartedAt: day.Add(-time.Hour), LastAt: c.now, Commands: int64(c.sessions), Src: honeyguide.Endpoint{Country: "NL"}}
			return tx.Sessions().Save(ctx, &s)
		})
	}
}

// recount compares what is counted with what is there.
func (c *crowdOfActs) recount(n int) {
	c.Helper()
	open := map[honeyguide.AlertStatus]state.BySeverity{}
	want, got := map[string]state.BySeverity{}, map[string]state.BySeverity{}
	weight, gotWeight := map[string]int64{}, map[string]int64{}
	err := c.store.View(c.Context(), func(tx state.Tx) error {
		all, next, err := tx.Alerts().List(c.Context(), state.AlertQuery{Page: state.Page{Limit: state.MaxLimit}})
		if err != nil || next != "" {
			return errors.Join(err, errors.New(next))
		}
		for i := range all {
			a := &all[i]
			by := open[a.Status]
			by[a.Severity]++
			open[a.Status] = by
			if a.Status == honeyguide.AlertSuppressed || a.CreatedAt.Before(c.dropped) {
				continue
			}
			count := func(kind state.TallyKind, name string, w int64) {
				key := string(kind) + " " + name + " " + a.CreatedAt.Truncate(state.TallyDay).Format(time.DateOnly)
				by := want[key]
				by[a.Severity]++
				want[key] = by
				if weight[key] += w; weight[key] == 0 {
					delete(weight, key)
				}
			}
			count(state.TallyAlert, "", 0)
			count(state.TallyRule, a.RuleID, 0)
			count(state.TallySource, state.Addr(a.Src), 0)
			count(state.TallySensor, a.Sensor, 0)
			count(state.TallyCountry, a.Src.Country, 0)
			d, _ := state.Delay(a)
			count(state.TallyDetect, state.TallyBucket(d), d.Milliseconds())
			if what := state.Never(a); what != "" {
				count(state.TallyNever, what, 0)
			}
			ids := map[string]bool{}
			for _, x := range a.Attacks {
				ids[map[string]string{"t1105": "T1105"}[x.ID]+map[bool]string{true: x.ID}[x.ID != "t1105"]] = true
			}
			for id := range ids {
				count(state.TallyTechnique, id, a.Count)
			}
		}
		counted, err := tx.Tallies().Open(c.Context())
		maps.DeleteFunc(counted, func(_ honeyguide.AlertStatus, by state.BySeverity) bool { return by == state.BySeverity{} })
		if !maps.Equal(counted, open) {
			c.Errorf("after %d acts these stand: %v, counted are %v", n, open, counted)
		}
		if err != nil {
			return err
		}
		for _, kind := range []state.TallyKind{state.TallyAlert, state.TallyRule, state.TallySource, state.TallySensor, state.TallyCountry, state.TallyTechnique, state.TallyDetect, state.TallyNever} {
			q := state.TallyQuery{Kind: kind, Step: state.TallyDay, From: c.dropped, To: c.now.Add(time.Hour)}
			err := tx.Tallies().Read(c.Context(), q, func(x state.Tally) error {
				key := string(kind) + " " + x.Name + " " + x.At.Format(time.DateOnly)
				if got[key] = x.By; x.Weight != 0 {
					gotWeight[key] = x.Weight
				}
				return nil
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		c.Fatal(err)
	}
	if len(want) == 0 && c.did["drop"] == 0 {
		c.Error("nothing was counted")
	}
	for key := range want {
		if got[key] != want[key] || gotWeight[key] != weight[key] {
			c.Errorf("after %d acts %s is counted as %v (%d), there are %v (%d)", n, key, got[key], gotWeight[key], want[key], weight[key])
		}
	}
	for key := range got {
		if _, ok := want[key]; !ok {
			c.Errorf("after %d acts %s is counted as %v, there are none", n, key, got[key])
		}
	}
}
