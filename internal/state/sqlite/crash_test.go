package sqlite_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"strconv"
	"testing"

	"honeyguide"
	"honeyguide/internal/state"
	"honeyguide/internal/state/sqlite"
)

// crashDir names the folder for the process that is going to be killed.
const crashDir = "HONEYGUIDE_TEST_CRASH_DIR"

// step is what a consumer of the log does: effects and cursor in one transaction.
func step(ctx context.Context, tx state.Tx) (int64, error) {
	at, err := tx.Cursors().Cursor(ctx, "c")
	if err != nil {
		return 0, err
	}
	hot, single := sample(int(at), "hot"), sample(int(at), "")
	hot.Count = 1
	single.Title = fmt.Sprint("single n", at)
	_, err1 := tx.Alerts().Save(ctx, &hot)
	_, err2 := tx.Alerts().Save(ctx, &single)
	err3 := tx.Jobs().Add(ctx, &state.Job{Kind: "k"})
	return at + 1, errors.Join(err1, err2, err3, tx.Cursors().Move(ctx, "c", at, at+1))
}

// TestKill kills a writing process 20 times in the middle of its work. What it
// acknowledged is there, nothing is there by half, and the file is whole.
func TestKill(t *testing.T) {
	if dir := os.Getenv(crashDir); dir != "" {
		s := open(t, state.Deps{Dir: dir})
		for {
			var n int64
			err := s.Update(t.Context(), func(tx state.Tx) (err error) {
				n, err = step(t.Context(), tx)
				return err
			})
			if err != nil {
				t.Fatal(err)
			}
			os.Stdout.WriteString(strconv.FormatInt(n, 10) + "\n")
		}
	}
	t.Parallel()
	dir, r := t.TempDir(), rand.New(rand.NewPCG(7, 7))
	acked := int64(0)
	for kill := range 20 {
		acked = work(t, dir, acked, int64(1+r.IntN(25)))
		check(t, dir, kill, acked)
	}
	t.Logf("%d transactions acknowledged over 20 kills", acked)
}

// work runs the process until it has acknowledged n more transactions, kills it
// and returns the last one it acknowledged.
func work(t *testing.T, dir string, acked, n int64) int64 {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestKill$")
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	for killed := false; lines.Scan(); {
		at, err := strconv.ParseInt(lines.Text(), 10, 64)
		if err != nil {
			t.Errorf("the process said %q", lines.Text())
			break
		}
		// What is still in the pipe after the kill was acknowledged, too. One more may
		// be on the disk from the time before.
		if !killed && at < acked+1 {
			t.Errorf("began with %d after %d was acknowledged", at, acked)
		}
		acked = at
		if n--; n == 0 {
			killed = true
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if n > 0 {
		t.Fatal("the process ended by itself")
	}
	return acked
}

func check(t *testing.T, dir string, kill int, acked int64) {
	t.Helper()
	s, err := sqlite.Open(t.Context(), sqlite.Config{}, state.Deps{Dir: dir})
	if err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
	defer s.Close()
	if err := s.Check(t.Context()); err != nil {
		t.Errorf("kill %d: %v", kill, err)
	}
	ctx := t.Context()
	err = s.View(ctx, func(tx state.Tx) error {
		at, err := tx.Cursors().Cursor(ctx, "c")
		if err != nil {
			return err
		}
		if at != acked && at != acked+1 {
			t.Errorf("kill %d: cursor %d, acknowledged %d", kill, at, acked)
		}
		counts, err := tx.Alerts().Counts(ctx, state.AlertQuery{})
		if err != nil {
			return err
		}
		all := int64(0)
		for _, n := range counts {
			all += n
		}
		words, err := tx.Alerts().Counts(ctx, state.AlertQuery{Text: "single"})
		if err != nil {
			return err
		}
		found := int64(0)
		for _, n := range words {
			found += n
		}
		hot, err := tx.Alerts().Get(ctx, "A-1")
		if err != nil {
			return err
		}
		jobs, _, err := tx.Jobs().List(ctx, state.JobQuery{Page: state.Page{Limit: 1}})
		if all != at+1 || found != at || hot.Count != at || hot.DedupeKey != "hot" || len(hot.EventIDs) != int(min(3*at, honeyguide.MaxEvidence)) || jobs[0].ID != at {
			t.Errorf("kill %d at %d: %d alerts, %d found by words, hot %s counts %d with %d ids, last job %d",
				kill, at, all, found, hot.Short, hot.Count, len(hot.EventIDs), jobs[0].ID)
		}
		return err
	})
	if err != nil {
		t.Fatalf("kill %d: %v", kill, err)
	}
}
