package bundle

import (
	"fmt"
	"strings"
)

// A Fault is one thing that is wrong with an archive.
type Fault struct {
	Object string `json:"object"` // path in the archive, and the name of the item behind it; "" for the archive as a whole
	Line   int    `json:"line,omitempty"`
	Field  string `json:"field,omitempty"`
	Why    string `json:"why"`
}

// String says it in one line. Names in archives are hostile text.
func (f Fault) String() string {
	var b strings.Builder
	if f.Object != "" {
		b.WriteString(f.Object)
		if f.Line > 0 {
			fmt.Fprintf(&b, ", line %d", f.Line)
		}
		if f.Field != "" {
			b.WriteString(", field " + f.Field)
		}
		b.WriteString(": ")
	}
	return b.String() + f.Why
}

// maxFaults is how many faults a report has; the first say enough.
const maxFaults = 100

// A Report says what a verification of an archive found.
type Report struct {
	Sound     bool      `json:"sound"`
	Faults    []Fault   `json:"faults"`
	Notes     []string  `json:"notes"` // what was not checked, and how it could be
	Manifest  *Manifest `json:"manifest,omitempty"`
	ID        string    `json:"id,omitempty"` // SHA-256 of the manifest
	AuditKey  string    `json:"audit_key,omitempty"`
	Origin    string    `json:"origin,omitempty"` // of the audit log
	Audit     int64     `json:"audit"`            // entry that has the manifest's hash
	Entries   int64     `json:"entries"`          // of the audit log, the checkpoint signs for
	Objects   int       `json:"objects"`
	Size      int64     `json:"size"`
	SHA256    string    `json:"sha256"` // of the archive
	KeyGiven  bool      `json:"key_given"`
	Witnessed bool      `json:"witnessed"` // a checkpoint kept elsewhere agrees
}

// find adds a fault. It returns false when there are enough.
func (r *Report) find(f Fault) bool {
	if len(r.Faults) < maxFaults {
		r.Faults = append(r.Faults, f)
	}
	return len(r.Faults) < maxFaults
}

func (r *Report) fault(object, format string, args ...any) bool {
	return r.find(Fault{Object: object, Why: fmt.Sprintf(format, args...)})
}
