package honeyguide

import (
	"fmt"
	"strings"
)

// A Severity is an OCSF severity_id.
type Severity uint8

// Severities, in OCSF order.
const (
	SeverityUnknown Severity = iota
	SeverityInformational
	SeverityLow
	SeverityMedium
	SeverityHigh
	SeverityCritical
)

// Severities holds the words in the order of their numbers.
var severityWords = [...]string{"unknown", "informational", "low", "medium", "high", "critical"}

// String returns the word for s; a number out of range reads "unknown".
func (s Severity) String() string {
	if int(s) >= len(severityWords) {
		return severityWords[0]
	}
	return severityWords[s]
}

// ParseSeverity reads a severity word, "info" included, in any case.
func ParseSeverity(word string) (Severity, error) {
	w := strings.ToLower(strings.TrimSpace(word))
	if w == "info" {
		return SeverityInformational, nil
	}
	for i, known := range severityWords {
		if w == known {
			return Severity(i), nil
		}
	}
	return SeverityUnknown, fmt.Errorf("severity %q: want one of informational, low, medium, high, critical", word)
}

// MarshalText writes the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the word.
func (s *Severity) UnmarshalText(b []byte) error {
	v, err := ParseSeverity(string(b))
	*s = v
	return err
}
