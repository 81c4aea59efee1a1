package vfs

import "time"

// generated returns content that is made when it is asked for, and when it was
// last written, if that is known.
func generated(body any, env Env) (made []byte, last time.Time, ok bool) {
	switch b := body.(type) {
	case content:
		return b(env), last, true
	case Log:
		made, last = b.Since(env, time.Time{})
		return made, last, true
	}
	return nil, last, false
}

// log returns the log a file of the image is.
func (s *store) log(id uint32) (Log, bool) {
	if int(id) >= len(s.img.nodes) {
		return nil, false
	}
	l, ok := s.img.nodes[id].body.(Log)
	return l, ok
}

// part notes that a log is about to be changed: from now on it is the
// attacker's, and what daemons write is appended.
func (s *store) part(id uint32) {
	if _, ok := s.log(id); !ok {
		return
	}
	if _, ok := s.grown[id]; !ok {
		if s.grown == nil {
			s.grown = map[uint32]int64{}
		}
		s.grown[id] = s.now().UnixNano()
	}
}

// grow appends to a changed log what was written since it was last looked at.
// What does not fit into the quota is lost, as on a full disk.
func (s *store) grow(id uint32, env Env) {
	since, ok := s.grown[id]
	if !ok {
		return
	}
	n, own := s.nodes[id]
	l, ok := s.log(id)
	if !own || !ok || env.Now.UnixNano() <= since {
		return
	}
	lines, last := l.Since(env, time.Unix(0, since))
	s.grown[id] = env.Now.UnixNano()
	if len(lines) == 0 || n.body != nil {
		return
	}
	if s.writeAt(n, lines, n.size) == nil {
		n.mtime, n.ctime = last.UnixNano(), last.UnixNano()
	}
}
