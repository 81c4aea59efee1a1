package detect

import (
	"time"

	"honeyguide"
)

// An SLA is how soon an incident of each severity is to be answered: contained,
// judged or closed.
type SLA struct {
	Critical, High, Medium, Low time.Duration
}

// DefaultSLA is what the product's security policy asks for.
func DefaultSLA() SLA {
	return SLA{Critical: 15 * time.Minute, High: time.Hour, Medium: 4 * time.Hour, Low: 24 * time.Hour}
}

// Within returns the time to answer an incident of a severity in. What is zero
// is the default.
func (s SLA) Within(severity honeyguide.Severity) time.Duration {
	d := DefaultSLA()
	or := func(given, usual time.Duration) time.Duration {
		if given > 0 {
			return given
		}
		return usual
	}
	switch severity {
	case honeyguide.SeverityCritical:
		return or(s.Critical, d.Critical)
	case honeyguide.SeverityHigh:
		return or(s.High, d.High)
	case honeyguide.SeverityMedium:
		return or(s.Medium, d.Medium)
	}
	return or(s.Low, d.Low)
}
