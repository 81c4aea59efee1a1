package reserve

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

const mib = 1 << 20

// fake is a disk of which a test says how much others take.
type fake struct {
	dir    string
	others int64
	size   int64
}

func (f *fake) stat(string) (Space, error) {
	mine := int64(0)
	if st, err := os.Stat(filepath.Join(f.dir, FileName)); err == nil {
		mine = st.Size()
	}
	return Space{f.size, max(f.size-f.others-mine, 0)}, nil
}

func TestLevels(t *testing.T) {
	f := &fake{dir: t.TempDir(), size: 64 * mib}
	k, err := Open(Options{Dir: f.dir, Stat: f.stat})
	if err != nil {
		t.Fatal(err)
	}
	if k.Size() != 4*mib || !k.Held() || k.Level() != Ample {
		t.Fatalf("at the start: %d bytes, held %v, %v", k.Size(), k.Held(), k.Level())
	}
	for i, step := range []struct {
		others int64 // MiB
		want   Level
		held   bool
	}{
		{10, Ample, true},
		{47, Ample, true},  // 13 free beside the reserve: the mark is 12
		{49, Short, true},  // 11 free
		{47, Short, true},  // 13 free: not above 16 yet
		{43, Ample, true},  // 17 free
		{59, Full, false},  // 1 free, and the reserve goes: 5 free
		{56, Full, false},  // 8 free: not enough to make the reserve again and go on
		{55, Full, false},  // 9: the mark is 10
		{53, Short, true},  // 11 free: the reserve is made
		{64, Full, false},  // gone
		{64, Full, false},  // nothing to free
		{10, Ample, true},  // all at once
		{600, Full, false}, // more than there is
	} {
		f.others = step.others * mib
		got, err := k.Look()
		if err != nil {
			t.Fatal(err)
		}
		if got != step.want || k.Held() != step.held {
			t.Errorf("step %d, %d MiB taken: %v, held %v; want %v, %v", i, step.others, got, k.Held(), step.want, step.held)
		}
	}
}

// TestReal makes a file that really takes its room.
func TestReal(t *testing.T) {
	dir := t.TempDir()
	if k, err := Open(Options{Dir: dir, Bytes: mib}); err != nil || !k.Held() {
		t.Fatal(err)
	}
	st, err := os.Stat(filepath.Join(dir, FileName))
	if err != nil || st.Size() != mib || st.Mode().Perm() != 0o600 {
		t.Fatalf("%v %v", st, err)
	}
	if taken := st.Sys().(*syscall.Stat_t).Blocks * 512; taken < mib {
		t.Errorf("%d bytes are allocated: none would be free in need", taken)
	}
	if k, err := Open(Options{Dir: dir, Bytes: mib / 2}); err != nil || !k.Held() || k.Size() != mib/2 {
		t.Fatalf("another size: %v, held %v", err, k.Held())
	}
	if st, err = os.Stat(filepath.Join(dir, FileName)); err != nil || st.Size() != mib/2 {
		t.Fatalf("%v %v", st, err)
	}
	if _, err := Open(Options{Dir: filepath.Join(dir, "none")}); err == nil {
		t.Error("a folder that is not there")
	}
}
