package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

// A Report says what a verification found.
type Report struct {
	Origin  string `json:"origin"`
	Size    int64  `json:"size" doc:"entries the checkpoint signs for"`
	Root    string `json:"root" doc:"base64"`
	Checked int64  `json:"checked" doc:"entries whose hashes were made from what is stored"`
	Dropped int64  `json:"dropped" doc:"entries of which only the hash is left"`
	Tail    int64  `json:"tail" doc:"bytes behind the last entry the checkpoint signs for: a write nobody was told of, or something added"`
	// Witnessed counts checkpoints kept elsewhere that agree.
	Witnessed int      `json:"witnessed" doc:"checkpoints kept elsewhere that agree"`
	Faults    []string `json:"faults" doc:"what is wrong, in words; empty when nothing is"`
	Caches    []string `json:"caches" doc:"files made from the entries that do not fit them; they are made anew at the next start"`
}

// Sound reports whether every entry is there as it was recorded.
func (r *Report) Sound() bool { return len(r.Faults) == 0 }

// Whole reports whether not one byte is other than the log wrote it.
func (r *Report) Whole() bool { return r.Sound() && len(r.Caches) == 0 && r.Tail == 0 }

// maxFaults bounds a report.
const maxFaults = 100

func (r *Report) fault(format string, args ...any) {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, fmt.Sprintf(format, args...))
	}
}

func (r *Report) cache(format string, args ...any) {
	if len(r.Caches) < maxFaults {
		r.Caches = append(r.Caches, fmt.Sprintf(format, args...))
	}
}

// A Check is what is to be verified.
type Check struct {
	Dir       string       // folder of the log, or a copy of it
	Key       string       // public key: name+hash+key
	Witnesses []Checkpoint // kept elsewhere, verified
	// Progress is told how many entries of how many are done, about every 10,000.
	Progress func(done, of int64)

	at *Checkpoint // verify up to here: others go on writing
}

// Verify reads a whole log, computes its tree anew, and compares it with the
// signed checkpoint, with the caches, and with checkpoints kept elsewhere. It
// writes nothing and needs no private key. What is wrong with the log is in the
// report; an error says that it could not be read.
func Verify(ctx context.Context, c Check) (*Report, error) {
	r := &Report{Faults: []string{}, Caches: []string{}}
	v, err := note.NewVerifier(strings.TrimSpace(c.Key))
	if err != nil {
		return r, fmt.Errorf("read the public key: %w", err)
	}
	r.Origin = v.Name()
	point, err := readPoint(c, v, r)
	if err != nil || point == nil {
		return r, err
	}
	r.Size, r.Root = point.Size, texts([]Hash{point.Root})[0]
	segs, err := sealedSegments(c.Dir)
	var d *Damage
	if errors.As(err, &d) {
		r.fault("%s", d.What)
		return r, nil
	}
	if err != nil {
		return r, err
	}
	open := &segment{}
	if n := len(segs); n > 0 {
		open.first = segs[n-1].end()
	}
	s := &scan{check: c, report: r, point: point, firstBad: -1}
	if err := s.run(ctx, append(segs, open)); err != nil {
		return r, err
	}
	return r, strangers(c.Dir, segs, r)
}

// readPoint reads the checkpoint; nil when the report says that there is none.
func readPoint(c Check, v note.Verifier, r *Report) (*Checkpoint, error) {
	msg, err := os.ReadFile(filepath.Join(c.Dir, checkpointName))
	if errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(c.Dir); err != nil {
			return nil, err
		}
		r.fault("checkpoint is missing")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	point, err := openOwn(msg, v)
	if err != nil {
		r.fault("%v", err)
		if c.at == nil {
			return nil, nil
		}
	}
	if c.at != nil {
		return c.at, nil
	}
	return &point, nil
}

// scan is one verification under way.
type scan struct {
	check  Check
	report *Report
	point  *Checkpoint

	tree     frontier
	cache    io.Reader // hashes.bin; nil when there is none
	buf      [tlog.HashSize]byte
	stored   []Hash
	firstBad int64 // first entry whose stored hashes differ from the cache
	droppedT int64 // bodies before this entry are said to be gone
	waits    []Checkpoint
}

func (s *scan) run(ctx context.Context, segs []*segment) error {
	r := s.report
	f, err := os.Open(filepath.Join(s.check.Dir, hashesName))
	switch {
	case err == nil:
		defer f.Close()
		s.cache = bufio.NewReaderSize(f, 256<<10)
	case !errors.Is(err, fs.ErrNotExist):
		return err
	}
	s.waits = slices.Clone(s.check.Witnesses)
	slices.SortFunc(s.waits, func(a, b Checkpoint) int { return cmp.Compare(a.Size, b.Size) })
	s.witness()
	for _, seg := range segs {
		whole, err := s.segment(ctx, seg)
		if err != nil {
			return err
		}
		if !whole {
			break
		}
	}
	r.Checked = s.tree.size - r.Dropped
	s.judge(f)
	if r.Dropped > s.droppedT {
		r.fault("the text of entries up to %d is gone, and the log says so only up to %d", r.Dropped-1, s.droppedT-1)
	}
	for _, w := range s.waits {
		r.fault("a checkpoint kept elsewhere says %d entries, and this log has %d: it was put back to an older state", w.Size, s.tree.size)
	}
	if s.check.Progress != nil {
		s.check.Progress(s.tree.size, s.point.Size)
	}
	return nil
}

// segment verifies one file; whole is false when what follows makes no sense.
func (s *scan) segment(ctx context.Context, seg *segment) (whole bool, err error) {
	r := s.report
	most := s.point.Size - seg.first
	if seg.sealed {
		if seg.end() > s.point.Size && s.check.at == nil {
			r.fault("%s holds entries behind the %d the checkpoint signs for: the checkpoint was put back", seg.stem(), s.point.Size)
		}
		most = min(most, seg.count)
	}
	if most < 0 {
		return false, nil
	}
	index := *seg
	n, end, err := seg.leaves(s.check.Dir, most, func(seq, off int64, text []byte, leaf Hash) error {
		if seq%10_000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.check.Progress != nil {
				s.check.Progress(seq, s.point.Size)
			}
		}
		s.entry(&index, seq, off, text)
		s.grow(leaf)
		return nil
	})
	var d *Damage
	if errors.As(err, &d) {
		r.fault("%s", d.What)
		return false, nil
	}
	if err != nil {
		return false, err
	}
	if seg.dropped {
		r.Dropped += n
	}
	if n < most {
		r.fault("%s: entry %d cannot be read, and there have to be %d entries: it was changed, or entries are missing", filepath.Base(seg.file(s.check.Dir)), seg.first+n, s.point.Size)
		return false, nil
	}
	return true, s.ends(seg, &index, end)
}

// entry looks into one entry.
func (s *scan) entry(index *segment, seq, off int64, text []byte) {
	if text == nil {
		return
	}
	e, err := decode(text, seq)
	if err != nil {
		s.report.fault("%v", err)
		return
	}
	index.note(seq-index.first, off, &e)
	if e.Action == ActionDrop && e.Kind == "system" {
		var d dropped
		if json.Unmarshal(e.After, &d) == nil {
			s.droppedT = max(s.droppedT, d.Before)
		}
	}
}

// grow adds a leaf to the tree, and compares with the cache and with witnesses.
func (s *scan) grow(leaf Hash) {
	s.stored = s.tree.add(leaf, s.stored[:0])
	if s.cache != nil && !sameHashes(s.cache, s.stored, s.buf[:]) && s.firstBad < 0 {
		s.firstBad = s.tree.size - 1
	}
	s.witness()
}

// witness compares the tree as it is with checkpoints of its size.
func (s *scan) witness() {
	for len(s.waits) > 0 && s.waits[0].Size == s.tree.size {
		if s.waits[0].Root == s.tree.root() {
			s.report.Witnessed++
		} else {
			s.report.fault("a checkpoint kept elsewhere of %d entries has another root: entries were changed, or this is another log", s.tree.size)
		}
		s.waits = s.waits[1:]
	}
}

// ends looks at what follows the last entry of a file, and at its index.
func (s *scan) ends(seg, index *segment, end int64) error {
	st, err := os.Stat(seg.file(s.check.Dir))
	if err != nil {
		return err
	}
	tail := st.Size() - end
	switch {
	case tail > 0 && seg.sealed:
		s.report.fault("%s: %d bytes follow its last entry", filepath.Base(seg.file(s.check.Dir)), tail)
	case tail > 0 && s.check.at == nil:
		s.report.Tail += tail
	}
	if !seg.sealed || seg.dropped {
		return nil
	}
	raw, err := os.ReadFile(seg.index(s.check.Dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		s.report.cache("%s.idx is missing", seg.stem())
	case err != nil:
		return err
	case !bytes.Equal(raw, encodeBlocks(index.blocks)):
		s.report.cache("%s.idx does not fit its entries", seg.stem())
	}
	return nil
}

// judge compares the tree with the checkpoint and says where they part.
func (s *scan) judge(hashes *os.File) {
	r := s.report
	same := s.tree.size == s.point.Size && s.tree.root() == s.point.Root
	switch {
	case same && s.cache == nil:
		r.cache("hashes.bin is missing")
	case same && s.firstBad >= 0:
		r.cache("hashes.bin differs from the entries at entry %d", s.firstBad)
	case same && s.check.at == nil:
		if n, err := io.Copy(io.Discard, s.cache); err == nil {
			r.Tail += n
		}
	case same:
	case s.tree.size != s.point.Size:
		if len(r.Faults) == 0 {
			r.fault("the checkpoint signs for %d entries, and there are %d", s.point.Size, s.tree.size)
		}
	case !same:
		where := ""
		if s.firstBad >= 0 && hashes != nil {
			if f, err := frontierAt(s.point.Size, hashFile{hashes}); err == nil && f.root() == s.point.Root {
				where = fmt.Sprintf("; the first one is entry %d", s.firstBad)
			}
		}
		r.fault("the entries do not give the root the checkpoint signs for: something was changed, taken out or put in%s", where)
	}
}

// strangers reports files a log has not.
func strangers(dir string, segs []*segment, r *Report) error {
	known := map[string]bool{entriesName: true, hashesName: true, checkpointName: true}
	for _, s := range segs {
		known[s.stem()+".log"], known[s.stem()+".hashes"], known[s.stem()+".idx"] = true, true, true
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, d := range list {
		if name := strings.TrimSuffix(d.Name(), ".tmp"); !known[name] {
			r.fault("%.200q is no file of an audit log", d.Name())
		}
	}
	return nil
}
