package sqldb

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
)

// MigrateOptions belong to one kind of file.
type MigrateOptions struct {
	Name  string           // what the file is, for messages: "state database"
	AppID int32            // PRAGMA application_id of the file, so that another program's file is refused; 0 = not checked
	Now   func() time.Time // nil = time.Now
}

// ErrNewer says that the file was written by a newer program.
var ErrNewer = errors.New("schema is newer than this program")

// migration is one numbered file.
type migration struct {
	version int
	name    string
	sql     string
	sum     string
}

// Migrate brings the schema of db up to date with the files of fsys, which are
// called NNNN_name.sql, are numbered 1, 2, 3 ... and are never changed once
// released. NNNN_name.sqlite.sql is for this engine alone, NNNN_name.postgres.sql
// is passed over. Each file runs in one transaction together with its entry in
// table schema_migration. It returns the schema version.
//
// A schema that is newer than the files, a file of another program and a
// migration whose text has changed since are refused with a [honeyguide.Error].
// db must have no other user meanwhile.
func Migrate(ctx context.Context, db *sql.DB, fsys fs.FS, o MigrateOptions) (int, error) {
	if o.Now == nil {
		o.Now = time.Now
	}
	all, err := load(fsys)
	if err != nil {
		return 0, fmt.Errorf("read migrations of the %s: %w", o.Name, err)
	}
	if err := o.claim(ctx, db); err != nil {
		return 0, err
	}
	at, err := o.applied(ctx, db, all)
	if err != nil {
		return 0, err
	}
	for _, m := range all[at:] {
		if err := m.apply(ctx, db, o.Now()); err != nil {
			return 0, fmt.Errorf("migrate the %s with %s: %w", o.Name, m.name, err)
		}
	}
	return len(all), nil
}

// Schema returns the version a file has, 0 when it was never migrated, and the
// version the files of fsys would bring it to, without changing it. It refuses
// what Migrate refuses, so that a reader does not misread a newer file.
func Schema(ctx context.Context, db *sql.DB, fsys fs.FS, o MigrateOptions) (have, want int, err error) {
	all, err := load(fsys)
	if err != nil {
		return 0, 0, fmt.Errorf("read migrations of the %s: %w", o.Name, err)
	}
	if _, err := o.identify(ctx, db); err != nil {
		return 0, 0, err
	}
	var n int
	const q = `SELECT count(*) FROM sqlite_master WHERE type = 'table' AND name = 'schema_migration'`
	if err := db.QueryRowContext(ctx, q).Scan(&n); err != nil {
		return 0, 0, fmt.Errorf("read schema of the %s: %w", o.Name, err)
	}
	if n == 0 {
		return 0, len(all), nil
	}
	have, err = o.applied(ctx, db, all)
	return have, len(all), err
}

// load reads and checks the numbered files.
func load(fsys fs.FS) ([]migration, error) {
	names, err := fs.Glob(fsys, "*.sql")
	if err != nil {
		return nil, err
	}
	slices.Sort(names)
	var all []migration
	for _, name := range names {
		if strings.HasSuffix(name, ".postgres.sql") {
			continue
		}
		number, _, ok := strings.Cut(name, "_")
		version, err := strconv.Atoi(number)
		if !ok || err != nil || version != len(all)+1 {
			return nil, fmt.Errorf("%s: want a file numbered %04d_", name, len(all)+1)
		}
		text, err := fs.ReadFile(fsys, name)
		if err != nil {
			return nil, err
		}
		sum := sha256.Sum256(text)
		all = append(all, migration{version, path.Base(name), string(text), hex.EncodeToString(sum[:])})
	}
	if len(all) == 0 {
		return nil, errors.New("there are none")
	}
	return all, nil
}

// identify refuses another program's file and returns the id it carries.
func (o MigrateOptions) identify(ctx context.Context, db *sql.DB) (int32, error) {
	var id int32
	if err := db.QueryRowContext(ctx, "PRAGMA application_id").Scan(&id); err != nil {
		return 0, fmt.Errorf("read application id of the %s: %w", o.Name, err)
	}
	if o.AppID != 0 && id != 0 && id != o.AppID {
		return 0, &honeyguide.Error{
			Code:    honeyguide.CodeConflict,
			Message: fmt.Sprintf("the file is no %s: it carries application id %#x, want %#x; choose another folder", o.Name, id, o.AppID),
		}
	}
	return id, nil
}

// claim marks a fresh file as ours and makes the table of migrations.
func (o MigrateOptions) claim(ctx context.Context, db *sql.DB) error {
	id, err := o.identify(ctx, db)
	if err != nil {
		return err
	}
	if o.AppID != 0 && id == 0 {
		var tables int
		if err := db.QueryRowContext(ctx, "SELECT count(*) FROM sqlite_master").Scan(&tables); err != nil {
			return fmt.Errorf("read schema of the %s: %w", o.Name, err)
		}
		if tables > 0 {
			return &honeyguide.Error{
				Code:    honeyguide.CodeConflict,
				Message: fmt.Sprintf("the file is no %s: it has tables of another program; choose another folder", o.Name),
			}
		}
		if _, err := db.ExecContext(ctx, "PRAGMA application_id = "+strconv.Itoa(int(o.AppID))); err != nil {
			return fmt.Errorf("mark the %s: %w", o.Name, err)
		}
	}
	const table = `CREATE TABLE IF NOT EXISTS schema_migration
		(version INTEGER PRIMARY KEY, name TEXT NOT NULL, sum TEXT NOT NULL, at BIGINT NOT NULL)`
	if _, err := db.ExecContext(ctx, table); err != nil {
		return fmt.Errorf("prepare the %s: %w", o.Name, err)
	}
	return nil
}

// applied returns how many migrations the file has, all of which must be known.
func (o MigrateOptions) applied(ctx context.Context, db *sql.DB, all []migration) (int, error) {
	rows, err := db.QueryContext(ctx, "SELECT version, name, sum FROM schema_migration ORDER BY version")
	if err != nil {
		return 0, fmt.Errorf("read migrations of the %s: %w", o.Name, err)
	}
	defer rows.Close()
	n := 0
	for rows.Next() {
		var m migration
		if err := rows.Scan(&m.version, &m.name, &m.sum); err != nil {
			return 0, fmt.Errorf("read migrations of the %s: %w", o.Name, err)
		}
		switch {
		case m.version > len(all):
			return 0, &honeyguide.Error{
				Code: honeyguide.CodeConflict,
				Message: fmt.Sprintf("the %s has schema %d, this program knows up to %d; start the newer program or restore a backup",
					o.Name, m.version, len(all)),
				Err: ErrNewer,
			}
		case m.version != n+1:
			return 0, fmt.Errorf("migrations of the %s: number %d follows %d", o.Name, m.version, n)
		case m.sum != all[n].sum:
			return 0, &honeyguide.Error{
				Code: honeyguide.CodeConflict,
				Message: fmt.Sprintf("the %s was made with another text of migration %s; start the program that made it or restore a backup",
					o.Name, m.name),
			}
		}
		n++
	}
	if err := rows.Err(); err != nil {
		return 0, fmt.Errorf("read migrations of the %s: %w", o.Name, err)
	}
	return n, nil
}

func (m migration) apply(ctx context.Context, db *sql.DB, now time.Time) error {
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer tx.Rollback() //nolint:errcheck // after Commit it does nothing
	if _, err := tx.ExecContext(ctx, m.sql); err != nil {
		return err
	}
	const entry = `INSERT INTO schema_migration (version, name, sum, at) VALUES ($1, $2, $3, $4)`
	if _, err := tx.ExecContext(ctx, entry, m.version, m.name, m.sum, now.UnixMicro()); err != nil {
		return err
	}
	return tx.Commit()
}
