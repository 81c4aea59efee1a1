package sqlite

import (
	"cmp"
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
	// How the rows are best found: few of them match, in no order; or reading the
	// set they are in costs so much that it must be read only once.
	rare, common bool
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

// many is how many members make a set too common to start from.
const many = 5000

// among asks that a row's num is one of the keys of table for which cond holds of
// arg. A rare set is read and its rows sorted. With a common one (a word in every
// title) that would touch half the table for a page: the rows are taken in order
// and looked up in the set until the page is full. The plus keeps the planner from
// turning that round. FTS5 finds a rowid by walking the list of its word, so there
// the set is read once; a table with an index is asked row by row.
func (w *where) among(ctx context.Context, t *tx, table, key, cond string, arg any) error {
	q := fmt.Sprintf("SELECT count(*) FROM (SELECT 1 FROM %s WHERE %s $1 LIMIT %d)", table, cond, many)
	var n int
	if _, err := t.one(ctx, q, []any{arg}, &n); err != nil {
		return err
	}
	set := fmt.Sprintf("SELECT %s FROM %s WHERE %s %s", key, table, cond, w.arg(arg))
	switch {
	case n < many:
		w.rare = true
		w.add("num IN (" + set + ")")
	case key == "rowid":
		w.common = true
		w.add("+num IN (" + set + ")")
	default:
		w.add("EXISTS (" + set + " AND " + key + " = num)")
	}
	return nil
}

// text asks the words table of a noun.
func (w *where) text(ctx context.Context, t *tx, table, text string) error {
	words, ok, err := state.Words(text)
	if err != nil || len(words) == 0 {
		w.none = w.none || !ok
		return err
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	return w.among(ctx, t, table, "rowid", table+" MATCH", match(words))
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
	rest   string // text expression: the rest of the document, "" when doc is all of it
	is     []string
	split  string // a column of which each of the values is asked for by itself, see query
	oldest bool   // oldest first, and there is always a next page
}

// key is the place of a row.
type key struct {
	at int64
	id string
}

// changed is the list in the order of changes.
func (l list) changed(p state.Page) (changed list, asked bool) {
	if !p.ByChange(l.name) {
		return l, false
	}
	l.name, l.at, l.id, l.oldest = l.name.Changes(), "changed", "id", true
	return l, true
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
		beyond := "<"
		if l.oldest {
			beyond = ">"
		}
		w.add(fmt.Sprintf("(%s, %s) %s (%s, %s)", l.at, l.id, beyond, w.arg(at), w.arg(id)))
	} else if l.oldest {
		w.add(l.at + " >= " + w.arg(micros(state.Time(p.Since))))
	}
	columns := fmt.Sprintf("doc, %s, %s, %s", cmp.Or(l.rest, "''"), l.at, l.id)
	order := fmt.Sprintf(" ORDER BY %s DESC, %s DESC", l.at, l.id)
	if l.oldest {
		order = fmt.Sprintf(" ORDER BY %s, %s", l.at, l.id)
	}
	limit := " LIMIT " + w.arg(p.Rows()+1)
	if w.rare && !w.none { // sort keys, not documents
		w.in(l.split, l.is)
		keys := "SELECT " + l.id + " FROM " + l.table + w.String() + order + limit
		return "SELECT " + columns + " FROM " + l.table + " WHERE " + l.id + " IN (" + keys + ")" + order, w.args, nil
	}
	part := "SELECT " + columns + " FROM " + l.table
	if len(l.is) < 2 || w.none || w.common || l.oldest {
		if w.common || l.oldest { // the order comes from the index on it alone
			l.split = "+" + l.split
		}
		w.in(l.split, l.is)
		return part + w.String() + order + limit, w.args, nil
	}
	parts := make([]string, len(l.is))
	for i, v := range l.is {
		one := where{conds: slices.Concat([]string{l.split + " = " + w.arg(v)}, w.conds)}
		parts[i] = part + one.String()
	}
	return strings.Join(parts, " UNION ALL ") + order + limit, w.args, nil
}

// in asks that a column has one of the values; no values ask nothing.
func (w *where) in(column string, values []string) {
	if len(values) == 0 {
		return
	}
	args := make([]string, len(values))
	for i, v := range values {
		args[i] = w.arg(v)
	}
	w.add(column + " IN (" + strings.Join(args, ", ") + ")")
}

// page reads one page of documents and the cursor of the next.
func page[T any](ctx context.Context, t *tx, l list, w where, p state.Page) ([]T, string, error) {
	return pageBy(ctx, t, l, w, p, func(doc, rest string, v *T) error { return decode(joined(doc, rest), v) })
}

// pageBy reads the rows of one page with a reader of their own.
func pageBy[T any](ctx context.Context, t *tx, l list, w where, p state.Page, read func(doc, rest string, v *T) error) ([]T, string, error) {
	out := []T{}
	next, err := keyset(ctx, t, l, w, p, func(doc, rest string, _ key) error {
		out = append(out, *new(T)) // read where it stays: an alert is a kilobyte
		return read(doc, rest, &out[len(out)-1])
	})
	return out, next, err
}

// count counts the rows of all pages, as far as that is worth it.
func (l list) count(ctx context.Context, t *tx, w where, p state.Page) error {
	w.conds, w.args = slices.Clone(w.conds), slices.Clone(w.args)
	if l.oldest && p.After == "" {
		w.add(l.at + " >= " + w.arg(micros(state.Time(p.Since))))
	}
	w.in(l.split, l.is)
	q := "SELECT count(*) FROM (SELECT 1 FROM " + l.table + w.String() + " LIMIT " + strconv.Itoa(state.MaxCounted+1) + ")"
	_, err := t.one(ctx, q, w.args, &p.Count.Rows)
	p.Count.Known = err == nil
	if p.Count.Rows > state.MaxCounted {
		p.Count.Rows, p.Count.Capped = state.MaxCounted, true
	}
	return err
}

// keyset calls row for the rows of one page and returns the cursor of the next.
func keyset(ctx context.Context, t *tx, l list, w where, p state.Page, row func(doc, rest string, k key) error) (string, error) {
	l, follow := l.changed(p)
	if p.Count != nil {
		if err := l.count(ctx, t, w, p); err != nil {
			return "", err
		}
	}
	q, args, err := l.query(w, p)
	if err != nil {
		return "", err
	}
	n, more, last := 0, false, key{}
	err = t.each(ctx, q, args, func(scan func(...any) error) error {
		var doc, rest string
		var k key
		if err := scan(&doc, &rest, &k.at, &k.id); err != nil {
			return err
		}
		if n++; n > p.Rows() {
			more = true
			return nil
		}
		last = k
		return row(doc, rest, k)
	})
	switch {
	case err != nil || !more && !follow:
		return "", err
	case n == 0 && p.After != "":
		return p.After, nil
	case n == 0:
		last.at = micros(state.Time(p.Since))
	}
	return state.Cursor(l.name, last.at, last.id), nil
}

// joined makes one JSON object of two: where both have a name, the second counts.
func joined(doc, rest string) string {
	if rest == "" {
		return doc
	}
	return strings.TrimSuffix(doc, "}") + "," + strings.TrimPrefix(rest, "{")
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
