package ingest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide"
)

// Options say what is read and how.
type Options struct {
	Name      string           // of the source: a file or an input; Event.Sensor and DeadLetter.Source
	Format    string           // one of FormatNames; "" is auto
	Mappers   []Format         // who may take a record
	Now       func() time.Time // time.Now when nil
	Zone      *time.Location   // of times without an offset; UTC when nil
	MaxRecord int              // bytes; MaxRecord when 0
	Batch     int              // events handed on at a time; 1024 when 0
	MaxBytes  int64            // of the whole decompressed input; 0: no bound
	Seen      *Seen            // ids stored before; nil: those of this Read
	Piece     *Piece           // what is read is a piece of a longer stream; nil: it is the whole
	Progress  func(read int64) // told the bytes taken from the input; may be nil
}

// Summary says what became of an input: Records = those that gave events +
// Rejected + Duplicates + the sum of Dropped.
type Summary struct {
	Name       string           `json:"name"`
	Format     string           `json:"format"`   // of most records
	Framing    string           `json:"framing"`  // lines, text, objects, table, xml, evtx or empty
	Bytes      int64            `json:"bytes"`    // taken from the input, compressed as it came
	Records    int64            `json:"records"`  // met
	Events     int64            `json:"events"`   // handed on
	Rejected   int64            `json:"rejected"` // became dead letters
	Duplicates int64            `json:"duplicates"`
	Dropped    map[string]int64 `json:"dropped"`     // left out on purpose, by type
	ByFormat   map[string]int64 `json:"by_format"`   // records, by who took them
	ByActivity map[string]int64 `json:"by_activity"` // events
	BySeverity map[string]int64 `json:"by_severity"` // events
	Unknown    map[string]int64 `json:"unknown"`     // record types without words of their own, kept as plain events
	Notes      map[string]int64 `json:"notes"`       // oddities that did not stop a record
	FirstAt    time.Time        `json:"first_at,omitzero"`
	LastAt     time.Time        `json:"last_at,omitzero"`
}

const (
	batchSize  = 1024
	batchBytes = 8 << 20  // of raw records in one batch
	maxDeadRaw = 64 << 20 // of raw bytes in the dead letters of one input
	seenSize   = 1 << 17
)

// Read reads r to its end. Events go to emit in batches of Options.Batch,
// in the order of the input; emit owns the batch and has made it durable when it
// returns nil. Each record that cannot be understood goes to dead, in the order
// of the input. An error of either, of r, or of ctx ends the reading; so does an
// input that is no list of records at all (CodeInvalid). What was handed on
// before stays, and the summary says how much that was.
func Read(ctx context.Context, r io.Reader, opts Options,
	emit func(context.Context, []honeyguide.Event) error,
	dead func(context.Context, honeyguide.DeadLetter) error,
) (Summary, error) {
	opts.defaults()
	j := &job{opts: &opts, emit: emit, dead: dead}
	j.sum.Name, j.sum.Format = opts.Name, opts.Format
	in := &meter{r: r, progress: opts.Progress}
	err := j.run(ctx, in)
	j.sum.Bytes = in.n
	j.finish()
	return j.sum, err
}

func (o *Options) defaults() {
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Format == "" {
		o.Format = FormatAuto
	}
	if o.MaxRecord <= 0 {
		o.MaxRecord = MaxRecord
	}
	if o.Batch <= 0 {
		o.Batch = batchSize
	}
	if o.Seen == nil {
		o.Seen = NewSeen(seenSize)
	}
}

// A job is one Read.
type job struct {
	opts    *Options
	emit    func(context.Context, []honeyguide.Event) error
	dead    func(context.Context, honeyguide.DeadLetter) error
	choose  *chooser
	rec     Record
	in      *Record // what a record brings along
	batch   []honeyguide.Event
	raw     int      // bytes of raw records in batch
	ids     []string // of the batch, as Seen knows them
	times   occurrences
	deadRaw int
	// The last line that was refused, and how often.
	deadLine int64
	deadHere int
	scratch  []honeyguide.Event
	sum      Summary
}

func (j *job) run(ctx context.Context, in *meter) error {
	var err error
	if j.choose, err = newChooser(j.opts); err != nil {
		return err
	}
	frames, err := j.frames(in)
	if err != nil || frames == nil {
		return err
	}
	j.rec.Zone = j.opts.Zone
	for {
		err := j.next(ctx, frames)
		if errors.Is(err, io.EOF) {
			return j.flush(ctx)
		}
		if err != nil {
			// What was understood before the input failed is kept.
			return errors.Join(err, j.flush(ctx))
		}
	}
}

// frames finds out how records are cut out of the input; nil when it is empty.
func (j *job) frames(in *meter) (framer, error) {
	if p := j.opts.Piece; p != nil {
		frames, how, err := pieces(in, p, j.opts.MaxRecord)
		j.sum.Framing = string(how)
		return frames, err
	}
	body, err := open(in, j.opts.MaxBytes)
	if err != nil {
		return nil, err
	}
	frames, how, err := frame(newWindow(body), j.opts)
	j.sum.Framing = string(how)
	return frames, err
}

// next takes one record.
func (j *job) next(ctx context.Context, frames framer) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	err := frames.next(&j.rec)
	if lost, ok := errors.AsType[*broken](err); ok {
		j.sum.Records++
		return j.reject(ctx, lost.line, lost.reason, lost.size, lost.head)
	}
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	if err != nil {
		return fmt.Errorf("read %s near line %d: %w", j.opts.Name, j.rec.Line, err)
	}
	j.sum.Records++
	return j.take(ctx)
}

// take maps the record.
func (j *job) take(ctx context.Context) error {
	j.rec.Now = j.opts.Now()
	f := j.choose.choose(&j.rec)
	if f == nil && j.rec.plain {
		return j.refuse(ctx, errors.New("not a line of a known product"))
	}
	if f == nil {
		return j.refuse(ctx, errors.New("no known product or alert field in it"))
	}
	j.note()
	if g := j.carried(f); g != nil {
		count(&j.sum.ByFormat, g.Name)
		return j.keep(ctx)
	}
	var err error
	j.scratch, err = f.Map(j.scratch[:0], &j.rec)
	if left, ok := errors.AsType[*dropped](err); ok {
		count(&j.sum.Dropped, left.what)
		count(&j.sum.ByFormat, f.Name)
		return nil
	}
	if err != nil {
		return j.refuse(ctx, err)
	}
	count(&j.sum.ByFormat, f.Name)
	return j.keep(ctx)
}

// note counts what is odd about the record itself.
func (j *job) note() {
	switch {
	case !j.rec.plain && j.rec.doc.clean:
	case !utf8.Valid(j.rec.Raw):
		j.rec.Note("invalid_utf8")
	case !j.rec.plain || bytes.IndexByte(j.rec.Raw, 0) >= 0:
		j.rec.Note("nul_bytes")
	}
	if !j.rec.plain && j.rec.doc.duplicateKeys() {
		j.rec.Note("duplicate_keys")
	}
}

// keep completes the events of the record and adds them to the batch.
func (j *job) keep(ctx context.Context) error {
	fresh := false
	var raw []byte
	for i := range j.scratch {
		e := &j.scratch[i]
		e.Time = e.Time.UTC().Truncate(time.Microsecond)
		e.Observed = j.rec.Now.UTC().Truncate(time.Microsecond)
		e.Sensor = j.opts.Name
		j.rec.skew(e)
		if e.ID == "" {
			e.ID = j.anonymous(e)
		}
		if len(j.rec.Raw) > MaxText {
			bound(e)
		}
		if !j.opts.Seen.add(e.ID) {
			continue
		}
		switch {
		case e.Raw != nil:
			e.Raw = e.Raw[:min(len(e.Raw), keepRaw)]
			j.raw += len(e.Raw)
		case raw == nil:
			raw = bytes.Clone(j.rec.Raw[:min(len(j.rec.Raw), keepRaw)])
			j.raw += len(raw)
			e.Raw = raw
		default:
			e.Raw = raw
		}
		fresh = true
		j.count(e)
		if j.batch == nil {
			j.batch = make([]honeyguide.Event, 0, j.opts.Batch)
		}
		j.batch = append(j.batch, *e)
		j.ids = append(j.ids, e.ID)
	}
	if !fresh {
		j.sum.Duplicates++
	}
	if len(j.batch) >= j.opts.Batch || j.raw >= batchBytes {
		return j.flush(ctx)
	}
	return nil
}

// bound cuts the texts of an event to MaxText; kept fields have bounds of their own.
func bound(e *honeyguide.Event) {
	for key, v := range e.Attrs {
		if s, ok := v.(string); ok && len(s) > MaxText && !strings.HasPrefix(key, AttrUnmapped) {
			e.Attrs[key] = Cut(s, MaxText)
		}
	}
}

// anonymous derives the id of an event whose record has none of its own from
// its content and from how often that came before in this input: twenty equal
// lines are twenty events, and stay the same twenty when the input is read again.
func (j *job) anonymous(e *honeyguide.Event) string {
	at, product, content := e.Time, e.Str(honeyguide.AttrProduct), j.rec.Identity()
	if j.rec.timeless {
		at = time.Unix(0, 0) // the time of reading is no part of the record
	}
	if p := j.opts.Piece; p != nil {
		content = p.Origin + "\x00" + strconv.FormatInt(j.rec.Line, 10) + "\x00" + content
	}
	id := RecordID(at, product, content)
	if n := j.times.next(id); n > 0 {
		return RecordID(at, product, content, strconv.Itoa(n))
	}
	return id
}

func (j *job) count(e *honeyguide.Event) {
	count(&j.sum.ByActivity, e.Activity)
	count(&j.sum.BySeverity, e.Severity.String())
	if j.sum.FirstAt.IsZero() || e.Time.Before(j.sum.FirstAt) {
		j.sum.FirstAt = e.Time
	}
	if e.Time.After(j.sum.LastAt) {
		j.sum.LastAt = e.Time
	}
}

// RecordID derives the id of an event from its time, its product and what tells
// the record from all others: the same record gives the same id.
func RecordID(at time.Time, product string, identity ...string) string {
	return honeyguide.DerivedID(at, append([]string{"ingest", product}, identity...)...)
}

// flush hands the batch on.
func (j *job) flush(ctx context.Context) error {
	if len(j.batch) == 0 {
		return nil
	}
	batch, ids := j.batch, j.ids
	j.batch, j.ids, j.raw = nil, j.ids[:0], 0
	if err := j.emit(ctx, batch); err != nil {
		j.opts.Seen.forget(ids)
		return fmt.Errorf("store events of %s: %w", j.opts.Name, err)
	}
	j.sum.Events += int64(len(batch))
	return nil
}

// refuse makes the record a dead letter.
func (j *job) refuse(ctx context.Context, why error) error {
	return j.reject(ctx, j.rec.Line, why.Error(), int64(len(j.rec.Raw)), j.rec.Raw)
}

func (j *job) reject(ctx context.Context, line int64, reason string, size int64, raw []byte) error {
	j.sum.Rejected++
	now := j.opts.Now().UTC().Truncate(time.Microsecond)
	raw = raw[:min(len(raw), keepRaw)]
	if j.deadRaw += len(raw); j.deadRaw > maxDeadRaw {
		// A flood of garbage is told of record by record, but not kept whole.
		raw = nil
	}
	name := j.opts.Name
	id := honeyguide.DerivedID(now, "dead", name, fmt.Sprint(line), fmt.Sprint(j.sum.Rejected))
	if p := j.opts.Piece; p != nil {
		if p.Name != "" {
			name = p.Name
		}
		// The same line of the same stream is refused once, whenever it is read.
		id = honeyguide.DerivedID(time.Unix(0, 0), "dead", j.opts.Name, p.Origin, fmt.Sprint(line), j.sameLine(line))
	}
	d := honeyguide.DeadLetter{
		ID:   id,
		Time: now, Source: name, Line: line, Reason: reason, Bytes: size, Raw: bytes.Clone(raw),
	}
	if err := j.dead(ctx, d); err != nil {
		return fmt.Errorf("store a dead letter of %s: %w", j.opts.Name, err)
	}
	return nil
}

// sameLine tells the dead letters of one line apart.
func (j *job) sameLine(line int64) string {
	if line != j.deadLine {
		j.deadLine, j.deadHere = line, 0
	}
	j.deadHere++
	return strconv.Itoa(j.deadHere)
}

// finish completes the summary: no map is nil.
func (j *job) finish() {
	s := &j.sum
	s.Notes, s.Unknown = j.rec.notes, j.rec.types
	for _, m := range []*map[string]int64{&s.Dropped, &s.ByFormat, &s.ByActivity, &s.BySeverity, &s.Unknown, &s.Notes} {
		if *m == nil {
			*m = map[string]int64{}
		}
	}
	most := int64(0)
	for name, n := range s.ByFormat {
		if n > most || n == most && name < s.Format {
			s.Format, most = name, n
		}
	}
}
