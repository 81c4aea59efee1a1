package vfs

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
)

// A Graft is many entries at once, a folder before what is in it. Paths in
// entries are bare names; the first entry is the root.
type Graft struct {
	Entries []Entry
	Parent  []int32 // place of each entry's folder; of the first it is not looked at
	Same    []int32 // place of an earlier name of the same file, or -1
	Order   bool    // folders list in the order of the entries, not by hash
}

// spare is room for what a host adds to its indexes one by one.
const spare = 400

// Graft puts a whole tree into an image that is being built: into an empty one
// without a search per name, on top of another replacing what has the same
// path. It returns the number of each entry's file, for [Image.PathOf].
func (i *Image) Graft(g Graft) ([]uint32, error) {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sealed {
		return nil, fmt.Errorf("graft: the image is in use")
	}
	if len(g.Entries) == 0 || len(g.Parent) != len(g.Entries) || len(g.Same) != len(g.Entries) {
		return nil, fmt.Errorf("graft: %d entries, %d folders, %d links", len(g.Entries), len(g.Parent), len(g.Same))
	}
	i.ordered = i.ordered || g.Order
	if need := len(i.nodes) + len(g.Entries); cap(i.nodes) < need {
		i.nodes = append(make([]inode, 0, need+spare), i.nodes...)
	}
	ids := make([]uint32, len(g.Entries))
	fresh := make(map[uint32]bool)
	if err := i.add(Entry{Path: "/", Mode: g.Entries[0].Mode, UID: g.Entries[0].UID, GID: g.Entries[0].GID, Mtime: g.Entries[0].Mtime}); err != nil {
		return nil, err
	}
	i.nodes[rootID].size = g.Entries[0].Size
	if len(i.nodes) == 1 {
		fresh[rootID] = true
	}
	for k := 1; k < len(g.Entries); k++ {
		up, same := g.Parent[k], g.Same[k]
		if up < 0 || int(up) >= k || int(same) >= k || i.nodes[ids[up]].mode&TypeMask != Dir {
			return nil, fmt.Errorf("graft: entry %d, %q, is in no folder", k, g.Entries[k].Path)
		}
		var err error
		if same >= 0 {
			err = i.hardlink(ids[up], g.Entries[k].Path, ids[same])
			ids[k] = ids[same]
		} else {
			ids[k], err = i.graft(ids[up], g.Entries[k], fresh)
		}
		if err != nil {
			return nil, err
		}
	}
	for id := range fresh {
		l := i.nodes[id].body.(*listing)
		l.ids = slices.Clip(l.ids)
		if l.alias == nil && !slices.IsSortedFunc(l.ids, i.byName) {
			slices.SortFunc(l.ids, i.byName)
		}
	}
	return ids, nil
}

func (i *Image) byName(a, b uint32) int { return strings.Compare(i.nodes[a].name, i.nodes[b].name) }

// graft adds one entry to a folder. What is made by this graft is appended and
// sorted at the end.
func (i *Image) graft(dir uint32, e Entry, fresh map[uint32]bool) (uint32, error) {
	if e.Mode&TypeMask == 0 {
		e.Mode |= Regular
	}
	l := i.nodes[dir].body.(*listing)
	id := uint32(len(i.nodes))
	if fresh[dir] && l.alias == nil {
		l.ids = append(l.ids, id)
	} else {
		at, found := i.search(l, e.Path)
		if found {
			return l.ids[at], i.replace(l.ids[at], e)
		}
		l.insert(at, id, "")
	}
	i.nodes = append(i.nodes, i.inode(e, dir, e.Path))
	if e.Mode&TypeMask == Dir {
		i.nodes[dir].nlink++
		fresh[id] = true
	}
	return id, nil
}

// Link gives a file of an image that is being built another name.
func (i *Image) Link(oldPath, newPath string) error {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.sealed {
		return fmt.Errorf("link %q: the image is in use", newPath)
	}
	from, name, err := i.parent(Entry{Path: oldPath})
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	l := i.nodes[from].body.(*listing)
	at, found := i.search(l, name)
	if !found {
		return fmt.Errorf("link %q: no such entry", oldPath)
	}
	id := l.ids[at]
	dir, name, err := i.parent(Entry{Path: newPath})
	if err != nil {
		return fmt.Errorf("link: %w", err)
	}
	return i.hardlink(dir, name, id)
}

// hardlink enters a file into a folder under another name.
func (i *Image) hardlink(dir uint32, name string, id uint32) error {
	if i.nodes[id].mode&TypeMask == Dir {
		return fmt.Errorf("link %q: a folder has one name", name)
	}
	l := i.nodes[dir].body.(*listing)
	if l.alias == nil { // entries appended by a graft may be out of order yet
		slices.SortFunc(l.ids, i.byName)
	}
	at, found := i.search(l, name)
	if found {
		if l.ids[at] == id {
			return nil
		}
		i.nodes[l.ids[at]].nlink--
		l.ids[at] = id
		l.name(at, name)
	} else {
		l.insert(at, id, name)
	}
	i.nodes[id].nlink++
	return nil
}

// insert puts a file into the listing; alias is its name there when that is not
// the file's own.
func (l *listing) insert(at int, id uint32, alias string) {
	l.ids = slices.Insert(l.ids, at, id)
	if l.alias != nil {
		l.alias = slices.Insert(l.alias, at, alias)
	} else if alias != "" {
		l.name(at, alias)
	}
}

func (l *listing) name(at int, alias string) {
	if l.alias == nil {
		l.alias = make([]string, len(l.ids))
	}
	l.alias[at] = alias
}

func (l *listing) remove(at int) {
	l.ids = slices.Delete(l.ids, at, at+1)
	if l.alias != nil {
		l.alias = slices.Delete(l.alias, at, at+1)
	}
}

// called returns the name of the entry at a place of a listing.
func (i *Image) called(l *listing, at int) string {
	if l.alias != nil && l.alias[at] != "" {
		return l.alias[at]
	}
	return i.nodes[l.ids[at]].name
}

// PathOf returns the (first) path of the file of that number.
func (i *Image) PathOf(id uint32) string {
	s := store{img: i}
	if int(id) >= len(i.nodes) {
		return ""
	}
	return s.path(id)
}

// Type returns the S_IFMT bits of the file of that number.
func (i *Image) Type(id uint32) uint32 {
	if int(id) >= len(i.nodes) {
		return 0
	}
	return i.nodes[id].mode & TypeMask
}

// Find describes the entry at a path without symbolic links, for one who wants
// to replace it.
func (i *Image) Find(path string) (Entry, bool) {
	id, ok := i.lookup(path)
	if !ok {
		return Entry{}, false
	}
	n := &i.nodes[id]
	e := Entry{Path: path, Mode: n.mode, UID: n.uid, GID: n.gid, Size: n.size, Mtime: time.Unix(0, n.mtime).UTC()}
	if t, ok := n.body.(link); ok {
		e.Target = string(t)
	}
	if n.mode&TypeMask == Char || n.mode&TypeMask == Block {
		e.Rdev = uint64(n.size)
	}
	return e, true
}

func (i *Image) lookup(path string) (uint32, bool) {
	id := uint32(rootID)
	for part := range strings.SplitSeq(strings.Trim(path, "/"), "/") {
		if part == "" {
			continue
		}
		l, ok := i.nodes[id].body.(*listing)
		if !ok {
			return 0, false
		}
		at, ok := i.search(l, part)
		if !ok {
			return 0, false
		}
		id = l.ids[at]
	}
	return id, true
}

// Content writes the fixed content of a regular file; generated content has
// none.
func (i *Image) Content(id uint32, w io.Writer) error {
	if int(id) >= len(i.nodes) || i.nodes[id].mode&TypeMask != Regular {
		return fail(EINVAL)
	}
	n := &i.nodes[id]
	var (
		s   store
		buf [16 << 10]byte
	)
	switch n.body.(type) {
	case content, Log:
		return fail(EINVAL)
	}
	for off := int64(0); off < n.size; {
		k := s.readAt(n, buf[:], off)
		if _, err := w.Write(buf[:k]); err != nil {
			return err
		}
		off += int64(k)
	}
	return nil
}
