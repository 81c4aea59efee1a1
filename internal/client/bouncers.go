package client

import "time"

// A Bouncer is a machine that may read what is blocked, and what is known of it.
type Bouncer struct {
	ID        string    `json:"id"`
	Name      string    `json:"name"`
	Last4     string    `json:"last4" doc:"end of its key"`
	CreatedAt time.Time `json:"created_at"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"absent: the key does not end"`
	LastPull  time.Time `json:"last_pull,omitzero" doc:"when it last asked for decisions; absent: never"`
	Agent     string    `json:"agent,omitempty" doc:"what it calls itself"`
	Address   string    `json:"address,omitempty" doc:"it last came from"`
	Pulls     int64     `json:"pulls" doc:"how often it asked"`
	Active    int64     `json:"active" doc:"decisions it says it enforces"`
	Dropped   int64     `json:"dropped" doc:"packets or requests it says it has stopped"`
	MetricsAt time.Time `json:"metrics_at,omitzero" doc:"when it last said so"`
}

// A BouncerRequest asks for a key of a bouncer.
type BouncerRequest struct {
	Name      string    `json:"name" minLength:"1" maxLength:"64" doc:"what people call it"`
	ExpiresAt time.Time `json:"expires_at,omitzero" doc:"when the key ends; absent: it does not"`
}

// A BouncerKey is a new bouncer with its key, which is shown this once.
type BouncerKey struct {
	Bouncer
	Key string `json:"key" doc:"shown once; only its hash is kept"`
}
