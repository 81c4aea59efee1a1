package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"honeyguide"
	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
)

var _ state.Rewriter = (*Store)(nil)

// rewriteBatch is how many rows are looked at in one transaction: others wait
// for it.
const rewriteBatch = 500

// A table is one table with texts in it.
type table struct {
	name  string
	key   []string // rowid, or the columns of the primary key
	texts []string // columns that may hold text
	cond  string   // which rows; "": all
	args  []any    // of cond, from $2 on
}

// untouched are tables that hold nothing but the product's own words.
var untouched = []string{"schema_migration", "counter"}

// tables lists the tables there are: what a later version adds is found, too.
func (t *tx) tables(ctx context.Context) ([]table, error) {
	var out []table
	var bare []bool
	err := t.each(ctx, "SELECT name, wr FROM pragma_table_list WHERE schema = 'main' AND type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name", nil, func(scan func(...any) error) error {
		var x table
		var wr bool
		err := scan(&x.name, &wr)
		if !slices.Contains(untouched, x.name) {
			out, bare = append(out, x), append(bare, wr)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	for i := range out {
		x := &out[i]
		if !bare[i] {
			x.key = []string{"rowid"}
		}
		if err := t.each(ctx, "SELECT name, upper(type), pk FROM pragma_table_info($1) ORDER BY cid", []any{x.name}, func(scan func(...any) error) error {
			var name, kind string
			var pk int
			err := scan(&name, &kind, &pk)
			if pk > 0 && bare[i] {
				x.key = append(x.key, name)
			}
			if kind == "TEXT" || kind == "BLOB" {
				x.texts = append(x.texts, name)
			}
			return err
		}); err != nil {
			return nil, err
		}
	}
	return slices.DeleteFunc(out, func(x table) bool { return len(x.texts) == 0 }), nil
}

// A raw is one row of a table: its key, and its texts as they are stored.
type raw struct {
	key   []any
	cells []any // string or []byte; nil for what is neither
}

// page reads rows behind a key, in the order of keys.
func (t *tx) page(ctx context.Context, x *table, after []any) ([]raw, error) {
	cond, args := " WHERE true", append([]any{rewriteBatch}, x.args...)
	if x.cond != "" {
		cond = " WHERE (" + x.cond + ")"
	}
	if after != nil {
		marks := make([]string, len(after))
		for i, k := range after {
			args = append(args, k)
			marks[i] = fmt.Sprintf("$%d", len(args))
		}
		cond += " AND (" + strings.Join(x.key, ", ") + ") > (" + strings.Join(marks, ", ") + ")"
	}
	cols := slices.Concat(x.key, x.texts)
	var out []raw
	q := "SELECT " + strings.Join(cols, ", ") + " FROM " + x.name + cond + " ORDER BY " + strings.Join(x.key, ", ") + " LIMIT $1"
	err := t.each(ctx, q, args, func(scan func(...any) error) error {
		cells := make([]any, len(cols))
		into := make([]any, len(cols))
		for i := range cells {
			into[i] = &cells[i]
		}
		err := scan(into...)
		out = append(out, raw{cells[:len(x.key):len(x.key)], cells[len(x.key):]})
		return err
	})
	return out, err
}

// Walk calls fn for every row.
func (s *Store) Walk(ctx context.Context, fn func(state.Row) error) error {
	return s.View(ctx, func(view state.Tx) error {
		t := view.(*tx)
		all, err := t.tables(ctx)
		if err != nil {
			return err
		}
		for i := range all {
			x := &all[i]
			for after := []any(nil); ; {
				rows, err := t.page(ctx, x, after)
				if err != nil {
					return err
				}
				for _, r := range rows {
					row := state.Row{Table: x.name}
					for k, c := range r.cells {
						if text, ok := textOf(c); ok {
							row.Cells = append(row.Cells, state.Cell{Column: x.texts[k], Text: text})
						}
					}
					if err := fn(row); err != nil {
						return err
					}
				}
				if len(rows) < rewriteBatch {
					break
				}
				after = rows[len(rows)-1].key
			}
		}
		return nil
	})
}

func textOf(v any) (string, bool) {
	switch x := v.(type) {
	case string:
		return x, x != ""
	case []byte:
		return string(x), len(x) > 0
	}
	return "", false
}

// Rewrite changes texts in all tables, or in what is old of them.
func (s *Store) Rewrite(ctx context.Context, r state.Rewrite) (map[string]int64, error) {
	out := map[string]int64{}
	var all []table
	if err := s.View(ctx, func(view state.Tx) (err error) {
		t := view.(*tx)
		if all, err = t.tables(ctx); err == nil && !r.Before.IsZero() {
			all, err = t.faded(ctx, all, r.Before)
		}
		return err
	}); err != nil {
		return out, err
	}
	for i := range all {
		x := &all[i]
		for after, more := []any(nil), true; more; {
			var n int64
			next := after
			err := s.Update(ctx, func(view state.Tx) (err error) {
				n, next, more, err = view.(*tx).rewrite(ctx, x, after, r.Change)
				return err
			})
			if err != nil {
				return out, fmt.Errorf("rewrite table %s: %w", x.name, err)
			}
			if n > 0 {
				out[x.name] += n
			}
			after = next
		}
	}
	return out, fault(s.scour(ctx))
}

// rewrite changes one page of a table.
func (t *tx) rewrite(ctx context.Context, x *table, after []any, change func(table, column, value string) (string, int)) (n int64, next []any, more bool, err error) {
	// What is remembered was read before the change.
	t.conn.warm = warm{most: t.conn.warm.most}
	for _, pragma := range []string{"PRAGMA secure_delete = ON", "PRAGMA defer_foreign_keys = ON"} {
		if _, err := t.conn.c.ExecContext(ctx, pragma); err != nil {
			return 0, after, false, t.note(err)
		}
	}
	rows, err := t.page(ctx, x, after)
	if err != nil {
		return 0, after, false, err
	}
	var touched []any
	for _, r := range rows {
		sets, args, drop := []string(nil), []any(nil), false
		for k, c := range r.cells {
			text, ok := textOf(c)
			if !ok {
				continue
			}
			to, hits := change(x.name, x.texts[k], text)
			if hits == 0 {
				continue
			}
			var v any = to
			if _, blob := c.([]byte); blob {
				v = []byte(to)
				drop = drop || !utf8.ValidString(text) // some code of its own: a text in it cannot be replaced
			}
			args = append(args, v)
			sets = append(sets, fmt.Sprintf("%s = $%d", x.texts[k], len(args)))
		}
		if len(sets) == 0 {
			continue
		}
		n++
		touched = append(touched, r.key[0])
		if err := t.put(ctx, x, r.key, sets, args, drop); err != nil {
			return n, after, false, t.note(err)
		}
	}
	if n > 0 {
		if err := t.reword(ctx, x, touched); err != nil {
			return n, after, false, err
		}
	}
	if len(rows) > 0 {
		next = rows[len(rows)-1].key
	}
	return n, next, len(rows) == rewriteBatch, nil
}

// put writes a changed row, or takes it away: when drop says so, and when what
// it became is there already, such as two spellings of one name.
func (t *tx) put(ctx context.Context, x *table, key []any, sets []string, args []any, drop bool) error {
	where := make([]string, len(key))
	for i, k := range key {
		args = append(args, k)
		where[i] = fmt.Sprintf("%s = $%d", x.key[i], len(args))
	}
	if !drop {
		_, err := t.conn.c.ExecContext(ctx, "UPDATE "+x.name+" SET "+strings.Join(sets, ", ")+" WHERE "+strings.Join(where, " AND "), args...)
		if !sqldb.IsUnique(err) {
			return err
		}
		if x.name == "tally" {
			return t.mergeTally(ctx, key, args[0])
		}
	}
	for i := range where {
		where[i] = fmt.Sprintf("%s = $%d", x.key[i], i+1)
	}
	_, err := t.conn.c.ExecContext(ctx, "DELETE FROM "+x.name+" WHERE "+strings.Join(where, " AND "), key...)
	return err
}

// mergeTally adds a count to the one that has its new name already.
func (t *tx) mergeTally(ctx context.Context, key []any, name any) error {
	sums := make([]string, 0, 8)
	for _, c := range []string{"n", "n0", "n1", "n2", "n3", "n4", "n5", "weight"} {
		sums = append(sums, c+" = "+c+" + (SELECT "+c+" FROM tally WHERE (kind, step, at, name) = ($1, $2, $3, $4))")
	}
	if _, err := t.conn.c.ExecContext(ctx, "UPDATE tally SET "+strings.Join(sums, ", ")+" WHERE (kind, step, at, name) = ($1, $2, $3, $5)", append(slices.Clone(key), name)...); err != nil {
		return err
	}
	_, err := t.conn.c.ExecContext(ctx, "DELETE FROM tally WHERE (kind, step, at, name) = ($1, $2, $3, $4)", key...)
	return err
}

// reword indexes the words of changed rows again.
func (t *tx) reword(ctx context.Context, x *table, nums []any) error {
	from := map[string]string{"alert": "alert", "alert_evidence": "alert", "incident": "incident", "session": "session"}[x.name]
	if from == "" {
		return nil
	}
	for _, num := range nums {
		var id string
		found, err := t.one(ctx, "SELECT id FROM "+from+" WHERE num = $1", []any{num}, &id)
		if err != nil {
			return err
		}
		if !found { // it became what is there already, and went
			if _, err := t.exec(ctx, "DELETE FROM "+from+"_words WHERE rowid = $1", num); err != nil {
				return err
			}
			continue
		}
		title, body := "", ""
		switch from {
		case "alert":
			var a honeyguide.Alert
			if a, err = t.Alerts().Get(ctx, id); err == nil {
				title, body = state.Column(a.Title), state.AlertText(&a)
			}
		case "incident":
			var i honeyguide.Incident
			if i, err = t.Incidents().Get(ctx, id); err == nil {
				title, body = state.Column(i.Title), state.IncidentText(&i)
			}
		case "session":
			var s honeyguide.Session
			if s, err = t.Sessions().Get(ctx, id); err == nil {
				body = state.SessionText(&s)
			}
		}
		if err != nil {
			return err
		}
		t.index(from+"_words", num.(int64), true, title, body)
	}
	return nil
}

// Scour makes the file anew.
func (s *Store) Scour(ctx context.Context) error { return fault(s.scour(ctx)) }

// scour makes the words and the file anew, so that no free page keeps what was
// there, and empties the journal. Readers wait for a moment at the end.
func (s *Store) scour(ctx context.Context) error {
	w, err := s.writer.lend(ctx)
	if err != nil {
		return err
	}
	defer func() { s.writer.idle <- w }()
	whole := context.WithoutCancel(ctx) // half of it would have to be done again
	for _, q := range []string{
		"INSERT INTO alert_words (alert_words) VALUES ('optimize')", "INSERT INTO incident_words (incident_words) VALUES ('optimize')",
		"INSERT INTO session_words (session_words) VALUES ('optimize')", "VACUUM",
	} {
		if _, err := w.c.ExecContext(whole, q); err != nil {
			return fmt.Errorf("make the file anew: %w", err)
		}
	}
	var held []*conn
	defer func() {
		for _, c := range held {
			s.readers.idle <- c
		}
	}()
	for range cap(s.readers.idle) { // a reader would hold the journal
		c, err := s.readers.lend(ctx)
		if err != nil {
			return err
		}
		held = append(held, c)
	}
	var busy, size, moved int64
	for attempt := 0; ; attempt++ {
		if err := w.c.QueryRowContext(whole, "PRAGMA wal_checkpoint(TRUNCATE)").Scan(&busy, &size, &moved); err != nil {
			return fmt.Errorf("empty the journal: %w", err)
		}
		if busy == 0 {
			break
		}
		if attempt == 20 {
			return errors.New("empty the journal: another process reads the file")
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(100 * time.Millisecond):
		}
	}
	return s.dropCopies()
}

// dropCopies removes the copies that upgrades by earlier programs made: they hold
// what is to be gone in a form this program does not read.
func (s *Store) dropCopies() error {
	old, err := filepath.Glob(s.path + ".v*.bak")
	if err != nil {
		return err
	}
	for _, path := range old {
		if err := os.Remove(path); err != nil {
			return err
		}
	}
	return nil
}

// lend takes a connection out of the pool; the caller puts it back into idle.
func (p *pool) lend(ctx context.Context) (*conn, error) {
	var c *conn
	select {
	case c = <-p.idle:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	if c == nil {
		return nil, errors.New("the state is closed")
	}
	if c.c == nil {
		var err error
		if c.c, err = p.db.Conn(ctx); err != nil {
			p.idle <- c
			return nil, fmt.Errorf("connect to state: %w", err)
		}
		c.stmts = make(map[string]*sql.Stmt)
	}
	return c, nil
}
