// Package evidence keeps what sessions looked like: one asciicast version 3 file
// per session (https://docs.asciinema.org/manual/asciicast/v3/), written as the
// chunks come from the sensors, and shows them again without letting them steer
// the terminal they are shown on.
//
// A recording is a lesser good than an event: it is bounded per session and in
// all, the oldest go first, and it is not forced to disk. What was written is
// readable after a crash: lines are appended whole, and half a line left by a
// crash is cut off before the next one.
package evidence

import (
	"container/list"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/ipc"
)

// Options bound a [Store]. Zero fields mean the defaults in brackets.
type Options struct {
	Session int64  // bytes of one recording [16 MiB]
	Total   int64  // bytes of all recordings [2 GiB]
	Open    int    // files held open [128]
	Holder  Holder // what must stay whatever the quota; nil: nothing
}

func (o Options) orDefault() Options {
	if o.Session <= 0 {
		o.Session = 16 << 20
	}
	if o.Total <= 0 {
		o.Total = 2 << 30
	}
	if o.Open <= 0 {
		o.Open = 128
	}
	return o
}

// A Holder says what must stay although a quota or its age would take it. What
// it cannot answer stays.
type Holder interface {
	HeldSessions(ids []string) map[string]bool
	HoldsSample(id string) bool
}

// A Recording is one kept session.
type Recording struct {
	Session string    `json:"session"`
	Bytes   int64     `json:"bytes"`
	LastAt  time.Time `json:"last_at"` // of its last change
}

// A Store is a folder of recordings. Its methods may be called from any
// goroutine.
type Store struct {
	dir  *os.Root
	opts Options

	mu     sync.Mutex
	paused bool
	total  int64
	held   int64                    // of total, as it was when room was made last
	open   map[string]*list.Element // of *cast
	used   list.List                // most recently written first
}

const suffix = ".cast"

// Open opens the folder at path, making it if need be.
func Open(path string, o Options) (*Store, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("make recordings folder: %w", err)
	}
	dir, err := os.OpenRoot(path)
	if err != nil {
		return nil, fmt.Errorf("open recordings folder: %w", err)
	}
	s := &Store{dir: dir, opts: o.orDefault(), open: map[string]*list.Element{}}
	all, err := s.scan()
	if err != nil {
		_ = dir.Close()
		return nil, err
	}
	for _, r := range all {
		s.total += r.Bytes
	}
	return s, nil
}

// Name returns the file name of a session's recording, "" when the session's id
// is none of ours: names come from a sensor, which is not trusted with paths.
func Name(session string) string {
	if len(session) < 8 || len(session) > 64 {
		return ""
	}
	for i := range len(session) {
		if c := session[i]; (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			return ""
		}
	}
	return session + suffix
}

// ErrFull says that a recording reached its bound; what is beyond it is not
// kept.
var ErrFull = errors.New("recording is full")

// Chunk appends a piece to its session's recording.
func (s *Store) Chunk(c ipc.Chunk) error {
	_, err := s.Chunks([]ipc.Chunk{c})
	return err
}

// Chunks appends pieces to their sessions' recordings: those of one session in
// their order and with one write. It sorts chunks by session. It returns how
// many were kept and why one that was not was not.
func (s *Store) Chunks(chunks []ipc.Chunk) (kept int, err error) {
	slices.SortStableFunc(chunks, func(a, b ipc.Chunk) int { return strings.Compare(a.Session, b.Session) })
	s.mu.Lock()
	defer s.mu.Unlock()
	for len(chunks) > 0 {
		n := 1
		for n < len(chunks) && chunks[n].Session == chunks[0].Session {
			n++
		}
		k, failed := s.write(chunks[:n])
		kept += k
		if failed != nil {
			err = failed
		}
		chunks = chunks[n:]
	}
	return kept, err
}

// write appends pieces of one session; s.mu is held.
func (s *Store) write(chunks []ipc.Chunk) (kept int, err error) {
	if s.paused {
		return 0, errPaused
	}
	name := Name(chunks[0].Session)
	if name == "" {
		return 0, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "recording of a session without a proper id"}
	}
	k, err := s.take(name, chunks[0])
	if err != nil {
		return 0, err
	}
	var lines []byte
	var full error
	for _, c := range chunks {
		head := k.head
		more := k.lines(lines, c)
		if k.size+int64(len(more)) > s.opts.Session {
			full, k.head = ErrFull, head
			continue
		}
		lines = more
		kept++
	}
	if len(lines) == 0 {
		if full != nil && k.size == 0 {
			s.drop(k) // its header is not written yet
		}
		return kept, full
	}
	n, err := k.file.Write(lines)
	k.size += int64(n)
	s.total += int64(n)
	if err != nil {
		s.drop(k)
		return 0, fmt.Errorf("write recording: %w", err)
	}
	if s.total-s.held > s.opts.Total {
		if err := s.prune(); err != nil {
			return kept, err
		}
	}
	return kept, full
}

// take returns the open recording, opening or creating it; s.mu is held.
func (s *Store) take(name string, c ipc.Chunk) (*cast, error) {
	if e, ok := s.open[name]; ok {
		s.used.MoveToFront(e)
		return e.Value.(*cast), nil
	}
	k, err := openCast(s.dir, name, c)
	if err != nil {
		return nil, err
	}
	s.total += k.added
	s.open[name] = s.used.PushFront(k)
	if s.used.Len() > s.opts.Open {
		s.drop(s.used.Back().Value.(*cast))
	}
	return k, nil
}

// drop closes a recording's file; s.mu is held.
func (s *Store) drop(k *cast) {
	if e, ok := s.open[k.name]; ok {
		s.used.Remove(e)
		delete(s.open, k.name)
	}
	_ = k.file.Close()
}

// prune removes the oldest recordings until a tenth of the bound is free; s.mu
// is held. Ids sort by time.
func (s *Store) prune() error {
	all, err := s.scan()
	if err != nil {
		return err
	}
	s.total = 0
	for _, r := range all {
		s.total += r.Bytes
	}
	for _, r := range s.unheld(all) {
		name := Name(r.Session)
		if s.total-s.held <= s.opts.Total/10*9 {
			break
		}
		if e, ok := s.open[name]; ok {
			s.drop(e.Value.(*cast))
		}
		if err := s.dir.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("remove old recording: %w", err)
		}
		s.total -= r.Bytes
	}
	return nil
}

// unheld leaves out what is held: that is beside the quota. s.mu is held.
func (s *Store) unheld(all []Recording) []Recording {
	s.held = 0
	if s.opts.Holder == nil {
		return all
	}
	ids := make([]string, len(all))
	for i := range all {
		ids[i] = all[i].Session
	}
	held := s.opts.Holder.HeldSessions(ids)
	return slices.DeleteFunc(all, func(r Recording) bool {
		if held[r.Session] {
			s.held += r.Bytes
		}
		return held[r.Session]
	})
}

// scan lists the recordings, oldest first. Other files are left alone.
func (s *Store) scan() ([]Recording, error) {
	entries, err := fs.ReadDir(s.dir.FS(), ".")
	if err != nil {
		return nil, fmt.Errorf("list recordings: %w", err)
	}
	var out []Recording
	for _, e := range entries {
		session, ok := strings.CutSuffix(e.Name(), suffix)
		if !ok || Name(session) == "" || !e.Type().IsRegular() {
			continue
		}
		info, err := e.Info()
		if err != nil {
			continue // removed meanwhile
		}
		out = append(out, Recording{Session: session, Bytes: info.Size(), LastAt: info.ModTime().UTC()})
	}
	return out, nil
}

// List returns the recordings, newest first; at most limit, all when it is 0.
func (s *Store) List(limit int) ([]Recording, error) {
	all, err := s.scan()
	if err != nil {
		return nil, err
	}
	slices.Reverse(all)
	if limit > 0 && len(all) > limit {
		all = all[:limit]
	}
	return all, nil
}

// Open returns a session's recording as an asciicast file. The error's code is
// [honeyguide.CodeNotFound] when there is none.
func (s *Store) Open(session string) (io.ReadCloser, error) {
	name := Name(session)
	if name == "" {
		return nil, missing(session)
	}
	f, err := s.dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, missing(session)
	}
	if err != nil {
		return nil, fmt.Errorf("open recording: %w", err)
	}
	return f, nil
}

func missing(string) error {
	return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: "there is no recording of this session: it had no terminal, or the recording was removed to make room"}
}

// Remove removes a session's recording.
func (s *Store) Remove(session string) error {
	name := Name(session)
	if name == "" {
		return missing(session)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if e, ok := s.open[name]; ok {
		s.drop(e.Value.(*cast))
	}
	info, err := s.dir.Stat(name)
	if err == nil {
		err = s.dir.Remove(name)
	}
	if errors.Is(err, fs.ErrNotExist) {
		return missing(session)
	}
	if err != nil {
		return fmt.Errorf("remove recording: %w", err)
	}
	s.total -= info.Size()
	return nil
}

// Path returns where a session's recording lies, for people.
func (s *Store) Path(session string) string {
	return filepath.Join(s.dir.Name(), Name(session))
}

// Close closes the files that are open.
func (s *Store) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.used.Len() > 0 {
		s.drop(s.used.Front().Value.(*cast))
	}
	return s.dir.Close()
}
