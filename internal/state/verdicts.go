package state

import (
	"context"
	"time"

	"honeyguide"
)

// Verdicts are what analysts said of alerts, each time they said something.
type Verdicts interface {
	// Pass sets the verdict of an alert, by its ID or Short, and notes it. The word
	// none takes the verdict away. Saying again what stands changes nothing, and
	// changed is false. CodeNotFound; CodeInvalid for a word that is none.
	Pass(ctx context.Context, alert string, v honeyguide.Verdict) (a honeyguide.Alert, changed bool, err error)
	// List returns a page by the time of the verdict, newest first, and the next
	// cursor, "" at the end.
	List(ctx context.Context, q VerdictQuery) ([]honeyguide.Judgement, string, error)
	// Newest returns the newest standing judgements that say how good a rule was
	// (see [honeyguide.VerdictWord.Telling]), at most most, oldest first.
	Newest(ctx context.Context, most int) ([]honeyguide.Judgement, error)
	// Tally counts the standing judgements since a time by their rule and source.
	Tally(ctx context.Context, since time.Time) ([]VerdictTally, error)
}

// VerdictQuery selects judgements; an empty field selects all.
type VerdictQuery struct {
	Page
	Alert    string // ID
	Rule     string
	Source   string
	Word     honeyguide.VerdictWord
	Standing bool      // only those nothing was said after
	From, To time.Time // of the verdict, from <= t < to
}

// VerdictTally is how often one word stands for one rule.
type VerdictTally struct {
	Rule, Source string
	Word         honeyguide.VerdictWord
	Count        int64
}

// KeptJudgements is how many judgements are kept; the oldest go first. Retention
// does not touch them: they hold no attacker's words but an alert's title.
const KeptJudgements = 50_000

// Models are what triage has learnt, and what it remembers of the log.
type Models interface {
	// Add keeps a model in a state and gives it its number, 1 first. Of each of the
	// states active and shadow there is one: the one before becomes retired.
	Add(ctx context.Context, m *TriageModel) error
	// Set moves a model to another state by the same rule, and notes why. CodeNotFound.
	Set(ctx context.Context, number int64, to ModelState, c Comparison, note string) error
	// Get returns a model with its content; CodeNotFound.
	Get(ctx context.Context, number int64) (TriageModel, error)
	// In returns the model in a state with its content; CodeNotFound.
	In(ctx context.Context, s ModelState) (TriageModel, error)
	// History returns all models without their content, newest first.
	History(ctx context.Context) ([]TriageModel, error)
	// Remember keeps what a consumer's triage knows of the log up to seq.
	Remember(ctx context.Context, consumer string, seq int64, memory []byte) error
	// Memory returns what was kept, nil when nothing was.
	Memory(ctx context.Context, consumer string) (seq int64, memory []byte, err error)
}

// A ModelState says what a model is used for.
type ModelState string

// The states of models.
const (
	ModelShadow  ModelState = "shadow"  // scores beside the active one and shows nothing
	ModelActive  ModelState = "active"  // gives the scores
	ModelRetired ModelState = "retired" // was one of the two
	ModelRefused ModelState = "refused" // was worse than the active one
)

// A TriageModel is one model and what is known of it.
type TriageModel struct {
	Number    int64      `json:"number"`
	State     ModelState `json:"state"`
	CreatedAt time.Time  `json:"created_at"`
	Data      string     `json:"data"`    // SHA-256 of the verdicts it was trained on
	Samples   int        `json:"samples"` // alerts it was trained on
	Positives int        `json:"positives"`
	Until     time.Time  `json:"until"`            // it has seen no verdict after this one
	HeldOut   Comparison `json:"held_out"`         // when it was last compared
	Note      string     `json:"note,omitempty"`   // why it is in this state
	Before    int64      `json:"before,omitempty"` // number of the model it took over from
	Content   []byte     `json:"-"`                // as package triage writes it
}

// A Comparison is how two models do on verdicts that neither was trained on.
// Lower log loss is better, and higher average precision.
type Comparison struct {
	Verdicts     int       `json:"verdicts"`
	Positives    int       `json:"positives"`
	LogLoss      float64   `json:"log_loss"`
	Precision    float64   `json:"average_precision"`
	OldLogLoss   float64   `json:"old_log_loss"` // of the model that was active
	OldPrecision float64   `json:"old_average_precision"`
	At           time.Time `json:"at,omitzero"`
}

// KeptModels is how many models are kept beside the active one and the shadow.
const KeptModels = 20

// TidyVerdict brings a verdict within the bounds of the store.
func TidyVerdict(v *honeyguide.Verdict) {
	if v.As == "" || v.As == honeyguide.VerdictNone {
		*v = honeyguide.Verdict{}
		return
	}
	v.As = honeyguide.VerdictWord(Key(string(v.As)))
	v.Reason, v.Comment, v.By = Clip(Column(v.Reason), MaxTitle), Clip(Column(v.Comment), MaxLine), Key(v.By)
	times(&v.At)
}
