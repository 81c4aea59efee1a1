package detect

// A Keeper is a detector that learns for longer than the stretch of the log that
// is read again at a start. What it knows is kept in the state now and then,
// together with how far it had read.
type Keeper interface {
	// Keep returns what the detector has learnt, as text.
	Keep() ([]byte, error)
	// Recall takes back what Keep returned. After an error the detector knows
	// nothing, as if it were new.
	Recall([]byte) error
}

// Each calls f for every key, the one used last first, until f returns false.
func (m *Memory[V]) Each(f func(key string, v *V) bool) {
	for el := m.order.Front(); el != nil; el = el.Next() {
		r := el.Value.(*remembered[V])
		if !f(r.key, &r.value) {
			return
		}
	}
}
