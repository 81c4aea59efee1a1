package honeyguide

import "log/slog"

// A Secret is a text that masks itself wherever it could be shown by accident:
// in logs, errors, JSON, YAML and format verbs. Only [Secret.Reveal] gives it away.
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
func (s Secret) GoString() string { return s.String() }

// LogValue masks log records.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// MarshalText masks JSON, YAML and every other encoding that asks.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText takes the text.
func (s *Secret) UnmarshalText(b []byte) error { *s = Secret(b); return nil }
