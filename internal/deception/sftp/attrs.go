package sftp

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"honeyguide/internal/deception/vfs"
)

// Flags of attributes.
const (
	hasSize  = 0x1
	hasOwner = 0x2
	hasMode  = 0x4
	hasTimes = 0x8
	hasMore  = 0x80000000
)

// attrs are the attributes a request carries.
type attrs struct {
	flags        uint32
	size         uint64
	uid, gid     uint32
	mode         uint32
	atime, mtime uint32
}

func (r *reader) attrs() (a attrs) {
	a.flags = r.uint32()
	if a.flags&hasSize != 0 {
		a.size = r.uint64()
	}
	if a.flags&hasOwner != 0 {
		a.uid, a.gid = r.uint32(), r.uint32()
	}
	if a.flags&hasMode != 0 {
		a.mode = r.uint32()
	}
	if a.flags&hasTimes != 0 {
		a.atime, a.mtime = r.uint32(), r.uint32()
	}
	if a.flags&hasMore != 0 {
		n := r.uint32()
		if n > 0x100000 { // sftp-server's own bound
			r.bad = true
		}
		for ; n > 0 && !r.bad; n-- {
			r.data()
			r.data()
		}
	}
	return a
}

// put appends the attributes of a file, all four kinds as sftp-server does.
func (s *server) put(i vfs.Info) {
	s.u32(hasSize | hasOwner | hasMode | hasTimes)
	s.u64(uint64(i.Size))
	s.u32(i.UID)
	s.u32(i.GID)
	s.u32(i.Mode)
	s.u32(uint32(i.Atime.Unix()))
	s.u32(uint32(i.Mtime.Unix()))
}

func (s *server) attributes(id uint32, i vfs.Info) bool {
	s.begin(fxpAttrs)
	s.u32(id)
	s.put(i)
	s.send()
	return true
}

// longname is a line as ls -l would write it: what sftp's `ls -l` shows.
func (s *server) longname(i vfs.Info, name string, names *idNames, now time.Time) string {
	when := i.Mtime.Format("Jan _2  2006")
	if now.Sub(i.Mtime) < 365*24*time.Hour/2 {
		when = i.Mtime.Format("Jan _2 15:04")
	}
	user, group := names.user(i.UID), names.group(i.GID)
	return fmt.Sprintf("%s  %3d %-8s %-8s %8d %s %s", modeText(i.Mode), i.Nlink, user, group, i.Size, when, name)
}

// modeText is the first column of ls -l.
func modeText(mode uint32) string {
	kinds := map[uint32]byte{
		vfs.Dir: 'd', vfs.Char: 'c', vfs.Block: 'b', vfs.Regular: '-', vfs.Symlink: 'l', vfs.Socket: 's', vfs.Fifo: 'p',
	}
	out := []byte("?rwxrwxrwx")
	if k, ok := kinds[mode&vfs.TypeMask]; ok {
		out[0] = k
	}
	for bit := range 9 {
		if mode&(1<<(8-bit)) == 0 {
			out[1+bit] = '-'
		}
	}
	for _, special := range []struct {
		bit      uint32
		at       int
		with, no byte
	}{{vfs.Setuid, 3, 's', 'S'}, {vfs.Setgid, 6, 's', 'S'}, {vfs.Sticky, 9, 't', 'T'}} {
		if mode&special.bit == 0 {
			continue
		}
		if out[special.at] == 'x' {
			out[special.at] = special.with
		} else {
			out[special.at] = special.no
		}
	}
	return string(out)
}

// idNames are the names of user and group ids.
type idNames struct{ users, groups map[uint32]string }

func (n *idNames) user(id uint32) string  { return name(n.users, id) }
func (n *idNames) group(id uint32) string { return name(n.groups, id) }

func name(names map[uint32]string, id uint32) string {
	if s, ok := names[id]; ok {
		return s
	}
	return strconv.FormatUint(uint64(id), 10)
}

// names reads the accounts as they are now: the attacker may have added some.
func (s *server) names() *idNames {
	return &idNames{s.ids("/etc/passwd"), s.ids("/etc/group")}
}

// ids maps the third column of a file of accounts to the first.
func (s *server) ids(path string) map[uint32]string {
	out := map[uint32]string{}
	for f := range s.accounts(path) {
		if id, err := strconv.ParseUint(f[2], 10, 32); err == nil {
			if _, known := out[uint32(id)]; !known {
				out[uint32(id)] = f[0]
			}
		}
	}
	return out
}

// maxAccounts bounds what is read of a file of accounts.
const maxAccounts = 64 << 10

// accounts yields the lines of a file such as /etc/passwd, split at colons.
func (s *server) accounts(path string) func(func([]string) bool) {
	return func(yield func([]string) bool) {
		f, err := s.FS.Handle().Open(vfs.Cred{}, path, vfs.O_RDONLY, 0)
		if err != nil {
			return
		}
		defer f.Close()
		text, _ := io.ReadAll(io.LimitReader(f, maxAccounts))
		for line := range strings.Lines(string(text)) {
			if cols := strings.Split(strings.TrimSuffix(line, "\n"), ":"); len(cols) >= 4 && !yield(cols) {
				return
			}
		}
	}
}
