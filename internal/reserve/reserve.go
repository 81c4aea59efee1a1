// Package reserve keeps room on a disk for the moment it is full. A file of
// zeros lies in the data folder; when nothing is left it is given back to the
// file system, so that what is half done can be finished and what people order
// can be written down, and made again once there is room.
//
// How much is left has three levels. [Ample] is the normal one. At [Short] what
// can be spared is given up, so that the disk does not fill. At [Full] no event
// is taken: the room of the reserve is for the state, the audit log and the
// journals, and a thousand events a second would eat it in a moment. Each level
// is left at a mark well above the one it was entered at.
package reserve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// Level is how much room is left.
type Level int32

// The levels.
const (
	Ample Level = iota
	Short       // what can be spared goes
	Full        // no event is taken
)

// String is the level in a word.
func (l Level) String() string {
	switch l {
	case Short:
		return "short"
	case Full:
		return "full"
	}
	return "ample"
}

// Space is what a file system has, in bytes. Free is what this process may use.
type Space struct{ Size, Free int64 }

// Stat asks the file system of a folder.
func Stat(dir string) (Space, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return Space{}, fmt.Errorf("look at the room below %s: %w", dir, err)
	}
	return Space{int64(st.Blocks) * st.Bsize, int64(st.Bavail) * st.Bsize}, nil
}

// FileName is the name of the file in the folder.
const FileName = "reserve"

// Bounds of the size chosen when none is given: a sixteenth of a small disk, 64
// MiB of others.
const (
	part    = 16
	most    = 64 << 20
	atLeast = 256 << 10
)

// Options say how a keeper works.
type Options struct {
	Dir   string                      // folder of the file, which is watched
	Bytes int64                       // size of the file; 0 = a sixteenth of the disk, 64 MiB at most
	Stat  func(string) (Space, error) // nil: Stat
}

// A Keeper knows how much is left and holds the reserve.
type Keeper struct {
	path string
	dir  string
	size int64
	stat func(string) (Space, error)

	level atomic.Int32
	held  atomic.Bool

	mu    sync.Mutex // one look at a time
	space atomic.Pointer[Space]
}

// Open looks at the disk and makes the reserve if there is room for it.
func Open(o Options) (*Keeper, error) {
	k := &Keeper{path: filepath.Join(o.Dir, FileName), dir: o.Dir, size: o.Bytes, stat: o.Stat}
	if k.stat == nil {
		k.stat = Stat
	}
	if k.size <= 0 {
		s, err := k.stat(o.Dir)
		if err != nil {
			return nil, err
		}
		k.size = SizeFor(s, 0)
	}
	if st, err := os.Stat(k.path); err == nil {
		if st.Size() == k.size {
			k.held.Store(true)
		} else if err := k.free(); err != nil { // of another size, or half made
			return nil, err
		}
	}
	_, err := k.Look()
	return k, err
}

// SizeFor is how large the reserve of a disk is when so many bytes are asked for;
// 0 leaves it to the disk.
func SizeFor(s Space, bytes int64) int64 {
	if bytes > 0 {
		return bytes
	}
	return max(min(s.Size/part, most), atLeast)
}

// Size is how large the reserve is.
func (k *Keeper) Size() int64 { return k.size }

// Held reports whether the reserve is there to be freed.
func (k *Keeper) Held() bool { return k.held.Load() }

// Level is how much was left at the last look.
func (k *Keeper) Level() Level { return Level(k.level.Load()) }

// Full reports whether no event is to be taken.
func (k *Keeper) Full() bool { return k.Level() == Full }

// Space is what the last look saw. A reserve that is held is no free room.
func (k *Keeper) Space() Space {
	if s := k.space.Load(); s != nil {
		return *s
	}
	return Space{}
}

// Marks of free room, in reserves: below the first the next level begins, above
// the second it is over. Without the reserve in place the end of Full leaves room
// to make it again.
func (k *Keeper) full() int64    { return k.size / 2 }
func (k *Keeper) notFull() int64 { return k.size * 5 / 2 }
func (k *Keeper) short() int64   { return k.size * 3 }
func (k *Keeper) ample() int64   { return k.size * 4 }

// Wanted is how much has to be freed until nothing more need be given up.
func (k *Keeper) Wanted() int64 { return max(k.ample()-k.Space().Free, 0) }

// Look measures, gives the reserve back or makes it again, and says the level.
func (k *Keeper) Look() (Level, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	s, err := k.stat(k.dir)
	if err != nil {
		return k.Level(), err
	}
	now := k.judge(s.Free)
	switch {
	case now == Full && k.held.Load():
		err = k.free()
	case now != Full && !k.held.Load() && s.Free >= k.size+2*k.full():
		if err = k.make(); errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
			err, now = nil, Full
		}
	}
	if again, serr := k.stat(k.dir); serr == nil {
		s = again
	}
	k.space.Store(&s)
	k.level.Store(int32(now))
	return now, err
}

// judge says the level that free room means, given the one before.
func (k *Keeper) judge(free int64) Level {
	was := k.Level()
	mine := int64(0)
	if k.held.Load() {
		mine = k.size
	}
	switch {
	case free < k.full() || was == Full && free+mine < k.notFull():
		return Full
	case free < k.short() || was != Ample && free < k.ample():
		return Short
	}
	return Ample
}

func (k *Keeper) free() error {
	k.held.Store(false)
	if err := os.Remove(k.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("free the reserve: %w", err)
	}
	return nil
}

// make takes the room for good: what is not allocated would be none in need.
func (k *Keeper) make() error {
	f, err := os.OpenFile(k.path, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("make the reserve: %w", err)
	}
	err = syscall.Fallocate(int(f.Fd()), 0, 0, k.size)
	if errors.Is(err, syscall.EOPNOTSUPP) {
		err = fill(f, k.size)
	}
	if err = errors.Join(err, f.Close()); err != nil {
		_ = os.Remove(k.path)
		return fmt.Errorf("make the reserve: %w", err)
	}
	k.held.Store(true)
	return nil
}

// fill writes what cannot be allocated otherwise.
func fill(f *os.File, n int64) error {
	block := make([]byte, 256<<10)
	for n > 0 {
		w, err := f.Write(block[:min(n, int64(len(block)))])
		if err != nil {
			return err
		}
		n -= int64(w)
	}
	return nil
}

// How often the disk is looked at: soon while it is short, so that its end is
// noticed and recovery begins at once.
const (
	calmEvery  = time.Second
	shortEvery = 200 * time.Millisecond
)

// Run looks at the disk until ctx ends. act is called at the start, as if the disk
// had been ample, and after each look with the level before it; it sheds, and
// tells whoever has to know.
func (k *Keeper) Run(ctx context.Context, act func(ctx context.Context, was, now Level)) error {
	act(ctx, Ample, k.Level())
	for {
		every := calmEvery
		if k.Level() != Ample {
			every = shortEvery
		}
		t := time.NewTimer(every)
		select {
		case <-ctx.Done():
			t.Stop()
			return nil
		case <-t.C:
		}
		was := k.Level()
		now, err := k.Look()
		if err != nil {
			return err
		}
		act(ctx, was, now)
	}
}
