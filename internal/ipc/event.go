package ipc

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math"

	"honeyguide"
)

// Bounds of one event.
const (
	MaxAttrs  = 128 // attributes
	maxLists  = 64  // observables, techniques
	maxJSON   = 32 << 10
	shareRows = 4 << 10 // rows up to this size share one string between their texts
)

// Which optional parts a row has.
const (
	hasTime = 1 << iota
	hasObserved
	hasSrcFacts
	hasDstFacts
	hasLists
	hasRaw
)

// Tags of attribute values.
const (
	tagString = iota
	tagInt
	tagFloat
	tagTrue
	tagFalse
	tagJSON
)

// words are the activities and attribute names of the dictionary; a row holds
// their number. A word's number is its place plus one, 0 means the word follows.
var words = []string{
	honeyguide.ActivityConnect, honeyguide.ActivityClose, honeyguide.ActivityClient,
	honeyguide.ActivityLoginFailed, honeyguide.ActivityLoginSuccess, honeyguide.ActivityCommand,
	honeyguide.ActivityRequest, honeyguide.ActivityDownload, honeyguide.ActivityFileWrite,
	honeyguide.ActivityTunnel, honeyguide.ActivityUnsupported, honeyguide.ActivityMalformed,
	honeyguide.ActivityTokenExposed, honeyguide.ActivityTokenUsed, honeyguide.ActivityViolation,
	honeyguide.ActivityGap, honeyguide.ActivityFinding,
	honeyguide.AttrUser, honeyguide.AttrPassword, honeyguide.AttrAuthMethod, honeyguide.AttrKeyFingerprint,
	honeyguide.AttrClient, honeyguide.AttrHASSH, honeyguide.AttrCommand, honeyguide.AttrStatus,
	honeyguide.AttrStatusText, honeyguide.AttrMethod, honeyguide.AttrURL, honeyguide.AttrUserAgent,
	honeyguide.AttrReferrer, honeyguide.AttrHost, honeyguide.AttrHeaders, honeyguide.AttrBody,
	honeyguide.AttrPath, honeyguide.AttrSize, honeyguide.AttrSHA256, honeyguide.AttrToken,
	honeyguide.AttrTokenKind, honeyguide.AttrWhere, honeyguide.AttrMessage, honeyguide.AttrDetail,
	honeyguide.AttrCount, honeyguide.AttrDuration, honeyguide.AttrBytesIn, honeyguide.AttrBytesOut,
	honeyguide.AttrProtocol,
}

var wordNumber = func() map[string]uint64 {
	m := make(map[string]uint64, len(words))
	for i, w := range words {
		m[w] = uint64(i + 1)
	}
	return m
}()

func appendWord(dst []byte, w string) []byte {
	if n, ok := wordNumber[w]; ok {
		return binary.AppendUvarint(dst, n)
	}
	return appendString(append(dst, 0), w)
}

func (r *reader) word() string {
	n := r.uvarint()
	switch {
	case n == 0:
		return r.str()
	case n > uint64(len(words)):
		r.fail()
		return ""
	}
	return words[n-1]
}

// appendEvent appends e's row. A value that JSON cannot write is an error.
func appendEvent(dst []byte, e *honeyguide.Event) ([]byte, error) {
	if len(e.Attrs) > MaxAttrs || len(e.Observables) > maxLists || len(e.Attacks) > maxLists {
		return dst, fmt.Errorf("%w: event with %d attributes", ErrTooLarge, len(e.Attrs))
	}
	flags := present(e)
	dst = append(dst, flags, byte(e.Severity))
	if flags&hasTime != 0 {
		dst = binary.AppendVarint(dst, e.Time.UnixMicro())
	}
	if flags&hasObserved != 0 {
		dst = binary.AppendVarint(dst, e.Observed.UnixMicro())
	}
	dst = binary.AppendUvarint(dst, uint64(e.Class))
	dst = appendWord(dst, e.Activity)
	dst = appendString(dst, e.ID)
	dst = appendString(dst, e.Sensor)
	dst = appendString(dst, e.Service)
	dst = appendString(dst, e.Session)
	dst = appendAddr(dst, e.Src.Addr)
	dst = appendAddr(dst, e.Dst.Addr)
	if flags&hasSrcFacts != 0 {
		dst = appendFacts(dst, &e.Src)
	}
	if flags&hasDstFacts != 0 {
		dst = appendFacts(dst, &e.Dst)
	}
	if flags&hasLists != 0 {
		dst = appendLists(dst, e)
	}
	dst, err := appendAttrs(dst, e.Attrs)
	if flags&hasRaw != 0 {
		dst = append(dst, e.Raw...)
	}
	return dst, err
}

func present(e *honeyguide.Event) (flags byte) {
	set := func(bit byte, on bool) {
		if on {
			flags |= bit
		}
	}
	set(hasTime, !e.Time.IsZero())
	set(hasObserved, !e.Observed.IsZero())
	set(hasSrcFacts, facts(&e.Src))
	set(hasDstFacts, facts(&e.Dst))
	set(hasLists, len(e.Observables)+len(e.Attacks) > 0)
	set(hasRaw, len(e.Raw) > 0)
	return flags
}

func facts(p *honeyguide.Endpoint) bool {
	return p.Hostname != "" || p.Country != "" || p.ASN != 0 || p.ASOrg != ""
}

func appendFacts(dst []byte, p *honeyguide.Endpoint) []byte {
	dst = appendString(dst, p.Hostname)
	dst = appendString(dst, p.Country)
	dst = binary.AppendUvarint(dst, uint64(p.ASN))
	return appendString(dst, p.ASOrg)
}

func (r *reader) facts(p *honeyguide.Endpoint) {
	p.Hostname, p.Country = r.str(), r.str()
	p.ASN = uint32(r.uvarint())
	p.ASOrg = r.str()
}

func appendLists(dst []byte, e *honeyguide.Event) []byte {
	dst = append(dst, byte(len(e.Observables)), byte(len(e.Attacks)))
	for _, o := range e.Observables {
		dst = appendString(appendString(appendString(dst, o.Name), o.Type), o.Value)
	}
	for _, a := range e.Attacks {
		dst = appendString(appendString(appendString(dst, a.ID), a.Tactic), a.Why)
	}
	return dst
}

func (r *reader) lists(e *honeyguide.Event) {
	observables, attacks := int(r.byte()), int(r.byte())
	if observables > maxLists || attacks > maxLists {
		r.fail()
		return
	}
	for range observables {
		e.Observables = append(e.Observables, honeyguide.Observable{Name: r.str(), Type: r.str(), Value: r.str()})
	}
	for range attacks {
		e.Attacks = append(e.Attacks, honeyguide.Technique{ID: r.str(), Tactic: r.str(), Why: r.str()})
	}
}

func appendAttrs(dst []byte, attrs map[string]any) ([]byte, error) {
	dst = binary.AppendUvarint(dst, uint64(len(attrs)))
	for name, value := range attrs {
		var err error
		if dst, err = appendValue(appendWord(dst, name), value); err != nil {
			return dst, fmt.Errorf("encode attribute %q: %w", name, err)
		}
	}
	return dst, nil
}

func appendValue(dst []byte, value any) ([]byte, error) {
	switch v := value.(type) {
	case string:
		return appendString(append(dst, tagString), v), nil
	case int64:
		return binary.AppendVarint(append(dst, tagInt), v), nil
	case int:
		return binary.AppendVarint(append(dst, tagInt), int64(v)), nil
	case float64:
		if math.IsNaN(v) || math.IsInf(v, 0) { // no JSON number; the store could not keep it
			return appendString(append(dst, tagString), fmt.Sprint(v)), nil
		}
		return binary.BigEndian.AppendUint64(append(dst, tagFloat), math.Float64bits(v)), nil
	case bool:
		if v {
			return append(dst, tagTrue), nil
		}
		return append(dst, tagFalse), nil
	}
	b, err := json.Marshal(value)
	if err == nil && len(b) > maxJSON {
		err = ErrTooLarge
	}
	return append(binary.AppendUvarint(append(dst, tagJSON), uint64(len(b))), b...), err
}

func (r *reader) value() any {
	switch r.byte() {
	case tagString:
		return r.str()
	case tagInt:
		return r.varint()
	case tagFloat:
		return r.float()
	case tagTrue:
		return true
	case tagFalse:
		return false
	case tagJSON:
		if p := r.take(r.uvarint()); len(p) <= maxJSON {
			var v any
			if json.Unmarshal(p, &v) == nil {
				return v
			}
		}
	}
	r.fail()
	return nil
}

// decodeEvent reads one row.
func decodeEvent(row []byte, e *honeyguide.Event) error {
	r := reader{b: row}
	if len(row) <= shareRows {
		r.s = string(row) // one allocation for all texts of the row
	}
	flags := r.byte()
	e.Severity = honeyguide.Severity(r.byte())
	if flags&hasTime != 0 {
		e.Time = r.time()
	}
	if flags&hasObserved != 0 {
		e.Observed = r.time()
	}
	e.Class = honeyguide.Class(r.uvarint())
	e.Activity = r.word()
	e.ID, e.Sensor, e.Service, e.Session = r.str(), r.str(), r.str(), r.str()
	e.Src.Addr, e.Dst.Addr = r.addr(), r.addr()
	if flags&hasSrcFacts != 0 {
		r.facts(&e.Src)
	}
	if flags&hasDstFacts != 0 {
		r.facts(&e.Dst)
	}
	if flags&hasLists != 0 {
		r.lists(e)
	}
	r.attrs(e)
	if flags&hasRaw != 0 {
		e.Raw = r.rest()
	}
	return r.end("event")
}

func (r *reader) attrs(e *honeyguide.Event) {
	n := r.uvarint()
	// An attribute takes two bytes at least: a count that cannot be true makes no map.
	if n > MaxAttrs || n > uint64(len(r.b))/2 {
		r.fail()
		return
	}
	if n == 0 {
		return
	}
	e.Attrs = make(map[string]any, n)
	for range n {
		name := r.word()
		e.Attrs[name] = r.value()
	}
}

func (m Events) append(dst []byte) ([]byte, error) {
	if len(m.Events) > MaxBatch {
		return dst, fmt.Errorf("%w: %d events", ErrTooLarge, len(m.Events))
	}
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(m.Events)))
	for i := range m.Events {
		var err error
		if dst, err = appendRow(dst, &m.Events[i]); err != nil {
			return dst, err
		}
	}
	return dst, nil
}

// appendRow appends the length of e's row and the row.
func appendRow(dst []byte, e *honeyguide.Event) ([]byte, error) {
	at := len(dst)
	dst, err := appendEvent(append(dst, 0, 0, 0, 0), e)
	n := len(dst) - at - 4
	if err == nil && n > MaxEvent {
		err = fmt.Errorf("%w: event of %d bytes", ErrTooLarge, n)
	}
	if err != nil {
		return dst[:at], err
	}
	binary.BigEndian.PutUint32(dst[at:], uint32(n))
	return dst, nil
}

func decodeEvents(p []byte) (Message, error) {
	r := reader{b: p}
	n := uint64(0)
	if b := r.take(4); b != nil {
		n = uint64(binary.BigEndian.Uint32(b))
	}
	if n > MaxBatch || n > uint64(len(r.b))/4 {
		return nil, broken("batch of %d events in %d bytes", n, len(p))
	}
	m := Events{Events: make([]honeyguide.Event, n)}
	for i := range m.Events {
		head := r.take(4)
		if head == nil {
			break
		}
		size := uint64(binary.BigEndian.Uint32(head))
		if size > MaxEvent {
			return nil, broken("event of %d bytes", size)
		}
		row := r.take(size)
		if r.bad {
			break
		}
		if err := decodeEvent(row, &m.Events[i]); err != nil {
			return nil, err
		}
	}
	return m, r.end("batch")
}
