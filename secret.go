package honeyguide

import (
	"fmt"
	"io"
	"log/slog"
	"strconv"
)

// A Secret is a text that masks itself wherever it could be shown by accident:
// in logs, errors, panics, JSON, YAML, XML and every format verb. Only
// [Secret.Reveal] gives it away. Package fmt sees through fields that are not
// exported, so a struct that has such a field of this type formats itself; a test
// of the house watches over that.
type Secret string

const masked = "[masked]"

// Reveal returns the text itself.
func (s Secret) Reveal() string { return string(s) }

// String returns a mask, or "" when there is no secret.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString masks %#v.
func (s Secret) GoString() string { return strconv.Quote(s.String()) }

// Format masks every verb: %x and %q would show the text otherwise, whatever
// String says.
func (s Secret) Format(f fmt.State, verb rune) {
	text := s.String()
	if verb == 'q' || verb == 'v' && f.Flag('#') {
		text = s.GoString()
	}
	_, _ = io.WriteString(f, text) // as fmt itself does
}

// LogValue masks log records.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks JSON, YAML, XML and every other encoding that asks.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// GobEncode masks encoding/gob, which does not ask MarshalText.
func (s Secret) GobEncode() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(b []byte) error { *s = Secret(b); return nil }

// Veil formats whatever embeds it as a mask: for structs that hold a secret in a
// field that is not exported.
type Veil struct{}

// Format prints a mask, whatever the verb.
func (Veil) Format(f fmt.State, _ rune) { _, _ = io.WriteString(f, masked) }

// LogValue masks log records.
func (Veil) LogValue() slog.Value { return slog.StringValue(masked) }
