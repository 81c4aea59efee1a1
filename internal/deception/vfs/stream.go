package vfs

import (
	"io"
	"strings"
)

// A Stream is an open file that lies in no folder: a terminal, a pipe, a
// descriptor of the calling process.
type Stream interface {
	io.Reader
	io.Writer
}

// A StreamHook opens what a path such as /dev/tty, /dev/stdin or /dev/fd/63
// means to the calling process; ok is false for paths it does not know. A nil
// Stream is one that does not exist (ENXIO).
type StreamHook func(path string, flags int) (s Stream, ok bool)

// WithStreams returns a handle on the same files whose Open asks hook first.
func (f *FS) WithStreams(hook StreamHook) *FS {
	c := *f
	c.streams = hook
	return &c
}

// openStream asks the hook for a path under /dev or /proc/self/fd.
func (f *FS) openStream(path string, flags int) (*File, error, bool) {
	if f.streams == nil || !strings.HasPrefix(path, "/dev/") && !strings.HasPrefix(path, "/proc/self/fd/") {
		return nil, nil, false
	}
	s, ok := f.streams(path, flags)
	switch {
	case !ok:
		return nil, nil, false
	case s == nil:
		return nil, fail(ENXIO), true
	}
	return &File{fs: f, flags: flags, kind: Fifo, stream: s, path: path}, nil, true
}

// streamInfo is what stat tells of a stream.
func streamInfo(path string) Info {
	return Info{Name: path[strings.LastIndexByte(path, '/')+1:], Path: path, Mode: Fifo | 0o600, Nlink: 1, synthetic: true}
}
