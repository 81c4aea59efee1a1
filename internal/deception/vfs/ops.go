package vfs

import (
	"strings"
	"time"
)

// The chattr flags of [Info.Flags] that change what is allowed.
const (
	FlagImmutable  uint16 = 0x10
	FlagAppendOnly uint16 = 0x20
)

// Stat describes a file, following symbolic links.
func (f *FS) Stat(c Cred, path string) (Info, error) { return f.stat(c, path, true) }

// Lstat describes a file or the symbolic link itself.
func (f *FS) Lstat(c Cred, path string) (Info, error) { return f.stat(c, path, false) }

func (f *FS) stat(c Cred, path string, follow bool) (Info, error) {
	if _, _, ok := f.openStream(path, O_RDONLY); ok && follow {
		return streamInfo(path), nil
	}
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.walk(c, path, follow)
	if err != nil {
		return Info{}, err
	}
	if !p.found {
		return Info{}, fail(ENOENT)
	}
	return f.describe(&p), nil
}

// ReadDir lists a folder without "." and "..", in directory order.
func (f *FS) ReadDir(c Cred, path string) ([]Info, error) {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.found(c, path)
	if err != nil {
		return nil, err
	}
	if f.st.mode(&p.at)&TypeMask != Dir {
		return nil, fail(ENOTDIR)
	}
	if !f.st.may(c, &p.at, 4) {
		return nil, fail(EACCES)
	}
	if p.at.tree != nil {
		list := p.at.tree.List(f.env(), p.at.rel)
		out := make([]Info, 0, len(list))
		for _, e := range list {
			r := p.at
			r.ent, r.rel = e, strings.TrimPrefix(p.at.rel+"/"+e.Path, "/")
			out = append(out, f.info(&r, e.Path))
		}
		return out, nil
	}
	list := f.st.entries(p.at.id)
	out := make([]Info, len(list))
	for i, e := range list {
		out[i] = f.describe(&place{dir: p.at, name: e.name, at: f.enter(e.id), found: true})
	}
	return out, nil
}

// found walks to a file that must exist.
func (f *FS) found(c Cred, path string) (place, error) {
	p, err := f.walk(c, path, true)
	if err == nil && !p.found {
		err = fail(ENOENT)
	}
	return p, err
}

// Readlink returns a symbolic link's target.
func (f *FS) Readlink(c Cred, path string) (string, error) {
	i, err := f.Lstat(c, path)
	if err != nil {
		return "", err
	}
	if !i.IsSymlink() {
		return "", fail(EINVAL)
	}
	return i.Target, nil
}

// Real returns a file's path without links and dots. The last name need not
// exist.
func (f *FS) Real(c Cred, path string) (string, error) {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.walk(c, path, true)
	if err != nil {
		return "", err
	}
	if p.found {
		return f.describe(&p).Path, nil
	}
	dir := f.info(&p.dir, "").Path
	return strings.TrimSuffix(dir, "/") + "/" + p.name, nil
}

// Access reports whether c may read (4), write (2) or execute (1) a file.
func (f *FS) Access(c Cred, path string, want uint32) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.found(c, path)
	if err == nil && !f.st.may(c, &p.at, want) {
		err = fail(EACCES)
	}
	return err
}

// room checks that c may make an entry where p points and nothing is there.
func (f *FS) room(c Cred, p *place, dir bool) error {
	switch {
	case p.found:
		return fail(EEXIST)
	case p.dir.tree != nil:
		return fail(p.dir.tree.Create(strings.TrimPrefix(p.dir.rel+"/"+p.name, "/"), dir))
	}
	return f.writable(c, &p.dir)
}

// writable checks that c may change a folder's entries.
func (f *FS) writable(c Cred, dir *ref) error {
	if dir.tree != nil {
		return fail(EPERM)
	}
	if !f.st.may(c, dir, 3) {
		return fail(EACCES)
	}
	n := f.st.node(dir.id)
	if n.flags&FlagImmutable != 0 {
		return fail(EPERM)
	}
	if n.nlink == 0 {
		return fail(ENOENT)
	}
	return nil
}

// removable checks that c may take the entry p away.
func (f *FS) removable(c Cred, p *place) error {
	if !p.found {
		return fail(ENOENT)
	}
	if p.at.tree != nil {
		if p.at.rel == "" {
			return fail(EBUSY)
		}
		return fail(EPERM)
	}
	if err := f.writable(c, &p.dir); err != nil {
		return err
	}
	d, n := f.st.node(p.dir.id), f.st.node(p.at.id)
	if d.mode&Sticky != 0 && c.UID != 0 && c.UID != d.uid && c.UID != n.uid {
		return fail(EPERM)
	}
	if n.flags&(FlagImmutable|FlagAppendOnly) != 0 || d.flags&FlagAppendOnly != 0 {
		return fail(EPERM)
	}
	if d.dev != n.dev {
		return fail(EBUSY)
	}
	return nil
}

// create makes a new file of any type at path.
func (f *FS) create(c Cred, path string, mode uint32) (*inode, error) {
	p, err := f.walk(c, path, false)
	if err != nil {
		return nil, err
	}
	if p.slash && mode&TypeMask != Dir {
		return nil, fail(ENOENT)
	}
	if err := f.room(c, &p, mode&TypeMask == Dir); err != nil {
		return nil, err
	}
	_, n, err := f.make(c, &p, mode)
	return n, err
}

func (f *FS) make(c Cred, p *place, mode uint32) (uint32, *inode, error) {
	id, n, err := f.st.fresh(mode, c, p.dir.id, p.name)
	if err != nil {
		return 0, nil, err
	}
	if err := f.st.attach(p.dir.id, n.name, id); err != nil {
		delete(f.st.nodes, id)
		return 0, nil, err
	}
	return id, n, nil
}

// Mkdir makes a folder. perm is taken as it is: the caller applies its umask.
func (f *FS) Mkdir(c Cred, path string, perm uint32) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	n, err := f.create(c, path, Dir|perm&0o7777)
	if err != nil {
		return err
	}
	n.nlink, n.body = 2, &patch{}
	parent, err := f.st.own(n.parent)
	if err == nil {
		parent.nlink++
	}
	return err
}

// Symlink makes a symbolic link to target.
func (f *FS) Symlink(c Cred, target, path string) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	if target == "" {
		return fail(ENOENT)
	}
	if len(target) > maxPath {
		return fail(ENAMETOOLONG)
	}
	n, err := f.create(c, path, Symlink|0o777)
	if err != nil {
		return err
	}
	n.body, n.size = link(strings.Clone(target)), int64(len(target))
	return nil
}

// Mknod makes a FIFO, a socket or a device node (root only); rdev is the
// device number.
func (f *FS) Mknod(c Cred, path string, mode uint32, rdev uint64) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	t := mode & TypeMask
	if (t == Char || t == Block) && c.UID != 0 {
		return fail(EPERM)
	}
	if t != Char && t != Block && t != Fifo && t != Socket && t != Regular {
		return fail(EINVAL)
	}
	n, err := f.create(c, path, mode)
	if err == nil {
		n.size = int64(rdev)
	}
	return err
}

// Link makes a hard link; symbolic links are not followed.
func (f *FS) Link(c Cred, oldPath, newPath string) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	from, err := f.walk(c, oldPath, false)
	if err != nil {
		return err
	}
	if !from.found {
		return fail(ENOENT)
	}
	if f.st.mode(&from.at)&TypeMask == Dir {
		return fail(EPERM)
	}
	to, err := f.walk(c, newPath, false)
	if err != nil {
		return err
	}
	if err := f.room(c, &to, false); err != nil {
		return err
	}
	if from.at.tree != nil || f.st.node(from.at.id).dev != f.st.node(to.dir.id).dev {
		return fail(EXDEV)
	}
	n, err := f.st.own(from.at.id)
	if err != nil {
		return err
	}
	if n.flags&(FlagImmutable|FlagAppendOnly) != 0 {
		return fail(EPERM)
	}
	switch {
	case n.nlink >= maxLinksTo:
		return fail(EMLINK)
	case int64(len(f.st.nodes))+f.st.links >= f.st.quota.Inodes:
		return fail(ENOSPC)
	}
	if err := f.st.attach(to.dir.id, strings.Clone(to.name), from.at.id); err != nil {
		return err
	}
	if n.nlink++; n.nlink > f.st.firstLinks(from.at.id) {
		f.st.links++
	}
	n.ctime = f.st.now().UnixNano()
	return nil
}

// Remove unlinks anything but a folder.
func (f *FS) Remove(c Cred, path string) error {
	f.settle(c, path, false)
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.walk(c, path, false)
	if err != nil {
		return err
	}
	if p.found && f.st.mode(&p.at)&TypeMask == Dir {
		return fail(EISDIR)
	}
	if err := f.removable(c, &p); err != nil {
		return err
	}
	if err := f.st.detach(p.dir.id, p.name); err != nil {
		return err
	}
	f.st.unlink(p.at.id)
	return nil
}

// unlink takes one link from an inode and frees it with the last.
func (s *store) unlink(id uint32) {
	n := s.node(id)
	if n.nlink > 1 && n.mode&TypeMask != Dir {
		if n, err := s.own(id); err == nil {
			n.nlink--
			n.ctime = s.now().UnixNano()
			if n.nlink >= s.firstLinks(id) {
				s.links--
			}
		}
		return
	}
	if own, ok := s.nodes[id]; ok {
		own.nlink = 0
		s.release(id, own)
	}
}

// release frees an unlinked overlay inode once no file has it open.
func (s *store) release(id uint32, n *inode) {
	if n.nlink == 0 && n.refs == 0 {
		s.refund(int64(len(n.data)))
		delete(s.nodes, id)
		delete(s.origin, id)
		delete(s.grown, id)
	}
}

// Rmdir removes an empty folder.
func (f *FS) Rmdir(c Cred, path string) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	if trimmed := strings.TrimRight(path, "/"); strings.HasSuffix(trimmed, "/..") || trimmed == ".." {
		return fail(ENOTEMPTY)
	}
	p, err := f.walk(c, path, false)
	if err != nil {
		return err
	}
	if p.found && f.st.mode(&p.at)&TypeMask != Dir {
		return fail(ENOTDIR)
	}
	if p.found && p.name == "" {
		if p.at.id == rootID && p.at.tree == nil {
			return fail(EBUSY)
		}
		return fail(EINVAL)
	}
	if err := f.removable(c, &p); err != nil {
		return err
	}
	if !f.st.empty(p.at.id) {
		return fail(ENOTEMPTY)
	}
	if err := f.st.detach(p.dir.id, p.name); err != nil {
		return err
	}
	f.st.unlink(p.at.id)
	parent, err := f.st.own(p.dir.id)
	if err == nil {
		parent.nlink--
	}
	return err
}

// Rename moves a file, replacing what it may replace.
func (f *FS) Rename(c Cred, oldPath, newPath string) error {
	f.settle(c, oldPath, false)
	f.settle(c, newPath, false)
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	from, err := f.walk(c, oldPath, false)
	if err != nil {
		return err
	}
	if from.found && from.name == "" {
		return fail(EBUSY)
	}
	if err := f.removable(c, &from); err != nil {
		return err
	}
	to, err := f.walk(c, newPath, false)
	if err != nil {
		return err
	}
	if to.found && to.name == "" {
		return fail(EBUSY)
	}
	if err := f.replaceable(c, &from, &to); err != nil {
		return err
	}
	if to.found && to.at.id == from.at.id {
		return nil
	}
	return f.move(&from, &to)
}

// replaceable checks the destination of a rename.
func (f *FS) replaceable(c Cred, from, to *place) error {
	dir := f.st.mode(&from.at)&TypeMask == Dir
	if !to.found {
		if to.slash && !dir {
			return fail(ENOTDIR)
		}
		if err := f.room(c, to, dir); err != nil {
			return err
		}
	} else if err := f.removable(c, to); err != nil {
		return err
	}
	if to.dir.tree != nil || f.st.node(to.dir.id).dev != f.st.node(from.at.id).dev {
		return fail(EXDEV)
	}
	if dir {
		for id := to.dir.id; ; id = f.st.node(id).parent {
			if id == from.at.id {
				return fail(EINVAL)
			}
			if id == rootID {
				break
			}
		}
	}
	if !to.found {
		return nil
	}
	target := f.st.mode(&to.at)&TypeMask == Dir
	switch {
	case dir && !target:
		return fail(ENOTDIR)
	case !dir && target:
		return fail(EISDIR)
	case dir && to.at.id != from.at.id && !f.st.empty(to.at.id):
		return fail(ENOTEMPTY)
	}
	return nil
}

func (f *FS) move(from, to *place) error {
	n, err := f.st.own(from.at.id)
	if err != nil {
		return err
	}
	dir := n.mode&TypeMask == Dir
	if to.found {
		if err := f.st.detach(to.dir.id, to.name); err != nil {
			return err
		}
		f.st.unlink(to.at.id)
	}
	if err := f.st.detach(from.dir.id, from.name); err != nil {
		return err
	}
	name := strings.Clone(to.name)
	if err := f.st.attach(to.dir.id, name, from.at.id); err != nil {
		return err
	}
	n.name, n.parent = name, to.dir.id
	n.ctime = f.st.now().UnixNano()
	if dir {
		f.st.node(from.dir.id).nlink--
		if !to.found {
			f.st.node(to.dir.id).nlink++
		}
	}
	return nil
}

// alter finds a file c owns (or any, for root) and returns it for changing.
func (f *FS) alter(c Cred, path string, follow, owner bool) (*inode, error) {
	p, err := f.walk(c, path, follow)
	if err != nil {
		return nil, err
	}
	if !p.found {
		return nil, fail(ENOENT)
	}
	if p.at.tree != nil {
		return nil, fail(EPERM)
	}
	n := f.st.node(p.at.id)
	if owner && c.UID != 0 && c.UID != n.uid {
		return nil, fail(EPERM)
	}
	if n.flags&(FlagImmutable|FlagAppendOnly) != 0 {
		return nil, fail(EPERM)
	}
	if n, err = f.st.own(p.at.id); err != nil {
		return nil, err
	}
	n.ctime = f.st.now().UnixNano()
	return n, nil
}

// Chmod sets the permission bits, following symbolic links.
func (f *FS) Chmod(c Cred, path string, perm uint32) error {
	f.settleChmod(c, path, perm)
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	n, err := f.alter(c, path, true, true)
	if err != nil {
		return err
	}
	if c.UID != 0 && !c.in(n.gid) {
		perm &^= Setgid
	}
	n.mode = n.mode&TypeMask | perm&0o7777
	return nil
}

// Keep is the owner Chown leaves as it is.
const Keep = ^uint32(0)

// Chown sets owner and group; [Keep] leaves one as it is. Only root may give
// files away, an owner may choose among its groups.
func (f *FS) Chown(c Cred, path string, uid, gid uint32, follow bool) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.walk(c, path, follow)
	if err != nil {
		return err
	}
	if p.found && p.at.tree == nil && c.UID != 0 {
		n := f.st.node(p.at.id)
		if uid != Keep && uid != n.uid || gid != Keep && !c.in(gid) {
			return fail(EPERM)
		}
	}
	n, err := f.alter(c, path, follow, true)
	if err != nil {
		return err
	}
	if uid != Keep {
		n.uid = uid
	}
	if gid != Keep {
		n.gid = gid
	}
	if n.mode&TypeMask == Regular {
		n.mode &^= Setuid | Setgid
	}
	return nil
}

// Chtimes sets access and modification time; a zero time leaves one as it is.
// now says that both are "now", for which write permission is enough.
func (f *FS) Chtimes(c Cred, path string, atime, mtime time.Time, now, follow bool) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	if now {
		p, err := f.walk(c, path, follow)
		if err != nil {
			return err
		}
		if p.found && p.at.tree == nil && c.UID != f.st.node(p.at.id).uid && !f.st.may(c, &p.at, 2) {
			return fail(EACCES)
		}
	}
	n, err := f.alter(c, path, follow, !now)
	if err != nil {
		return err
	}
	if !atime.IsZero() {
		n.atime = atime.UnixNano()
	}
	if !mtime.IsZero() {
		n.mtime = mtime.UnixNano()
	}
	return nil
}

// SetFlags sets a file's chattr flags; only root may.
func (f *FS) SetFlags(c Cred, path string, flags uint16) error {
	f.st.mu.Lock()
	defer f.st.mu.Unlock()
	p, err := f.found(c, path)
	if err != nil {
		return err
	}
	if p.at.tree != nil {
		return fail(ENOTTY)
	}
	if c.UID != 0 {
		return fail(EPERM)
	}
	n, err := f.st.own(p.at.id)
	if err == nil {
		n.flags = flags
	}
	return err
}
