package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path"
	"strconv"
	"strings"
	"time"

	"filippo.io/age"

	"honeyguide"
	"honeyguide/internal/ipc"
)

// A staged file is content on its way from a sensor process. It is encrypted as
// it comes and has no name of a sample before it is whole.
type staged struct {
	file *os.File
	name string
	w    io.WriteCloser // encrypts into file
	sum  hash.Hash
	size int64  // kept
	came uint64 // of the pieces so far
	head []byte
	over bool // more came than is kept
}

// Stage takes a piece of a file from the sensor process called owner. What it
// does not take, because the process has too much on its way, is missing when
// the file is sealed.
func (s *Samples) Stage(owner string, p ipc.Piece) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	files := s.staged[owner]
	st := files[p.File]
	if st == nil {
		if s.paused {
			return fmt.Errorf("stage sample: %w", errPaused)
		}
		if p.At != 0 {
			return fmt.Errorf("stage sample: %w", errGap)
		}
		if len(files) >= s.opts.Staged {
			return fmt.Errorf("stage sample: %w", errTooMany)
		}
		var err error
		if st, err = s.begin(owner, p.File); err != nil {
			return err
		}
		if files == nil {
			files = map[uint64]*staged{}
			s.staged[owner] = files
		}
		files[p.File] = st
	}
	if p.At != st.came {
		s.discard(owner, p.File)
		return fmt.Errorf("stage sample: %w", errGap)
	}
	st.came += uint64(len(p.Data))
	data := p.Data
	if room := s.opts.File - st.size; int64(len(data)) > room {
		data, st.over = data[:room], true
	}
	if room := headBytes - len(st.head); room > 0 {
		st.head = append(st.head, data[:min(len(data), room)]...)
	}
	_, _ = st.sum.Write(data)
	st.size += int64(len(data))
	if _, err := st.w.Write(data); err != nil {
		s.discard(owner, p.File)
		return fmt.Errorf("stage sample: %w", err)
	}
	return nil
}

var (
	errTooMany = errors.New("too many files on their way")
	errGap     = errors.New("a piece before it is missing")
)

// begin opens a file for content to come; s.mu is held.
func (s *Samples) begin(owner string, number uint64) (*staged, error) {
	sum := sha256.Sum256([]byte(owner + "\x00" + strconv.FormatUint(number, 10)))
	name := hex.EncodeToString(sum[:16]) + stageSuffix
	f, err := s.dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return nil, fmt.Errorf("stage sample: %w", err)
	}
	w, err := age.Encrypt(f, s.key.Recipient())
	if err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("stage sample: %w", err)
	}
	return &staged{file: f, name: name, w: w, sum: sha256.New()}, nil
}

// discard gives up a file on its way; s.mu is held.
func (s *Samples) discard(owner string, number uint64) {
	st := s.staged[owner][number]
	if st == nil {
		return
	}
	delete(s.staged[owner], number)
	_ = st.file.Close()
	_ = s.dir.Remove(st.name)
}

// Drop gives up what a sensor process has on its way: it is gone.
func (s *Samples) Drop(owner string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.drop(owner)
}

func (s *Samples) drop(owner string) {
	for number := range s.staged[owner] {
		s.discard(owner, number)
	}
	delete(s.staged, owner)
}

// What an event says in [honeyguide.AttrKept].
const (
	Kept          = "yes"
	KeptTruncated = "truncated"
)

// Seal makes the file that e is about a sample, on the disk when it returns, and
// writes into e what it is: its true hash and size, its type, what stands in it,
// and whether it is kept. What the sensor process claimed is not believed where
// it can be seen.
func (s *Samples) Seal(owner string, e *honeyguide.Event) {
	number := uint64(e.Int(ipc.AttrFile))
	delete(e.Attrs, ipc.AttrFile)
	s.mu.Lock()
	defer s.mu.Unlock()
	claimed := strings.ToLower(e.Str(honeyguide.AttrSHA256))
	if !IsSum(claimed) {
		claimed = ""
		delete(e.Attrs, honeyguide.AttrSHA256)
	}
	st := s.staged[owner][number]
	if number == 0 || st == nil {
		s.unsent(e, claimed, number != 0)
		return
	}
	delete(s.staged[owner], number)
	kept, id := s.keep(st, e, claimed)
	if kept != Kept && kept != KeptTruncated {
		_ = s.dir.Remove(st.name)
	}
	kind := Sniff(st.head)
	e.Set(honeyguide.AttrSHA256, id)
	e.Set(honeyguide.AttrFileType, kind)
	e.Set(honeyguide.AttrKept, kept)
	e.Observables = observables(id, st.head, kind)
}

// unsent is the fate of content that did not come: sent before, or too much.
func (s *Samples) unsent(e *honeyguide.Event, claimed string, lost bool) {
	why := e.Str(honeyguide.AttrKept)
	delete(e.Attrs, honeyguide.AttrFileType)
	switch {
	case claimed != "" && s.Has(claimed):
		e.Set(honeyguide.AttrKept, Kept)
		if f, err := s.decrypt(claimed); err == nil {
			head, _ := io.ReadAll(io.LimitReader(f, headBytes))
			_ = f.Close()
			e.Set(honeyguide.AttrFileType, Sniff(head))
			e.Observables = observables(claimed, head, Sniff(head))
		}
		return
	case lost || !strings.HasPrefix(why, "no: ") || len(why) > 100:
		why = "no: it did not come through"
	}
	e.Set(honeyguide.AttrKept, why)
	if claimed != "" {
		e.Observables = []honeyguide.Observable{{Name: honeyguide.AttrSHA256, Type: "hash", Value: claimed}}
	}
}

// keep gives a staged file its name; s.mu is held. It returns what becomes of it
// and the id of the sample.
func (s *Samples) keep(st *staged, e *honeyguide.Event, claimed string) (kept, id string) {
	err := errors.Join(st.w.Close(), st.file.Sync())
	info, serr := st.file.Stat()
	if err = errors.Join(err, serr, st.file.Chmod(0o400), st.file.Close()); err != nil {
		return "no: it could not be written", hex.EncodeToString(st.sum.Sum(nil))
	}
	kept, id = Kept, hex.EncodeToString(st.sum.Sum(nil))
	size := max(e.Int(honeyguide.AttrSize), st.size)
	switch {
	case st.over || size > st.size:
		// Only the sensor has seen the whole: its hash cannot be checked.
		kept = KeptTruncated
		e.Set("sample.kept_bytes", st.size)
		e.Set("sample.kept_sha256", id)
		e.Set(honeyguide.AttrSize, size)
		if claimed != "" && claimed != id {
			id = claimed
		}
	default:
		if claimed != "" && claimed != id {
			e.Set(honeyguide.AttrDetail, "the sensor process claimed another hash")
		}
		e.Set(honeyguide.AttrSize, st.size)
	}
	name := samplePath(id)
	before := int64(0)
	if old, err := s.dir.Stat(name); err == nil {
		// Known content stays, but for a part of it whose hash nobody could check.
		if before = old.Size(); kept == KeptTruncated || before == info.Size() {
			_ = s.dir.Remove(st.name)
			return kept, id
		}
	}
	if why := s.afford(e, info.Size()); why != "" {
		return why, id
	}
	if err := s.place(st.name, name); err != nil {
		return "no: it could not be written", id
	}
	s.total += info.Size() - before
	return kept, id
}

// place moves a file to its name and sees to it that the name is on the disk.
func (s *Samples) place(from, to string) error {
	if err := s.dir.Mkdir(path.Dir(to), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if err := s.dir.Rename(from, to); err != nil {
		return err
	}
	for _, folder := range []string{path.Dir(to), "."} {
		d, err := s.dir.Open(folder)
		if err != nil {
			return err
		}
		if err := errors.Join(d.Sync(), d.Close()); err != nil {
			return err
		}
	}
	return nil
}

// afford charges n bytes to the day of e's source and to all, or says why not;
// s.mu is held.
func (s *Samples) afford(e *honeyguide.Event, n int64) string {
	if today := s.opts.Now().UTC().Format(time.DateOnly); today != s.day || len(s.bytes) > maxSources {
		s.day = today
		clear(s.bytes)
	}
	src := e.Src.Addr.Addr().Unmap().String()
	switch {
	case s.paused:
		return "no: the disk is nearly full"
	case s.total+n > s.opts.Total:
		return "no: the store of samples is full"
	case s.bytes[src]+n > s.opts.Source:
		return "no: over the day's limit of this source"
	}
	s.bytes[src] += n
	return ""
}
