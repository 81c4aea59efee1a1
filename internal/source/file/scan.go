package file

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
	"honeyguide/internal/source"
)

// A name is a file as a folder shows it.
type name struct {
	path  string
	id    ident
	size  int64
	at    time.Time // of its last change
	asked bool      // the configuration names it; else it was rotated out of such a name
}

// A probe remembers that a file was looked at and left alone.
type probe struct {
	size int64
	at   time.Time
}

// sinceKey is the mark of when the source ran for the first time. No file has
// this key.
const sinceKey = "first run"

// load reads the marks of earlier runs.
func (r *run) load(ctx context.Context) error {
	marks, err := r.sink.Marks(ctx)
	if err != nil {
		return err
	}
	r.known = map[ident]probe{}
	for key, value := range marks {
		if key == sinceKey {
			if err := r.since.UnmarshalText(value); err != nil {
				return fmt.Errorf("read the time of the first run: %w", err)
			}
			continue
		}
		t := &tail{key: key, size: -1, tried: -1, part: -1}
		if err := json.Unmarshal(value, &t.mark); err != nil {
			return fmt.Errorf("read the place in a file: %w", err)
		}
		r.tails = append(r.tails, t)
	}
	slices.SortFunc(r.tails, func(a, b *tail) int { return cmp.Compare(a.key, b.key) })
	if r.first = r.since.IsZero(); !r.first {
		return nil
	}
	r.since = r.now()
	text, err := r.since.MarshalText()
	if err != nil {
		return err
	}
	return r.sink.Save(ctx, source.Mark{Key: sinceKey, Value: text})
}

// scan looks at every name there is and says what became of each file.
func (r *run) scan(ctx context.Context) error {
	if !r.bad {
		r.sink.Well()
	}
	r.stale, r.bad = false, false
	names := r.names(ctx)
	for _, t := range r.tails {
		t.seen = false
	}
	byID := map[ident]*tail{}
	for _, t := range r.tails {
		if t.mark.ID != (ident{}) {
			byID[t.mark.ID] = t
		}
	}
	var strange []name
	for _, n := range names {
		if t := byID[n.id]; t == nil || !r.same(t, n) {
			strange = append(strange, n)
		}
	}
	for _, t := range r.tails {
		t.gone = !t.seen && t.file != nil
	}
	// Oldest first: events come in the order of time, and the rotated before what
	// came in its place.
	slices.SortStableFunc(strange, func(a, b name) int { return a.at.Compare(b.at) })
	for _, n := range strange {
		r.meet(ctx, n)
	}
	r.first = false
	marks := r.forget()
	for _, t := range r.tails {
		if t.dirty {
			marks = append(marks, t.encode())
			t.dirty = false
		}
	}
	if len(marks) == 0 {
		return nil
	}
	// A file has its key before its first line is read: the same line never gets
	// two names.
	return r.sink.Save(ctx, marks...)
}

// names lists the files that are meant and, beside them, those rotated out of
// their names. A file with several names is listed under the first that was
// asked for.
func (r *run) names(ctx context.Context) []name {
	var out []name
	seen := map[ident]int{}
	add := func(path string, asked bool) {
		n, ok := look(path)
		if !ok || r.excluded(path) {
			return
		}
		n.asked = asked
		if i, twice := seen[n.id]; twice {
			if asked && !out[i].asked {
				out[i] = n
			}
			return
		}
		seen[n.id] = len(out)
		out = append(out, n)
	}
	bases := map[string][]string{} // names that may have been rotated, by folder
	for _, pattern := range r.cfg.Path {
		paths, err := expand(pattern)
		if err != nil {
			r.fault(ctx, err)
		}
		for _, path := range paths {
			add(path, true)
			bases[filepath.Dir(path)] = append(bases[filepath.Dir(path)], filepath.Base(path))
		}
		if len(paths) == 0 { // rotated away, and not made again yet
			bases[filepath.Dir(pattern)] = append(bases[filepath.Dir(pattern)], filepath.Base(pattern))
		}
	}
	for dir, list := range bases {
		entries, err := os.ReadDir(dir)
		if err != nil {
			continue // the pattern has told of it, or there is nothing yet
		}
		for _, e := range entries {
			if slices.ContainsFunc(list, func(base string) bool { return rotatedFrom(e.Name(), base) }) {
				add(filepath.Join(dir, e.Name()), false)
			}
		}
	}
	return out
}

// look asks for a plain file.
func look(path string) (name, bool) {
	st, err := os.Stat(path)
	if err != nil || !st.Mode().IsRegular() {
		return name{}, false
	}
	return name{path: path, id: identOf(st), size: st.Size(), at: st.ModTime()}, true
}

// expand lists the paths a setting means: a folder's files, or what a pattern
// matches.
func expand(pattern string) ([]string, error) {
	if st, err := os.Stat(pattern); err == nil && st.IsDir() {
		entries, err := os.ReadDir(pattern)
		if err != nil {
			return nil, fmt.Errorf("look through a folder: %w", err)
		}
		var out []string
		for _, e := range entries {
			if !strings.HasPrefix(e.Name(), ".") && !e.IsDir() {
				out = append(out, filepath.Join(pattern, e.Name()))
			}
		}
		return out, nil
	} else if err == nil {
		return []string{pattern}, nil
	} else if os.IsPermission(err) {
		return nil, fmt.Errorf("read %s: %w", pattern, fs.ErrPermission)
	}
	return filepath.Glob(pattern)
}

// rotatedFrom reports whether a name is what rotation makes of base: eve.json.1,
// eve.json-20261122.gz, eve.json.old, eve-20261122.json. Other neighbours, such
// as locks and drafts, are none.
func rotatedFrom(name, base string) bool {
	name = strings.TrimSuffix(name, ".gz")
	if rest, ok := strings.CutPrefix(name, base); ok {
		return rest == "" || rotation(rest)
	}
	ext := filepath.Ext(base)
	rest, ok := strings.CutPrefix(name, strings.TrimSuffix(base, ext))
	return ok && ext != "" && strings.HasSuffix(rest, ext) && rotation(strings.TrimSuffix(rest, ext))
}

// rotation reports whether s is what rotation adds to a name: a number or a date.
func rotation(s string) bool {
	return s == ".old" || len(s) > 1 && strings.IndexByte(".-_", s[0]) >= 0 && s[1] >= '0' && s[1] <= '9'
}

func (r *run) excluded(path string) bool {
	return slices.ContainsFunc(r.cfg.Exclude, func(pattern string) bool {
		base, _ := filepath.Match(pattern, filepath.Base(path))
		whole, _ := filepath.Match(pattern, path)
		return base || whole
	})
}

// same reports whether n is still the file of t, and notes where it is now.
func (r *run) same(t *tail, n name) bool {
	changed := t.other || t.size != n.size || t.mark.Path != n.path
	if changed && !t.mark.Done && !r.continues(t, n) {
		t.close()
		t.other = false
		t.mark.ID, t.dirty = ident{}, true // its content may turn up as a copy
		return false
	}
	if t.size != n.size {
		t.news = n.at
		if t.size >= 0 || t.news.IsZero() {
			t.news = r.now()
		}
	}
	t.size, t.seen, t.moved, t.other = n.size, true, !n.asked, false
	t.mark.Path, t.mark.Seen = n.path, r.now()
	return true
}

// continues reports whether the content before the mark is still there.
func (r *run) continues(t *tail, n name) bool {
	if isZipped(n.path) != isZipped(t.mark.Path) {
		return false
	}
	if isZipped(n.path) {
		return true // nobody writes into one, and the next one has another inode
	}
	if n.size < t.mark.Offset {
		return false
	}
	f, st, err := openRead(n.path)
	if err != nil || identOf(st) != n.id {
		return err != nil // what cannot be read now is judged later
	}
	defer f.Close()
	return t.mark.holds(f)
}

// meet decides about a file no mark belongs to: the rest of one that is gone, a
// copy of one that is there, or a new one.
func (r *run) meet(ctx context.Context, n name) {
	if p, ok := r.known[n.id]; ok && p == (probe{n.size, n.at}) {
		return
	}
	head, err := peek(n)
	if err != nil {
		early := errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, fs.ErrNotExist) || errors.Is(err, errMoved)
		if n.asked && !early { // a compressed file may still be under way
			r.fault(ctx, fmt.Errorf("read %s: %w", n.path, err))
		}
		return
	}
	for _, t := range r.tails {
		switch {
		case !t.copied(&head, n):
		case t.seen:
			return // the original is there and says all the copy says
		default:
			r.log.LogAttrs(ctx, slog.LevelInfo, "file found again", slog.String("path", safetext.Term(n.path)), slog.String("was", safetext.Term(t.mark.Path)))
			t.close()
			t.adopt(n, r.now())
			return
		}
	}
	if !r.wanted(n) {
		r.leave(n)
		return
	}
	if len(r.tails) >= r.cfg.MaxFiles {
		if !r.full {
			r.fault(ctx, fmt.Errorf("more than %d files are meant: raise max_files or mean fewer", r.cfg.MaxFiles))
		}
		r.full = true
		return
	}
	r.begin(n, &head)
}

// clockSlack is how far the clock of a file system may be behind ours. What was
// there at the first scan is known, so it lets in nothing old.
const clockSlack = time.Minute

// wanted reports whether a file nobody knows is to be read. Of rotated files only
// those are that were written to since this source runs.
func (r *run) wanted(n name) bool {
	return n.asked || r.first && !isZipped(n.path) || n.at.After(r.since.Add(-clockSlack))
}

// leave remembers a file that is not read as it is.
func (r *run) leave(n name) {
	if len(r.known) > 10_000 {
		clear(r.known)
	}
	r.known[n.id] = probe{n.size, n.at}
}

// peek returns the beginning of what a file holds, uncompressed.
func peek(n name) (heading, error) {
	f, st, err := openRead(n.path)
	if err != nil {
		return heading{}, err
	}
	defer f.Close()
	switch {
	case identOf(st) != n.id:
		return heading{}, errMoved
	case isZipped(n.path):
		b, err := headOfZip(f)
		return heading{bytes: b}, err
	}
	b := make([]byte, headSize)
	got, err := f.ReadAt(b, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return heading{}, err
	}
	return heading{bytes: b[:got]}, nil
}

// minHead is the shortest beginning two files are taken for the same by.
const minHead = 16

// copied reports whether a file holds what was read of t.
func (t *tail) copied(head *heading, n name) bool {
	if t.mark.Head.N < minHead || head.stamp(t.mark.Head.N) != t.mark.Head {
		return false
	}
	if isZipped(n.path) {
		return !isZipped(t.mark.Path)
	}
	if n.size < t.mark.Offset {
		return false
	}
	f, st, err := openRead(n.path)
	if err != nil {
		return false
	}
	defer f.Close()
	return identOf(st) == n.id && t.mark.holds(f)
}

// adopt makes a file the one t goes on with.
func (t *tail) adopt(n name, now time.Time) {
	t.mark.ID, t.mark.Path, t.mark.Seen = n.id, n.path, now
	t.size, t.tried, t.part, t.seen, t.moved, t.gone, t.news = n.size, -1, -1, true, !n.asked, false, now
	t.wrong, t.long, t.other, t.dirty, t.asked, t.table = "", nil, false, true, false, nil
}

// begin makes the tail of a file that was never read.
func (r *run) begin(n name, head *heading) {
	now := r.now()
	id := honeyguide.NewID(now)
	t := &tail{key: id, mark: mark{Line: 1, Origin: id, Head: head.stamp(headSize)}}
	t.adopt(n, now)
	if r.first && (r.cfg.From == fromEnd || !n.asked) {
		t.skip(n)
	}
	r.tails = append(r.tails, t)
}

// skip begins behind the last whole line that is there. Lines are numbered from
// there on.
func (t *tail) skip(n name) {
	if isZipped(n.path) {
		t.mark.Done = true
		return
	}
	t.mark.Offset, t.mark.Line = n.size, 2 // not the first: a table's header comes before
	f, st, err := openRead(n.path)
	if err != nil {
		return
	}
	defer f.Close()
	b := make([]byte, min(source.MaxRecord, n.size))
	got, _ := f.ReadAt(b, n.size-int64(len(b)))
	if identOf(st) != n.id || got < len(b) {
		return
	}
	if end := bytes.LastIndexByte(b, '\n') + 1; end > 0 {
		t.mark.Offset -= int64(len(b) - end)
		b = b[:end]
	}
	t.mark.Tail = stampOf(b[max(0, len(b)-tailSize):])
}

// forget drops the marks of files that have been gone for long.
func (r *run) forget() (marks []source.Mark) {
	now := r.now()
	r.tails = slices.DeleteFunc(r.tails, func(t *tail) bool {
		old := !t.seen && t.file == nil && now.Sub(t.mark.Seen) > forgetTime
		if old {
			marks = append(marks, source.Mark{Key: t.key})
		}
		return old
	})
	if len(r.tails) < r.cfg.MaxFiles {
		r.full = false
	}
	return marks
}
