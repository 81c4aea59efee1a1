package honeyguide

import (
	"net/netip"
	"strings"
	"time"
)

// A Hold is a legal hold: what it is about is kept, whatever retention, quotas
// and erasure would do with it, until somebody releases it or its time is over.
type Hold struct {
	ID         string    `json:"id"`
	Short      string    `json:"short"`  // H-2
	Object     string    `json:"object"` // incident:I-7, session:ID or attacker:ADDRESS
	Reason     string    `json:"reason"`
	By         string    `json:"by"`
	At         time.Time `json:"at"`
	Until      time.Time `json:"until,omitzero"` // when it ends by itself; zero: when it is released
	Released   time.Time `json:"released,omitzero"`
	ReleasedBy string    `json:"released_by,omitempty"`
	ReleaseWhy string    `json:"release_why,omitempty"`
}

// The kinds of objects that can be held.
const (
	HoldIncident = "incident"
	HoldSession  = "session"
	HoldAttacker = "attacker"
)

// Active reports whether the hold keeps anything at a time.
func (h *Hold) Active(now time.Time) bool {
	return h.Released.IsZero() && (h.Until.IsZero() || now.Before(h.Until))
}

// Held splits the object of a hold into its kind and what names it.
func (h *Hold) Held() (kind, name string) {
	kind, name, _ = strings.Cut(h.Object, ":")
	return kind, name
}

// HoldObject brings what somebody wrote as the object of a hold to its one form:
// the short form of an incident in capitals, an address as it is stored.
func HoldObject(text string) (string, error) {
	kind, name, ok := strings.Cut(strings.TrimSpace(text), ":")
	kind, name = strings.ToLower(strings.TrimSpace(kind)), strings.TrimSpace(name)
	bad := &Error{Code: CodeInvalid, Message: "object: want incident:I-7, session:ID or attacker:ADDRESS"}
	if !ok || name == "" || len(name) > 128 {
		return "", bad
	}
	switch kind {
	case HoldIncident:
		if strings.HasPrefix(strings.ToUpper(name), "I-") {
			name = strings.ToUpper(name)
		}
	case HoldSession:
	case HoldAttacker:
		at, err := netip.ParseAddr(name)
		if err != nil {
			return "", bad
		}
		name = at.Unmap().WithZone("").String()
	default:
		return "", bad
	}
	return kind + ":" + name, nil
}
