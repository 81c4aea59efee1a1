package honeyguide

import "time"

// Session is everything one peer did on one connection, in short.
type Session struct {
	ID        string    `json:"id"`
	Sensor    string    `json:"sensor"`
	Service   string    `json:"service"`
	Src       Endpoint  `json:"src"`
	Dst       Endpoint  `json:"dst"`
	StartedAt time.Time `json:"started_at"`
	EndedAt   time.Time `json:"ended_at,omitzero"`
	LastAt    time.Time `json:"last_at"`
	User      string    `json:"user,omitempty"` // the login that succeeded
	Client    string    `json:"client,omitempty"`
	Events    int64     `json:"events"`
	Logins    int64     `json:"logins"` // attempts
	Commands  int64     `json:"commands"`
	Requests  int64     `json:"requests"`
	Recording string    `json:"recording,omitempty"` // name of its asciicast, "" when there is none
	Tokens    []string  `json:"tokens,omitempty"`    // exposed or used in it
	Samples   []string  `json:"samples,omitempty"`   // content it brought, by SHA-256
	Severity  Severity  `json:"severity"`            // highest of its events
}
