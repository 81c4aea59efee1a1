// Package sftp answers as OpenSSH 9.2's sftp-server does: version 3 of the SSH
// File Transfer Protocol (draft-ietf-secsh-filexfer-02) with OpenSSH's
// extensions (PROTOCOL in its source), over the pretended machine's files.
//
// It speaks on a pair of byte streams and knows neither network nor host. What
// one server holds is bounded: one packet, a number of open files and folders,
// and the attacker's own quota.
package sftp

import (
	"context"
	"io"

	"honeyguide/internal/deception/vfs"
)

// A Watcher is told what the session's recorder wants to know. Writes are told
// by the hook of the file system. Paths are absolute; err is libc's text of why
// it was refused, "" when it was done.
type Watcher interface {
	// Began is called before a request that touches path is answered.
	Began(op, path string)
	// Opened is called when a file is opened, or was refused.
	Opened(path string, writes bool, err string)
	// Read is called when a file that was read is closed: size bytes were read
	// and sum is their SHA-256 in hex, "" unless they are the whole file in order.
	Read(path string, size int64, sum string)
	// Listed is called when a folder that was listed is closed.
	Listed(path string, entries int)
	// Changed is called for everything else that changes files: mkdir, rmdir,
	// remove, rename, link, symlink, setstat. to is the second path.
	Changed(op, path, to, err string)
	// Unsupported is called for a request that sftp-server does not know either.
	Unsupported(what string)
}

// Options describe one server.
type Options struct {
	FS    *vfs.FS
	Cred  vfs.Cred
	Home  string // where relative names begin
	Umask uint32
	Watch Watcher // nil: nobody
}

// Exit statuses of sftp-server.
const (
	exitOK     = 0
	exitLength = 11  // a packet longer than allowed, or shorter than a packet is
	exitFatal  = 255 // a packet that cannot be parsed, or comes before init
)

// Serve answers requests until the input ends, ctx ends or the peer breaks the
// protocol, and returns the exit status of sftp-server.
func Serve(ctx context.Context, in io.Reader, out io.Writer, o Options) int {
	if o.Watch == nil {
		o.Watch = nobody{}
	}
	if o.Home == "" {
		o.Home = "/"
	}
	s := &server{Options: o, in: in, out: out}
	defer s.closeAll()
	for ctx.Err() == nil {
		p, status, ok := s.next()
		if !ok {
			return status
		}
		if !s.dispatch(p) {
			return exitFatal
		}
		if s.err != nil {
			return exitFatal // the peer takes no answers
		}
	}
	return exitFatal
}

// server is one sftp-server.
type server struct {
	Options
	in    io.Reader
	out   io.Writer
	head  [4]byte
	buf   []byte // the packet being read
	reply []byte // the packet being written
	err   error  // of the first write that failed

	init    bool
	handles []*handle // by number; nil: free
	free    []int     // numbers of handles that were closed
	open    int
	held    int64 // bytes that open handles may keep alive
}

// handler answers one kind of request; it returns false for one that cannot be
// parsed, which ends sftp-server.
type handler func(s *server, id uint32, r *reader) bool

// handlers are the requests after init, by number.
var handlers = map[byte]handler{
	3: (*server).openFile, 4: (*server).closeHandle, 5: (*server).read, 6: (*server).write,
	7: (*server).lstat, 8: (*server).fstat, 9: (*server).setstat, 10: (*server).fsetstat,
	11: (*server).opendir, 12: (*server).readdir, 13: (*server).remove, 14: (*server).mkdir,
	15: (*server).rmdir, 16: (*server).realpath, 17: (*server).stat, 18: (*server).rename,
	19: (*server).readlink, 20: (*server).symlink,
}

const (
	fxpInit     = 1
	fxpExtended = 200
)

// dispatch answers one packet.
func (s *server) dispatch(p []byte) bool {
	r := &reader{b: p}
	kind := r.byte()
	if kind == fxpInit {
		if r.uint32(); r.bad {
			return false
		}
		s.init = true
		s.version()
		return true
	}
	if !s.init {
		return false
	}
	id := r.uint32()
	if r.bad {
		return false
	}
	if kind == fxpExtended {
		return s.extended(id, r)
	}
	h, ok := handlers[kind]
	if !ok {
		s.Watch.Unsupported("sftp request " + itoa(int64(kind)))
		return true // sftp-server logs it and answers nothing
	}
	return h(s, id, r)
}

// abs is the absolute form of a name as a request carries it. An empty name
// stays empty, which no file has.
func (s *server) abs(name string) string { return vfs.Join(s.Home, name) }

// shown is the form of a name that is reported.
func (s *server) shown(name string) string { return vfs.Clean(s.Home, name) }

type nobody struct{}

func (nobody) Began(string, string)                   {}
func (nobody) Opened(string, bool, string)            {}
func (nobody) Read(string, int64, string)             {}
func (nobody) Listed(string, int)                     {}
func (nobody) Changed(string, string, string, string) {}
func (nobody) Unsupported(string)                     {}
