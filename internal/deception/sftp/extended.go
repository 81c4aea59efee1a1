package sftp

import (
	"encoding/binary"
	"io"
	"math"
	"strings"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
)

// extensions are announced in this order (measured on sftp-server of OpenSSH
// 9.2p1 Debian-2+deb12u10).
var extensions = []struct {
	name, version string
	answer        handler
}{
	{"posix-rename@openssh.com", "1", (*server).posixRename},
	{"statvfs@openssh.com", "2", (*server).statvfs},
	{"fstatvfs@openssh.com", "2", (*server).fstatvfs},
	{"hardlink@openssh.com", "1", (*server).hardlink},
	{"fsync@openssh.com", "1", (*server).fsync},
	{"lsetstat@openssh.com", "1", (*server).lsetstat},
	{"limits@openssh.com", "1", (*server).limits},
	{"expand-path@openssh.com", "1", (*server).expandPath},
	{"copy-data", "1", (*server).copyData},
	{"home-directory", "1", (*server).homeDirectory},
	{"users-groups-by-id@openssh.com", "1", (*server).usersGroups},
}

// version answers init.
func (s *server) version() {
	s.begin(fxpVersion)
	s.u32(3)
	for i := range extensions {
		s.str(extensions[i].name)
		s.str(extensions[i].version)
	}
	s.send()
}

func (s *server) extended(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	for i := range extensions {
		if extensions[i].name == name {
			return extensions[i].answer(s, id, r)
		}
	}
	s.Watch.Unsupported("sftp extension " + strings.ToValidUTF8(name[:min(len(name), 100)], "\ufffd"))
	s.status(id, unsupported)
	return true
}

func (s *server) posixRename(id uint32, r *reader) bool {
	from, to := r.text(), r.text()
	if r.bad {
		return false
	}
	return s.changed(id, "rename", from, to, s.FS.Rename(s.Cred, s.abs(from), s.abs(to)))
}

func (s *server) hardlink(id uint32, r *reader) bool {
	from, to := r.text(), r.text()
	if r.bad {
		return false
	}
	return s.changed(id, "link", from, to, s.FS.Link(s.Cred, s.abs(from), s.abs(to)))
}

func (s *server) fsync(id uint32, r *reader) bool {
	h := s.fileOf(r)
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, noSuchFile)
		return true
	}
	s.status(id, ok)
	return true
}

// lsetstat is setstat that does not follow a link: Linux has no mode of a link.
func (s *server) lsetstat(id uint32, r *reader) bool {
	name := r.text()
	a := r.attrs()
	if r.bad {
		return false
	}
	path := s.abs(name)
	var last error
	note := func(err error) {
		if err != nil {
			last = err
		}
	}
	if a.flags&hasSize != 0 {
		last = vfs.EINVAL
	}
	if a.flags&hasMode != 0 {
		i, err := s.FS.Lstat(s.Cred, path)
		switch {
		case err != nil:
			note(err)
		case i.IsSymlink():
			note(vfs.EOPNOTSUPP)
		default:
			note(s.FS.Chmod(s.Cred, path, a.mode&0o7777))
		}
	}
	if a.flags&hasTimes != 0 {
		note(s.FS.Chtimes(s.Cred, path, time.Unix(int64(a.atime), 0), time.Unix(int64(a.mtime), 0), false, false))
	}
	if a.flags&hasOwner != 0 {
		note(s.FS.Chown(s.Cred, path, a.uid, a.gid, false))
	}
	return s.changed(id, "setstat", name, "", last)
}

func (s *server) limits(id uint32, _ *reader) bool {
	s.begin(fxpExtendedReply)
	s.u32(id)
	for _, n := range []uint64{maxPacket, maxData, maxData, maxHandles} {
		s.u64(n)
	}
	s.send()
	return true
}

// expandPath resolves a name that may begin with ~ or ~user.
func (s *server) expandPath(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	if rest, ok := strings.CutPrefix(name, "~"); ok {
		user, below, _ := strings.Cut(rest, "/")
		home := s.Home
		if user != "" {
			if home, ok = s.homeOf(user); !ok {
				s.say(id, noSuchFile, "no such user")
				return true
			}
		}
		name = home + "/" + below
	}
	return s.resolved(id, name)
}

func (s *server) homeDirectory(id uint32, r *reader) bool {
	user := r.text()
	if r.bad {
		return false
	}
	home, found := s.homeOf(user)
	if !found {
		s.status(id, failure)
		return true
	}
	return s.sendName(id, home)
}

func (s *server) homeOf(user string) (string, bool) {
	for f := range s.accounts("/etc/passwd") {
		if f[0] == user && len(f) >= 7 {
			return f[5], true
		}
	}
	return "", false
}

// usersGroups names ids; an unknown one has an empty name.
func (s *server) usersGroups(id uint32, r *reader) bool {
	uids, gids := r.data(), r.data()
	if r.bad || len(uids)%4 != 0 || len(gids)%4 != 0 {
		return false
	}
	names := s.names()
	s.begin(fxpExtendedReply)
	s.u32(id)
	for _, list := range []struct {
		ids   []byte
		names map[uint32]string
	}{{uids, names.users}, {gids, names.groups}} {
		at := len(s.reply)
		s.u32(0)
		for ids := list.ids; len(ids) > 0; ids = ids[4:] {
			s.str(list.names[binary.BigEndian.Uint32(ids)])
		}
		putLen(s.reply[at:], len(s.reply)-at-4)
	}
	s.send()
	return true
}

// copyData copies between two open files; a length of 0 means to the end.
func (s *server) copyData(id uint32, r *reader) bool {
	from, from1 := s.handle(r)
	fromOff, n := r.uint64(), r.uint64()
	to, to1 := s.handle(r)
	toOff := r.uint64()
	if r.bad {
		return false
	}
	switch {
	case from == nil || to == nil || from.file == nil || to.file == nil || !to.writes,
		from1 == to1, fromOff > math.MaxInt64, toOff > math.MaxInt64:
		s.status(id, failure)
		return true
	}
	return s.result(id, transfer(to, from, int64(toOff), int64(fromOff), n))
}

// maxCopy bounds the work of one copy: more than any quota.
const maxCopy = 64 << 20

func transfer(to, from *handle, toOff, fromOff int64, n uint64) error {
	if _, err := from.file.Seek(fromOff, io.SeekStart); err != nil {
		return err
	}
	if !to.appends {
		if _, err := to.file.Seek(toOff, io.SeekStart); err != nil {
			return err
		}
	}
	left := n
	if n == 0 || n > maxCopy {
		left = maxCopy
	}
	buf := make([]byte, 32<<10)
	for left > 0 {
		k, err := from.file.Read(buf[:min(left, uint64(len(buf)))])
		if k == 0 || err != nil {
			break
		}
		if _, err := to.file.Write(buf[:k]); err != nil {
			return err
		}
		left -= uint64(k)
	}
	return nil
}

func (s *server) statvfs(id uint32, r *reader) bool {
	name := r.text()
	if r.bad {
		return false
	}
	i, err := s.FS.Stat(s.Cred, s.abs(name))
	if err != nil {
		return s.result(id, err)
	}
	return s.space(id, i)
}

func (s *server) fstatvfs(id uint32, r *reader) bool {
	h := s.fileOf(r)
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, failure)
		return true
	}
	return s.space(id, h.file.Stat())
}

// space describes the file system a file is on, as df does.
func (s *server) space(id uint32, i vfs.Info) bool {
	const block = 4096
	var total, free, avail, inodes, used uint64 = 5 << 20, 3 << 20, 3 << 20, 1 << 20, 1 << 17
	if t := machine.TableOf(s.FS); t != nil {
		for _, m := range t.M.Mounts {
			if m.Dev != i.Dev {
				continue
			}
			size, busy := m.Size, t.M.UsedKiB(m, s.FS.Now())
			total, free = uint64(size)*1024/block, uint64(max(0, size-busy))*1024/block
			avail = free
			if m.Type == "ext4" {
				avail = uint64(max(0, size-busy-size*5/100)) * 1024 / block
			}
			inodes, used = uint64(max(m.Inodes, size/4)), uint64(max(1, m.InodesUsed))
			break
		}
	}
	s.begin(fxpExtendedReply)
	s.u32(id)
	for _, n := range []uint64{block, block, total, free, avail, inodes, inodes - used, inodes - used, i.Dev, 0, 255} {
		s.u64(n)
	}
	s.send()
	return true
}
