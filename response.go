package honeyguide

import "time"

// A Plan is one act of a run: what one step of a playbook does to one target.
// Before it is done it says what would change, which is what an approver sees;
// afterwards it says what was done, how that was checked, and until when it holds.
type Plan struct {
	ID           string            `json:"id"`
	Run          string            `json:"run,omitempty"` // ID
	Incident     string            `json:"incident"`
	Playbook     string            `json:"playbook"`
	Step         string            `json:"step"`
	Action       string            `json:"action"` // name of the action: block_ip, ...
	Target       string            `json:"target"` // address or other object, canonical
	Params       map[string]string `json:"params,omitempty"`
	Effect       string            `json:"effect"` // one sentence: what would change
	Mode         Mode              `json:"mode"`
	State        PlanState         `json:"state"`
	Reason       string            `json:"reason"`             // why planned, or why refused
	By           string            `json:"by,omitempty"`       // whose it is: the person or playbook that started the run
	Evidence     []string          `json:"evidence,omitempty"` // alerts it rests on, by ID
	CreatedAt    time.Time         `json:"created_at"`
	AppliedAt    time.Time         `json:"applied_at,omitzero"`
	VerifiedAt   time.Time         `json:"verified_at,omitzero"` // when the effect was read back
	ExpiresAt    time.Time         `json:"expires_at,omitzero"`  // when the effect ends; blocks always end
	EndedAt      time.Time         `json:"ended_at,omitzero"`    // when it did
	EndedBy      string            `json:"ended_by,omitempty"`   // who ended it, "expiry"
	Attempts     int               `json:"attempts,omitempty"`
	Error        string            `json:"error,omitempty"` // of the last attempt
	Ref          string            `json:"ref,omitempty"`   // what the other side calls it: a ticket's number
	Undo         []byte            `json:"undo,omitempty"`  // what reverting needs, in the action's own words
	Irreversible bool              `json:"irreversible,omitempty"`
}

// A Mode says whether a run acts.
type Mode string

// Modes.
const (
	ModeDryRun Mode = "dry_run" // plans only
	ModeApply  Mode = "apply"
)

// PlanState is how far a plan has come.
type PlanState string

// Plan states. Applied says that the other side took it, verified that its
// effect was read back.
const (
	PlanPlanned   PlanState = "planned"
	PlanWaiting   PlanState = "waiting"  // for an approval
	PlanApplying  PlanState = "applying" // begun; after a crash it is begun again, with the same ID
	PlanApplied   PlanState = "applied"
	PlanVerified  PlanState = "verified"
	PlanReverting PlanState = "reverting"
	PlanReverted  PlanState = "reverted"  // undone by a person or a rollback
	PlanExpired   PlanState = "expired"   // its time was over
	PlanRefused   PlanState = "refused"   // a guard stopped it: the allowlist or the never-block list beat it
	PlanFailed    PlanState = "failed"    // given up
	PlanCancelled PlanState = "cancelled" // its run was, or its approval was denied
)

// InForce reports whether what a plan of this state did holds or may hold.
func (s PlanState) InForce() bool {
	return s == PlanApplying || s == PlanApplied || s == PlanVerified || s == PlanReverting
}

// A Block is the newest block_ip plan of one address as the blocks list shows it.
type Block struct {
	Address   string    `json:"address"` // canonical prefix or address
	State     PlanState `json:"state"`
	Mode      Mode      `json:"mode"`
	Incident  string    `json:"incident"`
	Plan      string    `json:"plan"` // ID
	By        string    `json:"by,omitempty"`
	Reason    string    `json:"reason"`
	CreatedAt time.Time `json:"created_at"`
	AppliedAt time.Time `json:"applied_at,omitzero"`
	ExpiresAt time.Time `json:"expires_at,omitzero"`
	EndedAt   time.Time `json:"ended_at,omitzero"`

	Run        string    `json:"run,omitempty"`        // ID
	VerifiedAt time.Time `json:"verified_at,omitzero"` // when the effect was read back
	EndedBy    string    `json:"ended_by,omitempty"`
	Evidence   []string  `json:"evidence,omitempty"` // alerts it rests on, by ID
	Error      string    `json:"error,omitempty"`    // of the last attempt
}

// Block returns the plan of a block as the blocks list shows it.
func (p *Plan) Block() Block {
	return Block{
		Address: p.Target, State: p.State, Mode: p.Mode, Incident: p.Incident, Plan: p.ID, By: p.By, Reason: p.Reason,
		CreatedAt: p.CreatedAt, AppliedAt: p.AppliedAt, ExpiresAt: p.ExpiresAt, EndedAt: p.EndedAt,
		Run: p.Run, VerifiedAt: p.VerifiedAt, EndedBy: p.EndedBy, Evidence: p.Evidence, Error: p.Error,
	}
}

// A Run is one playbook applied once: to an incident that opened or grew, at a
// time of day, or because a person asked for it. It keeps the steps as they
// were when it began, so that editing a playbook changes no run.
type Run struct {
	ID         string            `json:"id"`
	Short      string            `json:"short"`
	Playbook   string            `json:"playbook"`
	Title      string            `json:"title"`
	Version    string            `json:"version"`            // of the playbook: the first 12 digits of its text's SHA-256
	Incident   string            `json:"incident,omitempty"` // ID, "" for a digest
	Trigger    string            `json:"trigger"`            // incident, incident_opened, schedule, manual
	Mode       Mode              `json:"mode"`
	State      RunState          `json:"state"`
	Reason     string            `json:"reason"`           // why it began
	By         string            `json:"by"`               // who began it: playbook, or a person's name
	Vars       map[string]string `json:"vars,omitempty"`   // given by who began it
	Alerts     []string          `json:"alerts,omitempty"` // that it rests on, by ID
	Step       int               `json:"step"`             // index of the step it is at
	Steps      []RunStep         `json:"steps"`
	Error      string            `json:"error,omitempty"`
	Reverting  bool              `json:"reverting,omitempty"` // what can be undone is being undone, or was
	CreatedAt  time.Time         `json:"created_at"`
	UpdatedAt  time.Time         `json:"updated_at"`
	EndedAt    time.Time         `json:"ended_at,omitzero"`
	DeadlineAt time.Time         `json:"deadline_at,omitzero"` // the step at hand ends by then, or the run says that it is stuck
	StuckAt    time.Time         `json:"stuck_at,omitzero"`
}

// RunState is how far a run has come.
type RunState string

// Run states.
const (
	RunPlanned   RunState = "planned"   // a dry run, over
	RunRunning   RunState = "running"   // has work to do now or at a time
	RunWaiting   RunState = "waiting"   // for an approval
	RunHalted    RunState = "halted"    // the stop switch is on
	RunDone      RunState = "done"      // all steps; what they did may still hold
	RunFailed    RunState = "failed"    // a step was given up; Error says why
	RunCancelled RunState = "cancelled" // by a person, or the approval was denied or came too late
	RunReverted  RunState = "reverted"  // all that could be undone was
)

// Over reports whether a run of this state takes no step any more.
func (s RunState) Over() bool {
	switch s {
	case RunRunning, RunWaiting, RunHalted:
		return false
	}
	return true
}

// A RunStep is one step of a run: how it is to be done, and what became of it.
type RunStep struct {
	Name      string            `json:"name"`
	Action    string            `json:"action"`
	Each      string            `json:"each,omitempty"`   // attackers: one plan for each of them
	Target    string            `json:"target,omitempty"` // else the one target, an expression in ${ } resolved
	When      string            `json:"when,omitempty"`   // condition, evaluated when the step is reached
	Params    map[string]string `json:"params,omitempty"`
	Retries   int               `json:"retries"`    // after the first attempt
	TimeoutMS int64             `json:"timeout_ms"` // of one attempt
	OnFail    string            `json:"on_fail"`    // stop, continue, rollback
	Approval  *ApprovalRule     `json:"approval,omitempty"`

	State     StepState  `json:"state"`
	Plans     []string   `json:"plans,omitempty"` // IDs
	Decisions []Decision `json:"decisions,omitempty"`
	AskedAt   time.Time  `json:"asked_at,omitzero"` // when approval was asked for
	StartedAt time.Time  `json:"started_at,omitzero"`
	EndedAt   time.Time  `json:"ended_at,omitzero"`
	Attempts  int        `json:"attempts,omitempty"`
	Error     string     `json:"error,omitempty"`
}

// StepState is how far a step has come.
type StepState string

// Step states.
const (
	StepPending  StepState = "pending"
	StepWaiting  StepState = "waiting" // for an approval
	StepRunning  StepState = "running"
	StepDone     StepState = "done"
	StepSkipped  StepState = "skipped" // its condition did not hold, or there was no target
	StepFailed   StepState = "failed"
	StepDenied   StepState = "denied"   // by a person
	StepLapsed   StepState = "lapsed"   // nobody approved in time
	StepReverted StepState = "reverted" // what could be undone was
)

// An ApprovalRule says who must agree before a step is done.
type ApprovalRule struct {
	Roles    []string `json:"roles"`     // one of which an approver has
	People   int      `json:"people"`    // different ones, 1 or 2; who began the run by hand is none of them
	WithinMS int64    `json:"within_ms"` // after that the step lapses
}

// A Decision is what one person said about a step that waits.
type Decision struct {
	By       string    `json:"by"`
	Role     string    `json:"role"`
	Approved bool      `json:"approved"`
	Note     string    `json:"note,omitempty"`
	At       time.Time `json:"at"`
}

// A Notice is one message to people on one channel.
type Notice struct {
	ID        string      `json:"id"`
	Channel   string      `json:"channel"`            // name of the action that carries it, "" when there is none
	Event     string      `json:"event,omitempty"`    // trigger, update, resolve, for channels that keep a state
	Chain     string      `json:"chain,omitempty"`    // escalation chain it goes along, and
	Level     int         `json:"level,omitempty"`    // which step of it this one is, 0 the first
	Follows   string      `json:"follows,omitempty"`  // ID of the one of the level before, and
	WaitMS    int64       `json:"wait_ms,omitempty"`  // how long after that this one goes out, unless somebody acknowledges
	Key       string      `json:"key"`                // what it is about; the same again is counted, not sent
	Incident  string      `json:"incident,omitempty"` // ID
	Plan      string      `json:"plan,omitempty"`     // that asked for it
	Severity  Severity    `json:"severity"`
	Title     string      `json:"title"` // attacker bytes may be inside
	Text      string      `json:"text"`  // attacker bytes may be inside
	Link      string      `json:"link,omitempty"`
	State     NoticeState `json:"state"`
	Digest    bool        `json:"digest,omitempty"` // it is to be a line of a digest
	Count     int64       `json:"count"`            // how often it was asked for
	Attempts  int         `json:"attempts"`
	Error     string      `json:"error,omitempty"` // of the last attempt, or why it was not sent
	Ref       string      `json:"ref,omitempty"`   // receipt: what the other side calls it; or the ID of the notice it became part of
	CreatedAt time.Time   `json:"created_at"`
	DueAt     time.Time   `json:"due_at"`             // not before: quiet hours, digest, escalation, the next attempt
	FailedAt  time.Time   `json:"failed_at,omitzero"` // of the first attempt that failed
	SentAt    time.Time   `json:"sent_at,omitzero"`
	// ResolvedAt is when the other side was to be told that it is over.
	ResolvedAt time.Time `json:"resolved_at,omitzero"`
}

// NoticeState is how far a notice has come.
type NoticeState string

// Notice states.
const (
	NoticeQueued   NoticeState = "queued"
	NoticeSent     NoticeState = "sent"     // the other side took it
	NoticeDead     NoticeState = "dead"     // given up; kept to be seen and sent again by hand
	NoticeDigested NoticeState = "digested" // went out as a line of a digest, whose ID is Ref
	NoticeDropped  NoticeState = "dropped"  // not needed any more: acknowledged before it was due
	NoticeCounted  NoticeState = "counted"  // the same was told a short while ago: counted into the notice Ref names
	NoticeKept     NoticeState = "kept"     // there is no channel to send it on; it is here to be read
)
