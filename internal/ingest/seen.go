package ingest

import "sync"

// A Seen remembers the ids that were stored lately, so that a record that comes
// twice is stored once. It holds between size and twice size ids, forgets the
// oldest, and may be shared by concurrent reads. Of earlier runs of the process it
// knows what it is told by Remember.
type Seen struct {
	mu       sync.Mutex
	size     int
	new, old map[seenID]struct{}
}

// seenID is an id as it is remembered: those of RecordID whole, longer ones cut.
type seenID [32]byte

func remembered(id string) (k seenID) {
	copy(k[:], id)
	return k
}

// NewSeen returns a memory of at least size ids. Each takes some 40 bytes.
func NewSeen(size int) *Seen {
	return &Seen{size: max(size, 1), new: map[seenID]struct{}{}}
}

// Size is how many ids it holds at least.
func (s *Seen) Size() int { return s.size }

// Remember adds an id that was stored before.
func (s *Seen) Remember(id string) { s.add(id) }

// add remembers id and reports whether it was new.
func (s *Seen) add(id string) bool {
	k := remembered(id)
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, ok := s.new[k]; ok {
		return false
	}
	if _, ok := s.old[k]; ok {
		return false
	}
	if len(s.new) >= s.size {
		s.old, s.new = s.new, map[seenID]struct{}{}
	}
	s.new[k] = struct{}{}
	return true
}

// Forget takes back an id that was not stored after all.
func (s *Seen) Forget(id string) { s.forget([]string{id}) }

// forget takes back ids that were not stored after all.
func (s *Seen) forget(ids []string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, id := range ids {
		delete(s.new, remembered(id))
		delete(s.old, remembered(id))
	}
}

// occurrences counts how often the same content came in one input. It forgets
// what came longest ago.
type occurrences struct{ new, old map[string]int }

// next returns how often id came before.
func (o *occurrences) next(id string) int {
	n, ok := o.new[id]
	if !ok {
		n = o.old[id]
	}
	if o.new == nil || !ok && len(o.new) >= seenSize {
		o.old, o.new = o.new, map[string]int{}
	}
	o.new[id] = n + 1
	return n
}
