package vfs

import (
	"cmp"
	"slices"
	"time"
)

// patch is the entries of a folder this view changed: what it added or removed
// over the image's listing. Few changes are kept in a slice, many get an index.
type patch struct {
	base    *listing // nil: a new folder
	entries []change
	index   map[string]int // once there are more than indexFrom changes
}

type change struct {
	name string
	id   uint32
	gone bool
}

const indexFrom = 24

func (p *patch) find(name string) (id uint32, gone, ok bool) {
	if p.index != nil {
		i, ok := p.index[name]
		if !ok {
			return 0, false, false
		}
		return p.entries[i].id, p.entries[i].gone, true
	}
	for i := range p.entries {
		if p.entries[i].name == name {
			return p.entries[i].id, p.entries[i].gone, true
		}
	}
	return 0, false, false
}

func (p *patch) set(c change) {
	if p.index != nil {
		if i, ok := p.index[c.name]; ok {
			p.entries[i] = c
			return
		}
		p.index[c.name] = len(p.entries)
		p.entries = append(p.entries, c)
		return
	}
	for i := range p.entries {
		if p.entries[i].name == c.name {
			p.entries[i] = c
			return
		}
	}
	p.entries = append(p.entries, c)
	if len(p.entries) > indexFrom {
		p.index = make(map[string]int, 2*len(p.entries))
		for i, e := range p.entries {
			p.index[e.name] = i
		}
	}
}

// forget drops a name from a folder. A removed name is remembered only if the
// image has it.
func (p *patch) forget(name string, inBase bool) {
	if inBase {
		p.set(change{name: name, gone: true})
		return
	}
	for i := range p.entries {
		if p.entries[i].name != name {
			continue
		}
		last := len(p.entries) - 1
		if p.index != nil {
			delete(p.index, name)
			if i != last {
				p.index[p.entries[last].name] = i
			}
		}
		p.entries[i] = p.entries[last]
		p.entries = p.entries[:last]
		return
	}
}

// ownDir returns a folder for changing its entries.
func (s *store) ownDir(id uint32) (*inode, *patch, error) {
	n, err := s.own(id)
	if err != nil {
		return nil, nil, err
	}
	switch b := n.body.(type) {
	case *patch:
		return n, b, nil
	case *listing:
		p := &patch{base: b}
		n.body = p
		return n, p, nil
	}
	return nil, nil, fail(ENOTDIR)
}

// maxLinksTo is how many names ext4 lets a file have.
const maxLinksTo = 65000

// firstLinks is how many names of a file cost nothing: those it has in the image,
// one of a new file.
func (s *store) firstLinks(id uint32) uint32 {
	if int(id) < len(s.img.nodes) {
		return s.img.nodes[id].nlink
	}
	return 1
}

// attach enters id as name into a folder. The name must be the view's own copy.
func (s *store) attach(dir uint32, name string, id uint32) error {
	n, p, err := s.ownDir(dir)
	if err != nil {
		return err
	}
	p.set(change{name: name, id: id})
	n.mtime = s.now().UnixNano()
	n.ctime = n.mtime
	return nil
}

// detach removes a name from a folder.
func (s *store) detach(dir uint32, name string) error {
	n, p, err := s.ownDir(dir)
	if err != nil {
		return err
	}
	inBase := false
	if p.base != nil {
		_, inBase = s.inListing(p.base, name)
	}
	p.forget(name, inBase)
	n.mtime = s.now().UnixNano()
	n.ctime = n.mtime
	return nil
}

type dirent struct {
	name string
	id   uint32
	hash uint64
}

// entries returns a folder's entries in directory order, which is that of a
// hash of the name, as ext4 lists them, or the order recorded in the image.
func (s *store) entries(dir uint32) []dirent {
	var out []dirent
	list := func(l *listing, p *patch) {
		for at, id := range l.ids {
			name := s.img.called(l, at)
			if p != nil {
				if _, _, changed := p.find(name); changed {
					continue
				}
			}
			out = append(out, dirent{name, id, s.hash(name)})
		}
	}
	switch b := s.node(dir).body.(type) {
	case *listing:
		out = make([]dirent, 0, len(b.ids))
		list(b, nil)
	case *patch:
		if b.base != nil {
			list(b.base, b)
		}
		for _, e := range b.entries {
			if !e.gone {
				out = append(out, dirent{e.name, e.id, s.hash(e.name)})
			}
		}
	}
	if s.img.ordered {
		slices.SortStableFunc(out, func(a, b dirent) int { return cmp.Compare(a.id, b.id) })
		return out
	}
	slices.SortFunc(out, func(a, b dirent) int { return cmp.Compare(a.hash, b.hash) })
	return out
}

// empty reports whether a folder has no entries.
func (s *store) empty(dir uint32) bool {
	switch b := s.node(dir).body.(type) {
	case *listing:
		return len(b.ids) == 0
	case *patch:
		return len(s.entries(dir)) == 0
	}
	return true
}

// dirSize is what stat shows for a folder: whole blocks, by number of entries
// and at least what the image recorded, for folders do not shrink; on a mounted
// file system, which is one in memory, 20 bytes an entry.
func (s *store) dirSize(n *inode) int64 {
	count := 0
	switch b := n.body.(type) {
	case *listing:
		count = len(b.ids)
	case *patch:
		count = len(b.entries)
		if b.base != nil {
			count += len(b.base.ids)
		}
	}
	if n.dev != 0 {
		return 20 * int64(2+count)
	}
	return max(n.size, 4096*int64(1+count/110))
}

// hash is FNV-1a over the image's seed and the name.
func (s *store) hash(name string) uint64 {
	h := uint64(14695981039346656037) ^ s.img.seed
	for i := range len(name) {
		h ^= uint64(name[i])
		h *= 1099511628211
	}
	// FNV leaves similar short names close together; spread them.
	h ^= h >> 29
	h *= 0xbf58476d1ce4e5b9
	return h ^ h>>32
}

// info describes an inode that was reached as path.
func (s *store) info(id uint32, name, path string, env Env) Info {
	s.grow(id, env)
	n := s.node(id)
	i := Info{
		Name: name, Path: path, Ino: s.ino(id), Mode: n.mode, Nlink: n.nlink, UID: n.uid, GID: n.gid, Size: n.size,
		Atime: time.Unix(0, n.atime).UTC(), Mtime: time.Unix(0, n.mtime).UTC(), Ctime: time.Unix(0, n.ctime).UTC(),
		Dev: s.img.mounts[n.dev].Dev, Flags: n.flags,
	}
	switch n.mode & TypeMask {
	case Dir:
		i.Size = s.dirSize(n)
	case Symlink:
		t, _ := n.body.(link)
		i.Target = string(t)
	case Char, Block:
		i.Rdev, i.Size = uint64(n.size), 0
	case Regular:
		if made, last, ok := generated(n.body, env); ok {
			i.Size = int64(len(made))
			if last.After(i.Ctime) {
				i.Mtime, i.Ctime = last.UTC(), last.UTC()
			}
		}
	}
	return i
}
