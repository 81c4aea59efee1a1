package embedded

// Blocks counts the blocks of all days: full ones and those of the tail.
func (s *Store) Blocks() (full, small int) {
	for _, d := range s.view.Load().days {
		full += len(d.full)
		small += len(d.small)
	}
	return full, small
}

// FilterBytes is what Bloom filters take in memory.
func (s *Store) FilterBytes() int64 { return s.filterBytes.Load() }

// OpenFiles counts the days with a pool.
func (s *Store) OpenFiles() (n int) {
	for _, d := range s.view.Load().days {
		d.file.mu.RLock()
		if d.file.db != nil {
			n++
		}
		d.file.mu.RUnlock()
	}
	return n
}
