package power

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
	"unsafe"

	"honeyguide/internal/sqldb"
)

// A disk is an ext4 file system in a file, mounted through a loop device, whose
// power can be cut.
type disk struct {
	t     testing.TB
	image string
	at    string // where it is mounted
}

// newDisk makes a disk of mib MiB.
func newDisk(t testing.TB, mib int) *disk {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("loop devices want root, and nothing is skipped with CI=true")
		}
		t.Skip("loop devices want root")
	}
	dir := t.TempDir()
	d := &disk{t: t, image: filepath.Join(dir, "disk.img"), at: filepath.Join(dir, "mnt")}
	f, err := os.Create(d.image)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(f.Truncate(int64(mib)<<20), f.Close(), os.Mkdir(d.at, 0o700)); err != nil {
		t.Fatal(err)
	}
	d.run("mkfs.ext4", "-q", "-F", d.image)
	// Processes started meanwhile in mount namespaces of their own get a copy of the
	// mount, which keeps the disk as it is. In a shared place they lose it with us.
	d.run("mount", "--bind", dir, dir)
	t.Cleanup(func() { d.run("umount", "-l", dir) })
	d.run("mount", "--make-shared", dir)
	d.mount()
	t.Cleanup(func() { _ = d.umount() })
	return d
}

func (d *disk) run(name string, args ...string) {
	d.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		d.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
}

func (d *disk) mount() {
	d.t.Helper()
	d.run("mount", "-o", "loop", d.image, d.at)
}

// umount takes the disk away, as soon as those who were killed have let go of it,
// and waits until nobody has it any more: mounted again before, it would be the
// disk without power.
func (d *disk) umount() error {
	deadline := time.Now().Add(30 * time.Second)
	for {
		out, err := exec.Command("umount", d.at).CombinedOutput()
		if err == nil {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("umount: %w: %s", err, out)
		}
		time.Sleep(50 * time.Millisecond)
	}
	for {
		out, err := exec.Command("losetup", "-j", d.image).CombinedOutput()
		if err == nil && len(out) == 0 {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("somebody keeps the disk: %v: %s", err, out)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// shutdown is EXT4_IOC_SHUTDOWN of the kernel's fs/ext4/ext4.h, _IOR('X', 125,
// __u32); noLogFlush is EXT4_GOING_FLAGS_NOLOGFLUSH: what is not on the disk at
// this moment never gets there, the journal neither.
const (
	shutdown   = 0x8004587d
	noLogFlush = 2
)

// cut is the end of the power.
func (d *disk) cut() {
	d.t.Helper()
	f, err := os.Open(d.at)
	if err != nil {
		d.t.Fatal(err)
	}
	defer f.Close()
	how := uint32(noLogFlush)
	if _, _, e := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), shutdown, uintptr(unsafe.Pointer(&how))); e != 0 {
		d.t.Fatalf("EXT4_IOC_SHUTDOWN: %v", e)
	}
}

// restore is the return of the power: the journal is played back.
func (d *disk) restore() {
	d.t.Helper()
	if err := d.umount(); err != nil {
		d.t.Fatal(err)
	}
	d.mount()
}

// A careless writer commits with synchronous=NORMAL, which a power cut must
// punish: otherwise the cut is none.
type careless struct {
	path string
	n    int // rows committed
	done chan struct{}
	stop context.CancelFunc
}

func beCareless(t testing.TB, path string) *careless {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	db, err := sqldb.Open(ctx, sqldb.Options{Path: path, Synchronous: sqldb.SyncNormal})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := db.ExecContext(ctx, "CREATE TABLE IF NOT EXISTS row (n INTEGER PRIMARY KEY)"); err != nil {
		t.Fatal(err)
	}
	w := &careless{path: path, done: make(chan struct{}), stop: stop}
	_ = db.QueryRowContext(ctx, "SELECT count(*) FROM row").Scan(&w.n)
	go func() {
		defer close(w.done)
		defer db.Close()
		for ctx.Err() == nil {
			if _, err := db.ExecContext(ctx, "INSERT INTO row (n) VALUES ($1)", w.n+1); err != nil {
				return
			}
			w.n++
			time.Sleep(time.Millisecond)
		}
	}()
	return w
}

// lost ends the writer, whose disk is back, and counts.
func (w *careless) lost(t testing.TB) int {
	t.Helper()
	db, err := sqldb.Open(t.Context(), sqldb.Options{Path: w.path})
	if err != nil {
		t.Logf("the careless database cannot even be opened: %v", err)
		_ = os.Remove(w.path)
		return w.n
	}
	defer db.Close()
	var have sql.NullInt64
	if err := db.QueryRowContext(t.Context(), "SELECT max(n) FROM row").Scan(&have); err != nil {
		_ = os.Remove(w.path)
		return w.n
	}
	return w.n - int(have.Int64)
}
