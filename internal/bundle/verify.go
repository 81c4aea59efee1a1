package bundle

import (
	"bufio"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"regexp"
	"strings"
)

// A Check says what an archive is verified with.
type Check struct {
	Key     string // public key of the audit log that must have signed (audit.pub); "" takes the one the archive names
	Against []byte // checkpoints kept elsewhere, or the answer of /audit/consistency; nil: none
}

// found is an entry of an archive that was read.
type found struct {
	member
	sum string // SHA-256 of the content
	at  int64  // where the content begins
}

// An opened is an archive under verification.
type opened struct {
	r     io.ReaderAt
	size  int64
	all   []found
	byRef map[string]int // by path
	*Report
}

// Verify reads an archive from its first byte to its last and says what is wrong
// with it. It needs nothing but the archive. The error is that of reading it.
func Verify(ctx context.Context, r io.ReaderAt, size int64, c Check) (*Report, error) {
	a := &opened{r: r, size: size, byRef: map[string]int{}, Report: &Report{Faults: []Fault{}, Notes: []string{}, Size: size, Audit: -1}}
	if size > MaxArchive {
		a.fault("", "it has %d bytes, and an archive of evidence at most %d", size, int64(MaxArchive))
		return a.Report, nil
	}
	if err := a.scan(ctx); err != nil {
		return nil, err
	}
	if m := a.manifest(); m != nil {
		if err := a.content(ctx, m); err != nil {
			return nil, err
		}
		a.seal(c)
	}
	for i := range a.all {
		if rank(a.all[i].path)[0] == '3' {
			a.Objects++
		}
	}
	a.Sound = len(a.Faults) == 0
	return a.Report, ctx.Err()
}

// failing is an error of reading, as distinct from what is read.
type failing struct{ r io.ReaderAt }

type readError struct{ err error }

func (e *readError) Error() string { return e.err.Error() }
func (e *readError) Unwrap() error { return e.err }

func (f failing) ReadAt(p []byte, off int64) (int, error) {
	n, err := f.r.ReadAt(p, off)
	if err != nil && err != io.EOF {
		err = &readError{err}
	}
	return n, err
}

// scan reads all entries in order, and the directory behind them.
func (a *opened) scan(ctx context.Context) error {
	whole := sha256.New()
	in := bufio.NewReaderSize(io.TeeReader(io.NewSectionReader(failing{a.r}, 0, a.size), whole), copyBuffer)
	off, ok := int64(0), true
	for ok {
		if err := ctx.Err(); err != nil {
			return err
		}
		var err error
		if off, ok, err = a.entry(in, off); err != nil {
			return err
		}
	}
	if _, err := io.Copy(io.Discard, in); err != nil {
		return fmt.Errorf("read the archive: %w", err)
	}
	a.SHA256 = hex.EncodeToString(whole.Sum(nil))
	return nil
}

// entry reads one entry; ok is false when there are no more.
func (a *opened) entry(in *bufio.Reader, off int64) (next int64, ok bool, err error) {
	var bad *readError
	m, err := readHeader(in, off)
	switch {
	case err == io.EOF:
		return off, false, a.ending(in, off)
	case errors.As(err, &bad):
		return off, false, err
	case err != nil:
		a.fault(show(m.path), "%v", err)
		return off, false, nil
	}
	f := found{member: m, at: off + localHead + int64(len(m.path))}
	sum, crc := sha256.New(), crc32.NewIEEE()
	n, err := io.CopyN(io.MultiWriter(sum, crc), in, m.size)
	switch {
	case errors.As(err, &bad):
		return off, false, err
	case err != nil:
		a.fault(m.path, "the archive is cut short: %d of %d bytes of it are there", n, m.size)
		return off, false, nil
	}
	if f.sum = hex.EncodeToString(sum.Sum(nil)); crc.Sum32() != m.crc {
		a.fault(m.path, "its content is not what its checksum says")
	}
	if _, twice := a.byRef[m.path]; twice {
		a.fault(m.path, "it is there twice")
		return off, false, nil
	}
	if len(a.all) > 0 && rank(a.all[len(a.all)-1].path) >= rank(m.path) {
		a.fault(m.path, "it stands behind %s and belongs before it", a.all[len(a.all)-1].path)
	}
	if len(a.all) == maxEntries {
		a.fault("", "it has more than %d entries", maxEntries)
		return off, false, nil
	}
	a.byRef[m.path] = len(a.all)
	a.all = append(a.all, f)
	return f.at + m.size, true, nil
}

// rank orders the entries of an archive: documents, objects by their sums, the seal.
func rank(path string) string {
	switch path {
	case readmeName:
		return "0"
	case indexName:
		return "1"
	case manifestName:
		return "2"
	case sealName:
		return "4"
	}
	return "3" + path
}

// ending compares the directory with the one that follows from the entries.
func (a *opened) ending(in *bufio.Reader, off int64) error {
	members := make([]member, len(a.all))
	for i := range a.all {
		members[i] = a.all[i].member
	}
	want := directory(members, off)
	if left := a.size - off; left != int64(len(want)) {
		a.fault("", "behind the entries are %d bytes and the directory has %d: something was added or cut off", left, len(want))
	}
	have := make([]byte, len(want))
	n, err := io.ReadFull(in, have)
	var bad *readError
	if errors.As(err, &bad) {
		return err
	}
	if at := differ(want, have[:n]); at >= 0 && n == len(want) {
		a.fault(a.listed(at), "the directory at the end is not that of the entries, at byte %d", off+int64(at))
	}
	return nil
}

// listed names the entry whose line of the directory has a byte.
func (a *opened) listed(at int) string {
	for i := range a.all {
		if at -= centralHead + len(a.all[i].path); at < 0 {
			return a.all[i].path
		}
	}
	return ""
}

// show makes a name that archives do not have fit to be shown.
func show(name string) string {
	if badName(name) == "" {
		return name
	}
	return fmt.Sprintf("%.80q", name)
}

// document reads a small entry whole.
func (a *opened) document(path string, most int64) []byte {
	i, ok := a.byRef[path]
	switch {
	case !ok:
		a.fault(path, "it is missing")
		return nil
	case a.all[i].size > most:
		a.fault(path, "it has %d bytes, more than %d", a.all[i].size, most)
		return nil
	}
	text := make([]byte, a.all[i].size)
	if _, err := a.r.ReadAt(text, a.all[i].at); err != nil && err != io.EOF {
		a.fault(path, "it cannot be read")
		return nil
	}
	return text
}

// manifest reads the manifest, and compares what it names with what there is.
func (a *opened) manifest() *Manifest {
	text := a.document(manifestName, maxManifest)
	if text == nil {
		return nil
	}
	m, err := decode[Manifest](text)
	if err != nil {
		a.find(Fault{Object: manifestName, Line: lineOf(err), Why: err.Error()})
		a.compareManifest(text)
		return nil
	}
	sum := sha256.Sum256(text)
	a.ID, a.Manifest = hex.EncodeToString(sum[:]), &m
	if m.Format != manifestFormat {
		a.find(Fault{Object: manifestName, Field: "format", Why: fmt.Sprintf("%.40q; this program reads %s", m.Format, manifestFormat)})
		return nil
	}
	if !incidentForm.MatchString(m.Incident) {
		a.find(Fault{Object: manifestName, Field: "incident", Why: "it is no short form of an incident"})
		return nil
	}
	return &m
}

// incidentForm is the short form of an incident. Files that are handed out are
// named by it.
var incidentForm = regexp.MustCompile(`^I-[0-9]{1,18}$`)

// compareManifest says of a manifest that cannot be read whether the seal knows it.
func (a *opened) compareManifest(text []byte) {
	sum := sha256.Sum256(text)
	if s, err := decode[Seal](a.document(sealName, maxSeal)); err == nil && s.Manifest != hex.EncodeToString(sum[:]) {
		a.fault(manifestName, "it was changed: the seal is of another")
	}
}

func lineOf(err error) int {
	var l *lineError
	if errors.As(err, &l) {
		return l.line
	}
	return 0
}

// content compares all that the manifest names with what there is.
func (a *opened) content(ctx context.Context, m *Manifest) error {
	wanted := map[string]bool{manifestName: true, sealName: true}
	if len(m.Documents) != 2 || m.Documents[0].Path != readmeName || m.Documents[1].Path != indexName {
		a.find(Fault{Object: manifestName, Field: "documents", Why: "want README.txt and index.html"})
	}
	for _, d := range m.Documents {
		wanted[d.Path] = true
		a.same(d.Path, "", d.SHA256, d.Size)
	}
	byName := make(map[string]*Item, len(m.Items))
	for i := range m.Items {
		it := &m.Items[i]
		if !isSum(it.SHA256) || it.Name == "" {
			a.find(Fault{Object: manifestName, Field: fmt.Sprintf("items[%d].sha256", i), Why: "it is no SHA-256"})
			continue
		}
		if i > 0 && m.Items[i-1].Name >= it.Name {
			a.find(Fault{Object: manifestName, Field: fmt.Sprintf("items[%d].name", i), Why: "items stand in the order of their names, each once"})
		}
		byName[it.Name] = it
	}
	for i := range m.Items {
		if err := ctx.Err(); err != nil {
			return err
		}
		a.item(&m.Items[i], byName, wanted)
	}
	for i := range a.all {
		if !wanted[a.all[i].path] {
			a.fault(a.all[i].path, "the manifest does not name it: it was added")
		}
	}
	a.custody(byName[custodyItem])
	return nil
}

// item compares one item with its object; a list down to its fields.
func (a *opened) item(it *Item, byName map[string]*Item, wanted map[string]bool) {
	if !isSum(it.SHA256) {
		return
	}
	path := objectPath(it.SHA256)
	again := wanted[path]
	wanted[path] = true
	if !again && a.same(path, it.Name, it.SHA256, it.Size) {
		return
	}
	sums := byName[it.Sums]
	if again || it.Sums == "" || sums == nil || !isSum(sums.SHA256) {
		return
	}
	i, ok := a.byRef[path]
	j, ok2 := a.byRef[objectPath(sums.SHA256)]
	if !ok || !ok2 || a.all[j].sum != sums.SHA256 {
		return // without sums the object is all that can be told
	}
	compareLists(io.NewSectionReader(a.r, a.all[i].at, a.all[i].size), io.NewSectionReader(a.r, a.all[j].at, a.all[j].size), func(line int, field, why string) bool {
		return a.find(Fault{Object: a.label(path, it.Name), Line: line, Field: field, Why: why})
	})
}

func (a *opened) label(path, name string) string {
	if name == "" {
		return path
	}
	return path + " (" + shown(name) + ")"
}

func shown(name string) string { return strings.Trim(fmt.Sprintf("%.120q", name), `"`) }

// same compares an entry with what the manifest says of it.
func (a *opened) same(path, name, sum string, size int64) bool {
	i, ok := a.byRef[path]
	switch {
	case !ok:
		a.fault(a.label(path, name), "it is missing")
	case a.all[i].sum != sum:
		return a.fault(a.label(path, name), "its content was changed: its SHA-256 is %s", a.all[i].sum) && false
	case a.all[i].size != size:
		a.find(Fault{Object: manifestName, Field: "size", Why: fmt.Sprintf("%s has %d bytes, the manifest says %d", a.label(path, name), a.all[i].size, size)})
	default:
		return true
	}
	return false
}
