package shell

import (
	"honeyguide/internal/deception/vfs"
)

// streams returns the file system as this process sees it: /dev/stdin,
// /dev/fd/N and /dev/tty are its own descriptors.
func (e *env) streams() *vfs.FS {
	if e.fs == nil {
		return nil
	}
	return e.fs.WithStreams(func(path string, _ int) (vfs.Stream, bool) {
		o, ok := e.device(path)
		if !ok {
			return nil, false
		}
		if o == nil {
			return nil, true
		}
		return o, true
	})
}
