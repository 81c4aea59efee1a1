package backup

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"honeyguide"
)

// Format is the version of the store this program writes. It reads all up to it.
const Format = 1

// Bounds of what is read.
const (
	maxManifest = 256 << 20
	maxObjects  = 2_000_000
	maxLine     = 64 << 10 // of the list of files
	maxPath     = 1024
)

// A Manifest says what one backup holds.
type Manifest struct {
	Format    int       `json:"format"`
	ID        string    `json:"id" doc:"time and four random bytes"`
	Store     string    `json:"store" doc:"id of the store it was written to"`
	Began     time.Time `json:"began"`
	Ended     time.Time `json:"ended"`
	Node      string    `json:"node"`
	Version   string    `json:"version" doc:"of the program that wrote it"`
	Running   bool      `json:"running" doc:"the core was running meanwhile"`
	Encrypted bool      `json:"encrypted"`
	Recipient string    `json:"recipient,omitempty" doc:"whom it is encrypted to"`
	MasterKey string    `json:"master_key" doc:"inside, elsewhere (it is kept outside the data folder), left out (the backup is not encrypted), or none"`
	AuditKey  string    `json:"audit_key" doc:"public key that verifies the signature, and the audit log inside"`
	Figures   Figures   `json:"figures"`
	Contents  Object    `json:"contents" doc:"the list of files"`
	Objects   []Object  `json:"objects" doc:"all contents, the list of files among them"`
}

// Figures say how far a data folder has come: by them the newer of two is known.
type Figures struct {
	Events     int64  `json:"events" doc:"number of the last event"`
	Audit      int64  `json:"audit" doc:"entries of the audit log"`
	AuditRoot  string `json:"audit_root,omitempty" doc:"base64"`
	Files      int64  `json:"files"`
	Bytes      int64  `json:"bytes" doc:"of all files"`
	NewObjects int64  `json:"new_objects" doc:"contents that had to be copied"`
	NewBytes   int64  `json:"new_bytes" doc:"bytes of them"`
}

// An Object is one stored content.
type Object struct {
	Name string `json:"name"` // SHA-256 of the bytes as stored, hexadecimal
	Size int64  `json:"size"` // bytes as stored
}

// A File is one file of a data folder.
type File struct {
	Path   string    `json:"path"` // below the data folder, with slashes
	Size   int64     `json:"size"`
	Mode   uint32    `json:"mode"`
	Mtime  time.Time `json:"mtime"`
	Sum    string    `json:"sha256"` // of the content
	Object string    `json:"object"`
	Stored int64     `json:"stored"` // bytes of the object
}

// signedHead is the first line of what is signed: a checkpoint of the audit log
// begins with the name of the log, so that neither can pass for the other.
const signedHead = "honeyguide-backup v1"

// statement is the text that is signed for what is kept in a store.
func statement(head, id string, body []byte) string {
	return head + "\n" + id + "\n" + sumOf(body) + "\n"
}

// sumOf is the SHA-256 of something small, in hexadecimal.
func sumOf(raw []byte) string {
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// An envelope is a manifest as it is kept.
type envelope struct {
	Note     string          `json:"note"`
	Manifest json.RawMessage `json:"manifest"`
}

// encodeEnvelope writes an envelope the one way it can be.
func encodeEnvelope(note string, body []byte) ([]byte, error) {
	head, err := json.Marshal(note)
	if err != nil {
		return nil, err
	}
	return fmt.Appendf(nil, "{\"note\":%s,\n\"manifest\":%s}\n", head, body), nil
}

// OpenManifest reads a manifest that was kept, and compares its signature: with
// key when one is given, else with the key it names itself, which shows that it
// is whole and not whose it is.
func OpenManifest(raw []byte, key string, verify func(msg []byte, key string) (string, error)) (*Manifest, error) {
	if len(raw) > maxManifest {
		return nil, errors.New("manifest: larger than any this program writes")
	}
	var e envelope
	if err := strict(raw, &e); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if same, err := encodeEnvelope(e.Note, e.Manifest); err != nil || !bytes.Equal(same, raw) {
		return nil, errors.New("manifest: it is not as this program writes it")
	}
	var m Manifest
	if err := strict(e.Manifest, &m); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if err := m.check(); err != nil {
		return nil, fmt.Errorf("manifest: %w", err)
	}
	if key == "" {
		key = m.AuditKey
	}
	text, err := verify([]byte(e.Note), key)
	if err != nil {
		return nil, fmt.Errorf("manifest: its signature does not hold: %w", err)
	}
	if text != statement(signedHead, m.ID, e.Manifest) {
		return nil, errors.New("manifest: its signature is that of another one")
	}
	return &m, nil
}

// strict reads JSON and refuses fields nobody knows and text behind it.
func strict(raw []byte, into any) error {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.DisallowUnknownFields()
	if err := d.Decode(into); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows it")
	}
	return nil
}

var (
	hexForm = regexp.MustCompile(`^[0-9a-f]{64}$`)
	idForm  = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}\.[0-9]{3}Z-[0-9a-f]{8}$`)
)

func (m *Manifest) check() error {
	switch {
	case m.Format < 1 || m.Format > Format:
		return &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: fmt.Sprintf("this backup has format %d, and this program knows up to %d; use a newer one", m.Format, Format)}
	case !idForm.MatchString(m.ID):
		return fmt.Errorf("%.80q is no id of a backup", m.ID)
	case len(m.Objects) > maxObjects:
		return fmt.Errorf("%d objects", len(m.Objects))
	case m.Encrypted == (m.Recipient == ""):
		return errors.New("it does not say whom it is encrypted to")
	}
	last, held := "", false
	for _, o := range m.Objects {
		if !hexForm.MatchString(o.Name) || o.Size < 0 || o.Name <= last {
			return fmt.Errorf("%.80q is no object, or out of order", o.Name)
		}
		last = o.Name
		held = held || o == m.Contents
	}
	if !held {
		return errors.New("the list of files is not among the objects")
	}
	return nil
}

// check refuses files no backup of ours has: an archive must not reach outside
// the folder it is put into, nor touch what a restore itself needs.
func (f *File) check(plain bool) error {
	local := filepath.IsLocal(f.Path) && f.Path == filepath.ToSlash(filepath.Clean(f.Path)) && f.Path != "."
	switch {
	case !local || len(f.Path) > maxPath || strings.ContainsAny(f.Path, "\x00\\"):
		return fmt.Errorf("%.200q is no path inside a data folder", f.Path)
	case leftOut(f.Path, false):
		return fmt.Errorf("%.200q is never part of a backup", f.Path)
	case f.Size < 0 || !hexForm.MatchString(f.Sum) || !hexForm.MatchString(f.Object):
		return fmt.Errorf("%.200q has no size or no SHA-256", f.Path)
	case plain && (f.Sum != f.Object || f.Size != f.Stored):
		return fmt.Errorf("%.200q: its object is another one", f.Path)
	case fs.FileMode(f.Mode)&^0o777 != 0:
		return fmt.Errorf("%.200q has an impossible mode", f.Path)
	}
	return nil
}
