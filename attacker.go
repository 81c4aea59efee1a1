package honeyguide

import "time"

// An Attacker is a source alerts are about, in short: what they have in common
// and what is known about it.
type Attacker struct {
	Key         string       `json:"key"`      // what its alerts are correlated by: attacker:203.0.113.7
	Src         Endpoint     `json:"src"`      // as its newest alert has it
	FirstAt     time.Time    `json:"first_at"` // of the first event behind its first alert
	LastAt      time.Time    `json:"last_at"`  // of the newest event behind any
	Severity    Severity     `json:"severity"` // highest of its alerts
	Alerts      int64        `json:"alerts"`
	LastTitle   string       `json:"last_title"`  // of its newest alert
	Enrichments []Enrichment `json:"enrichments"` // what feeds and services say, the newest of each
}
