package verdict_test

import (
	"context"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/internal/telemetry"
	"honeyguide/internal/triage"
	"honeyguide/internal/verdict"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// site is a state whose analysts judge alerts.
type site struct {
	*testing.T
	store    state.Store
	clock    time.Time
	observer *triage.Observer
	alerts   int
	log      strings.Builder
	metrics  *telemetry.Registry
}

func newSite(t *testing.T) *site {
	s := &site{T: t, clock: noon, observer: triage.NewObserver()}
	var err error
	if s.store, err = sqlite.Kind.Open(t.Context(), nil, state.Deps{Dir: t.TempDir(), Now: s.now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.store.Close() })
	return s
}

func (s *site) now() time.Time { return s.clock }

func (s *site) update(f func(ctx context.Context, tx state.Tx) error) {
	s.Helper()
	if err := s.store.Update(s.Context(), func(tx state.Tx) error { return f(s.Context(), tx) }); err != nil {
		s.Fatal(err)
	}
}

func (s *site) trainer() *verdict.Trainer {
	s.Helper()
	s.metrics = telemetry.NewRegistry()
	t, err := verdict.NewTrainer(s.Context(), verdict.TrainerDeps{State: s.store, Now: s.now, Metrics: s.metrics, Log: slog.New(slog.NewTextHandler(&s.log, nil))})
	if err != nil {
		s.Fatal(err)
	}
	return t
}

func (s *site) step(t *verdict.Trainer) {
	s.Helper()
	if err := t.Step(s.Context()); err != nil {
		s.Fatal(err)
	}
}

// judge raises n alerts, an hour apart, and judges each: those of rules whose
// number is below bad are true.
func (s *site) judge(n, bad int) {
	s.Helper()
	s.update(func(ctx context.Context, tx state.Tx) error {
		for range n {
			s.clock = s.clock.Add(time.Hour)
			rule := s.alerts % 6
			a := honeyguide.Alert{
				Time: s.clock, LastAt: s.clock, CreatedAt: s.clock, Detector: "finding", RuleID: fmt.Sprint("suricata:", rule), Title: "x",
				Severity: honeyguide.SeverityMedium, Score: 20, DedupeKey: fmt.Sprint(s.alerts),
			}
			f := s.observer.Observe(triage.Signal{Time: s.clock, Rule: a.RuleID, Asset: "web1", Points: triage.LogOdds(20)}, nil)
			a.Seen = f.Pack()
			s.alerts++
			if _, err := tx.Alerts().Save(ctx, &a); err != nil {
				return err
			}
			as := honeyguide.VerdictFalsePositive
			if rule < bad {
				as = honeyguide.VerdictTruePositive
			}
			if _, _, err := tx.Verdicts().Pass(ctx, a.ID, honeyguide.Verdict{As: as, By: "eve", At: s.clock}); err != nil {
				return err
			}
		}
		return nil
	})
}

func (s *site) history(t *verdict.Trainer) string {
	s.Helper()
	list, err := t.History(s.Context())
	if err != nil {
		s.Fatal(err)
	}
	var out []string
	for _, m := range list {
		out = append(out, fmt.Sprintf("%d %s", m.Number, m.State))
	}
	return strings.Join(out, ", ")
}

// A model is trained when enough was judged, runs in the shadow, and scores once
// it is not worse on verdicts it has not seen.
func TestAModelIsTrainedAndPromoted(t *testing.T) {
	s := newSite(t)
	trainer := s.trainer()
	s.judge(verdict.MinNew-1, 2)
	s.step(trainer)
	if got := s.history(trainer); got != "" {
		t.Fatalf("trained on %d verdicts: %s", s.alerts, got)
	}
	s.judge(1, 2)
	s.step(trainer)
	if got := s.history(trainer); got != "1 shadow" {
		t.Fatalf("after %d verdicts: %s", s.alerts, got)
	}
	if active, shadow := trainer.Models(); active != nil || shadow == nil || shadow.Samples != 15 {
		t.Fatalf("active %v, shadow %v", active, shadow)
	}
	s.step(trainer)
	if got := s.history(trainer); got != "1 shadow" {
		t.Fatalf("promoted on five verdicts: %s", got)
	}
	s.judge(8, 2)
	s.step(trainer)
	if got := s.history(trainer); got != "1 active" {
		t.Fatalf("not promoted: %s\n%s", got, s.log.String())
	}
	active, shadow := trainer.Models()
	if active == nil || shadow != nil {
		t.Fatalf("active %v, shadow %v", active, shadow)
	}
	status, err := trainer.Status(t.Context())
	if err != nil || status.Active == nil || status.Active.HeldOut.Verdicts != 13 || status.Active.HeldOut.LogLoss >= status.Active.HeldOut.OldLogLoss || status.Verdicts != 28 || !status.Usable {
		t.Errorf("%v %+v", err, status)
	}
	good, bad := score(active, "suricata:5"), score(active, "suricata:0")
	if bad < good+1.5 {
		t.Errorf("a rule that was always true has log odds %.1f, one that never was %.1f", bad, good)
	}
	// The next start finds it.
	if again, _ := s.trainer().Models(); again == nil || score(again, "suricata:0") != bad {
		t.Error("a restart has lost the model")
	}
}

func score(m *triage.Model, rule string) float64 {
	f := triage.NewObserver().Observe(triage.Signal{Time: noon, Rule: rule, Asset: "web1", Points: triage.LogOdds(20)}, m.Priors)
	return m.LogOdds(&f)
}

// trained returns a site with an active model.
func trained(t *testing.T) (*site, *verdict.Trainer) {
	s := newSite(t)
	trainer := s.trainer()
	s.judge(60, 2)
	s.step(trainer)
	s.step(trainer)
	if got := s.history(trainer); got != "1 active" {
		t.Fatalf("%s\n%s", got, s.log.String())
	}
	return s, trainer
}

// A model that is worse on what it has not seen does not score.
func TestAWorseModelIsRefused(t *testing.T) {
	s, trainer := trained(t)
	// Analysts say the opposite for a while, a model learns it, and they come back.
	s.flip(60)
	if _, err := trainer.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	s.judge(60, 2)
	if _, err := trainer.Promote(t.Context(), false); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("promoting a worse model: %v", err)
	}
	s.step(trainer)
	if got := s.history(trainer); !strings.HasSuffix(got, "2 refused, 1 active") {
		t.Errorf("%s\n%s", got, s.log.String())
	}
	list, err := trainer.History(t.Context())
	if err != nil || !strings.Contains(list[len(list)-2].Note, "the active one") {
		t.Errorf("%v: no word why: %+v", err, list)
	}
	var text strings.Builder
	if _, err := s.metrics.WriteTo(&text); err != nil || !strings.Contains(text.String(), `honeyguide_triage_trained_total{result="refused"} 1`) {
		t.Errorf("%v: not counted", err)
	}
}

// flip judges n alerts, the rules that were true false and the others true.
func (s *site) flip(n int) {
	for range n {
		s.judge(1, 6*min(s.alerts%6/2, 1))
	}
}

func TestPromoteAndRollBack(t *testing.T) {
	s, trainer := trained(t)
	first, _ := trainer.Models()
	s.flip(60)
	if _, err := trainer.Train(t.Context()); err != nil {
		t.Fatal(err)
	}
	m, err := trainer.Promote(t.Context(), true)
	if err != nil || m.Number != 2 || m.State != state.ModelActive {
		t.Fatalf("%v %+v", err, m)
	}
	if second, shadow := trainer.Models(); shadow != nil || score(second, "suricata:0") == score(first, "suricata:0") {
		t.Error("the model was not promoted")
	}
	if _, err := trainer.Promote(t.Context(), true); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("promoting nothing: %v", err)
	}
	for i, want := range []string{"2 retired, 1 active", "2 retired, 1 retired"} {
		if _, err := trainer.Rollback(t.Context()); err != nil {
			t.Fatal(err)
		}
		if got := s.history(trainer); got != want {
			t.Errorf("after rollback %d: %s", i+1, got)
		}
	}
	if active, _ := trainer.Models(); active != nil {
		t.Error("rolled back twice, and a model still scores")
	}
	if _, err := trainer.Rollback(t.Context()); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("rolling back nothing: %v", err)
	}
}

// A model that cannot be read is a cold start and a warning, not a dead core.
func TestACorruptModelIsAColdStart(t *testing.T) {
	s, _ := trained(t)
	s.update(func(ctx context.Context, tx state.Tx) error {
		return tx.Models().Add(ctx, &state.TriageModel{State: state.ModelActive, Content: []byte(`{"version":1,"features":{}}`)})
	})
	trainer := s.trainer()
	if active, _ := trainer.Models(); active != nil {
		t.Error("it scores")
	}
	if status, err := trainer.Status(t.Context()); err != nil || status.Usable || status.Active == nil || len(status.Weights) == 0 {
		t.Errorf("%v %+v", err, status)
	}
	if !strings.Contains(s.log.String(), "level=WARN") {
		t.Error("nobody is warned")
	}
	if _, err := trainer.Rollback(t.Context()); err != nil {
		t.Errorf("roll back from it: %v", err)
	}
}

func TestTooLittleToLearnFrom(t *testing.T) {
	s := newSite(t)
	trainer := s.trainer()
	s.judge(3, 2)
	if _, err := trainer.Train(t.Context()); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid || !strings.Contains(err.Error(), "20") {
		t.Errorf("three verdicts: %v", err)
	}
	s2 := newSite(t)
	s2.judge(40, 0)
	one := s2.trainer()
	if _, err := one.Train(t.Context()); honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		t.Errorf("verdicts of one kind: %v", err)
	}
	s2.step(one) // and the background stays calm
	if got := s2.history(one); got != "" {
		t.Error(got)
	}
}

func TestRunLearnsWhenWoken(t *testing.T) {
	s := newSite(t)
	s.judge(24, 2)
	trainer := s.trainer()
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() { ended <- trainer.Run(ctx) }()
	for { // it looks once at the start
		if _, shadow := trainer.Models(); shadow != nil {
			break
		}
		time.Sleep(time.Millisecond)
	}
	trainer.Compared(50, 60)
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
	trainer.Judged()
	trainer.Judged() // nobody listens, and nobody waits
}
