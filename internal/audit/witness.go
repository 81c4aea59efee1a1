package audit

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"regexp"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"

	"honeyguide/internal/safetext"
)

// A Witness keeps copies of checkpoints where whoever changes the log cannot
// change them. It alone shows that a log was put back to an older state whole.
type Witness interface {
	// Name is what the witness is called in logs and metrics.
	Name() string
	// Keep takes a copy. An error means that it has to be offered again.
	Keep(ctx context.Context, c Checkpoint) error
}

// Line returns a checkpoint as one line of text that survives logs and mail:
// [ReadCheckpoints] finds it again among whatever stands around it.
func (c Checkpoint) Line() string {
	return fmt.Sprintf("%s%s%s", lineMark, base64.RawURLEncoding.EncodeToString(c.Note), c.count())
}

// count is how a line ends.
func (c Checkpoint) count() string { return fmt.Sprintf(" (%d entries)", c.Size) }

// lineMark begins a line. noteHead is how the base64 of every audit log's note
// begins ("honeyguide-audi"): of the two one is left when a byte was changed.
const (
	lineMark = "honeyguide-checkpoint:"
	noteHead = "aG9uZXlndWlkZS1hdWRp"
)

var (
	lineBegin = regexp.MustCompile(lineMark + "|" + noteHead)
	lineNote  = regexp.MustCompile(`^[A-Za-z0-9_-]*`)
	longNote  = regexp.MustCompile(`[A-Za-z0-9_-]{40}`)
)

// maxWitnessed is how many checkpoints one file of them may hold; of more, the
// newest are used.
const maxWitnessed = 100_000

// Kept is what was found of checkpoints that were kept elsewhere.
type Kept struct {
	List    []Checkpoint // those the key of the log signed
	Foreign int          // those of other logs
	Altered int          // those that are not as they were written: changed, or cut short
}

// Add adds what was found elsewhere.
func (k *Kept) Add(more Kept) {
	k.List, k.Foreign, k.Altered = append(k.List, more.List...), k.Foreign+more.Foreign, k.Altered+more.Altered
}

// Nothing says in words that there is no checkpoint of this log among what was found.
func (k *Kept) Nothing() string {
	return fmt.Sprintf("there is no checkpoint of this log in it; %d of others, and %d that were changed", k.Foreign, k.Altered)
}

// ReadCheckpoints finds the checkpoints in a text: the lines of [Checkpoint.Line]
// wherever they stand, in a log, in a mail as it was sent (quoted-printable), in
// objects put one behind the other, or one signed note.
func ReadCheckpoints(r io.Reader, key string) (k Kept, err error) {
	v, err := note.NewVerifier(key)
	if err != nil {
		return k, fmt.Errorf("read the public key: %w", err)
	}
	b := bufio.NewReaderSize(r, 64<<10)
	if head, _ := b.Peek(maxNote); len(head) > 0 {
		if c, err := openCheckpoint(head, v); err == nil {
			return Kept{List: []Checkpoint{c}}, nil
		}
	}
	var whole []byte // what soft breaks of a mail tore apart
	for {
		line, err := b.ReadSlice('\n')
		if end := bytes.TrimRight(line, "\r\n"); bytes.HasSuffix(end, []byte("=")) && len(whole) < maxNote {
			if whole = append(whole, end[:len(end)-1]...); err == nil {
				continue
			}
			line = nil
		}
		if len(whole) > 0 {
			line, whole = append(whole, line...), nil
		}
		k.look(line, v)
		switch {
		case err == io.EOF:
			return k, nil
		case err != nil && !errors.Is(err, bufio.ErrBufferFull):
			return k, err
		}
	}
}

// look takes the checkpoints of a line.
func (k *Kept) look(line []byte, v note.Verifier) {
	for at := lineBegin.FindIndex(line); at != nil; at = lineBegin.FindIndex(line) {
		whole := line[at[0]:]
		line = bytes.TrimPrefix(whole, []byte(lineMark))
		text := lineNote.Find(line)
		good := longNote.Match(line) && k.take(whole, text, v) // else somebody speaks of checkpoints
		if line = line[len(text):]; !good {                    // what is left of it is no other
			next := bytes.Index(line, []byte(lineMark))
			if next < 0 {
				return
			}
			line = line[next:]
		}
	}
}

// take takes one checkpoint: whole is what stands there, text its base64. It reports
// whether that is of this log.
func (k *Kept) take(whole, text []byte, v note.Verifier) bool {
	msg, bad := base64.RawURLEncoding.DecodeString(string(text))
	c, err := openOwn(msg, v)
	switch {
	case bad == nil && err == nil:
		if k.List = append(k.List, c); len(k.List) > maxWitnessed {
			k.List = append(k.List[:0:0], k.List[maxWitnessed/2:]...)
		}
		if !bytes.HasPrefix(whole, []byte(c.Line())) {
			k.Altered++ // what it says holds all the same
		}
		return true
	case bad == nil && ofAnother(msg, v.Name()):
		k.Foreign++
	default:
		k.Altered++
	}
	return false
}

// ofAnother reports whether a note is of a log of another name: that name stands in
// it twice, and this one nowhere.
func ofAnother(msg []byte, name string) bool {
	origin, _, _ := strings.Cut(string(msg), "\n")
	return origin != "" && strings.Contains(string(msg), "\n\n— "+origin+" ") && !strings.Contains(string(msg), name)
}

// FileWitness appends checkpoints to a file, best on another machine's disk.
func FileWitness(path string, now func() time.Time) Witness { return fileWitness{path, now} }

type fileWitness struct {
	path string
	now  func() time.Time
}

func (w fileWitness) Name() string { return "file " + w.path }

func (w fileWitness) Keep(_ context.Context, c Checkpoint) error {
	f, err := os.OpenFile(w.path, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(f, "%s %s\n", w.now().UTC().Format(time.RFC3339), c.Line())
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// Times of what a log does by itself.
const (
	keepEvery  = time.Hour      // to look for entries that are old enough to drop
	checkEvery = 24 * time.Hour // to verify all of it
)

// A told is a witness and what it knows.
type told struct {
	Witness
	every time.Duration
	at    time.Time // of the last try
	size  int64     // it has
	kept  time.Time // when it took that
	wrong string    // why the last try failed
}

// A WitnessStatus says how a witness stands.
type WitnessStatus struct {
	Name  string    `json:"name"`
	Size  int64     `json:"size" doc:"entries of the newest checkpoint it took since the start; 0 = none"`
	Kept  time.Time `json:"kept,omitzero" doc:"when it took it"`
	Tried time.Time `json:"tried,omitzero"`
	Error string    `json:"error,omitempty" doc:"why the last try failed; it is tried again"`
}

// Witnesses says how those who keep checkpoints stand.
func (l *Log) Witnesses() []WitnessStatus {
	l.watch.Lock()
	defer l.watch.Unlock()
	out := make([]WitnessStatus, len(l.witnesses))
	for i, w := range l.witnesses {
		out[i] = WitnessStatus{w.Name(), w.size, w.kept, w.at, w.wrong}
	}
	return out
}

// Tell adds a witness that is told of news no more often than given. It is
// called before Run.
func (l *Log) Tell(w Witness, every time.Duration) {
	l.witnesses = append(l.witnesses, &told{Witness: w, every: every})
	l.m.lost.With(w.Name()).Add(0)
	l.m.behind.With(w.Name()).Set(0)
}

// Run tells witnesses of news, drops what is old, verifies the log once a day
// and sums up floods of refusals, until ctx ends.
func (l *Log) Run(ctx context.Context) error {
	tick := time.NewTicker(damperSpan / 4)
	defer tick.Stop()
	var kept, checked time.Time
	for {
		now := l.opt.Now()
		if list := l.damper.flush(); len(list) > 0 && l.Refused() == "" {
			if _, err := l.record(ctx, list); err != nil {
				l.log.LogAttrs(ctx, slog.LevelWarn, "refusals not summed up", slog.Any("error", err))
			}
		}
		l.tell(ctx, now, false)
		if l.Refused() == "" {
			if err := l.finish(ctx); err != nil && ctx.Err() == nil {
				l.log.LogAttrs(ctx, slog.LevelError, "personal parts of audit entries not removed, it is tried again", slog.Any("error", err))
			}
		}
		if l.opt.Keep > 0 && since(now, kept) >= keepEvery && l.Refused() == "" {
			kept = now
			if _, err := l.Drop(ctx, now.Add(-l.opt.Keep)); err != nil {
				l.log.LogAttrs(ctx, slog.LevelError, "old audit entries not dropped", slog.Any("error", err))
			}
		}
		if since(now, checked) >= checkEvery {
			checked = now
			l.StartCheck(ctx, Kept{})
		}
		select {
		case <-ctx.Done():
			l.tell(context.WithoutCancel(ctx), l.opt.Now(), true) // what happened last is what matters most
			return nil
		case <-tick.C:
		}
	}
}

// since is the time from an instant to now; a clock that was put back counts as long ago.
func since(now, then time.Time) time.Duration {
	if d := now.Sub(then); d >= 0 && !then.IsZero() {
		return d
	}
	return 1<<63 - 1
}

// tellLast is the rhythm of witnesses that are told at the end, too: not those that
// would get a message at every restart.
const tellLast = 5 * time.Minute

// tellPatience is how long one witness may take, tellAgain after how long one that
// failed is told again, whatever its rhythm.
const (
	tellPatience = 10 * time.Second
	tellAgain    = 5 * time.Minute
)

// due reports whether a witness is told now.
func (w *told) due(size int64, now time.Time, last bool) bool {
	switch wait := since(now, w.at); {
	case size == w.size:
		return false
	case w.wrong != "" && wait >= min(w.every, tellAgain), wait >= w.every:
		return true
	}
	return last && w.every <= tellLast
}

// tell offers the newest checkpoint to the witnesses that do not have it.
func (l *Log) tell(ctx context.Context, now time.Time, last bool) {
	if l.Refused() != "" {
		return
	}
	point := l.Checkpoint()
	for _, w := range l.witnesses {
		l.m.behind.With(w.Name()).Set(float64(point.Size - w.size))
		if !w.due(point.Size, now, last) {
			continue
		}
		limited, cancel := context.WithTimeout(ctx, tellPatience)
		err := w.Keep(limited, point)
		cancel()
		l.watch.Lock()
		w.at, w.wrong = now, ""
		if err == nil {
			w.size, w.kept = point.Size, now
		} else {
			w.wrong = safetext.TermN(err.Error(), 300)
		}
		l.watch.Unlock()
		l.m.behind.With(w.Name()).Set(float64(point.Size - w.size))
		if err != nil {
			l.m.lost.With(w.Name()).Add(1)
			l.log.LogAttrs(ctx, slog.LevelWarn, "witness of the audit log not told, it is told again", slog.String("witness", w.Name()), slog.Any("error", err))
		}
	}
}
