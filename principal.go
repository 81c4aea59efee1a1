package honeyguide

import (
	"net/netip"
	"time"
)

// A UserKind says what an account stands for.
type UserKind string

// The kinds of accounts.
const (
	UserPerson  UserKind = "person"
	UserService UserKind = "service" // a program: it holds API keys and cannot log in
)

// A User is somebody who may come in, person or program.
type User struct {
	ID                 string    `json:"id"`
	Name               string    `json:"name"` // what they log in with and what stands in decisions; never changes
	Display            string    `json:"display,omitempty"`
	Kind               UserKind  `json:"kind"`
	Role               string    `json:"role"` // name of a built-in or own role
	Disabled           bool      `json:"disabled"`
	SecondFactor       bool      `json:"second_factor"` // one is set: a TOTP secret or a passkey
	MustChangePassword bool      `json:"must_change_password,omitempty"`
	CreatedAt          time.Time `json:"created_at"`
	CreatedBy          string    `json:"created_by"`
	UpdatedAt          time.Time `json:"updated_at"`
	PasswordAt         time.Time `json:"password_at,omitzero"` // when it was set; zero: there is none
	LastLoginAt        time.Time `json:"last_login_at,omitzero"`
}

// A CredentialKind says by what an account shows who it is.
type CredentialKind string

// The kinds of credentials.
const (
	CredentialPassword CredentialKind = "password" // Data: a PHC string
	CredentialTOTP     CredentialKind = "totp"     // Data: the sealed secret; Counter: the last step that was accepted
	CredentialPasskey  CredentialKind = "passkey"  // Lookup: its id; Data: as the kind writes it
	CredentialRecovery CredentialKind = "recovery" // Data: the hashes of the codes that are left, JSON
	CredentialOIDC     CredentialKind = "oidc"     // Lookup: provider and subject; no Data
	CredentialLink     CredentialKind = "link"     // Lookup: the hash of a one-time link; Data: what it is good for
)

// A Credential is what is kept of one way to show who somebody is: never what
// would let a reader of the store come in.
type Credential struct {
	ID        string         `json:"id"`
	User      string         `json:"user"` // id of the account; "" for the link of the first start
	Kind      CredentialKind `json:"kind"`
	Name      string         `json:"name,omitempty"`   // what its owner calls it
	Lookup    string         `json:"lookup,omitempty"` // by which it is found before its owner is known; unique within its kind
	Data      []byte         `json:"data,omitempty"`
	Counter   int64          `json:"counter,omitempty"`
	Pending   bool           `json:"pending,omitempty"` // begun and not confirmed: it opens nothing yet
	CreatedAt time.Time      `json:"created_at"`
	UsedAt    time.Time      `json:"used_at,omitzero"`
	ExpiresAt time.Time      `json:"expires_at,omitzero"` // zero: it stays
}

// A LoginStage says how far a login has come.
type LoginStage string

// The stages of a login.
const (
	LoginSecond LoginStage = "second" // the password was right, the second factor is missing
	LoginIn     LoginStage = "in"
)

// A LoginSession is a browser that somebody logged in with. The session of an
// attacker in a decoy is a [Session].
type LoginSession struct {
	ID          string     `json:"id"`
	User        string     `json:"user"`    // id of the account
	Sum         string     `json:"sum"`     // SHA-256 of the cookie, hex; the cookie itself is kept nowhere
	Stage       LoginStage `json:"stage"`   //
	Methods     []string   `json:"methods"` // by what: password, totp, passkey, recovery, oidc, link
	Since       time.Time  `json:"since"`
	SeenAt      time.Time  `json:"seen_at"` // within a minute
	Until       time.Time  `json:"until"`   // its absolute end
	ConfirmedAt time.Time  `json:"confirmed_at,omitzero"`
	Wrong       int        `json:"wrong,omitempty"`  // second factors that were wrong
	Failed      int        `json:"failed,omitempty"` // wrong tries between the login before and this one
	Address     netip.Addr `json:"address,omitzero"`
	Agent       string     `json:"agent,omitempty"` // what the browser calls itself
}

// A Role is a named set of permissions.
type Role struct {
	Name        string    `json:"name"`
	Title       string    `json:"title,omitempty"`
	Permissions []string  `json:"permissions"`
	BuiltIn     bool      `json:"built_in"`
	CreatedAt   time.Time `json:"created_at,omitzero"`
	CreatedBy   string    `json:"created_by,omitempty"`
	UpdatedAt   time.Time `json:"updated_at,omitzero"`
}

// An APIKey is what is kept of a key for programs: never the key itself.
type APIKey struct {
	ID        string         `json:"id"`
	Name      string         `json:"name"`
	Role      string         `json:"role"`             // a scope or the name of a role
	Sum       string         `json:"sum"`              // SHA-256 of the key, hex
	Last4     string         `json:"last4"`            // its last characters
	Owner     string         `json:"owner,omitempty"`  // id of the account it belongs to
	From      []netip.Prefix `json:"from,omitempty"`   // addresses it is good from; none: any
	CreatedAt time.Time      `json:"created_at"`       //
	ExpiresAt time.Time      `json:"expires_at"`       // zero: it does not end
	UsedAt    time.Time      `json:"used_at,omitzero"` // within a minute
	UsedFrom  netip.Addr     `json:"used_from,omitzero"`
	Successor string         `json:"successor,omitempty"` // id of the key that took its place
}

// A LoginTry is one attempt to log in whose password or factor was looked at.
type LoginTry struct {
	User    string       `json:"user"` // id of the account; "" when there is none of that name
	At      time.Time    `json:"at"`
	Right   bool         `json:"right"`
	Network netip.Prefix `json:"network"` // it came from: an address, or the /64 of IPv6
}
