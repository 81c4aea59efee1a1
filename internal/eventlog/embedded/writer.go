package embedded

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"runtime/debug"
	"slices"
	"strconv"
	"sync"
	"time"

	"honeyguide"
	"honeyguide/internal/colblock"
	"honeyguide/internal/eventlog"
	"honeyguide/internal/sqldb"
)

// Sizes of blocks and commits. Bytes are those of eventlog.Size.
const (
	blockEvents  = 1024
	blockBytes   = 1 << 20
	fullEnough   = 4 // a block of 1-1/fullEnough is not worth merging
	commitEvents = 8 * blockEvents
	commitBytes  = 8 << 20
	maxEncoders  = 4 // blocks of one commit packed at the same time
)

// writer is what only the writing goroutine touches (and Open before, Close
// after it).
type writer struct {
	db      *sql.DB // nil: has to be opened again
	file    *dayFile
	encs    []*colblock.Encoder // as many as may pack at the same time
	marks   map[string]int64    // wanted next, of every outbox
	next    eventlog.Seq
	tail    []*colblock.Row // events of the small blocks
	tailLo  eventlog.Seq    // first of them
	tailMem int             // bytes of them
	jump    jump
}

func (w *writer) close() error {
	if w.db == nil {
		return nil
	}
	err := w.db.Close()
	w.db = nil
	return err
}

// write is the writing goroutine. It ends when the queue is closed and empty.
func (s *Store) write() {
	linger := time.NewTimer(time.Hour)
	defer linger.Stop()
	for {
		wait, closed := s.queue.ready(s.cfg.Linger)
		switch {
		case wait == 0:
			s.store(s.queue.take())
			continue
		case wait < 0 && closed:
			return
		case wait < 0:
			<-s.queue.arrived
			continue
		}
		linger.Reset(wait)
		select {
		case <-s.queue.arrived:
		case <-linger.C:
		}
	}
}

// store commits requests and answers all of them.
func (s *Store) store(reqs []*request) {
	defer func() {
		if p := recover(); p != nil { // one bad event must not stop the log
			s.log.Error("event log writer panicked", "panic", fmt.Sprint(p), "stack", string(debug.Stack()))
			answer(reqs, fmt.Errorf("append events: panic: %v", p))
			s.lose()
		}
	}()
	if i := slices.IndexFunc(reqs, func(r *request) bool { return r.do != nil }); i >= 0 {
		s.store(reqs[:i])
		s.act(reqs[i])
		s.store(reqs[i+1:])
		return
	}
	if len(reqs) == 0 {
		return
	}
	if s.full() {
		s.met.refused.Add(float64(count(reqs)))
		answer(reqs, eventlog.ErrFull)
		return
	}
	ctx := context.Background() // appends of several callers: none of them may cancel the others
	if err := s.ensure(ctx); err != nil {
		answer(reqs, err)
		return
	}
	p := s.plan(reqs)
	if len(p.rows) == 0 {
		answer(reqs, nil)
		return
	}
	if err := s.commit(ctx, p); err != nil {
		s.met.refused.Add(float64(count(reqs)))
		answer(reqs, s.refused(err))
		return
	}
	answer(reqs, nil)
}

func count(reqs []*request) (events int) {
	for _, r := range reqs {
		events += len(r.rows)
	}
	return events
}

// act does work between two commits.
func (s *Store) act(r *request) {
	err := s.ensure(context.Background())
	if err == nil {
		err = r.do()
	}
	r.done <- result{err: err}
	r.done = nil
}

// answer tells every caller that was not answered yet.
func answer(reqs []*request, err error) {
	for _, r := range reqs {
		if r.done == nil {
			continue
		}
		res := result{err: err}
		if err == nil {
			res.receipt = r.got
		}
		r.done <- res
		r.done = nil
	}
}

// refused turns a failed commit into what Append answers.
func (s *Store) refused(err error) error {
	s.met.failed.Add(1)
	if sqldb.IsFull(err) {
		s.log.Error("no room left for the event log", "error", err)
		return fmt.Errorf("%w: %w", eventlog.ErrFull, err)
	}
	s.troubled.Store(true)
	s.log.Error("event log commit failed", "error", err)
	s.lose()
	return fmt.Errorf("append events: %w", err)
}

// lose forgets what the writer knows: the disk may know better.
func (s *Store) lose() { _ = s.writer.close() }

// A plan is one commit in the making.
type plan struct {
	rows   []*colblock.Row
	size   int
	marks  map[string]int64 // outboxes that move
	bad    map[eventlog.Seq]int
	blocks []packed
	merged bool // blocks take the place of the tail
	final  bool // nothing will come behind: no block is small
}

// A packed block with its place.
type packed struct {
	colblock.Block
	lo   eventlog.Seq
	size int
	rows []*colblock.Row
}

// plan gives out numbers and answers what is refused or known already.
func (s *Store) plan(reqs []*request) *plan {
	w := &s.writer
	p := &plan{marks: map[string]int64{}, bad: map[eventlog.Seq]int{}}
	next := w.next
	total := 0
	for _, r := range reqs {
		total += len(r.rows)
	}
	p.rows = make([]*colblock.Row, 0, total)
	for _, r := range reqs {
		outbox, first := r.outbox, r.first
		if outbox == "" {
			outbox = s.outbox
		}
		want, ok := p.marks[outbox]
		if !ok {
			want = max(w.marks[outbox], 1)
		}
		if r.outbox == "" {
			first = want
		}
		if first > want {
			r.done <- result{err: &eventlog.GapError{Outbox: outbox, Wanted: want, Got: first}}
			r.done = nil
			continue
		}
		dup := int(min(want-first, int64(len(r.rows))))
		r.got = eventlog.Receipt{Duplicate: dup, Stored: len(r.rows) - dup, Next: want + int64(len(r.rows)-dup)}
		if r.got.Stored == 0 {
			continue
		}
		r.got.Lo = next
		p.add(outbox, want, r.rows[dup:])
		next += eventlog.Seq(r.got.Stored)
		p.size += r.size
		p.marks[outbox] = r.got.Next
		maps.Copy(p.bad, r.bad)
	}
	return p
}

func (p *plan) add(outbox string, number int64, rows []colblock.Row) {
	for i := range rows {
		row := &rows[i]
		row.Outbox, row.Number = outbox, number+int64(i)
		if row.Event.ID == "" {
			row.Event.ID, row.Derived = colblock.EventID(outbox, row.Number, row.Event.Time), true
		}
		p.rows = append(p.rows, row)
	}
}

// commit packs and stores a plan and makes it visible.
func (s *Store) commit(ctx context.Context, p *plan) error {
	start := time.Now()
	if err := s.pack(p); err != nil {
		return err
	}
	if err := s.transact(ctx, p); err != nil {
		return err
	}
	s.troubled.Store(false)
	s.settle(p)
	s.met.commit.Observe(time.Since(start).Seconds())
	s.met.events.Add(float64(len(p.rows)))
	for _, b := range p.blocks {
		s.met.bytes.Add(float64(len(b.Hot) + len(b.Cold) + len(b.Raw) + len(b.Bloom)))
	}
	return nil
}

// pack cuts rows into blocks and packs them. With enough events the tail is
// packed again together with them.
func (s *Store) pack(p *plan) error {
	w := &s.writer
	rows, lo := p.rows, w.next
	if n := len(w.tail); n > 0 && (p.final || n+len(rows) >= blockEvents || w.tailMem+p.size >= blockBytes) {
		rows, lo, p.merged = slices.Concat(w.tail, rows), w.tailLo, true
	}
	for len(rows) > 0 {
		n, size := cut(rows)
		p.blocks = append(p.blocks, packed{lo: lo, size: size, rows: rows[:n:n]})
		rows, lo = rows[n:], lo+eventlog.Seq(n)
	}
	return w.encode(p.blocks)
}

// encode packs blocks on all cores.
func (w *writer) encode(blocks []packed) error {
	errs := make([]error, len(w.encs))
	var wg sync.WaitGroup
	for k, enc := range w.encs[:min(len(w.encs), len(blocks))] {
		work := func() {
			defer func() {
				if p := recover(); p != nil { // in a goroutine of its own nobody else would catch it
					errs[k] = fmt.Errorf("pack events: panic: %v", p)
				}
			}()
			for i := k; i < len(blocks) && errs[k] == nil; i += len(w.encs) {
				blocks[i].Block, errs[k] = enc.Encode(blocks[i].rows)
			}
		}
		if len(blocks) == 1 {
			work()
		} else {
			wg.Go(work)
		}
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("pack events: %w", err)
	}
	return nil
}

// cut says how many rows make the next block.
func cut(rows []*colblock.Row) (n, size int) {
	for n < len(rows) && n < blockEvents && (n == 0 || size < blockBytes) {
		size += eventlog.Size(&rows[n].Event)
		n++
	}
	return n, size
}

// small reports whether a block belongs to the tail: worth merging later.
func (b *packed) small() bool {
	return b.N < blockEvents-blockEvents/fullEnough && b.size < blockBytes-blockBytes/fullEnough
}

const (
	insertBlk   = "INSERT INTO blk (lo, n, ts0, ts1, sev, flags, codec) VALUES ($1, $2, $3, $4, $5, $6, 1)"
	insertHot   = "INSERT INTO hot (lo, d) VALUES ($1, $2)"
	insertCold  = "INSERT INTO cold (lo, d) VALUES ($1, $2)"
	insertRaw   = "INSERT INTO raw (lo, d) VALUES ($1, $2)"
	insertBloom = "INSERT INTO bloom (lo, d) VALUES ($1, $2)"
	upsertMin   = "INSERT INTO minute (m, sev, c) VALUES ($1, $2, $3) ON CONFLICT (m, sev) DO UPDATE SET c = c + excluded.c"
	upsertMark  = "INSERT INTO source (outbox, next) VALUES ($1, $2) ON CONFLICT (outbox) DO UPDATE SET next = excluded.next"
	upsertMeta  = "INSERT INTO meta (k, v) VALUES ($1, $2) ON CONFLICT (k) DO UPDATE SET v = excluded.v"
)

func (s *Store) transact(ctx context.Context, p *plan) (err error) {
	tx, err := s.writer.db.BeginTx(ctx, nil)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = tx.Rollback() // the first error is the one that counts
		}
	}()
	if p.merged {
		for _, table := range []string{"blk", "hot", "cold", "raw", "bloom"} {
			if _, err := tx.ExecContext(ctx, "DELETE FROM "+table+" WHERE lo >= $1", int64(s.writer.tailLo)); err != nil {
				return err
			}
		}
	}
	for i := range p.blocks {
		if err := p.blocks[i].insert(ctx, tx); err != nil {
			return err
		}
	}
	if err := p.counts(ctx, tx); err != nil {
		return err
	}
	return tx.Commit()
}

func (b *packed) insert(ctx context.Context, tx *sql.Tx) error {
	lo := int64(b.lo)
	if _, err := tx.ExecContext(ctx, insertBlk, lo, b.N, b.TS0, b.TS1, int64(b.Sev), int64(b.Flags)); err != nil {
		return err
	}
	for _, g := range []struct {
		stmt string
		blob []byte
	}{{insertHot, b.Hot}, {insertCold, b.Cold}, {insertRaw, b.Raw}, {insertBloom, b.Bloom}} {
		if g.blob == nil {
			continue
		}
		if _, err := tx.ExecContext(ctx, g.stmt, lo, g.blob); err != nil {
			return err
		}
	}
	return nil
}

// counts stores what is counted of the new events, the marks, and which blocks
// were given up.
func (p *plan) counts(ctx context.Context, tx *sql.Tx) error {
	type key struct {
		m   int64
		sev honeyguide.Severity
	}
	minutes := map[key]int64{}
	for i := range p.rows {
		e := &p.rows[i].Event
		minutes[key{floorDiv(e.Time.Unix(), 60), e.Severity}]++
	}
	stmt, err := tx.PrepareContext(ctx, upsertMin)
	if err != nil {
		return err
	}
	defer stmt.Close()
	for k, c := range minutes {
		if _, err := stmt.ExecContext(ctx, k.m, int64(k.sev), c); err != nil {
			return err
		}
	}
	for outbox, next := range p.marks {
		if _, err := tx.ExecContext(ctx, upsertMark, outbox, next); err != nil {
			return err
		}
	}
	for lo, n := range p.bad {
		if _, err := tx.ExecContext(ctx, upsertMeta, metaBad+strconv.FormatInt(int64(lo), 10), []byte(strconv.Itoa(n))); err != nil {
			return err
		}
	}
	return nil
}

func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// settle takes a committed plan into memory: filters first, then the view.
func (s *Store) settle(p *plan) {
	w := &s.writer
	if p.merged {
		for _, b := range s.view.Load().today().small {
			w.file.unsetFilter(s, b.lo)
		}
		w.tail, w.tailMem = nil, 0
	}
	w.next += eventlog.Seq(len(p.rows))
	maps.Copy(w.marks, p.marks)
	for outbox, next := range p.marks {
		s.marks.Store(outbox, next)
	}
	var full, small []block
	for i := range p.blocks {
		b := &p.blocks[i]
		w.file.setFilter(s, b.lo, b.Bloom)
		// Behind small blocks every block is small: the full ones come first.
		if i == len(p.blocks)-1 && !p.final && (b.small() || len(w.tail) > 0) {
			w.keep(b)
			small = append(small, b.entry())
		} else {
			full = append(full, b.entry())
		}
	}
	s.grow(p, full, small)
}

// keep makes a block part of the tail.
func (w *writer) keep(b *packed) {
	if len(w.tail) == 0 {
		w.tailLo = b.lo
	}
	w.tail = append(w.tail, b.rows...)
	w.tailMem += b.size
}

func (b *packed) entry() block {
	return block{lo: b.lo, n: int32(b.N), ts0: b.TS0, ts1: b.TS1, sev: b.Sev, flags: uint8(b.Flags)}
}

// grow publishes the view with the new blocks.
func (s *Store) grow(p *plan, full, small []block) {
	s.pubMu.Lock()
	defer s.pubMu.Unlock()
	old := s.view.Load()
	d := *old.today()
	if p.merged {
		d.small = nil
	}
	d.full = append(d.full, full...)
	d.small = slices.Concat(d.small, small)
	s.publish(&view{days: old.with(&d), recent: s.remember(old.recent, p), last: s.writer.next - 1})
}

// remember appends to the newest rows and forgets the oldest. The array is
// shared with older views, which do not see what is added behind their end.
func (s *Store) remember(recent []*colblock.Row, p *plan) []*colblock.Row {
	limit := s.cfg.RecentMiB << 10 // about a KiB each
	if limit == 0 {
		return nil
	}
	if len(p.rows) >= limit {
		return slices.Clone(p.rows[len(p.rows)-limit:])
	}
	if len(recent)+len(p.rows) > 2*limit {
		recent = slices.Clone(recent[len(recent)+len(p.rows)-limit:])
	}
	return append(recent, p.rows...)
}

// ensure makes the writer able to write: file open, day right.
func (s *Store) ensure(ctx context.Context) error {
	if s.writer.db == nil {
		if err := s.resume(ctx); err != nil {
			return fmt.Errorf("reopen event log: %w", err)
		}
	}
	if err := s.roll(ctx); err != nil {
		if sqldb.IsFull(err) {
			return fmt.Errorf("%w: %w", eventlog.ErrFull, err)
		}
		return err
	}
	return nil
}
