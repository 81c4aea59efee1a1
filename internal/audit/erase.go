package audit

import (
	"bufio"
	"cmp"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/mod/sumdb/tlog"

	"honeyguide"
)

// ActionErase is the act by which personal parts of entries are removed on
// request. Its entry is durable before anything is removed and says of which
// entries; a part that is missing and that no such entry covers is damage.
const ActionErase = "erase-personal"

// mostCovered is how many spans one entry covers; of more, more entries are made.
const mostCovered = 2000

// A cover says that entries first to last lost their personal parts by entry by.
type cover struct{ first, last, by int64 }

// coverOf returns the number of the entry that covers another; 0 when none does.
func coverOf(list []cover, seq int64) int64 {
	at, ok := slices.BinarySearchFunc(list, seq, func(c cover, seq int64) int {
		switch {
		case c.last < seq:
			return -1
		case c.first > seq:
			return 1
		}
		return 0
	})
	if !ok {
		return 0
	}
	return list[at].by
}

// addCovers adds what an entry covers, in order and without overlaps: an entry that
// was covered before stays with what covered it first.
func addCovers(list []cover, spans []span, by int64) []cover {
	for _, s := range spans {
		list = append(list, cover{s[0], s[1], by})
	}
	slices.SortStableFunc(list, func(a, b cover) int { return cmp.Or(cmp.Compare(a.first, b.first), cmp.Compare(a.by, b.by)) })
	out := list[:0]
	for _, c := range list {
		if n := len(out); n > 0 && c.first <= out[n-1].last {
			c.first = out[n-1].last + 1
		}
		if c.first <= c.last {
			out = append(out, c)
		}
	}
	return out
}

// within counts the entries of [from, to) that are covered.
func within(list []cover, from, to int64) (n int64) {
	at, _ := slices.BinarySearchFunc(list, from, func(c cover, seq int64) int { return cmp.Compare(c.last, seq) })
	for ; at < len(list) && list[at].first < to; at++ {
		n += min(list[at].last+1, to) - max(list[at].first, from)
	}
	return n
}

// cover notes what a new entry removes. The caller holds files.
func (l *Log) cover(r *record) {
	if spans := r.erases(); len(spans) > 0 {
		l.covers = addCovers(slices.Clone(l.covers), spans, r.Seq)
	}
}

// ErasePersonal removes the personal parts of all entries in which a value matches:
// actor, address, session, object, reason, detail and what before and after hold,
// each as a whole and in its words. What happened, when, how it ended and the id of
// the request stay, and so does the proof of the rest. by says who does it and why
// (actor, kind, session, address, object, reason, request); where it matches itself
// it is left out. It returns how many entries lost their part.
//
// Entries of form 1 hold their texts themselves: those of sealed files that match are
// counted in the error, and go with retention.
func (l *Log) ErasePersonal(ctx context.Context, match func(string) bool, by honeyguide.AuditEntry) (int, error) {
	l.erasing.Lock()
	defer l.erasing.Unlock()
	if why := l.Refused(); why != "" {
		return 0, unavailable(errors.New(why))
	}
	if err := l.finish(ctx); err != nil { // what was removed before and did not come to an end
		return 0, l.asError(err)
	}
	found, old, err := l.matching(ctx, match)
	if err != nil {
		return 0, l.asError(err)
	}
	n := 0
	for _, s := range found {
		n += int(s[1] - s[0] + 1)
	}
	by = tidy(by, match)
	by.Action, by.Outcome, by.Detail = ActionErase, honeyguide.AuditAsked, ""
	for chunk := range slices.Chunk(found, mostCovered) {
		if err := l.recordCovering(ctx, by, chunk); err != nil {
			return 0, err
		}
	}
	if n > 0 {
		if err := l.finish(context.WithoutCancel(ctx)); err != nil { // it is written that they are gone
			return 0, l.asError(err)
		}
		l.m.erased.Add(float64(n))
		l.log.LogAttrs(ctx, slog.LevelInfo, "personal parts of audit entries removed", slog.Int("entries", n))
	}
	if old > 0 {
		return n, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(
			"%d audit entries of an older form hold what is to be erased and cannot lose it alone; they go with audit.retention_days", old)}
	}
	return n, nil
}

// tidy takes out of an entry what matches.
func tidy(e honeyguide.AuditEntry, match func(string) bool) honeyguide.AuditEntry {
	for _, s := range []*string{&e.Actor, &e.Session, &e.Object, &e.Reason, &e.Request} {
		if anyMatch(*s, match) {
			*s = "(erased)"
		}
	}
	if e.Address.IsValid() && match(e.Address.String()) {
		e.Address = honeyguide.AuditEntry{}.Address
	}
	if jsonMatches(e.Before, match) {
		e.Before = nil
	}
	if jsonMatches(e.After, match) {
		e.After = nil
	}
	return e
}

// matching finds the entries whose personal part matches and is still there, and
// how many of form 1 match.
func (l *Log) matching(ctx context.Context, match func(string) bool) (found []span, old int, err error) {
	l.moves.RLock()
	defer l.moves.RUnlock()
	l.files.RLock()
	segs := make([]segment, len(l.segs))
	for i, s := range l.segs {
		segs[i] = *s
	}
	covers := l.covers
	l.files.RUnlock()
	for i := range segs {
		s := &segs[i]
		if s.dropped {
			continue
		}
		if _, err := s.walk(l.dir, s.count, func(x *item) error {
			if x.seq%1000 == 0 && ctx.Err() != nil {
				return ctx.Err()
			}
			if x.fault != "" {
				return &Damage{x.fault}
			}
			if err := x.full(); err != nil {
				return err
			}
			switch {
			case x.removed, x.rec.form == 2 && coverOf(covers, x.seq) > 0, !entryMatches(&x.rec.AuditEntry, match):
				return nil
			case x.rec.form == 1:
				old++
				return nil
			}
			if err := l.compare(x.seq, x.text); err != nil {
				return err
			}
			if n := len(found); n > 0 && found[n-1][1] == x.seq-1 {
				found[n-1][1] = x.seq
			} else {
				found = append(found, span{x.seq, x.seq})
			}
			return nil
		}); err != nil {
			return nil, 0, err
		}
	}
	return found, old, nil
}

func entryMatches(e *honeyguide.AuditEntry, match func(string) bool) bool {
	for _, s := range []string{e.Actor, e.Session, e.Object, e.Reason, e.Detail} {
		if anyMatch(s, match) {
			return true
		}
	}
	return e.Address.IsValid() && match(e.Address.String()) || jsonMatches(e.Before, match) || jsonMatches(e.After, match)
}

// anyMatch tries a text as a whole, what follows its first colon (user:zoe), and
// its words, with and without the marks around them.
func anyMatch(text string, match func(string) bool) bool {
	if text == "" {
		return false
	}
	if match(text) {
		return true
	}
	if _, name, ok := strings.Cut(text, ":"); ok && name != "" && match(name) {
		return true
	}
	for _, split := range []func(rune) bool{
		unicode.IsSpace,
		func(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune(`,;|"'<>()[]{}=`, r) },
		func(r rune) bool {
			return !unicode.IsLetter(r) && !unicode.IsDigit(r) && !strings.ContainsRune(".-_@+:%", r)
		},
	} {
		for _, word := range strings.FieldsFunc(text, split) {
			bare := strings.Trim(word, ".,:;!?")
			if word != text && match(word) || bare != word && bare != "" && match(bare) {
				return true
			}
		}
	}
	return false
}

// jsonMatches tries all texts in a JSON value, names and numbers among them.
func jsonMatches(v json.RawMessage, match func(string) bool) bool {
	if len(v) == 0 {
		return false
	}
	d := json.NewDecoder(strings.NewReader(string(v)))
	d.UseNumber()
	for {
		t, err := d.Token()
		if err != nil {
			return err != io.EOF && anyMatch(string(v), match)
		}
		switch x := t.(type) {
		case string:
			if anyMatch(x, match) {
				return true
			}
		case json.Number:
			if match(x.String()) {
				return true
			}
		}
	}
}

// loadCovers finds at start which entries lost their personal parts. Each entry that
// says so is proven to be part of what the checkpoint signs for, because parts are
// going to be removed where it says so.
func (l *Log) loadCovers() error {
	for _, s := range l.segs {
		if s.dropped {
			continue
		}
		for i := range s.blocks {
			if s.blocks[i].marks&covering == 0 {
				continue
			}
			from := s.first + int64(i)*blockEntries
			if err := s.read(l.dir, from, min(from+blockEntries, s.end()), nil, l.loadCover); err != nil {
				return err
			}
		}
	}
	return l.agree()
}

func (l *Log) loadCover(x *item) error {
	spans := x.rec.erases()
	if len(spans) == 0 {
		return nil
	}
	path, err := tlog.ProveRecord(l.point.Size, x.seq, l.hashes)
	if err != nil {
		return fmt.Errorf("prove entry %d: %w", x.seq, err)
	}
	if tlog.CheckRecord(path, l.point.Size, l.point.Root, x.seq, tlog.RecordHash(x.text)) != nil {
		return damage("entry %d is not the one that was recorded", x.seq)
	}
	l.covers = addCovers(l.covers, spans, x.seq)
	return nil
}

// agree makes sure that nothing is gone that no entry covers.
func (l *Log) agree() error {
	for _, s := range l.segs {
		for i := range s.blocks {
			from := s.first + int64(i)*blockEntries
			if s.blocks[i].gone() > within(l.covers, from, min(from+blockEntries, s.end())) {
				return damage("%s: personal parts of entries from %d on are gone, and no entry says that they were removed", partsName(s.first), from)
			}
		}
	}
	return nil
}

// finish removes the personal parts that entries say are removed and that are
// still there.
func (l *Log) finish(ctx context.Context) error {
	l.files.RLock()
	var due []int64
	for _, s := range l.segs {
		if !s.dropped && l.due(s) {
			due = append(due, s.first)
		}
	}
	l.files.RUnlock()
	for _, first := range due {
		if err := l.finishOne(ctx, first); err != nil {
			return fmt.Errorf("remove personal parts from %s: %w", partsName(first), err)
		}
	}
	return nil
}

// due reports whether something is still there that should be gone.
func (l *Log) due(s *segment) bool {
	for i := range s.blocks {
		from := s.first + int64(i)*blockEntries
		if within(l.covers, from, min(from+blockEntries, s.end())) > s.blocks[i].gone() {
			return true
		}
	}
	return false
}

// Waiting for those who read files, without keeping others from reading meanwhile.
const (
	knockEvery = 20 * time.Millisecond
	knocks     = 1500 // then they wait
)

func (l *Log) lockMoves(ctx context.Context) error {
	tick := time.NewTicker(knockEvery)
	defer tick.Stop()
	for range knocks {
		if l.moves.TryLock() {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
	l.moves.Lock()
	return nil
}

// finishOne removes what is covered from one file.
func (l *Log) finishOne(ctx context.Context, first int64) error {
	if err := l.lockMoves(ctx); err != nil {
		return err
	}
	defer l.moves.Unlock() // until then no file is sealed or dropped
	l.files.RLock()
	var s *segment
	if at := slices.IndexFunc(l.segs, func(x *segment) bool { return x.first == first }); at >= 0 {
		s = l.segs[at]
	}
	open := s != nil && !s.sealed
	l.files.RUnlock()
	if open {
		l.turn <- struct{}{} // nothing is written to it meanwhile
		defer func() { <-l.turn }()
	}
	l.files.RLock()
	covers, due := l.covers, s != nil && !s.dropped && l.due(s)
	l.files.RUnlock()
	if !due {
		return nil // somebody else did it
	}
	return l.rewrite(s, covers)
}

// leftovers removes at start what a crash left: files half written, and what
// stands beside texts that are dropped.
func (l *Log) leftovers() error {
	list, err := os.ReadDir(l.dir)
	if err != nil {
		return err
	}
	left := map[string]bool{}
	for _, s := range l.segs {
		for _, name := range s.beside() {
			left[name] = true
		}
	}
	gone := false
	for _, d := range list {
		if left[d.Name()] || strings.HasSuffix(d.Name(), ".tmp") {
			gone, err = true, errors.Join(err, os.Remove(filepath.Join(l.dir, d.Name())))
		}
	}
	if !gone {
		return err
	}
	return errors.Join(err, syncDir(l.dir))
}

// rewrite writes the personal parts of a file without those that are covered. At
// each moment the file is the old one or the new one, whole.
func (l *Log) rewrite(s *segment, covers []cover) error {
	file := s.parts(l.dir)
	f, err := os.OpenFile(file+".tmp", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	fresh, lost, err := l.copyParts(s, covers, f)
	if err == nil {
		err = f.Sync()
	}
	if err != nil {
		_ = os.Remove(file + ".tmp") // it is of no use
		return errors.Join(err, f.Close())
	}
	old, err := os.OpenFile(file, os.O_RDWR, 0)
	if err != nil {
		return errors.Join(err, f.Close())
	}
	defer old.Close()
	if err := os.Rename(file+".tmp", file); err != nil {
		return errors.Join(err, f.Close())
	}
	l.files.Lock()
	s.blocks, s.side = fresh.blocks, fresh.side
	if s.sealed {
		_ = s.saveIndex(l.dir) // a cache, and a stale one is not believed
		err = f.Close()
	} else {
		if l.side != nil {
			_ = l.side.Close() // its file is gone
		}
		l.side = f
	}
	l.files.Unlock()
	return errors.Join(err, syncDir(l.dir), wipe(old, lost))
}

// copyParts copies the parts that stay and returns the index that goes with them,
// and where in the old file those stood that do not.
func (l *Log) copyParts(s *segment, covers []cover, to io.Writer) (fresh segment, lost []span, err error) {
	fresh = *s
	fresh.blocks, fresh.side = nil, 0
	w := bufio.NewWriterSize(to, 128<<10)
	_, err = s.walk(l.dir, s.count, func(x *item) error {
		if x.fault != "" {
			return damage("%s; nothing is removed", x.fault)
		}
		from := x.side
		x.side = fresh.side
		if x.rec.form == 2 {
			if !x.removed && coverOf(covers, x.seq) > 0 {
				lost = append(lost, span{from + 4, from + 4 + int64(len(x.part))})
				x.removed, x.part = true, nil
				(&personal{}).into(&x.rec.AuditEntry)
			}
			var head [4]byte
			binary.LittleEndian.PutUint32(head[:], uint32(len(x.part)))
			if _, err := w.Write(head[:]); err != nil {
				return err
			}
			if _, err := w.Write(x.part); err != nil {
				return err
			}
			fresh.side += 4 + int64(len(x.part))
		}
		fresh.note(x)
		return nil
	})
	return fresh, lost, errors.Join(err, w.Flush())
}

// wipe overwrites stretches of a file that has no name any more, so that the disk
// does not keep them either, as far as a program can say.
func wipe(f *os.File, list []span) error {
	zeros := make([]byte, 4096)
	for _, s := range list {
		for at := s[0]; at < s[1]; {
			n, err := f.WriteAt(zeros[:min(int64(len(zeros)), s[1]-at)], at)
			if err != nil {
				return err
			}
			at += int64(n)
		}
	}
	return f.Sync()
}
