package verdict

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/telemetry"
	"honeyguide/internal/triage"
)

// How models come and go.
const (
	MinNew      = 20     // verdicts since the last training that start another
	MinHeldOut  = 10     // verdicts a model is compared on, at least
	MaxHeldOut  = 500    // and at most: the newest
	MaxVerdicts = 10_000 // the newest, that a model learns from: some 20 MB of memory
	maxWait     = time.Hour
)

// TrainerDeps is what a trainer works with.
type TrainerDeps struct {
	State   state.Store
	Metrics *telemetry.Registry
	Log     *slog.Logger     // nil: none
	Now     func() time.Time // nil: time.Now
}

// A Trainer learns models from verdicts, and holds the one that scores and the
// one in the shadow. It is safe for concurrent use.
type Trainer struct {
	dep            TrainerDeps
	active, shadow atomic.Pointer[triage.Model]
	wake           chan struct{}
	work           sync.Mutex // one training, promotion or rollback at a time
	number         *telemetry.GaugeVec
	compared       *telemetry.CounterVec
	trained        *telemetry.CounterVec
}

// NewTrainer returns a trainer with the models the state holds. One that cannot
// be read is passed over with a warning: then the model of a site without
// verdicts scores.
func NewTrainer(ctx context.Context, dep TrainerDeps) (*Trainer, error) {
	if dep.Log == nil {
		dep.Log = slog.New(slog.DiscardHandler)
	}
	if dep.Now == nil {
		dep.Now = time.Now
	}
	t := &Trainer{
		dep: dep, wake: make(chan struct{}, 1),
		number:   dep.Metrics.Gauge("honeyguide_triage_model", "Number of the triage model that scores, 0 for the one of a site without verdicts."),
		compared: dep.Metrics.Counter("honeyguide_triage_shadow_total", "Scores the model in the shadow would have given, by how they differ by more than five points.", "differs"),
		trained:  dep.Metrics.Counter("honeyguide_triage_trained_total", "Triage models trained, by what became of them at once.", "result"),
	}
	for _, word := range []string{"higher", "lower", "same"} {
		t.compared.With(word).Add(0)
	}
	for _, word := range []string{"shadow", "promoted", "refused", "failed"} {
		t.trained.With(word).Add(0)
	}
	return t, t.load(ctx)
}

// load reads the models of the state.
func (t *Trainer) load(ctx context.Context) error {
	return t.dep.State.View(ctx, func(tx state.Tx) error {
		for _, x := range []struct {
			in   state.ModelState
			into *atomic.Pointer[triage.Model]
		}{{state.ModelActive, &t.active}, {state.ModelShadow, &t.shadow}} {
			stored, found, err := in(ctx, tx, x.in)
			if err != nil {
				return err
			}
			var m *triage.Model
			if found {
				if m, err = triage.ReadModel(stored.Content); err != nil {
					t.dep.Log.WarnContext(ctx, "triage model cannot be used; scores are those of a site without verdicts", "model", stored.Number, "state", string(x.in), "error", err)
				}
			}
			x.into.Store(m)
			if x.in == state.ModelActive {
				t.number.Set(0)
				if m != nil {
					t.number.Set(float64(stored.Number))
				}
			}
		}
		return nil
	})
}

// in returns the model in a state, if there is one.
func in(ctx context.Context, tx state.Tx, s state.ModelState) (m state.TriageModel, found bool, err error) {
	m, err = tx.Models().In(ctx, s)
	if err != nil && honeyguide.ErrorCode(err) == honeyguide.CodeNotFound {
		return m, false, nil
	}
	return m, err == nil, err
}

// Models returns the model that scores and the one in the shadow, nil for none.
func (t *Trainer) Models() (active, shadow *triage.Model) { return t.active.Load(), t.shadow.Load() }

// Compared counts what the shadow would have scored.
func (t *Trainer) Compared(active, shadow float64) {
	switch {
	case shadow > active+5:
		t.compared.With("higher").Add(1)
	case shadow < active-5:
		t.compared.With("lower").Add(1)
	default:
		t.compared.With("same").Add(1)
	}
}

// Judged tells that verdicts were passed.
func (t *Trainer) Judged() {
	select {
	case t.wake <- struct{}{}:
	default: // one look is due already
	}
}

// Run trains and promotes whenever there is reason to, until ctx ends.
func (t *Trainer) Run(ctx context.Context) error {
	tick := time.NewTicker(maxWait)
	defer tick.Stop()
	for {
		if err := t.Step(ctx); err != nil && ctx.Err() == nil {
			return err
		}
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		case <-t.wake:
		}
	}
}

// Step does what is due: it promotes or refuses the model in the shadow when
// there are verdicts to tell by, and trains another when enough new ones came.
func (t *Trainer) Step(ctx context.Context) error {
	t.work.Lock()
	defer t.work.Unlock()
	judged, err := t.judged(ctx)
	if err != nil {
		return err
	}
	if err := t.settle(ctx, judged); err != nil {
		return err
	}
	due, err := t.due(ctx, judged)
	if err != nil || !due {
		return err
	}
	if _, err := t.train(ctx, judged); err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeInvalid {
		return err
	}
	return nil
}

// judged reads what was judged and can be learnt from, oldest verdict first.
func (t *Trainer) judged(ctx context.Context) ([]triage.Judged, error) {
	var out []triage.Judged
	err := t.dep.State.View(ctx, func(tx state.Tx) error {
		list, err := tx.Verdicts().Newest(ctx, MaxVerdicts)
		for _, j := range list {
			positive, telling := j.Verdict.As.Telling()
			if seen, ok := triage.Unpack(j.Seen); ok && telling {
				out = append(out, triage.Judged{Rule: j.RuleID, Seen: seen, Positive: positive, At: j.Verdict.At})
			}
		}
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("read verdicts to learn from: %w", err)
	}
	return out, nil
}

// due reports whether enough was judged since the newest model was trained.
func (t *Trainer) due(ctx context.Context, judged []triage.Judged) (bool, error) {
	var last time.Time
	err := t.dep.State.View(ctx, func(tx state.Tx) error {
		list, err := tx.Models().History(ctx)
		if len(list) > 0 {
			last = list[0].CreatedAt
		}
		return err
	})
	return err == nil && len(after(judged, last)) >= MinNew, err
}

// after returns what was judged after a time.
func after(judged []triage.Judged, at time.Time) []triage.Judged {
	for i := range judged {
		if judged[i].At.After(at) {
			return judged[i:]
		}
	}
	return nil
}

// Train trains a model at once. It goes into the shadow. CodeInvalid when there
// are too few verdicts.
func (t *Trainer) Train(ctx context.Context) (state.TriageModel, error) {
	t.work.Lock()
	defer t.work.Unlock()
	judged, err := t.judged(ctx)
	if err != nil {
		return state.TriageModel{}, err
	}
	return t.train(ctx, judged)
}

func (t *Trainer) train(ctx context.Context, judged []triage.Judged) (state.TriageModel, error) {
	var m state.TriageModel
	if len(judged) < MinNew {
		return m, invalid("training wants at least %d verdicts that say true_positive, false_positive or benign; there are %d", MinNew, len(judged))
	}
	// The newest quarter is held out, to compare by.
	learn := judged[:len(judged)-min(MaxHeldOut, len(judged)/4)]
	now := t.dep.Now()
	population, err := t.population(ctx, learn[0].At)
	if err != nil {
		return m, err
	}
	model, err := triage.Learn(learn, triage.Cold(), triage.TrainOptions{Name: "verdicts of this site", Now: now, Population: population})
	if err != nil {
		t.trained.With("failed").Add(1)
		return m, invalid("there are too few verdicts of one kind to learn from: both true positives and others are needed among the %d oldest of %d", len(learn), len(judged))
	}
	content, err := model.Encode()
	if err != nil {
		return m, err
	}
	m = state.TriageModel{
		State: state.ModelShadow, CreatedAt: now, Data: model.Data, Samples: model.Samples, Positives: model.Positives, Until: learn[len(learn)-1].At,
		HeldOut: t.compare(model, judged[len(learn):]), Note: "runs in the shadow", Content: content,
	}
	err = t.dep.State.Update(ctx, func(tx state.Tx) error {
		old, _, err := in(ctx, tx, state.ModelActive)
		if err != nil {
			return err
		}
		m.Before = old.Number
		return tx.Models().Add(ctx, &m)
	})
	if err != nil {
		return m, fmt.Errorf("keep triage model: %w", err)
	}
	t.trained.With("shadow").Add(1)
	t.dep.Log.InfoContext(ctx, "triage model trained", "model", m.Number, "verdicts", m.Samples, "true_positives", m.Positives)
	return m, t.load(ctx)
}

// population is how many alerts there were to judge since about a time.
func (t *Trainer) population(ctx context.Context, since time.Time) (n int64, err error) {
	err = t.dep.State.View(ctx, func(tx state.Tx) error {
		counts, err := tx.Alerts().Counts(ctx, state.AlertQuery{From: since.Add(-24 * time.Hour)})
		for _, c := range counts {
			n += c
		}
		return err
	})
	return n, err
}

// compare measures a model beside the active one.
func (t *Trainer) compare(m *triage.Model, held []triage.Judged) state.Comparison {
	old := t.active.Load()
	if old == nil {
		old = triage.Cold()
	}
	c := state.Comparison{Verdicts: len(held), At: t.dep.Now()}
	positive := make([]bool, len(held))
	for i := range held {
		if positive[i] = held[i].Positive; positive[i] {
			c.Positives++
		}
	}
	a, b := m.Judge(held), old.Judge(held)
	// How common true positives are among what people chose to judge is no merit
	// of a model, so neither measure depends on it.
	c.LogLoss, c.OldLogLoss = triage.ShiftedLogLoss(a, positive), triage.ShiftedLogLoss(b, positive)
	c.Precision, c.OldPrecision = triage.AveragePrecision(a, positive), triage.AveragePrecision(b, positive)
	return c
}

// worse says why a comparison does not speak for a model, "" when it does.
func worse(c state.Comparison) string {
	const same = 1e-9
	switch {
	case c.LogLoss > c.OldLogLoss+same:
		return fmt.Sprintf("log loss %.4f on %d verdicts, the active one %.4f", c.LogLoss, c.Verdicts, c.OldLogLoss)
	case c.Precision < c.OldPrecision-same:
		return fmt.Sprintf("average precision %.4f on %d verdicts, the active one %.4f", c.Precision, c.Verdicts, c.OldPrecision)
	}
	return ""
}

// settle promotes or refuses the model in the shadow by the verdicts neither
// model has learnt from, once there are some of both kinds.
func (t *Trainer) settle(ctx context.Context, judged []triage.Judged) error {
	m, c, err := t.held(ctx, judged)
	if err != nil || m == nil || c.Verdicts < MinHeldOut || c.Positives == 0 || c.Positives == c.Verdicts {
		return err
	}
	if why := worse(c); why != "" {
		t.trained.With("refused").Add(1)
		t.dep.Log.InfoContext(ctx, "triage model refused", "model", m.Number, "because", why)
		return t.move(ctx, m, state.ModelRefused, c, why)
	}
	t.trained.With("promoted").Add(1)
	t.dep.Log.InfoContext(ctx, "triage model promoted", "model", m.Number, "verdicts", c.Verdicts)
	return t.move(ctx, m, state.ModelActive, c, fmt.Sprintf("not worse on %d verdicts", c.Verdicts))
}

// held returns the model in the shadow, nil when there is none, and how it does
// on the newest verdicts it has not seen.
func (t *Trainer) held(ctx context.Context, judged []triage.Judged) (*state.TriageModel, state.Comparison, error) {
	var stored state.TriageModel
	found := false
	err := t.dep.State.View(ctx, func(tx state.Tx) (err error) {
		stored, found, err = in(ctx, tx, state.ModelShadow)
		return err
	})
	m := t.shadow.Load()
	if err != nil || !found || m == nil {
		return nil, state.Comparison{}, err
	}
	rest := after(judged, stored.Until)
	return &stored, t.compare(m, rest[max(0, len(rest)-MaxHeldOut):]), nil
}

func (t *Trainer) move(ctx context.Context, m *state.TriageModel, to state.ModelState, c state.Comparison, note string) error {
	err := t.dep.State.Update(ctx, func(tx state.Tx) error {
		return tx.Models().Set(ctx, m.Number, to, c, note)
	})
	if err != nil {
		return fmt.Errorf("move triage model: %w", err)
	}
	return t.load(ctx)
}

func invalid(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf(format, args...)}
}
