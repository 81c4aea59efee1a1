package rig

import (
	"path/filepath"
	"strings"
	"testing"

	"honeyguide/internal/sqldb"
)

// Whole checks the files of a stopped core: every database, every day of events,
// that none was put aside, and the audit log.
func Whole(t testing.TB, data string) {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(data, "*.db"))
	if err != nil {
		t.Fatal(err)
	}
	days, err := filepath.Glob(filepath.Join(data, "events", "*.db"))
	if err != nil || len(files) == 0 || len(days) == 0 {
		t.Fatalf("there is nothing to check: %v, %v, %v", files, days, err)
	}
	for _, path := range append(files, days...) {
		db, err := sqldb.Open(t.Context(), sqldb.Options{Path: path, ReadOnly: true})
		if err == nil {
			err = sqldb.Check(t.Context(), db, false)
			db.Close()
		}
		if err != nil {
			t.Errorf("%s: %v", filepath.Base(path), err)
		}
	}
	for _, pattern := range []string{"*.bad*", "events/*.bad*"} {
		if bad, _ := filepath.Glob(filepath.Join(data, pattern)); len(bad) > 0 {
			t.Errorf("put aside as damaged: %v", bad)
		}
	}
	if out, errs, status := CLI(t, data, nil, "audit", "verify"); status != 0 || strings.Contains(out, "damaged") {
		t.Errorf("audit verify: %d %s %s", status, out, errs)
	}
}
