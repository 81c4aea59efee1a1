package backup

import (
	"archive/tar"
	"bufio"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"honeyguide"
	"honeyguide/internal/sqldb"
)

// Names in a store.
const (
	markName   = "honeyguide-backup.json"
	objectsDir = "objects"
	genDir     = "generations"
	partPrefix = ".part-"
	maxMark    = 64 << 10
)

// A Mark says what a store is.
type Mark struct {
	Format   int    `json:"format"`
	Store    string `json:"store"`
	To       string `json:"to,omitempty"`       // recipient; "" = plain
	Identity []byte `json:"identity,omitempty"` // key pair of the store, sealed under the passphrase
}

func readMark(raw []byte) (Mark, error) {
	var m Mark
	if err := strict(raw, &m); err != nil {
		return m, fmt.Errorf("%s: %w", markName, err)
	}
	switch {
	case m.Format < 1 || m.Format > Format:
		return m, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("this store has format %d, and this program knows up to %d; use a newer one", m.Format, Format)}
	case m.Store == "" || len(m.Store) > 64:
		return m, fmt.Errorf("%s: it has no id", markName)
	}
	return m, nil
}

// A sink takes what a backup writes.
type sink interface {
	// mark returns what the store is; made is false when there was none yet.
	mark() (m Mark, made bool, err error)
	begin(m Mark) error
	has(o Object) bool
	put(content content, l Lock, p *pace) (put, error)
	drop(name string) // takes back what was put
	last() string     // id of the newest backup; "" = there is none
	commit(id string, manifest []byte) error
	Close() error
}

// A content writes itself.
type content func(w io.Writer) error

// A put is a content that was stored.
type put struct {
	Object
	sum  string // SHA-256 of the content
	size int64  // bytes of the content
}

// counted hashes and counts what is written through it.
type counted struct {
	w io.Writer
	h hash.Hash
	n int64
}

func newCounted(w io.Writer) *counted { return &counted{w: w, h: sha256.New()} }

func (c *counted) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.h.Write(b[:n])
	c.n += int64(n)
	return n, err
}

func (c *counted) sum() string { return hex.EncodeToString(c.h.Sum(nil)) }

// store writes a content to w, locked.
func store(content content, w io.Writer, l Lock, p *pace) (put, error) {
	buffered := bufio.NewWriterSize(w, 256<<10)
	out := newCounted(buffered)
	locked, err := l.seal(out)
	if err != nil {
		return put{}, err
	}
	in := newCounted(locked)
	if err := content(p.writer(in)); err != nil {
		return put{}, err
	}
	if err := errors.Join(locked.Close(), buffered.Flush()); err != nil {
		return put{}, err
	}
	return put{Object{out.sum(), out.n}, in.sum(), in.n}, nil
}

func objectPath(name string) string { return objectsDir + "/" + name[:2] + "/" + name[2:] }

func genPath(id string) string { return genDir + "/" + id + ".json" }

// A folder is a store in a folder.
type folder struct {
	dir   string
	lock  io.Closer
	fresh map[string]bool // folders of objects whose names are not on the disk yet
}

// openFolder takes a folder for writing. One that holds other things is refused.
func openFolder(dir string) (*folder, error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	list, err := os.ReadDir(dir)
	if err != nil {
		return nil, fmt.Errorf("open the store: %w", err)
	}
	known := []string{markName, erasedName, objectsDir, genDir, lockFile, "lost+found"}
	for _, d := range list {
		if !slices.Contains(known, d.Name()) && !strings.HasPrefix(d.Name(), partPrefix) {
			return nil, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: fmt.Sprintf("%s holds other things (%s); name an empty folder, or one that holds backups", dir, d.Name())}
		}
	}
	lock, err := sqldb.Lock(dir)
	if err != nil {
		if honeyguide.ErrorCode(err) == honeyguide.CodeConflict {
			err = &honeyguide.Error{Code: honeyguide.CodeConflict, Message: "another backup to " + dir + " is under way", Err: err}
		}
		return nil, err
	}
	f := &folder{dir, lock, map[string]bool{}}
	for _, sub := range []string{objectsDir, genDir} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o700); err != nil {
			return nil, errors.Join(fmt.Errorf("open the store: %w", err), f.Close())
		}
	}
	return f, f.sweep()
}

// sweep removes what an interrupted backup left half written.
func (f *folder) sweep() error {
	for _, sub := range []string{"", objectsDir, genDir} {
		if err := sweepParts(filepath.Join(f.dir, sub), partPrefix); err != nil {
			return err
		}
	}
	return nil
}

// sweepParts removes the files of a folder whose names begin so.
func sweepParts(dir, prefix string) error {
	list, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("open the store: %w", err)
	}
	for _, d := range list {
		if strings.HasPrefix(d.Name(), prefix) {
			if err := os.Remove(filepath.Join(dir, d.Name())); err != nil {
				return fmt.Errorf("open the store: %w", err)
			}
		}
	}
	return nil
}

func (f *folder) Close() error { return f.lock.Close() }

func (f *folder) mark() (m Mark, made bool, err error) {
	raw, err := readSmall(filepath.Join(f.dir, markName), maxMark)
	if errors.Is(err, fs.ErrNotExist) {
		return m, false, nil
	}
	if err != nil {
		return m, false, err
	}
	m, err = readMark(raw)
	return m, true, err
}

func (f *folder) begin(m Mark) error {
	if _, made, err := f.mark(); err != nil || made {
		return err
	}
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return f.place(markName, append(raw, '\n'))
}

// place writes a small file whole or not at all, and durably.
func (f *folder) place(name string, raw []byte) error {
	part, err := os.CreateTemp(f.dir, partPrefix)
	if err != nil {
		return err
	}
	defer os.Remove(part.Name())
	_, err = part.Write(raw)
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return err
	}
	full := filepath.Join(f.dir, filepath.FromSlash(name))
	if err := os.Rename(part.Name(), full); err != nil {
		return err
	}
	return syncDir(filepath.Dir(full))
}

func (f *folder) has(o Object) bool {
	st, err := os.Stat(filepath.Join(f.dir, filepath.FromSlash(objectPath(o.Name))))
	return err == nil && st.Mode().IsRegular() && st.Size() == o.Size
}

func (f *folder) put(content content, l Lock, p *pace) (out put, err error) {
	part, err := os.CreateTemp(filepath.Join(f.dir, objectsDir), partPrefix)
	if err != nil {
		return out, err
	}
	defer os.Remove(part.Name())
	out, err = store(content, part, l, p)
	if err == nil {
		err = part.Sync()
	}
	if err = errors.Join(err, part.Close()); err != nil {
		return out, err
	}
	full := filepath.Join(f.dir, filepath.FromSlash(objectPath(out.Name)))
	if err := os.Mkdir(filepath.Dir(full), 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return out, err
	}
	f.fresh[filepath.Dir(full)] = true
	return out, os.Rename(part.Name(), full)
}

func (f *folder) drop(name string) {
	_ = os.Remove(filepath.Join(f.dir, filepath.FromSlash(objectPath(name)))) // nothing names it
}

func (f *folder) last() string {
	ids, err := tree{f.dir}.generations()
	if err != nil || len(ids) == 0 {
		return ""
	}
	return ids[len(ids)-1]
}

// commit puts a manifest in place. The names of the objects are on the disk
// before it: what it names is there, whenever the power goes.
func (f *folder) commit(id string, manifest []byte) error {
	for dir := range f.fresh {
		if err := syncDir(dir); err != nil {
			return err
		}
	}
	if err := syncDir(filepath.Join(f.dir, objectsDir)); err != nil {
		return err
	}
	if err := f.place(genPath(id), manifest); err != nil {
		return err
	}
	return syncDir(f.dir)
}

// An archive is a store in one new file.
type archive struct {
	path, part string
	f          *os.File
	w          *tar.Writer
	done       bool
	seen       map[string]bool
}

func newArchive(path string) (*archive, error) {
	if _, err := os.Stat(path); err == nil {
		return nil, &honeyguide.Error{Code: honeyguide.CodeConflict, Message: path + " exists; a file holds one backup, name another"}
	}
	a := &archive{path: path, part: path + ".part", seen: map[string]bool{}}
	if err := sweepParts(filepath.Dir(path), a.besides()); err != nil {
		return nil, err
	}
	var err error
	if a.f, err = os.OpenFile(a.part, os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600); err != nil {
		return nil, err
	}
	a.w = tar.NewWriter(a.f)
	return a, nil
}

// besides begins the names of contents on their way into the archive.
func (a *archive) besides() string { return "." + filepath.Base(a.path) + partPrefix }

func (a *archive) mark() (m Mark, made bool, err error) { return m, false, nil }

func (a *archive) begin(m Mark) error {
	raw, err := json.MarshalIndent(m, "", "  ")
	if err != nil {
		return err
	}
	return a.member(markName, append(raw, '\n'))
}

func (a *archive) member(name string, raw []byte) error {
	if err := a.w.WriteHeader(&tar.Header{Name: name, Mode: 0o600, Size: int64(len(raw)), Format: tar.FormatPAX}); err != nil {
		return err
	}
	_, err := a.w.Write(raw)
	return err
}

func (a *archive) has(Object) bool { return false }

func (a *archive) drop(string) {}

func (a *archive) last() string { return "" }

// put writes a content beside the archive first: a member's size stands before it.
func (a *archive) put(content content, l Lock, p *pace) (out put, err error) {
	tmp, err := os.CreateTemp(filepath.Dir(a.path), a.besides())
	if err != nil {
		return out, err
	}
	defer func() { err = errors.Join(err, tmp.Close(), os.Remove(tmp.Name())) }()
	if out, err = store(content, tmp, l, p); err != nil || a.seen[out.Name] {
		return out, err
	}
	if _, err := tmp.Seek(0, io.SeekStart); err != nil {
		return out, err
	}
	if err := a.w.WriteHeader(&tar.Header{Name: objectPath(out.Name), Mode: 0o600, Size: out.Size, Format: tar.FormatPAX}); err != nil {
		return out, err
	}
	a.seen[out.Name] = true
	_, err = io.Copy(a.w, tmp)
	return out, err
}

func (a *archive) commit(id string, manifest []byte) error {
	if err := a.member(genPath(id), manifest); err != nil {
		return err
	}
	if err := errors.Join(a.w.Close(), a.f.Sync(), a.f.Close()); err != nil {
		return err
	}
	a.done = true
	if err := os.Rename(a.part, a.path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(a.path))
}

func (a *archive) Close() error {
	if a.done {
		return nil
	}
	_ = a.f.Close()
	return os.Remove(a.part)
}

// readSmall reads a file that has no more than so many bytes.
func readSmall(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, most+1))
	if err == nil && int64(len(raw)) > most {
		err = fmt.Errorf("%s is larger than any this program writes", path)
	}
	return raw, err
}

// randomID returns so many random bytes in hexadecimal.
func randomID(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return hex.EncodeToString(b)
}
