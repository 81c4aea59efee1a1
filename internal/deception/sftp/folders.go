package sftp

import (
	"errors"
	"strings"

	"honeyguide/internal/deception/vfs"
)

func (s *server) opendir(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	path := s.abs(name)
	list, err := s.FS.ReadDir(s.Cred, path)
	if err != nil {
		s.Watch.Changed("list", s.shown(name), "", why(err))
		return s.result(id, err)
	}
	h := &handle{path: path, name: name, names: []string{".", ".."}, held: 64}
	for _, e := range list {
		h.names = append(h.names, e.Name)
		h.held += int64(len(e.Name)) + 16
	}
	n, fits := s.add(h)
	if !fits {
		s.status(id, failure)
		return true
	}
	return s.sendHandle(id, n)
}

func (s *server) readdir(id uint32, r *reader) bool {
	h, _ := s.handle(r)
	if r.bad {
		return false
	}
	if h == nil || h.file != nil {
		s.status(id, failure)
		return true
	}
	h.started = true
	s.begin(fxpName)
	s.u32(id)
	s.u32(0)
	names, now, count := s.names(), s.FS.Now(), 0
	for ; len(h.names) > 0 && count < maxNames && len(s.reply) < maxData; h.names = h.names[1:] {
		i, err := s.FS.Lstat(s.Cred, strings.TrimSuffix(h.path, "/")+"/"+h.names[0])
		if err != nil {
			continue // removed meanwhile, or in a folder that may be read but not entered
		}
		s.str(h.names[0])
		s.str(s.longname(i, h.names[0], names, now))
		s.put(i)
		count++
	}
	if count == 0 {
		s.status(id, endOfFile)
		return true
	}
	h.shown += count
	putLen(s.reply[9:], count)
	s.send()
	return true
}

// sendName answers with one name without attributes.
func (s *server) sendName(id uint32, name string) bool {
	s.begin(fxpName)
	s.u32(id)
	s.u32(1)
	s.str(name)
	s.str(name)
	s.u32(0)
	s.send()
	return true
}

func (s *server) realpath(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	if name == "" {
		name = "."
	}
	return s.resolved(id, name)
}

// resolved answers with a name's real path.
func (s *server) resolved(id uint32, name string) bool {
	path, err := s.resolve(name)
	if err != nil {
		return s.result(id, err)
	}
	return s.sendName(id, path)
}

// maxLinks and maxPath are Linux' bounds.
const (
	maxLinks = 40
	maxPath  = 4096
)

// resolve follows links to the real path of a name. Its last part need not be
// there, every other must.
func (s *server) resolve(name string) (string, error) {
	rest := strings.Split(s.abs(name), "/")
	done, links := "", 0
	for len(rest) > 0 {
		part := rest[0]
		rest = rest[1:]
		switch part {
		case "", ".":
			continue
		case "..":
			done = done[:max(0, strings.LastIndexByte(done, '/'))]
			continue
		}
		if len(done)+len(part) >= maxPath {
			return "", vfs.ENAMETOOLONG
		}
		next := done + "/" + part
		i, err := s.FS.Lstat(s.Cred, next)
		if err != nil {
			if len(rest) == 0 && errors.Is(err, vfs.ENOENT) {
				return next, nil
			}
			return "", err
		}
		if !i.IsSymlink() {
			if !i.IsDir() && !lastOf(rest) {
				return "", vfs.ENOTDIR
			}
			done = next
			continue
		}
		if links++; links > maxLinks {
			return "", vfs.ELOOP
		}
		if strings.HasPrefix(i.Target, "/") {
			done = ""
		}
		rest = append(strings.Split(i.Target, "/"), rest...)
		if len(rest) > maxPath {
			return "", vfs.ENAMETOOLONG
		}
	}
	if done == "" {
		done = "/"
	}
	return done, nil
}

// lastOf reports whether nothing but slashes is left of a name.
func lastOf(rest []string) bool {
	for _, r := range rest {
		if r != "" {
			return false
		}
	}
	return true
}

func (s *server) readlink(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	i, err := s.FS.Lstat(s.Cred, s.abs(name))
	if err == nil && !i.IsSymlink() {
		err = vfs.EINVAL
	}
	if err != nil {
		return s.result(id, err)
	}
	return s.sendName(id, i.Target)
}

// symlink has its names in the order of symlink(2), which is not the draft's.
func (s *server) symlink(id uint32, r *reader) bool {
	target, name := r.text(), r.text()
	if r.bad {
		return false
	}
	return s.changed(id, "symlink", name, target, s.FS.Symlink(s.Cred, target, s.abs(name)))
}

func (s *server) remove(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	return s.changed(id, "remove", name, "", s.FS.Remove(s.Cred, s.abs(name)))
}

func (s *server) mkdir(id uint32, r *reader) bool {
	name := r.text()
	a := r.attrs()
	if r.bad {
		return false
	}
	mode := uint32(0o777)
	if a.flags&hasMode != 0 {
		mode = a.mode & 0o7777
	}
	return s.changed(id, "mkdir", name, "", s.FS.Mkdir(s.Cred, s.abs(name), mode&^s.Umask))
}

func (s *server) rmdir(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	return s.changed(id, "rmdir", name, "", s.FS.Rmdir(s.Cred, s.abs(name)))
}

// rename never replaces: an ordinary file is linked to its new name and then
// removed, anything else is moved where nothing is.
func (s *server) rename(id uint32, r *reader) bool {
	from, to := r.text(), r.text()
	if r.bad {
		return false
	}
	return s.changed(id, "rename", from, to, s.move(s.abs(from), s.abs(to)))
}

func (s *server) move(from, to string) error {
	i, err := s.FS.Lstat(s.Cred, from)
	if err != nil {
		return err
	}
	if i.IsRegular() {
		_, err = s.FS.Lstat(s.Cred, to)
	} else {
		_, err = s.FS.Stat(s.Cred, to)
	}
	if err == nil {
		return vfs.EEXIST
	}
	return s.FS.Rename(s.Cred, from, to)
}
