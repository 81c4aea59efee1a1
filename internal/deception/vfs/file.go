package vfs

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"hash"
	"io"
	"strings"
)

// The flags of Open, with Linux' values.
const (
	O_RDONLY    = 0x0
	O_WRONLY    = 0x1
	O_RDWR      = 0x2
	O_CREATE    = 0x40
	O_EXCL      = 0x80
	O_TRUNC     = 0x200
	O_APPEND    = 0x400
	O_DIRECTORY = 0x10000
	O_NOFOLLOW  = 0x20000
	accessMode  = 0x3
)

// Device numbers of /dev's memory devices, as makedev gives them.
const (
	DevNull    uint64 = 0x103
	DevZero    uint64 = 0x105
	DevFull    uint64 = 0x107
	DevRandom  uint64 = 0x108
	DevURandom uint64 = 0x109
	DevTTY     uint64 = 0x500
)

// A File is an open file. It is not safe for use by several goroutines, the
// files of one FS are independent of each other.
type File struct {
	fs    *FS
	id    uint32
	ref   ref
	flags int
	off   int64
	snap  []byte // generated content
	gen   bool   // content is snap
	rdev  uint64 // of a device
	kind  uint32 // S_IFMT
	read  bool
	wrote bool
	shut  bool
	held  bool // counted in the inode's refs
	dir   uint32
	name  string // it was opened as, in dir

	stream Stream // set: nothing else counts but flags
	path   string // of a stream
}

// Open opens a file; perm is the new file's mode, taken as it is: the caller
// applies its umask.
func (f *FS) Open(c Cred, path string, flags int, perm uint32) (*File, error) {
	if o, err, ok := f.openStream(path, flags); ok {
		return o, err
	}
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.walk(c, path, flags&O_NOFOLLOW == 0 && flags&(O_CREATE|O_EXCL) != O_CREATE|O_EXCL)
	if err != nil {
		return nil, err
	}
	if !p.found {
		return f.openNew(c, &p, flags, perm)
	}
	if flags&(O_CREATE|O_EXCL) == O_CREATE|O_EXCL {
		return nil, fail(EEXIST)
	}
	file := &File{fs: f, id: p.at.id, ref: p.at, dir: p.dir.id, name: p.name, flags: flags, kind: f.st.mode(&p.at) & TypeMask}
	if err := f.allowed(c, &p, flags); err != nil {
		return nil, err
	}
	if p.at.tree != nil {
		return file, file.openSynthetic(flags)
	}
	return file, file.openNode(flags)
}

func (f *FS) openNew(c Cred, p *place, flags int, perm uint32) (*File, error) {
	if flags&O_CREATE == 0 {
		return nil, fail(ENOENT)
	}
	if p.slash {
		return nil, fail(EISDIR)
	}
	if err := f.room(c, p, false); err != nil {
		return nil, err
	}
	id, n, err := f.make(c, p, Regular|perm&0o7777)
	if err != nil {
		return nil, err
	}
	n.refs++
	return &File{fs: f, id: id, ref: ref{id: id}, dir: p.dir.id, name: n.name, flags: flags, kind: Regular, wrote: true, held: true}, nil
}

// allowed checks an open of what is there.
func (f *FS) allowed(c Cred, p *place, flags int) error {
	writing := flags&accessMode != O_RDONLY
	switch kind := f.st.mode(&p.at) & TypeMask; {
	case kind == Symlink:
		return fail(ELOOP)
	case kind == Dir && (writing || flags&O_CREATE != 0):
		return fail(EISDIR)
	case kind != Dir && flags&O_DIRECTORY != 0:
		return fail(ENOTDIR)
	case kind == Socket:
		return fail(ENXIO)
	}
	want := uint32(4)
	switch flags & accessMode {
	case O_WRONLY:
		want = 2
	case O_RDWR:
		want = 6
	}
	if !f.st.may(c, &p.at, want) {
		return fail(EACCES)
	}
	if p.at.tree == nil && writing {
		n := f.st.node(p.at.id)
		if n.flags&FlagImmutable != 0 || n.flags&FlagAppendOnly != 0 && flags&O_APPEND == 0 {
			return fail(EPERM)
		}
	}
	return nil
}

func (o *File) openSynthetic(flags int) error {
	f := o.fs
	o.rdev = o.ref.ent.Rdev
	if flags&accessMode != O_RDONLY {
		// Not even root writes into a file of /proc that has no write bit.
		if o.kind == Regular && o.ref.ent.Mode&0o222 == 0 {
			return fail(EACCES)
		}
		return nil
	}
	if o.kind != Regular {
		return nil
	}
	o.gen = true
	key := f.info(&o.ref, "").Path
	if b, ok := f.st.synth[key]; ok {
		o.snap = b
	} else if o.ref.ent.Content != nil {
		o.snap = o.ref.ent.Content(f.env())
	} else {
		o.snap = []byte(o.ref.ent.Text)
	}
	return nil
}

func (o *File) openNode(flags int) error {
	s := o.fs.st
	n := s.node(o.id)
	if o.kind == Char || o.kind == Block {
		o.rdev = uint64(n.size)
		return nil
	}
	if o.kind != Regular {
		o.hold()
		return nil
	}
	writing := flags&accessMode != O_RDONLY
	s.grow(o.id, o.fs.env())
	if made, _, ok := generated(n.body, o.fs.env()); ok {
		o.snap = made
		if !writing {
			o.gen = true
			return nil
		}
	}
	if writing {
		own, err := s.own(o.id)
		if err != nil {
			return err
		}
		s.part(o.id)
		if flags&O_TRUNC != 0 {
			s.cut(own)
			o.wrote = true
		} else if err := s.melt(own, o.snap); err != nil {
			return err
		}
		o.snap = nil
		n = own
	}
	o.hold()
	return nil
}

// hold keeps an inode of the overlay while the file is open.
func (o *File) hold() {
	if own, ok := o.fs.st.nodes[o.id]; ok {
		own.refs = min(own.refs, manyRefs-1) + 1
		o.held = true
	}
}

// manyRefs is where the count of open files stays: an inode that reached it is
// kept for as long as its view.
const manyRefs = 255

// cut empties a file.
func (s *store) cut(n *inode) {
	s.refund(int64(len(n.data)))
	n.data, n.body, n.size = nil, nil, 0
	n.mtime = s.now().UnixNano()
	n.ctime = n.mtime
}

// melt turns generated content into bytes of the file's own.
func (s *store) melt(n *inode, made []byte) error {
	switch n.body.(type) {
	case content, Log:
	default:
		return nil
	}
	if err := s.charge(int64(len(made))); err != nil {
		return err
	}
	n.body, n.data, n.size = nil, made, int64(len(made))
	return nil
}

func (s *store) charge(n int64) error {
	if s.bytes+n > s.quota.Bytes || !s.quota.Pool.Take(n, s.bytes) {
		return fail(ENOSPC)
	}
	s.bytes += n
	return nil
}

// refund gives back what charge took.
func (s *store) refund(n int64) {
	s.bytes -= n
	s.quota.Pool.Give(n)
}

// Read reads from the current offset.
func (o *File) Read(p []byte) (int, error) {
	if o.shut || o.flags&accessMode == O_WRONLY {
		return 0, fail(EBADF)
	}
	if o.stream != nil {
		return o.stream.Read(p)
	}
	if o.kind == Dir {
		return 0, fail(EISDIR)
	}
	if len(p) == 0 {
		return 0, nil
	}
	f := o.fs
	if !o.read {
		o.read = true
		if o.kind == Regular && o.ref.tree == nil && f.onRead != nil {
			f.onRead(o.first())
		}
	}
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	switch {
	case o.kind == Char || o.kind == Block:
		return f.st.readDevice(o.rdev, o.kind, p)
	case o.kind != Regular:
		return 0, io.EOF // a FIFO without a writer
	case o.gen:
		if o.off >= int64(len(o.snap)) {
			return 0, io.EOF
		}
		n := copy(p, o.snap[o.off:])
		o.off += int64(n)
		return n, nil
	}
	n := f.st.readAt(f.st.node(o.id), p, o.off)
	if n == 0 {
		return 0, io.EOF
	}
	o.off += int64(n)
	return n, nil
}

// readAt copies a file's content; beyond what is stored it is zeros up to the
// file's size.
func (s *store) readAt(n *inode, p []byte, off int64) int {
	if off >= n.size {
		return 0
	}
	p = p[:min(int64(len(p)), n.size-off)]
	switch b := n.body.(type) {
	case text:
		copy(p, b[off:])
	case Source:
		b.ReadAt(p, off)
	default:
		done := 0
		if off < int64(len(n.data)) {
			done = copy(p, n.data[off:])
		}
		clear(p[done:])
	}
	return len(p)
}

func (s *store) readDevice(rdev uint64, kind uint32, p []byte) (int, error) {
	if kind == Block {
		return 0, fail(EIO)
	}
	switch rdev {
	case DevZero, DevFull:
		clear(p)
		return len(p), nil
	case DevRandom, DevURandom:
		for i := range p {
			// xorshift64*: only has to look random
			s.random ^= s.random<<13 | 1
			s.random ^= s.random >> 7
			s.random ^= s.random << 17
			p[i] = byte(s.random * 0x2545f4914f6cdd1d >> 56)
		}
		return len(p), nil
	default:
		return 0, io.EOF
	}
}

// Write writes at the current offset, or at the end with O_APPEND.
func (o *File) Write(p []byte) (int, error) {
	if o.shut || o.flags&accessMode == O_RDONLY {
		return 0, fail(EBADF)
	}
	if o.stream != nil {
		return o.stream.Write(p)
	}
	f := o.fs
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	switch {
	case o.kind == Char && o.rdev == DevFull:
		return 0, fail(ENOSPC)
	case o.kind == Char || o.kind == Fifo:
		return len(p), nil
	case o.kind != Regular:
		return 0, fail(EIO)
	case o.ref.tree != nil:
		return o.writeSynthetic(p)
	}
	n, err := f.st.own(o.id)
	if err != nil {
		return 0, err
	}
	if o.flags&O_APPEND != 0 {
		o.off = n.size
	}
	if err := f.st.writeAt(n, p, o.off); err != nil {
		return 0, err
	}
	o.off += int64(len(p))
	o.wrote = true
	return len(p), nil
}

const maxSynthetic = 4096

// writeSynthetic remembers what was written into a setting under /proc or /sys.
func (o *File) writeSynthetic(p []byte) (int, error) {
	s := o.fs.st
	if o.ref.ent.Mode&0o444 == 0 {
		return len(p), nil // write-only knobs take everything and show nothing
	}
	if len(p) > maxSynthetic || len(s.synth) > 64 {
		return 0, fail(EINVAL)
	}
	if s.synth == nil {
		s.synth = map[string][]byte{}
	}
	s.version++
	b := bytes.Clone(p)
	if !bytes.HasSuffix(b, []byte("\n")) {
		b = append(b, '\n')
	}
	s.synth[o.fs.info(&o.ref, "").Path] = b
	return len(p), nil
}

// writeAt changes a file's bytes. Zeros at the end are not stored, so that
// disk benchmarks succeed without costing memory.
func (s *store) writeAt(n *inode, p []byte, off int64) error {
	end := off + int64(len(p))
	if n.body != nil {
		if err := s.thaw(n); err != nil {
			return err
		}
	}
	if off >= int64(len(n.data)) && zeros(p) {
		if end > maxSparse {
			return fail(ENOSPC)
		}
	} else {
		if grow := end - int64(len(n.data)); grow > 0 {
			if err := s.charge(grow); err != nil {
				return err
			}
			n.data = append(n.data, make([]byte, grow)...)
		}
		copy(n.data[off:], p)
	}
	n.size = max(n.size, end)
	n.mtime = s.now().UnixNano()
	n.ctime = n.mtime
	return nil
}

// maxSparse is how large a file of zeros may be.
const maxSparse = 8 << 30

func zeros(p []byte) bool {
	for len(p) >= 64 {
		if string(p[:64]) != zero64 {
			return false
		}
		p = p[64:]
	}
	return string(p) == zero64[:len(p)]
}

var zero64 = strings.Repeat("\x00", 64)

// thaw turns shared content into bytes of the file's own before a change.
func (s *store) thaw(n *inode) error {
	if err := s.charge(n.size); err != nil {
		return err
	}
	b := make([]byte, n.size)
	s.readAt(n, b, 0)
	n.body, n.data = nil, b
	return nil
}

// Seek sets the offset of the next Read or Write.
func (o *File) Seek(offset int64, whence int) (int64, error) {
	if o.kind == Fifo {
		return 0, fail(ESPIPE)
	}
	switch whence {
	case io.SeekCurrent:
		offset += o.off
	case io.SeekEnd:
		offset += o.Stat().Size
		if o.gen {
			offset += int64(len(o.snap)) - o.Stat().Size
		}
	}
	if offset < 0 {
		return 0, fail(EINVAL)
	}
	o.off = offset
	return offset, nil
}

// Truncate sets the file's size.
func (o *File) Truncate(size int64) error {
	if o.flags&accessMode == O_RDONLY || size < 0 || o.kind != Regular {
		return fail(EINVAL)
	}
	if size > maxSparse {
		return fail(EFBIG)
	}
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ref.tree != nil {
		return nil
	}
	n, err := s.own(o.id)
	if err != nil {
		return err
	}
	if n.body != nil && size > 0 {
		if err := s.thaw(n); err != nil {
			return err
		}
	}
	n.body = nil
	if size < int64(len(n.data)) {
		s.refund(int64(len(n.data)) - size)
		n.data = n.data[:size:size]
	}
	n.size = size
	n.mtime = s.now().UnixNano()
	n.ctime = n.mtime
	o.wrote = true
	return nil
}

// Clone makes o share the content of src without copying; both keep it apart
// on the next write. It reports false when it does not apply and the caller
// must copy bytes: o must be empty and src of fixed content.
func (o *File) Clone(src *File) bool {
	s := o.fs.st
	if src.fs.st != s || o.kind != Regular || src.kind != Regular || o.ref.tree != nil || src.ref.tree != nil || src.off != 0 {
		return false
	}
	if !src.read && src.fs.onRead != nil {
		src.read = true
		src.fs.onRead(src.first())
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	from := s.node(src.id)
	switch from.body.(type) {
	case text, Source:
	default:
		return false
	}
	n, err := s.own(o.id)
	if err != nil || n.size != 0 || o.flags&accessMode == O_RDONLY {
		return false
	}
	n.body, n.size = from.body, from.size
	if of, ok := s.origin[src.id]; ok {
		s.share(o.id, of)
	} else {
		s.share(o.id, src.id)
	}
	src.off, o.off = from.size, from.size
	o.wrote = true
	return true
}

// Stat describes the open file.
func (o *File) Stat() Info {
	if o.stream != nil {
		return streamInfo(o.path)
	}
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ref.tree != nil {
		return o.fs.info(&o.ref, o.ref.ent.Path)
	}
	return s.info(o.id, o.name, o.where(), o.fs.env())
}

// Path returns the file's real path.
func (o *File) Path() string {
	if o.stream != nil {
		return o.path
	}
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	if o.ref.tree != nil {
		return o.fs.info(&o.ref, "").Path
	}
	return o.where()
}

// first is the path the file had before it got other names: who reads a planted
// file through a hard link reads it all the same.
func (o *File) first() string {
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.path(o.id)
}

// where is the path of a file that is no part of a synthetic tree.
func (o *File) where() string {
	if s := o.fs.st; o.kind != Dir && o.name != "" {
		return s.below(o.dir, o.name)
	}
	return o.fs.st.path(o.id)
}

// Close closes the file and calls the write hook. Closing twice is an error.
func (o *File) Close() error {
	if o.shut {
		return fail(EBADF)
	}
	o.shut = true
	if o.stream != nil {
		return nil
	}
	if o.wrote && o.kind == Regular && o.ref.tree == nil && o.fs.onWrite != nil {
		size, sum := o.sum()
		o.fs.onWrite(o.Path(), size, sum)
	}
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	if n, ok := s.nodes[o.id]; ok && o.held && n.refs > 0 && n.refs < manyRefs {
		n.refs--
		s.release(o.id, n)
	}
	return nil
}

// sumLimit bounds the bytes hashed for the write hook; a larger file of zeros
// is reported by its size with the sum of its beginning.
const sumLimit = 64 << 20

func (o *File) sum() (int64, string) {
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	n := s.node(o.id)
	h := sha256.New()
	if n.body == nil {
		h.Write(n.data)
		pad(h, min(n.size, sumLimit)-int64(len(n.data)))
	} else {
		var buf [4096]byte
		for off := int64(0); off < min(n.size, sumLimit); {
			k := s.readAt(n, buf[:], off)
			h.Write(buf[:k])
			off += int64(k)
		}
	}
	return n.size, hex.EncodeToString(h.Sum(nil))
}

func pad(h hash.Hash, n int64) {
	var buf [4096]byte
	for ; n > 0; n -= int64(len(buf)) {
		h.Write(buf[:min(n, int64(len(buf)))])
	}
}
