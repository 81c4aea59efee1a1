package vfs

import (
	"cmp"
	"encoding/binary"
	"errors"
	"maps"
	"slices"
	"strings"
)

// An overlay is what one attacker changed, as bytes that outlive the process:
// changed and new inodes, removed names, contents and times. It names files of
// the base by path, so most of it still applies when the base has changed, and
// it is written in one order only: equal changes give equal bytes.
//
//	"HV" version(2) fingerprint(8, of the base)
//	paths   n { shared suffix }             front-coded, sorted
//	nodes   n { ref inode }                 of the base first
//	next    first unused number of a new inode
//	synth   n { path bytes }                settings written under /proc and /sys
//	grown   n { ref time }                  changed logs, and up to when they have what was written
//
// Numbers are varints. A ref is path<<1 for a file of the base and number<<1|1
// for a new one.
const (
	overlayMagic   = "HV\x02"
	overlayVersion = len(overlayMagic)

	maxOverlayNumber = 1 << 24 // of a new inode
)

// What follows an inode's facts.
const (
	bodyData   = iota // size, bytes
	bodySame          // as in the base
	bodyShared        // ref of the base file whose content it shares
	bodyLink          // target
	bodyDir           // n { name tag ref }
	bodyDevice        // number
	bodyHollow        // size; the content was not kept
)

// ErrOverlay is in the chain of every error of [Image.Restore].
var ErrOverlay = errors.New("overlay")

// Version counts the changes made through all handles of this FS. Equal
// versions mean that nothing was changed in between.
func (f *FS) Version() uint64 {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	return f.st.version
}

// Export returns what was changed, and whether contents were left out because
// all together exceed limit bytes; then the largest files keep their size and
// lose their bytes. It returns nil when nothing was changed.
func (f *FS) Export(limit int64) (overlay []byte, partial bool) {
	s := f.st
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.nodes) == 0 && len(s.synth) == 0 {
		return nil, false
	}
	e := exporter{s: s, base: uint32(len(s.img.nodes)), number: map[uint32]uint64{}}
	e.choose(limit)
	ids := e.collect()
	e.names()
	e.b = binary.BigEndian.AppendUint64([]byte(overlayMagic), s.img.Fingerprint())
	e.table()
	e.uvarint(uint64(len(ids)))
	for _, id := range ids {
		e.uvarint(e.ref(id))
		e.inode(id, s.nodes[id])
	}
	e.uvarint(uint64(s.next - e.base))
	e.uvarint(uint64(len(s.synth)))
	for _, path := range slices.Sorted(maps.Keys(s.synth)) {
		e.text(path)
		e.text(string(s.synth[path]))
	}
	e.grown(ids)
	return e.b, len(e.hollow) > 0
}

// grown writes up to when changed logs have what was written.
func (e *exporter) grown(ids []uint32) {
	var logs []uint32
	for _, id := range ids {
		if _, ok := e.s.grown[id]; ok {
			logs = append(logs, id)
		}
	}
	e.uvarint(uint64(len(logs)))
	for _, id := range logs {
		e.uvarint(e.ref(id))
		e.b = binary.AppendVarint(e.b, e.s.grown[id])
	}
}

// exporter writes one overlay; the lock is held.
type exporter struct {
	s      *store
	base   uint32
	b      []byte
	used   []uint32          // files of the base that are named
	paths  []string          // theirs, sorted
	number map[uint32]uint64 // place of a file of the base in paths
	hollow map[uint32]bool   // files that lose their bytes
}

// choose decides whose bytes do not fit.
func (e *exporter) choose(limit int64) {
	if e.s.bytes <= limit {
		return
	}
	var files []uint32
	for id, n := range e.s.nodes {
		if len(n.data) > 0 {
			files = append(files, id)
		}
	}
	slices.SortFunc(files, func(a, b uint32) int {
		return cmp.Or(cmp.Compare(len(e.s.nodes[a].data), len(e.s.nodes[b].data)), cmp.Compare(a, b))
	})
	for _, id := range files {
		if limit -= int64(len(e.s.nodes[id].data)); limit < 0 {
			if e.hollow == nil {
				e.hollow = map[uint32]bool{}
			}
			e.hollow[id] = true
		}
	}
}

// collect returns the inodes to write and notes which files of the base they
// name. One that no folder holds any more is not written.
func (e *exporter) collect() []uint32 {
	ids := make([]uint32, 0, len(e.s.nodes))
	for id, n := range e.s.nodes {
		if n.nlink == 0 {
			continue
		}
		ids = append(ids, id)
		e.use(id)
		e.use(n.parent)
		if from, ok := e.s.origin[id]; ok {
			e.use(from)
		}
		if p, ok := n.body.(*patch); ok {
			for _, c := range p.entries {
				if !c.gone {
					e.use(c.id)
				}
			}
		}
	}
	slices.Sort(ids)
	return ids
}

func (e *exporter) use(id uint32) {
	if _, ok := e.number[id]; id < e.base && !ok {
		e.number[id] = 0
		e.used = append(e.used, id)
	}
}

// names sorts the paths of the files of the base.
func (e *exporter) names() {
	byPath := make(map[string]uint32, len(e.used))
	for _, id := range e.used {
		p := e.s.img.PathOf(id)
		byPath[p] = id
		e.paths = append(e.paths, p)
	}
	slices.Sort(e.paths)
	for i, p := range e.paths {
		e.number[byPath[p]] = uint64(i)
	}
}

func (e *exporter) table() {
	e.uvarint(uint64(len(e.paths)))
	last := ""
	for _, p := range e.paths {
		n := 0
		for n < len(p) && n < len(last) && p[n] == last[n] {
			n++
		}
		e.uvarint(uint64(n))
		e.text(p[n:])
		last = p
	}
}

func (e *exporter) ref(id uint32) uint64 {
	if id < e.base {
		return e.number[id] << 1
	}
	return uint64(id-e.base)<<1 | 1
}

func (e *exporter) inode(id uint32, n *inode) {
	for _, v := range []uint64{uint64(n.mode), uint64(n.uid), uint64(n.gid), uint64(n.nlink), uint64(n.flags)} {
		e.uvarint(v)
	}
	e.b = binary.AppendVarint(e.b, n.mtime)
	e.b = binary.AppendVarint(e.b, n.atime-n.mtime)
	e.b = binary.AppendVarint(e.b, n.ctime-n.mtime)
	e.uvarint(e.ref(n.parent))
	e.text(n.name)
	e.body(id, n)
}

func (e *exporter) body(id uint32, n *inode) {
	switch b := n.body.(type) {
	case *patch:
		e.dir(b)
	case link:
		e.b = append(e.b, bodyLink)
		e.text(string(b))
	case nil:
		e.content(id, n)
	default:
		from, ok := e.s.origin[id]
		switch {
		case ok:
			e.b = append(e.b, bodyShared)
			e.uvarint(e.ref(from))
		case id < e.base:
			e.b = append(e.b, bodySame)
		default:
			e.b = append(e.b, bodyHollow)
			e.uvarint(uint64(n.size))
		}
	}
}

// content writes a file of bytes of its own, or a device.
func (e *exporter) content(id uint32, n *inode) {
	switch {
	case n.mode&TypeMask != Regular:
		e.b = append(e.b, bodyDevice)
		e.uvarint(uint64(n.size))
	case e.hollow[id]:
		e.b = append(e.b, bodyHollow)
		e.uvarint(uint64(n.size))
	default:
		e.b = append(e.b, bodyData)
		e.uvarint(uint64(n.size))
		e.uvarint(uint64(len(n.data)))
		e.b = append(e.b, n.data...)
	}
}

func (e *exporter) dir(p *patch) {
	list := slices.Clone(p.entries)
	slices.SortFunc(list, func(a, b change) int { return strings.Compare(a.name, b.name) })
	e.b = append(e.b, bodyDir)
	e.uvarint(uint64(len(list)))
	for _, c := range list {
		e.text(c.name)
		if c.gone {
			e.uvarint(0)
			continue
		}
		e.uvarint(e.ref(c.id) + 1)
	}
}

func (e *exporter) uvarint(v uint64) { e.b = binary.AppendUvarint(e.b, v) }

func (e *exporter) text(s string) {
	e.uvarint(uint64(len(s)))
	e.b = append(e.b, s...)
}

// Fingerprint identifies the base: names, kinds, owners, sizes and times of all
// its files. It seals the image.
func (i *Image) Fingerprint() uint64 {
	i.seal()
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.print != 0 {
		return i.print
	}
	h := uint64(14695981039346656037)
	mix := func(v uint64) { h = (h ^ v) * 1099511628211; h ^= h >> 31 }
	for k := range i.nodes {
		n := &i.nodes[k]
		for at := range len(n.name) {
			h = (h ^ uint64(n.name[at])) * 1099511628211
		}
		mix(uint64(n.parent)<<32 | uint64(n.mode))
		mix(uint64(n.uid)<<32 | uint64(n.gid))
		mix(uint64(n.size))
		mix(uint64(n.mtime))
	}
	i.print = h | 1
	return i.print
}
