package sigma

import "honeyguide"

// A Meta is what every document says of itself.
type Meta struct {
	ID, Name, Title, Status, Description, License, Author, Date, Modified string
	References, Tags, FalsePositives                                      []string
	Level                                                                 honeyguide.Severity
	File                                                                  string
	Line                                                                  int // of its first line
	Taxonomy                                                              string
	Related                                                               []Related
	Custom                                                                map[string]string // single values of keys the specification does not have
}

// A Related is another rule, by its id, and what it is to this one: derived,
// obsolete, merged, renamed, similar.
type Related struct{ ID, Type string }

// Key returns what other documents call it by: its id, else its name, else its
// title.
func (m *Meta) Key() string {
	switch {
	case m.ID != "":
		return m.ID
	case m.Name != "":
		return m.Name
	}
	return m.Title
}

// A Rule is a detection rule, ready to be put into an engine.
type Rule struct {
	Meta
	Logsource Source
	Fields    []string // what the author says an analyst wants to see

	sels  map[string]*expr // for explanations and filters
	names []string         // of the selections, in order
	cond  *expr
	nots  []*expr // of filters
}

// A Filter takes events out of rules.
type Filter struct {
	Meta
	Logsource Source
	Rules     []string // ids or names; none means every rule of the logsource
	cond      *expr
}

// A Fault is a document, or a part of one, that could not be used.
type Fault struct {
	File  string
	Line  int
	Rule  string // id, name or title, as far as known
	Kind  FaultKind
	Why   string
	Field string // key it is about, if one
}

// FaultKind says how bad a fault is.
type FaultKind string

// Kinds of faults.
const (
	FaultError       FaultKind = "error"             // the document is not used
	FaultUnsupported FaultKind = "unsupported"       // an old form; not used
	FaultPlaceholder FaultKind = "needs_placeholder" // not used until it has values
	FaultWarning     FaultKind = "warning"           // used
)

// An expr is a condition over atoms. Atoms are those of the document until an
// engine takes them over.
type expr struct {
	op   byte // '&', '|', '!', 'a', '1' at least n
	args []*expr
	n    int
	atom *atom
	id   int32 // in the engine
}

func all(args []*expr) *expr { return join('&', args) }
func any1(args []*expr) *expr {
	return join('|', args)
}

func join(op byte, args []*expr) *expr {
	if len(args) == 1 {
		return args[0]
	}
	return &expr{op: op, args: args}
}

func not(e *expr) *expr { return &expr{op: '!', args: []*expr{e}} }
