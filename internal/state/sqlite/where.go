package sqlite

import (
	"context"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// where gathers the conditions of a list. Column names and numbers of ours go
// into the text; what a user gave is always an argument.
type where struct {
	conds []string
	args  []any
	none  bool // nothing can match
}

func (w *where) arg(v any) string {
	w.args = append(w.args, v)
	return "$" + strconv.Itoa(len(w.args))
}

func (w *where) add(cond string) { w.conds = append(w.conds, cond) }

// is compares a text column with a value unless that is empty. The plain <> ”
// lets the partial indexes on the column be used.
func (w *where) is(column, value string) {
	if value != "" {
		w.add(column + " <> '' AND " + column + " = " + w.arg(state.Key(value)))
	}
}

// addr is is for an address, in whatever form it was typed.
func (w *where) addr(column, value string) {
	if a, err := netip.ParseAddr(strings.TrimSpace(value)); err == nil {
		value = a.Unmap().WithZone("").String()
	}
	w.is(column, value)
}

// severity asks for at least least. The constant 4 is that of the partial indexes.
func (w *where) severity(least honeyguide.Severity) {
	if least >= honeyguide.SeverityHigh {
		w.add("severity >= 4")
	}
	if least > honeyguide.SeverityUnknown && least != honeyguide.SeverityHigh {
		w.add("severity >= " + strconv.Itoa(int(least)))
	}
}

func (w *where) between(column string, from, to time.Time) {
	if !from.IsZero() {
		w.add(column + " >= " + w.arg(micros(state.Time(from))))
	}
	if !to.IsZero() {
		w.add(column + " < " + w.arg(micros(state.Time(to))))
	}
}

// text asks the words table of a noun.
func (w *where) text(table, text string) error {
	words, ok, err := state.Words(text)
	if err != nil {
		return err
	}
	if !ok {
		w.none = true
	}
	if len(words) > 0 {
		w.add("num IN (SELECT rowid FROM " + table + " WHERE " + table + " MATCH " + w.arg(match(words)) + ")")
	}
	return nil
}

// match writes words in FTS5's language: each one a quoted phrase, the last one a
// beginning.
func match(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = `"` + strings.ReplaceAll(w, `"`, `""`) + `"`
	}
	return strings.Join(quoted, " ") + "*"
}

func (w *where) String() string {
	if w.none {
		return " WHERE 1 = 0"
	}
	if len(w.conds) == 0 {
		return ""
	}
	return " WHERE " + strings.Join(w.conds, " AND ")
}

// list is how the pages of one list are read: newest first by (at, id).
type list struct {
	name   state.List
	table  string
	at, id string // columns
	is     []string
	split  string // a column of which each of the values is asked for by itself, see query
}

// key is the place of a row.
type key struct {
	at int64
	id string
}

// query writes the question for one page. Several values of a status are asked one
// by one and merged: the index (status, at, id) gives each in order, while
// "status IN" would sort them all.
func (l list) query(w where, p state.Page) (string, []any, error) {
	w.conds, w.args = slices.Clone(w.conds), slices.Clone(w.args)
	if p.After != "" {
		at, id, err := state.ParseCursor(l.name, p.After)
		if err != nil {
			return "", nil, err
		}
		w.add(fmt.Sprintf("(%s, %s) < (%s, %s)", l.at, l.id, w.arg(at), w.arg(id)))
	}
	part := fmt.Sprintf("SELECT doc, %s, %s FROM %s", l.at, l.id, l.table)
	q := part + w.String()
	if len(l.is) > 0 && !w.none {
		parts := make([]string, len(l.is))
		for i, v := range l.is {
			one := where{conds: slices.Concat([]string{l.split + " = " + w.arg(v)}, w.conds)}
			parts[i] = part + one.String()
		}
		q = strings.Join(parts, " UNION ALL ")
	}
	limit := w.arg(p.Rows() + 1)
	return fmt.Sprintf("%s ORDER BY %s DESC, %s DESC LIMIT %s", q, l.at, l.id, limit), w.args, nil
}

// page reads one page of documents and the cursor of the next.
func page[T any](ctx context.Context, t *tx, l list, w where, p state.Page) ([]T, string, error) {
	out := []T{}
	next, err := keyset(ctx, t, l, w, p, func(doc string, _ key) error {
		var v T
		if err := decode(doc, &v); err != nil {
			return err
		}
		out = append(out, v)
		return nil
	})
	return out, next, err
}

// keyset calls row for the rows of one page and returns the cursor of the next.
func keyset(ctx context.Context, t *tx, l list, w where, p state.Page, row func(doc string, k key) error) (string, error) {
	q, args, err := l.query(w, p)
	if err != nil {
		return "", err
	}
	n, more, last := 0, false, key{}
	err = t.each(ctx, q, args, func(scan func(...any) error) error {
		var doc string
		var k key
		if err := scan(&doc, &k.at, &k.id); err != nil {
			return err
		}
		if n++; n > p.Rows() {
			more = true
			return nil
		}
		last = k
		return row(doc, k)
	})
	if err != nil || !more {
		return "", err
	}
	return state.Cursor(l.name, last.at, last.id), nil
}

// texts turns a list of named strings into plain ones, each once.
func texts[S ~string](list []S) []string {
	var out []string
	for _, s := range list {
		if v := state.Key(string(s)); !slices.Contains(out, v) {
			out = append(out, v)
		}
	}
	return out
}
