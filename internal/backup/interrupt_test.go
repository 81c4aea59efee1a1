package backup_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"honeyguide/internal/backup"
)

// Environment of a child that is killed in the middle.
const (
	childDo   = "HONEYGUIDE_BACKUP_CHILD" // backup or restore
	childData = "HONEYGUIDE_BACKUP_DATA"
	childTo   = "HONEYGUIDE_BACKUP_TO"
	childAt   = "HONEYGUIDE_BACKUP_AT" // dies at this step
)

// TestChild is what a killed process does; it is no test of its own.
func TestChild(t *testing.T) {
	if os.Getenv(childDo) == "" {
		t.SkipNow() // the others start it
	}
	at, _ := strconv.Atoi(os.Getenv(childAt))
	step := 0
	told := func(string, int64) {
		if step++; step == at {
			_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	if os.Getenv(childDo) == "backup" {
		n := nodeIn(t, os.Getenv(childData))
		job := n.job(os.Getenv(childTo))
		job.Told = told
		n.backUp(job)
		return
	}
	r := restore(open(t, os.Getenv(childTo)), os.Getenv(childData))
	r.Replace, r.EvenIfNewer, r.Told = true, true, told
	if _, err := r.Run(t.Context()); err != nil {
		t.Fatal(err)
	}
}

// child runs until it is killed at a step; false when it came to its end before.
func child(t *testing.T, do, data, to string, at int) bool {
	t.Helper()
	cmd := exec.Command(os.Args[0], "-test.run=^TestChild$")
	cmd.Env = append(os.Environ(), childDo+"="+do, childData+"="+data, childTo+"="+to, childAt+"="+strconv.Itoa(at))
	out, err := cmd.CombinedOutput()
	if err == nil {
		return false
	}
	if e, ok := errors.AsType[*exec.ExitError](err); !ok || e.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("%s at step %d: %v\n%s", do, at, err, out)
	}
	return true
}

// steps are those at which a child is killed: some of them, or all of them when
// HONEYGUIDE_TRUST_BACKUP_KILLS says so.
func steps(t *testing.T, kill func(at int) bool) (killed int) {
	t.Helper()
	skip := 5
	if every() {
		skip = 1
	}
	for at := 1; ; at += skip {
		if !kill(at) {
			return killed
		}
		killed++
	}
}

func every() bool { return os.Getenv("HONEYGUIDE_TRUST_BACKUP_KILLS") != "" }

// TestKilledBackup: what a killed backup leaves does not look like one, unless it
// is one, and the next one into the same folder is whole.
func TestKilledBackup(t *testing.T) {
	to, whole := filepath.Join(t.TempDir(), "b"), 0
	sound := func() {
		t.Helper()
		r, err := backup.Verify(t.Context(), backup.Check{From: open(t, to), Probe: probe})
		if err != nil || !r.Sound() {
			t.Fatalf("%+v, %v", r, err)
		}
	}
	killed := steps(t, func(at int) bool {
		dead := child(t, "backup", filepath.Join(t.TempDir(), "data"), to, at)
		if !dead {
			return false
		}
		s, err := backup.Open(to)
		if err != nil {
			return true // not even begun
		}
		defer s.Close()
		ids, err := s.IDs()
		if err != nil {
			t.Fatalf("killed at step %d: %v", at, err)
		}
		if len(ids) > 0 { // in place already, and the note of what it saw is not written
			whole++
			sound()
			if err := os.RemoveAll(to); err != nil { // the next child is another node
				t.Fatal(err)
			}
		}
		return true
	})
	ids, err := open(t, to).IDs()
	if err != nil || len(ids) != 1 || killed < 3 || every() && whole != 1 {
		t.Fatalf("%d killed, %d of them when the backup was in place; backups: %v, %v", killed, whole, ids, err)
	}
	sound()
	t.Logf("%d killed: %d times there is no backup, %d times a whole one", killed, killed-whole, whole)
}

// TestKilledArchive: the same for a backup in one file.
func TestKilledArchive(t *testing.T) {
	dir := t.TempDir()
	to := filepath.Join(dir, "one"+backup.ArchiveSuffix)
	killed := steps(t, func(at int) bool {
		if !child(t, "backup", filepath.Join(t.TempDir(), "data"), to, at) {
			return false
		}
		if s, err := backup.Open(to); err == nil {
			r, err := backup.Verify(t.Context(), backup.Check{From: s, Probe: probe})
			if s.Close(); err != nil || !r.Sound() {
				t.Fatalf("killed at step %d: %+v, %v", at, r, err)
			}
			if err := os.Remove(to); err != nil {
				t.Fatal(err)
			}
		} else if _, err := os.Stat(to); err == nil {
			t.Fatalf("killed at step %d: a file is there that is no backup", at)
		}
		return true
	})
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 || killed < 3 {
		t.Errorf("%d killed; beside the backup there is %v, %v", killed, left, err)
	}
}

// TestKilledRestore: after a restore that was killed either what was there is
// there, or what was restored: one of them, whole.
func TestKilledRestore(t *testing.T) {
	n := newNode(t)
	to := filepath.Join(t.TempDir(), "b")
	m := n.backUp(n.job(to))
	n.event(7)
	n.must(errors.Join(n.state.Close(), n.today.Close(), n.log.Close()))
	old, fresh := 0, 0
	steps(t, func(at int) bool {
		data := filepath.Join(t.TempDir(), "data")
		n.must(os.CopyFS(data, os.DirFS(n.data)))
		if !child(t, "restore", data, to, at) {
			return false
		}
		n.must(backup.Recover(data))
		p, err := probe(context.Background(), data)
		n.must(err)
		switch p.Events {
		case 17:
			old++
			for name, sum := range sums(t, n.data) {
				if got := sums(t, data)[name]; got != sum {
					t.Fatalf("killed at step %d: %s is not what it was", at, name)
				}
			}
		case 10:
			fresh++
			sound(t, data, m)
		default:
			t.Fatalf("killed at step %d: %d events", at, p.Events)
		}
		left, err := filepath.Glob(filepath.Join(data, ".restore-*"))
		if err != nil || len(left) > 0 {
			t.Fatalf("killed at step %d: %v is left", at, left)
		}
		return true
	})
	if old == 0 || fresh == 0 {
		t.Errorf("%d times the old, %d times the new: both have to be met", old, fresh)
	}
	t.Logf("%d killed: %d times what was there is there, %d times what was restored", old+fresh, old, fresh)
}

// tmpfs mounts a small disk.
func tmpfs(t *testing.T, size int) string {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("this test mounts file systems: run it as root")
		}
		t.Skip("mounting a small disk needs root")
	}
	dir := t.TempDir()
	if err := syscall.Mount("tmpfs", dir, "tmpfs", 0, fmt.Sprintf("size=%dk", size)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Unmount(dir, syscall.MNT_DETACH) })
	return dir
}

// TestFullDisk backs up to disks, and restores on disks, that are too small for
// it by more and less, until one is large enough.
func TestFullDisk(t *testing.T) {
	n := newNode(t)
	good := filepath.Join(t.TempDir(), "good")
	m := n.backUp(n.job(good))
	full := 0
	for size := 64; ; size += 64 + size/4 {
		to := tmpfs(t, size)
		backup.SetReserve(t, 0)
		if _, err := backup.Make(t.Context(), n.job(to)); err == nil {
			break
		} else if !strings.Contains(err.Error(), "no space") && !strings.Contains(err.Error(), "MiB free") {
			t.Fatalf("%d KiB: %v", size, err)
		}
		full++
		if s, err := backup.Open(to); err == nil {
			if ids, _ := s.IDs(); len(ids) > 0 {
				t.Fatalf("%d KiB: there is a backup on a full disk", size)
			}
			s.Close()
		}
	}
	for size := 64; ; size += 64 + size/4 {
		data := filepath.Join(tmpfs(t, size), "data")
		backup.SetReserve(t, 0)
		out, err := restore(open(t, good), data).Run(t.Context())
		if err == nil {
			sound(t, out.Data, m)
			break
		}
		full++
		if left, _ := os.ReadDir(data); len(left) > 1 {
			t.Fatalf("%d KiB: a restore on a full disk left %v (%v)", size, left, err)
		}
	}
	if full < 2 {
		t.Errorf("only %d disks were too small", full)
	}
}
