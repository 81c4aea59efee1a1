package backup

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"honeyguide"
	"honeyguide/internal/audit"
)

// erasedName is the file of a store that says what was erased on the node, up to
// now and not up to a backup: who restores an older copy, perhaps because nothing
// else is left of the node, has to erase it again.
const erasedName = "erasures.json"

// signedErased is the first line of what is signed for it.
const signedErased = "honeyguide-erasures v1"

const maxErased = 32 << 20

// erased is the content of the file.
type erased struct {
	Format int       `json:"format"`
	Store  string    `json:"store"`
	At     time.Time `json:"at"`
	List   []byte    `json:"list"` // encrypted as everything in the store is
}

// KeepErased writes the list of erasures into the folder backups go to. It is an
// error that wraps fs.ErrNotExist when there are none: the folder may be a mount
// that is away.
func KeepErased(ctx context.Context, job Job, list []byte) (err error) {
	if strings.HasSuffix(job.To, ArchiveSuffix) {
		return nil // a file is not changed any more
	}
	if _, err := os.Stat(filepath.Join(job.To, markName)); err != nil {
		return err
	}
	if job.Now == nil {
		job.Now = time.Now
	}
	f, err := openFolder(job.To)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	b := &making{Job: job, out: f}
	b.pace = newPace(ctx, 0, nil)
	m, made, err := f.mark()
	if err != nil || !made {
		return errors.Join(err, fs.ErrNotExist)
	}
	if b.lock, err = b.agree(&m, made); err != nil {
		return err
	}
	b.mark = m
	if err := b.ownStore(); err != nil {
		return err
	}
	return b.keepErased(f, list)
}

// keepErased signs the list and puts it in place.
func (b *making) keepErased(f *folder, list []byte) error {
	var sealed bytes.Buffer
	w, err := b.lock.seal(&sealed)
	if err == nil {
		_, err = w.Write(list)
		err = errors.Join(err, w.Close())
	}
	if err != nil {
		return fmt.Errorf("seal the list of erasures: %w", err)
	}
	body, err := json.Marshal(erased{Format, b.mark.Store, b.Now().UTC(), sealed.Bytes()})
	if err != nil {
		return err
	}
	note, err := b.Audit.SignStatement(statement(signedErased, b.mark.Store, body))
	if err != nil {
		return err
	}
	raw, err := encodeEnvelope(string(note), body)
	if err != nil {
		return err
	}
	return f.place(erasedName, raw)
}

// readErased reads the list as it is kept, and compares its signature with a key;
// nil when there is none.
func (s *Store) readErased(key string) (*erased, error) {
	raw, err := s.place.read(erasedName, maxErased)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	l, err := openErased(raw, key, s.mark.Store)
	if err != nil {
		return nil, damaged("the list of erasures, %s: %v", erasedName, err)
	}
	return l, nil
}

func openErased(raw []byte, key, store string) (*erased, error) {
	var e envelope
	var l erased
	if err := strict(raw, &e); err != nil {
		return nil, err
	}
	if err := strict(e.Manifest, &l); err != nil {
		return nil, err
	}
	text, err := audit.OpenStatement([]byte(e.Note), key)
	switch {
	case err != nil:
		return nil, fmt.Errorf("its signature does not hold: %w", err)
	case text != statement(signedErased, l.Store, e.Manifest):
		return nil, errors.New("its signature is that of another one")
	case l.Store != store || l.Format != Format:
		return nil, errors.New("it belongs to another store")
	}
	return &l, nil
}

// Erased returns the list of erasures the store was told last by the node m is of,
// and when; nil when it was told none.
func (s *Store) Erased(m *Manifest, k Key) (list []byte, at time.Time, err error) {
	l, err := s.readErased(m.AuditKey)
	if l == nil || err != nil {
		return nil, at, err
	}
	r, err := k.open(bytes.NewReader(l.List), m.Encrypted)
	if err == nil {
		list, err = io.ReadAll(r)
	}
	return list, l.At, err
}

// ownStore refuses a folder that holds the backups of another node: to keep so many
// of them would remove the other's.
func (b *making) ownStore() error {
	id := b.out.last()
	if id == "" {
		return nil
	}
	m, err := (&Store{b.To, b.mark, tree{b.To}}).Manifest(id, "")
	if err != nil {
		return nil //nolint:nilerr // a damaged one is no reason to make none
	}
	if m.AuditKey != b.Audit.PublicKey() {
		return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf("the backups in %s are those of another node, %.80q: give each its own folder", b.To, m.Node)}
	}
	return nil
}
