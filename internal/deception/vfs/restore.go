package vfs

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"time"
)

// A Restored says what became of an overlay.
type Restored struct {
	Changed bool // the base is not the one the overlay was made on
	Kept    int  // inodes
	Dropped int  // inodes and names that fit nothing any more
}

// Restore returns the view an overlay describes. Where the base has changed, or
// the overlay was made up, what fits nothing is left out; whatever the bytes
// say, the result is a tree. The error says that they are no overlay or more
// than the quota allows.
func (i *Image) Restore(overlay []byte, q Quota, now func() time.Time) (*FS, Restored, error) {
	f := i.NewFS(q, now)
	if len(overlay) == 0 {
		return f, Restored{}, nil
	}
	r := restorer{s: f.st, base: uint32(len(i.nodes)), b: overlay}
	print, err := r.head()
	if err != nil {
		return nil, Restored{}, err
	}
	r.out.Changed = print != i.Fingerprint()
	r.s.mu.Lock()
	defer r.s.mu.Unlock()
	if err := r.read(); err != nil {
		r.s.refund(r.s.bytes)
		return nil, Restored{}, err
	}
	for id, n := range r.s.nodes {
		if own := r.s.firstLinks(id); n.mode&TypeMask != Dir && n.nlink > own {
			r.s.links += int64(n.nlink - own)
		}
	}
	r.out.Kept = len(r.s.nodes)
	return f, r.out, nil
}

// read fills the store.
func (r *restorer) read() error {
	r.table()
	r.inodes()
	r.tail()
	switch {
	case r.bad != "":
		return fmt.Errorf("%w: %s", ErrOverlay, r.bad)
	case len(r.b) > 0:
		return fmt.Errorf("%w: %d bytes too many", ErrOverlay, len(r.b))
	case !r.mend():
		return fmt.Errorf("%w: no tree", ErrOverlay)
	case int64(len(r.s.nodes))+r.more() > r.s.quota.Inodes:
		return fmt.Errorf("%w: more names than allowed", ErrOverlay)
	}
	return nil
}

// restorer reads one overlay into a fresh store, whose lock it holds.
type restorer struct {
	s     *store
	base  uint32
	b     []byte
	bad   string
	paths []uint32        // what the table names; lost: nothing
	known map[uint32]bool // what rooted found out in this round
	out   Restored
}

const lost = ^uint32(0)

func (r *restorer) head() (uint64, error) {
	if len(r.b) < overlayVersion+8 || string(r.b[:overlayVersion]) != overlayMagic {
		return 0, fmt.Errorf("%w: not one of this version", ErrOverlay)
	}
	print := binary.BigEndian.Uint64(r.b[overlayVersion:])
	r.b = r.b[overlayVersion+8:]
	return print, nil
}

func (r *restorer) fail(what string) {
	if r.bad == "" {
		r.bad = what
	}
	r.b = nil
}

func (r *restorer) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	if n <= 0 {
		r.fail("cut number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *restorer) varint() int64 {
	v, n := binary.Varint(r.b)
	if n <= 0 {
		r.fail("cut number")
		return 0
	}
	r.b = r.b[n:]
	return v
}

// count reads how many items of at least one byte each follow.
func (r *restorer) count() int {
	n := r.uvarint()
	if n > uint64(len(r.b)) {
		r.fail("count beyond the end")
		return 0
	}
	return int(n)
}

func (r *restorer) bytes() []byte {
	n := r.count()
	p := r.b[:n]
	r.b = r.b[n:]
	return p
}

func (r *restorer) text(most int) string {
	p := r.bytes()
	if len(p) > most {
		r.fail("text too long")
		return ""
	}
	return string(p)
}

// table resolves the paths of the base.
func (r *restorer) table() {
	last := ""
	for range r.count() {
		n := r.uvarint()
		if n > uint64(len(last)) {
			r.fail("path without a beginning")
			return
		}
		last = last[:n] + r.text(maxPath)
		if len(last) > 4*maxPath {
			r.fail("path too long")
			return
		}
		id, ok := r.s.img.lookup(last)
		if !ok {
			id = lost
			r.out.Dropped++
		}
		r.paths = append(r.paths, id)
	}
}

// ref reads which file is meant: lost when the base has it no more.
func (r *restorer) ref() uint32 { return r.resolve(r.uvarint()) }

func (r *restorer) resolve(v uint64) uint32 {
	at := v >> 1
	switch {
	case v&1 == 1 && at < maxOverlayNumber:
		return r.base + uint32(at)
	case v&1 == 0 && at < uint64(len(r.paths)):
		return r.paths[at]
	}
	r.fail("file out of range")
	return lost
}

func (r *restorer) inodes() {
	n := r.count()
	if int64(n) > r.s.quota.Inodes {
		r.fail("more inodes than allowed")
		return
	}
	for range n {
		id := r.ref()
		if node := r.inode(id); node != nil && r.bad == "" {
			if _, twice := r.s.nodes[id]; twice {
				r.fail("inode twice")
				return
			}
			r.s.put(id, node)
		} else {
			r.out.Dropped++
		}
	}
}

// inode reads one inode; nil when it fits nothing.
func (r *restorer) inode(id uint32) *inode {
	n := &inode{}
	if id < r.base {
		*n = r.s.img.nodes[id]
	}
	was := n.mode & TypeMask
	n.mode, n.uid, n.gid = uint32(r.uvarint()), uint32(r.uvarint()), uint32(r.uvarint())
	n.nlink, n.flags = uint32(min(r.uvarint(), 65000)), uint16(r.uvarint())
	n.mtime = r.varint()
	n.atime, n.ctime = n.mtime+r.varint(), 0
	n.ctime = n.mtime + r.varint()
	n.parent, n.name = r.ref(), r.text(maxName)
	fits := r.body(id, n)
	kind := n.mode & TypeMask
	switch {
	case id == lost, !fits, n.mode&^(TypeMask|0o7777) != 0, n.nlink == 0, id < r.base && kind != was:
		return nil
	case id == rootID:
		n.name, n.parent = r.s.img.nodes[rootID].name, rootID
	case n.parent == lost, !goodName(n.name):
		return nil
	}
	return n
}

func goodName(s string) bool {
	return s != "" && s != "." && s != ".." && len(s) <= maxName && !strings.ContainsAny(s, "/\x00")
}

// body reads what an inode holds and says whether it goes with its kind.
func (r *restorer) body(id uint32, n *inode) bool {
	if len(r.b) == 0 {
		r.fail("inode without a body")
		return false
	}
	what, kind := r.b[0], n.mode&TypeMask
	r.b = r.b[1:]
	switch what {
	case bodySame:
		return id < r.base
	case bodyData, bodyHollow:
		n.body, n.size = nil, int64(min(r.uvarint(), maxSparse))
		if what == bodyData {
			n.data = slices.Clone(r.bytes())
			if err := r.s.charge(int64(len(n.data))); err != nil {
				r.fail("more bytes than allowed")
			}
		}
		return kind == Regular && n.size >= int64(len(n.data))
	case bodyShared:
		from := r.ref()
		if from >= r.base || kind != Regular {
			return false
		}
		src := &r.s.img.nodes[from]
		n.body, n.size = src.body, src.size
		r.s.share(id, from)
		return src.mode&TypeMask == Regular && shareable(src.body)
	case bodyLink:
		t := r.text(maxPath)
		n.body, n.size = link(t), int64(len(t))
		return kind == Symlink && t != ""
	case bodyDevice:
		n.body, n.size = nil, int64(r.uvarint())
		return kind == Char || kind == Block || kind == Fifo || kind == Socket
	case bodyDir:
		return r.dir(id, n) && kind == Dir
	}
	r.fail("unknown body")
	return false
}

// shareable reports content that [File.Clone] may share.
func shareable(body any) bool {
	switch body.(type) {
	case text, Source:
		return true
	}
	return false
}

func (r *restorer) dir(id uint32, n *inode) bool {
	p := &patch{}
	if id < r.base {
		l, ok := n.body.(*listing)
		if !ok {
			p = nil
		} else {
			p.base = l
		}
	}
	many := r.count()
	if int64(many) > r.s.quota.Inodes+int64(r.base) {
		r.fail("more names than allowed")
		return false
	}
	for range many {
		name, v := r.text(maxName), r.uvarint()
		c := change{name: name, gone: v == 0}
		if v > 0 {
			c.id = r.resolve(v - 1)
		}
		if p == nil || !goodName(name) || c.id == lost {
			r.out.Dropped++
			continue
		}
		p.set(c)
	}
	if p == nil {
		return false
	}
	n.body = p
	return true
}

func (r *restorer) tail() {
	r.s.next = r.base + uint32(min(r.uvarint(), maxOverlayNumber))
	for id := range r.s.nodes {
		r.s.next = max(r.s.next, id+1)
	}
	for range r.count() {
		path, value := r.text(maxPath), r.bytes()
		if len(value) > maxSynthetic+1 || len(r.s.synth) > 64 {
			r.fail("setting too long")
			return
		}
		if r.s.synth == nil {
			r.s.synth = map[string][]byte{}
		}
		r.s.synth[path] = slices.Clone(value)
	}
	for range r.count() {
		id, since := r.ref(), r.varint()
		if _, own := r.s.nodes[id]; !own {
			continue
		}
		if _, ok := r.s.log(id); ok {
			r.s.part(id)
			r.s.grown[id] = min(since, r.s.grown[id]) // not in the future
		}
	}
}

// maxRounds bounds how often mend looks again; each round but the last takes
// something away, and what an attacker made needs one or two.
const maxRounds = 64

// mend makes a tree of what was read: every name leads to something, every
// folder is in exactly one place and its parents lead to the root. Code that
// follows parents relies on it. It reports false when that does not come about.
func (r *restorer) mend() bool {
	for range maxRounds {
		r.known = map[uint32]bool{}
		if !r.names() && !r.folders() && !r.vacate() {
			for id, n := range r.s.nodes {
				n.dev = r.device(id)
			}
			return true
		}
	}
	return false
}

func (r *restorer) sorted() []uint32 {
	ids := make([]uint32, 0, len(r.s.nodes))
	for id := range r.s.nodes {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}

// exists reports whether there is an inode of that number.
func (r *restorer) exists(id uint32) bool {
	if id < r.base {
		return true
	}
	_, ok := r.s.nodes[id]
	return ok
}

// names drops names that lead nowhere, and those of folders that are elsewhere.
func (r *restorer) names() (dropped bool) {
	for _, id := range r.sorted() {
		p, ok := r.s.nodes[id].body.(*patch)
		if !ok {
			continue
		}
		keep := patch{base: p.base}
		for _, c := range p.entries {
			if c.gone {
				if p.base == nil {
					continue
				}
				if _, was := r.s.inListing(p.base, c.name); !was {
					continue
				}
			} else {
				if !r.exists(c.id) || c.id == rootID {
					dropped = true
					continue
				}
				if n := r.s.node(c.id); n.mode&TypeMask == Dir && (n.parent != id || n.name != c.name) {
					dropped = true
					continue
				}
			}
			keep.set(c)
		}
		r.out.Dropped += len(p.entries) - len(keep.entries)
		*p = keep
	}
	return dropped
}

// folders drops inodes that are in no folder, and folders above which there is
// no root. A file of the base that lost its place stays: it harms nobody, and
// another name may lead to it.
func (r *restorer) folders() (dropped bool) {
	named := map[uint32]change{} // id -> a folder and a name in it
	for _, id := range r.sorted() {
		if p, ok := r.s.nodes[id].body.(*patch); ok {
			for _, c := range p.entries {
				if _, ok := named[c.id]; !ok && !c.gone {
					named[c.id] = change{name: c.name, id: id}
				}
			}
		}
	}
	for _, id := range r.sorted() {
		n := r.s.nodes[id]
		if id == rootID || r.rooted(id) {
			continue
		}
		if at, ok := named[id]; ok && n.mode&TypeMask != Dir && r.rooted(at.id) {
			n.parent, n.name = at.id, at.name // a hard link whose first name is gone
			continue
		}
		if id < r.base && n.mode&TypeMask != Dir {
			n.parent, n.name = r.s.img.nodes[id].parent, r.s.img.nodes[id].name
			continue
		}
		r.s.refund(int64(len(n.data)))
		delete(r.s.nodes, id)
		delete(r.s.origin, id)
		r.out.Dropped++
		dropped = true
	}
	return dropped
}

// rooted reports whether an inode is where it says, and all folders above it.
func (r *restorer) rooted(id uint32) bool {
	var way []uint32
	ok := false
	for range 512 {
		if id == rootID {
			ok = true
			break
		}
		if known, seen := r.known[id]; seen {
			ok = known
			break
		}
		n := r.s.node(id)
		way = append(way, id)
		if !r.exists(n.parent) || r.s.node(n.parent).mode&TypeMask != Dir {
			break
		}
		if at, found := r.s.child(n.parent, n.name); !found || at != id {
			break
		}
		id = n.parent
	}
	for _, id := range way {
		r.known[id] = ok
	}
	return ok
}

// more counts the names of files beyond their first.
func (r *restorer) more() int64 {
	names := map[uint32]int64{}
	for _, n := range r.s.nodes {
		if p, ok := n.body.(*patch); ok {
			for _, c := range p.entries {
				if !c.gone && r.s.node(c.id).mode&TypeMask != Dir {
					names[c.id]++
				}
			}
		}
	}
	more := int64(0)
	for id, n := range names {
		if id < r.base {
			was := &r.s.img.nodes[id]
			if at, ok := r.s.child(was.parent, was.name); ok && at == id {
				n++
			}
		}
		more += n - 1
	}
	return more
}

// device returns the file system an inode is on: a new one is where its folder is.
func (r *restorer) device(id uint32) uint8 {
	for range 512 {
		if id < r.base {
			return r.s.img.nodes[id].dev
		}
		id = r.s.node(id).parent
	}
	return 0
}

// vacate takes folders of the base that were moved away out of their old
// places. One for which there is no room to say so goes back.
func (r *restorer) vacate() (changed bool) {
	for _, id := range r.sorted() {
		n := r.s.nodes[id]
		if id >= r.base || id == rootID || n.mode&TypeMask != Dir {
			continue
		}
		was := &r.s.img.nodes[id]
		if at, ok := r.s.child(was.parent, was.name); !ok || at != id || n.parent == was.parent && n.name == was.name {
			continue
		}
		changed = true
		if _, p, err := r.s.ownDir(was.parent); err == nil {
			p.forget(was.name, true)
			continue
		}
		n.parent, n.name = was.parent, was.name
	}
	return changed
}
