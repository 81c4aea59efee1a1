package sqlite

import (
	"bytes"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/state"
)

// tx is one transaction on one connection.
type tx struct {
	conn   *conn
	now    func() time.Time
	failed error // the first statement that failed: the transaction can only end
	later  later
	at     int64    // see stamp
	held   *holding // see scope; nil until it is asked for
}

// The nouns share the transaction.
type (
	alerts      struct{ *tx }
	incidents   struct{ *tx }
	sessions    struct{ *tx }
	tokens      struct{ *tx }
	samples     struct{ *tx }
	enrichments struct{ *tx }
	attackers   struct{ *tx }
	plans       struct{ *tx }
	deadLetters struct{ *tx }
	jobs        struct{ *tx }
	cursors     struct{ *tx }
	checkpoints struct{ *tx }
	meta        struct{ *tx }
	retention   struct{ *tx }
	verdicts    struct{ *tx }
	models      struct{ *tx }
)

func (t *tx) Alerts() state.Alerts           { return alerts{t} }
func (t *tx) Incidents() state.Incidents     { return incidents{t} }
func (t *tx) Sessions() state.Sessions       { return sessions{t} }
func (t *tx) Tokens() state.Tokens           { return tokens{t} }
func (t *tx) Samples() state.Samples         { return samples{t} }
func (t *tx) Enrichments() state.Enrichments { return enrichments{t} }
func (t *tx) Attackers() state.Attackers     { return attackers{t} }
func (t *tx) Plans() state.Plans             { return plans{t} }
func (t *tx) DeadLetters() state.DeadLetters { return deadLetters{t} }
func (t *tx) Jobs() state.Jobs               { return jobs{t} }
func (t *tx) Cursors() state.Cursors         { return cursors{t} }
func (t *tx) Checkpoints() state.Checkpoints { return checkpoints{t} }
func (t *tx) Meta() state.Meta               { return meta{t} }
func (t *tx) Retention() state.Retention     { return retention{t} }
func (t *tx) Verdicts() state.Verdicts       { return verdicts{t} }
func (t *tx) Models() state.Models           { return models{t} }

var errOver = errors.New("the transaction is over")

func (t *tx) stmt(ctx context.Context, q string) (*sql.Stmt, error) {
	switch {
	case t.conn == nil:
		return nil, errOver
	case t.failed != nil:
		return nil, t.failed
	case ctx.Err() != nil:
		return nil, t.note(ctx.Err())
	}
	s, err := t.conn.prepare(ctx, q)
	return s, t.note(err)
}

// note remembers the first failure.
func (t *tx) note(err error) error {
	if err != nil && t.failed == nil {
		t.failed = err
	}
	return err
}

// exec runs a statement, which must be quick, and returns the number of rows it changed.
func (t *tx) exec(ctx context.Context, q string, args ...any) (int64, error) {
	s, err := t.stmt(ctx, q)
	if err != nil {
		return 0, err
	}
	r, err := s.ExecContext(context.WithoutCancel(ctx), args...)
	if err != nil {
		return 0, t.note(err)
	}
	return r.RowsAffected()
}

// A statement that can be cancelled costs two goroutines: exec and one look at the
// context before they start and then run to their end, each can be stopped.

// one scans the only row of a question, which must be quick; found is false when there is none.
func (t *tx) one(ctx context.Context, q string, args []any, into ...any) (found bool, err error) {
	s, err := t.stmt(ctx, q)
	if err != nil {
		return false, err
	}
	err = s.QueryRowContext(context.WithoutCancel(ctx), args...).Scan(into...)
	if errors.Is(err, sql.ErrNoRows) {
		return false, nil
	}
	return err == nil, t.note(err)
}

// each calls row for every row of an answer, in order. row must not ask questions.
func (t *tx) each(ctx context.Context, q string, args []any, row func(scan func(...any) error) error) error {
	s, err := t.stmt(ctx, q)
	if err != nil {
		return err
	}
	rows, err := s.QueryContext(ctx, args...)
	if err != nil {
		return t.note(err)
	}
	defer rows.Close()
	for rows.Next() {
		if err := row(rows.Scan); err != nil {
			return t.note(err)
		}
	}
	return t.note(rows.Err())
}

// encode writes a value as the JSON that is stored, and brings *v to what that
// JSON says: a byte that is no UTF-8 is U+FFFD from here on.
func encode[T any](v *T) (string, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return "", fmt.Errorf("encode %T: %w", *v, err)
	}
	// The encoder writes the escape for a bad byte only; a true U+FFFD is written raw.
	if bytes.Contains(b.Bytes(), []byte(`\ufffd`)) {
		var clean T
		if err := json.Unmarshal(b.Bytes(), &clean); err != nil {
			return "", fmt.Errorf("encode %T: %w", *v, err)
		}
		*v = clean
	}
	return string(bytes.TrimSuffix(b.Bytes(), []byte("\n"))), nil
}

func decode[T any](doc string, v *T) error {
	if err := json.Unmarshal([]byte(doc), v); err != nil {
		return fmt.Errorf("decode stored %T: %w", *v, err)
	}
	return nil
}

// micros is a moment in a column; the zero time is 0.
func micros(t time.Time) int64 {
	if t.IsZero() {
		return 0
	}
	return t.UnixMicro()
}

func moment(us int64) time.Time {
	if us == 0 {
		return time.Time{}
	}
	return time.UnixMicro(us).UTC()
}

// short reads "A-12" in any case as 12; ok is false for anything else.
func short(prefix, s string) (n int64, ok bool) {
	digits, found := strings.CutPrefix(strings.ToUpper(s), prefix)
	if !found || digits == "" || digits[0] < '1' || digits[0] > '9' {
		return 0, false
	}
	n, err := strconv.ParseInt(digits, 10, 64)
	return n, err == nil
}

func notFound(what, id string) error {
	return &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no %s %.80q", what, id)}
}

func invalid(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: text}
}

func conflict(text string) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: text}
}

// doing says what failed; what a user may read stays first.
func doing(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", what, err)
}

// bit is how a yes or no is stored in every engine.
func bit(b bool) int {
	if b {
		return 1
	}
	return 0
}
