package state

import (
	"context"
	"time"

	"honeyguide"
)

// Alerts are what detectors claim.
type Alerts interface {
	// Save merges a into the open alert (new, acknowledged, escalated) with the same
	// DedupeKey as [MergeAlert] says, or inserts it: with the next Short "A-<n>", an
	// ID when it has none or its ID is taken, status new when it has none and
	// CreatedAt when it has none. An empty DedupeKey never merges. On return a holds
	// the stored row.
	Save(ctx context.Context, a *honeyguide.Alert) (created bool, err error)
	// SaveAll is Save for each of list, in fewer steps. On return list holds the
	// stored rows.
	SaveAll(ctx context.Context, list []honeyguide.Alert) (created []bool, err error)
	// Put replaces the alert of a.ID by a as it is: a status, an incident, a score
	// that somebody decided. ID, Short and CreatedAt stay. CodeNotFound; CodeConflict
	// when it would become the second open alert of its DedupeKey.
	Put(ctx context.Context, a *honeyguide.Alert) error
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Alert, error)
	// List returns a page by CreatedAt, newest first, and the cursor of the next one,
	// "" at the end.
	List(ctx context.Context, q AlertQuery) ([]honeyguide.Alert, string, error)
	// Counts counts the alerts List would return over all pages, by severity.
	Counts(ctx context.Context, q AlertQuery) (map[honeyguide.Severity]int64, error)
	// Names returns the ids and statuses of what List would return over all pages,
	// oldest first, most of them at most.
	Names(ctx context.Context, q AlertQuery, most int) ([]AlertName, error)
}

// An AlertName is an alert and how it stands.
type AlertName struct {
	ID     string
	Status honeyguide.AlertStatus
}

// Incidents are what analysts work on.
type Incidents interface {
	// Save stores the full value i: over the incident with its ID, else over the one
	// with its Key that is neither resolved nor closed, else as a new one with the
	// next Short "I-<n>". ID, Short and CreatedAt of a stored incident stay. On return
	// i holds the stored row. CodeConflict when reopening would leave two open
	// incidents of one Key.
	Save(ctx context.Context, i *honeyguide.Incident) (created bool, err error)
	// OpenByKey returns the incident of key that is neither resolved nor closed. CodeNotFound.
	OpenByKey(ctx context.Context, key string) (honeyguide.Incident, error)
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Incident, error)
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q IncidentQuery) ([]honeyguide.Incident, string, error)
}

// Sessions are what peers did, in short.
type Sessions interface {
	// Save stores the full value s under its ID, which must not be empty.
	Save(ctx context.Context, s *honeyguide.Session) error
	Get(ctx context.Context, id string) (honeyguide.Session, error) // CodeNotFound
	// List returns a page by StartedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q SessionQuery) ([]honeyguide.Session, string, error)
}

// Tokens are the bait and what became of it.
type Tokens interface {
	// Save stores t under its ID, which must not be empty; a new one gets the next
	// Short "HT-<n>". Short, CreatedAt, counts and times of a stored one stay, so
	// planting the same bait at every start loses nothing.
	Save(ctx context.Context, t *honeyguide.Honeytoken) error
	// Get takes an ID or a Short in any case. CodeNotFound.
	Get(ctx context.Context, id string) (honeyguide.Honeytoken, error)
	// List returns a page by Short, highest number first, and the next cursor, "" at the end.
	List(ctx context.Context, p Page) ([]honeyguide.Honeytoken, string, error)
	// Expose notes that the token was read and counts it. The same EventID for the
	// same token changes nothing. CodeNotFound for a token nobody saved.
	Expose(ctx context.Context, e honeyguide.Exposure) error
	// Exposures returns the newest exposures of a token, at most [ListedExposures].
	Exposures(ctx context.Context, token string) ([]honeyguide.Exposure, error)
	// Use notes that the token came back and counts it. The same eventID for the same
	// token changes nothing. CodeNotFound for a token nobody saved.
	Use(ctx context.Context, token, eventID string, at time.Time) error
	// Uses returns the uses of a token (its ID) at or after a time, newest first: of
	// the last [KeptExposures].
	Uses(ctx context.Context, token string, since time.Time) ([]TokenUse, error)
}

// Plans are what responses would do.
type Plans interface {
	// Save stores the full value p under its ID, which must not be empty. Saving it
	// again changes nothing. The Incident of a stored one stays (see Move).
	Save(ctx context.Context, p *honeyguide.Plan) error
	Get(ctx context.Context, id string) (honeyguide.Plan, error) // CodeNotFound
	// ByIncident returns the plans of an incident (its ID), oldest first, at most [MaxLimit].
	ByIncident(ctx context.Context, incident string) ([]honeyguide.Plan, error)
	// List returns a page by CreatedAt, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q PlanQuery) ([]honeyguide.Plan, string, error)
	// Blocks returns one row per address, from the newest plan with Action
	// [ActionBlockIP] on it: a page by CreatedAt, newest first, and the next cursor.
	Blocks(ctx context.Context, p Page) ([]honeyguide.Block, string, error)
	// InForce calls fn for every plan of an action in mode apply whose effect holds or
	// may hold (see [honeyguide.PlanState.InForce]), in the order of targets; with a
	// target, for those on it. fn must not ask the store. An error of fn ends it.
	InForce(ctx context.Context, action, target string, fn func(*honeyguide.Plan) error) error
	// Targets calls fn for every target of those plans once, in order. fn must not
	// ask the store. An error of fn ends it.
	Targets(ctx context.Context, action string, fn func(target string) error) error
	// Changed calls fn for every plan of an action in mode apply that was saved at or
	// after a time, oldest change first. fn must not ask the store.
	Changed(ctx context.Context, action string, since time.Time, fn func(p *honeyguide.Plan, at time.Time) error) error
	// Count counts plans of an action in mode apply; see [PlanCount].
	Count(ctx context.Context, q PlanCount) (int64, error)
	// Move is that of [Timeline].
	Move(ctx context.Context, from, to string, only []string) ([]string, error)
}

// PlanCount says which plans of an action in mode apply are counted.
type PlanCount struct {
	Action  string
	Target  string    // "" = any
	Since   time.Time // AppliedAt at or after; zero = any time, also those never applied
	InForce bool      // only those whose effect holds or may hold
}

// ActionBlockIP is the Action of the plans that make up the list of blocks.
const ActionBlockIP = "block_ip"

// DeadLetters are inputs nobody understood.
type DeadLetters interface {
	// Add stores letters; one without an ID gets one, one whose ID is known is passed over.
	Add(ctx context.Context, letters ...honeyguide.DeadLetter) error
	// List returns a page by Time, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q DeadLetterQuery) ([]honeyguide.DeadLetter, string, error)
	Count(ctx context.Context) (int64, error)
}

// Cursors are the positions of those who read the event log.
type Cursors interface {
	// Cursor returns the position of a consumer, 0 when it never moved.
	Cursor(ctx context.Context, consumer string) (int64, error)
	// Move sets the position to, 0 or more. CodeConflict when it is not at from: two
	// consumers have one name.
	Move(ctx context.Context, consumer string, from, to int64) error
}

// Meta keeps single values: a schema of something, the id of this node.
type Meta interface {
	Get(ctx context.Context, key string) (string, error) // "" when absent
	Put(ctx context.Context, key, value string) error
}

// Jobs is the table behind package jobs, which explains it.
type Jobs interface {
	// Add stores jobs and gives them their IDs; one whose Kind and Key are those of
	// a job that still waits or runs is passed over and keeps ID 0. One with a Lease
	// is added as claimed: it is its adder's until then.
	Add(ctx context.Context, jobs ...*Job) error
	// Claim leases up to n due jobs of kinds (all when there are none) until
	// now + lease and raises their Attempt. Jobs whose last lease ran out die.
	Claim(ctx context.Context, now time.Time, kinds []string, n int, lease time.Duration) ([]Job, error)
	// Extend, Done and Fail are for the holder of attempt; they return false when the
	// lease was lost. Done removes the job. Fail lets it run again at retry, or die
	// when it was the last attempt.
	Extend(ctx context.Context, id int64, attempt int, until time.Time) (held bool, err error)
	Done(ctx context.Context, id int64, attempt int) (held bool, err error)
	Fail(ctx context.Context, id int64, attempt int, cause string, retry time.Time) (held bool, err error)
	// Revive lets a dead job run again at a time, with its attempts counted from 0. CodeNotFound.
	Revive(ctx context.Context, id int64, at time.Time) error
	// Next returns when the earliest waiting job of kinds (all when there are none)
	// is due or its lease ends; the zero time when there is none.
	Next(ctx context.Context, kinds []string) (time.Time, error)
	// List returns a page by ID, newest first, and the next cursor, "" at the end.
	List(ctx context.Context, q JobQuery) ([]Job, string, error)
}

// A Job is something to do outside the transaction that asked for it.
type Job struct {
	ID          int64
	Kind        string    // who does it
	Key         string    // at most one living job per Kind and Key; "" = no limit
	RunAt       time.Time // not before
	Lease       time.Time // claimed until; zero when nobody has it
	Attempt     int       // how often it was claimed; it fences Done against a lost lease
	MaxAttempts int       // 0 = [DefaultAttempts]
	Arg         []byte    // for the one who does it
	Error       string    // why the last attempt failed
	Dead        bool      // no attempts left; kept to be seen
}

// DefaultAttempts is how often a job is tried unless it says otherwise.
const DefaultAttempts = 10

// Retention forgets. It is for the owner's retention period only.
type Retention interface {
	// Drop removes what is older than before: ended sessions, dead letters, dead jobs,
	// exposures, samples and alerts by LastAt, resolved or closed incidents by UpdatedAt with
	// their plans. It removes at most max rows of each kind, so that the transaction
	// stays short, and returns how many it removed: call it again until it is 0.
	Drop(ctx context.Context, before time.Time, max int) (int64, error)
	// DropOf is Drop for the rows of one class.
	DropOf(ctx context.Context, class Class, before time.Time, max int) (int64, error)
	// DropCounts forgets old counts: those in short steps after days, the others by
	// before. Call it again until it is 0.
	DropCounts(ctx context.Context, before time.Time) (int64, error)
	// Standing says how much of a class there is, how much of it is older than
	// before, and how much of that goes.
	Standing(ctx context.Context, class Class, before time.Time) (Standing, error)
}

// A Class is a sort of rows that are kept for one purpose and as long as that lasts.
type Class string

// The classes of rows. Events, recordings and other files are not in the state.
const (
	ClassSessions    Class = "sessions"
	ClassSamples     Class = "samples"
	ClassAlerts      Class = "alerts" // with incidents, what was done about them, and counts
	ClassAttackers   Class = "attackers"
	ClassDeadLetters Class = "dead_letters"
	ClassNotices     Class = "notices"
	ClassLogins      Class = "logins"
)

// Classes are all classes of rows.
var Classes = []Class{ClassSessions, ClassSamples, ClassAlerts, ClassAttackers, ClassDeadLetters, ClassNotices, ClassLogins}

// A Standing is how much of a class there is.
type Standing struct {
	Kept   int64
	Over   int64     // older than the limit
	Due    int64     // of those, what nothing keeps: it goes with the next [Retention.DropOf]
	Oldest time.Time // zero when there is nothing
}
