package worlds

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
)

// Erase forgets the worlds of a source, when it is valid, and every world in
// which has finds something: nothing here can change what is in a world. It
// returns how many are gone. With look set it only counts them.
func (s *Store) Erase(ctx context.Context, persona string, source netip.Addr, has func(world []byte) bool, look bool) (int, error) {
	if err := s.Flush(ctx); err != nil {
		return 0, err
	}
	var own id
	if source.IsValid() {
		own = s.seal.id(persona, source)
	}
	rows, err := s.db.QueryContext(ctx, "SELECT id, size, body FROM world")
	if err != nil {
		return 0, fmt.Errorf("look through worlds: %w", err)
	}
	defer rows.Close()
	type row struct {
		id   []byte
		size int64
	}
	var gone []row
	for rows.Next() {
		var r row
		var body []byte
		if err := rows.Scan(&r.id, &r.size, &body); err != nil {
			return 0, err
		}
		hit := len(r.id) != len(id{}) || id(r.id) == own
		if !hit {
			world, err := s.seal.open(id(r.id), body)
			hit = err != nil || has(world) // what cannot be opened serves nobody
		}
		if hit {
			gone = append(gone, r)
		}
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || look {
		return len(gone), err
	}
	if _, err := s.db.ExecContext(ctx, "PRAGMA secure_delete = ON"); err != nil {
		return 0, err
	}
	if len(gone) > 0 {
		tx, err := s.db.BeginTx(ctx, nil)
		if err != nil {
			return 0, err
		}
		defer tx.Rollback() //nolint:errcheck // after a commit it has nothing to say
		var d delta
		for _, r := range gone {
			if err := s.drop(ctx, tx, r.id, r.size, &d); err != nil {
				return 0, err
			}
		}
		if err := tx.Commit(); err != nil {
			return 0, err
		}
		s.mu.Lock()
		s.bytes += d.bytes
		s.count += d.count
		for _, k := range d.gone {
			delete(s.known, k)
		}
		s.mu.Unlock()
	}
	for _, q := range []string{"VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"} {
		if _, err := s.db.ExecContext(ctx, q); err != nil {
			return len(gone), fmt.Errorf("make the file of worlds anew: %w", err)
		}
	}
	return len(gone), nil
}
