package triage

import (
	"encoding/binary"
	"errors"
	"fmt"
	"maps"
	"math"
	"slices"
)

// What an observer remembers is written as: a version; the names of all rules;
// the site; the assets, least recently seen first. A scope is its name, the
// times and totals, and its rules, the one that came first first.

const memoryVersion = 1

// errMemory says that bytes are no observer's memory.
var errMemory = errors.New("read what triage remembers: not what was written")

// Encode writes what o remembers for ReadObserver. An observer that reads it
// goes on exactly as o would.
func (o *Observer) Encode() []byte {
	names := map[string]uint64{}
	for s := range o.scopes() {
		for rule := range s.rules {
			names[rule] = 0
		}
	}
	b := binary.AppendUvarint([]byte{memoryVersion}, uint64(len(names)))
	for i, rule := range slices.Sorted(maps.Keys(names)) {
		names[rule] = uint64(i)
		b = appendText(b, rule)
	}
	b = binary.AppendUvarint(b, uint64(len(o.assets)))
	for s := range o.scopes() {
		b = appendText(b, s.name)
		b = appendNumbers(b, s.first, s.last, s.total)
		b = binary.AppendUvarint(b, uint64(len(s.rules)))
		for r := s.tail; r != nil; r = r.prev {
			b = binary.AppendUvarint(b, names[r.rule])
			b = appendNumbers(b, r.count, r.last)
			b = appendNumbers(b, r.same[:]...)
		}
	}
	return b
}

// scopes yields the site and the assets, least recently seen first.
func (o *Observer) scopes() func(yield func(*scope) bool) {
	return func(yield func(*scope) bool) {
		if !yield(o.site) {
			return
		}
		for a := o.tail; a != nil; a = a.prev {
			if !yield(a) {
				return
			}
		}
	}
}

// ReadObserver reads what Encode wrote, within the bounds of an observer.
func ReadObserver(raw []byte) (*Observer, error) {
	if len(raw) == 0 || raw[0] != memoryVersion {
		return nil, fmt.Errorf("%w: another version", errMemory)
	}
	d := &decoder{raw: raw[1:]}
	names := make([]string, d.count(maxSeen+maxRules))
	for i := range names {
		names[i] = d.text()
	}
	o := NewObserver()
	assets := d.count(maxAssets)
	for i := range assets + 1 {
		s := o.site
		if i > 0 {
			s = newScope(d.text())
		} else if d.text() != "" {
			return nil, errMemory
		}
		d.scope(s, names)
		if d.bad {
			return nil, errMemory
		}
		if i == 0 {
			continue
		}
		if _, twice := o.assets[s.name]; twice || s.name == "" || o.seen+len(s.rules) > maxSeen+maxRules {
			return nil, errMemory
		}
		o.assets[s.name] = s
		o.seen += len(s.rules)
		o.link(s)
	}
	if len(d.raw) != 0 {
		return nil, errMemory
	}
	return o, nil
}

func appendText(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

func appendNumbers(b []byte, list ...float64) []byte {
	for _, v := range list {
		b = binary.LittleEndian.AppendUint64(b, math.Float64bits(v))
	}
	return b
}

// A decoder reads until something is wrong; from then on everything is zero.
type decoder struct {
	raw []byte
	bad bool
}

func (d *decoder) scope(s *scope, names []string) {
	s.first, s.last, s.total = d.number(), d.number(), d.number()
	d.bad = d.bad || s.total < 0
	for range d.count(maxRules) {
		at := d.index(len(names))
		r := &seen{count: d.number(), last: d.number()}
		for k := range r.same {
			r.same[k] = d.number()
		}
		if d.bad || r.count < 0 || slices.Min(r.same[:]) < 0 || s.rules[names[at]] != nil {
			d.bad = true
			return
		}
		r.rule = names[at]
		s.rules[r.rule] = r
		s.link(r)
	}
}

// index reads a number from 0 to below most.
func (d *decoder) index(most int) int {
	n, size := binary.Uvarint(d.raw)
	if d.bad || size <= 0 || n >= uint64(most) {
		d.bad = true
		return 0
	}
	d.raw = d.raw[size:]
	return int(n)
}

// count reads a number of things, at most most and no more than there are bytes.
func (d *decoder) count(most int) int {
	n := d.index(most + 1)
	if n > len(d.raw) {
		d.bad = true
		return 0
	}
	return n
}

func (d *decoder) text() string {
	n := d.count(maxName)
	if n > len(d.raw) {
		d.bad = true
	}
	if d.bad {
		return ""
	}
	s := string(d.raw[:n])
	d.raw = d.raw[n:]
	return s
}

func (d *decoder) number() float64 {
	if d.bad || len(d.raw) < 8 {
		d.bad = true
		return 0
	}
	v := math.Float64frombits(binary.LittleEndian.Uint64(d.raw))
	d.raw = d.raw[8:]
	if !(v >= -1e15 && v <= 1e15) {
		d.bad = true
		return 0
	}
	return v
}
