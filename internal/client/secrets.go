package client

import (
	"time"

	"honeyguide"
)

// SecretsOrder asks for new keys.
type SecretsOrder struct {
	Master     bool              `json:"master,omitempty" doc:"change the master key instead of the data keys; nothing is sealed anew"`
	Key        honeyguide.Secret `json:"key,omitempty" maxLength:"1024" doc:"the new master key; good beside the one before until a start uses it"`
	Passphrase honeyguide.Secret `json:"passphrase,omitempty" maxLength:"1024" doc:"a passphrase as the new master key"`
	Own        bool              `json:"own,omitempty" doc:"go back to a master key in keys/master.key, where one of the operator's is in use"`
}

// SecretsStatus says how the keys of a node stand. It holds none.
type SecretsStatus struct {
	Encryption bool         `json:"encryption" doc:"private files and secrets in rows are sealed under the master key"`
	Master     string       `json:"master,omitempty" doc:"own = keys/master.key; key, passphrase = the operator gives it"`
	MasterAt   time.Time    `json:"master_at,omitzero" doc:"since when it is this one"`
	Masters    int          `json:"masters" doc:"master keys that are good; two until a new one is used for the first time"`
	Rotating   bool         `json:"rotating" doc:"a change of the data keys is not over"`
	Keys       []SecretsKey `json:"keys" doc:"data keys, newest first"`
	Files      int          `json:"files" doc:"sealed private files"`
	StaleFiles int          `json:"stale_files" doc:"of these, under an older key"`
	Clear      []string     `json:"clear" doc:"private files that lie in clear"`
	Rows       int          `json:"rows" doc:"secrets in the state"`
	StaleRows  int          `json:"stale_rows" doc:"of these, under an older key"`
	Lost       int          `json:"lost_rows" doc:"of these, that open with no key there is"`
}

// A SecretsKey is a data key by its id.
type SecretsKey struct {
	ID   string    `json:"id"`
	Made time.Time `json:"made,omitzero"`
}
