package detect

import "container/list"

// A Memory keeps one value for each of a bounded number of keys; the least
// recently used is forgotten first. It is not safe for concurrent use.
type Memory[V any] struct {
	limit int
	fresh func() V
	by    map[string]*list.Element
	order *list.List // front: used last
}

type remembered[V any] struct {
	key   string
	value V
}

// NewMemory returns a memory of up to limit keys; fresh makes the value of a
// new one.
func NewMemory[V any](limit int, fresh func() V) *Memory[V] {
	return &Memory[V]{limit: limit, fresh: fresh, by: map[string]*list.Element{}, order: list.New()}
}

// At returns the value of key, made when it is new.
func (m *Memory[V]) At(key string) *V {
	if el, ok := m.by[key]; ok {
		m.order.MoveToFront(el)
		return &el.Value.(*remembered[V]).value
	}
	if len(m.by) >= m.limit {
		oldest := m.order.Back()
		delete(m.by, oldest.Value.(*remembered[V]).key)
		m.order.Remove(oldest)
	}
	r := &remembered[V]{key: key, value: m.fresh()}
	m.by[key] = m.order.PushFront(r)
	return &r.value
}

// Peek returns the value of key without making or refreshing it.
func (m *Memory[V]) Peek(key string) (*V, bool) {
	el, ok := m.by[key]
	if !ok {
		return nil, false
	}
	return &el.Value.(*remembered[V]).value, true
}

// Len returns how many keys are remembered.
func (m *Memory[V]) Len() int { return len(m.by) }
