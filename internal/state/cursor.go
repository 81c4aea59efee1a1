package state

import (
	"encoding/base64"
	"encoding/binary"
	"unicode/utf8"

	"honeyguide"
)

// cursorVersion is the first byte of every cursor. A cursor of another version is
// refused, which sends a client back to the first page.
const cursorVersion = 1

// A List names the list a cursor belongs to.
type List byte

// The lists.
const (
	ListAlerts      List = 'a'
	ListIncidents   List = 'i'
	ListSessions    List = 's'
	ListTokens      List = 't'
	ListPlans       List = 'p'
	ListBlocks      List = 'b'
	ListDeadLetters List = 'd'
	ListJobs        List = 'j'
	ListSamples     List = 'm'
	ListVerdicts    List = 'v'
	ListEnrichments List = 'e'
	ListAttackers   List = 'k'
	ListBundles     List = 'B'
)

var cursorText = base64.RawURLEncoding.Strict()

// changes marks the cursor of a list in the order of changes.
const changes = 0x80

// Changes returns the list in the order of changes, for its cursors.
func (l List) Changes() List { return l | changes }

// ByChange reports whether a page is one in the order of changes.
func (p Page) ByChange(l List) bool {
	switch l {
	case ListAlerts, ListIncidents, ListSessions, ListRuns, ListPlans, ListNotices, ListSuppressions:
	default:
		return false
	}
	if p.After == "" {
		return !p.Since.IsZero()
	}
	_, _, err := ParseCursor(l.Changes(), p.After)
	return err == nil
}

// Cursor writes the place of a row in a list: what it is sorted by, and its ID.
func Cursor(list List, at int64, id string) string {
	b := make([]byte, 0, 10+len(id))
	b = append(b, cursorVersion, byte(list))
	b = binary.BigEndian.AppendUint64(b, uint64(at))
	return cursorText.EncodeToString(append(b, id...))
}

// ParseCursor reads what Cursor wrote for the same list. Anything else is an
// error with CodeInvalid.
func ParseCursor(list List, s string) (at int64, id string, err error) {
	if len(s) > cursorText.EncodedLen(10+MaxKey) {
		return 0, "", badCursor()
	}
	b, err := cursorText.DecodeString(s)
	if err != nil || len(b) < 10 || b[0] != cursorVersion || b[1] != byte(list) {
		return 0, "", badCursor()
	}
	at, id = int64(binary.BigEndian.Uint64(b[2:])), string(b[10:])
	// The decoder passes over line ends; only what Cursor writes is a cursor.
	if !utf8.ValidString(id) || Key(id) != id || Cursor(list, at, id) != s {
		return 0, "", badCursor()
	}
	return at, id, nil
}

func badCursor() error {
	return &honeyguide.Error{
		Code:    honeyguide.CodeInvalid,
		Message: "after: not a cursor of this list; leave it out to start at the first page",
	}
}
