package vfs

import "strings"

const (
	maxLinks = 40
	maxName  = 255
	maxPath  = 4096
)

// ref is where a walk ended: an inode, or an entry of a synthetic tree.
type ref struct {
	id    uint32
	tree  Tree   // set inside a synthetic tree
	mount uint8  // of the tree
	rel   string // path below the mount
	ent   Entry  // what the tree said
}

func (s *store) mode(r *ref) uint32 {
	if r.tree != nil {
		return r.ent.Mode
	}
	return s.node(r.id).mode
}

// may reports whether c has the permissions want (r 4, w 2, x 1) by mode.
func may(c Cred, mode, uid, gid, want uint32) bool {
	if c.UID == 0 {
		return want&1 == 0 || mode&TypeMask == Dir || mode&0o111 != 0
	}
	switch {
	case c.UID == uid:
		return mode>>6&want == want
	case c.in(gid):
		return mode>>3&want == want
	default:
		return mode&want == want
	}
}

func (c Cred) in(gid uint32) bool {
	if c.GID == gid {
		return true
	}
	for _, g := range c.Groups {
		if g == gid {
			return true
		}
	}
	return false
}

func (s *store) may(c Cred, r *ref, want uint32) bool {
	if r.tree != nil {
		return may(c, r.ent.Mode, r.ent.UID, r.ent.GID, want)
	}
	n := s.node(r.id)
	return may(c, n.mode, n.uid, n.gid, want)
}

// child looks up one name in a folder.
func (s *store) child(dir uint32, name string) (uint32, bool) {
	switch b := s.node(dir).body.(type) {
	case *listing:
		return s.inListing(b, name)
	case *patch:
		if id, gone, ok := b.find(name); ok {
			return id, !gone
		}
		if b.base != nil {
			return s.inListing(b.base, name)
		}
	}
	return 0, false
}

func (s *store) inListing(l *listing, name string) (uint32, bool) {
	at, ok := s.img.search(l, name)
	if !ok {
		return 0, false
	}
	return l.ids[at], true
}

// enter makes a ref of an inode, going into the synthetic tree mounted there.
func (f *FS) enter(id uint32) ref {
	n := f.st.node(id)
	if n.dev != 0 && n.mode&TypeMask == Dir {
		m := f.st.img.mounts[n.dev]
		if m.Tree != nil {
			if e, ok := m.Tree.Lookup(f.env(), ""); ok {
				return ref{id: id, tree: m.Tree, mount: n.dev, ent: e}
			}
		}
	}
	return ref{id: id}
}

// step goes from a folder to one of its entries.
func (f *FS) step(at *ref, name string) (ref, error) {
	if at.tree == nil {
		id, ok := f.st.child(at.id, name)
		if !ok {
			return ref{}, fail(ENOENT)
		}
		return f.enter(id), nil
	}
	rel := name
	if at.rel != "" {
		rel = at.rel + "/" + name
	}
	e, ok := at.tree.Lookup(f.env(), rel)
	if !ok {
		return ref{}, fail(ENOENT)
	}
	return ref{id: at.id, tree: at.tree, mount: at.mount, rel: rel, ent: e}, nil
}

// up goes to the folder above.
func (f *FS) up(at *ref) ref {
	if at.tree == nil || at.rel == "" {
		return f.enter(f.st.node(at.id).parent)
	}
	i := strings.LastIndexByte(at.rel, '/')
	rel := at.rel[:max(i, 0)]
	e, ok := at.tree.Lookup(f.env(), rel)
	if !ok {
		return f.enter(f.st.node(at.id).parent)
	}
	return ref{id: at.id, tree: at.tree, mount: at.mount, rel: rel, ent: e}
}

func (f *FS) target(r *ref) string {
	if r.tree != nil {
		return r.ent.Target
	}
	t, _ := f.st.node(r.id).body.(link)
	return string(t)
}

// place is the outcome of a walk: the folder, the last name, and what is there.
type place struct {
	dir   ref
	name  string // "" for "/" and for paths that end in a dot name
	at    ref
	found bool
	slash bool // the path ended in a slash
}

// walk resolves p. The last name need not exist. follow says whether a
// symbolic link as the last name is followed.
func (f *FS) walk(c Cred, p string, follow bool) (place, error) {
	links := 0
	return f.walkFrom(c, f.enter(rootID), p, follow, &links)
}

func (f *FS) walkFrom(c Cred, at ref, p string, follow bool, links *int) (place, error) {
	if p == "" {
		return place{}, fail(ENOENT)
	}
	if len(p) > maxPath {
		return place{}, fail(ENAMETOOLONG)
	}
	if p[0] == '/' {
		at = f.enter(rootID)
	}
	out := place{dir: at, at: at, found: true}
	for rest := p; ; {
		rest = strings.TrimLeft(rest, "/")
		if rest == "" {
			return out, nil
		}
		name, tail, more := strings.Cut(rest, "/")
		rest = tail
		last := strings.TrimLeft(rest, "/") == ""
		if !out.found {
			return place{}, fail(ENOENT)
		}
		if f.st.mode(&out.at)&TypeMask != Dir {
			return place{}, fail(ENOTDIR)
		}
		if !f.st.may(c, &out.at, 1) {
			return place{}, fail(EACCES)
		}
		next, err := f.advance(c, out.at, name, !last || follow || more, links)
		if err != nil {
			return place{}, err
		}
		next.slash = last && more
		out = next
		if out.slash && out.found && f.st.mode(&out.at)&TypeMask != Dir {
			return place{}, fail(ENOTDIR)
		}
	}
}

// advance takes one step of a walk from the folder dir.
func (f *FS) advance(c Cred, dir ref, name string, follow bool, links *int) (place, error) {
	switch name {
	case ".":
		return place{dir: dir, at: dir, found: true}, nil
	case "..":
		up := f.up(&dir)
		return place{dir: up, at: up, found: true}, nil
	}
	if len(name) > maxName {
		return place{}, fail(ENAMETOOLONG)
	}
	at, err := f.step(&dir, name)
	if err != nil {
		return place{dir: dir, name: name}, nil
	}
	if !follow || f.st.mode(&at)&TypeMask != Symlink {
		return place{dir: dir, name: name, at: at, found: true}, nil
	}
	if *links++; *links > maxLinks {
		return place{}, fail(ELOOP)
	}
	return f.walkFrom(c, dir, f.target(&at), true, links)
}

// info describes what a walk found.
func (f *FS) info(r *ref, name string) Info {
	s := f.st
	if r.tree != nil {
		e := r.ent
		p := s.img.mounts[r.mount].Path
		if r.rel != "" {
			p += "/" + r.rel
		}
		nlink := uint32(1)
		if e.Mode&TypeMask == Dir {
			nlink = 2
		}
		return Info{
			Name: name, Path: p, Ino: e.Ino, Mode: e.Mode, Nlink: nlink, UID: e.UID, GID: e.GID, Size: e.Size,
			Atime: e.Mtime, Mtime: e.Mtime, Ctime: e.Mtime, Target: e.Target, Rdev: e.Rdev,
			Dev: s.img.mounts[r.mount].Dev, synthetic: true,
		}
	}
	return s.info(r.id, name, s.path(r.id), f.env())
}

// describe is info for the outcome of a walk, whose way is the file's path: a
// file may have several names.
func (f *FS) describe(p *place) Info {
	if p.at.tree != nil || p.name == "" {
		return f.info(&p.at, p.name)
	}
	return f.st.info(p.at.id, p.name, f.st.below(p.dir.id, p.name), f.env())
}
