package state

import (
	"context"
	"math"
	"strconv"
	"time"

	"honeyguide"
)

// Tallies are counts that are kept while rows are written, so that what a console
// shows first costs the same whether there are a thousand alerts or ten million.
// They hold alerts that no suppression hides, by CreatedAt.
type Tallies interface {
	// Add counts n rows of a kind that the store does not see being written, such as
	// events, in the hour and the day of a time.
	Add(ctx context.Context, kind TallyKind, at time.Time, name string, s honeyguide.Severity, n int64) error
	// Read calls fn for every count of a kind whose step begins in [q.From, q.To),
	// oldest first. fn must not ask the store. An error of fn ends it.
	Read(ctx context.Context, q TallyQuery, fn func(Tally) error) error
	// Open returns how many alerts there are now of each status and severity.
	Open(ctx context.Context) (map[honeyguide.AlertStatus]BySeverity, error)
	// Clocks returns how many incidents nobody has answered, how many of them are
	// near their time and how many are over it.
	Clocks(ctx context.Context, now time.Time) (Clocks, error)
	// Due returns the incidents nobody has answered, the one that is due first first.
	Due(ctx context.Context, most int) ([]honeyguide.Incident, error)
	// Words counts the standing verdicts passed in [from, to) by step and word.
	Words(ctx context.Context, from, to time.Time, step time.Duration) ([]WordTally, error)
}

// A TallyKind says what is counted by what.
type TallyKind string

// The kinds. Weight is 0 where nothing else is said.
const (
	TallyAlert     TallyKind = "alert"     // alerts; the only kind with quarters of an hour
	TallyRule      TallyKind = "rule"      // alerts by RuleID
	TallySource    TallyKind = "source"    // alerts by source address; hours are kept for three days
	TallySensor    TallyKind = "sensor"    // alerts by sensor
	TallyCountry   TallyKind = "country"   // alerts by country of the source, "" when it is not known
	TallyTechnique TallyKind = "technique" // alerts by ATT&CK id; Weight: events behind them
	TallyDetect    TallyKind = "detect"    // alerts by how long detection took, see [TallyBucket]; Weight: milliseconds
	TallyRespond   TallyKind = "respond"   // incidents by how long the answer took, by their CreatedAt; Weight: milliseconds
	TallyNever     TallyKind = "never"     // what must not happen, by [NeverEscape] and [NeverExfiltration]
	TallyEvent     TallyKind = "event"     // events by country of the source, by when they happened; "" when it is not known
	TallyHeard     TallyKind = "heard"     // events by sensor or source, by when they happened
	TallySession   TallyKind = "session"   // sessions by country of the source, by StartedAt, without severity
)

// What must not happen. Alerts that were judged false or benign do not count.
const (
	NeverEscape       = "escapes"
	NeverExfiltration = "exfiltrations"
)

// Steps of tallies.
const (
	TallyQuarter = 15 * time.Minute
	TallyHour    = time.Hour
	TallyDay     = 24 * time.Hour
)

// A TallyQuery selects counts.
type TallyQuery struct {
	Kind     TallyKind
	Step     time.Duration // one of the steps
	From, To time.Time     // of the beginning of the step
	Most     int           // the largest counts of each step; 0 = all. For [TallySource] only
}

// BySeverity is a count for each severity.
type BySeverity [honeyguide.SeverityCritical + 1]int64

// Total returns the sum.
func (b BySeverity) Total() (n int64) {
	for _, x := range b {
		n += x
	}
	return n
}

// Worst returns the highest severity that was counted.
func (b BySeverity) Worst() honeyguide.Severity {
	for s := honeyguide.SeverityCritical; s > 0; s-- {
		if b[s] > 0 {
			return s
		}
	}
	return 0
}

// Add adds another count.
func (b *BySeverity) Add(more BySeverity) {
	for i := range b {
		b[i] += more[i]
	}
}

// A Tally is one count.
type Tally struct {
	At     time.Time // begin of the step
	Name   string
	By     BySeverity
	Weight int64
}

// Clocks is how the clocks of incidents stand.
type Clocks struct {
	Waiting int64 // nobody has answered
	AtRisk  int64 // of them, four fifths of the time are over
	Missed  int64 // of them, all of it is
}

// A WordTally is how often a word stands in a step of time.
type WordTally struct {
	At   time.Time
	Word honeyguide.VerdictWord
	N    int64
}

// bucketsPerE is how many buckets of durations there are for each factor of e:
// each is 5 % wider than the one before.
const bucketsPerE = 20

// TallyBucket names the bucket a duration is counted in; less than zero is zero.
func TallyBucket(d time.Duration) string {
	ms := float64(max(d.Milliseconds(), 0))
	return strconv.Itoa(int(math.Log(1+ms) * bucketsPerE))
}

// TallyDuration returns the middle of a bucket, which is at most 3 % off what was
// counted in it beyond a tenth of a second; 0 for what is no bucket.
func TallyDuration(bucket string) time.Duration {
	n, err := strconv.Atoi(bucket)
	if err != nil || n <= 0 || n > 44*bucketsPerE {
		return 0
	}
	ms := math.Exp((float64(n)+.5)/bucketsPerE) - 1
	return time.Duration(ms * float64(time.Millisecond))
}

// Delay returns how long detection of an alert took.
func Delay(a *honeyguide.Alert) (time.Duration, bool) {
	if a.Time.IsZero() {
		return 0, false
	}
	return max(a.CreatedAt.Sub(a.Time), 0), true
}

// Response returns how long the first answer to an incident took: until it was
// contained or judged. An incident that lives on in another has none.
func Response(i *honeyguide.Incident) (time.Duration, bool) {
	at := i.Clock.ContainedAt
	if q := i.Clock.QualifiedAt; at.IsZero() || !q.IsZero() && q.Before(at) {
		at = q
	}
	d := at.Sub(i.CreatedAt)
	return d, !at.IsZero() && d >= 0 && i.Joined == ""
}

// Never names what an alert tells of that must not happen, "" when it is nothing
// of the kind.
func Never(a *honeyguide.Alert) string {
	switch {
	case a.Verdict.As == honeyguide.VerdictFalsePositive || a.Verdict.As == honeyguide.VerdictBenign:
		return ""
	case a.Detector == "violation":
		return NeverEscape
	case a.Category == honeyguide.CategoryExfiltration && a.Session == "":
		return NeverExfiltration
	}
	return ""
}

// Ticking returns when an incident is due and when four fifths of its time are
// over; zero when its clock has stopped or stands still.
func Ticking(i *honeyguide.Incident) (due, warn time.Time) {
	c := &i.Clock
	stopped := !c.ContainedAt.IsZero() || !c.QualifiedAt.IsZero() || !OpenIncident(i.Status) || i.Joined != "" ||
		i.Verdict.As != "" && i.Verdict.As != honeyguide.VerdictNone
	if i.DueAt.IsZero() || stopped || i.Status == honeyguide.IncidentOnHold {
		return time.Time{}, time.Time{}
	}
	all := i.DueAt.Sub(i.CreatedAt) - time.Duration(c.HeldMS)*time.Millisecond
	return i.DueAt, i.DueAt.Add(-max(all, 0) / 5)
}
