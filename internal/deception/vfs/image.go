// Package vfs is the pretended file system: an inode tree in memory that knows
// owners, modes, hard and symbolic links, device nodes, inode numbers and the
// three times, as Linux does, and touches no real file.
//
// An [Image] is the base everybody shares and nobody changes. An [FS] is one
// attacker's copy-on-write view of it: it holds only what that attacker
// changed, within a [Quota]. Synthetic trees ([Tree]: /proc, /sys) are mounted
// into the image and answer at the moment of asking.
package vfs

import (
	"fmt"
	"slices"
	"sort"
	"strings"
	"sync"
	"time"
)

// The file type bits of a mode and the special permission bits, as in Linux.
const (
	TypeMask uint32 = 0o170000 // S_IFMT
	Socket   uint32 = 0o140000
	Symlink  uint32 = 0o120000
	Regular  uint32 = 0o100000
	Block    uint32 = 0o060000
	Dir      uint32 = 0o040000
	Char     uint32 = 0o020000
	Fifo     uint32 = 0o010000
	Setuid   uint32 = 0o4000
	Setgid   uint32 = 0o2000
	Sticky   uint32 = 0o1000
)

// A Source is fixed content too large to keep: it is computed where it is read.
type Source interface {
	// ReadAt fills p with the bytes from off on; the caller never asks past the
	// size stated in the Entry.
	ReadAt(p []byte, off int64)
}

// An Env is what generated content may depend on.
type Env struct {
	Now  time.Time
	FS   *FS // the handle that opened; content may not call its methods
	Self int // process id of the caller, 0 when unknown
}

// An Entry describes one file of an image or of a synthetic tree.
type Entry struct {
	Path     string // absolute in an image; a bare name in a Tree's list
	Mode     uint32 // type and permissions; no type means a regular file
	UID, GID uint32
	Size     int64 // of Source, or at least of a folder; text and links bring their own
	Mtime    time.Time
	Ino      uint64 // synthetic trees only
	Rdev     uint64 // device number, of devices
	Target   string // of symbolic links
	Text     string // fixed content
	Source   Source
	Content  func(Env) []byte // content made at open
	Log      Log              // content that grows
}

// A Log is content that grows with the clock: what daemons write into a file.
// Whoever changes the file keeps what they made of it, and what is written later
// is appended to that.
type Log interface {
	// Since returns the lines written after from and not after env.Now, oldest
	// first, and when the last of them was; the zero time asks for the file from
	// its beginning. It is called with the file system locked.
	Since(env Env, from time.Time) (lines []byte, last time.Time)
}

// A Tree is a synthetic file system such as /proc. Paths are relative to its
// mount point, "" is the root. Its methods are called with the file system
// locked and may not call back into it.
type Tree interface {
	Lookup(env Env, rel string) (Entry, bool)
	List(env Env, rel string) []Entry // in directory order, Path holds the name
	// Create says with which error creating rel fails (nothing is ever created).
	Create(rel string, dir bool) Errno
}

// A Mount is one mounted file system, as far as this package cares.
type Mount struct {
	Path string // mount point
	Dev  uint64 // device number its files show
	Tree Tree   // nil: ordinary files
}

// inode is one file, of the image or of an overlay.
type inode struct {
	name                string
	body                any // see below
	data                []byte
	size                int64 // files: length; devices: rdev
	atime, mtime, ctime int64 // unix nanoseconds
	mode, uid, gid      uint32
	nlink               uint32
	parent              uint32
	flags               uint16 // chattr
	dev                 uint8  // index of the mount
	refs                uint8  // open files of an overlay inode, saturating
}

// What an inode's body can be.
type (
	text    string           // fixed content
	link    string           // target of a symbolic link
	content func(Env) []byte // generated content
	// Source and Log are used as they are.
	// *listing: entries of an image folder; *patch: of a changed folder.
)

// listing holds the entries of an image folder, sorted by name. A file with
// several names is listed under alias where that is not its first one.
type listing struct {
	ids   []uint32
	alias []string // nil, or one for each entry, "" where it is the file's own
}

// An Image is the immutable base. Add and Mount fill it until the first NewFS,
// which seals it; after that it may be shared by any number of goroutines.
type Image struct {
	nodes  []inode
	mounts []Mount
	roots  []uint32 // of the mounts
	seed   uint64
	open   func(*FS)

	ordered bool // folders list in the order files were added, not by hash

	mu     sync.Mutex
	sealed bool
	print  uint64 // see Fingerprint
}

const rootID = 0

// NewImage returns an image that holds nothing but "/". The seed fixes the
// order in which folders list their entries; built is the times of "/".
func NewImage(seed uint64, built time.Time) *Image {
	t := built.UnixNano()
	return &Image{
		seed:   seed,
		roots:  []uint32{rootID},
		mounts: []Mount{{Path: "/", Dev: 0x801}},
		nodes:  []inode{{name: "/", mode: Dir | 0o755, nlink: 2, body: &listing{}, atime: t, mtime: t, ctime: t}},
	}
}

// OnNew sets what happens to each new FS, for instance giving it a view of the
// machine.
func (i *Image) OnNew(f func(*FS)) { i.open = f }

// Len returns the number of entries.
func (i *Image) Len() int { return len(i.nodes) }

// Add puts a file into the image, replacing what was there. Missing parent
// folders are made (0755, root). It fails on a sealed image and when a parent
// is no folder.
func (i *Image) Add(e Entry) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sealed {
		return fmt.Errorf("add %q: the image is in use", e.Path)
	}
	return i.add(e)
}

func (i *Image) add(e Entry) error {
	if e.Mode&TypeMask == 0 {
		e.Mode |= Regular
	}
	if e.Path == "/" {
		n := &i.nodes[rootID]
		n.mode, n.uid, n.gid = e.Mode, e.UID, e.GID
		n.mtime, n.ctime, n.atime = e.Mtime.UnixNano(), e.Mtime.UnixNano(), e.Mtime.UnixNano()
		return nil
	}
	dir, name, err := i.parent(e)
	if err != nil {
		return err
	}
	l := i.nodes[dir].body.(*listing)
	at, found := i.search(l, name)
	if found {
		return i.replace(l.ids[at], e)
	}
	id := uint32(len(i.nodes))
	i.nodes = append(i.nodes, i.inode(e, dir, name))
	l.insert(at, id, "")
	if e.Mode&TypeMask == Dir {
		i.nodes[dir].nlink++
	}
	return nil
}

// Remove takes an entry, with all below it, out of an image that is being built.
func (i *Image) Remove(path string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sealed {
		return fmt.Errorf("remove %q: the image is in use", path)
	}
	dir, name, err := i.parent(Entry{Path: path})
	if err != nil {
		return fmt.Errorf("remove: %w", err)
	}
	l := i.nodes[dir].body.(*listing)
	at, found := i.search(l, name)
	if !found {
		return fmt.Errorf("remove %q: no such entry", path)
	}
	if n := &i.nodes[l.ids[at]]; n.mode&TypeMask == Dir {
		i.nodes[dir].nlink--
	} else {
		n.nlink--
	}
	l.remove(at)
	return nil
}

// replace gives an existing entry new facts; a folder keeps its entries.
func (i *Image) replace(id uint32, e Entry) error {
	old := i.nodes[id]
	if (old.mode&TypeMask == Dir) != (e.Mode&TypeMask == Dir) {
		return fmt.Errorf("add %q: folder and file of one name", e.Path)
	}
	n := i.inode(e, old.parent, old.name)
	n.dev, n.nlink = old.dev, old.nlink
	if old.mode&TypeMask == Dir {
		n.body = old.body
	}
	i.nodes[id] = n
	return nil
}

func (i *Image) inode(e Entry, parent uint32, name string) inode {
	t := e.Mtime.UnixNano()
	n := inode{
		name: name, parent: parent, mode: e.Mode, uid: e.UID, gid: e.GID, nlink: 1,
		atime: t, mtime: t, ctime: t, dev: i.nodes[parent].dev, size: e.Size,
	}
	switch {
	case e.Mode&TypeMask == Dir:
		n.nlink, n.body = 2, &listing{} // size: at least that
	case e.Mode&TypeMask == Symlink:
		n.body, n.size = link(e.Target), int64(len(e.Target))
	case e.Mode&TypeMask == Char || e.Mode&TypeMask == Block:
		n.size = int64(e.Rdev)
	case e.Source != nil:
		n.body = e.Source
	case e.Content != nil:
		n.body = content(e.Content)
	case e.Log != nil:
		n.body = e.Log
	case e.Text != "":
		n.body, n.size = text(e.Text), int64(len(e.Text))
	}
	return n
}

// parent finds the folder e belongs into, making what is missing.
func (i *Image) parent(e Entry) (uint32, string, error) {
	if !strings.HasPrefix(e.Path, "/") || strings.HasSuffix(e.Path, "/") {
		return 0, "", fmt.Errorf("add %q: not an absolute path", e.Path)
	}
	parts := strings.Split(e.Path[1:], "/")
	for _, part := range parts {
		if part == "" || part == "." || part == ".." || len(part) > maxName {
			return 0, "", fmt.Errorf("add %q: bad name", e.Path)
		}
	}
	dir := uint32(rootID)
	for n, part := range parts[:len(parts)-1] {
		l := i.nodes[dir].body.(*listing)
		at, found := i.search(l, part)
		if !found {
			up := Entry{Path: "/" + strings.Join(parts[:n+1], "/"), Mode: Dir | 0o755, Mtime: e.Mtime}
			if err := i.add(up); err != nil {
				return 0, "", err
			}
			at, _ = i.search(l, part)
		}
		dir = l.ids[at]
		if i.nodes[dir].mode&TypeMask != Dir {
			return 0, "", fmt.Errorf("add %q: %q is not a folder", e.Path, part)
		}
	}
	return dir, parts[len(parts)-1], nil
}

func (i *Image) search(l *listing, name string) (int, bool) {
	if l.alias == nil {
		return slices.BinarySearchFunc(l.ids, name, func(id uint32, want string) int {
			return strings.Compare(i.nodes[id].name, want)
		})
	}
	return sort.Find(len(l.ids), func(at int) int { return strings.Compare(name, i.called(l, at)) })
}

// Mount makes a folder the root of another file system. What is below it, now or
// later, gets its device number.
func (i *Image) Mount(m Mount) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sealed {
		return fmt.Errorf("mount %q: the image is in use", m.Path)
	}
	if m.Path == "/" {
		i.mounts[0] = m
		return nil
	}
	dir, name, err := i.parent(Entry{Path: m.Path})
	if err != nil {
		return fmt.Errorf("mount: %w", err)
	}
	l := i.nodes[dir].body.(*listing)
	at, found := i.search(l, name)
	if !found || i.nodes[l.ids[at]].mode&TypeMask != Dir {
		return fmt.Errorf("mount %q: no such folder", m.Path)
	}
	i.mounts = append(i.mounts, m)
	i.nodes[l.ids[at]].dev = uint8(len(i.mounts) - 1)
	i.roots = append(i.roots, l.ids[at])
	return nil
}

// Mounts returns the mounted file systems; the first is "/".
func (i *Image) Mounts() []Mount { return slices.Clone(i.mounts) }

func (i *Image) seal() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sealed {
		return
	}
	i.sealed = true
	for id := range i.nodes { // folders stand before what is in them
		if n := &i.nodes[id]; id != rootID && i.roots[n.dev] != uint32(id) {
			n.dev = i.nodes[n.parent].dev
		}
	}
}
