package audit

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
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
	Origin    string   `json:"origin"`
	Size      int64    `json:"size" doc:"entries the checkpoint signs for"`
	Root      string   `json:"root" doc:"base64"`
	Checked   int64    `json:"checked" doc:"entries whose hashes were made from what is stored"`
	Dropped   int64    `json:"dropped" doc:"entries of which only the hash is left"`
	Tail      int64    `json:"tail" doc:"bytes behind the last entry the checkpoint signs for: a write nobody was told of, or something added"`
	Erased    int64    `json:"erased" doc:"entries whose personal part was removed on request, as other entries say"`
	Witnessed int      `json:"witnessed" doc:"checkpoints kept elsewhere that agree"`
	Altered   int      `json:"altered" doc:"checkpoints kept elsewhere that are not as they were written: changed, or cut short"`
	Faults    []string `json:"faults" doc:"what is wrong, in words; empty when nothing is"`
	Caches    []string `json:"caches" doc:"files made from the entries that do not fit them; they are made anew at the next start"`
	Pending   []string `json:"pending" doc:"removals that were recorded and did not come to an end; the next start ends them"`
}

// Sound reports whether every entry is there as it was recorded.
func (r *Report) Sound() bool { return len(r.Faults) == 0 }

// Whole reports whether not one byte is other than the log wrote it, nor of what
// was kept elsewhere.
func (r *Report) Whole() bool {
	return r.Sound() && len(r.Caches) == 0 && len(r.Pending) == 0 && r.Tail == 0 && r.Altered == 0
}

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

func (r *Report) pending(format string, args ...any) {
	if len(r.Pending) < maxFaults {
		r.Pending = append(r.Pending, fmt.Sprintf(format, args...))
	}
}

// A Check is what is to be verified.
type Check struct {
	Dir  string // folder of the log, or a copy of it
	Key  string // public key: name+hash+key
	Kept Kept   // checkpoints kept elsewhere
	// Progress is told how many entries of how many are done, about every 10,000.
	Progress func(done, of int64)

	at *Checkpoint // verify up to here: others go on writing
}

// Verify reads a whole log, computes its tree anew, and compares it with the
// signed checkpoint, with the caches, and with checkpoints kept elsewhere. It
// writes nothing and needs no private key. What is wrong with the log is in the
// report; an error says that it could not be read.
func Verify(ctx context.Context, c Check) (*Report, error) {
	r := &Report{Faults: []string{}, Caches: []string{}, Pending: []string{}, Altered: c.Kept.Altered}
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
	return r, strangers(c.Dir, segs, c.at != nil, r)
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
	if c.at == nil {
		return &point, nil
	}
	if err == nil && point.Size < c.at.Size { // it only ever grows
		r.fault("checkpoint says %d entries, and the log has %d: it was put back", point.Size, c.at.Size)
	}
	return c.at, nil
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
	removed  []span  // personal parts that are gone
	covers   []cover // and those that entries say are
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
	s.waits = slices.Clone(s.check.Kept.List)
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
	s.judgeParts()
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
	e, err := seg.walk(s.check.Dir, most, func(x *item) error {
		if x.seq%10_000 == 0 {
			if err := ctx.Err(); err != nil {
				return err
			}
			if s.check.Progress != nil {
				s.check.Progress(x.seq, s.point.Size)
			}
		}
		s.entry(&index, x)
		s.grow(x.leaf)
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
		r.Dropped += e.n
	}
	r.Erased += e.gone
	if e.n < most {
		r.fault("%s: entry %d cannot be read, and there have to be %d entries: it was changed, or entries are missing", filepath.Base(seg.file(s.check.Dir)), seg.first+e.n, s.point.Size)
		return false, nil
	}
	return true, s.ends(seg, &index, e)
}

// entry looks into one entry.
func (s *scan) entry(index *segment, x *item) {
	if x.text == nil {
		return
	}
	if x.fault != "" {
		s.report.fault("%s", x.fault)
	}
	if x.rec.form == 0 {
		return
	}
	index.note(x)
	s.droppedT = max(s.droppedT, x.rec.drops())
	for _, c := range x.rec.erases() {
		s.covers = append(s.covers, cover{c[0], c[1], x.seq})
	}
	if !x.removed {
		return
	}
	if n := len(s.removed); n > 0 && s.removed[n-1][1] == x.seq-1 {
		s.removed[n-1][1] = x.seq
	} else {
		s.removed = append(s.removed, span{x.seq, x.seq})
	}
}

// judgeParts compares the personal parts that are gone with those that entries say
// were removed.
func (s *scan) judgeParts() {
	covers := addCovers(s.covers, nil, 0)
	gone := make([]cover, len(s.removed))
	for i, c := range s.removed {
		gone[i] = cover{c[0], c[1], 1}
		for seq := c[0]; seq <= c[1] && len(s.report.Faults) < maxFaults; seq++ {
			if coverOf(covers, seq) == 0 {
				s.report.fault("the personal part of entry %d is gone, and no entry says that it was removed", seq)
			}
		}
	}
	for _, c := range covers {
		for seq := max(c.first, s.report.Dropped); seq <= min(c.last, s.tree.size-1) && len(s.report.Pending) < maxFaults; seq++ {
			if coverOf(gone, seq) == 0 {
				s.report.pending("the personal part of entry %d is there, and entry %d says that it was removed", seq, c.by)
			}
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

// ends looks at what follows the last entry of a file and its last personal part,
// and at its index.
func (s *scan) ends(seg, index *segment, e ends) (err error) {
	r, dir := s.report, s.check.Dir
	if index.size, index.side, err = seg.sizes(dir); err != nil {
		return err
	}
	for file, tail := range map[string]int64{seg.file(dir): index.size - e.off, seg.parts(dir): index.side - e.side} {
		switch {
		case tail > 0 && seg.dropped && file == seg.parts(dir): // told by strangers
		case tail > 0 && seg.sealed:
			r.fault("%s: %d bytes follow its last entry", filepath.Base(file), tail)
		case tail > 0 && s.check.at == nil:
			r.Tail += tail
		}
	}
	if !seg.sealed || seg.dropped {
		return nil
	}
	raw, err := os.ReadFile(seg.index(dir))
	switch {
	case errors.Is(err, fs.ErrNotExist):
		r.cache("%s.idx is missing", seg.stem())
	case err != nil:
		return err
	case !bytes.Equal(raw, encodeBlocks(index.blocks, index.size, index.side)):
		r.cache("%s.idx does not fit its entries", seg.stem())
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

// strangers reports files a log has not, and those a removal left behind.
func strangers(dir string, segs []*segment, running bool, r *Report) error {
	open := int64(0)
	known, left := map[string]bool{entriesName: true, hashesName: true, checkpointName: true}, map[string]bool{}
	for _, s := range segs {
		open = s.end()
		known[filepath.Base(s.file(dir))] = true
		for _, name := range s.beside() {
			left[name] = true
		}
		if !s.dropped {
			known[partsName(s.first)], known[s.stem()+".idx"] = true, true
		}
	}
	known[partsName(open)] = true
	list, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	for _, d := range list {
		name, half := strings.CutSuffix(d.Name(), ".tmp")
		switch {
		case !known[name] && !left[name]:
			r.fault("%.200q is no file of an audit log", d.Name())
		case left[name] || half && !running:
			r.pending("%s was left by a write or a removal that did not come to an end", d.Name())
		}
	}
	return nil
}

// beside are the names of files that are there only while retention drops the
// texts of a sealed file.
func (s *segment) beside() []string {
	if s.dropped {
		return []string{partsName(s.first), s.stem() + ".idx"}
	}
	return []string{s.stem() + ".hashes"}
}
