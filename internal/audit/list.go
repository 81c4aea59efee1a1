package audit

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
)

// A Query asks for entries, newest first.
type Query struct {
	Before  int64 // entries with a smaller number; 0 = all
	Limit   int   // entries at most; 0 = 100
	Actor   string
	Action  string
	Object  string // whole, or what it begins with when it ends in ":" or "*"
	Kind    string // of the actor
	Outcome honeyguide.AuditOutcome
	From    time.Time // at or after
	To      time.Time // before
}

// mostScanned bounds the work of one List.
const mostScanned = 200_000

func (q *Query) holds(e *honeyguide.AuditEntry) bool {
	switch {
	case q.Actor != "" && e.Actor != q.Actor, q.Action != "" && e.Action != q.Action, q.Kind != "" && e.Kind != q.Kind:
		return false
	case q.Outcome != "" && e.Outcome != q.Outcome, !q.From.IsZero() && e.Time.Before(q.From), !q.To.IsZero() && !e.Time.Before(q.To):
		return false
	}
	if stem, ok := q.stem(); ok {
		return strings.HasPrefix(e.Object, stem)
	}
	return q.Object == "" || e.Object == q.Object
}

func (q *Query) stem() (string, bool) {
	if strings.HasSuffix(q.Object, ":") {
		return q.Object, true
	}
	return strings.CutSuffix(q.Object, "*")
}

// in reports whether a block may hold what is asked for.
func (q *Query) in(b *block) bool {
	switch {
	case !q.From.IsZero() && b.to < q.From.UnixMicro(), !q.To.IsZero() && b.from >= q.To.UnixMicro():
		return false
	case q.Actor != "" && b.actors&bit(q.Actor) == 0, q.Action != "" && b.actions&bit(q.Action) == 0:
		return false
	}
	return q.Outcome == "" || b.outcomes&bit(string(q.Outcome)) != 0
}

// needles are texts that stand in the JSON of every entry that is asked for:
// looking for them is quicker than reading the JSON.
func (q *Query) needles() (n needles) {
	for name, value := range map[string]string{"action": q.Action, "kind": q.Kind, "outcome": string(q.Outcome)} {
		if text, err := json.Marshal(value); value != "" && err == nil {
			n.open = append(n.open, []byte(`"`+name+`":`+string(text)))
		}
	}
	if text, err := json.Marshal(q.Actor); q.Actor != "" && err == nil {
		n.personal = append(n.personal, []byte(`"actor":`+string(text)))
	}
	object := q.Object
	if stem, ok := q.stem(); ok {
		object = stem
	}
	if text, err := json.Marshal(object); object != "" && err == nil {
		n.personal = append(n.personal, []byte(`"object":`+string(text[:len(text)-1])))
	}
	return n
}

// needles are looked for in entries: in form 1 all in the JSON, in form 2 each in its part.
type needles struct{ open, personal [][]byte }

func among(text []byte, list [][]byte) bool {
	for _, n := range list {
		if !bytes.Contains(text, n) {
			return false
		}
	}
	return true
}

// may reports whether an entry may be asked for, by its bytes alone.
func (n *needles) may(text, part []byte) bool {
	if !isForm2(text) {
		part = text
	}
	return among(text, n.open) && among(part, n.personal)
}

// A row is an entry with the bytes its hash is made of.
type row struct {
	entry honeyguide.AuditEntry
	text  []byte
	part  []byte // salt and JSON of the personal part; nil when there is none
}

// row makes a row of an item. Of entries whose personal part was removed, or is
// about to be, it says so; a part that is missing otherwise is damage.
func (l *Log) row(x *item) (row, error) {
	r := row{x.rec.AuditEntry, bytes.Clone(x.text), bytes.Clone(x.part)}
	if x.rec.form != 2 {
		return r, nil
	}
	l.files.RLock()
	by := coverOf(l.covers, x.seq)
	l.files.RUnlock()
	switch {
	case by == 0 && x.removed:
		return r, damage("the personal part of entry %d is gone, and no entry says that it was removed", x.seq)
	case by > 0:
		(&personal{}).into(&r.entry)
		r.entry.ErasedBy, r.part = by, nil
	}
	return r, nil
}

// List returns entries, newest first, and the number to ask on before; 0 at the
// end. A page may hold less than was asked for, or nothing, and still have one
// that follows: the work for a page is bounded. Every entry returned has been
// compared with the tree.
func (l *Log) List(ctx context.Context, q Query) ([]honeyguide.AuditEntry, int64, error) {
	if q.Limit <= 0 {
		q.Limit = 100
	}
	at := l.Checkpoint().Size
	if q.Before > 0 {
		at = min(at, q.Before)
	}
	var out []honeyguide.AuditEntry
	looked := q.needles()
	for scanned := int64(0); at > 0 && scanned < mostScanned; {
		if err := ctx.Err(); err != nil {
			return nil, 0, err
		}
		rows, from, err := l.page(at, &q, &looked)
		if err != nil {
			return nil, 0, err
		}
		scanned += at - from
		for i := len(rows) - 1; i >= 0; i-- {
			if err := l.compare(rows[i].entry.Seq, rows[i].text); err != nil {
				return nil, 0, err
			}
			if out = append(out, rows[i].entry); len(out) == q.Limit {
				return out, rows[i].entry.Seq, nil
			}
		}
		at = from
	}
	return out, at, nil
}

// page returns what is asked for among the entries of the block that ends at
// most at number at, and where that block begins. Blocks without bodies are
// stepped over together.
func (l *Log) page(at int64, q *Query, looked *needles) ([]row, int64, error) {
	l.moves.RLock()
	defer l.moves.RUnlock()
	l.files.RLock()
	s := l.segmentOf(at - 1)
	if s == nil {
		l.files.RUnlock()
		return nil, 0, l.broken()
	}
	from := s.first + (at-1-s.first)/blockEntries*blockEntries
	if s.dropped {
		l.files.RUnlock()
		return nil, 0, nil // what is older is gone, too
	}
	wanted := q.in(&s.blocks[(from-s.first)/blockEntries])
	seg := *s
	l.files.RUnlock()
	if !wanted {
		return nil, from, nil
	}
	var out []row
	err := seg.read(l.dir, from, at, looked.may, func(x *item) error {
		if !q.holds(&x.rec.AuditEntry) {
			return nil
		}
		r, err := l.row(x)
		if err == nil && q.holds(&r.entry) {
			out = append(out, r)
		}
		return err
	})
	return out, from, l.asError(err)
}

// segmentOf finds the file of an entry; nil when there is none.
func (l *Log) segmentOf(seq int64) *segment {
	at, ok := slices.BinarySearchFunc(l.segs, seq, func(s *segment, seq int64) int {
		switch {
		case s.end() <= seq:
			return -1
		case s.first > seq:
			return 1
		}
		return 0
	})
	if !ok {
		return nil
	}
	return l.segs[at]
}

// broken is the answer of a log that could not be opened whole.
func (l *Log) broken() error {
	return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the audit log is damaged and cannot be read here; honeyguide audit verify says more", Err: errors.New(l.Refused())}
}

// asError makes damage an error a user is told of.
func (l *Log) asError(err error) error {
	var d *Damage
	if errors.As(err, &d) {
		return &honeyguide.Error{Code: honeyguide.CodeUnavailable, Message: "the audit log is damaged: " + d.What + "; run honeyguide audit verify", Err: d}
	}
	return err
}

// compare checks an entry against the tree.
func (l *Log) compare(seq int64, text []byte) error {
	l.files.RLock()
	defer l.files.RUnlock()
	if l.hashes.f == nil {
		return l.broken()
	}
	leaf, err := l.hashes.leaf(seq)
	if err != nil {
		return err
	}
	if leaf != tlog.RecordHash(text) {
		return l.asError(damage("entry %d is not the one that was recorded", seq))
	}
	return nil
}

// Get returns one entry; CodeNotFound.
func (l *Log) Get(_ context.Context, seq int64) (honeyguide.AuditEntry, error) {
	r, err := l.get(seq)
	return r.entry, err
}

func (l *Log) get(seq int64) (r row, err error) {
	l.moves.RLock()
	defer l.moves.RUnlock()
	l.files.RLock()
	s := l.segmentOf(seq)
	if seq < 0 || seq >= l.point.Size || s == nil {
		size := l.point.Size
		l.files.RUnlock()
		if seq >= 0 && seq < size {
			return r, l.broken()
		}
		return r, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no audit entry with this number"}
	}
	seg := *s
	l.files.RUnlock()
	if seg.dropped {
		return r, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "the text of this audit entry was removed by retention; its hash is still part of the log"}
	}
	err = seg.read(l.dir, seq, seq+1, nil, func(x *item) (err error) {
		r, err = l.row(x)
		return err
	})
	if err != nil {
		return r, l.asError(err)
	}
	return r, l.compare(seq, r.text)
}
