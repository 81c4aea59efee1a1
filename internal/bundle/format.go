package bundle

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"honeyguide/internal/audit"
)

// Names of what every archive has. Everything else in it is an object.
const (
	readmeName   = "README.txt"
	indexName    = "index.html"
	manifestName = "manifest.json"
	sealName     = "seal.json"
	objectPrefix = "objects/sha256/"
)

// Versions of the documents.
const (
	manifestFormat = "honeyguide-evidence/1"
	sealFormat     = "honeyguide-evidence-seal/1"
)

// Actions of the entries of the audit log that an archive leans on.
const (
	actSeal    = "seal-evidence"         // Object: bundle:<SHA-256 of the manifest>
	actCertify = "certify-evidence-key"  // Object: evidence-key:<the public key in base64>
	signedHead = "honeyguide evidence/1" // what is signed begins with it, and a line feed
)

// Bounds of an archive. They hold for making one and for reading one, so that a
// hostile archive costs no more than an honest one.
const (
	MaxArchive  = 3 << 30   // bytes
	maxEntries  = 50_000    // objects and documents
	maxManifest = 32 << 20  // bytes of manifest.json
	maxSeal     = 256 << 10 // bytes of seal.json
	maxDocument = 32 << 20  // bytes of README.txt and index.html
	maxLine     = 4 << 20   // bytes of one line of a list
)

// A Manifest names everything in an archive.
type Manifest struct {
	Format     string     `json:"format"`
	Incident   string     `json:"incident"` // short form: I-7
	IncidentID string     `json:"incident_id"`
	Title      string     `json:"title"` // attacker bytes may be inside: show through safetext only
	Node       Node       `json:"node"`
	Collected  Collected  `json:"collected"`
	Recipients []string   `json:"recipients"` // age recipients the samples are encrypted to; empty: as this deployment keeps them
	Documents  []Document `json:"documents"`  // README.txt and index.html, in this order
	Items      []Item     `json:"items"`      // by name
	Missing    []Missing  `json:"missing"`    // what belongs here and could not be had
}

// A Node is the deployment that made an archive.
type Node struct {
	Name    string `json:"name"`
	Version string `json:"version"`
}

// Collected says who collected the evidence.
type Collected struct {
	At     time.Time `json:"at"`
	By     string    `json:"by"`
	Kind   string    `json:"kind"` // user, key, local
	Reason string    `json:"reason"`
}

// A Document is a file of an archive for people.
type Document struct {
	Path   string `json:"path"`
	SHA256 string `json:"sha256"`
	Size   int64  `json:"size"`
}

// An Item is one piece of evidence. Its content is the object of its SHA-256; two
// items of the same content share one.
type Item struct {
	Name    string `json:"name"` // events.jsonl, samples/<sha256>.age, recordings/<session>.cast
	Kind    string `json:"kind"` // see the Item constants
	Type    string `json:"type"` // media type
	SHA256  string `json:"sha256"`
	Size    int64  `json:"size"`
	Records int64  `json:"records,omitempty"` // lines of a list
	Sums    string `json:"sums,omitempty"`    // name of the item with a sum for each line and field of this list
	Of      string `json:"of,omitempty"`      // what it is of: a session, the SHA-256 of a sample's content
}

// Kinds of items.
const (
	ItemIncident  = "incident"
	ItemList      = "list" // JSON lines
	ItemSums      = "sums"
	ItemRecording = "recording"
	ItemSample    = "sample" // encrypted with age
	ItemSnapshot  = "snapshot"
)

// Missing is something that belongs into an archive and is not in it.
type Missing struct {
	Name string `json:"name"`
	Why  string `json:"why"`
}

// A Seal shows that an archive is as it was made, and by whom.
type Seal struct {
	Format    string      `json:"format"`
	Manifest  string      `json:"manifest"`  // SHA-256 of manifest.json
	AuditKey  string      `json:"audit_key"` // verifies the checkpoints: name+hash+key
	Proof     audit.Proof `json:"proof"`     // of the entry that has the hash of the manifest
	Key       string      `json:"key"`       // Ed25519, base64: verifies Signature
	KeyProof  audit.Proof `json:"key_proof"` // of the entry that certifies Key
	Signature string      `json:"signature"` // base64, over the seal with an empty signature; see signedText
}

// signedText is what a seal's signature is over: what it is for, and the SHA-256
// of the seal written with an empty signature.
func (s Seal) signedText() []byte {
	s.Signature = ""
	text, _ := encode(s) // texts and numbers always encode
	sum := sha256.Sum256(text)
	return append([]byte(signedHead+"\n"), sum[:]...)
}

// encode writes a document the one way it is written: indented JSON and a line feed.
func encode(v any) ([]byte, error) {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", " ")
	err := e.Encode(v)
	return b.Bytes(), err
}

// decode reads a document that must be written the one way it is written, so that
// no byte of it may differ.
func decode[T any](text []byte) (v T, err error) {
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&v); err != nil {
		return v, fmt.Errorf("it is not what it should be: %s", jsonWhy(err))
	}
	again, err := encode(v)
	if err != nil {
		return v, err
	}
	if at := differ(again, text); at >= 0 {
		line := 1 + bytes.Count(text[:min(at, len(text))], []byte("\n"))
		return v, &lineError{line, "it is not written the one way it can be"}
	}
	return v, nil
}

// lineError names the line of a document.
type lineError struct {
	line int
	text string
}

func (e *lineError) Error() string { return e.text }

// differ returns where two texts first differ, -1 when they do not.
func differ(a, b []byte) int {
	n := min(len(a), len(b))
	for i := range n {
		if a[i] != b[i] {
			return i
		}
	}
	if len(a) != len(b) {
		return n
	}
	return -1
}

// jsonWhy says what is wrong with JSON without repeating it.
func jsonWhy(err error) string {
	var syntax *json.SyntaxError
	var kind *json.UnmarshalTypeError
	switch {
	case errors.As(err, &syntax):
		return fmt.Sprintf("no JSON from byte %d on", syntax.Offset)
	case errors.As(err, &kind):
		return "field " + kind.Field + " has a value of the wrong kind"
	case errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, io.EOF):
		return "its end is missing"
	case strings.Contains(err.Error(), "unknown field"):
		return "it has a field that documents of this format do not have"
	}
	return "it does not fit its format"
}

// objectPath is where the object of a content lies.
func objectPath(sum string) string { return objectPrefix + sum[:2] + "/" + sum }

// isSum reports a SHA-256 in hex, small letters.
func isSum(s string) bool {
	if len(s) != 64 || s != strings.ToLower(s) {
		return false
	}
	_, err := hex.DecodeString(s)
	return err == nil
}

// badName says what is wrong with the name of an entry of an archive, "" when it
// is one that archives have.
func badName(name string) string {
	switch name {
	case readmeName, indexName, manifestName, sealName:
		return ""
	}
	if rest, ok := strings.CutPrefix(name, objectPrefix); ok && len(rest) == 67 && rest[2] == '/' && isSum(rest[3:]) && rest[:2] == rest[3:5] {
		return ""
	}
	switch {
	case strings.HasPrefix(name, "/") || strings.Contains(name, `\`) || len(name) > 1 && name[1] == ':':
		return "its name leads out of the archive"
	case strings.Contains("/"+name+"/", "/../"):
		return "its name leads out of the archive"
	case strings.HasSuffix(name, "/"):
		return "it is a folder, and archives of evidence have none of their own"
	}
	return "archives of evidence have nothing of this name"
}

func base64Of(b []byte) string { return base64.StdEncoding.EncodeToString(b) }
