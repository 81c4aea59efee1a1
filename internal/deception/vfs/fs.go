package vfs

import (
	"path"
	"strings"
	"sync"
	"time"
)

// A Cred says on whose behalf a file is touched.
type Cred struct {
	UID, GID uint32
	Groups   []uint32
}

// A Quota bounds what one FS may hold: Bytes of content, Inodes changed or new.
// Zero fields mean the defaults, 16 MiB and 4096. The bytes also come out of Pool.
type Quota struct {
	Bytes, Inodes int64
	Pool          *Pool
}

// Info is what stat tells.
type Info struct {
	Name, Path          string
	Ino                 uint64
	Mode                uint32 // S_IFMT and permissions, as Linux
	Nlink, UID, GID     uint32
	Size                int64
	Atime, Mtime, Ctime time.Time
	Target              string // of a symbolic link
	Rdev, Dev           uint64
	Flags               uint16 // chattr's flags
	synthetic           bool
}

// Type returns the S_IFMT bits.
func (i Info) Type() uint32 { return i.Mode & TypeMask }

// IsDir reports a folder.
func (i Info) IsDir() bool { return i.Type() == Dir }

// IsRegular reports an ordinary file.
func (i Info) IsRegular() bool { return i.Type() == Regular }

// IsSymlink reports a symbolic link.
func (i Info) IsSymlink() bool { return i.Type() == Symlink }

// Perm returns the twelve permission bits.
func (i Info) Perm() uint32 { return i.Mode & 0o7777 }

// Blocks returns the space used in units of 512 bytes, on a file system with
// blocks of 4096 bytes.
func (i Info) Blocks() int64 {
	if i.synthetic || i.Type() != Regular && i.Type() != Dir || i.Size == 0 {
		return 0
	}
	return (i.Size + 4095) / 4096 * 8
}

// store is the state all handles of one FS share.
type store struct {
	img   *Image
	quota Quota
	now   func() time.Time
	view  any

	mu     sync.Mutex
	nodes  map[uint32]*inode // changed and new inodes
	next   uint32
	bytes  int64
	links  int64             // names of files beyond their first
	synth  map[string][]byte // what was written into synthetic files
	origin map[uint32]uint32 // files that share the content of a file of the image
	grown  map[uint32]int64  // changed logs: up to when they have what was written (unix nanoseconds)
	random uint64

	version uint64 // counts changes
}

// FS is one attacker's view of an image. All methods may be called from any
// goroutine. Handles made by Handle and As share files and differ in hooks and
// calling process.
type FS struct {
	st      *store
	self    int
	streams StreamHook
	onRead  func(path string)
	onWrite func(path string, size int64, sha256 string)

	onSettle func(path string)
}

// NewFS seals the image and returns a fresh view of it. now stamps what the
// attacker changes; it must not be nil.
func (i *Image) NewFS(q Quota, now func() time.Time) *FS {
	i.seal()
	if q.Bytes <= 0 {
		q.Bytes = 16 << 20
	}
	if q.Inodes <= 0 {
		q.Inodes = 4096
	}
	f := &FS{st: &store{img: i, quota: q, now: now, next: uint32(len(i.nodes)), random: i.seed}}
	if i.open != nil {
		i.open(f)
	}
	return f
}

// Handle returns another handle on the same files with hooks of its own: one
// per session.
func (f *FS) Handle() *FS { return &FS{st: f.st, self: f.self} }

// As returns a handle that touches files as process pid, for /proc/self.
func (f *FS) As(pid int) *FS {
	if f.self == pid {
		return f
	}
	c := *f
	c.self = pid
	return &c
}

// Self returns the process id of this handle.
func (f *FS) Self() int { return f.self }

// Now returns the file system's time.
func (f *FS) Now() time.Time { return f.st.now() }

// SetView attaches what synthetic trees want to know of this attacker; call it
// from [Image.OnNew].
func (f *FS) SetView(v any) { f.st.view = v }

// View returns what SetView attached.
func (f *FS) View() any { return f.st.view }

// Image returns the base.
func (f *FS) Image() *Image { return f.st.img }

// OnRead sets a hook of this handle: it is called at the first read of an
// ordinary file's content, once per open, with the file's real path.
func (f *FS) OnRead(hook func(path string)) { f.onRead = hook }

// OnWrite sets a hook of this handle: it is called when a file that was written
// is closed, with its size and the SHA-256 of its content in hex.
func (f *FS) OnWrite(hook func(path string, size int64, sha256 string)) { f.onWrite = hook }

// Forget gives the bytes of a view that nobody will use again back to its pool.
func (f *FS) Forget() {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	f.st.quota.Pool.Give(f.st.bytes)
	f.st.quota.Pool = nil
}

// Used returns the content bytes and the inodes this view holds.
func (f *FS) Used() (bytes, inodes int64) {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	return f.st.bytes, int64(len(f.st.nodes)) + f.st.links
}

// Clean returns p as an absolute path without ".", ".." and double slashes,
// taken from cwd when relative. It works on the text alone, as cd does; the
// other methods resolve ".." through links themselves, as the kernel does.
func (f *FS) Clean(cwd, p string) string { return Clean(cwd, p) }

// Clean is FS.Clean.
func Clean(cwd, p string) string {
	if !strings.HasPrefix(p, "/") {
		p = cwd + "/" + p
	}
	return path.Clean("/" + p)
}

// Join returns p taken from cwd when relative, otherwise untouched. An empty
// name stays empty, which no file has.
func Join(cwd, p string) string {
	switch {
	case p == "" || p[0] == '/':
		return p
	case cwd == "/":
		return "/" + p
	default:
		return cwd + "/" + p
	}
}

func (f *FS) env() Env { return Env{Now: f.st.now(), FS: f, Self: f.self} }

// node returns the inode as this view has it. Callers hold the lock.
func (s *store) node(id uint32) *inode {
	if n, ok := s.nodes[id]; ok {
		return n
	}
	if int(id) >= len(s.img.nodes) {
		return &inode{name: "(deleted)", body: &patch{}} // of an open file, the folder it lay in
	}
	return &s.img.nodes[id]
}

// own returns the inode for changing, copied from the image if need be.
func (s *store) own(id uint32) (*inode, error) {
	s.version++
	if n, ok := s.nodes[id]; ok {
		return n, nil
	}
	if int64(len(s.nodes))+s.links >= s.quota.Inodes {
		return nil, fail(ENOSPC)
	}
	if int(id) >= len(s.img.nodes) {
		return nil, fail(ENOENT)
	}
	n := new(inode)
	*n = s.img.nodes[id]
	s.put(id, n)
	return n, nil
}

// share notes that a file has the content of a file of the image.
func (s *store) share(id, from uint32) {
	if s.origin == nil {
		s.origin = map[uint32]uint32{}
	}
	s.origin[id] = from
}

func (s *store) put(id uint32, n *inode) {
	if s.nodes == nil {
		s.nodes = map[uint32]*inode{}
	}
	s.nodes[id] = n
}

// fresh makes a new inode.
func (s *store) fresh(mode uint32, c Cred, parent uint32, name string) (uint32, *inode, error) {
	if int64(len(s.nodes))+s.links >= s.quota.Inodes {
		return 0, nil, fail(ENOSPC)
	}
	dir := s.node(parent)
	t := s.now().UnixNano()
	n := &inode{
		name: strings.Clone(name), parent: parent, mode: mode, uid: c.UID, gid: c.GID, nlink: 1,
		atime: t, mtime: t, ctime: t, dev: dir.dev,
	}
	if dir.mode&Setgid != 0 {
		n.gid = dir.gid
		if mode&TypeMask == Dir {
			n.mode |= Setgid
		}
	}
	id := s.next
	s.next++
	s.version++
	s.put(id, n)
	return id, n, nil
}

// ino is the number stat shows. A gap keeps new files apart from the image's.
// A mounted file system counts its own from its root, which is 1.
func (s *store) ino(id uint32) uint64 {
	base := uint32(len(s.img.nodes))
	if dev := s.node(id).dev; dev != 0 {
		return uint64(id-s.img.roots[dev]) + 1
	}
	switch {
	case id == rootID:
		return 2
	case id < base:
		return 131072 + uint64(id) + s.img.seed%4096
	default:
		return 393216 + uint64(id-base) + s.img.seed%65536
	}
}

// below returns the path of name in a folder.
func (s *store) below(dir uint32, name string) string {
	return strings.TrimSuffix(s.path(dir), "/") + "/" + name
}

// path returns where a folder is, following its parents; of other files it is
// the first name they had.
func (s *store) path(id uint32) string {
	if id == rootID {
		return "/"
	}
	var parts []string
	for id != rootID && len(parts) < maxPath/2 {
		n := s.node(id)
		parts = append(parts, n.name)
		id = n.parent
	}
	var b strings.Builder
	for i := len(parts) - 1; i >= 0; i-- {
		b.WriteByte('/')
		b.WriteString(parts[i])
	}
	return b.String()
}
