package comply

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	"honeyguide"
	"honeyguide/internal/safetext"
)

// A Format is one form a report is written in.
type Format struct {
	Name, Type, Ending string
	write              func(*Assessment) ([]byte, error)
}

// Formats returns the forms there are, the usual one first.
func Formats() []Format {
	return []Format{
		{"html", "text/html; charset=utf-8", ".html", (*Assessment).html},
		{"pdf", "application/pdf", ".pdf", (*Assessment).pdf},
		{"json", "application/json", ".json", (*Assessment).json},
		{"oscal", "application/json", ".oscal.json", (*Assessment).oscal},
	}
}

// Write writes the report in a form; CodeInvalid for one there is not.
func (r *Assessment) Write(format string) ([]byte, Format, error) {
	for _, f := range Formats() {
		if f.Name == format {
			doc, err := f.write(r)
			return doc, f, err
		}
	}
	return nil, Format{}, &honeyguide.Error{Code: honeyguide.CodeInvalid, Message: "format: want html, pdf, json or oscal"}
}

// Sum is the SHA-256 of a document, in hex: what the audit log keeps of a report.
func Sum(doc []byte) string {
	h := sha256.Sum256(doc)
	return hex.EncodeToString(h[:])
}

func (r *Assessment) json() ([]byte, error) {
	doc, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return nil, fmt.Errorf("write JSON: %w", err)
	}
	return append(safetext.JSON(doc), '\n'), nil
}
