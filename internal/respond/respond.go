// Package respond does something about an attacker, or tells somebody. An
// action is a kind below this folder: it plans, applies, and where the act can
// be read back or undone, verifies and reverts. The [Guard] stands before every
// plan: what it protects is never a target, whatever a playbook says.
//
// Actions keep nothing in memory that matters. The runner calls them, stores
// what they return, and calls them again after a crash: see [Action].
package respond

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"time"

	"honeyguide"
	"honeyguide/internal/fetcher"
	"honeyguide/internal/kind"
	"honeyguide/internal/state"
)

// MaxTTL is the longest a block may last. Blocks always end.
const MaxTTL = 30 * 24 * time.Hour

// A Request asks for one plan.
type Request struct {
	Incident *honeyguide.Incident // nil for a run about none, such as a digest
	Alerts   []honeyguide.Alert   // that caused it
	Run      string               // ID of the run
	Playbook string               // id
	Step     string               // name
	Target   string               // what to act on, as the action understands it
	Params   map[string]string    // values filled in; attacker bytes may be inside
	Mode     honeyguide.Mode
	Reason   string // why this playbook applies
	By       string // who began the run
	Before   int64  // how often this action was applied to this target before
	Now      time.Time
}

// An Action is one kind of response.
//
// Plan is asked inside the transaction that decides, for every incident that
// grows: it looks at nothing slower than memory and changes nothing. The three
// others do real work outside of any transaction, within the time ctx gives
// them, and each may be called twice for the same plan, because the first time's
// outcome was lost in a crash. The second call must leave one effect, not two:
// p.ID is the key to recognise it by, at the other side where that is possible.
type Action interface {
	// Plan returns what would be done, with state planned, or refused with the
	// guard's reason. The runner fills in ID, Run, Incident, Playbook, Step, Mode, By,
	// CreatedAt and Evidence. An error means that the request makes no sense.
	Plan(ctx context.Context, r Request) (honeyguide.Plan, error)
	// Apply does what p says. See [Permanent] and [Later] for errors.
	Apply(ctx context.Context, p honeyguide.Plan) (Receipt, error)
}

// A Verifier can read its effect back. Without one, applied is all that is known.
type Verifier interface {
	// Verify returns nil when the effect is there, an error that says what is
	// missing when it is not. A plan whose verification fails is applied again.
	Verify(ctx context.Context, p honeyguide.Plan) error
}

// A Reverter can undo what was applied. Undoing what is not there is no error.
type Reverter interface {
	Revert(ctx context.Context, p honeyguide.Plan) error
}

// A Receipt is what came of applying: it is stored in the plan.
type Receipt struct {
	Ref    string // what the other side calls it: a ticket's number, a message's id
	Undo   []byte // what reverting needs, in the action's own words; at most 4 KiB
	Detail string // one sentence for the person who looks, "" for none
}

// A Messenger is an action that carries messages to people. Its Apply sends the
// plan's params title and text.
type Messenger interface {
	Action
	// Send delivers m and returns what the other side calls it. It may be called
	// twice for one message; m.ID is the key to recognise it by.
	Send(ctx context.Context, m Message) (ref string, err error)
}

// A LineSender is a messenger that also carries lines written by others, one each,
// to programs that collect them.
type LineSender interface {
	Messenger
	// SendLine delivers a line of harmless text. What is too long for the transport is cut.
	SendLine(ctx context.Context, at time.Time, s honeyguide.Severity, event, line string) error
}

// A Message is what people are told. Title, Text and Fields may hold attacker
// bytes: the messenger makes them harmless in its own format.
type Message struct {
	ID       string // of the notice or plan
	Event    string // trigger, update or resolve: for those that keep a state
	Key      string // what it is about, the same for all messages about one incident
	Severity honeyguide.Severity
	Title    string
	Text     string
	Fields   []Field
	Link     string // to the console, "" when no address of it is configured
	At       time.Time
}

// A Field is one named value of a message.
type Field struct{ Name, Value string }

// Events of a message.
const (
	EventTrigger = "trigger"
	EventUpdate  = "update"
	EventResolve = "resolve"
)

// errPermanent marks what trying again cannot mend.
var errPermanent = errors.New("trying again will not help")

type permanent struct{ error }

func (p permanent) Unwrap() error      { return p.error }
func (permanent) Is(target error) bool { return target == errPermanent }

// Permanent marks an error that trying again cannot mend: a wrong key, a
// request the other side calls wrong.
func Permanent(err error) error { return permanent{err} }

// IsPermanent reports whether trying again is no use.
func IsPermanent(err error) bool { return errors.Is(err, errPermanent) }

// A Wait is an error that says when trying again makes sense: Retry-After.
type Wait struct {
	Err error
	For time.Duration
}

// Error says what Err says.
func (w *Wait) Error() string { return w.Err.Error() }

// Unwrap returns Err.
func (w *Wait) Unwrap() error { return w.Err }

// Later says that the other side asked to be left alone for a time.
func Later(err error, d time.Duration) error { return &Wait{err, d} }

// A Firewall is what the actions on packets stand on; package fwhelper has the
// real one.
type Firewall interface {
	// Block drops the packets of prefixes until their times. One that is blocked
	// already gets the time given.
	Block(ctx context.Context, list ...Barred) error
	// Unblock lets them through again; one that is not blocked is no error.
	Unblock(ctx context.Context, list ...netip.Prefix) error
	// Barred reads back from the kernel whether a prefix is blocked, and until when.
	Barred(ctx context.Context, p netip.Prefix) (until time.Time, blocked bool, err error)
	// Redirect sends new connections of a prefix to a port of this host to another
	// address and port until a time.
	Redirect(ctx context.Context, r Detour) error
	// Unredirect ends that.
	Unredirect(ctx context.Context, r Detour) error
	// Redirected reads it back.
	Redirected(ctx context.Context, r Detour) (bool, error)
}

// Barred is one blocked prefix and when that ends.
type Barred struct {
	Prefix netip.Prefix
	Until  time.Time
}

// A Detour sends the new connections of From to Port on to To. An unspecified
// address in To means this host.
type Detour struct {
	From  netip.Prefix
	Proto string // tcp or udp
	Port  uint16
	To    netip.AddrPort
	Until time.Time
}

// Decoys are the sensors as a response sees them.
type Decoys interface {
	// Hold stops the process of a sensor until a time or Release; its doors are
	// closed meanwhile.
	Hold(ctx context.Context, sensor string, until time.Time, why string) error
	Release(ctx context.Context, sensor string) error
	// Held reports whether it is stopped now.
	Held(ctx context.Context, sensor string) (bool, error)
}

// Notices are what an action tells people through: they are stored, and go out
// when and where the operator wants them.
type Notices interface {
	// Post takes a notice. Its Channel names where it goes: a channel, a chain, several
	// channels between commas, or "" for what is configured. The same ID posted twice
	// is one notice.
	Post(ctx context.Context, n honeyguide.Notice) error
}

// Deps is what the host lends to every kind.
type Deps struct {
	Name     string // of the instance: what playbooks call it
	Log      *slog.Logger
	Guard    *Guard
	State    state.Store      // to read what is in force; nil in tests that need none
	Fetch    fetcher.Doer     // the way to the network; nil: there is none
	Firewall Firewall         // nil: there is none, and Apply says why with [NoFirewall]
	NoFire   string           // why there is none, in words that say what to do
	Halt     func(why string) // stops what asks for more than is sane; nil: nobody does
	Decoys   Decoys           // nil: no sensor runs here
	Notices  Notices          // nil: there is nobody to tell
	Node     string           // name of this node
	Console  string           // address of the console for links, "" when unknown
	Data     string           // data folder
	Scripts  string           // folder of the scripts that may be run, "" when none may (respond.scripts)
	Now      func() time.Time
}

// Link returns the address of an incident in the console, "" when unknown.
func (d Deps) Link(incident string) string {
	if d.Console == "" || incident == "" {
		return ""
	}
	return d.Console + "/incidents/" + incident
}

// Kind is one implementation of the room.
type Kind = kind.Kind[Deps, Action]

// Set is the list of kinds of actions.
type Set = kind.Set[Deps, Action]

// A Param is one parameter of a step that an action understands.
type Param struct {
	Name     string
	Doc      string
	Required bool
}

// A Describer says which parameters its steps may have, so that a misspelt one is
// found when the playbook is read. Without it any parameter is taken.
type Describer interface {
	Params() []Param
}
