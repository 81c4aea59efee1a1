package backup_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/hex"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
	"honeyguide/internal/backup"
	"honeyguide/internal/sqldb"
)

// A node is a small data folder in use: databases with writers, an audit log.
type node struct {
	testing.TB
	data  string
	log   *audit.Log
	state *sql.DB
	today *sql.DB
	last  int64 // event
}

const (
	stateSchema = "CREATE TABLE cursor (consumer TEXT PRIMARY KEY, seq BIGINT NOT NULL, at BIGINT NOT NULL); CREATE TABLE t (x INTEGER PRIMARY KEY, y BLOB)"
	eventSchema = "CREATE TABLE blk (lo INTEGER PRIMARY KEY, n INTEGER NOT NULL, d BLOB)"
)

func newNode(t testing.TB) *node { return nodeIn(t, filepath.Join(t.TempDir(), "data")) }

func nodeIn(t testing.TB, data string) *node {
	t.Helper()
	n := &node{TB: t, data: data}
	for _, dir := range []string{"keys", "events", "recordings", "samples/ab", "rules"} {
		n.must(os.MkdirAll(filepath.Join(data, dir), 0o700))
	}
	for name, text := range map[string]string{
		"keys/deployment.key": "00", "keys/master.key": "the master", "recordings/s1.cast": strings.Repeat("r", 5000), "samples/ab/cd": strings.Repeat("s", 9000),
		"rules/own.yml": "title: x", "LOCK": "1", "events/LOCK": "1", ".new-x.db": "half", "state.db.v3.bak": "old",
	} {
		n.write(name, text)
	}
	var err error
	n.log, err = audit.Open(t.Context(), audit.Options{Dir: filepath.Join(data, "audit"), Keys: filepath.Join(data, "keys")})
	n.must(err)
	t.Cleanup(func() { n.log.Close() })
	n.state = n.db("state.db", sqldb.JournalWAL, stateSchema)
	old := n.db("events/2026-11-20.db", sqldb.JournalDelete, eventSchema)
	n.must(old.Close())
	long := time.Now().Add(-48 * time.Hour)
	n.must(os.Chtimes(filepath.Join(data, "events/2026-11-20.db"), long, long))
	n.today = n.db("events/2026-11-22.db", sqldb.JournalWAL, eventSchema)
	n.event(10)
	return n
}

func (n *node) must(err error) {
	n.Helper()
	if err != nil {
		n.Fatal(err)
	}
}

func (n *node) write(name, text string) {
	n.must(os.WriteFile(filepath.Join(n.data, name), []byte(text), 0o600))
}

func (n *node) db(name string, j sqldb.Journal, schema string) *sql.DB {
	db, err := sqldb.Open(n.Context(), sqldb.Options{Path: filepath.Join(n.data, name), PageSize: 4096, Journal: j, MaxConns: 1})
	n.must(err)
	n.Cleanup(func() { db.Close() })
	_, err = db.ExecContext(n.Context(), schema)
	n.must(err)
	return db
}

// event stores events, works them off, and writes down that somebody did something.
func (n *node) event(k int) {
	n.Helper()
	ctx := context.Background()
	for range k {
		n.last++
		_, err := n.today.ExecContext(ctx, "INSERT INTO blk VALUES ($1, 1, randomblob(300))", n.last)
		n.must(err)
		_, err = n.state.ExecContext(ctx, "INSERT INTO cursor VALUES ('detect', $1, 0) ON CONFLICT (consumer) DO UPDATE SET seq = excluded.seq", n.last)
		n.must(err)
	}
	n.must(n.log.Record(ctx, honeyguide.AuditEntry{Actor: "zoe", Kind: "user", Action: "act", Object: fmt.Sprint(n.last), Outcome: honeyguide.AuditAsked}))
}

func (n *node) job(to string) backup.Job {
	return backup.Job{
		Data: n.data, To: to, Plain: true, Node: "test", Version: "1", MasterKey: "none", Running: true, Actor: "zoe", Kind: "user", Audit: n.log,
		Last: func(context.Context) (int64, error) { return n.last, nil },
	}
}

func (n *node) backUp(job backup.Job) *backup.Manifest {
	n.Helper()
	m, err := backup.Make(context.Background(), job)
	n.must(err)
	return m
}

func open(t testing.TB, from string) *backup.Store {
	t.Helper()
	s, err := backup.Open(from)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

// probe is what the rooms say of a folder, in small.
func probe(ctx context.Context, data string) (p backup.Probe, err error) {
	days, err := filepath.Glob(filepath.Join(data, "events", "*.db"))
	if err != nil {
		return p, err
	}
	one := func(file, q string, into *int64) error {
		db, err := sqldb.Open(ctx, sqldb.Options{Path: file, ReadOnly: true})
		if err != nil {
			return err
		}
		defer db.Close()
		return db.QueryRowContext(ctx, q).Scan(into)
	}
	for _, day := range days {
		var last int64
		if err := one(day, "SELECT coalesce(max(lo + n - 1), 0) FROM blk", &last); err != nil {
			return p, err
		}
		p.Events = max(p.Events, last)
	}
	return p, one(filepath.Join(data, "state.db"), "SELECT coalesce(max(seq), 0) FROM cursor", &p.Cursor)
}

func restore(from *backup.Store, data string) backup.Restore {
	return backup.Restore{From: from, Data: data, Probe: probe}
}

// sums are the files of a folder by their SHA-256, without locks.
func sums(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(full string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Name() == "LOCK" {
			return err
		}
		raw, err := os.ReadFile(full)
		sum := sha256.Sum256(raw)
		rel, _ := filepath.Rel(dir, full)
		out[rel] = hex.EncodeToString(sum[:])
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// sound fails unless a folder holds what a backup says, and its log verifies.
func sound(t testing.TB, data string, m *backup.Manifest) {
	t.Helper()
	p, err := probe(context.Background(), data)
	if err != nil || p.Cursor > p.Events || p.Events < m.Figures.Events {
		t.Fatalf("%s: cursor %d, events %d, want at least %d (%v)", data, p.Cursor, p.Events, m.Figures.Events, err)
	}
	r, err := audit.Verify(context.Background(), audit.Check{Dir: filepath.Join(data, "audit"), Key: m.AuditKey})
	if err != nil || !r.Sound() || r.Size < m.Figures.Audit {
		t.Fatalf("audit log: %+v, %v", r, err)
	}
}

// put is the bytes of a file changed in place.
func put(t testing.TB, file string, change func([]byte) []byte) {
	t.Helper()
	raw, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, change(bytes.Clone(raw)), 0o600); err != nil {
		t.Fatal(err)
	}
}
