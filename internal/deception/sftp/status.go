package sftp

import (
	"errors"

	"honeyguide/internal/deception/vfs"
)

// Status codes of version 3.
const (
	ok uint32 = iota
	endOfFile
	noSuchFile
	permissionDenied
	failure
	badMessage
	noConnection
	connectionLost
	unsupported
)

// texts are the messages sftp-server sends with its codes.
var texts = [...]string{
	"Success", "End of file", "No such file", "Permission denied", "Failure",
	"Bad message", "No connection", "Connection lost", "Operation unsupported",
}

// answers of the server.
const (
	fxpVersion       = 2
	fxpStatus        = 101
	fxpHandle        = 102
	fxpData          = 103
	fxpName          = 104
	fxpAttrs         = 105
	fxpExtendedReply = 201
)

// status answers with a code and its text, in no language.
func (s *server) status(id, code uint32) { s.say(id, code, texts[code]) }

// say answers with a code and a text of its own.
func (s *server) say(id, code uint32, text string) {
	s.begin(fxpStatus)
	s.u32(id)
	s.u32(code)
	s.str(text)
	s.str("")
	s.send()
}

// result answers with the code that stands for err.
func (s *server) result(id uint32, err error) bool {
	s.status(id, codeOf(err))
	return true
}

// codeOf is sftp-server's errno_to_portable.
func codeOf(err error) uint32 {
	if err == nil {
		return ok
	}
	var e vfs.Errno
	if !errors.As(err, &e) {
		return failure
	}
	switch e {
	case vfs.ENOENT, vfs.ENOTDIR, vfs.EBADF, vfs.ELOOP:
		return noSuchFile
	case vfs.EPERM, vfs.EACCES:
		return permissionDenied
	case vfs.ENAMETOOLONG, vfs.EINVAL:
		return badMessage
	}
	return failure
}

// why is the text of an error for the recorder.
func why(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// changed reports a change and answers with its result.
func (s *server) changed(id uint32, op, path, to string, err error) bool {
	if to != "" {
		to = s.shown(to)
	}
	s.Watch.Changed(op, s.shown(path), to, why(err))
	return s.result(id, err)
}
