package playbook

import (
	"slices"
	"sync/atomic"
)

// A Shelf is the playbooks in force. It is safe for concurrent use.
type Shelf struct{ list atomic.Pointer[[]*Playbook] }

// NewShelf returns a shelf with a list on it.
func NewShelf(list []*Playbook) *Shelf {
	s := &Shelf{}
	s.Replace(list)
	return s
}

// List returns the playbooks in their order.
func (s *Shelf) List() []*Playbook { return slices.Clone(*s.list.Load()) }

// Get returns the playbook of an id.
func (s *Shelf) Get(id string) (*Playbook, bool) {
	list := *s.list.Load()
	if i := slices.IndexFunc(list, func(b *Playbook) bool { return b.ID == id }); i >= 0 {
		return list[i], true
	}
	return nil, false
}

// Replace puts another list in force.
func (s *Shelf) Replace(list []*Playbook) {
	list = slices.Clone(list)
	s.list.Store(&list)
}
