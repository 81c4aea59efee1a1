package backup

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/audit"
)

// A Store is a store opened for reading.
type Store struct {
	from  string
	mark  Mark
	place place
}

// A place is where a store's parts lie.
type place interface {
	read(name string, most int64) ([]byte, error)
	open(name string) (io.ReadCloser, int64, error)
	generations() ([]string, error)
	Close() error
}

// Open opens a store, in a folder or in a file, for reading.
func Open(from string) (*Store, error) {
	st, err := os.Stat(from)
	if err != nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no backup at %s", from), Err: err}
	}
	var p place = tree{from}
	if !st.IsDir() {
		if p, err = openArchive(from); err != nil {
			return nil, fmt.Errorf("open %s: %w", from, err)
		}
	}
	raw, err := p.read(markName, maxMark)
	if err != nil {
		return nil, errors.Join(&honeyguide.Error{Code: honeyguide.CodeInvalid, Message: from + " holds no backups of this program", Err: err}, p.Close())
	}
	m, err := readMark(raw)
	if err != nil {
		return nil, errors.Join(fmt.Errorf("open %s: %w", from, err), p.Close())
	}
	return &Store{from, m, p}, nil
}

// Close closes the store.
func (s *Store) Close() error { return s.place.Close() }

// Unlock opens the store's own key with a passphrase.
func (s *Store) Unlock(passphrase honeyguide.Secret) (Key, error) {
	if len(s.mark.Identity) == 0 {
		return Key{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "this store was not made with a passphrase; give the key it was encrypted to with --identity FILE"}
	}
	k, _, err := openIdentity(s.mark.Identity, passphrase)
	return k, err
}

// IDs lists the backups, oldest first.
func (s *Store) IDs() ([]string, error) { return s.place.generations() }

// Manifest reads one manifest; "" means the newest. With key its signature is
// compared with that public key, else with the one it names itself.
func (s *Store) Manifest(id, key string) (*Manifest, error) {
	ids, err := s.IDs()
	if err != nil {
		return nil, err
	}
	if id == "" && len(ids) > 0 {
		id = ids[len(ids)-1]
	}
	if !slices.Contains(ids, id) {
		return nil, &honeyguide.Error{Code: honeyguide.CodeNotFound, Message: fmt.Sprintf("there is no backup %.80q at %s; honeyguide backup list --from %s shows those there are", id, s.from, s.from)}
	}
	raw, err := s.place.read(genPath(id), maxManifest)
	if err != nil {
		return nil, err
	}
	m, err := OpenManifest(raw, key, audit.OpenStatement)
	switch {
	case err != nil:
		return nil, damaged("backup %s: %v", id, err)
	case m.ID != id:
		return nil, damaged("backup %s: its manifest is that of %s", id, m.ID)
	case m.Store != s.mark.Store:
		return nil, damaged("backup %s: it belongs to another store", id)
	case m.Recipient != s.mark.To:
		return nil, damaged("backup %s: it is encrypted to another key than the store says", id)
	}
	return m, nil
}

// damaged says that a backup is not what was written.
func damaged(format string, args ...any) error {
	return &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf(format, args...)}
}

// object opens a stored content. What is read is compared with its name at the
// end: an error then means that nothing of it may be used.
func (s *Store) object(o Object) (io.ReadCloser, error) {
	r, size, err := s.place.open(objectPath(o.Name))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, damaged("object %s is missing", o.Name)
	}
	if err != nil {
		return nil, err
	}
	if size != o.Size {
		return nil, errors.Join(damaged("object %s has %d bytes, and the manifest says %d", o.Name, size, o.Size), r.Close())
	}
	return &compared{r, sha256.New(), o.Name}, nil
}

// compared compares what was read with its name.
type compared struct {
	io.ReadCloser
	h    hash.Hash
	name string
}

func (c *compared) Read(b []byte) (int, error) {
	n, err := c.ReadCloser.Read(b)
	c.h.Write(b[:n])
	if err == io.EOF && hex.EncodeToString(c.h.Sum(nil)) != c.name {
		return 0, damaged("object %s: its bytes are not those that were written", c.name)
	}
	return n, err
}

// extract writes the content of an object to w. sum and size are those of the
// content; sum may be "" when nobody knows it.
func (s *Store) extract(w io.Writer, m *Manifest, k Key, o Object, sum string, size int64) error {
	r, err := s.object(o)
	if err != nil {
		return err
	}
	defer r.Close()
	in, err := k.open(r, m.Encrypted)
	if err == nil {
		c := newCounted(w)
		if size >= 0 {
			in = io.LimitReader(in, size+1)
		}
		if _, err = io.CopyBuffer(c, struct{ io.Reader }{in}, make([]byte, 256<<10)); err == nil && (sum != "" && c.sum() != sum || size >= 0 && c.n != size) {
			err = damaged("object %s: its content is not that of the file it is named for", o.Name)
		}
	}
	// The rest, so that the object itself is compared to its end.
	if _, e := io.Copy(io.Discard, r); e != nil {
		return e // says more than that it did not open
	}
	return err
}

// Files returns the list of files of a backup.
func (s *Store) Files(m *Manifest, k Key) ([]File, error) {
	var list bytes.Buffer
	if err := s.extract(&limited{&list, maxManifest}, m, k, m.Contents, "", -1); err != nil {
		return nil, fmt.Errorf("read the list of files: %w", err)
	}
	files, err := readFiles(&list, !m.Encrypted)
	if err != nil {
		return nil, damaged("the list of files of backup %s: %v", m.ID, err)
	}
	known := map[string]int64{}
	for _, o := range m.Objects {
		known[o.Name] = o.Size
	}
	for i := range files {
		if size, ok := known[files[i].Object]; !ok || size != files[i].Stored {
			return nil, damaged("the list of files of backup %s: the manifest has no object for %s", m.ID, files[i].Path)
		}
	}
	return files, nil
}

type limited struct {
	w    io.Writer
	left int
}

func (l *limited) Write(b []byte) (int, error) {
	if l.left -= len(b); l.left < 0 {
		return 0, errors.New("it is larger than any this program writes")
	}
	return l.w.Write(b)
}

// A tree is a store in a folder.
type tree struct{ dir string }

func (t tree) Close() error { return nil }

func (t tree) path(name string) string { return filepath.Join(t.dir, filepath.FromSlash(name)) }

func (t tree) read(name string, most int64) ([]byte, error) { return readSmall(t.path(name), most) }

func (t tree) open(name string) (io.ReadCloser, int64, error) {
	st, err := os.Lstat(t.path(name))
	if err != nil {
		return nil, 0, err
	}
	if !st.Mode().IsRegular() {
		return nil, 0, damaged("%s is no plain file", name)
	}
	f, err := os.Open(t.path(name))
	return f, st.Size(), err
}

func (t tree) generations() ([]string, error) {
	list, err := os.ReadDir(filepath.Join(t.dir, genDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	var ids []string
	for _, d := range list {
		if id, ok := strings.CutSuffix(d.Name(), ".json"); ok && idForm.MatchString(id) {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return ids, nil
}

// A packed is a store in a tar archive.
type packed struct {
	f       *os.File
	members map[string]member
}

type member struct{ off, size int64 }

var memberForm = regexp.MustCompile(`^(honeyguide-backup\.json|objects/[0-9a-f]{2}/[0-9a-f]{62}|generations/[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{8}\.json)$`)

// openArchive notes where the members lie. A member with any other name than
// those this program writes is refused, and so are links, folders and twins.
func openArchive(path string) (place, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	p := &packed{f, map[string]member{}}
	if err := p.index(); err != nil {
		return nil, errors.Join(err, f.Close())
	}
	return p, nil
}

func (p *packed) index() error {
	st, err := p.f.Stat()
	if err != nil {
		return err
	}
	r := tar.NewReader(p.f)
	for {
		h, err := r.Next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return damaged("the archive is cut off or changed: %v", err)
		}
		if !memberForm.MatchString(h.Name) || h.Typeflag != tar.TypeReg {
			return damaged("the archive has a member %.200q, which no backup has", h.Name)
		}
		off, err := p.f.Seek(0, io.SeekCurrent)
		if err != nil {
			return err
		}
		if _, twice := p.members[h.Name]; twice || h.Size < 0 || off+h.Size > st.Size() || len(p.members) > maxObjects {
			return damaged("the archive's member %.200q is there twice or cut off", h.Name)
		}
		p.members[h.Name] = member{off, h.Size}
	}
	if ids, err := p.generations(); err != nil || len(ids) != 1 {
		return damaged("the archive holds %d backups, and has to hold one: it is not whole", len(ids))
	}
	return nil
}

func (p *packed) Close() error { return p.f.Close() }

func (p *packed) open(name string) (io.ReadCloser, int64, error) {
	m, ok := p.members[name]
	if !ok {
		return nil, 0, fs.ErrNotExist
	}
	return io.NopCloser(io.NewSectionReader(p.f, m.off, m.size)), m.size, nil
}

func (p *packed) read(name string, most int64) ([]byte, error) {
	r, size, err := p.open(name)
	if err != nil {
		return nil, err
	}
	if size > most {
		return nil, damaged("%s is larger than any this program writes", name)
	}
	return io.ReadAll(r)
}

func (p *packed) generations() ([]string, error) {
	var ids []string
	for name := range p.members {
		if id, ok := strings.CutPrefix(name, genDir+"/"); ok {
			ids = append(ids, strings.TrimSuffix(id, ".json"))
		}
	}
	slices.Sort(ids)
	return ids, nil
}
