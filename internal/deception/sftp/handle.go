package sftp

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"hash"

	"honeyguide/internal/deception/vfs"
)

// Bounds of what is open. OpenSSH announces its limit of descriptors less five;
// Debian's sshd has 1024.
const (
	maxHandles = 1019
	maxHeld    = 16 << 20 // bytes open handles may keep alive together
	heldFile   = 1 << 20  // the most one file counts
)

// A handle is an open file or a folder being listed.
type handle struct {
	file *vfs.File // nil: a folder
	path string    // as opened, absolute
	name string    // as the request had it
	held int64

	// of a file
	appends bool
	writes  bool
	size    int64     // at opening
	got     int64     // bytes read
	at      int64     // where the sum has come to
	sum     hash.Hash // of the bytes read so far, while they come in order

	// of a folder
	names   []string
	shown   int
	started bool
}

// add enters a handle and returns its number, or ok is false when too much is
// open.
func (s *server) add(h *handle) (number int, ok bool) {
	if s.open >= maxHandles || s.held+h.held > maxHeld {
		return 0, false
	}
	if last := len(s.free) - 1; last >= 0 { // the one freed last, as in sftp-server
		number, s.free = s.free[last], s.free[:last]
	} else {
		number = len(s.handles)
		s.handles = append(s.handles, nil)
	}
	s.handles[number] = h
	s.open++
	s.held += h.held
	return number, true
}

// handle reads a handle; nil when there is no such one.
func (s *server) handle(r *reader) (*handle, int) {
	p := r.data()
	if r.bad || len(p) != 4 {
		return nil, -1
	}
	n := binary.BigEndian.Uint32(p)
	if uint64(n) >= uint64(len(s.handles)) {
		return nil, -1
	}
	return s.handles[n], int(n)
}

// fileOf reads the handle of an open file.
func (s *server) fileOf(r *reader) *handle {
	h, _ := s.handle(r)
	if h == nil || h.file == nil {
		return nil
	}
	return h
}

func (s *server) sendHandle(id uint32, number int) bool {
	s.begin(fxpHandle)
	s.u32(id)
	s.u32(4)
	s.u32(uint32(number))
	s.send()
	return true
}

func (s *server) closeHandle(id uint32, r *reader) bool {
	h, number := s.handle(r)
	if r.bad {
		return false
	}
	if h == nil {
		s.status(id, noSuchFile)
		return true
	}
	return s.result(id, s.drop(h, number))
}

// drop closes a handle and reports what was done with it.
func (s *server) drop(h *handle, number int) error {
	s.handles[number] = nil
	s.free = append(s.free, number)
	s.open--
	s.held -= h.held
	if h.file == nil {
		if h.started {
			s.Watch.Listed(s.shown(h.name), h.shown)
		}
		return nil
	}
	err := h.file.Close()
	if h.got > 0 {
		sum := ""
		if h.sum != nil && h.at >= h.size {
			sum = hex.EncodeToString(h.sum.Sum(nil))
		}
		s.Watch.Read(s.shown(h.name), h.got, sum)
	}
	return err
}

// closeAll closes what the peer left open.
func (s *server) closeAll() {
	for n, h := range s.handles {
		if h != nil {
			_ = s.drop(h, n)
		}
	}
}

// took notes bytes that were read, for the sum of the whole file.
func (h *handle) took(off int64, p []byte) {
	h.got += int64(len(p))
	switch {
	case off == 0 && h.at == 0:
		h.sum = sha256.New()
	case off != h.at:
		h.sum = nil // out of order
	}
	if h.sum != nil {
		_, _ = h.sum.Write(p)
		h.at = off + int64(len(p))
	}
}
