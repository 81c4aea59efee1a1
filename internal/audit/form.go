package audit

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"honeyguide"
)

// Entries have one of two forms. In form 1 all of an entry is one JSON text. In
// form 2 what may say something about a person stands apart, in a file beside the
// entries, and the entry holds a commitment to it: so it can be removed when
// somebody has a right to that, and the tree still holds.

// form2 is how the JSON of an entry of form 2 begins, and no other.
const form2 = `{"v":2,`

// saltBytes is the length of the salt of a commitment. Without the salt nobody can
// try whether a removed part said what they guess.
const saltBytes = 16

// A span is a stretch of entries: the first and the last number.
type span [2]int64

// openPart is the JSON of an entry of form 2: what stays for ever.
type openPart struct {
	Form    int                     `json:"v"`
	Seq     int64                   `json:"seq"`
	Time    time.Time               `json:"time"`
	Kind    string                  `json:"kind"`
	Action  string                  `json:"action"`
	Outcome honeyguide.AuditOutcome `json:"outcome"`
	Request string                  `json:"request,omitempty"`
	// Personal is SHA-256 of the salt and the JSON of the personal part.
	Personal []byte `json:"personal"`
	// Covers says which entries lost something by this one: their texts when they
	// were dropped, their personal parts when those were removed on request.
	Covers []span `json:"covers,omitempty"`
}

// personal is the part of an entry that may be removed.
type personal struct {
	Actor   string          `json:"actor"`
	Session string          `json:"session,omitempty"`
	Address netip.Addr      `json:"address,omitzero"`
	Object  string          `json:"object,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Detail  string          `json:"detail,omitempty"`
	Before  json.RawMessage `json:"before,omitempty"`
	After   json.RawMessage `json:"after,omitempty"`
}

func personalOf(e *honeyguide.AuditEntry) personal {
	return personal{e.Actor, e.Session, e.Address, e.Object, e.Reason, e.Detail, e.Before, e.After}
}

func (p *personal) into(e *honeyguide.AuditEntry) {
	e.Actor, e.Session, e.Address, e.Object = p.Actor, p.Session, p.Address, p.Object
	e.Reason, e.Detail, e.Before, e.After = p.Reason, p.Detail, p.Before, p.After
}

// A draft is an entry that is to be written.
type draft struct {
	honeyguide.AuditEntry
	covers []span
}

// A writing is what a batch adds to the two files.
type writing struct{ entries, parts []byte }

// add writes an entry of form 2 behind the others and returns its JSON, good
// until the next one is added.
func (w *writing) add(d *draft, salt []byte) ([]byte, error) {
	about, open := personalOf(&d.AuditEntry), openPart{2, d.Seq, d.Time, d.Kind, d.Action, d.Outcome, d.Request, nil, d.covers}
	part, text := len(w.parts)+4, len(w.entries)+4
	var err error
	if w.parts, err = about.append(append(append(w.parts, 0, 0, 0, 0), salt...)); err != nil {
		return nil, fmt.Errorf("write audit entry: %w", err)
	}
	sum := sha256.Sum256(w.parts[part:])
	open.Personal = sum[:]
	if w.entries, err = open.append(append(w.entries, 0, 0, 0, 0)); err != nil {
		return nil, fmt.Errorf("write audit entry: %w", err)
	}
	if len(w.entries)-text > maxEntry || len(w.parts)-part > saltBytes+maxEntry {
		return nil, errors.New("write audit entry: it is too long")
	}
	binary.LittleEndian.PutUint32(w.parts[part-4:], uint32(len(w.parts)-part))
	binary.LittleEndian.PutUint32(w.entries[text-4:], uint32(len(w.entries)-text))
	return w.entries[text:], nil
}

// A record is an entry as it is read. Of form 2 the personal part is filled in later.
type record struct {
	honeyguide.AuditEntry
	form   int
	sum    [sha256.Size]byte
	covers []span
}

// isForm2 reports whether an entry has its personal part elsewhere.
func isForm2(text []byte) bool { return bytes.HasPrefix(text, []byte(form2)) }

// decode reads an entry and checks its number.
func decode(text []byte, seq int64) (record, error) {
	if isForm2(text) {
		return decode2(text, seq)
	}
	r := record{form: 1}
	if err := json.Unmarshal(text, &r.AuditEntry); err != nil {
		return r, fmt.Errorf("entry %d: %w", seq, err)
	}
	if r.Seq != seq {
		return r, fmt.Errorf("entry %d: it says that it is entry %d", seq, r.Seq)
	}
	r.ErasedBy = 0
	if r.Action == ActionDrop && r.Kind == "system" {
		var d dropped
		if json.Unmarshal(r.After, &d) == nil && d.Before > 0 {
			r.covers = []span{{0, d.Before - 1}}
		}
	}
	return r, nil
}

func decode2(text []byte, seq int64) (record, error) {
	r := record{form: 2}
	if r.quick(text) {
		if r.Seq != seq {
			return r, fmt.Errorf("entry %d: it says that it is entry %d", seq, r.Seq)
		}
		return r, nil
	}
	var p openPart
	if err := json.Unmarshal(text, &p); err != nil {
		return r, fmt.Errorf("entry %d: %w", seq, err)
	}
	if p.Seq != seq {
		return r, fmt.Errorf("entry %d: it says that it is entry %d", seq, p.Seq)
	}
	if len(p.Personal) != sha256.Size {
		return r, fmt.Errorf("entry %d: it has no commitment to its personal part", seq)
	}
	for _, c := range p.Covers {
		if c[0] < 0 || c[1] < c[0] || c[1] >= seq {
			return r, fmt.Errorf("entry %d: it covers entries %d to %d, which is none before it", seq, c[0], c[1])
		}
	}
	r.AuditEntry = honeyguide.AuditEntry{Seq: p.Seq, Time: p.Time, Kind: p.Kind, Action: p.Action, Outcome: p.Outcome, Request: p.Request}
	r.sum, r.covers = [sha256.Size]byte(p.Personal), p.Covers
	return r, nil
}

// hold compares a personal part, salt and JSON, with the commitment and puts the
// actor in.
func (r *record) hold(part []byte) (err error) {
	if len(part) < saltBytes || sha256.Sum256(part) != r.sum {
		return fmt.Errorf("the personal part of entry %d is not the one that was recorded", r.Seq)
	}
	if r.Actor, err = actorOf(part); err != nil {
		return fmt.Errorf("the personal part of entry %d: %w", r.Seq, err)
	}
	return nil
}

// fill puts all of a personal part in that holds.
func (r *record) fill(part []byte) error {
	var p personal
	if err := json.Unmarshal(part[saltBytes:], &p); err != nil {
		return fmt.Errorf("the personal part of entry %d: %w", r.Seq, err)
	}
	p.into(&r.AuditEntry)
	return nil
}

// erases says which personal parts an entry removed.
func (r *record) erases() []span {
	if r.form == 2 && r.Action == ActionErase {
		return r.covers
	}
	return nil
}

// drops says before which entry texts are gone by this one; 0 = none.
func (r *record) drops() int64 {
	if r.Action != ActionDrop || r.Kind != "system" || len(r.covers) == 0 {
		return 0
	}
	return r.covers[0][1] + 1
}
