package disk

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"
)

// small mounts a file system of so many MiB in memory, with real bounds.
func small(t testing.TB, mib int) string {
	t.Helper()
	if os.Getuid() != 0 {
		if os.Getenv("CI") == "true" {
			t.Fatal("mounts want root, and nothing is skipped with CI=true")
		}
		t.Skip("mounts want root")
	}
	at := filepath.Join(t.TempDir(), "mnt")
	if err := os.Mkdir(at, 0o700); err != nil {
		t.Fatal(err)
	}
	if out, err := exec.Command("mount", "-t", "tmpfs", "-o", "mode=700,size="+strconv.Itoa(mib)+"m", "tmpfs", at).CombinedOutput(); err != nil {
		t.Fatalf("mount: %v %s", err, out)
	}
	t.Cleanup(func() {
		for range 100 {
			if exec.Command("umount", at).Run() == nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
		_ = exec.Command("umount", "-l", at).Run()
		t.Error("the file system was still in use")
	})
	return at
}

// A ballast takes all the room there is, again and again: whatever the core frees
// is gone in a moment.
type ballast struct {
	path string
	stop chan struct{}
	wg   sync.WaitGroup
}

func load(t testing.TB, dir string) *ballast {
	t.Helper()
	b := &ballast{path: filepath.Join(dir, "ballast"), stop: make(chan struct{})}
	f, err := os.Create(b.path)
	if err != nil {
		t.Fatal(err)
	}
	b.fill(f)
	b.wg.Go(func() {
		defer f.Close()
		for {
			select {
			case <-b.stop:
				return
			case <-time.After(20 * time.Millisecond):
				b.fill(f)
			}
		}
	})
	return b
}

func (b *ballast) fill(f *os.File) {
	block := make([]byte, 64<<10)
	for size := len(block); size > 0; {
		if n, err := f.Write(block[:size]); err != nil || n < size {
			size /= 2
		}
	}
}

// drop makes room.
func (b *ballast) drop() {
	close(b.stop)
	b.wg.Wait()
	_ = os.Remove(b.path)
}
