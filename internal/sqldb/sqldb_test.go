package sqldb_test

import (
	"context"
	"database/sql"
	"errors"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
	"time"

	"honeyguide"
	"honeyguide/internal/sqldb"
)

func open(t *testing.T, o sqldb.Options) *sql.DB {
	t.Helper()
	db, err := sqldb.Open(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { db.Close() })
	return db
}

func exec1(t *testing.T, db *sql.DB, q string, args ...any) {
	t.Helper()
	if _, err := db.ExecContext(t.Context(), q, args...); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
}

func text(t *testing.T, db *sql.DB, q string) string {
	t.Helper()
	var s string
	if err := db.QueryRowContext(t.Context(), q).Scan(&s); err != nil {
		t.Fatalf("%s: %v", q, err)
	}
	return s
}

// TestPragmas checks every connection of a pool, not only the first.
func TestPragmas(t *testing.T) {
	db := open(t, sqldb.Options{
		Path: filepath.Join(t.TempDir(), "x.db"), PageSize: 8192, CacheKiB: 1234, MaxConns: 3,
		Busy: 1500 * time.Millisecond, ForeignKeys: true,
	})
	want := map[string]string{
		"page_size": "8192", "journal_mode": "wal", "synchronous": "2", "cache_size": "-1234",
		"busy_timeout": "1500", "foreign_keys": "1", "mmap_size": "0", "trusted_schema": "0", "wal_autocheckpoint": "1000",
	}
	for i := range 3 {
		c, err := db.Conn(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close() // held until the end, so that the pool opens another one
		for name, w := range want {
			var got string
			if err := c.QueryRowContext(t.Context(), "PRAGMA "+name).Scan(&got); err != nil || got != w {
				t.Errorf("connection %d: %s = %q (%v), want %q", i, name, got, err, w)
			}
		}
	}
}

func TestOpenKeepsStrangePathsWhole(t *testing.T) {
	for _, name := range []string{
		"a b.db", "q?mode=memory.db", "h#frag.db", "p%41.db", "u\u00fcml.db", "x&_pragma=journal_mode(OFF);.db", "new\nline.db", "\xff\xfe.db",
	} {
		path := filepath.Join(t.TempDir(), name)
		db := open(t, sqldb.Options{Path: path})
		exec1(t, db, "CREATE TABLE t (x)")
		info, err := os.Stat(path)
		if err != nil {
			t.Errorf("%q: the file has another name: %v", name, err)
			continue
		}
		if info.Mode().Perm() != 0o600 || info.Size() == 0 {
			t.Errorf("%q: mode %v size %d, want 0600 and a database", name, info.Mode(), info.Size())
		}
		if got := text(t, db, "PRAGMA journal_mode"); got != "wal" {
			t.Errorf("%q: journal %s", name, got)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	dir := t.TempDir()
	junk := filepath.Join(dir, "junk.db")
	if err := os.WriteFile(junk, []byte(strings.Repeat("this is no database ", 500)), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, o := range map[string]sqldb.Options{
		"no path":       {},
		"NUL in path":   {Path: filepath.Join(dir, "a\x00b")},
		"page size":     {Path: filepath.Join(dir, "p.db"), PageSize: 5000},
		"synchronous":   {Path: filepath.Join(dir, "s.db"), Synchronous: "FULL);DROP TABLE x;--"},
		"journal":       {Path: filepath.Join(dir, "j.db"), Journal: "MEMORY"},
		"missing":       {Path: filepath.Join(dir, "missing.db"), ReadOnly: true},
		"no database":   {Path: junk},
		"junk readonly": {Path: junk, Immutable: true},
		"folder":        {Path: dir},
	} {
		db, err := sqldb.Open(t.Context(), o)
		if err == nil {
			db.Close()
			t.Errorf("%s: opened", name)
		}
		if missing := name == "missing"; errors.Is(err, fs.ErrNotExist) != missing {
			t.Errorf("%s: ErrNotExist = %v (%v)", name, !missing, err)
		}
		if corrupt := strings.HasPrefix(name, "no database") || strings.HasPrefix(name, "junk"); sqldb.IsCorrupt(err) != corrupt {
			t.Errorf("%s: IsCorrupt = %v (%v)", name, !corrupt, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "missing.db")); err == nil {
		t.Error("opening a missing file read-only made it")
	}
}

func TestReadOnlySeesCommitsAndCannotWrite(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	w := open(t, sqldb.Options{Path: path, TxImmediate: true})
	exec1(t, w, "CREATE TABLE t (x INTEGER)")
	r := open(t, sqldb.Options{Path: path, ReadOnly: true})
	exec1(t, w, "INSERT INTO t VALUES (7)")
	if got := text(t, r, "SELECT x FROM t"); got != "7" {
		t.Errorf("reader sees %s", got)
	}
	_, err := r.ExecContext(t.Context(), "INSERT INTO t VALUES (8)")
	if !sqldb.IsReadOnly(err) {
		t.Errorf("write on a reader: %v", err)
	}
	if _, err := r.ExecContext(t.Context(), "PRAGMA query_only = 0; INSERT INTO t VALUES (8)"); !sqldb.IsReadOnly(err) {
		t.Errorf("write on a reader after lifting query_only: %v", err)
	}
}

func TestImmutableLeavesNothingBeside(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	w := open(t, sqldb.Options{Path: path, Journal: sqldb.JournalDelete})
	exec1(t, w, "CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (7)")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := sqldb.OpenImmutable(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if got := text(t, db, "SELECT x FROM t"); got != "7" {
		t.Errorf("got %s", got)
	}
	if names, _ := filepath.Glob(path + "*"); len(names) != 1 {
		t.Errorf("files: %q", names)
	}
}

func TestClassification(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	a := open(t, sqldb.Options{Path: path, TxImmediate: true})
	exec1(t, a, "CREATE TABLE t (x INTEGER PRIMARY KEY, y TEXT UNIQUE, b BLOB); INSERT INTO t VALUES (1, 'a', NULL)")
	for _, q := range []string{"INSERT INTO t VALUES (1, 'b', NULL)", "INSERT INTO t VALUES (2, 'a', NULL)"} {
		if _, err := a.ExecContext(t.Context(), q); !sqldb.IsUnique(err) || sqldb.IsFull(err) || sqldb.IsBusy(err) {
			t.Errorf("%s: %v", q, err)
		}
	}
	b := open(t, sqldb.Options{Path: path, TxImmediate: true, Busy: time.Millisecond})
	tx, err := a.BeginTx(t.Context(), nil)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := b.ExecContext(t.Context(), "INSERT INTO t VALUES (3, 'c', NULL)"); !sqldb.IsBusy(err) || sqldb.IsUnique(err) {
		t.Errorf("second writer: %v", err)
	}
	if err := tx.Rollback(); err != nil {
		t.Fatal(err)
	}
	exec1(t, a, "PRAGMA max_page_count = 8")
	if _, err := a.ExecContext(t.Context(), "INSERT INTO t VALUES (4, 'd', zeroblob(1000000))"); !sqldb.IsFull(err) {
		t.Errorf("full file: %v", err)
	}
	for name, is := range map[string]func(error) bool{
		"IsFull": sqldb.IsFull, "IsBusy": sqldb.IsBusy, "IsCorrupt": sqldb.IsCorrupt,
		"IsReadOnly": sqldb.IsReadOnly, "IsUnique": sqldb.IsUnique, "IsLost": sqldb.IsLost,
	} {
		if is(nil) || is(errors.New("x")) || is(sql.ErrNoRows) {
			t.Errorf("%s takes any error", name)
		}
	}
}

func TestUpkeep(t *testing.T) {
	dir := t.TempDir()
	path, copied := filepath.Join(dir, "x.db"), filepath.Join(dir, "b'k.db")
	db := open(t, sqldb.Options{Path: path})
	exec1(t, db, "CREATE TABLE t (x INTEGER); INSERT INTO t VALUES (7)")
	for range 2 { // the second replaces the first
		if err := sqldb.Backup(t.Context(), db, copied); err != nil {
			t.Fatal(err)
		}
	}
	b := open(t, sqldb.Options{Path: copied, ReadOnly: true})
	if got := text(t, b, "SELECT x FROM t"); got != "7" {
		t.Errorf("copy holds %s", got)
	}
	if err := sqldb.Checkpoint(t.Context(), db); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat(path + "-wal"); err != nil || info.Size() != 0 {
		t.Errorf("log after checkpoint: %v %v", info, err)
	}
	for _, quick := range []bool{true, false} {
		if err := sqldb.Check(t.Context(), db, quick); err != nil {
			t.Error(err)
		}
	}
}

func TestCheckFindsDamage(t *testing.T) {
	path := filepath.Join(t.TempDir(), "x.db")
	db := open(t, sqldb.Options{Path: path, Journal: sqldb.JournalDelete})
	exec1(t, db, "CREATE TABLE t (x INTEGER PRIMARY KEY, b BLOB); CREATE INDEX i ON t (b)")
	for i := range 50 {
		exec1(t, db, "INSERT INTO t VALUES ($1, randomblob(2000))", i)
	}
	db.Close()
	b, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for i := 4096 * 3; i < 4096*9; i += 64 {
		b[i] ^= 0x5a
	}
	if err := os.WriteFile(path, b, 0o600); err != nil {
		t.Fatal(err)
	}
	db, err = sqldb.Open(t.Context(), sqldb.Options{Path: path, Journal: sqldb.JournalDelete})
	if err == nil {
		defer db.Close()
		err = sqldb.Check(t.Context(), db, true)
	}
	if err == nil {
		t.Error("damage was not found")
	}
}

var migrations = fstest.MapFS{
	"0001_first.sql":           {Data: []byte("CREATE TABLE a (x INTEGER); INSERT INTO a VALUES (1);")},
	"0002_second.sqlite.sql":   {Data: []byte("CREATE TABLE b (x INTEGER);")},
	"0002_second.postgres.sql": {Data: []byte("THIS IS NOT FOR US;")},
	"0003_third.sql":           {Data: []byte("ALTER TABLE a ADD COLUMN y INTEGER; UPDATE a SET y = x + 1;")},
}

// first returns the files up to number n.
func first(n int) fstest.MapFS {
	m := fstest.MapFS{}
	for name, f := range migrations {
		if v, _ := strconv.Atoi(name[:4]); v <= n {
			m[name] = f
		}
	}
	return m
}

func TestMigrate(t *testing.T) {
	dir := t.TempDir()
	db := open(t, sqldb.Options{Path: filepath.Join(dir, "x.db")})
	o := sqldb.MigrateOptions{Name: "test database", AppID: 0x1234}
	if v, want, err := sqldb.Schema(t.Context(), db, migrations, o); v != 0 || want != 3 || err != nil {
		t.Fatalf("fresh file: schema %d of %d, %v", v, want, err)
	}
	for _, n := range []int{2, 2, 3, 3} {
		v, err := sqldb.Migrate(t.Context(), db, first(n), o)
		if err != nil || v != n {
			t.Fatalf("to %d: %d, %v", n, v, err)
		}
	}
	if got := text(t, db, "SELECT y FROM a"); got != "2" {
		t.Errorf("y = %s", got)
	}
	if v, want, err := sqldb.Schema(t.Context(), db, migrations, o); v != 3 || want != 3 || err != nil {
		t.Errorf("schema %d of %d, %v", v, want, err)
	}
}

func TestMigrateRefuses(t *testing.T) {
	o := sqldb.MigrateOptions{Name: "test database", AppID: 0x1234}
	changed := first(3)
	changed["0001_first.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE other (x INTEGER);")}
	broken := first(3)
	broken["0004_broken.sql"] = &fstest.MapFile{Data: []byte("CREATE TABLE c (x INTEGER); INSERT INTO c VALUES (1); NO SQL;")}
	hole := first(1)
	hole["0003_x.sql"] = &fstest.MapFile{Data: []byte("SELECT 1;")}
	other := o
	other.AppID = 0x4321
	for name, c := range map[string]struct {
		fsys fs.FS
		o    sqldb.MigrateOptions
		want string
		code honeyguide.Code
	}{
		"newer":   {first(2), o, "has schema 3, this program knows up to 2", honeyguide.CodeConflict},
		"changed": {changed, o, "0001_first.sql", honeyguide.CodeConflict},
		"app":     {migrations, other, "application id 0x1234", honeyguide.CodeConflict},
		"broken":  {broken, o, "0004_broken.sql", honeyguide.CodeInternal},
		"hole":    {hole, o, "0002_", honeyguide.CodeInternal},
		"empty":   {fstest.MapFS{}, o, "none", honeyguide.CodeInternal},
	} {
		t.Run(name, func(t *testing.T) {
			db := open(t, sqldb.Options{Path: filepath.Join(t.TempDir(), "x.db")})
			if _, err := sqldb.Migrate(t.Context(), db, migrations, o); err != nil {
				t.Fatal(err)
			}
			_, err := sqldb.Migrate(t.Context(), db, c.fsys, c.o)
			if err == nil || !strings.Contains(err.Error(), c.want) || honeyguide.ErrorCode(err) != c.code {
				t.Fatalf("got %v, want %q", err, c.want)
			}
			if errors.Is(err, sqldb.ErrNewer) != (name == "newer") {
				t.Errorf("ErrNewer: %v", err)
			}
			if n := text(t, db, "SELECT count(*) FROM schema_migration"); n != "3" {
				t.Errorf("%s migrations noted, want 3", n)
			}
			if n := text(t, db, "SELECT count(*) FROM sqlite_master WHERE name = 'c'"); n != "0" {
				t.Error("half a migration stayed")
			}
		})
	}
	t.Run("another program", func(t *testing.T) {
		db := open(t, sqldb.Options{Path: filepath.Join(t.TempDir(), "x.db")})
		exec1(t, db, "CREATE TABLE bookmarks (x)")
		if _, err := sqldb.Migrate(t.Context(), db, migrations, o); honeyguide.ErrorCode(err) != honeyguide.CodeConflict {
			t.Errorf("got %v", err)
		}
	})
}

func TestLock(t *testing.T) {
	dir := t.TempDir()
	a, err := sqldb.Lock(dir)
	if err != nil {
		t.Fatal(err)
	}
	_, err = sqldb.Lock(dir)
	if honeyguide.ErrorCode(err) != honeyguide.CodeConflict || !strings.Contains(err.Error(), "process "+strconv.Itoa(os.Getpid())) {
		t.Errorf("second lock: %v", err)
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	b, err := sqldb.Lock(dir)
	if err != nil {
		t.Fatalf("after release: %v", err)
	}
	b.Close()
	if _, err := sqldb.Lock(filepath.Join(dir, "missing")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("missing folder: %v", err)
	}
}

// TestLockEndsWithTheProcess kills a holder and takes the lock after it.
func TestLockEndsWithTheProcess(t *testing.T) {
	if dir := os.Getenv("SQLDB_TEST_LOCK"); dir != "" {
		if _, err := sqldb.Lock(dir); err != nil {
			os.Exit(3)
		}
		os.Stdout.WriteString("held\n")
		select {}
	}
	dir := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	cmd := exec.CommandContext(ctx, os.Args[0], "-test.run=^TestLockEndsWithTheProcess$")
	cmd.Env = append(os.Environ(), "SQLDB_TEST_LOCK="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	if _, err := sqldb.Lock(dir); err == nil || !strings.Contains(err.Error(), "process "+strconv.Itoa(cmd.Process.Pid)) {
		t.Errorf("while held by another process: %v", err)
	}
	cancel() // SIGKILL
	_ = cmd.Wait()
	l, err := sqldb.Lock(dir)
	if err != nil {
		t.Fatalf("after the holder was killed: %v", err)
	}
	l.Close()
}

func FuzzOpenPath(f *testing.F) {
	for _, s := range []string{"a", "a?b", "%00", "a%20b", "file:x", ":memory:", "?mode=memory", "a#b", "\xff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if name == "" || len(name) > 200 || strings.ContainsAny(name, "/\x00") || name == "." || name == ".." {
			t.Skip()
		}
		path := filepath.Join(t.TempDir(), name)
		db, err := sqldb.Open(t.Context(), sqldb.Options{Path: path, Journal: sqldb.JournalDelete, Synchronous: sqldb.SyncOff})
		if err != nil {
			t.Fatalf("%q (%s): %v", name, url.PathEscape(name), err)
		}
		defer db.Close()
		exec1(t, db, "CREATE TABLE t (x)")
		if info, err := os.Stat(path); err != nil || info.Size() == 0 {
			t.Errorf("%q: %v %v", name, info, err)
		}
	})
}
