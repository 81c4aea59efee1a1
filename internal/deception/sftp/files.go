package sftp

import (
	"errors"
	"io"
	"math"
	"time"

	"honeyguide/internal/deception/vfs"
)

// Flags of an open request.
const (
	openRead   = 0x01
	openWrite  = 0x02
	openAppend = 0x04
	openCreate = 0x08
	openTrunc  = 0x10
	openExcl   = 0x20
)

// flagsOf turns a request's flags into those of open(2).
func flagsOf(p uint32) int {
	flags := vfs.O_RDONLY
	switch {
	case p&openRead != 0 && p&openWrite != 0:
		flags = vfs.O_RDWR
	case p&openWrite != 0:
		flags = vfs.O_WRONLY
	}
	for bit, flag := range map[uint32]int{openAppend: vfs.O_APPEND, openCreate: vfs.O_CREATE, openTrunc: vfs.O_TRUNC, openExcl: vfs.O_EXCL} {
		if p&bit != 0 {
			flags |= flag
		}
	}
	return flags
}

func (s *server) openFile(id uint32, r *reader) bool {
	name, pflags := r.text(), r.uint32()
	a := r.attrs()
	if r.bad {
		return false
	}
	mode := uint32(0o666)
	if a.flags&hasMode != 0 {
		mode = a.mode
	}
	path, flags := s.abs(name), flagsOf(pflags)
	writes := pflags&openWrite != 0
	s.Watch.Began("open", s.shown(name))
	f, err := s.FS.Open(s.Cred, path, flags, mode&0o7777&^s.Umask)
	s.Watch.Opened(s.shown(name), writes, why(err))
	if err != nil {
		return s.result(id, err)
	}
	size := f.Stat().Size
	h := &handle{
		file: f, path: path, name: name, held: min(max(size, 512), heldFile), size: size,
		appends: pflags&openAppend != 0, writes: writes,
	}
	n, fits := s.add(h)
	if !fits {
		_ = f.Close()
		s.status(id, failure)
		return true
	}
	return s.sendHandle(id, n)
}

func (s *server) read(id uint32, r *reader) bool {
	h := s.fileOf(r)
	off, n := r.uint64(), r.uint32()
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, failure)
		return true
	}
	if off > math.MaxInt64 {
		s.status(id, badMessage) // lseek: Invalid argument
		return true
	}
	s.Watch.Began("read", s.shown(h.name))
	if _, err := h.file.Seek(int64(off), io.SeekStart); err != nil {
		return s.result(id, err)
	}
	want := int(min(n, maxData))
	if left := h.file.Stat().Size - int64(off); left > 0 {
		want = int(min(left, int64(want)))
	}
	s.begin(fxpData)
	s.u32(id)
	s.u32(0)
	start := len(s.reply)
	if need := start + want; cap(s.reply) < need {
		grown := make([]byte, start, need)
		copy(grown, s.reply)
		s.reply = grown
	}
	got, err := h.file.Read(s.reply[start : start+want])
	if err != nil && !errors.Is(err, io.EOF) {
		return s.result(id, err)
	}
	if got == 0 && n > 0 {
		s.status(id, endOfFile)
		return true
	}
	s.reply = s.reply[:start+got]
	putLen(s.reply[start-4:], got)
	h.took(int64(off), s.reply[start:])
	s.send()
	return true
}

func putLen(p []byte, n int) {
	p[0], p[1], p[2], p[3] = byte(n>>24), byte(n>>16), byte(n>>8), byte(n)
}

func (s *server) write(id uint32, r *reader) bool {
	h := s.fileOf(r)
	off, data := r.uint64(), r.data()
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, failure)
		return true
	}
	if !h.appends {
		if off > math.MaxInt64 {
			s.status(id, badMessage)
			return true
		}
		if _, err := h.file.Seek(int64(off), io.SeekStart); err != nil {
			return s.result(id, err)
		}
	}
	_, err := h.file.Write(data)
	return s.result(id, err)
}

func (s *server) stat(id uint32, r *reader) bool  { return s.look(id, r, s.FS.Stat) }
func (s *server) lstat(id uint32, r *reader) bool { return s.look(id, r, s.FS.Lstat) }

func (s *server) look(id uint32, r *reader, stat func(vfs.Cred, string) (vfs.Info, error)) bool {
	name := r.text()
	if r.bad {
		return false
	}
	i, err := stat(s.Cred, s.abs(name))
	if err != nil {
		return s.result(id, err)
	}
	return s.attributes(id, i)
}

func (s *server) fstat(id uint32, r *reader) bool {
	h := s.fileOf(r)
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, failure)
		return true
	}
	return s.attributes(id, h.file.Stat())
}

func (s *server) setstat(id uint32, r *reader) bool {
	name := r.text()
	a := r.attrs()
	if r.bad {
		return false
	}
	return s.changed(id, "setstat", name, "", s.apply(s.abs(name), a, nil))
}

func (s *server) fsetstat(id uint32, r *reader) bool {
	h := s.fileOf(r)
	a := r.attrs()
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, failure)
		return true
	}
	return s.changed(id, "setstat", h.name, "", s.apply(h.file.Path(), a, h.file))
}

// apply sets every attribute given, as sftp-server does also after one that
// failed; the last failure counts.
func (s *server) apply(path string, a attrs, f *vfs.File) (last error) {
	note := func(err error) {
		if err != nil {
			last = err
		}
	}
	if a.flags&hasSize != 0 {
		note(s.truncate(path, a.size, f))
	}
	if a.flags&hasMode != 0 {
		note(s.FS.Chmod(s.Cred, path, a.mode&0o7777))
	}
	if a.flags&hasTimes != 0 {
		note(s.FS.Chtimes(s.Cred, path, time.Unix(int64(a.atime), 0), time.Unix(int64(a.mtime), 0), false, true))
	}
	if a.flags&hasOwner != 0 {
		note(s.FS.Chown(s.Cred, path, a.uid, a.gid, true))
	}
	return last
}

func (s *server) truncate(path string, size uint64, f *vfs.File) error {
	if size > math.MaxInt64 {
		return vfs.EINVAL
	}
	if f != nil {
		return f.Truncate(int64(size))
	}
	f, err := s.FS.Open(s.Cred, path, vfs.O_WRONLY, 0)
	if err != nil {
		return err
	}
	return errors.Join(f.Truncate(int64(size)), f.Close())
}
