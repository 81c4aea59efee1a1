package disk

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"honeyguide"
	"honeyguide/internal/evidence"
	"honeyguide/internal/ipc"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
	"honeyguide/test/rig"
)

// leave takes all the room of a file system but some KiB, until the function it
// returns is called.
func leave(t *testing.T, dir string, kib int) (drop func()) {
	t.Helper()
	path := filepath.Join(dir, "ballast")
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	(&ballast{}).fill(f)
	st, err := f.Stat()
	if err == nil {
		err = f.Truncate(max(st.Size()-int64(kib)<<10, 0))
	}
	if err := errors.Join(err, f.Close()); err != nil {
		t.Fatal(err)
	}
	return func() {
		t.Helper()
		if err := os.Remove(path); err != nil {
			t.Fatal(err)
		}
	}
}

// TestStateOnAFullDisk writes, lets old rows go and empties the journal of the
// state while there is no room, or nearly none.
func TestStateOnAFullDisk(t *testing.T) {
	dir, ctx := small(t, 12), t.Context()
	store := func() *sqlite.Store {
		t.Helper()
		s, err := sqlite.Open(ctx, sqlite.Config{}, state.Deps{Dir: dir})
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
	s := store()
	stored, refused := 0, 0
	save := func(n int) error {
		err := s.Update(ctx, func(tx state.Tx) error {
			for i := range n {
				a := honeyguide.Alert{DedupeKey: fmt.Sprint(stored+i, "k"), Title: strings.Repeat("title ", 20), Count: 1, CreatedAt: time.Unix(1_700_000_000, 0)}
				if _, err := tx.Alerts().Save(ctx, &a); err != nil {
					return err
				}
			}
			return nil
		})
		if err == nil {
			stored += n
		}
		return err
	}
	count := func() (n int) {
		t.Helper()
		err := s.View(ctx, func(tx state.Tx) error {
			for after := ""; ; {
				list, next, err := tx.Alerts().List(ctx, state.AlertQuery{Page: state.Page{After: after, Limit: state.MaxLimit}})
				n += len(list)
				if after = next; err != nil || next == "" {
					return err
				}
			}
		})
		if err != nil {
			t.Errorf("reading on a full disk: %v", err)
		}
		return n
	}
	for _, kib := range []int{0, 4, 16, 32, 64, 128, 256} {
		if err := save(100); err != nil {
			t.Fatal(err)
		}
		drop := leave(t, dir, kib)
		for n := range 12 {
			if err := save(20 + n); err != nil {
				refused++
				if honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable || !strings.Contains(err.Error(), "full") {
					t.Errorf("%d KiB left: %v", kib, err)
				}
			}
		}
		err := s.Update(ctx, func(tx state.Tx) error { // what retention does needs a journal, too
			_, err := tx.Retention().DropOf(ctx, state.ClassAlerts, time.Unix(1, 0), 500)
			return err
		})
		if err != nil && honeyguide.ErrorCode(err) != honeyguide.CodeUnavailable {
			t.Errorf("%d KiB left: retention: %v", kib, err)
		}
		if got := count(); got != stored {
			t.Errorf("%d KiB left: %d alerts of %d", kib, got, stored)
		}
		if kib%32 == 0 { // the journal is emptied, as far as it goes, and the file opened again
			if err := s.Close(); err != nil {
				t.Logf("%d KiB left: close: %v", kib, err)
			}
			drop()
			s = store()
		} else {
			drop()
		}
		if err := save(10); err != nil {
			t.Errorf("with room again, %d KiB before: %v", kib, err)
		}
	}
	if got := count(); got != stored || refused == 0 {
		t.Errorf("%d alerts of %d, %d times refused", got, stored, refused)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	db, err := sqldb.Open(ctx, sqldb.Options{Path: filepath.Join(dir, sqlite.FileName), ReadOnly: true})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := sqldb.Check(ctx, db, false); err != nil {
		t.Error(err)
	}
}

// TestRecordingOnAFullDisk: what could be written of a recording is whole lines,
// and it goes on with room.
func TestRecordingOnAFullDisk(t *testing.T) {
	dir := small(t, 2)
	s, err := evidence.Open(filepath.Join(dir, "recordings"), evidence.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	const session = "fulldisk00000001"
	failed := 0
	say := func(n int, text string) error {
		return s.Chunk(ipc.Chunk{Session: session, Stream: 'o', Time: time.Unix(1_700_000_000+int64(n), 0), Data: []byte(text)})
	}
	want := map[string]bool{}
	for round := range 8 {
		if err := say(10*round, fmt.Sprintf("before %d\r\n", round)); err != nil {
			t.Fatal(err)
		}
		want[fmt.Sprintf("before %d\r\n", round)] = true
		drop := leave(t, dir, round)
		for n := range 4 {
			if err := say(10*round+n, strings.Repeat("what does not fit any more ", 100)); err != nil {
				failed++
			}
		}
		drop()
		text := fmt.Sprintf("after %d\r\n", round)
		if err := say(10*round+9, text); err != nil {
			t.Fatalf("with room again: %v", err)
		}
		want[text] = true
	}
	cast, err := s.Open(session)
	if err != nil {
		t.Fatal(err)
	}
	defer cast.Close()
	if _, _, err := evidence.Entries(cast, func(e evidence.Entry) error { delete(want, e.Data); return nil }); err != nil {
		t.Error(err)
	}
	if len(want) > 0 || failed == 0 {
		t.Errorf("missing: %v; %d pieces did not fit", want, failed)
	}
}

// older unpacks the data folder of an older program.
func older(t *testing.T, dir string) string {
	t.Helper()
	f, err := os.Open("../../internal/app/testdata/schema-before.tgz")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	z, err := gzip.NewReader(f)
	if err != nil {
		t.Fatal(err)
	}
	for r := tar.NewReader(z); ; {
		h, err := r.Next()
		if err == io.EOF {
			return filepath.Join(dir, "data")
		}
		if err != nil {
			t.Fatal(err)
		}
		to := filepath.Join(dir, filepath.FromSlash(h.Name))
		if h.Typeflag == tar.TypeDir {
			err = os.MkdirAll(to, 0o700)
		} else {
			var raw bytes.Buffer
			if _, err = io.Copy(&raw, r); err == nil {
				err = os.WriteFile(to, raw.Bytes(), 0o600)
			}
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

// TestUpgradeOnAFullDisk opens data of an older program with less and less room
// missing: it says so and leaves the data usable, or it works.
func TestUpgradeOnAFullDisk(t *testing.T) {
	if testing.Short() {
		t.Skip("runs the product; -short leaves it out")
	}
	dir := small(t, 64)
	data := older(t, dir)
	refused := 0
	for _, kib := range []int{0, 100, 300, 1200} {
		drop := leave(t, dir, kib)
		out, text, status := rig.CLI(t, data, nil, "alerts", "list") // without a core it opens the data itself
		drop()
		if status == 0 {
			continue
		}
		refused++
		if strings.Contains(text, "panic") || !strings.Contains(text, "room") && !strings.Contains(text, "full") && !strings.Contains(text, "no space") {
			t.Errorf("%d KiB left: %s%s", kib, out, text)
		}
	}
	core := rig.Start(t, data, "sensors.ssh.enabled=false", "sensors.telnet.enabled=false")
	events, err := rig.List[honeyguide.Event](core, "/api/v1/events")
	if err != nil || len(events) == 0 {
		t.Errorf("%d events after the upgrade, %v", len(events), err)
	}
	core.Stop()
	rig.Whole(t, data)
	if refused == 0 {
		t.Error("the disk was never too full for the upgrade")
	}
}
