package seal

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"errors"
	"slices"
	"time"

	"golang.org/x/crypto/chacha20poly1305"
)

var noTime time.Time

// ringFormat names the form of the file of a ring.
const ringFormat = "hgring1"

// Bounds of a ring.
const (
	maxSlots = 8
	maxRing  = 256 << 10
	maxGone  = 64 // derived keys of one use
)

// ringDoc is the file of a ring: the data keys under a key of their own, and that
// one under each master key.
type ringDoc struct {
	Format string `json:"format"`
	Slots  []slot `json:"slots"` // oldest first: the last one is the one to be
	Body   []byte `json:"body"`
}

// A slot is the ring's key under one master key.
type slot struct {
	Kind string    `json:"kind"`
	Salt []byte    `json:"salt,omitempty"` // of a passphrase
	Made time.Time `json:"made"`
	Key  []byte    `json:"key"`
}

// ringBody is what is sealed.
type ringBody struct {
	Keys []ringKey         `json:"keys"` // newest first
	Gone map[string][]gone `json:"gone,omitempty"`
}

type ringKey struct {
	Key  string    `json:"key"` // hex
	Made time.Time `json:"made"`
}

// gone is what is left of a key that seals nothing any more.
type gone struct {
	Key   string    `json:"key"`
	Until time.Time `json:"until"`
}

// A ring is an open ring.
type ring struct {
	slots []slot
	own   key // the ring's key
	keys  []key
	made  []time.Time // of keys
	gone  map[string][]gone
}

// errRing says that a file is no ring.
var errRing = errors.New("it is no ring of keys")

func slotPlace(s slot) []string { return []string{"ring", "slot", s.Kind, hex.EncodeToString(s.Salt)} }

// parseRing reads the file of a ring. Nothing is opened.
func parseRing(raw []byte) (ringDoc, error) {
	var d ringDoc
	if err := json.Unmarshal(raw, &d); err != nil || d.Format != ringFormat || len(d.Slots) == 0 || len(d.Slots) > maxSlots || len(raw) > maxRing {
		return ringDoc{}, errRing
	}
	return d, nil
}

// open opens a ring with a master key. slot is the index of the one that did.
// ErrWrongKey when none does.
func (d ringDoc) open(m material) (r ring, slot int, err error) {
	for i := len(d.Slots) - 1; i >= 0; i-- {
		kek, ok := m.kek(d.Slots[i])
		if !ok {
			continue
		}
		raw, err := boxOf(kek).Open(d.Slots[i].Key, slotPlace(d.Slots[i])...)
		if err != nil || len(raw) != chacha20poly1305.KeySize {
			continue
		}
		own, err := newKey([chacha20poly1305.KeySize]byte(raw))
		clear(raw)
		if err != nil {
			continue
		}
		if r, err = d.body(own); err != nil {
			return ring{}, 0, err
		}
		return r, i, nil
	}
	return ring{}, 0, ErrWrongKey
}

// body opens the data keys.
func (d ringDoc) body(own key) (ring, error) {
	raw, err := boxOf(own).Open(d.Body, "ring", "body")
	if err != nil {
		return ring{}, ErrDamaged
	}
	defer clear(raw)
	var b ringBody
	if err := json.Unmarshal(raw, &b); err != nil || len(b.Keys) == 0 || len(b.Keys) > maxKeys {
		return ring{}, errRing
	}
	r := ring{slots: d.Slots, own: own, gone: b.Gone}
	for _, k := range b.Keys {
		raw, err := hex.DecodeString(k.Key)
		if err != nil || len(raw) != chacha20poly1305.KeySize {
			return ring{}, errRing
		}
		opened, err := newKey([chacha20poly1305.KeySize]byte(raw))
		if err != nil {
			return ring{}, err
		}
		r.keys, r.made = append(r.keys, opened), append(r.made, k.Made)
	}
	return r, nil
}

// text is the file of a ring.
func (r ring) text() ([]byte, error) {
	b := ringBody{Gone: r.gone}
	for i, k := range r.keys {
		b.Keys = append(b.Keys, ringKey{hex.EncodeToString(k.raw[:]), r.made[i]})
	}
	raw, err := json.Marshal(b)
	if err != nil {
		return nil, err
	}
	defer clear(raw)
	out, err := json.MarshalIndent(ringDoc{Format: ringFormat, Slots: r.slots, Body: boxOf(r.own).Seal(raw, "ring", "body")}, "", " ")
	return append(out, '\n'), err
}

// add puts the ring under one more master key.
func (r *ring) add(m material, now time.Time) error {
	s := slot{Kind: m.kind, Made: now.UTC().Truncate(time.Second)}
	if m.kind == MasterPassphrase {
		s.Salt = make([]byte, saltSize)
		_, _ = rand.Read(s.Salt) // never fails (crypto/rand)
	}
	kek, ok := m.kek(s)
	if !ok || len(r.slots) == maxSlots {
		return errors.New("there are too many master keys")
	}
	s.Key = boxOf(kek).Seal(r.own.raw[:], slotPlace(s)...)
	r.slots = append(slices.Clone(r.slots), s)
	return nil
}

// only puts the ring under one master key alone. Its own key is made anew: who has
// a master key from before, and a copy from before, opens no later ring.
func (r *ring) only(m material, now time.Time) error {
	r.own, r.slots = randomKey(), nil
	return r.add(m, now)
}

// prepend makes a new data key, which is used from now on.
func (r *ring) prepend(now time.Time) {
	r.keys = append([]key{randomKey()}, r.keys...)
	r.made = append([]time.Time{now.UTC().Truncate(time.Second)}, r.made...)
}

// held is the ring as a box takes it.
func (r *ring) held(now time.Time) *held {
	h := &held{keys: r.keys, derived: map[string][][]byte{}}
	for use, list := range r.gone {
		for _, g := range list {
			if raw, err := hex.DecodeString(g.Key); err == nil && now.Before(g.Until) {
				h.derived[use] = append(h.derived[use], raw)
			}
		}
	}
	return h
}
