package audit

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"honeyguide"
	"honeyguide/internal/safetext"
	"honeyguide/internal/telemetry"
)

// A Sink takes entries in order: a SIEM, a file that one reads. An entry may come
// twice, never not at all; its number says which.
type Sink interface {
	// Name is what the sink is called in the configuration.
	Name() string
	// Put hands entries over and returns how many of them are the other side's now;
	// the rest is offered again.
	Put(ctx context.Context, list []honeyguide.AuditEntry) (taken int, err error)
}

// Bounds of handing entries on.
const (
	feedBatch    = 200 // entries read at once
	feedPatience = 30 * time.Second
	feedEvery    = time.Second
	feedSlowest  = time.Minute // between tries while the other side cannot be reached
)

// A Feed hands the entries of a log on to a sink, from the first one on. Where it
// stands is in a file of its own, written once the sink has taken what comes before.
type Feed struct {
	log    *Log
	sink   Sink
	cursor string // file
	next   atomic.Int64
}

var feedName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// Feed opens a feed whose cursor is kept in a folder, which is made.
func (l *Log) Feed(sink Sink, dir string) (*Feed, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, err
	}
	sum := sha256.Sum256([]byte(sink.Name())) // two names may look the same as names of files
	name := strings.Trim(feedName.ReplaceAllString(cut(sink.Name(), 64), "-"), "-.") + "-" + hex.EncodeToString(sum[:4]) + ".next"
	f := &Feed{log: l, sink: sink, cursor: filepath.Join(dir, name)}
	raw, err := os.ReadFile(f.cursor)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	default:
		next, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
		if err != nil || next < 0 {
			l.log.LogAttrs(context.Background(), slog.LevelWarn, "export of audit entries: where it stood cannot be read, it begins with the first one", slog.String("to", sink.Name()))
			next = 0
		}
		f.next.Store(next)
	}
	if err := place(f.cursor, []byte(strconv.FormatInt(f.Next(), 10)+"\n")); err != nil {
		return nil, err
	}
	for _, c := range []*telemetry.CounterVec{l.m.fed, l.m.unfed, l.m.skipped} {
		c.With(sink.Name()).Add(0)
	}
	return f, nil
}

// Next is the number of the entry that is handed on next.
func (f *Feed) Next() int64 { return f.next.Load() }

// Run hands entries on until ctx ends. A sink that cannot be reached is tried again,
// less and less often; nothing else waits for it.
func (f *Feed) Run(ctx context.Context) error {
	wait := feedEvery
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		n, err := f.step(ctx)
		switch {
		case ctx.Err() != nil:
			return nil
		case err != nil:
			f.log.m.unfed.With(f.sink.Name()).Add(1)
			f.log.log.LogAttrs(ctx, slog.LevelWarn, "audit entries not handed on, it is tried again", slog.String("to", f.sink.Name()), slog.Int64("from_seq", f.Next()), slog.Any("error", err))
			wait = min(2*max(wait, feedEvery), feedSlowest)
		case n > 0:
			wait = 0 // there may be more
		default:
			wait = feedEvery
		}
		timer.Reset(wait)
	}
}

// step hands on one batch and returns how many entries it was.
func (f *Feed) step(ctx context.Context) (int, error) {
	size := f.log.Checkpoint().Size
	if f.Next() > size && f.log.Refused() == "" {
		f.log.log.LogAttrs(ctx, slog.LevelError, "audit log is shorter than what was handed on: it was put back to an older state", slog.String("to", f.sink.Name()),
			slog.Int64("handed_on", f.Next()), slog.Int64("size", size))
		if err := f.stand(size); err != nil {
			return 0, err
		}
	}
	f.log.m.feedBehind.With(f.sink.Name()).Set(float64(max(size-f.Next(), 0)))
	if f.Next() >= size {
		return 0, nil
	}
	list, next, err := f.log.After(ctx, f.Next(), feedBatch)
	if err != nil {
		return 0, err
	}
	if lost := next - f.Next() - int64(len(list)); lost > 0 {
		f.log.m.skipped.With(f.sink.Name()).Add(float64(lost))
		f.log.log.LogAttrs(ctx, slog.LevelWarn, "audit entries were removed by retention before they were handed on", slog.String("to", f.sink.Name()), slog.Int64("entries", lost))
	}
	taken := 0
	if len(list) > 0 {
		limited, cancel := context.WithTimeout(ctx, feedPatience)
		taken, err = f.sink.Put(limited, list)
		cancel()
		if taken = min(max(taken, 0), len(list)); taken < len(list) {
			next = list[taken].Seq
			err = cmp.Or(err, errors.New("it did not take all"))
		}
	}
	if next > f.Next() {
		err = errors.Join(err, f.stand(next))
		f.log.m.fed.With(f.sink.Name()).Add(float64(taken))
		f.log.m.feedBehind.With(f.sink.Name()).Set(float64(max(size-next, 0)))
	}
	return max(taken, 1), err
}

// stand notes where the feed stands, durably.
func (f *Feed) stand(next int64) error {
	if err := place(f.cursor, []byte(strconv.FormatInt(next, 10)+"\n")); err != nil {
		return fmt.Errorf("note where the export stands: %w", err)
	}
	f.next.Store(next)
	return nil
}

// After returns entries from a number on, oldest first, and the number to go on
// with. Those whose texts retention removed are stepped over. Every entry returned
// has been compared with the tree.
func (l *Log) After(_ context.Context, from int64, most int) ([]honeyguide.AuditEntry, int64, error) {
	l.moves.RLock()
	defer l.moves.RUnlock()
	l.files.RLock()
	size, s := l.point.Size, l.segmentOf(from)
	for s != nil && s.dropped {
		from = s.end()
		s = l.segmentOf(from)
	}
	if from >= size {
		l.files.RUnlock()
		return nil, size, nil
	}
	if s == nil {
		l.files.RUnlock()
		return nil, from, l.broken()
	}
	seg := *s
	l.files.RUnlock()
	to := min(from+int64(most), seg.end())
	out := make([]honeyguide.AuditEntry, 0, to-from)
	err := seg.read(l.dir, from, to, nil, func(x *item) error {
		r, err := l.row(x)
		if err == nil {
			err = l.compare(x.seq, x.text)
		}
		out = append(out, r.entry)
		return err
	})
	if err != nil {
		return nil, from, l.asError(err)
	}
	return out, to, nil
}

// CEF returns an entry in the Common Event Format, without a line break.
func CEF(e *honeyguide.AuditEntry) string { return strings.TrimSuffix(cefLine(e), "\n") }

// FileSink appends entries as JSON lines to a file. The file may be renamed away at
// any time: it is opened anew for each batch.
func FileSink(path string) Sink { return fileSink(path) }

type fileSink string

func (s fileSink) Name() string { return "jsonl:" + string(s) }

func (s fileSink) Put(_ context.Context, list []honeyguide.AuditEntry) (int, error) {
	f, err := os.OpenFile(string(s), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return 0, err
	}
	end, err := lastLine(f)
	if err != nil {
		return 0, errors.Join(err, f.Close())
	}
	var buf []byte
	for i := range list {
		text, err := json.Marshal(&list[i])
		if err != nil {
			return 0, errors.Join(err, f.Close())
		}
		buf = append(append(buf, safetext.JSON(text)...), '\n')
	}
	_, err = f.WriteAt(buf, end)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return 0, err
	}
	return len(list), nil
}

// lastLine returns where the last whole line of a file ends: what follows is the
// part of one that a crash left, and is written over.
func lastLine(f *os.File) (int64, error) {
	st, err := f.Stat()
	if err != nil {
		return 0, err
	}
	end := st.Size()
	buf := make([]byte, 64<<10)
	for end > 0 {
		from := max(end-int64(len(buf)), 0)
		n, err := f.ReadAt(buf[:end-from], from)
		if err != nil && err != io.EOF {
			return 0, err
		}
		for i := n - 1; i >= 0; i-- {
			if buf[i] == '\n' {
				return from + int64(i) + 1, f.Truncate(from + int64(i) + 1)
			}
		}
		end = from
	}
	return 0, f.Truncate(0)
}
