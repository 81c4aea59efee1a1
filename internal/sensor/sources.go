package sensor

import (
	"container/list"
	"log/slog"
	"net/netip"
	"time"

	"honeyguide/internal/deception/machine"
	"honeyguide/internal/deception/vfs"
	"honeyguide/internal/ipc"
)

// Limits of what is kept of all source addresses together.
const (
	sourcesKept = 2048      // sources remembered in this process, by default
	maxOverlays = 128 << 20 // bytes all their changed files may take
	poolBytes   = 256 << 20 // bytes their changed files and all open sessions may take, by default
	perSource   = 4         // of the pool's bytes one source may take this part
	maxPairs    = 32        // accepted users of one source
)

// recallPatience is how long a source waits to be recognised. It is asked for
// when it connects; the exchange of keys and the pause before a password's
// answer are longer than this.
const recallPatience = 300 * time.Millisecond

// A source is what is remembered of one address, or of one /64: see
// [ipc.Source].
type source struct {
	addr   netip.Addr
	pool   *vfs.Pool // of its files and sessions
	fs     *vfs.FS
	past   machine.Past // earlier visits, until there is fs
	tries  int
	pairs  map[string]string // user -> the one password that opens it
	failed []machine.Failure // the latest, until there is fs
	open   int               // sessions holding it

	asked  chan struct{} // closed by the answer; nil: nothing is outstanding
	since  time.Time     // when it was asked
	unsure bool          // went on without the answer; nothing is kept before it comes
	sets   uint64        // counts changes of pairs
	keep   keeping
}

// source returns what is remembered of an address, asking the memory for one
// that is new; w.mu is held.
func (w *World) source(addr netip.Addr) *source {
	addr = ipc.Source(addr)
	if e, ok := w.sources[addr]; ok {
		w.recent.MoveToFront(e)
		s := e.Value.(*source)
		w.active[s] = struct{}{}
		return s
	}
	s := &source{addr: addr, pool: vfs.NewPool(w.memory/perSource, w.pool)}
	w.sources[addr] = w.recent.PushFront(s)
	w.active[s] = struct{}{}
	if w.keeper != nil && addr.IsValid() {
		s.asked, s.since = make(chan struct{}), w.now()
		w.keeper.Recall(addr)
	}
	if n := len(w.sources); n > w.most || n%32 == 0 || w.pool.Short() {
		w.shrink()
	}
	return s
}

// known returns a source once it is known what is remembered of it, or once it
// has waited long enough. w.mu is held when it returns.
func (w *World) known(addr netip.Addr) *source {
	w.mu.Lock()
	for {
		s := w.source(addr)
		answer := s.asked
		if answer == nil {
			return s
		}
		left := recallPatience - w.now().Sub(s.since)
		w.mu.Unlock()
		t := time.NewTimer(min(max(left, 0), recallPatience))
		answered := true
		select {
		case <-answer:
		case <-t.C:
			answered = false
		}
		t.Stop()
		w.mu.Lock()
		if !answered && s.asked == answer {
			s.asked, s.unsure = nil, true
			close(answer)
		}
	}
}

// filesOf returns the source's files, making them at first; w.mu is held.
func (w *World) filesOf(s *source) *vfs.FS {
	if s.fs == nil {
		quota := w.quota
		quota.Pool = s.pool
		s.fs = w.Host.Image.NewFS(quota, w.now)
		if t := tableOf(s.fs); t != nil {
			t.Recall(s.past)
		}
		s.past = machine.Past{}
	}
	if len(s.failed) > 0 {
		if t := tableOf(s.fs); t != nil {
			for _, f := range s.failed {
				t.Fail(f)
			}
		}
		s.failed = nil
	}
	return s.fs
}

// Recalled is the answer to [Keeper.Recall]: what was kept of a source, empty
// for nothing. A session never sees two worlds: an answer that comes after a
// session has begun to look around adds the earlier passwords and logins, and
// the files stay those the session saw.
func (w *World) Recalled(addr netip.Addr, world []byte) {
	w.mu.Lock()
	e, ok := w.sources[ipc.Source(addr)]
	w.mu.Unlock()
	if !ok {
		return
	}
	s, refused := e.Value.(*source), false
	var r recollection
	if len(world) > 0 {
		quota := w.quota
		quota.Pool = s.pool
		var err error
		if r, err = recollect(world, w.Host.Image, quota, w.now); err != nil {
			w.log.Warn("world_refused", slog.String("error", err.Error()))
			r = recollection{}
			refused = s.pool.Short() // no fault of the world: keep it for better times
		} else if r.files.Changed {
			w.log.Info("world_on_changed_base", slog.Int("kept", r.files.Kept), slog.Int("dropped", r.files.Dropped))
		}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if now, ok := w.sources[s.addr]; ok && now == e && (s.asked != nil || s.unsure) {
		w.adopt(s, r)
		if s.asked != nil {
			close(s.asked)
			s.asked = nil
		}
		s.unsure = refused
	}
	if r.fs != nil && r.fs != s.fs {
		r.fs.Forget()
	}
}

// adopt joins what was kept of a source with what happened meanwhile.
func (w *World) adopt(s *source, r recollection) {
	s.tries += r.tries
	for user, password := range r.pairs {
		if _, ok := s.pairs[user]; !ok {
			s.set(user, password)
		}
	}
	if s.fs == nil || s.open == 0 && s.fs.Version() == 0 {
		s.fs, s.past = r.fs, r.past
		if s.fs != nil {
			if t := tableOf(s.fs); t != nil {
				t.Recall(s.past)
			}
			s.past = machine.Past{}
		}
		s.keep.done(s.state(), w.now()) // that is what the memory has
	} else if t := tableOf(s.fs); t != nil {
		t.Recall(r.past)
	}
}

// shrink forgets the sources seen least recently until the rest fit. One with
// an open session is kept, and for a while one whose changes are not kept
// elsewhere yet.
func (w *World) shrink() {
	var bytes int64
	count := 0
	for e := w.recent.Front(); e != nil; {
		next := e.Next()
		s := e.Value.(*source)
		used := int64(0)
		if s.fs != nil {
			used, _ = s.fs.Used()
		}
		count++
		bytes += used
		if (count > w.most || bytes > maxOverlays) && s.open == 0 && e != w.recent.Front() && (count > 2*w.most || !w.owed(s)) {
			w.forget(e)
			bytes -= used
			count--
		}
		e = next
	}
	for e := w.recent.Back(); e != nil && e != w.recent.Front() && w.pool.Short(); {
		prev := e.Prev()
		if e.Value.(*source).open == 0 {
			w.forget(e)
		}
		e = prev
	}
}

// forget drops a source from the process and gives its memory back; w.mu is
// held.
func (w *World) forget(e *list.Element) {
	s := e.Value.(*source)
	delete(w.sources, s.addr)
	delete(w.active, s)
	w.recent.Remove(e)
	if s.fs != nil {
		s.fs.Forget()
	}
}

// hold keeps a source from being forgotten while a session of it is open. One
// that did nothing is forgotten at once.
func (w *World) hold(addr netip.Addr) (release func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	s := w.source(addr)
	s.open++
	return func() {
		w.mu.Lock()
		defer w.mu.Unlock()
		s.open--
		if s.open > 0 {
			return
		}
		if e, ok := w.sources[s.addr]; ok && e.Value == s && s.fs == nil && s.tries == 0 && len(s.pairs) == 0 && len(s.past.Logins) == 0 {
			w.forget(e)
			return
		}
		select {
		case w.ended <- struct{}{}:
		default:
		}
	}
}

// set remembers the pair a source was let in with, or chose.
func (s *source) set(user, password string) {
	if s.pairs == nil {
		s.pairs = map[string]string{}
	}
	if _, ok := s.pairs[user]; ok || len(s.pairs) < maxPairs {
		s.pairs[user] = password
		s.sets++
	}
}

// Changed notes that a session set a user's password: from then on that one
// opens the account for this source.
func (w *World) Changed(src netip.Addr, user, password string) {
	s := w.known(src)
	defer w.mu.Unlock()
	s.set(user, password)
}
