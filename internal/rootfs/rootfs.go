// Package rootfs reads a real root file system into an [image.Index]: the facts
// of its files and packages, and on request its text. It only ever reads.
package rootfs

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"honeyguide/internal/image"
)

// Options say how to read a root. The zero value is fine.
type Options struct {
	Name     string    // of the image
	Sorted   bool      // folders list by name; else as the kernel lists them
	Since    time.Time // what changed at or after this moment was made by the installation; zero: nothing was
	Contents bool      // keep the content of text files
	Keep     []string  // patterns of what to take along though it is a machine's own, see [Leftovers]
}

// Limits of an image with contents, bytes.
const (
	maxBody   = 64 << 10
	maxBodies = 64 << 20
)

// Leftovers are what a root has from the machine it was made on, or what a
// pretended host makes itself; patterns of path.Match, below a root. What is in
// a matching folder goes, the folder itself stays when the pattern ends in /*.
func Leftovers() []string {
	return strings.Fields(`/proc/* /sys/* /dev/* /run/* /tmp/* /var/tmp/* /lost+found /.dockerenv /vmlinuz* /initrd.img*
		/etc/hostname /etc/hosts /etc/resolv.conf /etc/machine-id /etc/mtab /etc/fstab /etc/adjtime /etc/ssh/ssh_host_* /etc/apt/sources.list
		/etc/apt/apt.conf.d/docker-* /etc/apt/apt.conf.d/99* /etc/apt/apt.conf.d/20packagekit /etc/apt/apt.conf.d/50appstream /etc/apt/apt.conf.d/0[12]autoremove-postgresql
		/usr/sbin/policy-rc.d /root/* /root/.* /home/*
		/var/lib/apt/lists/* /var/lib/apt/extended_states /var/cache/apt/*.bin /var/cache/apt/archives/*.deb /var/lib/dbus/machine-id /var/lib/systemd/random-seed /var/lib/systemd/credential.secret
		/var/log/*.log /var/log/apt/* /var/log/wtmp /var/log/btmp /var/log/lastlog /var/log/faillog /var/log/journal/* /var/log/installer
		/var/cache/debconf/*-old /var/lib/dpkg/lock* /var/lib/mysql/* /var/cache/ldconfig/*`)
}

// Read walks the root at dir. Errors name the path.
func Read(ctx context.Context, dir string, o Options) (*image.Index, error) {
	info, err := os.Stat(dir)
	if err != nil {
		return nil, fmt.Errorf("read root: %w", err)
	}
	if !info.IsDir() {
		return nil, fmt.Errorf("read root %s: not a folder", dir)
	}
	r := &reader{dir: dir, o: o, x: &image.Index{Name: o.Name, Ordered: !o.Sorted}, links: map[[2]uint64]int32{}, began: o.Since.Unix()}
	if err := r.entry("/", -1); err != nil {
		return nil, err
	}
	if err := r.folder(ctx, "/", 0); err != nil {
		return nil, err
	}
	if err := r.packages(); err != nil {
		return nil, err
	}
	return r.x, r.x.Check()
}

type reader struct {
	dir    string
	o      Options
	x      *image.Index
	links  map[[2]uint64]int32 // device and inode: first entry
	bodies int
	began  int64
}

func (r *reader) real(p string) string { return filepath.Join(r.dir, p) }

// folder reads what is in a folder.
func (r *reader) folder(ctx context.Context, p string, at int32) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	f, err := os.Open(r.real(p))
	if err != nil {
		return fmt.Errorf("read root: %w", err)
	}
	names, err := f.Readdirnames(-1)
	err = errors.Join(err, f.Close())
	if err != nil {
		return fmt.Errorf("read root: list %s: %w", r.real(p), err)
	}
	if r.o.Sorted {
		slices.Sort(names)
	}
	for _, name := range names {
		child := path.Join(p, name)
		if r.leftover(child) {
			continue
		}
		n := int32(len(r.x.Entries))
		if err := r.entry(child, at); err != nil {
			return err
		}
		if int(n) < len(r.x.Entries) && r.x.Entries[n].Type() == image.Dir {
			if err := r.folder(ctx, child, n); err != nil {
				return err
			}
		}
	}
	return nil
}

func (r *reader) leftover(p string) bool {
	match := func(pattern string) bool {
		ok, err := path.Match(pattern, p)
		return ok && err == nil
	}
	return slices.ContainsFunc(Leftovers(), match) && !slices.ContainsFunc(r.o.Keep, match)
}

// entry appends the facts of one file.
func (r *reader) entry(p string, parent int32) error {
	var st unix.Stat_t
	if err := unix.Lstat(r.real(p), &st); err != nil {
		if errors.Is(err, fs.ErrNotExist) && parent >= 0 {
			return nil // went away while we looked
		}
		return fmt.Errorf("read root: stat %s: %w", r.real(p), err)
	}
	e := image.Entry{Name: path.Base(p), Parent: parent, Mode: st.Mode, UID: st.Uid, GID: st.Gid, Mtime: st.Mtim.Sec, Same: -1, Owner: -1}
	if parent < 0 {
		e.Name = ""
	}
	if !r.o.Since.IsZero() && st.Mtim.Sec >= r.began {
		e.Late, e.Mtime = true, st.Mtim.Sec-r.began
	}
	at := int32(len(r.x.Entries))
	var err error
	switch e.Type() {
	case image.Dir:
		e.Size = st.Size
	case image.Symlink:
		e.Target, err = os.Readlink(r.real(p))
	case image.Char, image.Block:
		e.Rdev = uint64(unix.Major(st.Rdev))<<8 | uint64(unix.Minor(st.Rdev))
	case image.Regular:
		e.Size = st.Size
		if st.Nlink > 1 {
			key := [2]uint64{st.Dev, st.Ino}
			if first, ok := r.links[key]; ok {
				e.Same = first
			} else {
				r.links[key] = at
			}
		}
		err = r.content(p, &e)
	}
	if err != nil {
		return fmt.Errorf("read root: %s: %w", r.real(p), err)
	}
	r.x.Entries = append(r.x.Entries, e)
	return nil
}

// content looks at a file's bytes.
func (r *reader) content(p string, e *image.Entry) error {
	if e.Size == 0 {
		return nil
	}
	f, err := os.Open(r.real(p))
	if err != nil {
		return err
	}
	defer f.Close()
	e.Kind, e.Head, err = classify(f, e.Size)
	if err != nil || !r.o.Contents || e.Kind != image.Text || e.Size > maxBody || e.Same >= 0 {
		return err
	}
	if r.bodies += int(e.Size); r.bodies > maxBodies {
		return fmt.Errorf("the text files of this root hold more than %d MiB; build without contents", maxBodies>>20)
	}
	e.Body = make([]byte, e.Size)
	if _, err := f.ReadAt(e.Body, 0); err != nil {
		return fmt.Errorf("read: %w", err)
	}
	return nil
}
