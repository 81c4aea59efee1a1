package audit

import (
	"context"
	"slices"
	"sync"

	"honeyguide"
)

// Memory is a Recorder that keeps entries in memory. It is for tests: nothing
// outlives the process. The zero value is ready.
type Memory struct {
	mu   sync.Mutex
	list []honeyguide.AuditEntry
	fail error
}

// Record keeps an entry, or returns the error of [Memory.Fail].
func (m *Memory) Record(_ context.Context, e honeyguide.AuditEntry) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		return m.fail
	}
	e = bound(e)
	e.Seq = int64(len(m.list))
	m.list = append(m.list, e)
	return nil
}

// Number keeps an entry and returns its number.
func (m *Memory) Number(ctx context.Context, e honeyguide.AuditEntry) (int64, error) {
	if err := m.Record(ctx, e); err != nil {
		return -1, err
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	return int64(len(m.list)) - 1, nil
}

// Fail makes recording fail as a log does that cannot be written, or ends that.
func (m *Memory) Fail(err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail = nil; err != nil {
		m.fail = unavailable(err)
	}
}

// Entries returns what was recorded.
func (m *Memory) Entries() []honeyguide.AuditEntry {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(m.list)
}
