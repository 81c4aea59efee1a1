package sqlite

import (
	"context"
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"time"

	"honeyguide/internal/sqldb"
	"honeyguide/internal/state"
)

// maxStatements bounds the prepared statements of one connection. Filters can be
// combined in many ways; what is asked often is prepared again at once.
const maxStatements = 256

// pool lends connections to transactions. database/sql prepares a statement anew
// in every sql.Tx on a pool of one, so a transaction here is a connection with
// its own statements and a BEGIN.
type pool struct {
	db    *sql.DB
	begin string
	idle  chan *conn // a conn with a nil c is opened when it is lent
}

type conn struct {
	c     *sql.Conn
	stmts map[string]*sql.Stmt
	warm  warm
}

// newPool returns a pool of n connections; each remembers up to memory bytes of
// alerts.
func newPool(db *sql.DB, n int, begin string, memory int64) *pool {
	p := &pool{db: db, begin: begin, idle: make(chan *conn, n)}
	for range n {
		p.idle <- &conn{warm: warm{most: int(memory)}}
	}
	return p
}

// close takes all connections back, which waits for their transactions, and closes
// them and the file.
func (p *pool) close() error {
	var errs []error
	for range cap(p.idle) {
		errs = append(errs, (<-p.idle).drop())
	}
	close(p.idle)
	return errors.Join(append(errs, p.db.Close())...)
}

// run lends a connection to fn in one transaction.
func (p *pool) run(ctx context.Context, now func() time.Time, fn func(state.Tx) error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	var c *conn
	select {
	case c = <-p.idle:
	case <-ctx.Done():
		return ctx.Err()
	}
	if c == nil {
		return errors.New("the state is closed")
	}
	defer func() { p.idle <- c }()
	if c.c == nil {
		var err error
		if c.c, err = p.db.Conn(ctx); err != nil {
			return fmt.Errorf("connect to state: %w", err)
		}
		c.stmts = make(map[string]*sql.Stmt)
	}
	return c.transact(ctx, p.begin, now, fn)
}

// transact ends the transaction whatever fn does. BEGIN may be cancelled; COMMIT
// and ROLLBACK run to their end, so that the outcome is known and the connection
// is clean.
func (c *conn) transact(ctx context.Context, begin string, now func() time.Time, fn func(state.Tx) error) (err error) {
	whole := context.WithoutCancel(ctx)
	if err := c.do(ctx, begin); err != nil {
		// Cancelled while it ran: whether it took effect is not known.
		_ = c.do(whole, "ROLLBACK")
		c.retire(err)
		return fmt.Errorf("begin: %w", err)
	}
	if len(c.stmts) > maxStatements {
		c.forget()
	}
	open := true
	t := &tx{conn: c, now: now}
	defer func() {
		t.conn = nil // a Tx kept beyond its function must not write into another's transaction
		if open {
			c.warm = warm{most: c.warm.most}
			if e := c.do(whole, "ROLLBACK"); e != nil && err != nil && !sqldb.IsFull(err) && !sqldb.IsLost(err) {
				// SQLite has rolled back by itself after a full disk or a failed write.
				_ = c.drop()
			}
		}
		c.retire(err)
	}()
	if err := fn(t); err != nil {
		return err
	}
	if err := t.flush(ctx); err != nil {
		return err
	}
	if t.failed != nil { // half a write must not be committed because its error was passed over
		return t.failed
	}
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := c.do(whole, "COMMIT"); err != nil {
		return fmt.Errorf("commit: %w", err)
	}
	open = false
	return nil
}

// retire closes a connection whose view of the file can no longer be trusted.
func (c *conn) retire(err error) {
	if err != nil && (sqldb.IsLost(err) || sqldb.IsCorrupt(err) || errors.Is(err, driver.ErrBadConn)) {
		_ = c.drop()
	}
}

// drop closes the connection for good: it does not go back to database/sql.
func (c *conn) drop() error {
	if c.c == nil {
		return nil
	}
	c.forget()
	_ = c.c.Raw(func(any) error { return driver.ErrBadConn })
	err := c.c.Close()
	c.c = nil
	if errors.Is(err, sql.ErrConnDone) || errors.Is(err, driver.ErrBadConn) {
		return nil
	}
	return err
}

func (c *conn) forget() {
	for _, s := range c.stmts {
		_ = s.Close()
	}
	c.stmts = make(map[string]*sql.Stmt)
}

func (c *conn) do(ctx context.Context, q string) error {
	s, err := c.prepare(ctx, q)
	if err != nil {
		return err
	}
	_, err = s.ExecContext(ctx)
	return err
}

func (c *conn) prepare(ctx context.Context, q string) (*sql.Stmt, error) {
	if c.c == nil {
		return nil, sql.ErrConnDone
	}
	if s, ok := c.stmts[q]; ok {
		return s, nil
	}
	s, err := c.c.PrepareContext(ctx, q)
	if err != nil {
		return nil, err
	}
	c.stmts[q] = s
	return s, nil
}
