package evidence

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"
	"time"

	"honeyguide/internal/personal"
)

// rewriteName is the file a changed recording is written to before it takes the
// old one's place. It is no recording by its name.
const rewriteName = "rewriting"

// Rewrite replaces values in all recordings, also those typed letter by letter,
// and returns how many recordings changed. With look set it changes nothing and
// returns the sessions whose recordings would change. only names the recordings by
// session and last change; nil: all. A session under way goes on being recorded.
func (s *Store) Rewrite(ctx context.Context, r *personal.Rewriter, look bool, only func(session string, last time.Time) bool) (sessions []string, err error) {
	s.mu.Lock()
	all, err := s.scan()
	s.mu.Unlock()
	if err != nil {
		return nil, err
	}
	if err := s.dir.Remove(rewriteName); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	for _, rec := range all {
		if err := ctx.Err(); err != nil {
			return sessions, err
		}
		if only != nil && !only(rec.Session, rec.LastAt) {
			continue
		}
		changed, err := s.rewriteOne(Name(rec.Session), r, look)
		if err != nil {
			return sessions, fmt.Errorf("rewrite recording %s: %w", rec.Session, err)
		}
		if changed {
			sessions = append(sessions, rec.Session)
		}
	}
	return sessions, nil
}

func (s *Store) rewriteOne(name string, r *personal.Rewriter, look bool) (bool, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f, err := s.dir.Open(name)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil // the oldest go first
	}
	if err != nil {
		return false, err
	}
	was, err := f.Stat()
	if err != nil {
		return false, errors.Join(err, f.Close())
	}
	old, err := io.ReadAll(f)
	if err := errors.Join(err, f.Close()); err != nil {
		return false, err
	}
	text, n := rewriteCast(old, r)
	if n == 0 || look {
		return n > 0, nil
	}
	if e, ok := s.open[name]; ok {
		s.drop(e.Value.(*cast)) // it is opened again with the next chunk
	}
	if err := s.dir.WriteFile(rewriteName, text, 0o600); err != nil {
		return false, err
	}
	// Its age is the session's: nobody said anything now.
	if err := s.dir.Chtimes(rewriteName, was.ModTime(), was.ModTime()); err != nil {
		return false, err
	}
	to, err := s.dir.Open(rewriteName)
	if err != nil {
		return false, err
	}
	if err := errors.Join(to.Sync(), to.Close()); err != nil {
		return false, err
	}
	if err := s.dir.Rename(rewriteName, name); err != nil {
		return false, err
	}
	folder, err := s.dir.Open(".")
	if err != nil {
		return false, err
	}
	if err := errors.Join(folder.Sync(), folder.Close()); err != nil { // the old file must not come back
		return false, err
	}
	s.total += int64(len(text) - len(old))
	return true, nil
}

// A said is the text of one event of a recording.
type said struct {
	line  int
	parts []json.RawMessage // seconds, code
	text  string
	code  string
	dirty bool
}

// rewriteCast returns an asciicast with values replaced, and how many. A value
// may be spread over many events of one stream: it then stands in the first.
func rewriteCast(cast []byte, r *personal.Rewriter) ([]byte, int) {
	lines := bytes.SplitAfter(cast, []byte("\n"))
	total := 0
	var events []*said
	for i, line := range lines {
		e := &said{line: i}
		if i > 0 && json.Unmarshal(line, &e.parts) == nil && len(e.parts) == 3 &&
			json.Unmarshal(e.parts[1], &e.code) == nil && json.Unmarshal(e.parts[2], &e.text) == nil {
			events = append(events, e)
			continue
		}
		out, n := r.Bytes(bytes.TrimSuffix(line, []byte("\n")))
		if n > 0 {
			total += n
			lines[i] = append(bytes.Clone(out), '\n')
		}
	}
	streams := map[string][]*said{}
	for _, e := range events {
		streams[e.code] = append(streams[e.code], e)
	}
	for _, list := range streams {
		total += rewriteStream(list, r)
	}
	for _, e := range events {
		if e.dirty {
			lines[e.line] = line(e)
		}
	}
	return bytes.Join(lines, nil), total
}

func line(e *said) []byte {
	quoted, _ := json.Marshal(e.text)
	return []byte("[" + string(e.parts[0]) + ", " + string(e.parts[1]) + ", " + string(quoted) + "]\n")
}

// rewriteStream replaces in what one stream said, events put together.
func rewriteStream(list []*said, r *personal.Rewriter) int {
	var whole strings.Builder
	for _, e := range list {
		whole.WriteString(e.text)
	}
	spans := r.Spans(whole.String())
	if len(spans) == 0 {
		return 0
	}
	at, k := 0, 0
	for _, e := range list {
		end := at + len(e.text)
		var b strings.Builder
		from := at
		for k < len(spans) && spans[k].From < end {
			sp := spans[k]
			if sp.From >= at {
				b.WriteString(whole.String()[from:sp.From])
				b.WriteString(sp.Text)
			}
			e.dirty = true
			if from = min(sp.To, end); sp.To > end {
				break // the rest of it is in the events behind
			}
			k++
		}
		if e.dirty {
			b.WriteString(whole.String()[from:end])
			e.text = b.String()
		}
		at = end
	}
	return len(spans)
}
