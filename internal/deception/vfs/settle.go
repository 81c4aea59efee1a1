package vfs

// OnSettle sets a hook of this handle: it is called with the real path of an
// ordinary file when its content is worth a look that may be the last one: when
// it has been made executable, and before its name goes to another file or is
// removed.
func (f *FS) OnSettle(hook func(path string)) { f.onSettle = hook }

// settle calls the hook for the file at path, if there is one; the lock is not
// held.
func (f *FS) settle(c Cred, path string, follow bool) {
	if f.onSettle == nil {
		return
	}
	i, err := f.stat(c, path, follow)
	if err == nil && i.IsRegular() && !i.synthetic {
		f.onSettle(i.Path)
	}
}

// settleChmod is settle for a file that is about to get a mode.
func (f *FS) settleChmod(c Cred, path string, perm uint32) {
	if perm&0o111 != 0 {
		f.settle(c, path, true)
	}
}

// Own returns how many bytes of the file's content were written by the one whose
// view this is. It is -1 while the content is the machine's own: untouched, or a
// copy of it.
func (o *File) Own() int64 {
	if o.stream != nil || o.kind != Regular || o.ref.tree != nil {
		return -1
	}
	s := o.fs.st
	s.mu.Lock()
	defer s.mu.Unlock()
	n, ok := s.nodes[o.id]
	if !ok || n.body != nil {
		return -1
	}
	return int64(len(n.data))
}
