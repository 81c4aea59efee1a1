package ingest

import (
	"errors"
	"strings"
	"time"
)

var errZone = errors.New("want UTC, an offset such as +02:00, or a name such as Europe/Berlin this machine knows")

// ParseZone reads the zone of times that name none: a name of the time zone
// database, as far as the machine has it, or an offset. Nothing is UTC.
func ParseZone(s string) (*time.Location, error) {
	s = strings.TrimSpace(s)
	if s == "" {
		return time.UTC, nil
	}
	if zone, ok := offset(s, nil); ok && zone != nil {
		return zone, nil
	}
	if len(s) > 64 || strings.EqualFold(s, "local") {
		return nil, errZone
	}
	zone, err := time.LoadLocation(s)
	if err != nil {
		return nil, errZone
	}
	return zone, nil
}
