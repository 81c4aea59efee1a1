package syslog

import (
	"honeyguide/internal/respond"
)

// Record writes a message in a format.
func Record(format string, m respond.Message) []byte {
	a := &action{cfg: Config{Format: format, Transport: "tls", Facility: 13}, dep: respond.Deps{Node: "edge-1"}}
	m.At = m.At.AddDate(2025, 0, 0)
	return a.record(m)
}
